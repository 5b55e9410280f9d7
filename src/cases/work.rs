//! Works one look off: reads the desk as far as `examine` asks for, then records everything in one transaction.

use super::examine::{Look, Step, examine};
use super::unknowns::Unknowns;
use crate::desks::{Desks, Station};
use crate::ledger::records::{CaseRecord, CaseUpdate, DeskTrouble, HandoffHappening, SignedWording};
use crate::ledger::states::HandoffEvent;
use crate::ledger::{Handle, LedgerError, records};
use crate::policy::rules::Policy;
use handoffd_kit::error::{DeskError, DeskErrorKind};
use handoffd_kit::id::{DeskId, TicketId};
use handoffd_kit::model::{PartSet, Parts, TicketHead};
use handoffd_kit::settings::Seams;
use jiff::Timestamp;
use std::sync::Arc;

/// How often `decide` may ask for more before we give up on a look: each kind of part once, and the end.
const ROUNDS: usize = 6;

/// What works looks off.
#[derive(Clone)]
pub struct Cases {
    /// Where everything is remembered.
    pub ledger: Handle,
    /// The helpdesks.
    pub desks: Desks,
    /// The policy.
    pub policy: Arc<Policy>,
    /// Time and chance.
    pub seams: Seams,
    /// How often conditions could not be told.
    pub unknowns: Unknowns,
}

/// A ticket as it was read for one look.
pub struct ReadCase {
    /// What the ledger knows.
    pub record: CaseRecord,
    /// Signed wordings.
    pub signed: Vec<SignedWording>,
    /// When this desk was first met.
    pub desk_met: Timestamp,
    /// The head.
    pub head: TicketHead,
    /// When it was read.
    pub read_at: Timestamp,
    /// The parts.
    pub parts: Parts,
    /// Parts that the desk did not give.
    pub refused: PartSet,
}

/// Why a look could not be finished.
pub enum Trouble {
    /// The desk failed.
    Desk(DeskError),
    /// The ledger failed.
    Ledger(LedgerError),
}

impl From<DeskError> for Trouble {
    fn from(error: DeskError) -> Self {
        Self::Desk(error)
    }
}

impl From<LedgerError> for Trouble {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error)
    }
}

impl Cases {
    /// Finishes a look, or puts it off.
    ///
    /// # Errors
    /// Only the ledger's: what a desk does wrong is recorded and looked at again.
    pub async fn work(&self, look: records::Look) -> Result<(), LedgerError> {
        let Some(station) = self.desks.get(&look.desk) else { return self.forget_look(&look).await };
        match self.finish(station, &look).await {
            Ok(()) => {
                station.answered();
                Ok(())
            }
            Err(Trouble::Ledger(error)) => Err(error),
            Err(Trouble::Desk(error)) => self.put_off(station, &look, error).await,
        }
    }

    async fn finish(&self, station: &Station, look: &records::Look) -> Result<(), Trouble> {
        let deadline = look.due;
        let mut read = self.begin(station, &look.desk, &look.ticket, look.head.clone(), deadline).await?;
        let update = self.conclude(station, &look.desk, &mut read, Some(look.generation), deadline).await?;
        self.unknowns.note(update.verdict.as_ref());
        self.ledger.call(move |ledger| ledger.record_case(&update)).await?;
        Ok(())
    }

    /// Reads what the ledger knows and the ticket's head (unless a poll page has just brought it).
    ///
    /// # Errors
    /// The desk's or the ledger's.
    pub async fn begin(
        &self,
        station: &Station,
        desk: &DeskId,
        ticket: &TicketId,
        head: Option<(Box<TicketHead>, Timestamp)>,
        deadline: Timestamp,
    ) -> Result<ReadCase, Trouble> {
        let (head, read_at) = match head {
            Some((head, read_at)) => (*head, read_at),
            None => {
                let head = station.desk.head(ticket, deadline).await?;
                (head, self.seams.clock.now())
            }
        };
        let now = self.seams.clock.now();
        let (desk, ticket) = (desk.clone(), ticket.clone());
        let (record, signed, desk_met) = self
            .ledger
            .call(move |ledger| {
                Ok((ledger.case(&desk, &ticket, now)?, ledger.signatures()?, ledger.desk_met(&desk, now)?))
            })
            .await?;
        Ok(ReadCase { record, signed, desk_met, head, read_at, parts: Parts::default(), refused: PartSet::NONE })
    }

    /// Reads parts as far as `examine` asks for them.
    ///
    /// # Errors
    /// The desk's.
    pub async fn conclude(
        &self,
        station: &Station,
        desk: &DeskId,
        read: &mut ReadCase,
        generation: Option<i64>,
        deadline: Timestamp,
    ) -> Result<CaseUpdate, DeskError> {
        for _ in 0..ROUNDS {
            match examine(&self.look(station, desk, read, generation)) {
                Step::Done(update) => return Ok(*update),
                Step::Need(wanted) => {
                    let parts = station.desk.parts(&read.head, wanted, deadline).await?;
                    read.parts.merge(parts);
                    read.refused = read.refused.union(wanted.without(read.parts.read()));
                }
            }
        }
        Err(DeskError::new(DeskErrorKind::Protocol, handoffd_kit::error::Retry::After(None), "read parts")
            .words("the desk keeps giving fewer parts than it was asked for"))
    }

    /// The pure question behind a look, as of now.
    pub fn look<'a>(
        &'a self,
        station: &'a Station,
        desk: &'a DeskId,
        read: &'a ReadCase,
        generation: Option<i64>,
    ) -> Look<'a> {
        Look {
            desk,
            capabilities: station.desk.capabilities(),
            policy: &self.policy,
            signed: &read.signed,
            record: &read.record,
            head: &read.head,
            read_at: read.read_at,
            parts: &read.parts,
            refused: read.refused,
            desk_met: read.desk_met,
            poll_brings_heads_within: station.poll_brings_heads_within,
            generation,
            now: self.seams.clock.now(),
        }
    }

    async fn put_off(&self, station: &Station, look: &records::Look, error: DeskError) -> Result<(), LedgerError> {
        let now = self.seams.clock.now();
        tracing::warn!(desk = %look.desk, case.id = %look.ticket, error = %error, "case.look_failed");
        let again = station.failed(&error, now, self.seams.random.fraction());
        match error.kind {
            DeskErrorKind::NotFound | DeskErrorKind::Gone => self.lost_sight(look, &error).await,
            // The right may come back: the look waits for it, and nothing that is under way ends.
            DeskErrorKind::Forbidden | DeskErrorKind::Unauthorized => {
                self.note_trouble(look, &error, now).await?;
                self.postpone(look, now + jiff::SignedDuration::from_mins(1)).await
            }
            _ => self.postpone(look, again).await,
        }
    }

    async fn postpone(&self, look: &records::Look, until: Timestamp) -> Result<(), LedgerError> {
        let look = look.clone();
        self.ledger.call(move |ledger| ledger.postpone_look(&look.desk, &look.ticket, look.generation, until)).await
    }

    async fn note_trouble(&self, look: &records::Look, error: &DeskError, now: Timestamp) -> Result<(), LedgerError> {
        let Some(trouble) = DeskTrouble::of(&look.desk, error, now) else { return Ok(()) };
        self.ledger.call(move |ledger| ledger.set_trouble(&trouble)).await
    }

    /// The ticket cannot be seen any more: whatever was under way ends with that reason.
    async fn lost_sight(&self, look: &records::Look, error: &DeskError) -> Result<(), LedgerError> {
        let now = self.seams.clock.now();
        let (look, reason) = (look.clone(), error.to_string());
        self.ledger
            .call(move |ledger| {
                let record = ledger.case(&look.desk, &look.ticket, now)?;
                ledger.record_case(&gone(&look, &record, reason, now))
            })
            .await
            .map(|_| ())
    }

    async fn forget_look(&self, look: &records::Look) -> Result<(), LedgerError> {
        tracing::warn!(desk = %look.desk, "case.desk_not_configured");
        let until = self.seams.clock.now() + jiff::SignedDuration::from_hours(1);
        self.postpone(look, until).await
    }
}

/// What is recorded when a ticket cannot be seen any more.
fn gone(look: &records::Look, record: &CaseRecord, reason: String, now: Timestamp) -> CaseUpdate {
    use crate::ledger::states::HandoffState as S;
    let event = record.handoff.as_ref().and_then(|handoff| match handoff.state {
        S::Asking | S::InReview | S::Sending => Some((handoff.id.clone(), HandoffEvent::Withdrawn)),
        S::Verifying => Some((handoff.id.clone(), HandoffEvent::Verified)),
        _ => None,
    });
    let happening = event.map(|(handoff, event)| HandoffHappening {
        handoff,
        event: Some(event),
        detail: Some(reason),
        claimed: None,
        drop_effects: event == HandoffEvent::Withdrawn,
        closing_note: None,
    });
    CaseUpdate {
        desk: look.desk.clone(),
        ticket: look.ticket.clone(),
        generation: Some(look.generation),
        version: None,
        raw: String::new(),
        at: now,
        counts: record.memory.counts,
        stays: Vec::new(),
        handoff_events: happening.into_iter().collect(),
        close_paths: Vec::new(),
        verdict: None,
        would: Vec::new(),
        handoff: None,
        look_again: None,
    }
}
