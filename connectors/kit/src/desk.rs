//! The [`Desk`] trait: one helpdesk account. Everything above it is vendor-neutral, nothing below it knows the policy.

use crate::capability::Capabilities;
use crate::error::{DeskError, DeskErrorKind, Result, Retry};
use crate::fact::Fact;
use crate::gate::{Figures, Gate};
use crate::id::{QueueId, StreamName, TicketId, UserId, Version};
use crate::mark::Mark;
use crate::model::{
    FieldValue, InternalText, PartSet, Parts, Person, Priority, PublicText, QueueRef, Status, TicketHead,
};
use crate::secret::DeskSecrets;
use crate::webhook::{Delivery, Refusal, Unverified};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::pin::Pin;

/// A call's answer, whenever it comes.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// One helpdesk account.
///
/// Every method is safe to cancel: dropping the future leaves the desk as a lost answer would.
/// `deadline` orders calls that wait for the vendor's limits; it does not time them out.
pub trait Desk: Send + Sync {
    /// What this desk can do.
    fn capabilities(&self) -> &Capabilities;

    /// What changed since the cursor (none: since the beginning of `since`), oldest first where the vendor allows.
    /// The caller stores `next` and the looks of the page in one transaction. Repeats are allowed, gaps are not.
    fn changed_since<'a>(
        &'a self,
        stream: &'a StreamName,
        cursor: Option<&'a Cursor>,
        since: Timestamp,
    ) -> Answer<'a, Page>;

    /// Reads a ticket's head now.
    fn head<'a>(&'a self, ticket: &'a TicketId, deadline: Timestamp) -> Answer<'a, TicketHead>;

    /// Reads the wanted parts, in as few calls as the vendor allows; may return more than was asked for.
    fn parts<'a>(&'a self, head: &'a TicketHead, wanted: PartSet, deadline: Timestamp) -> Answer<'a, Parts>;

    /// Carries one write out. Success means the desk's answer proves it; a refusal inside a 200 is an error.
    fn apply<'a>(&'a self, write: &'a Write) -> Answer<'a, Receipt>;

    /// Whether this write has reached the desk: asked after a lost answer, before any repeat.
    fn find<'a>(&'a self, write: &'a Write) -> Answer<'a, Sighting>;

    /// Verifies and reads a webhook. Pure: touches no network.
    ///
    /// # Errors
    /// A [`Refusal`] with its reason; nothing of an unverified body is used.
    fn webhook(&self, request: Unverified<'_>) -> std::result::Result<Delivery, Refusal>;

    /// The secrets it uses, to be read again while it runs. A desk without any gives none.
    fn secrets(&self) -> DeskSecrets {
        DeskSecrets::default()
    }

    /// Who we are on this desk: for echo suppression and for marks that count only from our own account.
    fn me(&self) -> Answer<'_, Person>;

    /// Queues, fields and people as the desk names them, for `check --online` and for resolving targets.
    fn directory(&self) -> Answer<'_, Directory>;

    /// Who may own cases in a queue, as the desk says now; see [`Roster`](crate::capability::Roster). A queue that does not
    /// exist, or whose people the desk does not tell, is an error: nobody is never the answer to a failed question.
    fn members<'a>(&'a self, queue: &'a QueueSpec, deadline: Timestamp) -> Answer<'a, Vec<Member>> {
        let _ = deadline;
        let error = DeskError::new(DeskErrorKind::Refused, Retry::Never, "read members");
        let error = error.words(format!("this desk does not tell who works in {}", queue.shown()));
        Box::pin(std::future::ready(Err(error)))
    }

    /// Whether our account may change this ticket, tried without changing anything: a right may be missing for one ticket
    /// alone. `None`: this desk tells it by a write only, or [`check`](Self::check) says as much.
    fn may_write<'a>(&'a self, ticket: &'a TicketId, deadline: Timestamp) -> Answer<'a, Option<bool>> {
        let _ = (ticket, deadline);
        Box::pin(std::future::ready(Ok(None)))
    }

    /// The gate under all calls of this desk; none where there is no gate.
    fn gate(&self) -> Option<&Gate> {
        None
    }

    /// What the gate has done and how it stands, for metrics; none where there is no gate.
    fn figures(&self) -> Option<Figures> {
        self.gate().map(Gate::figures)
    }

    /// Sends nothing more: every call that has not left yet fails at once as one that was not sent. The process ends, and
    /// what waits for the vendor's limits is left to the next one.
    fn close(&self) {
        if let Some(gate) = self.gate() {
            gate.close();
        }
    }

    /// Holds these writes back, by their marks' keys, and no others any more: as long as one has not left, it fails at once as
    /// [held](DeskErrorKind::Held), and so does one that comes. What has left is finished. People pause rules and desks, and a
    /// vendor's limits may keep a write waiting for minutes.
    fn hold_back(&self, writes: &BTreeSet<String>) {
        if let Some(gate) = self.gate() {
            gate.hold_back(writes);
        }
    }

    /// Tries login and rights without changing anything, and says what is missing and what to do about it. Where rights differ by
    /// queue, they are tried in those that the caller works with: `queues`, or all when it names none.
    fn check<'a>(&'a self, queues: &'a [QueueSpec]) -> Answer<'a, Vec<Finding>>;
}

/// Where a stream was read up to: opaque outside its connector.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Cursor(pub String);

/// One page of changes.
#[derive(Clone, Debug)]
pub struct Page {
    /// What changed.
    pub changed: Vec<Changed>,
    /// Where to go on, stored with the page's looks.
    pub next: Cursor,
    /// Whether there is more to read at once.
    pub more: bool,
}

/// One changed ticket of a page.
#[derive(Clone, Debug)]
pub struct Changed {
    /// Which ticket.
    pub ticket: TicketId,
    /// Its head as of the page's read, where the list carries it whole.
    pub head: Option<TicketHead>,
    /// Whether our own account made this change and nobody else since, where the list says.
    pub by_us: bool,
}

/// One write to a ticket, with all that makes it safe to repeat.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Write {
    /// Which ticket.
    pub ticket: TicketId,
    /// What to do.
    pub change: DeskChange,
    /// How it can be recognised afterwards.
    pub mark: Mark,
    /// The version that it expects, kept from its first try so that a late arrival fails.
    pub expected: Option<Version>,
    /// What the ticket showed in that version. A desk whose versions are coarser than its changes compares it with what the
    /// write turned out to cover; `None`: there is nothing to compare.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decided_on: Option<DecidedOn>,
    /// When it was first tried; a lookup reads the history from here (minus the desk's clock skew).
    pub first_tried: Option<Timestamp>,
    /// When it should be there.
    pub deadline: Timestamp,
}

impl Write {
    /// Makes it expect the ticket as this head shows it.
    pub fn decide_on(&mut self, head: &TicketHead) {
        self.expected = Some(head.version.clone());
        self.decided_on = Some(DecidedOn::of(head, &self.change));
    }

    /// Compares the ticket as it is right now with what the write was decided on: for desks that compare nothing themselves.
    ///
    /// # Errors
    /// `Conflict` where the version is another or unknown, or where something differs that the version does not show.
    pub fn as_decided(&self, now: &TicketHead, operation: &'static str) -> Result<()> {
        let conflict =
            |words: String| Err(DeskError::new(DeskErrorKind::Conflict, Retry::Never, operation).words(words));
        match &self.expected {
            Some(version) if version.as_str().is_empty() || now.version.as_str().is_empty() => {
                return conflict(
                    "the ticket's version is unknown, so a change to it could cover somebody else's".into(),
                );
            }
            Some(version) if *version != now.version => return conflict("the ticket changed since it was read".into()),
            _ => {}
        }
        match self.decided_on.as_ref().and_then(|on| on.differs(&DecidedOn::of(now, &self.change))) {
            Some(what) => conflict(format!("somebody changed the {what} in the second of the decision")),
            None => Ok(()),
        }
    }
}

/// What of a ticket a write to it was decided on.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DecidedOn {
    /// Where it lay. `Known(None)`: in no queue.
    pub queue: Fact<Option<QueueId>>,
    /// Who owned it. `Known(None)`: nobody.
    pub owner: Fact<Option<UserId>>,
    /// Where it stood.
    pub status: Fact<Status>,
    /// How urgent it was.
    pub priority: Fact<Option<Priority>>,
    /// The custom fields that the write sets, as the desk sent them.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fields: BTreeMap<String, serde_json::Value>,
}

impl DecidedOn {
    /// What a change to a ticket with this head is decided on.
    pub fn of(head: &TicketHead, change: &DeskChange) -> Self {
        let sets = |id: &String| match change {
            DeskChange::Update(update) => update.fields.iter().any(|(set, _)| set == id),
            DeskChange::Reply(_) | DeskChange::Tags { .. } => false,
        };
        Self {
            queue: head.queue.clone().map(|queue| queue.map(|queue| queue.id)),
            owner: head.owner.clone().map(|owner| owner.map(|owner| owner.id)),
            status: head.status.clone(),
            priority: head.priority.clone(),
            fields: head.fields.iter().filter(|(id, _)| sets(id)).map(|(id, was)| (id.clone(), was.clone())).collect(),
        }
    }

    /// The first thing that is another now, in a word. What either side does not know, nobody is accused of having changed.
    pub fn differs(&self, now: &Self) -> Option<&'static str> {
        fn other<T: PartialEq>(was: Option<&T>, is: Option<&T>) -> bool {
            was.zip(is).is_some_and(|(was, is)| was != is)
        }
        [
            ("team", other(self.queue.known(), now.queue.known())),
            ("owner", other(self.owner.known(), now.owner.known())),
            ("status", other(self.status.known(), now.status.known())),
            ("priority", other(self.priority.known(), now.priority.known())),
            ("custom fields", self.fields.iter().any(|(name, was)| other(Some(was), now.fields.get(name)))),
        ]
        .into_iter()
        .find(|(_, differs)| *differs)
        .map(|(what, _)| what)
    }
}

/// What a write does.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeskChange {
    /// Note, queue, owner, priority, fields: those that are set, in one call where the desk can.
    Update(Update),
    /// A public reply.
    Reply(PublicReply),
    /// Labels, without touching others.
    Tags {
        /// To add.
        add: Vec<String>,
        /// To remove.
        remove: Vec<String>,
    },
}

/// What an update sets; what is `None` stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Update {
    /// An internal note; its last line is the mark.
    pub note: Option<InternalText>,
    /// The queue to move to.
    pub queue: Option<QueueSpec>,
    /// The owner to set.
    pub owner: Option<OwnerSpec>,
    /// The priority to set.
    pub priority: Option<Priority>,
    /// The status to set.
    pub status: Option<StatusSpec>,
    /// Custom fields by the desk's own id or name.
    pub fields: Vec<(String, FieldValue)>,
    /// Colleagues who follow the ticket from now on, beside those who do already. Only where the desk can
    /// ([`Capabilities::followers`]).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub followers: Vec<UserId>,
}

/// A status to set, in the desk's word.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusSpec {
    /// The desk's word.
    pub word: String,
    /// What a head shows afterwards.
    pub means: Status,
}

/// A team's queue as the configuration names it: by the name people see, or by the vendor's id.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum QueueSpec {
    /// The name people see.
    Name(String),
    /// The vendor's id.
    Id(String),
}

impl QueueSpec {
    /// Whether this is that queue. Names compare exactly, as the desks' own rules do.
    pub fn is(&self, queue: &QueueRef) -> bool {
        match self {
            QueueSpec::Name(name) => queue.name.as_ref() == Some(name),
            QueueSpec::Id(id) => queue.id.as_str() == id,
        }
    }

    /// The name or id, for people.
    pub fn shown(&self) -> &str {
        match self {
            QueueSpec::Name(text) | QueueSpec::Id(text) => text,
        }
    }
}

/// Whom to make owner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OwnerSpec {
    /// Nobody: the case waits in the queue.
    Nobody,
    /// The person with this id.
    User(UserId),
    /// The person with this mail address.
    Email(String),
}

/// Public text that may leave: only a message whose wording somebody signed becomes one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublicReply {
    /// What the customer reads.
    pub text: PublicText,
    /// The signature of the wording it was rendered from.
    pub signature: WordingSignature,
}

/// Proof that a person signed the wording of a message (`handoffd policy approve`).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WordingSignature {
    /// The message's name.
    pub message: String,
    /// The hash of the wording that was signed.
    pub wording: String,
    /// Who signed it.
    pub signer: String,
}

/// The desk's proof of a write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// The vendor's id of what was made: an audit, a transaction, a note.
    pub id: String,
    /// The version that the next write expects, where the answer tells.
    pub version: Option<Version>,
    /// The ticket as the answer shows it, to compare with what was wanted.
    pub head: Option<Box<TicketHead>>,
}

impl Receipt {
    /// The receipt of something that carries no key: it is proven by what the ticket shows.
    pub fn shown_by(head: TicketHead) -> Self {
        let version = Some(head.version.clone()).filter(|version| !version.as_str().is_empty());
        Self { id: format!("ticket {} at {}", head.id, head.version), version, head: Some(Box::new(head)) }
    }
}

/// What a lookup found.
#[derive(Clone, Debug, PartialEq)]
pub enum Sighting {
    /// It is there.
    Found(Receipt),
    /// It was not there when we looked. Counts only after the settle time, and twice.
    NotFound,
    /// The desk has no way to tell.
    CannotTell(String),
}

/// What a desk knows by name.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    /// Queues that a case can be moved to.
    pub queues: Vec<QueueRef>,
    /// People who can own cases, where the desk lists them cheaply.
    pub people: Vec<Person>,
    /// Custom fields: id or name, as the configuration writes it.
    pub fields: Vec<String>,
    /// What people call them there, by that id or name, where the desk tells and it is another word.
    pub titles: BTreeMap<String, String>,
}

/// Somebody who works in a queue.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Who. Our own account has the role [`Us`](crate::model::Role::Us).
    pub person: Person,
    /// Whether they can be given tickets: neither disabled nor suspended.
    pub active: bool,
    /// How many open tickets they own in this queue, where the desk tells it cheaply.
    pub open: Option<u32>,
}

/// One finding of [`Desk::check`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Whether it stops the desk from working.
    pub severity: Severity,
    /// What was tried and what came out.
    pub what: String,
    /// What to do about it.
    pub next_step: String,
}

impl Finding {
    /// As it should be.
    pub fn fine(what: impl Into<String>) -> Self {
        Self { severity: Severity::Fine, what: what.into(), next_step: String::new() }
    }

    /// Works, but less than it could.
    pub fn warning(what: impl Into<String>, next_step: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, what: what.into(), next_step: next_step.into() }
    }

    /// Does not work.
    pub fn wrong(what: impl Into<String>, next_step: impl Into<String>) -> Self {
        Self { severity: Severity::Error, what: what.into(), next_step: next_step.into() }
    }

    /// A try that failed; `step` where the error itself has none.
    pub fn failed(error: &DeskError, step: &str) -> Self {
        Self::wrong(error.to_string(), error.next_step.clone().unwrap_or_else(|| step.to_owned()))
    }

    /// Whether these records can be read of which rules may ask such facts. `gone`: why one that is not there says nothing of a
    /// right; `grant` says what would let us read.
    pub fn of_reading<T>(read: Result<T>, (records, facts): (&str, &str), gone: &str, grant: &'static str) -> Self {
        match read {
            Ok(_) => Self::fine(format!("{records} can be read")),
            Err(error) if error.kind == DeskErrorKind::NotFound => {
                Self::fine(format!("{records}: {gone}, so reading was not tried"))
            }
            Err(error) => Self::warning(
                format!("{records} cannot be read: {error}; what rules ask of {facts}.… stays unknown"),
                grant,
            ),
        }
    }

    /// One error for each of these queues that is not among those the desk shows to our account: it shows a queue that we
    /// have no right in as little as one that does not exist. `grant` says what would let us see it.
    pub fn unseen(queues: &[QueueSpec], shown: &[QueueRef], grant: &str) -> Vec<Self> {
        let names: Vec<&str> = shown.iter().filter_map(|queue| queue.name.as_deref()).collect();
        let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        let unseen = queues.iter().filter(|spec| !shown.iter().any(|queue| spec.is(queue)));
        let finding = |spec: &QueueSpec| {
            let what = format!("our account sees no queue \"{}\"", spec.shown());
            Self::wrong(what, format!("{grant}, or correct its name in the configuration; it sees: {names}"))
        };
        unseen.map(finding).collect()
    }
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// As it should be.
    Fine,
    /// Works, but less than it could.
    Warning,
    /// Does not work.
    Error,
}
