//! **Now**: how the desks are, what their limits leave, what waits, and what is due soonest.

use super::Dashboard;
use super::guard::Here;
use super::layout::{Page, Tab};
use super::trouble::Trouble;
use crate::ledger::board::DueLine;
use crate::ledger::waiting::Waiting;
use crate::policy::rules::Mode;
use crate::web::figures::Figures;
use crate::web::health::{Health, health};
use crate::web::standing::Standing;
use axum::extract::State;
use axum::response::Response;
use handoffd_kit::gate::{Class, LimitNow};
use handoffd_kit::id::DeskId;
use jiff::Timestamp;
use serde::Serialize;

/// So many lines of what is due.
const DUE: usize = 15;

/// How everything is.
#[derive(Serialize)]
pub(super) struct Now {
    health: Health,
    mode: &'static str,
    policy: String,
    desks: Vec<DeskNow>,
    waits: Vec<Count>,
    due: Vec<DueLine>,
}

/// A number, what it counts, and where to look.
#[derive(Serialize)]
struct Count {
    value: u64,
    name: &'static str,
    href: Option<String>,
}

/// A limit of a desk's, and how it stands.
#[derive(Serialize)]
struct Budget {
    endpoint: &'static str,
    per_ticket: bool,
    per_s: i64,
    /// How many calls the connector declares.
    declared: u32,
    /// How many there are, as the desk's answers have corrected it.
    calls: u32,
    /// How many of them are ours by `budget`.
    ours: u32,
    /// How many of ours count now.
    used: u32,
    /// What the desk says is left for us, and until when.
    left: Option<u32>,
    until: Option<Timestamp>,
}

impl Budget {
    fn of(limit: &LimitNow) -> Self {
        let LimitNow { endpoint, per_ticket, declared, calls, ours, used, .. } = *limit;
        let (left, until) = (limit.left.map(|(left, _)| left), limit.left.map(|(_, until)| until));
        Self { endpoint, per_ticket, per_s: limit.per.as_secs(), declared, calls, ours, used, left, until }
    }
}

/// How one desk is.
#[derive(Serialize)]
struct DeskNow {
    name: String,
    connector: &'static str,
    /// In one word: `ok`, `silent`, `refuses`.
    state: &'static str,
    what: Option<String>,
    since: Option<Timestamp>,
    polled: Option<Timestamp>,
    calls: u64,
    writes: u64,
    refused: u64,
    waiting: usize,
    in_flight: usize,
    /// The vendor's limits as the gate knows them now.
    limits: Vec<Budget>,
    /// What the desk has asked us to leave alone, and until when.
    closed: Vec<(String, Timestamp)>,
}

pub(super) async fn page(State(dashboard): State<Dashboard>, here: Here) -> Response {
    let data = data(&dashboard).await;
    dashboard.page(&here, &Page::new("now", Tab::Now, "Now"), data)
}

/// Asks.
pub(super) async fn data(dashboard: &Dashboard) -> Result<Now, Trouble> {
    let sources = dashboard.web.sources();
    let standing = Standing::collect(&sources).await;
    let health = health(&standing, sources.clock.now());
    let due = dashboard.reading.ask(|ledger| ledger.due_soonest(DUE)).await.unwrap_or_default();
    let mode = match sources.policy.mode {
        Mode::Shadow => "shadow",
        Mode::Live => "live",
    };
    let figures = standing.figures.unwrap_or_default();
    let desks = sources.desks.iter().map(|(id, station)| desk(id, &figures, station.desk.capabilities())).collect();
    Ok(Now { health, mode, policy: sources.policy.version.clone(), desks, waits: waits(&figures), due })
}

fn desk(id: &DeskId, figures: &Figures, can: &handoffd_kit::capability::Capabilities) -> DeskNow {
    let trouble = figures.troubles.iter().find(|trouble| trouble.desk == *id);
    let silent = figures.silent.iter().find(|(desk, _)| desk == id).map(|(_, silence)| silence);
    let (state, what, since) = match (trouble, silent) {
        (Some(trouble), _) => ("refuses", Some(trouble.what.clone()), Some(trouble.since)),
        (None, Some(silence)) => {
            let what = if silence.answers { "its answers cannot be read" } else { "it does not answer" };
            ("silent", Some(format!("{what}: {}", silence.words)), Some(silence.since))
        }
        (None, None) => ("ok", None, None),
    };
    let gate = figures.gates.iter().find(|(desk, _)| desk == id).map(|(_, gate)| gate);
    let count = |class: Option<Class>| {
        let calls = gate.into_iter().flat_map(|gate| &gate.calls);
        calls.filter(|((_, of), _)| class.is_none_or(|class| class == *of)).map(|(_, count)| count).sum()
    };
    let closed = |(what, ticket, until): &(&str, Option<handoffd_kit::id::TicketId>, Timestamp)| {
        let ticket = ticket.as_ref().map(|ticket| format!(" of ticket {ticket}")).unwrap_or_default();
        (format!("{what}{ticket}"), *until)
    };
    DeskNow {
        name: id.to_string(),
        connector: can.connector,
        state,
        what,
        since,
        polled: figures.polls.iter().find(|poll| poll.desk == *id).map(|poll| poll.last),
        calls: count(None),
        writes: count(Some(Class::Write)),
        refused: gate.map_or(0, |gate| gate.refused),
        waiting: gate.map_or(0, |gate| gate.waiting),
        in_flight: gate.map_or(0, |gate| gate.in_flight),
        limits: gate.map(|gate| gate.limits.iter().map(Budget::of).collect()).unwrap_or_default(),
        closed: gate.map(|gate| gate.closed.iter().map(closed).collect()).unwrap_or_default(),
    }
}

fn waits(figures: &Figures) -> Vec<Count> {
    let counts = &figures.counts;
    let effects =
        |states: &[&str]| states.iter().filter_map(|state| counts.effects.get(*state)).map(|n| u64::from(*n)).sum();
    let parked = counts.parked.values().map(|(n, _)| u64::from(*n)).sum::<u64>();
    let troubles = counts.case_troubles.values().map(|(n, _)| u64::from(*n)).sum::<u64>();
    let unclaimed = counts.unclaimed.values().map(|(n, _)| u64::from(*n)).sum();
    let waiting = counts.place_waits.values().map(|n| u64::from(*n)).sum();
    let page = |value: u64, name, page: &str| Count { value, name, href: Some(page.to_owned()) };
    let count = |value: u64, name, what: Waiting| {
        let href = (value > 0).then(|| format!("/cases?waits={}", what.name()));
        Count { value, name, href }
    };
    vec![
        page(figures.reviews_open().into(), "reviews wait for a yes or no", "/reviews"),
        page(parked + troubles, "parked until a person acts", "/parked"),
        count(counts.looks.into(), Waiting::Looks.shown(), Waiting::Looks),
        count(effects(&["due", "in_flight", "unsure"]), Waiting::Writes.shown(), Waiting::Writes),
        count(counts.paused.into(), Waiting::Paused.shown(), Waiting::Paused),
        count(unclaimed, Waiting::Unclaimed.shown(), Waiting::Unclaimed),
        count(waiting, Waiting::Places.shown(), Waiting::Places),
        count(counts.overdue_tasks.into(), Waiting::Tasks.shown(), Waiting::Tasks),
        count(counts.would.into(), Waiting::Would.shown(), Waiting::Would),
    ]
}
