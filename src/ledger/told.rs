//! When a customer was last written to in another of their cases: one who has two cases is told once. Who a case is of says
//! `cases.customer`, so it goes with that when their text is erased.

use super::codec::instant;
use super::error::Result;
use super::open::Ledger;
use super::records::CaseUpdate;
use crate::plan::CUSTOMER_MESSAGE;
use crate::policy::case::ToldElsewhere;
use handoffd_kit::desk::DeskChange;
use handoffd_kit::id::{DeskId, TicketId, UserId};
use rusqlite::{OptionalExtension, params};

impl Ledger {
    /// What this customer of a desk was last told, or is about to be told, in other cases than this one.
    ///
    /// # Errors
    /// SQLite's.
    pub fn told_elsewhere(
        &self,
        desk: &DeskId,
        customer: &UserId,
        but_for: &TicketId,
    ) -> Result<Option<ToldElsewhere>> {
        let key = params![desk.as_str(), customer.as_str(), but_for.as_str()];
        let mut waits = self.connection.prepare_cached(&format!(
            "SELECT c.ticket FROM cases c
             JOIN handoffs h ON h.desk = c.desk AND h.ticket = c.ticket AND h.state = 'sending'
             JOIN effects e ON e.handoff = h.id AND e.label = '{CUSTOMER_MESSAGE}' AND e.state IN ('due', 'in_flight', 'unsure')
             WHERE c.desk = ?1 AND c.customer = ?2 AND c.ticket <> ?3 ORDER BY c.ticket LIMIT 1"
        ))?;
        let ticket = |text: String| TicketId::new(text);
        if let Some(waits) = waits.query_row(key, |row| row.get(0)).optional()? {
            return Ok(Some(ToldElsewhere { ticket: ticket(waits), at: None }));
        }
        let mut told = self.connection.prepare_cached(
            "SELECT ticket, last_public FROM cases WHERE desk = ?1 AND customer = ?2 AND ticket <> ?3 AND last_public IS NOT NULL
             ORDER BY last_public DESC LIMIT 1",
        )?;
        let last = told
            .query_row(key, |row| Ok(ToldElsewhere { ticket: ticket(row.get(0)?), at: Some(instant(row.get(1)?)) }));
        Ok(last.optional()?)
    }

    /// Whether the customer of a case that is about to write to them was told something in another case since it was looked
    /// at.
    pub(super) fn told_meanwhile(&self, update: &CaseUpdate) -> Result<bool> {
        let (Some(handoff), Some(customer)) = (&update.handoff, &update.customer) else { return Ok(false) };
        let tells = handoff.effects.iter().any(|effect| matches!(effect.write.change, DeskChange::Reply(_)));
        Ok(tells && self.told_elsewhere(&update.desk, customer, &update.ticket)? != update.told_elsewhere)
    }
}

#[cfg(test)]
mod tests {
    use super::super::people::Act;
    use super::super::records::Recorded;
    use super::super::samples::{accepted, at, claim, ledger, nothing_found, sending};
    use super::*;
    use crate::ledger::PersonWanted;

    /// A case of the customer's that hands off, with a word to them.
    fn tells(ticket: &str, customer: &str, second: i64) -> CaseUpdate {
        let handoff = Some(sending(&format!("h{ticket}"), ticket, "v1"));
        CaseUpdate { customer: Some(customer.into()), handoff, ..nothing_found(ticket, at(second)) }
    }

    fn told(ledger: &Ledger, customer: &str, but_for: &str) -> Option<(String, Option<jiff::Timestamp>)> {
        let told = ledger.told_elsewhere(&"acme".into(), &customer.into(), &but_for.into()).expect("told");
        told.map(|told| (told.ticket.to_string(), told.at))
    }

    #[test]
    fn a_customer_with_two_cases_is_known_in_both_as_long_as_they_are_not_forgotten() {
        let mut ledger = ledger();
        assert_eq!(ledger.record_case(&tells("1", "c-1", 0)).expect("recorded"), Recorded::Whole);
        assert_eq!(told(&ledger, "c-1", "2"), Some(("1".into(), None)), "about to be told");
        assert_eq!((told(&ledger, "c-1", "1"), told(&ledger, "c-2", "2")), (None, None));
        // A second case that was decided before the first one was recorded is decided again.
        assert_eq!(ledger.record_case(&tells("2", "c-1", 1)).expect("recorded"), Recorded::Outrun);
        for second in [2, 3] {
            let claimed = claim(&mut ledger, at(second)).expect("due");
            assert_eq!(claimed.effect.handoff, "h1");
            ledger.record_outcome(&accepted(&claimed, "v2", at(second))).expect("recorded");
        }
        assert_eq!(told(&ledger, "c-1", "2"), Some(("1".into(), Some(at(3)))));
        assert_eq!(ledger.record_case(&tells("3", "c-2", 4)).expect("recorded"), Recorded::Whole);
        let act = Act { by: "privacy".into(), reason: None, at: at(9) };
        let person = PersonWanted::Id { desk: "acme".into(), id: "c-1".into() };
        assert_eq!(ledger.forget(&person, &act).expect("forgotten").cases, 1);
        assert_eq!(told(&ledger, "c-1", "2"), None);
        assert!(ledger.cases_of(&person).expect("listed").is_empty(), "nor is it known whose case it was");
    }
}
