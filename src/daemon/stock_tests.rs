//! A new policy over cases that are known already, tried on a whole house: idle tickets are looked at once, a few at a time;
//! what a new rule already matches is listed and not acted on; what comes to match later acts.

use super::testing::{Stage, asking, sending};
use crate::ledger::records::WouldRecord;
use crate::ledger::states::HandoffState;
use crate::policy::due::Wait;
use crate::policy::rules::{Mode, Policy, Trigger};
use crate::policy::testing;
use crate::policy::timing::TimeKeys;
use handoffd_kit::clock::Clock;
use handoffd_kit::fact::Fact;
use jiff::SignedDuration;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

/// A policy without rules, under which the ticket was looked at, followed by a restart with this one.
async fn then(policy: Policy) -> Stage {
    let stage = Stage::new(Policy { version: "p0".into(), ..testing::policy() });
    stage.house.recover().await.expect("recovered");
    stage.look().await;
    assert!(stage.handoffs().await.is_empty());
    restart(stage, policy).await
}

async fn restart(stage: Stage, policy: Policy) -> Stage {
    stage.clock.advance(MINUTE);
    let stage = stage.with_policy(policy);
    stage.house.recover().await.expect("recovered");
    stage.run().await;
    stage
}

/// One rule that sends a case on that has been open for two days; the ticket is 27 hours old.
fn open_for_two_days() -> Policy {
    let mut policy = sending();
    let rule = &mut policy.escalations[0];
    rule.trigger = Trigger::Waiting;
    rule.rule.when.clear();
    let days = Wait::wall(SignedDuration::from_hours(48));
    rule.rule.times = TimeKeys { open_for: Some(days), ..TimeKeys::default() };
    policy
}

fn writes(stage: &Stage) -> usize {
    stage.desk.ticket().written.len()
}

async fn would(stage: &Stage) -> Vec<WouldRecord> {
    stage.house.ledger.call(|ledger| ledger.would(None, None, 9)).await.expect("listed")
}

#[tokio::test]
async fn a_rule_on_time_sees_an_idle_ticket_that_was_known_before_it() {
    let stage = then(open_for_two_days()).await;
    assert_eq!(writes(&stage), 0, "not yet");
    stage
        .clock
        .set(testing::case().head.created_at.known().expect("opened").to_owned() + SignedDuration::from_hours(48));
    stage.run().await;
    assert_eq!(writes(&stage), 1, "it came to match by time alone");
}

#[tokio::test]
async fn what_a_new_rule_already_matches_is_listed_and_released_on_purpose() {
    let stage = then(sending()).await;
    assert_eq!((writes(&stage), would(&stage).await.len()), (0, 1));
    stage.look().await;
    assert_eq!(writes(&stage), 0, "looked at again, it is still held");
    let act = crate::ledger::Act { by: "lead".into(), reason: None, at: stage.clock.now() };
    stage.house.ledger.call(move |ledger| ledger.release(&"refund".into(), 1.0, 1, &act)).await.expect("released");
    stage.run().await;
    assert_eq!(writes(&stage), 1);
}

#[tokio::test]
async fn a_restart_with_the_same_policy_reads_nothing_again() {
    let stage = then(sending()).await;
    let heads = stage.desk.ticket().heads;
    let stage = restart(stage, sending()).await;
    assert_eq!((writes(&stage), stage.desk.ticket().heads), (0, heads));
}

#[tokio::test]
async fn a_ticket_that_changed_while_nobody_looked_is_decided_as_ever() {
    let stage = Stage::new(Policy { version: "p0".into(), ..testing::policy() });
    stage.house.recover().await.expect("recovered");
    stage.look().await;
    let now = stage.clock.now();
    stage.desk.ticket().customer_says(now, testing::tagged());
    let stage = restart(stage, sending()).await;
    assert_eq!(writes(&stage), 1);
}

#[tokio::test]
async fn going_live_lists_what_matched_in_shadow_and_what_was_never_looked_at_since() {
    let shadow = Policy { mode: Mode::Shadow, version: "p0".into(), ..open_for_two_days() };
    let stage = Stage::new(shadow);
    stage.house.recover().await.expect("recovered");
    stage.look().await;
    assert!(would(&stage).await.is_empty(), "not yet");
    // Nobody runs while its time comes.
    stage.clock.advance(SignedDuration::from_hours(72));
    let stage = restart(stage, open_for_two_days()).await;
    assert_eq!((writes(&stage), would(&stage).await.len()), (0, 1), "it matched before the rule went live");
}

#[tokio::test]
async fn a_review_that_is_open_stays_open_under_the_policy_that_follows() {
    let stage = Stage::new(asking());
    stage.house.recover().await.expect("recovered");
    stage.look().await;
    assert_eq!(stage.handoffs().await[0].state, HandoffState::InReview);
    let mut changed = Policy { version: "p2".into(), ..asking() };
    changed.escalations[0].rule.version = "refund-v2".into();
    let stage = restart(stage, changed).await;
    assert_eq!(stage.handoffs().await[0].state, HandoffState::InReview);
}

#[tokio::test]
async fn a_rule_that_is_held_acts_when_it_has_stopped_matching_and_matches_again() {
    let stage = then(sending()).await;
    assert_eq!(would(&stage).await.len(), 1);
    for (tags, written) in [(Vec::new(), 0), (vec!["refund".to_owned()], 1)] {
        let now = stage.clock.now();
        stage.desk.ticket().head.tags = Fact::Known(tags);
        stage.desk.ticket().customer_says(now, testing::tagged());
        stage.look().await;
        assert_eq!((writes(&stage), would(&stage).await.len()), (written, 0));
    }
}

#[tokio::test]
async fn a_held_rule_on_time_wakes_when_its_time_comes_again() {
    let mut idle = open_for_two_days();
    let hours = Wait::wall(SignedDuration::from_hours(2));
    idle.escalations[0].rule.times = TimeKeys { idle_for: Some(hours), ..TimeKeys::default() };
    let stage = then(idle).await;
    assert_eq!((writes(&stage), would(&stage).await.len()), (0, 0), "not idle for two hours yet");
    let mut longer = Policy { version: "p3".into(), ..open_for_two_days() };
    longer.escalations[0].rule.times =
        TimeKeys { idle_for: Some(Wait::wall(SignedDuration::from_secs(30))), ..TimeKeys::default() };
    longer.escalations[0].rule.version = "refund-v3".into();
    let stage = restart(stage, longer).await;
    assert_eq!((writes(&stage), would(&stage).await.len()), (0, 1), "idle for longer than that already: held");
    let now = stage.clock.now();
    stage.desk.agent(now, testing::tagged(), |_| {});
    stage.look().await;
    assert_eq!((writes(&stage), would(&stage).await.len()), (0, 0));
    stage.clock.set(now + SignedDuration::from_secs(30));
    stage.run().await;
    assert_eq!(writes(&stage), 1);
}
