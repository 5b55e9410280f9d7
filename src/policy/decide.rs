//! The decision about one case: pure, total, the same for the same input. Scope first; then every rule that may concern
//! the case is asked; then what acts, what would act, and what a person is asked.

use super::case::{Asked, Begun, Case};
use super::clocks::differences;
use super::escalation;
use super::facts::Facts;
use super::fold::Folds;
use super::hold::over_limit;
use super::matching::{AnyRule, Candidate, facts_hash};
use super::names::{RuleName, TeamName};
use super::proposal::{HandoffKind, Proposal};
use super::propose::Proposer;
use super::routing;
use super::rules::{Missing, PackagePart, Policy, Then};
use super::scope::{Scope, scope};
use super::verdict::{Decision, Outcome, Risk, RuleResult, RuleTrace, StayReason, Verdict};
use handoffd_kit::model::PartSet;
use jiff::Timestamp;
use std::collections::BTreeMap;

/// What the policy says about a case now. `signed` tells whether a message (by name) is signed in a wording (by hash).
///
/// `Need` names parts that were neither read nor asked for: the caller reads them, notes them in `case.asked`, and
/// decides again. Two such rounds are enough, one for conditions and one for the package.
pub fn decide(case: &Case, policy: &Policy, signed: &dyn Fn(&str, &str) -> bool, now: Timestamp) -> Decision {
    let folds = Folds::default();
    let facts = Facts::new(case, policy).at(now).folding(&folds);
    let intake = routing::INTAKE.to_owned();
    let (team, episode) = match scope(case, policy, &facts) {
        Scope::Stay(reason) => return stay(reason),
        Scope::Need(parts) => return Decision::Need(parts),
        Scope::Routing => (None, intake),
        Scope::Escalation(team) => (Some(team), escalation::episode(case, team)),
    };
    let (candidates, need) = match team {
        None => routing::judge(case, policy, &facts),
        Some(team) => escalation::judge(case, policy, team, &episode, &facts),
    };
    if !need.is_empty() {
        return Decision::Need(need);
    }
    Deciding { proposer: Proposer::new(case, policy, signed, now), candidates }.conclude()
}

fn stay(reason: StayReason) -> Decision {
    Decision::Verdict(Verdict {
        outcome: Outcome::Stay(reason),
        trace: Vec::new(),
        would: Vec::new(),
        again_at: None,
        clock_differences: Vec::new(),
    })
}

/// What the missing parts of a package ask for.
enum Gap {
    /// Nothing: there are none, or they are shown.
    None,
    /// The current agent is asked, until then.
    Ask(Timestamp),
    /// A person decides.
    Review(Vec<PackagePart>),
}

/// All rules asked, nothing concluded yet.
struct Deciding<'a> {
    proposer: Proposer<'a>,
    candidates: Vec<Candidate<'a>>,
}

impl Deciding<'_> {
    fn conclude(mut self) -> Decision {
        let acting = self.acting();
        let limited = acting.filter(|at| self.lacks_place(&self.candidates[*at]));
        if limited.is_some() {
            self.hold_all_back();
        }
        let acting = acting.filter(|_| limited.is_none());
        let would = |candidate: &&Candidate<'_>| matches!(candidate.result, RuleResult::Shadow | RuleResult::Held);
        let shown = self.candidates.iter().filter(would).chain(acting.map(|at| &self.candidates[at]));
        let need = shown.fold(PartSet::NONE, |need, candidate| need.union(self.proposer.needs(candidate)));
        let agreeing = acting.into_iter().flat_map(|at| self.agreeing(at));
        let need = agreeing.fold(need, |need, candidate| need.union(self.proposer.review_needs(candidate)));
        if !need.is_empty() {
            return Decision::Need(need);
        }
        let would =
            self.candidates.iter().filter(would).filter_map(|one| self.proposer.proposal(one, Vec::new())).collect();
        let outcome = acting.and_then(|at| self.act(at)).unwrap_or_else(|| Outcome::Stay(self.why_it_stays()));
        let asks_until = match &outcome {
            Outcome::AskForParts { until, .. } => Some(*until),
            _ => None,
        };
        let again_at = self.candidates.iter().filter_map(|candidate| candidate.again_at).chain(asks_until).min();
        let clock_differences = differences(&self.proposer.facts);
        Decision::Verdict(Verdict { outcome, trace: self.trace(), would, again_at, clock_differences })
    }

    /// The rule that acts: the first; where a person has chosen among the teams that rules want, the first for that team.
    fn acting(&self) -> Option<usize> {
        let chosen = self.proposer.case.memory.chosen.as_ref();
        let fires = |one: &Candidate<'_>| one.result == RuleResult::Fires;
        let to_chosen = |one: &Candidate<'_>| fires(one) && chosen == Some(one.path.to);
        self.candidates.iter().position(to_chosen).or_else(|| self.candidates.iter().position(fires))
    }

    /// Whether the hour has no place for what this one would begin. What has begun already needs none: a person is being asked,
    /// or has said yes, or it took its place when it began. Nor does the team that a person has chosen.
    fn lacks_place(&self, one: &Candidate<'_>) -> bool {
        let Proposer { case, policy, facts, .. } = &self.proposer;
        let (rule, memory) = (one.path.rule, &case.memory);
        let begun = memory.begun_as.as_ref().filter(|_| memory.begun.as_ref() == Some(&rule.name));
        let facts = facts.with_package(one.any.package());
        let same = |begun: &Begun| {
            (&begun.to, begun.episode.as_str()) == (one.path.to, one.path.episode)
                && begun.facts == facts_hash(rule, &one.looked_at, &facts)
        };
        let chosen = memory.chosen.as_ref() == Some(one.path.to);
        over_limit(rule, case, &policy.limits) && !chosen && !begun.is_some_and(same)
    }

    /// The rule that would act has no place left in this hour: it waits, and with it all that would act beside it.
    fn hold_all_back(&mut self) {
        for candidate in &mut self.candidates {
            if matches!(candidate.result, RuleResult::Fires | RuleResult::Agrees) {
                candidate.result = RuleResult::OverLimit;
            }
        }
    }

    /// Those that agree with the one that acts.
    fn agreeing(&self, at: usize) -> impl Iterator<Item = &Candidate<'_>> {
        let to = self.candidates[at].path.to;
        self.candidates.iter().filter(move |one| one.result == RuleResult::Agrees && one.path.to == to)
    }

    fn act(&self, at: usize) -> Option<Outcome> {
        let acting = &self.candidates[at];
        let also: Vec<RuleName> = self.agreeing(at).map(|one| one.path.rule.name.clone()).collect();
        let proposal = self.proposer.proposal(acting, also)?;
        if self.is_under_way(&proposal) {
            return Some(Outcome::Stay(StayReason::UnderWay));
        }
        let mut risks = self.risks(at);
        match self.gap(acting, &proposal) {
            Gap::None => {}
            Gap::Ask(until) => return Some(Outcome::AskForParts { proposed: Box::new(proposal), until }),
            Gap::Review(missing) => risks.push(Risk::PackageIncomplete(missing)),
        }
        Some(match (risks.is_empty(), proposal.kind) {
            (false, _) => Outcome::AskPerson { proposed: Box::new(proposal), risks },
            (true, HandoffKind::Route) => Outcome::Route(Box::new(proposal)),
            (true, HandoffKind::Escalate | HandoffKind::Back | HandoffKind::Unclaimed) => {
                Outcome::Escalate(Box::new(proposal))
            }
        })
    }

    /// What is missing, and what the rule wants done about it. An agent is asked once in an episode; where the team's hours
    /// give no deadline, its time is over at once.
    fn gap(&self, acting: &Candidate<'_>, proposal: &Proposal) -> Gap {
        let Proposer { case, facts, now, .. } = &self.proposer;
        let missing = proposal.missing().to_vec();
        let Some(decision) = acting.any.package().filter(|_| !missing.is_empty()) else { return Gap::None };
        let (within, then) = match decision.missing {
            Missing::Send => return Gap::None,
            Missing::Review => return Gap::Review(missing),
            Missing::Ask { within, then } => (within, then),
        };
        let here = |asked: &&Asked| asked.rule == proposal.rule && asked.episode == proposal.episode;
        let until = match case.memory.asked.iter().find(here) {
            None => facts.team().and_then(|team| team.due(*now, within)).map(|due| due.at),
            Some(asked) => Some(asked.until).filter(|_| asked.open),
        };
        match (until.filter(|until| now < until), then) {
            (Some(until), _) => Gap::Ask(until),
            (None, Then::Review) => Gap::Review(missing),
            (None, Then::Send) => Gap::None,
        }
    }

    /// Why a person is asked: what the rules want of each other, and what any of them wants asked before the case moves.
    fn risks(&self, at: usize) -> Vec<Risk> {
        let acting = &self.candidates[at];
        let mut risks = Vec::new();
        let wanted: Vec<(RuleName, TeamName)> = self
            .candidates
            .iter()
            .filter(|one| matches!(one.result, RuleResult::Fires | RuleResult::Agrees) || self.only_waits(one))
            .map(|one| (one.path.rule.name.clone(), one.path.to.clone()))
            .collect();
        let chosen = self.proposer.case.memory.chosen.as_ref() == Some(acting.path.to);
        if !chosen && wanted.iter().any(|(_, to)| to != acting.path.to) {
            risks.push(Risk::Disagreement(wanted));
        }
        risks.extend(self.proposer.hop_risk());
        risks.extend(self.proposer.risks(acting));
        for agreeing in self.agreeing(at) {
            let wants = |risk| Risk::Agreeing(agreeing.path.rule.name.clone(), Box::new(risk));
            risks.extend(self.proposer.risks(agreeing).into_iter().map(wants));
        }
        risks
    }

    /// Whether a rule that does not act now wants its team all the same: it waits for a person's quiet, or is paused. What holds
    /// one rule back does not open the way for another, past the person who would decide between them.
    fn only_waits(&self, one: &Candidate<'_>) -> bool {
        match &one.result {
            RuleResult::PersonActive(_) | RuleResult::PersonMayBeActive(_) | RuleResult::Paused => true,
            // Its facts were not read; they held when a person was asked.
            RuleResult::Unasked(why) => {
                **why == RuleResult::Paused && self.proposer.case.memory.in_review.contains(&one.path.rule.name)
            }
            _ => false,
        }
    }

    /// Whether the open handoff stands: it is this one, or it has sent something. One that has sent nothing is replaced, also
    /// when its package has got what it lacked.
    fn is_under_way(&self, proposal: &Proposal) -> bool {
        self.proposer.case.memory.open.as_ref().is_some_and(|open| {
            let same_way = open.rule == proposal.rule && open.to == proposal.to;
            open.sent || (same_way && open.facts == proposal.facts_hash && open.missing == proposal.missing())
        })
    }

    fn why_it_stays(&self) -> StayReason {
        let any = |wanted: fn(&RuleResult) -> bool| {
            self.candidates.iter().any(|candidate| candidate.matched && wanted(&candidate.result))
        };
        if any(|result| *result == RuleResult::Paused) {
            StayReason::Paused
        } else if any(|result| *result != RuleResult::AlreadyThere) {
            StayReason::HeldBack
        } else if self
            .candidates
            .iter()
            .any(|candidate| matches!(candidate.result, RuleResult::NotYet(_) | RuleResult::OffDuty(_)))
        {
            StayReason::NotYet
        } else {
            StayReason::NoRule
        }
    }

    /// Every rule in the order of the file, routes first; one that was not asked says so.
    fn trace(&self) -> Vec<RuleTrace> {
        let policy = self.proposer.policy;
        let all = AnyRule::all(policy);
        let mut asked = self.candidates.iter().peekable();
        let mut seen = BTreeMap::new();
        // Candidates stand in the order of the file, so one pass over both is enough.
        all.map(|any| match asked.next_if(|candidate| std::ptr::eq(candidate.path.rule, any.rule())) {
            Some(candidate) => {
                let trace = candidate.trace(&self.proposer.facts, &mut seen);
                let would = matches!(candidate.result, RuleResult::Shadow | RuleResult::Held);
                RuleTrace { would_ask: if would { self.proposer.risks(candidate) } else { Vec::new() }, ..trace }
            }
            None => any.traced(RuleResult::NotFrom),
        })
        .collect()
    }
}
