//! How values stand in columns: times as UTC milliseconds, structures as JSON, payloads deflated.

use super::error::{LedgerError, Result};
use flate2::Compression;
use flate2::read::{ZlibDecoder, ZlibEncoder};
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
    serde_json::to_string(value).map_err(|error| unreadable(what, &error))
}

pub(super) fn from_json<T: DeserializeOwned>(what: impl FnOnce() -> String, text: &str) -> Result<T> {
    serde_json::from_str(text).map_err(|error| unreadable(&what(), &error))
}

pub(super) fn unreadable(what: &str, why: &dyn std::fmt::Display) -> LedgerError {
    LedgerError::Unreadable { what: what.to_owned(), why: why.to_string() }
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
