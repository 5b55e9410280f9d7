//! Every table of the configuration, and where it stands in a document.

use handoffd::config::keys::{self, Shape};
use std::collections::BTreeSet;
use toml::Value;

/// Every shape, and where its tables are in a document.
pub fn shapes() -> Vec<(Shape, Vec<&'static str>)> {
    vec![
        (keys::ROOT, vec![]),
        (keys::DAEMON, vec!["daemon"]),
        (keys::WEB, vec!["web"]),
        (keys::WEB_LOGIN, vec!["web", "logins", "*"]),
        (keys::POLICY, vec!["policy"]),
        (keys::LIMITS, vec!["policy", "limits"]),
        (keys::DIGEST, vec!["policy", "digest"]),
        (keys::REVIEWS, vec!["policy", "reviews"]),
        (keys::REVIEWS, vec!["escalate", "*", "reviews"]),
        (keys::DESK, vec!["desks", "*"]),
        (keys::FIELD, vec!["desks", "*", "fields", "*"]),
        (keys::COMMANDS, vec!["desks", "*", "commands"]),
        (keys::TEAM, vec!["teams", "*"]),
        (keys::ALERT, vec!["alerts", "*"]),
        (keys::RISK, vec!["risks", "*"]),
        (keys::PERSON, vec!["people", "*"]),
        (keys::HOURS, vec!["hours", "*"]),
        (keys::TARGET, vec!["targets", "*"]),
        (keys::MESSAGE, vec!["messages", "*"]),
        (keys::PACKAGES, vec!["package"]),
        (keys::LABELS, vec!["package", "labels"]),
        (keys::DEFAULTS, vec!["defaults"]),
        (keys::ROUTE, vec!["route", "*"]),
        (keys::ESCALATE, vec!["escalate", "*"]),
        (keys::FROM, vec!["escalate", "*", "from"]),
        (keys::BREACH, vec!["escalate", "*", "before_breach"]),
        (keys::PACKAGE, vec!["escalate", "*", "package"]),
        (keys::OWNER, vec!["escalate", "*", "owner"]),
        (keys::PREVIOUS, vec!["escalate", "*", "owner", "previous"]),
        (keys::CLOCK, vec!["escalate", "*", "clock"]),
        (keys::PAUSE, vec!["escalate", "*", "clock", "customer"]),
        (keys::CUSTOMER, vec!["escalate", "*", "customer"]),
        (keys::TEST, vec!["test", "*"]),
        (keys::TEST_TICKET, vec!["test", "*", "ticket"]),
        (keys::TEST_MESSAGE, vec!["test", "*", "ticket", "messages", "*"]),
        (keys::TEST_CUSTOMER, vec!["test", "*", "customer"]),
        (keys::TEST_ORGANIZATION, vec!["test", "*", "organization"]),
        (keys::TEST_CASE, vec!["test", "*", "case"]),
        (keys::TEST_REQUEST, vec!["test", "*", "case", "request"]),
        (keys::TEST_CLOCK, vec!["test", "*", "clocks", "*"]),
        (keys::TEST_EXPECT, vec!["test", "*", "expect"]),
    ]
}

/// The keys that a document has at such a place.
pub fn keys_at(value: &Value, path: &[&str], found: &mut BTreeSet<String>) {
    match (path, value) {
        ([], Value::Table(table)) => found.extend(table.keys().cloned()),
        (["*", rest @ ..], Value::Table(table)) => table.values().for_each(|value| keys_at(value, rest, found)),
        (["*", rest @ ..], Value::Array(list)) => list.iter().for_each(|value| keys_at(value, rest, found)),
        ([key, rest @ ..], Value::Table(table)) => {
            if let Some(value) = table.get(*key) {
                keys_at(value, rest, found);
            }
        }
        _ => {}
    }
}
