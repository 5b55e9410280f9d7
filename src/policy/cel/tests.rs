//! What conditions accept, refuse and answer. The last tests compare our answers with those of the `cel` crate's own
//! interpreter, and throw hostile text at the compiler.

use super::*;
use crate::policy::condition::{Answer, Condition, ConditionProblem};
use crate::policy::known::{FactName, HouseFact, KnownFacts};
use crate::policy::rules::{FieldDeclaration, FieldOwner};
use handoffd_kit::model::{FieldType, PartKind, PartSet};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn known() -> KnownFacts {
    let field = |kind, of| FieldDeclaration { id: "1".into(), kind, of };
    let fields: BTreeMap<String, FieldDeclaration> = [
        ("refund_eur", field(FieldType::Number, FieldOwner::Ticket)),
        ("steps", field(FieldType::Text, FieldOwner::Ticket)),
        ("vip", field(FieldType::YesNo, FieldOwner::Ticket)),
        ("plan", field(FieldType::Choice, FieldOwner::Organization)),
        ("due", field(FieldType::Date, FieldOwner::Ticket)),
    ]
    .map(|(name, field)| (name.to_owned(), field))
    .into();
    KnownFacts::new().with_fields(&fields)
}

/// Facts as a test states them; what it does not state is unknown.
#[derive(Default)]
struct Stated(BTreeMap<&'static str, Found<'static>>);

impl FactSource for Stated {
    fn fact(&self, name: &FactName) -> Found<'_> {
        self.0.get(name.to_string().as_str()).cloned().unwrap_or(Found::Unknown)
    }
}

fn ticket() -> Stated {
    let value = |text| Found::Value(Value::text(text));
    Stated(BTreeMap::from([
        ("ticket.subject", value("Refund for INV-7")),
        (
            "ticket.text",
            value(
                "My café was charged twice.\nRückerstattung bitte, C++ user\nStraße, im\u{ad}por\u{200b}tant, nai\u{308}ve, I can’t",
            ),
        ),
        ("ticket.status", value("open")),
        ("ticket.priority", value("")),
        ("ticket.tags", Found::Value(Value::texts(["refund", "vip-gold"]))),
        ("ticket.fields.refund_eur", Found::Value(Value::Number(6000.0))),
        ("ticket.fields.steps", value("")),
        ("ticket.fields.vip", Found::Empty),
        ("case.hops", Found::Value(Value::Whole(3))),
        ("customer.language", Found::Unread(PartKind::Customer)),
    ]))
}

fn ask(source: &str) -> Answer {
    Condition::compile(source, &known()).unwrap_or_else(|problems| panic!("{source}: {problems:?}")).ask(&ticket())
}

fn problem(source: &str) -> ConditionProblem {
    match Condition::compile(source, &known()) {
        Ok(_) => panic!("accepted: {source}"),
        Err(problems) => problems.into_iter().next().unwrap_or_else(|| panic!("no problem named: {source}")),
    }
}

#[test]
fn conditions_that_hold() {
    for source in [
        "true",
        "has_tag(\"refund\")",
        "ticket.fields.refund_eur > 500.0",
        "ticket.fields.refund_eur > 500",
        "ticket.fields.refund_eur * 2 == 12000 && case.hops + 1 == 4",
        "ticket.tags.exists(tag, tag.startsWith('vip'))",
        "ticket.tags.filter(tag, tag.contains('-')).map(tag, size(tag)) == [8]",
        "size(ticket.tags) == 2 && ticket.tags[1] == \"vip-gold\"",
        "ticket.subject.matches('INV-[0-9]+$')",
        "ticket.status in [\"open\", \"new\"] && ticket.priority == ''",
        "has(ticket.fields.refund_eur) && !has(ticket.fields.steps) && !has(ticket.fields.vip)",
        "case.hops > 2 ? true : false",
        "double('1.5') + 1 == 2.5 && string(case.hops) == '3' && int(2.9) == 2",
        "-case.hops < 0 && 7 % 4 == case.hops",
    ] {
        assert_eq!(ask(source), Answer::Holds, "{source}");
    }
}

#[test]
fn mentions_finds_whole_words_in_any_case() {
    for (source, holds) in [
        ("mentions(ticket.subject, 'refund')", true),
        ("mentions(ticket.text, 'CAFÉ')", true),
        ("mentions(ticket.text, 'rückerstattung')", true),
        ("mentions(ticket.text, 'charge')", false),
        ("mentions(ticket.text, 'charged twice')", true),
        ("ticket.text.mentions('c++')", true),
        ("mentions(ticket.subject, 'inv')", true),
        ("mentions(ticket.subject, 'fund')", false),
        ("mentions(ticket.text, 'STRASSE')", true),
        ("mentions(ticket.text, 'important')", true),
        ("mentions(ticket.text, 'naïve')", true),
        ("mentions(ticket.text, \"can't\")", true),
    ] {
        assert_eq!(ask(source), if holds { Answer::Holds } else { Answer::Fails }, "{source}");
    }
}

#[test]
fn an_unknown_fact_makes_the_condition_unknown_unless_the_answer_is_certain() {
    let unknown = |source: &str| matches!(ask(source), Answer::Unknown(_));
    assert!(unknown("ticket.channel == 'email'"));
    assert!(unknown("!(ticket.channel == 'email')"));
    assert!(unknown("ticket.channel == 'email' && true"));
    assert!(unknown("ticket.channel == 'email' || false"));
    assert!(unknown("has(ticket.channel)"));
    assert!(unknown("ticket.tags.all(tag, tag == ticket.channel)"));
    assert_eq!(ask("ticket.channel == 'email' || true"), Answer::Holds);
    assert_eq!(ask("true || ticket.channel == 'email'"), Answer::Holds);
    assert_eq!(ask("ticket.channel == 'email' && false"), Answer::Fails);
    assert_eq!(ask("ticket.tags.exists(tag, tag == ticket.channel || tag == 'refund')"), Answer::Holds);
}

#[test]
fn what_is_missing_is_named_and_says_which_part_would_tell() {
    let Answer::Unknown(missing) = ask("customer.language == 'de' && ticket.channel == 'web'") else {
        panic!("not unknown");
    };
    assert_eq!(missing.what, ["customer.language", "ticket.channel"]);
    assert_eq!(missing.unread, PartSet::of(&[PartKind::Customer]));
    // The tag already says no: nothing has to be read.
    assert_eq!(ask("customer.language == 'de' && has_tag('other')"), Answer::Fails);
}

#[test]
fn an_empty_number_and_arithmetic_without_a_result_are_unknown() {
    for (source, what) in [
        ("ticket.fields.vip", "ticket.fields.vip (empty)"),
        ("case.hops / 0 == 1", "a division by zero"),
        ("case.hops % 0 == 1", "a division by zero"),
        ("9223372036854775807 + case.hops > 1", "a number too large"),
        ("ticket.tags[2] == 'x'", "place 2 of a list with 2"),
        ("int(ticket.subject) > 1", "a number in \"Refund for INV-7\""),
    ] {
        assert_eq!(
            ask(source),
            Answer::Unknown(Missing { what: vec![what.into()], unread: PartSet::NONE }),
            "{source}"
        );
    }
}

#[test]
fn the_facts_of_a_package_are_read_although_cel_keeps_that_word() {
    for source in [
        "size(package.missing) > 0",
        "'package.x' in ticket.tags || \"package\" == ticket.subject",
        "package.completeness < 0.5 && has(package.completeness)",
        "package.missing.exists(part, part == 'steps')",
        "ticket.fields.due == '' || ticket.fields.due in ['', '2026-03-31']",
        "ticket.tags.exists(tag, tag == 'opne' && ticket.fields.due < '2026-03-31')",
    ] {
        assert!(check(source, &known()).is_ok(), "{source}: {:?}", check(source, &known()).err());
    }
    let found = problem("size(ticket.tags) > 1 && package.mising == 1");
    assert_eq!((found.start, found.end), (25, 39));
    assert_eq!(found.help.as_deref(), Some("did you mean `package.missing`?"));
    assert!(problem("package").message.contains("`package` is not one fact"));
}

#[test]
fn what_is_wrong_is_said_with_its_place_and_a_remedy() {
    for (source, place, message, help) in [
        ("ticket.fields.refund_euro > 1", "ticket.fields.refund_euro", "no fact", "ticket.fields.refund_eur"),
        ("has_tag('x') && tiket.status == 'open'", "tiket.status", "no fact", "ticket.status"),
        ("ticket.status == 'opne'", "'opne'", "never \"opne\"", "open"),
        ("ticket.priority in ['hihg']", "'hihg'", "never", "high"),
        ("['low', 'hihg'].exists(p, p == ticket.priority)", "'hihg'", "never", "high"),
        ("package.missing.exists(part, part == 'stepz')", "'stepz'", "never \"stepz\"", "steps"),
        ("ticket.fields.due in ['2026-03-31', '2026-3-1']", "'2026-3-1'", "is a date", "2026-03-31"),
        ("['2026-3-1'].exists(day, day == ticket.fields.due)", "'2026-3-1'", "is a date", "2026-03-31"),
        ("ticket.fields.due > ''", "''", "is a date", "2026-03-31"),
        ("ticket.priority >= 'high'", "ticket.priority >= 'high'", "no order", "ticket.priority in ["),
        ("'open' < ticket.status", "'open' < ticket.status", "no order", "new, open, pending"),
        (
            "ticket.fields.refund_eur > '500'",
            "ticket.fields.refund_eur > '500'",
            "a number with text",
            "without quotes",
        ),
        ("ticket.fields.steps > 500", "ticket.fields.steps > 500", "text with a number", "type = \"number\""),
        ("size(ticket.tags)", "size(ticket.tags)", "a condition answers yes or no; this is a number", "compare"),
        ("ticket.tags == 'x'", "ticket.tags == 'x'", "a list of texts with text", "in list"),
        ("'x' in ticket.subject", "ticket.subject", "this is text", "contains"),
        ("mention(ticket.text, 'x')", "mention(ticket.text, 'x')", "no function", "mentions"),
        ("not(has_tag('x'))", "not(has_tag('x'))", "no function", "!"),
        ("ticket.subject.matches('[')", "'['", "no regular expression", "regular expression"),
        ("mentions(ticket.text, ticket.subject)", "ticket.subject", "written here", "mentions"),
        ("ticket.priority == null", "null", "null", "has("),
        ("5u > 3", "5u", "unsigned", "u"),
        ("{'a': 1} == {'a': 1}", "", "maps", "list"),
        ("ticket", "ticket", "not one fact", "ticket.status"),
        ("case.contacts_3d > 3", "case.contacts_3d", "no fact", "case.contacts_30d"),
        ("!ticket.subject", "ticket.subject", "yes or no is needed", "compare"),
        ("ticket.tags > 1", "ticket.tags > 1", "a list of texts with a number", "size"),
        ("[1, 'a'] == []", "'a'", "one type", ""),
        ("ticket.tags.exists(ticket, true)", "ticket", "where facts are", "another name"),
        ("timestamp('2026-01-01') < now()", "timestamp('2026-01-01')", "no function", ""),
    ] {
        let found = problem(source);
        assert!(found.message.contains(message), "{source}: {found:?}");
        assert!(found.help.clone().unwrap_or_default().contains(help), "{source}: {found:?}");
        if !place.is_empty() {
            assert_eq!(source.get(found.start..found.end), Some(place), "{source}: {found:?}");
        }
    }
}

#[test]
fn the_usual_slips_are_named_with_what_to_write() {
    for (source, wrong, help) in [
        ("has_tag('a') and has_tag('b')", "and", "write `&&`"),
        ("has_tag('ä = b') OR true", "OR", "write `||`"),
        ("ticket.status = 'open'", "=", "write `==`"),
        ("ticket.subject == 'ü' & true", "&", "write `&&`"),
        ("ticket.status <> 'open'", "<>", "write `!=`"),
        ("not has_tag('a')", "not", "write `!`"),
        ("ticket.subject == \u{201c}x\u{201d}", "\u{201c}", "write `\"`"),
    ] {
        let found = problem(source);
        assert_eq!((source.get(found.start..found.end), found.help.as_deref()), (Some(wrong), Some(help)), "{source}");
    }
    for (source, message) in [
        ("", "is empty"),
        ("has_tag('a') &&", "ends too early"),
        ("ticket.subject == 'x", "not closed"),
        ("ticket.fields.refund_eur > 500 EUR", "`EUR` does not belong here"),
    ] {
        assert!(problem(source).message.contains(message), "{source}: {:?}", problem(source));
    }
}

#[test]
fn all_problems_of_a_condition_are_named_at_once_in_the_order_of_its_text() {
    let problems = Condition::compile("tiket.a == 1 && has_tag(7) && ticket.subject > 3", &known()).unwrap_err();
    let starts: Vec<usize> = problems.iter().map(|problem| problem.start).collect();
    assert_eq!(starts, [0, 24, 30]);
}

#[test]
fn size_and_loops_are_bounded() {
    let long = format!("ticket.subject == '{}'", "x".repeat(2_000));
    assert!(problem(&long).message.contains("at most 2000"));
    for chain in ["1 + ", "ticket.", "!", "-", "((", "[", "true && "] {
        let source = chain.repeat(1_990 / chain.len()) + "1";
        assert!(Condition::compile(&source, &known()).is_err(), "{chain}");
    }
    let two = "ticket.tags.exists(a, ticket.tags.exists(b, a == b))";
    assert_eq!(ask(two), Answer::Holds);
    let three = "ticket.tags.exists(a, ticket.tags.exists(b, ticket.tags.exists(c, a == c)))";
    assert!(problem(three).message.contains("at most 2"));
}

#[test]
fn parts_are_those_of_its_facts() {
    let condition =
        Condition::compile("case.agent_replies > 2 && organization.fields.plan == 'gold'", &known()).unwrap();
    assert_eq!(condition.parts(), PartSet::of(&[PartKind::Conversation, PartKind::Customer]));
    assert_eq!(
        condition.facts(),
        [FactName::House(HouseFact::CaseAgentReplies), FactName::Field(FieldOwner::Organization, "plan".into())]
    );
}

/// A random condition over `case.hops` (3), `ticket.fields.refund_eur` (6000.0), `ticket.subject` and `ticket.tags`.
fn conditions() -> impl Strategy<Value = String> {
    let whole = prop_oneof![Just("case.hops".to_owned()), (-9i64..9).prop_map(|n| n.to_string())];
    let whole = whole.prop_recursive(2, 6, 2, |inner| {
        (inner.clone(), prop::sample::select(vec!["+", "-", "*", "/", "%"]), inner)
            .prop_map(|(one, sign, two)| format!("({one} {sign} {two})"))
    });
    let text = prop::sample::select(vec!["ticket.subject", "'Refund'", "'7'", "''"]).prop_map(str::to_owned);
    let order = prop::sample::select(vec!["==", "!=", "<", "<=", ">", ">="]);
    let yes_no = prop_oneof![
        (whole.clone(), order.clone(), whole.clone()).prop_map(|(one, sign, two)| format!("{one} {sign} {two}")),
        (order.clone(), whole).prop_map(|(sign, n)| format!("ticket.fields.refund_eur {sign} {n}")),
        (text.clone(), order, text.clone()).prop_map(|(one, sign, two)| format!("{one} {sign} {two}")),
        (prop::sample::select(vec!["contains", "startsWith", "endsWith"]), text.clone())
            .prop_map(|(name, part)| format!("ticket.subject.{name}({part})")),
        text.clone().prop_map(|text| format!("{text} in ticket.tags")),
        (prop::sample::select(vec!["exists", "all", "exists_one"]), text)
            .prop_map(|(name, text)| format!("ticket.tags.{name}(tag, tag == {text} || size(tag) > 6)")),
    ];
    yes_no.prop_recursive(4, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), prop::sample::select(vec!["&&", "||", "=="]), inner.clone())
                .prop_map(|(one, sign, two)| format!("(({one}) {sign} ({two}))")),
            inner.clone().prop_map(|inner| format!("!({inner})")),
            (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("(({a}) ? ({b}) : ({c}))")),
        ]
    })
}

fn by_the_interpreter(source: &str) -> Option<bool> {
    let ticket = serde_json::json!({
        "subject": "Refund for INV-7", "tags": ["refund", "vip-gold"], "fields": { "refund_eur": 6000.0 }
    });
    let mut context = ::cel::Context::default();
    context.add_variable("ticket", ticket).unwrap();
    context.add_variable("case", BTreeMap::from([("hops", 3i64)])).unwrap();
    match ::cel::Program::compile(source).unwrap().execute(&context) {
        Ok(::cel::Value::Bool(yes)) => Some(yes),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn our_answers_are_those_of_the_interpreter(source in conditions()) {
        let ours = match Condition::compile(&source, &known()) {
            Ok(condition) => condition.ask(&ticket()),
            Err(problems) => {
                let bound = problems.iter().all(|problem| problem.message.contains("more than"));
                prop_assert!(bound, "{source}: {problems:?}");
                return Ok(());
            }
        };
        let theirs = by_the_interpreter(&source);
        let ours = match ours { Answer::Holds => Some(true), Answer::Fails => Some(false), Answer::Unknown(_) => None };
        prop_assert_eq!(ours, theirs, "{}", source);
    }

    #[test]
    fn a_condition_said_again_means_the_same_and_wishes_for_nothing_only_where_it_holds(source in conditions()) {
        let Ok(checked) = check(&source, &known()) else { return Ok(()) };
        let again = words::say(&checked.node, &checked.facts);
        prop_assert_eq!(Condition::compile(&again, &known()).map(|said| said.ask(&ticket())), Ok(ask(&source)), "{}", again);
        prop_assert_eq!(wishes(&source).is_empty(), ask(&source) == Answer::Holds, "{}", source);
    }

    #[test]
    fn no_text_makes_the_compiler_panic(source in r#"([a-z.]{1,9}|[ ()\[\]{}!&|=<>+*/%?:,"'`~@#$^\\-]|ticket\.|"|ü|“|\PC){0,40}"#) {
        if let Err(problems) = Condition::compile(&source, &known()) {
            prop_assert!(!problems.is_empty());
            for problem in problems {
                prop_assert!(source.get(problem.start..problem.end).is_some(), "{:?}", problem);
            }
        }
    }
}

/// What would have to change, with values as they are.
fn wishes(source: &str) -> Vec<String> {
    let condition = Condition::compile(source, &known()).unwrap_or_else(|problems| panic!("{source}: {problems:?}"));
    condition.wishes(&ticket(), &crate::policy::shown::shown_in_sentence)
}

#[test]
fn what_would_have_to_change_is_read_from_the_structure() {
    for (source, wanted) in [
        ("ticket.fields.refund_eur > 500.0", &[][..]),
        ("ticket.fields.refund_eur > 9000.0", &["ticket.fields.refund_eur is 6000, must be > 9000"]),
        ("9000.0 < ticket.fields.refund_eur", &["ticket.fields.refund_eur is 6000, must be > 9000"]),
        ("!(case.hops >= 3)", &["case.hops is 3, must be < 3"]),
        ("case.hops != 3", &["case.hops is 3, must not be 3"]),
        ("has_tag('other')", &["ticket.tags is [refund, vip-gold], must have \"other\""]),
        ("!has_tag('refund')", &["ticket.tags is [refund, vip-gold], must not have \"refund\""]),
        ("ticket.subject in ['a', 'b']", &["ticket.subject is Refund for INV-7, must be one of \"a\", \"b\""]),
        ("has_tag('refund') && case.hops > 5", &["case.hops is 3, must be > 5"]),
        (
            "has_tag('a') && case.hops > 5",
            &["ticket.tags is [refund, vip-gold], must have \"a\"", "case.hops is 3, must be > 5"],
        ),
        (
            "has_tag('a') || case.hops > 5 && ticket.subject == 'x'",
            &["either ticket.tags is [refund, vip-gold], must have \"a\"; or case.hops is 3, must be > 5; and \
               ticket.subject is Refund for INV-7, must be \"x\""],
        ),
        ("mentions(ticket.subject, 'money')", &["ticket.subject is Refund for INV-7, must mention \"money\""]),
        ("!mentions(ticket.subject, 'refund')", &["ticket.subject is Refund for INV-7, must not mention \"refund\""]),
        ("ticket.subject.startsWith('x')", &["ticket.subject is Refund for INV-7, must start with \"x\""]),
        ("ticket.subject.matches('^x$')", &["ticket.subject is Refund for INV-7, must match \"^x$\""]),
        ("size(ticket.tags) > 5", &["size(ticket.tags) is 2, must be > 5"]),
        (
            "case.hops * 2 > case.hops + 9",
            &["case.hops * 2 is 6 and case.hops + 9 is 12, case.hops * 2 must be > case.hops + 9"],
        ),
        ("has(ticket.fields.vip)", &["ticket.fields.vip is empty, must be there"]),
        ("ticket.channel == 'web'", &["ticket.channel is unknown, must be \"web\""]),
        (
            "ticket.tags.exists(tag, tag.startsWith('x'))",
            &["`ticket.tags.exists(x, x.startsWith(\"x\"))` must hold; ticket.tags is [refund, vip-gold]"],
        ),
        ("1 > 2", &["`1 > 2` must hold, and no fact can change it"]),
    ] {
        assert_eq!(wishes(source), wanted, "{source}");
    }
}
