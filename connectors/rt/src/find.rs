//! Looking an effect up after a lost answer: messages by their mark, everything else by our own transaction.

use crate::read::{Account, Kinds};
use crate::wire::Transaction;
use crate::wish::Wish;
use handoffd_kit::desk::{DeskChange, Receipt, Sighting, Write};
use handoffd_kit::error::Result;
use handoffd_kit::id::TicketId;
use handoffd_kit::mark::Mark;
use handoffd_kit::model::{Ending, TicketHead};
use jiff::{SignedDuration, Timestamp};

/// How far the desk's clock may be behind ours.
const SKEW: SignedDuration = SignedDuration::from_mins(5);

impl Account {
    /// Whether a write has reached the desk. What cannot be seen at all is an error, never "not found".
    pub async fn find(&self, write: &Write) -> Result<Sighting> {
        let head = self.head(&write.ticket, write.deadline).await?;
        // What was sent to a merged ticket has landed on the other one.
        let ticket = match &head.ending {
            Some(Ending::Merged { into: Some(into) }) => into,
            _ => &write.ticket,
        };
        let ours = self.ours_since(ticket, write, &head).await?;
        if let DeskChange::Tags { add, remove } = &write.change {
            return self.find_labels(write, &head, &ours, add, remove).await;
        }
        let wish = self.wish(write).await?;
        let found = match &wish {
            Wish::Note(_) | Wish::Reply(_) => self.find_message(write, &wish, &ours).await?,
            _ => {
                let numbers = self.numbers(&ours, write.deadline).await?;
                ours.iter().rfind(|one| wish.is_done_by(one, &numbers)).map(|one| one.id)
            }
        };
        Ok(sighting(found, head))
    }

    /// Our own transactions since the first try.
    async fn ours_since(&self, ticket: &TicketId, write: &Write, head: &TicketHead) -> Result<Vec<Transaction>> {
        let kinds = match &write.change {
            DeskChange::Reply(_) => Kinds::Said,
            DeskChange::Update(update) if update.note.is_some() => Kinds::Said,
            DeskChange::Update(_) | DeskChange::Tags { .. } => Kinds::NoMail,
        };
        let me = self.me(write.deadline).await?;
        let since = write.first_tried.and_then(|tried| tried.checked_sub(SKEW).ok());
        // A ticket that has not changed since then by its own clock: our clock may have been ahead when we wrote, and a note is
        // known by its mark, whenever it was written. What has no mark could be taken for an older write of ours.
        let noted = matches!(&write.change, DeskChange::Update(update) if update.note.is_some());
        let told = |since: &Timestamp| head.updated_at.known().is_some_and(|at| at >= since);
        let since = since.filter(|since| !noted || told(since));
        let all = self.transactions_since(ticket, kinds, since, write.deadline).await?;
        Ok(all.into_iter().filter(|one| one.creator.login() == me).collect())
    }

    async fn find_message(&self, write: &Write, wish: &Wish, ours: &[Transaction]) -> Result<Option<u64>> {
        let kind = if matches!(wish, Wish::Reply(_)) { "Correspond" } else { "Comment" };
        let me = self.me(write.deadline).await?;
        let these: Vec<Transaction> = ours.iter().filter(|one| one.kind == kind).cloned().collect();
        let texts = self.our_texts(&these, &me, write.deadline).await?;
        let marked = |text: &str| Mark::in_text(text).is_some_and(|mark| mark.key() == write.mark.key());
        // A public reply carries no mark that customers would read: its words must do.
        let same = |text: &str| matches!(wish, Wish::Reply(words) if plain(words) == plain(text));
        Ok(texts.iter().rfind(|(_, text)| marked(text) || same(text)).map(|(id, _)| *id))
    }

    async fn find_labels(
        &self,
        write: &Write,
        head: &TicketHead,
        ours: &[Transaction],
        add: &[String],
        remove: &[String],
    ) -> Result<Sighting> {
        let numbers = self.numbers(ours, write.deadline).await?;
        let tags = head.tags.known().map(Vec::as_slice).unwrap_or_default();
        let there = add.iter().all(|tag| tags.contains(tag)) && !remove.iter().any(|tag| tags.contains(tag));
        let wish = Wish::Labels(tags.iter().cloned().collect());
        let last = ours.iter().rfind(|one| wish.touches(one, &numbers)).map(|one| one.id);
        Ok(sighting(last.filter(|_| there), head.clone()))
    }
}

fn plain(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

fn sighting(found: Option<u64>, head: TicketHead) -> Sighting {
    match found {
        // The version is left to the check before the next write: others may have acted since.
        Some(id) => Sighting::Found(Receipt { id: id.to_string(), version: None, head: Some(Box::new(head)) }),
        None => Sighting::NotFound,
    }
}
