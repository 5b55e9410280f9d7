//! What a policy means, as values under the names of the file: what versions are hashes of, and what two versions differ in.
//! One truth for both: where two versions differ, something that they mean does.

use super::names::RuleName;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Where rules, and targets, stand by their names; their order stands under [`ORDER`].
pub const NAMED: [&str; 9] =
    ["desks", "teams", "people", "messages", "targets", "route", "escalate", "alerts", "risks"];
/// The names of what has an order, in that order.
pub const ORDER: &str = "order";
/// What a rule means; beside it stands how much of it is switched on.
pub const RULE: &str = "rule";

/// What a policy means.
#[derive(Clone, Debug, PartialEq)]
pub struct Meaning(Value);

/// One thing that two policies say differently.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Of what: `escalate.refund`, `teams.billing`, `policy`.
    pub of: String,
    /// Which key of it; empty: the whole of it is new, or gone.
    pub key: String,
    /// What the first says; none: nothing.
    pub before: Option<Value>,
    /// What the second says; none: nothing.
    pub after: Option<Value>,
}

impl Meaning {
    /// From values under the names of the file.
    pub fn new(value: Value) -> Self {
        Self(value)
    }

    /// From its text; none: it is no JSON object.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok().filter(Value::is_object).map(Self)
    }

    /// Its text: the same for the same meaning.
    pub fn text(&self) -> String {
        let mut canonical = String::new();
        write_canonical(&self.0, &mut canonical);
        canonical
    }

    /// The version of the whole.
    pub fn version(&self) -> String {
        version(&self.0)
    }

    /// Every rule with its version, routes first, each kind in its order.
    pub fn rules(&self) -> Vec<(RuleName, String)> {
        let mut rules = Vec::new();
        for kind in ["route", "escalate"] {
            for name in self.order(kind) {
                let meaning = self.0.get(kind).and_then(|all| all.get(name)?.get(RULE));
                rules.extend(meaning.map(|meaning| (RuleName::new(name), version(meaning))));
            }
        }
        rules
    }

    /// The names of this kind in their order.
    fn order(&self, kind: &str) -> Vec<&str> {
        let names = self.0.get(ORDER).and_then(|order| order.get(kind)?.as_array());
        names.into_iter().flatten().filter_map(Value::as_str).collect()
    }

    /// What another policy says differently: the same for the same two policies, and nothing only where both are one.
    pub fn changes(&self, other: &Self) -> Vec<Change> {
        let mut changes = Vec::new();
        for of in keys(&self.0, &other.0) {
            let (before, after) = (self.0.get(of), other.0.get(of));
            if of == ORDER {
                continue;
            }
            if NAMED.contains(&of) {
                for name in keys_of(before, after) {
                    let of = format!("{of}.{name}");
                    compare(
                        of,
                        before.and_then(|all| all.get(name)),
                        after.and_then(|all| all.get(name)),
                        &mut changes,
                    );
                }
            } else {
                compare(of.to_owned(), before, after, &mut changes);
            }
        }
        for kind in ["targets", "route", "escalate"] {
            self.reordered(other, kind, &mut changes);
        }
        changes
    }

    /// What both have, in another order: which rule comes first decides.
    fn reordered(&self, other: &Self, kind: &str, changes: &mut Vec<Change>) {
        let (first, second) = (self.order(kind), other.order(kind));
        let common = |these: &[&str], those: &[&str]| -> Vec<Value> {
            these.iter().filter(|name| those.contains(name)).map(|name| Value::from(*name)).collect()
        };
        let (before, after) = (common(&first, &second), common(&second, &first));
        if before != after {
            let (before, after) = (Some(before.into()), Some(after.into()));
            changes.push(Change { of: ORDER.to_owned(), key: kind.to_owned(), before, after });
        }
    }
}

/// The first twelve hex digits of the SHA-256 of a value's canonical form.
pub fn version(value: &Value) -> String {
    let mut canonical = String::new();
    write_canonical(value, &mut canonical);
    hex::encode(&Sha256::digest(canonical)[..6])
}

/// A length of time as the file would have it, the same for every way to write it: `90m`, `4h`.
pub fn span(of: SignedDuration) -> String {
    match of.as_secs() {
        seconds if seconds % 3_600 == 0 && seconds != 0 => format!("{}h", seconds / 3_600),
        seconds if seconds % 60 == 0 && seconds != 0 => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}

/// JSON with sorted keys, whatever order the map keeps.
fn write_canonical(value: &Value, out: &mut String) {
    let separate = |out: &mut String, at: usize| {
        if at > 0 {
            out.push(',');
        }
    };
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<&String, &Value> = map.iter().collect();
            out.push('{');
            for (at, (key, value)) in sorted.into_iter().enumerate() {
                separate(out, at);
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write_canonical(value, out);
            }
            out.push('}');
        }
        Value::Array(list) => {
            out.push('[');
            for (at, value) in list.iter().enumerate() {
                separate(out, at);
                write_canonical(value, out);
            }
            out.push(']');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

fn compare(of: String, before: Option<&Value>, after: Option<&Value>, changes: &mut Vec<Change>) {
    match (before, after) {
        (Some(first), Some(second)) => keyed(&of, "", first, second, changes),
        (None, None) => {}
        _ => changes.push(Change { of, key: String::new(), before: before.cloned(), after: after.cloned() }),
    }
}

/// Goes down as long as both sides are tables.
fn keyed(of: &str, key: &str, before: &Value, after: &Value, changes: &mut Vec<Change>) {
    if before == after {
        return;
    }
    if !(before.is_object() && after.is_object()) {
        let given = |value: &Value| Some(value.clone()).filter(|value| !value.is_null());
        let (before, after) = (given(before), given(after));
        changes.push(Change { of: of.to_owned(), key: key.to_owned(), before, after });
        return;
    }
    for name in keys(before, after) {
        let path = match (key, name) {
            ("", RULE) => String::new(),
            ("", name) => name.to_owned(),
            (key, name) => format!("{key}.{name}"),
        };
        let [before, after] = [before, after].map(|side| side.get(name).unwrap_or(&Value::Null));
        keyed(of, &path, before, after, changes);
    }
}

fn keys<'v>(before: &'v Value, after: &'v Value) -> Vec<&'v str> {
    keys_of(Some(before), Some(after))
}

/// The keys of both tables, sorted.
fn keys_of<'v>(before: Option<&'v Value>, after: Option<&'v Value>) -> Vec<&'v str> {
    let maps = [before, after].into_iter().flatten().filter_map(Value::as_object);
    let mut keys: Vec<&str> = maps.flat_map(Map::keys).map(String::as_str).collect();
    keys.sort_unstable();
    keys.dedup();
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn meaning(refund: Value) -> Meaning {
        Meaning::new(json!({
            "policy": { "owner": "ops", "limits": { "hops_per_day": 4 } },
            "teams": { "billing": { "tier": 2 } },
            "escalate": { "refund": { "rule": refund, "mode": "live" } },
            "order": { "escalate": ["refund"], "route": [], "targets": [] },
        }))
    }

    fn told(first: &Meaning, second: &Meaning) -> Vec<String> {
        let shown = |value: &Option<Value>| value.as_ref().map_or("nothing".to_owned(), Value::to_string);
        let changes = first.changes(second);
        changes.iter().map(|it| format!("{} {}: {} → {}", it.of, it.key, shown(&it.before), shown(&it.after))).collect()
    }

    #[test]
    fn a_change_is_told_by_the_key_of_the_file() {
        let before = meaning(json!({ "clock": { "internal": "4h" }, "needs": null }));
        assert_eq!(told(&before, &before), Vec::<String>::new());
        let after = meaning(json!({ "clock": { "internal": "2h" }, "needs": "authority" }));
        assert_eq!(
            told(&before, &after),
            ["escalate.refund clock.internal: \"4h\" → \"2h\"", "escalate.refund needs: nothing → \"authority\""]
        );
        assert_eq!(before.rules()[0].0, "refund".into());
        assert_ne!(before.rules()[0].1, after.rules()[0].1);
    }

    #[test]
    fn what_is_new_or_gone_is_told_whole_and_another_order_by_itself() {
        let rules = |names: &[&str]| {
            let all: BTreeMap<&str, Value> =
                names.iter().map(|name| (*name, json!({ "rule": { "name": name } }))).collect();
            Meaning::new(json!({ "route": all, "order": { "route": names } }))
        };
        assert_eq!(told(&rules(&["a"]), &rules(&["b", "a"])), ["route.b : nothing → {\"rule\":{\"name\":\"b\"}}"]);
        assert_eq!(told(&rules(&["a", "b"]), &rules(&["a"])), ["route.b : {\"rule\":{\"name\":\"b\"}} → nothing"]);
        assert_eq!(told(&rules(&["a", "b"]), &rules(&["b", "a"])), ["order route: [\"a\",\"b\"] → [\"b\",\"a\"]"]);
    }

    #[test]
    fn a_text_that_is_no_meaning_is_none() {
        for text in ["", "[]", "null", "{", "\"x\""] {
            assert_eq!(Meaning::parse(text), None, "{text}");
        }
        let hostile = Meaning::parse(r#"{"order":{"route":[1,"x"]},"route":[],"escalate":"y","teams":7}"#);
        let hostile = hostile.expect("an object");
        assert_eq!(hostile.rules(), []);
        assert_eq!(hostile.changes(&hostile), []);
        let other = meaning(Value::Null);
        assert!(!hostile.changes(&other).is_empty() && !other.changes(&hostile).is_empty());
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![any::<bool>().prop_map(Value::from), "[a-c]{0,2}".prop_map(Value::from)];
        leaf.prop_recursive(3, 12, 3, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::btree_map("rule|mode|a", inner, 0..3)
                    .prop_map(|map| Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn policies_have_another_version_exactly_where_they_have_a_change(first in any_json(), second in any_json()) {
            let (first, second) = (meaning(first), meaning(second));
            prop_assert_eq!(first.version() != second.version(), !first.changes(&second).is_empty());
            prop_assert_eq!(first.changes(&second).len(), second.changes(&first).len());
            prop_assert_eq!(Meaning::parse(&first.text()), Some(first));
        }

        #[test]
        fn a_span_stands_for_one_length(first in 0i64..400_000, second in 0i64..400_000) {
            let [one, other] = [first, second].map(|seconds| span(SignedDuration::from_secs(seconds)));
            prop_assert_eq!(first == second, one == other);
        }
    }
}
