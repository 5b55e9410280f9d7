//! Places in the hour: how many handoffs a rule and a desk may begin, and who waits for one, first come first served.
//!
//! A case that waits has a look at the instant at which its place becomes free, and not before: a freed place costs one
//! read. Whoever leaves the queue without taking a place leaves it to the next in line.

use super::codec::{instant, millis};
use super::error::Result;
use super::open::Ledger;
use super::records::CaseUpdate;
use super::states::HandoffState;
use crate::policy::case::Recent;
use crate::policy::hold::full;
use crate::policy::names::RuleName;
use crate::policy::rules::Limits;
use handoffd_kit::id::{DeskId, TicketId};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, params};

const HOUR: SignedDuration = SignedDuration::from_hours(1);

/// What a handoff that began within the hour counts by: it may have been withdrawn before anything was sent.
const COUNTED: &str = "started_at > ?1 AND (state <> 'withdrawn' OR first_sent_at IS NOT NULL)";

impl Ledger {
    /// Handoffs of the last hour: what the limits count. A rule's count wherever they are.
    ///
    /// # Errors
    /// SQLite's.
    pub fn recent(&self, desk: &DeskId, now: Timestamp) -> Result<Recent> {
        self.counted(desk, now, None)
    }

    /// The same for one case, with those that wait before it. A review counts from its approval on, and a handoff that is
    /// still being decided not against itself.
    pub(super) fn recent_for(
        &self,
        desk: &DeskId,
        ticket: &TicketId,
        now: Timestamp,
        deciding: Option<&str>,
    ) -> Result<Recent> {
        let mut recent = self.counted(desk, now, deciding)?;
        let place = self.place_in_queue(desk, ticket)?.map_or(i64::MAX, |(id, ..)| id);
        let mut statement = self.connection.prepare_cached(
            "SELECT rule, count(*), sum(by_desk) FROM place_waits WHERE desk = ? AND id < ? GROUP BY rule",
        )?;
        let mut rows = statement.query(params![desk.as_str(), place])?;
        while let Some(row) = rows.next()? {
            recent.ahead.insert(RuleName::new(row.get::<_, String>(0)?), row.get(1)?);
            recent.ahead_on_desk += row.get::<_, u32>(2)?;
        }
        Ok(recent)
    }

    fn counted(&self, desk: &DeskId, now: Timestamp, deciding: Option<&str>) -> Result<Recent> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT rule, desk, count(*) FROM handoffs WHERE {COUNTED} AND id IS NOT ?2 GROUP BY rule, desk"
        ))?;
        let mut rows = statement.query(params![millis(now - HOUR), deciding])?;
        let mut recent = Recent::default();
        while let Some(row) = rows.next()? {
            let (on, count): (String, u32) = (row.get(1)?, row.get(2)?);
            *recent.by_rule.entry(RuleName::new(row.get::<_, String>(0)?)).or_default() += count;
            if on == desk.as_str() {
                recent.on_desk += count;
            }
        }
        Ok(recent)
    }

    /// Whether a handoff that is about to begin needs a place and there is none: looks that are worked at once have all
    /// counted before any of them was recorded.
    pub(super) fn lacks_place(&self, update: &CaseUpdate) -> Result<bool> {
        let Some(handoff) = &update.handoff else { return Ok(false) };
        if !handoff.needs_place || handoff.state != HandoffState::Sending {
            return Ok(false);
        }
        let deciding = handoff.replaces.as_ref().unwrap_or(&handoff.id);
        let recent = self.recent_for(&update.desk, &update.ticket, update.at, Some(deciding))?;
        let full = full(&handoff.proposal.rule, &recent, &update.limits);
        Ok(full.rule || full.desk)
    }

    /// The case waits for a place, behind those that wait already, and is looked at when its own is free.
    pub(super) fn queue_for_place(
        &mut self,
        desk: &DeskId,
        ticket: &TicketId,
        rule: &RuleName,
        limits: &Limits,
        now: Timestamp,
    ) -> Result<()> {
        let by_desk = full(rule, &self.recent_for(desk, ticket, now, None)?, limits).desk;
        self.connection
            .prepare_cached(
                "INSERT INTO place_waits (desk, ticket, rule, by_desk) VALUES (?, ?, ?, ?)
                 ON CONFLICT (desk, ticket) DO UPDATE SET rule = excluded.rule, by_desk = excluded.by_desk",
            )?
            .execute(params![desk.as_str(), ticket.as_str(), rule.as_str(), by_desk])?;
        let free = self.place_free_at(desk, ticket, rule, limits, now)?;
        self.wait_to_look(desk, ticket, free)
    }

    /// The case waits for no place any more; the first of those behind it moves up.
    ///
    /// # Errors
    /// SQLite's.
    pub fn leave_queue(&mut self, desk: &DeskId, ticket: &TicketId, limits: &Limits, now: Timestamp) -> Result<()> {
        let Some((id, rule, by_desk)) = self.place_in_queue(desk, ticket)? else { return Ok(()) };
        self.connection.prepare_cached("DELETE FROM place_waits WHERE id = ?")?.execute([id])?;
        let next: Vec<(TicketId, RuleName)> = {
            let mut statement = self.connection.prepare_cached(
                "SELECT ticket, rule FROM place_waits WHERE id IN (
                     (SELECT min(id) FROM place_waits WHERE desk = ?1 AND rule = ?2),
                     (SELECT min(id) FROM place_waits WHERE desk = ?1 AND by_desk <> 0 AND ?3))",
            )?;
            let rows = statement.query_map(params![desk.as_str(), rule.as_str(), by_desk], |row| {
                Ok((TicketId::new(row.get::<_, String>(0)?), RuleName::new(row.get::<_, String>(1)?)))
            })?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        for (ticket, rule) in next {
            let free = self.place_free_at(desk, &ticket, &rule, limits, now)?;
            self.wait_to_look(desk, &ticket, free)?;
        }
        Ok(())
    }

    fn place_in_queue(&self, desk: &DeskId, ticket: &TicketId) -> Result<Option<(i64, RuleName, bool)>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id, rule, by_desk FROM place_waits WHERE desk = ? AND ticket = ?")?;
        let row = statement.query_row([desk.as_str(), ticket.as_str()], |row| {
            Ok((row.get(0)?, RuleName::new(row.get::<_, String>(1)?), row.get(2)?))
        });
        Ok(row.optional()?)
    }

    /// When a waiting case's place becomes free, if those before it take theirs.
    fn place_free_at(
        &self,
        desk: &DeskId,
        ticket: &TicketId,
        rule: &RuleName,
        limits: &Limits,
        now: Timestamp,
    ) -> Result<Timestamp> {
        let recent = self.recent_for(desk, ticket, now, None)?;
        let of_rule = self.begun("rule", rule.as_str(), now)?;
        let on_desk = self.begun("desk", desk.as_str(), now)?;
        let ahead = recent.ahead.get(rule).copied().unwrap_or(0);
        let by_rule = nth_free(&of_rule, limits.per_rule_per_hour, ahead, now);
        Ok(by_rule.max(nth_free(&on_desk, limits.per_desk_per_hour, recent.ahead_on_desk, now)))
    }

    /// When the counted handoffs began, oldest first.
    fn begun(&self, column: &str, name: &str, now: Timestamp) -> Result<Vec<Timestamp>> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT started_at FROM handoffs WHERE {COUNTED} AND {column} = ?2 ORDER BY started_at"
        ))?;
        let rows = statement.query_map(params![millis(now - HOUR), name], |row| Ok(instant(row.get(0)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

/// When the place behind `ahead` others becomes free: each place is free an hour after it was taken, and those ahead take
/// the earlier ones.
fn nth_free(begun: &[Timestamp], limit: u32, ahead: u32, now: Timestamp) -> Timestamp {
    if limit == 0 {
        return now.saturating_add(HOUR).unwrap_or(Timestamp::MAX);
    }
    let (taken, limit) = (i64::try_from(begun.len()).unwrap_or(i64::MAX), i64::from(limit));
    // Which of the handoffs, in the order in which they leave the hour, makes room: those ahead come after those begun.
    let which = taken + i64::from(ahead) - limit;
    let rounds = if which < taken { 0 } else { (which - taken) / limit + 1 };
    let leaves = usize::try_from(which - rounds * limit).ok().and_then(|at| begun.get(at));
    let first = leaves.map_or(now, |begun| begun.saturating_add(HOUR).unwrap_or(Timestamp::MAX));
    let hours = SignedDuration::from_hours(rounds);
    first.saturating_add(hours).unwrap_or(Timestamp::MAX).max(now)
}

#[cfg(test)]
mod tests {
    use super::super::records::{NewHandoff, Recorded};
    use super::super::samples::{at, decide, ledger, looks_due, nothing_found, sending};
    use super::*;

    const TWO: Limits = Limits { per_rule_per_hour: 2, per_desk_per_hour: 200, hops_per_day: 4 };

    fn record(ledger: &mut Ledger, handoff: Option<NewHandoff>, ticket: &str, now: Timestamp) -> Recorded {
        let over_limit = handoff.is_none().then(|| RuleName::from("refund"));
        let update = CaseUpdate { handoff, over_limit, limits: TWO, ..nothing_found(ticket, now) };
        ledger.record_case(&update).expect("recorded")
    }

    fn due(ledger: &Ledger) -> Vec<(String, Timestamp)> {
        looks_due(ledger, Timestamp::MAX).into_iter().map(|look| (look.ticket.to_string(), look.due)).collect()
    }

    #[test]
    fn looks_that_counted_at_the_same_moment_do_not_all_get_the_last_place() {
        let mut ledger = ledger();
        let outcomes: Vec<Recorded> = ["1", "2", "3"]
            .into_iter()
            .map(|ticket| record(&mut ledger, Some(sending(&format!("h{ticket}"), ticket, "v1")), ticket, at(0)))
            .collect();
        assert_eq!(outcomes, [Recorded::Whole, Recorded::Whole, Recorded::Outrun]);
        assert_eq!(ledger.handoffs(&super::super::HandoffFilter::default()).expect("listed").len(), 2);
        let released = NewHandoff { needs_place: false, ..sending("h3", "3", "v1") };
        assert_eq!(record(&mut ledger, Some(released), "3", at(0)), Recorded::Whole, "a person's word needs no place");
    }

    #[test]
    fn the_same_handoff_decided_anew_keeps_its_place() {
        let mut ledger = ledger();
        for ticket in ["1", "2"] {
            record(&mut ledger, Some(sending(&format!("h{ticket}"), ticket, "v1")), ticket, at(0));
        }
        assert_eq!(record(&mut ledger, Some(sending("h2", "2", "v2")), "2", at(1)), Recorded::Whole);
        let instead = NewHandoff { replaces: Some("h2".into()), ..sending("h4", "2", "v2") };
        assert_eq!(record(&mut ledger, Some(instead), "2", at(2)), Recorded::Whole);
    }

    #[test]
    fn each_waiting_case_is_due_when_its_own_place_is_free() {
        let mut ledger = ledger();
        for (ticket, begun) in [("1", 0), ("2", 600)] {
            decide(&mut ledger, sending(&format!("h{ticket}"), ticket, "v1"), at(begun));
        }
        for ticket in ["3", "4", "5", "6", "7"] {
            record(&mut ledger, None, ticket, at(700));
        }
        let dues = [("3", 3_600), ("4", 4_200), ("5", 7_200), ("6", 7_800), ("7", 10_800)];
        assert_eq!(due(&ledger), dues.map(|(ticket, due)| (ticket.to_owned(), at(due))));
        record(&mut ledger, None, "5", at(800));
        assert_eq!(due(&ledger)[2], ("5".to_owned(), at(7_200)), "looked at meanwhile, it keeps its turn");
    }

    #[test]
    fn a_newcomer_does_not_take_the_place_of_one_that_waits() {
        let mut ledger = ledger();
        for ticket in ["1", "2"] {
            decide(&mut ledger, sending(&format!("h{ticket}"), ticket, "v1"), at(0));
        }
        record(&mut ledger, None, "3", at(10));
        record(&mut ledger, None, "4", at(10));
        let new = |ledger: &mut Ledger, ticket: &str| {
            record(ledger, Some(sending(&format!("h{ticket}"), ticket, "v1")), ticket, at(3_600))
        };
        assert_eq!(new(&mut ledger, "9"), Recorded::Outrun);
        assert_eq!([new(&mut ledger, "3"), new(&mut ledger, "4")], [Recorded::Whole, Recorded::Whole]);
    }

    #[test]
    fn one_that_leaves_the_queue_without_a_handoff_lets_the_next_move_up() {
        let mut ledger = ledger();
        for (ticket, begun) in [("1", 0), ("2", 600)] {
            decide(&mut ledger, sending(&format!("h{ticket}"), ticket, "v1"), at(begun));
        }
        for ticket in ["3", "4", "5"] {
            record(&mut ledger, None, ticket, at(700));
        }
        ledger.record_case(&CaseUpdate { limits: TWO, ..nothing_found("3", at(3_600)) }).expect("no longer matches");
        assert_eq!(due(&ledger)[..2], [("3".to_owned(), at(3_600)), ("4".to_owned(), at(3_600))]);
        assert_eq!(due(&ledger)[2], ("5".to_owned(), at(7_200)), "the others stay asleep");
    }

    #[test]
    fn places_become_free_in_the_order_in_which_they_were_taken() {
        let begun = [at(0), at(60)];
        let free = |ahead| nth_free(&begun, 2, ahead, at(100)).duration_since(at(0)).as_secs();
        assert_eq!([0, 1, 2, 3, 4].map(free), [3_600, 3_660, 7_200, 7_260, 10_800]);
        assert_eq!(nth_free(&begun, 3, 0, at(100)), at(100), "there is one now");
        assert_eq!(nth_free(&[], 2, 3, at(100)), at(3_700), "behind others that go now");
        assert_eq!(nth_free(&begun, 0, 0, at(100)), at(3_700), "nothing is allowed at all");
    }
}
