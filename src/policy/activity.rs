//! Since when a case is as it is: when an agent last acted, when the customer last wrote, when its status began. Exact
//! instants from the desk's history and conversation, or the part that must be read first.

use super::case::{Case, Stay};
use super::facts::is_public_by;
use super::names::TeamName;
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{Actor, Change, Message, PartKind, Role, What};
use jiff::Timestamp;

/// Something about a case that may take a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Learnt<T> {
    /// This.
    Known(T),
    /// This part must be read first.
    Unread(PartKind),
    /// The desk does not tell.
    Unknown,
}

impl<T> Learnt<T> {
    fn of(known: Option<T>) -> Self {
        known.map_or(Self::Unknown, Self::Known)
    }
}

/// Not read yet, or read in vain.
fn lacking<T>(case: &Case, part: PartKind) -> Learnt<T> {
    if case.asked.has(part) { Learnt::Unknown } else { Learnt::Unread(part) }
}

/// When a person of the desk last did anything, if anybody did: wrote, took it, changed it. Automations do not count, nor
/// do we.
pub fn agent_acted(case: &Case) -> Learnt<Option<Timestamp>> {
    if let Some(history) = &case.parts.history {
        return Learnt::Known(history.iter().filter(|change| is_by_an_agent(change)).map(|change| change.at).max());
    }
    match lacking(case, PartKind::History) {
        // A desk without a history still shows what its agents wrote.
        Learnt::Unknown => match &case.parts.conversation {
            Some(said) => {
                let by_agents = |message: &&Message| message.author.role == Role::Agent;
                Learnt::Known(said.messages.iter().filter(by_agents).map(|message| message.at).max())
            }
            None => lacking(case, PartKind::Conversation),
        },
        unread => unread,
    }
}

fn is_by_an_agent(change: &Change) -> bool {
    change.by.role == Role::Agent && !matches!(change.actor, Actor::Automation | Actor::Us)
}

/// Since when the case has lain with this team without a break. One that the ledger has not seen there began with the case.
pub fn stay_began(case: &Case, team: Option<&TeamName>) -> Learnt<Timestamp> {
    let opened = || Learnt::of(case.head.created_at.known().copied());
    match case.memory.stay.as_ref().filter(|stay| Some(&stay.team) == team) {
        Some(stay) if stands_in(stay) && case.parts.history.is_none() => match lacking(case, PartKind::History) {
            Learnt::Unknown => Learnt::Known(stay.since),
            unread => unread,
        },
        Some(stay) => Learnt::Known(stay.since),
        None => opened(),
    }
}

/// Whether the stay is only known from the head until the history is read.
fn stands_in(stay: &Stay) -> bool {
    stay.episode.starts_with('~')
}

/// Since when nothing was done by an agent: since the last act, or since the case came to this team where that is later.
pub fn idle_since(case: &Case, team: Option<&TeamName>) -> Learnt<Timestamp> {
    match (agent_acted(case), stay_began(case, team)) {
        (Learnt::Known(Some(acted)), Learnt::Known(came)) => Learnt::Known(acted.max(came)),
        (Learnt::Known(Some(acted)), Learnt::Unknown) => Learnt::Known(acted),
        (Learnt::Known(None), came) => came,
        (Learnt::Unread(part), _) | (_, Learnt::Unread(part)) => Learnt::Unread(part),
        (Learnt::Unknown, _) => Learnt::Unknown,
    }
}

/// Since when the case has had its present status.
pub fn status_since(case: &Case) -> Learnt<Timestamp> {
    let Some(history) = &case.parts.history else { return lacking(case, PartKind::History) };
    let turned =
        |change: &&Change| change.what.iter().any(|what| matches!(what, What::Status { from, to } if from != to));
    match history.iter().rev().find(turned) {
        None => Learnt::of(case.head.created_at.known().copied()),
        Some(change) => {
            let shown = case.head.status.known().copied();
            let same = |what: &What| matches!(what, What::Status { to, .. } if to.is_none() || *to == shown);
            match change.what.iter().rev().find(|what| matches!(what, What::Status { .. })) {
                Some(status) if same(status) => Learnt::Known(change.at),
                // The history lags behind the head: it cannot have begun later than the latest change.
                _ => Learnt::of(case.head.updated_at.known().map(|at| (*at).max(change.at))),
            }
        }
    }
}

/// Whether this is a public message that somebody in this role wrote: a machine's answer is nobody's word.
pub fn is_reply_by(message: &Message, role: Role) -> bool {
    is_public_by(message, role) && message.by_machine != Fact::Known(true)
}

/// When the customer last wrote something that everybody on the ticket can read; when the case was opened, if never.
pub fn customer_wrote(case: &Case) -> Learnt<Timestamp> {
    let Some(said) = &case.parts.conversation else { return lacking(case, PartKind::Conversation) };
    let words = said.messages.iter().filter(|message| is_reply_by(message, Role::Customer)).map(|message| message.at);
    Learnt::of(words.max().or(case.head.created_at.known().copied()))
}

/// When the case was opened.
pub fn opened(case: &Case) -> Learnt<Timestamp> {
    Learnt::of(case.head.created_at.known().copied())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::testing;
    use handoffd_kit::model::{Author, PartSet, Status};

    fn at(minute: i64) -> Timestamp {
        testing::now() + jiff::SignedDuration::from_mins(minute)
    }

    fn change(minute: i64, role: Role, actor: Actor, what: What) -> Change {
        let by = Author { id: None, name: None, role };
        Change { id: minute.to_string().into(), at: at(minute), by, actor, mark: None, what: vec![what] }
    }

    fn case(history: Vec<Change>) -> Case {
        let mut case = testing::case();
        case.parts.history = Some(history);
        case
    }

    #[test]
    fn only_people_of_the_desk_act() {
        let history = vec![
            change(1, Role::Agent, Actor::Person, testing::tagged()),
            change(2, Role::Agent, Actor::Unknown, testing::tagged()),
            change(3, Role::Agent, Actor::Automation, testing::tagged()),
            change(4, Role::Customer, Actor::Person, testing::tagged()),
            change(5, Role::Us, Actor::Us, testing::tagged()),
        ];
        assert_eq!(agent_acted(&case(history)), Learnt::Known(Some(at(2))));
        assert_eq!(agent_acted(&case(Vec::new())), Learnt::Known(None));
    }

    #[test]
    fn a_case_is_idle_since_the_last_act_or_since_it_came() {
        let frontline = TeamName::from("frontline");
        let came = change(3, Role::Agent, Actor::Automation, testing::tagged());
        let acted = |minute| vec![change(minute, Role::Agent, Actor::Person, testing::tagged()), came.clone()];
        let idle = |minute| {
            let mut case = case(acted(minute));
            case.memory.stay.as_mut().unwrap().since = at(3);
            idle_since(&case, Some(&frontline))
        };
        assert_eq!(idle(1), Learnt::Known(at(3)));
        assert_eq!(idle(9), Learnt::Known(at(9)));
        let mut unread = testing::case();
        assert_eq!(idle_since(&unread, Some(&frontline)), Learnt::Unread(PartKind::History));
        unread.asked = PartSet::of(&[PartKind::History]);
        assert_eq!(idle_since(&unread, Some(&frontline)), Learnt::Unread(PartKind::Conversation));
        unread.asked = PartSet::of(&[PartKind::History, PartKind::Conversation]);
        assert_eq!(idle_since(&unread, Some(&frontline)), Learnt::Unknown);
    }

    #[test]
    fn a_stay_that_only_stands_in_is_not_trusted_while_the_history_can_be_read() {
        let frontline = TeamName::from("frontline");
        let mut case = testing::case();
        assert_eq!(stay_began(&case, Some(&frontline)), Learnt::Known(at(0)));
        assert_eq!(stay_began(&case, Some(&"billing".into())), opened(&case));
        case.memory.stay.as_mut().unwrap().episode = "~v1".into();
        assert_eq!(stay_began(&case, Some(&frontline)), Learnt::Unread(PartKind::History));
        case.asked = PartSet::of(&[PartKind::History]);
        assert_eq!(stay_began(&case, Some(&frontline)), Learnt::Known(at(0)));
    }

    #[test]
    fn a_status_began_with_its_last_change_or_with_the_case() {
        let turn = |minute, from, to| {
            change(minute, Role::Agent, Actor::Person, What::Status { from: Some(from), to: Some(to) })
        };
        let pending = vec![turn(1, Status::New, Status::Pending), turn(2, Status::Pending, Status::Open)];
        let same =
            change(5, Role::Agent, Actor::Person, What::Status { from: Some(Status::Open), to: Some(Status::Open) });
        assert_eq!(status_since(&case([pending.clone(), vec![same]].concat())), Learnt::Known(at(2)));
        assert_eq!(status_since(&case(Vec::new())), opened(&testing::case()));
        let mut lags = case(pending);
        lags.head.status = Fact::Known(Status::OnHold);
        assert_eq!(status_since(&lags), Learnt::Unknown);
        lags.head.updated_at = Fact::Known(at(7));
        assert_eq!(status_since(&lags), Learnt::Known(at(7)));
    }

    #[test]
    fn the_customers_last_word_is_a_public_one() {
        let mut case = testing::case_with_parts();
        let messages = &mut case.parts.conversation.as_mut().unwrap().messages;
        messages.push(testing::said_by_agent("Hello"));
        messages.last_mut().unwrap().at = at(9);
        messages.push(testing::said_by_customer("I am out of office."));
        messages.last_mut().unwrap().at = at(10);
        messages.last_mut().unwrap().by_machine = Fact::Known(true);
        assert_eq!(customer_wrote(&case), Learnt::Known("2026-11-02T10:00:00Z".parse().unwrap()));
        case.parts.conversation.as_mut().unwrap().messages.clear();
        assert_eq!(customer_wrote(&case), opened(&case));
        case.parts.conversation = None;
        assert_eq!(customer_wrote(&case), Learnt::Unread(PartKind::Conversation));
    }
}
