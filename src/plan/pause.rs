//! A pause of the customer's clock: the status that stops it, set with the handoff; and what ends it at its longest. Pure.

use super::PlannedEffect;
use super::effects::numbered;
use super::note::marked;
use crate::policy::proposal::Proposal;
use handoffd_kit::capability::{Aspect, Capabilities, Pausing};
use handoffd_kit::desk::{DeskChange, StatusSpec, Update, Write};
use handoffd_kit::mark::Mark;
use handoffd_kit::model::{Status, TicketHead};
use jiff::Timestamp;
use std::ops::Range;

/// What ends a pause counts from here, apart from the handoff's own effects.
pub(super) const RESUME: u32 = 120;
/// The numbers of what ends a pause.
pub const NUMBERS: Range<u32> = RESUME..RESUME + 10;

/// What becomes of a pause that a proposal plans.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Pause {
    /// It plans none.
    None,
    /// The status is set.
    Set(&'static Pausing),
    /// The ticket has that status already, and not by this handoff: it is nobody's to end but theirs who set it.
    Already(String),
    /// The desk has no such status.
    Unsupported(String),
}

/// What becomes of the pause of a proposal on the ticket as just read.
pub fn planned(proposal: &Proposal, capabilities: &Capabilities, head: &TicketHead) -> Pause {
    let Some(pause) = &proposal.clock.pause else { return Pause::None };
    match capabilities.pausing(&pause.status) {
        None => Pause::Unsupported(pause.status.clone()),
        Some(pausing) if head.status.known() == Some(&pausing.means) => Pause::Already(pause.status.clone()),
        Some(pausing) => Pause::Set(pausing),
    }
}

impl Pause {
    /// The status to set.
    pub fn status(&self) -> Option<StatusSpec> {
        match self {
            Self::Set(pausing) => Some(pausing.stops()),
            Self::None | Self::Already(_) | Self::Unsupported(_) => None,
        }
    }

    /// What colleagues read of the customer's clock; none: it runs on.
    pub fn told(&self, proposal: &Proposal) -> Option<String> {
        let until = proposal.clock.pause.as_ref().map(|pause| pause.until.told()).unwrap_or_default();
        match self {
            Self::Set(pausing) => {
                Some(format!("the customer's stands still ({}), at the latest until {until}", pausing.word))
            }
            Self::Already(word) => Some(format!("the customer's stands still already ({word}, set before)")),
            Self::Unsupported(word) => Some(format!("the customer's runs on: this desk has no status {word}")),
            Self::None => proposal.clock.paused_until.as_ref().map(|until| {
                format!("the customer's stands still since an earlier handoff, at the latest until {}", until.told())
            }),
        }
    }
}

/// Why a pause is ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It has lasted as long as the policy lets it.
    Longest,
    /// The case was given back: what it stood still for is done.
    GivenBack,
}

/// A pause that is ended.
pub struct Ended<'a> {
    /// The mark of the handoff that began it.
    pub mark: &'a Mark,
    /// The status that it was begun with.
    pub pausing: &'a Pausing,
    /// The status that it took the place of, where that was known.
    pub before: Option<Status>,
    /// Since when.
    pub since: Timestamp,
    /// Why.
    pub why: Why,
}

/// The effects that let the customer's clock run again: the status first, then the note that says so.
pub fn resume(ended: &Ended<'_>, head: &TicketHead, now: Timestamp, capabilities: &Capabilities) -> Vec<PlannedEffect> {
    let Ended { mark, pausing, before, since, why } = ended;
    let status = pausing.ends(*before);
    let mark = Mark { number: RESUME, ..(*mark).clone() };
    let why = match why {
        Why::Longest => "which is as long as the policy lets it",
        Why::GivenBack => "until the case was given back",
    };
    let text = format!(
        "The customer's clock runs again: it stood still ({}) since {}, {why}.\n\
         The status is {} again; nothing else was changed.",
        pausing.word,
        since.strftime("%Y-%m-%d %H:%M UTC"),
        status.word
    );
    let like = Write {
        ticket: head.id.clone(),
        change: DeskChange::Update(Update::default()),
        mark: mark.clone(),
        expected: None,
        decided_on: None,
        first_tried: None,
        deadline: now,
    };
    let status = Update { status: Some(status), ..Update::default() };
    let together = capabilities.sets_together(Aspect::Note, Aspect::Status);
    // Each note carries the mark of its own effect.
    let number = if together { RESUME } else { RESUME + 1 };
    let note = marked(&text, &Mark { number, ..mark }, capabilities.note_max_bytes);
    let updates = match together {
        true => vec![Update { note: Some(note), ..status }],
        false => vec![status, Update { note: Some(note), ..Update::default() }],
    };
    let label = "the customer's clock runs again".to_owned();
    numbered(
        updates.into_iter().map(|update| (label.clone(), DeskChange::Update(update))).collect(),
        RESUME,
        &like,
        head,
    )
}
