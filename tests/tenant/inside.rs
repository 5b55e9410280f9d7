//! The same house in this process, against the same tenant, on a clock that the test moves: hours pass in a moment, and it
//! can die at any step. Everything else is real: ledger, connector, policy, web.

use crate::cast::POLICY;
use crate::daemon::events;
use crate::desk::hooks::{Event, SIGNING};
use crate::desk::serve::{Shared, with};
use crate::desk::{Reply, SECRET, Tenant};
use axum::body::{Body, to_bytes};
use bytes::Bytes;
use fastrand::Rng;
use futures::executor::{LocalPool, block_on};
use futures::task::LocalSpawnExt;
use handoffd::config;
use handoffd::daemon::house::House;
use handoffd::daemon::pipeline::Until;
use handoffd::daemon::wiring::{open_desks, wire};
use handoffd::intake::{HookAnswer, HookRequest};
use handoffd::ledger::records::{EffectRecord, HandoffRecord};
use handoffd::ledger::{Boundary, Durability, Handle, HandoffFilter, Ledger, LedgerError};
use handoffd::web::pages;
use handoffd_kit::clock::{Clock, ManualClock};
use handoffd_kit::id::DeskId;
use handoffd_kit::random::Random;
use handoffd_kit::settings::Seams;
use handoffd_kit::transport::{Bounds, Exchange, Transport, TransportError};
use http::{Request, Response};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::cell::{Cell, RefCell};
use std::path::Path;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// More steps of the clock than any scenario takes.
const STEPS: usize = 2_000_000;

/// A tenant, a clock, a ledger, and the house's present life.
pub struct World {
    pub clock: ManualClock,
    pub tenant: Shared,
    pub random: Rng,
    pub crashes: u32,
    /// Whether lives end at a random step.
    pub mortal: bool,
    /// Events that the house has not taken.
    waiting: Rc<RefCell<Vec<Event>>>,
    life: Option<Life>,
    folder: TempDir,
}

struct Life {
    pool: LocalPool,
    house: House,
    steps: Arc<AtomicI64>,
    ended: Rc<Cell<Option<Result<(), LedgerError>>>>,
}

impl World {
    /// An empty tenant and an empty ledger, at the beginning of a working day. Nothing runs yet.
    pub fn new(seed: u64) -> Self {
        let shared = Path::new("/dev/shm");
        let folder = if shared.is_dir() { tempfile::tempdir_in(shared) } else { tempfile::tempdir() };
        Self {
            clock: ManualClock::new("2026-05-04T07:00:00Z".parse().expect("an instant")),
            tenant: Arc::new(Mutex::new(Tenant::new())),
            random: Rng::with_seed(seed),
            crashes: 0,
            mortal: false,
            waiting: Rc::default(),
            life: None,
            folder: folder.expect("a folder"),
        }
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    pub fn with<T>(&self, act: impl FnOnce(&mut Tenant) -> T) -> T {
        with(&self.tenant, act)
    }

    /// Starts the house on the ledger.
    pub fn begin(&mut self) {
        let left = if self.mortal { self.random.i64(50..4_000) } else { i64::MAX };
        let steps = Arc::new(AtomicI64::new(left));
        let wire_to = Wire {
            tenant: self.tenant.clone(),
            clock: self.clock.clone(),
            random: Mutex::new(Rng::with_seed(self.random.u64(..))),
            death: Death(steps.clone()),
        };
        let seams = Seams {
            clock: Arc::new(self.clock.clone()),
            random: Arc::new(Seeded(Mutex::new(Rng::with_seed(self.random.u64(..))))),
            transport: Arc::new(wire_to),
        };
        let policy = POLICY.replace("LISTEN", "127.0.0.1:8787").replace("\"TENANT\"", "\"http://127.0.0.1:1\"");
        let config = config::read(&policy, "policy.toml", Path::new("/")).expect("the policy is fine");
        let ledger = self.folder.path().join("handoffd.db");
        let ledger = Ledger::open(&ledger, Durability::Process).expect("the ledger opens after every crash");
        let desks = open_desks(&config, &secret, &seams).expect("desks open");
        let house = wire(&config, desks, Handle::inline(ledger, Some(Arc::new(Death(steps.clone())))), seams);
        let ended = Rc::new(Cell::new(None));
        let (running, report) = (house.clone(), ended.clone());
        let pool = LocalPool::new();
        let run = async move {
            let outcome = match running.recover().await {
                Ok(_) => running.run(Until::Stopped, &CancellationToken::new()).await,
                Err(error) => Err(error),
            };
            report.set(Some(outcome));
        };
        pool.spawner().spawn_local(run).expect("a fresh pool takes tasks");
        self.life = Some(Life { pool, house, steps, ended });
    }

    /// Ends the present life as `kill -9` does; the ledger stays.
    pub fn end(&mut self) {
        self.life = None;
    }

    /// Lets time pass, and the house work.
    pub fn pass(&mut self, span: SignedDuration) {
        let end = self.now() + span;
        for _ in 0..STEPS {
            let life = self.life.as_mut().expect("a life that was begun");
            life.pool.run_until_stalled();
            if let Some(outcome) = life.ended.take() {
                outcome.expect("the pipeline goes on");
            }
            if life.steps.load(Ordering::Relaxed) <= 0 {
                self.crash(end);
                continue;
            }
            if self.post() {
                continue;
            }
            match self.clock.next_wait().filter(|next| *next <= end) {
                Some(next) => self.clock.set(next.max(self.now())),
                None => return self.clock.set(end),
            }
        }
        panic!("more steps than any scenario takes: something goes round in a circle");
    }

    fn crash(&mut self, end: Timestamp) {
        self.crashes += 1;
        self.end();
        let pause = SignedDuration::from_secs(self.random.i64(0..60));
        self.clock.set((self.now() + pause).min(end));
        self.begin();
    }

    /// Posts events twice and in any order; whatever was not taken is posted again.
    fn post(&mut self) -> bool {
        let mut events = self.with_random(events);
        events.append(&mut self.waiting.borrow_mut());
        let Some(life) = self.life.as_ref().filter(|_| !events.is_empty()) else { return false };
        for event in events {
            self.waiting.borrow_mut().push(event.clone());
            let (house, waiting, now) = (life.house.clone(), self.waiting.clone(), self.clock.now());
            let post = async move {
                let desk = DeskId::from("acme");
                let headers = event.headers(now);
                let request = HookRequest { desk: &desk, path: None, headers: &headers, body: &event.body };
                let answer = house.intake.webhook(request).await;
                let taken = matches!(answer, Ok(HookAnswer::Stored | HookAnswer::Known | HookAnswer::Nothing));
                assert!(taken, "a good webhook was answered {answer:?}");
                let mut waiting = waiting.borrow_mut();
                let same = |one: &Event| (&one.invocation, &one.body) == (&event.invocation, &event.body);
                let at = waiting.iter().position(same).expect("it waits");
                waiting.remove(at);
                drop(waiting);
                house.wake.call();
            };
            life.pool.spawner().spawn_local(post).expect("the pool takes tasks");
        }
        true
    }

    fn with_random<T>(&mut self, act: impl FnOnce(&mut Tenant, &mut Rng) -> T) -> T {
        with(&self.tenant, |tenant| act(tenant, &mut self.random))
    }

    /// Does something to the tenant that takes chance.
    pub fn cast<T>(&mut self, act: impl FnOnce(&mut Tenant, &mut Rng, Timestamp) -> T) -> T {
        let now = self.now();
        self.with_random(|tenant, random| act(tenant, random, now))
    }

    fn ask<T>(&self, ask: impl FnOnce(&Ledger) -> T) -> T {
        ask(&Ledger::open_read_only(&self.folder.path().join("handoffd.db")).expect("the ledger is there"))
    }

    pub fn parked(&self) -> Vec<EffectRecord> {
        self.ask(|ledger| ledger.parked().expect("readable"))
    }

    pub fn handoffs(&self) -> Vec<HandoffRecord> {
        let all = HandoffFilter { limit: Some(10_000), ..HandoffFilter::default() };
        self.ask(|ledger| ledger.handoffs(&all).expect("readable"))
    }

    /// Takes an order of a person.
    pub fn order<T: Send + 'static>(
        &self,
        act: impl FnMut(&mut Ledger) -> Result<T, LedgerError> + Send + 'static,
    ) -> T {
        let house = &self.life.as_ref().expect("a life").house;
        let done = block_on(house.ledger.call(act)).expect("done");
        house.wake.call();
        done
    }

    /// What `/healthz` says.
    pub fn health(&self) -> Value {
        let house = &self.life.as_ref().expect("a life").house;
        let router = TowerToHyperService::new(pages(house.web(1_000_000)));
        let request = Request::get("/healthz").body(Body::empty()).expect("a request");
        block_on(async {
            let response = router.call(request).await.expect("infallible");
            let body = to_bytes(response.into_body(), 1 << 20).await.expect("a body");
            serde_json::from_slice(&body).expect("JSON")
        })
    }
}

fn secret(name: &str) -> Option<String> {
    match name {
        "TENANT_CLIENT_SECRET" => Some(SECRET.to_owned()),
        "TENANT_WEBHOOK_SECRET" => Some(SIGNING.to_owned()),
        _ => None,
    }
}

struct Seeded(Mutex<Rng>);

impl Random for Seeded {
    fn bits(&self) -> u64 {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).u64(..)
    }
}

/// Counts steps down; at zero nothing ever goes on.
struct Death(Arc<AtomicI64>);

impl Boundary for Death {
    fn pass(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let left = self.0.fetch_sub(1, Ordering::Relaxed);
        if left <= 1 { Box::pin(std::future::pending()) } else { Box::pin(std::future::ready(())) }
    }
}

/// Carries requests to the tenant in this process; each way takes a moment.
struct Wire {
    tenant: Shared,
    clock: ManualClock,
    random: Mutex<Rng>,
    death: Death,
}

impl Wire {
    async fn moment(&self) {
        let millis = self.random.lock().unwrap_or_else(PoisonError::into_inner).i64(5..200);
        self.clock.sleep_until(self.clock.now() + SignedDuration::from_millis(millis)).await;
    }
}

impl Transport for Wire {
    fn send(&self, request: Request<Bytes>, bounds: Bounds) -> Exchange<'_> {
        Box::pin(async move {
            self.moment().await;
            self.death.pass().await;
            let now = self.clock.now();
            let reply = with(&self.tenant, |tenant| tenant.answer(&request, now));
            self.death.pass().await;
            self.moment().await;
            match reply {
                Reply::Answer(response) => Ok::<Response<Bytes>, _>(response),
                Reply::Unreachable => Err(TransportError::NotSent("connection refused".into())),
                Reply::Cut => Err(TransportError::Lost("the connection was closed".into())),
                Reply::Held => {
                    let timeout = SignedDuration::try_from(bounds.timeout).expect("a short time");
                    self.clock.sleep_until(now + timeout).await;
                    Err(TransportError::Lost("it took too long".into()))
                }
            }
        })
    }
}
