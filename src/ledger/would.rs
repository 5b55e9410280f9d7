//! What rules would do that may not act yet: shadow rules' matches, and those that wait for a release when a rule goes live.

use super::codec::{from_json, instant, json, millis};
use super::error::Result;
use super::open::Ledger;
use super::people::Act;
use super::records::{CaseUpdate, WouldRecord};
use crate::policy::hold::in_share;
use crate::policy::names::RuleName;
use crate::policy::proposal::Proposal;
use handoffd_kit::id::{DeskId, TicketId};
use rusqlite::params;

/// What a release came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Released {
    /// The cases that the rule may act on now.
    pub cases: Vec<(DeskId, TicketId)>,
    /// How many more match and lie outside of the rule's share.
    pub outside: usize,
}

impl Ledger {
    /// Rules that are held in this episode, and those that a person released.
    pub(super) fn held(
        &self,
        desk: &DeskId,
        ticket: &TicketId,
        episode: &str,
    ) -> Result<(Vec<RuleName>, Vec<RuleName>)> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT rule, released FROM would WHERE desk = ? AND ticket = ? AND episode = ?")?;
        let mut rows = statement.query(params![desk.as_str(), ticket.as_str(), episode])?;
        let (mut held, mut released) = (Vec::new(), Vec::new());
        while let Some(row) = rows.next()? {
            let rule = RuleName::new(row.get::<_, String>(0)?);
            if row.get(1)? { released.push(rule) } else { held.push(rule) }
        }
        Ok((held, released))
    }

    /// Stores what would be done now and forgets what no longer would. A release outlives a look that does not match,
    /// until its rule has fired or its episode is over. Gives whether a person had released the rule that fires now.
    pub(super) fn record_would(&mut self, update: &CaseUpdate, present: &str) -> Result<bool> {
        if update.verdict.is_none() {
            return Ok(false);
        }
        let key = [update.desk.as_str(), update.ticket.as_str()];
        let known: Vec<(String, String, bool)> = {
            let mut statement = self
                .connection
                .prepare_cached("SELECT rule, episode, released FROM would WHERE desk = ? AND ticket = ?")?;
            let rows = statement.query_map(key, |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        let is = |would: &Proposal, rule: &str, episode: &str| would.rule.as_str() == rule && would.episode == episode;
        let fires = update.handoff.as_ref().map(|handoff| &handoff.proposal);
        let mut fires_released = false;
        for (rule, episode, released) in known {
            let fired = fires.is_some_and(|proposal| is(proposal, &rule, &episode));
            let still = update.would.iter().any(|would| is(would, &rule, &episode));
            fires_released |= fired && released;
            let stands = still || released && episode == present;
            if fired || !stands {
                self.forget_would(&update.desk, &update.ticket, &rule, &episode)?;
            }
        }
        for would in &update.would {
            self.connection
                .prepare_cached(
                    "INSERT INTO would (desk, ticket, rule, episode, proposal, since) VALUES (?, ?, ?, ?, ?, ?)
                     ON CONFLICT DO UPDATE SET proposal = excluded.proposal",
                )?
                .execute(params![
                    key[0],
                    key[1],
                    would.rule.as_str(),
                    would.episode,
                    json("proposal", would)?,
                    millis(update.at)
                ])?;
        }
        Ok(fires_released)
    }

    fn forget_would(&mut self, desk: &DeskId, ticket: &TicketId, rule: &str, episode: &str) -> Result<()> {
        self.connection
            .prepare_cached("DELETE FROM would WHERE desk = ? AND ticket = ? AND rule = ? AND episode = ?")?
            .execute(params![desk.as_str(), ticket.as_str(), rule, episode])?;
        Ok(())
    }

    /// What rules would do, oldest match first: of one rule, on one desk, or all.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn would(&self, rule: Option<&RuleName>, desk: Option<&DeskId>, limit: usize) -> Result<Vec<WouldRecord>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT proposal, since, released, desk, ticket, episode FROM would
             WHERE (?1 IS NULL OR rule = ?1) AND (?2 IS NULL OR desk = ?2)
             ORDER BY since, desk, ticket LIMIT ?3",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut rows = statement.query(params![rule.map(RuleName::as_str), desk.map(DeskId::as_str), limit])?;
        let mut would = Vec::new();
        while let Some(row) = rows.next()? {
            let (text, desk, ticket): (String, String, String) = (row.get(0)?, row.get(3)?, row.get(4)?);
            let proposal: Proposal = match from_json(|| format!("proposal for {desk}/{ticket}"), &text) {
                Ok(proposal) => proposal,
                // The next look at its case writes it anew.
                Err(error) => {
                    tracing::error!(error = %error, "ledger.would_unreadable");
                    continue;
                }
            };
            let proposal = Proposal { episode: row.get(5)?, ..proposal };
            would.push(WouldRecord {
                to: proposal.to.clone(),
                proposal,
                since: instant(row.get(1)?),
                released: row.get(2)?,
            });
        }
        Ok(would)
    }

    /// Lets a rule act on the cases in its `share` that already matched: marks the oldest `limit` and notes looks at them.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn release(&mut self, rule: &RuleName, share: f64, limit: usize, act: &Act) -> Result<Released> {
        self.atomically(|ledger| {
            let waiting = ledger.would(Some(rule), None, usize::MAX)?.into_iter().filter(|would| !would.released);
            let inside = |would: &WouldRecord| in_share(&would.proposal.desk, &would.proposal.ticket, share);
            let (held, outside): (Vec<_>, Vec<_>) = waiting.partition(inside);
            let mut released = Vec::new();
            for would in held.into_iter().take(limit) {
                let Proposal { desk, ticket, episode, .. } = would.proposal;
                ledger.connection.execute(
                    "UPDATE would SET released = 1 WHERE desk = ? AND ticket = ? AND rule = ? AND episode = ?",
                    params![desk.as_str(), ticket.as_str(), rule.as_str(), episode],
                )?;
                ledger.wait_to_look(&desk, &ticket, act.at)?;
                released.push((desk, ticket));
            }
            ledger.note_act(act, "release", &format!("{rule}: {} cases", released.len()))?;
            Ok(Released { cases: released, outside: outside.len() })
        })
    }
}
