//! The socket as an argument. A connector hands a request over and gets an answer or one of two
//! failures that must never be mixed up: *not sent* is safe to repeat, *lost* may have been applied.

mod address;
mod socket;

pub use address::is_public;
pub use socket::HttpTransport;

use bytes::Bytes;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

/// The answer to one request, whenever it comes.
pub type Exchange<'a> = Pin<Box<dyn Future<Output = Result<http::Response<Bytes>, TransportError>> + Send + 'a>>;

/// Carries one HTTP request out: a socket in the daemon, the sandbox in the same process in the simulation.
pub trait Transport: Send + Sync {
    /// Sends `request`, whose URI is absolute, and reads the whole answer within `bounds`.
    fn send(&self, request: http::Request<Bytes>, bounds: Bounds) -> Exchange<'_>;
}

/// How long and how large an answer may be.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// From the first byte sent to the last byte read.
    pub timeout: Duration,
    /// The largest body that is read, in bytes after decompression.
    pub body_bytes: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { timeout: Duration::from_secs(30), body_bytes: 32 << 20 }
    }
}

/// Why there is no answer. Texts carry no query, header or body, so they may be logged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransportError {
    /// The request did not leave: no address, refused, TLS failed. Nothing happened on the other side.
    #[error("could not connect: {0}")]
    NotSent(String),
    /// The request may have arrived, the answer did not, or not whole.
    #[error("no answer: {0}")]
    Lost(String),
    /// The answer is larger than [`Bounds::body_bytes`].
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
}
