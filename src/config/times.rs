//! The time keys of a rule: `idle_for` and its like. They count in the hours of the team that holds the case, but for what is
//! the customer's time: `silent_for`, `open_for`, `by`.

use super::conditions::WAITS;
use super::found::Found;
use super::keys;
use super::reach;
use super::walk::Section;
use crate::policy::clocks::ClockName;
use crate::policy::due::Wait;
use crate::policy::known::FactName;
use crate::policy::rules::{Rule, Trigger};
use crate::policy::teams::Team;
use crate::policy::timing::{BeforeBreach, TimeKeys};
use jiff::SignedDuration;

/// The keys that count in a team's hours.
const IN_HOURS: [&str; 3] = ["idle_for", "held_for", "in_status_for"];
/// All of them.
pub(super) const KEYS: [&str; 6] = ["idle_for", "held_for", "in_status_for", "silent_for", "open_for", "before_breach"];
/// The keys that a waiting case is known by.
const WAITING: [&str; 5] = ["idle_for", "held_for", "in_status_for", "silent_for", "open_for"];

/// Reads them. `None`: one of them is wrong.
pub(super) fn read(found: &mut Found<'_>, section: &Section<'_>) -> Option<TimeKeys> {
    let mut whole = true;
    let mut wait = |key: &str| {
        let read = match IN_HOURS.contains(&key) {
            true => section.wait(found, key, WAITS),
            false => section.duration(found, key, WAITS).map(Wait::wall),
        };
        whole &= read.is_some() || !section.has(key);
        read
    };
    let mut times = TimeKeys {
        idle_for: wait("idle_for"),
        held_for: wait("held_for"),
        in_status_for: wait("in_status_for"),
        silent_for: wait("silent_for"),
        open_for: wait("open_for"),
        before_breach: None,
    };
    times.before_breach = before_breach(found, section);
    whole &= times.before_breach.is_some() || !section.has("before_breach");
    whole.then_some(times)
}

fn before_breach(found: &mut Found<'_>, section: &Section<'_>) -> Option<BeforeBreach> {
    let title = format!("`before_breach` of {}", section.title);
    let table = section.table(found, "before_breach", keys::BREACH, title)?;
    for key in ["clock", "by"].into_iter().filter(|key| !table.has(key)) {
        table.missing(found, key);
    }
    let clock = table.word(found, "clock", &ClockName::ALL.map(|clock| (clock.name(), clock)));
    let by = table.duration(found, "by", (SignedDuration::ZERO, WAITS.1));
    Some(BeforeBreach { clock: clock?, by: by? })
}

/// Reports keys that the hours of one of these teams would take years for.
pub(super) fn check_reach<'t>(
    found: &mut Found<'_>,
    section: &Section<'_>,
    times: &TimeKeys,
    teams: impl Iterator<Item = &'t Team> + Clone,
) {
    let keys = [times.idle_for, times.held_for, times.in_status_for];
    for (key, wait) in IN_HOURS.into_iter().zip(keys) {
        // Once is enough, whichever team it is.
        let slow = teams.clone().find(|team| reach::takes_years(team, wait));
        if let Some(team) = slow {
            reach::check_one(found, team, key, wait, &section.key_span(key));
        }
    }
}

/// A rule whose reason is time says which.
pub(super) fn check_trigger(found: &mut Found<'_>, section: &Section<'_>, trigger: Trigger, rule: &Rule) {
    let looks_at_clocks =
        rule.when.iter().flat_map(|condition| condition.facts()).any(|fact| matches!(fact, FactName::Clock(_)));
    let (word, open, help) = match trigger {
        Trigger::Sla => {
            let open = rule.times.before_breach.is_none() && !looks_at_clocks;
            ("sla", open, "add before_breach = { clock = \"resolution\", by = \"45m\" }".to_owned())
        }
        Trigger::Waiting => {
            let open = !WAITING.iter().any(|key| section.has(key));
            ("waiting", open, format!("add one of {}, such as idle_for = \"4h\"", WAITING.join(", ")))
        }
        _ => return,
    };
    if open {
        let message = format!("{} has the trigger \"{word}\" and no time key of it", section.title);
        found.mismatch(&section.key_span("trigger"), message, help);
    }
}
