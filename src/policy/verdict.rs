//! What the policy says about a case now, with every rule's own verdict: `explain` prints exactly what `decide` saw.

use super::clocks::ClockDifference;
use super::names::{RiskName, RuleName, TeamName};
use super::package::name_of;
use super::proposal::Proposal;
use super::risk::Hit;
use super::rules::PackagePart;
use super::target::InsteadOf;
use handoffd_kit::id::DeskId;
use handoffd_kit::model::PartSet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The answer of `decide`.
#[derive(Clone, Debug)]
pub enum Decision {
    /// These parts are needed first: read them and ask again.
    Need(PartSet),
    /// What to do.
    Verdict(Verdict),
}

/// What the policy says, and why.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// What to do.
    pub outcome: Outcome,
    /// Every rule that was looked at, in the order of the file.
    pub trace: Vec<RuleTrace>,
    /// Proposals of rules in shadow, or held until a person releases them: recorded, never written.
    pub would: Vec<Proposal>,
    /// Look again then, if nothing happens before: the earliest instant at which something could come out differently.
    pub again_at: Option<Timestamp>,
    /// Where the desk's clocks and our own targets do not agree, as far as both were read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clock_differences: Vec<ClockDifference>,
}

impl Verdict {
    /// The rule that would act if the hour had a place left for it.
    pub fn over_limit(&self) -> Option<&RuleName> {
        let limited = self.trace.iter().find(|trace| trace.result == RuleResult::OverLimit);
        limited.map(|trace| &trace.rule)
    }

    /// Whether a pause holds something back, or may: it is looked at again when the pause is over.
    pub fn is_paused(&self) -> bool {
        self.outcome == Outcome::Stay(StayReason::Paused) || self.trace.iter().any(|trace| trace.result.is_paused())
    }
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Nothing.
    Stay(StayReason),
    /// To its first team.
    Route(Box<Proposal>),
    /// To the next team.
    Escalate(Box<Proposal>),
    /// To the next team as soon as its package is complete: the current agent is asked for what is missing.
    AskForParts {
        /// What is done then.
        proposed: Box<Proposal>,
        /// How long it waits for them.
        until: Timestamp,
    },
    /// A person says yes or no before anything is written.
    AskPerson {
        /// What would be done on a yes. With rules that disagree: the first one's; the others stand in the risk.
        proposed: Box<Proposal>,
        /// Why a person is asked.
        risks: Vec<Risk>,
    },
}

/// Why a case stays.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StayReason {
    /// Solved, closed, merged, spam, deleted.
    Ended,
    /// Neither in intake nor in a team's queue.
    NotOurs,
    /// The desk does not say where it lies, or in what status.
    Unclear(String),
    /// `policy.never` excludes it, or cannot be told.
    Never,
    /// Older than the desk's start, and nothing changed since.
    BeforeStart,
    /// No rule matched.
    NoRule,
    /// The conditions of a rule hold, and not enough time has passed.
    NotYet,
    /// A rule matched and is held back; the trace says why.
    HeldBack,
    /// A handoff is under way.
    UnderWay,
    /// Everything, this desk or the rule is paused.
    Paused,
}

/// Why a person is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// The rule says always.
    Always,
    /// The rule's condition holds.
    Condition(String),
    /// The rule's condition cannot be told.
    Unknown(String),
    /// A rule that agrees, and would not act without a person's yes: why.
    Agreeing(RuleName, Box<Risk>),
    /// Rules want different teams.
    Disagreement(Vec<(RuleName, TeamName)>),
    /// The case has moved too often today.
    HopBudget(u32),
    /// Required parts of the package are missing.
    PackageIncomplete(Vec<PackagePart>),
    /// Words of the ticket are of a risk of the policy.
    Words {
        /// Which risk.
        risk: RiskName,
        /// The entries that were found first, and where; nothing of the ticket's own text.
        found: Vec<Hit>,
        /// How many more were found.
        more: usize,
    },
    /// Whether words of the ticket are of a risk cannot be told.
    WordsUnknown {
        /// Which risk.
        risk: RiskName,
        /// What could not be looked at.
        unknown: String,
    },
}

/// One rule's verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RuleTrace {
    /// Which rule.
    pub rule: RuleName,
    /// Its version.
    pub version: String,
    /// Where it would go.
    pub to: TeamName,
    /// What came out.
    pub result: RuleResult,
    /// The facts its conditions looked at, by name, as text.
    pub facts: Vec<(String, String)>,
    /// Of a rule that would act and may not: why a person would be asked first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub would_ask: Vec<Risk>,
    /// Of a route whose fallback is meant: the team that it stands in for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<InsteadOf>,
}

/// What came out for one rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleResult {
    /// It matched and acts.
    Fires,
    /// It matched; another one that agrees acts.
    Agrees,
    /// A condition does not hold: which one, from 1, in its words.
    NotMatched(usize, String),
    /// A condition cannot be told: which one, and what is unknown.
    Unknown(usize, String),
    /// A condition cannot be told, because this keeps the rule from acting whatever its facts are, and they were not read.
    Unasked(Box<RuleResult>),
    /// Its conditions hold; not enough time has passed. At this instant it has, if nothing happens before.
    NotYet(Timestamp),
    /// Its conditions hold; its time never comes as things stand: why.
    NoInstant(String),
    /// Its conditions hold; the desk does not tell since when: for which time key.
    TimeUnknown(String),
    /// It matched; it is for the hours of its team, which is off duty until then.
    OffDuty(Timestamp),
    /// It matched; an agent has just acted on the case. It waits until then.
    PersonActive(Timestamp),
    /// It matched; the ticket has just changed, and the desk does not say whether an agent did that. It waits until then.
    PersonMayBeActive(Timestamp),
    /// It acts when an agent asks for it, and nobody did.
    NotAsked,
    /// The case is not with one of its teams, or not on its desk.
    NotFrom,
    /// The same, and all of its teams, or the route itself, are on this other desk. Only in explanations.
    OnAnotherDesk(DeskId),
    /// The case stays before any rule is asked. Only in explanations.
    NotReached,
    /// An earlier route matched.
    Behind(RuleName),
    /// It matched; it is in shadow.
    Shadow,
    /// It matched; the ticket is outside its share.
    OutsideShare,
    /// It matched; it has fired in this episode, or case.
    AlreadyFired,
    /// It matched; this path is closed for the case: by what.
    PathClosed(super::case::ClosedBy),
    /// It matched before it went live: `handoffs release` lets it act.
    Held,
    /// It matched; its limit, or the desk's, is used up for this hour.
    OverLimit,
    /// It matched; it is paused.
    Paused,
    /// It matched, and the case is already with its target.
    AlreadyThere,
}

impl RuleResult {
    /// Whether a pause holds the rule back, be it that its facts were not even read.
    pub fn is_paused(&self) -> bool {
        match self {
            Self::Paused => true,
            Self::Unasked(bar) => bar.is_paused(),
            _ => false,
        }
    }

    /// What came out in words, after the rule's name.
    pub fn shown(&self) -> String {
        match self {
            Self::Fires => "fires".into(),
            Self::Agrees => "matches too, with the same target".into(),
            Self::NotMatched(n, words) => format!("does not match: condition {n} does not hold: {words}"),
            Self::Unknown(n, what) => format!("cannot be told: condition {n}: unknown: {what}"),
            Self::Unasked(bar) => format!("was not asked: {}", bar.bars()),
            Self::NotFrom => "is not about this case: not with one of its teams".into(),
            Self::OnAnotherDesk(desk) => format!("is not about this case: its team is on another desk, {desk}"),
            Self::NotYet(at) => format!("waits for its time: {at} if nothing happens before"),
            Self::NoInstant(why) => format!("never, as things stand: {why}"),
            Self::TimeUnknown(key) => format!("cannot be told: since when, for {key}"),
            Self::PersonActive(until) => {
                format!("matches, but an agent has just acted on the case: it waits until {until}")
            }
            Self::PersonMayBeActive(until) => format!(
                "matches, but the ticket has just changed and this desk does not say whether an agent did that: it waits until {until}"
            ),
            Self::OffDuty(until) => {
                format!("matches, but is for the hours of its team, which is off duty until {until}")
            }
            Self::NotAsked => "acts when an agent asks for it (/handoff), and nobody did".into(),
            Self::NotReached => "was not asked: the case stays before that".into(),
            Self::Behind(rule) => format!("comes after {rule}, which matched"),
            Self::Shadow => "would fire, but is in shadow".into(),
            Self::OutsideShare => "matches, but the ticket is outside its share".into(),
            Self::AlreadyFired => "matches, and has fired already".into(),
            Self::PathClosed(why) => format!("matches, but this path is closed for the case ({})", why.shown()),
            Self::Held => "matched before it went live: `handoffd handoffs release` lets it act".into(),
            Self::OverLimit => "matches, but its limit is used up for this hour".into(),
            Self::Paused => "matches, but is paused".into(),
            Self::AlreadyThere => "matches, and the case is already there".into(),
        }
    }

    /// Why a rule was not asked, in words.
    fn bars(&self) -> String {
        match self {
            Self::OutsideShare => "the ticket is outside its share".into(),
            Self::AlreadyFired => "it has fired already".into(),
            Self::Paused => "it is paused".into(),
            Self::AlreadyThere => "the case is already there".into(),
            other => other.shown(),
        }
    }
}

impl Outcome {
    /// What is to be done in words, after "it ".
    pub fn shown(&self) -> String {
        match self {
            Self::Stay(reason) => format!("stays: {}", reason.shown()),
            Self::Route(proposal) => format!("goes to {} by the route {}", proposal.to, proposal.rule),
            Self::Escalate(proposal) => {
                format!("goes to {} by the rule {}: {}", proposal.to, proposal.rule, proposal.reason)
            }
            Self::AskForParts { proposed, until } => format!(
                "the current agent is asked for what is missing, until {until}, before it goes to {} by the rule {}",
                proposed.to, proposed.rule
            ),
            Self::AskPerson { proposed, .. } => {
                format!("a person is asked before it goes to {} by the rule {}", proposed.to, proposed.rule)
            }
        }
    }
}

impl Risk {
    /// Why a person is asked, in words.
    pub fn shown(&self) -> String {
        match self {
            Self::Always => "the rule always asks a person".into(),
            Self::Condition(condition) => format!("its condition holds: {condition}"),
            Self::Unknown(unknown) => format!("its condition cannot be told: {unknown}"),
            Self::Agreeing(rule, why) => format!("{rule} agrees, and would ask first: {}", why.shown()),
            Self::Disagreement(rules) => {
                let rules: Vec<String> = rules.iter().map(|(rule, team)| format!("{rule} wants {team}")).collect();
                format!("rules disagree: {}", rules.join(", "))
            }
            Self::HopBudget(hops) => format!("the case has moved {hops} times in a day"),
            Self::PackageIncomplete(missing) => {
                let missing: Vec<&str> = missing.iter().map(|part| name_of(*part)).collect();
                format!("the package is incomplete: {}", missing.join(", "))
            }
            Self::Words { risk, found, more } => {
                let found: Vec<String> = found.iter().map(Hit::shown).collect();
                let more = if *more > 0 { format!(", and {more} more") } else { String::new() };
                format!("its words are of the risk {risk}: {}{more}", found.join(", "))
            }
            Self::WordsUnknown { risk, unknown } => {
                format!("whether its words are of the risk {risk} cannot be told: not known is {unknown}")
            }
        }
    }
}

impl StayReason {
    /// One word for it, as tests of the policy write it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::NotOurs => "not-ours",
            Self::Unclear(_) => "unclear",
            Self::Never => "never",
            Self::BeforeStart => "before-start",
            Self::NoRule => "no-rule",
            Self::NotYet => "not-yet",
            Self::HeldBack => "held-back",
            Self::UnderWay => "under-way",
            Self::Paused => "paused",
        }
    }

    /// Every word.
    pub const WORDS: [&'static str; 10] = [
        "ended",
        "not-ours",
        "unclear",
        "never",
        "before-start",
        "no-rule",
        "not-yet",
        "held-back",
        "under-way",
        "paused",
    ];

    /// The reason in words, for people.
    pub fn shown(&self) -> String {
        match self {
            Self::Ended => "it is solved, closed, merged, spam or deleted".into(),
            Self::NotOurs => "it lies neither in intake nor in a team's queue".into(),
            Self::Unclear(why) => format!("the desk does not say enough: {why}"),
            Self::Never => "policy.never excludes it".into(),
            Self::BeforeStart => "it is older than the desk's start, and nothing changed on it since".into(),
            Self::NoRule => "no rule matches".into(),
            Self::NotYet => "a rule waits for its time".into(),
            Self::HeldBack => "a rule matches and is held back".into(),
            Self::UnderWay => "a handoff is under way".into(),
            Self::Paused => "it is paused".into(),
        }
    }
}
