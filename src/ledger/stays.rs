//! Stays: where a case has been, one row each, and what can be counted from them.

use super::codec::{instant, millis};
use super::error::Result;
use super::open::Ledger;
use super::records::StayChange;
use crate::policy::case::Stay;
use crate::policy::names::TeamName;
use crate::policy::triage::is_weak;
use handoffd_kit::id::{DeskId, TicketId};
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};

impl Ledger {
    /// All stays of a case, oldest first.
    pub(super) fn stays(&self, desk: &DeskId, ticket: &TicketId) -> Result<Vec<StayChange>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT team, episode, since, by_handoff, by FROM stays WHERE desk = ? AND ticket = ? ORDER BY id",
        )?;
        let rows = statement.query_map([desk.as_str(), ticket.as_str()], |row| {
            let (team, episode): (Option<String>, Option<String>) = (row.get(0)?, row.get(1)?);
            let since = instant(row.get(2)?);
            let stay = team.zip(episode).map(|(team, episode)| Stay { team: TeamName::new(team), episode, since });
            Ok(StayChange { stay, by_handoff: row.get(3)?, by: row.get(4)? })
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Adds a stay. One whose episode only stood in until the history was read is refined in place, and whatever was
    /// recorded under the stand-in now goes by the real episode.
    pub(super) fn add_stay(
        &mut self,
        desk: &DeskId,
        ticket: &TicketId,
        change: &StayChange,
        now: Timestamp,
    ) -> Result<()> {
        let (team, episode) = match &change.stay {
            Some(stay) => (Some(stay.team.as_str()), Some(stay.episode.as_str())),
            None => (None, None),
        };
        let since = millis(change.stay.as_ref().map_or(now, |stay| stay.since));
        let Some((id, stood_in)) = self.provisional(desk, ticket, team)? else {
            if let Some(stay) = &change.stay {
                self.mark_weak_triage(desk, ticket, stay)?;
            }
            self.connection
                .prepare_cached(
                    "INSERT INTO stays (desk, ticket, team, episode, since, by_handoff, by) VALUES (?, ?, ?, ?, ?, ?, ?)",
                )?
                .execute(params![desk.as_str(), ticket.as_str(), team, episode, since, change.by_handoff, change.by])?;
            return Ok(());
        };
        self.connection
            .prepare_cached("UPDATE stays SET episode = ?, since = ?, by_handoff = ?, by = ? WHERE id = ?")?
            .execute(params![episode, since, change.by_handoff, change.by, id])?;
        for sql in [
            "UPDATE handoffs SET episode = ? WHERE desk = ? AND ticket = ? AND episode = ?",
            "UPDATE OR REPLACE would SET episode = ? WHERE desk = ? AND ticket = ? AND episode = ?",
        ] {
            self.connection.prepare_cached(sql)?.execute(params![episode, desk.as_str(), ticket.as_str(), stood_in])?;
        }
        Ok(())
    }

    /// A case that a route brought to its first team goes to another one now. Whether that was too soon is marked at the
    /// route's handoff, once. A stay with no team of ours in between parts nothing, as in reports.
    fn mark_weak_triage(&mut self, desk: &DeskId, ticket: &TicketId, next: &Stay) -> Result<()> {
        let mut statement = self.connection.prepare_cached(
            "SELECT team, since, by_handoff FROM stays WHERE desk = ? AND ticket = ? AND team IS NOT NULL
             ORDER BY id DESC LIMIT 1",
        )?;
        let before = statement.query_row([desk.as_str(), ticket.as_str()], |row| {
            Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?, row.get::<_, Option<String>>(2)?))
        });
        let Some((team, since, Some(handoff))) = before.optional()? else { return Ok(()) };
        drop(statement);
        let Some(handoff) = self.find_handoff(&handoff)?.filter(|_| team != next.team.as_str()) else { return Ok(()) };
        let lasted = next.since.duration_since(instant(since));
        if handoff.proposal.weak_triage_within.is_some_and(|within| is_weak(lasted, within)) {
            self.connection
                .prepare_cached(
                    "UPDATE handoffs SET weak_triage_at = ?, weak_triage_to = ? WHERE id = ? AND weak_triage_at IS NULL",
                )?
                .execute(params![millis(next.since), next.team.as_str(), handoff.id])?;
        }
        Ok(())
    }

    /// The present stay, if it is with this team and its episode only stands in.
    fn provisional(&self, desk: &DeskId, ticket: &TicketId, team: Option<&str>) -> Result<Option<(i64, String)>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT id, episode FROM stays WHERE id = (SELECT max(id) FROM stays WHERE desk = ? AND ticket = ?)
             AND team = ? AND episode LIKE '~%'",
        )?;
        let row =
            statement.query_row(params![desk.as_str(), ticket.as_str(), team], |row| Ok((row.get(0)?, row.get(1)?)));
        Ok(row.optional()?)
    }
}

/// What the stays of a case add up to.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Figures {
    /// Each team once, in the order in which they first had it.
    pub teams_seen: Vec<TeamName>,
    /// Moves from a team to another.
    pub hops: u32,
    /// The stay right after the receiving team's is the giving team again.
    pub bounces: u32,
    /// Any later stay of a team that had the case before.
    pub returns: u32,
}

/// Counts stays, oldest first; `None` is a stay with no team of ours. The flag: the case was handed back as done, which is
/// a return and no bounce.
pub(super) fn figures<'a>(stays: impl Iterator<Item = (Option<&'a TeamName>, bool)>) -> Figures {
    let mut figures = Figures::default();
    let mut before: [Option<&TeamName>; 2] = [None, None];
    let mut last_team: Option<&TeamName> = None;
    for (stay, done) in stays {
        if let Some(team) = stay {
            let moved = last_team.is_some_and(|last| last != team);
            let back = figures.teams_seen.contains(team) && before[1] != Some(team);
            figures.hops += u32::from(moved);
            figures.returns += u32::from(back);
            figures.bounces += u32::from(moved && !done && before[0] == Some(team) && before[1].is_some());
            if !figures.teams_seen.contains(team) {
                figures.teams_seen.push(team.clone());
            }
            last_team = Some(team);
        }
        before = [before[1], stay];
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::super::samples::{at, ledger};
    use super::*;

    fn counted(stays: &[&str]) -> (u32, u32, u32) {
        // "+a": handed back to a as done.
        let name = |stay: &&str| stay.trim_start_matches('+').to_owned();
        let teams: Vec<(Option<TeamName>, bool)> = stays
            .iter()
            .map(|stay| ((*stay != "-").then(|| TeamName::new(name(stay))), stay.starts_with('+')))
            .collect();
        let figures = figures(teams.iter().map(|(team, done)| (team.as_ref(), *done)));
        (figures.hops, figures.bounces, figures.returns)
    }

    #[test]
    fn every_bounce_is_a_return_and_not_every_return_a_bounce() {
        assert_eq!(counted(&[]), (0, 0, 0));
        assert_eq!(counted(&["a", "b", "a"]), (2, 1, 1));
        assert_eq!(counted(&["a", "b", "c", "a"]), (3, 0, 1));
        assert_eq!(counted(&["a", "b", "a", "b"]), (3, 2, 2));
    }

    #[test]
    fn what_is_handed_back_as_done_is_a_return_and_no_bounce() {
        assert_eq!(counted(&["a", "b", "+a"]), (2, 0, 1));
        assert_eq!(counted(&["a", "b", "+a", "b", "a"]), (4, 2, 3));
    }

    #[test]
    fn a_stay_with_no_team_of_ours_is_no_hop() {
        assert_eq!(counted(&["-", "a", "-"]), (0, 0, 0));
        assert_eq!(counted(&["a", "-", "a"]), (0, 0, 1));
        assert_eq!(counted(&["a", "-", "b"]), (1, 0, 0));
    }

    /// A case that a route brought to frontline at 0, and that went through these queues at these seconds.
    fn triaged(route: &str, later: &[(&str, i64)]) -> Option<(Timestamp, String)> {
        use super::super::samples::{decide, sending, stay};
        use crate::policy::proposal::HandoffKind;
        let mut ledger = ledger();
        let (desk, ticket) = (DeskId::from("acme"), TicketId::from("1"));
        let mut handoff = sending("h1", "1", "v1");
        if route == "route" {
            handoff.proposal.kind = HandoffKind::Route;
            handoff.proposal.weak_triage_within = Some(jiff::SignedDuration::from_mins(10));
        }
        decide(&mut ledger, handoff, at(0));
        ledger.add_stay(&desk, &ticket, &stay("frontline", "c0", at(0), Some("h1")), at(0)).expect("added");
        for (team, seconds) in later {
            let mut change = stay(team, &format!("c{seconds}"), at(*seconds), None);
            if *team == "-" {
                change.stay = None;
            }
            ledger.add_stay(&desk, &ticket, &change, at(*seconds)).expect("added");
        }
        ledger.handoff("h1").expect("there").weak_triage.map(|(at, to)| (at, to.to_string()))
    }

    #[test]
    fn a_routed_case_that_soon_goes_to_another_team_was_weak_triage() {
        assert_eq!(triaged("route", &[("billing", 600)]), Some((at(600), "billing".into())));
        assert_eq!(triaged("route", &[("billing", 601)]), None, "it stayed long enough");
        assert_eq!(triaged("escalation", &[("billing", 600)]), None, "no route brought it there");
        assert_eq!(triaged("route", &[("-", 300)]), None, "no other team has it");
        assert_eq!(triaged("route", &[("-", 300), ("billing", 600)]), Some((at(600), "billing".into())));
        assert_eq!(triaged("route", &[("-", 300), ("frontline", 600), ("billing", 700)]), None, "it went on later");
        let twice = [("billing", 100), ("frontline", 200), ("sales", 300)];
        assert_eq!(triaged("route", &twice), Some((at(100), "billing".into())), "the first time counts");
    }

    #[test]
    fn a_stand_in_is_refined_in_place_with_all_that_goes_by_it() {
        let mut ledger = ledger();
        let (desk, ticket) = (DeskId::from("acme"), TicketId::from("1"));
        let stay = |team: &str, episode: &str| StayChange {
            stay: Some(Stay { team: team.into(), episode: episode.into(), since: at(0) }),
            by_handoff: None,
            by: None,
        };
        for (team, episode) in [("a", "~v1"), ("a", "~v2"), ("a", "c7"), ("a", "c9"), ("b", "~v3"), ("c", "c10")] {
            ledger.add_stay(&desk, &ticket, &stay(team, episode), at(0)).expect("added");
            if episode == "~v1" {
                let would = "INSERT INTO would VALUES ('acme', '1', 'rule', '~v1', '{}', 0, 1)";
                ledger.connection.execute(would, []).expect("would");
            }
        }
        let episodes: Vec<String> = ledger
            .stays(&desk, &ticket)
            .expect("stays")
            .into_iter()
            .filter_map(|change| change.stay.map(|stay| stay.episode))
            .collect();
        assert_eq!(episodes, ["c7", "c9", "~v3", "c10"]);
        assert_eq!(ledger.held(&desk, &ticket, "c7").expect("held"), (vec![], vec!["rule".into()]));
    }
}
