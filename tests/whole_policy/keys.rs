//! No key that works is absent from the policy of this folder.

use crate::embedded::{ZENDESK_LOGIN, rt_login};
use crate::policy::FILES;
use crate::shapes::{keys_at, shapes};
use handoffd::config::keys;
use std::collections::BTreeSet;
use toml::{Table, Value};

/// The files with the desk's tables in their places; its other words are texts as they stand.
fn texts() -> [String; 2] {
    FILES
        .map(|(_, text)| text.replace("@LOGIN@", ZENDESK_LOGIN).replace("@WEBHOOK@", "{ token = { file = \"hook\" } }"))
}

#[test]
fn no_working_key_is_absent_from_the_policy() {
    let texts = texts();
    let documents = texts.each_ref().map(|text| Value::Table(text.parse::<Table>().unwrap()));
    let mut missing = Vec::new();
    for (shape, path) in shapes() {
        let mut found = BTreeSet::new();
        documents.iter().for_each(|document| keys_at(document, &path, &mut found));
        missing
            .extend(shape.names().filter(|key| !found.contains(*key)).map(|key| format!("{key} of {}", shape.title)));
    }
    let written = format!("{}{}", texts[0], rt_login());
    for shape in [keys::QUEUE, keys::SECRET] {
        let absent = shape.names().filter(|key| !written.contains(&format!("{{ {key} = ")));
        missing.extend(absent.map(|key| format!("{key} of {}", shape.title)));
    }
    assert_eq!(missing, Vec::<String>::new(), "every key that works is used in tests/whole_policy");
}
