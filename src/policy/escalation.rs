//! When a case has outgrown its tier: every rule of its team is asked. Those that match and agree on where to go act as
//! one, in the first one's name; those that disagree leave it to a person.

use super::hold::Path;
use super::matching::{AnyRule, Candidate};
use super::rules::{Policy, Team};
use super::verdict::RuleResult;
use super::{case::Case, facts::Facts};
use handoffd_kit::model::PartSet;

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
        let mut candidate = Candidate::judge(AnyRule::Escalation(escalation), path, case, policy, facts);
        need = need.union(candidate.unread);
        let acting = candidates.iter().find(|earlier| earlier.result == RuleResult::Fires);
        if candidate.result == RuleResult::Fires && acting.is_some_and(|acting| acting.path.to == candidate.path.to) {
            candidate.result = RuleResult::Agrees;
        }
        candidates.push(candidate);
    }
    (candidates, need)
}

/// The stay's episode; where the ledger has not seen the stay yet, a stand-in for it.
pub fn episode(case: &Case, team: &Team) -> String {
    match &case.memory.stay {
        Some(stay) if stay.team == team.name => stay.episode.clone(),
        _ => format!("~{}", team.name),
    }
}
