//! What works and is probably not meant: rules that others forestall, conditions that never hold, teams that no rule
//! brings a case to. Warnings, each with both of its places. What cannot be proved is not claimed.
//!
//! A rule in shadow, one for a share of tickets, one that may have acted already, or one that may lack a signature, forestalls
//! nothing.

use super::found::{At, Found};
use super::teams::Teams;
use super::walk::Section;
use crate::policy::clocks::ClockName;
use crate::policy::names::{RuleName, TeamName};
use crate::policy::overlap::Conjunction;
use crate::policy::rules::{Escalation, Mode, Policy, Route, Rule, Trigger, Unclaimed};
use handoffd_kit::id::DeskId;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use toml::de::DeTable;

/// The teams with their places in the file.
pub(super) struct Placed<'a> {
    pub teams: &'a Teams,
    pub root: &'a Section<'a>,
}

impl Placed<'_> {
    fn desk(&self, team: &TeamName) -> Option<&DeskId> {
        self.teams.get(team)?.as_ref().map(|team| &team.desk)
    }

    fn place(&self, team: &TeamName) -> Range<usize> {
        let tables = self.root.raw("teams").and_then(|value| value.get_ref().as_table());
        let key = tables.and_then(|tables| tables.get_key_value(team.as_str()));
        key.map_or(0..0, |(key, _)| key.span())
    }

    /// Where an escalation writes its `from` as a tier.
    fn tier_of(&self, rule: &RuleName) -> Option<Range<usize>> {
        let table = escalation_of(self.root, rule)?;
        let from = table.get("from").and_then(|from| from.get_ref().as_table());
        from.and_then(|from| from.get("tier")).map(|tier| tier.span())
    }
}

/// Looks at all rules together that nothing is wrong with. `teams`: where those are all rules of the file.
pub(super) fn check(
    found: &mut Found<'_>,
    routes: &[At<Route>],
    escalations: &[At<Escalation>],
    teams: Option<&Placed<'_>>,
) {
    let routes: Vec<Asked<'_, Route>> = routes.iter().map(|at| Asked::of(at, &at.value.rule)).collect();
    let escalations: Vec<Asked<'_, Escalation>> = escalations.iter().map(|at| Asked::of(at, &at.value.rule)).collect();
    routes.iter().for_each(|route| never_holds(found, route.rule, &route.asks, &route.at.span));
    escalations.iter().for_each(|one| never_holds(found, one.rule, &one.asks, &one.at.span));
    forestalled_routes(found, &routes);
    forestalled_escalations(found, &escalations);
    if let Some(teams) = teams {
        unfed_teams(found, &routes, &escalations, teams);
        unset_targets(found, &escalations);
        unmeant_tiers(found, &escalations, teams);
    }
}

/// A tier means the teams of one desk: those of another desk's same tier, if no rule takes a case from them.
fn unmeant_tiers(found: &mut Found<'_>, escalations: &[Asked<'_, Escalation>], teams: &Placed<'_>) {
    let taken: BTreeSet<&TeamName> = escalations.iter().flat_map(|one| &one.at.value.from).collect();
    for Escalation { rule, from, .. } in escalations.iter().map(|one| &one.at.value) {
        let Some(place) = teams.tier_of(&rule.name) else { continue };
        let Some(meant) = from.first().and_then(|name| teams.teams.get(name)).and_then(Option::as_ref) else {
            continue;
        };
        let mut left_out: BTreeMap<&DeskId, Vec<&str>> = BTreeMap::new();
        for team in teams.teams.values().flatten() {
            if team.tier == meant.tier && team.desk != meant.desk && !taken.contains(&team.name) {
                left_out.entry(&team.desk).or_default().push(team.name.as_str());
            }
        }
        let named: Vec<&str> = from.iter().map(TeamName::as_str).collect();
        for (desk, others) in left_out {
            let message = format!(
                "tier {} of the desk \"{desk}\" is not meant: a rule hands off within one desk, here \"{}\", and no rule takes \
                 a case from {}",
                meant.tier,
                meant.desk,
                others.join(", ")
            );
            let help = format!(
                "write a rule with a team of the desk \"{desk}\" as `to`, or name those that are meant: from = [\"{}\"]",
                named.join("\", \"")
            );
            found.warning(&place, message, help);
        }
    }
}

/// Rules that look at the internal clock of teams to which no rule hands a case with one.
fn unset_targets(found: &mut Found<'_>, escalations: &[Asked<'_, Escalation>]) {
    let sets = |team: &TeamName| {
        let reaches = |rule: &Escalation| {
            rule.to == *team || rule.owner.unclaimed().any(|step| *step == Unclaimed::Team(team.clone()))
        };
        escalations.iter().any(|other| other.at.value.clock.internal.is_some() && reaches(&other.at.value))
    };
    for one in escalations.iter().filter(|one| one.rule.clocks().contains(&ClockName::Internal)) {
        let Escalation { rule, from, .. } = &one.at.value;
        if !from.iter().any(sets) {
            let teams: Vec<&str> = from.iter().map(TeamName::as_str).collect();
            let message = format!(
                "rule \"{}\" looks at the clock internal, which never runs for a case with {}",
                rule.name,
                teams.join(", ")
            );
            found.warning(
                &one.at.span,
                message,
                "give a rule that hands cases there `clock.internal`, or look at another clock",
            );
        }
    }
}

/// What rules that act say nothing of, and what nobody hears of. A policy in shadow has time for both.
pub(super) fn whole(found: &mut Found<'_>, root: &Section<'_>, policy: &Policy) {
    let live = policy.rules().any(|rule| rule.mode == Mode::Live);
    if policy.mode != Mode::Live || !live {
        return;
    }
    let open: Vec<&str> = policy.header.open().collect();
    if !open.is_empty() {
        let place = if root.has("policy") { root.key_span("policy") } else { 0..0 };
        let message = format!("rules are live, and [policy] does not say: {}", open.join(", "));
        found.warning(
            &place,
            message,
            "answer them: who answers for the rules, what they are for, and until when they stand",
        );
    }
    for rule in policy.unheard() {
        let message = format!("nobody hears that a handoff of the rule \"{rule}\" waits for a yes or no");
        let help = "name a channel that tells of reviews (`alert` of the receiving team or the rule), or write when \
                    people are reminded: reviews = { answer_within = \"8h\", remind_every = \"2h\" }";
        found.warning(&place_of(root, rule), message, help);
    }
}

/// Where an escalation's name stands.
fn place_of(root: &Section<'_>, rule: &RuleName) -> Range<usize> {
    escalation_of(root, rule).and_then(|table| table.get("name")).map_or(0..0, |name| name.span())
}

/// An escalation as it is written.
fn escalation_of<'a>(root: &Section<'a>, rule: &RuleName) -> Option<&'a DeTable<'a>> {
    let rules = root.raw("escalate").and_then(|value| value.get_ref().as_array());
    let mut tables = rules.into_iter().flat_map(|rules| rules.iter()).filter_map(|entry| entry.get_ref().as_table());
    tables.find(|table| table.get("name").and_then(|name| name.get_ref().as_str()) == Some(rule.as_str()))
}

/// A rule with what its conditions ask together.
struct Asked<'a, R> {
    at: &'a At<R>,
    rule: &'a Rule,
    asks: Conjunction,
}

impl<'a, R> Asked<'a, R> {
    fn of(at: &'a At<R>, rule: &'a Rule) -> Self {
        Self { at, rule, asks: Conjunction::of(&rule.when) }
    }

    /// Whether this one matches wherever the other one does, and counts there. Of times only the same are compared. One that
    /// acts once in a case, or waits for a signature, may be silent where the other one speaks.
    fn covers(&self, other: &Self) -> bool {
        let speaks = self.rule.once == other.rule.once && (!self.rule.sensitive || other.rule.sensitive);
        let live = self.rule.mode == Mode::Live || other.rule.mode == Mode::Shadow;
        let counts = self.rule.share >= 1.0 && live && speaks;
        let in_time = self.rule.times.is_empty() || self.rule.times == other.rule.times;
        counts && in_time && other.asks.proves(&self.asks)
    }

    /// "takes every case", "has the same conditions", "asks for less".
    fn how(&self, other: &Self) -> &'static str {
        if self.asks.is_always() && self.rule.times.is_empty() {
            "takes every case"
        } else if self.asks.proves(&other.asks) {
            "has the same conditions"
        } else {
            "matches wherever this one does"
        }
    }
}

fn never_holds(found: &mut Found<'_>, rule: &Rule, asks: &Conjunction, span: &Range<usize>) {
    let Some((one, two)) = asks.contradiction() else { return };
    let why =
        if one == two { format!("`{one}` never holds") } else { format!("`{one}` and `{two}` never hold together") };
    let message = format!("the rule \"{}\" never matches: {why}", rule.name);
    found.warning(span, message, "loosen one of them, or leave the rule out");
}

/// Whether both are for the hours of the same team.
fn alike(one: &Route, other: &Route) -> bool {
    one.on_duty && other.on_duty && one.to == other.to
}

/// The first route that matches decides: one that an earlier one always forestalls is never reached.
fn forestalled_routes(found: &mut Found<'_>, routes: &[Asked<'_, Route>]) {
    for (at, route) in routes.iter().enumerate() {
        // One for hours on duty leaves the others to those behind it.
        let whole =
            |earlier: &&Asked<'_, Route>| !earlier.at.value.on_duty || alike(&earlier.at.value, &route.at.value);
        let same_desk = |earlier: &&Asked<'_, Route>| earlier.at.value.desk == route.at.value.desk;
        let mut earlier = routes[..at].iter().filter(same_desk).filter(whole);
        let Some(first) = earlier.find(|earlier| earlier.covers(route)) else { continue };
        let how = first.how(route);
        let message = format!(
            "the route \"{}\" is never reached: \"{}\" stands before it and {how}",
            route.rule.name, first.rule.name
        );
        let label = format!("\"{}\" {how}", first.rule.name);
        let help = "move it before that route, or leave it out";
        found.warning_with(&route.at.span, (&first.at.span, label), message, help);
    }
}

/// All escalations are asked. Of those that agree the first acts; those that disagree leave it to a person.
fn forestalled_escalations(found: &mut Found<'_>, rules: &[Asked<'_, Escalation>]) {
    for (at, rule) in rules.iter().enumerate() {
        for (other_at, other) in rules.iter().enumerate().filter(|(other_at, _)| *other_at != at) {
            let agrees = other.at.value.to == rule.at.value.to;
            // A later one that agrees takes nothing away; of two that disagree with the same conditions, one is told.
            if (agrees && other_at > at) || !other.covers(rule) || !act_alike(&rule.at.value, &other.at.value) {
                continue;
            }
            if !agrees && other_at > at && rule.covers(other) {
                continue;
            }
            let Some(whose) = shared(&rule.at.value, &other.at.value) else { continue };
            let (one, two) = (&rule.rule.name, &other.rule.name);
            let label = format!("\"{two}\" {}", other.how(rule));
            let (message, help) = if agrees {
                (
                    format!(
                        "wherever the rule \"{one}\" matches{whose}, \"{two}\" stands before it with the same target"
                    ),
                    format!(
                        "its own answers count only where \"{two}\" is held back: move it before that rule, or leave it out"
                    ),
                )
            } else {
                let to = &other.at.value.to;
                (
                    format!(
                        "wherever the rule \"{one}\" matches{whose}, \"{two}\" matches too and wants \"{to}\": a person is asked"
                    ),
                    "leave out of one of them what the other one is for".to_owned(),
                )
            };
            found.warning_with(&rule.at.span, (&other.at.span, label), message, help);
            break;
        }
    }
}

/// Whether both act by themselves, or both when an agent asks, and wait alike for agents who have just acted.
fn act_alike(rule: &Escalation, other: &Escalation) -> bool {
    let on_request = |rule: &Escalation| rule.trigger == Trigger::Manual;
    on_request(rule) == on_request(other)
        && (on_request(rule) && rule.to == other.to
            || !on_request(rule) && rule.quiet_after_person == other.quiet_after_person)
}

/// The teams whose cases both rules are asked about, as an ending of a sentence: nothing where those are all of the first
/// rule's. None: there is no such team.
fn shared(rule: &Escalation, other: &Escalation) -> Option<String> {
    let both: Vec<&str> = rule.from.iter().filter(|team| other.from.contains(team)).map(TeamName::as_str).collect();
    match both.len() {
        0 => None,
        all if all == rule.from.len() => Some(String::new()),
        _ => Some(format!(" for cases of {}", both.join(", "))),
    }
}

/// Where a desk's new cases are routed, a team that no rule leads to has only what people bring it.
fn unfed_teams(
    found: &mut Found<'_>,
    routes: &[Asked<'_, Route>],
    escalations: &[Asked<'_, Escalation>],
    teams: &Placed<'_>,
) {
    let routed: BTreeSet<&DeskId> = routes.iter().map(|route| &route.at.value.desk).collect();
    let mut fed: BTreeSet<&TeamName> = routes.iter().map(|route| &route.at.value.to).collect();
    fed.extend(routes.iter().filter_map(|route| route.at.value.fallback.as_ref()));
    fed.extend(escalations.iter().map(|rule| &rule.at.value.to));
    for step in escalations.iter().flat_map(|rule| rule.at.value.owner.unclaimed()) {
        if let Unclaimed::Team(team) = step {
            fed.insert(team);
        }
    }
    for rule in escalations {
        let on_routed = |team: &&TeamName| teams.desk(team).is_some_and(|desk| routed.contains(desk));
        for team in rule.at.value.from.iter().filter(|team| !fed.contains(team)).filter(on_routed) {
            let message = format!(
                "the rule \"{}\" takes cases from \"{team}\", to which no route and no escalation leads",
                rule.rule.name
            );
            let help = "only people bring cases there; is a route missing, or another team meant?";
            let label = format!("\"{team}\" gets no case by a rule");
            found.warning_with(&rule.at.span, (&teams.place(team), label), message, help);
        }
    }
}
