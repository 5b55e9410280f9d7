//! Who belongs to which side of a handoff: whose first act is a claim, and whose is none. Pure.
//!
//! Whoever the policy or the desk says works in the receiving team claims, whatever else they are. Where it is not known who
//! works there, any agent does but those who are known to be the giving side: its people, as far as those are known, the
//! agent who had the case before, and the one who asked for the handoff.

use super::examine::Look;
use crate::policy::names::TeamName;
use crate::policy::proposal::{Chained, Proposal};
use crate::policy::reviewers::{Membership, Who, works_in};
use crate::policy::roster::Roster;
use crate::policy::rules::Policy;
use handoffd_kit::id::{DeskId, UserId};

/// Both sides of a handoff, as far as they are known.
pub struct Sides<'a> {
    policy: &'a Policy,
    desk: &'a DeskId,
    receiving: Option<Side<'a>>,
    giving: Vec<Side<'a>>,
    /// Agents of the giving side who are known by what they did: who had the case, who asked for the handoff.
    known_givers: Vec<&'a UserId>,
}

/// A team, with its people where they are known.
struct Side<'a> {
    team: &'a TeamName,
    roster: Option<&'a Roster>,
}

impl<'a> Side<'a> {
    fn of(team: &'a TeamName, look: &Look<'a>) -> Self {
        let told = look.policy.teams.get(team).and_then(|team| look.rosters.of(team, look.now).ok());
        // A team without anybody is rather a desk that tells nothing.
        let roster = told.filter(|roster| !roster.members.is_empty());
        Self { team, roster }
    }
}

impl<'a> Sides<'a> {
    /// The sides of a handoff that was carried out.
    pub fn of(proposal: &'a Proposal, look: &Look<'a>) -> Self {
        let first = proposal.chained.as_ref().and_then(|chained| chained.giver.as_ref()).map(|giver| &giver.team);
        let giving = proposal.from.iter().chain(first).filter(|team| **team != proposal.to);
        let asked_by = proposal.asked.as_ref().and_then(|asked| asked.by_id.as_ref());
        Self {
            policy: look.policy,
            desk: look.desk,
            receiving: Some(Side::of(&proposal.to, look)),
            giving: giving.map(|team| Side::of(team, look)).collect(),
            known_givers: proposal.owner.previous_id.iter().chain(asked_by).collect(),
        }
    }

    /// The sides of the handoff that `chained` names, which `planned` goes on from because nobody has claimed it.
    pub fn of_unclaimed(planned: &'a Proposal, chained: &'a Chained, look: &Look<'a>) -> Self {
        let giving = chained.giver.iter().map(|giver| &giver.team).filter(|team| Some(*team) != planned.from.as_ref());
        Self {
            policy: look.policy,
            desk: look.desk,
            receiving: planned.from.as_ref().map(|team| Side::of(team, look)),
            giving: giving.map(|team| Side::of(team, look)).collect(),
            known_givers: chained.previous_id.iter().collect(),
        }
    }

    /// Whether what this agent does is an act of the receiving team. Of one whom the desk does not name nothing is known.
    pub fn may_claim(&self, agent: Option<&UserId>) -> bool {
        let who = Who { on_desk: agent.map(|id| (self.desk.clone(), id.clone())), ..Who::default() };
        let works = |side: &Side<'_>| {
            works_in(self.policy, side.team, &who, side.roster.map(|roster| roster.members.as_slice()))
        };
        match self.receiving.as_ref().map_or(Membership::Unknown, works) {
            Membership::Member => true,
            Membership::Stranger => false,
            Membership::Unknown => {
                let gave = agent.is_some_and(|id| self.known_givers.contains(&id));
                !gave && !self.giving.iter().any(|side| works(side) == Membership::Member)
            }
        }
    }

    /// What colleagues call a member of the receiving team; none: the desk names no such member.
    pub fn receiving_member(&self, id: &UserId) -> Option<&str> {
        let roster = self.receiving.as_ref()?.roster?;
        roster.members.iter().find(|one| one.id == *id).map(|one| one.shown())
    }
}
