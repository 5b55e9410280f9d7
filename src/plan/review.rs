//! What a ticket is told of a review that nobody answers: reminders while it waits, and its end when its time is over. Pure.

use super::PlannedEffect;
use super::effects::note_alone;
use super::note::{one_line, spoken};
use super::stale::ending_note;
use crate::policy::names::PersonName;
use crate::policy::offer::{answers, offers};
use crate::policy::proposal::Proposal;
use crate::policy::review_terms::{MOST_REMINDERS, ReviewPlan};
use crate::policy::verdict::Risk;
use handoffd_kit::capability::Capabilities;
use handoffd_kit::model::TicketHead;
use jiff::{SignedDuration, Timestamp};
use std::ops::Range;

/// The numbers of reminders of a review.
pub const NUMBERS: Range<u32> = 80..80 + MOST_REMINDERS;

/// A reminder is late already: handoffs, which are due in a quarter of an hour at most, go before it.
const PATIENCE: SignedDuration = SignedDuration::from_mins(15);

/// One reminder.
pub struct Reminder<'a> {
    /// The wait.
    pub plan: &'a ReviewPlan,
    /// Why a person is asked.
    pub risks: &'a [Risk],
    /// Who may answer; none: anybody who works on the desk.
    pub reviewers: Vec<&'a PersonName>,
    /// How many were sent before.
    pub before: u32,
    /// The instant.
    pub now: Timestamp,
}

/// The note of one reminder; none where no number is left.
pub fn reminder(
    proposal: &Proposal,
    id: &str,
    told: &Reminder<'_>,
    capabilities: &Capabilities,
    head: &TicketHead,
) -> Option<PlannedEffect> {
    let number = NUMBERS.clone().nth(usize::try_from(told.before).ok()?)?;
    let ReviewPlan { until, unanswered, .. } = told.plan;
    let then = if told.now < until.at {
        format!("If nobody answers by {}, {}.", until.told(), unanswered.shown())
    } else {
        format!("It should have been answered by {}.", until.shown)
    };
    let text = format!(
        "Still waiting for a yes or no: {} → {}, rule {}.\nWhy: {}\nA person is asked because {}.\n{} asked to answer: {} in an internal note, or \
         `handoffd reviews show {id}`.\n{then}",
        proposal.from.as_ref().map_or("no team", |from| from.as_str()),
        proposal.to,
        proposal.rule,
        one_line(&proposal.reason),
        because(told.risks),
        asked(&told.reviewers),
        match offers(proposal, told.risks).as_slice() {
            [] | [_] => "/approve or /reject REASON".to_owned(),
            several => answers(several),
        },
    );
    let named = (number, "note: a review waits");
    Some(note_alone(proposal, id, named, &text, capabilities, head, told.now + PATIENCE))
}

fn because(risks: &[Risk]) -> String {
    let all: Vec<String> = risks.iter().map(|risk| spoken(&risk.shown())).collect();
    if all.is_empty() { "it was asked for".to_owned() } else { all.join("; ") }
}

fn asked(reviewers: &[&PersonName]) -> String {
    let names: Vec<&str> = reviewers.iter().map(|name| name.as_str()).collect();
    match names.as_slice() {
        [] => "Somebody is".to_owned(),
        [one] => format!("{one} is"),
        [all @ .., last] => format!("{} or {last} is", all.join(", ")),
    }
}

/// The note that nobody answered in time, which was a no.
pub fn unanswered_note(
    proposal: &Proposal,
    id: &str,
    plan: &ReviewPlan,
    capabilities: &Capabilities,
    head: &TicketHead,
    now: Timestamp,
) -> PlannedEffect {
    let text = format!(
        "Not handed off to {}: nobody answered the review of rule {} by {}, which the policy takes for a no.\nNothing was \
         changed. The rule asks again only when what it matched changes.",
        proposal.to,
        proposal.rule,
        plan.until.told()
    );
    ending_note(proposal, id, &text, capabilities, head, now)
}

/// Who said yes or no where nobody did: in the record, in the note, in lists.
pub fn by_policy(plan: &ReviewPlan) -> String {
    format!("the policy, nobody having answered by {}", plan.until.shown)
}

/// A yes as the handoff's note names it: whose, when, and why, if they said so. The policy's says both itself.
pub fn yes(proposal: &Proposal, by: &str, at: Timestamp, reason: Option<&str>) -> String {
    if proposal.review.as_ref().is_some_and(|plan| by == by_policy(plan)) {
        return by.to_owned();
    }
    let reason = reason.map_or_else(String::new, |reason| format!(": {}", spoken(reason)));
    format!("{by} at {}{reason}", at.strftime("%Y-%m-%d %H:%M UTC"))
}
