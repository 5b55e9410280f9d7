//! What reading from Jira can go wrong with, one test each.

use crate::stage::{Account, CUSTOMER, answer, id, note, tickets};
use handoffd_kit::conformance::Stage;
use handoffd_kit::desk::Desk;
use handoffd_kit::error::DeskErrorKind;
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{ClockState, PartKind, PartSet, Parts, Role, Status, Visibility};
use handoffd_kit::webhook::{Refusal, Unverified};
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::seed;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;

fn parts(account: &Account, ticket: TicketNo, kind: PartKind) -> Parts {
    account.run(account.desk.parts(&account.head(ticket), PartSet::of(&[kind]), Timestamp::MAX)).unwrap()
}

fn zone(account: &Account, zone: &str) {
    account.stage.sandbox.with(|desk| {
        let bot = desk.people.values_mut().find(|person| person.login == seed::BOT).unwrap();
        bot.zone = zone.into();
    });
}

fn list(ids: &[TicketNo]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

#[test]
fn changes_within_a_minute_are_asked_for_by_the_minute_and_none_is_lost() {
    let account = Account::new();
    let (mut cursor, since) = (None, account.clock_now());
    let mut seen = Vec::new();
    let mut made = Vec::new();
    for second in [1, 20, 20, 39, 1, 58] {
        account.pass(second);
        made.push(account.ticket());
        seen.extend(tickets(&account.poll("issues", &mut cursor, since)));
    }
    assert_eq!(seen, list(&made), "each of them once, in order");
    let strange = account.run(account.desk.changed_since(&"queues".into(), None, since)).unwrap_err();
    assert_eq!(strange.kind, DeskErrorKind::Refused);
}

#[test]
fn a_query_is_read_in_our_accounts_zone_and_another_zone_leaves_no_gap() {
    for (first, second) in
        [("UTC", "America/Los_Angeles"), ("Asia/Tokyo", "UTC"), ("Pacific/Apia", "Pacific/Pago_Pago")]
    {
        let account = Account::new();
        zone(&account, first);
        let (mut cursor, since) = (None, account.clock_now());
        let one = account.ticket();
        assert_eq!(tickets(&account.poll("issues", &mut cursor, since)), list(&[one]), "{first}");
        // Somebody changes the profile. Until it is read again, what we ask for lies hours off.
        zone(&account, second);
        account.pass(60);
        let missed = account.ticket();
        let mut seen = tickets(&account.poll("issues", &mut cursor, since));
        account.pass(700);
        let later = account.ticket();
        seen.extend(tickets(&account.poll("issues", &mut cursor, since)));
        for ticket in [missed, later] {
            assert!(seen.contains(&ticket.to_string()), "{first}, then {second}: {ticket} is not in {seen:?}");
        }
    }
}

#[test]
fn the_hour_that_comes_twice_hides_nothing() {
    let account = Account::new();
    zone(&account, "Europe/Berlin");
    let night: Timestamp = "2026-10-24T23:50:00Z".parse().unwrap();
    account.pass(night.duration_since(account.clock_now()).as_secs());
    let (mut cursor, since) = (None, account.clock_now());
    account.poll("issues", &mut cursor, since);
    let (mut made, mut seen) = (Vec::new(), Vec::new());
    for _ in 0..20 {
        account.pass(450);
        made.push(account.ticket());
        seen.extend(tickets(&account.poll("issues", &mut cursor, since)));
    }
    // What an hour more brings is repeated, and nothing is missing: from ten to two until after three, by way of two o'clock twice.
    let missing: Vec<String> = list(&made).into_iter().filter(|ticket| !seen.contains(ticket)).collect();
    assert_eq!(missing, [""; 0]);
    account.pass(3_600);
    account.poll("issues", &mut cursor, since);
    assert!(account.poll("issues", &mut cursor, since).is_empty(), "and then it rests");
}

#[test]
fn a_zone_that_nobody_knows_stops_the_stream_and_is_told() {
    let account = Account::new();
    zone(&account, "Atlantis/Capital");
    let error = account.run(account.desk.changed_since(&"issues".into(), None, account.clock_now())).unwrap_err();
    assert_eq!(error.kind, DeskErrorKind::Protocol);
    assert!(error.next_step.unwrap().contains("time zone"));
}

#[test]
fn a_login_that_ended_is_told_although_a_search_would_be_empty() {
    // Some reads admit anybody: an empty list would then look like a quiet day.
    let account = Account::refusing("/myself", 401, "");
    let error = account.run(account.desk.changed_since(&"issues".into(), None, account.clock_now())).unwrap_err();
    assert_eq!(error.kind, DeskErrorKind::Unauthorized);
    assert!(error.next_step.unwrap().contains("token ends after a year"));
}

#[test]
fn an_issue_that_is_not_there_is_no_ended_ticket_once_the_login_has_ended() {
    let account = Account::new();
    let (ticket, gone) = (account.ticket(), account.ticket());
    account.stage.sandbox.person("frontline-1").deletes(gone);
    let read = |ticket| account.run(account.desk.head(&id(ticket), Timestamp::MAX)).map(|head| head.id);
    assert_eq!((read(ticket).is_ok(), read(gone).unwrap_err().kind), (true, DeskErrorKind::NotFound));
    account.asked();
    assert_eq!(read(gone).unwrap_err().kind, DeskErrorKind::NotFound);
    assert!(
        !account.asked().iter().any(|one| one.ends_with("/myself")),
        "that we are logged in was asked a moment ago"
    );
    // Whoever is not logged in is told by reads of issues that there is none.
    account.stage.sandbox.with(|desk| {
        let bot = desk.find_person(seed::BOT).map(|bot| bot.no);
        desk.access.revoke(bot.unwrap());
    });
    account.pass(90);
    assert_eq!(read(ticket).unwrap_err().kind, DeskErrorKind::Unauthorized);
}

#[test]
fn a_page_token_that_is_refused_begins_its_minute_again_and_loses_nothing() {
    let account = Account::new();
    let since = account.clock_now();
    let made: Vec<TicketNo> = (0..250).map(|_| account.ticket()).collect();
    let page = |cursor: Option<&handoffd_kit::desk::Cursor>| {
        account.run(account.desk.changed_since(&"issues".into(), cursor, since)).unwrap()
    };
    let mut seen = Vec::new();
    let mut cursor = None;
    // The first page ends within the crowded minute: from there on pages go by tokens.
    while cursor.as_ref().is_none_or(|cursor: &handoffd_kit::desk::Cursor| !cursor.0.contains("token")) {
        let next = page(cursor.as_ref());
        assert!(next.more);
        seen.extend(tickets(&next.changed));
        cursor = Some(next.next);
    }
    account.stage.wire().fault_next_read(answer(400, r#"{"errorMessages":["The token has expired."]}"#.into()));
    let refused = page(cursor.as_ref());
    assert!(refused.more && refused.changed.is_empty() && !refused.next.0.contains("token"), "{}", refused.next.0);
    let mut cursor = Some(refused.next);
    seen.extend(tickets(&account.poll("issues", &mut cursor, since)));
    assert!(made.iter().all(|ticket| seen.contains(&ticket.to_string())));
    assert!(account.poll("issues", &mut cursor, since).is_empty());
}

#[test]
fn an_answer_that_goes_on_without_saying_where_is_no_end() {
    let account = Account::new();
    let ticket = account.ticket();
    account.head(ticket);
    let ask = || account.run(account.desk.changed_since(&"issues".into(), None, account.clock_now()));
    account.stage.wire().fault_next_read(answer(200, r#"{"issues":[],"isLast":false}"#.into()));
    assert_eq!(ask().unwrap_err().kind, DeskErrorKind::Protocol);
    let short = json!({ "issues": [{ "id": ticket.to_string(), "fields": { "updated": "2026-05-04T08:00:00.000+0000" } }], "isLast": false, "nextPageToken": "x" });
    account.stage.wire().fault_next_read(answer(200, short.to_string()));
    assert!(ask().unwrap().more, "a short page need not be the last");
}

#[test]
fn a_ticket_is_known_by_its_id_and_a_person_may_name_it_by_its_key() {
    let account = Account::new();
    let ticket = account.ticket();
    let named = |name: &str| account.run(account.desk.head(&name.into(), Timestamp::MAX));
    assert_eq!(named(&format!("HELP-{ticket}")).unwrap().id, id(ticket), "the head says the id that stays");
    let mut write = account.write(ticket, note("x"));
    write.ticket = format!("HELP-{ticket}").as_str().into();
    let error = account.run(account.desk.apply(&write)).unwrap_err();
    assert_eq!(
        error.kind,
        DeskErrorKind::NotFound,
        "a key is another one once the issue moved: nothing is written by it"
    );
    assert!(error.next_step.unwrap().contains("explain"));
}

#[test]
fn the_first_message_is_the_description_and_documents_read_as_text() {
    let account = Account::new();
    let ticket = account.ticket();
    account.stage.sandbox.person("frontline-1").notes(ticket, "Tried:\nrestart\n\nand {waiting}");
    let conversation = parts(&account, ticket, PartKind::Conversation).conversation.unwrap();
    let read: Vec<_> =
        conversation.messages.iter().map(|one| (one.author.role, one.said.visibility(), one.said.words())).collect();
    let expected = [
        (Role::Customer, Visibility::Public, "I was charged twice."),
        (Role::Agent, Visibility::Internal, "Tried:\nrestart\n\nand {waiting}"),
    ];
    assert_eq!(read, expected);
    assert_eq!(account.head(ticket).text, Fact::Known("I was charged twice.".into()));
}

#[test]
fn what_we_write_shows_on_the_ticket_sign_by_sign() {
    let account = Account::new();
    let ticket = account.ticket();
    let words = "h *b* _i_ {code} [a|b] -x- (/) !img! https://a.example/x_y {{ticket.id}}";
    account.run(account.desk.apply(&account.write(ticket, note(words)))).unwrap();
    let said = account.stage.sandbox.ticket(ticket).unwrap().messages.pop().unwrap().body.text();
    assert_eq!(said.lines().next(), Some(words));
    assert!(said.ends_with("[handoffd h3f9/1 refund@a1b2]"), "{said}");
}

#[test]
fn clocks_come_from_the_service_desk_and_an_issue_that_is_no_request_has_none() {
    let account = Account::new();
    let ticket = account.ticket();
    let clocks = || -> Vec<(String, ClockState, bool)> {
        let read = parts(&account, ticket, PartKind::Clocks).clocks.unwrap();
        read.into_iter().map(|clock| (clock.name, clock.state, clock.breaches_at.is_some())).collect()
    };
    let three = |first, second, third: ClockState| {
        let due = |state| state == ClockState::Running || state == ClockState::Breached;
        vec![
            ("first_reply".to_owned(), first, due(first)),
            ("resolution".to_owned(), second, due(second)),
            ("Time waiting for support".to_owned(), third, due(third)),
        ]
    };
    assert_eq!(clocks(), three(ClockState::Running, ClockState::Running, ClockState::Running));
    account.stage.sandbox.person("frontline-1").replies(ticket, "We look at it");
    account.stage.sandbox.person("frontline-1").puts(ticket, Status::Pending);
    assert_eq!(clocks(), three(ClockState::Met, ClockState::Running, ClockState::Paused));
    account.pass(4 * 24 * 3_600);
    assert_eq!(clocks(), three(ClockState::Met, ClockState::Breached, ClockState::Paused));
    let plain = Account::refusing("/sla", 404, r#"{"errorMessage":"The request does not exist."}"#);
    let ticket = plain.ticket();
    assert_eq!(parts(&plain, ticket, PartKind::Clocks).clocks.unwrap(), []);
}

#[test]
fn a_customer_is_whoever_reported_it_with_their_organisation_and_hidden_addresses_stay_hidden() {
    let account = Account::new();
    let ticket = account.ticket();
    let customer = parts(&account, ticket, PartKind::Customer).customer.unwrap();
    assert_eq!((customer.person.role, customer.person.email.as_deref()), (Role::Customer, Some(CUSTOMER)));
    let Fact::Known(Some(organization)) = customer.organization else { panic!("{:?}", customer.organization) };
    assert_eq!(organization.name.as_deref(), Some("Standard Customer"));
    account.stage.wire().edit_answers(Arc::new(hide));
    let hidden = parts(&account, ticket, PartKind::Customer).customer.unwrap();
    assert_eq!((hidden.person.email, hidden.person.role), (None, Role::Customer));
    account.stage.wire().mend();
    let unseen = Account::refusing("/rest/api/3/user", 403, r#"{"errorMessages":["No permission"]}"#);
    let ticket = unseen.ticket();
    let told = parts(&unseen, ticket, PartKind::Customer).customer.unwrap();
    assert_eq!(told.person.email.as_deref(), Some(CUSTOMER), "the issue itself tells enough");
}

fn hide(answer: &mut Value) {
    match answer {
        Value::Object(inside) => {
            if inside.contains_key("emailAddress") {
                inside.insert("emailAddress".into(), Value::Null);
            }
            inside.values_mut().for_each(hide);
        }
        Value::Array(values) => values.iter_mut().for_each(hide),
        _ => {}
    }
}

#[test]
fn hooks_are_signed_and_known_by_their_identifier_and_age() {
    let account = Account::new();
    let ticket = account.ticket();
    let now = account.clock_now();
    let at =
        |headers: &http::HeaderMap, body: &[u8], now| account.desk.webhook(Unverified::new(headers, None, body, now));
    let receive = |headers: &http::HeaderMap, body: &[u8]| at(headers, body, now);
    let post = account.stage.sandbox.webhooks_about(ticket).remove(0);
    assert!(post.headers["x-hub-signature"].to_str().unwrap().starts_with("sha256="));
    let first = receive(&post.headers, &post.body).unwrap();
    assert_eq!((first.hints[0].ticket.clone(), first.id.is_some()), (id(ticket), true));
    let again = account.stage.sandbox.webhooks_about(ticket).remove(0);
    assert_eq!(receive(&again.headers, &again.body).unwrap().id, first.id, "the same delivery");
    let floater = account.stage.sandbox.person("floater");
    floater.notes(ticket, "x");
    let other = account.stage.sandbox.webhooks_about(ticket).remove(0);
    let read = receive(&other.headers, &other.body).unwrap();
    assert_ne!(read.id, first.id);
    let who = format!("557058:{}", floater.no().unwrap());
    assert_eq!(read.hints[0].actor.as_ref().map(|actor| actor.as_str()), Some(who.as_str()));
    assert_eq!(receive(&post.headers, &other.body), Err(Refusal::Forged));
    let hour = SignedDuration::from_hours(1);
    assert!(at(&post.headers, &post.body, now + hour).is_ok(), "a late retry");
    assert_eq!(at(&post.headers, &post.body, now + hour * 25), Err(Refusal::Stale), "played again the next day");
}
