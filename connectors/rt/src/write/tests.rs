//! What a history says about a write, and how a note is cut.

use super::*;
use handoffd_kit::desk::QueueSpec;
use handoffd_kit::mark::Mark;
use handoffd_kit::text::CUT;
use serde_json::json;

fn by(id: u64, login: &str, field: &str, new: &str) -> Transaction {
    let kind = if field.is_empty() { "Comment" } else { "Set" };
    serde_json::from_value(json!({
        "id": id, "Type": kind, "Field": field, "NewValue": new, "Created": "2026-11-24T05:00:00Z",
        "Creator": {"id": login},
    }))
    .unwrap()
}

fn numbers() -> Numbers {
    let users = [("6".to_owned(), NOBODY.to_owned()), ("59".to_owned(), "agent-1".to_owned())].into();
    let queues = [("7".to_owned(), "tier2".to_owned())].into();
    Numbers { users, queues, ..Numbers::default() }
}

#[test]
fn the_next_write_expects_ours_and_rt_s_follow_ups_and_nothing_that_somebody_decided() {
    let ours = by(101, "bot", "Queue", "7");
    let until =
        |rest: &[Transaction]| undisturbed(&[std::slice::from_ref(&ours), rest].concat(), 100, "bot", &numbers());
    assert_eq!(until(&[]), 101);
    assert_eq!(until(&[by(102, SYSTEM, "Owner", "6"), by(103, SYSTEM, "Due", "x")]), 103, "RT tidies up");
    assert_eq!(until(&[by(102, SYSTEM, "Owner", "59")]), 101, "a scrip gives it to somebody");
    assert_eq!(until(&[by(102, SYSTEM, "Queue", "6")]), 101, "a scrip moves it");
    assert_eq!(until(&[by(102, "agent-1", "", ""), by(103, "bot", "", "")]), 101, "a colleague writes");
    assert_eq!(undisturbed(&[by(101, "agent-1", "", "")], 100, "bot", &numbers()), 100);
    assert_eq!(undisturbed(&[], 100, "bot", &numbers()), 100);
}

#[test]
fn only_a_person_s_change_of_the_same_thing_before_ours_is_covered() {
    let wish = Wish::Queue(QueueSpec::Name("tier2".into()));
    let found = |since: &[Transaction]| covered(&wish, since, 105, "bot", &numbers()).map(|one| one.id);
    assert_eq!(found(&[by(101, "agent-1", "Queue", "6"), by(105, "bot", "Queue", "7")]), Some(101));
    assert_eq!(found(&[by(101, "agent-1", "Priority", "6"), by(102, "agent-1", "", "")]), None);
    assert_eq!(found(&[by(101, SYSTEM, "Queue", "6"), by(102, "bot", "Queue", "6")]), None);
    assert_eq!(found(&[by(106, "agent-1", "Queue", "6")]), None, "after ours: their move");
    assert!(covered(&Wish::Note("x".into()), &[by(101, "agent-1", "", "")], 105, "bot", &numbers()).is_none());
}

#[test]
fn whoever_changed_the_same_thing_after_ours_acted_since() {
    let wish = Wish::Queue(QueueSpec::Name("tier2".into()));
    let found = |since: &[Transaction]| acted_since(&wish, since, 105, "bot", &numbers()).map(|one| one.id);
    let ours = || by(105, "bot", "Queue", "7");
    assert_eq!(found(&[by(101, "agent-1", "Queue", "6"), ours(), by(106, "agent-2", "Queue", "6")]), Some(106));
    assert_eq!(found(&[ours(), by(106, "agent-2", "Queue", "6"), by(107, SYSTEM, "Queue", "7")]), Some(106));
    assert_eq!(found(&[by(101, "agent-1", "Queue", "6"), ours()]), None, "before ours");
    assert_eq!(found(&[ours(), by(106, SYSTEM, "Queue", "6"), by(107, "agent-2", "", "")]), None);
}

#[test]
fn a_long_note_is_cut_visibly_and_keeps_its_mark() {
    let mark = Mark { handoff: "h1".into(), number: 1, rule: "rule".into(), version: "v1".into() };
    let write = Write {
        ticket: "1".into(),
        change: DeskChange::Update(Update::default()),
        mark: mark.clone(),
        expected: None,
        decided_on: None,
        first_tried: None,
        deadline: Timestamp::MAX,
    };
    let long = format!("{}\n\n{mark}\n", "ä and more ".repeat(NOTE_MAX_BYTES / 8));
    let cut = note_to_write(&long, &write);
    assert!(cut.len() <= NOTE_MAX_BYTES && cut.contains(CUT.trim()));
    assert_eq!(Mark::in_text(&cut), Some(mark.clone()));
    let short = format!("words\n\n{mark}");
    assert_eq!(note_to_write(&short, &write), short);
    assert_eq!(note_to_write("a correcting note", &write), "a correcting note", "no mark is invented");
}
