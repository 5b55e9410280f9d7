//! The words that ask a person, as a section of the document.

use super::super::risk::{Listed, WordRisk};
use super::super::rules::Policy;
use super::cell;
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Which words ask a person before a handoff, and where they are looked for.
pub(super) fn risks(text: &mut String, policy: &Policy) {
    if policy.risks.is_empty() {
        return;
    }
    text.push_str(
        "\n## Words that ask a person\n\nA handoff waits for a yes where the customer's words are of one of these. Quotes, signatures, and \
         what agents wrote do not count.\n\n| risk | looked for in | entries it takes | lists | words of our own | words by language |\n\
         |---|---|---|---|---|---|\n",
    );
    for risk in &policy.risks {
        let places: Vec<&str> = risk.look_in.iter().map(|place| place.shown()).collect();
        let all = || risk.words.values().flatten();
        let lists: BTreeSet<&str> = all().filter_map(|listed| listed.list).collect();
        let lists: Vec<&str> = lists.into_iter().collect();
        let counts: Vec<String> =
            risk.words.iter().map(|(language, all)| format!("{language}: {}", all.len())).collect();
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} |",
            risk.name,
            places.join(", "),
            risk.at_least,
            if lists.is_empty() { "none".to_owned() } else { lists.join(", ") },
            own(risk),
            counts.join(", "),
        );
    }
}

fn own(risk: &WordRisk) -> String {
    let own = |listed: &&Listed| listed.list.is_none();
    let words = risk.words.iter().flat_map(|(language, all)| {
        all.iter().filter(own).map(move |listed| format!("{} ({language})", cell(listed.entry.written())))
    });
    let words: Vec<String> = words.collect();
    if words.is_empty() { "none".to_owned() } else { words.join(", ") }
}
