//! People, queues, organisations, fields and clocks of a seeded account.

use super::{BOT, QUESTION, REFUND_EUR, STEPS};
use crate::ids::{FieldNo, PersonNo};
use crate::people::{Rights, Role};
use crate::sla::{MetBy, SlaTarget};
use crate::store::Helpdesk;
use crate::ticket::{FieldDef, FieldType};
use jiff::SignedDuration;

/// Everybody and everything but tickets, the same on every dialect.
pub fn furnish(desk: &mut Helpdesk) {
    staff(desk);
    desk.add_organization("Premium Customer", &["premium.example"], &[("plan", "premium")]);
    desk.add_organization("Standard Customer", &["standard.example"], &[("plan", "standard")]);
    let fields = [
        (STEPS, "Steps tried", FieldType::Text),
        (QUESTION, "Next question", FieldType::Text),
        (REFUND_EUR, "Refund (EUR)", FieldType::Number),
    ];
    desk.fields.extend(fields.map(|(no, name, kind)| (no, field(no, name, kind))));
    desk.targets = vec![
        target("first_reply_time", 4, MetBy::Reply, false),
        target("total_resolution_time", 72, MetBy::Solution, false),
        target("requester_wait_time", 24, MetBy::Solution, true),
    ];
}

/// The account of handoffd, agents by their roles, and the queues they work in.
fn staff(desk: &mut Helpdesk) {
    let bot = desk.add_person(BOT, "handoffd", "handoffd@acme.example", Role::Bot);
    if let Some(bot) = desk.people.get_mut(&bot) {
        bot.rights = Rights::admin();
    }
    let mut agent =
        |login: &str, name: &str| desk.add_person(login, name, &format!("{login}@acme.example"), Role::Agent);
    let numbered = |agent: &mut dyn FnMut(&str, &str) -> PersonNo, login: &str, name: &str, count: u32| {
        (1..=count).map(|n| agent(&format!("{login}-{n}"), &format!("{name} {n}"))).collect::<Vec<_>>()
    };
    let frontline = numbered(&mut agent, "frontline", "Frontline Agent", 3);
    let mut billing = numbered(&mut agent, "billing", "Billing Agent", 2);
    billing.push(agent("billing-lead", "Billing Lead"));
    let tier2 = numbered(&mut agent, "tier2", "Tier 2 Agent", 2);
    let everybody = [&frontline[..], &billing, &tier2].concat();
    for (queue, members) in [("Incoming", everybody), ("Support", frontline), ("Billing", billing), ("Tier 2", tier2)] {
        desk.add_queue(queue, &[&members[..], &[bot]].concat());
    }
}

fn field(no: FieldNo, name: &str, kind: FieldType) -> FieldDef {
    FieldDef { no, name: name.into(), kind, options: vec![], many: false, required_on_solve: false }
}

fn target(metric: &str, hours: i64, met_by: MetBy, pauses: bool) -> SlaTarget {
    SlaTarget { metric: metric.into(), within: SignedDuration::from_hours(hours), met_by, pauses }
}
