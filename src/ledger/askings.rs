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

#[cfg(test)]
mod tests {
    use crate::ledger::Ledger;
    use crate::ledger::records::{AskingOver, CaseUpdate, HandoffHappening, NewHandoff, Recorded};
    use crate::ledger::samples::{accepted, at, claim, decide, ledger, nothing_found, sending};
    use crate::ledger::states::{EffectState, HandoffEvent, HandoffState};
    use crate::plan::asking::{ASK_TAG, END_TAG};
    use crate::policy::command::ASKING;
    use handoffd_kit::desk::DeskChange;
    use jiff::Timestamp;

    /// A handoff that is to set its label.
    fn asking(id: &str) -> NewHandoff {
        let mut new = sending(id, "1", "v1");
        new.effects.truncate(1);
        let label = &mut new.effects[0];
        label.number = ASK_TAG;
        label.write.mark.number = ASK_TAG;
        label.write.change = DeskChange::Tags { add: vec![ASKING.to_owned()], remove: Vec::new() };
        NewHandoff { state: HandoffState::Asking, ask_until: Some(at(600)), ..new }
    }

    /// The look that ends it.
    fn over(id: &str, now: Timestamp) -> CaseUpdate {
        let event = HandoffHappening {
            handoff: id.into(),
            event: Some(HandoffEvent::Withdrawn),
            detail: None,
            claimed: None,
            drop_effects: true,
            closing_note: None,
        };
        let asking_over = Some(AskingOver { handoff: id.into(), why: None, note_max_bytes: 4_000 });
        CaseUpdate { handoff_events: vec![event], asking_over, ..nothing_found("1", now) }
    }

    fn label_set(ledger: &mut Ledger, now: Timestamp) {
        let label = claim(ledger, now).expect("the label is due");
        ledger.record_outcome(&accepted(&label, "v2", now)).expect("recorded");
    }

    fn effects(ledger: &Ledger, id: &str) -> Vec<(u32, EffectState)> {
        let effects = ledger.handoff(id).expect("there").effects;
        effects.into_iter().map(|effect| (effect.number, effect.state)).collect()
    }

    #[test]
    fn a_label_that_was_set_while_the_case_was_looked_at_is_taken_back() {
        let mut ledger = ledger();
        decide(&mut ledger, asking("h1"), at(0));
        let found = over("h1", at(2));
        label_set(&mut ledger, at(1));
        assert_eq!(ledger.record_case(&found), Ok(Recorded::Whole));
        assert_eq!(effects(&ledger, "h1").pop(), Some((END_TAG, EffectState::Due { at: at(2), attempt: 0 })));
    }

    #[test]
    fn a_label_that_was_never_set_needs_no_taking_back() {
        let mut ledger = ledger();
        decide(&mut ledger, asking("h1"), at(0));
        assert_eq!(ledger.record_case(&over("h1", at(2))), Ok(Recorded::Whole));
        assert_eq!(effects(&ledger, "h1"), [(ASK_TAG, EffectState::Dropped)]);
        let seen = CaseUpdate { says_asked: true, ..nothing_found("1", at(3)) };
        assert_eq!(ledger.record_case(&seen), Ok(Recorded::Whole));
        assert_eq!(effects(&ledger, "h1"), [(ASK_TAG, EffectState::Dropped)], "somebody else has set it");
    }

    #[test]
    fn a_label_that_was_left_is_taken_back_once_and_never_while_somebody_is_asked() {
        let mut ledger = ledger();
        decide(&mut ledger, asking("h1"), at(0));
        label_set(&mut ledger, at(1));
        let seen = |now| CaseUpdate { says_asked: true, ..nothing_found("1", now) };
        assert_eq!(ledger.record_case(&seen(at(2))), Ok(Recorded::Whole));
        assert_eq!(effects(&ledger, "h1").len(), 1, "somebody is asked");
        // It ends on a ticket that cannot be written to.
        assert_eq!(ledger.record_case(&CaseUpdate { asking_over: None, ..over("h1", at(3)) }), Ok(Recorded::Whole));
        assert_eq!(effects(&ledger, "h1").len(), 1);
        for again in [at(4), at(5)] {
            assert_eq!(ledger.record_case(&seen(again)), Ok(Recorded::Whole));
            assert_eq!(effects(&ledger, "h1").pop(), Some((END_TAG, EffectState::Due { at: at(4), attempt: 0 })));
        }
    }
}
