//! A desk that is taken out of the configuration while something waits for it, tried on a whole house.

use super::control::{Command, CommandError, Order, Reply, Target, execute};
use super::house::House;
use super::pipeline::Until;
use super::testing::{Stage, sending};
use crate::ledger::records::NewLook;
use crate::ledger::states::{EffectState, HandoffState};
use crate::policy::testing;
use crate::web::pages;
use axum::body::{Body, to_bytes};
use axum::http::Request;
use handoffd_kit::clock::Clock;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use jiff::SignedDuration;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The same ledger under a configuration without the desk.
fn without_the_desk(stage: &Stage) -> House {
    let mut policy = testing::policy();
    policy.desks.clear();
    let pace = super::house::Pace {
        verify_after: SignedDuration::from_secs(60),
        polls: BTreeMap::new(),
        keep_raw: SignedDuration::from_hours(1),
    };
    House::new(stage.house.ledger.clone(), BTreeMap::new(), Arc::new(policy), stage.house.seams.clone(), pace)
}

/// A handoff that is decided and due, and a new look at the same ticket.
async fn waiting() -> Stage {
    let stage = Stage::new(sending());
    stage.desk.ticket().waits_in_gate = true;
    let stop = CancellationToken::new();
    let looks = vec![NewLook { ticket: "42".into(), due: stage.clock.now(), head: None }];
    let noted = looks.clone();
    stage.house.ledger.call(move |ledger| ledger.note_looks(&"acme".into(), &noted)).await.expect("noted");
    {
        let mut run = Box::pin(stage.house.run(Until::Stopped, &stop));
        for _ in 0..100 {
            assert!(futures::poll!(&mut run).is_pending());
        }
    }
    assert!(matches!(effect(&stage).await, EffectState::InFlight { .. }));
    stage.house.recover().await.expect("the next start");
    stage.house.ledger.call(move |ledger| ledger.note_looks(&"acme".into(), &looks)).await.expect("noted");
    stage.desk.ticket().waits_in_gate = false;
    stage
}

async fn effect(stage: &Stage) -> EffectState {
    stage.handoffs().await[0].effects[0].state.clone()
}

async fn pass(stage: &Stage, house: &House, minutes: usize) {
    for _ in 0..minutes {
        stage.clock.advance(SignedDuration::from_mins(1));
        house.run(Until::NothingDueBy(stage.clock.now()), &CancellationToken::new()).await.expect("ran");
    }
}

async fn health(house: &House) -> Value {
    let request = Request::get("/healthz").body(Body::empty()).expect("request");
    let response = TowerToHyperService::new(pages(house.web(1_000))).call(request).await.expect("infallible");
    let body = to_bytes(response.into_body(), 1 << 20).await.expect("a body");
    serde_json::from_slice(&body).expect("JSON")
}

async fn give(house: &House, command: Command) -> Result<Reply, CommandError> {
    execute(house, Order { command, by: "lead".to_owned() }, "tester, uid 7").await
}

fn acme() -> Target {
    Target::Desk { desk: "acme".into() }
}

#[tokio::test]
async fn what_waits_for_a_desk_is_said_and_goes_on_by_itself_when_it_is_configured_again() {
    let stage = waiting().await;
    let without = without_the_desk(&stage);
    pass(&stage, &without, 90).await;
    let health = health(&without).await;
    let [reason] = health["reasons"].as_array().expect("reasons").as_slice() else { panic!("one: {health}") };
    assert_eq!((&reason["desk"], &reason["level"]), (&"acme".into(), &"degraded".into()));
    let words = reason["what"].as_str().expect("words");
    assert!(words.contains("1 looks, 1 handoffs, 1 effects"), "{words}");
    assert!(reason["next_step"].as_str().is_some_and(|next| next.contains("parked drop --desk acme")), "{reason}");
    let refused = give(&without, Command::Retry { target: acme() }).await;
    assert!(matches!(&refused, Err(CommandError::Refused(words)) if words.contains("configure it again")));

    pass(&stage, &stage.house, 10).await;
    assert_eq!((effect(&stage).await, stage.desk.ticket().written.len()), (EffectState::Done, 1));
    assert_eq!(self::health(&stage.house).await["status"], "ok");
}

#[tokio::test]
async fn what_waits_for_a_desk_is_given_up_on_purpose_and_only_where_the_desk_is_gone() {
    let stage = waiting().await;
    let drop = || Command::Drop { target: acme(), reason: "the desk was closed".into() };
    let refused = give(&stage.house, drop()).await;
    assert!(matches!(&refused, Err(CommandError::Refused(words)) if words.contains("goes on by itself")));
    let without = without_the_desk(&stage);
    assert_eq!(give(&without, drop()).await.expect("given up").touched, 3);
    let handoff = stage.handoffs().await.remove(0);
    assert_eq!((handoff.state, handoff.effects[0].state.clone()), (HandoffState::Withdrawn, EffectState::Dropped));
    let detail = handoff.detail.expect("why");
    assert!(detail.contains("lead (tester, uid 7)") && detail.contains("the desk was closed"), "{detail}");
    assert_eq!(health(&without).await["status"], "ok");
    assert!(matches!(give(&without, drop()).await, Err(CommandError::Refused(_))), "nothing is left");
    let endless = Command::Drop { target: Target::Desk { desk: "d".repeat(300).into() }, reason: "why".into() };
    assert!(matches!(give(&without, endless).await, Err(CommandError::Wrong(_))));
}
