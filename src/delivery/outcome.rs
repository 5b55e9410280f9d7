//! What a desk's answer means for an effect and its handoff. Pure: an answer goes in, what is recorded comes out.

use crate::ledger::records::{ClaimedEffect, DeskTrouble, EffectOutcome, HandoffHappening};
use crate::ledger::states::{EffectEvent, EffectState, HandoffEvent};
use crate::plan::{self, PlannedEffect};
use crate::policy::case::ClosedBy;
use handoffd_kit::capability::Capabilities;
use handoffd_kit::desk::{DeskChange, Receipt};
use handoffd_kit::error::{DeskError, DeskErrorKind, Retry};
use handoffd_kit::model::{Ending, TicketHead};
use jiff::{SignedDuration, Timestamp};

/// When a finished handoff is compared again.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// So long after it was sent.
    pub verify_after: SignedDuration,
    /// With so much patience for a poll that brings the head.
    pub patience: SignedDuration,
}

/// How often a conflict makes us decide anew before a person is asked.
const CONFLICTS: u32 = 5;
/// How often a desk may say "no right" or "no login" to one effect before it is parked.
const REFUSED_RIGHTS: u32 = 5;
/// How often an answer may be of no use to one effect, or its lookups, before it is parked.
const USELESS_ANSWERS: u32 = 8;
/// A desk that only takes no writes for a while, as in maintenance, costs no person's time before that.
const LONG_ENOUGH: SignedDuration = SignedDuration::from_mins(30);
/// How soon a later effect is tried again that met a changed ticket.
const ONCE_MORE: SignedDuration = SignedDuration::from_secs(1);
/// How soon after a lost answer the first lookup goes out: most lost answers were written.
const FIRST_LOOKUP: SignedDuration = SignedDuration::from_secs(2);

fn outcome(claimed: &ClaimedEffect, event: EffectEvent, at: Timestamp) -> EffectOutcome {
    EffectOutcome::new(claimed.effect.id, event, at)
}

fn because(outcome: EffectOutcome, reason: impl Into<String>, next_step: impl Into<String>) -> EffectOutcome {
    EffectOutcome { reason: Some(reason.into()), next_step: Some(next_step.into()), ..outcome }
}

fn ends(claimed: &ClaimedEffect, event: HandoffEvent, detail: &str) -> HandoffHappening {
    HandoffHappening {
        handoff: claimed.effect.handoff.clone(),
        event: Some(event),
        detail: Some(detail.to_owned()),
        claimed: None,
        drop_effects: true,
        closing_note: None,
    }
}

/// The desk's answer proves it.
pub fn accepted(claimed: &ClaimedEffect, receipt: Receipt, now: Timestamp, pace: Pace) -> EffectOutcome {
    done(claimed, EffectEvent::Accepted, receipt, now, pace)
}

/// A lookup found it: it was written when the answer was lost.
pub fn found(claimed: &ClaimedEffect, receipt: Receipt, now: Timestamp, pace: Pace) -> EffectOutcome {
    done(claimed, EffectEvent::Found, receipt, now, pace)
}

fn done(claimed: &ClaimedEffect, event: EffectEvent, receipt: Receipt, now: Timestamp, pace: Pace) -> EffectOutcome {
    let verify_at = now + pace.verify_after;
    EffectOutcome {
        next_expects: receipt.version.clone(),
        receipt: Some(receipt),
        verify_at: claimed.last.then_some(verify_at),
        look_at: claimed.last.then_some(verify_at + pace.patience),
        ..outcome(claimed, event, now)
    }
}

/// The ticket is not the one that was decided on: read and decide again; the effect keeps its key and waits for that.
pub fn changed_meanwhile(claimed: &ClaimedEffect, now: Timestamp) -> EffectOutcome {
    if claimed.effect.conflicts + 1 >= CONFLICTS {
        let parked = outcome(claimed, EffectEvent::Park, now);
        let reason = format!("the ticket changed {CONFLICTS} times between our reading and our writing");
        return because(
            EffectOutcome { conflict: true, ..parked },
            reason,
            "look at what keeps changing it, then `handoffd parked retry`",
        );
    }
    if claimed.lost_at.is_some() {
        // What changed it may be our own first try, arrived late: that is looked up before anything is decided anew.
        let lost = outcome(claimed, EffectEvent::Lost(now + FIRST_LOOKUP), now);
        let reason = "the ticket changed since the first try, whose answer was lost: looked up";
        return because(EffectOutcome { conflict: true, ..lost }, reason, "nothing: it goes on by itself");
    }
    if !claimed.first {
        // What was sent stands: the check before the next try reads who changed what, and drops the rest or goes on.
        let again = outcome(claimed, EffectEvent::TryAgain(now + ONCE_MORE), now);
        let reason = "the ticket changed since our last call; read again";
        return EffectOutcome { conflict: true, reason: Some(reason.into()), ..again };
    }
    // The look that follows at once plans the effect anew; this is only the safety net behind it. What stands apart from
    // its handoff no look plans: it is tried again by itself.
    let later = now + if claimed.ended { ONCE_MORE } else { SignedDuration::from_mins(5) };
    EffectOutcome {
        conflict: true,
        look_at: (!claimed.ended).then_some(now),
        reason: Some("the ticket changed since it was read; read and decided again".into()),
        ..outcome(claimed, EffectEvent::TryAgain(later), now)
    }
}

/// The ticket changed before the customer's clock was let run again: a look tells whether that is still ours to do, and plans
/// it for the version that the ticket has now.
pub fn look_first(claimed: &ClaimedEffect, now: Timestamp) -> EffectOutcome {
    if claimed.effect.conflicts + 1 >= CONFLICTS {
        return changed_meanwhile(claimed, now);
    }
    EffectOutcome {
        conflict: true,
        look_at: Some(now),
        reason: Some("the ticket changed since it was read; read again".into()),
        ..outcome(claimed, EffectEvent::TryAgain(now + SignedDuration::from_mins(5)), now)
    }
}

/// The desk has no such queue any more: the look that follows at once decides where else the case goes. Trying again is only
/// the safety net behind it.
pub fn decided_without_its_queue(claimed: &ClaimedEffect, error: &DeskError, now: Timestamp) -> EffectOutcome {
    let again = outcome(claimed, EffectEvent::TryAgain(now + SignedDuration::from_mins(5)), now);
    let again = EffectOutcome { look_at: Some(now), ..again };
    because(again, error.to_string(), "nothing: the case is decided again, for the fallback of its route")
}

/// A pause came while it waited for its turn, and it has not left: no attempt, no failure. It goes out when the pause is over.
pub fn held_back(claimed: &ClaimedEffect, now: Timestamp) -> EffectOutcome {
    let reason = "paused while it waited for its turn: it was not sent";
    because(outcome(claimed, EffectEvent::HeldBack(now), now), reason, "nothing: it goes out once the pause is over")
}

/// A note or a label for a ticket that has ended meanwhile: nobody needs it any more.
pub fn moot(claimed: &ClaimedEffect, ending: &Ending, now: Timestamp) -> EffectOutcome {
    let why = format!("the ticket has ended ({ending:?})").to_lowercase();
    because(outcome(claimed, EffectEvent::Drop, now), why, "nothing: it takes no more notes")
}

/// Somebody decided otherwise between two calls: the rest is dropped, and one closing note says what was not done. Where the
/// case has not moved yet, that closes its path; or, where only a fact changed, the rule decides anew.
pub fn overtaken(
    claimed: &ClaimedEffect,
    why: &str,
    close: Option<ClosedBy>,
    capabilities: &Capabilities,
    head: &TicketHead,
    now: Timestamp,
) -> EffectOutcome {
    stopped(claimed, why, close, capabilities, head.ending.is_none(), now)
}

/// The same. `takes_notes`: whether the ticket can be told.
fn stopped(
    claimed: &ClaimedEffect,
    why: &str,
    close: Option<ClosedBy>,
    capabilities: &Capabilities,
    takes_notes: bool,
    now: Timestamp,
) -> EffectOutcome {
    let mut handoff = ends(claimed, HandoffEvent::Withdrawn, &format!("stopped halfway: {why}"));
    if takes_notes {
        let unmoved = matches!(&claimed.effect.write.change, DeskChange::Update(update) if update.queue.is_some());
        let next = match close {
            _ if !unmoved => "",
            Some(_) => " The rule acts here again when something that it matched has changed, or somebody asks for it.",
            None => " The rule decides again, by what the ticket says now.",
        };
        let (write, label, left) = (&claimed.effect.write, &claimed.effect.label, &claimed.left);
        handoff.closing_note = Some(plan::closing_note(write, label, left, (why, next), capabilities));
    }
    EffectOutcome {
        reason: Some(why.to_owned()),
        handoff: Some(handoff),
        close,
        look_at: Some(now),
        ..outcome(claimed, EffectEvent::Drop, now)
    }
}

/// A desk's failure to take a write.
pub fn failed(
    claimed: &ClaimedEffect,
    error: &DeskError,
    capabilities: &Capabilities,
    now: Timestamp,
    again: Timestamp,
    pace: Pace,
) -> EffectOutcome {
    if error.retry == Retry::Unsure {
        let lost = outcome(claimed, EffectEvent::Lost(now + FIRST_LOOKUP), now);
        let settle = capabilities.settle_time.as_secs();
        return because(
            lost,
            error.to_string(),
            format!("nothing: it is looked up before it is repeated (the desk settles within {settle} s)"),
        );
    }
    let outcome = match error.retry {
        Retry::Applied => applied_wrongly(claimed, error, now),
        Retry::Overruled => stopped(claimed, &error.words, Some(ClosedBy::Stopped), capabilities, true, now),
        _ => not_sent(claimed, error, now, again),
    };
    match (&claimed.effect.write.change, &outcome.event) {
        (DeskChange::Reply(_), EffectEvent::Park | EffectEvent::ParkApplied) => {
            let note = plan::correcting_note(&claimed.effect.write, &error.to_string(), capabilities);
            without_the_message(claimed, outcome, Some(note), pace)
        }
        _ => outcome,
    }
}

/// It stands on the desk, and not as it was meant: it waits for a person, and no later look takes it for one that was never
/// sent. A retry looks it up, and finds it.
fn applied_wrongly(claimed: &ClaimedEffect, error: &DeskError, now: Timestamp) -> EffectOutcome {
    let step = error.next_step.clone().unwrap_or_else(|| "look at the ticket on the desk".into());
    let then = match error.kind {
        // It covered what a person decided, and a person's decision ends ours: nothing more of it should follow.
        DeskErrorKind::Conflict => "`handoffd parked drop`, which ends it there",
        _ => "`handoffd parked retry`, which finds it there",
    };
    // What made one note public will make the next one public.
    let incident = (error.kind == DeskErrorKind::Leaked).then(|| error.words.clone());
    let parked = EffectOutcome { incident, ..outcome(claimed, EffectEvent::ParkApplied, now) };
    because(parked, error.to_string(), format!("{step}; then {then}"))
}

/// The message to the customer waits for a person: the handoff itself has been sent and goes on; a note takes back what
/// the first one announced.
fn without_the_message(
    claimed: &ClaimedEffect,
    outcome: EffectOutcome,
    note: Option<PlannedEffect>,
    pace: Pace,
) -> EffectOutcome {
    let handoff = HandoffHappening {
        handoff: claimed.effect.handoff.clone(),
        event: Some(HandoffEvent::Sent),
        detail: Some("the message to the customer waits for a person".into()),
        claimed: None,
        drop_effects: false,
        closing_note: note,
    };
    EffectOutcome {
        handoff: Some(handoff),
        verify_at: Some(outcome.at + pace.verify_after),
        look_at: Some(outcome.at + pace.verify_after + pace.patience),
        ..outcome
    }
}

/// A failure that is known to have changed nothing on the desk.
pub fn not_sent(claimed: &ClaimedEffect, error: &DeskError, now: Timestamp, again: Timestamp) -> EffectOutcome {
    let next_step = error.next_step.clone();
    let step = |otherwise: &str| next_step.clone().unwrap_or_else(|| otherwise.to_owned());
    let words = error.to_string();
    match error.kind {
        DeskErrorKind::Conflict => EffectOutcome { reason: Some(words), ..changed_meanwhile(claimed, now) },
        DeskErrorKind::Gone | DeskErrorKind::NotFound | DeskErrorKind::Hidden if claimed.first && !claimed.ended => {
            gone_at_first(claimed, words, step("look at the ticket on the desk, then `handoffd parked retry`"), now)
        }
        // Our own transfer may have taken the ticket out of our sight: what follows is left undone, and a person must know.
        DeskErrorKind::Hidden if !claimed.ended => because(
            outcome(claimed, EffectEvent::Park, now),
            words,
            format!("{}; then `handoffd parked retry`", step("let our account see the ticket again")),
        ),
        DeskErrorKind::Gone | DeskErrorKind::NotFound | DeskErrorKind::Hidden => EffectOutcome {
            handoff: Some(ends(claimed, HandoffEvent::Withdrawn, &words)),
            look_at: Some(now),
            ..because(
                outcome(claimed, EffectEvent::Refused, now),
                words,
                step("nothing: the ticket takes no more handoffs"),
            )
        },
        DeskErrorKind::Refused | DeskErrorKind::Leaked => because(
            outcome(claimed, EffectEvent::Park, now),
            words,
            step("repair what the desk names, then `handoffd parked retry`"),
        ),
        DeskErrorKind::Unauthorized | DeskErrorKind::Forbidden => {
            let event = if claimed.attempt >= REFUSED_RIGHTS {
                EffectEvent::Park
            } else {
                EffectEvent::TryAgain(again.max(now + SignedDuration::from_mins(1)))
            };
            let next = step("run `handoffd check --online` and grant what it names");
            let trouble = DeskTrouble {
                desk: claimed.effect.desk.clone(),
                what: words.clone(),
                next_step: next.clone(),
                since: now,
                writes_stopped: true,
            };
            EffectOutcome { trouble: Some(trouble), ..because(outcome(claimed, event, now), words, next) }
        }
        DeskErrorKind::Protocol if claimed.attempt >= USELESS_ANSWERS => because(
            outcome(claimed, EffectEvent::Park, now),
            words,
            step("look at the ticket: the desk's answers about it cannot be read; then `handoffd parked retry`"),
        ),
        DeskErrorKind::Held => held_back(claimed, now),
        DeskErrorKind::RateLimited | DeskErrorKind::Unavailable | DeskErrorKind::Protocol => because(
            outcome(claimed, EffectEvent::TryAgain(again), now),
            words,
            step("nothing: it is tried again by itself"),
        ),
    }
}

/// The desk says that the ticket takes no write, or is not there, and nothing of the handoff was sent. Whether that is so,
/// reading it tells: then the handoff ends with that reason. Where it reads as it did when this was decided, the desk
/// contradicts itself, and a person must look: deciding it again would go round in a circle.
fn gone_at_first(claimed: &ClaimedEffect, words: String, next_step: String, now: Timestamp) -> EffectOutcome {
    let event = match claimed.attempt {
        // The look that follows at once decides; this is only the safety net behind it.
        0 | 1 => EffectEvent::TryAgain(now + SignedDuration::from_mins(1)),
        _ => EffectEvent::Park,
    };
    EffectOutcome { look_at: Some(now), ..because(outcome(claimed, event, now), words, next_step) }
}

/// A lookup did not find it.
pub fn not_found(claimed: &ClaimedEffect, capabilities: &Capabilities, now: Timestamp) -> EffectOutcome {
    let settle = SignedDuration::try_from(capabilities.settle_time).unwrap_or(SignedDuration::from_mins(5));
    // What stood there in the wrong form lost no answer; its try counts.
    let settled_at = claimed.lost_at.or(claimed.effect.write.first_tried).unwrap_or(now) + settle;
    let missed = match claimed.effect.state {
        EffectState::Unsure { missed, .. } => missed,
        _ => 0,
    };
    let (event, reason) = if now < settled_at {
        (EffectEvent::LookupFailed(settled_at), "not there yet; that counts only after the desk's settle time")
    } else if missed == 0 {
        (
            EffectEvent::NotSeen(now + (settle / 2).max(SignedDuration::from_secs(5))),
            "not there after the settle time; looking once more",
        )
    } else if claimed.attempt >= USELESS_ANSWERS && tried_for(claimed, now) >= LONG_ENOUGH {
        let reason =
            format!("sent {} times, and each time the answer was lost and nothing was written", claimed.attempt);
        let step = "see what the desk has against this ticket, then `handoffd parked retry`";
        return because(outcome(claimed, EffectEvent::Park, now), reason, step);
    } else {
        (
            EffectEvent::Absent(now),
            "not there at the second look after the settle time: sent again, with the version of its first try",
        )
    };
    // After a conflict there is a newer ticket to decide on.
    let look_at = (claimed.effect.conflicts > 0 && matches!(event, EffectEvent::Absent(_))).then_some(now);
    EffectOutcome { look_at, ..because(outcome(claimed, event, now), reason, "nothing: it goes on by itself") }
}

/// How long ago the first try was.
fn tried_for(claimed: &ClaimedEffect, now: Timestamp) -> SignedDuration {
    claimed.effect.write.first_tried.map_or(SignedDuration::ZERO, |first| now.duration_since(first))
}

/// The desk cannot tell whether it is there.
pub fn cannot_tell(claimed: &ClaimedEffect, why: &str, now: Timestamp, pace: Pace) -> EffectOutcome {
    let reason = format!("the answer was lost, and this desk cannot tell whether it was written: {why}");
    let parked = because(
        outcome(claimed, EffectEvent::Park, now),
        reason,
        "look at the ticket, then `handoffd parked retry` or `handoffd parked drop`",
    );
    match claimed.effect.write.change {
        // It may have gone out: nothing is taken back.
        DeskChange::Reply(_) => without_the_message(claimed, parked, None, pace),
        _ => parked,
    }
}

/// The lookup itself failed.
pub fn lookup_failed(claimed: &ClaimedEffect, error: &DeskError, now: Timestamp, again: Timestamp) -> EffectOutcome {
    match error.kind {
        DeskErrorKind::Hidden => {
            let step = error.next_step.clone().unwrap_or_else(|| "let our account see the ticket again".into());
            let reason = format!("the answer was lost, and it cannot be looked up: {error}");
            because(outcome(claimed, EffectEvent::Park, now), reason, format!("{step}; then `handoffd parked retry`"))
        }
        // A ticket that is not there now may have been written to before it went, and may come back: a right, a merge undone.
        DeskErrorKind::NotFound | DeskErrorKind::Gone => {
            let reason = format!("the answer was lost, and the ticket cannot be seen any more: {error}");
            let step =
                "look at the ticket; `handoffd parked retry` looks it up again, `handoffd parked drop` gives it up";
            because(outcome(claimed, EffectEvent::Park, now), reason, step)
        }
        DeskErrorKind::Unauthorized | DeskErrorKind::Forbidden => {
            let later = again.max(now + SignedDuration::from_mins(1));
            let failed = outcome(claimed, EffectEvent::LookupFailed(later), now);
            let trouble = DeskTrouble::of(&claimed.effect.desk, error, now);
            let trouble = trouble.map(|trouble| DeskTrouble { writes_stopped: true, ..trouble });
            let step = error.next_step.clone().unwrap_or_else(|| "run `handoffd check --online`".into());
            EffectOutcome { trouble, ..because(failed, error.to_string(), step) }
        }
        DeskErrorKind::Protocol if failed_lookups(claimed) + 1 >= USELESS_ANSWERS => because(
            outcome(claimed, EffectEvent::Park, now),
            error.to_string(),
            "look at the ticket: the desk's answers about it cannot be read; then `handoffd parked retry` or `handoffd parked drop`",
        ),
        _ => because(
            outcome(claimed, EffectEvent::LookupFailed(again), now),
            error.to_string(),
            "nothing: it is looked up again",
        ),
    }
}

/// Lookups in a row that told nothing.
pub fn failed_lookups(claimed: &ClaimedEffect) -> u32 {
    match claimed.effect.state {
        EffectState::Unsure { failed, .. } => failed,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::samples::{at, claim, decide, ledger, sending};

    #[test]
    fn a_ticket_that_is_gone_for_a_first_write_is_read_before_anything_is_concluded() {
        let mut ledger = ledger();
        decide(&mut ledger, sending("h1", "1", "v1"), at(0));
        let claimed = claim(&mut ledger, at(1)).expect("due");
        let gone = DeskError::new(DeskErrorKind::Gone, Retry::Never, "update").words("closed");
        let first = not_sent(&claimed, &gone, at(2), at(3));
        assert!(matches!(first.event, EffectEvent::TryAgain(again) if again > at(2)) && first.handoff.is_none());
        assert_eq!(first.look_at, Some(at(2)));
        let again = not_sent(&ClaimedEffect { attempt: 2, ..claimed.clone() }, &gone, at(4), at(5));
        assert_eq!((again.event, again.look_at), (EffectEvent::Park, Some(at(4))));
        assert!(again.reason.is_some_and(|words| words.contains("closed")) && again.next_step.is_some());

        let later = not_sent(&ClaimedEffect { first: false, ..claimed }, &gone, at(2), at(3));
        assert_eq!(later.event, EffectEvent::Refused, "what was sent before stays, and nothing more follows");
        assert_eq!(later.handoff.and_then(|handoff| handoff.event), Some(HandoffEvent::Withdrawn));
    }

    #[test]
    fn a_ticket_out_of_sight_parks_what_was_begun() {
        let mut ledger = ledger();
        decide(&mut ledger, sending("h1", "1", "v1"), at(0));
        let first = claim(&mut ledger, at(1)).expect("due");
        let hidden = DeskError::new(DeskErrorKind::Hidden, Retry::Never, "read head").next_step("grant ShowTicket");
        let again = not_sent(&first, &hidden, at(2), at(3));
        assert!(matches!(again.event, EffectEvent::TryAgain(_)) && again.look_at.is_some(), "the look ends it");

        let later = ClaimedEffect { first: false, ..first };
        for stopped in [not_sent(&later, &hidden, at(2), at(3)), lookup_failed(&later, &hidden, at(2), at(3))] {
            assert_eq!((&stopped.event, stopped.handoff.is_none()), (&EffectEvent::Park, true));
            assert!(stopped.next_step.is_some_and(|step| step.starts_with("grant ShowTicket; then")));
        }
    }

    #[test]
    fn what_covered_a_person_s_change_waits_for_a_person_and_says_so() {
        let mut ledger = ledger();
        decide(&mut ledger, sending("h1", "1", "v1"), at(0));
        let claimed = claim(&mut ledger, at(1)).expect("due");
        let covers = DeskError::new(DeskErrorKind::Conflict, Retry::Applied, "apply write").words("theirs is gone");
        let parked = applied_wrongly(&claimed, &covers, at(2));
        assert_eq!((parked.event, parked.conflict), (EffectEvent::ParkApplied, false));
        assert!(parked.reason.is_some_and(|words| words.contains("theirs is gone")));
        assert!(parked.next_step.is_some_and(|step| step.contains("parked drop")));
    }

    #[test]
    fn a_conflict_is_decided_anew_unless_an_earlier_try_may_have_caused_it() {
        let mut ledger = ledger();
        decide(&mut ledger, sending("h1", "1", "v1"), at(0));
        let claimed = claim(&mut ledger, at(1)).expect("due");
        let anew = changed_meanwhile(&claimed, at(2));
        assert!(matches!((&anew.event, anew.look_at), (EffectEvent::TryAgain(_), Some(_))));

        let later = changed_meanwhile(&ClaimedEffect { first: false, ..claimed.clone() }, at(2));
        assert_eq!((later.event, later.conflict, later.look_at), (EffectEvent::TryAgain(at(3)), true, None));

        let doubtful = ClaimedEffect { lost_at: Some(at(1)), ..claimed };
        let lookup = changed_meanwhile(&doubtful, at(2));
        assert_eq!((lookup.event, lookup.conflict, lookup.look_at), (EffectEvent::Lost(at(4)), true, None));
    }
}
