//! Writing, one thing at a time: read (version, ending) → write → read again and compare.
//!
//! A 200 proves nothing on RT, and its version check has a gap. What is believed is the ticket's own history from the
//! version that the write expected: our transaction in it is the proof, somebody else's of the same thing before ours
//! is a collision, which is put back. Queue and owner never go into one request: RT would set the owner first
//! (RT sheet, *Changing*).

use crate::api::Ask;
use crate::normalise::{NOBODY, SYSTEM};
use crate::read::{Account, Kinds, number};
use crate::refusals::{refused, right, shown};
use crate::wire::Transaction;
use crate::wish::{Numbers, Wish};
use handoffd_kit::collision::{Collision, PUT_BACK};
use handoffd_kit::desk::{DeskChange, OwnerSpec, Receipt, Update, Write};
use handoffd_kit::error::{DeskError, DeskErrorKind, Result, Retry};
use handoffd_kit::id::Version;
use handoffd_kit::model::{Ending, FieldValue, TicketHead};
use handoffd_kit::text::cut_keeping;
use jiff::Timestamp;
use std::collections::BTreeSet;

/// The largest message that we write, in bytes: RT takes ten megabytes, people read less.
pub(crate) const NOTE_MAX_BYTES: usize = 60_000;

const OPERATION: &str = "apply write";

/// How often labels are read and written anew when somebody else was faster.
const LABEL_TRIES: usize = 3;

impl Account {
    /// Carries one write out.
    pub async fn apply(&self, write: &Write) -> Result<Receipt> {
        let DeskChange::Tags { add, remove } = &write.change else {
            let wish = self.wish(write).await?;
            let before = self.head(&write.ticket, write.deadline).await?;
            return self.grant(write, &wish, before).await;
        };
        let mut tries = 1;
        loop {
            let before = self.head(&write.ticket, write.deadline).await?;
            let wish = labels(&before, add, remove);
            match self.grant(write, &wish, before).await {
                // Labels do not depend on what else changed, unless the write says so.
                Err(error)
                    if error.kind == DeskErrorKind::Conflict && write.expected.is_none() && tries < LABEL_TRIES =>
                {
                    tries += 1;
                }
                answer => return answer,
            }
        }
    }

    /// What a write wants, in RT's terms.
    pub async fn wish(&self, write: &Write) -> Result<Wish> {
        match &write.change {
            DeskChange::Reply(reply) => Ok(Wish::Reply(cut_keeping(&reply.text.0, "", NOTE_MAX_BYTES))),
            DeskChange::Update(update) => self.wish_of(write, update).await,
            DeskChange::Tags { add, remove } => {
                Ok(labels(&self.head(&write.ticket, write.deadline).await?, add, remove))
            }
        }
    }

    async fn wish_of(&self, write: &Write, update: &Update) -> Result<Wish> {
        if !update.followers.is_empty() {
            let error = DeskError::new(DeskErrorKind::Refused, Retry::Never, OPERATION);
            return Err(error.words("RT takes no followers one by one"));
        }
        let mut wishes = Vec::new();
        wishes.extend(update.note.as_ref().map(|note| Wish::Note(note_to_write(&note.0, write))));
        wishes.extend(update.queue.clone().map(Wish::Queue));
        if let Some(owner) = &update.owner {
            wishes.push(Wish::Owner(self.login(owner, write.deadline).await?));
        }
        wishes.extend(update.priority.map(Wish::Priority));
        wishes.extend(update.status.clone().map(Wish::Status));
        if !update.fields.is_empty() {
            wishes.push(Wish::Fields(update.fields.clone()));
        }
        match <[Wish; 1]>::try_from(wishes) {
            Ok([wish]) => Ok(wish),
            Err(wishes) => {
                let words = format!("{} things in one write; RT does one safely", wishes.len());
                Err(DeskError::new(DeskErrorKind::Refused, Retry::Never, OPERATION).words(words))
            }
        }
    }

    async fn login(&self, owner: &OwnerSpec, deadline: Timestamp) -> Result<String> {
        match owner {
            OwnerSpec::Nobody => Ok(NOBODY.to_owned()),
            OwnerSpec::User(user) if user.as_str().bytes().all(|byte| byte.is_ascii_digit()) => {
                // Some write the user's number: everything else on RT goes by name.
                let person = self.catalog.person(&self.api, user.as_str(), deadline).await?;
                Ok(person.map_or_else(|| user.to_string(), |person| person.name.clone()))
            }
            OwnerSpec::User(login) => Ok(login.to_string()),
            OwnerSpec::Email(email) => self.catalog.login_of(&self.api, email, deadline).await?.ok_or_else(|| {
                let error = DeskError::new(DeskErrorKind::Refused, Retry::Never, "find person");
                error
                    .words("RT shows no single user with the wanted mail address")
                    .next_step("give the person's RT user name in the configuration instead of the address")
            }),
        }
    }

    async fn grant(&self, write: &Write, wish: &Wish, before: TicketHead) -> Result<Receipt> {
        takes_writes(&before)?;
        if write.expected.as_ref().is_some_and(|expected| *expected != before.version) {
            return Err(conflict("the ticket changed since it was read"));
        }
        if wish.shows(&before) {
            return Ok(as_it_was(before));
        }
        let made = self.send(write, wish, &before.version).await?;
        let seen = Seen { before: &before, sentences: made.sentences, transaction: made.transaction };
        match self.head(&write.ticket, write.deadline).await {
            Ok(after) => self.judge(write, wish, seen, after).await,
            Err(error) => seen.without_sight(wish, error),
        }
    }

    async fn send(&self, write: &Write, wish: &Wish, version: &Version) -> Result<crate::api::Written> {
        let ask =
            |path: &str| Ask::new(OPERATION, format!("/ticket/{}{path}", write.ticket), write.deadline).begins(write);
        let sent = match wish {
            Wish::Note(_) => self.api.post(ask("/comment"), &wish.body()).await,
            Wish::Reply(_) => self.api.post(ask("/correspond"), &wish.body()).await,
            _ => self.api.put(ask(""), &wish.body(), version.as_str()).await,
        };
        sent.map_err(|error| match error.kind {
            DeskErrorKind::Forbidden => error.next_step(right(wish)),
            DeskErrorKind::Conflict => DeskError { words: "the ticket changed since it was read".into(), ..error },
            _ => error,
        })
    }

    /// What the history says about a write that was answered with success.
    async fn judge(&self, write: &Write, wish: &Wish, seen: Seen<'_>, after: TicketHead) -> Result<Receipt> {
        let (base, newest) = (number(&seen.before.version), number(&after.version));
        let read = async {
            let since = self.transactions(&write.ticket, Kinds::All, base, newest, write.deadline).await?;
            let numbers = self.numbers(&since, write.deadline).await?;
            Ok((since, numbers, self.me(write.deadline).await?))
        };
        let (since, numbers, me) = match read.await {
            Ok(read) => read,
            Err(error) => return seen.without_sight(wish, error),
        };
        let ours = seen.transaction.or_else(|| {
            let done = |one: &&Transaction| one.creator.login() == me && wish.is_done_by(one, &numbers);
            since.iter().rfind(done).map(|one| one.id)
        });
        let shown = wish.shows(&after);
        let id = match (ours, wish) {
            // Several fields in one request can come out differently.
            (Some(_), Wish::Fields(fields)) if !shown && !all_written(fields, &after, &since, &me, &numbers) => {
                return Err(refused(wish, OPERATION, &seen.sentences));
            }
            (Some(id), _) => id,
            (None, _) if shown => newest,
            (None, _) => return Err(refused(wish, OPERATION, &seen.sentences)),
        };
        if let Some(theirs) = covered(wish, &since, id, &me, &numbers) {
            let acted = acted_since(wish, &since, id, &me, &numbers);
            return Err(self.put_back(write, wish, theirs, acted, &after, &numbers).await);
        }
        let version = Version::from(undisturbed(&since, base, &me, &numbers));
        Ok(Receipt { id: id.to_string(), version: Some(version), head: Some(Box::new(after)) })
    }

    /// Puts a person's change back that ours covered, unless somebody acted since; and says what it came to.
    async fn put_back(
        &self,
        write: &Write,
        wish: &Wish,
        theirs: &Transaction,
        acted: Option<&Transaction>,
        after: &TicketHead,
        numbers: &Numbers,
    ) -> DeskError {
        let what = wish.noun();
        let happened = format!("{} changed the {what} at the same moment", theirs.creator.login());
        let collision =
            Collision { operation: OPERATION, happened, what: what.to_owned(), seen_in: "the ticket's history in RT" };
        if let Some(acted) = acted {
            return collision.acted_since(acted.creator.login());
        }
        let Some(body) = wish.restoring(theirs, numbers) else {
            // Labels are read and written anew; anything else that ours covered waits for a person.
            return match wish {
                Wish::Labels(_) => conflict(format!("{}; they are read and written again", collision.happened)),
                _ => collision.covers("theirs could not be put back, RT does not show it"),
            };
        };
        let ask = Ask::new(PUT_BACK, format!("/ticket/{}", write.ticket), write.deadline);
        let sentences = match self.api.put(ask, &body, after.version.as_str()).await {
            Ok(made) => made.sentences,
            // It may have been done: the ticket tells.
            Err(error) if error.retry == Retry::Unsure => Vec::new(),
            Err(error) => return collision.put_back(Err(error)),
        };
        // RT answers its refusals with 200, too.
        let said = match shown(wish, &sentences) {
            said if said.is_empty() => String::new(),
            said => format!("; RT said: {said}"),
        };
        match (wish.restored(theirs, numbers), self.head(&write.ticket, write.deadline).await) {
            (Some(theirs), Ok(head)) if theirs.shows(&head) => collision.put_back(Ok(true)),
            (Some(_), Ok(_)) => collision.covers(&format!("the ticket does not show theirs, put back or not{said}")),
            (None, _) => collision.covers(&format!("whether theirs was put back is not known{said}")),
            (_, Err(error)) => {
                collision.covers(&format!("whether theirs was put back is not known{said}; reading it again: {error}"))
            }
        }
    }

    /// What the numbers in these transactions mean.
    pub async fn numbers(&self, transactions: &[Transaction], deadline: Timestamp) -> Result<Numbers> {
        let mut numbers = Numbers::default();
        if transactions.iter().any(|one| one.field == "Queue") {
            numbers.queues = self.catalog.queues(&self.api, deadline).await?.names.clone();
        }
        if transactions.iter().any(|one| one.kind == "CustomField") {
            numbers.fields = self.catalog.fields(&self.api, deadline).await?.as_ref().clone();
        }
        for owner in transactions.iter().filter(|one| crate::history::sets_owner(one)).map(|one| &one.new) {
            if let Some(person) = self.catalog.person(&self.api, owner, deadline).await? {
                numbers.users.insert(owner.clone(), person.name.clone());
            }
        }
        Ok(numbers)
    }
}

/// The labels that a ticket has afterwards.
fn labels(before: &TicketHead, add: &[String], remove: &[String]) -> Wish {
    let mut labels: BTreeSet<String> = before.tags.known().into_iter().flatten().cloned().collect();
    labels.extend(add.iter().cloned());
    labels.retain(|label| !remove.contains(label));
    Wish::Labels(labels)
}

/// A write that was answered with success.
struct Seen<'a> {
    before: &'a TicketHead,
    sentences: Vec<String>,
    transaction: Option<u64>,
}

impl Seen<'_> {
    /// The write was taken and the ticket cannot be read afterwards.
    fn without_sight(self, wish: &Wish, error: DeskError) -> Result<Receipt> {
        let receipt = |id: String| Receipt { id, version: None, head: None };
        if let Some(transaction) = self.transaction {
            return Ok(receipt(transaction.to_string()));
        }
        // A move into a queue where we see nothing: the sentence is all the proof there will ever be.
        let blind = [DeskErrorKind::Hidden, DeskErrorKind::NotFound, DeskErrorKind::Forbidden].contains(&error.kind);
        let moved = matches!(wish, Wish::Queue(_)) && self.sentences.iter().any(|said| said.contains("Queue changed"));
        if blind && moved {
            return Ok(receipt(self.before.version.to_string()));
        }
        if blind {
            return Err(refused(wish, OPERATION, &self.sentences));
        }
        Err(DeskError { retry: Retry::Unsure, ..error })
    }
}

/// What is written of a note: cut where it is too long, its mark always whole.
fn note_to_write(text: &str, write: &Write) -> String {
    let mark = write.mark.to_string();
    match text.trim_end().strip_suffix(&mark) {
        Some(words) => cut_keeping(words.trim_end(), &format!("\n\n{mark}"), NOTE_MAX_BYTES),
        None => cut_keeping(text, "", NOTE_MAX_BYTES),
    }
}

/// RT writes to merged tickets' targets and to deleted tickets without a word: it is for us to see.
fn takes_writes(head: &TicketHead) -> Result<()> {
    let words = match &head.ending {
        None => return Ok(()),
        Some(Ending::Merged { into: Some(into) }) => format!("the ticket is part of ticket {into} now"),
        Some(Ending::Merged { into: None }) => "the ticket is part of another one now".into(),
        Some(_) => "the ticket was deleted".into(),
    };
    Err(DeskError::new(DeskErrorKind::Gone, Retry::Never, OPERATION).words(words))
}

fn as_it_was(head: TicketHead) -> Receipt {
    Receipt { id: head.version.to_string(), version: Some(head.version.clone()), head: Some(Box::new(head)) }
}

fn conflict(words: impl Into<String>) -> DeskError {
    DeskError::new(DeskErrorKind::Conflict, Retry::Never, OPERATION).words(words)
}

/// Whether each field shows what was wanted, or was set by us and then by somebody else.
fn all_written(
    fields: &[(String, FieldValue)],
    after: &TicketHead,
    since: &[Transaction],
    me: &str,
    numbers: &Numbers,
) -> bool {
    fields.iter().all(|field| {
        let alone = Wish::Fields(vec![field.clone()]);
        alone.shows(after) || since.iter().any(|one| one.creator.login() == me && alone.touches(one, numbers))
    })
}

/// Whether this is a person's change of what is wished.
fn is_persons(one: &Transaction, wish: &Wish, me: &str, numbers: &Numbers) -> bool {
    ![me, SYSTEM].contains(&one.creator.login()) && wish.touches(one, numbers)
}

/// A person's change of the same thing that ours, with this number, came after.
fn covered<'a>(
    wish: &Wish,
    since: &'a [Transaction],
    ours: u64,
    me: &str,
    numbers: &Numbers,
) -> Option<&'a Transaction> {
    if matches!(wish, Wish::Note(_) | Wish::Reply(_)) {
        return None;
    }
    since.iter().take_while(|one| one.id < ours).filter(|one| is_persons(one, wish, me, numbers)).last()
}

/// A person's change of the same thing after ours: what they decided stands, whoever they are.
fn acted_since<'a>(
    wish: &Wish,
    since: &'a [Transaction],
    ours: u64,
    me: &str,
    numbers: &Numbers,
) -> Option<&'a Transaction> {
    since.iter().rev().take_while(|one| one.id > ours).find(|one| is_persons(one, wish, me, numbers))
}

/// The newest transaction up to which nothing but our write and RT's own follow-ups happened: what the next write may
/// expect. What somebody else did in between must not hide behind it.
fn undisturbed(since: &[Transaction], base: u64, me: &str, numbers: &Numbers) -> u64 {
    let follows = |one: &Transaction| {
        let login = one.creator.login();
        // RT takes an owner off who may not own in the new queue, and moves dates and states by itself.
        let drops_owner = numbers.users.get(&one.new).is_some_and(|name| name == NOBODY);
        let decides = one.field == "Queue" || (one.field == "Owner" && !drops_owner);
        login == me || (login == SYSTEM && !decides)
    };
    since.iter().take_while(|one| follows(one)).last().map_or(base, |one| one.id)
}

#[cfg(test)]
mod tests;
