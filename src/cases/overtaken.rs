//! Whether somebody has decided otherwise since a handoff was decided: a change of team, owner, status or a matched fact
//! that is not ours. Pure; asked before each further call, and before a review is answered.

use super::examine::Look;
use super::stays::shown;
use crate::ledger::records::HandoffRecord;
use crate::policy::rules::Policy;
use handoffd_kit::id::DeskId;
use handoffd_kit::model::{Change, Role, TicketHead, What};
use jiff::Timestamp;

/// Who or what stands against a yes to this review, as far as the ticket tells what happened since it was asked for.
pub fn overtaken(look: &Look<'_>, review: &HandoffRecord) -> Option<String> {
    let unchanged = look.record.last_version.as_ref() == Some(&look.head.version);
    match &look.parts.history {
        Some(history) => overtaken_since(review, history, look.policy),
        None if unchanged => None,
        None if !look.capabilities.readable_history => overtaken_unseen(review, look.head),
        None => Some("the ticket changed, and this desk does not say by whom".to_owned()),
    }
}

/// Who changed what since a handoff was decided of which nothing was sent.
pub fn overtaken_since(handoff: &HandoffRecord, history: &[Change], policy: &Policy) -> Option<String> {
    let facts: Vec<String> = handoff.proposal.facts.iter().map(|(name, _)| name.clone()).collect();
    let fields = matched_fields(&handoff.proposal.desk, &facts, policy);
    otherwise(&others(after(history, handoff.created_at)), &fields)
}

/// The same on a desk that keeps no history: of what nobody says who did it, another owner is seen on the ticket. Another team
/// or another fact the decision itself shows, which is asked anew.
fn overtaken_unseen(handoff: &HandoffRecord, head: &TicketHead) -> Option<String> {
    let owner = head.owner.known()?.as_ref().map(|owner| &owner.id);
    let another = owner != handoff.proposal.owner.previous_id.as_ref();
    another.then(|| "somebody changed the owner meanwhile (this desk does not say who)".to_owned())
}

/// The changes among these that are neither ours nor part of ours.
pub fn others(changes: &[Change]) -> Vec<&Change> {
    changes.iter().filter(|change| change.by.role != Role::Us && !follows_ours(change)).collect()
}

/// The first of these changes that decides otherwise, in words.
pub fn otherwise(changes: &[&Change], fields: &[String]) -> Option<String> {
    changes.iter().find_map(|change| {
        let what = change.what.iter().find_map(|what| decided_otherwise(what, fields))?;
        Some(format!("{} changed the {what} meanwhile", shown(&change.by)))
    })
}

/// Whether none of these changes is of the case itself, its team, owner or status: a decision that they end may be taken anew.
pub fn are_of_facts_alone(changes: &[&Change]) -> bool {
    otherwise(changes, &[]).is_none()
}

/// The changes after an instant.
pub fn after(history: &[Change], instant: Timestamp) -> &[Change] {
    let first = history.iter().position(|change| change.at > instant).unwrap_or(history.len());
    &history[first..]
}

/// A desk's own clean-up of our write (it drops an owner who may not own in the new queue) is part of our write.
fn follows_ours(change: &Change) -> bool {
    change.by.role == Role::Automation
        && change.what.iter().all(|what| matches!(what, What::Owner { to: None, .. } | What::Other(_)))
}

/// The desk's own ids of the fields among these facts.
pub fn matched_fields(desk: &DeskId, facts: &[String], policy: &Policy) -> Vec<String> {
    let Some(desk) = policy.desks.get(desk) else { return Vec::new() };
    let matched = |name: &String| facts.iter().any(|fact| fact.ends_with(&format!(".fields.{name}")));
    desk.fields.iter().filter(|(name, _)| matched(name)).map(|(_, field)| field.id.clone()).collect()
}

fn decided_otherwise(what: &What, matched_fields: &[String]) -> Option<&'static str> {
    match what {
        What::Queue { .. } => Some("team"),
        What::Owner { .. } => Some("owner"),
        What::Status { .. } => Some("status"),
        What::Merged { .. } => Some("ticket itself (merged)"),
        What::Field { id } if matched_fields.contains(id) => Some("value of a matched field"),
        _ => None,
    }
}
