//! Who owns cases: teams, and the people who lead them or decide for them.

use super::due::TeamHours;
use super::languages::PublicName;
use super::names::{AlertName, PersonName, TeamName};
use handoffd_kit::desk::QueueSpec;
use handoffd_kit::id::{DeskId, UserId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// People who own cases together.
#[derive(Clone, Debug)]
pub struct Team {
    /// Its key.
    pub name: TeamName,
    /// Its tier, from 1.
    pub tier: u32,
    /// The desk its queue is on.
    pub desk: DeskId,
    /// Its queue.
    pub queue: QueueSpec,
    /// What customers read for it.
    pub public_name: Option<PublicName>,
    /// When it is there; none: always.
    pub hours: Option<Arc<TeamHours>>,
    /// Who leads it.
    pub lead: Option<PersonName>,
    /// Who may say yes or no for it.
    pub reviewers: Vec<PersonName>,
    /// The channels by which it is told of cases that need it.
    pub alert: Vec<AlertName>,
}

/// One person's identities.
#[derive(Clone, Debug, Default)]
pub struct PersonEntry {
    /// Mail address.
    pub email: Option<String>,
    /// The vendor's user id by desk.
    pub desk: BTreeMap<DeskId, UserId>,
    /// What a chat calls them, by its alert channel.
    pub chat: BTreeMap<AlertName, String>,
    /// When they are there; none: when their team is.
    pub hours: Option<Arc<TeamHours>>,
}
