//! Handoffs that the desk shows and the ledger does not know: it was restored from a backup, or begun anew. What somebody gave
//! back then stays back. Pure.

use super::examine::Look;
use super::stays::team_of;
use crate::policy::case::{ClosedBy, ClosedPath};
use crate::policy::names::TeamName;
use handoffd_kit::model::{Change, QueueRef, Role, What};

/// From where to where; the giving queue may be nobody's.
type Path = (Option<TeamName>, Option<TeamName>);

/// Paths on which such a handoff took the case, and somebody brought it back: closed, unless the ledger knows them closed
/// already.
pub(super) fn given_back(look: &Look<'_>, history: &[Change]) -> Vec<ClosedPath> {
    let mut sent: Vec<Path> = Vec::new();
    let mut closed: Vec<ClosedPath> = Vec::new();
    let mut latest = None;
    for change in history {
        let ours = change.by.role == Role::Us;
        latest = change.mark.as_ref().filter(|_| ours).or(latest);
        let Some((from, to)) = moved(look, change) else { continue };
        if let Some((gave, Some(got))) = sent.iter().find(|(gave, got)| (gave, got) == (&to, &from)) {
            let path = ClosedPath::new(gave.clone(), got.clone(), ClosedBy::Bounce);
            closed.retain(|known| (&known.from, &known.to) != (&path.from, &path.to));
            closed.push(path);
        } else if ours && latest.is_some_and(|mark| !look.record.known.contains(&mark.handoff)) {
            sent.push((from, to));
        }
    }
    let known = &look.record.memory.closed_paths;
    closed.retain(|path| !known.iter().any(|one| (&one.from, &one.to) == (&path.from, &path.to)));
    closed
}

fn moved(look: &Look<'_>, change: &Change) -> Option<Path> {
    let team = |queue: &Option<QueueRef>| queue.as_ref().and_then(|queue| team_of(look.policy, look.desk, queue));
    change.what.iter().find_map(|what| match what {
        What::Queue { from, to } => Some((team(from), team(to))),
        _ => None,
    })
}
