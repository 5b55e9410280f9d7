//! The stream of everything that happened to tickets, read by transaction number.

use crate::api::Ask;
use crate::catalog::Queues;
use crate::cursor::Cursor;
use crate::read::{Account, sees_nothing};
use crate::wire::{List, PAGE, Transaction};
use handoffd_kit::desk::{Changed, Cursor as Opaque, Page};
use handoffd_kit::error::Result;
use handoffd_kit::id::TicketId;
use jiff::{SignedDuration, Timestamp};

/// The stream's name.
pub(crate) const TRANSACTIONS: &str = "transactions";

/// RT reads dates in a query as its user's wall clock, whose zone we do not know (RT sheet, *Searching*): no zone lies
/// further from UTC.
const ANY_ZONE: SignedDuration = SignedDuration::from_hours(14);

/// How many pages are read to find where to begin when the beginning lies in the past.
const FIRST_PAGES: usize = 50;

const OPERATION: &str = "read changes";

impl Account {
    /// One page of what changed since the cursor.
    pub async fn changed_since(&self, stored: Option<&Opaque>, since: Timestamp) -> Result<Page> {
        let now = self.api.now();
        let me = self.me(now).await?;
        // Without a cursor, or with one that another version wrote, the beginning is found again: a repeat, not a gap.
        let mut cursor = match stored.and_then(Cursor::read) {
            Some(cursor) => cursor,
            None => Cursor::behind(self.first(since).await?),
        };
        let page = self.stream(&format!("id > {}", cursor.reads_above()), "ASC", now).await?;
        let more = !page.is_empty();
        let new = cursor.take(page, now);
        Ok(Page { changed: changed(&new, &me), next: cursor.store(), more })
    }

    /// The number of the newest transaction before `since`.
    async fn first(&self, since: Timestamp) -> Result<u64> {
        let now = self.api.now();
        let newest = self.stream("id > 0", "DESC", now).await?;
        let before = |page: &[Transaction]| page.iter().filter(|one| one.created < since).map(|one| one.id).max();
        if let Some(floor) = before(&newest) {
            return Ok(floor);
        }
        // The beginning lies further back than one page: walk up to it from where any zone's clock would begin.
        let wide = since.checked_sub(ANY_ZONE).unwrap_or(Timestamp::UNIX_EPOCH).max(Timestamp::UNIX_EPOCH);
        let after = wide.strftime("%Y-%m-%d %H:%M:%S");
        let mut floor = 0;
        for _ in 0..FIRST_PAGES {
            let page = self.stream(&format!("Created > '{after}' AND id > {floor}"), "ASC", now).await?;
            let young = page.iter().find(|one| one.created >= since).map(|one| one.id);
            match (young, page.last()) {
                (Some(young), _) => return Ok(young.saturating_sub(1)),
                (None, Some(last)) => floor = last.id,
                (None, None) => break,
            }
        }
        Ok(floor)
    }

    /// One page of the ticket transactions that fit.
    async fn stream(&self, condition: &str, order: &str, deadline: Timestamp) -> Result<Vec<Transaction>> {
        let queues = self.catalog.queues(&self.api, deadline).await?;
        if queues.names.is_empty() {
            return Err(sees_nothing(OPERATION));
        }
        let mut ask = Ask::new(OPERATION, "/transactions", deadline);
        ask.query = vec![
            (
                "query",
                format!(
                    "ObjectType = 'RT::Ticket' AND Type != 'EmailRecord' AND Type != 'CommentEmailRecord'{} AND {condition}",
                    sight(&queues)
                ),
            ),
            ("fields", "Type,ObjectId,Creator,Created".into()),
            ("orderby", "id".into()),
            ("order", order.into()),
            ("per_page", PAGE.to_string()),
        ];
        let mut page: List<Transaction> = self.api.read(ask).await?;
        page.items.sort_by_key(|transaction| transaction.id);
        Ok(page.items)
    }
}

/// What our account may not see is taken out of a page after it was cut, so a page of strangers' transactions is empty
/// and looks like the end. An account that does not see every queue asks for its own queues only.
fn sight(queues: &Queues) -> String {
    if queues.all {
        return String::new();
    }
    let quoted = |name: &String| name.replace('\\', r"\\").replace('\'', r"\'");
    let each: Vec<String> = queues.names.values().map(|name| format!("TicketQueue = '{}'", quoted(name))).collect();
    format!(" AND ({})", each.join(" OR "))
}

/// The tickets of these transactions, each once, in the order of their last one.
fn changed(transactions: &[Transaction], me: &str) -> Vec<Changed> {
    let mut changed: Vec<Changed> = Vec::new();
    for transaction in transactions.iter().filter(|one| !one.object.is_empty()) {
        let ticket = TicketId::from(transaction.object.as_str());
        let ours = transaction.creator.login() == me;
        let before = changed.iter().position(|known| known.ticket == ticket).map(|at| changed.remove(at));
        let by_us = ours && before.is_none_or(|before| before.by_us);
        changed.push(Changed { ticket, head: None, by_us });
    }
    changed
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn by(id: u64, ticket: &str, login: &str) -> Transaction {
        let json = json!({
            "id": id, "Type": "Set", "Created": "2026-11-24T05:00:00Z", "ObjectId": ticket,
            "Creator": {"id": login},
        });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn a_ticket_is_named_once_and_is_ours_only_if_all_of_it_is() {
        let page =
            [by(1, "7", "bot"), by(2, "8", "bot"), by(3, "7", "alice"), by(4, "9", "RT_System"), by(5, "8", "bot")];
        let seen: Vec<_> = changed(&page, "bot").into_iter().map(|one| (one.ticket.to_string(), one.by_us)).collect();
        let expected = [("7", false), ("9", false), ("8", true)].map(|(ticket, ours)| (ticket.to_owned(), ours));
        assert_eq!(seen, expected);
    }

    #[test]
    fn an_account_that_sees_some_queues_asks_for_those() {
        let names = [("1", "tier1"), ("2", r"bob's\own")].map(|(id, name)| (id.to_owned(), name.to_owned()));
        let some = Queues { names: names.into_iter().collect(), all: false };
        assert_eq!(sight(&some), r" AND (TicketQueue = 'tier1' OR TicketQueue = 'bob\'s\\own')");
        assert_eq!(sight(&Queues { all: true, ..some }), "");
    }
}
