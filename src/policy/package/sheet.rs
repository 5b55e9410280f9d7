//! The sheet that a package is written on: it takes each sentence once, whichever part brings it first, and keeps every
//! part within five lines.

use super::sentences::{one_line, same_form};
use crate::policy::proposal::PackageSection;
use crate::policy::rules::PackagePart;
use std::collections::{BTreeMap, HashSet};

/// Lines that a part may have, the one that says how many are left out included.
pub(super) const LINES_MAX: usize = 5;

/// Parts as they are collected.
#[derive(Default)]
pub struct Sheet {
    said: HashSet<String>,
    parts: BTreeMap<PackagePart, (Vec<String>, String)>,
}

impl Sheet {
    /// Keeps a sentence for whoever takes it now: it will stand nowhere else. False: it stands somewhere already.
    pub fn take(&mut self, sentence: &str) -> bool {
        let form = same_form(sentence);
        !form.is_empty() && self.said.insert(form)
    }

    /// Those of these sentences that stand nowhere yet, as one line; none when nothing is left.
    pub fn line_of(&mut self, sentences: &[String]) -> Option<String> {
        let new: Vec<&str> = sentences.iter().filter(|sentence| self.take(sentence)).map(String::as_str).collect();
        if new.is_empty() { None } else { Some(one_line(&new.join(" "))) }
    }

    /// Adds a line to a part, with where it came from. The line itself counts as said, so it never stands twice.
    pub fn add(&mut self, part: PackagePart, line: &str, source: &str) {
        let line = one_line(line);
        let part_lines = self.parts.entry(part).or_insert_with(|| (Vec::new(), source.to_owned()));
        if !line.is_empty() && !part_lines.0.contains(&line) {
            part_lines.0.push(line);
        }
    }

    /// Whether a part has a line.
    pub fn has(&self, part: PackagePart) -> bool {
        self.parts.get(&part).is_some_and(|(lines, _)| !lines.is_empty())
    }

    /// All seven parts in the order of the note; a part without lines is missing.
    pub fn sections(mut self, parts: &[PackagePart]) -> Vec<PackageSection> {
        let section = |part: &PackagePart| {
            let (lines, source) = self.parts.remove(part).unwrap_or_default();
            PackageSection { part: *part, lines: bounded(lines), source }
        };
        parts.iter().map(section).collect()
    }
}

fn bounded(mut lines: Vec<String>) -> Vec<String> {
    if lines.len() > LINES_MAX {
        let left = lines.len() - (LINES_MAX - 1);
        lines.truncate(LINES_MAX - 1);
        lines.push(format!("… and {left} more in the ticket"));
    }
    lines
}
