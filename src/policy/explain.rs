//! A verdict explained: every rule with every one of its conditions, what each came to by which facts, and what would
//! have to change for the rule to act.
//!
//! A second pass over the same case with the same evaluator, for people who ask; `decide` itself stops at the first
//! condition that fails. The verdict in it is `decide`'s own.

use super::case::Case;
use super::clocks::ClockDifference;
use super::condition::{Answer, Condition};
use super::decide::decide;
use super::facts::Facts;
use super::hold;
use super::matching::{AnyRule, shown, times};
use super::package;
use super::proposal::{HandoffKind, Proposal};
use super::propose::Proposer;
use super::risk;
use super::rules::{Escalation, Missing, Mode, PackagePart, Policy, ReviewDecision, Rule};
use super::shown::shown_in_sentence;
use super::verdict::{Decision, Outcome, Risk, RuleResult, RuleTrace};
use handoffd_kit::id::DeskId;
use handoffd_kit::model::PartSet;
use jiff::Timestamp;
use serde::Serialize;

/// A verdict with all that led to it.
#[derive(Clone, Debug, Serialize)]
pub struct Explanation {
    /// What the policy says.
    pub outcome: Outcome,
    /// `policy.never`, where there is one.
    pub never: Option<ConditionExplained>,
    /// Every rule, in the order of the file, routes first.
    pub trace: Vec<RuleExplained>,
    /// Proposals of rules in shadow, or held: recorded, never written.
    pub would: Vec<Proposal>,
    /// Look again then, if nothing happens before.
    pub again_at: Option<Timestamp>,
    /// Where the desk's clocks and our targets do not agree.
    pub clock_differences: Vec<ClockDifference>,
}

/// One rule's verdict with all its conditions.
#[derive(Clone, Debug, Serialize)]
pub struct RuleExplained {
    /// Name, version, target, result, facts: as `decide` gave them.
    #[serde(flatten)]
    pub verdict: RuleTrace,
    /// Routing or escalation.
    pub kind: HandoffKind,
    /// Whether it may write: the stricter of its mode and the daemon's.
    pub mode: Mode,
    /// Each condition.
    pub conditions: Vec<ConditionExplained>,
    /// Each time key, with its working.
    pub times: Vec<(String, String)>,
    /// Whether a person is asked before it writes; none for a route.
    pub review: Option<ReviewExplained>,
    /// What would have to change for it to act: all of these. Empty for one that acts.
    pub would_need: Vec<String>,
}

/// One condition.
#[derive(Clone, Debug, Serialize)]
pub struct ConditionExplained {
    /// As it is written.
    pub condition: String,
    /// What it came to.
    pub answer: AnswerWord,
    /// The facts it looked at, by name, as text.
    pub facts: Vec<(String, String)>,
    /// What is unknown.
    pub unknown: Vec<String>,
    /// What would have to change for it to hold: all of these.
    pub would_need: Vec<String>,
}

/// What a condition came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AnswerWord {
    /// It holds.
    Holds,
    /// It does not.
    Fails,
    /// It cannot be told.
    Unknown,
}

/// Whether somebody is asked before a rule writes.
#[derive(Clone, Debug, Serialize)]
pub struct ReviewExplained {
    /// Whether a person says yes or no.
    pub asks: bool,
    /// Why.
    pub risks: Vec<Risk>,
    /// The condition that decides it, where one does.
    pub condition: Option<ConditionExplained>,
    /// What the ticket's words say of the risks that count for the rule.
    pub words: Vec<risk::Told>,
    /// Missing parts that the current agent is asked for first.
    pub asks_for: Vec<PackagePart>,
}

/// The parts that every condition of the policy may look at for this case's desk, and that were not read.
pub fn parts(case: &Case, policy: &Policy) -> PartSet {
    let facts = Facts::new(case, policy);
    let concerned = AnyRule::all(policy).filter(|any| concerns(*any, case, &facts));
    let conditions = concerned.flat_map(|any| {
        let review = match any {
            AnyRule::Escalation(escalation) => review_condition(&escalation.review),
            AnyRule::Route(_) => None,
        };
        any.rule().when.iter().chain(review)
    });
    let packages = AnyRule::all(policy).filter(|any| concerns(*any, case, &facts)).filter_map(AnyRule::package);
    let wanted = packages.fold(PartSet::NONE, |all, decision| all.union(package::needs(decision)));
    let concerned = AnyRule::all(policy).filter(|any| concerns(*any, case, &facts));
    let wanted = concerned.fold(wanted, |all, any| all.union(risk::needs(any, policy)));
    let wanted = conditions.chain(&policy.never).fold(wanted, |all, condition| all.union(condition.parts()));
    wanted.without(case.parts.read()).without(case.asked)
}

/// Explains a case now, or names the parts that must be read first, as [`decide`] does.
///
/// # Errors
/// The parts.
pub fn explain(
    case: &Case,
    policy: &Policy,
    signed: &dyn Fn(&str, &str) -> bool,
    now: Timestamp,
) -> Result<Explanation, PartSet> {
    let verdict = match decide(case, policy, signed, now) {
        Decision::Verdict(verdict) => verdict,
        Decision::Need(parts) => return Err(parts),
    };
    let explaining = Explaining { proposer: Proposer::new(case, policy, signed, now) };
    let not_asked = verdict.trace.is_empty();
    let mut traces = verdict.trace.into_iter();
    let trace = AnyRule::all(policy).map(|any| match traces.next() {
        Some(trace) => explaining.rule(any, trace),
        None => explaining.rule(any, any.traced(RuleResult::NotReached)),
    });
    let trace: Vec<RuleExplained> = trace.collect();
    debug_assert!(not_asked || traces.next().is_none(), "a trace for each rule");
    let never = policy.never.as_ref().map(|never| condition(never, &explaining.proposer.facts));
    Ok(Explanation {
        outcome: verdict.outcome,
        never,
        trace,
        would: verdict.would,
        again_at: verdict.again_at,
        clock_differences: verdict.clock_differences,
    })
}

fn review_condition(review: &ReviewDecision) -> Option<&Condition> {
    match review {
        ReviewDecision::When(condition) => Some(condition),
        ReviewDecision::Never | ReviewDecision::Always => None,
    }
}

/// Whether the case is one that the rule may be asked about.
fn concerns(any: AnyRule<'_>, case: &Case, facts: &Facts<'_>) -> bool {
    match any {
        AnyRule::Route(route) => route.desk == case.desk && facts.team().is_none(),
        AnyRule::Escalation(escalation) => facts.team().is_some_and(|team| escalation.from.contains(&team.name)),
    }
}

struct Explaining<'a> {
    proposer: Proposer<'a>,
}

impl Explaining<'_> {
    fn rule(&self, any: AnyRule<'_>, mut verdict: RuleTrace) -> RuleExplained {
        if verdict.result == RuleResult::NotFrom
            && let Some(desk) = self.elsewhere(any)
        {
            verdict.result = RuleResult::OnAnotherDesk(desk.clone());
        }
        let (kind, review) = match any {
            AnyRule::Route(route) => (HandoffKind::Route, route.rule.risks.as_ref().map(|_| self.reviewed(any, None))),
            AnyRule::Escalation(escalation) => (HandoffKind::Escalate, Some(self.review(any, escalation))),
        };
        let (rule, facts) = (any.rule(), self.proposer.facts.with_package(any.package()));
        let conditions: Vec<ConditionExplained> = rule.when.iter().map(|one| condition(one, &facts)).collect();
        let mut would_need: Vec<String> = self.besides(any, rule, &verdict.result).into_iter().collect();
        would_need.extend(conditions.iter().flat_map(|condition| condition.would_need.iter().cloned()));
        let mode = hold::mode(rule, self.proposer.policy, &self.proposer.case.memory.signed_rules);
        RuleExplained { verdict, kind, mode, conditions, times: self.times(any), review, would_need }
    }

    /// The desk that a rule is about, if it is another one.
    fn elsewhere<'r>(&'r self, any: AnyRule<'r>) -> Option<&'r DeskId> {
        let desk = match any {
            AnyRule::Route(route) => &route.desk,
            AnyRule::Escalation(escalation) => &self.proposer.policy.teams.get(&escalation.to)?.desk,
        };
        (*desk != self.proposer.case.desk).then_some(desk)
    }

    /// What the rule's time keys say, whether its conditions hold or not.
    fn times(&self, any: AnyRule<'_>) -> Vec<(String, String)> {
        let Proposer { case, policy, facts, .. } = &self.proposer;
        let holder = facts.team();
        let team = holder.or_else(|| policy.teams.get(any.to()));
        team.map(|team| times(any.rule(), case).tell(facts, team, holder.map(|team| &team.name)).shown)
            .unwrap_or_default()
    }

    fn review(&self, any: AnyRule<'_>, escalation: &Escalation) -> ReviewExplained {
        let (case, policy) = (self.proposer.case, self.proposer.policy);
        let missing = package::build(case, policy, &self.proposer.facts, &escalation.package).missing;
        let facts = self.proposer.facts.with_package(Some(&escalation.package));
        let condition = review_condition(&escalation.review).map(|one| condition(one, &facts));
        let mut explained = self.reviewed(any, condition);
        match escalation.package.missing {
            Missing::Review if !missing.is_empty() => {
                explained.risks.push(Risk::PackageIncomplete(missing));
                explained.asks = true;
            }
            Missing::Ask { .. } => explained.asks_for = missing,
            Missing::Review | Missing::Send => {}
        }
        explained
    }

    /// Why a person is asked before any rule of this kind acts.
    fn reviewed(&self, any: AnyRule<'_>, condition: Option<ConditionExplained>) -> ReviewExplained {
        let mut risks = self.proposer.rule_risks(any);
        risks.extend(self.proposer.hop_risk());
        let words = self.proposer.words(any).cloned().collect();
        ReviewExplained { asks: !risks.is_empty(), risks, condition, words, asks_for: Vec::new() }
    }

    /// What keeps a rule in shadow, as what would have to change.
    fn to_go_live(&self, rule: &Rule) -> String {
        let (policy, name) = (self.proposer.policy, &rule.name);
        let mut needs = Vec::new();
        if policy.mode == Mode::Shadow {
            needs.push("mode of [daemon] must be \"live\"".to_owned());
        }
        if rule.mode == Mode::Shadow {
            needs.push(format!("the rule {name} must say mode = \"live\""));
        }
        if hold::waits_for_signature(rule, policy, &self.proposer.case.memory.signed_rules) {
            let reviewer = policy.header.second_reviewer.as_deref().unwrap_or("NAME");
            needs.push(format!(
                "its second reviewer must sign this version of it: handoffd policy approve {name} --as {reviewer}"
            ));
        }
        needs.join(", and ")
    }

    /// What beside its conditions keeps it from acting, as what would have to change.
    fn besides(&self, any: AnyRule<'_>, rule: &Rule, result: &RuleResult) -> Option<String> {
        let name = &rule.name;
        Some(match result {
            RuleResult::Unasked(bar) => return self.besides(any, rule, bar),
            RuleResult::NotFrom | RuleResult::OnAnotherDesk(_) => match any {
                AnyRule::Route(route) => format!("the case must be new on the desk {}", route.desk),
                AnyRule::Escalation(escalation) => {
                    let teams: Vec<&str> = escalation.from.iter().map(|team| team.as_str()).collect();
                    format!("the case must lie with {}", teams.join(" or "))
                }
            },
            RuleResult::Behind(earlier) => format!("the route {earlier} must not match"),
            RuleResult::Shadow => self.to_go_live(rule),
            RuleResult::OutsideShare => format!("the rule's share must grow beyond {}", percent(rule.share)),
            RuleResult::AlreadyFired => "it fires once in a stay, or in a case: a new one must begin".to_owned(),
            RuleResult::PathClosed(_) => "a fact that the rule matched must change, or a person say yes".to_owned(),
            RuleResult::Held => format!("a person must release it: handoffd handoffs release --rule {name}"),
            RuleResult::OverLimit => "an hour must pass: its limit, or the desk's, is used up".to_owned(),
            RuleResult::Paused => "the pause must end: handoffd resume".to_owned(),
            RuleResult::AlreadyThere => format!("the case must not lie with {} already", any.to()),
            RuleResult::NotYet(at) => format!("time must pass, until {at}"),
            RuleResult::NoInstant(why) => format!("its time must come: {why}"),
            RuleResult::TimeUnknown(key) => format!("the desk must tell since when, for {key}"),
            RuleResult::PersonActive(until) => format!("agents must leave the case alone until {until}"),
            RuleResult::PersonMayBeActive(until) => format!("the ticket must stay as it is until {until}"),
            RuleResult::OffDuty(until) => format!("its team must be on duty: it is again from {until}"),
            RuleResult::NotAsked => format!("an agent must ask for it on the ticket: /handoff {} REASON", any.to()),
            RuleResult::Fires
            | RuleResult::Agrees
            | RuleResult::NotMatched(..)
            | RuleResult::Unknown(..)
            | RuleResult::NotReached => return None,
        })
    }
}

fn condition(condition: &Condition, facts: &Facts<'_>) -> ConditionExplained {
    let told = condition.tell(facts);
    let (answer, unknown) = match told.answer {
        Answer::Holds => (AnswerWord::Holds, Vec::new()),
        Answer::Fails => (AnswerWord::Fails, Vec::new()),
        Answer::Unknown(missing) => (AnswerWord::Unknown, missing.what),
    };
    ConditionExplained {
        condition: condition.source().to_owned(),
        answer,
        facts: shown(&told.looked_at, facts),
        unknown,
        would_need: condition.wishes(facts, &shown_in_sentence),
    }
}

fn percent(share: f64) -> String {
    format!("{}%", (share * 10_000.0).round() / 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::case::SignedRule;
    use crate::policy::names::TeamName;
    use crate::policy::rules::{PackageDecision, Then};
    use crate::policy::testing::{self, condition, escalation, route};
    use handoffd_kit::model::PartKind;
    use jiff::SignedDuration;
    use proptest::prelude::*;

    fn explained(case: &Case, policy: &Policy) -> Explanation {
        explain(case, policy, &|_, _| true, testing::now()).unwrap_or_else(|parts| panic!("needs {parts:?}"))
    }

    fn with(rules: Vec<Escalation>) -> Policy {
        Policy { escalations: rules, ..testing::policy() }
    }

    #[test]
    fn each_condition_is_told_not_only_the_first_that_fails() {
        let mut rule = escalation("refund", "", "billing");
        rule.rule.when = vec![
            condition("has_tag('other')"),
            condition("ticket.fields.refund_eur > 500.0"),
            condition("ticket.channel == 'web'"),
        ];
        let all = explained(&testing::case_with_parts(), &with(vec![rule]));
        let told: Vec<(AnswerWord, usize)> =
            all.trace[0].conditions.iter().map(|it| (it.answer, it.would_need.len())).collect();
        assert_eq!(told, [(AnswerWord::Fails, 1), (AnswerWord::Holds, 0), (AnswerWord::Unknown, 1)]);
        assert_eq!(all.trace[0].conditions[2].unknown, ["ticket.channel"]);
        assert_eq!(
            all.trace[0].would_need,
            ["ticket.tags is [refund], must have \"other\"", "ticket.channel is unknown, must be \"web\""]
        );
    }

    #[test]
    fn a_rule_in_shadow_says_whether_a_person_would_be_asked() {
        let mut rule = escalation("refund", "true", "billing");
        rule.rule.mode = Mode::Shadow;
        rule.review = ReviewDecision::When(condition("ticket.fields.refund_eur > 5000.0"));
        let mut case = testing::case_with_parts();
        let asks = |case: &Case| {
            let explained = explained(case, &with(vec![rule.clone()]));
            let review = explained.trace[0].review.clone().unwrap();
            (explained.trace[0].verdict.result.clone(), review.asks, explained.trace[0].would_need.clone())
        };
        let live = vec!["the rule refund must say mode = \"live\"".to_owned()];
        assert_eq!(asks(&case), (RuleResult::Shadow, true, live.clone()));
        case.head.fields.insert("f-refund".into(), serde_json::json!(600));
        assert_eq!(asks(&case), (RuleResult::Shadow, false, live.clone()));
        case.memory.hops_today = 4;
        assert_eq!(asks(&case), (RuleResult::Shadow, true, live));
    }

    #[test]
    fn a_rule_of_another_desk_says_so() {
        let mut policy = with(vec![escalation("refund", "", "billing"), escalation("far", "", "engineering")]);
        policy.routes = vec![route("new", "", "frontline")];
        policy.routes[0].desk = "fd".into();
        policy.escalations.iter_mut().for_each(|rule| rule.from = vec!["elsewhere".into()]);
        policy.teams.get_mut(&"engineering".into()).unwrap().desk = "zd".into();
        let all = explained(&testing::case_with_parts(), &policy);
        let results: Vec<&RuleResult> = all.trace.iter().map(|rule| &rule.verdict.result).collect();
        let on = |desk: &str| RuleResult::OnAnotherDesk(desk.into());
        assert_eq!(results, [&on("fd"), &RuleResult::NotFrom, &on("zd")]);
        assert!(on("zd").shown().contains("its team is on another desk, zd"));
        assert_eq!(all.trace[2].would_need, ["the case must lie with elsewhere"]);
    }

    #[test]
    fn missing_parts_are_asked_for_or_leave_it_to_a_person() {
        let review = |missing| {
            let mut rule = escalation("refund", "", "billing");
            rule.package = PackageDecision { require: vec![PackagePart::Summary, PackagePart::Steps], missing };
            explained(&testing::case_with_parts(), &with(vec![rule])).trace[0].review.clone().unwrap()
        };
        let asked = review(Missing::Ask { within: SignedDuration::from_hours(4).into(), then: Then::Review });
        assert_eq!((asked.asks, asked.asks_for), (false, vec![PackagePart::Steps]));
        let reviewed = review(Missing::Review);
        assert_eq!(reviewed.risks, [Risk::PackageIncomplete(vec![PackagePart::Steps])]);
        assert!(!review(Missing::Send).asks);
    }

    #[test]
    fn what_keeps_a_rule_back_is_said_beside_its_conditions() {
        let needs = |change: &dyn Fn(&mut Case, &mut Policy)| {
            let (mut case, mut policy) = (testing::case_with_parts(), with(vec![escalation("refund", "", "billing")]));
            change(&mut case, &mut policy);
            explained(&case, &policy).trace[0].would_need.join("; ")
        };
        assert_eq!(needs(&|_, _| {}), "");
        assert_eq!(needs(&|_, policy| policy.mode = Mode::Shadow), "mode of [daemon] must be \"live\"");
        let unsigned = |signer: &str, version: &str| {
            needs(&|case, policy| {
                policy.escalations[0].rule.sensitive = true;
                policy.header.second_reviewer = Some("security@acme.example".into());
                let (signer, version) = (signer.into(), version.into());
                case.memory.signed_rules = vec![SignedRule { rule: "refund".into(), version, signer }];
            })
        };
        assert_eq!(unsigned("security@acme.example", "refund-v1"), "");
        assert!(
            unsigned("security@acme.example", "refund-v0").contains("policy approve refund --as security@acme.example")
        );
        assert!(unsigned("support-ops@acme.example", "refund-v1").contains("second reviewer must sign"));
        assert!(needs(&|_, policy| policy.escalations[0].rule.share = 0.0).contains("0%"));
        assert!(needs(&|case, _| case.memory.held = vec!["refund".into()]).contains("--rule refund"));
        assert!(needs(&|case, _| case.memory.switched_off.all = true).contains("resume"));
        assert!(needs(&|case, _| case.head.queue = testing::queue("Billing")).contains("lie with frontline"));
        let there = |case: &mut Case, policy: &mut Policy| {
            policy.escalations[0].from.push(TeamName::from("billing"));
            case.head.queue = testing::queue("Billing");
        };
        assert!(needs(&there).contains("not lie with billing"));
    }

    #[test]
    fn a_case_that_no_rule_was_asked_about_is_explained_all_the_same() {
        let mut policy = with(vec![escalation("refund", "has_tag('refund')", "billing")]);
        policy.routes = vec![route("all", "", "frontline")];
        policy.never = Some(condition("has_tag('refund')"));
        let all = explained(&testing::case_with_parts(), &policy);
        assert_eq!(all.never.map(|never| never.answer), Some(AnswerWord::Holds));
        let results: Vec<&RuleResult> = all.trace.iter().map(|rule| &rule.verdict.result).collect();
        assert_eq!(results, [&RuleResult::NotReached, &RuleResult::NotReached]);
        assert_eq!(all.trace[1].conditions[0].answer, AnswerWord::Holds);
    }

    #[test]
    fn it_asks_for_what_any_condition_of_its_rules_looks_at() {
        let mut case = testing::case();
        let policy = with(vec![escalation("a", "has_tag('other') && customer.language == 'de'", "billing")]);
        let wanted = parts(&case, &policy);
        assert!(wanted.has(PartKind::Customer) && wanted.has(PartKind::Conversation) && !wanted.has(PartKind::Clocks));
        case.head.queue = testing::queue("Billing");
        assert_eq!(parts(&case, &policy), PartSet::NONE);
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        /// The two passes are one truth: where `decide` stopped, the explanation has the same answer.
        #[test]
        fn the_explanation_never_contradicts_the_verdict(
            picked in prop::collection::vec(prop::collection::vec(0usize..6, 0..4), 1..5),
            refund in prop::option::of(0.0..9_000.0f64), tag in any::<bool>(), live in any::<bool>(),
        ) {
            const SOURCES: [&str; 6] = [
                "ticket.fields.refund_eur > 500.0", "has_tag('refund')", "ticket.channel == 'web'", "case.hops == 0",
                "has_tag('refund') || ticket.channel == 'web'", "!(ticket.fields.refund_eur > 4000.0)",
            ];
            let rules = picked.iter().enumerate().map(|(n, conditions)| {
                let mut rule = escalation(&format!("r{n}"), "", "billing");
                rule.rule.when = conditions.iter().map(|at| condition(SOURCES[*at])).collect();
                rule.rule.mode = if live { Mode::Live } else { Mode::Shadow };
                rule
            });
            let policy = with(rules.collect());
            let mut case = testing::case_with_parts();
            case.head.fields.insert("f-refund".into(), serde_json::json!(refund));
            case.head.tags = handoffd_kit::fact::Fact::Known(if tag { vec!["refund".into()] } else { Vec::new() });
            let all = explained(&case, &policy);
            for rule in &all.trace {
                let first = |answer| rule.conditions.iter().position(|it| it.answer == answer).map(|at| at + 1);
                match &rule.verdict.result {
                    RuleResult::NotMatched(n, words) => {
                        prop_assert_eq!(first(AnswerWord::Fails), Some(*n));
                        prop_assert_eq!(&rule.conditions[n - 1].condition, words);
                        prop_assert!(!rule.would_need.is_empty());
                    }
                    RuleResult::Unknown(n, _) => {
                        prop_assert_eq!((first(AnswerWord::Fails), first(AnswerWord::Unknown)), (None, Some(*n)));
                    }
                    _ => prop_assert!(rule.conditions.iter().all(|it| it.answer == AnswerWord::Holds)),
                }
            }
        }
    }
}
