//! What was said on a ticket, in the kit's words. Pure. It is all that Freshdesk keeps of a ticket's past: who moved it or
//! took it, no endpoint tells (Freshdesk sheet, *Objects*, history).

use crate::normalise::{MESSAGE_BYTES, first_words, user_id};
use crate::people::Agents;
use crate::wire::{self, Entry, Id, Sent};
use handoffd_kit::fact::Fact;
use handoffd_kit::id::MessageId;
use handoffd_kit::mark::Mark;
use handoffd_kit::model::{Attachment, Author, InternalText, Message, Person, PublicText, Role, Said, Visibility};
use handoffd_kit::text::{begins_alike, html_to_text};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// Who the ids in a conversation are.
pub(crate) struct Cast {
    /// Our own account.
    pub(crate) us: Option<Id>,
    /// Who asks.
    pub(crate) requester: Option<Id>,
    /// Everybody who works there; none: our account may not know.
    pub(crate) agents: Agents,
    /// The requester's name, where it was read.
    pub(crate) link: Option<String>,
}

impl Cast {
    /// What somebody is. Who is no agent and asks, or is said to have written from outside, is a customer; whoever else is no
    /// agent may be one who left: unknown.
    fn role(&self, id: Id, incoming: bool) -> Role {
        let is_agent = self.agents.as_ref().map(|agents| agents.contains_key(&id));
        if Some(id) == self.us {
            Role::Us
        } else if is_agent == Some(true) {
            Role::Agent
        } else if Some(id) == self.requester || (incoming && is_agent == Some(false)) {
            Role::Customer
        } else {
            Role::Unknown
        }
    }

    fn author(&self, id: Option<Id>, incoming: bool) -> Author {
        let Some(id) = id else { return Author { id: None, name: None, role: Role::Unknown } };
        let agent = self.agents.as_ref().and_then(|agents| agents.get(&id));
        let name = agent.and_then(|agent| agent.contact.get()).and_then(|contact| contact.name.get().cloned());
        Author { id: Some(user_id(id)), name, role: self.role(id, incoming) }
    }
}

/// Everybody who wrote something.
pub(crate) fn authors(entries: &[Entry]) -> Vec<Id> {
    let ids: BTreeSet<Id> = entries.iter().filter_map(|entry| entry.user_id.get().copied()).collect();
    ids.into_iter().collect()
}

/// What is known of those who work here and wrote: their mail addresses.
pub(crate) fn staff(entries: &[Entry], cast: &Cast) -> Vec<Person> {
    let agents = authors(entries).into_iter().filter(|id| cast.role(*id, false) == Role::Agent);
    agents.map(|id| crate::people::agent(id, &cast.agents, cast.us)).collect()
}

/// The conversation, oldest first: the ticket's description and what followed. None: something in it cannot be placed.
pub(crate) fn conversation(ticket: &wire::Ticket, entries: &[Entry], cast: &Cast) -> Option<Vec<Message>> {
    let mut messages: Vec<Message> = entries.iter().map(|entry| message(entry, cast)).collect::<Option<_>>()?;
    messages.sort_by_key(|message| message.at);
    let first = opening(ticket, cast)?;
    // A ticket opened without a word has said nothing.
    if !first.said.words().trim().is_empty() || !first.attachments.is_empty() {
        messages.insert(0, first);
    }
    Some(messages)
}

/// The description. It has no number of its own: the ticket's stands in, with a letter that no entry's number has. Whether an
/// agent opened the ticket for a customer, it does not say: it counts as the words of whoever asks.
fn opening(ticket: &wire::Ticket, cast: &Cast) -> Option<Message> {
    Some(Message {
        id: MessageId::new(format!("d{}", ticket.id.get()?)),
        at: ticket.created_at.get()?.0,
        author: cast.author(ticket.requester_id.get().copied(), true),
        said: Said::Publicly(PublicText(first_words(ticket).unwrap_or_default())),
        attachments: files(&ticket.attachments, cast),
        by_machine: Fact::Unknown,
    })
}

fn message(entry: &Entry, cast: &Cast) -> Option<Message> {
    let words = words(entry);
    // Only what is stated to be private has the weight of an internal note.
    let said = match entry.private {
        Sent::Value(true) => Said::Internally(InternalText(words)),
        _ => Said::Publicly(PublicText(words)),
    };
    Some(Message {
        id: MessageId::new(entry.id.get()?.to_string()),
        at: entry.created_at.get()?.0,
        author: cast.author(entry.user_id.get().copied(), entry.incoming == Sent::Value(true)),
        said,
        attachments: files(&entry.attachments, cast),
        by_machine: Fact::Unknown,
    })
}

/// The file's own address is signed, open to whoever has it, and ends soon: colleagues are pointed to the ticket.
fn files(sent: &Sent<Vec<wire::Attachment>>, cast: &Cast) -> Vec<Attachment> {
    let file = |file: &wire::Attachment| {
        Some(Attachment {
            name: file.name.get()?.clone(),
            media_type: file.content_type.get().cloned(),
            bytes: file.file_size.get().copied(),
            link: cast.link.clone(),
        })
    };
    sent.get().into_iter().flatten().filter_map(file).collect()
}

/// An entry as readable text: its HTML keeps lines that `body_text` loses.
pub(crate) fn words(entry: &Entry) -> String {
    let html = entry.body.get().map(|html| html_to_text(html, MESSAGE_BYTES)).filter(|text| !text.trim().is_empty());
    html.or_else(|| entry.body_text.get().cloned()).unwrap_or_default()
}

/// Our own note with this key, if it is among these.
pub(crate) fn marked<'a>(entries: &'a [Entry], us: Option<Id>, key: &str) -> Option<&'a Entry> {
    let ours = |entry: &&Entry| us.is_some() && entry.user_id.get().copied() == us;
    let has_key = |entry: &&Entry| Mark::in_text(&words(entry)).is_some_and(|mark| mark.key() == key);
    entries.iter().filter(ours).find(has_key)
}

/// Our own public reply with these words, written at or after this instant. It carries no mark that customers would read. What
/// Freshdesk puts behind it (a signature) does not count.
pub(crate) fn replied<'a>(entries: &'a [Entry], us: Option<Id>, text: &str, since: Timestamp) -> Option<&'a Entry> {
    let ours = |entry: &&Entry| {
        let by_us = us.is_some() && entry.user_id.get().copied() == us && entry.private != Sent::Value(true);
        by_us && entry.created_at.get().is_some_and(|at| at.0 >= since)
    };
    let same = |entry: &&Entry| begins_alike(&words(entry), text);
    entries.iter().filter(ours).find(same)
}

/// To whom an answer to a write says it speaks; none: it does not say.
pub(crate) fn visibility(entry: &Entry) -> Option<Visibility> {
    entry.private.get().map(|private| if *private { Visibility::Internal } else { Visibility::Public })
}

#[cfg(test)]
mod tests;
