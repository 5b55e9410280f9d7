//! Reviews that nobody answers, on a desk in memory and a clock that the tests move: reminders, and what no answer means.

use super::control::{Command, Order, execute};
use super::testing::{Stage, asking};
use crate::ledger::records::{HandoffRecord, Switch};
use crate::ledger::states::HandoffState;
use crate::policy::due::Wait;
use crate::policy::review_terms::{ReviewTerms, Unanswered};
use crate::policy::rules::{Limits, Mode, Policy};
use handoffd_kit::clock::Clock;
use handoffd_kit::desk::{DeskChange, OwnerSpec};
use handoffd_kit::model::What;
use jiff::SignedDuration;

fn hours(hours: i64) -> SignedDuration {
    SignedDuration::from_hours(hours)
}

/// Four hours for an answer, a reminder each hour.
fn waiting(unanswered: Unanswered) -> Policy {
    let mut policy = asking();
    policy.reviews =
        Some(ReviewTerms { answer_within: Wait::wall(hours(4)), remind_every: Some(Wait::wall(hours(1))), unanswered });
    policy
}

/// A stage whose ticket waits for a review.
async fn in_review(unanswered: Unanswered) -> Stage {
    let stage = Stage::new(waiting(unanswered));
    stage.look().await;
    assert_eq!(handoff(&stage).await.state, HandoffState::InReview);
    stage
}

async fn handoff(stage: &Stage) -> HandoffRecord {
    let mut all = stage.handoffs().await;
    assert_eq!(all.len(), 1);
    all.remove(0)
}

/// Lets time pass in steps of five minutes, each with everything that is due.
async fn pass(stage: &Stage, time: SignedDuration) {
    let end = stage.clock.now() + time;
    while stage.clock.now() < end {
        stage.clock.advance(SignedDuration::from_mins(5));
        stage.run().await;
    }
}

/// The notes that were written, without their marks.
fn notes(stage: &Stage) -> Vec<String> {
    let ticket = stage.desk.ticket();
    let notes = ticket.written.iter().filter_map(|write| match &write.change {
        DeskChange::Update(update) => update.note.as_ref().map(|note| note.0.clone()),
        _ => None,
    });
    notes.collect()
}

async fn give(stage: &Stage, command: Command) -> Result<(), String> {
    let order = Order { command, by: "billing-lead".into() };
    execute(&stage.house, order, "tester, uid 7").await.map(drop).map_err(|error| error.to_string())
}

#[tokio::test]
async fn people_are_reminded_each_hour_and_no_answer_is_the_stated_no_with_a_note() {
    let stage = in_review(Unanswered::Reject).await;
    pass(&stage, SignedDuration::from_mins(45)).await;
    assert_eq!(notes(&stage), Vec::<String>::new());
    pass(&stage, SignedDuration::from_mins(30)).await;
    let first = notes(&stage);
    assert_eq!(first.len(), 1);
    assert!(first[0].contains("Still waiting for a yes or no") && first[0].contains("it is rejected"), "{}", first[0]);
    pass(&stage, hours(4)).await;
    let all = notes(&stage);
    assert_eq!(all.len(), 4, "three reminders and the end: {all:#?}");
    assert!(all[3].contains("nobody answered") && all[3].contains("takes for a no"), "{}", all[3]);
    let over = handoff(&stage).await;
    assert_eq!(over.state, HandoffState::Rejected);
    assert!(over.detail.as_ref().is_some_and(|why| why.contains("the policy, nobody having answered")), "{over:?}");
    // As after a person's no, the path is closed.
    stage.look().await;
    assert_eq!(handoff(&stage).await.state, HandoffState::Rejected);
    assert_eq!(notes(&stage).len(), 4);
}

#[tokio::test]
async fn a_stated_yes_sends_the_handoff_once_and_names_the_policy() {
    let stage = in_review(Unanswered::Approve).await;
    pass(&stage, hours(5)).await;
    let sent = handoff(&stage).await;
    assert!(matches!(sent.state, HandoffState::Verifying | HandoffState::Settled), "{:?}", sent.state);
    assert!(sent.approved_by.as_ref().is_some_and(|by| by.contains("the policy")), "{:?}", sent.approved_by);
    let last = notes(&stage).pop().expect("the handoff's note");
    assert!(last.contains("Approved by: the policy, nobody having answered by"), "{last}");
    assert_eq!(stage.desk.ticket().written.iter().filter(|write| write.mark.number == 1).count(), 1);
}

#[tokio::test]
async fn a_ticket_that_somebody_took_meanwhile_is_not_handed_off_by_silence() {
    let stage = in_review(Unanswered::Approve).await;
    stage.clock.advance(SignedDuration::from_mins(5));
    stage.desk.agent(stage.clock.now(), What::Owner { from: Some("7".into()), to: Some("8".into()) }, |_| {});
    pass(&stage, hours(5)).await;
    let first = stage.handoffs().await.pop().expect("the first");
    assert_eq!(first.state, HandoffState::Withdrawn, "{first:?}");
    let moved = |write: &handoffd_kit::desk::Write| matches!(&write.change, DeskChange::Update(update) if update.queue.is_some() || matches!(update.owner, Some(OwnerSpec::User(_))));
    assert!(!stage.desk.ticket().written.iter().any(moved));
}

#[tokio::test]
async fn an_answer_in_time_ends_the_reminders_and_the_wait() {
    for yes in [true, false] {
        let stage = in_review(Unanswered::Reject).await;
        let id = handoff(&stage).await.id;
        let command = match yes {
            true => Command::Approve { handoff: id, reason: None, to: None },
            false => Command::Reject { handoff: id, reason: "no".into() },
        };
        give(&stage, command).await.expect("answered");
        pass(&stage, hours(5)).await;
        assert_eq!(notes(&stage).len(), usize::from(yes), "{yes}");
        assert_ne!(handoff(&stage).await.state, HandoffState::InReview);
    }
}

#[tokio::test]
async fn one_that_waits_on_is_late_in_health_and_can_still_be_answered() {
    let stage = in_review(Unanswered::Wait).await;
    pass(&stage, hours(24)).await;
    let waits = handoff(&stage).await;
    assert_eq!(waits.state, HandoffState::InReview);
    assert_eq!(notes(&stage).len(), 8, "and no more");
    assert!(notes(&stage)[7].contains("should have been answered by"));
    let now = stage.clock.now();
    let counts = stage.house.ledger.call(move |ledger| ledger.counts(now)).await.expect("counts");
    assert_eq!(counts.reviews_late.values().map(|(count, _)| *count).collect::<Vec<_>>(), [1]);
    give(&stage, Command::Approve { handoff: waits.id, reason: None, to: None }).await.expect("late, and not too late");
    pass(&stage, hours(1)).await;
    assert!(!matches!(handoff(&stage).await.state, HandoffState::InReview | HandoffState::Withdrawn));
}

#[tokio::test]
async fn a_pause_holds_the_end_back_and_a_restart_under_other_terms_does_not_move_it() {
    let stage = in_review(Unanswered::Reject).await;
    let pause = |on| Command::Switch { switch: Switch::Rule("refund".into()), on };
    give(&stage, pause(true)).await.expect("paused");
    pass(&stage, hours(6)).await;
    assert_eq!(handoff(&stage).await.state, HandoffState::InReview, "held");
    give(&stage, pause(false)).await.expect("resumed");
    pass(&stage, hours(1)).await;
    assert_eq!(handoff(&stage).await.state, HandoffState::Rejected);

    let stage = in_review(Unanswered::Reject).await;
    let mut other = waiting(Unanswered::Approve);
    other.reviews.as_mut().expect("terms").answer_within = Wait::wall(hours(40));
    let stage = stage.with_policy(other);
    pass(&stage, hours(5)).await;
    assert_eq!(handoff(&stage).await.state, HandoffState::Rejected, "what held when the person was asked");
}

#[tokio::test]
async fn a_yes_that_nobody_has_said_waits_for_a_place_in_the_hour() {
    let stage = in_review(Unanswered::Approve).await;
    pass(&stage, hours(4) - SignedDuration::from_mins(5)).await;
    let limits = Limits { per_rule_per_hour: 1, ..Limits::default() };
    let stage = stage.with_policy(Policy { limits, ..waiting(Unanswered::Approve) });
    let now = stage.clock.now();
    stage.house.ledger.call(move |ledger| ledger.taken_place("refund", now)).await.expect("taken");
    let first = |stage: &Stage| {
        let ledger = stage.house.ledger.clone();
        async move { ledger.call(|ledger| ledger.reviews()).await.expect("listed").len() }
    };
    stage.clock.advance(SignedDuration::from_mins(10));
    stage.look().await;
    assert_eq!(first(&stage).await, 1, "it is kept, and not carried out");
    let counts = stage.house.ledger.call(|ledger| ledger.counts(jiff::Timestamp::MAX)).await.expect("counts");
    assert_eq!(counts.place_waits.values().sum::<u32>(), 1, "and health says that it waits");
    pass(&stage, SignedDuration::from_mins(45)).await;
    assert_eq!(first(&stage).await, 1);
    pass(&stage, SignedDuration::from_mins(10)).await;
    assert_eq!(first(&stage).await, 0);
    assert_eq!(stage.desk.ticket().written.iter().filter(|write| write.mark.number == 1).count(), 1);
}

#[tokio::test]
async fn in_shadow_nothing_is_reminded_or_ended() {
    let stage = in_review(Unanswered::Approve).await;
    let mut shadow = waiting(Unanswered::Approve);
    shadow.mode = Mode::Shadow;
    let stage = stage.with_policy(shadow);
    pass(&stage, hours(6)).await;
    assert!(stage.desk.ticket().written.is_empty());
}
