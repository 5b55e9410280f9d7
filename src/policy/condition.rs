//! Conditions: CEL over declared facts, compiled and type-checked once, at load; asked often, and never failing then:
//! what cannot be told is an answer of its own.

use super::cel::{self, FactSource, Missing, Node};
use super::known::{FactName, KnownFacts};
use handoffd_kit::model::PartSet;
use std::fmt;
use std::sync::Arc;

/// One thing that is wrong with a condition, with its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionProblem {
    /// Where it begins: byte offset into the condition's text.
    pub start: usize,
    /// Where it ends: byte offset behind its last character.
    pub end: usize,
    /// What is wrong.
    pub message: String,
    /// What would be accepted.
    pub help: Option<String>,
}

/// One condition, ready to be asked. Cheap to clone.
#[derive(Clone)]
pub struct Condition(Arc<Compiled>);

struct Compiled {
    source: String,
    node: Node,
    facts: Vec<FactName>,
}

/// What a condition says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It holds.
    Holds,
    /// It does not hold.
    Fails,
    /// It cannot be told: what is missing.
    Unknown(Missing),
}

/// An answer and what it was found by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told<'c> {
    /// The answer.
    pub answer: Answer,
    /// The facts that were looked at on the way, in that order. The same facts lead to the same list.
    pub looked_at: Vec<&'c FactName>,
}

impl Condition {
    /// Reads a condition and checks every name, type and function in it.
    ///
    /// # Errors
    /// Everything that is wrong with it, in the order of its text.
    pub fn compile(source: &str, known: &KnownFacts) -> Result<Self, Vec<ConditionProblem>> {
        let checked = cel::check(source, known)?;
        Ok(Self(Arc::new(Compiled { source: source.to_owned(), node: checked.node, facts: checked.facts })))
    }

    /// The condition as written.
    pub fn source(&self) -> &str {
        &self.0.source
    }

    /// The names of all facts it may look at.
    pub fn facts(&self) -> &[FactName] {
        &self.0.facts
    }

    /// The parts that it may need, where a head tells nothing of them. Asking it tells what it really needs.
    pub fn parts(&self) -> PartSet {
        self.0.facts.iter().filter_map(FactName::part).fold(PartSet::NONE, PartSet::with)
    }

    /// What it says about these facts.
    pub fn ask(&self, facts: &dyn FactSource) -> Answer {
        self.tell(facts).answer
    }

    /// What it says about these facts, and by which of them.
    pub fn tell(&self, facts: &dyn FactSource) -> Told<'_> {
        let mut touched = Vec::new();
        let answer = match cel::evaluate(&self.0.node, &self.0.facts, facts, &mut touched) {
            Ok(true) => Answer::Holds,
            Ok(false) => Answer::Fails,
            Err(missing) => Answer::Unknown(missing),
        };
        Told { answer, looked_at: touched.into_iter().map(|place| &self.0.facts[place]).collect() }
    }

    /// The parts that must all hold, as far as it is a conjunction; none where it always holds.
    pub fn conjuncts(&self) -> Vec<cel::Conjunct> {
        cel::conjuncts(&self.0.node, &self.0.facts)
    }

    /// Which labels of the ticket it asks for.
    pub fn labels(&self) -> cel::Labels {
        cel::labels(&self.0.node, &self.0.facts)
    }

    /// What would have to change for it to hold, in sentences that must all come true; empty where it holds. `show`
    /// makes a value fit to be printed.
    pub fn wishes(&self, facts: &dyn FactSource, show: &cel::Show<'_>) -> Vec<String> {
        cel::wishes(&self.0.node, &self.0.facts, facts, show)
    }
}

impl fmt::Debug for Condition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Condition").field(&self.source()).finish()
    }
}

impl PartialEq for Condition {
    fn eq(&self, other: &Self) -> bool {
        self.source() == other.source() && self.facts() == other.facts()
    }
}
