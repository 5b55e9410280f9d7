//! One case from its first event to its last effect: who had it, what every look said and why, what was handed off, what
//! agents and persons ordered. Oldest first; all of it is in the ledger. Pure.

use super::handoff::Whole;
use crate::ledger::board::{ActLine, CaseLine};
use crate::ledger::commands::CommandRecord;
use crate::ledger::records::{HandoffRecord, Span, SpanOf};
use crate::policy::verdict::{RuleResult, Verdict};
use jiff::Timestamp;
use serde::Serialize;

/// What the ledger knows of one case.
pub(super) struct Known {
    pub case: CaseLine,
    pub spans: Vec<Span>,
    pub verdicts: Vec<(Timestamp, Verdict)>,
    pub handoffs: Vec<HandoffRecord>,
    pub commands: Vec<CommandRecord>,
    pub acts: Vec<ActLine>,
}

/// One thing that happened.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Event {
    pub at: Timestamp,
    /// What kind of thing: a class of the style sheet.
    pub kind: &'static str,
    pub title: String,
    /// Why, line by line.
    pub why: Vec<String>,
    /// The handoff whole, where one was decided.
    pub handoff: Option<Box<Whole>>,
}

fn event(at: Timestamp, kind: &'static str, title: impl Into<String>, why: Vec<String>) -> Event {
    Event { at, kind, title: title.into(), why, handoff: None }
}

/// All of it in order.
pub(super) fn timeline(known: &Known) -> Vec<Event> {
    let mut events = vec![event(known.case.first_seen, "met", "handoffd met it for the first time", Vec::new())];
    events.extend(known.spans.iter().map(span));
    events.extend(known.verdicts.iter().map(|(at, verdict)| looked(*at, verdict)));
    events.extend(known.handoffs.iter().flat_map(handoff));
    events.extend(known.commands.iter().map(command));
    events.extend(known.acts.iter().map(act));
    // Of one instant, the look comes before what it decided.
    events.sort_by_key(|event| (event.at, order(event.kind)));
    events
}

fn order(kind: &str) -> usize {
    let kinds = ["met", "team", "owner", "command", "look", "handoff", "act", "sent", "claim"];
    kinds.iter().position(|known| *known == kind).unwrap_or(kinds.len())
}

fn span(span: &Span) -> Event {
    let (kind, what, nobody) = match span.of {
        SpanOf::Team => ("team", "it lies with", "no team of ours"),
        SpanOf::Owner => ("owner", "its owner is", "nobody"),
    };
    let who = span.name.as_deref().or(span.id.as_deref()).unwrap_or(nobody);
    let by = match (&span.handoff, &span.by, &span.change) {
        (Some(handoff), ..) => Some(format!("by handoff {handoff}")),
        (None, Some(by), Some(change)) => Some(format!("by {by}, change {change}")),
        (None, Some(by), None) => Some(format!("by {by}")),
        (None, None, Some(change)) => Some(format!("change {change}")),
        (None, None, None) => None,
    };
    event(span.from, kind, format!("{what} {who}"), by.into_iter().collect())
}

fn looked(at: Timestamp, verdict: &Verdict) -> Event {
    let about = verdict.trace.iter().filter(|trace| trace.result != RuleResult::NotFrom);
    let why = about.map(|trace| {
        let facts: Vec<String> = trace.facts.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        let facts = if facts.is_empty() { String::new() } else { format!(" [{}]", facts.join(", ")) };
        format!("{}@{} → {}: {}{facts}", trace.rule, trace.version, trace.to, trace.result.shown())
    });
    event(at, "look", format!("looked at: {}", verdict.outcome.shown()), why.collect())
}

fn handoff(record: &HandoffRecord) -> Vec<Event> {
    let whole = Whole::of(record);
    let brief = &whole.brief;
    let title = format!("handoff {}: {} → {}", brief.id, brief.from, brief.to);
    let mut why = vec![format!("by rule {}@{}: {}", brief.rule, brief.version, brief.reason)];
    why.extend(brief.risks.iter().map(|risk| format!("a person is asked: {risk}")));
    why.extend(whole.detail.iter().map(|detail| format!("it is {} because {detail}", brief.state.replace('_', " "))));
    let mut events = Vec::new();
    if let Some(at) = record.sent_at {
        events.push(event(at, "sent", format!("handoff {} was carried out", brief.id), Vec::new()));
    }
    if let Some((at, by)) = &record.claimed {
        events.push(event(*at, "claim", format!("{by} has taken it on"), Vec::new()));
    }
    events.push(Event { handoff: Some(Box::new(whole)), ..event(record.created_at, "handoff", title, why) });
    events
}

fn command(command: &CommandRecord) -> Event {
    let title = format!("/{} by {}: {}", command.verb, command.by, command.outcome);
    event(command.given_at, "command", title, vec![command.words.clone()])
}

fn act(act: &ActLine) -> Event {
    let title = format!("{} of {} by {}", act.what, act.about, act.by);
    event(act.at, "act", title, act.reason.iter().cloned().collect())
}
