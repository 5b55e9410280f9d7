//! Our own clocks, tried on cases: when each begins, what meets it, when it stands still, and whose clock counts where the
//! desk has one too.

use super::activity::Learnt;
use super::case::Case;
use super::clocks::{ClockName, Standing, differences, nearest, standing};
use super::due::Wait;
use super::facts::Facts;
use super::rules::Policy;
use super::targets::Target;
use super::testing::{self, said_by_agent, said_by_customer};
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{
    Actor, Author, Change, ClockState, Message, PartKind, PartSet, Role, Status, VendorClock, What,
};
use jiff::{SignedDuration, Timestamp};

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn hours(hours: i64) -> Option<Wait> {
    Some(SignedDuration::from_hours(hours).into())
}

fn target(name: &str, when: &str) -> Target {
    Target {
        name: name.into(),
        when: if when.is_empty() { Vec::new() } else { vec![testing::condition(when)] },
        hours: None,
        first_reply: hours(4),
        next_reply: hours(2),
        resolution: hours(8),
        paused_in: Vec::new(),
    }
}

/// Frontline has Berlin's office hours.
fn policy(targets: Vec<Target>) -> Policy {
    let mut policy = testing::policy();
    policy.teams.get_mut(&"frontline".into()).unwrap().hours = Some(testing::office_hours());
    policy.targets = targets;
    policy
}

/// A case of Friday 13:00 in Berlin on a desk without clocks.
fn friday(messages: Vec<(&str, Message)>) -> Case {
    let mut case = testing::case_with_parts();
    case.head.created_at = Fact::Known(at("2026-11-27T12:00:00Z"));
    let messages = messages.into_iter().map(|(instant, message)| Message { at: at(instant), ..message }).collect();
    case.parts.conversation.as_mut().unwrap().messages = messages;
    case
}

fn told(case: &Case, policy: &Policy, name: ClockName, now: &str) -> Learnt<Option<(ClockState, Option<String>)>> {
    match standing(&Facts::new(case, policy).at(at(now)), name) {
        Learnt::Known(Some(Standing { state, at, .. })) => {
            Learnt::Known(Some((state, at.map(|at| at.strftime("%a %H:%MZ").to_string()))))
        }
        Learnt::Known(None) => Learnt::Known(None),
        Learnt::Unread(part) => Learnt::Unread(part),
        Learnt::Unknown => Learnt::Unknown,
    }
}

fn known(state: ClockState, at: Option<&str>) -> Learnt<Option<(ClockState, Option<String>)>> {
    Learnt::Known(Some((state, at.map(str::to_owned))))
}

#[test]
fn a_first_reply_is_due_in_the_teams_hours_and_met_by_an_agents_word() {
    let policy = policy(vec![target("standard", "")]);
    let asked = ("2026-11-27T12:00:00Z", said_by_customer("Help"));
    let clock = |messages, now| told(&friday(messages), &policy, ClockName::FirstReply, now);
    // Two hours on Friday, two on Monday.
    let due = Some("Mon 10:00Z");
    assert_eq!(clock(vec![asked.clone()], "2026-11-30T09:59:59Z"), known(ClockState::Running, due));
    assert_eq!(clock(vec![asked.clone()], "2026-11-30T10:00:00Z"), known(ClockState::Breached, due));
    let in_time = vec![asked.clone(), ("2026-11-30T10:00:00Z", said_by_agent("Hello"))];
    assert_eq!(clock(in_time, "2026-12-01T00:00:00Z"), known(ClockState::Met, None));
    let late = vec![asked, ("2026-11-30T10:00:01Z", said_by_agent("Hello"))];
    assert_eq!(clock(late, "2026-12-01T00:00:00Z"), known(ClockState::Breached, None));
}

#[test]
fn a_next_reply_runs_from_the_first_word_that_nobody_answered() {
    let policy = policy(vec![target("standard", "")]);
    let clock = |messages| told(&friday(messages), &policy, ClockName::NextReply, "2026-11-30T12:30:00Z");
    let asked = ("2026-11-27T12:00:00Z", said_by_customer("Help"));
    assert_eq!(clock(vec![asked.clone()]), Learnt::Known(None), "the first reply comes first");
    let answered = ("2026-11-30T08:00:00Z", said_by_agent("Hello"));
    assert_eq!(clock(vec![asked.clone(), answered.clone()]), known(ClockState::Met, None));
    let again = ("2026-11-30T09:00:00Z", said_by_customer("Still broken"));
    let more = ("2026-11-30T10:30:00Z", said_by_customer("Hello?"));
    // Ten to twelve in Berlin.
    let open = vec![asked.clone(), answered.clone(), again, more];
    assert_eq!(clock(open), known(ClockState::Breached, Some("Mon 11:00Z")));
    // An automatic answer waits for nobody's.
    let automatic = Message { by_machine: Fact::Known(true), ..said_by_customer("I am out of office") };
    let away = vec![asked, answered, ("2026-11-30T09:00:00Z", automatic)];
    assert_eq!(clock(away), known(ClockState::Met, None));
}

#[test]
fn a_resolution_stands_still_in_the_statuses_that_pause_it() {
    let turn = |instant: &str, from, to| Change {
        id: instant.into(),
        at: at(instant),
        by: Author { id: None, name: None, role: Role::Agent },
        actor: Actor::Person,
        mark: None,
        what: vec![What::Status { from: Some(from), to: Some(to) }],
    };
    let mut pausing = target("standard", "");
    pausing.paused_in = vec![Status::OnHold];
    let policy = policy(vec![pausing]);
    let mut case = friday(Vec::new());
    let clock = |case: &Case, now| told(case, &policy, ClockName::Resolution, now);
    case.parts.history = None;
    case.asked = PartSet::NONE;
    assert_eq!(clock(&case, "2026-11-27T13:00:00Z"), Learnt::Unread(PartKind::History));
    // Friday 13 to 15 are two hours, Monday 9 to 12 and 13 to 16 six more.
    case.parts.history = Some(Vec::new());
    assert_eq!(clock(&case, "2026-11-27T13:00:00Z"), known(ClockState::Running, Some("Mon 15:00Z")));
    // An hour on Friday, on hold until Monday at 11, then seven hours more.
    let held = turn("2026-11-27T13:00:00Z", Status::Open, Status::OnHold);
    case.parts.history = Some(vec![held.clone()]);
    assert_eq!(clock(&case, "2026-12-24T13:00:00Z"), known(ClockState::Paused, None));
    case.parts.history = Some(vec![held, turn("2026-11-30T10:00:00Z", Status::OnHold, Status::Open)]);
    assert_eq!(clock(&case, "2026-11-30T12:00:00Z"), known(ClockState::Running, Some("Tue 09:30Z")));
    // A pause after the target had run out changes nothing.
    case.parts.history = Some(vec![turn("2026-12-01T13:00:00Z", Status::Open, Status::OnHold)]);
    assert_eq!(clock(&case, "2026-12-02T12:00:00Z"), known(ClockState::Breached, Some("Mon 15:00Z")));
}

#[test]
fn the_first_target_that_holds_is_the_cases_and_one_that_cannot_be_told_hides_the_rest() {
    let mut urgent = target("urgent", "ticket.priority == 'urgent'");
    urgent.first_reply = None;
    let rest = target("standard", "");
    let clock = |policy: &Policy, priority| {
        let mut case = friday(Vec::new());
        case.head.priority = Fact::Known(Some(priority));
        told(&case, policy, ClockName::FirstReply, "2026-11-27T12:00:00Z")
    };
    let both = policy(vec![urgent, rest.clone()]);
    use handoffd_kit::model::Priority;
    assert_eq!(clock(&both, Priority::Urgent), Learnt::Known(None));
    assert_eq!(clock(&both, Priority::Low), known(ClockState::Running, Some("Mon 10:00Z")));
    let vague = policy(vec![target("by channel", "ticket.channel == 'chat'"), rest.clone()]);
    assert_eq!(clock(&vague, Priority::Low), Learnt::Unknown);
    let unread = policy(vec![target("german", "customer.language == 'de'"), rest]);
    let mut case = friday(Vec::new());
    case.parts.customer = None;
    let told = told(&case, &unread, ClockName::FirstReply, "2026-11-27T12:00:00Z");
    assert_eq!(told, Learnt::Unread(PartKind::Customer));
}

fn with_desk_clock(state: ClockState, breaches_at: Option<&str>) -> Case {
    let mut case = friday(vec![("2026-11-27T12:00:00Z", said_by_customer("Help"))]);
    let clock = VendorClock { name: "first_reply".into(), state, breaches_at: breaches_at.map(at) };
    case.parts.clocks = Some(vec![clock]);
    case
}

#[test]
fn the_desks_clock_counts_where_it_has_one_and_differences_are_told() {
    let policy = policy(vec![target("standard", "")]);
    let now = "2026-11-27T13:00:00Z";
    let facts_differ = |case: &Case| differences(&Facts::new(case, &policy).at(at(now)));
    let same = with_desk_clock(ClockState::Running, Some("2026-11-30T10:00:30Z"));
    assert_eq!(facts_differ(&same), []);
    let other = with_desk_clock(ClockState::Running, Some("2026-11-27T16:00:00Z"));
    assert_eq!(told(&other, &policy, ClockName::FirstReply, now), known(ClockState::Running, Some("Fri 16:00Z")));
    let difference = facts_differ(&other).remove(0);
    assert_eq!(difference.desk, "running, until 2026-11-27 16:00 UTC");
    assert_eq!(difference.target, "running, until 2026-11-30 10:00 UTC");
    assert_eq!(facts_differ(&with_desk_clock(ClockState::Paused, None)).len(), 1);
    // The clocks that the desk has not are ours.
    let resolution = told(&other, &policy, ClockName::Resolution, now);
    assert_eq!(resolution, known(ClockState::Running, Some("Mon 15:00Z")));
}

#[test]
fn the_nearest_clock_is_urgent_whoever_keeps_it() {
    let policy = policy(vec![target("standard", "")]);
    let case = friday(vec![("2026-11-27T12:00:00Z", said_by_customer("Help"))]);
    let (name, _, due) = nearest(&Facts::new(&case, &policy).at(at("2026-11-27T12:00:00Z"))).unwrap();
    assert_eq!(name, "first_reply");
    let told = "Mon 30 Nov 11:00 Europe/Berlin: 4 h of office hours, Fri 13:00–15:00 and Mon 09:00–11:00";
    assert_eq!(due.unwrap().told(), told);
    let desks = with_desk_clock(ClockState::Running, Some("2026-11-27T16:00:00Z"));
    let (name, _, due) = nearest(&Facts::new(&desks, &policy).at(at("2026-11-27T12:00:00Z"))).unwrap();
    assert_eq!((name.as_str(), due), ("first_reply", None));
}

#[test]
fn a_long_conversation_that_was_cut_is_not_guessed_at() {
    let policy = policy(vec![target("standard", "")]);
    let mut case = friday(vec![("2026-11-27T12:00:00Z", said_by_customer("Help"))]);
    case.parts.conversation.as_mut().unwrap().complete = false;
    for name in [ClockName::FirstReply, ClockName::NextReply] {
        assert_eq!(told(&case, &policy, name, "2026-11-27T13:00:00Z"), Learnt::Unknown);
    }
    case.parts.conversation = None;
    case.asked = PartSet::NONE;
    let first = told(&case, &policy, ClockName::FirstReply, "2026-11-27T13:00:00Z");
    assert_eq!(first, Learnt::Unread(PartKind::Conversation));
    case.parts.clocks = None;
    let first = told(&case, &policy, ClockName::FirstReply, "2026-11-27T13:00:00Z");
    assert_eq!(first, Learnt::Unread(PartKind::Clocks), "the desk is asked first");
}
