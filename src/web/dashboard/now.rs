//! **Now**: how the desks are, what their limits leave, what waits, and what is due soonest.

use super::Dashboard;
use super::guard::Here;
use super::layout::{Page, Tab};
use super::trouble::Trouble;
use crate::ledger::board::DueLine;
use crate::policy::rules::Mode;
use crate::web::figures::Figures;
use crate::web::health::{Health, health};
use crate::web::standing::Standing;
use axum::extract::State;
use axum::response::Response;
use handoffd_kit::gate::Class;
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
    href: Option<&'static str>,
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
    limits: Vec<String>,
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
    let limit = |limit: &handoffd_kit::capability::DeclaredLimit| {
        let ticket = if limit.per_ticket { " and ticket" } else { "" };
        format!("{}: {} in {} s{ticket}", limit.endpoint, limit.calls, limit.per.as_secs())
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
        limits: can.limits.iter().map(limit).collect(),
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
    let count = |value: u64, name, href| Count { value, name, href };
    vec![
        count(figures.reviews_open().into(), "reviews wait for a yes or no", Some("/reviews")),
        count(parked + troubles, "parked until a person acts", Some("/parked")),
        count(counts.looks.into(), "tickets to be looked at, now or later", None),
        count(effects(&["due", "in_flight", "unsure"]), "writes on their way", None),
        count(counts.paused.into(), "writes held by a pause", None),
        count(unclaimed, "handoffs that nobody took on in time", None),
        count(waiting, "cases that wait for a place in the hour", None),
        count(counts.overdue_tasks.into(), "tasks of agents before that are overdue", None),
        count(counts.would.into(), "cases that rules in shadow would hand off", None),
    ]
}
