//! Where a case should start: the first route of its desk that matches. A route in shadow, or one whose share the ticket
//! lies outside of, hides no other; one that is held back does, because the case is still its.

use super::hold::Path;
use super::matching::{AnyRule, Candidate};
use super::names::RuleName;
use super::rules::{Policy, Route};
use super::target::{off_duty_until, target};
use super::verdict::RuleResult;
use super::{case::Case, facts::Facts};
use handoffd_kit::model::PartSet;
use jiff::Timestamp;

/// What stands for the stay that a route ends.
pub const INTAKE: &str = "intake";

/// Every route's verdict, and what must be read first.
pub fn judge<'a>(case: &'a Case, policy: &'a Policy, facts: &Facts<'_>) -> (Vec<Candidate<'a>>, PartSet) {
    let mut candidates = Vec::new();
    let mut need = PartSet::NONE;
    let mut first: Option<RuleName> = None;
    let mut first_in_shadow: Option<RuleName> = None;
    for route in policy.routes.iter().filter(|route| route.desk == case.desk) {
        let (to, instead_of) = target(route, case, policy, facts.now());
        let path = Path { rule: &route.rule, from: None, to, episode: INTAKE };
        let mut candidate = Candidate::judge(AnyRule::Route(route), path, case, policy, facts);
        candidate.instead_of = instead_of;
        wait_for_duty(&mut candidate, route, policy, facts.now());
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

/// A route for the hours of its team does not match outside them: those behind it are asked.
fn wait_for_duty(candidate: &mut Candidate<'_>, route: &Route, policy: &Policy, now: Timestamp) {
    let until = policy.teams.get(&route.to).and_then(|team| off_duty_until(team, now));
    if let Some(until) = until.filter(|_| route.on_duty && candidate.matched) {
        candidate.result = RuleResult::OffDuty(until);
        candidate.matched = false;
        candidate.again_at = candidate.again_at.into_iter().chain([until]).min();
    }
}
