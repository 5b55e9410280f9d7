//! `[desks.NAME.commands]`: whether agents may give commands inside the desk, and what the labels for it are called.

use super::found::{At, Found};
use super::keys;
use super::scalar::shown;
use super::walk::Section;
use crate::policy::command::TEAM;
use crate::policy::rules::CommandWords;
use handoffd_kit::capability::Capabilities;

/// A longer label fits no desk.
const LABEL_CHARS: usize = 80;

/// Reads the table; what is not said stays as it is by default.
pub(super) fn read(found: &mut Found<'_>, desk: &Section<'_>, can: Option<&Capabilities>) -> CommandWords {
    let mut words = CommandWords::default();
    // Without a history nobody knows who set a label: it orders nothing.
    let blind = can.filter(|can| !can.readable_history);
    words.tags &= blind.is_none();
    let title = format!("`commands` of {}", desk.title);
    let Some(section) = desk.table(found, "commands", keys::COMMANDS, title) else { return words };
    words.notes = section.yes_or_no(found, "notes").unwrap_or(words.notes);
    let tags = section.yes_or_no(found, "tags");
    if let (Some(desk), Some(true)) = (blind, tags) {
        let message =
            format!("a {} desk does not say who set a label, so that labels are not heard there", desk.connector);
        found.warning(&section.key_span("tags"), message, "write tags = false: agents write notes there");
    }
    words.tags = tags.unwrap_or(words.tags) && blind.is_none();
    if let Some(form) = label(found, &section, "handoff") {
        if form.value.matches(TEAM).count() == 1 && form.value.len() > TEAM.len() {
            words.handoff = vec![form.value.to_owned()];
        } else {
            let help = "write it like handoff = \"handoff:{team}\"";
            found.error(&form.span, format!("`handoff` needs {TEAM} once, beside words of its own"), help);
        }
    }
    let mut taken: Vec<String> = Vec::new();
    let labels = [
        ("back", &mut words.back),
        ("reject", &mut words.reject),
        ("approve", &mut words.approve),
        ("good", &mut words.good),
        ("poor", &mut words.poor),
    ];
    for (key, word) in labels {
        if let Some(label) = label(found, &section, key) {
            *word = label.value.to_owned();
        }
        if taken.contains(&word.to_lowercase()) {
            let message = format!("two commands have the label \"{}\"", shown(word));
            found.mismatch(&section.key_span(key), message, "give each its own");
        }
        taken.push(word.to_lowercase());
    }
    words
}

/// A label as every desk takes it.
fn label<'a>(found: &mut Found<'_>, section: &Section<'a>, key: &str) -> Option<At<&'a str>> {
    let text = section.text(found, key)?;
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == ',';
    if text.value.chars().any(odd) || text.value.chars().count() > LABEL_CHARS {
        let message = format!("`{key}` is no label that every helpdesk takes");
        found.error(&text.span, message, format!("write at most {LABEL_CHARS} characters without spaces and commas"));
        return None;
    }
    Some(text)
}
