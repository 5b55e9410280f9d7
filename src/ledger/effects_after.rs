//! When the last effect of a handoff is over, however it ended, the handoff goes on.

use super::codec::millis;
use super::error::Result;
use super::open::Ledger;
use super::people::Act;
use super::records::HandoffHappening;
use super::states::{EffectState, HandoffEvent};
use jiff::Timestamp;
use rusqlite::params;

/// After a person gave an effect up: with nothing left to send, the handoff is verified if anything reached the desk, and
/// withdrawn if nothing did.
pub(super) fn settle_if_over(ledger: &mut Ledger, id: &str, act: &Act) -> Result<()> {
    let handoff = ledger.handoff(id)?;
    let over = handoff.effects.iter().all(|effect| effect.state.is_over());
    if !over || handoff.state.after(HandoffEvent::Sent).is_err() {
        return Ok(());
    }
    let any = handoff.effects.iter().any(|effect| effect.state == EffectState::Done);
    let event = if any { HandoffEvent::Sent } else { HandoffEvent::Withdrawn };
    let happening = HandoffHappening {
        handoff: id.to_owned(),
        event: Some(event),
        detail: Some(format!("the rest was given up by {}", act.by)),
        claimed: None,
        drop_effects: false,
        closing_note: None,
    };
    ledger.happen(&happening, act.at)?;
    if any {
        was_sent(ledger, id, act.at, act.at)?;
        ledger.wait_to_look(&handoff.proposal.desk, &handoff.proposal.ticket, act.at)?;
    }
    Ok(())
}

/// A handoff has sent what it could: it is compared again at `verify_at`; the caller notes the look.
pub(super) fn was_sent(ledger: &mut Ledger, id: &str, at: Timestamp, verify_at: Timestamp) -> Result<()> {
    ledger.connection.execute(
        "UPDATE handoffs SET sent_at = ?, verify_at = ? WHERE id = ?",
        params![millis(at), millis(verify_at), id],
    )?;
    Ok(())
}
