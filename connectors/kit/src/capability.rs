//! What a desk can do, declared by its connector with the date and sheet it was read from. The planner reads it, the
//! conformance suite tests each declared ability, and the documentation's table is printed from it.

use crate::desk::StatusSpec;
use crate::id::StreamName;
use crate::model::Status;
use std::time::Duration;

/// One thing that an update can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aspect {
    /// An internal note.
    Note,
    /// The queue.
    Queue,
    /// The owner.
    Owner,
    /// The priority.
    Priority,
    /// The status: only the words of [`Capabilities::pausing`].
    Status,
    /// Custom fields.
    Fields,
}

/// A status that stops the customer's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pausing {
    /// The desk's word for it, as the configuration writes it.
    pub word: &'static str,
    /// What it is in the common model.
    pub means: Status,
    /// The desk's word for the status that lets the clock run again.
    pub resumes: &'static str,
    /// What that is in the common model.
    pub resumed: Status,
    /// Other statuses that a ticket may have had before and can be given again, with the desk's words.
    pub back: &'static [(Status, &'static str)],
}

impl Pausing {
    /// What stops the clock.
    pub fn stops(&self) -> StatusSpec {
        StatusSpec { word: self.word.to_owned(), means: self.means }
    }

    /// What ends the pause: the status of before, where the desk lets a ticket have it again.
    pub fn ends(&self, before: Option<Status>) -> StatusSpec {
        let again = self.back.iter().find(|(status, _)| Some(*status) == before);
        let (means, word) = again.copied().unwrap_or((self.resumed, self.resumes));
        StatusSpec { word: word.to_owned(), means }
    }
}

/// How a write is kept from covering somebody else's change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// The desk compares versions itself; two changes within `grain` may slip through.
    Conditional {
        /// The version's precision.
        grain: Duration,
    },
    /// The desk compares, but with a gap between comparing and writing: read the history afterwards.
    Leaky,
    /// The desk does not compare, the connector reads and compares right before it writes. What happens in between stays
    /// unseen, unless the desk keeps a history that tells afterwards.
    Compared,
    /// The desk does not compare: read before and after.
    None,
}

/// How webhooks of this desk are trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WebhookTrust {
    /// Signed over the raw body, with a time stamp.
    Signed,
    /// Signed over the raw body, in which a time stands: what is older than a day is refused, and within it one could be played
    /// again, so it is a hint and nothing more.
    SignedDated,
    /// Signed over the raw body alone: an old one could be played again, so it is a hint and nothing more.
    SignedUndated,
    /// A secret in the address: a hint and nothing more.
    SecretPath,
    /// A secret in a header: the same, and it stands in no log of addresses.
    SecretHeader,
    /// The desk sends none.
    None,
}

/// What a note's body is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoteFormat {
    /// HTML; text is escaped when sent.
    Html,
    /// Plain text.
    Text,
}

/// A limit that the vendor publishes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeclaredLimit {
    /// Which calls share it: one of the connector's endpoint names, or `"account"` for all.
    pub endpoint: &'static str,
    /// How many calls.
    pub calls: u32,
    /// In how long.
    pub per: Duration,
    /// Counted for each ticket alone.
    pub per_ticket: bool,
}

/// One change stream of a desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stream {
    /// Its name, under which its cursor is stored.
    pub name: StreamName,
    /// How far each read reaches back over the last one.
    pub overlap: Duration,
    /// How late a change may appear in it.
    pub lag: Duration,
    /// Whether its pages carry whole heads: then a poll verifies a handoff and no call of its own is needed.
    pub carries_heads: bool,
}

/// What a desk tells about the people of a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Roster {
    /// Nothing.
    None,
    /// Who they are.
    Members,
    /// Who they are, and how many open tickets each of them owns there.
    WithLoad,
}

/// What the vendor's ids look like, where a configuration writes one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdForm {
    /// Digits alone.
    Number,
    /// Any text.
    Text,
}

impl IdForm {
    /// Whether a text could be one.
    pub fn fits(self, text: &str) -> bool {
        match self {
            Self::Number => !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()),
            Self::Text => !text.trim().is_empty(),
        }
    }
}

/// What a desk can do.
#[derive(Clone, Debug)]
pub struct Capabilities {
    /// The connector's name in the configuration.
    pub connector: &'static str,
    /// What a user's id looks like.
    pub user_id: IdForm,
    /// What a queue's id looks like.
    pub queue_id: IdForm,
    /// What one call can set together. Anything else is one call each, the note first.
    pub together: &'static [Aspect],
    /// What the desk shows and nobody can set through it: the planner must not ask for it.
    pub fixed: &'static [Aspect],
    /// How writes are guarded.
    pub guard: Guard,
    /// Whether the history says who changed what.
    pub readable_history: bool,
    /// Whether the desk gives its SLA clocks.
    pub sla_clocks: bool,
    /// Statuses that stop the customer's clock, with what lets it run again. Empty: a handoff cannot pause it here.
    pub pausing: &'static [Pausing],
    /// Whether the desk lists a customer's tickets in one call.
    pub customers_tickets: bool,
    /// Whether a conversation tells mail that a machine wrote from mail that a person wrote.
    pub machine_mail: bool,
    /// Whether tags can be added and removed without touching the others.
    pub race_free_tags: bool,
    /// What it tells about the people of a queue.
    pub roster: Roster,
    /// Whether a colleague can be made to follow a ticket without touching its other followers.
    pub followers: bool,
    /// Whether an effect's mark can be looked up after a lost answer.
    pub can_find: bool,
    /// How long a write may arrive late; "not found" before that proves nothing.
    pub settle_time: Duration,
    /// How webhooks are trusted.
    pub webhook: WebhookTrust,
    /// What notes are written in.
    pub note_format: NoteFormat,
    /// The largest note in bytes of its final form; longer ones are cut visibly.
    pub note_max_bytes: usize,
    /// The change streams.
    pub streams: Vec<Stream>,
    /// The vendor's limits.
    pub limits: Vec<DeclaredLimit>,
    /// The rights that the login needs, in the vendor's words.
    pub rights: &'static [&'static str],
    /// When and where these facts were read.
    pub checked: &'static str,
}

impl Capabilities {
    /// The pausing status that the configuration names by the desk's word.
    pub fn pausing(&self, word: &str) -> Option<&'static Pausing> {
        self.pausing.iter().find(|pausing| pausing.word == word)
    }

    /// Whether one call can set both.
    pub fn sets_together(&self, one: Aspect, other: Aspect) -> bool {
        self.together.contains(&one) && self.together.contains(&other)
    }
}
