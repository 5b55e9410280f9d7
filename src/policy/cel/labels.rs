//! Which labels a condition asks for by name: a label that nobody asks for says nothing about a case.

use super::node::Node;
use crate::policy::known::{FactName, HouseFact};
use std::collections::BTreeSet;

/// How conditions use the labels of a ticket.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// Those asked for by name: `has_tag("x")`, `"x" in ticket.tags`.
    pub named: BTreeSet<String>,
    /// Whether the list is used in another way too, so that any label counts.
    pub any: bool,
}

/// How a condition uses them.
pub fn labels(node: &Node, names: &[FactName]) -> Labels {
    let mut labels = Labels::default();
    let tags = FactName::House(HouseFact::TicketTags);
    if let Some(place) = names.iter().position(|name| *name == tags) {
        collect(node, place, &mut labels);
    }
    labels
}

fn collect(node: &Node, place: usize, into: &mut Labels) {
    match node {
        Node::In(label, list) if matches!(**list, Node::Fact(at) if at == place) => match &**label {
            Node::Text(label) => {
                into.named.insert(label.clone());
            }
            _ => into.any = true,
        },
        Node::Fact(at) | Node::Has(at) => into.any |= *at == place,
        node => node.parts().into_iter().for_each(|part| collect(part, place, into)),
    }
}
