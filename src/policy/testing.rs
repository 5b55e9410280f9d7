//! A small policy and a case for the tests of `policy` and `plan`.

use super::case::{Case, ClosedBy, ClosedPath, Memory, Request, Stay};
use super::condition::Condition;
use super::due::TeamHours;
use super::known::KnownFacts;
use super::languages::PublicName;
use super::names::{MessageName, PersonName, TeamName};
use super::roster::Rosters;
use super::rules::*;
use super::teams::{PersonEntry, Team};
use super::timing::TimeKeys;
use handoffd_hours::{Block, Calendar, Day, Week};
use handoffd_kit::desk::QueueSpec;
use handoffd_kit::fact::Fact;
use handoffd_kit::id::{DeskId, MessageId, QueueId};
use handoffd_kit::model::*;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::Arc;

/// The instant that tests call now.
pub fn now() -> Timestamp {
    "2026-11-02T12:00:00Z".parse().unwrap()
}

/// The facts that [`policy`] declares.
pub fn known() -> KnownFacts {
    KnownFacts::new().with_fields(&desk().fields)
}

/// A condition over them.
pub fn condition(source: &str) -> Condition {
    Condition::compile(source, &known()).unwrap_or_else(|problems| panic!("{source}: {problems:?}"))
}

fn desk() -> DeskPolicy {
    let field = |id: &str, kind, of| FieldDeclaration { id: id.into(), kind, of };
    let fields = [
        ("steps", field("f-steps", FieldType::Text, FieldOwner::Ticket)),
        ("playbook", field("f-playbook", FieldType::Text, FieldOwner::Ticket)),
        ("refund_eur", field("f-refund", FieldType::Number, FieldOwner::Ticket)),
        ("plan", field("f-plan", FieldType::Choice, FieldOwner::Organization)),
    ];
    DeskPolicy {
        intake: vec![QueueSpec::Name("Incoming".into())],
        start: Start::Now,
        fields: fields.map(|(name, field)| (name.to_owned(), field)).into(),
        commands: CommandWords::default(),
        news_within: None,
    }
}

fn team(name: &str, tier: u32, queue: &str) -> (TeamName, Team) {
    let team = Team {
        name: name.into(),
        tier,
        desk: "acme".into(),
        queue: QueueSpec::Name(queue.into()),
        public_name: Some(PublicName::everywhere(format!("our {name} specialists"))),
        hours: None,
        lead: None,
        reviewers: Vec::new(),
        alert: Vec::new(),
    };
    (name.into(), team)
}

/// Berlin's office hours: 9 to 12 and 13 to 17:30, on Fridays 9 to 15.
pub fn office_hours() -> Arc<TeamHours> {
    let mut week = Week::new();
    for day in &Day::ALL[..4] {
        week.add(*day, Block::parse("09:00-12:00").unwrap()).unwrap();
        week.add(*day, Block::parse("13:00-17:30").unwrap()).unwrap();
    }
    week.add(Day::Fri, Block::parse("09:00-15:00").unwrap()).unwrap();
    let zone = "Europe/Berlin";
    let calendar = Calendar::new(handoffd_hours::zone(zone).unwrap(), &week, []).unwrap();
    Arc::new(TeamHours {
        name: "office".into(),
        zone: zone.into(),
        open: week.shown(),
        closed: Vec::new(),
        calendar,
        meaning: week.meaning(),
    })
}

/// What an agent asks for in the stay of [`case`].
pub fn request(to: &str) -> Request {
    Request {
        command: "c1".into(),
        to: to.into(),
        reason: "the customer insists".into(),
        by: "Second Agent".into(),
        by_id: Some("8".into()),
        by_email: None,
        episode: "e1".into(),
        open: true,
        told: false,
        led_to: None,
    }
}

/// The case has just come back from billing, and a look has seen it.
pub fn close(case: &mut Case, policy: &Policy, why: ClosedBy) {
    case.memory.closed_paths = vec![ClosedPath::new(Some("frontline".into()), "billing".into(), why)];
    case.memory.closed_paths = super::closed::unnoted(case, policy, now()).expect("everything was read");
}

/// Labels changed.
pub fn tagged() -> What {
    What::Tags { added: vec!["vip".into()], removed: Vec::new() }
}

/// A rule with this name and condition; live.
pub fn rule(name: &str, when: &str) -> Rule {
    Rule {
        name: name.into(),
        version: format!("{name}-v1"),
        mode: Mode::Live,
        share: 1.0,
        sensitive: false,
        once: Once::Episode,
        when: if when.is_empty() { Vec::new() } else { vec![condition(when)] },
        times: TimeKeys::default(),
        alert: None,
        risks: None,
    }
}

/// A route to a team.
pub fn route(name: &str, when: &str, to: &str) -> Route {
    Route {
        rule: rule(name, when),
        desk: "acme".into(),
        to: to.into(),
        fallback: None,
        on_duty: false,
        weak_triage_within: super::triage::WITHIN,
    }
}

/// An escalation from frontline to a team.
pub fn escalation(name: &str, when: &str, to: &str) -> Escalation {
    Escalation {
        rule: rule(name, when),
        trigger: Trigger::Exception,
        quiet_after_person: None,
        from: vec!["frontline".into()],
        to: to.into(),
        needs: Some("authority to refund".into()),
        reason: "A refund of {{ ticket.fields.refund_eur }} EUR is above the limit of {{ from.name }}".into(),
        package: PackageDecision { require: vec![PackagePart::Summary, PackagePart::Reported], missing: Missing::Send },
        owner: OwnerDecision {
            assign: Assign::Queue,
            fallback: Assign::Queue,
            previous: PreviousTask::Task {
                task: "Answer questions".into(),
                within: Some(SignedDuration::from_hours(24).into()),
            },
            customer_facing: CustomerFacing::Previous,
            claim: None,
        },
        clock: ClockDecision {
            customer: CustomerClock::Continue,
            internal: Some(SignedDuration::from_hours(4).into()),
            internal_from: InternalFrom::Handoff,
            accountable: Accountable::To,
        },
        customer: CustomerDecision::Message {
            name: "escalated".into(),
            respond_within: Some(SignedDuration::from_hours(8).into()),
            quiet_for: Some(SignedDuration::from_hours(24)),
            after_reply: Some(SignedDuration::from_mins(10)),
        },
        review: ReviewDecision::Never,
        reviewers: Vec::new(),
        reviews: None,
    }
}

/// Three teams on one desk, one message in two languages, no rules.
pub fn policy() -> Policy {
    let wordings: BTreeMap<String, String> = [
        ("en", "{{ to.public_name }} look at this now. You hear from us by {{ respond_by }}."),
        ("de", "{{ to.public_name }} kümmern sich darum, bis {{ respond_by }}."),
    ]
    .map(|(language, text)| (language.to_owned(), text.to_owned()))
    .into();
    let message = PublicMessage {
        name: MessageName::from("escalated"),
        signers: vec!["support-ops@acme.example".into()],
        wording_hash: super::message::wording_hash(&wordings),
        wordings,
    };
    let lead = PersonEntry {
        email: Some("billing-lead@acme.example".into()),
        desk: BTreeMap::from([(DeskId::from("acme"), "4711".into())]),
        ..PersonEntry::default()
    };
    Policy {
        version: "p1".into(),
        header: super::header::PolicyHeader::default(),
        mode: Mode::Live,
        desks: BTreeMap::from([(DeskId::from("acme"), desk())]),
        teams: [team("frontline", 1, "Support"), team("billing", 2, "Billing"), team("engineering", 3, "Engineering")]
            .into(),
        people: BTreeMap::from([(PersonName::from("billing-lead"), lead)]),
        labels: super::package::Labels::default(),
        messages: BTreeMap::from([("escalated".into(), message)]),
        alerts: super::alert::AlertPolicy::default(),
        targets: Vec::new(),
        never: None,
        quiet_after_person: None,
        suppress: Vec::new(),
        limits: Limits::default(),
        reviews: None,
        risks: Vec::new(),
        routes: Vec::new(),
        escalations: Vec::new(),
    }
}

/// A queue as the desk shows it.
pub fn queue(name: &str) -> Fact<Option<QueueRef>> {
    Fact::Known(Some(QueueRef { id: QueueId::new(format!("q-{name}")), name: Some(name.into()) }))
}

/// An open case in frontline's queue, with a refund of 6000 EUR.
pub fn case() -> Case {
    let mut head = TicketHead::unknown("42".into(), "v1".into());
    head.subject = Fact::Known("Refund please".into());
    head.status = Fact::Known(Status::Open);
    head.priority = Fact::Known(Some(Priority::High));
    head.tags = Fact::Known(vec!["refund".into()]);
    head.queue = queue("Support");
    head.owner = Fact::Known(Some(Person {
        id: "7".into(),
        name: Some("First Agent".into()),
        email: Some("first@acme.example".into()),
        role: Role::Agent,
    }));
    head.machine_mail = Fact::Known(false);
    head.reply_reaches_customer = Fact::Known(true);
    head.language = Fact::Known(Some("en".into()));
    head.fields.insert("f-refund".into(), serde_json::json!("6000"));
    head.created_at = Fact::Known("2026-11-01T09:00:00Z".parse().unwrap());
    let stay = Stay { team: "frontline".into(), episode: "e1".into(), since: now() };
    let memory = Memory { counts: true, stay: Some(stay), teams_seen: vec!["frontline".into()], ..Memory::default() };
    Case {
        desk: "acme".into(),
        head,
        parts: Parts::default(),
        asked: PartSet::NONE,
        memory,
        rosters: Rosters::default(),
    }
}

/// The same case with all its parts read, each of them plain.
pub fn case_with_parts() -> Case {
    let mut case = case();
    let person = Person {
        id: "900".into(),
        name: Some("Eva Example".into()),
        email: Some("eva@customer.example".into()),
        role: Role::Customer,
    };
    case.parts = Parts {
        conversation: Some(Conversation {
            messages: vec![said_by_customer("I was charged twice. Can you refund it?")],
            complete: true,
        }),
        history: Some(Vec::new()),
        customer: Some(Customer {
            person,
            language: Fact::Known(Some("en".into())),
            zone: Fact::Known(Some("Europe/Berlin".into())),
            fields: BTreeMap::new(),
            organization: Fact::Known(None),
        }),
        clocks: Some(Vec::new()),
        people: Vec::new(),
        contacts: None,
    };
    case
}

fn said(role: Role, name: &str, text: &str) -> Message {
    Message {
        id: MessageId::from("m"),
        at: "2026-11-02T10:00:00Z".parse().unwrap(),
        author: Author { id: None, name: Some(name.into()), role },
        said: Said::Publicly(PublicText(text.into())),
        attachments: Vec::new(),
        by_machine: Fact::Unknown,
    }
}

/// A public message of the customer.
pub fn said_by_customer(text: &str) -> Message {
    said(Role::Customer, "Eva Example", text)
}

/// An internal note of an agent.
pub fn noted_by_agent(text: &str) -> Message {
    Message { said: Said::Internally(InternalText(text.into())), ..said(Role::Agent, "First Agent", "") }
}

/// A public reply of an agent.
pub fn said_by_agent(text: &str) -> Message {
    said(Role::Agent, "First Agent", text)
}

/// Hours in which somebody is always there.
pub fn always_open() -> Arc<TeamHours> {
    let mut week = Week::new();
    for day in Day::ALL {
        week.add(day, Block::parse("00:00-24:00").unwrap()).unwrap();
    }
    let calendar = Calendar::new(handoffd_hours::zone("UTC").unwrap(), &week, []).unwrap();
    let (open, meaning) = (week.shown(), week.meaning());
    Arc::new(TeamHours { name: "always".into(), zone: "UTC".into(), open, closed: Vec::new(), calendar, meaning })
}
