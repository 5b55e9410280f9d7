//! Figures of small logs that can be counted by hand.

use super::*;
use crate::config::events::read_map;
use crate::insight::log::{Reading, read};
use crate::insight::stats::Share;
use std::io::Cursor;

const MAP: &str = r#"
case    = "id"
at      = "at"
team    = "team"
status  = "status"
waiting = ["queued"]
done    = ["done"]
tier    = [ { ends_with = "3", tier = 3 }, { ends_with = "2", tier = 2 }, { ends_with = "x", tier = "2/3" }, { tier = 1 } ]
by      = "country"
like    = "prio"
"#;

/// Rows as `case minute team status`, all of country BE and priority high.
fn figures(rows: &str) -> Figures {
    let mut log = "id,at,team,status,country,prio\n".to_owned();
    for row in rows.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let [case, minute, team, status] = row.split(' ').collect::<Vec<_>>()[..] else { panic!("{row}") };
        let at = Timestamp::from_second(1_000_000_000 + 60 * minute.parse::<i64>().expect("minute")).expect("at");
        log.push_str(&format!("{case},{at},{team},{status},BE,high\n"));
    }
    let map = read_map(MAP, "map.toml").unwrap_or_else(|problems| panic!("{problems}"));
    let log = read(Cursor::new(log), "log.csv", &map, Reading::default()).unwrap_or_else(|error| panic!("{error}"));
    of_log(&log, &map, "log.csv")
}

const TWO_CASES: &str = "
    1 0 a queued
    1 5 a open
    1 10 b2 queued
    1 40 b2 open
    1 50 a open
    1 60 a done
    2 0 a open
    2 1 c3 queued
    2 2 b2 open
    2 2000 a queued
    2 3000 c3 done
";

#[test]
fn volumes_are_counted() {
    let volumes = figures(TWO_CASES).volumes;
    assert_eq!((volumes.cases, volumes.events, volumes.teams, volumes.opening_teams), (2, 11, 3, 1));
    assert_eq!((volumes.transfers, volumes.paths), (6, 4));
    assert_eq!(volumes.cases_by_transfers[..5], [0, 0, 1, 0, 1]);
    assert_eq!((volumes.transfers_per_case_mean, volumes.transfers_per_case_median), (3.0, 3.0));
    assert_eq!((volumes.transfers_per_case_max, volumes.teams_per_case_mean, volumes.teams_per_case_max), (4, 2.5, 3));
    let tiers: Vec<(&str, u64)> = volumes.events_by_tier.iter().map(|(tier, count)| (tier.as_str(), *count)).collect();
    assert_eq!(tiers, [("1", 6), ("2", 3), ("3", 2)]);
    assert_eq!(volumes.first_statuses, [("queued".to_owned(), 3), ("open".to_owned(), 2), ("done".to_owned(), 1)]);
}

#[test]
fn bounces_and_returns_differ() {
    let figures = figures(TWO_CASES);
    // 1: a→b2 comes right back after 40 minutes. 2: a→c3 returns by b2 after 1,999; c3→b2 returns after 2,998.
    assert_eq!(figures.bounces.windows.ever, Share::new(1, 6));
    assert_eq!(figures.bounces.cases, Share::new(1, 2));
    assert_eq!(
        (figures.returns.windows.within_1d, figures.returns.windows.within_3d),
        (Share::new(1, 6), Share::new(3, 6))
    );
    assert_eq!(figures.returns.delay.max_s, Some(Length::seconds(2_998 * 60)));
    assert_eq!(figures.pairs.len(), 1);
    assert_eq!(
        (figures.pairs[0].teams.clone(), figures.pairs[0].bounces, figures.pairs[0].transfers),
        (["a".into(), "b2".into()], 1, 3)
    );
}

#[test]
fn waits_are_of_the_receiving_stay_alone() {
    let waits = figures(TWO_CASES).waits;
    assert_eq!((waits.picked, waits.never, waits.direct), (1, 2, 3));
    assert_eq!(waits.wait.p50_s, Some(Length::seconds(30 * 60)));
}

#[test]
fn tiers_are_walked_up_and_down() {
    let tiers =
        figures(&format!("{TWO_CASES}\n3 0 a open\n4 0 b2 open\n5 0 a open\n5 1 bx open")).tiers.expect("tiers");
    let cell = |from: &str, to: &str| {
        let cell = tiers.matrix.iter().find(|cell| cell.from == from && cell.to == to).expect("a cell");
        (cell.transfers, cell.bounced)
    };
    assert_eq!((cell("1", "2"), cell("1", "3"), cell("1", "2/3"), cell("2/3", "1")), ((1, 1), (2, 0), (1, 0), (0, 0)));
    let found = &tiers.containment;
    assert_eq!((found.tier.as_str(), found.contained.count, found.left.count), ("1", 1, 3));
    assert_eq!((found.started_elsewhere.count, found.started_elsewhere_or_stepped_down.count), (1, 3));
    assert_eq!(found.or_skipped_a_tier.count, 3);
    let touched: Vec<(String, u64)> = tiers.touched.iter().map(|set| (set.tiers.join("+"), set.cases)).collect();
    assert!(touched.contains(&("1+2/3".into(), 1)) && touched.contains(&("1+2+3".into(), 1)), "{touched:?}");
}

#[test]
fn resolution_counts_cases_that_are_done_at_their_end() {
    let resolution =
        figures("1 0 a open\n1 5 a done\n1 6 a open\n1 9 a done\n1 12 a done\n2 0 a open\n2 3 b2 open").resolution;
    assert_eq!((resolution.resolved[0].n, resolution.resolved[0].median_s, resolution.open), (1, Some(540.0), Some(1)));
    assert_eq!(
        (resolution.span[0].n, resolution.span[1].median_s, resolution.span[2].median_s),
        (2, Some(720.0), Some(180.0))
    );
    assert_eq!((resolution.like.columns.clone(), resolution.like.difference_s), (vec!["prio".to_owned()], None));
}

#[test]
fn like_cases_are_compared_where_there_are_enough() {
    let mut rows = String::new();
    for case in 0..10 {
        rows.push_str(&format!("s{case} 0 a open\ns{case} {} a done\n", 10 + case));
        rows.push_str(&format!("h{case} 0 a open\nh{case} 1 b2 open\nh{case} {} b2 done\n", 30 + case));
    }
    let like = figures(&rows).resolution.like;
    assert_eq!((like.compared, like.cases, like.difference_s), (20, 20, Some(1_200.0)));
}

#[test]
fn a_path_is_overused_when_more_of_it_bounces_than_of_the_rest() {
    let mut rows = String::new();
    for case in 0..40 {
        rows.push_str(&format!("b{case} 0 a open\nb{case} 1 b2 open\nb{case} 2 a open\n"));
        rows.push_str(&format!("f{case} 0 a open\nf{case} 1 c3 open\n"));
    }
    let overused = figures(&rows).overused;
    assert_eq!(overused.len(), 1, "{overused:?}");
    assert_eq!(
        (overused[0].from.as_str(), overused[0].to.as_str(), &overused[0].signals),
        ("a", "b2", &vec![Signal::Bounces])
    );
    assert_eq!((overused[0].bounced_7d, overused[0].excess), (Share::new(40, 40), 40.0));
}

#[test]
fn a_path_is_overused_when_its_part_grows() {
    let mut rows = String::new();
    for case in 0..100 {
        let (at, to) = (case * 1_440, if case < 60 { "b2" } else { "c3" });
        rows.push_str(&format!("{case} {at} a open\n{case} {} {to} open\n", at + 1));
    }
    let overused = figures(&rows).overused;
    let grown: Vec<(&str, &[Signal])> =
        overused.iter().map(|path| (path.to.as_str(), path.signals.as_slice())).collect();
    assert_eq!(grown, [("c3", &[Signal::Grows][..])]);
}

#[test]
fn without_tiers_and_statuses_the_rest_stands() {
    let map = read_map("case = \"id\"\nat = \"at\"\nteam = \"team\"\n", "map.toml").expect("a map");
    let log = "id,at,team\n1,2016-02-01T12:00:00Z,a\n1,2016-02-01T13:00:00Z,b\n2,2016-02-01T13:00:00Z,\n";
    let log = read(Cursor::new(log), "log.csv", &map, Reading::default()).expect("a log");
    let figures = of_log(&log, &map, "log.csv");
    assert!(figures.tiers.is_none() && figures.waits_by_tier.is_empty() && figures.resolution.resolved.is_empty());
    assert_eq!((figures.waits.untold, figures.waits.direct, figures.volumes.cases), (1, 0, 2));
    assert_eq!(figures.source.repairs.as_ref().map(|repairs| repairs.cases_without_team), Some(1));
}
