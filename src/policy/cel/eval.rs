//! A checked condition and a source of facts ─▶ a value, or what is missing. A missing fact makes what needs it missing,
//! except where the answer is certain without it: `true || missing` is true, `false && missing` is false.

use super::node::{Comparison, Loop, Node, Operator, Target, TextTest};
use super::value::{Found, Value};
use crate::policy::fold::folded;
use crate::policy::known::FactName;
use handoffd_kit::model::PartSet;
use std::borrow::Cow;
use std::cmp::Ordering;
use std::rc::Rc;

/// Where facts come from.
pub trait FactSource {
    /// What is known about a fact now.
    fn fact(&self, name: &FactName) -> Found<'_>;

    /// A text in the form in which words are found in it.
    fn folded(&self, text: &str) -> Rc<str> {
        folded(text).into()
    }
}

/// Why there is no value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Missing {
    /// What is unknown: names of facts, or what went wrong in words ("a division by zero").
    pub what: Vec<String>,
    /// Parts that were not read and could tell.
    pub unread: PartSet,
}

impl Missing {
    fn of(what: impl Into<String>) -> Self {
        Self { what: vec![what.into()], unread: PartSet::NONE }
    }

    fn and(mut self, other: Missing) -> Self {
        other.what.into_iter().for_each(|what| {
            if !self.what.contains(&what) {
                self.what.push(what);
            }
        });
        self.unread = self.unread.union(other.unread);
        self
    }
}

type Outcome<'v> = Result<Value<'v>, Missing>;

/// Evaluates a node. `touched` tells which facts were looked at, by their places.
pub fn evaluate<'v>(
    node: &'v Node,
    names: &'v [FactName],
    source: &'v dyn FactSource,
    touched: &mut Vec<usize>,
) -> Result<bool, Missing> {
    Run::new(names, source, touched).yes_no(node)
}

/// One run through a condition.
pub(super) struct Run<'v, 't> {
    names: &'v [FactName],
    source: &'v dyn FactSource,
    touched: &'t mut Vec<usize>,
    locals: Vec<Value<'v>>,
}

impl<'v, 't> Run<'v, 't> {
    /// A run that has not begun.
    pub(super) fn new(names: &'v [FactName], source: &'v dyn FactSource, touched: &'t mut Vec<usize>) -> Self {
        Self { names, source, touched, locals: Vec::new() }
    }

    /// What a node comes to.
    pub(super) fn value(&mut self, node: &'v Node) -> Outcome<'v> {
        match node {
            Node::YesNo(yes) => Ok(Value::YesNo(*yes)),
            Node::Whole(number) => Ok(Value::Whole(*number)),
            Node::Number(number) => Ok(Value::Number(*number)),
            Node::Text(text) => Ok(Value::text(text)),
            Node::List(nodes) => nodes.iter().map(|node| self.value(node)).collect::<Result<_, _>>().map(Value::List),
            Node::Fact(place) => self.fact(*place),
            Node::Has(place) => self.has(*place).map(Value::YesNo),
            Node::Local(depth) => self.locals.get(*depth).cloned().ok_or_else(|| Missing::of("a loop's variable")),
            Node::Not(inner) => self.yes_no(inner).map(|yes| Value::YesNo(!yes)),
            Node::And(one, two) => self.decided(one, two, false),
            Node::Or(one, two) => self.decided(one, two, true),
            Node::If(ask, yes, no) => {
                if self.yes_no(ask)? {
                    self.value(yes)
                } else {
                    self.value(no)
                }
            }
            Node::Compare(how, one, two) => {
                let (one, two) = self.two(one, two)?;
                Ok(Value::YesNo(compare(*how, &one, &two)))
            }
            Node::Arithmetic(what, one, two) => {
                let (one, two) = self.two(one, two)?;
                calculate(*what, one, two)
            }
            Node::Negate(inner) => match self.value(inner)? {
                Value::Whole(number) => number.checked_neg().map(Value::Whole).ok_or_else(too_large),
                Value::Number(number) => Ok(Value::Number(-number)),
                _ => Err(Missing::of("a number")),
            },
            Node::In(value, list) => self.is_in(value, list),
            Node::At(list, place) => self.at(list, place),
            Node::Size(inner) => match self.value(inner)? {
                Value::Text(text) => Ok(whole(text.chars().count())),
                Value::List(values) => Ok(whole(values.len())),
                _ => Err(Missing::of("a size")),
            },
            Node::TextTest(test, text, part) => {
                let (text, part) = (self.text(text)?, self.text(part)?);
                Ok(Value::YesNo(match test {
                    TextTest::Contains => text.contains(&*part),
                    TextTest::StartsWith => text.starts_with(&*part),
                    TextTest::EndsWith => text.ends_with(&*part),
                }))
            }
            Node::Finds(text, finder) => self.text(text).map(|text| Value::YesNo(finder.finds(&text, self.source))),
            Node::Loop(what, list, _, body) => self.over(*what, list, body),
            Node::Convert(target, inner) => convert(*target, self.value(inner)?),
        }
    }

    /// What a node that is yes or no comes to.
    pub(super) fn yes_no(&mut self, node: &'v Node) -> Result<bool, Missing> {
        match self.value(node)? {
            Value::YesNo(yes) => Ok(yes),
            _ => Err(Missing::of("a yes or no")),
        }
    }

    fn text(&mut self, node: &'v Node) -> Result<Cow<'v, str>, Missing> {
        match self.value(node)? {
            Value::Text(text) => Ok(text),
            _ => Err(Missing::of("a text")),
        }
    }

    fn list(&mut self, node: &'v Node) -> Result<Vec<Value<'v>>, Missing> {
        match self.value(node)? {
            Value::List(values) => Ok(values),
            _ => Err(Missing::of("a list")),
        }
    }

    fn two(&mut self, one: &'v Node, two: &'v Node) -> Result<(Value<'v>, Value<'v>), Missing> {
        match (self.value(one), self.value(two)) {
            (Ok(one), Ok(two)) => Ok((one, two)),
            (Err(one), Err(two)) => Err(one.and(two)),
            (Err(missing), _) | (_, Err(missing)) => Err(missing),
        }
    }

    /// And (decided by a no), or (decided by a yes).
    fn decided(&mut self, one: &'v Node, two: &'v Node, by: bool) -> Outcome<'v> {
        let first = self.yes_no(one);
        if first == Ok(by) {
            return Ok(Value::YesNo(by));
        }
        match (first, self.yes_no(two)) {
            (_, Ok(second)) if second == by => Ok(Value::YesNo(by)),
            (Ok(_), Ok(_)) => Ok(Value::YesNo(!by)),
            (Err(one), Err(two)) => Err(one.and(two)),
            (Err(missing), _) | (_, Err(missing)) => Err(missing),
        }
    }

    fn found(&mut self, place: usize) -> (Found<'v>, &'v FactName) {
        if !self.touched.contains(&place) {
            self.touched.push(place);
        }
        // Places come from the checker, which made the list.
        let name = &self.names[place];
        (self.source.fact(name), name)
    }

    fn fact(&mut self, place: usize) -> Outcome<'v> {
        let (found, name) = self.found(place);
        match found {
            Found::Value(value) => Ok(value),
            Found::Empty => Err(Missing::of(format!("{name} (empty)"))),
            Found::Unknown => Err(Missing::of(name.to_string())),
            Found::Unread(part) => Err(Missing { what: vec![name.to_string()], unread: PartSet::of(&[part]) }),
        }
    }

    fn has(&mut self, place: usize) -> Result<bool, Missing> {
        let (found, name) = self.found(place);
        match found {
            Found::Value(Value::Text(text)) => Ok(!text.is_empty()),
            Found::Value(_) => Ok(true),
            Found::Empty => Ok(false),
            Found::Unknown => Err(Missing::of(name.to_string())),
            Found::Unread(part) => Err(Missing { what: vec![name.to_string()], unread: PartSet::of(&[part]) }),
        }
    }

    fn is_in(&mut self, value: &'v Node, list: &'v Node) -> Outcome<'v> {
        let (value, list) = self.two(value, list)?;
        match list {
            Value::List(values) => Ok(Value::YesNo(values.contains(&value))),
            _ => Err(Missing::of("a list")),
        }
    }

    fn at(&mut self, list: &'v Node, place: &'v Node) -> Outcome<'v> {
        let (list, place) = self.two(list, place)?;
        match (list, place) {
            (Value::List(mut values), Value::Whole(at)) => match usize::try_from(at) {
                Ok(at) if at < values.len() => Ok(values.swap_remove(at)),
                _ => Err(Missing::of(format!("place {at} of a list with {}", values.len()))),
            },
            _ => Err(Missing::of("a place in a list")),
        }
    }

    fn over(&mut self, what: Loop, list: &'v Node, body: &'v Node) -> Outcome<'v> {
        let values = self.list(list)?;
        let mut found = Vec::with_capacity(values.len());
        for value in values {
            self.locals.push(value.clone());
            let outcome = self.value(body);
            self.locals.pop();
            found.push((value, outcome));
        }
        match what {
            Loop::Map => found.into_iter().map(|(_, outcome)| outcome).collect::<Result<_, _>>().map(Value::List),
            Loop::Filter => {
                let mut kept = Vec::new();
                for (value, outcome) in found {
                    if outcome? == Value::YesNo(true) {
                        kept.push(value);
                    }
                }
                Ok(Value::List(kept))
            }
            Loop::Exists => any(found, true).map(Value::YesNo),
            Loop::All => any(found, false).map(|no| Value::YesNo(!no)),
            Loop::ExistsOne => {
                let mut hits = 0;
                for (_, outcome) in found {
                    hits += usize::from(outcome? == Value::YesNo(true));
                }
                Ok(Value::YesNo(hits == 1))
            }
        }
    }
}

/// Whether any outcome is this; certain as soon as one is, missing if one might be.
fn any(found: Vec<(Value<'_>, Outcome<'_>)>, this: bool) -> Result<bool, Missing> {
    let mut missing: Option<Missing> = None;
    for (_, outcome) in found {
        match outcome {
            Ok(value) if value == Value::YesNo(this) => return Ok(true),
            Ok(_) => {}
            Err(more) => missing = Some(missing.map_or(more.clone(), |known| known.and(more))),
        }
    }
    missing.map_or(Ok(false), Err)
}

fn whole<'v>(count: usize) -> Value<'v> {
    Value::Whole(i64::try_from(count).unwrap_or(i64::MAX))
}

fn too_large() -> Missing {
    Missing::of("a number too large")
}

fn compare(how: Comparison, one: &Value<'_>, two: &Value<'_>) -> bool {
    let order = one.order(two);
    match how {
        Comparison::Equal => one == two,
        Comparison::Unequal => one != two,
        Comparison::Less => order == Some(Ordering::Less),
        Comparison::LessOrEqual => matches!(order, Some(Ordering::Less | Ordering::Equal)),
        Comparison::Greater => order == Some(Ordering::Greater),
        Comparison::GreaterOrEqual => matches!(order, Some(Ordering::Greater | Ordering::Equal)),
    }
}

fn calculate<'v>(what: Operator, one: Value<'v>, two: Value<'v>) -> Outcome<'v> {
    let number = |value: &Value<'_>| match value {
        Value::Whole(number) => Some(*number as f64),
        Value::Number(number) => Some(*number),
        _ => None,
    };
    match (one, two) {
        (Value::Whole(one), Value::Whole(two)) => whole_numbers(what, one, two),
        (Value::Text(one), Value::Text(two)) => Ok(Value::Text(Cow::Owned(one.into_owned() + &two))),
        (Value::List(mut one), Value::List(two)) => {
            one.extend(two);
            Ok(Value::List(one))
        }
        (one, two) => {
            let (Some(one), Some(two)) = (number(&one), number(&two)) else { return Err(Missing::of("a number")) };
            Ok(Value::Number(match what {
                Operator::Add => one + two,
                Operator::Subtract => one - two,
                Operator::Multiply => one * two,
                Operator::Divide => one / two,
                Operator::Remainder => one % two,
            }))
        }
    }
}

fn whole_numbers<'v>(what: Operator, one: i64, two: i64) -> Outcome<'v> {
    if two == 0 && matches!(what, Operator::Divide | Operator::Remainder) {
        return Err(Missing::of("a division by zero"));
    }
    let result = match what {
        Operator::Add => one.checked_add(two),
        Operator::Subtract => one.checked_sub(two),
        Operator::Multiply => one.checked_mul(two),
        Operator::Divide => one.checked_div(two),
        Operator::Remainder => one.checked_rem(two),
    };
    result.map(Value::Whole).ok_or_else(too_large)
}

fn convert<'v>(target: Target, value: Value<'v>) -> Outcome<'v> {
    let unreadable = |text: &str| {
        let start: String = text.chars().take(20).collect();
        Missing::of(format!("a number in \"{start}\""))
    };
    match (target, value) {
        (Target::Whole, Value::Number(number)) => {
            // Beyond 2^53 a double no longer tells whole numbers apart.
            let exact = number.is_finite() && number.abs() < 9_007_199_254_740_992.0;
            if exact { Ok(Value::Whole(number.trunc() as i64)) } else { Err(too_large()) }
        }
        (Target::Whole, Value::Text(text)) => text.trim().parse().map(Value::Whole).map_err(|_| unreadable(&text)),
        (Target::Number, Value::Whole(number)) => Ok(Value::Number(number as f64)),
        (Target::Number, Value::Text(text)) => match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Value::Number(number)),
            _ => Err(unreadable(&text)),
        },
        // As CEL writes it: true and false, not yes and no.
        (Target::Text, Value::YesNo(yes)) => Ok(Value::Text(Cow::Owned(yes.to_string()))),
        (Target::Text, value @ (Value::Whole(_) | Value::Number(_))) => Ok(Value::Text(Cow::Owned(value.shown()))),
        (_, value) => Ok(value),
    }
}
