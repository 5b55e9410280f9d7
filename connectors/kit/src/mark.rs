//! The mark: an effect's key where it can be read back from the desk.
//!
//! It stands as the last line of every note we write, `[handoffd <handoff>/<n> <rule>@<version>]`, and
//! its key in the vendor's own metadata where there is any. It counts only in a note of our own account:
//! the caller checks the author, this module only the form.

use serde::{Deserialize, Serialize};
use std::fmt;

/// What identifies one effect on the outside.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Mark {
    /// The handoff's id, derived from desk, ticket, rule and the change that opened the episode.
    pub handoff: String,
    /// The effect's number within its handoff, from 1.
    pub number: u32,
    /// The rule's name.
    pub rule: String,
    /// The rule's version.
    pub version: String,
}

impl Mark {
    /// The part that makes the effect unique: `<handoff>/<n>`. Fits vendors' metadata fields.
    pub fn key(&self) -> String {
        format!("{}/{}", self.handoff, self.number)
    }

    /// Reads the mark in the last line of a note that has any text in it.
    pub fn in_text(text: &str) -> Option<Mark> {
        let last = text.lines().rev().map(str::trim).find(|line| !line.is_empty())?;
        Self::parse(last)
    }

    fn parse(line: &str) -> Option<Mark> {
        let inside = line.strip_prefix("[handoffd ")?.strip_suffix(']')?;
        let (key, rest) = inside.split_once(' ')?;
        let (handoff, number) = key.rsplit_once('/')?;
        let (rule, version) = rest.rsplit_once('@')?;
        let plain = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace);
        if ![handoff, rule, version].into_iter().all(plain) {
            return None;
        }
        Some(Mark { handoff: handoff.into(), number: number.parse().ok()?, rule: rule.into(), version: version.into() })
    }
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[handoffd {} {}@{}]", self.key(), self.rule, self.version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mark_survives_being_written_and_read() {
        let mark = Mark { handoff: "h3f9".into(), number: 2, rule: "refund".into(), version: "a1b2".into() };
        assert_eq!(Mark::in_text(&format!("Some note\n\n{mark}\n \n")), Some(mark));
    }

    #[test]
    fn only_the_last_line_counts_and_only_in_its_exact_form() {
        for text in
            ["[handoffd h/1 r@v]\nquoted above", "> [handoffd h/1 r@v]", "[handoffd h/x r@v]", "[handoffd h/1 r]", ""]
        {
            assert_eq!(Mark::in_text(text), None, "{text:?}");
        }
    }
}
