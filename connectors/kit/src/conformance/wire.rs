//! A transport around another that counts what passes and makes chosen requests fail: the faults of the suite come from
//! here, so that a stage need not know how to lose an answer.

use crate::transport::{Bounds, Exchange, Transport, TransportError};
use bytes::Bytes;
use futures::channel::oneshot;
use http::{Request, Response};
use serde_json::Value;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Tells requests that change something on the helpdesk from those that only read (logins count as reading).
pub type IsWrite = fn(&Request<Bytes>) -> bool;

/// Changes an answer's JSON.
pub type Edit = Arc<dyn Fn(&mut Value) + Send + Sync>;

/// The wire between a desk under test and its helpdesk. Clones share their state.
#[derive(Clone)]
pub struct Wire(Arc<Shared>);

struct Shared {
    inner: Arc<dyn Transport>,
    is_write: IsWrite,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    traffic: Traffic,
    on_reads: VecDeque<Fault>,
    on_writes: VecDeque<Fault>,
    on_all: Option<Fault>,
    edit: Option<Edit>,
    held: Option<oneshot::Sender<()>>,
}

/// How many requests passed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Requests that only read.
    pub reads: usize,
    /// Requests that change something.
    pub writes: usize,
}

/// What happens to one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It cannot be sent.
    NotSent,
    /// It gets lost on its way: the helpdesk never sees it, the caller cannot know.
    LostBefore,
    /// The helpdesk acts on it, and the answer gets lost.
    LostAfter,
    /// The helpdesk never sees it; this is answered instead.
    Answer {
        /// The status.
        status: u16,
        /// Its only headers.
        headers: Vec<(&'static str, String)>,
        /// The body.
        body: &'static str,
    },
    /// The helpdesk acts on it; this is answered instead.
    AnswerAfter {
        /// The status.
        status: u16,
        /// The body.
        body: &'static str,
    },
    /// It stops right before the helpdesk until [`Wire::release`].
    Hold,
}

impl Wire {
    /// A wire to `inner`. `is_write` knows the vendor's habits (some search by POST).
    pub fn new(inner: Arc<dyn Transport>, is_write: IsWrite) -> Self {
        Self(Arc::new(Shared { inner, is_write, state: Mutex::default() }))
    }

    /// The usual habits: everything but GET and HEAD writes, unless its path names a token to be fetched, or a search.
    pub fn by_method(request: &Request<Bytes>) -> bool {
        let reads = [http::Method::GET, http::Method::HEAD].contains(request.method());
        let path = request.uri().path();
        let asks = ["/search", "/search/jql"].iter().any(|end| path.ends_with(end));
        !reads && !path.contains("/oauth/") && !asks
    }

    /// What passed since the last time this was asked.
    pub fn take_traffic(&self) -> Traffic {
        std::mem::take(&mut self.state().traffic)
    }

    /// What happens to the next writing request that has no fault yet.
    pub fn fault_next_write(&self, fault: Fault) {
        self.state().on_writes.push_back(fault);
    }

    /// What happens to the next reading request that has no fault yet.
    pub fn fault_next_read(&self, fault: Fault) {
        self.state().on_reads.push_back(fault);
    }

    /// What happens to every request from now on, until [`Wire::mend`].
    pub fn fault_all(&self, fault: Fault) {
        self.state().on_all = Some(fault);
    }

    /// Edits the JSON of every answer from now on, until [`Wire::mend`].
    pub fn edit_answers(&self, edit: Edit) {
        self.state().edit = Some(edit);
    }

    /// Takes all faults and edits away, and lets a held request go.
    pub fn mend(&self) {
        let mut state = self.state();
        let traffic = state.traffic;
        *state = State { traffic, ..State::default() };
    }

    /// Whether a request is held.
    pub fn is_holding(&self) -> bool {
        self.state().held.is_some()
    }

    /// Lets a held request go.
    pub fn release(&self) {
        self.state().held = None;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request and takes the fault that is meant for it.
    fn meet(&self, request: &Request<Bytes>) -> Option<Fault> {
        let write = (self.0.is_write)(request);
        let mut guard = self.state();
        let state = &mut *guard;
        let (count, faults) = match write {
            true => (&mut state.traffic.writes, &mut state.on_writes),
            false => (&mut state.traffic.reads, &mut state.on_reads),
        };
        *count += 1;
        faults.pop_front().or_else(|| state.on_all.clone())
    }

    async fn pass(&self, request: Request<Bytes>, bounds: Bounds) -> Result<Response<Bytes>, TransportError> {
        let lost = || Err(TransportError::Lost("lost on purpose".into()));
        match self.meet(&request) {
            None => {}
            Some(Fault::NotSent) => return Err(TransportError::NotSent("refused on purpose".into())),
            Some(Fault::LostBefore) => return lost(),
            Some(Fault::LostAfter) => {
                self.0.inner.send(request, bounds).await?;
                return lost();
            }
            Some(Fault::Answer { status, headers, body }) => return answer(status, &headers, body),
            Some(Fault::AnswerAfter { status, body }) => {
                self.0.inner.send(request, bounds).await?;
                return answer(status, &[], body);
            }
            Some(Fault::Hold) => {
                let (release, released) = oneshot::channel();
                self.state().held = Some(release);
                // The sender is dropped, never used: both ends of waiting look the same.
                let _ = released.await;
            }
        }
        let response = self.0.inner.send(request, bounds).await?;
        let edit = self.state().edit.clone();
        Ok(match edit {
            Some(edit) => edited(response, &edit),
            None => response,
        })
    }
}

impl Transport for Wire {
    fn send(&self, request: Request<Bytes>, bounds: Bounds) -> Exchange<'_> {
        Box::pin(self.pass(request, bounds))
    }
}

fn answer(status: u16, headers: &[(&str, String)], body: &'static str) -> Result<Response<Bytes>, TransportError> {
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, value);
    }
    response.body(Bytes::from_static(body.as_bytes())).map_err(|error| TransportError::Lost(error.to_string()))
}

fn edited(response: Response<Bytes>, edit: &Edit) -> Response<Bytes> {
    response.map(|body| match serde_json::from_slice::<Value>(&body) {
        Ok(mut json) => {
            edit(&mut json);
            Bytes::from(json.to_string())
        }
        Err(_) => body,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures::executor::block_on;
    use futures::poll;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[derive(Default)]
    struct Echo(AtomicUsize);

    impl Transport for Echo {
        fn send(&self, _: Request<Bytes>, _: Bounds) -> Exchange<'_> {
            self.0.fetch_add(1, Ordering::Relaxed);
            Box::pin(std::future::ready(Ok(Response::new(Bytes::from_static(br#"{"a":1}"#)))))
        }
    }

    fn request(method: &str) -> Request<Bytes> {
        Request::builder().method(method).uri("http://desk.test/tickets").body(Bytes::new()).unwrap()
    }

    fn send(wire: &Wire, method: &str) -> Result<Bytes, TransportError> {
        block_on(wire.send(request(method), Bounds::default())).map(Response::into_body)
    }

    #[test]
    fn faults_hit_the_kind_of_request_they_are_meant_for_and_only_once() {
        let echo = Arc::new(Echo::default());
        let wire = Wire::new(echo.clone(), Wire::by_method);
        wire.fault_next_write(Fault::LostBefore);
        wire.fault_next_write(Fault::LostAfter);
        assert!(send(&wire, "GET").is_ok());
        assert!(matches!(send(&wire, "PUT"), Err(TransportError::Lost(_))));
        assert_eq!(echo.0.load(Ordering::Relaxed), 1, "lost before the helpdesk saw it");
        assert!(matches!(send(&wire, "PUT"), Err(TransportError::Lost(_))));
        assert_eq!(echo.0.load(Ordering::Relaxed), 2, "lost after the helpdesk saw it");
        assert!(send(&wire, "PUT").is_ok());
        assert_eq!(wire.take_traffic(), Traffic { reads: 1, writes: 3 });
        assert_eq!(wire.take_traffic(), Traffic::default());
    }

    #[test]
    fn a_held_request_reaches_the_helpdesk_only_once_it_is_released() {
        let echo = Arc::new(Echo::default());
        let wire = Wire::new(echo.clone(), Wire::by_method);
        wire.fault_next_write(Fault::Hold);
        block_on(async {
            let mut sending = wire.send(request("POST"), Bounds::default());
            assert!(poll!(&mut sending).is_pending());
            assert!(wire.is_holding());
            assert_eq!(echo.0.load(Ordering::Relaxed), 0);
            wire.release();
            assert!(sending.await.is_ok());
        });
        assert_eq!(echo.0.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn answers_can_be_replaced_and_edited_until_mended() {
        let wire = Wire::new(Arc::new(Echo::default()), Wire::by_method);
        wire.fault_all(Fault::Answer { status: 401, headers: vec![], body: "no" });
        assert_eq!(send(&wire, "GET").unwrap(), "no");
        assert_eq!(send(&wire, "PUT").unwrap(), "no");
        wire.mend();
        wire.edit_answers(Arc::new(|json| json["a"] = 2.into()));
        assert_eq!(send(&wire, "GET").unwrap(), r#"{"a":2}"#);
        wire.mend();
        assert_eq!(send(&wire, "GET").unwrap(), r#"{"a":1}"#);
    }
}
