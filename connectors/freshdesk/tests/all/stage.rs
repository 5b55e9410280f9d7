//! A desk on the sandbox in Freshdesk's dialect, on a clock that moves whenever somebody waits for it.

use bytes::Bytes;
use futures::executor::block_on;
use handoffd_freshdesk::{FreshdeskDesk, connect};
use handoffd_kit::clock::{Clock, ManualClock};
use handoffd_kit::conformance::{Stage, Wire};
use handoffd_kit::desk::{Desk, DeskChange, PublicReply, Update, WordingSignature, Write};
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
use handoffd_sandbox::seed;
use handoffd_sandbox::stage::{SandboxStage, WEBHOOK_SECRET};
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;

pub const CUSTOMER: &str = "customer@standard.example";

pub struct Even;

impl Random for Even {
    fn bits(&self) -> u64 {
        u64::MAX / 2
    }
}

/// A desk that logs in with this key to what stands behind the wire.
pub fn desk_on(wire: Wire, clock: &ManualClock, key: &str) -> FreshdeskDesk {
    let table = |key: &str, secret: &str| BTreeMap::from([(key.to_owned(), Setting::Secret(secret.to_owned().into()))]);
    let settings = DeskSettings {
        id: "stage".into(),
        url: "https://acme.freshdesk.com".parse().unwrap(),
        login: table("api_key", key),
        webhook: table("secret", WEBHOOK_SECRET),
        budget: 1.0,
    };
    let clock: Arc<dyn Clock> = Arc::new(clock.clone());
    let seams = Seams { clock, random: Arc::new(Even), transport: Arc::new(wire) };
    connect(settings, seams).unwrap_or_else(|problems| panic!("{problems:?}"))
}

/// The helpdesk, the desk on it, and their clock.
pub struct Account {
    pub stage: SandboxStage,
    pub desk: FreshdeskDesk,
    pub clock: ManualClock,
}

impl Account {
    pub fn new() -> Self {
        Self::with_key(seed::API_KEY)
    }

    pub fn with_key(key: &str) -> Self {
        let stage = SandboxStage::freshdesk();
        let clock = stage.clock().unwrap();
        let desk = desk_on(stage.wire().clone(), &clock, key);
        Self { stage, desk, clock }
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

    /// A ticket of a customer in Support.
    pub fn ticket(&self) -> TicketNo {
        let queue = self.stage.sandbox.with(|desk| desk.find_queue("Support").map(|queue| queue.no));
        let set = Set { queue: Some(queue), ..Set::default() };
        seed::customer_writes(&self.stage.sandbox, CUSTOMER, "Charged twice", "I was charged twice.", set)
    }

    pub fn head(&self, ticket: TicketNo) -> TicketHead {
        self.run(self.desk.head(&id(ticket), Timestamp::MAX)).unwrap()
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

    /// What was asked of the helpdesk since this was asked last: `GET /api/v2/tickets/1`.
    pub fn asked(&self) -> Vec<String> {
        let asked: Vec<Asked> = self.stage.sandbox.with(|desk| std::mem::take(&mut desk.journal.requests));
        asked.into_iter().map(|one| format!("{} {}", one.method, one.path)).collect()
    }
}

pub fn id(ticket: TicketNo) -> TicketId {
    TicketId::from(ticket.0)
}

pub fn mark() -> Mark {
    Mark { handoff: "h3f9".into(), number: 1, rule: "refund".into(), version: "a1b2".into() }
}

pub fn note(words: &str) -> DeskChange {
    let note = Some(InternalText(format!("{words}\n\n{}", mark())));
    DeskChange::Update(Update { note, ..Update::default() })
}

pub fn reply(words: &str) -> DeskChange {
    let signature = WordingSignature { message: "m".into(), wording: "w".into(), signer: "second reviewer".into() };
    DeskChange::Reply(PublicReply { text: PublicText(words.into()), signature })
}

/// An error in every form in which anybody may see it.
pub fn shown(error: &DeskError) -> String {
    format!("{error} {error:?} {:?}", error.next_step)
}

/// A transport that answers one path with this status, and carries everything else on.
pub struct Refusing {
    pub inner: Wire,
    pub path: &'static str,
    pub status: u16,
    pub body: &'static str,
}

impl Transport for Refusing {
    fn send(&self, request: Request<Bytes>, bounds: Bounds) -> Exchange<'_> {
        if request.uri().path().ends_with(self.path) {
            let response = Response::builder().status(self.status).body(Bytes::from_static(self.body.as_bytes()));
            return Box::pin(std::future::ready(Ok(response.unwrap())));
        }
        self.inner.send(request, bounds)
    }
}

impl Account {
    /// The same helpdesk, on which one path is answered with this status.
    pub fn refusing(path: &'static str, status: u16, body: &'static str) -> Self {
        let account = Self::new();
        let refusing = Refusing { inner: account.stage.wire().clone(), path, status, body };
        let wire = Wire::new(Arc::new(refusing), Wire::by_method);
        let desk = desk_on(wire, &account.clock, seed::API_KEY);
        Self { desk, ..account }
    }
}

impl Account {
    pub fn clock_now(&self) -> Timestamp {
        self.clock.now()
    }
}
