//! Functions of conditions: CEL's own that make sense here, and ours: `has_tag("x")`, `mentions(text, "word")`.

use super::check::{Checker, Local, Typed};
use super::node::{Asked, Finder, Loop, Node, Target, TextTest};
use super::types::Type;
use crate::policy::fold::{folded, is_spaceless};
use crate::policy::known::{FactName, Known, nearest};
use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue};
use regex::{Regex, RegexBuilder};

/// Loops inside loops.
const LOOPS_MAX: usize = 2;
/// The memory that one compiled expression may take.
const REGEX_BYTES_MAX: usize = 1 << 20;

/// What there is, as it is written.
const FUNCTIONS: [&str; 16] = [
    "has",
    "has_tag",
    "mentions",
    "matches",
    "size",
    "contains",
    "startsWith",
    "endsWith",
    "exists",
    "exists_one",
    "all",
    "filter",
    "map",
    "int",
    "double",
    "string",
];

impl Checker<'_> {
    /// A call by name, in either form: `size(x)`, `x.size()`.
    pub(super) fn function(&mut self, at: &IdedExpr, call: &CallExpr) -> Typed {
        let arguments: Vec<&IdedExpr> = call.target.as_deref().into_iter().chain(&call.args).collect();
        match (call.func_name.as_str(), call.target.is_some(), arguments.as_slice()) {
            ("has", false, [fact]) => self.has(fact),
            ("has_tag", false, [tag]) => self.has_tag(tag),
            ("mentions", _, [text, word]) => self.mentions(text, word),
            ("matches", _, [text, expression]) => self.matches(text, expression),
            ("size", _, [inner]) => self.size(inner),
            ("contains", true, [text, part]) => self.text_test(TextTest::Contains, text, part),
            ("startsWith", true, [text, part]) => self.text_test(TextTest::StartsWith, text, part),
            ("endsWith", true, [text, part]) => self.text_test(TextTest::EndsWith, text, part),
            ("exists", true, [list, variable, body]) => self.over(at, Loop::Exists, list, variable, body),
            ("exists_one", true, [list, variable, body]) => self.over(at, Loop::ExistsOne, list, variable, body),
            ("all", true, [list, variable, body]) => self.over(at, Loop::All, list, variable, body),
            ("filter", true, [list, variable, body]) => self.over(at, Loop::Filter, list, variable, body),
            ("map", true, [list, variable, body]) => self.over(at, Loop::Map, list, variable, body),
            ("int", false, [inner]) => self.convert(Target::Whole, inner, Type::Whole),
            ("double", false, [inner]) => self.convert(Target::Number, inner, Type::Number),
            ("string", false, [inner]) => self.convert(Target::Text, inner, Type::Text),
            (name, ..) => self.no_such(at, name),
        }
    }

    fn no_such(&mut self, at: &IdedExpr, name: &str) -> Typed {
        let help = match name {
            "not" | "NOT" => "write `!`".to_owned(),
            "lower" | "lowerAscii" | "toLowerCase" => "`mentions(text, \"word\")` looks in any case".to_owned(),
            _ if FUNCTIONS.contains(&name) => {
                return self.problem(at, format!("`{name}` is not called like this"), how(name));
            }
            _ => match nearest(name, &FUNCTIONS) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are: {}", FUNCTIONS.join(", ")),
            },
        };
        self.problem(at, format!("there is no function `{name}`"), help)
    }

    fn has(&mut self, fact: &IdedExpr) -> Typed {
        match Self::path(fact) {
            Some(path) => match self.fact(fact, &path) {
                Some((place, _)) => (Node::Has(place), Type::YesNo),
                None => (Node::YesNo(false), Type::Any),
            },
            None => self.problem(fact, "`has` asks for a fact", how("has")),
        }
    }

    fn has_tag(&mut self, tag: &IdedExpr) -> Typed {
        let (wanted, kind) = self.typed(tag);
        if !kind.meets(&Type::Text) {
            return self.problem(tag, "a tag is text", how("has_tag"));
        }
        let Some((place, _)) = self.fact(tag, "ticket.tags") else { return (Node::YesNo(false), Type::Any) };
        (Node::In(wanted.into(), Node::Fact(place).into()), Type::YesNo)
    }

    fn text(&mut self, inner: &IdedExpr, name: &str) -> Node {
        let (node, kind) = self.typed(inner);
        if !kind.meets(&Type::Text) {
            self.problem(inner, format!("`{name}` looks into text; this is {}", kind.shown()), how(name));
        }
        node
    }

    fn text_test(&mut self, test: TextTest, text: &IdedExpr, part: &IdedExpr) -> Typed {
        let name = match test {
            TextTest::Contains => "contains",
            TextTest::StartsWith => "startsWith",
            TextTest::EndsWith => "endsWith",
        };
        let (text, part) = (self.text(text, name), self.text(part, name));
        (Node::TextTest(test, text.into(), part.into()), Type::YesNo)
    }

    fn mentions(&mut self, text: &IdedExpr, word: &IdedExpr) -> Typed {
        let node = self.text(text, "mentions");
        match written(word).map(str::trim) {
            Some(written) if !written.is_empty() => match whole_word(written) {
                Ok(regex) => {
                    let finder = Finder { regex, asked: Asked::Word(written.to_owned()) };
                    (Node::Finds(node.into(), finder.into()), Type::YesNo)
                }
                Err(error) => self.problem(word, short(&error), how("mentions")),
            },
            _ => self.problem(word, "`mentions` takes a word that is written here", how("mentions")),
        }
    }

    fn matches(&mut self, text: &IdedExpr, expression: &IdedExpr) -> Typed {
        let node = self.text(text, "matches");
        let Some(written) = written(expression) else {
            return self.problem(expression, "`matches` takes an expression that is written here", how("matches"));
        };
        match RegexBuilder::new(written).size_limit(REGEX_BYTES_MAX).build() {
            Ok(regex) => {
                let finder = Finder { regex, asked: Asked::Expression(written.to_owned()) };
                (Node::Finds(node.into(), finder.into()), Type::YesNo)
            }
            Err(error) => self.problem(expression, short(&error), "a regular expression without look-around"),
        }
    }

    fn size(&mut self, inner: &IdedExpr) -> Typed {
        let (node, kind) = self.typed(inner);
        if !matches!(kind, Type::Text | Type::List(_) | Type::Any) {
            return self.problem(inner, format!("texts and lists have a size; this is {}", kind.shown()), "");
        }
        (Node::Size(node.into()), Type::Whole)
    }

    fn over(&mut self, at: &IdedExpr, what: Loop, list: &IdedExpr, variable: &IdedExpr, body: &IdedExpr) -> Typed {
        let (range, kind) = self.typed(list);
        let of = match kind {
            Type::List(of) => *of,
            Type::Any => Type::Any,
            other => {
                return self.problem(
                    list,
                    format!("this goes over a list; it is given {}", other.shown()),
                    how("exists"),
                );
            }
        };
        let Expr::Ident(name) = &variable.expr else {
            return self.problem(variable, "a loop's variable is a plain name", how("exists"));
        };
        if self.known.look_up(name) != Known::Nothing(None) && matches!(self.known.look_up(name), Known::Branch) {
            return self.problem(variable, format!("`{name}` is where facts are"), "take another name");
        }
        let depth = self.locals.len();
        if depth == LOOPS_MAX {
            return self.problem(at, format!("loops stand at most {LOOPS_MAX} deep"), "");
        }
        let written = match &list.expr {
            Expr::List(list) => list.elements.clone(),
            _ => Vec::new(),
        };
        self.locals.push(Local { name: name.clone(), kind: of.clone(), fact: self.spelled(list), written });
        let (inside, result) = match what {
            Loop::Map => {
                let (inside, kind) = self.typed(body);
                (inside, Type::List(Box::new(kind)))
            }
            Loop::Filter => (self.yes_no(body), Type::List(Box::new(of))),
            Loop::Exists | Loop::ExistsOne | Loop::All => (self.yes_no(body), Type::YesNo),
        };
        self.locals.pop();
        (Node::Loop(what, range.into(), depth, inside.into()), result)
    }

    fn convert(&mut self, target: Target, inner: &IdedExpr, result: Type) -> Typed {
        let (node, kind) = self.typed(inner);
        let converts = match target {
            Target::Whole | Target::Number => kind.is_number() || kind == Type::Text,
            Target::Text => !matches!(kind, Type::List(_)),
        };
        if !converts {
            return self.problem(inner, format!("{} does not turn into {}", kind.shown(), result.shown()), "");
        }
        (Node::Convert(target, node.into()), result)
    }

    /// Facts that have a fixed set of values are compared with one of those.
    pub(super) fn check_words(&mut self, fact: &IdedExpr, with: &IdedExpr) {
        let Some((name, words)) = self.words_of(fact) else { return };
        for one in &self.values(with) {
            if let Some(word) = written(one).filter(|word| !words.contains(word)) {
                let said: Vec<&str> = words.iter().copied().filter(|word| !word.is_empty()).collect();
                let help = nearest(word, &words)
                    .map_or_else(|| format!("one of {}", said.join(", ")), |near| format!("did you mean \"{near}\"?"));
                self.problem(one, format!("`{name}` is never \"{word}\""), help);
            }
        }
    }
}

impl Checker<'_> {
    /// A date is compared with a date, in the one form that sorts as the calendar does; `or_none`: or with no date.
    pub(super) fn check_date(&mut self, fact: &IdedExpr, with: &IdedExpr, or_none: bool) {
        let known = self.spelled(fact).map(|path| self.known.look_up(&path));
        let Some(Known::Fact(name, _)) =
            known.filter(|known| matches!(known, Known::Fact(name, _) if self.known.is_date(name)))
        else {
            return;
        };
        for one in &self.values(with) {
            if let Some(text) = written(one).filter(|text| !(is_date(text) || or_none && text.is_empty())) {
                let message = format!("`{name}` is a date, and \"{text}\" is none");
                self.problem(one, message, "write it as \"2026-03-31\"");
            }
        }
    }

    /// The values that an expression is one of: those of a list, and of a loop over one, where they are written out.
    fn values(&self, with: &IdedExpr) -> Vec<IdedExpr> {
        match &with.expr {
            Expr::List(list) => list.elements.clone(),
            Expr::Ident(name) => self
                .locals
                .iter()
                .rev()
                .find(|local| local.name == *name)
                .map_or_else(|| vec![with.clone()], |local| local.written.clone()),
            _ => vec![with.clone()],
        }
    }

    /// The fact that an expression spells; of a loop's variable, the one that the loop goes over.
    fn spelled(&self, expression: &IdedExpr) -> Option<String> {
        let path = Self::path(expression)?;
        let local = self.locals.iter().rev().find(|local| local.name == path);
        local.map_or(Some(path), |local| local.fact.clone())
    }
}

impl<'c> Checker<'c> {
    /// The words that a fact is one of, where it is one of a few.
    pub(super) fn words_of(&self, fact: &IdedExpr) -> Option<(FactName, Vec<&'c str>)> {
        let known = self.known;
        let Known::Fact(name, _) = known.look_up(&self.spelled(fact)?) else { return None };
        let words = known.words(&name);
        (!words.is_empty()).then_some((name, words))
    }
}

/// The text that an expression is, if it is written out.
fn written(expression: &IdedExpr) -> Option<&str> {
    match &expression.expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}

fn is_date(text: &str) -> bool {
    text.parse::<jiff::civil::Date>().is_ok_and(|date| date.to_string() == text)
}

/// Finds whole words of a folded text. Where a script writes no spaces, every place is a word's edge.
fn whole_word(word: &str) -> Result<Regex, regex::Error> {
    let word = folded(word);
    let edge = |end: Option<char>| match end {
        Some(letter) if is_spaceless(letter) => "",
        Some(letter) if letter.is_alphanumeric() || letter == '_' => r"\b",
        _ => "",
    };
    let inside = word.split_whitespace().map(regex::escape).collect::<Vec<_>>().join(r"\s+");
    let found = format!("{}{inside}{}", edge(word.chars().next()), edge(word.chars().next_back()));
    RegexBuilder::new(&found).case_insensitive(true).size_limit(REGEX_BYTES_MAX).build()
}

fn short(error: &regex::Error) -> String {
    match error {
        regex::Error::CompiledTooBig(_) => "this expression is too large".to_owned(),
        other => {
            let text = other.to_string();
            let last = text.lines().last().unwrap_or_default().trim_start_matches("error: ");
            format!("this is no regular expression: {last}")
        }
    }
}

fn how(name: &str) -> &'static str {
    match name {
        "has" => "write `has(ticket.priority)`",
        "has_tag" => "write `has_tag(\"refund\")`",
        "mentions" => "write `mentions(ticket.text, \"refund\")`",
        "matches" => "write `ticket.subject.matches(\"INV-[0-9]+\")`",
        "size" => "write `size(ticket.tags)`",
        "contains" => "write `ticket.subject.contains(\"…\")`",
        "startsWith" => "write `ticket.subject.startsWith(\"…\")`",
        "endsWith" => "write `ticket.subject.endsWith(\"…\")`",
        "exists" | "exists_one" | "all" | "filter" | "map" => {
            "write `ticket.tags.exists(tag, tag.startsWith(\"vip\"))`"
        }
        "int" | "double" | "string" => "it takes one value",
        _ => "",
    }
}
