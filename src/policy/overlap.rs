//! How the conditions of two rules stand to each other, as far as their structure proves it.

use super::cel::{Conjunct, proved};
use super::condition::Condition;

/// All that a rule's conditions ask together.
#[derive(Clone, Debug)]
pub struct Conjunction(Vec<Conjunct>);

impl Conjunction {
    /// The parts of all conditions of a rule.
    pub fn of(conditions: &[Condition]) -> Self {
        Self(conditions.iter().flat_map(Condition::conjuncts).collect())
    }

    /// Whether it asks nothing: it always holds.
    pub fn is_always(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the other one holds wherever this one does: each of its parts is proved by one of ours.
    pub fn proves(&self, other: &Conjunction) -> bool {
        other.0.iter().all(|wanted| proved(&self.0, wanted))
    }

    /// Two parts that never hold together (the same text twice: one that never holds).
    pub fn contradiction(&self) -> Option<(&str, &str)> {
        let pairs = self.0.iter().enumerate().flat_map(|(at, one)| self.0[at..].iter().map(move |two| (one, two)));
        let mut clash = pairs.filter(|(one, two)| one.excludes(two));
        clash.next().map(|(one, two)| (one.text.as_str(), two.text.as_str()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::condition::Answer;
    use crate::policy::facts::Facts;
    use crate::policy::testing;
    use handoffd_kit::fact::Fact;
    use handoffd_kit::model::Status;
    use proptest::prelude::*;

    fn of(sources: &[&str]) -> Conjunction {
        Conjunction::of(&sources.iter().map(|source| testing::condition(source)).collect::<Vec<_>>())
    }

    #[test]
    fn a_narrower_condition_proves_a_wider_one_however_it_is_written() {
        for (narrow, wide) in [
            (&["has_tag('a') && has_tag('b')"][..], &["has_tag('b')"][..]),
            (&["has_tag('a')", "has_tag('b')"], &["has_tag(\"b\") && has_tag(\"a\")"]),
            (&["has_tag('a')"], &[]),
            (&["has_tag('a')"], &["true"]),
            (&["ticket.fields.refund_eur > 1000.0"], &["ticket.fields.refund_eur > 500.0"]),
            (&["1000.0 < ticket.fields.refund_eur"], &["ticket.fields.refund_eur >= 1000.0"]),
            (&["case.hops == 3"], &["case.hops > 2"]),
            (&["case.hops < 3"], &["case.hops != 3"]),
            (&["ticket.status == 'new'"], &["ticket.status in ['new', 'open']"]),
            (&["ticket.status == 'new'"], &["ticket.status != 'open'"]),
            (&["!!has_tag('a')"], &["has_tag('a')"]),
            (&["has_tag('a') || has_tag('b')"], &["has_tag('b') || has_tag('a')"]),
            (&["has_tag('a') || (has_tag('b') && case.hops > 1)"], &["1 < case.hops && has_tag('b') || has_tag('a')"]),
            (&["!(has_tag('a') && has_tag('b'))"], &["!(has_tag('b') && has_tag('a'))"]),
            (&["has_tag('a') || has_tag('a')"], &["has_tag('a')"]),
            (&["has_tag('a')"], &["has_tag('b') || has_tag('a')"]),
            (&["has_tag('a') && has_tag('b')"], &["case.hops > 1 || has_tag('b') && has_tag('a')"]),
            (&["case.hops > 5 || case.hops == 4"], &["case.hops > 3"]),
            (
                &["ticket.fields.refund_eur > 1.0 ? has_tag('a') || has_tag('b') : false"],
                &["ticket.fields.refund_eur > 1.0 ? has_tag('b') || has_tag('a') : false"],
            ),
        ] {
            assert!(of(narrow).proves(&of(wide)), "{narrow:?} {wide:?}");
        }
    }

    #[test]
    fn what_is_not_proved_is_not_claimed() {
        for (one, two) in [
            (&["has_tag('b')"][..], &["has_tag('a') && has_tag('b')"][..]),
            (&["has_tag('a') || has_tag('b')"], &["has_tag('a')"]),
            (&["ticket.fields.refund_eur > 500.0"], &["ticket.fields.refund_eur > 1000.0"]),
            (&["ticket.fields.refund_eur >= 500.0"], &["ticket.fields.refund_eur > 500.0"]),
            (&["case.hops > 3"], &["case.bounces > 2"]),
            (&["case.hops != 3"], &["case.hops < 3"]),
            (&["ticket.status in ['new', 'open']"], &["ticket.status == 'new'"]),
            (&["true"], &["has_tag('a')"]),
            (&["has_tag('a') || has_tag('c')"], &["has_tag('b') || has_tag('a')"]),
            (&["has_tag('a') || has_tag('b')"], &["has_tag('a') && has_tag('b')"]),
            (&["ticket.subject + 'a' == 'x'"], &["'a' + ticket.subject == 'x'"]),
        ] {
            assert!(!of(one).proves(&of(two)), "{one:?} {two:?}");
        }
    }

    #[test]
    fn conditions_that_never_hold_together_are_named() {
        for sources in [
            &["false"][..],
            &["has_tag('a') && !has_tag('a')"],
            &["ticket.fields.refund_eur > 500.0", "ticket.fields.refund_eur < 500.0"],
            &["case.hops == 2", "case.hops > 2"],
            &["ticket.status == 'new'", "ticket.status == 'open'"],
            &["ticket.status == 'new'", "ticket.status != 'new'"],
            &["case.hops > 3 || case.hops == 2", "case.hops < 2"],
        ] {
            assert!(of(sources).contradiction().is_some(), "{sources:?}");
        }
        for sources in [
            &["ticket.fields.refund_eur > 500.0", "ticket.fields.refund_eur < 501.0"][..],
            &["case.hops >= 2", "case.hops <= 2"],
            &["has_tag('a')", "!has_tag('b')"],
            &["ticket.tags == ['a']", "ticket.tags == ['b']"],
            &["case.hops > 3 || has_tag('a')", "case.hops < 2"],
        ] {
            assert_eq!(of(sources).contradiction(), None, "{sources:?}");
        }
    }

    /// Conditions over few values, so that they meet often.
    fn conditions() -> impl Strategy<Value = String> {
        let compare = (prop::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]), 0i64..4);
        let status = prop::sample::select(vec!["new", "open", "pending"]);
        let one = prop_oneof![
            compare.clone().prop_map(|(sign, n)| format!("case.hops {sign} {n}")),
            compare.clone().prop_map(|(sign, n)| format!("{n} {sign} case.hops")),
            compare.prop_map(|(sign, n)| format!("ticket.fields.refund_eur {sign} {n}.5")),
            status.clone().prop_map(|word| format!("ticket.status == '{word}'")),
            status.clone().prop_map(|word| format!("ticket.status != '{word}'")),
            (status.clone(), status).prop_map(|(a, b)| format!("ticket.status in ['{a}', '{b}']")),
            prop::sample::select(vec!["has_tag('a')", "!has_tag('a')", "true", "false"]).prop_map(str::to_owned),
        ];
        one.prop_recursive(3, 12, 2, |inner| {
            prop_oneof![
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("{a} && {b}")),
                (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
                inner.prop_map(|a| format!("!({a})")),
            ]
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn no_case_refutes_what_is_claimed(
            one in conditions(), two in conditions(), hops in 0u32..4, refund in prop::option::of(0i32..4),
            status in prop::sample::select(vec![Fact::Known(Status::New), Fact::Known(Status::Open), Fact::Unknown]),
            tagged in any::<bool>(),
        ) {
            let (first, second) = (testing::condition(&one), testing::condition(&two));
            let (a, b) = (Conjunction::of(std::slice::from_ref(&first)), Conjunction::of(std::slice::from_ref(&second)));
            let mut case = testing::case();
            case.memory.hops = hops;
            case.head.status = status;
            case.head.tags = Fact::Known(if tagged { vec!["a".into()] } else { Vec::new() });
            case.head.fields.clear();
            if let Some(refund) = refund {
                case.head.fields.insert("f-refund".into(), serde_json::json!(f64::from(refund) + 0.5));
            }
            let policy = testing::policy();
            let facts = Facts::new(&case, &policy);
            let holds = |condition: &Condition| condition.ask(&facts) == Answer::Holds;
            if a.proves(&b) {
                prop_assert!(!holds(&first) || holds(&second), "{} does not prove {}", one, two);
            }
            if a.contradiction().is_some() {
                prop_assert!(!holds(&first), "{} can hold", one);
            }
            prop_assert!(!a.is_always() || holds(&first), "{} does not always hold", one);
        }
    }
}
