//! Which cases are decided at all, and about what: where to start, or whether the tier is outgrown.

use super::case::Case;
use super::condition::Answer;
use super::facts::Facts;
use super::rules::Policy;
use super::teams::Team;
use super::verdict::StayReason;
use handoffd_kit::model::{PartSet, Status};

/// What there is to decide about a case.
pub enum Scope<'a> {
    /// Nothing.
    Stay(StayReason),
    /// That needs these parts to be read first.
    Need(PartSet),
    /// Its first team: it never had one.
    Routing,
    /// Whether it has outgrown this team.
    Escalation(&'a Team),
}

/// The scope of a case.
pub fn scope<'a>(case: &Case, policy: &Policy, facts: &Facts<'a>) -> Scope<'a> {
    let head = &case.head;
    if head.ending.is_some() {
        return Scope::Stay(StayReason::Ended);
    }
    match head.status.known() {
        Some(Status::Solved | Status::Closed) => return Scope::Stay(StayReason::Ended),
        None => return Scope::Stay(StayReason::Unclear("the desk does not say its status".into())),
        Some(Status::New | Status::Open | Status::Pending | Status::OnHold) => {}
    }
    let Some(queue) = head.queue.known() else {
        return Scope::Stay(StayReason::Unclear("the desk does not say where it lies".into()));
    };
    if !case.memory.counts {
        return Scope::Stay(StayReason::BeforeStart);
    }
    let had_team = case.memory.stay.is_some() || !case.memory.teams_seen.is_empty();
    let intake = policy.desks.get(&case.desk).map(|desk| desk.intake.as_slice()).unwrap_or_default();
    let starts = queue.as_ref().is_none_or(|queue| intake.iter().any(|listed| listed.is(queue)));
    let place = match facts.team() {
        _ if starts && !had_team => Scope::Routing,
        Some(team) => Scope::Escalation(team),
        None => return Scope::Stay(StayReason::NotOurs),
    };
    // Last, because it may cost a read.
    match policy.never.as_ref().map(|never| never.ask(facts)) {
        Some(Answer::Holds) => Scope::Stay(StayReason::Never),
        Some(Answer::Unknown(missing)) if !missing.unread.is_empty() => Scope::Need(missing.unread),
        Some(Answer::Unknown(_)) => Scope::Stay(StayReason::Never),
        Some(Answer::Fails) | None => place,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing;
    use handoffd_kit::fact::Fact;
    use handoffd_kit::model::{Ending, PartKind};

    fn scope_of(change: impl FnOnce(&mut Case, &mut Policy)) -> String {
        let (mut case, mut policy) = (testing::case(), testing::policy());
        change(&mut case, &mut policy);
        match scope(&case, &policy, &Facts::new(&case, &policy)) {
            Scope::Stay(reason) => format!("{reason:?}"),
            Scope::Need(parts) => format!("need {parts:?}"),
            Scope::Routing => "routing".into(),
            Scope::Escalation(team) => format!("escalation from {}", team.name),
        }
    }

    fn fresh(case: &mut Case) {
        case.memory.stay = None;
        case.memory.teams_seen.clear();
    }

    #[test]
    fn ended_cases_stay_whatever_the_rules_say() {
        for status in [Status::Solved, Status::Closed] {
            assert_eq!(scope_of(|case, _| case.head.status = Fact::Known(status)), "Ended");
        }
        assert_eq!(scope_of(|case, _| case.head.ending = Some(Ending::Spam)), "Ended");
    }

    #[test]
    fn a_case_whose_place_or_status_is_unknown_is_unclear() {
        assert!(scope_of(|case, _| case.head.queue = Fact::Unknown).starts_with("Unclear"));
        assert!(scope_of(|case, _| case.head.status = Fact::Unknown).starts_with("Unclear"));
    }

    #[test]
    fn routing_is_for_cases_that_never_had_a_team() {
        let in_no_queue = |case: &mut Case, _: &mut Policy| {
            fresh(case);
            case.head.queue = Fact::Known(None);
        };
        assert_eq!(scope_of(in_no_queue), "routing");
        let in_intake = |case: &mut Case, _: &mut Policy| {
            fresh(case);
            case.head.queue = testing::queue("Incoming");
        };
        assert_eq!(scope_of(in_intake), "routing");
        assert_eq!(scope_of(|case, _| case.head.queue = testing::queue("Incoming")), "NotOurs");
        assert_eq!(scope_of(|case, _| case.head.queue = Fact::Known(None)), "NotOurs");
    }

    #[test]
    fn escalation_is_for_open_cases_in_a_teams_queue() {
        assert_eq!(scope_of(|_, _| {}), "escalation from frontline");
        assert_eq!(scope_of(|case, _| case.head.queue = testing::queue("Sales")), "NotOurs");
        assert_eq!(scope_of(|case, _| fresh(case)), "escalation from frontline");
    }

    #[test]
    fn an_old_ticket_counts_once_something_changed() {
        assert_eq!(scope_of(|case, _| case.memory.counts = false), "BeforeStart");
    }

    #[test]
    fn what_is_excluded_or_cannot_be_told_is_never_touched() {
        assert_eq!(scope_of(|_, policy| policy.never = Some(testing::condition("has_tag('refund')"))), "Never");
        assert_eq!(scope_of(|_, policy| policy.never = Some(testing::condition("ticket.channel == 'chat'"))), "Never");
        let german =
            |_: &mut Case, policy: &mut Policy| policy.never = Some(testing::condition("customer.language == 'de'"));
        assert_eq!(scope_of(german), format!("need {:?}", PartSet::of(&[PartKind::Customer])));
        assert!(scope_of(|_, policy| policy.never = Some(testing::condition("has_tag('other')"))).starts_with("esc"));
    }
}
