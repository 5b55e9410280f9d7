//! Works one look off: reads the desk as far as `examine` asks for, then records everything in one transaction.

use super::differences::Differences;
use super::examine::{Look, Step, examine};
use super::unknowns::Unknowns;
use crate::backoff;
use crate::desks::{Desks, ONE_TICKET, Station};
use crate::ledger::records::{
    CaseRecord, CaseUpdate, DeskTrouble, FailedLook, HandoffHappening, Recorded, Sight, SignedWording,
};
use crate::ledger::states::{HandoffEvent, HandoffState};
use crate::ledger::{Handle, LedgerError, records};
use crate::policy::names::RuleName;
use crate::policy::roster::Rosters;
use crate::policy::rules::{Limits, Policy};
use handoffd_kit::capability::Roster;
use handoffd_kit::error::{DeskError, DeskErrorKind};
use handoffd_kit::id::{DeskId, TicketId};
use handoffd_kit::model::{PartSet, Parts, TicketHead};
use handoffd_kit::settings::Seams;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// How often `decide` may ask for more before we give up on a look: each kind of part once, and the end.
const ROUNDS: usize = 7;

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
    /// How often a desk's clocks and our targets did not agree.
    pub differences: Differences,
}

/// What the ledger knows of a case.
struct Known {
    record: CaseRecord,
    rosters: Rosters,
    signed: Vec<SignedWording>,
    desk_met: Timestamp,
}

/// A ticket as it was read for one look.
pub struct ReadCase {
    /// What the ledger knows.
    pub record: CaseRecord,
    /// Who works in the teams of the desk.
    pub rosters: Rosters,
    /// Signed wordings.
    pub signed: Vec<SignedWording>,
    /// When this desk was first met.
    pub desk_met: Timestamp,
    /// The head.
    pub head: TicketHead,
    /// When it was read.
    pub read_at: Timestamp,
    /// When a webhook last said that somebody else than us has changed it.
    pub others_at: Option<Timestamp>,
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
        // Looks at desks that are not open are not given out.
        let Some(station) = self.desks.get(&look.desk) else { return Ok(()) };
        match self.finish(station, &look).await {
            Ok(()) => {
                station.answered();
                Ok(())
            }
            Err(Trouble::Desk(error)) => match self.put_off(station, &look, error).await {
                Err(error @ LedgerError::Unreadable { .. }) => self.park(&look, &error).await,
                put_off => put_off,
            },
            Err(Trouble::Ledger(error @ LedgerError::Unreadable { .. })) => self.park(&look, &error).await,
            Err(Trouble::Ledger(error)) => Err(error),
        }
    }

    /// Something that the ledger holds of this case cannot be read: the others go on.
    async fn park(&self, look: &records::Look, error: &LedgerError) -> Result<(), LedgerError> {
        tracing::error!(desk = %look.desk, case.id = %look.ticket, error = %error, "case.parked");
        let next = format!(
            "restore a backup of the ledger, or give up what cannot be read: `handoffd parked drop --case {}/{}`",
            look.desk, look.ticket
        );
        let failed = self.failed(look, error.to_string(), next);
        self.ledger.call(move |ledger| ledger.park_case(&failed)).await
    }

    fn failed(&self, look: &records::Look, what: String, next_step: String) -> FailedLook {
        FailedLook {
            desk: look.desk.clone(),
            ticket: look.ticket.clone(),
            generation: look.generation,
            what,
            next_step,
            at: self.seams.clock.now(),
            limits: self.policy.limits,
        }
    }

    async fn finish(&self, station: &Station, look: &records::Look) -> Result<(), Trouble> {
        let deadline = look.due;
        let mut read = self.begin(station, &look.desk, &look.ticket, look.head.clone(), deadline).await?;
        read.others_at = look.others_at;
        loop {
            let update = self.conclude(station, &look.desk, &mut read, Some(look.generation), deadline).await?;
            let (verdict, decided) = (update.verdict.clone(), Decided::of(&update));
            // Looks that are worked at once may want the same last place: one that comes late is decided again as it was
            // read, which costs no call.
            match self.ledger.call(move |ledger| ledger.record_case(&update)).await? {
                Recorded::Outrun => {
                    let known = self.known(station, &look.desk, &read.head).await?;
                    (read.record, read.rosters) = (known.record, known.rosters);
                }
                recorded => {
                    self.unknowns.note(verdict.as_ref());
                    let differences = verdict.iter().flat_map(|verdict| &verdict.clock_differences);
                    self.differences.note(&look.desk, differences);
                    decided.filter(|_| recorded == Recorded::Whole).iter().for_each(Decided::say);
                    return Ok(());
                }
            }
        }
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
        let Known { record, rosters, signed, desk_met } = self.known(station, desk, &head).await?;
        let (parts, refused) = (Parts::default(), PartSet::NONE);
        Ok(ReadCase { record, rosters, signed, desk_met, head, read_at, others_at: None, parts, refused })
    }

    /// What the ledger knows now.
    async fn known(&self, station: &Station, desk: &DeskId, head: &TicketHead) -> Result<Known, LedgerError> {
        let (desk, ticket, now) = (desk.clone(), head.id.clone(), self.seams.clock.now());
        let customer = head.requester.known().cloned().flatten();
        let told = station.desk.capabilities().roster != Roster::None;
        self.ledger
            .call(move |ledger| {
                let mut record = ledger.case(&desk, &ticket, now)?;
                if let Some(customer) = &customer {
                    record.memory.told_elsewhere = ledger.told_elsewhere(&desk, customer, &ticket)?;
                }
                // What is decided anew does not wait for its own turn.
                let deciding = record.handoff.as_ref().filter(|handoff| handoff.state.is_open() && !handoff.has_sent());
                let teams = ledger.rosters(&desk, deciding.map(|handoff| handoff.id.as_str()))?;
                Ok(Known {
                    record,
                    rosters: Rosters { told, teams },
                    signed: ledger.signatures()?,
                    desk_met: ledger.desk_met(&desk, now)?,
                })
            })
            .await
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
            rosters: &read.rosters,
            head: &read.head,
            read_at: read.read_at,
            others_at: read.others_at,
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
        let jitter = self.seams.random.fraction();
        // Only for the desk as a whole; how long this ticket waits depends on how often it has failed.
        let desks_wait = station.failed_on(1, &error, now, jitter);
        match error.kind {
            DeskErrorKind::NotFound | DeskErrorKind::Gone | DeskErrorKind::Hidden => {
                self.lost_sight(look, &error).await
            }
            // The login or the right may come back: the look waits for it, and nothing that is under way ends.
            DeskErrorKind::Unauthorized => {
                self.note_trouble(look, &error, now).await?;
                self.postpone(look, now + SignedDuration::from_mins(1)).await
            }
            DeskErrorKind::Forbidden => {
                station.in_vain(&look.ticket, now, jitter);
                if station.is_refused() {
                    self.note_trouble(look, &error, now).await?;
                }
                let next = error.next_step.clone().unwrap_or_else(|| "run `handoffd check --online`".into());
                let failed = self.failed(look, error.to_string(), next);
                let again = move |tries| now + SignedDuration::from_mins(1).max(backoff::after(tries, jitter));
                self.ledger.call(move |ledger| ledger.look_failed(&failed, again)).await
            }
            DeskErrorKind::RateLimited | DeskErrorKind::Held => self.postpone(look, desks_wait).await,
            // The desk as a whole is silent: no fault of this ticket.
            DeskErrorKind::Unavailable if station.is_silent() => self.postpone(look, desks_wait).await,
            DeskErrorKind::Unavailable
            | DeskErrorKind::Protocol
            | DeskErrorKind::Conflict
            | DeskErrorKind::Refused
            | DeskErrorKind::Leaked => {
                if error.kind == DeskErrorKind::Protocol {
                    station.in_vain(&look.ticket, now, jitter);
                }
                let next = error.next_step.clone().unwrap_or_else(|| {
                    "look at the ticket on the desk: what the desk says about it cannot be used; it is tried again by itself".into()
                });
                let failed = self.failed(look, error.to_string(), next);
                let again = move |tries| desks_wait.max(now + backoff::growing(tries, ONE_TICKET, jitter));
                self.ledger.call(move |ledger| ledger.look_failed(&failed, again)).await
            }
        }
    }

    async fn postpone(&self, look: &records::Look, until: Timestamp) -> Result<(), LedgerError> {
        let (look, limits, now) = (look.clone(), self.policy.limits, self.seams.clock.now());
        self.ledger
            .call(move |ledger| {
                ledger.postpone_look(&look.desk, &look.ticket, look.generation, until)?;
                ledger.leave_queue(&look.desk, &look.ticket, &limits, now)
            })
            .await
    }

    async fn note_trouble(&self, look: &records::Look, error: &DeskError, now: Timestamp) -> Result<(), LedgerError> {
        let Some(trouble) = DeskTrouble::of(&look.desk, error, now) else { return Ok(()) };
        self.ledger.call(move |ledger| ledger.set_trouble(&trouble)).await
    }

    /// The ticket cannot be seen any more: whatever was under way ends with that reason.
    async fn lost_sight(&self, look: &records::Look, error: &DeskError) -> Result<(), LedgerError> {
        let now = self.seams.clock.now();
        let kind = error.kind;
        let (look, reason, limits) = (look.clone(), error.to_string(), self.policy.limits);
        self.ledger
            .call(move |ledger| {
                let record = ledger.case(&look.desk, &look.ticket, now)?;
                ledger.record_case(&gone(&look, &record, reason.clone(), kind, limits, now))
            })
            .await
            .map(|_| ())
    }
}

/// A handoff that a look has decided, for the log: names and ids, no text.
struct Decided {
    desk: DeskId,
    ticket: TicketId,
    handoff: String,
    rule: RuleName,
    state: HandoffState,
}

impl Decided {
    fn of(update: &CaseUpdate) -> Option<Self> {
        let handoff = update.handoff.as_ref()?;
        Some(Self {
            desk: update.desk.clone(),
            ticket: update.ticket.clone(),
            handoff: handoff.id.clone(),
            rule: handoff.proposal.rule.clone(),
            state: handoff.state,
        })
    }

    fn say(&self) {
        let Self { desk, ticket, handoff, rule, state } = self;
        tracing::info!(
            desk = %desk, case.id = %ticket, handoff.id = %handoff, rule.id = %rule, state = state.name(),
            "handoff.decided"
        );
    }
}

/// What is recorded when a ticket cannot be seen any more.
fn gone(
    look: &records::Look,
    record: &CaseRecord,
    reason: String,
    kind: DeskErrorKind,
    limits: Limits,
    now: Timestamp,
) -> CaseUpdate {
    use HandoffState as S;
    let event = record.handoff.as_ref().and_then(|handoff| match handoff.state {
        // Our own transfer may have hidden it: delivery, which knows how far it came, parks what is left.
        S::Sending if kind == DeskErrorKind::Hidden && handoff.has_sent() => None,
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
    let sight = if kind == DeskErrorKind::Hidden { Sight::Hidden } else { Sight::Gone };
    CaseUpdate {
        generation: Some(look.generation),
        sight,
        handoff_events: happening.into_iter().collect(),
        ..CaseUpdate::nothing(look.desk.clone(), look.ticket.clone(), record.memory.counts, limits, now)
    }
}
