//! Rooms that take signed webhooks, in the same process and by the names of their hosts: strict about what they take, and down
//! when they are told to be. Everything else goes to the helpdesks.

use bytes::Bytes;
use handoffd::alert::webhook::signature;
use handoffd_kit::clock::{Clock, ManualClock};
use handoffd_kit::transport::{Bounds, Exchange, Transport, TransportError};
use http::{Request, Response};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

/// Where rooms are: NAME.rooms.example.
const ROOMS: &str = ".rooms.example";

/// The secret of all rooms.
pub const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// An alert that a room took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    pub kind: String,
    pub ticket: String,
    pub at: Timestamp,
}

/// What the rooms have taken. Clones share it.
#[derive(Clone, Default)]
pub struct Rooms(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    down: BTreeSet<String>,
    taken: BTreeMap<String, Vec<Taken>>,
    ids: BTreeSet<(String, String)>,
    tries: usize,
}

impl Rooms {
    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Nobody answers in this room any more.
    pub fn goes_down(&self, room: &str) {
        self.with(|state| state.down.insert(room.to_owned()));
    }

    /// It is back.
    pub fn comes_back(&self, room: &str) {
        self.with(|state| state.down.remove(room));
    }

    /// What a room has taken, the oldest first.
    pub fn taken(&self, room: &str) -> Vec<Taken> {
        self.with(|state| state.taken.get(room).cloned().unwrap_or_default())
    }

    /// The tickets of which it was told.
    pub fn tickets(&self, room: &str) -> Vec<String> {
        self.taken(room).into_iter().map(|taken| taken.ticket).collect()
    }

    /// How often anybody was asked, there or not.
    pub fn tries(&self) -> usize {
        self.with(|state| state.tries)
    }

    fn take(&self, room: &str, request: &Request<Bytes>, now: Timestamp) -> Result<(), TransportError> {
        self.with(|state| {
            state.tries += 1;
            if state.down.contains(room) {
                return Err(TransportError::NotSent("nobody is there".into()));
            }
            assert_eq!(request.method(), "POST");
            let header = |name: &str| {
                let mut all = request.headers().get_all(name).iter();
                let value = all.next().unwrap_or_else(|| panic!("no header {name}")).to_str().expect("text").to_owned();
                assert!(all.next().is_none(), "the header {name} stands twice");
                value
            };
            let (id, at) = (header("webhook-id"), header("webhook-timestamp").parse::<i64>().expect("seconds"));
            assert_eq!(at, now.as_second(), "the time of this very try");
            let signed = signature([&SECRET.into()], &id, at, request.body()).expect("a signature");
            assert_eq!(header("webhook-signature"), signed);
            let body: Value = serde_json::from_slice(request.body()).expect("JSON");
            let text = |value: &Value| value.as_str().expect("text").to_owned();
            assert!(state.ids.insert((room.to_owned(), id)), "{room} was told twice: {body}");
            let taken = Taken { kind: text(&body["type"]), ticket: text(&body["data"]["ticket"]), at: now };
            state.taken.entry(room.to_owned()).or_default().push(taken);
            Ok(())
        })
    }
}

/// The rooms, and behind them the helpdesks.
pub struct Network {
    pub rooms: Rooms,
    pub desks: Arc<dyn Transport>,
    pub clock: ManualClock,
}

impl Transport for Network {
    fn send(&self, request: Request<Bytes>, bounds: Bounds) -> Exchange<'_> {
        let room = request.uri().host().and_then(|host| host.strip_suffix(ROOMS)).map(str::to_owned);
        let Some(room) = room else { return self.desks.send(request, bounds) };
        let answer = self.rooms.take(&room, &request, self.clock.now());
        Box::pin(std::future::ready(answer.map(|()| Response::new(Bytes::from_static(b"ok")))))
    }
}
