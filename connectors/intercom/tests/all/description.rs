//! Every request that the connector makes, and every answer that the sandbox gives to it, against the vendor's own description:
//! path and method exist, queries are known, bodies have known keys of the right types. The description is read where it lies and
//! never copied; without it, the test says so and is left out.

use crate::published::Description;
use crate::stage::{id, mark, noted, reply, seams, settings};
use bytes::Bytes;
use futures::executor::block_on;
use handoffd_intercom::{IntercomDesk, connect};
use handoffd_kit::clock::{Clock, ManualClock};
use handoffd_kit::conformance::Wire;
use handoffd_kit::desk::{Desk, DeskChange, OwnerSpec, QueueSpec, StatusSpec, Update, Write};
use handoffd_kit::id::TicketId;
use handoffd_kit::mark::Mark;
use handoffd_kit::model::{FieldValue, PartKind, PartSet, Status};
use handoffd_kit::transport::{Bounds, Exchange, Transport};
use handoffd_sandbox::stage::WEBHOOK_SECRET;
use handoffd_sandbox::{Sandbox, SandboxTransport, intercom, seed};
use http::Request;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

/// A request as it left, and what came back.
#[derive(Clone, Debug)]
struct Exchanged {
    method: String,
    path: String,
    query: Vec<String>,
    body: Value,
    version: Option<String>,
    status: u16,
    answer: Value,
}

/// Remembers what goes to the sandbox and what comes from it.
struct Recorder {
    inner: SandboxTransport,
    seen: Mutex<Vec<Exchanged>>,
}

impl Transport for Recorder {
    fn send(&self, request: Request<Bytes>, bounds: Bounds) -> Exchange<'_> {
        let url: url::Url = request.uri().to_string().parse().unwrap();
        let read = |body: &Bytes| serde_json::from_slice(body).unwrap_or(Value::Null);
        let version = request.headers().get("intercom-version").and_then(|value| value.to_str().ok());
        let asked = Exchanged {
            method: request.method().to_string(),
            path: request.uri().path().to_owned(),
            query: url.query_pairs().map(|(name, _)| name.into_owned()).collect(),
            body: read(request.body()),
            version: version.map(str::to_owned),
            status: 0,
            answer: Value::Null,
        };
        Box::pin(async move {
            let response = self.inner.send(request, bounds).await?;
            let answer = read(response.body());
            self.seen.lock().unwrap().push(Exchanged { status: response.status().as_u16(), answer, ..asked });
            Ok(response)
        })
    }
}

fn desk(sandbox: &Sandbox, clock: &ManualClock) -> (IntercomDesk, Arc<Recorder>) {
    let recorder = Arc::new(Recorder { inner: SandboxTransport::to(sandbox.clone()), seen: Mutex::default() });
    let wire = Wire::new(recorder.clone(), Wire::by_method);
    let settings = settings("https://api.eu.intercom.io", ("token", seed::INTERCOM_TOKEN), ("secret", WEBHOOK_SECRET));
    (connect(settings, seams(wire, clock)).unwrap_or_else(|problems| panic!("{problems:?}")), recorder)
}

/// Everything that a desk is asked to do, once.
async fn everything(desk: &IntercomDesk, ticket: &TicketId, clock: &ManualClock) {
    let now = clock.now();
    let all = PartSet::of(&[PartKind::Conversation, PartKind::History, PartKind::Customer, PartKind::Contacts]);
    desk.me().await.unwrap();
    desk.directory().await.unwrap();
    desk.members(&QueueSpec::Name("Billing".into()), now).await.unwrap();
    desk.check(&[]).await.unwrap();
    let page = desk.changed_since(&"conversations".into(), None, now).await.unwrap();
    desk.changed_since(&"conversations".into(), Some(&page.next), now).await.unwrap();
    let status =
        |word: &str, means| Update { status: Some(StatusSpec { word: word.into(), means }), ..Update::default() };
    let changes = [
        DeskChange::Update(Update { note: noted("Context"), ..Update::default() }),
        DeskChange::Update(Update { queue: Some(QueueSpec::Name("Billing".into())), ..Update::default() }),
        DeskChange::Update(Update {
            owner: Some(OwnerSpec::Email("billing-1@acme.example".into())),
            ..Update::default()
        }),
        DeskChange::Update(Update { owner: Some(OwnerSpec::Nobody), ..Update::default() }),
        DeskChange::Update(Update {
            fields: vec![
                ("refund_eur".into(), FieldValue::Number(600.0)),
                ("Steps tried".into(), FieldValue::Text("restart".into())),
            ],
            ..Update::default()
        }),
        DeskChange::Update(status("snoozed", Status::Pending)),
        DeskChange::Update(status("open", Status::Open)),
        reply("We are on it."),
        DeskChange::Tags { add: vec!["ours".into()], remove: vec!["gone".into()] },
    ];
    for (number, change) in (1..).zip(changes) {
        clock.advance(jiff::SignedDuration::from_secs(2));
        let head = desk.head(ticket, now).await.unwrap();
        desk.parts(&head, all, now).await.unwrap();
        let mark = Mark { number, ..mark() };
        let write = Write {
            ticket: head.id.clone(),
            change,
            mark,
            expected: Some(head.version.clone()),
            decided_on: None,
            first_tried: None,
            deadline: clock.now(),
        };
        desk.apply(&write).await.unwrap();
        desk.find(&write).await.unwrap();
    }
    desk.head(&"99999999".into(), now).await.unwrap_err();
}

/// The schemas whose keys a body may have; none: it has no body.
fn known_keys(description: &Description, seen: &Exchanged) -> Option<Vec<String>> {
    let of = |schemas: &[&str]| -> Vec<String> {
        let keys = schemas.iter().flat_map(|schema| description.properties(schema)).collect::<Vec<_>>();
        assert!(!keys.is_empty(), "{schemas:?} are not described");
        keys
    };
    let last = seen.path.rsplit('/').find(|part| part.parse::<u64>().is_err()).unwrap_or_default();
    match (seen.method.as_str(), last) {
        ("POST", "reply") => Some(of(&["admin_reply_conversation_request"])),
        ("POST", "parts") => {
            let kind = match seen.body["message_type"].as_str() {
                Some("assignment") => "assign_conversation_request",
                Some("snoozed") => "snooze_conversation_request",
                Some("close") => "close_conversation_request",
                _ => "open_conversation_request",
            };
            Some(of(&[kind]))
        }
        ("PUT", "conversations") => Some(of(&["update_conversation_request"])),
        ("POST", "search") => Some(of(&["search_request"])),
        ("POST", "tags") if seen.path == "/tags" => Some(of(&["create_or_update_tag_request"])),
        // Described at the place.
        ("POST" | "DELETE", "tags") => Some(vec!["id".into(), "admin_id".into()]),
        _ => None,
    }
}

/// What is wrong with a request.
fn wrong(description: &Description, seen: &Exchanged) -> Vec<String> {
    let Exchanged { method, path, query, body, .. } = seen;
    let Some(known) = description.parameters(method, path) else { return vec!["no such path or method".into()] };
    let strange = query.iter().filter(|name| !known.contains(name));
    let mut wrong: Vec<String> = strange.map(|name| format!("unknown parameter {name}")).collect();
    match known_keys(description, seen) {
        None if body.is_null() => {}
        None => wrong.push("a body where none belongs".into()),
        Some(known) => {
            let keys = body.as_object().into_iter().flat_map(Map::keys).filter(|key| !known.contains(key));
            wrong.extend(keys.map(|key| format!("unknown key {key}")));
            wrong.extend(description.request(method, path, body));
        }
    }
    if seen.version.as_deref() != Some("2.16") {
        wrong.push("it names no version".into());
    }
    wrong
}

/// What `check` sends to be refused: of a type that is none, so that a permission shows and nothing is said.
fn is_trial(seen: &Exchanged) -> bool {
    seen.body["message_type"].as_str().is_some_and(|kind| kind.starts_with("none:"))
}

/// Statuses that the vendor answers with on every path, described or not.
fn is_general(status: u16) -> bool {
    matches!(status, 403 | 404)
}

#[test]
fn every_request_and_every_answer_is_as_the_vendor_describes_it() {
    let Some(description) = Description::of("intercom.yaml") else { return };
    let clock = ManualClock::new("2026-05-03T10:00:00Z".parse().unwrap());
    let sandbox = seed::intercom(Arc::new(clock.clone()), 7, intercom::PRIVATE_APP);
    let set = Default::default();
    let no = seed::customer_writes(&sandbox, "customer@standard.example", "Export fails", "It stops.", set);
    sandbox.person("frontline-1").tags(no, "gone");
    sandbox.person("frontline-1").notes(no, "looked at it");
    sandbox.automation("Router").moves(no, "Support");
    let (desk, recorder) = desk(&sandbox, &clock);
    block_on(everything(&desk, &id(no), &clock));
    let mut lines = BTreeSet::new();
    let seen = recorder.seen.lock().unwrap();
    let (trials, seen): (Vec<_>, Vec<_>) = seen.iter().partition(|seen| is_trial(seen));
    for trial in trials {
        assert!(!wrong(&description, trial).is_empty() && trial.status == 400, "{} is wrong on purpose", trial.path);
    }
    for seen in seen {
        let problems = wrong(&description, seen);
        assert!(problems.is_empty(), "{} {} {}: {problems:#?}", seen.method, seen.path, seen.body);
        let problems = description.answer(&seen.method, &seen.path, seen.status, &seen.answer);
        let described = !problems.iter().any(|problem| problem.ends_with("is not described"));
        let fits = if described { problems.is_empty() } else { is_general(seen.status) };
        assert!(fits, "{} {} answered {}: {problems:#?}\n{:#}", seen.method, seen.path, seen.status, seen.answer);
        lines.insert(format!("{} {}", seen.method, seen.path.replace(&format!("/{no}"), "/ID")));
    }
    assert!(lines.len() >= 14, "{lines:#?}");
}

/// Needs no description: what is sent for a handoff, word for word.
#[test]
fn a_handoff_is_sent_one_thing_after_the_other() {
    let clock = ManualClock::new("2026-05-03T10:00:00Z".parse().unwrap());
    let sandbox = seed::intercom(Arc::new(clock.clone()), 7, intercom::PRIVATE_APP);
    let no =
        seed::customer_writes(&sandbox, "customer@standard.example", "Export fails", "It stops.", Default::default());
    let (desk, recorder) = desk(&sandbox, &clock);
    let fields = vec![
        ("refund_eur".into(), FieldValue::Number(600.0)),
        ("Steps tried".into(), FieldValue::Text("restart".into())),
    ];
    let handoff = [
        Update { note: noted("Frontline → Billing"), ..Update::default() },
        Update { queue: Some(QueueSpec::Name("Billing".into())), ..Update::default() },
        Update { owner: Some(OwnerSpec::Email("billing-1@acme.example".into())), ..Update::default() },
        Update { status: Some(StatusSpec { word: "snoozed".into(), means: Status::Pending }), ..Update::default() },
        Update { fields, ..Update::default() },
    ];
    for change in handoff.map(DeskChange::Update).into_iter().chain([reply("We are on it.")]) {
        let mut write = Write {
            ticket: id(no),
            change,
            mark: mark(),
            expected: None,
            decided_on: None,
            first_tried: None,
            deadline: Timestamp::MAX,
        };
        clock.advance(jiff::SignedDuration::from_secs(2));
        write.decide_on(&block_on(desk.head(&id(no), Timestamp::MAX)).unwrap());
        block_on(desk.apply(&write)).unwrap();
    }
    let seen = recorder.seen.lock().unwrap();
    let writes = seen.iter().filter(|one| one.method != "GET" && !one.path.ends_with("/search"));
    insta::assert_json_snapshot!(writes.map(|one| (&one.method, &one.path, &one.body)).collect::<Vec<_>>());
}

#[test]
fn the_check_itself_finds_what_is_wrong() {
    let Some(description) = Description::of("intercom.yaml") else { return };
    let seen = |method: &str, path: &str, query: &[&str], body: Value| Exchanged {
        method: method.into(),
        path: path.into(),
        query: query.iter().map(|name| (*name).to_owned()).collect(),
        body,
        version: Some("2.16".into()),
        status: 200,
        answer: Value::Null,
    };
    let note = |more: Value| {
        let mut body = json!({ "message_type": "note", "type": "admin", "admin_id": "5", "body": "x" });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        seen("POST", "/conversations/7/reply", &[], body)
    };
    assert_eq!(wrong(&description, &note(json!({}))), [""; 0]);
    let assign =
        |kind: &str| json!({ "message_type": "assignment", "type": kind, "admin_id": "5", "assignee_id": "7" });
    for odd in [
        seen("GET", "/conversation/7", &[], Value::Null),
        seen("PATCH", "/conversations/7", &[], Value::Null),
        seen("GET", "/conversations/7", &["fields"], Value::Null),
        seen("GET", "/conversations/7", &[], json!({})),
        note(json!({ "private": true })),
        note(json!({ "message_type": "whisper" })),
        note(json!({ "admin_id": 5 })),
        seen("POST", "/conversations/7/parts", &[], assign("group")),
        seen("PUT", "/conversations/7", &[], json!({ "priority": "high" })),
        seen("POST", "/conversations/search", &[], json!({ "query": {}, "sort": {} })),
        Exchanged { version: None, ..note(json!({})) },
    ] {
        assert!(!wrong(&description, &odd).is_empty(), "{odd:?}");
    }
    let answer = |body: Value| description.answer("GET", "/conversations/7", 200, &body);
    assert!(answer(json!({ "type": "conversation", "id": "7", "company": null, "state": "open" })).is_empty());
    assert!(!answer(json!({ "id": 7 })).is_empty() && !answer(json!({ "state": "asleep" })).is_empty());
}
