//! Where a case has been: the stays that a look finds and the ledger does not know yet. Pure.
//!
//! The head says only where the case lies now. Who moved it, and whether it came and went between two looks, only the
//! history tells, so it is read when something moved, and not before.

use crate::ledger::records::{CaseRecord, EffectRecord, HandoffRecord, StayChange};
use crate::ledger::states::EffectState;
use crate::policy::case::Stay;
use crate::policy::names::TeamName;
use crate::policy::rules::Policy;
use handoffd_kit::desk::DeskChange;
use handoffd_kit::id::DeskId;
use handoffd_kit::model::{Actor, Author, Change, QueueRef, Role, TicketHead, What};
use jiff::Timestamp;

/// What a look learnt about the case's stays.
#[derive(Clone, Debug, PartialEq)]
pub enum Stays {
    /// The history must be read to tell.
    NeedHistory,
    /// These are new, oldest first; mostly none.
    New(Vec<Moved>),
}

/// One new stay and who brought it about.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved {
    /// For the ledger.
    pub change: StayChange,
    /// What kind of thing moved it.
    pub actor: Actor,
}

/// The team whose queue this is, on this desk.
pub fn team_of(policy: &Policy, desk: &DeskId, queue: &QueueRef) -> Option<TeamName> {
    let mut teams = policy.teams.values().filter(|team| &team.desk == desk);
    teams.find(|team| team.queue.is(queue)).map(|team| team.name.clone())
}

/// Whether an episode's id only stands in until the history is read.
pub fn is_provisional(episode: &str) -> bool {
    episode.starts_with('~')
}

/// Finds the stays that are new since the ledger last looked. `history`: `None` where it was not read;
/// `readable`: whether reading it could help.
pub fn new_stays(
    record: &CaseRecord,
    policy: &Policy,
    desk: &DeskId,
    head: &TicketHead,
    history: Option<&[Change]>,
    readable: bool,
) -> Stays {
    let Some(queue) = head.queue.known() else { return Stays::New(Vec::new()) };
    let team = queue.as_ref().and_then(|queue| team_of(policy, desk, queue));
    let known = record.memory.stay.as_ref();
    let moved = known.map(|stay| &stay.team) != team.as_ref();
    let back_again = !moved && (record.taken_away || came_back_unseen(record.handoff.as_ref(), team.as_ref()));
    let vague = known.is_some_and(|stay| is_provisional(&stay.episode));
    let news = record.last_version.as_ref() != Some(&head.version);
    let may_be_back = !moved && news && may_have_moved(record.handoff.as_ref(), team.as_ref());

    if let Some(history) = history {
        if moved || back_again || vague || may_be_back {
            let unseen = back_again || may_be_back;
            return Stays::New(from_history(record, policy, desk, head, team, history, unseen));
        }
        return Stays::New(Vec::new());
    }
    if may_be_back && readable {
        return Stays::NeedHistory;
    }
    if !moved && !back_again {
        return Stays::New(Vec::new());
    }
    if let Some(ours) = our_move(record, team.as_ref()) {
        return Stays::New(vec![ours]);
    }
    if readable && known.is_some() {
        return Stays::NeedHistory;
    }
    // Nothing else tells that it was away.
    let away = back_again.then(|| there_and_back(record)).flatten();
    Stays::New(away.into_iter().chain([provisional(head, team, known.is_some())]).collect())
}

/// The stay that our own handoff opened and that is over already.
fn there_and_back(record: &CaseRecord) -> Option<Moved> {
    let handoffs = record.handoff.iter().chain(record.stopped.as_deref());
    handoffs.map(|handoff| &handoff.proposal.to).find_map(|to| our_move(record, Some(to)))
}

/// The ticket is where it was before a transfer of ours that is known to have happened: it came back between two looks.
fn came_back_unseen(handoff: Option<&HandoffRecord>, team: Option<&TeamName>) -> bool {
    handoff.is_some_and(|handoff| transfer(handoff).is_some() && team == handoff.proposal.from.as_ref())
}

/// The ticket is where it was before a transfer of ours of which nobody knows whether it happened: it may have come back since.
fn may_have_moved(handoff: Option<&HandoffRecord>, team: Option<&TeamName>) -> bool {
    let unsure = |effect: &EffectRecord| {
        matches!(effect.state, EffectState::Unsure { .. } | EffectState::Parked { unsure: true, .. })
    };
    handoff.is_some_and(|handoff| moving(handoff).is_some_and(unsure) && team == handoff.proposal.from.as_ref())
}

/// The effect that moves the ticket.
fn moving(handoff: &HandoffRecord) -> Option<&EffectRecord> {
    handoff.effects.iter().find(|effect| match &effect.write.change {
        DeskChange::Update(update) => update.queue == Some(handoff.proposal.to_queue.clone()),
        _ => false,
    })
}

/// The receipt id of the effect that moved the ticket, once it is done.
pub(super) fn transfer(handoff: &HandoffRecord) -> Option<&str> {
    let moved = moving(handoff)?;
    (moved.state == EffectState::Done).then_some(moved.receipt.as_ref()?.id.as_str())
}

/// The present stay, if our own handoff opened it: its receipt is proof enough, no history is needed.
fn our_move(record: &CaseRecord, team: Option<&TeamName>) -> Option<Moved> {
    let from = record.memory.stay.as_ref().map(|stay| &stay.team);
    let (handoff, receipt) = record.handoff.iter().chain(record.stopped.as_deref()).find_map(|handoff| {
        let way = (handoff.proposal.from.as_ref(), Some(&handoff.proposal.to));
        (way == (from, team)).then_some(handoff).zip(transfer(handoff))
    })?;
    let since = handoff.sent_at.unwrap_or(handoff.created_at);
    let stay = Stay { team: handoff.proposal.to.clone(), episode: receipt.to_owned(), since };
    let change = StayChange { stay: Some(stay), by_handoff: Some(handoff.id.clone()), by: None };
    Some(Moved { change, actor: Actor::Us })
}

/// What the head alone tells. A case that was somewhere else before came here with its latest change at the earliest.
fn provisional(head: &TicketHead, team: Option<TeamName>, was_elsewhere: bool) -> Moved {
    let (created, updated) = (head.created_at.known(), head.updated_at.known());
    let since = if was_elsewhere { updated.or(created) } else { created.or(updated) };
    let since = since.copied().unwrap_or(Timestamp::UNIX_EPOCH);
    let stay = team.map(|team| Stay { team, episode: format!("~{}", head.version), since });
    Moved { change: StayChange { stay, by_handoff: None, by: None }, actor: Actor::Unknown }
}

/// Every move in the history after the known stay, each as a stay of its own. `unseen`: it may have been away and come back
/// since, by a move of ours.
fn from_history(
    record: &CaseRecord,
    policy: &Policy,
    desk: &DeskId,
    head: &TicketHead,
    team: Option<TeamName>,
    history: &[Change],
    unseen: bool,
) -> Vec<Moved> {
    let known = record.memory.stay.as_ref();
    let vague = known.is_some_and(|stay| is_provisional(&stay.episode));
    let moves = moves(history);
    let after = match known {
        Some(stay) if !vague => moves.iter().rposition(|(change, _)| change.id.as_str() == stay.episode).map_or_else(
            || moves.iter().position(|(change, _)| change.at > stay.since).unwrap_or(moves.len()),
            |at| at + 1,
        ),
        // Only the present stay is of use where the ledger knew none, or knew it vaguely, and the one before it that our
        // handoff opened, whose answer may be lost.
        _ => {
            let latest = record.handoff.as_ref().filter(|_| unseen).map(|handoff| &handoff.id);
            let team = |to: &Option<QueueRef>| to.as_ref().and_then(|queue| team_of(policy, desk, queue));
            let ours = moves.iter().rposition(|(change, to)| {
                latest.is_some() && by_handoff(record, change, team(to).as_ref()).as_ref() == latest
            });
            ours.unwrap_or(moves.len().saturating_sub(1))
        }
    };
    let mut found: Vec<Moved> = moves[after..]
        .iter()
        .map(|(change, to)| {
            let team = to.as_ref().and_then(|queue| team_of(policy, desk, queue));
            let by_handoff = by_handoff(record, change, team.as_ref());
            let stay = team.map(|team| Stay { team, episode: change.id.to_string(), since: change.at });
            let by = by_handoff.is_none().then(|| shown(&change.by));
            Moved { change: StayChange { stay, by_handoff, by }, actor: change.actor }
        })
        .collect();
    let is_known = known.is_some_and(|stay| !vague && Some(&stay.team) == team.as_ref());
    if moves.is_empty() && !is_known {
        // Never moved: the stay began when the ticket was opened.
        found = opened(history, team.clone()).into_iter().collect();
    }
    let ends_in = found.last().map(|moved| moved.change.stay.as_ref().map(|stay| &stay.team));
    if ends_in.is_some_and(|last| last != team.as_ref()) {
        // The history lags behind the head.
        found.push(provisional(head, team, true));
    }
    found
}

/// The handoff that a change was made for.
fn by_handoff(record: &CaseRecord, change: &Change, team: Option<&TeamName>) -> Option<String> {
    let by_us = change.by.role == Role::Us;
    by_us.then(|| change.mark.as_ref().map(|mark| mark.handoff.clone()).or_else(|| ours(record, team))).flatten()
}

/// Without a mark in the history (a desk that keeps it in the note only): our handoff that goes there.
fn ours(record: &CaseRecord, team: Option<&TeamName>) -> Option<String> {
    record.handoff.as_ref().filter(|handoff| team == Some(&handoff.proposal.to)).map(|handoff| handoff.id.clone())
}

fn moves(history: &[Change]) -> Vec<(&Change, Option<QueueRef>)> {
    let to = |change: &Change| {
        change.what.iter().find_map(|what| match what {
            What::Queue { to, .. } => Some(to.clone()),
            _ => None,
        })
    };
    history.iter().filter_map(|change| Some((change, to(change)?))).collect()
}

fn opened(history: &[Change], team: Option<TeamName>) -> Option<Moved> {
    let first = history.iter().find(|change| change.what.contains(&What::Created)).or(history.first())?;
    let stay = team.map(|team| Stay { team, episode: first.id.to_string(), since: first.at });
    let change = StayChange { stay, by_handoff: None, by: Some(shown(&first.by)) };
    Some(Moved { change, actor: first.actor })
}

/// Somebody, for people.
pub fn shown(author: &Author) -> String {
    let role = match author.role {
        Role::Customer => "the customer",
        Role::Agent => "an agent",
        Role::Automation => "an automation",
        Role::Us => "handoffd",
        Role::Unknown => "somebody",
    };
    match (&author.name, &author.id) {
        (Some(name), _) => name.clone(),
        (None, Some(id)) => format!("{role} ({id})"),
        (None, None) => role.to_owned(),
    }
}
