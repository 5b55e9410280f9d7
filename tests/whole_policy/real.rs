//! A real Request Tracker, and a house in this process that works on it over the network. Request Tracker lives in its own
//! time; the house's clock is moved ahead of it.

use crate::desk::{Mail, Stage, Ticket};
use crate::instance::Instance;
use crate::policy::{self, Words};
use crate::raw::Raw;
use handoffd::clock::{SystemClock, SystemRandom};
use handoffd::daemon::house::House;
use handoffd::daemon::pipeline::Until;
use handoffd::daemon::wiring::{open_desks, wire};
use handoffd_kit::clock::{Clock, Sleep};
use handoffd_kit::settings::Seams;
use handoffd_kit::transport::HttpTransport;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

const BOT: &str = "handoff-bot";

/// Teams as the policy calls them, and their queues: those of the seed, and three more.
const QUEUES: [(&str, &str); 8] = [
    ("incoming", "incoming"),
    ("frontline", "tier1"),
    ("general", "General"),
    ("second-line", "tier2"),
    ("billing", "billing"),
    ("accounts", "accounts"),
    ("product", "product"),
    ("engineering", "engineering"),
];

/// The wall clock, ahead by as much as the test has let pass.
#[derive(Clone, Default)]
struct Ahead(Arc<AtomicI64>);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        SystemClock.now() + SignedDuration::from_secs(self.0.load(Ordering::Relaxed))
    }

    fn sleep_until(&self, at: Timestamp) -> Sleep {
        SystemClock.sleep_until(at - SignedDuration::from_secs(self.0.load(Ordering::Relaxed)))
    }
}

/// A Request Tracker and the house on it.
pub struct Real {
    runtime: Runtime,
    clock: Ahead,
    house: House,
    admin: Raw,
    agent: Raw,
    customer: Raw,
    _instance: Instance,
    _folder: TempDir,
}

impl Real {
    /// A fresh one; none where none is installed.
    pub fn start() -> Option<Self> {
        let runtime = Runtime::new().unwrap();
        // The scrip posts to nobody: everything is found by polling.
        let instance = Instance::for_tests("http://127.0.0.1:9/hooks/acme/0123456789abcdef")?;
        let raw = |token| Raw::new(&instance.url, instance.token(token));
        let (admin, agent, customer) = (raw("RT5_TOKEN_ADMIN"), raw("FLOATER"), raw("CUSTOMER"));
        runtime.block_on(async {
            for queue in ["incoming", "accounts", "product"] {
                admin.json("POST", "/queue", Some(json!({ "Name": queue }))).await;
            }
        });
        let (folder, config) = policy::config(&words(&instance.url));
        let clock = Ahead::default();
        let transport = runtime.block_on(async { HttpTransport::new(2) });
        let seams =
            Seams { clock: Arc::new(clock.clone()), random: Arc::new(SystemRandom), transport: Arc::new(transport) };
        let token = instance.token("RT5_TOKEN");
        let desks = open_desks(&config, &|_| Some(token.clone()), &seams).unwrap_or_else(|wrong| panic!("{wrong}"));
        let house = wire(&config, desks, policy::ledger(&config, clock.now()), seams);
        runtime.block_on(house.recover()).unwrap();
        let mut real = Self { runtime, clock, house, admin, agent, customer, _instance: instance, _folder: folder };
        real.pass(SignedDuration::ZERO);
        Some(real)
    }

    fn get(&self, path: &str) -> Value {
        self.runtime.block_on(self.admin.get(path))
    }

    fn list(&self, path: &str) -> Vec<Value> {
        self.runtime.block_on(self.admin.list(path))
    }

    fn said(&self, ticket: &str, path: &str, text: &str) {
        let body = json!({ "Content": text, "ContentType": "text/plain" });
        self.runtime.block_on(self.agent.json("POST", &format!("/ticket/{ticket}/{path}"), Some(body)));
    }

    /// A mail as the mail server hands it to the gateway. The gateway does not tell the number of the ticket.
    fn mailed(&self, ticket: &Ticket) -> String {
        let signs = if ticket.mail == Mail::Machine { "Auto-Submitted: auto-replied\nReturn-Path: <>\n" } else { "" };
        let message = format!(
            "{signs}Received: from mx.standard.example by desk.test\nFrom: {}\nTo: support@desk.test\nSubject: {}\n\
             Content-Type: text/plain; charset=utf-8\n\n{}\n",
            ticket.from, ticket.subject, ticket.text
        );
        self.runtime.block_on(self.admin.mail(queue_of(ticket.team), &message));
        let query = format!("/tickets?query=Requestor.EmailAddress='{}'", ticket.from);
        let found = self.list(&query);
        found.first().and_then(|ticket| ticket["id"].as_str()).map(str::to_owned).unwrap()
    }

    fn created(&self, ticket: &Ticket) -> String {
        let body = json!({
            "Queue": queue_of(ticket.team), "Subject": ticket.subject, "Content": ticket.text,
            "ContentType": "text/plain", "Requestor": ticket.from,
        });
        let made = self.runtime.block_on(self.customer.json("POST", "/ticket", Some(body)));
        made["id"].as_str().map(str::to_owned).unwrap()
    }
}

fn queue_of(team: &str) -> &'static str {
    QUEUES.iter().find(|(known, _)| *known == team).map(|(_, queue)| *queue).unwrap()
}

fn words(url: &str) -> Words {
    let names = ["INCOMING", "FRONTLINE", "GENERAL", "SECOND", "BILLING", "ACCOUNTS", "PRODUCT", "ENGINEERING"];
    let mut words: Words = names.into_iter().zip(QUEUES.map(|(_, queue)| queue.to_owned())).collect();
    let own = [
        ("CONNECTOR", "rt"),
        ("URL", url),
        ("LOGIN", "{ token = { env = \"SECRET\" } }"),
        ("WEBHOOK", "{ token = { file = \"hook.secret\" } }"),
        ("LEAD", "dana"),
        ("SPARE", "spare"),
        ("STEPS", "steps-tried"),
        ("QUESTION", "next-question"),
        ("REFUND", "escalation-reason"),
        ("TIER", "customer-tier"),
        ("PAUSE", "stalled"),
    ];
    words.extend(own.map(|(word, value)| (word, value.to_owned())));
    words
}

impl Stage for Real {
    fn opens(&mut self, ticket: &Ticket) -> String {
        let id = if ticket.mail == Mail::Any { self.created(ticket) } else { self.mailed(ticket) };
        let mut fields = serde_json::Map::new();
        if !ticket.tags.is_empty() {
            fields.insert("labels".into(), json!(ticket.tags));
        }
        for (name, value) in ticket.fields {
            let field = if *name == "tier" { "customer-tier" } else { "escalation-reason" };
            fields.insert(field.into(), json!(value));
        }
        if !fields.is_empty() {
            let body = json!({ "CustomFields": fields });
            self.runtime.block_on(self.admin.json("PUT", &format!("/ticket/{id}"), Some(body)));
        }
        id
    }

    fn notes(&mut self, ticket: &str, text: &str) {
        self.said(ticket, "comment", text);
    }

    fn replies(&mut self, ticket: &str, text: &str) {
        self.said(ticket, "correspond", text);
    }

    fn waits(&mut self, ticket: &str) {
        let body = json!({ "Status": "stalled" });
        let said = self.runtime.block_on(self.agent.json("PUT", &format!("/ticket/{ticket}"), Some(body)));
        assert!(said.to_string().contains("changed"), "{said}");
    }

    fn pass(&mut self, span: SignedDuration) {
        self.clock.0.fetch_add(span.as_secs(), Ordering::Relaxed);
        // What is due by then, and once more what follows from it a minute later: the looks after a write.
        for _ in 0..2 {
            let until = Until::NothingDueBy(self.clock.now() + SignedDuration::from_secs(2));
            self.runtime.block_on(self.house.run(until, &CancellationToken::new())).unwrap();
            self.clock.0.fetch_add(75, Ordering::Relaxed);
        }
    }

    fn team(&mut self, ticket: &str) -> String {
        let shown = self.get(&format!("/ticket/{ticket}?fields[Queue]=Name"));
        let name = shown["Queue"]["Name"].as_str().unwrap();
        QUEUES.iter().find(|(_, queue)| *queue == name).map(|(team, _)| (*team).to_owned()).unwrap()
    }

    fn owner(&mut self, ticket: &str) -> Option<String> {
        let shown = self.get(&format!("/ticket/{ticket}"));
        shown["Owner"]["id"].as_str().filter(|owner| *owner != "Nobody").map(str::to_owned)
    }

    fn lead(&self) -> String {
        "dana".into()
    }

    /// The members of the group that the queue mails about every ticket.
    fn staff(&mut self, team: &str) -> Vec<String> {
        let named = |value: &Value, kind: &str| -> Vec<String> {
            let all = value.as_array().into_iter().flatten().filter(|one| one["type"] == kind);
            all.filter_map(|one| one["id"].as_str().map(str::to_owned)).collect()
        };
        let groups = named(&self.get(&format!("/queue/{}", queue_of(team)))["AdminCc"], "group");
        groups.iter().flat_map(|group| named(&self.get(&format!("/group/{group}"))["Members"], "user")).collect()
    }

    fn written(&mut self, ticket: &str) -> Vec<(bool, String)> {
        let history = self.list(&format!("/ticket/{ticket}/history?fields=Type,Creator&orderby=id"));
        let mut written = Vec::new();
        for one in history.iter().filter(|one| one["Creator"]["id"] == BOT) {
            let public = match one["Type"].as_str() {
                Some("Comment") => false,
                Some("Correspond") => true,
                _ => continue,
            };
            let id = one["id"].as_str().unwrap();
            let parts = self.list(&format!("/transaction/{id}/attachments?fields=Content"));
            let text = parts.iter().filter_map(|part| part["Content"].as_str()).collect::<Vec<_>>().join("\n");
            written.push((public, text));
        }
        written
    }

    fn stands_still(&mut self, ticket: &str) -> bool {
        self.get(&format!("/ticket/{ticket}"))["Status"] == "stalled"
    }
}
