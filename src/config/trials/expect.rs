//! `expect` of a test: what must come out. What it does not name may be anything.

use super::super::answers::parts;
use super::super::found::Found;
use super::super::names::refers;
use super::super::rules::World;
use super::super::scalar::shown;
use super::super::walk::{Section, accepted, kind_of};
use crate::policy::names::{MessageName, RuleName, TeamName};
use crate::policy::rules::PackagePart;
use crate::policy::trial::{Expected, NOTHING, Stays};
use crate::policy::verdict::StayReason;
use std::collections::BTreeSet;
use toml::de::DeValue;

/// Reads what a test expects.
pub(super) fn read(
    found: &mut Found<'_>,
    expect: &Section<'_>,
    world: &World<'_>,
    rules: &BTreeSet<String>,
) -> Expected {
    let rule_names = || rules.iter().map(String::as_str);
    let teams = || world.teams.keys().map(TeamName::as_str);
    let told = || [NOTHING].into_iter().chain(world.messages.keys().map(MessageName::as_str));
    let named = "[[route]] or [[escalate]]";
    let rule = expect.text(found, "rule").filter(|rule| refers(found, rule, "rule", named, rule_names()));
    let also = expect.texts(found, "also").map(|rules| {
        let known = rules.into_iter().filter(|rule| refers(found, rule, "rule", named, rule_names()));
        known.map(|rule| RuleName::new(rule.value)).collect()
    });
    let to = expect.text(found, "to").filter(|to| refers(found, to, "team", "[teams.NAME]", teams()));
    let tells = expect.text(found, "tells").filter(|it| refers(found, it, "message", "[messages.NAME]", told()));
    let read = Expected {
        rule: rule.map(|rule| RuleName::new(rule.value)),
        also,
        to: to.map(|to| TeamName::new(to.value)),
        review: expect.yes_or_no(found, "review"),
        asks: expect.yes_or_no(found, "asks"),
        stays: stays(found, expect),
        reason: expect.text(found, "reason").map(|text| text.value.to_owned()),
        missing: missing(found, expect),
        tells: tells.map(|tells| tells.value.to_owned()),
        says: expect.text(found, "says").map(|text| text.value.to_owned()),
    };
    if expect.entries().is_empty() {
        let help = "name what must come out: rule, to, review, stays, …";
        found.mismatch(&expect.span, format!("{} expects nothing", expect.title), help);
    }
    contradiction(found, expect, &read);
    read
}

/// A case that stays goes nowhere.
fn contradiction(found: &mut Found<'_>, expect: &Section<'_>, read: &Expected) {
    if !matches!(read.stays, Some(Stays::Yes | Stays::For(_))) {
        return;
    }
    for key in ["rule", "also", "to", "reason", "missing", "tells", "says"].into_iter().filter(|key| expect.has(key)) {
        let message = format!("a case that stays has no `{key}`");
        found.error(&expect.key_span(key), message, "keep `stays`, or leave it out");
    }
}

fn stays(found: &mut Found<'_>, expect: &Section<'_>) -> Option<Stays> {
    let value = expect.raw("stays")?;
    match value.get_ref() {
        DeValue::Boolean(true) => Some(Stays::Yes),
        DeValue::Boolean(false) => Some(Stays::No),
        DeValue::String(text) => {
            let word = StayReason::WORDS.into_iter().find(|word| *word == text.as_ref());
            if word.is_none() {
                let message = format!("no case stays for \"{}\"", shown(text));
                found.error(&value.span(), message, accepted(text, StayReason::WORDS.into_iter()));
            }
            word.map(Stays::For)
        }
        other => {
            let message = format!("`stays` is true, false or a reason, not {}", kind_of(other));
            found.error(&value.span(), message, accepted("", StayReason::WORDS.into_iter()));
            None
        }
    }
}

fn missing(found: &mut Found<'_>, expect: &Section<'_>) -> Option<Vec<PackagePart>> {
    let words = expect.texts(found, "missing")?;
    Some(parts(found, &words, "missing"))
}
