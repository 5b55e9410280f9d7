//! A proposal: one handoff as `decide` works it out, whole and frozen: what travels, who owns it, what the clocks do,
//! what the customer is told. It is what a review shows, what the ledger keeps, and what `plan` turns into effects.

use super::alert::AlertPlan;
use super::due::{Due, Wait};
use super::names::{MessageName, RuleName, TeamName};
use super::review_terms::ReviewPlan;
use super::rules::{Accountable, CustomerFacing, InternalFrom, Mode, PackagePart, Trigger, Unclaimed};
use super::target::InsteadOf;
use handoffd_kit::desk::{OwnerSpec, QueueSpec};
use handoffd_kit::id::{DeskId, TicketId, UserId};
use handoffd_kit::model::{QueueRef, Status};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// One handoff, worked out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Proposal {
    /// Which desk.
    pub desk: DeskId,
    /// Which ticket.
    pub ticket: TicketId,
    /// Routing, escalation or the way back.
    pub kind: HandoffKind,
    /// The rule that acts.
    pub rule: RuleName,
    /// Its version.
    pub rule_version: String,
    /// The whole policy's version.
    pub policy_version: String,
    /// Whether it may write: the stricter of the rule's mode and the daemon's.
    pub mode: Mode,
    /// The stay that it ends; `"intake"` and the ticket's birth for a route.
    pub episode: String,
    /// The giving team; none for a route.
    pub from: Option<TeamName>,
    /// The queue the ticket lies in.
    pub from_queue: Option<QueueRef>,
    /// The receiving team.
    pub to: TeamName,
    /// Its queue.
    pub to_queue: QueueSpec,
    /// The team that the receiving one stands in for, and why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instead_of: Option<InsteadOf>,
    /// Of a route: a case that leaves its first team within so long was badly routed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub weak_triage_within: Option<SignedDuration>,
    /// The kind of reason; none for a route.
    pub trigger: Option<Trigger>,
    /// Why, rendered.
    pub reason: String,
    /// What skill or authority is needed.
    pub needs: Option<String>,
    /// Other rules that matched and agree on the target.
    pub also: Vec<RuleName>,
    /// The agent whose request it carries out, in words, as the desk knows them, and what they said.
    #[serde(default)]
    pub asked: Option<AskedFor>,
    /// The facts that the rule's conditions looked at, by name, as text.
    pub facts: Vec<(String, String)>,
    /// Hash of those facts.
    pub facts_hash: String,
    /// 1: what travels. A route carries none.
    pub package: Option<Package>,
    /// 2: who owns it.
    pub owner: OwnerPlan,
    /// 3: what the clocks do.
    pub clock: ClockPlan,
    /// 4: what the customer is told.
    pub customer: CustomerPlan,
    /// How long it waits for a person's yes or no, where one is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub review: Option<ReviewPlan>,
    /// The handoff that nobody took on, where this one happens because of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub chained: Option<Chained>,
    /// Who is told of it outside the helpdesk.
    #[serde(default, skip_serializing_if = "AlertPlan::is_empty")]
    pub alert: AlertPlan,
    /// When the case was opened, for its total age in the note.
    pub opened_at: Option<Timestamp>,
    /// When this was decided.
    pub decided_at: Timestamp,
    /// The case's nearest clock, else the verdict and 15 minutes.
    pub deadline: Timestamp,
}

impl Proposal {
    /// Required parts that its package lacks.
    pub fn missing(&self) -> &[PackagePart] {
        self.package.as_ref().map_or(&[], |package| &package.missing)
    }

    /// Who had the case before anybody was to take it on; none: no team of ours.
    pub fn giver(&self) -> Option<Giver> {
        match &self.chained {
            Some(chained) => chained.giver.clone(),
            None => Some(Giver {
                team: self.from.clone()?,
                queue: self.from_queue.clone(),
                owner: self.owner.previous.clone(),
                owner_id: self.owner.previous_id.clone(),
            }),
        }
    }

    /// As seen from whoever it was first taken from. What is handed back or rejected goes to them, and not to a team that has
    /// never taken it on.
    #[must_use]
    pub fn from_its_giver(&self) -> Proposal {
        let Some(Giver { team, queue, owner, owner_id }) = self.giver() else { return self.clone() };
        let owner = OwnerPlan { previous: owner, previous_id: owner_id, ..self.owner.clone() };
        Proposal { from: Some(team), from_queue: queue, owner, ..self.clone() }
    }

    /// The team that answers for the clocks. The giving side stays who it was, whoever the case was taken from because nobody
    /// took it on there.
    pub fn accountable(&self) -> Option<&TeamName> {
        match (self.clock.accountable, &self.chained) {
            (Accountable::To, _) => Some(&self.to),
            (Accountable::From, Some(chained)) => chained.giver.as_ref().map(|giver| &giver.team),
            (Accountable::From, None) => self.from.as_ref(),
        }
    }

    /// After a person's yes: what they saw travels; what counts from now (owner, clocks, promises, deadlines) is this one's.
    #[must_use]
    pub fn as_reviewed(self, reviewed: &Proposal) -> Self {
        let Proposal { package, reason, review, .. } = reviewed.clone();
        Self { package, reason, review, ..self }
    }
}

/// Whose request a handoff carries out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AskedFor {
    /// The agent, in words.
    pub by: String,
    /// The agent as the desk knows them.
    pub by_id: Option<UserId>,
    /// Their mail address, where the desk told it.
    #[serde(default)]
    pub by_email: Option<String>,
    /// What they said.
    pub reason: String,
    /// The id of their command.
    pub command: String,
}

/// Routing, escalation or the way back: recorded as what it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HandoffKind {
    /// To its first team.
    Route,
    /// To the next team.
    Escalate,
    /// Back to the giving team, done.
    Back,
    /// To the team that the case was first taken from: nobody of the receiving team has claimed it.
    Unclaimed,
}

impl HandoffKind {
    /// Its word: in SQL and in lists.
    pub fn name(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Escalate => "escalate",
            Self::Back => "back",
            Self::Unclaimed => "unclaimed",
        }
    }
}

/// The context that travels.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Package {
    /// The parts in the order of the note. A part without lines is missing.
    pub parts: Vec<PackageSection>,
    /// Required parts that are missing.
    pub missing: Vec<PackagePart>,
    /// How many parts the rule requires.
    #[serde(default)]
    pub required: usize,
    /// What is unknown, in words.
    pub unknown: Vec<String>,
}

impl Package {
    /// The lines of a part; none where it is missing.
    pub fn lines(&self, part: PackagePart) -> &[String] {
        self.parts
            .iter()
            .find(|section| section.part == part)
            .map(|section| section.lines.as_slice())
            .unwrap_or_default()
    }

    /// The share of the required parts that is there, from 0 to 1.
    pub fn completeness(&self) -> f64 {
        if self.required == 0 {
            return 1.0;
        }
        (self.required.saturating_sub(self.missing.len())) as f64 / self.required as f64
    }
}

/// One part of the package with its origin.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PackageSection {
    /// Which part.
    pub part: PackagePart,
    /// At most five lines; where there are more, the last one says how many.
    pub lines: Vec<String>,
    /// Where it came from: "field steps", "conversation".
    pub source: String,
}

/// Who owns the case afterwards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OwnerPlan {
    /// Whom to set.
    pub set: OwnerSpec,
    /// In words: "the queue Billing", "billing-lead".
    pub shown: String,
    /// Why it is not whom the policy names first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// The choice among the team's members, where there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<Turn>,
    /// The version of the snapshot of members that it rests on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub roster: Option<String>,
    /// The previous agent, in words, where known.
    pub previous: Option<String>,
    /// The previous agent as the desk knows them, to put them back.
    #[serde(default)]
    pub previous_id: Option<UserId>,
    /// What the previous agent still does, in words; none: nothing.
    pub previous_task: Option<String>,
    /// Until when, in the giving team's hours.
    pub previous_until: Option<Due>,
    /// Who talks to the customer.
    pub customer_facing: CustomerFacing,
    /// Who follows the ticket because they go on talking to the customer, where the desk has followers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follower: Option<UserId>,
    /// How long the receiving team has to take it on, and what happens then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub claim: Option<ClaimPlan>,
}

/// How long the receiving team has to take a case on, and who is asked then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClaimPlan {
    /// How long, from the handoff and again from each further step, in the team's hours.
    pub within: Wait,
    /// Until when, counted from the decision; the team has the whole time from when it was carried out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Due>,
    /// Who is asked next, one after the other.
    pub chain: Vec<Unclaimed>,
}

/// What a handoff goes back to that happens because nobody took an earlier one on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chained {
    /// The handoff that nobody took on.
    pub of: String,
    /// The team that the case was first taken from.
    pub giver: Option<Giver>,
    /// The agent who had it there, as the desk knows them: what they do is no claim.
    #[serde(default)]
    pub previous_id: Option<UserId>,
    /// Why it was escalated, before anybody was waited for.
    pub first_reason: String,
}

/// Who had a case before it was handed on from team to team.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Giver {
    /// The team.
    pub team: TeamName,
    /// The queue that the case lay in.
    pub queue: Option<QueueRef>,
    /// The agent who had it, in words, where known.
    pub owner: Option<String>,
    /// The agent as the desk knows them.
    pub owner_id: Option<UserId>,
}

/// A choice among a team's members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// Who was taken.
    pub taken: UserId,
    /// The handoff of the choice before it, which it builds on.
    pub after: Option<String>,
}

impl OwnerPlan {
    /// The receiving team's queue, and nothing more to say.
    pub fn queue(shown: String) -> Self {
        Self {
            set: OwnerSpec::Nobody,
            shown,
            fallback: None,
            turn: None,
            roster: None,
            previous: None,
            previous_id: None,
            previous_task: None,
            previous_until: None,
            customer_facing: CustomerFacing::New,
            follower: None,
            claim: None,
        }
    }
}

/// What the clocks do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockPlan {
    /// The receiving team's own target, with its working.
    pub internal_until: Option<Due>,
    /// From when on it counts.
    #[serde(default)]
    pub internal_from: InternalFrom,
    /// The customer's clock that runs out next, else the one that ran out, by name, as far as clocks were read.
    pub customer_until: Option<(String, Due)>,
    /// The pause of the customer's clock that the handoff begins.
    #[serde(default)]
    pub pause: Option<PausePlan>,
    /// A pause that an earlier handoff began and that goes on, at the latest until then.
    #[serde(default)]
    pub paused_until: Option<Due>,
    /// Which side answers.
    pub accountable: Accountable,
}

impl ClockPlan {
    /// The customer's clock, where it has not run out by this instant.
    pub fn customer_runs_until(&self, now: Timestamp) -> Option<&(String, Due)> {
        self.customer_until.as_ref().filter(|(_, due)| due.at > now)
    }

    /// The customer's clock runs on, and the receiving team, which answers for it, has no target of its own.
    pub fn runs_on() -> Self {
        Self {
            internal_until: None,
            internal_from: InternalFrom::Handoff,
            customer_until: None,
            pause: None,
            paused_until: None,
            accountable: Accountable::To,
        }
    }
}

/// A pause of the customer's clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PausePlan {
    /// The desk's word for the status that stops it.
    pub status: String,
    /// The status of the ticket as decided on, which it takes the place of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Status>,
    /// When it ends at the latest.
    pub until: Due,
}

/// What the customer is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CustomerPlan {
    /// This message, if its wording is signed when it is planned.
    Tell {
        /// Which message.
        message: MessageName,
        /// Hash of its wordings: what must be signed.
        wording_hash: String,
        /// Its text, rendered in the customer's language.
        text: String,
    },
    /// Nothing.
    Nothing {
        /// Why, in words: the policy's reason, or what held the message back.
        because: String,
    },
}
