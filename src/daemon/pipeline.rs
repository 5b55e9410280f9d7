//! The pipeline: takes what is due, works many cases at once and one case at a time, and waits for what is next.
//!
//! It is one future. Nothing in it is spawned, all its waits are on the clock it was given, and dropping it anywhere is a
//! crash: the seeded simulation runs exactly this code. Every wait is a row in the ledger; what it keeps in memory is only
//! what is in work this moment.

use super::house::House;
use super::running::Running;
use super::setback::Setback;
use crate::delivery::alerts::Outlet;
use crate::intake::Polled;
use crate::ledger::records::Busy;
use crate::ledger::{Ledger, LedgerError};
use crate::policy::names::AlertName;
use crate::policy::rules::Mode;
use futures::StreamExt;
use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use handoffd_kit::id::{DeskId, TicketId};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Looks worked at once: most of each is waiting for the desk.
const LOOKS_AT_ONCE: usize = 32;
/// Effects delivered at once.
const EFFECTS_AT_ONCE: usize = 16;
/// How often troubles are tried again and old payloads thrown away.
const HOUSEKEEPING: SignedDuration = SignedDuration::from_mins(1);

/// At a start, looks wait at most so long until who works in the teams is known: what is decided without knowing it goes to
/// the queues.
const KNOWS_ITS_PEOPLE: SignedDuration = SignedDuration::from_secs(30);

/// How long the pipeline runs.
#[derive(Clone, Copy, Debug)]
pub enum Until {
    /// Until it is told to stop.
    Stopped,
    /// Until nothing is due any more at or before this instant (each desk is polled once).
    NothingDueBy(Timestamp),
}

/// A finished piece of work.
enum Finished {
    Look(DeskId, TicketId),
    Effect(DeskId, TicketId, i64),
    Poll(DeskId, Polled),
    Alert(AlertName),
    Housekeeping,
}

type Piece = BoxFuture<'static, Result<Finished, LedgerError>>;

/// What is in work, and when each desk is polled next.
struct InWork {
    /// The house that took last.
    house: Arc<House>,
    /// What works: it waits for its ledger where that cannot be written.
    patient: House,
    /// How the ledger stands between this loop and its next taking.
    setback: Setback,
    running: FuturesUnordered<Piece>,
    cases: BTreeSet<(DeskId, TicketId)>,
    looks: usize,
    effects: BTreeSet<i64>,
    /// Writes that the desks were told to hold back, by their marks' keys.
    held: BTreeMap<DeskId, BTreeSet<String>>,
    polling: BTreeSet<DeskId>,
    /// Channels that are sent to.
    telling: BTreeSet<AlertName>,
    next_poll: BTreeMap<DeskId, Timestamp>,
    next_housekeeping: Timestamp,
    housekeeping: bool,
    /// The one that is under way was begun by a house that runs no more.
    outdated: bool,
    /// Looks are not taken before, unless the house has been kept once.
    looks_from: Option<Timestamp>,
    /// When what was due was last taken.
    taken_at: Timestamp,
}

impl InWork {
    fn start(house: Arc<House>) -> Self {
        let now = house.seams.clock.now();
        Self {
            patient: house.patient(),
            setback: Setback::default(),
            running: FuturesUnordered::new(),
            cases: BTreeSet::new(),
            looks: 0,
            effects: BTreeSet::new(),
            held: BTreeMap::new(),
            polling: BTreeSet::new(),
            telling: BTreeSet::new(),
            next_poll: house.polls.keys().map(|desk| (desk.clone(), now)).collect(),
            next_housekeeping: now,
            housekeeping: false,
            outdated: false,
            looks_from: (!house.rosters_wanted().is_empty()).then(|| now + KNOWS_ITS_PEOPLE),
            taken_at: now,
            house,
        }
    }

    /// Another house takes from now on.
    fn follow(&mut self, house: &Arc<House>) {
        if Arc::ptr_eq(&self.house, house) {
            return;
        }
        let now = house.seams.clock.now();
        self.next_poll.retain(|desk, _| house.polls.contains_key(desk));
        for (desk, every) in &house.polls {
            let next = self.next_poll.entry(desk.clone()).or_insert(now);
            *next = (*next).min(now + *every);
        }
        let known = self.house.rosters_wanted();
        if house.rosters_wanted().iter().any(|wanted| !known.contains(wanted)) {
            self.looks_from = Some(now + KNOWS_ITS_PEOPLE);
        }
        (self.outdated, self.next_housekeeping) = (self.housekeeping, now);
        self.patient = house.patient();
        self.house = house.clone();
    }
}

impl Running {
    /// Runs. Stopping drains: nothing new is taken, what is in work is finished. While the ledger cannot be written for a
    /// reason that may be over by itself, nothing is taken either, and what is in work waits.
    ///
    /// # Errors
    /// The ledger's, where waiting does not help: without a ledger nothing may be done.
    pub async fn run(&self, until: Until, stop: &CancellationToken) -> Result<(), LedgerError> {
        let mut work = InWork::start(self.house());
        loop {
            let house = self.house();
            work.follow(&house);
            let stopping = stop.is_cancelled();
            let next = match house.step(&mut work, until, stopping).await {
                Ok(Some(next)) => next,
                Ok(None) => return Ok(()),
                Err(error) => house.set_back(&mut work.setback, error, until)?,
            };
            tokio::select! {
                biased;
                Some(finished) = work.running.next(), if !work.running.is_empty() => house.finish(&mut work, finished?),
                () = house.wake.called() => {}
                () = stop.cancelled(), if !stopping => {}
                () = house.seams.clock.sleep_until(next), if !stopping => {}
            }
        }
    }
}

impl House {
    /// Takes what is due. Gives when there may be more; none: the run is over.
    async fn step(&self, work: &mut InWork, until: Until, stopping: bool) -> Result<Option<Timestamp>, LedgerError> {
        let now = self.seams.clock.now();
        if stopping {
            self.hold_back(work).await?;
            return Ok((!work.running.is_empty()).then_some(now));
        }
        if let Some(again) = work.setback.rests_until(now) {
            return Ok(Some(again));
        }
        self.try_the_ledger().await?;
        work.taken_at = now;
        self.take_what_is_due(work).await?;
        if work.running.is_empty() && self.nothing_left(work, until).await? {
            return Ok(None);
        }
        let next = self.next_instant(work).await?;
        work.setback = Setback::default();
        Ok(Some(next))
    }

    async fn take_what_is_due(&self, work: &mut InWork) -> Result<(), LedgerError> {
        let now = work.taken_at;
        self.take_polls(work, now);
        self.take_housekeeping(work, now);
        self.hold_back(work).await?;
        self.take_effects(work, now).await?;
        self.take_alerts(work, now).await?;
        self.take_looks(work, now).await
    }

    fn take_polls(&self, work: &mut InWork, now: Timestamp) {
        let due = |desk: &DeskId, at: &Timestamp, work: &InWork| {
            let station = self.desks.get(desk);
            let rests = station.is_some_and(|station| station.rests_until(now).is_some());
            // A desk that did not answer is asked again by a poll, as soon as its rest is over.
            let asked_again = station.is_some_and(|station| station.is_silent());
            (*at <= now || asked_again) && !rests && !work.polling.contains(desk)
        };
        let due: Vec<DeskId> =
            work.next_poll.iter().filter(|(desk, at)| due(desk, at, work)).map(|(desk, _)| desk.clone()).collect();
        for desk in due {
            work.polling.insert(desk.clone());
            let intake = work.patient.intake.clone();
            work.running.push(Box::pin(async move {
                let polled = intake.poll(&desk).await?;
                Ok(Finished::Poll(desk, polled))
            }));
        }
    }

    fn take_housekeeping(&self, work: &mut InWork, now: Timestamp) {
        if work.housekeeping || now < work.next_housekeeping {
            return;
        }
        work.housekeeping = true;
        let house = work.patient.clone();
        work.running.push(Box::pin(async move {
            house.keep_house().await?;
            Ok(Finished::Housekeeping)
        }));
    }

    /// Tells the desks which writes under way a kill switch has come after: as long as they wait for their turn, they do not
    /// leave, and the ledger has them as due. Before anything is claimed, which no switch can have come after yet.
    async fn hold_back(&self, work: &mut InWork) -> Result<(), LedgerError> {
        // What was held back before is not any more: the desks are told that, too, or it would never go out.
        if work.effects.is_empty() && work.held.is_empty() {
            return Ok(());
        }
        let shadow = self.policy.mode == Mode::Shadow;
        let held = self.ledger.call(move |ledger| ledger.to_hold_back(shadow)).await?;
        if held != work.held {
            let nothing = BTreeSet::new();
            for (desk, station) in self.desks.iter() {
                station.desk.hold_back(held.get(desk).unwrap_or(&nothing));
            }
            work.held = held;
        }
        Ok(())
    }

    async fn take_effects(&self, work: &mut InWork, now: Timestamp) -> Result<(), LedgerError> {
        while work.effects.len() < EFFECTS_AT_ONCE {
            let busy = self.busy(work.cases.clone(), work.effects.clone(), now);
            let Some(claimed) = self.ledger.call(move |ledger| ledger.claim_due_effect(now, &busy)).await? else {
                return Ok(());
            };
            let (desk, ticket, id) =
                (claimed.effect.desk.clone(), claimed.effect.write.ticket.clone(), claimed.effect.id);
            work.cases.insert((desk.clone(), ticket.clone()));
            work.effects.insert(id);
            let delivery = work.patient.delivery.clone();
            work.running.push(Box::pin(async move {
                delivery.deliver(claimed).await?;
                Ok(Finished::Effect(desk, ticket, id))
            }));
        }
        Ok(())
    }

    /// One alert of each channel that is free: they wait for nothing but their channel.
    async fn take_alerts(&self, work: &mut InWork, now: Timestamp) -> Result<(), LedgerError> {
        let free = self.free_channels(work, now);
        if free.is_empty() {
            return Ok(());
        }
        for claimed in self.alert_delivery().claim(free, now).await? {
            let name = claimed.record.channel.clone();
            work.telling.insert(name.clone());
            let delivery = work.patient.alert_delivery();
            work.running.push(Box::pin(async move {
                delivery.deliver(claimed).await?;
                Ok(Finished::Alert(name))
            }));
        }
        Ok(())
    }

    /// Channels that may be sent to now. In shadow nobody is told anything.
    fn free_channels(&self, work: &InWork, now: Timestamp) -> Vec<AlertName> {
        if self.policy.mode == Mode::Shadow {
            return Vec::new();
        }
        let all = self.alerts.iter().filter(|(name, _)| !work.telling.contains(*name));
        let free = |outlet: &Outlet| outlet.rests_until(now).is_none() && outlet.paced_until(now).is_none();
        all.filter(|(_, outlet)| free(outlet)).map(|(name, _)| name.clone()).collect()
    }

    /// Channels whose next alert is waited for, each with how long it is left alone.
    fn awaited_channels(&self, work: &InWork, now: Timestamp) -> Vec<(AlertName, Option<Timestamp>)> {
        let awaited = |name: &AlertName| self.policy.mode != Mode::Shadow && !work.telling.contains(name);
        let all = self.alerts.iter().filter(|(name, _)| awaited(name));
        all.map(|(name, outlet)| (name.clone(), outlet.rests_until(now))).collect()
    }

    async fn take_looks(&self, work: &mut InWork, now: Timestamp) -> Result<(), LedgerError> {
        let room = LOOKS_AT_ONCE.saturating_sub(work.looks);
        if room == 0 || work.looks_from.is_some_and(|from| now < from) {
            return Ok(());
        }
        let busy = self.busy(work.cases.clone(), BTreeSet::new(), now);
        let looks = self.ledger.call(move |ledger| ledger.due_looks(now, room, &busy)).await?;
        for look in looks {
            let (desk, ticket) = (look.desk.clone(), look.ticket.clone());
            work.cases.insert((desk.clone(), ticket.clone()));
            work.looks += 1;
            let cases = work.patient.cases.clone();
            work.running.push(Box::pin(async move {
                cases.work(look).await?;
                Ok(Finished::Look(desk, ticket))
            }));
        }
        Ok(())
    }

    fn finish(&self, work: &mut InWork, finished: Finished) {
        let now = self.seams.clock.now();
        match finished {
            Finished::Look(desk, ticket) => {
                work.looks -= 1;
                work.cases.remove(&(desk, ticket));
            }
            Finished::Effect(desk, ticket, id) => {
                work.effects.remove(&id);
                work.cases.remove(&(desk, ticket));
            }
            Finished::Poll(desk, polled) => {
                let every = self.polls.get(&desk).copied().unwrap_or(HOUSEKEEPING);
                let next = match polled {
                    Polled::More => now,
                    Polled::UpToDate => now + every,
                    Polled::Failed(_, again) => again.max(now + every),
                };
                work.polling.remove(&desk);
                if self.polls.contains_key(&desk) {
                    work.next_poll.insert(desk, next);
                }
            }
            Finished::Alert(name) => drop(work.telling.remove(&name)),
            Finished::Housekeeping => {
                work.housekeeping = false;
                if !std::mem::take(&mut work.outdated) {
                    work.looks_from = None;
                    work.next_housekeeping = now + HOUSEKEEPING;
                }
            }
        }
    }

    /// Whether a bounded run is over.
    async fn nothing_left(&self, work: &mut InWork, until: Until) -> Result<bool, LedgerError> {
        let Until::NothingDueBy(limit) = until else { return Ok(false) };
        let due = self.next_row(work).await?;
        Ok(due.is_none_or(|due| due > limit))
    }

    /// The next instant at which something may have to be done.
    async fn next_instant(&self, work: &mut InWork) -> Result<Timestamp, LedgerError> {
        // What became due since the last taking counts as next, or it would be slept over.
        let now = work.taken_at;
        let rows = self.next_row(work).await?;
        let polls = work.next_poll.iter().filter(|(desk, _)| !work.polling.contains(*desk)).map(|(_, at)| *at);
        let stations = || self.desks.iter().map(|(_, station)| station);
        let rests = stations().filter_map(|station| station.rests_until(now));
        let rests = rests.chain(stations().filter_map(|station| station.refuses_until(now)));
        let paces = self.alerts.iter().filter_map(|(_, outlet)| outlet.paced_until(now));
        let house = (!work.housekeeping).then_some(work.next_housekeeping);
        let later = |at: &Timestamp| *at > now;
        let next = polls.chain(rests).chain(paces).chain(house).chain(rows).chain(work.looks_from).filter(later).min();
        Ok(next.unwrap_or(now + HOUSEKEEPING))
    }

    fn busy(&self, cases: BTreeSet<(DeskId, TicketId)>, effects: BTreeSet<i64>, now: Timestamp) -> Busy {
        let (desks, tried, only) = (self.desks.left_alone(now), self.desks.tried(), Some(self.desks.names()));
        Busy { cases, effects, desks, only, tried, shadow: self.policy.mode == Mode::Shadow }
    }

    /// The next look, effect or alert that is due and not in work, and whose desk or channel is not left alone.
    async fn next_row(&self, work: &mut InWork) -> Result<Option<Timestamp>, LedgerError> {
        let now = self.seams.clock.now();
        let busy = self.busy(work.cases.clone(), work.effects.clone(), now);
        let channels = self.awaited_channels(work, now);
        let due = move |ledger: &mut Ledger| {
            let row = ledger.next_due(&busy)?;
            let mut next: Vec<Timestamp> = row.into_iter().collect();
            for (name, rests) in &channels {
                next.extend(ledger.next_alert_due(name)?.map(|due| rests.map_or(due, |rests| rests.max(due))));
            }
            Ok(next.into_iter().min())
        };
        self.ledger.call(due).await
    }
}
