//! The readable document of a policy, as Markdown: what a team agrees on, written from what really runs. One section for
//! each path with its answers, then the teams, messages and limits that the paths refer to.

mod path;
mod risks;
mod tables;

pub use path::{path, rule_answers};

use super::case::SignedRule;
use super::hold;
use super::matching::AnyRule;
use super::rules::{Mode, Policy, Rule};
use handoffd_hours::length;
use std::fmt::Write as _;

/// What the document needs beside the policy.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// The systems that it touches: desk, helpdesk, address without secrets.
    pub systems: &'a [(String, String, String)],
    /// Rules that somebody has signed.
    pub signed_rules: &'a [SignedRule],
    /// Whether a message is signed in a wording.
    pub is_signed: &'a dyn Fn(&str, &str) -> bool,
    /// What runs in this policy's place, in a sentence; none: it runs itself.
    pub instead: Option<&'a str>,
}

/// The whole document.
pub fn document(policy: &Policy, around: &Around<'_>) -> String {
    let mut text = format!("# Handoffs: what was agreed, and what runs\n\nPolicy version `{}`.\n", policy.version);
    if let Some(instead) = around.instead {
        let _ = writeln!(text, "\n**This is not what runs.** {}", cell(instead));
    }
    answers(&mut text, policy);
    tables::systems(&mut text, policy, around.systems);
    tables::channels(&mut text, policy);
    shadow(&mut text, policy, around.signed_rules);
    starts(&mut text, policy);
    text.push_str("\n## Paths\n");
    if policy.escalations.is_empty() {
        text.push_str("\nNo rule escalates anything.\n");
    }
    for escalation in &policy.escalations {
        text.push('\n');
        text.push_str(&path(policy, escalation, around.is_signed));
    }
    tables::teams(&mut text, policy);
    tables::hours(&mut text, policy);
    tables::messages(&mut text, policy, around.is_signed);
    risks::risks(&mut text, policy);
    tables::clocks(&mut text, policy);
    tables::commands(&mut text, policy);
    tables::limits(&mut text, policy);
    changes(&mut text);
    text
}

/// Who answers, and what it is for.
fn answers(text: &mut String, policy: &Policy) {
    let header = &policy.header;
    let review_by = header.review_by.map(|day| day.to_string());
    let rows = [
        ("Who answers for it", header.owner.as_deref()),
        ("Who else signs what is sensitive", header.second_reviewer.as_deref()),
        ("Looked at again by", review_by.as_deref()),
        ("Source of truth", header.source_of_truth.as_deref()),
        ("Goal", header.goal.as_deref()),
        ("Data it looks at", header.data.as_deref()),
        ("What must not happen", header.feared_failure.as_deref()),
    ];
    text.push_str("\n| | |\n|---|---|\n");
    for (what, answer) in rows {
        let answer = answer.map_or("**not answered**".to_owned(), cell);
        let _ = writeln!(text, "| {what} | {answer} |");
    }
}

/// What decides and does not act.
fn shadow(text: &mut String, policy: &Policy, signed: &[SignedRule]) {
    text.push_str("\n## In shadow\n\n");
    if policy.mode == Mode::Shadow {
        text.push_str("The daemon runs in shadow: everything is decided and recorded, nothing is written.\n");
        return;
    }
    let why = |rule: &Rule| match rule.mode {
        Mode::Shadow => Some("it says so"),
        Mode::Live if hold::waits_for_signature(rule, policy, signed) => {
            Some("it is sensitive, and this version of it is not signed")
        }
        Mode::Live => None,
    };
    let waiting: Vec<String> =
        policy.rules().filter_map(|rule| Some(format!("- {}: {}\n", code(rule.name.as_str()), why(rule)?))).collect();
    text.push_str(&if waiting.is_empty() { "Nothing: every rule acts.\n".to_owned() } else { waiting.concat() });
}

/// Where cases start.
fn starts(text: &mut String, policy: &Policy) {
    text.push_str("\n## Where cases start\n");
    if policy.routes.is_empty() {
        text.push_str("\nNo rule routes anything: cases stay where the helpdesk puts them.\n");
    }
    for desk in policy.desks.keys().filter(|desk| policy.routes.iter().any(|route| route.desk == **desk)) {
        let _ = writeln!(text, "\nOn {}, the first of these that fits:\n", code(desk.as_str()));
        for (number, route) in policy.routes.iter().filter(|route| route.desk == *desk).enumerate() {
            let when = path::conditions(&route.rule);
            let duty = if route.on_duty { ", and only while that team is on duty" } else { "" };
            let fallback = route.fallback.as_ref().map(|team| {
                format!(". While that team is off duty, or its queue is gone, the case starts with **{team}**")
            });
            let (rule, fallback) = (code(route.rule.name.as_str()), fallback.unwrap_or_default());
            let words = path::words(AnyRule::Route(route), policy);
            let version = &route.rule.version;
            let _ = writeln!(
                text,
                "{}. {rule} → **{}**: {when}{duty}{fallback}. {words}Leaving that team within {} counts as weak triage. Version \
                 `{version}`.{}",
                number + 1,
                route.to,
                length(route.weak_triage_within),
                path::state(&route.rule)
            );
        }
    }
}

/// What becomes of cases when it changes.
fn changes(text: &mut String) {
    text.push_str(
        "\n## When this policy changes\n\n\
         - A handoff that is under way keeps the version that it began with.\n\
         - Every open case is looked at once, a few at a time.\n\
         - A rule that is new, changed, live or wider than before acts on cases that match from then on. Those that matched already \
         are listed (`handoffd handoffs list --would`) and go when a person releases them.\n",
    );
}

/// Text of the policy as code: nothing in it is Markdown.
fn code(text: &str) -> String {
    let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let fence = "`".repeat(longest_run(&text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

fn longest_run(text: &str) -> usize {
    text.split(|letter| letter != '`').map(str::len).max().unwrap_or(0)
}

/// Text of the policy inside a sentence or a table's cell: one line, and what Markdown would obey is escaped.
fn cell(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.split_whitespace().collect::<Vec<_>>().join(" ").chars() {
        // At the start of a line these make lists, rules and headings.
        let starts = plain.is_empty() && matches!(letter, '-' | '+' | '=');
        if starts
            || matches!(letter, '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '!')
        {
            plain.push('\\');
        }
        plain.push(letter);
    }
    plain
}

#[cfg(test)]
mod tests;
