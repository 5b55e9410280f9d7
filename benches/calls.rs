//! Calls to the helpdesk per look and per handoff, counted in the helpdesk's own journal. In one process, on a clock that
//! stands still: the figures are the same on every machine.
//!
//! `cargo bench --bench calls`

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a bench fails by panicking and prints its figures")]

mod common;

use common::{MATCHES, STAYS, Vendor, open};
use futures::executor::block_on;
use handoffd::daemon::house::House;
use handoffd::daemon::pipeline::Until;
use handoffd::intake::{HookAnswer, HookRequest};
use handoffd::ledger::{Durability, HandoffFilter};
use handoffd_kit::clock::{Clock, ManualClock};
use handoffd_kit::id::DeskId;
use handoffd_kit::random::Random;
use handoffd_kit::settings::Seams;
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::journal::Kind;
use handoffd_sandbox::{Sandbox, SandboxTransport};
use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::sync::Arc;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Tickets of each step.
const TICKETS: usize = 200;

struct Half;

impl Random for Half {
    fn bits(&self) -> u64 {
        1 << 63
    }
}

struct Scene {
    vendor: Vendor,
    clock: ManualClock,
    sandbox: Sandbox,
    house: House,
    counted: usize,
    _folder: TempDir,
}

impl Scene {
    fn new(vendor: Vendor) -> Self {
        let clock = ManualClock::new("2026-05-04T08:00:00Z".parse().expect("an instant"));
        let sandbox = vendor.sandbox(Arc::new(clock.clone()));
        vendor.add_hook(&sandbox, "http://daemon");
        let transport = Arc::new(SandboxTransport::to(sandbox.clone()));
        let seams = Seams { clock: Arc::new(clock.clone()), random: Arc::new(Half), transport };
        let folder = common::folder();
        let house = vendor.house("http://127.0.0.1:1", folder.path(), Durability::Process, seams);
        Self { vendor, clock, sandbox, house, counted: 0, _folder: folder }
    }

    /// Does everything that is due, polls included.
    fn run(&self) {
        block_on(self.house.run(Until::NothingDueBy(self.clock.now()), &CancellationToken::new())).expect("ran");
    }

    fn later(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// Hands the waiting webhooks over.
    fn deliver(&self) {
        for post in self.sandbox.due_webhooks() {
            let desk = DeskId::from("acme");
            let path = post.url.strip_prefix("http://daemon/hooks/acme/");
            let request = HookRequest { desk: &desk, path, headers: &post.headers, body: &post.body };
            let answer = block_on(self.house.intake.webhook(request)).expect("stored");
            assert!(matches!(answer, HookAnswer::Stored | HookAnswer::Nothing | HookAnswer::Known), "{answer:?}");
        }
    }

    /// The calls since the last time, by kind; logins are left out.
    fn calls(&mut self) -> (usize, usize, BTreeMap<&'static str, usize>) {
        let journal = self.sandbox.journal();
        let new = journal.requests.iter().skip(self.counted).filter(|asked| asked.kind != Kind::Login);
        let (mut reads, mut writes, mut names) = (0, 0, BTreeMap::new());
        for asked in new {
            match asked.kind {
                Kind::Write => writes += 1,
                Kind::Read | Kind::Login => reads += 1,
            }
            *names.entry(asked.operation).or_default() += 1;
        }
        self.counted = journal.requests.len();
        (reads, writes, names)
    }

    fn print(&mut self, what: &str, times: usize) {
        let (reads, writes, names) = self.calls();
        let each = |count: usize| count as f64 / times as f64;
        let names: Vec<String> = names.iter().map(|(name, count)| format!("{name} {count}")).collect();
        println!(
            "{:<16} {what:<44} {:>6.2} reads {:>5.2} writes   ({} of them: {})",
            self.vendor.shown(),
            each(reads),
            each(writes),
            times,
            names.join(", ")
        );
    }

    /// An agent touches each ticket, as it happens all day.
    fn touch(&self, tickets: &[TicketNo]) {
        for ticket in tickets {
            self.sandbox.person("frontline-1").notes(*ticket, "Had another look.");
        }
    }

    fn handed_off(&self) -> usize {
        let all = HandoffFilter { limit: Some(usize::MAX), ..HandoffFilter::default() };
        block_on(self.house.ledger.call(move |ledger| ledger.handoffs(&all))).expect("handoffs").len()
    }
}

fn main() {
    for vendor in [Vendor::Zendesk, Vendor::RequestTracker] {
        let mut scene = Scene::new(vendor);
        scene.run();
        scene.print("the first poll of an empty desk", 1);
        scene.later(31);
        scene.run();
        scene.print("a poll that brings nothing", 1);

        let staying = open(&scene.sandbox, TICKETS, STAYS, SignedDuration::ZERO);
        scene.sandbox.due_webhooks();
        scene.later(120);
        scene.run();
        scene.print("a look that a poll brought; the ticket stays", TICKETS);

        scene.touch(&staying);
        scene.deliver();
        scene.later(2);
        scene.run();
        scene.print("a look that a webhook brought; it stays", TICKETS);
        scene.later(120);
        scene.run();
        scene.print("the same changes, seen by the next polls too", TICKETS);

        open(&scene.sandbox, TICKETS, MATCHES, SignedDuration::ZERO);
        scene.sandbox.due_webhooks();
        scene.later(120);
        scene.run();
        assert_eq!(scene.handed_off(), TICKETS);
        scene.print("a handoff that a poll brought", TICKETS);

        open(&scene.sandbox, TICKETS, MATCHES, SignedDuration::ZERO);
        scene.deliver();
        scene.later(2);
        scene.run();
        assert_eq!(scene.handed_off(), 2 * TICKETS);
        scene.print("a handoff that a webhook brought", TICKETS);
        for _ in 0..4 {
            scene.later(60);
            scene.run();
        }
        scene.print("their verification, and what polls show of them", 2 * TICKETS);
        println!();
    }
}
