//! Handoffs per second, end to end: the whole house on a ledger on the disk, the real connector over HTTP, the embedded
//! helpdesk, all limits off. And how long it takes from an event on the helpdesk to the first write.
//!
//! `cargo bench --bench handoffs`

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a bench fails by panicking and prints its figures")]

mod common;

use common::{A_WHILE, MATCHES, STAYS, Vendor, middle_and_worst, ms, open};
use handoffd::clock::{SystemClock, SystemRandom};
use handoffd::daemon::house::House;
use handoffd::daemon::pipeline::Until;
use handoffd::ledger::{Durability, HandoffFilter};
use handoffd::web;
use handoffd_kit::clock::Clock;
use handoffd_kit::settings::Seams;
use handoffd_kit::transport::HttpTransport;
use handoffd_sandbox::Sandbox;
use handoffd_sandbox::change::Update;
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::seed::BOT;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// Handoffs that are due at once.
const AT_ONCE: usize = 500;
/// Events one after the other, and how far apart.
const EVENTS: usize = 60;
const APART: SignedDuration = SignedDuration::from_millis(50);

struct Scene {
    sandbox: Sandbox,
    house: House,
    stop: CancellationToken,
    _folder: TempDir,
}

impl Scene {
    async fn new(vendor: Vendor) -> Self {
        let seams = Seams {
            clock: Arc::new(SystemClock),
            random: Arc::new(SystemRandom),
            transport: Arc::new(HttpTransport::new(2)),
        };
        let sandbox = vendor.sandbox(seams.clock.clone());
        let (desk, desk_url) = listen().await;
        let (daemon, daemon_url) = listen().await;
        let stop = CancellationToken::new();
        let (shutdown, poster) = (stop.clone().cancelled_owned(), Some(seams.transport.clone()));
        tokio::spawn(handoffd_sandbox::server::serve(desk, sandbox.clone(), poster, shutdown));
        let folder = common::folder();
        let house = vendor.house(&desk_url, folder.path(), Durability::Full, seams);
        tokio::spawn(web::serve(daemon, web::hooks(house.web(1_000_000)), stop.clone()));
        vendor.add_hook(&sandbox, &daemon_url);
        Self { sandbox, house, stop, _folder: folder }
    }

    async fn run(&self) {
        self.house.run(Until::NothingDueBy(SystemClock.now()), &CancellationToken::new()).await.expect("ran");
    }

    async fn sent(&self) -> usize {
        let all = HandoffFilter { limit: Some(usize::MAX), ..HandoffFilter::default() };
        let handoffs = self.house.ledger.call(move |ledger| ledger.handoffs(&all)).await.expect("handoffs");
        handoffs.iter().filter(|handoff| handoff.sent_at.is_some()).count()
    }

    /// When our first note stood on each ticket.
    fn first_notes(&self) -> BTreeMap<TicketNo, Timestamp> {
        let mut notes = BTreeMap::new();
        for effect in self.sandbox.journal().effects.iter().filter(|one| one.by == BOT && one.text.is_some()) {
            notes.entry(effect.ticket).or_insert(effect.at);
        }
        notes
    }
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let url = format!("http://{}", listener.local_addr().expect("address"));
    (listener, url)
}

async fn wait(span: SignedDuration) {
    SystemClock.sleep_until(SystemClock.now() + span).await;
}

/// Many at once, found by one poll.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
async fn throughput(vendor: Vendor) {
    let scene = Scene::new(vendor).await;
    open(&scene.sandbox, AT_ONCE, MATCHES, A_WHILE);
    scene.sandbox.due_webhooks();
    let begin = Instant::now();
    scene.run().await;
    let took = begin.elapsed();
    assert_eq!(scene.sent().await, AT_ONCE);
    assert_eq!(scene.first_notes().len(), AT_ONCE, "the helpdesk's own journal agrees");
    let rate = AT_ONCE as f64 / took.as_secs_f64();
    println!(
        "{:<16} {AT_ONCE} handoffs due at once: {:.1} s, {rate:.0} handoffs/s",
        vendor.shown(),
        took.as_secs_f64()
    );
    scene.stop.cancel();
}

/// One after the other, each told by a webhook: an agent renames a ticket so that the rule matches.
async fn latency(vendor: Vendor) {
    let scene = Scene::new(vendor).await;
    let tickets = open(&scene.sandbox, EVENTS, STAYS, A_WHILE);
    scene.sandbox.due_webhooks();
    let house = scene.house.clone();
    let stop = scene.stop.clone();
    let pipeline = tokio::spawn(async move { house.run(Until::Stopped, &stop).await });
    while scene.house.ledger.call(|ledger| ledger.cases_seen()).await.expect("asked") < EVENTS {
        wait(APART).await;
    }
    let mut events = BTreeMap::new();
    for ticket in tickets {
        wait(APART).await;
        let renamed = Update { subject: Some(MATCHES.to_owned()), ..Update::default() };
        events.insert(ticket, SystemClock.now());
        scene.sandbox.person("frontline-1").updates(ticket, renamed).expect("renamed");
    }
    while scene.sent().await < EVENTS {
        wait(APART).await;
    }
    scene.stop.cancel();
    pipeline.await.expect("no panic").expect("ran");
    let notes = scene.first_notes();
    let took = |(ticket, event): (&TicketNo, &Timestamp)| {
        Duration::try_from(notes[ticket].duration_since(*event)).unwrap_or_default()
    };
    let (middle, worst) = middle_and_worst(events.iter().map(took).collect());
    println!(
        "{:<16} event to first write, by webhook: p50 {}, p99 {} ({})",
        vendor.shown(),
        ms(middle),
        ms(worst),
        vendor.waits()
    );
}

fn main() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
    runtime.block_on(async {
        for vendor in [Vendor::Zendesk, Vendor::RequestTracker] {
            throughput(vendor).await;
            latency(vendor).await;
        }
    });
}
