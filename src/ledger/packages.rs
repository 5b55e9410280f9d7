//! The versions of a package that waited for a person's yes: what was collected, and what a person made of it. All are kept.

use super::codec::{from_json, instant, json, millis};
use super::error::{LedgerError, Result};
use super::open::Ledger;
use super::people::Act;
use super::records::HandoffRecord;
use crate::policy::proposal::{Package, Proposal};
use jiff::Timestamp;
use rusqlite::params;
use serde::Serialize;

/// The version that was collected, which nobody has edited.
const COLLECTED: u32 = 1;

/// One version of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PackageVersion {
    /// From 1: what was collected.
    pub number: u32,
    /// Who made it; none: it was collected.
    pub by: Option<String>,
    /// When.
    pub at: Timestamp,
    /// What travels.
    pub package: Package,
}

impl Ledger {
    /// The versions of a handoff's package, oldest first; none: nobody has edited it.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn package_versions(&self, handoff: &str) -> Result<Vec<PackageVersion>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT number, by, at, package FROM package_versions WHERE handoff = ? ORDER BY number")?;
        let mut rows = statement.query([handoff])?;
        let mut versions = Vec::new();
        while let Some(row) = rows.next()? {
            let text: String = row.get(3)?;
            let package = from_json(|| format!("package of {handoff}"), &text)?;
            versions.push(PackageVersion { number: row.get(0)?, by: row.get(1)?, at: instant(row.get(2)?), package });
        }
        Ok(versions)
    }

    /// The number of the version that travels.
    ///
    /// # Errors
    /// SQLite's.
    pub fn package_version(&self, handoff: &str) -> Result<u32> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT coalesce(max(number), ?2) FROM package_versions WHERE handoff = ?1")?;
        Ok(statement.query_row(params![handoff, COLLECTED], |row| row.get(0))?)
    }

    /// A person edits the package of a review that waits: another version of it, which travels on a yes. `of`: the version that
    /// they were shown. Gives its number.
    ///
    /// # Errors
    /// [`LedgerError::WrongState`] where it is not in review, or somebody else was faster.
    pub fn edit_package(&mut self, handoff: &str, of: u32, package: &Package, act: &Act) -> Result<u32> {
        self.atomically(|ledger| {
            let known = ledger.in_review(handoff)?;
            let last = ledger.package_version(handoff)?;
            if of != last {
                let words = format!(
                    "the package of {handoff} has the version {last}, and you were shown {of}: look at it again, then edit it"
                );
                return Err(LedgerError::WrongState(words));
            }
            // The first edit keeps what was collected as well.
            if last == COLLECTED {
                let collected = known.proposal.package.clone().unwrap_or_default();
                ledger.put_package(&known, COLLECTED, &collected, None, known.created_at)?;
            }
            ledger.put_package(&known, last + 1, package, Some(&act.by), act.at)?;
            let completeness = package.completeness();
            ledger.put_proposal(handoff, &Proposal { package: Some(package.clone()), ..known.proposal })?;
            ledger
                .connection
                .prepare_cached("UPDATE handoffs SET completeness = ? WHERE id = ?")?
                .execute(params![completeness, handoff])?;
            ledger.note_act(act, "edit", handoff)?;
            Ok(last + 1)
        })
    }

    fn put_package(
        &mut self,
        of: &HandoffRecord,
        number: u32,
        package: &Package,
        by: Option<&str>,
        at: Timestamp,
    ) -> Result<()> {
        let Proposal { desk, ticket, .. } = &of.proposal;
        let text = json("package", package)?;
        self.connection
            .prepare_cached(
                "INSERT INTO package_versions (handoff, desk, ticket, number, by, at, package) VALUES (?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![of.id, desk.as_str(), ticket.as_str(), number, by, millis(at), text])?;
        Ok(())
    }
}
