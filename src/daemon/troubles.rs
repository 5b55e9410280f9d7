//! What goes wrong for one ticket or one stream, tried on a whole house: it is counted, put off, listed, and takes nothing
//! else with it.

use super::control::{Command, Order, Target, execute};
use super::testing::{Stage, asking, sending};
use crate::ledger::records::CaseTrouble;
use crate::ledger::states::HandoffState;
use crate::policy::rules::Limits;
use handoffd_kit::clock::Clock;
use handoffd_kit::desk::DeskChange;
use handoffd_kit::id::StreamName;
use jiff::SignedDuration;

async fn listed(stage: &Stage) -> Vec<CaseTrouble> {
    stage.house.ledger.call(|ledger| ledger.case_troubles()).await.expect("listed")
}

async fn garble(stage: &Stage, sql: &'static str) {
    stage.house.ledger.call(move |ledger| ledger.garble(sql)).await.expect("garbled");
}

async fn give(stage: &Stage, command: Command) {
    execute(&stage.house, Order { command, by: "lead".to_owned() }, "tester, uid 7").await.expect("done");
}

#[tokio::test]
async fn a_ticket_whose_answer_is_never_readable_is_tried_ever_more_rarely_listed_and_silences_no_desk() {
    let stage = Stage::new(sending());
    stage.desk.ticket().garbled = true;
    stage.look().await;
    let mut waits = Vec::new();
    for _ in 0..14 {
        let due = stage.house.ledger.call(|ledger| ledger.next_due(&Default::default())).await.expect("asked");
        let due = due.expect("tried again");
        waits.push(due.duration_since(stage.clock.now()).as_secs());
        stage.clock.advance(due.duration_since(stage.clock.now()));
        stage.run().await;
    }
    assert!(waits.is_sorted() && waits[0] <= 3 && waits[13] >= 2_400, "{waits:?}");
    assert!(waits.iter().all(|wait| *wait <= 4_400), "{waits:?}");
    let station = stage.house.desks.get(&"acme".into()).expect("open");
    assert!(!station.is_silent(), "one ticket's fault");
    let trouble = listed(&stage).await.remove(0);
    assert!(
        trouble.tries >= 14 && !trouble.parked && trouble.what.contains("no JSON") && !trouble.next_step.is_empty()
    );
    stage.desk.ticket().garbled = false;
    stage.look().await;
    assert_eq!(listed(&stage).await, Vec::new());
    assert_eq!(stage.handoffs().await[0].state, HandoffState::Verifying);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_parks_its_case_and_the_house_goes_on() {
    let stage = Stage::new(asking());
    stage.look().await;
    garble(&stage, "UPDATE handoffs SET proposal = 'broken'").await;
    stage.look().await;
    let trouble = listed(&stage).await.remove(0);
    assert!(trouble.parked && trouble.what.contains("cannot be read") && trouble.next_step.contains("--case acme/42"));
    let case = Target::Case { desk: "acme".into(), ticket: "42".into() };
    give(&stage, Command::Retry { target: case.clone() }).await;
    stage.run().await;
    assert!(listed(&stage).await[0].parked, "it still cannot be read");
    give(&stage, Command::Drop { target: case, reason: "a torn page".into() }).await;
    stage.look().await;
    assert_eq!(listed(&stage).await, Vec::new());
    assert!(stage.desk.ticket().written.is_empty(), "what was given up does not begin anew");
}

#[tokio::test]
async fn an_effect_that_cannot_be_read_is_parked_and_not_sent() {
    let stage = Stage::new(asking());
    stage.look().await;
    let id = stage.handoffs().await[0].id.clone();
    give(&stage, Command::Approve { handoff: id, reason: None, to: None }).await;
    garble(&stage, "UPDATE effects SET write = '{'").await;
    stage.run().await;
    let parked = stage.house.ledger.call(|ledger| ledger.parked()).await.expect("listed");
    assert_eq!((parked.len(), stage.desk.ticket().tried), (1, 0));
    assert!(parked[0].reason.as_ref().is_some_and(|reason| reason.contains("cannot be read")));
    give(&stage, Command::Drop { target: Target::All { desk: None, rule: None }, reason: "by hand".into() }).await;
    stage.look().await;
}

#[tokio::test]
async fn a_stream_that_fails_hides_none_of_the_others() {
    let stage = Stage::polled(sending());
    stage.desk.ticket().broken_stream = Some("deleted".into());
    stage.run().await;
    let read = stage.house.ledger.call(|ledger| {
        let cursor = |stream: &str| ledger.cursor(&"acme".into(), &StreamName::from(stream));
        Ok((cursor("deleted")?, cursor("tickets")?))
    });
    let (deleted, tickets) = read.await.expect("asked");
    assert!(deleted.is_none() && tickets.is_some());
    assert!(!stage.house.desks.get(&"acme".into()).expect("open").is_silent());
}

#[tokio::test]
async fn a_handoff_that_is_planned_anew_goes_on_naming_who_approved_it() {
    let stage = Stage::new(asking());
    stage.look().await;
    let id = stage.handoffs().await[0].id.clone();
    stage.desk.ticket().conflicts = 1;
    give(&stage, Command::Approve { handoff: id, reason: None, to: None }).await;
    stage.run().await;
    let handoff = stage.handoffs().await.remove(0);
    assert_eq!((handoff.state, handoff.redecided), (HandoffState::Verifying, 1));
    let ticket = stage.desk.ticket();
    let DeskChange::Update(update) = &ticket.written[0].change else { panic!("a note") };
    let note = &update.note.as_ref().expect("a note").0;
    assert!(note.contains("Approved by: lead (tester, uid 7)"), "{note}");
}

#[tokio::test]
async fn over_its_limit_a_case_is_read_once_when_its_place_is_free() {
    let mut policy = sending();
    policy.limits = Limits { per_rule_per_hour: 1, ..Limits::default() };
    let stage = Stage::new(policy);
    stage.house.ledger.call(|ledger| ledger.taken_place("refund", crate::policy::testing::now())).await.expect("taken");
    stage.look().await;
    assert_eq!((stage.handoffs().await.len(), stage.desk.ticket().heads), (1, 1), "only the other case's");
    stage.clock.advance(SignedDuration::from_mins(59));
    stage.run().await;
    assert_eq!(stage.desk.ticket().heads, 1);
    stage.clock.advance(SignedDuration::from_mins(1));
    stage.run().await;
    assert_eq!(stage.desk.ticket().written.len(), 1);
}

#[tokio::test]
async fn a_team_that_has_had_the_case_all_along_is_seen_once() {
    let mut policy = sending();
    policy.escalations[0].rule.when = vec![crate::policy::testing::condition("size(case.teams_seen) > 1")];
    let stage = Stage::new(policy);
    // The first look needs no history and dates the stay provisionally; the next one reads it.
    stage.look().await;
    for _ in 0..2 {
        let owner = handoffd_kit::model::What::Owner { from: None, to: Some("8".into()) };
        stage.desk.agent(stage.clock.now(), owner, |_| {});
        stage.clock.advance(SignedDuration::from_mins(1));
        stage.look().await;
    }
    assert!(stage.handoffs().await.is_empty(), "the case never moved");
}
