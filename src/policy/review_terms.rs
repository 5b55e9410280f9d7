//! How long people have for the answer to a review, how often they are reminded, and what no answer means. Pure.

use super::due::{Due, Wait};
use super::proposal::Proposal;
use super::rules::Policy;
use super::teams::Team;
use super::verdict::Risk;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// So many reminders of one review at the most: who has not answered by then does not read them.
pub const MOST_REMINDERS: u32 = 8;

/// What the policy says of the wait for an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReviewTerms {
    /// How long, in the hours of the receiving team, whose reviewers answer.
    pub answer_within: Wait,
    /// How often they are reminded until then; none: not at all.
    pub remind_every: Option<Wait>,
    /// What no answer means.
    pub unanswered: Unanswered,
}

/// What no answer means when the time is over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unanswered {
    /// It waits on; health says so.
    #[default]
    Wait,
    /// No.
    Reject,
    /// Yes.
    Approve,
}

impl Unanswered {
    /// In words, after "if nobody answers by then, ".
    pub fn shown(self) -> &'static str {
        match self {
            Self::Wait => "it waits on",
            Self::Reject => "it is rejected",
            Self::Approve => "it is approved",
        }
    }
}

/// The wait for an answer to one review, as it began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReviewPlan {
    /// Until when.
    pub until: Due,
    /// How often people are reminded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remind_every: Option<Wait>,
    /// What no answer means.
    pub unanswered: Unanswered,
}

/// The wait that begins when a person is asked because of these risks; none: as long as it takes.
///
/// No answer can be a yes only to what the rule itself wanted asked, and never for a sensitive rule: where rules disagree, a
/// condition cannot be told, or a package is incomplete, nobody has said what a silence would be a yes to.
pub fn review_plan(policy: &Policy, proposal: &Proposal, risks: &[Risk], now: Timestamp) -> Option<ReviewPlan> {
    let rule = policy.escalation(&proposal.rule);
    let terms = rule.and_then(|rule| rule.reviews.as_ref()).or(policy.reviews.as_ref())?;
    let until = policy.teams.get(&proposal.to)?.due(now, terms.answer_within)?;
    let own = risks.iter().all(|risk| matches!(risk, Risk::Always | Risk::Condition(_)));
    let may_approve = own && rule.is_some_and(|rule| !rule.rule.sensitive);
    let unanswered = match terms.unanswered {
        Unanswered::Approve if !may_approve => Unanswered::Wait,
        unanswered => unanswered,
    };
    Some(ReviewPlan { until, remind_every: terms.remind_every, unanswered })
}

impl ReviewPlan {
    /// When the next reminder of a review is due that was asked for at `since` and of which people were reminded so often;
    /// none: no more. The team of the reviewers is open then.
    pub fn reminder(&self, team: &Team, since: Timestamp, reminded: u32) -> Option<Timestamp> {
        let every = self.remind_every.filter(|_| reminded < MOST_REMINDERS)?;
        let times = i32::try_from(reminded).ok()?.checked_add(1)?;
        let length = every.length.checked_mul(times)?;
        let due = team.due(since, Wait { length, ..every })?.at;
        // What no answer means is done at the deadline, and needs no reminder; one that waits on goes on reminding.
        (due < self.until.at || self.unanswered == Unanswered::Wait).then_some(due)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing;
    use jiff::SignedDuration;

    fn hours(hours: i64) -> Wait {
        Wait::wall(SignedDuration::from_hours(hours))
    }

    fn policy(unanswered: Unanswered) -> (Policy, Proposal) {
        let mut policy = testing::policy();
        policy.escalations.push(testing::escalation("refund", "has_tag(\"refund\")", "billing"));
        policy.reviews = Some(ReviewTerms { answer_within: hours(4), remind_every: Some(hours(1)), unanswered });
        let proposal = crate::ledger::samples::proposal("1", "refund", "e1", "facts");
        (policy, proposal)
    }

    #[test]
    fn a_rule_s_own_terms_go_before_the_policy_s_and_without_any_it_waits_for_ever() {
        let (mut policy, proposal) = policy(Unanswered::Reject);
        let now = testing::now();
        let plan = |policy: &Policy| review_plan(policy, &proposal, &[Risk::Always], now);
        assert_eq!(plan(&policy).map(|plan| plan.until.at), Some(now + SignedDuration::from_hours(4)));
        let own = ReviewTerms { answer_within: hours(1), remind_every: None, unanswered: Unanswered::Approve };
        policy.escalations[0].reviews = Some(own);
        let planned = plan(&policy).expect("planned");
        assert_eq!((planned.until.at, planned.unanswered), (now + SignedDuration::from_hours(1), Unanswered::Approve));
        (policy.reviews, policy.escalations[0].reviews) = (None, None);
        assert_eq!(plan(&policy), None);
    }

    #[test]
    fn no_answer_is_a_yes_only_to_what_the_rule_asked_and_never_for_a_sensitive_one() {
        let (mut policy, proposal) = policy(Unanswered::Approve);
        let unanswered = |policy: &Policy, risks: &[Risk]| {
            review_plan(policy, &proposal, risks, testing::now()).map(|plan| plan.unanswered)
        };
        let condition = || Risk::Condition("ticket.fields.refund_eur > 5000.0".into());
        assert_eq!(unanswered(&policy, &[Risk::Always, condition()]), Some(Unanswered::Approve));
        for other in [
            Risk::Unknown("ticket.fields.refund_eur".into()),
            Risk::Disagreement(Vec::new()),
            Risk::HopBudget(4),
            Risk::PackageIncomplete(Vec::new()),
            Risk::Agreeing("other".into(), Box::new(Risk::Always)),
        ] {
            assert_eq!(unanswered(&policy, &[condition(), other.clone()]), Some(Unanswered::Wait), "{other:?}");
        }
        policy.escalations[0].rule.sensitive = true;
        assert_eq!(unanswered(&policy, &[Risk::Always]), Some(Unanswered::Wait));
        policy.escalations.clear();
        assert_eq!(unanswered(&policy, &[Risk::Always]), Some(Unanswered::Wait), "its rule is gone");
    }

    #[test]
    fn reminders_end_at_the_deadline_unless_it_waits_on_and_then_after_eight() {
        for (unanswered, reminders) in [(Unanswered::Reject, 3), (Unanswered::Approve, 3), (Unanswered::Wait, 8)] {
            let (policy, proposal) = policy(unanswered);
            let since = testing::now();
            let plan = review_plan(&policy, &proposal, &[Risk::Always], since).expect("planned");
            let team = &policy.teams[&proposal.to];
            let due: Vec<Timestamp> = (0..20).map_while(|reminded| plan.reminder(team, since, reminded)).collect();
            assert_eq!(due.len(), reminders, "{unanswered:?}");
            assert_eq!(due[1], since + SignedDuration::from_hours(2));
        }
    }

    #[test]
    fn an_endless_length_is_no_reminder() {
        let (policy, proposal) = policy(Unanswered::Wait);
        let mut plan = review_plan(&policy, &proposal, &[Risk::Always], testing::now()).expect("planned");
        plan.remind_every = Some(Wait::wall(SignedDuration::MAX));
        assert_eq!(plan.reminder(&policy.teams[&proposal.to], testing::now(), 1), None);
    }
}
