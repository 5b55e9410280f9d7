//! Who works where, who owns what, and what is waited for: the ledger's records about ownership.

use super::HandoffRecord;
use crate::plan::PlannedEffect;
use crate::policy::names::{RuleName, TeamName};
use handoffd_kit::desk::{Member, QueueSpec};
use handoffd_kit::id::{DeskId, TicketId, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// How the wait for a claim stands after a look.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimWait {
    /// Of which handoff.
    pub handoff: String,
    /// Until when somebody should act; none: nobody is waited for.
    pub due: Option<Timestamp>,
    /// How many steps of its chain were taken, this look's included.
    pub steps: u32,
    /// From when on the time counts, where that is news: a step was taken, or the case was opened again.
    pub since: Option<Timestamp>,
    /// What this look's step writes.
    pub effects: Vec<PlannedEffect>,
}

impl ClaimWait {
    /// Nobody is waited for any more.
    pub fn over(handoff: &HandoffRecord) -> Self {
        Self {
            handoff: handoff.id.clone(),
            due: None,
            steps: handoff.unclaimed_steps,
            since: None,
            effects: Vec::new(),
        }
    }
}

/// Who owns a case, as a look saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerSeen {
    /// Who; none: nobody.
    pub owner: Option<UserId>,
    /// The name shown to colleagues.
    pub name: Option<String>,
    /// The team that it lies with.
    pub held_by: Option<TeamName>,
    /// Whether it is open.
    pub open: bool,
    /// When the case was opened, where the desk says so.
    pub since: Option<Timestamp>,
    /// All owners from the opening on, oldest first, where the history was read.
    pub told: Option<Vec<OwnerChange>>,
    /// Whether the owner can still own it.
    pub presence: Presence,
}

/// The owner of a case as the ledger knows them from earlier looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerKnown {
    /// Who; none: nobody.
    pub owner: Option<UserId>,
    /// Since when, as far as it is known.
    pub since: Timestamp,
    /// Whether the ticket says that they are gone.
    pub told_lost: bool,
}

/// The word on a ticket that its owner is gone.
#[derive(Clone, Debug, PartialEq)]
pub struct LostNote {
    /// The handoff that gave the case to the team.
    pub handoff: String,
    /// What is written; none: it is on the ticket already, from before this ledger was restored.
    pub effect: Option<PlannedEffect>,
}

/// Whether the owner of a case is still there to own it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// Who works in the team is not known at the moment.
    Unknown,
    /// Nobody is missed: the owner is there, there is none, or the case is over.
    Here,
    /// Why the owner cannot own it any more, in words.
    Gone(String),
}

/// Somebody became owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerChange {
    /// Who; none: nobody.
    pub owner: Option<UserId>,
    /// The name shown to colleagues.
    pub name: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// The vendor's id of the change; none: it was only seen.
    pub change: Option<String>,
    /// Who brought it about, in words.
    pub by: Option<String>,
    /// The handoff of ours that brought it about.
    pub handoff: Option<String>,
}

/// A time in which a team had a case, or a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// Whose.
    pub of: SpanOf,
    /// The team, or the vendor's id of the person; none: no team of ours, or nobody.
    pub id: Option<String>,
    /// The person's name.
    pub name: Option<String>,
    /// From when.
    pub from: Timestamp,
    /// Until when; none: still.
    pub until: Option<Timestamp>,
    /// The vendor's id of the change that began it, where the history told it.
    pub change: Option<String>,
    /// Who brought it about, in words.
    pub by: Option<String>,
    /// The handoff of ours that brought it about.
    pub handoff: Option<String>,
}

/// Whose a [`Span`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SpanOf {
    /// A team's.
    Team,
    /// An owner's.
    Owner,
}

/// A case whose owner is gone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LostOwner {
    /// Which desk.
    pub desk: DeskId,
    /// Which ticket.
    pub ticket: TicketId,
    /// Who owned it.
    pub owner: UserId,
    /// The name shown to colleagues.
    pub name: Option<String>,
    /// The team that it lies with.
    pub team: Option<TeamName>,
    /// Why they cannot own it any more.
    pub why: String,
    /// Since when that is known.
    pub since: Timestamp,
}

/// What was left with the agent before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TaskRecord {
    /// By which handoff.
    pub handoff: String,
    /// Which desk.
    pub desk: DeskId,
    /// Which ticket.
    pub ticket: TicketId,
    /// The team that gave the case away; none: none of ours.
    pub from: Option<TeamName>,
    /// What.
    pub task: String,
    /// With whom, in words.
    pub who: Option<String>,
    /// With whom, as the desk knows them.
    pub who_id: Option<UserId>,
    /// Since when.
    pub since: Timestamp,
    /// Until when.
    pub until: Option<Timestamp>,
    /// When it was done, and by whom.
    pub done: Option<(Timestamp, String)>,
}

/// A task of an agent before that is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskOver {
    /// Of which handoff.
    pub handoff: String,
    /// Who ended it, in words.
    pub by: String,
    /// When.
    pub at: Timestamp,
}

/// A handoff that nobody has claimed in time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct UnclaimedRecord {
    /// Which.
    pub handoff: String,
    /// Which desk.
    pub desk: DeskId,
    /// Which ticket.
    pub ticket: TicketId,
    /// By which rule.
    pub rule: RuleName,
    /// The team that should take it on.
    pub to: TeamName,
    /// Until when it had time.
    pub due: Timestamp,
    /// How many steps were taken because it did not.
    pub steps: u32,
}

/// A team whose people are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RosterWanted {
    /// On which desk.
    pub desk: DeskId,
    /// Which team.
    pub team: TeamName,
    /// In which queue.
    pub queue: QueueSpec,
}

impl RosterWanted {
    /// Its queue as text, names and ids kept apart.
    pub(in crate::ledger) fn queue_key(&self) -> String {
        match &self.queue {
            QueueSpec::Name(name) => format!("name {name}"),
            QueueSpec::Id(id) => format!("id {id}"),
        }
    }

    /// The team, whatever its queue is.
    pub(in crate::ledger) fn any_queue(desk: DeskId, team: TeamName) -> Self {
        Self { desk, team, queue: QueueSpec::Name(String::new()) }
    }
}

/// A team's people as the desk has just told them.
#[derive(Clone, Debug)]
pub struct RosterRead {
    /// Whose.
    pub of: RosterWanted,
    /// Who.
    pub members: Vec<Member>,
    /// When it was read.
    pub at: Timestamp,
    /// When to ask again.
    pub due: Timestamp,
}

/// Why a team's people cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RosterTrouble {
    /// What is the matter.
    pub what: String,
    /// What to do about it.
    pub next_step: String,
    /// Since when.
    pub since: Timestamp,
}
