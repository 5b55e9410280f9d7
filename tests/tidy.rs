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

/// A connector's crate, as code names it.
fn crate_of(connector: &str) -> String {
    format!("handoffd_{}", connector.replace('-', "_"))
}

#[test]
fn vendors_are_named_in_the_registry_alone() {
    let crates: Vec<String> = handoffd::registry::known().iter().map(|connector| crate_of(connector)).collect();
    let crates: Vec<&str> = crates.iter().map(String::as_str).collect();
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

/// What every connector has, by the same names.
const SAME: [&str; 18] = [
    "README.md",
    "example.toml",
    "fixtures",
    "src/lib.rs",
    "src/config.rs",
    "src/api.rs",
    "src/wire.rs",
    "src/normalise.rs",
    "src/history.rs",
    "src/stream.rs",
    "src/write.rs",
    "src/find.rs",
    "src/webhook.rs",
    "src/limits.rs",
    "src/refusals.rs",
    "src/check.rs",
    "src/desk.rs",
    "tests",
];

#[test]
fn connectors_know_the_kit_and_nothing_else_and_have_the_same_files() {
    let guide = std::fs::read_to_string(root().join("connectors/README.md")).expect("the guide");
    let mut wrong = Vec::new();
    for connector in handoffd::registry::known() {
        let folder = root().join("connectors").join(connector);
        let missing = SAME.iter().filter(|wanted| !folder.join(wanted).exists());
        wrong.extend(missing.map(|wanted| format!("connectors/{connector}/{wanted} is missing")));
        let others =
            handoffd::registry::known().iter().filter(|other| *other != connector).map(|other| crate_of(other));
        let others: Vec<String> = others.chain(["handoffd::".to_owned(), "handoffd_sandbox".to_owned()]).collect();
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        let below = format!("connectors/{connector}/");
        let sources: Vec<_> =
            files(&format!("{below}src"), ".rs").into_iter().map(|(file, text)| (file, code(&text))).collect();
        wrong.extend(containing(&sources, &others));
        let own = sources.iter().filter_map(|(file, _)| file.strip_prefix(&below));
        let untold = own.filter(|file| file.matches('/').count() == 1 && !guide.contains(&format!("`{file}`")));
        wrong.extend(untold.map(|file| format!("connectors/README.md does not say why {connector} has {file}")));
    }
    let untold = SAME.iter().filter(|file| !guide.contains(*file));
    wrong.extend(untold.map(|file| format!("connectors/README.md does not name {file}")));
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
