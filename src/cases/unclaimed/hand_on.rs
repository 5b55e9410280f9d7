//! A case that goes on to another team, or back, because nobody has claimed it: a handoff of its own, with its own key. Until
//! something of it is sent, each look makes sure that still nobody has claimed the case. Pure.

use super::{Chain, Effective, Wait, is_over, is_readable, leaves_it_there, receiver};
use crate::cases::after::{first_act, made_owner};
use crate::cases::examine::Look;
use crate::cases::sides::Sides;
use crate::ledger::records::{ClaimWait, HandoffHappening, HandoffRecord};
use crate::ledger::states::HandoffEvent;
use crate::policy::case::{ClosedBy, ClosedPath, Memory};
use crate::policy::due::{Due, Wait as Length};
use crate::policy::hold::{full, may_write};
use crate::policy::names::{AlertName, RuleName};
use crate::policy::package::travelled_on;
use crate::policy::proposal::{Chained, ClaimPlan, ClockPlan, CustomerPlan, HandoffKind, OwnerPlan, Proposal};
use crate::policy::rules::InternalFrom;
use crate::policy::teams::Team;
use crate::policy::verdict::{Outcome, Risk, RuleResult, StayReason, Verdict};
use jiff::{SignedDuration, Timestamp};

/// A case without a clock is due this long after it was handed on.
const WITHOUT_CLOCK: SignedDuration = SignedDuration::from_mins(15);

/// A case that is handed on because nobody has claimed it.
pub struct HandOn {
    /// To whom, and all that goes with it.
    proposal: Proposal,
    /// What the step changes; none: it was planned by an earlier look.
    step: Option<Step>,
}

/// What is recorded with the step that hands a case on.
struct Step {
    /// The step taken.
    taken: ClaimWait,
    /// As it stands while the step cannot be taken.
    held: ClaimWait,
    /// What happened to the handoff that nobody claimed.
    happening: HandoffHappening,
    /// The path that nobody took on.
    close: ClosedPath,
}

/// The handoff that goes on, in the place of one that nobody claimed.
pub(super) fn hand_on(wait: &Wait<'_>, to: &Team, kind: HandoffKind) -> Chain {
    let (look, handoff, old) = (wait.look, wait.handoff, &wait.handoff.proposal);
    let why = format!("nobody of {} has taken it on by {}", old.to, wait.due.told());
    let steps = wait.reached.steps + 1;
    let rest = wait.plan.chain.iter().skip(steps as usize).cloned().collect();
    let claim = (kind == HandoffKind::Escalate).then(|| ClaimPlan { chain: rest, ..wait.plan.clone() });
    let shown = format!("{} (queue {}), nobody yet", to.name, to.queue.shown());
    let proposal = Proposal {
        kind,
        policy_version: look.policy.version.clone(),
        episode: wait.memory.stay.as_ref().map_or_else(String::new, |stay| stay.episode.clone()),
        from: Some(old.to.clone()),
        to: to.name.clone(),
        to_queue: to.queue.clone(),
        reason: format!("{why}; first: {}", first_reason(old)),
        also: Vec::new(),
        instead_of: None,
        asked: None,
        owner: OwnerPlan { claim, ..OwnerPlan::queue(shown) },
        clock: ClockPlan { pause: None, ..old.clock.clone() },
        customer: CustomerPlan::Nothing { because: untold(&old.customer) },
        review: None,
        chained: Some(Chained {
            of: handoff.id.clone(),
            giver: old.giver(),
            previous_id: old.owner.previous_id.clone(),
            first_reason: first_reason(old).to_owned(),
        }),
        alert: look.policy.alerts.plan((to, kind), of_rule(look, &old.rule), look.head, Some(why.clone())),
        ..old.clone()
    };
    let close = ClosedPath::new(old.from.clone(), old.to.clone(), ClosedBy::Unclaimed);
    let detail = Some(format!("{why}: handed on to {}", to.name));
    let happening = HandoffHappening { detail, ..nothing_happened(&handoff.id) };
    let taken = ClaimWait { due: None, steps, ..wait.waits() };
    let step = Step { taken, held: wait.waits(), happening, close };
    Chain::HandOn(Box::new(HandOn { proposal: as_of_now(look, wait.memory, to, proposal), step: Some(step) }))
}

/// The channels that the rule names in place of a team's.
fn of_rule<'l>(look: &'l Look<'_>, rule: &RuleName) -> Option<&'l [AlertName]> {
    look.policy.rule(rule)?.alert.as_deref()
}

/// Why the customer hears nothing of this step.
fn untold(before: &CustomerPlan) -> String {
    match before {
        CustomerPlan::Nothing { because } => because.clone(),
        CustomerPlan::Tell { .. } => "what they were told of this escalation still holds".to_owned(),
    }
}

/// Why the case was escalated, whatever came of it.
fn first_reason(old: &Proposal) -> &str {
    old.chained.as_ref().map_or(&old.reason, |chained| &chained.first_reason)
}

fn nothing_happened(handoff: &str) -> HandoffHappening {
    HandoffHappening {
        handoff: handoff.to_owned(),
        event: None,
        detail: None,
        claimed: None,
        drop_effects: false,
        closing_note: None,
    }
}

/// What counts from now.
fn as_of_now(look: &Look<'_>, memory: &Memory, to: &Team, proposal: Proposal) -> Proposal {
    let owner = look.head.owner.known().and_then(|owner| owner.as_ref());
    let due = proposal.clock.customer_runs_until(look.now).map(|(_, due)| due.at);
    let claim = proposal.owner.claim.map(|claim| ClaimPlan { until: to.due(look.now, claim.within), ..claim });
    let owner = OwnerPlan {
        previous: owner.map(|person| person.name.clone().unwrap_or_else(|| person.id.to_string())),
        previous_id: owner.map(|person| person.id.clone()),
        claim,
        ..proposal.owner
    };
    let (internal_from, begins) = match (proposal.clock.internal_from, proposal.opened_at) {
        (InternalFrom::Opened, Some(opened)) => (InternalFrom::Opened, opened),
        _ => (InternalFrom::Handoff, look.now),
    };
    let internal = |_: &ClaimPlan| internal_target(look, &proposal.rule).and_then(|length| to.due(begins, length));
    let paused = |at| Due { at, shown: to.moment(at, look.now), working: "as that handoff's rule says".to_owned() };
    let clock = ClockPlan {
        internal_until: owner.claim.as_ref().and_then(internal),
        internal_from,
        paused_until: memory.paused_until.map(paused),
        ..proposal.clock
    };
    Proposal {
        from_queue: look.head.queue.known().cloned().flatten(),
        owner,
        clock,
        package: proposal.package.map(|package| travelled_on(package, memory)),
        decided_at: look.now,
        deadline: due.unwrap_or_else(|| look.now.saturating_add(WITHOUT_CLOCK).unwrap_or(look.now)),
        ..proposal
    }
}

/// How long the rule gives a receiving team.
fn internal_target(look: &Look<'_>, rule: &RuleName) -> Option<Length> {
    look.policy.escalation(rule)?.clock.internal
}

/// A handoff of the chain of which nothing was sent: it stands as long as nobody has claimed the case, and its rule may write.
pub(super) fn planned_before(look: &Look<'_>, memory: &Memory, planned: &HandoffRecord) -> Chain {
    let proposal = &planned.proposal;
    let Some(chained) = &proposal.chained else { return Chain::Nothing };
    let planned = Planned { look, planned, chained };
    if is_over(look) {
        return planned.over("the case has ended");
    }
    if memory.stay.as_ref().map(|stay| &stay.team) != proposal.from.as_ref() {
        return planned.over("the case has moved");
    }
    if !may_write(&proposal.rule, look.policy, &memory.signed_rules) {
        return planned.over(&format!("rule {} may not write any more", proposal.rule));
    }
    let versions = [&look.record.last_version, &look.record.own_version];
    let news = !versions.contains(&&Some(look.head.version.clone()));
    let team = proposal.from.as_ref().and_then(|from| look.policy.teams.get(from));
    let owner = look.head.owner.known().and_then(|owner| owner.as_ref()).map(|owner| &owner.id);
    match look.parts.history.as_deref() {
        // Even if nothing is new: what an earlier look could not judge is judged now.
        None if is_readable(look) => return Chain::NeedHistory,
        None if news => return planned.may_be_claimed(team),
        None => {}
        Some(history) => {
            if let Some(claimed) = first_act(&chained.of, &Sides::of_unclaimed(proposal, chained, look), history) {
                return planned.is_claimed(claimed);
            }
            if owner.is_some() && made_owner(&chained.of, history) == owner {
                return planned.over("a person has given it an owner meanwhile");
            }
        }
    }
    match receiver(Some(&proposal.to), look, memory) {
        Err(why) => planned.over(&why),
        Ok(to) => {
            Chain::HandOn(Box::new(HandOn { proposal: as_of_now(look, memory, to, proposal.clone()), step: None }))
        }
    }
}

/// A handoff of the chain that is not sent after all. The ledger waits for the receiving team again, as far as it still can act.
struct Planned<'a> {
    look: &'a Look<'a>,
    planned: &'a HandoffRecord,
    chained: &'a Chained,
}

impl Planned<'_> {
    fn withdrawn(&self, why: &str) -> HandoffHappening {
        HandoffHappening {
            event: Some(HandoffEvent::Withdrawn),
            detail: Some(why.to_owned()),
            drop_effects: true,
            ..nothing_happened(&self.planned.id)
        }
    }

    fn over(&self, why: &str) -> Chain {
        Chain::Over { happenings: vec![self.withdrawn(why)], wait: None }
    }

    fn is_claimed(&self, claimed: (Timestamp, String)) -> Chain {
        let withdrawn = self.withdrawn(&format!("{} has taken it on meanwhile", claimed.1));
        let claim = HandoffHappening { claimed: Some(claimed), ..nothing_happened(&self.chained.of) };
        Chain::Over { happenings: vec![withdrawn, claim], wait: None }
    }

    /// Whoever changed it may have been one of the team: it has its whole time again.
    fn may_be_claimed(&self, team: Option<&Team>) -> Chain {
        let withdrawn = self.withdrawn("the ticket was changed, and this desk does not say by whom");
        let unclaimed = self.look.record.came_by.as_deref().filter(|came| came.id == self.chained.of);
        let again = |came: &HandoffRecord| {
            let due = team?.due(self.look.now, came.proposal.owner.claim.as_ref()?.within)?;
            let steps = came.unclaimed_steps.saturating_sub(1);
            let (handoff, since) = (came.id.clone(), Some(self.look.now));
            Some(ClaimWait { handoff, due: Some(due.at), steps, since, effects: Vec::new() })
        };
        Chain::Over { happenings: vec![withdrawn], wait: unclaimed.and_then(again) }
    }
}

impl HandOn {
    /// The verdict with it, where the policy's own rules leave the case where it is; else the verdict as it is, or held back
    /// by the hour's limits.
    pub(super) fn decide(self, mut verdict: Verdict, look: &Look<'_>, memory: &Memory) -> (Verdict, Effective) {
        let Self { proposal, step } = self;
        let held = |step: Option<Step>| step.map(|step| Effective::waiting(step.held)).unwrap_or_default();
        if !leaves_it_there(&verdict) {
            return (verdict, held(step));
        }
        let limits = full(&proposal.rule, &memory.recent, &look.policy.limits);
        if (limits.rule || limits.desk) && !memory.released.contains(&proposal.rule) {
            let mine = verdict.trace.iter_mut().filter(|trace| trace.rule == proposal.rule);
            mine.for_each(|trace| trace.result = RuleResult::OverLimit);
            return (Verdict { outcome: Outcome::Stay(StayReason::HeldBack), ..verdict }, held(step));
        }
        let hops = memory.hops_today;
        let proposed = Box::new(proposal);
        let outcome = match hops >= look.policy.limits.hops_per_day {
            true => Outcome::AskPerson { proposed, risks: vec![Risk::HopBudget(hops)] },
            false => Outcome::Escalate(proposed),
        };
        let effective = step.map_or_else(Effective::default, |step| Effective {
            over: false,
            wait: Some(step.taken),
            happenings: vec![step.happening],
            close: Some(step.close),
        });
        (Verdict { outcome, ..verdict }, effective)
    }
}
