//! A ledger that cannot be written for a while, tried on a whole house: a full disk, and another program that holds the file.
//! The house waits, says so, and goes on by itself: nothing is lost, and nothing is done twice.

use super::pipeline::Until;
use super::testing::{Stage, TOKEN, sending};
use crate::ledger::records::NewLook;
use crate::ledger::samples::Stranger;
use crate::ledger::states::EffectState;
use crate::ledger::{Failing, HandoffFilter, Ledger, LedgerError};
use crate::web::{hooks, pages};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use handoffd_kit::clock::Clock;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::pin::Pin;
use std::task::Poll;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

struct Home {
    stage: Stage,
    folder: TempDir,
    web: Router,
}

type Run<'a> = Pin<Box<dyn Future<Output = Result<(), LedgerError>> + 'a>>;

impl Home {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let stage = Stage::on_file(sending(), folder.path());
        let web = stage.house.web(1_000_000);
        Self { stage, folder, web: hooks(web.clone()).merge(pages(web)) }
    }

    fn stranger(&self) -> Stranger {
        Stranger::on(&self.folder.path().join("handoffd.db"))
    }

    async fn ask(&self, request: Request<Body>) -> (StatusCode, String) {
        let response = TowerToHyperService::new(self.web.clone()).call(request).await.expect("infallible");
        let status = response.status();
        let body = to_bytes(response.into_body(), 1 << 20).await.expect("a body");
        (status, String::from_utf8(body.to_vec()).expect("text"))
    }

    async fn get(&self, path: &str) -> (StatusCode, String) {
        self.ask(Request::get(path).body(Body::empty()).expect("request")).await
    }

    /// A webhook whose body takes several pages of the ledger.
    async fn post(&self, id: &str) -> StatusCode {
        // Nothing that could be packed.
        let mut random = fastrand::Rng::with_seed(7);
        let filler: String = (0..100_000).map(|_| random.alphanumeric()).collect();
        let body = serde_json::json!({ "id": id, "ticket": "42", "filler": filler }).to_string();
        self.ask(Request::post(format!("/hooks/acme/{TOKEN}")).body(Body::from(body)).expect("request")).await.0
    }

    /// The only reason that health names.
    async fn reason(&self) -> Value {
        let health: Value = serde_json::from_str(&self.get("/healthz").await.1).expect("JSON");
        assert_eq!(health["status"], "failing");
        health["reasons"][0].clone()
    }

    async fn wants_a_look(&self) {
        let looks = vec![NewLook { ticket: "42".into(), due: self.stage.clock.now(), head: None }];
        self.stage.house.ledger.call(move |ledger| ledger.note_looks(&"acme".into(), &looks)).await.expect("noted");
    }

    /// The handoff's effect, read beside the house.
    fn effect(&self) -> EffectState {
        let ledger = Ledger::open_read_only(&self.folder.path().join("handoffd.db")).expect("readable");
        ledger.handoffs(&HandoffFilter::default()).expect("handoffs")[0].effects[0].state.clone()
    }

    /// How often the ticket was read.
    fn reads(&self) -> u32 {
        self.stage.desk.ticket().heads
    }

    fn written(&self) -> usize {
        self.stage.desk.ticket().written.len()
    }

    /// Lets so many seconds pass, one after the other.
    async fn pass(&self, run: &mut Run<'_>, seconds: usize) {
        for _ in 0..seconds {
            for _ in 0..20 {
                assert!(futures::poll!(run.as_mut()).is_pending(), "the house has given up");
            }
            self.stage.clock.advance(SignedDuration::from_secs(1));
        }
    }
}

fn run<'a>(home: &'a Home, stop: &'a CancellationToken) -> Run<'a> {
    Box::pin(home.stage.house.run(Until::Stopped, stop))
}

/// A house in whose one write another program takes the lock, before the desk answers.
async fn locked_in_the_middle(stranger: &Stranger, home: &Home, run: &mut Run<'_>) {
    home.stage.desk.ticket().meanwhile = Some(Box::new(stranger.locks()));
    home.wants_a_look().await;
    home.pass(run, 60).await;
    assert_eq!(home.written(), 1);
    assert!(matches!(home.effect(), EffectState::InFlight { .. }), "{:?}", home.effect());
}

#[tokio::test]
async fn an_answer_that_cannot_be_recorded_is_recorded_when_the_lock_is_free_again() {
    let (home, stop) = (Home::new(), CancellationToken::new());
    let stranger = home.stranger();
    let since = home.stage.clock.now();
    let mut run = run(&home, &stop);
    locked_in_the_middle(&stranger, &home, &mut run).await;

    assert_eq!(home.get("/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
    let reason = home.reason().await;
    assert_eq!(reason["since"], since.to_string());
    let words = reason["next_step"].as_str().expect("words");
    assert!(words.contains("fuser -v") && words.contains("handoffd.db"), "{words}");
    assert_eq!(home.post("d1").await, StatusCode::SERVICE_UNAVAILABLE);
    let (_, metrics) = home.get("/metrics").await;
    assert!(metrics.contains("handoffd_ledger_up 0.0\n"), "{metrics}");
    assert!(metrics.contains("handoffd_ledger_failing_seconds 60.0\n"), "{metrics}");
    assert!(metrics.contains("handoffd_ledger_failures_total{reason=\"locked\"}"), "{metrics}");

    home.pass(&mut run, 600).await;
    stranger.lets_go();
    home.pass(&mut run, 30).await;
    assert_eq!((home.effect(), home.written()), (EffectState::Done, 1));
    assert_eq!(home.get("/readyz").await.0, StatusCode::OK);
    assert_eq!(home.post("d1").await, StatusCode::OK, "the vendor comes again");
    home.pass(&mut run, 300).await;
    assert_eq!((home.effect(), home.written()), (EffectState::Done, 1));
}

#[tokio::test]
async fn who_ends_before_the_lock_is_free_finds_the_effect_unsure_at_the_next_start() {
    let (home, stop) = (Home::new(), CancellationToken::new());
    let stranger = home.stranger();
    let mut run = run(&home, &stop);
    locked_in_the_middle(&stranger, &home, &mut run).await;
    drop(run);
    stranger.lets_go();
    assert_eq!(home.stage.house.recover().await, Ok(1));
    assert!(matches!(home.effect(), EffectState::Unsure { .. }), "looked up before anything is repeated");
}

#[tokio::test]
async fn on_a_full_disk_nothing_is_taken_and_it_goes_on_without_anybody_asking() {
    let (home, stop) = (Home::new(), CancellationToken::new());
    let mut run = run(&home, &stop);
    home.pass(&mut run, 5).await;
    let ledger = &home.stage.house.ledger;
    ledger.call(|ledger| ledger.tightened(true)).await.expect("full from now on");
    let since = home.stage.clock.now();
    assert_eq!(home.post("d1").await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(ledger.failing(), Some(Failing { since: Some(since), why: LedgerError::Full }));
    assert_eq!(home.get("/readyz").await.0, StatusCode::SERVICE_UNAVAILABLE);
    let words = home.reason().await["next_step"].clone();
    assert!(words.as_str().is_some_and(|words| words.contains("make room")), "{words}");

    // Nobody asks it any more, and it stays what it is: reading a full disk works.
    home.pass(&mut run, 300).await;
    assert_eq!(ledger.failing().and_then(|failing| failing.since), Some(since));
    ledger.call(|ledger| ledger.tightened(false)).await.expect("room");
    home.pass(&mut run, 30).await;
    assert_eq!(ledger.failing(), None);
    assert_eq!(home.get("/readyz").await.0, StatusCode::OK);
    assert_eq!(home.post("d1").await, StatusCode::OK);
    home.pass(&mut run, 60).await;
    assert_eq!((home.effect(), home.written()), (EffectState::Done, 1), "the ticket was looked at");
}

#[tokio::test]
async fn while_the_ledger_is_locked_no_desk_is_asked_again_and_again() {
    let (home, stop) = (Home::new(), CancellationToken::new());
    let stranger = home.stranger();
    let mut run = run(&home, &stop);
    home.wants_a_look().await;
    stranger.locks()();
    let reads = home.reads();
    home.pass(&mut run, 600).await;
    assert_eq!((home.reads(), home.written()), (reads, 0));
    stranger.lets_go();
    home.pass(&mut run, 60).await;
    assert_eq!(home.written(), 1);
}

#[tokio::test]
async fn a_bounded_run_tells_after_a_while_and_a_dead_ledger_ends_every_run_at_once() {
    let home = Home::new();
    let (stranger, stop) = (home.stranger(), CancellationToken::new());
    stranger.locks()();
    let until = Until::NothingDueBy(Timestamp::MAX);
    let mut run: Run<'_> = Box::pin(home.stage.house.run(until, &stop));
    home.pass(&mut run, 25).await;
    let mut ended = Poll::Pending;
    for _ in 0..20 {
        home.stage.clock.advance(SignedDuration::from_secs(1));
        if ended.is_pending() {
            ended = futures::poll!(run.as_mut());
        }
    }
    assert_eq!(ended, Poll::Ready(Err(LedgerError::Busy)));

    let dead = Stage::without_ledger(sending()).await;
    assert_eq!(dead.house.run(Until::Stopped, &stop).await, Err(LedgerError::Stopped));
}
