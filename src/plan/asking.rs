//! Asking the current agent for the package parts that are missing: one note, and a label to find such cases by. Both are
//! effects of their own, apart from the handoff; when the asking is over the label goes, and where nothing is handed off
//! after all, a second note says so. Pure.

use super::PlannedEffect;
use super::effects::mark;
use super::note::{marked, one_line, spoken};
use crate::policy::command::ASKING;
use crate::policy::package::{Label, Labels, name_of};
use crate::policy::proposal::Proposal;
use crate::policy::rules::{PackagePart, Then};
use handoffd_kit::desk::{DeskChange, Update, Write};
use handoffd_kit::id::Version;
use handoffd_kit::model::TicketHead;
use std::ops::Range;

/// The numbers of the effects, apart from a handoff's own, an undo's and a closing note's.
pub(super) const ASK_NOTE: u32 = 60;
/// Sets the label.
pub const ASK_TAG: u32 = 61;
/// Takes the label back.
pub const END_TAG: u32 = 62;
pub(super) const END_NOTE: u32 = 63;
/// All of them.
pub const NUMBERS: Range<u32> = ASK_NOTE..END_NOTE + 1;

/// Whether an effect of this number asks: it is not wanted any more once nobody is asked.
pub fn asks(number: u32) -> bool {
    matches!(number, ASK_NOTE | ASK_TAG)
}

/// Whether an effect of this number is about asking, so that its mark is no sign of the handoff itself.
pub fn is_about_asking(number: u32) -> bool {
    asks(number) || matches!(number, END_TAG | END_NOTE)
}

/// What an asking is about.
pub struct Asking<'a> {
    /// What is handed off once it is complete.
    pub proposal: &'a Proposal,
    /// The handoff's id.
    pub id: &'a str,
    /// The largest note that the desk takes, in bytes.
    pub note_max_bytes: usize,
}

/// So much every desk takes: for notes that are planned where none is at hand.
pub const SHORT_NOTE_BYTES: usize = 4_000;

/// How an agent can supply what is missing, and for how long.
pub struct How<'a> {
    /// The labels that would be read.
    pub labels: &'a Labels,
    /// Parts that a field of the desk is mapped to.
    pub mapped: &'a [PackagePart],
    /// How long the handoff waits, as the giving team reads it, with its working.
    pub until: String,
    /// What is done then.
    pub then: Then,
}

impl Asking<'_> {
    /// The note that asks, and the label. Both expect the ticket as it was just read.
    pub fn begin(&self, how: &How<'_>, head: &TicketHead, race_free_tags: bool) -> Vec<PlannedEffect> {
        let version = Some(head.version.clone());
        let mut effects = vec![self.note(ASK_NOTE, "note that asks for package parts", &self.text(how), version)];
        // Where labels can only be written all at once, one of ours could cover somebody else's.
        if race_free_tags {
            let change = DeskChange::Tags { add: vec![ASKING.to_owned()], remove: Vec::new() };
            effects.push(self.effect(ASK_TAG, "label: asked for package parts", change, None));
        }
        effects
    }

    /// The end of it. `why`: nothing is handed off now, for this reason.
    pub fn end(&self, labelled: bool, why: Option<&str>) -> Vec<PlannedEffect> {
        let change = DeskChange::Tags { add: Vec::new(), remove: vec![ASKING.to_owned()] };
        let label = labelled.then(|| self.effect(END_TAG, "label: not asked any more", change, None));
        let note = why.map(|why| {
            let text = format!(
                "Nothing more is needed for {}: {}.\nThis handoff (rule {}) is withdrawn; nothing was changed.",
                self.proposal.to,
                spoken(why),
                self.proposal.rule
            );
            self.note(END_NOTE, "note: not asked any more", &text, None)
        });
        label.into_iter().chain(note).collect()
    }

    fn text(&self, how: &How<'_>) -> String {
        let proposal = self.proposal;
        let who = match (&proposal.owner.previous, &proposal.from) {
            (Some(owner), _) => one_line(owner),
            (None, Some(team)) => team.to_string(),
            (None, None) => "whoever works on this".to_owned(),
        };
        let missing: &[PackagePart] = proposal.package.as_ref().map_or(&[], |package| &package.missing);
        let then = match how.then {
            Then::Review => "then a person decides whether it goes without them",
            Then::Send => "then it goes without them, and the gaps are shown",
        };
        let mut lines = vec![
            format!(
                "For {who}: this case is to go to {}, and something that {} needs is missing.",
                proposal.to, proposal.to
            ),
            format!("Why it goes: {} (rule {})", one_line(&proposal.reason), proposal.rule),
            "Missing:".to_owned(),
        ];
        lines.extend(missing.iter().map(|part| supply(*part, how)));
        lines.push(format!("It goes by itself as soon as nothing is missing. It waits until {}; {then}.", how.until));
        lines.join("\n")
    }

    fn note(&self, number: u32, label: &str, text: &str, expected: Option<Version>) -> PlannedEffect {
        let note = marked(text, &self.mark(number), self.note_max_bytes);
        self.effect(number, label, DeskChange::Update(Update { note: Some(note), ..Update::default() }), expected)
    }

    fn effect(&self, number: u32, label: &str, change: DeskChange, expected: Option<Version>) -> PlannedEffect {
        let (ticket, deadline) = (self.proposal.ticket.clone(), self.proposal.deadline);
        let write =
            Write { ticket, change, mark: self.mark(number), expected, decided_on: None, first_tried: None, deadline };
        PlannedEffect { number, label: label.to_owned(), write }
    }

    fn mark(&self, number: u32) -> handoffd_kit::mark::Mark {
        mark(self.id, number, self.proposal.rule.as_str(), &self.proposal.rule_version)
    }
}

/// How one part is supplied. No line begins with a label, so a copy of this note is no answer to it.
fn supply(part: PackagePart, how: &How<'_>) -> String {
    let name = name_of(part);
    let label = how.labels.usual(Label::Part(part));
    let field = if how.mapped.contains(&part) { format!("fill in the field {name}, or ") } else { String::new() };
    let file = if part == PackagePart::Artifacts { ", or attach a file to the ticket" } else { "" };
    format!("- {name}: {field}write “{label}: …” in an internal note{file}")
}
