//! The Zendesk dialect as a client sees it.

use crate::common::{Account, read, send, token};
use handoffd_sandbox::change::Update;
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::journal::Kind;
use handoffd_sandbox::people::Reach;
use handoffd_sandbox::seed::{self, API_TOKEN, REFUND_EUR};
use handoffd_sandbox::ticket::Visibility;
use handoffd_sandbox::{Fault, FaultPlan, On, Sandbox};
use serde_json::{Value, json};

fn open(account: &Account) -> TicketNo {
    seed::customer_writes(&account.sandbox, "ada@premium.example", "Refund", "I was charged twice.", Update::default())
}

fn queue(account: &Account, name: &str) -> u64 {
    account.sandbox.with(|desk| desk.find_queue(name).unwrap().no.0)
}

fn person(sandbox: &Sandbox, login: &str) -> u64 {
    sandbox.with(|desk| desk.find_person(login).unwrap().no.0)
}

#[test]
fn a_handoff_is_one_update_answered_with_the_ticket_and_its_audit() {
    let account = Account::new();
    let no = open(&account);
    let stamp = account.get(&format!("/api/v2/tickets/{no}.json"))["ticket"]["updated_at"].clone();
    account.pass(30);
    let billing = queue(&account, "Billing");
    let (status, answer) = account.put(
        &format!("/api/v2/tickets/{no}"),
        &json!({ "ticket": {
            "group_id": billing, "assignee_id": null, "priority": "urgent",
            "custom_fields": [{ "id": REFUND_EUR, "value": "750.5" }],
            "comment": { "html_body": "<p>From &amp; to</p><p>[handoffd h/1 r@v] {{ticket.id}}</p>", "public": false },
            "metadata": { "handoffd": "h/1" },
            "safe_update": true, "updated_stamp": stamp,
        } }),
    );
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["ticket"]["group_id"], json!(billing));
    assert_eq!(answer["ticket"]["priority"], "urgent");
    assert_eq!(answer["ticket"]["updated_at"], "2026-05-03T10:00:30Z");
    assert_eq!(answer["audit"]["metadata"]["custom"], json!({ "handoffd": "h/1" }));
    let audits = account.get(&format!("/api/v2/tickets/{no}/audits"));
    let audit = &audits["audits"][1];
    assert_eq!(audit["events"], answer["audit"]["events"]);
    assert_eq!(audit["author_id"], json!(person(&account.sandbox, "handoffd")));
    let moved = audit["events"].as_array().unwrap().iter().find(|event| event["field_name"] == "group_id").unwrap();
    assert_eq!((&moved["value"], &moved["previous_value"]), (&json!(billing.to_string()), &Value::Null));
    let comments = account.get(&format!("/api/v2/tickets/{no}/comments?page[size]=100&sort=-created_at&include=users"));
    let note = &comments["comments"][0];
    assert_eq!(note["public"], false);
    assert_eq!(note["plain_body"], format!("From & to\n[handoffd h/1 r@v] {no}"));
    assert_eq!(comments["users"].as_array().unwrap().len(), 2);
    let journal = account.sandbox.journal();
    let notes: Vec<_> = journal.said_by(no, "handoffd").collect();
    assert_eq!(notes.len(), 1);
    assert_eq!(notes[0].visibility, Some(Visibility::Internal));
    assert_eq!(journal.count(Kind::Write), 1);
}

#[test]
fn a_safe_update_meets_everybody_elses_change_and_false_switches_it_on_too() {
    let account = Account::new();
    let no = open(&account);
    account.pass(5);
    account.sandbox.person("frontline-1").notes(no, "Looking into it").unwrap();
    for safe in [json!(true), json!(false)] {
        let body =
            json!({ "ticket": { "priority": "high", "safe_update": safe, "updated_stamp": "2026-05-03T10:00:00Z" } });
        let (status, answer) = account.put(&format!("/api/v2/tickets/{no}"), &body);
        assert_eq!((status, &answer["error"]), (409, &json!("UpdateConflict")));
        let (status, _) = account
            .send(
                "PUT",
                &format!("/api/v2/tickets/{no}/tags"),
                &json!({ "tags": ["x"], "safe_update": safe, "updated_stamp": "2026-05-03T10:00:00Z" }),
            )
            .into_parts();
        assert_eq!(status.status, 409);
    }
    let (status, _) = account.put(&format!("/api/v2/tickets/{no}"), &json!({ "ticket": { "priority": "high" } }));
    assert_eq!(status, 200);
}

#[test]
fn a_move_frees_an_owner_who_does_not_belong_there_and_naming_one_is_refused() {
    let account = Account::new();
    let no = open(&account);
    account.sandbox.person("frontline-1").moves(no, "Support").unwrap();
    account.sandbox.person("frontline-1").takes(no).unwrap();
    let billing = queue(&account, "Billing");
    let wrong = json!({ "ticket": { "group_id": billing, "assignee_email": "frontline-1@acme.example" } });
    let (status, answer) = account.put(&format!("/api/v2/tickets/{no}"), &wrong);
    assert_eq!(status, 422);
    assert_eq!(answer["details"]["assignee"][0]["description"], "Assignee: is not a member of the group");
    let (status, answer) = account.put(&format!("/api/v2/tickets/{no}"), &json!({ "ticket": { "group_id": billing } }));
    assert_eq!((status, &answer["ticket"]["assignee_id"]), (200, &Value::Null));
    let right = json!({ "ticket": { "assignee_email": "BILLING-1@acme.example" } });
    let (status, answer) = account.put(&format!("/api/v2/tickets/{no}"), &right);
    assert_eq!(status, 200);
    assert_eq!(answer["ticket"]["assignee_id"], json!(person(&account.sandbox, "billing-1")));
}

#[test]
fn unknown_keys_types_and_values_are_refused_and_change_nothing() {
    let account = Account::new();
    let no = open(&account);
    let before = account.sandbox.journal().effects.len();
    for (ticket, expected) in [
        (json!({ "groupid": 1 }), 400),
        (json!({ "group_id": "Billing" }), 400),
        (json!({ "priority": "banana" }), 400),
        (json!({ "custom_fields": [{ "id": REFUND_EUR, "value": {} }] }), 400),
        (json!({ "custom_fields": [{ "id": REFUND_EUR, "value": "many" }] }), 422),
        (json!({ "custom_fields": [{ "id": 99, "value": "x" }] }), 422),
        (json!({ "group_id": 99 }), 422),
        (json!({ "assignee_id": 99 }), 422),
        (json!({ "assignee_email": "nobody@acme.example" }), 422),
        (json!({ "status": "banana" }), 422),
        (json!({ "status": "solved" }), 422),
        (json!({ "safe_update": true }), 400),
    ] {
        let (status, answer) = account.put(&format!("/api/v2/tickets/{no}"), &json!({ "ticket": ticket }));
        assert_eq!(status, expected, "{ticket} → {answer}");
    }
    let broken = send(
        &account.sandbox,
        "PUT",
        &format!("/api/v2/tickets/{no}"),
        Some(&format!("Bearer {}", account.token)),
        &json!("x"),
    );
    assert_eq!(broken.status(), 400);
    assert_eq!(account.sandbox.journal().effects.len(), before);
}

#[test]
fn closed_tickets_and_suspended_requesters_take_no_updates_and_deleted_ones_are_gone() {
    let account = Account::new();
    let (closed, merged, suspended, deleted) = (open(&account), open(&account), open(&account), open(&account));
    account.sandbox.person("frontline-1").closes(closed).unwrap();
    account.sandbox.person("frontline-1").merges(merged, suspended).unwrap();
    account.sandbox.person("frontline-1").deletes(deleted).unwrap();
    let put = |no: TicketNo| account.put(&format!("/api/v2/tickets/{no}"), &json!({ "ticket": { "priority": "low" } }));
    assert_eq!(put(closed).0, 422);
    assert_eq!(put(merged).0, 422);
    let tags = account.get(&format!("/api/v2/tickets/{merged}"))["ticket"]["tags"].clone();
    assert_eq!(tags, json!(["closed_by_merge"]));
    assert_eq!(put(deleted).0, 404);
    account.sandbox.with(|desk| {
        let no = desk.find_person("ada@premium.example").unwrap().no;
        desk.people.get_mut(&no).unwrap().suspended = true;
    });
    let (status, answer) = put(suspended);
    assert_eq!(
        (status, &answer["details"]["requester"][0]["description"]),
        (422, &json!("Requester: ada is suspended."))
    );
}

#[test]
fn a_required_field_stands_in_the_way_of_solving() {
    let account = Account::new();
    let no = open(&account);
    account.sandbox.with(|desk| desk.fields.get_mut(&REFUND_EUR).unwrap().required_on_solve = true);
    let me = person(&account.sandbox, "handoffd");
    let mut body = json!({ "ticket": { "status": "solved", "assignee_id": me } });
    let (status, answer) = account.put(&format!("/api/v2/tickets/{no}"), &body);
    assert_eq!(status, 422);
    assert_eq!(
        answer["details"]["base"][0],
        json!({ "description": "Refund (EUR): is required when solving a ticket", "ticket_field_id": REFUND_EUR, "ticket_field_type": "FieldDecimal" })
    );
    body["ticket"]["custom_fields"] = json!([{ "id": REFUND_EUR, "value": 5 }]);
    assert_eq!(account.put(&format!("/api/v2/tickets/{no}"), &body).0, 200);
}

#[test]
fn tags_come_and_go_without_the_others() {
    let account = Account::new();
    let no = open(&account);
    let path = format!("/api/v2/tickets/{no}/tags.json");
    assert_eq!(read(&account.send("PUT", &path, &json!({ "tags": ["b", "a"] }))), json!({ "tags": ["a", "b"] }));
    assert_eq!(read(&account.send("DELETE", &path, &json!({ "tags": ["b", "z"] }))), json!({ "tags": ["a"] }));
    assert_eq!(account.get(&path), json!({ "tags": ["a"] }));
}

#[test]
fn the_export_leaves_the_last_minute_out_and_its_cursor_loses_nothing() {
    let account = Account::with_limits(handoffd_sandbox::zendesk::Limits::WIDE);
    let tickets: Vec<TicketNo> = (0..25).map(|_| open(&account)).collect();
    let start = account.clock.now_seconds() - 60;
    let first = account.get(&format!("/api/v2/incremental/tickets/cursor?start_time={start}&per_page=10"));
    assert_eq!((&first["tickets"], &first["end_of_stream"]), (&json!([]), &json!(true)));
    account.pass(61);
    let (mut seen, mut cursor, mut pages) = (Vec::new(), first["after_cursor"].clone(), 0);
    loop {
        let page = account
            .get(&format!("/api/v2/incremental/tickets/cursor.json?per_page=10&cursor={}", cursor.as_str().unwrap()));
        seen.extend(page["tickets"].as_array().unwrap().iter().map(|ticket| ticket["id"].as_u64().unwrap()));
        cursor = page["after_cursor"].clone();
        pages += 1;
        if page["end_of_stream"] == true {
            break;
        }
    }
    assert_eq!(seen, tickets.iter().map(|no| no.0).collect::<Vec<_>>());
    assert_eq!(pages, 3);
    account.sandbox.person("frontline-1").deletes(tickets[3]);
    account.pass(61);
    let page = account.get(&format!("/api/v2/incremental/tickets/cursor?cursor={}", cursor.as_str().unwrap()));
    assert_eq!(page["tickets"][0]["status"], "deleted");
    let late = format!("/api/v2/incremental/tickets/cursor?start_time={}", account.clock.now_seconds() - 10);
    assert_eq!(account.send("GET", &late, &Value::Null).status(), 400);
}

trait Seconds {
    fn now_seconds(&self) -> i64;
}

impl Seconds for handoffd_kit::clock::ManualClock {
    fn now_seconds(&self) -> i64 {
        handoffd_kit::clock::Clock::now(self).as_second()
    }
}

#[test]
fn the_export_is_for_admins_and_ten_times_a_minute() {
    let account = Account::new();
    let path = "/api/v2/incremental/tickets/cursor?start_time=0";
    for left in (0..10).rev() {
        let response = account.send("GET", path, &Value::Null);
        assert_eq!(
            response.headers()["zendesk-ratelimit-incremental-exports"],
            format!("total=10; remaining={left}; resets=60")
        );
    }
    let response = account.send("GET", path, &Value::Null);
    assert_eq!(
        (response.status().as_u16(), &response.headers()["retry-after"]),
        (429, &http::HeaderValue::from_static("60"))
    );
    assert!(response.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
    account.pass(60);
    assert_eq!(account.send("GET", path, &Value::Null).status(), 200);
    account.sandbox.with(|desk| {
        let no = desk.find_person("handoffd").unwrap().no;
        desk.people.get_mut(&no).unwrap().rights.admin = false;
    });
    assert_eq!(account.send("GET", path, &Value::Null).status(), 403);
    assert_eq!(account.get("/api/v2/tickets?sort=-updated_at&page[size]=5")["tickets"], json!([]));
}

#[test]
fn one_ticket_takes_thirty_updates_of_one_user_in_ten_minutes() {
    let account = Account::new();
    let no = open(&account);
    let put = |at: u32| {
        account.send("PUT", &format!("/api/v2/tickets/{no}"), &json!({ "ticket": { "subject": at.to_string() } }))
    };
    for at in 0..30 {
        assert_eq!(put(at).status(), 200);
    }
    let refused = put(30);
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["retry-after"]),
        (429, &http::HeaderValue::from_static("600"))
    );
    assert!(read(&refused).as_str().unwrap().starts_with("Rate limit for ticket updates exceeded"));
}

#[test]
fn the_list_pages_by_cursor_newest_first() {
    let account = Account::new();
    for _ in 0..5 {
        open(&account);
        account.pass(1);
    }
    let first = account.get("/api/v2/tickets?sort=-updated_at&page[size]=2&include=users,slas");
    let ids = |page: &Value| {
        page["tickets"].as_array().unwrap().iter().map(|one| one["id"].as_u64().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&first), [5, 4]);
    assert_eq!(first["tickets"][0]["slas"]["policy_metrics"][0]["stage"], "active");
    let next = first["links"]["next"].as_str().unwrap().strip_prefix("https://acme.zendesk.com").unwrap().to_owned();
    let second = account.get(&next);
    assert_eq!(ids(&second), [3, 2]);
    assert_eq!(second["meta"]["has_more"], true);
    let deep = account.send("GET", "/api/v2/tickets?page=101&per_page=100", &Value::Null);
    assert_eq!((deep.status().as_u16(), &read(&deep)["errors"][0]["code"]), (400, &json!("InvalidPaginationDepth")));
}

#[test]
fn logins_are_as_strange_as_the_vendors() {
    let account = Account::new();
    let me = |login: Option<&str>| {
        let response = send(&account.sandbox, "GET", "/api/v2/users/me.json", login, &Value::Null);
        (response.status().as_u16(), read(&response)["user"]["id"].clone())
    };
    let basic = |text: &str| {
        use base64::Engine;
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(text))
    };
    let bot = json!(person(&account.sandbox, "handoffd"));
    assert_eq!(me(None), (200, Value::Null));
    assert_eq!(me(Some(&basic("handoffd@acme.example:password"))), (200, Value::Null));
    assert_eq!(me(Some(&basic("handoffd@acme.example/token:wrong"))).0, 401);
    assert_eq!(me(Some(&basic(&format!("handoffd@acme.example/token:{API_TOKEN}")))), (200, bot.clone()));
    assert_eq!(me(Some(&format!("Bearer {API_TOKEN}"))).0, 401);
    assert_eq!(me(Some(&format!("Bearer {}", account.token))), (200, bot));
    account.pass(7200);
    assert_eq!(me(Some(&format!("Bearer {}", account.token))).0, 401);
}

#[test]
fn a_misspelt_scope_gets_a_token_that_opens_nothing() {
    let account = Account::new();
    let no = open(&account);
    let status = |scope: &str, path: &str| {
        let login = format!("Bearer {}", token(&account.sandbox, scope));
        send(&account.sandbox, "GET", path, Some(&login), &Value::Null).status().as_u16()
    };
    assert_eq!(status("ticket:read", "/api/v2/tickets"), 403);
    assert_eq!(status("ticket:read", "/oauth/tokens/current.json"), 200);
    assert_eq!(status("tickets:read", "/api/v2/tickets"), 200);
    assert_eq!(status("tickets:read", &format!("/api/v2/tickets/{no}/audits")), 403);
}

#[test]
fn rights_reach_as_far_as_they_are_given() {
    let account = Account::new();
    let no = open(&account);
    let set = |sees, changes| {
        account.sandbox.with(|desk| {
            let no = desk.find_person("handoffd").unwrap().no;
            let rights = &mut desk.people.get_mut(&no).unwrap().rights;
            (rights.sees, rights.changes) = (sees, changes);
        });
    };
    set(Reach::All, Reach::Nothing);
    assert_eq!(account.put(&format!("/api/v2/tickets/{no}"), &json!({ "ticket": { "priority": "low" } })).0, 403);
    assert_eq!(account.send("GET", &format!("/api/v2/tickets/{no}"), &Value::Null).status(), 200);
    set(Reach::Nothing, Reach::Nothing);
    assert_eq!(account.send("GET", &format!("/api/v2/tickets/{no}"), &Value::Null).status(), 404);
}

#[test]
fn answers_are_lost_before_after_and_late_as_the_script_says() {
    let account = Account::new();
    let no = open(&account);
    account.sandbox.set_faults(
        FaultPlan::default().next(1, On::Writes, Fault::LostBefore).next(1, On::Writes, Fault::LostAfter).next(
            1,
            On::Writes,
            Fault::Late(jiff::SignedDuration::from_secs(20)),
        ),
    );
    let lose = |word: &str| {
        let body = json!({ "ticket": { "comment": { "body": word, "public": false } } });
        let login = format!("Bearer {}", account.token);
        let request = crate::common::request("PUT", &format!("/api/v2/tickets/{no}"), Some(&login), &body);
        assert!(matches!(account.sandbox.handle(request), handoffd_sandbox::Answer::Lost));
    };
    let said =
        || account.sandbox.ticket(no).unwrap().messages[1..].iter().map(|one| one.body.text()).collect::<Vec<_>>();
    lose("one");
    assert_eq!(said(), [""; 0]);
    lose("two");
    assert_eq!(said(), ["two"]);
    lose("three");
    account.pass(19);
    assert_eq!(said(), ["two"]);
    assert_eq!(account.sandbox.next_due().unwrap().to_string(), "2026-05-03T10:00:20Z");
    account.pass(60);
    assert_eq!(said(), ["two", "three"]);
    let ticket = account.sandbox.ticket(no).unwrap();
    assert_eq!(ticket.updated_at.to_string(), "2026-05-03T10:00:20Z", "applied when it arrived, not when we looked");
    let journal = account.sandbox.journal();
    let lines: Vec<_> = journal.requests.iter().filter(|asked| asked.kind == Kind::Write).collect();
    assert!(lines.iter().all(|asked| asked.answer_lost));
    assert_eq!(lines.iter().map(|asked| asked.status).collect::<Vec<_>>(), [None, Some(200), None]);
}
