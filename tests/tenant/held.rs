//! Another program holds the ledger's write lock while the real daemon is in the middle of its work: an SQLite shell that
//! somebody has left open, a backup. The daemon says so, waits, and goes on by itself when the lock is free.

use crate::cast;
use crate::census::census;
use crate::daemon::{Door, until};
use crate::desk::serve::with;
use crate::storm::{PATIENCE, Storm};
use handoffd::clock::SystemClock;
use handoffd_kit::clock::Clock;
use rusqlite::Connection;
use std::time::Duration;

async fn readiness(door: &Door, wanted: u16) -> bool {
    until(PATIENCE, async || door.get("/readyz").await.is_some_and(|(status, _)| status == wanted)).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_somebody_holds_the_ledger_the_daemon_waits_and_then_goes_on_with_nothing_lost_or_doubled() {
    let mut storm = Storm::begin().await;
    let now = SystemClock.now();
    let round = with(&storm.tenant, |tenant| cast::round(tenant, &mut storm.random, 100, 40, now));
    storm.daemon.start().await;
    let stranger = Connection::open(storm.daemon.ledger()).expect("open");
    stranger.busy_timeout(Duration::from_secs(60)).expect("set");
    storm.change(&round);
    storm.until("the first handoffs", |tenant| tenant.journal.requests.iter().any(|asked| asked.writes)).await;
    stranger.execute_batch("BEGIN IMMEDIATE").expect("locked");

    let door = storm.daemon.door.clone();
    assert!(readiness(&door, 503).await, "still ready:\n{}", storm.daemon.log());
    let health = door.health().await;
    assert_eq!(health["status"], "failing");
    let reason = &health["reasons"][0];
    assert!(reason["since"].is_string(), "{reason}");
    assert!(reason["next_step"].as_str().is_some_and(|step| step.contains("fuser -v")), "{reason}");
    // Everything that waits for the ledger has tried it several times.
    let tried = async || door.figure("handoffd_ledger_failures_total", "reason=\"locked\"").await >= 4.0;
    assert!(until(PATIENCE, tried).await, "it does not try again");
    stranger.execute_batch("ROLLBACK").expect("free");

    assert!(readiness(&door, 200).await, "never ready again:\n{}", storm.daemon.log());
    storm.settle().await;
    assert!(storm.daemon.stop().success(), "drains and ends well");
    with(&storm.tenant, |tenant| {
        let wrong = census(tenant, &storm.parts, &[]);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    });
}
