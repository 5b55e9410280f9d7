//! The five answers of an escalation: package, owner, clock, customer, review. Each is read the same way from a rule
//! and from `[defaults.escalate]`; one given on a rule replaces the default's whole.

use super::conditions::{self, Facts, WAITS};
use super::found::{At, Found};
use super::keys;
use super::messages::Messages;
use super::names::refers;
use super::scalar::shown;
use super::teams::People;
use super::walk::{Section, kind_of, unknown_word};
use crate::plan::reminder::STEPS;
use crate::policy::names::{MessageName, PersonName, TeamName};
use crate::policy::package::{part_named, part_names};
use crate::policy::rules::{
    Accountable, Assign, ClaimDecision, ClockDecision, CustomerClock, CustomerDecision, CustomerFacing, InternalFrom,
    Missing, OwnerDecision, PackageDecision, PackagePart, PreviousTask, ReviewDecision, Then, Unclaimed,
};
use jiff::SignedDuration;
use toml::de::DeValue;

/// What a rule, or the defaults, say to one of the five questions.
#[derive(Clone, Debug)]
pub(super) enum Answer<T> {
    /// Nothing.
    Open,
    /// Something that cannot be used, which was reported.
    Broken,
    /// This.
    Given(At<T>),
}

impl<T: Clone> Answer<T> {
    /// The rule's answer, else the default's.
    pub fn or(self, default: &Answer<T>) -> Answer<T> {
        match self {
            Answer::Open => default.clone(),
            given => given,
        }
    }

    /// The answer; a question that is left open is reported at the rule.
    pub fn settle(self, found: &mut Found<'_>, rule: &Section<'_>, key: &str) -> Option<At<T>> {
        match self {
            Answer::Given(answer) => Some(answer),
            Answer::Broken => None,
            Answer::Open => {
                let example = keys::ESCALATE.key(key).map_or("…", |key| key.example);
                let message = format!("{} leaves `{key}` open", rule.title);
                let help = format!("add {key} = {example} to the rule, or for all rules to [defaults.escalate]");
                found.mismatch(&rule.span, message, help);
                None
            }
        }
    }
}

/// All five.
#[derive(Clone, Debug)]
pub(super) struct Answers {
    pub package: Answer<PackageDecision>,
    pub owner: Answer<OwnerDecision>,
    pub clock: Answer<ClockDecision>,
    pub customer: Answer<CustomerDecision>,
    pub review: Answer<ReviewDecision>,
}

/// What answers refer to.
pub(super) struct Context<'a> {
    pub people: &'a People,
    pub messages: &'a Messages,
    pub facts: &'a Facts,
}

impl Answers {
    /// None at all.
    pub fn open() -> Self {
        Self {
            package: Answer::Open,
            owner: Answer::Open,
            clock: Answer::Open,
            customer: Answer::Open,
            review: Answer::Open,
        }
    }

    /// Reads those that a table gives.
    pub fn read(found: &mut Found<'_>, section: &Section<'_>, context: &Context<'_>) -> Self {
        Self {
            package: answer(found, section, "package", keys::PACKAGE, package),
            owner: answer(found, section, "owner", keys::OWNER, |found, table| owner(found, table, context.people)),
            clock: answer(found, section, "clock", keys::CLOCK, clock),
            customer: answer(found, section, "customer", keys::CUSTOMER, |found, table| {
                customer(found, table, context.messages)
            }),
            review: review(found, section, context.facts),
        }
    }
}

fn answer<T>(
    found: &mut Found<'_>,
    section: &Section<'_>,
    key: &str,
    shape: keys::Shape,
    read: impl FnOnce(&mut Found<'_>, &Section<'_>) -> Option<T>,
) -> Answer<T> {
    if !section.has(key) {
        return Answer::Open;
    }
    let title = format!("`{key}` of {}", section.title);
    let Some(table) = section.table(found, key, shape, title) else { return Answer::Broken };
    match read(found, &table) {
        Some(value) => Answer::Given(At::new(value, table.span)),
        None => Answer::Broken,
    }
}

fn package(found: &mut Found<'_>, table: &Section<'_>) -> Option<PackageDecision> {
    if !table.has("require") {
        table.missing(found, "require");
    }
    let words = table.texts(found, "require")?;
    let require = parts(found, &words, "package.require");
    Some(PackageDecision { require, missing: missing(found, table)? })
}

/// The parts of these names; reports a name that no part has.
pub(super) fn parts(found: &mut Found<'_>, words: &[At<&str>], key: &str) -> Vec<PackagePart> {
    let mut parts = Vec::new();
    for word in words {
        match part_named(word.value) {
            Some(part) => parts.push(part),
            None => unknown_word(found, word, key, part_names()),
        }
    }
    parts
}

fn missing(found: &mut Found<'_>, table: &Section<'_>) -> Option<Missing> {
    let words = [("send", MissingWord::Send), ("review", MissingWord::Review), ("ask", MissingWord::Ask)];
    let word = table.word_or_default(found, "missing", &words)?;
    let then = table.word_or_default(found, "then", &[("review", Then::Review), ("send", Then::Send)]);
    let within = table.wait(found, "ask_for", WAITS);
    if word != MissingWord::Ask {
        for key in ["ask_for", "then"].into_iter().filter(|key| table.has(key)) {
            let help = "leave it out, or write package.missing = \"ask\"";
            let says =
                if key == "then" { "what follows once an agent was asked" } else { "how long an agent is asked" };
            found.mismatch(&table.key_span(key), format!("`package.{key}` says {says}, and nobody is"), help);
        }
        return Some(if word == MissingWord::Review { Missing::Review } else { Missing::Send });
    }
    if !table.has("ask_for") {
        table.missing(found, "ask_for");
    }
    Some(Missing::Ask { within: within?, then: then? })
}

/// The word, before what belongs to it.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum MissingWord {
    #[default]
    Send,
    Review,
    Ask,
}

fn owner(found: &mut Found<'_>, table: &Section<'_>, people: &People) -> Option<OwnerDecision> {
    let assign = table.required(found, "assign").and_then(|word| assignee(found, &word, people));
    let fallback = match table.text(found, "fallback") {
        None if table.has("fallback") => None,
        None => Some(Assign::Queue),
        Some(word) => assignee(found, &word, people),
    };
    if table.has("fallback") && assign.is_some() && assign == fallback {
        let help = "name somebody else there, or leave it out: then the case waits in the queue";
        found.error(&table.key_span("fallback"), "`owner.fallback` is the same as `owner.assign`", help);
    }
    let previous = previous(found, table);
    let words = [("previous", CustomerFacing::Previous), ("new", CustomerFacing::New)];
    let customer_facing = table.word(found, "customer_facing", &words).unwrap_or(CustomerFacing::New);
    let claim = claim(found, table);
    Some(OwnerDecision { assign: assign?, fallback: fallback?, previous: previous?, customer_facing, claim: claim? })
}

/// Words that `owner.assign` takes besides people's names.
pub(super) const ASSIGN: [&str; 3] = ["queue", "round-robin", "least-loaded"];

fn assignee(found: &mut Found<'_>, word: &At<&str>, people: &People) -> Option<Assign> {
    match word.value {
        "queue" => Some(Assign::Queue),
        "round-robin" => Some(Assign::Turn),
        "least-loaded" => Some(Assign::Load),
        name => {
            let known = ASSIGN.into_iter().chain(people.keys().map(PersonName::as_str));
            refers(found, word, "person", "[people.NAME]", known).then(|| Assign::Person(PersonName::new(name)))
        }
    }
}

/// None: wrong, which was reported.
fn claim(found: &mut Found<'_>, table: &Section<'_>) -> Option<Option<ClaimDecision>> {
    let within = table.wait(found, "claim_within", WAITS);
    if !table.has("claim_within") {
        if table.has("unclaimed") {
            let message = "`owner.unclaimed` says what happens when a time is over, and none is given";
            found.error(&table.key_span("unclaimed"), message, "add claim_within = \"2h\", or leave it out");
            return None;
        }
        return Some(None);
    }
    let unclaimed = if table.has("unclaimed") { unclaimed(found, table)? } else { Vec::new() };
    Some(Some(ClaimDecision { within: within?, unclaimed }))
}

/// Who is asked one after the other; the same may be asked again. None: wrong, which was reported.
fn unclaimed(found: &mut Found<'_>, table: &Section<'_>) -> Option<Vec<Unclaimed>> {
    let values = table.values(found, "unclaimed");
    if values.is_empty() {
        table.raw("unclaimed").and_then(|raw| raw.get_ref().as_array())?;
        let help = "name who is asked, [\"lead\", \"back\"], or leave it out: health says what nobody takes on";
        found.error(&table.key_span("unclaimed"), "`owner.unclaimed` asks nobody", help);
        return None;
    }
    if let Some(one_too_many) = values.get(STEPS) {
        let message = format!("`owner.unclaimed` asks {} in a row, and {STEPS} are the most", values.len());
        found.error(&one_too_many.span(), message, "leave out who comes last, or send the case back before");
        return None;
    }
    let mut steps: Vec<Unclaimed> = Vec::new();
    for value in values {
        let Some(word) = value.get_ref().as_str() else {
            let message = format!("`owner.unclaimed` is a list of texts, and this is {}", kind_of(value.get_ref()));
            found.error(&value.span(), message, "write unclaimed = [\"lead\", \"team:NAME\", \"back\"]");
            return None;
        };
        if steps.contains(&Unclaimed::Back) {
            let message = format!("nobody is asked after \"back\": \"{}\" is never reached", shown(word));
            found.error(&value.span(), message, "put \"back\" last");
            return None;
        }
        steps.push(step(found, &At::new(word, value.span()))?);
    }
    Some(steps)
}

fn step(found: &mut Found<'_>, word: &At<&str>) -> Option<Unclaimed> {
    match word.value {
        "lead" => return Some(Unclaimed::Lead),
        "back" => return Some(Unclaimed::Back),
        _ => {}
    }
    match word.value.strip_prefix("team:").map(str::trim).filter(|team| !team.is_empty()) {
        Some(team) => Some(Unclaimed::Team(TeamName::new(team))),
        None => {
            unknown_word(found, word, "owner.unclaimed", ["lead", "back", "team:NAME"].into_iter());
            None
        }
    }
}

fn previous(found: &mut Found<'_>, table: &Section<'_>) -> Option<PreviousTask> {
    const HELP: &str = "write \"nothing\" or { task = \"Answer billing's questions\", within = \"1d\" }";
    let Some(value) = table.raw("previous") else { return Some(PreviousTask::Nothing) };
    match value.get_ref() {
        DeValue::String(word) if word == "nothing" => Some(PreviousTask::Nothing),
        DeValue::Table(task) => {
            let title = format!("`previous` of {}", table.title);
            let section = Section::open(found, task, keys::PREVIOUS, title, value.span());
            let task = section.required(found, "task")?.value.to_owned();
            let within = section.wait(found, "within", WAITS);
            (within.is_some() || !section.has("within")).then_some(PreviousTask::Task { task, within })
        }
        DeValue::String(word) => {
            found.error(&value.span(), format!("`owner.previous` cannot be \"{}\"", shown(word)), HELP);
            None
        }
        other => {
            found.error(&value.span(), format!("`owner.previous` is a word or a table, not {}", kind_of(other)), HELP);
            None
        }
    }
}

fn clock(found: &mut Found<'_>, table: &Section<'_>) -> Option<ClockDecision> {
    if !table.has("customer") {
        table.missing(found, "customer");
    }
    let customer = customers_clock(found, table);
    let internal = table.wait(found, "internal", WAITS);
    let starts = [("handoff", InternalFrom::Handoff), ("opened", InternalFrom::Opened)];
    let internal_from = table.word_or_default(found, "internal_from", &starts);
    if table.has("internal_from") && !table.has("internal") {
        let help = "add internal = \"4h\", or leave it out";
        found.error(
            &table.key_span("internal_from"),
            "`internal_from` says when a target begins, and none is given",
            help,
        );
    }
    let words = [("to", Accountable::To), ("from", Accountable::From)];
    let accountable = table.word(found, "accountable", &words).unwrap_or(Accountable::To);
    Some(ClockDecision { customer: customer?, internal, internal_from: internal_from?, accountable })
}

/// "continue", or a pause with its longest.
fn customers_clock(found: &mut Found<'_>, table: &Section<'_>) -> Option<CustomerClock> {
    let value = table.raw("customer")?;
    if !value.get_ref().is_table() {
        let text = table.text(found, "customer")?;
        if text.value != "continue" {
            let message = format!("`clock.customer` cannot be \"{}\"", shown(text.value));
            found.error(&text.span, message, "write \"continue\", or { pause = \"hold\", at_most = \"1d\" }");
            return None;
        }
        return Some(CustomerClock::Continue);
    }
    let section = table.table(found, "customer", keys::PAUSE, format!("`customer` of {}", table.title))?;
    if !section.has("at_most") {
        section.missing(found, "at_most");
    }
    let status = section.required(found, "pause");
    let at_most = section.duration(found, "at_most", WAITS);
    Some(CustomerClock::Pause { status: status?.value.to_owned(), at_most: at_most? })
}

fn customer(found: &mut Found<'_>, table: &Section<'_>, messages: &Messages) -> Option<CustomerDecision> {
    match (table.has("message"), table.has("nothing")) {
        (true, true) => {
            let message = "the customer is told both a message and nothing";
            found.error(&table.key_span("nothing"), message, "keep `message` or `nothing`");
            None
        }
        (false, false) => {
            let help = "add customer.message = \"NAME\" or customer.nothing = \"because …\"";
            found.mismatch(&table.span, format!("{} does not say what the customer is told", table.title), help);
            None
        }
        (false, true) => {
            for key in ["respond_within", "quiet_for", "after_reply"].into_iter().filter(|key| table.has(key)) {
                let message = format!("`{key}` belongs to a message, and none is sent");
                found.error(&table.key_span(key), message, "leave it out, or send a message");
            }
            Some(CustomerDecision::Nothing { because: table.text(found, "nothing")?.value.to_owned() })
        }
        (true, false) => {
            let respond_within = table.wait(found, "respond_within", WAITS);
            let quiet_for = table.duration(found, "quiet_for", QUIET).unwrap_or(QUIET_FOR);
            let after_reply = table.duration(found, "after_reply", QUIET).unwrap_or(AFTER_REPLY);
            let known = messages.keys().map(MessageName::as_str);
            let name =
                table.text(found, "message").filter(|name| refers(found, name, "message", "[messages.NAME]", known))?;
            let name = MessageName::new(name.value);
            let promises = messages.get(&name).and_then(Option::as_ref).is_some_and(super::messages::promises_a_time);
            if promises && !table.has("respond_within") {
                let message = format!("the message `{name}` says {{{{ respond_by }}}}, and no time is given");
                found.mismatch(&table.key_span("message"), message, "add customer.respond_within = \"8h\"");
            }
            let (quiet_for, after_reply) = (Some(quiet_for), Some(after_reply));
            Some(CustomerDecision::Message { name, respond_within, quiet_for, after_reply })
        }
    }
}

fn review(found: &mut Found<'_>, section: &Section<'_>, facts: &Facts) -> Answer<ReviewDecision> {
    if !section.has("review") {
        return Answer::Open;
    }
    let Some(text) = section.text(found, "review") else { return Answer::Broken };
    let decision = match text.value {
        "never" => Some(ReviewDecision::Never),
        "always" => Some(ReviewDecision::Always),
        // A single word is meant as one of the two; as a condition it would only be called an unknown fact.
        word if word.bytes().all(|byte| byte.is_ascii_alphabetic()) && !["true", "false"].contains(&word) => {
            unknown_word(found, &text, "review", ["never", "always", "a condition"].into_iter());
            None
        }
        _ => conditions::compile(found, &text, facts).map(ReviewDecision::When),
    };
    decision.map_or(Answer::Broken, |decision| Answer::Given(At::new(decision, text.span)))
}

/// At most one message to a customer in so long, where a rule says nothing else.
const QUIET_FOR: SignedDuration = SignedDuration::from_hours(24);
/// No message so soon after an agent's reply, where a rule says nothing else.
const AFTER_REPLY: SignedDuration = SignedDuration::from_mins(10);
/// From nothing to a year.
const QUIET: (SignedDuration, SignedDuration) = (SignedDuration::ZERO, SignedDuration::from_hours(365 * 24));
