//! What one finished look changes: all of it in one transaction, or nothing.
//!
//! A look works on what it read when it began. Where a person has acted since (a review was answered, a handoff undone, another
//! policy put into force), what it found does not fit any more: then nothing of it is recorded, and the ticket is looked at
//! again.

use super::codec::{from_json, instant, json, millis, pack, unpack, unreadable};
use super::error::{LedgerError, Result};
use super::handoffs::Started;
use super::open::Ledger;
use super::records::{CaseRecord, CaseUpdate, Recorded, Sight};
use super::states::HandoffState;
use crate::policy::INTAKE;
use crate::policy::verdict::{Outcome, StayReason, Verdict};
use handoffd_kit::id::{DeskId, TicketId, UserId, Version};
use jiff::{SignedDuration, Timestamp};
use rusqlite::{OptionalExtension, params};

/// Verdicts kept for each case within the retention time.
const VERDICTS: u32 = 20;
/// When an overtaken look is done again: soon, and not in a circle if it should never fit.
const ANEW: SignedDuration = SignedDuration::from_secs(2);

/// Which handoff of a case mattered when a look began, and where it stood. A person may decide about it while the look
/// reads the desk: then what the look found is no answer to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AsRead(pub Option<(String, HandoffState)>);

impl AsRead {
    /// As this record says.
    pub fn of(record: &CaseRecord) -> Self {
        Self(record.handoff.as_ref().map(|handoff| (handoff.id.clone(), handoff.state)))
    }
}

impl Ledger {
    /// Records all that one finished look found and decided.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn record_case(&mut self, update: &CaseUpdate) -> Result<Recorded> {
        if self.lacks_place(update)? || self.lost_turn(update)? || self.told_meanwhile(update)? {
            return Ok(Recorded::Outrun);
        }
        let why = match self.atomically(|ledger| ledger.record(update)) {
            Err(LedgerError::IllegalStep(step)) => step.to_string(),
            Err(LedgerError::WrongState(why)) => why,
            recorded => return recorded,
        };
        tracing::warn!(desk = %update.desk, case.id = %update.ticket, reason = %why, "ledger.look_overtaken");
        self.atomically(|ledger| ledger.look_anew(&update.desk, &update.ticket, update.at + ANEW))?;
        Ok(Recorded::Overtaken(why))
    }

    fn record(&mut self, update: &CaseUpdate) -> Result<Recorded> {
        let (desk, ticket) = (&update.desk, &update.ticket);
        self.stands_as_read(update)?;
        self.is_in_force(update)?;
        self.case_is_well(desk, ticket)?;
        self.put_case(update)?;
        for stay in &update.stays {
            self.add_stay(desk, ticket, stay, update.at)?;
        }
        for path in &update.close_paths {
            self.close_path(desk, ticket, path, update.at)?;
        }
        for path in &update.path_facts {
            self.note_path_facts(desk, ticket, path)?;
        }
        for happening in &update.handoff_events {
            self.happen(happening, update.at)?;
        }
        if !update.stays.is_empty() {
            self.stop_waiting_elsewhere(desk, ticket)?;
        }
        if let Some(claim) = &update.claim {
            self.wait_for_claim(claim, update.at)?;
        }
        if let Some(seen) = &update.owner {
            self.note_owner(desk, ticket, seen, update.at)?;
        }
        if let Some(note) = &update.lost_note {
            self.say_lost(desk, ticket, note, update.at)?;
        }
        if update.sight != Sight::Seen {
            self.lose_sight(desk, ticket, update.at)?;
        }
        self.wait_for_answer(update)?;
        for over in &update.tasks_over {
            self.end_task(&over.handoff, &over.by, over.at)?;
        }
        let present = self.stays(desk, ticket)?.pop().and_then(|change| change.stay);
        let present = present.as_ref().map_or(INTAKE, |stay| stay.episode.as_str());
        let released = self.record_would(update, present)?;
        let started = match &update.handoff {
            Some(handoff) => self.start_handoff(handoff, released, update.at)?,
            None => Started::Here,
        };
        if let Some(over) = update.asking_over.as_ref().filter(|_| started == Started::Here) {
            self.say_not_asked(over, update.at)?;
        }
        if update.says_asked {
            self.take_label_back(desk, ticket, update.at)?;
        }
        if let Some(pause) = &update.pause {
            self.record_pause(pause, update.at)?;
        }
        if let Some(verdict) = &update.verdict {
            self.put_verdict(update, verdict)?;
        }
        if update.verdict.is_some() || update.version.is_none() {
            self.stock_taken(desk, ticket)?;
        }
        self.record_heard(update)?;
        if let Some(generation) = update.generation {
            self.clear_look(desk, ticket, generation)?;
        }
        if let Some(again) = update.look_again {
            self.wait_to_look(desk, ticket, again)?;
        }
        match &update.over_limit {
            Some(rule) => self.queue_for_place(desk, ticket, rule, &update.limits, update.at)?,
            None => self.leave_queue(desk, ticket, &update.limits, update.at)?,
        }
        Ok(if started == Started::Left { Recorded::HandoffLeft } else { Recorded::Whole })
    }

    /// Whether somebody else was chosen among the team's members since this look chose one.
    fn lost_turn(&self, update: &CaseUpdate) -> Result<bool> {
        let Some(handoff) = &update.handoff else { return Ok(false) };
        let Some(turn) = &handoff.proposal.owner.turn else { return Ok(false) };
        let deciding = handoff.replaces.as_ref().unwrap_or(&handoff.id);
        let last = self.last_turn(&update.desk, &handoff.proposal.to, Some(deciding))?;
        Ok(handoff.state == HandoffState::Sending && last.map(|last| last.handoff) != turn.after)
    }

    /// Whether nobody has decided about the case's handoff since the look began.
    fn stands_as_read(&self, update: &CaseUpdate) -> Result<()> {
        let Some(AsRead(read)) = &update.as_read else { return Ok(()) };
        let now = self.latest_state(&update.desk, &update.ticket)?;
        if now == *read {
            return Ok(());
        }
        let shown = |handoff: &Option<(String, HandoffState)>| {
            handoff.as_ref().map_or("none".to_owned(), |(id, state)| format!("{id}, {}", state.name()))
        };
        Err(LedgerError::WrongState(format!("the handoff is another one now: {}, not {}", shown(&now), shown(read))))
    }

    /// Whether the policy that it was decided by is still the one in force.
    fn is_in_force(&self, update: &CaseUpdate) -> Result<()> {
        let (Some(by), Some(now)) = (&update.policy, self.policy_in_force()?) else { return Ok(()) };
        if *by == now {
            return Ok(());
        }
        Err(LedgerError::WrongState(format!("it was decided by the policy {by}, and {now} is in force now")))
    }

    fn put_case(&mut self, update: &CaseUpdate) -> Result<()> {
        let (desk, ticket, at) = (update.desk.as_str(), update.ticket.as_str(), millis(update.at));
        self.connection
            .prepare_cached(
                "INSERT INTO cases (desk, ticket, first_seen, counts, last_version, customer) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT (desk, ticket) DO UPDATE SET counts = max(counts, excluded.counts),
                     last_version = coalesce(excluded.last_version, last_version), customer = coalesce(excluded.customer, customer)",
            )?
            .execute(params![
                desk,
                ticket,
                at,
                update.counts,
                update.version.as_ref().map(Version::as_str),
                update.customer.as_ref().map(UserId::as_str)
            ])?;
        let over = match (&update.verdict, update.sight) {
            (_, Sight::Gone) => Some(true),
            (Some(verdict), _) => Some(verdict.outcome == Outcome::Stay(StayReason::Ended)),
            (None, _) => None,
        };
        if let Some(ended) = over {
            // When it was first seen to be over; one that is reopened is not over.
            self.connection
                .prepare_cached(
                    "UPDATE cases SET ended_at = CASE WHEN ?3 THEN ?4 END
                     WHERE desk = ?1 AND ticket = ?2 AND (ended_at IS NULL) = ?3",
                )?
                .execute(params![desk, ticket, ended, at])?;
            if ended {
                self.stop_waiting_at_all(&update.desk, &update.ticket)?;
            }
        }
        if !update.raw.is_empty() {
            self.connection
                .prepare_cached("INSERT INTO raws (desk, ticket, at, body) VALUES (?, ?, ?, ?)")?
                .execute(params![desk, ticket, at, pack(update.raw.as_bytes())?])?;
        }
        Ok(())
    }

    fn put_verdict(&mut self, update: &CaseUpdate, verdict: &Verdict) -> Result<()> {
        let key = [update.desk.as_str(), update.ticket.as_str()];
        self.connection
            .prepare_cached(
                "INSERT INTO verdicts (desk, ticket, at, policy, paused, verdict) VALUES (?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                key[0],
                key[1],
                millis(update.at),
                policy_version(verdict),
                verdict.is_paused(),
                pack(json("verdict", verdict)?.as_bytes())?
            ])?;
        self.connection
            .prepare_cached(
                "DELETE FROM verdicts WHERE desk = ?1 AND ticket = ?2 AND id <=
                     (SELECT id FROM verdicts WHERE desk = ?1 AND ticket = ?2 ORDER BY id DESC LIMIT 1 OFFSET ?3)",
            )?
            .execute(params![key[0], key[1], VERDICTS])?;
        Ok(())
    }

    /// The latest verdict on a case, with its instant.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn last_verdict(&self, desk: &DeskId, ticket: &TicketId) -> Result<Option<(Timestamp, serde_json::Value)>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT at, verdict FROM verdicts WHERE desk = ? AND ticket = ? ORDER BY id DESC LIMIT 1",
        )?;
        let row = statement
            .query_row([desk.as_str(), ticket.as_str()], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)))
            .optional()?;
        row.map(|(at, packed)| {
            let what = || format!("verdict on {desk}/{ticket}");
            let text = String::from_utf8(unpack(&packed)?).map_err(|error| unreadable(&what(), &error.utf8_error()))?;
            Ok((instant(at), from_json(what, &text)?))
        })
        .transpose()
    }
}

/// The policy's version, where something was proposed. Each rule's own version stands in the trace.
fn policy_version(verdict: &Verdict) -> Option<&str> {
    let proposed = match &verdict.outcome {
        Outcome::Stay(_) => verdict.would.first(),
        Outcome::Route(proposal) | Outcome::Escalate(proposal) => Some(&**proposal),
        Outcome::AskForParts { proposed, .. } | Outcome::AskPerson { proposed, .. } => Some(&**proposed),
    };
    proposed.map(|proposal| proposal.policy_version.as_str())
}
