//! A seeded Request Tracker: the same people and queues as everywhere, custom fields under names, labels as one of them.

use super::{BOT, LABELS, QUESTION, REFUND_EUR, STEPS, furnish};
use crate::access::Grant;
use crate::people::{Rights, Role};
use crate::rt::Rt;
use crate::sandbox::Sandbox;
use crate::store::Helpdesk;
use crate::ticket::{FieldDef, FieldType};
use handoffd_kit::clock::Clock;
use std::sync::Arc;

/// The token of handoffd's user on a seeded Request Tracker; as on a real one, it begins with the user's number.
pub const RT_TOKEN: &str = "1-1001-sandbox-rt-token";

/// A Request Tracker with its people, queues and fields, and no tickets. handoffd is an ordinary user of it: it sees and
/// changes every ticket, and does not see mail sent out.
pub fn rt(clock: Arc<dyn Clock>, seed: u64) -> Sandbox {
    let sandbox = Sandbox::new(clock, seed, Rt);
    sandbox.with(|desk| {
        furnish(desk);
        name_fields(desk);
        let bot = desk.people.values_mut().find(|person| person.login == BOT && person.role == Role::Bot);
        let Some(bot) = bot else { return };
        bot.rights = Rights::agent();
        let grant = Grant { person: bot.no, scope: None, expires_at: None };
        desk.access.allow(RT_TOKEN, grant);
    });
    sandbox
}

/// On Request Tracker, fields are known by names without spaces.
fn name_fields(desk: &mut Helpdesk) {
    for (no, name) in [(STEPS, "steps-tried"), (QUESTION, "next-question"), (REFUND_EUR, "refund_eur")] {
        if let Some(field) = desk.fields.get_mut(&no) {
            field.name = name.into();
        }
    }
    let labels = FieldDef {
        no: LABELS,
        name: "labels".into(),
        kind: FieldType::Text,
        options: vec![],
        many: true,
        required_on_solve: false,
    };
    desk.fields.insert(LABELS, labels);
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoffd_kit::clock::ManualClock;

    #[test]
    fn the_token_begins_with_its_users_number() {
        let clock = ManualClock::new("2026-05-04T08:00:00Z".parse().unwrap());
        let bot = rt(Arc::new(clock), 1).with(|desk| desk.find_person(BOT).unwrap().no);
        assert!(RT_TOKEN.starts_with(&format!("1-{bot}-")));
    }
}
