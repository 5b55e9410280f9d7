//! Looking a whole ledger through: is the file sound, can its rows be read, and does what stands in them fit together? Only
//! reads, in one snapshot, while a daemon may be writing. What is found is named by ids, never by text.

use super::effects::read_through;
use super::error::{LedgerError, Result};
use super::open::Ledger;
use super::records::Purpose;
use crate::plan;
use serde::Serialize;

/// How many of one kind are told: the others are alike.
const TOLD: usize = 20;

/// Something that does not hold in a ledger.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// What does not hold: one of a closed set of words, for scripts.
    pub kind: &'static str,
    /// Where, and how it shows.
    pub what: String,
}

/// What must hold, as a question for every row that does not: its kind, what is said of it, and the question.
struct Line {
    kind: &'static str,
    words: &'static str,
    sql: &'static str,
}

const LINES: &[Line] = &[
    Line {
        kind: "state",
        words: "its state and what is kept with the state differ",
        sql: "SELECT 'effect ' || handoff || '/' || number FROM effects
              WHERE CASE WHEN json_valid(state_data) THEN json_extract(state_data, '$.state') END IS NOT state
              UNION ALL SELECT 'alert ' || key FROM alerts
              WHERE CASE WHEN json_valid(state_data) THEN json_extract(state_data, '$.state') END IS NOT state",
    },
    Line {
        kind: "due",
        words: "what waits has no due time, or what does not wait has one",
        sql: "SELECT 'effect ' || handoff || '/' || number FROM effects
              WHERE (state IN ('due', 'unsure')) <> (due IS NOT NULL)
              UNION ALL SELECT 'alert ' || key FROM alerts WHERE (state IN ('due', 'unsure')) <> (due IS NOT NULL)",
    },
    Line {
        kind: "order",
        words: "it is being sent before its turn",
        sql: "SELECT 'effect ' || e.handoff || '/' || e.number FROM effects e WHERE e.state = 'in_flight'
              AND EXISTS (SELECT 1 FROM effects b WHERE b.handoff = e.handoff AND b.purpose = e.purpose
                          AND b.number < e.number AND b.state IN ('due', 'in_flight', 'unsure', 'parked'))",
    },
    Line {
        kind: "order",
        words: "several writes to this ticket are being sent at once",
        sql: "SELECT desk || '/' || ticket FROM effects WHERE state = 'in_flight' GROUP BY desk, ticket HAVING count(*) > 1",
    },
    Line {
        kind: "ended",
        words: "its handoff has ended, and it would still be sent",
        sql: "SELECT 'effect ' || e.handoff || '/' || e.number FROM effects e JOIN handoffs h ON h.id = e.handoff
              WHERE e.purpose = 'handoff' AND e.state IN ('due', 'parked')
              AND h.state IN ('bounced', 'rejected', 'contested', 'undone', 'withdrawn')",
    },
    Line {
        kind: "stuck",
        words: "it is sending, and nothing of it is left to send",
        sql: "SELECT 'handoff ' || h.id FROM handoffs h WHERE h.state = 'sending'
              AND NOT EXISTS (SELECT 1 FROM effects e WHERE e.handoff = h.id AND e.purpose = 'handoff'
                              AND e.state NOT IN ('done', 'refused', 'dropped'))",
    },
    Line {
        kind: "orphan",
        words: "its handoff or command is not there",
        sql: "SELECT 'effect ' || handoff || '/' || number FROM effects e
              WHERE NOT EXISTS (SELECT 1 FROM handoffs h WHERE h.id = e.handoff)
              AND NOT EXISTS (SELECT 1 FROM commands c WHERE c.id = e.handoff)",
    },
    Line {
        kind: "unreadable",
        words: "what is kept of it is no JSON",
        sql: "SELECT 'handoff ' || id FROM handoffs WHERE NOT json_valid(proposal) OR NOT json_valid(risks)
              UNION ALL SELECT 'effect ' || handoff || '/' || number FROM effects
              WHERE NOT json_valid(write) OR NOT json_valid(state_data)
              UNION ALL SELECT 'alert ' || key FROM alerts WHERE NOT json_valid(content)",
    },
    Line {
        kind: "reference",
        words: "a row refers to one that is not there",
        sql: "SELECT \"table\" || ' ' || coalesce(rowid, '') FROM pragma_foreign_key_check",
    },
];

/// Waits that must have a due row. They hold between the transactions of a whole daemon, whose looks note them.
const WAITS: &[Line] = &[
    Line {
        kind: "forgotten",
        words: "it waits to be compared or for package parts, and no look at its ticket is due",
        sql: "SELECT 'handoff ' || h.id FROM handoffs h WHERE h.state IN ('verifying', 'asking')
              AND NOT EXISTS (SELECT 1 FROM looks l WHERE l.desk = h.desk AND l.ticket = h.ticket)",
    },
    Line {
        kind: "forgotten",
        words: "it stopped the customer's clock, and no look at its ticket is due to end that",
        sql: "SELECT 'handoff ' || p.handoff FROM pauses p WHERE p.ended_at IS NULL
              AND NOT EXISTS (SELECT 1 FROM looks l WHERE l.desk = p.desk AND l.ticket = p.ticket)",
    },
];

impl Ledger {
    /// Everything that does not hold in this ledger; nothing: it is sound. `step` is told what comes next, for people who
    /// wait. A file that is damaged is a fault like others.
    ///
    /// # Errors
    /// The file cannot be read now.
    pub fn inspect(&mut self, step: &mut dyn FnMut(&'static str)) -> Result<Vec<Fault>> {
        self.connection.execute_batch("BEGIN")?;
        let found = self.look_through(step);
        self.roll_back("ROLLBACK");
        match found {
            Err(LedgerError::Corrupt(words)) => Ok(vec![damaged(words)]),
            found => found,
        }
    }

    fn look_through(&mut self, step: &mut dyn FnMut(&'static str)) -> Result<Vec<Fault>> {
        step("the file");
        let mut faults: Vec<Fault> = self.file_faults()?.into_iter().map(damaged).collect();
        step("the rows");
        faults.extend(self.row_faults(LINES.iter().chain(WAITS), step)?);
        Ok(faults)
    }

    fn row_faults<'l>(
        &self,
        lines: impl Iterator<Item = &'l Line>,
        step: &mut dyn FnMut(&'static str),
    ) -> Result<Vec<Fault>> {
        let mut faults = Vec::new();
        for line in lines {
            faults.extend(self.faults_of(line)?);
        }
        step("what is written in them");
        faults.extend(self.unreadable()?);
        faults.extend(self.numbers()?);
        faults.extend(self.miscounted()?);
        faults.extend(self.verify_acts(None)?.faults);
        Ok(faults)
    }

    /// What holds after every single transaction: for tests of the ledger alone, whose looks no daemon notes.
    #[cfg(test)]
    pub(super) fn inspect_rows(&self) -> Result<Vec<Fault>> {
        self.row_faults(LINES.iter(), &mut |_| {})
    }

    /// What SQLite says of the file: every page, and every index beside its table.
    pub(super) fn file_faults(&self) -> Result<Vec<String>> {
        let mut statement = self.connection.prepare("PRAGMA integrity_check(20)")?;
        let words = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
        Ok(words.into_iter().filter(|words| words != "ok").collect())
    }

    fn faults_of(&self, line: &Line) -> Result<Vec<Fault>> {
        let mut statement = self.connection.prepare_cached(line.sql)?;
        let rows = statement.query_map([], |row| row.get::<_, String>(0))?.take(TOLD);
        let fault = |row: String| Fault { kind: line.kind, what: format!("{row}: {}", line.words) };
        Ok(rows.map(|row| row.map(fault)).collect::<rusqlite::Result<_>>()?)
    }

    /// Handoffs and effects that are not over are read as the daemon reads them.
    fn unreadable(&self) -> Result<Vec<Fault>> {
        let mut faults = Vec::new();
        let ids: Vec<String> = {
            let mut statement = self.connection.prepare(
                "SELECT id FROM handoffs WHERE state NOT IN ('bounced', 'rejected', 'contested', 'undone', 'withdrawn')",
            )?;
            statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?
        };
        let read = ids.iter().map(|id| self.handoff(id).map(drop));
        for error in read.chain(std::iter::once_with(|| read_through(self))).filter_map(Result::err) {
            match error {
                LedgerError::Unreadable { what, why } if faults.len() < TOLD => {
                    faults.push(Fault { kind: "unreadable", what: format!("{what}: {why}") });
                }
                LedgerError::Unreadable { .. } => break,
                error => return Err(error),
            }
        }
        Ok(faults)
    }

    /// Each kind of effect has numbers of its own within its handoff.
    fn numbers(&self) -> Result<Vec<Fault>> {
        let mut statement = self.connection.prepare(
            "SELECT DISTINCT e.purpose, e.number, h.id IS NULL FROM effects e LEFT JOIN handoffs h ON h.id = e.handoff",
        )?;
        let rows = statement
            .query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, u32>(1)?, row.get::<_, bool>(2)?)))?;
        let mut faults = Vec::new();
        for row in rows {
            let (name, number, answers) = row?;
            if !Purpose::named(&name).is_some_and(|purpose| answers || fits(purpose, number)) {
                let what =
                    format!("effects of the purpose {name} with the number {number}: it belongs to another kind");
                faults.push(Fault { kind: "number", what });
            }
        }
        Ok(faults)
    }

    fn miscounted(&self) -> Result<Vec<Fault>> {
        let (kept, anew) = (self.tallies()?, self.counted_anew()?);
        let wrong = kept.iter().filter(|(of, count)| anew.get(*of) != Some(*count));
        let missing = anew.iter().filter(|(of, _)| !kept.contains_key(*of));
        let fault = |((of, state, rule), _): (&(String, String, String), _)| {
            let name = [of.as_str(), state, rule].into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>();
            Fault { kind: "tally", what: format!("the count of {} is wrong", name.join(" ")) }
        };
        Ok(wrong.chain(missing).map(fault).take(TOLD).collect())
    }
}

fn damaged(words: String) -> Fault {
    Fault { kind: "damaged", what: words }
}

fn fits(purpose: Purpose, number: u32) -> bool {
    let own = plan::carries_out(number);
    match purpose {
        Purpose::Handoff => own,
        Purpose::Asking => plan::asking::NUMBERS.contains(&number),
        Purpose::Reminder => plan::reminder::NUMBERS.contains(&number) || plan::review::NUMBERS.contains(&number),
        Purpose::Resume => plan::pause::NUMBERS.contains(&number),
        Purpose::Apart => number > 0 && !own,
    }
}

impl Fault {
    /// A file that SQLite cannot make sense of, in its words.
    pub fn damage(words: String) -> Self {
        damaged(words)
    }

    /// What a person does about it.
    pub fn next_step(&self) -> &'static str {
        match self.kind {
            "damaged" => "stop handoffd, keep a copy of the file, and `handoffd ledger restore` the latest backup",
            "audit" => {
                "somebody has changed the record beside handoffd: keep the file, and compare it with an export from before"
            }
            "tally" => "figures of health and metrics are wrong, nothing else is; restore a backup if they matter",
            "unreadable" => "`handoffd parked list` shows what is held up by it; drop it there, or restore a backup",
            _ => {
                "keep a copy of the file and report it; `handoffd handoffs show` tells how far it is, and what is on the helpdesk stays"
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at, claim, decide, ledger, sending};
    use super::*;

    fn faults(ledger: &mut Ledger) -> Vec<&'static str> {
        let mut kinds: Vec<_> =
            ledger.inspect(&mut |_| {}).expect("read").into_iter().map(|fault| fault.kind).collect();
        kinds.dedup();
        kinds
    }

    #[test]
    fn each_line_that_is_crossed_is_told_and_a_sound_ledger_tells_nothing() {
        for (sql, kind) in [
            ("SELECT 1", None),
            ("UPDATE effects SET state = 'done', due = NULL WHERE number = 1", Some("state")),
            ("UPDATE effects SET due = NULL WHERE number = 2", Some("due")),
            ("UPDATE effects SET due = 1 WHERE number = 1", Some("due")),
            ("UPDATE effects SET handoff = 'gone' WHERE number = 2", Some("orphan")),
            ("UPDATE effects SET write = '{' WHERE number = 2", Some("unreadable")),
            ("UPDATE effects SET write = '{}' WHERE number = 2", Some("unreadable")),
            ("UPDATE handoffs SET proposal = '{}'", Some("unreadable")),
            ("UPDATE effects SET number = 61 WHERE number = 2", Some("number")),
            ("UPDATE effects SET number = 80, purpose = 'reminder' WHERE number = 2", None),
            ("UPDATE effects SET number = 100, purpose = 'reminder' WHERE number = 2", None),
            ("UPDATE effects SET number = 89, purpose = 'reminder' WHERE number = 2", Some("number")),
            ("UPDATE effects SET purpose = 'unknown' WHERE number = 2", Some("unreadable")),
            ("UPDATE handoffs SET state = 'withdrawn'", Some("ended")),
            ("UPDATE handoffs SET state = 'verifying'", Some("forgotten")),
            ("DELETE FROM effects", Some("stuck")),
            ("UPDATE tallies SET count = count + 1 WHERE of = 'effects'", Some("tally")),
            ("DELETE FROM tallies", Some("tally")),
            (
                "UPDATE effects SET state = 'in_flight', due = NULL, state_data = '{\"state\":\"in_flight\",\"attempt\":1}'",
                Some("order"),
            ),
        ] {
            let mut ledger = ledger();
            decide(&mut ledger, sending("h1", "1", "v1"), at(0));
            claim(&mut ledger, at(0)).expect("due");
            ledger.connection.execute("DELETE FROM looks", []).expect("deleted");
            ledger.connection.execute_batch(sql).expect("garbled");
            let found = faults(&mut ledger);
            match kind {
                Some(kind) => assert!(found.contains(&kind), "{sql}: {found:?}"),
                None => assert_eq!(found, Vec::<&str>::new(), "{sql}"),
            }
        }
    }
}
