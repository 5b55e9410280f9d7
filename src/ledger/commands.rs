//! Commands that agents gave inside the helpdesk: each is handled once, in the transaction of the look that heard it, with
//! everything that it orders and with its answer. How far a case's history was read for them is kept with the case, so
//! that neither an old note nor one that is edited afterwards orders anything.

use super::codec::{from_json, instant, json, millis};
use super::error::Result;
use super::open::Ledger;
use super::people::{Act, ends};
use super::records::{CaseUpdate, HandoffRecord, NewHandoff, Purpose, ReviewAnswer};
use super::states::HandoffEvent;
use crate::plan::PlannedEffect;
use crate::policy::case::{ClosedBy, Request};
use crate::policy::command::Rating;
use crate::policy::proposal::Package;
use handoffd_kit::id::{ChangeId, DeskId, TicketId, UserId};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use serde::Serialize;
use std::collections::BTreeSet;

/// How far a case's history was read for commands.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeardBefore {
    /// The newest change that was read, with its instant.
    pub up_to: Option<(ChangeId, Timestamp)>,
    /// The commands that were handled.
    pub ids: BTreeSet<String>,
}

/// What a look heard.
#[derive(Clone, Debug, Default)]
pub struct Heard {
    /// The history was read up to here; none: it was not, or not to its end.
    pub up_to: Option<(ChangeId, Timestamp)>,
    /// The commands that were handled, oldest first.
    pub commands: Vec<HandledCommand>,
    /// What an agent asked for, as it stands now; none: as before.
    pub request: Option<Request>,
    /// Answers to what was asked for earlier.
    pub told: Vec<PlannedEffect>,
}

/// A command, and what was done about it.
#[derive(Clone, Debug)]
pub struct HandledCommand {
    /// Its id.
    pub id: String,
    /// The change that it was given in.
    pub change: ChangeId,
    /// Where in it: `note`, or `label NAME`.
    pub place: String,
    /// Its word.
    pub verb: &'static str,
    /// Who gave it, in words.
    pub by: String,
    /// Who gave it, as the desk knows them.
    pub by_id: Option<UserId>,
    /// When.
    pub given_at: Timestamp,
    /// What it came to.
    pub outcome: CommandOutcome,
    /// What was done, or why not.
    pub words: String,
    /// The handoff that it is about.
    pub handoff: Option<String>,
    /// Its answer, and the removal of its label.
    pub effects: Vec<PlannedEffect>,
    /// What changes with it.
    pub deed: Deed,
    /// Another version of the package of the handoff that it is about, made before that.
    pub edit: Option<Box<Package>>,
}

/// What a command came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CommandOutcome {
    /// It was carried out.
    Done,
    /// It was taken; rules decide on it next.
    Taken,
    /// It was refused, and the answer says why.
    Refused,
    /// It was given where nothing is ever done.
    Ignored,
}

impl CommandOutcome {
    /// The word: in SQL and in lists.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Taken => "taken",
            Self::Refused => "refused",
            Self::Ignored => "ignored",
        }
    }
}

/// What changes in the ledger with a command.
#[derive(Clone, Debug)]
pub enum Deed {
    /// Nothing, or only what the update says already.
    Nothing,
    /// A review is approved.
    Approve(ReviewAnswer),
    /// A review is rejected.
    Reject(ReviewAnswer),
    /// A review was approved when it no longer fitted.
    EndStale {
        /// Which handoff.
        handoff: String,
        /// Why it did not fit.
        why: String,
        /// The note that says so.
        note: Option<Box<PlannedEffect>>,
    },
    /// The receiving team rejects a handoff that was sent: the case goes back.
    GiveBack {
        /// Which handoff.
        handoff: String,
        /// Why.
        reason: String,
        /// What puts the case back.
        effects: Vec<PlannedEffect>,
    },
    /// The receiving team has done what this handoff asked for: its rule does not send the case again as things stand.
    Finish {
        /// Which handoff.
        handoff: String,
    },
    /// The package of a handoff is rated.
    Rate {
        /// Which handoff.
        handoff: String,
        /// How good it was.
        rating: Rating,
        /// Why, where they said.
        reason: Option<String>,
    },
}

/// A handled command as stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CommandRecord {
    /// Its id.
    pub id: String,
    /// Its word.
    pub verb: String,
    /// Where it was given: `note`, or `label NAME`.
    pub place: String,
    /// Who gave it.
    pub by: String,
    /// When.
    pub given_at: Timestamp,
    /// When it was read.
    pub heard_at: Timestamp,
    /// What it came to.
    pub outcome: String,
    /// What was done, or why not.
    pub words: String,
    /// The handoff that it is about.
    pub handoff: Option<String>,
}

impl Ledger {
    /// The commands of a case, oldest first.
    ///
    /// # Errors
    /// SQLite's.
    pub fn commands(&self, desk: &DeskId, ticket: &TicketId) -> Result<Vec<CommandRecord>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, verb, place, by, given_at, outcome, words, handoff, heard_at FROM commands
             WHERE desk = ? AND ticket = ? ORDER BY heard_at, rowid",
        )?;
        let rows = statement.query_map([desk.as_str(), ticket.as_str()], |row| {
            Ok(CommandRecord {
                id: row.get(0)?,
                verb: row.get(1)?,
                place: row.get(2)?,
                by: row.get(3)?,
                given_at: instant(row.get(4)?),
                outcome: row.get(5)?,
                words: row.get(6)?,
                handoff: row.get(7)?,
                heard_at: instant(row.get(8)?),
            })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// How far a case's history was read for commands.
    pub(super) fn heard_before(&self, desk: &DeskId, ticket: &TicketId) -> Result<HeardBefore> {
        let mut statement =
            self.connection.prepare_cached("SELECT heard_change, heard_at FROM cases WHERE desk = ? AND ticket = ?")?;
        let row = statement.query_row([desk.as_str(), ticket.as_str()], |row| {
            let change = row.get::<_, Option<String>>(0)?.map(ChangeId::new);
            Ok(change.zip(row.get::<_, Option<i64>>(1)?.map(instant)))
        });
        let Some(up_to) = row.optional()? else { return Ok(HeardBefore::default()) };
        let mut statement = self.connection.prepare_cached("SELECT id FROM commands WHERE desk = ? AND ticket = ?")?;
        let ids = statement.query_map([desk.as_str(), ticket.as_str()], |row| row.get(0))?;
        Ok(HeardBefore { up_to, ids: ids.collect::<rusqlite::Result<_>>()? })
    }

    /// What an agent last asked for. One that has led to a handoff stands only while that one has sent nothing.
    pub(super) fn request(
        &self,
        desk: &DeskId,
        ticket: &TicketId,
        open: Option<&HandoffRecord>,
    ) -> Result<Option<Request>> {
        let mut statement =
            self.connection.prepare_cached("SELECT request FROM cases WHERE desk = ? AND ticket = ?")?;
        let text = statement
            .query_row([desk.as_str(), ticket.as_str()], |row| row.get::<_, Option<String>>(0))
            .optional()?
            .flatten();
        let Some(text) = text else { return Ok(None) };
        let mut request: Request = from_json(|| format!("what was asked for on {desk}/{ticket}"), &text)?;
        if let Some(led_to) = &request.led_to {
            request.open &= open.is_some_and(|open| open.id == *led_to && !open.has_sent());
        }
        Ok(Some(request))
    }

    /// The handoff that brought the case where it is, as far as it stands.
    pub(super) fn came_by(
        &self,
        desk: &DeskId,
        ticket: &TicketId,
        latest: Option<&HandoffRecord>,
    ) -> Result<Option<Box<HandoffRecord>>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT by_handoff FROM stays WHERE desk = ? AND ticket = ? ORDER BY id DESC LIMIT 1")?;
        let by = statement
            .query_row([desk.as_str(), ticket.as_str()], |row| row.get::<_, Option<String>>(0))
            .optional()?
            .flatten();
        let Some(by) = by else { return Ok(None) };
        let record = match latest.filter(|latest| latest.id == by) {
            Some(latest) => Some(latest.clone()),
            None => self.find_handoff(&by)?,
        };
        Ok(record.filter(|record| !record.state.has_ended()).map(Box::new))
    }

    /// The handoffs of a case that gave it back as done.
    pub(super) fn backs(&self, desk: &DeskId, ticket: &TicketId) -> Result<BTreeSet<String>> {
        let mut statement = self
            .connection
            .prepare_cached("SELECT id FROM handoffs WHERE desk = ? AND ticket = ? AND kind = 'back'")?;
        let ids = statement.query_map([desk.as_str(), ticket.as_str()], |row| row.get(0))?;
        Ok(ids.collect::<rusqlite::Result<_>>()?)
    }

    /// Records what a look heard, as a part of its transaction.
    pub(super) fn record_heard(&mut self, update: &CaseUpdate) -> Result<()> {
        let heard = &update.heard;
        let request = heard.request.as_ref().map(|request| json("what was asked for", request)).transpose()?;
        self.connection
            .prepare_cached(
                "UPDATE cases SET heard_change = coalesce(?3, heard_change), heard_at = coalesce(?4, heard_at),
                     request = coalesce(?5, request) WHERE desk = ?1 AND ticket = ?2",
            )?
            .execute(params![
                update.desk.as_str(),
                update.ticket.as_str(),
                heard.up_to.as_ref().map(|(change, _)| change.as_str()),
                heard.up_to.as_ref().map(|(_, at)| millis(*at)),
                request
            ])?;
        for command in &heard.commands {
            self.record_command(update, command)?;
        }
        self.add_answers(&update.desk, &update.ticket, &heard.told, update.at)
    }

    fn record_command(&mut self, update: &CaseUpdate, command: &HandledCommand) -> Result<()> {
        let new = self
            .connection
            .prepare_cached(
                "INSERT INTO commands (id, desk, ticket, change, place, verb, by, by_id, given_at, heard_at, outcome, words, handoff)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING",
            )?
            .execute(params![
                command.id,
                update.desk.as_str(),
                update.ticket.as_str(),
                command.change.as_str(),
                command.place,
                command.verb,
                command.by,
                command.by_id.as_ref().map(UserId::as_str),
                millis(command.given_at),
                millis(update.at),
                command.outcome.name(),
                command.words,
                command.handoff
            ])?;
        if new == 0 {
            return Ok(());
        }
        if command.outcome != CommandOutcome::Ignored {
            let act = Act { by: command.by.clone(), reason: None, at: update.at };
            self.note_act(&act, &format!("/{} {}", command.verb, command.outcome.name()), &command.id)?;
        }
        self.edit_by_command(update, command)?;
        self.carry_out(update, command)?;
        self.add_answers(&update.desk, &update.ticket, &command.effects, update.at)
    }

    /// An agent named the parts that they edited, and all others stay as they are: whichever version travels now is theirs to edit.
    fn edit_by_command(&mut self, update: &CaseUpdate, command: &HandledCommand) -> Result<()> {
        let Some((package, handoff)) = command.edit.as_ref().zip(command.handoff.as_ref()) else { return Ok(()) };
        let act = Act { by: command.by.clone(), reason: None, at: update.at };
        let of = self.package_version(handoff)?;
        self.edit_package(handoff, of, package, &act).map(drop)
    }

    /// What a look makes of a review that waits: people are reminded, or its time is over.
    pub(super) fn wait_for_answer(&mut self, update: &CaseUpdate) -> Result<()> {
        if let Some((review, note)) = &update.remind {
            self.plan_anew(review, std::slice::from_ref(note), Purpose::Reminder, update.at)?;
        }
        if let Some(more) = &update.offers_more {
            self.offer_more(more, update.at)?;
        }
        update.unanswered.as_ref().map_or(Ok(()), |deed| self.answer(deed, update.at))
    }

    /// What a person has chosen carries out what an agent asked for, where it does: it is on its way.
    pub(super) fn carries_out(&mut self, chosen: &NewHandoff) -> Result<()> {
        let (desk, ticket) = (&chosen.proposal.desk, &chosen.proposal.ticket);
        let Some(asked) = &chosen.proposal.asked else { return Ok(()) };
        let Some(request) = self.request(desk, ticket, None)?.filter(|request| request.command == asked.command) else {
            return Ok(());
        };
        let text = json("what was asked for", &Request { led_to: Some(chosen.id.clone()), ..request })?;
        self.connection
            .prepare_cached("UPDATE cases SET request = ?3 WHERE desk = ?1 AND ticket = ?2")?
            .execute(params![desk.as_str(), ticket.as_str(), text])?;
        Ok(())
    }

    /// What becomes of a review: a person has answered, or its time is over and no answer means this.
    fn answer(&mut self, deed: &Deed, at: Timestamp) -> Result<()> {
        match deed {
            Deed::Approve(answer) => self.approve(answer),
            Deed::Reject(answer) => self.reject(answer),
            Deed::EndStale { handoff, why, note } => self.end_stale_review(handoff, why, note.as_deref().cloned(), at),
            Deed::Nothing | Deed::GiveBack { .. } | Deed::Rate { .. } | Deed::Finish { .. } => Ok(()),
        }
    }

    fn carry_out(&mut self, update: &CaseUpdate, command: &HandledCommand) -> Result<()> {
        let act = |reason: &Option<String>| Act { by: command.by.clone(), reason: reason.clone(), at: update.at };
        match &command.deed {
            Deed::Nothing => Ok(()),
            deed @ (Deed::Approve(_) | Deed::Reject(_) | Deed::EndStale { .. }) => self.answer(deed, update.at),
            Deed::GiveBack { handoff, reason, effects } => {
                let record = self.handoff(handoff)?;
                let detail = format!("rejected by {}: {reason}", command.by);
                self.happen(&ends(handoff, HandoffEvent::Rejected, detail), update.at)?;
                self.close_path_of(&record, ClosedBy::Rejection, update.at)?;
                self.add_effects(handoff, effects, Purpose::Apart, update.at)?;
                self.note_act(&act(&Some(reason.clone())), "reject", handoff)
            }
            Deed::Finish { handoff } => {
                let record = self.handoff(handoff)?;
                self.close_path_of(&record, ClosedBy::Back, update.at)
            }
            Deed::Rate { handoff, rating, reason } => {
                self.connection
                    .prepare_cached(
                        "UPDATE handoffs SET rating = ?, rated_by = ?, rated_at = ?, rating_reason = ? WHERE id = ?",
                    )?
                    .execute(params![rating.name(), command.by, millis(update.at), reason, handoff])?;
                self.note_act(&act(reason), &format!("rate {}", rating.name()), handoff)
            }
        }
    }
}
