//! When something new last came of each desk, and what has not come of one for too long: told once, and closed when it is over.

use super::codec::{instant, millis};
use super::error::Result;
use super::open::Ledger;
use crate::plan::alert::{Alert, LULL, PlannedAlert, lull_thread};
use crate::policy::lull::Lull;
use crate::policy::names::AlertName;
use handoffd_kit::id::DeskId;
use jiff::Timestamp;
use rusqlite::params;
use std::collections::BTreeMap;

/// What stands of a desk: what does not come, and since when.
pub type Lulls = BTreeMap<DeskId, (Lull, Timestamp)>;

impl Ledger {
    pub(super) fn note_news(&mut self, desk: &DeskId, at: Timestamp) -> Result<()> {
        self.connection
            .prepare_cached(
                "INSERT INTO news (desk, at) VALUES (?, ?) ON CONFLICT (desk) DO UPDATE SET at = max(at, excluded.at)",
            )?
            .execute(params![desk.as_str(), millis(at)])?;
        Ok(())
    }

    /// When something new last came of each desk; of one that has had none yet, when it was met.
    ///
    /// # Errors
    /// SQLite's.
    pub fn news(&self) -> Result<BTreeMap<DeskId, Timestamp>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT desk, max(at) FROM (SELECT desk, met_at AS at FROM desks UNION ALL SELECT desk, at FROM news) GROUP BY desk",
        )?;
        let rows = statement.query_map([], |row| Ok((DeskId::new(row.get::<_, String>(0)?), instant(row.get(1)?))))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Tells what has not come of a desk since the last time, through these channels; `closes`: the channel keeps an incident open
    /// until it is closed. What stands already is not told again, what stands no more is closed.
    ///
    /// # Errors
    /// SQLite's.
    pub fn tell_lulls(&mut self, stand: &Lulls, through: &[(AlertName, bool)], now: Timestamp) -> Result<()> {
        self.atomically(|ledger| {
            let told = ledger.told_lulls()?;
            for (desk, (lull, since)) in &told {
                if stand.get(desk).is_none_or(|(now, _)| now.name() != lull) {
                    ledger.connection.execute("DELETE FROM lulls WHERE desk = ?", [desk.as_str()])?;
                    ledger.close_thread(LULL, &lull_thread(desk, lull, instant(*since)))?;
                }
            }
            for (desk, (lull, since)) in stand {
                if told.get(desk).is_some_and(|(before, _)| before == lull.name()) {
                    continue;
                }
                let row = params![desk.as_str(), lull.name(), millis(*since)];
                ledger.connection.execute("INSERT INTO lulls (desk, lull, since) VALUES (?, ?, ?)", row)?;
                for (channel, closes) in through {
                    let alert = Alert { closes: *closes, ..Alert::of_lull(channel, desk, (*lull, *since), now) };
                    ledger.add_alert(&PlannedAlert { channel: channel.clone(), alert }, now)?;
                }
            }
            Ok(())
        })
    }

    fn told_lulls(&self) -> Result<BTreeMap<DeskId, (String, i64)>> {
        let mut statement = self.connection.prepare_cached("SELECT desk, lull, since FROM lulls")?;
        let rows =
            statement.query_map([], |row| Ok((DeskId::new(row.get::<_, String>(0)?), (row.get(1)?, row.get(2)?))))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at, ledger, look, webhook};
    use super::*;
    use crate::ledger::records::{AlertOutcome, AlertRecord, NewLook, PolledPage};
    use crate::ledger::states::EffectEvent;
    use crate::plan::alert::AlertAct;
    use crate::policy::alert::Window;
    use handoffd_kit::desk::Cursor;

    fn page(looks: Vec<NewLook>, at: Timestamp) -> PolledPage {
        PolledPage { desk: "acme".into(), stream: "tickets".into(), next: Cursor("c".into()), looks, at }
    }

    fn told(ledger: &Ledger) -> Vec<AlertRecord> {
        ledger.alerts_of(LULL).expect("read")
    }

    #[test]
    fn news_are_what_a_webhook_or_a_poll_brings_and_a_poll_that_brings_nothing_is_none() {
        let mut ledger = ledger();
        let news = |ledger: &Ledger| ledger.news().expect("read").get(&DeskId::from("acme")).copied();
        assert_eq!(news(&ledger), None);
        ledger.desk_met(&"acme".into(), at(1)).expect("met");
        assert_eq!(news(&ledger), Some(at(1)), "nothing yet, since it was met");
        ledger.note_webhook(&webhook("acme", Some("d1"), "{}", &["1"], at(5))).expect("noted");
        assert_eq!(news(&ledger), Some(at(5)));
        ledger.note_webhook(&webhook("acme", Some("d1"), "{}", &["1"], at(6))).expect("known");
        assert_eq!(news(&ledger), Some(at(5)), "a repetition is no news");
        ledger.note_page(&page(Vec::new(), at(7))).expect("noted");
        assert_eq!(news(&ledger), Some(at(5)));
        ledger.note_page(&page(vec![look("2", at(8))], at(8))).expect("noted");
        assert_eq!(news(&ledger), Some(at(8)));
    }

    #[test]
    fn a_lull_is_told_once_closed_when_it_is_over_and_told_anew_when_it_comes_again() {
        let mut ledger = ledger();
        let through = [("pager".into(), true), ("room".into(), false)];
        let stands = |lull, since| Lulls::from([("acme".into(), (lull, at(since)))]);
        for minute in 1..4 {
            // Since when is another instant after a restart, and the lull the same.
            ledger.tell_lulls(&stands(Lull::Unread, minute), &through, at(minute)).expect("told");
        }
        assert_eq!(told(&ledger).len(), 2, "{:?}", told(&ledger));
        let taken = ledger.claim_due_alert(&"pager".into(), Window::Open, at(4)).expect("claimed").expect("due");
        let outcome = AlertOutcome {
            alert: taken.record.id,
            event: EffectEvent::Accepted,
            at: at(4),
            receipt: None,
            reason: None,
            next_step: None,
            may_have_arrived: false,
            stops: false,
        };
        ledger.record_alert(&outcome).expect("recorded");
        ledger.tell_lulls(&Lulls::new(), &through, at(5)).expect("over");
        let states: Vec<(String, &str, AlertAct)> = told(&ledger)
            .iter()
            .map(|record| (record.channel.to_string(), record.state.name(), record.alert.act))
            .collect();
        let expected =
            [("pager", "done", AlertAct::Tell), ("room", "dropped", AlertAct::Tell), ("pager", "due", AlertAct::Close)];
        assert_eq!(states, expected.map(|(channel, state, act)| (channel.to_owned(), state, act)));
        assert_eq!(told(&ledger)[0].alert.thread, told(&ledger)[2].alert.thread, "one incident");
        ledger.tell_lulls(&stands(Lull::Unread, 9), &through, at(9)).expect("told");
        ledger.tell_lulls(&stands(Lull::NoNews, 9), &through, at(10)).expect("another thing");
        assert_eq!(told(&ledger).iter().filter(|record| record.alert.act == AlertAct::Tell).count(), 6);
    }
}
