//! Who answers for a policy, and what it is for.

use super::case::SignedRule;
use super::hold::waits_for_signature;
use super::names::{MessageName, RuleName};
use super::rules::{CustomerDecision, Mode, Policy, Rule};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;
use std::collections::BTreeSet;

/// Who answers for the policy, and what it is for. But for the second reviewer, who signs what is sensitive, nothing is
/// decided by it: it is kept and shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PolicyHeader {
    /// Who answers for it.
    pub owner: Option<String>,
    /// Who else looks at what is sensitive.
    pub second_reviewer: Option<String>,
    /// When it is looked at again at the latest.
    pub review_by: Option<Date>,
    /// Where the agreement stands that it puts into practice.
    pub source_of_truth: Option<String>,
    /// What it is for.
    pub goal: Option<String>,
    /// Which data it looks at.
    pub data: Option<String>,
    /// What must not happen.
    pub feared_failure: Option<String>,
}

impl PolicyHeader {
    /// The keys of what everybody should be able to read who is touched by rules that act, and that is not answered.
    pub fn open(&self) -> impl Iterator<Item = &'static str> {
        let answered = [
            ("owner", self.owner.is_some()),
            ("review_by", self.review_by.is_some()),
            ("goal", self.goal.is_some()),
            ("data", self.data.is_some()),
            ("feared_failure", self.feared_failure.is_some()),
        ];
        answered.into_iter().filter(|(_, answered)| !answered).map(|(key, _)| key)
    }

    /// The day it should have been looked at again, if that is over: the day itself still counts, wherever on earth it is
    /// read.
    pub fn overdue(&self, now: Timestamp) -> Option<Date> {
        let today = now.to_zoned(TimeZone::UTC).date();
        self.review_by.filter(|day| day.tomorrow().is_ok_and(|next| next < today))
    }
}

impl Policy {
    /// All rules in the order of the file, routes first.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        let routes = self.routes.iter().map(|route| &route.rule);
        routes.chain(self.escalations.iter().map(|escalation| &escalation.rule))
    }

    /// The rule of this name.
    pub fn rule(&self, name: &RuleName) -> Option<&Rule> {
        self.rules().find(|rule| rule.name == *name)
    }

    /// Rules that say live and stay in shadow, because the second reviewer has not signed this version of them.
    pub fn unsigned<'a>(&'a self, signed: &'a [SignedRule]) -> impl Iterator<Item = &'a Rule> {
        self.rules().filter(|rule| rule.mode == Mode::Live && waits_for_signature(rule, self, signed))
    }

    /// Messages of live rules that nobody has signed in their present wording: customers are told nothing by them. `is_signed`:
    /// whether a message is signed in a wording.
    pub fn unsigned_messages(&self, is_signed: &dyn Fn(&str, &str) -> bool) -> Vec<MessageName> {
        let told = self.escalations.iter().filter(|rule| rule.rule.mode == Mode::Live);
        let names = told.filter_map(|rule| match &rule.customer {
            CustomerDecision::Message { name, .. } => self.messages.get(name),
            CustomerDecision::Nothing { .. } => None,
        });
        let unsigned = names.filter(|message| !is_signed(message.name.as_str(), &message.wording_hash));
        unsigned.map(|message| message.name.clone()).collect::<BTreeSet<_>>().into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_policy_is_overdue_once_its_day_is_over_everywhere() {
        let header = PolicyHeader { review_by: Some("2027-03-01".parse().expect("a date")), ..PolicyHeader::default() };
        for (now, overdue) in [
            ("2027-02-28T23:00:00Z", false),
            ("2027-03-01T23:59:59Z", false),
            // The day goes on in the west for half a day more.
            ("2027-03-02T11:00:00Z", false),
            ("2027-03-03T00:00:00Z", true),
            ("2028-01-01T00:00:00Z", true),
        ] {
            assert_eq!(header.overdue(now.parse().expect("instant")).is_some(), overdue, "{now}");
        }
        assert_eq!(PolicyHeader::default().overdue("2028-01-01T00:00:00Z".parse().expect("instant")), None);
    }
}
