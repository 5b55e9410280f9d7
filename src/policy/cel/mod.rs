//! CEL as conditions use it. The `cel` crate reads the text; the rest is ours: a checker with declared types that says
//! what is wrong and where, and an evaluator over the checked tree that knows a third answer, *unknown*.
//!
//! - [`syntax`]: text ─▶ the parser's tree, within bounds; its complaints in plain words.
//! - [`types`], [`check`], [`calls`]: the parser's tree ─▶ [`node`], typed, with every problem at its place.
//! - [`value`], [`eval`]: a node and a source of facts ─▶ a value, or what is missing.
//! - [`conjunct`]: what one condition proves about another.
//! - [`labels`]: which labels it asks for by name.
//! - [`words`], [`wish`]: a node ─▶ its text; what would have to change for it to hold, by the same evaluator.
//!
//! Where we differ from CEL, to the kinder side: a whole number beside a double is taken as a double in arithmetic too.
//! Left out, with a plain message: maps, messages, bytes, unsigned numbers, `null`, time.

mod calls;
mod check;
mod conjunct;
mod eval;
mod labels;
mod node;
mod normal;
mod syntax;
#[cfg(test)]
mod tests;
mod types;
mod value;
mod wish;
mod words;

pub use conjunct::{Conjunct, proved};
pub use eval::{FactSource, Missing, evaluate};
pub use labels::Labels;
pub use value::{Found, Value};

pub(super) use check::check;
pub(super) use conjunct::conjuncts;
pub(super) use labels::labels;
pub(super) use node::Node;
pub use wish::Show;
pub(super) use wish::wishes;
