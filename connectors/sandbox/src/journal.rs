//! What was asked of the helpdesk and what was done on it: tests count from here, never from what handoffd says.

use crate::ids::{ChangeNo, PersonNo, TicketNo};
use crate::people::Role;
use crate::store::Helpdesk;
use crate::ticket::{Cause, Change, Event, Ticket, Visibility, What};
use jiff::Timestamp;
use serde::Serialize;

/// Everything that was asked and done, in order.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Journal {
    /// Every request that came in, or was lost on its way.
    pub requests: Vec<Asked>,
    /// Everything that was done to tickets, by whomever.
    pub effects: Vec<Effect>,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Fetches a token.
    Login,
    /// Reads.
    Read,
    /// Changes something.
    Write,
}

/// One request.
#[derive(Clone, Debug, Serialize)]
pub struct Asked {
    /// When.
    pub at: Timestamp,
    /// The method.
    pub method: String,
    /// Path and query.
    pub path: String,
    /// What it is called in the dialect.
    pub operation: &'static str,
    /// What it is for.
    pub kind: Kind,
    /// The ticket it is about, where its path names one.
    pub ticket: Option<TicketNo>,
    /// The status that was answered, or would have been; none: the helpdesk never saw it.
    pub status: Option<u16>,
    /// What went wrong on purpose.
    pub fault: Option<&'static str>,
    /// Whether no answer arrived.
    pub answer_lost: bool,
}

/// One thing that was done to a ticket.
#[derive(Clone, Debug, Serialize)]
pub struct Effect {
    /// When.
    pub at: Timestamp,
    /// To which ticket.
    pub ticket: TicketNo,
    /// With which change.
    pub change: ChangeNo,
    /// By whom: their login.
    pub by: String,
    /// What they are.
    pub role: Role,
    /// What made it happen.
    pub cause: Cause,
    /// What was done, in the words of [`What::name`].
    pub what: &'static str,
    /// What was there before, by its name.
    pub from: Option<String>,
    /// What is there now, by its name.
    pub to: Option<String>,
    /// Who can see what was said.
    pub visibility: Option<Visibility>,
    /// What was said, as plain text.
    pub text: Option<String>,
}

impl Journal {
    /// Requests of a kind.
    pub fn count(&self, kind: Kind) -> usize {
        self.requests.iter().filter(|asked| asked.kind == kind).count()
    }

    /// What was said on a ticket after it was opened, by somebody.
    pub fn said_by<'a>(&'a self, ticket: TicketNo, login: &'a str) -> impl Iterator<Item = &'a Effect> + 'a {
        self.effects.iter().filter(move |effect| effect.ticket == ticket && effect.by == login && effect.text.is_some())
    }

    /// Everything that was done to a ticket.
    pub fn of(&self, ticket: TicketNo) -> impl Iterator<Item = &Effect> {
        self.effects.iter().filter(move |effect| effect.ticket == ticket)
    }

    /// The journal as JSON, for people and scripts.
    ///
    /// # Errors
    /// None in practice: everything in it has a JSON form.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }
}

impl Effect {
    /// How an event of a change is written down.
    pub(crate) fn of(desk: &Helpdesk, ticket: &Ticket, change: &Change, event: &Event) -> Self {
        let by = desk.person(change.by);
        let (from, to) = shown(desk, &event.what);
        let said = match event.what {
            What::Said(no) => ticket.messages.iter().rev().find(|message| message.no == no),
            _ => None,
        };
        Self {
            at: change.at,
            ticket: ticket.no,
            change: change.no,
            by: by.map_or_else(|| change.by.to_string(), |person| person.login.clone()),
            role: by.map_or(Role::System, |person| person.role),
            cause: event.cause.clone(),
            what: event.what.name(),
            from,
            to,
            visibility: said.map(|message| message.visibility),
            text: said.map(|message| message.body.text()),
        }
    }
}

/// Before and after as people would say it.
fn shown(desk: &Helpdesk, what: &What) -> (Option<String>, Option<String>) {
    let queue = |no: &Option<_>| no.and_then(|no| desk.queues.get(&no)).map(|queue| queue.name.clone());
    let owner = |no: &Option<PersonNo>| no.and_then(|no| desk.person(no)).map(|person| person.login.clone());
    match what {
        What::Queue(moved) => (queue(&moved.from), queue(&moved.to)),
        What::Owner(moved) => (owner(&moved.from), owner(&moved.to)),
        What::Status(moved) => (Some(moved.from.name().into()), Some(moved.to.name().into())),
        What::Priority(moved) | What::Kind(moved) => (moved.from.clone(), moved.to.clone()),
        What::Subject(moved) => (Some(moved.from.clone()), Some(moved.to.clone())),
        What::Tags(moved) => {
            let line = |tags: &std::collections::BTreeSet<String>| tags.iter().cloned().collect::<Vec<_>>().join(" ");
            (Some(line(&moved.from)), Some(line(&moved.to)))
        }
        What::Field(no, moved) => {
            let name = desk.fields.get(no).map_or_else(|| no.to_string(), |field| field.name.clone());
            let line = |values: &[String]| format!("{name}: {}", values.join(", "));
            (Some(line(&moved.from)), Some(line(&moved.to)))
        }
        What::Extra(key, moved) => {
            let line = |value: &Option<String>| value.as_ref().map(|value| format!("{key}: {value}"));
            (line(&moved.from), line(&moved.to))
        }
        What::Merged(into) => (None, Some(into.to_string())),
        What::Created(_) | What::Said(_) | What::Deleted => (None, None),
    }
}
