//! Writing: one thing in one call, each after a read of its own (Intercom sheet, *Write-back*).
//!
//! Intercom compares nothing, so the conversation is read right before each write and compared with what it was decided on; a
//! write that the gate held back longer is not sent: the conversation is read again. The answer to a write is the conversation.
//! Whether it holds all parts or the new one alone is not verified: where it lacks any, the conversation is read once more. The
//! parts then prove the write, tell whether a note came out internal, and whether somebody's change was covered.

use crate::api::{Ask, conversation_id};
use crate::desk::IntercomDesk;
use crate::history::{self, Assigned};
use crate::limits::NOTE_BYTES;
use crate::normalise::slot;
use crate::parts::Read;
use crate::people::unlisted;
use crate::wire::{Conversation, Id, Part};
use handoffd_kit::desk::{DeskChange, OwnerSpec, PublicReply, QueueSpec, Receipt, Update, Write};
use handoffd_kit::error::{DeskError, DeskErrorKind, Result, Retry};
use handoffd_kit::gate::Freshness;
use handoffd_kit::model::{Ending, FieldValue, PublicText, Status, TicketHead, Visibility};
use handoffd_kit::text::{html_of_note, html_of_words};
use http::Method;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

pub(crate) const UPDATE: &str = "update conversation";
const NOTE: &str = "add note";
const REPLY: &str = "send public reply";

/// A snooze wants an instant, at which Intercom opens the conversation. A pause ends by itself before that.
const SNOOZE_FOR: SignedDuration = SignedDuration::from_hours(14 * 24);

/// The state that waits.
const SNOOZED: &str = "snoozed";

/// The one thing that an update sets, in Intercom's terms.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Wanted {
    Nothing,
    /// An internal note, as HTML.
    Note(String),
    /// Whom it is assigned to.
    Slot(Assigned),
    /// `snoozed` or `open`.
    State(&'static str),
    Attributes(Vec<(String, FieldValue)>),
}

impl IntercomDesk {
    /// Carries a write out.
    pub(crate) async fn carry_out(&self, write: &Write) -> Result<Receipt> {
        let id = conversation_id(&write.ticket, UPDATE)?;
        // What the configuration names is looked up first: the conversation is read last, right before the write.
        let wanted = match &write.change {
            DeskChange::Update(update) => self.wanted(update, write).await?,
            DeskChange::Reply(_) | DeskChange::Tags { .. } => Wanted::Nothing,
        };
        let mut fresh = None;
        loop {
            let before = self.read(id, write.deadline).await?;
            let read = Freshness::of_read(self.api.gate(), fresh);
            let head = before.head().ok_or_else(|| odd(UPDATE, "the answer is no conversation"))?;
            takes_writes(&head)?;
            write.as_decided(&head, UPDATE)?;
            let by = By { write, latest: read.latest(), id };
            match self.send_out(&wanted, &before, head, by).await {
                Err(error) if read.is_over(self.api.gate(), &error) => fresh = Some(read),
                ended => return ended,
            }
        }
    }

    /// Sends a write for a conversation that was read a moment ago.
    async fn send_out(&self, wanted: &Wanted, before: &Read, head: TicketHead, by: By<'_>) -> Result<Receipt> {
        match (&by.write.change, wanted) {
            (DeskChange::Reply(reply), _) => self.reply(reply, before, by).await,
            (DeskChange::Tags { add, remove }, _) => self.change_tags(before, head, (add, remove), by).await,
            (DeskChange::Update(_), Wanted::Note(html)) => self.add_note(html, before, by).await,
            (DeskChange::Update(_), wanted) if wanted.is_shown_by(&before.sent) => Ok(Receipt::shown_by(head)),
            (DeskChange::Update(_), Wanted::Attributes(fields)) => self.put(fields, wanted, before, by).await,
            (DeskChange::Update(_), wanted) => self.manage(wanted, before, by).await,
        }
    }

    /// The one thing that an update sets: two calls are no one write.
    pub(crate) async fn wanted(&self, update: &Update, write: &Write) -> Result<Wanted> {
        if !update.followers.is_empty() {
            return Err(refused("handoffd adds no participants on Intercom"));
        }
        if update.priority.is_some() {
            return Err(refused("a conversation's priority cannot be set through Intercom's API")
                .next_step("Set it by hand, or let a workflow of Intercom's set it by a tag or an attribute"));
        }
        let mut all = Vec::new();
        if let Some(note) = &update.note {
            all.push(Wanted::Note(html_of_note(&note.0, &write.mark, NOTE_BYTES)));
        }
        if let Some(queue) = &update.queue {
            all.push(Wanted::Slot(Assigned::Team(Some(self.team(queue, write.deadline).await?))));
        }
        if let Some(owner) = &update.owner {
            all.push(Wanted::Slot(Assigned::Admin(self.admin(owner, write.deadline).await?)));
        }
        if let Some(status) = &update.status {
            let known = [SNOOZED, "open"].into_iter().find(|word| *word == status.word);
            let state = known.ok_or_else(|| refused(format!("no state {:?} is set here", status.word)))?;
            all.push(Wanted::State(state));
        }
        if !update.fields.is_empty() {
            all.push(Wanted::Attributes(update.fields.clone()));
        }
        match (all.pop(), all.is_empty()) {
            (None, _) => Ok(Wanted::Nothing),
            (Some(one), true) => Ok(one),
            (Some(_), false) => Err(refused("several things in one write; Intercom does each in a call of its own")),
        }
    }

    /// The team that a team's queue means.
    pub(crate) async fn team(&self, queue: &QueueSpec, deadline: Timestamp) -> Result<Id> {
        let found = match queue {
            QueueSpec::Id(id) => Id::read(id).filter(|id| id.is_record()),
            QueueSpec::Name(name) => self.people.team_named(&self.api, name, deadline).await?,
        };
        found.ok_or_else(|| {
            refused(format!("Intercom has no team {:?} that our app can see", queue.shown()))
                .next_step("Write the team's name in the team's `queue` exactly as Settings, Teams shows it, or its id")
        })
    }

    async fn admin(&self, owner: &OwnerSpec, deadline: Timestamp) -> Result<Option<Id>> {
        match owner {
            OwnerSpec::Nobody => Ok(None),
            OwnerSpec::User(user) => {
                let id = Id::read(user.as_str()).filter(|id| id.is_record()).ok_or_else(|| {
                    refused(format!("Intercom knows a teammate by a number, not by {:?}", user.as_str()))
                        .next_step("Write the teammate's id as it stands in the address of their profile")
                })?;
                Ok(Some(id))
            }
            OwnerSpec::Email(email) => {
                let admins = self.people.admins(&self.api, &[], deadline).await?;
                let admins = admins.as_deref().ok_or_else(|| unlisted("find teammate"))?;
                let has = |admin: &crate::wire::Admin| {
                    admin.email.get().is_some_and(|known| known.eq_ignore_ascii_case(email))
                };
                let found = admins.iter().find(|(_, admin)| has(admin)).map(|(id, _)| *id);
                found.map(Some).ok_or_else(|| {
                    refused("no teammate has the wanted mail address")
                        .next_step("Correct the person's address in the configuration")
                })
            }
        }
    }

    async fn add_note(&self, html: &str, before: &Read, by: By<'_>) -> Result<Receipt> {
        let body =
            json!({ "message_type": "note", "type": "admin", "admin_id": before.me.id.to_string(), "body": html });
        let ask = by.on(Ask::write(NOTE, Method::POST, format!("conversations/{}/reply", by.id), body));
        let key = by.write.mark.key();
        let (part, after) =
            self.said(&ask, before, by, |parts| history::marked(parts, before.me.id, &key).cloned()).await?;
        match history::visibility(&part) {
            Visibility::Internal => Ok(receipt(&part, after.as_ref(), by.id)),
            Visibility::Public => Err(DeskError::leaked(NOTE, by.id)),
        }
    }

    async fn reply(&self, reply: &PublicReply, before: &Read, by: By<'_>) -> Result<Receipt> {
        let PublicText(words) = &reply.text;
        let html = html_of_words(words, "", NOTE_BYTES);
        let body =
            json!({ "message_type": "comment", "type": "admin", "admin_id": before.me.id.to_string(), "body": html });
        let ask = by.on(Ask::write(REPLY, Method::POST, format!("conversations/{}/reply", by.id), body));
        let us = before.me.id;
        let fresh = |parts: &[Part]| newer(before, parts);
        let ours = |parts: &[Part]| history::replied(&fresh(parts), us, words, Timestamp::MIN).cloned();
        let (part, after) = self.said(&ask, before, by, ours).await?;
        if history::visibility(&part) == Visibility::Internal {
            return Err(DeskError::untold(REPLY, by.id));
        }
        if history::is_shown_as_markup(&part, words) {
            return Err(DeskError::new(DeskErrorKind::Refused, Retry::Applied, REPLY)
                .words("the customer was told, and sees HTML tags around the words: this workspace takes comments as plain text")
                .next_step("Report this: the connector sends comments as HTML, as Intercom's examples show them"));
        }
        Ok(receipt(&part, after.as_ref(), by.id))
    }

    /// Sends something that is said, and finds its part: in the answer, or in the conversation as everybody sees it. Until it was
    /// seen, the write is not proven.
    async fn said(
        &self,
        ask: &Ask,
        before: &Read,
        by: By<'_>,
        ours: impl Fn(&[Part]) -> Option<Part>,
    ) -> Result<(Part, Option<Read>)> {
        let after = self.answered(ask, by).await?;
        if let Some(part) = ours(after.sent.parts()) {
            let whole = is_whole(before, &after.sent);
            return Ok((part, whole.then_some(after)));
        }
        let unsure = |error: DeskError| DeskError { retry: Retry::Unsure, ..error };
        let after = self.read(by.id, by.write.deadline).await.map_err(unsure)?;
        match ours(after.sent.parts()) {
            Some(part) => Ok((part, Some(after))),
            None => Err(ask.malformed("what was sent is not among the conversation's parts")),
        }
    }

    /// The conversation as the answer to a write shows it.
    async fn answered(&self, ask: &Ask, by: By<'_>) -> Result<Read> {
        let raw: Value = self.api.json(ask).await?;
        let unsure = |error: DeskError| DeskError { retry: Retry::Unsure, ..error };
        let read = self.with_names(raw, by.id, by.write.deadline).await.map_err(unsure)?;
        read.ok_or_else(|| ask.malformed("the answer is not the conversation that was written"))
    }

    /// Assigns, snoozes or opens.
    async fn manage(&self, wanted: &Wanted, before: &Read, by: By<'_>) -> Result<Receipt> {
        let body = wanted.body(before.me.id, self.snooze_ends(None));
        let ask = by.on(Ask::write(UPDATE, Method::POST, format!("conversations/{}/parts", by.id), body));
        let answer = self.answered(&ask, by).await?;
        let shown = wanted.is_shown_by(&answer.sent);
        let after = match is_whole(before, &answer.sent) {
            true => Some(answer),
            // The answer itself proves it; what else happened meanwhile is read where it can be.
            false => self.read(by.id, by.write.deadline).await.ok(),
        };
        if let Some(after) = &after
            && let Some(covered) = crate::collision::Covered::find(before, &after.sent, wanted)
        {
            return Err(self.put_back(covered, before.me.id, by).await);
        }
        let later = after.as_ref().is_some_and(|after| acted_on_since(before, &after.sent, wanted));
        if !shown && !later {
            return Err(DeskError::new(DeskErrorKind::Refused, Retry::Applied, UPDATE)
                .words("Intercom took the change, and the conversation does not show it")
                .next_step("Look at the conversation: a workflow or an assignment rule may have changed it at once"));
        }
        match after {
            Some(after) if woke_up(before, &after, wanted) => self.snooze_again(before, by).await,
            after => Ok(proven(after.as_ref(), by.id)),
        }
    }

    /// When a snooze ends: as it was meant to, or two weeks from now.
    fn snooze_ends(&self, meant: Option<Timestamp>) -> Timestamp {
        let now = self.api.gate().now();
        meant.filter(|at| *at > now).unwrap_or_else(|| now.saturating_add(SNOOZE_FOR).unwrap_or(Timestamp::MAX))
    }

    /// An assignment may wake a snoozed conversation up (not verified; of closed ones the vendor's examples show it): whoever moves
    /// a case does not end its pause.
    async fn snooze_again(&self, before: &Read, by: By<'_>) -> Result<Receipt> {
        let until = self.snooze_ends(before.sent.snoozed_until.get().map(|at| at.0));
        let body = Wanted::State(SNOOZED).body(before.me.id, until);
        let ask = Ask::write(UPDATE, Method::POST, format!("conversations/{}/parts", by.id), body);
        match self.answered(&ask.deadline(by.write.deadline), by).await {
            Ok(after) => Ok(proven(Some(&after).filter(|after| is_whole(before, &after.sent)), by.id)),
            Err(error) => Err(DeskError::new(DeskErrorKind::Refused, Retry::Applied, UPDATE)
                .words(format!("the assignment was made and opened the conversation, which was snoozed: {error}"))
                .next_step("Snooze the conversation again by hand, if it should sleep on")),
        }
    }

    async fn put(
        &self,
        fields: &[(String, FieldValue)],
        wanted: &Wanted,
        before: &Read,
        by: By<'_>,
    ) -> Result<Receipt> {
        let attributes: Map<String, Value> = fields.iter().map(|(name, value)| (name.clone(), value.json())).collect();
        let body = json!({ "custom_attributes": attributes });
        let ask = by.on(Ask::write(UPDATE, Method::PUT, format!("conversations/{}", by.id), body));
        let answer = self.answered(&ask, by).await?;
        if !wanted.is_shown_by(&answer.sent) {
            return Err(DeskError::new(DeskErrorKind::Refused, Retry::Applied, UPDATE)
                .words("Intercom took the attributes, and the conversation does not show them as they were sent")
                .next_step("Look at the attributes' types in Intercom's settings, and at workflows that set them"));
        }
        let whole = is_whole(before, &answer.sent);
        Ok(proven(Some(&answer).filter(|_| whole), by.id))
    }
}

/// A write, until when what it rests on counts as read right before it, and the conversation.
#[derive(Clone, Copy)]
pub(crate) struct By<'a> {
    pub(crate) write: &'a Write,
    latest: Timestamp,
    pub(crate) id: Id,
}

impl By<'_> {
    /// The first call of this write.
    pub(crate) fn on(self, ask: Ask) -> Ask {
        ask.deadline(self.write.deadline).latest(self.latest).begins(self.write)
    }
}

impl Wanted {
    /// The body of an assignment or a change of state.
    pub(crate) fn body(&self, us: Id, snoozed_until: Timestamp) -> Value {
        let admin = us.to_string();
        let assign = |kind: &str, to: Option<Id>| {
            let to = to.unwrap_or(Id(0)).to_string();
            json!({ "message_type": "assignment", "type": kind, "admin_id": admin, "assignee_id": to })
        };
        match self {
            Self::Slot(Assigned::Team(to)) => assign("team", *to),
            Self::Slot(Assigned::Admin(to)) => assign("admin", *to),
            Self::State(SNOOZED) => {
                json!({ "message_type": "snoozed", "admin_id": admin, "snoozed_until": snoozed_until.as_second() })
            }
            Self::State("closed") => json!({ "message_type": "close", "type": "admin", "admin_id": admin }),
            _ => json!({ "message_type": "open", "admin_id": admin }),
        }
    }

    /// Whether the conversation shows it. A note is found by its mark.
    pub(crate) fn is_shown_by(&self, sent: &Conversation) -> bool {
        match self {
            Self::Nothing => true,
            Self::Note(_) => false,
            Self::Slot(Assigned::Team(to)) => slot(&sent.team_assignee_id).known() == Some(to),
            Self::Slot(Assigned::Admin(to)) => slot(&sent.admin_assignee_id).known() == Some(to),
            Self::State(state) => sent.state.get().is_some_and(|now| now == state),
            Self::Attributes(fields) => {
                let now = sent.custom_attributes.get();
                let shows = |(name, value): &(String, FieldValue)| match now.and_then(|now| now.get(name)) {
                    Some(there) => value.is_shown_by(there),
                    // What is empty may be left out.
                    None => now.is_some() && value.json().is_null(),
                };
                fields.iter().all(shows)
            }
        }
    }

    /// Whether a part sets the same slot or the state.
    pub(crate) fn is_set_by(&self, part: &Part) -> bool {
        match self {
            Self::Slot(Assigned::Team(_)) => matches!(history::assigned(part), Some(Assigned::Team(_))),
            Self::Slot(Assigned::Admin(_)) => matches!(history::assigned(part), Some(Assigned::Admin(_))),
            Self::State(_) => history::sets_status(part).is_some(),
            Self::Nothing | Self::Note(_) | Self::Attributes(_) => false,
        }
    }

    /// Whether a part does what this wants.
    pub(crate) fn is_done_by(&self, part: &Part) -> bool {
        match self {
            Self::Slot(to) => history::assigned(part) == Some(*to),
            Self::State(state) => {
                let means = if *state == SNOOZED { Status::Pending } else { Status::Open };
                history::sets_status(part) == Some(means)
            }
            Self::Attributes(fields) => {
                history::attribute(part).is_some_and(|name| fields.iter().any(|(wanted, _)| wanted == name))
            }
            Self::Nothing | Self::Note(_) => false,
        }
    }
}

/// As many parts as are ever shown.
const MOST_PARTS: usize = 500;

/// Whether an answer holds every part that there is, as far as that can be told: what was there before a write is there still, or
/// as many as are ever shown. How many there are says nothing: an answer with the new part alone may count one.
fn is_whole(before: &Read, after: &Conversation) -> bool {
    let there: BTreeSet<Option<&Id>> = after.parts().iter().map(|part| part.id.get()).collect();
    let all = before.sent.parts().iter().all(|part| there.contains(&part.id.get()));
    (all && after.is_complete()) || after.parts().len() >= MOST_PARTS
}

/// The parts that were not there before.
pub(crate) fn newer(before: &Read, parts: &[Part]) -> Vec<Part> {
    let known: Vec<Option<&Id>> = before.sent.parts().iter().map(|part| part.id.get()).collect();
    parts.iter().filter(|part| !known.contains(&part.id.get())).cloned().collect()
}

/// Whether our assignment opened a conversation that was snoozed, and nobody else did.
fn woke_up(before: &Read, after: &Read, wanted: &Wanted) -> bool {
    let is = |read: &Read, state: &str| read.sent.state.get().is_some_and(|now| now == state);
    let ours = |part: &Part| history::is_by(part, before.me.id) || history::sets_status(part).is_none();
    let alone = newer(before, after.sent.parts()).iter().all(ours);
    matches!(wanted, Wanted::Slot(_)) && is(before, SNOOZED) && is(after, "open") && alone
}

/// Whether somebody else set the same thing after us.
fn acted_on_since(before: &Read, after: &Conversation, wanted: &Wanted) -> bool {
    let newer = newer(before, after.parts());
    let ours = newer.iter().rposition(|part| history::is_by(part, before.me.id) && wanted.is_done_by(part));
    ours.is_some_and(|ours| newer[ours + 1..].iter().any(|part| wanted.is_set_by(part)))
}

/// A conversation that went into another one takes nothing any more.
fn takes_writes(head: &TicketHead) -> Result<()> {
    let words = match &head.ending {
        None => return Ok(()),
        Some(Ending::Merged { into: Some(into) }) => format!("the conversation was merged into conversation {into}"),
        Some(_) => "the conversation was merged into another".to_owned(),
    };
    Err(DeskError::new(DeskErrorKind::Gone, Retry::Never, UPDATE).words(words))
}

/// The receipt of something that was said: its part, which is its name in the history, too.
fn receipt(part: &Part, after: Option<&Read>, id: Id) -> Receipt {
    let part = part.id.get().map_or_else(|| format!("conversation {id}"), Id::to_string);
    Receipt { id: part, ..proven(after, id) }
}

/// The receipt of what the conversation shows; without having seen it whole, no version is known.
pub(crate) fn proven(after: Option<&Read>, id: Id) -> Receipt {
    match after.and_then(Read::head) {
        Some(head) => Receipt::shown_by(head),
        None => Receipt { id: format!("conversation {id}"), version: None, head: None },
    }
}

pub(crate) fn refused(words: impl Into<String>) -> DeskError {
    DeskError::new(DeskErrorKind::Refused, Retry::Never, UPDATE).words(words)
}

fn odd(operation: &'static str, words: &'static str) -> DeskError {
    DeskError::new(DeskErrorKind::Protocol, Retry::After(None), operation).words(words)
}

#[cfg(test)]
mod tests;
