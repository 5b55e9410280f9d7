//! One function for each parser that reads what comes from outside. A fuzzer calls them, and so does a test of the workspace with
//! the corpora and what a seeded chance makes of them. None may panic, hang, or make more calls than a bounded number; what
//! each gives beyond that is for its own tests.

use bytes::Bytes;
use handoffd::config;
use handoffd::daemon::wiring::open_desks;
use handoffd::policy::command::Vocabulary;
use handoffd::policy::package::noted_in;
use handoffd_kit::clock::ManualClock;
use handoffd_kit::desk::{Answer, Desk, DeskChange, PublicReply, QueueSpec, Update, WordingSignature, Write};
use handoffd_kit::id::{DeskId, TicketId};
use handoffd_kit::mark::Mark;
use handoffd_kit::model::{InternalText, PartKind, PartSet, PublicText, TicketHead};
use handoffd_kit::random::Random;
use handoffd_kit::settings::Seams;
use handoffd_kit::text::html_to_text;
use handoffd_kit::transport::{Bounds, Exchange, Transport, TransportError};
use handoffd_kit::webhook::Unverified;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use sha1::Sha1;
use sha2::Sha256;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Reads one input.
pub type Entry = fn(&[u8]);

/// Every target: the name of its corpus and of its file among the fuzz targets.
pub const TARGETS: [(&str, Entry); 12] = [
    ("zendesk_webhook", zendesk_webhook),
    ("rt_webhook", rt_webhook),
    ("freshdesk_webhook", freshdesk_webhook),
    ("zammad_webhook", zammad_webhook),
    ("zendesk_answers", zendesk_answers),
    ("rt_answers", rt_answers),
    ("freshdesk_answers", freshdesk_answers),
    ("zammad_answers", zammad_answers),
    ("config", configuration),
    ("condition", condition),
    ("note", note),
    ("mark", mark),
];

const SECRET: &str = "0123456789abcdef0123456789abcdef";
/// More calls than any one question to a desk may cost.
const CALLS: usize = 400;
/// More waits than any one question may have.
const WAITS: usize = 2_000;

const POLICY: &str = r#"
[teams.frontline]
tier = 1
desk = "acme"
queue = "Support"

[teams.billing]
tier = 2
desk = "acme"
queue = "Billing"
"#;

/// A desk that answers everything with these bytes.
struct Answers {
    body: Bytes,
    calls: AtomicUsize,
}

impl Transport for Answers {
    fn send(&self, request: http::Request<Bytes>, _: Bounds) -> Exchange<'_> {
        let calls = self.calls.fetch_add(1, Ordering::Relaxed);
        assert!(calls < CALLS, "one question costs calls without end: {} {}", request.method(), request.uri().path());
        let login = request.uri().path().contains("/oauth/tokens");
        let body = match login {
            true => Bytes::from_static(br#"{"access_token":"t","token_type":"bearer","expires_in":7200}"#),
            false => self.body.clone(),
        };
        let answer = http::Response::builder().header("content-type", "application/json").body(body);
        Box::pin(async move { answer.map_err(|error| TransportError::Lost(error.to_string())) })
    }
}

struct Even;

impl Random for Even {
    fn bits(&self) -> u64 {
        u64::MAX / 2
    }
}

/// What a connector's part of the configuration says.
fn desk_of(connector: &str) -> String {
    let (url, login, webhook) = match connector {
        "zendesk" => (
            "https://acme.zendesk.com",
            "{ client_id = \"handoffd\", client_secret = { env = \"S\" } }",
            "{ secret = { env = \"S\" } }",
        ),
        "rt" => (
            "https://rt.acme.example",
            "{ user = \"handoff-bot\", token = { env = \"S\" } }",
            "{ token = { env = \"S\" } }",
        ),
        "zammad" => ("https://support.acme.example", "{ token = { env = \"S\" } }", "{ secret = { env = \"S\" } }"),
        _ => ("https://acme.freshdesk.com", "{ api_key = { env = \"S\" } }", "{ secret = { env = \"S\" } }"),
    };
    format!(
        "[desks.acme]\nconnector = \"{connector}\"\nurl = \"{url}\"\nlogin = {login}\nwebhook = {webhook}\n{POLICY}"
    )
}

fn open(connector: &str, body: &[u8], clock: &ManualClock) -> (Arc<dyn Desk>, Arc<Answers>) {
    let config = config::read(&desk_of(connector), "fuzz.toml", Path::new("/"))
        .unwrap_or_else(|problems| panic!("the fuzzer's own configuration: {problems}"));
    let answers = Arc::new(Answers { body: Bytes::copy_from_slice(body), calls: AtomicUsize::new(0) });
    let seams = Seams { clock: Arc::new(clock.clone()), random: Arc::new(Even), transport: answers.clone() };
    let secrets = |name: &str| (name == "S").then(|| SECRET.to_owned());
    let desks = open_desks(&config, &secrets, &seams).unwrap_or_else(|problems| panic!("{problems}"));
    let desk = desks.into_values().next().unwrap_or_else(|| panic!("one desk"));
    (desk, answers)
}

fn begin() -> Timestamp {
    Timestamp::constant(1_780_000_000, 0)
}

/// Waits for an answer on a clock that goes on by itself.
fn wait<T>(clock: &ManualClock, answers: &Answers, mut answer: Answer<'_, T>) -> Option<T> {
    answers.calls.store(0, Ordering::Relaxed);
    for _ in 0..WAITS {
        if let std::task::Poll::Ready(answer) = futures::executor::block_on(async { futures::poll!(&mut answer) }) {
            return answer.ok();
        }
        clock.set(clock.next_wait()?);
    }
    panic!("one question waits without end");
}

/// Asks a desk everything, and it answers each time with these bytes.
fn ask(connector: &str, body: &[u8]) {
    let clock = ManualClock::new(begin());
    let (desk, answers) = open(connector, body, &clock);
    let deadline = begin() + SignedDuration::from_hours(1);
    let ticket = TicketId::from("1");
    let head = wait(&clock, &answers, desk.head(&ticket, deadline));
    for stream in desk.capabilities().streams.clone() {
        drop(wait(&clock, &answers, desk.changed_since(&stream.name, None, deadline)));
    }
    let head = head.unwrap_or_else(|| TicketHead::unknown(ticket.clone(), "v1".into()));
    drop(wait(&clock, &answers, desk.parts(&head, PartSet::of(&PartKind::ALL), deadline)));
    let queue = QueueSpec::Name("Billing".into());
    drop(wait(&clock, &answers, desk.members(&queue, deadline)));
    drop(wait(&clock, &answers, desk.me()));
    let signature = WordingSignature { message: "m".into(), wording: "w".into(), signer: "s".into() };
    let note = Update { note: Some(InternalText("a note".into())), queue: Some(queue), ..Update::default() };
    let reply = PublicReply { text: PublicText("a word".into()), signature };
    for change in [DeskChange::Update(note), DeskChange::Reply(reply)] {
        let write = Write {
            ticket: ticket.clone(),
            change,
            mark: Mark { handoff: "h1".into(), number: 1, rule: "refund".into(), version: "r1".into() },
            expected: Some(head.version.clone()),
            decided_on: None,
            first_tried: Some(begin()),
            deadline,
        };
        drop(wait(&clock, &answers, desk.find(&write)));
        drop(wait(&clock, &answers, desk.apply(&write)));
    }
}

/// What Zendesk answers.
pub fn zendesk_answers(data: &[u8]) {
    ask("zendesk", data);
}

/// What Request Tracker answers.
pub fn rt_answers(data: &[u8]) {
    ask("rt", data);
}

/// What Freshdesk answers.
pub fn freshdesk_answers(data: &[u8]) {
    ask("freshdesk", data);
}

/// What Zammad answers.
pub fn zammad_answers(data: &[u8]) {
    ask("zammad", data);
}

/// Reads a webhook with these headers; every ticket that it names can be asked for.
fn webhook(connector: &str, headers: &http::HeaderMap, path: Option<&str>, data: &[u8]) {
    let (desk, _) = open(connector, b"{}", &ManualClock::new(begin()));
    if let Ok(delivery) = desk.webhook(Unverified::new(headers, path, data, begin())) {
        assert!(delivery.hints.iter().all(|hint| !hint.ticket.as_str().is_empty()), "a hint at nothing");
    }
}

/// A signed webhook of Zendesk's.
pub fn zendesk_webhook(data: &[u8]) {
    use base64::Engine;
    let stamp = begin().to_string();
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()) else { return };
    mac.update(stamp.as_bytes());
    mac.update(data);
    let signature = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    let mut headers = http::HeaderMap::new();
    for (name, value) in
        [("x-zendesk-webhook-signature", &signature), ("x-zendesk-webhook-signature-timestamp", &stamp)]
    {
        if let Ok(value) = value.parse() {
            headers.insert(name, value);
        }
    }
    webhook("zendesk", &headers, None, data);
}

/// A scrip's hook of Request Tracker's.
pub fn rt_webhook(data: &[u8]) {
    webhook("rt", &http::HeaderMap::new(), Some(SECRET), data);
}

/// What an automation rule of Freshdesk's posts.
pub fn freshdesk_webhook(data: &[u8]) {
    let mut headers = http::HeaderMap::new();
    headers.insert("x-handoffd-secret", http::HeaderValue::from_static(SECRET));
    webhook("freshdesk", &headers, None, data);
}

/// A signed webhook of Zammad's.
pub fn zammad_webhook(data: &[u8]) {
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(SECRET.as_bytes()) else { return };
    mac.update(data);
    let signature: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    let mut headers = http::HeaderMap::new();
    headers.insert("x-zammad-delivery", http::HeaderValue::from_static("9f1c2f6e"));
    if let Ok(value) = format!("sha1={signature}").parse() {
        headers.insert("x-hub-signature", value);
    }
    webhook("zammad", &headers, None, data);
}

/// A configuration: it can be used, or every problem is told.
pub fn configuration(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    if let Err(problems) = config::read(text, "fuzz.toml", Path::new("/nowhere")) {
        assert!(!problems.to_string().is_empty(), "refused without a word");
    }
}

/// A condition of a rule.
pub fn condition(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let when = toml::Value::String(text.to_owned());
    let rule = format!(
        "{}\n[[route]]\nname = \"one\"\ndesk = \"acme\"\nto = \"billing\"\nwhen = {when}\n\n\
         [[route]]\nname = \"rest\"\ndesk = \"acme\"\nto = \"frontline\"\n",
        desk_of("rt")
    );
    configuration(rule.as_bytes());
}

/// An agent's internal note, as HTML and as text: its structured parts, and the command in it.
pub fn note(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let plain = html_to_text(&text, 20_000);
    for words in [text.as_ref(), plain.as_str()] {
        let lines: usize = noted_in(words).iter().map(|(_, lines)| lines.len()).sum();
        assert!(lines <= words.lines().count() + 1, "lines out of nothing");
        let config = config::read(&desk_of("rt"), "fuzz.toml", Path::new("/"));
        let Ok(config) = config else { return };
        drop(Vocabulary::new(&config.policy, &DeskId::from("acme")).in_note(words));
    }
}

/// The last line of a note of ours: what is read as a mark reads the same again.
pub fn mark(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(mark) = Mark::in_text(&text) {
        assert_eq!(Mark::in_text(&mark.to_string()).as_ref(), Some(&mark), "read otherwise the second time");
    }
}
