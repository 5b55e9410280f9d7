//! Reading one ticket: itself, its audits, its comments, its clocks; and the list by newest change.

use super::Tenant;
use super::refusal::Refusal;
use super::route::Question;
use super::ticket::{Ticket, stamp};
use serde_json::{Value, json};

impl Tenant {
    pub fn ticket(&self, id: i64) -> Result<&Ticket, Refusal> {
        self.tickets.get(&id).ok_or_else(Refusal::not_found)
    }

    pub fn show_ticket(&self, id: i64) -> Result<Value, Refusal> {
        Ok(json!({ "ticket": self.ticket(id)?.show() }))
    }

    pub fn show_audits(&self, id: i64, question: &Question) -> Result<Value, Refusal> {
        let ticket = self.ticket(id)?;
        page("audits", ticket.audits.iter().map(|audit| audit.show(id)).collect(), question)
    }

    pub fn show_comments(&self, id: i64, question: &Question) -> Result<Value, Refusal> {
        let ticket = self.ticket(id)?;
        let said = |event: &&Value| event["type"] == "Comment";
        let comments = ticket.audits.iter().flat_map(|audit| {
            let at = stamp(audit.at);
            audit.events.iter().filter(said).map(move |event| {
                let mut comment = event.clone();
                comment["created_at"] = json!(at);
                comment
            })
        });
        page("comments", comments.collect(), question)
    }

    /// No ticket of this account has a clock.
    pub fn show_clocks(&self, id: i64) -> Result<Value, Refusal> {
        self.ticket(id)?;
        Err(Refusal::not_found())
    }

    pub fn list_tickets(&self, question: &Question) -> Result<Value, Refusal> {
        let mut tickets: Vec<&Ticket> = self.tickets.values().collect();
        match question.text("sort") {
            Some("-updated_at") => tickets.sort_by_key(|ticket| (std::cmp::Reverse(ticket.updated_at), ticket.id)),
            Some("updated_at") => tickets.sort_by_key(|ticket| (ticket.updated_at, ticket.id)),
            None => {}
            Some(_) => return Err(Refusal::bad("tickets cannot be sorted by that")),
        }
        page("tickets", tickets.into_iter().map(Ticket::show).collect(), question)
    }
}

/// One page of at most a hundred; the cursor is a place in the list.
fn page(key: &str, items: Vec<Value>, question: &Question) -> Result<Value, Refusal> {
    let size = question.number("page[size]", 100, 100)? as usize;
    let from = match question.text("page[after]") {
        None => 0,
        Some(cursor) => cursor
            .strip_prefix("place-")
            .and_then(|place| place.parse::<usize>().ok())
            .ok_or_else(|| Refusal::bad("page[after] is no cursor of ours"))?,
    };
    let more = items.len() > from + size;
    let after = more.then(|| format!("place-{}", from + size));
    let items: Vec<Value> = items.into_iter().skip(from).take(size).collect();
    Ok(json!({ key: items, "meta": { "has_more": more, "after_cursor": after } }))
}
