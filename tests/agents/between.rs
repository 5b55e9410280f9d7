//! Somebody who acts on a ticket in the moment before a move of ours arrives: later than our last read of it.

use bytes::Bytes;
use handoffd_kit::transport::{Bounds, Exchange, Transport};
use handoffd_sandbox::{Sandbox, SandboxTransport};
use http::{Method, Request};
use std::sync::{Arc, Mutex, PoisonError};

type Act = Box<dyn FnOnce(&Sandbox) + Send>;

/// What somebody will do right before our next move of a case arrives.
#[derive(Clone, Default)]
pub struct Meddler(Arc<Mutex<Option<Act>>>);

impl Meddler {
    /// They will do this, once.
    pub fn will(&self, act: impl FnOnce(&Sandbox) + Send + 'static) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(act));
    }

    /// Whether they still wait for a move of ours.
    pub fn waits(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    fn act(&self, sandbox: &Sandbox) {
        let act = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(act) = act {
            act(sandbox);
        }
    }
}

/// The way to the helpdesk, with somebody on it.
pub struct Between {
    pub inner: SandboxTransport,
    pub sandbox: Sandbox,
    pub meddler: Meddler,
}

impl Transport for Between {
    fn send(&self, request: Request<Bytes>, bounds: Bounds) -> Exchange<'_> {
        if moves(&request) {
            self.meddler.act(&self.sandbox);
        }
        self.inner.send(request, bounds)
    }
}

/// Whether a request sets the team of a ticket, in whichever vendor's words.
fn moves(request: &Request<Bytes>) -> bool {
    let writes = request.method() == Method::PUT || request.uri().path().ends_with("/parts");
    let body = String::from_utf8_lossy(request.body());
    writes && ["group_id", "\"Queue\"", "customfield_10050", "\"type\":\"team\""].iter().any(|word| body.contains(word))
}
