//! Circles: automatic escalations that lead a case back to where it was would hand it round until the hop budget
//! stops them. An escalation that always asks a person, or that acts only when an agent asks for it, breaks a circle.

use super::found::{At, Found};
use crate::policy::names::TeamName;
use crate::policy::rules::{Escalation, ReviewDecision, Trigger, Unclaimed};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// One way a case can go by itself.
#[derive(Clone, Copy)]
struct Edge<'a> {
    from: &'a TeamName,
    to: &'a TeamName,
    rule: &'a At<Escalation>,
    /// Whether it opens because nobody takes a case on: no review stands before it.
    unclaimed: bool,
}

/// Reports every circle of automatic escalations once, at the rule of the file that closes it. Where nobody takes a case on,
/// it goes on by itself, whoever was asked before. "back" leads nowhere: it closes the path for the case.
pub(super) fn check(found: &mut Found<'_>, escalations: &[At<Escalation>]) {
    let mut edges: BTreeMap<&TeamName, Vec<Edge<'_>>> = BTreeMap::new();
    let mut told: BTreeSet<Vec<&str>> = BTreeSet::new();
    // Edges enter one by one, so that a circle is found when its last rule does.
    for edge in escalations.iter().flat_map(|rule| own(rule).chain(chain(rule))) {
        if let Some(mut circle) = way(&edges, edge.to, edge.from) {
            circle.push(edge);
            let mut names: Vec<&str> = circle.iter().map(|edge| edge.rule.value.rule.name.as_str()).collect();
            names.sort_unstable();
            names.dedup();
            if told.insert(names) {
                report(found, &circle, edge.rule);
            }
        } else {
            edges.entry(edge.from).or_default().push(edge);
        }
    }
}

/// The ways that a rule itself opens.
fn own(rule: &At<Escalation>) -> impl Iterator<Item = Edge<'_>> {
    let by_person = matches!(rule.value.review, ReviewDecision::Always) || rule.value.trigger == Trigger::Manual;
    let edge = |from| Edge { from, to: &rule.value.to, rule, unclaimed: false };
    rule.value.from.iter().filter(move |_| !by_person).map(edge)
}

/// The ways that open where nobody takes a case on.
fn chain(rule: &At<Escalation>) -> impl Iterator<Item = Edge<'_>> {
    let steps = rule.value.owner.claim.iter().flat_map(|claim| &claim.unclaimed);
    let teams = steps.filter_map(|step| match step {
        Unclaimed::Team(team) => Some(team),
        Unclaimed::Lead | Unclaimed::Back => None,
    });
    let mut from = &rule.value.to;
    teams.map(move |to| Edge { from: std::mem::replace(&mut from, to), to, rule, unclaimed: true })
}

/// The shortest way from one team to another.
fn way<'a>(edges: &BTreeMap<&'a TeamName, Vec<Edge<'a>>>, from: &'a TeamName, to: &TeamName) -> Option<Vec<Edge<'a>>> {
    let mut reached: BTreeMap<&TeamName, Edge<'a>> = BTreeMap::new();
    let mut next = VecDeque::from([from]);
    while let Some(team) = next.pop_front() {
        for edge in edges.get(team).into_iter().flatten() {
            if edge.to != from && !reached.contains_key(edge.to) {
                reached.insert(edge.to, *edge);
                next.push_back(edge.to);
            }
        }
    }
    let mut way = Vec::new();
    let mut team = to;
    while team != from {
        let edge = reached.get(team)?;
        way.push(*edge);
        team = edge.from;
    }
    way.reverse();
    Some(way)
}

fn report(found: &mut Found<'_>, circle: &[Edge<'_>], closing: &At<Escalation>) {
    let hops: Vec<String> =
        circle.iter().map(|edge| format!("{} → {} by \"{}\"", edge.from, edge.to, edge.rule.value.rule.name)).collect();
    let message = format!("these escalations send a case round in a circle: {}", hops.join(", "));
    found.mismatch(&closing.span, message, remedy(circle));
}

/// What breaks a circle: each of its ways can be another one, and a review stands before those that a rule opens itself.
fn remedy(circle: &[Edge<'_>]) -> String {
    let rules = |unclaimed: bool| {
        let of =
            circle.iter().filter(|edge| edge.unclaimed == unclaimed).map(|edge| edge.rule.value.rule.name.as_str());
        let names: BTreeSet<String> = of.map(|name| format!("\"{name}\"")).collect();
        names.into_iter().collect::<Vec<_>>().join(" or ")
    };
    match (rules(false), rules(true)) {
        (_, chained) if chained.is_empty() => "give one of them review = \"always\", or another target".to_owned(),
        (own, chained) if own.is_empty() => format!("take a team out of `owner.unclaimed` of {chained}"),
        (own, chained) => {
            format!(
                "give {own} review = \"always\" or another target, or take a team out of `owner.unclaimed` of {chained}"
            )
        }
    }
}
