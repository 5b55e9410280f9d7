//! Between two calls of one handoff: what changed since the decision, and whether somebody decided otherwise. Pure.

use crate::cases::overtaken::{after, are_of_facts_alone, matched_fields, others, otherwise};
use crate::ledger::records::ClaimedEffect;
use crate::policy::rules::Policy;
use handoffd_kit::desk::DecidedOn;
use handoffd_kit::model::{Actor, Change, Role, TicketHead, Visibility, What};

/// What happened since our last call.
#[derive(Debug, PartialEq, Eq)]
pub enum Meanwhile {
    /// This very effect stands on the desk: its first try arrived late. The vendor's id of the change.
    ThereAlready(String),
    /// Nothing but our own writes.
    OnlyOurs,
    /// Something that does not concern the decision: a reply, a tag.
    Harmless,
    /// Somebody changed team, owner or status, or the ticket ended: the rest is dropped.
    Overtaken(String),
    /// Somebody changed a matched fact, and nothing of the case itself: the rest is dropped, and decided anew by the new facts.
    FactChanged(String),
}

/// Judges the changes since the handoff was decided. Without a readable history the ticket is compared with what the write
/// was decided on; where that is not known either, a changed version counts as somebody's change of something we cannot
/// name, and nobody is overruled.
pub fn meanwhile(claimed: &ClaimedEffect, head: &TicketHead, history: Option<&[Change]>, policy: &Policy) -> Meanwhile {
    if let Some(ending) = &head.ending {
        return Meanwhile::Overtaken(format!("the ticket has ended ({ending:?})").to_lowercase());
    }
    let Some(history) = history else {
        let write = &claimed.effect.write;
        let Some(decided_on) = &write.decided_on else {
            return Meanwhile::Overtaken("the ticket changed, and this desk does not say by whom".into());
        };
        let changed = decided_on.differs(&DecidedOn::of(head, &write.change));
        return changed.map_or(Meanwhile::Harmless, |what| {
            Meanwhile::Overtaken(format!("somebody changed the {what} meanwhile (this desk does not say who)"))
        });
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
    match otherwise(&others, &fields) {
        Some(why) if are_of_facts_alone(&others) => Meanwhile::FactChanged(why),
        Some(why) => Meanwhile::Overtaken(why),
        None => waited_in_vain(claimed, &others).map_or(Meanwhile::Harmless, Meanwhile::Overtaken),
    }
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
