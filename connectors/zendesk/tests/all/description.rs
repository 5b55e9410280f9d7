//! Every request that the connector makes, against the vendor's own description: the path and method exist, the query is
//! known, the body has only known keys of the right types. What only the sheet knows is named here, so that nothing
//! else can slip out of the check. The description is read where it lies and never copied.

use crate::published::Description;
use bytes::Bytes;
use handoffd_kit::clock::{Clock, ManualClock};
use handoffd_kit::desk::{
    Desk, DeskChange, OwnerSpec, PublicReply, QueueSpec, StatusSpec, Update, WordingSignature, Write,
};
use handoffd_kit::id::{StreamName, TicketId};
use handoffd_kit::mark::Mark;
use handoffd_kit::model::{FieldValue, InternalText, PartKind, PartSet, Priority, PublicText, Status, TicketHead};
use handoffd_kit::random::Random;
use handoffd_kit::settings::{DeskSettings, Seams, Setting};
use handoffd_kit::transport::{Bounds, Exchange, Transport};
use handoffd_sandbox::zendesk::Limits;
use handoffd_sandbox::{Sandbox, SandboxTransport, seed};
use handoffd_zendesk::{ZendeskDesk, connect};
use http::Request;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// A request as it left.
#[derive(Clone, Debug)]
struct Sent {
    method: String,
    path: String,
    query: Vec<String>,
    body: Value,
}

/// Remembers what goes to the sandbox.
struct Recorder {
    inner: SandboxTransport,
    sent: Mutex<Vec<Sent>>,
}

impl Transport for Recorder {
    fn send(&self, request: Request<Bytes>, bounds: Bounds) -> Exchange<'_> {
        let url: url::Url = request.uri().to_string().parse().unwrap();
        self.sent.lock().unwrap().push(Sent {
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query: url.query_pairs().map(|(name, _)| name.into_owned()).collect(),
            body: serde_json::from_slice(request.body()).unwrap_or(Value::Null),
        });
        self.inner.send(request, bounds)
    }
}

struct Even;

impl Random for Even {
    fn bits(&self) -> u64 {
        u64::MAX / 2
    }
}

fn desk(sandbox: &Sandbox, clock: &ManualClock, scope: &str) -> (ZendeskDesk, Arc<Recorder>) {
    let recorder = Arc::new(Recorder { inner: SandboxTransport::to(sandbox.clone()), sent: Mutex::default() });
    let client = [
        ("client_id".to_owned(), Setting::Text(seed::CLIENT.0.into())),
        ("client_secret".to_owned(), Setting::Secret(seed::CLIENT.1.to_owned().into())),
        ("scope".to_owned(), Setting::Text(scope.to_owned())),
    ];
    let settings = DeskSettings {
        id: "acme".into(),
        url: "https://acme.zendesk.com".parse().unwrap(),
        login: client.into(),
        webhook: Default::default(),
        budget: 1.0,
    };
    let shared: Arc<dyn Clock> = Arc::new(clock.clone());
    let seams = Seams { clock: shared, random: Arc::new(Even), transport: recorder.clone() };
    (connect(settings, seams).unwrap(), recorder)
}

/// Everything that a desk is asked to do, once.
async fn everything(desk: &ZendeskDesk, ticket: &TicketId, clock: &ManualClock) {
    let now = clock.now();
    let all = PartSet::of(&[PartKind::Conversation, PartKind::History, PartKind::Customer, PartKind::Clocks]);
    desk.me().await.unwrap();
    desk.directory().await.unwrap();
    desk.members(&QueueSpec::Name("Billing".into()), now).await.unwrap();
    desk.check(&[]).await.unwrap();
    let stream = StreamName::from("tickets");
    let page = desk.changed_since(&stream, None, now).await.unwrap();
    desk.changed_since(&stream, Some(&page.next), now).await.unwrap();
    let mut head = desk.head(ticket, now).await.unwrap();
    desk.parts(&head, all, now).await.unwrap();
    let owner = |email| Update { owner: Some(OwnerSpec::Email(email)), ..Update::default() };
    let signature = WordingSignature { message: "m".into(), wording: "w".into(), signer: "second reviewer".into() };
    let changes = [
        DeskChange::Update(handoff()),
        DeskChange::Update(owner("billing-1@acme.example".into())),
        DeskChange::Reply(PublicReply { text: PublicText("We are on it.".into()), signature }),
        DeskChange::Tags { add: vec!["ours".into()], remove: vec!["gone".into()] },
    ];
    for (number, change) in (1..).zip(changes) {
        let write = expecting(&head, change, number);
        desk.apply(&write).await.unwrap();
        desk.find(&write).await.unwrap();
        clock.advance(jiff::SignedDuration::from_secs(2));
        head = desk.head(ticket, now).await.unwrap();
    }
}

fn mark(number: u32) -> Mark {
    Mark { handoff: "h3f9".into(), number, rule: "refund".into(), version: "a1b2".into() }
}

fn handoff() -> Update {
    Update {
        note: Some(InternalText(format!("Frontline → Billing\n\n{}", mark(1)))),
        queue: Some(QueueSpec::Name("Billing".into())),
        owner: Some(OwnerSpec::Nobody),
        priority: Some(Priority::Urgent),
        status: Some(StatusSpec { word: "hold".into(), means: Status::OnHold }),
        fields: vec![
            (seed::REFUND_EUR.to_string(), FieldValue::Number(600.0)),
            (seed::STEPS.to_string(), FieldValue::Text("restart".into())),
        ],
        followers: vec!["1002".into()],
    }
}

fn expecting(head: &TicketHead, change: DeskChange, number: u32) -> Write {
    Write {
        ticket: head.id.clone(),
        change,
        mark: mark(number),
        expected: Some(head.version.clone()),
        decided_on: None,
        first_tried: None,
        deadline: head.updated_at.known().copied().unwrap(),
    }
}

/// Paging and sorting, which the description has in words only; the page size of the export, which the sheet names.
const IN_WORDS: [&str; 4] = ["page[size]", "page[after]", "sort", "per_page"];
/// Paths that the description lacks: the undocumented clocks, the token that is in use, and the members of one group.
const ONLY_IN_THE_SHEET: [&str; 3] = ["/slas/policy_metrics.json", "/oauth/tokens/current.json", "/memberships"];
/// Keys of an update that the sheet and the prose of the description know, and its schema does not.
const KEYS_OF_THE_SHEET: [&str; 1] = ["metadata"];

/// What is wrong with a request.
fn wrong(description: &Description, sent: &Sent) -> Vec<String> {
    let Sent { method, path, query, body } = sent;
    if ONLY_IN_THE_SHEET.iter().any(|known| path.ends_with(known)) {
        return Vec::new();
    }
    let Some(known) = description.parameters(method, path) else { return vec!["no such path or method".into()] };
    let strange = query.iter().filter(|name| !known.contains(name) && !IN_WORDS.contains(&name.as_str()));
    let mut wrong: Vec<String> = strange.map(|name| format!("unknown parameter {name}")).collect();
    let ticket_update = method == "PUT" && !path.ends_with("/tags");
    if ticket_update {
        wrong.extend(wrong_update(description, path, body));
    }
    let bodied = ticket_update || path.ends_with("/tags") || path == "/oauth/tokens";
    if !bodied && !body.is_null() {
        wrong.push("a body where none belongs".into());
    }
    wrong
}

fn wrong_update(description: &Description, path: &str, body: &Value) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut only = |object: &Value, known: Vec<String>| {
        let keys = object.as_object().into_iter().flat_map(serde_json::Map::keys);
        let strange = keys.filter(|key| !known.contains(key) && !KEYS_OF_THE_SHEET.contains(&key.as_str()));
        wrong.extend(strange.map(|key| format!("unknown key {key}")));
    };
    only(body, vec!["ticket".into()]);
    only(&body["ticket"], description.properties("TicketUpdateInput"));
    only(&body["ticket"]["comment"], description.properties("TicketCommentObject"));
    // The description gives the values of custom fields the schema of their definitions: the sheet's form is held instead.
    let mut described = body.clone();
    let fields = described["ticket"].as_object_mut().and_then(|ticket| ticket.remove("custom_fields"));
    for field in fields.as_ref().and_then(Value::as_array).into_iter().flatten() {
        if !(field["id"].is_u64() && (field["value"].is_string() || field["value"].is_boolean())) {
            wrong.push(format!("a custom field as {field}"));
        }
    }
    wrong.extend(description.request("PUT", path, &described));
    wrong
}

#[test]
fn every_request_is_as_the_vendor_describes_it() {
    let Some(description) = Description::of("zendesk.yaml") else { return };
    let clock = ManualClock::new("2026-05-03T10:00:00Z".parse().unwrap());
    let sandbox = seed::zendesk(Arc::new(clock.clone()), 7, Limits::WIDE);
    let set = Default::default();
    let no = seed::customer_writes(&sandbox, "customer@standard.example", "Export fails", "It stops.", set);
    let mut lines = BTreeSet::new();
    let narrow = "tickets:read tickets:write users:read organizations:read";
    for (admin, scope) in [(true, "read tickets:write"), (false, "read write"), (true, narrow)] {
        sandbox.with(|desk| {
            let bot = desk.people.values_mut().find(|person| person.login == seed::BOT).unwrap();
            bot.rights.admin = admin;
        });
        let (desk, recorder) = desk(&sandbox, &clock, scope);
        let ticket = TicketId::new(no.to_string());
        futures::executor::block_on(everything(&desk, &ticket, &clock));
        for sent in recorder.sent.lock().unwrap().iter() {
            let wrong = wrong(&description, sent);
            assert!(wrong.is_empty(), "{sent:?}: {wrong:#?}");
            lines.insert(format!("{} {}", sent.method, sent.path.replace(&no.to_string(), "ID")));
        }
    }
    assert!(lines.len() >= 19, "{lines:#?}");
}

#[test]
fn the_check_itself_finds_what_is_wrong() {
    let Some(description) = Description::of("zendesk.yaml") else { return };
    let sent = |method: &str, path: &str, query: &[&str], body: Value| Sent {
        method: method.into(),
        path: path.into(),
        query: query.iter().map(|name| (*name).to_owned()).collect(),
        body,
    };
    let ticket = "/api/v2/tickets/7";
    for odd in [
        sent("GET", "/api/v2/tickts/7", &[], Value::Null),
        sent("PATCH", ticket, &[], Value::Null),
        sent("GET", ticket, &["fields"], Value::Null),
        sent("GET", ticket, &[], json!({})),
        sent("PUT", ticket, &[], json!({ "ticket": { "groupid": 7 } })),
        sent("PUT", ticket, &[], json!({ "ticket": { "group_id": "7" } })),
        sent("PUT", ticket, &[], json!({ "ticket": { "comment": { "is_public": false } } })),
        sent("PUT", ticket, &[], json!({ "ticket": { "custom_fields": [{ "id": "7", "value": "x" }] } })),
        sent("PUT", ticket, &[], json!({ "ticket": { "priority": "sky-high" } })),
    ] {
        assert!(!wrong(&description, &odd).is_empty(), "{odd:?}");
    }
}
