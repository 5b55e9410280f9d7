//! What keeps a rule that matches from acting: it is in shadow, outside its share, paused, held, has fired, or its path
//! is closed. One place, for routes and escalations alike. Limits come last, when it is known which rule would act.

use super::case::{Case, ClosedBy, Recent, SignedRule};
use super::names::{RuleName, TeamName};
use super::rules::{Limits, Mode, Once, Policy, Rule};
use super::verdict::RuleResult;
use handoffd_kit::id::{DeskId, TicketId};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// A rule with the path it would take in this case.
#[derive(Clone, Copy)]
pub struct Path<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// The giving team; none for a route.
    pub from: Option<&'a TeamName>,
    /// The receiving team.
    pub to: &'a TeamName,
    /// The stay that it would end.
    pub episode: &'a str,
}

/// Whether a rule may write: the strictest of its mode, the daemon's, and what its signature says.
pub fn mode(rule: &Rule, policy: &Policy, signed: &[SignedRule]) -> Mode {
    let live = rule.mode == Mode::Live && policy.mode == Mode::Live && !waits_for_signature(rule, policy, signed);
    if live { Mode::Live } else { Mode::Shadow }
}

/// Whether the rule of this name may write now, whichever version of it decided what is under way. One that the policy knows
/// no more may not.
pub fn may_write(name: &RuleName, policy: &Policy, signed: &[SignedRule]) -> bool {
    policy.rule(name).is_some_and(|rule| mode(rule, policy, signed) == Mode::Live)
}

/// Whether a rule is sensitive and the second reviewer has not signed this version of it.
pub fn waits_for_signature(rule: &Rule, policy: &Policy, signed: &[SignedRule]) -> bool {
    let reviewer = policy.header.second_reviewer.as_ref();
    let covers = |it: &SignedRule| it.rule == rule.name && it.version == rule.version && Some(&it.signer) == reviewer;
    rule.sensitive && !signed.iter().any(covers)
}

/// What keeps a rule from acting whatever its facts are. A rule that it returns something for needs nothing read.
pub fn barred(path: Path<'_>, case: &Case, policy: &Policy) -> Option<RuleResult> {
    let (rule, memory) = (path.rule, &case.memory);
    // What is about to happen goes on, whatever the share has become.
    let goes_on = memory.begun.as_ref() == Some(&rule.name) || memory.in_review.contains(&rule.name);
    if !in_share(&case.desk, &case.head.id, rule.share) && !goes_on {
        return Some(RuleResult::OutsideShare);
    }
    if mode(rule, policy, &memory.signed_rules) == Mode::Shadow {
        return None;
    }
    if memory.switched_off.stops(&rule.name) {
        return Some(RuleResult::Paused);
    }
    if memory.released.contains(&rule.name) {
        return None;
    }
    if memory.held.contains(&rule.name) {
        return Some(RuleResult::Held);
    }
    has_fired(path, case).then_some(RuleResult::AlreadyFired)
}

/// What keeps a rule that matches from acting, given what else its facts lead to. None: it acts.
pub fn held_back(
    path: Path<'_>,
    closed: Option<ClosedBy>,
    there: bool,
    case: &Case,
    policy: &Policy,
) -> Option<RuleResult> {
    if there {
        return Some(RuleResult::AlreadyThere);
    }
    if let Some(bar) = barred(path, case, policy) {
        return Some(bar);
    }
    let released = case.memory.released.contains(&path.rule.name);
    // Before shadow: what was given back is not listed with what waits for a release, which a person orders for many at once.
    if let Some(why) = closed.filter(|_| !released) {
        return Some(RuleResult::PathClosed(why));
    }
    if mode(path.rule, policy, &case.memory.signed_rules) == Mode::Shadow {
        return Some(RuleResult::Shadow);
    }
    let held = case.memory.arrived.contains(&path.rule.name) && !released;
    held.then_some(RuleResult::Held)
}

/// Whether the hour has no place left for this rule, or on this desk. A released rule needs none: a person's word does not.
pub fn over_limit(rule: &Rule, case: &Case, limits: &Limits) -> bool {
    let full = full(&rule.name, &case.memory.recent, limits);
    !case.memory.released.contains(&rule.name) && (full.rule || full.desk)
}

/// Which limits leave no place.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Full {
    /// The rule's.
    pub rule: bool,
    /// The desk's.
    pub desk: bool,
}

/// Which limits leave no place for one more handoff of this rule. A place belongs to the case that has waited longest.
pub fn full(rule: &RuleName, recent: &Recent, limits: &Limits) -> Full {
    let of = |counts: &BTreeMap<RuleName, u32>| counts.get(rule).copied().unwrap_or(0);
    Full {
        rule: of(&recent.by_rule).saturating_add(of(&recent.ahead)) >= limits.per_rule_per_hour,
        desk: recent.on_desk.saturating_add(recent.ahead_on_desk) >= limits.per_desk_per_hour,
    }
}

/// A handoff of this rule that is still being decided does not count.
fn has_fired(path: Path<'_>, case: &Case) -> bool {
    let rule = &path.rule.name;
    let deciding = case.memory.open.as_ref().is_some_and(|open| open.rule == *rule && !open.sent);
    let fired = case
        .memory
        .fired
        .iter()
        .any(|fired| fired.rule == *rule && (path.rule.once == Once::Case || fired.episode == path.episode));
    fired && !deciding
}

/// Whether a ticket lies in a share of all tickets. The same for every rule, so that 10 % is part of 20 %.
pub fn in_share(desk: &DeskId, ticket: &TicketId, share: f64) -> bool {
    if share >= 1.0 {
        return true;
    }
    let mut hash = Sha256::new();
    hash.update(desk.as_str());
    hash.update([0]);
    hash.update(ticket.as_str());
    let first: [u8; 8] = std::array::from_fn({
        let bytes = hash.finalize();
        move |at| bytes[at]
    });
    // 53 bits are what a double holds exactly.
    ((u64::from_be_bytes(first) >> 11) as f64) < share * (1u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_share_is_about_its_size() {
        let inside = (0..2_000u64).filter(|n| in_share(&"acme".into(), &TicketId::from(*n), 0.1)).count();
        assert!((140..260).contains(&inside), "{inside}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_smaller_share_is_part_of_a_larger_one(ticket in "\\PC{0,12}", one in 0.0..=1.0f64, other in 0.0..=1.0f64) {
            let (desk, ticket) = (DeskId::from("acme"), TicketId::from(ticket));
            let (small, large) = (one.min(other), one.max(other));
            prop_assert!(!in_share(&desk, &ticket, small) || in_share(&desk, &ticket, large));
            prop_assert!(in_share(&desk, &ticket, 1.0) && !in_share(&desk, &ticket, 0.0));
        }
    }
}
