//! Who owns the case afterwards: the queue, a person, or one of several members, each known to be able to before it is
//! written. Whom the policy names and who cannot is replaced by the declared fallback, and the note says so.

use super::names::PersonName;
use super::proposal::{ClaimPlan, OwnerPlan, Turn};
use super::propose::Proposer;
use super::roster::By;
use super::rules::{Assign, CustomerFacing, OwnerDecision, PreviousTask};
use super::teams::Team;
use handoffd_kit::desk::OwnerSpec;
use handoffd_kit::model::Person;

/// Whom to set.
struct Chosen {
    set: OwnerSpec,
    shown: String,
    turn: Option<Turn>,
    roster: Option<String>,
}

impl Chosen {
    fn queue(to: &Team) -> Self {
        Self { set: OwnerSpec::Nobody, shown: in_queue(to), turn: None, roster: None }
    }
}

impl Proposer<'_> {
    /// What the policy's answer comes to for this case now.
    pub(super) fn owner(&self, decision: &OwnerDecision, to: &Team) -> OwnerPlan {
        let (chosen, fallback) = self.choose(decision, to);
        let owner = self.case.head.owner.known().and_then(|owner| owner.as_ref());
        let previous_id = owner.map(|person| person.id.clone());
        let (task, until) = match &decision.previous {
            PreviousTask::Nothing => (None, None),
            PreviousTask::Task { task, within } => {
                let giving = self.facts.team().unwrap_or(to);
                (Some(task.clone()), within.and_then(|within| giving.due(self.now, within)))
            }
        };
        let stays_in_touch = decision.customer_facing == CustomerFacing::Previous;
        let follower = previous_id.clone().filter(|id| stays_in_touch && chosen.set != OwnerSpec::User(id.clone()));
        OwnerPlan {
            set: chosen.set,
            shown: chosen.shown,
            fallback,
            turn: chosen.turn,
            roster: chosen.roster,
            previous: owner.map(|person| self.known_as(person)),
            previous_id,
            previous_task: task,
            previous_until: until,
            customer_facing: decision.customer_facing,
            follower,
            claim: decision.claim.as_ref().map(|claim| ClaimPlan {
                within: claim.within,
                until: to.due(self.now, claim.within),
                chain: claim.unclaimed.clone(),
            }),
        }
    }

    /// What colleagues call somebody: by the head, the people who came with it, the teams' rosters, or the policy; else the id.
    fn known_as(&self, person: &Person) -> String {
        let of_the_case = || self.case.parts.person(&person.id).and_then(|known| known.name.clone());
        let members = || self.case.rosters.teams.values().flat_map(|roster| &roster.members);
        let member = || members().find(|member| member.id == person.id).and_then(|member| member.name.clone());
        let of_the_policy = || {
            let (desk, email) = (&self.case.desk, person.email.as_deref());
            let found = self.policy.people.iter().find(|(_, entry)| entry.is_on(desk, &person.id, email));
            found.map(|(name, _)| name.to_string())
        };
        let name = person.name.clone().or_else(of_the_case).or_else(member).or_else(of_the_policy);
        name.unwrap_or_else(|| person.id.to_string())
    }

    /// The declared owner, else the declared fallback, else the queue; with why it is not the declared one.
    fn choose(&self, decision: &OwnerDecision, to: &Team) -> (Chosen, Option<String>) {
        let mut why = Vec::new();
        for assign in [&decision.assign, &decision.fallback] {
            match self.try_to(assign, to) {
                Ok(chosen) => return (chosen, joined(why)),
                Err(cannot) if !why.contains(&cannot) => why.push(cannot),
                Err(_) => {}
            }
        }
        (Chosen::queue(to), joined(why))
    }

    fn try_to(&self, assign: &Assign, to: &Team) -> Result<Chosen, String> {
        match assign {
            Assign::Queue => Ok(Chosen::queue(to)),
            Assign::Person(name) => self.person(name, to),
            Assign::Turn => self.one_of(By::Turn, to),
            Assign::Load => self.one_of(By::Load, to),
        }
    }

    fn one_of(&self, by: By, to: &Team) -> Result<Chosen, String> {
        let roster = self.case.rosters.of(to, self.now)?;
        let taken = roster.choose(by, to, self.policy, self.now)?;
        let how = match by {
            By::Turn => "by turn".to_owned(),
            By::Load => format!("with {} open, the fewest", taken.open),
        };
        Ok(Chosen {
            set: OwnerSpec::User(taken.id.clone()),
            shown: format!("{} of {} ({how})", taken.shown(), to.name),
            turn: Some(Turn { taken: taken.id.clone(), after: roster.last.as_ref().map(|last| last.handoff.clone()) }),
            roster: Some(roster.version.clone()),
        })
    }

    /// A named person. Where the desk does not tell who works in a queue, it is the desk that says no.
    fn person(&self, name: &PersonName, to: &Team) -> Result<Chosen, String> {
        let no_identity = || format!("{name} has no identity on this desk");
        let entry = self.policy.people.get(name).ok_or_else(no_identity)?;
        if !self.case.rosters.told {
            let by_id = entry.desk.get(&self.case.desk).cloned().map(OwnerSpec::User);
            let set = by_id.or_else(|| entry.email.clone().map(OwnerSpec::Email)).ok_or_else(no_identity)?;
            return Ok(Chosen { set, shown: name.to_string(), turn: None, roster: None });
        }
        let roster = self.case.rosters.of(to, self.now)?;
        let member = roster.member(name.as_str(), entry, to)?;
        let set = OwnerSpec::User(member.id.clone());
        Ok(Chosen { set, shown: name.to_string(), turn: None, roster: Some(roster.version.clone()) })
    }
}

fn joined(why: Vec<String>) -> Option<String> {
    (!why.is_empty()).then(|| why.join("; "))
}

/// The queue itself, in words.
pub(super) fn in_queue(to: &Team) -> String {
    format!("{} (queue {}), nobody yet", to.name, to.queue.shown())
}
