//! All that one finished look found and decided, recorded in one transaction.

use super::{AsRead, ClaimWait, HandoffHappening, LostNote, NewHandoff, OwnerSeen, PauseUpdate, StayChange, TaskOver};
use crate::ledger::commands::{Deed, Heard};
use crate::plan::PlannedEffect;
use crate::policy::alert::AlertPlan;
use crate::policy::case::{ClosedPath, ToldElsewhere};
use crate::policy::names::RuleName;
use crate::policy::proposal::Proposal;
use crate::policy::rules::Limits;
use crate::policy::verdict::{Risk, Verdict};
use handoffd_kit::id::{DeskId, TicketId, UserId, Version};
use jiff::Timestamp;

/// An asking that is over. What says so on the ticket is planned by what has been written there by then: delivery goes on
/// while a case is looked at.
#[derive(Clone, Debug)]
pub struct AskingOver {
    /// Which handoff asked.
    pub handoff: String,
    /// Why nothing is handed off after all; none where it goes on.
    pub why: Option<String>,
    /// The largest note that the desk takes, in bytes.
    pub note_max_bytes: usize,
}

/// Whether a look could see its ticket. Of one that cannot be seen nobody is waited for, nobody is missed, and nobody owes it
/// anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sight {
    /// Yes.
    #[default]
    Seen,
    /// No, and it may come into sight again: a right is missing.
    Hidden,
    /// It is no more: the case is over.
    Gone,
}

/// All that one finished look records, in one transaction.
#[derive(Clone, Debug)]
pub struct CaseUpdate {
    /// Which desk.
    pub desk: DeskId,
    /// Which ticket.
    pub ticket: TicketId,
    /// The generation of the look that was worked; cleared if no newer one arrived. `None`: no look (a command).
    pub generation: Option<i64>,
    /// The version that was looked at.
    pub version: Option<Version>,
    /// The raw head, kept compressed for the retention time; empty: not kept.
    pub raw: String,
    /// Who asks for help, as the desk knows them; none: it does not say. By this their text is found when it is to be erased.
    pub customer: Option<UserId>,
    /// What they were told in other cases, as the look knew it.
    pub told_elsewhere: Option<ToldElsewhere>,
    /// When.
    pub at: Timestamp,
    /// Whether the case counts from now on (something changed on it since `start`).
    pub counts: bool,
    /// Stays that the ledger did not know, oldest first; mostly none or one, two where a case came and went between looks.
    pub stays: Vec<StayChange>,
    /// What happened to earlier handoffs.
    pub handoff_events: Vec<HandoffHappening>,
    /// Paths that are closed from now on.
    pub close_paths: Vec<ClosedPath>,
    /// Facts of closed paths, as this look was the first one to see them.
    pub path_facts: Vec<ClosedPath>,
    /// What was decided, if anything was.
    pub verdict: Option<Verdict>,
    /// Rules that match now without being allowed to act (shadow); those that no longer do are forgotten.
    pub would: Vec<Proposal>,
    /// A new or refreshed handoff.
    pub handoff: Option<NewHandoff>,
    /// A handoff that no longer asks for package parts, which the ticket is to say.
    pub asking_over: Option<AskingOver>,
    /// Whether the ticket says that somebody is asked, and can be written to.
    pub says_asked: bool,
    /// What was found about a pause of the customer's clock.
    pub pause: Option<PauseUpdate>,
    /// Look again then, if nothing happens before.
    pub look_again: Option<Timestamp>,
    /// The rule that would act if the hour had a place left: the case waits for one.
    pub over_limit: Option<RuleName>,
    /// The bounds that hold now.
    pub limits: Limits,
    /// What agents ordered inside the helpdesk.
    pub heard: Heard,
    /// Who owns it, where the desk says so.
    pub owner: Option<OwnerSeen>,
    /// How the wait for a claim stands.
    pub claim: Option<ClaimWait>,
    /// The ticket says, or is to say, that its owner is gone.
    pub lost_note: Option<LostNote>,
    /// Whether the ticket can be seen.
    pub sight: Sight,
    /// A reminder of a review that waits for its answer.
    pub remind: Option<(String, PlannedEffect)>,
    /// What becomes of a review that nobody has answered in time.
    pub unanswered: Option<Deed>,
    /// A review that offers another team from now on.
    pub offers_more: Option<OffersMore>,
    /// Tasks of agents before that are over.
    pub tasks_over: Vec<TaskOver>,
    /// The case's handoff as it stood when the look began; none: it was read in this very transaction.
    pub as_read: Option<AsRead>,
    /// The version of the policy that it was decided by; none: by none.
    pub policy: Option<String>,
}

/// A rule wants another team in a case about which a person is being asked: they may choose it.
#[derive(Clone, Debug, PartialEq)]
pub struct OffersMore {
    /// The review.
    pub handoff: String,
    /// Why a person is asked from now on.
    pub risks: Vec<Risk>,
    /// Who is told of it.
    pub alert: AlertPlan,
}

impl CaseUpdate {
    /// A look at this instant that has found nothing yet: all else is for whoever found it.
    pub fn nothing(desk: DeskId, ticket: TicketId, counts: bool, limits: Limits, at: Timestamp) -> Self {
        Self {
            desk,
            ticket,
            generation: None,
            version: None,
            raw: String::new(),
            customer: None,
            told_elsewhere: None,
            at,
            counts,
            stays: Vec::new(),
            handoff_events: Vec::new(),
            close_paths: Vec::new(),
            path_facts: Vec::new(),
            verdict: None,
            would: Vec::new(),
            handoff: None,
            asking_over: None,
            says_asked: false,
            pause: None,
            look_again: None,
            over_limit: None,
            limits,
            heard: Heard::default(),
            owner: None,
            claim: None,
            lost_note: None,
            sight: Sight::Seen,
            remind: None,
            unanswered: None,
            offers_more: None,
            tasks_over: Vec::new(),
            as_read: None,
            policy: None,
        }
    }
}
