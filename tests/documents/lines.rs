//! Every `handoffd …` command line that a document shows parses, in shell blocks and in code within the text; every link leads
//! somewhere; and the README's two commands stand where they must.

use super::markdown::{Document, root};
use handoffd::cli;

/// The command lines of a document: those in shell blocks, and those in code within the text.
fn commands(document: &Document) -> (Vec<String>, Vec<String>) {
    let cut = |line: &str| line.split(" #").next().unwrap_or(line).trim_end_matches([' ', '&']).to_owned();
    let starts = |line: &String| line.starts_with("handoffd ") && !line.contains('…');
    let blocks = document.blocks.iter().filter(|block| block.language == "sh");
    let shown = blocks.flat_map(|block| block.text.lines().map(cut)).filter(starts).collect();
    let within = document.text.lines().flat_map(|line| line.split('`').skip(1).step_by(2).map(cut));
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
    let readme = Document::read("README.md");
    let blocks = readme.blocks.iter().filter(|block| block.language == "sh");
    let shown: String = blocks.map(|block| block.text.as_str()).collect();
    for command in ["cargo run --release -- demo", "cargo test --workspace"] {
        assert!(shown.lines().any(|line| line == command), "the README does not show `{command}`");
    }
}

#[test]
fn every_command_that_the_documents_show_parses() {
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for document in Document::all() {
        let (shown, within) = commands(&document);
        let lines = shown.into_iter().map(|line| (line, false)).chain(within.into_iter().map(|line| (line, true)));
        for (line, prose) in lines {
            let words: Vec<String> = words(&line).into_iter().map(filled).collect();
            tried += 1;
            if let Err(error) = cli::command().try_get_matches_from(&words)
                && !(prose && is_a_name(&words))
            {
                wrong.push(format!(
                    "{}: {line}\n    {}",
                    document.name,
                    error.to_string().lines().next().unwrap_or_default()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "these do not parse:\n{}", wrong.join("\n"));
    assert!(tried > 40, "only {tried} command lines were found: has their form changed?");
}

#[test]
fn every_file_that_the_documents_link_to_is_there() {
    let mut missing = Vec::new();
    for document in Document::all() {
        let folder = root().join(&document.name).parent().expect("a folder").to_owned();
        let links = document.text.split("](").skip(1).filter_map(|rest| rest.split(')').next());
        for link in links.filter(|link| !link.contains("://") && !link.starts_with('#')) {
            let path = link.split('#').next().unwrap_or(link);
            if !folder.join(path).exists() {
                missing.push(format!("{}: {link}", document.name));
            }
        }
    }
    assert!(missing.is_empty(), "these lead nowhere:\n{}", missing.join("\n"));
}
