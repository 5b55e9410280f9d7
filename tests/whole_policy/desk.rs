//! What a desk must be able to do for the scenarios: people who open tickets and write on them, time that passes with the
//! daemon at work, and a look at what lies there, past the daemon.

use jiff::SignedDuration;

/// A ticket as a customer opens it and the desk's own rules label it.
#[derive(Clone, Debug, Default)]
pub struct Ticket {
    /// The team in whose queue it lies, as the policy calls it.
    pub team: &'static str,
    pub from: &'static str,
    pub subject: &'static str,
    pub text: &'static str,
    pub tags: &'static [&'static str],
    /// Our name of a field, and its value.
    pub fields: &'static [(&'static str, &'static str)],
    /// Whether it came by mail, and whether a machine wrote it.
    pub mail: Mail,
}

/// How a ticket came in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mail {
    /// In whatever way the desk's tests open tickets.
    #[default]
    Any,
    /// By mail of a person.
    Person,
    /// By mail of a machine: an automatic answer.
    Machine,
}

/// A desk, the daemon that works on it, and their time.
pub trait Stage {
    /// A customer opens a ticket.
    fn opens(&mut self, ticket: &Ticket) -> String;

    /// An agent of the first line writes an internal note.
    fn notes(&mut self, ticket: &str, text: &str);

    /// An agent of the first line answers the customer.
    fn replies(&mut self, ticket: &str, text: &str);

    /// An agent of the first line sets it to wait.
    fn waits(&mut self, ticket: &str);

    /// Lets time pass, with all that the daemon does in it.
    fn pass(&mut self, span: SignedDuration);

    /// The team in whose queue a ticket lies, as the policy calls it.
    fn team(&mut self, ticket: &str) -> String;

    /// Who owns a ticket, by the name under which they sign in.
    fn owner(&mut self, ticket: &str) -> Option<String>;

    /// The person whom the policy calls billing-lead, by the same name.
    fn lead(&self) -> String;

    /// Who works in the queue of a team, but for the daemon.
    fn staff(&mut self, team: &str) -> Vec<String>;

    /// What the daemon wrote on a ticket, oldest first: whether the customer reads it, and the words.
    fn written(&mut self, ticket: &str) -> Vec<(bool, String)>;

    /// Whether the ticket has the status that stops the customer's clock.
    fn stands_still(&mut self, ticket: &str) -> bool;
}
