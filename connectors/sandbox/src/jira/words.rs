//! Names and numbers: statuses with their categories, priorities, fields, keys and account ids (Jira Service Management sheet,
//! *Objects*). One project, a workflow in which every status leads to every other, and a select list that says which team has an
//! issue.

use crate::ids::{FieldNo, PersonNo, TicketNo};
use crate::people::{Person, Role};
use crate::store::Helpdesk;
use crate::ticket::{FieldDef, Status, Ticket};
use serde_json::{Value, json};

/// The project of all issues, unless one was moved.
pub const PROJECT: &str = "HELP";

/// The select list that says which team has an issue.
pub const TEAM_FIELD: &str = "customfield_10050";

/// What people call that list.
pub(super) const TEAM_NAME: &str = "Support team";
/// The organisations of a customer.
pub(super) const ORGANIZATIONS: &str = "customfield_10002";
/// What kind of request it is; empty: no customer sees it.
pub(super) const REQUEST_TYPE: &str = "customfield_10010";
/// Who else takes part in a request.
pub(super) const PARTICIPANTS: &str = "customfield_10031";

/// One status.
pub(super) struct Word {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    category: (u64, &'static str, &'static str, &'static str),
    pub(super) means: Status,
}

const TODO: (u64, &str, &str, &str) = (2, "new", "blue-gray", "To Do");
const GOES_ON: (u64, &str, &str, &str) = (4, "indeterminate", "yellow", "In Progress");
const DONE: (u64, &str, &str, &str) = (3, "done", "green", "Done");

const fn word(
    id: &'static str,
    name: &'static str,
    category: (u64, &'static str, &'static str, &'static str),
    means: Status,
) -> Word {
    Word { id, name, category, means }
}

/// All statuses.
pub(super) const STATUSES: [Word; 6] = [
    word("1", "Open", TODO, Status::New),
    word("10100", "Waiting for support", GOES_ON, Status::Open),
    word("10101", "Waiting for customer", GOES_ON, Status::Pending),
    word("10102", "Escalated to vendor", GOES_ON, Status::OnHold),
    word("5", "Resolved", DONE, Status::Solved),
    word("6", "Closed", DONE, Status::Closed),
];

/// A status' words.
pub(super) fn status(status: Status) -> &'static Word {
    STATUSES.iter().find(|word| word.means == status).unwrap_or(&STATUSES[0])
}

impl Word {
    /// As issues, transitions and lists show it.
    pub(super) fn shown(&self) -> Value {
        let (id, key, color, name) = self.category;
        json!({
            "id": self.id, "name": self.name, "description": "",
            "statusCategory": { "id": id, "key": key, "colorName": color, "name": name },
        })
    }

    /// Whether it ends a request.
    pub(super) fn is_done(&self) -> bool {
        self.category.1 == "done"
    }

    /// The service desk's name of its category.
    pub(super) fn category(&self) -> String {
        self.category.1.to_uppercase()
    }
}

/// The helpdesk keeps priorities as words.
pub(super) const PRIORITIES: [(&str, &str, &str); 4] =
    [("urgent", "1", "Highest"), ("high", "2", "High"), ("normal", "3", "Medium"), ("low", "4", "Low")];

/// A priority as issues show it; none was set: `null`.
pub(super) fn priority(word: Option<&str>) -> Value {
    let known = PRIORITIES.iter().find(|(known, ..)| Some(*known) == word);
    known.map_or(Value::Null, |(_, id, name)| json!({ "id": id, "name": name }))
}

/// How the API names a custom field.
pub fn field_id(def: &FieldDef) -> String {
    format!("customfield_{}", def.no)
}

/// The custom field of this name in the API.
pub(super) fn field<'a>(desk: &'a Helpdesk, id: &str) -> Option<&'a FieldDef> {
    desk.fields.get(&FieldNo(id.strip_prefix("customfield_")?.parse().ok()?))
}

/// How the API names somebody.
pub fn account_id(person: &Person) -> String {
    let origin = match person.role {
        Role::Customer => "qm:sandbox",
        _ => "557058",
    };
    format!("{origin}:{}", person.no)
}

/// Whom an account id names.
pub(super) fn person_of<'a>(desk: &'a Helpdesk, id: &str) -> Option<&'a Person> {
    let (_, no) = id.rsplit_once(':')?;
    desk.person(PersonNo(no.parse().ok()?)).filter(|person| account_id(person) == id)
}

/// The project of an issue.
pub(super) fn project_of(ticket: &Ticket) -> &str {
    ticket.extra.get("project").map_or(PROJECT, String::as_str)
}

/// The key of an issue, which is another one once it was moved.
pub(super) fn key(ticket: &Ticket) -> String {
    format!("{}-{}", project_of(ticket), ticket.no)
}

/// The issue that an id or a key names.
pub(super) fn issue_no(text: &str) -> Option<TicketNo> {
    let number = match text.rsplit_once('-') {
        Some((project, number)) if !project.is_empty() => number,
        Some(_) => return None,
        None => text,
    };
    number.parse().ok().map(TicketNo)
}
