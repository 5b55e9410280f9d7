//! A helpdesk in the same process, one policy, and lives of the daemon one after the other on the same ledger, on a clock
//! that the test moves.

use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;
use handoffd::config::{self, Config};
use handoffd::daemon::pipeline::Until;
use handoffd::daemon::wiring::{open_desks, wire};
use handoffd::ledger::records::{HandoffRecord, SignedWording};
use handoffd::ledger::{Durability, Handle, HandoffFilter, Ledger};
use handoffd_kit::clock::{Clock, ManualClock};
use handoffd_kit::random::Random;
use handoffd_kit::settings::Seams;
use handoffd_sandbox::change::Update;
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::seed::{self, CLIENT, RT_TOKEN, customer_writes};
use handoffd_sandbox::zendesk::Limits;
use handoffd_sandbox::{Sandbox, SandboxTransport};
use jiff::{SignedDuration, Timestamp};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Which helpdesk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Zendesk,
    RequestTracker,
}

const ZENDESK: &str = "[desks.acme]\nconnector = \"zendesk\"\nurl = \"https://acme.zendesk.com\"\n\
    login = { client_id = \"handoffd\", client_secret = { env = \"SECRET\" } }\npoll = \"1m\"\n";
const TRACKER: &str = "[desks.acme]\nconnector = \"rt\"\nurl = \"https://rt.acme.example\"\nlogin = { token = { env = \"SECRET\" } }\npoll = \"1m\"\n";

/// The middle of all chance.
struct Even;

impl Random for Even {
    fn bits(&self) -> u64 {
        u64::MAX / 2
    }
}

/// The helpdesk, the ledger and the daemon that lives now.
pub struct Stage {
    pub sandbox: Sandbox,
    clock: ManualClock,
    config: Config,
    secret: String,
    ledger: PathBuf,
    pool: LocalPool,
    _folder: tempfile::TempDir,
}

impl Stage {
    /// A fresh helpdesk on which the daemon has just come up.
    pub fn new(dialect: Dialect) -> Self {
        Self::with(dialect, include_str!("policy.toml"))
    }

    /// The same under this policy, in which a line `DESK` stands for the desk's own table.
    pub fn with(dialect: Dialect, policy: &str) -> Self {
        let begin: Timestamp = "2026-03-02T09:00:00Z".parse().expect("an instant");
        let clock = ManualClock::new(begin);
        let (sandbox, desk, secret) = match dialect {
            Dialect::Zendesk => (seed::zendesk(Arc::new(clock.clone()), 1, Limits::ENTERPRISE), ZENDESK, CLIENT.1),
            Dialect::RequestTracker => (seed::rt(Arc::new(clock.clone()), 1), TRACKER, RT_TOKEN),
        };
        let policy = policy.replacen("\nDESK\n", &format!("\n{desk}\n"), 1);
        let config = config::read(&policy, "policy.toml", Path::new("/")).unwrap_or_else(|wrong| panic!("{wrong}"));
        let folder = tempfile::tempdir().expect("folder");
        let ledger = folder.path().join("handoffd.db");
        let mut opened = Ledger::open(&ledger, Durability::Process).expect("the ledger opens");
        for message in config.policy.messages.values() {
            let signed = SignedWording {
                message: message.name.to_string(),
                wording: message.wording_hash.clone(),
                signer: "support-ops@acme.example".into(),
                system_user: "test".into(),
                at: begin,
            };
            opened.sign(&signed).expect("signed");
        }
        drop(opened);
        let secret = secret.to_owned();
        let mut stage = Self { sandbox, clock, config, secret, ledger, pool: LocalPool::new(), _folder: folder };
        stage.begin();
        stage.pass(SignedDuration::from_mins(2));
        stage
    }

    /// The daemon comes up; whatever lived before is gone at once.
    pub fn begin(&mut self) {
        self.pool = LocalPool::new();
        let seams = Seams {
            clock: Arc::new(self.clock.clone()),
            random: Arc::new(Even),
            transport: Arc::new(SandboxTransport::to(self.sandbox.clone())),
        };
        let secret = self.secret.clone();
        let desks = open_desks(&self.config, &|_| Some(secret.clone()), &seams).expect("desks open");
        let ledger = Ledger::open(&self.ledger, Durability::Process).expect("the ledger opens");
        let house = wire(&self.config, desks, Handle::inline(ledger, None), seams);
        let life = async move {
            house.recover().await.expect("recovered");
            house.run(Until::Stopped, &CancellationToken::new()).await.expect("ran");
        };
        self.pool.spawner().spawn_local(life).expect("a fresh pool takes tasks");
    }

    /// Lets time pass, with all that happens in it.
    pub fn pass(&mut self, span: SignedDuration) {
        let end = self.clock.now() + span;
        loop {
            self.pool.run_until_stalled();
            let next = [self.clock.next_wait(), self.sandbox.next_due()].into_iter().flatten().min();
            let Some(next) = next.filter(|next| *next <= end) else { break };
            self.clock.set(next.max(self.clock.now()));
        }
        self.clock.set(end);
        self.pool.run_until_stalled();
    }

    /// A few minutes: as long as a poll, a look and the checks after a write take.
    pub fn a_while(&mut self) {
        self.pass(SignedDuration::from_mins(5));
    }

    /// A customer's ticket in frontline's queue, owned by frontline-1.
    pub fn ticket(&mut self, email: &str, subject: &str, text: &str) -> TicketNo {
        let queue = self.sandbox.with(|desk| desk.find_queue("Support").map(|queue| queue.no));
        let set = Update { queue: Some(queue), ..Update::default() };
        let no = customer_writes(&self.sandbox, email, subject, text, set);
        self.sandbox.person("frontline-1").takes(no);
        no
    }

    /// The queue that a ticket lies in.
    pub fn queue(&self, no: TicketNo) -> String {
        let queue = self.sandbox.ticket(no).and_then(|ticket| ticket.queue).expect("in a queue");
        self.sandbox.with(|desk| desk.queues.get(&queue).map(|queue| queue.name.clone())).expect("a queue")
    }

    /// What handoffd wrote on a ticket, oldest first: whether everybody reads it, and what it says.
    pub fn written(&self, no: TicketNo) -> Vec<(bool, String)> {
        use handoffd_sandbox::ticket::Visibility;
        let journal = self.sandbox.journal();
        let ours = journal.of(no).filter(|effect| effect.by == seed::BOT);
        ours.filter_map(|effect| Some((effect.visibility? == Visibility::Public, effect.text.clone()?))).collect()
    }

    /// The handoffs of the ledger, newest first.
    pub fn handoffs(&self) -> Vec<HandoffRecord> {
        let ledger = Ledger::open_read_only(&self.ledger).expect("the ledger is there");
        ledger.handoffs(&HandoffFilter::default()).expect("readable")
    }
}
