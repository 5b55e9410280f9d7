//! The sheet that a package is written on: it takes each sentence once, whichever part brings it first, and keeps every
//! part within five lines.

use super::sentences::{one_line, same_form};
use crate::policy::proposal::PackageSection;
use crate::policy::rules::PackagePart;
use std::collections::{BTreeMap, HashSet};

/// Lines that a part may have, the one that says how many are left out included.
pub(super) const LINES_MAX: usize = 5;

/// What the last line of a part says that has more.
const CUT: &str = "… and ";
const IN_TICKET: &str = " more in the ticket";

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

/// At most as many lines as a part may have; the last one says how many were left out.
pub(super) fn bounded(mut lines: Vec<String>) -> Vec<String> {
    // Lines that were bounded before say already how many are missing.
    let before = lines.last().and_then(|last| last.strip_prefix(CUT)?.strip_suffix(IN_TICKET)?.parse::<usize>().ok());
    if before.is_some() {
        lines.pop();
    }
    let kept = if before.is_some() || lines.len() > LINES_MAX { LINES_MAX - 1 } else { LINES_MAX };
    let left = lines.len().saturating_sub(kept) + before.unwrap_or(0);
    lines.truncate(kept);
    if left > 0 {
        lines.push(format!("{CUT}{left}{IN_TICKET}"));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(count: usize) -> Vec<String> {
        (0..count).map(|line| line.to_string()).collect()
    }

    #[test]
    fn what_is_left_out_is_counted_also_where_it_was_bounded_before() {
        assert_eq!(bounded(lines(5)), lines(5));
        let seven = bounded(lines(7));
        assert_eq!((seven.len(), seven[4].as_str()), (5, "… and 3 more in the ticket"));
        assert_eq!(bounded(seven.clone()), seven);
        let more = bounded([lines(1), seven].concat());
        assert_eq!((more.len(), more[4].as_str()), (5, "… and 4 more in the ticket"));
    }
}
