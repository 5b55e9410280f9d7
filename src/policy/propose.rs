//! A rule that acts, or would ─▶ a proposal: what travels, who owns it, what the clocks do, what the customer is told,
//! and whether a person is asked first.

use super::alert::{self, AlertPlan};
use super::case::{Case, Request};
use super::cel::{FactSource, Found};
use super::clocks::{self, missed, nearest};
use super::condition::Answer;
use super::customer::Occasion;
use super::due::{Due, Wait};
use super::facts::Facts;
use super::hold;
use super::languages::PublicName;
use super::matching::{AnyRule, Candidate, facts_hash};
use super::message::{facts_in, render_reason};
use super::names::RuleName;
use super::owner::in_queue;
use super::package;
use super::proposal::{AskedFor, ClockPlan, CustomerPlan, HandoffKind, OwnerPlan, PausePlan, Proposal};
use super::risk;
use super::rules::{ClockDecision, CustomerClock, CustomerDecision, Escalation, InternalFrom, Policy, ReviewDecision};
use super::teams::Team;
use super::verdict::Risk;
use handoffd_kit::model::PartSet;
use jiff::{SignedDuration, Timestamp};
use std::cell::OnceCell;
use std::collections::BTreeMap;

/// A case without a clock is due this long after its verdict.
const WITHOUT_CLOCK: SignedDuration = SignedDuration::from_mins(15);

/// What proposals are made from.
pub struct Proposer<'a> {
    /// The case.
    pub case: &'a Case,
    /// The policy.
    pub policy: &'a Policy,
    /// The case as conditions see it.
    pub facts: Facts<'a>,
    /// Whether this wording, with its hash, is signed.
    pub signed: &'a dyn Fn(&str, &str) -> bool,
    /// The instant.
    pub now: Timestamp,
    /// What the ticket's words say of the policy's risks, once somebody wants to know.
    words: OnceCell<Vec<risk::Told>>,
}

impl<'a> Proposer<'a> {
    /// Proposals about a case at an instant. `signed`: whether a wording, with its hash, is signed.
    pub fn new(case: &'a Case, policy: &'a Policy, signed: &'a dyn Fn(&str, &str) -> bool, now: Timestamp) -> Self {
        let facts = Facts::new(case, policy).at(now);
        Self { case, policy, facts, signed, now, words: OnceCell::new() }
    }
}

impl Proposer<'_> {
    /// Parts that must be read before the proposal is whole.
    pub fn needs(&self, candidate: &Candidate<'_>) -> PartSet {
        let AnyRule::Escalation(escalation) = candidate.any else { return self.review_needs(candidate) };
        let mut needs = package::needs(&escalation.package).union(clocks::needs(&self.facts));
        if let Some(occasion) = self.occasion(escalation) {
            needs = needs.union(occasion.needs());
        }
        let facts = self.facts.with_package(Some(&escalation.package));
        for fact in facts_in(&escalation.reason, &self.policy.known_facts()) {
            if let Found::Unread(part) = facts.fact(&fact) {
                needs = needs.with(part);
            }
        }
        needs.without(self.case.parts.read()).without(self.case.asked).union(self.review_needs(candidate))
    }

    /// Parts that must be read before it can be told whether the rule asks a person first.
    pub fn review_needs(&self, candidate: &Candidate<'_>) -> PartSet {
        let of_condition = match candidate.any {
            AnyRule::Escalation(Escalation { review: ReviewDecision::When(condition), package, .. }) => {
                match condition.ask(&self.facts.with_package(Some(package))) {
                    Answer::Unknown(missing) => missing.unread,
                    Answer::Holds | Answer::Fails => PartSet::NONE,
                }
            }
            _ => PartSet::NONE,
        };
        let of_words = risk::needs(candidate.any, self.policy);
        of_condition.union(of_words).without(self.case.parts.read()).without(self.case.asked)
    }

    /// Why a person is asked before this rule writes.
    pub fn risks(&self, candidate: &Candidate<'_>) -> Vec<Risk> {
        self.rule_risks(candidate.any)
    }

    /// Why a person is asked by a rule's own word, and by the words of the ticket.
    pub fn rule_risks(&self, any: AnyRule<'_>) -> Vec<Risk> {
        let mut risks = match any {
            AnyRule::Escalation(escalation) => self.review_risks(escalation),
            AnyRule::Route(_) => Vec::new(),
        };
        risks.extend(self.words(any).filter_map(risk::Told::asks));
        risks
    }

    /// What the ticket's words say of the risks that count for a rule.
    pub fn words(&self, any: AnyRule<'_>) -> impl Iterator<Item = &risk::Told> {
        let counting: Vec<_> = risk::counting(any, self.policy).map(|risk| &risk.name).collect();
        let told: &[risk::Told] =
            if counting.is_empty() { &[] } else { self.words.get_or_init(|| risk::tell(&self.facts)).as_slice() };
        told.iter().filter(move |told| counting.contains(&&told.risk))
    }

    /// Why a person is asked where the case has moved too often today.
    pub fn hop_risk(&self) -> Option<Risk> {
        let hops = self.case.memory.hops_today;
        (hops >= self.policy.limits.hops_per_day).then_some(Risk::HopBudget(hops))
    }

    /// Why a person is asked by a rule's own word.
    fn review_risks(&self, escalation: &Escalation) -> Vec<Risk> {
        match &escalation.review {
            ReviewDecision::Never => Vec::new(),
            ReviewDecision::Always => vec![Risk::Always],
            ReviewDecision::When(condition) => match condition.ask(&self.facts.with_package(Some(&escalation.package)))
            {
                Answer::Holds => vec![Risk::Condition(condition.source().to_owned())],
                Answer::Fails => Vec::new(),
                Answer::Unknown(missing) => vec![Risk::Unknown(missing.what.join(", "))],
            },
        }
    }

    /// The proposal; none only where the policy lacks the target team.
    pub fn proposal(&self, candidate: &Candidate<'_>, also: Vec<RuleName>) -> Option<Proposal> {
        let rule = candidate.any.rule();
        let to = self.policy.teams.get(candidate.path.to)?;
        let parts = match candidate.any {
            AnyRule::Route(_) => self.route(rule, to),
            AnyRule::Escalation(escalation) => self.escalation(escalation, to),
        };
        let clock = nearest(&self.facts).map(|(_, at, _)| at);
        let facts = self.facts.with_package(candidate.any.package());
        let alert = self.alert(candidate, to, &parts);
        let created = &self.case.head.created_at;
        Some(Proposal {
            desk: self.case.desk.clone(),
            ticket: self.case.head.id.clone(),
            kind: parts.kind,
            rule: rule.name.clone(),
            rule_version: rule.version.clone(),
            policy_version: self.policy.version.clone(),
            mode: hold::mode(rule, self.policy, &self.case.memory.signed_rules),
            episode: candidate.path.episode.to_owned(),
            from: candidate.path.from.cloned(),
            from_queue: self.case.head.queue.known().cloned().flatten(),
            to: to.name.clone(),
            to_queue: to.queue.clone(),
            instead_of: candidate.instead_of.clone(),
            weak_triage_within: match candidate.any {
                AnyRule::Route(route) => Some(route.weak_triage_within),
                AnyRule::Escalation(_) => None,
            },
            trigger: match candidate.any {
                AnyRule::Route(_) => None,
                AnyRule::Escalation(escalation) => Some(escalation.trigger),
            },
            reason: parts.reason,
            needs: parts.needs,
            also,
            asked: self.asked(candidate),
            facts: candidate.matched_facts(&self.facts),
            facts_hash: facts_hash(rule, &candidate.looked_at, &facts),
            package: parts.package,
            owner: parts.owner,
            clock: parts.clock,
            customer: parts.customer,
            review: None,
            chained: None,
            alert,
            opened_at: created.known().copied(),
            decided_at: self.now,
            deadline: clock.unwrap_or_else(|| self.after(WITHOUT_CLOCK)),
        })
    }

    /// Who is told of it, and why, where the rule's reason may leave the helpdesk.
    fn alert(&self, candidate: &Candidate<'_>, to: &Team, parts: &Answers) -> AlertPlan {
        let may_leave = match candidate.any {
            AnyRule::Route(_) => true,
            AnyRule::Escalation(escalation) => alert::may_leave(&escalation.reason, &self.policy.known_facts()),
        };
        let of_rule = candidate.any.rule().alert.as_deref();
        let reason = may_leave.then(|| parts.reason.clone());
        self.policy.alerts.plan((to, parts.kind), of_rule, &self.case.head, reason)
    }

    fn asked(&self, candidate: &Candidate<'_>) -> Option<AskedFor> {
        let wanted = |request: &&Request| request.wants(candidate.path.to, candidate.path.episode);
        let request = self.case.memory.request.as_ref().filter(wanted)?;
        let Request { by, by_id, by_email, reason, command, .. } = request.clone();
        Some(AskedFor { by, by_id, by_email, reason, command })
    }

    fn after(&self, span: SignedDuration) -> Timestamp {
        self.now.saturating_add(span).unwrap_or(Timestamp::MAX)
    }

    fn route(&self, rule: &super::rules::Rule, to: &Team) -> Answers {
        let conditions: Vec<&str> = rule.when.iter().map(|condition| condition.source()).collect();
        let reason = if conditions.is_empty() { "no other route matches".into() } else { conditions.join(" and ") };
        Answers {
            kind: HandoffKind::Route,
            reason,
            needs: None,
            package: None,
            owner: OwnerPlan::queue(in_queue(to)),
            clock: ClockPlan {
                customer_until: self.customers_clock(to),
                paused_until: self.paused_until(to),
                ..ClockPlan::runs_on()
            },
            customer: CustomerPlan::Nothing { because: "this is where the case starts".into() },
        }
    }

    fn escalation(&self, escalation: &Escalation, to: &Team) -> Answers {
        let from = self.facts.team();
        let (internal_from, begins) = self.target_begins(&escalation.clock);
        let text = |text: &str| minijinja::Value::from(text);
        let house = BTreeMap::from([
            ("from.name".to_owned(), text(from.map_or("", |team| team.name.as_str()))),
            ("to.name".to_owned(), text(to.name.as_str())),
            (
                "to.public_name".to_owned(),
                text(to.public_name.as_ref().map_or(to.name.as_str(), PublicName::otherwise)),
            ),
        ]);
        let facts = self.facts.with_package(Some(&escalation.package));
        Answers {
            kind: HandoffKind::Escalate,
            reason: render_reason(&escalation.reason, &house, &self.policy.known_facts(), &facts),
            needs: escalation.needs.clone(),
            package: Some(package::build(self.case, self.policy, &self.facts, &escalation.package)),
            owner: self.owner(&escalation.owner, to),
            clock: ClockPlan {
                internal_until: escalation.clock.internal.and_then(|target| to.due(begins, target)),
                internal_from,
                customer_until: self.customers_clock(to),
                pause: self.pause(&escalation.clock, to),
                paused_until: self.paused_until(to),
                accountable: escalation.clock.accountable,
            },
            customer: self.customer(escalation),
        }
    }

    /// From when on the receiving team's own target counts. Where the desk does not tell when a case was opened: from the
    /// handoff.
    fn target_begins(&self, clock: &ClockDecision) -> (InternalFrom, Timestamp) {
        match (clock.internal_from, self.case.head.created_at.known()) {
            (InternalFrom::Opened, Some(opened)) => (InternalFrom::Opened, *opened),
            _ => (InternalFrom::Handoff, self.now),
        }
    }

    /// The pause of the customer's clock that a rule begins. One that an earlier handoff began is not prolonged.
    fn pause(&self, clock: &ClockDecision, to: &Team) -> Option<PausePlan> {
        let CustomerClock::Pause { status, at_most } = &clock.customer else { return None };
        if self.case.memory.paused_until.is_some() {
            return None;
        }
        let before = self.case.head.status.known().copied();
        Some(PausePlan { status: status.clone(), before, until: to.due(self.now, Wait::wall(*at_most))? })
    }

    /// A pause that an earlier handoff began.
    fn paused_until(&self, to: &Team) -> Option<Due> {
        let at = self.case.memory.paused_until?;
        Some(Due { at, shown: to.moment(at, self.now), working: "as that handoff's rule says".to_owned() })
    }

    /// The customer's clock that runs out next, as the receiving team reads it; where none runs, the one that ran out.
    fn customers_clock(&self, to: &Team) -> Option<(String, Due)> {
        let (name, at, due) = nearest(&self.facts).or_else(|| missed(&self.facts))?;
        let desks = || Due { at, shown: to.moment(at, self.now), working: "the desk's own clock".to_owned() };
        Some((name, due.unwrap_or_else(desks)))
    }

    fn occasion(&self, escalation: &Escalation) -> Option<Occasion<'_>> {
        let to = self.policy.teams.get(&escalation.to)?;
        Occasion::of(&escalation.customer, self.policy, self.case, to, self.signed, self.now)
    }

    fn customer(&self, escalation: &Escalation) -> CustomerPlan {
        match &escalation.customer {
            CustomerDecision::Nothing { because } => CustomerPlan::Nothing { because: because.clone() },
            CustomerDecision::Message { name, .. } => self.occasion(escalation).map_or_else(
                || CustomerPlan::Nothing { because: format!("there is no message {name}") },
                |occasion| occasion.plan(),
            ),
        }
    }
}

/// What a route and an escalation answer differently.
struct Answers {
    kind: HandoffKind,
    reason: String,
    needs: Option<String>,
    package: Option<super::proposal::Package>,
    owner: OwnerPlan,
    clock: ClockPlan,
    customer: CustomerPlan,
}
