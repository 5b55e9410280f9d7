//! Figures by the rule, and its version, that brought a transfer about; and what became of our handoffs.

use super::World;
use super::tally::{Backs, Tally, Waits};
use crate::insight::log::{Instant, Length};
use crate::insight::stats::{Share, Spread};
use crate::insight::story::Transfer;
use crate::ledger::reports::HandoffRow;
use crate::ledger::states::HandoffState;
use crate::ledger::{Ledger, Result};
use crate::policy::command::Rating;
use crate::policy::package::name_of;
use serde::Serialize;
use std::collections::BTreeMap;

/// One rule in one version, by the transfers that it brought about.
#[derive(Clone, Debug, Serialize)]
pub struct RuleRow {
    /// As `rule@version`.
    pub rule: String,
    /// How many.
    pub transfers: u64,
    /// Handed right back.
    pub bounces: Backs,
    /// Handed back by any route.
    pub returns: Backs,
    /// How receiving teams took them.
    pub waits: Waits,
}

#[derive(Default)]
pub(super) struct Counting {
    rules: BTreeMap<u32, Tally>,
}

impl Counting {
    pub fn add(&mut self, transfer: &Transfer) {
        if let Some(rule) = transfer.rule {
            self.rules.entry(rule).or_default().add(transfer, false);
        }
    }

    /// Every rule and version, most transfers first.
    pub fn rows(self, world: World<'_>) -> Vec<RuleRow> {
        let row = |(rule, mut tally): (u32, Tally)| RuleRow {
            rule: world.rules.name(rule).to_owned(),
            transfers: tally.transfers,
            bounces: Backs::of(&tally.bounced, tally.transfers),
            returns: Backs::of(&tally.returned, tally.transfers),
            waits: tally.waits(),
        };
        let mut rows: Vec<RuleRow> = self.rules.into_iter().map(row).collect();
        rows.sort_by(|one, other| other.transfers.cmp(&one.transfers).then_with(|| one.rule.cmp(&other.rule)));
        rows
    }
}

/// What became of our handoffs.
#[derive(Clone, Debug, Default, Serialize)]
pub struct HandoffFigures {
    /// By rule and version, most handoffs first.
    pub by_rule: Vec<RuleHandoffs>,
    /// Required parts that packages lacked, by path, the largest share first.
    pub gaps: Vec<Gap>,
}

/// The handoffs of one rule in one version.
#[derive(Clone, Debug, Serialize)]
pub struct RuleHandoffs {
    /// As `rule@version`.
    pub rule: String,
    /// How many.
    pub handoffs: u64,
    /// By where they stand.
    pub states: BTreeMap<&'static str, u64>,
    /// What people said to those that needed a yes.
    pub reviews: Reviews,
    /// Packages that lacked a required part, of those that carried a package.
    pub incomplete: Share,
    /// Of those sent and claimed: how long until a member of the receiving team first acted.
    pub claim: Spread,
    /// Sent, and not claimed so far or while it stood.
    pub unclaimed: u64,
    /// What receiving teams said of them: good, of those rated.
    pub rated_good: Share,
    /// Rejected, in a review or by the receiving team.
    pub rejected: u64,
    /// Why, in the words of those who did, the latest first; at most ten.
    pub rejections: Vec<Rejection>,
    /// Of a route's that were sent: cases that left their first team within its `weak_triage_within`.
    pub weak_triage: Share,
}

/// One no with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rejection {
    /// The case, as `desk/ticket`.
    pub case: String,
    /// In the words of whoever rejected it.
    pub reason: String,
}

/// What people said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Reviews {
    /// Handoffs that needed a yes.
    pub asked: u64,
    /// Yes.
    pub approved: u64,
    /// No.
    pub rejected: u64,
    /// Waiting for an answer.
    pub open: u64,
    /// Ended without one: the ticket changed, or was decided anew.
    pub ended: u64,
    /// No, of those answered: the rule was overruled.
    pub overridden: Share,
}

/// A required part that packages lacked on a path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Gap {
    /// The giving team; empty for routes.
    pub from: String,
    /// The receiving team.
    pub to: String,
    /// The part.
    pub part: String,
    /// Packages without it, of all packages on the path.
    pub missing: Share,
}

#[derive(Default)]
struct OfRule {
    handoffs: u64,
    states: BTreeMap<&'static str, u64>,
    reviews: Reviews,
    packages: u64,
    incomplete: u64,
    claims: Vec<Length>,
    unclaimed: u64,
    routed: u64,
    weak_triage: u64,
    rated: Share,
    rejections: Vec<Rejection>,
}

/// So many reasons are shown of a rule.
const REASONS: usize = 10;

type Path = (String, String);

impl HandoffFigures {
    /// Counts every handoff of a ledger.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn read(ledger: &Ledger) -> Result<Self> {
        let mut rules: BTreeMap<String, OfRule> = BTreeMap::new();
        let mut packages: BTreeMap<Path, u64> = BTreeMap::new();
        let mut missing: BTreeMap<(Path, &'static str), u64> = BTreeMap::new();
        ledger.each_handoff(|row| {
            rules.entry(format!("{}@{}", row.rule, row.version)).or_default().add(&row);
            let Some(parts) = &row.missing else { return };
            let path = (row.from.clone().unwrap_or_default(), row.to.clone());
            *packages.entry(path.clone()).or_default() += 1;
            for part in parts {
                *missing.entry((path.clone(), name_of(*part))).or_default() += 1;
            }
        })?;
        let of = |path: &Path| packages.get(path).copied().unwrap_or(0);
        let gap = |((path, part), count): ((Path, &str), u64)| {
            let missing = Share::new(count, of(&path));
            Gap { from: path.0, to: path.1, part: part.to_owned(), missing }
        };
        let mut gaps: Vec<Gap> = missing.into_iter().map(gap).collect();
        gaps.sort_by(|one, other| other.missing.share().total_cmp(&one.missing.share()));
        let mut by_rule: Vec<RuleHandoffs> = rules.into_iter().map(|(rule, of_rule)| of_rule.finish(rule)).collect();
        by_rule.sort_by(|one, other| other.handoffs.cmp(&one.handoffs).then_with(|| one.rule.cmp(&other.rule)));
        Ok(Self { by_rule, gaps })
    }
}

impl OfRule {
    fn add(&mut self, row: &HandoffRow) {
        self.handoffs += 1;
        *self.states.entry(row.state.name()).or_default() += 1;
        if row.asked {
            self.reviews.add(row);
        }
        if let Some(parts) = &row.missing {
            self.packages += 1;
            self.incomplete += u64::from(!parts.is_empty());
        }
        self.weak_triage += u64::from(row.weak_triage);
        if let Some(rating) = row.rating {
            self.rated.of += 1;
            self.rated.count += u64::from(rating == Rating::Good);
        }
        if let Some(reason) = &row.rejection {
            self.rejections.push(Rejection { case: row.case.clone(), reason: reason.clone() });
        }
        if let Some(sent) = row.sent_at.map(Instant::of) {
            self.routed += u64::from(row.routed);
            match row.claimed_at.map(Instant::of) {
                Some(claimed) => self.claims.push(claimed.max(sent).since(sent)),
                None => self.unclaimed += 1,
            }
        }
    }

    fn finish(mut self, rule: String) -> RuleHandoffs {
        let Reviews { approved, rejected, .. } = self.reviews;
        let overridden = Share::new(rejected, approved + rejected);
        let rejections = self.rejections.into_iter().rev().take(REASONS).collect();
        RuleHandoffs {
            rule,
            rated_good: self.rated,
            rejected: self.states.get(HandoffState::Rejected.name()).copied().unwrap_or(0),
            rejections,
            handoffs: self.handoffs,
            states: self.states,
            reviews: Reviews { overridden, ..self.reviews },
            incomplete: Share::new(self.incomplete, self.packages),
            claim: Spread::of(&mut self.claims),
            unclaimed: self.unclaimed,
            weak_triage: Share::new(self.weak_triage, self.routed.max(self.weak_triage)),
        }
    }
}

impl Reviews {
    fn add(&mut self, row: &HandoffRow) {
        self.asked += 1;
        match row.state {
            _ if row.approved => self.approved += 1,
            HandoffState::Rejected => self.rejected += 1,
            HandoffState::InReview => self.open += 1,
            _ => self.ended += 1,
        }
    }
}
