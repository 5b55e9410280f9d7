//! `[[route]]` and `[[escalate]]`: the rules, in the order of the file.

use super::abilities::Reach;
use super::alerts::{self, Alerts};
use super::answers::{Answers, Context};
use super::conditions::{self, Facts};
use super::daemon::MODES;
use super::desks::Desks;
use super::found::{At, Found};
use super::graph;
use super::keys::{self, Shape};
use super::lints;
use super::messages::{Messages, check_for, template};
use super::names::refers;
use super::reach;
use super::risks::Risks;
use super::scalar::{self, shown};
use super::teams::{People, Teams};
use super::times;
use super::walk::{Section, unknown_word};
use crate::policy::header::PolicyHeader;
use crate::policy::message::TemplateKind;
use crate::policy::names::{RuleName, TeamName};
use crate::policy::review_terms::ReviewTerms;
use crate::policy::reviewers::same_person;
use crate::policy::rules::{Assign, Escalation, Once, OwnerDecision, PackageDecision, Route, Rule, Trigger, Unclaimed};
use crate::policy::targets::Target;
use crate::policy::teams::Team;
use crate::policy::triage;
use handoffd_kit::id::DeskId;
use jiff::SignedDuration;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// What rules refer to.
pub(super) struct World<'a> {
    pub desks: &'a Desks,
    pub teams: &'a Teams,
    pub people: &'a People,
    pub messages: &'a Messages,
    /// `None`: one of them could not be read.
    pub targets: Option<&'a [Target]>,
    pub header: &'a PolicyHeader,
    /// What `[policy]` says for all routes.
    pub weak_triage_within: Option<SignedDuration>,
    pub alerts: &'a Alerts,
    pub risks: &'a Risks,
    /// What `[policy]` says for all escalations.
    pub reviews: Option<ReviewTerms>,
}

impl<'a> World<'a> {
    /// A team that could be read.
    fn team(&self, name: &TeamName) -> Option<&'a Team> {
        self.teams.get(name)?.as_ref()
    }
}

/// The rules as far as they could be read.
pub(super) struct Rules {
    pub routes: Vec<Route>,
    pub escalations: Vec<Escalation>,
    /// The names of all, those that are wrong in themselves included.
    pub names: BTreeSet<String>,
}

/// Reads all rules.
pub(super) fn read(found: &mut Found<'_>, root: &Section<'_>, world: &World<'_>) -> Rules {
    let mut names = BTreeMap::new();
    let mut routes = Vec::new();
    for entry in root.list_of_tables(found, "route") {
        let before = found.errors();
        let (section, name) = open(found, &entry, keys::ROUTE, "route", &mut names);
        let draft = RouteDraft::read(found, &section, name, world);
        routes.push((draft, found.errors() == before));
    }
    check_catch_alls(found, routes.iter().map(|(draft, _)| draft));
    let defaults = defaults(found, root, world);
    let mut escalations = Vec::new();
    let (mut edges, mut whole) = (Vec::new(), Vec::new());
    for entry in root.list_of_tables(found, "escalate") {
        let before = found.errors();
        let (section, name) = open(found, &entry, keys::ESCALATE, "escalate", &mut names);
        let Some(escalation) = read_escalation(found, &section, name, world, &defaults) else { continue };
        let at = At::new(escalation.clone(), section.span.clone());
        if found.errors() == before {
            whole.push(at.clone());
        }
        edges.push(at);
        escalations.push(escalation);
    }
    let all_whole = found.is_usable();
    graph::check(found, &edges);
    let placed = |(draft, whole): (RouteDraft, bool)| draft.route.map(|route| (At::new(route, draft.span), whole));
    let routes: Vec<(At<Route>, bool)> = routes.into_iter().filter_map(placed).collect();
    // What is wrong in a rule hides how it stands to others; the others are compared all the same.
    let whole_routes: Vec<At<Route>> = routes.iter().filter(|(_, whole)| *whole).map(|(at, _)| at.clone()).collect();
    let placed = lints::Placed { teams: world.teams, root };
    lints::check(found, &whole_routes, &whole, all_whole.then_some(&placed));
    let routes = routes.into_iter().map(|(at, _)| at.value).collect();
    Rules { routes, escalations, names: names.into_keys().collect() }
}

/// Opens a rule's table and reads its name; a name is used once among all rules, for commands and marks carry it.
fn open<'a>(
    found: &mut Found<'_>,
    entry: &At<&'a DeTable<'a>>,
    shape: Shape,
    kind: &str,
    names: &mut BTreeMap<String, Range<usize>>,
) -> (Section<'a>, Option<RuleName>) {
    let called = entry.value.get("name").and_then(|name| name.get_ref().as_str());
    let title = called.map_or(format!("this [[{kind}]]"), |name| format!("rule \"{}\"", shown(name)));
    let span =
        entry.value.get_key_value("name").map_or(entry.span.clone(), |(key, value)| key.span().start..value.span().end);
    let section = Section::open(found, entry.value, shape, title, span);
    let Some(name) = section.required(found, "name") else { return (section, None) };
    if !scalar::is_name(name.value) {
        found.error(&name.span, format!("a rule cannot be called \"{}\"", shown(name.value)), scalar::NAME_HELP);
        return (section, None);
    }
    if names.insert(name.value.to_owned(), name.span.clone()).is_some() {
        let message = format!("another rule is called \"{}\" too", name.value);
        found.mismatch(&name.span, message, "routes and escalations share one set of names; give it its own");
    }
    (section, Some(RuleName::new(name.value)))
}

fn defaults(found: &mut Found<'_>, root: &Section<'_>, world: &World<'_>) -> Answers {
    let Some(defaults) = root.table(found, "defaults", keys::DEFAULTS, "[defaults]".into()) else {
        return Answers::open();
    };
    let title = "[defaults.escalate]".to_owned();
    let Some(section) = defaults.table(found, "escalate", keys::DEFAULTS_ESCALATE, title) else {
        return Answers::open();
    };
    let context = Context { people: world.people, messages: world.messages, facts: &Facts::of(world.desks.values()) };
    Answers::read(found, &section, &context)
}

/// What routes and escalations have in common. `None`: something in it is wrong, which was reported.
fn read_rule(
    found: &mut Found<'_>,
    section: &Section<'_>,
    name: Option<RuleName>,
    facts: &Facts,
    world: &World<'_>,
) -> Option<Rule> {
    let mode = section.word(found, "mode", &MODES);
    let share = section.parsed(found, "share", scalar::percentage);
    let once = section.word(found, "once", &[("episode", Once::Episode), ("case", Once::Case)]);
    let when = conditions::when(found, section, facts);
    let times = times::read(found, section);
    let alert = alerts::named(found, section, world.alerts);
    let risks = world.risks.named(found, section);
    Some(Rule {
        name: name?,
        // Its meaning is hashed once the whole policy is read.
        version: String::new(),
        mode: mode.unwrap_or_default(),
        share: share.map_or(1.0, |share| share.value),
        sensitive: false,
        once: once.unwrap_or_default(),
        when: when?,
        times: times?,
        alert,
        risks: risks?,
    })
}

/// The team that `to` names, if it exists and could be read.
fn target<'w>(found: &mut Found<'_>, section: &Section<'_>, world: &World<'w>) -> (Option<TeamName>, Option<&'w Team>) {
    let to = section.required(found, "to").and_then(|to| named_team(found, &to, world));
    let team = to.as_ref().and_then(|to| world.team(to));
    (to, team)
}

/// The team that a text names, if there is one of that name.
fn named_team(found: &mut Found<'_>, text: &At<&str>, world: &World<'_>) -> Option<TeamName> {
    let known = world.teams.keys().map(TeamName::as_str);
    refers(found, text, "team", "[teams.NAME]", known).then(|| TeamName::new(text.value))
}

/// A route as far as it could be read, and what the check for catch-alls must know of it.
struct RouteDraft {
    route: Option<Route>,
    desk: Option<DeskId>,
    span: Range<usize>,
    catches_all: bool,
}

impl RouteDraft {
    fn read(found: &mut Found<'_>, section: &Section<'_>, name: Option<RuleName>, world: &World<'_>) -> Self {
        let known = || world.desks.keys().map(DeskId::as_str);
        let desk = section
            .required(found, "desk")
            .filter(|desk| refers(found, desk, "desk", "[desks.NAME]", known()))
            .map(|desk| DeskId::new(desk.value));
        let facts = Facts::of(desk.as_ref().and_then(|desk| world.desks.get(desk)));
        let facts = facts.with_teams(world.teams).without_package();
        let rule = read_rule(found, section, name, &facts, world);
        let (to, team) = target(found, section, world);
        if let (Some(team), Some(desk)) = (team, &desk)
            && team.desk != *desk
        {
            across_desks(found, &section.key_span("to"), &team.desk, desk);
        }
        let fallback = fallback(found, section, world, to.as_ref(), desk.as_ref());
        let on_duty = section.yes_or_no(found, "on_duty").unwrap_or(false);
        if on_duty && team.is_some_and(|team| team.hours.is_none()) {
            let message = "`on_duty` of a route to a team that is always on duty";
            found.mismatch(&section.key_span("on_duty"), message, "give the team `hours`, or leave `on_duty` out");
        }
        let weak_triage_within =
            super::policy::weak_triage(found, section).or(world.weak_triage_within).unwrap_or(triage::WITHIN);
        let when = section.raw("when").map(|value| value.get_ref());
        let always = |value: &DeValue<'_>| value.as_str() == Some("true");
        let unconditional = match when {
            None => true,
            Some(DeValue::Array(list)) => !list.is_empty() && list.iter().all(|value| always(value.get_ref())),
            Some(value) => always(value),
        };
        let whole = !on_duty && rule.as_ref().is_none_or(|rule| rule.share >= 1.0 && rule.times.is_empty());
        if let (Some(rule), Some(team)) = (&rule, team) {
            times::check_reach(found, section, &rule.times, std::iter::once(team));
        }
        if let (Some(rule), Some(reach)) = (&rule, Reach::of(world.desks, desk.as_ref(), world.targets)) {
            reach.check_clocks(found, section, rule);
        }
        let route =
            (|| Some(Route { rule: rule?, desk: desk.clone()?, to: to?, fallback, on_duty, weak_triage_within }))();
        Self { route, desk, span: section.span.clone(), catches_all: unconditional && whole }
    }
}

/// The team that takes a route's cases in the stead of its first one: another one of the same desk.
fn fallback(
    found: &mut Found<'_>,
    section: &Section<'_>,
    world: &World<'_>,
    to: Option<&TeamName>,
    desk: Option<&DeskId>,
) -> Option<TeamName> {
    let name = section.text(found, "fallback")?;
    let fallback = named_team(found, &name, world)?;
    if Some(&fallback) == to {
        let message = format!("{} falls back from \"{fallback}\" to itself", section.title);
        found.mismatch(&name.span, message, "name another team, or leave it out");
        return None;
    }
    if let (Some(lies_on), Some(desk)) = (world.team(&fallback).map(|team| &team.desk), desk)
        && lies_on != desk
    {
        across_desks(found, &name.span, lies_on, desk);
        return None;
    }
    Some(fallback)
}

/// Each desk with routes needs its own catch-all.
fn check_catch_alls<'r>(found: &mut Found<'_>, routes: impl Iterator<Item = &'r RouteDraft>) {
    let mut by_desk: BTreeMap<&DeskId, Vec<&RouteDraft>> = BTreeMap::new();
    for route in routes {
        if let Some(desk) = &route.desk {
            by_desk.entry(desk).or_default().push(route);
        }
    }
    for (desk, routes) in by_desk {
        if routes.iter().any(|route| route.catches_all) {
            continue;
        }
        let Some(last) = routes.last() else { continue };
        let help =
            format!("end with [[route]] name = \"everything-else\", desk = \"{desk}\", to = \"…\" and no `when`");
        found.mismatch(&last.span, format!("the desk \"{desk}\" has routes and no catch-all behind them"), help);
    }
}

fn across_desks(found: &mut Found<'_>, span: &Range<usize>, to: &DeskId, from: &DeskId) {
    let message = format!("a handoff from the desk \"{from}\" to the desk \"{to}\"");
    found.later(span, message, "choose teams of one desk");
}

/// What the conditions of an escalation may look at. `desk`: the one of its team, where that could be read.
fn facts(world: &World<'_>, desk: Option<&DeskId>) -> Facts {
    let facts = desk.map_or_else(|| Facts::of(world.desks.values()), |desk| Facts::of(world.desks.get(desk)));
    facts.with_teams(world.teams)
}

fn read_escalation(
    found: &mut Found<'_>,
    section: &Section<'_>,
    name: Option<RuleName>,
    world: &World<'_>,
    defaults: &Answers,
) -> Option<Escalation> {
    let (to, team) = target(found, section, world);
    let desk = team.map(|team| &team.desk);
    let facts = facts(world, desk);
    let rule = read_rule(found, section, name, &facts, world);
    let sensitive = section.yes_or_no(found, "sensitive").unwrap_or_default();
    if sensitive {
        somebody_signs(found, section, world);
    }
    // A time key that is wrong in itself was reported.
    if !section.has("when") && !times::KEYS.iter().any(|key| section.has(key)) {
        let message = format!("{} leaves `when` open", section.title);
        found.mismatch(&section.span, message, "add when = '…'; 'true' always holds; or a time key such as idle_for");
    }
    let trigger = trigger(found, section);
    if trigger == Some(Trigger::Manual) {
        someone_can_ask(found, section, world, desk);
    }
    if let (Some(trigger), Some(rule)) = (trigger, &rule) {
        times::check_trigger(found, section, trigger, rule);
    }
    let from = from(found, section, world, to.as_ref(), desk);
    if let (Some(rule), Some(from)) = (&rule, &from) {
        let teams = from.iter().filter_map(|name| world.teams.get(name)?.as_ref());
        times::check_reach(found, section, &rule.times, teams);
    }
    let quiet_after_person = super::policy::quiet(found, section);
    let reason = section.required(found, "reason");
    if let Some(reason) = &reason {
        template(found, reason, TemplateKind::Reason, &facts);
    }
    let needs = section.text(found, "needs").map(|needs| needs.value.to_owned());
    let context = Context { people: world.people, messages: world.messages, facts: &facts };
    let answers = Answers::read(found, section, &context);
    let package = answers.package.or(&defaults.package).settle(found, section, "package");
    let owner = answers.owner.or(&defaults.owner).settle(found, section, "owner");
    let clock = answers.clock.or(&defaults.clock).settle(found, section, "clock");
    let customer = answers.customer.or(&defaults.customer).settle(found, section, "customer");
    let review = answers.review.or(&defaults.review).settle(found, section, "review");
    let reviews = super::reviews::of_rule(found, section, sensitive, world.reviews.as_ref());
    if let (Some(owner), Some(desk)) = (&owner, desk) {
        check_person(found, owner, desk, world);
    }
    if let (Some(owner), Some(team)) = (&owner, team) {
        check_chain(found, owner, team, world);
    }
    if let (Some(rule), Some(reach)) = (&rule, Reach::of(world.desks, desk, world.targets)) {
        reach.check_clocks(found, section, rule);
        reach.check_history(found, section, rule);
        clock.iter().for_each(|clock| reach.check_pause(found, rule, clock));
    }
    if let Some(team) = team {
        reach::check(found, team, clock.as_ref(), customer.as_ref());
        customer.iter().for_each(|customer| check_for(found, customer, team, world.messages));
    }
    check_giving(found, package.as_ref(), from.as_deref(), world);
    Some(Escalation {
        reviewers: super::teams::reviewers(found, section, world.people),
        rule: Rule { sensitive, ..rule? },
        trigger: trigger?,
        quiet_after_person,
        from: from?,
        to: to?,
        needs,
        reason: reason?.value.to_owned(),
        package: package?.value,
        owner: owner?.value,
        clock: clock?.value,
        customer: customer?.value,
        review: review?.value,
        reviews: reviews?,
    })
}

/// Whether the giving teams are there often enough to be asked for what is missing.
fn check_giving(
    found: &mut Found<'_>,
    package: Option<&At<PackageDecision>>,
    from: Option<&[TeamName]>,
    world: &World<'_>,
) {
    let Some((package, from)) = package.zip(from) else { return };
    let giving = from.iter().filter_map(|name| world.teams.get(name)?.as_ref());
    reach::check_package(found, giving, package);
}

fn trigger(found: &mut Found<'_>, section: &Section<'_>) -> Option<Trigger> {
    const WORDS: [(&str, Trigger); 8] = [
        ("complexity", Trigger::Complexity),
        ("account", Trigger::Account),
        ("steps-failed", Trigger::StepsFailed),
        ("sla", Trigger::Sla),
        ("waiting", Trigger::Waiting),
        ("repeat", Trigger::Repeat),
        ("exception", Trigger::Exception),
        ("manual", Trigger::Manual),
    ];
    let word = section.required(found, "trigger")?;
    let hit = WORDS.iter().find(|(name, _)| *name == word.value);
    if hit.is_none() {
        unknown_word(found, &word, "trigger", WORDS.iter().map(|(name, _)| *name));
    }
    hit.map(|(_, trigger)| *trigger)
}

/// A rule on request needs a desk where somebody can ask.
fn someone_can_ask(found: &mut Found<'_>, section: &Section<'_>, world: &World<'_>, desk: Option<&DeskId>) {
    let Some((name, draft)) = desk.and_then(|desk| world.desks.get_key_value(desk)) else { return };
    let commands = &draft.policy.commands;
    if !commands.notes && !commands.tags {
        let message = format!("{} waits to be asked, and the desk \"{name}\" takes no commands", section.title);
        let help = format!(
            "set notes = true (or tags = true, where the desk says who set a label) in [desks.{name}.commands], or give it another trigger"
        );
        found.mismatch(&section.key_span("trigger"), message, help);
    }
}

/// What is sensitive needs a second person who looks at it.
fn somebody_signs(found: &mut Found<'_>, section: &Section<'_>, world: &World<'_>) {
    let span = section.key_span("sensitive");
    match (&world.header.second_reviewer, &world.header.owner) {
        (None, _) => {
            let message = format!("{} is sensitive, and nobody is there to sign it", section.title);
            found.mismatch(&span, message, "name somebody in [policy]: second_reviewer = \"security@acme.example\"");
        }
        (Some(second), Some(owner)) if same_person(world.people, second, owner) => {
            let message = format!("{} is sensitive, and the policy's owner would sign it alone", section.title);
            found.mismatch(&span, message, "name another person in [policy]: second_reviewer = \"…\"");
        }
        _ => {}
    }
}

/// The teams a rule takes cases from: named, or all of a tier on the target's desk but the target itself.
fn from(
    found: &mut Found<'_>,
    section: &Section<'_>,
    world: &World<'_>,
    to: Option<&TeamName>,
    desk: Option<&DeskId>,
) -> Option<Vec<TeamName>> {
    if !section.has("from") {
        section.missing(found, "from");
        return None;
    }
    if section.raw("from").is_some_and(|value| value.get_ref().is_table()) {
        return from_tier(found, section, world, to, desk);
    }
    let list = section.texts(found, "from")?;
    if list.is_empty() && section.values(found, "from").is_empty() {
        found.error(&section.key_span("from"), "`from` names no team", section.like("from"));
        return None;
    }
    let mut teams = Vec::new();
    for name in list {
        let Some(team) = named_team(found, &name, world) else { continue };
        let lies_on = world.team(&team).map(|team| &team.desk);
        if Some(&team) == to {
            let message = format!("{} hands off from \"{team}\" to itself", section.title);
            found.mismatch(&name.span, message, "leave it out of `from`");
        } else if let (Some(lies_on), Some(desk)) = (lies_on, desk)
            && lies_on != desk
        {
            across_desks(found, &name.span, desk, lies_on);
        } else {
            teams.push(team);
        }
    }
    (!teams.is_empty()).then_some(teams)
}

fn from_tier(
    found: &mut Found<'_>,
    section: &Section<'_>,
    world: &World<'_>,
    to: Option<&TeamName>,
    desk: Option<&DeskId>,
) -> Option<Vec<TeamName>> {
    let table = section.table(found, "from", keys::FROM, "`from`".into())?;
    if !table.has("tier") {
        table.missing(found, "tier");
    }
    let tier = table.number(found, "tier", 1..100)?;
    let desk = desk?;
    let here = |team: &&Team| u64::from(team.tier) == tier.value && team.desk == *desk && Some(&team.name) != to;
    let teams: Vec<TeamName> = world.teams.values().flatten().filter(here).map(|team| team.name.clone()).collect();
    // A team that is wrong in itself may be of this tier.
    if teams.is_empty() && world.teams.values().any(Option::is_none) {
        return None;
    }
    if teams.is_empty() {
        let message = format!("no other team of the desk \"{desk}\" is of tier {}", tier.value);
        let tiers: BTreeSet<String> = world
            .teams
            .values()
            .flatten()
            .filter(|team| team.desk == *desk)
            .map(|team| team.tier.to_string())
            .collect();
        let help = format!("tiers on this desk: {}", scalar::listed(tiers.iter().map(String::as_str)));
        found.mismatch(&tier.span, message, help);
        return None;
    }
    Some(teams)
}

/// A person who becomes owner must be known to the desk.
fn check_person(found: &mut Found<'_>, owner: &At<OwnerDecision>, desk: &DeskId, world: &World<'_>) {
    for assign in [&owner.value.assign, &owner.value.fallback] {
        let Assign::Person(name) = assign else { continue };
        let Some(person) = world.people.get(name) else { continue };
        if person.email.is_none() && !person.desk.contains_key(desk) {
            let message = format!("the desk \"{desk}\" does not know \"{name}\"");
            let help = format!("add email = \"…\" or desk = {{ {desk} = \"id\" }} to [people.{name}]");
            found.mismatch(&owner.span, message, help);
        }
    }
}

/// Whoever is asked where nobody takes a case on must be there to be asked.
fn check_chain(found: &mut Found<'_>, owner: &At<OwnerDecision>, to: &Team, world: &World<'_>) {
    let mut at = to;
    for step in owner.value.claim.iter().flat_map(|claim| &claim.unclaimed) {
        match step {
            Unclaimed::Back => {}
            Unclaimed::Lead if at.lead.is_some() => {}
            Unclaimed::Lead => {
                let message = format!("`owner.unclaimed` asks the lead of \"{}\", who has none", at.name);
                found.mismatch(&owner.span, message, format!("add lead = \"NAME\" to [teams.{}]", at.name));
            }
            Unclaimed::Team(name) => match world.teams.get(name) {
                None => {
                    let known = scalar::listed(world.teams.keys().map(TeamName::as_str));
                    let message =
                        format!("`owner.unclaimed` names the team \"{}\", which there is not", shown(name.as_str()));
                    found.error(&owner.span, message, format!("known teams: {known}"));
                }
                Some(None) => return,
                Some(Some(team)) if team.desk != to.desk => {
                    let message = format!("`owner.unclaimed` hands a case from the desk \"{}\" to another", to.desk);
                    found.mismatch(&owner.span, message, "name a team of the same desk");
                }
                Some(Some(team)) if team.name == at.name => {
                    let message = format!("`owner.unclaimed` hands a case of \"{}\" to itself", at.name);
                    found.mismatch(&owner.span, message, "name another team");
                }
                Some(Some(team)) => at = team,
            },
        }
    }
}
