//! 500 tickets change on a live tenant; every event is posted twice and in any order, one in twenty write answers is lost
//! after the write, and the real daemon is killed again and again in the middle of its work. In the end every ticket that
//! is to be escalated was, once.

use crate::cast::{self, Kind, POLICY, Part};
use crate::census::{census, cost};
use crate::daemon::{Daemon, events, until};
use crate::desk::Tenant;
use crate::desk::faults::{Does, Fault};
use crate::desk::hooks::Event;
use crate::desk::serve::{Shared, serve, with};
use fastrand::Rng;
use handoffd::clock::SystemClock;
use handoffd_kit::clock::Clock;
use jiff::SignedDuration;
use std::collections::BTreeSet;
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

const SEED: u64 = 20_260_503;
/// Tickets of each round.
const ROUND: usize = 100;
/// Everything that another process decides is waited for at most so long. A write whose request was under way when the
/// process was killed, and never arrived, is sent again only after the desk's settle time and a second look: three minutes.
pub const PATIENCE: SignedDuration = SignedDuration::from_mins(5);

/// The real daemon, the tenant it talks to, and what happens between them.
pub struct Storm {
    pub daemon: Daemon,
    pub tenant: Shared,
    pub random: Rng,
    /// Events that the daemon has not taken yet.
    waiting: Vec<Event>,
    pub parts: Vec<Part>,
    disturbed: BTreeSet<i64>,
    kills: u32,
}

impl Storm {
    pub async fn begin() -> Self {
        let tenant = Arc::new(Mutex::new(Tenant::new()));
        let daemon = Daemon::new(POLICY, serve(tenant.clone()).await);
        let random = Rng::with_seed(SEED);
        Self { daemon, tenant, random, waiting: Vec::new(), parts: Vec::new(), disturbed: BTreeSet::new(), kills: 0 }
    }

    /// A round's tickets change, all at once.
    pub fn change(&mut self, round: &[Part]) {
        let now = SystemClock.now();
        with(&self.tenant, |tenant| round.iter().for_each(|part| cast::happen(tenant, part, now)));
        self.parts.extend(round);
    }

    /// What the tenant has to tell, and what the daemon did not take before, is posted.
    async fn post(&mut self, wanted: &(dyn Fn() -> bool + Sync)) {
        self.waiting.extend(with(&self.tenant, |tenant| events(tenant, &mut self.random)));
        let waiting = std::mem::take(&mut self.waiting);
        self.waiting = self.daemon.door.post_all(waiting, wanted).await;
    }

    /// Posts until it is so.
    pub async fn until(&mut self, what: &str, so: impl Fn(&Tenant) -> bool) {
        let tenant = self.tenant.clone();
        let fine = until(PATIENCE, async || {
            self.post(&|| true).await;
            with(&tenant, |tenant| so(tenant))
        });
        let fine = fine.await;
        assert!(fine, "{what}: not within {PATIENCE:#}; the daemon said:\n{}", self.daemon.log());
    }

    /// Everything that is to be escalated yet was, and the daemon has nothing left to do.
    pub async fn settle(&mut self) {
        let refunds: Vec<i64> = refunds(&self.parts).collect();
        let handed = move |tenant: &Tenant| refunds.iter().all(|id| tenant.journal.written(*id).count() > 0);
        self.until("the handoffs of this round", handed).await;
        let door = self.daemon.door.clone();
        assert!(until(PATIENCE, async || door.is_quiet().await).await, "not quiet:\n{}", self.daemon.log());
    }

    /// `kill -9`, and up again with a desk that works.
    async fn kill(&mut self) {
        self.daemon.kill();
        self.kills += 1;
        let under_way = with(&self.tenant, |tenant| {
            tenant.faults.clear();
            let asked = |id: &i64| tenant.journal.requests.iter().any(|asked| asked.ticket == Some(*id));
            let done = |id: &i64| tenant.journal.written(*id).any(|written| written.answered);
            refunds(&self.parts).filter(|id| asked(id) && !done(id)).collect::<Vec<_>>()
        });
        self.disturbed.extend(under_way);
        self.daemon.start().await;
    }

    pub fn fault(&self, fault: Fault) {
        with(&self.tenant, |tenant| tenant.faults.push(fault));
    }
}

pub fn refunds(parts: &[Part]) -> impl Iterator<Item = i64> {
    parts.iter().filter(|part| part.kind == Kind::LargeRefund).map(|part| part.ticket)
}

/// How many requests of this kind wait for an answer that never comes.
fn held(tenant: &Tenant, endpoint: &str) -> usize {
    let unanswered = |asked: &&crate::desk::journal::Asked| asked.endpoint == endpoint && !asked.answered;
    tenant.journal.requests.iter().filter(unanswered).count()
}

/// Killed while half of the events have been taken, some are under way, and nothing has been read.
async fn killed_while_taking_in(storm: &mut Storm, round: &[Part]) {
    storm.fault(Fault::always(Does::Hold, |question| question.way.ticket().is_some()));
    storm.change(round);
    let taken = Arc::new(AtomicUsize::new(0));
    storm.waiting.extend(with(&storm.tenant, |tenant| events(tenant, &mut storm.random)));
    let (door, waiting, seen) = (storm.daemon.door.clone(), std::mem::take(&mut storm.waiting), taken.clone());
    let wanted = move || seen.fetch_add(1, Ordering::Relaxed) < ROUND + 20;
    let posting = tokio::spawn(async move { door.post_all(waiting, &wanted).await });
    assert!(until(PATIENCE, async || taken.load(Ordering::Relaxed) >= ROUND).await, "events are not taken");
    storm.kill().await;
    storm.waiting = posting.await.expect("no panic");
}

/// Killed when all writes of the round have been done and none is known to have been.
async fn killed_after_the_writes(storm: &mut Storm, round: &[Part]) {
    let writes = refunds(round).count();
    let before = with(&storm.tenant, |tenant| held(tenant, "update"));
    storm.fault(Fault::always(Does::Hold, |question| question.way.writes()));
    storm.change(round);
    storm.until("all writes of the round", |tenant| held(tenant, "update") - before == writes).await;
    storm.kill().await;
}

/// Killed between a ticket's head and its history.
async fn killed_while_reading(storm: &mut Storm, round: &[Part]) {
    let before = with(&storm.tenant, |tenant| held(tenant, "audits"));
    storm.fault(Fault::always(Does::Hold, |question| question.way.endpoint() == "audits"));
    storm.change(round);
    storm.until("histories being read", |tenant| held(tenant, "audits") > before + 3).await;
    storm.kill().await;
}

/// The answers of some writes are lost, and the process is killed while it looks them up.
async fn killed_while_looking_up(storm: &mut Storm, round: &[Part]) {
    let lost: Vec<i64> = refunds(round).take(3).collect();
    for id in lost.clone() {
        storm.fault(Fault::once(Does::CutAfter, move |question| {
            question.way.writes() && question.way.ticket() == Some(id)
        }));
    }
    storm.change(round);
    let (tenant, written) = (storm.tenant.clone(), lost.clone());
    let all_written = move |tenant: &Tenant| written.iter().all(|id| tenant.journal.written(*id).count() == 1);
    storm.until("the writes whose answers are lost", all_written).await;
    // Two seconds later each of them is looked up.
    let before = with(&tenant, |tenant| held(tenant, "audits"));
    let hold = lost.clone();
    storm.fault(Fault::always(Does::Hold, move |question| {
        question.way.endpoint() == "audits" && question.way.ticket().is_some_and(|id| hold.contains(&id))
    }));
    storm.until("look-ups", |tenant| held(tenant, "audits") == before + lost.len()).await;
    storm.kill().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_ticket_is_handed_off_once_whatever_is_lost_repeated_reordered_or_killed() {
    let mut storm = Storm::begin().await;
    let now = SystemClock.now();
    // Few escalations in the rounds with a kill: what the daemon has claimed by then must have reached the tenant.
    let rounds: Vec<Vec<Part>> = [8, 6, 36, 8, 12]
        .map(|refunds| with(&storm.tenant, |tenant| cast::round(tenant, &mut storm.random, ROUND, refunds, now)))
        .into();
    storm.daemon.start().await;

    killed_while_taking_in(&mut storm, &rounds[0]).await;
    storm.settle().await;
    killed_after_the_writes(&mut storm, &rounds[1]).await;
    storm.settle().await;
    // One in twenty of all escalations, those of the last round included.
    let lost = 1; // with the three of the last round: four of seventy
    for id in refunds(&rounds[2]).take(lost) {
        storm.fault(Fault::once(Does::CutAfter, move |question| {
            question.way.writes() && question.way.ticket() == Some(id)
        }));
    }
    storm.change(&rounds[2]);
    storm.settle().await;
    killed_while_reading(&mut storm, &rounds[3]).await;
    storm.settle().await;
    killed_while_looking_up(&mut storm, &rounds[4]).await;
    storm.settle().await;

    let handoffs = storm.daemon.list(&["handoffs", "list", "--limit", "1000"]);
    let parked = storm.daemon.list(&["parked", "list"]);
    assert!(storm.daemon.stop().success(), "drains and ends well");
    with(&storm.tenant, |tenant| {
        let wrong = census(tenant, &storm.parts, &[]);
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        let cost = cost(tenant, &storm.parts, &storm.disturbed);
        let _ = writeln!(
            std::io::stderr(),
            "{} tickets, {} kills, {} requests, {} told to wait; handoffs by (reads, writes): {:?}, {} disturbed",
            storm.parts.len(),
            storm.kills,
            tenant.journal.requests.len(),
            tenant.limits.refused,
            cost.spread,
            cost.disturbed
        );
        assert!(cost.too_much().is_empty(), "{}", cost.too_much().join("\n"));
        assert!(cost.spread.values().sum::<usize>() > 30, "most handoffs must be measurable");
    });
    let expected = refunds(&storm.parts).count();
    let states = handoffs.as_array().expect("a list").iter().map(|handoff| handoff["state"].as_str().expect("a state"));
    let sent = states.filter(|state| ["verifying", "settled"].contains(state)).count();
    assert_eq!((sent, handoffs.as_array().expect("a list").len()), (expected, expected), "{handoffs:#}");
    assert_eq!(parked.as_array().map(Vec::len), Some(0), "{parked:#}");
}
