//! Where a route leads now: to its team, or to its fallback while the team is off duty or its queue is gone. A fallback that
//! cannot take the case either changes nothing: the case then waits where it belongs.

use super::case::Case;
use super::due::Wait;
use super::names::TeamName;
use super::rules::{Policy, Route};
use super::teams::Team;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// A team that a case would have gone to, and why it does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InsteadOf {
    /// The team.
    pub team: TeamName,
    /// Why it cannot take the case now.
    pub why: String,
}

/// The team that a route leads to now, and the one that it stands in for.
pub fn target<'a>(route: &'a Route, case: &Case, policy: &Policy, now: Timestamp) -> (&'a TeamName, Option<InsteadOf>) {
    let away = |team: &TeamName| policy.teams.get(team).and_then(|team| away(team, case, now));
    let Some(fallback) = &route.fallback else { return (&route.to, None) };
    match away(&route.to) {
        Some(why) if away(fallback).is_none() => (fallback, Some(InsteadOf { team: route.to.clone(), why })),
        _ => (&route.to, None),
    }
}

/// Why a team cannot take a case now; none: it can.
fn away(team: &Team, case: &Case, now: Timestamp) -> Option<String> {
    if case.memory.queues_gone.contains(&team.queue) {
        return Some(format!("the desk shows no queue \"{}\" any more", team.queue.shown()));
    }
    let until = off_duty_until(team, now)?;
    Some(format!("off duty until {}", team.moment(until, now)))
}

/// When a team that is off duty is there again; none: it is on duty, or always.
pub fn off_duty_until(team: &Team, now: Timestamp) -> Option<Timestamp> {
    const SECOND: SignedDuration = SignedDuration::from_secs(1);
    let closed = team.hours.as_ref().is_some_and(|hours| !hours.calendar.is_open(now));
    let opens = || team.due(now, Wait::from(SECOND)).and_then(|due| due.at.checked_sub(SECOND).ok());
    closed.then(|| opens().unwrap_or(Timestamp::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::decide::decide;
    use crate::policy::proposal::Proposal;
    use crate::policy::testing::{self, office_hours, route};
    use crate::policy::verdict::{Decision, Outcome, RuleResult, StayReason, Verdict};

    /// A Monday noon in Berlin, between two blocks: off duty until one; and the hour after.
    const NOON: &str = "2026-11-02T11:30:00Z";
    const AFTERNOON: &str = "2026-11-02T12:30:00Z";

    fn staffed() -> (Case, Policy) {
        let (mut case, mut policy) = (testing::case_with_parts(), testing::policy());
        case.memory.stay = None;
        case.memory.teams_seen.clear();
        case.head.queue = testing::queue("Incoming");
        policy.teams.get_mut(&"billing".into()).unwrap().hours = Some(office_hours());
        policy.routes = vec![route("invoices", "has_tag('refund')", "billing"), route("rest", "", "engineering")];
        policy.routes[0].fallback = Some("frontline".into());
        (case, policy)
    }

    fn verdict(case: &Case, policy: &Policy, now: &str) -> Verdict {
        match decide(case, policy, &|_, _| true, now.parse().unwrap()) {
            Decision::Verdict(verdict) => verdict,
            Decision::Need(parts) => panic!("needs {parts:?}"),
        }
    }

    fn routed(case: &Case, policy: &Policy, now: &str) -> Proposal {
        match verdict(case, policy, now).outcome {
            Outcome::Route(proposal) => *proposal,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_fallback_takes_the_case_while_the_team_is_off_duty_and_says_why() {
        let (case, policy) = staffed();
        let there = routed(&case, &policy, AFTERNOON);
        assert_eq!((there.to.as_str(), &there.instead_of), ("billing", &None));
        let away = routed(&case, &policy, NOON);
        let why = "off duty until Mon 2 Nov 13:00 Europe/Berlin".to_owned();
        assert_eq!(away.to.as_str(), "frontline");
        assert_eq!(away.instead_of, Some(InsteadOf { team: "billing".into(), why }));
        assert_eq!(away.to_queue.shown(), "Support");
        let trace = &verdict(&case, &policy, NOON).trace[0];
        assert_eq!((trace.to.as_str(), &trace.instead_of), ("frontline", &away.instead_of));
    }

    #[test]
    fn a_queue_that_is_gone_is_no_target_and_two_of_them_change_nothing() {
        let (mut case, mut policy) = staffed();
        policy.teams.get_mut(&"billing".into()).unwrap().hours = None;
        case.memory.queues_gone = vec![policy.teams[&"billing".into()].queue.clone()];
        let away = routed(&case, &policy, NOON);
        assert_eq!(away.to.as_str(), "frontline");
        assert!(away.instead_of.unwrap().why.contains("no queue \"Billing\""));
        case.memory.queues_gone.push(policy.teams[&"frontline".into()].queue.clone());
        let both = routed(&case, &policy, NOON);
        assert_eq!((both.to.as_str(), both.instead_of), ("billing", None));
    }

    #[test]
    fn without_a_fallback_the_case_waits_where_it_belongs() {
        let (case, mut policy) = staffed();
        policy.routes[0].fallback = None;
        assert_eq!(routed(&case, &policy, NOON).to.as_str(), "billing");
    }

    #[test]
    fn a_fallback_that_is_off_duty_too_changes_nothing() {
        let (case, mut policy) = staffed();
        policy.teams.get_mut(&"frontline".into()).unwrap().hours = Some(office_hours());
        assert_eq!(routed(&case, &policy, NOON).to.as_str(), "billing");
    }

    #[test]
    fn a_route_for_hours_on_duty_leaves_the_rest_to_those_behind_it() {
        let (case, mut policy) = staffed();
        policy.routes[0].fallback = None;
        policy.routes[0].on_duty = true;
        assert_eq!(routed(&case, &policy, AFTERNOON).to.as_str(), "billing");
        assert_eq!(routed(&case, &policy, NOON).to.as_str(), "engineering");
        let opens = "2026-11-02T12:00:00Z".parse().unwrap();
        assert_eq!(verdict(&case, &policy, NOON).trace[0].result, RuleResult::OffDuty(opens));
        // Where nothing else takes it, it is looked at again when the team is there.
        policy.routes.pop();
        let waits = verdict(&case, &policy, NOON);
        assert_eq!((waits.outcome, waits.again_at), (Outcome::Stay(StayReason::NotYet), Some(opens)));
    }

    #[test]
    fn a_closed_path_stays_closed_whichever_team_the_route_led_to() {
        use crate::policy::case::{ClosedBy, ClosedPath};
        use crate::policy::closed;
        let (mut case, policy) = staffed();
        case.memory.closed_paths = vec![ClosedPath::new(None, "frontline".into(), ClosedBy::Rejection)];
        let now = NOON.parse().unwrap();
        case.memory.closed_paths = closed::unnoted(&case, &policy, now).expect("nothing to read");
        assert_eq!(case.memory.closed_paths[0].facts.len(), 1, "the labels");
        assert_eq!(verdict(&case, &policy, NOON).trace[0].result, RuleResult::PathClosed(ClosedBy::Rejection));
        assert_eq!(routed(&case, &policy, AFTERNOON).to.as_str(), "billing");
    }
}
