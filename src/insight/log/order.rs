//! Puts events in order and drops those that stand twice.

use super::EventLog;
use std::collections::HashSet;

/// Sorts by case and instant, equal instants by `order` or as in the file, and drops equal rows.
pub(super) fn put_in_order(log: &mut EventLog) {
    let (forward, backward) = directions(log);
    log.repairs.newest_first = backward > forward;
    log.repairs.out_of_order = if log.repairs.newest_first { forward } else { backward };
    if log.repairs.newest_first {
        log.events.reverse();
    }
    log.events.sort_by_key(|event| (event.case, event.at, event.tie));
    drop_duplicates(log);
    log.repairs.undecided_order = log
        .events
        .windows(2)
        .filter(|pair| {
            let [one, other] = pair else { return false };
            let same = one.case == other.case && one.at == other.at && one.tie == other.tie;
            same && one.team != other.team
        })
        .count() as u64;
    let with_team: HashSet<u32> =
        log.events.iter().filter(|event| event.team().is_some()).map(|event| event.case).collect();
    let all: HashSet<u32> = log.events.iter().map(|event| event.case).collect();
    log.repairs.cases_without_team = (all.len() - with_team.len()) as u64;
}

/// How often the next row of the same case is later, and how often earlier.
fn directions(log: &EventLog) -> (u64, u64) {
    let mut last = vec![None; log.cases.len()];
    let (mut forward, mut backward) = (0, 0);
    for event in &log.events {
        let Some(before) = usize::try_from(event.case).ok().and_then(|case| last.get_mut(case)) else { continue };
        match before.replace(event.at) {
            Some(earlier) if earlier < event.at => forward += 1,
            Some(later) if later > event.at => backward += 1,
            _ => {}
        }
    }
    (forward, backward)
}

/// Equal rows have the same case and instant, so they stand near each other now.
fn drop_duplicates(log: &mut EventLog) {
    let before = log.events.len();
    let mut group = (u32::MAX, None);
    let mut seen: HashSet<u64> = HashSet::new();
    log.events.retain(|event| {
        if group != (event.case, Some(event.at)) {
            group = (event.case, Some(event.at));
            seen = HashSet::new();
        }
        seen.insert(event.hash)
    });
    log.repairs.duplicate_rows = (before - log.events.len()) as u64;
}
