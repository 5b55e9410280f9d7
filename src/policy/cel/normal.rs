//! The same question in one form, however it was written: the operands of `||` and `&&` in an order of their own and each
//! once, fixed values on the right, no double negatives. What is unknown does not depend on the order of `||` and `&&`.

use super::node::{Comparison, Node};
use super::words::say;
use crate::policy::known::FactName;

/// The form of a condition that is the same for every order of its operands.
pub fn normal(node: &Node, names: &[FactName]) -> Node {
    let inside = |node: &Node| Box::new(normal(node, names));
    match node {
        Node::Or(..) => joined(node, names, or_parts, |one, two| Node::Or(Box::new(one), Box::new(two))),
        Node::And(..) => joined(node, names, and_parts, |one, two| Node::And(Box::new(one), Box::new(two))),
        Node::Not(inner) => match &**inner {
            Node::Not(twice) => normal(twice, names),
            inner => Node::Not(inside(inner)),
        },
        Node::Compare(how, one, two) => {
            let symmetric = matches!(how, Comparison::Equal | Comparison::Unequal);
            let (one, two) = (inside(one), inside(two));
            let turned = match (is_literal(&one), is_literal(&two)) {
                // `500 < x` reads `x > 500`.
                (true, false) => true,
                (false, true) => false,
                _ => symmetric && say(&one, names) > say(&two, names),
            };
            if turned { Node::Compare(how.mirrored(), two, one) } else { Node::Compare(*how, one, two) }
        }
        Node::If(one, two, three) => Node::If(inside(one), inside(two), inside(three)),
        Node::In(one, two) => Node::In(inside(one), inside(two)),
        Node::Loop(kind, list, depth, body) => Node::Loop(*kind, inside(list), *depth, inside(body)),
        other => other.clone(),
    }
}

/// The operands of a chain of `||`, as written; the node itself where it is none.
pub fn or_parts(node: &Node) -> Vec<&Node> {
    match node {
        Node::Or(one, two) => [or_parts(one), or_parts(two)].concat(),
        node => vec![node],
    }
}

fn and_parts(node: &Node) -> Vec<&Node> {
    match node {
        Node::And(one, two) => [and_parts(one), and_parts(two)].concat(),
        node => vec![node],
    }
}

fn joined(
    node: &Node,
    names: &[FactName],
    parts: for<'n> fn(&'n Node) -> Vec<&'n Node>,
    join: impl Fn(Node, Node) -> Node,
) -> Node {
    let mut operands: Vec<(String, Node)> = parts(node)
        .into_iter()
        .map(|part| {
            let part = normal(part, names);
            (say(&part, names), part)
        })
        .collect();
    operands.sort_by(|(one, _), (two, _)| one.cmp(two));
    operands.dedup_by(|(one, _), (two, _)| one == two);
    let operands = operands.into_iter().map(|(_, part)| part);
    operands.reduce(join).unwrap_or(Node::YesNo(true))
}

/// Whether a value stands there as written.
pub fn is_literal(node: &Node) -> bool {
    matches!(node, Node::YesNo(_) | Node::Whole(_) | Node::Number(_) | Node::Text(_))
}
