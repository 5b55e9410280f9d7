//! Words of others before they stand in a note: what nobody should copy is masked, what could be taken for ours is
//! defused, what cannot be seen is left out.

use super::numbers::mask_numbers;
use super::secrets::mask_secrets;
use regex::Regex;
use std::sync::LazyLock;

/// Text of others, ready to stand in an internal note.
pub fn clean(text: &str) -> String {
    let masked = mask_numbers(&mask_secrets(&visible(text)));
    MARK.replace_all(&masked, "(handoffd").into_owned()
}

/// Text of others without what cannot be seen: a line break for all that breaks a line, a space for all that is one.
pub fn visible(text: &str) -> String {
    text.chars()
        .filter_map(|letter| match letter {
            '\r' => None,
            '\u{2028}' | '\u{2029}' | '\u{b}' | '\u{c}' => Some('\n'),
            '\t' | '\u{a0}' => Some(' '),
            '\n' => Some('\n'),
            letter if letter.is_control() || invisible(letter) => None,
            letter => Some(letter),
        })
        .collect()
}

/// Characters without a shape: they can hide a mark from a reader, or turn the direction of a line.
pub fn invisible(letter: char) -> bool {
    matches!(letter,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}'
        | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e007f}')
}

#[expect(clippy::expect_used, reason = "a fixed expression; a test cleans text with it")]
static MARK: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?i)\[\s*handoffd").expect("a fixed regular expression"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_not_be_copied_is_masked_once_it_can_be_seen() {
        assert_eq!(clean("p\u{200b}assword\u{a0}:\u{a0}hunter2"), "password : [removed]");
        assert_eq!(clean("Card 4111\r\n1111\r\n1111\r\n1111"), "Card [card number …1111]");
        assert_eq!(clean("pin=4111111111111111"), "pin= [removed]");
        let twice = clean(&clean("pw: x, card 4111 1111 1111 1111, DE89370400440532013000"));
        assert_eq!(twice, "pw: [removed] card [card number …1111], [account number …3000]");
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
