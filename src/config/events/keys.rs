//! Every key of a map, once: its table and an example of its value. The reader refuses what is not listed here.

use crate::config::keys::{Key, Shape};

const fn key(name: &'static str, example: &'static str) -> Key {
    Key { name, example, later: None }
}

/// The map itself.
pub const MAP: Shape = Shape {
    title: "the map",
    keys: &[
        key("case", "\"SR Number\""),
        key("at", "{ column = \"Change Date\", format = \"iso\" }"),
        key("order", "\"event_no\""),
        key("team", "{ column = \"Involved ST\", none = [\"?\"] }"),
        key("status", "\"Status\""),
        key("sub_status", "\"Sub Status\""),
        key("agent", "\"Owner\""),
        key("waiting", "[\"Queued\"]"),
        key("accepted", "[\"Accepted\"]"),
        key("done", "[\"Completed\"]"),
        key("claimed_when", "{ column = \"assigned_to\", known = true }"),
        key("tier", "[ { ends_with = \" 2nd\", tier = 2 }, { tier = 1 } ]"),
        key("by", "[\"Country\"]"),
        key("like", "[\"Priority\"]"),
        key("tags", "{ column = \"Labels\", empty_is_none = true }"),
        key("priority", "\"Priority\""),
        key("fields", "{ refund_eur = \"Refund\" }"),
        key("separator", "\";\""),
    ],
};

/// A fact of the ticket.
pub const FACT: Shape = Shape {
    title: "a fact",
    keys: &[key("column", "\"Labels\""), key("none", "[\"-\"]"), key("empty_is_none", "true")],
};

/// A column as a table, where nothing else can be said of it.
pub const COLUMN: Shape = Shape { title: "a column", keys: &[key("column", "\"Number\"")] };

/// The team, the agent, or a tier that a column gives.
pub const VALUE: Shape =
    Shape { title: "a column", keys: &[key("column", "\"Involved ST\""), key("none", "[\"?\", \"-\"]")] };

/// The instant.
pub const AT: Shape = Shape {
    title: "at",
    keys: &[key("column", "\"Change Date\""), key("format", "\"%d/%m/%Y %H:%M\""), key("zone", "\"Europe/Lisbon\"")],
};

/// A claim.
pub const CLAIM: Shape = Shape {
    title: "claimed_when",
    keys: &[key("column", "\"assigned_to\""), key("known", "true"), key("none", "[\"?\"]")],
};

/// One entry of `tier` as a list.
pub const TIER: Shape = Shape {
    title: "an entry of tier",
    keys: &[
        key("ends_with", "\" 2nd\""),
        key("starts_with", "\"L2 \""),
        key("contains", "\"second\""),
        key("teams", "[\"Billing\"]"),
        key("tier", "2"),
    ],
};
