//! Who works in each team, as the desk told it last, when it is asked again, and where the turn stands. How much each of
//! them has open is the desk's word plus what was given to them since, or, where it does not tell, what handoffd has seen.

use super::codec::{from_json, instant, json, millis};
use super::error::Result;
use super::open::Ledger;
use super::records::{RosterRead, RosterTrouble, RosterWanted};
use crate::policy::names::TeamName;
use crate::policy::roster::{Colleague, Departed, LastTurn, Roster};
use handoffd_kit::desk::Member;
use handoffd_kit::id::{DeskId, UserId};
use handoffd_kit::model::Role;
use jiff::Timestamp;
use rusqlite::{OptionalExtension, params};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A handoff that has given, or is about to give, a case to one of several members.
const GIVEN: &str =
    "assigned IS NOT NULL AND started_at IS NOT NULL AND (state <> 'withdrawn' OR first_sent_at IS NOT NULL)";

impl Ledger {
    /// Teams whose people should be asked for now, of those that are wanted. What is known of others is forgotten.
    ///
    /// # Errors
    /// SQLite's.
    pub fn due_rosters(&mut self, wanted: &[RosterWanted], now: Timestamp) -> Result<Vec<RosterWanted>> {
        let known: Vec<(String, String, String, i64)> = {
            let mut statement = self.connection.prepare_cached("SELECT desk, team, queue, due FROM rosters")?;
            let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?)))?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        let is = |wanted: &&RosterWanted, desk: &str, team: &str, queue: &str| {
            wanted.desk.as_str() == desk && wanted.team.as_str() == team && wanted.queue_key() == queue
        };
        let mut fresh = Vec::new();
        for (desk, team, queue, due) in known {
            match wanted.iter().find(|wanted| is(wanted, &desk, &team, &queue)) {
                Some(wanted) if instant(due) > now => fresh.push(wanted),
                Some(_) => {}
                None => {
                    self.connection.execute("DELETE FROM rosters WHERE desk = ? AND team = ?", [&desk, &team])?;
                }
            }
        }
        Ok(wanted.iter().filter(|wanted| !fresh.contains(wanted)).cloned().collect())
    }

    /// A team's people as the desk has just told them. Gives who is gone or not active any more since the last time. The
    /// cases of the team that they own are looked at, and those of who was missed and is back.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn put_roster(&mut self, read: &RosterRead) -> Result<Vec<UserId>> {
        self.atomically(|ledger| {
            let lost = ledger.replace_roster(read)?;
            let missed: Vec<UserId> = ledger.missed(&read.of)?;
            let is_back = |id: &&UserId| read.members.iter().any(|now| now.active && now.person.id == **id);
            let changed: Vec<UserId> = lost.iter().chain(missed.iter().filter(is_back)).cloned().collect();
            ledger.look_at_cases_of(&read.of, &changed, read.at)?;
            Ok(lost)
        })
    }

    fn replace_roster(&mut self, read: &RosterRead) -> Result<Vec<UserId>> {
        let before = self.members(&read.of)?.map(|(members, _)| members).unwrap_or_default();
        let lost = |member: &&Member| {
            member.active && !read.members.iter().any(|now| now.active && now.person.id == member.person.id)
        };
        let lost: Vec<&Member> = before.iter().filter(lost).collect();
        // Whoever was among them once and is not now: their cases have lost their owner.
        let back = |id: &UserId| read.members.iter().any(|member| member.active && member.person.id == *id);
        let mut departed = self.departed(&read.of)?;
        let named = |member: &&Member| Departed {
            id: member.person.id.clone(),
            name: member.person.name.clone(),
            since: read.at,
        };
        departed.extend(lost.iter().map(named));
        departed.retain(|one| !back(&one.id));
        departed.sort();
        departed.dedup_by(|one, other| one.id == other.id);
        let lost = lost.into_iter().map(|member| member.person.id.clone()).collect();
        self.connection.execute(
            "INSERT OR REPLACE INTO rosters (desk, team, queue, members, read_at, due, departed)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
            params![
                read.of.desk.as_str(),
                read.of.team.as_str(),
                read.of.queue_key(),
                json("roster", &read.members)?,
                millis(read.at),
                millis(read.due),
                json("people", &departed)?
            ],
        )?;
        Ok(lost)
    }

    /// A team's people could not be read: what was known stands until it is too old, and they are asked for again at `due`.
    ///
    /// # Errors
    /// SQLite's.
    pub fn roster_failed(&mut self, of: &RosterWanted, trouble: &RosterTrouble, due: Timestamp) -> Result<()> {
        self.connection.execute(
            "INSERT INTO rosters (desk, team, queue, due, what, next_step, since) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)
             ON CONFLICT (desk, team) DO UPDATE SET due = excluded.due, what = excluded.what,
                 next_step = excluded.next_step, since = coalesce(since, excluded.since)",
            params![
                of.desk.as_str(),
                of.team.as_str(),
                of.queue_key(),
                millis(due),
                trouble.what,
                trouble.next_step,
                millis(trouble.since)
            ],
        )?;
        Ok(())
    }

    /// Teams whose people cannot be read, longest first.
    ///
    /// # Errors
    /// SQLite's.
    pub fn roster_troubles(&self) -> Result<Vec<(DeskId, TeamName, RosterTrouble)>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT desk, team, what, next_step, since FROM rosters WHERE since IS NOT NULL ORDER BY since, desk, team",
        )?;
        let rows = statement.query_map([], |row| {
            let trouble = RosterTrouble { what: row.get(2)?, next_step: row.get(3)?, since: instant(row.get(4)?) };
            Ok((DeskId::new(row.get::<_, String>(0)?), TeamName::new(row.get::<_, String>(1)?), trouble))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The people of a desk's teams, as far as they are known. A choice that is still being decided is no turn.
    ///
    /// # Errors
    /// SQLite's. A snapshot that cannot be read is as good as none.
    pub fn rosters(&self, desk: &DeskId, deciding: Option<&str>) -> Result<BTreeMap<TeamName, Arc<Roster>>> {
        let teams: Vec<String> = {
            let mut statement =
                self.connection.prepare_cached("SELECT team FROM rosters WHERE desk = ? ORDER BY team")?;
            let rows = statement.query_map([desk.as_str()], |row| row.get(0))?;
            rows.collect::<rusqlite::Result<_>>()?
        };
        let mut rosters = BTreeMap::new();
        for team in teams.into_iter().map(TeamName::new) {
            if let Some(roster) = self.roster(desk, &team, deciding)? {
                rosters.insert(team, Arc::new(roster));
            }
        }
        Ok(rosters)
    }

    fn roster(&self, desk: &DeskId, team: &TeamName, deciding: Option<&str>) -> Result<Option<Roster>> {
        let of = RosterWanted::any_queue(desk.clone(), team.clone());
        let Some((mut members, read_at)) = self.members(&of)? else { return Ok(None) };
        members.retain(|member| member.person.role != Role::Us);
        members.sort_by(|one, other| one.person.id.cmp(&other.person.id));
        let seen = self.seen_open(desk, team)?;
        let given = self.given_since(desk, team, read_at, deciding)?;
        let mut hash = Sha256::new();
        let colleagues = members.into_iter().map(|member| {
            let id = member.person.id;
            hash.update((id.as_str().len() as u64).to_be_bytes());
            hash.update(id.as_str());
            hash.update([u8::from(member.active)]);
            let given = given.get(&id).copied().unwrap_or(0);
            let open = member.open.unwrap_or_else(|| seen.get(&id).copied().unwrap_or(0)).saturating_add(given);
            Colleague { id, name: member.person.name, email: member.person.email, active: member.active, open }
        });
        let members: Vec<Colleague> = colleagues.collect();
        let version = hex::encode(&hash.finalize()[..6]);
        let (departed, last) = (self.departed(&of)?, self.last_turn(desk, team, deciding)?);
        Ok(Some(Roster { version, read_at, members, departed, last }))
    }

    fn members(&self, of: &RosterWanted) -> Result<Option<(Vec<Member>, Timestamp)>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT members, read_at FROM rosters WHERE desk = ? AND team = ? AND members IS NOT NULL",
        )?;
        let row = statement
            .query_row([of.desk.as_str(), of.team.as_str()], |row| Ok((row.get::<_, String>(0)?, row.get(1)?)))
            .optional()?;
        let Some((text, read_at)) = row else { return Ok(None) };
        match from_json(|| format!("people of {}/{}", of.desk, of.team), &text) {
            Ok(members) => Ok(Some((members, instant(read_at)))),
            Err(error) => {
                tracing::error!(error = %error, "ledger.roster_unreadable");
                Ok(None)
            }
        }
    }

    /// Who was among a team's people once and is not any more; what cannot be read is nobody.
    fn departed(&self, of: &RosterWanted) -> Result<Vec<Departed>> {
        let mut statement =
            self.connection.prepare_cached("SELECT departed FROM rosters WHERE desk = ? AND team = ?")?;
        let text: Option<String> =
            statement.query_row([of.desk.as_str(), of.team.as_str()], |row| row.get(0)).optional()?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
    }

    /// Open cases of a team by owner, as handoffd saw them last.
    fn seen_open(&self, desk: &DeskId, team: &TeamName) -> Result<BTreeMap<UserId, u32>> {
        let mut statement = self.connection.prepare_cached(
            "SELECT owner, count(*) FROM cases WHERE desk = ? AND held_by = ? AND owner IS NOT NULL AND is_open <> 0
             GROUP BY owner",
        )?;
        let rows = statement.query_map([desk.as_str(), team.as_str()], |row| {
            Ok((UserId::new(row.get::<_, String>(0)?), row.get(1)?))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// What was given to each since an instant and does not show as theirs in what was seen.
    fn given_since(
        &self,
        desk: &DeskId,
        team: &TeamName,
        since: Timestamp,
        deciding: Option<&str>,
    ) -> Result<BTreeMap<UserId, u32>> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT h.assigned, count(*) FROM handoffs h
             WHERE h.desk = ?1 AND h.to_team = ?2 AND h.started_at > ?3 AND h.id IS NOT ?4 AND {GIVEN}
               AND NOT EXISTS (SELECT 1 FROM cases c WHERE c.desk = h.desk AND c.ticket = h.ticket AND c.owner = h.assigned)
             GROUP BY h.assigned"
        ))?;
        let rows = statement.query_map(params![desk.as_str(), team.as_str(), millis(since), deciding], |row| {
            Ok((UserId::new(row.get::<_, String>(0)?), row.get(1)?))
        })?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The latest handoff whose owner was chosen among a team's members.
    pub(super) fn last_turn(&self, desk: &DeskId, team: &TeamName, deciding: Option<&str>) -> Result<Option<LastTurn>> {
        let mut statement = self.connection.prepare_cached(&format!(
            "SELECT id, assigned FROM handoffs WHERE desk = ?1 AND to_team = ?2 AND id IS NOT ?3 AND {GIVEN}
             ORDER BY started_at DESC, rowid DESC LIMIT 1"
        ))?;
        let row = statement.query_row(params![desk.as_str(), team.as_str(), deciding], |row| {
            Ok(LastTurn { handoff: row.get(0)?, taken: UserId::new(row.get::<_, String>(1)?) })
        });
        Ok(row.optional()?)
    }
}

#[cfg(test)]
mod tests {
    use super::super::records::{CaseUpdate, NewHandoff, OwnerSeen, Recorded};
    use super::super::samples::{at, ledger, nothing_found, sending};
    use super::*;
    use crate::policy::proposal::Turn;
    use handoffd_kit::desk::{OwnerSpec, QueueSpec};
    use handoffd_kit::model::Person;

    fn billing() -> RosterWanted {
        RosterWanted { desk: "acme".into(), team: "billing".into(), queue: QueueSpec::Name("Billing".into()) }
    }

    fn member(id: &str, active: bool, open: Option<u32>) -> Member {
        let person = Person { id: id.into(), name: Some(format!("Agent {id}")), email: None, role: Role::Agent };
        Member { person, active, open }
    }

    fn read(ledger: &mut Ledger, members: Vec<Member>, now: Timestamp) -> Vec<UserId> {
        ledger.put_roster(&RosterRead { of: billing(), members, at: now, due: at(900) }).expect("stored")
    }

    fn roster(ledger: &Ledger) -> Roster {
        let rosters = ledger.rosters(&"acme".into(), None).expect("rosters");
        Roster::clone(&rosters[&"billing".into()])
    }

    /// A handoff that gives a case to this member.
    fn gives(ticket: &str, taken: &str, after: Option<&str>) -> NewHandoff {
        let mut handoff = sending(&format!("h{ticket}"), ticket, "v1");
        handoff.proposal.owner.set = OwnerSpec::User(taken.into());
        handoff.proposal.owner.turn = Some(Turn { taken: taken.into(), after: after.map(str::to_owned) });
        handoff
    }

    fn record(ledger: &mut Ledger, handoff: NewHandoff, now: Timestamp) -> Recorded {
        let ticket = handoff.proposal.ticket.to_string();
        let update = CaseUpdate { handoff: Some(handoff), ..nothing_found(&ticket, now) };
        ledger.record_case(&update).expect("recorded")
    }

    #[test]
    fn a_teams_people_are_asked_for_when_due_when_their_queue_changes_and_when_nothing_is_known() {
        let mut ledger = ledger();
        assert_eq!(ledger.due_rosters(&[billing()], at(0)), Ok(vec![billing()]));
        read(&mut ledger, vec![member("21", true, None)], at(0));
        assert_eq!(ledger.due_rosters(&[billing()], at(899)), Ok(vec![]));
        assert_eq!(ledger.due_rosters(&[billing()], at(900)), Ok(vec![billing()]));
        let moved = RosterWanted { queue: QueueSpec::Id("9".into()), ..billing() };
        assert_eq!(ledger.due_rosters(std::slice::from_ref(&moved), at(1)), Ok(vec![moved]));
        assert!(ledger.rosters(&"acme".into(), None).expect("rosters").is_empty(), "they were another queue's");
    }

    #[test]
    fn a_failure_keeps_what_was_known_and_is_listed_until_it_is_over() {
        let mut ledger = ledger();
        read(&mut ledger, vec![member("21", true, None)], at(0));
        let trouble = |since| RosterTrouble { what: "no right".into(), next_step: "grant it".into(), since };
        for seconds in [900, 960] {
            ledger.roster_failed(&billing(), &trouble(at(seconds)), at(2_000)).expect("noted");
        }
        assert_eq!(ledger.roster_troubles().expect("listed")[0].2.since, at(900));
        assert_eq!(roster(&ledger).members.len(), 1);
        read(&mut ledger, vec![member("21", true, None)], at(2_000));
        assert!(ledger.roster_troubles().expect("listed").is_empty());
    }

    #[test]
    fn who_leaves_is_told_once_and_our_own_account_is_nobodys_colleague() {
        let mut ledger = ledger();
        let mut bot = member("1", true, None);
        bot.person.role = Role::Us;
        assert!(read(&mut ledger, vec![bot, member("22", true, None), member("21", true, None)], at(0)).is_empty());
        let before = roster(&ledger);
        assert_eq!(before.members.iter().map(|member| member.id.as_str()).collect::<Vec<_>>(), ["21", "22"]);
        let lost = read(&mut ledger, vec![member("21", false, None), member("23", true, None)], at(1));
        assert!(lost.contains(&"21".into()) && lost.contains(&"22".into()) && !lost.contains(&"23".into()));
        assert_ne!(roster(&ledger).version, before.version);
        let departed: Vec<UserId> = roster(&ledger).departed.into_iter().map(|one| one.id).collect();
        assert_eq!(departed, ["1".into(), "21".into(), "22".into()]);
        assert!(read(&mut ledger, vec![member("21", false, None), member("23", true, None)], at(2)).is_empty());
    }

    #[test]
    fn looks_that_were_decided_at_the_same_moment_do_not_all_take_the_same_member() {
        let mut ledger = ledger();
        read(&mut ledger, vec![member("21", true, None), member("22", true, None)], at(0));
        assert_eq!(record(&mut ledger, gives("1", "21", None), at(1)), Recorded::Whole);
        assert_eq!(record(&mut ledger, gives("2", "21", None), at(1)), Recorded::Outrun);
        assert_eq!(roster(&ledger).last, Some(LastTurn { handoff: "h1".into(), taken: "21".into() }));
        assert_eq!(record(&mut ledger, gives("2", "22", Some("h1")), at(2)), Recorded::Whole);
        assert_eq!(record(&mut ledger, gives("2", "22", Some("h1")), at(3)), Recorded::Whole, "decided anew");
        let own = ledger.rosters(&"acme".into(), Some("h2")).expect("rosters");
        assert_eq!(own[&"billing".into()].last.as_ref().map(|last| last.handoff.as_str()), Some("h1"));
    }

    #[test]
    fn load_is_the_desks_word_and_what_was_given_since_or_what_was_seen() {
        let mut ledger = ledger();
        read(&mut ledger, vec![member("21", true, Some(3)), member("22", true, None)], at(0));
        let owned = |owner: &str| OwnerSeen {
            owner: Some(owner.into()),
            name: None,
            held_by: Some("billing".into()),
            open: true,
            since: None,
            told: None,
            presence: super::super::records::Presence::Here,
        };
        for (ticket, owner) in [("7", "22"), ("8", "22"), ("9", "21")] {
            let update = CaseUpdate { owner: Some(owned(owner)), ..nothing_found(ticket, at(1)) };
            ledger.record_case(&update).expect("seen");
        }
        record(&mut ledger, gives("1", "21", None), at(2));
        record(&mut ledger, gives("2", "22", Some("h1")), at(3));
        let open: Vec<u32> = roster(&ledger).members.iter().map(|member| member.open).collect();
        assert_eq!(open, [4, 3]);
        let update = CaseUpdate { owner: Some(owned("22")), ..nothing_found("2", at(4)) };
        ledger.record_case(&update).expect("seen");
        let closed = OwnerSeen { open: false, ..owned("22") };
        ledger.record_case(&CaseUpdate { owner: Some(closed), ..nothing_found("7", at(5)) }).expect("seen");
        let open: Vec<u32> = roster(&ledger).members.iter().map(|member| member.open).collect();
        assert_eq!(open, [4, 2], "given and seen is counted once; what is closed not at all");
    }
}
