//! The cases behind each number that the dashboard shows of a ledger: kept by the number's key, counted as the figures count,
//! at most so many cases of each.

use super::house::House;
use super::log::Length;
use super::story::{Story, Taken, Transfer};
use crate::ledger::states::HandoffState;
use crate::ledger::{Ledger, Result};
use crate::policy::package::name_of;
use std::collections::HashMap;

/// So many cases are kept of each number: those that opened last.
pub const MOST: usize = 200;

const SEVEN_DAYS: Length = Length::seconds(7 * 86_400);

/// Which cases a number counts, by its key.
#[derive(Clone, Debug, Default)]
pub struct Behind(HashMap<String, Cases>);

/// The cases of one number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cases {
    /// The number itself: of transfers, a case may count several times.
    pub count: u64,
    /// As `desk/ticket`, those that opened last first, each once.
    pub cases: Vec<String>,
    /// Whether there are more.
    pub more: bool,
}

impl Cases {
    fn add(&mut self, case: &str) {
        self.count += 1;
        if self.cases.len() >= MOST {
            self.more |= self.cases.last().is_none_or(|last| last != case);
        } else if !self.cases.iter().any(|known| known == case) {
            self.cases.push(case.to_owned());
        }
    }
}

/// Keys of numbers.
pub mod key {
    /// Cases that changed hands.
    pub const HANDED: &str = "handed";
    /// Transfers.
    pub const TRANSFERS: &str = "transfers";
    /// Transfers that were handed right back within seven days.
    pub const BOUNCED: &str = "bounced";
    /// Transfers that lay waiting and were taken.
    pub const PICKED: &str = "picked";

    /// Cases that the first tier alone had.
    pub const CONTAINED: &str = "contained";

    /// Cases with so many transfers, of those that are resolved or of all.
    pub fn times(all: bool, transfers: &str) -> String {
        format!("{} {transfers}", if all { "lasted" } else { "resolved" })
    }

    /// Transfers of a path.
    pub fn path(from: &str, to: &str) -> String {
        format!("path {from} {to}")
    }

    /// Those of them that the giving team had back within seven days.
    pub fn path_returned(from: &str, to: &str) -> String {
        format!("returned {from} {to}")
    }

    /// Those of them that were handed right back within seven days.
    pub fn path_bounced(from: &str, to: &str) -> String {
        format!("bounced {from} {to}")
    }

    /// Those of them that lay waiting and were taken.
    pub fn path_picked(from: &str, to: &str) -> String {
        format!("picked {from} {to}")
    }

    /// Transfers that a rule in a version brought about.
    pub fn rule(rule: &str) -> String {
        format!("rule {rule}")
    }

    /// Those of them that were ever handed right back.
    pub fn rule_bounced(rule: &str) -> String {
        format!("rule-bounced {rule}")
    }

    /// Cases with so many transfers; 10: or more.
    pub fn moves(transfers: usize) -> String {
        format!("moves {}", transfers.min(10))
    }

    /// Transfers from one tier to another.
    pub fn tiers(from: &str, to: &str) -> String {
        format!("tiers {from} {to}")
    }

    /// Transfers to a tier that lay waiting and were taken.
    pub fn tier_picked(tier: &str) -> String {
        format!("tier-picked {tier}")
    }

    /// Packages of a path that lack a part.
    pub fn gap(from: &str, to: &str, part: &str) -> String {
        format!("gap {from} {to} {part}")
    }

    /// Handoffs of a rule in a version, by what became of them.
    pub fn handoffs(rule: &str, what: &str) -> String {
        format!("handoffs-{what} {rule}")
    }
}

impl Behind {
    /// Reads a ledger whose stories were read.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn read(ledger: &Ledger, house: &House) -> Result<Self> {
        let mut behind = Self::default();
        let mut stories: Vec<&Story> = house.stories.iter().collect();
        stories.sort_by_key(|story| std::cmp::Reverse((story.opened, story.case)));
        for story in stories {
            behind.add_story(house, story);
        }
        let mut handoffs: Vec<(String, Vec<String>)> = Vec::new();
        ledger.each_handoff(|row| {
            let rule = format!("{}@{}", row.rule, row.version);
            let mut keys = vec![key::handoffs(&rule, "all")];
            let missing = row.missing.unwrap_or_default();
            if !missing.is_empty() {
                keys.push(key::handoffs(&rule, "incomplete"));
            }
            let from = row.from.unwrap_or_default();
            keys.extend(missing.iter().map(|part| key::gap(&from, &row.to, name_of(*part))));
            let answered = row.asked && row.approved;
            let refused = row.asked && !row.approved && row.state == HandoffState::Rejected;
            for (holds, what) in [(answered, "approved"), (refused, "rejected"), (row.weak_triage, "weak")] {
                keys.extend(holds.then(|| key::handoffs(&rule, what)));
            }
            if row.sent_at.is_some() {
                let what = if row.claimed_at.is_some() { "claimed" } else { "unclaimed" };
                keys.push(key::handoffs(&rule, what));
            }
            if let Some(rating) = row.rating {
                keys.push(key::handoffs(&rule, &format!("rated-{}", rating.name())));
            }
            handoffs.push((row.case, keys));
        })?;
        for (case, keys) in handoffs.into_iter().rev() {
            keys.into_iter().for_each(|key| behind.count(key, &case));
        }
        Ok(behind)
    }

    /// The cases of a number; none: no case is counted under such a key.
    pub fn of(&self, key: &str) -> Option<&Cases> {
        self.0.get(key)
    }

    fn count(&mut self, key: impl Into<String>, case: &str) {
        self.0.entry(key.into()).or_default().add(case);
    }

    fn add_story(&mut self, house: &House, story: &Story) {
        let case = house.cases.name(story.case);
        let transfers = story.transfers();
        self.count(key::moves(transfers.len()), case);
        let band = ["0", "1", "2", "3+"][transfers.len().min(3)];
        self.count(key::times(true, band), case);
        if story.resolved.is_some() {
            self.count(key::times(false, band), case);
        }
        if house.is_contained(story) {
            self.count(key::CONTAINED, case);
        }
        if !transfers.is_empty() {
            self.count(key::HANDED, case);
        }
        for transfer in &transfers {
            self.add_transfer(house, case, transfer);
        }
    }

    fn add_transfer(&mut self, house: &House, case: &str, transfer: &Transfer) {
        let soon = |delay: Option<Length>| delay.is_some_and(|delay| delay <= SEVEN_DAYS);
        let (from, to) = (house.teams.name(transfer.from), house.teams.name(transfer.to));
        let tier = |team: u32| {
            let tier = usize::try_from(team).ok().and_then(|at| house.tiers.get(at));
            tier.and_then(Option::as_ref).map(|tier| tier.as_str().to_owned())
        };
        let tiers = (tier(transfer.from), tier(transfer.to));
        let picked = matches!(transfer.taken, Taken::After(_));
        self.count(key::TRANSFERS, case);
        self.count(key::path(from, to), case);
        if soon(transfer.bounced) {
            self.count(key::BOUNCED, case);
            self.count(key::path_bounced(from, to), case);
        }
        if soon(transfer.returned) {
            self.count(key::path_returned(from, to), case);
        }
        if let Some(rule) = transfer.rule {
            let rule = house.rules.name(rule);
            self.count(key::rule(rule), case);
            if transfer.bounced.is_some() {
                self.count(key::rule_bounced(rule), case);
            }
        }
        if let (Some(from), Some(to)) = &tiers {
            self.count(key::tiers(from, to), case);
        }
        if picked {
            self.count(key::PICKED, case);
            self.count(key::path_picked(from, to), case);
            tiers.1.iter().for_each(|tier| self.count(key::tier_picked(tier), case));
        }
    }
}

/// The stays of a ledger until now, their figures, and the cases behind them.
#[derive(Debug)]
pub struct Snapshot {
    /// The figures.
    pub figures: super::figures::Figures,
    /// The cases behind them.
    pub behind: Behind,
    /// When they were read.
    pub at: jiff::Timestamp,
}

impl Snapshot {
    /// Reads a ledger.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn read(ledger: &Ledger, policy: &crate::policy::rules::Policy, now: jiff::Timestamp) -> Result<Self> {
        let house = House::read(ledger, policy, now)?;
        let behind = Behind::read(ledger, &house)?;
        Ok(Self { figures: house.figures("the ledger", now), behind, at: now })
    }
}
