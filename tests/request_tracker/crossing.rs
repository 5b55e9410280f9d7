//! What happens between two of the daemon's calls: a person acts, or the daemon dies.

use crate::Cast;
use crate::daemon::{House, Running};
use crate::tracker::{Stands, by_us, only_note};
use crate::wire::Hold;
use serde_json::json;

pub async fn a_persons_move_in_between_stands(cast: &Cast, house: &House) {
    let daemon = started(cast, house).await;
    let before = cast.tracker.newest().await;
    let mut move_of_ours = cast.wire.arm(Hold::TheRequest, |asked| asked.sets("Queue"));
    // A hook brings the daemon here: the next poll is minutes away.
    let ticket = cast.tracker.charged_twice().await;
    let held = move_of_ours.sprung().await;
    assert_eq!(held.ticket(), ticket);
    let moved = json!({ "Queue": "tier2" });
    cast.tracker.floater.json("PUT", &format!("/ticket/{ticket}"), Some(moved)).await;
    move_of_ours.release();

    let handoff = house.becomes(&ticket, "withdrawn").await;
    assert!(handoff["detail"].as_str().is_some_and(|why| why.contains("team")), "{handoff}");
    let closed = crate::until(async || {
        let since = cast.tracker.since(before).await;
        (by_us(&since[&ticket]).len() >= 2).then_some(since)
    });
    let since = closed.await.unwrap_or_else(|| panic!("no closing note\n{}", house.log()));
    assert_eq!(by_us(&since[&ticket]), ["Comment", "Comment"], "the package note and the closing one, no move");
    assert_eq!(cast.tracker.stands(&ticket).await, Stands::in_queue("tier2", "Nobody"));
    let last = since[&ticket].iter().rfind(|one| one.kind == "Comment").unwrap();
    let closing = cast.tracker.text(last.id).await;
    assert!(closing.contains("This handoff was stopped") && closing.contains("Not done: transfer, owner"), "{closing}");
    daemon.kill();
}

pub async fn killed_after_every_write_nothing_is_doubled(cast: &Cast, house: &House) {
    let before = cast.tracker.newest().await;
    let mut daemon = started(cast, house).await;
    let mut held = cast.wire.arm(Hold::TheAnswer, |asked| asked.notes());
    let ticket = cast.tracker.charged_twice().await;
    for next in [Some("Queue"), Some("Owner"), None] {
        let written = held.sprung().await;
        assert_eq!(written.ticket(), ticket);
        daemon.kill();
        held.release();
        held = cast.wire.arm(Hold::TheAnswer, move |asked| next.is_some_and(|attribute| asked.sets(attribute)));
        daemon = house.start().await;
    }
    house.becomes(&ticket, "settled").await;
    let since = cast.tracker.since(before).await;
    assert_eq!(by_us(&since[&ticket]), ["Comment", "Queue", "Owner"], "each once");
    assert_eq!(cast.tracker.stands(&ticket).await, Stands::in_queue("billing", "dana"));
    assert!(cast.tracker.text(only_note(&since[&ticket])).await.contains("compared the invoices"));
    daemon.kill();
}

/// A daemon that has read what changed, so that what comes now comes by a hook.
pub async fn started(cast: &Cast, house: &House) -> Running {
    cast.wire.take();
    let daemon = house.start().await;
    let read = crate::until(async || cast.wire.saw(|asked| asked.polls()).then_some(())).await;
    assert!(read.is_some(), "the daemon does not poll:\n{}", house.log());
    daemon
}
