//! What travels: from where, in which lines, and what never does.

use super::*;
use crate::policy::rules::Missing;
use crate::policy::testing::{self, noted_by_agent, said_by_agent, said_by_customer};
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{Attachment, Conversation, Role};
use proptest::prelude::*;
use serde_json::json;

fn all_required() -> PackageDecision {
    PackageDecision { require: ORDER.to_vec(), missing: Missing::Send }
}

fn package_of(case: &Case) -> Package {
    let policy = testing::policy();
    build(case, &policy, &Facts::new(case, &policy), &all_required())
}

fn lines(package: &Package, part: PackagePart) -> Vec<&str> {
    let section = package.parts.iter().find(|section| section.part == part).unwrap();
    section.lines.iter().map(String::as_str).collect()
}

fn source(package: &Package, part: PackagePart) -> &str {
    &package.parts.iter().find(|section| section.part == part).unwrap().source
}

#[test]
fn a_conversation_becomes_a_package_in_which_every_part_says_its_source() {
    let mut case = testing::case();
    let mut first =
        said_by_customer("Hello,\n\nI was charged twice. My card is 4111 1111 1111 1111. It was on Monday.");
    first.attachments.push(Attachment {
        name: "bill.pdf".into(),
        media_type: Some("application/pdf".into()),
        bytes: Some(12_345),
        link: Some("https://desk.example/a/1".into()),
    });
    let messages = vec![first, said_by_agent("Please try the refund form."), said_by_customer("It says no. What now?")];
    case.parts.conversation = Some(Conversation { messages, complete: true });
    let package = package_of(&case);
    assert_eq!(lines(&package, PackagePart::Summary), ["Refund please", "I was charged twice."]);
    assert_eq!(
        lines(&package, PackagePart::Reported),
        ["2026-11-02: My card is [card number …1111]. It was on Monday.", "2026-11-02: It says no."]
    );
    assert_eq!(
        lines(&package, PackagePart::Steps),
        ["2026-11-02 First Agent (the customer wrote again): Please try the refund form."]
    );
    assert_eq!(lines(&package, PackagePart::Question), ["What now?"]);
    assert_eq!(lines(&package, PackagePart::Artifacts), ["bill.pdf (application/pdf, 12 kB) https://desk.example/a/1"]);
    assert_eq!(source(&package, PackagePart::Steps), "agents' public replies");
    assert_eq!(package.missing, []);
}

#[test]
fn a_mapped_field_comes_before_the_conversation() {
    let mut case = testing::case();
    case.head.fields.insert("f-steps".into(), json!("- restarted\n- reinstalled"));
    case.parts.conversation =
        Some(Conversation { messages: vec![said_by_agent("Have you tried the form?")], complete: true });
    let package = package_of(&case);
    assert_eq!(lines(&package, PackagePart::Steps), ["restarted", "reinstalled"]);
    assert_eq!(source(&package, PackagePart::Steps), "field steps");
}

fn with_messages(messages: Vec<handoffd_kit::model::Message>) -> Case {
    let mut case = testing::case();
    case.parts.conversation = Some(Conversation { messages, complete: true });
    case
}

#[test]
fn an_agents_internal_note_comes_after_the_field_and_before_the_conversation() {
    let mut older = noted_by_agent("Summary: An old one\nSteps: restarted\nQuestion: May we refund?");
    older.at -= jiff::SignedDuration::from_hours(48);
    let newer = noted_by_agent("Summary: Charged twice\n\nUnrelated.");
    let mut case = with_messages(vec![older, newer, said_by_customer("I was charged twice. Why?")]);
    case.head.fields.insert("f-steps".into(), json!("- reinstalled"));
    let package = package_of(&case);
    assert_eq!(lines(&package, PackagePart::Summary), ["Charged twice"]);
    assert_eq!(source(&package, PackagePart::Summary), "internal note by First Agent, 2026-11-02");
    assert_eq!(lines(&package, PackagePart::Steps), ["reinstalled"]);
    assert_eq!(source(&package, PackagePart::Steps), "field steps");
    assert_eq!(lines(&package, PackagePart::Question), ["May we refund?"]);
    assert_eq!(source(&package, PackagePart::Question), "internal note by First Agent, 2026-10-31");
    assert_eq!(lines(&package, PackagePart::Reported), ["I was charged twice. Why?"]);
    assert_eq!(source(&package, PackagePart::Reported), "conversation");
}

#[test]
fn nobody_but_an_agent_among_colleagues_fills_a_part() {
    let text = "Steps tried: all of them\nOpen question: Send me the password list?\nPlaybook: mine, step 9";
    let as_role = |role| {
        let mut note = noted_by_agent(text);
        note.author.role = role;
        note
    };
    let roles = [Role::Customer, Role::Automation, Role::Us, Role::Unknown];
    let by_others = roles.map(as_role).into_iter().chain([
        said_by_agent(text),
        noted_by_agent(&format!("> {}", text.replace('\n', "\n> "))),
        noted_by_agent(&format!("On Monday Eva wrote:\n{text}")),
        noted_by_agent(&format!("Escalated: a → b\n{text}\n\n[handoffd habc/1 refund@v1]")),
    ]);
    for note in by_others {
        let case = with_messages(vec![note.clone()]);
        let policy = testing::policy();
        let facts = Facts::new(&case, &policy);
        assert_eq!(playbook(&case, &policy, &facts), None, "{note:?}");
        let package = package_of(&case);
        assert!(!package.parts.iter().any(|part| part.source.starts_with("internal note")), "{note:?}");
    }
}

#[test]
fn the_customers_other_tickets_are_part_of_the_history() {
    use handoffd_kit::model::{Contacts, PastTicket, Related, Status, Tie};
    let past = |id: &str, subject: &str, status| PastTicket {
        id: id.into(),
        subject: Fact::Known(subject.into()),
        status: Fact::Known(status),
        created_at: Fact::Known(testing::now()),
    };
    let mut case = with_messages(Vec::new());
    let tickets = vec![
        past("42", "this one", Status::Open),
        past("41", "password: hunter2\n[handoffd h/1 r@v]", Status::Open),
        past("40", "Older", Status::Solved),
        past("39", "Oldest", Status::Closed),
    ];
    case.parts.contacts = Some(Contacts { tickets, complete: true, as_of: testing::now() });
    assert_eq!(
        lines(&package_of(&case), PackagePart::History),
        [
            "first handoff of this case",
            "3 other tickets of this customer, 1 of them not solved",
            "ticket 41 of 2026-11-02, open: password: [removed] (handoffd h/1 r@v]",
            "ticket 40 of 2026-11-02, solved: Older",
            "0 messages from the customer, 0 from agents"
        ]
    );
    assert!(needs(&all_required()).has(PartKind::Contacts));
    // A ticket that the helpdesk ties to this one is worth more than one that is only the same customer's.
    let tied = |ticket: &str, tie| Related { ticket: ticket.into(), tie };
    case.head.related =
        vec![tied("12", Tie::FollowsUp), tied("[handoffd h/1 r@v]", Tie::RefersTo), tied("14", Tie::PartOf)];
    assert_eq!(
        lines(&package_of(&case), PackagePart::History),
        [
            "first handoff of this case",
            "follow-up of ticket 12",
            "refers to ticket (handoffd h/1 r@v], and 1 more tied ticket",
            "3 other tickets of this customer, 1 of them not solved",
            "0 messages from the customer, 0 from agents"
        ]
    );
}

#[test]
fn a_checklist_and_a_playbook_are_read_from_the_field_else_from_the_newest_note() {
    let policy = testing::policy();
    let read = |case: &Case| {
        let facts = Facts::new(case, &policy);
        let list = checklist(case, &policy, &facts).map(|list| (list.total, list.done, list.failed));
        (list, playbook(case, &policy, &facts).map(|playbook| (playbook.id, playbook.step)))
    };
    let mut case = with_messages(vec![
        noted_by_agent("Steps tried:\n- [x] a\n- [ ] b\nPlaybook: vpn, step 2"),
        noted_by_agent("Steps tried:\n- [x] a: failed\n- failed: b\n- [ ] c"),
    ]);
    assert_eq!(read(&case), (Some((3, 2, 2)), Some(("vpn".into(), Some(2)))));
    case.head.fields.insert("f-steps".into(), json!("[x] only this"));
    case.head.fields.insert("f-playbook".into(), json!("other:7"));
    assert_eq!(read(&case), (Some((1, 1, 0)), Some(("other".into(), Some(7)))));
    // A field without a checklist leaves the note its say; a conversation that was not read whole has none.
    case.head.fields.insert("f-steps".into(), json!("restarted, nothing helped"));
    assert_eq!(read(&case).0, Some((3, 2, 2)));
    case.parts.conversation.as_mut().unwrap().complete = false;
    assert_eq!(read(&case).0, None);
}

#[test]
fn what_is_not_there_is_missing_and_what_was_not_read_is_unknown() {
    let mut case = testing::case();
    case.head.fields.insert("f-refund".into(), json!("a lot"));
    let package = package_of(&case);
    assert_eq!(
        package.missing,
        [PackagePart::Reported, PackagePart::Steps, PackagePart::Artifacts, PackagePart::Question]
    );
    assert_eq!(
        package.unknown,
        ["the conversation: it was not read", "ticket.fields.refund_eur: its value is not of the declared type"]
    );
}

#[test]
fn a_question_that_an_agent_has_answered_is_not_open() {
    let mut case = testing::case();
    let messages = vec![said_by_customer("Where is my refund?"), said_by_agent("On its way.")];
    case.parts.conversation = Some(Conversation { messages, complete: true });
    assert_eq!(lines(&package_of(&case), PackagePart::Question), Vec::<&str>::new());
}

#[test]
fn an_opening_forward_keeps_its_body_and_a_reply_does_not_repeat_what_stands_above() {
    let forward = "---------- Forwarded message ---------\nFrom: Eva <eva@customer.example>\nDate: Mon, 2 Nov 2026\nSubject: bill\n\n\
                   I was charged twice. It was on Monday. May I have it back?";
    let reply = "It fails.\nOn 2 Nov 2026 First Agent <agent@acme.example> wrote:\n> Please try the form.";
    let package = package_of(&with_messages(vec![said_by_customer(forward)]));
    assert_eq!(lines(&package, PackagePart::Reported), ["It was on Monday."]);
    assert_eq!(lines(&package, PackagePart::Summary), ["Refund please", "I was charged twice."]);
    assert_eq!(lines(&package, PackagePart::Question), ["May I have it back?"]);
    let package = package_of(&with_messages(vec![said_by_agent("Please try the form."), said_by_customer(reply)]));
    assert_eq!(lines(&package, PackagePart::Reported), ["It fails."]);
}

#[test]
fn a_message_that_begins_with_a_list_is_summed_up_by_its_first_item() {
    let list = "1. First step fails.\n2. Second step works.\n3. Third does not.";
    let package = package_of(&with_messages(vec![said_by_customer(list)]));
    assert_eq!(lines(&package, PackagePart::Summary), ["Refund please", "1. First step fails."]);
}

#[test]
fn what_is_not_read_of_a_message_is_not_said_to_stand_above() {
    let rest = format!("Refund please{}More", "\n".repeat(sentences::READ_MAX));
    let package = package_of(&with_messages(vec![said_by_customer(&rest)]));
    let reported = lines(&package, PackagePart::Reported);
    assert!(reported[0].starts_with("what was read stands above"), "{reported:?}");
    let package = package_of(&with_messages(vec![said_by_customer("Refund please")]));
    assert_eq!(lines(&package, PackagePart::Reported), ["all that was said stands above"]);
}

#[test]
fn an_automatic_answer_of_the_customer_is_no_answer() {
    let mut automatic = said_by_customer("I am out of office.");
    automatic.by_machine = Fact::Known(true);
    let package = package_of(&with_messages(vec![said_by_agent("Please try the form."), automatic]));
    assert!(lines(&package, PackagePart::Steps)[0].contains("(no answer since)"));
}

#[test]
fn a_long_part_says_how_much_is_left_out() {
    let mut case = testing::case();
    let messages = (0..40).map(|n| said_by_customer(&format!("Message number {n} is here."))).collect();
    case.parts.conversation = Some(Conversation { messages, complete: true });
    let package = package_of(&case);
    let reported = lines(&package, PackagePart::Reported);
    assert_eq!(reported.len(), 5);
    assert_eq!(reported[4], "… and 36 more in the ticket");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_sentence_stands_twice_and_no_line_is_a_mark(
        texts in prop::collection::vec(r"(\nSame again\.\n|\nWhat\?\n|\[handoffd h/1 r@v\]\n|[a-zé?.!\n ]{1,30}|\PC){0,12}", 0..8),
        subject in r"(Same again|\PC{0,20})",
    ) {
        let mut case = testing::case();
        case.head.subject = Fact::Known(subject);
        let messages = texts.iter().enumerate().map(|(n, text)| if n % 3 == 1 { said_by_agent(text) } else { said_by_customer(text) });
        case.parts.conversation = Some(Conversation { messages: messages.collect(), complete: true });
        let package = package_of(&case);
        let mut seen = std::collections::HashSet::new();
        for section in &package.parts {
            prop_assert!(section.lines.len() <= 5);
            for line in &section.lines {
                prop_assert!(seen.insert(line.clone()) || line.starts_with('…'), "{line} stands twice");
                prop_assert!(line.chars().count() <= sentences::LINE_MAX && !line.contains('\n'));
                prop_assert!(!line.contains("[handoffd"));
            }
        }
        let whole: String = package.parts.iter().flat_map(|section| &section.lines).cloned().collect();
        prop_assert!(whole.matches("Same again").count() <= 1, "{whole}");
    }
}
