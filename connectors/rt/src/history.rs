//! RT's transactions and attachments as history and conversation. Pure.

use crate::normalise::{LABELS, NOBODY, SYSTEM, priority, status};
use crate::wire::{Attachment, Transaction};
use handoffd_kit::fact::Fact;
use handoffd_kit::id::{ChangeId, MessageId, QueueId, TicketId, UserId};
use handoffd_kit::mail;
use handoffd_kit::mark::Mark;
use handoffd_kit::model::{
    Actor, Attachment as File, Author, Change, Conversation, InternalText, Message, Person, PublicText, QueueRef, Role,
    Said, Visibility, What,
};
use handoffd_kit::text::html_to_text;
use std::collections::BTreeMap;

/// The largest text that is read; RT takes whole log files into messages.
pub(crate) const LARGEST_TEXT: u64 = 1 << 20;

/// What the numbers and names in transactions mean.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// The ticket that the history is of; that of the one that stays of a merge shows the other's too.
    pub ticket: String,
    /// Our own user name.
    pub me: String,
    /// Who asks, if it is known.
    pub requester: Option<String>,
    /// Queues by number.
    pub queues: BTreeMap<String, String>,
    /// Custom fields by number.
    pub fields: BTreeMap<String, String>,
    /// User names by number.
    pub users: BTreeMap<String, String>,
    /// Whether somebody works here, by user name; absent: RT did not say.
    pub staff: BTreeMap<String, bool>,
    /// What RT shows of those who work here.
    pub people: Vec<Person>,
}

impl Names {
    /// What somebody is on this ticket.
    pub fn role(&self, login: &str) -> Role {
        match self.staff.get(login) {
            _ if login == self.me => Role::Us,
            _ if login == SYSTEM => Role::Automation,
            _ if self.requester.as_deref() == Some(login) => Role::Customer,
            Some(true) => Role::Agent,
            Some(false) => Role::Customer,
            None => Role::Unknown,
        }
    }

    /// Whether it happened to the ticket itself, and not to one that became part of it.
    fn is_own(&self, transaction: &Transaction) -> bool {
        transaction.object.is_empty() || transaction.object == self.ticket
    }

    fn author(&self, transaction: &Transaction) -> Author {
        let login = transaction.creator.login();
        let real_name = Some(&transaction.creator.real_name).filter(|name| !name.is_empty());
        Author {
            id: (!login.is_empty()).then(|| UserId::from(login)),
            name: real_name.cloned().or_else(|| (!login.is_empty()).then(|| login.to_owned())),
            role: self.role(login),
        }
    }

    fn queue(&self, number: &str) -> Option<QueueRef> {
        let name = self.queues.get(number).cloned();
        (!number.is_empty() && number != "0").then(|| QueueRef { id: QueueId::from(number), name })
    }

    fn owner(&self, number: &str) -> Option<UserId> {
        let login = self.users.get(number).map_or(number, String::as_str);
        (!login.is_empty() && login != NOBODY).then(|| UserId::from(login))
    }
}

/// To whom a transaction speaks, if it is a message.
pub(crate) fn visibility(kind: &str) -> Option<Visibility> {
    match kind {
        "Create" | "Correspond" => Some(Visibility::Public),
        "Comment" => Some(Visibility::Internal),
        _ => None,
    }
}

/// Whether a transaction sets the owner. The `SetWatcher` that comes with each of them says the same again.
pub(crate) fn sets_owner(transaction: &Transaction) -> bool {
    transaction.field == "Owner" && transaction.kind != "SetWatcher"
}

/// The history, oldest first. `texts`: what our own messages say, by transaction.
pub(crate) fn changes(transactions: &[Transaction], texts: &BTreeMap<u64, String>, names: &Names) -> Vec<Change> {
    transactions.iter().map(|transaction| change(transaction, texts, names)).collect()
}

fn change(transaction: &Transaction, texts: &BTreeMap<u64, String>, names: &Names) -> Change {
    let by = names.author(transaction);
    let actor = match by.role {
        Role::Us => Actor::Us,
        Role::Automation => Actor::Automation,
        Role::Customer | Role::Agent => Actor::Person,
        Role::Unknown => Actor::Unknown,
    };
    // A mark counts in a message of our own account only, and on its own ticket.
    let counts = actor == Actor::Us && names.is_own(transaction);
    let mark = texts.get(&transaction.id).filter(|_| counts).and_then(|text| Mark::in_text(text));
    Change {
        id: ChangeId::from(transaction.id),
        at: transaction.created,
        by,
        actor,
        mark,
        what: what(transaction, names),
    }
}

fn what(transaction: &Transaction, names: &Names) -> Vec<What> {
    let Transaction { kind, field, old, new, .. } = transaction;
    let message = || MessageId::from(transaction.id);
    if let Some(visibility) = visibility(kind) {
        let created = (kind == "Create" && names.is_own(transaction)).then_some(What::Created);
        return created.into_iter().chain([What::Said { visibility, message: message() }]).collect();
    }
    if !names.is_own(transaction) {
        // What was said there belongs to the case now; where that ticket lay and whose it was does not.
        return vec![What::Other(format!("{kind} {field} of ticket {}", transaction.object))];
    }
    let one = match (kind.as_str(), field.as_str()) {
        ("Set", "Queue") => What::Queue { from: names.queue(old), to: names.queue(new) },
        ("Set", "Priority") => What::Priority { to: new.trim().parse().ok().map(priority) },
        ("Status", _) | ("Set", "Status") => What::Status { from: status(old), to: status(new) },
        ("CustomField", number) if names.fields.get(number).is_some_and(|name| name == LABELS) => {
            // One transaction for each label that comes or goes.
            let label = |value: &str| (!value.is_empty()).then(|| value.to_owned()).into_iter().collect();
            What::Tags { added: label(new), removed: label(old) }
        }
        ("CustomField", number) => {
            What::Field { id: names.fields.get(number).cloned().unwrap_or_else(|| number.to_owned()) }
        }
        ("AddLink", "MergedInto") => return merged(transaction, names),
        _ if sets_owner(transaction) => What::Owner { from: names.owner(old), to: names.owner(new) },
        (kind, "") => What::Other(kind.to_owned()),
        (kind, field) => What::Other(format!("{kind} {field}")),
    };
    vec![one]
}

/// Both tickets of a merge have the same link, to the one that stays, and both histories show both.
fn merged(transaction: &Transaction, names: &Names) -> Vec<What> {
    let into = transaction.new.rsplit('/').next().filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()));
    let into = into.filter(|number| !number.is_empty());
    if into == Some(names.ticket.as_str()) {
        return vec![What::Other("AddLink MergedInto".into())];
    }
    vec![What::Merged { into: into.map(TicketId::from) }]
}

/// The texts among these parts that are worth reading.
pub(crate) fn texts_to_read(parts: &[Attachment]) -> Vec<u64> {
    parts.iter().filter(|part| is_text(part) && !is_too_large(part)).map(|part| part.id).collect()
}

/// A message's text is a part without a file name (RT sheet, *History, transactions, attachments*).
fn is_text(part: &Attachment) -> bool {
    part.name.is_empty() && ["text/plain", "text/html"].contains(&part.media_type.as_str())
}

fn is_too_large(part: &Attachment) -> bool {
    part.bytes.is_some_and(|bytes| bytes > LARGEST_TEXT)
}

/// The conversation, oldest first, from its transactions, their parts and the texts that were read, by part.
pub(crate) fn conversation(
    transactions: &[Transaction],
    parts: &[Attachment],
    texts: &BTreeMap<u64, String>,
    names: &Names,
    base: &str,
) -> Conversation {
    let mut by_transaction: BTreeMap<&str, Vec<&Attachment>> = BTreeMap::new();
    for part in parts {
        by_transaction.entry(&part.transaction).or_default().push(part);
    }
    let complete = !parts.iter().any(|part| is_text(part) && is_too_large(part));
    let message = |transaction: &Transaction| {
        let visibility = visibility(&transaction.kind)?;
        let number = transaction.id.to_string();
        let parts = by_transaction.get(number.as_str()).map(Vec::as_slice).unwrap_or_default();
        let text = text(parts, texts);
        let attachments: Vec<File> = parts.iter().filter_map(|part| file(part, base)).collect();
        // A ticket opened without a word has said nothing.
        if transaction.kind == "Create" && text.is_empty() && attachments.is_empty() {
            return None;
        }
        let said = match visibility {
            Visibility::Public => Said::Publicly(PublicText(text)),
            Visibility::Internal => Said::Internally(InternalText(text)),
        };
        let (id, author) = (MessageId::from(transaction.id), names.author(transaction));
        let by_machine = parts.first().map_or(Fact::Unknown, |first| by_machine(&first.headers));
        Some(Message { id, at: transaction.created, author, said, attachments, by_machine })
    };
    Conversation { messages: transactions.iter().filter_map(message).collect(), complete }
}

/// Whether a machine wrote a message, by the headers that RT keeps of it (seen on 5.0.3). RT notes what it takes for automatic
/// itself, and which way a message came in; of mail that shows no sign, a person wrote it.
fn by_machine(headers: &str) -> Fact<bool> {
    let says = |name: &str, word: &str| mail::header(headers, name).is_some_and(|said| said.eq_ignore_ascii_case(word));
    if mail::is_from_machine(headers) || says("RT-DetectedAutoGenerated", "true") {
        return Fact::Known(true);
    }
    let by_person = ["Email", "Web", "Mobile"].into_iter().any(|way| says("X-RT-Interface", way));
    if by_person || mail::header(headers, "Received").is_some() { Fact::Known(false) } else { Fact::Unknown }
}

/// The plain texts; where there is none, or only blank ones, the HTML as a reader would see it.
pub(crate) fn text(parts: &[&Attachment], texts: &BTreeMap<u64, String>) -> String {
    let of = |media_type: &str| -> Vec<String> {
        let these = parts.iter().filter(|part| is_text(part) && part.media_type == media_type);
        these.map(|part| shown(part, texts)).filter(|text| !text.is_empty()).collect()
    };
    let plain = of("text/plain");
    if plain.is_empty() { of("text/html").join("\n\n") } else { plain.join("\n\n") }
}

fn shown(part: &Attachment, texts: &BTreeMap<u64, String>) -> String {
    match texts.get(&part.id) {
        Some(html) if part.media_type == "text/html" => {
            html_to_text(html, usize::try_from(LARGEST_TEXT).unwrap_or(usize::MAX)).trim().to_owned()
        }
        Some(text) => text.replace("\r\n", "\n").trim().to_owned(),
        None => part.bytes.map_or_else(String::new, |bytes| format!("(a text of {bytes} bytes, not read)")),
    }
}

/// What is neither text nor the envelope around other parts is a file, named or not.
fn file(part: &Attachment, base: &str) -> Option<File> {
    if is_text(part) || part.media_type.starts_with("multipart/") {
        return None;
    }
    let name = if part.name.is_empty() { "untitled".to_owned() } else { part.name.clone() };
    let link = format!("{base}/Ticket/Attachment/{}/{}/{}", part.transaction, part.id, crate::api::segment(&name));
    let media_type = Some(part.media_type.clone()).filter(|media_type| !media_type.is_empty());
    Some(File { name, media_type, bytes: part.bytes, link: Some(link) })
}

#[cfg(test)]
mod tests;
