//! The change stream on a scripted account: the export, what makes it start anew or give way to the list, and the list.

use crate::common::{Account, Sent, answer, raw, start};
use handoffd_kit::desk::{Cursor, Desk, Page};
use handoffd_kit::error::{DeskErrorKind, Result};
use handoffd_kit::id::StreamName;
use handoffd_kit::model::Ending;
use handoffd_kit::transport::TransportError;
use serde_json::{Value, json};

const EXPORT: &str = "/api/v2/incremental/tickets/cursor";
const LIST: &str = "/api/v2/tickets";

fn read(account: &Account, cursor: Option<&Cursor>) -> Result<Page> {
    account.run(account.desk.changed_since(&StreamName::from("tickets"), cursor, start()))
}

fn ticket(id: i64, seconds: i64) -> Value {
    let at = (start() + jiff::SignedDuration::from_secs(seconds)).to_string();
    json!({ "id": id, "status": "open", "group_id": 98700, "updated_at": at, "generated_timestamp": start().as_second() + seconds })
}

fn ids(page: &Page) -> Vec<&str> {
    page.changed.iter().map(|change| change.ticket.as_str()).collect()
}

fn exported(tickets: &[Value], cursor: &str, end: bool) -> Value {
    json!({ "tickets": tickets, "after_cursor": cursor, "end_of_stream": end })
}

/// Answers the export as it says, by the cursor that is sent.
fn export(account: &Account, by_cursor: impl Fn(Option<&str>) -> Value + Send + 'static) {
    account.when(move |sent| {
        (sent.path == EXPORT).then(|| answer(200, &by_cursor(sent.query.get("cursor").map(String::as_str))))
    });
}

fn no_export(account: &Account) {
    account.on("GET", EXPORT, 403, json!({ "error": { "title": "Forbidden", "message": "Admins only" } }));
}

fn to_stream(sent: Vec<Sent>) -> Vec<Sent> {
    sent.into_iter().filter(|sent| [EXPORT, LIST].contains(&sent.path.as_str())).collect()
}

#[test]
fn the_export_is_read_page_by_page_and_rests_on_its_cursor() {
    let account = Account::new();
    export(&account, |cursor| match cursor {
        None => exported(&[ticket(1, -90), ticket(2, 5), json!({ "id": 3, "status": "deleted" })], "c1", false),
        Some("c1") => exported(&[ticket(4, 10)], "c2", true),
        _ => exported(&[], "c2", true),
    });
    let first = read(&account, None).unwrap();
    assert_eq!(ids(&first), ["2", "3"], "what changed before was not asked for");
    assert!(first.more);
    let head = first.changed[0].head.as_ref().unwrap();
    assert_eq!(head.queue.known().unwrap().as_ref().unwrap().name.as_deref(), Some("Support"));
    assert_eq!(first.changed[1].head.as_ref().unwrap().ending, Some(Ending::Deleted));
    let sent = to_stream(account.sent());
    let latest = start().as_second() - 60;
    assert!(sent[0].query["start_time"].parse::<i64>().unwrap() < latest, "the start must be a minute old");
    assert_eq!(sent[0].query["per_page"], "250");
    let second = read(&account, Some(&first.next)).unwrap();
    assert_eq!((ids(&second), second.more), (vec!["4"], false));
    let third = read(&account, Some(&second.next)).unwrap();
    assert_eq!((ids(&third), third.more), (vec![], false));
    assert_eq!(third.next, second.next);
}

#[test]
fn a_cursor_that_is_refused_starts_anew_where_the_stream_was() {
    let account = Account::new();
    account.pass(3_600);
    export(&account, |_| exported(&[ticket(1, 1_000)], "c1", true));
    let page = read(&account, None).unwrap();
    account.when(|sent| {
        let old = sent.path == EXPORT && sent.query.contains_key("cursor");
        old.then(|| answer(400, &json!({ "error": "InvalidCursor" })))
    });
    account.sent();
    let again = read(&account, Some(&page.next)).unwrap();
    assert_eq!(ids(&again), ["1"]);
    let sent = to_stream(account.sent());
    assert_eq!(sent[1].query["start_time"], (start().as_second() + 1_000 - 60).to_string());
}

#[test]
fn a_slow_or_huge_page_is_asked_for_in_smaller_pieces_until_the_stream_rests() {
    let faults: [fn() -> crate::common::Reply; 3] =
        [|| Err(TransportError::Lost("timeout".into())), || Err(TransportError::TooLarge(9)), || raw(504, &[], "")];
    for fault in faults {
        let account = Account::new();
        export(&account, |cursor| exported(&[ticket(1, 5)], "c1", cursor.is_some()));
        account.when(move |sent| (sent.path == EXPORT && sent.query["per_page"] == "250").then(fault));
        let page = read(&account, None).unwrap();
        let sizes = |account: &Account| -> Vec<String> {
            to_stream(account.sent()).iter().map(|sent| sent.query["per_page"].clone()).collect()
        };
        assert_eq!(sizes(&account), ["250", "100"]);
        let page = read(&account, Some(&page.next)).unwrap();
        assert_eq!(sizes(&account), ["100"], "it stays small while there is much to read");
        read(&account, Some(&page.next)).unwrap();
        assert_eq!(sizes(&account)[0], "250");
    }
}

#[test]
fn without_the_right_to_export_the_list_is_read_and_the_export_tried_again_a_day_later() {
    let account = Account::new();
    no_export(&account);
    account.on("GET", LIST, 200, json!({ "tickets": [ticket(2, 5), ticket(1, 1), ticket(9, -500)], "meta": { "has_more": true, "after_cursor": "x" } }));
    let page = read(&account, None).unwrap();
    assert_eq!((ids(&page), page.more), (vec!["2", "1"], false));
    let sent = to_stream(account.sent());
    assert_eq!(sent[1].query["sort"], "-updated_at");
    assert_eq!(sent[1].query["page[size]"], "100");
    let page = read(&account, Some(&page.next)).unwrap();
    assert_eq!(ids(&page), Vec::<&str>::new(), "nothing new");
    assert_eq!(to_stream(account.sent()).len(), 1, "the export is left alone");
    account.pass(24 * 60 * 60);
    let page = read(&account, Some(&page.next)).unwrap();
    assert_eq!(to_stream(account.sent())[0].path, EXPORT);
    account.pass(24 * 60 * 60 + 60);
    export(&account, |_| exported(&[ticket(3, 90_000)], "c1", true));
    let page = read(&account, Some(&page.next)).unwrap();
    assert_eq!(ids(&page), ["3"], "given the right, the export goes on where the list was");
    let sent = to_stream(account.sent());
    assert!(sent[0].query["start_time"].parse::<i64>().unwrap() <= start().as_second() + 5);
}

#[test]
fn a_walk_whose_cursor_ran_out_begins_again_and_loses_nothing() {
    let account = Account::new();
    no_export(&account);
    account.when(|sent| {
        let page = sent.query.get("page[after]").map(String::as_str);
        (sent.path == LIST).then(|| match page {
            None => {
                answer(200, &json!({ "tickets": [ticket(3, 300)], "meta": { "has_more": true, "after_cursor": "a" } }))
            }
            Some("a") => answer(400, &json!({ "errors": [{ "code": "InvalidCursor" }] })),
            _ => answer(200, &json!({ "tickets": [ticket(2, 200)], "meta": { "has_more": false } })),
        })
    });
    let page = read(&account, None).unwrap();
    assert!(page.more);
    let page = read(&account, Some(&page.next)).unwrap();
    assert_eq!((ids(&page), page.more), (vec!["3"], true), "from the top");
}

#[test]
fn a_page_that_cannot_be_read_whole_is_an_error_and_never_a_gap() {
    for body in [
        json!({}),
        json!({ "tickets": [] }),
        json!({ "tickets": [{ "subject": "no id" }], "after_cursor": "c", "end_of_stream": true }),
        json!({ "tickets": [ticket(1, 5)], "after_cursor": null, "end_of_stream": false }),
        json!({ "tickets": {}, "after_cursor": "c", "end_of_stream": true }),
    ] {
        let account = Account::new();
        account.on("GET", EXPORT, 200, body.clone());
        assert_eq!(read(&account, None).unwrap_err().kind, DeskErrorKind::Protocol, "{body}");
    }
    let account = Account::new();
    no_export(&account);
    account.on("GET", LIST, 200, json!({ "tickets": [{ "id": "x" }] }));
    assert_eq!(read(&account, None).unwrap_err().kind, DeskErrorKind::Protocol);
}

#[test]
fn a_cursor_of_another_make_begins_at_the_beginning() {
    let account = Account::new();
    export(&account, |_| exported(&[ticket(1, 5)], "c1", true));
    for odd in ["", "{}", "null", "{\"export\":7}", "[[[["] {
        assert_eq!(ids(&read(&account, Some(&Cursor(odd.into()))).unwrap()), ["1"], "{odd}");
    }
    let unknown = StreamName::from("events");
    let error = account.run(account.desk.changed_since(&unknown, None, start())).unwrap_err();
    assert_eq!(error.kind, DeskErrorKind::Refused);
}

#[test]
fn a_group_that_cannot_be_named_stops_the_page_instead_of_hiding_its_tickets() {
    let account = Account::new();
    export(&account, |_| exported(&[ticket(1, 5)], "c1", true));
    account.on("GET", "/api/v2/groups", 500, Value::Null);
    assert_eq!(read(&account, None).unwrap_err().kind, DeskErrorKind::Unavailable);
}
