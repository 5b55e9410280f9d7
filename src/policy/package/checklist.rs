//! The first line's checklist, as agents write it: in the field that is mapped to `steps`, or under "Steps tried" in an
//! internal note.
//!
//! A line is a step if it says how it stands: by a box (`[x]`, `[ ]`, ☑, ☐), by a sign (✓, ✗), or by a word before or
//! behind it (`failed: restarted`, `restarted → no effect`). A bullet or a number before it does not matter. `[-]` and `[~]` take a
//! step out. Lines that say nothing of this kind are remarks.

use super::labels::{Label, Labels};

/// How many steps there are, and how they stand.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Checklist {
    /// All of them.
    pub total: u32,
    /// Those that were carried out, whatever came of them.
    pub done: u32,
    /// Those that were carried out and did not help.
    pub failed: u32,
}

/// How one step stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Open,
    Done,
    Failed,
}

impl Checklist {
    /// The checklist in these lines; none where no line is a step.
    pub fn read<'t>(lines: impl IntoIterator<Item = &'t str>, labels: &Labels) -> Option<Self> {
        let mut list = Self::default();
        for standing in lines.into_iter().filter_map(|line| standing(line, labels)) {
            list.total += 1;
            list.done += u32::from(standing != Standing::Open);
            list.failed += u32::from(standing == Standing::Failed);
        }
        (list.total > 0).then_some(list)
    }
}

fn standing(line: &str, labels: &Labels) -> Option<Standing> {
    let line = without_bullet(line.trim());
    let (sign, text) = match sign(line) {
        Sign::TakenOut => return None,
        Sign::Says(standing, text) => (Some(standing), text),
        Sign::None => (None, line),
    };
    match (sign, word(text, labels)) {
        // The word is the nearer look: "[x] restarted: failed".
        (Some(Standing::Open) | None, Some(said)) => Some(said),
        (Some(_), Some(Standing::Failed)) => Some(Standing::Failed),
        (sign, _) => sign,
    }
}

/// A line behind its bullet or number.
pub fn without_bullet(line: &str) -> &str {
    let bare = line.strip_prefix(['-', '*', '+', '•', '–', '·']).filter(|rest| rest.starts_with(' '));
    let numbered = || {
        let rest = line.trim_start_matches(|letter: char| letter.is_ascii_digit());
        rest.strip_prefix(['.', ')']).filter(|rest| rest.len() + 1 < line.len() && rest.starts_with(' '))
    };
    bare.or_else(numbered).unwrap_or(line).trim_start()
}

enum Sign<'t> {
    None,
    TakenOut,
    Says(Standing, &'t str),
}

/// The box or sign that a line begins with.
fn sign(line: &str) -> Sign<'_> {
    if let Some((inside, rest)) = line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return match inside.trim() {
            "" | "_" => Sign::Says(Standing::Open, rest),
            "x" | "X" | "✓" | "✔" => Sign::Says(Standing::Done, rest),
            "!" | "✗" | "✘" => Sign::Says(Standing::Failed, rest),
            "-" | "~" => Sign::TakenOut,
            _ => Sign::None,
        };
    }
    let mut letters = line.chars();
    let standing = match letters.next() {
        // Text programs tick a box with a cross.
        Some('☑' | '☒' | '✓' | '✔' | '✅') => Standing::Done,
        Some('☐' | '⬜' | '▢') => Standing::Open,
        Some('✗' | '✘' | '✖' | '❌') => Standing::Failed,
        _ => return Sign::None,
    };
    Sign::Says(standing, letters.as_str())
}

/// What a word before or behind the step says.
fn word(text: &str, labels: &Labels) -> Option<Standing> {
    let whole = |word: &str| {
        let word = word.trim_matches(|letter: char| letter.is_whitespace() || "*_.!()[]\u{fe0f}".contains(letter));
        match labels.named(word, |label| matches!(label, Label::Done | Label::Failed | Label::Open))? {
            Label::Failed => Some(Standing::Failed),
            Label::Done => Some(Standing::Done),
            _ => Some(Standing::Open),
        }
    };
    // "failed, same error": what follows the comma says more about it.
    let named = |said: &str| whole(said).or_else(|| said.split_once([',', ';']).and_then(|(word, _)| whole(word)));
    let before = text.split_once([':', '：']).and_then(|(word, _)| named(word));
    let behind = || {
        let parts = [": ", "：", "→", "->", "=>", " - ", " – ", " — ", "("];
        let last = parts.iter().filter_map(|part| text.rfind(part).map(|at| at + part.len())).max()?;
        named(&text[last..])
    };
    before.or_else(behind)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn read(text: &str) -> Option<(u32, u32, u32)> {
        let german =
            BTreeMap::from([(Label::Failed, vec!["erfolglos".into()]), (Label::Done, vec!["erledigt".into()])]);
        Checklist::read(text.lines(), &Labels::new(german)).map(|list| (list.total, list.done, list.failed))
    }

    #[test]
    fn every_way_to_tick_a_step_counts() {
        for done in [
            "[x] restarted",
            "- [X] restarted",
            "1. [✓] r",
            "☑ r",
            "✓ r",
            "* ✅ r",
            "done: r",
            "r (done)",
            "r: Erledigt.",
        ] {
            assert_eq!(read(done), Some((1, 1, 0)), "{done}");
        }
        for open in ["[ ] restarted", "- [] r", "2) ☐ r", "to do: r", "r → open", "not tried: r"] {
            assert_eq!(read(open), Some((1, 0, 0)), "{open}");
        }
        for failed in [
            "- failed: restarted",
            "[x] restarted: failed",
            "✗ r",
            "[!] r",
            "❌ r",
            "r -> no effect",
            "✓ r (did not help)",
            "[ ] failed: r",
            "r: erfolglos",
            "**Failed**: r",
            "- r – without success.",
            "Restarted: no change",
            "r: not ok",
            "r: didn't help",
            "r: didn’t help.",
            "r: failed, same error",
            "r - failed again",
            "Failed again: r",
        ] {
            assert_eq!(read(failed), Some((1, 1, 1)), "{failed}");
        }
    }

    #[test]
    fn a_list_is_counted_and_remarks_in_it_are_not() {
        let list = "As in the playbook:\n- [x] restarted\n  it took long\n- [x] reinstalled: failed\n- [ ] new cable\n- [-] skipped";
        assert_eq!(read(list), Some((3, 2, 1)));
    }

    #[test]
    fn without_a_step_there_is_no_checklist() {
        for text in [
            "",
            "- restarted\n- reinstalled",
            "[draft] text",
            "See [1]",
            "1.5 V measured",
            "It failed after that",
            "r: no changes were made",
            "r: the cable, failed",
            "[-] n/a",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn whatever_is_written_done_is_within_total_and_failed_within_done(text in r"(\[[x ✓!~-]?\]|✗|failed|:|→|- |\n|\PC){0,40}") {
            if let Some((total, done, failed)) = read(&text) {
                prop_assert!(failed <= done && done <= total && total > 0);
            }
        }
    }
}
