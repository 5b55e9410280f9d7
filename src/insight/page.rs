//! The figures as one self-contained HTML page: charts are SVG made here, nothing is fetched, every name is escaped.

use super::behind::key;
use super::chart::{self, Bar, Cell, Column, Whisker};
use super::figures::{Figures, PathRow, TeamRow, definitions};
use super::log::{Length, Repairs};
use super::stats::Share;
use super::words;
use minijinja::value::{Serde, Value};
use minijinja::{AutoEscape, Environment};
use serde::Serialize;

const TEMPLATE: &str = include_str!("page.html");

/// So many rows of a table, or bars of a chart.
const ROWS: usize = 20;

/// The page.
///
/// # Errors
/// The template's: a bug.
pub fn render(figures: &Figures) -> Result<String, minijinja::Error> {
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_filter("number", words::number);
    environment.add_filter("seconds", |seconds: Option<f64>| seconds.map_or("–".to_owned(), words::seconds));
    environment.add_template("page", TEMPLATE)?;
    let page = Page {
        figures,
        repairs: figures.source.repairs.as_ref().map_or(Vec::new(), Repairs::lines),
        tiles: tiles(figures, &nowhere),
        charts: charts(figures, &nowhere),
        paths: figures.paths.iter().take(ROWS).collect(),
        teams: figures.teams.iter().take(ROWS).collect(),
        overused: figures.overused.iter().take(ROWS).map(|path| overused(path, &nowhere)).collect(),
        definitions: &definitions::DEFINITIONS,
    };
    environment.get_template("page")?.render(Serde(&page))
}

/// Where the number of a key leads.
pub type Leads<'l> = &'l dyn Fn(String) -> Option<String>;

/// A file leads nowhere.
fn nowhere(_: String) -> Option<String> {
    None
}

/// What the template sees.
#[derive(Serialize)]
struct Page<'f> {
    figures: &'f Figures,
    repairs: Vec<String>,
    tiles: Vec<Tile>,
    charts: Vec<Chart>,
    paths: Vec<&'f PathRow>,
    teams: Vec<&'f TeamRow>,
    overused: Vec<OverusedRow<'f>>,
    definitions: &'f [(&'static str, &'static str)],
}

/// A figure that stands out.
#[derive(Serialize)]
pub struct Tile {
    value: String,
    name: &'static str,
    note: String,
    href: Option<String>,
}

/// The figures that stand out.
pub fn tiles(figures: &Figures, leads: Leads<'_>) -> Vec<Tile> {
    let volumes = &figures.volumes;
    let handed = Share::new(volumes.cases_handed_over[0], volumes.cases);
    let mut tiles = vec![
        Tile {
            value: words::number(volumes.cases),
            name: "cases",
            note: match volumes.events {
                0 => String::new(),
                events => format!("{} events", words::number(events)),
            },
            href: leads("cases".into()),
        },
        Tile {
            value: words::number(volumes.transfers),
            name: "transfers",
            note: format!("on {} paths; {} of cases", words::number(volumes.paths), words::share(handed)),
            href: leads(key::TRANSFERS.into()),
        },
        Tile {
            value: words::number(figures.bounces.windows.within_7d.count),
            name: "bounced within 7 days",
            note: words::share(figures.bounces.windows.within_7d),
            href: leads(key::BOUNCED.into()),
        },
        Tile {
            value: words::length(figures.waits.wait.p50_s),
            name: "wait after a transfer, p50",
            note: format!("p90 {}, n {}", words::length(figures.waits.wait.p90_s), words::number(figures.waits.picked)),
            href: leads(key::PICKED.into()),
        },
    ];
    if let Some(tiers) = &figures.tiers {
        let contained = tiers.containment.contained;
        tiles.push(Tile {
            value: words::number(contained.count),
            name: "contained in the first tier",
            note: words::share(contained),
            href: leads(key::CONTAINED.into()),
        });
    }
    tiles
}

/// A chart with its words.
#[derive(Serialize)]
pub struct Chart {
    title: &'static str,
    note: &'static str,
    svg: Value,
}

/// All charts that have something to show.
pub fn charts(figures: &Figures, leads: Leads<'_>) -> Vec<Chart> {
    let chart = |title, note, svg: String| Chart { title, note, svg: Value::from_safe_string(svg) };
    let mut charts = vec![
        chart(
            "Busiest paths",
            "The dark part returned to the giving team within 7 days.",
            chart::bars(
                "Transfers by path",
                &figures.paths.iter().take(ROWS).map(|path| path_bar(path, leads)).collect::<Vec<_>>(),
            ),
        ),
        chart(
            "What comes back most",
            "Share returned within 7 days, with its 95 % interval; paths with 20 transfers or more.",
            chart::whiskers(
                "Share returned by path",
                &figures.worst_paths.iter().take(ROWS).map(|path| worst(path, leads)).collect::<Vec<_>>(),
            ),
        ),
        chart(
            "Cases by number of transfers",
            "",
            chart::columns("Cases by number of transfers", &by_transfers(&figures.volumes.cases_by_transfers, leads)),
        ),
        chart(
            "Wait after a transfer",
            "p50, p90 and p95 by the tier that received, on a scale of tens.",
            chart::spans("Wait by tier", &waits(figures, leads)),
        ),
        chart(
            "Time by number of transfers",
            "Medians, with their 95 % interval.",
            chart::spans("Median time by number of transfers", &times(figures, leads)),
        ),
    ];
    if let Some(tiers) = &figures.tiers {
        let cells: Vec<Cell<'_>> = tiers
            .matrix
            .iter()
            .map(|cell| Cell {
                row: &cell.from,
                column: &cell.to,
                value: cell.transfers,
                note: format!(
                    "{} transfers; bounced {}; wait p50 {}",
                    words::number(cell.transfers),
                    words::share(Share::new(cell.bounced, cell.transfers)),
                    words::length(cell.wait_p50_s)
                ),
                href: leads(key::tiers(&cell.from, &cell.to)),
            })
            .collect();
        charts.push(chart(
            "From tier to tier",
            "Rows give, columns receive.",
            chart::heat("Transfers between tiers", &cells),
        ));
    }
    charts.retain(|chart| !chart.svg.as_str().unwrap_or_default().is_empty());
    charts
}

fn path_bar(path: &PathRow, leads: Leads<'_>) -> Bar {
    Bar {
        label: format!("{} → {}", path.from_team, path.to_team),
        value: path.transfers,
        part: path.return_7d,
        note: format!(
            "{} transfers; returned within 7 days {}; wait p50 {}",
            words::number(path.transfers),
            words::share(Share::new(path.return_7d, path.transfers)),
            words::length(path.wait_p50_s)
        ),
        href: leads(key::path(&path.from_team, &path.to_team)),
    }
}

fn worst(path: &super::figures::WorstPath, leads: Leads<'_>) -> Whisker {
    let (low, high) = path.returned_7d.interval();
    Whisker {
        label: format!("{} → {}", path.from, path.to),
        at: path.returned_7d.share(),
        low,
        high,
        note: words::counted(path.returned_7d),
        href: leads(key::path_returned(&path.from, &path.to)),
    }
}

fn by_transfers(cases: &[u64; 11], leads: Leads<'_>) -> Vec<Column> {
    let label = |at: usize| if at == 10 { "10+".to_owned() } else { at.to_string() };
    let column = |(at, cases): (usize, &u64)| Column {
        label: label(at),
        value: *cases,
        href: leads(key::moves(at)).filter(|_| *cases > 0),
    };
    cases.iter().enumerate().map(column).collect()
}

fn waits(figures: &Figures, leads: Leads<'_>) -> Vec<chart::Span> {
    let span = |label: String, waits: &super::figures::Waits, key: String| {
        let at = |length: Option<Length>| length.map(Length::as_seconds);
        let spread = &waits.wait;
        Some(chart::Span {
            label,
            points: vec![at(spread.p50_s)?, at(spread.p90_s)?, at(spread.p95_s)?],
            note: format!(
                "n {}; p50 {}, p90 {}, p95 {}",
                words::number(spread.n),
                words::length(spread.p50_s),
                words::length(spread.p90_s),
                words::length(spread.p95_s)
            ),
            href: leads(key),
        })
    };
    let tiers = figures
        .waits_by_tier
        .iter()
        .map(|tier| span(format!("to tier {}", tier.tier), &tier.waits, key::tier_picked(&tier.tier)));
    std::iter::once(span("all".into(), &figures.waits, key::PICKED.into())).chain(tiers).flatten().collect()
}

fn times(figures: &Figures, leads: Leads<'_>) -> Vec<chart::Span> {
    let resolution = &figures.resolution;
    let bands = if resolution.resolved.is_empty() { &resolution.span } else { &resolution.resolved };
    let span = |band: &super::figures::Band| {
        let (median, (low, high)) = (band.median_s?, band.interval_s?);
        Some(chart::Span {
            label: format!("{} transfers", band.transfers),
            points: vec![low, median, high],
            note: format!(
                "n {}; median {} ({} – {})",
                words::number(band.n),
                words::seconds(median),
                words::seconds(low),
                words::seconds(high)
            ),
            href: leads(key::times(resolution.resolved.is_empty(), band.transfers)),
        })
    };
    bands.iter().filter_map(span).collect()
}

/// A path that is used too much, in words.
#[derive(Serialize)]
pub struct OverusedRow<'f> {
    from: &'f str,
    to: &'f str,
    /// Where its cases are, and those that came right back.
    href: Option<String>,
    bounced_href: Option<String>,
    signals: &'f [super::figures::Signal],
    volume: String,
    growth: String,
    bounced: String,
    above: String,
    excess: f64,
}

/// Such a path in words.
pub fn overused<'f>(path: &'f super::figures::Overused, leads: Leads<'_>) -> OverusedRow<'f> {
    OverusedRow {
        from: &path.from,
        to: &path.to,
        href: leads(key::path(&path.from, &path.to)),
        bounced_href: leads(key::path_bounced(&path.from, &path.to)),
        signals: &path.signals,
        volume: words::share(path.volume),
        growth: words::difference(path.growth),
        bounced: words::share(path.bounced_7d),
        above: words::difference(path.above_rest),
        excess: path.excess,
    }
}
