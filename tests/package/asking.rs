//! A package with parts missing: asked for, supplied by the agent inside the helpdesk, handed off, all by the daemon.

use crate::stage::{Dialect, Stage};
use handoffd::ledger::states::HandoffState;
use handoffd_sandbox::ids::TicketNo;
use jiff::SignedDuration;

const TAG: &str = "handoffd-asking";

fn labelled(stage: &Stage, no: TicketNo) -> bool {
    stage.sandbox.ticket(no).expect("a ticket").tags.contains(TAG)
}

/// The way of one ticket, on either helpdesk. Only Zendesk can add a label without touching the others.
fn asked_supplied_and_handed_off(dialect: Dialect) {
    let mut stage = Stage::new(dialect);
    let text =
        "Hello,\n\nI was charged twice. The second charge came on Monday. I use the web shop. Can you pay one back?";
    let no = stage.ticket("eva@standard.example", "Refund for order 4711", text);
    stage.a_while();
    let asked = stage.written(no);
    assert_eq!(asked.len(), 1, "{asked:?}");
    assert!(!asked[0].0 && asked[0].1.contains("- steps: ") && asked[0].1.contains("“Versucht: …”"), "{}", asked[0].1);
    assert!(!asked[0].1.contains("- question"), "the customer has asked: {}", asked[0].1);
    assert_eq!((stage.queue(no).as_str(), labelled(&stage, no)), ("Support", dialect == Dialect::Zendesk));

    // The customer's words are no answer, whatever they look like; and a daemon that was killed goes on.
    stage.sandbox.person("eva@standard.example").replies(no, "Versucht: alles\n/handoff billing\nCan you pay it back?");
    stage.begin();
    stage.pass(SignedDuration::from_mins(100));
    assert_eq!((stage.queue(no).as_str(), stage.written(no).len()), ("Support", 1));
    assert_eq!(stage.handoffs()[0].state, HandoffState::Asking);

    stage
        .sandbox
        .person("frontline-1")
        .notes(no, "Versucht:\n- [x] looked at the payments: failed\n- [x] asked the shop");
    stage.a_while();
    assert_eq!((stage.queue(no).as_str(), labelled(&stage, no)), ("Billing", false));
    let written = stage.written(no);
    let public: Vec<&String> = written.iter().filter(|(public, _)| *public).map(|(_, text)| text).collect();
    assert_eq!(public.len(), 1, "{written:?}");
    assert!(public[0].contains(": our billing specialists"), "{}", public[0]);
    let note = &written[1].1;
    assert!(note.contains("Steps tried (from internal note by Frontline Agent 1, 2026-03-02)"), "{note}");
    assert!(
        note.contains("\n- [x] looked at the payments: failed\n") && note.contains("Can you pay it back?"),
        "{note}"
    );
    let handoff = &stage.handoffs()[0];
    assert_eq!((handoff.state, handoff.completeness), (HandoffState::Settled, Some(1.0)), "{:?}", handoff.detail);
    assert_eq!(stage.handoffs().len(), 1);
}

#[test]
fn a_missing_part_is_asked_for_supplied_and_handed_off_on_zendesk() {
    asked_supplied_and_handed_off(Dialect::Zendesk);
}

#[test]
fn a_missing_part_is_asked_for_supplied_and_handed_off_on_request_tracker() {
    asked_supplied_and_handed_off(Dialect::RequestTracker);
}

#[test]
fn when_nobody_answers_a_person_decides_after_the_deadline_though_the_daemon_was_down() {
    let mut stage = Stage::new(Dialect::Zendesk);
    let no = stage.ticket("eva@standard.example", "Refund please", "I was charged twice. Can you pay one back?");
    stage.pass(SignedDuration::from_hours(3));
    assert_eq!(stage.handoffs()[0].state, HandoffState::Asking);
    stage.begin();
    stage.pass(SignedDuration::from_hours(2));
    let handoff = &stage.handoffs()[0];
    assert_eq!((handoff.state, stage.queue(no).as_str()), (HandoffState::InReview, "Support"));
    assert_eq!((stage.written(no).len(), labelled(&stage, no)), (1, false));
}

#[test]
fn a_colleague_who_takes_the_case_elsewhere_is_not_overruled() {
    let mut stage = Stage::new(Dialect::Zendesk);
    let no = stage.ticket("eva@standard.example", "Refund please", "I was charged twice. Can you pay one back?");
    stage.a_while();
    stage.sandbox.person("frontline-2").moves(no, "Tier 2");
    stage.a_while();
    let written = stage.written(no);
    assert_eq!(written.len(), 2, "{written:?}");
    assert!(
        written[1].1.starts_with("Nothing more is needed for billing: the case lies in Tier 2 now."),
        "{}",
        written[1].1
    );
    assert_eq!((stage.queue(no).as_str(), labelled(&stage, no)), ("Tier 2", false));
    assert_eq!(stage.handoffs()[0].state, HandoffState::Withdrawn);
}

#[test]
fn whoever_is_asked_may_say_no() {
    let policy = include_str!("policy.toml");
    let (before, after) = policy.split_once("[teams.billing]\n").expect("the team");
    let people = "[people.ledger-lead]\nemail = \"billing-2@acme.example\"\n\n";
    let named = format!("{before}{people}[teams.billing]\nreviewers = [\"ledger-lead\"]\n{after}");
    let mut stage = Stage::with(Dialect::Zendesk, &named);
    let no = stage.ticket("eva@standard.example", "Refund please", "I was charged twice. Can you pay one back?");
    stage.a_while();
    stage.sandbox.person("frontline-2").notes(no, "/reject we keep it");
    stage.a_while();
    assert_eq!(stage.handoffs()[0].state, HandoffState::Asking, "another agent was not asked");
    stage.sandbox.person("frontline-1").notes(no, "/reject we keep it");
    stage.a_while();
    let handoff = &stage.handoffs()[0];
    assert_eq!(handoff.state, HandoffState::Withdrawn);
    assert!(handoff.detail.as_ref().is_some_and(|why| why.starts_with("rejected by Frontline Agent 1")));
    assert_eq!((stage.queue(no).as_str(), labelled(&stage, no)), ("Support", false));
}
