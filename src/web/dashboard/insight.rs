//! **Insight**: what handoffs really do, in charts and tables; every number leads to the cases that it counts.

use super::Dashboard;
use super::guard::Here;
use super::layout::{Page, Tab};
use super::trouble::Trouble;
use crate::insight::behind::{Behind, Snapshot, key};
use crate::insight::figures::{Figures, definitions};
use crate::insight::log::Length;
use crate::insight::page::{Chart, OverusedRow, Tile, charts, overused, tiles};
use crate::insight::stats::Share;
use crate::insight::words;
use axum::extract::State;
use axum::response::Response;
use jiff::Timestamp;
use serde::Serialize;

/// So many rows of a table.
const ROWS: usize = 20;

/// A number and where its cases are.
#[derive(Serialize)]
struct Number {
    shown: String,
    href: Option<String>,
}

/// The page.
#[derive(Serialize)]
struct Shown<'s> {
    at: Timestamp,
    tiles: Vec<Tile>,
    charts: Vec<Chart>,
    paths: Vec<PathLine<'s>>,
    rules: Vec<RuleLine<'s>>,
    gaps: Vec<GapLine<'s>>,
    overused: Vec<OverusedRow<'s>>,
    definitions: &'static [(&'static str, &'static str)],
}

#[derive(Serialize)]
struct PathLine<'s> {
    from: &'s str,
    to: &'s str,
    transfers: Number,
    bounced: Number,
    returned: Number,
    wait_p50: Number,
    wait_p90: Number,
}

#[derive(Serialize)]
struct RuleLine<'s> {
    rule: &'s str,
    handoffs: Number,
    bounced: Number,
    approved: Number,
    rejected: Number,
    incomplete: Number,
    unclaimed: Number,
    weak: Number,
    good: Number,
    poor: Number,
    claim_p50: Number,
}

#[derive(Serialize)]
struct GapLine<'s> {
    from: &'s str,
    to: &'s str,
    part: &'s str,
    missing: Number,
}

pub(super) async fn page(State(dashboard): State<Dashboard>, here: Here) -> Response {
    let page = Page::new("insight", Tab::Insight, "Insight");
    match dashboard.web.snapshot().await.map_err(Trouble::from) {
        Ok(Some(snapshot)) => dashboard.page(&here, &page, Ok(shown(&snapshot))),
        Ok(None) => dashboard.page(&here, &page, Ok(serde_json::json!({ "at": null }))),
        Err(trouble) => dashboard.trouble(&here, &trouble),
    }
}

/// Where a number's cases are; none: it counts none.
fn leads(behind: &Behind, key: String) -> Option<String> {
    if key == "cases" {
        return Some("/cases".to_owned());
    }
    behind.of(&key)?;
    let query: String = url::form_urlencoded::byte_serialize(key.as_bytes()).collect();
    Some(format!("/cases?number={query}"))
}

fn shown(snapshot: &Snapshot) -> Shown<'_> {
    let Snapshot { figures, behind, at } = snapshot;
    let leads = |key: String| leads(behind, key);
    let number = |count: u64, key: String| Number { shown: words::number(count), href: leads(key) };
    let path = |path: &crate::insight::figures::PathRow| {
        let (from, to) = (path.from_team.as_str(), path.to_team.as_str());
        (number(path.transfers, key::path(from, to)), number(path.bounce_7d, key::path_bounced(from, to)))
    };
    let paths = figures.paths.iter().take(ROWS).map(|row| {
        let (transfers, bounced) = path(row);
        PathLine {
            from: &row.from_team,
            to: &row.to_team,
            transfers,
            bounced,
            returned: number(row.return_7d, key::path_returned(&row.from_team, &row.to_team)),
            wait_p50: length(row.wait_p50_s, leads(key::path_picked(&row.from_team, &row.to_team))),
            wait_p90: length(row.wait_p90_s, leads(key::path_picked(&row.from_team, &row.to_team))),
        }
    });
    let gaps = figures.handoffs.iter().flat_map(|handoffs| &handoffs.gaps).take(ROWS).map(|gap| GapLine {
        from: &gap.from,
        to: &gap.to,
        part: &gap.part,
        missing: share(gap.missing, leads(key::gap(&gap.from, &gap.to, &gap.part))),
    });
    Shown {
        at: *at,
        tiles: tiles(figures, &leads),
        charts: charts(figures, &leads),
        paths: paths.collect(),
        rules: rules(figures, &leads),
        gaps: gaps.collect(),
        overused: figures.overused.iter().take(ROWS).map(|path| overused(path, &leads)).collect(),
        definitions: &definitions::DEFINITIONS,
    }
}

fn share(of: Share, href: Option<String>) -> Number {
    Number { shown: words::counted(of), href }
}

fn length(of: Option<Length>, href: Option<String>) -> Number {
    Number { shown: words::length(of), href }
}

fn rules<'s>(figures: &'s Figures, leads: &dyn Fn(String) -> Option<String>) -> Vec<RuleLine<'s>> {
    let number = |count: u64, key: String| Number { shown: words::number(count), href: leads(key) };
    let of_rule = figures.handoffs.iter().flat_map(|handoffs| &handoffs.by_rule).take(ROWS);
    let line = of_rule.map(|row| {
        let bounced =
            figures.rules.iter().find(|moved| moved.rule == row.rule).map_or(0, |moved| moved.bounces.ever.count);
        let of = |count: u64, what: &str| number(count, key::handoffs(&row.rule, what));
        RuleLine {
            rule: &row.rule,
            handoffs: of(row.handoffs, "all"),
            bounced: number(bounced, key::rule_bounced(&row.rule)),
            approved: of(row.reviews.approved, "approved"),
            rejected: of(row.reviews.rejected, "rejected"),
            incomplete: of(row.incomplete.count, "incomplete"),
            unclaimed: of(row.unclaimed, "unclaimed"),
            weak: of(row.weak_triage.count, "weak"),
            good: of(row.rated_good.count, "rated-good"),
            poor: of(row.rated_good.of - row.rated_good.count, "rated-poor"),
            claim_p50: length(row.claim.p50_s, leads(key::handoffs(&row.rule, "claimed"))),
        }
    });
    line.collect()
}
