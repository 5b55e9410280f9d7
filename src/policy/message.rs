//! Templates: the `reason` of a rule, which colleagues read, and the wordings of public messages, which customers read.
//! What each kind may say is fixed here: no internal fact has a name in a public template.

use super::cel::{FactSource, Found, Value};
use super::known::{FactName, FactType, Known, KnownFacts, nearest};
use super::message_uses::Uses;
use handoffd_kit::text::CUT;
use minijinja::value::{Object, ObjectRepr, Value as Shown};
use minijinja::{Environment, Error, ErrorKind, UndefinedBehavior};
use sha2::{Digest, Sha256};
use std::cell::LazyCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;

/// Characters that a rendered reason or message may have. A longer reason is cut, and says so; a longer message is not sent: its
/// end is part of what was signed.
const RENDERED_MAX: usize = 4_000;

/// Who reads what a template renders, which decides what it may say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TemplateKind {
    /// Colleagues: every declared fact, `from.name`, `to.name`, `to.public_name`.
    Reason,
    /// The customer: `to.public_name`, `respond_by`, `customer.name`, `ticket.subject`, `ticket.id` and nothing else.
    Public,
}

impl TemplateKind {
    fn names(self) -> &'static [&'static str] {
        match self {
            Self::Reason => &["from.name", "to.name", "to.public_name"],
            Self::Public => &["to.public_name", "respond_by", "customer.name", "ticket.subject", "ticket.id"],
        }
    }
}

/// One thing that is wrong with a template, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateProblem {
    /// Where it begins: byte offset into the template's text.
    pub start: usize,
    /// Where it ends: byte offset behind its last character.
    pub end: usize,
    /// What is wrong.
    pub message: String,
    /// What would be accepted.
    pub help: Option<String>,
}

/// Everything that is wrong with a template; empty when it can be used.
pub fn check_template(source: &str, kind: TemplateKind, known: &KnownFacts) -> Vec<TemplateProblem> {
    let mut problems = Vec::new();
    let names = match names_in(source) {
        Ok(names) => names,
        Err(error) => return vec![complaint(source, &error)],
    };
    for name in &names {
        if let Some((message, help)) = name_problem(name, kind, known) {
            let (start, end) = place(source, name);
            problems.push(TemplateProblem { start, end, message, help: Some(help) });
        }
    }
    if problems.is_empty() {
        // Filters and tests are looked up while rendering: try once, with a sample of everything.
        let samples = names.iter().map(|name| (name.clone(), sample(name, known))).collect();
        match fill(source, &samples) {
            Ok(text) if kind == TemplateKind::Public && is_too_long(&text) => problems.push(TemplateProblem {
                start: 0,
                end: source.len(),
                message: too_long(&text),
                help: Some("shorten it: what a customer gets is the whole wording or nothing".to_owned()),
            }),
            Ok(_) => {}
            Err(error) => problems.push(complaint(source, &error)),
        }
    }
    problems.sort_by_key(|problem| problem.start);
    problems
}

fn name_problem(name: &str, kind: TemplateKind, known: &KnownFacts) -> Option<(String, String)> {
    if kind.names().contains(&name) {
        return None;
    }
    let allowed = || format!("it may use {}", kind.names().join(", "));
    match (kind, known.look_up(name)) {
        (TemplateKind::Reason, Known::Fact(..)) => None,
        (TemplateKind::Reason, Known::NoPackage) => Some((format!("`{name}` is not supported yet"), allowed())),
        (TemplateKind::Reason, Known::Branch) => {
            let help = "say which of its facts, with dots: `ticket.subject`".to_owned();
            Some((format!("`{name}` is not one fact"), help))
        }
        (TemplateKind::Reason, Known::Nothing(near)) => {
            let near = nearest(name, kind.names()).or(near);
            let help = near.map_or_else(allowed, |near| format!("did you mean `{near}`?"));
            Some((format!("nothing is called `{name}` in a reason"), help))
        }
        (TemplateKind::Public, Known::Fact(..)) => Some((format!("customers never read `{name}`"), allowed())),
        (TemplateKind::Public, _) if TemplateKind::Reason.names().contains(&name) => {
            Some((format!("customers never read `{name}`"), allowed()))
        }
        (TemplateKind::Public, _) => {
            let help = nearest(name, kind.names()).map_or_else(allowed, |near| format!("did you mean `{near}`?"));
            Some((format!("nothing is called `{name}` in a public message"), help))
        }
    }
}

/// The names that a template uses, with their dots.
///
/// # Errors
/// The template cannot be read.
pub fn names_in(source: &str) -> Result<BTreeSet<String>, Error> {
    let environment = environment();
    let template = environment.template_from_str(source)?;
    Ok(template.undeclared_variables(true).into_iter().collect())
}

/// Renders a reason. What is unknown or empty is called so where it is told, and decides nothing: a reason that depends on it
/// is not told, but says why. It never fails.
pub fn render_reason(
    source: &str,
    house: &BTreeMap<String, Shown>,
    known: &KnownFacts,
    facts: &dyn FactSource,
) -> String {
    // Most reasons have all that they ask for.
    let uses = LazyCell::new(|| Uses::of(source));
    let (mut values, mut missing) = (BTreeMap::new(), Vec::new());
    for name in names_in(source).unwrap_or_default() {
        let found = match (house.get(&name), known.look_up(&name)) {
            (Some(value), _) => {
                values.insert(name, value.clone());
                continue;
            }
            (None, Known::Fact(fact, _)) => facts.fact(&fact),
            (None, _) => Found::Unknown,
        };
        if !matches!(found, Found::Value(_)) {
            missing.extend(uses.misses(&name, &found));
        }
        values.insert(name, shown(found));
    }
    let text = if missing.is_empty() {
        fill(source, &values).map_err(|error| in_words(&error))
    } else {
        Err(missing.join(", "))
    };
    let text = text.unwrap_or_else(|why| format!("what its rule says; the words for it cannot be told, for {why}"));
    match text.char_indices().nth(RENDERED_MAX - CUT.chars().count()) {
        Some((end, _)) if is_too_long(&text) => format!("{}{CUT}", text[..end].trim_end()),
        _ => text,
    }
}

fn is_too_long(text: &str) -> bool {
    text.chars().nth(RENDERED_MAX).is_some()
}

fn too_long(text: &str) -> String {
    format!("it comes to {} characters, and at most {RENDERED_MAX} are sent", text.chars().count())
}

/// The facts that a reason looks at.
pub fn facts_in(source: &str, known: &KnownFacts) -> Vec<FactName> {
    let names = names_in(source).unwrap_or_default();
    let fact = |name: String| match known.look_up(&name) {
        Known::Fact(fact, _) => Some(fact),
        _ => None,
    };
    names.into_iter().filter_map(fact).collect()
}

/// Renders a public wording from exactly these values.
///
/// # Errors
/// In words: which value is missing, or why it cannot be rendered. Nothing half filled ever leaves.
pub fn render_public(source: &str, values: &BTreeMap<String, String>) -> Result<String, String> {
    let names = names_in(source).map_err(|error| error.to_string())?;
    let filled = names.into_iter().map(|name| {
        // A value that is not there may be asked for (`{% if customer.name %}`), not printed.
        let value = values.get(&name).map_or(Shown::from(()), |text| Shown::from(text.replace(BEGINS, "")));
        (name, value)
    });
    // What stands for the receiving team begins many a sentence, and is written small ("our specialists").
    let name = values.get("to.public_name").map(String::as_str);
    let text = rendered(environment_for(name), source, &filled.collect()).map_err(|error| in_words(&error))?;
    let text = with_capitals(&text);
    if is_too_long(&text) {
        return Err(too_long(&text));
    }
    if text.trim().is_empty() { Err("its text is empty".to_owned()) } else { Ok(text) }
}

/// Hash over all wordings of a message: what a signature is for. Any change to any language asks for a new signature.
pub fn wording_hash(wordings: &BTreeMap<String, String>) -> String {
    let mut hash = Sha256::new();
    for (language, wording) in wordings {
        // Lengths keep two neighbours from reading as one.
        hash.update((language.len() as u64).to_be_bytes());
        hash.update(language);
        hash.update((wording.len() as u64).to_be_bytes());
        hash.update(wording);
    }
    hex::encode(&hash.finalize()[..8])
}

fn environment() -> Environment<'static> {
    environment_for(None)
}

/// Where this name is printed, its place is marked.
fn environment_for(name: Option<&str>) -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    let name = name.map(|name| name.replace(BEGINS, ""));
    environment.set_formatter(move |out, state, value| {
        if value.is_none() {
            return Err(Error::new(ErrorKind::InvalidOperation, "a value that it prints is not known"));
        }
        if name.is_some() && value.as_str() == name.as_deref() {
            out.write_char(BEGINS)?;
        }
        minijinja::escape_formatter(out, state, value)
    });
    environment
}

/// Marks a name that begins with a capital where it begins a sentence. No text that anybody writes has it.
const BEGINS: char = '\u{fdd0}';

/// The same text, with a capital at each marked place that begins a sentence, and without the marks.
fn with_capitals(text: &str) -> String {
    let mut parts = text.split(BEGINS);
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let before = whole.trim_end();
        let spaced = before.len() < whole.len();
        let begins = before.is_empty() || spaced && before.ends_with(['.', '!', '?', '…']);
        // "iPay" is written as it is.
        let small = !part.split_whitespace().next().unwrap_or_default().contains(char::is_uppercase);
        let mut letters = part.chars();
        match letters.next().filter(|_| begins && small) {
            Some(first) => {
                whole.extend(first.to_uppercase());
                whole.push_str(letters.as_str());
            }
            None => whole.push_str(part),
        }
    }
    whole
}

/// Renders with these values; a name with dots becomes nested maps.
fn fill(source: &str, values: &BTreeMap<String, Shown>) -> Result<String, Error> {
    rendered(environment(), source, values)
}

fn rendered(environment: Environment<'_>, source: &str, values: &BTreeMap<String, Shown>) -> Result<String, Error> {
    let mut root = Tree::default();
    for (name, value) in values {
        root.put(name, value);
    }
    Ok(environment.render_str(source, root.into_value())?.trim().to_owned())
}

#[derive(Default)]
struct Tree {
    value: Option<Shown>,
    inside: BTreeMap<String, Tree>,
}

impl Tree {
    fn put(&mut self, name: &str, value: &Shown) {
        match name.split_once('.') {
            Some((first, rest)) => self.inside.entry(first.to_owned()).or_default().put(rest, value),
            None => self.inside.entry(name.to_owned()).or_default().value = Some(value.clone()),
        }
    }

    fn into_value(self) -> Shown {
        match self.value {
            Some(value) if self.inside.is_empty() => value,
            _ => {
                let inside = self.inside.into_iter().map(|(name, tree)| (name, tree.into_value()));
                Shown::from(inside.collect::<BTreeMap<String, Shown>>())
            }
        }
    }
}

/// What is not there, where it is told: the word for it, which is true of nothing.
#[derive(Debug)]
struct Absent(&'static str);

impl Object for Absent {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Plain
    }

    fn is_true(self: &Arc<Self>) -> bool {
        false
    }

    fn render(self: &Arc<Self>, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0)
    }
}

fn shown(found: Found<'_>) -> Shown {
    match found {
        Found::Value(Value::YesNo(yes)) => Shown::from(yes),
        Found::Value(Value::List(values)) => {
            Shown::from_iter(values.into_iter().map(|value| Shown::from(super::package::clean(&value.shown()))))
        }
        Found::Value(Value::Whole(number)) => Shown::from(number),
        // 6000, not 6000.0; a sum with a fraction stays a number for filters like `round`.
        Found::Value(Value::Number(number)) if number.fract() == 0.0 && number.abs() < 1e15 => {
            Shown::from(number as i64)
        }
        Found::Value(Value::Number(number)) => Shown::from(number),
        Found::Value(Value::Text(text)) => Shown::from(super::package::clean(&text)),
        Found::Empty => Shown::from_object(Absent("empty")),
        Found::Unknown | Found::Unread(_) => Shown::from_object(Absent("unknown")),
    }
}

fn sample(name: &str, known: &KnownFacts) -> Shown {
    match known.look_up(name) {
        Known::Fact(_, FactType::YesNo) => Shown::from(true),
        Known::Fact(_, FactType::Whole) => Shown::from(3),
        Known::Fact(_, FactType::Number) => Shown::from(1.5),
        Known::Fact(_, FactType::Texts) => Shown::from(vec!["text"]),
        Known::Fact(_, FactType::Wholes) => Shown::from(vec![3]),
        _ => Shown::from("text"),
    }
}

/// Where a name stands in a template.
fn place(source: &str, name: &str) -> (usize, usize) {
    let part = |letter: char| letter.is_alphanumeric() || letter == '_';
    source
        .match_indices(name)
        .find(|(at, _)| {
            let before = source[..*at].chars().next_back();
            let after = source[at + name.len()..].chars().next();
            !before.is_some_and(|letter| part(letter) || letter == '.') && !after.is_some_and(part)
        })
        .map_or((0, source.len()), |(at, found)| (at, at + found.len()))
}

fn in_words(error: &Error) -> String {
    error.detail().map_or_else(|| error.kind().to_string(), str::to_owned)
}

fn complaint(source: &str, error: &Error) -> TemplateProblem {
    // The template engine tells the line.
    let line = error.line().and_then(|line| line.checked_sub(1));
    let before: usize = source.split_inclusive('\n').take(line.unwrap_or(0)).map(str::len).sum();
    let length = source.get(before..).and_then(|rest| rest.lines().next()).map_or(0, str::len);
    let (start, end) = if length == 0 { (0, source.len()) } else { (before, before + length) };
    let message = in_words(error);
    let help = "templates are written like `{{ ticket.subject }}` and `{% if … %}…{% endif %}`".to_owned();
    TemplateProblem { start, end, message, help: Some(help) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::facts::Facts;
    use crate::policy::testing;

    fn problem(source: &str, kind: TemplateKind) -> (String, String, String) {
        let problems = check_template(source, kind, &testing::known());
        assert_eq!(problems.len(), 1, "{source}: {problems:?}");
        let problem = problems.into_iter().next().unwrap();
        let place = source[problem.start..problem.end].to_owned();
        (place, problem.message, problem.help.unwrap_or_default())
    }

    #[test]
    fn a_template_may_use_what_its_readers_may_know() {
        let reason =
            "{{ ticket.fields.refund_eur | round }} from {{ from.name }}{% if case.hops > 1 %} again{% endif %}";
        assert_eq!(check_template(reason, TemplateKind::Reason, &testing::known()), []);
        let public =
            "{% if customer.name %}Dear {{ customer.name }}, {% endif %}{{ to.public_name }} by {{ respond_by }}";
        assert_eq!(check_template(public, TemplateKind::Public, &testing::known()), []);
    }

    #[test]
    fn an_internal_fact_in_a_public_template_is_refused_at_its_place() {
        for internal in ["case.bounces", "ticket.fields.refund_eur", "ticket.text"] {
            let (place, message, help) = problem(&format!("Hello {{{{ {internal} }}}}"), TemplateKind::Public);
            assert_eq!(place, internal);
            assert!(message.contains("never read") && help.contains("to.public_name"), "{message}: {help}");
        }
        let (place, _, help) = problem("{{ to.publik_name }}", TemplateKind::Public);
        assert_eq!((place.as_str(), help.as_str()), ("to.publik_name", "did you mean `to.public_name`?"));
        // Ways around a name are no way.
        for around in ["{{ ticket['text'] }}", "{{ ticket }}", "{% for x in ticket %}{{ x }}{% endfor %}"] {
            assert_ne!(check_template(around, TemplateKind::Public, &testing::known()), [], "{around}");
        }
    }

    #[test]
    fn what_cannot_be_read_or_rendered_is_said() {
        for broken in ["{{ ticket.subject", "{% if %}", "{{ ticket.subject | nonsense }}", "{% include 'x' %}"] {
            assert_ne!(check_template(broken, TemplateKind::Reason, &testing::known()), [], "{broken}");
        }
        let (_, _, help) = problem("{{ ticket.fields.refund }}", TemplateKind::Reason);
        assert_eq!(help, "did you mean `ticket.fields.refund_eur`?");
    }

    #[test]
    fn a_reason_that_depends_on_what_is_not_known_states_nothing_and_says_why() {
        let (policy, known) = (testing::policy(), testing::known());
        let mut case = testing::case();
        case.head.fields.clear();
        let facts = Facts::new(&case, &policy);
        let said = |source: &str| render_reason(source, &BTreeMap::new(), &known, &facts);
        for source in [
            "{% if ticket.fields.refund_eur > 500.0 %}above the limit{% else %}within{% endif %}",
            "{{ ticket.fields.refund_eur | round }} EUR",
            "{{ ticket.fields.refund_eur - 500 }} EUR too much",
        ] {
            let text = said(source);
            assert!(text.ends_with("cannot be told, for ticket.fields.refund_eur is unknown"), "{source}: {text}");
        }
        assert_eq!(said("A refund of {{ ticket.fields.refund_eur }} EUR"), "A refund of unknown EUR");
    }

    #[test]
    fn a_reason_says_what_is_unknown_and_takes_hostile_text_as_text() {
        let mut case = testing::case();
        case.head.subject = handoffd_kit::fact::Fact::Known("{{ case.hops }} [handoffd h/1 r@v]".into());
        let policy = testing::policy();
        let facts = Facts::new(&case, &policy);
        let reason = "{{ ticket.subject }}: {{ ticket.channel }}, {{ ticket.fields.refund_eur }}";
        let text = render_reason(reason, &BTreeMap::new(), &testing::known(), &facts);
        assert_eq!(text, "{{ case.hops }} (handoffd h/1 r@v]: unknown, 6000");
    }

    #[test]
    fn a_public_wording_with_a_value_missing_is_not_rendered_half() {
        let values = BTreeMap::from([("to.public_name".to_owned(), "our specialists".to_owned())]);
        assert_eq!(render_public("{{ to.public_name }}!", &values), Ok("Our specialists!".to_owned()));
        assert!(render_public("Dear {{ customer.name }}", &values).is_err());
        assert_eq!(
            render_public("Hi{% if customer.name %} {{ customer.name }}{% endif %}", &values),
            Ok("Hi".to_owned())
        );
        assert!(render_public("  ", &values).is_err());
    }

    #[test]
    fn the_teams_name_has_a_capital_where_it_begins_a_sentence_and_nowhere_else() {
        let text = |source: &str, name: &str| {
            let values = [("to.public_name", name), ("customer.name", "eva"), ("ticket.subject", "our order")];
            let values = values.map(|(name, value)| (name.to_owned(), value.to_owned()));
            render_public(source, &values.into()).expect("rendered")
        };
        let ours = |source: &str| text(source, "our specialists");
        assert_eq!(ours("{{ to.public_name }} look at it."), "Our specialists look at it.");
        assert_eq!(ours("  {{ to.public_name }} look at it."), "Our specialists look at it.");
        assert_eq!(
            ours("It is with {{ to.public_name }}. {{ to.public_name }} look at it.\n\n{{ to.public_name }} write."),
            "It is with our specialists. Our specialists look at it.\n\nOur specialists write."
        );
        let dear = "{% if customer.name %}Dear {{ customer.name }}, {% endif %}{{ to.public_name }} look at it.";
        assert_eq!(ours(dear), "Dear eva, our specialists look at it.");
        assert_eq!(ours("{{ ticket.subject }}: {{ to.public_name }}"), "our order: our specialists");
        assert_eq!(ours("v1.{{ to.public_name }}"), "v1.our specialists", "no sentence");
        assert_eq!(ours("{% if to.public_name == 'our specialists' %}yes{% endif %}"), "yes");
        assert_eq!(text("{{ to.public_name }}", "équipe"), "Équipe");
        assert_eq!(text("{{ to.public_name }}", "iPay"), "iPay");
        assert_eq!(text("{{ to.public_name }}", "我们的专家"), "我们的专家");
        assert_eq!(text("{{ customer.name }}", "x"), "eva");
        let hostile = BTreeMap::from([("ticket.subject".to_owned(), "a. \u{fdd0}b".to_owned())]);
        assert_eq!(render_public("{{ ticket.subject }}", &hostile), Ok("a. b".to_owned()));
    }

    #[test]
    fn what_is_too_long_is_cut_for_colleagues_and_refused_for_customers() {
        let (long, fits) = ("x".repeat(RENDERED_MAX + 1), "x".repeat(RENDERED_MAX));
        let case = testing::case();
        let policy = testing::policy();
        let reason =
            |source: &str| render_reason(source, &BTreeMap::new(), &testing::known(), &Facts::new(&case, &policy));
        assert!(reason(&long).ends_with(CUT) && reason(&long).chars().count() == RENDERED_MAX);
        assert_eq!(reason(&fits), fits);
        assert_eq!(check_template(&long, TemplateKind::Reason, &testing::known()), []);
        let (_, message, help) = problem(&long, TemplateKind::Public);
        assert!(message.contains("4001") && help.contains("shorten"), "{message}: {help}");
        assert_eq!(check_template(&fits, TemplateKind::Public, &testing::known()), []);
        assert!(render_public(&long, &BTreeMap::new()).is_err());
        assert_eq!(render_public(&fits, &BTreeMap::new()), Ok(fits));
    }

    #[test]
    fn any_change_to_any_wording_changes_the_hash() {
        let wordings = |pairs: &[(&str, &str)]| {
            wording_hash(&pairs.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect())
        };
        let one = wordings(&[("en", "Hello"), ("fr", "Salut")]);
        assert_eq!(one, wordings(&[("fr", "Salut"), ("en", "Hello")]));
        assert_ne!(one, wordings(&[("en", "Hello "), ("fr", "Salut")]));
        assert_ne!(one, wordings(&[("en", "Hello")]));
    }
}
