//! A ticket with its audits, and both as the API shows them.

use super::people::{BOT, REFUND_EUR};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// One ticket.
#[derive(Clone)]
pub struct Ticket {
    pub id: i64,
    pub subject: String,
    pub description: String,
    pub status: &'static str,
    pub priority: Option<String>,
    pub tags: BTreeSet<String>,
    pub requester: i64,
    pub assignee: Option<i64>,
    pub group: Option<i64>,
    pub refund_eur: Option<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Moves with every change, system changes included.
    pub generated_at: Timestamp,
    pub audits: Vec<Audit>,
}

/// One entry of its history.
#[derive(Clone)]
pub struct Audit {
    pub id: i64,
    pub at: Timestamp,
    pub author: i64,
    /// What was sent as `metadata`.
    pub custom: Value,
    pub events: Vec<Value>,
}

/// An instant as the vendor writes it: whole seconds.
pub fn stamp(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

impl Ticket {
    pub fn show(&self) -> Value {
        json!({
            "id": self.id, "url": format!("https://tenant.example/api/v2/tickets/{}.json", self.id), "external_id": null,
            "subject": self.subject, "raw_subject": self.subject, "description": self.description,
            "status": self.status, "custom_status_id": 4519, "priority": self.priority, "type": "incident",
            "tags": self.tags, "requester_id": self.requester, "submitter_id": self.requester,
            "assignee_id": self.assignee, "group_id": self.group, "organization_id": null, "brand_id": 123,
            "ticket_form_id": 47, "collaborator_ids": [], "follower_ids": [], "email_cc_ids": [], "problem_id": null,
            "has_incidents": false, "followup_ids": [], "sharing_agreement_ids": [],
            "custom_fields": [{ "id": REFUND_EUR, "value": self.refund_eur }], "due_at": null,
            "via": { "channel": "web", "source": { "from": {}, "to": {}, "rel": null } },
            "satisfaction_rating": null, "is_public": true, "from_messaging_channel": false, "allow_attachments": true,
            "allow_channelback": false, "created_at": stamp(self.created_at), "updated_at": stamp(self.updated_at),
            "generated_timestamp": self.generated_at.as_second(),
        })
    }

    /// What the API wrote into it.
    pub fn audits_by_bot(&self) -> impl Iterator<Item = &Audit> {
        self.audits.iter().filter(|audit| audit.author == BOT)
    }
}

impl Audit {
    pub fn show(&self, ticket: i64) -> Value {
        let channel = if self.author == BOT { "api" } else { "web" };
        json!({
            "id": self.id, "ticket_id": ticket, "author_id": self.author, "created_at": stamp(self.at),
            "via": { "channel": channel, "source": { "from": {}, "to": {}, "rel": null } },
            "metadata": { "system": { "client": "test", "ip_address": "127.0.0.1" }, "custom": self.custom },
            "events": self.events,
        })
    }

    /// The HTML of what was said with it, and whether the customer sees it.
    pub fn comment(&self) -> Option<(String, bool)> {
        let comment = self.events.iter().find(|event| event["type"] == "Comment")?;
        Some((comment["html_body"].as_str()?.to_owned(), comment["public"].as_bool()?))
    }
}
