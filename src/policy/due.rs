//! Deadlines: a length of time, as a rule gives it, counted in a team's hours. One way for all of them: targets, tasks,
//! claims, promises to customers.

use super::names::HoursName;
use super::teams::Team;
use handoffd_hours::{Calendar, Working, length, moment};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A length of time as the file gives it: `"4h"` in a team's hours, `"4h wall"` whatever they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wait {
    /// How long.
    pub length: SignedDuration,
    /// What counts.
    pub counts: Counts,
}

/// What counts towards a length of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Counts {
    /// Open time of the team that holds or receives the case; a team without hours is always open.
    #[default]
    TeamHours,
    /// Every second.
    Wall,
}

impl From<SignedDuration> for Wait {
    /// This much of a team's hours.
    fn from(length: SignedDuration) -> Self {
        Self { length, counts: Counts::TeamHours }
    }
}

impl Wait {
    /// In words: `2 h of the team's hours`, `2 h of wall time`.
    pub fn shown(&self) -> String {
        match self.counts {
            Counts::TeamHours => format!("{} of the team's hours", length(self.length)),
            Counts::Wall => format!("{} of wall time", length(self.length)),
        }
    }

    /// This much time, whatever a team's hours are.
    pub fn wall(length: SignedDuration) -> Self {
        Self { length, counts: Counts::Wall }
    }
}

/// A team's hours.
#[derive(Clone, Debug)]
pub struct TeamHours {
    /// The key of their `[hours.NAME]` table.
    pub name: HoursName,
    /// Their zone's name in the tz database.
    pub zone: String,
    /// When they are open, for people: days and blocks, then what is closed.
    pub open: String,
    /// The days on which they are closed all day, in order.
    pub closed: Vec<Date>,
    /// When somebody is there.
    pub calendar: Calendar,
    /// What they mean as text, the same for every way to write them; part of the policy's version.
    pub meaning: String,
}

/// An instant that was worked out, with its working for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Due {
    /// The instant.
    pub at: Timestamp,
    /// The instant in the team's zone: `Mon 30 Nov 10:30 Europe/Berlin`.
    pub shown: String,
    /// How it came about: `4 h of office hours, Fri 14:00–15:00 and Mon 09:00–12:00`.
    pub working: String,
}

impl Due {
    /// The instant and its working.
    pub fn told(&self) -> String {
        format!("{}: {}", self.shown, self.working)
    }
}

/// When a length of time has passed since `start` in these hours, and what was counted for it. None where they do not open
/// often enough within fifty years.
pub fn instant(hours: Option<&TeamHours>, start: Timestamp, wait: Wait) -> Option<(Timestamp, Working)> {
    match hours.filter(|_| wait.counts == Counts::TeamHours) {
        Some(hours) => hours.calendar.add(start, wait.length).ok().map(|deadline| (deadline.at, deadline.working)),
        None => {
            let at = start.checked_add(wait.length).ok()?;
            Some((at, Working::wall(start, at)))
        }
    }
}

/// An instant that was worked out in these hours, for people.
pub fn told(hours: Option<&TeamHours>, start: Timestamp, at: Timestamp, wait: Wait, working: &Working) -> Due {
    let counted = length(wait.length);
    let working = match (hours, wait.counts) {
        (Some(hours), Counts::TeamHours) => {
            format!("{counted} of {} hours, {}", hours.name, working.shown(hours.calendar.zone()))
        }
        (_, Counts::Wall) => format!("{counted} of wall time"),
        (None, Counts::TeamHours) => format!("{counted}, around the clock"),
    };
    Due { at, shown: in_zone(hours, at, start), working }
}

fn in_zone(hours: Option<&TeamHours>, at: Timestamp, since: Timestamp) -> String {
    match hours {
        Some(hours) => format!("{} {}", moment(at, since, hours.calendar.zone()), hours.zone),
        None => format!("{} UTC", moment(at, since, &TimeZone::UTC)),
    }
}

impl Team {
    /// The deadline of something that this team has so long for, from `start` on. None where its hours do not open often
    /// enough within fifty years.
    pub fn due(&self, start: Timestamp, wait: Wait) -> Option<Due> {
        let hours = self.hours.as_deref();
        let (at, working) = instant(hours, start, wait)?;
        Some(told(hours, start, at, wait, &working))
    }

    /// An instant as this team reads it: in its zone, which it names.
    pub fn moment(&self, at: Timestamp, since: Timestamp) -> String {
        in_zone(self.hours.as_deref(), at, since)
    }

    /// The name of its zone, where it has hours.
    pub fn zone(&self) -> Option<&str> {
        self.hours.as_ref().map(|hours| hours.zone.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing;

    fn told(hours: bool, wait: Wait) -> String {
        let mut team = testing::policy().teams.remove(&"billing".into()).unwrap();
        team.hours = hours.then(testing::office_hours);
        team.due("2026-11-27T13:00:00Z".parse().unwrap(), wait).unwrap().told()
    }

    #[test]
    fn a_deadline_counts_in_the_teams_hours_and_tells_them() {
        let wait = Wait::from(SignedDuration::from_hours(4));
        let office = "Mon 30 Nov 12:00 Europe/Berlin: 4 h of office hours, Fri 14:00–15:00 and Mon 09:00–12:00";
        assert_eq!(told(true, wait), office);
        assert_eq!(told(false, wait), "Fri 27 Nov 17:00 UTC: 4 h, around the clock");
        let wall = Wait::wall(SignedDuration::from_hours(4));
        assert_eq!(told(true, wall), "Fri 27 Nov 18:00 Europe/Berlin: 4 h of wall time");
    }

    #[test]
    fn hours_that_hardly_open_give_no_deadline_rather_than_a_wrong_one() {
        let mut team = testing::policy().teams.remove(&"billing".into()).unwrap();
        team.hours = Some(testing::office_hours());
        let century = Wait::from(SignedDuration::from_hours(24 * 365 * 100));
        assert_eq!(team.due(testing::now(), century), None);
        assert_eq!(team.due(Timestamp::MAX, Wait::wall(SignedDuration::from_secs(1))), None);
    }
}
