//! A reminder that was decided and is not on the desk yet: it goes out for the ticket as it is then. Pure.

use crate::ledger::records::{EffectRecord, HandoffRecord, Purpose};
use crate::ledger::states::EffectState;
use crate::plan::PlannedEffect;
use handoffd_kit::desk::Write;
use handoffd_kit::model::TicketHead;

/// The reminder of a handoff that is still to go out.
pub(super) fn to_come(handoff: &HandoffRecord) -> Option<&EffectRecord> {
    let waits =
        |effect: &&EffectRecord| effect.purpose == Purpose::Reminder && matches!(effect.state, EffectState::Due { .. });
    handoff.effects.iter().find(waits)
}

/// The same reminder, decided on the ticket as it is now; none: it was decided on that already.
pub(super) fn anew(reminder: &EffectRecord, head: &TicketHead) -> Option<PlannedEffect> {
    if reminder.write.expected.as_ref() == Some(&head.version) {
        return None;
    }
    let write = Write { first_tried: None, ..reminder.write.clone() };
    let mut anew = PlannedEffect { number: reminder.number, label: reminder.label.clone(), write };
    anew.write.decide_on(head);
    Some(anew)
}
