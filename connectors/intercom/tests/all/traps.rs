//! Intercom's traps, one test each.

use crate::stage::traps::{self, queue_of};
use crate::stage::{Account, CUSTOMER, answer, id, mark, note, noted, reply, shown, tickets};
use futures::FutureExt;
use handoffd_kit::conformance::{Edit, Fault, Stage};
use handoffd_kit::desk::{Desk, DeskChange, OwnerSpec, QueueSpec, Sighting, StatusSpec, Update, Write};
use handoffd_kit::error::{DeskErrorKind, Retry};
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{
    Actor, Ending, FieldValue, PartKind, PartSet, Parts, Priority, Role, Status, Visibility, What,
};
use handoffd_kit::webhook::{Refusal, Unverified};
use handoffd_sandbox::change::{NewMessage, Update as Set};
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::ticket::Body;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::sync::Arc;

fn billing() -> DeskChange {
    DeskChange::Update(Update { queue: Some(QueueSpec::Name("Billing".into())), ..Update::default() })
}

fn owned_by(owner: OwnerSpec) -> DeskChange {
    DeskChange::Update(Update { owner: Some(owner), ..Update::default() })
}

fn put(word: &str, means: Status) -> DeskChange {
    DeskChange::Update(Update { status: Some(StatusSpec { word: word.into(), means }), ..Update::default() })
}

fn past(account: &Account, ticket: TicketNo) -> Parts {
    let all = PartSet::of(&[PartKind::Conversation, PartKind::History]);
    account.run(account.desk.parts(&account.head(ticket), all, Timestamp::MAX)).unwrap()
}

/// Changes each part that answers show.
fn parts(edit: impl Fn(&mut Value) + Send + Sync + 'static) -> Edit {
    Arc::new(move |answer| {
        if let Some(parts) = answer["conversation_parts"]["conversation_parts"].as_array_mut() {
            parts.iter_mut().for_each(&edit);
        }
    })
}

/// Answers show the newest part alone, as if a write's answer held no more.
fn newest_alone() -> Edit {
    Arc::new(|answer| {
        if let Some(parts) = answer["conversation_parts"]["conversation_parts"].as_array_mut() {
            let keep = parts.len().saturating_sub(1);
            parts.drain(..keep);
            answer["conversation_parts"]["total_count"] = json!(1);
        }
    })
}

#[test]
fn a_head_and_all_that_was_said_and_done_are_one_call_each() {
    let account = Account::new();
    let ticket = account.ticket();
    account.head(ticket);
    account.asked();
    let head = account.head(ticket);
    let read = format!("GET /conversations/{ticket}");
    assert_eq!(account.asked(), [read.as_str()]);
    account.run(account.desk.parts(&head, PartSet::of(&[PartKind::History]), Timestamp::MAX)).unwrap();
    assert_eq!(account.asked(), [read.as_str()]);
    let write = account.write(ticket, note("x"));
    account.asked();
    account.run(account.desk.apply(&write)).unwrap();
    assert_eq!(account.asked(), [read, format!("POST /conversations/{ticket}/reply")], "the answer proves it");
}

#[test]
fn a_note_that_comes_out_as_a_comment_is_an_incident_also_when_it_is_looked_up() {
    let account = Account::new();
    let ticket = account.ticket();
    let write = account.write(ticket, note("Among us"));
    account.stage.wire().edit_answers(parts(|part| part["part_type"] = json!("comment")));
    let error = account.run(account.desk.apply(&write)).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Leaked, Retry::Applied));
    assert_eq!(account.run(account.desk.find(&write)).unwrap_err().kind, DeskErrorKind::Leaked);
    account.stage.wire().mend();
    assert!(matches!(account.run(account.desk.find(&write)).unwrap(), Sighting::Found(_)));
}

#[test]
fn an_answer_that_holds_the_new_part_alone_proves_the_write_and_a_missing_one_is_read_again() {
    let account = Account::new();
    let ticket = account.ticket();
    account.stage.sandbox.person("floater").notes(ticket, "before");
    let write = account.write(ticket, note("Context"));
    account.stage.wire().fault_next_write(Fault::Hold);
    let mut applying = account.desk.apply(&write);
    assert!((&mut applying).now_or_never().is_none());
    account.stage.wire().edit_answers(newest_alone());
    account.stage.wire().release();
    let receipt = account.run(applying).unwrap();
    assert_eq!(receipt.version, None, "what else happened meanwhile was not seen");
    account.stage.wire().mend();
    let other = account.ticket();
    let write = Write { mark: mark(), ..account.write(other, note("Context")) };
    account.asked();
    account.stage.wire().fault_next_write(Fault::Hold);
    let mut applying = account.desk.apply(&write);
    assert!((&mut applying).now_or_never().is_none());
    account.stage.wire().edit_answers(Arc::new(|answer| {
        if let Some(answer) = answer.as_object_mut() {
            answer.remove("conversation_parts");
        }
    }));
    account.stage.wire().release();
    let error = account.run(applying).unwrap_err();
    account.stage.wire().mend();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Protocol, Retry::Unsure), "nowhere to be seen");
    assert!(matches!(account.run(account.desk.find(&write)).unwrap(), Sighting::Found(_)));
}

#[test]
fn a_handoff_is_one_call_for_each_thing_and_two_things_are_no_one_write() {
    let account = Account::new();
    let ticket = account.ticket();
    account.stage.sandbox.person("floater").takes(ticket);
    for change in [note("Context"), billing(), owned_by(OwnerSpec::Nobody), put("snoozed", Status::Pending)] {
        let write = account.write(ticket, change);
        account.asked();
        account.run(account.desk.apply(&write)).unwrap();
        let writes = account.asked().into_iter().filter(|one| !one.starts_with("GET")).count();
        assert_eq!(writes, 1);
    }
    let now = account.stage.sandbox.ticket(ticket).unwrap();
    assert_eq!((queue_of(&account, ticket).as_str(), now.owner, now.status), ("Billing", None, Status::Pending));
    let both = DeskChange::Update(Update {
        note: noted("x"),
        queue: Some(QueueSpec::Name("Support".into())),
        ..Update::default()
    });
    let error = account.run(account.desk.apply(&account.write(ticket, both))).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Refused, Retry::Never));
    assert_eq!(queue_of(&account, ticket), "Billing");
}

#[test]
fn an_assignment_carries_no_words_and_leaves_the_other_slot_as_it_is() {
    let account = Account::new();
    let ticket = account.ticket();
    account.stage.sandbox.person("floater").takes(ticket);
    account.run(account.desk.apply(&account.write(ticket, billing()))).unwrap();
    let now = account.stage.sandbox.ticket(ticket).unwrap();
    assert_eq!((now.owner, now.messages.len()), (account.stage.sandbox.person("floater").no(), 1));
    account.asked();
    account.run(account.desk.apply(&account.write(ticket, billing()))).unwrap();
    assert!(!account.asked().iter().any(|one| one.starts_with("POST")), "what is there already is not written again");
    let changes = past(&account, ticket).history.unwrap();
    let moved = changes.iter().rfind(|change| matches!(change.what[..], [What::Queue { .. }])).unwrap();
    assert_eq!((moved.actor, moved.by.role), (Actor::Us, Role::Us));
}

#[test]
fn a_snooze_needs_a_time_and_a_move_of_ours_does_not_end_it_where_intercom_would_wake_the_conversation() {
    let account = Account::new();
    let ticket = account.ticket();
    account.run(account.desk.apply(&account.write(ticket, put("snoozed", Status::Pending)))).unwrap();
    let until = |account: &Account| -> i64 {
        account.stage.sandbox.ticket(ticket).unwrap().extra["snoozed_until"].parse().unwrap()
    };
    let first = until(&account);
    assert_eq!(first - account.clock_now().as_second(), 14 * 86_400);
    account.pass(600);
    let receipt = account.run(account.desk.apply(&account.write(ticket, billing()))).unwrap();
    assert_eq!(
        (queue_of(&account, ticket).as_str(), until(&account)),
        ("Billing", first),
        "as long as it was meant to"
    );
    assert_eq!(account.head(ticket).status, Fact::Known(Status::Pending));
    assert_eq!(receipt.version, Some(account.head(ticket).version));
    let changes = past(&account, ticket).history.unwrap();
    let [.., woke, slept] = &changes[..] else { panic!("{changes:?}") };
    let opened = What::Status { from: Some(Status::Pending), to: Some(Status::Open) };
    assert!(woke.what.contains(&opened) && woke.actor == Actor::Us && slept.actor == Actor::Us, "{woke:?} {slept:?}");
    // What cannot be snoozed again is told: the move was made.
    account.stage.wire().fault_next_write(Fault::Hold);
    let write = account.write(ticket, owned_by(OwnerSpec::Email("billing-1@acme.example".into())));
    let mut applying = account.desk.apply(&write);
    assert!((&mut applying).now_or_never().is_none());
    account.stage.wire().fault_next_write(answer(503, String::new()));
    account.stage.wire().release();
    let error = account.run(applying).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Refused, Retry::Applied), "{}", shown(&error));
    let odd = account.run(account.desk.apply(&account.write(ticket, put("sleeping", Status::Pending)))).unwrap_err();
    assert_eq!(odd.kind, DeskErrorKind::Refused);
}

#[test]
fn a_priority_is_read_and_refused_to_be_set_before_anything_is_sent() {
    let account = Account::new();
    let ticket = account.ticket();
    account.stage.sandbox.person("floater").prioritises(ticket, "normal");
    assert_eq!(account.head(ticket).priority, Fact::Known(Some(Priority::Normal)));
    let change = DeskChange::Update(Update { priority: Some(Priority::Urgent), ..Update::default() });
    let write = account.write(ticket, change);
    account.asked();
    let error = account.run(account.desk.apply(&write)).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Refused, Retry::Never));
    assert!(error.next_step.is_some() && account.asked().is_empty(), "{}", shown(&error));
}

#[test]
fn a_person_who_acts_between_decision_and_write_is_not_overruled_and_a_reader_is_nobody() {
    let account = Account::new();
    let acts = ["takes", "moves", "prioritises", "notes", "tags", "edits"];
    traps::whoever_acts_in_between_is_not_overruled(&account, &billing(), &acts);
    let ticket = account.ticket();
    let write = account.write(ticket, billing());
    let later = account.clock_now().as_second() + 50;
    account.stage.wire().edit_answers(Arc::new(move |answer| {
        if answer.get("read").is_some() {
            (answer["read"], answer["updated_at"]) = (json!(true), json!(later));
        }
    }));
    account.run(account.desk.apply(&write)).unwrap();
}

#[test]
fn what_a_person_did_between_our_read_and_our_write_is_put_back_unless_somebody_acted_since() {
    for since in [false, true] {
        let account = Account::new();
        let ticket = account.ticket();
        // Names are learnt once.
        account.run(account.desk.apply(&account.write(account.ticket(), billing()))).unwrap();
        let write = account.write(ticket, billing());
        account.stage.wire().fault_next_write(Fault::Hold);
        let mut applying = account.desk.apply(&write);
        assert!((&mut applying).now_or_never().is_none(), "the conversation was read, and the write waits");
        account.stage.sandbox.person("floater").moves(ticket, "Tier 2");
        if since {
            // The answer to ours lacks the parts before it: the conversation is read again, later.
            account.stage.wire().edit_answers(newest_alone());
            account.stage.wire().fault_next_read(Fault::Hold);
            account.stage.wire().release();
            assert!((&mut applying).now_or_never().is_none(), "it is written, and what came of it is not read yet");
            account.stage.sandbox.person("frontline-1").moves(ticket, "Incoming");
            account.stage.wire().mend();
        }
        account.stage.wire().release();
        let error = account.run(applying).unwrap_err();
        assert_eq!((error.kind, error.retry), (DeskErrorKind::Conflict, Retry::Overruled), "{}", error.words);
        let floater = account.stage.sandbox.person("floater").no().unwrap();
        assert!(error.words.contains(&floater.to_string()), "{}", error.words);
        let (words, queue) = if since { ("that stays", "Incoming") } else { ("put back", "Tier 2") };
        assert!(error.words.contains(words), "{}", error.words);
        assert_eq!(queue_of(&account, ticket), queue);
    }
}

#[test]
fn a_message_to_the_customer_is_a_comment_in_html_and_what_customers_see_as_tags_is_told() {
    let account = Account::new();
    let ticket = account.ticket();
    account.run(account.desk.apply(&account.write(ticket, reply("We are on it.\nUntil <4 pm>.")))).unwrap();
    let said = account.stage.sandbox.ticket(ticket).unwrap().messages.pop().unwrap();
    assert_eq!(said.visibility, Visibility::Public);
    assert_eq!(said.body, Body::Html("<p>We are on it.<br>Until &lt;4 pm&gt;.</p>".into()));
    let as_text = |part: &mut Value| {
        let body =
            part["body"].as_str().map(|body| body.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;"));
        part["body"] = json!(body);
    };
    let write = account.write(ticket, reply("Second words."));
    account.stage.wire().edit_answers(parts(as_text));
    let error = account.run(account.desk.apply(&write)).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Refused, Retry::Applied));
    assert!(error.words.contains("sees HTML tags") && !shown(&error).contains("Second"), "{}", error.words);
    assert!(matches!(account.run(account.desk.find(&write)).unwrap(), Sighting::Found(_)), "and found all the same");
    account.stage.wire().mend();
    account.stage.wire().edit_answers(parts(|part| part["part_type"] = json!("note")));
    let error = account.run(account.desk.apply(&account.write(ticket, reply("Third words.")))).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Refused, Retry::Applied), "it stayed inside");
}

#[test]
fn of_more_than_five_hundred_parts_the_newest_are_seen_and_what_lies_before_cannot_be_told() {
    let account = Account::new();
    let ticket = account.ticket();
    let write = account.write(ticket, note("Early"));
    account.run(account.desk.apply(&write)).unwrap();
    let agent = account.stage.sandbox.person("floater");
    for n in 0..505 {
        account.pass(1);
        agent.notes(ticket, &format!("note {n}"));
    }
    let read = past(&account, ticket);
    let conversation = read.conversation.unwrap();
    assert_eq!((conversation.messages.len(), conversation.complete), (501, false), "with what it began with");
    assert!(matches!(account.run(account.desk.find(&write)).unwrap(), Sighting::CannotTell(_)));
    let fresh = Write { first_tried: Some(account.clock_now()), ..write };
    assert_eq!(account.run(account.desk.find(&fresh)).unwrap(), Sighting::NotFound, "of today all parts are shown");
    account.run(account.desk.apply(&account.write(ticket, billing()))).unwrap();
    assert_eq!(queue_of(&account, ticket), "Billing");
}

#[test]
fn bodies_are_html_and_what_a_bot_or_the_ai_agent_says_is_no_agents() {
    let account = Account::new();
    let ticket = account.ticket();
    let html = "<p>Tried:</p><ul><li>restart</li><li>wait &amp; see</li></ul>";
    let say = vec![NewMessage::new(Visibility::Internal, Body::Html(html.into()))];
    account.stage.sandbox.person("floater").updates(ticket, Set { say, ..Set::default() });
    let told = |account: &Account| past(account, ticket).conversation.unwrap().messages.pop().unwrap();
    let said = told(&account);
    assert_eq!(said.author.role, Role::Agent);
    assert!(said.said.words().contains("wait & see") && !said.said.words().contains('<'), "{}", said.said.words());
    account.stage.wire().edit_answers(parts(|part| part["author"]["from_ai_agent"] = json!(true)));
    let said = told(&account);
    assert_eq!((said.author.role, said.by_machine), (Role::Automation, Fact::Known(true)));
    let changes = past(&account, ticket).history.unwrap();
    assert_eq!(changes.last().unwrap().actor, Actor::Automation, "and orders nothing");
}

#[test]
fn what_a_workflow_does_is_a_bots_and_what_we_do_is_ours_with_its_mark() {
    let account = Account::new();
    let ticket = account.ticket();
    account.stage.sandbox.automation("Router").moves(ticket, "Billing");
    account.pass(1);
    let receipt = account.run(account.desk.apply(&account.write(ticket, note("Context")))).unwrap();
    let changes = past(&account, ticket).history.unwrap();
    let moved =
        changes.iter().find(|change| change.what.iter().any(|what| matches!(what, What::Queue { .. }))).unwrap();
    assert_eq!((moved.actor, moved.by.role), (Actor::Automation, Role::Automation));
    let ours = changes.last().unwrap();
    assert_eq!((ours.actor, ours.mark.as_ref()), (Actor::Us, Some(&mark())));
    assert_eq!(ours.id.as_str(), receipt.id, "the receipt is the history's own name");
}

#[test]
fn labels_are_made_put_on_and_taken_off_one_by_one_and_half_of_them_is_looked_up_first() {
    let account = Account::new();
    let (ticket, write) = traps::tagged(&account);
    account.stage.wire().fault_next_write(Fault::LostAfter);
    assert_eq!(account.run(account.desk.apply(&write)).unwrap_err().retry, Retry::Unsure, "the label may be made");
    assert_eq!(account.run(account.desk.find(&write)).unwrap(), Sighting::NotFound);
    account.run(account.desk.apply(&write)).unwrap();
    assert!(matches!(account.run(account.desk.find(&write)).unwrap(), Sighting::Found(_)));
    traps::tags_are_as_wanted(&account, ticket);
    let changes = past(&account, ticket).history.unwrap();
    let by = |name: &str| {
        let added = |what: &What| matches!(what, What::Tags { added, .. } if added[..] == [name.to_owned()]);
        changes.iter().find(|change| change.what.iter().any(added)).map(|change| change.actor)
    };
    assert_eq!((by("kept"), by("ours"), by("gone")), (Some(Actor::Person), Some(Actor::Us), None));
    traps::odd_tags_are_refused(&account, ticket, &[" "]);
}

#[test]
fn attributes_are_set_by_name_and_one_that_does_not_exist_or_does_not_hold_is_told() {
    let account = Account::new();
    let ticket = account.ticket();
    let set =
        |name: &str, value| DeskChange::Update(Update { fields: vec![(name.into(), value)], ..Update::default() });
    account.run(account.desk.apply(&account.write(ticket, set("refund_eur", FieldValue::Number(600.0))))).unwrap();
    assert_eq!(account.head(ticket).fields["refund_eur"], json!(600));
    let unknown = set("nope", FieldValue::Text("x".into()));
    let error = account.run(account.desk.apply(&account.write(ticket, unknown))).unwrap_err();
    assert_eq!((error.kind, error.retry, error.status), (DeskErrorKind::Refused, Retry::Never, Some(400)));
    let write = account.write(ticket, set("Steps tried", FieldValue::Text("restart".into())));
    account.stage.wire().edit_answers(Arc::new(|answer| {
        if let Some(attributes) = answer["custom_attributes"].as_object_mut() {
            attributes.remove("Steps tried");
        }
    }));
    let error = account.run(account.desk.apply(&write)).unwrap_err();
    account.stage.wire().mend();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Refused, Retry::Applied), "a 200 that did not hold");
    assert!(matches!(account.run(account.desk.find(&write)).unwrap(), Sighting::Found(_)));
    account.stage.sandbox.person("floater").edits(ticket, handoffd_sandbox::seed::STEPS, "other");
    assert!(matches!(account.run(account.desk.find(&write)).unwrap(), Sighting::Found(_)), "our own part is there");
}

#[test]
fn a_lost_assignment_is_found_by_what_stands_there_or_by_our_part_and_else_is_not_there() {
    let account = Account::new();
    let ticket = account.ticket();
    let write = account.write(ticket, billing());
    account.stage.wire().fault_next_write(Fault::LostBefore);
    assert_eq!(account.run(account.desk.apply(&write)).unwrap_err().retry, Retry::Unsure);
    assert_eq!(account.run(account.desk.find(&write)).unwrap(), Sighting::NotFound);
    account.stage.wire().fault_next_write(Fault::LostAfter);
    assert_eq!(account.run(account.desk.apply(&write)).unwrap_err().retry, Retry::Unsure);
    assert!(matches!(account.run(account.desk.find(&write)).unwrap(), Sighting::Found(_)));
    account.pass(1);
    account.stage.sandbox.person("floater").moves(ticket, "Support");
    assert!(matches!(account.run(account.desk.find(&write)).unwrap(), Sighting::Found(_)), "moved on since");
}

#[test]
fn a_merged_conversation_takes_nothing_and_names_where_it_went() {
    let account = Account::new();
    let (ticket, into) = (account.ticket(), account.ticket());
    let write = Write { expected: None, decided_on: None, ..account.write(ticket, note("late")) };
    account.stage.sandbox.person("floater").merges(ticket, into);
    assert_eq!(account.head(ticket).ending, Some(Ending::Merged { into: Some(id(into)) }));
    let error = account.run(account.desk.apply(&write)).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Gone, Retry::Never));
    assert!(error.words.contains(&into.to_string()));
    account.stage.sandbox.person("floater").solves(into);
    assert_eq!((account.head(into).ending, account.head(into).status), (None, Fact::Known(Status::Solved)));
    account.run(account.desk.apply(&account.write(into, note("still open for notes")))).unwrap();
}

#[test]
fn a_teammate_who_left_is_refused_as_an_assignee_and_not_taken_for_a_missing_right() {
    let account = Account::new();
    let ticket = account.ticket();
    let error = account
        .run(account.desk.apply(&account.write(ticket, owned_by(OwnerSpec::User("424242".into())))))
        .unwrap_err();
    assert_eq!((error.kind, error.retry, error.status), (DeskErrorKind::Refused, Retry::Never, Some(403)));
    assert!(error.words.contains("assignee_not_found") && error.next_step.is_some(), "{}", shown(&error));
    let stranger =
        account.run(account.desk.apply(&account.write(ticket, owned_by(OwnerSpec::Email("x@y.example".into())))));
    assert_eq!(stranger.unwrap_err().kind, DeskErrorKind::Refused);
    account
        .run(account.desk.apply(&account.write(ticket, owned_by(OwnerSpec::Email("Billing-1@acme.example".into())))))
        .unwrap();
    let owner = account.head(ticket).owner;
    let Fact::Known(Some(owner)) = owner else { panic!("{owner:?}") };
    assert_eq!((owner.email.as_deref(), owner.role), (Some("billing-1@acme.example"), Role::Agent));
}

#[test]
fn a_limit_without_a_retry_after_waits_for_the_end_of_its_window() {
    let account = Account::new();
    let ticket = account.ticket();
    account.head(ticket);
    let ends = account.clock_now().as_second() + 8;
    let headers = vec![("x-ratelimit-remaining", "0".into()), ("x-ratelimit-reset", ends.to_string())];
    let body = r#"{"type":"error.list","errors":[{"code":"rate_limit_exceeded","message":"Exceeded rate limit"}]}"#;
    account.stage.wire().fault_next_read(Fault::Answer { status: 429, headers, body });
    let error = account.run(account.desk.head(&id(ticket), Timestamp::MAX)).unwrap_err();
    let Retry::After(Some(until)) = error.retry else { panic!("{:?}", error.retry) };
    assert_eq!((error.kind, until.as_second() >= ends), (DeskErrorKind::RateLimited, true));
    account.head(ticket);
    assert!(account.clock_now().as_second() >= ends, "and nothing is sent before");
}

#[test]
fn a_search_lags_and_has_no_order_and_yet_every_change_is_seen_once() {
    let account = Account::new();
    let since = account.clock_now();
    let mut cursor = None;
    let first: Vec<TicketNo> = (0..120).map(|_| account.ticket()).collect();
    account.pass(3);
    let mut seen = tickets(&account.poll("conversations", &mut cursor, since));
    seen.sort_by_key(|id| id.parse::<u64>().unwrap());
    assert_eq!(seen, first.iter().map(ToString::to_string).collect::<Vec<_>>(), "more than a page in one second");
    account.stage.sandbox.with(|desk| desk.habits.stream_lag = jiff::SignedDuration::from_secs(40));
    account.pass(5);
    account.stage.sandbox.person("floater").notes(first[0], "late");
    assert!(account.poll("conversations", &mut cursor, since).is_empty(), "not shown yet");
    account.pass(60);
    assert_eq!(tickets(&account.poll("conversations", &mut cursor, since)), [first[0].to_string()]);
    account.pass(1_200);
    account.poll("conversations", &mut cursor, since);
    account.asked();
    assert!(account.poll("conversations", &mut cursor, since).is_empty());
    assert_eq!(account.asked(), ["POST /conversations/search"], "a quiet poll is one call");
}

#[test]
fn the_customers_company_and_language_come_from_the_contact_and_a_merged_contact_is_unknown() {
    let account = Account::new();
    let ticket = account.ticket();
    let read = |account: &Account| {
        let head = account.head(ticket);
        let wanted = PartSet::of(&[PartKind::Customer, PartKind::Contacts]);
        account.run(account.desk.parts(&head, wanted, Timestamp::MAX)).unwrap()
    };
    let customer = read(&account).customer.unwrap();
    assert_eq!((customer.person.email.as_deref(), customer.person.role), (Some(CUSTOMER), Role::Customer));
    assert_eq!(customer.language, Fact::Known(Some("en-US".into())));
    let Fact::Known(Some(company)) = customer.organization else { panic!("{:?}", customer.organization) };
    assert_eq!((company.name.as_deref(), &company.fields["plan"]), (Some("Standard Customer"), &json!("standard")));
    account.pass(700);
    let contact = format!("{:024x}", account.stage.sandbox.person(CUSTOMER).no().unwrap().0);
    let path: &'static str = Box::leak(format!("/contacts/{contact}").into_boxed_str());
    let gone = Account::refusing(
        path,
        410,
        r#"{"type":"error.list","errors":[{"code":"contact_merged","message":"merged"}]}"#,
    );
    gone.ticket();
    let customer = read(&gone).customer.unwrap();
    assert_eq!((customer.person.email, customer.person.role), (None, Role::Customer));
}

#[test]
fn a_hook_is_signed_by_the_client_secret_over_the_raw_body_and_is_a_hint_to_look() {
    let mut account = Account::new();
    let ticket = account.ticket();
    let posted = futures::executor::block_on(account.stage.webhook(&id(ticket))).unwrap();
    let read = |body: &[u8]| account.desk.webhook(Unverified::new(&posted.headers, None, body, account.clock_now()));
    let delivery = read(&posted.body).unwrap();
    assert!(delivery.id.unwrap().starts_with("notif_"));
    assert_eq!(delivery.hints[0].ticket, id(ticket));
    let rewritten = serde_json::from_slice::<Value>(&posted.body).unwrap();
    let pretty = serde_json::to_vec_pretty(&rewritten).unwrap();
    assert_eq!(read(&pretty), Err(Refusal::Forged), "the same words in other bytes");
    assert_eq!(rewritten["data"]["item"]["source"]["body"], Value::Null, "and without the customer's words");
}

#[test]
fn every_request_names_the_version_and_a_permission_behind_a_401_is_no_refused_login() {
    let account = Account::new();
    let ticket = account.ticket();
    account.stage.sandbox.person("floater").prioritises(ticket, "low");
    // Without the version the dialect answers in the words of an older one, which have no low.
    assert_eq!(account.head(ticket).priority, Fact::Known(Some(Priority::Low)));
    let body = r#"{"type":"error.list","errors":[{"code":"token_unauthorized","message":"Not authorized to access resource"}]}"#;
    account.stage.wire().fault_next_read(answer(401, body.into()));
    let error = account.run(account.desk.head(&id(ticket), Timestamp::MAX)).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Forbidden, Retry::Never));
    assert!(error.next_step.unwrap().contains("permission"));
}
