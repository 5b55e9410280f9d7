//! Words that ask a person: a ticket whose words are of a risk of the policy is not handed off before somebody says yes. Which
//! words, of which languages, and where they are looked for, says `[risks.NAME]`.
//!
//! Only what the customer wrote counts: the subject, their public messages without what a reply quotes and without a signature,
//! and on request labels and the ticket's own fields of text. What agents and we wrote never does. Where the desk does not give
//! what is looked in, it cannot be told whether a word stands there, and that asks a person too.

mod entry;
pub mod lists;
#[cfg(test)]
mod tests;
mod text;

pub use entry::Entry;

use super::case::Case;
use super::cel::{FactSource, Found};
use super::command::Vocabulary;
use super::facts::{Facts, is_public_by};
use super::known::FactName;
use super::matching::AnyRule;
use super::names::RiskName;
use super::package::{parted, visible};
use super::rules::{FieldOwner, Policy};
use super::verdict::Risk;
use handoffd_kit::language::primary;
use handoffd_kit::model::{FieldType, PartKind, PartSet, Role};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use text::Words;

/// The name of the words that count in every language.
pub const ANY: &str = "any";
/// So many of the entries that were found are named.
const NAMED_MAX: usize = 5;

/// One `[risks.NAME]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WordRisk {
    /// Its name.
    pub name: RiskName,
    /// Where its words are looked for.
    pub look_in: Vec<Where>,
    /// How many different entries of it must be there.
    pub at_least: u32,
    /// Its words by language; those of [`ANY`] count in every one.
    pub words: BTreeMap<String, Vec<Listed>>,
}

/// An entry, and from which list it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// The entry.
    pub entry: Entry,
    /// A list of [`lists`]; none: the policy's own words.
    pub list: Option<&'static str>,
}

/// Where words are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Where {
    /// The ticket's subject.
    Subject,
    /// What the customer wrote publicly.
    Messages,
    /// The ticket's labels, but for those between agents and us.
    Tags,
    /// The ticket's own declared fields of text or choice.
    Fields,
}

impl Where {
    /// All of them, by the word of the file.
    pub const ALL: [(&'static str, Self); 4] =
        [("subject", Self::Subject), ("messages", Self::Messages), ("tags", Self::Tags), ("fields", Self::Fields)];

    /// Where words are looked for unless the policy says otherwise.
    pub const USUAL: [Self; 2] = [Self::Subject, Self::Messages];

    /// In words: "the subject".
    pub fn shown(self) -> &'static str {
        match self {
            Self::Subject => "the subject",
            Self::Messages => "the customer's messages",
            Self::Tags => "the labels",
            Self::Fields => "the ticket's fields",
        }
    }
}

/// An entry that was found, and where: nothing of the ticket's own text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hit {
    /// The entry as its list has it.
    pub entry: String,
    /// The list; none: the policy's own words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list: Option<String>,
    /// Of which language.
    pub language: String,
    /// Where it stands first.
    pub place: Place,
}

/// Where an entry was found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// In the subject.
    Subject,
    /// In the customer's message of this number, from 1; what agents wrote is not counted.
    Message(u32),
    /// In a label.
    Tag,
    /// In the ticket's field of this name.
    Field(String),
}

impl Place {
    fn shown(&self) -> String {
        match self {
            Self::Subject => "the subject".to_owned(),
            Self::Message(number) => format!("the customer's message {number}"),
            Self::Tag => "a label".to_owned(),
            Self::Field(name) => format!("the field {name}"),
        }
    }
}

impl Hit {
    /// In words: `"hacked" (list security, en) in the customer's message 2`.
    pub fn shown(&self) -> String {
        let list = self.list.as_ref().map_or_else(|| "own words".to_owned(), |list| format!("list {list}"));
        format!("\"{}\" ({list}, {}) in {}", self.entry, self.language, self.place.shown())
    }
}

/// What a ticket's words say of one risk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Told {
    /// Which.
    pub risk: RiskName,
    /// How many different entries it takes.
    pub at_least: u32,
    /// What was found, each entry once, in the order of the ticket.
    pub found: Vec<Hit>,
    /// Where words were looked for.
    pub looked_in: Vec<Where>,
    /// The languages whose words counted.
    pub languages: Vec<String>,
    /// What could not be looked at.
    pub unknown: Vec<String>,
}

impl Told {
    /// Why a person is asked, where one is.
    pub fn asks(&self) -> Option<Risk> {
        if self.found.len() >= usize::try_from(self.at_least).unwrap_or(usize::MAX) {
            let found = self.found.iter().take(NAMED_MAX).cloned().collect();
            let more = self.found.len().saturating_sub(NAMED_MAX);
            return Some(Risk::Words { risk: self.risk.clone(), found, more });
        }
        let unknown = || Risk::WordsUnknown { risk: self.risk.clone(), unknown: self.unknown.join(", ") };
        (!self.unknown.is_empty()).then(unknown)
    }
}

/// The risks that count for a rule: those that it names; else all of them for an escalation that nobody asked for, and none for
/// any other rule. Where an agent asks for a handoff, a person has looked; where a case starts, it goes no further than to its first team.
pub fn counting<'p>(any: AnyRule<'_>, policy: &'p Policy) -> impl Iterator<Item = &'p WordRisk> {
    let named = any.rule().risks.clone();
    let all = matches!(any, AnyRule::Escalation(_)) && !any.is_on_request();
    policy.risks.iter().filter(move |risk| named.as_ref().map_or(all, |named| named.contains(&risk.name)))
}

/// Whether any rule of the policy looks at a risk.
pub fn counts_for_a_rule(name: &RiskName, policy: &Policy) -> bool {
    AnyRule::all(policy).any(|any| counting(any, policy).any(|risk| risk.name == *name))
}

/// The parts that must be read before it can be told whether a rule asks a person because of words.
pub fn needs(any: AnyRule<'_>, policy: &Policy) -> PartSet {
    let said = counting(any, policy).any(|risk| risk.look_in.contains(&Where::Messages));
    if said { PartSet::of(&[PartKind::Conversation]) } else { PartSet::NONE }
}

/// What the words of a ticket say of every risk of the policy.
pub fn tell(facts: &Facts<'_>) -> Vec<Told> {
    let (case, policy) = (facts.case(), facts.policy());
    if policy.risks.is_empty() {
        return Vec::new();
    }
    let looked = Looked::at(case, policy, facts);
    policy.risks.iter().map(|risk| looked.tell(risk)).collect()
}

/// All that risks may look in, as words.
struct Looked {
    places: Vec<(Where, Place, Words)>,
    unknown: Vec<(Where, String)>,
    /// The ticket's language, where the desk tells it.
    language: Option<String>,
}

impl Looked {
    fn at(case: &Case, policy: &Policy, facts: &Facts<'_>) -> Self {
        let wanted = |place: &Where| policy.risks.iter().any(|risk| risk.look_in.contains(place));
        let language =
            case.head.language.known().and_then(Option::as_deref).map(|tag| primary(tag.trim()).to_lowercase());
        let language = language.filter(|language| !language.is_empty());
        let mut looked = Self { places: Vec::new(), unknown: Vec::new(), language };
        for (_, place) in Where::ALL.into_iter().filter(|(_, place)| wanted(place)) {
            match place {
                Where::Subject => looked.subject(case),
                Where::Messages => looked.messages(case),
                Where::Tags => looked.tags(case, policy),
                Where::Fields => looked.fields(case, policy, facts),
            }
        }
        looked
    }

    fn add(&mut self, of: Where, place: Place, text: &str) {
        self.places.push((of, place, Words::of(text)));
    }

    fn lacks(&mut self, of: Where, what: impl Into<String>) {
        self.unknown.push((of, what.into()));
    }

    fn subject(&mut self, case: &Case) {
        match case.head.subject.known() {
            Some(subject) => self.add(Where::Subject, Place::Subject, subject),
            None => self.lacks(Where::Subject, Where::Subject.shown()),
        }
    }

    fn messages(&mut self, case: &Case) {
        let Some(conversation) = &case.parts.conversation else {
            if let Some(text) = case.head.text.known() {
                self.add(Where::Messages, Place::Message(1), &own_words(text, Opens::Case));
            }
            return self.lacks(Where::Messages, "the conversation");
        };
        let first_public = conversation
            .messages
            .iter()
            .position(|message| [Role::Customer, Role::Agent].into_iter().any(|role| is_public_by(message, role)));
        let by_customer =
            conversation.messages.iter().enumerate().filter(|(_, message)| is_public_by(message, Role::Customer));
        for (number, (at, message)) in (1..).zip(by_customer) {
            let opens = if first_public == Some(at) { Opens::Case } else { Opens::Nothing };
            self.add(Where::Messages, Place::Message(number), &own_words(message.said.words(), opens));
        }
        if !conversation.complete {
            self.lacks(Where::Messages, "the whole conversation: it is longer than what was read");
        }
    }

    fn tags(&mut self, case: &Case, policy: &Policy) {
        let Some(tags) = case.head.tags.known() else { return self.lacks(Where::Tags, Where::Tags.shown()) };
        let vocabulary = Vocabulary::new(policy, &case.desk);
        for tag in tags.iter().filter(|tag| !vocabulary.is_between_us(tag)) {
            // Labels have no spaces on most desks: what parts their words is this.
            self.add(Where::Tags, Place::Tag, &tag.replace(['_', ':', '.', '/'], " "));
        }
    }

    fn fields(&mut self, case: &Case, policy: &Policy, facts: &Facts<'_>) {
        let declared = policy.desks.get(&case.desk).into_iter().flat_map(|desk| &desk.fields);
        let of_text = declared.filter(|(_, field)| {
            field.of == FieldOwner::Ticket && matches!(field.kind, FieldType::Text | FieldType::Choice)
        });
        for (name, _) in of_text {
            match facts.fact(&FactName::Field(FieldOwner::Ticket, name.clone())) {
                Found::Value(value) => self.add(Where::Fields, Place::Field(name.clone()), &value.shown()),
                Found::Empty => {}
                Found::Unknown | Found::Unread(_) => self.lacks(Where::Fields, format!("the field {name}")),
            }
        }
    }

    fn tell(&self, risk: &WordRisk) -> Told {
        let counts = |language: &str| language == ANY || self.language.as_deref().is_none_or(|own| own == language);
        let entries = || risk.words.iter().filter(|(language, _)| counts(language));
        let mut found: Vec<(&Entry, Hit)> = Vec::new();
        for (_, place, words) in self.places.iter().filter(|(of, ..)| risk.look_in.contains(of)) {
            for (language, listed) in entries().flat_map(|(language, all)| all.iter().map(move |one| (language, one))) {
                let known = found.iter().any(|(entry, _)| entry.is_same(&listed.entry));
                if !known && listed.entry.stands_in(words) {
                    let (entry, list) = (listed.entry.written().to_owned(), listed.list.map(str::to_owned));
                    found.push((&listed.entry, Hit { entry, list, language: language.clone(), place: place.clone() }));
                }
            }
        }
        let unknown = self.unknown.iter().filter(|(of, _)| risk.look_in.contains(of)).map(|(_, what)| what.clone());
        Told {
            risk: risk.name.clone(),
            at_least: risk.at_least,
            found: found.into_iter().map(|(_, hit)| hit).collect(),
            looked_in: risk.look_in.clone(),
            languages: entries().map(|(language, _)| language.clone()).collect(),
            unknown: unknown.collect(),
        }
    }
}

/// What a message begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Opens {
    /// The case: what it forwards stands nowhere else on the ticket.
    Case,
    /// Nothing: what it quotes was said before.
    Nothing,
}

/// What a message's author says in it: without quotes, unless it opens the case, and without the signature, unless that is
/// all there is.
fn own_words(text: &str, opens: Opens) -> String {
    let seen = visible(text);
    let mut parts = parted(&seen);
    if opens == Opens::Case {
        parts.own.append(&mut parts.quoted);
    }
    let said = |lines: &[&str]| lines.iter().any(|line| !line.is_empty());
    let lines = if said(&parts.own) || said(&parts.quoted) { parts.own } else { parts.signed };
    lines.join("\n")
}
