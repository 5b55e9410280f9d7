//! `[policy]`: who answers for the policy, what it never touches, and its limits.

use super::alerts::{self, Alerts};
use super::conditions::{self, Facts};
use super::desks::Desks;
use super::digest;
use super::found::Found;
use super::keys;
use super::scalar;
use super::walk::{Section, kind_of};
use crate::policy::address::AddressPattern;
use crate::policy::condition::Condition;
use crate::policy::digest::DigestPlan;
use crate::policy::header::PolicyHeader;
use crate::policy::names::AlertName;
use crate::policy::review_terms::ReviewTerms;
use crate::policy::rules::Limits;
use jiff::SignedDuration;
use jiff::civil::Date;
use toml::de::DeValue;

/// What `[policy]` gives.
#[derive(Default)]
pub(super) struct PolicyTable {
    pub header: PolicyHeader,
    pub never: Option<Condition>,
    pub quiet_after_person: Option<SignedDuration>,
    pub weak_triage_within: Option<SignedDuration>,
    pub suppress: Vec<AddressPattern>,
    pub limits: Limits,
    /// Who is told of what is parked.
    pub operators: Vec<AlertName>,
    pub digest: Option<DigestPlan>,
    pub reviews: Option<ReviewTerms>,
}

/// Reads `[policy]`.
pub(super) fn read(found: &mut Found<'_>, root: &Section<'_>, desks: &Desks, alerts: &Alerts) -> PolicyTable {
    let Some(section) = root.table(found, "policy", keys::POLICY, "[policy]".into()) else {
        return PolicyTable::default();
    };
    let mut text = |key| section.text(found, key).map(|text| text.value.to_owned());
    let mut header = PolicyHeader {
        owner: text("owner"),
        second_reviewer: text("second_reviewer"),
        review_by: None,
        source_of_truth: text("source_of_truth"),
        goal: text("goal"),
        data: text("data"),
        feared_failure: text("feared_failure"),
    };
    header.review_by = review_by(found, &section);
    let facts = Facts::of(desks.values()).without_package();
    let never = section.text(found, "never").and_then(|text| conditions::compile(found, &text, &facts));
    PolicyTable {
        header,
        never,
        quiet_after_person: quiet(found, &section),
        weak_triage_within: weak_triage(found, &section),
        suppress: suppress(found, &section),
        limits: limits(found, &section),
        operators: alerts::named(found, &section, alerts).unwrap_or_default(),
        digest: digest::read(found, &section, alerts),
        reviews: super::reviews::read(found, &section).flatten(),
    }
}

fn suppress(found: &mut Found<'_>, section: &Section<'_>) -> Vec<AddressPattern> {
    let mut patterns = Vec::new();
    for text in section.texts(found, "suppress").unwrap_or_default() {
        match AddressPattern::read(text.value) {
            Ok(pattern) => patterns.push(pattern),
            Err(wrong) => {
                found.error(
                    &text.span,
                    format!("\"{}\": {wrong}", scalar::shown(text.value)),
                    section.like("suppress"),
                );
            }
        }
    }
    patterns
}

/// How soon a case that leaves its first team was badly routed.
pub(super) fn weak_triage(found: &mut Found<'_>, section: &Section<'_>) -> Option<SignedDuration> {
    section.duration(found, "weak_triage_within", (SignedDuration::from_mins(1), SignedDuration::from_hours(24 * 30)))
}

/// How long automatic escalations wait after an agent's last act.
pub(super) fn quiet(found: &mut Found<'_>, section: &Section<'_>) -> Option<SignedDuration> {
    section.duration(found, "quiet_after_person", (SignedDuration::ZERO, SignedDuration::from_hours(24)))
}

fn review_by(found: &mut Found<'_>, section: &Section<'_>) -> Option<Date> {
    let value = section.raw("review_by")?;
    let date = match value.get_ref() {
        DeValue::String(text) => scalar::date(text),
        DeValue::Datetime(date) => scalar::date(&date.to_string()),
        other => Err(format!("`review_by` is a date, not {}", kind_of(other))),
    };
    date.map_err(|wrong| found.error(&value.span(), wrong, section.like("review_by"))).ok()
}

fn limits(found: &mut Found<'_>, section: &Section<'_>) -> Limits {
    let mut limits = Limits::default();
    let Some(table) = section.table(found, "limits", keys::LIMITS, "`limits` of [policy]".into()) else {
        return limits;
    };
    for (key, limit) in [
        ("per_rule_per_hour", &mut limits.per_rule_per_hour),
        ("per_desk_per_hour", &mut limits.per_desk_per_hour),
        ("hops_per_day", &mut limits.hops_per_day),
    ] {
        if let Some(number) = table.number(found, key, 0..1_000_001) {
            *limit = u32::try_from(number.value).unwrap_or(u32::MAX);
        }
    }
    limits
}
