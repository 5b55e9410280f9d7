//! Where rules want different teams, a person says yes to one of them: whoever may decide for that team. Pure.
//!
//! Like a yes to the first, it needs no place in the hour and waits for nobody's quiet; that the rule still wants the team, and
//! that nobody has decided otherwise, it does need.

use super::commands::{Done, Scene};
use super::examine::{Look, planned_signature};
use super::hearing::Order;
use super::overtaken::overtaken;
use super::requests::why_not;
use crate::ledger::commands::{CommandOutcome, Deed};
use crate::ledger::records::{HandoffRecord, NewHandoff, ReviewAnswer};
use crate::ledger::states::HandoffState;
use crate::plan;
use crate::policy::command::{Command, Parts};
use crate::policy::names::TeamName;
use crate::policy::offer::{Meant, Offer, answers, meant, offers, several, wanted};
use crate::policy::proposal::{Package, Proposal};
use crate::policy::reviewers::may_approve;
use crate::policy::verdict::{Decision, Outcome, RuleResult, StayReason, Verdict};
use handoffd_kit::model::PartSet;
use std::collections::BTreeMap;

/// What the policy says now once a person has chosen a team, by the teams beside the first that commands name.
pub(super) type Choices = BTreeMap<TeamName, Verdict>;

/// The teams that a review offers, the first one first.
fn on_offer_of(review: &HandoffRecord) -> Vec<Offer<'_>> {
    offers(&review.proposal, &review.risks)
}

/// Behind why somebody may not decide: how each of the teams is chosen, where there are several.
pub(super) fn on_offer(review: &HandoffRecord) -> String {
    let offers = several(&review.proposal, &review.risks);
    if offers.is_empty() { String::new() } else { format!(". Rules want different teams here: {}", answers(&offers)) }
}

/// The review as it would be about another team: to ask who may decide.
pub fn about(review: &HandoffRecord, team: &TeamName) -> Proposal {
    let offer = on_offer_of(review).into_iter().find(|offer| offer.to == team);
    offer.map_or_else(|| review.proposal.clone(), |offer| offer.about(&review.proposal))
}

/// What would be done for this team now, or why nothing. `now`: what the policy says once the team is chosen.
///
/// # Errors
/// In words.
pub fn proposed(review: &HandoffRecord, now: Option<&Verdict>, team: &TeamName) -> Result<Box<Proposal>, String> {
    match now.map(|verdict| &verdict.outcome) {
        Some(
            Outcome::Route(fresh)
            | Outcome::Escalate(fresh)
            | Outcome::AskPerson { proposed: fresh, .. }
            | Outcome::AskForParts { proposed: fresh, .. },
        ) if fresh.to == *team => Ok(fresh.clone()),
        Some(Outcome::Stay(reason)) if *reason != StayReason::HeldBack => {
            Err(format!("the case stays now ({})", reason.shown()))
        }
        _ => Err(why_nothing(review, now, team)),
    }
}

/// What keeps the rules that wanted this team from it.
fn why_nothing(review: &HandoffRecord, now: Option<&Verdict>, team: &TeamName) -> String {
    let wants = |rule| wanted(&review.risks).any(|(name, to)| name == rule && to == team);
    let traces = now.into_iter().flat_map(|verdict| &verdict.trace);
    let kept = traces.filter(|trace| wants(&trace.rule) && trace.result != RuleResult::NotFrom);
    let why: Vec<String> = kept.map(|trace| why_not(trace, &trace.result)).collect();
    if why.is_empty() { format!("no rule wants {team} now") } else { why.join("; ") }
}

/// The yes to it: a handoff of its own, which takes the review's place and is approved at once. What the reviewer was shown of
/// the case travels.
pub fn answer(
    look: &Look<'_>,
    review: &HandoffRecord,
    fresh: Proposal,
    by: String,
    reason: Option<String>,
) -> ReviewAnswer {
    let package = review.proposal.package.clone().or(fresh.package.clone());
    let proposal = Proposal { package, ..fresh };
    let nth = look.record.ended(&proposal.rule, &proposal.episode);
    let id = plan::handoff_id(&proposal.desk, &proposal.ticket, &proposal.rule, &proposal.episode, nth);
    let yes = plan::review::yes(&proposal, &by, look.now, reason.as_deref());
    let signature = planned_signature(look, &proposal);
    let effects = plan::approved_effects(&proposal, &id, look.capabilities, look.head, signature, &yes);
    let chosen = NewHandoff {
        id: id.clone(),
        proposal: proposal.clone(),
        state: HandoffState::InReview,
        risks: review.risks.clone(),
        effects: Vec::new(),
        replaces: Some(review.id.clone()),
        ask_until: None,
        needs_place: false,
    };
    let (proposal, chosen) = (Some(Box::new(proposal)), Some(Box::new(chosen)));
    ReviewAnswer { handoff: id, by, reason, at: look.now, effects, proposal, chosen }
}

impl Scene<'_> {
    /// Which team the words of a yes mean.
    pub(super) fn meant(&self, words: Option<&str>) -> Meant {
        let Some((review, words)) = self.review().zip(words) else { return Meant::First };
        meant(self.look.policy, self.look.desk, &on_offer_of(review), words)
    }

    /// What the policy says for each team beside the first that is chosen here, or the parts that it takes.
    pub(super) fn choices(&self, orders: &[Order]) -> Result<Choices, PartSet> {
        let mut choices = Choices::new();
        for order in orders {
            let Command::Approve { reason, .. } = &order.command else { continue };
            let Meant::Team(team, _) = self.meant(reason.as_deref()) else { continue };
            if self.review().is_none_or(|review| review.proposal.to == team) || choices.contains_key(&team) {
                continue;
            }
            match (self.decide)(Some(&team)) {
                Decision::Need(parts) => return Err(parts),
                Decision::Verdict(verdict) => drop(choices.insert(team, verdict)),
            }
        }
        Ok(choices)
    }

    /// Nobody can tell which team is meant: nothing is done, and they are asked.
    pub(super) fn which(&self, written: &str) -> Done {
        let Some(review) = self.review() else { return Done::refused("nothing waits here for a yes or no") };
        let offers = on_offer_of(review);
        let answers = answers(&offers);
        let words = match offers.as_slice() {
            [one] => format!(
                "nothing is done: \"{written}\" looks like a team, and only {} is asked about here. Say {answers}; whoever wants \
                 another team says /handoff TEAM REASON after the no",
                one.to
            ),
            _ => {
                format!("nothing is done: \"{written}\" is none of the teams that are asked about here. Say {answers}")
            }
        };
        Done::refused(words).about(&review.id)
    }

    /// A yes to another of the teams that rules want, of whoever may decide for that one. `edited`: the package that waits, as
    /// they have just edited it.
    pub(super) fn choose(
        &self,
        order: &Order,
        (team, reason): (&TeamName, Option<String>),
        (parts, edited): (&Parts, Option<&Package>),
        now: &Verdict,
    ) -> Done {
        let Some(review) = self.review() else { return Done::refused("nothing waits here for a yes or no") };
        let look = self.look;
        let may = |proposal: &Proposal| may_approve(look.policy, proposal, &order.who(look));
        let may_not = |why: String| Done::refused(format!("{} may not decide this; {why}", order.by)).about(&review.id);
        if let Err(why) = may(&about(review, team)) {
            return may_not(format!("{}{}", why.shown(), on_offer(review)));
        }
        if !parts.as_ref().is_ok_and(Vec::is_empty) {
            let words = format!("nothing is approved: change what travels with /edit first, then say /approve {team}");
            return Done::refused(words).about(&review.id);
        }
        if let Some(why) = overtaken(look, review) {
            return self.ends_stale(review, why);
        }
        let fresh = match proposed(review, Some(now), team) {
            Err(why) => return Done::refused(format!("it cannot be sent to {team} now: {why}")).about(&review.id),
            Ok(fresh) => fresh,
        };
        // Whose request it carries out is known only now.
        if let Err(why) = may(&fresh) {
            return may_not(why.shown());
        }
        let package = edited.cloned().or_else(|| review.proposal.package.clone());
        let shown = HandoffRecord { proposal: Proposal { package, ..review.proposal.clone() }, ..review.clone() };
        let answer = answer(look, &shown, *fresh, self.by(order), reason);
        let (id, words) = (answer.handoff.clone(), format!("approved, the case goes to {team}"));
        Done::because(CommandOutcome::Done, words).about(&id).by(Deed::Approve(answer))
    }
}
