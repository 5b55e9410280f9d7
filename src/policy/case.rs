//! A case: a ticket plus what the ledger knows about it. The one input of `decide` that varies.

use super::facts::is_public_by;
use super::names::{RuleName, TeamName};
use super::roster::Rosters;
use super::rules::PackagePart;
use handoffd_kit::desk::QueueSpec;
use handoffd_kit::fact::Fact;
use handoffd_kit::id::{DeskId, TicketId, UserId};
use handoffd_kit::model::{PartSet, Parts, Role, TicketHead};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A ticket plus what the ledger knows about it.
#[derive(Clone, Debug)]
pub struct Case {
    /// The desk it lies on.
    pub desk: DeskId,
    /// Its head, read now.
    pub head: TicketHead,
    /// Its parts, as far as they were read.
    pub parts: Parts,
    /// Parts that were asked for already. The desk may have given less: `decide` asks for no part twice.
    pub asked: PartSet,
    /// What the ledger remembers.
    pub memory: Memory,
    /// Who works in the teams of its desk.
    pub rosters: Rosters,
}

impl Case {
    /// Whether the customer side is a machine: the head says so, or else the message that opened the ticket.
    pub fn machine_mail(&self) -> Fact<bool> {
        let conversation = self.parts.conversation.iter().flat_map(|conversation| &conversation.messages);
        let mut opening = conversation.filter(|message| is_public_by(message, Role::Customer));
        match (&self.head.machine_mail, opening.next()) {
            (Fact::Unknown, Some(message)) => message.by_machine.clone(),
            (known, _) => known.clone(),
        }
    }
}

/// What the ledger remembers of a case.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Memory {
    /// Whether the ticket is new since the desk's start, or something changed on it since.
    pub counts: bool,
    /// The present stay with a team, as the ledger last saw it. `None`: never had a team.
    pub stay: Option<Stay>,
    /// Teams that have had the case, oldest first, the present one included.
    pub teams_seen: Vec<TeamName>,
    /// Which rules have fired, and in which episode.
    pub fired: Vec<Fired>,
    /// Paths that a bounce, an undo or a rejection has closed.
    pub closed_paths: Vec<ClosedPath>,
    /// Rules that matched in this episode before they were live and were not released yet.
    pub held: Vec<RuleName>,
    /// Rules that have just gone live and that this case, on which nothing has changed, is asked for the first time: where
    /// they match, they matched before.
    pub arrived: Vec<RuleName>,
    /// Rules whose match a person released or approved for this episode: once, limits and closed paths do not hold them back.
    pub released: Vec<RuleName>,
    /// Where the current agent was asked for package parts: once for each rule and episode.
    pub asked: Vec<Asked>,
    /// The handoff that is under way, if any.
    pub open: Option<OpenHandoff>,
    /// What an agent last asked for inside the helpdesk, whether it still stands or not.
    pub request: Option<Request>,
    /// Our moves of this case in the last 24 hours.
    pub hops_today: u32,
    /// All our handoffs of this case.
    pub handoffs: u32,
    /// Moves between teams that were seen, by anybody.
    pub hops: u32,
    /// Bounces seen.
    pub bounces: u32,
    /// Returns seen.
    pub returns: u32,
    /// Queues of the policy that the desk does not show any more.
    pub queues_gone: Vec<QueueSpec>,
    /// When we last wrote to the customer.
    pub last_public_message: Option<Timestamp>,
    /// When we last wrote to the same customer in another of their cases, or are about to; none: not, as far as is known.
    pub told_elsewhere: Option<ToldElsewhere>,
    /// Handoffs in the last hour by rule, and on this desk, with those that wait for a place before this case.
    pub recent: Recent,
    /// The target of the present stay's team, where our handoff that opened the stay gave it one.
    pub internal_until: Option<Timestamp>,
    /// When a pause of the customer's clock that we began ends at the latest; none: none goes on.
    pub paused_until: Option<Timestamp>,
    /// The rule whose handoff has sent nothing yet and is decided anew.
    pub begun: Option<RuleName>,
    /// Where that handoff waits for a yes, or to be sent: what it was decided by. The same needs no second place in the hour.
    pub begun_as: Option<Begun>,
    /// The team that a person has chosen among those that rules want.
    pub chosen: Option<TeamName>,
    /// The rules about which a person is being asked, where they want different teams all of them: an agent's acts meanwhile do
    /// not hold them.
    pub in_review: Vec<RuleName>,
    /// The rule for which an agent is being asked for package parts: what they do about it is no reason to wait for them,
    /// nor to call the case busy.
    pub asking: Option<RuleName>,
    /// Versions of rules that somebody has signed.
    pub signed_rules: Vec<SignedRule>,
    /// Rules that are switched off by a kill switch now (`pause --rule`), and whether everything or this desk is.
    pub switched_off: SwitchedOff,
}

/// What a handoff that has sent nothing was decided by, beside its rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Begun {
    /// Where it goes.
    pub to: TeamName,
    /// The stay that it ends.
    pub episode: String,
    /// Hash of the facts that its rule matched.
    pub facts: String,
}

/// A version of a rule that somebody has signed: a sensitive one may act with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedRule {
    /// Which rule.
    pub rule: RuleName,
    /// Hash of its meaning.
    pub version: String,
    /// Who signed.
    pub signer: String,
}

/// What an agent asked for: that the case goes to another team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// The id of the command.
    pub command: String,
    /// To which team.
    pub to: TeamName,
    /// Why, in the agent's words; a stated default where they gave none.
    pub reason: String,
    /// The agent, in words.
    pub by: String,
    /// The agent as the desk knows them.
    pub by_id: Option<UserId>,
    /// Their mail address, where the desk told it.
    #[serde(default)]
    pub by_email: Option<String>,
    /// In which stay.
    pub episode: String,
    /// Whether rules may still act on it. One that has led to a handoff which was sent or has ended, or that was answered
    /// with no, stays only as a fact.
    pub open: bool,
    /// Whether the agent was told that it waits.
    #[serde(default)]
    pub told: bool,
    /// The handoff that it has led to.
    #[serde(default)]
    pub led_to: Option<String>,
}

impl Request {
    /// Whether a rule to this team may act on it in this stay.
    pub fn wants(&self, to: &TeamName, episode: &str) -> bool {
        self.open && self.to == *to && self.episode == episode
    }
}

/// A word to the customer in another of their cases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToldElsewhere {
    /// The other case's ticket.
    pub ticket: TicketId,
    /// When it went out; none: it is about to.
    pub at: Option<Timestamp>,
}

/// A stay of a case with a team, also called an episode.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stay {
    /// The team.
    pub team: TeamName,
    /// The vendor's id of the change that opened it, or what stands in for it where history cannot be read.
    pub episode: String,
    /// When it began, as far as we know.
    pub since: Timestamp,
}

/// A rule has fired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fired {
    /// Which rule.
    pub rule: RuleName,
    /// In which episode.
    pub episode: String,
}

/// The current agent was asked for package parts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// By which rule.
    pub rule: RuleName,
    /// In which episode.
    pub episode: String,
    /// How long the handoff waits for them.
    pub until: Timestamp,
    /// Whether it still does.
    pub open: bool,
}

/// Noted in place of a fact that a look has seen differ from what was noted before: no fact is as this.
pub const CHANGED: &str = "changed";

/// A path that is closed for this case until a matched fact changes or a person says yes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClosedPath {
    /// From which team; none for a route.
    pub from: Option<TeamName>,
    /// To which team.
    pub to: TeamName,
    /// Why.
    pub why: ClosedBy,
    /// The facts that the rules of this path looked at when a look first saw the case back with the giving team: a hash of
    /// each, by name. One that is missing here is not known yet, and opens nothing until a look has noted it.
    pub facts: BTreeMap<String, String>,
}

impl ClosedPath {
    /// A path that is closed from now on; the facts are noted by the first look that sees the case back.
    pub fn new(from: Option<TeamName>, to: TeamName, why: ClosedBy) -> Self {
        Self { from, to, why, facts: BTreeMap::new() }
    }
}

/// What closed a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClosedBy {
    /// The receiving team gave it back.
    Bounce,
    /// A person undid it.
    Undo,
    /// The receiving team or a reviewer said no.
    Rejection,
    /// Another automation undid it: not fought over.
    Contest,
    /// Nobody of the receiving team took it on.
    Unclaimed,
    /// The receiving team has done what was asked.
    Back,
    /// A person decided otherwise before it was carried out.
    Stopped,
}

impl ClosedBy {
    /// In words, for people.
    pub fn shown(self) -> &'static str {
        match self {
            Self::Bounce => "it was handed back",
            Self::Undo => "a person undid it",
            Self::Rejection => "it was rejected",
            Self::Unclaimed => "nobody took it on in time",
            Self::Contest => "another automation undid it",
            Self::Back => "what was asked has been done",
            Self::Stopped => "a person decided otherwise before it was carried out",
        }
    }
}

/// The handoff that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenHandoff {
    /// Its id.
    pub id: String,
    /// Its rule.
    pub rule: RuleName,
    /// Where it goes.
    pub to: TeamName,
    /// Hash of its matched facts.
    pub facts: String,
    /// Required parts that its package lacks.
    pub missing: Vec<PackagePart>,
    /// Whether anything has been sent, or may have been.
    pub sent: bool,
}

/// What was handed off in the last hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recent {
    /// By rule.
    pub by_rule: BTreeMap<RuleName, u32>,
    /// On this desk.
    pub on_desk: u32,
    /// Cases of this desk that wait for a place and come before this one, by rule.
    pub ahead: BTreeMap<RuleName, u32>,
    /// Those of them for which the desk has no place left.
    pub ahead_on_desk: u32,
}

/// Kill switches that concern this case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SwitchedOff {
    /// Everything, or this desk.
    pub all: bool,
    /// These rules.
    pub rules: Vec<RuleName>,
}

impl SwitchedOff {
    /// Whether this rule may not write.
    pub fn stops(&self, rule: &RuleName) -> bool {
        self.all || self.rules.contains(rule)
    }
}
