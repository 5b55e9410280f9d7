//! What became of transfers, as metrics: by path and by team, from the same figures as the report. A house has few teams, and few
//! paths between them that carry anything; the busiest have labels of their own, so that no ledger fills a Prometheus.

use super::metrics::{age, many, one};
use crate::insight::behind::Snapshot;
use crate::insight::figures::{PathRow, TeamRow};
use crate::insight::log::Length;
use jiff::Timestamp;
use prometheus_client::registry::Registry;

/// Paths, and teams, with labels of their own: the busiest.
const BUSIEST: usize = 100;
/// The name of all other paths' ends.
const OTHER: &str = "other";

type PathLabels = [(&'static str, String); 2];

/// Adds them.
pub(super) fn register(registry: &mut Registry, snapshot: &Snapshot, now: Timestamp) {
    let (paths, teams) = (&snapshot.figures.paths, &snapshot.figures.teams);
    let help = "Cases that went from one team to another, by whomever";
    many(registry, "transfers", help, by_path(paths, |path| path.transfers));
    let help = "Of those transfers: handed right back within seven days";
    many(registry, "bounced_transfers", help, by_path(paths, |path| path.bounce_7d));
    let mut busiest: Vec<&TeamRow> = teams.iter().filter(|team| team.got > 0).collect();
    busiest.sort_by(|one, other| other.got.cmp(&one.got).then_with(|| one.team.cmp(&other.team)));
    busiest.truncate(BUSIEST);
    let team = |row: &TeamRow| ("team", row.team.clone());
    let quantiles = busiest.iter().flat_map(|row| {
        let wait = &row.waits.wait;
        let known = [("0.5", wait.p50_s), ("0.9", wait.p90_s), ("0.95", wait.p95_s)].into_iter();
        known.filter_map(|(quantile, length): (&str, Option<Length>)| {
            Some(([team(row), ("quantile", quantile.to_owned())], length?.as_seconds()))
        })
    });
    let help = "How long transfers to a team waited until they were taken on, of those that were";
    many(registry, "wait_seconds", help, quantiles.collect::<Vec<_>>());
    let taken = busiest.iter().map(|row| ([team(row)], row.waits.wait.n as f64));
    many(registry, "taken_transfers", "Transfers to a team that waited and were taken on", taken);
    let waited =
        busiest.iter().map(|row| ([team(row)], row.waits.wait.mean_s.unwrap_or(0.0) * row.waits.wait.n as f64));
    many(registry, "taken_wait_seconds", "How long these waited, all together", waited);
    let never = busiest.iter().map(|row| ([team(row)], row.waits.never as f64));
    many(registry, "never_taken_transfers", "Transfers to a team that nobody there has taken on", never);
    let help = "Since the figures about transfers were worked out";
    one(registry, "transfers_age_seconds", help, age(Some(snapshot.at), now));
}

/// The busiest paths, which come first, and the sum of all others.
fn by_path(paths: &[PathRow], count: impl Fn(&PathRow) -> u64) -> Vec<(PathLabels, f64)> {
    let labels = |from: &str, to: &str| [("from", from.to_owned()), ("to", to.to_owned())];
    let (busiest, others) = paths.split_at(paths.len().min(BUSIEST));
    let own = busiest.iter().map(|path| (labels(&path.from_team, &path.to_team), count(path) as f64));
    let rest = (!others.is_empty()).then(|| (labels(OTHER, OTHER), others.iter().map(&count).sum::<u64>() as f64));
    own.chain(rest).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_paths_have_few_labels_and_nothing_is_left_out_of_the_sum() {
        let path = |number: u64| PathRow { from_team: format!("team {number}"), transfers: 1_000 - number, ..row() };
        let paths: Vec<PathRow> = (0..250).map(path).collect();
        let given = by_path(&paths, |path| path.transfers);
        assert_eq!(given.len(), BUSIEST + 1);
        assert_eq!(given[BUSIEST].0, [("from", "other".to_owned()), ("to", "other".to_owned())]);
        let all: u64 = paths.iter().map(|path| path.transfers).sum();
        assert!((given.iter().map(|(_, value)| value).sum::<f64>() - all as f64).abs() < 0.5);
        assert_eq!(by_path(&paths[..2], |path| path.transfers).len(), 2, "without others there is no row of them");
    }

    fn row() -> PathRow {
        PathRow {
            from_team: "frontline".into(),
            to_team: "billing".into(),
            from_line: "1".into(),
            to_line: "2".into(),
            transfers: 0,
            bounce_1d: 0,
            bounce_3d: 0,
            bounce_7d: 0,
            bounce_any: 0,
            return_1d: 0,
            return_3d: 0,
            return_7d: 0,
            return_any: 0,
            queued_picked: 0,
            queued_never: 0,
            direct: 0,
            wait_p50_s: None,
            wait_p90_s: None,
        }
    }
}
