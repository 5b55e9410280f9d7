//! The document of policies: whole, readable, and never more than text.

use super::*;
use crate::policy::due::Wait;
use crate::policy::header::PolicyHeader;
use crate::policy::rules::{
    Assign, CustomerClock, CustomerDecision, Missing, PublicMessage, ReviewDecision, Then, Trigger,
};
use crate::policy::targets::Target;
use crate::policy::testing::{self, condition, escalation, route};
use handoffd_kit::model::Status;
use jiff::SignedDuration;

const QUESTIONS: [&str; 7] = [
    "1. **When does the case move?** ",
    "2. **What travels?** ",
    "3. **Who owns it afterwards?** ",
    "4. **What do the clocks do?** ",
    "5. **What is the customer told?** ",
    "6. **Who is asked first?** ",
    "7. **How does a bad handoff show?** ",
];

fn told(policy: &Policy, signed_rules: &[SignedRule]) -> String {
    let systems = [("acme".to_owned(), "zendesk".to_owned(), "acme.zendesk.com".to_owned())];
    document(policy, &Around { systems: &systems, signed_rules, is_signed: &|_, _| true })
}

fn policy() -> Policy {
    let mut refund = escalation("refund", "ticket.fields.refund_eur > 500.0", "billing");
    refund.needs = Some("authority to refund".into());
    refund.rule.sensitive = true;
    refund.rule.times.idle_for = Some(SignedDuration::from_hours(4).into());
    refund.package.missing = Missing::Ask { within: SignedDuration::from_hours(2).into(), then: Then::Review };
    refund.review = ReviewDecision::When(condition("ticket.fields.refund_eur > 5000.0"));
    let header = PolicyHeader {
        owner: Some("support-ops@acme.example".into()),
        second_reviewer: Some("security@acme.example".into()),
        review_by: Some("2027-03-01".parse().expect("a date")),
        goal: Some("Nobody asks the customer twice".into()),
        ..PolicyHeader::default()
    };
    let routes =
        vec![route("invoices", "mentions(ticket.subject, \"invoice\")", "billing"), route("rest", "", "frontline")];
    Policy {
        header,
        routes,
        escalations: vec![refund, escalation("vip", "has_tag('vip')", "engineering")],
        ..testing::policy()
    }
}

#[test]
fn the_document_reads_like_an_agreement() {
    insta::assert_snapshot!(told(&policy(), &[]));
}

/// Everything that a path, a route and a policy may say beside what [`policy`] says.
fn rich() -> Policy {
    let mut policy = policy();
    policy.quiet_after_person = Some(SignedDuration::from_mins(10));
    policy.routes[0].fallback = Some("frontline".into());
    policy.routes[0].on_duty = true;
    policy.routes[0].rule.share = 0.25;
    let [turn, load] = policy.escalations.as_mut_slice() else { panic!("two rules") };
    (turn.owner.assign, turn.owner.fallback) = (Assign::Turn, Assign::Load);
    load.trigger = Trigger::Manual;
    (load.owner.assign, load.owner.fallback) = (Assign::Person("lead".into()), Assign::Queue);
    load.clock.customer = CustomerClock::Pause { status: "hold".into(), at_most: SignedDuration::from_hours(24) };
    policy.targets.push(Target {
        name: "standard".into(),
        when: vec![condition("has_tag('a') || has_tag('b')")],
        hours: Some(testing::office_hours()),
        first_reply: Some(SignedDuration::from_hours(4).into()),
        next_reply: None,
        resolution: Some(Wait::wall(SignedDuration::from_hours(72))),
        paused_in: vec![Status::Pending],
    });
    policy
}

#[test]
fn whatever_a_policy_can_say_stands_in_the_document() {
    let text = told(&rich(), &[]);
    for words in [
        "`invoices` → **billing**: `mentions(ticket.subject, \"invoice\")`, and only while that team is on duty. While that team is \
         off duty, or its queue is gone, the case starts with **frontline**.",
        "On 25 % of the tickets.",
        "Owner: the members of billing who are on duty, one after the other; where that is not possible, the member of billing on \
         duty who has the fewest open cases, and the note says why.",
        "Owner: lead of engineering; where that is not possible, the queue of engineering, until one of them takes it, and the note",
        "stands still in the status `hold`, for 24 h at most",
        "Not while an agent was active in the last 10 min.",
        "| standard | `has_tag('a') \\|\\| has_tag('b')` | 4 h | none | 72 h by the wall clock | office | pending |",
        "- From frontline they may ask for: engineering.",
        "`handoff:{team}`",
        "Every open case is looked at once",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    assert_eq!(text.matches("Not while an agent").count(), 1, "nobody waits for what an agent asked for");
}

#[test]
fn every_path_answers_every_question() {
    for policy in [policy(), rich()] {
        answers_everything(&policy);
    }
}

fn answers_everything(policy: &Policy) {
    for escalation in &policy.escalations {
        let section = path(policy, escalation);
        for question in QUESTIONS {
            let answer = section.split(question).nth(1).unwrap_or_default().lines().next().unwrap_or_default();
            assert!(answer.len() > 20 && answer.ends_with('.'), "{}: {question}{answer}", escalation.rule.name);
        }
    }
}

#[test]
fn what_stays_in_shadow_is_listed_with_its_reason() {
    let mut policy = policy();
    let shadow = |policy: &Policy, signed: &[SignedRule]| {
        let text = told(policy, signed);
        text.split("## In shadow\n\n").nth(1).and_then(|rest| rest.split("\n\n").next()).unwrap_or_default().to_owned()
    };
    assert_eq!(shadow(&policy, &[]).trim(), "- `refund`: it is sensitive, and this version of it is not signed");
    let signed =
        |signer: &str| SignedRule { rule: "refund".into(), version: "refund-v1".into(), signer: signer.into() };
    assert!(shadow(&policy, &[signed("support-ops@acme.example")]).contains("not signed"), "not the second reviewer");
    assert!(shadow(&policy, &[signed("security@acme.example")]).starts_with("Nothing"));
    policy.escalations[1].rule.mode = Mode::Shadow;
    assert_eq!(shadow(&policy, &[signed("security@acme.example")]).trim(), "- `vip`: it says so");
    policy.mode = Mode::Shadow;
    assert!(shadow(&policy, &[]).starts_with("The daemon runs in shadow"));
}

#[test]
fn text_of_the_policy_is_only_ever_text() {
    let mut policy = policy();
    let hostile = "- x\n# x\n| a | <script>alert(1)</script> [l](http://evil.example) `code` *b* ![i](x)";
    policy.header.goal = Some(hostile.into());
    policy.escalations[0].reason = hostile.into();
    policy.escalations[0].customer = CustomerDecision::Nothing { because: hostile.into() };
    let wordings = [("en".to_owned(), hostile.to_owned())].into();
    let message = PublicMessage { name: "m".into(), signers: vec![hostile.into()], wording_hash: "0".into(), wordings };
    policy.messages.insert("m".into(), message);
    let text = told(&policy, &[]);
    for piece in ["<script>", "[l](", "![i]", "\n# x", "| a |"] {
        assert!(!text.contains(piece), "{piece} in {text}");
    }
    assert_eq!(text.matches("\\<script\\>").count(), 5);
}

#[test]
fn code_holds_any_condition() {
    for text in ["a", "`a`", "a ``` b", "x == '`'", ""] {
        let shown = code(text);
        let fence: String = shown.chars().take_while(|letter| *letter == '`').collect();
        assert!(!text.contains(&fence) && shown.ends_with(&fence), "{shown}");
    }
}
