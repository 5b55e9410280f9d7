//! A review that still fits and that nobody has answered yet: who is reminded when, and what no answer means when its time is
//! over. Pure. The wait is a look of the case; each look works it out anew from the proposal that waits.

use super::examine::{Look, earlier, planned_signature};
use super::overtaken::overtaken;
use super::reminders::{anew, to_come};
use super::review::as_shown;
use crate::ledger::commands::Deed;
use crate::ledger::records::{CaseUpdate, EffectRecord, HandoffRecord, OffersMore, Purpose, ReviewAnswer};
use crate::ledger::states::HandoffState;
use crate::plan::{self, PlannedEffect};
use crate::policy::case::Memory;
use crate::policy::hold::full;
use crate::policy::names::{RuleName, TeamName};
use crate::policy::offer::{of_each, offers, wanted};
use crate::policy::proposal::Proposal;
use crate::policy::review_terms::{ReviewPlan, Unanswered};
use crate::policy::reviewers::reviewers;
use crate::policy::rules::Mode;
use crate::policy::verdict::Risk;
use handoffd_kit::model::{PartKind, PartSet};
use jiff::{SignedDuration, Timestamp};

/// A switch or a mode that holds an end back may change without a look: it is looked at again so soon.
const AGAIN: SignedDuration = SignedDuration::from_mins(5);

/// The history, where it must be read before no answer can be taken for a yes.
pub fn needs(look: &Look<'_>, unsent: Option<&HandoffRecord>) -> Option<PartSet> {
    let review = unsent.filter(|handoff| handoff.state == HandoffState::InReview)?;
    let plan = review.proposal.review.as_ref()?;
    let approves = plan.unanswered == Unanswered::Approve && look.now >= plan.until.at;
    let unread = look.parts.history.is_none() && look.capabilities.readable_history;
    (approves && unread && !look.refused.has(PartKind::History)).then(|| PartSet::of(&[PartKind::History]))
}

/// The wait that begins with a review.
pub fn begin(update: &mut CaseUpdate, look: &Look<'_>, proposal: &Proposal) {
    if let Some(plan) = &proposal.review {
        update.look_again = earlier(update.look_again, next(look, proposal, plan, 0));
    }
}

/// What a look makes of a review that was asked for before. `fresh`: what would be done now, which is the same; `risks`: why a
/// person would be asked now.
pub fn wait_on(
    update: &mut CaseUpdate,
    look: &Look<'_>,
    review: &HandoffRecord,
    (fresh, risks): (&Proposal, &[Risk]),
    memory: &Memory,
) {
    if let Some(more) = offers_more(look, review, risks) {
        update.offers_more = Some(more);
        // What no answer means may be another thing now.
        update.look_again = earlier(update.look_again, Some(look.now));
        return;
    }
    let Some(plan) = &review.proposal.review else { return };
    let held = memory.switched_off.stops(&review.proposal.rule) || look.policy.mode == Mode::Shadow;
    let over = look.now >= plan.until.at && plan.unanswered != Unanswered::Wait;
    match (over, held) {
        (true, true) => update.look_again = earlier(update.look_again, Some(look.now + AGAIN)),
        // Nobody has said this yes: it waits for a place in the hour as everything does that happens by itself.
        (true, false) if plan.unanswered == Unanswered::Approve && lacks_place(look, review, memory) => {
            update.over_limit = Some(review.proposal.rule.clone());
        }
        (true, false) => update.unanswered = Some(end(look, review, fresh, plan)),
        (false, _) => {
            let reminded = reminded(review);
            let due = next(look, &review.proposal, plan, reminded);
            let due_now = due.is_some_and(|due| due <= look.now) && !held;
            update.remind = reminder(look, review, plan, reminded, due_now).map(|note| (review.id.clone(), note));
            let sent = u32::from(due_now && update.remind.is_some());
            let then = next(look, &review.proposal, plan, reminded + sent).filter(|then| *then > look.now);
            let blocked =
                (due_now && sent == 0 || due.is_some_and(|due| due <= look.now) && held).then(|| look.now + AGAIN);
            update.look_again = earlier(update.look_again, earlier(then, blocked));
        }
    }
}

/// What a review offers from now on, where a rule wants another team that it does not offer yet.
fn offers_more(look: &Look<'_>, review: &HandoffRecord, risks: &[Risk]) -> Option<OffersMore> {
    let known: Vec<&(RuleName, TeamName)> = wanted(&review.risks).collect();
    let offered = offers(&review.proposal, &review.risks);
    let new = |(_, to): &&(RuleName, TeamName)| offered.iter().all(|offer| offer.to != to);
    wanted(risks).find(new)?;
    let more = wanted(risks).filter(|pair| !known.contains(pair));
    let all = known.iter().copied().chain(more).cloned().collect();
    let others = review.risks.iter().filter(|risk| !matches!(risk, Risk::Disagreement(_))).cloned();
    let risks: Vec<Risk> = std::iter::once(Risk::Disagreement(all)).chain(others).collect();
    let alert = look.policy.review_alerts(&review.proposal, &risks, look.head);
    Some(OffersMore { handoff: review.id.clone(), risks, alert })
}

fn lacks_place(look: &Look<'_>, review: &HandoffRecord, memory: &Memory) -> bool {
    let full = full(&review.proposal.rule, &memory.recent, &look.policy.limits);
    full.rule || full.desk
}

/// The next instant at which something is to be done: a reminder, or the end.
fn next(look: &Look<'_>, proposal: &Proposal, plan: &ReviewPlan, reminded: u32) -> Option<Timestamp> {
    let team = look.policy.teams.get(&proposal.to);
    let reminder = team.and_then(|team| plan.reminder(team, proposal.decided_at, reminded));
    let end = (plan.unanswered != Unanswered::Wait).then_some(plan.until.at);
    earlier(reminder, end)
}

fn reminders(review: &HandoffRecord) -> impl Iterator<Item = &EffectRecord> {
    review.effects.iter().filter(|effect| effect.purpose == Purpose::Reminder)
}

/// How many reminders were decided.
fn reminded(review: &HandoffRecord) -> u32 {
    u32::try_from(reminders(review).count()).unwrap_or(u32::MAX)
}

/// The reminder that is due, or the one that was decided and has not gone out, for the ticket as it is now.
fn reminder(
    look: &Look<'_>,
    review: &HandoffRecord,
    plan: &ReviewPlan,
    before: u32,
    due: bool,
) -> Option<PlannedEffect> {
    if let Some(waiting) = to_come(review) {
        return anew(waiting, look.head);
    }
    let reviewers = of_each(&review.proposal, &review.risks, |about| reviewers(look.policy, about));
    let told = plan::review::Reminder { plan, risks: &review.risks, reviewers, before, now: look.now };
    due.then(|| plan::review::reminder(&review.proposal, &review.id, &told, look.capabilities, look.head))?
}

/// The time is over: what no answer means.
fn end(look: &Look<'_>, review: &HandoffRecord, fresh: &Proposal, plan: &ReviewPlan) -> Deed {
    let (proposal, id) = (&review.proposal, &review.id);
    let by = plan::review::by_policy(plan);
    let answer = |effects, proposal| {
        let reason = Some(format!("no answer by {}: {}", plan.until.told(), plan.unanswered.shown()));
        ReviewAnswer { handoff: id.clone(), by: by.clone(), reason, at: look.now, effects, proposal, chosen: None }
    };
    if plan.unanswered == Unanswered::Reject {
        let note = plan::review::unanswered_note(proposal, id, plan, look.capabilities, look.head, look.now);
        return Deed::Reject(answer(vec![note], None));
    }
    if let Some(why) = overtaken(look, review) {
        let note = plan::stale_note(proposal, id, &why, look.capabilities, look.head, look.now);
        return Deed::EndStale { handoff: id.clone(), why, note: Some(Box::new(note)) };
    }
    let reviewed = as_shown(proposal, fresh.clone());
    let signature = planned_signature(look, &reviewed);
    let effects = plan::approved_effects(&reviewed, id, look.capabilities, look.head, signature, &by);
    Deed::Approve(answer(effects, Some(Box::new(reviewed))))
}
