//! Versions of the policy that take each other's place in the middle of a day, by a reload or by a restart, and what must hold
//! then: a rule acts as long as it is in force, open handoffs keep the version that they began with.

use crate::checker::marks;
use crate::helpdesk::Kind;
use crate::tally::Tally;
use handoffd::daemon::control::CommandError;
use handoffd::daemon::reload::{Reloader, Wish};
use handoffd::ledger::records::HandoffRecord;
use handoffd::ledger::{HandoffFilter, Ledger};
use handoffd::policy::hold::in_share;
use handoffd::policy::proposal::HandoffKind;
use handoffd_kit::clock::{Clock, ManualClock};
use handoffd_sandbox::journal::Journal;
use jiff::{SignedDuration, Timestamp};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

/// What was begun under one version may be decided so much later: its reads are slow, or tried again.
const UNDER_WAY: SignedDuration = SignedDuration::from_mins(10);

/// When a person says again what was not done.
const AGAIN: SignedDuration = SignedDuration::from_secs(20);

/// What the file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version {
    /// The master switch is in shadow.
    pub shadow: bool,
    /// Which rules there are.
    pub rules: Rules,
}

/// Which rules there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rules {
    /// Those of the simulation's policy.
    All,
    /// Refunds need twice as much, and half of the outages stay.
    Stricter,
    /// One rule less, one in shadow, and one more.
    Others,
}

impl Rules {
    /// All of them.
    pub const EACH: [Rules; 3] = [Rules::All, Rules::Stricter, Rules::Others];

    /// What of the policy is another text.
    fn edits(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Rules::All => &[],
            Rules::Stricter => &[
                ("'ticket.fields.refund_eur > 500.0'", "'ticket.fields.refund_eur > 1000.0'"),
                ("name    = \"premium-outage\"", "name    = \"premium-outage\"\nshare   = \"50%\""),
            ],
            Rules::Others => &[
                ("name    = \"crash\"\nmode    = \"live\"", "name    = \"seen\"\nmode    = \"live\""),
                ("'has_tag(\"crash\")'", "'has_tag(\"seen\")'"),
                (
                    "name    = \"premium-outage\"\nmode    = \"live\"",
                    "name    = \"premium-outage\"\nmode    = \"shadow\"",
                ),
            ],
        }
    }

    /// Whether this rule may act under these.
    fn have(self, rule: &str) -> bool {
        match rule {
            "crash" => self != Rules::Others,
            "premium-outage" => self != Rules::Others,
            "seen" => self == Rules::Others,
            _ => true,
        }
    }
}

impl Version {
    /// The one that a day begins and ends with.
    pub const FIRST: Version = Version { shadow: false, rules: Rules::All };

    /// Its text for this helpdesk.
    pub fn text(self, kind: Kind) -> String {
        let mode: &[(&str, &str)] = if self.shadow { &[("mode = \"live\"", "mode = \"shadow\"")] } else { &[] };
        mode.iter().chain(self.rules.edits()).fold(kind.policy(), |policy, (from, to)| {
            assert!(policy.contains(from), "the policy has no {from}");
            policy.replacen(from, to, 1)
        })
    }
}

/// From when until when a version may have been in force.
#[derive(Clone, Copy, Debug)]
struct Span {
    version: Version,
    from: Timestamp,
    to: Option<Timestamp>,
}

/// Which version was in force when. While a reload is under way, that may be the one before or the next.
#[derive(Clone, Debug, Default)]
pub struct InForce(Vec<Span>);

impl InForce {
    /// This version may be in force from now on.
    pub fn may_begin(&mut self, version: Version, now: Timestamp) {
        self.0.push(Span { version, from: now, to: None });
    }

    /// None but the last one is in force from now on.
    pub fn has_begun(&mut self, now: Timestamp) {
        let before = self.0.len().saturating_sub(1);
        self.0[..before].iter_mut().for_each(|span| span.to = span.to.or(Some(now)));
    }

    /// Versions that may have been in force then, or so long before.
    fn at(&self, then: Timestamp, before: SignedDuration) -> impl Iterator<Item = Version> {
        let covers = move |span: &&Span| span.from <= then && span.to.is_none_or(|to| then <= to + before);
        self.0.iter().filter(covers).map(|span| span.version)
    }

    /// Whether the master switch may have been in shadow then.
    pub fn may_be_shadow(&self, then: Timestamp) -> bool {
        self.at(then, SignedDuration::ZERO).any(|version| version.shadow)
    }

    /// Whether it was for sure.
    pub fn is_shadow(&self, then: Timestamp) -> bool {
        let mut all = self.at(then, SignedDuration::ZERO).peekable();
        all.peek().is_some() && all.all(|version| version.shadow)
    }
}

/// A person lets the daemon take in what the file says, and says it again while the ledger cannot be written.
pub async fn take_in(reloader: Reloader, in_force: Rc<RefCell<InForce>>, clock: ManualClock) {
    loop {
        match reloader.reload(Wish::File, "simulation").await {
            Ok(_) => return in_force.borrow_mut().has_begun(clock.now()),
            Err(CommandError::Ledger(_)) => clock.sleep_until(clock.now() + AGAIN).await,
            Err(other) => panic!("the file is right, and was not taken in: {other}"),
        }
    }
}

/// Whatever acts was in force when it was decided, and goes on under the version that it began with.
pub fn versions_are_kept(journal: &Journal, ledger: &Ledger, in_force: &InForce, tally: &mut Tally) -> Vec<String> {
    let all = HandoffFilter { limit: Some(usize::MAX), ..HandoffFilter::default() };
    let handoffs = ledger.handoffs(&all).expect("readable");
    let mut wrong: Vec<String> = handoffs.iter().filter_map(|one| was_in_force(one, in_force)).collect();
    let began: BTreeMap<&str, &HandoffRecord> = handoffs.iter().map(|one| (one.id.as_str(), one)).collect();
    for (effect, mark) in marks(journal).filter(|(_, mark)| mark.rule != "command") {
        let Some(handoff) = began.get(mark.handoff.as_str()) else { continue };
        let proposal = &handoff.proposal;
        if (mark.rule.as_str(), mark.version.as_str()) != (proposal.rule.as_str(), proposal.rule_version.as_str()) {
            wrong.push(format!("{} began as {}@{}", mark, proposal.rule, proposal.rule_version));
        }
        let rules = |at| in_force.at(at, SignedDuration::ZERO).map(|version| version.rules).max();
        tally.count("effects under a later version", u64::from(rules(effect.at) != rules(proposal.decided_at)));
    }
    wrong
}

/// A rule that was not in force, or outside of its share, decided nothing.
fn was_in_force(handoff: &HandoffRecord, in_force: &InForce) -> Option<String> {
    let proposal = &handoff.proposal;
    let by_rule = matches!(proposal.kind, HandoffKind::Route | HandoffKind::Escalate) && proposal.chained.is_none();
    let acts = |version: Version| {
        let half = version.rules == Rules::Stricter && proposal.rule.as_str() == "premium-outage";
        let inside = !half || in_share(&proposal.desk, &proposal.ticket, 0.5);
        !version.shadow && version.rules.have(proposal.rule.as_str()) && inside
    };
    let known = in_force.at(proposal.decided_at, UNDER_WAY).any(acts);
    (by_rule && !known).then(|| {
        let (rule, at) = (&proposal.rule, proposal.decided_at);
        format!("{} was decided by {rule} at {at}, which was not in force: {in_force:?}", handoff.id)
    })
}
