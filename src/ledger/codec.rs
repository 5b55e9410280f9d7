//! How values stand in columns: times as UTC milliseconds, structures as JSON, payloads deflated.
//!
//! Reading is checked. An error names the row and what is wrong with it and never repeats any of it: rows hold ticket text.

use super::error::{LedgerError, Result};
use flate2::read::{ZlibDecoder, ZlibEncoder};
use flate2::{Compression, Crc};
use jiff::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::io::Read;

/// The largest payload that is unpacked, in bytes.
const UNPACKED: u64 = 64 << 20;

pub(super) fn millis(at: Timestamp) -> i64 {
    at.as_millisecond()
}

pub(super) fn instant(millis: i64) -> Timestamp {
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::UNIX_EPOCH)
}

pub(super) fn json<T: Serialize>(what: &str, value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| unreadable(what, &described(&error)))
}

pub(super) fn from_json<T: DeserializeOwned>(what: impl FnOnce() -> String, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| unreadable(&what(), &described(&error)))
}

/// What is wrong with a JSON text, without its words.
fn described(error: &serde_json::Error) -> String {
    let what = match error.classify() {
        serde_json::error::Category::Data => "JSON of another shape",
        _ => "broken JSON",
    };
    format!("{what} at line {}, column {}", error.line(), error.column())
}

pub(super) fn unreadable(what: &str, why: &dyn std::fmt::Display) -> LedgerError {
    LedgerError::Unreadable { what: what.to_owned(), why: why.to_string() }
}

/// The sum of a text that is kept beside it: what is written to a desk is never made of letters that a disk has changed.
pub(super) fn sum(text: &str) -> i64 {
    let mut sum = Crc::new();
    sum.update(text.as_bytes());
    i64::from(sum.sum())
}

/// The same text, if its sum is the one that was kept.
pub(super) fn summed(what: impl FnOnce() -> String, text: &str, kept: i64) -> Result<&str> {
    if sum(text) == kept { Ok(text) } else { Err(unreadable(&what(), &"it is not what was written")) }
}

pub(super) fn pack(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut packed = Vec::new();
    ZlibEncoder::new(bytes, Compression::fast())
        .read_to_end(&mut packed)
        .map_err(|error| unreadable("payload", &error))?;
    Ok(packed)
}

pub(super) fn unpack(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut unpacked = Vec::new();
    let mut decoder = ZlibDecoder::new(bytes).take(UNPACKED);
    decoder.read_to_end(&mut unpacked).map_err(|error| unreadable("payload", &error))?;
    Ok(unpacked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_packed_comes_back(bytes in proptest::collection::vec(any::<u8>(), 0..600)) {
            let packed = pack(&bytes).expect("packed");
            prop_assert_eq!(unpack(&packed).expect("unpacked"), bytes);
        }

        #[test]
        fn garbage_is_an_error_or_bytes_and_never_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            if let Err(error) = unpack(&bytes) {
                prop_assert!(error.to_string().contains("payload"));
            }
        }
    }

    #[test]
    fn an_error_names_the_row_and_does_not_repeat_it() {
        let error = from_json::<u32>(|| "effect 7".into(), "\"the customer's card number\"").expect_err("no number");
        assert!(error.to_string().contains("effect 7") && !error.to_string().contains("card"), "{error}");
    }

    #[test]
    fn a_bomb_is_cut_short() {
        let packed = pack(&vec![b' '; UNPACKED as usize + 1000]).expect("packed");
        assert_eq!(unpack(&packed).expect("cut").len() as u64, UNPACKED);
    }
}
