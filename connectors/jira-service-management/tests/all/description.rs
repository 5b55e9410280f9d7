//! Every request of the connector to the platform API, and every answer of the sandbox, against the vendor's own description: path
//! and method exist, the query is known, bodies have the described form. The service desk API has no description that could be
//! had: its paths are named here, so that nothing else can slip out of the check. The description is read where it lies and never
//! copied.

use crate::published::Description;
use crate::stage::{id, mark, note, reply, settings_with};
use bytes::Bytes;
use handoffd_jira_service_management::{JiraDesk, connect};
use handoffd_kit::clock::{Clock, ManualClock};
use handoffd_kit::desk::{Desk, DeskChange, OwnerSpec, QueueSpec, StatusSpec, Update, Write};
use handoffd_kit::id::TicketId;
use handoffd_kit::model::{FieldValue, PartKind, PartSet, Priority, Status};
use handoffd_kit::random::Random;
use handoffd_kit::settings::Seams;
use handoffd_kit::transport::{Bounds, Exchange, Transport};
use handoffd_sandbox::{SandboxTransport, seed};
use http::Request;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// A request as it left, and its answer.
#[derive(Clone, Debug)]
struct Exchanged {
    method: String,
    path: String,
    query: Vec<String>,
    body: Value,
    status: u16,
    answer: Value,
}

/// Remembers what goes to the sandbox and what comes back.
struct Recorder {
    inner: SandboxTransport,
    all: Mutex<Vec<Exchanged>>,
}

impl Transport for Recorder {
    fn send(&self, request: Request<Bytes>, bounds: Bounds) -> Exchange<'_> {
        let url: url::Url = request.uri().to_string().parse().unwrap();
        let mut one = Exchanged {
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query: url.query_pairs().map(|(name, _)| name.into_owned()).collect(),
            body: serde_json::from_slice(request.body()).unwrap_or(Value::Null),
            status: 0,
            answer: Value::Null,
        };
        Box::pin(async move {
            let response = self.inner.send(request, bounds).await?;
            one.status = response.status().as_u16();
            one.answer = serde_json::from_slice(response.body()).unwrap_or(Value::Null);
            self.all.lock().unwrap().push(one);
            Ok(response)
        })
    }
}

struct Even;

impl Random for Even {
    fn bits(&self) -> u64 {
        u64::MAX / 2
    }
}

fn updates() -> Vec<DeskChange> {
    let update = |update: Update| DeskChange::Update(update);
    let status = |word: &str, means| Some(StatusSpec { word: word.into(), means });
    vec![
        note("Frontline → Billing"),
        update(Update {
            queue: Some(QueueSpec::Name("Billing".into())),
            owner: Some(OwnerSpec::Nobody),
            priority: Some(Priority::Urgent),
            fields: vec![
                (format!("customfield_{}", seed::REFUND_EUR), FieldValue::Number(600.0)),
                (format!("customfield_{}", seed::STEPS), FieldValue::Text("restart".into())),
            ],
            ..Update::default()
        }),
        update(Update { owner: Some(OwnerSpec::Email("billing-1@acme.example".into())), ..Update::default() }),
        update(Update { status: status("Waiting for customer", Status::Pending), ..Update::default() }),
        reply("We are on it."),
        DeskChange::Tags { add: vec!["ours".into()], remove: vec!["gone".into()] },
    ]
}

/// Everything that a desk is asked to do, once.
async fn everything(desk: &JiraDesk, ticket: &TicketId, clock: &ManualClock) {
    let now = clock.now();
    let kinds = [PartKind::Conversation, PartKind::History, PartKind::Customer, PartKind::Clocks, PartKind::Contacts];
    desk.me().await.unwrap();
    desk.directory().await.unwrap();
    desk.members(&QueueSpec::Name("Billing".into()), now).await.unwrap();
    desk.check(&[QueueSpec::Name("Billing".into())]).await.unwrap();
    assert_eq!(desk.may_write(ticket, now).await.unwrap(), Some(true));
    let page = desk.changed_since(&"issues".into(), None, now).await.unwrap();
    desk.changed_since(&"issues".into(), Some(&page.next), now).await.unwrap();
    for change in updates() {
        let head = desk.head(ticket, now).await.unwrap();
        let mut write = Write {
            ticket: ticket.clone(),
            change,
            mark: mark(),
            expected: None,
            decided_on: None,
            first_tried: Some(now),
            deadline: now,
        };
        write.decide_on(&head);
        desk.apply(&write).await.unwrap();
        desk.find(&write).await.unwrap();
        clock.advance(jiff::SignedDuration::from_secs(2));
    }
    let head = desk.head(ticket, now).await.unwrap();
    desk.parts(&head, PartSet::of(&kinds), now).await.unwrap();
}

/// What is said and read through the service desk API.
const SERVICE_DESK: [(&str, &str); 2] = [("POST", "/comment"), ("GET", "/sla")];

/// What is wrong with a request or its answer.
fn wrong(description: &Description, one: &Exchanged) -> Vec<String> {
    let Exchanged { method, path, query, body, status, answer } = one;
    if path.starts_with("/rest/servicedeskapi/request/") {
        let known = SERVICE_DESK.iter().any(|(verb, end)| verb == method && path.ends_with(end));
        return if known { vec![] } else { vec![format!("{method} {path} is not in the sheet")] };
    }
    let Some(known) = description.parameters(method, path) else { return vec!["no such path or method".into()] };
    let strange = query.iter().filter(|name| !known.contains(name));
    let mut wrong: Vec<String> = strange.map(|name| format!("unknown parameter {name}")).collect();
    if !body.is_null() {
        wrong.extend(description.request(method, path, body));
    }
    match (status, answer) {
        // An edit that is answered with the issue has the form that reading one has; its own is not described.
        (200, answer) if method == "PUT" => wrong.extend(description.answer("GET", path, 200, answer)),
        (204, Value::Null) => {}
        (status, answer) => wrong.extend(description.answer(method, path, *status, answer)),
    }
    // Jira's offsets have no colon, whatever the description says of them (sheet, *Objects*).
    wrong.retain(|problem| !problem.ends_with("+0000\" is not a \"date-time\""));
    wrong
}

#[test]
fn every_request_and_every_answer_is_as_the_vendor_describes_it() {
    let Some(description) = Description::of("jira-platform.json") else { return };
    let clock = ManualClock::new("2026-05-03T10:00:00Z".parse().unwrap());
    let sandbox = seed::jira(Arc::new(clock.clone()), 7);
    let no =
        seed::customer_writes(&sandbox, "customer@standard.example", "Export fails", "It stops.", Default::default());
    sandbox.person("frontline-1").moves(no, "Support");
    sandbox.person("frontline-1").takes(no);
    let recorder = Arc::new(Recorder { inner: SandboxTransport::to(sandbox.clone()), all: Mutex::default() });
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let seams = Seams { clock: shared, random: Arc::new(Even), transport: recorder.clone() };
    let desk = connect(settings_with(seed::JIRA_TOKEN), seams).unwrap();
    futures::executor::block_on(everything(&desk, &id(no), &clock));
    let mut lines = BTreeSet::new();
    for one in recorder.all.lock().unwrap().iter() {
        let wrong = wrong(&description, one);
        assert!(wrong.is_empty(), "{one:#?}: {wrong:#?}");
        lines.insert(format!("{} {}", one.method, one.path.replace(&format!("/{no}"), "/ID")));
    }
    assert!(lines.len() >= 18, "{lines:#?}");
}

#[test]
fn the_check_itself_finds_what_is_wrong() {
    let Some(description) = Description::of("jira-platform.json") else { return };
    let found = |method: &str, path: &str, query: &[&str], body: Value, status: u16, answer: Value| {
        let query = query.iter().map(|name| (*name).to_owned()).collect();
        let one = Exchanged { method: method.into(), path: path.into(), query, body, status, answer };
        wrong(&description, &one)
    };
    let issue = "/rest/api/3/issue/7";
    let fine = json!({ "id": "7", "key": "HELP-7", "fields": {} });
    assert_eq!(found("GET", issue, &["fields"], Value::Null, 200, fine.clone()), [""; 0]);
    for (method, path, query, body, answer) in [
        ("GET", "/rest/api/3/isue/7", vec![], Value::Null, fine.clone()),
        ("PATCH", issue, vec![], Value::Null, fine.clone()),
        ("GET", issue, vec!["field"], Value::Null, fine.clone()),
        ("GET", issue, vec![], Value::Null, json!({ "id": 7 })),
        ("GET", issue, vec![], Value::Null, json!({ "id": "7", "feilds": {} })),
        ("PUT", issue, vec![], json!({ "fields": [] }), fine.clone()),
        ("POST", "/rest/api/3/search/jql", vec![], json!({ "jql": 7 }), json!({ "issues": [] })),
        ("POST", "/rest/api/3/search/jql", vec![], json!({ "jpl": "x" }), json!({ "issues": [] })),
        ("GET", "/rest/servicedeskapi/request/7/status", vec![], Value::Null, json!({})),
    ] {
        let found = found(method, path, &query, body.clone(), 200, answer.clone());
        assert!(!found.is_empty(), "{method} {path} {query:?} {body} {answer}");
    }
}
