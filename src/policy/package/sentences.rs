//! Words of a message, cut into sentences: without what was quoted, greetings and signatures.

use super::courtesy::is_courtesy;
use super::mask::clean;
use super::quoted::parted;

/// Characters that one line of a package may have.
pub const LINE_MAX: usize = 240;
/// Characters of a message that are read at all.
pub const READ_MAX: usize = 20_000;

/// What a message says.
#[derive(Debug, PartialEq, Eq)]
pub struct Words {
    /// The sentences that its author wrote for this occasion.
    pub own: Vec<String>,
    /// Those that it quotes or forwards.
    pub quoted: Vec<String>,
}

/// What a message says, as far as it is read.
pub fn read(words: &str) -> Words {
    let bounded: String = words.chars().take(READ_MAX).collect();
    let text = clean(&bounded);
    let parted = parted(&text);
    let (own, quoted) = (said(&parted.own), said(&parted.quoted));
    // What begins like a signature is all there is.
    let own = if own.is_empty() && quoted.is_empty() { said(&parted.signed) } else { own };
    Words { own, quoted }
}

/// The sentences of a message that its author wrote for this occasion.
pub fn sentences(words: &str) -> Vec<String> {
    read(words).own
}

/// Whether a message is longer than what is read of it.
pub fn is_cut(words: &str) -> bool {
    words.chars().nth(READ_MAX).is_some()
}

/// The sentences in these lines but for courtesies; where they are all there is, them.
fn said(lines: &[&str]) -> Vec<String> {
    let sentences = || lines.iter().filter(|line| !is_courtesy(line)).flat_map(|line| split(line));
    let found: Vec<String> = sentences().filter(|sentence| !is_courtesy(sentence)).map(str::to_owned).collect();
    if found.is_empty() { lines.iter().flat_map(|line| split(line)).map(str::to_owned).collect() } else { found }
}

/// The form by which two sentences are the same: letters and digits, small.
pub fn same_form(sentence: &str) -> String {
    sentence.chars().filter(|letter| letter.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// One line, within its bound, visibly cut.
pub fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    match line.char_indices().nth(LINE_MAX - 1) {
        Some((end, _)) if line[end..].chars().nth(1).is_some() => format!("{}…", line[..end].trim_end()),
        _ => line,
    }
}

pub(super) fn split(line: &str) -> impl Iterator<Item = &str> {
    let mut rest = line;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        if rest.is_empty() {
            return None;
        }
        let (sentence, behind) = rest.split_at(end_of_sentence(rest));
        rest = behind;
        Some(sentence.trim_end())
    })
}

/// Whether a sentence is a question, whatever marks stand behind its own.
pub fn is_question(sentence: &str) -> bool {
    let behind = |letter: char| letter.is_whitespace() || "!.…)]}\"'“”‘’»«*_".contains(letter);
    let sentence = sentence.trim_end_matches(behind);
    // The Greek question mark is a semicolon to the eye, and mostly to the machine.
    let greek = sentence
        .chars()
        .rev()
        .nth(1)
        .is_some_and(|letter| matches!(letter, '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}'));
    sentence.ends_with(['?', '？', '؟', '\u{37e}', '⁇', '⁈', '⁉']) || greek && sentence.ends_with(';')
}

/// Behind a full stop, question or exclamation mark that is followed by space, or behind one of a script without spaces.
fn end_of_sentence(text: &str) -> usize {
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let end = at + letter.len_utf8();
        let ends = match letter {
            '。' | '！' | '？' => true,
            '!' | '?' | '؟' | '\u{37e}' => letters.peek().is_none_or(|(_, next)| next.is_whitespace()),
            // "e.g. this" and "No. 5": a short word before the stop, or a small letter or digit behind it.
            '.' => {
                letters.peek().is_none_or(|(_, next)| next.is_whitespace())
                    && begins_anew(&text[end..])
                    && !is_number_of_a_list(&text[..at])
            }
            _ => false,
        };
        if ends {
            return end;
        }
    }
    text.len()
}

/// "1. Printer fails": what stands before the stop only counts.
fn is_number_of_a_list(before: &str) -> bool {
    let number = before.len() <= 3 && before.bytes().all(|byte| byte.is_ascii_digit());
    !before.is_empty() && (number || before.len() == 1)
}

fn begins_anew(behind: &str) -> bool {
    behind.trim_start().chars().next().is_none_or(|first| !first.is_lowercase() && !first.is_numeric())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_cut_where_sentences_end() {
        assert_eq!(
            sentences(
                "Hello team,\n\nI was charged 19.99 twice. Can you refund it?\nSee e.g. invoice No. 5.\n\nThanks\n-- \nEva"
            ),
            ["I was charged 19.99 twice.", "Can you refund it?", "See e.g. invoice No. 5."]
        );
    }

    #[test]
    fn what_was_quoted_is_left_out() {
        assert_eq!(
            sentences("It still fails.\n> did you restart?\nOn Monday support wrote:\nTry again."),
            ["It still fails."]
        );
        assert_eq!(sentences("See below.\nFrom: Eva Example\nTo: us\nSent: Monday\nI pay."), ["See below."]);
        assert_eq!(sentences("I travel.\nFrom: Berlin\nTo: Bonn"), ["I travel.", "From: Berlin", "To: Bonn"]);
    }

    #[test]
    fn a_short_message_stays_whole_however_it_begins() {
        for text in [
            "Hi, cancel my order",
            "Hello, double charge 499",
            "Mit Karte doppelt bezahlt",
            "Thanks, still broken today",
            "Best price not applied",
            "Hey server is down",
            "Kind of urgent outage",
            "Thanks!",
            "Hi Anna,",
        ] {
            assert_eq!(sentences(text), [text]);
        }
        assert_eq!(
            sentences("Hi Anna,\n\nThanks, still broken today\n\nBest regards, Tom"),
            ["Thanks, still broken today"]
        );
        assert_eq!(sentences("-- \nEva"), ["Eva"]);
    }

    #[test]
    fn the_number_of_a_list_is_no_sentence() {
        assert_eq!(
            sentences("1. Printer fails.\n2. Second step works.\na. X"),
            ["1. Printer fails.", "2. Second step works.", "a. X"]
        );
        assert_eq!(sentences("It cost 5. Refund it."), ["It cost 5.", "Refund it."]);
    }

    #[test]
    fn scripts_without_spaces_have_sentences_too() {
        assert_eq!(sentences("返金してください。いつですか？"), ["返金してください。", "いつですか？"]);
    }

    #[test]
    fn a_line_is_bounded_and_says_so() {
        let line = one_line(&"ü".repeat(1_000));
        assert_eq!(line.chars().count(), LINE_MAX);
        assert!(line.ends_with('…'));
        assert_eq!(one_line(&"x".repeat(LINE_MAX)), "x".repeat(LINE_MAX));
    }
}
