//! The control API under `/_sandbox/`, on the same listener as the dialect, for rehearsals and scripts: the journal, the
//! tickets, acting for people, faults, webhooks. Described in the crate's README.

use crate::change::{NewMessage, TagChange, Update};
use crate::faults::{Fault, FaultPlan, On, WebhookFaults};
use crate::ids::{FieldNo, TicketNo};
use crate::sandbox::Sandbox;
use crate::seed;
use crate::store::Helpdesk;
use crate::ticket::{Body, Status, Ticket, Visibility};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use jiff::SignedDuration;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Answers a request to the control API; `None`: it is for the dialect.
pub(crate) fn answer(sandbox: &Sandbox, request: &Request<Bytes>) -> Option<Response<Bytes>> {
    let path = request.uri().path().strip_prefix("/_sandbox/")?;
    let parts: Vec<&str> = path.trim_end_matches('/').split('/').collect();
    let done = match (request.method(), &parts[..]) {
        (&Method::GET, ["journal"]) => Ok(json!(sandbox.journal())),
        (&Method::GET, ["tickets"]) => Ok(list(sandbox)),
        (&Method::GET, ["tickets", no]) => show(sandbox, no),
        (&Method::POST, ["tickets"]) => body(request).and_then(|new| open(sandbox, new)),
        (&Method::POST, ["tickets", no]) => body(request).and_then(|act| change(sandbox, no, act)),
        (&Method::POST, ["faults"]) => body(request).map(|faults| plan(sandbox, faults)),
        (&Method::DELETE, ["faults"]) => Ok(plan(sandbox, Faults::default())),
        (&Method::POST, ["hooks"]) => body(request).map(|hook| register(sandbox, &hook)),
        _ => Err("GET journal, GET or POST tickets, tickets/NUMBER, POST or DELETE faults, POST hooks".into()),
    };
    let (status, body) = match done {
        Ok(body) => (StatusCode::OK, body),
        Err(problem) => (StatusCode::BAD_REQUEST, json!({ "error": problem })),
    };
    let mut response = Response::new(Bytes::from(body.to_string()));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Some(response)
}

fn body<T: DeserializeOwned>(request: &Request<Bytes>) -> Result<T, String> {
    serde_json::from_slice(request.body()).map_err(|error| error.to_string())
}

fn list(sandbox: &Sandbox) -> Value {
    sandbox.with(|desk| desk.tickets.values().map(|ticket| line(desk, ticket)).collect())
}

fn line(desk: &Helpdesk, ticket: &Ticket) -> Value {
    json!({
        "ticket": ticket.no,
        "subject": ticket.subject,
        "status": ticket.status.name(),
        "priority": ticket.priority,
        "queue": ticket.queue.and_then(|no| desk.queues.get(&no)).map(|queue| &queue.name),
        "owner": ticket.owner.and_then(|no| desk.person(no)).map(|person| &person.login),
        "tags": ticket.tags,
        "updated_at": ticket.updated_at,
    })
}

fn show(sandbox: &Sandbox, no: &str) -> Result<Value, String> {
    let no: TicketNo = no.parse().map_err(|_| "no number")?;
    sandbox.with(|desk| {
        let ticket = desk.tickets.get(&no).ok_or("no such ticket")?;
        let mut shown = line(desk, ticket);
        shown["fields"] = json!(ticket.fields);
        let messages = ticket.messages.iter().map(|message| {
            json!({
                "at": message.at,
                "author": desk.person(message.author).map(|person| &person.login),
                "visibility": message.visibility,
                "text": message.body.text(),
            })
        });
        shown["messages"] = messages.collect();
        shown["effects"] = json!(desk.journal.of(no).collect::<Vec<_>>());
        Ok(shown)
    })
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct New {
    from: String,
    subject: String,
    text: String,
    queue: Option<String>,
    /// Whether a machine writes in the customer's name.
    #[serde(default)]
    machine: bool,
    #[serde(default)]
    tags: BTreeSet<String>,
    #[serde(default)]
    fields: BTreeMap<FieldNo, String>,
}

fn open(sandbox: &Sandbox, new: New) -> Result<Value, String> {
    let queue =
        new.queue.map(|name| sandbox.with(|desk| desk.find_queue(&name).map(|queue| queue.no)).ok_or("no such queue"));
    let set = Update {
        queue: queue.transpose()?.map(Some),
        tags: Some(TagChange::Set(new.tags)),
        fields: new.fields.into_iter().map(|(no, value)| (no, vec![value])).collect(),
        ..Update::default()
    };
    let writes = if new.machine { seed::machine_writes } else { seed::customer_writes };
    Ok(json!({ "ticket": writes(sandbox, &new.from, &new.subject, &new.text, set) }))
}

/// What somebody does to a ticket, all at once.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Act {
    /// A person's login, name, address or number.
    by: Option<String>,
    /// Or another automation, by its name.
    automation: Option<String>,
    queue: Option<String>,
    owner: Option<String>,
    #[serde(default)]
    free: bool,
    status: Option<Status>,
    priority: Option<String>,
    tag: Option<String>,
    untag: Option<String>,
    #[serde(default)]
    fields: BTreeMap<FieldNo, String>,
    note: Option<String>,
    reply: Option<String>,
    merge_into: Option<TicketNo>,
    #[serde(default)]
    delete: bool,
}

fn change(sandbox: &Sandbox, no: &str, act: Act) -> Result<Value, String> {
    let no: TicketNo = no.parse().map_err(|_| "no number")?;
    sandbox.ticket(no).ok_or("no such ticket")?;
    let somebody = match (&act.by, &act.automation) {
        (Some(who), None) => sandbox.person(who),
        (None, Some(name)) => sandbox.automation(name),
        _ => return Err("say either by or automation".into()),
    };
    somebody.no().ok_or("nobody of that name")?;
    let changed = match act.merge_into {
        Some(into) => somebody.merges(no, into),
        None if act.delete => somebody.deletes(no),
        None => somebody.updates(no, act.update(sandbox)?),
    };
    Ok(json!({ "change": changed }))
}

impl Act {
    fn update(self, sandbox: &Sandbox) -> Result<Update, String> {
        let queue =
            self.queue.map(|name| sandbox.with(|desk| desk.find_queue(&name).map(|one| one.no)).ok_or("no such queue"));
        let owner = self.owner.map(|who| sandbox.person(&who).no().ok_or("no such owner"));
        let one = |tag: String| BTreeSet::from([tag]);
        let said = |visibility, text: Option<String>| text.map(|text| NewMessage::new(visibility, Body::Plain(text)));
        let say = [said(Visibility::Internal, self.note), said(Visibility::Public, self.reply)];
        Ok(Update {
            queue: queue.transpose()?.map(Some),
            owner: if self.free { Some(None) } else { owner.transpose()?.map(Some) },
            status: self.status,
            priority: self.priority.map(Some),
            tags: self.tag.map(|tag| TagChange::Add(one(tag))).or(self.untag.map(|tag| TagChange::Remove(one(tag)))),
            fields: self.fields.into_iter().map(|(no, value)| (no, vec![value])).collect(),
            say: say.into_iter().flatten().collect(),
            ..Update::default()
        })
    }
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Faults {
    next: Vec<Next>,
    rates: Vec<Rate>,
    spans: Vec<Span>,
    webhooks: WebhookFaults,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Next {
    times: usize,
    on: On,
    fault: Fault,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Rate {
    share: f64,
    on: On,
    fault: Fault,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Span {
    last: SignedDuration,
    on: On,
    fault: Fault,
}

fn plan(sandbox: &Sandbox, faults: Faults) -> Value {
    let now = sandbox.clock().now();
    let mut plan = FaultPlan::default().webhooks(faults.webhooks);
    for Next { times, on, fault } in faults.next {
        plan = plan.next(times.min(10_000), on, fault);
    }
    for Rate { share, on, fault } in faults.rates {
        plan = plan.rate(on, fault, share);
    }
    for Span { last, on, fault } in faults.spans {
        plan = plan.span(on, fault, now, now.saturating_add(last).unwrap_or(now));
    }
    sandbox.set_faults(plan);
    json!({})
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct NewHook {
    url: String,
    secret: String,
    #[serde(default)]
    topics: Vec<String>,
    template: Option<String>,
}

fn register(sandbox: &Sandbox, hook: &NewHook) -> Value {
    let topics: Vec<&str> = hook.topics.iter().map(String::as_str).collect();
    json!({ "hook": sandbox.with(|desk| desk.add_hook(&hook.url, &hook.secret, &topics, hook.template.as_deref())) })
}
