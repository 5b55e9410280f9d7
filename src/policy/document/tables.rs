//! What the paths refer to: systems, teams with their hours, messages with their signatures, clocks, commands, limits.

use super::super::alert::Outside;
use super::super::due::{Counts, Wait};
use super::super::languages::PublicName;
use super::super::names::AlertName;
use super::super::rules::{Limits, Policy, Rule, Start};
use super::{cell, code};
use handoffd_hours::length;
use handoffd_kit::desk::QueueSpec;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// Which helpdesks are read and written.
pub(super) fn systems(text: &mut String, policy: &Policy, systems: &[(String, String, String)]) {
    text.push_str("\n## Systems it touches\n\n| desk | helpdesk | address | new cases come in | custom fields it reads | from when on |\n|---|---|---|---|---|---|\n");
    for (name, connector, address) in systems {
        let desk = policy.desks.iter().find(|(id, _)| id.as_str() == name).map(|(_, desk)| desk);
        let listed = |all: Vec<String>| if all.is_empty() { "none".to_owned() } else { all.join(", ") };
        let intake = listed(desk.into_iter().flat_map(|desk| &desk.intake).map(queue).collect());
        let fields = listed(desk.into_iter().flat_map(|desk| desk.fields.keys()).map(|field| code(field)).collect());
        let start = match desk.map(|desk| desk.start) {
            Some(Start::At(start)) => start.to_string(),
            Some(Start::Now) | None => "its first start; older tickets once something changes on them".to_owned(),
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {intake} | {fields} | {start} |",
            cell(name),
            cell(connector),
            cell(address)
        );
    }
}

/// By which channels people are told outside of the helpdesk, of what, when.
pub(super) fn channels(text: &mut String, policy: &Policy) {
    let alerts = &policy.alerts;
    text.push_str("\n## Who is told outside the helpdesk\n\n");
    if alerts.channels.is_empty() {
        text.push_str("Nobody: there is no alert channel.\n");
        return;
    }
    text.push_str("| channel | kind | is told of | when | teams and rules that name it |\n|---|---|---|---|---|\n");
    for (name, channel) in &alerts.channels {
        let tells: Vec<&str> = channel.tells.iter().map(|occasion| occasion.shown()).collect();
        let when = channel.hours.as_ref().map_or("always".to_owned(), |hours| match channel.outside {
            Outside::Wait => format!("{}; what happens outside of them waits", cell(hours.name.as_str())),
            Outside::Drop => format!("{}; what happens outside of them is not told", cell(hours.name.as_str())),
        });
        let teams = policy.teams.values().filter(|team| team.alert.contains(name)).map(|team| team.name.to_string());
        let names = |rule: &&Rule| rule.alert.as_ref().is_some_and(|alert| alert.contains(name));
        let rules = policy.rules().filter(names).map(|rule| code_cell(rule.name.as_str()));
        let named: Vec<String> = teams.chain(rules).collect();
        let named = if named.is_empty() { "none".to_owned() } else { named.join(", ") };
        let (name, kind) = (code_cell(name.as_str()), channel.kind.name());
        let _ = writeln!(text, "| {name} | {kind} | {} | {when} | {named} |", tells.join(", "));
    }
    let listed = |names: &[AlertName]| names.iter().map(|name| code(name.as_str())).collect::<Vec<_>>().join(", ");
    let parked = match alerts.operators.as_slice() {
        [] => "the channels of the receiving team".to_owned(),
        operators => listed(operators),
    };
    let _ = writeln!(text, "\n- Of what handoffd began and cannot finish are told: {parked}.");
    if let Some(digest) = &alerts.digest {
        let _ = writeln!(text, "- The week's figures go to: {} ({}).", listed(&digest.to), cell(&digest.when()));
    }
}

fn queue(queue: &QueueSpec) -> String {
    match queue {
        QueueSpec::Name(name) => cell(name),
        QueueSpec::Id(id) => format!("number {}", cell(id)),
    }
}

/// Who owns cases, and when they are there.
pub(super) fn teams(text: &mut String, policy: &Policy) {
    text.push_str("\n## Teams\n\n| team | tier | desk | queue | hours | lead | says yes or no | what customers read |\n|---|---|---|---|---|---|---|---|\n");
    for team in policy.teams.values() {
        let reviewers: Vec<&str> = team.reviewers.iter().map(|name| name.as_str()).collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {} |",
            team.name,
            team.tier,
            team.desk,
            queue(&team.queue),
            team.hours.as_ref().map_or("always open", |hours| hours.name.as_str()),
            team.lead.as_ref().map_or("nobody", |lead| lead.as_str()),
            if reviewers.is_empty() { "anybody on the desk".to_owned() } else { reviewers.join(", ") },
            team.public_name.as_ref().map_or("nothing".to_owned(), public_names),
        );
    }
    text.push_str(
        "\nWhere somebody is named who says yes or no, the lead of the team that gives the case may too. Whoever asked for a \
         handoff does not say yes to it.\n",
    );
}

fn public_names(names: &PublicName) -> String {
    let named = |(language, name): (Option<&str>, &str)| match language {
        Some(language) => format!("{language}: {}", cell(name)),
        None => cell(name),
    };
    names.all().map(named).collect::<Vec<_>>().join("; ")
}

/// When teams, people and channels are there, and what own clocks count.
pub(super) fn hours(text: &mut String, policy: &Policy) {
    let teams = policy.teams.values().filter_map(|team| team.hours.as_ref());
    let people = policy.people.values().filter_map(|person| person.hours.as_ref());
    let channels = policy.alerts.channels.values().filter_map(|channel| channel.hours.as_ref());
    let targets = policy.targets.iter().filter_map(|target| target.hours.as_ref());
    let named = teams.chain(people).chain(channels).chain(targets).map(|hours| (hours.name.as_str(), hours));
    let all: BTreeMap<&str, _> = named.collect();
    text.push_str("\n## Hours\n\n");
    if all.is_empty() {
        text.push_str("None: whoever is named is always there.\n");
        return;
    }
    text.push_str("| hours | zone | open | closed on |\n|---|---|---|---|\n");
    for (name, hours) in all {
        let closed: Vec<String> = hours.closed.iter().map(ToString::to_string).collect();
        let closed = if closed.is_empty() { "no other day".to_owned() } else { closed.join(", ") };
        let _ = writeln!(text, "| {} | {} | {} | {closed} |", cell(name), cell(&hours.zone), cell(&hours.open));
    }
}

/// What customers may read.
pub(super) fn messages(text: &mut String, policy: &Policy, is_signed: &dyn Fn(&str, &str) -> bool) {
    if policy.messages.is_empty() {
        text.push_str("\n## Messages\n\nNothing is ever sent to customers.\n");
        return;
    }
    text.push_str("\n## Messages\n");
    for message in policy.messages.values() {
        let signed =
            if is_signed(message.name.as_str(), &message.wording_hash) { "signed" } else { "not signed: not sent" };
        let signers: Vec<String> = message.signers.iter().map(|signer| cell(signer)).collect();
        let _ = writeln!(
            text,
            "\n### {}\n\nWording `{}`, {signed}. Who may sign: {}.",
            code(message.name.as_str()),
            message.wording_hash,
            signers.join(", ")
        );
        for (language, wording) in &message.wordings {
            let _ = writeln!(text, "\n{language}:\n");
            for line in wording.lines() {
                let _ = writeln!(text, "> {}", cell(line));
            }
        }
    }
}

/// The clocks that the daemon keeps itself.
pub(super) fn clocks(text: &mut String, policy: &Policy) {
    text.push_str("\n## Clocks of our own\n\n");
    if policy.targets.is_empty() {
        text.push_str("None: what the helpdesk counts is what counts.\n");
        return;
    }
    text.push_str("Where the helpdesk has none. The first of these that fits a case is its own.\n\n| target | cases | first reply | next reply | resolution | hours | stands still in |\n|---|---|---|---|---|---|---|\n");
    for target in &policy.targets {
        let conditions: Vec<String> = target.when.iter().map(|condition| code_cell(condition.source())).collect();
        let conditions = if conditions.is_empty() { "every case".to_owned() } else { conditions.join(" and ") };
        let shown = |wait: &Option<Wait>| wait.as_ref().map_or("none".to_owned(), target_length);
        let statuses: Vec<&str> = target.paused_in.iter().map(|status| status.name()).collect();
        let _ = writeln!(
            text,
            "| {} | {conditions} | {} | {} | {} | {} | {} |",
            target.name,
            shown(&target.first_reply),
            shown(&target.next_reply),
            shown(&target.resolution),
            target.hours.as_ref().map_or("those of the team that has the case", |hours| hours.name.as_str()),
            if statuses.is_empty() { "no status".to_owned() } else { statuses.join(", ") },
        );
    }
}

/// As [`super::path::waited`], but for the hours, which have a column of their own.
fn target_length(wait: &Wait) -> String {
    match wait.counts {
        Counts::TeamHours => length(wait.length),
        Counts::Wall => format!("{} by the wall clock", length(wait.length)),
    }
}

/// Code in a table's cell: there a bar ends the cell even inside of code.
fn code_cell(text: &str) -> String {
    code(text).replace('|', "\\|")
}

/// What agents may order inside their helpdesk.
pub(super) fn commands(text: &mut String, policy: &Policy) {
    text.push_str("\n## What agents may order inside their helpdesk\n\n");
    for (desk, rules) in &policy.desks {
        let words = &rules.commands;
        let notes = "in the first line of an internal note: `/handoff TEAM REASON`, `/back REASON`, `/approve`, `/edit PART: TEXT`, `/reject REASON`, `/rate good` or `/rate poor`";
        let labels: Vec<String> = words
            .handoff
            .iter()
            .chain([&words.back, &words.approve, &words.reject, &words.good, &words.poor])
            .map(|label| code(label))
            .collect();
        let labels = format!("by label: {}", labels.join(", "));
        let ways = match (words.notes, words.tags) {
            (true, true) => format!("{notes}; {labels}"),
            (true, false) => notes.to_owned(),
            (false, true) => labels,
            (false, false) => "nothing".to_owned(),
        };
        let _ = writeln!(text, "- {}: {ways}.", code(desk.as_str()));
    }
    for team in policy.teams.keys() {
        let others: Vec<&str> = policy.on_request(team).into_iter().map(|team| team.as_str()).collect();
        if !others.is_empty() {
            let _ = writeln!(text, "- From {team} they may ask for: {}.", others.join(", "));
        }
    }
}

/// What never happens, and how much may.
pub(super) fn limits(text: &mut String, policy: &Policy) {
    let Limits { per_rule_per_hour, per_desk_per_hour, hops_per_day } = policy.limits;
    text.push_str("\n## Limits\n\n");
    let _ = writeln!(
        text,
        "- At most {per_rule_per_hour} handoffs of a rule and {per_desk_per_hour} on a desk in an hour; more wait, but for what a person releases or says yes to."
    );
    let _ =
        writeln!(text, "- A case that was moved {hops_per_day} times in a day is moved again only by a person's yes.");
    if let Some(never) = &policy.never {
        let _ = writeln!(text, "- Never touched: tickets for which {} holds.", code(never.source()));
    }
    if !policy.suppress.is_empty() {
        let all: Vec<String> = policy.suppress.iter().map(|pattern| code(pattern.as_str())).collect();
        let _ = writeln!(text, "- Never written to: {}.", all.join(", "));
    }
}
