//! The streams of changes: every change at least once, also when many share a second, when pages overlap, and when the
//! desk shows changes late.

use super::super::ground::{Ground, Stop, Tried, ensure};
use super::super::stage::PersonAct;
use super::{Check, always};
use crate::desk::{Changed, Cursor};
use crate::id::{StreamName, TicketId};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

pub(super) const CHECKS: &[Check] = &[
    Check {
        promise: "every change shows in a stream, also one of a ticket seen before",
        not_declared: no_streams,
        try_it: |ground| Box::pin(every_change(ground)),
    },
    Check {
        promise: "many changes within one second all show",
        not_declared: no_streams,
        try_it: |ground| Box::pin(a_crowd(ground)),
    },
    Check {
        promise: "a desk that shows changes late loses none",
        not_declared: no_streams,
        try_it: |ground| Box::pin(lagging(ground)),
    },
    Check {
        promise: "our own change is known as ours, a person's never",
        not_declared: no_streams,
        try_it: |ground| Box::pin(by_us(ground)),
    },
    always("a stream that rests gives nothing without end", |ground| Box::pin(at_rest(ground))),
];

fn no_streams(capabilities: &crate::capability::Capabilities) -> Option<&'static str> {
    capabilities.streams.is_empty().then_some("no stream is declared")
}

/// Cursors of all streams of the desk.
#[derive(Default)]
struct Poller(BTreeMap<StreamName, Cursor>);

impl Poller {
    /// Reads all streams to their present end.
    async fn poll(&mut self, ground: &Ground<'_>) -> Tried<Vec<Changed>> {
        const MOST_PAGES: usize = 1_000;
        let hour = SignedDuration::from_hours(1);
        let since = ground.now().and_then(|now| now.checked_sub(hour).ok()).unwrap_or(Timestamp::UNIX_EPOCH);
        let mut changed = Vec::new();
        for stream in &ground.capabilities().streams {
            let mut pages = 0;
            loop {
                let cursor = self.0.get(&stream.name).cloned();
                let reading = ground.desk.changed_since(&stream.name, cursor.as_ref(), since);
                let page = ground.drive(reading).await??;
                changed.extend(page.changed);
                self.0.insert(stream.name.clone(), page.next);
                pages += 1;
                ensure(pages < MOST_PAGES, || format!("the stream {} never ends", stream.name))?;
                if !page.more {
                    break;
                }
            }
        }
        Ok(changed)
    }

    /// Lets the declared lag pass, then polls.
    async fn poll_late(&mut self, ground: &mut Ground<'_>) -> Tried<Vec<Changed>> {
        let lag = longest_lag(ground) + SignedDuration::from_secs(1);
        ground.stage.advance(lag).await?;
        self.poll(ground).await
    }
}

fn longest_lag(ground: &Ground<'_>) -> SignedDuration {
    let lags =
        ground.capabilities().streams.iter().map(|stream| SignedDuration::try_from(stream.lag).unwrap_or_default());
    lags.max().unwrap_or_default()
}

fn has(changed: &[Changed], ticket: &TicketId) -> bool {
    changed.iter().any(|change| change.ticket == *ticket)
}

async fn every_change(ground: &mut Ground<'_>) -> Tried {
    let mut poller = Poller::default();
    poller.poll_late(ground).await?;
    let (one, other) = (ground.ticket().await?, ground.ticket().await?);
    let changed = poller.poll_late(ground).await?;
    ensure(has(&changed, &one) && has(&changed, &other), || "a new ticket is missing".into())?;
    ground.act(&one, PersonAct::Note("looked at it".into())).await?;
    ensure(has(&poller.poll_late(ground).await?, &one), || "a colleague's note is missing".into())?;
    ground.act(&one, PersonAct::Move(ground.names.away.clone())).await?;
    ensure(has(&poller.poll_late(ground).await?, &one), || "a move is missing".into())?;
    let heads = poller.poll(ground).await?.into_iter().filter_map(|change| Some((change.ticket, change.head?.id)));
    let strange = heads.into_iter().find(|(ticket, head)| ticket != head);
    ensure(strange.is_none(), || format!("a page gives another ticket's head: {strange:?}"))
}

async fn a_crowd(ground: &mut Ground<'_>) -> Tried {
    let mut poller = Poller::default();
    poller.poll_late(ground).await?;
    let mut expected = BTreeSet::new();
    let crowd = ground.stage.crowd();
    for half in [crowd / 2, crowd - crowd / 2] {
        for _ in 0..half {
            expected.insert(ground.ticket().await?);
        }
        // In the middle of the second: what comes after must not hide behind the cursor.
        for change in poller.poll(ground).await? {
            expected.remove(&change.ticket);
        }
    }
    for change in poller.poll_late(ground).await? {
        expected.remove(&change.ticket);
    }
    ensure(expected.is_empty(), || format!("{} of {crowd} are missing", expected.len()))
}

async fn lagging(ground: &mut Ground<'_>) -> Tried {
    let lag = longest_lag(ground);
    if lag.is_zero() {
        return Err(Stop::Skipped("no lag is declared".into()));
    }
    let mut poller = Poller::default();
    poller.poll_late(ground).await?;
    ground.stage.stream_lags(lag).await?;
    let mut expected = BTreeSet::new();
    for _ in 0..4 {
        expected.insert(ground.ticket().await?);
        ground.stage.advance(lag / 3).await?;
        for change in poller.poll(ground).await? {
            expected.remove(&change.ticket);
        }
    }
    for change in poller.poll_late(ground).await? {
        expected.remove(&change.ticket);
    }
    ground.stage.stream_lags(SignedDuration::ZERO).await?;
    ensure(expected.is_empty(), || format!("{} of 4 are missing", expected.len()))
}

async fn by_us(ground: &mut Ground<'_>) -> Tried {
    let mut poller = Poller::default();
    let id = ground.ticket().await?;
    poller.poll_late(ground).await?;
    let last =
        |changed: Vec<Changed>| changed.into_iter().rfind(|change| change.ticket == id).map(|change| change.by_us);

    ground.act(&id, PersonAct::Note("a person's".into())).await?;
    let persons = last(poller.poll_late(ground).await?);
    ensure(persons == Some(false), || format!("a person's change: by us {persons:?}"))?;

    let write = ground.note(&id, "ours").await?;
    ground.apply(&write).await?;
    ground.act(&id, PersonAct::Note("a person's, after ours".into())).await?;
    let both = last(poller.poll_late(ground).await?);
    ensure(both == Some(false), || format!("ours and then a person's: by us {both:?}"))?;

    let write = ground.note(&id, "ours again").await?;
    ground.apply(&write).await?;
    match last(poller.poll_late(ground).await?) {
        Some(true) => Ok(()),
        Some(false) => {
            Err(Stop::Skipped("the stream does not say who; a person's change was never taken for ours".into()))
        }
        // Leaving our own change out would be a gap for whoever polls after a crash.
        None => Err(Stop::Failed("our own change is missing".into())),
    }
}

async fn at_rest(ground: &mut Ground<'_>) -> Tried {
    let mut poller = Poller::default();
    ground.ticket().await?;
    for _ in 0..3 {
        poller.poll_late(ground).await?;
    }
    ground.wire.take_traffic();
    poller.poll(ground).await?;
    let reads = ground.wire.take_traffic().reads;
    // A full page of overlap is fine; walking all of a quiet desk again is not.
    // One more may renew the login.
    let fair = 2 * ground.capabilities().streams.len() + 1;
    ensure(reads <= fair, || format!("a quiet poll costs {reads} reads"))
}
