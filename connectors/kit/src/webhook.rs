//! Webhooks as a type state: only a verification turns [`Unverified`] into a body that can be read.
//!
//! A connector checks the signature over the raw bytes ([`Unverified::hmac_sha256`]) and that it is fresh
//! ([`Verified::within`]), or the secret in the address ([`Unverified::path_token`]) or in a header
//! ([`Unverified::header_token`]), gets a [`Verified`] body, and
//! reads hints from it. A hint says "look at this ticket again" and nothing else: the ticket itself is always read
//! from the desk.

use crate::id::{TicketId, UserId};
use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use jiff::{SignedDuration, Timestamp};
use secrecy::{ExposeSecret, SecretString};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// How far a time stamp may lie from our clock, either way, where the vendor says nothing better.
pub const WINDOW: SignedDuration = SignedDuration::from_mins(5);

/// How old a delivery may be whose time stands in its signed body, where vendors deliver again for hours.
pub const WINDOW_OF_BODIES: SignedDuration = SignedDuration::from_hours(24);

/// Longer ids of a delivery are no vendor's.
pub const LONGEST_ID: usize = 200;

/// A request as it came in. Its body is private: verify first.
pub struct Unverified<'a> {
    /// The request's headers.
    pub headers: &'a http::HeaderMap,
    /// What followed `/hooks/{desk}/` in the address, if anything.
    pub path: Option<&'a str>,
    /// When it arrived.
    pub received: Timestamp,
    body: &'a [u8],
}

/// A body whose sender is proven.
#[derive(Clone, Copy)]
pub struct Verified<'a> {
    body: &'a [u8],
    received: Timestamp,
}

/// What a verified webhook says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// The vendor's id of this delivery, to recognise repeats; none where the vendor has none.
    pub id: Option<String>,
    /// Tickets to look at.
    pub hints: Vec<Hint>,
}

/// "Look at this ticket again."
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Which ticket.
    pub ticket: TicketId,
    /// Who caused it, where the webhook says.
    pub actor: Option<UserId>,
}

/// Why a webhook was refused. The text goes to logs and metrics, never back to the sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
pub enum Refusal {
    /// No signature, time stamp or token where one is needed.
    #[error("unsigned")]
    Unsigned,
    /// The signature or token is wrong.
    #[error("forged")]
    Forged,
    /// The time stamp lies outside the window.
    #[error("stale")]
    Stale,
    /// Verified, but not what the vendor documents.
    #[error("malformed")]
    Malformed,
    /// The desk has no webhook configured.
    #[error("not configured")]
    NotConfigured,
}

impl<'a> Unverified<'a> {
    /// Wraps a request.
    pub fn new(headers: &'a http::HeaderMap, path: Option<&'a str>, body: &'a [u8], received: Timestamp) -> Self {
        Self { headers, path, received, body }
    }

    /// The body's length in bytes: all that may be known of it before it is verified.
    pub fn body_bytes(&self) -> usize {
        self.body.len()
    }

    /// A header that the verification needs.
    ///
    /// # Errors
    /// `Unsigned` when it is missing, empty, not plain text, or there twice (which of them was signed?).
    pub fn header(&self, name: &str) -> Result<&'a str, Refusal> {
        let mut values = self.headers.get_all(name).iter();
        match (values.next(), values.next()) {
            (Some(value), None) => {
                value.to_str().map(str::trim).ok().filter(|text| !text.is_empty()).ok_or(Refusal::Unsigned)
            }
            _ => Err(Refusal::Unsigned),
        }
    }

    /// Verifies an HMAC-SHA256 over `signed_prefix` (for most vendors the text of the time stamp, sometimes empty)
    /// followed by the raw body, in constant time. Follow it with [`Verified::within`] where there is a time stamp.
    ///
    /// # Errors
    /// `Forged` when `signature` (raw bytes, see [`from_base64`] and [`from_hex`]) is not the whole and right one;
    /// `NotConfigured` when the secret is empty, which would let anybody sign.
    pub fn hmac_sha256(
        &self,
        secret: &SecretString,
        signed_prefix: &[u8],
        signature: &[u8],
    ) -> Result<Verified<'a>, Refusal> {
        self.signed(Hmac::<Sha256>::new_from_slice(known(secret)?.as_bytes()), signed_prefix, signature)
    }

    /// The same with HMAC-SHA1 over the raw body alone, for vendors that still sign so: as a keyed signature it holds, and
    /// it tells nothing of when the request was signed.
    ///
    /// # Errors
    /// As [`Unverified::hmac_sha256`].
    pub fn hmac_sha1(&self, secret: &SecretString, signature: &[u8]) -> Result<Verified<'a>, Refusal> {
        self.signed(Hmac::<Sha1>::new_from_slice(known(secret)?.as_bytes()), b"", signature)
    }

    fn signed<M: Mac, E>(&self, mac: Result<M, E>, prefix: &[u8], signature: &[u8]) -> Result<Verified<'a>, Refusal> {
        let mut mac = mac.map_err(|_| Refusal::NotConfigured)?;
        mac.update(prefix);
        mac.update(self.body);
        mac.verify_slice(signature).map_err(|_| Refusal::Forged)?;
        Ok(self.verified())
    }

    /// Verifies the secret that followed `/hooks/{desk}/` in the address, in constant time and without telling its
    /// length. It proves that the sender was told the address, not that the body is as it was sent.
    ///
    /// # Errors
    /// `Unsigned` when nothing followed, `Forged` when it is another, `NotConfigured` when the secret is empty.
    pub fn path_token(&self, secret: &SecretString) -> Result<Verified<'a>, Refusal> {
        self.token(secret, self.path.filter(|path| !path.is_empty()).ok_or(Refusal::Unsigned))
    }

    /// The same with the secret that stands in a header of the request. It proves that the sender was told the secret, not
    /// that the body is as it was sent.
    ///
    /// # Errors
    /// As for [`Unverified::path_token`]; `Unsigned` also where the header is there twice.
    pub fn header_token(&self, secret: &SecretString, name: &str) -> Result<Verified<'a>, Refusal> {
        self.token(secret, self.header(name))
    }

    fn token(&self, secret: &SecretString, given: Result<&str, Refusal>) -> Result<Verified<'a>, Refusal> {
        let expected = Sha256::digest(known(secret)?.as_bytes());
        let same = Sha256::digest(given?.as_bytes()).as_slice().ct_eq(expected.as_slice());
        if same.into() { Ok(self.verified()) } else { Err(Refusal::Forged) }
    }

    fn verified(&self) -> Verified<'a> {
        Verified { body: self.body, received: self.received }
    }
}

impl<'a> Verified<'a> {
    /// The body, exactly as it was signed.
    pub fn body(&self) -> &'a [u8] {
        self.body
    }

    /// Checks that the signed time stamp lies within `window` of its arrival, before or after ([`WINDOW`] where the
    /// vendor says nothing). Pass the text that was signed: RFC 3339, or Unix time in seconds or milliseconds.
    ///
    /// # Errors
    /// `Stale` outside the window, `Malformed` when it is no time.
    pub fn within(self, stamp: &str, window: SignedDuration) -> Result<Self, Refusal> {
        let signed = read_stamp(stamp).ok_or(Refusal::Malformed)?;
        let distance = self.received.duration_since(signed).abs();
        if distance <= window { Ok(self) } else { Err(Refusal::Stale) }
    }
}

/// The bytes of a signature written in base64 with its padding.
///
/// # Errors
/// `Forged` when it is not.
pub fn from_base64(signature: &str) -> Result<Vec<u8>, Refusal> {
    base64::engine::general_purpose::STANDARD.decode(signature).map_err(|_| Refusal::Forged)
}

/// The bytes of a signature written in hexadecimal digits of either case.
///
/// # Errors
/// `Forged` when it is not.
pub fn from_hex(signature: &str) -> Result<Vec<u8>, Refusal> {
    hex::decode(signature).map_err(|_| Refusal::Forged)
}

fn known(secret: &SecretString) -> Result<&str, Refusal> {
    Some(secret.expose_secret()).filter(|text| !text.is_empty()).ok_or(Refusal::NotConfigured)
}

fn read_stamp(text: &str) -> Option<Timestamp> {
    // As seconds, this is the year 5138: whatever is larger counts milliseconds.
    const LARGEST_SECOND: i64 = 100_000_000_000;
    match text.trim().parse::<i64>() {
        Ok(seconds) if seconds.checked_abs()? < LARGEST_SECOND => Timestamp::from_second(seconds).ok(),
        Ok(milliseconds) => Timestamp::from_millisecond(milliseconds).ok(),
        Err(_) => text.trim().parse().ok(),
    }
}

/// For tests that play the sender.
#[cfg(test)]
pub(crate) mod testing {
    use super::*;

    /// The signature of `signed` under `secret`.
    pub(crate) fn sign(secret: &str, signed: &[u8]) -> Vec<u8> {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).unwrap();
        mac.update(signed);
        mac.finalize().into_bytes().to_vec()
    }
}

#[cfg(test)]
mod tests;
