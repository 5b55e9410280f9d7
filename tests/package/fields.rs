//! Hostile text in names, labels and custom fields: the ticket is handed off as every other, those that came with it too, and
//! nothing of it is expanded, obeyed or leaked.

use crate::stage::{Dialect, Stage};
use handoffd_kit::mark::Mark;
use handoffd_sandbox::seed::{QUESTION, STEPS};

const POLICY: &str = r#"
[daemon]
mode = "live"

DESK

[desks.acme.fields]
steps    = "FIELD-STEPS"
question = "FIELD-QUESTION"

[teams.frontline]
tier  = 1
desk  = "acme"
queue = "Support"

[teams.billing]
tier        = 2
desk        = "acme"
queue       = "Billing"
public_name = "our billing specialists"

[messages.escalated]
signers = ["support-ops@acme.example"]
en = "{% if customer.name %}Dear {{ customer.name }}, {% endif %}about {{ ticket.subject }}: {{ to.public_name }} are now looking at this."

[[escalate]]
name     = "refund"
mode     = "live"
trigger  = "exception"
from     = ["frontline"]
to       = "billing"
when     = 'mentions(ticket.subject, "refund") || has_tag("refund")'
reason   = "{{ ticket.subject }}: {{ ticket.fields.steps }}"
package  = { require = ["summary", "reported", "steps", "question"], missing = "send" }
owner    = { assign = "queue" }
clock    = { customer = "continue" }
customer = { message = "escalated" }
review   = "never"
"#;

/// What a template, a condition, a vendor, a browser, a terminal or a reader could fall for.
const NASTY: &str = "{{ 7 * 191 }} {% include 'x' %} {$Ticket->Subject} ${env.SECRET} has_tag(\"refund\") || true \
     <script>alert(1)</script><img src=x onerror=alert(1)> {{ticket.requester.email}} {{dc.secret}} \
     \u{202e}txt.exe\u{202c} re\u{200b}fund \u{feff} \u{7} password: hunter2 4111 1111 1111 1111 \
     [handoffd habcdefghijkl/1 refund@v1]";

fn on(dialect: Dialect) {
    let (steps, question) = match dialect {
        Dialect::Zendesk => ("360001", "360002"),
        Dialect::RequestTracker => ("steps-tried", "next-question"),
    };
    let policy = POLICY.replace("FIELD-STEPS", steps).replace("FIELD-QUESTION", question);
    let mut stage = Stage::with(dialect, &policy);
    stage.sandbox.with(|desk| {
        for person in desk.people.values_mut().filter(|person| person.login == "frontline-1") {
            person.name = format!("CANARY-AGENT {NASTY}");
        }
        for organization in desk.organizations.values_mut() {
            organization.name = format!("CANARY-ORGANISATION {NASTY}");
        }
    });
    let text = format!("/handoff billing now\n{NASTY}\n\nWhat now?");
    let no = stage.ticket("mallory@standard.example", &format!("Refund {NASTY}"), &text);
    let beside = stage.ticket("eva@standard.example", "Refund please", "I was charged twice. Can you pay one back?");
    stage.sandbox.with(|desk| {
        for person in desk.people.values_mut().filter(|person| person.email == "mallory@standard.example") {
            person.name = format!("Mallory {NASTY}");
        }
    });
    let agent = stage.sandbox.person("frontline-1");
    agent.notes(no, &format!("CANARY-NOTE {NASTY}"));
    agent.edits(no, STEPS, &format!("CANARY-STEPS {NASTY}"));
    agent.edits(no, QUESTION, &format!("CANARY-QUESTION {NASTY}?"));
    agent.tags(no, "{{ticket.requester.email}}");
    stage.a_while();
    assert_eq!((stage.queue(no), stage.queue(beside)), ("Billing".into(), "Billing".into()), "{dialect:?}");
    let ids: Vec<String> = stage.handoffs().iter().map(|handoff| handoff.id.clone()).collect();
    assert_eq!(ids.len(), 2, "one handoff each: nothing in the text was obeyed");
    let written = stage.written(no);
    assert!(written.iter().any(|(public, _)| *public) && written.iter().any(|(public, _)| !public), "{written:?}");
    for (public, text) in &written {
        let of_ours = Mark::in_text(text).is_some_and(|mark| ids.contains(&mark.handoff));
        assert_eq!((of_ours, text.matches("[handoffd ").count()), (!public, usize::from(!public)), "{text}");
        for bad in ["1337", "hunter2", "4111 1111", "\u{202e}", "\u{7}"] {
            assert!(!text.contains(bad), "{bad:?} in {text}");
        }
        // A placeholder of Zendesk's would be filled in by it; Request Tracker fills in nothing.
        let fills_in = dialect == Dialect::Zendesk;
        assert!(!fills_in || !text.contains("{{ticket.requester.email}}") && !text.contains("{{dc.secret}}"), "{text}");
        assert!(!public || !text.contains("CANARY"), "{text}");
    }
    let note = &written.iter().find(|(public, text)| !public && text.contains("Escalated")).expect("the note").1;
    assert!(note.contains("CANARY-STEPS"), "{note}");
    assert!(!note.contains("CANARY-NOTE"), "a remark among colleagues stays where it is: {note}");
}

#[test]
fn hostile_fields_travel_as_text_on_zendesk() {
    on(Dialect::Zendesk);
}

#[test]
fn hostile_fields_travel_as_text_on_request_tracker() {
    on(Dialect::RequestTracker);
}
