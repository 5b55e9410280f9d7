//! Secrets that are replaced while the daemon runs, on a helpdesk in the same process, in both dialects, on a clock that the
//! test moves: nothing is restarted, nothing is lost and nothing is written twice.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use axum::body::{Body, to_bytes};
use futures::executor::{LocalPool, block_on};
use futures::task::LocalSpawnExt;
use handoffd::config;
use handoffd::daemon::house::House;
use handoffd::daemon::pipeline::Until;
use handoffd::daemon::wiring::{open_desks, wire};
use handoffd::intake::{HookAnswer, HookRequest};
use handoffd::ledger::{Handle, HandoffFilter, Ledger};
use handoffd::web::pages;
use handoffd_kit::clock::{Clock, ManualClock};
use handoffd_kit::id::DeskId;
use handoffd_kit::random::Random;
use handoffd_kit::settings::Seams;
use handoffd_kit::webhook::Refusal;
use handoffd_sandbox::access::{Client, Grant};
use handoffd_sandbox::change::Update;
use handoffd_sandbox::freshdesk::Plan;
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::intercom::PRIVATE_APP;
use handoffd_sandbox::seed::{
    self, API_KEY, BOT, CLIENT, INTERCOM_TOKEN, JIRA_TOKEN, RT_TOKEN, ZAMMAD_TOKEN, customer_writes,
};
use handoffd_sandbox::zendesk::Limits;
use handoffd_sandbox::{Sandbox, SandboxTransport};
use http::{HeaderMap, Request};
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::sync::Arc;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Everything secret here begins so: nothing that is shown may hold it.
const CANARY: &str = "canary";
const HOOK: &str = "canary-hook-0123456789";
const NEW_HOOK: &str = "canary-hook-new-0123456789";

const POLICY: &str = r#"
[daemon]
mode = "live"

DESK

[teams.frontline]
tier  = 1
desk  = "acme"
queue = "Support"

[teams.billing]
tier  = 2
desk  = "acme"
queue = "Billing"

[[escalate]]
name     = "refund"
mode     = "live"
trigger  = "exception"
from     = ["frontline"]
to       = "billing"
when     = 'mentions(ticket.subject, "refund")'
reason   = "A refund"
package  = { require = ["summary"], missing = "send" }
owner    = { assign = "queue" }
clock    = { customer = "continue" }
customer = { nothing = "a test" }
review   = "never"
"#;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Dialect {
    Zendesk,
    Tracker,
    Freshdesk,
    Zammad,
    Intercom,
    Jira,
}

const ALL: [Dialect; 6] =
    [Dialect::Zendesk, Dialect::Tracker, Dialect::Freshdesk, Dialect::Zammad, Dialect::Intercom, Dialect::Jira];

struct Even;

impl Random for Even {
    fn bits(&self) -> u64 {
        u64::MAX / 2
    }
}

struct Stage {
    dialect: Dialect,
    sandbox: Sandbox,
    clock: ManualClock,
    house: House,
    pool: LocalPool,
    folder: TempDir,
}

impl Stage {
    fn new(dialect: Dialect) -> Self {
        let clock = ManualClock::new("2026-03-02T09:00:00Z".parse::<Timestamp>().expect("an instant"));
        let (sandbox, desk) = match dialect {
            Dialect::Zendesk => (
                seed::zendesk(Arc::new(clock.clone()), 1, Limits::ENTERPRISE),
                "connector = \"zendesk\"\nurl = \"https://acme.zendesk.com\"\nwebhook = { secret = { file = \"hook\" } }\n\
                 login = { client_id = \"handoffd\", client_secret = { file = \"login\" } }",
            ),
            Dialect::Tracker => (
                seed::rt(Arc::new(clock.clone()), 1),
                "connector = \"rt\"\nurl = \"https://rt.acme.example\"\nwebhook = { token = { file = \"hook\" } }\n\
                 login = { token = { file = \"login\" } }",
            ),
            Dialect::Freshdesk => (
                seed::freshdesk(Arc::new(clock.clone()), 1, Plan::GROWTH),
                "connector = \"freshdesk\"\nurl = \"https://acme.freshdesk.com\"\nwebhook = { secret = { file = \"hook\" } }\n\
                 login = { api_key = { file = \"login\" } }",
            ),
            Dialect::Zammad => (
                seed::zammad(Arc::new(clock.clone()), 1),
                "connector = \"zammad\"\nurl = \"https://support.acme.example\"\nwebhook = { secret = { file = \"hook\" } }\n\
                 login = { token = { file = \"login\" } }",
            ),
            Dialect::Intercom => (
                seed::intercom(Arc::new(clock.clone()), 1, PRIVATE_APP),
                "connector = \"intercom\"\nurl = \"https://api.eu.intercom.io\"\nwebhook = { secret = { file = \"hook\" } }\n\
                 login = { token = { file = \"login\" } }",
            ),
            Dialect::Jira => (
                seed::jira(Arc::new(clock.clone()), 1),
                "connector = \"jira-service-management\"\nurl = \"https://acme.atlassian.net\"\nwebhook = { secret = { file = \"hook\" } }\n\
                 login = { email = \"handoffd@acme.example\", token = { file = \"login\" }, projects = \"HELP\", team_field = \"Support team\" }",
            ),
        };
        let folder = tempfile::tempdir().expect("folder");
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
        write("login", dialect.old());
        write("hook", HOOK);
        let policy = POLICY.replacen("\nDESK\n", &format!("\n[desks.acme]\n{desk}\npoll = \"1m\"\n"), 1);
        let config = config::read(&policy, "policy.toml", folder.path()).unwrap_or_else(|wrong| panic!("{wrong}"));
        let seams = Seams {
            clock: Arc::new(clock.clone()),
            random: Arc::new(Even),
            transport: Arc::new(SandboxTransport::to(sandbox.clone())),
        };
        let desks = open_desks(&config, &|_| None, &seams).unwrap_or_else(|wrong| panic!("{wrong}"));
        let house = wire(&config, desks, Handle::inline(Ledger::in_memory().expect("ledger"), None), seams);
        let (pool, running) = (LocalPool::new(), house.clone());
        let life = async move {
            running.recover().await.expect("recovered");
            running.run(Until::Stopped, &CancellationToken::new()).await.expect("goes on");
        };
        pool.spawner().spawn_local(life).expect("a fresh pool takes tasks");
        let mut stage = Self { dialect, sandbox, clock, house, pool, folder };
        stage.minutes(2);
        stage
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.folder.path().join(name), text).expect("written");
    }

    /// The helpdesk takes the new secret and nothing else any more.
    fn rotate(&self) {
        self.sandbox.with(|desk| {
            let person = desk.find_person(BOT).expect("our account").no;
            desk.access.revoke(person);
            match self.dialect {
                Dialect::Zendesk => {
                    desk.access.register(CLIENT.0, Client { secret: self.dialect.new_one().into(), person });
                }
                Dialect::Tracker | Dialect::Freshdesk | Dialect::Zammad | Dialect::Intercom | Dialect::Jira => {
                    desk.access.allow(self.dialect.new_one(), Grant { person, scope: None, expires_at: None });
                }
            }
        });
    }

    fn minutes(&mut self, minutes: i64) {
        let end = self.clock.now() + SignedDuration::from_mins(minutes);
        loop {
            self.pool.run_until_stalled();
            let next = [self.clock.next_wait(), self.sandbox.next_due()].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.clock.set(next.max(self.clock.now()));
        }
        self.clock.set(end);
        self.pool.run_until_stalled();
    }

    /// A ticket that is to be handed off.
    fn refund(&self) -> TicketNo {
        let queue = self.sandbox.with(|desk| desk.find_queue("Support").map(|queue| queue.no));
        let set = Update { queue: Some(queue), ..Update::default() };
        customer_writes(&self.sandbox, "mia@customer.example", "A refund please", "Thank you", set)
    }

    /// How many notes of ours stand on a ticket, and in which queue it lies.
    fn seen(&self, no: TicketNo) -> (usize, String) {
        let journal = self.sandbox.journal();
        let notes = journal.of(no).filter(|effect| effect.by == BOT && effect.visibility.is_some()).count();
        let queue = self.sandbox.ticket(no).and_then(|ticket| ticket.queue).expect("in a queue");
        (notes, self.sandbox.with(|desk| desk.queues[&queue].name.clone()))
    }

    fn health(&self) -> Value {
        let router = TowerToHyperService::new(pages(self.house.web(1_000_000)));
        let request = Request::get("/healthz").body(Body::empty()).expect("a request");
        block_on(async {
            let response = router.call(request).await.expect("infallible");
            let body = to_bytes(response.into_body(), 1 << 20).await.expect("a body");
            serde_json::from_slice(&body).expect("JSON")
        })
    }

    fn reasons(&self) -> String {
        let health = self.health();
        let shown = health["reasons"].to_string();
        assert!(!shown.contains(CANARY), "{shown}");
        shown
    }

    /// Posts a webhook that is signed with this secret.
    fn hook(&self, ticket: TicketNo, secret: &str) -> HookAnswer {
        let desk = DeskId::from("acme");
        let (headers, body, path) = match self.dialect {
            Dialect::Zendesk | Dialect::Freshdesk | Dialect::Zammad | Dialect::Intercom | Dialect::Jira => {
                let hook = self.sandbox.with(|desk| desk.add_hook("https://h.example", secret, &[], None));
                let posts = self.sandbox.webhooks_about(ticket);
                self.sandbox.with(|desk| desk.hooks.remove(&hook));
                let post = posts.into_iter().find(|post| post.hook == hook).expect("a hook on everything");
                (post.headers, post.body.to_vec(), None)
            }
            Dialect::Tracker => (HeaderMap::new(), format!("{{\"ticket\":\"{ticket}\"}}").into_bytes(), Some(secret)),
        };
        let request = HookRequest { desk: &desk, path, headers: &headers, body: &body };
        block_on(self.house.intake.webhook(request)).expect("the ledger is well")
    }
}

impl Dialect {
    fn old(self) -> &'static str {
        match self {
            Self::Zendesk => CLIENT.1,
            Self::Tracker => RT_TOKEN,
            Self::Freshdesk => API_KEY,
            Self::Zammad => ZAMMAD_TOKEN,
            Self::Intercom => INTERCOM_TOKEN,
            Self::Jira => JIRA_TOKEN,
        }
    }

    fn new_one(self) -> &'static str {
        match self {
            Self::Zendesk => "canary-client",
            Self::Tracker => "1-1001-canary-token",
            Self::Freshdesk => "canary-freshdesk-key",
            Self::Zammad => "canary-zammad-token",
            Self::Intercom => "canary-intercom-token",
            Self::Jira => "canary-jira-token",
        }
    }
}

const DONE: usize = 1;

fn done() -> (usize, String) {
    (DONE, "Billing".to_owned())
}

#[test]
fn a_login_that_is_replaced_on_both_sides_is_taken_over_without_a_word() {
    for dialect in ALL {
        let mut stage = Stage::new(dialect);
        let first = stage.refund();
        stage.minutes(5);
        assert_eq!(stage.seen(first), done(), "{dialect:?}");
        stage.write("login", dialect.new_one());
        stage.rotate();
        let second = stage.refund();
        stage.minutes(5);
        assert_eq!((stage.seen(first), stage.seen(second)), (done(), done()), "{dialect:?}");
        assert_eq!(stage.reasons(), "[]", "{dialect:?}");
    }
}

#[test]
fn a_login_whose_file_comes_late_waits_and_goes_on_by_itself_with_nothing_lost_or_doubled() {
    for dialect in ALL {
        let mut stage = Stage::new(dialect);
        stage.rotate();
        let ticket = stage.refund();
        stage.minutes(15);
        assert_eq!(stage.seen(ticket), (0, "Support".to_owned()), "{dialect:?}");
        assert!(stage.reasons().contains("unauthorized"), "{}", stage.reasons());
        stage.write("login", dialect.new_one());
        stage.minutes(6);
        assert_eq!(stage.seen(ticket), done(), "{dialect:?}");
        assert_eq!(stage.reasons(), "[]", "{dialect:?}");
        stage.minutes(60);
        assert_eq!(stage.seen(ticket), done(), "{dialect:?}");
        let all = |ledger: &mut Ledger| ledger.handoffs(&HandoffFilter::default());
        assert_eq!(block_on(stage.house.ledger.call(all)).expect("handoffs").len(), 1, "{dialect:?}");
    }
}

#[test]
fn a_file_that_is_gone_or_broken_leaves_the_old_secret_and_says_so() {
    for dialect in ALL {
        let mut stage = Stage::new(dialect);
        std::fs::remove_file(stage.folder.path().join("login")).expect("removed");
        stage.minutes(12);
        let ticket = stage.refund();
        stage.minutes(5);
        assert_eq!(stage.seen(ticket), done(), "the old one still works: {dialect:?}");
        let reasons = stage.reasons();
        assert!(reasons.contains("cannot be read again") && reasons.contains("login."), "{reasons}");
        for broken in ["", "canary\ntwo lines"] {
            stage.write("login", broken);
            stage.minutes(6);
            assert!(stage.reasons().contains("cannot be read again"), "{broken:?}");
        }
        stage.write("login", dialect.old());
        stage.minutes(6);
        assert_eq!(stage.reasons(), "[]", "{dialect:?}");
    }
}

#[test]
fn a_webhook_s_new_secret_takes_over_with_the_first_request_under_it() {
    let forged = HookAnswer::Refused(Refusal::Forged);
    for dialect in ALL {
        let mut stage = Stage::new(dialect);
        let ticket = stage.refund();
        assert_eq!(stage.hook(ticket, HOOK), HookAnswer::Stored, "{dialect:?}");
        stage.minutes(1);
        assert_eq!(stage.hook(ticket, NEW_HOOK), forged, "{dialect:?}");
        stage.write("hook", NEW_HOOK);
        assert_eq!(stage.hook(ticket, NEW_HOOK), forged, "the file was read a moment ago: {dialect:?}");
        stage.minutes(1);
        assert_eq!(stage.hook(ticket, "canary-stranger-0123456789"), forged, "{dialect:?}");
        assert_ne!(stage.hook(ticket, HOOK), forged, "the vendor's side is not changed yet: {dialect:?}");
        stage.minutes(1);
        assert_ne!(stage.hook(ticket, NEW_HOOK), forged, "{dialect:?}");
        assert_eq!(stage.hook(ticket, HOOK), forged, "{dialect:?}");
        let (desk, shown) = (DeskId::from("acme"), "Secret(…)");
        let station = stage.house.desks.get(&desk).expect("open");
        let printed = format!("{:?}", station.desk.secrets());
        assert!(printed.contains(shown) && !printed.contains(CANARY), "{printed}");
    }
}
