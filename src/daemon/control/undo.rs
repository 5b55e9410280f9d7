//! A person's undo: the case goes back where the handoff took it from, with a note, as long as nobody has acted on it since.
//! What a person did after the handoff is theirs: then there is nothing for us to undo.

use super::approve::{read, read_history, station};
use super::{CommandError, Reply};
use crate::cases::stays::shown;
use crate::daemon::house::House;
use crate::ledger::Act;
use crate::ledger::records::HandoffRecord;
use crate::ledger::states::{EffectState, HandoffState};
use crate::plan::compare::as_left;
use crate::plan::{self, Undo, carries_out};
use handoffd_kit::model::{Actor, Change, Role, TicketHead, What};

pub(super) async fn undo(house: &House, id: &str, act: Act) -> Result<Reply, CommandError> {
    let asked = id.to_owned();
    let handoff = house.ledger.call(move |ledger| ledger.handoff(&asked)).await?;
    can_be_undone(&handoff)?;
    let proposal = &handoff.proposal;
    let Some(queue) = proposal.from_queue.clone() else {
        return Err(CommandError::Refused(format!(
            "{id} took the case out of no queue: there is none to put it back to"
        )));
    };
    let station = station(house, &proposal.desk)?;
    let mut read = read(house, station, proposal).await?;
    read_history(house, station, &mut read).await?;
    let history = read.parts.history.as_deref();
    if let Some(who) = somebody_acted(&handoff, &read.head, history) {
        let words = format!("{id} is not undone: {who}. Move the case on the desk instead, if it should go back");
        return Err(CommandError::Refused(words));
    }
    let back = Undo { by: &act.by, reason: act.reason.as_deref(), paused: handoff.paused_by(), now: act.at };
    let effects = plan::undo(proposal, id, station.desk.capabilities(), &read.head, &back);
    let touched = effects.len();
    let asked = id.to_owned();
    house.ledger.call(move |ledger| ledger.record_undo(&asked, &effects, &act)).await?;
    let back = proposal.from.as_ref().map_or_else(|| queue.name.clone().unwrap_or_default(), ToString::to_string);
    let said = format!(
        "{id} is undone: {}/{} goes back to {back} with a note, and this path is closed for the case",
        proposal.desk, proposal.ticket
    );
    Ok(Reply::new(said, touched))
}

fn can_be_undone(handoff: &HandoffRecord) -> Result<(), CommandError> {
    let id = &handoff.id;
    let words = match handoff.state {
        HandoffState::Verifying | HandoffState::Settled => return Ok(()),
        HandoffState::InReview | HandoffState::Asking => {
            format!("{id} has sent nothing yet: `handoffd reviews reject {id}` ends it")
        }
        HandoffState::Sending => {
            format!("{id} is being sent: wait until it is done, or look at `handoffd parked list` for what holds it up")
        }
        state => format!("{id} is over already ({}): there is nothing to undo", state.name()),
    };
    Err(CommandError::Refused(words))
}

/// Who has acted on the case since we handed it off, in words.
fn somebody_acted(handoff: &HandoffRecord, head: &TicketHead, history: Option<&[Change]>) -> Option<String> {
    if let Some(ending) = &head.ending {
        return Some(format!("the ticket has ended ({ending:?})"));
    }
    if let Some((at, who)) = &handoff.claimed {
        return Some(format!("{who} has taken it on ({at})"));
    }
    let done = handoff.effects.iter().filter(|effect| effect.state == EffectState::Done);
    if let Some(difference) = as_left(done.map(|effect| &effect.write.change), head).first() {
        return Some(format!("the ticket is not as we left it: {difference}"));
    }
    let change = since_ours(handoff, history?).iter().find(|change| is_an_act(change))?;
    Some(format!("{} has acted on it since", shown(&change.by)))
}

/// What came after the last change that carried this handoff out. Without one, nothing counts as since.
fn since_ours<'a>(handoff: &HandoffRecord, history: &'a [Change]) -> &'a [Change] {
    let ours = |change: &Change| {
        change.mark.as_ref().is_some_and(|mark| mark.handoff == handoff.id && carries_out(mark.number))
    };
    history.iter().rposition(ours).map_or(&[], |last| &history[last + 1..])
}

fn is_an_act(change: &Change) -> bool {
    let acts = |what: &What| {
        matches!(
            what,
            What::Queue { .. } | What::Owner { .. } | What::Status { .. } | What::Said { .. } | What::Merged { .. }
        )
    };
    change.by.role == Role::Agent && change.actor != Actor::Automation && change.what.iter().any(acts)
}
