//! Labels and custom fields as they were at each change, told from today's by undoing what the history says. Pure.
//!
//! A change of labels says which came and which went, so all of it can be undone, as far as that fits: where a label went that was
//! not there, the desk has changed it without telling, and what was before is unknown. A change of a field does not say what the
//! field was before: from its last change on it is what it is today, and before that unknown.

use crate::policy::rules::FieldDeclaration;
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{Change, TicketHead, What};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// What is known of a ticket's labels and fields.
pub(super) struct Known {
    /// Before the first change, and after each.
    tags: Vec<Option<Vec<String>>>,
    fields: Vec<Field>,
}

/// A field, and since which change it is what it is today.
struct Field {
    name: String,
    today: Value,
    /// None: it never changed.
    since: Option<usize>,
}

impl Known {
    /// Of a ticket, with its whole history in order; `declared`: the fields that are wanted.
    pub fn of<'f>(
        head: &TicketHead,
        history: &[Change],
        declared: impl Iterator<Item = (&'f str, &'f FieldDeclaration)>,
    ) -> Self {
        // What came after the head was read is not in what it says.
        let later = |updated: &jiff::Timestamp| history.iter().any(|change| change.at > *updated);
        let stale = head.updated_at.known().is_some_and(later);
        let field = |(name, field): (&'f str, &'f FieldDeclaration)| Field {
            name: name.to_owned(),
            today: if stale { Value::Null } else { today(head, field) },
            since: history.iter().rposition(|change| change.what.iter().any(|what| is_of(what, &field.id))),
        };
        Self { tags: tags(head.tags.known().filter(|_| !stale), history), fields: declared.map(field).collect() }
    }

    /// Before the first change.
    pub fn before(&self) -> (Option<Vec<String>>, BTreeMap<String, Value>) {
        self.at(0)
    }

    /// After the change of this number, from 0.
    pub fn after(&self, change: usize) -> (Option<Vec<String>>, BTreeMap<String, Value>) {
        self.at(change + 1)
    }

    fn at(&self, changes: usize) -> (Option<Vec<String>>, BTreeMap<String, Value>) {
        let told = |field: &Field| field.since.is_none_or(|since| since < changes);
        let value = |field: &Field| if told(field) { field.today.clone() } else { Value::Null };
        let fields = self.fields.iter().map(|field| (field.name.clone(), value(field)));
        (self.tags.get(changes).cloned().flatten(), fields.collect())
    }
}

fn is_of(what: &What, field: &str) -> bool {
    matches!(what, What::Field { id } if id == field)
}

/// As the declaration reads it: null where it does not convert, an empty list where the field is empty.
fn today(head: &TicketHead, field: &FieldDeclaration) -> Value {
    let Some(sent) = head.fields.get(&field.id) else { return Value::Null };
    match field.kind.read(sent) {
        Fact::Known(Some(value)) => value.json(),
        Fact::Known(None) => Value::Array(Vec::new()),
        Fact::Unknown => Value::Null,
    }
}

fn tags(today: Option<&Vec<String>>, history: &[Change]) -> Vec<Option<Vec<String>>> {
    let mut now: Option<BTreeSet<&String>> = today.map(|tags| tags.iter().collect());
    let mut backwards = Vec::with_capacity(history.len() + 1);
    for change in history.iter().rev() {
        backwards.push(now.as_ref().map(listed));
        for what in change.what.iter().rev() {
            if let (What::Tags { added, removed }, Some(tags)) = (what, &mut now) {
                let fits = added.iter().all(|tag| tags.remove(tag)) && removed.iter().all(|tag| tags.insert(tag));
                if !fits {
                    now = None;
                }
            }
        }
    }
    backwards.push(now.as_ref().map(listed));
    backwards.reverse();
    backwards
}

fn listed(tags: &BTreeSet<&String>) -> Vec<String> {
    tags.iter().map(|tag| (*tag).clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::rules::FieldOwner;
    use handoffd_kit::model::{Actor, Author, FieldType, Role};
    use jiff::Timestamp;
    use serde_json::json;

    fn change(second: i64, what: What) -> Change {
        let at = Timestamp::from_second(second).expect("an instant");
        let by = Author { id: None, name: None, role: Role::Agent };
        Change { id: "7".into(), at, by, actor: Actor::Person, mark: None, what: vec![what] }
    }

    fn moved(second: i64, added: &[&str], removed: &[&str]) -> Change {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        change(second, What::Tags { added: words(added), removed: words(removed) })
    }

    fn head(tags: &[&str]) -> TicketHead {
        let mut head = TicketHead::unknown("1".into(), "v".into());
        head.tags = Fact::Known(tags.iter().map(|tag| (*tag).to_owned()).collect());
        head
    }

    fn told(head: &TicketHead, history: &[Change]) -> Vec<Option<String>> {
        let known = Known::of(head, history, std::iter::empty());
        let all = std::iter::once(known.before()).chain((0..history.len()).map(|at| known.after(at)));
        all.map(|(tags, _)| tags.map(|tags| tags.join(" "))).collect()
    }

    fn some(words: &[&str]) -> Vec<Option<String>> {
        words.iter().map(|words| Some((*words).to_owned())).collect()
    }

    #[test]
    fn labels_are_what_they_were_at_each_change() {
        let history = [moved(1, &["a", "b"], &[]), change(2, What::Created), moved(3, &["c"], &["a"])];
        assert_eq!(told(&head(&["b", "c", "z"]), &history), some(&["z", "a b z", "a b z", "b c z"]));
        assert_eq!(told(&TicketHead::unknown("1".into(), "v".into()), &history), [None, None, None, None]);
    }

    #[test]
    fn what_does_not_fit_is_unknown_from_there_backwards() {
        let history = [moved(1, &["a"], &[]), moved(2, &["b"], &[]), moved(3, &["c"], &[])];
        // `b` came, nobody took it away, and it is not there.
        assert_eq!(told(&head(&["a", "c"]), &history), [None, None, Some("a".into()), Some("a c".into())]);
        let back = [moved(1, &[], &["a"])];
        assert_eq!(told(&head(&["a"]), &back), [None, Some("a".into())]);
    }

    #[test]
    fn a_head_that_is_older_than_the_last_change_tells_nothing() {
        let mut old = head(&["a"]);
        old.updated_at = Fact::Known(Timestamp::from_second(2).expect("an instant"));
        assert_eq!(told(&old, &[moved(3, &["a"], &[])]), [None, None]);
        assert_eq!(told(&old, &[moved(2, &["a"], &[])]), some(&["", "a"]));
    }

    #[test]
    fn a_field_is_unknown_before_its_last_change_and_what_it_is_today_after_it() {
        let mut head = head(&[]);
        head.fields =
            BTreeMap::from([("1".into(), json!("600")), ("2".into(), json!("")), ("3".into(), json!("many"))]);
        let field = |id: &str, kind| FieldDeclaration { id: id.into(), kind, of: FieldOwner::Ticket };
        let declared = BTreeMap::from([
            ("refund", field("1", FieldType::Number)),
            ("plan", field("2", FieldType::Choice)),
            ("wrong", field("3", FieldType::Number)),
            ("none", field("4", FieldType::Text)),
        ]);
        let of = |id: &str| What::Field { id: id.into() };
        let history = [change(1, of("1")), change(2, of("1")), change(3, of("9"))];
        let known = Known::of(&head, &history, declared.iter().map(|(name, field)| (*name, field)));
        let refund = |told: (Option<Vec<String>>, BTreeMap<String, Value>)| told.1["refund"].clone();
        assert_eq!(refund(known.before()), Value::Null);
        assert_eq!((refund(known.after(0)), refund(known.after(1))), (Value::Null, json!(600)));
        let (_, last) = known.after(2);
        assert_eq!((&last["refund"], &last["plan"]), (&json!(600), &json!([])));
        assert_eq!((&last["wrong"], &last["none"]), (&Value::Null, &Value::Null));
    }
}
