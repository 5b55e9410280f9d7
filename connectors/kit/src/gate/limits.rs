//! The vendor's limits as they stand now: what was declared, what answers have corrected, what is closed for a while.
//! Pure: the present instant is an argument.

use super::window::{Room, Window, later};
use super::{Class, Correction, LimitNow};
use crate::capability::DeclaredLimit;
use crate::id::TicketId;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, HashMap};

/// The endpoint name of the limit that all calls count against.
pub(super) const ACCOUNT: &str = "account";

/// No header closes anything for longer: a desk that names next year has made a mistake.
const LONGEST_CLOSURE: SignedDuration = SignedDuration::from_hours(24);

/// What a call counts against.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    pub endpoint: &'static str,
    pub ticket: Option<TicketId>,
    pub class: Class,
}

/// All limits of one desk account.
pub(super) struct Limits {
    budget: f64,
    limits: Vec<Limit>,
    closed: BTreeMap<Scope, Timestamp>,
}

/// What is closed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Scope {
    Endpoint(&'static str),
    Ticket(&'static str, TicketId),
}

struct Limit {
    endpoint: &'static str,
    declared: u32,
    calls: u32,
    per: SignedDuration,
    seen: [bool; 2],
    windows: Windows,
    left: Option<Left>,
}

enum Windows {
    All(Window),
    /// And how many there may be before idle ones are dropped.
    ByTicket(HashMap<TicketId, Window>, usize),
}

/// What an answer said is left for us until the vendor's window starts anew.
#[derive(Clone, Copy)]
struct Left {
    calls: u32,
    until: Timestamp,
    /// Whether the vendor named the end of the window, so that two answers about the same one can be told.
    named: bool,
}

impl Limits {
    pub fn new(declared: &[DeclaredLimit], budget: f64) -> Self {
        let budget = if budget.is_nan() { 1.0 } else { budget.clamp(0.0, 1.0) };
        Self { budget, limits: declared.iter().map(Limit::new).collect(), closed: BTreeMap::new() }
    }

    /// When this call may go; none: now.
    pub fn opens(&mut self, claim: &Claim, now: Timestamp) -> Option<Timestamp> {
        self.closed.retain(|_, until| *until > now);
        let scopes = [Scope::Endpoint(ACCOUNT), Scope::Endpoint(claim.endpoint)];
        let ticket = claim.ticket.clone().map(|ticket| Scope::Ticket(claim.endpoint, ticket));
        let closed = scopes.into_iter().chain(ticket).filter_map(|scope| self.closed.get(&scope).copied()).max();
        let budget = self.budget;
        let counted = self.limits.iter_mut().filter(|limit| limit.counts(claim));
        counted.filter_map(|limit| limit.opens(claim, budget, now)).max().max(closed)
    }

    /// When any call at all may go; none: now.
    pub fn account_opens(&mut self, now: Timestamp) -> Option<Timestamp> {
        let any = |class| Claim { endpoint: ACCOUNT, ticket: None, class };
        let opens = [Class::Read, Class::Write].map(|class| self.opens(&any(class), now));
        opens[0].min(opens[1])
    }

    /// Counts a call.
    pub fn take(&mut self, claim: &Claim, now: Timestamp) {
        self.limits.iter_mut().filter(|limit| limit.counts(claim)).for_each(|limit| limit.take(claim, now));
    }

    /// Uncounts a call that was taken at `at` and never sent.
    pub fn give_back(&mut self, claim: &Claim, at: Timestamp) {
        for limit in self.limits.iter_mut().filter(|limit| limit.counts(claim)) {
            limit.window(claim).give_back(claim.class, at);
        }
    }

    /// Takes over what an answer said about a limit. When no more is left than the share for people and other tools,
    /// nothing of ours goes before the vendor's window starts anew.
    pub fn correct(&mut self, said: &Correction, now: Timestamp) {
        let budget = self.budget;
        let known = |limit: &&mut Limit| limit.endpoint == said.endpoint && matches!(limit.windows, Windows::All(_));
        match self.limits.iter_mut().find(known) {
            Some(limit) => limit.correct(said, budget, now),
            // A limit that was not declared: only its end can be respected.
            None if said.remaining == Some(0) => {
                if let Some(until) = said.resets {
                    self.close(Scope::Endpoint(said.endpoint), until, now);
                }
            }
            None => {}
        }
    }

    /// Closes what a refused call counted against, for everybody: its ticket where the vendor limits by ticket, its endpoint
    /// where that has a limit of its own, else the account. A second ticket refused meanwhile closes the endpoint too,
    /// because then it was not about the ticket. Returns until when.
    pub fn refused(&mut self, claim: &Claim, until: Timestamp, now: Timestamp) -> Timestamp {
        let by_ticket =
            |limit: &Limit| limit.endpoint == claim.endpoint && matches!(limit.windows, Windows::ByTicket(..));
        let ticket = claim.ticket.clone().filter(|_| self.limits.iter().any(by_ticket));
        let Some(ticket) = ticket else { return self.overloaded(claim, until, now) };
        let own = Scope::Ticket(claim.endpoint, ticket);
        let another = self.closed.iter().any(|(scope, end)| match scope {
            Scope::Ticket(endpoint, _) => *endpoint == claim.endpoint && *scope != own && *end > now,
            Scope::Endpoint(_) => false,
        });
        if another {
            self.overloaded(claim, until, now);
        }
        self.close(own, until, now)
    }

    /// Closes the endpoint of a call, or the account where the endpoint has no limit of its own. Returns until when.
    pub fn overloaded(&mut self, claim: &Claim, until: Timestamp, now: Timestamp) -> Timestamp {
        let known = self.limits.iter().any(|limit| limit.endpoint == claim.endpoint);
        self.close(Scope::Endpoint(if known { claim.endpoint } else { ACCOUNT }), until, now)
    }

    /// What is closed, and until when.
    pub fn closed(&self, now: Timestamp) -> Vec<(&'static str, Option<TicketId>, Timestamp)> {
        let open_again = |(_, until): &(&Scope, &Timestamp)| **until > now;
        let shown = |(scope, until): (&Scope, &Timestamp)| match scope {
            Scope::Endpoint(endpoint) => (*endpoint, None, *until),
            Scope::Ticket(endpoint, ticket) => (*endpoint, Some(ticket.clone()), *until),
        };
        self.closed.iter().filter(open_again).map(shown).collect()
    }

    /// Each limit as it stands now.
    pub fn standing(&mut self, now: Timestamp) -> Vec<LimitNow> {
        let budget = self.budget;
        self.limits.iter_mut().map(|limit| limit.standing(budget, now)).collect()
    }

    fn close(&mut self, scope: Scope, until: Timestamp, now: Timestamp) -> Timestamp {
        let until = until.min(later(now, LONGEST_CLOSURE));
        let end = self.closed.entry(scope).or_insert(until);
        *end = until.max(*end);
        *end
    }
}

impl Limit {
    fn new(declared: &DeclaredLimit) -> Self {
        let windows = match declared.per_ticket {
            true => Windows::ByTicket(HashMap::new(), 1_024),
            false => Windows::All(Window::default()),
        };
        Self {
            endpoint: declared.endpoint,
            declared: declared.calls,
            calls: declared.calls,
            per: SignedDuration::try_from(declared.per).unwrap_or(SignedDuration::MAX),
            seen: [false; 2],
            windows,
            left: None,
        }
    }

    fn standing(&mut self, budget: f64, now: Timestamp) -> LimitNow {
        let per = self.per;
        let (used, per_ticket) = match &mut self.windows {
            Windows::All(window) => (window.used(now, per), false),
            Windows::ByTicket(windows, _) => {
                (windows.values_mut().map(|window| window.used(now, per)).max().unwrap_or(0), true)
            }
        };
        let left = self.left.filter(|left| left.until > now);
        LimitNow {
            endpoint: self.endpoint,
            per_ticket,
            per,
            declared: self.declared,
            calls: self.calls,
            ours: self.ours(budget),
            used: u32::try_from(used).unwrap_or(u32::MAX),
            left: left.map(|left| (left.calls, left.until)),
        }
    }

    fn counts(&self, claim: &Claim) -> bool {
        let here = self.endpoint == ACCOUNT || self.endpoint == claim.endpoint;
        here && (claim.ticket.is_some() || matches!(self.windows, Windows::All(_)))
    }

    fn ours(&self, budget: f64) -> u32 {
        // A budget too small for one call would mean never.
        ((f64::from(self.calls) * budget) as u32).max(1)
    }

    fn opens(&mut self, claim: &Claim, budget: f64, now: Timestamp) -> Option<Timestamp> {
        self.left = self.left.filter(|left| left.until > now);
        let used_up = self.left.filter(|left| left.calls == 0).map(|left| left.until);
        let room = Room::new(self.ours(budget) as usize, self.per, self.seen == [true; 2]);
        self.window(claim).opens(claim.class, room, now).max(used_up)
    }

    fn take(&mut self, claim: &Claim, now: Timestamp) {
        self.seen[claim.class as usize] = true;
        if let Some(left) = &mut self.left {
            left.calls = left.calls.saturating_sub(1);
        }
        let per = self.per;
        self.window(claim).take(claim.class, now);
        if let Windows::ByTicket(windows, most) = &mut self.windows
            && windows.len() > *most
        {
            windows.retain(|_, window| !window.is_idle(now, per));
            *most = (windows.len() * 2).max(1_024);
        }
    }

    fn window(&mut self, claim: &Claim) -> &mut Window {
        match &mut self.windows {
            Windows::All(window) => window,
            Windows::ByTicket(windows, _) => {
                windows.entry(claim.ticket.clone().unwrap_or_else(|| TicketId::from(""))).or_default()
            }
        }
    }

    fn correct(&mut self, said: &Correction, budget: f64, now: Timestamp) {
        if let Some(calls) = said.limit.filter(|calls| *calls > 0) {
            self.calls = calls;
        }
        let Some(remaining) = said.remaining else { return };
        let for_people = self.calls.saturating_sub(self.ours(budget));
        let until = said.resets.unwrap_or_else(|| later(now, self.per)).min(later(now, LONGEST_CLOSURE));
        let new = Left { calls: remaining.saturating_sub(for_people), until, named: said.resets.is_some() };
        // Answers overtake each other: within one window of the vendor, less is newer.
        let same_window = |old: &Left| {
            let apart = old.until.duration_since(new.until).abs();
            old.named && new.named && old.until > now && apart <= SignedDuration::from_secs(1)
        };
        let calls = self.left.filter(same_window).map_or(new.calls, |old| old.calls.min(new.calls));
        self.left = Some(Left { calls, ..new });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn declared(endpoint: &'static str, calls: u32, per_ticket: bool) -> DeclaredLimit {
        DeclaredLimit { endpoint, calls, per: Duration::from_secs(60), per_ticket }
    }

    fn update(ticket: &str) -> Claim {
        Claim { endpoint: "update", ticket: Some(ticket.into()), class: Class::Write }
    }

    fn zendesk_like(budget: f64) -> Limits {
        Limits::new(
            &[declared(ACCOUNT, 100, false), declared("update", 50, false), declared("update", 2, true)],
            budget,
        )
    }

    #[test]
    fn each_ticket_has_its_own_limit_under_the_shared_ones() {
        let mut limits = zendesk_like(1.0);
        for _ in 0..2 {
            assert_eq!(limits.opens(&update("1"), at(0)), None);
            limits.take(&update("1"), at(0));
        }
        assert_eq!(limits.opens(&update("1"), at(1)), Some(at(60)));
        assert_eq!(limits.opens(&update("2"), at(1)), None);
    }

    #[test]
    fn what_is_used_and_left_is_told_as_answers_corrected_it() {
        let mut limits = zendesk_like(0.5);
        limits.take(&update("1"), at(0));
        let told = |limits: &mut Limits, now| {
            let all = limits.standing(now).into_iter();
            all.map(|one| (one.calls, one.ours, one.used, one.left.map(|(calls, _)| calls))).collect::<Vec<_>>()
        };
        assert_eq!(told(&mut limits, at(1)), [(100, 50, 1, None), (50, 25, 1, None), (2, 1, 1, None)]);
        let said = Correction { endpoint: ACCOUNT, limit: Some(200), remaining: Some(130), resets: Some(at(30)) };
        limits.correct(&said, at(1));
        // 130 of 200 are left, of which 100 are for people and other tools.
        assert_eq!(told(&mut limits, at(2))[0], (200, 100, 1, Some(30)));
        assert_eq!(limits.standing(at(2))[0].declared, 100);
        assert_eq!(told(&mut limits, at(61))[0], (200, 100, 0, None), "its window is over");
    }

    #[test]
    fn the_budget_is_a_share_and_never_nothing() {
        for (budget, most) in [(0.5, 50), (0.0, 1), (7.0, 100), (f64::NAN, 100), (-1.0, 1)] {
            let mut limits = Limits::new(&[declared(ACCOUNT, 100, false)], budget);
            let look = Claim { endpoint: "look", ticket: None, class: Class::Read };
            let mut went = 0;
            while limits.opens(&look, at(0)).is_none() {
                limits.take(&look, at(0));
                went += 1;
            }
            assert_eq!(went, most, "{budget}");
        }
    }

    #[test]
    fn when_only_the_peoples_share_is_left_ours_waits_for_the_reset() {
        let mut limits = zendesk_like(0.8);
        let said =
            |remaining, resets| Correction { endpoint: ACCOUNT, limit: Some(100), remaining: Some(remaining), resets };
        limits.correct(&said(21, Some(at(40))), at(0));
        assert_eq!(limits.opens(&update("1"), at(0)), None);
        limits.take(&update("1"), at(0));
        assert_eq!(limits.opens(&update("2"), at(0)), Some(at(40)), "the one that was left is taken");
        limits.correct(&said(25, Some(at(40))), at(1));
        assert_eq!(
            limits.opens(&update("2"), at(1)),
            Some(at(40)),
            "an older answer of the same window changes nothing"
        );
        assert_eq!(limits.opens(&update("2"), at(40)), None);
        limits.correct(&said(0, None), at(41));
        assert_eq!(limits.opens(&update("2"), at(41)), Some(at(101)), "unnamed: a whole window");
        limits.correct(&said(90, None), at(42));
        assert_eq!(limits.opens(&update("2"), at(42)), None);
    }

    #[test]
    fn a_corrected_limit_counts_from_then_on() {
        let mut limits = Limits::new(&[declared(ACCOUNT, 3, false)], 1.0);
        (0..3).for_each(|_| limits.take(&update("1"), at(0)));
        assert!(limits.opens(&update("1"), at(0)).is_some());
        limits.correct(&Correction { endpoint: ACCOUNT, limit: Some(5), remaining: None, resets: None }, at(0));
        assert_eq!(limits.opens(&update("1"), at(0)), None);
        limits.correct(&Correction { endpoint: ACCOUNT, limit: Some(0), remaining: None, resets: None }, at(0));
        assert_eq!(limits.opens(&update("1"), at(0)), None, "nobody is allowed nothing: a mistake");
    }

    #[test]
    fn a_refusal_closes_the_ticket_and_a_second_one_the_endpoint() {
        let mut limits = zendesk_like(1.0);
        assert_eq!(limits.refused(&update("1"), at(93), at(0)), at(93));
        assert_eq!(limits.opens(&update("1"), at(0)), Some(at(93)));
        assert_eq!(limits.opens(&update("2"), at(0)), None);
        limits.refused(&update("2"), at(30), at(0));
        assert_eq!(limits.opens(&update("3"), at(0)), Some(at(30)));
        assert_eq!(limits.opens(&update("1"), at(30)), Some(at(93)), "the longer one stays");
        assert_eq!(limits.opens(&update("3"), at(30)), None);
    }

    #[test]
    fn an_endpoint_without_a_limit_of_its_own_closes_the_account() {
        let mut limits = zendesk_like(1.0);
        let search = Claim { endpoint: "search", ticket: None, class: Class::Read };
        limits.refused(&search, at(10), at(0));
        assert_eq!(limits.opens(&update("1"), at(0)), Some(at(10)));
        assert_eq!(limits.account_opens(at(0)), Some(at(10)));
    }

    #[test]
    fn nothing_closes_for_longer_than_a_day() {
        let mut limits = zendesk_like(1.0);
        limits.refused(&update("1"), Timestamp::MAX, at(0));
        assert_eq!(limits.opens(&update("1"), at(0)), Some(at(86_400)));
        limits.correct(
            &Correction { endpoint: "unheard", limit: None, remaining: Some(0), resets: Some(Timestamp::MAX) },
            at(0),
        );
        let unheard = Claim { endpoint: "unheard", ticket: None, class: Class::Read };
        assert_eq!(limits.opens(&unheard, at(0)), Some(at(86_400)));
    }

    #[test]
    fn idle_tickets_are_forgotten() {
        let mut limits = Limits::new(&[declared("update", 2, true)], 1.0);
        for ticket in 0..5_000u64 {
            limits.take(&update(&ticket.to_string()), at(ticket as i64));
        }
        let Windows::ByTicket(windows, _) = &limits.limits[0].windows else { panic!("limited by ticket") };
        assert!(windows.len() <= 1_025, "{}", windows.len());
    }
}
