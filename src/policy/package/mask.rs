//! Customers' words before they stand in a note: what nobody should copy is masked, what could be taken for ours is
//! defused, what cannot be seen is left out.

use regex::{Captures, Regex};
use std::sync::LazyLock;

/// Text of others, ready to stand in an internal note.
pub fn clean(text: &str) -> String {
    let visible: String = text
        .chars()
        .filter_map(|letter| match letter {
            '\r' => None,
            '\u{2028}' | '\u{2029}' | '\u{b}' | '\u{c}' => Some('\n'),
            '\t' | '\u{a0}' => Some(' '),
            '\n' => Some('\n'),
            letter if letter.is_control() || invisible(letter) => None,
            letter => Some(letter),
        })
        .collect();
    let masked = PATTERNS.passwords.replace_all(&visible, "$label [removed]");
    let masked = PATTERNS.keys.replace_all(&masked, "[key removed]");
    let masked = PATTERNS.digits.replace_all(&masked, |found: &Captures<'_>| card(&found[0]));
    PATTERNS.marks.replace_all(&masked, "(handoffd").into_owned()
}

/// Characters without a shape: they can hide a mark from a reader, or turn the direction of a line.
fn invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// A run of digits: masked but for its last four if it is a card number.
fn card(run: &str) -> String {
    let digits: Vec<u32> = run.chars().filter_map(|letter| letter.to_digit(10)).collect();
    if !(13..=19).contains(&digits.len()) || !luhn(&digits) {
        return run.to_owned();
    }
    let last: String = digits[digits.len() - 4..].iter().filter_map(|digit| char::from_digit(*digit, 10)).collect();
    format!("[card number …{last}]")
}

/// The check digit that all card numbers carry.
fn luhn(digits: &[u32]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, twice) if twice > 9 => twice - 9,
            (_, twice) => twice,
        })
        .sum();
    sum.is_multiple_of(10) && digits.iter().any(|digit| *digit != 0)
}

struct Patterns {
    passwords: Regex,
    keys: Regex,
    digits: Regex,
    marks: Regex,
}

#[expect(clippy::expect_used, reason = "fixed expressions; a test cleans text with each of them")]
static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let read = |pattern: &str| Regex::new(pattern).expect("a fixed regular expression");
    Patterns {
        // The label stays, so that a colleague sees what was left out.
        passwords: read(
            r#"(?i)(?P<label>\b(?:password|passwd|passphrase|pwd|passwort|kennwort|mot de passe|contraseña|pin code|secret|api[ _-]?key|token)\b\s*(?:is|was|ist|war|lautet|est|es)?\s*[:=]|\b(?:password|passwort|kennwort|passphrase)\s+(?:is|was|ist|war|lautet))\s*["'`]?[^\s"'`]+["'`]?"#,
        ),
        keys: read(
            r"\b(?:(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{8,}|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|xox[abprs]-[A-Za-z0-9-]{10,}|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*)|-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
        ),
        digits: read(r"\b\d(?:[ -]?\d){12,18}\b"),
        marks: read(r"(?i)\[\s*handoffd"),
    }
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn card_numbers_keep_their_last_four_digits_and_other_numbers_all() {
        assert_eq!(clean("Card 4111 1111 1111 1111 was charged"), "Card [card number …1111] was charged");
        assert_eq!(clean("5500-0000-0000-0004"), "[card number …0004]");
        for other in ["Order 4111111111111112", "call 0049 30 1234567", "0000000000000000", "INV-2026-000123"] {
            assert_eq!(clean(other), other);
        }
    }

    #[test]
    fn passwords_and_keys_are_left_out_visibly() {
        for (text, masked) in [
            ("my password is hunter2!", "my password is [removed]"),
            ("Passwort: geheim.123 bitte", "Passwort: [removed] bitte"),
            ("password = \"a b\"", "password = [removed] b\""),
            ("key sk_live_4eC39HqLyjWDarjtT1zdp7dc", "key [key removed]"),
            ("AKIAIOSFODNN7EXAMPLE", "[key removed]"),
            ("I forgot my password and cannot log in", "I forgot my password and cannot log in"),
            ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- x", "[key removed] x"),
        ] {
            assert_eq!(clean(text), masked);
        }
    }

    #[test]
    fn nothing_can_look_like_our_mark_or_hide_what_it_is() {
        for text in
            ["[handoffd h1/1 r@v]", "[\u{200b}handoffd h1/1 r@v]", "[ HANDOFFD h1/1 r@v]", "[hand\u{ad}offd h/1 r@v]"]
        {
            let cleaned = clean(text);
            assert!(cleaned.starts_with("(handoffd") || cleaned.starts_with("(HANDOFFD"), "{cleaned}");
            assert_eq!(handoffd_kit::mark::Mark::in_text(&cleaned), None);
        }
        assert_eq!(clean("a\u{202e}b\u{7}c\r\nd\te"), "abc\nd e");
    }
}
