//! The daemon on a real Request Tracker 5 that nobody here wrote: the real binary, the real ledger, and what lies in
//! Request Tracker afterwards, read by its administrator.
//!
//! One test, because one instance serves all scenarios, one after the other. Left out where no Request Tracker is installed;
//! with `HANDOFFD_TEST_REAL=1` that is a failure.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../../connectors/rt/tests/real/instance.rs"]
mod instance;
#[allow(dead_code, reason = "the connector's tests use all of it")]
#[path = "../../connectors/rt/tests/real/raw.rs"]
mod raw;

mod crossing;
mod daemon;
mod handoffs;
mod rights;
mod tracker;
mod wire;

use bytes::Bytes;
use daemon::{HOOK_TOKEN, House};
use handoffd::clock::SystemClock;
use handoffd_kit::clock::Clock;
use handoffd_kit::transport::{Bounds, HttpTransport, Transport};
use http::{Request, Response};
use instance::Instance;
use jiff::SignedDuration;
use raw::Raw;
use std::future::Future;
use tracker::Tracker;
use wire::Wire;

/// What all scenarios play on.
pub struct Cast {
    instance: Instance,
    wire: Wire,
    tracker: Tracker,
    listen: String,
}

impl Cast {
    /// A new house that works with one of the desk's tokens, on what happens from now on.
    fn house(&self, token: &str) -> House {
        self.house_from("\"now\"", token)
    }

    /// A new house whose tickets count from `start` on.
    fn house_from(&self, start: &str, token: &str) -> House {
        House::new(&self.wire.url, &self.listen, start, self.instance.token(token))
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_daemon_keeps_its_promises_on_a_real_request_tracker() {
    // The hook's address is part of the instance, so the daemon's is chosen first.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let listen = free.local_addr().unwrap().to_string();
    drop(free);
    let Some(instance) = Instance::for_tests(&format!("http://{listen}/hooks/rt/{HOOK_TOKEN}")) else { return };
    let raw = |token| Raw::new(&instance.url, instance.token(token));
    let tracker = Tracker { admin: raw("RT5_TOKEN_ADMIN"), floater: raw("FLOATER") };
    let cast = Cast { wire: Wire::to(&instance.url).await, tracker, listen, instance };

    rights::a_check_says_what_each_account_lacks(&cast);
    let house = handoffs::matching_tickets_are_handed_off_and_no_other(&cast).await;
    handoffs::a_second_run_writes_nothing(&cast, &house).await;
    crossing::a_persons_move_in_between_stands(&cast, &house).await;
    crossing::killed_after_every_write_nothing_is_doubled(&cast, &house).await;
    rights::an_account_that_may_not_write_is_said_to_be(&cast).await;
    rights::an_account_that_is_blind_after_its_own_move_says_so(&cast).await;
    rights::an_account_that_sees_nothing_is_said_to_be(&cast).await;
}

/// A real helpdesk lives in real time: what must happen, happens within this.
const LONGEST: SignedDuration = SignedDuration::from_secs(40);

/// Waits for something that must come.
pub async fn within<T>(what: &str, comes: impl Future<Output = T> + Unpin) -> T {
    let late = SystemClock.sleep_until(SystemClock.now() + LONGEST);
    match futures::future::select(comes, late).await {
        futures::future::Either::Left((came, _)) => came,
        futures::future::Either::Right(_) => panic!("{what} did not come"),
    }
}

/// Looks again and again until there is something to see; none: it took too long.
pub async fn until<T>(mut look: impl AsyncFnMut() -> Option<T>) -> Option<T> {
    let end = SystemClock.now() + LONGEST;
    while SystemClock.now() < end {
        if let Some(seen) = look().await {
            return Some(seen);
        }
        SystemClock.sleep_until(SystemClock.now() + SignedDuration::from_millis(100)).await;
    }
    None
}

/// A plain GET; none: nobody answers.
pub async fn http_get(url: &str) -> Option<Response<Bytes>> {
    let request = Request::get(url).body(Bytes::new()).unwrap();
    HttpTransport::new(1).send(request, Bounds::default()).await.ok()
}
