//! Every refusal of the Zendesk dialect: request, status, words. Words marked as the sheet's are looked for in the
//! sheet; the others are the sandbox's own, in the form that the sheet shows.

use crate::common::{Account, read};
use crate::published::beside;
use crate::sheet::hold_words;
use handoffd_sandbox::change::Update;
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::people::Reach;
use handoffd_sandbox::seed::{self, REFUND_EUR};
use handoffd_sandbox::{Fault, FaultPlan, On};
use serde_json::{Value, json};

const SHEET: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/vendors/zendesk.md");

struct Case {
    prepare: fn(&Account),
    method: &'static str,
    path: &'static str,
    body: fn(&Account) -> Value,
    status: u16,
    /// What the answer says, in the sheet's own words.
    sheet: &'static [&'static str],
    /// What else it says.
    own: &'static [&'static str],
}

const TICKET: TicketNo = TicketNo(1);
const PUT: Case = Case {
    prepare: |_| {},
    method: "PUT",
    path: "/api/v2/tickets/1",
    body: |_| json!({ "ticket": { "priority": "low" } }),
    status: 422,
    sheet: &["RecordInvalid", "Record validation errors"],
    own: &[],
};
const GET: Case = Case { method: "GET", path: "/api/v2/tickets/1", body: |_| Value::Null, ..PUT };

fn rights(account: &Account, set: impl FnOnce(&mut handoffd_sandbox::people::Rights)) {
    account.sandbox.with(|desk| {
        let no = desk.find_person("handoffd").unwrap().no;
        set(&mut desk.people.get_mut(&no).unwrap().rights);
    });
}

fn lookups() -> Vec<Case> {
    vec![
        Case {
            prepare: |account| {
                let no = account.sandbox.with(|desk| desk.find_person("handoffd").unwrap().no);
                account.sandbox.with(|desk| desk.access.revoke(no));
            },
            status: 401,
            sheet: &["Couldn't authenticate you"],
            ..GET
        },
        Case {
            prepare: |account| rights(account, |rights| rights.changes = Reach::Nothing),
            status: 403,
            sheet: &[
                "Forbidden",
                "You do not have access to this page. Please contact the account owner of this help desk for further help.",
            ],
            ..PUT
        },
        Case { path: "/api/v2/no_such_thing", status: 404, sheet: &["InvalidEndpoint"], ..GET },
        Case { path: "/api/v2/tickets/99", status: 404, sheet: &["RecordNotFound"], ..GET },
        Case { path: "/api/v2/tickets?page=102&per_page=100", status: 400, sheet: &["InvalidPaginationDepth"], ..GET },
        Case {
            path: "/api/v2/incremental/tickets/cursor?start_time=9999999999",
            status: 400,
            sheet: &[],
            own: &["Too recent start_time"],
            ..GET
        },
        Case {
            path: "/api/v2/tickets?page[size]=101",
            status: 400,
            sheet: &[],
            own: &["InvalidPaginationParameter"],
            ..GET
        },
    ]
}

fn writes() -> Vec<Case> {
    vec![
        Case {
            body: |_| json!({ "ticket": { "safe_update": true, "updated_stamp": "2020-01-01T00:00:00Z" } }),
            status: 409,
            sheet: &["UpdateConflict", "Safe Update prevented the update due to outdated ticket data"],
            ..PUT
        },
        Case {
            prepare: |account| assert!(account.sandbox.person("frontline-1").closes(TICKET).is_some()),
            own: &["closed prevents ticket update"],
            ..PUT
        },
        Case {
            body: |account| {
                let group = account.sandbox.with(|desk| desk.find_queue("Billing").unwrap().no);
                json!({ "ticket": { "group_id": group, "assignee_email": "tier2-1@acme.example" } })
            },
            sheet: &["Record validation errors", "Assignee: is not a member of the group"],
            ..PUT
        },
        Case {
            prepare: |account| {
                account.sandbox.with(|desk| desk.fields.get_mut(&REFUND_EUR).unwrap().required_on_solve = true);
            },
            body: |account| {
                let me = account.sandbox.with(|desk| desk.find_person("handoffd").unwrap().no);
                json!({ "ticket": { "status": "solved", "assignee_id": me } })
            },
            sheet: &["is required when solving a ticket", "ticket_field_id", "ticket_field_type"],
            ..PUT
        },
        Case {
            prepare: |account| {
                account.sandbox.with(|desk| {
                    let no = desk.find_person("ada@premium.example").unwrap().no;
                    desk.people.get_mut(&no).unwrap().suspended = true;
                });
            },
            sheet: &["Requester: ", " is suspended."],
            ..PUT
        },
        Case {
            prepare: |account| {
                for n in 0..30 {
                    account.put("/api/v2/tickets/1", &json!({ "ticket": { "subject": n.to_string() } }));
                }
            },
            status: 429,
            sheet: &["Rate limit for ticket updates exceeded, please wait before updating this ticket again"],
            ..PUT
        },
        Case {
            prepare: |account| account.sandbox.set_faults(FaultPlan::default().next(1, On::Writes, Fault::ServerError)),
            status: 500,
            sheet: &[],
            own: &["Internal Server Error"],
            ..PUT
        },
    ]
}

#[test]
fn every_refusal_has_the_sheets_status_and_words() {
    let sheet = beside(SHEET, "the Zendesk sheet");
    for case in lookups().into_iter().chain(writes()) {
        let account = Account::new();
        seed::customer_writes(&account.sandbox, "ada@premium.example", "s", "t", Update::default());
        (case.prepare)(&account);
        let before = account.sandbox.ticket(TICKET).unwrap().changes.len();
        let response = account.send(case.method, case.path, &(case.body)(&account));
        let answer = read(&response).to_string();
        assert_eq!(response.status().as_u16(), case.status, "{} {}: {answer}", case.method, case.path);
        hold_words(&answer, case.sheet, case.own, sheet.as_deref());
        assert_eq!(account.sandbox.ticket(TICKET).unwrap().changes.len(), before, "a refusal changes nothing");
    }
}
