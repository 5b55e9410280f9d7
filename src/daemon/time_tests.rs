//! Rules on time, tried on a whole house with a clock that the test moves: the instant is a row, the ticket is read again at
//! it, and what happened meanwhile counts.

use super::testing::{FakeDesk, Stage, asking};
use crate::ledger::states::HandoffState;
use crate::policy::due::Wait;
use crate::policy::rules::{Policy, ReviewDecision, Trigger};
use crate::policy::testing;
use crate::policy::timing::TimeKeys;
use handoffd_kit::clock::Clock;
use handoffd_kit::id::MessageId;
use handoffd_kit::model::{Visibility, What};
use jiff::{SignedDuration, Timestamp};

const SECOND: SignedDuration = SignedDuration::from_secs(1);

/// A policy with one rule for cases that nobody has touched for four hours of Berlin's office.
fn idle(review: ReviewDecision) -> Policy {
    let mut policy = asking();
    policy.teams.get_mut(&"frontline".into()).expect("frontline").hours = Some(testing::office_hours());
    let rule = &mut policy.escalations[0];
    rule.trigger = Trigger::Waiting;
    rule.rule.times = TimeKeys { idle_for: Some(SignedDuration::from_hours(4).into()), ..TimeKeys::default() };
    rule.review = review;
    policy
}

fn said() -> What {
    What::Said { visibility: Visibility::Internal, message: MessageId::from("m9") }
}

fn writes(desk: &FakeDesk) -> usize {
    desk.ticket().written.len()
}

/// When something is due next.
async fn due(stage: &Stage) -> Timestamp {
    let next = stage.house.ledger.call(|ledger| ledger.next_due(&Default::default())).await.expect("asked");
    next.expect("something is due")
}

/// Moves the clock to an instant and does what is due.
async fn at(stage: &Stage, instant: Timestamp) {
    stage.clock.set(instant);
    stage.run().await;
}

#[tokio::test]
async fn a_rule_fires_at_its_instant_and_not_a_second_before() {
    let stage = Stage::new(idle(ReviewDecision::Never));
    stage.look().await;
    let instant = due(&stage).await;
    let reads = stage.desk.ticket().heads;
    at(&stage, instant - SECOND).await;
    assert_eq!((writes(&stage.desk), stage.desk.ticket().heads), (0, reads), "nothing is due, nothing is read");
    at(&stage, instant).await;
    assert_eq!(writes(&stage.desk), 1);
    assert!(stage.desk.ticket().heads > reads, "the ticket is read again");
    let handoff = stage.handoffs().await.remove(0);
    assert_eq!(handoff.proposal.decided_at, instant);
}

#[tokio::test]
async fn an_agent_who_acts_moves_the_instant() {
    let stage = Stage::new(idle(ReviewDecision::Never));
    stage.look().await;
    let first = due(&stage).await;
    // Nobody told us: the poll missed it, and no webhook came.
    stage.desk.agent(first - SECOND, said(), |_| {});
    at(&stage, first).await;
    assert_eq!(writes(&stage.desk), 0, "read again at the instant, and not idle");
    let second = due(&stage).await;
    assert!(second > first);
    at(&stage, second - SECOND).await;
    assert_eq!(writes(&stage.desk), 0);
    at(&stage, second).await;
    assert_eq!(writes(&stage.desk), 1);
}

#[tokio::test]
async fn a_restart_goes_on_where_it_waited() {
    let stage = Stage::new(idle(ReviewDecision::Never));
    stage.look().await;
    let instant = due(&stage).await;
    let stage = stage.with_policy(idle(ReviewDecision::Never));
    at(&stage, instant).await;
    assert_eq!(writes(&stage.desk), 1);
}

#[tokio::test]
async fn a_review_of_an_idle_case_ends_when_an_agent_acts() {
    let stage = Stage::new(idle(ReviewDecision::Always));
    stage.look().await;
    let instant = due(&stage).await;
    at(&stage, instant).await;
    assert_eq!(stage.handoffs().await[0].state, HandoffState::InReview);
    stage.clock.advance(SECOND);
    let now = stage.clock.now();
    stage.desk.agent(now, said(), |_| {});
    stage.look().await;
    assert_eq!(stage.handoffs().await[0].state, HandoffState::Withdrawn);
    // The note that says so goes out.
    let noted = due(&stage).await;
    at(&stage, noted).await;
    // Four hours later it is idle again, and a person is asked again.
    let again = due(&stage).await;
    at(&stage, again).await;
    assert_eq!(stage.handoffs().await[0].state, HandoffState::InReview);
}

#[tokio::test]
async fn an_agent_in_the_middle_of_something_holds_a_rule_and_no_review() {
    let mut policy = asking();
    policy.quiet_after_person = Some(SignedDuration::from_mins(10));
    policy.escalations[0].review = ReviewDecision::Never;
    let stage = Stage::new(policy.clone());
    let now = stage.clock.now();
    stage.desk.agent(now, said(), |_| {});
    stage.look().await;
    assert_eq!(writes(&stage.desk), 0);
    at(&stage, now + SignedDuration::from_mins(10) - SECOND).await;
    assert_eq!(writes(&stage.desk), 0);
    at(&stage, now + SignedDuration::from_mins(10)).await;
    assert_eq!(writes(&stage.desk), 1);

    policy.escalations[0].review = ReviewDecision::Always;
    let stage = Stage::new(policy);
    stage.look().await;
    stage.desk.agent(stage.clock.now(), said(), |_| {});
    stage.look().await;
    assert_eq!(stage.handoffs().await[0].state, HandoffState::InReview, "a person decides; the review stays");
}

#[tokio::test]
async fn what_was_reached_long_ago_fires_at_the_first_look() {
    let mut policy = asking();
    policy.escalations[0].review = ReviewDecision::Never;
    let wall = Wait::wall(SignedDuration::from_hours(1));
    policy.escalations[0].rule.times = TimeKeys { open_for: Some(wall), ..TimeKeys::default() };
    let stage = Stage::new(policy);
    stage.look().await;
    assert_eq!(writes(&stage.desk), 1, "open since yesterday: reached long ago");
    assert_eq!(stage.handoffs().await[0].proposal.facts[1].0, "open_for");
}
