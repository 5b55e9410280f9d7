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

/// Reads a rule's own. `whole`: what holds for all rules.
pub(super) fn of_rule(
    found: &mut Found<'_>,
    section: &Section<'_>,
    sensitive: bool,
    whole: Option<&ReviewTerms>,
) -> Option<Option<ReviewTerms>> {
    let own = read(found, section)?;
    if sensitive {
        check_sensitive(found, section, own.as_ref(), whole);
    }
    Some(own)
}

/// No answer may be a yes to a sensitive rule. `own`: what the rule says itself; `whole`: what holds for all.
fn check_sensitive(
    found: &mut Found<'_>,
    section: &Section<'_>,
    own: Option<&ReviewTerms>,
    whole: Option<&ReviewTerms>,
) {
    let approves = |terms: &&ReviewTerms| terms.unanswered == Unanswered::Approve;
    let help =
        "write reviews = { answer_within = \"8h\", unanswered = \"reject\" } on the rule, or unanswered = \"wait\"";
    if own.is_some_and(|own| approves(&own)) {
        let message = "a sensitive rule cannot take no answer for a yes";
        found.mismatch(&section.key_span("reviews"), message, help);
    } else if own.is_none() && whole.is_some_and(|whole| approves(&whole)) {
        let message = "a sensitive rule cannot take no answer for a yes, as `reviews` of [policy] says for all rules";
        found.mismatch(&section.key_span("sensitive"), message, help);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    const EXAMPLE: &str = include_str!("../../config.example.toml");
    const RULE: &str = "reviews = { answer_within = \"4h\", remind_every = \"1h\", unanswered = \"reject\" }";
    const WHOLE: &str = "reviews         = { answer_within = \"8h\", remind_every = \"3h\", unanswered = \"wait\" }";

    fn read(from: &str, to: &str) -> Result<crate::config::Config, String> {
        assert!(EXAMPLE.contains(from), "{from}");
        crate::config::read(&EXAMPLE.replacen(from, to, 1), "policy.toml", Path::new(""))
            .map_err(|problems| problems.to_string())
    }

    #[test]
    fn the_terms_of_all_rules_and_of_one_are_read_and_count_in_versions() {
        let config = read(RULE, RULE).expect("good");
        let whole = config.policy.reviews.expect("given");
        assert_eq!((whole.unanswered, whole.remind_every.is_some()), (Unanswered::Wait, true));
        let own = config.policy.escalations.iter().find_map(|rule| rule.reviews).expect("given");
        assert_eq!(own.unanswered, Unanswered::Reject);
        let other = read(RULE, "reviews = { answer_within = \"4h wall\" }").expect("good");
        assert_ne!(other.policy.version, config.policy.version);
        let version = |config: &crate::config::Config| config.policy.escalations[0].rule.version.clone();
        assert_ne!(version(&other), version(&config));
        let whole = read(WHOLE, "").expect("good");
        assert_eq!(version(&whole), version(&config), "it is no word of the rule's");
        assert_ne!(whole.policy.version, config.policy.version);
    }

    #[test]
    fn what_makes_no_sense_is_refused_at_its_place() {
        for (table, said) in [
            ("{ remind_every = \"1h\" }", "answer_within"),
            ("{ answer_within = \"soon\" }", "soon"),
            ("{ answer_within = \"0s\" }", "answer_within"),
            ("{ answer_within = \"4h\", unanswered = \"maybe\" }", "wait"),
            ("{ answer_within = \"4h\", remind_every = \"-1h\" }", "remind_every"),
            ("{ answer_within = \"4h\", remind_every = \"4h\", unanswered = \"reject\" }", "nobody is ever reminded"),
            ("{ answer_within = \"4h\", then = \"reject\" }", "then"),
            ("\"4h\"", "a table"),
            ("[]", "a table"),
            (
                "{ answer_within = \"4h\", unanswered = \"approve\" }",
                "a sensitive rule cannot take no answer for a yes",
            ),
        ] {
            let words = read(RULE, &format!("reviews = {table}")).expect_err(table);
            assert!(words.contains(said) && words.contains("policy.toml:"), "{table}: {words}");
        }
        let inherited = EXAMPLE.replacen(RULE, "", 1).replacen("unanswered = \"wait\"", "unanswered = \"approve\"", 1);
        let words = crate::config::read(&inherited, "policy.toml", Path::new("")).expect_err("inherited").to_string();
        assert!(words.contains("as `reviews` of [policy] says for all rules"), "{words}");
    }
}
