//! Webhooks: both forms, signed when they leave, lost, doubled and delayed by plan.

use crate::common::Account;
use base64::Engine;
use handoffd_sandbox::change::Update;
use handoffd_sandbox::faults::WebhookFaults;
use handoffd_sandbox::ids::TicketNo;
use handoffd_sandbox::outbox::Post;
use handoffd_sandbox::seed;
use handoffd_sandbox::{FaultPlan, Sandbox};
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Value, json};

fn open(sandbox: &Sandbox) -> TicketNo {
    seed::customer_writes(sandbox, "ada@premium.example", "Export fails", "t", Update::default())
}

fn hook(account: &Account, topics: &[&str], template: Option<&str>) {
    account.sandbox.with(|desk| desk.add_hook("https://handoffd.example/hooks/acme", "secret", topics, template));
}

fn body(post: &Post) -> Value {
    serde_json::from_slice(&post.body).unwrap()
}

#[test]
fn a_move_is_told_with_text_ids_and_loud_words_to_those_who_asked() {
    let account = Account::new();
    hook(&account, &["zen:event-type:ticket.group_assignment_changed"], None);
    let no = open(&account.sandbox);
    account.sandbox.person("frontline-1").moves(no, "Billing").unwrap();
    let posts = account.sandbox.due_webhooks();
    assert_eq!(posts.len(), 1, "neither the ticket's creation nor its first comment was asked for");
    let told = body(&posts[0]);
    let (billing, actor) = account.sandbox.with(|desk| {
        (desk.find_queue("Billing").unwrap().no.to_string(), desk.find_person("frontline-1").unwrap().no.to_string())
    });
    assert_eq!(told["subject"], format!("zen:ticket:{no}"));
    assert_eq!(told["event"], json!({ "current": billing, "previous": null }));
    assert_eq!(told["detail"]["actor_id"], json!(actor));
    assert_eq!(told["detail"]["status"], "NEW");
    assert_eq!(account.sandbox.due_webhooks().len(), 0);
}

#[test]
fn without_topics_everything_is_told_and_each_event_has_its_own_id() {
    let account = Account::new();
    hook(&account, &[], None);
    let no = open(&account.sandbox);
    account.sandbox.person("frontline-1").tags(no, "export").unwrap();
    account.sandbox.person("frontline-1").deletes(no).unwrap();
    let posts = account.sandbox.due_webhooks();
    let types: Vec<String> =
        posts.iter().map(|post| body(post)["type"].as_str().unwrap().replace("zen:event-type:ticket.", "")).collect();
    assert_eq!(types, ["created", "comment_added", "tags_changed", "soft_deleted"]);
    let ids: std::collections::BTreeSet<String> = posts.iter().map(|post| body(post)["id"].to_string()).collect();
    assert_eq!(ids.len(), 4);
}

#[test]
fn a_conditional_webhook_says_what_its_template_says() {
    let account = Account::new();
    let template = r#"{"id":"{{ticket.id}}","who":"{{ current_user.id }}","odd":"{{no.such}}"}"#;
    hook(&account, &["conditional_ticket_events"], Some(template));
    let no = open(&account.sandbox);
    let posts = account.sandbox.due_webhooks();
    assert_eq!(posts.len(), 1, "one for each change, however much it did");
    let requester = account.sandbox.ticket(no).unwrap().requester;
    assert_eq!(body(&posts[0]), json!({ "id": no.to_string(), "who": requester.to_string(), "odd": "" }));
}

#[test]
fn the_signature_covers_the_time_it_leaves_and_the_raw_body() {
    let account = Account::new();
    hook(&account, &[], None);
    open(&account.sandbox);
    account.pass(90);
    let post = account.sandbox.due_webhooks().remove(0);
    let stamp = post.headers["x-zendesk-webhook-signature-timestamp"].to_str().unwrap();
    assert_eq!(stamp, "2026-05-03T10:01:30Z");
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"secret").unwrap();
    mac.update(&[stamp.as_bytes(), &post.body].concat());
    let sent = base64::engine::general_purpose::STANDARD.decode(&post.headers["x-zendesk-webhook-signature"]).unwrap();
    mac.verify_slice(&sent).unwrap();
}

#[test]
fn webhooks_are_lost_doubled_and_reordered_by_plan() {
    let account = Account::new();
    hook(&account, &["conditional_ticket_events"], None);
    let delay = jiff::SignedDuration::from_mins(10);
    let faults = WebhookFaults { lost: 0.2, duplicated: 0.3, delayed: 0.5, delay };
    account.sandbox.set_faults(FaultPlan::default().webhooks(faults));
    for _ in 0..200 {
        open(&account.sandbox);
    }
    let mut came = Vec::new();
    while let Some(at) = account.sandbox.next_due() {
        account.clock.set(at);
        came.extend(
            account
                .sandbox
                .due_webhooks()
                .iter()
                .map(|post| body(post)["ticket_id"].as_str().unwrap().parse::<u64>().unwrap()),
        );
    }
    let tickets: std::collections::BTreeSet<u64> = came.iter().copied().collect();
    assert!((140..180).contains(&tickets.len()), "{} of 200 were told at all", tickets.len());
    assert!((came.len() - tickets.len()) > 20, "some came twice");
    assert!(!came.is_sorted(), "some came late");
}
