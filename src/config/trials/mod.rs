//! `[[test]]`: cases as they might be, and what the policy must say about them. `handoffd check` runs them.
//!
//! - [`ticket`]: the ticket with its fields and messages, the customer, the organisation, the desk's clocks.
//! - [`expect`]: what must come out.
//!
//! Instants are written as such, or as a duration: that long before the test's `at`.

mod expect;
mod ticket;

use super::desks::DeskDraft;
use super::found::{At, Found};
use super::keys;
use super::names::refers;
use super::problem::{Problems, Severity};
use super::rules::World;
use super::scalar::{self, shown};
use super::source::Source;
use super::walk::{Section, kind_of};
use crate::policy::case::{Case, Fired, Memory, Request, Stay};
use crate::policy::names::{RuleName, TeamName};
use crate::policy::roster::Rosters;
use crate::policy::teams::Team;
use crate::policy::trial::{Report, Trial};
use handoffd_kit::id::DeskId;
use handoffd_kit::model::{PartSet, Parts};
use jiff::{SignedDuration, Timestamp};
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use toml::de::{DeTable, DeValue};

/// A test without `at` happens then: a Monday noon.
const NOON: &str = "2026-01-05T12:00:00Z";
/// A ticket without `opened` was opened this long before.
const AN_HOUR: SignedDuration = SignedDuration::from_hours(1);
/// What stands for the id of the change that opened the stay.
const EPISODE: &str = "test";

/// One `[[test]]` and where it stands.
#[derive(Clone, Debug)]
pub struct TestEntry {
    /// The test.
    pub trial: Trial,
    span: Range<usize>,
}

impl TestEntry {
    /// The file it stands in, and the line from 1.
    pub(super) fn place(&self, source: &Source) -> (String, usize) {
        let place = source.place(&self.span);
        (place.file, place.line)
    }

    /// A test that does not pass, at its place.
    pub(super) fn problem(&self, report: &Report, source: &Source) -> Problems {
        let mut lines: Vec<String> = report
            .differences
            .iter()
            .map(|it| format!("{}: expected {}, got {}", it.what, it.expected, it.got))
            .collect();
        lines.extend(report.why.iter().map(|why| format!("rule {why}")));
        let mut problems = Problems::none(source);
        let message = format!("the test \"{}\" does not pass", shown(&self.trial.name));
        problems.add(self.span.clone(), Severity::Error, message, lines.join("\n"));
        problems
    }
}

/// Reads all tests. `rules` are the names of all rules, those that are wrong in themselves included.
pub(super) fn read(
    found: &mut Found<'_>,
    root: &Section<'_>,
    world: &World<'_>,
    rules: &BTreeSet<String>,
) -> Vec<TestEntry> {
    let mut names = BTreeSet::new();
    let mut tests = Vec::new();
    for entry in root.list_of_tables(found, "test") {
        let section = open(found, &entry);
        if let Some(test) = read_test(found, &section, world, rules) {
            if !names.insert(test.trial.name.clone()) {
                let message = format!("another test is called \"{}\" too", shown(&test.trial.name));
                found.mismatch(&section.key_span("name"), message, "say what each of them shows");
            }
            tests.push(test);
        }
    }
    tests
}

fn open<'a>(found: &mut Found<'_>, entry: &At<&'a DeTable<'a>>) -> Section<'a> {
    let called = entry.value.get("name").and_then(|name| name.get_ref().as_str());
    let title = called.map_or("this [[test]]".to_owned(), |name| format!("test \"{}\"", shown(name)));
    let span =
        entry.value.get_key_value("name").map_or(entry.span.clone(), |(key, value)| key.span().start..value.span().end);
    Section::open(found, entry.value, keys::TEST, title, span)
}

fn read_test(
    found: &mut Found<'_>,
    section: &Section<'_>,
    world: &World<'_>,
    rules: &BTreeSet<String>,
) -> Option<TestEntry> {
    let name = section.required(found, "name");
    let noon = NOON.parse().unwrap_or(Timestamp::UNIX_EPOCH);
    let at = instant(found, section, "at").unwrap_or(noon);
    for key in ["ticket", "expect"].into_iter().filter(|key| !section.has(key)) {
        section.missing(found, key);
    }
    let table = |found: &mut Found<'_>, key: &str, shape| {
        let title = format!("`{key}` of {}", section.title);
        section.table(found, key, shape, title)
    };
    let expect = table(found, "expect", keys::TEST_EXPECT).map(|it| expect::read(found, &it, world, rules));
    let ticket = table(found, "ticket", keys::TEST_TICKET)?;
    let place = Place::read(found, &ticket, world)?;
    let reading = ticket::Reading { desk: place.draft, at };
    let (head, mut conversation) = reading.head(found, &ticket, &place);
    let opened = head.created_at.known().copied().unwrap_or(at);
    let mut memory = Memory { counts: true, ..Memory::default() };
    memory.teams_seen.extend(place.team.map(|team| team.name.clone()));
    let mut since = opened;
    let mut contacts = None;
    let mut history = reading.in_status(found, &ticket, &head);
    if let Some(case) = table(found, "case", keys::TEST_CASE) {
        since = moment(found, &case, "since", at).unwrap_or(opened);
        remember(found, &case, &mut memory, world, rules, &place, at);
        reading.replies(found, &case, &mut conversation, opened);
        history.extend(reading.reopens(found, &case, opened));
        contacts = reading.contacts(found, &case);
    }
    history.extend(ticket::spoken(&conversation));
    history.sort_by_key(|change| change.at);
    memory.stay = place.team.map(|team| Stay { team: team.name.clone(), episode: EPISODE.into(), since });
    let customer = table(found, "customer", keys::TEST_CUSTOMER);
    let organization = table(found, "organization", keys::TEST_ORGANIZATION);
    let parts = Parts {
        conversation: Some(conversation),
        history: Some(history),
        customer: reading.customer(found, customer.as_ref(), organization.as_ref()),
        clocks: Some(reading.clocks(found, section, &mut memory)),
        contacts,
        people: Vec::new(),
    };
    // A test states no members of teams: an owner who is one of several is not looked for.
    let rosters = Rosters::default();
    let case = Case { desk: place.desk, head, parts, asked: PartSet::NONE, memory, rosters };
    let trial = Trial { name: name?.value.to_owned(), case, at, expect: expect? };
    Some(TestEntry { trial, span: section.key_span("expect") })
}

/// Where a test's ticket lies.
struct Place<'w> {
    desk: DeskId,
    draft: &'w DeskDraft,
    team: Option<&'w Team>,
    /// The queue that it names; none: its team's, or none at all.
    queue: Option<String>,
}

impl<'w> Place<'w> {
    fn read(found: &mut Found<'_>, ticket: &Section<'_>, world: &World<'w>) -> Option<Self> {
        let desks = || world.desks.keys().map(DeskId::as_str);
        let teams = || world.teams.keys().map(TeamName::as_str);
        let desk = match ticket.text(found, "desk") {
            Some(desk) if !refers(found, &desk, "desk", "[desks.NAME]", desks()) => return None,
            desk => desk,
        };
        let team = match ticket.text(found, "team") {
            Some(team) if !refers(found, &team, "team", "[teams.NAME]", teams()) => return None,
            // A team that is wrong in itself was reported; its tests say nothing new.
            Some(team) => Some(world.teams.get(&TeamName::new(team.value))?.as_ref()?),
            None => None,
        };
        let queue = ticket.text(found, "queue");
        if let (Some(team), Some(queue)) = (team, &queue) {
            let message = format!("the ticket lies in the queue of \"{}\" already", team.name);
            found.error(&queue.span, message, "keep `team` or `queue`");
        }
        let id = match (&desk, team) {
            (Some(desk), Some(team)) if desk.value != team.desk.as_str() => {
                let message = format!("the team \"{}\" is on the desk \"{}\"", team.name, team.desk);
                found.mismatch(&desk.span, message, "leave `desk` out: the team says it");
                return None;
            }
            (Some(desk), _) => DeskId::new(desk.value),
            (None, Some(team)) => team.desk.clone(),
            (None, None) if world.desks.len() == 1 => world.desks.keys().next()?.clone(),
            (None, None) => {
                let help = format!("add team = \"…\" or desk = \"…\": {}", scalar::listed(desks()));
                found.mismatch(&ticket.span, format!("{} does not say on which desk it is", ticket.title), help);
                return None;
            }
        };
        let draft = world.desks.get(&id)?;
        Some(Self { desk: id, draft, team, queue: queue.map(|queue| queue.value.to_owned()) })
    }
}

/// What the ledger would remember.
fn remember(
    found: &mut Found<'_>,
    case: &Section<'_>,
    memory: &mut Memory,
    world: &World<'_>,
    rules: &BTreeSet<String>,
    place: &Place<'_>,
    at: Timestamp,
) {
    let known = || world.teams.keys().map(TeamName::as_str);
    let here = memory.teams_seen.pop();
    // A team may have had it more than once.
    for value in case.values(found, "teams_seen") {
        match value.get_ref().as_str() {
            Some(team) => {
                let team = At::new(team, value.span());
                if refers(found, &team, "team", "[teams.NAME]", known()) {
                    memory.teams_seen.push(TeamName::new(team.value));
                }
            }
            None => found.error(&value.span(), "`teams_seen` is a list of teams", case.like("teams_seen")),
        }
    }
    let is_last = memory.teams_seen.last() == here.as_ref();
    memory.teams_seen.extend(here.filter(|_| !is_last));
    for (key, into) in [
        ("hops", &mut memory.hops),
        ("hops_today", &mut memory.hops_today),
        ("bounces", &mut memory.bounces),
        ("returns", &mut memory.returns),
        ("handoffs", &mut memory.handoffs),
    ] {
        *into = count(found, case, key).unwrap_or(0);
    }
    let episode = if place.team.is_some() { EPISODE } else { crate::policy::INTAKE };
    let fired = case.texts(found, "fired").unwrap_or_default();
    memory.fired = fired
        .iter()
        .filter(|rule| refers(found, rule, "rule", "[[route]] or [[escalate]]", rules.iter().map(String::as_str)))
        .map(|rule| Fired { rule: RuleName::new(rule.value), episode: episode.to_owned() })
        .collect();
    memory.last_public_message = moment(found, case, "told", at);
    memory.request = request(found, case, world, episode);
}

/// What an agent asked for inside the helpdesk.
fn request(found: &mut Found<'_>, case: &Section<'_>, world: &World<'_>, episode: &str) -> Option<Request> {
    let title = format!("`request` of {}", case.title);
    let asked = case.table(found, "request", keys::TEST_REQUEST, title)?;
    let known = || world.teams.keys().map(TeamName::as_str);
    let to = asked.required(found, "to").filter(|to| refers(found, to, "team", "[teams.NAME]", known()))?;
    let text = |found: &mut Found<'_>, key, or: &str| {
        asked.text(found, key).map_or_else(|| or.to_owned(), |text| text.value.to_owned())
    };
    Some(Request {
        command: EPISODE.to_owned(),
        to: TeamName::new(to.value),
        reason: text(found, "reason", "no reason given"),
        by: text(found, "by", "an agent"),
        by_id: None,
        by_email: None,
        episode: episode.to_owned(),
        open: true,
        told: false,
        led_to: None,
    })
}

/// A count that a case cannot exceed in earnest.
fn count(found: &mut Found<'_>, section: &Section<'_>, key: &str) -> Option<u32> {
    section.number(found, key, 0..1_001).and_then(|number| u32::try_from(number.value).ok())
}

/// An instant as it is written.
fn instant(found: &mut Found<'_>, section: &Section<'_>, key: &str) -> Option<Timestamp> {
    let value = section.raw(key)?;
    let read = match value.get_ref() {
        DeValue::Datetime(stamp) => scalar::instant(&stamp.to_string()),
        DeValue::String(text) => scalar::instant(text),
        other => Err(format!("`{key}` is an instant, not {}", kind_of(other))),
    };
    read.map_err(|wrong| found.error(&value.span(), wrong, "write it with its offset: 2026-11-02T12:00:00Z")).ok()
}

/// An instant, or a duration before `at`.
fn moment(found: &mut Found<'_>, section: &Section<'_>, key: &str, at: Timestamp) -> Option<Timestamp> {
    let value = section.raw(key)?;
    match value.get_ref().as_str().map(scalar::duration) {
        Some(Ok(before)) => Some(at.saturating_sub(before).unwrap_or(Timestamp::MIN)),
        Some(Err(_)) if value.get_ref().as_str().is_some_and(|text| scalar::instant(text).is_err()) => {
            let message = format!("`{key}` is neither a duration before the test's `at` nor an instant");
            found.error(&value.span(), message, section.like(key));
            None
        }
        _ => instant(found, section, key),
    }
}

/// A table's entries by name, as the desk would send them.
type Values = BTreeMap<String, serde_json::Value>;
