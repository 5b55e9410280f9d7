//! Intake: webhooks and polls become looks. A webhook is a hint, never the truth; a poll page is a read of heads, and its
//! looks are stored in one transaction with the cursor behind it. Nothing is decided here.

mod hook;
mod poll;

pub use hook::{HookAnswer, HookRequest};
pub use poll::Polled;

use crate::desks::Desks;
use crate::ledger::Handle;
use crate::policy::rules::{Policy, Start};
use handoffd_kit::capability::Guard;
use handoffd_kit::id::{DeskId, UserId};
use handoffd_kit::settings::Seams;
use jiff::{SignedDuration, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// How long a webhook's look waits for its siblings: desks send several for one change, and each look costs a call.
const SIBLINGS: SignedDuration = SignedDuration::from_millis(25);

/// What takes tickets in.
#[derive(Clone)]
pub struct Intake {
    /// Where looks are noted.
    pub ledger: Handle,
    /// The helpdesks.
    pub desks: Desks,
    /// The policy: from when on tickets count.
    pub policy: Arc<Policy>,
    /// Time and chance.
    pub seams: Seams,
    me: Arc<Mutex<BTreeMap<DeskId, UserId>>>,
}

impl Intake {
    /// Intake for these desks.
    pub fn new(ledger: Handle, desks: Desks, policy: Arc<Policy>, seams: Seams) -> Self {
        Self { ledger, desks, policy, seams, me: Arc::default() }
    }

    /// The same intake under another configuration. Who we are on a desk is asked again where it is another one.
    pub fn under(&self, desks: Desks, policy: Arc<Policy>) -> Self {
        let mut me = self.me.lock().unwrap_or_else(PoisonError::into_inner).clone();
        me.retain(|id, _| self.desks.get(id).is_some_and(|station| desks.has(id, &station.desk)));
        Self { desks, policy, me: Arc::new(Mutex::new(me)), ..self.clone() }
    }

    /// From when on a desk's changes are read, when there is no cursor yet.
    fn start(&self, desk: &DeskId, met: Timestamp) -> Timestamp {
        match self.policy.desks.get(desk).map(|desk| desk.start) {
            Some(Start::At(start)) => start,
            Some(Start::Now) | None => met,
        }
    }

    /// When to look at a ticket that a webhook names. Where the desk compares versions that have a grain, it passes first:
    /// else a person could act right after our look, and the version would not show it.
    fn look_at(guard: Guard, now: Timestamp) -> Timestamp {
        let grain = match guard {
            Guard::Conditional { grain } => SignedDuration::try_from(grain).unwrap_or_default(),
            Guard::Leaky | Guard::Compared | Guard::None => SignedDuration::ZERO,
        };
        now + grain.max(SIBLINGS)
    }

    /// Our own account on a desk, once a poll has asked for it.
    fn me(&self, desk: &DeskId) -> Option<UserId> {
        self.me.lock().unwrap_or_else(PoisonError::into_inner).get(desk).cloned()
    }

    fn remember_me(&self, desk: &DeskId, me: UserId) {
        self.me.lock().unwrap_or_else(PoisonError::into_inner).insert(desk.clone(), me);
    }
}
