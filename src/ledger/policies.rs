//! The policies that have run: what each meant, word for word, and since when it was in force.

use super::codec::{from_json, instant, millis, pack, unpack, unreadable};
use super::error::{LedgerError, Result};
use super::open::Ledger;
use super::people::Act;
use super::records::SwitchOn;
use crate::policy::meaning::Meaning;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

/// A policy as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// What it means, as [`Meaning::text`].
    pub meaning: String,
    /// The text of its files.
    pub text: String,
}

/// A policy that came into force.
#[derive(Clone, Debug, PartialEq)]
pub struct PolicyRun {
    /// The version of the whole.
    pub version: String,
    /// Since when.
    pub since: Timestamp,
    /// What it means; none: nothing of it was kept.
    pub meaning: Option<Meaning>,
}

/// A policy that a person chose to run in place of the file's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The version that runs.
    pub version: String,
    /// The version of the file then: a file that says something else runs again.
    pub instead_of: String,
    /// Who chose, as they named themselves, and the system user.
    pub by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
}

impl Ledger {
    /// Chooses a policy that has run to run in place of the file's, from the next start on.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`] where nothing of it was kept, or SQLite's.
    pub fn choose_policy(&mut self, choice: &Choice) -> Result<()> {
        if self.policy_text(&choice.version)?.is_none() {
            return Err(LedgerError::NotFound(format!("policy {}", choice.version)));
        }
        self.atomically(|ledger| {
            ledger.connection.execute(
                "INSERT OR REPLACE INTO policy_chosen (one, version, instead_of, by, reason, at) VALUES (1, ?, ?, ?, ?, ?)",
                params![choice.version, choice.instead_of, choice.by, choice.reason, millis(choice.at)],
            )?;
            let act = Act { by: choice.by.clone(), reason: Some(choice.reason.clone()), at: choice.at };
            ledger.note_act(&act, "rollback", &format!("{} instead of {}", choice.version, choice.instead_of))
        })
    }

    /// The policy that runs in place of the file's, if a person chose one.
    ///
    /// # Errors
    /// SQLite's.
    pub fn chosen_policy(&self) -> Result<Option<Choice>> {
        let mut statement =
            self.connection.prepare_cached("SELECT version, instead_of, by, reason, at FROM policy_chosen")?;
        let choice = statement.query_row([], |row| {
            let (version, instead_of, by, reason) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
            Ok(Choice { version, instead_of, by, reason, at: instant(row.get(4)?) })
        });
        Ok(choice.optional()?)
    }

    /// From the next start on the file's policy runs again: by a person, or, without an act, because the file has changed.
    /// Gives whether another one was chosen.
    ///
    /// # Errors
    /// SQLite's.
    pub fn forget_choice(&mut self, act: Option<&Act>) -> Result<bool> {
        self.atomically(|ledger| {
            let forgotten = ledger.connection.execute("DELETE FROM policy_chosen", [])? > 0;
            if let Some(act) = act.filter(|_| forgotten) {
                ledger.note_act(act, "rollback", "the file again")?;
            }
            Ok(forgotten)
        })
    }

    /// Keeps a policy, and that it is in force from now on where another one was before.
    pub(super) fn note_policy(&mut self, version: &str, kept: Option<&Kept>, now: Timestamp) -> Result<()> {
        if let Some(kept) = kept {
            let [meaning, text] = [&kept.meaning, &kept.text].map(|text| pack(text.as_bytes()));
            self.connection
                .prepare_cached("INSERT OR IGNORE INTO policies (version, meaning, text) VALUES (?, ?, ?)")?
                .execute(params![version, meaning?, text?])?;
        }
        let last: Option<String> = self
            .connection
            .query_row("SELECT version FROM policy_runs ORDER BY id DESC LIMIT 1", [], |row| row.get(0))
            .optional()?;
        if last.as_deref() != Some(version) {
            self.connection
                .execute("INSERT INTO policy_runs (version, since) VALUES (?, ?)", params![version, millis(now)])?;
            self.note_act(&Act { by: SwitchOn::US.to_owned(), reason: None, at: now }, "policy", version)?;
        }
        Ok(())
    }

    /// The policies that have run, the latest first, at most so many.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn policy_runs(&self, most: usize) -> Result<Vec<PolicyRun>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT r.version, r.since, p.meaning FROM policy_runs r LEFT JOIN policies p ON p.version = r.version
             ORDER BY r.id DESC LIMIT ?",
        )?;
        let mut rows = statement.query([i64::try_from(most).unwrap_or(i64::MAX)])?;
        let mut runs = Vec::new();
        while let Some(row) = rows.next()? {
            let (version, since): (String, i64) = (row.get(0)?, row.get(1)?);
            let packed: Option<Vec<u8>> = row.get(2)?;
            let meaning = packed.map(|packed| meaning(&version, &packed)).transpose()?;
            runs.push(PolicyRun { version, since: instant(since), meaning });
        }
        Ok(runs)
    }

    /// The text of the files of a policy that has run.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn policy_text(&self, version: &str) -> Result<Option<String>> {
        let mut statement = self.connection.prepare_cached("SELECT text FROM policies WHERE version = ?")?;
        let packed: Option<Vec<u8>> = statement.query_row([version], |row| row.get(0)).optional()?;
        packed.map(|packed| unpacked(version, &packed)).transpose()
    }
}

fn unpacked(version: &str, packed: &[u8]) -> Result<String> {
    let bytes = unpack(packed)?;
    String::from_utf8(bytes).map_err(|_| unreadable(&format!("policy {version}"), &"no UTF-8"))
}

fn meaning(version: &str, packed: &[u8]) -> Result<Meaning> {
    let text = unpacked(version, packed)?;
    from_json(|| format!("policy {version}"), &text).map(Meaning::new)
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at, ledger};
    use super::*;

    fn kept(owner: &str) -> Kept {
        Kept { meaning: format!("{{\"policy\":{{\"owner\":\"{owner}\"}}}}"), text: format!("owner = \"{owner}\"\n") }
    }

    #[test]
    fn each_policy_is_kept_once_and_told_each_time_it_comes_into_force() {
        let mut ledger = ledger();
        assert_eq!(ledger.policy_runs(9), Ok(Vec::new()));
        for (version, when) in [("p1", 1), ("p1", 2), ("p2", 3), ("p1", 4)] {
            ledger.note_policy(version, Some(&kept(version)), at(when)).expect("noted");
        }
        ledger.note_policy("p3", None, at(5)).expect("noted without its words");
        let runs = ledger.policy_runs(9).expect("read");
        let told: Vec<_> = runs.iter().map(|run| (run.version.as_str(), run.since, run.meaning.is_some())).collect();
        assert_eq!(told, [("p3", at(5), false), ("p1", at(4), true), ("p2", at(3), true), ("p1", at(1), true)]);
        assert_eq!(ledger.policy_runs(1).expect("read").len(), 1);
        assert_eq!(ledger.policy_text("p2"), Ok(Some("owner = \"p2\"\n".into())));
        assert_eq!(ledger.policy_text("p3"), Ok(None));
        assert_eq!(ledger.policy_text("' OR 1=1 --"), Ok(None));
    }

    #[test]
    fn a_choice_is_one_of_what_was_kept_and_the_last_one_counts() {
        let mut ledger = ledger();
        let choice = |version: &str| Choice {
            version: version.into(),
            instead_of: "p9".into(),
            by: "lead (uid 7)".into(),
            reason: "too many refunds went to billing".into(),
            at: at(5),
        };
        assert_eq!(ledger.choose_policy(&choice("p1")), Err(LedgerError::NotFound("policy p1".into())));
        for version in ["p1", "p2"] {
            ledger.note_policy(version, Some(&kept(version)), at(1)).expect("noted");
            ledger.choose_policy(&choice(version)).expect("chosen");
        }
        assert_eq!(ledger.chosen_policy(), Ok(Some(choice("p2"))));
        assert_eq!(ledger.forget_choice(None), Ok(true));
        assert_eq!((ledger.forget_choice(None), ledger.chosen_policy()), (Ok(false), Ok(None)));
    }

    #[test]
    fn a_damaged_row_is_named_and_not_repeated() {
        let mut ledger = ledger();
        ledger
            .note_policy("p1", Some(&Kept { meaning: "secret words".into(), text: String::new() }), at(1))
            .expect("noted");
        let error = ledger.policy_runs(9).expect_err("no JSON").to_string();
        assert!(error.contains("policy p1") && !error.contains("secret"), "{error}");
        ledger.connection.execute("UPDATE policies SET text = x'00'", []).expect("damaged");
        assert!(ledger.policy_text("p1").is_err());
    }
}
