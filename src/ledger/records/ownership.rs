//! Who works where and who owns what: the ledger's records about ownership.

use crate::policy::names::TeamName;
use handoffd_kit::desk::{Member, QueueSpec};
use handoffd_kit::id::{DeskId, UserId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Who owns a case, as a look saw it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerSeen {
    /// Who; none: nobody.
    pub owner: Option<UserId>,
    /// The team that it lies with.
    pub held_by: Option<TeamName>,
    /// Whether it is open.
    pub open: bool,
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
