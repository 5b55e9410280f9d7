//! Versions: a hash of what a policy means. Comments, the order of keys, the way a value is written and `[daemon]` do
//! not count; neither does how a desk is reached (`url`, `login`, `webhook`, `poll`, `budget`), which decides nothing.
//!
//! A rule's version leaves its `mode` and `share` out: they say how much of the rule is switched on, not what it means,
//! and going live must not turn it into another rule. The version of the whole has them.

use super::desks::DeskConfig;
use crate::policy::address::AddressPattern;
use crate::policy::condition::Condition;
use crate::policy::due::{Counts, Wait};
use crate::policy::package::{LABELS, Label};
use crate::policy::rules::{
    Assign, CustomerClock, CustomerDecision, Escalation, FieldDeclaration, FieldOwner, Limits, Missing, Mode, Once,
    Policy, PreviousTask, PublicMessage, ReviewDecision, Route, Rule, Start,
};
use crate::policy::targets::Target;
use crate::policy::timing::TimeKeys;
use handoffd_kit::id::DeskId;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// Gives every rule and the whole policy their versions.
pub(super) fn stamp(policy: &mut Policy, desks: &BTreeMap<DeskId, DeskConfig>) {
    for route in &mut policy.routes {
        route.rule.version = hash(&route_meaning(route));
    }
    for escalation in &mut policy.escalations {
        escalation.rule.version = hash(&escalation_meaning(escalation));
    }
    policy.version = hash(&meaning(policy, desks));
}

/// The first twelve hex digits of the SHA-256 of a value's canonical form.
fn hash(value: &Value) -> String {
    let mut canonical = String::new();
    write_canonical(value, &mut canonical);
    hex::encode(&Sha256::digest(canonical)[..6])
}

/// JSON with sorted keys, whatever order the map keeps.
fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let sorted: BTreeMap<&String, &Value> = map.iter().collect();
            out.push('{');
            for (key, value) in sorted {
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write_canonical(value, out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(list) => {
            out.push('[');
            for value in list {
                write_canonical(value, out);
                out.push(',');
            }
            out.push(']');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

fn meaning(policy: &Policy, desks: &BTreeMap<DeskId, DeskConfig>) -> Value {
    let Limits { per_rule_per_hour, per_desk_per_hour, hops_per_day } = policy.limits;
    let switched = |rule: &Rule, meaning: Value| json!([meaning, word(rule.mode), rule.share, rule.sensitive]);
    let desks: BTreeMap<&str, Value> = policy
        .desks
        .iter()
        .map(|(id, desk)| {
            let start = match desk.start {
                Start::Now => "now".to_owned(),
                Start::At(instant) => instant.to_string(),
            };
            let fields: BTreeMap<&String, Value> =
                desk.fields.iter().map(|(name, field)| (name, declared(field))).collect();
            let connector = desks.get(id).map(|desk| desk.connector.as_str());
            let commands = &desk.commands;
            let labels = [&commands.back, &commands.reject, &commands.approve, &commands.good, &commands.poor];
            let desk = json!({
                "connector": connector,
                "intake": desk.intake,
                "start": start,
                "fields": fields,
                "commands": [commands.notes, commands.tags, commands.handoff, labels],
            });
            (id.as_str(), desk)
        })
        .collect();
    let teams: Vec<Value> = policy
        .teams
        .values()
        .map(|team| {
            let hours = team.hours.as_ref().map(|hours| &hours.meaning);
            json!([team.name, team.tier, team.desk, team.queue, team.public_name, hours, team.lead, team.reviewers])
        })
        .collect();
    let people: Vec<Value> = policy
        .people
        .iter()
        .map(|(name, person)| {
            json!([name, person.email, person.desk, person.hours.as_ref().map(|hours| &hours.meaning)])
        })
        .collect();
    let messages: Vec<Value> = policy.messages.values().map(told).collect();
    json!({
        "header": policy.header,
        "targets": policy.targets.iter().map(target).collect::<Vec<_>>(),
        "quiet_after_person": policy.quiet_after_person.map(|quiet| quiet.as_secs()),
        "never": policy.never.as_ref().map(Condition::source),
        "suppress": policy.suppress.iter().map(AddressPattern::as_str).collect::<Vec<_>>(),
        "limits": [per_rule_per_hour, per_desk_per_hour, hops_per_day],
        "desks": desks,
        "teams": teams,
        "people": people,
        "labels": labels(policy),
        "messages": messages,
        "routes": policy.routes.iter().map(|route| switched(&route.rule, route_meaning(route))).collect::<Vec<_>>(),
        "escalations":
            policy.escalations.iter().map(|rule| switched(&rule.rule, escalation_meaning(rule))).collect::<Vec<_>>(),
    })
}

fn labels(policy: &Policy) -> Vec<Value> {
    let added = |row: &(&str, Label, &[&str])| Some(json!([row.0, policy.labels.added().get(&row.1)?]));
    LABELS.iter().filter_map(added).collect()
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
    json!([field.id, field.kind, of])
}

fn told(message: &PublicMessage) -> Value {
    json!([message.name, message.signers, message.wordings])
}

fn rule_meaning(rule: &Rule) -> Value {
    let once = match rule.once {
        Once::Episode => "episode",
        Once::Case => "case",
    };
    let when: Vec<&str> = rule.when.iter().map(Condition::source).collect();
    let TimeKeys { idle_for, held_for, in_status_for, silent_for, open_for, before_breach } = rule.times;
    let times = [idle_for, held_for, in_status_for, silent_for, open_for].map(|wait| wait.map(waited));
    let before_breach = before_breach.map(|before| json!([before.clock, before.by.as_secs()]));
    json!([rule.name, once, when, times, before_breach])
}

fn target(target: &Target) -> Value {
    let Target { name, when, hours, first_reply, next_reply, resolution, paused_in } = target;
    let clocks = [first_reply, next_reply, resolution].map(|wait| wait.map(waited));
    json!({
        "name": name,
        "when": when.iter().map(Condition::source).collect::<Vec<_>>(),
        "hours": hours.as_ref().map(|hours| &hours.meaning),
        "clocks": clocks,
        "paused_in": paused_in,
    })
}

fn waited(wait: Wait) -> Value {
    match wait.counts {
        Counts::TeamHours => json!(wait.length.as_secs()),
        Counts::Wall => json!([wait.length.as_secs(), "wall"]),
    }
}

fn route_meaning(route: &Route) -> Value {
    let Route { rule, desk, to, fallback, on_duty, weak_triage_within } = route;
    json!({
        "rule": rule_meaning(rule),
        "desk": desk,
        "to": to,
        "fallback": fallback,
        "on_duty": on_duty,
        "weak_triage_within": weak_triage_within.as_secs(),
    })
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
    } = escalation;
    let missing = match package.missing {
        Missing::Send => json!("send"),
        Missing::Review => json!("review"),
        Missing::Ask { within, then } => json!({ "ask": [waited(within), then] }),
    };
    let assignee = |assign: &Assign| match assign {
        Assign::Queue => json!("queue"),
        Assign::Turn => json!("round-robin"),
        Assign::Load => json!("least-loaded"),
        Assign::Person(person) => json!({ "person": person }),
    };
    let assign = json!([assignee(&owner.assign), assignee(&owner.fallback)]);
    let previous = match &owner.previous {
        PreviousTask::Nothing => Value::Null,
        PreviousTask::Task { task, within } => json!([task, within.map(waited)]),
    };
    let runs = match &clock.customer {
        CustomerClock::Continue => json!("continue"),
        CustomerClock::Pause { status, at_most } => json!([status, at_most.as_secs()]),
    };
    let customer = match customer {
        CustomerDecision::Message { name, respond_within, quiet_for, after_reply } => {
            let [quiet_for, after_reply] = [quiet_for, after_reply].map(|it| it.map(|it| it.as_secs()));
            json!({ "message": [name, respond_within.map(waited), quiet_for, after_reply] })
        }
        CustomerDecision::Nothing { because } => json!({ "nothing": because }),
    };
    let review = match review {
        ReviewDecision::Never => json!("never"),
        ReviewDecision::Always => json!("always"),
        ReviewDecision::When(condition) => json!({ "when": condition.source() }),
    };
    json!({
        "rule": rule_meaning(rule),
        "trigger": trigger,
        "quiet_after_person": quiet_after_person.map(|quiet| quiet.as_secs()),
        "from": from,
        "to": to,
        "needs": needs,
        "reason": reason,
        "package": [package.require, missing],
        "owner": [assign, previous, owner.customer_facing],
        "clock": [runs, clock.internal.map(waited), clock.internal_from, clock.accountable],
        "customer": customer,
        "review": review,
    })
}
