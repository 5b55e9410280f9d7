//! A real Request Tracker as the stage of the conformance suite.

use crate::instance::Instance;
use crate::raw::Raw;
use bytes::Bytes;
use handoffd_kit::clock::{Clock, ManualClock, Sleep};
use handoffd_kit::conformance::{
    CannotStage, EndAct, FactName, Names, NewMessage, NewTicket, NoteOnDesk, OnDesk, PersonAct, Rights, Sender,
    StaffAct, Stage, Staged, Wire, staged,
};
use handoffd_kit::desk::QueueSpec;
use handoffd_kit::fact::Fact;
use handoffd_kit::id::{TicketId, UserId};
use handoffd_kit::model::{FieldValue, Priority, Status, Visibility};
use handoffd_kit::transport::{Bounds, Exchange, HttpTransport, Transport};
use http::{HeaderValue, Request};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};

/// The wall clock, moved on by as much as the suite has let pass: RT itself lives on.
#[derive(Clone, Default)]
pub struct AheadClock(Arc<AtomicI64>);

impl AheadClock {
    pub fn advance(&self, span: SignedDuration) {
        self.0.fetch_add(span.as_secs(), Ordering::Relaxed);
    }
}

impl Clock for AheadClock {
    #[expect(clippy::disallowed_methods, reason = "a real helpdesk lives in real time")]
    fn now(&self) -> Timestamp {
        Timestamp::now() + SignedDuration::from_secs(self.0.load(Ordering::Relaxed))
    }

    #[expect(clippy::disallowed_methods, reason = "a real helpdesk lives in real time")]
    fn sleep_until(&self, at: Timestamp) -> Sleep {
        let span = at.duration_since(self.now()).max(SignedDuration::ZERO);
        Box::pin(tokio::time::sleep(span.try_into().unwrap()))
    }
}

/// The socket, on which our account's token can be replaced by one that may only read.
pub struct Swapped {
    socket: HttpTransport,
    reader: HeaderValue,
    taken: AtomicBool,
}

impl Transport for Swapped {
    fn send(&self, mut request: Request<Bytes>, bounds: Bounds) -> Exchange<'_> {
        if self.taken.load(Ordering::Relaxed) {
            request.headers_mut().insert("authorization", self.reader.clone());
        }
        self.socket.send(request, bounds)
    }
}

/// A real RT.
pub struct RealStage {
    wire: Wire,
    socket: Arc<Swapped>,
    clock: AheadClock,
    admin: Raw,
    agent: Raw,
    customer: Raw,
    mails: AtomicU32,
}

impl RealStage {
    pub fn new(instance: &Instance, clock: AheadClock) -> Self {
        let raw = |token| Raw::new(&instance.url, instance.token(token));
        let reader = HeaderValue::try_from(format!("token {}", instance.token("READER"))).unwrap();
        let socket = Arc::new(Swapped { socket: HttpTransport::new(2), reader, taken: AtomicBool::new(false) });
        let wire = Wire::new(socket.clone(), Wire::by_method);
        Self {
            wire,
            socket,
            clock,
            admin: raw("RT5_TOKEN_ADMIN"),
            agent: raw("FLOATER"),
            customer: raw("CUSTOMER"),
            mails: AtomicU32::new(0),
        }
    }

    async fn put(&self, by: &Raw, ticket: &TicketId, body: Value) -> Result<(), CannotStage> {
        let said = by.json("PUT", &format!("/ticket/{ticket}"), Some(body.clone())).await.to_string();
        let done = ["changed", "added", "deleted", "Merge", "Owner"].iter().any(|word| said.contains(word));
        if done { Ok(()) } else { Err(CannotStage(format!("{body}: {said}"))) }
    }

    async fn say(&self, by: &Raw, ticket: &str, path: &str, text: &str) {
        let body = json!({ "Content": text, "ContentType": "text/plain" });
        by.json("POST", &format!("/ticket/{ticket}/{path}"), Some(body)).await;
    }

    /// A mail as the mail server hands it to RT's own gateway: the only way in that keeps the headers of the sender.
    async fn mailed(&self, ticket: &NewTicket) -> Result<TicketId, CannotStage> {
        let queue = ticket.queue.as_ref().map_or("tier1", QueueSpec::shown);
        // The subject finds the ticket again: the gateway does not tell its number.
        let subject = format!("{} {}", ticket.subject, self.mails.fetch_add(1, Ordering::Relaxed));
        let signs =
            if ticket.sender == Sender::Machine { "Auto-Submitted: auto-replied\nReturn-Path: <>\n" } else { "" };
        let message = format!(
            "{signs}Received: from mx.bakery.test by desk.test\nFrom: customer@bakery.test\nTo: support@desk.test\n\
             Subject: {subject}\nContent-Type: text/plain; charset=utf-8\n\n{}\n",
            ticket.text
        );
        self.admin.mail(queue, &message).await;
        let query = format!("/tickets?query=Subject='{subject}'").replace(' ', "%20");
        let found = self.admin.list(&query).await;
        match found.first().and_then(|ticket| ticket["id"].as_str()) {
            Some(id) => Ok(TicketId::from(id)),
            None => Err(CannotStage("RT's mail gateway made no ticket".into())),
        }
    }

    async fn opened(&self, ticket: NewTicket) -> Result<TicketId, CannotStage> {
        if ticket.sender != Sender::Customer {
            return self.mailed(&ticket).await;
        }
        let queue = ticket.queue.as_ref().map_or("tier1", QueueSpec::shown);
        let body = json!({
            "Queue": queue, "Subject": ticket.subject, "Content": ticket.text, "ContentType": "text/plain",
            "Requestor": "customer@bakery.test",
        });
        let made = self.customer.json("POST", "/ticket", Some(body)).await;
        let id = TicketId::from(made["id"].as_str().unwrap_or_default());
        let mut set = Vec::new();
        set.extend(ticket.owner.map(|owner| json!({ "Owner": owner.as_str() })));
        set.extend(ticket.priority.map(|priority| json!({ "Priority": level(priority) })));
        set.extend(ticket.field.map(|(name, value)| json!({ "CustomFields": { name: text(&value) } })));
        set.extend((!ticket.tags.is_empty()).then(|| json!({ "CustomFields": { "labels": ticket.tags } })));
        for body in set {
            self.put(&self.admin, &id, body).await?;
        }
        for message in ticket.then {
            let (by, path, text) = match message {
                NewMessage::Customer(text) => (&self.customer, "correspond", text),
                NewMessage::AgentPublicly(text) => (&self.agent, "correspond", text),
                NewMessage::AgentInternally(text) => (&self.agent, "comment", text),
            };
            self.say(by, id.as_str(), path, &text).await;
        }
        Ok(id)
    }

    async fn acted(&self, ticket: &TicketId, act: PersonAct) -> Result<(), CannotStage> {
        let body = match act {
            PersonAct::Move(queue) => json!({ "Queue": queue.shown() }),
            PersonAct::Take => json!({ "Owner": "floater" }),
            PersonAct::Priority(priority) => json!({ "Priority": level(priority) }),
            PersonAct::Edit(field, value) => json!({ "CustomFields": { field: text(&value) } }),
            PersonAct::Tag(tag) => {
                let shown = self.admin.get(&format!("/ticket/{ticket}")).await;
                let mut labels = field(&shown, "labels");
                labels.push(tag.into());
                json!({ "CustomFields": { "labels": labels } })
            }
            PersonAct::Reply(text) => {
                self.say(&self.agent, ticket.as_str(), "correspond", &text).await;
                return Ok(());
            }
            PersonAct::Note(text) => {
                self.say(&self.agent, ticket.as_str(), "comment", &text).await;
                return Ok(());
            }
        };
        self.put(&self.agent, ticket, body).await
    }

    async fn ended(&self, ticket: &TicketId, how: EndAct) -> Result<(), CannotStage> {
        match how {
            EndAct::Close => Err(CannotStage("RT has no state that takes no more writes".into())),
            EndAct::Merge(into) => {
                let into: u64 = into.as_str().parse().map_err(|_| CannotStage("no number".into()))?;
                self.put(&self.admin, ticket, json!({ "MergeInto": into })).await
            }
            EndAct::Delete => self.put(&self.admin, ticket, json!({ "Status": "deleted" })).await,
        }
    }

    async fn seen(&self, ticket: &TicketId) -> Result<OnDesk, CannotStage> {
        let shown = self.admin.get(&format!("/ticket/{ticket}?fields[Queue]=Name")).await;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let owner = text(&shown["Owner"]["id"]).filter(|login| login != "Nobody").map(UserId::from);
        let number: i64 = shown["Priority"].as_str().and_then(|level| level.parse().ok()).unwrap_or_default();
        let field_value = field(&shown, "escalation-reason").first().and_then(text).map(FieldValue::Text);
        let labels = field(&shown, "labels");
        Ok(OnDesk {
            notes: self.notes(ticket).await,
            queue: Fact::Known(text(&shown["Queue"]["Name"])),
            owner: Fact::Known(owner),
            tags: Fact::Known(labels.iter().filter_map(text).collect()),
            priority: Fact::Known(Some(read_level(number))),
            field: Fact::Known(field_value),
            followers: Fact::Unknown,
        })
    }

    async fn notes(&self, ticket: &TicketId) -> Vec<NoteOnDesk> {
        let history = self.admin.list(&format!("/ticket/{ticket}/history?fields=Type,Creator&orderby=id")).await;
        let mut notes = Vec::new();
        for transaction in history {
            let visibility = match transaction["Type"].as_str() {
                Some("Comment") => Visibility::Internal,
                Some("Correspond") => Visibility::Public,
                _ => continue,
            };
            let id = transaction["id"].as_str().unwrap_or_default();
            let parts = self.admin.list(&format!("/transaction/{id}/attachments?fields=Content")).await;
            let text = parts.iter().filter_map(|part| part["Content"].as_str()).collect::<Vec<_>>().join("\n");
            notes.push(NoteOnDesk { text, visibility, by_us: transaction["Creator"]["id"] == "handoff-bot" });
        }
        notes
    }
}

fn field(ticket: &Value, name: &str) -> Vec<Value> {
    let fields = ticket["CustomFields"].as_array().cloned().unwrap_or_default();
    let found = fields.into_iter().find(|field| field["name"] == name);
    found.and_then(|field| field["values"].as_array().cloned()).unwrap_or_default()
}

fn text(value: &FieldValue) -> String {
    match value {
        FieldValue::Text(text) => text.clone(),
        other => panic!("{other:?} is not used here"),
    }
}

fn level(priority: Priority) -> u32 {
    match priority {
        Priority::Low => 10,
        Priority::Normal => 55,
        Priority::High => 80,
        Priority::Urgent => 100,
    }
}

fn read_level(level: i64) -> Priority {
    match level {
        0..=49 => Priority::Low,
        50..=74 => Priority::Normal,
        75..=99 => Priority::High,
        _ => Priority::Urgent,
    }
}

impl Stage for RealStage {
    fn wire(&self) -> &Wire {
        &self.wire
    }

    fn clock(&self) -> Option<ManualClock> {
        None
    }

    fn advance(&mut self, span: SignedDuration) -> Staged<'_, ()> {
        self.clock.advance(span);
        staged(Ok(()))
    }

    fn names(&self) -> Names {
        let field = |text: &str| FieldValue::Text(text.into());
        Names {
            home: QueueSpec::Name("tier1".into()),
            home_shown: "tier1".into(),
            away: QueueSpec::Name("tier2".into()),
            away_shown: "tier2".into(),
            agent: UserId::from("floater"),
            agent_email: Some("floater@desk.test".into()),
            field: Some(("escalation-reason".into(), field("one"), field("another & <b>"))),
            tags: true,
            no_ticket: TicketId::from("99999999"),
        }
    }

    fn make(&mut self, ticket: NewTicket) -> Staged<'_, TicketId> {
        Box::pin(self.opened(ticket))
    }

    fn look<'a>(&'a mut self, ticket: &'a TicketId) -> Staged<'a, OnDesk> {
        Box::pin(self.seen(ticket))
    }

    fn status<'a>(&'a mut self, ticket: &'a TicketId) -> Staged<'a, Status> {
        Box::pin(async move {
            let shown = self.admin.get(&format!("/ticket/{ticket}")).await;
            match shown["Status"].as_str() {
                Some("new") => Ok(Status::New),
                Some("open") => Ok(Status::Open),
                Some("stalled") => Ok(Status::Pending),
                other => Err(CannotStage(format!("the status is {other:?}"))),
            }
        })
    }

    fn act<'a>(&'a mut self, ticket: &'a TicketId, act: PersonAct) -> Staged<'a, ()> {
        Box::pin(self.acted(ticket, act))
    }

    fn staff<'a>(&'a mut self, queue: &'a QueueSpec, act: StaffAct) -> Staged<'a, ()> {
        Box::pin(async move {
            let admin = &self.admin;
            let shown = admin.get(&format!("/queue/{}", queue.shown())).await;
            let group = shown["AdminCc"][0]["id"].as_str().unwrap_or_default().to_owned();
            let floater = admin.get("/user/floater").await["id"].to_string().trim_matches('"').to_owned();
            match act {
                StaffAct::Leaves => drop(admin.send("DELETE", &format!("/group/{group}/member/{floater}"), None).await),
                StaffAct::IsDisabled => {
                    admin.json("PUT", "/user/floater", Some(json!({ "Disabled": "1" }))).await;
                }
                StaffAct::ComesBack => {
                    admin.json("PUT", "/user/floater", Some(json!({ "Disabled": "0" }))).await;
                    admin.json("PUT", &format!("/group/{group}/members"), Some(json!([floater]))).await;
                }
            }
            Ok(())
        })
    }

    fn end<'a>(&'a mut self, ticket: &'a TicketId, how: EndAct) -> Staged<'a, ()> {
        Box::pin(self.ended(ticket, how))
    }

    fn rights(&mut self, rights: Rights) -> Staged<'_, ()> {
        self.socket.taken.store(rights == Rights::Taken, Ordering::Relaxed);
        staged(Ok(()))
    }

    fn keys(&self) -> Vec<(FactName, &'static str)> {
        vec![
            (FactName::Subject, "Subject"),
            (FactName::Status, "Status"),
            (FactName::Priority, "Priority"),
            (FactName::Tags, "CustomFields"),
            (FactName::Queue, "Queue"),
            (FactName::Owner, "Owner"),
            (FactName::CreatedAt, "Created"),
            (FactName::UpdatedAt, "LastUpdated"),
        ]
    }

    fn crowd(&self) -> usize {
        // Each ticket makes several transactions; pages are crossed in the scenario of the narrow account.
        10
    }
}
