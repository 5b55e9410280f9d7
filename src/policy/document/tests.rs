//! The document of policies: whole, readable, and never more than text.

use super::*;
use crate::policy::alert::{AlertChannel, ChannelKind, Occasion, Outside};
use crate::policy::due::{TeamHours, Wait};
use crate::policy::header::PolicyHeader;
use crate::policy::review_terms::{ReviewTerms, Unanswered};
use crate::policy::rules::{
    Assign, ClaimDecision, CustomerClock, CustomerDecision, Missing, PublicMessage, ReviewDecision, Then, Trigger,
    Unclaimed,
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
    document(policy, &Around { systems: &systems, signed_rules, is_signed: &|_, _| true, instead: None })
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
fn who_is_told_and_what_happens_where_nobody_takes_a_case_on_stands_in_the_document() {
    let mut policy = rich();
    let tells = vec![Occasion::Handoff, Occasion::Review];
    let room =
        AlertChannel { kind: ChannelKind::Slack, tells, hours: Some(testing::office_hours()), outside: Outside::Drop };
    let ops =
        AlertChannel { kind: ChannelKind::Email, tells: vec![Occasion::Parked], hours: None, outside: Outside::Wait };
    policy.alerts.channels = [("room".into(), room), ("ops".into(), ops)].into();
    policy.alerts.operators = vec!["ops".into()];
    policy.teams.get_mut(&"billing".into()).unwrap().alert = vec!["room".into()];
    let within = SignedDuration::from_hours(2).into();
    let unclaimed = vec![Unclaimed::Lead, Unclaimed::Team("engineering".into()), Unclaimed::Back];
    policy.escalations[0].owner.claim = Some(ClaimDecision { within, unclaimed });
    policy.escalations[0].review = ReviewDecision::Never;
    let text = told(&policy, &[]);
    for words in [
        "| `room` | slack | handoffs, reviews that wait | office; what happens outside of them is not told | billing |",
        "| `ops` | email | what is parked | always | none |",
        "- Of what handoffd began and cannot finish are told: `ops`.",
        "billing has 2 h of the team's hours to take it on; if nobody does: the lead of billing is asked, then it goes on to \
         engineering, then it goes back to the team that it came from; each step has the same time.",
        "one that nobody of billing takes on within 2 h of the team's hours is unclaimed;",
        "one that another automation takes back is contested",
        "How soon somebody takes it on is not watched.",
        "Nobody by this rule's own word. A person is asked all the same where rules disagree, where a rule that agrees with this \
         one would ask, where a required part of the package is missing, and where",
        "the lead of the team that gives the case may too",
        "`/rate good` or `/rate poor`",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
}

#[test]
fn hours_have_their_zone_their_days_and_the_days_on_which_they_are_closed() {
    let mut policy = rich();
    let hours = TeamHours {
        name: "late".into(),
        closed: vec!["2026-12-25".parse().unwrap(), "2026-12-26".parse().unwrap()],
        ..(*testing::office_hours()).clone()
    };
    policy.targets[0].hours = Some(hours.into());
    policy.teams.get_mut(&"billing".into()).unwrap().hours = Some(testing::office_hours());
    let text = told(&policy, &[]);
    let late = text.lines().find(|line| line.starts_with("| late |")).unwrap_or_else(|| panic!("{text}"));
    assert!(late.contains("| Europe/Berlin |") && late.ends_with("| 2026-12-25, 2026-12-26 |"), "{late}");
    let office = text.lines().find(|line| line.starts_with("| office |")).unwrap_or_else(|| panic!("{text}"));
    assert!(office.contains("09:00") && office.ends_with("| no other day |"), "{office}");
}

#[test]
fn what_is_not_signed_or_does_not_run_is_not_said_to() {
    let mut policy = policy();
    let wordings = [("en".to_owned(), "We are on it".to_owned())].into();
    let message = PublicMessage { name: "m".into(), signers: Vec::new(), wording_hash: "0".into(), wordings };
    policy.messages.insert("m".into(), message);
    policy.escalations[0].customer =
        CustomerDecision::Message { name: "m".into(), respond_within: None, quiet_for: None, after_reply: None };
    let section = |signed: bool| path(&policy, &policy.escalations[0], &|_, _| signed);
    assert!(section(true).contains("The message `m` (en), in the wording that was signed."));
    assert!(section(false).contains("**Nothing, as things stand**") && !section(false).contains("that was signed"));
    let told =
        |instead| document(&policy, &Around { systems: &[], signed_rules: &[], is_signed: &|_, _| true, instead });
    let instead = told(Some("3f0a runs in its place, as lead said: too *many*"));
    assert!(instead.contains("**This is not what runs.** 3f0a runs in its place, as lead said: too \\*many\\*"));
    assert!(!told(None).contains("not what runs"));
}

#[test]
fn every_path_answers_every_question() {
    for policy in [policy(), rich()] {
        answers_everything(&policy);
    }
}

fn answers_everything(policy: &Policy) {
    for escalation in &policy.escalations {
        let section = path(policy, escalation, &|_, _| false);
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

#[test]
fn what_silence_is_a_yes_to_and_what_a_reminded_lead_closes_are_said_as_they_are() {
    let mut policy = policy();
    policy.escalations[0].review = ReviewDecision::Always;
    let terms = |unanswered| ReviewTerms {
        answer_within: Wait::wall(SignedDuration::from_hours(4)),
        remind_every: None,
        unanswered,
    };
    policy.escalations[0].reviews = Some(terms(Unanswered::Approve));
    let claim = |unclaimed: &[Unclaimed]| {
        Some(ClaimDecision { within: SignedDuration::from_hours(1).into(), unclaimed: unclaimed.to_vec() })
    };
    policy.escalations[0].owner.claim = claim(&[Unclaimed::Lead]);
    let text = told(&policy, &[]);
    assert!(text.contains("That is a yes only to what this rule itself asks"), "{text}");
    assert!(text.contains("Each of them but the unclaimed closes this path"), "{text}");
    policy.escalations[0].reviews = Some(terms(Unanswered::Reject));
    policy.escalations[0].owner.claim = claim(&[Unclaimed::Lead, Unclaimed::Back]);
    let text = told(&policy, &[]);
    assert!(!text.contains("That is a yes only") && !text.contains("but the unclaimed"), "{text}");
}
