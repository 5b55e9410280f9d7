//! Kill switches in the middle of a day, set and cleared by a person who says it until it is done, and what must hold then: two
//! seconds after a pause nothing begins that it holds back.

use crate::checker::{Scene, ours};
use crate::moves::cause_of;
use crate::tally::Tally;
use fastrand::Rng;
use handoffd::daemon::control::{Command, Order, execute};
use handoffd::daemon::running::Running;
use handoffd::ledger::records::Switch;
use handoffd::plan::carries_out;
use handoffd_kit::mark::Mark;
use handoffd_sandbox::journal::{Effect, Journal, Kind};
use jiff::{SignedDuration, Timestamp};
use std::cell::RefCell;
use std::rc::Rc;

/// So soon a pause takes effect.
const WITHIN: SignedDuration = SignedDuration::from_secs(2);
/// The latest that a write arrives whose answer was given up.
const LATE: SignedDuration = SignedDuration::from_secs(20);
/// When a person says again what was not done.
const AGAIN: SignedDuration = SignedDuration::from_secs(20);

/// What is paused on a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paused {
    /// Everything.
    All,
    /// The desk.
    Desk,
    /// One rule.
    Rule(&'static str),
}

impl Paused {
    fn switch(self) -> Switch {
        match self {
            Paused::All => Switch::All,
            Paused::Desk => Switch::Desk("acme".into()),
            Paused::Rule(rule) => Switch::Rule(rule.into()),
        }
    }
}

/// From when until when, and what: one after the other.
pub fn of_a_day(random: &mut Rng, begin: Timestamp) -> Vec<(Timestamp, Timestamp, Paused)> {
    let mut at = begin;
    let mut pauses = Vec::new();
    for _ in 0..random.u8(0..4) {
        let what = match random.u8(0..6) {
            0 => Paused::All,
            1 => Paused::Desk,
            2 => Paused::Rule("premium-outage"),
            3 => Paused::Rule("invoices"),
            _ => Paused::Rule("refund-over-limit"),
        };
        at += SignedDuration::from_secs(random.i64(600..6 * 3_600));
        let until = at + SignedDuration::from_secs(random.i64(60..5_400));
        pauses.push((at, until, what));
        at = until;
    }
    pauses.retain(|(_, until, _)| *until < begin + SignedDuration::from_hours(23));
    pauses
}

/// A pause: since its order was carried out, until the order to go on was given.
#[derive(Clone, Copy, Debug)]
pub struct Pause {
    what: Paused,
    from: Timestamp,
    to: Option<Timestamp>,
}

/// What a person wants, and what came of it.
#[derive(Debug, Default)]
pub struct Switches {
    wanted: Vec<(Paused, bool)>,
    pauses: Vec<Pause>,
}

impl Switches {
    /// Pauses that there were.
    pub fn pauses(&self) -> &[Pause] {
        &self.pauses
    }

    /// A person wants this to be paused, or to go on.
    pub fn want(&mut self, what: Paused, on: bool, now: Timestamp) {
        if !on {
            self.pauses
                .iter_mut()
                .filter(|pause| pause.what == what)
                .for_each(|pause| pause.to = pause.to.or(Some(now)));
        }
        self.wanted.push((what, on));
    }

    fn done(&mut self, (what, on): (Paused, bool), now: Timestamp) {
        self.wanted.retain(|wanted| *wanted != (what, on));
        if on && !self.wanted.contains(&(what, false)) {
            self.pauses.push(Pause { what, from: now, to: None });
        }
    }
}

/// Gives the orders that are not carried out yet, each until it is.
pub async fn give(running: Running, switches: Rc<RefCell<Switches>>) {
    loop {
        let Some(next) = switches.borrow().wanted.first().copied() else { return };
        let command = Command::Switch { switch: next.0.switch(), on: next.1 };
        let house = running.house();
        let order = Order { command, by: "billing-1@acme.example".into() };
        let done = execute(&house, order, "simulation").await;
        let now = house.seams.clock.now();
        match done {
            Ok(_) => switches.borrow_mut().done(next, now),
            Err(_) => house.seams.clock.sleep_until(now + AGAIN).await,
        }
    }
}

/// Nothing that a switch holds back has begun two seconds after it.
pub fn nothing_while_paused(scene: &Scene<'_>, journal: &Journal, tally: &mut Tally) -> Vec<String> {
    let mut wrong = Vec::new();
    for Pause { what, from, to } in scene.pauses {
        tally.count("pauses", 1);
        let (from, to) = (*from + WITHIN, to.unwrap_or(Timestamp::MAX));
        let within = |effect: &&Effect| from < effect.at && effect.at < to;
        let held = ours(journal).filter(within).filter(|effect| holds(*what, scene, journal, effect));
        let late = |effect: &&Effect| had_left(journal, effect, from);
        wrong.extend(held.filter(|effect| !late(effect)).map(|effect| {
            format!(
                "{} was written to at {}, {what:?} was paused at {from}: {}",
                effect.ticket.0, effect.at, effect.what
            )
        }));
    }
    wrong
}

/// Whether this switch holds such a write back. A paused rule's handoffs can still be undone.
fn holds(what: Paused, scene: &Scene<'_>, journal: &Journal, effect: &Effect) -> bool {
    let Paused::Rule(rule) = what else { return true };
    // What carries no mark and moves nothing belongs to something else: to a command, or to what was asked before.
    let marked = effect.what == "queue" || effect.text.as_deref().and_then(Mark::in_text).is_some();
    let cause = cause_of(journal, scene.ledger, effect).filter(|_| marked);
    cause.is_some_and(|(mark, _)| mark.rule == rule && carries_out(mark.number))
}

/// Whether the request had left before, and only arrived late.
fn had_left(journal: &Journal, effect: &Effect, before: Timestamp) -> bool {
    let late = |asked: &&handoffd_sandbox::journal::Asked| {
        asked.kind == Kind::Write && asked.fault == Some("late") && asked.ticket.is_none_or(|no| no == effect.ticket)
    };
    let mut asked = journal.requests.iter().filter(late);
    asked.any(|asked| asked.at <= before && effect.at <= asked.at + LATE)
}
