//! What the documents show must work. Every command line parses; every shell block is run as it stands, one after the
//! other, in an empty folder for each document; every block of a configuration is one that `check` accepts; what a document says is
//! printed is what is printed. A block that cannot be tried says why in its own first line, and those are counted.
//!
//! In a document, ```` ```sh not run: REASON ```` and ```` ```toml not checked: REASON ```` leave a block out. A block after *Save this as
//! `NAME`* becomes that file; a ```` ```text ```` block right after one that is run is what that one prints.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod configs;
mod events;
mod lines;
mod markdown;
mod runs;
mod stage;

use markdown::Document;

/// Shell blocks that no test runs. Whoever adds one here has thought of a way to run it first.
const NOT_RUN: usize = 11;
/// Configuration blocks that no test checks.
const NOT_CHECKED: usize = 0;

#[test]
fn what_is_left_out_says_why_and_is_counted() {
    let documents = Document::all();
    let count = |language: &str, words: &str| {
        let blocks = documents.iter().flat_map(|document| document.blocks.iter().map(move |block| (document, block)));
        let blocks = blocks.filter(|(_, block)| block.language == language && !block.info.is_empty());
        let reason = |document: &Document, block: &markdown::Block| {
            let place = block.place(document);
            let reason = block.info.strip_prefix(words).unwrap_or_else(|| panic!("{place}: say `{words} REASON`"));
            assert!(reason.trim().split(' ').count() > 3, "{place}: \"{reason}\" is no reason");
        };
        blocks.map(|(document, block)| reason(document, block)).count()
    };
    assert_eq!((count("sh", "not run:"), count("toml", "not checked:")), (NOT_RUN, NOT_CHECKED));
}

#[test]
fn every_block_says_what_it_is_written_in() {
    let known = ["sh", "toml", "text", "csv", "json", "perl", "rust,ignore", ""];
    for document in Document::all() {
        for block in &document.blocks {
            assert!(known.contains(&block.language.as_str()), "{}: {}", block.place(&document), block.language);
        }
    }
}

#[test]
fn the_page_of_the_words_is_what_the_lists_say() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let kept = std::fs::read_to_string(root.join("docs/RISK-WORDS.md")).expect("the page");
    let page = handoffd::policy::risk::lists::page();
    if kept != page {
        let place = root.join("target/RISK-WORDS.md");
        std::fs::write(&place, page).expect("written");
        panic!("docs/RISK-WORDS.md is not what the lists say: look at {}", place.display());
    }
}
