//! Requests handed over in the same process: the transport of simulations and in-process tests.

use crate::sandbox::{Answer, Sandbox};
use bytes::Bytes;
use handoffd_kit::transport::{Bounds, Exchange, Transport, TransportError};
use http::{Request, Response};
use jiff::SignedDuration;
use std::collections::BTreeMap;

/// Carries requests to sandboxes by host, so that several desks can stand behind one transport.
#[derive(Clone, Default)]
pub struct SandboxTransport {
    hosts: BTreeMap<String, Sandbox>,
}

impl SandboxTransport {
    /// A transport to one sandbox, whatever the host.
    pub fn to(sandbox: Sandbox) -> Self {
        Self { hosts: BTreeMap::from([(String::new(), sandbox)]) }
    }

    /// Puts a sandbox behind a host name (without port).
    #[must_use]
    pub fn with(mut self, host: &str, sandbox: Sandbox) -> Self {
        self.hosts.insert(host.to_owned(), sandbox);
        self
    }

    async fn carry(&self, request: Request<Bytes>, bounds: Bounds) -> Result<Response<Bytes>, TransportError> {
        let host = request.uri().host().unwrap_or_default();
        let Some(sandbox) = self.hosts.get(host).or_else(|| self.hosts.get("")) else {
            return Err(TransportError::NotSent(format!("no helpdesk at {host}")));
        };
        let started = sandbox.clock().now();
        match sandbox.handle(request) {
            Answer::Refused => Err(TransportError::NotSent("connection refused".into())),
            Answer::Lost => Err(TransportError::Lost("connection closed before the answer".into())),
            Answer::Given { response, after } => {
                let timeout = SignedDuration::try_from(bounds.timeout).unwrap_or(SignedDuration::MAX);
                let in_time = after < timeout;
                if !after.is_zero() {
                    let until = started.saturating_add(after.min(timeout)).unwrap_or(started);
                    sandbox.clock().sleep_until(until).await;
                }
                match response.body().len() {
                    _ if !in_time => Err(TransportError::Lost("timed out".into())),
                    bytes if bytes > bounds.body_bytes => Err(TransportError::TooLarge(bounds.body_bytes)),
                    _ => Ok(response),
                }
            }
        }
    }
}

impl Transport for SandboxTransport {
    fn send(&self, request: Request<Bytes>, bounds: Bounds) -> Exchange<'_> {
        Box::pin(self.carry(request, bounds))
    }
}
