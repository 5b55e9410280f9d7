//! An explanation on a terminal.

use super::output::{Context, Tint, tame};
use super::shown::{decisions, risk_shown};
use crate::policy::explain::{AnswerWord, ConditionExplained, Explanation, RuleExplained};
use crate::policy::package::name_of;
use crate::policy::proposal::Proposal;
use crate::policy::risk::Told;
use crate::policy::rules::Mode;
use crate::policy::verdict::{Outcome, RuleResult};
use handoffd_kit::id::{DeskId, TicketId};
use std::collections::BTreeSet;

/// Prints it.
pub fn print(context: &Context, desk: &DeskId, ticket: &TicketId, explained: &Explanation) {
    let name = context.strong(&tame(&format!("{desk}/{ticket}")));
    context.print(&format!("{name}: {}", tame(&explained.outcome.shown())));
    let (proposal, risks) = match &explained.outcome {
        Outcome::Stay(_) => (None, [].as_slice()),
        Outcome::Route(proposal) | Outcome::Escalate(proposal) => (Some(proposal.as_ref()), [].as_slice()),
        Outcome::AskForParts { proposed, .. } => (Some(proposed.as_ref()), [].as_slice()),
        Outcome::AskPerson { proposed, risks } => (Some(proposed.as_ref()), risks.as_slice()),
    };
    for risk in risks {
        context.print(&format!("  review    {}", tame(&risk_shown(risk))));
    }
    proposal.into_iter().for_each(|proposal| context.print(&decisions(proposal)));
    for difference in &explained.clock_differences {
        let words = format!("the desk says {}, our target {}", difference.desk, difference.target);
        context.print(&format!("  clock {}: {}", difference.clock, context.tinted(&words, Tint::Bad)));
    }
    if let Some(at) = explained.again_at {
        context.print(&format!("  it is looked at again at {at} if nothing happens before"));
    }
    if let Some(never) = &explained.never {
        context.print(&format!("  {} excludes tickets where", context.strong("policy.never")));
        condition(context, None, never);
    }
    for rule in &explained.trace {
        print_rule(context, rule, &explained.would);
    }
    if explained.trace.is_empty() {
        context.print("  there is no rule");
    }
}

fn print_rule(context: &Context, rule: &RuleExplained, would: &[Proposal]) {
    let verdict = &rule.verdict;
    let words = context.tinted(&tame(&verdict.result.shown()), tint(&verdict.result));
    context.print(&format!("  {} ─▶ {}: {words}", context.strong(verdict.rule.as_str()), verdict.to));
    // Of a rule that is about other cases, one line is enough for a person.
    if matches!(verdict.result, RuleResult::NotFrom | RuleResult::OnAnotherDesk(_)) {
        return;
    }
    if let Some(other) = &verdict.instead_of {
        context.print(&tame(&format!("      instead of {}: {}", other.team, other.why)));
    }
    for (at, one) in rule.conditions.iter().enumerate() {
        condition(context, Some(at + 1), one);
    }
    for (key, working) in &rule.times {
        context.print(&tame(&format!("      {key}: {working}")));
    }
    if !rule.would_need.is_empty() {
        context.print("      for it to act:");
    }
    for need in &rule.would_need {
        context.print(&format!("        - {}", tame(need)));
    }
    let matches = rule.conditions.iter().all(|condition| condition.answer == AnswerWord::Holds);
    if let Some(review) = rule.review.as_ref().filter(|_| matches) {
        let would = if rule.mode == Mode::Shadow { "would be" } else { "is" };
        let asked = if review.asks { format!("a person {would} asked") } else { format!("no person {would} asked") };
        let why: Vec<String> = review.risks.iter().map(risk_shown).collect();
        let why = if why.is_empty() { String::new() } else { format!(": {}", why.join("; ")) };
        context.print(&tame(&format!("      {asked}{why}")));
        review.condition.iter().for_each(|one| condition(context, None, one));
        review.words.iter().for_each(|told| words_of_a_risk(context, told));
        if !review.asks_for.is_empty() {
            let parts: Vec<&str> = review.asks_for.iter().map(|part| name_of(*part)).collect();
            context.print(&format!("      the current agent {would} asked for: {}", parts.join(", ")));
        }
    }
    for proposal in would.iter().filter(|proposal| proposal.rule == verdict.rule) {
        context.print("      it would hand over:");
        for line in decisions(proposal).lines() {
            context.print(&format!("      {line}"));
        }
    }
}

/// What the ticket's words say of one risk.
fn words_of_a_risk(context: &Context, told: &Told) {
    let places: Vec<&str> = told.looked_in.iter().map(|place| place.shown()).collect();
    let found = match told.found.len() {
        0 => "no word of it".to_owned(),
        count if told.at_least > 1 => format!("{count} of the {} entries that it takes", told.at_least),
        _ => "its words stand there".to_owned(),
    };
    let line = format!("risk {}: {found}, in {} ({})", told.risk, places.join(", "), told.languages.join(", "));
    context.print(&tame(&format!("         {line}")));
    for hit in &told.found {
        context.print(&tame(&format!("           {}", hit.shown())));
    }
    if !told.unknown.is_empty() {
        context.print(&tame(&format!("           unknown: {}", told.unknown.join(", "))));
    }
}

fn condition(context: &Context, number: Option<usize>, one: &ConditionExplained) {
    let (word, tint) = match one.answer {
        AnswerWord::Holds => ("holds", Tint::Good),
        AnswerWord::Fails => ("fails", Tint::Waits),
        AnswerWord::Unknown => ("unknown", Tint::Bad),
    };
    let number = number.map_or("  ".to_owned(), |number| format!("{number}."));
    let padded = format!("{word:<7}");
    let text = one.condition.split_whitespace().collect::<Vec<_>>().join(" ");
    context.print(&format!("      {number} {} {}", context.tinted(&padded, tint), tame(&text)));
    for (fact, value) in &one.facts {
        context.print(&tame(&format!("           {fact} = {value}")));
    }
    if !one.unknown.is_empty() {
        context.print(&tame(&format!("           unknown: {}", one.unknown.join(", "))));
        one.unknown.iter().filter_map(|fact| nobody_said(fact)).collect::<BTreeSet<_>>().iter().for_each(|hint| {
            context.print(&format!("           {hint}"));
        });
    }
}

/// Of what agents have to write down: that nobody has, and how it is written.
fn nobody_said(fact: &str) -> Option<&'static str> {
    match fact.split_once('.')?.0 {
        "steps" => Some(
            "nobody has written a checklist: in the field steps, or in an internal note below \"Steps tried:\", as - [x] restarted: failed",
        ),
        "playbook" => Some(
            "nobody has named a playbook: in the field playbook, or in an internal note as Playbook: vpn-reset, step 4",
        ),
        _ => None,
    }
}

fn tint(result: &RuleResult) -> Tint {
    match result {
        RuleResult::Fires | RuleResult::Agrees => Tint::Good,
        RuleResult::Unknown(..) | RuleResult::TimeUnknown(_) => Tint::Bad,
        _ => Tint::Waits,
    }
}
