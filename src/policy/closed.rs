//! Paths that are closed for a case: after a bounce, an undo or a rejection a rule may not take the case the same way again
//! until a fact that it matched has changed since, or a person says yes.
//!
//! "Since" is the instant of the no, not that of the handoff: what changed while the receiving team had the case was known to
//! whoever gave it back. So the facts are noted by the first look that sees the case back with the giving team, for every
//! rule of the path, whether it matches then or not. A fact that was not noted yet has not changed: a path never opens
//! because nobody knows how things stood. What a look has seen differ stays different, whatever it becomes later.
//!
//! Of labels only those count that the rule asks for: any automation sets others.

use super::case::{CHANGED, Case, ClosedBy, ClosedPath};
use super::cel::{FactSource, Found};
use super::facts::Facts;
use super::hold::Path;
use super::known::{FactName, HouseFact};
use super::matching::{AnyRule, ask, labels_asked};
use super::names::TeamName;
use super::rules::Policy;
use handoffd_kit::model::PartSet;
use jiff::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

const CONTACTS: FactName = FactName::House(HouseFact::CaseContacts30d);

/// Whether the path that this rule would take is closed, and by what: it is as long as no fact that the rule looks at now
/// differs from what was noted.
pub fn closed_by(any: AnyRule<'_>, path: Path<'_>, looked_at: &[&FactName], facts: &Facts<'_>) -> Option<ClosedBy> {
    let closed = facts.case().memory.closed_paths.iter().find(|closed| is_on(closed, path.from, path.to))?;
    // What has been done, or was not carried out, can be asked for again; the receiving team has not said no.
    if matches!(closed.why, ClosedBy::Back | ClosedBy::Stopped) && any.is_on_request() {
        return None;
    }
    let facts = facts.with_package(any.package());
    let changed = |(key, now): (String, Option<String>)| match (closed.facts.get(&key), now) {
        (Some(noted), Some(now)) => differs(&key, noted, &now),
        (_, _) => false,
    };
    let mut matched = looked_at.iter().filter(|name| name.opens_paths()).flat_map(|name| as_noted(any, name, &facts));
    (!matched.any(changed)).then_some(closed.why)
}

/// What a look has to note of closed paths on which the case could go now: each with the facts that are known and were not
/// noted yet, and those that differ from what was noted.
///
/// # Errors
/// The parts that must be read first.
pub fn unnoted(case: &Case, policy: &Policy, now: Timestamp) -> Result<Vec<ClosedPath>, PartSet> {
    let facts = Facts::new(case, policy).at(now);
    let from = facts.team().map(|team| &team.name);
    let mut unread = PartSet::NONE;
    let mut paths = Vec::new();
    for closed in case.memory.closed_paths.iter().filter(|closed| closed.from.as_ref() == from) {
        let mut new = BTreeMap::new();
        for any in rules(case, policy, closed) {
            let facts = facts.with_package(any.package());
            let asked = ask(any, &facts);
            for name in asked.looked_at.iter().filter(|name| name.opens_paths()) {
                for (key, now) in as_noted(any, name, &facts) {
                    match (closed.facts.get(&key), now, facts.fact(name)) {
                        // Where the rule fails whatever a part holds, nobody needs to read it.
                        (None, _, Found::Unread(part)) if asked.unread.has(part) => unread = unread.with(part),
                        (None, Some(now), _) => {
                            new.insert(key, now);
                        }
                        (Some(noted), Some(now), _) if noted != CHANGED && differs(&key, noted, &now) => {
                            new.insert(key, CHANGED.to_owned());
                        }
                        _ => {}
                    }
                }
            }
        }
        if !new.is_empty() {
            paths.push(ClosedPath { facts: new, ..closed.clone() });
        }
    }
    if unread.is_empty() { Ok(paths) } else { Err(unread) }
}

fn is_on(closed: &ClosedPath, from: Option<&TeamName>, to: &TeamName) -> bool {
    closed.from.as_ref() == from && closed.to == *to
}

/// The rules that could take a case on this path.
fn rules<'a>(case: &Case, policy: &'a Policy, closed: &ClosedPath) -> impl Iterator<Item = AnyRule<'a>> {
    let (desk, from, to) = (case.desk.clone(), closed.from.clone(), closed.to.clone());
    let starts = from.is_none();
    let routes = policy.routes.iter().filter(move |route| starts && route.desk == desk);
    let gives = move |team: &TeamName| from.as_ref() == Some(team);
    let escalations = policy.escalations.iter().filter(move |escalation| escalation.from.iter().any(&gives));
    let both = routes.map(AnyRule::Route).chain(escalations.map(AnyRule::Escalation));
    both.filter(move |any| any.leads_to(&to))
}

/// What a fact goes by here. Each rule sees a package of its own.
fn key(any: AnyRule<'_>, name: &FactName) -> String {
    if name.is_of_the_package() { format!("{name} of {}", any.rule().name) } else { name.to_string() }
}

/// What is noted of a fact: under which keys, and each as it is now, where that is known.
fn as_noted(any: AnyRule<'_>, name: &FactName, facts: &Facts<'_>) -> Vec<(String, Option<String>)> {
    let whole = || vec![(key(any, name), value(name, facts))];
    labels_asked(any.rule(), name, facts).unwrap_or_else(whole)
}

/// A fact as it is noted: it may be ticket text, of which the ledger needs no copy. A count is kept as it is.
fn value(name: &FactName, facts: &Facts<'_>) -> Option<String> {
    let whole = facts.whole(name)?;
    let counted = *name == CONTACTS;
    Some(if counted { whole } else { hex::encode(&Sha256::digest(whole)[..8]) })
}

/// Whether a fact has changed since it was noted. Contacts become fewer by time alone, which is no news.
fn differs(key: &str, noted: &str, now: &str) -> bool {
    let count = |text: &str| text.strip_prefix('=').and_then(|count| count.parse::<u64>().ok());
    match (count(noted), count(now)) {
        (Some(noted), Some(now)) if key == CONTACTS.to_string() => now > noted,
        _ => noted != now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::condition::Condition;
    use crate::policy::decide::decide;
    use crate::policy::known::KnownFacts;
    use crate::policy::rules::{Missing, Mode, PackagePart, Trigger};
    use crate::policy::testing::{self, close, condition, escalation, now, policy as rules_of};
    use crate::policy::verdict::{Decision, RuleResult};
    use handoffd_kit::fact::Fact;
    use handoffd_kit::model::PartKind;
    use serde_json::json;

    const CLOSED: RuleResult = RuleResult::PathClosed(ClosedBy::Bounce);

    /// From frontline to billing, one rule for each condition: `r0`, `r1` and so on.
    fn policy(conditions: &[&str]) -> Policy {
        let rule = |(at, when): (usize, &&str)| escalation(&format!("r{at}"), when, "billing");
        Policy { escalations: conditions.iter().enumerate().map(rule).collect(), ..rules_of() }
    }

    fn results(case: &Case, policy: &Policy) -> Vec<RuleResult> {
        match decide(case, policy, &|_, _| true, now()) {
            Decision::Verdict(verdict) => verdict.trace.into_iter().map(|trace| trace.result).collect(),
            Decision::Need(parts) => panic!("needs {parts:?}"),
        }
    }

    fn amount(case: &mut Case, euros: u32) {
        case.head.fields.insert("f-refund".into(), json!(euros.to_string()));
    }

    #[test]
    fn it_opens_when_a_fact_has_changed_since_it_was_noted_and_not_by_what_changed_before() {
        let policy = policy(&["has_tag('refund') && ticket.fields.refund_eur > 500.0"]);
        let mut case = testing::case_with_parts();
        amount(&mut case, 900);
        // The case comes back, and somebody has raised the amount meanwhile.
        amount(&mut case, 7000);
        close(&mut case, &policy, ClosedBy::Bounce);
        assert_eq!(results(&case, &policy), [CLOSED]);
        // What a handoff and a bounce count opens nothing.
        (case.memory.bounces, case.memory.hops, case.memory.handoffs) = (1, 2, 1);
        assert_eq!(results(&case, &policy), [CLOSED]);
        let mut released = case.clone();
        released.memory.released.push("r0".into());
        assert_eq!(results(&released, &policy), [RuleResult::Fires], "a person says yes");
        amount(&mut case, 7100);
        assert_eq!(results(&case, &policy), [RuleResult::Fires]);
    }

    #[test]
    fn a_rule_in_shadow_does_not_list_it_for_a_release() {
        let mut policy = policy(&["has_tag('refund')"]);
        let mut case = testing::case_with_parts();
        close(&mut case, &policy, ClosedBy::Bounce);
        policy.mode = Mode::Shadow;
        let Decision::Verdict(verdict) = decide(&case, &policy, &|_, _| true, now()) else { panic!("needs parts") };
        assert_eq!((verdict.trace[0].result.clone(), verdict.would.len()), (CLOSED, 0));
    }

    #[test]
    fn as_long_as_nothing_was_noted_it_stays_closed_whatever_changes() {
        let policy = policy(&["ticket.fields.refund_eur > 500.0"]);
        let mut case = testing::case_with_parts();
        let path = || ClosedPath::new(Some("frontline".into()), "billing".into(), ClosedBy::Bounce);
        case.memory.closed_paths = vec![path()];
        for euros in [900, 7000] {
            amount(&mut case, euros);
            assert_eq!(results(&case, &policy), [CLOSED]);
        }
        // In the receiving team nothing is noted: whoever gives it back may change something first.
        case.head.queue = testing::queue("Billing");
        assert_eq!(unnoted(&case, &policy, now()), Ok(Vec::new()));
        case.head.queue = testing::queue("Support");
        let noted = unnoted(&case, &policy, now()).expect("the head is enough");
        assert_eq!(noted.iter().map(|path| path.facts.len()).collect::<Vec<_>>(), [1]);
        case.memory.closed_paths = noted;
        assert_eq!(unnoted(&case, &policy, now()), Ok(Vec::new()), "once");
    }

    #[test]
    fn a_rule_that_did_not_match_then_and_does_now_takes_the_case_and_the_others_do_not() {
        let policy = policy(&["has_tag('vip')", "ticket.subject != ''"]);
        let mut case = testing::case_with_parts();
        close(&mut case, &policy, ClosedBy::Bounce);
        assert!(matches!(results(&case, &policy)[..], [RuleResult::NotMatched(..), CLOSED]));
        case.head.tags = Fact::Known(vec!["refund".into(), "vip".into()]);
        assert_eq!(results(&case, &policy), [RuleResult::Fires, CLOSED]);
    }

    #[test]
    fn a_rule_that_is_new_or_was_edited_has_seen_no_change_yet() {
        let before = policy(&["has_tag('refund')"]);
        let mut case = testing::case_with_parts();
        amount(&mut case, 900);
        close(&mut case, &before, ClosedBy::Bounce);
        let after = policy(&["ticket.fields.refund_eur > 500.0", "has_tag('refund') && ticket.subject != ''"]);
        assert_eq!(results(&case, &after), [CLOSED, CLOSED]);
        let noted = unnoted(&case, &after, now()).expect("the head is enough");
        assert_eq!(noted[0].facts.keys().collect::<Vec<_>>(), ["ticket.fields.refund_eur", "ticket.subject"]);
    }

    #[test]
    fn which_facts_a_rule_looks_at_may_depend_on_what_moves_with_the_case() {
        let policy = policy(&["case.bounces >= 1 || ticket.fields.refund_eur > 500.0"]);
        let mut case = testing::case_with_parts();
        amount(&mut case, 900);
        close(&mut case, &policy, ClosedBy::Bounce);
        // The bounce is counted only after the look that saw it.
        case.memory.bounces = 1;
        assert_eq!(results(&case, &policy), [CLOSED]);
    }

    #[test]
    fn what_the_desk_does_not_say_is_no_change() {
        let policy = policy(&["ticket.priority == 'high' || has_tag('refund')"]);
        let mut case = testing::case_with_parts();
        case.head.priority = Fact::Unknown;
        close(&mut case, &policy, ClosedBy::Bounce);
        assert_eq!(case.memory.closed_paths[0].facts.keys().collect::<Vec<_>>(), ["has_tag(\"refund\")"]);
        case.head.priority = Fact::Known(Some(handoffd_kit::model::Priority::High));
        assert_eq!(results(&case, &policy), [CLOSED]);
    }

    #[test]
    fn labels_between_agents_and_us_are_no_facts() {
        let policy = policy(&["has_tag('refund')"]);
        let mut case = testing::case_with_parts();
        let labels = |tags: &[&str]| Fact::Known(tags.iter().map(|tag| (*tag).to_owned()).collect());
        case.head.tags = labels(&["refund", "handoffd-asking", "handoff-reject"]);
        close(&mut case, &policy, ClosedBy::Bounce);
        case.head.tags = labels(&["handoff:billing", "refund"]);
        assert_eq!(results(&case, &policy), [CLOSED]);
        case.head.tags = labels(&["refund"]);
        assert_eq!(results(&case, &policy), [CLOSED]);
    }

    fn labels(case: &mut Case, tags: &[&str]) {
        case.head.tags = Fact::Known(tags.iter().map(|tag| (*tag).to_owned()).collect());
    }

    #[test]
    fn a_label_that_a_rule_does_not_ask_for_is_no_news_to_it_unless_it_uses_the_whole_list() {
        let by_name = policy(&["has_tag('refund') || 'vip' in ticket.tags"]);
        let whole = policy(&["has_tag('refund') && size(ticket.tags) > 0"]);
        let mut case = testing::case_with_parts();
        labels(&mut case, &["refund"]);
        for (policy, foreign) in [(&by_name, CLOSED), (&whole, RuleResult::Fires)] {
            labels(&mut case, &["refund"]);
            close(&mut case, policy, ClosedBy::Bounce);
            labels(&mut case, &["refund", "trigger-7"]);
            assert_eq!(results(&case, policy), [foreign]);
        }
        close(&mut case, &by_name, ClosedBy::Bounce);
        labels(&mut case, &["refund", "vip"]);
        assert_eq!(results(&case, &by_name), [RuleResult::Fires], "one that it asks for");
    }

    #[test]
    fn what_a_look_saw_change_is_news_though_it_is_as_before_by_now() {
        let policy = policy(&["has_tag('refund')"]);
        let mut case = testing::case_with_parts();
        labels(&mut case, &["refund"]);
        close(&mut case, &policy, ClosedBy::Bounce);
        labels(&mut case, &[]);
        let seen = unnoted(&case, &policy, now()).expect("the head is enough");
        assert_eq!(seen[0].facts.values().collect::<Vec<_>>(), [CHANGED]);
        case.memory.closed_paths[0].facts.extend(seen[0].facts.clone());
        assert_eq!(unnoted(&case, &policy, now()), Ok(Vec::new()), "once");
        labels(&mut case, &["refund"]);
        assert_eq!(results(&case, &policy), [RuleResult::Fires]);
    }

    #[test]
    fn time_alone_is_no_news_but_another_contact_is() {
        assert!(!FactName::Clock("resolution".into()).opens_paths());
        let contacts = CONTACTS.to_string();
        for (noted, now, news) in [("=3", "=2", false), ("=3", "=3", false), ("=3", "=4", true), ("=9", "=10", true)] {
            assert_eq!(differs(&contacts, noted, now), news, "{noted} {now}");
        }
        assert!(differs("case.agent_replies", "=3", "=2") && differs(&contacts, CHANGED, "=2"));
    }

    #[test]
    fn parts_are_read_for_it_where_they_decide_whether_a_rule_matches_and_nowhere_else() {
        let conditions = ["has_tag('refund') && customer.language == 'de'", "has_tag('no') && case.agent_replies > 3"];
        let policy = policy(&conditions);
        let mut case = testing::case_with_parts();
        case.parts = handoffd_kit::model::Parts::default();
        case.memory.closed_paths =
            vec![ClosedPath::new(Some("frontline".into()), "billing".into(), ClosedBy::Rejection)];
        assert_eq!(unnoted(&case, &policy, now()), Err(PartSet::of(&[PartKind::Customer])));
        // Asked for in vain: what is known is noted.
        case.asked = PartSet::of(&[PartKind::Customer]);
        let noted = unnoted(&case, &policy, now()).expect("not asked for twice");
        assert_eq!(noted[0].facts.keys().collect::<Vec<_>>(), ["has_tag(\"no\")", "has_tag(\"refund\")"]);
    }

    #[test]
    fn each_rule_has_noted_its_own_package() {
        let known = KnownFacts::new();
        let when = || vec![Condition::compile("'steps' in package.missing", &known).expect("a condition")];
        let mut policy = policy(&["true", "true"]);
        for (rule, require) in policy.escalations.iter_mut().zip([PackagePart::Steps, PackagePart::Question]) {
            rule.rule.when = when();
            rule.package.require = vec![require];
            rule.package.missing = Missing::Send;
        }
        let mut case = testing::case_with_parts();
        close(&mut case, &policy, ClosedBy::Bounce);
        let noted = case.memory.closed_paths[0].facts.keys().cloned().collect::<Vec<_>>();
        assert_eq!(noted, ["package.missing of r0", "package.missing of r1"]);
        assert!(matches!(results(&case, &policy)[..], [CLOSED, RuleResult::NotMatched(..)]));
    }

    #[test]
    fn a_request_before_which_nobody_asked_is_news() {
        let mut policy = policy(&["true"]);
        policy.escalations[0].trigger = Trigger::Manual;
        policy.escalations[0].rule.when = vec![condition("has_tag('refund')")];
        let mut case = testing::case_with_parts();
        close(&mut case, &policy, ClosedBy::Bounce);
        case.memory.request = Some(testing::request("billing"));
        assert_eq!(results(&case, &policy), [RuleResult::Fires], "a person asks for it, and says why");
    }
}
