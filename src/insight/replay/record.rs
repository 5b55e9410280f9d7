//! A back-test as a record to keep: what was tried on what, what would have changed, what would not have gone well, what to watch.
//! Markdown, which reads well as text too. Pure.

use super::{COMPARED, Difference, RuleRun, Run, Shown, Then};
use crate::insight::stats::Share;
use crate::insight::words::{counted, length, number, seconds, share};
use crate::policy::rules::Limits;
use jiff::Timestamp;
use std::fmt::Write as _;

/// So many lines of a list.
const LINES: usize = 20;

/// What is recorded.
pub struct Record<'r> {
    /// When it was run.
    pub at: Timestamp,
    /// The log, and its map.
    pub log: (&'r str, &'r str),
    /// The configuration whose policy was tried.
    pub config: &'r str,
    /// What came of it.
    pub run: &'r Run<'r>,
    /// The policy's limits.
    pub limits: Limits,
    /// The other configuration, its run and what it decides differently.
    pub against: Option<(&'r str, &'r Run<'r>, &'r [Difference])>,
}

impl Record<'_> {
    /// As Markdown.
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing into a text cannot fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        let run = self.run;
        writeln!(text, "# Back-test of policy {}\n", run.policy)?;
        writeln!(text, "- run at {}", self.at.strftime("%Y-%m-%d %H:%M UTC"))?;
        writeln!(text, "- configuration: {}", self.config)?;
        writeln!(text, "- log: {} by the map {}", self.log.0, self.log.1)?;
        writeln!(
            text,
            "- {} cases, {} events, decided {} times",
            number(run.cases),
            number(run.events),
            number(run.decisions)
        )?;
        for line in run.repairs.lines() {
            writeln!(text, "- {line}")?;
        }
        writeln!(text, "\n## What it would have done\n")?;
        writeln!(
            text,
            "| rule | version | fires | cases | reviews | perhaps reviews | perhaps asked for parts | messages, if they may be written to \
             | people did too, later | to the same team | earlier by p50 |"
        )?;
        writeln!(text, "|---|---|--:|--:|--:|--:|--:|--:|---|---|---|")?;
        for rule in &run.rules {
            writeln!(
                text,
                "| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |",
                rule.rule,
                rule.version,
                number(rule.fires),
                number(rule.cases),
                number(rule.reviews),
                number(rule.perhaps_reviews),
                number(rule.perhaps_asked_for_parts),
                number(rule.messages),
                counted(rule.confirmed),
                counted(rule.same_team),
                length(rule.earlier.p50_s)
            )?;
        }
        writeln!(text, "\n## Some of it, to read\n")?;
        let examples = run.examples(LINES);
        examples.iter().try_for_each(|fire| writeln!(text, "- {}: {}", fire.case, shown(fire)))?;
        if examples.is_empty() {
            writeln!(text, "Nothing fired.")?;
        }
        self.changed(text)?;
        list(text, "What would not have gone well", &self.failed(), "Nothing that a log can show.")?;
        list(text, "What to watch", &self.watch(), "Nothing stands out.")
    }

    fn changed(&self, text: &mut String) -> std::fmt::Result {
        let Some((name, other, differences)) = self.against else { return Ok(()) };
        writeln!(text, "\n## What changes against policy {} ({name})\n", other.policy)?;
        writeln!(text, "{} cases are decided differently ({COMPARED}).\n", number(differences.len() as u64))?;
        for difference in differences.iter().take(LINES) {
            let this = difference.only_first.iter().filter_map(|fire| Some(("this", self.run.fires.shown(fire)?)));
            let others = difference.only_other.iter().filter_map(|fire| Some(("the other", other.fires.shown(fire)?)));
            for (which, fire) in this.chain(others) {
                writeln!(text, "- {}: only {which}: {}", fire.case, shown(&fire))?;
            }
            for changed in &difference.changed {
                let Some(fire) = self.run.fires.shown(&changed.first) else { continue };
                writeln!(text, "- {}: both: {}", fire.case, shown(&fire))?;
                for aspect in &changed.differs {
                    writeln!(text, "  - {}: this: {}; the other: {}", aspect.what, aspect.first, aspect.other)?;
                }
            }
        }
        if differences.len() > LINES {
            writeln!(text, "- … and {} cases more", number((differences.len() - LINES) as u64))?;
        }
        Ok(())
    }

    /// Where the policy could not decide, or would have had to wait.
    fn failed(&self) -> Vec<String> {
        let run = self.run;
        let mut lines = Vec::new();
        if run.unsure > 0 {
            let facts: Vec<String> =
                run.missing.iter().take(LINES).map(|(fact, count)| format!("{fact} {}", number(*count))).collect();
            lines.push(format!(
                "a condition could not be told in {} decisions, because the log does not have a fact: {}",
                counted(Share::new(run.unsure, run.decisions)),
                facts.join(", ")
            ));
        }
        for rule in &run.rules {
            let of = |count: u64, words: &str| (count > 0).then(|| format!("{}: {} {words}", rule.rule, number(count)));
            lines.extend(of(rule.over_limit, &self.limit_words()));
            lines.extend(of(
                rule.perhaps_asked_for_parts,
                "times the agent would have been asked first for parts of the package, if they are missing: a log does not hold them",
            ));
            lines.extend(of(
                rule.perhaps_reviews,
                "times a person would have been asked first, if what the log does not hold is so",
            ));
        }
        lines
    }

    fn limit_words(&self) -> String {
        format!(
            "fires would have waited for a place: {} an hour are allowed for a rule, {} for the desk",
            self.limits.per_rule_per_hour, self.limits.per_desk_per_hour
        )
    }

    /// What a lead looks at once the policy is live.
    fn watch(&self) -> Vec<String> {
        let run = self.run;
        let silent = run.rules.iter().filter(|rule| rule.fires == 0);
        let silent = silent.map(|rule| format!("{} never fired: is its condition what was meant?", rule.rule));
        // Most of what it does, people never did: it may be wrong, or what nobody had time for.
        let alone = run.rules.iter().filter(|rule| rule.fires > 0 && rule.confirmed.count * 2 < rule.confirmed.of);
        let alone = alone.map(|rule: &RuleRun| {
            format!(
                "{}: people handed over too, later, in {} of its fires: read some of the others",
                rule.rule,
                share(rule.confirmed)
            )
        });
        let loads = run.loads(|hour| hour.strftime("%Y-%m-%d %H:00 UTC").to_string());
        silent.chain(alone).chain(loads).collect()
    }
}

fn list(text: &mut String, title: &str, lines: &[String], none: &str) -> std::fmt::Result {
    writeln!(text, "\n## {title}\n")?;
    lines.iter().try_for_each(|line| writeln!(text, "- {line}"))?;
    if lines.is_empty() { writeln!(text, "{none}") } else { Ok(()) }
}

fn shown(fire: &Shown<'_>) -> String {
    let people = match fire.then {
        Then::Confirmed { earlier_s } => format!("people did too, {} later", seconds(earlier_s)),
        Then::Never => "people never did".to_owned(),
    };
    format!("{} by {} at {}, {people}", fire.to, fire.rule, fire.at)
}
