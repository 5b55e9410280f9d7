//! The helpdesk's other rules: triggers and automations of the site's own, which act on what somebody changed. They
//! exist to contest handoffd's writes and to prove that it does not fight over them.

use crate::change::Update;
use crate::ids::{PersonNo, QueueNo};
use crate::ticket::{Change, Ticket, What};
use jiff::SignedDuration;

/// One of the site's own rules.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Its name, as the history shows it.
    pub name: String,
    /// What sets it off.
    pub when: When,
    /// What it does.
    pub then: Update,
    /// When it does it.
    pub timing: Timing,
}

/// When a rule acts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timing {
    /// Within the change that set it off, as triggers do.
    Within,
    /// As a change of its own, this much later, as automations and other programs do.
    After(SignedDuration),
}

/// What sets a rule off: all that is set must hold. Rules never set off rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct When {
    /// The change was made by this person.
    pub by: Option<PersonNo>,
    /// The ticket now lies in this queue.
    pub queue: Option<QueueNo>,
    /// The ticket now has this label.
    pub tag: Option<String>,
    /// The change did this, in the words of [`What::name`].
    pub did: Option<&'static str>,
}

impl When {
    /// Whether this change of this ticket sets the rule off.
    pub fn holds(&self, ticket: &Ticket, change: &Change) -> bool {
        let did = |name: &str| change.events.iter().any(|event| What::name(&event.what) == name);
        self.by.is_none_or(|by| change.by == by)
            && self.queue.is_none_or(|queue| ticket.queue == Some(queue))
            && self.tag.as_ref().is_none_or(|tag| ticket.tags.contains(tag))
            && self.did.is_none_or(did)
    }
}
