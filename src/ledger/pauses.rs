//! Pauses of customers' clocks that we began: each with the instant at which it ends at the latest. It begins when the desk
//! has taken the status, and is over when we set the status back or somebody else has touched it.

use super::codec::{from_json, instant, json, millis};
use super::error::Result;
use super::open::Ledger;
use super::records::{EffectRecord, HandoffRecord, PauseRecord, PauseUpdate, Purpose};
use super::states::EffectState;
use handoffd_kit::desk::DeskChange;
use handoffd_kit::id::{DeskId, TicketId};
use handoffd_kit::mark::Mark;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

impl Ledger {
    /// The pause of a case that goes on.
    pub(super) fn pause_of(&self, desk: &DeskId, ticket: &TicketId) -> Result<Option<PauseRecord>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT handoff, rule, version, word, means, since, until FROM pauses
             WHERE desk = ? AND ticket = ? AND ended_at IS NULL ORDER BY since DESC LIMIT 1",
        )?;
        let row = statement
            .query_row([desk.as_str(), ticket.as_str()], |row| {
                let mark = Mark { handoff: row.get(0)?, number: 0, rule: row.get(1)?, version: row.get(2)? };
                let (means, since, until): (String, i64, i64) = (row.get(4)?, row.get(5)?, row.get(6)?);
                Ok((mark, row.get::<_, String>(3)?, means, instant(since), instant(until)))
            })
            .optional()?;
        row.map(|(mark, word, means, since, until)| {
            let means = from_json(|| format!("pause of {desk}/{ticket}"), &means)?;
            let before = self.handoff(&mark.handoff)?.proposal.clock.pause.and_then(|plan| plan.before);
            Ok(PauseRecord { mark, word, means, before, since, until })
        })
        .transpose()
    }

    /// An effect is done: one of a handoff may have begun a pause, any other ends it.
    pub(super) fn note_status(&mut self, handoff: &HandoffRecord, done: &EffectRecord, at: Timestamp) -> Result<()> {
        let DeskChange::Update(update) = &done.write.change else { return Ok(()) };
        let Some(status) = &update.status else { return Ok(()) };
        if done.purpose != Purpose::Handoff {
            return self.end_pause(&handoff.id, "the status was set back", at);
        }
        let Some(pause) = &handoff.proposal.clock.pause else { return Ok(()) };
        let (ticket, mark) = (&done.write.ticket, &done.write.mark);
        self.connection
            .prepare_cached(
                "INSERT OR REPLACE INTO pauses (handoff, desk, ticket, rule, version, word, means, since, until)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                handoff.id,
                done.desk.as_str(),
                ticket.as_str(),
                mark.rule,
                mark.version,
                status.word,
                json("status", &status.means)?,
                millis(at),
                millis(pause.until.at)
            ])?;
        self.wait_to_look(&done.desk, ticket, pause.until.at)
    }

    fn end_pause(&mut self, handoff: &str, why: &str, at: Timestamp) -> Result<()> {
        self.connection
            .prepare_cached("UPDATE pauses SET ended_at = ?, why = ? WHERE handoff = ? AND ended_at IS NULL")?
            .execute(params![millis(at), why, handoff])?;
        Ok(())
    }

    /// What a look found about a pause.
    pub(super) fn record_pause(&mut self, update: &PauseUpdate, at: Timestamp) -> Result<()> {
        match update {
            PauseUpdate::Over { handoff, why } => {
                self.end_pause(handoff, why, at)?;
                for effect in self.effects_of(handoff)? {
                    if effect.purpose == Purpose::Resume && matches!(effect.state, EffectState::Due { .. }) {
                        self.drop_one(&effect, Some(why))?;
                    }
                }
                Ok(())
            }
            PauseUpdate::Resume { handoff, effects } => {
                let proposal = self.handoff(handoff)?.proposal;
                self.forget_status_on_paths(&proposal.desk, &proposal.ticket)?;
                self.plan_anew(handoff, effects, Purpose::Resume, at)
            }
        }
    }
}
