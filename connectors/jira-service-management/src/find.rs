//! Looking a write up after a lost answer: notes by their mark, replies by their words, labels by being there, and the rest by
//! what the issue shows or by our own entry in its history, which carries the mark.

use crate::api::issue_id;
use crate::desk::JiraDesk;
use crate::history;
use crate::wire::{Comment, Entry, Id};
use crate::wish::Wanted;
use crate::write::has_tags;
use handoffd_kit::desk::{DeskChange, Receipt, Sighting, Update, Write};
use handoffd_kit::error::{DeskError, Result};
use handoffd_kit::model::Visibility;
use jiff::{SignedDuration, Timestamp};

const FIND: &str = "look up write";

/// How far the desk's clock may be behind ours.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

impl JiraDesk {
    /// Whether a write has reached the desk.
    pub(crate) async fn look_up(&self, write: &Write) -> Result<Sighting> {
        let id = issue_id(&write.ticket, FIND)?;
        match &write.change {
            DeskChange::Update(update) if update.note.is_some() => self.look_up_note(id, write).await,
            DeskChange::Reply(reply) => {
                let (comments, complete, us) = self.said_on(id, write).await?;
                let ours = history::replied(&comments, us.as_deref(), &reply.text.0, begun(write));
                Ok(sighted(ours.map(comment_receipt), complete))
            }
            DeskChange::Update(update) => self.look_up_state(id, update, write).await,
            DeskChange::Tags { add, remove } => {
                let head = self.read_head(id, write.deadline).await?;
                let Some(tags) = head.tags.known() else {
                    return Ok(Sighting::CannotTell("the issue does not show its labels".into()));
                };
                let there = has_tags(tags, add, remove);
                Ok(if there { Sighting::Found(Receipt::shown_by(head)) } else { Sighting::NotFound })
            }
        }
    }

    async fn said_on(&self, id: Id, write: &Write) -> Result<(Vec<Comment>, bool, Option<String>)> {
        let us = self.people.our_id(&self.api, write.deadline).await?;
        let (comments, complete) = self.comments(id, write.deadline).await?;
        Ok((comments, complete, us))
    }

    async fn look_up_note(&self, id: Id, write: &Write) -> Result<Sighting> {
        let (comments, complete, us) = self.said_on(id, write).await?;
        let Some(ours) = history::marked(&comments, us.as_deref(), &write.mark.key()) else {
            return Ok(sighted(None, complete));
        };
        match history::visibility(ours) {
            Some(Visibility::Internal) => Ok(Sighting::Found(comment_receipt(ours))),
            Some(Visibility::Public) => Err(DeskError::leaked(FIND, id)),
            None => Ok(Sighting::CannotTell("the issue's comments do not say whether our note is internal".into())),
        }
    }

    async fn look_up_state(&self, id: Id, update: &Update, write: &Write) -> Result<Sighting> {
        let wanted = self.wanted(id, update, write.deadline).await?;
        let head = self.read_head(id, write.deadline).await?;
        if wanted.is_shown_by(&head) {
            return Ok(Sighting::Found(Receipt::shown_by(head)));
        }
        // It shows something else: ours may have arrived, and somebody may have changed it since.
        let us = self.people.our_id(&self.api, write.deadline).await?;
        let entries = self.changelog(id, write.deadline).await?;
        Ok(match ours(&entries, us.as_deref(), &wanted, write) {
            Some(entry) => Sighting::Found(entry_receipt(entry, id)),
            None => Sighting::NotFound,
        })
    }
}

/// Our own entry of this write: the one with its mark; or, where Jira has not kept what we noted, one that set what was wanted
/// since the write was first tried.
fn ours<'a>(entries: &'a [Entry], us: Option<&str>, wanted: &Wanted, write: &Write) -> Option<&'a Entry> {
    let is_ours = |entry: &&Entry| {
        let author = entry.author.get().and_then(|user| user.account_id.get());
        us.is_some() && author.map(String::as_str) == us
    };
    let marked = |entry: &&Entry| history::noted(entry, us).is_some_and(|mark| mark.key() == write.mark.key());
    let begun = begun(write);
    let alike = |entry: &&Entry| {
        let late = entry.created.get().is_some_and(|at| at.0 >= begun);
        late && history::noted(entry, us).is_none() && sets(entry, wanted)
    };
    let mut mine = entries.iter().rev().filter(is_ours);
    mine.clone().find(marked).or_else(|| mine.find(alike))
}

/// Whether an entry sets one of the things that were wanted.
fn sets(entry: &Entry, wanted: &Wanted) -> bool {
    let items = entry.items.get().map(Vec::as_slice).unwrap_or_default();
    let set = |field: &str, text: &str| {
        items.iter().any(|item| {
            let here = item.field_id.get().or(item.field.get()).is_some_and(|id| id == field);
            here && [&item.to, &item.to_string].iter().any(|to| to.get().is_some_and(|to| to == text))
        })
    };
    let team = wanted.team.as_ref().is_some_and(|(field, team)| set(field, team.queue.id.as_str()));
    let owner = wanted.owner.as_ref().and_then(Option::as_ref).is_some_and(|owner| set("assignee", owner));
    let priority = wanted.priority.as_ref().is_some_and(|name| set("priority", name));
    let status = wanted.status.as_ref().is_some_and(|status| set("status", &status.word));
    team || owner || priority || status
}

fn begun(write: &Write) -> Timestamp {
    write.first_tried.and_then(|at| at.checked_sub(SKEW).ok()).unwrap_or(Timestamp::MIN)
}

/// What is not among the comments that were read, may be among the others.
fn sighted(found: Option<Receipt>, complete: bool) -> Sighting {
    match found {
        Some(receipt) => Sighting::Found(receipt),
        None if complete => Sighting::NotFound,
        None => Sighting::CannotTell("the issue has more comments than handoffd reads".into()),
    }
}

fn comment_receipt(comment: &Comment) -> Receipt {
    let id = comment.id.get().map(|id| history::change_id(*id).to_string()).unwrap_or_else(|| "comment".to_owned());
    Receipt { id, version: None, head: None }
}

fn entry_receipt(entry: &Entry, issue: Id) -> Receipt {
    let id = entry.id.get().map_or_else(|| format!("ticket {issue}"), Id::to_string);
    Receipt { id, version: None, head: None }
}
