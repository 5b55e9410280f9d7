//! The time keys of a rule: not before so much time has passed since something. Each gives an exact instant; conditions
//! know no clock. All keys must be reached, so the rule's instant is the last of theirs.

use super::activity::{Idle, Learnt, customer_wrote, idle_since, opened, status_since, stay_began};
use super::clocks::{ClockName, standing, state_name};
use super::due::Wait;
use super::facts::Facts;
use super::names::TeamName;
use super::teams::Team;
use super::verdict::RuleResult;
use handoffd_kit::model::{ClockState, PartKind, PartSet};
use jiff::{SignedDuration, Timestamp};

/// The time keys of a rule, joined to its `when`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimeKeys {
    /// No agent has acted for so long.
    pub idle_for: Option<Wait>,
    /// The case has been with its team for so long.
    pub held_for: Option<Wait>,
    /// It has had its status for so long.
    pub in_status_for: Option<Wait>,
    /// The customer has not written for so long.
    pub silent_for: Option<Wait>,
    /// It has been open for so long.
    pub open_for: Option<Wait>,
    /// One of its clocks runs out within so long.
    pub before_breach: Option<BeforeBreach>,
}

/// So long before a clock runs out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BeforeBreach {
    /// Which clock.
    pub clock: ClockName,
    /// How long before, in wall time.
    pub by: SignedDuration,
}

/// What time keys say about a case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Timed {
    /// None: all are reached.
    pub result: Option<RuleResult>,
    /// When all are reached, if nothing happens before; none where they are, or where that cannot be told.
    pub at: Option<Timestamp>,
    /// Parts that must be read to tell.
    pub unread: PartSet,
    /// Each key with its working, for traces and notes.
    pub shown: Vec<(String, String)>,
}

/// One key.
enum Told {
    /// Reached at this instant, which lies ahead or behind.
    At(Timestamp, String),
    /// No instant, for this reason.
    Never(String),
    /// This part must be read first.
    Unread(PartKind),
    /// The desk does not tell.
    Unknown,
}

impl TimeKeys {
    /// Whether no key is given.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What the keys say at `now`, in the hours of this team: the one that holds the case, or for a route the one that would
    /// receive it. `holder`: who holds it.
    pub fn tell(&self, facts: &Facts<'_>, team: &Team, holder: Option<&TeamName>) -> Timed {
        let now = facts.now();
        let mut timed = Timed::default();
        let mut last: Option<Timestamp> = None;
        for (name, told) in self.keys(facts, team, holder) {
            let (result, shown) = match told {
                Told::At(at, shown) => {
                    last = last.max(Some(at));
                    (None, shown)
                }
                Told::Never(why) => (Some(RuleResult::NoInstant(format!("{name}: {why}"))), why),
                Told::Unread(part) => {
                    timed.unread = timed.unread.with(part);
                    (Some(RuleResult::TimeUnknown(name.to_owned())), "not read".to_owned())
                }
                Told::Unknown => (Some(RuleResult::TimeUnknown(name.to_owned())), "unknown".to_owned()),
            };
            timed.result = timed.result.or(result);
            timed.shown.push((name.to_owned(), shown));
        }
        if timed.result.is_none()
            && let Some(at) = last.filter(|at| *at > now).map(whole_millisecond)
        {
            timed.result = Some(RuleResult::NotYet(at));
            timed.at = Some(at);
        }
        timed
    }

    fn keys(
        &self,
        facts: &Facts<'_>,
        team: &Team,
        holder: Option<&TeamName>,
    ) -> impl Iterator<Item = (&'static str, Told)> {
        let case = facts.case();
        let passed = |wait: Option<Wait>, what: &str, start: &dyn Fn() -> Learnt<Timestamp>| {
            wait.map(|wait| passed(wait, start(), what, team))
        };
        let keys = [
            ("idle_for", self.idle_for.map(|wait| idle(wait, idle_since(case, holder), team))),
            ("held_for", passed(self.held_for, "with this team", &|| stay_began(case, holder))),
            ("in_status_for", passed(self.in_status_for, "in this status", &|| status_since(case))),
            ("silent_for", passed(self.silent_for, "the customer wrote nothing", &|| customer_wrote(case))),
            ("open_for", passed(self.open_for, "open", &|| opened(case))),
            ("before_breach", self.before_breach.map(|before| before.tell(facts, team))),
        ];
        keys.into_iter().filter_map(|(name, told)| Some((name, told?)))
    }
}

/// So much time since an agent last acted, as far as that is certain.
fn idle(wait: Wait, idle: Learnt<Idle>, team: &Team) -> Told {
    let what = match &idle {
        Learnt::Known(Idle { at_the_latest: true, .. }) => {
            "no agent acted, as far as this desk tells; it does not say whose its changes are, so for certain only"
        }
        _ => "no agent acted",
    };
    let since = match idle {
        Learnt::Known(idle) => Learnt::Known(idle.since),
        Learnt::Unread(part) => Learnt::Unread(part),
        Learnt::Unknown => Learnt::Unknown,
    };
    passed(wait, since, what, team)
}

/// So much time since an instant.
fn passed(wait: Wait, start: Learnt<Timestamp>, what: &str, team: &Team) -> Told {
    let start = match start {
        Learnt::Known(start) => start,
        Learnt::Unread(part) => return Told::Unread(part),
        Learnt::Unknown => return Told::Unknown,
    };
    match team.due(start, wait) {
        Some(due) => Told::At(due.at, format!("{what} since {}; reached {}", team.moment(start, due.at), due.told())),
        None => Told::Never("the team's hours do not open often enough".to_owned()),
    }
}

impl BeforeBreach {
    fn tell(self, facts: &Facts<'_>, team: &Team) -> Told {
        let standing = match standing(facts, self.clock) {
            Learnt::Known(Some(standing)) => standing,
            Learnt::Known(None) => return Told::Never(format!("the case has no clock {}", self.clock)),
            Learnt::Unread(part) => return Told::Unread(part),
            Learnt::Unknown => return Told::Unknown,
        };
        match (standing.state, standing.at) {
            (ClockState::Running | ClockState::Breached, Some(at)) => {
                let begins = at.checked_sub(self.by).unwrap_or(Timestamp::MIN);
                let moment = |at| team.moment(at, facts.now());
                let runs_out = if standing.state == ClockState::Breached { "ran out" } else { "runs out" };
                let when = standing.due.map_or_else(|| moment(at), |due| due.told());
                Told::At(begins, format!("{} {runs_out} {when}; reached {}", self.clock, moment(begins)))
            }
            (ClockState::Breached, None) if standing.over => {
                Told::Never(format!("the clock {} was missed, and what it waits for has happened since", self.clock))
            }
            // Missed, whenever that was.
            (ClockState::Breached, None) => Told::At(facts.now(), format!("{} was missed", self.clock)),
            (ClockState::Running, None) => Told::Unknown,
            (state @ (ClockState::Paused | ClockState::Met), _) => {
                Told::Never(format!("the clock {} is {}", self.clock, state_name(state)))
            }
        }
    }
}

/// The first whole millisecond from an instant on: the ledger keeps no finer ones, and must not come too early.
pub fn whole_millisecond(at: Timestamp) -> Timestamp {
    let floor = Timestamp::from_millisecond(at.as_millisecond()).unwrap_or(at);
    if floor < at { floor.saturating_add(SignedDuration::from_millis(1)).unwrap_or(Timestamp::MAX) } else { floor }
}
