//! Values while a condition is evaluated. Text is borrowed from the ticket or the condition wherever it can be.

use handoffd_kit::model::PartKind;
use std::borrow::Cow;
use std::cmp::Ordering;

/// A value.
#[derive(Clone, Debug)]
pub enum Value<'v> {
    /// Yes or no.
    YesNo(bool),
    /// A whole number.
    Whole(i64),
    /// A number with a fraction.
    Number(f64),
    /// Text.
    Text(Cow<'v, str>),
    /// A list.
    List(Vec<Value<'v>>),
}

/// What a source says about a fact.
#[derive(Clone, Debug)]
pub enum Found<'v> {
    /// This value.
    Value(Value<'v>),
    /// It is known that there is none. Read as a value an empty text is `""`; any other type counts as unknown.
    Empty,
    /// The desk did not say, or what it said does not convert.
    Unknown,
    /// It takes this part, which was not read.
    Unread(PartKind),
}

impl<'v> Value<'v> {
    /// Text that is borrowed.
    pub fn text(text: &'v str) -> Self {
        Value::Text(Cow::Borrowed(text))
    }

    /// A list of texts.
    pub fn texts(texts: impl IntoIterator<Item = &'v str>) -> Self {
        Value::List(texts.into_iter().map(Value::text).collect())
    }

    /// For people and for templates: whole numbers without a fraction, lists with commas.
    pub fn shown(&self) -> String {
        match self {
            Value::YesNo(true) => "yes".into(),
            Value::YesNo(false) => "no".into(),
            Value::Whole(number) => number.to_string(),
            // `{}` prints the shortest form that reads back: 500, 500.5.
            Value::Number(number) => number.to_string(),
            Value::Text(text) => text.to_string(),
            Value::List(values) => values.iter().map(Value::shown).collect::<Vec<_>>().join(", "),
        }
    }

    fn as_number(&self) -> Option<f64> {
        match self {
            Value::Whole(number) => Some(*number as f64),
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// How two values stand to each other; none for what has no order (not a number, different types).
    pub fn order(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Value::YesNo(one), Value::YesNo(two)) => Some(one.cmp(two)),
            (Value::Whole(one), Value::Whole(two)) => Some(one.cmp(two)),
            (Value::Text(one), Value::Text(two)) => Some(one.cmp(two)),
            (one, two) => one.as_number()?.partial_cmp(&two.as_number()?),
        }
    }
}

impl PartialEq for Value<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Value::List(one), Value::List(two)) => one == two,
            (one, two) => one.order(two) == Some(Ordering::Equal),
        }
    }
}
