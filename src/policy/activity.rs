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

/// What a desk tells of the last thing that a person of it did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastAct {
    /// The last one that is told; none: none is.
    pub told: Option<Timestamp>,
    /// A later act may have happened of which nothing is told, at the latest then; none: all of them are told.
    pub untold_until: Option<Timestamp>,
}

/// When a person of the desk last did anything, if anybody did: wrote, took it, changed it. Automations do not count, nor
/// do we. A desk without a history shows what its agents wrote, and is silent about all else that they did: nothing of that
/// can have happened after the ticket last changed.
pub fn agent_acted(case: &Case) -> Learnt<LastAct> {
    if let Some(history) = &case.parts.history {
        let last =
            |whose: fn(&Change) -> bool| history.iter().filter(|change| whose(change)).map(|change| change.at).max();
        let told = last(is_by_an_agent);
        return Learnt::Known(LastAct { told, untold_until: last(may_be_by_an_agent).filter(|at| Some(*at) > told) });
    }
    match lacking(case, PartKind::History) {
        Learnt::Unknown => {}
        unread => return unread,
    }
    let Some(said) = &case.parts.conversation else { return lacking(case, PartKind::Conversation) };
    let by_agents = |message: &&Message| message.author.role == Role::Agent;
    let told = said.messages.iter().filter(by_agents).map(|message| message.at).max();
    match case.head.updated_at.known() {
        Some(changed) => Learnt::Known(LastAct { told, untold_until: Some(*changed).filter(|at| Some(*at) > told) }),
        None => Learnt::Unknown,
    }
}

fn is_by_an_agent(change: &Change) -> bool {
    change.by.role == Role::Agent && !matches!(change.actor, Actor::Automation | Actor::Us)
}

/// A person's change, and the desk does not say whose.
fn may_be_by_an_agent(change: &Change) -> bool {
    change.by.role == Role::Unknown && !matches!(change.actor, Actor::Automation | Actor::Us)
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

/// Since when nothing was done by an agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Idle {
    /// Since the last act, or since the case came to its team where that is later. Certain: an act that the desk may have
    /// said nothing of came before.
    pub since: Timestamp,
    /// Whether an act is only not ruled out then, and none told.
    pub at_the_latest: bool,
}

/// Since when nothing was done by an agent. Where the desk does not tell all that agents do, the instant from which on it is
/// certain.
pub fn idle_since(case: &Case, team: Option<&TeamName>) -> Learnt<Idle> {
    let acted = match agent_acted(case) {
        Learnt::Known(acted) => acted,
        Learnt::Unread(part) => return Learnt::Unread(part),
        Learnt::Unknown => return Learnt::Unknown,
    };
    let since = |certain: Timestamp| {
        let untold = acted.untold_until.filter(|untold| *untold > certain);
        Learnt::Known(Idle { since: untold.unwrap_or(certain), at_the_latest: untold.is_some() })
    };
    match (acted.told, stay_began(case, team)) {
        (told, Learnt::Known(came)) => since(told.map_or(came, |told| told.max(came))),
        (Some(told), Learnt::Unknown) => since(told),
        (None, Learnt::Unknown) => Learnt::Unknown,
        (_, Learnt::Unread(part)) => Learnt::Unread(part),
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
        let all_told = |told| Learnt::Known(LastAct { told, untold_until: None });
        assert_eq!(agent_acted(&case(history)), all_told(Some(at(2))));
        assert_eq!(agent_acted(&case(Vec::new())), all_told(None));
    }

    #[test]
    fn whose_act_it_was_is_not_guessed_where_the_desk_does_not_say() {
        let acted = |others: &[Change]| {
            let told = change(2, Role::Agent, Actor::Person, testing::tagged());
            agent_acted(&case([&[told], others].concat()))
        };
        let somebody = |minute| change(minute, Role::Unknown, Actor::Unknown, testing::tagged());
        let machine = change(9, Role::Unknown, Actor::Automation, testing::tagged());
        let expected = |untold_until| Learnt::Known(LastAct { told: Some(at(2)), untold_until });
        assert_eq!(acted(&[somebody(1)]), expected(None));
        assert_eq!(acted(&[somebody(5), machine]), expected(Some(at(5))));
    }

    /// A case on a desk that keeps no history, last changed in this minute.
    fn without_history(changed: Fact<Timestamp>, said: Vec<Message>) -> Case {
        let mut case = testing::case();
        case.asked = PartSet::of(&[PartKind::History, PartKind::Conversation]);
        case.head.updated_at = changed;
        case.parts.conversation = Some(handoffd_kit::model::Conversation { messages: said, complete: true });
        case
    }

    #[test]
    fn a_desk_that_tells_only_words_is_not_believed_to_tell_all_that_agents_do() {
        let word = |minute| Message { at: at(minute), ..testing::said_by_agent("Hello") };
        let acted = |changed, said| agent_acted(&without_history(changed, said));
        let known = |told, untold_until| Learnt::Known(LastAct { told, untold_until });
        assert_eq!(acted(Fact::Known(at(9)), vec![word(2)]), known(Some(at(2)), Some(at(9))));
        assert_eq!(acted(Fact::Known(at(2)), vec![word(2)]), known(Some(at(2)), None), "the word is the change");
        assert_eq!(acted(Fact::Known(at(9)), Vec::new()), known(None, Some(at(9))));
        assert_eq!(acted(Fact::Unknown, vec![word(2)]), Learnt::Unknown);
        let frontline = TeamName::from("frontline");
        let idle = |changed| idle_since(&without_history(Fact::Known(at(changed)), vec![word(2)]), Some(&frontline));
        assert_eq!(idle(9), Learnt::Known(Idle { since: at(9), at_the_latest: true }));
        assert_eq!(idle(2), Learnt::Known(Idle { since: at(2), at_the_latest: false }));
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
        let certain = |minute| Learnt::Known(Idle { since: at(minute), at_the_latest: false });
        assert_eq!(idle(1), certain(3));
        assert_eq!(idle(9), certain(9));
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
