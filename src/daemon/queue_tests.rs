//! Routes to a queue that is gone, tried on a whole house: known before the write, or learnt from its refusal.

use super::testing::Stage;
use crate::ledger::states::HandoffState;
use crate::policy::rules::Policy;
use crate::policy::testing;
use jiff::SignedDuration;

/// A new case, and a route to billing with this fallback.
fn new_case(fallback: Option<&str>) -> Stage {
    let route = testing::route("invoices", "", "billing");
    let route = crate::policy::rules::Route { fallback: fallback.map(Into::into), ..route };
    let stage = Stage::new(Policy { routes: vec![route], ..testing::policy() });
    stage.desk.ticket().head.queue = testing::queue("Incoming");
    stage
}

async fn target(stage: &Stage) -> (String, HandoffState) {
    let latest = stage.handoffs().await.remove(0);
    (latest.proposal.to.to_string(), latest.state)
}

#[tokio::test]
async fn a_queue_that_is_known_to_be_gone_is_not_written_to() {
    let stage = new_case(Some("frontline"));
    stage.desk.ticket().gone = Some("Billing");
    stage.run().await;
    stage.look().await;
    assert_eq!(target(&stage).await, ("frontline".to_owned(), HandoffState::Verifying));
    assert_eq!(stage.desk.ticket().tried, 1, "one write, and none that was refused");
}

#[tokio::test]
async fn a_queue_that_was_there_an_hour_ago_is_learnt_of_at_the_write() {
    let stage = new_case(Some("frontline"));
    stage.run().await;
    stage.desk.ticket().gone = Some("Billing");
    stage.look().await;
    assert_eq!(target(&stage).await, ("frontline".to_owned(), HandoffState::Verifying));
    let handoffs = stage.handoffs().await;
    assert_eq!((handoffs.len(), handoffs[1].state), (2, HandoffState::Withdrawn), "nothing is left over");
    // It comes back: new cases go there again.
    stage.desk.ticket().gone = None;
    stage.clock.advance(SignedDuration::from_hours(2));
    stage.run().await;
    assert_eq!(stage.house.ledger.call(|ledger| ledger.queues_gone(&"acme".into())).await, Ok(Vec::new()));
}

#[tokio::test]
async fn without_a_fallback_the_write_is_parked_with_the_desks_words() {
    let stage = new_case(None);
    stage.desk.ticket().gone = Some("Billing");
    stage.run().await;
    stage.look().await;
    let handoff = stage.handoffs().await.remove(0);
    assert_eq!((handoff.proposal.to.as_str(), handoff.effects[0].state.name()), ("billing", "parked"));
    assert!(handoff.effects[0].reason.as_deref().is_some_and(|reason| reason.contains("no such group")));
}
