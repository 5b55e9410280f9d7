//! Webhooks on their way out: made when something changes, due at once or later, lost, doubled and reordered by plan.
//! Nothing is sent from here: the socket server posts what is due, the simulation delivers it itself.

use crate::faults::WebhookFaults;
use crate::ids::HookNo;
use bytes::Bytes;
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;

/// One webhook as it is posted.
#[derive(Clone, Debug)]
pub struct Post {
    /// Which hook posts it.
    pub hook: HookNo,
    /// Where to.
    pub url: String,
    /// The request's headers; the signature is added when it leaves.
    pub headers: http::HeaderMap,
    /// The raw body.
    pub body: Bytes,
    /// How often it was posted, this time included.
    pub tries: u8,
}

/// Webhooks on their way out, by when they are due.
#[derive(Clone, Debug, Default)]
pub struct Outbox {
    due: BTreeMap<(Timestamp, u64), Post>,
    order: u64,
}

impl Outbox {
    /// Takes a webhook in; the faults decide what becomes of it.
    pub(crate) fn put(&mut self, post: Post, now: Timestamp, faults: WebhookFaults, random: &mut Rng) {
        if random.f64() < faults.lost {
            return;
        }
        let copies = if random.f64() < faults.duplicated { 2 } else { 1 };
        for _ in 0..copies {
            let late = random.f64() < faults.delayed;
            let share = if late { random.f64() } else { 0.0 };
            let delay = SignedDuration::try_from_secs_f64(faults.delay.as_secs_f64() * share).unwrap_or_default();
            self.order += 1;
            let at = now.saturating_add(delay).unwrap_or(Timestamp::MAX);
            self.due.insert((at, self.order), post.clone());
        }
    }

    /// Takes a webhook back in that nobody took.
    pub(crate) fn put_back(&mut self, post: Post, at: Timestamp) {
        self.order += 1;
        self.due.insert((at, self.order), Post { tries: post.tries + 1, ..post });
    }

    /// Takes what is due out, earliest first.
    pub(crate) fn take_due(&mut self, now: Timestamp) -> Vec<Post> {
        let later = self.due.split_off(&(now, u64::MAX));
        std::mem::replace(&mut self.due, later).into_values().collect()
    }

    /// When the next one is due.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.due.keys().next().map(|(at, _)| *at)
    }
}
