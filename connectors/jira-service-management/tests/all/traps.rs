//! What writing to Jira can go wrong with, one test each.

use crate::stage::traps::{self, away, billing, queue_of};
use crate::stage::{Account, answer, id, note, noted, reply, shown};
use futures::FutureExt;
use handoffd_kit::conformance::{Edit, Fault, Stage};
use handoffd_kit::desk::{Desk, DeskChange, OwnerSpec, QueueSpec, Sighting, StatusSpec, Update, Write};
use handoffd_kit::error::{DeskErrorKind, Retry};
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{Ending, FieldValue, Priority, Role, Status, Visibility};
use handoffd_sandbox::seed;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;

/// Every comment, however it is shown, says this of itself.
fn public(public: bool) -> Edit {
    Arc::new(move |answer| {
        let comments = match answer.get_mut("comments").and_then(Value::as_array_mut) {
            Some(comments) => comments.iter_mut().collect(),
            None => vec![answer],
        };
        for comment in comments {
            for key in ["public", "jsdPublic"] {
                if comment.get(key).is_some() {
                    comment[key] = json!(public);
                }
            }
        }
    })
}

fn paths(account: &Account) -> Vec<String> {
    let asked = account.asked().into_iter();
    asked.map(|one| one.split('?').next().unwrap_or_default().replace("/rest/api/3/", "").to_owned()).collect()
}

#[test]
fn a_move_is_one_edit_of_fields_between_a_read_and_a_look_at_the_history() {
    let account = Account::new();
    // Fields are learnt once.
    account.run(account.desk.apply(&account.write(account.ticket(), billing()))).unwrap();
    let ticket = account.ticket();
    account.stage.sandbox.person("frontline-1").takes(ticket);
    let write = account.write(ticket, billing());
    account.asked();
    let receipt = account.run(account.desk.apply(&write)).unwrap();
    let expected =
        [format!("GET issue/{ticket}"), format!("PUT issue/{ticket}"), format!("GET issue/{ticket}/changelog")];
    assert_eq!(paths(&account), expected);
    let now = account.stage.sandbox.ticket(ticket).unwrap();
    assert_eq!((queue_of(&account, ticket).as_str(), now.owner), ("Billing", None));
    assert_eq!(receipt.version, Some(account.head(ticket).version), "the answer shows what the next write may rest on");
    let again = account.write(ticket, billing());
    account.asked();
    account.run(account.desk.apply(&again)).unwrap();
    assert!(!paths(&account).iter().any(|one| one.starts_with("PUT")), "what is there already is not written again");
}

#[test]
fn an_edit_that_is_answered_with_nothing_is_read_back() {
    let account = Account::new();
    let ticket = account.ticket();
    let write = account.write(ticket, billing());
    account.stage.sandbox.person("frontline-1").tags(ticket, "seen");
    let write = Write { expected: None, decided_on: None, ..write };
    account.stage.wire().fault_next_write(answer(204, String::new()));
    let receipt = account.run(account.desk.apply(&write)).unwrap();
    assert!(receipt.version.is_some() && receipt.head.is_some());
}

#[test]
fn an_account_that_is_no_agent_writes_in_public_and_that_is_an_incident_taken_back_at_once() {
    let account = Account::new();
    let ticket = account.ticket();
    let write = account.write(ticket, note("Among us"));
    account.stage.sandbox.with(|desk| {
        let bot = desk.people.values_mut().find(|person| person.login == seed::BOT).unwrap();
        bot.role = handoffd_sandbox::people::Role::Customer;
    });
    account.asked();
    let error = account.run(account.desk.apply(&write)).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Leaked, Retry::Applied));
    assert!(
        error.words.contains("deleted again at once") && error.next_step.as_ref().unwrap().contains("agent"),
        "{error}"
    );
    assert_eq!(account.stage.sandbox.ticket(ticket).unwrap().messages.len(), 1, "nothing of it is left");
    assert!(paths(&account).iter().any(|one| one.starts_with(&format!("DELETE issue/{ticket}/comment/"))));
}

#[test]
fn a_public_note_that_cannot_be_taken_back_says_so_and_is_an_incident_when_it_is_looked_up() {
    let account = Account::new();
    let ticket = account.ticket();
    let write = account.write(ticket, note("Among us"));
    account.stage.wire().fault_next_write(Fault::Hold);
    let mut applying = account.desk.apply(&write);
    assert!((&mut applying).now_or_never().is_none());
    account.stage.wire().edit_answers(public(true));
    account.stage.wire().fault_next_write(answer(400, r#"{"errorMessages":["No."],"errors":{}}"#.into()));
    account.stage.wire().release();
    let error = account.run(applying).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Leaked, Retry::Applied));
    assert!(error.words.contains("could not be deleted") && error.next_step.unwrap().contains("delete the comment"));
    let error = account.run(account.desk.find(&write)).unwrap_err();
    assert_eq!(error.kind, DeskErrorKind::Leaked);
    account.stage.wire().mend();
    assert!(matches!(account.run(account.desk.find(&write)).unwrap(), Sighting::Found(_)));
}

#[test]
fn a_note_whose_visibility_nobody_tells_is_unsure_and_not_repeated() {
    let account = Account::new();
    let ticket = account.ticket();
    let write = account.write(ticket, note("Among us"));
    account.stage.wire().edit_answers(Arc::new(|answer| {
        if let Some(inside) = answer.as_object_mut() {
            inside.remove("public");
        }
    }));
    let error = account.run(account.desk.apply(&write)).unwrap_err();
    account.stage.wire().mend();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Protocol, Retry::Unsure));
    assert!(matches!(account.run(account.desk.find(&write)).unwrap(), Sighting::Found(_)));
}

#[test]
fn a_reply_goes_to_customers_only_and_one_that_stayed_inside_is_told() {
    let account = Account::new();
    let ticket = account.ticket();
    account.run(account.desk.apply(&account.write(ticket, reply("We are on it [now].")))).unwrap();
    let said = account.stage.sandbox.ticket(ticket).unwrap().messages.pop().unwrap();
    assert_eq!((said.visibility, said.body.text().as_str()), (Visibility::Public, "We are on it [now]."));
    account.stage.wire().edit_answers(public(false));
    let error = account.run(account.desk.apply(&account.write(ticket, reply("Again.")))).unwrap_err();
    account.stage.wire().mend();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Refused, Retry::Applied));
    account.stage.wire().edit_answers(Arc::new(|answer| {
        if answer["fields"].get("customfield_10010").is_some() {
            answer["fields"]["customfield_10010"] = Value::Null;
        }
    }));
    let write = account.write(ticket, reply("Nobody sees this"));
    account.asked();
    let error = account.run(account.desk.apply(&write)).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Refused, Retry::Never));
    assert!(error.words.contains("no request type") && !shown(&error).contains("Nobody sees"), "{error}");
    assert!(!account.asked().iter().any(|one| one.starts_with("POST")), "it was not sent");
}

#[test]
fn a_team_is_a_value_of_a_field_and_a_value_that_is_not_there_is_refused_in_jiras_words() {
    let account = Account::new();
    let ticket = account.ticket();
    let to = |name: &str| DeskChange::Update(Update { queue: Some(QueueSpec::Name(name.into())), ..Update::default() });
    let error = account.run(account.desk.apply(&account.write(ticket, to("Nowhere")))).unwrap_err();
    assert_eq!((error.kind, error.retry, error.status), (DeskErrorKind::Refused, Retry::Never, Some(400)));
    assert!(error.words.contains("Option value 'Nowhere' is not valid"), "{error}");
    assert!(error.next_step.unwrap().starts_with("The field has no such option"));
    assert_eq!(queue_of(&account, ticket), "Support");
    let fields = vec![("customfield_4711".to_owned(), FieldValue::Number(1.0))];
    let unknown = DeskChange::Update(Update { fields, ..Update::default() });
    let error = account.run(account.desk.apply(&account.write(ticket, unknown))).unwrap_err();
    assert_eq!((error.kind, error.status), (DeskErrorKind::Refused, None), "a field that nobody sees is not sent");
}

#[test]
fn a_status_is_reached_by_a_transition_and_one_that_leads_nowhere_names_where_they_lead() {
    let account = Account::new();
    let ticket = account.ticket();
    let put = |word: &str, means| {
        let status = Some(StatusSpec { word: word.into(), means });
        account.write(ticket, DeskChange::Update(Update { status, ..Update::default() }))
    };
    let write = put("Waiting for customer", Status::Pending);
    account.asked();
    account.run(account.desk.apply(&write)).unwrap();
    let way = format!("issue/{ticket}/transitions");
    let asked = paths(&account);
    assert!(asked.contains(&format!("GET {way}")) && asked.contains(&format!("POST {way}")), "{asked:?}");
    assert!(!asked.iter().any(|one| one.starts_with("PUT")), "{asked:?}");
    assert_eq!(account.head(ticket).status, Fact::Known(Status::Pending));
    let error = account.run(account.desk.apply(&put("Waiting for parts", Status::OnHold))).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Refused, Retry::Never));
    assert!(error.words.contains("Waiting for support"), "{error}");
    let write = put("Waiting for support", Status::Open);
    account.stage.wire().fault_next_write(Fault::LostAfter);
    assert_eq!(account.run(account.desk.apply(&write)).unwrap_err().retry, Retry::Unsure);
    account.pass(5);
    account.stage.sandbox.person("frontline-1").solves(ticket);
    assert!(
        matches!(account.run(account.desk.find(&write)).unwrap(), Sighting::Found(_)),
        "in the history, with our mark"
    );
    let both = Update { note: noted("x"), ..away() };
    let error = account.run(account.desk.apply(&account.write(ticket, DeskChange::Update(both)))).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Refused, Retry::Never), "two calls are no one write");
}

#[test]
fn priorities_and_fields_are_sent_as_jira_takes_them() {
    let account = Account::new();
    let ticket = account.ticket();
    let text = "restarted\nwaited\n\nthen [gave up]";
    let fields = vec![
        (format!("customfield_{}", seed::STEPS), FieldValue::Text(text.into())),
        (format!("customfield_{}", seed::REFUND_EUR), FieldValue::Number(750.0)),
    ];
    let change = DeskChange::Update(Update { priority: Some(Priority::Urgent), fields, ..Update::default() });
    account.run(account.desk.apply(&account.write(ticket, change.clone()))).unwrap();
    let now = account.stage.sandbox.ticket(ticket).unwrap();
    assert_eq!((now.field(seed::STEPS), now.field(seed::REFUND_EUR)), (Some(text), Some("750")));
    let head = account.head(ticket);
    assert_eq!(head.priority, Fact::Known(Some(Priority::Urgent)));
    assert_eq!(head.fields[&format!("customfield_{}", seed::STEPS)], json!(text), "a document reads as its words");
    let again = account.write(ticket, change);
    account.asked();
    account.run(account.desk.apply(&again)).unwrap();
    assert!(!paths(&account).iter().any(|one| one.starts_with("PUT")), "what is there already is not written again");
    account.stage.wire().edit_answers(Arc::new(|answer| {
        if answer["fields"]["priority"].get("allowedValues").is_some() {
            answer["fields"]["priority"]["allowedValues"] = json!([{ "id": "1", "name": "P1" }]);
        }
    }));
    let change = DeskChange::Update(Update { priority: Some(Priority::Low), ..Update::default() });
    let error = account.run(account.desk.apply(&account.write(ticket, change))).unwrap_err();
    assert!(error.kind == DeskErrorKind::Refused && error.words.contains("it may have P1"), "{error}");
}

#[test]
fn a_person_is_found_by_an_address_that_is_shown_or_as_the_only_one_whose_address_is_hidden() {
    let account = Account::new();
    let ticket = account.ticket();
    let owned_by = |email: &str| {
        let change = Update { owner: Some(OwnerSpec::Email(email.into())), ..Update::default() };
        account.run(account.desk.apply(&account.write(ticket, DeskChange::Update(change))))
    };
    owned_by("Billing-1@acme.example").unwrap();
    let owner = account.head(ticket).owner;
    let Fact::Known(Some(owner)) = owner else { panic!("{owner:?}") };
    assert_eq!((owner.email.as_deref(), owner.role), (Some("billing-1@acme.example"), Role::Agent));
    let stranger = owned_by("nobody@acme.example").unwrap_err();
    assert_eq!((stranger.kind, stranger.retry), (DeskErrorKind::Refused, Retry::Never));
    assert!(!shown(&stranger).contains("nobody@"), "{stranger}");
    account.stage.wire().edit_answers(Arc::new(|answer| {
        for user in answer.as_array_mut().into_iter().flatten() {
            if user.get("emailAddress").is_some() {
                user["emailAddress"] = Value::Null;
            }
        }
    }));
    owned_by("billing-2@acme.example").unwrap();
    let two = owned_by("acme.example").unwrap_err();
    assert_eq!(two.kind, DeskErrorKind::Refused, "which of them?");
}

#[test]
fn somebody_who_cannot_be_assigned_is_refused_and_nothing_of_the_edit_is_written() {
    let account = Account::new();
    let ticket = account.ticket();
    let customer = account.stage.sandbox.person(crate::stage::CUSTOMER).no().unwrap();
    let owner = Some(OwnerSpec::User(format!("qm:sandbox:{customer}").into()));
    let error = account.run(account.desk.apply(&account.write(ticket, DeskChange::Update(Update { owner, ..away() }))));
    let error = error.unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Refused, Retry::Never));
    assert!(error.next_step.as_ref().unwrap().contains("assignable"), "{}", shown(&error));
    assert_eq!(queue_of(&account, ticket), "Support");
}

#[test]
fn a_person_who_acts_between_decision_and_write_is_not_overruled() {
    let acts = ["takes", "moves", "prioritises", "notes", "tags"];
    traps::whoever_acts_in_between_is_not_overruled(&Account::new(), &billing(), &acts);
}

#[test]
fn what_a_person_did_between_our_read_and_our_edit_is_put_back_unless_somebody_acted_since() {
    traps::whoever_acts_under_our_write_is_put_back(Account::new, &billing(), "Floating Agent");
}

#[test]
fn labels_are_changed_in_one_edit_that_leaves_others_alone() {
    let account = Account::new();
    let (ticket, write) = traps::tagged(&account);
    account.asked();
    account.run(account.desk.apply(&write)).unwrap();
    let asked = paths(&account);
    assert_eq!(asked.iter().filter(|one| !one.starts_with("GET")).count(), 1, "{asked:?}");
    traps::tags_are_as_wanted(&account, ticket);
    traps::odd_tags_are_refused(&account, ticket, &["", " ", "a b"]);
}

#[test]
fn merged_archived_and_moved_tickets_take_nothing_although_jira_might() {
    let account = Account::new();
    let (merged, target, archived, moved) = (account.ticket(), account.ticket(), account.ticket(), account.ticket());
    let writes = [merged, archived, moved].map(|ticket| Write {
        expected: None,
        decided_on: None,
        ..account.write(ticket, note("Too late"))
    });
    account.stage.sandbox.person("frontline-1").merges(merged, target);
    let extra = |key: &str, value: &str| handoffd_sandbox::change::Update {
        extra: [(key.to_owned(), Some(value.to_owned()))].into(),
        ..Default::default()
    };
    let stamp = "2026-05-04T08:00:00.000+0000";
    account.stage.sandbox.person("frontline-1").updates(archived, extra("archiveddate", stamp));
    account.stage.sandbox.person("frontline-1").updates(moved, extra("project", "OPS"));
    assert_eq!(account.head(merged).ending, Some(Ending::Merged { into: Some(id(target)) }));
    assert_eq!(account.head(archived).ending, Some(Ending::Archived));
    let head = account.head(moved);
    assert_eq!((head.id, head.ending), (id(moved), Some(Ending::Deleted)), "the id stays when the key does not");
    assert!(head.link.unwrap().ends_with(&format!("/browse/OPS-{moved}")));
    for (write, words) in writes.iter().zip(["closed as a duplicate", "archived", "moved to the project OPS"]) {
        let error = account.run(account.desk.apply(write)).unwrap_err();
        assert_eq!((error.kind, error.retry), (DeskErrorKind::Gone, Retry::Never));
        assert!(error.words.contains(words), "{error}");
    }
    traps::a_deleted_ticket_is_not_found(&account, target);
}

#[test]
fn what_an_automation_does_within_our_edit_is_an_automations_and_no_persons() {
    traps::what_an_automation_does_within_our_write_is_no_persons(&Account::new(), billing());
}

#[test]
fn a_lost_edit_is_found_by_the_issue_or_by_our_mark_in_its_history() {
    traps::a_lost_move_is_found(Account::new, |_| {});
    // A site that does not keep what a writer notes: the entry is known by its author, time and values.
    traps::a_lost_move_is_found(Account::new, |account| {
        account.stage.wire().edit_answers(Arc::new(|answer| {
            for entry in answer["values"].as_array_mut().into_iter().flatten() {
                entry["historyMetadata"] = Value::Null;
            }
        }));
    });
}

#[test]
fn a_reply_is_found_by_its_words_in_a_public_comment_of_our_own() {
    traps::a_lost_reply_is_found_by_its_words(&Account::new(), None);
}

#[test]
fn a_success_with_an_error_inside_is_a_refusal() {
    let account = Account::new();
    let ticket = account.ticket();
    let inside = r#"{"errorMessages":["Field 'x' cannot be set. It is not on the appropriate screen, or unknown."],"errors":{}}"#;
    let write = account.write(ticket, billing());
    account.stage.wire().fault_next_write(answer(200, inside.into()));
    let error = account.run(account.desk.apply(&write)).unwrap_err();
    assert_eq!((error.kind, error.retry, error.status), (DeskErrorKind::Refused, Retry::Never, Some(200)));
    assert!(error.next_step.unwrap().contains("edit screen"));
    account.stage.wire().fault_next_read(answer(200, r#"{"errorMessage":"Something went wrong"}"#.into()));
    let error = account.run(account.desk.head(&id(ticket), Timestamp::MAX)).unwrap_err();
    assert_eq!(error.kind, DeskErrorKind::Refused);
}

#[test]
fn a_quota_that_comes_as_a_403_is_waited_for_by_the_whole_desk_and_a_tickets_limit_by_that_ticket() {
    let account = Account::new();
    let ticket = account.ticket();
    let write = account.write(ticket, note("After the wait"));
    let now = account.clock_now();
    let refused = |status, reason: &str| Fault::Answer {
        status,
        headers: vec![("retry-after", "90".into()), ("ratelimit-reason", reason.into())],
        body: "",
    };
    account.stage.wire().fault_next_write(refused(403, "jira-quota-tenant-based"));
    let error = account.run(account.desk.apply(&write)).unwrap_err();
    let until = now + SignedDuration::from_secs(90);
    assert_eq!((error.kind, error.retry), (DeskErrorKind::RateLimited, Retry::After(Some(until))));
    account.head(ticket);
    assert!(account.clock_now() >= until, "even a read has waited");
    let write = account.write(ticket, note("After the wait"));
    account.stage.wire().fault_next_write(refused(429, "jira-per-issue-on-write"));
    let error = account.run(account.desk.apply(&write)).unwrap_err();
    assert_eq!(error.kind, DeskErrorKind::RateLimited);
    let began = account.clock_now();
    let other = account.ticket();
    account.run(account.desk.apply(&account.write(other, note("At once")))).unwrap();
    assert_eq!(account.clock_now(), began, "another ticket need not wait");
    account.run(account.desk.apply(&account.write(ticket, note("After the wait")))).unwrap();
    assert!(account.clock_now() >= began + SignedDuration::from_secs(89));
}
