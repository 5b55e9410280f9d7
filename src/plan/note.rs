//! The internal note: all that the receiving agents need, in a fixed order, with the mark as its last line. Plain text;
//! connectors turn it into what their desk takes.

use super::pause::Pause;
use crate::policy::due::Due;
use crate::policy::package::{Told, clean, name_of};
use crate::policy::proposal::{CustomerPlan, HandoffKind, Package, Proposal};
use crate::policy::rules::{CustomerFacing, InternalFrom, PackagePart, Unclaimed};
use handoffd_kit::mark::Mark;
use handoffd_kit::model::InternalText;
use handoffd_kit::text::cut_keeping;
use jiff::SignedDuration;

/// What a note says beside the proposal.
pub struct Occasion<'a> {
    /// The mark.
    pub mark: &'a Mark,
    /// Whether the customer message that the proposal plans is sent with it.
    pub tells: bool,
    /// What becomes of the pause of the customer's clock that the proposal plans.
    pub pause: &'a Pause,
    /// Who said yes, where a person was asked.
    pub approved_by: Option<&'a str>,
    /// The largest note in bytes.
    pub max_bytes: usize,
}

/// The name of the line that says whose request it is.
const ASKED_FOR_BY: &str = "Asked for by";
/// The name of the line with the rule's reason.
const WHY: &str = "Why";

/// What is left out first where a note cannot hold everything.
const LEFT_OUT_FIRST: [PackagePart; 6] = {
    use PackagePart::*;
    [History, Artifacts, Urgency, Reported, Summary, Steps]
};

/// The note of a handoff. Parts of the package that the desk's notes have no room for are left out, the least needed first,
/// and named.
pub fn note(proposal: &Proposal, occasion: &Occasion<'_>) -> InternalText {
    let filled = |part: &PackagePart| {
        let package = proposal.package.as_ref();
        package.and_then(|package| section(package, *part)).is_some_and(|lines| !lines.is_empty())
    };
    let candidates: Vec<PackagePart> = LEFT_OUT_FIRST.into_iter().filter(filled).collect();
    let room = occasion.max_bytes.saturating_sub(format!("\n\n{}", occasion.mark).len());
    let fits = |count: &usize| whole(proposal, occasion, &candidates[..*count]).len() <= room;
    let left_out = (0..=candidates.len()).find(fits).unwrap_or(candidates.len());
    marked(&whole(proposal, occasion, &candidates[..left_out]), occasion.mark, occasion.max_bytes)
}

fn whole(proposal: &Proposal, occasion: &Occasion<'_>, left_out: &[PackagePart]) -> String {
    let paragraphs = match proposal.kind {
        HandoffKind::Route => vec![opening(proposal, occasion), standing(proposal, occasion)],
        HandoffKind::Back => vec![handed_back(proposal), standing(proposal, occasion)],
        HandoffKind::Escalate | HandoffKind::Unclaimed => vec![
            opening(proposal, occasion),
            matched(proposal, left_out),
            package(proposal.package.as_ref(), left_out, occasion.max_bytes),
            after(proposal, occasion),
        ],
    };
    let text: Vec<String> =
        paragraphs.into_iter().filter(|lines| !lines.is_empty()).map(|lines| lines.join("\n")).collect();
    text.join("\n\n")
}

/// A text as a note, its mark kept whatever has to be cut.
pub fn marked(text: &str, mark: &Mark, max_bytes: usize) -> InternalText {
    InternalText(cut_keeping(text, &format!("\n\n{mark}"), max_bytes))
}

/// From → to, why, until when, the next open question.
fn opening(proposal: &Proposal, occasion: &Occasion<'_>) -> Vec<String> {
    let kind = match proposal.kind {
        HandoffKind::Route => "Routed",
        HandoffKind::Escalate => "Escalated",
        HandoffKind::Back => "Handed back",
        HandoffKind::Unclaimed => "Returned unclaimed",
    };
    let also: Vec<&str> = proposal.also.iter().map(|rule| rule.as_str()).collect();
    let also = if also.is_empty() { String::new() } else { format!(", with {}", also.join(", ")) };
    let mut lines = vec![
        format!("{kind}: {} → {}", from(proposal), proposal.to),
        format!("{WHY}: {} (rule {}{also})", one_line(&proposal.reason), proposal.rule),
    ];
    lines.extend(
        proposal.instead_of.as_ref().map(|other| format!("Instead of {}: {}", other.team, one_line(&other.why))),
    );
    lines.extend(proposal.asked.as_ref().map(|asked| match says_the_request(proposal) {
        true => format!("{ASKED_FOR_BY}: {} (/handoff)", spoken(&asked.by)),
        false => format!("{ASKED_FOR_BY}: {} (/handoff): {}", spoken(&asked.by), spoken(&asked.reason)),
    }));
    lines.extend(proposal.needs.as_ref().map(|needs| format!("Needed: {}", one_line(needs))));
    lines.extend(occasion.approved_by.map(|who| format!("Approved by: {}", one_line(who))));
    lines.extend(proposal.clock.internal_until.as_ref().map(|until| {
        let from = match proposal.clock.internal_from {
            InternalFrom::Handoff => "",
            InternalFrom::Opened => ", counted since the case was opened",
        };
        let word = if until.at > proposal.decided_at { "Until" } else { "Ran out" };
        format!("{word}: {} (the target of {}{from})", until.told(), proposal.to)
    }));
    lines.extend(
        customers_clock_first(proposal)
            .map(|(name, until)| format!("Until: {} (the customer's clock {})", until.told(), one_line(name))),
    );
    let question = proposal.package.as_ref().and_then(|package| section(package, PackagePart::Question));
    lines.extend(question.into_iter().flatten().map(|line| format!("Open question: {line}")));
    lines
}

/// Whether the rule's reason has the words of the request in it, which are not said twice then.
fn says_the_request(proposal: &Proposal) -> bool {
    let request = proposal.asked.as_ref().map(|asked| spoken(&asked.reason)).unwrap_or_default();
    !request.is_empty() && one_line(&proposal.reason).contains(&request)
}

fn from(proposal: &Proposal) -> String {
    match (&proposal.from, &proposal.from_queue) {
        (Some(team), _) => team.to_string(),
        (None, Some(queue)) => queue.name.clone().unwrap_or_else(|| queue.id.to_string()),
        (None, None) => "no queue".to_owned(),
    }
}

/// The closing note: what was asked for is done.
fn handed_back(proposal: &Proposal) -> Vec<String> {
    let by = proposal.asked.as_ref().map(|asked| format!(" ({}, /back)", spoken(&asked.by))).unwrap_or_default();
    vec![
        format!("Handed back: {} → {}", from(proposal), proposal.to),
        format!("Done: {}{by}", spoken(&proposal.reason)),
        format!("Owner: {}", proposal.owner.shown),
    ]
}

fn section(package: &Package, part: PackagePart) -> Option<&Vec<String>> {
    package.parts.iter().find(|section| section.part == part).map(|section| &section.lines)
}

/// The facts that matched. Words of the ticket that stand elsewhere in the note are not said again.
fn matched(proposal: &Proposal, left_out: &[PackagePart]) -> Vec<String> {
    let mut told = Told::default();
    if let Some(asked) = &proposal.asked {
        let line = if says_the_request(proposal) { WHY } else { ASKED_FOR_BY };
        told.add(line, &[spoken(&asked.reason)]);
    }
    let sections = proposal.package.iter().flat_map(|package| &package.parts);
    for section in sections.filter(|section| !left_out.contains(&section.part)) {
        told.add(title(section.part), &section.lines);
    }
    let shown = |(name, value): &(String, String)| match told.rest(value) {
        (_, titles) if titles.is_empty() || !is_ticket_text(name) => format!("{name}: {value}"),
        (rest, titles) if rest.is_empty() => format!("{name}: see \"{}\"", titles.join("\", \"")),
        (rest, titles) => format!("{name}: {} (and see \"{}\")", rest.join(" "), titles.join("\", \"")),
    };
    let facts: Vec<String> = proposal.facts.iter().map(shown).collect();
    if facts.is_empty() { Vec::new() } else { vec![format!("Matched: {}", facts.join("; "))] }
}

/// Whether a fact's value is words that people wrote on the ticket, which a part of the package may repeat.
fn is_ticket_text(name: &str) -> bool {
    ["ticket.subject", "ticket.text", "command.reason"].contains(&name) || name.starts_with("ticket.fields.")
}

/// The parts but for the question, which stands above; then what is required and was not found.
fn package(package: Option<&Package>, left_out: &[PackagePart], max_bytes: usize) -> Vec<String> {
    let Some(package) = package else { return Vec::new() };
    let mut lines = Vec::new();
    for section in &package.parts {
        if section.lines.is_empty() || section.part == PackagePart::Question || left_out.contains(&section.part) {
            continue;
        }
        lines.push(format!("{} (from {}):", title(section.part), section.source));
        lines.extend(section.lines.iter().map(|line| format!("- {line}")));
    }
    if !left_out.is_empty() {
        let names: Vec<&str> = left_out.iter().map(|part| name_of(*part)).collect();
        lines.push(format!("Left out, because a note here holds at most {max_bytes} bytes: {}", names.join(", ")));
    }
    if !package.missing.is_empty() {
        let missing: Vec<&str> = package.missing.iter().map(|part| name_of(*part)).collect();
        let there = package.required.saturating_sub(missing.len());
        lines.push(format!(
            "Not found: {} ({there} of {} required parts are there)",
            missing.join(", "),
            package.required
        ));
    }
    lines
}

fn title(part: PackagePart) -> &'static str {
    match part {
        PackagePart::Summary => "Summary",
        PackagePart::Reported => "The customer reported",
        PackagePart::Steps => "Steps tried",
        PackagePart::Artifacts => "Attachments",
        PackagePart::Urgency => "Urgency and account",
        PackagePart::Question => "Open question",
        PackagePart::History => "History",
    }
}

/// Who owns it, which clock runs, how old it is, what the customer is told, what is unknown.
fn after(proposal: &Proposal, occasion: &Occasion<'_>) -> Vec<String> {
    let mut lines = vec![owner(proposal)];
    lines.extend(claim(proposal));
    lines.extend(previous(proposal));
    lines.extend(standing(proposal, occasion));
    lines.push(match &proposal.customer {
        CustomerPlan::Tell { text, .. } if occasion.tells => format!("The customer is told: {}", one_line(text)),
        CustomerPlan::Tell { message, .. } => format!("The customer is told nothing: {message} is not signed any more"),
        CustomerPlan::Nothing { because } => format!("The customer is told nothing: {}", one_line(because)),
    });
    let unknown = proposal.package.as_ref().map(|package| package.unknown.join("; ")).unwrap_or_default();
    if !unknown.is_empty() {
        lines.push(format!("Unknown: {unknown}"));
    }
    lines
}

/// Which clock runs, who answers for it, and how old the case is.
fn standing(proposal: &Proposal, occasion: &Occasion<'_>) -> Vec<String> {
    let age = proposal.opened_at.map(|opened| span(proposal.decided_at.duration_since(opened)));
    let clocks = clocks(proposal, occasion);
    [Some(clocks), age.map(|age| format!("Open for: {age}"))].into_iter().flatten().collect()
}

fn owner(proposal: &Proposal) -> String {
    let facing = match (proposal.owner.customer_facing, &proposal.owner.previous) {
        (CustomerFacing::New, _) => "whoever takes it".to_owned(),
        (CustomerFacing::Previous, Some(previous)) => one_line(previous),
        (CustomerFacing::Previous, None) => proposal.from.as_ref().map_or("nobody", |team| team.as_str()).to_owned(),
    };
    let fallback = match &proposal.owner.fallback {
        Some(why) => format!(" (not as declared: {})", one_line(why)),
        None => String::new(),
    };
    format!("Owner: {}{fallback}; the customer's contact: {facing}", one_line(&proposal.owner.shown))
}

/// Until when somebody should take it on, and what happens where nobody does.
fn claim(proposal: &Proposal) -> Option<String> {
    let claim = proposal.owner.claim.as_ref()?;
    let until = claim
        .until
        .as_ref()
        .map_or_else(|| format!("within {}", claim.within.shown()), |due| format!("by {}", due.told()));
    let chain: Vec<String> = claim.chain.iter().map(step).collect();
    let then = if chain.is_empty() { String::new() } else { format!("; else {}", chain.join(", then ")) };
    Some(format!("To be taken on: {until}{then}"))
}

/// What happens where nobody takes a case on, in words.
pub(super) fn step(step: &Unclaimed) -> String {
    match step {
        Unclaimed::Lead => "the lead is asked".to_owned(),
        Unclaimed::Team(team) => format!("it goes on to {team}"),
        Unclaimed::Back => "it goes back".to_owned(),
    }
}

fn previous(proposal: &Proposal) -> Option<String> {
    let task = proposal.owner.previous_task.as_ref()?;
    let who = match (&proposal.owner.previous, &proposal.from) {
        (Some(previous), _) => one_line(previous),
        (None, Some(team)) => team.to_string(),
        (None, None) => return None,
    };
    let until = proposal.owner.previous_until.as_ref();
    let until = until.map(|until| format!(" (until {})", until.told())).unwrap_or_default();
    Some(format!("Still with {who}: {}{until}", one_line(task)))
}

/// The customer's clock, where the receiving team has no target of its own and no pause stops it: the deadline that counts.
fn customers_clock_first(proposal: &Proposal) -> Option<(&str, &Due)> {
    let clock = &proposal.clock;
    let counts = clock.internal_until.is_none() && clock.pause.is_none() && clock.paused_until.is_none();
    let escalates = proposal.kind == HandoffKind::Escalate;
    let (name, until) = clock.customer_runs_until(proposal.decided_at).filter(|_| counts && escalates)?;
    Some((name, until))
}

fn clocks(proposal: &Proposal, occasion: &Occasion<'_>) -> String {
    let customer = match (occasion.pause.told(proposal), &proposal.clock.customer_until) {
        (Some(pause), _) => pause,
        (None, Some((name, _))) if customers_clock_first(proposal).is_some() => {
            format!("{} runs on until then", one_line(name))
        }
        (None, Some((name, until))) if until.at <= proposal.decided_at => {
            format!("{} ran out {}", one_line(name), until.told())
        }
        (None, Some((name, until))) => format!("{} runs on until {}", one_line(name), until.told()),
        (None, None) => "the customer's runs on".to_owned(),
    };
    let answers = proposal.accountable().map_or("nobody", |team| team.as_str());
    // Helpdesks take any public word of an agent for the reply that a clock waits for.
    let waits_for_a_reply = proposal.clock.customer_until.as_ref().is_some_and(|(name, _)| name.ends_with("_reply"));
    let tells = occasion.tells && matches!(proposal.customer, CustomerPlan::Tell { .. });
    let met = if waits_for_a_reply && tells {
        ", unless the helpdesk takes our message to the customer for the reply"
    } else {
        ""
    };
    format!("Clocks: {customer}{met}; {answers} answers for them")
}

/// One line: what was rendered from a ticket's text must not open a line of its own.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What a person gave as a reason, as the words of a package stand in a note.
pub(super) fn spoken(words: &str) -> String {
    one_line(&clean(words))
}

/// A span in its two largest units.
fn span(span: SignedDuration) -> String {
    let minutes = span.as_mins().max(0);
    match (minutes / 1_440, minutes / 60 % 24, minutes % 60) {
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
}
