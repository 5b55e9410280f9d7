//! A case as conditions see it. Facts are worked out when they are asked for; what the desk did not say stays unknown,
//! and what takes a part that was not read says which one.

use super::activity::{Learnt, is_reply_by};
use super::case::Case;
use super::cel::{FactSource, Found, Value};
use super::clocks::{ClockName, Standing, standing, state_name};
use super::command::Vocabulary;
use super::fold::{Folds, folded};
use super::known::{FactName, HouseFact};
use super::languages;
use super::names::TeamName;
use super::package::{self, Checklist};
use super::rules::{DeskPolicy, FieldDeclaration, FieldOwner, PackageDecision, Policy};
use super::shown::shown;
use super::teams::Team;
use super::timing::whole_millisecond;
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{
    ClockState, Conversation, Customer, FieldValue, Message, Organization, PartKind, Role, Status, Visibility, What,
};
use jiff::{SignedDuration, Timestamp};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

/// How far back a customer's contacts count.
const CONTACTS: SignedDuration = SignedDuration::from_hours(30 * 24);

/// A case as conditions see it.
#[derive(Clone, Copy)]
pub struct Facts<'a> {
    case: &'a Case,
    policy: &'a Policy,
    desk: Option<&'a DeskPolicy>,
    team: Option<&'a Team>,
    package: Option<&'a PackageDecision>,
    folds: Option<&'a Folds>,
    now: Timestamp,
}

impl<'a> Facts<'a> {
    /// The facts of a case; its team is the one whose queue it lies in now.
    pub fn new(case: &'a Case, policy: &'a Policy) -> Self {
        let team = case
            .head
            .queue
            .known()
            .and_then(|queue| queue.as_ref())
            .and_then(|queue| policy.teams.values().find(|team| team.desk == case.desk && team.queue.is(queue)));
        Self { case, policy, desk: policy.desks.get(&case.desk), team, package: None, folds: None, now: Timestamp::MIN }
    }

    /// The same facts as they stand at an instant: a clock that has run out by then is breached.
    #[must_use]
    pub fn at(self, now: Timestamp) -> Self {
        Self { now, ..self }
    }

    /// The same facts, whose texts are folded at most once.
    #[must_use]
    pub fn folding(self, folds: &'a Folds) -> Self {
        Self { folds: Some(folds), ..self }
    }

    /// The instant at which the facts stand so.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// The case.
    pub fn case(&self) -> &'a Case {
        self.case
    }

    /// The policy.
    pub fn policy(&self) -> &'a Policy {
        self.policy
    }

    /// When a fact changes by itself, if nothing happens before: a clock runs out.
    pub fn turns_at(&self, name: &FactName) -> Option<Timestamp> {
        let FactName::Clock(name) = name else { return None };
        match standing(self, ClockName::named(name)?) {
            Learnt::Known(Some(Standing { state: ClockState::Running, at, .. })) => at.map(whole_millisecond),
            _ => None,
        }
    }

    /// The same facts as a rule sees them that hands off with this package.
    #[must_use]
    pub fn with_package(self, decision: Option<&'a PackageDecision>) -> Self {
        Self { package: decision, ..self }
    }

    /// The team whose queue the case lies in.
    pub fn team(&self) -> Option<&'a Team> {
        self.team
    }

    /// A fact as text for traces and notes: one line, bounded, cleaned as a package is; `unknown`, `not read` and `empty` where there is no value.
    pub fn shown(&self, name: &FactName) -> String {
        shown(self.fact(name))
    }

    /// A fact whole, for hashing: two values that differ anywhere differ here. None where it is unknown or not read.
    pub fn whole(&self, name: &FactName) -> Option<String> {
        if *name == FactName::House(HouseFact::TicketTags) {
            return self.case.head.tags.known().map(|tags| self.labels(tags));
        }
        match self.fact(name) {
            Found::Value(value) => Some(format!("={}", value.shown())),
            Found::Empty => Some("empty".into()),
            Found::Unknown | Found::Unread(_) => None,
        }
    }

    /// Whether the case has this label; none where the desk does not say, or it is one between agents and us.
    pub fn has_label(&self, label: &str) -> Option<bool> {
        let tags = self.case.head.tags.known()?;
        let between_us = Vocabulary::new(self.policy, &self.case.desk).is_between_us(label);
        (!between_us).then(|| tags.iter().any(|tag| tag == label))
    }

    /// The labels of a case but for those between agents and us, in an order of their own.
    fn labels(&self, tags: &[String]) -> String {
        let vocabulary = Vocabulary::new(self.policy, &self.case.desk);
        let labels: BTreeSet<&String> = tags.iter().filter(|tag| !vocabulary.is_between_us(tag)).collect();
        format!("={labels:?}")
    }

    /// Declared fields of the ticket whose value is there but does not convert to the declared type: they count as
    /// unknown, and are counted.
    pub fn unconverted(&self) -> Vec<String> {
        let declared = self.desk.into_iter().flat_map(|desk| &desk.fields);
        declared
            .filter(|(_, field)| field.of == FieldOwner::Ticket)
            .filter(|(_, field)| self.case.head.fields.get(&field.id).is_some_and(|v| field.kind.read(v).is_unknown()))
            .map(|(name, _)| format!("ticket.fields.{name}"))
            .collect()
    }

    /// A declared field's value as readable text, whoever's field it is; none where it is empty, unknown or not read.
    pub fn field_text(&self, of: FieldOwner, name: &str) -> Option<String> {
        match self.fact(&FactName::Field(of, name.to_owned())) {
            Found::Value(value) => Some(value.shown()).filter(|text| !text.trim().is_empty()),
            Found::Empty | Found::Unknown | Found::Unread(_) => None,
        }
    }

    fn house(&self, fact: HouseFact) -> Found<'a> {
        let (head, memory) = (&self.case.head, &self.case.memory);
        match fact {
            HouseFact::TicketId => text(head.id.as_str()),
            HouseFact::TicketDesk => text(self.case.desk.as_str()),
            HouseFact::TicketSubject => told(&head.subject),
            HouseFact::TicketText => self.first_words(),
            HouseFact::TicketStatus => head.status.known().map_or(Found::Unknown, |status| text(status.name())),
            HouseFact::TicketPriority => {
                head.priority.known().map_or(Found::Unknown, |set| text(set.map_or("", |priority| priority.name())))
            }
            HouseFact::TicketType => told_or_none(&head.kind),
            HouseFact::TicketChannel => told(&head.channel),
            HouseFact::TicketLanguage => languages::as_fact(&head.language),
            HouseFact::TicketTags => head.tags.known().map_or(Found::Unknown, |tags| texts(tags)),
            HouseFact::TicketAttachments => self.said(|conversation| {
                let files = conversation.messages.iter().flat_map(|message| &message.attachments);
                Found::Value(Value::texts(files.map(|file| file.name.as_str())))
            }),
            HouseFact::TicketMachineMail => match self.case.machine_mail() {
                Fact::Known(yes) => Found::Value(Value::YesNo(yes)),
                Fact::Unknown => self.said(|_| Found::Unknown),
            },
            HouseFact::CustomerEmail => self.person(|who| who.person.email.as_deref().map_or(Found::Unknown, text)),
            HouseFact::CustomerDomain => self.person(|who| who.person.email.as_deref().map_or(Found::Unknown, domain)),
            HouseFact::CustomerOrganization => {
                self.organization(text(""), |known| known.name.as_deref().map_or(Found::Unknown, text))
            }
            HouseFact::CustomerLanguage => self.person(|who| languages::as_fact(&who.language)),
            HouseFact::CustomerZone => self.person(|who| told_or_none(&who.zone)),
            HouseFact::CaseTeam => text(self.team.map_or("", |team| team.name.as_str())),
            HouseFact::CaseTier => self.team.map_or(Found::Empty, |team| count(team.tier)),
            HouseFact::CaseTeamsSeen => Found::Value(Value::texts(memory.teams_seen.iter().map(TeamName::as_str))),
            HouseFact::CaseTiersSeen => {
                // Each tier once, in the order in which the case first came to it.
                let mut tiers: Vec<Value<'_>> = Vec::new();
                for team in memory.teams_seen.iter().filter_map(|name| self.policy.teams.get(name)) {
                    let tier = Value::Whole(i64::from(team.tier));
                    if !tiers.contains(&tier) {
                        tiers.push(tier);
                    }
                }
                Found::Value(Value::List(tiers))
            }
            HouseFact::CaseHops => count(memory.hops),
            HouseFact::CaseBounces => count(memory.bounces),
            HouseFact::CaseReturns => count(memory.returns),
            HouseFact::CaseHandoffs => count(memory.handoffs),
            HouseFact::CommandReason => text(memory.request.as_ref().map_or("", |asked| asked.reason.as_str())),
            HouseFact::CommandBy => text(memory.request.as_ref().map_or("", |asked| asked.by.as_str())),
            HouseFact::CaseReopens => self.reopens(),
            HouseFact::CaseAgentReplies => self.replies(Role::Agent, 0),
            // The first one opened the ticket.
            HouseFact::CaseCustomerReplies => self.replies(Role::Customer, 1),
            HouseFact::CaseContacts30d => self.contacts(),
            HouseFact::StepsTotal => self.checklist(|list| list.total),
            HouseFact::StepsDone => self.checklist(|list| list.done),
            HouseFact::StepsFailed => self.checklist(|list| list.failed),
            HouseFact::PlaybookId => {
                self.playbook(|known| Some(Found::Value(Value::Text(Cow::Owned(known.id.clone())))))
            }
            HouseFact::PlaybookStep => self.playbook(|known| known.step.map(count)),
            HouseFact::PackageMissing => {
                self.of_the_package(|package| Value::texts(package.missing.iter().map(|part| package::name_of(*part))))
            }
            HouseFact::PackageCompleteness => self.of_the_package(|package| Value::Number(package.completeness())),
        }
    }

    /// The customer's tickets of the 30 days before they were read, this one included. A list that breaks off within
    /// them, or a ticket without a time, leaves the number unknown.
    fn contacts(&self) -> Found<'a> {
        let Some(read) = &self.case.parts.contacts else { return self.lacking(PartKind::Contacts) };
        let since = read.as_of.saturating_sub(CONTACTS).unwrap_or(Timestamp::MIN);
        let opened: Option<Vec<Timestamp>> = read.tickets.iter().map(|past| past.created_at.known().copied()).collect();
        match opened {
            Some(opened) if read.complete || opened.iter().any(|at| *at <= since) => {
                count(u32::try_from(opened.iter().filter(|at| **at > since).count()).unwrap_or(u32::MAX))
            }
            _ => Found::Unknown,
        }
    }

    /// What is not in a mapped field may stand in an internal note: until all of them were read, nothing is said.
    fn noted<T>(&self, read: Option<T>, tell: impl FnOnce(T) -> Option<Found<'a>>) -> Found<'a> {
        match (&self.case.parts.conversation, read) {
            (None, None) => self.lacking(PartKind::Conversation),
            (_, Some(read)) => tell(read).unwrap_or(Found::Unknown),
            (Some(_), None) => Found::Unknown,
        }
    }

    fn checklist(&self, tell: impl FnOnce(Checklist) -> u32) -> Found<'a> {
        self.noted(package::checklist(self.case, self.policy, self), |list| Some(count(tell(list))))
    }

    fn playbook(&self, tell: impl FnOnce(&package::Playbook) -> Option<Found<'a>>) -> Found<'a> {
        self.noted(package::playbook(self.case, self.policy, self), |playbook| tell(&playbook))
    }

    /// Something about the package that the rule would hand off with. It is made from the ticket, never from these facts
    /// about it, so no rule can ask itself. Where a part could not be read, nobody can tell whether something is missing.
    fn of_the_package(&self, tell: impl FnOnce(&super::proposal::Package) -> Value<'a>) -> Found<'a> {
        let Some(decision) = self.package else { return Found::Unknown };
        let unread = package::needs(decision).without(self.case.asked).without(self.case.parts.read());
        if let Some(part) = unread.first() {
            return Found::Unread(part);
        }
        let package = package::build(self.case, self.policy, &self.with_package(None), decision);
        let in_doubt = !package.missing.is_empty() && self.case.parts.conversation.is_none();
        if in_doubt { Found::Unknown } else { Found::Value(tell(&package)) }
    }

    /// Not read yet, or read in vain.
    fn lacking(&self, part: PartKind) -> Found<'a> {
        if self.case.asked.has(part) { Found::Unknown } else { Found::Unread(part) }
    }

    fn said(&self, tell: impl FnOnce(&'a Conversation) -> Found<'a>) -> Found<'a> {
        self.case.parts.conversation.as_ref().map_or_else(|| self.lacking(PartKind::Conversation), tell)
    }

    fn first_words(&self) -> Found<'a> {
        match self.case.head.text.known() {
            Some(words) => text(words),
            None => self.said(|conversation| {
                let first = conversation.messages.iter().find(|message| is_public_by(message, Role::Customer));
                first.map_or(Found::Unknown, |message| text(message.said.words()))
            }),
        }
    }

    fn replies(&self, role: Role, but_for: usize) -> Found<'a> {
        self.said(|conversation| {
            if !conversation.complete {
                return Found::Unknown;
            }
            let replies = conversation.messages.iter().filter(|message| is_reply_by(message, role)).count();
            count(u32::try_from(replies.saturating_sub(but_for)).unwrap_or(u32::MAX))
        })
    }

    fn reopens(&self) -> Found<'a> {
        let Some(history) = &self.case.parts.history else { return self.lacking(PartKind::History) };
        let ended = |status: &Option<Status>| matches!(status, Some(Status::Solved | Status::Closed));
        let reopened =
            |what: &What| matches!(what, What::Status { from, to: to @ Some(_) } if ended(from) && !ended(to));
        let times = history.iter().flat_map(|change| &change.what).filter(|what| reopened(what)).count();
        count(u32::try_from(times).unwrap_or(u32::MAX))
    }

    fn person(&self, tell: impl FnOnce(&'a Customer) -> Found<'a>) -> Found<'a> {
        self.case.parts.customer.as_ref().map_or_else(|| self.lacking(PartKind::Customer), tell)
    }

    fn organization(&self, none: Found<'a>, tell: impl FnOnce(&'a Organization) -> Found<'a>) -> Found<'a> {
        if self.case.head.organization == Fact::Known(None) {
            return none;
        }
        self.person(|who| match &who.organization {
            Fact::Unknown => Found::Unknown,
            Fact::Known(None) => none,
            Fact::Known(Some(organization)) => tell(organization),
        })
    }

    fn field(&self, of: FieldOwner, name: &str) -> Found<'a> {
        // Another desk's field: this desk knows nothing of it.
        let declared = self.desk.and_then(|desk| desk.fields.get(name)).filter(|field| field.of == of);
        let Some(field) = declared else { return Found::Unknown };
        match of {
            FieldOwner::Ticket => sent(field, &self.case.head.fields),
            FieldOwner::Customer => self.person(|who| sent(field, &who.fields)),
            FieldOwner::Organization => self.organization(Found::Empty, |known| sent(field, &known.fields)),
        }
    }

    fn clock(&self, name: &str) -> Found<'a> {
        let standing = ClockName::named(name).map_or(Learnt::Unknown, |clock| standing(self, clock));
        match standing {
            Learnt::Known(Some(standing)) => text(state_name(standing.state)),
            Learnt::Known(None) => text(""),
            Learnt::Unread(part) => self.lacking(part),
            Learnt::Unknown => Found::Unknown,
        }
    }
}

impl FactSource for Facts<'_> {
    fn fact(&self, name: &FactName) -> Found<'_> {
        match name {
            FactName::House(fact) => self.house(*fact),
            FactName::Field(of, name) => self.field(*of, name),
            FactName::Clock(name) => self.clock(name),
        }
    }

    fn folded(&self, text: &str) -> Rc<str> {
        self.folds.map_or_else(|| folded(text).into(), |folds| folds.of(text))
    }
}

/// Whether this is a public message by somebody in this role.
pub fn is_public_by(message: &Message, role: Role) -> bool {
    message.author.role == role && message.said.visibility() == Visibility::Public
}

fn text(text: &str) -> Found<'_> {
    Found::Value(Value::text(text))
}

fn texts(list: &[String]) -> Found<'_> {
    Found::Value(Value::texts(list.iter().map(String::as_str)))
}

fn count<'a>(number: u32) -> Found<'a> {
    Found::Value(Value::Whole(i64::from(number)))
}

fn told(fact: &Fact<String>) -> Found<'_> {
    fact.known().map_or(Found::Unknown, |known| text(known))
}

fn told_or_none(fact: &Fact<Option<String>>) -> Found<'_> {
    fact.known().map_or(Found::Unknown, |known| text(known.as_deref().unwrap_or_default()))
}

fn domain(email: &str) -> Found<'_> {
    match email.rsplit_once('@') {
        Some((_, domain)) => Found::Value(Value::Text(Cow::Owned(domain.to_lowercase()))),
        None => Found::Unknown,
    }
}

/// A field as the desk sent it, in its declared type.
fn sent<'a>(field: &FieldDeclaration, fields: &BTreeMap<String, serde_json::Value>) -> Found<'a> {
    match fields.get(&field.id).map_or(Fact::Unknown, |value| field.kind.read(value)) {
        Fact::Unknown => Found::Unknown,
        Fact::Known(Some(FieldValue::Text(text))) => Found::Value(Value::Text(Cow::Owned(text))),
        Fact::Known(Some(FieldValue::Number(number))) => Found::Value(Value::Number(number)),
        Fact::Known(Some(FieldValue::YesNo(yes))) => Found::Value(Value::YesNo(yes)),
        Fact::Known(Some(FieldValue::Date(date))) => Found::Value(Value::Text(Cow::Owned(date.to_string()))),
        Fact::Known(None) => match field.kind {
            handoffd_kit::model::FieldType::Text | handoffd_kit::model::FieldType::Choice => text(""),
            _ => Found::Empty,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::known::Known;
    use crate::policy::shown::SHOWN_MAX;
    use crate::policy::testing::{self, noted_by_agent, said_by_agent, said_by_customer};
    use handoffd_kit::model::{Actor, Author, Change, PartSet};
    use serde_json::json;

    fn shown(case: &Case, name: &str) -> String {
        let policy = testing::policy();
        let Known::Fact(fact, _) = testing::known().look_up(name) else { panic!("no fact {name}") };
        Facts::new(case, &policy).shown(&fact)
    }

    #[test]
    fn every_fact_has_an_answer_for_an_empty_case() {
        let mut case = testing::case();
        case.head = handoffd_kit::model::TicketHead::unknown("1".into(), "v".into());
        case.memory = crate::policy::case::Memory::default();
        let answers: Vec<String> = testing::known().names().iter().map(|name| shown(&case, name)).collect();
        let known: BTreeSet<&str> = answers.iter().map(String::as_str).collect();
        assert_eq!(known, ["0", "1", "acme", "empty", "none", "not read", "unknown"].into());
    }

    #[test]
    fn a_part_that_was_asked_for_in_vain_is_unknown_not_unread() {
        let mut case = testing::case();
        assert_eq!(shown(&case, "customer.language"), "not read");
        case.asked = PartSet::of(&[PartKind::Customer]);
        assert_eq!(shown(&case, "customer.language"), "unknown");
    }

    #[test]
    fn the_conversation_is_counted_only_when_it_is_whole() {
        let mut case = testing::case();
        let messages = vec![said_by_customer("Broken."), said_by_agent("Try this."), said_by_customer("Still broken.")];
        case.parts.conversation = Some(Conversation { messages, complete: true });
        assert_eq!(
            (shown(&case, "case.agent_replies"), shown(&case, "case.customer_replies")),
            ("1".into(), "1".into())
        );
        assert_eq!(shown(&case, "ticket.text"), "Broken.");
        case.parts.conversation.as_mut().unwrap().complete = false;
        assert_eq!(shown(&case, "case.agent_replies"), "unknown");
    }

    #[test]
    fn whether_a_machine_wrote_the_head_says_or_else_the_message_that_opened_the_ticket() {
        let mut case = testing::case();
        assert_eq!(shown(&case, "ticket.machine_mail"), "no");
        case.head.machine_mail = Fact::Unknown;
        assert_eq!(shown(&case, "ticket.machine_mail"), "not read");
        let mut with = |by: [Fact<bool>; 2]| {
            let messages = by.map(|by_machine| Message { by_machine, ..said_by_customer("I am away") });
            case.parts.conversation = Some(Conversation { messages: messages.into(), complete: true });
            shown(&case, "ticket.machine_mail")
        };
        assert_eq!(with([Fact::Known(true), Fact::Known(false)]), "yes");
        assert_eq!(with([Fact::Known(false), Fact::Known(true)]), "no", "a person's ticket stays one");
        assert_eq!(with([Fact::Unknown, Fact::Known(true)]), "unknown");
    }

    #[test]
    fn contacts_of_thirty_days_are_counted_where_the_list_reaches_so_far() {
        use handoffd_kit::model::{Contacts, PastTicket};
        let past = |id: &str, days: i64| PastTicket {
            id: id.into(),
            subject: Fact::Unknown,
            status: Fact::Unknown,
            created_at: Fact::Known(testing::now() - SignedDuration::from_hours(24 * days)),
        };
        let mut case = testing::case();
        assert_eq!(shown(&case, "case.contacts_30d"), "not read");
        let mut with = |tickets: Vec<PastTicket>, complete: bool| {
            case.parts.contacts = Some(Contacts { tickets, complete, as_of: testing::now() });
            shown(&case, "case.contacts_30d")
        };
        assert_eq!(with(vec![past("42", 0), past("7", 29), past("6", 30), past("5", 400)], true), "2");
        assert_eq!(with(vec![past("42", 0), past("7", 31)], false), "1");
        assert_eq!(with(vec![past("42", 0), past("7", 29)], false), "unknown");
        assert_eq!(
            with(vec![past("42", 0), PastTicket { created_at: Fact::Unknown, ..past("7", 1) }], true),
            "unknown"
        );
    }

    #[test]
    fn steps_and_playbook_are_unread_then_unknown_then_known() {
        let mut case = testing::case();
        assert_eq!(shown(&case, "steps.failed"), "not read");
        let messages = vec![said_by_customer("Steps tried:\n- [x] everything")];
        case.parts.conversation = Some(Conversation { messages, complete: true });
        assert_eq!((shown(&case, "steps.total"), shown(&case, "playbook.id")), ("unknown".into(), "unknown".into()));
        let note = noted_by_agent("Steps tried:\n- [x] a\n- failed: b\n- [ ] c\nPlaybook: vpn");
        case.parts.conversation.as_mut().unwrap().messages.push(note);
        let steps = ["steps.total", "steps.done", "steps.failed"].map(|name| shown(&case, name));
        assert_eq!(steps, ["3", "2", "1"]);
        assert_eq!((shown(&case, "playbook.id"), shown(&case, "playbook.step")), ("vpn".into(), "unknown".into()));
    }

    #[test]
    fn a_mapped_checklist_needs_no_conversation() {
        let mut case = testing::case();
        case.head.fields.insert("f-steps".into(), json!("[x] a\n✗ b"));
        assert_eq!((shown(&case, "steps.done"), shown(&case, "steps.failed")), ("2".into(), "1".into()));
    }

    #[test]
    fn each_rule_sees_its_own_package_and_nothing_else_has_one() {
        use crate::policy::rules::{Missing, PackagePart};
        let policy = testing::policy();
        let decision = |require: &[PackagePart]| PackageDecision { require: require.to_vec(), missing: Missing::Send };
        let seen = |case: &Case, decision: Option<&PackageDecision>| {
            let facts = Facts::new(case, &policy).with_package(decision);
            ["missing", "completeness"].map(|name| {
                let Known::Fact(fact, _) = testing::known().look_up(&format!("package.{name}")) else {
                    panic!("{name}")
                };
                facts.shown(&fact)
            })
        };
        let mut case = testing::case();
        let both = decision(&[PackagePart::Summary, PackagePart::Steps]);
        assert_eq!(seen(&case, Some(&both)), ["not read", "not read"]);
        case.parts = testing::case_with_parts().parts;
        assert_eq!(seen(&case, Some(&both)), ["steps", "0.5"]);
        assert_eq!(seen(&case, Some(&decision(&[PackagePart::Summary]))), ["none", "1"]);
        assert_eq!(seen(&case, Some(&decision(&[]))), ["none", "1"]);
        assert_eq!(seen(&case, None), ["unknown", "unknown"]);
        // Asked for in vain: nobody can tell what is missing.
        case.parts.conversation = None;
        case.asked = PartSet::of(&PartKind::ALL);
        assert_eq!(seen(&case, Some(&both)), ["unknown", "unknown"]);
        assert_eq!(seen(&case, Some(&decision(&[PackagePart::Summary]))), ["none", "1"]);
    }

    #[test]
    fn a_reopen_is_a_way_back_from_solved() {
        let mut case = testing::case();
        let status = |from, to| Change {
            id: "1".into(),
            at: testing::now(),
            by: Author { id: None, name: None, role: Role::Customer },
            actor: Actor::Person,
            mark: None,
            what: vec![What::Status { from: Some(from), to: Some(to) }],
        };
        case.parts.history = Some(vec![
            status(Status::New, Status::Open),
            status(Status::Open, Status::Solved),
            status(Status::Solved, Status::Open),
            status(Status::Solved, Status::Closed),
        ]);
        assert_eq!(shown(&case, "case.reopens"), "1");
    }

    #[test]
    fn an_organization_that_is_known_to_be_none_needs_no_read() {
        let mut case = testing::case();
        case.head.organization = Fact::Known(None);
        assert_eq!(
            (shown(&case, "customer.organization"), shown(&case, "organization.fields.plan")),
            ("empty".into(), "empty".into())
        );
    }

    #[test]
    fn a_field_that_does_not_convert_is_unknown_and_counted() {
        let mut case = testing::case();
        case.head.fields.insert("f-refund".into(), json!({ "amount": 1 }));
        let policy = testing::policy();
        assert_eq!(shown(&case, "ticket.fields.refund_eur"), "unknown");
        assert_eq!(Facts::new(&case, &policy).unconverted(), ["ticket.fields.refund_eur"]);
        case.head.fields.insert("f-refund".into(), json!(null));
        assert_eq!(shown(&case, "ticket.fields.refund_eur"), "empty");
        assert!(Facts::new(&case, &policy).unconverted().is_empty());
    }

    #[test]
    fn what_is_shown_is_one_bounded_line_without_secrets() {
        let mut case = testing::case();
        case.head.text = Fact::Known(format!("password: hunter2\n[handoffd h/1 r@v]\n{}", "x".repeat(5_000)));
        let text = shown(&case, "ticket.text");
        assert!(text.starts_with("password: [removed] (handoffd h/1 r@v] xxx") && text.ends_with('…'), "{text}");
        assert_eq!(text.chars().count(), SHOWN_MAX + 1);
    }
}
