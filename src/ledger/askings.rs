//! The end of an asking: what would still ask is dropped, and what asked on the ticket is taken back there.

use super::error::Result;
use super::open::Ledger;
use super::records::{AskingOver, EffectRecord, HandoffRecord, Purpose};
use super::states::EffectState;
use crate::plan;
use crate::plan::asking::{ASK_TAG, Asking, END_TAG, SHORT_NOTE_BYTES};
use handoffd_kit::desk::DeskChange;
use handoffd_kit::id::{DeskId, TicketId};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

impl Ledger {
    /// A handoff no longer asks for package parts: what would ask is not wanted any more. What may be on the desk already is
    /// looked up all the same.
    pub(super) fn drop_asking(&mut self, handoff: &str, reason: Option<&str>) -> Result<()> {
        for effect in self.effects_of(handoff)? {
            let waits = matches!(effect.state, EffectState::Due { .. } | EffectState::Parked { .. });
            if effect.purpose == Purpose::Asking && waits {
                self.drop_one(&effect, reason)?;
            }
        }
        Ok(())
    }

    /// What asked on the ticket is taken back there.
    pub(super) fn say_not_asked(&mut self, over: &AskingOver, at: Timestamp) -> Result<()> {
        let handoff = self.handoff(&over.handoff)?;
        let (labelled, noted) = handoff.asked_on_ticket();
        let asking = Asking { proposal: &handoff.proposal, id: &handoff.id, note_max_bytes: over.note_max_bytes };
        let effects = asking.end(labelled, over.why.as_deref().filter(|_| noted));
        self.add_effects(&handoff.id, &effects, Purpose::Asking, at)
    }

    /// The ticket says that somebody is asked. Where nobody is, an asking ended while the ticket could not be written to:
    /// it was closed or hidden then. The label is taken back now, once.
    pub(super) fn take_label_back(&mut self, desk: &DeskId, ticket: &TicketId, at: Timestamp) -> Result<()> {
        let left: Option<String> = self
            .connection
            .prepare_cached(
                "SELECT id FROM handoffs WHERE desk = ?1 AND ticket = ?2 AND state != 'asking'
                     AND EXISTS (SELECT 1 FROM effects WHERE handoff = handoffs.id AND number = ?3 AND state = 'done')
                     AND NOT EXISTS (SELECT 1 FROM effects WHERE handoff = handoffs.id AND number = ?4)
                     AND NOT EXISTS (SELECT 1 FROM handoffs WHERE desk = ?1 AND ticket = ?2 AND state = 'asking')
                 ORDER BY created_at DESC LIMIT 1",
            )?
            .query_row(params![desk.as_str(), ticket.as_str(), ASK_TAG, END_TAG], |row| row.get(0))
            .optional()?;
        let Some(handoff) = left else { return Ok(()) };
        self.say_not_asked(&AskingOver { handoff, why: None, note_max_bytes: SHORT_NOTE_BYTES }, at)
    }
}

impl HandoffRecord {
    /// Whether the label of an asking stands on the ticket, or may, and whether its note does.
    pub fn asked_on_ticket(&self) -> (bool, bool) {
        let reached = |effect: &&EffectRecord| {
            effect.purpose == Purpose::Asking && plan::asks(effect.number) && !effect.is_untouched()
        };
        let labels = |effect: &EffectRecord| matches!(effect.write.change, DeskChange::Tags { .. });
        let (labelled, noted): (Vec<_>, Vec<_>) =
            self.effects.iter().filter(reached).partition(|effect| labels(effect));
        (!labelled.is_empty(), !noted.is_empty())
    }
}
