//! Accounts that lack rights: which one is missing is said before anything is tried, and while the daemon runs.

use crate::Cast;
use crate::crossing::started;
use crate::daemon::House;
use crate::tracker::Stands;
use serde_json::Value;

pub fn a_check_says_what_each_account_lacks(cast: &Cast) {
    for (token, code, words) in [
        ("RT5_TOKEN", 0, vec!["the token belongs to handoff-bot"]),
        ("RT5_TOKEN_NARROW", 1, vec!["sees no queue \"tier2\"", "sees no queue \"billing\"", "SeeQueue, ShowTicket"]),
        ("RT5_TOKEN_BLIND", 1, vec!["sees no queue", "SeeQueue", "ShowTicket"]),
        ("READER", 1, vec!["queue tier1", "CommentOnTicket", "ModifyTicket"]),
    ] {
        let done = cast.house(token).run(&["check", "--online"]);
        assert_eq!(done.code, code, "{token}: {done:?}");
        for words in words {
            assert!(done.out.contains(words), "{token}: {words:?} is missing in\n{}", done.out);
        }
    }
    assert!(!cast.wire.take().iter().any(|asked| asked.writes()), "a check writes nothing");
}

/// It sees the ticket, decides, and may not comment.
pub async fn an_account_that_may_not_write_is_said_to_be(cast: &Cast) {
    let house = cast.house("READER");
    let daemon = started(cast, &house).await;
    let before = cast.tracker.newest().await;
    let ticket = cast.tracker.charged_twice().await;
    let reason = failing(&house).await;
    assert!(reason["next_step"].as_str().unwrap().contains("CommentOnTicket"), "{reason}");
    assert_eq!(house.handoff(&ticket).unwrap()["state"], "sending", "it waits for the right");
    assert!(cast.tracker.since(before).await[&ticket].iter().all(|one| one.by != "reader"), "nothing was written");
    daemon.kill();
}

/// It may move a ticket into a queue where it sees nothing. Who works there it cannot know, so nobody is made the owner, and
/// the note says why; health names the team.
pub async fn an_account_that_is_blind_after_its_own_move_says_so(cast: &Cast) {
    let house = cast.house("RT5_TOKEN_NARROW");
    let daemon = started(cast, &house).await;
    let before = cast.tracker.newest().await;
    let ticket = cast.tracker.charged_twice().await;
    let there = Stands::in_queue("billing", "Nobody");
    let moved = crate::until(async || (cast.tracker.stands(&ticket).await == there).then_some(()));
    moved.await.unwrap_or_else(|| panic!("it is not in billing:\n{}", house.log()));
    let happened = cast.tracker.since(before).await.remove(&ticket).unwrap();
    let notes: Vec<_> = happened.iter().filter(|one| one.kind == "Comment" && one.by == "narrow-bot").collect();
    assert_eq!(notes.len(), 1, "{happened:?}");
    let note = cast.tracker.text(notes[0].id).await;
    assert!(note.contains("who works in billing is not known"), "{note}");
    let mut last = None;
    let said = crate::until(async || {
        let (_, health) = house.page("/healthz").await?;
        last = Some(health.to_string());
        let what = |reason: &Value| reason["what"].as_str().map(str::to_owned);
        health["reasons"].as_array()?.iter().filter_map(what).find(|what| what.contains("billing"))
    });
    let said = said.await.unwrap_or_else(|| panic!("health does not say it, but {last:?}:\n{}", house.log()));
    assert!(said.starts_with("who works in billing cannot be read: ") && said.contains("403"), "{said}");
    assert_eq!(cast.tracker.stands(&ticket).await, there, "the move stands");
    daemon.kill();
}

/// Request Tracker shows such an account empty lists, as if there were nothing to do.
pub async fn an_account_that_sees_nothing_is_said_to_be(cast: &Cast) {
    let house = cast.house("RT5_TOKEN_BLIND");
    let once = house.run(&["run", "--once"]);
    assert_eq!(once.code, 1, "{once:?}");
    assert!(once.talk.contains("SeeQueue"), "{once:?}");
    let daemon = house.start().await;
    let reason = failing(&house).await;
    assert!(reason["next_step"].as_str().unwrap().contains("SeeQueue"), "{reason}");
    daemon.kill();
}

/// Waits until health says that a person must act, and gives the worst reason.
async fn failing(house: &House) -> Value {
    let mut last = None;
    let reason = crate::until(async || {
        last = house.page("/healthz").await;
        let (_, health) = last.clone()?;
        (health["status"] == "failing").then(|| health["reasons"][0].clone())
    });
    let reason = reason.await;
    reason.unwrap_or_else(|| panic!("health does not fail: {last:#?}\n{}", house.log()))
}
