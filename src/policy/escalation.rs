//! When a case has outgrown its tier: every rule of its team is asked. Those that match and agree on where to go act as
//! one, in the first one's name; those that disagree leave it to a person.

use super::activity::{Learnt, agent_acted};
use super::hold::Path;
use super::matching::{AnyRule, Candidate};
use super::rules::{Escalation, Policy, Trigger};
use super::teams::Team;
use super::timing::whole_millisecond;
use super::verdict::RuleResult;
use super::{case::Case, facts::Facts};
use handoffd_kit::model::PartSet;
use jiff::{SignedDuration, Timestamp};

/// Every escalation's verdict, in the order of the file, and what must be read first. Rules of other teams are left out.
pub fn judge<'a>(
    case: &'a Case,
    policy: &'a Policy,
    team: &'a Team,
    episode: &'a str,
    facts: &Facts<'_>,
) -> (Vec<Candidate<'a>>, PartSet) {
    let mut candidates: Vec<Candidate<'a>> = Vec::new();
    let mut need = PartSet::NONE;
    for escalation in policy.escalations.iter().filter(|escalation| escalation.from.contains(&team.name)) {
        let path = Path { rule: &escalation.rule, from: Some(&team.name), to: &escalation.to, episode };
        let any = AnyRule::Escalation(escalation);
        if any.is_on_request() && !case.memory.request.as_ref().is_some_and(|request| request.wants(path.to, episode)) {
            candidates.push(Candidate::not_asked(any, path));
            continue;
        }
        let mut candidate = Candidate::judge(any, path, case, policy, facts);
        if candidate.result == RuleResult::Fires {
            wait_for_people(&mut candidate, escalation, case, policy, facts.now());
        }
        need = need.union(candidate.unread);
        let acting = candidates.iter().find(|earlier| earlier.result == RuleResult::Fires);
        if candidate.result == RuleResult::Fires && acting.is_some_and(|acting| acting.path.to == candidate.path.to) {
            candidate.result = RuleResult::Agrees;
        }
        candidates.push(candidate);
    }
    (candidates, need)
}

/// An agent who has just acted may be in the middle of something: an automatic escalation waits until it has been quiet for
/// a while. It does not wait where a person decides anyway, or has decided.
fn wait_for_people(candidate: &mut Candidate<'_>, rule: &Escalation, case: &Case, policy: &Policy, now: Timestamp) {
    let quiet = rule.quiet_after_person.or(policy.quiet_after_person).filter(|quiet| *quiet > SignedDuration::ZERO);
    let (name, memory) = (&rule.rule.name, &case.memory);
    let by_a_person = rule.trigger == Trigger::Manual
        || memory.released.contains(name)
        || memory.in_review.contains(name)
        || memory.asking.as_ref() == Some(name);
    let Some(quiet) = quiet.filter(|_| !by_a_person) else { return };
    let acted = match agent_acted(case) {
        Learnt::Known(acted) => acted,
        Learnt::Unread(part) => {
            candidate.unread = candidate.unread.with(part);
            return;
        }
        Learnt::Unknown => {
            candidate.result = RuleResult::TimeUnknown("quiet_after_person".to_owned());
            return;
        }
    };
    let quiet_from = |acted: Timestamp| {
        let until = whole_millisecond(acted.saturating_add(quiet).unwrap_or(Timestamp::MAX));
        (until > now).then_some(until)
    };
    let told = acted.told.and_then(quiet_from).map(|until| (until, RuleResult::PersonActive(until)));
    let untold = acted.untold_until.and_then(quiet_from).map(|until| (until, RuleResult::PersonMayBeActive(until)));
    // What is not known holds as long as it is not known.
    if let Some((until, result)) = untold.or(told) {
        candidate.result = result;
        candidate.again_at = candidate.again_at.into_iter().chain([until]).min();
    }
}

/// The stay's episode; where the ledger has not seen the stay yet, a stand-in for it.
pub fn episode(case: &Case, team: &Team) -> String {
    match &case.memory.stay {
        Some(stay) if stay.team == team.name => stay.episode.clone(),
        _ => format!("~{}", team.name),
    }
}
