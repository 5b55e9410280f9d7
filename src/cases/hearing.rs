//! Listening for commands: which part of a ticket's history may hold one, and which words of it count. Pure.
//!
//! A command counts only where the desk's own history attributes it to an agent: in an internal note that they wrote, or
//! in a label that they set. Never in what a customer wrote or can see, never by a rule of the desk or by our own
//! account, never in a note that is older than the case's stay, and never twice: how far the history was read is kept
//! with the case, and each command by the desk's id of the change that it was given in.
//!
//! **What it costs.** Nothing, while nobody but us has changed the ticket, and for tickets where no command could do
//! anything. But for one read at the first look at a ticket that was born in a team's queue, where the desk's times are whole
//! seconds: what was written in the second of its birth does not show in them. Else one read of the history when something changed; the conversation too, if an agent wrote an internal
//! note since. Where a desk gives both in one call, that is one call. A desk without a history attributes what was said,
//! and nothing else: there notes are listened to, and labels are not.

use super::examine::Look;
use super::past::{past, unread as unread_past};
use super::stays::shown;
use crate::ledger::states::HandoffState;
use crate::plan;
use crate::policy::case::Stay;
use crate::policy::command::{Command, Vocabulary, reason_in};
use crate::policy::names::TeamName;
use crate::policy::reviewers::Who;
use crate::policy::rules::{Start, Trigger};
use handoffd_kit::id::{ChangeId, MessageId, UserId};
use handoffd_kit::model::{Actor, Change, Message, PartKind, PartSet, Role, Status, Visibility, What};
use jiff::Timestamp;

/// What listening came to.
pub(super) enum Hearing {
    /// Read these parts first.
    Need(PartSet),
    /// This was heard.
    Heard(Box<Listened>),
}

/// What was heard.
#[derive(Default)]
pub(super) struct Listened {
    /// Commands that were not handled yet, oldest first.
    pub orders: Vec<Order>,
    /// The newest change that was read; none: no history was read.
    pub up_to: Option<(ChangeId, Timestamp)>,
}

/// A command with all that is known of who gave it.
#[derive(Clone, Debug)]
pub(super) struct Order {
    /// Its id.
    pub id: String,
    /// The change that it was given in.
    pub change: ChangeId,
    /// The label that it was given by; none: in a note.
    pub tag: Option<String>,
    /// When.
    pub at: Timestamp,
    /// Who, in words.
    pub by: String,
    /// Who, as the desk knows them.
    pub by_id: Option<UserId>,
    /// Their mail address, where the desk told it.
    pub by_email: Option<String>,
    /// What.
    pub command: Command,
}

impl Order {
    /// Who gave it, to ask whether they may. What they call themselves on the desk is theirs to choose, and proves nothing.
    pub fn who(&self, look: &Look<'_>) -> Who {
        Who {
            names: Vec::new(),
            email: self.by_email.clone(),
            on_desk: self.by_id.clone().map(|id| (look.desk.clone(), id)),
        }
    }
}

/// Listens to what changed. `stay`: the case's present one, as far as it is known now; `came`: whether a handoff brought
/// it there.
pub(super) fn hear(look: &Look<'_>, stay: Option<&Stay>, came: bool) -> Hearing {
    let vocabulary = Vocabulary::new(look.policy, look.desk);
    let nothing = || Hearing::Heard(Box::default());
    if !vocabulary.listens() || !attentive(look, stay, came, vocabulary) {
        return nothing();
    }
    let Some(history) = past(look) else {
        return unread_past(look).map_or_else(nothing, need);
    };
    let fresh = unread(look, stay, &history);
    let notes = fresh.iter().any(|change| is_agents(change) && noted(change).next().is_some());
    if notes && look.parts.conversation.is_none() && !look.refused.has(PartKind::Conversation) {
        return need(PartKind::Conversation);
    }
    let orders = fresh.iter().flat_map(|change| orders(look, vocabulary, change));
    let orders = orders.filter(|order| is_new(look, &history, order)).collect();
    let up_to = history.last().map(|change| (change.id.clone(), change.at));
    Hearing::Heard(Box::new(Listened { orders, up_to }))
}

/// Where the history ends now, for what must not be answered by an older note. None: there is none to read.
pub(super) fn end_of_history(look: &Look<'_>) -> Option<Hearing> {
    let listens = look.generation.is_some() && Vocabulary::new(look.policy, look.desk).listens();
    if !listens {
        return None;
    }
    let Some(history) = past(look) else { return unread_past(look).map(need) };
    let up_to = history.last().map(|change| (change.id.clone(), change.at));
    Some(Hearing::Heard(Box::new(Listened { up_to, ..Listened::default() })))
}

fn need(kind: PartKind) -> Hearing {
    Hearing::Need(PartSet::of(&[kind]))
}

/// Whether a command could be there, and could do anything.
fn attentive(look: &Look<'_>, stay: Option<&Stay>, came: bool, vocabulary: Vocabulary<'_>) -> bool {
    let head = look.head;
    let open = matches!(head.status.known(), Some(Status::New | Status::Open | Status::Pending | Status::OnHold));
    let solved = is_solved(look);
    let attributes = look.capabilities.readable_history;
    let nobody_is_heard = !attributes && !vocabulary.listens_to_notes();
    if look.generation.is_none() || !open && !solved || head.ending.is_some() || nobody_is_heard {
        return false;
    }
    let record = look.record;
    let version = Some(&head.version);
    // Some desks' versions are whole seconds: in that of our own write somebody may have written too.
    let by_others = look.others_at.zip(record.own_written_at).is_some_and(|(theirs, ours)| theirs > ours);
    let known = record.last_version.as_ref() == version || record.own_version.as_ref() == version && !by_others;
    let labelled =
        attributes && head.tags.known().is_some_and(|tags| tags.iter().any(|tag| vocabulary.in_tag(tag).is_some()));
    // On some desks a label does not move the time of the last change.
    let as_born = head.created_at.known().is_some() && head.created_at == head.updated_at && !labelled;
    // Where times are whole seconds, somebody may have written in that of its birth, which no later look would tell.
    let may_hide = head.created_at.known().is_some_and(|born| born.subsec_nanosecond() == 0);
    let untouched = as_born && !(may_hide && stay.is_some() && record.last_version.is_none());
    let news = !known && !untouched;
    if !news && past(look).is_none() {
        return false;
    }
    let waits = |state| matches!(state, HandoffState::Asking | HandoffState::InReview);
    let review = record.handoff.as_ref().is_some_and(|handoff| waits(handoff.state));
    let on_request =
        || look.policy.escalations.iter().any(|rule| rule.trigger == Trigger::Manual && here(look, &rule.to));
    // On a solved ticket nothing is handed off any more: whoever asks is told so. A label is taken off, and a package may be rated.
    let in_team = stay.map_or_else(|| !solved && is_in_intake(look), |stay| here(look, &stay.team));
    review || came || labelled || in_team && on_request()
}

/// Whether the case lies where the desk's cases start, by name: an agent may take it for a team's.
fn is_in_intake(look: &Look<'_>) -> bool {
    let intake = look.policy.desks.get(look.desk).map(|desk| desk.intake.as_slice()).unwrap_or_default();
    let queue = look.head.queue.known().and_then(Option::as_ref);
    queue.is_some_and(|queue| intake.iter().any(|listed| listed.is(queue)))
}

fn is_solved(look: &Look<'_>) -> bool {
    look.head.status.known() == Some(&Status::Solved)
}

/// Whether a team is of this desk.
fn here(look: &Look<'_>, team: &TeamName) -> bool {
    look.policy.teams.get(team).is_some_and(|team| &team.desk == look.desk)
}

/// The changes that were not read for commands yet and belong to the present stay.
fn unread<'a>(look: &Look<'_>, stay: Option<&Stay>, history: &'a [Change]) -> &'a [Change] {
    let behind = |id: &str, at: Timestamp| {
        let known = history.iter().rposition(|change| change.id.as_str() == id).map(|at| at + 1);
        known.unwrap_or_else(|| history.iter().position(|change| change.at > at).unwrap_or(history.len()))
    };
    let read = match &look.record.heard.up_to {
        Some((change, at)) => behind(change.as_str(), *at),
        // What was written before we came orders nothing.
        None => history.iter().position(|change| change.at >= start(look)).unwrap_or(history.len()),
    };
    let came = stay.map_or(0, |stay| behind(&stay.episode, stay.since));
    &history[read.max(came)..]
}

fn start(look: &Look<'_>) -> Timestamp {
    match look.policy.desks.get(look.desk).map(|desk| desk.start) {
        Some(Start::At(start)) => start,
        Some(Start::Now) | None => look.desk_met,
    }
}

/// Whether an agent did this, and nothing in their name.
fn is_agents(change: &Change) -> bool {
    change.by.role == Role::Agent && change.actor == Actor::Person && change.by.id.is_some() && change.mark.is_none()
}

/// The internal notes of a change.
fn noted(change: &Change) -> impl Iterator<Item = &MessageId> {
    change.what.iter().filter_map(|what| match what {
        What::Said { visibility: Visibility::Internal, message } => Some(message),
        _ => None,
    })
}

/// The commands of one change: its notes', then its labels'.
fn orders(look: &Look<'_>, vocabulary: Vocabulary<'_>, change: &Change) -> Vec<Order> {
    if !is_agents(change) {
        return Vec::new();
    }
    let said: Vec<&Message> = noted(change).filter_map(|id| message(look, change, id)).collect();
    let order = |command: Command, tag: Option<String>| {
        let place = tag.as_ref().map_or_else(|| "note".to_owned(), |tag| format!("label {}", tag.to_lowercase()));
        let email = change.by.id.as_ref().and_then(|id| look.parts.person(id)).and_then(|one| one.email.clone());
        Order {
            id: plan::command_id(look.desk, &look.head.id, &change.id, &place),
            change: change.id.clone(),
            tag,
            at: change.at,
            by: shown(&change.by),
            by_id: change.by.id.clone(),
            by_email: email,
            command,
        }
    };
    let in_note = said.iter().find_map(|note| vocabulary.in_note(note.said.words()));
    // A label has no room for a reason: the note that came with it says why.
    let why = || in_note.is_none().then(|| said.first().and_then(|note| reason_in(note.said.words()))).flatten();
    let labels = change.what.iter().filter_map(|what| match what {
        What::Tags { added, .. } => Some(added),
        _ => None,
    });
    let labels = labels.flatten().filter_map(|tag| Some((vocabulary.in_tag(tag)?.because(why()), tag)));
    let labels: Vec<Order> = labels.map(|(command, tag)| order(command, Some(tag.clone()))).collect();
    in_note.clone().map(|command| order(command, None)).into_iter().chain(labels).collect()
}

/// A note of this change, if its writer is who made the change and only colleagues see it.
fn message<'a>(look: &'a Look<'_>, change: &Change, id: &MessageId) -> Option<&'a Message> {
    let messages = look.parts.conversation.iter().flat_map(|conversation| &conversation.messages);
    let own = |message: &&Message| {
        message.id == *id
            && message.said.visibility() == Visibility::Internal
            && message.author.role == Role::Agent
            && message.author.id == change.by.id
    };
    messages.into_iter().find(own)
}

/// Not handled before, neither by this ledger nor by the one that it was restored from: that one left its mark.
fn is_new(look: &Look<'_>, history: &[Change], order: &Order) -> bool {
    let back = plan::back_id(&order.id);
    let ours =
        |change: &Change| change.mark.as_ref().is_some_and(|mark| mark.handoff == order.id || mark.handoff == back);
    !look.record.heard.ids.contains(&order.id) && !history.iter().any(ours)
}
