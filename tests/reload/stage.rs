//! A daemon in the same process whose configuration's file a test rewrites while it works, on a clock that the test moves.

use crate::rooms::{Network, Rooms};
use axum::body::{Body, to_bytes};
use futures::executor::{LocalPool, block_on};
use futures::task::LocalSpawnExt;
use handoffd::config;
use handoffd::daemon::alert_wiring::open_channels;
use handoffd::daemon::chosen::{Chosen, choose, kept};
use handoffd::daemon::control::{Command, CommandError, Order, Reply, execute};
use handoffd::daemon::house::House;
use handoffd::daemon::pipeline::Until;
use handoffd::daemon::reload::{Reloader, Wish};
use handoffd::daemon::running::Running;
use handoffd::daemon::wiring::{open_desks, wire};
use handoffd::delivery::alerts::Alerts;
use handoffd::ledger::records::HandoffRecord;
use handoffd::ledger::{Boundary, Durability, Handle, HandoffFilter, Ledger};
use handoffd::web::pages;
use handoffd_kit::clock::{Clock, ManualClock};
use handoffd_kit::mark::Mark;
use handoffd_kit::random::Random;
use handoffd_kit::settings::Seams;
use handoffd_sandbox::change::Update;
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::seed::{self, BOT, CLIENT, RT_TOKEN, customer_writes};
use handoffd_sandbox::zendesk::Limits;
use handoffd_sandbox::{Sandbox, SandboxTransport};
use http::Request;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

pub const POLICY: &str = r#"
[daemon]
mode = "live"

[policy]
limits = { per_rule_per_hour = 1000, per_desk_per_hour = 1000 }

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
reason   = "A refund, first wording"
package  = { require = ["summary"], missing = "send" }
owner    = { assign = "queue" }
clock    = { customer = "continue" }
customer = { nothing = "a test" }
review   = 'mentions(ticket.subject, "large")'
"#;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Zendesk,
    Tracker,
}

pub const BOTH: [Dialect; 2] = [Dialect::Zendesk, Dialect::Tracker];

impl Dialect {
    /// The desk's table; a tenth of the vendor's limits, so that a hundred handoffs take their time.
    fn desk(self) -> &'static str {
        match self {
            Self::Zendesk => {
                "[desks.acme]\nconnector = \"zendesk\"\nurl = \"https://acme.zendesk.com\"\nbudget = \"10%\"\npoll = \"10s\"\n\
                 login = { client_id = \"handoffd\", client_secret = { file = \"login\" } }"
            }
            Self::Tracker => {
                "[desks.acme]\nconnector = \"rt\"\nurl = \"https://rt.acme.example\"\nbudget = \"10%\"\npoll = \"10s\"\n\
                 login = { token = { file = \"login\" } }"
            }
        }
    }
}

struct Even;

impl Random for Even {
    fn bits(&self) -> u64 {
        u64::MAX / 2
    }
}

pub struct Stage {
    pub dialect: Dialect,
    pub sandbox: Sandbox,
    /// Behind beta.zendesk.com.
    pub other: Sandbox,
    pub clock: ManualClock,
    pub running: Running,
    pub reloader: Reloader,
    /// Where alerts are taken.
    pub rooms: Rooms,
    pool: LocalPool,
    pub folder: TempDir,
}

/// What is outside of the daemon.
struct World<'a> {
    sandbox: &'a Sandbox,
    other: &'a Sandbox,
    rooms: &'a Rooms,
}

impl Stage {
    pub fn new(dialect: Dialect) -> Self {
        let clock = ManualClock::new("2026-03-02T09:00:00Z".parse::<Timestamp>().expect("an instant"));
        let time = || Arc::new(clock.clone());
        let (sandbox, login) = match dialect {
            Dialect::Zendesk => (seed::zendesk(time(), 1, Limits::ENTERPRISE), CLIENT.1),
            Dialect::Tracker => (seed::rt(time(), 1), RT_TOKEN),
        };
        let other = seed::zendesk(time(), 2, Limits::ENTERPRISE);
        let folder = tempfile::tempdir().expect("folder");
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).expect("written");
        write("login", login);
        write("handoffd.toml", &policy(dialect));
        let rooms = Rooms::default();
        let world = World { sandbox: &sandbox, other: &other, rooms: &rooms };
        let (running, reloader, pool) = begin(&folder, &clock, &world, None);
        let mut stage = Self { dialect, sandbox, other, clock, running, reloader, rooms, pool, folder };
        stage.seconds(20);
        stage
    }

    /// The process is gone, and another one starts from what the file says now.
    pub fn restart(self, boundary: Option<Arc<dyn Boundary>>) -> Self {
        let Self { dialect, sandbox, other, clock, running, reloader, rooms, pool, folder } = self;
        drop((pool, running, reloader));
        let world = World { sandbox: &sandbox, other: &other, rooms: &rooms };
        let (running, reloader, pool) = begin(&folder, &clock, &world, boundary);
        Self { dialect, sandbox, other, clock, running, reloader, rooms, pool, folder }
    }

    pub fn file(&self) -> PathBuf {
        self.folder.path().join("handoffd.toml")
    }

    pub fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        std::fs::write(self.folder.path().join(name), text).expect("written");
    }

    /// The file says this instead of that.
    pub fn edit(&self, from: &str, to: &str) {
        let text = std::fs::read_to_string(self.file()).expect("text");
        assert!(text.contains(from), "{from}");
        self.write("handoffd.toml", text.replace(from, to));
    }

    pub fn reload(&self) -> Result<Reply, CommandError> {
        block_on(self.reloader.reload(Wish::File, "test"))
    }

    pub fn order(&self, command: Command) -> Result<Reply, CommandError> {
        block_on(execute(&self.running.house(), Order { command, by: "lead".into() }, "tester, uid 7"))
    }

    pub fn version(&self) -> String {
        self.running.house().policy.version.clone()
    }

    pub fn seconds(&mut self, seconds: i64) {
        let end = self.clock.now() + SignedDuration::from_secs(seconds);
        loop {
            self.pool.run_until_stalled();
            let next = [self.clock.next_wait(), self.sandbox.next_due(), self.other.next_due()];
            let next = next.into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.clock.set(next.max(self.clock.now()));
        }
        self.clock.set(end);
        self.pool.run_until_stalled();
    }

    pub fn ticket(&self, subject: &str) -> TicketNo {
        ticket(&self.sandbox, subject)
    }

    pub fn handoffs(&self) -> Vec<HandoffRecord> {
        let all =
            |ledger: &mut Ledger| ledger.handoffs(&HandoffFilter { limit: Some(1_000), ..HandoffFilter::default() });
        block_on(self.running.house().ledger.call(all)).expect("handoffs")
    }

    /// The marks of our notes on a ticket.
    pub fn marks(&self, no: TicketNo) -> Vec<Mark> {
        let journal = self.sandbox.journal();
        let notes = journal.of(no).filter(|effect| effect.by == BOT && effect.visibility.is_some());
        notes.filter_map(|effect| Mark::in_text(effect.text.as_deref()?)).collect()
    }

    pub fn queue(&self, no: TicketNo) -> String {
        let queue = self.sandbox.ticket(no).and_then(|ticket| ticket.queue).expect("in a queue");
        self.sandbox.with(|desk| desk.queues[&queue].name.clone())
    }

    pub fn page(&self, path: &str) -> String {
        let router = TowerToHyperService::new(pages(self.running.web(1_000_000)));
        let request = Request::get(path).body(Body::empty()).expect("a request");
        block_on(async {
            let response = router.call(request).await.expect("infallible");
            let body = to_bytes(response.into_body(), 1 << 20).await.expect("a body");
            String::from_utf8(body.to_vec()).expect("text")
        })
    }

    pub fn reasons(&self) -> String {
        let health: Value = serde_json::from_str(&self.page("/healthz")).expect("JSON");
        // Nobody hears of this policy's reviews, which is none of what these tests are about.
        let about_reviews =
            |reason: &&Value| reason["what"].as_str().is_some_and(|what| what.contains("nobody hears of it"));
        let reasons = health["reasons"].as_array().expect("a list").iter();
        let troubles = reasons.filter(|reason| !about_reviews(reason));
        Value::from(troubles.cloned().collect::<Vec<_>>()).to_string()
    }
}

pub fn policy(dialect: Dialect) -> String {
    POLICY.replacen("\nDESK\n", &format!("\n{}\n", dialect.desk()), 1)
}

/// A ticket in the queue Support.
pub fn ticket(sandbox: &Sandbox, subject: &str) -> TicketNo {
    let queue = sandbox.with(|desk| desk.find_queue("Support").map(|queue| queue.no));
    let set = Update { queue: Some(queue), ..Update::default() };
    customer_writes(sandbox, "mia@customer.example", subject, "Thank you", set)
}

fn begin(
    folder: &TempDir,
    clock: &ManualClock,
    world: &World<'_>,
    boundary: Option<Arc<dyn Boundary>>,
) -> (Running, Reloader, LocalPool) {
    let path = folder.path().join("handoffd.toml");
    let file = config::load(&path).unwrap_or_else(|wrong| panic!("{wrong}"));
    let desks = SandboxTransport::to(world.sandbox.clone()).with("beta.zendesk.com", world.other.clone());
    let network = Network { rooms: world.rooms.clone(), desks: Arc::new(desks), clock: clock.clone() };
    let seams = Seams { clock: Arc::new(clock.clone()), random: Arc::new(Even), transport: Arc::new(network) };
    let mut desks = open_desks(&file, &|_| None, &seams).unwrap_or_else(|wrong| panic!("{wrong}"));
    let ledger = Ledger::open(&file.daemon.ledger, Durability::Process).expect("free");
    let Chosen { config, .. } = choose(file.clone(), kept(&ledger).expect("read")).expect("it runs");
    desks.retain(|desk, _| config.desks.contains_key(desk));
    let channels = open_channels(&config, &|_| None, &seams, None).unwrap_or_else(|wrong| panic!("{wrong}"));
    let alerts = Alerts::new(channels, &config.policy.alerts.channels);
    let running = Running::new(House { alerts, ..wire(&config, desks, Handle::inline(ledger, boundary), seams) });
    let reloader = Reloader::new(running.clone(), path, |_| None, file, config);
    let (pool, runs) = (LocalPool::new(), running.clone());
    let life = async move {
        runs.house().recover().await.expect("recovered");
        runs.run(Until::Stopped, &CancellationToken::new()).await.expect("goes on");
    };
    pool.spawner().spawn_local(life).expect("a fresh pool takes tasks");
    (running, reloader, pool)
}
