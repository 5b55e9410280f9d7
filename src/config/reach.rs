//! Lengths of time that a team's hours would take years for: mostly a slip, such as days where hours of a short week were
//! meant.

use super::found::{At, Found};
use super::scalar::duration_text;
use crate::policy::due::{Counts, TeamHours, Wait};
use crate::policy::rules::{ClockDecision, CustomerDecision, Missing, PackageDecision};
use crate::policy::teams::Team;
use std::ops::Range;

/// Weeks that a deadline may take.
const WEEKS_MAX: i64 = 104;

/// Reports what the receiving team would have years for.
pub(super) fn check(
    found: &mut Found<'_>,
    to: &Team,
    clock: Option<&At<ClockDecision>>,
    customer: Option<&At<CustomerDecision>>,
) {
    if let Some(clock) = clock {
        check_one(found, to, "clock.internal", clock.value.internal, &clock.span);
    }
    if let Some(At { value: CustomerDecision::Message { respond_within, .. }, span }) = customer {
        check_one(found, to, "customer.respond_within", *respond_within, span);
    }
}

/// Reports what the giving teams would have years for.
pub(super) fn check_package<'t>(
    found: &mut Found<'_>,
    giving: impl Iterator<Item = &'t Team>,
    package: &At<PackageDecision>,
) {
    let Missing::Ask { within, .. } = package.value.missing else { return };
    for team in giving {
        check_one(found, team, "package.ask_for", Some(within), &package.span);
    }
}

/// Reports one length of time that a team would have years for.
pub(super) fn check_one(found: &mut Found<'_>, team: &Team, key: &str, wait: Option<Wait>, span: &Range<usize>) {
    if let Some(hours) = &team.hours {
        check_hours(found, hours, key, wait, span);
    }
}

/// Reports one length of time that these hours would take years for.
pub(super) fn check_hours(
    found: &mut Found<'_>,
    hours: &TeamHours,
    key: &str,
    wait: Option<Wait>,
    span: &Range<usize>,
) {
    let Some(wait) = wait.filter(|wait| slow(hours, *wait)) else { return };
    let length = duration_text(wait.length);
    let message = format!("`{key}` is {length} of the hours {}, which is more than two years", hours.name);
    found.mismatch(span, message, format!("a day of open hours is not 24h; shorten it, or write \"{length} wall\""));
}

/// Whether a team would have years for this.
pub(super) fn takes_years(team: &Team, wait: Option<Wait>) -> bool {
    team.hours.as_ref().zip(wait).is_some_and(|(hours, wait)| slow(hours, wait))
}

fn slow(hours: &TeamHours, wait: Wait) -> bool {
    let week = hours.calendar.open_per_week().as_secs();
    wait.counts == Counts::TeamHours && wait.length.as_secs() / week > WEEKS_MAX
}
