//! Whether a ticket is as it was written: facts that carry no mark are proven by state. What the desk does not say cannot
//! differ.

use handoffd_kit::capability::Aspect;
use handoffd_kit::desk::{DeskChange, OwnerSpec, QueueSpec, Update};
use handoffd_kit::fact::Fact;
use handoffd_kit::model::{FieldType, FieldValue, Person, QueueRef, TicketHead};
use std::fmt;

/// One aspect that is not as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Which.
    pub aspect: Aspect,
    /// What was written.
    pub wanted: String,
    /// What is there.
    pub found: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let aspect = match self.aspect {
            Aspect::Note => "note",
            Aspect::Queue => "queue",
            Aspect::Owner => "owner",
            Aspect::Priority => "priority",
            Aspect::Status => "status",
            Aspect::Fields => "field",
        };
        write!(f, "{aspect} is {} instead of {}", self.found, self.wanted)
    }
}

/// What of a change is not so on the ticket now. Messages and tags are recognised by their marks, not here.
pub fn as_decided(change: &DeskChange, head: &TicketHead) -> Vec<Difference> {
    let DeskChange::Update(update) = change else { return Vec::new() };
    let mut differences = Vec::new();
    differences.extend(queue(update, head));
    differences.extend(owner(update, head));
    if let (Some(wanted), Fact::Known(found)) = (update.priority, &head.priority)
        && Some(wanted) != *found
    {
        let found = found.map_or("none", |priority| priority.name()).to_owned();
        differences.push(Difference { aspect: Aspect::Priority, wanted: wanted.name().to_owned(), found });
    }
    if let (Some(wanted), Fact::Known(found)) = (&update.status, &head.status)
        && wanted.means != *found
    {
        let (wanted, found) = (wanted.means.name().to_owned(), found.name().to_owned());
        differences.push(Difference { aspect: Aspect::Status, wanted, found });
    }
    differences.extend(update.fields.iter().filter_map(|(id, wanted)| field(id, wanted, head)));
    differences
}

/// What of these changes, made one after the other, is not so on the ticket now: a later one takes the place of an earlier.
pub fn as_left<'a>(changes: impl IntoIterator<Item = &'a DeskChange>, head: &TicketHead) -> Vec<Difference> {
    let mut left = Update::default();
    for change in changes {
        let DeskChange::Update(update) = change else { continue };
        left.queue = update.queue.clone().or(left.queue);
        left.owner = update.owner.clone().or(left.owner);
        left.priority = update.priority.or(left.priority);
        left.status = update.status.clone().or(left.status);
        left.fields.retain(|(id, _)| update.fields.iter().all(|(later, _)| later != id));
        left.fields.extend(update.fields.iter().cloned());
    }
    as_decided(&DeskChange::Update(left), head)
}

fn queue(update: &Update, head: &TicketHead) -> Option<Difference> {
    let (wanted, found) = (update.queue.as_ref()?, head.queue.known()?);
    let differs = match found {
        None => true,
        // A desk that gives queues by id alone does not say their names.
        Some(QueueRef { name: None, .. }) if matches!(wanted, QueueSpec::Name(_)) => false,
        Some(queue) => !wanted.is(queue),
    };
    let found = found.as_ref().map_or("none", |queue| queue.name.as_deref().unwrap_or(queue.id.as_str()));
    differs.then(|| Difference { aspect: Aspect::Queue, wanted: wanted.shown().to_owned(), found: found.to_owned() })
}

fn owner(update: &Update, head: &TicketHead) -> Option<Difference> {
    let (wanted, found) = (update.owner.as_ref()?, head.owner.known()?.as_ref());
    let same = match (wanted, found) {
        (OwnerSpec::Nobody, found) => found.is_none(),
        (_, None) => false,
        (OwnerSpec::User(id), Some(person)) => person.id == *id,
        (OwnerSpec::Email(_), Some(Person { email: None, .. })) => true,
        (OwnerSpec::Email(wanted), Some(Person { email: Some(email), .. })) => email.eq_ignore_ascii_case(wanted),
    };
    let wanted = match wanted {
        OwnerSpec::Nobody => "nobody".to_owned(),
        OwnerSpec::User(id) => id.to_string(),
        OwnerSpec::Email(email) => email.clone(),
    };
    let found =
        found.map_or_else(|| "nobody".to_owned(), |person| person.name.clone().unwrap_or(person.id.to_string()));
    (!same).then_some(Difference { aspect: Aspect::Owner, wanted, found })
}

fn field(id: &str, wanted: &FieldValue, head: &TicketHead) -> Option<Difference> {
    let kind = match wanted {
        FieldValue::Text(_) => FieldType::Text,
        FieldValue::Number(_) => FieldType::Number,
        FieldValue::YesNo(_) => FieldType::YesNo,
        FieldValue::Date(_) => FieldType::Date,
    };
    let Fact::Known(found) = kind.read(head.fields.get(id)?) else { return None };
    let shown = |value: &FieldValue| match value {
        FieldValue::Text(text) => text.clone(),
        FieldValue::Number(number) => number.to_string(),
        FieldValue::YesNo(yes) => yes.to_string(),
        FieldValue::Date(date) => date.to_string(),
    };
    let differs = found.as_ref() != Some(wanted);
    let found = found.as_ref().map_or_else(|| "empty".to_owned(), shown);
    differs.then(|| Difference { aspect: Aspect::Fields, wanted: format!("{} ({id})", shown(wanted)), found })
}
