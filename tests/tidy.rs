//! The house's own lines, held by a test: which way the arrows point, how large things may grow, which files a connector
//! has, and that the project speaks of itself alone.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::path::PathBuf;

/// The most lines of one source file, tests counted.
const FILE_LINES: usize = 600;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn files(below: &str, ending: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![root().join(below)];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(&folder).expect("readable folder").map(|entry| entry.expect("entry").path()) {
            let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if entry.is_dir() && name != "target" && !name.starts_with('.') {
                open.push(entry);
            } else if name.ends_with(ending) && !entry.is_dir() {
                let shown = entry.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned();
                found.push((shown, std::fs::read_to_string(&entry).expect("text")));
            }
        }
    }
    found.sort();
    found
}

/// The code of a file without its tests: without every item that is there for tests alone. Formatted code says by its
/// indentation where an item ends.
fn code(text: &str) -> String {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut kept = String::with_capacity(text.len());
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if line.trim() != "#[cfg(test)]" {
            kept.extend([line, "\n"]);
            continue;
        }
        let ends = |inside: &&str| {
            let own = indent(inside) == indent(line) && !inside.trim_start().starts_with("#[");
            own && inside.ends_with([';', ',', '}'])
        };
        let _ = lines.by_ref().find(ends);
    }
    kept
}

fn containing<'a>(files: &'a [(String, String)], banned: &'a [&str]) -> impl Iterator<Item = String> + 'a {
    files.iter().flat_map(move |(file, text)| {
        banned.iter().filter(|word| text.contains(**word)).map(move |word| format!("{file}: {word}"))
    })
}

fn fail_if_any(what: &str, rows: Vec<String>) {
    assert!(rows.is_empty(), "{what}:\n{}", rows.join("\n"));
}

#[test]
fn arrows_point_one_way() {
    // Each folder may name only the ones after it; see docs/ARCHITECTURE.md.
    let order = [
        "cli", "daemon", "web", "intake", "insight", "delivery", "cases", "desks", "alert", "config", "ledger", "plan",
        "policy",
    ];
    let mut wrong = Vec::new();
    for (at, folder) in order.iter().enumerate().filter(|(_, folder)| root().join("src").join(folder).is_dir()) {
        for (file, text) in files(&format!("src/{folder}"), ".rs") {
            let code = code(&text);
            let upwards = order[..at].iter().filter(|above| code.contains(&format!("crate::{above}::")));
            wrong.extend(upwards.map(|above| format!("{file} names crate::{above}")));
        }
    }
    fail_if_any("these point the wrong way", wrong);
}

#[test]
fn pure_folders_touch_nothing() {
    let banned = [
        "async fn",
        ".await",
        "std::fs",
        "std::env",
        "std::net",
        "tokio::",
        "reqwest",
        "rusqlite",
        "SystemTime",
        "Instant::now",
    ];
    let pure: Vec<(String, String)> = ["src/policy", "src/plan", "hours/src"]
        .iter()
        .flat_map(|folder| files(folder, ".rs"))
        .map(|(file, text)| (file, code(&text)))
        .collect();
    assert!(!pure.is_empty(), "the pure folders have moved");
    fail_if_any("policy, plan and hours are pure; these reach out", containing(&pure, &banned).collect());
}

#[test]
fn config_and_ledger_wait_for_nothing() {
    let plain = ["src/config", "src/ledger"].iter().flat_map(|folder| files(folder, ".rs"));
    let plain: Vec<_> =
        plain.filter(|(file, _)| file != "src/ledger/handle.rs").map(|(file, text)| (file, code(&text))).collect();
    fail_if_any(
        "config and ledger are plain functions",
        containing(&plain, &["async fn", "async move", ".await"]).collect(),
    );
}

#[test]
fn vendors_are_named_in_the_registry_alone() {
    let crates = [
        "handoffd_zendesk",
        "handoffd_rt",
        "handoffd_freshdesk",
        "handoffd_zammad",
        "handoffd_intercom",
        "handoffd_jira_service_management",
    ];
    let house: Vec<_> = files("src", ".rs")
        .into_iter()
        .filter(|(file, _)| file != "src/registry.rs")
        .map(|(file, text)| (file, code(&text)))
        .collect();
    fail_if_any("a vendor outside src/registry.rs", containing(&house, &crates).collect());
}

#[test]
fn only_what_is_for_tests_is_left_out_of_the_code() {
    let text = "mod a;\n#[cfg(test)]\nmod b;\nfn c() {}\n#[cfg(test)]\n#[path = \"x\"]\nmod tests {\n    fn d() {}\n}\nfn e() {}\n";
    assert_eq!(code(text), "mod a;\nfn c() {}\nfn e() {}\n");
}

#[test]
fn sql_lives_in_the_ledger_alone() {
    let outside = files("src", ".rs").into_iter().filter(|(file, _)| !file.starts_with("src/ledger/"));
    let wrong = outside.filter(|(_, text)| code(text).contains("rusqlite")).map(|(file, _)| file).collect();
    fail_if_any("SQL outside the ledger", wrong);
}

#[test]
fn connectors_know_the_kit_and_nothing_else_and_have_the_same_files() {
    let same = ["README.md", "example.toml", "fixtures"].into_iter();
    let same: Vec<&str> = same
        .chain(["src/config.rs", "src/api.rs", "src/wire.rs", "src/normalise.rs", "src/write.rs", "src/webhook.rs"])
        .collect();
    let mut wrong = Vec::new();
    for connector in ["zendesk", "rt", "freshdesk", "zammad", "intercom", "jira-service-management"] {
        let folder = root().join("connectors").join(connector);
        let missing = same.iter().filter(|wanted| !folder.join(wanted).exists());
        wrong.extend(missing.map(|wanted| format!("connectors/{connector}/{wanted} is missing")));
        for (file, text) in files(&format!("connectors/{connector}/src"), ".rs") {
            let others = [
                "handoffd::",
                "handoffd_sandbox",
                "handoffd_zendesk",
                "handoffd_rt",
                "handoffd_freshdesk",
                "handoffd_zammad",
                "handoffd_intercom",
                "handoffd_jira_service_management",
            ];
            let own = connector.replace('-', "_");
            let others = others.iter().filter(|other| !other.ends_with(&own) && code(&text).contains(**other));
            wrong.extend(others.map(|other| format!("{file} names {other}")));
        }
    }
    fail_if_any("connectors", wrong);
}

#[test]
fn hours_know_nothing_of_the_house() {
    let banned = ["handoffd::", "handoffd_kit", "SystemTime", "Timestamp::now", "Zoned::now", "TimeZone::system"];
    fail_if_any("hours/ stands alone", containing(&files("hours", ".rs"), &banned).collect());
}

#[test]
fn files_stay_small_and_say_what_they_are_for() {
    let mut wrong = Vec::new();
    for (file, text) in files("", ".rs") {
        let lines = text.lines().count();
        if lines > FILE_LINES {
            wrong.push(format!("{file}: {lines} lines, at most {FILE_LINES}"));
        }
        if !text.starts_with("//!") {
            wrong.push(format!("{file}: does not begin with what it is for"));
        }
    }
    fail_if_any("files", wrong);
}

#[test]
fn nothing_is_left_unfinished() {
    // Written in two halves so that this file does not find itself.
    let banned = [
        concat!("todo", "!("),
        concat!("unimplemented", "!("),
        concat!("dbg", "!("),
        concat!("#[ig", "nore"),
        concat!("assert!(", "true"),
    ];
    fail_if_any("unfinished", containing(&files("", ".rs"), &banned).collect());
}

#[test]
fn the_project_speaks_of_itself_alone() {
    let banned = [concat!("/wo", "rk/"), concat!("sub", "agent"), concat!("crates", ".io"), concat!("before", "-stop")];
    let documents: Vec<(String, String)> = [".md", ".toml"].iter().flat_map(|ending| files("", ending)).collect();
    let mut wrong: Vec<String> =
        containing(&documents, &banned).chain(containing(&documents, &["../shared"])).collect();
    wrong.extend(containing(&files("", ".rs"), &banned));
    fail_if_any("these name something outside", wrong);
}

#[test]
fn the_map_names_every_folder() {
    let map = std::fs::read_to_string(root().join("docs/ARCHITECTURE.md")).expect("docs/ARCHITECTURE.md");
    let folders: BTreeSet<String> = std::fs::read_dir(root().join("src"))
        .expect("src")
        .map(|entry| entry.expect("entry").path())
        .filter(|path| path.is_dir())
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .collect();
    let crates = ["hours".to_owned(), "kit".to_owned(), "sandbox".to_owned()];
    let missing = folders.into_iter().chain(crates).filter(|name| !map.contains(&format!("{name}/"))).collect();
    fail_if_any("docs/ARCHITECTURE.md does not name", missing);
}
