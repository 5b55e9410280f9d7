//! Where rules want different teams, a person says yes to one of them: whoever may decide for that team. Pure.

use super::examine::{Look, planned_signature};
use crate::ledger::records::{HandoffRecord, NewHandoff, ReviewAnswer};
use crate::ledger::states::HandoffState;
use crate::plan;
use crate::policy::names::{RuleName, TeamName};
use crate::policy::proposal::Proposal;
use crate::policy::verdict::{Outcome, Risk, Verdict};

/// Which rule wants which team beside the one that the review is about.
fn wanted(review: &HandoffRecord) -> impl Iterator<Item = &(RuleName, TeamName)> {
    let wanted = review.risks.iter().flat_map(|risk| match risk {
        Risk::Disagreement(wanted) => wanted.as_slice(),
        _ => &[],
    });
    wanted.filter(|(_, to)| *to != review.proposal.to)
}

/// The teams that rules want beside the one that the review is about.
pub fn others(review: &HandoffRecord) -> impl Iterator<Item = &TeamName> {
    wanted(review).map(|(_, to)| to)
}

/// The other team that the words of a yes begin with, and what follows.
pub fn named_first<'r>(review: &'r HandoffRecord, reason: &str) -> Option<(&'r TeamName, Option<String>)> {
    let (word, rest) = reason.split_once(char::is_whitespace).unwrap_or((reason, ""));
    let word = word.trim_end_matches([',', ':', '.', ';']);
    let team = others(review).find(|team| team.as_str().eq_ignore_ascii_case(word))?;
    let rest = rest.trim();
    Some((team, (!rest.is_empty()).then(|| rest.to_owned())))
}

/// The review as it would be about another team: to ask who may decide.
pub fn about(review: &HandoffRecord, team: &TeamName) -> Proposal {
    let rule = wanted(review).find(|(_, to)| to == team).map_or(&review.proposal.rule, |(rule, _)| rule);
    Proposal { rule: rule.clone(), to: team.clone(), ..review.proposal.clone() }
}

/// What would be done for this team now, or why nothing. `now`: what the policy says once the team is chosen.
///
/// # Errors
/// In words.
pub fn proposed(now: Option<&Verdict>, team: &TeamName) -> Result<Box<Proposal>, String> {
    match now.map(|verdict| &verdict.outcome) {
        Some(
            Outcome::Route(fresh)
            | Outcome::Escalate(fresh)
            | Outcome::AskPerson { proposed: fresh, .. }
            | Outcome::AskForParts { proposed: fresh, .. },
        ) if fresh.to == *team => Ok(fresh.clone()),
        Some(Outcome::Stay(reason)) => Err(format!("the case stays now ({})", reason.shown())),
        _ => Err(format!("no rule wants {team} now")),
    }
}

/// The yes to it: a handoff of its own, which takes the review's place and is approved at once. What the reviewer was shown of
/// the case travels.
pub fn answer(
    look: &Look<'_>,
    review: &HandoffRecord,
    fresh: Proposal,
    by: String,
    reason: Option<String>,
) -> ReviewAnswer {
    let package = review.proposal.package.clone().or(fresh.package.clone());
    let proposal = Proposal { package, ..fresh };
    let nth = look.record.ended(&proposal.rule, &proposal.episode);
    let id = plan::handoff_id(&proposal.desk, &proposal.ticket, &proposal.rule, &proposal.episode, nth);
    let yes = plan::review::yes(&proposal, &by, look.now, reason.as_deref());
    let signature = planned_signature(look, &proposal);
    let effects = plan::approved_effects(&proposal, &id, look.capabilities, look.head, signature, &yes);
    let chosen = NewHandoff {
        id: id.clone(),
        proposal: proposal.clone(),
        state: HandoffState::InReview,
        risks: review.risks.clone(),
        effects: Vec::new(),
        replaces: Some(review.id.clone()),
        ask_until: None,
        needs_place: false,
    };
    let (proposal, chosen) = (Some(Box::new(proposal)), Some(Box::new(chosen)));
    ReviewAnswer { handoff: id, by, reason, at: look.now, effects, proposal, chosen }
}
