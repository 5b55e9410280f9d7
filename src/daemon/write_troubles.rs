//! What goes wrong for one write, tried on a whole house: it is parked or listed with the desk's words, never tried again for
//! ever in silence; and a note that came out public stops its desk.

use super::control::{Command, Order, Target, execute};
use super::testing::{Stage, sending};
use crate::ledger::Counts;
use crate::ledger::records::{EffectRecord, Switch, SwitchOn};
use crate::ledger::states::{EffectState, HandoffState};
use handoffd_kit::clock::Clock;
use handoffd_kit::error::{DeskError, DeskErrorKind, Retry};
use jiff::SignedDuration;

fn failure(kind: DeskErrorKind, retry: Retry, words: &str) -> Option<DeskError> {
    Some(DeskError::new(kind, retry, "apply update").words(words))
}

async fn effect(stage: &Stage) -> EffectRecord {
    stage.handoffs().await.remove(0).effects.remove(0)
}

async fn counts(stage: &Stage) -> Counts {
    stage.house.ledger.call(|ledger| ledger.counts(crate::policy::testing::now())).await.expect("counted")
}

async fn switches(stage: &Stage) -> Vec<SwitchOn> {
    stage.house.ledger.call(|ledger| ledger.switches()).await.expect("read")
}

async fn minutes(stage: &Stage, count: i64) {
    for _ in 0..count {
        stage.clock.advance(SignedDuration::from_mins(1));
        stage.run().await;
    }
}

#[tokio::test]
async fn a_note_that_came_out_public_pauses_its_desk_until_a_person_resumes_it() {
    let stage = Stage::new(sending());
    let words = "INCIDENT: the internal note on ticket 42 is public";
    stage.desk.ticket().write_fails = failure(DeskErrorKind::Leaked, Retry::Applied, words);
    stage.look().await;
    assert!(matches!(effect(&stage).await.state, EffectState::Parked { unsure: true, .. }));
    let on = switches(&stage).await.remove(0);
    assert_eq!((on.switch.clone(), on.by.as_str()), (Switch::Desk("acme".into()), SwitchOn::US));
    assert!(on.why.as_ref().is_some_and(|why| why.contains(words)), "{on:?}");
    // Whatever is due on this desk waits: what made one note public makes the next one public.
    stage.desk.ticket().write_fails = None;
    let (everything, tried) = (Target::All { desk: None, rule: None }, stage.desk.ticket().tried);
    let retry = Order { command: Command::Retry { target: everything }, by: "lead".to_owned() };
    execute(&stage.house, retry, "tester, uid 7").await.expect("due again");
    minutes(&stage, 10).await;
    assert_eq!(stage.desk.ticket().tried, tried);
    let resume = Command::Switch { switch: on.switch, on: false };
    execute(&stage.house, Order { command: resume, by: "lead".to_owned() }, "tester, uid 7").await.expect("resumed");
    minutes(&stage, 10).await;
    assert_eq!(switches(&stage).await, Vec::new());
    let state = effect(&stage).await.state;
    assert_eq!(stage.desk.ticket().written.len(), 1, "{state:?}");
}

#[tokio::test]
async fn a_write_whose_answer_is_lost_every_time_and_that_is_never_there_is_parked_in_the_end() {
    let stage = Stage::new(sending());
    stage.desk.ticket().write_fails = failure(DeskErrorKind::Unavailable, Retry::Unsure, "answered 500");
    stage.look().await;
    minutes(&stage, 20).await;
    assert!(counts(&stage).await.tried.contains_key(&"acme".into()), "health tells of it meanwhile");
    minutes(&stage, 220).await;
    let parked = effect(&stage).await;
    assert_eq!(parked.state.name(), "parked", "{:?}", parked.state);
    let tried = stage.desk.ticket().tried;
    assert!((8..60).contains(&tried), "{tried}");
    assert!(
        parked.reason.as_ref().is_some_and(|why| why.contains("each time the answer was lost")),
        "{:?}",
        parked.reason
    );
    assert!(parked.next_step.is_some());
}

#[tokio::test]
async fn a_write_that_is_put_off_again_and_again_is_counted_since_its_first_try() {
    let stage = Stage::new(sending());
    stage.desk.ticket().write_fails = failure(DeskErrorKind::RateLimited, Retry::After(None), "answered 429");
    stage.look().await;
    let first = stage.clock.now();
    minutes(&stage, 30).await;
    let (count, since) = counts(&stage).await.tried[&"acme".into()];
    assert_eq!(count, 1);
    assert!(since <= first, "{since} is not its first try at {first}");
    stage.desk.ticket().write_fails = None;
    minutes(&stage, 15).await;
    assert!(counts(&stage).await.tried.is_empty());
    assert_eq!(stage.handoffs().await[0].state, HandoffState::Settled);
}

#[tokio::test]
async fn a_lost_answer_whose_ticket_cannot_be_seen_waits_for_a_person_and_ends_nothing() {
    let stage = Stage::new(sending());
    stage.desk.ticket().write_fails = failure(DeskErrorKind::Unavailable, Retry::Unsure, "answered 500");
    stage.desk.ticket().lookup_fails = failure(DeskErrorKind::NotFound, Retry::Never, "no such ticket");
    stage.look().await;
    minutes(&stage, 10).await;
    let handoff = stage.handoffs().await.remove(0);
    assert_eq!(handoff.state, HandoffState::Sending, "it may have been written");
    let parked = &handoff.effects[0];
    assert!(matches!(parked.state, EffectState::Parked { unsure: true, .. }), "{:?}", parked.state);
    assert!(parked.next_step.as_ref().is_some_and(|step| step.contains("looks it up again")));
}
