//! What every check stands on: the desk, its stage, and the few things that most checks do.

use super::stage::{CannotStage, Names, NewTicket, NoteOnDesk, OnDesk, PersonAct, Stage};
use super::wire::Wire;
use crate::capability::{Capabilities, Guard};
use crate::clock::{Clock, ManualClock};
use crate::desk::{Desk, DeskChange, Receipt, Sighting, Update, Write};
use crate::error::{DeskError, Result as DeskResult};
use crate::id::{TicketId, Version};
use crate::mark::Mark;
use crate::model::{InternalText, PartSet, Parts, TicketHead};
use jiff::{SignedDuration, Timestamp};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

/// Why a check ended early.
pub(super) enum Stop {
    /// The promise is broken.
    Failed(String),
    /// It cannot be tried here.
    Skipped(String),
}

/// What a check, or a step of one, came to.
pub(super) type Tried<T = ()> = Result<T, Stop>;

impl From<CannotStage> for Stop {
    fn from(CannotStage(why): CannotStage) -> Self {
        Stop::Skipped(why)
    }
}

impl From<DeskError> for Stop {
    fn from(error: DeskError) -> Self {
        Stop::Failed(format!("unexpected: {error}"))
    }
}

/// Fails with these words unless the condition holds.
pub(super) fn ensure(holds: bool, otherwise: impl FnOnce() -> String) -> Tried {
    if holds { Ok(()) } else { Err(Stop::Failed(otherwise())) }
}

/// The desk under test on its stage.
pub(super) struct Ground<'a> {
    pub desk: &'a dyn Desk,
    pub stage: &'a mut dyn Stage,
    pub names: Names,
    pub wire: Wire,
    clock: Option<ManualClock>,
    marks: u32,
}

impl<'a> Ground<'a> {
    pub fn new(desk: &'a dyn Desk, stage: &'a mut dyn Stage) -> Self {
        let (names, wire, clock) = (stage.names(), stage.wire().clone(), stage.clock());
        Self { desk, stage, names, wire, clock, marks: 0 }
    }

    pub fn capabilities(&self) -> &'a Capabilities {
        self.desk.capabilities()
    }

    /// The present instant; none: the stage lives in real time.
    pub fn now(&self) -> Option<Timestamp> {
        self.clock.as_ref().map(|clock| clock.now())
    }

    pub fn deadline(&self) -> Timestamp {
        let quarter = SignedDuration::from_mins(15);
        self.now().and_then(|now| now.checked_add(quarter).ok()).unwrap_or(Timestamp::MAX)
    }

    /// Carries work out, moving the clock on whenever somebody waits for it.
    pub async fn drive<T>(&self, work: impl Future<Output = T>) -> Tried<T> {
        const LONGEST: SignedDuration = SignedDuration::from_hours(48);
        let mut work = pin!(work);
        let until = self.now().and_then(|now| now.checked_add(LONGEST).ok());
        poll_fn(|context| {
            loop {
                if let Poll::Ready(done) = work.as_mut().poll(context) {
                    return Poll::Ready(Ok(done));
                }
                let Some((clock, until)) = self.clock.as_ref().zip(until) else { return Poll::Pending };
                match clock.next_wait() {
                    None => return Poll::Pending,
                    Some(at) if at > until => {
                        return Poll::Ready(Err(Stop::Failed("a call waits for more than two days".into())));
                    }
                    Some(at) => clock.set(at),
                }
            }
        })
        .await
    }

    /// Polls work until the wire holds one of its requests.
    pub async fn until_held<T>(&self, work: &mut (impl Future<Output = T> + Unpin)) -> Tried {
        self.drive(poll_fn(|context| match std::pin::Pin::new(&mut *work).poll(context) {
            Poll::Ready(_) => Poll::Ready(Err(Stop::Failed("it ended without the expected request".into()))),
            Poll::Pending if self.wire.is_holding() => Poll::Ready(Ok(())),
            Poll::Pending => Poll::Pending,
        }))
        .await?
    }

    /// Lets time pass until a change has another version than the one before, and one second more.
    pub async fn pass_grain(&mut self) -> Tried {
        let grain = match self.capabilities().guard {
            Guard::Conditional { grain } => SignedDuration::try_from(grain).unwrap_or_default(),
            Guard::Leaky | Guard::Compared | Guard::None => SignedDuration::ZERO,
        };
        Ok(self.stage.advance(grain + SignedDuration::from_secs(1)).await?)
    }

    /// A plain ticket in the home queue.
    pub async fn ticket(&mut self) -> Tried<TicketId> {
        let ticket = NewTicket {
            subject: "Sync stops with an error".into(),
            text: "It stops since the update.".into(),
            queue: Some(self.names.home.clone()),
            ..NewTicket::default()
        };
        Ok(self.stage.make(ticket).await?)
    }

    pub async fn act(&mut self, ticket: &TicketId, act: PersonAct) -> Tried {
        Ok(self.stage.act(ticket, act).await?)
    }

    pub async fn look(&mut self, ticket: &TicketId) -> Tried<OnDesk> {
        Ok(self.stage.look(ticket).await?)
    }

    /// The notes that our account has written.
    pub async fn our_notes(&mut self, ticket: &TicketId) -> Tried<Vec<NoteOnDesk>> {
        Ok(self.look(ticket).await?.notes.into_iter().filter(|note| note.by_us).collect())
    }

    pub async fn try_head(&self, ticket: &TicketId) -> Tried<DeskResult<TicketHead>> {
        self.drive(self.desk.head(ticket, self.deadline())).await
    }

    pub async fn head(&self, ticket: &TicketId) -> Tried<TicketHead> {
        Ok(self.try_head(ticket).await??)
    }

    pub async fn parts(&self, ticket: &TicketId, wanted: PartSet) -> Tried<Parts> {
        let head = self.head(ticket).await?;
        Ok(self.drive(self.desk.parts(&head, wanted, self.deadline())).await??)
    }

    pub async fn try_apply(&self, write: &Write) -> Tried<DeskResult<Receipt>> {
        self.drive(self.desk.apply(write)).await
    }

    pub async fn apply(&self, write: &Write) -> Tried<Receipt> {
        Ok(self.try_apply(write).await??)
    }

    pub async fn find(&self, write: &Write) -> Tried<Sighting> {
        Ok(self.drive(self.desk.find(write)).await??)
    }

    /// A mark that no other write on this helpdesk carries.
    pub fn mark(&mut self, ticket: &TicketId) -> Mark {
        self.marks += 1;
        let handoff = format!("trial-{ticket}-{}", self.marks);
        Mark { handoff, number: 1, rule: "conformance".into(), version: "v1".into() }
    }

    /// A write of this change that expects the ticket as it is now.
    pub async fn write(&mut self, ticket: &TicketId, change: DeskChange) -> Tried<Write> {
        let head = self.head(ticket).await?;
        let mark = self.mark(ticket);
        let mut write = self.write_as(ticket, change, mark, None);
        write.decide_on(&head);
        Ok(write)
    }

    pub fn write_as(&self, ticket: &TicketId, change: DeskChange, mark: Mark, expected: Option<Version>) -> Write {
        let (ticket, first_tried, deadline) = (ticket.clone(), self.now(), self.deadline());
        Write { ticket, change, mark, expected, decided_on: None, first_tried, deadline }
    }

    /// A write of an internal note with these words, its mark in the last line.
    pub async fn note(&mut self, ticket: &TicketId, words: &str) -> Tried<Write> {
        let mut write = self.write(ticket, DeskChange::Update(Update::default())).await?;
        write.change = DeskChange::Update(Update { note: Some(marked(words, &write.mark)), ..Update::default() });
        Ok(write)
    }
}

/// A note's text with its mark as the last line.
pub(super) fn marked(words: &str, mark: &Mark) -> InternalText {
    InternalText(format!("{words}\n\n{mark}"))
}
