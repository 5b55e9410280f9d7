//! What one condition proves about another, as far as their structure tells. A condition is taken apart at its `&&`s;
//! each part proves itself, and a comparison with a fixed value proves the wider ones. What is not proved is not claimed:
//! every `false` here means *cannot tell*.
//!
//! That a part proves another holds for unknown facts too: where the first one holds, its facts are known.

use super::node::{Comparison, Node};
use super::normal::{is_literal, normal, or_parts};
use super::words::say;
use crate::policy::known::FactName;
use std::cmp::Ordering;

/// One part of a conjunction.
#[derive(Clone, Debug, PartialEq)]
pub struct Conjunct {
    /// As it could be written; equal text means the same.
    pub text: String,
    shape: Shape,
    /// Whether it asks about the rule's own package: the same text then means something else in another rule.
    own: bool,
}

/// What can be said about a part beyond its text.
#[derive(Clone, Debug, PartialEq)]
enum Shape {
    /// Never holds.
    Never,
    /// The opposite of this text.
    Not(String),
    /// This stands so to a number.
    Number(String, Comparison, f64),
    /// This is one of these texts.
    OneOf(String, Vec<String>),
    /// This is none of these texts.
    NoneOf(String, Vec<String>),
    /// One of these holds: each is all of its parts together.
    Either(Vec<Vec<Conjunct>>),
    /// Anything else.
    Other,
}

/// Longer chains of `||` are compared as they stand.
const EITHER_MAX: usize = 32;

/// The parts of a condition; none for one that always holds.
pub fn conjuncts(node: &Node, names: &[FactName]) -> Vec<Conjunct> {
    let mut parts = Vec::new();
    collect(&normal(node, names), names, &mut parts);
    parts
}

/// Whether a part holds wherever all of these do.
pub fn proved(parts: &[Conjunct], wanted: &Conjunct) -> bool {
    let one_of = |wanted: &[Vec<Conjunct>]| wanted.iter().any(|all| all.iter().all(|part| proved(parts, part)));
    let by_one = parts.iter().any(|part| part.proves(wanted));
    by_one || matches!(&wanted.shape, Shape::Either(either) if !wanted.own && one_of(either))
}

fn collect(node: &Node, names: &[FactName], into: &mut Vec<Conjunct>) {
    match node {
        Node::YesNo(true) => {}
        Node::And(one, two) => {
            collect(one, names, into);
            collect(two, names, into);
        }
        Node::Or(..) => {
            let either = or_parts(node).into_iter().map(|part| {
                let mut all = Vec::new();
                collect(part, names, &mut all);
                all
            });
            let either: Vec<Vec<Conjunct>> = either.collect();
            // One that always holds settles it, whatever the others are.
            if !either.iter().any(Vec::is_empty) {
                let shape = if either.len() > EITHER_MAX { Shape::Other } else { Shape::Either(either) };
                into.push(Conjunct { text: say(node, names), shape, own: is_own(node, names) });
            }
        }
        Node::Compare(how, part, fixed) if is_literal(fixed) => into.push(compared(*how, part, fixed, names)),
        node => into.push(Conjunct { text: say(node, names), shape: shape(node, names), own: is_own(node, names) }),
    }
}

fn compared(how: Comparison, part: &Node, fixed: &Node, names: &[FactName]) -> Conjunct {
    let part_text = say(part, names);
    let text = format!("{part_text} {} {}", super::words::sign(how), say(fixed, names));
    let shape = match (how, fixed) {
        // Beyond 2^53 a double no longer tells whole numbers apart.
        (how, Node::Whole(number)) if number.unsigned_abs() < 1 << 53 => Shape::Number(part_text, how, *number as f64),
        (how, Node::Number(number)) => Shape::Number(part_text, how, *number),
        (Comparison::Equal, Node::Text(text)) => Shape::OneOf(part_text, vec![text.clone()]),
        (Comparison::Unequal, Node::Text(text)) => Shape::NoneOf(part_text, vec![text.clone()]),
        _ => Shape::Other,
    };
    Conjunct { text, shape, own: is_own(part, names) }
}

fn is_own(node: &Node, names: &[FactName]) -> bool {
    match node {
        Node::Fact(place) | Node::Has(place) => names.get(*place).is_some_and(FactName::is_of_the_package),
        node => node.parts().into_iter().any(|part| is_own(part, names)),
    }
}

fn shape(node: &Node, names: &[FactName]) -> Shape {
    match node {
        Node::YesNo(false) => Shape::Never,
        Node::In(part, list) if !is_literal(part) => match texts(list) {
            Some(texts) => Shape::OneOf(say(part, names), texts),
            None => Shape::Other,
        },
        Node::Not(inner) => match &**inner {
            Node::In(part, list) if !is_literal(part) => match texts(list) {
                Some(texts) => Shape::NoneOf(say(part, names), texts),
                None => Shape::Not(say(inner, names)),
            },
            inner => Shape::Not(say(inner, names)),
        },
        _ => Shape::Other,
    }
}

/// The texts of a written list of texts.
fn texts(list: &Node) -> Option<Vec<String>> {
    let Node::List(nodes) = list else { return None };
    nodes.iter().map(|node| if let Node::Text(text) = node { Some(text.clone()) } else { None }).collect()
}

impl Conjunct {
    /// Whether the other one, of any rule, holds wherever this one does.
    pub fn proves(&self, other: &Conjunct) -> bool {
        if other.own && self.shape != Shape::Never {
            return false;
        }
        if self.text == other.text || self.shape == Shape::Never {
            return true;
        }
        match (&self.shape, &other.shape) {
            (Shape::Number(one, how, at), Shape::Number(two, wider, limit)) if one == two => {
                inside(*how, *at, *wider, *limit)
            }
            (Shape::OneOf(one, these), Shape::OneOf(two, those)) => {
                one == two && these.iter().all(|text| those.contains(text))
            }
            (Shape::OneOf(one, these), Shape::NoneOf(two, those)) => {
                one == two && these.iter().all(|text| !those.contains(text))
            }
            (Shape::NoneOf(one, these), Shape::NoneOf(two, those)) => {
                one == two && those.iter().all(|text| these.contains(text))
            }
            (Shape::Either(either), _) => either.iter().all(|all| proved(all, other)),
            (_, Shape::Either(either)) => either.iter().any(|all| all.iter().all(|part| self.proves(part))),
            _ => false,
        }
    }

    /// Whether the two, of one rule, never hold together.
    pub fn excludes(&self, other: &Conjunct) -> bool {
        match (&self.shape, &other.shape) {
            (Shape::Never, _) | (_, Shape::Never) => true,
            (Shape::Not(text), _) if *text == other.text => true,
            (_, Shape::Not(text)) if *text == self.text => true,
            (Shape::Number(one, how, at), Shape::Number(two, other, limit)) => {
                one == two && apart(*how, *at, *other, *limit)
            }
            (Shape::OneOf(one, these), Shape::OneOf(two, those)) => {
                one == two && !these.iter().any(|text| those.contains(text))
            }
            (Shape::OneOf(one, these), Shape::NoneOf(two, those))
            | (Shape::NoneOf(two, those), Shape::OneOf(one, these)) => {
                one == two && these.iter().all(|text| those.contains(text))
            }
            (Shape::Either(either), _) => either.iter().all(|all| all.iter().any(|part| part.excludes(other))),
            (_, Shape::Either(either)) => either.iter().all(|all| all.iter().any(|part| self.excludes(part))),
            _ => false,
        }
    }
}

/// Whether every number that stands so to `at` stands so to `limit`.
fn inside(how: Comparison, at: f64, wider: Comparison, limit: f64) -> bool {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, Unequal};
    let Some(order) = at.partial_cmp(&limit) else { return false };
    match (how, wider) {
        (Equal, wider) => stands(order, wider),
        (Greater, Greater) | (GreaterOrEqual, GreaterOrEqual) | (Greater, GreaterOrEqual | Unequal) => {
            order != Ordering::Less
        }
        (GreaterOrEqual, Greater | Unequal) => order == Ordering::Greater,
        (Less, Less) | (LessOrEqual, LessOrEqual) | (Less, LessOrEqual | Unequal) => order != Ordering::Greater,
        (LessOrEqual, Less | Unequal) => order == Ordering::Less,
        _ => false,
    }
}

/// Whether no number stands so to both.
fn apart(how: Comparison, at: f64, other: Comparison, limit: f64) -> bool {
    use Comparison::{Equal, Greater, GreaterOrEqual, Less, LessOrEqual, Unequal};
    let Some(order) = at.partial_cmp(&limit) else { return false };
    match (how, other) {
        (Equal, other) => !stands(order, other),
        (how, Equal) => !stands(order.reverse(), how),
        (Greater, Less | LessOrEqual) | (GreaterOrEqual, Less) => order != Ordering::Less,
        (GreaterOrEqual, LessOrEqual) => order == Ordering::Greater,
        (Less, Greater | GreaterOrEqual) | (LessOrEqual, Greater) => order != Ordering::Greater,
        (LessOrEqual, GreaterOrEqual) => order == Ordering::Less,
        (Unequal, _) | (_, Unequal) => false,
        _ => false,
    }
}

/// Whether something with this order to a limit stands so to it.
fn stands(order: Ordering, how: Comparison) -> bool {
    match how {
        Comparison::Equal => order == Ordering::Equal,
        Comparison::Unequal => order != Ordering::Equal,
        Comparison::Less => order == Ordering::Less,
        Comparison::LessOrEqual => order != Ordering::Greater,
        Comparison::Greater => order == Ordering::Greater,
        Comparison::GreaterOrEqual => order != Ordering::Less,
    }
}
