//! Texts as words that can be compared: what cannot be seen is left out, wide and joined letters are the plain ones, case is
//! folded. A letter of another script is another letter, however alike they look.

use crate::policy::fold::{folded, is_spaceless};
use regex::Regex;
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

/// Between two words of a phrase stand at most so many bytes.
const GAP_MAX: usize = 64;

/// A text as words.
pub struct Words {
    folded: String,
    all: Vec<Word>,
    /// Their places by the letter that they begin with: an entry is held against few of them.
    by_letter: BTreeMap<char, Vec<usize>>,
}

struct Word {
    range: Range<usize>,
    /// Whether it follows the word before as a phrase's next word does.
    follows: bool,
}

impl Words {
    /// Reads a text.
    pub fn of(text: &str) -> Self {
        let folded = folded(text);
        let mut all: Vec<Word> = Vec::new();
        for found in WORD.find_iter(&folded) {
            let mut start = found.start();
            for end in edges(found.as_str()).map(|edge| found.start() + edge).chain([found.end()]) {
                let before = all.last().map(|word| word.range.end);
                let follows = before.is_some_and(|before| joins(&folded[before..start]));
                all.push(Word { range: start..end, follows });
                start = end;
            }
        }
        let mut by_letter: BTreeMap<char, Vec<usize>> = BTreeMap::new();
        for (at, word) in all.iter().enumerate() {
            if let Some(letter) = folded[word.range.clone()].chars().next() {
                by_letter.entry(letter).or_default().push(at);
            }
        }
        Self { folded, all, by_letter }
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.all.len()
    }

    /// The places of the words that begin with a letter.
    pub fn beginning_with(&self, letter: char) -> &[usize] {
        self.by_letter.get(&letter).map_or(&[], Vec::as_slice)
    }

    /// The word at a place.
    pub fn word(&self, at: usize) -> Option<&str> {
        self.all.get(at).map(|word| &self.folded[word.range.clone()])
    }

    /// Whether the word at a place follows the one before it as a phrase's next word does.
    pub fn follows(&self, at: usize) -> bool {
        self.all.get(at).is_some_and(|word| word.follows)
    }

    /// The whole text, folded.
    pub fn folded(&self) -> &str {
        &self.folded
    }
}

/// The letters of a folded text that belong to no word.
pub fn besides_words(folded: &str) -> impl Iterator<Item = char> + '_ {
    WORD.split(folded).flat_map(str::chars)
}

/// Whether words with this between them are one phrase: blanks on one line or two, a hyphen, an apostrophe.
fn joins(gap: &str) -> bool {
    let fits = |letter: char| letter.is_whitespace() || matches!(letter, '-' | '‐' | '‑' | '–' | '\'' | '’' | 'ʼ');
    gap.len() <= GAP_MAX && gap.chars().all(fits) && gap.matches('\n').count() <= 1
}

/// Where a script without spaces begins or ends inside a word.
fn edges(word: &str) -> impl Iterator<Item = usize> + '_ {
    let letters = || word.char_indices();
    let pairs = letters().zip(letters().skip(1));
    pairs.filter(|((_, one), (_, two))| is_spaceless(*one) != is_spaceless(*two)).map(|(_, (at, _))| at)
}

#[expect(clippy::expect_used, reason = "a fixed expression; a test reads with it")]
static WORD: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"\w+").expect("a fixed regular expression"));
