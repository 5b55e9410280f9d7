//! Every event that the sources log is in OPERATIONS.md, and every one there is logged.

use super::markdown::root;
use regex::Regex;
use std::collections::BTreeSet;
use std::path::Path;

/// Events whose names are put together where they are logged.
const PUT_TOGETHER: [&str; 5] = ["effect.sent", "effect.parked", "effect.refused", "alert.sent", "alert.parked"];

fn sources(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(std::fs::read_to_string(&path).expect("text"));
        }
    }
}

/// The arguments of each call of a macro of `tracing`.
fn calls(text: &str) -> Vec<&str> {
    let begins = Regex::new(r"tracing::(?:trace|debug|info|warn|error)!\(").expect("a pattern");
    let ends = |from: usize| {
        let mut depth = 1;
        text[from..].char_indices().find_map(|(at, letter)| {
            depth += match letter {
                '(' => 1,
                ')' => -1,
                _ => 0,
            };
            (depth == 0).then_some(from + at)
        })
    };
    begins.find_iter(text).filter_map(|hit| Some(&text[hit.end()..ends(hit.end())?])).collect()
}

#[test]
fn every_event_of_the_log_is_documented_and_no_other() {
    let mut texts = Vec::new();
    sources(&root().join("src"), &mut texts);
    for entry in std::fs::read_dir(root().join("connectors")).expect("connectors") {
        let folder = entry.expect("an entry").path().join("src");
        if folder.is_dir() {
            sources(&folder, &mut texts);
        }
    }
    let event = Regex::new("^[a-z_]+[.][a-z_]+$").expect("a pattern");
    let literal = Regex::new("\"([^\"\n]*)\"").expect("a pattern");
    let mut logged: BTreeSet<String> = PUT_TOGETHER.map(str::to_owned).into();
    for text in &texts {
        for call in calls(text) {
            let last = literal.captures_iter(call).last().expect("an event has a name");
            let name = last[1].to_owned();
            if name != "{what}" {
                assert!(event.is_match(&name), "{name} is no event: {call}");
                logged.insert(name);
            }
        }
    }
    let page = std::fs::read_to_string(root().join("docs/OPERATIONS.md")).expect("the page");
    let table = page.split("| event | level | fields |").nth(1).and_then(|rest| rest.split("\n\n").next());
    let names = Regex::new("`([a-z_]+[.][a-z_]+)`").expect("a pattern");
    let first_cells = table.expect("the table").lines().filter_map(|line| line.split('|').nth(1));
    let told: BTreeSet<String> = first_cells
        .flat_map(|cell| names.captures_iter(cell).map(|hit| hit[1].to_owned()).collect::<Vec<_>>())
        .collect();
    assert_eq!(logged, told, "docs/OPERATIONS.md, Logs");
    assert!(logged.len() > 30, "the form of logging has changed");
}
