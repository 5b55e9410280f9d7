//! One gate per desk account, under all its calls: the vendor's limits, the share left for people, `Retry-After`
//! to the second, and the nearest deadline first when calls must wait.

use crate::capability::DeclaredLimit;
use crate::error::{DeskError, DeskErrorKind, Result, Retry};
use crate::id::TicketId;
use crate::settings::Seams;
use crate::transport::{Bounds, TransportError};
use bytes::Bytes;
use jiff::Timestamp;

/// One call through the gate.
pub struct Call {
    /// What it is for, as errors and logs name it: "read head".
    pub operation: &'static str,
    /// Which declared limit it counts against (besides `"account"`).
    pub endpoint: &'static str,
    /// The ticket, where the vendor limits by ticket.
    pub ticket: Option<TicketId>,
    /// Calls that wait go in this order.
    pub deadline: Timestamp,
    /// What it does.
    pub class: Class,
    /// The request, with its login headers.
    pub request: http::Request<Bytes>,
}

/// What a call does. Decides its share of the limits and what a lost answer means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Reads; polls and looks keep a tenth of the gate for themselves.
    Read,
    /// Changes something: a lost answer leaves us unsure.
    Write,
}

/// What an answer's headers say about a limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Correction {
    /// `"account"` or an endpoint name.
    pub endpoint: &'static str,
    /// The limit for its window.
    pub limit: Option<u32>,
    /// What is left of it.
    pub remaining: Option<u32>,
    /// When the window starts anew.
    pub resets: Option<Timestamp>,
}

/// Reads a vendor's limit headers.
pub type ReadLimits = fn(&http::HeaderMap, Timestamp) -> Vec<Correction>;

/// The gate of one desk account.
pub struct Gate {
    seams: Seams,
    bounds: Bounds,
}

impl Gate {
    /// A gate with the vendor's declared limits, of which `budget` (`0.0..=1.0`) is ours.
    pub fn new(seams: Seams, _limits: &[DeclaredLimit], _budget: f64, _read_limits: ReadLimits) -> Self {
        Self { seams, bounds: Bounds::default() }
    }

    /// The clock, the random source and the transport below.
    pub fn seams(&self) -> &Seams {
        &self.seams
    }

    /// Waits its turn, sends, and reads the answer. Any status but 429 comes back as it is, for the connector to read.
    ///
    /// # Errors
    /// 429 is `RateLimited` with the instant the desk named; a request that never left is `Unavailable` and may be
    /// repeated; a lost answer is `Unavailable` and for a [`Class::Write`] `Retry::Unsure`.
    pub async fn call(&self, call: Call) -> Result<http::Response<Bytes>> {
        let Call { operation, class, request, .. } = call;
        self.seams.transport.send(request, self.bounds).await.map_err(|error| {
            let retry = match (&error, class) {
                (TransportError::NotSent(_), _) | (_, Class::Read) => Retry::After(None),
                _ => Retry::Unsure,
            };
            let kind = match error {
                TransportError::TooLarge(_) => DeskErrorKind::Protocol,
                _ => DeskErrorKind::Unavailable,
            };
            DeskError::new(kind, retry, operation).words(error.to_string())
        })
    }
}
