//! A connector to the small helpdesk: sound, but for the one defect it is given.

use super::super::Wire;
use super::Defect;
use super::helpdesk::{person, queue};
use crate::capability::*;
use crate::clock::ManualClock;
use crate::desk::*;
use crate::error::{DeskError, DeskErrorKind, Result, Retry};
use crate::gate::{Call, Class, Gate};
use crate::id::{StreamName, TicketId, Version};
use crate::mark::Mark;
use crate::model::*;
use crate::random::Random;
use crate::settings::Seams;
use crate::text::{cut, cut_keeping};
use crate::webhook::{Delivery, Hint, Refusal, Unverified, WINDOW, from_hex};
use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

pub(super) const SECRET: &str = "mini-secret";
const NOTE_MAX: usize = 2_000;

pub(super) struct MiniDesk {
    gate: Gate,
    capabilities: Capabilities,
    defect: Defect,
}

struct Dice;

impl Random for Dice {
    fn bits(&self) -> u64 {
        4
    }
}

impl MiniDesk {
    pub fn new(wire: Wire, clock: ManualClock, defect: Defect) -> Self {
        let limits =
            vec![DeclaredLimit { endpoint: "account", calls: 200, per: Duration::from_secs(60), per_ticket: false }];
        let seams = Seams { clock: Arc::new(clock), random: Arc::new(Dice), transport: Arc::new(wire) };
        let gate = Gate::new(seams, &limits, 1.0, |_, _| Vec::new());
        let feed =
            Stream { name: "feed".into(), overlap: Duration::ZERO, lag: Duration::from_secs(3), carries_heads: true };
        let capabilities = Capabilities {
            connector: "mini",
            user_id: IdForm::Text,
            queue_id: IdForm::Text,
            together: &[Aspect::Note, Aspect::Queue, Aspect::Owner, Aspect::Priority, Aspect::Status, Aspect::Fields],
            fixed: &[],
            guard: Guard::Conditional { grain: Duration::ZERO },
            readable_history: true,
            sla_clocks: true,
            pausing: &[Pausing {
                word: "hold",
                means: Status::OnHold,
                resumes: "open",
                resumed: Status::Open,
                back: &[],
            }],
            customers_tickets: true,
            machine_mail: true,
            race_free_tags: true,
            roster: Roster::WithLoad,
            followers: true,
            can_find: true,
            settle_time: Duration::from_secs(5),
            webhook: WebhookTrust::Signed,
            note_format: NoteFormat::Text,
            note_max_bytes: NOTE_MAX,
            streams: vec![feed],
            limits,
            rights: &["write"],
            checked: "never: it is a test",
        };
        Self { gate, capabilities, defect }
    }

    async fn call<T: DeserializeOwned>(&self, class: Class, path: String, body: Vec<u8>) -> Result<T> {
        self.call_of(None, class, path, body).await
    }

    async fn call_of<T: DeserializeOwned>(
        &self,
        begins: Option<String>,
        class: Class,
        path: String,
        body: Vec<u8>,
    ) -> Result<T> {
        let method = if class == Class::Read { "GET" } else { "POST" };
        let request = Request::builder().method(method).uri(format!("http://mini.test/{path}"));
        let request = request.body(Bytes::from(body)).unwrap();
        let deadline = Timestamp::MAX;
        let call = Call { operation: "call", endpoint: "any", ticket: None, deadline, class, begins, request };
        let response = self.gate.call(call).await.map_err(|error| match self.defect {
            Defect::TakesLostForNotApplied => DeskError { retry: Retry::After(None), ..error },
            Defect::TakesHeldForLost if error.kind == DeskErrorKind::Held => {
                DeskError { retry: Retry::Unsure, ..error }
            }
            _ => error,
        })?;
        let unsure = if class == Class::Write { Retry::Unsure } else { Retry::After(None) };
        let (kind, retry) = match response.status().as_u16() {
            200 => {
                let read = serde_json::from_slice(response.body());
                return read
                    .map_err(|error| DeskError::new(DeskErrorKind::Protocol, unsure, "call").words(error.to_string()));
            }
            401 => (DeskErrorKind::Unauthorized, Retry::Never),
            403 if self.defect == Defect::CallsForbiddenRefused => (DeskErrorKind::Refused, Retry::Never),
            403 => (DeskErrorKind::Forbidden, Retry::Never),
            404 => (DeskErrorKind::NotFound, Retry::Never),
            409 => (DeskErrorKind::Conflict, Retry::Never),
            410 => (DeskErrorKind::Gone, Retry::Never),
            _ if self.defect == Defect::Calls500Applied => (DeskErrorKind::Unavailable, Retry::After(None)),
            _ => (DeskErrorKind::Unavailable, unsure),
        };
        Err(DeskError::new(kind, retry, "call").next_step("ask the admin"))
    }

    async fn get<T: DeserializeOwned>(&self, path: String) -> Result<T> {
        self.call(Class::Read, path, Vec::new()).await
    }

    async fn post(&self, write: &Write) -> Result<Receipt> {
        let begins = (self.defect != Defect::SendsWhatIsHeld).then(|| write.mark.key());
        let path = format!("write/{}", write.ticket);
        let answer: Value = self.call_of(begins, Class::Write, path, json!(write).to_string().into()).await?;
        match (answer["id"].as_str(), answer["version"].as_str()) {
            (Some(id), Some(version)) => {
                Ok(Receipt { id: id.into(), version: Some(Version::from(version)), head: None })
            }
            _ => Err(DeskError::new(DeskErrorKind::Protocol, Retry::Unsure, "write")),
        }
    }

    async fn tags_of(&self, ticket: &TicketId) -> Result<Vec<String>> {
        Ok(self.get::<TicketHead>(format!("head/{ticket}")).await?.tags.known().cloned().unwrap_or_default())
    }

    async fn write(&self, write: &Write) -> Result<Receipt> {
        let mut write = write.clone();
        if self.defect == Defect::IgnoresVersions {
            write.expected = None;
        }
        match &mut write.change {
            DeskChange::Update(Update { note: Some(InternalText(note)), .. }) => {
                let tail = format!("\n\n{}", write.mark);
                *note = match self.defect {
                    Defect::LosesTheMarkOfLongNotes => cut(note, NOTE_MAX),
                    _ => cut_keeping(note.strip_suffix(&tail).unwrap_or(note), &tail, NOTE_MAX),
                };
            }
            DeskChange::Tags { add, remove } if self.defect == Defect::ReplacesAllTags => {
                // Reads, and later writes the whole set: whatever was added in between is lost.
                let before = self.tags_of(&write.ticket).await?;
                let kept: Vec<String> = before.iter().filter(|tag| !remove.contains(tag)).cloned().collect();
                remove.extend(before);
                remove.push("persons".into());
                add.extend(kept);
            }
            _ => {}
        }
        if let DeskChange::Update(update) = &write.change
            && self.defect == Defect::WritesInTwoCalls
        {
            let first = Update { note: update.note.clone(), ..Update::default() };
            let rest = Update { note: None, ..update.clone() };
            self.post(&Write { change: DeskChange::Update(first), ..write.clone() }).await?;
            return self.post(&Write { change: DeskChange::Update(rest), expected: None, ..write }).await;
        }
        self.post(&write).await
    }

    async fn look_for(&self, write: &Write) -> Result<Sighting> {
        let receipt = |id: &str| Sighting::Found(Receipt { id: id.into(), version: None, head: None });
        if self.defect == Defect::NeverFinds {
            return Ok(Sighting::NotFound);
        }
        let messages: Vec<Message> = self.get(format!("notes/{}", write.ticket)).await?;
        let counts = |message: &&Message| {
            let ours = message.author.role == Role::Us || self.defect == Defect::CountsForeignMarks;
            ours && Mark::in_text(message.said.words()).as_ref() == Some(&write.mark)
        };
        if let Some(message) = messages.iter().find(counts) {
            return Ok(receipt(message.id.as_str()));
        }
        let parts: Parts = self.get(format!("parts/{}", write.ticket)).await?;
        let changes = parts.history.unwrap_or_default();
        let change = changes.iter().find(|change| change.mark.as_ref() == Some(&write.mark));
        Ok(change.map_or(Sighting::NotFound, |change| receipt(change.id.as_str())))
    }

    async fn page(&self, cursor: Option<&Cursor>) -> Result<Page> {
        let (from, second) = match cursor {
            Some(Cursor(text)) => text.split_once('/').map(|(from, at)| (from.to_owned(), at.to_owned())).unwrap(),
            None => ("0".to_owned(), String::new()),
        };
        let page: Value = self.get(format!("feed/{from}")).await?;
        let entries: Vec<(String, TicketId, bool)> = serde_json::from_value(page["entries"].clone()).unwrap();
        let last = entries.last().map_or(second.clone(), |(at, ..)| at.clone());
        let more = !entries.is_empty();
        let by_second = self.defect == Defect::CursorBySecond;
        let changed = entries.into_iter().filter(|(at, ..)| !by_second || *at > second).map(|(_, ticket, by_us)| {
            Changed { ticket, head: None, by_us: by_us || self.defect == Defect::TakesPersonsForUs }
        });
        Ok(Page { changed: changed.collect(), next: Cursor(format!("{}/{last}", page["next"])), more })
    }

    async fn findings(&self, wanted: &[QueueSpec]) -> Result<Vec<Finding>> {
        let severity = if self.get("rights".into()).await? { Severity::Fine } else { Severity::Error };
        let mut findings = vec![Finding { severity, what: "tried to write".into(), next_step: "grant write".into() }];
        if self.defect != Defect::OverlooksUnseenQueues {
            findings.extend(Finding::unseen(wanted, &queues(), "grant see"));
        }
        Ok(findings)
    }
}

fn queues() -> Vec<QueueRef> {
    ["Home", "Away"].map(|name| queue(&QueueSpec::Name(name.into()))).to_vec()
}

impl Desk for MiniDesk {
    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn changed_since<'a>(&'a self, _: &'a StreamName, cursor: Option<&'a Cursor>, _: Timestamp) -> Answer<'a, Page> {
        Box::pin(self.page(cursor))
    }

    fn head<'a>(&'a self, ticket: &'a TicketId, _: Timestamp) -> Answer<'a, TicketHead> {
        Box::pin(async move {
            let mut json: Value = self.get(format!("head/{ticket}")).await?;
            if self.defect == Defect::InventsWhatIsMissing && json.is_object() && json.get("priority").is_none() {
                json["priority"] = json!({ "known": "normal" });
            }
            serde_json::from_value(json)
                .map_err(|_| DeskError::new(DeskErrorKind::Protocol, Retry::After(None), "head"))
        })
    }

    fn parts<'a>(&'a self, head: &'a TicketHead, wanted: PartSet, _: Timestamp) -> Answer<'a, Parts> {
        Box::pin(async move {
            if wanted.is_empty() && self.defect != Defect::ReadsPartsUnasked {
                return Ok(Parts::default());
            }
            self.get(format!("parts/{}", head.id)).await
        })
    }

    fn apply<'a>(&'a self, write: &'a Write) -> Answer<'a, Receipt> {
        Box::pin(self.write(write))
    }

    fn hold_back(&self, writes: &BTreeSet<String>) {
        self.gate.hold_back(writes);
    }

    fn find<'a>(&'a self, write: &'a Write) -> Answer<'a, Sighting> {
        Box::pin(self.look_for(write))
    }

    fn webhook(&self, request: Unverified<'_>) -> std::result::Result<Delivery, Refusal> {
        let body = if self.defect == Defect::TrustsAnyWebhook {
            request
                .path_token(&"any".into())
                .map(|verified| verified.body().to_vec())
                .unwrap_or_else(|_| b"{}".to_vec())
        } else {
            let (stamp, signature) = (request.header("x-stamp")?, request.header("x-signature")?);
            let verified = request.hmac_sha256(&SECRET.into(), stamp.as_bytes(), &from_hex(signature)?)?;
            match self.defect {
                Defect::TrustsOldWebhooks => verified.body().to_vec(),
                _ => verified.within(stamp, WINDOW)?.body().to_vec(),
            }
        };
        let json: Value = serde_json::from_slice(&body).map_err(|_| Refusal::Malformed)?;
        let ticket = json["ticket"].as_str().unwrap_or_default().into();
        Ok(Delivery { id: Some(json["delivery"].to_string()), hints: vec![Hint { ticket, actor: None }] })
    }

    fn me(&self) -> Answer<'_, Person> {
        Box::pin(std::future::ready(Ok(person("bot", Role::Us))))
    }

    fn members<'a>(&'a self, queue: &'a QueueSpec, _: Timestamp) -> Answer<'a, Vec<Member>> {
        Box::pin(async move {
            let mut members: Vec<Member> = match self
                .get(format!("members/{}", queue.shown().replace(' ', "%20")))
                .await
            {
                Err(error) if self.defect == Defect::TakesNoQueueForNobody && error.kind == DeskErrorKind::NotFound => {
                    Vec::new()
                }
                members => members?,
            };
            if self.defect == Defect::TakesEverybodyForActive {
                members.iter_mut().for_each(|member| member.active = true);
            }
            Ok(members)
        })
    }

    fn directory(&self) -> Answer<'_, Directory> {
        Box::pin(std::future::ready(Ok(Directory { queues: queues(), ..Directory::default() })))
    }

    fn check<'a>(&'a self, wanted: &'a [QueueSpec]) -> Answer<'a, Vec<Finding>> {
        Box::pin(self.findings(wanted))
    }
}
