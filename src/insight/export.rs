//! The figures as CSV: paths, teams, or every stay of every case.

use super::figures::{PathRow, TeamRow};
use super::log::{Length, Names};
use super::story::{Story, Taken};
use crate::config::events::Tier;
use std::io::{self, Write};

/// The columns of the paths.
pub const PATH_COLUMNS: &str = "from_team,to_team,from_line,to_line,transfers,bounce_1d,bounce_3d,bounce_7d,bounce_any,\
return_1d,return_3d,return_7d,return_any,queued_picked,queued_never,direct,wait_p50_s,wait_p90_s";

/// One cell, in quotes where it needs them. What a spreadsheet would take for a formula begins with `'`: names come from outside.
pub fn cell(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = &if formula { format!("'{text}") } else { text.to_owned() };
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{}\"", text.replace('"', "\"\"")) } else { text.to_owned() }
}

/// Seconds: a whole number where it is one; empty where there is none.
fn seconds(length: Option<Length>) -> String {
    let micros = length.map(Length::micros);
    match micros {
        None => String::new(),
        Some(micros) if micros % 1_000_000 == 0 => (micros / 1_000_000).to_string(),
        Some(micros) => (micros as f64 / 1e6).to_string(),
    }
}

/// Every path, one a line.
///
/// # Errors
/// The writer's.
pub fn paths(rows: &[PathRow], out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{PATH_COLUMNS}")?;
    for row in rows {
        let names = [&row.from_team, &row.to_team, &row.from_line, &row.to_line].map(|text| cell(text));
        let counts = [
            row.transfers,
            row.bounce_1d,
            row.bounce_3d,
            row.bounce_7d,
            row.bounce_any,
            row.return_1d,
            row.return_3d,
            row.return_7d,
            row.return_any,
            row.queued_picked,
            row.queued_never,
            row.direct,
        ];
        let counts = counts.map(|count| count.to_string());
        let waits = [seconds(row.wait_p50_s), seconds(row.wait_p90_s)];
        writeln!(out, "{},{},{}", names.join(","), counts.join(","), waits.join(","))?;
    }
    Ok(())
}

/// Every team, one a line.
///
/// # Errors
/// The writer's.
pub fn teams(rows: &[TeamRow], out: &mut impl Write) -> io::Result<()> {
    writeln!(
        out,
        "team,tier,cases,opened,stays,held_total_s,held_p50_s,gave,given_bounce_7d,given_bounce_any,got,got_bounce_7d,\
got_bounce_any,queued_picked,queued_never,direct,wait_p50_s,wait_p90_s"
    )?;
    for row in rows {
        let line = [
            cell(&row.team),
            cell(&row.tier),
            row.cases.to_string(),
            row.opened.to_string(),
            row.stays.to_string(),
            seconds(Some(row.held_total_s)),
            seconds(row.held.p50_s),
            row.gave.to_string(),
            row.given_bounced.within_7d.count.to_string(),
            row.given_bounced.ever.count.to_string(),
            row.got.to_string(),
            row.got_bounced.within_7d.count.to_string(),
            row.got_bounced.ever.count.to_string(),
            row.waits.picked.to_string(),
            row.waits.never.to_string(),
            row.waits.direct.to_string(),
            seconds(row.waits.wait.p50_s),
            seconds(row.waits.wait.p90_s),
        ];
        writeln!(out, "{}", line.join(","))?;
    }
    Ok(())
}

/// The tables that the stays of stories point into.
#[derive(Clone, Copy, Debug)]
pub struct StayNames<'n> {
    /// Names of cases.
    pub cases: &'n Names,
    /// Names of teams.
    pub teams: &'n Names,
    /// Each team's tier.
    pub tiers: &'n [Option<Tier>],
}

/// Who held each case from when to when: every stay, one a line, cases in the order in which they were first met.
///
/// # Errors
/// The writer's.
pub fn stays(stories: impl Iterator<Item = Story>, names: StayNames<'_>, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "case,nth,team,tier,start,end,held_s,taken,wait_s")?;
    for story in stories {
        for (at, stay) in story.stays.iter().enumerate() {
            let end = story.stays.get(at + 1).map_or(story.last, |next| next.start);
            let tier = usize::try_from(stay.team).ok().and_then(|team| names.tiers.get(team)).and_then(Option::as_ref);
            let (taken, wait) = match stay.taken {
                Taken::Direct => ("direct", None),
                Taken::After(wait) => ("picked", Some(wait)),
                Taken::Never => ("never", None),
                Taken::Untold => ("", None),
            };
            let line = [
                cell(names.cases.name(story.case)),
                (at + 1).to_string(),
                cell(names.teams.name(stay.team)),
                cell(tier.map_or("", |tier| tier.as_str())),
                stay.start.timestamp().to_string(),
                end.timestamp().to_string(),
                seconds(Some(story.held(at))),
                taken.to_owned(),
                seconds(wait),
            ];
            writeln!(out, "{}", line.join(","))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_a_formula_in_a_spreadsheet() {
        let cells = ["=1+1", "+49", "-x", "@sum", "\tx", "Billing", "a,\"b\"", "=a,b"].map(cell);
        assert_eq!(cells, ["'=1+1", "'+49", "'-x", "'@sum", "'\tx", "Billing", "\"a,\"\"b\"\"\"", "\"'=a,b\""]);
    }
}
