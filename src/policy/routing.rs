//! Where a case should start: the first route of its desk that matches. A route in shadow, or one whose share the ticket
//! lies outside of, hides no other; one that is held back does, because the case is still its.

use super::hold::Path;
use super::matching::{AnyRule, Candidate};
use super::names::RuleName;
use super::rules::Policy;
use super::verdict::RuleResult;
use super::{case::Case, facts::Facts};
use handoffd_kit::model::PartSet;

/// What stands for the stay that a route ends.
pub const INTAKE: &str = "intake";

/// Every route's verdict, and what must be read first.
pub fn judge<'a>(case: &'a Case, policy: &'a Policy, facts: &Facts<'_>) -> (Vec<Candidate<'a>>, PartSet) {
    let mut candidates = Vec::new();
    let mut need = PartSet::NONE;
    let mut first: Option<RuleName> = None;
    let mut first_in_shadow: Option<RuleName> = None;
    for route in policy.routes.iter().filter(|route| route.desk == case.desk) {
        let path = Path { rule: &route.rule, from: None, to: &route.to, episode: INTAKE };
        let mut candidate = Candidate::judge(AnyRule::Route(route), path, case, policy, facts);
        if first.is_none() {
            need = need.union(candidate.unread);
        }
        if candidate.matched {
            let name = &route.rule.name;
            let before = match candidate.result {
                RuleResult::OutsideShare => None,
                RuleResult::Shadow => {
                    let before = first.clone().or(first_in_shadow.clone());
                    first_in_shadow.get_or_insert_with(|| name.clone());
                    before
                }
                _ => {
                    let before = first.clone();
                    first.get_or_insert_with(|| name.clone());
                    before
                }
            };
            if let Some(before) = before {
                candidate.result = RuleResult::Behind(before);
            }
        }
        candidates.push(candidate);
    }
    (candidates, need)
}
