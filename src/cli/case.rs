//! `handoffd case DESK/TICKET`: who had a case from when to when, as teams and as people, by which change, and who was what
//! meanwhile; for people, as JSON, or as CSV for a spreadsheet.

use super::control::{ledger, now};
use super::failure::Failure;
use super::output::{Context, cell, table, tame};
use super::roles::{Roles, known_as, roles};
use crate::ledger::HandoffFilter;
use crate::ledger::records::{Span, SpanOf};
use anyhow::anyhow;
use clap::Args;
use handoffd_kit::id::{DeskId, TicketId};
use jiff::Timestamp;
use serde::Serialize;
use std::collections::BTreeMap;
use std::process::ExitCode;

/// The ownership of one case.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd case acme/4711          who had it from when to when, and who moved it
  handoffd case acme/4711 --csv    one row for each span, for a spreadsheet")]
pub struct CaseArgs {
    /// The ticket, as DESK/TICKET.
    #[arg(value_name = "DESK/TICKET")]
    ticket: String,
    /// As CSV: of, id, name, from, until, seconds, change, by, handoff, responsible, accountable, consulted, informed.
    #[arg(long)]
    csv: bool,
}

/// A case for scripts.
#[derive(Serialize)]
struct Whole {
    ticket: String,
    /// Seconds with each team so far.
    seconds_by_team: BTreeMap<String, i64>,
    spans: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    #[serde(flatten)]
    span: Span,
    seconds: i64,
    /// Who was what, while a team of ours had it.
    roles: Option<Roles>,
}

impl CaseArgs {
    /// Runs it.
    ///
    /// # Errors
    /// Exit 1 for a case that was never seen, 2 for wrong usage, 3 where the ledger cannot be reached.
    pub fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let usage = || Failure::usage(anyhow!("write the ticket as DESK/TICKET, for example acme/4711"));
        let (desk, ticket) = self.ticket.split_once('/').ok_or_else(usage)?;
        let (desk, ticket) = (DeskId::from(desk), TicketId::from(ticket));
        let ledger = ledger(context)?;
        let spans = ledger.ownership(&desk, &ticket)?;
        if spans.is_empty() {
            let words =
                format!("the ledger knows nothing of {}: nothing has happened to it since handoffd looks", self.ticket);
            return Err(Failure::problems(anyhow!(words)));
        }
        let now = now();
        let filter = HandoffFilter { desk: Some(desk), ticket: Some(ticket), ..HandoffFilter::default() };
        let handoffs = ledger.handoffs(&filter)?;
        let row = |span: &Span| Row {
            seconds: seconds(span, now),
            roles: roles(span, &spans, &handoffs),
            span: span.clone(),
        };
        let spans: Vec<Row> = spans.iter().map(row).collect();
        if self.csv {
            context.print(&csv(&spans));
        } else if context.json {
            context.print_json(&Whole { ticket: self.ticket.clone(), seconds_by_team: by_team(&spans), spans })?;
        } else {
            print(context, &spans);
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn seconds(span: &Span, now: Timestamp) -> i64 {
    span.until.unwrap_or(now).duration_since(span.from).as_secs().max(0)
}

fn by_team(spans: &[Row]) -> BTreeMap<String, i64> {
    let mut teams = BTreeMap::new();
    for row in spans.iter().filter(|row| row.span.of == SpanOf::Team) {
        if let Some(team) = &row.span.id {
            *teams.entry(team.clone()).or_insert(0) += row.seconds;
        }
    }
    teams
}

fn of(span: &Span) -> &'static str {
    match span.of {
        SpanOf::Team => "team",
        SpanOf::Owner => "owner",
    }
}

fn print(context: &Context, spans: &[Row]) {
    let all: Vec<Span> = spans.iter().map(|row| row.span.clone()).collect();
    let rows = spans.iter().map(|row| {
        let span = &row.span;
        let nobody = match span.of {
            SpanOf::Team => "no team of ours",
            SpanOf::Owner => "nobody",
        };
        let who = known_as(span, &all).unwrap_or(nobody);
        let by = match (&span.handoff, &span.by, &span.change) {
            (Some(handoff), ..) => format!("handoff {handoff}"),
            (None, Some(by), _) => tame(by),
            (None, None, Some(_)) => String::new(),
            (None, None, None) => "as seen".to_owned(),
        };
        [
            of(span).to_owned(),
            tame(who),
            span.from.to_string(),
            span.until.map_or_else(|| "now".to_owned(), |until| until.to_string()),
            by,
        ]
    });
    context.print(&table(["", "who", "from", "until", "by"], rows));
    let told = spans.iter().filter_map(|row| Some((row.span.id.as_deref()?, row.roles.as_ref()?)));
    let rows = told.map(|(team, roles)| {
        let accountable = roles.accountable.as_deref().unwrap_or_default();
        [
            tame(team),
            tame(&roles.responsible.join(", ")),
            tame(accountable),
            tame(&roles.consulted.join(", ")),
            tame(&roles.informed.join(", ")),
        ]
    });
    context.print(&table(["with", "responsible", "accountable", "consulted", "informed"], rows));
}

const HEAD: &str = "of,id,name,from,until,seconds,change,by,handoff,responsible,accountable,consulted,informed";

fn csv(spans: &[Row]) -> String {
    let mut lines = vec![HEAD.to_owned()];
    for Row { span, seconds, roles } in spans {
        let roles = roles.clone().unwrap_or_default();
        let several = |names: &[String]| cell(Some(&names.join("; ")));
        let until = span.until.map(|until| until.to_string());
        let cells = [
            of(span).to_owned(),
            cell(span.id.as_deref()),
            cell(span.name.as_deref()),
            span.from.to_string(),
            until.unwrap_or_default(),
            seconds.to_string(),
            cell(span.change.as_deref()),
            cell(span.by.as_deref()),
            cell(span.handoff.as_deref()),
            several(&roles.responsible),
            cell(roles.accountable.as_deref()),
            several(&roles.consulted),
            several(&roles.informed),
        ];
        lines.push(cells.join(","));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).expect("instant")
    }

    fn row(of: SpanOf, id: &str, name: Option<&str>, from: i64, until: i64) -> Row {
        let span = Span {
            of,
            id: Some(id.into()),
            name: name.map(str::to_owned),
            from: at(from),
            until: Some(at(until)),
            change: None,
            by: None,
            handoff: None,
        };
        Row { seconds: seconds(&span, at(1_000)), span, roles: None }
    }

    #[test]
    fn a_name_cannot_break_a_row_or_become_a_formula() {
        let rows = [row(SpanOf::Owner, "21", Some("=cmd|' /C calc'!A0, \"Max\"\nx"), 0, 60)];
        let text = csv(&rows);
        let body = text.split_once('\n').expect("a head").1;
        assert_eq!(
            body,
            "owner,21,\"'=cmd|' /C calc'!A0, \"\"Max\"\"\nx\",1970-01-01T00:00:00Z,1970-01-01T00:01:00Z,60,,,,,,,"
        );
    }

    #[test]
    fn the_time_with_each_team_adds_up() {
        let rows = [
            row(SpanOf::Team, "a", None, 0, 60),
            row(SpanOf::Team, "b", None, 60, 90),
            row(SpanOf::Team, "a", None, 90, 100),
        ];
        assert_eq!(by_team(&rows), BTreeMap::from([("a".to_owned(), 70), ("b".to_owned(), 30)]));
    }
}
