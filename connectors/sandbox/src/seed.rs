//! People and tickets to begin with.

use crate::access::{Client, Grant};
use crate::change::{NewMessage, Update};
use crate::ids::{FieldNo, PersonNo, TicketNo};
use crate::people::{Rights, Role};
use crate::sandbox::Sandbox;
use crate::sla::{MetBy, SlaTarget};
use crate::store::{Helpdesk, NewTicket};
use crate::ticket::{Body, FieldDef, FieldType, Visibility};
use crate::zendesk::{Limits, Zendesk};
use handoffd_kit::clock::Clock;
use jiff::SignedDuration;
use std::sync::Arc;

/// The OAuth client that the seeded Zendesk accounts know, and its secret.
pub const CLIENT: (&str, &str) = ("handoffd", "sandbox-client-secret");
/// The legacy API token that the seeded Zendesk accounts know.
pub const API_TOKEN: &str = "sandbox-api-token";
/// The login of the account that handoffd uses.
pub const BOT: &str = "handoffd";
/// The custom fields of tickets.
pub const STEPS: FieldNo = FieldNo(360_001);
/// The next question.
pub const QUESTION: FieldNo = FieldNo(360_002);
/// An amount.
pub const REFUND_EUR: FieldNo = FieldNo(360_003);

/// A Zendesk account with its people, groups and fields, and no tickets.
pub fn zendesk(clock: Arc<dyn Clock>, seed: u64, limits: Limits) -> Sandbox {
    let sandbox = Sandbox::new(clock, seed, Zendesk::new(limits));
    sandbox.with(|desk| {
        furnish(desk);
        let bot = desk.find_person(BOT).map_or(Helpdesk::SYSTEM, |bot| bot.no);
        desk.access.register(CLIENT.0, Client { secret: CLIENT.1.into(), person: bot });
        desk.access.allow(API_TOKEN, Grant { person: bot, scope: None, expires_at: None });
    });
    sandbox
}

/// People, queues, organisations, fields and clocks, the same on every dialect.
pub fn furnish(desk: &mut Helpdesk) {
    let bot = desk.add_person(BOT, "handoffd", "handoffd@acme.example", Role::Bot);
    if let Some(bot) = desk.people.get_mut(&bot) {
        bot.rights = Rights::admin();
    }
    let staff = |desk: &mut Helpdesk, login: &str, name: &str| {
        desk.add_person(login, name, &format!("{login}@acme.example"), Role::Agent)
    };
    let front: Vec<PersonNo> =
        (1..=3).map(|n| staff(desk, &format!("frontline-{n}"), &format!("Frontline Agent {n}"))).collect();
    let billing: Vec<PersonNo> =
        (1..=2).map(|n| staff(desk, &format!("billing-{n}"), &format!("Billing Agent {n}"))).collect();
    let lead = staff(desk, "billing-lead", "Billing Lead");
    let second: Vec<PersonNo> =
        (1..=2).map(|n| staff(desk, &format!("tier2-{n}"), &format!("Tier 2 Agent {n}"))).collect();
    let all: Vec<PersonNo> = front.iter().chain(&billing).chain(&second).copied().chain([lead]).collect();
    desk.add_queue("Incoming", &all);
    desk.add_queue("Support", &[&front[..], &[bot]].concat());
    desk.add_queue("Billing", &[&billing[..], &[lead, bot]].concat());
    desk.add_queue("Tier 2", &[&second[..], &[bot]].concat());
    let premium = desk.add_organization("Premium Customer", &["premium.example"], &[("plan", "premium")]);
    let standard = desk.add_organization("Standard Customer", &["standard.example"], &[("plan", "standard")]);
    let _ = (premium, standard);
    let field = |no, name: &str, kind| FieldDef {
        no,
        name: name.into(),
        kind,
        options: vec![],
        many: false,
        required_on_solve: false,
    };
    for def in [
        field(STEPS, "Steps tried", FieldType::Text),
        field(QUESTION, "Next question", FieldType::Text),
        field(REFUND_EUR, "Refund (EUR)", FieldType::Number),
    ] {
        desk.fields.insert(def.no, def);
    }
    let target = |metric: &str, hours, met_by, pauses| SlaTarget {
        metric: metric.into(),
        within: SignedDuration::from_hours(hours),
        met_by,
        pauses,
    };
    desk.targets = vec![
        target("first_reply_time", 4, MetBy::Reply, false),
        target("total_resolution_time", 72, MetBy::Solution, false),
        target("requester_wait_time", 24, MetBy::Solution, true),
    ];
}

/// Opens a ticket of a customer who is entered on first sight.
pub fn customer_writes(sandbox: &Sandbox, email: &str, subject: &str, text: &str, set: Update) -> TicketNo {
    sandbox.with(|desk| {
        let known = desk.find_person(email).map(|person| person.no);
        let requester = known.unwrap_or_else(|| enter_customer(desk, email));
        let message = NewMessage::new(Visibility::Public, Body::Plain(text.into()));
        desk.open(NewTicket { subject: subject.into(), channel: "email".into(), requester, message, set })
    })
}

/// Enters a customer; their organisation is the one of their mail domain.
fn enter_customer(desk: &mut Helpdesk, email: &str) -> PersonNo {
    let name = email.split('@').next().unwrap_or(email);
    let no = desk.add_person(email, name, email, Role::Customer);
    let domain = email.split('@').nth(1).unwrap_or_default();
    let organization = desk.organizations.values().find(|one| one.domains.iter().any(|known| known == domain));
    let organization = organization.map(|one| one.no);
    if let Some(person) = desk.people.get_mut(&no) {
        person.organization = organization;
    }
    no
}
