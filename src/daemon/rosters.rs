//! Who works in the teams that give and take handoffs: asked for every quarter of an hour, kept in the ledger with the instant of the
//! next time. What cannot be read keeps what was known until that is too old to be believed, and shows in health.

use super::house::House;
use crate::ledger::LedgerError;
use crate::ledger::records::{RosterRead, RosterTrouble, RosterWanted};
use handoffd_kit::capability::Roster;
use handoffd_kit::error::DeskError;
use jiff::SignedDuration;

/// How often each team's people are asked for: well within the time that the last answer is believed.
const REFRESH: SignedDuration = SignedDuration::from_mins(15);
/// How soon after a failure.
const AGAIN: SignedDuration = SignedDuration::from_mins(3);

impl House {
    /// The teams whose people the policy wants to know and whose desk tells them.
    pub(super) fn rosters_wanted(&self) -> Vec<RosterWanted> {
        let tells =
            |desk| self.desks.get(desk).is_some_and(|station| station.desk.capabilities().roster != Roster::None);
        let teams = self.policy.rostered_teams().filter(|team| tells(&team.desk));
        teams
            .map(|team| RosterWanted { desk: team.desk.clone(), team: team.name.clone(), queue: team.queue.clone() })
            .collect()
    }

    /// Asks for those that are due, one call after the other.
    pub(super) async fn refresh_rosters(&self) -> Result<(), LedgerError> {
        let (wanted, now) = (self.rosters_wanted(), self.seams.clock.now());
        let due = self.ledger.call(move |ledger| ledger.due_rosters(&wanted, now)).await?;
        for of in due {
            let Some(station) = self.desks.get(&of.desk).filter(|station| !station.is_silent()) else { continue };
            let deadline = self.seams.clock.now() + SignedDuration::from_mins(1);
            let answer = station.desk.members(&of.queue, deadline).await;
            let at = self.seams.clock.now();
            match answer {
                Ok(members) => {
                    station.answered();
                    let read = RosterRead { of, members, at, due: at + REFRESH };
                    self.ledger.call(move |ledger| ledger.put_roster(&read)).await?;
                }
                Err(error) => {
                    tracing::warn!(desk = %of.desk, team = %of.team, error = %error, "house.roster_failed");
                    station.failed_on(1, &error, at, self.seams.random.fraction());
                    let trouble = trouble(&error, at);
                    self.ledger.call(move |ledger| ledger.roster_failed(&of, &trouble, at + AGAIN)).await?;
                }
            }
        }
        Ok(())
    }
}

fn trouble(error: &DeskError, since: jiff::Timestamp) -> RosterTrouble {
    let next = "run `handoffd check --online`: it says what is missing; until then cases that somebody is chosen for go to the \
                queue, and any agent but those known as the giving side claims";
    RosterTrouble {
        what: error.to_string(),
        next_step: error.next_step.clone().unwrap_or_else(|| next.to_owned()),
        since,
    }
}
