//! What the documents show must work: the README's two commands are there, every `handoffd …` command line parses, and
//! every TOML block that is a whole configuration is one that `check` accepts.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use handoffd::{cli, config};
use std::path::{Path, PathBuf};

/// The documents that show commands.
const DOCUMENTS: [&str; 12] = [
    "README.md",
    "CHANGELOG.md",
    "docs/AGENTS.md",
    "docs/ARCHITECTURE.md",
    "docs/CONNECTORS.md",
    "docs/OPERATIONS.md",
    "docs/POLICY-GUIDE.md",
    "docs/REPORTS.md",
    "connectors/README.md",
    "connectors/rt/README.md",
    "connectors/sandbox/README.md",
    "connectors/zendesk/README.md",
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(document: &str) -> String {
    std::fs::read_to_string(root().join(document)).unwrap_or_else(|error| panic!("{document}: {error}"))
}

/// The fenced blocks of these languages.
fn blocks(text: &str, language: &str) -> Vec<String> {
    let (mut found, mut open): (Vec<String>, Option<String>) = (Vec::new(), None);
    for line in text.lines().map(str::trim_start) {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => found.extend(open.take()),
            (Some(named), None) if named == language => open = Some(String::new()),
            (Some(_), None) => open = None,
            (None, Some(block)) => *block += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    found
}

/// The command lines of a document: those in shell blocks, and those in code within the text.
fn commands(text: &str) -> (Vec<String>, Vec<String>) {
    let cut = |line: &str| line.split(" #").next().unwrap_or(line).trim_end_matches([' ', '&']).to_owned();
    let starts = |line: &String| line.starts_with("handoffd ") && !line.contains('…');
    let shown = blocks(text, "sh").concat().lines().map(cut).filter(starts).collect();
    let within = text.lines().flat_map(|line| line.split('`').skip(1).step_by(2).map(cut));
    (shown, within.filter(starts).collect())
}

/// The words of a command line, as a shell would split them.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for letter in line.chars() {
        match letter {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            letter => words.last_mut().expect("one word at least").push(letter),
        }
    }
    words.into_iter().filter(|word| !word.is_empty()).collect()
}

/// A placeholder where a number must stand.
fn filled(word: String) -> String {
    if word == "N" { "7".to_owned() } else { word }
}

/// Prose may name a command without what it needs: `handoffd explain`, `handoffd parked retry`.
fn is_a_name(words: &[String]) -> bool {
    let mut at = Some(cli::command());
    for word in &words[1..] {
        at = at.and_then(|command| command.find_subcommand(word).cloned());
    }
    at.is_some()
}

#[test]
fn the_readme_names_the_two_commands_and_they_stand_alone_on_their_lines() {
    let shown = blocks(&read("README.md"), "sh").concat();
    for command in ["cargo run --release -- demo", "cargo test --workspace"] {
        assert!(shown.lines().any(|line| line == command), "the README does not show `{command}`");
    }
}

#[test]
fn every_command_that_the_documents_show_parses() {
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for document in DOCUMENTS {
        let (shown, within) = commands(&read(document));
        let lines = shown.into_iter().map(|line| (line, false)).chain(within.into_iter().map(|line| (line, true)));
        for (line, prose) in lines {
            let words: Vec<String> = words(&line).into_iter().map(filled).collect();
            tried += 1;
            if let Err(error) = cli::command().try_get_matches_from(&words)
                && !(prose && is_a_name(&words))
            {
                wrong.push(format!("{document}: {line}\n    {}", error.to_string().lines().next().unwrap_or_default()));
            }
        }
    }
    assert!(wrong.is_empty(), "these do not parse:\n{}", wrong.join("\n"));
    assert!(tried > 40, "only {tried} command lines were found: has their form changed?");
}

#[test]
fn every_whole_configuration_that_the_documents_show_is_right() {
    // The policy guide's blocks are one policy, held by a test of its own.
    let whole = |block: &String| block.contains("[desks.") && block.contains("[teams.");
    let mut tried = 0;
    for document in DOCUMENTS.into_iter().filter(|document| *document != "docs/POLICY-GUIDE.md") {
        for block in blocks(&read(document), "toml").iter().filter(|block| whole(block)) {
            tried += 1;
            let config = config::read(block, document, Path::new("")).unwrap_or_else(|problems| panic!("{problems}"));
            assert!(config.warnings.is_empty(), "{}", config.warnings);
        }
    }
    assert!(tried > 0, "the README shows no whole policy any more");
}

#[test]
fn every_file_that_the_documents_link_to_is_there() {
    let mut missing = Vec::new();
    for document in DOCUMENTS {
        let text = read(document);
        let folder = root().join(document).parent().expect("a folder").to_owned();
        let links = text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://") && !link.starts_with('#')) {
            let path = link.split('#').next().unwrap_or(link);
            if !folder.join(path).exists() {
                missing.push(format!("{document}: {link}"));
            }
        }
    }
    assert!(missing.is_empty(), "these lead nowhere:\n{}", missing.join("\n"));
}
