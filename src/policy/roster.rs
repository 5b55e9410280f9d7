//! Who can own cases of a team: its members as the desk told them, a snapshot with a version and an input of `decide`; and
//! whom of them to take, by turn or by load.

use super::names::TeamName;
use super::rules::Policy;
use super::teams::{PersonEntry, Team};
use handoffd_kit::id::{DeskId, UserId};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A snapshot that is older is not believed any more: people come and go.
pub const BELIEVED: SignedDuration = SignedDuration::from_hours(1);

/// What is known of the people of a desk's teams.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rosters {
    /// Whether the desk tells who works in a queue at all.
    pub told: bool,
    /// The latest snapshot of each team.
    pub teams: BTreeMap<TeamName, Arc<Roster>>,
}

/// Who works in a team's queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Roster {
    /// Hash of who they are and who is active.
    pub version: String,
    /// When the desk told it.
    pub read_at: Timestamp,
    /// By id, so that everybody's turn comes.
    pub members: Vec<Colleague>,
    /// Who was among them once and is not any more.
    pub departed: Vec<Departed>,
    /// The latest handoff whose owner was chosen among them, and whom it took: where the turn stands.
    pub last: Option<LastTurn>,
}

/// Somebody who was a team's member once.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Departed {
    /// The vendor's id.
    pub id: UserId,
    /// The name shown to colleagues.
    pub name: Option<String>,
    /// Since when that is known: a case that they are given later is given to them on purpose.
    pub since: Timestamp,
}

/// One member of a team.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Colleague {
    /// The vendor's id.
    pub id: UserId,
    /// The name shown to colleagues.
    pub name: Option<String>,
    /// The mail address.
    pub email: Option<String>,
    /// Whether they can be given tickets.
    pub active: bool,
    /// Open cases of this team that they own: told by the desk, or as far as handoffd has seen them.
    pub open: u32,
}

/// The latest choice among a team's members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LastTurn {
    /// The handoff.
    pub handoff: String,
    /// Whom it took.
    pub taken: UserId,
}

/// How one of several members is chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The one after the last.
    Turn,
    /// The one with the fewest open cases; of several, the one whose turn comes first.
    Load,
}

impl Colleague {
    /// What colleagues call them.
    pub fn shown(&self) -> &str {
        self.name.as_deref().unwrap_or(self.id.as_str())
    }

    /// Whether this is that person of the policy.
    pub fn is(&self, person: &PersonEntry, desk: &DeskId) -> bool {
        person.is_on(desk, &self.id, self.email.as_deref())
    }
}

impl PersonEntry {
    /// Whether this is who a desk knows by that id and address: by the id where the policy gives one, else by the address.
    pub fn is_on(&self, desk: &DeskId, id: &UserId, email: Option<&str>) -> bool {
        match self.desk.get(desk) {
            Some(own) => own == id,
            None => self.email.as_deref().zip(email).is_some_and(|(own, theirs)| own.eq_ignore_ascii_case(theirs)),
        }
    }
}

impl Rosters {
    /// A team's people, if they are known and the snapshot is young enough to be believed; else why not, in words.
    ///
    /// # Errors
    /// Why nothing can be said about them.
    pub fn of(&self, team: &Team, now: Timestamp) -> Result<&Roster, String> {
        if !self.told {
            return Err(format!("this desk does not tell who works in {}", team.name));
        }
        match self.teams.get(&team.name) {
            None => Err(format!("who works in {} is not known yet", team.name)),
            Some(roster) if now.duration_since(roster.read_at) > BELIEVED => {
                let read = roster.read_at.strftime("%Y-%m-%d %H:%M UTC");
                Err(format!("who works in {} was last read at {read}, too long ago to be believed", team.name))
            }
            Some(roster) => Ok(roster),
        }
    }
}

impl Roster {
    /// The member that a person of the policy is; else why they cannot own cases of the team, in words.
    ///
    /// # Errors
    /// They are no member, or not active.
    pub fn member(&self, name: &str, person: &PersonEntry, team: &Team) -> Result<&Colleague, String> {
        let found = self.members.iter().find(|colleague| colleague.is(person, &team.desk));
        let found = found.ok_or_else(|| format!("{name} is no member of {}", team.name))?;
        if found.active { Ok(found) } else { Err(format!("{name} is not active on the desk")) }
    }

    /// Whom to take; else why nobody, in words.
    ///
    /// # Errors
    /// Nobody is on duty.
    pub fn choose(&self, by: By, team: &Team, policy: &Policy, now: Timestamp) -> Result<&Colleague, String> {
        let on_duty: Vec<&Colleague> =
            self.members.iter().filter(|member| member.active && on_duty(member, team, policy, now)).collect();
        // Whose turn it is first: those behind the last one taken, then from the beginning.
        let after = |member: &&&Colleague| self.last.as_ref().is_none_or(|last| member.id > last.taken);
        let (next, later): (Vec<&Colleague>, Vec<&Colleague>) = on_duty.iter().partition(|member| after(member));
        let mut turns = next.into_iter().chain(later);
        let taken = match by {
            By::Turn => turns.next(),
            // The first of the smallest.
            By::Load => turns.min_by_key(|member| member.open),
        };
        taken.ok_or_else(|| match self.members.iter().any(|member| member.active) {
            true => format!("nobody of {} is on duty now", team.name),
            false => format!("{} has no active member", team.name),
        })
    }
}

/// A member is on duty in their own hours where the policy gives them some, else in the team's.
fn on_duty(member: &Colleague, team: &Team, policy: &Policy, now: Timestamp) -> bool {
    let own = policy.people.values().find(|person| member.is(person, &team.desk));
    let hours = own.and_then(|person| person.hours.as_ref()).or(team.hours.as_ref());
    hours.is_none_or(|hours| hours.calendar.is_open(now))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing;

    fn colleague(id: &str, open: u32) -> Colleague {
        Colleague { id: id.into(), name: Some(format!("Agent {id}")), email: None, active: true, open }
    }

    fn roster(members: &[(&str, u32)], last: Option<&str>) -> Roster {
        Roster {
            version: "r1".into(),
            read_at: testing::now(),
            members: members.iter().map(|(id, open)| colleague(id, *open)).collect(),
            departed: Vec::new(),
            last: last.map(|taken| LastTurn { handoff: "h0".into(), taken: taken.into() }),
        }
    }

    fn chosen(roster: &Roster, by: By) -> Result<String, String> {
        let policy = testing::policy();
        let team = &policy.teams[&"billing".into()];
        roster.choose(by, team, &policy, testing::now()).map(|colleague| colleague.id.to_string())
    }

    #[test]
    fn everybodys_turn_comes_and_who_left_holds_nobody_up() {
        let members = [("21", 0), ("22", 0), ("23", 0)];
        let next = |last| chosen(&roster(&members, last), By::Turn).expect("somebody");
        assert_eq!([None, Some("21"), Some("22"), Some("23")].map(next), ["21", "22", "23", "21"]);
        assert_eq!(next(Some("225")), "23", "the last one is no member any more");
    }

    #[test]
    fn the_least_loaded_is_taken_and_among_equals_the_one_whose_turn_it_is() {
        assert_eq!(chosen(&roster(&[("21", 4), ("22", 1), ("23", 2)], None), By::Load).as_deref(), Ok("22"));
        assert_eq!(chosen(&roster(&[("21", 1), ("22", 1), ("23", 1)], Some("21")), By::Load).as_deref(), Ok("22"));
    }

    #[test]
    fn who_is_not_active_or_not_on_duty_is_passed_over_and_nobody_is_said() {
        let mut some = roster(&[("21", 0), ("22", 0)], None);
        some.members[0].active = false;
        assert_eq!(chosen(&some, By::Turn).as_deref(), Ok("22"));
        some.members[1].active = false;
        assert_eq!(chosen(&some, By::Turn), Err("billing has no active member".into()));

        let (mut policy, night) = (testing::policy(), "2026-11-02T23:00:00Z".parse().expect("instant"));
        policy.teams.get_mut(&"billing".into()).expect("team").hours = Some(testing::office_hours());
        let some = roster(&[("21", 0), ("4711", 0)], None);
        let team = policy.teams[&"billing".into()].clone();
        let at_night = some.choose(By::Turn, &team, &policy, night);
        assert_eq!(at_night.expect_err("nobody"), "nobody of billing is on duty now");
        let mut lead = policy.people[&"billing-lead".into()].clone();
        lead.hours = Some(testing::always_open());
        policy.people.insert("billing-lead".into(), lead);
        assert_eq!(some.choose(By::Turn, &team, &policy, night).expect("the lead").id.as_str(), "4711");
    }

    #[test]
    fn what_is_not_told_not_read_or_too_old_is_not_believed() {
        let policy = testing::policy();
        let team = &policy.teams[&"billing".into()];
        let one = Arc::new(roster(&[("21", 0)], None));
        let rosters = |told, known: bool| {
            let teams = known.then(|| (team.name.clone(), one.clone())).into_iter().collect();
            Rosters { told, teams }
        };
        let later = testing::now() + BELIEVED + SignedDuration::from_secs(1);
        assert!(rosters(true, true).of(team, testing::now()).is_ok());
        assert!(rosters(true, true).of(team, later).expect_err("old").contains("too long ago"));
        assert!(rosters(true, false).of(team, testing::now()).expect_err("unread").contains("not known yet"));
        assert!(rosters(false, true).of(team, testing::now()).expect_err("mute").contains("does not tell"));
    }
}
