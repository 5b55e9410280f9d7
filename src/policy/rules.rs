//! The checked policy. Values of these types come from validation only: what a rule names exists, and its questions are answered.

use super::due::Wait;
use super::header::PolicyHeader;
use super::known::{FactName, KnownFacts};
pub use super::limits::Limits;
use super::lull::NewsWithin;
use super::names::{AlertName, MessageName, PersonName, RiskName, RuleName, TeamName};
use super::package::Labels;
use super::targets::Target;
use super::teams::{PersonEntry, Team};
use super::timing::TimeKeys;
use super::{address::AddressPattern, alert::AlertPolicy, clocks::ClockName, condition::Condition};
use super::{review_terms::ReviewTerms, risk::WordRisk};
use handoffd_kit::desk::QueueSpec;
use handoffd_kit::id::DeskId;
use handoffd_kit::model::FieldType;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// All that decides.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Hash of the meaning of the whole policy (comments and `[daemon]` left out).
    pub version: String,
    /// Who answers for it, and what it is for.
    pub header: PolicyHeader,
    /// The master switch: in shadow nothing is written, whatever the rules say.
    pub mode: Mode,
    /// What the policy knows of each desk.
    pub desks: BTreeMap<DeskId, DeskPolicy>,
    /// Who owns cases.
    pub teams: BTreeMap<TeamName, Team>,
    /// Whose identities belong together.
    pub people: BTreeMap<PersonName, PersonEntry>,
    /// The words by which agents name the parts of a package in an internal note.
    pub labels: Labels,
    /// Public messages by name.
    pub messages: BTreeMap<MessageName, PublicMessage>,
    /// Who is told outside the helpdesk, and how.
    pub alerts: AlertPolicy,
    /// Our own clocks, in the order of the file: the first that holds is a case's.
    pub targets: Vec<Target>,
    /// Tickets that are excluded from everything.
    pub never: Option<Condition>,
    /// How long an escalation waits after an agent's last act, in wall time; none: not at all. A rule may say otherwise.
    pub quiet_after_person: Option<SignedDuration>,
    /// Addresses that are never written to.
    pub suppress: Vec<AddressPattern>,
    /// How much may happen.
    pub limits: Limits,
    /// How long a review waits for its answer, where its rule does not say; none: as long as it takes.
    pub reviews: Option<ReviewTerms>,
    /// Words that ask a person, by name.
    pub risks: Vec<WordRisk>,
    /// Routing rules in the order of the file.
    pub routes: Vec<Route>,
    /// Escalation rules in the order of the file.
    pub escalations: Vec<Escalation>,
}

impl Policy {
    /// The escalation of this name.
    pub fn escalation(&self, name: &RuleName) -> Option<&Escalation> {
        self.escalations.iter().find(|known| known.rule.name == *name)
    }

    /// The teams that an agent may hand this team's cases to: those that a rule with `trigger = "manual"` leads to.
    pub fn on_request(&self, from: &TeamName) -> Vec<&TeamName> {
        let rules = self.escalations.iter().filter(|rule| rule.trigger == Trigger::Manual && rule.from.contains(from));
        let mut teams: Vec<&TeamName> = Vec::new();
        for rule in rules {
            if !teams.contains(&&rule.to) {
                teams.push(&rule.to);
            }
        }
        teams
    }

    /// Teams of which it matters who works in them: those that a rule takes cases from or brings them to. It takes both sides
    /// to tell whose act is a claim.
    pub fn rostered_teams(&self) -> impl Iterator<Item = &Team> {
        let matters = |team: &&Team| {
            let starts_there = |route: &Route| {
                route.to == team.name || route.fallback.as_ref().is_some_and(|other| *other == team.name)
            };
            let takes_part = |rule: &Escalation| {
                let chained = || rule.owner.unclaimed().any(|step| *step == Unclaimed::Team(team.name.clone()));
                rule.to == team.name || rule.from.contains(&team.name) || chained()
            };
            self.escalations.iter().any(takes_part) || self.routes.iter().any(starts_there)
        };
        self.teams.values().filter(matters)
    }

    /// The facts that its conditions and reasons may look at: the fixed ones and every desk's declared fields.
    pub fn known_facts(&self) -> KnownFacts {
        self.desks.values().fold(KnownFacts::new(), |known, desk| known.with_fields(&desk.fields))
    }

    /// The queues of a desk that the policy names: its teams' and its intake.
    pub fn queues(&self, desk: &DeskId) -> Vec<QueueSpec> {
        let teams = self.teams.values().filter(|team| &team.desk == desk).map(|team| &team.queue);
        let intake = self.desks.get(desk).into_iter().flat_map(|desk| &desk.intake);
        teams.chain(intake).cloned().collect()
    }
}

/// What the policy knows of one desk.
#[derive(Clone, Debug)]
pub struct DeskPolicy {
    /// Queues whose cases have no team yet.
    pub intake: Vec<QueueSpec>,
    /// From when on old tickets count.
    pub start: Start,
    /// Custom fields by our name.
    pub fields: BTreeMap<String, FieldDeclaration>,
    /// How agents give commands inside this desk.
    pub commands: CommandWords,
    /// How long it may be without news before somebody is told; none: for ever.
    pub news_within: Option<NewsWithin>,
}

/// How agents give commands inside a desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommandWords {
    /// As the first line of an internal note.
    pub notes: bool,
    /// As labels.
    pub tags: bool,
    /// The forms of the label that hands a case off, each with [`super::command::TEAM`] for the team's name.
    pub handoff: Vec<String>,
    /// The label that gives a case back.
    pub back: String,
    /// The label that says no.
    pub reject: String,
    /// The label that says yes.
    pub approve: String,
    /// The label for a package that had what was needed.
    pub good: String,
    /// The label for one that lacked something.
    pub poor: String,
}

impl Default for CommandWords {
    fn default() -> Self {
        let word = |word: &str| format!("handoff-{word}");
        Self {
            notes: true,
            tags: true,
            // Not every desk's labels hold a colon.
            handoff: vec!["handoff:{team}".into(), "handoff-to-{team}".into()],
            back: word("back"),
            reject: word("reject"),
            approve: word("approve"),
            good: word("good"),
            poor: word("poor"),
        }
    }
}

/// From when on tickets count. An older ticket counts once something changes on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// From the moment the ledger first met this desk.
    Now,
    /// From this instant.
    At(Timestamp),
}

/// A custom field: our name stands for the desk's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldDeclaration {
    /// The desk's id or name of it.
    pub id: String,
    /// What its values are.
    pub kind: FieldType,
    /// Whose field it is.
    pub of: FieldOwner,
}

/// Whose field a custom field is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FieldOwner {
    /// The ticket's.
    #[default]
    Ticket,
    /// The customer's.
    Customer,
    /// The customer's organisation's.
    Organization,
}

/// A public message. It is sent only in a wording that one of its signers signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicMessage {
    /// Its key.
    pub name: MessageName,
    /// Who may sign it.
    pub signers: Vec<String>,
    /// Template by language tag.
    pub wordings: BTreeMap<String, String>,
    /// Hash over all wordings: what a signature is for.
    pub wording_hash: String,
}

/// Whether something may write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Decide and record, write nothing.
    #[default]
    Shadow,
    /// Write.
    Live,
}

/// What routes and escalations have in common.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name.
    pub name: RuleName,
    /// Hash of its meaning.
    pub version: String,
    /// On its own; the daemon's mode is the master switch.
    pub mode: Mode,
    /// The steady slice of tickets it applies to, `0.0..=1.0`.
    pub share: f64,
    /// Whether it stays in shadow until the second reviewer has signed this version of it.
    pub sensitive: bool,
    /// How often it fires.
    pub once: Once,
    /// All must hold. Empty: always.
    pub when: Vec<Condition>,
    /// How much time must have passed, on top of that.
    pub times: TimeKeys,
    /// The channels that are told of its handoffs, in place of the team's.
    pub alert: Option<Vec<AlertName>>,
    /// The risks whose words ask a person before it acts; none: the usual ones of its kind.
    pub risks: Option<Vec<RiskName>>,
}

impl Rule {
    /// The clocks that it looks at, in its conditions or before they run out.
    pub fn clocks(&self) -> Vec<ClockName> {
        let asked = self.when.iter().flat_map(Condition::facts).filter_map(|fact| match fact {
            FactName::Clock(name) => ClockName::named(name),
            _ => None,
        });
        asked.chain(self.times.before_breach.map(|before| before.clock)).collect()
    }
}

/// How often a rule fires.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Once {
    /// Once in each stay of the case with a team.
    #[default]
    Episode,
    /// Once in the case's life.
    Case,
}

/// Where a case should start.
#[derive(Clone, Debug)]
pub struct Route {
    /// Name, mode, conditions.
    pub rule: Rule,
    /// The desk whose new cases it routes.
    pub desk: DeskId,
    /// The first team.
    pub to: TeamName,
    /// The team that takes a case in its stead while it is off duty or its queue is gone.
    pub fallback: Option<TeamName>,
    /// Whether it is asked only while its team is on duty.
    pub on_duty: bool,
    /// A case that leaves its first team within so long, in wall time, was badly routed.
    pub weak_triage_within: SignedDuration,
}

/// When a case has outgrown its tier.
#[derive(Clone, Debug)]
pub struct Escalation {
    /// Name, mode, conditions.
    pub rule: Rule,
    /// The kind of reason.
    pub trigger: Trigger,
    /// How long it waits after an agent's last act, in wall time; none: as long as the policy says. Nobody waits for what an
    /// agent asked for (`manual`).
    pub quiet_after_person: Option<SignedDuration>,
    /// Teams it takes cases from.
    pub from: Vec<TeamName>,
    /// The next team.
    pub to: TeamName,
    /// The skill or authority that is needed next.
    pub needs: Option<String>,
    /// Template of the reason.
    pub reason: String,
    /// 1: what travels.
    pub package: PackageDecision,
    /// 2: who owns it.
    pub owner: OwnerDecision,
    /// 3: what the clocks do.
    pub clock: ClockDecision,
    /// 4: what the customer is told.
    pub customer: CustomerDecision,
    /// 5: whether a person is asked first.
    pub review: ReviewDecision,
    /// Who says yes or no, in place of the receiving team's reviewers and the giving team's lead. Empty: they do.
    pub reviewers: Vec<PersonName>,
    /// How long that person has; none: as the policy says.
    pub reviews: Option<ReviewTerms>,
}

/// The kind of reason a rule fires for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trigger {
    /// Beyond the first line's playbook.
    Complexity,
    /// A premium, named or high-risk account.
    Account,
    /// All first-line steps done without success.
    StepsFailed,
    /// A clock is near its end.
    Sla,
    /// Nothing happened for too long.
    Waiting,
    /// Again and again.
    Repeat,
    /// Money, security, permissions.
    Exception,
    /// An agent asked for it.
    Manual,
}

/// One part of the context package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PackagePart {
    /// The issue in a few lines.
    Summary,
    /// What the customer reported.
    Reported,
    /// What was tried, with its outcome.
    Steps,
    /// Pictures, logs, linked records.
    Artifacts,
    /// Urgency and impact on the account.
    Urgency,
    /// The next open question.
    Question,
    /// The customer's and the case's history.
    History,
}

/// Which parts must travel, and what is done when one is missing. Gaps are always shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackageDecision {
    /// Required parts.
    pub require: Vec<PackagePart>,
    /// What to do when one is missing.
    pub missing: Missing,
}

/// What to do when a required part is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missing {
    /// Hand off with the gaps shown.
    Send,
    /// A person decides.
    Review,
    /// The current agent is asked for them.
    Ask {
        /// How long the handoff waits for them, in the giving team's hours.
        within: Wait,
        /// What is done when that time is over.
        then: Then,
    },
}

/// What is done when what was asked for did not come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Then {
    /// A person decides.
    #[default]
    Review,
    /// Hand off with the gaps shown.
    Send,
}

/// Who owns the case afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OwnerDecision {
    /// Who becomes owner.
    pub assign: Assign,
    /// Who, where that is not possible.
    pub fallback: Assign,
    /// What the previous agent still does.
    pub previous: PreviousTask,
    /// Who talks to the customer from now.
    pub customer_facing: CustomerFacing,
    /// How long the receiving team has to take the case on, and what happens then.
    pub claim: Option<ClaimDecision>,
}

/// How long the receiving team has to take a case on, and what happens then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimDecision {
    /// How long, in the team's hours.
    pub within: Wait,
    /// Who is asked next, one after the other, each with the same time.
    pub unclaimed: Vec<Unclaimed>,
}

/// Who is asked where nobody has taken a case on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unclaimed {
    /// The receiving team's lead.
    Lead,
    /// Another team.
    Team(TeamName),
    /// The team that gave it.
    Back,
}

impl std::fmt::Display for Unclaimed {
    /// As the file has it.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Lead => f.write_str("lead"),
            Self::Team(team) => write!(f, "team:{team}"),
            Self::Back => f.write_str("back"),
        }
    }
}

impl OwnerDecision {
    /// Whether it must be known who works in the receiving team.
    pub fn needs_members(&self) -> bool {
        self.assign != Assign::Queue || self.fallback != Assign::Queue || self.claim.is_some()
    }

    /// Who is asked where nobody has taken the case on, one after the other.
    pub fn unclaimed(&self) -> impl Iterator<Item = &Unclaimed> {
        self.claim.iter().flat_map(|claim| &claim.unclaimed)
    }
}

/// Who becomes owner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Assign {
    /// Nobody yet: the receiving team's queue.
    Queue,
    /// This person.
    Person(PersonName),
    /// The receiving team's members on duty, one after the other.
    Turn,
    /// The member on duty with the fewest open cases.
    Load,
}

/// What the previous agent still does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PreviousTask {
    /// Nothing.
    Nothing,
    /// This, within that time.
    Task {
        /// What.
        task: String,
        /// In how long, in the hours of the giving team.
        within: Option<Wait>,
    },
}

/// Who talks to the customer after the handoff.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerFacing {
    /// The previous agent.
    Previous,
    /// The new owner.
    New,
}

/// What the clocks do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockDecision {
    /// What the customer's clock does.
    pub customer: CustomerClock,
    /// The receiving team's own target, in its hours.
    pub internal: Option<Wait>,
    /// From when on that target counts.
    pub internal_from: InternalFrom,
    /// Which side answers for the clocks.
    pub accountable: Accountable,
}

/// From when on the receiving team's own target counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InternalFrom {
    /// From the handoff.
    #[default]
    Handoff,
    /// From the day the case was opened: what others used up is used up.
    Opened,
}

/// What the customer's clock does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustomerClock {
    /// Runs on.
    Continue,
    /// Stands still.
    Pause {
        /// The desk's word for the status that stops it.
        status: String,
        /// For how long at most, in wall time.
        at_most: SignedDuration,
    },
}

/// Which side answers for the clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Accountable {
    /// The receiving team.
    To,
    /// The giving team.
    From,
}

/// What the customer is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CustomerDecision {
    /// This message.
    Message {
        /// Which.
        name: MessageName,
        /// What it promises as `respond_by`, in the hours of the receiving team.
        respond_within: Option<Wait>,
        /// Not within this time of our last message to them.
        quiet_for: Option<SignedDuration>,
        /// Not within this time of an agent's public reply.
        after_reply: Option<SignedDuration>,
    },
    /// Nothing.
    Nothing {
        /// Why.
        because: String,
    },
}

/// Whether a person is asked before anything is written.
#[derive(Clone, Debug)]
pub enum ReviewDecision {
    /// No.
    Never,
    /// Yes.
    Always,
    /// When this holds; unknown means yes.
    When(Condition),
}
