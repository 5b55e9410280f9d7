//! Handoffs: storing new ones, what happens to them, and reading them back whole.

use super::codec::{from_json, instant, json, millis, sum, summed};
use super::error::{LedgerError, Result};
use super::open::Ledger;
use super::records::{EffectRecord, HandoffHappening, HandoffRecord, NewHandoff, Purpose, Rated};
use super::states::{EffectState, HandoffEvent, HandoffState};
use crate::plan::alert::About;
use crate::policy::command::Rating;
use crate::policy::names::{RuleName, TeamName};
use crate::policy::proposal::{HandoffKind, Package, Proposal};
use handoffd_kit::desk::DeskChange;
use handoffd_kit::id::{DeskId, TicketId};
use jiff::Timestamp;
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, params, params_from_iter};
use std::collections::BTreeSet;

const COLUMNS: &str = "id, state, proposal, risks, detail, created_at, sent_at, verify_at, claimed_at, claimed_by, approved_by, redecided, episode, ask_until, completeness, \
     rating, rated_by, rated_at, rating_reason, weak_triage_at, weak_triage_to, claim_due, unclaimed_steps, unclaimed_at, proposal_sum";

/// The handoff of a case that matters now.
const LATEST: &str = "FROM handoffs WHERE desk = ? AND ticket = ?
    AND (state IN ('asking', 'in_review', 'sending', 'verifying') OR state = 'settled' AND NOT EXISTS (
        SELECT 1 FROM stays s JOIN stays l ON l.desk = s.desk AND l.ticket = s.ticket AND l.id > s.id
        WHERE s.desk = handoffs.desk AND s.ticket = handoffs.ticket AND s.by_handoff = handoffs.id))
    ORDER BY state IN ('asking', 'in_review', 'sending') DESC, rowid DESC LIMIT 1";

/// Which handoffs to list.
#[derive(Clone, Debug, Default)]
pub struct HandoffFilter {
    /// In this state.
    pub state: Option<HandoffState>,
    /// Of this rule.
    pub rule: Option<RuleName>,
    /// On this desk.
    pub desk: Option<DeskId>,
    /// Of this ticket.
    pub ticket: Option<TicketId>,
    /// Only routes that were weak triage.
    pub weak_triage: bool,
    /// At most so many; none: 100.
    pub limit: Option<usize>,
}

impl HandoffFilter {
    /// What is asked, by the index that leaves the least to walk through, and the values that it is asked with.
    pub(super) fn query(&self) -> (String, Vec<Value>) {
        let text = |text: &str| Value::from(text.to_owned());
        let ended = self.state.is_some_and(|state| !state.is_open());
        let index = match (&self.ticket, &self.desk, &self.rule) {
            (Some(_), Some(_), _) => "handoffs_case",
            _ if self.weak_triage => "handoffs_weak",
            // Few are open at a time; of those that have ended, one rule's are fewer.
            (_, _, Some(_)) if self.state.is_none() || ended => "handoffs_rule",
            _ if self.state.is_some() => "handoffs_state",
            _ => "handoffs_newest",
        };
        let wanted = [
            ("state = ?", self.state.map(|state| text(state.name()))),
            ("rule = ?", self.rule.as_ref().map(|rule| text(rule.as_str()))),
            ("desk = ?", self.desk.as_ref().map(|desk| text(desk.as_str()))),
            ("ticket = ?", self.ticket.as_ref().map(|ticket| text(ticket.as_str()))),
        ];
        let weak = self.weak_triage.then_some("weak_triage_at IS NOT NULL");
        let asked: Vec<&str> =
            wanted.iter().filter(|(_, value)| value.is_some()).map(|(words, _)| *words).chain(weak).collect();
        let where_ = if asked.is_empty() { String::new() } else { format!("WHERE {} ", asked.join(" AND ")) };
        let sql = format!(
            "SELECT {COLUMNS} FROM handoffs INDEXED BY {index} {where_}ORDER BY created_at DESC, rowid DESC LIMIT ?"
        );
        let limit = i64::try_from(self.limit.unwrap_or(100)).unwrap_or(i64::MAX);
        (sql, wanted.into_iter().filter_map(|(_, value)| value).chain([Value::from(limit)]).collect())
    }
}

impl Ledger {
    /// The handoff of a case that matters now: the open one, or the latest that was sent and whose receiving stay is not
    /// over. What happened after that stay is no answer to it any more.
    pub(super) fn latest_handoff(&self, desk: &DeskId, ticket: &TicketId) -> Result<Option<HandoffRecord>> {
        let mut statement = self.connection.prepare_cached(&format!("SELECT {COLUMNS} {LATEST}"))?;
        let mut rows = statement.query([desk.as_str(), ticket.as_str()])?;
        rows.next()?.map(|row| self.read_handoff(row)).transpose()
    }

    /// The same handoff's id, and where it stands.
    pub(super) fn latest_state(&self, desk: &DeskId, ticket: &TicketId) -> Result<Option<(String, HandoffState)>> {
        let mut statement = self.connection.prepare_cached(&format!("SELECT id, state {LATEST}"))?;
        let row = statement.query_row([desk.as_str(), ticket.as_str()], |row| Ok((row.get(0)?, row.get(1)?)));
        let row: Option<(String, String)> = row.optional()?;
        row.map(|(id, state)| named(&id, &state).map(|state| (id, state))).transpose()
    }

    /// How many handoffs have ended, by rule and episode.
    pub(super) fn ended_handoffs(&self, desk: &DeskId, ticket: &TicketId) -> Result<Vec<(RuleName, String, u32)>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT rule, episode, count(*) FROM handoffs WHERE desk = ? AND ticket = ?
             AND state NOT IN ('asking', 'in_review', 'sending') GROUP BY rule, episode",
        )?;
        let rows = statement.query_map([desk.as_str(), ticket.as_str()], |row| {
            Ok((RuleName::new(row.get::<_, String>(0)?), row.get(1)?, row.get(2)?))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The ids of all handoffs of this case.
    pub(super) fn handoff_ids(&self, desk: &DeskId, ticket: &TicketId) -> Result<BTreeSet<String>> {
        let mut statement = self.connection.prepare_cached("SELECT id FROM handoffs WHERE desk = ? AND ticket = ?")?;
        let ids = statement.query_map([desk.as_str(), ticket.as_str()], |row| row.get(0))?;
        Ok(ids.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether a handoff that has ended moved the case out of this stay.
    pub(super) fn taken_away(&self, desk: &DeskId, ticket: &TicketId, episode: Option<&str>) -> Result<bool> {
        let Some(episode) = episode else { return Ok(false) };
        let ids = {
            let mut statement = self.connection.prepare_cached(
                "SELECT id FROM handoffs WHERE desk = ? AND ticket = ? AND episode = ? AND first_sent_at IS NOT NULL
                 AND state IN ('undone', 'rejected', 'contested', 'bounced', 'withdrawn')",
            )?;
            let rows = statement.query_map([desk.as_str(), ticket.as_str(), episode], |row| row.get(0))?;
            rows.collect::<rusqlite::Result<Vec<String>>>()?
        };
        for id in ids {
            match self.effects_of(&id) {
                Ok(effects) if effects.iter().any(has_moved) => return Ok(true),
                // One that cannot be read was given up by hand.
                Ok(_) | Err(LedgerError::Unreadable { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(false)
    }

    fn read_handoff(&self, row: &Row<'_>) -> Result<HandoffRecord> {
        let id: String = row.get(0)?;
        let what = || format!("handoff {id}");
        let approved_by: Option<String> = row.get(10)?;
        let claimed = row.get::<_, Option<i64>>(8)?.map(instant).zip(row.get(9)?);
        let proposal: Proposal = from_json(what, summed(what, &row.get::<_, String>(2)?, row.get(24)?)?)?;
        Ok(HandoffRecord {
            state: named(&id, &row.get::<_, String>(1)?)?,
            // The column knows when an episode that stood in for the real one was found out.
            proposal: Proposal { episode: row.get(12)?, ..proposal },
            risks: from_json(what, &row.get::<_, String>(3)?)?,
            detail: row.get(4)?,
            created_at: instant(row.get(5)?),
            sent_at: row.get::<_, Option<i64>>(6)?.map(instant),
            verify_at: row.get::<_, Option<i64>>(7)?.map(instant),
            claimed,
            approved: if approved_by.is_some() { self.yes_to(&id)? } else { None },
            approved_by,
            ask_until: row.get::<_, Option<i64>>(13)?.map(instant),
            completeness: row.get(14)?,
            redecided: row.get(11)?,
            rated: rated(row)?,
            weak_triage: row
                .get::<_, Option<i64>>(19)?
                .map(instant)
                .zip(row.get::<_, Option<String>>(20)?.map(TeamName::new)),
            claim_due: row.get::<_, Option<i64>>(21)?.map(instant),
            unclaimed_steps: row.get(22)?,
            unclaimed_at: row.get::<_, Option<i64>>(23)?.map(instant),
            effects: self.effects_of(&id)?,
            id,
        })
    }

    /// When somebody said yes, and why, as the record of acts has it.
    fn yes_to(&self, id: &str) -> Result<Option<(Timestamp, Option<String>)>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT at, reason FROM acts INDEXED BY acts_about WHERE about = ? AND what = 'approve' ORDER BY id DESC LIMIT 1",
        )?;
        Ok(statement.query_row([id], |row| Ok((instant(row.get(0)?), row.get(1)?))).optional()?)
    }

    /// One handoff.
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], SQLite's, or a row that cannot be read.
    pub fn handoff(&self, id: &str) -> Result<HandoffRecord> {
        self.find_handoff(id)?.ok_or_else(|| LedgerError::NotFound(format!("handoff {id}")))
    }

    pub(super) fn find_handoff(&self, id: &str) -> Result<Option<HandoffRecord>> {
        let mut statement = self.connection.prepare_cached(&format!("SELECT {COLUMNS} FROM handoffs WHERE id = ?"))?;
        let mut rows = statement.query([id])?;
        rows.next()?.map(|row| self.read_handoff(row)).transpose()
    }

    /// Handoffs, newest first: found by an index in their order, so that no more are read than are asked for.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn handoffs(&self, filter: &HandoffFilter) -> Result<Vec<HandoffRecord>> {
        let (sql, values) = filter.query();
        let mut statement = self.connection.prepare_cached(&sql)?;
        let mut rows = statement.query(params_from_iter(values))?;
        let mut handoffs = Vec::new();
        while let Some(row) = rows.next()? {
            match self.read_handoff(row) {
                // Its case is listed in `parked list`; the others are shown.
                Err(error @ LedgerError::Unreadable { .. }) => {
                    tracing::error!(error = %error, "ledger.handoff_unreadable");
                }
                handoff => handoffs.push(handoff?),
            }
        }
        Ok(handoffs)
    }

    /// Stores a new handoff, or decides one of the same id anew that has sent nothing: same keys, newer ticket.
    ///
    /// # Errors
    /// [`LedgerError::WrongState`] where another open handoff of the case stands in the way.
    pub(super) fn start_handoff(&mut self, new: &NewHandoff, released: bool, now: Timestamp) -> Result<Started> {
        if let Some(replaced) = new.replaces.as_ref().filter(|replaced| **replaced != new.id) {
            self.supersede(replaced, &new.id, now)?;
        }
        match self.find_handoff(&new.id)? {
            Some(known) if known.state.is_open() && !known.has_sent() => {
                self.decide_anew(&known, new, now)?;
                Ok(Started::Here)
            }
            Some(_) => Ok(Started::Left),
            None => {
                self.insert_handoff(new, released, now)?;
                Ok(Started::Here)
            }
        }
    }

    fn supersede(&mut self, replaced: &str, by: &str, now: Timestamp) -> Result<()> {
        if self.handoff(replaced)?.has_sent() {
            return Err(LedgerError::WrongState(format!(
                "handoff {replaced} has begun to send and cannot be replaced"
            )));
        }
        let happening = HandoffHappening {
            handoff: replaced.to_owned(),
            event: Some(HandoffEvent::Withdrawn),
            detail: Some(format!("superseded by {by} before anything was sent")),
            claimed: None,
            drop_effects: true,
            closing_note: None,
        };
        self.happen(&happening, now)
    }

    fn insert_handoff(&mut self, new: &NewHandoff, released: bool, now: Timestamp) -> Result<()> {
        let proposal = &new.proposal;
        self.clear_the_way(&proposal.desk, &proposal.ticket)?;
        // The way back is an agent's own decision: no rule's limit counts it.
        let counted = new.state == HandoffState::Sending && proposal.kind != HandoffKind::Back;
        let started_at = counted.then_some(millis(now));
        let text = json("proposal", proposal)?;
        self.connection
            .prepare_cached(
                "INSERT INTO handoffs (id, desk, ticket, kind, rule, episode, state, proposal, proposal_sum, risks, created_at, started_at, released,
                     completeness, ask_until, to_team, assigned, fell_back, review_due)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            )?
            .execute(params![
                new.id,
                proposal.desk.as_str(),
                proposal.ticket.as_str(),
                proposal.kind.name(),
                proposal.rule.as_str(),
                proposal.episode,
                new.state.name(),
                text,
                sum(&text),
                json("risks", &new.risks)?,
                millis(now),
                started_at,
                released,
                completeness(new),
                new.ask_until.map(millis),
                proposal.to.as_str(),
                taken(proposal),
                proposal.owner.fallback.is_some(),
                review_due(proposal)
            ])?;
        self.add_effects(&new.id, &new.effects, purpose_in(new.state), now)?;
        self.tell_if_in_review(new, now)?;
        self.look_if_over(&new.id, now)
    }

    /// Whoever decides about a handoff is told that it waits for them.
    fn tell_if_in_review(&mut self, new: &NewHandoff, now: Timestamp) -> Result<()> {
        match new.state {
            HandoffState::InReview => {
                self.tell(&new.proposal, &new.id, &About::of_review(&new.proposal, &new.risks), now)
            }
            _ => Ok(()),
        }
    }

    /// A handoff with nothing to write is compared at once.
    pub(super) fn look_if_over(&mut self, id: &str, now: Timestamp) -> Result<()> {
        let handoff = self.handoff(id)?;
        if self.sent_if_over(&handoff, now, now)? {
            self.wait_to_look(&handoff.proposal.desk, &handoff.proposal.ticket, now)?;
        }
        Ok(())
    }

    /// One open handoff per case. One that is only waiting to be compared is done with when the next is decided.
    fn clear_the_way(&mut self, desk: &DeskId, ticket: &TicketId) -> Result<()> {
        let others: Vec<(String, String)> = {
            let mut statement = self.connection.prepare_cached(
                "SELECT id, state FROM handoffs WHERE desk = ? AND ticket = ?
                 AND state IN ('asking', 'in_review', 'sending', 'verifying')",
            )?;
            let rows = statement.query_map([desk.as_str(), ticket.as_str()], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        for (id, state) in others {
            if named(&id, &state)?.is_open() {
                return Err(LedgerError::WrongState(format!("handoff {id} of this case is {state}")));
            }
            self.step_handoff(&id, HandoffEvent::Verified)?;
        }
        Ok(())
    }

    fn decide_anew(&mut self, known: &HandoffRecord, new: &NewHandoff, now: Timestamp) -> Result<()> {
        let changed = match (known.state, new.state) {
            (HandoffState::Sending, HandoffState::InReview) => {
                self.step_handoff(&known.id, HandoffEvent::ReviewNeeded)?;
                self.replan(known, &[], Purpose::Handoff, now)?;
                true
            }
            (HandoffState::Asking, HandoffState::Asking) => self.replan(known, &new.effects, Purpose::Asking, now)?,
            (HandoffState::Asking, _) => self.asked_enough(known, new, now)?,
            (HandoffState::Sending, _) => self.replan(known, &new.effects, Purpose::Handoff, now)?,
            // What a person is asked is brought up to date; the answer plans the effects.
            _ => true,
        };
        self.put_proposal(&known.id, &new.proposal)?;
        if known.state != HandoffState::InReview {
            self.tell_if_in_review(new, now)?;
        }
        self.connection
            .prepare_cached("UPDATE handoffs SET risks = ?, redecided = redecided + ?, completeness = ? WHERE id = ?")?
            .execute(params![json("risks", &new.risks)?, changed, completeness(new), known.id])?;
        Ok(())
    }

    /// What a handoff is to do now, with what the ledger asks of it.
    pub(super) fn put_proposal(&mut self, id: &str, proposal: &Proposal) -> Result<()> {
        let text = json("proposal", proposal)?;
        self.connection
            .prepare_cached(
                "UPDATE handoffs SET proposal = ?, proposal_sum = ?, assigned = ?, fell_back = ?, review_due = ? WHERE id = ?",
            )?
            .execute(params![
                text,
                sum(&text),
                taken(proposal),
                proposal.owner.fallback.is_some(),
                review_due(proposal),
                id
            ])?;
        Ok(())
    }

    /// A handoff that asked for package parts goes on: they are there, or the time for them is over.
    fn asked_enough(&mut self, known: &HandoffRecord, new: &NewHandoff, now: Timestamp) -> Result<bool> {
        let (event, started_at) = match new.state {
            HandoffState::InReview => (HandoffEvent::ReviewNeeded, None),
            _ => (HandoffEvent::Approved, Some(millis(now))),
        };
        self.step_handoff(&known.id, event)?;
        self.drop_asking(&known.id, Some("it is not asked for any more"))?;
        self.connection
            .prepare_cached("UPDATE handoffs SET started_at = ? WHERE id = ?")?
            .execute(params![started_at, known.id])?;
        self.add_effects(&known.id, &new.effects, Purpose::Handoff, now)?;
        self.look_if_over(&known.id, now)?;
        Ok(true)
    }

    /// Something happened to a handoff.
    pub(super) fn happen(&mut self, happening: &HandoffHappening, now: Timestamp) -> Result<()> {
        let was = self.handoff_state(&happening.handoff)?;
        let now_in = match happening.event {
            Some(event) => self.step_handoff(&happening.handoff, event)?,
            None => was,
        };
        self.connection
            .prepare_cached(
                "UPDATE handoffs SET detail = coalesce(?2, detail), claimed_at = coalesce(claimed_at, ?3),
                     claimed_by = coalesce(claimed_by, ?4) WHERE id = ?1",
            )?
            .execute(params![
                happening.handoff,
                happening.detail,
                happening.claimed.as_ref().map(|(at, _)| millis(*at)),
                happening.claimed.as_ref().map(|(_, who)| who)
            ])?;
        if was == HandoffState::Asking && now_in != was {
            self.drop_asking(&happening.handoff, happening.detail.as_deref())?;
        }
        if happening.claimed.is_some() {
            self.stop_waiting(&happening.handoff)?;
            self.close_handed_over(&happening.handoff)?;
        }
        if now_in.has_ended() && !was.has_ended() {
            self.wait_again(&happening.handoff, now_in == HandoffState::Rejected, now)?;
        }
        if now_in.has_ended() {
            self.end_task(&happening.handoff, "nobody: the handoff has ended", now)?;
        }
        if happening.drop_effects || now_in.has_ended() {
            self.drop_effects(&happening.handoff, happening.detail.as_deref())?;
        }
        if let Some(note) = &happening.closing_note {
            self.add_effects(&happening.handoff, std::slice::from_ref(note), Purpose::Apart, now)?;
        }
        Ok(())
    }

    /// Takes one step of a handoff's states.
    pub(super) fn step_handoff(&mut self, id: &str, event: HandoffEvent) -> Result<HandoffState> {
        let was = self.handoff_state(id)?;
        let next = was.after(event)?;
        self.connection.prepare_cached("UPDATE handoffs SET state = ? WHERE id = ?")?.execute([next.name(), id])?;
        if was == HandoffState::InReview {
            self.close_review(id)?;
        }
        if next.has_ended() {
            self.stop_waiting(id)?;
            self.close_handed_over(id)?;
        }
        Ok(next)
    }

    /// Where a handoff stands.
    pub(super) fn handoff_state(&self, id: &str) -> Result<HandoffState> {
        let mut statement = self.connection.prepare_cached("SELECT state FROM handoffs WHERE id = ?")?;
        let state: Option<String> = statement.query_row([id], |row| row.get(0)).optional()?;
        named(id, &state.ok_or_else(|| LedgerError::NotFound(format!("handoff {id}")))?)
    }
}

/// Whether this effect has carried a case to another queue.
pub(super) fn has_moved(effect: &EffectRecord) -> bool {
    moves(effect) && effect.state == EffectState::Done
}

/// Whether this effect has carried a case to another queue, or nobody can tell yet. One that was dropped has been looked for
/// before, or given up by a person: where it did arrive, the case lies elsewhere.
pub(super) fn may_have_moved(effect: &EffectRecord) -> bool {
    let over = matches!(effect.state, EffectState::Dropped | EffectState::Refused);
    moves(effect) && !over && !effect.is_untouched()
}

fn moves(effect: &EffectRecord) -> bool {
    let moves = matches!(&effect.write.change, DeskChange::Update(update) if update.queue.is_some());
    effect.purpose == Purpose::Handoff && moves
}

/// What the effects are for that come with a handoff in this state.
fn purpose_in(state: HandoffState) -> Purpose {
    if state == HandoffState::Asking { Purpose::Asking } else { Purpose::Handoff }
}

fn completeness(new: &NewHandoff) -> Option<f64> {
    new.proposal.package.as_ref().map(Package::completeness)
}

fn rated(row: &Row<'_>) -> Result<Option<Rated>> {
    let rating: Option<String> = row.get(15)?;
    let (Some(rating), Some(at)) = (rating.as_deref().and_then(Rating::named), row.get::<_, Option<i64>>(17)?) else {
        return Ok(None);
    };
    Ok(Some(Rated { rating, by: row.get(16)?, at: instant(at), reason: row.get(18)? }))
}

/// Until when a review is to be answered.
fn review_due(proposal: &Proposal) -> Option<i64> {
    proposal.review.as_ref().map(|plan| millis(plan.until.at))
}

/// Whom a choice among the team's members took.
fn taken(proposal: &Proposal) -> Option<&str> {
    proposal.owner.turn.as_ref().map(|turn| turn.taken.as_str())
}

fn named(id: &str, state: &str) -> Result<HandoffState> {
    HandoffState::named(state)
        .ok_or_else(|| LedgerError::Unreadable { what: format!("handoff {id}"), why: "an unknown state".into() })
}

/// What became of a decided handoff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Started {
    /// It is stored.
    Here,
    /// Something of it was sent, or it has ended: it was left as it is.
    Left,
}
