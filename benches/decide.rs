//! Decisions per second with 50 and with 200 rules: a case that stays (every rule is asked, none matches), and one that one rule
//! escalates, with its package, reason and customer message. One iteration is one decision; its elements are the rules
//! that it asks, each with its trace. `explain` is the same with every condition told and what would have to change.

#![expect(clippy::expect_used, reason = "a benchmark stops where its input is wrong")]

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use handoffd::policy::case::{Case, Memory, Stay};
use handoffd::policy::condition::Condition;
use handoffd::policy::decide::decide;
use handoffd::policy::explain::explain;
use handoffd::policy::header::PolicyHeader;
use handoffd::policy::message::wording_hash;
use handoffd::policy::rules::*;
use handoffd::policy::teams::Team;
use handoffd::policy::timing::TimeKeys;
use handoffd::policy::verdict::{Decision, Outcome};
use handoffd_kit::desk::QueueSpec;
use handoffd_kit::fact::Fact;
use handoffd_kit::id::{DeskId, QueueId};
use handoffd_kit::model::*;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::hint::black_box;

const RULES: [usize; 2] = [50, 200];

fn now() -> Timestamp {
    "2026-11-02T12:00:00Z".parse().expect("an instant")
}

fn fields() -> BTreeMap<String, FieldDeclaration> {
    let number = FieldDeclaration { id: "f1".into(), kind: FieldType::Number, of: FieldOwner::Ticket };
    BTreeMap::from([("refund_eur".to_owned(), number)])
}

/// Conditions as teams write them; number `n` never holds for the case below, but for the last rule.
fn condition(n: usize, rules: usize, known: &handoffd::policy::known::KnownFacts) -> Condition {
    let source = match n {
        _ if n + 1 == rules => "ticket.fields.refund_eur > 500.0".to_owned(),
        _ => match n % 5 {
            0 => format!("has_tag(\"product-{n}\") && ticket.priority == \"urgent\""),
            1 => format!("mentions(ticket.text, \"feature{n}\") || mentions(ticket.subject, \"feature{n}\")"),
            2 => format!("ticket.fields.refund_eur > {}.0 && ticket.status in [\"open\", \"pending\"]", 10_000 + n),
            3 => format!("ticket.tags.exists(tag, tag.startsWith(\"vip-{n}\")) && case.hops < 3"),
            _ => format!("ticket.subject.matches(\"INV-{n}[0-9]+\") && case.agent_replies > 2"),
        },
    };
    Condition::compile(&source, known).expect("a sound condition")
}

fn escalation(n: usize, rules: usize, known: &handoffd::policy::known::KnownFacts) -> Escalation {
    Escalation {
        rule: Rule {
            name: format!("rule-{n}").as_str().into(),
            version: format!("{n:016x}"),
            mode: Mode::Live,
            share: 1.0,
            sensitive: false,
            once: Once::Episode,
            when: vec![condition(n, rules, known)],
            times: TimeKeys::default(),
            alert: None,
            risks: None,
        },
        trigger: Trigger::Exception,
        quiet_after_person: None,
        from: vec!["frontline".into()],
        to: "billing".into(),
        needs: None,
        reason: "A refund of {{ ticket.fields.refund_eur }} EUR".into(),
        package: PackageDecision { require: vec![PackagePart::Summary], missing: Missing::Send },
        owner: OwnerDecision {
            assign: Assign::Queue,
            fallback: Assign::Queue,
            previous: PreviousTask::Nothing,
            customer_facing: CustomerFacing::New,
            claim: None,
        },
        clock: ClockDecision {
            customer: CustomerClock::Continue,
            internal: None,
            internal_from: InternalFrom::Handoff,
            accountable: Accountable::To,
        },
        customer: CustomerDecision::Message {
            name: "escalated".into(),
            respond_within: Some(SignedDuration::from_hours(8).into()),
            quiet_for: None,
            after_reply: None,
        },
        review: ReviewDecision::Never,
        reviewers: Vec::new(),
        reviews: None,
    }
}

fn team(name: &str, tier: u32, queue: &str) -> Team {
    Team {
        name: name.into(),
        tier,
        desk: "acme".into(),
        queue: QueueSpec::Name(queue.into()),
        public_name: Some(handoffd::policy::languages::PublicName::everywhere("our specialists")),
        hours: None,
        lead: None,
        reviewers: Vec::new(),
        alert: Vec::new(),
    }
}

fn policy(rules: usize) -> Policy {
    let known = handoffd::policy::known::KnownFacts::new().with_fields(&fields());
    let wordings = BTreeMap::from([("en".to_owned(), "{{ to.public_name }} answer by {{ respond_by }}.".to_owned())]);
    let message = PublicMessage {
        name: "escalated".into(),
        signers: Vec::new(),
        wording_hash: wording_hash(&wordings),
        wordings,
    };
    let commands = CommandWords::default();
    let desk = DeskPolicy { intake: Vec::new(), start: Start::Now, fields: fields(), commands, news_within: None };
    Policy {
        version: "v1".into(),
        header: PolicyHeader::default(),
        mode: Mode::Live,
        desks: BTreeMap::from([(DeskId::from("acme"), desk)]),
        teams: [team("frontline", 1, "Support"), team("billing", 2, "Billing")]
            .map(|team| (team.name.clone(), team))
            .into(),
        people: BTreeMap::new(),
        labels: handoffd::policy::package::Labels::default(),
        messages: BTreeMap::from([("escalated".into(), message)]),
        alerts: handoffd::policy::alert::AlertPolicy::default(),
        targets: Vec::new(),
        never: None,
        quiet_after_person: None,
        suppress: Vec::new(),
        limits: Limits::default(),
        reviews: None,
        risks: Vec::new(),
        routes: Vec::new(),
        escalations: (0..rules).map(|n| escalation(n, rules, &known)).collect(),
    }
}

fn message(role: Role, text: &str) -> Message {
    Message {
        id: "1".into(),
        at: now(),
        author: Author { id: None, name: Some("Somebody".into()), role },
        said: Said::Publicly(PublicText(text.into())),
        attachments: Vec::new(),
        by_machine: Fact::Known(false),
    }
}

fn case(refund_eur: f64) -> Case {
    let text = "I was charged twice for invoice INV-2026-17. I have restarted the app. Can you refund it? ".repeat(10);
    let mut head = TicketHead::unknown("42".into(), "v1".into());
    head.subject = Fact::Known("Charged twice".into());
    head.text = Fact::Known(text.clone());
    head.status = Fact::Known(Status::Open);
    head.priority = Fact::Known(Some(Priority::High));
    head.tags = Fact::Known(vec!["refund".into(), "web".into(), "vip".into()]);
    head.machine_mail = Fact::Known(false);
    head.reply_reaches_customer = Fact::Known(true);
    head.queue = Fact::Known(Some(QueueRef { id: QueueId::from("1"), name: Some("Support".into()) }));
    head.fields.insert("f1".into(), serde_json::json!(refund_eur));
    let messages = vec![message(Role::Customer, &text), message(Role::Agent, "Please try the form.")];
    let stay = Stay { team: "frontline".into(), episode: "e1".into(), since: now() };
    Case {
        desk: "acme".into(),
        head,
        parts: Parts {
            conversation: Some(Conversation { messages, complete: true }),
            history: Some(Vec::new()),
            ..Parts::default()
        },
        asked: PartSet::of(&[PartKind::Customer, PartKind::Clocks]),
        memory: Memory { counts: true, stay: Some(stay), teams_seen: vec!["frontline".into()], ..Memory::default() },
        rosters: handoffd::policy::roster::Rosters::default(),
    }
}

fn decisions(criterion: &mut Criterion) {
    for rules in RULES {
        decisions_with(rules, criterion);
    }
}

fn decisions_with(rules: usize, criterion: &mut Criterion) {
    let policy = policy(rules);
    for (name, refund_eur, escalates) in [("stays", 10.0, false), ("escalates", 6_000.0, true)] {
        let case = case(refund_eur);
        let decision = decide(&case, &policy, &|_, _| true, now());
        let Decision::Verdict(verdict) = decision else { panic!("a part is missing") };
        assert_eq!(matches!(verdict.outcome, Outcome::Escalate(_)), escalates, "{name}");
        let mut group = criterion.benchmark_group(format!("{rules} rules"));
        group.throughput(Throughput::Elements(rules as u64));
        group.bench_function(format!("decide/{name}"), |bencher| {
            bencher.iter(|| decide(black_box(&case), black_box(&policy), &|_, _| true, now()));
        });
        group.bench_function(format!("explain/{name}"), |bencher| {
            bencher.iter(|| explain(black_box(&case), black_box(&policy), &|_, _| true, now()));
        });
        group.finish();
    }
}

criterion_group!(benches, decisions);
criterion_main!(benches);
