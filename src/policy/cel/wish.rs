//! What would have to change for a condition to hold, read from its structure: the parts that already say what is wanted
//! are left out, the others are named with the value they saw. Parts are evaluated by [`Run`], as decisions are.

use super::eval::{FactSource, Run};
use super::node::{Asked, Comparison, Node, TextTest};
use super::value::Found;
use super::words::{listed, quoted, say, sign};
use crate::policy::known::FactName;

/// A value as people read it, safe to print.
pub type Show<'s> = dyn Fn(Found<'_>) -> String + 's;

/// What would have to change for a condition to hold; empty where it holds. All of them must come true.
pub fn wishes(node: &Node, names: &[FactName], source: &dyn FactSource, show: &Show<'_>) -> Vec<String> {
    match (Wishing { names, source, show }).wish(node, true) {
        Wish::Met => Vec::new(),
        Wish::All(wishes) => wishes.iter().map(Wish::text).collect(),
        wish => vec![wish.text()],
    }
}

/// What must change.
enum Wish {
    /// Nothing.
    Met,
    /// This.
    Change(String),
    /// All of these, at least two.
    All(Vec<Wish>),
    /// One of these, at least two.
    Any(Vec<Wish>),
}

impl Wish {
    fn all(wishes: impl IntoIterator<Item = Wish>) -> Self {
        let mut open: Vec<Wish> = Vec::new();
        for wish in wishes {
            match wish {
                Wish::Met => {}
                Wish::All(inner) => open.extend(inner),
                wish => open.push(wish),
            }
        }
        match open.len() {
            0 => Wish::Met,
            1 => open.remove(0),
            _ => Wish::All(open),
        }
    }

    fn any(wishes: impl IntoIterator<Item = Wish>) -> Self {
        let mut ways: Vec<Wish> = Vec::new();
        for wish in wishes {
            match wish {
                Wish::Met => return Wish::Met,
                Wish::Any(inner) => ways.extend(inner),
                wish => ways.push(wish),
            }
        }
        if ways.len() == 1 { ways.remove(0) } else { Wish::Any(ways) }
    }

    fn text(&self) -> String {
        let joined =
            |wishes: &[Wish], word: &str| wishes.iter().map(Wish::text).collect::<Vec<_>>().join(&format!("; {word} "));
        match self {
            Wish::Met => "nothing".to_owned(),
            Wish::Change(text) => text.clone(),
            Wish::All(wishes) => joined(wishes, "and"),
            Wish::Any(wishes) => format!("either {}", joined(wishes, "or")),
        }
    }
}

struct Wishing<'v, 's> {
    names: &'v [FactName],
    source: &'v dyn FactSource,
    show: &'v Show<'s>,
}

impl<'v> Wishing<'v, '_> {
    fn wish(&self, node: &'v Node, wanted: bool) -> Wish {
        let mut touched = Vec::new();
        if Run::new(self.names, self.source, &mut touched).yes_no(node) == Ok(wanted) {
            return Wish::Met;
        }
        match node {
            Node::Not(inner) => self.wish(inner, !wanted),
            Node::And(one, two) | Node::Or(one, two) => {
                let both = [self.wish(one, wanted), self.wish(two, wanted)];
                if matches!(node, Node::And(..)) == wanted { Wish::all(both) } else { Wish::any(both) }
            }
            Node::If(ask, yes, no) => Wish::any([
                Wish::all([self.wish(ask, true), self.wish(yes, wanted)]),
                Wish::all([self.wish(ask, false), self.wish(no, wanted)]),
            ]),
            Node::Compare(how, one, two) => self.compare(node, *how, one, two, wanted),
            Node::In(value, list) => self.is_in(node, value, list, wanted),
            Node::Fact(_) => self.must(node, if wanted { "be yes" } else { "be no" }.to_owned()),
            Node::Has(place) => {
                let fact = self.fact(*place);
                let must = if wanted { "be there" } else { "be empty" };
                Wish::Change(format!("{} is {fact}, must {must}", self.name(*place)))
            }
            Node::TextTest(test, text, part) if is_fixed(part) => {
                let verb = match test {
                    TextTest::Contains => "contain",
                    TextTest::StartsWith => "start with",
                    TextTest::EndsWith => "end with",
                };
                self.must(text, format!("{}{verb} {}", not(wanted), say(part, self.names)))
            }
            Node::Finds(text, finder) => {
                let what = match &finder.asked {
                    Asked::Word(word) => format!("mention {}", quoted(word)),
                    Asked::Expression(regex) => format!("match {}", quoted(regex)),
                };
                self.must(text, format!("{}{what}", not(wanted)))
            }
            _ => self.whole(node, wanted),
        }
    }

    fn compare(&self, node: &'v Node, how: Comparison, one: &'v Node, two: &'v Node, wanted: bool) -> Wish {
        let how = if wanted { how } else { opposite(how) };
        match (is_fixed(one), is_fixed(two)) {
            (false, true) => self.must(one, self.stand(how, two)),
            (true, false) => self.must(two, self.stand(how.mirrored(), one)),
            (false, false) => {
                let (left, right) = (say(one, self.names), say(two, self.names));
                let (is_left, is_right) = (self.value(one), self.value(two));
                let must = self.stand(how, two);
                Wish::Change(format!("{left} is {is_left} and {right} is {is_right}, {left} must {must}"))
            }
            (true, true) => self.whole(node, wanted),
        }
    }

    /// How one side must stand to the other.
    fn stand(&self, how: Comparison, to: &Node) -> String {
        let to = say(to, self.names);
        match how {
            Comparison::Equal => format!("be {to}"),
            Comparison::Unequal => format!("not be {to}"),
            how => format!("be {} {to}", sign(how)),
        }
    }

    fn is_in(&self, node: &'v Node, value: &'v Node, list: &'v Node, wanted: bool) -> Wish {
        match (is_fixed(value), list) {
            (true, list) if !is_fixed(list) => {
                self.must(list, format!("{}have {}", not(wanted), say(value, self.names)))
            }
            (false, Node::List(nodes)) if is_fixed(list) => {
                let word = if wanted { "be one of" } else { "be none of" };
                self.must(value, format!("{word} {}", listed(nodes, self.names)))
            }
            _ => self.whole(node, wanted),
        }
    }

    /// A part that must become something else.
    fn must(&self, part: &'v Node, must: String) -> Wish {
        Wish::Change(format!("{} is {}, must {must}", say(part, self.names), self.value(part)))
    }

    /// A part whose inside is left as it is written: it must come out otherwise, by the facts it has.
    fn whole(&self, node: &'v Node, wanted: bool) -> Wish {
        let mut places = Vec::new();
        facts_of(node, &mut places);
        let facts: Vec<String> =
            places.iter().map(|place| format!("{} is {}", self.name(*place), self.fact(*place))).collect();
        let must = if wanted { "must hold" } else { "must not hold" };
        let text = say(node, self.names);
        Wish::Change(if facts.is_empty() {
            format!("`{text}` {must}, and no fact can change it")
        } else {
            format!("`{text}` {must}; {}", facts.join(", "))
        })
    }

    fn name(&self, place: usize) -> String {
        self.names.get(place).map(ToString::to_string).unwrap_or_default()
    }

    fn fact(&self, place: usize) -> String {
        self.names.get(place).map_or_else(String::new, |name| (self.show)(self.source.fact(name)))
    }

    fn value(&self, node: &'v Node) -> String {
        if let Node::Fact(place) = node {
            return self.fact(*place);
        }
        let mut touched = Vec::new();
        match Run::new(self.names, self.source, &mut touched).value(node) {
            Ok(value) => (self.show)(Found::Value(value)),
            Err(_) => (self.show)(Found::Unknown),
        }
    }
}

fn not(wanted: bool) -> &'static str {
    if wanted { "" } else { "not " }
}

fn opposite(how: Comparison) -> Comparison {
    match how {
        Comparison::Equal => Comparison::Unequal,
        Comparison::Unequal => Comparison::Equal,
        Comparison::Less => Comparison::GreaterOrEqual,
        Comparison::LessOrEqual => Comparison::Greater,
        Comparison::Greater => Comparison::LessOrEqual,
        Comparison::GreaterOrEqual => Comparison::Less,
    }
}

/// Whether no fact can change what it comes to.
fn is_fixed(node: &Node) -> bool {
    let mut places = Vec::new();
    facts_of(node, &mut places);
    places.is_empty()
}

/// The facts of a node, each once, in the order of its text.
fn facts_of(node: &Node, into: &mut Vec<usize>) {
    if let Node::Fact(place) | Node::Has(place) = node
        && !into.contains(place)
    {
        into.push(*place);
    }
    node.parts().into_iter().for_each(|part| facts_of(part, into));
}
