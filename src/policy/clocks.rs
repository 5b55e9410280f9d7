//! The clocks of a case as they stand at an instant: the desk's own; where it has none, those of our targets; and the
//! receiving team's internal target.

use super::activity::Learnt;
use super::due::Due;
use super::facts::Facts;
use super::names::TargetName;
use super::targets::own_clock;
use handoffd_kit::model::{ClockState, PartKind, PartSet, VendorClock};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What two clocks of one name may differ by without being reported: desks round to minutes.
const SAME: SignedDuration = SignedDuration::from_mins(1);

/// A clock that rules know by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClockName {
    /// Until the first public reply of an agent.
    FirstReply,
    /// Until an agent answers the customer's last word.
    NextReply,
    /// Until the case is solved.
    Resolution,
    /// The receiving team's own target for its stay.
    Internal,
}

impl ClockName {
    /// All of them.
    pub const ALL: [ClockName; 4] = [Self::FirstReply, Self::NextReply, Self::Resolution, Self::Internal];

    /// The customer's clocks: those that a desk may have, and targets.
    pub const CUSTOMERS: [ClockName; 3] = [Self::FirstReply, Self::NextReply, Self::Resolution];

    /// Its name in conditions and in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::FirstReply => "first_reply",
            Self::NextReply => "next_reply",
            Self::Resolution => "resolution",
            Self::Internal => "internal",
        }
    }

    /// The clock with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|clock| clock.name() == name)
    }
}

impl fmt::Display for ClockName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Whose clock it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The desk's.
    Desk,
    /// A target's of ours.
    Target(TargetName),
    /// The target that a handoff gave the present team.
    Handoff,
}

/// How a clock stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Counts, stands still, was met or missed.
    pub state: ClockState,
    /// When it runs out, or ran out; none while it stands still, or when it is over.
    pub at: Option<Timestamp>,
    /// Whether what it waits for has happened, in time or late.
    pub over: bool,
    /// The instant with its working, where it is our own.
    pub due: Option<Due>,
    /// Whose it is.
    pub source: Source,
}

impl Standing {
    /// How it stands, in words.
    fn told(&self) -> String {
        match self.at {
            Some(at) => format!("{}, until {}", state_name(self.state), at.strftime("%Y-%m-%d %H:%M UTC")),
            None => state_name(self.state).to_owned(),
        }
    }
}

/// Two clocks of one name that do not agree.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockDifference {
    /// Which clock.
    pub clock: ClockName,
    /// What the desk says: the one that counts.
    pub desk: String,
    /// What our target says.
    pub target: String,
}

/// How a clock of this case stands; none: it has no such clock. The desk's own comes first.
pub fn standing(facts: &Facts<'_>, name: ClockName) -> Learnt<Option<Standing>> {
    if name == ClockName::Internal {
        let until = facts.case().memory.internal_until;
        return Learnt::Known(until.map(|at| running_until(at, facts.now(), Source::Handoff)));
    }
    match desk_clock(facts, name) {
        Learnt::Known(None) if facts.policy().targets.is_empty() => Learnt::Unknown,
        Learnt::Known(None) | Learnt::Unknown => own_clock(facts, name),
        told => told,
    }
}

/// The desk's own clock.
fn desk_clock(facts: &Facts<'_>, name: ClockName) -> Learnt<Option<Standing>> {
    let Some(clocks) = &facts.case().parts.clocks else {
        return if facts.case().asked.has(PartKind::Clocks) {
            Learnt::Unknown
        } else {
            Learnt::Unread(PartKind::Clocks)
        };
    };
    Learnt::Known(foremost(clocks, name).map(|clock| match (clock.state, clock.breaches_at) {
        // A desk may be late to say so.
        (ClockState::Running, Some(at)) => running_until(at, facts.now(), Source::Desk),
        (state, at) => Standing { state, at, over: state == ClockState::Met, due: None, source: Source::Desk },
    }))
}

fn running_until(at: Timestamp, now: Timestamp, source: Source) -> Standing {
    let state = if at <= now { ClockState::Breached } else { ClockState::Running };
    Standing { state, at: Some(at), over: false, due: None, source }
}

/// A desk may have several clocks of one name, one for each time it ran: the one that runs out first counts, then one that
/// stands still, then what became of the others.
fn foremost(clocks: &[VendorClock], name: ClockName) -> Option<&VendorClock> {
    let rank = |clock: &&VendorClock| {
        let state = match clock.state {
            ClockState::Running => 0,
            ClockState::Paused => 1,
            ClockState::Breached => 2,
            ClockState::Met => 3,
        };
        (state, clock.breaches_at.unwrap_or(Timestamp::MAX))
    };
    clocks.iter().filter(|clock| clock.name == name.name()).min_by_key(rank)
}

/// The customer's clock that runs out next, as far as clocks were read: its name, and when.
pub fn nearest(facts: &Facts<'_>) -> Option<(String, Timestamp, Option<Due>)> {
    let read = facts.case().parts.clocks.iter().flatten();
    let desks = read.filter(|clock| clock.state == ClockState::Running);
    let desks = desks.filter_map(|clock| Some((clock.name.clone(), clock.breaches_at?, None)));
    let ours = ClockName::CUSTOMERS.into_iter().filter_map(|name| match standing(facts, name) {
        Learnt::Known(Some(Standing { state: ClockState::Running, at: Some(at), due: Some(due), .. })) => {
            Some((name.name().to_owned(), at, Some(due)))
        }
        _ => None,
    });
    desks.chain(ours).min_by_key(|(_, at, _)| *at)
}

/// The customer's clock that ran out first and that nothing has answered since: its name, and when.
pub fn missed(facts: &Facts<'_>) -> Option<(String, Timestamp, Option<Due>)> {
    let missed = ClockName::CUSTOMERS.into_iter().filter_map(|name| match standing(facts, name) {
        Learnt::Known(Some(Standing { state: ClockState::Breached, over: false, at: Some(at), due, .. })) => {
            Some((name.name().to_owned(), at, due))
        }
        _ => None,
    });
    missed.min_by_key(|(_, at, _)| *at)
}

/// The parts that it takes to tell how the customer's clocks stand.
pub fn needs(facts: &Facts<'_>) -> PartSet {
    ClockName::CUSTOMERS.into_iter().fold(PartSet::NONE, |needs, name| match standing(facts, name) {
        Learnt::Unread(part) => needs.with(part),
        Learnt::Known(_) | Learnt::Unknown => needs,
    })
}

/// Where the desk's clocks and our targets do not agree, as far as both can be told from what was read.
pub fn differences(facts: &Facts<'_>) -> Vec<ClockDifference> {
    if facts.policy().targets.is_empty() {
        return Vec::new();
    }
    let differs = |name: ClockName| {
        let (Learnt::Known(Some(desk)), Learnt::Known(Some(own))) = (desk_clock(facts, name), own_clock(facts, name))
        else {
            return None;
        };
        let close = match (desk.at, own.at) {
            (Some(one), Some(other)) => one.duration_since(other).abs() <= SAME,
            (one, other) => one.is_none() == other.is_none(),
        };
        let same = desk.state == own.state && close;
        (!same).then(|| ClockDifference { clock: name, desk: desk.told(), target: own.told() })
    };
    ClockName::CUSTOMERS.into_iter().filter_map(differs).collect()
}

/// The word for a clock's state in conditions.
pub fn state_name(state: ClockState) -> &'static str {
    match state {
        ClockState::Running => "running",
        ClockState::Paused => "paused",
        ClockState::Met => "met",
        ClockState::Breached => "breached",
    }
}
