//! The ticket of a test as the desk would tell it: head, messages, history, customer, clocks. What is not stated is
//! unknown, but for what an ordinary ticket has: it is open, has no tags, and its customer is a person.

use super::super::desks::DeskDraft;
use super::super::found::{At, Found};
use super::super::keys;
use super::super::names::refers;
use super::super::scalar::shown;
use super::super::walk::{Section, kind_of};
use super::{AN_HOUR, Place, Values, count, moment};
use crate::policy::case::Memory;
use crate::policy::clocks::ClockName;
use crate::policy::facts::is_public_by;
use crate::policy::rules::FieldOwner;
use handoffd_kit::desk::QueueSpec;
use handoffd_kit::fact::Fact;
use handoffd_kit::id::{ChangeId, MessageId, OrganizationId, QueueId, TicketId, UserId, Version};
use handoffd_kit::model::{
    Actor, Attachment, Author, Change, ClockState, Contacts, Conversation, Customer, FieldType, InternalText, Message,
    Organization, PastTicket, Person, Priority, PublicText, QueueRef, Role, Said, Status, TicketHead, VendorClock,
    What,
};
use jiff::Timestamp;
use toml::Spanned;
use toml::de::DeValue;

const STATUSES: [(&str, Status); 6] = [
    ("new", Status::New),
    ("open", Status::Open),
    ("pending", Status::Pending),
    ("on_hold", Status::OnHold),
    ("solved", Status::Solved),
    ("closed", Status::Closed),
];
const PRIORITIES: [(&str, Priority); 4] =
    [("low", Priority::Low), ("normal", Priority::Normal), ("high", Priority::High), ("urgent", Priority::Urgent)];
const CLOCK_STATES: [(&str, ClockState); 4] = [
    ("running", ClockState::Running),
    ("paused", ClockState::Paused),
    ("met", ClockState::Met),
    ("breached", ClockState::Breached),
];

/// Reads a test's ticket on this desk at this instant.
pub(super) struct Reading<'w> {
    pub desk: &'w DeskDraft,
    pub at: Timestamp,
}

impl Reading<'_> {
    /// The head, and what was said.
    pub fn head(&self, found: &mut Found<'_>, ticket: &Section<'_>, place: &Place<'_>) -> (TicketHead, Conversation) {
        let id = ticket.text(found, "id").map_or("1", |id| id.value);
        let mut head = TicketHead::unknown(TicketId::new(id), Version::from("test"));
        let opened = moment(found, ticket, "opened", self.at);
        let opened = opened.unwrap_or_else(|| self.at.saturating_sub(AN_HOUR).unwrap_or(Timestamp::MIN));
        head.created_at = Fact::Known(opened);
        head.updated_at = Fact::Known(moment(found, ticket, "updated", self.at).unwrap_or(opened));
        head.subject = ticket.any_text(found, "subject").map(|text| text.value.to_owned()).into();
        head.channel = ticket.any_text(found, "channel").map(|text| text.value.to_owned()).into();
        head.kind = or_none(ticket.any_text(found, "type"));
        head.language = or_none(ticket.any_text(found, "language"));
        head.status = Fact::Known(ticket.word(found, "status", &STATUSES).unwrap_or(Status::Open));
        head.priority = match ticket.any_text(found, "priority") {
            Some(text) if text.value.is_empty() => Fact::Known(None),
            Some(_) => Fact::Known(ticket.word(found, "priority", &PRIORITIES)),
            None => Fact::Unknown,
        };
        let tags = ticket.texts(found, "tags").unwrap_or_default();
        head.tags = Fact::Known(tags.into_iter().map(|tag| tag.value.to_owned()).collect());
        head.machine_mail = Fact::Known(ticket.yes_or_no(found, "machine_mail").unwrap_or(false));
        head.reply_reaches_customer = Fact::Known(true);
        head.queue = Fact::Known(queue(place));
        let owner = ticket.text(found, "owner").map(|name| Person {
            id: UserId::new(name.value),
            name: Some(name.value.to_owned()),
            email: None,
            role: Role::Agent,
        });
        head.owner = Fact::Known(owner);
        head.fields = self.fields(found, ticket, FieldOwner::Ticket);
        let conversation = self.conversation(found, ticket, opened);
        (head, conversation)
    }

    /// `fields` of a table whose fields are this one's.
    fn fields(&self, found: &mut Found<'_>, table: &Section<'_>, of: FieldOwner) -> Values {
        let mut values = Values::new();
        let Some(section) = table.open_table(found, "fields") else { return values };
        let declared = self.desk.policy.fields.iter().filter(|(_, field)| field.of == of);
        let known = declared.clone().map(|(name, _)| name.as_str()).chain(self.broken());
        for (name, value) in section.entries() {
            if !refers(found, &name, "field", "[desks.NAME.fields]", known.clone()) {
                continue;
            }
            let Some((_, field)) = declared.clone().find(|(known, _)| *known == name.value) else { continue };
            let sent = json(value.get_ref());
            if sent.as_ref().is_none_or(|sent| field.kind.read(sent).is_unknown()) {
                let message = format!("the field `{}` is {}", shown(name.value), kind_name(field.kind));
                found.error(&value.span(), message, kind_help(field.kind));
            }
            values.insert(field.id.clone(), sent.unwrap_or_default());
        }
        values
    }

    /// Fields whose declaration is wrong: nothing is said about their values.
    fn broken(&self) -> impl Iterator<Item = &str> + Clone {
        self.desk.broken_fields.iter().map(String::as_str)
    }

    fn conversation(&self, found: &mut Found<'_>, ticket: &Section<'_>, opened: Timestamp) -> Conversation {
        let files = ticket.texts(found, "attachments").unwrap_or_default();
        let attachments: Vec<Attachment> = files
            .into_iter()
            .map(|file| Attachment { name: file.value.to_owned(), media_type: None, bytes: None, link: None })
            .collect();
        let text = ticket.any_text(found, "text");
        let mut messages = Vec::new();
        if text.is_some() || !attachments.is_empty() {
            let words = text.map_or("", |text| text.value);
            messages.push(Message { attachments, ..said(opened, Role::Customer, words, false) });
        }
        for value in ticket.values(found, "messages") {
            messages.extend(self.message(found, ticket, value));
        }
        messages.sort_by_key(|message| message.at);
        Conversation { messages, complete: true }
    }

    fn message(&self, found: &mut Found<'_>, ticket: &Section<'_>, value: &Spanned<DeValue<'_>>) -> Option<Message> {
        let Some(table) = value.get_ref().as_table() else {
            let message = format!("a message is a table, not {}", kind_of(value.get_ref()));
            found.error(&value.span(), message, ticket.like("messages"));
            return None;
        };
        let title = format!("a message of {}", ticket.title);
        let section = Section::open(found, table, keys::TEST_MESSAGE, title, value.span());
        for key in ["from", "text"].into_iter().filter(|key| !section.has(key)) {
            section.missing(found, key);
        }
        let roles = [("customer", Role::Customer), ("agent", Role::Agent), ("automation", Role::Automation)];
        let from = section.word(found, "from", &roles)?;
        let text = section.any_text(found, "text")?;
        let internal = section.yes_or_no(found, "internal").unwrap_or(false);
        let at = moment(found, &section, "at", self.at).unwrap_or(self.at);
        Some(said(at, from, text.value, internal))
    }

    /// Replies that are only counted.
    pub fn replies(&self, found: &mut Found<'_>, case: &Section<'_>, into: &mut Conversation, opened: Timestamp) {
        for (key, role) in [("agent_replies", Role::Agent), ("customer_replies", Role::Customer)] {
            let Some(replies) = count(found, case, key) else { continue };
            let there = into.messages.iter().filter(|message| is_public_by(message, role)).count();
            // The one that opened the ticket is no reply.
            let opens = usize::from(role == Role::Customer);
            let wanted = usize::try_from(replies).unwrap_or(usize::MAX).saturating_add(opens);
            into.messages.extend((there..wanted).map(|_| said(opened, role, "…", false)));
        }
    }

    /// How long it has had its status.
    pub fn in_status(&self, found: &mut Found<'_>, ticket: &Section<'_>, head: &TicketHead) -> Vec<Change> {
        let since = moment(found, ticket, "in_status", self.at);
        since.map(|at| change(at, What::Status { from: None, to: head.status.known().copied() })).into_iter().collect()
    }

    /// How often it was reopened.
    pub fn reopens(&self, found: &mut Found<'_>, case: &Section<'_>, opened: Timestamp) -> Vec<Change> {
        let times = count(found, case, "reopens").unwrap_or(0);
        let reopened = What::Status { from: Some(Status::Solved), to: Some(Status::Open) };
        (0..times).map(|_| change(opened, reopened.clone())).collect()
    }

    /// How many tickets the customer has opened lately. A test that says nothing of them knows nothing of them.
    pub fn contacts(&self, found: &mut Found<'_>, case: &Section<'_>) -> Option<Contacts> {
        let past = |number: u32| PastTicket {
            id: TicketId::new(format!("test-{number}")),
            subject: Fact::Unknown,
            status: Fact::Unknown,
            created_at: Fact::Known(self.at),
        };
        let tickets = (0..count(found, case, "contacts_30d")?).map(past).collect();
        Some(Contacts { tickets, complete: true, as_of: self.at })
    }

    /// Who asks. A test that says nothing of them knows nothing of them.
    pub fn customer(
        &self,
        found: &mut Found<'_>,
        customer: Option<&Section<'_>>,
        organization: Option<&Section<'_>>,
    ) -> Option<Customer> {
        if customer.is_none() && organization.is_none() {
            return None;
        }
        let mut text = |key: &str| customer.and_then(|table| table.any_text(found, key));
        let (name, email, language, zone) = (text("name"), text("email"), text("language"), text("zone"));
        let own = |text: Option<At<&str>>| text.map(|text| text.value.to_owned());
        let person = Person { id: UserId::from("customer"), name: own(name), email: own(email), role: Role::Customer };
        let fields = customer.map(|table| self.fields(found, table, FieldOwner::Customer));
        let organization = organization.map(|table| {
            Some(Organization {
                id: OrganizationId::from("organization"),
                name: table.any_text(found, "name").map(|name| name.value.to_owned()),
                fields: self.fields(found, table, FieldOwner::Organization),
            })
        });
        Some(Customer {
            person,
            language: or_none(language),
            zone: or_none(zone),
            fields: fields.unwrap_or_default(),
            organization: organization.into(),
        })
    }

    /// The desk's clocks: a state, or a table with `state` and `until`.
    pub fn clocks(&self, found: &mut Found<'_>, test: &Section<'_>, memory: &mut Memory) -> Vec<VendorClock> {
        let mut clocks = Vec::new();
        let Some(table) = test.open_table(found, "clocks") else { return clocks };
        let known = ClockName::ALL.into_iter().map(ClockName::name);
        for (name, value) in table.entries() {
            if !refers(found, &name, "clock", "first_reply, next_reply, resolution or internal", known.clone()) {
                continue;
            }
            let Some(entries) = value.get_ref().as_table() else {
                let message = format!("a clock is a table, not {}", kind_of(value.get_ref()));
                let help = format!("write {} = {{ state = \"running\", until = 2026-11-02T14:00:00Z }}", name.value);
                found.error(&value.span(), message, help);
                continue;
            };
            let title = format!("the clock `{}` of {}", name.value, test.title);
            let section = Section::open(found, entries, keys::TEST_CLOCK, title, value.span());
            let state = section.word(found, "state", &CLOCK_STATES).unwrap_or(ClockState::Running);
            // A clock ends later: a duration is ahead here.
            let until = match section.raw("until").and_then(|value| value.get_ref().as_str()) {
                Some(text) if super::scalar::duration(text).is_ok() => {
                    super::scalar::duration(text).ok().and_then(|ahead| self.at.saturating_add(ahead).ok())
                }
                _ => super::instant(found, &section, "until"),
            };
            // The one that the ledger keeps: it has an instant, and no state of its own.
            if name.value == ClockName::Internal.name() {
                memory.internal_until = until;
                continue;
            }
            clocks.push(VendorClock { name: name.value.to_owned(), state, breaches_at: until });
        }
        clocks
    }
}

fn or_none(text: Option<At<&str>>) -> Fact<Option<String>> {
    text.map(|text| Some(text.value.to_owned()).filter(|text| !text.is_empty())).into()
}

fn queue(place: &Place<'_>) -> Option<QueueRef> {
    let named = |name: &str| QueueRef { id: QueueId::new(name), name: Some(name.to_owned()) };
    match (place.team.map(|team| &team.queue), &place.queue) {
        (Some(QueueSpec::Name(name)), _) => Some(named(name)),
        (Some(QueueSpec::Id(id)), _) => Some(QueueRef { id: QueueId::new(id), name: None }),
        (None, Some(queue)) => Some(named(queue)),
        (None, None) => None,
    }
}

fn said(at: Timestamp, role: Role, words: &str, internal: bool) -> Message {
    let said = if internal {
        Said::Internally(InternalText(words.to_owned()))
    } else {
        Said::Publicly(PublicText(words.to_owned()))
    };
    let author = Author { id: None, name: None, role };
    Message { id: MessageId::from("test"), at, author, said, attachments: Vec::new(), by_machine: Fact::Unknown }
}

/// What was said, as the history tells it: an agent who wrote has acted.
pub fn spoken(conversation: &Conversation) -> impl Iterator<Item = Change> {
    conversation.messages.iter().map(|message| {
        let what = What::Said { visibility: message.said.visibility(), message: message.id.clone() };
        let actor = if message.author.role == Role::Automation { Actor::Automation } else { Actor::Person };
        Change { by: message.author.clone(), actor, ..change(message.at, what) }
    })
}

fn change(at: Timestamp, what: What) -> Change {
    let by = Author { id: None, name: None, role: Role::Unknown };
    Change { id: ChangeId::from("test"), at, by, actor: Actor::Unknown, mark: None, what: vec![what] }
}

/// A value as a desk would send it; none for what no field holds.
fn json(value: &DeValue<'_>) -> Option<serde_json::Value> {
    Some(match value {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok()?.into(),
        DeValue::Float(number) => number.as_str().parse::<f64>().ok().filter(|number| number.is_finite())?.into(),
        DeValue::Boolean(yes) => (*yes).into(),
        DeValue::Datetime(date) => date.to_string().into(),
        DeValue::Array(list) => list.iter().map(|value| json(value.get_ref())).collect::<Option<Vec<_>>>()?.into(),
        DeValue::Table(_) => return None,
    })
}

fn kind_name(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Text => "a text",
        FieldType::Number => "a number",
        FieldType::YesNo => "yes or no",
        FieldType::Date => "a date",
        FieldType::Choice => "one of the desk's choices, a text",
    }
}

fn kind_help(kind: FieldType) -> &'static str {
    match kind {
        FieldType::Text | FieldType::Choice => "write a text in quotes; \"\" is an empty field",
        FieldType::Number => "write a number; \"\" is an empty field",
        FieldType::YesNo => "write true or false; \"\" is an empty field",
        FieldType::Date => "write a date: 2026-11-02; \"\" is an empty field",
    }
}
