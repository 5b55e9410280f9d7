//! The gate as a whole, on a clock that stands still until it is moved, over a transport that answers as scripted.

use super::*;
use crate::clock::{Clock, ManualClock};
use crate::random::Random;
use crate::transport::{Exchange, Transport};
use futures::channel::oneshot;
use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;
use http::{HeaderMap, Request};
use proptest::prelude::*;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

struct Dice;

impl Random for Dice {
    fn bits(&self) -> u64 {
        4
    }
}

type Reply = std::result::Result<Response<Bytes>, TransportError>;

/// Answers 200 when nothing else was scripted; remembers when each path was asked for.
struct Script {
    clock: ManualClock,
    replies: Mutex<VecDeque<Reply>>,
    held: Mutex<VecDeque<oneshot::Receiver<()>>>,
    sent: Mutex<Vec<(Timestamp, String)>>,
}

impl Transport for Script {
    fn send(&self, request: Request<Bytes>, _: Bounds) -> Exchange<'_> {
        self.sent.lock().unwrap().push((self.clock.now(), request.uri().path()[1..].to_owned()));
        let reply = self.replies.lock().unwrap().pop_front().unwrap_or_else(|| Ok(Response::new(Bytes::new())));
        let held = self.held.lock().unwrap().pop_front();
        Box::pin(async move {
            if let Some(held) = held {
                let _ = held.await;
            }
            reply
        })
    }
}

/// A call's name, and its status or error.
type Ended = (String, Result<u16>);

/// A gate, its clock, and what became of the calls.
struct Room {
    gate: Rc<Gate>,
    clock: ManualClock,
    script: Arc<Script>,
    pool: LocalPool,
    ended: Rc<RefCell<Vec<Ended>>>,
}

fn start() -> Timestamp {
    "2026-05-03T10:00:00Z".parse().unwrap()
}

fn second(second: i64) -> Timestamp {
    window::later(start(), SignedDuration::from_secs(second))
}

fn limit(endpoint: &'static str, calls: u32, seconds: u64) -> DeclaredLimit {
    DeclaredLimit { endpoint, calls, per: Duration::from_secs(seconds), per_ticket: false }
}

fn account_header(headers: &HeaderMap, now: Timestamp) -> Vec<Correction> {
    let number = |name| headers.get(name)?.to_str().ok()?.parse().ok();
    let resets = number("resets").map(|span: u32| window::later(now, SignedDuration::from_secs(span.into())));
    let said = Correction { endpoint: "account", limit: number("limit"), remaining: number("remaining"), resets };
    said.remaining.map(|_| said).into_iter().collect()
}

impl Room {
    fn new(limits: &[DeclaredLimit], budget: f64) -> Self {
        let clock = ManualClock::new(start());
        let script = Arc::new(Script {
            clock: clock.clone(),
            replies: Mutex::default(),
            held: Mutex::default(),
            sent: Mutex::default(),
        });
        let seams = Seams { clock: Arc::new(clock.clone()), random: Arc::new(Dice), transport: script.clone() };
        let gate = Rc::new(Gate::new(seams, limits, budget, account_header));
        Self { gate, clock, script, pool: LocalPool::new(), ended: Rc::default() }
    }

    fn concurrency(mut self, calls: usize) -> Self {
        self.gate = Rc::new(Rc::into_inner(self.gate).unwrap().concurrency(calls));
        self
    }

    fn reply(&self, status: u16, headers: &[(&str, &str)]) {
        let mut reply = Response::builder().status(status);
        for (name, value) in headers {
            reply = reply.header(*name, *value);
        }
        self.script.replies.lock().unwrap().push_back(Ok(reply.body(Bytes::new()).unwrap()));
    }

    fn hold(&self) -> oneshot::Sender<()> {
        let (release, held) = oneshot::channel();
        self.script.held.lock().unwrap().push_back(held);
        release
    }

    /// A call that anybody can tell by its name, as a future of its own; dropping the handle cancels it.
    fn call(&self, name: &str, call: Shape) -> futures::future::RemoteHandle<()> {
        let Shape { endpoint, class, ticket, deadline } = call;
        let request = Request::get(format!("https://desk.test/{name}?token=hush")).body(Bytes::new()).unwrap();
        let begins = (class == Class::Write).then(|| name.to_owned());
        let call = Call { operation: "try", endpoint, ticket, deadline: second(deadline), class, begins, request };
        let (gate, ended, name) = (self.gate.clone(), self.ended.clone(), name.to_owned());
        let work = async move {
            let answer = gate.call(call).await.map(|response| response.status().as_u16());
            ended.borrow_mut().push((name, answer));
        };
        self.pool.spawner().spawn_local_with_handle(work).unwrap()
    }

    fn start(&self, name: &str, call: Shape) {
        self.call(name, call).forget();
    }

    fn settle(&mut self) {
        self.pool.run_until_stalled();
    }

    fn at(&mut self, seconds: i64) {
        self.clock.set(second(seconds));
        self.settle();
    }

    /// Moves the clock from wait to wait until nobody waits.
    fn run_out(&mut self) {
        self.settle();
        while let Some(at) = self.clock.next_wait() {
            self.clock.set(at);
            self.settle();
        }
    }

    fn sent(&self) -> Vec<String> {
        self.script.sent.lock().unwrap().iter().map(|(_, name)| name.clone()).collect()
    }

    fn answer(&self, name: &str) -> Option<Result<u16>> {
        self.ended.borrow().iter().find(|(ended, _)| ended == name).map(|(_, answer)| answer.clone())
    }
}

/// What matters of a call here.
#[derive(Clone, Debug)]
struct Shape {
    endpoint: &'static str,
    class: Class,
    ticket: Option<TicketId>,
    deadline: i64,
}

fn read(deadline: i64) -> Shape {
    Shape { endpoint: "look", class: Class::Read, ticket: None, deadline }
}

fn write(deadline: i64) -> Shape {
    Shape { endpoint: "update", class: Class::Write, ticket: None, deadline }
}

#[test]
fn calls_that_must_wait_go_by_deadline_as_the_limit_allows() {
    let mut room = Room::new(&[limit("account", 1, 60)], 1.0);
    for (name, deadline) in [("first", 900), ("late", 800), ("soon", 100), ("middle", 400)] {
        room.start(name, read(deadline));
    }
    room.settle();
    assert_eq!(room.sent(), ["first"]);
    room.at(59);
    assert_eq!(room.sent(), ["first"]);
    room.at(60);
    assert_eq!(room.sent(), ["first", "soon"]);
    room.run_out();
    assert_eq!(room.sent(), ["first", "soon", "middle", "late"]);
    assert_eq!(room.clock.now(), second(180));
}

#[test]
fn a_full_endpoint_holds_nobody_else_back() {
    let mut room = Room::new(&[limit("account", 100, 60), limit("update", 1, 60)], 1.0);
    room.start("a", write(10));
    room.start("b", write(20));
    room.start("c", read(900));
    room.settle();
    assert_eq!(room.sent(), ["a", "c"]);
}

#[test]
fn retry_after_is_obeyed_to_the_second_by_everybody() {
    let mut room = Room::new(&[limit("account", 100, 60), limit("update", 50, 60)], 1.0);
    room.reply(429, &[("retry-after", "93")]);
    room.start("refused", write(10));
    room.settle();
    let error = room.answer("refused").unwrap().unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::RateLimited, Retry::After(Some(second(93)))));
    room.start("other", write(20));
    room.start("elsewhere", read(900));
    room.settle();
    assert_eq!(room.sent(), ["refused", "elsewhere"]);
    room.at(92);
    assert_eq!(room.sent().len(), 2);
    room.at(93);
    assert_eq!(room.sent()[2], "other");
    assert_eq!(room.gate.figures().refused, 1);
}

#[test]
fn a_503_with_a_date_closes_too_and_reaches_the_connector() {
    let mut room = Room::new(&[limit("account", 100, 60)], 1.0);
    room.reply(503, &[("retry-after", "Sun, 03 May 2026 10:02:00 GMT")]);
    room.start("down", read(10));
    room.settle();
    assert_eq!(room.answer("down").unwrap().unwrap(), 503);
    room.start("next", read(10));
    room.settle();
    assert_eq!(room.gate.figures().closed, [("account", None, second(120))]);
    room.run_out();
    assert_eq!(room.clock.now(), second(120));
    assert_eq!(room.answer("next").unwrap().unwrap(), 200);
    assert!(room.gate.figures().closed.is_empty());
}

#[test]
fn a_429_that_names_no_instant_takes_the_reset_or_ten_seconds() {
    let mut room = Room::new(&[limit("account", 100, 60)], 1.0);
    room.reply(429, &[]);
    room.reply(429, &[("remaining", "0"), ("resets", "37")]);
    room.start("first", read(10));
    room.settle();
    assert_eq!(room.answer("first").unwrap().unwrap_err().retry, Retry::After(Some(second(10))));
    room.start("second", read(10));
    room.at(10);
    assert_eq!(room.answer("second").unwrap().unwrap_err().retry, Retry::After(Some(second(47))));
}

#[test]
fn a_refused_ticket_stops_its_own_calls_only() {
    let mut by_ticket = limit("update", 30, 600);
    by_ticket.per_ticket = true;
    let mut room = Room::new(&[limit("account", 100, 60), by_ticket], 1.0);
    let ticket = |id: &str| Shape { ticket: Some(id.into()), ..write(10) };
    room.reply(429, &[("retry-after", "93")]);
    for (name, id) in [("a", "1"), ("b", "1"), ("c", "2")] {
        room.start(name, ticket(id));
        room.settle();
    }
    assert_eq!(room.sent(), ["a", "c"]);
    room.at(93);
    assert_eq!(room.sent(), ["a", "c", "b"]);
}

#[test]
fn only_so_many_calls_are_in_flight_at_once() {
    let mut room = Room::new(&[], 1.0).concurrency(2);
    let (first, second) = (room.hold(), room.hold());
    for (name, deadline) in [("a", 1), ("b", 2), ("late", 900), ("soon", 100)] {
        room.start(name, read(deadline));
    }
    room.settle();
    assert_eq!(room.sent(), ["a", "b"]);
    assert_eq!((room.gate.figures().in_flight, room.gate.figures().waiting), (2, 2));
    drop(second);
    room.settle();
    assert_eq!(room.sent(), ["a", "b", "soon", "late"]);
    drop(first);
    room.settle();
    assert_eq!(room.gate.figures().in_flight, 0);
}

#[test]
fn dropped_calls_leave_the_queue_and_give_their_slot_and_place_back() {
    let mut room = Room::new(&[limit("account", 2, 60)], 1.0).concurrency(1);
    let _held = room.hold();
    let in_flight = room.call("going", read(1));
    let waiting = room.call("waiting", read(2));
    room.settle();
    drop(waiting);
    room.settle();
    assert_eq!(room.gate.figures().waiting, 0);
    drop(in_flight);
    room.start("next", read(3));
    room.settle();
    assert_eq!(room.sent(), ["going", "next"]);
}

#[test]
fn a_call_whose_turn_comes_too_late_is_not_sent_and_takes_nobodys_place() {
    let mut room = Room::new(&[limit("account", 1, 60)], 1.0);
    room.start("first", read(0));
    room.settle();
    let request = Request::get("https://desk.test/late").body(Bytes::new()).unwrap();
    let (operation, endpoint, class) = ("try", "update", Class::Write);
    let call = Call { operation, endpoint, ticket: None, deadline: second(1), class, begins: None, request };
    let gate = room.gate.clone();
    let late =
        room.pool.spawner().spawn_local_with_handle(async move { gate.call_by(call, second(10)).await }).unwrap();
    room.start("next", read(900));
    room.settle();
    room.at(60);
    let error = room.pool.run_until(late).unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::Unavailable, Retry::After(None)));
    room.settle();
    assert_eq!(room.sent(), ["first", "next"]);
}

#[test]
fn a_write_that_is_held_back_while_it_waits_is_not_sent_and_everything_else_goes_on() {
    let mut room = Room::new(&[limit("account", 2, 60)], 1.0).concurrency(1);
    let release = room.hold();
    room.start("left", write(0));
    room.settle();
    for (name, call) in [("paused", write(1)), ("another", write(2)), ("look", read(900))] {
        room.start(name, call);
    }
    room.settle();
    room.gate.hold_back(&["left".to_owned(), "paused".to_owned()].into());
    room.settle();
    let held = room.answer("paused").expect("answered at once").expect_err("and not sent");
    assert_eq!((held.kind, held.retry), (DeskErrorKind::Held, Retry::After(None)));
    assert!(room.answer("left").is_none(), "what has left is waited for");
    drop(release);
    room.settle();
    assert_eq!(room.answer("left").expect("answered").expect("sent"), 200);
    room.start("paused-too", write(0));
    room.gate.hold_back(&["paused-too".to_owned(), "paused".to_owned()].into());
    room.start("paused", write(0));
    room.settle();
    assert_eq!(room.answer("paused-too").expect("answered").expect_err("one that comes").kind, DeskErrorKind::Held);
    room.run_out();
    assert_eq!(room.sent(), ["left", "another", "look"]);
    room.gate.hold_back(&Default::default());
    room.start("paused", write(0));
    room.run_out();
    assert_eq!(room.sent(), ["left", "another", "look", "paused"]);
    assert_eq!((room.gate.figures().waiting, room.gate.figures().in_flight), (0, 0));
}

#[test]
fn a_closed_gate_sends_nothing_more_and_waits_for_what_has_left() {
    let mut room = Room::new(&[], 1.0).concurrency(1);
    let release = room.hold();
    room.start("left", write(0));
    room.start("waits", write(1));
    room.settle();
    room.gate.close();
    room.settle();
    let not_sent = room.answer("waits").expect("answered at once").expect_err("and not sent");
    assert_eq!((not_sent.kind, not_sent.retry), (DeskErrorKind::Unavailable, Retry::After(None)));
    assert!(room.answer("left").is_none(), "nobody knows yet what became of it");
    room.start("late", read(0));
    room.settle();
    assert!(room.answer("late").is_some_and(|answer| answer.is_err()));
    release.send(()).unwrap();
    room.settle();
    assert_eq!(room.answer("left").map(|answer| answer.unwrap()), Some(200));
    assert_eq!(room.sent(), ["left"]);
    let figures = room.gate.figures();
    assert_eq!((figures.waiting, figures.in_flight), (0, 0));
}

#[test]
fn the_timer_is_handed_on_when_the_first_in_the_queue_goes_away() {
    let mut room = Room::new(&[limit("account", 1, 60)], 1.0);
    room.start("first", read(1));
    room.settle();
    let soon = room.call("soon", read(2));
    room.start("late", read(900));
    room.settle();
    drop(soon);
    room.at(60);
    assert_eq!(room.sent(), ["first", "late"]);
}

#[test]
fn writes_leave_a_tenth_to_reads_and_reads_to_writes() {
    for (crowd, lone) in [(write(0), read(900)), (read(0), write(900))] {
        let mut room = Room::new(&[limit("account", 20, 60)], 1.0);
        // Both classes are known to use this limit from here on.
        room.start("w", write(0));
        room.start("r", read(0));
        room.settle();
        room.at(60);
        (0..30).for_each(|n| room.start(&format!("crowd{n}"), crowd.clone()));
        room.settle();
        room.start("lone", lone);
        room.settle();
        assert_eq!(room.sent().len(), 2 + 18 + 1);
        assert_eq!(room.sent().last().unwrap(), "lone");
    }
}

#[test]
fn a_backlog_of_overdue_writes_lets_every_tenth_call_be_a_read() {
    let mut room = Room::new(&[], 1.0).concurrency(1);
    let held = room.hold();
    room.start("first", write(-900));
    (0..40).for_each(|n| room.start(&format!("write{n}"), write(-900)));
    (0..3).for_each(|n| room.start(&format!("read{n}"), read(300 + n)));
    room.settle();
    drop(held);
    room.settle();
    let places: Vec<usize> =
        room.sent().iter().enumerate().filter(|(_, name)| name.starts_with("read")).map(|(place, _)| place).collect();
    assert_eq!(places, [10, 20, 30], "the first write found nobody waiting");
}

#[test]
fn beyond_ten_thousand_waiting_calls_a_call_is_refused_at_once() {
    let mut room = Room::new(&[limit("account", 1, 60)], 1.0);
    (0..=queue::MOST_WAITING).for_each(|n| room.start(&format!("n{n}"), read(10)));
    room.settle();
    assert_eq!(room.gate.figures().waiting, queue::MOST_WAITING);
    room.start("surplus", read(10));
    room.settle();
    let error = room.answer("surplus").unwrap().unwrap_err();
    assert_eq!((error.kind, error.retry), (DeskErrorKind::RateLimited, Retry::After(None)));
}

#[test]
fn lost_answers_are_unsure_for_writes_and_tell_no_secrets() {
    let lost = || Err(TransportError::Lost("reset".into()));
    for (reply, class, kind, retry) in [
        (lost(), Class::Write, DeskErrorKind::Unavailable, Retry::Unsure),
        (lost(), Class::Read, DeskErrorKind::Unavailable, Retry::After(None)),
        (Err(TransportError::NotSent("no".into())), Class::Write, DeskErrorKind::Unavailable, Retry::After(None)),
        (Err(TransportError::TooLarge(9)), Class::Write, DeskErrorKind::Protocol, Retry::Unsure),
    ] {
        let mut room = Room::new(&[], 1.0);
        room.script.replies.lock().unwrap().push_back(reply);
        room.start("x", Shape { class, ..read(1) });
        room.settle();
        let error = room.answer("x").unwrap().unwrap_err();
        assert_eq!((error.kind, error.retry), (kind, retry));
        assert!(error.words.contains("https://desk.test/x") && !error.to_string().contains("hush"), "{error}");
    }
}

#[test]
fn figures_count_calls_by_endpoint_and_class() {
    let mut room = Room::new(&[], 1.0);
    room.start("a", read(1));
    room.start("b", write(1));
    room.start("c", write(1));
    room.settle();
    let calls: Vec<_> = room.gate.figures().calls.into_iter().collect();
    assert_eq!(calls, [(("look", Class::Read), 1), (("update", Class::Write), 2)]);
}

/// A random call: when it arrives, what it is, how long until its deadline, and whether it gives up.
#[derive(Clone, Debug)]
struct Arrival {
    second: i64,
    shape: Shape,
    gives_up: bool,
}

fn arrivals() -> impl Strategy<Value = Vec<Arrival>> {
    let one = (0i64..120, any::<bool>(), any::<bool>(), 0i64..600, 0u8..10);
    let arrival = one.prop_map(|(second, update, write, span, dice)| Arrival {
        second,
        shape: Shape {
            endpoint: if update { "update" } else { "look" },
            class: if write { Class::Write } else { Class::Read },
            ticket: None,
            deadline: second + span,
        },
        gives_up: dice == 0,
    });
    proptest::collection::vec(arrival, 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_the_order_no_window_is_overfull_the_nearest_deadline_goes_first_and_nobody_starves(
        mut arrivals in arrivals(),
        account in 1u32..20,
        update in 1u32..6,
        concurrency in 1usize..4,
    ) {
        let limits = [limit("account", account, 30), limit("update", update, 45)];
        let mut room = Room::new(&limits, 1.0).concurrency(concurrency);
        arrivals.sort_by_key(|arrival| arrival.second);
        let mut handles = Vec::new();
        for (n, arrival) in arrivals.iter().enumerate() {
            while room.clock.next_wait().is_some_and(|at| at < second(arrival.second)) {
                let at = room.clock.next_wait().unwrap();
                room.clock.set(at);
                room.settle();
            }
            room.at(arrival.second);
            let handle = room.call(&n.to_string(), arrival.shape.clone());
            room.settle();
            if arrival.gives_up { drop(handle) } else { handles.push(handle) }
        }
        room.run_out();
        let sent: Vec<(Timestamp, usize)> =
            room.script.sent.lock().unwrap().iter().map(|(at, name)| (*at, name.parse().unwrap())).collect();

        for (n, arrival) in arrivals.iter().enumerate() {
            prop_assert!(arrival.gives_up || room.answer(&n.to_string()).is_some(), "{n} starved");
        }
        let figures = room.gate.figures();
        prop_assert_eq!((figures.waiting, figures.in_flight), (0, 0));

        for (most, seconds, counts) in [(account, 30, None), (update, 45, Some("update"))] {
            let of: Vec<Timestamp> = sent.iter().filter(|(_, n)| counts.is_none_or(|name| arrivals[*n].shape.endpoint == name)).map(|(at, _)| *at).collect();
            for (start, at) in of.iter().enumerate() {
                let end = window::later(*at, SignedDuration::from_secs(seconds));
                prop_assert!(of[start..].iter().filter(|call| **call < end).count() <= most as usize);
            }
        }
        for (place, (at, n)) in sent.iter().enumerate() {
            let (went, alike) = (&arrivals[*n], |other: &Arrival| {
                other.shape.endpoint == arrivals[*n].shape.endpoint && other.shape.class == arrivals[*n].shape.class
            });
            // Calls let go at the same instant are on their way together.
            let after = sent[place + 1..].iter().filter(|(later, _)| later > at).map(|(_, n)| &arrivals[*n]);
            let overtaken = after.into_iter().find(|other| {
                alike(other) && second(other.second) < *at && other.shape.deadline < went.shape.deadline
            });
            prop_assert!(overtaken.is_none(), "{went:?} went before {overtaken:?}");
        }
    }
}
