//! `[messages.NAME]`: public text, by language. It is sent only in a wording that one of its signers signed.

use super::conditions::Facts;
use super::desks::Desks;
use super::found::{At, Found};
use super::keys;
use super::names::refers;
use super::scalar::shown;
use super::teams::People;
use super::walk::Section;
use crate::policy::languages::PublicName;
use crate::policy::message::{TemplateKind, check_template, names_in, render_public, wording_hash};
use crate::policy::names::{MessageName, PersonName};
use crate::policy::package::Labels;
use crate::policy::rules::{CustomerDecision, PublicMessage};
use crate::policy::teams::Team;
use crate::policy::wording::{self, Held};
use handoffd_kit::language::canonical;
use std::collections::BTreeMap;
use std::ops::Range;

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
        let Some(tag) = self::language(found, &language, &section.title, "signers") else { continue };
        match value.get_ref().as_str().filter(|text| !text.trim().is_empty()) {
            Some(text) => {
                let text_at = At::new(text, value.span());
                template(found, &text_at, TemplateKind::Public, facts);
                look_at(found, &text_at, held);
                wordings.insert(tag, text.to_owned());
            }
            None => {
                let help = format!("write {} = \"…\", or leave the language out", language.value);
                let blank = value.get_ref().as_str().is_some();
                let what = if blank { "says nothing" } else { "is a text in quotes" };
                found.error(&value.span(), format!("the wording `{}` {what}", language.value), help);
            }
        }
    }
    if wordings.is_empty() && section.entries().iter().all(|(key, _)| key.value == "signers") {
        found.mismatch(&section.span, format!("{} has no wording", section.title), "add a language: en = \"…\"");
    }
    wordings
}

/// The language that a key names. `beside`: the key that may stand beside languages.
pub(super) fn language(found: &mut Found<'_>, key: &At<&str>, title: &str, beside: &str) -> Option<String> {
    let tag = canonical(key.value);
    if tag.as_deref() == Some(key.value) {
        return tag;
    }
    let help = match tag {
        Some(tag) => format!("write {tag}: languages are tags of BCP 47 in their usual form"),
        None => format!("accepted here: {beside}, and languages as tags of BCP 47 such as en, de, pt-BR, zh-Hant"),
    };
    found.error(&key.span, format!("{title} has no key `{}`", shown(key.value)), help);
    None
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
    if let Some(names) = &to.public_name {
        return lacks_name(found, &customer.span, (names, to), message);
    }
    let Some(language) = fails(&values) else { return };
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

/// A wording that names the team in another language than its own.
fn lacks_name(found: &mut Found<'_>, span: &Range<usize>, (names, to): (&PublicName, &Team), message: &PublicMessage) {
    let says = |wording: &str| names_in(wording).is_ok_and(|names| names.contains("to.public_name"));
    let mut lacking = message.wordings.iter().filter(|(language, wording)| names.lacks(language) && says(wording));
    if let Some((language, _)) = lacking.next() {
        let what = format!(
            "the wording `{language}` of `{}` says {{{{ to.public_name }}}}, and the team \"{}\" has no name in that language: \
             customers read \"{}\"",
            message.name,
            to.name,
            names.in_language(language)
        );
        found.warning(span, what, format!("add {language} = \"…\" to `public_name` of [teams.{}]", to.name));
    }
}

/// Whether any wording promises a time.
pub(super) fn promises_a_time(message: &PublicMessage) -> bool {
    message.wordings.values().any(|wording| names_in(wording).is_ok_and(|names| names.contains("respond_by")))
}
