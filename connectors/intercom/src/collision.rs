//! A person's change between our read and our write. Intercom compares nothing, but its parts tell who assigned a conversation,
//! snoozed or opened it, in order: where somebody's part of the same kind stands between what was read and ours, theirs is put
//! back, unless somebody acted since.

use crate::api::Ask;
use crate::desk::IntercomDesk;
use crate::history::{self, Assigned};
use crate::parts::Read;
use crate::wire::{Conversation, Id, Part};
use crate::write::{By, UPDATE, Wanted, newer};
use handoffd_kit::collision::{Collision, PUT_BACK};
use handoffd_kit::error::DeskError;
use handoffd_kit::model::Status;
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// A snooze that is put back lasts a day: until when it was meant to, no part tells.
const SNOOZE_AGAIN: SignedDuration = SignedDuration::from_hours(24);

/// What a write covered.
#[derive(Debug, PartialEq)]
pub(crate) struct Covered {
    /// What that person had set.
    theirs: Wanted,
    /// Who that was, for people.
    who: String,
    /// Who acted on the same since.
    since: Option<String>,
}

impl Covered {
    /// What stands between what was read and ours; none: nothing of a person's.
    pub(crate) fn find(before: &Read, after: &Conversation, wanted: &Wanted) -> Option<Self> {
        let newer = newer(before, after.parts());
        let us = before.me.id;
        let ours = newer.iter().rposition(|part| history::is_by(part, us) && wanted.is_done_by(part))?;
        let by_person = |part: &&Part| wanted.is_set_by(part) && is_persons(part, us);
        let theirs = newer[..ours].iter().rfind(by_person)?;
        let since = newer[ours + 1..].iter().find(by_person).map(shown);
        Some(Self { theirs: undone(theirs)?, who: shown(theirs), since })
    }

    fn what(&self) -> &'static str {
        match self.theirs {
            Wanted::Slot(Assigned::Team(_)) => "team",
            Wanted::Slot(Assigned::Admin(_)) => "admin",
            _ => "state",
        }
    }
}

/// Whether a teammate or a customer did it, and neither we nor a bot.
fn is_persons(part: &Part, us: Id) -> bool {
    let author = part.author.get();
    let kind = author.and_then(|author| author.kind.get()).map(String::as_str);
    let machine =
        matches!(kind, Some("bot" | "team")) || author.is_some_and(|one| one.from_ai_agent.get() == Some(&true));
    !machine && !history::is_by(part, us)
}

fn shown(part: &Part) -> String {
    let author = part.author.get();
    let id = author.and_then(|author| author.id.get()).map(|key| format!("Intercom {}", key.0));
    id.unwrap_or_else(|| "somebody".to_owned())
}

/// What a part had set, as a wish to set it again.
fn undone(part: &Part) -> Option<Wanted> {
    if let Some(to) = history::assigned(part) {
        return Some(Wanted::Slot(to));
    }
    history::sets_status(part).map(|status| {
        Wanted::State(match status {
            Status::Pending => "snoozed",
            Status::Solved | Status::Closed => "closed",
            _ => "open",
        })
    })
}

impl IntercomDesk {
    /// Puts back what a write covered, unless anybody acted since; and says what it came to.
    pub(crate) async fn put_back(&self, covered: Covered, us: Id, by: By<'_>) -> DeskError {
        let what = covered.what();
        let happened = format!("{} changed the {what} in the moment before our write", covered.who);
        let seen_in = "the conversation in Intercom";
        let collision = Collision { operation: UPDATE, happened, what: what.to_owned(), seen_in };
        if let Some(acted) = &covered.since {
            return collision.acted_since(acted);
        }
        let until = self.api.gate().now().saturating_add(SNOOZE_AGAIN).unwrap_or(Timestamp::MAX);
        let body = covered.theirs.body(us, until);
        let ask = Ask::write(PUT_BACK, Method::POST, format!("conversations/{}/parts", by.id), body);
        let sent = self.api.json::<Value>(&ask.deadline(by.write.deadline)).await;
        collision.put_back(sent.map(|raw| covered.theirs.is_shown_by(&serde_json::from_value(raw).unwrap_or_default())))
    }
}
