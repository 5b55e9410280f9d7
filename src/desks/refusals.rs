//! Calls in vain, in a row: the login is refused, or a right, or the answers are of no use. One refused login, or a few reads
//! in vain without a good one between, concern the desk as a whole: whatever waits for it is left alone but for one look now
//! and then, or a hundred tickets would each ask in vain every minute. When that one is answered, everything goes on.

use crate::backoff;
use handoffd_kit::id::TicketId;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeSet;

/// How many tickets in a row may be read in vain before that concerns the desk. One alone is its own trouble, however often.
const PATIENCE: usize = 3;
/// The longest rest between two tries.
const LONGEST: SignedDuration = SignedDuration::from_mins(1);

/// Counts refusals in a row.
#[derive(Clone, Debug, Default)]
pub struct Refusals {
    logins: u32,
    /// Tickets that were read in vain; no more than it takes.
    tickets: BTreeSet<TicketId>,
    /// How often in vain since they concern the desk.
    times: u32,
    until: Option<Timestamp>,
}

impl Refusals {
    /// The login was refused.
    pub fn login(&mut self, now: Timestamp, jitter: f64) {
        self.logins = self.logins.saturating_add(1);
        self.until = Some(now + backoff::growing(self.logins, LONGEST, jitter));
    }

    /// A ticket was read in vain: for want of a right, or because its answer cannot be read.
    pub fn ticket(&mut self, ticket: &TicketId, now: Timestamp, jitter: f64) {
        if self.tickets.len() < PATIENCE {
            self.tickets.insert(ticket.clone());
        }
        if self.tickets.len() >= PATIENCE {
            self.times = self.times.saturating_add(1);
            self.until = Some(now + backoff::growing(self.times, LONGEST, jitter));
        }
    }

    /// A poll was answered: the login is fine, which says nothing about reading tickets.
    pub fn logged_in(&mut self) {
        self.logins = 0;
        if !self.is_general() {
            self.until = None;
        }
    }

    /// Whether they concern the desk as a whole.
    pub fn is_general(&self) -> bool {
        self.logins > 0 || self.tickets.len() >= PATIENCE
    }

    /// Until when nothing but a poll is tried.
    pub fn rests_until(&self, now: Timestamp) -> Option<Timestamp> {
        self.until.filter(|until| *until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_of_a_few_tickets_in_vain_make_the_desk_rest_longer_and_longer() {
        let now = Timestamp::UNIX_EPOCH;
        let mut refusals = Refusals::default();
        for _ in 0..10 {
            refusals.ticket(&"1".into(), now, 0.5);
            refusals.ticket(&"2".into(), now, 0.5);
        }
        assert!(!refusals.is_general() && refusals.rests_until(now).is_none(), "these tickets' own trouble");
        refusals.ticket(&"3".into(), now, 0.5);
        let first = refusals.rests_until(now).expect("rests");
        refusals.logged_in();
        assert!(refusals.is_general(), "a poll is no read of a ticket");
        for _ in 0..20 {
            refusals.ticket(&"1".into(), now, 0.5);
        }
        let long = refusals.rests_until(now).expect("rests");
        assert!(first < long && long <= now + LONGEST);
        assert_eq!(refusals.rests_until(long), None, "then one is tried");
    }

    #[test]
    fn one_refused_login_concerns_the_desk_until_a_poll_is_answered() {
        let now = Timestamp::UNIX_EPOCH;
        let mut refusals = Refusals::default();
        refusals.login(now, 0.5);
        assert!(refusals.is_general() && refusals.rests_until(now).is_some());
        refusals.logged_in();
        assert!(!refusals.is_general() && refusals.rests_until(now).is_none());
    }
}
