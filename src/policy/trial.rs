//! A test of the policy in the policy's own file: a case as it might be, and what the policy must say about it.
//!
//! It runs through the same [`decide`] as real cases. A test is about what rules mean, not about how much of them is
//! switched on: every rule counts as live for all tickets, and every wording as signed. What a test does not state is
//! unknown, and nothing is read for it.

use super::case::Case;
use super::decide::decide;
use super::names::{RuleName, TeamName};
use super::package::name_of;
use super::proposal::{CustomerPlan, Proposal};
use super::rules::{Mode, PackagePart, Policy};
use super::verdict::{Decision, Outcome, RuleResult, Verdict};
use handoffd_kit::model::{PartKind, PartSet};
use jiff::Timestamp;

/// One test.
#[derive(Clone, Debug)]
pub struct Trial {
    /// What it shows, in a sentence.
    pub name: String,
    /// The case.
    pub case: Case,
    /// The instant it is decided at.
    pub at: Timestamp,
    /// What must come out.
    pub expect: Expected,
}

/// What must come out; what is `None` may be anything.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// The rule that acts.
    pub rule: Option<RuleName>,
    /// The rules that agree with it, in the order of the file.
    pub also: Option<Vec<RuleName>>,
    /// Where the case goes.
    pub to: Option<TeamName>,
    /// Whether a person is asked first.
    pub review: Option<bool>,
    /// Whether the current agent is asked for missing parts first.
    pub asks: Option<bool>,
    /// Whether the case stays, and why.
    pub stays: Option<Stays>,
    /// The rendered reason.
    pub reason: Option<String>,
    /// Required parts of the package that are missing.
    pub missing: Option<Vec<PackagePart>>,
    /// The message that the customer gets, by name; [`NOTHING`]: none.
    pub tells: Option<String>,
    /// What the customer reads.
    pub says: Option<String>,
}

/// The word for no message.
pub const NOTHING: &str = "nothing";

/// Whether a case stays.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stays {
    /// For whatever reason.
    Yes,
    /// It does not.
    No,
    /// For this reason ([`super::verdict::StayReason::word`]).
    For(&'static str),
}

/// One thing that came out otherwise than expected, for people.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Difference {
    /// The key of `expect`.
    pub what: &'static str,
    /// What was expected.
    pub expected: String,
    /// What came out.
    pub got: String,
}

/// What came of a test.
#[derive(Clone, Debug)]
pub struct Report {
    /// What came out otherwise; empty: the test passes.
    pub differences: Vec<Difference>,
    /// Where it does not pass: what the rules said that may explain it.
    pub why: Vec<String>,
}

/// The policy with every rule switched on for all tickets.
pub fn as_if_live(policy: &Policy) -> Policy {
    let mut live = policy.clone();
    live.mode = Mode::Live;
    let routes = live.routes.iter_mut().map(|route| &mut route.rule);
    for rule in routes.chain(live.escalations.iter_mut().map(|escalation| &mut escalation.rule)) {
        rule.mode = Mode::Live;
        rule.share = 1.0;
        rule.sensitive = false;
    }
    live
}

/// Runs a test against a policy that is [`as_if_live`].
pub fn run(trial: &Trial, live: &Policy) -> Report {
    let mut case = trial.case.clone();
    case.asked = PartSet::of(&PartKind::ALL);
    let verdict = match decide(&case, live, &|_, _| true, trial.at) {
        Decision::Verdict(verdict) => verdict,
        Decision::Need(parts) => {
            let got = format!("the policy asks for {parts:?}, which a test has in full");
            let difference = Difference { what: "expect", expected: "a verdict".into(), got };
            return Report { differences: vec![difference], why: Vec::new() };
        }
    };
    let differences = Observed::of(&verdict).differences(&trial.expect);
    let why = if differences.is_empty() { Vec::new() } else { why(&verdict, trial.expect.rule.as_ref()) };
    Report { differences, why }
}

/// A verdict in the words of `expect`.
struct Observed<'v> {
    proposal: Option<&'v Proposal>,
    review: bool,
    /// Whether the current agent is asked for parts first.
    asks: bool,
    /// Why it stays: the word, and the sentence.
    stays: Option<(&'static str, String)>,
}

impl<'v> Observed<'v> {
    fn of(verdict: &'v Verdict) -> Self {
        match &verdict.outcome {
            Outcome::Stay(reason) => {
                Self { proposal: None, review: false, asks: false, stays: Some((reason.word(), reason.shown())) }
            }
            Outcome::Route(proposal) | Outcome::Escalate(proposal) => {
                Self { proposal: Some(proposal), review: false, asks: false, stays: None }
            }
            Outcome::AskForParts { proposed, .. } => {
                Self { proposal: Some(proposed), review: false, asks: true, stays: None }
            }
            Outcome::AskPerson { proposed, .. } => {
                Self { proposal: Some(proposed), review: true, asks: false, stays: None }
            }
        }
    }

    fn differences(&self, expect: &Expected) -> Vec<Difference> {
        let mut found = Vec::new();
        let mut compare = |what, expected: Option<String>, got: String| {
            if let Some(expected) = expected.filter(|expected| *expected != got) {
                found.push(Difference { what, expected, got });
            }
        };
        let of = |tell: &dyn Fn(&Proposal) -> String| self.proposal.map_or_else(|| self.no_handoff(), tell);
        compare("rule", expect.rule.as_ref().map(ToString::to_string), of(&|it| it.rule.to_string()));
        compare("also", expect.also.as_deref().map(listed), of(&|it| listed(&it.also)));
        compare("to", expect.to.as_ref().map(ToString::to_string), of(&|it| it.to.to_string()));
        compare("review", expect.review.map(yes_no), yes_no(self.review));
        compare("asks", expect.asks.map(yes_no), yes_no(self.asks));
        compare("stays", expect.stays.as_ref().map(Stays::shown), self.stays_like(expect.stays.as_ref()));
        compare("reason", expect.reason.clone(), of(&|it| it.reason.clone()));
        let missing = |it: &Proposal| parts(it.package.as_ref().map_or(&[], |package| &package.missing));
        compare("missing", expect.missing.as_deref().map(parts), of(&missing));
        compare("tells", expect.tells.clone(), of(&|it| told(&it.customer, expect.tells.as_deref())));
        compare("says", expect.says.clone(), of(&|it| said(&it.customer)));
        found
    }

    fn no_handoff(&self) -> String {
        format!("none; it stays: {}", self.stays.as_ref().map_or("", |(_, why)| why))
    }

    /// Whether it stays, as precisely as was asked.
    fn stays_like(&self, asked: Option<&Stays>) -> String {
        match (&self.stays, asked) {
            (Some((word, why)), Some(Stays::For(wanted))) => {
                if word == wanted {
                    (*word).to_owned()
                } else {
                    format!("{word}: {why}")
                }
            }
            (Some(_), Some(Stays::Yes) | None) => yes_no(true),
            (Some((_, why)), Some(Stays::No)) => format!("yes: {why}"),
            (None, Some(Stays::No)) => yes_no(false),
            (None, _) => {
                let target = self.proposal.map(|it| format!(": it goes to {} by {}", it.to, it.rule));
                yes_no(false) + target.as_deref().unwrap_or_default()
            }
        }
    }
}

impl Stays {
    fn shown(&self) -> String {
        match self {
            Self::Yes => yes_no(true),
            Self::No => yes_no(false),
            Self::For(word) => (*word).to_owned(),
        }
    }
}

fn yes_no(yes: bool) -> String {
    if yes { "yes".into() } else { "no".into() }
}

fn listed(rules: &[RuleName]) -> String {
    let names: Vec<&str> = rules.iter().map(RuleName::as_str).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

fn parts(parts: &[PackagePart]) -> String {
    let mut parts = parts.to_vec();
    parts.sort();
    let names: Vec<&str> = parts.into_iter().map(name_of).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

/// The message by name; the reason for none only where one was expected.
fn told(plan: &CustomerPlan, expected: Option<&str>) -> String {
    match plan {
        CustomerPlan::Tell { message, .. } => message.to_string(),
        CustomerPlan::Nothing { .. } if expected == Some(NOTHING) => NOTHING.to_owned(),
        CustomerPlan::Nothing { because } => format!("{NOTHING}, because: {because}"),
    }
}

fn said(plan: &CustomerPlan) -> String {
    match plan {
        CustomerPlan::Tell { text, .. } => text.clone(),
        CustomerPlan::Nothing { because } => format!("{NOTHING}, because: {because}"),
    }
}

/// What the expected rule said, or every rule that was asked, with the facts it saw.
fn why(verdict: &Verdict, wanted: Option<&RuleName>) -> Vec<String> {
    const MOST: usize = 6;
    let concerns =
        |rule: &RuleName, result: &RuleResult| wanted.map_or(*result != RuleResult::NotFrom, |wanted| wanted == rule);
    let traces = verdict.trace.iter().filter(|trace| concerns(&trace.rule, &trace.result));
    traces
        .take(MOST)
        .map(|trace| {
            let facts: Vec<String> = trace.facts.iter().map(|(name, value)| format!("{name} = {value}")).collect();
            let facts = if facts.is_empty() { String::new() } else { format!(" ({})", facts.join("; ")) };
            format!("{} {}{facts}", trace.rule, trace.result.shown())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::rules::ReviewDecision;
    use crate::policy::testing::{self, condition, escalation};

    fn policy() -> Policy {
        let mut refund = escalation("refund", "ticket.fields.refund_eur > 500.0", "billing");
        refund.review = ReviewDecision::When(condition("ticket.fields.refund_eur > 5000.0"));
        Policy { mode: Mode::Shadow, escalations: vec![refund], ..testing::policy() }
    }

    fn report(refund_eur: f64, expect: Expected) -> Report {
        let mut case = testing::case_with_parts();
        case.head.fields.insert("f-refund".into(), serde_json::json!(refund_eur));
        let trial = Trial { name: "t".into(), case, at: testing::now(), expect };
        run(&trial, &as_if_live(&policy()))
    }

    fn refund() -> Expected {
        Expected {
            rule: Some("refund".into()),
            also: Some(Vec::new()),
            to: Some("billing".into()),
            review: Some(true),
            asks: Some(false),
            stays: Some(Stays::No),
            reason: Some("A refund of 6000 EUR is above the limit of frontline".into()),
            missing: Some(Vec::new()),
            tells: Some("escalated".into()),
            says: None,
        }
    }

    #[test]
    fn what_comes_out_as_expected_has_no_difference_even_where_all_is_in_shadow() {
        assert_eq!(report(6_000.0, refund()).differences, []);
        let stays = Expected { stays: Some(Stays::For("no-rule")), review: Some(false), ..Expected::default() };
        assert_eq!(report(100.0, stays).differences, []);
    }

    #[test]
    fn each_thing_that_comes_out_otherwise_is_named_with_what_the_rule_said() {
        let report = report(600.0, refund());
        let named: Vec<(&str, &str, &str)> =
            report.differences.iter().map(|it| (it.what, it.expected.as_str(), it.got.as_str())).collect();
        assert_eq!(
            named,
            [
                ("review", "yes", "no"),
                (
                    "reason",
                    "A refund of 6000 EUR is above the limit of frontline",
                    "A refund of 600 EUR is above the limit of frontline"
                )
            ]
        );
        assert_eq!(report.why, ["refund fires (ticket.fields.refund_eur = 600)"]);
    }

    #[test]
    fn a_case_that_stays_differs_in_all_that_a_handoff_has() {
        let report = report(100.0, refund());
        let what: Vec<&str> = report.differences.iter().map(|it| it.what).collect();
        assert_eq!(what, ["rule", "also", "to", "review", "stays", "reason", "missing", "tells"]);
        assert_eq!(report.differences[0].got, "none; it stays: no rule matches");
        assert_eq!(report.why.len(), 1);
        assert!(report.why[0].contains("ticket.fields.refund_eur > 500.0"), "{:?}", report.why);
    }

    #[test]
    fn another_reason_to_stay_is_a_difference() {
        let expect = Expected { stays: Some(Stays::For("never")), ..Expected::default() };
        assert_eq!(report(100.0, expect).differences[0].got, "no-rule: no rule matches");
        let expect = Expected { stays: Some(Stays::Yes), ..Expected::default() };
        assert_eq!(report(6_000.0, expect).differences[0].got, "no: it goes to billing by refund");
    }
}
