//! Every shell block is run, and what a document says is printed is what is printed.

use super::markdown::Document;
use super::stage::{Ran, Stage};

/// Runs a document; says how many of its blocks ran.
fn run(name: &str) -> usize {
    let document = Document::read(name);
    let ran = Stage::of(&document).run(&document);
    printed_as_told(&document, &ran);
    ran.blocks.len()
}

fn printed_as_told(document: &Document, ran: &Ran<'_>) {
    for told in document.blocks.iter().filter(|block| block.language == "text") {
        let before = ran.blocks.iter().find(|(block, _)| block.number + 1 == told.number);
        let Some((block, printed)) = before else { continue };
        assert_eq!(printed.trim_end(), told.text.trim_end(), "{}", block.place(document));
    }
}

#[test]
fn a_first_policy_in_five_minutes_and_all_that_the_readme_shows() {
    let document = Document::read("README.md");
    let ran = Stage::of(&document).run(&document);
    let printed = |command: &str| {
        let found = ran.blocks.iter().find(|(block, _)| block.text.contains(command));
        &found.unwrap_or_else(|| panic!("the README does not show {command}")).1
    };
    assert!(printed("handoffs list --would").contains("refund-over-limit"));
    assert!(printed("handoffd reviews list").contains("in review"), "{}", printed("handoffd reviews list"));
    assert!(ran.blocks.len() >= 6, "only {} blocks ran", ran.blocks.len());
}

#[test]
fn operations() {
    assert!(run("docs/OPERATIONS.md") >= 2);
}

#[test]
fn reports() {
    assert!(run("docs/REPORTS.md") >= 6);
}

#[test]
fn templates() {
    assert!(run("docs/templates/README.md") >= 1);
}

/// A document that begins to show commands is run like the others.
#[test]
fn no_other_document_shows_commands() {
    let run_here = ["README.md", "docs/OPERATIONS.md", "docs/REPORTS.md", "docs/templates/README.md"];
    for document in Document::all().iter().filter(|document| !run_here.contains(&document.name.as_str())) {
        let block = document.blocks.iter().find(|block| block.language == "sh" && block.info.is_empty());
        assert!(block.is_none(), "{} is run by no test", block.map_or(String::new(), |block| block.place(document)));
    }
}
