//! A checked node as text again, for people: short, in the words of conditions.

use super::node::{Asked, Comparison, Loop, Node, Operator, Target, TextTest};
use crate::policy::known::FactName;

/// Names for loop variables: the ones that were written are not kept.
const LOCALS: [&str; 2] = ["x", "y"];

/// A node as it could have been written.
pub fn say(node: &Node, names: &[FactName]) -> String {
    let part = |inner: &Node| inside(inner, node, names);
    match node {
        Node::YesNo(yes) => yes.to_string(),
        Node::Whole(number) => number.to_string(),
        Node::Number(number) => number.to_string(),
        Node::Text(text) => quoted(text),
        Node::List(nodes) => format!("[{}]", listed(nodes, names)),
        Node::Fact(place) => name(*place, names),
        Node::Has(place) => format!("has({})", name(*place, names)),
        Node::Local(depth) => LOCALS.get(*depth).copied().unwrap_or("z").to_owned(),
        Node::Not(inner) => format!("!{}", part(inner)),
        Node::And(one, two) => format!("{} && {}", part(one), part(two)),
        Node::Or(one, two) => format!("{} || {}", part(one), part(two)),
        Node::If(ask, yes, no) => format!("{} ? {} : {}", part(ask), part(yes), part(no)),
        Node::Compare(how, one, two) => format!("{} {} {}", part(one), sign(*how), part(two)),
        Node::Arithmetic(what, one, two) => format!("{} {} {}", part(one), operator(*what), part(two)),
        Node::Negate(inner) => format!("-{}", part(inner)),
        Node::In(value, list) => format!("{} in {}", part(value), part(list)),
        Node::At(list, place) => format!("{}[{}]", part(list), say(place, names)),
        Node::Size(inner) => format!("size({})", say(inner, names)),
        Node::TextTest(test, text, other) => format!("{}.{}({})", part(text), test_name(*test), say(other, names)),
        Node::Finds(text, finder) => match &finder.asked {
            Asked::Word(word) => format!("mentions({}, {})", say(text, names), quoted(word)),
            Asked::Expression(regex) => format!("{}.matches({})", part(text), quoted(regex)),
        },
        Node::Loop(what, list, depth, body) => {
            let local = LOCALS.get(*depth).copied().unwrap_or("z");
            format!("{}.{}({local}, {})", part(list), loop_name(*what), say(body, names))
        }
        Node::Convert(target, inner) => {
            let name = match target {
                Target::Whole => "int",
                Target::Number => "double",
                Target::Text => "string",
            };
            format!("{name}({})", say(inner, names))
        }
    }
}

/// Nodes with commas.
pub fn listed(nodes: &[Node], names: &[FactName]) -> String {
    nodes.iter().map(|node| say(node, names)).collect::<Vec<_>>().join(", ")
}

/// The sign of a comparison.
pub fn sign(how: Comparison) -> &'static str {
    match how {
        Comparison::Equal => "==",
        Comparison::Unequal => "!=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
    }
}

/// Text in quotes.
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

fn name(place: usize, names: &[FactName]) -> String {
    names.get(place).map(ToString::to_string).unwrap_or_default()
}

/// A part in parentheses where it binds less than what it stands in.
fn inside(inner: &Node, outer: &Node, names: &[FactName]) -> String {
    let text = say(inner, names);
    // Two of one kind side by side read the same either way.
    let same = matches!((inner, outer), (Node::And(..), Node::And(..)) | (Node::Or(..), Node::Or(..)));
    if same || binding(inner) > binding(outer) { text } else { format!("({text})") }
}

fn binding(node: &Node) -> u8 {
    match node {
        Node::If(..) => 0,
        Node::Or(..) => 1,
        Node::And(..) => 2,
        Node::Compare(..) | Node::In(..) => 3,
        Node::Arithmetic(Operator::Add | Operator::Subtract, ..) => 4,
        Node::Arithmetic(..) => 5,
        Node::Not(_) | Node::Negate(_) => 6,
        Node::At(..) | Node::TextTest(..) | Node::Loop(..) => 7,
        Node::Finds(_, finder) if matches!(finder.asked, Asked::Expression(_)) => 7,
        Node::Number(number) if *number < 0.0 => 6,
        Node::Whole(number) if *number < 0 => 6,
        _ => 8,
    }
}

fn operator(what: Operator) -> &'static str {
    match what {
        Operator::Add => "+",
        Operator::Subtract => "-",
        Operator::Multiply => "*",
        Operator::Divide => "/",
        Operator::Remainder => "%",
    }
}

fn test_name(test: TextTest) -> &'static str {
    match test {
        TextTest::Contains => "contains",
        TextTest::StartsWith => "startsWith",
        TextTest::EndsWith => "endsWith",
    }
}

fn loop_name(what: Loop) -> &'static str {
    match what {
        Loop::Exists => "exists",
        Loop::ExistsOne => "exists_one",
        Loop::All => "all",
        Loop::Filter => "filter",
        Loop::Map => "map",
    }
}
