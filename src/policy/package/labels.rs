//! The words by which agents name what they write down in an internal note: "Steps tried: …", "Versucht: …".
//!
//! The English ones always count; a policy adds the words of its agents' languages (`[package.labels]`), and those come
//! first where a note shows how something is written.

use crate::policy::rules::PackagePart;
use std::collections::BTreeMap;

/// What a label names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Label {
    /// A part of the package.
    Part(PackagePart),
    /// The playbook that the first line works by.
    Playbook,
    /// The step of the playbook that was reached.
    Step,
    /// A step of a checklist that was carried out.
    Done,
    /// A step of a checklist that was carried out and did not help.
    Failed,
    /// A step of a checklist that was not carried out yet.
    Open,
}

/// Each label: its key in the policy file, and the English words for it, the usual one first.
pub const LABELS: [(&str, Label, &[&str]); 12] = {
    use PackagePart::*;
    [
        ("summary", Label::Part(Summary), &["Summary"]),
        ("reported", Label::Part(Reported), &["Reported", "The customer reported", "Customer reported"]),
        ("steps", Label::Part(Steps), &["Steps tried", "Steps", "Tried"]),
        ("artifacts", Label::Part(Artifacts), &["Attachments", "Artifacts", "Evidence"]),
        ("urgency", Label::Part(Urgency), &["Urgency", "Impact", "Urgency and account"]),
        ("question", Label::Part(Question), &["Open question", "Question"]),
        ("history", Label::Part(History), &["History"]),
        ("playbook", Label::Playbook, &["Playbook"]),
        ("step", Label::Step, &["step"]),
        ("done", Label::Done, &["done", "ok", "okay"]),
        ("failed", Label::Failed, FAILED),
        ("open", Label::Open, &["open", "to do", "not tried", "pending"]),
    ]
};

/// A step that did not help, in the words of those who tried it.
const FAILED: &[&str] = &[
    "failed",
    "failed again",
    "fails",
    "no effect",
    "no change",
    "no success",
    "no improvement",
    "no luck",
    "not ok",
    "not okay",
    "did not help",
    "didn't help",
    "did not work",
    "didn't work",
    "does not work",
    "doesn't work",
    "not working",
    "without success",
    "unsuccessful",
    "same error",
    "same problem",
    "still broken",
    "still fails",
    "still failing",
];

/// The labels of one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labels {
    added: BTreeMap<Label, Vec<String>>,
}

impl Default for Labels {
    fn default() -> Self {
        Self::new(BTreeMap::new())
    }
}

impl Labels {
    /// The English ones and these.
    pub fn new(added: BTreeMap<Label, Vec<String>>) -> Self {
        Self { added }
    }

    /// What the policy adds, for its version.
    pub fn added(&self) -> &BTreeMap<Label, Vec<String>> {
        &self.added
    }

    /// All words for a label: the policy's first, then the English ones.
    pub fn words(&self, label: Label) -> impl Iterator<Item = &str> {
        let english = LABELS.iter().find(|row| row.1 == label).map_or(&[][..], |row| row.2);
        self.added.get(&label).into_iter().flatten().map(String::as_str).chain(english.iter().copied())
    }

    /// The usual word for a label: what a note shows.
    pub fn usual(&self, label: Label) -> &str {
        self.words(label).next().unwrap_or_default()
    }

    /// What of these labels a text names, whole and whatever its case.
    pub fn named(&self, text: &str, among: impl Fn(Label) -> bool) -> Option<Label> {
        let wanted = same_words(text);
        let label =
            |row: &(&str, Label, &[&str])| among(row.1) && self.words(row.1).any(|word| same_words(word) == wanted);
        if wanted.is_empty() { None } else { LABELS.iter().find(|row| label(row)).map(|row| row.1) }
    }
}

/// The form by which two labels are the same: their words in small letters, whatever the apostrophe.
pub fn same_words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase().replace(['’', '`', '´'], "'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_known_in_any_case_in_english_and_in_the_agents_language() {
        let steps = Label::Part(PackagePart::Steps);
        let labels = Labels::new(BTreeMap::from([(steps, vec!["Bisher versucht".to_owned()])]));
        for text in ["Steps tried", "  STEPS   TRIED ", "bisher versucht", "Tried"] {
            assert_eq!(labels.named(text, |_| true), Some(steps), "{text}");
        }
        for text in ["", " ", "Steps tried so far", "versucht"] {
            assert_eq!(labels.named(text, |_| true), None, "{text}");
        }
        assert_eq!(labels.named("steps", |label| label == Label::Playbook), None);
        assert_eq!((labels.usual(steps), Labels::default().usual(steps)), ("Bisher versucht", "Steps tried"));
    }

    #[test]
    fn no_two_english_labels_are_the_same() {
        let mut words: Vec<String> = LABELS.iter().flat_map(|row| row.2).map(|word| same_words(word)).collect();
        let all = words.len();
        words.sort();
        words.dedup();
        assert_eq!(words.len(), all);
    }
}
