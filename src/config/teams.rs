//! `[teams.NAME]` and `[people.NAME]`: who owns cases.

use super::abilities;
use super::alerts::{self, Alerts};
use super::answers::ASSIGN;
use super::desks::{Desks, queue};
use super::found::{At, Found};
use super::hours::Hours;
use super::keys;
use super::messages;
use super::names::refers;
use super::scalar::{self, shown};
use super::walk::Section;
use crate::policy::due::TeamHours;
use crate::policy::languages::PublicName;
use crate::policy::names::{AlertName, HoursName, PersonName, TeamName};
use crate::policy::teams::{PersonEntry, Team};
use handoffd_kit::desk::QueueSpec;
use handoffd_kit::id::{DeskId, UserId};
use std::collections::BTreeMap;
use std::sync::Arc;

/// All people by name, those that are wrong included.
pub(super) type People = BTreeMap<PersonName, PersonEntry>;

/// All teams by name; `None`: wrong in itself, which was reported.
pub(super) type Teams = BTreeMap<TeamName, Option<Team>>;

/// Reads all people.
pub(super) fn read_people(
    found: &mut Found<'_>,
    root: &Section<'_>,
    desks: &Desks,
    alerts: &Alerts,
    hours: &Hours,
) -> People {
    let mut people = People::new();
    for named in root.named_tables(found, "people") {
        let section = named.open(found, keys::PERSON);
        if ASSIGN.contains(&named.name.value) {
            let message = format!("a person cannot be called \"{}\"", named.name.value);
            found.error(&named.name.span, message, "`owner.assign` uses this word; choose another name");
        }
        if !section.has("email") && !section.has("desk") {
            let help = "add email = \"…\" or desk = { DESK = \"id\" }";
            found.mismatch(&section.span, format!("{} has no identity", section.title), help);
        }
        let email = section.text(found, "email");
        if let Some(email) = email.as_ref().filter(|email| !scalar::is_email(email.value)) {
            found.error(&email.span, "this is no mail address", section.like("email"));
        }
        let entry = PersonEntry {
            email: email.map(|email| email.value.to_owned()),
            desk: identities(found, &section, desks),
            chat: chats(found, &section, alerts),
            hours: named_hours(found, &section, hours).flatten(),
        };
        people.insert(PersonName::new(named.name.value), entry);
    }
    people
}

/// What chats call a person, by the alert channel that leads there.
fn chats(found: &mut Found<'_>, section: &Section<'_>, alerts: &Alerts) -> BTreeMap<AlertName, String> {
    let mut chats = BTreeMap::new();
    let Some(table) = section.open_table(found, "chat") else { return chats };
    for (channel, value) in table.entries() {
        refers(found, &channel, "alert channel", "[alerts.NAME]", alerts.names());
        let name = AlertName::new(channel.value);
        let Some(kind) = alerts.kind(&name) else { continue };
        let Some(example) = kind.calls_like() else {
            let help = "slack, mattermost and teams call people; leave it out";
            found.error(&value.span(), format!("a channel \"{}\" calls nobody", kind.name()), help);
            continue;
        };
        match value.get_ref().as_str().filter(|text| kind.calls(text)) {
            Some(text) => drop(chats.insert(name, text.to_owned())),
            None => {
                let help = format!("write chat = {{ {} = \"{example}\" }}", shown(channel.value));
                found.error(&value.span(), format!("this is nobody's name in {}", kind.name()), help);
            }
        }
    }
    chats
}

fn identities(found: &mut Found<'_>, section: &Section<'_>, desks: &Desks) -> BTreeMap<DeskId, UserId> {
    let mut identities = BTreeMap::new();
    let Some(table) = section.open_table(found, "desk") else { return identities };
    for (desk, value) in table.entries() {
        refers(found, &desk, "desk", "[desks.NAME]", desks.keys().map(DeskId::as_str));
        match value.get_ref().as_str().filter(|id| !id.trim().is_empty()) {
            Some(id) => {
                if let Some(desk) = desks.get(&DeskId::new(desk.value)).and_then(|desk| desk.capabilities.as_ref()) {
                    abilities::check_user(found, desk, &At::new(id, value.span()));
                }
                identities.insert(DeskId::new(desk.value), UserId::new(id));
            }
            None => {
                let help = format!("write desk = {{ {} = \"4711\" }}", shown(desk.value));
                found.error(&value.span(), "a person's id on a desk is a text in quotes", help);
            }
        }
    }
    identities
}

/// The hours that a table names; none at the outside: they are wrong, which was reported.
pub(super) fn named_hours(
    found: &mut Found<'_>,
    section: &Section<'_>,
    hours: &Hours,
) -> Option<Option<Arc<TeamHours>>> {
    let named = match section.text(found, "hours") {
        Some(name) => {
            let known = hours.keys().map(HoursName::as_str);
            refers(found, &name, "hours", "[hours.NAME]", known).then(|| hours.get(&HoursName::new(name.value)))
        }
        None => None,
    };
    // Hours that are wrong in themselves were reported; so was a table that names none that are there.
    match named.flatten() {
        Some(hours) => Some(Some(hours.clone()?)),
        None if section.has("hours") => None,
        None => Some(None),
    }
}

/// What teams refer to.
pub(super) struct Around<'a> {
    pub desks: &'a Desks,
    pub people: &'a People,
    pub hours: &'a Hours,
    pub alerts: &'a Alerts,
}

/// Reads all teams.
pub(super) fn read_teams(found: &mut Found<'_>, root: &Section<'_>, around: &Around<'_>) -> Teams {
    let mut teams = Teams::new();
    let mut queues: BTreeMap<DeskId, Vec<(QueueSpec, String)>> = BTreeMap::new();
    for named in root.named_tables(found, "teams") {
        let section = named.open(found, keys::TEAM);
        let team = read_team(found, &section, named.name.value, around);
        if let Some((team, place)) = &team {
            let taken = queues.entry(team.desk.clone()).or_default();
            check_queue(found, team, place, around.desks, taken);
            taken.push((team.queue.clone(), named.name.value.to_owned()));
        }
        teams.insert(TeamName::new(named.name.value), team.map(|(team, _)| team));
    }
    teams
}

/// Who says yes or no, of a team or of a rule.
pub(super) fn reviewers(found: &mut Found<'_>, section: &Section<'_>, people: &People) -> Vec<PersonName> {
    let known = || people.keys().map(PersonName::as_str);
    let Some(named) = section.texts(found, "reviewers") else { return Vec::new() };
    if let Some(empty) =
        section.raw("reviewers").filter(|value| value.get_ref().as_array().is_some_and(|all| all.is_empty()))
    {
        let help = "name who says yes or no, or leave the key out: then it is as if nobody were named here";
        found.error(&empty.span(), "`reviewers` names nobody", help);
    }
    named
        .into_iter()
        .filter(|person| refers(found, person, "person", "[people.NAME]", known()))
        .map(|person| PersonName::new(person.value))
        .collect()
}

fn read_team(found: &mut Found<'_>, section: &Section<'_>, name: &str, around: &Around<'_>) -> Option<(Team, At<()>)> {
    let Around { desks, people, hours, alerts } = around;
    if !section.has("tier") {
        section.missing(found, "tier");
    }
    if !section.has("queue") {
        section.missing(found, "queue");
    }
    let tier = section.number(found, "tier", 1..100);
    let desk = section
        .required(found, "desk")
        .filter(|desk| refers(found, desk, "desk", "[desks.NAME]", desks.keys().map(DeskId::as_str)));
    let spec = section.raw("queue").and_then(|value| queue(found, value, "queue"));
    let public_name = public_name(found, section);
    let known = || people.keys().map(PersonName::as_str);
    let lead = section
        .text(found, "lead")
        .filter(|lead| refers(found, lead, "person", "[people.NAME]", known()))
        .map(|lead| PersonName::new(lead.value));
    let reviewers = reviewers(found, section, people);
    let alert = alerts::named(found, section, alerts).unwrap_or_default();
    let hours = named_hours(found, section, hours)?;
    let (tier, desk, spec) = (tier?, desk?, spec?);
    let team = Team {
        name: TeamName::new(name),
        tier: u32::try_from(tier.value).ok()?,
        desk: DeskId::new(desk.value),
        queue: spec.value,
        public_name,
        hours,
        lead,
        reviewers,
        alert,
    };
    Some((team, At::new((), spec.span)))
}

/// What customers read for a team: a text, or a table by language.
fn public_name(found: &mut Found<'_>, section: &Section<'_>) -> Option<PublicName> {
    if section.raw("public_name").is_none_or(|value| value.get_ref().as_table().is_none()) {
        return section.text(found, "public_name").map(|text| PublicName::everywhere(text.value));
    }
    let table = section.open_table(found, "public_name")?;
    let (mut names, mut default) = (BTreeMap::new(), None);
    for (key, value) in table.entries() {
        let Some(name) = value.get_ref().as_str().filter(|text| !text.trim().is_empty()) else {
            let help = format!("write {} = \"our billing specialists\"", shown(key.value));
            found.error(&value.span(), "what customers read for a team is a text in quotes", help);
            continue;
        };
        if key.value == "default" {
            default = Some(name.to_owned());
        } else if let Some(language) = messages::language(found, &key, "`public_name`", "default") {
            names.insert(language, name.to_owned());
        }
    }
    if table.entries().is_empty() {
        found.error(
            &table.span,
            "`public_name` names nothing",
            "write { en = \"our billing specialists\", de = \"…\" }",
        );
    }
    PublicName::by_language(names, default)
}

/// One queue belongs to one team, or is where cases arrive.
fn check_queue(found: &mut Found<'_>, team: &Team, place: &At<()>, desks: &Desks, taken: &[(QueueSpec, String)]) {
    let queue = shown(team.queue.shown());
    if let Some((_, other)) = taken.iter().find(|(spec, _)| *spec == team.queue) {
        let message = format!("the teams {} and {} have the same queue \"{queue}\"", shown(other), team.name);
        found.mismatch(&place.span, message, "give each team of a desk its own queue: it says whose a case is");
    }
    if let Some(desk) = desks.get(&team.desk).and_then(|desk| desk.capabilities.as_ref()) {
        abilities::check_queue(found, desk, &team.queue, &place.span);
    }
    let intake = desks.get(&team.desk).map(|desk| &desk.policy.intake);
    if intake.is_some_and(|intake| intake.contains(&team.queue)) {
        let message = format!("the queue \"{queue}\" is both the team {}'s and in the desk's `intake`", team.name);
        found.mismatch(
            &place.span,
            message,
            "a case in `intake` has no team yet; use two queues, or take it out of `intake`",
        );
    }
}
