//! JSON as vendors send it. Half a surrogate pair, as `\\ud800` without its other half, and bytes that are no UTF-8 are text
//! that somebody typed or pasted: they become U+FFFD, so that one such character does not cost a ticket, or a whole page.

use serde::de::DeserializeOwned;

/// What stands for a character that is none.
const REPLACED: &[u8] = b"\\ufffd";

/// Reads a vendor's JSON.
///
/// # Errors
/// The parser's, for what is no JSON for another reason, or not of this shape.
pub fn from_json<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(body).or_else(|error| match mended(body) {
        Some(mended) => serde_json::from_slice(&mended),
        None => Err(error),
    })
}

/// The same with every character that is none replaced; none where there is nothing to replace.
fn mended(body: &[u8]) -> Option<Vec<u8>> {
    let text = String::from_utf8_lossy(body);
    let bytes = text.as_bytes();
    let mut mended: Vec<u8> = Vec::with_capacity(bytes.len());
    let mut replaced = matches!(text, std::borrow::Cow::Owned(_));
    let mut at = 0;
    // A backslash stands in strings only, and takes the character behind it with it.
    while let Some(next) = bytes[at..].iter().position(|byte| *byte == b'\\').map(|found| at + found) {
        mended.extend_from_slice(&bytes[at..next]);
        let (length, whole) = match (unit(bytes, next), unit(bytes, next + 6)) {
            (Some(0xd800..=0xdbff), Some(0xdc00..=0xdfff)) => (12, true),
            (Some(0xd800..=0xdfff), _) => (6, false),
            (Some(_), _) => (6, true),
            (None, _) => (2, true),
        };
        let end = (next + length).min(bytes.len());
        if whole {
            mended.extend_from_slice(&bytes[next..end]);
        } else {
            mended.extend_from_slice(REPLACED);
            replaced = true;
        }
        at = end;
    }
    mended.extend_from_slice(&bytes[at..]);
    replaced.then_some(mended)
}

/// The number of an escape `\\uXXXX` that begins here.
fn unit(bytes: &[u8], at: usize) -> Option<u16> {
    let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
    let digits =
        std::str::from_utf8(digits).ok().filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
    u16::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    fn read(text: &str) -> Value {
        from_json(text.as_bytes()).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    #[test]
    fn half_a_character_becomes_a_sign_and_the_rest_stays() {
        for (sent, meant) in [
            (r#""a\ud800b""#, "a\u{fffd}b"),
            (r#""a\udc00b""#, "a\u{fffd}b"),
            (r#""\ud83d\ud83d\ude00""#, "\u{fffd}😀"),
            (r#""\ud83d\n\ude00""#, "\u{fffd}\n\u{fffd}"),
            (r#""\ud83d\ude00\uD83D""#, "😀\u{fffd}"),
            (r#""\\ud800 is four signs, \ud800 is none""#, "\\ud800 is four signs, \u{fffd} is none"),
        ] {
            assert_eq!(read(sent), json!(meant), "{sent}");
        }
    }

    #[test]
    fn one_such_character_does_not_cost_the_others_of_its_page() {
        let page = r#"{"tickets":[{"id":1,"subject":"fine \u00e9"},{"id":2,"subject":"\ud800","tags":["\udfff"]}]}"#;
        let tickets = json!([{"id": 1, "subject": "fine é"}, {"id": 2, "subject": "\u{fffd}", "tags": ["\u{fffd}"]}]);
        assert_eq!(read(page)["tickets"], tickets);
    }

    #[test]
    fn bytes_that_are_no_text_become_signs() {
        assert_eq!(from_json::<Value>(b"{\"a\":\"caf\xe9\"}").unwrap(), json!({"a": "caf\u{fffd}"}));
    }

    #[test]
    fn what_is_no_json_is_still_an_error_at_its_place() {
        for wrong in ["", "{", "<html>", r#"{"a":"\ud800"#, r#""\ud8""#, r#""\u"#, "\"\\"] {
            assert!(from_json::<Value>(wrong.as_bytes()).is_err(), "{wrong}");
        }
        assert_eq!(from_json::<Value>(b"[1,\n x]").unwrap_err().line(), 2);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_json_already_is_read_as_it_is(text in ".{0,40}", escaped in any::<bool>()) {
            let plain = Value::from(text.clone()).to_string();
            let ascii = || plain.encode_utf16().map(|unit| match u8::try_from(unit) {
                Ok(byte) if byte.is_ascii() => char::from(byte).to_string(),
                _ => format!("\\u{unit:04x}"),
            }).collect::<String>();
            let sent = if escaped { ascii() } else { plain.clone() };
            prop_assert_eq!(read(&sent), Value::from(text));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = from_json::<Value>(&bytes);
            let mut quoted = b"\"\\ud8".to_vec();
            quoted.extend(bytes);
            let _ = from_json::<Value>(&quoted);
        }
    }
}
