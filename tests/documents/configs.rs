//! Every block of TOML is a whole configuration, the map of a log, one policy together with the others of its page, or a part
//! of a configuration that fits into the README's.

use super::markdown::{Block, Document, root};
use handoffd::config;
use std::path::Path;
use toml::{Table, Value};

/// Pages whose blocks are one policy together. That its tests pass, and more, is held by tests/config.
const ONE_POLICY: [&str; 2] = ["docs/POLICY-GUIDE.md", "docs/TRIGGERS.md"];

fn accept(text: &str, place: &str) {
    let config = config::read(text, place, Path::new("")).unwrap_or_else(|problems| panic!("{place}\n{problems}"));
    assert!(config.warnings.is_empty(), "{place}\n{}", config.warnings);
}

/// Whether it can stand alone.
fn is_whole(block: &Block) -> bool {
    block.text.contains("[desks.") && block.text.contains("[teams.")
}

/// A part of a desk, on the page of its connector: it begins with a key and not with a table.
fn is_of_a_desk(block: &Block) -> bool {
    ["login", "webhook"].iter().any(|key| block.text.starts_with(key))
}

/// A block that is a part takes the place of what the README's policy says under the same keys.
fn fitted_in(block: &Block, document: &Document) -> String {
    let place = block.place(document);
    let base = Document::read("README.md").saved("handoffd.toml").to_owned();
    let mut base: Table = base.parse().expect("the README's policy");
    let part: Table = block.text.parse().unwrap_or_else(|error| panic!("{place}: {error}"));
    let part = if is_of_a_desk(block) {
        let connector = document.name.split('/').nth(1).unwrap_or_default();
        let desk = base["desks"]["acme"].as_table_mut().expect("a desk");
        // Logins and fields are each vendor's own.
        desk.insert("connector".to_owned(), connector.into());
        desk.insert("url".to_owned(), url(connector));
        if connector != "zendesk" {
            desk.insert("login".to_owned(), Value::Table(login(document)));
        }
        let acme = Table::from_iter([("acme".to_owned(), Value::Table(part))]);
        Table::from_iter([("desks".to_owned(), Value::Table(acme))])
    } else {
        part
    };
    lay_over(&mut base, part);
    toml::to_string(&base).expect("TOML")
}

/// The address in a connector's example: some vendors have hosts of their own alone.
fn url(connector: &str) -> Value {
    let file = root().join("connectors").join(connector).join("example.toml");
    let example: Table = std::fs::read_to_string(file).expect("an example").parse().expect("TOML");
    example["desks"]["acme"]["url"].clone()
}

/// The login that a connector's page shows first.
fn login(document: &Document) -> Table {
    let first = document.blocks.iter().find(|block| block.text.starts_with("login")).expect("a login on its page");
    let block: Table = first.text.parse().expect("TOML");
    block["login"].as_table().expect("a table").clone()
}

fn lay_over(base: &mut Table, part: Table) {
    for (key, value) in part {
        match (base.get_mut(&key), value) {
            (Some(Value::Table(inside)), Value::Table(table)) if key != "login" => lay_over(inside, table),
            (_, value) => drop(base.insert(key, value)),
        }
    }
}

#[test]
fn every_block_of_a_configuration_is_right() {
    let mut tried = 0;
    for document in Document::all().iter().filter(|document| !ONE_POLICY.contains(&document.name.as_str())) {
        let blocks = document.blocks.iter().filter(|block| block.language == "toml" && block.info.is_empty());
        for block in blocks {
            tried += 1;
            let place = block.place(document);
            if block.saved_as.as_deref() == Some("map.toml") {
                config::events::read_map(&block.text, &place).unwrap_or_else(|problems| panic!("{problems}"));
            } else if is_whole(block) {
                accept(&block.text, &place);
            } else {
                accept(&fitted_in(block, document), &place);
            }
        }
    }
    assert!(tried > 7, "only {tried} blocks were found: has their form changed?");
}

#[test]
fn the_blocks_of_a_page_that_is_one_policy_are_right_together() {
    for page in ONE_POLICY {
        let document = Document::read(page);
        let blocks = document.blocks.iter().filter(|block| block.language == "toml" && block.info.is_empty());
        accept(&blocks.map(|block| block.text.as_str()).collect::<String>(), page);
    }
}

#[test]
fn a_wrong_block_would_be_found() {
    let document = Document::read("docs/OPERATIONS.md");
    let broken = Block {
        line: 1,
        language: "toml".to_owned(),
        info: String::new(),
        text: "[web]\nsessoin = \"12h\"\n".to_owned(),
        saved_as: None,
        number: 0,
    };
    let problems = config::read(&fitted_in(&broken, &document), "x", Path::new("")).expect_err("a wrong key");
    assert!(problems.to_string().contains("sessoin"), "{problems}");
}
