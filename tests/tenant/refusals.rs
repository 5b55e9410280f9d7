//! The real daemon while the vendor refuses a value, and while it is away: what an operator sees of it from outside, and
//! that one command, or nothing at all, puts it right.

use crate::cast;
use crate::census::census;
use crate::daemon::until;
use crate::desk::faults::{Does, Fault};
use crate::desk::serve::with;
use crate::storm::{PATIENCE, Storm, refunds};
use handoffd::clock::SystemClock;
use handoffd_kit::clock::Clock;
use serde_json::Value;

const ROUND: usize = 20;
const REFUNDS: usize = 4;

/// Waits until health gives this reason; gives the reason.
async fn reason(storm: &Storm, words: &str) -> Value {
    let mut found = Value::Null;
    let said = until(PATIENCE, async || {
        let health = storm.daemon.door.health().await;
        let reasons = health["reasons"].as_array().expect("reasons").clone();
        let said = |reason: &Value| reason["what"].as_str().is_some_and(|what| what.contains(words));
        found = reasons.into_iter().find(said).unwrap_or_default();
        found != Value::Null
    });
    assert!(said.await, "health never says {words:?}: {:#}", storm.daemon.door.health().await);
    found
}

fn round(storm: &mut Storm) -> Vec<cast::Part> {
    let now = SystemClock.now();
    with(&storm.tenant, |tenant| cast::round(tenant, &mut storm.random, ROUND, REFUNDS, now))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_sees_what_is_wrong_and_puts_it_right_with_one_command() {
    let mut storm = Storm::begin().await;
    let (first, second) = (round(&mut storm), round(&mut storm));
    storm.daemon.start().await;

    let refused = refunds(&first).next().expect("a refund");
    let words = "Root cause: is required when solving a ticket";
    let on = move |question: &crate::desk::Question| question.way.writes() && question.way.ticket() == Some(refused);
    storm.fault(Fault::always(Does::invalid("base", words), on));
    storm.change(&first);
    let others: Vec<i64> = refunds(&first).filter(|id| *id != refused).collect();
    let handed = move |tenant: &crate::desk::Tenant| others.iter().all(|id| tenant.journal.written(*id).count() == 1);
    storm.until("the other handoffs", handed).await;
    let waits = reason(&storm, "writes that wait for a person: 1").await;
    assert_eq!((&waits["level"], &waits["rule"]), (&"degraded".into(), &"refund-over-limit".into()));
    assert_eq!(waits["next_step"], "handoffd parked list");
    let parked = storm.daemon.list(&["parked", "list"]);
    assert_eq!((parked.as_array().map(Vec::len), &parked[0]["ticket"]), (Some(1), &refused.to_string().into()));
    assert!(parked[0]["reason"].as_str().is_some_and(|reason| reason.contains(words)), "{parked:#}");
    assert!(parked[0]["next_step"].as_str().is_some_and(|step| step.contains("Fill the fields")), "{parked:#}");

    with(&storm.tenant, |tenant| tenant.faults.clear());
    storm.daemon.order(&["parked", "retry", "--all", "--as", "lead"]);
    storm.settle().await;
    assert_eq!(storm.daemon.list(&["parked", "list"]).as_array().map(Vec::len), Some(0));

    storm.fault(Fault::always(Does::Cut, |_| true));
    storm.change(&second);
    let before = with(&storm.tenant, |tenant| tenant.journal.requests.len());
    storm.until("the events of the second round", |tenant| tenant.events.is_empty()).await;
    let silent = reason(&storm, "the desk does not answer").await;
    assert_eq!((&silent["level"], &silent["desk"]), (&"degraded".into(), &"acme".into()));
    assert!(silent["since"].is_string() && silent["next_step"].as_str().is_some_and(|step| !step.is_empty()));
    let asked = with(&storm.tenant, |tenant| tenant.journal.requests.len()) - before;
    assert!(asked <= 48, "{asked} calls: no more than were in work at once");

    with(&storm.tenant, |tenant| tenant.faults.clear());
    storm.settle().await;
    assert!(storm.daemon.stop().success());
    let wrong = with(&storm.tenant, |tenant| census(tenant, &storm.parts, &[]));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
