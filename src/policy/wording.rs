//! Whether a public wording asks for what the case holds already: nobody asks a customer twice.
//!
//! It goes by words alone. A sentence asks where it ends with a question mark or begins with a *please*; it asks for
//! something where it has the words of its name. What is asked in other words is not found, so a wording without a finding
//! is not thereby a good one.

use super::package::{Label, Labels, is_question, same_words};
use super::rules::{FieldDeclaration, FieldOwner, PackagePart};
use std::ops::Range;

/// Beginnings of a request, in the languages that dates are written in too.
const PLEASE: [&str; 17] = [
    "please",
    "kindly",
    "could you",
    "can you",
    "bitte",
    "veuillez",
    "merci de",
    "s'il vous plaît",
    "por favor",
    "le rogamos",
    "gelieve",
    "graag",
    "alstublieft",
    "per favore",
    "si prega",
    "la preghiamo",
    "pedimos",
];
/// Shorter parts of a field's name say little.
const TELLING: usize = 4;

/// Something that a case holds, and the words by which somebody would ask for it: all of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    words: Vec<String>,
    /// What it is, for people.
    pub what: String,
}

/// What every case holds: the declared fields, the parts of the package that agents fill in, the customer's address.
pub fn held<'a>(fields: impl Iterator<Item = (&'a String, &'a FieldDeclaration)>, labels: &Labels) -> Vec<Held> {
    let mut held: Vec<Held> = fields
        .map(|(name, field)| {
            let of = match field.of {
                FieldOwner::Ticket => "ticket",
                FieldOwner::Customer => "customer",
                FieldOwner::Organization => "organization",
            };
            let all: Vec<String> = name.to_lowercase().split('_').map(str::to_owned).collect();
            let telling: Vec<String> = all.iter().filter(|word| word.chars().count() >= TELLING).cloned().collect();
            let words = if telling.is_empty() { vec![name.to_lowercase()] } else { telling };
            Held { words, what: format!("{of}.fields.{name}") }
        })
        .collect();
    for (part, what) in [(PackagePart::Steps, "the steps tried"), (PackagePart::Artifacts, "the attachments")] {
        held.extend(labels.words(Label::Part(part)).map(|label| Held {
            words: same_words(label).split(' ').map(str::to_owned).collect(),
            what: format!("{what}, which travel in the package"),
        }));
    }
    held.push(Held { words: vec!["email".into()], what: "customer.email".into() });
    held
}

/// One question for something that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The sentence: bytes of the wording.
    pub place: Range<usize>,
    /// What it asks for.
    pub what: String,
}

/// The sentences of a wording that ask for something held, each once.
pub fn asks(wording: &str, held: &[Held]) -> Vec<Ask> {
    let plain = without_tags(wording);
    let asking = sentences(&plain).into_iter().filter(|place| is_request(&plain[place.clone()]));
    asking
        .filter_map(|place| {
            let words = words(&plain[place.clone()]);
            let found = held.iter().find(|held| held.words.iter().all(|word| has(&words, word)))?;
            Some(Ask { place, what: found.what.clone() })
        })
        .collect()
}

/// The same text with blanks where the template has its tags.
fn without_tags(wording: &str) -> String {
    let mut plain = String::with_capacity(wording.len());
    let mut rest = wording;
    while let Some(at) = rest.find('{') {
        let inside = &rest[at + 1..];
        if !inside.starts_with(['{', '%', '#']) {
            plain.push_str(&rest[..=at]);
            rest = inside;
            continue;
        }
        let end = rest[at..].find('}').map_or(rest.len(), |end| {
            let end = at + end + 1;
            if rest[end..].starts_with('}') { end + 1 } else { end }
        });
        plain.push_str(&rest[..at]);
        plain.extend(std::iter::repeat_n(' ', end - at));
        rest = &rest[end..];
    }
    plain.push_str(rest);
    plain
}

/// The places of the sentences, their ends included.
fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut places = Vec::new();
    let mut start = 0;
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        let ends = match letter {
            '\n' | '?' | '!' | '\u{ff1f}' | '\u{ff01}' | '\u{3002}' | '\u{61f}' | '\u{2026}' => true,
            '.' => letters.peek().is_none_or(|(_, next)| next.is_whitespace()),
            _ => false,
        };
        if ends || letters.peek().is_none() {
            let end = at + letter.len_utf8();
            let from = start + (text[start..end].len() - text[start..end].trim_start().len());
            if from < end {
                places.push(from..end);
            }
            start = end;
        }
    }
    places
}

fn is_request(sentence: &str) -> bool {
    let sentence = sentence.trim().to_lowercase();
    let beginning = sentence.trim_start_matches(|letter: char| !letter.is_alphanumeric());
    is_question(sentence.as_str()) || PLEASE.iter().any(|word| beginning.starts_with(word))
}

/// The words of a sentence in small letters; `e-mail` is `email`.
fn words(sentence: &str) -> Vec<String> {
    let joined = sentence.to_lowercase().replace(['-', '\''], "");
    joined.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Whether a word is there, in whatever form it ends.
fn has(words: &[String], wanted: &str) -> bool {
    let long = wanted.chars().count() >= TELLING;
    words.iter().any(|word| word == wanted || long && word.starts_with(wanted))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing;
    use handoffd_kit::model::FieldType;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    fn all_held() -> Vec<Held> {
        let field = |of| FieldDeclaration { id: "1".into(), kind: FieldType::Text, of };
        let fields = BTreeMap::from([
            ("order_number".to_owned(), field(FieldOwner::Ticket)),
            ("plan".to_owned(), field(FieldOwner::Organization)),
            ("os".to_owned(), field(FieldOwner::Ticket)),
        ]);
        let steps = Label::Part(PackagePart::Steps);
        let labels = Labels::new(BTreeMap::from([(steps, vec!["Bisher versucht".to_owned()])]));
        held(fields.iter(), &labels)
    }

    /// What a wording asks for, with the sentence that does.
    fn asked(wording: &str) -> Vec<(String, String)> {
        let asks = asks(wording, &all_held());
        asks.into_iter().map(|ask| (ask.what, wording[ask.place].to_owned())).collect()
    }

    fn one(what: &str, sentence: &str) -> Vec<(String, String)> {
        vec![(what.to_owned(), sentence.to_owned())]
    }

    #[test]
    fn a_question_for_something_held_is_found_with_its_sentence() {
        assert_eq!(
            asked("We look at this. What is your order number? Thank you."),
            one("ticket.fields.order_number", "What is your order number?")
        );
        assert_eq!(
            asked("Please send us the numbers of your orders."),
            one("ticket.fields.order_number", "Please send us the numbers of your orders.")
        );
        assert_eq!(asked("Which plan are you on?"), one("organization.fields.plan", "Which plan are you on?"));
        assert_eq!(asked("Welches OS nutzen Sie?"), one("ticket.fields.os", "Welches OS nutzen Sie?"));
        assert_eq!(
            asked("Bitte nennen Sie uns Ihre E-Mail."),
            one("customer.email", "Bitte nennen Sie uns Ihre E-Mail.")
        );
        assert_eq!(asked("Was haben Sie bisher versucht?")[0].0, "the steps tried, which travel in the package");
        assert_eq!(
            asked("Could you attach the attachments again?")[0].0,
            "the attachments, which travel in the package"
        );
        assert_eq!(asked("order number？")[0].0, "ticket.fields.order_number");
    }

    #[test]
    fn what_is_told_and_what_is_asked_in_other_words_is_not() {
        for wording in [
            "We have your order number.",
            "{{ to.public_name }} look at this now. You hear from us by {{ respond_by }}.",
            "Please wait until {{ respond_by }}.",
            "Did you know? We have your order number. Thanks!",
            "{% if customer.name %}{{ customer.name }}, what is your order number{% endif %}.",
            "Is that fine?",
            "What is your number?",
            "Which OSX?",
            "",
            "{{",
            "{% if",
        ] {
            assert_eq!(asked(wording), [], "{wording}");
        }
    }

    #[test]
    fn the_wordings_of_the_tests_ask_for_nothing() {
        for wording in testing::policy().messages.values().flat_map(|message| message.wordings.values()) {
            assert_eq!(asked(wording), []);
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_text_makes_it_panic_and_places_are_of_the_text(wording in "(\\PC|[?.!]|\\{\\{|\\}\\}|\\{%|%\\}| order number|\n){0,30}") {
            for ask in asks(&wording, &all_held()) {
                prop_assert!(wording.get(ask.place.clone()).is_some(), "{:?}", ask);
            }
        }
    }
}
