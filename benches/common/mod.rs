//! What the benches share: one policy, helpdesks with tickets, a wired house, and how figures are written.

#![allow(dead_code, clippy::expect_used, reason = "each bench uses a part of it, and fails by panicking")]

use handoffd::config::secrets;
use handoffd::config::{self, Config};
use handoffd::daemon::house::House;
use handoffd::daemon::wiring::wire;
use handoffd::ledger::{Durability, Handle, Ledger};
use handoffd_kit::clock::Clock;
use handoffd_kit::desk::Desk;
use handoffd_kit::id::DeskId;
use handoffd_kit::settings::Seams;
use handoffd_sandbox::Sandbox;
use handoffd_sandbox::change::{NewMessage, Update};
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::people::Role;
use handoffd_sandbox::seed;
use handoffd_sandbox::store::NewTicket;
use handoffd_sandbox::ticket::{Body, Status, Visibility};
use handoffd_sandbox::zendesk::Limits;
use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;

const POLICY: &str = include_str!("policy.toml");
/// What webhooks of a Zendesk are signed with.
pub const WEBHOOK_SECRET: &str = "a-secret-of-the-benches";

/// The subject of tickets that go to billing.
pub const MATCHES: &str = "Charged twice";
/// The subject of tickets that stay.
pub const STAYS: &str = "Export is slow";

/// Which helpdesk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Vendor {
    Zendesk,
    RequestTracker,
}

impl Vendor {
    /// Its name, for people.
    pub fn shown(self) -> &'static str {
        match self {
            Self::Zendesk => "Zendesk",
            Self::RequestTracker => "Request Tracker",
        }
    }

    /// What of the time to the first write is a wait that we chose.
    pub fn waits(self) -> &'static str {
        match self {
            Self::Zendesk => "one second of it lets the version's grain pass, so that no person's change hides in it",
            Self::RequestTracker => "25 ms of it waits for siblings of the same change",
        }
    }

    /// An embedded one with people, without tickets, whose limits are never reached.
    pub fn sandbox(self, clock: Arc<dyn Clock>) -> Sandbox {
        match self {
            Self::Zendesk => seed::zendesk(clock, 1, Limits::WIDE),
            Self::RequestTracker => seed::rt(clock, 1),
        }
    }

    /// Adds a hook that posts to this address of the daemon.
    pub fn add_hook(self, sandbox: &Sandbox, daemon: &str) {
        let address = format!("{daemon}/hooks/acme");
        let (url, secret) = match self {
            Self::Zendesk => (address, WEBHOOK_SECRET),
            Self::RequestTracker => (format!("{address}/{WEBHOOK_SECRET}"), ""),
        };
        sandbox.with(|desk| desk.add_hook(&url, secret, &[], None));
    }

    fn desk(self) -> &'static str {
        match self {
            Self::Zendesk => {
                "connector = \"zendesk\"\nlogin = { client_id = \"handoffd\", client_secret = { env = \"LOGIN\" } }\nwebhook = { secret = { env = \"HOOK\" } }"
            }
            Self::RequestTracker => {
                "connector = \"rt\"\nlogin = { token = { env = \"LOGIN\" } }\nwebhook = { token = { env = \"HOOK\" } }"
            }
        }
    }

    /// The environment that the policy's secrets come from.
    pub fn secret(self, name: &str) -> Option<String> {
        let login = match self {
            Self::Zendesk => seed::CLIENT.1,
            Self::RequestTracker => seed::RT_TOKEN,
        };
        match name {
            "LOGIN" => Some(login.to_owned()),
            "HOOK" => Some(WEBHOOK_SECRET.to_owned()),
            _ => None,
        }
    }

    /// The policy for such a helpdesk at this address.
    pub fn policy(self, url: &str, listen: &str) -> String {
        POLICY.replace("DESK", self.desk()).replace("URL", url).replace("LISTEN", listen)
    }

    /// The same, checked; paths are relative to the folder.
    pub fn config(self, url: &str, folder: &Path) -> Config {
        let policy = self.policy(url, "127.0.0.1:8787");
        config::read(&policy, "bench.toml", folder).unwrap_or_else(|problems| panic!("{problems}"))
    }

    /// Its desk, without the limits that keep a connector slow on purpose.
    fn open(self, config: &Config, seams: &Seams) -> Arc<dyn Desk> {
        let (settings, _) = secrets::resolve(config, &|name| self.secret(name)).expect("secrets");
        let settings = settings.into_values().next().expect("one desk");
        match self {
            Self::Zendesk => {
                Arc::new(handoffd_zendesk::connect_with(settings, seams.clone(), Vec::new()).expect("a good table"))
            }
            Self::RequestTracker => Arc::new(handoffd_rt::connect(settings, seams.clone()).expect("a good table")),
        }
    }

    /// A house with a ledger in this folder on its helpdesk.
    pub fn house(self, url: &str, folder: &Path, durability: Durability, seams: Seams) -> House {
        let config = self.config(url, folder);
        let desks = BTreeMap::from([(DeskId::from("acme"), self.open(&config, &seams))]);
        let ledger = Ledger::open(&config.daemon.ledger, durability).expect("ledger");
        let handle = match durability {
            Durability::Full => Handle::spawn(ledger).expect("thread"),
            Durability::Process => Handle::inline(ledger, None),
        };
        wire(&config, desks, handle, seams)
    }
}

/// How long ago tickets were opened that exports, which leave out the last minute, show at once.
pub const A_WHILE: SignedDuration = SignedDuration::from_mins(10);

/// Opens tickets in Support, so long ago.
pub fn open(sandbox: &Sandbox, count: usize, subject: &str, ago: SignedDuration) -> Vec<TicketNo> {
    sandbox.with(|desk| {
        let now = desk.now;
        desk.now = now - ago;
        let email = "customer@standard.example";
        let customer = desk.find_person(email).map(|person| person.no);
        let requester = customer.unwrap_or_else(|| desk.add_person(email, "A customer", email, Role::Customer));
        let queue = desk.find_queue("Support").map(|queue| queue.no);
        let owner = desk.find_person("frontline-1").map(|person| person.no);
        let one = |at: usize| {
            let text = format!("Hello,\n\nplease have a look at number {at}.\n\nThank you");
            let message = NewMessage::new(Visibility::Public, Body::Plain(text));
            let set =
                Update { queue: Some(queue), owner: Some(owner), status: Some(Status::Open), ..Update::default() };
            desk.open(NewTicket {
                subject: format!("{subject} ({at})"),
                channel: "email".into(),
                requester,
                message,
                set,
            })
        };
        let tickets = (0..count).map(one).collect();
        desk.now = now;
        tickets
    })
}

/// A folder on the disk that the build lies on: what is measured about durability must not lie in memory.
pub fn folder() -> TempDir {
    tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("folder")
}

/// The middle, and the value that all but a hundredth stay below.
pub fn middle_and_worst(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort();
    let at = |share: f64| times.get(((times.len() as f64 * share) as usize).min(times.len().saturating_sub(1)));
    (at(0.5).copied().unwrap_or_default(), at(0.99).copied().unwrap_or_default())
}

/// Milliseconds, for tables.
pub fn ms(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1_000.0)
}

/// Where `cargo bench` has put the daemon.
pub fn binary() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_handoffd"))
}
