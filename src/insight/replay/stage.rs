//! The policy as a log needs it: every rule live, and the log's teams in the place of the policy's.
//!
//! A team of the log is the policy's team of the same name or queue. Any other stands in for the policy's teams of its tier: where
//! a rule takes cases from every team of that tier, it takes them from this one too. Tiers that are names come after all
//! numbers. A team without a tier is no team of the policy's.

use crate::insight::log::EventLog;
use crate::policy::names::{RiskName, TeamName};
use crate::policy::rules::{FieldOwner, Mode, Policy, Team};
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
    /// Risks that are not looked at: a log holds no words.
    pub wordless: Vec<RiskName>,
    /// The policy's team for each team of the log.
    pub(super) teams: Vec<Option<(TeamName, QueueRef)>>,
    /// The tier of each team of the log, by number.
    pub(super) tiers: Vec<Option<u32>>,
    /// The desk's own name of each field of its tickets, by the policy's.
    pub(super) fields: BTreeMap<String, String>,
    log: std::marker::PhantomData<&'l EventLog>,
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
            wordless,
            teams: Vec::new(),
            tiers: Vec::new(),
            fields,
            log: std::marker::PhantomData,
        };
        for (at, name) in log.teams.iter().enumerate() {
            let tier = log.tiers.get(at).and_then(Option::as_ref).and_then(|tier| numbers.get(tier.as_str())).copied();
            let known = own.iter().find(|team| team.name.as_str() == name || team.queue.shown() == name);
            let (team, tier) = match (known, tier) {
                (Some(team), _) => (Some((team.name.clone(), queue(&team.queue))), Some(team.tier)),
                (None, Some(tier)) => (Some(stage.stand_in(name, tier, &own)), Some(tier)),
                (None, None) => (None, None),
            };
            stage.not_ours += u64::from(team.is_none());
            stage.teams.push(team);
            stage.tiers.push(tier);
        }
        stage
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
