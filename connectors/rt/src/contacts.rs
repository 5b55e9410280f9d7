//! A customer's tickets, by a search for their mail address (RT sheet, *Searching*).

use crate::api::Ask;
use crate::normalise::status;
use crate::read::Account;
use crate::wire::{List, PAGE};
use handoffd_kit::error::Result;
use handoffd_kit::fact::Fact;
use handoffd_kit::id::TicketId;
use handoffd_kit::model::{Contacts, PastTicket, TicketHead};
use jiff::Timestamp;
use serde_json::Value;

impl Account {
    /// The newest tickets of the customer; none: RT does not say who that is, or by which address.
    pub async fn contacts(&self, head: &TicketHead, deadline: Timestamp) -> Result<Option<Contacts>> {
        let Some(login) = head.requester.known().cloned().flatten() else { return Ok(None) };
        let person = self.catalog.person(&self.api, login.as_str(), deadline).await?;
        let told = person.map(|person| person.email.clone()).filter(|email| !email.is_empty());
        let Some(email) = told.or_else(|| login.as_str().contains('@').then(|| login.to_string())) else {
            return Ok(None);
        };
        let mut ask = Ask::new("read customer's tickets", "/tickets", deadline);
        ask.query = vec![
            ("query", format!("Requestor.EmailAddress = '{}'", quoted(&email))),
            ("fields", "Subject,Status,Created".into()),
            ("orderby", "id".into()),
            ("order", "DESC".into()),
            ("per_page", PAGE.to_string()),
        ];
        let page: List<Value> = self.api.read(ask).await?;
        let complete = page.items.len() < PAGE;
        Ok(Some(Contacts { tickets: page.items.iter().filter_map(short).collect(), complete, as_of: self.api.now() }))
    }
}

/// A text inside single quotes of TicketSQL.
fn quoted(text: &str) -> String {
    text.replace('\\', r"\\").replace('\'', r"\'")
}

fn short(item: &Value) -> Option<PastTicket> {
    let id = match item.get("id")? {
        Value::String(id) => id.clone(),
        Value::Number(id) => id.to_string(),
        _ => return None,
    };
    let text = |key: &str| item.get(key).and_then(Value::as_str);
    let created: Option<Timestamp> = text("Created").and_then(|at| at.parse().ok());
    Some(PastTicket {
        id: TicketId::new(id),
        subject: text("Subject").map(str::to_owned).into(),
        status: text("Status").and_then(status).into(),
        created_at: created.filter(|at| *at > Timestamp::UNIX_EPOCH).map_or(Fact::Unknown, Fact::Known),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_ticket_of_a_list_is_read_as_far_as_it_goes() {
        let item = json!({ "id": "5", "Subject": "Again", "Status": "resolved", "Created": "2026-11-22T01:49:12Z" });
        let read = short(&item).unwrap();
        assert_eq!((read.id.as_str(), read.subject.known().map(String::as_str)), ("5", Some("Again")));
        assert!(!read.status.is_unknown() && !read.created_at.is_unknown());
        let bare = short(&json!({ "id": 6, "Created": "1970-01-01T00:00:00Z", "Status": "asleep" })).unwrap();
        assert!(bare.subject.is_unknown() && bare.status.is_unknown() && bare.created_at.is_unknown());
        assert_eq!(short(&json!({ "Subject": "no id" })), None);
    }

    #[test]
    fn an_address_cannot_leave_its_quotes() {
        assert_eq!(quoted(r"a' OR id > 0 OR '\x"), r"a\' OR id > 0 OR \'\\x");
    }
}
