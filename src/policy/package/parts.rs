//! How each part is found where no field is mapped to it. A part that a field has filled is left alone.

use super::mask::clean;
use super::sentences::{READ_MAX, is_cut, is_question, one_line, read, same_form, sentences};
use super::sheet::{Sheet, bounded};
use crate::policy::activity::is_reply_by;
use crate::policy::case::{Case, Memory};
use crate::policy::clocks::nearest;
use crate::policy::facts::{Facts, is_public_by};
use crate::policy::known::{FactName, HouseFact};
use crate::policy::proposal::Package;
use crate::policy::rules::{FieldOwner, PackagePart, Policy};
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{Attachment, Message, PastTicket, Role, Status, Visibility};
use std::collections::HashSet;

const CONVERSATION: &str = "conversation";
const TICKET: &str = "ticket";
const LEDGER: &str = "ledger and conversation";
const FIRST_HANDOFF: &str = "first handoff of this case";

fn messages(case: &Case) -> &[Message] {
    case.parts.conversation.as_ref().map_or(&[], |conversation| &conversation.messages)
}

/// What each customer message says, oldest first; the head's text where no conversation was read.
fn customers_words(case: &Case) -> Vec<(String, Vec<String>)> {
    let by_customer = messages(case).iter().enumerate().filter(|(_, message)| is_public_by(message, Role::Customer));
    let said: Vec<_> = by_customer.map(|(at, message)| (day(message), words_of(case, at))).collect();
    match case.head.text.known() {
        Some(text) if said.is_empty() => vec![(String::new(), opening_words(text, &[]))],
        _ => said,
    }
}

/// What this message of a customer says.
fn words_of(case: &Case, at: usize) -> Vec<String> {
    let (before, rest) = messages(case).split_at(at);
    let words = rest.first().map_or("", |message| message.said.words());
    let opens = !before.iter().any(|message| is_public_by(message, Role::Customer));
    if opens { opening_words(words, before) } else { sentences(words) }
}

/// What the message says that opened the case: what it quotes or forwards too, where nothing of that stands on the ticket before.
fn opening_words(words: &str, before: &[Message]) -> Vec<String> {
    let mut words = read(words);
    let stands: HashSet<String> = before
        .iter()
        .filter(|message| message.said.visibility() == Visibility::Public)
        .flat_map(|message| sentences(message.said.words()))
        .map(|sentence| same_form(&sentence))
        .collect();
    if !words.quoted.iter().any(|sentence| stands.contains(&same_form(sentence))) {
        words.own.append(&mut words.quoted);
    }
    words.own
}

fn day(message: &Message) -> String {
    message.at.strftime("%Y-%m-%d").to_string()
}

/// The last question that a customer asked and no agent has answered publicly since.
pub fn question(sheet: &mut Sheet, case: &Case) {
    if sheet.has(PackagePart::Question) {
        return;
    }
    let answered = messages(case).iter().rposition(|message| is_public_by(message, Role::Agent));
    let open = answered.map_or(0, |at| at + 1)..messages(case).len();
    let asked = |words: Vec<String>| words.into_iter().rev().find(|sentence| is_question(sentence));
    let by_customer = |at: &usize| is_public_by(&messages(case)[*at], Role::Customer);
    let from_messages = open.rev().filter(by_customer).find_map(|at| asked(words_of(case, at)));
    let head = || case.head.text.known().filter(|_| messages(case).is_empty());
    let from_head = || head().and_then(|text| asked(opening_words(text, &[])));
    if let Some(question) = from_messages.or_else(from_head).filter(|question| sheet.take(question)) {
        sheet.add(PackagePart::Question, &question, CONVERSATION);
    }
}

/// The subject and the customer's first sentence; then the rest of what customers said, a line for each message.
pub fn summary_and_reported(sheet: &mut Sheet, case: &Case) {
    let words = customers_words(case);
    if !sheet.has(PackagePart::Summary) {
        let subject = case.head.subject.known().map(|subject| one_line(&clean(subject)));
        let subject = subject.filter(|subject| sheet.take(subject));
        let first = words.first().map(|(_, said)| said.as_slice()).unwrap_or_default();
        // A message of one or two sentences stays whole, under what was reported.
        let opening = if subject.is_none() || first.len() > 2 { first.first() } else { None };
        let opening = opening.filter(|sentence| sheet.take(sentence)).cloned();
        for line in subject.into_iter().chain(opening) {
            sheet.add(PackagePart::Summary, &line, "subject and conversation");
        }
    }
    if sheet.has(PackagePart::Reported) {
        return;
    }
    for (day, said) in &words {
        if let Some(line) = sheet.line_of(said) {
            let dated = if day.is_empty() || words.len() == 1 { line } else { format!("{day}: {line}") };
            sheet.add(PackagePart::Reported, &dated, CONVERSATION);
        }
    }
    if !sheet.has(PackagePart::Reported) && words.iter().any(|(_, said)| !said.is_empty()) {
        let cut =
            messages(case).iter().any(|message| is_public_by(message, Role::Customer) && is_cut(message.said.words()));
        let cut = cut || (messages(case).is_empty() && case.head.text.known().is_some_and(|text| is_cut(text)));
        let line = if cut {
            format!(
                "what was read stands above: the first {READ_MAX} characters of each message; the rest is in the ticket"
            )
        } else {
            "all that was said stands above".to_owned()
        };
        sheet.add(PackagePart::Reported, &line, CONVERSATION);
    }
}

/// Agents' public replies as attempts, each with whether the customer came back.
pub fn steps(sheet: &mut Sheet, case: &Case) {
    if sheet.has(PackagePart::Steps) {
        return;
    }
    let all = messages(case);
    for (at, reply) in all.iter().enumerate().filter(|(_, message)| is_public_by(message, Role::Agent)) {
        let Some(line) = sheet.line_of(&sentences(reply.said.words())) else { continue };
        let back = all[at + 1..].iter().any(|message| is_reply_by(message, Role::Customer));
        let outcome = if back { "the customer wrote again" } else { "no answer since" };
        let who = reply.author.name.as_deref().map(|name| one_line(&clean(name))).unwrap_or_else(|| "an agent".into());
        // The outcome first: the end of a long line is what gets cut.
        let line = format!("{} {who} ({outcome}): {line}", day(reply));
        sheet.add(PackagePart::Steps, &line, "agents' public replies");
    }
}

/// Files by name, type, size and link.
pub fn artifacts(sheet: &mut Sheet, case: &Case) {
    if sheet.has(PackagePart::Artifacts) {
        return;
    }
    for file in messages(case).iter().flat_map(|message| &message.attachments) {
        sheet.add(PackagePart::Artifacts, &described(file), CONVERSATION);
    }
}

fn described(file: &Attachment) -> String {
    let kind = file.media_type.as_deref().map(|kind| clean(kind).trim().to_owned());
    let details: Vec<String> = kind.into_iter().chain(file.bytes.map(size)).collect();
    let details = if details.is_empty() { String::new() } else { format!(" ({})", details.join(", ")) };
    let link = file.link.as_deref().map(|link| format!(" {}", clean(link).trim())).unwrap_or_default();
    format!("{}{details}{link}", clean(&file.name).replace('\n', " "))
}

fn size(bytes: u64) -> String {
    match bytes {
        0..1_000 => format!("{bytes} B"),
        1_000..1_000_000 => format!("{} kB", bytes / 1_000),
        _ => format!("{}.{} MB", bytes / 1_000_000, bytes % 1_000_000 / 100_000),
    }
}

/// Priority, the nearest clock, and what the account is worth knowing for.
pub fn urgency(sheet: &mut Sheet, case: &Case, policy: &Policy, facts: &Facts<'_>) {
    if sheet.has(PackagePart::Urgency) {
        return;
    }
    if let Fact::Known(Some(priority)) = &case.head.priority {
        sheet.add(PackagePart::Urgency, &format!("priority {}", priority.name()), TICKET);
    }
    if let Some((clock, at, due)) = nearest(facts) {
        let when = due.map_or_else(|| at.strftime("%Y-%m-%d %H:%M UTC").to_string(), |due| due.shown);
        let line = format!("{} runs out {when}", clean(&clock));
        sheet.add(PackagePart::Urgency, &line, TICKET);
    }
    let organization = FactName::House(HouseFact::CustomerOrganization);
    let name = facts.shown(&organization);
    if !["unknown", "not read", "empty"].contains(&name.as_str()) {
        sheet.add(PackagePart::Urgency, &format!("organization {}", clean(&name)), TICKET);
    }
    let declared = policy.desks.get(&case.desk).into_iter().flat_map(|desk| &desk.fields);
    for (name, field) in declared.filter(|(_, field)| field.of != FieldOwner::Ticket) {
        if let Some(value) = facts.field_text(field.of, name) {
            sheet.add(PackagePart::Urgency, &format!("{name} {}", clean(&value)), TICKET);
        }
    }
}

fn past_ticket(past: &PastTicket) -> String {
    let opened = past.created_at.known().map(|at| at.strftime(" of %Y-%m-%d").to_string()).unwrap_or_default();
    let status = past.status.known().map(|status| format!(", {}", status.name())).unwrap_or_default();
    let subject = past.subject.known().map(|subject| format!(": {}", one_line(&clean(subject)))).unwrap_or_default();
    format!("ticket {}{opened}{status}{subject}", clean(past.id.as_str()))
}

/// Of other tickets, those that are tied to this one first: more than these are for the helpdesk to show.
const RELATED_MAX: usize = 2;

/// Where the case has been, and how often it was spoken about.
pub fn history(sheet: &mut Sheet, case: &Case) {
    if sheet.has(PackagePart::History) {
        return;
    }
    let mut add = |line: String| sheet.add(PackagePart::History, &line, LEDGER);
    travelled(&case.memory).into_iter().for_each(&mut add);
    let more = case.head.related.len().saturating_sub(RELATED_MAX);
    for (at, related) in case.head.related.iter().take(RELATED_MAX).enumerate() {
        let last = at + 1 == RELATED_MAX && more > 0;
        let more = if last { format!(", and {}", many(more, "more tied ticket")) } else { String::new() };
        add(format!("{} {}{more}", related.tie.shown(), clean(related.ticket.as_str())));
    }
    if let Some(contacts) = &case.parts.contacts {
        let others = || contacts.tickets.iter().filter(|past| past.id != case.head.id);
        let ended = |past: &&PastTicket| matches!(past.status.known(), Some(Status::Solved | Status::Closed));
        let more = if contacts.complete { "" } else { "at least " };
        let (all, open) = (others().count(), others().filter(|past| !ended(past)).count());
        add(format!("{more}{all} other tickets of this customer, {open} of them not solved"));
        for past in others().take(RELATED_MAX.saturating_sub(case.head.related.len())) {
            add(past_ticket(past));
        }
    }
    if case.parts.conversation.is_some() {
        let count = |role| messages(case).iter().filter(|message| is_public_by(message, role)).count();
        let customers = many(count(Role::Customer), "message");
        add(format!("{customers} from the customer, {} from agents", count(Role::Agent)));
    }
}

/// Where a case has been, and which of its handoffs the next one is.
fn travelled(memory: &Memory) -> Vec<String> {
    let mut lines = Vec::new();
    if memory.teams_seen.len() > 1 {
        let teams: Vec<&str> = memory.teams_seen.iter().map(|team| team.as_str()).collect();
        lines.push(format!("teams so far: {}", teams.join(" → ")));
    }
    let earlier = many(memory.handoffs as usize, "earlier handoff");
    lines.push(match (memory.handoffs, memory.bounces) {
        (0, 0) => FIRST_HANDOFF.to_owned(),
        (_, 0) => format!("{earlier}, none came back"),
        (_, bounces) => format!("{earlier}, {bounces} came back"),
    });
    lines
}

/// Whether [`travelled`] has written this line.
fn is_travelled(line: &str) -> bool {
    let counts = line.starts_with(|first: char| first.is_ascii_digit())
        && line.contains(" earlier handoff")
        && line.ends_with(" came back");
    line == FIRST_HANDOFF || line.starts_with("teams so far: ") || counts
}

/// A package that travels on with a later handoff: what was collected stays, where the case has been is told anew.
pub fn travelled_on(mut package: Package, memory: &Memory) -> Package {
    let history = package.parts.iter_mut().find(|section| section.part == PackagePart::History);
    if let Some(section) = history.filter(|section| section.source == LEDGER) {
        let kept = section.lines.drain(..).filter(|line| !is_travelled(line));
        let lines: Vec<String> = travelled(memory).into_iter().map(|line| one_line(&line)).chain(kept).collect();
        section.lines = bounded(lines);
    }
    package
}

/// What of the messages was not read, in words.
pub fn not_read_whole(case: &Case) -> Option<String> {
    let long = messages(case).iter().filter(|message| is_cut(message.said.words())).count();
    let head = messages(case).is_empty() && case.head.text.known().is_some_and(|text| is_cut(text));
    match long + usize::from(head) {
        0 => None,
        long => Some(format!("the end of {}: read to {READ_MAX} characters", many(long, "long message"))),
    }
}

fn many(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}
