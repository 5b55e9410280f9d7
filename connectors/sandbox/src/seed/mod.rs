//! People and tickets to begin with: a seeded account ([`zendesk`], [`rt`], [`freshdesk`], [`zammad`],
//! [`jira`], [`intercom`]), its people and queues ([`furnish`]), the tickets of
//! the demo ([`demo`]) and any number of them for benches ([`load`]).

mod demo;
mod freshdesk;
mod intercom;
mod jira;
mod load;
mod people;
mod rt;
mod zammad;

pub use demo::demo;
pub use freshdesk::{API_KEY, freshdesk};
pub use intercom::{INTERCOM_TOKEN, intercom};
pub use jira::{JIRA_EMAIL, JIRA_TOKEN, jira};
pub use load::load;
pub use people::furnish;
pub use rt::{RT_TOKEN, rt};
pub use zammad::{ZAMMAD_TOKEN, zammad};

use crate::access::{Client, Grant};
use crate::change::{NewMessage, Update};
use crate::ids::{FieldNo, PersonNo, TicketNo};
use crate::people::Role;
use crate::sandbox::Sandbox;
use crate::store::{Helpdesk, NewTicket};
use crate::ticket::{Body, Visibility};
use crate::zendesk::{Limits, Zendesk};
use handoffd_kit::clock::Clock;
use std::sync::Arc;

/// The OAuth client that the seeded Zendesk accounts know, and its secret.
pub const CLIENT: (&str, &str) = ("handoffd", "sandbox-client-secret");
/// The legacy API token that the seeded Zendesk accounts know.
pub const API_TOKEN: &str = "sandbox-api-token";
/// The login of the account that handoffd uses.
pub const BOT: &str = "handoffd";
/// The custom field of what was tried.
pub const STEPS: FieldNo = FieldNo(360_001);
/// The custom field of the next open question.
pub const QUESTION: FieldNo = FieldNo(360_002);
/// The custom field of the amount to be paid back.
pub const REFUND_EUR: FieldNo = FieldNo(360_003);
/// The custom field that shows a ticket's labels on Request Tracker, which has no labels of its own.
pub const LABELS: FieldNo = FieldNo(360_004);

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

/// Names fields as they are called where their names in the API are made of those that people see.
fn name_plainly(desk: &mut Helpdesk) {
    for (no, name) in [(STEPS, "Steps tried"), (QUESTION, "Next question"), (REFUND_EUR, "refund_eur")] {
        if let Some(field) = desk.fields.get_mut(&no) {
            field.name = name.into();
        }
    }
}

/// Opens a ticket of a customer who is entered on first sight.
pub fn customer_writes(sandbox: &Sandbox, email: &str, subject: &str, text: &str, set: Update) -> TicketNo {
    let message = NewMessage::new(Visibility::Public, Body::Plain(text.into()));
    opened_by(sandbox, email, subject, message, set)
}

/// The same, but a machine wrote it in the customer's name: an automatic answer.
pub fn machine_writes(sandbox: &Sandbox, email: &str, subject: &str, text: &str, set: Update) -> TicketNo {
    let message = NewMessage::new(Visibility::Public, Body::Plain(text.into()));
    opened_by(sandbox, email, subject, NewMessage { by_machine: true, ..message }, set)
}

fn opened_by(sandbox: &Sandbox, email: &str, subject: &str, message: NewMessage, set: Update) -> TicketNo {
    sandbox.with(|desk| {
        let known = desk.find_person(email).map(|person| person.no);
        let requester = known.unwrap_or_else(|| enter_customer(desk, email));
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
