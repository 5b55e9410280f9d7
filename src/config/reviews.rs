//! `reviews`: how long people have for the answer to a review, how often they are reminded, and what no answer means. In
//! `[policy]` for all of them, on an escalation for its own.

use super::conditions::WAITS;
use super::found::Found;
use super::keys;
use super::walk::Section;
use crate::policy::review_terms::{ReviewTerms, Unanswered};

const UNANSWERED: [(&str, Unanswered); 3] =
    [("wait", Unanswered::Wait), ("reject", Unanswered::Reject), ("approve", Unanswered::Approve)];

/// Reads the table, where there is one. None: wrong, which was reported.
pub(super) fn read(found: &mut Found<'_>, section: &Section<'_>) -> Option<Option<ReviewTerms>> {
    if !section.has("reviews") {
        return Some(None);
    }
    let table = section.table(found, "reviews", keys::REVIEWS, format!("`reviews` of {}", section.title))?;
    if !table.has("answer_within") {
        table.missing(found, "answer_within");
    }
    let within = table.wait(found, "answer_within", WAITS);
    let remind_every = table.wait(found, "remind_every", WAITS);
    let unanswered = table.word_or_default(found, "unanswered", &UNANSWERED)?;
    if let (Some(within), Some(every)) = (within, remind_every)
        && every.counts == within.counts
        && every.length >= within.length
        && unanswered != Unanswered::Wait
    {
        let message = "nobody is ever reminded: the time for an answer is over before";
        found.mismatch(&table.key_span("remind_every"), message, "write a shorter time, or leave it out");
    }
    if table.has("remind_every") && remind_every.is_none() {
        return None;
    }
    Some(Some(ReviewTerms { answer_within: within?, remind_every, unanswered }))
}

/// No answer may be a yes to a sensitive rule. `own`: what the rule says itself; `whole`: what holds for all.
pub(super) fn check_sensitive(
    found: &mut Found<'_>,
    section: &Section<'_>,
    own: Option<&ReviewTerms>,
    whole: Option<&ReviewTerms>,
) {
    let approves = |terms: &&ReviewTerms| terms.unanswered == Unanswered::Approve;
    let help = "write reviews = { answer_within = \"8h\", unanswered = \"reject\" } on the rule, or unanswered = \"wait\"";
    if own.is_some_and(|own| approves(&own)) {
        let message = "a sensitive rule cannot take no answer for a yes";
        found.mismatch(&section.key_span("reviews"), message, help);
    } else if own.is_none() && whole.is_some_and(|whole| approves(&whole)) {
        let message = "a sensitive rule cannot take no answer for a yes, as `reviews` of [policy] says for all rules";
        found.mismatch(&section.key_span("sensitive"), message, help);
    }
}
