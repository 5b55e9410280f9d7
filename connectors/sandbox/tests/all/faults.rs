//! Faults as they look through the transport, other rules that act, and that the same seed gives the same day.

use crate::common::{Account, read, request};
use futures::executor::block_on;
use handoffd_kit::transport::{Bounds, Transport, TransportError};
use handoffd_sandbox::change::Update;
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::rules::{Rule, Timing, When};
use handoffd_sandbox::seed;
use handoffd_sandbox::ticket::Cause;
use handoffd_sandbox::zendesk::Limits;
use handoffd_sandbox::{Fault, FaultPlan, On, SandboxTransport};
use jiff::SignedDuration;
use serde_json::{Value, json};

fn open(account: &Account) -> TicketNo {
    seed::customer_writes(&account.sandbox, "ada@premium.example", "s", "t", Update::default())
}

fn send(
    account: &Account,
    method: &str,
    path: &str,
    body: &Value,
) -> Result<http::Response<bytes::Bytes>, TransportError> {
    let transport = SandboxTransport::default().with("acme.zendesk.com", account.sandbox.clone());
    block_on(transport.send(request(method, path, Some(&format!("Bearer {}", account.token)), body), Bounds::default()))
}

#[test]
fn every_fault_looks_as_it_would_over_a_socket_and_applies_what_it_says() {
    use Fault::*;
    let some = Some(SignedDuration::from_secs(7));
    // What the caller sees (a status, or what was lost), whether the body is JSON, whether the write was applied.
    let cases: [(Fault, Result<u16, &str>, bool, bool); 11] = [
        (RateLimited { retry_after: some }, Ok(429), false, false),
        (RateLimited { retry_after: None }, Ok(429), false, false),
        (ServerError, Ok(500), false, false),
        (Unavailable, Ok(503), false, false),
        (LostBefore, Err("no answer"), false, false),
        (LostAfter, Err("no answer"), false, true),
        (Truncated, Ok(200), false, true),
        (Malformed, Ok(200), false, true),
        (NoEffect, Ok(200), true, false),
        (Unauthorized, Ok(401), true, false),
        (Down, Err("could not connect"), false, false),
    ];
    for (fault, seen, is_json, applied) in cases {
        let account = Account::new();
        let no = open(&account);
        account.sandbox.set_faults(FaultPlan::default().next(1, On::Writes, fault));
        let answer =
            send(&account, "PUT", &format!("/api/v2/tickets/{no}"), &json!({ "ticket": { "priority": "low" } }));
        match (&answer, seen) {
            (Ok(response), Ok(status)) => {
                assert_eq!(response.status(), status, "{fault:?}");
                assert_eq!(!read(response).is_string(), is_json, "{fault:?}");
                let said = response.headers().get("retry-after").map(|wait| wait.to_str().unwrap());
                let due = if fault == (RateLimited { retry_after: some }) { Some("7") } else { None };
                assert_eq!(said, due);
            }
            (Err(error), Err(words)) => assert!(error.to_string().starts_with(words), "{fault:?}: {error}"),
            _ => panic!("{fault:?}: {answer:?}"),
        }
        assert_eq!(account.sandbox.ticket(no).unwrap().priority.is_some(), applied, "{fault:?}");
        let journal = account.sandbox.journal();
        assert_eq!(journal.requests.last().unwrap().fault, Some(fault.name()));
    }
}

#[test]
fn a_slow_answer_comes_in_time_or_is_lost_and_was_applied_anyway() {
    let account = Account::new();
    let no = open(&account);
    for (slow, comes) in [(5, true), (31, false)] {
        let fault = Fault::Slow(SignedDuration::from_secs(slow));
        account.sandbox.set_faults(FaultPlan::default().next(1, On::Writes, fault));
        let subject = format!("slow {slow}");
        let login = format!("Bearer {}", account.token);
        let put = request(
            "PUT",
            &format!("/api/v2/tickets/{no}"),
            Some(&login),
            &json!({ "ticket": { "subject": subject } }),
        );
        let transport = SandboxTransport::to(account.sandbox.clone());
        let mut sending = transport.send(put, Bounds::default());
        assert!(block_on(async { futures::poll!(&mut sending) }).is_pending());
        assert_eq!(account.sandbox.ticket(no).unwrap().subject, subject);
        account.pass(30);
        assert_eq!(block_on(sending).is_ok(), comes);
    }
}

#[test]
fn a_host_without_a_sandbox_and_an_answer_too_large_fail_as_over_a_socket() {
    let account = Account::new();
    let transport = SandboxTransport::default().with("other.example", account.sandbox.clone());
    let login = format!("Bearer {}", account.token);
    let get = || request("GET", "/api/v2/tickets", Some(&login), &Value::Null);
    assert!(matches!(block_on(transport.send(get(), Bounds::default())), Err(TransportError::NotSent(_))));
    let transport = SandboxTransport::to(account.sandbox.clone());
    let bounds = Bounds { body_bytes: 10, ..Bounds::default() };
    assert!(matches!(block_on(transport.send(get(), bounds)), Err(TransportError::TooLarge(10))));
}

#[test]
fn a_trigger_acts_within_the_update_and_the_audit_says_which() {
    let account = Account::new();
    let no = open(&account);
    let (billing, support) = account.sandbox.with(|desk| {
        let queue = |name| desk.find_queue(name).unwrap().no;
        let (billing, support) = (queue("Billing"), queue("Support"));
        desk.rules.push(Rule {
            name: "Back to Support".into(),
            when: When { queue: Some(billing), did: Some("queue"), ..When::default() },
            then: Update { queue: Some(Some(support)), ..Update::default() },
            timing: Timing::Within,
        });
        (billing, support)
    });
    let (status, answer) = account.put(&format!("/api/v2/tickets/{no}"), &json!({ "ticket": { "group_id": billing } }));
    assert_eq!((status, &answer["ticket"]["group_id"]), (200, &json!(support)));
    let moves: Vec<_> = answer["audit"]["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| (&event["value"], &event["via"]["channel"]))
        .collect();
    assert_eq!(moves, [(&json!(billing.to_string()), &Value::Null), (&json!(support.to_string()), &json!("rule"))]);
}

#[test]
fn an_automation_acts_later_in_its_own_name_and_rules_set_no_rules_off() {
    let account = Account::new();
    let no = open(&account);
    account.sandbox.with(|desk| {
        for (when, then) in [("Billing", "Support"), ("Support", "Billing")] {
            let queue = |name| desk.find_queue(name).unwrap().no;
            let rule = Rule {
                name: format!("to {then}"),
                when: When { queue: Some(queue(when)), did: Some("queue"), ..When::default() },
                then: Update { queue: Some(Some(queue(then))), ..Update::default() },
                timing: Timing::After(SignedDuration::from_secs(30)),
            };
            desk.rules.push(rule);
        }
    });
    account.sandbox.person("frontline-1").moves(no, "Billing").unwrap();
    account.pass(3600);
    let journal = account.sandbox.journal();
    let moves: Vec<_> = journal.of(no).filter(|effect| effect.what == "queue").collect();
    assert_eq!(moves.len(), 2);
    assert_eq!((moves[1].to.as_deref(), &moves[1].cause), (Some("Support"), &Cause::Rule("to Support".into())));
    assert_eq!(moves[1].at.duration_since(moves[0].at).as_secs(), 30);
    let audits = account.get(&format!("/api/v2/tickets/{no}/audits"));
    let last = audits["audits"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["author_id"], &last["via"]["source"]["rel"]), (&json!(-1), &json!("automation")));
}

#[test]
fn the_same_seed_and_calls_give_the_same_journal() {
    let day = || {
        let account = Account::with_limits(Limits::WIDE);
        account.sandbox.set_faults(FaultPlan::default().rate(On::Writes, Fault::LostAfter, 0.2).rate(
            On::All,
            Fault::ServerError,
            0.1,
        ));
        for n in 0..100 {
            let no = open(&account);
            let body = json!({ "ticket": { "subject": n.to_string() } });
            let _ = send(&account, "PUT", &format!("/api/v2/tickets/{no}"), &body);
            account.pass(13);
        }
        account.sandbox.journal().json().unwrap()
    };
    assert!(day() == day());
}
