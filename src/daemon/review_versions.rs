//! Reviews under a policy that has changed since they began, and in an hour that has no place left, on a desk in memory.

use super::control::{Command, CommandError, Order, Reply, execute};
use super::testing::{Stage, asking};
use crate::ledger::records::HandoffRecord;
use crate::ledger::states::HandoffState;
use crate::policy::rules::{Limits, Policy, ReviewDecision};
use crate::policy::testing::now;
use handoffd_kit::clock::Clock;
use handoffd_kit::desk::DeskChange;
use handoffd_kit::model::{Visibility, What};
use jiff::SignedDuration;

const MINUTE: SignedDuration = SignedDuration::from_mins(1);

async fn approve(stage: &Stage, id: &str) -> Result<Reply, CommandError> {
    let command = Command::Approve { handoff: id.to_owned(), reason: None, to: None };
    execute(&stage.house, Order { command, by: "billing-lead".into() }, "tester, uid 7").await
}

/// The same policy with another version of its rule, which says this.
fn changed(change: fn(&mut Policy)) -> Policy {
    let mut policy = Policy { version: "p2".into(), ..asking() };
    policy.escalations[0].rule.version = "refund-v2".into();
    change(&mut policy);
    policy
}

/// A ticket that waits for a review, and then this policy.
async fn then(policy: Policy) -> (Stage, HandoffRecord) {
    let stage = Stage::new(asking());
    stage.house.recover().await.expect("recovered");
    stage.look().await;
    let handoff = stage.handoffs().await.remove(0);
    assert_eq!(handoff.state, HandoffState::InReview);
    stage.clock.advance(MINUTE);
    let stage = stage.with_policy(policy);
    stage.house.recover().await.expect("recovered");
    (stage, handoff)
}

async fn would(stage: &Stage) -> usize {
    stage.house.ledger.call(|ledger| ledger.would(None, None, 9)).await.expect("listed").len()
}

fn first_note(stage: &Stage) -> (String, String) {
    let ticket = stage.desk.ticket();
    let DeskChange::Update(update) = &ticket.written[0].change else { panic!("a note") };
    (ticket.written[0].mark.version.clone(), update.note.as_ref().expect("a note").0.clone())
}

fn customer_says(stage: &Stage) {
    let said = What::Said { visibility: Visibility::Public, message: "m9".into() };
    stage.desk.ticket().customer_says(stage.clock.now(), said);
}

#[tokio::test]
async fn a_review_keeps_the_version_it_began_with_and_a_yes_carries_out_what_was_shown() {
    let other = changed(|policy| {
        policy.escalations[0].reason = "another reason".into();
        policy.escalations[0].clock.internal = None;
    });
    for looked_at in [false, true] {
        let (stage, asked) = then(other.clone()).await;
        if looked_at {
            stage.run().await;
            customer_says(&stage);
            stage.look().await;
        }
        approve(&stage, &asked.id).await.expect("approved");
        stage.run().await;
        let handoffs = stage.handoffs().await;
        assert_eq!(handoffs.len(), 1, "nobody is asked twice: {handoffs:?}");
        assert_eq!(handoffs[0].state, HandoffState::Verifying, "{looked_at}");
        assert_eq!(handoffs[0].proposal.rule_version, "refund-v1");
        let (version, note) = first_note(&stage);
        assert_eq!(version, "refund-v1", "the note names the version that was shown");
        assert!(note.contains(&asked.proposal.reason) && !note.contains("another reason"), "{note}");
        assert_eq!(would(&stage).await, 0);
    }
}

#[tokio::test]
async fn a_review_that_ends_as_stale_under_another_version_is_asked_anew_and_does_not_wait_for_a_release() {
    let (stage, asked) = then(changed(|_| {})).await;
    stage.desk.agent(stage.clock.now(), What::Owner { from: Some("7".into()), to: Some("8".into()) }, |_| {});
    let answer = approve(&stage, &asked.id).await;
    assert!(matches!(&answer, Err(CommandError::Refused(why)) if why.contains("decided anew")), "{answer:?}");
    stage.run().await;
    let states: Vec<HandoffState> = stage.handoffs().await.iter().map(|one| one.state).collect();
    assert!(states.contains(&HandoffState::Withdrawn) && states.contains(&HandoffState::InReview), "{states:?}");
    assert_eq!(would(&stage).await, 0, "it had begun before the new version came");
}

#[tokio::test]
async fn a_rule_that_is_gone_or_would_do_something_else_takes_no_yes() {
    let gone = changed(|policy| policy.escalations[0].rule.name = "other".into());
    let elsewhere = changed(|policy| policy.escalations[0].to = "engineering".into());
    for (policy, said) in [(gone, "not in the policy any more"), (elsewhere, "would hand it to engineering now")] {
        let (stage, asked) = then(policy).await;
        let answer = approve(&stage, &asked.id).await;
        assert!(matches!(&answer, Err(CommandError::Refused(why)) if why.contains(said)), "{said}: {answer:?}");
        assert!(!stage.desk.ticket().written.iter().any(|write| write.mark.number == 1));
    }
}

/// The hour's only place of the rule is taken.
async fn full(policy: Policy) -> (Stage, HandoffRecord) {
    let limits = Limits { per_rule_per_hour: 1, ..Limits::default() };
    let (stage, asked) = then(Policy { limits, ..policy }).await;
    stage.house.ledger.call(|ledger| ledger.taken_place("refund", now() + MINUTE)).await.expect("taken");
    (stage, asked)
}

async fn of(stage: &Stage, id: &str) -> HandoffRecord {
    let id = id.to_owned();
    stage.house.ledger.call(move |ledger| ledger.handoff(&id)).await.expect("known")
}

#[tokio::test]
async fn a_review_outlives_an_hour_without_a_place_and_a_persons_yes_needs_none() {
    let (stage, asked) = full(asking()).await;
    customer_says(&stage);
    stage.look().await;
    assert_eq!(of(&stage, &asked.id).await.state, HandoffState::InReview, "it waits on");
    assert!(stage.desk.ticket().written.is_empty(), "and nothing is said");
    // Somebody changes the ticket between the yes and the sending: it is decided anew, and the yes stands.
    stage.desk.ticket().conflicts = 1;
    approve(&stage, &asked.id).await.expect("approved");
    stage.run().await;
    assert_eq!(of(&stage, &asked.id).await.state, HandoffState::Verifying);
    let recent =
        stage.house.ledger.call(|ledger| ledger.recent(&"acme".into(), now() + MINUTE)).await.expect("counted");
    assert_eq!(recent.by_rule.get(&"refund".into()), Some(&2), "it counts");
}

#[tokio::test]
async fn a_review_that_has_become_another_question_waits_for_a_place_as_a_new_one_does() {
    let (stage, asked) = full(asking()).await;
    let mut never = asking();
    never.escalations[0].review = ReviewDecision::Never;
    never.escalations[0].rule.when.push(crate::policy::testing::condition("case.customer_replies > 0"));
    let stage = stage.with_policy(Policy { limits: stage_limits(), ..never });
    customer_says(&stage);
    stage.look().await;
    assert_ne!(of(&stage, &asked.id).await.state, HandoffState::Sending, "no place, and nobody has said yes");
}

fn stage_limits() -> Limits {
    Limits { per_rule_per_hour: 1, ..Limits::default() }
}
