//! What the suite needs from the test side: a helpdesk that can be set up, looked at, and changed by somebody else than
//! the connector under test. What a helpdesk cannot do, the stage declines with a reason ([`CannotStage`]); the checks
//! that need it are then listed as skipped.

use super::wire::Wire;
use crate::clock::ManualClock;
use crate::desk::QueueSpec;
use crate::fact::Fact;
use crate::id::{TicketId, UserId};
use crate::model::{FieldValue, Priority, Status, Visibility};
use jiff::SignedDuration;
use std::future::Future;
use std::pin::Pin;

/// What a stage's act came to, whenever it is done.
pub type Staged<'a, T> = Pin<Box<dyn Future<Output = Result<T, CannotStage>> + Send + 'a>>;

/// Wraps what is already known, for stages that need not wait.
pub fn staged<'a, T: Send + 'a>(done: Result<T, CannotStage>) -> Staged<'a, T> {
    Box::pin(std::future::ready(done))
}

/// Why this helpdesk cannot show such a scene. The checks that need it are skipped with these words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct CannotStage(pub String);

/// A helpdesk to try a connector on.
///
/// The desk under test must use the transport of [`Stage::wire`] and, in the simulation, the clock of
/// [`Stage::clock`]. Nothing here goes through the connector.
pub trait Stage: Send {
    /// The wire that all requests of the desk under test go through.
    fn wire(&self) -> &Wire;

    /// The clock that both the desk and the helpdesk live on. The suite moves it on when a call waits.
    /// `None`: real time, and [`Stage::advance`] waits.
    fn clock(&self) -> Option<ManualClock>;

    /// Lets time pass, on both sides.
    fn advance(&mut self, span: SignedDuration) -> Staged<'_, ()>;

    /// What things are called on this helpdesk.
    fn names(&self) -> Names;

    /// Opens a ticket as its customer would, with everything that the description sets.
    fn make(&mut self, ticket: NewTicket) -> Staged<'_, TicketId>;

    /// What is on the helpdesk now, read past the connector and with every right.
    fn look<'a>(&'a mut self, ticket: &'a TicketId) -> Staged<'a, OnDesk>;

    /// Changes a ticket as the agent of [`Names::agent`] would at their screen.
    fn act<'a>(&'a mut self, ticket: &'a TicketId, act: PersonAct) -> Staged<'a, ()>;

    /// Changes what the agent of [`Names::agent`] is in a queue.
    fn staff<'a>(&'a mut self, _queue: &'a QueueSpec, _act: StaffAct) -> Staged<'a, ()> {
        staged(Err(CannotStage("the stage cannot change who works where".into())))
    }

    /// Ends a ticket.
    fn end<'a>(&'a mut self, ticket: &'a TicketId, how: EndAct) -> Staged<'a, ()>;

    /// A ticket's status, read past the connector.
    fn status<'a>(&'a mut self, _ticket: &'a TicketId) -> Staged<'a, Status> {
        staged(Err(CannotStage("the stage does not show statuses".into())))
    }

    /// Takes the connector's account the right to change tickets (it may still log in and read), or gives it back.
    fn rights(&mut self, rights: Rights) -> Staged<'_, ()>;

    /// Lets changes show in the desk's streams only this much later (zero: as the vendor does it). At most the
    /// [`Stream::lag`](crate::capability::Stream) that the connector declares.
    fn stream_lags(&mut self, _by: SignedDuration) -> Staged<'_, ()> {
        staged(Err(CannotStage("the stage's stream cannot be made to lag".into())))
    }

    /// A webhook about this ticket as the helpdesk would send it now, signed for the desk under test. The suite
    /// alters and repeats it; nothing needs to be delivered.
    fn webhook<'a>(&'a mut self, _ticket: &'a TicketId) -> Staged<'a, Posted> {
        staged(Err(CannotStage("the stage sends no webhooks".into())))
    }

    /// Which JSON key of the vendor's answers carries a fact of the head: the suite takes it out, and puts nonsense in.
    fn keys(&self) -> Vec<(FactName, &'static str)> {
        Vec::new()
    }

    /// How many tickets to change within one second for the check of the streams: more than two pages where that is cheap.
    fn crowd(&self) -> usize {
        230
    }
}

/// What things are called on this helpdesk.
#[derive(Clone, Debug)]
pub struct Names {
    /// A queue where the stage opens its tickets.
    pub home: QueueSpec,
    /// The name that people see for it.
    pub home_shown: String,
    /// A queue to hand them to.
    pub away: QueueSpec,
    /// The name that people see for it.
    pub away_shown: String,
    /// An agent who works in both, and who is not our account.
    pub agent: UserId,
    /// The same agent's mail address, where owners can be named by it.
    pub agent_email: Option<String>,
    /// A custom field of tickets and two different values that it takes.
    pub field: Option<(String, FieldValue, FieldValue)>,
    /// Whether tickets have tags.
    pub tags: bool,
    /// An id in this helpdesk's form that no ticket has.
    pub no_ticket: TicketId,
}

/// A ticket to open. What is `None` or empty is left to the helpdesk.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewTicket {
    /// The subject line.
    pub subject: String,
    /// The customer's first message.
    pub text: String,
    /// The queue; none: where the helpdesk puts new tickets.
    pub queue: Option<QueueSpec>,
    /// The owner.
    pub owner: Option<UserId>,
    /// The priority.
    pub priority: Option<Priority>,
    /// Labels.
    pub tags: Vec<String>,
    /// A custom field by the desk's id or name.
    pub field: Option<(String, FieldValue)>,
    /// What was said after the first message, in this order.
    pub then: Vec<NewMessage>,
    /// Who wrote the first message.
    pub sender: Sender,
}

/// Who wrote a mail that opened a ticket.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sender {
    /// The customer, in whatever way the stage opens tickets.
    #[default]
    Customer,
    /// The customer, by mail.
    ByMail,
    /// A machine in the customer's name, by mail: an automatic answer, marked as such.
    Machine,
}

/// One further message of a ticket to open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewMessage {
    /// The customer writes again.
    Customer(String),
    /// The agent answers the customer.
    AgentPublicly(String),
    /// The agent writes among colleagues.
    AgentInternally(String),
}

/// What is on the helpdesk, read past the connector. `Unknown`: this helpdesk has no such thing.
#[derive(Clone, Debug, PartialEq)]
pub struct OnDesk {
    /// All messages after the first, oldest first.
    pub notes: Vec<NoteOnDesk>,
    /// The queue's name as people see it; `Known(None)`: in none.
    pub queue: Fact<Option<String>>,
    /// The owner's id; `Known(None)`: nobody.
    pub owner: Fact<Option<UserId>>,
    /// Labels.
    pub tags: Fact<Vec<String>>,
    /// The priority.
    pub priority: Fact<Option<Priority>>,
    /// The value of the field in [`Names::field`]; `Known(None)`: empty.
    pub field: Fact<Option<FieldValue>>,
    /// Colleagues who follow it.
    pub followers: Fact<Vec<UserId>>,
}

/// A message as it lies on the helpdesk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoteOnDesk {
    /// What a colleague reads: plain text, entities resolved, one line per line.
    pub text: String,
    /// Who can see it.
    pub visibility: Visibility,
    /// Whether the connector's account wrote it.
    pub by_us: bool,
}

/// What an agent does at their screen.
#[derive(Clone, Debug, PartialEq)]
pub enum PersonAct {
    /// Moves the ticket.
    Move(QueueSpec),
    /// Becomes its owner.
    Take,
    /// Sets the priority.
    Priority(Priority),
    /// Sets a custom field.
    Edit(String, FieldValue),
    /// Adds a label, leaving the others.
    Tag(String),
    /// Answers the customer.
    Reply(String),
    /// Writes among colleagues.
    Note(String),
}

/// What happens to an agent's place in a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StaffAct {
    /// They do not work there any more.
    Leaves,
    /// Their account is disabled or suspended.
    IsDisabled,
    /// Both taken back.
    ComesBack,
}

/// How a ticket ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EndAct {
    /// Closed for good, where a desk has such a state that takes no more writes.
    Close,
    /// Made part of another.
    Merge(TicketId),
    /// Taken away.
    Delete,
}

/// Whether the connector's account may change tickets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rights {
    /// It may not.
    Taken,
    /// It may, as before.
    Given,
}

/// A webhook as it would arrive.
#[derive(Clone, Debug)]
pub struct Posted {
    /// The request's headers, signature included.
    pub headers: http::HeaderMap,
    /// What follows `/hooks/{desk}/` in the address, if anything.
    pub path: Option<String>,
    /// The raw body.
    pub body: Vec<u8>,
}

/// A fact of the head that the suite can make unknown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactName {
    /// The subject line.
    Subject,
    /// Where it stands.
    Status,
    /// How urgent.
    Priority,
    /// Labels.
    Tags,
    /// Where it lies.
    Queue,
    /// Who owns it.
    Owner,
    /// When it was opened.
    CreatedAt,
    /// When it last changed.
    UpdatedAt,
}
