//! `[targets.NAME]`: our own clocks, where a desk has none. The first that holds is a case's.

use super::conditions::{self, Facts, WAITS};
use super::desks::Desks;
use super::found::Found;
use super::hours::Hours;
use super::keys;
use super::names::refers;
use super::reach;
use super::walk::{Section, unknown_word};
use crate::policy::known::FactName;
use crate::policy::names::{HoursName, TargetName};
use crate::policy::targets::Target;
use handoffd_kit::model::Status;

/// Statuses in which a resolution clock can stand still.
const STATUSES: [Status; 4] = [Status::New, Status::Open, Status::Pending, Status::OnHold];

/// Reads all targets in the order of the file. `None`: one of them is wrong.
pub(super) fn read(found: &mut Found<'_>, root: &Section<'_>, desks: &Desks, hours: &Hours) -> Option<Vec<Target>> {
    let facts = Facts::of(desks.values()).without_package();
    let mut whole = true;
    let mut targets: Vec<Target> = Vec::new();
    let mut catches_all: Option<String> = None;
    for named in root.named_tables(found, "targets") {
        let section = named.open(found, keys::TARGET);
        if let Some(before) = &catches_all {
            let message = format!("{} stands behind {before}, which is every case's", section.title);
            found.warning(&section.span, message, "the first target that holds counts; move it up, or leave it out");
        }
        match read_one(found, &section, TargetName::new(named.name.value), &facts, hours) {
            Some(target) => {
                if target.when.iter().all(|condition| condition.source() == "true") {
                    catches_all.get_or_insert(section.title);
                }
                targets.push(target);
            }
            None => whole = false,
        }
    }
    whole.then_some(targets)
}

fn read_one(
    found: &mut Found<'_>,
    section: &Section<'_>,
    name: TargetName,
    facts: &Facts,
    hours: &Hours,
) -> Option<Target> {
    let when = conditions::when(found, section, facts);
    let clocks = |condition: &crate::policy::condition::Condition| {
        condition.facts().iter().any(|fact| matches!(fact, FactName::Clock(_)))
    };
    if when.iter().flatten().any(clocks) {
        let message = format!("the condition of {} looks at a clock", section.title);
        found.error(&section.key_span("when"), message, "a target says which clocks there are; ask for other facts");
        return None;
    }
    let lengths = ["first_reply", "next_reply", "resolution"].map(|key| section.wait(found, key, WAITS));
    let broken = ["first_reply", "next_reply", "resolution"].into_iter().zip(&lengths);
    let broken = broken.filter(|(key, length)| length.is_none() && section.has(key)).count() > 0;
    if lengths.iter().all(Option::is_none) && !broken {
        let help = "add first_reply, next_reply or resolution, such as first_reply = \"4h\"";
        found.mismatch(&section.span, format!("{} gives no clock", section.title), help);
        return None;
    }
    let paused_in = paused_in(found, section);
    let hours = match section.text(found, "hours") {
        None if section.has("hours") => return None,
        None => None,
        Some(name) => {
            let known = hours.keys().map(HoursName::as_str);
            if !refers(found, &name, "hours", "[hours.NAME]", known) {
                return None;
            }
            Some(hours.get(&HoursName::new(name.value))?.clone()?)
        }
    };
    if let Some(hours) = &hours {
        for (key, wait) in ["first_reply", "next_reply", "resolution"].into_iter().zip(lengths) {
            reach::check_hours(found, hours, key, wait, &section.key_span(key));
        }
    }
    let [first_reply, next_reply, resolution] = lengths;
    let target = Target { name, when: when?, hours, first_reply, next_reply, resolution, paused_in: paused_in? };
    (!broken).then_some(target)
}

fn paused_in(found: &mut Found<'_>, section: &Section<'_>) -> Option<Vec<Status>> {
    if !section.has("paused_in") {
        return Some(Vec::new());
    }
    let words = section.texts(found, "paused_in")?;
    let mut statuses = Vec::new();
    for word in &words {
        match STATUSES.into_iter().find(|status| status.name() == word.value) {
            Some(status) => statuses.push(status),
            None => unknown_word(found, word, "paused_in", STATUSES.iter().map(|status| status.name())),
        }
    }
    if !section.has("resolution") {
        let help = "add resolution = \"3d\", or leave it out";
        found.error(
            &section.key_span("paused_in"),
            "`paused_in` belongs to a resolution clock, and none is given",
            help,
        );
    }
    (statuses.len() == words.len()).then_some(statuses)
}
