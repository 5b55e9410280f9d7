//! The types of conditions, and which of them can meet.

use crate::policy::known::FactType;

/// The type of an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Type {
    /// Yes or no.
    YesNo,
    /// A whole number.
    Whole,
    /// A number with a fraction.
    Number,
    /// Text.
    Text,
    /// A list of one type.
    List(Box<Type>),
    /// The element of an empty list, or of something that is wrong already: fits everything.
    Any,
}

impl Type {
    /// How to call it in a message.
    pub fn shown(&self) -> String {
        match self {
            Type::YesNo => "yes or no".into(),
            Type::Whole | Type::Number => "a number".into(),
            Type::Text => "text".into(),
            Type::List(of) => match **of {
                Type::Text => "a list of texts".into(),
                Type::Whole | Type::Number => "a list of numbers".into(),
                _ => "a list".into(),
            },
            Type::Any => "anything".into(),
        }
    }

    /// Whether it is a number, or may be one.
    pub fn is_number(&self) -> bool {
        matches!(self, Type::Whole | Type::Number | Type::Any)
    }

    /// Whether values of both can be equal at all.
    pub fn meets(&self, other: &Type) -> bool {
        match (self, other) {
            (Type::Any, _) | (_, Type::Any) => true,
            (Type::List(one), Type::List(two)) => one.meets(two),
            (one, two) => one == two || (one.is_number() && two.is_number()),
        }
    }

    /// The type of a number that comes from both.
    pub fn joined_with(&self, other: &Type) -> Type {
        match (self, other) {
            (Type::Any, other) => other.clone(),
            (one, Type::Any) => one.clone(),
            (Type::Whole, Type::Whole) => Type::Whole,
            (one, two) if one.is_number() && two.is_number() => Type::Number,
            (one, _) => one.clone(),
        }
    }
}

impl From<FactType> for Type {
    fn from(fact: FactType) -> Self {
        match fact {
            FactType::YesNo => Type::YesNo,
            FactType::Whole => Type::Whole,
            FactType::Number => Type::Number,
            FactType::Text => Type::Text,
            FactType::Texts => Type::List(Box::new(Type::Text)),
            FactType::Wholes => Type::List(Box::new(Type::Whole)),
        }
    }
}
