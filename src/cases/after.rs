//! What became of the latest handoff: as decided, claimed, bounced, contested, moved on. Pure.
//!
//! What another automation undid is contested, reported and not fought over. What a person did is their move.

use super::sides::Sides;
use super::stays::{Moved, shown, transfer};
use crate::ledger::records::{HandoffHappening, HandoffRecord};
use crate::ledger::states::{EffectState, HandoffEvent, HandoffState};
use crate::plan::carries_out;
use crate::plan::compare::{Difference, as_left};
use crate::policy::case::{ClosedBy, ClosedPath};
use crate::policy::names::TeamName;
use crate::policy::proposal::HandoffKind;
use handoffd_kit::capability::Aspect;
use handoffd_kit::desk::OwnerSpec;
use handoffd_kit::id::UserId;
use handoffd_kit::mark::Mark;
use handoffd_kit::model::{Actor, Change, Role, TicketHead, What};
use jiff::{SignedDuration, Timestamp};

/// What a look learnt about the latest handoff.
#[derive(Clone, Debug, Default)]
pub struct After {
    /// What the desk tells of the past must be read to tell more.
    pub need_history: bool,
    /// What happened to it.
    pub happening: Option<HandoffHappening>,
    /// A path that this closes.
    pub close: Option<ClosedPath>,
    /// Compare again then.
    pub look_again: Option<Timestamp>,
}

/// What is known when the question is asked.
pub struct Seen<'a> {
    /// The ticket, as read at `read_at`.
    pub head: &'a TicketHead,
    /// Its history, if it was read.
    pub history: Option<&'a [Change]>,
    /// Whether reading the history could help.
    pub readable: bool,
    /// What was said, on a desk that keeps no history; none: there is one, or it was not read.
    pub said: Option<&'a [Change]>,
    /// Whether reading what was said could help.
    pub listenable: bool,
    /// Whether something changed since the ledger last looked that is not our own write.
    pub news: bool,
    /// When the head was read.
    pub read_at: Timestamp,
    /// How long a verification waits for a poll to bring the head.
    pub patience: SignedDuration,
    /// Who belongs to which side of it, as far as that is known.
    pub sides: Sides<'a>,
    /// The team that has the case now.
    pub stay: Option<&'a TeamName>,
    /// The handoff that had brought the case where the look before this one found it.
    pub came_by: Option<&'a str>,
}

/// Judges the latest handoff by what the ticket looks like now.
pub fn after(handoff: &HandoffRecord, moved: &[Moved], seen: &Seen<'_>) -> After {
    match handoff.state {
        HandoffState::Verifying | HandoffState::Settled => {}
        HandoffState::Sending => return halfway(handoff, moved, seen),
        _ => return After::default(),
    }
    match left_receiver(handoff, moved) {
        // The next handoff took it, before the answer of its transfer came.
        Some(left) if left.change.by_handoff.is_some() && handoff.state == HandoffState::Settled => {
            return After::default();
        }
        Some(left) => return departed(handoff, left),
        None => {}
    }
    let mut after = verify(handoff, seen);
    if handoff.claimed.is_none() {
        claim(handoff, seen, &mut after);
    }
    after
}

fn happening(handoff: &HandoffRecord, event: Option<HandoffEvent>, detail: Option<String>) -> HandoffHappening {
    HandoffHappening {
        handoff: handoff.id.clone(),
        event,
        detail,
        claimed: None,
        drop_effects: false,
        closing_note: None,
    }
}

/// The stay right after the receiving team's, if the case has left it.
fn left_receiver<'a>(handoff: &HandoffRecord, moved: &'a [Moved]) -> Option<&'a Moved> {
    let opened = moved.iter().position(|moved| moved.change.by_handoff.as_ref() == Some(&handoff.id));
    match opened {
        Some(at) => moved.get(at + 1),
        // The receiving stay was recorded by an earlier look; the first new one is what follows it.
        None => moved
            .first()
            .filter(|moved| moved.change.stay.as_ref().map(|stay| &stay.team) != Some(&handoff.proposal.to)),
    }
}

/// The case may come back while a message to the customer still waits, or is parked: what becomes of that, delivery says
/// before its next call. The path is closed at once.
fn halfway(handoff: &HandoffRecord, moved: &[Moved], seen: &Seen<'_>) -> After {
    After { close: straight_back(handoff, moved, seen.came_by), ..After::default() }
}

/// The path of a handoff that was not carried out to its end, where the case has come straight back. That it had moved the case
/// its receipt proves, or its mark in the history, even where its answer was lost: at this look or at an earlier one, which
/// found the case where the handoff had brought it (`came_by`).
pub fn straight_back(handoff: &HandoffRecord, moved: &[Moved], came_by: Option<&str>) -> Option<ClosedPath> {
    let has_moved = transfer(handoff).is_some() || opens(handoff, moved) || came_by == Some(handoff.id.as_str());
    let left = left_receiver(handoff, moved).filter(|left| has_moved && is_back(handoff, left))?;
    let why = if left.actor == Actor::Automation { ClosedBy::Contest } else { ClosedBy::Bounce };
    Some(ClosedPath::new(handoff.proposal.from.clone(), handoff.proposal.to.clone(), why))
}

/// Whether one of these stays was opened by this handoff.
pub fn opens(handoff: &HandoffRecord, moved: &[Moved]) -> bool {
    moved.iter().any(|moved| moved.change.by_handoff.as_ref() == Some(&handoff.id))
}

/// Whether the case is with the giving team again. What was handed back as done, or came back because nobody had claimed
/// it, and is taken on again closes no path: nobody said no.
fn is_back(handoff: &HandoffRecord, left: &Moved) -> bool {
    is_with_giver(handoff, left.change.stay.as_ref().map(|stay| &stay.team))
}

fn is_with_giver(handoff: &HandoffRecord, next: Option<&TeamName>) -> bool {
    let proposal = &handoff.proposal;
    let on_its_way_back = matches!(proposal.kind, HandoffKind::Back | HandoffKind::Unclaimed);
    proposal.from.is_some() && next == proposal.from.as_ref() && !on_its_way_back
}

fn departed(handoff: &HandoffRecord, left: &Moved) -> After {
    let proposal = &handoff.proposal;
    let next = left.change.stay.as_ref().map(|stay| &stay.team);
    let by = left.change.by.clone().unwrap_or_else(|| "somebody".into());
    let undone_by_machine = left.actor == Actor::Automation && handoff.state == HandoffState::Verifying;
    let back = is_back(handoff, left);
    let (event, why, detail) = if undone_by_machine {
        let detail = format!("another automation ({by}) undid the transfer; reported, not fought over");
        (Some(HandoffEvent::Contested), Some(ClosedBy::Contest), detail)
    } else if back {
        (Some(HandoffEvent::Bounced), Some(ClosedBy::Bounce), format!("given back by {by}"))
    } else {
        let to = next.map_or("no team of ours".to_owned(), ToString::to_string);
        let event = (handoff.state == HandoffState::Verifying).then_some(HandoffEvent::Verified);
        (event, None, format!("moved on to {to} by {by}"))
    };
    After {
        happening: Some(happening(handoff, event, Some(detail))),
        close: why.map(|why| ClosedPath::new(proposal.from.clone(), proposal.to.clone(), why)),
        ..After::default()
    }
}

/// Compares with what was written, once `verify_after` has passed.
fn verify(handoff: &HandoffRecord, seen: &Seen<'_>) -> After {
    let Some(verify_at) = handoff.verify_at.filter(|_| handoff.state == HandoffState::Verifying) else {
        return After::default();
    };
    if seen.read_at < verify_at {
        return After { look_again: Some(verify_at + seen.patience), ..After::default() };
    }
    let written = handoff.effects.iter().filter(|effect| effect.state == EffectState::Done);
    let differences = as_left(written.map(|effect| &effect.write.change), seen.head);
    if differences.is_empty() {
        return After { happening: Some(happening(handoff, Some(HandoffEvent::Verified), None)), ..After::default() };
    }
    let Some(history) = seen.history else {
        if seen.readable {
            return After { need_history: true, ..After::default() };
        }
        return changed(handoff, seen, &differences, "somebody");
    };
    judge_differences(handoff, seen, &differences, history)
}

/// What somebody did since is theirs. It is a bounce where the case lies with the giving team again, also where the way back
/// was seen before the transfer's answer was known.
fn changed(handoff: &HandoffRecord, seen: &Seen<'_>, differences: &[Difference], by: &str) -> After {
    let moved = differences.iter().any(|difference| difference.aspect == Aspect::Queue);
    let proposal = &handoff.proposal;
    let (event, detail, close) = if moved && is_with_giver(handoff, seen.stay) {
        let close = ClosedPath::new(proposal.from.clone(), proposal.to.clone(), ClosedBy::Bounce);
        (HandoffEvent::Bounced, format!("given back by {by}"), Some(close))
    } else {
        (HandoffEvent::Verified, format!("changed since by {by}: {}", listed(differences)), None)
    };
    After { happening: Some(happening(handoff, Some(event), Some(detail))), close, ..After::default() }
}

fn judge_differences(
    handoff: &HandoffRecord,
    seen: &Seen<'_>,
    differences: &[Difference],
    history: &[Change],
) -> After {
    let since = handoff.sent_at.unwrap_or(handoff.created_at);
    let by_machine: Vec<&Difference> = differences
        .iter()
        .filter(|difference| last_actor(history, difference.aspect, since) == Some(Actor::Automation))
        .collect();
    if by_machine.is_empty() {
        return changed(handoff, seen, differences, "a person");
    }
    let detail = format!("another automation undid: {}; reported, not fought over", listed(by_machine));
    After {
        happening: Some(happening(handoff, Some(HandoffEvent::Contested), Some(detail))),
        close: Some(ClosedPath::new(handoff.proposal.from.clone(), handoff.proposal.to.clone(), ClosedBy::Contest)),
        ..After::default()
    }
}

fn listed<'a>(differences: impl IntoIterator<Item = &'a Difference>) -> String {
    differences.into_iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

/// What kind of thing last changed this aspect. A desk's clock may be a little behind ours.
fn last_actor(history: &[Change], aspect: Aspect, since: Timestamp) -> Option<Actor> {
    let since = since - SignedDuration::from_mins(5);
    let touches = |what: &What| {
        matches!(
            (aspect, what),
            (Aspect::Queue, What::Queue { .. })
                | (Aspect::Owner, What::Owner { .. })
                | (Aspect::Priority, What::Priority { .. })
                | (Aspect::Status, What::Status { .. })
                | (Aspect::Fields, What::Field { .. })
        )
    };
    let mut later = history.iter().rev().filter(|change| change.at >= since && change.actor != Actor::Us);
    later.find(|change| change.what.iter().any(touches)).map(|change| change.actor)
}

/// The new team's first act: a member becomes owner, writes, or changes status. Viewing, or a bot, is none. Who counts as one
/// of the team, [`Sides`] says.
fn claim(handoff: &HandoffRecord, seen: &Seen<'_>, after: &mut After) {
    let acted = |past: &[Change]| first_act(&handoff.id, &seen.sides, past);
    let claimed = match (seen.history, seen.said) {
        (Some(history), _) => acted(history),
        // Words show no owner, and an owner says nothing.
        (None, Some(said)) => new_owner(handoff, seen).or_else(|| acted(said)),
        (None, None) if !seen.news => None,
        (None, None) if seen.readable => {
            after.need_history = true;
            return;
        }
        (None, None) => {
            let owner = new_owner(handoff, seen);
            after.need_history |= owner.is_none() && seen.listenable;
            owner
        }
    };
    let Some(claimed) = claimed else { return };
    let happening = after.happening.get_or_insert_with(|| happening(handoff, None, None));
    happening.claimed = Some(claimed);
}

/// The first act of the receiving team since the handoff `of` was carried out. When, and who.
pub fn first_act(of: &str, sides: &Sides<'_>, history: &[Change]) -> Option<(Timestamp, String)> {
    let ours = carried_out(of, history)?;
    let by_agents =
        history[ours + 1..].iter().filter(|change| change.by.role == Role::Agent && change.actor == Actor::Person);
    by_agents.filter_map(|change| Some((change.at, claimed_in(sides, change)?))).next()
}

/// Where the handoff `of` gave the case to its team: our change of the queue. A message to the customer may come much later,
/// when somebody has acted already. Where no change of the queue carries its mark, its last sign.
fn carried_out(of: &str, history: &[Change]) -> Option<usize> {
    let ours = |change: &Change| change.mark.as_ref().is_some_and(|mark| is_of(mark, of));
    let moves = |change: &Change| change.what.iter().any(|what| matches!(what, What::Queue { .. }));
    let transfer = history.iter().rposition(|change| ours(change) && moves(change));
    transfer.or_else(|| history.iter().rposition(ours))
}

/// Whom an agent made the owner last since the handoff `of` was carried out, of the team or not.
pub fn made_owner<'a>(of: &str, history: &'a [Change]) -> Option<&'a UserId> {
    let ours = carried_out(of, history)?;
    let owners = history[ours + 1..].iter().flat_map(|change| {
        change.what.iter().filter_map(move |what| match what {
            What::Owner { to, .. } => Some((change, to.as_ref())),
            _ => None,
        })
    });
    let (change, to) = owners.last()?;
    to.filter(|_| change.by.role == Role::Agent && change.actor == Actor::Person)
}

/// Who of the team has the case by this change of an agent's: who made it, or whom they made its owner.
fn claimed_in(sides: &Sides<'_>, change: &Change) -> Option<String> {
    let acts = |what: &What| matches!(what, What::Owner { to: Some(_), .. } | What::Status { .. } | What::Said { .. });
    if sides.may_claim(change.by.id.as_ref()) && change.what.iter().any(acts) {
        return Some(shown(&change.by));
    }
    let made_owner = |what: &What| match what {
        What::Owner { to: Some(id), .. } => sides.receiving_member(id).map(str::to_owned),
        _ => None,
    };
    change.what.iter().find_map(made_owner)
}

/// Whether a mark is a sign of the handoff itself: what asked for parts came before it, and what comes later may come after a claim.
fn is_of(mark: &Mark, handoff: &str) -> bool {
    mark.handoff == handoff && carries_out(mark.number)
}

fn new_owner(handoff: &HandoffRecord, seen: &Seen<'_>) -> Option<(Timestamp, String)> {
    let owner = seen.head.owner.known()?.as_ref()?;
    if !seen.sides.may_claim(Some(&owner.id)) {
        return None;
    }
    let name = owner.name.clone().unwrap_or_else(|| owner.id.to_string());
    let plan = &handoff.proposal.owner;
    // Whom we made owner has not acted by that.
    let set_by_us = plan.set == OwnerSpec::User(owner.id.clone());
    (plan.previous_id.as_ref() != Some(&owner.id) && !set_by_us).then_some((seen.read_at, name))
}
