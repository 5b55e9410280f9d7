//! A desk over a transport that answers as each test says and remembers what was asked, on a clock that the test moves.

use bytes::Bytes;
use futures::FutureExt;
use futures::future::BoxFuture;
use handoffd_kit::clock::{Clock, ManualClock};
use handoffd_kit::desk::{DeskChange, Update, Write};
use handoffd_kit::error::DeskError;
use handoffd_kit::id::Version;
use handoffd_kit::mark::Mark;
use handoffd_kit::model::InternalText;
use handoffd_kit::random::Random;
use handoffd_kit::secret::SecretSource;
use handoffd_kit::settings::{DeskSettings, Seams, Setting};
use handoffd_kit::transport::{Bounds, Exchange, Transport, TransportError};
use handoffd_zendesk::{ZendeskDesk, connect};
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex};

pub const SECRET: &str = "client-secret-8c1f";
pub const API_TOKEN: &str = "api-token-77aa";
pub const ACCESS: &str = "access-token-51e9";
pub const US: i64 = 5_246_746;

struct Even;

impl Random for Even {
    fn bits(&self) -> u64 {
        u64::MAX / 2
    }
}

/// A request as it left.
#[derive(Clone, Debug)]
pub struct Sent {
    pub method: String,
    pub path: String,
    pub query: BTreeMap<String, String>,
    pub login: String,
    pub body: Value,
}

impl Sent {
    /// `GET /api/v2/tickets/7`
    pub fn line(&self) -> String {
        format!("{} {}", self.method, self.path)
    }
}

pub type Reply = Result<Response<Bytes>, TransportError>;
type Answerer = Box<dyn Fn(&Sent) -> Option<Reply> + Send>;

/// The transport: the newest rule that answers a request wins.
#[derive(Default)]
pub struct Script {
    rules: Mutex<Vec<Answerer>>,
    sent: Mutex<Vec<Sent>>,
}

impl Transport for Script {
    fn send(&self, request: Request<Bytes>, _: Bounds) -> Exchange<'_> {
        let query = request.uri().query().unwrap_or_default();
        let url: url::Url = format!("https://x.example/?{query}").parse().unwrap();
        let login = request.headers().get("authorization").map(|value| value.to_str().unwrap().to_owned());
        let sent = Sent {
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query: url.query_pairs().into_owned().collect(),
            login: login.unwrap_or_default(),
            body: serde_json::from_slice(request.body()).unwrap_or(Value::Null),
        };
        let reply = self.rules.lock().unwrap().iter().rev().find_map(|rule| rule(&sent));
        let reply = reply.unwrap_or_else(|| panic!("nothing answers {sent:?}"));
        self.sent.lock().unwrap().push(sent);
        // Other calls go on while this one is under way.
        let mut polled = false;
        Box::pin(
            futures::future::poll_fn(move |context| {
                if std::mem::replace(&mut polled, true) {
                    return std::task::Poll::Ready(());
                }
                context.waker().wake_by_ref();
                std::task::Poll::Pending
            })
            .map(|()| reply),
        )
    }
}

pub fn answer(status: u16, body: &Value) -> Reply {
    raw(status, &[], body.to_string())
}

pub fn raw(status: u16, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Reply {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    Ok(response.body(body.into()).unwrap())
}

/// A desk on its script.
pub struct Account {
    pub desk: ZendeskDesk,
    pub clock: ManualClock,
    pub script: Arc<Script>,
}

pub fn start() -> Timestamp {
    "2026-05-03T12:00:00Z".parse().unwrap()
}

/// A source that gives what was put into it last.
#[derive(Clone, Default)]
pub struct Replaced(Arc<Mutex<Option<&'static str>>>);

impl Replaced {
    pub fn give(&self, secret: &'static str) {
        *self.0.lock().unwrap() = Some(secret);
    }
}

impl SecretSource for Replaced {
    fn read(&self) -> BoxFuture<'_, Result<SecretString, String>> {
        let read = self.0.lock().unwrap().map(SecretString::from);
        Box::pin(std::future::ready(read.ok_or_else(|| "nothing there".to_owned())))
    }
}

pub fn text(value: &str) -> Setting {
    Setting::Text(value.to_owned())
}

fn secret(value: &str) -> Setting {
    Setting::Secret(value.to_owned().into())
}

impl Account {
    /// With an OAuth client, on a well-behaved account of one ticket.
    pub fn new() -> Self {
        Self::with([("client_id", text("handoffd")), ("client_secret", secret(SECRET))])
    }

    /// With an API token.
    pub fn legacy() -> Self {
        Self::with([("email", text("handoffd@acme.example")), ("token", secret(API_TOKEN))])
    }

    pub fn with(login: [(&str, Setting); 2]) -> Self {
        let (clock, script) = (ManualClock::new(start()), Arc::new(Script::default()));
        let settings = DeskSettings {
            id: "acme".into(),
            url: "https://acme.zendesk.com".parse().unwrap(),
            login: login.into_iter().map(|(key, value)| (key.to_owned(), value)).collect(),
            webhook: BTreeMap::new(),
            budget: 1.0,
        };
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let seams = Seams { clock: shared, random: Arc::new(Even), transport: script.clone() };
        let account = Self { desk: connect(settings, seams).unwrap(), clock, script };
        account.furnish();
        account
    }

    fn furnish(&self) {
        let fixture = |text: &str| -> Value { serde_json::from_str(text).unwrap() };
        let token = json!({ "access_token": ACCESS, "token_type": "bearer", "scope": "read", "expires_in": 1000 });
        self.on("POST", "/oauth/tokens", 200, token);
        let scopes = json!({ "token": { "id": 1, "scopes": ["read", "tickets:write"] } });
        self.on("GET", "/api/v2/oauth/tokens/current.json", 200, scopes);
        let me = json!({ "user": { "id": US, "name": "handoffd", "email": "handoffd@acme.example", "role": "admin" } });
        self.on("GET", "/api/v2/users/me", 200, me);
        let groups = json!({ "groups": [{ "id": 98700, "name": "Support" }, { "id": 98738, "name": "Billing" }],
            "meta": { "has_more": false } });
        self.on("GET", "/api/v2/groups", 200, groups);
        self.on("GET", "/api/v2/tickets/35436", 200, fixture(include_str!("../../../fixtures/ticket.json")));
        self.on("GET", "/api/v2/tickets/35436/audits", 200, fixture(include_str!("../../../fixtures/audits.json")));
        self.on("GET", "/api/v2/tickets/35436/comments", 200, fixture(include_str!("../../../fixtures/comments.json")));
        let metrics = fixture(include_str!("../../../fixtures/policy_metrics.json"));
        self.on("GET", "/api/v2/tickets/35436/slas/policy_metrics.json", 200, metrics);
        self.on("GET", "/api/v2/users/show_many", 200, fixture(include_str!("../../../fixtures/users.json")));
        let organizations = fixture(include_str!("../../../fixtures/organizations.json"));
        self.on("GET", "/api/v2/organizations/show_many", 200, organizations);
        self.on("PUT", "/api/v2/tickets/35436", 200, updated(false));
    }

    /// Answers a method and path with JSON from now on.
    pub fn on(&self, method: &'static str, path: &'static str, status: u16, body: Value) {
        self.when(move |sent| (sent.line() == format!("{method} {path}")).then(|| answer(status, &body)));
    }

    /// Answers whatever the rule wants to answer from now on.
    pub fn when(&self, rule: impl Fn(&Sent) -> Option<Reply> + Send + 'static) {
        self.script.rules.lock().unwrap().push(Box::new(rule));
    }

    /// Waits for work on a clock that moves whenever somebody waits for it.
    pub fn run<T>(&self, work: impl Future<Output = T>) -> T {
        let mut work = std::pin::pin!(work);
        futures::executor::block_on(futures::future::poll_fn(|context| {
            let polled = work.as_mut().poll(context);
            if polled.is_pending()
                && let Some(at) = self.clock.next_wait()
            {
                self.clock.set(at);
            }
            polled
        }))
    }

    /// The login under which a ticket is read; what was sent until then is forgotten.
    pub fn login_of_a_read(&self) -> String {
        self.run(handoffd_kit::desk::Desk::head(&self.desk, &"35436".into(), start())).unwrap();
        self.sent().pop().unwrap().login
    }

    pub fn pass(&self, seconds: i64) {
        self.clock.advance(SignedDuration::from_secs(seconds));
    }

    /// What was sent since this was asked last.
    pub fn sent(&self) -> Vec<Sent> {
        std::mem::take(&mut self.script.sent.lock().unwrap())
    }

    /// The lines of what was sent since this was asked last.
    pub fn lines(&self) -> Vec<String> {
        self.sent().iter().map(Sent::line).collect()
    }
}

/// The answer to an update whose comment is public or not.
pub fn updated(public: bool) -> Value {
    let mut answer: Value = serde_json::from_str(include_str!("../../../fixtures/ticket.json")).unwrap();
    answer["ticket"]["updated_at"] = json!("2026-05-03T12:00:01Z");
    answer["audit"] = json!({ "id": 35_437_000, "ticket_id": 35436, "author_id": US, "events": [
        { "id": 1, "type": "Change", "field_name": "group_id", "value": "98738", "previous_value": "98700" },
        { "id": 2, "type": "Comment", "public": public, "author_id": US, "body": "…" },
    ]});
    answer
}

pub fn mark() -> Mark {
    Mark { handoff: "h3f9".into(), number: 1, rule: "refund".into(), version: "a1b2".into() }
}

pub fn write(change: DeskChange) -> Write {
    Write {
        ticket: "35436".into(),
        change,
        mark: mark(),
        expected: Some(Version::from("2026-05-03T10:05:12Z")),
        decided_on: None,
        first_tried: Some(start()),
        deadline: start(),
    }
}

pub fn note() -> Write {
    let note = Some(InternalText(format!("Frontline → Billing\n\n{}", mark())));
    write(DeskChange::Update(Update { note, ..Update::default() }))
}

/// An error in every form in which anybody may see it.
pub fn shown(error: &DeskError) -> String {
    format!("{error} {error:?} {:?}", error.next_step)
}
