//! Heads and parts, read in as few calls as Jira allows: an issue comes with all of its fields in one, and whoever stands in it
//! comes along.

use crate::api::{Ask, MOST_PAGES, PAGE, is_absent, issue_id, platform, service_desk};
use crate::desk::JiraDesk;
use crate::history::{self, Cast};
use crate::normalise::{self, Names};
use crate::wire::{self, Clock, Clocks, Comment, Comments, Entry, Id, Issue, Page, User};
use handoffd_kit::error::{DeskErrorKind, Result};
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{Contacts, Conversation, Customer, PartKind, PartSet, Parts, TicketHead, VendorClock};
use jiff::Timestamp;
use serde_json::{Value, json};

/// Everything but what has calls of its own.
const FIELDS: &str = "*all,-comment,-worklog";

/// What a customer's other tickets are shown with.
const SHORT: [&str; 4] = ["summary", "status", "created", "reporter"];

impl JiraDesk {
    /// One issue's head, from any answer that holds the issue. None: it holds another, or none.
    pub(crate) async fn head_of(&self, raw: &Value, id: Option<Id>, deadline: Timestamp) -> Result<Option<TicketHead>> {
        let setup = self.people.setup(&self.api, deadline).await?;
        let us = self.people.our_id(&self.api, deadline).await?;
        let names = Names { setup: &setup, us: us.as_deref(), projects: &self.projects, site: self.site.as_ref() };
        let head = normalise::head(raw, &names);
        Ok(head.filter(|head| id.is_none_or(|id| head.id.as_str() == id.to_string())))
    }

    pub(crate) async fn read_head(&self, id: Id, deadline: Timestamp) -> Result<TicketHead> {
        self.read_named(&id.to_string(), Some(id), deadline).await
    }

    /// An issue by its id or its present key. How it came in is a property that need not be there.
    pub(crate) async fn read_named(&self, name: &str, id: Option<Id>, deadline: Timestamp) -> Result<TicketHead> {
        let ask = Ask::get("read ticket", platform(&format!("issue/{name}")), deadline);
        let ask = ask.query("fields", FIELDS).query("properties", "request.channel.type");
        let raw: Value = self.seen(self.api.json(&ask).await, deadline).await?;
        let head = self.head_of(&raw, id, deadline).await?;
        head.ok_or_else(|| ask.malformed("the answer is not the ticket asked for"))
    }

    /// What was read of an issue: that there is none counts only while we are logged in.
    async fn seen<T>(&self, read: Result<T>, deadline: Timestamp) -> Result<T> {
        self.people.told_by_whom_we_are(read, &self.api, deadline).await
    }

    pub(crate) async fn read_parts(&self, head: &TicketHead, wanted: PartSet, deadline: Timestamp) -> Result<Parts> {
        let id = issue_id(&head.id, "read parts")?;
        let mut parts = Parts::default();
        if wanted.is_empty() {
            return Ok(parts);
        }
        if wanted.has(PartKind::Conversation) || wanted.has(PartKind::History) {
            parts.merge(self.past(id, head, wanted.has(PartKind::History), deadline).await?);
        }
        if wanted.has(PartKind::Customer) {
            parts.customer = self.customer(head, deadline).await?;
        }
        if wanted.has(PartKind::Clocks) {
            parts.clocks = Some(self.clocks(id, deadline).await?);
        }
        if wanted.has(PartKind::Contacts) {
            parts.contacts = self.contacts(head, deadline).await?;
        }
        Ok(parts)
    }

    /// The issue that a head was made of; read again where the head was kept without it.
    async fn issue_of(&self, head: &TicketHead, deadline: Timestamp) -> Result<Issue> {
        let kept = serde_json::from_str::<Issue>(&head.raw).ok().filter(|issue| issue.id.get().is_some());
        match kept {
            Some(issue) => Ok(issue),
            None => {
                let again = self.read_head(issue_id(&head.id, "read ticket")?, deadline).await?;
                Ok(serde_json::from_str(&again.raw).unwrap_or_default())
            }
        }
    }

    /// What was said, and with the history what was changed: the comments are needed for both.
    async fn past(&self, id: Id, head: &TicketHead, changes: bool, deadline: Timestamp) -> Result<Parts> {
        let issue = self.issue_of(head, deadline).await?;
        let (comments, complete) = self.comments(id, deadline).await?;
        let entries = match changes {
            true => self.changelog(id, deadline).await?,
            false => Vec::new(),
        };
        let setup = self.people.setup(&self.api, deadline).await?;
        let us = self.people.our_id(&self.api, deadline).await?;
        let statuses = if changes { self.people.statuses(&self.api, deadline).await? } else { Default::default() };
        let cast = Cast::new(&issue, us, setup, statuses);
        let odd = |words| Ask::get("read conversation and history", "", deadline).malformed(words);
        let messages = history::conversation(&issue, &comments, &cast);
        let messages = messages.ok_or_else(|| odd("the issue or a comment has no id or no time"))?;
        let history = match changes {
            true => {
                let changes = history::changes(&issue, &entries, &comments, &cast);
                Some(changes.ok_or_else(|| odd("an entry of the changelog has no id or no time"))?)
            }
            false => None,
        };
        let people = history::staff(&comments, &entries, &cast);
        let conversation = Some(Conversation { messages, complete });
        Ok(Parts { conversation, history, people, ..Parts::default() })
    }

    /// The comments, oldest first, and whether these are all. The platform's list, not the service desk's: that one is empty for
    /// whoever may not see it (sheet, *Comments*), and a note of ours would not be found.
    pub(crate) async fn comments(&self, id: Id, deadline: Timestamp) -> Result<(Vec<Comment>, bool)> {
        let mut all = Vec::new();
        for _ in 0..MOST_PAGES {
            let ask = Ask::get("read conversation", platform(&format!("issue/{id}/comment")), deadline);
            let ask = ask.query("orderBy", "created").query("startAt", all.len()).query("maxResults", PAGE);
            let page: Comments = self.seen(self.api.json(&ask).await, deadline).await?;
            let comments = page.comments.some().ok_or_else(|| ask.malformed("the answer lists no comments"))?;
            let total = page
                .total
                .some()
                .ok_or_else(|| ask.malformed("the answer does not say how many comments there are"))?;
            let ends = comments.is_empty();
            all.extend(comments);
            if ends || all.len() as u64 >= total {
                return Ok((all, true));
            }
        }
        Ok((all, false))
    }

    /// Who changed what, oldest first. A very long history is no history: what is left out could be what matters.
    pub(crate) async fn changelog(&self, id: Id, deadline: Timestamp) -> Result<Vec<Entry>> {
        let mut all = Vec::new();
        for _ in 0..MOST_PAGES {
            let ask = Ask::get("read history", platform(&format!("issue/{id}/changelog")), deadline);
            let ask = ask.query("startAt", all.len()).query("maxResults", PAGE);
            let page: Page<Entry> = self.seen(self.api.json(&ask).await, deadline).await?;
            let entries = page.values.some().ok_or_else(|| ask.malformed("the answer holds no history"))?;
            let ends = entries.is_empty() || page.is_last.get() == Some(&true);
            all.extend(entries);
            if ends || page.total.get().is_some_and(|total| all.len() as u64 >= *total) {
                return Ok(all);
            }
        }
        Err(Ask::get("read history", "", deadline).malformed("the history is longer than anybody reads"))
    }

    /// Who asks; none: the ticket does not say. What the issue itself tells is enough where the person may not be read.
    async fn customer(&self, head: &TicketHead, deadline: Timestamp) -> Result<Option<Customer>> {
        let issue = self.issue_of(head, deadline).await?;
        let Some(reporter) = issue.field::<User>("reporter").some() else { return Ok(None) };
        let read = match reporter.account_id.get() {
            Some(id) => self.people.user(&self.api, id, deadline).await?,
            None => None,
        };
        let us = self.people.our_id(&self.api, deadline).await?;
        let setup = self.people.setup(&self.api, deadline).await?;
        let organization = normalise::organization(&issue, &setup);
        let told = User { email_address: reporter.email_address.clone(), ..read.clone().unwrap_or_default() };
        let user = match read {
            Some(user) if user.email_address.get().is_none() => told,
            Some(user) => user,
            None => reporter,
        };
        Ok(normalise::customer(&user, us.as_deref(), organization))
    }

    /// The clocks of a request. An issue that is no request has none.
    async fn clocks(&self, id: Id, deadline: Timestamp) -> Result<Vec<VendorClock>> {
        let mut all: Vec<Clock> = Vec::new();
        for _ in 0..MOST_PAGES {
            let ask = Ask::get("read clocks", service_desk(&format!("request/{id}/sla")), deadline);
            let ask = ask.query("start", all.len()).query("limit", 50);
            let page: Clocks = match self.api.json(&ask).await {
                Ok(page) => page,
                Err(error) if error.kind == DeskErrorKind::NotFound => return Ok(Vec::new()),
                Err(error) => return Err(error),
            };
            let clocks = page.values.some().ok_or_else(|| ask.malformed("the answer lists no clocks"))?;
            let ends = clocks.is_empty() || page.is_last_page.get() != Some(&false);
            all.extend(clocks);
            if ends {
                break;
            }
        }
        Ok(normalise::clocks(&all))
    }

    /// The customer's tickets: one page, the newest hundred.
    async fn contacts(&self, head: &TicketHead, deadline: Timestamp) -> Result<Option<Contacts>> {
        let Fact::Known(Some(reporter)) = &head.requester else { return Ok(None) };
        let reporter = reporter.as_str();
        if reporter.contains(['"', '\\']) {
            return Ok(None);
        }
        let jql = format!("{} AND reporter = \"{reporter}\" ORDER BY created DESC", self.in_projects());
        let ask = self.search("read customer's tickets", &jql, &SHORT, None, deadline);
        match self.api.json::<wire::Found>(&ask).await {
            Ok(found) => {
                let more = found.next_page_token.get().is_some() || found.is_last.get() == Some(&false);
                let raws = found.issues.some().ok_or_else(|| ask.malformed("the answer lists no issues"))?;
                Ok(Some(normalise::contacts(&raws, reporter, more, self.api.gate().now())))
            }
            Err(error) if is_absent(&error) || error.kind == DeskErrorKind::Refused => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The condition that keeps a query to our projects: one without any is refused.
    pub(crate) fn in_projects(&self) -> String {
        let keys: Vec<String> = self.projects.iter().map(|key| format!("\"{key}\"")).collect();
        format!("project in ({})", keys.join(", "))
    }

    /// One page of a search. Without `fields` there would be nothing but ids.
    pub(crate) fn search(
        &self,
        operation: &'static str,
        jql: &str,
        fields: &[&str],
        token: Option<&str>,
        deadline: Timestamp,
    ) -> Ask {
        let mut body = json!({ "jql": jql, "fields": fields, "maxResults": PAGE });
        if let Some(token) = token {
            body["nextPageToken"] = json!(token);
        }
        Ask::post(operation, platform("search/jql"), body, deadline)
    }
}
