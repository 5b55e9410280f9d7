//! A whole daemon's house on an embedded helpdesk, its dashboard on a loopback address: one review that waits, one effect
//! that is parked, and a customer who writes what nobody should run.

use handoffd::clock::{SystemClock, SystemRandom};
use handoffd::config::{self, Role};
use handoffd::daemon::house::House;
use handoffd::daemon::pipeline::Until;
use handoffd::daemon::wiring::{open_desks, wire};
use handoffd::ledger::records::NewLook;
use handoffd::ledger::states::HandoffState;
use handoffd::ledger::{Durability, Handle, HandoffFilter, Ledger};
use handoffd::web::dashboard::Entry;
use handoffd::web::serve;
use handoffd_kit::clock::Clock;
use handoffd_kit::id::TicketId;
use handoffd_kit::settings::Seams;
use handoffd_sandbox::change::Update;
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::seed::{self, BOT, CLIENT};
use handoffd_sandbox::zendesk::Limits;
use handoffd_sandbox::{Sandbox, SandboxTransport};
use jiff::SignedDuration;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

pub const TOKEN: &str = "a-lead-who-may-do-everything-0123456789";
/// What a customer writes.
pub const HOSTILE: &str = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'> \"'><b>bold</b>";

const POLICY: &str = r#"
[daemon]
mode = "live"

[desks.acme]
connector = "zendesk"
url = "https://acme.zendesk.com"
login = { client_id = "handoffd", client_secret = { env = "SECRET" } }
poll = "5s"
start = 2020-01-01

[teams.frontline]
tier = 1
desk = "acme"
queue = "Support"

[teams.billing]
tier = 2
desk = "acme"
queue = "Billing"

[teams.specialists]
tier = 2
desk = "acme"
queue = "Specialists"

[defaults.escalate]
package = { require = ["summary", "steps"], missing = "send" }
owner.assign = "queue"
clock.customer = "continue"
customer.nothing = "the team writes to them"
review = "never"

[[escalate]]
name = "charged-twice"
mode = "live"
trigger = "exception"
from = ["frontline"]
to = "billing"
when = 'mentions(ticket.subject, "twice")'
reason = "{{ ticket.subject }}: only billing may refund"
review = "always"

[[escalate]]
name = "lost-data"
mode = "live"
trigger = "exception"
from = ["frontline"]
to = "specialists"
when = 'mentions(ticket.subject, "lost")'
reason = "Data is lost"
"#;

/// Everything runs until it is dropped.
pub struct Stage {
    pub url: String,
    runtime: Runtime,
    house: House,
    sandbox: Sandbox,
    hostile: TicketNo,
    stop: CancellationToken,
    _folder: TempDir,
}

impl Stage {
    pub fn new() -> Self {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
        let clock = Arc::new(SystemClock);
        let sandbox = seed::zendesk(clock.clone(), 1, Limits::WIDE);
        let hostile = opens(&sandbox, &format!("Charged twice {HOSTILE}"), HOSTILE);
        let lost = opens(&sandbox, "I lost my data", "It was there yesterday.");
        let stays = opens(&sandbox, "How do I export?", "I cannot find it.");
        let folder = tempfile::tempdir().expect("a folder");
        let config = config::read(POLICY, "policy.toml", folder.path()).unwrap_or_else(|problems| panic!("{problems}"));
        let seams =
            Seams { clock, random: Arc::new(SystemRandom), transport: Arc::new(SandboxTransport::to(sandbox.clone())) };
        let secret = |name: &str| (name == "SECRET").then(|| CLIENT.1.to_owned());
        let desks = open_desks(&config, &secret, &seams).unwrap_or_else(|problems| panic!("{problems}"));
        let ledger = Ledger::open(&config.daemon.ledger, Durability::Process).expect("a ledger");
        let house = wire(&config, desks, Handle::spawn(ledger).expect("a thread"), seams);
        // As webhooks would tell it.
        let look = |ticket: TicketNo| NewLook { ticket: TicketId::from(ticket.0), due: SystemClock.now(), head: None };
        let looks = [hostile, lost, stays].map(look).to_vec();
        let noted = house.ledger.call(move |ledger| {
            ledger.desk_met(&"acme".into(), SystemClock.now())?;
            ledger.note_looks(&"acme".into(), &looks)
        });
        runtime.block_on(noted).expect("noted");
        let stop = CancellationToken::new();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("bound");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let entry = Entry::new(&config.web, &[("billing-lead".to_owned(), Role::Operate, TOKEN.into())]);
        let dashboard = house.dashboard(house.web(1_000_000), entry, config.systems(), stop.clone());
        let (running, until) = (house.clone(), stop.clone());
        runtime.spawn(async move { running.run(Until::Stopped, &until).await });
        let until = stop.clone();
        runtime.spawn(serve(listener, dashboard, until));
        let stage = Self { url, runtime, house, sandbox, hostile, stop, _folder: folder };
        stage.waits(|ledger| Ok(!ledger.reviews()?.is_empty()));
        stage
    }

    fn waits(&self, holds: fn(&mut Ledger) -> handoffd::ledger::Result<bool>) {
        let patience = SystemClock.now() + SignedDuration::from_secs(60);
        while !self.runtime.block_on(self.house.ledger.call(holds)).expect("asked") {
            assert!(SystemClock.now() < patience, "it never comes to pass");
            self.runtime.block_on(SystemClock.sleep_until(SystemClock.now() + SignedDuration::from_millis(50)));
        }
    }

    /// The review that waits.
    pub fn review(&self) -> String {
        let filter = HandoffFilter { state: Some(HandoffState::InReview), ..HandoffFilter::default() };
        let reviews = self.runtime.block_on(self.house.ledger.call(move |ledger| ledger.handoffs(&filter)));
        reviews.expect("asked").first().expect("a review").id.clone()
    }

    pub fn hostile_ticket(&self) -> String {
        self.hostile.0.to_string()
    }

    /// Until our note stands on the ticket of the review.
    pub fn waits_for_note(&self) {
        self.waits(|ledger| {
            let handoffs = ledger.handoffs(&HandoffFilter::default())?;
            Ok(handoffs.iter().any(|one| one.sent_at.is_some() && one.proposal.rule.as_str() == "charged-twice"))
        });
        let journal = self.sandbox.journal();
        assert!(journal.effects.iter().any(|effect| effect.by == BOT && effect.ticket == self.hostile));
    }

    pub fn waits_for_parked(&self) {
        self.waits(|ledger| Ok(!ledger.parked()?.is_empty()));
    }

    /// The ledger says who tried the parked effect again.
    pub fn was_retried_by(&self, who: &str) {
        let acts = |ledger: &mut Ledger| {
            let filter = HandoffFilter { rule: Some("lost-data".into()), ..HandoffFilter::default() };
            let parked = ledger.handoffs(&filter)?;
            parked.first().map_or(Ok(Vec::new()), |parked| ledger.acts_about(&parked.id, 9))
        };
        let acts = self.runtime.block_on(self.house.ledger.call(acts)).expect("asked");
        assert!(acts.iter().any(|act| act.what == "retry" && act.by == who), "{acts:?}");
    }
}

fn opens(sandbox: &Sandbox, subject: &str, text: &str) -> TicketNo {
    let queue = sandbox.with(|desk| desk.find_queue("Support").map(|queue| queue.no));
    let set = Update { queue: Some(queue), ..Update::default() };
    seed::customer_writes(sandbox, "customer@standard.example", subject, text, set)
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
