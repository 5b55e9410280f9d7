//! A house on one desk in memory, for the tests of `web` and `daemon`: real ledger, real policy, a clock that they move.

use super::house::{House, Pace};
use super::pipeline::Until;
use crate::ledger::{Handle, Ledger};
use crate::policy::rules::{Policy, ReviewDecision};
use crate::policy::testing;
use handoffd_kit::capability::{
    Aspect, Capabilities, Guard, IdForm, NoteFormat, Pausing, Roster, Stream, WebhookTrust,
};
use handoffd_kit::clock::{Clock, ManualClock};
use handoffd_kit::desk::*;
use handoffd_kit::error::{DeskError, DeskErrorKind, Retry};
use handoffd_kit::fact::Fact;
use handoffd_kit::gate::{Class, Figures, LimitNow};
use handoffd_kit::id::{DeskId, StreamName, TicketId};
use handoffd_kit::model::*;
use handoffd_kit::random::Random;
use handoffd_kit::settings::Seams;
use handoffd_kit::transport::{Bounds, Exchange, Transport, TransportError};
use handoffd_kit::webhook::{Delivery, Hint, Refusal, Unverified};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

/// The secret in the address of [`FakeDesk`]'s webhooks.
pub(crate) const TOKEN: &str = "s3cret";

/// The status that stops the customer's clock on [`FakeDesk`].
pub(crate) const HOLD: Pausing = Pausing {
    word: "hold",
    means: Status::OnHold,
    resumes: "open",
    resumed: Status::Open,
    back: &[(Status::Pending, "pending")],
};

/// A desk with one ticket, which is what a test makes it.
pub(crate) struct FakeDesk {
    clock: ManualClock,
    capabilities: Capabilities,
    ticket: Mutex<Ticket>,
    closed: CancellationToken,
}

/// What lies on the desk.
pub(crate) struct Ticket {
    pub(crate) head: TicketHead,
    pub(crate) history: Vec<Change>,
    pub(crate) said: Vec<Message>,
    pub(crate) written: Vec<Write>,
    pub(crate) silent: bool,
    /// What it says about the ticket cannot be read.
    pub(crate) garbled: bool,
    /// How often the head was read.
    pub(crate) heads: u32,
    /// This stream cannot be read.
    pub(crate) broken_stream: Option<StreamName>,
    pub(crate) refuses: bool,
    pub(crate) refuses_replies: bool,
    /// What becomes of every write, where it is this failure.
    pub(crate) write_fails: Option<DeskError>,
    /// And of every look-up.
    pub(crate) lookup_fails: Option<DeskError>,
    /// Writes are applied, and their answers get lost.
    pub(crate) answers_lost: bool,
    /// The ticket cannot be read any more, for this reason.
    pub(crate) out_of_sight: Option<DeskErrorKind>,
    /// A queue that the desk has no more.
    pub(crate) gone: Option<&'static str>,
    /// So many writes meet a ticket that has just changed.
    pub(crate) conflicts: u32,
    /// An agent takes it just before our next write.
    pub(crate) claimed_at_conflict: bool,
    pub(crate) tried: u32,
    pub(crate) stranger: bool,
    /// Who works in each queue.
    pub(crate) members: BTreeMap<String, Vec<Member>>,
    /// What a person does right after our next write.
    pub(crate) meddles: Option<fn(&mut Ticket, Timestamp)>,
    /// What happens elsewhere right after our next write, before it is answered.
    pub(crate) meanwhile: Option<Box<dyn FnOnce() + Send>>,
    /// A write waits for the desk's limits, which leave it no room.
    pub(crate) waits_in_gate: bool,
    /// A write leaves and is not answered.
    pub(crate) never_answers: bool,
}

/// An active member of a queue.
pub(crate) fn member(id: &str) -> Member {
    let person = Person { id: id.into(), name: Some(format!("Agent {id}")), email: None, role: Role::Agent };
    Member { person, active: true, open: None }
}

const CONDITIONAL: Guard = Guard::Conditional { grain: Duration::from_secs(1) };

fn stream(name: &str) -> Stream {
    Stream { name: name.into(), overlap: Duration::ZERO, lag: Duration::ZERO, carries_heads: false }
}

impl FakeDesk {
    fn new(clock: ManualClock, guard: Guard) -> Self {
        let mut case = testing::case_with_parts();
        case.head.updated_at = Fact::Known(testing::now());
        let capabilities = Capabilities {
            connector: "fake",
            user_id: IdForm::Text,
            queue_id: IdForm::Text,
            together: &[Aspect::Note, Aspect::Queue, Aspect::Owner, Aspect::Status],
            fixed: &[],
            guard,
            readable_history: true,
            sla_clocks: false,
            pausing: &[HOLD],
            customers_tickets: false,
            machine_mail: false,
            race_free_tags: true,
            roster: Roster::WithLoad,
            followers: true,
            can_find: true,
            settle_time: Duration::from_secs(30),
            webhook: WebhookTrust::SecretPath,
            note_format: NoteFormat::Text,
            note_max_bytes: 60_000,
            streams: ["deleted", "tickets"].map(stream).into(),
            limits: Vec::new(),
            rights: &[],
            checked: "in memory",
        };
        let opened = Change {
            id: "100".into(),
            at: testing::now() - SignedDuration::from_hours(1),
            by: Author { id: None, name: None, role: Role::Customer },
            actor: Actor::Person,
            mark: None,
            what: vec![What::Created],
        };
        let ticket = Ticket {
            head: case.head,
            history: vec![opened],
            said: case.parts.conversation.map(|said| said.messages).unwrap_or_default(),
            written: Vec::new(),
            silent: false,
            garbled: false,
            heads: 0,
            broken_stream: None,
            refuses: false,
            refuses_replies: false,
            write_fails: None,
            lookup_fails: None,
            answers_lost: false,
            out_of_sight: None,
            gone: None,
            conflicts: 0,
            claimed_at_conflict: false,
            tried: 0,
            stranger: false,
            // Nobody is told of the other queues' people.
            members: [
                ("Billing", vec![member("21"), member("22"), member("4711")]),
                ("Support", vec![]),
                ("Engineering", vec![]),
            ]
            .map(|(queue, members)| (queue.to_owned(), members))
            .into(),
            meddles: None,
            meanwhile: None,
            waits_in_gate: false,
            never_answers: false,
        };
        Self { clock, capabilities, ticket: Mutex::new(ticket), closed: CancellationToken::new() }
    }

    /// The ticket, to look at and to change.
    pub(crate) fn ticket(&self) -> MutexGuard<'_, Ticket> {
        self.ticket.lock().expect("no test panics while it holds the ticket")
    }

    /// An agent does something.
    pub(crate) fn agent(&self, at: Timestamp, what: What, change: impl FnOnce(&mut TicketHead)) {
        let mut ticket = self.ticket();
        let by = Author { id: Some("8".into()), name: Some("Second Agent".into()), role: Role::Agent };
        change(&mut ticket.head);
        ticket.record(by, Actor::Person, None, at, vec![what]);
    }

    /// The agent who had it before our handoff does something.
    pub(crate) fn first_agent(&self, at: Timestamp, what: What) {
        let by = Author { id: Some("7".into()), name: Some("First Agent".into()), role: Role::Agent };
        self.ticket().record(by, Actor::Person, None, at, vec![what]);
    }

    fn answer<T: Send + 'static>(&self, give: impl FnOnce(&mut Ticket) -> T) -> Answer<'_, T> {
        let mut ticket = self.ticket();
        let answer = match (ticket.silent, ticket.stranger) {
            (true, _) => Err(DeskError::new(DeskErrorKind::Unavailable, Retry::After(None), "call").words("no answer")),
            (false, true) => Err(DeskError::new(DeskErrorKind::Unauthorized, Retry::Never, "call")),
            (false, false) => Ok(give(&mut ticket)),
        };
        Box::pin(async move { answer })
    }
}

impl Ticket {
    fn record(
        &mut self,
        by: Author,
        actor: Actor,
        mark: Option<handoffd_kit::mark::Mark>,
        at: Timestamp,
        what: Vec<What>,
    ) {
        let number = 100 + self.history.len();
        self.head.version = format!("v{number}").into();
        self.history.push(Change { id: number.to_string().into(), at, by, actor, mark, what });
    }

    /// The customer does something.
    pub(crate) fn customer_says(&mut self, at: Timestamp, what: What) {
        let by = Author { id: Some("20".into()), name: None, role: Role::Customer };
        self.record(by, Actor::Person, None, at, vec![what]);
    }

    /// An agent does something.
    pub(crate) fn agent_does(&mut self, at: Timestamp, what: What) {
        let by = Author { id: Some("8".into()), name: Some("Second Agent".into()), role: Role::Agent };
        self.record(by, Actor::Person, None, at, vec![what]);
    }

    /// Somebody of this id and name does something.
    pub(crate) fn named_agent_does(&mut self, id: &str, name: &str, at: Timestamp, what: What) {
        let by = Author { id: Some(id.into()), name: Some(name.into()), role: Role::Agent };
        self.record(by, Actor::Person, None, at, vec![what]);
    }

    /// Another rule of the site moves the ticket.
    pub(crate) fn automation_moves(&mut self, at: Timestamp, what: What, queue: &str) {
        self.head.queue = testing::queue(queue);
        let by = Author { id: None, name: Some("Keep it".into()), role: Role::Automation };
        self.record(by, Actor::Automation, None, at, vec![what]);
    }

    /// Whether somebody has changed the ticket just before this write.
    fn meets_a_change(&mut self, write: &Write, at: Timestamp) -> bool {
        self.tried += 1;
        if std::mem::take(&mut self.claimed_at_conflict) {
            let by = Author { id: Some("22".into()), name: Some("Second Agent".into()), role: Role::Agent };
            let what = What::Owner { from: None, to: Some("22".into()) };
            self.head.owner = Fact::Known(Some(Person { id: "22".into(), name: None, email: None, role: Role::Agent }));
            self.record(by, Actor::Person, None, at, vec![what]);
        }
        if self.conflicts > 0 {
            self.conflicts -= 1;
            self.head.version = format!("changed-{}", self.tried).into();
        }
        write.expected.as_ref().is_some_and(|expected| *expected != self.head.version)
    }

    fn write(&mut self, write: &Write, at: Timestamp) -> Receipt {
        let mut what = Vec::new();
        if let DeskChange::Update(Update { queue: Some(queue), .. }) = &write.change {
            let from = self.head.queue.known().cloned().flatten();
            // By name "Billing" or by id "q-Billing".
            let name = queue.shown().trim_start_matches("q-").to_owned();
            self.head.queue = testing::queue(&name);
            what.push(What::Queue { from, to: self.head.queue.known().cloned().flatten() });
        }
        if let DeskChange::Update(Update { owner: Some(owner), .. }) = &write.change {
            let to = match owner {
                OwnerSpec::User(id) => Some(id.clone()),
                OwnerSpec::Nobody | OwnerSpec::Email(_) => None,
            };
            let person = |id| Person { id, name: None, email: None, role: Role::Agent };
            self.head.owner = Fact::Known(to.clone().map(person));
            what.push(What::Owner { from: None, to });
        }
        if let DeskChange::Tags { add, remove } = &write.change {
            let mut tags = self.head.tags.known().cloned().unwrap_or_default();
            tags.retain(|tag| !remove.contains(tag));
            tags.extend(add.iter().cloned());
            self.head.tags = Fact::Known(tags);
            what.push(What::Tags { added: add.clone(), removed: remove.clone() });
        }
        if let DeskChange::Update(Update { status: Some(status), .. }) = &write.change {
            what.push(What::Status { from: self.head.status.known().copied(), to: Some(status.means) });
            self.head.status = Fact::Known(status.means);
        }
        let us = Author { id: Some("1".into()), name: None, role: Role::Us };
        self.record(us, Actor::Us, Some(write.mark.clone()), at, what);
        self.written.push(write.clone());
        let id = (99 + self.history.len()).to_string();
        let receipt = Receipt { id, version: Some(self.head.version.clone()), head: None };
        if let Some(meddle) = self.meddles.take() {
            meddle(self, at);
        }
        if let Some(meanwhile) = self.meanwhile.take() {
            meanwhile();
        }
        receipt
    }
}

impl Desk for FakeDesk {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn changed_since<'a>(&'a self, stream: &'a StreamName, _: Option<&'a Cursor>, _: Timestamp) -> Answer<'a, Page> {
        if self.ticket().broken_stream.as_ref() == Some(stream) {
            return Box::pin(async { Err(unusable("read changes")) });
        }
        self.answer(|_| Page { changed: Vec::new(), next: Cursor("1".into()), more: false })
    }

    fn head<'a>(&'a self, _: &'a TicketId, _: Timestamp) -> Answer<'a, TicketHead> {
        self.ticket().heads += 1;
        if self.ticket().garbled {
            return Box::pin(async { Err(unusable("read head")) });
        }
        if let Some(kind) = self.ticket().out_of_sight {
            return Box::pin(
                async move { Err(DeskError::new(kind, Retry::Never, "read head").words("no such ticket")) },
            );
        }
        self.answer(|ticket| ticket.head.clone())
    }

    fn members<'a>(&'a self, queue: &'a QueueSpec, _: Timestamp) -> Answer<'a, Vec<Member>> {
        let members = self.ticket().members.get(queue.shown()).cloned();
        let none = || DeskError::new(DeskErrorKind::NotFound, Retry::Never, "read members");
        Box::pin(std::future::ready(members.ok_or_else(none)))
    }

    fn parts<'a>(&'a self, _: &'a TicketHead, _: PartSet, _: Timestamp) -> Answer<'a, Parts> {
        self.answer(|ticket| Parts {
            history: Some(ticket.history.clone()),
            conversation: Some(Conversation { messages: ticket.said.clone(), complete: true }),
            ..testing::case_with_parts().parts
        })
    }

    fn apply<'a>(&'a self, write: &'a Write) -> Answer<'a, Receipt> {
        if self.ticket().never_answers {
            return Box::pin(std::future::pending());
        }
        if self.ticket().waits_in_gate {
            return Box::pin(async {
                self.closed.cancelled().await;
                Err(DeskError::new(DeskErrorKind::Unavailable, Retry::After(None), "apply update").words("not sent"))
            });
        }
        let failure = self.ticket().write_fails.clone();
        if let Some(error) = failure {
            self.ticket().tried += 1;
            return Box::pin(async move { Err(error) });
        }
        let reply = matches!(write.change, DeskChange::Reply(_));
        let lost = match &write.change {
            DeskChange::Update(Update { queue: Some(queue), .. }) => self.ticket().gone == Some(queue.shown()),
            _ => false,
        };
        if lost || self.ticket().refuses || reply && self.ticket().refuses_replies {
            let error = DeskError::new(DeskErrorKind::Refused, Retry::Never, "apply update").words("no such group");
            return Box::pin(async move { Err(error) });
        }
        if self.ticket().meets_a_change(write, self.clock.now()) {
            let error = DeskError::new(DeskErrorKind::Conflict, Retry::Never, "apply update");
            return Box::pin(async move { Err(error) });
        }
        let now = self.clock.now();
        let lost = self.ticket().answers_lost;
        let receipt = self.answer(|ticket| ticket.write(write, now));
        if lost {
            let error = DeskError::new(DeskErrorKind::Unavailable, Retry::Unsure, "apply update").words("no answer");
            return Box::pin(async move { Err(error) });
        }
        receipt
    }

    fn close(&self) {
        self.closed.cancel();
    }

    fn find<'a>(&'a self, _: &'a Write) -> Answer<'a, Sighting> {
        let failure = self.ticket().lookup_fails.clone();
        if let Some(error) = failure {
            return Box::pin(async move { Err(error) });
        }
        self.answer(|_| Sighting::NotFound)
    }

    fn webhook(&self, request: Unverified<'_>) -> Result<Delivery, Refusal> {
        let body = request.path_token(&secrecy::SecretString::from(TOKEN))?.body();
        let body: serde_json::Value = serde_json::from_slice(body).map_err(|_| Refusal::Malformed)?;
        let text = |key: &str| body.get(key).and_then(serde_json::Value::as_str);
        let actor = text("actor").map(Into::into);
        let hints = text("ticket").map(|ticket| Hint { ticket: ticket.into(), actor });
        Ok(Delivery { id: text("id").map(str::to_owned), hints: hints.into_iter().collect() })
    }

    fn me(&self) -> Answer<'_, Person> {
        self.answer(|_| Person { id: "1".into(), name: None, email: None, role: Role::Us })
    }

    fn directory(&self) -> Answer<'_, Directory> {
        let shown = |gone: Option<&str>| {
            let left = ["Incoming", "Support", "Billing", "Engineering"].into_iter().filter(|name| gone != Some(name));
            left.filter_map(|name| testing::queue(name).known().cloned().flatten()).collect()
        };
        self.answer(move |ticket| Directory { queues: shown(ticket.gone), ..Directory::default() })
    }

    fn figures(&self) -> Option<Figures> {
        let calls = BTreeMap::from([(("tickets", Class::Read), 3)]);
        let limit = LimitNow {
            endpoint: "account",
            per_ticket: false,
            per: SignedDuration::from_mins(1),
            declared: 100,
            calls: 200,
            ours: 160,
            used: 3,
            left: Some((120, Timestamp::UNIX_EPOCH)),
        };
        Some(Figures { calls, refused: 1, waiting: 2, in_flight: 0, closed: Vec::new(), limits: vec![limit] })
    }

    fn check<'a>(&'a self, _: &'a [QueueSpec]) -> Answer<'a, Vec<Finding>> {
        self.answer(|_| Vec::new())
    }
}

fn unusable(operation: &'static str) -> DeskError {
    DeskError::new(DeskErrorKind::Protocol, Retry::After(None), operation).words("no JSON")
}

struct NoChance;

impl Random for NoChance {
    fn bits(&self) -> u64 {
        0
    }
}

struct NoNetwork;

impl Transport for NoNetwork {
    fn send(&self, _: http::Request<bytes::Bytes>, _: Bounds) -> Exchange<'_> {
        Box::pin(async { Err(TransportError::NotSent("no network in tests".into())) })
    }
}

/// A house, its desk and its clock.
pub(crate) struct Stage {
    pub(crate) house: House,
    pub(crate) desk: Arc<FakeDesk>,
    pub(crate) clock: ManualClock,
}

/// A policy with one rule that asks a person before it takes a refund to billing.
pub(crate) fn asking() -> Policy {
    let mut policy = testing::policy();
    let mut rule = testing::escalation("refund", "has_tag(\"refund\")", "billing");
    rule.review = ReviewDecision::Always;
    policy.escalations.push(rule);
    policy
}

/// The same without asking.
pub(crate) fn sending() -> Policy {
    let mut policy = asking();
    policy.escalations[0].review = ReviewDecision::Never;
    policy
}

fn pace() -> Pace {
    Pace {
        verify_after: SignedDuration::from_secs(60),
        polls: BTreeMap::new(),
        keep_raw: SignedDuration::from_hours(1),
    }
}

impl Stage {
    /// A house that runs this policy on a fresh ledger.
    pub(crate) fn new(policy: Policy) -> Self {
        Self::guarded(policy, CONDITIONAL)
    }

    /// The same on a desk that guards its writes otherwise.
    pub(crate) fn guarded(policy: Policy, guard: Guard) -> Self {
        let mut ledger = Ledger::in_memory().expect("ledger");
        ledger.desk_met(&"acme".into(), testing::now()).expect("met");
        Self::on(Handle::inline(ledger, None), policy, guard)
    }

    fn on(ledger: Handle, policy: Policy, guard: Guard) -> Self {
        let clock = ManualClock::new(testing::now());
        let seams =
            Seams { clock: Arc::new(clock.clone()), random: Arc::new(NoChance), transport: Arc::new(NoNetwork) };
        let desk = Arc::new(FakeDesk::new(clock.clone(), guard));
        let desks = BTreeMap::from([(DeskId::from("acme"), desk.clone() as Arc<dyn Desk>)]);
        let house = House::new(ledger, desks, Arc::new(policy), seams, pace());
        Self { house, desk, clock }
    }

    /// A house whose handoffs tell the customer: the wording is signed.
    pub(crate) async fn telling_the_customer() -> Self {
        let stage = Self::new(sending());
        let message = stage.house.policy.messages.values().next().expect("a message").clone();
        let signed = crate::ledger::records::SignedWording {
            message: message.name.to_string(),
            wording: message.wording_hash,
            signer: "support-ops@acme.example".into(),
            system_user: "test".into(),
            at: testing::now(),
        };
        stage.house.ledger.call(move |ledger| ledger.sign(&signed)).await.expect("signed");
        stage
    }

    /// The same house, its desk polled.
    pub(crate) fn polled(policy: Policy) -> Self {
        let mut stage = Self::new(policy);
        stage.house.polls.insert("acme".into(), SignedDuration::from_secs(30));
        stage
    }

    /// The same ledger and desk under another policy.
    pub(crate) fn with_policy(self, policy: Policy) -> Self {
        let desks = BTreeMap::from([(DeskId::from("acme"), self.desk.clone() as Arc<dyn Desk>)]);
        let house = House::new(self.house.ledger, desks, Arc::new(policy), self.house.seams, pace());
        Self { house, desk: self.desk, clock: self.clock }
    }

    /// The desk refuses the handoff's write, which is parked.
    pub(crate) async fn park(&self) {
        self.desk.ticket().refuses = true;
        self.look().await;
        self.desk.ticket().refuses = false;
    }

    /// A house whose ledger is a file in this folder, and waits for nobody.
    pub(crate) fn on_file(policy: Policy, folder: &std::path::Path) -> Self {
        let path = folder.join("handoffd.db");
        let mut ledger = Ledger::open(&path, crate::ledger::Durability::Process).expect("ledger");
        ledger.tightened(false).expect("set");
        ledger.desk_met(&"acme".into(), testing::now()).expect("met");
        Self::on(Handle::inline(ledger, None), policy, CONDITIONAL)
    }

    /// A house whose ledger has a thread of its own, which has died.
    pub(crate) async fn without_ledger(policy: Policy) -> Self {
        let handle = Handle::spawn(Ledger::in_memory().expect("ledger")).expect("thread");
        let died =
            handle.call(|_| -> crate::ledger::Result<()> { panic!("on purpose: the ledger's thread ends") }).await;
        died.expect_err("the thread has ended");
        Self::on(handle, policy, CONDITIONAL)
    }

    /// Notes a look at the ticket and does everything that is due.
    pub(crate) async fn look(&self) {
        let looks = vec![crate::ledger::records::NewLook { ticket: "42".into(), due: self.clock.now(), head: None }];
        self.house.ledger.call(move |ledger| ledger.note_looks(&"acme".into(), &looks)).await.expect("noted");
        self.run().await;
    }

    /// Does everything that is due now.
    pub(crate) async fn run(&self) {
        let until = Until::NothingDueBy(self.clock.now());
        self.house.run(until, &CancellationToken::new()).await.expect("ran");
    }

    /// All handoffs, newest first.
    pub(crate) async fn handoffs(&self) -> Vec<crate::ledger::records::HandoffRecord> {
        let all = |ledger: &mut Ledger| ledger.handoffs(&crate::ledger::HandoffFilter::default());
        self.house.ledger.call(all).await.expect("handoffs")
    }
}
