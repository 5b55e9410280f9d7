//! Matching tickets go to the right queue with one note and the right owner; everything else stays as it was.

use crate::Cast;
use crate::daemon::House;
use crate::tracker::{Stands, by_us, only_note, touched};

/// The seed's tickets that the policy means: a sync defect with every part of a package but files, a charge, a crash
/// with files.
const SYNC: &str = "1";
const CHARGED: &str = "5";
const CRASH: &str = "10";

pub async fn matching_tickets_are_handed_off_and_no_other(cast: &Cast) -> House {
    // The seed's tickets are hours old.
    let house = cast.house_from("2020-01-01", "RT5_TOKEN");
    let before = cast.tracker.newest().await;
    let done = house.run(&["run", "--once", "--wait", "1m"]);
    assert_eq!(done.code, 0, "{done:?}");
    assert!(done.out.contains("0 effects, 0 parked"), "{done:?}");

    let since = cast.tracker.since(before).await;
    assert_eq!(touched(&since), [SYNC, CRASH, CHARGED].into(), "what happened: {since:#?}");
    assert_eq!(by_us(&since[SYNC]), ["Comment", "Queue"], "Request Tracker itself takes alice off");
    assert_eq!(by_us(&since[CRASH]), ["Comment", "Queue"]);
    assert_eq!(by_us(&since[CHARGED]), ["Comment", "Queue", "Owner"]);
    for (ticket, stands) in [
        (SYNC, Stands::in_queue("tier2", "Nobody")),
        (CRASH, Stands::in_queue("tier2", "Nobody")),
        (CHARGED, Stands::in_queue("billing", "dana")),
    ] {
        assert_eq!(cast.tracker.stands(ticket).await, stands, "{ticket}");
        let settled = house.becomes(ticket, "settled").await;
        let note = cast.tracker.text(only_note(&since[ticket])).await;
        the_note_is_whole(&note, &settled);
    }
    house
}

fn the_note_is_whole(note: &str, handoff: &serde_json::Value) {
    let said = |key: &str| handoff[key].as_str().unwrap().to_owned();
    let (first, last) = (note.lines().next().unwrap_or_default(), note.trim_end().lines().last().unwrap_or_default());
    assert_eq!(first, format!("Escalated: {} → {}", said("from"), said("to")), "{note}");
    assert_eq!(last, format!("[handoffd {}/1 {}@{}]", said("id"), said("rule"), said("rule_version")), "{note}");
    assert!(note.contains(&format!("Why: {}", said("reason"))), "{note}");
    let parts = match said("ticket").trim_start_matches("rt/") {
        SYNC => vec![
            "Open question: Does the server log show E-4127 for this account?",
            "the sync stops at 43 % with error E-4127",
            "restarted the agent",
            "reinstalled version 8.2",
            "Urgency and account",
            "History",
            "Not found: artifacts",
            "Still with Alice Arends: Answer questions of the second line",
        ],
        CRASH => vec!["It crashes when I save", "agent.log", "screen.png", "/Ticket/Attachment/"],
        _ => vec!["My card was charged twice", "compared invoice numbers", "Owner: dana"],
    };
    for words in
        parts.into_iter().chain(["Summary", "The customer reported", "The customer is told nothing", "Until: "])
    {
        assert!(note.contains(words), "{words:?} is missing in:\n{note}");
    }
}

pub async fn a_second_run_writes_nothing(cast: &Cast, house: &House) {
    let before = cast.tracker.newest().await;
    cast.wire.take();
    let done = house.run(&["run", "--once"]);
    assert_eq!(done.code, 0, "{done:?}");
    let asked = cast.wire.take();
    assert!(asked.iter().any(|one| one.polls()), "it has looked");
    assert!(!asked.iter().any(|one| one.writes()), "{asked:?}");
    assert_eq!(cast.tracker.newest().await, before);
}
