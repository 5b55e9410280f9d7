//! One ticket's history as rows of an event log, and the map that reads them. Pure.
//!
//! A history says what became of things and seldom what they were at first: that is told by the first change's own *before*, or,
//! where a thing never changed, by what the ticket shows today. [`known`](super::known) says it of labels and custom fields.

use super::known::Known;
use crate::policy::rules::{FieldDeclaration, FieldOwner};
use crate::policy::teams::Team;
use handoffd_kit::id::{DeskId, UserId};
use handoffd_kit::model::{
    Actor, Change, Conversation, Ending, FieldType, Priority, QueueRef, Role, Status, TicketHead, Visibility, What,
};
use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// What ends a case in the log: statuses, and the words for tickets that take no more work.
const DONE: [&str; 6] = ["solved", "closed", "merged", "deleted", "spam", "archived"];

/// One event.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The ticket.
    pub case: String,
    /// Its number among the ticket's events.
    pub nth: u32,
    /// When.
    pub at: Timestamp,
    /// The queue afterwards, as the policy names it, else as the desk does; empty: none.
    pub queue: String,
    /// The status afterwards; empty: unknown.
    pub status: String,
    /// The owner afterwards, by a name that says nothing; empty: nobody.
    pub owner: String,
    /// The priority afterwards, where the history tells it.
    pub priority: String,
    /// The labels afterwards; none: they cannot be told.
    pub tags: Option<Vec<String>>,
    /// Custom fields afterwards, by the policy's name: null where they cannot be told, an empty list where the field is empty.
    pub fields: BTreeMap<String, Value>,
    /// What kind of thing acted: agent, customer, person, automation, handoffd, unknown.
    pub by: &'static str,
    /// Which agent acted, by a name that says nothing.
    pub who: String,
    /// What was changed.
    pub what: String,
    /// The ticket's subject, in its first row, where text was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// What was said, where text was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

/// What makes rows of a desk's tickets.
pub struct Rows<'d> {
    /// The desk.
    pub desk: &'d DeskId,
    /// Its teams in the policy: their queues are called as the policy calls them.
    pub teams: Vec<&'d Team>,
    /// The desk's own names of queues, by id.
    pub queues: BTreeMap<String, String>,
    /// The desk's custom fields in the policy.
    pub fields: &'d BTreeMap<String, FieldDeclaration>,
    /// Subjects, what was said, and fields of text stand in the rows.
    pub with_text: bool,
}

/// The ticket's own fields that stand in the rows: without text, only those that hold a number, a date, one of a list, or yes and no.
pub fn kept(
    fields: &BTreeMap<String, FieldDeclaration>,
    with_text: bool,
) -> impl Iterator<Item = (&str, &FieldDeclaration)> {
    let fields = fields.iter().map(|(name, field)| (name.as_str(), field));
    fields.filter(move |(_, field)| field.of == FieldOwner::Ticket && (with_text || field.kind != FieldType::Text))
}

/// How a ticket stands at a moment.
#[derive(Clone, Default)]
struct Now {
    queue: Option<QueueRef>,
    status: Option<Status>,
    owner: Option<UserId>,
    priority: Option<Priority>,
    tags: Option<Vec<String>>,
    fields: BTreeMap<String, Value>,
    merged: bool,
}

impl Rows<'_> {
    /// The rows of one ticket; none where it cannot be told when it began.
    pub fn of(&self, head: &TicketHead, history: &[Change], said: Option<&Conversation>) -> Vec<Row> {
        let mut now = at_first(head, history);
        let known = Known::of(head, history, kept(self.fields, self.with_text));
        let (tags, fields) = known.before();
        (now.tags, now.fields) = (tags, fields);
        let mut rows: Vec<Row> = Vec::new();
        let created = history.first().is_some_and(|change| change.what.contains(&What::Created));
        if let (Some(at), false) = (head.created_at.known(), created) {
            let first = history.first().map_or(*at, |change| change.at.min(*at));
            rows.push(Row { at: first, what: "created".to_owned(), by: "unknown", ..self.row(head, &now) });
        }
        for (at, change) in history.iter().enumerate() {
            change.what.iter().for_each(|what| now.follow(what));
            (now.tags, now.fields) = known.after(at);
            let by = change.by.id.as_ref().filter(|_| matches!(change.by.role, Role::Agent | Role::Us));
            rows.push(Row {
                at: change.at,
                by: actor(change),
                who: by.map_or_else(String::new, |id| self.nameless(id)),
                what: words(&change.what),
                said: said.filter(|_| self.with_text).and_then(|said| spoken(&change.what, said)),
                ..self.row(head, &now)
            });
        }
        if let (Some(ending), Some(last)) = (ending(head), rows.last()) {
            let at = head.updated_at.known().copied().unwrap_or(last.at).max(last.at);
            if last.status != ending {
                let end = Row {
                    at,
                    status: ending.to_owned(),
                    what: "ended".to_owned(),
                    by: "unknown",
                    ..self.row(head, &now)
                };
                rows.push(end);
            }
        }
        if let (true, Some(first)) = (self.with_text, rows.first_mut()) {
            first.subject = head.subject.known().cloned();
        }
        for (nth, row) in rows.iter_mut().enumerate() {
            row.nth = u32::try_from(nth).unwrap_or(u32::MAX);
        }
        rows
    }

    fn row(&self, head: &TicketHead, now: &Now) -> Row {
        let status = if now.merged { Some("merged") } else { now.status.map(Status::name) };
        Row {
            case: head.id.to_string(),
            queue: now.queue.as_ref().map_or_else(String::new, |queue| self.queue(queue)),
            status: status.unwrap_or_default().to_owned(),
            owner: now.owner.as_ref().map_or_else(String::new, |owner| self.nameless(owner)),
            priority: now.priority.map_or("", Priority::name).to_owned(),
            tags: now.tags.clone(),
            fields: now.fields.clone(),
            ..Row::default()
        }
    }

    /// A queue by the policy's word for it, else by the desk's name, else by its id.
    fn queue(&self, queue: &QueueRef) -> String {
        let name = queue.name.as_ref().or_else(|| self.queues.get(queue.id.as_str()));
        let named = QueueRef { id: queue.id.clone(), name: name.cloned() };
        let team = self.teams.iter().find(|team| team.queue.is(&named));
        let shown = team.map(|team| team.queue.shown().to_owned());
        shown.or(named.name).unwrap_or_else(|| queue.id.to_string())
    }

    /// The same for the same person, and nothing else is told by it: on some desks an id is a mail address.
    fn nameless(&self, id: &UserId) -> String {
        let hash = Sha256::digest(format!("{}\u{1f}{id}", self.desk));
        hash.iter().take(5).fold("p".to_owned(), |mut text, byte| {
            // Writing into a text cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

impl Now {
    fn follow(&mut self, what: &What) {
        match what {
            What::Queue { to, .. } => self.queue.clone_from(to),
            What::Owner { to, .. } => self.owner.clone_from(to),
            What::Status { to, .. } => self.status = *to,
            What::Priority { to } => self.priority = *to,
            What::Merged { .. } => self.merged = true,
            What::Created | What::Field { .. } | What::Tags { .. } | What::Said { .. } | What::Other(_) => {}
        }
    }
}

/// How it stood before its first change.
fn at_first(head: &TicketHead, history: &[Change]) -> Now {
    let all = || history.iter().flat_map(|change| &change.what);
    let queue = all().find_map(|what| if let What::Queue { from, .. } = what { Some(from.clone()) } else { None });
    let owner = all().find_map(|what| if let What::Owner { from, .. } = what { Some(from.clone()) } else { None });
    let status = all().find_map(|what| if let What::Status { from, .. } = what { Some(*from) } else { None });
    // A history does not say what a priority was; where it never changed, it was what it is.
    let priority =
        if all().any(|what| matches!(what, What::Priority { .. })) { None } else { head.priority.known().copied() };
    Now {
        queue: queue.unwrap_or_else(|| head.queue.known().cloned().flatten()),
        owner: owner.unwrap_or_else(|| head.owner.known().cloned().flatten().map(|owner| owner.id)),
        status: status.unwrap_or_else(|| head.status.known().copied()),
        priority: priority.flatten(),
        ..Now::default()
    }
}

fn ending(head: &TicketHead) -> Option<&'static str> {
    Some(match head.ending.as_ref()? {
        Ending::Merged { .. } => "merged",
        Ending::Deleted => "deleted",
        Ending::Spam => "spam",
        Ending::Archived => "archived",
    })
}

fn actor(change: &Change) -> &'static str {
    match (change.actor, change.by.role) {
        (Actor::Us, _) => "handoffd",
        (Actor::Automation, _) => "automation",
        (Actor::Person, Role::Agent) => "agent",
        (Actor::Person, Role::Customer) => "customer",
        (Actor::Person, _) => "person",
        (Actor::Unknown, _) => "unknown",
    }
}

fn words(what: &[What]) -> String {
    let word = |what: &What| match what {
        What::Created => "created",
        What::Queue { .. } => "queue",
        What::Owner { .. } => "owner",
        What::Status { .. } => "status",
        What::Priority { .. } => "priority",
        What::Field { .. } => "field",
        What::Tags { .. } => "tags",
        What::Said { visibility: Visibility::Public, .. } => "said",
        What::Said { visibility: Visibility::Internal, .. } => "noted",
        What::Merged { .. } => "merged",
        What::Other(_) => "other",
    };
    let mut all: Vec<&str> = what.iter().map(word).collect();
    all.dedup();
    all.join(" ")
}

fn spoken(what: &[What], said: &Conversation) -> Option<String> {
    let ids = what.iter().filter_map(|what| if let What::Said { message, .. } = what { Some(message) } else { None });
    let texts = ids.filter_map(|id| said.messages.iter().find(|message| message.id == *id));
    let texts: Vec<&str> = texts.map(|message| message.said.words()).collect();
    (!texts.is_empty()).then(|| texts.join("\n"))
}

/// The map that reads such a file. Tiers are those of the policy's teams; a queue of no team has none.
pub fn map<'f>(teams: &[&Team], fields: impl Iterator<Item = &'f str>, about: &str) -> String {
    // What JSON quotes is quoted for TOML too; a longer form of TOML could not stand as a key.
    let quoted = |text: &str| Value::from(text).to_string();
    let tiers: Vec<String> =
        teams.iter().map(|team| format!("{} = {}", quoted(team.queue.shown()), team.tier)).collect();
    let done: Vec<String> = DONE.iter().map(|word| quoted(word)).collect();
    let fields: Vec<String> =
        fields.map(|name| format!("{} = {}", quoted(name), quoted(&format!("fields.{name}")))).collect();
    format!(
        "# {about}\ncase   = \"case\"\nat     = \"at\"\norder  = \"nth\"\nteam   = \"queue\"\nstatus = \"status\"\n\
         done   = [{}]\nagent  = \"who\"\nclaimed_when = {{ column = \"owner\", known = true }}\ntier   = {{ {} }}\n\
         tags   = \"tags\"\npriority = \"priority\"\nfields = {{ {} }}\n",
        done.join(", "),
        tiers.join(", "),
        fields.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoffd_kit::desk::QueueSpec;
    use handoffd_kit::fact::Fact;
    use handoffd_kit::id::{ChangeId, QueueId};
    use handoffd_kit::model::{Author, Person};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("an instant")
    }

    fn queue(id: &str) -> QueueRef {
        QueueRef { id: QueueId::from(id), name: None }
    }

    fn change(second: i64, role: Role, what: Vec<What>) -> Change {
        let actor = match role {
            Role::Us => Actor::Us,
            Role::Automation => Actor::Automation,
            _ => Actor::Person,
        };
        let by = Author { id: Some("alice@acme.example".into()), name: Some("Alice".into()), role };
        Change { id: ChangeId::from("7"), at: at(second), by, actor, mark: None, what }
    }

    fn head() -> TicketHead {
        let mut head = TicketHead::unknown("4711".into(), "v".into());
        head.created_at = Fact::Known(at(10));
        head.queue = Fact::Known(Some(queue("2")));
        head.status = Fact::Known(Status::Open);
        let person = Person { id: "bob".into(), name: Some("Bob".into()), email: None, role: Role::Agent };
        head.owner = Fact::Known(Some(person));
        head
    }

    fn rows(head: &TicketHead, history: &[Change]) -> Vec<Row> {
        let team = Team {
            name: "frontline".into(),
            tier: 1,
            desk: "acme".into(),
            queue: QueueSpec::Id("1".into()),
            public_name: None,
            hours: None,
            lead: None,
            reviewers: Vec::new(),
            alert: Vec::new(),
        };
        let queues = BTreeMap::from([("1".to_owned(), "Support".to_owned()), ("2".to_owned(), "Billing".to_owned())]);
        let (desk, fields) = (DeskId::from("acme"), BTreeMap::new());
        Rows { desk: &desk, teams: vec![&team], queues, fields: &fields, with_text: false }.of(head, history, None)
    }

    #[test]
    fn what_a_history_does_not_say_of_the_beginning_is_told_by_the_first_change_or_by_today() {
        let moved = What::Queue { from: Some(queue("1")), to: Some(queue("2")) };
        let history = [change(20, Role::Customer, vec![What::Other("x".into())]), change(30, Role::Agent, vec![moved])];
        let rows = rows(&head(), &history);
        let short: Vec<(i64, &str, &str, &str, &str)> = rows
            .iter()
            .map(|row| (row.at.as_second(), row.queue.as_str(), row.status.as_str(), row.by, row.what.as_str()))
            .collect();
        // The policy calls queue 1 by its id; queue 2, which is no team's, has the desk's name.
        assert_eq!(
            short,
            [
                (10, "1", "open", "unknown", "created"),
                (20, "1", "open", "customer", "other"),
                (30, "Billing", "open", "agent", "queue"),
            ]
        );
        assert!(rows.iter().all(|row| row.owner == rows[0].owner && !row.owner.is_empty()), "it never changed");
        assert_eq!(rows.iter().map(|row| row.nth).collect::<Vec<_>>(), [0, 1, 2]);
    }

    #[test]
    fn nobody_is_named_and_one_person_is_the_same_everywhere() {
        let owner = |from: Option<&str>, to: &str| What::Owner { from: from.map(UserId::from), to: Some(to.into()) };
        let history = [
            change(10, Role::Customer, vec![What::Created]),
            change(20, Role::Agent, vec![owner(None, "alice@acme.example")]),
        ];
        let rows = rows(&head(), &history);
        assert_eq!((rows[0].owner.as_str(), rows[0].who.as_str()), ("", ""), "a customer has no name at all");
        assert_eq!(rows[1].owner, rows[1].who);
        assert!(rows[1].who.len() == 11 && !serde_json::to_string(&rows).expect("JSON").contains("alice"), "{rows:?}");
    }

    #[test]
    fn a_case_that_takes_no_more_work_ends_and_one_without_a_beginning_has_no_rows_but_its_changes() {
        let solved = What::Status { from: Some(Status::Open), to: Some(Status::Solved) };
        let history = [change(10, Role::Agent, vec![What::Created]), change(20, Role::Agent, vec![solved])];
        let gone = TicketHead { ending: Some(Ending::Deleted), updated_at: Fact::Known(at(15)), ..head() };
        let ended = rows(&gone, &history);
        let last = ended.last().expect("rows");
        assert_eq!((last.status.as_str(), last.at, last.nth), ("deleted", at(20), 2), "never before what came last");
        let merged = [change(20, Role::Agent, vec![What::Merged { into: None }])];
        let into = TicketHead { ending: Some(Ending::Merged { into: None }), created_at: Fact::Unknown, ..head() };
        let ended = rows(&into, &merged);
        assert_eq!(ended.iter().map(|row| row.status.as_str()).collect::<Vec<_>>(), ["merged"]);
        assert_eq!(rows(&into, &[]), Vec::new());
    }

    #[test]
    fn the_map_survives_any_name_of_a_queue() {
        let text = map(&[], ["a \"b\""].into_iter(), "x");
        assert!(text.starts_with("# x\n") && toml::from_str::<toml::Table>(&text).is_ok());
        let hostile = Team {
            name: "a".into(),
            tier: 2,
            desk: "acme".into(),
            queue: QueueSpec::Name("a \"b\" = 1 }\n[x]\\".into()),
            public_name: None,
            hours: None,
            lead: None,
            reviewers: Vec::new(),
            alert: Vec::new(),
        };
        let read: toml::Table = map(&[&hostile], [].into_iter(), "x").parse().expect("TOML");
        assert_eq!(read["tier"]["a \"b\" = 1 }\n[x]\\"].as_integer(), Some(2));
    }
}
