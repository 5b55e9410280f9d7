//! The sandbox in the same process, in either dialect, and a house that lives on it and on a clock that the test moves.

use crate::desk::{Mail, Stage, Ticket};
use crate::policy::{self, Words};
use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;
use handoffd::daemon::pipeline::Until;
use handoffd::daemon::wiring::{open_desks, wire};
use handoffd_kit::clock::{Clock, ManualClock};
use handoffd_kit::random::Random;
use handoffd_kit::settings::Seams;
use handoffd_sandbox::change::{TagChange, Update};
use handoffd_sandbox::ids::{FieldNo, TicketNo};
use handoffd_sandbox::seed::{self, BOT, CLIENT, RT_TOKEN};
use handoffd_sandbox::ticket::{FieldDef, FieldType, Status, Visibility};
use handoffd_sandbox::zendesk::Limits;
use handoffd_sandbox::{Sandbox, SandboxTransport};
use jiff::SignedDuration;
use std::sync::Arc;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

const AGENT: &str = "frontline-1";
/// Who works in the queues that the seed does not have.
const STAFF: [&str; 3] = [BOT, "tier2-1", "tier2-2"];
/// The field of the account's tier, which the seed does not have.
const TIER: FieldNo = FieldNo(360_005);

/// Teams as the policy calls them, and their queues.
const QUEUES: [(&str, &str); 8] = [
    ("incoming", "Incoming"),
    ("frontline", "Support"),
    ("general", "General"),
    ("second-line", "Tier 2"),
    ("billing", "Billing"),
    ("accounts", "Accounts"),
    ("product", "Product"),
    ("engineering", "Engineering"),
];

/// The middle of all chance.
struct Even;

impl Random for Even {
    fn bits(&self) -> u64 {
        u64::MAX / 2
    }
}

/// A sandbox and the house on it.
pub struct Embedded {
    sandbox: Sandbox,
    clock: ManualClock,
    pool: LocalPool,
    still: Status,
    _folder: TempDir,
}

impl Embedded {
    /// The sandbox that speaks Zendesk.
    pub fn zendesk() -> Self {
        let clock = clock();
        let sandbox = seed::zendesk(Arc::new(clock.clone()), 1, Limits::ENTERPRISE);
        let mut words = words(&sandbox, "zendesk", "https://acme.zendesk.com", ZENDESK_LOGIN, "secret");
        let fields =
            [("STEPS", seed::STEPS), ("QUESTION", seed::QUESTION), ("REFUND", seed::REFUND_EUR), ("TIER", TIER)];
        words.extend(fields.map(|(word, no)| (word, no.to_string())));
        words.push(("PAUSE", "hold".into()));
        Self::start(sandbox, clock, &words, CLIENT.1, Status::OnHold)
    }

    /// The sandbox that speaks Request Tracker.
    pub fn request_tracker() -> Self {
        let clock = clock();
        let sandbox = seed::rt(Arc::new(clock.clone()), 1);
        let mut words = words(&sandbox, "rt", "https://rt.acme.example", &rt_login(), "token");
        let fields = [
            ("STEPS", "steps-tried"),
            ("QUESTION", "next-question"),
            ("REFUND", "refund_eur"),
            ("TIER", "customer-tier"),
        ];
        words.extend(fields.map(|(word, name)| (word, name.to_owned())));
        words.push(("PAUSE", "stalled".into()));
        Self::start(sandbox, clock, &words, RT_TOKEN, Status::Pending)
    }

    fn start(sandbox: Sandbox, clock: ManualClock, words: &Words, secret: &'static str, still: Status) -> Self {
        furnish(&sandbox);
        let (folder, config) = policy::config(words);
        let seams = Seams {
            clock: Arc::new(clock.clone()),
            random: Arc::new(Even),
            transport: Arc::new(SandboxTransport::to(sandbox.clone())),
        };
        let desks = open_desks(&config, &|_| Some(secret.to_owned()), &seams).unwrap_or_else(|wrong| panic!("{wrong}"));
        let house = wire(&config, desks, policy::ledger(&config, clock.now()), seams);
        let pool = LocalPool::new();
        let life = async move {
            house.recover().await.unwrap();
            house.run(Until::Stopped, &CancellationToken::new()).await.unwrap();
        };
        pool.spawner().spawn_local(life).unwrap();
        let mut stage = Self { sandbox, clock, pool, still, _folder: folder };
        stage.pass(SignedDuration::from_mins(10));
        stage
    }

    fn set(&self, ticket: &Ticket) -> Update {
        let queue = queue_of(ticket.team);
        let queue = self.sandbox.with(|desk| desk.find_queue(queue).map(|queue| queue.no));
        let fields = ticket.fields.iter().map(|(name, value)| {
            let no = if *name == "tier" { TIER } else { seed::REFUND_EUR };
            (no, vec![(*value).to_owned()])
        });
        Update {
            queue: Some(queue),
            tags: Some(TagChange::Set(ticket.tags.iter().map(|tag| (*tag).to_owned()).collect())),
            fields: fields.collect(),
            ..Update::default()
        }
    }
}

/// Zendesk's login here: its secret is in a variable.
pub const ZENDESK_LOGIN: &str = "{ client_id = \"handoffd\", client_secret = { env = \"SECRET\" } }";

/// Request Tracker's login here: a command prints its token.
pub fn rt_login() -> String {
    format!("{{ token = {{ command = [\"printf\", \"%s\", \"{RT_TOKEN}\"] }} }}")
}

fn clock() -> ManualClock {
    // A Tuesday morning.
    ManualClock::new("2026-03-03T08:00:00Z".parse().unwrap())
}

fn words(sandbox: &Sandbox, connector: &str, url: &str, login: &str, hook: &str) -> Words {
    let lead = sandbox.person("billing-lead").no().unwrap();
    let mut words = vec![
        ("CONNECTOR", connector.to_owned()),
        ("URL", url.to_owned()),
        ("LOGIN", login.to_owned()),
        ("WEBHOOK", format!("{{ {hook} = {{ file = \"hook.secret\" }} }}")),
        ("LEAD", if connector == "rt" { "billing-lead".to_owned() } else { lead.to_string() }),
        ("SPARE", "Spare".to_owned()),
    ];
    let names = ["INCOMING", "FRONTLINE", "GENERAL", "SECOND", "BILLING", "ACCOUNTS", "PRODUCT", "ENGINEERING"];
    words.extend(names.into_iter().zip(QUEUES.map(|(_, queue)| queue.to_owned())));
    words
}

fn queue_of(team: &str) -> &'static str {
    QUEUES.iter().find(|(known, _)| *known == team).map(|(_, queue)| *queue).unwrap()
}

/// The queues and the field that the seed does not have.
fn furnish(sandbox: &Sandbox) {
    sandbox.with(|desk| {
        let people = STAFF.map(|login| desk.find_person(login).unwrap().no);
        for (_, queue) in QUEUES {
            if desk.find_queue(queue).is_none() {
                desk.add_queue(queue, &people);
            }
        }
        let tier = FieldDef {
            no: TIER,
            name: "customer-tier".into(),
            kind: FieldType::Text,
            options: vec![],
            many: false,
            required_on_solve: false,
        };
        desk.fields.insert(TIER, tier);
    });
}

fn no(ticket: &str) -> TicketNo {
    ticket.parse().unwrap()
}

impl Stage for Embedded {
    fn opens(&mut self, ticket: &Ticket) -> String {
        let writes = if ticket.mail == Mail::Machine { seed::machine_writes } else { seed::customer_writes };
        writes(&self.sandbox, ticket.from, ticket.subject, ticket.text, self.set(ticket)).to_string()
    }

    fn notes(&mut self, ticket: &str, text: &str) {
        self.sandbox.person(AGENT).notes(no(ticket), text);
    }

    fn replies(&mut self, ticket: &str, text: &str) {
        self.sandbox.person(AGENT).replies(no(ticket), text);
    }

    fn waits(&mut self, ticket: &str) {
        self.sandbox.person(AGENT).puts(no(ticket), Status::Pending);
    }

    fn pass(&mut self, span: SignedDuration) {
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

    fn team(&mut self, ticket: &str) -> String {
        let queue = self.sandbox.ticket(no(ticket)).unwrap().queue.unwrap();
        let name = self.sandbox.with(|desk| desk.queues[&queue].name.clone());
        QUEUES.iter().find(|(_, queue)| *queue == name).map(|(team, _)| (*team).to_owned()).unwrap()
    }

    fn owner(&mut self, ticket: &str) -> Option<String> {
        let owner = self.sandbox.ticket(no(ticket)).unwrap().owner?;
        Some(self.sandbox.with(|desk| desk.people[&owner].login.clone()))
    }

    fn lead(&self) -> String {
        "billing-lead".into()
    }

    fn staff(&mut self, team: &str) -> Vec<String> {
        self.sandbox.with(|desk| {
            let queue = desk.find_queue(queue_of(team)).unwrap();
            let logins = queue.members.iter().map(|member| desk.people[member].login.clone());
            logins.filter(|login| login != BOT).collect()
        })
    }

    fn written(&mut self, ticket: &str) -> Vec<(bool, String)> {
        let us = self.sandbox.person(BOT).no().unwrap();
        let messages = self.sandbox.ticket(no(ticket)).unwrap().messages;
        let ours = messages.into_iter().filter(|message| message.author == us);
        ours.map(|message| (message.visibility == Visibility::Public, message.body.text())).collect()
    }

    fn stands_still(&mut self, ticket: &str) -> bool {
        self.sandbox.ticket(no(ticket)).unwrap().status == self.still
    }
}
