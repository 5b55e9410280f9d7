//! What must hold in the end, asked from the tenant's journal alone: every ticket that is to be escalated was handed off
//! exactly once, and nothing else was touched.

use crate::cast::{Kind, Part};
use crate::desk::ticket::Ticket;
use crate::desk::{BILLING, Tenant};
use std::collections::{BTreeMap, BTreeSet};

/// How many requests the handoffs cost whose answers were not lost.
#[derive(Debug, Default)]
pub struct Cost {
    /// Handoffs by (reads, writes).
    pub spread: BTreeMap<(usize, usize), usize>,
    /// Handoffs that are not counted, because an answer was lost or the process killed meanwhile.
    pub disturbed: usize,
}

/// Everything that is wrong; what became of tickets in `but` is somebody else's question.
pub fn census(tenant: &Tenant, parts: &[Part], but: &[i64]) -> Vec<String> {
    let mut wrong: Vec<String> =
        tenant.journal.complaints.iter().map(|what| format!("not documented: {what}")).collect();
    let mut keys = BTreeSet::new();
    for part in parts {
        let ticket = &tenant.tickets[&part.ticket];
        let found = if part.kind == Kind::LargeRefund {
            handed_off_once(tenant, ticket, &mut keys)
        } else {
            untouched(tenant, ticket)
        };
        wrong.extend(found.map(|what| format!("ticket {} ({:?}): {what}", part.ticket, part.kind)));
    }
    let known: BTreeSet<i64> = parts.iter().map(|part| part.ticket).chain(but.iter().copied()).collect();
    let strangers = tenant.journal.writes.iter().filter(|written| !known.contains(&written.ticket));
    wrong.extend(strangers.map(|written| format!("ticket {} was written to", written.ticket)));
    wrong
}

fn untouched(tenant: &Tenant, ticket: &Ticket) -> Option<String> {
    // A right may be tried on any ticket, with a stamp that no ticket has: refused as outdated, or for want of the right.
    let tried = tenant.journal.requests.iter().filter(|asked| asked.ticket == Some(ticket.id) && asked.writes);
    let tried = tried.filter(|asked| !matches!(asked.status, Some(401 | 403 | 409))).count();
    let by_us = ticket.audits_by_bot().count();
    (tried + by_us > 0).then(|| format!("{tried} writes were tried and {by_us} stand in its history"))
}

fn handed_off_once(tenant: &Tenant, ticket: &Ticket, keys: &mut BTreeSet<String>) -> Option<String> {
    let audits: Vec<_> = ticket.audits_by_bot().collect();
    let [audit] = audits.as_slice() else { return Some(format!("{} changes by us in its history", audits.len())) };
    let written: Vec<_> = tenant.journal.written(ticket.id).collect();
    if written.len() != 1 || ticket.group != Some(BILLING) || ticket.assignee.is_some() {
        return Some(format!("{} writes; group {:?}, assignee {:?}", written.len(), ticket.group, ticket.assignee));
    }
    let Some((note, public)) = audit.comment() else { return Some("there is no note".into()) };
    if public {
        return Some("the note is public".into());
    }
    let key = audit.custom["handoffd"].as_str().unwrap_or_default().to_owned();
    let last = note.trim_end_matches("</p>").rsplit(['>', '\n']).next().unwrap_or_default();
    if key.is_empty() || !last.starts_with(&format!("[handoffd {key} refund-over-limit@")) || !last.ends_with(']') {
        return Some(format!("the last line is no mark of {key:?}: {last:?}"));
    }
    if !keys.insert(key.clone()) {
        return Some(format!("{key} stands on another ticket too"));
    }
    let says = ["Escalated: frontline → billing", "A refund of 900", "Charged twice", "refund me?", "asked the bank"];
    let missing: Vec<&str> = says.into_iter().filter(|words| !note.contains(words)).collect();
    (!missing.is_empty()).then(|| format!("the note lacks {missing:?}: {note}"))
}

/// What the handoffs cost whose answers arrived; `disturbed` says which were under way when the process was killed.
pub fn cost(tenant: &Tenant, parts: &[Part], disturbed: &BTreeSet<i64>) -> Cost {
    let mut cost = Cost::default();
    for part in parts.iter().filter(|part| part.kind == Kind::LargeRefund) {
        let about = || tenant.journal.requests.iter().filter(|asked| asked.ticket == Some(part.ticket));
        if disturbed.contains(&part.ticket) || about().any(|asked| !asked.answered) {
            cost.disturbed += 1;
            continue;
        }
        // A ticket that changes twice is read once more, with its clocks, where the first change's event comes after the handoff.
        let extra = 2 * usize::from(part.twice);
        let reads = about().filter(|asked| !asked.writes).count();
        let writes = about().filter(|asked| asked.writes).count();
        *cost.spread.entry((reads.saturating_sub(extra).max(3.min(reads)), writes)).or_default() += 1;
    }
    cost
}

impl Cost {
    /// More than four reads (the ticket, its audits, its clocks, and one of them once more) or one write.
    pub fn too_much(&self) -> Vec<String> {
        let over = self.spread.iter().filter(|((reads, writes), _)| *reads > 4 || *writes > 1);
        over.map(|((reads, writes), times)| format!("{times} handoffs took {reads} reads and {writes} writes"))
            .collect()
    }
}
