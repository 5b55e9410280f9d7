//! The sandbox's answers against the vendor's own description. What the description does not know (token endpoints, the
//! undocumented SLA metrics) is named here, so that nothing else can slip out of the check.

use crate::common::{Account, read};
use crate::published::Description;
use handoffd_sandbox::seed::{self, REFUND_EUR};
use handoffd_sandbox::zendesk::Limits;
use serde_json::{Value, json};

struct Check {
    description: Description,
    account: Account,
    checked: usize,
}

impl Check {
    /// Sends a request and holds the answer against the description.
    fn call(&mut self, method: &str, path: &str, body: &Value) -> Value {
        let response = self.account.send(method, path, body);
        let answer = read(&response);
        let wrong = self.description.answer(method, path, response.status().as_u16(), &answer);
        assert!(wrong.is_empty(), "{method} {path}: {wrong:#?}\n{answer:#}");
        self.checked += 1;
        answer
    }

    fn get(&mut self, path: &str) -> Value {
        self.call("GET", path, &Value::Null)
    }
}

#[test]
fn answers_are_as_the_vendor_describes_them() {
    let Some(description) = Description::of("zendesk.yaml") else { return };
    let account = Account::with_limits(Limits::WIDE);
    let tickets = seed::demo(&account.sandbox);
    let mut check = Check { description, account, checked: 0 };
    for no in tickets.values() {
        check.get(&format!("/api/v2/tickets/{no}.json?include=users,groups"));
        check.get(&format!("/api/v2/tickets/{no}/comments?page[size]=100&include=users"));
        check.get(&format!("/api/v2/tickets/{no}/audits?page[size]=100"));
    }
    let me = check.get("/api/v2/users/me.json")["user"]["id"].clone();
    check.get("/api/v2/tickets?sort=-updated_at&page[size]=5&include=slas");
    check.get("/api/v2/tickets/show_many?ids=1,2,3&include=slas");
    check.get("/api/v2/incremental/tickets/cursor?start_time=0");
    check.get(&format!("/api/v2/users/{me}"));
    check.get(&format!("/api/v2/users/show_many?ids={me}"));
    check.get("/api/v2/users/search?query=email:handoffd@acme.example");
    let group = check.get("/api/v2/groups")["groups"][2]["id"].clone();
    check.get(&format!("/api/v2/groups/{group}"));
    // `/groups/{id}/memberships` is in the sheet but not in the description; its items are the same.
    check.get("/api/v2/group_memberships");
    check.get("/api/v2/group_memberships/assignable");
    let organization = check.account.sandbox.with(|desk| desk.organizations.keys().next().unwrap().0);
    check.get(&format!("/api/v2/organizations/show_many?ids={organization}"));
    check.get("/api/v2/ticket_fields");
    let refund = tickets["refund"];
    let update = json!({ "ticket": {
        "group_id": group, "assignee_id": null, "priority": "high",
        "custom_fields": [{ "id": REFUND_EUR, "value": "750" }],
        "comment": { "html_body": "<p>note</p>", "public": false },
        "safe_update": true, "updated_stamp": check.account.get(&format!("/api/v2/tickets/{refund}"))["ticket"]["updated_at"],
    } });
    // The description wants a custom field to carry its definition's `key`, `type` and `title`; live requests do not.
    let wrong = check.description.request("PUT", &format!("/api/v2/tickets/{refund}"), &update);
    assert!(wrong.iter().all(|problem| problem.contains("required property")), "{wrong:#?}");
    let answer = check.call("PUT", &format!("/api/v2/tickets/{refund}"), &update);
    assert_eq!(answer["ticket"]["priority"], "high");
    check.call("PUT", &format!("/api/v2/tickets/{refund}/tags"), &json!({ "tags": ["x"] }));
    check.call("GET", &format!("/api/v2/tickets/{refund}/tags"), &Value::Null);
    assert!(check.checked > 60, "{}", check.checked);
}

#[test]
fn the_description_refuses_what_it_does_not_describe() {
    let Some(description) = Description::of("zendesk.yaml") else { return };
    let path = "/api/v2/tickets/1";
    let wrong = |ticket: Value| description.answer("GET", path, 200, &json!({ "ticket": ticket }));
    assert!(wrong(json!({ "requester_id": 1, "assignee_id": null })).is_empty());
    assert_eq!(wrong(json!({ "requester_id": 1, "status": "gone" })).len(), 1);
    assert_eq!(wrong(json!({ "requester_id": 1, "id": "1", "tags": "x" })).len(), 2);
    assert_eq!(wrong(json!({})).len(), 1, "the requester is required");
    assert!(!description.answer("GET", "/api/v2/no_such_thing", 200, &json!({})).is_empty());
    let request = json!({ "ticket": { "group_id": "Billing" } });
    assert_eq!(description.request("PUT", path, &request).len(), 1);
}
