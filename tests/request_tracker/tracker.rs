//! What lies in Request Tracker, read by its administrator: the daemon's word for it counts nothing here.

use crate::raw::Raw;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The account that the daemon works under.
pub const BOT: &str = "handoff-bot";

/// One thing that happened to a ticket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Happened {
    pub id: u64,
    pub kind: String,
    pub field: String,
    pub by: String,
}

/// Everything that happened to each ticket since some moment.
pub type Since = BTreeMap<String, Vec<Happened>>;

/// A ticket as it stands.
#[derive(Debug, PartialEq, Eq)]
pub struct Stands {
    pub queue: String,
    pub owner: String,
    pub status: String,
}

impl Stands {
    pub fn in_queue(queue: &str, owner: &str) -> Self {
        Self { queue: queue.into(), owner: owner.into(), status: "open".into() }
    }
}

/// The administrator's view.
pub struct Tracker {
    pub admin: Raw,
    /// An agent of both lines.
    pub floater: Raw,
}

impl Tracker {
    /// The newest transaction of all tickets.
    pub async fn newest(&self) -> u64 {
        let path = "/transactions?query=ObjectType = 'RT::Ticket'&orderby=id&order=DESC&per_page=1";
        number(&self.admin.get(&path.replace(' ', "%20")).await["items"][0]["id"])
    }

    /// Everything that happened to tickets after that transaction.
    pub async fn since(&self, transaction: u64) -> Since {
        let query = format!("/transactions?query=ObjectType = 'RT::Ticket' AND id > {transaction}");
        let path = format!("{query}&orderby=id&order=ASC&fields=Type,ObjectId,Field,Creator").replace(' ', "%20");
        let mut happened = Since::new();
        for one in self.admin.list(&path.replace('>', "%3E")).await {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let what = Happened {
                id: number(&one["id"]),
                kind: text(&one["Type"]),
                field: text(&one["Field"]),
                by: text(&one["Creator"]["id"]),
            };
            happened.entry(number(&one["ObjectId"]).to_string()).or_default().push(what);
        }
        happened
    }

    /// How a ticket stands.
    pub async fn stands(&self, ticket: &str) -> Stands {
        let shown = self.admin.get(&format!("/ticket/{ticket}?fields[Queue]=Name")).await;
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Stands {
            queue: text(&shown["Queue"]["Name"]),
            owner: text(&shown["Owner"]["id"]),
            status: text(&shown["Status"]),
        }
    }

    /// The text of a note.
    pub async fn text(&self, transaction: u64) -> String {
        let path = format!("/transaction/{transaction}/attachments?fields=ContentType,Content");
        let parts = self.admin.list(&path).await;
        parts.iter().filter_map(|part| part["Content"].as_str()).collect::<Vec<_>>().join("\n")
    }

    /// A customer was charged twice, and the first line has it.
    pub async fn charged_twice(&self) -> String {
        let ticket = json!({
            "Queue": "tier1", "Subject": "Charged twice again", "ContentType": "text/plain", "Status": "open",
            "Content": "My card was charged twice. Please refund one of them.", "Requestor": "pia@studio.test",
            "CustomFields": { "product-area": "billing", "steps-tried": "compared the invoices" },
        });
        number(&self.admin.json("POST", "/ticket", Some(ticket)).await["id"]).to_string()
    }
}

/// What the daemon's account did, as kind or field, in order.
pub fn by_us(happened: &[Happened]) -> Vec<&str> {
    let ours = happened.iter().filter(|one| one.by == BOT);
    // Mail that Request Tracker sends about a change, and the second record of an owner's change, are no acts of ours.
    let acts = ours.filter(|one| !one.kind.ends_with("EmailRecord") && one.kind != "SetWatcher");
    acts.map(|one| if one.kind == "Set" { one.field.as_str() } else { one.kind.as_str() }).collect()
}

/// The only note of the daemon's account.
pub fn only_note(happened: &[Happened]) -> u64 {
    let notes: Vec<u64> =
        happened.iter().filter(|one| one.by == BOT && one.kind == "Comment").map(|one| one.id).collect();
    assert_eq!(notes.len(), 1, "notes in {happened:?}");
    notes[0]
}

/// The tickets to which something happened.
pub fn touched(since: &Since) -> BTreeSet<&str> {
    since.keys().map(String::as_str).collect()
}

/// Request Tracker writes a number as a number here and as a text there.
fn number(value: &Value) -> u64 {
    value.as_u64().or_else(|| value.as_str()?.parse().ok()).unwrap_or_else(|| panic!("no number: {value}"))
}
