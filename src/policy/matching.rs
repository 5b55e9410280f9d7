//! Whether a rule's conditions hold for a case, by which facts, and whether the path it would take is closed.

use super::case::Case;
use super::cel::{FactSource, Found, Labels};
use super::closed::closed_by;
use super::condition::{Answer, Condition};
use super::facts::Facts;
use super::hold::{Path, barred, held_back};
use super::known::{FactName, HouseFact};
use super::names::TeamName;
use super::rules::{Escalation, PackageDecision, Policy, Route, Rule, Trigger};
use super::target::InsteadOf;
use super::timing::{TimeKeys, Timed};
use super::verdict::{RuleResult, RuleTrace};
use handoffd_kit::model::PartSet;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Either kind of rule.
#[derive(Clone, Copy)]
pub enum AnyRule<'a> {
    /// Where a case should start.
    Route(&'a Route),
    /// When it has outgrown its tier.
    Escalation(&'a Escalation),
}

impl<'a> AnyRule<'a> {
    /// All rules in the order of the file, routes first.
    pub fn all(policy: &'a Policy) -> impl Iterator<Item = Self> {
        policy.routes.iter().map(Self::Route).chain(policy.escalations.iter().map(Self::Escalation))
    }

    /// What both kinds have.
    pub fn rule(self) -> &'a Rule {
        match self {
            Self::Route(route) => &route.rule,
            Self::Escalation(escalation) => &escalation.rule,
        }
    }

    /// What it hands off with; none for a route.
    pub fn package(self) -> Option<&'a PackageDecision> {
        match self {
            Self::Route(_) => None,
            Self::Escalation(escalation) => Some(&escalation.package),
        }
    }

    /// Where it would go.
    pub fn to(self) -> &'a TeamName {
        match self {
            Self::Route(route) => &route.to,
            Self::Escalation(escalation) => &escalation.to,
        }
    }

    /// Whether it may lead there.
    pub fn leads_to(self, team: &TeamName) -> bool {
        let fallback = match self {
            Self::Route(route) => route.fallback.as_ref(),
            Self::Escalation(_) => None,
        };
        self.to() == team || fallback == Some(team)
    }

    /// Whether it acts only when an agent asks for it.
    pub fn is_on_request(self) -> bool {
        matches!(self, Self::Escalation(escalation) if escalation.trigger == Trigger::Manual)
    }

    /// The trace of a rule that no condition was asked of.
    pub fn traced(self, result: RuleResult) -> RuleTrace {
        trace(self, result, Vec::new())
    }
}

/// A rule's trace with this result.
pub fn trace(any: AnyRule<'_>, result: RuleResult, facts: Vec<(String, String)>) -> RuleTrace {
    let rule = any.rule();
    RuleTrace {
        rule: rule.name.clone(),
        version: rule.version.clone(),
        to: any.to().clone(),
        result,
        facts,
        would_ask: Vec::new(),
        instead_of: None,
    }
}

/// A rule that was asked about a case.
pub struct Candidate<'a> {
    /// The rule.
    pub any: AnyRule<'a>,
    /// The path it would take.
    pub path: Path<'a>,
    /// The facts that its conditions looked at, each once.
    pub looked_at: Vec<&'a FactName>,
    /// What came out: `Fires` for one that matches and that nothing holds back.
    pub result: RuleResult,
    /// Whether its conditions hold.
    pub matched: bool,
    /// Parts that must be read before it is known whether it acts.
    pub unread: PartSet,
    /// What its time keys say; nothing where its conditions do not hold.
    pub timed: Timed,
    /// When something else could come out, if nothing happens before.
    pub again_at: Option<Timestamp>,
    /// The team that its target stands in for.
    pub instead_of: Option<InsteadOf>,
}

impl<'a> Candidate<'a> {
    /// Asks a rule about a case.
    pub fn judge(any: AnyRule<'a>, path: Path<'a>, case: &Case, policy: &'a Policy, facts: &Facts<'_>) -> Self {
        let asked = ask(any, &facts.with_package(any.package()));
        let there = facts.team().is_some_and(|team| team.name == *path.to);
        let bar = barred(path, case, policy);
        // A rule that is held is asked like one in shadow: its time may pass, and come again.
        let held = bar == Some(RuleResult::Held);
        let idle = there || bar.is_some() && !held;
        // The hours are those of the team that holds the case; a route has only the one that would receive it.
        let team = if path.from.is_some() { facts.team() } else { policy.teams.get(any.to()) };
        let timed = match (&asked.result, team) {
            (None, Some(team)) => times(any.rule(), case).tell(facts, team, path.from),
            _ => Timed::default(),
        };
        let matched = asked.result.is_none() && timed.result.is_none();
        let untold = matches!(asked.result, Some(RuleResult::Unknown(..))) && !asked.unread.is_empty();
        let idly = if there { Some(RuleResult::AlreadyThere) } else { bar.clone() };
        let unasked = idly.filter(|_| idle && untold).map(|why| RuleResult::Unasked(Box::new(why)));
        let result = unasked.or(asked.result).or_else(|| timed.result.clone()).unwrap_or_else(|| {
            let closed = closed_by(any, path, &asked.looked_at, facts);
            held_back(path, closed, there, case, policy).unwrap_or(RuleResult::Fires)
        });
        let unread = if idle { PartSet::NONE } else { asked.unread.union(timed.unread) };
        // A pause may be over by then; whatever else bars a rule does not end by time.
        let waits = !there && (held || matches!(bar, None | Some(RuleResult::Paused)));
        let turns = timed.at.into_iter().chain(asked.looked_at.iter().filter_map(|name| facts.turns_at(name)));
        let again_at = if waits { turns.min() } else { None };
        let instead_of = None;
        Self { any, path, looked_at: asked.looked_at, result, matched, unread, timed, again_at, instead_of }
    }

    /// A rule that acts on request, in a case for which nobody asked.
    pub fn not_asked(any: AnyRule<'a>, path: Path<'a>) -> Self {
        let (result, matched) = (RuleResult::NotAsked, false);
        let (unread, timed) = (PartSet::NONE, Timed::default());
        let (again_at, instead_of) = (None, None);
        Self { any, path, looked_at: Vec::new(), result, matched, unread, timed, again_at, instead_of }
    }

    /// Its line of the trace. `seen` keeps what was shown for other rules: most look at the same few facts.
    pub fn trace(&self, facts: &Facts<'_>, seen: &mut BTreeMap<&'a FactName, String>) -> RuleTrace {
        let facts = facts.with_package(self.any.package());
        let mut text = |name: &'a FactName| {
            if name.is_of_the_package() {
                return facts.shown(name);
            }
            seen.entry(name).or_insert_with(|| facts.shown(name)).clone()
        };
        let shown = self.looked_at.iter().map(|name| (name.to_string(), text(name)));
        let told = shown.chain(self.timed.shown.iter().cloned()).collect();
        let (to, instead_of) = (self.path.to.clone(), self.instead_of.clone());
        RuleTrace { to, instead_of, ..trace(self.any, self.result.clone(), told) }
    }

    /// The facts that it matched, with the working of its time keys, as text.
    pub fn matched_facts(&self, facts: &Facts<'_>) -> Vec<(String, String)> {
        let facts = facts.with_package(self.any.package());
        shown(&self.looked_at, &facts).into_iter().chain(self.timed.shown.iter().cloned()).collect()
    }
}

/// Facts by name, as text.
pub fn shown(names: &[&FactName], facts: &Facts<'_>) -> Vec<(String, String)> {
    names.iter().map(|name| (name.to_string(), facts.shown(name))).collect()
}

/// What a rule's conditions say together.
pub struct Asked<'a> {
    /// None: all hold.
    result: Option<RuleResult>,
    /// The facts that they looked at, each once.
    pub looked_at: Vec<&'a FactName>,
    /// Parts that must be read before it is known whether they hold, and by which facts.
    pub unread: PartSet,
}

/// What an agent asked for is a fact that every rule on request has matched: another reason opens a path that was closed.
static COMMAND_REASON: FactName = FactName::House(HouseFact::CommandReason);

/// All conditions must hold. One that fails settles it, whatever the others would say.
pub fn ask<'a>(any: AnyRule<'a>, facts: &Facts<'_>) -> Asked<'a> {
    let rule = any.rule();
    let mut looked_at: Vec<&FactName> = any.is_on_request().then_some(&COMMAND_REASON).into_iter().collect();
    let mut unknown = None;
    let mut unread = PartSet::NONE;
    for (at, condition) in rule.when.iter().enumerate() {
        let told = condition.tell(facts);
        for name in told.looked_at {
            if !looked_at.contains(&name) {
                looked_at.push(name);
            }
        }
        match told.answer {
            Answer::Holds => {}
            Answer::Fails => {
                let result = Some(RuleResult::NotMatched(at + 1, condition.source().to_owned()));
                return Asked { result, looked_at, unread: PartSet::NONE };
            }
            Answer::Unknown(missing) => {
                unread = unread.union(missing.unread);
                unknown.get_or_insert_with(|| RuleResult::Unknown(at + 1, missing.what.join(", ")));
            }
        }
    }
    // One that holds without a fact that was not read is read whole all the same: the hash of its facts must not depend
    // on what happened to be read.
    for name in &looked_at {
        if let Found::Unread(part) = facts.fact(name) {
            unread = unread.with(part);
        }
    }
    Asked { result: unknown, looked_at, unread }
}

/// The time keys of a rule. An agent who was asked for package parts and answers has not made the case a busy one.
pub fn times(rule: &Rule, case: &Case) -> TimeKeys {
    let asking = case.memory.asking.as_ref() == Some(&rule.name);
    let idle_for = rule.times.idle_for.filter(|_| !asking);
    TimeKeys { idle_for, ..rule.times.clone() }
}

/// Hash of the facts that a rule matched: whether a handoff that is under way is still the same one. Facts that a handoff
/// itself changes are left out, and so are labels that the rule does not ask for.
pub fn facts_hash(rule: &Rule, looked_at: &[&FactName], facts: &Facts<'_>) -> String {
    let mut names: Vec<&&FactName> = looked_at.iter().filter(|name| !name.moves_with_the_case()).collect();
    names.sort();
    let mut hash = Sha256::new();
    for name in names {
        let whole = || vec![(name.to_string(), facts.whole(name))];
        for (name, value) in labels_asked(rule, name, facts).unwrap_or_else(whole) {
            for text in [name, value.unwrap_or_else(|| "unknown".into())] {
                hash.update((text.len() as u64).to_be_bytes());
                hash.update(text);
            }
        }
    }
    hex::encode(&hash.finalize()[..8])
}

/// The labels of a ticket as a rule asks for them, each by name, and whether it is there; none where the fact is another one, or
/// the rule uses the list as a whole.
pub fn labels_asked(rule: &Rule, name: &FactName, facts: &Facts<'_>) -> Option<Vec<(String, Option<String>)>> {
    if *name != FactName::House(HouseFact::TicketTags) {
        return None;
    }
    let asked = rule.when.iter().map(Condition::labels);
    let labels = asked.fold(Labels::default(), |all, one| Labels {
        any: all.any || one.any,
        named: all.named.into_iter().chain(one.named).collect(),
    });
    let has = |label: &String| (format!("has_tag({label:?})"), facts.has_label(label).map(|has| has.to_string()));
    (!labels.any).then(|| labels.named.iter().map(has).collect())
}
