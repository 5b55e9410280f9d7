//! What goes into the ledger and comes out of it, in the domain's words.

mod alert;
mod case_update;
mod ownership;
mod purpose;

pub use alert::*;
pub use case_update::{AskingOver, CaseUpdate, OffersMore, Sight};
pub use ownership::*;
pub use purpose::Purpose;

use super::commands::HeardBefore;
pub use super::record::AsRead;
use super::states::{EffectEvent, EffectState, HandoffEvent, HandoffState};
use crate::plan::{self, PlannedEffect};
use crate::policy::case::{ClosedBy, Memory, Stay};
use crate::policy::command::Rating;
use crate::policy::names::{RuleName, TeamName};
use crate::policy::proposal::Proposal;
use crate::policy::rules::Limits;
use crate::policy::verdict::Risk;
use handoffd_kit::desk::{Cursor, DeskChange, Receipt, StatusSpec, Write};
use handoffd_kit::error::{DeskError, DeskErrorKind};
use handoffd_kit::id::{DeskId, StreamName, TicketId, Version};
use handoffd_kit::mark::Mark;
use handoffd_kit::model::{Status, TicketHead};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// "This ticket must be looked at again." One row per (desk, ticket), coalesced, with a generation.
#[derive(Clone, Debug, PartialEq)]
pub struct Look {
    /// Which desk.
    pub desk: DeskId,
    /// Which ticket.
    pub ticket: TicketId,
    /// Not before.
    pub due: Timestamp,
    /// Finishing clears the look only if no newer one arrived: the generation it took.
    pub generation: i64,
    /// The head that a poll page brought, with the instant it was read, if nothing newer is known to have happened.
    pub head: Option<(Box<TicketHead>, Timestamp)>,
    /// When a webhook last said that somebody else than us has changed the ticket.
    pub others_at: Option<Timestamp>,
}

/// A new look to note.
#[derive(Clone, Debug, PartialEq)]
pub struct NewLook {
    /// Which ticket.
    pub ticket: TicketId,
    /// Not before.
    pub due: Timestamp,
    /// The head that a poll page brought, with the instant it was read.
    pub head: Option<(Box<TicketHead>, Timestamp)>,
}

/// A page of a change stream, stored with its cursor in one transaction.
#[derive(Clone, Debug)]
pub struct PolledPage {
    /// Which desk.
    pub desk: DeskId,
    /// Which stream.
    pub stream: StreamName,
    /// Where to go on.
    pub next: Cursor,
    /// What to look at.
    pub looks: Vec<NewLook>,
    /// When it was read.
    pub at: Timestamp,
}

/// A verified webhook, stored before it is answered.
#[derive(Clone, Debug)]
pub struct ReceivedWebhook {
    /// Which desk.
    pub desk: DeskId,
    /// The vendor's id of the delivery, where it has one.
    pub delivery: Option<String>,
    /// Hash of the body, for examination once the body itself is gone.
    pub body_hash: String,
    /// The body as it came.
    pub body: Vec<u8>,
    /// Tickets to look at.
    pub looks: Vec<NewLook>,
    /// Tickets among them that somebody else than us has changed, for certain.
    pub others: Vec<TicketId>,
    /// When it arrived.
    pub at: Timestamp,
}

/// Whether a webhook was new.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Freshness {
    /// Stored, with its looks.
    New,
    /// Known already; nothing was done.
    Known,
}

/// What the ledger knows of a case.
#[derive(Clone, Debug, PartialEq)]
pub struct CaseRecord {
    /// What `decide` needs.
    pub memory: Memory,
    /// The latest handoff that has not ended in failure: under way, verifying or settled; for what comes after.
    pub handoff: Option<HandoffRecord>,
    /// The handoff that brought the case where it is, as far as it stands.
    pub came_by: Option<Box<HandoffRecord>>,
    /// The pause of the customer's clock that we began and that goes on.
    pub pause: Option<PauseRecord>,
    /// Whether a handoff that has ended, undone or rejected, took the case away from the present stay: where it lies there
    /// again, it is another stay, whoever saw it leave.
    pub taken_away: bool,
    /// Whether writes of ours to this ticket are on their way; told only where a path is closed for it.
    pub writes_pending: bool,
    /// How far its history was read for commands.
    pub heard: HeardBefore,
    /// The version of the ticket at the last finished look.
    pub last_version: Option<Version>,
    /// The version right after our own last write, to recognise it.
    pub own_version: Option<Version>,
    /// When the answer to our own last write came.
    pub own_written_at: Option<Timestamp>,
    /// How many handoffs of this case have ended, by rule and episode: the next one of the same gets a new key.
    pub ended: Vec<(RuleName, String, u32)>,
    /// The ids of all its handoffs: what the desk shows of others was done before the ledger was restored, or begun anew.
    pub known: BTreeSet<String>,
    /// Rules that went live since this case was last looked at.
    pub arrived: Vec<RuleName>,
    /// When the ledger first met this ticket.
    pub first_seen: Option<Timestamp>,
    /// Since when the case is over, as far as the last look saw; one that is open now was opened again.
    pub ended_at: Option<Timestamp>,
    /// Who owned it last; none: no look has told.
    pub owner: Option<OwnerKnown>,
    /// The latest handoff that a person's act stopped after it had moved the case, as long as its receiving stay is not over.
    pub stopped: Option<Box<HandoffRecord>>,
    /// What is still left with agents before.
    pub tasks: Vec<TaskRecord>,
}

impl CaseRecord {
    /// How many handoffs of this rule in this episode have ended.
    pub fn ended(&self, rule: &RuleName, episode: &str) -> u32 {
        let same = |(one, other, _): &&(RuleName, String, u32)| one == rule && other == episode;
        self.ended.iter().find(same).map_or(0, |(_, _, count)| *count)
    }
}

/// A pause of the customer's clock that we began.
#[derive(Clone, Debug, PartialEq)]
pub struct PauseRecord {
    /// The handoff that began it, with the words of its marks.
    pub mark: Mark,
    /// The desk's word for the status.
    pub word: String,
    /// What that is in the common model.
    pub means: Status,
    /// The status that it took the place of, where that was known.
    pub before: Option<Status>,
    /// When it began.
    pub since: Timestamp,
    /// When it ends at the latest.
    pub until: Timestamp,
}

/// What a look found about a pause.
#[derive(Clone, Debug, PartialEq)]
pub enum PauseUpdate {
    /// It is over without us.
    Over {
        /// The handoff that began it.
        handoff: String,
        /// Why, for people.
        why: String,
    },
    /// It is as long as it may be: these effects end it.
    Resume {
        /// The handoff that began it.
        handoff: String,
        /// What ends it.
        effects: Vec<PlannedEffect>,
    },
}

/// A handoff as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct HandoffRecord {
    /// Its id.
    pub id: String,
    /// Where it stands.
    pub state: HandoffState,
    /// What it is.
    pub proposal: Proposal,
    /// Why it stands there, for people.
    pub detail: Option<String>,
    /// Why a person is or was asked.
    pub risks: Vec<Risk>,
    /// Of a route: when the case left its first team too soon, and for which.
    pub weak_triage: Option<(Timestamp, TeamName)>,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When the last effect was done.
    pub sent_at: Option<Timestamp>,
    /// When it is compared again.
    pub verify_at: Option<Timestamp>,
    /// When a member of the receiving team first acted, and who.
    pub claimed: Option<(Timestamp, String)>,
    /// Who approved it, with the system user.
    pub approved_by: Option<String>,
    /// When they did, and why, if they said so.
    pub approved: Option<(Timestamp, Option<String>)>,
    /// How long it waits, or waited, for package parts that the current agent was asked for.
    pub ask_until: Option<Timestamp>,
    /// The share of the required package parts that is there; none for a route.
    pub completeness: Option<f64>,
    /// Its effects in order.
    pub effects: Vec<EffectRecord>,
    /// How often a conflict made us decide it anew.
    pub redecided: u32,
    /// Until when a member of the receiving team should have acted, as far as that is waited for.
    pub claim_due: Option<Timestamp>,
    /// How many steps were taken because nobody did.
    pub unclaimed_steps: u32,
    /// When the last of them was taken: the time for the next counts from there.
    pub unclaimed_at: Option<Timestamp>,
    /// What the receiving team thinks of its package, if somebody said.
    pub rated: Option<Rated>,
}

impl HandoffRecord {
    /// The yes to it as its note names it, where there is one.
    pub fn yes(&self) -> Option<String> {
        let by = self.approved_by.as_deref()?;
        let Some((at, reason)) = &self.approved else { return Some(by.to_owned()) };
        Some(plan::review::yes(&self.proposal, by, *at, reason.as_deref()))
    }

    /// The status that this handoff stopped the customer's clock with, if it did.
    pub fn paused_by(&self) -> Option<&StatusSpec> {
        let done = |effect: &&EffectRecord| effect.purpose == Purpose::Handoff && effect.state == EffectState::Done;
        self.effects.iter().filter(done).find_map(|effect| match &effect.write.change {
            DeskChange::Update(update) => update.status.as_ref(),
            DeskChange::Reply(_) | DeskChange::Tags { .. } => None,
        })
    }
}

/// What the receiving team thinks of a package.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rated {
    /// How good it was.
    pub rating: Rating,
    /// Who said so.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why, where they said.
    pub reason: Option<String>,
}

/// An effect as stored.
#[derive(Clone, Debug, PartialEq)]
pub struct EffectRecord {
    /// Row id.
    pub id: i64,
    /// Its handoff.
    pub handoff: String,
    /// Which desk.
    pub desk: DeskId,
    /// Number within the handoff.
    pub number: u32,
    /// What it is for.
    pub label: String,
    /// Where it stands.
    pub state: EffectState,
    /// The write.
    pub write: Write,
    /// The outside's proof.
    pub receipt: Option<Receipt>,
    /// The last error or the reason it stands where it stands.
    pub reason: Option<String>,
    /// What a person can do about it.
    pub next_step: Option<String>,
    /// Conflicts so far.
    pub conflicts: u32,
    /// When its last answer was lost: since then it may be on the desk, wherever it stands now.
    pub lost_at: Option<Timestamp>,
    /// Why it was planned.
    pub purpose: Purpose,
}

/// How a finished look was recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// All of it.
    Whole,
    /// All but its handoff: something of that one was sent, or may have been, so it stays as it is.
    HandoffLeft,
    /// Nothing of it: the last place of the hour, or the turn of the owner it chose, was taken since the look began. To be
    /// decided again, as it was read.
    Outrun,
    /// Nothing of it, with the reason: somebody has acted on the handoff since the look began. The look stays noted.
    Overtaken(String),
}

/// A new stay. Where the present stay is with the same team and its episode is provisional (begins with `~`, because no
/// history was read yet), the change *refines* that stay in place: it is the same stay, better known, and no hop.
#[derive(Clone, Debug, PartialEq)]
pub struct StayChange {
    /// The new stay; none: the case is with no team of ours.
    pub stay: Option<Stay>,
    /// The handoff of ours that opened it.
    pub by_handoff: Option<String>,
    /// Who moved it otherwise, in words.
    pub by: Option<String>,
}

/// Something that happened to a handoff.
#[derive(Clone, Debug, PartialEq)]
pub struct HandoffHappening {
    /// Which.
    pub handoff: String,
    /// What; `None`: only the fields below change.
    pub event: Option<HandoffEvent>,
    /// Why, for people.
    pub detail: Option<String>,
    /// A member of the receiving team acted: when, and who.
    pub claimed: Option<(Timestamp, String)>,
    /// Effects that are not wanted any more are dropped; their reason is `detail`.
    pub drop_effects: bool,
    /// A closing note to send, as an effect of this handoff.
    pub closing_note: Option<PlannedEffect>,
}

/// A handoff to store.
#[derive(Clone, Debug)]
pub struct NewHandoff {
    /// Its id; if it exists already with nothing sent, its proposal and effects are refreshed (same keys, new version).
    pub id: String,
    /// What it is.
    pub proposal: Proposal,
    /// `Asking`, `InReview` or `Sending`.
    pub state: HandoffState,
    /// Why a person is asked.
    pub risks: Vec<Risk>,
    /// Its effects; while it asks, those that ask; empty while in review.
    pub effects: Vec<PlannedEffect>,
    /// How long it waits for package parts; only with `Asking`.
    pub ask_until: Option<Timestamp>,
    /// The handoff that this one supersedes: it has sent nothing.
    pub replaces: Option<String>,
    /// Whether it needs a place in the hour; one that a person approved or released needs none.
    pub needs_place: bool,
}

/// What came of an effect's delivery, in one transaction.
#[derive(Clone, Debug)]
pub struct EffectOutcome {
    /// Which effect.
    pub effect: i64,
    /// What happened.
    pub event: EffectEvent,
    /// When.
    pub at: Timestamp,
    /// The outside's proof.
    pub receipt: Option<Receipt>,
    /// The error, or the reason.
    pub reason: Option<String>,
    /// What a person can do.
    pub next_step: Option<String>,
    /// This was a version conflict: counted.
    pub conflict: bool,
    /// What happened to the handoff with it.
    pub handoff: Option<HandoffHappening>,
    /// What closes the path of its handoff, which ends by this, unless the case has moved.
    pub close: Option<ClosedBy>,
    /// Look at the ticket then.
    pub look_at: Option<Timestamp>,
    /// When the handoff is compared again (with `HandoffEvent::Sent`).
    pub verify_at: Option<Timestamp>,
    /// The version that the handoff's next effect expects.
    pub next_expects: Option<Version>,
    /// The desk refused login or rights: its writes stop until that is repaired.
    pub trouble: Option<DeskTrouble>,
    /// What must not happen again, in words: the desk is paused until a person resumes it.
    pub incident: Option<String>,
}

/// A kill switch.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Switch {
    /// Everything.
    All,
    /// One desk.
    Desk(DeskId),
    /// One rule.
    Rule(RuleName),
}

/// A kill switch that is on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SwitchOn {
    /// Which.
    pub switch: Switch,
    /// Who set it.
    pub by: String,
    /// Why.
    pub why: Option<String>,
    /// When.
    pub at: Timestamp,
}

impl SwitchOn {
    /// Who sets a switch where no person did.
    pub const US: &str = "handoffd";
}

/// A person's decision about a review.
#[derive(Clone, Debug)]
pub struct ReviewAnswer {
    /// Which handoff.
    pub handoff: String,
    /// Who, as they named themselves, and the system user.
    pub by: String,
    /// Why.
    pub reason: Option<String>,
    /// When.
    pub at: Timestamp,
    /// On a yes: the effects, planned against the ticket as just read.
    pub effects: Vec<PlannedEffect>,
    /// And what they were planned from: owner and clocks as of now.
    pub proposal: Option<Box<Proposal>>,
    /// The handoff to another of the teams that rules want, which takes the place of the review and is what the yes is about.
    pub chosen: Option<Box<NewHandoff>>,
}

/// A signed wording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedWording {
    /// Which message.
    pub message: String,
    /// Hash of its wordings.
    pub wording: String,
    /// Who signed.
    pub signer: String,
    /// With which system user.
    pub system_user: String,
    /// When.
    pub at: Timestamp,
}

impl SignedWording {
    /// Whether it is about this message in this wording.
    pub fn covers(&self, message: &str, wording: &str) -> bool {
        self.message == message && self.wording == wording
    }
}

/// How a desk is doing, durable so that a restart does not forget a refused login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeskTrouble {
    /// Which desk.
    pub desk: DeskId,
    /// What: "login refused", "right missing: …".
    pub what: String,
    /// What to do about it.
    pub next_step: String,
    /// Since when.
    pub since: Timestamp,
    /// Writes are stopped.
    pub writes_stopped: bool,
}

impl DeskTrouble {
    /// The trouble that a failed read means for its desk as a whole; none where it concerns that call alone.
    pub fn of(desk: &DeskId, error: &DeskError, now: Timestamp) -> Option<Self> {
        let login = error.kind == DeskErrorKind::Unauthorized;
        (login || error.kind == DeskErrorKind::Forbidden).then(|| Self {
            desk: desk.clone(),
            what: error.to_string(),
            next_step: error.next_step.clone().unwrap_or_else(|| "run `handoffd check --online`".into()),
            since: now,
            writes_stopped: login,
        })
    }
}

/// A look that could not be finished.
#[derive(Clone, Debug)]
pub struct FailedLook {
    /// Which desk.
    pub desk: DeskId,
    /// Which ticket.
    pub ticket: TicketId,
    /// The generation of the look.
    pub generation: i64,
    /// What was the matter.
    pub what: String,
    /// What to do about it.
    pub next_step: String,
    /// When.
    pub at: Timestamp,
    /// The bounds that hold now: a place it waited for goes to the next.
    pub limits: Limits,
}

/// A case whose look cannot be finished.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseTrouble {
    /// Which desk.
    pub desk: DeskId,
    /// Which ticket.
    pub ticket: TicketId,
    /// What is the matter.
    pub what: String,
    /// What to do about it.
    pub next_step: String,
    /// Since when.
    pub since: Timestamp,
    /// How often it was tried.
    pub tries: u32,
    /// Stopped until a person acts; else it is tried again by itself.
    pub parked: bool,
}

/// One line of `handoffs list --would`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WouldRecord {
    /// What would be done.
    pub proposal: Proposal,
    /// Since when it matches.
    pub since: Timestamp,
    /// Whether a person released it.
    pub released: bool,
    /// The team it would go to.
    pub to: TeamName,
}

/// What the pipeline has in work or leaves alone: not to be handed out again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Busy {
    /// Cases in work: one thing at a time for each.
    pub cases: BTreeSet<(DeskId, TicketId)>,
    /// Effects in work.
    pub effects: BTreeSet<i64>,
    /// Desks that do not answer now.
    pub desks: Vec<DeskId>,
    /// The desks that are open; nothing is taken for any other. None: for all.
    pub only: Option<BTreeSet<DeskId>>,
    /// Desks that refused us the last times: one look at a time tells whether they still do.
    pub tried: Vec<DeskId>,
    /// The master switch is in shadow: nothing is sent. What may have been written before is looked up all the same.
    pub shadow: bool,
}

/// What a worker does with a claimed effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EffectWork {
    /// Send it: it is in flight now.
    Send,
    /// Look it up: it stays unsure until the answer.
    LookUp,
}

/// An effect that a worker took, with what it must know about its handoff.
#[derive(Clone, Debug, PartialEq)]
pub struct ClaimedEffect {
    /// The effect.
    pub effect: EffectRecord,
    /// What to do.
    pub work: EffectWork,
    /// Which try this is, from 1.
    pub attempt: u32,
    /// No effect of this handoff has been done yet.
    pub first: bool,
    /// No other effect of this handoff is left.
    pub last: bool,
    /// It says how the handoff ended, or that its asking did: what else changed on the ticket does not matter.
    pub ended: bool,
    /// Labels of the effects that come after this one.
    pub left: Vec<String>,
    /// Receipt ids of the handoff's effects that are done.
    pub receipts: Vec<String>,
    /// Names of the facts that the rule matched.
    pub facts: Vec<String>,
    /// When the handoff was decided.
    pub decided_at: Timestamp,
    /// When this effect's last answer was lost: the settle time counts from here.
    pub lost_at: Option<Timestamp>,
}
