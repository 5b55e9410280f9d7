//! Between two calls of one handoff: what changed since the decision, and whether somebody decided otherwise. Pure.

use crate::ledger::records::{ClaimedEffect, HandoffRecord};
use crate::policy::rules::Policy;
use handoffd_kit::id::DeskId;
use handoffd_kit::model::{Actor, Change, Role, TicketHead, Visibility, What};
use jiff::Timestamp;

/// What happened since our last call.
#[derive(Debug, PartialEq, Eq)]
pub enum Meanwhile {
    /// This very effect stands on the desk: its first try arrived late. The vendor's id of the change.
    ThereAlready(String),
    /// Nothing but our own writes.
    OnlyOurs,
    /// Something that does not concern the decision: a reply, a tag.
    Harmless,
    /// Somebody changed team, owner, status or a matched fact, or the ticket ended: the rest is dropped.
    Overtaken(String),
}

/// Judges the changes since the handoff was decided. Without a readable history a changed version counts as somebody's
/// change of something we cannot name, and nobody is overruled.
pub fn meanwhile(claimed: &ClaimedEffect, head: &TicketHead, history: Option<&[Change]>, policy: &Policy) -> Meanwhile {
    if let Some(ending) = &head.ending {
        return Meanwhile::Overtaken(format!("the ticket has ended ({ending:?})").to_lowercase());
    }
    let Some(history) = history else {
        return Meanwhile::Overtaken("the ticket changed, and this desk does not say by whom".into());
    };
    let key = claimed.effect.write.mark.key();
    if let Some(ours) = history.iter().find(|change| change.mark.as_ref().is_some_and(|mark| mark.key() == key)) {
        return Meanwhile::ThereAlready(ours.id.to_string());
    }
    let fields = matched_fields(&claimed.effect.desk, &claimed.facts, policy);
    let others = others(since_our_last_call(claimed, history));
    if others.is_empty() {
        return Meanwhile::OnlyOurs;
    }
    let spoilt = otherwise(&others, &fields).or_else(|| waited_in_vain(claimed, &others));
    spoilt.map_or(Meanwhile::Harmless, Meanwhile::Overtaken)
}

/// Nothing was sent yet of a handoff that was decided because nothing happened, and something has happened since.
fn waited_in_vain(claimed: &ClaimedEffect, others: &[&Change]) -> Option<String> {
    let waited_for = |key: &str| claimed.first && claimed.facts.iter().any(|fact| fact == key);
    let wrote = |change: &Change| {
        let public = |what: &What| matches!(what, What::Said { visibility: Visibility::Public, .. });
        change.by.role == Role::Customer && change.what.iter().any(public)
    };
    let acted = |change: &Change| change.by.role == Role::Agent && change.actor != Actor::Automation;
    others.iter().find_map(|change| {
        let who = crate::cases::stays::shown(&change.by);
        let idle_no_more = waited_for("idle_for") && acted(change);
        let silent_no_more = waited_for("silent_for") && wrote(change);
        (idle_no_more || silent_no_more).then(|| format!("{who} acted on the ticket meanwhile"))
    })
}

/// Whether somebody has decided otherwise since a handoff was decided of which nothing was sent: who changed what.
pub fn overtaken_since(handoff: &HandoffRecord, history: &[Change], policy: &Policy) -> Option<String> {
    let facts: Vec<String> = handoff.proposal.facts.iter().map(|(name, _)| name.clone()).collect();
    let fields = matched_fields(&handoff.proposal.desk, &facts, policy);
    otherwise(&others(after(history, handoff.created_at)), &fields)
}

fn others(changes: &[Change]) -> Vec<&Change> {
    changes.iter().filter(|change| change.by.role != Role::Us && !follows_ours(change)).collect()
}

fn otherwise(changes: &[&Change], fields: &[String]) -> Option<String> {
    changes.iter().find_map(|change| {
        let what = change.what.iter().find_map(|what| decided_otherwise(what, fields))?;
        Some(format!("{} changed the {what} meanwhile", crate::cases::stays::shown(&change.by)))
    })
}

fn after(history: &[Change], instant: Timestamp) -> &[Change] {
    let first = history.iter().position(|change| change.at > instant).unwrap_or(history.len());
    &history[first..]
}

/// The changes after the newest one that carries this handoff's mark or receipt; without one, after the decision.
fn since_our_last_call<'a>(claimed: &ClaimedEffect, history: &'a [Change]) -> &'a [Change] {
    let ours = |change: &Change| {
        claimed.receipts.iter().any(|receipt| receipt == change.id.as_str())
            || change.mark.as_ref().is_some_and(|mark| mark.handoff == claimed.effect.handoff)
    };
    match history.iter().rposition(ours) {
        Some(last) => &history[last + 1..],
        None => after(history, claimed.decided_at),
    }
}

/// A desk's own clean-up of our write (it drops an owner who may not own in the new queue) is part of our write.
fn follows_ours(change: &Change) -> bool {
    change.by.role == Role::Automation
        && change.what.iter().all(|what| matches!(what, What::Owner { to: None, .. } | What::Other(_)))
}

fn matched_fields(desk: &DeskId, facts: &[String], policy: &Policy) -> Vec<String> {
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
