//! What is known about a fact, in words. Pure.

use super::cel::{Found, Value};
use super::package::clean;

/// Characters that a fact takes in a trace or a note.
pub const SHOWN_MAX: usize = 160;

/// What is known about a fact, as text for traces and notes.
pub fn shown(found: Found<'_>) -> String {
    let text = match found {
        Found::Value(Value::Text(text)) if text.is_empty() => return "empty".into(),
        Found::Value(Value::List(values)) if values.is_empty() => return "none".into(),
        Found::Value(value) => value.shown(),
        Found::Empty => return "empty".into(),
        Found::Unknown => return "unknown".into(),
        Found::Unread(_) => return "not read".into(),
    };
    // Far more than is shown, so that nothing which must be masked is cut in two before it is seen.
    let bounded: String = text.chars().take(4 * SHOWN_MAX).collect();
    let line = clean(&bounded).split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &line[..end]),
        None => line,
    }
}

/// The same inside a sentence: a list ends where its bracket does.
pub fn shown_in_sentence(found: Found<'_>) -> String {
    let is_list = matches!(&found, Found::Value(Value::List(values)) if !values.is_empty());
    let text = shown(found);
    if is_list { format!("[{text}]") } else { text }
}
