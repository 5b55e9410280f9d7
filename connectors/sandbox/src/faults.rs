//! What goes wrong: by rates (drawn from the sandbox's seed), over spans of time, or by script ("the next two writes").

use crate::journal::Kind;
use fastrand::Rng;
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use std::collections::VecDeque;

/// One thing that can go wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// 429, with or without the time to wait.
    RateLimited {
        /// `Retry-After`, if it is said.
        #[serde(default)]
        retry_after: Option<SignedDuration>,
    },
    /// 500, nothing applied.
    ServerError,
    /// 503, nothing applied.
    Unavailable,
    /// Applied, and answered only after this long.
    Slow(SignedDuration),
    /// The request never arrives; the caller cannot know.
    LostBefore,
    /// Applied; the answer never arrives.
    LostAfter,
    /// The caller gets no answer; the request arrives this much later.
    Late(SignedDuration),
    /// Applied; the answer's body ends in the middle.
    Truncated,
    /// Applied; the answer's body is not what was asked for.
    Malformed,
    /// Answered as if it had been applied; it was not.
    NoEffect,
    /// The login is refused.
    Unauthorized,
    /// The right is missing.
    Forbidden,
    /// Nobody answers the phone: the connection is refused.
    Down,
}

impl Fault {
    /// A stable name for journals.
    pub fn name(self) -> &'static str {
        match self {
            Fault::RateLimited { .. } => "rate_limited",
            Fault::ServerError => "server_error",
            Fault::Unavailable => "unavailable",
            Fault::Slow(_) => "slow",
            Fault::LostBefore => "lost_before",
            Fault::LostAfter => "lost_after",
            Fault::Late(_) => "late",
            Fault::Truncated => "truncated",
            Fault::Malformed => "malformed",
            Fault::NoEffect => "no_effect",
            Fault::Unauthorized => "unauthorized",
            Fault::Forbidden => "forbidden",
            Fault::Down => "down",
        }
    }
}

/// Which requests a fault is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum On {
    /// Reads.
    Reads,
    /// Writes.
    Writes,
    /// Logins.
    Logins,
    /// All of them.
    All,
}

impl On {
    fn is(self, kind: Kind) -> bool {
        match self {
            On::Reads => kind == Kind::Read,
            On::Writes => kind == Kind::Write,
            On::Logins => kind == Kind::Login,
            On::All => true,
        }
    }
}

/// What goes wrong, and when. Script comes before spans, spans before rates.
#[derive(Clone, Debug, Default)]
pub struct FaultPlan {
    script: VecDeque<(On, Option<Fault>)>,
    spans: Vec<Span>,
    rates: Vec<(On, Fault, f64)>,
    /// What goes wrong with webhooks.
    pub webhooks: WebhookFaults,
}

#[derive(Clone, Copy, Debug)]
struct Span {
    on: On,
    fault: Fault,
    from: Timestamp,
    until: Timestamp,
}

/// What goes wrong with webhooks, each as a share of all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct WebhookFaults {
    /// Never posted.
    pub lost: f64,
    /// Posted twice.
    pub duplicated: f64,
    /// Posted late, by up to `delay`, and so out of order.
    pub delayed: f64,
    /// The longest delay.
    pub delay: SignedDuration,
}

impl FaultPlan {
    /// The next requests of a kind fail in this way, in the order of these calls.
    #[must_use]
    pub fn next(mut self, times: usize, on: On, fault: Fault) -> Self {
        self.script.extend(std::iter::repeat_n((on, Some(fault)), times));
        self
    }

    /// The next requests of a kind go well, before the rest of the script.
    #[must_use]
    pub fn fine(mut self, times: usize, on: On) -> Self {
        self.script.extend(std::iter::repeat_n((on, None), times));
        self
    }

    /// All requests of a kind fail in this way between two instants.
    #[must_use]
    pub fn span(mut self, on: On, fault: Fault, from: Timestamp, until: Timestamp) -> Self {
        self.spans.push(Span { on, fault, from, until });
        self
    }

    /// This share (`0.0..=1.0`) of the requests of a kind fails in this way.
    #[must_use]
    pub fn rate(mut self, on: On, fault: Fault, share: f64) -> Self {
        self.rates.push((on, fault, share));
        self
    }

    /// What goes wrong with webhooks.
    #[must_use]
    pub fn webhooks(mut self, webhooks: WebhookFaults) -> Self {
        self.webhooks = webhooks;
        self
    }

    /// What goes wrong with a request of this kind now.
    pub(crate) fn decide(&mut self, kind: Kind, now: Timestamp, random: &mut Rng) -> Option<Fault> {
        if let Some(at) = self.script.iter().position(|(on, _)| on.is(kind)) {
            return self.script.remove(at).and_then(|(_, fault)| fault);
        }
        let span = self.spans.iter().find(|span| span.on.is(kind) && span.from <= now && now < span.until);
        if let Some(span) = span {
            return Some(span.fault);
        }
        let mut drawn = random.f64();
        for (_, fault, share) in self.rates.iter().filter(|(on, ..)| on.is(kind)) {
            if drawn < *share {
                return Some(*fault);
            }
            drawn -= share;
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_script_hits_its_kind_of_request_in_order_and_then_ends() {
        let mut plan = FaultPlan::default().fine(1, On::Writes).next(1, On::Writes, Fault::LostAfter).next(
            1,
            On::Reads,
            Fault::ServerError,
        );
        let (now, random) = (at("2026-05-03T10:00:00Z"), &mut Rng::with_seed(1));
        assert_eq!(plan.decide(Kind::Write, now, random), None);
        assert_eq!(plan.decide(Kind::Read, now, random), Some(Fault::ServerError));
        assert_eq!(plan.decide(Kind::Write, now, random), Some(Fault::LostAfter));
        assert_eq!(plan.decide(Kind::Write, now, random), None);
    }

    #[test]
    fn a_span_ends() {
        let (from, until) = (at("2026-05-03T10:00:00Z"), at("2026-05-03T10:10:00Z"));
        let mut plan = FaultPlan::default().span(On::All, Fault::Down, from, until);
        let random = &mut Rng::with_seed(1);
        assert_eq!(plan.decide(Kind::Login, from, random), Some(Fault::Down));
        assert_eq!(plan.decide(Kind::Read, until, random), None);
    }

    #[test]
    fn rates_come_out_as_asked_and_the_same_seed_gives_the_same_faults() {
        let draw = |seed| {
            let mut plan =
                FaultPlan::default().rate(On::Writes, Fault::LostAfter, 0.2).rate(On::All, Fault::ServerError, 0.1);
            let (now, mut random) = (at("2026-05-03T10:00:00Z"), Rng::with_seed(seed));
            (0..2000).map(|_| plan.decide(Kind::Write, now, &mut random)).collect::<Vec<_>>()
        };
        let drawn = draw(7);
        assert_eq!(drawn, draw(7));
        let count = |fault| drawn.iter().filter(|one| **one == Some(fault)).count();
        assert!((340..460).contains(&count(Fault::LostAfter)), "{}", count(Fault::LostAfter));
        assert!((150..250).contains(&count(Fault::ServerError)), "{}", count(Fault::ServerError));
    }
}
