//! Figures for Prometheus, in its text form. Every label is from a closed set: desks and rules of the configuration,
//! states, kinds. What happens between two scrapes is counted here; what stands is asked from the ledger at each scrape.

use super::figures::Figures;
use super::standing::Standing;
use crate::insight::behind::Snapshot;
use handoffd_kit::gate::Class;
use handoffd_kit::id::DeskId;
use jiff::Timestamp;
use prometheus_client::encoding::text::{encode_eof, encode_registry};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::sync::atomic::AtomicU64;

type Labels<const N: usize> = [(&'static str, String); N];
type Whole<const N: usize> = Family<Labels<N>, Gauge>;
type Number<const N: usize> = Family<Labels<N>, Gauge<f64, AtomicU64>>;

/// What a scrape gives.
pub struct Metrics {
    counters: Registry,
    webhooks: Family<Labels<2>, Counter>,
}

impl Metrics {
    /// Nothing has happened yet.
    pub(super) fn new() -> Self {
        let mut counters = Registry::with_prefix("handoffd");
        let webhooks = Family::default();
        counters.register("webhooks", "Webhooks by desk and answer", webhooks.clone());
        Self { counters, webhooks }
    }

    /// A webhook was answered; none: its desk is not one of ours.
    pub(super) fn webhook(&self, desk: Option<&DeskId>, answer: &'static str) {
        let desk = desk.map_or("unknown", DeskId::as_str).to_owned();
        self.webhooks.get_or_create(&[("desk", desk), ("answer", answer.to_owned())]).inc();
    }

    /// Everything in text form. Without figures (the ledger does not answer) the counters alone; what became of transfers only once
    /// it is worked out.
    ///
    /// # Errors
    /// The encoder's; writing into a text has none in practice.
    pub(super) fn text(
        &self,
        standing: &Standing,
        snapshot: Option<&Snapshot>,
        now: Timestamp,
    ) -> Result<String, std::fmt::Error> {
        let mut text = String::new();
        encode_registry(&mut text, &self.counters)?;
        let mut registry = Registry::with_prefix("handoffd");
        register_about(&mut registry, standing);
        register_ledger(&mut registry, standing, now);
        if let Some(bytes) = resident_bytes() {
            one(&mut registry, "resident_bytes", "Memory of this process", bytes);
        }
        if let Ok(figures) = &standing.figures {
            register(&mut registry, figures, now);
            register_calls(&mut registry, figures);
        }
        if let Some(snapshot) = snapshot {
            super::transfers::register(&mut registry, snapshot, now);
        }
        encode_registry(&mut text, &registry)?;
        encode_eof(&mut text)?;
        Ok(text)
    }
}

pub(super) fn one(registry: &mut Registry, name: &str, help: &str, value: f64) {
    let gauge = Gauge::<f64, AtomicU64>::default();
    gauge.set(value);
    registry.register(name, help, gauge);
}

pub(super) fn many<const N: usize>(
    registry: &mut Registry,
    name: &str,
    help: &str,
    rows: impl IntoIterator<Item = (Labels<N>, f64)>,
) {
    let family = Number::<N>::default();
    for (labels, value) in rows {
        family.get_or_create(&labels).set(value);
    }
    registry.register(name, help, family);
}

pub(super) fn age(at: Option<Timestamp>, now: Timestamp) -> f64 {
    at.map_or(0.0, |at| now.duration_since(at).as_secs_f64().max(0.0))
}

/// What runs, and how it stands to its file.
fn register_about(registry: &mut Registry, standing: &Standing) {
    let about = Whole::<3>::default();
    let labels = [
        ("version", env!("CARGO_PKG_VERSION").to_owned()),
        ("policy", standing.policy.clone()),
        ("mode", if standing.shadow { "shadow" } else { "live" }.to_owned()),
    ];
    about.get_or_create(&labels).set(1);
    registry.register("about", "Always 1: the program's and the policy's version, and the mode", about);
    let Some(at) = standing.loaded.at else { return };
    let well = f64::from(u8::from(standing.loaded.failed.is_none()));
    one(
        registry,
        "config_last_reload_successful",
        "Whether the configuration was taken in when it was last loaded",
        well,
    );
    let help = "When the configuration that runs was loaded, in seconds since 1970";
    one(registry, "config_last_reload_success_timestamp_seconds", help, at.as_second() as f64);
}

fn register_ledger(registry: &mut Registry, standing: &Standing, now: Timestamp) {
    let up = f64::from(u8::from(standing.is_ready()));
    one(registry, "ledger_up", "Whether the ledger answers and can be written", up);
    let failing = age(standing.failing.as_ref().and_then(|failing| failing.since), now);
    one(registry, "ledger_failing_seconds", "Since the ledger cannot be written, where it cannot", failing);
    let failures = Family::<Labels<1>, Counter>::default();
    for (reason, count) in &standing.failed {
        failures.get_or_create(&[("reason", (*reason).to_owned())]).inc_by(*count);
    }
    let help = "Transactions that the ledger's file or disk did not let be written, since the start";
    registry.register("ledger_failures", help, failures);
}

fn register(registry: &mut Registry, figures: &Figures, now: Timestamp) {
    let counts = &figures.counts;
    one(registry, "looks", "Tickets that will be looked at again, now or later", counts.looks.into());
    let overdue = age(counts.oldest_look, now);
    one(registry, "oldest_look_seconds", "How long the longest due look has waited", overdue);
    let overdue = age(counts.oldest_effect, now);
    one(registry, "oldest_effect_seconds", "How long the longest due effect has waited", overdue);
    one(registry, "reviews_open", "Handoffs that wait for a person's yes or no", figures.reviews_open().into());
    one(registry, "would", "Cases that a rule matches without being allowed to act", counts.would.into());
    one(registry, "stocktaking", "Open cases not yet looked at under this policy", counts.stocktaking.into());
    one(registry, "switches_on", "Kill switches that are on", figures.switches.len() as f64);
    let effects = counts.effects.iter().map(|(state, count)| ([("state", state.clone())], f64::from(*count)));
    many(registry, "effects", "Effects by state", effects);
    let handoffs = counts
        .handoffs
        .iter()
        .map(|((state, rule), count)| ([("state", state.clone()), ("rule", rule.clone())], f64::from(*count)));
    many(registry, "handoffs", "Handoffs by state and rule", handoffs);
    let weak = counts.weak_triage.iter().map(|(rule, count)| ([("rule", rule.to_string())], f64::from(*count)));
    many(registry, "weak_triage", "Cases that left the team a route brought them to too soon", weak);
    let parked = counts.parked.iter().map(|((desk, rule), (count, _))| {
        ([("desk", desk.to_string()), ("rule", rule.to_string())], f64::from(*count))
    });
    many(registry, "parked", "Effects that wait for a person", parked);
    let stuck = counts.case_troubles.iter();
    let stuck = stuck.map(|(desk, (count, _))| ([("desk", desk.to_string())], f64::from(*count)));
    many(registry, "case_troubles", "Cases that cannot be looked at", stuck);
    let waits = counts.place_waits.iter();
    let waits = waits
        .map(|((desk, rule), count)| ([("desk", desk.to_string()), ("rule", rule.to_string())], f64::from(*count)));
    many(registry, "place_waits", "Cases that wait for a place under the hourly limits", waits);
    let fell_back = counts.fell_back.iter().map(|(rule, count)| ([("rule", rule.to_string())], f64::from(*count)));
    many(registry, "owner_fallbacks", "Handoffs whose owner is not whom the rule names first", fell_back);
    let unclaimed = counts.unclaimed.iter();
    let unclaimed = unclaimed.map(|(rule, (count, _))| ([("rule", rule.to_string())], f64::from(*count)));
    many(registry, "unclaimed", "Handoffs that nobody of the receiving team has taken on in time", unclaimed);
    let unanswered = counts.reviews_late.iter();
    let unanswered = unanswered.map(|(rule, (count, _))| ([("rule", rule.to_string())], f64::from(*count)));
    many(registry, "reviews_late", "Reviews that nobody has answered in time", unanswered);
    one(registry, "overdue_tasks", "Tasks of agents before whose time is over", counts.overdue_tasks.into());
    let lost = counts.lost_owners.iter();
    let lost = lost.map(|(desk, (count, _))| ([("desk", desk.to_string())], f64::from(*count)));
    many(registry, "lost_owners", "Cases whose owner is gone", lost);
    let alerts = figures.alerts.iter().flat_map(|(channel, figure)| {
        let labels = |state: &String| [("channel", channel.to_string()), ("state", state.clone())];
        figure.counts.by_state.iter().map(move |(state, count)| (labels(state), f64::from(*count)))
    });
    many(registry, "alerts", "Alerts by channel and state", alerts);
    let silent = figures.alerts.iter().filter_map(|(channel, figure)| Some((channel, figure.silent?)));
    let silent = silent.map(|(channel, since)| ([("channel", channel.to_string())], age(Some(since), now)));
    many(registry, "alert_silent_seconds", "Since an alert channel last took one, where it does not", silent);
    let people = figures.rosters.iter();
    let people = people.map(|(desk, team, _)| ([("desk", desk.to_string()), ("team", team.to_string())], 1.0));
    many(registry, "roster_trouble", "1 where the people of a team cannot be read", people);
    let polls = figures.polls.iter();
    let polls = polls.map(|poll| ([("desk", poll.desk.to_string())], age(Some(poll.last), now)));
    many(registry, "poll_age_seconds", "Since a desk's changes were last read", polls);
    let news = figures.news.iter().map(|(desk, at)| ([("desk", desk.to_string())], age(Some(*at), now)));
    many(registry, "desk_news_age_seconds", "Since something new last came of a desk, by webhook or poll", news);
    let silent =
        figures.silent.iter().map(|(desk, silence)| ([("desk", desk.to_string())], age(Some(silence.since), now)));
    many(registry, "desk_silent_seconds", "Since a desk last answered, where it does not", silent);
    let trouble = figures.troubles.iter().map(|trouble| ([("desk", trouble.desk.to_string())], 1.0));
    many(registry, "desk_trouble", "1 where a desk refuses our login or a right", trouble);
}

fn register_calls(registry: &mut Registry, figures: &Figures) {
    let calls = Family::<Labels<3>, Counter>::default();
    let refused = Family::<Labels<1>, Counter>::default();
    for (desk, gate) in &figures.gates {
        let label = ("desk", desk.to_string());
        refused.get_or_create(std::array::from_ref(&label)).inc_by(gate.refused);
        for ((endpoint, class), count) in &gate.calls {
            let class = match class {
                Class::Read => "read",
                Class::Write => "write",
            };
            let labels = [label.clone(), ("endpoint", (*endpoint).to_owned()), ("class", class.to_owned())];
            calls.get_or_create(&labels).inc_by(*count);
        }
    }
    registry.register("desk_calls", "Calls to desks since the start, by endpoint and class", calls);
    registry.register("desk_refusals", "Calls that a desk refused as too many (429) since the start", refused);
    let waiting = figures.gates.iter().map(|(desk, gate)| ([("desk", desk.to_string())], gate.waiting as f64));
    many(registry, "desk_calls_waiting", "Calls that wait for the desk's limits", waiting);
    let in_flight = figures.gates.iter().map(|(desk, gate)| ([("desk", desk.to_string())], gate.in_flight as f64));
    many(registry, "desk_calls_in_flight", "Calls under way", in_flight);
    let unknowns = Family::<Labels<1>, Counter>::default();
    for (rule, count) in &figures.unknowns {
        unknowns.get_or_create(&[("rule", rule.to_string())]).inc_by(*count);
    }
    let help = "Looks at which a rule's conditions could not be told, since the start";
    registry.register("unknown_conditions", help, unknowns);
    let differences = Family::<Labels<2>, Counter>::default();
    for ((desk, clock), count) in &figures.differences {
        let labels = [("desk", desk.to_string()), ("clock", clock.to_string())];
        differences.get_or_create(&labels).inc_by(*count);
    }
    let help = "Looks at which a desk's clock and our target of the same name did not agree, since the start";
    registry.register("clock_differences", help, differences);
}

/// What this process holds in memory, where the system tells.
fn resident_bytes() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kilobytes * 1024.0)
}
