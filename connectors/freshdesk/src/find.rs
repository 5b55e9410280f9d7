//! Looking a write up after a lost answer: notes by their mark, replies by their words, everything else by what the ticket
//! shows; where it shows something else and has changed without a word since, nobody can tell. An entry has no other key of ours: Freshdesk keeps nothing beside the text (Freshdesk sheet, *Write-back*).

use crate::api::ticket_id;
use crate::desk::FreshdeskDesk;
use crate::history;
use crate::wire::{Entry, Id};
use handoffd_kit::desk::{DeskChange, Receipt, Sighting, Write};
use handoffd_kit::error::{DeskError, Result};
use handoffd_kit::model::{TicketHead, Visibility};
use jiff::{SignedDuration, Timestamp};

const FIND: &str = "look up write";

/// How far the desk's clock may be behind ours.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// How much later than a message the ticket may say that it changed by it.
const SAME_MOMENT: SignedDuration = SignedDuration::from_secs(2);

impl FreshdeskDesk {
    /// Whether a write has reached the desk.
    pub(crate) async fn look_up(&self, write: &Write) -> Result<Sighting> {
        let id = ticket_id(&write.ticket, FIND)?;
        match &write.change {
            DeskChange::Update(update) if update.note.is_some() => {
                let us = self.people.our_id(&self.api, write.deadline).await?;
                let list = self.entries(id, write.deadline).await?;
                let found = history::marked(&list.items, us, &write.mark.key());
                // The note is there; whether customers see it, only its entry says.
                match found.map(history::visibility) {
                    Some(Some(Visibility::Public)) => Err(DeskError::leaked(FIND, id)),
                    Some(None) => Ok(Sighting::CannotTell("the entry does not say whether our note is private".into())),
                    _ => Ok(entry_sighting(found, list.complete)),
                }
            }
            DeskChange::Reply(reply) => {
                let us = self.people.our_id(&self.api, write.deadline).await?;
                let list = self.entries(id, write.deadline).await?;
                let since = write.first_tried.and_then(|at| at.checked_sub(SKEW).ok()).unwrap_or(Timestamp::MIN);
                Ok(entry_sighting(history::replied(&list.items, us, &reply.text.0, since), list.complete))
            }
            DeskChange::Update(update) => {
                let wanted = self.wanted(update, write.deadline).await?;
                let head = self.read_head(id, write.deadline).await?;
                if wanted.shows(&head) {
                    return Ok(Sighting::Found(Receipt::shown_by(head)));
                }
                let silent = self.changed_without_a_word(id, &head, write).await?;
                let words = "the ticket changed after the write was sent, and nothing says whether it was that write";
                Ok(if silent { Sighting::CannotTell(words.into()) } else { Sighting::NotFound })
            }
            DeskChange::Tags { add, remove } => {
                let head = self.read_head(id, write.deadline).await?;
                let Some(tags) = head.tags.known() else {
                    return Ok(Sighting::CannotTell("the ticket's answer names no tags".into()));
                };
                let there = add.iter().all(|tag| tags.contains(tag)) && !remove.iter().any(|tag| tags.contains(tag));
                Ok(if there { Sighting::Found(Receipt::shown_by(head)) } else { Sighting::NotFound })
            }
        }
    }
}

impl FreshdeskDesk {
    /// Whether something changed since a write was first sent that no message of that moment explains: our write may have
    /// arrived, and somebody may have taken it back.
    async fn changed_without_a_word(&self, id: Id, head: &TicketHead, write: &Write) -> Result<bool> {
        let Some((changed, sent)) = head.updated_at.known().copied().zip(write.first_tried) else { return Ok(false) };
        if changed <= sent {
            return Ok(false);
        }
        let list = self.entries(id, write.deadline).await?;
        let near = |at: Timestamp| at.duration_until(changed) <= SAME_MOMENT;
        Ok(!list.items.iter().any(|entry| entry.created_at.get().is_some_and(|at| near(at.0))))
    }
}

fn entry_sighting(found: Option<&Entry>, complete: bool) -> Sighting {
    match found {
        Some(entry) => {
            let id = entry.id.get().map_or_else(|| "an entry".to_owned(), ToString::to_string);
            Sighting::Found(Receipt { id, version: None, head: None })
        }
        None if complete => Sighting::NotFound,
        None => Sighting::CannotTell("the ticket's conversation is too long to be read whole".into()),
    }
}
