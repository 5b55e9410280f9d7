//! A connector's desk on the sandbox in its dialect, for the connector's own tests: on a clock that moves whenever somebody waits
//! for it. Each test binary takes this file in and adds how its desk is made.

#![allow(dead_code, reason = "each binary uses its part")]

pub mod conforms;
pub mod hostile;
pub mod rights;
pub mod traps;

use bytes::Bytes;
use futures::executor::block_on;
use handoffd_kit::clock::{Clock, ManualClock};
use handoffd_kit::conformance::{Fault, Stage, Wire};
use handoffd_kit::desk::{
    Changed, Cursor, Desk, DeskChange, Finding, PublicReply, QueueSpec, Severity, Update, WordingSignature, Write,
};
use handoffd_kit::error::DeskError;
use handoffd_kit::id::TicketId;
use handoffd_kit::mark::Mark;
use handoffd_kit::model::{InternalText, PublicText, TicketHead};
use handoffd_kit::random::Random;
use handoffd_kit::settings::{DeskSettings, Seams, Setting};
use handoffd_kit::transport::{Bounds, Exchange, Transport};
use handoffd_sandbox::change::Update as Set;
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::journal::Asked;
use handoffd_sandbox::people::Person;
use handoffd_sandbox::seed;
use handoffd_sandbox::stage::SandboxStage;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;

pub const CUSTOMER: &str = "customer@standard.example";

struct Even;

impl Random for Even {
    fn bits(&self) -> u64 {
        u64::MAX / 2
    }
}

/// The settings of a desk at this address, with one secret to log in with and one for its webhook.
pub fn settings(url: &str, login: (&str, &str), webhook: (&str, &str)) -> DeskSettings {
    let table =
        |(key, secret): (&str, &str)| BTreeMap::from([(key.to_owned(), Setting::Secret(secret.to_owned().into()))]);
    DeskSettings {
        id: "stage".into(),
        url: url.parse().unwrap(),
        login: table(login),
        webhook: table(webhook),
        budget: 1.0,
    }
}

/// This clock, this wire, and no chance.
pub fn seams(wire: Wire, clock: &ManualClock) -> Seams {
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    Seams { clock, random: Arc::new(Even), transport: Arc::new(wire) }
}

/// The helpdesk, the desk on it, and their clock.
pub struct Account<D> {
    pub stage: SandboxStage,
    pub desk: D,
    pub clock: ManualClock,
}

impl<D: Desk> Account<D> {
    /// A desk on this stage, made of its wire and clock.
    pub fn on(stage: SandboxStage, desk: impl FnOnce(Wire, &ManualClock) -> D) -> Self {
        let clock = stage.clock().unwrap();
        let desk = desk(stage.wire().clone(), &clock);
        Self { stage, desk, clock }
    }

    /// The same helpdesk, on which paths with this end are answered with this status; `/contacts/*`: everything under it;
    /// `POST /tags`: this method alone.
    pub fn on_refusing(
        stage: SandboxStage,
        (path, status, body): (&'static str, u16, &'static str),
        desk: impl FnOnce(Wire, &ManualClock) -> D,
    ) -> Self {
        Self::on(stage, |inner, clock| {
            let refusing = Refusing { inner, path, status, body };
            desk(Wire::new(Arc::new(refusing), Wire::by_method), clock)
        })
    }

    /// Waits for work on a clock that moves whenever somebody waits for it.
    pub fn run<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        block_on(poll_fn(|context| {
            let polled = work.as_mut().poll(context);
            if polled.is_pending()
                && let Some(at) = self.clock.next_wait()
            {
                self.clock.set(at);
                context.waker().wake_by_ref();
            }
            polled
        }))
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    pub fn clock_now(&self) -> Timestamp {
        self.clock.now()
    }

    /// A ticket of a customer in Support.
    pub fn ticket(&self) -> TicketNo {
        let queue = self.stage.sandbox.with(|desk| desk.find_queue("Support").map(|queue| queue.no));
        let set = Set { queue: Some(queue), ..Set::default() };
        seed::customer_writes(&self.stage.sandbox, CUSTOMER, "Charged twice", "I was charged twice.", set)
    }

    pub fn head(&self, ticket: TicketNo) -> TicketHead {
        self.run(self.desk.head(&id(ticket), Timestamp::MAX)).unwrap()
    }

    /// What `check` finds wrong, or not as it might be, with these queues.
    pub fn complaints(&self, queues: &[QueueSpec]) -> Vec<Finding> {
        let findings = self.run(self.desk.check(queues)).unwrap();
        findings.into_iter().filter(|finding| finding.severity != Severity::Fine).collect()
    }

    /// The same helpdesk with a ticket on it, our own account changed so.
    pub fn with_bot(self, act: impl Fn(&mut Person)) -> Self {
        self.ticket();
        self.stage.sandbox.with(|desk| {
            desk.people.values_mut().filter(|person| person.login == seed::BOT).for_each(&act);
        });
        self
    }

    /// A write of this change that was decided on the ticket as it is now.
    pub fn write(&self, ticket: TicketNo, change: DeskChange) -> Write {
        let mut write = Write {
            ticket: id(ticket),
            change,
            mark: mark(),
            expected: None,
            decided_on: None,
            first_tried: Some(self.clock.now()),
            deadline: Timestamp::MAX,
        };
        write.decide_on(&self.head(ticket));
        write
    }

    /// Everything that a stream shows from this cursor on.
    pub fn poll(&self, stream: &str, cursor: &mut Option<Cursor>, since: Timestamp) -> Vec<Changed> {
        let mut changed = Vec::new();
        for _ in 0..50 {
            let page = self.run(self.desk.changed_since(&stream.into(), cursor.as_ref(), since)).unwrap();
            changed.extend(page.changed);
            *cursor = Some(page.next);
            if !page.more {
                return changed;
            }
        }
        panic!("the stream never ends");
    }

    /// What was asked of the helpdesk since this was asked last: `GET /api/v2/tickets/1`.
    pub fn asked(&self) -> Vec<String> {
        let asked: Vec<Asked> = self.stage.sandbox.with(|desk| std::mem::take(&mut desk.journal.requests));
        asked.into_iter().map(|one| format!("{} {}", one.method, one.path)).collect()
    }
}

pub fn tickets(changed: &[Changed]) -> Vec<String> {
    changed.iter().map(|one| one.ticket.to_string()).collect()
}

pub fn id(ticket: TicketNo) -> TicketId {
    TicketId::from(ticket.0)
}

pub fn mark() -> Mark {
    Mark { handoff: "h3f9".into(), number: 1, rule: "refund".into(), version: "a1b2".into() }
}

/// An internal note's text, with its mark.
pub fn noted(words: &str) -> Option<InternalText> {
    Some(InternalText(format!("{words}\n\n{}", mark())))
}

pub fn note(words: &str) -> DeskChange {
    DeskChange::Update(Update { note: noted(words), ..Update::default() })
}

pub fn reply(words: &str) -> DeskChange {
    let signature = WordingSignature { message: "m".into(), wording: "w".into(), signer: "second reviewer".into() };
    DeskChange::Reply(PublicReply { text: PublicText(words.into()), signature })
}

/// An error in every form in which anybody may see it.
pub fn shown(error: &DeskError) -> String {
    format!("{error} {error:?} {:?}", error.next_step)
}

/// An answer of our own.
pub fn answer(status: u16, body: String) -> Fault {
    Fault::Answer { status, headers: vec![], body: Box::leak(body.into_boxed_str()) }
}

/// A transport that answers some paths with this status, and carries everything else on.
struct Refusing {
    inner: Wire,
    path: &'static str,
    status: u16,
    body: &'static str,
}

impl Refusing {
    fn refuses(&self, request: &Request<Bytes>) -> bool {
        let (method, path) = match self.path.split_once(' ') {
            Some((method, path)) => (Some(method), path),
            None => (None, self.path),
        };
        let asked = request.uri().path();
        let there = path.strip_suffix('*').map_or_else(|| asked.ends_with(path), |begin| asked.contains(begin));
        there && method.is_none_or(|method| request.method() == method)
    }
}

impl Transport for Refusing {
    fn send(&self, request: Request<Bytes>, bounds: Bounds) -> Exchange<'_> {
        if self.refuses(&request) {
            let response = Response::builder().status(self.status).body(Bytes::from_static(self.body.as_bytes()));
            return Box::pin(std::future::ready(Ok(response.unwrap())));
        }
        self.inner.send(request, bounds)
    }
}
