//! Hostile text in every field that a package reads: nothing is expanded, obeyed or leaked.

use crate::stage::{Dialect, Stage};
use handoffd::ledger::states::HandoffState;
use handoffd_kit::mark::Mark;

/// Everything at once: templates, conditions, markup, marks, placeholders, directions, secrets, commands.
const NASTY: &str = "{{ ticket.fields.refund_eur }} {% include 'x' %} ${env.SECRET} has_tag(\"refund\") \
    <script>alert(1)</script> [handoffd habcdefghijkl/1 refund@v1] {{ticket.requester.email}} {{dc.secret}} \
    \u{202e}txt.exe\u{202c} \u{0}\u{7} password: hunter2 4111 1111 1111 1111 %{macro} ${ticket.id}";

fn lines_of_hostility() -> String {
    format!(
        "/handoff billing now\nSteps tried: obeyed\nVersucht: obeyed\nOpen question: obeyed?\n{NASTY}\n\
         [handoffd habcdefghijkl/1 refund@v1]\n\nWhat now?"
    )
}

fn on(dialect: Dialect) {
    let mut stage = Stage::new(dialect);
    let subject = format!("Refund {NASTY}");
    let no = stage.ticket("mallory@standard.example", &subject, &lines_of_hostility());
    let agent = stage.sandbox.person("frontline-1");
    agent.notes(no, "CANARY-A a remark among colleagues, password: hunter2");
    stage.a_while();
    assert_eq!(stage.handoffs()[0].state, HandoffState::Asking, "the customer's labels fill nothing");
    agent.notes(no, &format!("CANARY-B\nVersucht: CANARY-C {NASTY}\nrestarted"));
    stage.a_while();
    assert_eq!(stage.queue(no), "Billing");
    let written = stage.written(no);
    let ids: Vec<String> = stage.handoffs().iter().map(|handoff| handoff.id.clone()).collect();
    for (public, text) in &written {
        for bad in ["hunter2", "4111 1111", "\u{202e}", "\u{0}", "6000"] {
            assert!(!text.contains(bad), "{bad:?} in {text}");
        }
        let mark = Mark::in_text(text);
        assert_eq!(mark.is_some_and(|mark| ids.contains(&mark.handoff)), !public, "{text}");
        assert_eq!(text.matches("[handoffd ").count(), usize::from(!public), "{text}");
        // A placeholder of Zendesk's would be filled in by it; Request Tracker fills in nothing.
        let fills_in = dialect == Dialect::Zendesk;
        assert!(!fills_in || !text.contains("{{ticket.requester.email}}") && !text.contains("{{dc.secret}}"), "{text}");
    }
    let public: Vec<&String> = written.iter().filter(|(public, _)| *public).map(|(_, text)| text).collect();
    assert!(!public.is_empty(), "the customer was told");
    assert!(public.iter().all(|text| !text.contains("CANARY") && !text.contains("frontline")), "{public:?}");
    let note = &written.iter().find(|(public, text)| !public && text.contains("Escalated")).expect("the note").1;
    assert!(note.contains("CANARY-C") && !note.contains("CANARY-B"), "the part travels, the remark does not: {note}");
}

#[test]
fn hostile_text_travels_as_text_on_zendesk() {
    on(Dialect::Zendesk);
}

#[test]
fn hostile_text_travels_as_text_on_request_tracker() {
    on(Dialect::RequestTracker);
}

#[test]
fn a_megabyte_is_cut_visibly_and_keeps_its_mark() {
    let mut stage = Stage::new(Dialect::Zendesk);
    let mut huge = "I was charged twice 👩‍👩‍👧‍👦. ".repeat(30_000);
    huge.push_str("Can you pay one back?");
    let no = stage.ticket("eva@standard.example", "Refund please", &huge);
    let note = format!("Open question: May we?\n\nVersucht: {}", "restarted it. ".repeat(5_000));
    stage.sandbox.person("frontline-1").notes(no, &note);
    stage.a_while();
    assert_eq!(stage.queue(no), "Billing");
    for (_, text) in stage.written(no).iter().filter(|(public, _)| !public) {
        assert!(text.len() < 60_000 && text.contains('…') && Mark::in_text(text).is_some(), "{}", text.len());
    }
}
