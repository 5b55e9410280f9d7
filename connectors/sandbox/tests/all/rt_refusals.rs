//! Every refusal of the Request Tracker dialect: request, status, words. Words marked as the sheet's are looked for in
//! the sheet; the others were seen on a running Request Tracker, or are the sandbox's own.

use crate::published::beside;
use crate::rt_common::{Desk, read};
use crate::sheet::hold_words;
use handoffd_sandbox::change::Update;
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::people::Reach;
use handoffd_sandbox::seed;
use handoffd_sandbox::{Fault, FaultPlan, On};
use serde_json::{Value, json};

const SHEET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/desks/rt5-api.md");
const TICKET: TicketNo = TicketNo(1);

struct Case {
    prepare: fn(&Desk),
    method: &'static str,
    path: &'static str,
    body: fn() -> Value,
    headers: &'static [(&'static str, &'static str)],
    status: u16,
    /// What the answer says, in the sheet's own words.
    sheet: &'static [&'static str],
    /// What else it says.
    own: &'static [&'static str],
}

const GET: Case = Case {
    prepare: |_| {},
    method: "GET",
    path: "/ticket/1",
    body: || Value::Null,
    headers: &[],
    status: 404,
    sheet: &[],
    own: &[],
};
const PUT: Case = Case { method: "PUT", body: || json!({ "Priority": 55 }), ..GET };
const COMMENT: Case = Case {
    method: "POST",
    path: "/ticket/1/comment",
    body: || json!({ "Content": "x", "ContentType": "text/plain" }),
    status: 400,
    ..GET
};

fn blind(desk: &Desk) {
    desk.rights(|rights| (rights.sees, rights.changes) = (Reach::Nothing, Reach::Nothing));
}

fn reads() -> Vec<Case> {
    const WRONG: &[(&str, &str)] = &[("authorization", "token wrong")];
    const BROWSER: &[(&str, &str)] = &[("authorization", "token wrong"), ("user-agent", "Mozilla/5.0")];
    const COOKIE: &[(&str, &str)] = &[("authorization", "token wrong"), ("cookie", "a=b")];
    vec![
        Case { headers: WRONG, status: 401, sheet: &[r#"{"message":"Unauthorized"}"#], ..GET },
        Case { headers: BROWSER, status: 302, ..GET },
        Case { headers: COOKIE, status: 302, ..GET },
        Case { prepare: blind, status: 403, sheet: &[r#"{"message":"Forbidden"}"#], ..GET },
        Case { path: "/ticket/99", sheet: &[r#"{"message":"Not Found"}"#], ..GET },
        Case { path: "/nosuch", own: &["Not Found"], ..GET },
        Case { path: "/queue/nope", own: &["Not Found"], ..GET },
        Case { path: "/user/nope", own: &["Not Found"], ..GET },
        Case { path: "/transaction/99", status: 500, sheet: &[r#"{"message":"Internal Server Error"}"#], ..GET },
        Case { path: "/attachment/99", status: 500, own: &["Internal Server Error"], ..GET },
        Case {
            path: "/tickets?query=Queue 'tier1'",
            status: 400,
            sheet: &["Wrong query, expecting a OPERATOR in '", "Tickets.pm line 3187."],
            ..GET
        },
        Case { path: "/tickets?query=foo = 1", status: 400, own: &["Unknown field: foo"], ..GET },
        Case {
            path: "/transactions?query=foo = 1",
            status: 400,
            own: &["Unknown field: foo", "Transactions.pm"],
            ..GET
        },
        Case { headers: &[("if-modified-since", "2026-11-23T03:19:12Z")], status: 500, ..GET },
    ]
}

fn writes() -> Vec<Case> {
    vec![
        Case { prepare: blind, status: 403, sheet: &[r#"{"message":"Forbidden"}"#], ..PUT },
        Case { path: "/ticket/99", own: &["Resource does not exist; use POST to create"], ..PUT },
        Case {
            headers: &[("if-match", "\"124\"")],
            status: 412,
            sheet: &[r#"{"message":"Precondition Failed"}"#],
            ..PUT
        },
        Case { headers: &[("content-type", "text/plain")], status: 415, ..PUT },
        Case { body: || json!([]), status: 400, own: &["JSON object must be a HASH"], ..PUT },
        Case { method: "PATCH", status: 501, own: &["Not Implemented"], ..PUT },
        Case { method: "DELETE", status: 500, sheet: &[r#"{"message":"Internal Server Error"}"#], ..PUT },
        Case { prepare: blind, sheet: &[r#"{"message":"Permission Denied"}"#], ..COMMENT },
        Case { body: || json!({ "Content": "x" }), own: &["ContentType is a required field"], ..COMMENT },
        Case { path: "/ticket/99/comment", own: &["Message could not be recorded"], ..COMMENT },
        Case { headers: &[("if-match", "\"124\"")], status: 412, own: &["Precondition Failed"], ..COMMENT },
        Case {
            prepare: |desk| desk.sandbox.set_faults(FaultPlan::default().next(1, On::Writes, Fault::ServerError)),
            status: 500,
            sheet: &[r#"{"message":"Internal Server Error"}"#],
            ..PUT
        },
    ]
}

/// Refusals inside a 200.
fn sentences() -> Vec<Case> {
    const SAID: Case = Case { status: 200, ..PUT };
    vec![
        Case { body: || json!({ "Queue": "nope" }), sheet: &["Queue nope does not exist"], ..SAID },
        Case { body: || json!({ "Owner": "nope" }), sheet: &["That user does not exist"], ..SAID },
        Case {
            body: || json!({ "Owner": "billing-1" }),
            sheet: &["That user may not own tickets in that queue"],
            ..SAID
        },
        Case {
            body: || json!({ "Status": "banana" }),
            sheet: &["Status 'banana' isn't a valid status for this ticket."],
            ..SAID
        },
        Case {
            prepare: |desk| {
                desk.sandbox.with(|desk| {
                    let steps = desk.fields.get_mut(&seed::STEPS).unwrap();
                    steps.options = vec!["one".into()];
                });
            },
            body: || json!({ "CustomFields": { "steps-tried": "two" } }),
            sheet: &[r#"["Invalid value for custom field"]"#],
            ..SAID
        },
        Case { body: || json!({ "CustomFields": { "nope": "x" }, "nope": 1 }), own: &["[]"], ..SAID },
        Case {
            prepare: |desk| desk.rights(|rights| rights.changes = Reach::Nothing),
            sheet: &["Permission Denied"],
            own: &["Ticket 1: Permission Denied"],
            ..SAID
        },
    ]
}

#[test]
fn every_refusal_has_the_sheets_status_and_words() {
    let sheet = beside(SHEET, "the RT sheet");
    for case in reads().into_iter().chain(writes()).chain(sentences()) {
        let desk = Desk::new();
        let queue = desk.sandbox.with(|desk| desk.find_queue("Support").map(|queue| queue.no));
        let set = Update { queue: Some(queue), ..Update::default() };
        seed::customer_writes(&desk.sandbox, "ada@premium.example", "s", "t", set);
        (case.prepare)(&desk);
        let before = desk.sandbox.ticket(TICKET).unwrap().changes.len();
        let response = desk.send_with(case.method, case.path, &(case.body)(), case.headers);
        let answer = read(&response).to_string();
        assert_eq!(response.status().as_u16(), case.status, "{} {}: {answer}", case.method, case.path);
        hold_words(&answer, case.sheet, case.own, sheet.as_deref());
        assert_eq!(desk.sandbox.ticket(TICKET).unwrap().changes.len(), before, "a refusal changes nothing");
    }
}
