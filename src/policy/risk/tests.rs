//! Each with a ticket that asks a person, and a twin that must not.

use super::*;
use crate::policy::decide::decide;
use crate::policy::rules::{Escalation, Trigger};
use crate::policy::testing::{self, escalation, noted_by_agent, route, said_by_agent, said_by_customer};
use crate::policy::verdict::{Decision, Outcome, Verdict};
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{Conversation, InternalText, Message, PublicText, Said};
use proptest::prelude::*;

fn risk(words: &[(&str, &str)]) -> WordRisk {
    let mut by_language: BTreeMap<String, Vec<Listed>> = BTreeMap::new();
    for (language, word) in words {
        let entry = Entry::read(word).unwrap_or_else(|why| panic!("{word}: {why}"));
        by_language.entry((*language).to_owned()).or_default().push(Listed { entry, list: None });
    }
    WordRisk { name: "security".into(), look_in: Where::USUAL.to_vec(), at_least: 1, words: by_language }
}

fn policy(risk: WordRisk) -> Policy {
    Policy { risks: vec![risk], escalations: vec![escalation("refund", "true", "billing")], ..testing::policy() }
}

fn saying(messages: Vec<Message>) -> Case {
    let mut case = testing::case_with_parts();
    case.parts.conversation = Some(Conversation { messages, complete: true });
    case
}

fn verdict(case: &Case, policy: &Policy) -> Verdict {
    match decide(case, policy, &|_, _| true, testing::now()) {
        Decision::Verdict(verdict) => verdict,
        Decision::Need(parts) => panic!("needs {parts:?}"),
    }
}

/// Why a person is asked; nothing where nobody is.
fn asked(case: &Case, policy: &Policy) -> Vec<Risk> {
    match verdict(case, policy).outcome {
        Outcome::AskPerson { risks, .. } => risks,
        Outcome::Escalate(_) | Outcome::Route(_) => Vec::new(),
        other => panic!("{other:?}"),
    }
}

fn asks(words: &[(&str, &str)], text: &str) -> bool {
    !asked(&saying(vec![said_by_customer(text)]), &policy(risk(words))).is_empty()
}

#[test]
fn a_word_of_a_risk_asks_a_person_and_says_which_entry_and_where_and_nothing_of_the_text() {
    let messages = vec![
        said_by_customer("My invoice is wrong."),
        said_by_agent("We look."),
        said_by_customer("And somebody HACKED my account with secret-words"),
    ];
    let risks = asked(&saying(messages), &policy(risk(&[("en", "hacked")])));
    let hit = Hit { entry: "hacked".into(), list: None, language: "en".into(), place: Place::Message(2) };
    assert_eq!(risks, [Risk::Words { risk: "security".into(), found: vec![hit], more: 0 }]);
    let shown = risks[0].shown();
    assert_eq!(shown, "its words are of the risk security: \"hacked\" (own words, en) in the customer's message 2");
    assert_eq!(asked(&saying(vec![said_by_customer("My invoice is wrong.")]), &policy(risk(&[("en", "hacked")]))), []);
}

#[test]
fn only_what_the_customer_says_themselves_counts() {
    let words = [("en", "hacked")];
    let said = "It still fails.";
    let theirs = |text: &str| Message { said: Said::Publicly(PublicText(text.into())), ..said_by_customer("") };
    let ours = |text: &str| {
        let mut message = noted_by_agent(text);
        message.author.role = Role::Us;
        message
    };
    let answers = |text: &str| vec![said_by_customer("It fails."), said_by_agent("Try again."), theirs(text)];
    assert_eq!(asked(&saying(answers("I was hacked.")), &policy(risk(&words))).len(), 1);
    for (what, messages) in [
        ("quoted in a reply", answers(&format!("{said}\n> I was hacked"))),
        ("under an attribution", answers(&format!("{said}\nOn Mon, 2 Nov 2026 support wrote:\nWere you hacked?"))),
        ("in a signature", answers(&format!("{said}\n-- \nEva Example\nHacked Electronics"))),
        ("by an agent, publicly", vec![said_by_customer(said), said_by_agent("You were hacked.")]),
        ("by an agent, internally", vec![said_by_customer(said), noted_by_agent("They were hacked.")]),
        ("in a note of ours", vec![said_by_customer(said), ours("hacked")]),
        ("internally, in the customer's name", {
            let said = Said::Internally(InternalText("hacked".into()));
            vec![said_by_customer("It fails."), Message { said, ..said_by_customer("") }]
        }),
    ] {
        assert_eq!(asked(&saying(messages), &policy(risk(&words))), [], "{what}");
    }
    let forward = "FYI\n---------- Forwarded message ---------\nFrom: Eva <eva@customer.example>\nDate: Mon, 2 Nov 2026\n\
                   Subject: Fwd\n\nI was hacked.";
    assert_eq!(
        asked(&saying(vec![said_by_customer(forward)]), &policy(risk(&words))).len(),
        1,
        "a forward that opens a case"
    );
    assert_eq!(asked(&saying(answers(forward)), &policy(risk(&words))), [], "one that answers");
    assert_eq!(asked(&saying(vec![said_by_customer("-- \nhacked")]), &policy(risk(&words))).len(), 1, "all there is");
}

#[test]
fn whole_words_in_any_case_and_form_and_in_no_other_letters() {
    for (language, word, yes, no) in [
        ("en", "sue", "We will SUE you!", "We issue it, says Suet."),
        ("en", "data breach", "A data\n  breach, says she", "We lost data. Breach of trust"),
        ("en", "data breach", "data-breach", "data and breach"),
        ("en", "fraud*", "it is fraudulent", "defraud"),
        ("en", "won't pay", "I won’t pay", "I want pay"),
        ("en", "CVE", "see CVE-2026-1", "receive"),
        ("de", "Straßenraub", "STRASSENRAUB", "Straßenraube"),
        ("de", "Kündigung", "die Ku\u{308}ndigung", "Kundigung"),
        ("fr", "piraté*", "mon compte est PIRATÉE", "un pirate"),
        ("el", "απάτης", "ΑΠΆΤΗΣ", "απάτηςς"),
        ("ru", "взломали", "Меня ВЗЛОМАЛИ.", "взломалист"),
        ("ar", "اختراق", "تم \u{200f}اختراق\u{200f} الحساب", "اختراقات"),
        ("he", "נפרץ", "החשבון נפרץ", "נפרצה"),
        ("ja", "詐欺", "これは詐欺です", "これは詐取です"),
        ("en", "hacked", "ｈａｃｋｅｄ", "h a c k e d"),
        ("en", "hacked", "hac\u{200b}ked", "hаcked with a Cyrillic а"),
        ("en", "hacked", "_I was hacked!_ *hacked*", "hacked_by_no_one"),
        ("en", "password", "私のpasswordが", "passwordless"),
    ] {
        let words = [(language, word)];
        let own = [("any", word)];
        assert!(asks(&own, yes), "{word}: {yes}");
        assert!(!asks(&own, no), "{word}: {no}");
        // The ticket is in English.
        assert_eq!(asks(&words, yes), language == "en", "{word} of {language}");
    }
}

#[test]
fn a_ticket_s_language_chooses_the_words_and_without_one_all_count() {
    let policy = policy(risk(&[("de", "gehackt"), ("any", "phishing")]));
    let mut case = saying(vec![said_by_customer("Ich wurde gehackt")]);
    for (language, count) in [
        (Fact::Known(Some("de".to_owned())), 1),
        (Fact::Known(Some("de-AT".to_owned())), 1),
        (Fact::Known(Some("DE_ch".to_owned())), 1),
        (Fact::Known(Some("en".to_owned())), 0),
        (Fact::Known(Some(String::new())), 1),
        (Fact::Known(None), 1),
        (Fact::Unknown, 1),
    ] {
        case.head.language = language.clone();
        assert_eq!(asked(&case, &policy).len(), count, "{language:?}");
    }
    case.head.language = Fact::Known(Some("xx".into()));
    case.parts.conversation = Some(Conversation { messages: vec![said_by_customer("phishing!")], complete: true });
    assert_eq!(asked(&case, &policy).len(), 1, "what counts in every language");
}

#[test]
fn subject_labels_and_fields_are_looked_in_where_the_policy_says_so() {
    let mut everywhere = risk(&[("any", "data breach"), ("any", "handoff")]);
    everywhere.look_in = Where::ALL.map(|(_, place)| place).to_vec();
    let usual = policy(risk(&[("any", "data breach")]));
    let everywhere = policy(everywhere);
    let plain = saying(vec![said_by_customer("Hello.")]);
    let filled = |case: &mut Case| {
        for field in ["f-steps", "f-playbook"] {
            case.head.fields.insert(field.into(), serde_json::json!(""));
        }
    };
    let place = |case: &Case, policy: &Policy| match asked(case, policy).as_slice() {
        [Risk::Words { found, .. }] => Some(found[0].place.clone()),
        [] => None,
        other => panic!("{other:?}"),
    };
    let mut case = plain.clone();
    filled(&mut case);
    assert_eq!(place(&case, &everywhere), None);
    case.head.subject = Fact::Known("Data breach".into());
    assert_eq!((place(&case, &usual), place(&case, &everywhere)), (Some(Place::Subject), Some(Place::Subject)));
    let mut case = plain.clone();
    filled(&mut case);
    case.head.tags = Fact::Known(vec!["handoff:billing".into(), "data_breach".into()]);
    assert_eq!((place(&case, &usual), place(&case, &everywhere)), (None, Some(Place::Tag)));
    case.head.tags = Fact::Known(vec!["handoff:billing".into(), "handoff-back".into()]);
    assert_eq!(place(&case, &everywhere), None, "labels between agents and us");
    case.head.tags = Fact::Known(Vec::new());
    case.head.fields.insert("f-steps".into(), serde_json::json!("looked for a data breach"));
    assert_eq!((place(&case, &usual), place(&case, &everywhere)), (None, Some(Place::Field("steps".into()))));
}

#[test]
fn what_could_not_be_looked_at_asks_a_person_and_says_what() {
    let policy = policy(risk(&[("en", "hacked")]));
    let unknown = |case: &Case| match asked(case, &policy).as_slice() {
        [Risk::WordsUnknown { unknown, .. }] => unknown.clone(),
        other => panic!("{other:?}"),
    };
    let mut case = saying(vec![said_by_customer("Hello.")]);
    case.head.subject = Fact::Unknown;
    assert_eq!(unknown(&case), "the subject");
    case.head.subject = Fact::Known("s".into());
    case.parts.conversation = Some(Conversation { messages: vec![said_by_customer("Hello.")], complete: false });
    assert!(unknown(&case).contains("longer than what was read"));
    case.parts.conversation = Some(Conversation { messages: vec![said_by_customer("hacked")], complete: false });
    assert!(matches!(asked(&case, &policy).as_slice(), [Risk::Words { .. }]), "what was found was found");
    let mut unread = testing::case();
    assert!(
        matches!(decide(&unread, &policy, &|_, _| true, testing::now()), Decision::Need(parts) if parts.has(PartKind::Conversation))
    );
    unread.asked = PartSet::of(&[PartKind::Conversation, PartKind::History, PartKind::Customer, PartKind::Clocks]);
    assert_eq!(unknown(&unread), "the conversation");
    unread.head.text = Fact::Known("I was hacked".into());
    assert!(
        matches!(asked(&unread, &policy).as_slice(), [Risk::Words { found, .. }] if found[0].place == Place::Message(1))
    );
}

#[test]
fn which_rules_ask_is_theirs_to_say() {
    let case = saying(vec![said_by_customer("I was hacked")]);
    let asks = |change: fn(&mut Escalation)| {
        let mut policy = policy(risk(&[("en", "hacked")]));
        change(&mut policy.escalations[0]);
        let mut case = case.clone();
        case.memory.request = Some(testing::request("billing"));
        !asked(&case, &policy).is_empty()
    };
    assert!(asks(|_| {}));
    assert!(!asks(|rule| rule.rule.risks = Some(Vec::new())));
    assert!(!asks(|rule| rule.rule.risks = Some(vec!["money".into()])));
    assert!(asks(|rule| rule.rule.risks = Some(vec!["security".into()])));
    assert!(!asks(|rule| rule.trigger = Trigger::Manual), "an agent has asked for it");
    assert!(asks(|rule| {
        rule.trigger = Trigger::Manual;
        rule.rule.risks = Some(vec!["security".into()]);
    }));
    let mut new = case.clone();
    new.memory.stay = None;
    new.memory.teams_seen.clear();
    new.head.queue = Fact::Known(None);
    let mut start = Policy { routes: vec![route("all", "", "frontline")], ..policy(risk(&[("en", "hacked")])) };
    assert_eq!(asked(&new, &start), [], "where a case starts it goes no further than to its first team");
    start.routes[0].rule.risks = Some(vec!["security".into()]);
    assert_eq!(asked(&new, &start).len(), 1);
}

#[test]
fn several_entries_may_have_to_be_there_and_each_counts_once() {
    let mut two = risk(&[("en", "furious"), ("en", "never again"), ("any", "Furious")]);
    two.at_least = 2;
    let policy = policy(two);
    let asks = |text: &str| !asked(&saying(vec![said_by_customer(text)]), &policy).is_empty();
    assert!(asks("I am furious. Never again!"));
    assert!(!asks("I am furious, furious, FURIOUS."));
}

#[test]
fn many_entries_are_counted_and_few_are_named() {
    let words: Vec<String> = (0..20).map(|number| format!("word{number}")).collect();
    let listed: Vec<(&str, &str)> = words.iter().map(|word| ("en", word.as_str())).collect();
    let risks = asked(&saying(vec![said_by_customer(&words.join(" "))]), &policy(risk(&listed)));
    let [Risk::Words { found, more, .. }] = risks.as_slice() else { panic!("{risks:?}") };
    assert_eq!((found.len(), *more), (5, 15));
    assert!(risks[0].shown().ends_with(", and 15 more"));
}

#[test]
fn a_megabyte_is_read_to_its_end_and_nothing_in_it_is_an_expression() {
    let policy = policy(risk(&[("en", "hacked"), ("en", "data breach"), ("en", "fraud*")]));
    let asks = |text: &str| !asked(&saying(vec![said_by_customer(text)]), &policy).is_empty();
    for hostile in [
        "h".repeat(1_000_000),
        "data ".repeat(200_000),
        "(a+)+$ [[ \\ *?{99999} ".repeat(45_000),
        "hacke \n".repeat(140_000),
    ] {
        assert!(!asks(&hostile), "{}…", &hostile[..10]);
        assert!(asks(&format!("{hostile}\nI was hacked")), "{}…", &hostile[..10]);
    }
}

#[test]
fn an_entry_is_words_and_what_could_match_too_much_or_nothing_is_refused() {
    for good in [
        "hacked",
        "data breach",
        "fraud*",
        "won't",
        "zero-day",
        "l'accès",
        "ISO 27001",
        "漏洩",
        "Ku\u{308}ndigung",
        "résumé*",
    ] {
        assert!(Entry::read(good).is_ok(), "{good}: {:?}", Entry::read(good));
    }
    let long = "x".repeat(81);
    for (bad, said) in [
        ("", "no word"),
        ("  ", "no word"),
        ("*", "no word"),
        ("- '", "no word"),
        ("!!!", "`!`"),
        ("(a+)+$", "`(`"),
        (".*", "`.`"),
        ("a\\b", "`\\`"),
        ("*fraud", "a star stands at its end"),
        ("fr*ud", "a star stands at its end"),
        ("fraud**", "a star stands at its end"),
        ("ab*", "at least 3"),
        ("fraud *", "at least 3"),
        ("詐欺 fraud", "two entries"),
        ("\u{200b}", "no word"),
        (long.as_str(), "80"),
    ] {
        let why = Entry::read(bad).expect_err(bad);
        assert!(why.contains(said), "{bad}: {why}");
    }
}

#[test]
fn one_entry_covers_another_exactly_where_it_stands_wherever_that_does() {
    let entry = |text: &str| Entry::read(text).expect(text);
    for (one, other, covers) in [
        ("fraud", "card fraud", true),
        ("fraud", "fraud*", false),
        ("fraud*", "fraud", true),
        ("fraud*", "fraudulent charge", true),
        ("fraud*", "card fraudster*", true),
        ("card fraud", "fraud", false),
        ("data breach", "big data breach notice", true),
        ("data breach", "data and breach", false),
        ("data breach*", "data breach* x", false),
        ("漏洩", "情報漏洩", true),
        ("sue", "issue", false),
    ] {
        let other = if other.contains("* ") { continue } else { other };
        assert_eq!(entry(one).covers(&entry(other)), covers, "{one} / {other}");
    }
}

#[test]
fn every_list_is_whole_in_three_languages_and_none_of_its_entries_is_useless() {
    assert_eq!(lists::names().collect::<Vec<_>>(), ["security", "money", "legal", "customer-data", "tone"]);
    for list in lists::all() {
        assert!(!list.about.is_empty(), "{}", list.name);
        for language in ["en", "de", "fr"] {
            let rows: Vec<_> = list.rows.iter().filter(|row| row.language == language).collect();
            assert!(rows.len() >= 15, "{} in {language}", list.name);
            let entries: Vec<Entry> = rows
                .iter()
                .map(|row| Entry::read(row.entry).unwrap_or_else(|why| panic!("{}: {why}", row.entry)))
                .collect();
            for (at, one) in entries.iter().enumerate() {
                assert!(!rows[at].why.is_empty(), "{}", rows[at].entry);
                let other = entries.iter().enumerate().find(|(other, it)| *other != at && it.covers(one));
                assert!(
                    other.is_none(),
                    "{} ({language}): {} makes {} useless",
                    list.name,
                    other.expect("one").1.written(),
                    one.written()
                );
            }
        }
        assert!(list.rows.iter().all(|row| ["en", "de", "fr"].contains(&row.language)));
    }
    assert!(lists::named("surprise").is_none());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_entry_stands_in_its_own_words_and_where_it_covers_another_in_those(
        one in "[a-cäßé]{1,3}( [a-c]{1,2}){0,2}", other in "[a-cäßé]{1,3}( [a-c]{1,2}){0,2}", text in "\\PC{0,40}",
    ) {
        let (first, second) = (Entry::read(&one), Entry::read(&other));
        prop_assume!(first.is_ok() && second.is_ok());
        let (first, second) = (first.expect("read"), second.expect("read"));
        let words = Words::of(&one.to_uppercase());
        prop_assert!(first.stands_in(&words));
        let both = Words::of(&format!("({other}) {text}"));
        prop_assert!(second.stands_in(&both));
        prop_assert!(!first.covers(&second) || first.stands_in(&both));
    }

    #[test]
    fn no_text_and_no_entry_is_so_strange_that_it_cannot_be_read(text in "\\PC{0,200}", entry in "\\PC{0,20}") {
        if let Ok(entry) = Entry::read(&entry) {
            let _ = entry.stands_in(&Words::of(&text));
            prop_assert!(entry.covers(&entry) || entry.written().contains('*'));
        }
    }
}
