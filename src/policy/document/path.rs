//! One path of the document: the six questions of a handoff, and what this rule answers.

use super::super::due::{Counts, Wait};
use super::super::matching::AnyRule;
use super::super::package::name_of;
use super::super::review_terms::Unanswered;
use super::super::reviewers::reviewers_between;
use super::super::risk::counting;
use super::super::rules::{
    Accountable, Assign, ClaimDecision, ClockDecision, CustomerClock, CustomerDecision, CustomerFacing, Escalation,
    InternalFrom, Missing, Once, OwnerDecision, PackageDecision, Policy, PreviousTask, ReviewDecision, Rule, Then,
    Trigger, Unclaimed,
};
use super::super::timing::TimeKeys;
use super::{cell, code};
use handoffd_hours::length;
use jiff::SignedDuration;
use std::fmt::Write as _;

/// One path, as a section of the document. `is_signed`: whether a message is signed in a wording.
pub fn path(policy: &Policy, escalation: &Escalation, is_signed: &dyn Fn(&str, &str) -> bool) -> String {
    let Escalation { rule, from, to, .. } = escalation;
    let from: Vec<&str> = from.iter().map(|team| team.as_str()).collect();
    let mut text = format!("### {} → {to}: {}\n\n", from.join(", "), code(rule.name.as_str()));
    let _ = writeln!(text, "Version `{}`.{}\n", rule.version, state(rule));
    let answers = [
        ("When does the case move?", trigger(policy, escalation)),
        ("What travels?", package(&escalation.package)),
        ("Who owns it afterwards?", owner(&escalation.owner, escalation) + &told(policy, escalation)),
        ("What do the clocks do?", clock(&escalation.clock, escalation)),
        ("What is the customer told?", customer(policy, &escalation.customer, is_signed)),
        ("Who is asked first?", review(policy, escalation)),
        ("How does a bad handoff show?", bad(escalation)),
    ];
    for (number, (question, answer)) in answers.into_iter().enumerate() {
        let _ = writeln!(text, "{}. **{question}** {answer}", number + 1);
    }
    text
}

/// What each rule answers whatever the case, by the answer's name: routes first, in the order of the file. Messages count as
/// signed, with the hash of their wording.
pub fn rule_answers(policy: &Policy) -> Vec<(&Rule, Vec<(&'static str, String)>)> {
    let of = |escalation: &Escalation| {
        let wording = match &escalation.customer {
            CustomerDecision::Message { name, .. } => policy.messages.get(name).map(|message| &message.wording_hash),
            CustomerDecision::Nothing { .. } => None,
        };
        let wording = wording.map_or_else(String::new, |hash| format!(" Its wording is {hash}."));
        vec![
            ("owner", owner(&escalation.owner, escalation)),
            ("clock", clock(&escalation.clock, escalation)),
            ("package", package(&escalation.package)),
            ("customer", customer(policy, &escalation.customer, &|_, _| true) + &wording),
            ("alerts", told(policy, escalation).trim_start().to_owned()),
        ]
    };
    let routes = policy.routes.iter().map(|route| (&route.rule, Vec::new()));
    routes.chain(policy.escalations.iter().map(|escalation| (&escalation.rule, of(escalation)))).collect()
}

/// How much of a rule is switched on, in sentences.
pub(super) fn state(rule: &Rule) -> String {
    let share = if rule.share < 1.0 { format!(" On {} % of the tickets.", rule.share * 100.0) } else { String::new() };
    let sensitive = if rule.sensitive { " Sensitive: the second reviewer signs each version." } else { "" };
    format!("{share}{sensitive}")
}

fn trigger(policy: &Policy, escalation: &Escalation) -> String {
    let why = match escalation.trigger {
        Trigger::Complexity => "The case goes beyond the playbook",
        Trigger::Account => "The account asks for it",
        Trigger::StepsFailed => "The first line's steps did not help",
        Trigger::Sla => "A clock is near its end",
        Trigger::Waiting => "Nothing happened for too long",
        Trigger::Repeat => "It happens again and again",
        Trigger::Exception => "Money, security or permissions are touched",
        Trigger::Manual => "An agent asks for it",
    };
    let needs = escalation.needs.as_ref().map(|needs| format!(" Needed next: {}.", cell(needs))).unwrap_or_default();
    let quiet = match (escalation.trigger, escalation.quiet_after_person.or(policy.quiet_after_person)) {
        (Trigger::Manual, _) | (_, None | Some(SignedDuration::ZERO)) => String::new(),
        (_, Some(quiet)) => format!(" Not while an agent was active in the last {}.", length(quiet)),
    };
    let once = match escalation.rule.once {
        Once::Episode => "once in each stay with a team",
        Once::Case => "once in the life of a case",
    };
    format!(
        "{why}: {}. It fires {once}. The note says: “{}”.{needs}{quiet}",
        conditions(&escalation.rule),
        cell(&escalation.reason),
    )
}

/// When a rule matches, in words and conditions.
pub(super) fn conditions(rule: &Rule) -> String {
    let mut all: Vec<String> = rule.when.iter().map(|condition| code(condition.source())).collect();
    let TimeKeys { idle_for, held_for, in_status_for, silent_for, open_for, before_breach } = &rule.times;
    let waits = [
        ("no agent acted for", idle_for),
        ("the team has held the case for", held_for),
        ("the status has stood for", in_status_for),
        ("the customer has been silent for", silent_for),
        ("the case has been open for", open_for),
    ];
    all.extend(waits.iter().filter_map(|(what, wait)| Some(format!("{what} {}", waited((*wait).as_ref()?)))));
    all.extend(before_breach.map(|before| format!("the clock {} ends within {}", before.clock, length(before.by))));
    if all.is_empty() { "always".to_owned() } else { all.join(" and ") }
}

pub(super) fn waited(wait: &Wait) -> String {
    match wait.counts {
        Counts::TeamHours => format!("{} of the team's hours", length(wait.length)),
        Counts::Wall => format!("{} by the wall clock", length(wait.length)),
    }
}

fn package(decision: &PackageDecision) -> String {
    let parts: Vec<&str> = decision.require.iter().map(|part| name_of(*part)).collect();
    let required =
        if parts.is_empty() { "No part is required".to_owned() } else { format!("Required: {}", parts.join(", ")) };
    let missing = match decision.missing {
        _ if parts.is_empty() => "what is known is sent".to_owned(),
        Missing::Send => "what is missing is named in the note, and the case goes on".to_owned(),
        Missing::Review => "where one is missing, a person decides".to_owned(),
        Missing::Ask { within, then } => {
            let then = match then {
                Then::Review => "then a person decides",
                Then::Send => "then it goes with the gaps named",
            };
            format!("where one is missing, the current agent is asked and has {}; {then}", waited(&within))
        }
    };
    format!("{required}; {missing}.")
}

fn owner(decision: &OwnerDecision, escalation: &Escalation) -> String {
    let to = &escalation.to;
    let assigned = |assign: &Assign| match assign {
        Assign::Queue => format!("the queue of {to}, until one of them takes it"),
        Assign::Person(person) => format!("{person} of {to}"),
        Assign::Turn => format!("the members of {to} who are on duty, one after the other"),
        Assign::Load => format!("the member of {to} on duty who has the fewest open cases"),
    };
    let fallback = if decision.needs_members() && decision.fallback != decision.assign {
        format!("; where that is not possible, {}, and the note says why", assigned(&decision.fallback))
    } else {
        String::new()
    };
    let owner = format!("Owner: {}{fallback}", assigned(&decision.assign));
    let previous = match &decision.previous {
        PreviousTask::Nothing => "The agent who had it owes nothing more".to_owned(),
        PreviousTask::Task { task, within } => {
            let within = within.map(|within| format!(", within {}", waited(&within))).unwrap_or_default();
            format!("The agent who had it still has to: “{}”{within}", cell(task))
        }
    };
    let facing = match decision.customer_facing {
        CustomerFacing::Previous => "The agent who had it goes on talking to the customer",
        CustomerFacing::New => "The new owner talks to the customer",
    };
    format!("{owner}. {previous}. {facing}. {}", claimed(decision, escalation))
}

/// How long they have to take it on, and what happens then.
fn claimed(decision: &OwnerDecision, escalation: &Escalation) -> String {
    let to = &escalation.to;
    let Some(ClaimDecision { within, unclaimed }) = &decision.claim else {
        return "How soon somebody takes it on is not watched.".to_owned();
    };
    let step = |step: &Unclaimed| match step {
        Unclaimed::Lead => format!("the lead of {to} is asked"),
        Unclaimed::Team(team) => format!("it goes on to {team}"),
        Unclaimed::Back => "it goes back to the team that it came from".to_owned(),
    };
    let steps: Vec<String> = unclaimed.iter().map(step).collect();
    let then = match steps.as_slice() {
        [] => "the health page says so".to_owned(),
        steps => format!("{}; each step has the same time", steps.join(", then ")),
    };
    format!("{to} has {} to take it on; if nobody does: {then}.", waited(within))
}

/// Who is told of it outside the helpdesk, where anybody is.
fn told(policy: &Policy, escalation: &Escalation) -> String {
    let of_team = policy.teams.get(&escalation.to).map(|team| &team.alert);
    let channels = escalation.rule.alert.as_ref().or(of_team).into_iter().flatten();
    let shown: Vec<String> = channels
        .filter_map(|name| {
            let channel = policy.alerts.channels.get(name)?;
            let tells: Vec<&str> = channel.tells.iter().map(|occasion| occasion.shown()).collect();
            Some(format!("{} ({}: {})", code(name.as_str()), channel.kind.name(), tells.join(", ")))
        })
        .collect();
    if shown.is_empty() { String::new() } else { format!(" Told outside the helpdesk: {}.", shown.join("; ")) }
}

fn clock(decision: &ClockDecision, escalation: &Escalation) -> String {
    let customer = match &decision.customer {
        CustomerClock::Continue => "The customer's clock runs on".to_owned(),
        CustomerClock::Pause { status, at_most } => {
            format!(
                "The customer's clock stands still in the status {}, for {} at most",
                code(status),
                length(*at_most)
            )
        }
    };
    let from = match decision.internal_from {
        InternalFrom::Handoff => "from the handoff on",
        InternalFrom::Opened => "counted since the case was opened",
    };
    let internal = match &decision.internal {
        Some(wait) => format!("{} has {} as its own target, {from}", escalation.to, waited(wait)),
        None => format!("{} has no target of its own", escalation.to),
    };
    let accountable = match decision.accountable {
        Accountable::To => "the receiving team answers for the clocks",
        Accountable::From => "the giving team answers for the clocks",
    };
    format!("{customer}. {internal}; {accountable}. The case's total age stands in every note.")
}

fn customer(policy: &Policy, decision: &CustomerDecision, is_signed: &dyn Fn(&str, &str) -> bool) -> String {
    match decision {
        CustomerDecision::Nothing { because } => format!("Nothing, because {}.", cell(because.trim_end_matches('.'))),
        CustomerDecision::Message { name, respond_within, quiet_for, after_reply } => {
            let languages =
                policy.messages.get(name).map(|message| message.wordings.keys().cloned().collect::<Vec<_>>());
            let languages = languages.map(|all| format!(" ({})", all.join(", "))).unwrap_or_default();
            let promise = respond_within.map(|wait| format!(" It promises an answer within {}.", waited(&wait)));
            let quiet = quiet_for.map(|quiet| format!(" At most once in {}.", length(quiet)));
            let reply = after_reply.map(|quiet| format!(" Not within {} of an agent's reply.", length(quiet)));
            let more: String = [promise, quiet, reply].into_iter().flatten().collect();
            let message = code(name.as_str());
            let signed =
                policy.messages.get(name).is_some_and(|message| is_signed(name.as_str(), &message.wording_hash));
            if signed {
                format!("The message {message}{languages}, in the wording that was signed.{more}")
            } else {
                format!(
                    "**Nothing, as things stand**: the message {message}{languages} is not signed in its present wording. Once \
                     it is, customers are told.{more}"
                )
            }
        }
    }
}

fn review(policy: &Policy, escalation: &Escalation) -> String {
    let mut people: Vec<&str> = escalation.reviewers.iter().map(|name| name.as_str()).collect();
    for from in escalation.from.iter().filter(|_| escalation.reviewers.is_empty()) {
        for name in reviewers_between(policy, &escalation.to, Some(from)) {
            if !people.contains(&name.as_str()) {
                people.push(name.as_str());
            }
        }
    }
    let who = if people.is_empty() { "anybody who works on the desk".to_owned() } else { people.join(", ") };
    let when = match &escalation.review {
        ReviewDecision::Never => "Nobody by this rule's own word",
        ReviewDecision::Always => "Always a person",
        ReviewDecision::When(_) => "A person, if",
    };
    let condition = match &escalation.review {
        ReviewDecision::When(condition) => format!(" {} (or if that is unknown)", code(condition.source())),
        ReviewDecision::Never | ReviewDecision::Always => String::new(),
    };
    let others = match escalation.review {
        ReviewDecision::Always => String::new(),
        _ => format!(" A person is asked all the same {}.", all_the_same(&escalation.package)),
    };
    let words = match escalation.review {
        // Of a rule that asks in any case, they are only reasons more.
        ReviewDecision::Always => String::new(),
        ReviewDecision::Never | ReviewDecision::When(_) => words(AnyRule::Escalation(escalation), policy),
    };
    format!("{when}{condition}.{others} {words}Who says yes or no: {who}.{}", awaited(policy, escalation))
}

/// The risks whose words ask a person before a rule acts.
pub(super) fn words(any: AnyRule<'_>, policy: &Policy) -> String {
    let risks: Vec<&str> = counting(any, policy).map(|risk| risk.name.as_str()).collect();
    if risks.is_empty() {
        return String::new();
    }
    format!(
        "Always a person where the ticket's words are of these risks, or that cannot be told: {}. ",
        risks.join(", ")
    )
}

/// Where a person is asked whatever the rule itself says of it.
fn all_the_same(package: &PackageDecision) -> String {
    let missing = match package.missing {
        Missing::Review | Missing::Ask { then: Then::Review, .. } if !package.require.is_empty() => {
            ", where a required part of the package is missing"
        }
        _ => "",
    };
    format!(
        "where rules disagree, where a rule that agrees with this one would ask{missing}, and where the case has moved too \
         often today"
    )
}

/// How long they have, and what no answer means.
fn awaited(policy: &Policy, escalation: &Escalation) -> String {
    let Some(terms) = escalation.reviews.as_ref().or(policy.reviews.as_ref()) else { return String::new() };
    let reminded = terms.remind_every.map_or_else(String::new, |every| format!(", reminded every {}", every.shown()));
    let within = terms.answer_within.shown();
    let but = match terms.unanswered {
        Unanswered::Approve => {
            " That is a yes only to what this rule itself asks: where rules disagree, a condition cannot be told, the case has moved \
             too often, its words are of a risk, or its package is incomplete, it waits on."
        }
        Unanswered::Wait | Unanswered::Reject => "",
    };
    format!(" They have {within}{reminded}; if nobody answers, {}.{but}", terms.unanswered.shown())
}

fn bad(escalation: &Escalation) -> String {
    let to = &escalation.to;
    let closes = |step: &Unclaimed| !matches!(step, Unclaimed::Lead);
    let (unclaimed, but) = match &escalation.owner.claim {
        Some(claim) => (
            format!("one that nobody of {to} takes on within {} is unclaimed; ", waited(&claim.within)),
            // Where only the lead is asked, the case stays where it is.
            if claim.unclaimed.iter().any(closes) { "" } else { " of them but the unclaimed" },
        ),
        None => (String::new(), ""),
    };
    format!(
        "A case that comes straight back is a bounce; one that {to} rejects (`/reject REASON`) is a rejection; {unclaimed}one \
         that a person takes back is undone; one that another automation takes back is contested, and not fought over. Each{but} \
         closes this path for the case until a matched fact changes, and is counted for this rule and version: `handoffd \
         report`. What {to} thinks of what it got, it says with `/rate good` or `/rate poor`."
    )
}
