//! `[package.labels]`: the words of the agents' languages for what they write down in an internal note.

use super::found::Found;
use super::keys;
use super::scalar::shown;
use super::walk::Section;
use crate::policy::package::{LABELS, Label, Labels, same_words};
use std::collections::BTreeMap;

/// Longer ones are sentences.
const LONGEST: usize = 60;

/// Reads `[package]`.
pub(super) fn read(found: &mut Found<'_>, root: &Section<'_>) -> Labels {
    let mut added: BTreeMap<Label, Vec<String>> = BTreeMap::new();
    let package = root.table(found, "package", keys::PACKAGES, "[package]".into());
    let table = package.and_then(|package| package.table(found, "labels", keys::LABELS, "[package.labels]".into()));
    let Some(table) = table else { return Labels::default() };
    let mut taken: BTreeMap<String, &str> =
        LABELS.iter().flat_map(|(key, _, words)| words.iter().map(|word| (same_words(word), *key))).collect();
    for (key, label, _) in LABELS {
        for word in table.has(key).then(|| table.texts(found, key)).flatten().unwrap_or_default() {
            let form = same_words(word.value);
            if let Err((message, help)) = readable(word.value) {
                found.error(&word.span, message, help);
            } else if let Some(other) = taken.get(&form).filter(|other| **other != key) {
                let message = format!("\"{}\" already means `{other}`", shown(word.value));
                found.error(&word.span, message, "choose a word that no other label has");
            } else {
                taken.insert(form, key);
                added.entry(label).or_default().push(word.value.trim().to_owned());
            }
        }
    }
    Labels::new(added)
}

/// Whether a note can be read by this label.
fn readable(word: &str) -> Result<(), (String, &'static str)> {
    let shown = shown(word);
    if word.chars().count() > LONGEST {
        Err((
            format!("the label \"{shown}\" is too long"),
            "write at most 60 characters: agents write it before a colon",
        ))
    } else if word.contains([':', '：']) || word.contains(char::is_control) {
        Err((
            format!("the label \"{shown}\" has a colon or a line break in it"),
            "write the word alone, as in [\"Versucht\"]",
        ))
    } else if !word.starts_with(char::is_alphanumeric) {
        Err((
            format!("the label \"{shown}\" does not begin with a letter"),
            "write the word alone, as in [\"Versucht\"]",
        ))
    } else {
        Ok(())
    }
}
