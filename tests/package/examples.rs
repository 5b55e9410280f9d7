//! The examples of docs/TRIGGERS.md on cases as the daemon reads them: a ticket that fires and a twin that must not.

use handoffd::config;
use handoffd::policy::case::{Case, Memory, Stay};
use handoffd::policy::decide::decide;
use handoffd::policy::rules::Policy;
use handoffd::policy::verdict::{Decision, RuleResult};
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{
    Actor, Author, Change, Contacts, Conversation, InternalText, Message, PartSet, Parts, PastTicket, QueueRef, Role,
    Said, Status, TicketHead, What,
};
use jiff::{SignedDuration, Timestamp};
use std::path::Path;

/// Longer than the page's `quiet_after_person`.
const QUIET: SignedDuration = SignedDuration::from_mins(20);

fn now() -> Timestamp {
    "2026-11-02T12:00:00Z".parse().expect("an instant")
}

/// The policy that the page's blocks are together.
fn page() -> Policy {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/TRIGGERS.md");
    let page = std::fs::read_to_string(path).expect("the page");
    let blocks = page.split("```toml\n").skip(1).map(|block| block.split("```").next().unwrap_or_default());
    config::read(&blocks.collect::<String>(), "docs/TRIGGERS.md", Path::new("")).expect("a policy").policy
}

/// An open case of frontline's with everything read and nothing special about it.
fn plain() -> Case {
    let mut head = TicketHead::unknown("42".into(), "v1".into());
    head.status = Fact::Known(Status::Open);
    head.tags = Fact::Known(Vec::new());
    head.priority = Fact::Known(None);
    head.organization = Fact::Known(None);
    head.queue = Fact::Known(Some(QueueRef { id: "1".into(), name: Some("Support".into()) }));
    let stay = Stay { team: "frontline".into(), episode: "e1".into(), since: now() };
    Case {
        desk: "acme".into(),
        head,
        parts: Parts {
            conversation: Some(Conversation { messages: Vec::new(), complete: true }),
            history: Some(Vec::new()),
            ..Parts::default()
        },
        asked: PartSet::of(&handoffd_kit::model::PartKind::ALL),
        memory: Memory { counts: true, stay: Some(stay), ..Memory::default() },
        rosters: handoffd::policy::roster::Rosters::default(),
    }
}

fn noted(text: &str) -> Case {
    let mut case = plain();
    let author = Author { id: None, name: Some("First Agent".into()), role: Role::Agent };
    let said = Said::Internally(InternalText(text.to_owned()));
    let message =
        Message { id: "m".into(), at: now() - QUIET, author, said, attachments: Vec::new(), by_machine: Fact::Unknown };
    case.parts.conversation = Some(Conversation { messages: vec![message], complete: true });
    case
}

fn reopened(times: usize, bounces: u32) -> Case {
    let mut case = plain();
    let reopen = |n: usize| Change {
        id: n.to_string().into(),
        at: now(),
        by: Author { id: None, name: None, role: Role::Customer },
        actor: Actor::Person,
        mark: None,
        what: vec![What::Status { from: Some(Status::Solved), to: Some(Status::Open) }],
    };
    case.parts.history = Some((0..times).map(reopen).collect());
    case.memory.bounces = bounces;
    case
}

/// The customer's so-manieth ticket in a month.
fn contacts(count: u32) -> Case {
    let mut case = plain();
    let past = |n: u32| PastTicket {
        id: n.to_string().into(),
        subject: Fact::Unknown,
        status: Fact::Unknown,
        created_at: Fact::Known(now()),
    };
    case.parts.contacts = Some(Contacts { tickets: (0..count).map(past).collect(), complete: true, as_of: now() });
    case
}

/// Whether a rule matches; the page's rules are in shadow.
fn fires(policy: &Policy, rule: &str, case: &Case) -> bool {
    match decide(case, policy, &|_, _| true, now()) {
        Decision::Verdict(verdict) => {
            let trace = verdict.trace.iter().find(|trace| trace.rule.as_str() == rule).expect("a rule of the page");
            trace.result == RuleResult::Shadow
        }
        Decision::Need(parts) => panic!("{parts:?}"),
    }
}

#[test]
fn each_trigger_of_the_page_fires_for_its_ticket_and_not_for_the_twin() {
    let policy = page();
    for (rule, ticket, twin) in [
        ("beyond-the-playbook", noted("Playbook: double-charge, step 5"), noted("Playbook: double-charge, step 4")),
        ("beyond-the-playbook", noted("Playbook: double-charge:6/7"), noted("Playbook: other-charge, step 6")),
        (
            "nothing-helped",
            noted("Steps tried:\n- [x] restarted: failed\n- ✗ reinstalled"),
            noted("Steps tried:\n- [x] restarted: failed\n- [ ] reinstall"),
        ),
        (
            "nothing-helped",
            noted("Bisher versucht:\n- erfolglos: Neustart\n- ✗ Kabel"),
            noted("Bisher versucht: alles"),
        ),
        ("comes-again", reopened(2, 0), reopened(1, 0)),
        ("comes-again", reopened(0, 2), reopened(0, 1)),
        ("writes-again", contacts(4), contacts(3)),
    ] {
        assert!(fires(&policy, rule, &ticket), "{rule} fires: {ticket:?}");
        assert!(!fires(&policy, rule, &twin), "{rule} does not fire: {twin:?}");
    }
}
