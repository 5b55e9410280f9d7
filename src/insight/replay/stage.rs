//! The policy as a log needs it: every rule live, and the log's teams in the place of the policy's.
//!
//! A team of the log is the policy's team of the same name or queue. Any other stands in for the policy's teams of its tier: where
//! a rule takes cases from every team of that tier, it takes them from this one too. Tiers that are names come after all
//! numbers. A team without a tier is no team of the policy's: a case that lies with it lies in a queue that is not the policy's.
//! A team that the desk's `intake` lists is a place where cases wait for their first team, whatever tier the map gives it.
//!
//! A package is made from what was said, which no log has. So nobody is asked for its parts here: that a part would have been
//! asked for is told apart, as something that may be.

use super::fire::RuleAnswers;
use crate::insight::log::EventLog;
use crate::policy::document;
use crate::policy::names::{RiskName, RuleName, TeamName};
use crate::policy::rules::{FieldOwner, Missing, Mode, Policy};
use crate::policy::teams::Team;
use handoffd_kit::desk::QueueSpec;
use handoffd_kit::id::{DeskId, QueueId};
use handoffd_kit::model::QueueRef;
use std::collections::{BTreeMap, BTreeSet};

/// A policy made ready for a log.
#[derive(Debug)]
pub struct Stage<'l> {
    /// The policy, with the log's teams.
    pub policy: Policy,
    /// The desk that all cases lie on.
    pub desk: DeskId,
    /// How many of the log's teams stand in.
    pub stand_ins: u64,
    /// How many are no team of the policy's.
    pub not_ours: u64,
    /// How many are queues of the desk's intake.
    pub intake: u64,
    /// Risks that are not looked at: a log holds no words.
    pub wordless: Vec<RiskName>,
    /// What the rules answer, routes first.
    pub(super) rules: Vec<RuleAnswers>,
    /// What each rule does where a part of the package is missing.
    missing: BTreeMap<RuleName, Missing>,
    /// Where a case lies that the log gives to each of its teams.
    places: Vec<Place>,
    /// The tier of each team of the log, by number.
    tiers: Vec<Option<u32>>,
    /// The desk's own name of each field of its tickets, by the policy's.
    pub(super) fields: BTreeMap<String, String>,
    pub(super) log: &'l EventLog,
}

/// Where a case lies.
#[derive(Debug)]
pub(super) enum Place {
    /// With a team of the policy's, or one that stands in.
    Team(TeamName, QueueRef),
    /// In a queue of the desk's intake.
    Intake(QueueRef),
    /// In a queue that is no team's of the policy.
    Foreign(QueueRef),
}

impl Place {
    pub fn queue(&self) -> &QueueRef {
        match self {
            Self::Team(_, queue) | Self::Intake(queue) | Self::Foreign(queue) => queue,
        }
    }
}

impl<'l> Stage<'l> {
    /// Makes a policy ready. `desk`: whose rules are asked.
    pub fn set(policy: &Policy, desk: &DeskId, log: &'l EventLog) -> Self {
        let mut policy = policy.clone();
        policy.mode = Mode::Live;
        let routes = policy.routes.iter_mut().map(|route| &mut route.rule);
        for rule in routes.chain(policy.escalations.iter_mut().map(|escalation| &mut escalation.rule)) {
            rule.mode = Mode::Live;
            rule.sensitive = false;
        }
        let rules = document::rule_answers(&policy);
        let rules = rules.into_iter().map(|(rule, answers)| RuleAnswers {
            rule: rule.name.clone(),
            version: rule.version.clone(),
            answers,
        });
        let rules = rules.collect();
        let missing = policy.escalations.iter_mut().map(|escalation| {
            (escalation.rule.name.clone(), std::mem::replace(&mut escalation.package.missing, Missing::Send))
        });
        let missing = missing.collect();
        let wordless = std::mem::take(&mut policy.risks).into_iter().map(|risk| risk.name).collect();
        let own: Vec<Team> = policy.teams.values().filter(|team| team.desk == *desk).cloned().collect();
        let numbers = tier_numbers(log, &own);
        let declared = policy.desks.get(desk).into_iter().flat_map(|desk| &desk.fields);
        let of_ticket = declared.filter(|(_, field)| field.of == FieldOwner::Ticket);
        let fields = of_ticket.map(|(name, field)| (name.clone(), field.id.clone())).collect();
        let mut stage = Self {
            policy,
            desk: desk.clone(),
            stand_ins: 0,
            not_ours: 0,
            intake: 0,
            wordless,
            rules,
            missing,
            places: Vec::new(),
            tiers: Vec::new(),
            fields,
            log,
        };
        let intake = stage.policy.desks.get(desk).map(|desk| desk.intake.clone()).unwrap_or_default();
        for (at, name) in log.teams.iter().enumerate() {
            let tier = log.tiers.get(at).and_then(Option::as_ref).and_then(|tier| numbers.get(tier.as_str())).copied();
            let known = own.iter().find(|team| team.name.as_str() == name || team.queue.shown() == name);
            let listed = intake.iter().find(|queue| queue.shown() == name);
            let (place, tier) = match (known, listed, tier) {
                (Some(team), ..) => (Place::Team(team.name.clone(), queue(&team.queue)), Some(team.tier)),
                (None, Some(listed), _) => (Place::Intake(queue(listed)), None),
                (None, None, Some(tier)) => {
                    let (team, queue) = stage.stand_in(name, tier, &own);
                    (Place::Team(team, queue), Some(tier))
                }
                (None, None, None) => (Place::Foreign(queue(&QueueSpec::Name(name.to_owned()))), None),
            };
            stage.intake += u64::from(matches!(place, Place::Intake(_)));
            stage.not_ours += u64::from(matches!(place, Place::Foreign(_)));
            stage.places.push(place);
            stage.tiers.push(tier);
        }
        stage
    }

    /// Where a case lies that the log gives to this team.
    pub(super) fn place(&self, team: u32) -> Option<&Place> {
        usize::try_from(team).ok().and_then(|at| self.places.get(at))
    }

    /// The tier of a team of the log.
    pub(super) fn tier(&self, team: u32) -> Option<u32> {
        usize::try_from(team).ok().and_then(|at| self.tiers.get(at)).copied().flatten()
    }

    /// Whether a team of the log is this team of the policy.
    pub(super) fn is_team(&self, team: u32, name: &TeamName) -> bool {
        matches!(self.place(team), Some(Place::Team(known, _)) if known == name)
    }

    /// Whether the log has this team of the policy.
    pub(super) fn in_log(&self, name: &TeamName) -> bool {
        self.places.iter().any(|place| matches!(place, Place::Team(known, _) if known == name))
    }

    /// A rule's number, routes first.
    pub(super) fn number(&self, rule: &RuleName) -> u32 {
        let at = self.rules.iter().position(|known| known.rule == *rule);
        at.and_then(|at| u32::try_from(at).ok()).unwrap_or(u32::MAX)
    }

    /// What a rule does where a part of the package is missing.
    pub(super) fn missing(&self, rule: &RuleName) -> Missing {
        self.missing.get(rule).copied().unwrap_or(Missing::Send)
    }

    fn stand_in(&mut self, name: &str, tier: u32, own: &[Team]) -> (TeamName, QueueRef) {
        self.stand_ins += 1;
        let team = TeamName::new(name);
        let spec = QueueSpec::Name(name.to_owned());
        let queue = queue(&spec);
        let peers: Vec<&TeamName> = own.iter().filter(|team| team.tier == tier).map(|team| &team.name).collect();
        for escalation in &mut self.policy.escalations {
            if !peers.is_empty() && peers.iter().all(|peer| escalation.from.contains(peer)) {
                escalation.from.push(team.clone());
            }
        }
        let entry = Team {
            name: team.clone(),
            tier,
            desk: self.desk.clone(),
            queue: spec,
            public_name: None,
            hours: None,
            lead: None,
            reviewers: Vec::new(),
            alert: Vec::new(),
        };
        self.policy.teams.insert(team.clone(), entry);
        (team, queue)
    }
}

/// The log's tiers as numbers; those that are names come after all others, in their order.
fn tier_numbers(log: &EventLog, own: &[Team]) -> BTreeMap<String, u32> {
    let tiers: BTreeSet<_> = log.tiers.iter().flatten().collect();
    let highest = tiers.iter().filter_map(|tier| tier.number()).chain(own.iter().map(|team| team.tier)).max();
    let mut next = highest.unwrap_or(0);
    let number = |tier: &crate::config::events::Tier| {
        let number = tier.number().unwrap_or_else(|| {
            next += 1;
            next
        });
        (tier.as_str().to_owned(), number)
    };
    tiers.into_iter().map(number).collect()
}

fn queue(spec: &QueueSpec) -> QueueRef {
    match spec {
        QueueSpec::Name(name) => QueueRef { id: QueueId::new(name), name: Some(name.clone()) },
        QueueSpec::Id(id) => QueueRef { id: QueueId::new(id), name: None },
    }
}
