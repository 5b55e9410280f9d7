//! The playbook that the first line works by, and the step it has reached: `vpn-reset, step 4`, `vpn-reset:4/7`, in the
//! field that is mapped to `playbook`, or behind "Playbook:" in an internal note.

use super::labels::{Label, Labels};
use super::mask::clean;
use super::sentences::one_line;
use regex::Regex;
use std::sync::LazyLock;

/// Which playbook, and how far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Playbook {
    /// Its id or name as it was written.
    pub id: String,
    /// The step that was reached; none: it was not said.
    pub step: Option<u32>,
}

/// Longer names are remarks.
const LONGEST: usize = 100;

/// A name, a separator, a step, perhaps of how many. A space alone is none: "KB 1234" is a name.
#[expect(clippy::expect_used, reason = "a fixed expression; a test reads with it")]
static SHORT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"^(?P<id>.*?\S)\s*[:#,/]\s*(?P<step>\d{1,4})(?:\s*(?:/|of|von|de|sur)\s*\d{1,4})?$")
        .expect("a fixed regular expression")
});

impl Playbook {
    /// What a text says.
    pub fn read(text: &str, labels: &Labels) -> Option<Self> {
        let line = clean(text.lines().map(str::trim).find(|line| !line.is_empty())?);
        let line = one_line(&line);
        if line.is_empty() || line.chars().count() > LONGEST {
            return None;
        }
        let (id, step) = with_word(&line, labels).or_else(|| short(&line)).unwrap_or((&line, None));
        let id = id.trim_end_matches(|letter: char| letter.is_whitespace() || ",;:(-–—/#.".contains(letter));
        (!id.is_empty()).then(|| Self { id: id.to_owned(), step })
    }
}

fn short(line: &str) -> Option<(&str, Option<u32>)> {
    let found = SHORT.captures(line)?;
    Some((found.name("id")?.as_str(), found.name("step")?.as_str().parse().ok()))
}

/// "vpn-reset, step 4 of 7": the last word for a step that a number follows.
fn with_word<'l>(line: &'l str, labels: &Labels) -> Option<(&'l str, Option<u32>)> {
    let words = line.split_inclusive(|letter: char| letter.is_whitespace() || ",;:(".contains(letter));
    let mut at = 0;
    let mut found = None;
    for word in words {
        let end = at + word.len();
        let bare = word.trim_end_matches(|letter: char| !letter.is_alphanumeric());
        if labels.named(bare, |label| label == Label::Step).is_some() {
            let digits =
                line[end..].trim_start_matches(|letter: char| letter.is_whitespace() || "#:.".contains(letter));
            let length = digits.bytes().take_while(u8::is_ascii_digit).count();
            found = digits[..length].parse().ok().map(|step| (&line[..at], Some(step))).or(found);
        }
        at = end;
    }
    found.filter(|(id, _)| !id.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    fn read(text: &str) -> Option<(String, Option<u32>)> {
        let labels = Labels::new(BTreeMap::from([(Label::Step, vec!["Schritt".into()])]));
        Playbook::read(text, &labels).map(|playbook| (playbook.id, playbook.step))
    }

    #[test]
    fn a_playbook_is_a_name_and_the_step_behind_it() {
        for text in [
            "vpn-reset, step 4",
            "vpn-reset: Step 4 of 7",
            "vpn-reset (step #4)",
            "vpn-reset:4",
            "vpn-reset:4/7",
            "vpn-reset #4",
            "vpn-reset, 4 of 7",
            "  vpn-reset / 4  ",
            "vpn-reset — Schritt 4",
            "\nvpn-reset, STEP: 4\nmore",
        ] {
            assert_eq!(read(text), Some(("vpn-reset".into(), Some(4))), "{text}");
        }
        for (text, id) in
            [("KB 1234", "KB 1234"), ("Reset, then call", "Reset, then call"), ("one step up", "one step up")]
        {
            assert_eq!(read(text), Some((id.into(), None)), "{text}");
        }
        assert_eq!(read("a/b, 12"), Some(("a/b".into(), Some(12))));
    }

    #[test]
    fn what_is_empty_or_a_story_is_none() {
        for text in ["", " \n ", "::", &"x".repeat(101)] {
            assert_eq!(read(text), None, "{text}");
        }
        assert_eq!(read("step 99999999999"), Some(("step 99999999999".into(), None)));
    }
}
