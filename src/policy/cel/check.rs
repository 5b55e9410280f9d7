//! The parser's tree ─▶ a typed node. Every name, type and function is checked here, so that evaluation meets nothing
//! but values and unknowns. After a problem the expression counts as fitting everything: one mistake, one message.

use super::node::{Comparison, Node, Operator};
use super::syntax::{as_written, parse, span};
use super::types::Type;
use crate::policy::condition::ConditionProblem;
use crate::policy::known::{FactName, Known, KnownFacts};
use cel::common::ast::operators as op;
use cel::common::ast::{CallExpr, Expr, IdedExpr, LiteralValue, SourceInfo};

/// A condition that has passed.
pub struct Checked {
    /// What to evaluate: yes or no.
    pub node: Node,
    /// The facts it looks at; nodes hold their places in this list.
    pub facts: Vec<FactName>,
}

/// A node with its type.
pub(super) type Typed = (Node, Type);

/// Reads and checks a condition.
pub fn check(source: &str, known: &KnownFacts) -> Result<Checked, Vec<ConditionProblem>> {
    let (tree, places) = parse(source)?;
    let mut checker =
        Checker { source, places: &places, known, facts: Vec::new(), locals: Vec::new(), problems: Vec::new() };
    let (node, kind) = checker.typed(&tree);
    if !matches!(kind, Type::YesNo | Type::Any) {
        let message = format!("a condition answers yes or no; this is {}", kind.shown());
        checker.problem(&tree, message, "compare it with something: `==`, `>`, `in`");
    }
    if checker.problems.is_empty() {
        return Ok(Checked { node, facts: checker.facts });
    }
    checker.problems.sort_by_key(|problem| problem.start);
    Err(checker.problems)
}

pub(super) struct Checker<'c> {
    source: &'c str,
    places: &'c SourceInfo,
    pub(super) known: &'c KnownFacts,
    facts: Vec<FactName>,
    /// Loop variables, outermost first.
    pub(super) locals: Vec<Local>,
    problems: Vec<ConditionProblem>,
}

/// A loop's variable.
pub(super) struct Local {
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: Type,
    /// The fact that the loop goes over, if it goes over one.
    pub fact: Option<String>,
    /// The values that it goes over, where they are written out.
    pub written: Vec<IdedExpr>,
}

impl Checker<'_> {
    /// Notes a problem at an expression, and goes on with something that fits everywhere.
    pub(super) fn problem(&mut self, at: &IdedExpr, message: impl Into<String>, help: impl Into<String>) -> Typed {
        let (start, end) = span(self.source, self.places, at);
        let help = Some(help.into()).filter(|help| !help.is_empty());
        self.problems.push(ConditionProblem { start, end, message: message.into(), help });
        (Node::YesNo(false), Type::Any)
    }

    pub(super) fn typed(&mut self, expression: &IdedExpr) -> Typed {
        match &expression.expr {
            Expr::Literal(literal) => self.literal(expression, literal),
            Expr::Ident(_) | Expr::Select(_) => self.name(expression),
            Expr::List(list) => self.list(&list.elements),
            Expr::Call(call) => self.call(expression, call),
            Expr::Map(_) | Expr::Struct(_) => self.problem(expression, "maps are not part of conditions", "use a list"),
            Expr::Comprehension(_) | Expr::Unspecified => self.problem(expression, "this cannot be read", ""),
        }
    }

    fn literal(&mut self, at: &IdedExpr, literal: &LiteralValue) -> Typed {
        match literal {
            LiteralValue::Boolean(yes) => (Node::YesNo(*yes.inner()), Type::YesNo),
            LiteralValue::Int(number) => (Node::Whole(*number.inner()), Type::Whole),
            LiteralValue::Double(number) => (Node::Number(*number.inner()), Type::Number),
            LiteralValue::String(text) => (Node::Text(text.inner().to_owned()), Type::Text),
            LiteralValue::UInt(_) => {
                self.problem(at, "unsigned numbers are not part of conditions", "leave the `u` out")
            }
            LiteralValue::Bytes(_) => self.problem(at, "bytes are not part of conditions", "leave the `b` out"),
            LiteralValue::Null => {
                self.problem(at, "there is no `null` in conditions", "ask `has(…)`, or compare a text with \"\"")
            }
        }
    }

    fn list(&mut self, elements: &[IdedExpr]) -> Typed {
        let mut nodes = Vec::with_capacity(elements.len());
        let mut of = Type::Any;
        for element in elements {
            let (node, kind) = self.typed(element);
            if !of.meets(&kind) {
                let message = format!("a list holds one type; this is {}, the others are {}", kind.shown(), of.shown());
                self.problem(element, message, "");
            }
            of = of.joined_with(&kind);
            nodes.push(node);
        }
        (Node::List(nodes), Type::List(Box::new(of)))
    }

    /// The dotted name that an expression spells, if it spells one.
    pub(super) fn path(expression: &IdedExpr) -> Option<String> {
        match &expression.expr {
            Expr::Ident(name) => Some(as_written(name).to_owned()),
            Expr::Select(select) => Some(format!("{}.{}", Self::path(&select.operand)?, select.field)),
            _ => None,
        }
    }

    fn name(&mut self, at: &IdedExpr) -> Typed {
        let Some(path) = Self::path(at) else {
            return self.problem(at, "this has no parts", "only facts have dots in their names");
        };
        let root = path.split('.').next().unwrap_or_default();
        if let Some(depth) = self.locals.iter().rposition(|local| local.name == root) {
            if root.len() != path.len() {
                return self.problem(at, format!("`{root}` is one value of a list; it has no parts"), "");
            }
            return (Node::Local(depth), self.locals[depth].kind.clone());
        }
        match self.fact(at, &path) {
            Some((place, kind)) => (Node::Fact(place), kind),
            None => (Node::YesNo(false), Type::Any),
        }
    }

    /// The place of a fact in the condition's list, or a problem.
    pub(super) fn fact(&mut self, at: &IdedExpr, path: &str) -> Option<(usize, Type)> {
        match self.known.look_up(path) {
            Known::Fact(fact, kind) => {
                let place = self.facts.iter().position(|known| *known == fact).unwrap_or_else(|| {
                    self.facts.push(fact);
                    self.facts.len() - 1
                });
                return Some((place, kind.into()));
            }
            Known::Branch => {
                let inside: Vec<String> =
                    self.known.names().into_iter().filter(|name| name.starts_with(&format!("{path}."))).collect();
                self.problem(at, format!("`{path}` is not one fact"), format!("say which: {}", inside.join(", ")));
            }
            Known::NoPackage => {
                let help = "only escalations carry a package; ask for the fact itself, as in has(ticket.fields.steps)";
                self.problem(at, format!("there is no package here to ask for `{path}`"), help);
            }
            Known::Nothing(nearest) => {
                let help = match (&nearest, path.contains(".fields.")) {
                    (Some(name), _) => format!("did you mean `{name}`?"),
                    (None, true) => "declare it under [desks.NAME.fields]".to_owned(),
                    (None, false) => {
                        "facts begin with ticket, customer, organization, case, steps, playbook, package or clocks"
                            .to_owned()
                    }
                };
                self.problem(at, format!("no fact is called `{path}`"), help);
            }
        }
        None
    }

    fn call(&mut self, at: &IdedExpr, call: &CallExpr) -> Typed {
        match (call.func_name.as_str(), call.args.as_slice()) {
            (op::LOGICAL_AND, [one, two]) => {
                let (one, two) = self.both_yes_no(one, two);
                (Node::And(one.into(), two.into()), Type::YesNo)
            }
            (op::LOGICAL_OR, [one, two]) => {
                let (one, two) = self.both_yes_no(one, two);
                (Node::Or(one.into(), two.into()), Type::YesNo)
            }
            (op::LOGICAL_NOT, [inner]) => (Node::Not(self.yes_no(inner).into()), Type::YesNo),
            (op::CONDITIONAL, [ask, yes, no]) => self.either(at, ask, yes, no),
            (op::IN, [value, list]) => self.is_in(at, value, list),
            (op::INDEX, [list, place]) => self.at_place(list, place),
            (op::NEGATE, [inner]) => {
                let (node, kind) = self.number(inner);
                (Node::Negate(node.into()), kind)
            }
            (sign, [one, two]) if comparison(sign).is_some() => self.compare(at, sign, one, two),
            (sign, [one, two]) if operator(sign).is_some() => self.arithmetic(at, sign, one, two),
            _ => self.function(at, call),
        }
    }

    pub(super) fn yes_no(&mut self, inner: &IdedExpr) -> Node {
        let (node, kind) = self.typed(inner);
        if !Type::YesNo.meets(&kind) {
            let message = format!("yes or no is needed here; this is {}", kind.shown());
            self.problem(inner, message, "compare it with something: `==`, `>`, `in`");
        }
        node
    }

    fn both_yes_no(&mut self, one: &IdedExpr, two: &IdedExpr) -> (Node, Node) {
        (self.yes_no(one), self.yes_no(two))
    }

    fn number(&mut self, inner: &IdedExpr) -> Typed {
        let (node, kind) = self.typed(inner);
        if kind.is_number() {
            return (node, kind);
        }
        self.problem(inner, format!("a number is needed here; this is {}", kind.shown()), "")
    }

    fn either(&mut self, at: &IdedExpr, ask: &IdedExpr, yes: &IdedExpr, no: &IdedExpr) -> Typed {
        let ask = self.yes_no(ask);
        let (yes, one) = self.typed(yes);
        let (no, two) = self.typed(no);
        if !one.meets(&two) {
            let message = format!("both outcomes must have one type; these are {} and {}", one.shown(), two.shown());
            return self.problem(at, message, "");
        }
        (Node::If(ask.into(), yes.into(), no.into()), one.joined_with(&two))
    }

    fn is_in(&mut self, at: &IdedExpr, value: &IdedExpr, list: &IdedExpr) -> Typed {
        let (node, kind) = self.typed(value);
        let (inside, list_kind) = self.typed(list);
        match &list_kind {
            Type::List(of) if of.meets(&kind) => {}
            Type::Any => {}
            Type::List(of) => {
                let message = format!("{} is never in a list of {}", kind.shown(), of.shown());
                return self.problem(at, message, "");
            }
            Type::Text => {
                return self.problem(list, "`in` looks into lists; this is text", "write `text.contains(\"…\")`");
            }
            other => return self.problem(list, format!("`in` looks into lists; this is {}", other.shown()), ""),
        }
        self.check_words(value, list);
        self.check_words(list, value);
        self.check_date(value, list, true);
        (Node::In(node.into(), inside.into()), Type::YesNo)
    }

    fn at_place(&mut self, list: &IdedExpr, place: &IdedExpr) -> Typed {
        let (node, kind) = self.typed(list);
        let (at, at_kind) = self.typed(place);
        if !Type::Whole.meets(&at_kind) || at_kind == Type::Number {
            return self.problem(place, "a place in a list is a whole number, from 0", "");
        }
        match kind {
            Type::List(of) => (Node::At(node.into(), at.into()), *of),
            Type::Any => (node, Type::Any),
            other => self.problem(list, format!("only lists have places; this is {}", other.shown()), ""),
        }
    }

    fn compare(&mut self, at: &IdedExpr, sign: &str, one: &IdedExpr, two: &IdedExpr) -> Typed {
        let (left, left_kind) = self.typed(one);
        let (right, right_kind) = self.typed(two);
        if !left_kind.meets(&right_kind) {
            let message = format!("this compares {} with {}", left_kind.shown(), right_kind.shown());
            let words = self.words_of(one).or_else(|| self.words_of(two));
            let help = match words {
                // Numbers are wanted of what the desk says in words.
                Some((name, words)) if left_kind == Type::Text || right_kind == Type::Text => {
                    let words: Vec<&str> = words.iter().copied().filter(|word| !word.is_empty()).collect();
                    format!("`{name}` is one of {}: write `{name} in [\"…\", \"…\"]`", words.join(", "))
                }
                _ => how_to_compare(&left_kind, &right_kind, one, two),
            };
            return self.problem(at, message, help);
        }
        let comparison = comparison(sign).unwrap_or(Comparison::Equal);
        // Whether a date is there at all is asked by `== ""`; nothing comes before or after no date.
        let equals = matches!(comparison, Comparison::Equal | Comparison::Unequal);
        self.check_date(one, two, equals);
        self.check_date(two, one, equals);
        let ordered = |kind: &Type| matches!(kind, Type::Whole | Type::Number | Type::Text | Type::Any);
        if !equals {
            if !ordered(&left_kind) || !ordered(&right_kind) {
                let help =
                    if matches!(left_kind, Type::List(_)) { "ask for its `size(…)`" } else { "use `==` or `!=`" };
                return self.problem(at, format!("{} has no order", left_kind.shown()), help);
            }
            // By the alphabet, "high" would come before "low".
            if let Some((name, words)) = self.words_of(one).or_else(|| self.words_of(two)) {
                let words: Vec<&str> = words.iter().copied().filter(|word| !word.is_empty()).collect();
                let help = format!("list those that are meant, of {}: `{name} in [\"…\", \"…\"]`", words.join(", "));
                return self.problem(at, format!("the words of `{name}` have no order"), help);
            }
        } else {
            self.check_words(one, two);
            self.check_words(two, one);
        }
        (Node::Compare(comparison, left.into(), right.into()), Type::YesNo)
    }

    fn arithmetic(&mut self, at: &IdedExpr, sign: &str, one: &IdedExpr, two: &IdedExpr) -> Typed {
        let (left, left_kind) = self.typed(one);
        let (right, right_kind) = self.typed(two);
        let operator = operator(sign).unwrap_or(Operator::Add);
        let joins = matches!((&left_kind, &right_kind), (Type::Text, Type::Text))
            || matches!((&left_kind, &right_kind), (Type::List(a), Type::List(b)) if a.meets(b));
        let fits = match operator {
            Operator::Add => joins || (left_kind.is_number() && right_kind.is_number()),
            Operator::Remainder => left_kind.meets(&Type::Whole) && right_kind.meets(&Type::Whole),
            _ => left_kind.is_number() && right_kind.is_number(),
        };
        let fractions = left_kind == Type::Number || right_kind == Type::Number;
        if !fits || (operator == Operator::Remainder && fractions) {
            let message = format!("this cannot be done with {} and {}", left_kind.shown(), right_kind.shown());
            return self.problem(at, message, if fits { "`%` takes whole numbers" } else { "" });
        }
        (Node::Arithmetic(operator, left.into(), right.into()), left_kind.joined_with(&right_kind))
    }
}

fn how_to_compare(left: &Type, right: &Type, one: &IdedExpr, two: &IdedExpr) -> String {
    let text = if *left == Type::Text { one } else { two };
    match (left, right) {
        (Type::Text, kind) | (kind, Type::Text) if kind.is_number() => match &text.expr {
            Expr::Literal(_) => "write the number without quotes".to_owned(),
            _ => "declare the field with type = \"number\", or write `double(…)`".to_owned(),
        },
        (Type::Text, Type::YesNo) | (Type::YesNo, Type::Text) => "yes and no are written `true` and `false`".to_owned(),
        (Type::List(_), _) | (_, Type::List(_)) => "ask `value in list`, or for its `size(…)`".to_owned(),
        _ => String::new(),
    }
}

fn comparison(sign: &str) -> Option<Comparison> {
    Some(match sign {
        op::EQUALS => Comparison::Equal,
        op::NOT_EQUALS => Comparison::Unequal,
        op::LESS => Comparison::Less,
        op::LESS_EQUALS => Comparison::LessOrEqual,
        op::GREATER => Comparison::Greater,
        op::GREATER_EQUALS => Comparison::GreaterOrEqual,
        _ => return None,
    })
}

fn operator(sign: &str) -> Option<Operator> {
    Some(match sign {
        op::ADD => Operator::Add,
        op::SUBSTRACT => Operator::Subtract,
        op::MULTIPLY => Operator::Multiply,
        op::DIVIDE => Operator::Divide,
        op::MODULO => Operator::Remainder,
        _ => return None,
    })
}
