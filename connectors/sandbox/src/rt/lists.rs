//! Lists: order, pages and their totals, and which fields of each record are shown (RT sheet, *Searching* and
//! *History, transactions, attachments*).

use super::catalog;
use super::condition::Values;
use super::request::Call;
use crate::ids::PersonNo;
use crate::store::Helpdesk;
use serde_json::{Map, Value, json};
use std::cmp::Ordering;

const PAGE: usize = 20;
const PAGE_MAX: usize = 100;

/// Who asks for what: every reader has these three.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) desk: &'a Helpdesk,
    pub(super) me: PersonNo,
    pub(super) call: &'a Call<'a>,
}

/// A record's id in addresses, and all of its fields.
pub(super) type Record = (String, Map<String, Value>);

/// What a list is made of.
pub(super) struct List<'a, T> {
    pub(super) items: Vec<T>,
    /// Whether RT knows how many there are.
    pub(super) counted: bool,
    /// The type of its records, as it stands in addresses.
    pub(super) kind: &'static str,
    /// Whether newer ones come first where no order is asked for.
    pub(super) newest_first: bool,
    /// Whether the asker may see one: the others are taken out after the page was cut.
    pub(super) visible: &'a dyn Fn(&T) -> bool,
    /// A field to sort by.
    pub(super) read: &'a dyn Fn(&T, &str) -> Values,
    /// One of its records in full.
    pub(super) show: &'a dyn Fn(&T) -> Record,
}

impl<T> List<'_, T> {
    /// The page that is asked for.
    pub(super) fn page(mut self, asked: Asked<'_>) -> Value {
        let call = asked.call;
        self.sort(call);
        let wanted = |name: &str| call.param(name).and_then(|text| text.parse::<usize>().ok()).filter(|&it| it > 0);
        let per_page = wanted("per_page").unwrap_or(PAGE).min(PAGE_MAX);
        let page = wanted("page").unwrap_or(1);
        let total = self.items.len();
        let pages = total.div_ceil(per_page);
        let cut = self.items.iter().skip(page.saturating_sub(1).saturating_mul(per_page)).take(per_page);
        let items: Vec<Value> = cut.filter(|item| (self.visible)(item)).map(|item| self.item(asked, item)).collect();
        let mut answer = json!({ "page": page, "per_page": per_page, "count": items.len(), "items": items });
        // A total of nothing makes RT divide into a float.
        answer["pages"] = match (self.counted, total) {
            (false, _) => Value::Null,
            (true, 0) => json!(0.0),
            (true, _) => json!(pages),
        };
        answer["total"] = if self.counted { json!(total) } else { Value::Null };
        if self.counted && page < pages {
            answer["next_page"] = json!(call.page_url(page + 1));
        }
        if self.counted && page > 1 && pages > 0 {
            answer["prev_page"] = json!(call.page_url((page - 1).min(pages)));
        }
        answer
    }

    fn sort(&mut self, call: &Call<'_>) {
        if self.newest_first && call.param("orderby").is_none() {
            self.items.reverse();
        }
        let orders: Vec<&str> = call.params("order").collect();
        for (at, field) in call.params("orderby").enumerate().collect::<Vec<_>>().into_iter().rev() {
            let down = orders.get(at).is_some_and(|order| order.eq_ignore_ascii_case("DESC"));
            let read = self.read;
            self.items.sort_by(|one, other| {
                let order = compare(read(one, field), read(other, field));
                if down { order.reverse() } else { order }
            });
        }
    }

    fn item(&self, asked: Asked<'_>, item: &T) -> Value {
        let (id, full) = (self.show)(item);
        let mut shown = super::record::reference(&asked.call.base(), self.kind, &id);
        let fields = asked.call.param("fields").unwrap_or_default().split(',').map(str::trim);
        for field in fields.filter(|field| *field != "id") {
            if let Some(value) = full.get(field) {
                shown[field] = listed(field, value);
            }
        }
        nested(asked, &mut shown);
        shown
    }
}

/// In lists, some references are plain ids.
fn listed(field: &str, value: &Value) -> Value {
    match field {
        "TransactionId" | "Parent" => value.get("id").cloned().unwrap_or_else(|| value.clone()),
        _ => value.clone(),
    }
}

/// Adds what `fields[NAME]=…` asks for to the records that a record names.
pub(super) fn nested(asked: Asked<'_>, record: &mut Value) {
    for (field, wanted) in asked.call.keyed("fields") {
        match record.get_mut(field) {
            Some(Value::Array(many)) => many.iter_mut().for_each(|one| add(asked, one, wanted)),
            Some(one @ Value::Object(_)) => add(asked, one, wanted),
            _ => {}
        }
    }
}

fn add(asked: Asked<'_>, reference: &mut Value, wanted: &str) {
    let text = |key: &str| reference.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
    let Some(full) = catalog::named(asked, &text("type"), &text("id")) else { return };
    for field in wanted.split(',').map(str::trim) {
        if let Some(value) = full.get(field) {
            reference[field] = value.clone();
        }
    }
}

/// Numbers by size, everything else as text.
fn compare(one: Values, other: Values) -> Ordering {
    let text = |values: Values| values.unwrap_or_default().join(",");
    let (one, other) = (text(one), text(other));
    match (one.parse::<u64>(), other.parse::<u64>()) {
        (Ok(one), Ok(other)) => one.cmp(&other),
        _ => one.cmp(&other),
    }
}
