//! The Request Tracker dialect as a client sees it.

use crate::rt_common::{Desk, read};
use handoffd_sandbox::change::Update;
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::seed;
use serde_json::{Value, json};

fn open(desk: &Desk) -> TicketNo {
    let queue = desk.sandbox.with(|desk| desk.find_queue("Support").map(|queue| queue.no));
    let set = Update { queue: Some(queue), ..Update::default() };
    seed::customer_writes(&desk.sandbox, "ada@premium.example", "Refund", "I was charged twice.", set)
}

fn said(desk: &Desk, no: TicketNo, body: &Value) -> Value {
    let (status, answer) = desk.put(&format!("/ticket/{no}"), body);
    assert_eq!(status, 200, "{answer}");
    answer
}

fn ids(list: &Value) -> Vec<u64> {
    list["items"].as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().parse().unwrap()).collect()
}

#[test]
fn a_ticket_has_rts_shapes_and_its_newest_visible_transaction_as_its_tag() {
    let desk = Desk::new();
    let no = open(&desk);
    let (tag, ticket) = desk.tagged(&format!("/ticket/{no}?fields[Queue]=Name&fields[Owner]=id,Name,RealName"));
    assert_eq!(ticket["id"], json!(no), "a number here");
    assert_eq!((&ticket["Status"], &ticket["Priority"]), (&json!("new"), &json!("0")));
    assert_eq!((&ticket["Queue"]["Name"], ticket["Queue"]["id"].is_string()), (&json!("Support"), true));
    assert_eq!((&ticket["Owner"]["id"], &ticket["Owner"]["Name"]), (&json!(6), &json!("Nobody")));
    assert_eq!(ticket["Requestor"][0]["id"], "ada@premium.example");
    assert_eq!(ticket["Resolved"], "1970-01-01T00:00:00Z");
    let labels = ticket["CustomFields"].as_array().unwrap().iter().find(|field| field["name"] == "labels").unwrap();
    assert_eq!(labels["values"], json!([]));
    let history = desk.get(&format!("/ticket/{no}/history?fields=Type"));
    assert_eq!(ids(&history).last().unwrap().to_string(), tag);
    let other = open(&desk);
    desk.sandbox.person("frontline-1").merges(no, other).unwrap();
    assert_eq!(desk.get(&format!("/ticket/{no}"))["id"], json!(other), "a merged one answers with the other");
    desk.sandbox.person("frontline-1").deletes(other).unwrap();
    assert_eq!(desk.get(&format!("/ticket/{other}"))["Status"], "deleted");
}

#[test]
fn a_change_is_made_attribute_by_attribute_and_the_owner_comes_before_the_queue() {
    let desk = Desk::new();
    let no = open(&desk);
    desk.sandbox.person("frontline-1").takes(no).unwrap();
    let answer = said(&desk, no, &json!({ "Queue": "Billing", "Owner": "billing-1", "Priority": 55, "nope": 1 }));
    let expected = [
        "That user may not own tickets in that queue",
        "Priority changed from 'Low' to 'Medium'",
        "Queue changed from Support to Billing",
    ];
    assert_eq!(answer, json!(expected.map(|words| format!("Ticket {no}: {words}"))));
    assert_eq!(desk.get(&format!("/ticket/{no}"))["Owner"]["id"], "Nobody");
    let history = desk.get(&format!("/ticket/{no}/history?fields=Type,Field,Creator&per_page=100"));
    let last: Vec<_> = history["items"].as_array().unwrap().iter().rev().take(3).rev().collect();
    let shown = |item: &Value| format!("{} {} {}", item["Type"], item["Field"], item["Creator"]["id"]).replace('"', "");
    let shown: Vec<_> = last.into_iter().map(shown).collect();
    assert_eq!(shown, ["Set Queue handoffd", "Set Owner RT_System", "SetWatcher Owner RT_System"]);
    let answer = said(&desk, no, &json!({ "Owner": "billing-1" }));
    assert_eq!(answer, json!([format!("Ticket {no}: Owner changed from Nobody to billing-1")]));
}

#[test]
fn fields_are_set_whole_and_by_name_and_say_what_they_did() {
    let desk = Desk::new();
    let no = open(&desk);
    let set = |fields: Value| said(&desk, no, &json!({ "CustomFields": fields }));
    assert_eq!(
        set(json!({ "labels": ["a", "b"] })),
        json!(["a added as a value for labels", "b added as a value for labels"])
    );
    let moved = json!(["c added as a value for labels", "a is no longer a value for custom field labels"]);
    assert_eq!(set(json!({ "labels": ["b", "c"] })), moved);
    assert_eq!(set(json!({ "refund_eur": 12.5 })), json!(["refund_eur 12.5 added"]));
    assert_eq!(set(json!({ "refund_eur": "750" })), json!(["refund_eur 12.5 changed to 750"]));
    assert_eq!(set(json!({ "refund_eur": [] })), json!(["refund_eur 750 deleted"]));
    assert_eq!(set(json!({ "nope": "x" })), json!([]));
    let tags = desk.sandbox.ticket(no).unwrap().tags;
    assert_eq!(Vec::from_iter(tags), ["b", "c"]);
}

#[test]
fn an_old_tag_is_refused_and_any_tag_is_on_a_message() {
    let desk = Desk::new();
    let no = open(&desk);
    let (tag, _) = desk.tagged(&format!("/ticket/{no}"));
    let put = |tag: &str| {
        let response = desk.send_with("PUT", &format!("/ticket/{no}"), &json!({ "Priority": 9 }), &[("if-match", tag)]);
        response.status().as_u16()
    };
    assert_eq!(put(&format!("\"{tag}\"")), 200);
    assert_eq!(put(&format!("\"{tag}\"")), 412);
    let (tag, _) = desk.tagged(&format!("/ticket/{no}"));
    let note = json!({ "Content": "x", "ContentType": "text/plain" });
    let posted =
        desk.send_with("POST", &format!("/ticket/{no}/comment"), &note, &[("if-match", &format!("\"{tag}\""))]);
    assert_eq!(posted.status(), 412);
    let stamped =
        desk.send_with("GET", &format!("/ticket/{no}"), &Value::Null, &[("if-modified-since", "2026-11-23T03:19:12Z")]);
    assert_eq!(stamped.status(), 500);
    let same =
        desk.send_with("GET", &format!("/ticket/{no}"), &Value::Null, &[("if-none-match", &format!("\"{tag}\""))]);
    assert_eq!(same.status(), 304);
}

#[test]
fn a_note_is_answered_with_its_transaction_and_reads_back_as_text_and_as_base64() {
    let desk = Desk::new();
    let no = open(&desk);
    let text = "From Support & to <Billing>: ".repeat(5);
    let response =
        desk.send("POST", &format!("/ticket/{no}/comment"), &json!({ "Content": text, "ContentType": "text/plain" }));
    assert_eq!((response.status().as_u16(), read(&response)), (201, json!(["Comments added"])));
    let location = response.headers()["location"].to_str().unwrap().to_owned();
    let transaction = location.strip_prefix("/REST/2.0/transaction/").unwrap();
    assert_eq!(desk.get(&format!("/transaction/{transaction}"))["Type"], "Comment");
    let parts = desk.get(&format!("/transaction/{transaction}/attachments?fields=Content,ContentType"));
    assert_eq!(
        (&parts["items"][0]["Content"], &parts["items"][0]["ContentType"]),
        (&json!(text), &json!("text/plain"))
    );
    let alone = desk.get(&format!("/attachment/{}", parts["items"][0]["id"].as_str().unwrap()));
    let lines: Vec<_> = alone["Content"].as_str().unwrap().lines().map(str::len).collect();
    assert!(lines.len() > 1 && lines[0] == 76, "{lines:?}");
    let found = desk.send(
        "POST",
        "/attachments?fields=TransactionId",
        &json!([{ "field": "Content", "operator": "LIKE", "value": "<billing>" }]),
    );
    assert_eq!(read(&found)["items"][0]["TransactionId"], transaction);
    let reply = json!({ "Content": "Hello", "ContentType": "text/plain", "Status": "banana" });
    let response = desk.send("POST", &format!("/ticket/{no}/correspond"), &reply);
    let sentences = json!(["Correspondence added", "Status 'banana' isn't a valid status for this ticket."]);
    assert_eq!((response.status().as_u16(), read(&response)), (201, sentences));
    desk.send("POST", &format!("/ticket/{no}/correspond"), &json!({ "Content": "Hello", "ContentType": "text/plain" }));
    assert_eq!(desk.get(&format!("/ticket/{no}"))["Status"], "open", "RT opens a ticket that is answered");
}

#[test]
fn pages_come_short_and_without_totals_until_one_is_empty() {
    let desk = Desk::new();
    let no = open(&desk);
    for n in 0..30 {
        desk.sandbox.person("frontline-1").notes(no, &n.to_string()).unwrap();
    }
    let mut seen = Vec::new();
    let mut pages = 0;
    for page in 1.. {
        let list = desk.get(&format!("/ticket/{no}/history?fields=Type&per_page=10&page={page}"));
        assert_eq!((&list["total"], &list["pages"], list.get("next_page")), (&Value::Null, &Value::Null, None));
        if list["items"].as_array().unwrap().is_empty() {
            break;
        }
        assert!(list["count"].as_u64().unwrap() < 10, "what is hidden is taken out after the cut");
        seen.extend(ids(&list));
        pages += 1;
    }
    assert_eq!((seen.len(), pages), (31, 7));
    desk.admin();
    let list = desk.get(&format!("/ticket/{no}/history?fields=Type&per_page=10"));
    assert_eq!((&list["count"], &list["total"], &list["pages"]), (&json!(10), &json!(62), &json!(7)));
}

#[test]
fn the_stream_of_transactions_goes_on_from_a_number_and_begins_anywhere_without_an_order() {
    let desk = Desk::new();
    let (one, other) = (open(&desk), open(&desk));
    let all = "/transactions?query=ObjectType = 'RT::Ticket' AND id > 0&fields=Type,ObjectId";
    let list = desk.get(&format!("{all}&orderby=id&order=ASC"));
    let objects: Vec<_> = list["items"].as_array().unwrap().iter().map(|item| item["ObjectId"].clone()).collect();
    assert_eq!(objects, [json!(one.to_string()), json!(other.to_string())]);
    let last = *ids(&list).last().unwrap();
    let newest = |count: u8| ids(&desk.get(&format!("{all}&orderby=id&order=DESC&per_page={count}")));
    assert_eq!((newest(1), newest(2)), (vec![], vec![last]), "the newest is a record of mail, which is hidden");
    assert_ne!(ids(&desk.get(all)), ids(&list));
    desk.sandbox.person("billing-1").prioritises(one, "80").unwrap();
    let next = desk.get(&format!(
        "/transactions?query=ObjectType = 'RT::Ticket' AND id > {last}&fields=Type,Field,OldValue,NewValue,Creator"
    ));
    let item = &next["items"][0];
    assert_eq!((&item["Type"], &item["Field"], &item["NewValue"]), (&json!("Set"), &json!("Priority"), &json!("80")));
    assert_eq!(item["Creator"]["id"], "billing-1");
}

#[test]
fn searches_are_cut_to_a_hundred_and_an_empty_one_has_a_float() {
    let desk = Desk::new();
    seed::load(&desk.sandbox, 120);
    let list =
        desk.get("/tickets?query=id > 0&fields=Subject,Queue&fields[Queue]=Name&per_page=500&orderby=id&order=DESC");
    assert_eq!(
        (&list["per_page"], &list["count"], &list["total"], &list["pages"]),
        (&json!(100), &json!(100), &json!(120), &json!(2))
    );
    assert!(list["next_page"].as_str().unwrap().ends_with("&page=2"));
    assert_eq!((&list["items"][0]["id"], list["items"][0]["Queue"]["Name"].is_string()), (&json!("120"), true));
    for empty in ["/tickets", "/tickets?query=Queue = 'nope'"] {
        let response = desk.send("GET", empty, &Value::Null);
        assert!(String::from_utf8_lossy(response.body()).contains("\"pages\":0.0"), "{response:?}");
    }
    let past = desk.get("/tickets?query=id > 0&per_page=100&page=9");
    assert_eq!(past["items"], json!([]));
    assert!(past["prev_page"].as_str().unwrap().ends_with("&page=2"));
    for (query, count) in [
        ("Queue = 'Incoming'", 12),
        ("Owner = 'Nobody' AND Status = '__Active__'", 12),
        ("'CF.{refund_eur}' IS NOT NULL", 12),
        ("'CF.{labels}' = 'refund'", 12),
        ("LastUpdated >= '2026-05-03 10:00:00'", 120),
        ("LastUpdated > '2026-05-03 10:00:00'", 0),
        ("LastUpdated > '2026-05-03T10:00:00Z'", 120),
        ("Requestor.EmailAddress = 'customer-0@premium.example'", 1),
    ] {
        assert_eq!(desk.get(&format!("/tickets?query={query}"))["total"], json!(count), "{query}");
    }
}

#[test]
fn people_queues_and_fields_are_found_by_name_number_and_condition() {
    let desk = Desk::new();
    let no = open(&desk);
    let queues = desk.get("/queues/all?fields=Name");
    assert_eq!(queues["total"], 4);
    let names: Vec<_> = queues["items"].as_array().unwrap().iter().map(|queue| queue["Name"].clone()).collect();
    assert_eq!(json!(names), json!(["Billing", "Incoming", "Support", "Tier 2"]));
    let fields: Vec<_> = desk.get("/queue/Tier%202")["TicketCustomFields"].as_array().unwrap().clone();
    assert_eq!(fields.len(), 4);
    let bot = desk.get("/user/1001");
    assert_eq!(
        (&bot["Name"], &bot["Privileged"], bot.get("Memberships").is_some()),
        (&json!("handoffd"), &json!(1), true)
    );
    let customer = desk.get("/user/ada@premium.example");
    assert_eq!((&customer["Privileged"], &customer["RealName"], customer.get("Lang")), (&json!(0), &Value::Null, None));
    assert_eq!(desk.get("/user/6")["Name"], "Nobody");
    let query = r#"[{"field":"EmailAddress","value":"billing-1@acme.example"}]"#;
    assert_eq!(desk.get(&format!("/users?query={query}&fields=Name"))["items"][0]["Name"], "billing-1");
    let query = r#"[{"field":"LookupType","value":"RT::Queue-RT::Ticket"}]"#;
    assert_eq!(desk.get(&format!("/customfields?query={query}&fields=Name"))["total"], 4);
    let query = r#"[{"field":"Type","operator":"IN","value":["Comment"]}]"#;
    assert_eq!(desk.get(&format!("/ticket/{no}/history?query={query}"))["items"], json!([]));
}

#[test]
fn taking_giving_back_and_stealing_say_what_they_did() {
    let desk = Desk::new();
    let no = open(&desk);
    let act = |act: &str| desk.put(&format!("/ticket/{no}/{act}"), &json!({})).1;
    assert_eq!(act("untake"), json!(["That user already owns that ticket"]));
    assert_eq!(act("take"), json!(["Owner changed from Nobody to handoffd"]));
    assert_eq!(act("take"), json!(["That user already owns that ticket"]));
    assert_eq!(act("untake"), json!(["Owner changed from handoffd to Nobody"]));
    desk.sandbox.person("frontline-1").takes(no).unwrap();
    assert_eq!(act("take"), json!(["You can only take tickets that are unowned"]));
    assert_eq!(act("steal"), json!(["Owner changed from frontline-1 to handoffd"]));
    let query = r#"[{"field":"Field","value":"Owner"}]"#;
    let list = desk.get(&format!("/ticket/{no}/history?query={query}&fields=Type&per_page=100"));
    let types: Vec<_> =
        list["items"].as_array().unwrap().iter().map(|item| item["Type"].as_str().unwrap().to_owned()).collect();
    let types: Vec<_> = types.iter().filter(|kind| *kind != "SetWatcher").collect();
    assert_eq!(types, ["Take", "Untake", "Take", "Steal"]);
}

#[test]
fn a_hook_posts_each_transaction_to_its_address() {
    let desk = Desk::new();
    let no = open(&desk);
    desk.sandbox.person("frontline-1").takes(no).unwrap();
    desk.sandbox.with(|desk| desk.add_hook("https://handoffd.example/hooks/acme/token", "", &[], None));
    desk.sandbox.person("frontline-1").moves(no, "Billing").unwrap();
    let posts = desk.sandbox.due_webhooks();
    assert_eq!(posts.len(), 3);
    let body: Value = serde_json::from_slice(&posts[0].body).unwrap();
    assert_eq!(posts[0].url, "https://handoffd.example/hooks/acme/token");
    assert_eq!(posts[0].headers["x-rt-transaction"], body["transaction"].to_string().as_str());
    assert_eq!((&body["ticket"], &body["type"], &body["field"]), (&json!(no), &json!("Set"), &json!("Queue")));
    assert_eq!((&body["queue"], &body["creator"]), (&json!("Billing"), &json!("frontline-1")));
}
