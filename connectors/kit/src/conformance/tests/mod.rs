//! The suite tried on a small helpdesk of its own: a sound connector passes everything, and each connector with one
//! defect fails the promise that it breaks.

mod desk;
mod helpdesk;
mod stage;

use super::*;
use crate::clock::ManualClock;
use desk::MiniDesk;
use futures::executor::block_on;
use helpdesk::Helpdesk;
use stage::MiniStage;
use std::sync::Arc;

/// One thing that a careless connector (or vendor) does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Defect {
    None,
    PublicNotes,
    PublicReplyIsInternal,
    IgnoresVersions,
    NeverFinds,
    CountsForeignMarks,
    TakesLostForNotApplied,
    CursorBySecond,
    ReplacesAllTags,
    WritesToEnded,
    CallsForbiddenRefused,
    TrustsAnyWebhook,
    TrustsOldWebhooks,
    ReadsPartsUnasked,
    LosesTheMarkOfLongNotes,
    InventsWhatIsMissing,
    WritesInTwoCalls,
    TakesPersonsForUs,
    ExpandsPlaceholders,
    Calls500Applied,
    MovesTicketsWhenReplying,
    OverlooksUnseenQueues,
    DoesNotSayWhoActed,
    TakesEverybodyForActive,
    TakesNoQueueForNobody,
    ReplacesFollowers,
    ListsTicketsTwice,
    TakesMachinesForPeople,
    SendsWhatIsHeld,
    TakesHeldForLost,
}

fn report(defect: Defect) -> Report {
    let clock = ManualClock::new("2026-05-03T10:00:00Z".parse().unwrap());
    let helpdesk = Arc::new(Helpdesk::new(clock.clone(), defect));
    let wire = Wire::new(helpdesk.clone(), Wire::by_method);
    let desk = MiniDesk::new(wire.clone(), clock.clone(), defect);
    let mut stage = MiniStage { helpdesk, wire, clock };
    block_on(run(&desk, &mut stage))
}

#[test]
fn a_sound_connector_passes_everything_that_it_declares() {
    let report = report(Defect::None);
    assert!(report.is_clean(), "{report}");
    let skipped: Vec<&str> = report
        .lines
        .iter()
        .filter(|line| matches!(line.outcome, Outcome::Skipped(_)))
        .map(|line| line.promise)
        .collect();
    assert_eq!(skipped, ["a desk that cannot look says so", "a desk without webhooks refuses them"], "{report}");
}

#[test]
fn each_defect_breaks_its_promise() {
    for (defect, promise) in [
        (Defect::ListsTicketsTwice, "the customer's tickets are listed, each once, newest first"),
        (Defect::TakesMachinesForPeople, "an automatic answer is told from a person's mail"),
        (Defect::OverlooksUnseenQueues, "login, names and rights are in order"),
        (Defect::PublicNotes, "a note is internal and reads as it was written"),
        (Defect::PublicReplyIsInternal, "a public reply is public, and nothing else is"),
        (Defect::MovesTicketsWhenReplying, "a public reply is public, and nothing else is"),
        (Defect::IgnoresVersions, "a person's change makes a guarded write fail, and nothing of it is written"),
        (Defect::IgnoresVersions, "a person's change in the very moment of the decision stands, and is reported"),
        (Defect::IgnoresVersions, "the first try of a write, arriving late, is not repeated by the second"),
        (Defect::NeverFinds, "after a lost answer we are unsure, and the note is found by its mark"),
        (Defect::CountsForeignMarks, "a mark in somebody else's note does not count"),
        (Defect::TakesLostForNotApplied, "a lost request is not found, and its repeat writes once"),
        (Defect::CursorBySecond, "many changes within one second all show"),
        (Defect::ReplacesAllTags, "tags are added and removed while somebody else adds one"),
        (Defect::WritesToEnded, "a closed ticket is seen as closed and takes no write"),
        (Defect::WritesToEnded, "a merged ticket is seen as merged, and its target gets no write"),
        (Defect::CallsForbiddenRefused, "a missing right is named, with the next step"),
        (Defect::TrustsAnyWebhook, "a forged webhook is refused"),
        (Defect::TrustsAnyWebhook, "an unsigned webhook is refused"),
        (Defect::TrustsOldWebhooks, "a stale webhook is refused"),
        (Defect::ReadsPartsUnasked, "parts are read only when asked for"),
        (Defect::LosesTheMarkOfLongNotes, "a note that is too long is cut visibly and keeps its mark"),
        (Defect::InventsWhatIsMissing, "what an answer leaves out is unknown"),
        (Defect::WritesInTwoCalls, "one call sets all that is declared to be set together"),
        (Defect::TakesPersonsForUs, "our own change is known as ours, a person's never"),
        (
            Defect::DoesNotSayWhoActed,
            "an agent's note and label are theirs, word for word, and a customer's words are not",
        ),
        (Defect::ExpandsPlaceholders, "a note is internal and reads as it was written"),
        (Defect::TakesEverybodyForActive, "who cannot be given tickets any more is not listed as active"),
        (Defect::TakesNoQueueForNobody, "a queue that does not exist has no members and says so"),
        (Defect::ReplacesFollowers, "a follower is added beside those who follow already"),
        (Defect::SendsWhatIsHeld, "a write that is held back does not leave, and leaves once it is not"),
        (Defect::TakesHeldForLost, "a write that is held back does not leave, and leaves once it is not"),
        (Defect::Calls500Applied, "a 500 on a write leaves us unsure, done or not"),
    ] {
        let report = report(defect);
        let line = report.lines.iter().find(|line| line.promise == promise).unwrap();
        assert!(matches!(line.outcome, Outcome::Failed(_)), "{defect:?} was not noticed: {line:?}");
    }
}

#[test]
fn a_report_reads_as_a_list() {
    let line = |promise, outcome| Line { promise, outcome };
    let lines = vec![
        line("one", Outcome::Passed),
        line("two", Outcome::Failed("broken".into())),
        line("three", Outcome::Skipped("not declared".into())),
    ];
    let report = Report { connector: "mini", lines };
    let text =
        "mini: 1 passed, 1 failed, 1 skipped\n  passed   one\n  FAILED   two: broken\n  skipped  three: not declared\n";
    assert_eq!(report.to_string(), text);
    assert!(!report.is_clean());
}
