//! One entry of a list: a word or a phrase, with a star at its end for any ending.

use super::text::{Words, besides_words};
use crate::policy::fold::{folded, is_spaceless};

/// Characters that an entry may have.
const LENGTH_MAX: usize = 80;
/// A beginning of fewer letters is the beginning of too much.
const BEGINNING_MIN: usize = 3;

/// A word or a phrase.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    written: String,
    words: Vec<String>,
    /// Whether its last word may go on.
    open: bool,
    /// Whether it is of a script without spaces, so that it may stand inside of anything.
    inside: bool,
}

impl Entry {
    /// Reads an entry.
    ///
    /// # Errors
    /// In words: why it can match nothing, or too much.
    pub fn read(text: &str) -> Result<Self, String> {
        let written = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if written.chars().count() > LENGTH_MAX {
            return Err(format!("it is longer than {LENGTH_MAX} characters"));
        }
        let (plain, open) = written.strip_suffix('*').map_or((written.as_str(), false), |plain| (plain, true));
        let form = folded(plain);
        if let Some(letter) = besides_words(&form).find(|letter| !" -‐‑–'’ʼ".contains(*letter)) {
            return Err(match letter {
                '*' => "a star stands at its end alone, for any ending".to_owned(),
                letter => format!("it has `{letter}` in it, and words have letters and digits"),
            });
        }
        let words = Words::of(plain);
        let all: Vec<String> = (0..words.len()).filter_map(|at| words.word(at)).map(str::to_owned).collect();
        let Some(last) = all.last() else { return Err("there is no word in it".to_owned()) };
        if open && (last.chars().count() < BEGINNING_MIN || plain.ends_with(|letter: char| !letter.is_alphanumeric())) {
            return Err(format!("a star follows at least {BEGINNING_MIN} letters"));
        }
        let inside = all.iter().all(|word| word.chars().all(is_spaceless));
        if !inside && form.chars().any(is_spaceless) {
            return Err("it mixes a script without spaces with another: write two entries".to_owned());
        }
        Ok(Self { written, words: all, open, inside })
    }

    /// As it is written in its list.
    pub fn written(&self) -> &str {
        &self.written
    }

    /// Whether both match the same.
    pub fn is_same(&self, other: &Self) -> bool {
        (&self.words, self.open) == (&other.words, other.open)
    }

    /// Whether it stands wherever the other one does.
    pub fn covers(&self, other: &Self) -> bool {
        if self.inside && other.inside {
            return other.words.concat().contains(&self.words.concat());
        }
        let count = self.words.len();
        let mut windows = other.words.windows(count).enumerate();
        windows.any(|(at, window)| {
            let ends = at + count == other.words.len();
            let mut all = self.words.iter().zip(window).enumerate();
            all.all(|(nth, (own, theirs))| match nth + 1 == count {
                true if self.open => theirs.starts_with(own.as_str()),
                last => own == theirs && !(last && ends && other.open),
            })
        })
    }

    /// Whether it stands in these words.
    pub fn stands_in(&self, words: &Words) -> bool {
        if self.inside {
            return words.folded().contains(&self.words.concat());
        }
        let first = self.words.first().and_then(|word| word.chars().next());
        first.is_some_and(|letter| words.beginning_with(letter).iter().any(|at| self.stands_at(words, *at)))
    }

    /// Whether it stands there from this word on.
    fn stands_at(&self, words: &Words, at: usize) -> bool {
        self.words.iter().enumerate().all(|(nth, own)| {
            let goes_on = self.open && nth + 1 == self.words.len();
            let fits = |word: &str| if goes_on { word.starts_with(own.as_str()) } else { word == own };
            (nth == 0 || words.follows(at + nth)) && words.word(at + nth).is_some_and(fits)
        })
    }
}
