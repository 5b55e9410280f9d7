//! Freshdesk's traps, one test each.

use crate::stage::traps::{self, billing};
use crate::stage::{Account, id, note, reply, shown, tickets};
use futures::FutureExt;
use handoffd_kit::conformance::{Fault, Stage};
use handoffd_kit::desk::{Desk, DeskChange, OwnerSpec, Sighting, Update, Write};
use handoffd_kit::error::{DeskErrorKind, Retry};
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{ClockState, PartKind, PartSet, Priority, Role, Status, Visibility};
use handoffd_sandbox::ids::TicketNo;
use jiff::Timestamp;
use std::sync::Arc;

const DAY: i64 = 24 * 3_600;

#[test]
fn a_ticket_older_than_thirty_days_shows_when_it_changes() {
    let account = Account::new();
    let old = account.ticket();
    account.pass(60 * DAY);
    let (mut cursor, since) = (None, account.clock_now());
    assert!(account.poll("tickets", &mut cursor, since).is_empty());
    account.pass(5);
    account.stage.sandbox.person("frontline-1").notes(old, "found it again");
    assert_eq!(tickets(&account.poll("tickets", &mut cursor, since)), [id(old).to_string()]);
    let asked = account.asked();
    let lists: Vec<&String> = asked.iter().filter(|line| line.starts_with("GET /api/v2/tickets?")).collect();
    assert!(!lists.is_empty() && lists.iter().all(|line| line.contains("updated_since=")), "{lists:?}");
}

#[test]
fn a_deleted_ticket_leaves_the_list_and_shows_in_a_stream_of_its_own() {
    let account = Account::new();
    let (gone, stays) = (account.ticket(), account.ticket());
    let since = account.clock_now();
    account.pass(5);
    account.stage.sandbox.person("frontline-1").deletes(gone);
    let (mut there, mut deleted) = (None, None);
    assert_eq!(tickets(&account.poll("tickets", &mut there, since)), [id(stays).to_string()]);
    assert_eq!(tickets(&account.poll("deleted", &mut deleted, since)), [id(gone).to_string()]);
    assert_eq!(account.head(gone).ending, Some(handoffd_kit::model::Ending::Deleted));
    assert!(account.poll("deleted", &mut deleted, since).is_empty(), "once");
    let none = account.run(account.desk.changed_since(&"spam".into(), None, since)).unwrap_err();
    assert_eq!(none.kind, DeskErrorKind::Refused);
}

#[test]
fn a_handoff_costs_a_read_and_a_call_for_the_note_and_the_same_for_the_transfer() {
    let account = Account::new();
    let ticket = account.ticket();
    account.stage.sandbox.person("frontline-1").takes(ticket);
    // Names are learnt once.
    account.write(ticket, billing());
    account.run(account.desk.apply(&account.write(ticket, billing()))).unwrap();
    let other = account.ticket();
    account.stage.sandbox.person("frontline-1").takes(other);
    let (said, moved) = (account.write(other, note("Context")), account.write(other, billing()));
    account.asked();
    account.run(account.desk.apply(&said)).unwrap();
    account.run(account.desk.apply(&Write { expected: None, ..moved })).unwrap();
    let path = format!("/api/v2/tickets/{other}");
    let expected = [format!("GET {path}"), format!("POST {path}/notes"), format!("GET {path}"), format!("PUT {path}")];
    assert_eq!(account.asked(), expected);
    let ticket = account.stage.sandbox.ticket(other).unwrap();
    assert_eq!(ticket.owner, None, "a group's change does not free a ticket by itself: both are sent");
    let again = account.write(other, billing());
    account.asked();
    account.run(account.desk.apply(&again)).unwrap();
    assert_eq!(account.asked(), [format!("GET {path}")], "what is there already is not written again");
}

#[test]
fn a_note_that_comes_out_public_is_an_incident_at_once_and_when_it_is_looked_up() {
    let account = Account::new();
    let ticket = account.ticket();
    let write = account.write(ticket, note("Among us"));
    account.stage.wire().edit_answers(Arc::new(|answer| {
        let entries = match answer {
            serde_json::Value::Array(entries) => entries.iter_mut().collect(),
            one => vec![one],
        };
        for entry in entries {
            if entry.get("private").is_some() {
                entry["private"] = serde_json::json!(false);
            }
        }
    }));
    let error = account.run(account.desk.apply(&write)).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Leaked, Retry::Applied));
    let error = account.run(account.desk.find(&write)).unwrap_err();
    assert_eq!(error.kind, DeskErrorKind::Leaked);
    account.stage.wire().mend();
    assert!(matches!(account.run(account.desk.find(&write)).unwrap(), Sighting::Found(_)));
}

#[test]
fn a_person_who_acts_between_decision_and_write_is_not_overruled() {
    let acts = ["takes", "moves", "prioritises", "notes"];
    traps::whoever_acts_in_between_is_not_overruled(&Account::new(), &billing(), &acts);
}

#[test]
fn a_write_that_the_limit_held_back_reads_the_ticket_again_before_it_leaves() {
    for taken in [false, true] {
        let account = Account::new();
        let ticket = account.ticket();
        let headers = vec![("retry-after", "40".to_owned())];
        let wait = Fault::Answer { status: 429, headers, body: "" };
        account.stage.wire().fault_next_write(wait);
        account.run(account.desk.apply(&account.write(ticket, billing()))).unwrap_err();
        let write = account.write(ticket, billing());
        account.asked();
        let mut held = account.desk.apply(&write);
        assert!((&mut held).now_or_never().is_none(), "the ticket was read, and the write waits");
        account.pass(20);
        if taken {
            account.stage.sandbox.person("floater").takes(ticket);
        }
        let ended = account.run(held);
        let path = format!("/api/v2/tickets/{ticket}");
        let asked = account.asked();
        let read = format!("GET {path}");
        match taken {
            true => {
                assert_eq!(ended.unwrap_err().kind, DeskErrorKind::Conflict);
                assert_eq!(asked.iter().filter(|one| **one == read).count(), 2, "{asked:?}");
                assert!(!asked.iter().any(|one| one.starts_with("PUT")), "{asked:?}");
            }
            false => {
                ended.unwrap();
                assert_eq!(asked, [read.clone(), read, format!("PUT {path}")]);
            }
        }
    }
}

#[test]
fn the_first_message_is_the_description_also_for_a_ticket_that_came_from_a_list() {
    let account = Account::new();
    let since = account.clock_now();
    let ticket = account.ticket();
    account.stage.sandbox.person("frontline-1").notes(ticket, "looks like E-4127");
    let head = account.poll("tickets", &mut None, since).remove(0).head.unwrap();
    assert!(head.text.known().unwrap().contains("I was charged twice."), "{:?}", head.text);
    let wanted = PartSet::of(&[PartKind::Conversation]);
    let parts = account.run(account.desk.parts(&head, wanted, Timestamp::MAX)).unwrap();
    let said: Vec<_> = parts
        .conversation
        .unwrap()
        .messages
        .into_iter()
        .map(|one| (one.author.role, one.said.visibility(), one.said.words().to_owned()))
        .collect();
    let first = (Role::Customer, Visibility::Public, "I was charged twice.".to_owned());
    assert_eq!(said, [first, (Role::Agent, Visibility::Internal, "looks like E-4127".to_owned())]);
}

#[test]
fn custom_statuses_are_known_to_whom_may_see_the_admins_fields_and_to_nobody_else() {
    for (admin, status) in [(true, Fact::Known(Status::OnHold)), (false, Fact::Unknown)] {
        let account = Account::new();
        account.stage.sandbox.with(|desk| {
            desk.people
                .values_mut()
                .filter(|person| person.login == "handoffd")
                .for_each(|bot| bot.rights.admin = admin);
        });
        let ticket = account.ticket();
        account.stage.sandbox.person("frontline-1").puts(ticket, Status::OnHold);
        assert_eq!(account.head(ticket).status, status);
        let wanted = PartSet::of(&[PartKind::Clocks]);
        let parts = account.run(account.desk.parts(&account.head(ticket), wanted, Timestamp::MAX)).unwrap();
        let states: Vec<ClockState> = parts.clocks.unwrap().into_iter().map(|clock| clock.state).collect();
        let expected = if admin { vec![ClockState::Paused, ClockState::Paused] } else { vec![] };
        assert_eq!(states, expected, "admin: {admin}");
    }
}

#[test]
fn a_reply_meets_the_first_clock_and_pending_stops_the_other() {
    let account = Account::new();
    let ticket = account.ticket();
    let clocks = || {
        let wanted = PartSet::of(&[PartKind::Clocks]);
        let parts = account.run(account.desk.parts(&account.head(ticket), wanted, Timestamp::MAX)).unwrap();
        parts.clocks.unwrap().into_iter().map(|clock| (clock.name, clock.state)).collect::<Vec<_>>()
    };
    let both = |first, second| vec![("first_reply".to_owned(), first), ("resolution".to_owned(), second)];
    assert_eq!(clocks(), both(ClockState::Running, ClockState::Running));
    account.run(account.desk.apply(&account.write(ticket, reply("We are on it.")))).unwrap();
    assert_eq!(clocks(), both(ClockState::Met, ClockState::Running));
    account.stage.sandbox.person("frontline-1").puts(ticket, Status::Pending);
    assert_eq!(clocks(), both(ClockState::Met, ClockState::Paused));
    account.pass(4 * DAY);
    account.stage.sandbox.person("frontline-1").puts(ticket, Status::Open);
    assert_eq!(clocks(), both(ClockState::Met, ClockState::Breached));
}

#[test]
fn tags_are_written_as_a_whole_set_that_keeps_what_was_there() {
    let account = Account::new();
    let (ticket, write) = traps::tagged(&account);
    account.run(account.desk.apply(&write)).unwrap();
    traps::tags_are_as_wanted(&account, ticket);
}

#[test]
fn a_closed_ticket_takes_no_note_because_a_merged_one_looks_the_same() {
    let account = Account::new();
    let (ticket, target) = (account.ticket(), account.ticket());
    let write = Write { expected: None, decided_on: None, ..account.write(ticket, note("too late")) };
    account.stage.sandbox.person("frontline-1").merges(ticket, target);
    let error = account.run(account.desk.apply(&write)).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Gone, Retry::Never));
    assert!(error.words.contains("merged"), "{}", error.words);
}

#[test]
fn an_agent_who_is_not_in_the_group_is_refused_with_the_vendors_words_and_a_remedy() {
    let account = Account::new();
    let ticket = account.ticket();
    let owner = account.stage.sandbox.person("tier2-1").no().unwrap();
    let owner = Some(OwnerSpec::User(owner.to_string().into()));
    let change = DeskChange::Update(Update { owner, priority: Some(Priority::High), ..Update::default() });
    let error = account.run(account.desk.apply(&account.write(ticket, change))).unwrap_err();
    assert_eq!((error.kind, error.retry, error.status), (DeskErrorKind::Refused, Retry::Never, Some(400)));
    assert!(
        error.words.contains("responder_id") && error.next_step.as_ref().unwrap().contains("group"),
        "{}",
        shown(&error)
    );
    assert_eq!(account.head(ticket).priority, Fact::Known(Some(Priority::Low)), "nothing of it was written");
}

#[test]
fn a_lost_transfer_that_somebody_may_have_taken_back_is_not_repeated() {
    for (fault, act) in [(Fault::LostAfter, "moves back"), (Fault::LostBefore, "replies")] {
        let account = Account::new();
        let ticket = account.ticket();
        account.pass(5);
        let write = account.write(ticket, billing());
        account.stage.wire().fault_next_write(fault);
        let error = account.run(account.desk.apply(&write)).unwrap_err();
        assert_eq!(error.retry, Retry::Unsure);
        account.pass(30);
        let floater = account.stage.sandbox.person("floater");
        match act {
            "replies" => floater.replies(ticket, "We are looking into it."),
            _ => floater.moves(ticket, "Support"),
        };
        let found = account.run(account.desk.find(&write)).unwrap();
        match act {
            "replies" => assert_eq!(found, Sighting::NotFound),
            _ => assert!(matches!(found, Sighting::CannotTell(_)), "{found:?}"),
        }
    }
}

#[test]
fn a_lost_transfer_is_found_by_what_the_ticket_shows_and_a_reply_by_its_words() {
    let account = Account::new();
    let ticket: TicketNo = account.ticket();
    let write = account.write(ticket, billing());
    assert_eq!(account.run(account.desk.find(&write)).unwrap(), Sighting::NotFound);
    account.stage.sandbox.person("floater").moves(ticket, "Billing");
    assert!(matches!(account.run(account.desk.find(&write)).unwrap(), Sighting::Found(_)));
    let html = "<p>A colleague takes over.<br>You need not repeat anything.</p><p>--<br>Acme</p>";
    traps::a_lost_reply_is_found_by_its_words(&account, Some(html));
}
