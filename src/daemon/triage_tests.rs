//! Weak triage, tried on a whole house: a routed case that another team has soon is marked, whoever moved it.

use super::testing::Stage;
use crate::ledger::HandoffFilter;
use crate::policy::rules::Policy;
use crate::policy::testing;
use handoffd_kit::model::What;
use jiff::{SignedDuration, Timestamp};

/// A case that a route has brought to billing, and that an agent moves to this queue so many minutes later.
async fn moved_on(minutes: i64, queue: &str) -> (Stage, Timestamp) {
    let route = testing::route("invoices", "", "billing");
    let stage = Stage::new(Policy { routes: vec![route], ..testing::policy() });
    stage.desk.ticket().head.queue = testing::queue("Incoming");
    stage.look().await;
    stage.look().await;
    let at = testing::now() + SignedDuration::from_mins(minutes);
    stage.clock.advance(SignedDuration::from_mins(minutes));
    let named = |name: &str| testing::queue(name).known().cloned().flatten();
    let moved = What::Queue { from: named("Billing"), to: named(queue) };
    stage.desk.agent(at, moved, |head| head.queue = testing::queue(queue));
    stage.look().await;
    (stage, at)
}

#[tokio::test]
async fn a_routed_case_that_another_team_has_within_the_hour_was_routed_badly() {
    let (stage, at) = moved_on(60, "Support").await;
    let route = stage.handoffs().await.pop().expect("the route's handoff");
    assert_eq!(route.weak_triage, Some((at, "frontline".into())));
    let (listed, counts) = stage
        .house
        .ledger
        .call(|ledger| {
            let weak = HandoffFilter { weak_triage: true, ..HandoffFilter::default() };
            Ok((ledger.handoffs(&weak)?, ledger.counts(testing::now())?))
        })
        .await
        .expect("listed");
    assert_eq!(listed.iter().map(|one| &one.id).collect::<Vec<_>>(), [&route.id]);
    assert_eq!(counts.weak_triage.get(&"invoices".into()), Some(&1));
}

#[tokio::test]
async fn a_routed_case_that_stayed_for_longer_or_left_our_teams_was_not() {
    for (minutes, queue) in [(61, "Support"), (30, "Elsewhere")] {
        let (stage, _) = moved_on(minutes, queue).await;
        let route = stage.handoffs().await.pop().expect("the route's handoff");
        assert_eq!(route.weak_triage, None, "{minutes} minutes, to {queue}");
        let counts = stage.house.ledger.call(|ledger| ledger.counts(testing::now())).await.expect("counted");
        assert!(counts.weak_triage.is_empty(), "{queue}");
    }
}
