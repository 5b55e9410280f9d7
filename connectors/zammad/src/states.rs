//! What states and priorities mean. Both are lists that a site sets up; a state has a type, whose name stays (Zammad sheet,
//! *Objects*). Pure.

use crate::wire::{Id, Level, Sent, State};
use handoffd_kit::model::{Priority, Status};
use std::collections::BTreeMap;

/// The states and priorities of a site, by id.
#[derive(Clone, Debug, Default)]
pub(crate) struct Words {
    pub(crate) states: BTreeMap<Id, State>,
    pub(crate) levels: BTreeMap<Id, Level>,
}

/// Where a state stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// In the life of a ticket.
    In(Status),
    /// It is part of another one.
    Merged,
    /// Taken away, as older versions did it.
    Removed,
}

/// The type of a state: by its name where names were sent, else by its number (a fresh Zammad's; sheet, *Objects*).
fn kind(state: &State) -> Option<Kind> {
    let by_number = |id: &Id| match id.0 {
        1 => Some("new"),
        2 => Some("open"),
        3 => Some("pending reminder"),
        4 => Some("pending action"),
        5 => Some("closed"),
        6 => Some("merged"),
        7 => Some("removed"),
        _ => None,
    };
    let name = state.state_type.get().map(String::as_str).or_else(|| by_number(state.state_type_id.get()?))?;
    Some(match name {
        "new" => Kind::In(Status::New),
        "open" => Kind::In(Status::Open),
        "pending reminder" | "pending action" => Kind::In(Status::Pending),
        // A closed ticket may be opened again: by an agent, and by a customer's answer.
        "closed" => Kind::In(Status::Solved),
        "merged" => Kind::Merged,
        "removed" => Kind::Removed,
        _ => return None,
    })
}

impl Words {
    /// What a state is; none: nobody knows it.
    pub(crate) fn kind(&self, state: Id) -> Option<Kind> {
        kind(self.states.get(&state)?)
    }

    /// A state in the kit's words.
    pub(crate) fn status(&self, state: Id) -> Option<Status> {
        match self.kind(state)? {
            Kind::In(status) => Some(status),
            Kind::Merged | Kind::Removed => Some(Status::Closed),
        }
    }

    /// Whether the SLA's clocks stand still in a state; none: it does not say.
    pub(crate) fn stops(&self, state: Id) -> Option<bool> {
        self.states.get(&state)?.ignore_escalation.get().copied()
    }

    /// The state of this name.
    pub(crate) fn state(&self, name: &str) -> Option<Id> {
        let is = |state: &&State| state.name.get().is_some_and(|known| known == name);
        self.states.values().find(is)?.id.get().copied()
    }

    /// A priority in the kit's words, by its name: "3 high".
    pub(crate) fn priority(&self, level: Id) -> Option<Priority> {
        read_level(self.levels.get(&level)?.name.get()?)
    }

    /// The site's priority of this urgency.
    pub(crate) fn level(&self, priority: Priority) -> Option<Id> {
        let is = |level: &&Level| level.name.get().and_then(|name| read_level(name)) == Some(priority);
        self.levels.values().find(is)?.id.get().copied()
    }

    /// All priorities' names, for people.
    pub(crate) fn levels_shown(&self) -> String {
        let names: Vec<&str> = self.levels.values().filter_map(|level| level.name.get().map(String::as_str)).collect();
        if names.is_empty() { "none".into() } else { names.join(", ") }
    }
}

fn read_level(name: &str) -> Option<Priority> {
    let word = name.trim_start_matches(|c: char| c.is_ascii_digit() || c.is_whitespace() || ".-".contains(c));
    Some(match word.trim().to_ascii_lowercase().as_str() {
        "low" => Priority::Low,
        "normal" | "medium" => Priority::Normal,
        "high" => Priority::High,
        "urgent" | "very high" | "critical" => Priority::Urgent,
        _ => return None,
    })
}

/// Records by their ids.
pub(crate) fn by_id<T>(records: Vec<T>, id: fn(&T) -> &Sent<Id>) -> BTreeMap<Id, T> {
    records.into_iter().filter_map(|record| Some((*id(&record).get()?, record))).collect()
}

/// The words of a fresh Zammad, for tests.
#[cfg(test)]
pub(crate) fn fresh() -> Words {
    let read = |text: &str| serde_json::from_str(text).unwrap();
    let states: Vec<State> = read(include_str!("../fixtures/ticket_states.json"));
    let levels: Vec<Level> =
        serde_json::from_str(r#"[{"id":1,"name":"1 low"},{"id":2,"name":"2 normal"},{"id":3,"name":"3 high"}]"#)
            .unwrap();
    Words { states: by_id(states, |state| &state.id), levels: by_id(levels, |level| &level.id) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_state_is_known_by_its_types_name_or_number_and_never_by_its_own() {
        let kind = |json| kind(&serde_json::from_value(json).unwrap());
        let waits = Some(Kind::In(Status::Pending));
        assert_eq!(
            kind(json!({ "name": "offen", "state_type": "open", "state_type_id": 99 })),
            Some(Kind::In(Status::Open))
        );
        assert_eq!(kind(json!({ "name": "wartet", "state_type_id": 3 })), waits);
        assert_eq!(kind(json!({ "name": "pending close", "state_type_id": 4 })), waits);
        for odd in [
            json!({ "name": "open" }),
            json!({ "state_type_id": 9 }),
            json!({ "state_type": "delegated", "state_type_id": 2 }),
        ] {
            assert_eq!(kind(odd.clone()), None, "{odd}");
        }
    }

    #[test]
    fn a_fresh_zammad_is_understood_whole() {
        let words = fresh();
        let statuses: Vec<Option<Status>> = (1..=7).map(|id| words.status(Id(id))).collect();
        use Status::{Closed, New, Open, Pending, Solved};
        assert_eq!(statuses, [New, Open, Pending, Solved, Closed, Closed, Pending].map(Some));
        assert_eq!((words.kind(Id(5)), words.status(Id(99))), (Some(Kind::Merged), None));
        assert_eq!((words.state("pending reminder"), words.state("nope")), (Some(Id(3)), None));
        assert_eq!((words.stops(Id(3)), words.stops(Id(2)), words.stops(Id(99))), (Some(true), Some(false), None));
    }

    #[test]
    fn priorities_go_by_their_words_and_one_that_is_not_there_is_not_made_of_another() {
        let words = fresh();
        assert_eq!((words.priority(Id(3)), words.level(Priority::High)), (Some(Priority::High), Some(Id(3))));
        assert_eq!((words.level(Priority::Urgent), words.priority(Id(9))), (None, None));
        for (name, level) in
            [("4 - Urgent", Some(Priority::Urgent)), ("medium", Some(Priority::Normal)), ("7 VIP", None), ("", None)]
        {
            assert_eq!(read_level(name), level, "{name}");
        }
    }
}
