//! How alert channels are: what health says of them. A channel that is down is a reason, and holds nothing else up. Pure.

use super::figures::Figures;
use super::health::{Reason, Status};

/// Channels that do not answer, alerts that wait for a person, secrets that cannot be read again.
pub(super) fn reasons(figures: &Figures) -> Vec<Reason> {
    let silent = figures.alerts.iter().filter_map(|(channel, figure)| {
        let waits = |state: &&str| figure.counts.by_state.get(*state).copied();
        let count: u32 = ["due", "in_flight", "unsure"].iter().filter_map(waits).sum();
        if count == 0 {
            return None;
        }
        let what = format!("the alert channel {channel} takes nothing: {count} alerts wait");
        let next = format!(
            "nothing, if it is down: they are tried again by themselves; else look at [alerts.{channel}] and `handoffd alerts test {channel}`"
        );
        Some(Reason::new(Status::Degraded, what, next).since(figure.silent?))
    });
    let parked = figures.alerts.iter().filter_map(|(channel, figure)| {
        let (count, since) = figure.counts.parked?;
        let what = format!("alerts of the channel {channel} that wait for a person: {count}");
        Some(Reason::new(Status::Degraded, what, "handoffd parked list").since(since))
    });
    let secrets = figures.alert_secrets.iter().map(|(channel, key, trouble)| {
        let what = format!(
            "the secret {key} of the alert channel {channel} cannot be read again, the one from before is used: {}",
            trouble.what
        );
        let next = "put it back where the configuration points, or correct the configuration, then `handoffd reload`";
        Reason::new(Status::Degraded, what, next).since(trouble.since)
    });
    silent.chain(parked).chain(secrets).collect()
}

#[cfg(test)]
mod tests {
    use super::super::figures::AlertFigure;
    use super::*;
    use crate::ledger::records::AlertCounts;
    use crate::ledger::samples::at;

    #[test]
    fn a_channel_that_is_down_and_an_alert_that_waits_are_said_with_what_to_do() {
        let mut figures = Figures::default();
        // Two that were never tried wait behind the one that was.
        let states = [("due", 2), ("unsure", 1), ("done", 9), ("parked", 0)];
        let by_state = states.map(|(state, count)| (state.to_owned(), count)).into();
        let waits = AlertCounts { by_state, ..AlertCounts::default() };
        figures.alerts.insert("pager".into(), AlertFigure { counts: waits, silent: Some(at(2)) });
        let parked = AlertCounts { parked: Some((1, at(3))), ..AlertCounts::default() };
        figures.alerts.insert("room".into(), AlertFigure { counts: parked, silent: None });
        figures.alerts.insert("well".into(), AlertFigure::default());
        figures.alerts.insert("idle".into(), AlertFigure { silent: Some(at(4)), ..AlertFigure::default() });
        let reasons = reasons(&figures);
        let said: Vec<(&str, Option<jiff::Timestamp>)> =
            reasons.iter().map(|reason| (reason.what.as_str(), reason.since)).collect();
        assert_eq!(
            said,
            [
                ("the alert channel pager takes nothing: 3 alerts wait", Some(at(2))),
                ("alerts of the channel room that wait for a person: 1", Some(at(3))),
            ]
        );
        assert!(reasons.iter().all(|reason| reason.level == Status::Degraded && !reason.next_step.is_empty()));
    }
}
