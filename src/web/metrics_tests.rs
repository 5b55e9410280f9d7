//! Every metric with every label that it can have, held against the operations page and the Grafana dashboard.

use super::figures::{AlertFigure, Figures, PollFigure};
use super::metrics::Metrics;
use super::reloads::Loaded;
use super::standing::Standing;
use crate::desks::Silence;
use crate::insight::behind::Snapshot;
use crate::ledger::records::{AlertCounts, CaseUpdate, DeskTrouble, HandoffHappening, RosterTrouble};
use crate::ledger::samples::{decide, ledger, nothing_found, sending, stay};
use crate::ledger::{Counts, Failing, LedgerError};
use crate::policy::clocks::ClockName;
use crate::policy::testing;
use handoffd_kit::gate::{self, Class};
use handoffd_kit::id::DeskId;
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};

/// Names with their labels.
type Labels = BTreeMap<String, BTreeSet<String>>;

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(second).expect("an instant")
}

fn counts() -> Counts {
    let (desk, rule) = (DeskId::from("acme"), "refund".into());
    let of_rule = || BTreeMap::from([("refund".into(), (1, at(1)))]);
    Counts {
        effects: BTreeMap::from([("due".into(), 1)]),
        handoffs: BTreeMap::from([(("sending".into(), "refund".into()), 1)]),
        parked: BTreeMap::from([((desk.clone(), "refund".into()), (1, at(1)))]),
        case_troubles: BTreeMap::from([(desk.clone(), (1, at(1)))]),
        place_waits: BTreeMap::from([((desk.clone(), rule), 1)]),
        fell_back: BTreeMap::from([("refund".into(), 1)]),
        unclaimed: of_rule(),
        reviews_late: of_rule(),
        lost_owners: BTreeMap::from([(desk, (1, at(1)))]),
        weak_triage: BTreeMap::from([("everything-else".into(), 1)]),
        ..Counts::default()
    }
}

/// Of everything one.
fn figures() -> Figures {
    let desk = DeskId::from("acme");
    let calls = BTreeMap::from([(("tickets", Class::Read), 1), (("tickets", Class::Write), 1)]);
    let trouble = RosterTrouble { what: "no right".into(), next_step: "grant it".into(), since: at(1) };
    let refused = DeskTrouble {
        desk: desk.clone(),
        what: "login refused".into(),
        next_step: "renew it".into(),
        since: at(1),
        writes_stopped: true,
    };
    let silence = Silence { since: at(1), answers: false, words: "no route".into() };
    let alerts = AlertCounts { by_state: BTreeMap::from([("due".into(), 1)]), parked: None };
    let every = SignedDuration::from_secs(30);
    Figures {
        counts: counts(),
        gates: vec![(
            desk.clone(),
            gate::Figures { calls, refused: 1, waiting: 0, in_flight: 0, closed: Vec::new(), limits: Vec::new() },
        )],
        unknowns: BTreeMap::from([("refund".into(), 1)]),
        differences: BTreeMap::from([((desk.clone(), ClockName::Resolution), 1)]),
        rosters: vec![(desk.clone(), "billing".into(), trouble)],
        troubles: vec![refused],
        silent: vec![(desk.clone(), silence)],
        news: BTreeMap::from([(desk.clone(), at(1))]),
        polls: vec![PollFigure { desk, stream: "tickets".into(), every, last: at(1) }],
        alerts: BTreeMap::from([("room".into(), AlertFigure { counts: alerts, silent: Some(at(1)) })]),
        ..Figures::default()
    }
}

/// A case that frontline gave to billing, which has not taken it on, and one that it has.
fn snapshot() -> Snapshot {
    let mut ledger = ledger();
    for (ticket, handoff) in [("1", "h1"), ("2", "h2")] {
        let arrives =
            |team: &str, change: &str, seconds, by| stay(team, &format!("{change}-{ticket}"), at(seconds), by);
        decide(&mut ledger, sending(handoff, ticket, "v1"), at(9));
        let stays = vec![arrives("frontline", "c1", 0, None), arrives("billing", "c2", 10, Some(handoff))];
        ledger.record_case(&CaseUpdate { stays, ..nothing_found(ticket, at(10)) }).expect("recorded");
    }
    let happening = HandoffHappening {
        handoff: "h2".into(),
        event: None,
        detail: None,
        claimed: Some((at(40), "an agent".into())),
        drop_effects: false,
        closing_note: None,
    };
    let update = CaseUpdate { handoff_events: vec![happening], ..nothing_found("2", at(40)) };
    ledger.record_case(&update).expect("recorded");
    Snapshot::read(&ledger, &testing::policy(), at(90)).expect("read")
}

#[test]
fn what_became_of_transfers_is_told_by_path_and_by_team() {
    let standing = Standing { figures: Ok(Figures::default()), ..standing() };
    let text = Metrics::new().text(&standing, Some(&snapshot()), at(100)).expect("written");
    for line in [
        "handoffd_transfers{from=\"frontline\",to=\"billing\"} 2.0",
        "handoffd_bounced_transfers{from=\"frontline\",to=\"billing\"} 0.0",
        "handoffd_wait_seconds{team=\"billing\",quantile=\"0.9\"} 30.0",
        "handoffd_taken_transfers{team=\"billing\"} 1.0",
        "handoffd_taken_wait_seconds{team=\"billing\"} 30.0",
        "handoffd_never_taken_transfers{team=\"billing\"} 1.0",
        "handoffd_transfers_age_seconds 10.0",
    ] {
        assert!(text.lines().any(|given| given == line), "{line}: {text}");
    }
    let without = Metrics::new().text(&standing, None, at(100)).expect("written");
    assert!(!without.contains("transfers"), "what is not worked out yet is not told as none");
}

/// What a scrape gives when there is something of everything.
fn given() -> Labels {
    let metrics = Metrics::new();
    metrics.webhook(Some(&"acme".into()), "stored");
    let standing = standing();
    let text = metrics.text(&standing, Some(&snapshot()), at(100)).expect("written");
    named(&text)
}

fn standing() -> Standing {
    Standing {
        figures: Ok(figures()),
        failing: Some(Failing { since: Some(at(1)), why: LedgerError::Full }),
        failed: BTreeMap::from([("full", 1)]),
        ledger: "/var/lib/handoffd/handoffd.db".into(),
        policy: "p1".into(),
        shadow: false,
        loaded: Loaded { at: Some(at(1)), ..Loaded::default() },
    }
}

/// Names with their labels, in a scrape.
fn named(text: &str) -> Labels {
    let mut found = Labels::new();
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (name, rest) = line.split_once(['{', ' ']).expect("a value");
        let labels = rest.split_once('}').map_or("", |(labels, _)| labels);
        let names = labels.split("\",").filter_map(|label| label.split_once("=\"")).map(|(name, _)| name.to_owned());
        found.entry(name.to_owned()).or_default().extend(names);
    }
    found
}

fn read(file: &str) -> String {
    std::fs::read_to_string(format!("{}/{file}", env!("CARGO_MANIFEST_DIR"))).expect("the file")
}

#[test]
fn the_operations_page_has_every_metric_with_its_labels() {
    let page = read("docs/OPERATIONS.md");
    let (_, table) = page.split_once("\n## Metrics\n").expect("a section on metrics");
    let rows = table.split("\n## ").next().expect("its text").lines().filter_map(|line| line.strip_prefix("| `"));
    let mut documented = Labels::new();
    for row in rows {
        let cells: Vec<&str> = row.split('|').collect();
        let labels: BTreeSet<String> =
            cells[1].split(',').map(str::trim).filter(|label| !label.is_empty()).map(str::to_owned).collect();
        for name in cells[0].split('`').filter(|name| name.starts_with("handoffd_")) {
            documented.insert(name.to_owned(), labels.clone());
        }
    }
    assert_eq!(documented, given());
}

/// Names that begin so in an expression, each with what stands in the braces after it.
fn asked(expression: &str) -> Vec<(String, String)> {
    let parts = expression.split("handoffd_").skip(1).map(|rest| {
        let end = rest.find(|letter: char| !letter.is_ascii_lowercase() && letter != '_').unwrap_or(rest.len());
        let braces =
            rest[end..].strip_prefix('{').and_then(|rest| rest.split_once('}')).map_or("", |(inside, _)| inside);
        (format!("handoffd_{}", &rest[..end]), braces.to_owned())
    });
    parts.collect()
}

#[test]
fn the_rules_for_prometheus_ask_for_metrics_and_labels_that_are_given() {
    let given = given();
    let metrics: Vec<(String, String)> = asked(&read("packaging/prometheus-rules.yml"));
    assert!(metrics.len() >= 5, "{metrics:?}");
    for (name, braces) in metrics {
        let labels = given.get(&name).unwrap_or_else(|| panic!("{name} is given by nothing"));
        let matched = braces.split(',').filter_map(|label| label.split(['=', '!']).next()).map(str::trim);
        assert!(matched.filter(|label| !label.is_empty()).all(|label| labels.contains(label)), "{name}{{{braces}}}");
    }
}

/// Labels that an expression groups by, and those that its legend shows.
fn labels_of(target: &serde_json::Value) -> BTreeSet<String> {
    let (expression, legend) = (target["expr"].as_str().expect("text"), target["legendFormat"].as_str().unwrap_or(""));
    let grouped = expression.split("by (").skip(1).filter_map(|rest| rest.split(')').next());
    let shown = legend.split("{{").skip(1).filter_map(|rest| rest.split("}}").next());
    grouped.flat_map(|list| list.split(',')).chain(shown).map(|label| label.trim().to_owned()).collect()
}

#[test]
fn the_grafana_dashboard_asks_for_metrics_and_labels_that_are_given() {
    let given = given();
    let dashboard: serde_json::Value = serde_json::from_str(&read("packaging/grafana-dashboard.json")).expect("JSON");
    let mut tried = 0;
    for panel in dashboard["panels"].as_array().expect("panels") {
        for target in panel["targets"].as_array().expect("targets") {
            let metrics = asked(target["expr"].as_str().expect("text"));
            assert!(!metrics.is_empty(), "{target}");
            for (name, braces) in metrics {
                let labels = given.get(&name).unwrap_or_else(|| panic!("{name} is given by nothing: {target}"));
                let matched = braces.split(',').filter_map(|label| label.split(['=', '!']).next());
                let matched = matched.map(|label| label.trim().to_owned()).filter(|label| !label.is_empty());
                let wanted: BTreeSet<String> = matched.chain(labels_of(target)).collect();
                assert!(wanted.is_subset(labels), "{name} has {labels:?}: {target}");
                tried += 1;
            }
        }
    }
    assert!(tried > 25, "only {tried} were found: has the form changed?");
}
