//! **Cases**: found by ticket, team, state or handoff; and one case's way from its first event to its last effect, with why.

use super::Dashboard;
use super::guard::Here;
use super::layout::{Page, Tab, encoded};
use super::reviews::short;
use super::timeline::{Event, Known, timeline};
use super::trouble::Trouble;
use crate::insight::words;
use crate::ledger::board::{CaseFilter, CaseKey, CaseLine};
use crate::ledger::waiting::Waiting;
use crate::ledger::{HandoffFilter, Ledger, Result as LedgerResult};
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Redirect, Response};
use handoffd_kit::id::{DeskId, TicketId};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// So many lines a page.
const MOST: usize = 50;
/// So many of what waits.
const MOST_WAITING: usize = 200;
/// So many verdicts, handoffs and acts of one case.
const OF_ONE: usize = 30;
/// A longer word finds nothing.
const WORD_CHARS: usize = 200;

/// What is looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Search {
    /// A ticket, DESK/TICKET, or a handoff.
    q: String,
    team: String,
    /// `open`, `over`, or both.
    state: String,
    /// Where the list goes on: MILLISECONDS/DESK/TICKET.
    after: String,
    /// A number of the page Insight, by its key.
    number: String,
    /// A number of what waits on the page Now, by its word.
    waits: String,
}

/// What was found.
#[derive(Serialize)]
pub(super) struct Cases {
    search: Search,
    teams: Vec<String>,
    cases: Vec<CaseLine>,
    /// Where the next page begins.
    next: Option<String>,
    /// What they are, where a number was followed, and the page that it stood on.
    behind: Option<String>,
    back: Option<&'static str>,
}

type Asked = Result<Query<Search>, QueryRejection>;

pub(super) async fn list(State(dashboard): State<Dashboard>, here: Here, search: Asked) -> Response {
    let page = Page::new("cases", Tab::Cases, "Cases");
    let search = match search.map_err(|_| Trouble::Wrong("this search cannot be read".into())) {
        Ok(Query(search)) => search,
        Err(trouble) => return dashboard.trouble(&here, &trouble),
    };
    match handoff_named(&dashboard, &search).await {
        Ok(Some(to)) => Redirect::to(&to).into_response(),
        Ok(None) => {
            let data = data(&dashboard, search).await;
            dashboard.page(&here, &page, data)
        }
        Err(trouble) => dashboard.trouble(&here, &trouble),
    }
}

/// The page of the case whose handoff is named.
async fn handoff_named(dashboard: &Dashboard, search: &Search) -> Result<Option<String>, Trouble> {
    let word = search.q.trim().to_owned();
    if !word.starts_with('h') || word.len() < 4 || word.len() > WORD_CHARS {
        return Ok(None);
    }
    match dashboard.reading.ask(move |ledger| Ok(ledger.handoff(&word)?.proposal)).await {
        Ok(proposal) => {
            Ok(Some(format!("/cases/{}/{}", encoded(proposal.desk.as_str()), encoded(proposal.ticket.as_str()))))
        }
        Err(Trouble::NotFound(_)) => Ok(None),
        Err(trouble) => Err(trouble),
    }
}

/// Asks for cases.
pub(super) async fn data(dashboard: &Dashboard, search: Search) -> Result<Cases, Trouble> {
    let filter = filter(&search)?;
    if !search.number.is_empty() {
        return behind(dashboard, search).await;
    }
    if !search.waits.is_empty() {
        return waiting(dashboard, search).await;
    }
    let mut cases = dashboard.reading.ask(move |ledger| ledger.case_lines(&filter)).await?;
    let more = cases.len() > MOST;
    cases.truncate(MOST);
    let next = cases.last().filter(|_| more).map(|last| {
        let CaseKey { met, desk, ticket } = last.key();
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("q", &search.q), ("team", &search.team), ("state", &search.state)] {
            query.append_pair(name, value);
        }
        format!("/cases?{}", query.append_pair("after", &format!("{met}/{desk}/{ticket}")).finish())
    });
    Ok(Cases { search, teams: teams(dashboard), cases, next, behind: None, back: None })
}

fn teams(dashboard: &Dashboard) -> Vec<String> {
    dashboard.web.sources().policy.teams.keys().map(ToString::to_string).collect()
}

/// The cases that a number counts.
async fn behind(dashboard: &Dashboard, search: Search) -> Result<Cases, Trouble> {
    let snapshot = dashboard.web.snapshot().await?;
    let gone =
        || Trouble::NotFound("no case is counted under this number now: go to Insight and follow it again".into());
    let counted =
        snapshot.as_ref().and_then(|snapshot| snapshot.behind.of(&search.number)).cloned().ok_or_else(gone)?;
    let (shown, count, more) = (counted.cases.len(), words::number(counted.count), counted.more);
    let ask = move |ledger: &Ledger| {
        let lines = counted.cases.iter().filter_map(|case| case.split_once('/'));
        lines.filter_map(|(desk, ticket)| ledger.case_line(desk, ticket).transpose()).collect()
    };
    let cases = dashboard.reading.ask(ask).await?;
    let of = if more { format!("the latest {shown} cases of them") } else { format!("in {shown} cases") };
    let behind = Some(format!("{}: {count}, {of}", search.number));
    Ok(Cases { search, teams: teams(dashboard), cases, next: None, behind, back: Some("insight") })
}

/// The cases of what waits.
async fn waiting(dashboard: &Dashboard, search: Search) -> Result<Cases, Trouble> {
    let what = Waiting::named(&search.waits);
    let what = what.ok_or_else(|| Trouble::NotFound("nothing that waits has this name: go to Now".into()))?;
    let now = dashboard.web.sources().clock.now();
    let ask = move |ledger: &Ledger| {
        let tickets = ledger.tickets_waiting(what, now, MOST_WAITING + 1)?;
        let lines =
            tickets.iter().take(MOST_WAITING).filter_map(|(desk, ticket)| ledger.case_line(desk, ticket).transpose());
        Ok((tickets.len(), lines.collect::<LedgerResult<Vec<CaseLine>>>()?))
    };
    let (found, cases) = dashboard.reading.ask(ask).await?;
    let more = if found > MOST_WAITING { format!(": the {MOST_WAITING} that wait longest") } else { String::new() };
    // What was never looked at is no case yet.
    let unmet = match found.min(MOST_WAITING) - cases.len() {
        0 => String::new(),
        unmet => format!("; {} more that were never looked at before", words::number(unmet as u64)),
    };
    let behind = Some(format!("{}{more}{unmet}", what.shown()));
    Ok(Cases { search, teams: teams(dashboard), cases, next: None, behind, back: Some("now") })
}

fn filter(search: &Search) -> Result<CaseFilter, Trouble> {
    let Search { q, team, state, after, number, waits } = search;
    let words = [("q", q), ("team", team), ("state", state), ("after", after), ("number", number), ("waits", waits)];
    for (name, word) in words {
        if word.chars().count() > WORD_CHARS {
            return Err(Trouble::Wrong(format!("{name} is longer than {WORD_CHARS} characters")));
        }
    }
    let said = |word: &str| (!word.is_empty()).then(|| word.to_owned());
    let word = search.q.trim();
    let (desk, ticket) = match word.split_once('/') {
        Some((desk, ticket)) => (said(desk.trim()), said(ticket.trim())),
        None => (None, said(word)),
    };
    let open = match search.state.as_str() {
        "" => None,
        "open" => Some(true),
        "over" => Some(false),
        _ => return Err(Trouble::Wrong("state is open or over".into())),
    };
    let after = match search.after.as_str() {
        "" => None,
        text => Some(key(text).ok_or_else(|| Trouble::Wrong("this is no place in the list".into()))?),
    };
    Ok(CaseFilter { desk, ticket, team: said(&search.team), open, after, limit: MOST + 1 })
}

fn key(text: &str) -> Option<CaseKey> {
    let mut parts = text.splitn(3, '/');
    let met = parts.next()?.parse().ok()?;
    Some(CaseKey { met, desk: parts.next()?.to_owned(), ticket: parts.next()?.to_owned() })
}

/// One case.
#[derive(Serialize)]
pub(super) struct OneCase {
    case: CaseLine,
    /// Seconds with each team so far.
    seconds_by_team: BTreeMap<String, i64>,
    events: Vec<Event>,
}

pub(super) async fn page(
    State(dashboard): State<Dashboard>,
    here: Here,
    Path((desk, ticket)): Path<(String, String)>,
) -> Response {
    let title = format!("Case {}/{}", short(&desk), short(&ticket));
    let data = one(&dashboard, desk, ticket).await;
    dashboard.page(&here, &Page::new("case", Tab::Cases, title), data)
}

/// Asks for one case.
pub(super) async fn one(dashboard: &Dashboard, desk: String, ticket: String) -> Result<OneCase, Trouble> {
    let name = short(&format!("{desk}/{ticket}"));
    let now = dashboard.web.sources().clock.now();
    let known = dashboard.reading.ask(move |ledger| known(ledger, &desk, &ticket)).await?;
    let known = known.ok_or_else(|| Trouble::NotFound(format!("handoffd has never met the ticket {name}")))?;
    let mut seconds_by_team = BTreeMap::new();
    for span in known.spans.iter().filter(|span| span.of == crate::ledger::records::SpanOf::Team) {
        if let Some(team) = &span.id {
            let held = span.until.unwrap_or(now).duration_since(span.from).as_secs().max(0);
            *seconds_by_team.entry(team.clone()).or_insert(0) += held;
        }
    }
    Ok(OneCase { events: timeline(&known), seconds_by_team, case: known.case })
}

fn known(ledger: &Ledger, desk: &str, ticket: &str) -> LedgerResult<Option<Known>> {
    let Some(case) = ledger.case_line(desk, ticket)? else { return Ok(None) };
    let (desk, ticket) = (DeskId::from(desk), TicketId::from(ticket));
    let filter = HandoffFilter {
        desk: Some(desk.clone()),
        ticket: Some(ticket.clone()),
        limit: Some(OF_ONE),
        ..HandoffFilter::default()
    };
    let handoffs = ledger.handoffs(&filter)?;
    let mut acts = ledger.acts_about(&format!("{desk}/{ticket}"), OF_ONE)?;
    for handoff in &handoffs {
        acts.extend(ledger.acts_about(&handoff.id, OF_ONE)?);
    }
    Ok(Some(Known {
        case,
        spans: ledger.ownership(&desk, &ticket)?,
        verdicts: ledger.verdicts(&desk, &ticket, OF_ONE)?,
        handoffs,
        commands: ledger.commands(&desk, &ticket)?,
        acts,
    }))
}
