//! Looking a write up after a lost answer: notes by their mark (an update's note came with all that it set, or not at all),
//! replies by their words, labels by being there, and the rest by what the ticket shows or the history tells of us.

use crate::api::ticket_id;
use crate::desk::ZammadDesk;
use crate::history;
use crate::wire::{Id, Row};
use crate::write::{Wanted, receipt_of};
use handoffd_kit::desk::{DeskChange, Receipt, Sighting, Update, Write};
use handoffd_kit::error::{DeskError, Result};
use handoffd_kit::model::Visibility;
use jiff::{SignedDuration, Timestamp};

const FIND: &str = "look up write";

/// How far the desk's clock may be behind ours.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

impl ZammadDesk {
    /// Whether a write has reached the desk.
    pub(crate) async fn look_up(&self, write: &Write) -> Result<Sighting> {
        let id = ticket_id(&write.ticket, FIND)?;
        match &write.change {
            DeskChange::Update(update) if update.note.is_some() => {
                let us = self.people.our_id(&self.api, write.deadline).await?;
                let articles = self.articles(id, write.deadline).await?;
                let Some(ours) = history::marked(&articles, us, &write.mark.key()) else {
                    return Ok(Sighting::NotFound);
                };
                match history::visibility(ours) {
                    Some(Visibility::Internal) => Ok(found(receipt_of(ours, id))),
                    Some(Visibility::Public) => Err(DeskError::leaked(FIND, id)),
                    None => {
                        Ok(Sighting::CannotTell("the ticket's articles do not say whether our note is internal".into()))
                    }
                }
            }
            DeskChange::Reply(reply) => {
                let us = self.people.our_id(&self.api, write.deadline).await?;
                let articles = self.articles(id, write.deadline).await?;
                let ours = history::replied(&articles, us, &reply.text.0, begun(write));
                Ok(ours.map_or(Sighting::NotFound, |ours| found(receipt_of(ours, id))))
            }
            DeskChange::Update(update) => self.look_up_state(id, update, write).await,
            DeskChange::Tags { add, remove } => {
                let head = self.read_head(id, write.deadline).await?;
                let Some(tags) = head.tags.known() else {
                    return Ok(Sighting::CannotTell("our account may not see the ticket's tags".into()));
                };
                let there = add.iter().all(|tag| tags.contains(tag)) && !remove.iter().any(|tag| tags.contains(tag));
                Ok(if there { Sighting::Found(Receipt::shown_by(head)) } else { Sighting::NotFound })
            }
        }
    }

    async fn look_up_state(&self, id: Id, update: &Update, write: &Write) -> Result<Sighting> {
        let wanted = self.wanted(id, update, write.deadline).await?;
        let head = self.read_head(id, write.deadline).await?;
        if wanted.is_shown_by(&head.raw) {
            return Ok(Sighting::Found(Receipt::shown_by(head)));
        }
        // It shows something else: ours may have arrived, and somebody may have changed it since.
        let us = self.people.our_id(&self.api, write.deadline).await?;
        match self.rows(id, write.deadline).await? {
            Some(rows) => Ok(match ours(&rows, us, &wanted, begun(write)) {
                Some(row) => found(row.id.get().map_or_else(|| format!("ticket {id}"), Id::to_string)),
                None => Sighting::NotFound,
            }),
            None => Ok(Sighting::CannotTell("our account may not read the ticket's history".into())),
        }
    }
}

/// Our own row that set one of the wanted numbers, since the write was first tried.
fn ours<'a>(rows: &'a [Row], us: Option<Id>, wanted: &Wanted, since: Timestamp) -> Option<&'a Row> {
    let numbers = wanted.numbers();
    rows.iter().find(|row| {
        let by_us = us.is_some() && row.created_by_id.get().copied() == us;
        let late = row.created_at.get().is_some_and(|at| *at >= since);
        let set = numbers.iter().any(|(attribute, to)| {
            row.attribute.get().is_some_and(|known| known == attribute) && row.id_to.get() == Some(to)
        });
        by_us && late && set
    })
}

fn begun(write: &Write) -> Timestamp {
    write.first_tried.and_then(|at| at.checked_sub(SKEW).ok()).unwrap_or(Timestamp::MIN)
}

fn found(id: String) -> Sighting {
    Sighting::Found(Receipt { id, version: None, head: None })
}
