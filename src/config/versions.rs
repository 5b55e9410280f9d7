//! Versions: a hash of what a policy means. Comments, the order of keys, the way a value is written and `[daemon]` do
//! not count; neither does how a desk is reached (`url`, `login`, `webhook`, `poll`, `budget`), which decides nothing.
//!
//! A rule's version leaves its `mode`, `share` and `sensitive` out: they say how much of the rule is switched on, not what
//! it means, and going live must not turn it into another rule. The version of the whole has them.

use super::desks::DeskConfig;
use crate::policy::address::AddressPattern;
use crate::policy::alert::AlertChannel;
use crate::policy::condition::Condition;
use crate::policy::due::{Counts, TeamHours, Wait};
use crate::policy::header::PolicyHeader;
use crate::policy::languages::PublicName;
use crate::policy::meaning::{Meaning, NAMED, ORDER, RULE, span, version};
use crate::policy::names::AlertName;
use crate::policy::package::{LABELS, Label, name_of};
use crate::policy::review_terms::ReviewTerms;
use crate::policy::risk::{Listed, WordRisk};
use crate::policy::rules::{
    Assign, ClockDecision, CustomerClock, CustomerDecision, DeskPolicy, Escalation, FieldDeclaration, FieldOwner,
    Limits, Missing, Mode, Once, OwnerDecision, PackageDecision, Policy, PreviousTask, PublicMessage, ReviewDecision,
    Route, Rule, Start,
};
use crate::policy::targets::Target;
use crate::policy::teams::{PersonEntry, Team};
use crate::policy::timing::TimeKeys;
use handoffd_kit::id::DeskId;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;
use std::sync::Arc;

/// Gives every rule and the whole policy their versions, and what the policy means.
pub(super) fn stamp(policy: &mut Policy, desks: &BTreeMap<DeskId, DeskConfig>) -> Meaning {
    for route in &mut policy.routes {
        route.rule.version = version(&route_meaning(route));
    }
    for escalation in &mut policy.escalations {
        escalation.rule.version = version(&escalation_meaning(escalation));
    }
    let meaning = meaning(policy, desks);
    policy.version = meaning.version();
    meaning
}

fn meaning(policy: &Policy, desks: &BTreeMap<DeskId, DeskConfig>) -> Meaning {
    let routes = policy.routes.iter().map(|route| (&route.rule.name, switched(&route.rule, route_meaning(route))));
    let escalations = policy.escalations.iter().map(|it| (&it.rule.name, switched(&it.rule, escalation_meaning(it))));
    let connector = |id: &DeskId| desks.get(id).map(|desk| desk.connector.as_str());
    let [desks, teams, people, messages, targets, route, escalate, alert, risks] = NAMED;
    let mut meaning = json!({
        "policy": header(policy),
        "labels": labels(policy),
        desks: named(policy.desks.iter().map(|(id, it)| (id, desk(it, connector(id))))),
        teams: named(policy.teams.iter().map(|(name, it)| (name, team(it)))),
        people: named(policy.people.iter().map(|(name, it)| (name, person(it)))),
        messages: named(policy.messages.iter().map(|(name, it)| (name, told(it)))),
        targets: named(policy.targets.iter().map(|it| (&it.name, target(it)))),
        route: named(routes),
        escalate: named(escalations),
        ORDER: {
            targets: policy.targets.iter().map(|target| &target.name).collect::<Vec<_>>(),
            route: policy.routes.iter().map(|route| &route.rule.name).collect::<Vec<_>>(),
            escalate: policy.escalations.iter().map(|it| &it.rule.name).collect::<Vec<_>>(),
        },
    });
    // A policy that tells nobody means what it meant before anybody could be told.
    if let (Value::Object(keys), false) = (&mut meaning, policy.alerts.channels.is_empty()) {
        keys.insert(alert.to_owned(), alerts(policy));
    }
    if let (Value::Object(keys), false) = (&mut meaning, policy.risks.is_empty()) {
        keys.insert(risks.to_owned(), named(policy.risks.iter().map(|it| (&it.name, risk(it)))));
    }
    Meaning::new(meaning)
}

fn named<N: Display>(all: impl Iterator<Item = (N, Value)>) -> Value {
    Value::Object(all.map(|(name, value)| (name.to_string(), value)).collect::<Map<_, _>>())
}

fn switched(rule: &Rule, meaning: Value) -> Value {
    json!({ RULE: meaning, "mode": word(rule.mode), "share": rule.share, "sensitive": rule.sensitive })
}

fn header(policy: &Policy) -> Value {
    let PolicyHeader { owner, second_reviewer, review_by, source_of_truth, goal, data, feared_failure } =
        &policy.header;
    let Limits { per_rule_per_hour, per_desk_per_hour, hops_per_day } = policy.limits;
    let operators = Some(&policy.alerts.operators).filter(|names| !names.is_empty());
    let mut meaning = json!({
        "owner": owner,
        "second_reviewer": second_reviewer,
        "review_by": review_by,
        "source_of_truth": source_of_truth,
        "goal": goal,
        "data": data,
        "feared_failure": feared_failure,
        "never": policy.never.as_ref().map(Condition::source),
        "quiet_after_person": policy.quiet_after_person.map(span),
        "suppress": policy.suppress.iter().map(AddressPattern::as_str).collect::<Vec<_>>(),
        "limits": {
            "per_rule_per_hour": per_rule_per_hour,
            "per_desk_per_hour": per_desk_per_hour,
            "hops_per_day": hops_per_day,
        },
    });
    note_terms(&mut meaning, policy.reviews.as_ref());
    let mut meaning = telling(meaning, operators);
    if let (Value::Object(keys), Some(digest)) = (&mut meaning, &policy.alerts.digest) {
        keys.insert("digest".to_owned(), json!({ "to": digest.to, "when": digest.when() }));
    }
    meaning
}

/// The wait for the answer to a review, where there is one.
fn note_terms(of: &mut Value, terms: Option<&ReviewTerms>) {
    if let (Value::Object(of), Some(terms)) = (of, terms) {
        let ReviewTerms { answer_within, remind_every, unanswered } = *terms;
        let terms = json!({
            "answer_within": waited(answer_within),
            "remind_every": remind_every.map(waited),
            "unanswered": unanswered,
        });
        of.insert("reviews".to_owned(), terms);
    }
}

fn desk(desk: &DeskPolicy, connector: Option<&str>) -> Value {
    let DeskPolicy { intake, start, fields, commands, news_within } = desk;
    let start = match start {
        Start::Now => "now".to_owned(),
        Start::At(instant) => instant.to_string(),
    };
    let mut meaning = json!({
        "connector": connector,
        "intake": intake,
        "start": start,
        "fields": named(fields.iter().map(|(name, field)| (name, declared(field)))),
        "commands": {
            "notes": commands.notes,
            "tags": commands.tags,
            "handoff": commands.handoff,
            "back": commands.back,
            "reject": commands.reject,
            "approve": commands.approve,
            "good": commands.good,
            "poor": commands.poor,
        },
    });
    // A desk that nobody waits for means what it meant before anybody could.
    if let (Value::Object(keys), Some(within)) = (&mut meaning, news_within) {
        let hours = within.hours.as_ref().map(|hours| &hours.meaning);
        keys.insert("news_within".to_owned(), json!({ "length": span(within.length), "hours": hours }));
    }
    meaning
}

fn team(team: &Team) -> Value {
    let Team { name: _, tier, desk, queue, public_name, hours, lead, reviewers, alert } = team;
    let meaning = json!({
        "tier": tier,
        "desk": desk,
        "queue": queue,
        "public_name": public_name.as_ref().map(public_names),
        "hours": opened(hours.as_ref()),
        "lead": lead,
        "reviewers": reviewers,
    });
    telling(meaning, Some(alert).filter(|names| !names.is_empty()))
}

/// One name as a text, several by language.
fn public_names(names: &PublicName) -> Value {
    match names.all().collect::<Vec<_>>()[..] {
        [(None, name)] => json!(name),
        ref all => all.iter().map(|(language, name)| (language.unwrap_or("default").to_owned(), json!(name))).collect(),
    }
}

/// A meaning with the channels that are told, where some are named.
fn telling(mut meaning: Value, alert: Option<&Vec<AlertName>>) -> Value {
    if let (Value::Object(keys), Some(names)) = (&mut meaning, alert) {
        keys.insert("alert".to_owned(), json!(names));
    }
    meaning
}

fn alerts(policy: &Policy) -> Value {
    named(policy.alerts.channels.iter().map(|(name, channel)| {
        let AlertChannel { kind, tells, hours, outside } = channel;
        let tells: Vec<&str> = tells.iter().map(|occasion| occasion.name()).collect();
        let hours = opened(hours.as_ref());
        (name, json!({ "channel": kind.name(), "tells": tells, "hours": hours, "outside": outside.name() }))
    }))
}

/// Every word that counts, wherever it was taken from: another handoffd may bring other lists.
fn risk(risk: &WordRisk) -> Value {
    let WordRisk { name: _, look_in, at_least, words } = risk;
    let written = |all: &Vec<Listed>| {
        let mut all: Vec<&str> = all.iter().map(|one| one.entry.written()).collect();
        all.sort_unstable();
        json!(all)
    };
    let words = named(words.iter().map(|(language, all)| (language, written(all))));
    json!({ "look_in": look_in, "at_least": at_least, "words": words })
}

fn person(person: &PersonEntry) -> Value {
    let mut told = json!({ "email": person.email, "desk": person.desk, "hours": opened(person.hours.as_ref()) });
    if !person.chat.is_empty() {
        told["chat"] = json!(person.chat);
    }
    told
}

fn opened(hours: Option<&Arc<TeamHours>>) -> Option<&String> {
    hours.map(|hours| &hours.meaning)
}

fn labels(policy: &Policy) -> Value {
    let added = |row: &(&'static str, Label, &[&str])| Some((row.0, json!(policy.labels.added().get(&row.1)?)));
    named(LABELS.iter().filter_map(added))
}

fn word(mode: Mode) -> &'static str {
    match mode {
        Mode::Shadow => "shadow",
        Mode::Live => "live",
    }
}

fn declared(field: &FieldDeclaration) -> Value {
    let of = match field.of {
        FieldOwner::Ticket => "ticket",
        FieldOwner::Customer => "customer",
        FieldOwner::Organization => "organization",
    };
    json!({ "id": field.id, "type": field.kind, "of": of })
}

fn told(message: &PublicMessage) -> Value {
    let wordings = message.wordings.iter().map(|(language, wording)| (language, json!(wording)));
    json!({ "signers": message.signers, "wordings": named(wordings) })
}

/// What routes and escalations have in common, under the names of the file.
fn rule_meaning(rule: &Rule) -> Map<String, Value> {
    let once = match rule.once {
        Once::Episode => "episode",
        Once::Case => "case",
    };
    let TimeKeys { idle_for, held_for, in_status_for, silent_for, open_for, before_breach } = rule.times;
    let before_breach = before_breach.map(|before| json!({ "clock": before.clock, "by": span(before.by) }));
    let alert = rule.alert.as_ref().map(|names| ("alert", json!(names)));
    let keys = [
        ("name", json!(rule.name)),
        ("once", json!(once)),
        ("when", json!(rule.when.iter().map(Condition::source).collect::<Vec<_>>())),
        ("idle_for", json!(idle_for.map(waited))),
        ("held_for", json!(held_for.map(waited))),
        ("in_status_for", json!(in_status_for.map(waited))),
        ("silent_for", json!(silent_for.map(waited))),
        ("open_for", json!(open_for.map(waited))),
        ("before_breach", json!(before_breach)),
    ];
    let risks = rule.risks.as_ref().map(|names| ("risks", json!(names.iter().collect::<BTreeSet<_>>())));
    keys.into_iter().chain(alert).chain(risks).map(|(key, value)| (key.to_owned(), value)).collect()
}

fn with(mut rule: Map<String, Value>, more: Value) -> Value {
    if let Value::Object(more) = more {
        rule.extend(more);
    }
    Value::Object(rule)
}

fn target(target: &Target) -> Value {
    let Target { name: _, when, hours, first_reply, next_reply, resolution, paused_in } = target;
    json!({
        "when": when.iter().map(Condition::source).collect::<Vec<_>>(),
        "hours": opened(hours.as_ref()),
        "first_reply": first_reply.map(waited),
        "next_reply": next_reply.map(waited),
        "resolution": resolution.map(waited),
        "paused_in": paused_in,
    })
}

fn waited(wait: Wait) -> String {
    match wait.counts {
        Counts::TeamHours => span(wait.length),
        Counts::Wall => format!("{} wall", span(wait.length)),
    }
}

fn route_meaning(route: &Route) -> Value {
    let Route { rule, desk, to, fallback, on_duty, weak_triage_within } = route;
    let more = json!({
        "desk": desk,
        "to": to,
        "fallback": fallback,
        "on_duty": on_duty,
        "weak_triage_within": span(*weak_triage_within),
    });
    with(rule_meaning(rule), more)
}

fn escalation_meaning(escalation: &Escalation) -> Value {
    let Escalation {
        rule,
        trigger,
        quiet_after_person,
        from,
        to,
        needs,
        reason,
        package,
        owner,
        clock,
        customer,
        review,
        reviewers,
        reviews,
    } = escalation;
    let review = match review {
        ReviewDecision::Never => "never",
        ReviewDecision::Always => "always",
        ReviewDecision::When(condition) => condition.source(),
    };
    let mut more = json!({
        "trigger": trigger,
        "quiet_after_person": quiet_after_person.map(span),
        "from": from,
        "to": to,
        "needs": needs,
        "reason": reason,
        "package": packed(package),
        "owner": owned(owner),
        "clock": clocked(clock),
        "customer": said(customer),
        "review": review,
    });
    if let (Value::Object(keys), false) = (&mut more, reviewers.is_empty()) {
        keys.insert("reviewers".to_owned(), json!(reviewers));
    }
    note_terms(&mut more, reviews.as_ref());
    with(rule_meaning(rule), more)
}

fn packed(package: &PackageDecision) -> Value {
    let require: Vec<&str> = package.require.iter().map(|part| name_of(*part)).collect();
    match package.missing {
        Missing::Send => json!({ "require": require, "missing": "send" }),
        Missing::Review => json!({ "require": require, "missing": "review" }),
        Missing::Ask { within, then } => {
            json!({ "require": require, "missing": "ask", "ask_for": waited(within), "then": then })
        }
    }
}

fn owned(owner: &OwnerDecision) -> Value {
    let OwnerDecision { assign, fallback, previous, customer_facing, claim } = owner;
    // A person cannot be called like one of these words.
    let assignee = |assign: &Assign| match assign {
        Assign::Queue => "queue".to_owned(),
        Assign::Turn => "round-robin".to_owned(),
        Assign::Load => "least-loaded".to_owned(),
        Assign::Person(person) => person.to_string(),
    };
    let previous = match previous {
        PreviousTask::Nothing => json!("nothing"),
        PreviousTask::Task { task, within } => json!({ "task": task, "within": within.map(waited) }),
    };
    json!({
        "assign": assignee(assign),
        "fallback": assignee(fallback),
        "previous": previous,
        "customer_facing": customer_facing,
        "claim_within": claim.as_ref().map(|claim| waited(claim.within)),
        "unclaimed": claim.as_ref().map(|claim| claim.unclaimed.iter().map(ToString::to_string).collect::<Vec<_>>()),
    })
}

fn clocked(clock: &ClockDecision) -> Value {
    let ClockDecision { customer, internal, internal_from, accountable } = clock;
    let customer = match customer {
        CustomerClock::Continue => json!("continue"),
        CustomerClock::Pause { status, at_most } => json!({ "pause": status, "at_most": span(*at_most) }),
    };
    json!({
        "customer": customer,
        "internal": internal.map(waited),
        "internal_from": internal_from,
        "accountable": accountable,
    })
}

fn said(customer: &CustomerDecision) -> Value {
    match customer {
        CustomerDecision::Message { name, respond_within, quiet_for, after_reply } => json!({
            "message": name,
            "respond_within": respond_within.map(waited),
            "quiet_for": quiet_for.map(span),
            "after_reply": after_reply.map(span),
        }),
        CustomerDecision::Nothing { because } => json!({ "nothing": because }),
    }
}
