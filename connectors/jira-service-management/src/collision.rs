//! A person's change between our read and our edit. Jira compares nothing, but its history keeps what each field was before, and
//! our own entry in it carries our mark: where ours replaced something else than what was read, everything that ours set is put
//! back, unless somebody acted since.

use crate::api::{platform, write as write_ask};
use crate::desk::JiraDesk;
use crate::history::noted;
use crate::people::role_of;
use crate::wire::{Entry, Id, Issue, Item, Named, Sent, User};
use crate::wish::Wanted;
use handoffd_kit::collision::{Collision, PUT_BACK};
use handoffd_kit::desk::Write;
use handoffd_kit::error::{DeskError, Retry};
use handoffd_kit::model::{Role, TicketHead};
use http::Method;
use serde_json::{Map, Value, json};

/// A field that an edit set, with what it was right before. Of a team's select list and of a priority that is the option's id, of an
/// owner the account's.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Before {
    field: String,
    what: &'static str,
    was: Option<String>,
}

/// What an edit covered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Covered {
    /// Everything that it changed.
    before: Vec<Before>,
    /// What of it was somebody else's.
    theirs: Vec<&'static str>,
    /// Who that was.
    who: Option<String>,
    /// Who acted on one of these since.
    since: Option<String>,
    /// Whether the team is named by its bare id.
    bare_team: bool,
}

/// A field that may be compared: its id, what it is, and what it was when it was read. None: that is not known.
type Read = (String, &'static str, Option<Option<String>>);

/// What an edit sets, as the issue showed it before.
fn as_read(wanted: &Wanted, issue: &Issue) -> Vec<Read> {
    let known = |sent: Sent<String>| match sent {
        Sent::Value(id) => Some(Some(id)),
        Sent::Null | Sent::Missing => None,
    };
    let named = |field: &str| match issue.field::<Value>(field) {
        Sent::Null => Some(None),
        Sent::Value(Value::String(id)) => Some(Some(id)),
        Sent::Value(_) => known(issue.field::<Named>(field).some().map_or(Sent::Missing, |one| one.id)),
        Sent::Missing => None,
    };
    let owner = match issue.field::<User>("assignee") {
        Sent::Null => Some(None),
        Sent::Value(user) => known(user.account_id),
        Sent::Missing => None,
    };
    let team = wanted.team.iter().map(|(field, _)| (field.clone(), "team", named(field)));
    let owner = wanted.owner.iter().map(|_| ("assignee".to_owned(), "owner", owner.clone()));
    let priority = wanted.priority.iter().map(|_| ("priority".to_owned(), "priority", named("priority")));
    team.chain(owner).chain(priority).collect()
}

fn item<'a>(entry: &'a Entry, field: &str) -> Option<&'a Item> {
    let items = entry.items.get().map(Vec::as_slice).unwrap_or_default();
    items.iter().find(|item| item.field_id.get().or(item.field.get()).is_some_and(|id| id == field))
}

fn who(entry: &Entry) -> String {
    let author = entry.author.get();
    let name = author.and_then(|user| user.display_name.get().or(user.account_id.get()));
    name.cloned().unwrap_or_else(|| "somebody".to_owned())
}

impl Covered {
    /// What our own entry of this write shows; none: it replaced what was read, or there is none.
    fn find(entries: &[Entry], us: Option<&str>, key: &str, read: &[Read]) -> Option<Self> {
        let ours = entries.iter().rposition(|entry| noted(entry, us).is_some_and(|mark| mark.key() == key))?;
        let empty_is_none = |sent: &Sent<String>| sent.get().filter(|text| !text.is_empty()).cloned();
        let (mut before, mut theirs, mut by, mut since) = (Vec::new(), Vec::new(), None, None);
        for (field, what, was) in read {
            let Some(set) = item(&entries[ours], field) else { continue };
            let from = empty_is_none(&set.from);
            // What was not read, nobody is accused of having changed.
            if was.as_ref().is_some_and(|was| *was != from) {
                theirs.push(*what);
                by = by.or_else(|| entries[..ours].iter().rfind(|entry| item(entry, field).is_some()).map(who));
            }
            before.push(Before { field: field.clone(), what, was: from });
            let persons = |entry: &&Entry| {
                let role = entry.author.get().map_or(Role::Unknown, |user| role_of(user, us));
                item(entry, field).is_some() && !matches!(role, Role::Us | Role::Automation)
            };
            since = since.or_else(|| entries[ours + 1..].iter().find(persons).map(who));
        }
        (!theirs.is_empty()).then_some(Self { before, theirs, who: by, since, bare_team: false })
    }

    fn what(&self) -> String {
        self.theirs.join(" and the ")
    }

    fn fields(&self) -> Map<String, Value> {
        let value = |before: &Before| match (before.what, &before.was) {
            ("owner", was) => json!({ "accountId": was }),
            ("team", Some(id)) if self.bare_team => json!(id),
            (_, Some(id)) => json!({ "id": id }),
            (_, None) => Value::Null,
        };
        self.before.iter().map(|before| (before.field.clone(), value(before))).collect()
    }

    fn is_back(&self, issue: &Issue, wanted: &Wanted) -> bool {
        let now = as_read(wanted, issue);
        let shown = |before: &Before| {
            now.iter().any(|(field, _, is)| *field == before.field && is.as_ref() == Some(&before.was))
        };
        self.before.iter().all(shown)
    }
}

impl JiraDesk {
    /// What an edit covered; none also where the history cannot be read: the edit stands, and the next look decides.
    pub(crate) async fn covered(
        &self,
        id: Id,
        wanted: &Wanted,
        was: &TicketHead,
        write: &Write,
    ) -> Option<(Covered, Wanted)> {
        let issue: Issue = serde_json::from_str(&was.raw).ok()?;
        let read = as_read(wanted, &issue);
        if read.is_empty() {
            return None;
        }
        let us = self.people.our_id(&self.api, write.deadline).await.ok()?;
        let entries = self.changelog(id, write.deadline).await.ok()?;
        let covered = Covered::find(&entries, us.as_deref(), &write.mark.key(), &read)?;
        let bare_team = wanted.team.as_ref().is_some_and(|(_, team)| team.json().is_string());
        Some((Covered { bare_team, ..covered }, wanted.clone()))
    }

    /// Puts back what an edit covered, unless anybody acted since; and says what it came to.
    pub(crate) async fn put_back(&self, id: Id, (covered, wanted): (Covered, Wanted), write: &Write) -> DeskError {
        let (what, by) = (covered.what(), covered.who.as_deref().unwrap_or("somebody"));
        let happened = format!("{by} changed the {what} in the moment before our update");
        let collision =
            Collision { operation: "update ticket", happened, what, seen_in: "the issue's history in Jira" };
        if let Some(acted) = &covered.since {
            return collision.acted_since(acted);
        }
        let path = platform(&format!("issue/{id}"));
        let body = json!({ "fields": covered.fields() });
        let ask = write_ask(PUT_BACK, Method::PUT, path, body, id).deadline(write.deadline);
        let sent = self.api.json_or_nothing::<Value>(&ask).await;
        // A lost answer may have been one of success: the issue tells.
        if let Err(error) = sent
            && error.retry != Retry::Unsure
        {
            return collision.put_back(Err(error));
        }
        match self.read_head(id, write.deadline).await.ok().and_then(|head| serde_json::from_str(&head.raw).ok()) {
            Some(issue) => collision.put_back(Ok(covered.is_back(&issue, &wanted))),
            None => collision.covers("whether theirs was put back is not known"),
        }
    }
}

#[cfg(test)]
mod tests;
