//! Reads documents: their fenced blocks, each with its place, what stands in its first line, and what is said before it.

use std::path::{Path, PathBuf};

/// One document.
pub struct Document {
    /// Where it lies, from the root of the house.
    pub name: String,
    pub text: String,
    pub blocks: Vec<Block>,
}

/// One fenced block.
pub struct Block {
    pub line: usize,
    pub language: String,
    /// What stands after the language.
    pub info: String,
    pub text: String,
    /// The file that it is to be saved as.
    pub saved_as: Option<String>,
    /// Its number, where nothing but prose stands between it and the block before.
    pub number: usize,
}

impl Block {
    pub fn place(&self, document: &Document) -> String {
        format!("{}:{}", document.name, self.line)
    }
}

pub fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

impl Document {
    pub fn read(name: &str) -> Self {
        let text = std::fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { name: name.to_owned(), blocks: blocks(&text), text }
    }

    /// All that a person reads: README, changelog, `docs/`, and the pages of the connectors.
    pub fn all() -> Vec<Self> {
        let mut names = vec!["README.md".to_owned(), "CHANGELOG.md".to_owned()];
        for folder in ["docs", "connectors", "packaging"] {
            collect(&root().join(folder), &mut names);
        }
        names.sort();
        assert!(names.len() > 12, "the documents have moved: {names:?}");
        names.iter().map(|name| Self::read(name)).collect()
    }

    /// The block that is to be saved under this name.
    pub fn saved(&self, name: &str) -> &str {
        let named = |block: &&Block| block.saved_as.as_deref() == Some(name);
        &self.blocks.iter().find(named).unwrap_or_else(|| panic!("{} has no {name} to save", self.name)).text
    }
}

fn collect(folder: &Path, names: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path()) {
        if entry.is_dir() {
            collect(&entry, names);
        } else if entry.extension().is_some_and(|ending| ending == "md") {
            names.push(entry.strip_prefix(root()).expect("below the root").to_string_lossy().into_owned());
        }
    }
}

fn blocks(text: &str) -> Vec<Block> {
    let mut found: Vec<Block> = Vec::new();
    let mut open: Option<(Block, usize)> = None;
    let mut before = String::new();
    for (at, line) in text.lines().enumerate() {
        let fence = line.trim_start().strip_prefix("```");
        match (fence, open.take()) {
            (Some(info), None) => {
                let (language, rest) = info.split_once(' ').unwrap_or((info, ""));
                let block = Block {
                    line: at + 1,
                    language: language.to_owned(),
                    info: rest.trim().to_owned(),
                    text: String::new(),
                    saved_as: saved_as(&before),
                    number: found.len(),
                };
                open = Some((block, line.len() - line.trim_start().len()));
            }
            (Some(_), Some((block, _))) => {
                before.clear();
                found.push(block);
            }
            (None, Some((mut block, indent))) => {
                let inside = line.get(indent..).filter(|_| line[..indent].trim().is_empty()).unwrap_or(line);
                block.text += &format!("{inside}\n");
                open = Some((block, indent));
            }
            (None, None) => before += &format!("{line} "),
        }
    }
    assert!(open.is_none(), "a block has no end");
    found
}

/// The name after the last *as* that a colon or a comma ends, where the words before ask for something to be saved.
fn saved_as(before: &str) -> Option<String> {
    let before = before.trim_end().strip_suffix(':')?;
    let paragraph = before.rsplit(".  ").next().unwrap_or(before);
    let (words, name) = paragraph.rsplit_once("as `")?;
    let (name, rest) = name.split_once('`')?;
    let asked = words.contains("Save") || words.contains("and this");
    (asked && rest.len() < 30).then(|| name.to_owned())
}

#[test]
fn blocks_are_read_with_their_place_and_their_reason() {
    let text = "Save this as `a.toml` beside it:\n\n```toml\na = 1\n```\n\n1. x\n\n   ```sh not run: it is too long\n   b\n     c\n   ```\n";
    let found = blocks(text);
    assert_eq!(found.len(), 2);
    assert_eq!((found[0].line, found[0].saved_as.as_deref(), found[0].text.as_str()), (3, Some("a.toml"), "a = 1\n"));
    assert_eq!((found[1].language.as_str(), found[1].info.as_str()), ("sh", "not run: it is too long"));
    assert_eq!((found[1].text.as_str(), &found[1].saved_as), ("b\n  c\n", &None));
}
