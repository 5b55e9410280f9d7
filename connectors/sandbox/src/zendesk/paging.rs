//! Pages: by cursor when `page[size]` or `page[after]` is given, else by offset. A cursor names the last item's key, so
//! that it stays right while items come and go.

use super::refusals::Refusal;
use super::request::Call;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

/// What items are ordered by.
pub(super) type Key = (i64, u64);

/// Which end comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Ascending,
    Descending,
}

/// Cuts a page out of items and puts it, rendered, under its name with the links to the next one.
pub(super) fn page<T>(
    call: &Call<'_>,
    name: &str,
    mut items: Vec<(Key, T)>,
    order: Order,
    show: impl FnMut(T) -> Value,
) -> Result<(Value, usize), Refusal> {
    items.sort_by_key(|(key, _)| *key);
    if order == Order::Descending {
        items.reverse();
    }
    if call.param("page[size]").is_some() || call.param("page[after]").is_some() {
        by_cursor(call, name, items, order, show)
    } else {
        by_offset(call, name, items, show)
    }
}

fn by_cursor<T>(
    call: &Call<'_>,
    name: &str,
    mut items: Vec<(Key, T)>,
    order: Order,
    show: impl FnMut(T) -> Value,
) -> Result<(Value, usize), Refusal> {
    let size: usize = call.param("page[size]").map_or(Ok(100), str::parse).map_err(|_| Refusal::BadPage)?;
    if !(1..=100).contains(&size) {
        return Err(Refusal::BadPage);
    }
    if let Some(cursor) = call.param("page[after]") {
        let after = decode(cursor).ok_or(Refusal::BadPage)?;
        items.retain(|(key, _)| match order {
            Order::Ascending => *key > after,
            Order::Descending => *key < after,
        });
    }
    let has_more = items.len() > size;
    items.truncate(size);
    let after = items.last().map(|(key, _)| encode(*key));
    let before = items.first().map(|(key, _)| encode(*key));
    let shown: Vec<Value> = items.into_iter().map(|(_, item)| item).map(show).collect();
    let count = shown.len();
    let next = after.as_ref().filter(|_| has_more).map(|after| link(call, &["page[after]"], ("page[after]", after)));
    let body = json!({
        name: shown,
        "meta": { "has_more": has_more, "after_cursor": after, "before_cursor": before },
        "links": { "next": next, "prev": null },
    });
    Ok((body, count))
}

fn by_offset<T>(
    call: &Call<'_>,
    name: &str,
    items: Vec<(Key, T)>,
    show: impl FnMut(T) -> Value,
) -> Result<(Value, usize), Refusal> {
    let number =
        |name, default| call.param(name).map_or(Ok(default), str::parse::<usize>).map_err(|_| Refusal::BadPage);
    let (at, size) = (number("page", 1)?.max(1), number("per_page", 100)?.clamp(1, 100));
    if at.saturating_mul(size) > 10_000 {
        return Err(Refusal::TooDeep);
    }
    let total = items.len();
    let has_more = at * size < total;
    let shown: Vec<Value> =
        items.into_iter().skip((at - 1) * size).take(size).map(|(_, item)| item).map(show).collect();
    let count = shown.len();
    let to = |page: usize| link(call, &["page"], ("page", &page.to_string()));
    let body = json!({
        name: shown,
        "count": total,
        "next_page": has_more.then(|| to(at + 1)),
        "previous_page": (at > 1).then(|| to(at - 1)),
    });
    Ok((body, count))
}

/// The address of another page.
pub(super) fn link(call: &Call<'_>, without: &[&str], with: (&str, &str)) -> String {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(call.query_without(without)).append_pair(with.0, with.1);
    format!("{}{}?{}", call.base(), call.path(), query.finish())
}

/// A key as an opaque text.
pub(super) fn encode((first, second): Key) -> String {
    URL_SAFE_NO_PAD.encode(format!("{first}|{second}"))
}

/// The key of an opaque text.
pub(super) fn decode(cursor: &str) -> Option<Key> {
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (first, second) = text.split_once('|')?;
    Some((first.parse().ok()?, second.parse().ok()?))
}

/// Adds what is sent along.
pub(super) fn with(body: Value, name: &str, items: Vec<Value>) -> Value {
    let mut map: Map<String, Value> = match body {
        Value::Object(map) => map,
        _ => Map::new(),
    };
    map.insert(name.to_owned(), Value::Array(items));
    Value::Object(map)
}
