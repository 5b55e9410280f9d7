//! Reading tickets, their transactions and their texts.
//!
//! Lists of transactions come short, because what our account may not see is taken out after the page was cut, and
//! say nothing about their end (RT sheet, *History, transactions, attachments*). So they are read by number, upwards,
//! until the ticket's newest visible transaction (its entity tag) was seen or a page is empty.

use crate::api::{Api, Ask};
use crate::catalog::Catalog;
use crate::history::{Names, texts_to_read};
use crate::normalise::{Reading, head};
use crate::wire::{Attachment, Content, List, PAGE, Transaction};
use handoffd_kit::error::{DeskError, DeskErrorKind, Result, Retry};
use handoffd_kit::id::{TicketId, Version};
use handoffd_kit::model::TicketHead;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The most pages of one ticket's history that are read.
const MOST_PAGES: usize = 100;

/// How many parts are asked for in one request: their numbers stand in the address.
const PARTS_AT_ONCE: usize = 50;

/// What is asked for of each transaction.
const TRANSACTION: &str = "Type,Field,OldValue,NewValue,Creator,Created,ObjectId";
const CREATOR: &str = "id,Name,RealName";

/// One RT account and what is known about it.
pub(crate) struct Account {
    pub api: Api,
    pub catalog: Catalog,
    /// The address that people open RT under.
    pub base: String,
    /// Our own user: its name, or its number as the token tells it.
    pub user: String,
}

/// Which transactions of a ticket to read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kinds {
    /// All that our account sees.
    All,
    /// All but the records of mail sent out, which say nothing and are many.
    NoMail,
    /// Messages.
    Said,
}

impl Kinds {
    fn condition(self) -> Option<Value> {
        match self {
            Kinds::All => None,
            Kinds::NoMail => {
                Some(json!({ "field": "Type", "operator": "NOT IN", "value": ["EmailRecord", "CommentEmailRecord"] }))
            }
            Kinds::Said => {
                Some(json!({ "field": "Type", "operator": "IN", "value": ["Create", "Correspond", "Comment"] }))
            }
        }
    }
}

/// RT answers an account without rights with empty lists.
pub(crate) fn sees_nothing(operation: &'static str) -> DeskError {
    let error = DeskError::new(DeskErrorKind::Forbidden, Retry::Never, operation);
    error
        .words("our account sees no queue")
        .next_step("grant SeeQueue and ShowTicket to handoffd's user in the queues it works in")
}

/// A version as the number it is: the newest transaction that our account sees.
pub(crate) fn number(version: &Version) -> u64 {
    version.as_str().parse().unwrap_or(0)
}

impl Account {
    /// Our own user name.
    pub async fn me(&self, deadline: Timestamp) -> Result<String> {
        let person = self.catalog.person(&self.api, &self.user, deadline).await?;
        person.map(|person| person.name.clone()).filter(|login| !login.is_empty()).ok_or_else(|| {
            let error = DeskError::new(DeskErrorKind::Refused, Retry::Never, "read our own user");
            error.words(format!("RT does not show the user {}", self.user)).next_step(
                "set `login.user` to the name of the token's user, and give it \"Let this user be granted rights\" in RT",
            )
        })
    }

    /// Reads a ticket now.
    pub async fn head(&self, ticket: &TicketId, deadline: Timestamp) -> Result<TicketHead> {
        const OPERATION: &str = "read head";
        if ticket.as_str().is_empty() || !ticket.as_str().bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(DeskError::new(DeskErrorKind::NotFound, Retry::Never, OPERATION).words("RT's ids are numbers"));
        }
        let me = self.me(deadline).await?;
        let mut ask = Ask::new(OPERATION, format!("/ticket/{ticket}"), deadline);
        ask.query = vec![("fields[Queue]", "Name".into()), ("fields[Owner]", "Name,RealName,EmailAddress".into())];
        let (json, tag) = match self.api.read_tagged(ask).await {
            Err(error) if error.kind == DeskErrorKind::Forbidden => {
                return Err(self.out_of_sight(error, deadline).await);
            }
            answer => answer?,
        };
        let reading = Reading { asked: ticket, tag, base: &self.base, me: Some(&me) };
        head(reading, &json)
            .ok_or_else(|| crate::api::protocol(OPERATION, handoffd_kit::gate::Class::Read, "the answer is no ticket"))
    }

    /// A 403 on one ticket means that it lies where we do not see. When we see no queue at all, a right is missing.
    async fn out_of_sight(&self, error: DeskError, deadline: Timestamp) -> DeskError {
        let queues = match self.catalog.queues(&self.api, deadline).await {
            Ok(queues) => queues,
            Err(error) => return error,
        };
        let status = error.status.unwrap_or(403);
        if queues.names.is_empty() {
            return sees_nothing(error.operation).status(status);
        }
        let step = "if handoffd should see it, grant ShowTicket in the queue where it lies";
        let error = DeskError::new(DeskErrorKind::Hidden, Retry::Never, error.operation).status(status);
        error.words("the ticket is not visible to our account").next_step(step)
    }

    /// The transactions of a ticket with numbers above `after`, oldest first. Of a merged ticket's target, those of the
    /// merged one too.
    pub async fn transactions(
        &self,
        ticket: &TicketId,
        kinds: Kinds,
        after: u64,
        newest: u64,
        deadline: Timestamp,
    ) -> Result<Vec<Transaction>> {
        self.history(ticket, kinds.condition(), after, newest, deadline).await
    }

    /// The transactions of a ticket that were made after an instant (none: all), oldest first.
    pub async fn transactions_since(
        &self,
        ticket: &TicketId,
        kinds: Kinds,
        since: Option<Timestamp>,
        deadline: Timestamp,
    ) -> Result<Vec<Transaction>> {
        // Unlike TicketSQL, a condition in JSON is compared with what is stored, which is UTC.
        let made = since.map(|since| since.strftime("%Y-%m-%d %H:%M:%S").to_string());
        let made = made.map(|since| json!({ "field": "Created", "operator": ">=", "value": since }));
        self.history(ticket, kinds.condition().into_iter().chain(made), 0, u64::MAX, deadline).await
    }

    async fn history(
        &self,
        ticket: &TicketId,
        narrowed: impl IntoIterator<Item = Value>,
        after: u64,
        newest: u64,
        deadline: Timestamp,
    ) -> Result<Vec<Transaction>> {
        let narrowed: Vec<Value> = narrowed.into_iter().collect();
        let mut found: Vec<Transaction> = Vec::new();
        let mut last = after;
        for _ in 0..MOST_PAGES {
            // A condition in JSON narrows the ticket's own list; one in TicketSQL would replace it by everybody's.
            let above = json!({ "field": "id", "operator": ">", "value": last });
            let conditions: Vec<Value> = [above].into_iter().chain(narrowed.iter().cloned()).collect();
            let mut ask = Ask::new("read history", format!("/ticket/{ticket}/history"), deadline);
            ask.query = vec![
                ("query", Value::Array(conditions).to_string()),
                ("fields", TRANSACTION.into()),
                ("fields[Creator]", CREATOR.into()),
                ("orderby", "id".into()),
                ("order", "ASC".into()),
                ("per_page", PAGE.to_string()),
            ];
            let page: List<Transaction> = self.api.read(ask).await?;
            let Some(highest) = page.items.iter().map(|transaction| transaction.id).max() else { break };
            found.extend(page.items);
            if highest <= last {
                break;
            }
            last = highest;
            if last >= newest {
                break;
            }
        }
        found.sort_by_key(|transaction| transaction.id);
        found.dedup_by_key(|transaction| transaction.id);
        Ok(found)
    }

    /// The parts of these transactions: texts, files and envelopes, in the order they were written.
    pub async fn parts_of(&self, transactions: &[u64], deadline: Timestamp) -> Result<Vec<Attachment>> {
        let mut parts: Vec<Attachment> = Vec::new();
        for some in transactions.chunks(PARTS_AT_ONCE) {
            for page in 1..=MOST_PAGES {
                let fields = "TransactionId,ContentType,Filename,ContentLength,Headers";
                let found: List<Attachment> = self.attachments("TransactionId", some, fields, page, deadline).await?;
                let ended = found.items.len() < PAGE;
                parts.extend(found.items);
                if ended {
                    break;
                }
            }
        }
        parts.sort_by_key(|part| part.id);
        parts.dedup_by_key(|part| part.id);
        Ok(parts)
    }

    /// What these parts say, by part.
    pub async fn texts_of(&self, parts: &[Attachment], deadline: Timestamp) -> Result<BTreeMap<u64, String>> {
        let mut texts = BTreeMap::new();
        for some in texts_to_read(parts).chunks(PARTS_AT_ONCE) {
            let found: List<Content> = self.attachments("id", some, "Content", 1, deadline).await?;
            texts.extend(found.items.into_iter().map(|content| (content.id, content.text)));
        }
        Ok(texts)
    }

    /// One page of the attachments with one of these numbers in a column. All of them are of transactions that we see,
    /// so a page that is not full is the last.
    async fn attachments<T: serde::de::DeserializeOwned>(
        &self,
        column: &str,
        numbers: &[u64],
        fields: &str,
        page: usize,
        deadline: Timestamp,
    ) -> Result<List<T>> {
        let mut ask = Ask::new("read messages", "/attachments", deadline);
        let condition = json!([{ "field": column, "operator": "IN", "value": numbers }]);
        ask.query = vec![
            ("query", condition.to_string()),
            ("fields", fields.into()),
            ("orderby", "id".into()),
            ("per_page", PAGE.to_string()),
            ("page", page.to_string()),
        ];
        self.api.read(ask).await
    }

    /// What our own messages among these transactions say, by transaction.
    pub async fn our_texts(
        &self,
        transactions: &[Transaction],
        me: &str,
        deadline: Timestamp,
    ) -> Result<BTreeMap<u64, String>> {
        let ours = |transaction: &&Transaction| {
            transaction.creator.login() == me && crate::history::visibility(&transaction.kind).is_some()
        };
        let numbers: Vec<u64> = transactions.iter().filter(ours).map(|transaction| transaction.id).collect();
        let parts = self.parts_of(&numbers, deadline).await?;
        let texts = self.texts_of(&parts, deadline).await?;
        Ok(by_transaction(&parts, &texts))
    }

    /// What the numbers and names in these transactions mean.
    pub async fn names(&self, head: &TicketHead, transactions: &[Transaction], deadline: Timestamp) -> Result<Names> {
        let has = |kind: &str, field: &str| {
            transactions.iter().any(|one| one.kind == kind && (field.is_empty() || one.field == field))
        };
        let requester = head.requester.known().cloned().flatten().map(|login| login.to_string());
        let (ticket, me) = (head.id.to_string(), self.me(deadline).await?);
        let mut names = Names { ticket, me, requester, ..Names::default() };
        if has("Set", "Queue") {
            names.queues = self.catalog.queues(&self.api, deadline).await?.names.clone();
        }
        if has("CustomField", "") {
            names.fields = self.catalog.fields(&self.api, deadline).await?.as_ref().clone();
        }
        self.people(&mut names, transactions, deadline).await?;
        Ok(names)
    }

    async fn people(&self, names: &mut Names, transactions: &[Transaction], deadline: Timestamp) -> Result<()> {
        for creator in transactions.iter().map(|transaction| &transaction.creator) {
            if let Some(number) = creator.number() {
                names.users.insert(number.to_owned(), creator.login().to_owned());
            }
        }
        let owners =
            transactions.iter().filter(|one| crate::history::sets_owner(one)).flat_map(|one| [&one.old, &one.new]);
        let unknown: BTreeSet<&String> =
            owners.filter(|number| !number.is_empty() && !names.users.contains_key(*number)).collect();
        let mut found = Vec::new();
        for number in unknown {
            if let Some(person) = self.catalog.person(&self.api, number, deadline).await? {
                found.push((number.clone(), person.name.clone()));
            }
        }
        names.users.extend(found.into_iter().filter(|(_, login)| !login.is_empty()));
        let logins: BTreeSet<&str> = transactions.iter().map(|one| one.creator.login()).collect();
        for login in logins {
            let known =
                login == names.me || login == crate::normalise::SYSTEM || names.requester.as_deref() == Some(login);
            if login.is_empty() || known {
                continue;
            }
            let person = self.catalog.person(&self.api, login, deadline).await?;
            let Some(person) = person else { continue };
            let Some(privileged) = person.privileged else { continue };
            names.staff.insert(login.to_owned(), privileged == 1);
            if privileged == 1 {
                names.people.push(crate::normalise::staff(login, &person));
            }
        }
        Ok(())
    }
}

/// Texts by transaction instead of by part.
pub(crate) fn by_transaction(parts: &[Attachment], texts: &BTreeMap<u64, String>) -> BTreeMap<u64, String> {
    let mut grouped: BTreeMap<u64, Vec<&Attachment>> = BTreeMap::new();
    for part in parts {
        if let Ok(transaction) = part.transaction.parse() {
            grouped.entry(transaction).or_default().push(part);
        }
    }
    grouped.into_iter().map(|(transaction, parts)| (transaction, crate::history::text(&parts, texts))).collect()
}
