//! Webhooks as a type state: only a verification turns [`Unverified`] into a body that can be read.
//!
//! A connector checks the signature over the raw bytes ([`Unverified::hmac_sha256`]) or the secret in the address
//! ([`Unverified::path_token`]), gets a [`Verified`] body, and reads hints from it. A hint says "look at this
//! ticket again" and nothing else: the ticket itself is always read from the desk.

use crate::id::{TicketId, UserId};
use jiff::Timestamp;

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
pub struct Verified<'a>(&'a [u8]);

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
}

impl<'a> Verified<'a> {
    /// The body, exactly as it was signed.
    pub fn body(&self) -> &'a [u8] {
        self.0
    }
}
