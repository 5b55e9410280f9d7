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
    let masked = PATTERNS.logins.replace_all(&visible, "$label [key removed]");
    let masked = PATTERNS.addresses.replace_all(&masked, "$scheme[removed]@");
    let masked = PATTERNS.passwords.replace_all(&masked, "$label [removed]");
    let masked = PATTERNS.keys.replace_all(&masked, "[key removed]");
    let masked = PATTERNS.accounts.replace_all(&masked, |found: &Captures<'_>| account(&found[0]));
    let masked = PATTERNS.digits.replace_all(&masked, |found: &Captures<'_>| cards(&found[0]));
    PATTERNS.marks.replace_all(&masked, "(handoffd").into_owned()
}

/// Characters without a shape: they can hide a mark from a reader, or turn the direction of a line.
fn invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

/// An account number with its check digits, masked but for its last four; anything else that looks like one stays.
fn account(text: &str) -> String {
    let letters: Vec<char> = text.chars().filter(char::is_ascii_alphanumeric).collect();
    let (country, rest) = letters.split_at(4.min(letters.len()));
    let rotated = rest.iter().chain(country);
    let checked = rotated
        .filter_map(|letter| letter.to_digit(36))
        .fold(0, |sum: u32, value| (sum * if value > 9 { 100 } else { 10 } + value) % 97);
    if !(15..=34).contains(&letters.len()) || checked != 1 {
        return text.to_owned();
    }
    format!("[account number …{}]", letters[letters.len() - 4..].iter().collect::<String>())
}

/// A run of digits in groups, such as a card number and what stands beside it: each card number in it is masked but for its
/// last four digits, every other number stays.
fn cards(run: &str) -> String {
    let starts = run.char_indices().filter(|(at, letter)| {
        letter.is_ascii_digit() && !run[..*at].ends_with(|before: char| before.is_ascii_digit())
    });
    for (start, _) in starts {
        let digit = |(_, letter): &(usize, char)| letter.is_ascii_digit();
        let places: Vec<usize> = run[start..].char_indices().filter(digit).map(|(at, _)| start + at).collect();
        for length in (13..=19.min(places.len())).rev() {
            let end = places[length - 1] + 1;
            let whole_groups = !run[end..].starts_with(|after: char| after.is_ascii_digit());
            let digits: Vec<u32> = run[start..end].chars().filter_map(|letter| letter.to_digit(10)).collect();
            if whole_groups && is_card(&digits) {
                let last: String = run[start..end].chars().filter(char::is_ascii_digit).skip(length - 4).collect();
                return format!("{}[card number …{last}]{}", &run[..start], cards(&run[end..]));
            }
        }
    }
    run.to_owned()
}

/// By what the schemes begin with, their lengths and the check digit: an order number is none by its luck alone.
fn is_card(digits: &[u32]) -> bool {
    let begins = |count: usize| digits.iter().take(count).fold(0, |number, digit| number * 10 + digit);
    let of_a_scheme = matches!(
        (begins(1), begins(2), begins(4), digits.len()),
        (4, _, _, 13 | 16 | 19)
            | (_, 51..=55, _, 16)
            | (_, _, 2221..=2720, 16)
            | (_, 34 | 37, _, 15)
            | (_, 36 | 38 | 39, _, 14..=19)
            | (_, _, 3000..=3059, 14..=19)
            | (_, _, 3528..=3589, 16..=19)
            | (_, 50 | 56..=65 | 67, _, 13..=19)
            | (_, 81, _, 16..=19)
    );
    of_a_scheme && luhn(digits)
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
    logins: Regex,
    addresses: Regex,
    accounts: Regex,
    passwords: Regex,
    keys: Regex,
    digits: Regex,
    marks: Regex,
}

#[expect(clippy::expect_used, reason = "fixed expressions; a test cleans text with each of them")]
static PATTERNS: LazyLock<Patterns> = LazyLock::new(|| {
    let read = |pattern: &str| Regex::new(pattern).expect("a fixed regular expression");
    Patterns {
        logins: read(r"(?i)(?P<label>\b(?:bearer|basic|token))\s+[A-Za-z0-9._~+/-]{16,}=*"),
        addresses: read(r"(?i)(?P<scheme>\b[a-z][a-z0-9+.-]{1,20}://)[^\s/@:]{1,200}:[^\s/@]{1,200}@"),
        accounts: read(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"),
        // The label stays, so that a colleague sees what was left out.
        passwords: read(
            r#"(?i)(?P<label>\b(?:password|passwd|passphrase|pwd|passwort|kennwort|mot de passe|contraseña|pin code|secret|(?:[a-z0-9]+[_-])*(?:secret|password|token)(?:[_-](?:access[_-])?key)?|api[ _-]?key|token)\b\s*(?:is|was|ist|war|lautet|est|es)?\s*[:=]|\b(?:password|passwort|kennwort|passphrase)\s+(?:is|was|ist|war|lautet))\s*(?:"[^"\n]{1,200}"|'[^'\n]{1,200}'|`[^`\n]{1,200}`|\S+)"#,
        ),
        keys: read(
            r"\b(?:(?:sk|pk|rk)_(?:live|test)_[A-Za-z0-9]{8,}|A(?:KI|SI)A[0-9A-Z]{16}|AIza[0-9A-Za-z_-]{35}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,}|glpat-[A-Za-z0-9_-]{20,}|xox[abprs]-[A-Za-z0-9-]{10,}|eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*)|-----BEGIN [A-Z ]*PRIVATE KEY-----(?s:.*?)(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
        ),
        digits: read(r"\b\d(?:[ .-]?\d){12,40}\b"),
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
        assert_eq!(
            clean("4111.1111.1111.1111 12/27, 378282246310005"),
            "[card number …1111] 12/27, [card number …0005]"
        );
        assert_eq!(clean("4111 1111 1111 1111 12"), "[card number …1111] 12");
        assert_eq!(clean("99 4111 1111 1111 1111"), "99 [card number …1111]");
        assert_eq!(clean("4111111111111111 5500000000000004"), "[card number …1111] [card number …0004]");
        for other in [
            "Order 4111111111111112",
            "Order 1234567812345670 is none of a scheme",
            "Parcel 00340434161094022115",
            "call 0049 30 1234567",
            "0000000000000000",
            "INV-2026-000123",
            "2026-11-02 12:00:00.000000",
            "10.0.0.1 192.168.100.200",
        ] {
            assert_eq!(clean(other), other);
        }
    }

    #[test]
    fn account_numbers_keep_their_last_four_and_codes_that_only_look_like_them_stay() {
        assert_eq!(clean("to DE89 3704 0044 0532 0130 00 please"), "to [account number …3000] please");
        assert_eq!(clean("GB82WEST12345698765432."), "[account number …5432].");
        assert_eq!(clean("NO9386011117947"), "[account number …7947]");
        for other in ["DE89 3704 0044 0532 0130 01", "AB12 CDEF 3456", "RMA DE12ABCD3456EFGH"] {
            assert_eq!(clean(other), other);
        }
    }

    #[test]
    fn passwords_and_keys_are_left_out_visibly() {
        for (text, masked) in [
            ("my password is hunter2!", "my password is [removed]"),
            ("Passwort: geheim.123 bitte", "Passwort: [removed] bitte"),
            ("password = \"a b\"", "password = [removed]"),
            ("pwd='x y z' next", "pwd= [removed] next"),
            ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "aws_secret_access_key = [removed]"),
            ("CLIENT_SECRET=abc123", "CLIENT_SECRET= [removed]"),
            ("Authorization: Bearer abcdefghijklmnop1234", "Authorization: Bearer [key removed]"),
            ("Basic dXNlcjpwYXNzd29yZA==", "Basic [key removed]"),
            ("https://eva:hunter2@shop.example/x", "https://[removed]@shop.example/x"),
            ("ASIAIOSFODNN7EXAMPLE and AIzaSyA1234567890abcdefghijklmnopqrstuv", "[key removed] and [key removed]"),
            ("github_pat_11ABCDEFG0123456789abc", "[key removed]"),
            ("see https://shop.example:8443/a@b", "see https://shop.example:8443/a@b"),
            ("basic questions about tokens", "basic questions about tokens"),
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
