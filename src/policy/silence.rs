//! Why a customer is told nothing although the rule has a message: it would reach nobody, or somebody too often, or at the
//! wrong moment, or in a wording that nobody signed. Each reason stands in the note and in explanations.
//!
//! Where a desk does not say whether the customer side is a machine, the address decides: only one that is known is written
//! to. An address that is a machine's by its name, or that the policy suppresses, is not written to in any case.

use super::address::{AddressPattern, is_machine};
use super::case::{Case, ToldElsewhere};
use super::facts::is_public_by;
use super::names::TeamName;
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{PartKind, PartSet, Role};
use jiff::{SignedDuration, Timestamp};

/// Why nothing is said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Silence {
    /// The customer side is an autoresponder, a mailing list.
    Machine,
    /// The desk says that a reply does not go out.
    DoesNotReach,
    /// The case has been handed back before: what the customer hears now is for a person to say.
    Bounced,
    /// The receiving team has had the case before.
    BeenThere(TeamName),
    /// We wrote to them lately.
    Lately(Timestamp),
    /// We wrote to them lately in another case of theirs, or are about to.
    ToldElsewhere(ToldElsewhere),
    /// Nobody signed this wording of the message.
    Unsigned(String),
    /// A person wrote to them just now.
    PersonWrote(Timestamp),
    /// Whether a person wrote to them just now could not be read.
    Unread,
    /// The desk does not say who the customer is.
    Nobody,
    /// Nobody reads this address.
    MachineAddress,
    /// The policy suppresses this address.
    Suppressed(String),
}

impl Silence {
    /// In words, for the note.
    pub fn shown(&self) -> String {
        let at = |at: &Timestamp| at.strftime("%Y-%m-%d %H:%M UTC").to_string();
        match self {
            Self::Machine => "the customer side is a machine".into(),
            Self::DoesNotReach => "a reply on this ticket does not reach the customer".into(),
            Self::Bounced => "the case has been handed back before: what they hear now is for a person to say".into(),
            Self::BeenThere(team) => format!("the case has been with {team} before: they need not hear it again"),
            Self::Lately(last) => format!("we wrote to them at {} already", at(last)),
            Self::ToldElsewhere(ToldElsewhere { ticket, at: Some(last) }) => {
                format!("we wrote to them at {} already, on their ticket {ticket}", at(last))
            }
            Self::ToldElsewhere(ToldElsewhere { ticket, at: None }) => {
                format!("we are about to write to them on their ticket {ticket}")
            }
            Self::Unsigned(name) => format!("the wording is not signed yet: handoffd policy approve {name}"),
            Self::PersonWrote(when) => format!("an agent wrote to them at {}", at(when)),
            Self::Unread => "the conversation could not be read: an agent may have written to them just now".into(),
            Self::Nobody => "the desk does not say who the customer is".into(),
            Self::MachineAddress => "nobody reads the customer's address".into(),
            Self::Suppressed(pattern) => format!("the policy suppresses addresses like {pattern}"),
        }
    }
}

/// When a rule keeps quiet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// Not within this time of our last message.
    pub after_ours: Option<SignedDuration>,
    /// Not within this time of an agent's public reply.
    pub after_agent: Option<SignedDuration>,
}

/// What may hold a message back.
pub struct Silencer<'a> {
    /// The case.
    pub case: &'a Case,
    /// The receiving team.
    pub to: &'a TeamName,
    /// When the rule keeps quiet.
    pub quiet: Quiet,
    /// Addresses that are never written to.
    pub suppress: &'a [AddressPattern],
    /// The instant.
    pub now: Timestamp,
}

impl Silencer<'_> {
    /// What holds it back as far as the head and the ledger tell.
    pub fn at_once(&self) -> Option<Silence> {
        let (head, memory) = (&self.case.head, &self.case.memory);
        if head.machine_mail == Fact::Known(true) {
            return Some(Silence::Machine);
        }
        if head.reply_reaches_customer == Fact::Known(false) {
            return Some(Silence::DoesNotReach);
        }
        if memory.bounces > 0 {
            return Some(Silence::Bounced);
        }
        if memory.teams_seen.contains(self.to) {
            return Some(Silence::BeenThere(self.to.clone()));
        }
        let last = memory.last_public_message.filter(|last| self.is_within(*last, self.quiet.after_ours));
        last.map(Silence::Lately).or_else(|| self.told_elsewhere())
    }

    /// A customer who has several cases is written to as seldom as one who has one.
    fn told_elsewhere(&self) -> Option<Silence> {
        let quiet = self.quiet.after_ours.is_some_and(|span| !span.is_zero());
        let told = self.case.memory.told_elsewhere.as_ref().filter(|_| quiet)?;
        let holds = told.at.is_none_or(|at| self.is_within(at, self.quiet.after_ours));
        holds.then(|| Silence::ToldElsewhere(told.clone()))
    }

    /// The parts that it takes to tell the rest.
    pub fn needs(&self) -> PartSet {
        // Where the head does not say whether a machine wrote, the message that opened the ticket may.
        let asks_conversation = self.asks_for_agents() || self.case.head.machine_mail.is_unknown();
        let all = PartSet::of(&[PartKind::Customer]);
        if asks_conversation { all.with(PartKind::Conversation) } else { all }
    }

    /// What holds it back as far as the customer and the conversation tell.
    pub fn once_read(&self) -> Option<Silence> {
        if self.case.machine_mail() == Fact::Known(true) {
            return Some(Silence::Machine);
        }
        self.address().or_else(|| self.just_written())
    }

    fn just_written(&self) -> Option<Silence> {
        if !self.asks_for_agents() {
            return None;
        }
        let Some(conversation) = &self.case.parts.conversation else { return Some(Silence::Unread) };
        let by_agent = conversation.messages.iter().filter(|message| is_public_by(message, Role::Agent));
        let last = by_agent.map(|message| message.at).max();
        last.filter(|at| self.is_within(*at, self.quiet.after_agent)).map(Silence::PersonWrote)
    }

    fn asks_for_agents(&self) -> bool {
        self.quiet.after_agent.is_some_and(|span| !span.is_zero())
    }

    fn address(&self) -> Option<Silence> {
        let email = self.case.parts.customer.as_ref().and_then(|who| who.person.email.as_deref());
        let Some(email) = email else {
            // Whom a pattern means cannot be told of an address that is not known.
            let in_doubt = self.case.machine_mail().is_unknown() || !self.suppress.is_empty();
            return in_doubt.then_some(Silence::Nobody);
        };
        if is_machine(email) {
            return Some(Silence::MachineAddress);
        }
        let pattern = self.suppress.iter().find(|pattern| pattern.fits(email));
        pattern.map(|pattern| Silence::Suppressed(pattern.as_str().to_owned()))
    }

    fn is_within(&self, at: Timestamp, span: Option<SignedDuration>) -> bool {
        span.is_some_and(|span| at.saturating_add(span).unwrap_or(Timestamp::MAX) > self.now)
    }
}
