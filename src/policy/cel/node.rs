//! A checked condition: every name resolved, every type known, every regular expression compiled.

use super::eval::FactSource;
use regex::Regex;

/// One step of a condition.
#[derive(Clone, Debug)]
pub enum Node {
    /// Yes or no, as written.
    YesNo(bool),
    /// A whole number, as written.
    Whole(i64),
    /// A number, as written.
    Number(f64),
    /// Text, as written.
    Text(String),
    /// A list, as written.
    List(Vec<Node>),
    /// The fact with this place in the condition's list of facts.
    Fact(usize),
    /// Whether that fact is there and not empty.
    Has(usize),
    /// The loop variable of this depth.
    Local(usize),
    /// Not.
    Not(Box<Node>),
    /// Both.
    And(Box<Node>, Box<Node>),
    /// Either.
    Or(Box<Node>, Box<Node>),
    /// One or the other.
    If(Box<Node>, Box<Node>, Box<Node>),
    /// A comparison.
    Compare(Comparison, Box<Node>, Box<Node>),
    /// Arithmetic; `+` also joins texts and lists.
    Arithmetic(Operator, Box<Node>, Box<Node>),
    /// The negative.
    Negate(Box<Node>),
    /// Whether the list has the value.
    In(Box<Node>, Box<Node>),
    /// The value at a place of the list.
    At(Box<Node>, Box<Node>),
    /// Length: of a text in characters, of a list in elements.
    Size(Box<Node>),
    /// A question about a text and another.
    TextTest(TextTest, Box<Node>, Box<Node>),
    /// Whether it is found in the text (`matches`, `mentions`).
    Finds(Box<Node>, Box<Finder>),
    /// A loop over a list, with the depth of its variable.
    Loop(Loop, Box<Node>, usize, Box<Node>),
    /// A conversion.
    Convert(Target, Box<Node>),
}

impl Node {
    /// The nodes directly inside it, in the order of its text.
    pub fn parts(&self) -> Vec<&Node> {
        match self {
            Node::YesNo(_)
            | Node::Whole(_)
            | Node::Number(_)
            | Node::Text(_)
            | Node::Fact(_)
            | Node::Has(_)
            | Node::Local(_) => Vec::new(),
            Node::List(nodes) => nodes.iter().collect(),
            Node::Not(one) | Node::Negate(one) | Node::Size(one) | Node::Finds(one, _) | Node::Convert(_, one) => {
                vec![one]
            }
            Node::And(one, two)
            | Node::Or(one, two)
            | Node::Compare(_, one, two)
            | Node::Arithmetic(_, one, two)
            | Node::In(one, two)
            | Node::At(one, two)
            | Node::TextTest(_, one, two)
            | Node::Loop(_, one, _, two) => vec![one, two],
            Node::If(one, two, three) => vec![one, two, three],
        }
    }
}

/// What is looked for in a text, compiled once.
#[derive(Clone, Debug)]
pub struct Finder {
    /// What finds it.
    pub regex: Regex,
    /// What was written.
    pub asked: Asked,
}

impl Finder {
    /// Whether it is in a text. Words are found however they are written; of plain letters only their case can differ, which the
    /// expression does not ask for.
    pub fn finds(&self, text: &str, source: &dyn FactSource) -> bool {
        match self.asked {
            Asked::Word(_) if !text.is_ascii() => self.regex.is_match(&source.folded(text)),
            Asked::Word(_) | Asked::Expression(_) => self.regex.is_match(text),
        }
    }
}

/// How a condition asked for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// `mentions(text, "word")`
    Word(String),
    /// `text.matches("expression")`
    Expression(String),
}

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `==`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

impl Comparison {
    /// The same comparison with its sides exchanged.
    pub fn mirrored(self) -> Self {
        match self {
            Self::Equal | Self::Unequal => self,
            Self::Less => Self::Greater,
            Self::LessOrEqual => Self::GreaterOrEqual,
            Self::Greater => Self::Less,
            Self::GreaterOrEqual => Self::LessOrEqual,
        }
    }
}

/// What arithmetic does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
}

/// A question about a text and another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextTest {
    /// `contains`
    Contains,
    /// `startsWith`
    StartsWith,
    /// `endsWith`
    EndsWith,
}

/// What a loop is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loop {
    /// `exists`
    Exists,
    /// `exists_one`
    ExistsOne,
    /// `all`
    All,
    /// `filter`
    Filter,
    /// `map`
    Map,
}

/// What a conversion makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// `int()`: towards zero.
    Whole,
    /// `double()`
    Number,
    /// `string()`
    Text,
}
