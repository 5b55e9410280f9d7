//! What a look learns about who owns a case: who it is, who it was, whether they are still there, and whether the agent
//! before has done what was left to them. Pure.

use super::examine::{Look, history_is_readable};
use super::past::unread;
use super::stays::shown;
use crate::ledger::records::{LostNote, OwnerChange, OwnerSeen, Presence, TaskOver, TaskRecord};
use crate::plan::lost::{self, Lost, lost_note};
use crate::policy::case::{Case, Memory, Stay};
use crate::policy::hold::may_write;
use crate::policy::roster::Roster;
use handoffd_kit::fact::Fact;
use handoffd_kit::id::UserId;
use handoffd_kit::model::{Actor, Change, PartKind, PartSet, Person, Role, Status, What};
use jiff::Timestamp;

/// Who owns the case, where the desk says so.
///
/// # Errors
/// The part that it takes to tell whether somebody who has left the team was given the case before or after that.
pub fn seen(look: &Look<'_>, case: &Case) -> Result<Option<OwnerSeen>, PartSet> {
    let Some(owner) = case.head.owner.known().map(Option::as_ref) else { return Ok(None) };
    let ended = matches!(case.head.status, Fact::Known(Status::Solved | Status::Closed)) || case.head.ending.is_some();
    let held_by = case.memory.stay.as_ref().map(|stay| stay.team.clone());
    let roster = held_by
        .as_ref()
        .and_then(|team| look.policy.teams.get(team))
        .and_then(|team| look.rosters.of(team, look.now).ok());
    let name = |id: &UserId| {
        let head = owner.filter(|person| person.id == *id).and_then(|person| person.name.clone());
        let member = || roster.and_then(|roster| roster.members.iter().find(|member| member.id == *id));
        head.or_else(|| member().and_then(|member| member.name.clone()))
    };
    let opened = case.head.created_at.known().copied();
    let told = case.parts.history.as_deref().map(|history| told(history, opened, &name));
    let presence = match owner.filter(|_| !ended) {
        None => Presence::Here,
        Some(person) => presence(person, roster, &|| owned_since(look, &person.id, told.as_deref(), opened))?,
    };
    Ok(Some(OwnerSeen {
        name: owner.and_then(|person| name(&person.id)),
        presence,
        owner: owner.map(|person| person.id.clone()),
        held_by,
        open: !ended,
        since: opened,
        told,
    }))
}

/// Since when somebody owns the case: as the history tells, else as the ledger knows; whoever is new there has just been given
/// it. One whom no change made its owner has had it from the beginning.
fn owned_since(
    look: &Look<'_>,
    owner: &UserId,
    told: Option<&[OwnerChange]>,
    opened: Option<Timestamp>,
) -> Result<Timestamp, PartSet> {
    let from_the_beginning = opened.unwrap_or(Timestamp::UNIX_EPOCH);
    match (told, &look.record.owner) {
        (Some([]), _) | (None, None) => Ok(from_the_beginning),
        (Some([.., last]), _) => Ok(if last.owner.as_ref() == Some(owner) { last.since } else { look.now }),
        (None, Some(known)) if known.owner.as_ref() == Some(owner) => Ok(known.since),
        (None, Some(_)) if history_is_readable(look) => Err(PartSet::of(&[PartKind::History])),
        (None, Some(_)) => Ok(look.now),
    }
}

/// Whether an owner can still own it. Whoever never was among the team's people is somebody's choice, and so is who had left
/// them already when the case was given to them.
fn presence(
    owner: &Person,
    roster: Option<&Roster>,
    since: &dyn Fn() -> Result<Timestamp, PartSet>,
) -> Result<Presence, PartSet> {
    // A team without anybody is rather a desk that tells nothing.
    let Some(roster) = roster.filter(|roster| !roster.members.is_empty()) else { return Ok(Presence::Unknown) };
    let member = roster.members.iter().find(|member| member.id == owner.id);
    let departed = roster.departed.iter().find(|departed| departed.id == owner.id);
    let known = member.and_then(|one| one.name.as_deref()).or_else(|| departed.and_then(|one| one.name.as_deref()));
    let name = owner.name.as_deref().or(known).unwrap_or(owner.id.as_str());
    Ok(match (member, departed) {
        (Some(member), _) if member.active => Presence::Here,
        (Some(_), _) => Presence::Gone(format!("{name} is not active on the desk any more")),
        (None, Some(departed)) if since()? < departed.since => {
            Presence::Gone(format!("{name} is no member of the team any more"))
        }
        (None, _) => Presence::Here,
    })
}

/// All owners that the history tells, oldest first, from the opening on.
fn told(history: &[Change], opened: Option<Timestamp>, name: &dyn Fn(&UserId) -> Option<String>) -> Vec<OwnerChange> {
    let changes = history.iter().flat_map(|change| {
        change.what.iter().filter_map(move |what| match what {
            What::Owner { from, to } => Some((change, from, to)),
            _ => None,
        })
    });
    let mut owners: Vec<OwnerChange> = Vec::new();
    for (change, from, to) in changes {
        if owners.is_empty()
            && let Some(since) = opened.filter(|opened| *opened < change.at)
        {
            let owner = from.clone();
            let name = owner.as_ref().and_then(name);
            owners.push(OwnerChange { owner, name, since, change: None, by: None, handoff: None });
        }
        let handoff = change.mark.as_ref().filter(|_| change.by.role == Role::Us).map(|mark| mark.handoff.clone());
        owners.push(OwnerChange {
            owner: to.clone(),
            name: to.as_ref().and_then(name),
            since: change.at,
            change: Some(change.id.to_string()),
            by: handoff.is_none().then(|| shown(&change.by)),
            handoff,
        });
    }
    owners
}

/// A note on the ticket that its owner is gone, where a handoff of ours gave it to the team: once for each of them.
///
/// # Errors
/// The part that it takes to tell whether a ledger that was restored has written it before.
pub fn say_lost(look: &Look<'_>, seen: Option<&OwnerSeen>, memory: &Memory) -> Result<Option<LostNote>, PartSet> {
    let Some((seen, Presence::Gone(why))) = seen.map(|seen| (seen, &seen.presence)) else { return Ok(None) };
    let Some(handoff) = look.record.handoff.as_ref() else { return Ok(None) };
    let there = memory.stay.as_ref().is_some_and(|stay| stay.team == handoff.proposal.to);
    let writes = may_write(&handoff.proposal.rule, look.policy, &memory.signed_rules) && !memory.switched_off.all;
    let told = look.record.owner.as_ref().is_some_and(|known| known.told_lost && known.owner == seen.owner);
    if !there || handoff.state.is_open() || !writes || told {
        return Ok(None);
    }
    let history = match look.parts.history.as_deref() {
        None if history_is_readable(look) => return Err(PartSet::of(&[PartKind::History])),
        history => history.unwrap_or_default(),
    };
    let number = |change: &Change| {
        let mark = change.mark.as_ref().filter(|mark| mark.handoff == handoff.id)?;
        Some(mark.number).filter(|number| lost::NUMBERS.contains(number))
    };
    let forgotten = |number: u32| !handoff.effects.iter().any(|effect| effect.number == number);
    let becomes_owner = |change: &Change| change.what.iter().any(|what| matches!(what, What::Owner { .. }));
    let given = history.iter().rposition(becomes_owner).map_or(0, |at| at + 1);
    if history[given..].iter().filter_map(number).any(forgotten) {
        return Ok(Some(LostNote { handoff: handoff.id.clone(), effect: None }));
    }
    let known = handoff.effects.iter().map(|effect| effect.number).filter(|number| lost::NUMBERS.contains(number));
    let last = known.chain(history.iter().filter_map(number)).max();
    let lost = Lost { why, before: last.map_or(0, |last| last + 1 - lost::NUMBERS.start), now: look.now };
    let note = lost_note(&handoff.proposal, &handoff.id, &lost, look.capabilities, look.head);
    Ok(note.map(|effect| LostNote { handoff: handoff.id.clone(), effect: Some(effect) }))
}

/// What became of the tasks that were left with agents before.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tasks {
    /// The history must be read to tell.
    pub need_history: bool,
    /// Those that are over.
    pub over: Vec<TaskOver>,
    /// Look again then.
    pub look_again: Option<Timestamp>,
}

/// A task is done when the agent it was left with has written on the ticket since, and comes to nothing when the case is over, or
/// lies with the team again that gave it away. `past`: what the desk tells of it, as far as it was read. `stay`: where it lies now.
pub fn tasks(look: &Look<'_>, stay: Option<&Stay>, news: bool, past: Option<&[Change]>) -> Tasks {
    let mut tasks = Tasks::default();
    let ended = matches!(look.head.status, Fact::Known(Status::Solved | Status::Closed)) || look.head.ending.is_some();
    for task in &look.record.tasks {
        let over = |by: String, at| TaskOver { handoff: task.handoff.clone(), by, at };
        match past.and_then(|past| done(task, past)) {
            Some((by, at)) => tasks.over.push(over(by, at)),
            None if ended => tasks.over.push(over("nobody: the case is over".to_owned(), look.now)),
            None if is_back(task, stay) => tasks.over.push(over("nobody: the case came back".to_owned(), look.now)),
            None => {
                tasks.need_history |= news && past.is_none() && unread(look).is_some() && task.who_id.is_some();
                let due = task.until.filter(|until| *until > look.now);
                tasks.look_again = tasks.look_again.into_iter().chain(due).min();
            }
        }
    }
    tasks
}

/// Whether the case came back to the team whose agent was left with something.
fn is_back(task: &TaskRecord, stay: Option<&Stay>) -> bool {
    stay.is_some_and(|stay| Some(&stay.team) == task.from.as_ref() && stay.since > task.since)
}

fn done(task: &TaskRecord, history: &[Change]) -> Option<(String, Timestamp)> {
    let theirs = |change: &&Change| {
        let by_them = change.by.id.is_some() && change.by.id == task.who_id && change.actor == Actor::Person;
        by_them && change.at > task.since && change.what.iter().any(|what| matches!(what, What::Said { .. }))
    };
    history.iter().find(theirs).map(|change| (shown(&change.by), change.at))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::roster::{Colleague, Departed};
    use handoffd_kit::model::{Author, Visibility};
    use jiff::SignedDuration;

    fn at(minutes: i64) -> Timestamp {
        crate::policy::testing::now() + SignedDuration::from_mins(minutes)
    }

    fn change(id: &str, minutes: i64, by: &str, what: What) -> Change {
        let by = Author { id: Some(by.into()), name: Some(format!("Agent {by}")), role: Role::Agent };
        Change { id: id.into(), at: at(minutes), by, actor: Actor::Person, mark: None, what: vec![what] }
    }

    fn owner(from: Option<&str>, to: Option<&str>) -> What {
        What::Owner { from: from.map(UserId::from), to: to.map(UserId::from) }
    }

    #[test]
    fn the_history_tells_every_owner_from_the_opening_on() {
        let history = [change("c2", 10, "7", owner(Some("7"), None)), change("c3", 20, "21", owner(None, Some("21")))];
        let told = told(&history, Some(at(0)), &|id| Some(format!("Agent {id}")));
        let rows: Vec<_> =
            told.iter().map(|one| (one.owner.as_ref().map(UserId::as_str), one.since, one.by.as_deref())).collect();
        let expected =
            [(Some("7"), at(0), None), (None, at(10), Some("Agent 7")), (Some("21"), at(20), Some("Agent 21"))];
        assert_eq!(rows, expected);
    }

    #[test]
    fn an_owner_who_left_or_is_not_active_is_lost_and_a_stranger_is_somebodys_choice() {
        let colleague = |id: &str, active| Colleague { id: id.into(), name: None, email: None, active, open: 0 };
        let roster = Roster {
            version: "r".into(),
            read_at: at(0),
            members: vec![colleague("21", true), colleague("22", false)],
            departed: vec![Departed { id: "23".into(), name: None, since: at(10) }],
            last: None,
        };
        let nobody = Roster { members: Vec::new(), ..roster.clone() };
        let judged = |id: &str, roster: Option<&Roster>, since: Timestamp| {
            let person = Person { id: id.into(), name: None, email: None, role: Role::Agent };
            presence(&person, roster, &|| Ok(since)).expect("nothing to read")
        };
        let gone = |id: &str, since| matches!(judged(id, Some(&roster), since), Presence::Gone(_));
        assert_eq!(["21", "22", "23", "99"].map(|id| gone(id, at(0))), [false, true, true, false]);
        let later = ["22", "23"].map(|id| gone(id, at(20)));
        assert_eq!(later, [true, false], "who had left already was given it on purpose");
        assert_eq!(
            judged("23", Some(&nobody), at(0)),
            Presence::Unknown,
            "all at once is rather a reading that failed"
        );
        assert_eq!(judged("22", None, at(0)), Presence::Unknown, "nobody is said to be gone by what is not known");
    }

    #[test]
    fn a_task_is_done_by_the_word_of_the_agent_it_was_left_with_and_by_nobody_elses() {
        let task = TaskRecord {
            handoff: "h1".into(),
            desk: "acme".into(),
            ticket: "42".into(),
            from: Some("frontline".into()),
            task: "Answer questions".into(),
            who: Some("Agent 7".into()),
            who_id: Some("7".into()),
            since: at(10),
            until: Some(at(60)),
            done: None,
        };
        let said = || What::Said { visibility: Visibility::Internal, message: "m".into() };
        let before = change("c1", 5, "7", said());
        let other = change("c2", 20, "21", said());
        let tag = change("c3", 25, "7", What::Tags { added: vec!["seen".to_owned()], removed: Vec::new() });
        assert_eq!(done(&task, &[before.clone(), other.clone(), tag.clone()]), None);
        let theirs = change("c4", 30, "7", said());
        assert_eq!(done(&task, &[before, other, tag, theirs]), Some(("Agent 7".into(), at(30))));
        let stay = |team: &str, minutes| Stay { team: team.into(), since: at(minutes), episode: "e".into() };
        assert!(is_back(&task, Some(&stay("frontline", 20))));
        for elsewhere in [None, Some(stay("billing", 20)), Some(stay("frontline", 0))] {
            assert!(!is_back(&task, elsewhere.as_ref()), "{elsewhere:?}");
        }
        assert!(!is_back(&TaskRecord { from: None, ..task }, Some(&stay("frontline", 20))));
    }
}
