//! A helpdesk with a past: three tickets, of which people have moved two.

use handoffd::config::{self, Config};
use handoffd::daemon::wiring::open_desks;
use handoffd_kit::clock::{Clock, ManualClock};
use handoffd_kit::desk::Desk;
use handoffd_kit::random::Random;
use handoffd_kit::settings::Seams;
use handoffd_sandbox::change::Update;
use handoffd_sandbox::freshdesk::Plan;
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::seed::{self, API_KEY, CLIENT, RT_TOKEN};
use handoffd_sandbox::zendesk::Limits;
use handoffd_sandbox::{Sandbox, SandboxTransport};
use jiff::{SignedDuration, Timestamp};
use std::path::Path;
use std::sync::Arc;

pub const SUBJECT: &str = "Charged twice for April";
pub const SAID: &str = "Please look at my invoice.";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Zendesk,
    Rt,
    Freshdesk,
}

impl Dialect {
    pub fn secret(self) -> &'static str {
        match self {
            Self::Zendesk => CLIENT.1,
            Self::Rt => RT_TOKEN,
            Self::Freshdesk => API_KEY,
        }
    }

    fn sandbox(self, clock: Arc<dyn Clock>) -> Sandbox {
        match self {
            Self::Zendesk => seed::zendesk(clock, 1, Limits::ENTERPRISE),
            Self::Rt => seed::rt(clock, 1),
            Self::Freshdesk => seed::freshdesk(clock, 1, Plan::GROWTH),
        }
    }

    /// A case that somebody has held for four hours goes to billing.
    pub fn policy(self, url: &str) -> String {
        let desk = match self {
            Self::Zendesk => {
                "connector = \"zendesk\"\nlogin = { client_id = \"handoffd\", client_secret = { env = \"LOGIN\" } }"
            }
            Self::Rt => "connector = \"rt\"\nlogin = { token = { env = \"LOGIN\" } }",
            Self::Freshdesk => "connector = \"freshdesk\"\nlogin = { api_key = { env = \"LOGIN\" } }",
        };
        let (field, steps) = match self {
            Self::Zendesk => ("360003", "360001"),
            Self::Rt => ("refund_eur", "steps-tried"),
            Self::Freshdesk => ("cf_refund_eur", "cf_steps_tried"),
        };
        format!(
            r#"
[policy]
owner = "support-ops@acme.example"

[desks.acme]
{desk}
url = "{url}"

[desks.acme.fields]
refund_eur = {{ id = "{field}", type = "number" }}
steps      = "{steps}"

[teams.frontline]
tier  = 1
desk  = "acme"
queue = "Support"

[teams.billing]
tier  = 2
desk  = "acme"
queue = "Billing"

[[escalate]]
name     = "held-too-long"
trigger  = "waiting"
from     = ["frontline"]
to       = "billing"
held_for = "4h"
needs    = "somebody who has time"
reason   = "Held for four hours"
package  = {{ require = ["summary"] }}
owner    = {{ assign = "queue" }}
clock    = {{ customer = "continue" }}
customer = {{ nothing = "billing writes to the customer" }}
review   = "never"
"#
        )
    }
}

struct Even;

impl Random for Even {
    fn bits(&self) -> u64 {
        u64::MAX / 2
    }
}

/// The helpdesk, and the clock that it shows.
pub struct Stage {
    pub dialect: Dialect,
    pub sandbox: Sandbox,
    pub clock: ManualClock,
    /// When the first ticket was opened.
    pub began: Timestamp,
    /// Moved after six hours and solved; never moved, noted on, from the third to the seventh hour with a label, from the fifth
    /// on with a sum; moved to a queue of no team.
    pub tickets: [TicketNo; 3],
}

impl Stage {
    /// Ten hours of history that end at this instant.
    pub fn until(dialect: Dialect, end: Timestamp) -> Self {
        let began = end - SignedDuration::from_hours(10);
        let clock = ManualClock::new(began);
        let sandbox = dialect.sandbox(Arc::new(clock.clone()));
        let opens = || {
            let support = sandbox.with(|desk| desk.find_queue("Support").map(|queue| queue.no));
            let set = Update { queue: Some(support), ..Update::default() };
            seed::customer_writes(&sandbox, "customer@standard.example", SUBJECT, SAID, set)
        };
        let tickets = [opens(), opens(), opens()];
        let hours = |hours| clock.set(began + SignedDuration::from_hours(hours));
        hours(1);
        sandbox.person("frontline-1").takes(tickets[0]);
        hours(2);
        sandbox.person("frontline-2").notes(tickets[1], "Asked the bank.");
        sandbox.person("frontline-2").moves(tickets[2], "Tier 2");
        hours(3);
        sandbox.person("frontline-2").tags(tickets[1], "refund");
        hours(5);
        sandbox.person("frontline-2").edits(tickets[1], seed::REFUND_EUR, "600");
        sandbox.person("frontline-2").edits(tickets[1], seed::STEPS, "Called Anna Example");
        hours(6);
        sandbox.person("frontline-1").moves(tickets[0], "Billing");
        hours(7);
        sandbox.person("billing-1").takes(tickets[0]);
        sandbox.person("frontline-2").untags(tickets[1], "refund");
        hours(8);
        sandbox.person("billing-1").solves(tickets[0]);
        hours(10);
        Self { dialect, sandbox, clock, began, tickets }
    }

    /// In the same process, on the clock.
    pub fn seams(&self) -> Seams {
        let transport = SandboxTransport::to(self.sandbox.clone());
        Seams { clock: Arc::new(self.clock.clone()), random: Arc::new(Even), transport: Arc::new(transport) }
    }

    pub fn config(&self) -> Config {
        let text = self.dialect.policy("https://desk.acme.example");
        config::read(&text, "policy.toml", Path::new("")).unwrap_or_else(|problems| panic!("{problems}"))
    }

    pub fn desk(&self) -> Arc<dyn Desk> {
        let env = |_: &str| Some(self.dialect.secret().to_owned());
        let desks = open_desks(&self.config(), &env, &self.seams()).unwrap_or_else(|problems| panic!("{problems}"));
        desks.into_values().next().expect("a desk")
    }
}
