//! As much of Jira's query language as a reader of changes needs. Times have the precision of a minute, carry no zone, and are
//! read in the zone of whoever asks; a query without any condition is refused (Jira Service Management sheet, *Incremental
//! read*).

use super::refusals::Refusal;
use super::words::{key, project_of};
use crate::store::Helpdesk;
use crate::ticket::Ticket;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// What is asked for.
#[derive(Debug, Default)]
pub(super) struct Query {
    projects: Vec<String>,
    since: Option<Timestamp>,
    reporter: Option<String>,
    order: Vec<(Column, bool)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Column {
    Created,
    Updated,
    Key,
}

fn wrong(what: &str) -> Refusal {
    Refusal::bad(format!("Error in the JQL Query: {what}"))
}

impl Query {
    /// Reads a query of somebody in this zone.
    pub(super) fn read(jql: &str, zone: &TimeZone) -> Result<Self, Refusal> {
        let (conditions, order) = match jql.split_once("ORDER BY") {
            Some((conditions, order)) => (conditions, Some(order)),
            None => (jql, None),
        };
        let mut query = Self::default();
        if conditions.trim().is_empty() {
            return Err(Refusal::bad("Unbounded JQL queries are not allowed here. Please add a search restriction."));
        }
        for condition in conditions.split(" AND ") {
            query.add(condition.trim(), zone)?;
        }
        for column in order.into_iter().flat_map(|order| order.split(',')) {
            let (name, down) = match column.trim().split_once(' ') {
                Some((name, "ASC")) => (name, false),
                Some((name, "DESC")) => (name, true),
                _ => return Err(wrong("an order needs a direction here.")),
            };
            let column = match name {
                "created" => Column::Created,
                "updated" => Column::Updated,
                "key" => Column::Key,
                other => return Err(wrong(&format!("Field '{other}' does not exist or cannot be ordered by."))),
            };
            query.order.push((column, down));
        }
        Ok(query)
    }

    fn add(&mut self, condition: &str, zone: &TimeZone) -> Result<(), Refusal> {
        let quoted = |text: &str| text.trim().strip_prefix('"')?.strip_suffix('"').map(str::to_owned);
        if let Some(list) = condition.strip_prefix("project in (").and_then(|rest| rest.strip_suffix(')')) {
            self.projects = list.split(',').map(quoted).collect::<Option<_>>().ok_or_else(|| wrong("odd project"))?;
        } else if let Some(at) = condition.strip_prefix("updated >= ").and_then(quoted) {
            self.since = Some(instant(&at, zone).ok_or_else(|| {
                wrong(&format!(
                    "Date value '{at}' for field 'updated' is invalid. Valid formats include: 'yyyy/MM/dd HH:mm'."
                ))
            })?);
        } else if let Some(reporter) = condition.strip_prefix("reporter = ").and_then(quoted) {
            self.reporter = Some(reporter);
        } else {
            return Err(wrong(&format!("nothing here knows {condition:?}")));
        }
        Ok(())
    }

    /// What of these is asked for, in order.
    pub(super) fn of<'a>(&self, desk: &Helpdesk, tickets: impl Iterator<Item = &'a Ticket>) -> Vec<&'a Ticket> {
        let reporter = |ticket: &Ticket| desk.person(ticket.requester).map(super::words::account_id);
        let fits = |ticket: &&Ticket| {
            (self.projects.is_empty() || self.projects.iter().any(|project| project == project_of(ticket)))
                && self.since.is_none_or(|since| ticket.updated_at >= since)
                && (self.reporter.is_none() || self.reporter == reporter(ticket))
        };
        let mut found: Vec<&Ticket> = tickets.filter(fits).collect();
        for (column, down) in self.order.iter().rev() {
            found.sort_by(|one, other| {
                let order = match column {
                    Column::Created => one.created_at.cmp(&other.created_at),
                    Column::Updated => one.updated_at.cmp(&other.updated_at),
                    Column::Key => (key(one).len(), key(one)).cmp(&(key(other).len(), key(other))),
                };
                if *down { order.reverse() } else { order }
            });
        }
        found
    }
}

/// A local time. Of an hour that comes twice, the second one is meant: the sheet does not say, and this is the worse reading for
/// whoever reads changes.
fn instant(text: &str, zone: &TimeZone) -> Option<Timestamp> {
    let at = DateTime::strptime("%Y/%m/%d %H:%M", text).ok()?;
    zone.to_ambiguous_timestamp(at).later().ok()
}
