//! Looking a write up after a lost answer: notes by their mark, replies by their words, labels by being there, and the rest by
//! what the conversation shows or its parts tell of us. Only the 500 most recent parts are shown: what would be older than the
//! oldest of them cannot be told.

use crate::api::conversation_id;
use crate::desk::IntercomDesk;
use crate::history;
use crate::parts::Read;
use crate::wire::{Id, Part};
use crate::write::{Wanted, proven};
use handoffd_kit::desk::{DeskChange, Receipt, Sighting, Update, Write};
use handoffd_kit::error::{DeskError, Result};
use handoffd_kit::model::Visibility;
use jiff::{SignedDuration, Timestamp};

const FIND: &str = "look up write";

/// How far the desk's clock may be behind ours.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

impl IntercomDesk {
    /// Whether a write has reached the desk.
    pub(crate) async fn look_up(&self, write: &Write) -> Result<Sighting> {
        let id = conversation_id(&write.ticket, FIND)?;
        if let DeskChange::Update(update) = &write.change
            && update.note.is_none()
        {
            return self.look_up_state(id, update, write).await;
        }
        let read = self.read(id, write.deadline).await?;
        let (parts, us) = (read.sent.parts(), read.me.id);
        match &write.change {
            DeskChange::Update(_) => match history::marked(parts, us, &write.mark.key()) {
                Some(part) if history::visibility(part) == Visibility::Public => Err(DeskError::leaked(FIND, id)),
                Some(part) => Ok(found(part, id)),
                None => Ok(missing(&read, write)),
            },
            DeskChange::Reply(reply) => {
                let ours = history::replied(parts, us, &reply.text.0, begun(write));
                let ours = ours.filter(|part| history::visibility(part) == Visibility::Public);
                Ok(ours.map_or_else(|| missing(&read, write), |part| found(part, id)))
            }
            DeskChange::Tags { add, remove } => {
                let head = read.head();
                let Some(tags) = head.as_ref().and_then(|head| head.tags.known()) else {
                    return Ok(Sighting::CannotTell("the conversation's answer names no tags".into()));
                };
                let there = add.iter().all(|tag| tags.contains(tag)) && !remove.iter().any(|tag| tags.contains(tag));
                Ok(if there { Sighting::Found(proven(Some(&read), id)) } else { Sighting::NotFound })
            }
        }
    }

    async fn look_up_state(&self, id: Id, update: &Update, write: &Write) -> Result<Sighting> {
        let wanted = self.wanted(update, write).await?;
        let read = self.read(id, write.deadline).await?;
        if wanted.is_shown_by(&read.sent) {
            return Ok(Sighting::Found(proven(Some(&read), id)));
        }
        // It shows something else: ours may have arrived, and somebody may have changed it since.
        let since = begun(write);
        let late = |part: &&Part| part.created_at.get().is_some_and(|at| at.0 >= since) && wanted.is_done_by(part);
        let done: Vec<&Part> = read.sent.parts().iter().filter(late).collect();
        match done.iter().find(|part| history::is_by(part, read.me.id)) {
            Some(part) => Ok(found(part, id)),
            // Whether an attribute that is set through the API leaves a part is not verified.
            None if matches!(wanted, Wanted::Attributes(_)) && !done.is_empty() => Ok(Sighting::CannotTell(
                "somebody changed the attribute after the write was sent, and ours may have been before".into(),
            )),
            None => Ok(missing(&read, write)),
        }
    }
}

/// It is not among the parts: none of ours, unless those of that time are not shown any more.
fn missing(read: &Read, write: &Write) -> Sighting {
    let oldest = read.sent.parts().iter().filter_map(|part| part.created_at.get()).min();
    let reaches = read.sent.is_complete() || oldest.is_some_and(|at| at.0 < begun(write));
    match (read.sent.total(), reaches) {
        (Some(_), true) => Sighting::NotFound,
        (Some(_), false) => {
            Sighting::CannotTell("more than 500 parts were added since: ours would not be shown".into())
        }
        (None, _) => Sighting::CannotTell("the answer does not hold the conversation's parts".into()),
    }
}

fn begun(write: &Write) -> Timestamp {
    write.first_tried.and_then(|at| at.checked_sub(SKEW).ok()).unwrap_or(Timestamp::MIN)
}

fn found(part: &Part, id: Id) -> Sighting {
    let id = part.id.get().map_or_else(|| format!("conversation {id}"), Id::to_string);
    Sighting::Found(Receipt { id, version: None, head: None })
}
