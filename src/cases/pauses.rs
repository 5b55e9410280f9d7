//! A pause of the customer's clock that a handoff of ours began: whether it goes on, is over, or is ended now. Pure.
//!
//! A person's status is theirs: whoever has set one since decides how long it stays, and nothing is set back.

use super::examine::Look;
use super::stays::shown;
use crate::ledger::records::{PauseRecord, PauseUpdate};
use crate::plan::pause::{Ended, Why, resume};
use crate::policy::proposal::HandoffKind;
use handoffd_kit::model::{Actor, Change, Role, Status, What};
use jiff::{SignedDuration, Timestamp};

/// A desk that does not say a ticket's status is asked again so soon.
const AGAIN: SignedDuration = SignedDuration::from_mins(5);

/// What a look finds about a pause.
pub enum Found {
    /// The history must be read to tell.
    NeedHistory,
    /// It goes on; look again then.
    GoesOn(Timestamp),
    /// It is over, or ended now.
    Ends(PauseUpdate),
}

/// Judges a pause by what the ticket looks like now. `readable`: whether reading the history could help.
pub fn judge(pause: &PauseRecord, look: &Look<'_>, readable: bool) -> Found {
    let handoff = pause.mark.handoff.clone();
    let over = |why: String| Found::Ends(PauseUpdate::Over { handoff: handoff.clone(), why });
    if let Some(ending) = &look.head.ending {
        return over(format!("the ticket has ended ({ending:?})").to_lowercase());
    }
    match look.head.status.known() {
        None => return Found::GoesOn(pause.until.max(look.now + AGAIN)),
        Some(Status::Solved | Status::Closed) => return over("the case is solved".to_owned()),
        Some(status) if *status != pause.means => return over(format!("its status is {} now", status.name())),
        Some(_) => {}
    }
    let why = match given_back(pause, look) {
        true => Why::GivenBack,
        false if look.now < pause.until => return Found::GoesOn(pause.until),
        false => Why::Longest,
    };
    let untouched = look.record.own_version.as_ref() == Some(&look.head.version);
    match look.parts.history.as_deref() {
        None if untouched => {}
        None if readable => return Found::NeedHistory,
        None => return over("the ticket was changed, and this desk does not say by whom".to_owned()),
        Some(history) => {
            if let Some(theirs) = set_by_somebody_else(history) {
                return over(format!("{} has set the status since", shown(&theirs.by)));
            }
        }
    }
    let Some(pausing) = look.capabilities.pausing(&pause.word) else {
        return over(format!("the desk has no status {} any more", pause.word));
    };
    let ended = Ended { mark: &pause.mark, pausing, before: pause.before, since: pause.since, why };
    let effects = resume(&ended, look.head, look.now, look.capabilities);
    Found::Ends(PauseUpdate::Resume { handoff, effects })
}

/// Whether the case was given back since, or came back because nobody took it on: it lies again where the pause began.
fn given_back(pause: &PauseRecord, look: &Look<'_>) -> bool {
    look.record.handoff.as_ref().is_some_and(|last| {
        let sent = last.sent_at.is_some_and(|sent| pause.since <= sent);
        matches!(last.proposal.kind, HandoffKind::Back | HandoffKind::Unclaimed) && sent
    })
}

/// The latest change of the status, unless it is ours.
fn set_by_somebody_else(history: &[Change]) -> Option<&Change> {
    let sets = |change: &&Change| change.what.iter().any(|what| matches!(what, What::Status { .. }));
    let ours = |change: &Change| change.by.role == Role::Us || change.actor == Actor::Us;
    history.iter().rev().find(sets).filter(|last| !ours(last))
}
