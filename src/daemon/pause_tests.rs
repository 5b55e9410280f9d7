//! A pause of the customer's clock, tried on a whole house: set with the handoff, ended at its longest by an effect of its
//! own, and left to whoever has touched the status since.

use super::control::{Command, Order, execute};
use super::testing::{FakeDesk, Stage, sending};
use crate::policy::rules::{CustomerClock, Policy};
use handoffd_kit::clock::Clock;
use handoffd_kit::desk::{DeskChange, Update, Write};
use handoffd_kit::fact::Fact;
use handoffd_kit::mark::Mark;
use handoffd_kit::model::{Status, What};
use jiff::{SignedDuration, Timestamp};

const SECOND: SignedDuration = SignedDuration::from_secs(1);
const DAY: SignedDuration = SignedDuration::from_hours(24);

fn pausing(status: &str) -> Policy {
    let mut policy = sending();
    policy.escalations[0].clock.customer = CustomerClock::Pause { status: status.into(), at_most: DAY };
    policy
}

fn update(write: &Write) -> &Update {
    match &write.change {
        DeskChange::Update(update) => update,
        other => panic!("{other:?}"),
    }
}

fn note(write: &Write) -> String {
    update(write).note.as_ref().map(|note| note.0.clone()).unwrap_or_default()
}

fn status(desk: &FakeDesk) -> Status {
    *desk.ticket().head.status.known().expect("a status")
}

fn writes(desk: &FakeDesk) -> usize {
    desk.ticket().written.len()
}

fn turn(from: Status, to: Status) -> What {
    What::Status { from: Some(from), to: Some(to) }
}

async fn at(stage: &Stage, instant: Timestamp) {
    stage.clock.set(instant);
    stage.run().await;
}

async fn undo(stage: &Stage) {
    let handoff = stage.handoffs().await[0].id.clone();
    let order = Order { command: Command::Undo { handoff, reason: "wrong team".into() }, by: "lead".to_owned() };
    execute(&stage.house, order, "tester, uid 7").await.expect("undone");
    stage.run().await;
}

/// A house whose handoff has begun a pause, with the instant of its end.
async fn paused() -> (Stage, Timestamp) {
    let stage = Stage::new(pausing("hold"));
    stage.look().await;
    assert_eq!(status(&stage.desk), Status::OnHold);
    let until = stage.clock.now() + DAY;
    at(&stage, stage.clock.now() + SignedDuration::from_hours(1)).await;
    (stage, until)
}

#[tokio::test]
async fn a_pause_is_set_with_the_handoff_and_ended_at_its_longest_by_an_effect_of_its_own() {
    let (stage, until) = paused().await;
    let first = stage.desk.ticket().written[0].clone();
    assert!(update(&first).queue.is_some() && update(&first).status.is_some(), "one call");
    let told = "Clocks: the customer's stands still (hold), at the latest until Tue 3 Nov 12:00 UTC: 24 h of wall time; \
                billing answers for them\nOpen for: 1 d 3 h";
    assert!(note(&first).contains(told), "{}", note(&first));
    at(&stage, until - SECOND).await;
    assert_eq!((writes(&stage.desk), status(&stage.desk)), (1, Status::OnHold));
    at(&stage, until).await;
    assert_eq!(status(&stage.desk), Status::Open);
    let last = stage.desk.ticket().written.last().expect("written").clone();
    assert_eq!(last.mark, Mark { number: 120, ..first.mark });
    assert!(note(&last).starts_with("The customer's clock runs again"), "{}", note(&last));
    at(&stage, until + DAY * 3).await;
    assert_eq!(stage.desk.ticket().written.len(), 2, "once");
}

#[tokio::test]
async fn whoever_touches_the_status_ends_the_pause_and_is_not_overruled() {
    let (stage, until) = paused().await;
    let on_hold = turn(Status::Open, Status::OnHold);
    // Opened, and put on hold again by a person: the hold is theirs now, whatever the ticket looks like.
    stage.desk.agent(until - SECOND * 9, turn(Status::OnHold, Status::Open), |_| {});
    stage.desk.agent(until - SECOND * 8, on_hold, |_| {});
    at(&stage, until + SECOND).await;
    assert_eq!((writes(&stage.desk), status(&stage.desk)), (1, Status::OnHold));

    let (stage, until) = paused().await;
    let opened = |head: &mut handoffd_kit::model::TicketHead| head.status = Fact::Known(Status::Open);
    stage.desk.agent(until - DAY / 2, turn(Status::OnHold, Status::Open), opened);
    at(&stage, until - DAY / 2).await;
    stage.look().await;
    at(&stage, until + SECOND).await;
    assert_eq!(stage.desk.ticket().written.len(), 1, "nothing is left to end");
}

#[tokio::test]
async fn what_agents_do_beside_the_status_does_not_keep_the_clock_still() {
    let (stage, until) = paused().await;
    stage.desk.agent(until - DAY / 2, What::Owner { from: None, to: Some("8".into()) }, |_| {});
    at(&stage, until - DAY / 2).await;
    stage.look().await;
    at(&stage, until - SECOND).await;
    assert_eq!(status(&stage.desk), Status::OnHold);
    at(&stage, until).await;
    assert_eq!(status(&stage.desk), Status::Open, "the end is still due");
}

#[tokio::test]
async fn a_ticket_that_changes_just_before_the_end_is_read_again_first() {
    let (stage, until) = paused().await;
    stage.desk.ticket().conflicts = 1;
    at(&stage, until).await;
    assert_eq!(status(&stage.desk), Status::OnHold, "somebody was faster");
    at(&stage, until + SignedDuration::from_mins(1)).await;
    assert_eq!(status(&stage.desk), Status::Open, "and it was no status");
}

#[tokio::test]
async fn a_restart_keeps_the_end_and_an_undo_ends_the_pause_with_the_handoff() {
    let (stage, until) = paused().await;
    let stage = stage.with_policy(pausing("hold"));
    at(&stage, until).await;
    assert_eq!(status(&stage.desk), Status::Open);

    let (stage, until) = paused().await;
    undo(&stage).await;
    assert_eq!(status(&stage.desk), Status::Open);
    let written = stage.desk.ticket().written.len();
    at(&stage, until + SECOND).await;
    assert_eq!(stage.desk.ticket().written.len(), written, "no second end");

    // A pause that has ended by itself is no act of a person's, and does not keep the handoff from being undone.
    let (stage, until) = paused().await;
    at(&stage, until).await;
    undo(&stage).await;
    assert_eq!((writes(&stage.desk), status(&stage.desk)), (3, Status::Open));
}

#[tokio::test]
async fn a_status_that_is_there_already_or_that_the_desk_has_not_is_not_set() {
    let stage = Stage::new(pausing("hold"));
    stage.desk.ticket().head.status = Fact::Known(Status::OnHold);
    stage.look().await;
    let first = stage.desk.ticket().written[0].clone();
    assert!(update(&first).status.is_none() && note(&first).contains("stands still already (hold, set before)"));
    at(&stage, stage.clock.now() + DAY * 2).await;
    assert_eq!(status(&stage.desk), Status::OnHold, "not ours to end");
    undo(&stage).await;
    assert_eq!(status(&stage.desk), Status::OnHold, "nor with the handoff");

    let stage = Stage::new(pausing("stalled"));
    stage.look().await;
    let first = stage.desk.ticket().written[0].clone();
    assert!(update(&first).status.is_none() && note(&first).contains("runs on: this desk has no status stalled"));
}
