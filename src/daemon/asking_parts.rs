//! A package with parts missing, tried on a whole house: the agent is asked once, supplies them or does not, and whatever
//! happens meanwhile is respected.

use super::control::{Command, Order, execute};
use super::testing::Stage;
use crate::ledger::Act;
use crate::ledger::records::{HandoffRecord, Switch};
use crate::ledger::states::HandoffState;
use crate::policy::package::Labels;
use crate::policy::rules::{Missing, Mode, PackagePart, Policy, ReviewDecision, Then};
use crate::policy::testing::{self, noted_by_agent};
use crate::policy::verdict::Risk;
use handoffd_kit::clock::Clock;
use handoffd_kit::desk::{DeskChange, QueueSpec, Update};
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{Author, InternalText, Message, Role, Status, Visibility, What};
use jiff::SignedDuration;
use std::collections::BTreeMap;

/// Refunds go to billing with the steps that were tried; nobody has written any down.
fn policy(missing: Missing) -> Policy {
    let mut policy = testing::policy();
    let mut rule = testing::escalation("refund", "has_tag(\"refund\")", "billing");
    rule.package.require = vec![PackagePart::Summary, PackagePart::Steps];
    rule.package.missing = missing;
    policy.escalations.push(rule);
    policy
}

fn asking_for_4h(then: Then) -> Policy {
    policy(Missing::Ask { within: SignedDuration::from_hours(4).into(), then })
}

/// What we have written, in short: notes by their first words, moves, labels.
fn written(stage: &Stage) -> Vec<String> {
    let short = |change: &DeskChange| match change {
        DeskChange::Update(Update { note: Some(InternalText(note)), queue, .. }) => {
            let words: Vec<&str> = note.split_whitespace().take(2).collect();
            let to = queue.as_ref().map(|queue| format!(" → {}", queue.shown())).unwrap_or_default();
            format!("{}{to}", words.join(" "))
        }
        DeskChange::Tags { add, remove } => format!("+{add:?} -{remove:?}"),
        other => format!("{other:?}"),
    };
    stage.desk.ticket().written.iter().map(|write| short(&write.change)).collect()
}

fn note(stage: &Stage, at: usize) -> String {
    match &stage.desk.ticket().written[at].change {
        DeskChange::Update(Update { note: Some(InternalText(note)), .. }) => note.clone(),
        other => panic!("{other:?}"),
    }
}

async fn latest(stage: &Stage) -> HandoffRecord {
    stage.handoffs().await.into_iter().next().expect("a handoff")
}

/// An agent writes an internal note.
fn agent_notes(stage: &Stage, text: &str) {
    let at = stage.clock.now();
    let note = Message { at, ..noted_by_agent(text) };
    stage.desk.ticket().said.push(note);
    stage.desk.agent(at, What::Said { visibility: Visibility::Internal, message: "n".into() }, |_| {});
}

async fn later(stage: &Stage, minutes: i64) {
    stage.clock.advance(SignedDuration::from_mins(minutes));
    stage.run().await;
}

/// A stage whose agent was just asked.
async fn asked(then: Then) -> Stage {
    let stage = Stage::new(asking_for_4h(then));
    stage.look().await;
    assert_eq!(latest(&stage).await.state, HandoffState::Asking);
    assert_eq!(written(&stage), ["For First", ASKED]);
    stage
}

const ASKED: &str = "+[\"handoffd-asking\"] -[]";
const NOT_ASKED: &str = "+[] -[\"handoffd-asking\"]";

#[tokio::test]
async fn the_current_agent_is_asked_once_and_told_how_to_answer() {
    let stage = asked(Then::Review).await;
    insta::assert_snapshot!(note(&stage, 0));
    for minutes in [1, 10, 100] {
        later(&stage, minutes).await;
        stage.look().await;
    }
    assert_eq!(written(&stage).len(), 2, "asked once");
    let handoff = latest(&stage).await;
    assert_eq!((handoff.state, handoff.completeness), (HandoffState::Asking, Some(0.5)));
    assert_eq!(handoff.ask_until, Some(testing::now() + SignedDuration::from_hours(4)));
    assert!(!handoff.has_sent());
}

#[tokio::test]
async fn the_time_counts_in_the_hours_of_the_giving_team_and_is_told_with_its_working() {
    let mut policy = asking_for_4h(Then::Send);
    policy.teams.get_mut(&"frontline".into()).expect("frontline").hours = Some(testing::office_hours());
    // Monday 13:00 in Berlin: the afternoon until 17:30, and no more.
    policy.escalations[0].package.missing =
        Missing::Ask { within: SignedDuration::from_hours(6).into(), then: Then::Send };
    let stage = Stage::new(policy);
    stage.look().await;
    let text = note(&stage, 0);
    let until = latest(&stage).await.ask_until.expect("a deadline");
    assert!(until > testing::now() + SignedDuration::from_hours(12), "not before Tuesday: {until}");
    assert!(text.contains("It waits until Tue 3 Nov ") && text.contains("6 h of office hours"), "{text}");
    stage.clock.set(until - SignedDuration::from_secs(1));
    stage.run().await;
    assert_eq!(latest(&stage).await.state, HandoffState::Asking);
    stage.clock.set(until);
    stage.run().await;
    assert_eq!(latest(&stage).await.state, HandoffState::Verifying);
}

#[tokio::test]
async fn a_policy_in_another_language_shows_its_own_labels_and_reads_them() {
    use crate::policy::package::Label;
    let steps = Label::Part(PackagePart::Steps);
    let labels = Labels::new(BTreeMap::from([(steps, vec!["Versucht".to_owned()])]));
    let stage = Stage::new(Policy { labels, ..asking_for_4h(Then::Review) });
    stage.look().await;
    assert!(note(&stage, 0).contains("- steps: fill in the field steps, or write “Versucht: …” in an internal note"));
    agent_notes(&stage, "Versucht: neu gestartet");
    stage.look().await;
    assert_eq!(latest(&stage).await.state, HandoffState::Verifying);
}

#[tokio::test]
async fn what_was_asked_for_comes_and_the_handoff_goes_on_by_itself() {
    let stage = asked(Then::Review).await;
    later(&stage, 30).await;
    agent_notes(&stage, "Thanks for asking, I look for it.");
    stage.look().await;
    assert_eq!(latest(&stage).await.state, HandoffState::Asking, "that was no answer");
    agent_notes(&stage, "Steps tried: restarted the app");
    stage.look().await;
    let handoff = latest(&stage).await;
    assert_eq!((handoff.state, handoff.completeness), (HandoffState::Verifying, Some(1.0)));
    assert_eq!(written(&stage), ["For First", ASKED, "Escalated: frontline → Billing", NOT_ASKED]);
    assert!(
        note(&stage, 2).contains("Steps tried (from internal note by First Agent, 2026-11-02):\n- restarted the app")
    );
    assert!(!stage.desk.ticket().head.tags.known().expect("tags").contains(&"handoffd-asking".to_owned()));
    later(&stage, 5).await;
    stage.look().await;
    let handoff = latest(&stage).await;
    assert_eq!((handoff.state, written(&stage).len()), (HandoffState::Settled, 4), "{:?}", handoff.detail);
}

#[tokio::test]
async fn a_complete_package_still_waits_for_the_review_that_the_rule_wants() {
    let mut policy = asking_for_4h(Then::Send);
    policy.escalations[0].review = ReviewDecision::Always;
    let stage = Stage::new(policy);
    stage.look().await;
    assert_eq!(latest(&stage).await.state, HandoffState::Asking);
    agent_notes(&stage, "Steps tried: restarted");
    stage.look().await;
    let handoff = latest(&stage).await;
    assert_eq!((handoff.state, handoff.risks), (HandoffState::InReview, vec![Risk::Always]));
    assert_eq!(written(&stage), ["For First", ASKED, NOT_ASKED], "nobody is asked any more");
}

#[tokio::test]
async fn when_the_time_is_over_a_person_decides_or_it_goes_with_its_gaps() {
    let stage = asked(Then::Review).await;
    later(&stage, 239).await;
    assert_eq!(latest(&stage).await.state, HandoffState::Asking, "a minute is left");
    later(&stage, 1).await;
    let handoff = latest(&stage).await;
    let incomplete = Risk::PackageIncomplete(vec![PackagePart::Steps]);
    assert_eq!((handoff.state, handoff.risks), (HandoffState::InReview, vec![incomplete]));
    assert_eq!(written(&stage), ["For First", ASKED, NOT_ASKED]);

    let stage = asked(Then::Send).await;
    later(&stage, 240).await;
    assert_eq!(latest(&stage).await.state, HandoffState::Verifying);
    assert_eq!(written(&stage), ["For First", ASKED, "Escalated: frontline → Billing", NOT_ASKED]);
    assert!(note(&stage, 2).contains("Not found: steps (1 of 2 required parts are there)"));
}

#[tokio::test]
async fn a_person_who_moves_the_case_meanwhile_ends_the_asking_with_a_note() {
    let stage = asked(Then::Send).await;
    let queue = |name: &str| testing::queue(name).known().cloned().flatten();
    let moved = What::Queue { from: queue("Support"), to: queue("Elsewhere") };
    stage.desk.agent(stage.clock.now(), moved, |head| head.queue = testing::queue("Elsewhere"));
    stage.look().await;
    assert_eq!(latest(&stage).await.state, HandoffState::Withdrawn);
    assert_eq!(written(&stage), ["For First", ASKED, NOT_ASKED, "Nothing more"]);
    insta::assert_snapshot!(note(&stage, 3));
    later(&stage, 300).await;
    assert_eq!(written(&stage).len(), 4, "and nothing follows");
}

#[tokio::test]
async fn a_rule_that_matches_no_more_ends_it_and_does_not_ask_twice_in_one_episode() {
    let stage = asked(Then::Review).await;
    let tags = |stage: &Stage, tags: &[&str]| {
        let tags = tags.iter().map(|tag| (*tag).to_owned()).collect();
        stage.desk.agent(stage.clock.now(), testing::tagged(), |head| head.tags = Fact::Known(tags));
    };
    tags(&stage, &["handoffd-asking"]);
    stage.look().await;
    assert_eq!(latest(&stage).await.state, HandoffState::Withdrawn);
    assert!(
        note(&stage, 3)
            .starts_with("Nothing more is needed for billing: the rule's conditions do not hold any more.\n")
    );
    later(&stage, 10).await;
    tags(&stage, &["refund"]);
    stage.look().await;
    let handoff = latest(&stage).await;
    assert_eq!(handoff.state, HandoffState::InReview, "a person decides: {:?}", handoff.risks);
    assert_eq!(written(&stage).len(), 4, "nobody is asked again");
}

#[tokio::test]
async fn another_rule_that_takes_the_case_ends_the_asking() {
    let mut policy = asking_for_4h(Then::Review);
    policy.escalations.insert(0, testing::escalation("vip", "has_tag(\"vip\")", "engineering"));
    policy.escalations[1].rule.when = vec![testing::condition("has_tag(\"refund\") && !has_tag(\"vip\")")];
    let stage = Stage::new(policy);
    stage.look().await;
    assert_eq!(written(&stage), ["For First", ASKED]);
    let tags = Fact::Known(vec!["refund".to_owned(), "vip".to_owned(), "handoffd-asking".to_owned()]);
    stage.desk.agent(stage.clock.now(), testing::tagged(), |head| head.tags = tags);
    stage.look().await;
    let states: Vec<_> = stage.handoffs().await.iter().map(|one| (one.proposal.rule.to_string(), one.state)).collect();
    assert_eq!(states, [("vip".into(), HandoffState::Verifying), ("refund".into(), HandoffState::Withdrawn)]);
    let mut all = written(&stage);
    all.sort();
    assert_eq!(all, [ASKED, NOT_ASKED, "Escalated: frontline → Engineering", "For First", "Nothing more"]);
}

#[tokio::test]
async fn a_closed_ticket_is_left_alone() {
    let stage = asked(Then::Send).await;
    let closed = What::Status { from: Some(Status::Open), to: Some(Status::Closed) };
    stage.desk.agent(stage.clock.now(), closed, |head| head.status = Fact::Known(Status::Closed));
    stage.look().await;
    later(&stage, 300).await;
    assert_eq!((latest(&stage).await.state, written(&stage).len()), (HandoffState::Withdrawn, 2));
}

#[tokio::test]
async fn a_ticket_that_is_opened_again_no_longer_says_that_somebody_is_asked() {
    let stage = asked(Then::Send).await;
    let turns = |from: Status, to: Status| {
        let change = What::Status { from: Some(from), to: Some(to) };
        stage.desk.agent(stage.clock.now(), change, |head| head.status = Fact::Known(to));
    };
    turns(Status::Open, Status::Closed);
    stage.look().await;
    stage.desk.ticket().head.tags = Fact::Known(vec!["handoffd-asking".into()]);
    turns(Status::Closed, Status::Solved);
    for _ in 0..3 {
        stage.look().await;
        later(&stage, 10).await;
    }
    assert_eq!(written(&stage), ["For First", ASKED, NOT_ASKED], "taken back once");
}

#[tokio::test]
async fn a_ticket_that_changes_while_it_is_asked_is_read_again_and_asked_once() {
    let stage = Stage::new(asking_for_4h(Then::Review));
    stage.desk.ticket().conflicts = 2;
    stage.look().await;
    let handoff = latest(&stage).await;
    assert_eq!(handoff.state, HandoffState::Asking, "{:?}", handoff.effects);
    assert_eq!(written(&stage), ["For First", ASKED]);
}

#[tokio::test]
async fn a_pause_ends_nothing_and_what_is_due_happens_after_it() {
    let stage = asked(Then::Send).await;
    let act = |at| Act { by: "lead".into(), reason: None, at };
    let (paused, resumed) = (act(stage.clock.now()), act(stage.clock.now() + SignedDuration::from_mins(301)));
    let switch = |on, act: Act| move |ledger: &mut crate::ledger::Ledger| ledger.set_switch(&Switch::All, on, &act);
    stage.house.ledger.call(switch(true, paused)).await.expect("paused");
    stage.look().await;
    later(&stage, 300).await;
    stage.look().await;
    assert_eq!((latest(&stage).await.state, written(&stage).len()), (HandoffState::Asking, 2));
    stage.clock.advance(SignedDuration::from_mins(1));
    stage.house.ledger.call(switch(false, resumed)).await.expect("resumed");
    stage.run().await;
    assert_eq!(latest(&stage).await.state, HandoffState::Verifying);
}

#[tokio::test]
async fn a_rule_that_wants_a_review_for_a_gap_asks_a_person_and_writes_nothing() {
    let stage = Stage::new(policy(Missing::Review));
    stage.look().await;
    let handoff = latest(&stage).await;
    let incomplete = Risk::PackageIncomplete(vec![PackagePart::Steps]);
    assert_eq!((handoff.state, handoff.risks), (HandoffState::InReview, vec![incomplete]));
    assert_eq!(written(&stage), Vec::<String>::new());
}

#[tokio::test]
async fn a_rule_in_shadow_asks_nobody() {
    let mut policy = asking_for_4h(Then::Send);
    policy.escalations[0].rule.mode = Mode::Shadow;
    let stage = Stage::new(policy);
    stage.look().await;
    later(&stage, 300).await;
    stage.look().await;
    assert!(stage.handoffs().await.is_empty() && written(&stage).is_empty());
}

#[tokio::test]
async fn a_customer_cannot_answer_for_the_agent() {
    let stage = asked(Then::Review).await;
    let mut by_customer = noted_by_agent("Steps tried: everything\nSummary: hand me over");
    by_customer.author.role = Role::Customer;
    let at = stage.clock.now();
    let public = testing::said_by_customer("Steps tried: everything");
    stage.desk.ticket().said.extend([by_customer, public]);
    stage.desk.ticket().customer_says(at, What::Said { visibility: Visibility::Public, message: "c".into() });
    stage.look().await;
    assert_eq!(latest(&stage).await.state, HandoffState::Asking);
    let to_billing = |write: &handoffd_kit::desk::Write| {
        matches!(&write.change, DeskChange::Update(Update { queue: Some(QueueSpec::Name(_)), .. }))
    };
    assert!(!stage.desk.ticket().written.iter().any(to_billing));
}

#[tokio::test]
async fn a_person_who_changes_the_ticket_before_its_label_is_set_ends_no_asking() {
    let stage = Stage::new(asking_for_4h(Then::Review));
    stage.desk.ticket().meddles = Some(|ticket, at| {
        ticket.head.owner = Fact::Known(None);
        ticket.agent_does(at, What::Owner { from: Some("7".into()), to: None });
    });
    stage.look().await;
    let handoff = latest(&stage).await;
    assert_eq!(
        (handoff.state, written(&stage)),
        (HandoffState::Asking, vec!["For First".to_owned(), ASKED.to_owned()])
    );
    later(&stage, 1).await;
    assert_eq!(latest(&stage).await.state, HandoffState::Asking, "and no look ends it either");
}

#[tokio::test]
async fn a_person_ends_an_asking_by_command_and_the_ticket_says_so() {
    let stage = asked(Then::Send).await;
    let id = latest(&stage).await.id;
    let reject = Command::Reject { handoff: id.clone(), reason: "frontline keeps it".into() };
    let order = Order { command: reject, by: "front-lead".into() };
    let reply = execute(&stage.house, order.clone(), "tester").await.expect("ended");
    assert!(reply.said.contains("withdrawn"), "{}", reply.said);
    stage.run().await;
    let handoff = latest(&stage).await;
    assert_eq!((handoff.state, handoff.id.as_str()), (HandoffState::Withdrawn, id.as_str()));
    assert_eq!(written(&stage), ["For First", ASKED, NOT_ASKED, "Nothing more"]);
    assert!(note(&stage, 3).contains("frontline keeps it"), "{}", note(&stage, 3));
    for minutes in [1, 300] {
        later(&stage, minutes).await;
        stage.look().await;
    }
    assert_eq!((stage.handoffs().await.len(), written(&stage).len()), (1, 4), "that path is closed");
    assert!(execute(&stage.house, order, "tester").await.is_err(), "and over");
}

#[tokio::test]
async fn an_agent_ends_an_asking_inside_the_helpdesk() {
    let stage = asked(Then::Send).await;
    stage.clock.advance(SignedDuration::from_mins(1));
    let at = stage.clock.now();
    let author = Author { id: Some("8".into()), name: Some("Second Agent".into()), role: Role::Agent };
    let note = Message { id: "n".into(), at, author, ..noted_by_agent("/reject not worth it") };
    stage.desk.ticket().said.push(note);
    stage.desk.agent(at, What::Said { visibility: Visibility::Internal, message: "n".into() }, |_| {});
    stage.look().await;
    assert_eq!(latest(&stage).await.state, HandoffState::Withdrawn);
    assert_eq!(written(&stage), ["For First", ASKED, NOT_ASKED, "Nothing more"]);
}
