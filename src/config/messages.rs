//! `[messages.NAME]`: public text, by language. It is sent only in a wording that one of its signers signed.

use super::conditions::Facts;
use super::desks::Desks;
use super::found::{At, Found};
use super::keys;
use super::names::refers;
use super::scalar::shown;
use super::teams::People;
use super::walk::Section;
use crate::policy::message::{TemplateKind, check_template, names_in, render_public, wording_hash};
use crate::policy::names::{MessageName, PersonName};
use crate::policy::package::Labels;
use crate::policy::rules::{CustomerDecision, PublicMessage, Team};
use crate::policy::wording::{self, Held};
use std::collections::BTreeMap;

/// All messages by name; `None`: wrong in itself, which was reported.
pub(super) type Messages = BTreeMap<MessageName, Option<PublicMessage>>;

/// Reads all messages.
pub(super) fn read(
    found: &mut Found<'_>,
    root: &Section<'_>,
    desks: &Desks,
    people: &People,
    labels: &Labels,
) -> Messages {
    let facts = Facts::of(desks.values());
    let held = wording::held(desks.values().flat_map(|desk| &desk.policy.fields), labels);
    let mut messages = Messages::new();
    for named in root.named_tables(found, "messages") {
        let section = Section::open_ended(named.table, keys::MESSAGE, named.title.clone(), named.name.span.clone());
        let signers = signers(found, &section, people);
        let wordings = wordings(found, &section, &facts, &held);
        let name = MessageName::new(named.name.value);
        let message = (!signers.is_empty() && !wordings.is_empty()).then(|| PublicMessage {
            name: name.clone(),
            signers,
            wording_hash: wording_hash(&wordings),
            wordings,
        });
        messages.insert(name, message);
    }
    messages
}

fn signers(found: &mut Found<'_>, section: &Section<'_>, people: &People) -> Vec<String> {
    if !section.has("signers") {
        section.missing(found, "signers");
        return Vec::new();
    }
    let Some(signers) = section.texts(found, "signers") else { return Vec::new() };
    if signers.is_empty() && section.values(found, "signers").is_empty() {
        found.error(&section.key_span("signers"), "nobody may sign this message", section.like("signers"));
    }
    let known = || people.keys().map(PersonName::as_str);
    let fine = |signer: &At<&str>| {
        super::scalar::is_email(signer.value)
            || refers(found, signer, "mail address or person", "[people.NAME]", known())
    };
    signers.into_iter().filter(fine).map(|signer| signer.value.to_owned()).collect()
}

fn wordings(found: &mut Found<'_>, section: &Section<'_>, facts: &Facts, held: &[Held]) -> BTreeMap<String, String> {
    let mut wordings = BTreeMap::new();
    for (language, value) in section.entries().into_iter().filter(|(key, _)| key.value != "signers") {
        if !is_language(language.value) {
            let message = format!("{} has no key `{}`", section.title, shown(language.value));
            found.error(&language.span, message, "accepted here: signers, and two-letter languages such as en, de, fr");
            continue;
        }
        match value.get_ref().as_str().filter(|text| !text.trim().is_empty()) {
            Some(text) => {
                let text_at = At::new(text, value.span());
                template(found, &text_at, TemplateKind::Public, facts);
                look_at(found, &text_at, held);
                wordings.insert(language.value.to_owned(), text.to_owned());
            }
            None => {
                let help = format!("write {} = \"…\"", language.value);
                found.error(&value.span(), format!("the wording `{}` is a text", language.value), help);
            }
        }
    }
    if wordings.is_empty() && section.entries().iter().all(|(key, _)| key.value == "signers") {
        found.mismatch(&section.span, format!("{} has no wording", section.title), "add a language: en = \"…\"");
    }
    wordings
}

fn is_language(key: &str) -> bool {
    key.len() == 2 && key.bytes().all(|byte| byte.is_ascii_lowercase())
}

/// Reports what is wrong with a template, at its place.
pub(super) fn template(found: &mut Found<'_>, text: &At<&str>, kind: TemplateKind, facts: &Facts) {
    let problems = check_template(text.value, kind, &facts.known);
    for problem in problems.into_iter().filter(|_| !facts.unsure_about(text.value)) {
        let span = found.inside(text, problem.start..problem.end);
        let help = problem.help.unwrap_or_else(|| "templates are text with {{ name }} in it".to_owned());
        found.error(&span, problem.message, help);
    }
}

/// What of a wording works and should be looked at: it asks for what the case holds, or needs what a desk may not tell.
fn look_at(found: &mut Found<'_>, text: &At<&str>, held: &[Held]) {
    for ask in wording::asks(text.value, held) {
        let span = found.inside(text, ask.place);
        let message = format!("this asks the customer for what the case may hold already: {}", ask.what);
        found.warning(&span, message, "nobody should be asked twice: leave it out, or say why it is asked again");
    }
    let rest = ["to.public_name", "respond_by", "ticket.id"];
    for name in ["customer.name", "ticket.subject"] {
        let others = rest.into_iter().chain(["customer.name", "ticket.subject"].into_iter().filter(|it| *it != name));
        let values = others.map(|name| (name.to_owned(), "text".to_owned())).collect();
        let printed = names_in(text.value).is_ok_and(|names| names.contains(name));
        if printed && render_public(text.value, &values).is_err() {
            let message = format!("where a desk does not tell `{name}`, this message is not sent");
            let help = format!("write {{% if {name} %}}…{{% endif %}} around what says it");
            found.warning(&text.span, message, help);
        }
    }
}

/// What is wrong with a message of a rule that hands off to this team: its wordings cannot be filled in.
pub(super) fn check_for(found: &mut Found<'_>, customer: &At<CustomerDecision>, to: &Team, messages: &Messages) {
    let CustomerDecision::Message { name, respond_within, .. } = &customer.value else { return };
    let Some(message) = messages.get(name).and_then(Option::as_ref) else { return };
    let known = ["customer.name", "ticket.subject", "ticket.id"].into_iter();
    let known = known.chain(respond_within.is_some().then_some("respond_by"));
    let mut values: BTreeMap<String, String> = known.map(|name| (name.to_owned(), "text".to_owned())).collect();
    let fails = |values: &BTreeMap<String, String>| {
        message.wordings.iter().find(|(_, text)| render_public(text, values).is_err()).map(|(language, _)| language)
    };
    let Some(language) = fails(&values).filter(|_| to.public_name.is_none()) else { return };
    values.insert("to.public_name".to_owned(), "text".to_owned());
    if fails(&values).is_none() {
        let message = format!(
            "the wording `{language}` of `{name}` says {{{{ to.public_name }}}}, and the team \"{}\" has none",
            to.name
        );
        found.mismatch(
            &customer.span,
            message,
            format!("add public_name = \"our … specialists\" to [teams.{}]", to.name),
        );
    }
}

/// Whether any wording promises a time.
pub(super) fn promises_a_time(message: &PublicMessage) -> bool {
    message.wordings.values().any(|wording| names_in(wording).is_ok_and(|names| names.contains("respond_by")))
}
