//! Freshdesk's numbers for statuses, priorities and sources (Freshdesk sheet, *Objects*). Pure.
//!
//! Custom statuses begin at 6. What one means, its number does not tell, and its name is translated: only whether it stops
//! the SLA timer says something. One that does waits for somebody, one that does not is being worked on.

use crate::wire::{Field, Id, Sent};
use handoffd_kit::model::{Priority, Status};
use serde_json::Value;
use std::collections::BTreeMap;

/// Open.
pub(crate) const OPEN: i64 = 2;
/// Waits for the customer.
pub(crate) const PENDING: i64 = 3;
/// Done, may come back.
pub(crate) const RESOLVED: i64 = 4;
/// Done for good; a merged ticket is closed, too, and nothing tells the two apart.
pub(crate) const CLOSED: i64 = 5;
/// The first number that a site gives itself.
pub(crate) const CUSTOM: i64 = 6;

/// Whether each status stops the SLA timer, as far as the admin's field definitions were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Timers(BTreeMap<i64, bool>);

impl Timers {
    /// The field of an admin's list that holds the statuses.
    pub(crate) fn field(fields: &[Field]) -> Option<Id> {
        let is_status =
            |field: &&Field| field.kind.get().is_some_and(|kind| kind == "default_status") || is(field, "status");
        fields.iter().find(is_status)?.id.get().copied()
    }

    /// Reads the choices of that field: a list whose entries say `id` (or `value`, or `status_id`) and `stop_sla_timer`. In
    /// which key the number stands is not in the sheet, so each is tried, and only a number of a status counts.
    pub(crate) fn read(field: &Field) -> Self {
        let entries = field.choices.as_array().into_iter().flatten();
        let timer = |entry: &Value| {
            let keys = ["status_id", "id", "value"].into_iter();
            let number =
                keys.filter_map(|key| entry.get(key)?.as_i64()).find(|number| (OPEN..=999).contains(number))?;
            Some((number, entry.get("stop_sla_timer")?.as_bool()?))
        };
        Self(entries.filter_map(timer).collect())
    }

    /// Whether this status stops the timer: as was read; else as Freshdesk sets it up (pending, resolved and closed do; from
    /// memory in the sheet). None: a custom one of which nothing is known.
    pub(crate) fn stops(&self, status: i64) -> Option<bool> {
        let usual = match status {
            OPEN => Some(false),
            PENDING | RESOLVED | CLOSED => Some(true),
            _ => None,
        };
        self.0.get(&status).copied().or(usual)
    }
}

fn is(field: &Field, name: &str) -> bool {
    matches!(&field.name, Sent::Value(known) if known == name)
}

/// A status in the kit's words; none: a custom one of which nothing is known.
pub(crate) fn status(number: i64, timers: &Timers) -> Option<Status> {
    match number {
        OPEN => Some(Status::Open),
        PENDING => Some(Status::Pending),
        RESOLVED => Some(Status::Solved),
        CLOSED => Some(Status::Closed),
        CUSTOM.. => timers.stops(number).map(|stops| if stops { Status::OnHold } else { Status::Open }),
        _ => None,
    }
}

/// The number of a status that the capabilities name by its word.
pub(crate) fn number(word: &str) -> Option<i64> {
    match word {
        "open" => Some(OPEN),
        "pending" => Some(PENDING),
        _ => None,
    }
}

/// A priority in the kit's words.
pub(crate) fn priority(number: i64) -> Option<Priority> {
    [Priority::Low, Priority::Normal, Priority::High, Priority::Urgent]
        .into_iter()
        .find(|one| priority_number(*one) == number)
}

/// The number of a priority; Freshdesk calls 2 "medium".
pub(crate) fn priority_number(priority: Priority) -> i64 {
    match priority {
        Priority::Low => 1,
        Priority::Normal => 2,
        Priority::High => 3,
        Priority::Urgent => 4,
    }
}

/// How a ticket came in. Numbers that nobody has documented are "other".
pub(crate) fn channel(source: i64) -> &'static str {
    match source {
        1 => "email",
        2 => "portal",
        3 => "phone",
        7 | 15 => "chat",
        9 => "feedback_widget",
        10 => "outbound_email",
        _ => "other",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn timers() -> Timers {
        let field = json!({ "id": 40, "name": "status", "type": "default_status", "choices": [
            { "id": 2, "value": "Offen", "stop_sla_timer": false },
            { "status_id": 6, "id": 158_000_000_001_i64, "stop_sla_timer": true },
            { "value": 7, "label": "Bearbeitung", "stop_sla_timer": false },
            { "id": 8 }, 9, null
        ]});
        Timers::read(&serde_json::from_value(field).unwrap())
    }

    #[test]
    fn a_custom_status_is_known_by_its_timer_and_never_guessed() {
        let seen = |number| status(number, &timers());
        assert_eq!(seen(6), Some(Status::OnHold));
        assert_eq!(seen(7), Some(Status::Open));
        for number in [8, 9, 99, 1, 0, -2] {
            assert_eq!(seen(number), None, "{number}");
        }
        assert_eq!(status(6, &Timers::default()), None, "without the admin's list it is unknown");
        assert_eq!(status(5, &Timers::default()), Some(Status::Closed));
    }

    #[test]
    fn the_field_of_the_statuses_is_found_by_type_or_name_and_nonsense_is_none() {
        let fields = |json: Value| serde_json::from_value::<Vec<Field>>(json).unwrap();
        let listed = fields(json!([{ "id": 1, "name": "subject" }, { "id": "40", "type": "default_status" }]));
        assert_eq!(Timers::field(&listed), Some(Id(40)));
        assert_eq!(Timers::field(&fields(json!([{ "id": 5, "name": "status" }]))), Some(Id(5)));
        assert_eq!(Timers::field(&fields(json!([{ "name": "status" }, {}]))), None);
        for choices in [json!({ "2": ["Open"] }), json!("x"), json!(null)] {
            let field = serde_json::from_value(json!({ "choices": choices })).unwrap();
            assert_eq!(Timers::read(&field), Timers::default());
        }
    }

    #[test]
    fn the_admins_list_of_statuses_reads_as_documented() {
        let fields: Vec<Field> = serde_json::from_str(include_str!("../fixtures/admin-ticket-fields.json")).unwrap();
        let field: Field = serde_json::from_str(include_str!("../fixtures/admin-ticket-field.json")).unwrap();
        assert_eq!(Timers::field(&fields), field.id.get().copied());
        let timers = Timers::read(&field);
        let seen: Vec<_> = (2..=8).map(|number| (timers.stops(number), status(number, &timers))).collect();
        let known = |stops, status| (Some(stops), Some(status));
        assert_eq!(
            seen,
            [
                known(false, Status::Open),
                known(true, Status::Pending),
                known(true, Status::Solved),
                known(true, Status::Closed),
                known(true, Status::OnHold),
                known(false, Status::Open),
                (None, None),
            ]
        );
    }

    #[test]
    fn numbers_go_both_ways_and_unknown_ones_are_none() {
        for number in 1..=4 {
            assert_eq!(priority(number).map(priority_number), Some(number));
        }
        assert_eq!((priority(0), priority(5)), (None, None));
        assert_eq!((number("open"), number("pending"), number("solved")), (Some(OPEN), Some(PENDING), None));
        assert_eq!((channel(1), channel(17), channel(-1)), ("email", "other", "other"));
    }
}
