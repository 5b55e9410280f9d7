//! Who works in a queue. RT has no word for that: what comes nearest are the queue's *AdminCc*, people and groups whom it
//! mails about every ticket and to whom sites give `OwnTicket`. RT does not show who has that right; whoever lacks it is
//! refused when they are made owner (RT sheet, *Changing*). Disabled people stay in their groups, and are missing in searches
//! (tried against RT 5.0.3).

use crate::api::{Ask, segment};
use crate::normalise::NOBODY;
use crate::read::Account;
use crate::wire::{GroupRecord, List, Named, OwnedTicket, PAGE, QueueRecord, User};
use handoffd_kit::desk::{Member, QueueSpec};
use handoffd_kit::error::{DeskError, DeskErrorKind, Result, Retry};
use handoffd_kit::id::UserId;
use handoffd_kit::model::{Person, Role};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

const OPERATION: &str = "read members";
/// Groups within groups are followed through at most so many groups.
const MOST_GROUPS: usize = 20;
/// So many people are asked for in one search: their names stand in the address.
const PEOPLE_AT_ONCE: usize = 40;
/// With more open tickets than this in a queue their owners are not counted: it would take too many calls.
const MOST_COUNTED: u64 = 400;

impl Account {
    /// Who works in a queue now.
    pub async fn members(&self, queue: &QueueSpec, deadline: Timestamp) -> Result<Vec<Member>> {
        let record: QueueRecord =
            self.api.read(Ask::new(OPERATION, format!("/queue/{}", segment(queue.shown())), deadline)).await?;
        let logins = self.through_groups(record.admin_cc, deadline).await?;
        if logins.is_empty() {
            let error = DeskError::new(DeskErrorKind::Refused, Retry::Never, OPERATION);
            return Err(error.words(format!("the queue {} has no AdminCc in RT", queue.shown())).next_step(
                "make the group of the people who work in the queue its AdminCc: it is how handoffd knows them",
            ));
        }
        let open = self.open_tickets(&record.name, deadline).await?;
        let me = self.me(deadline).await?;
        let active = self.not_disabled(&logins, deadline).await?;
        let told = |text: &String| Some(text).filter(|text| !text.is_empty()).cloned();
        let member = |login: &String| {
            let user = active.get(login);
            Member {
                person: Person {
                    id: UserId::from(login.as_str()),
                    name: user.and_then(|user| told(&user.real_name)),
                    email: user.and_then(|user| told(&user.email)),
                    role: if *login == me { Role::Us } else { Role::Agent },
                },
                active: user.is_some(),
                open: open.as_ref().map(|open| open.get(login).copied().unwrap_or(0)),
            }
        };
        Ok(logins.iter().map(member).collect())
    }

    /// The people among these, and those of the groups among these.
    async fn through_groups(&self, named: Vec<Named>, deadline: Timestamp) -> Result<BTreeSet<String>> {
        let (mut people, mut groups) = (BTreeSet::new(), Vec::new());
        let mut open = named;
        while let Some(one) = open.pop() {
            match one.kind.as_str() {
                "user" if one.id != NOBODY => drop(people.insert(one.id)),
                "group" if !groups.contains(&one.id) && groups.len() < MOST_GROUPS => {
                    let path = format!("/group/{}", segment(&one.id));
                    let group = self.api.read::<GroupRecord>(Ask::new(OPERATION, path, deadline)).await;
                    let group = group.map_err(|error| match error.kind {
                        DeskErrorKind::Forbidden => error.next_step("grant SeeGroup to handoffd's user"),
                        _ => error,
                    })?;
                    groups.push(one.id);
                    open.extend(group.members);
                }
                _ => {}
            }
        }
        Ok(people)
    }

    /// Those of these people who are not disabled: a search leaves the others out.
    async fn not_disabled(&self, logins: &BTreeSet<String>, deadline: Timestamp) -> Result<BTreeMap<String, User>> {
        let logins: Vec<&String> = logins.iter().collect();
        let mut found = BTreeMap::new();
        for some in logins.chunks(PEOPLE_AT_ONCE) {
            let conditions: Vec<Value> = some.iter().map(|login| json!({ "field": "Name", "value": login })).collect();
            let mut ask = Ask::new(OPERATION, "/users", deadline);
            ask.query = vec![
                ("query", Value::Array(conditions).to_string()),
                ("fields", "Name,RealName,EmailAddress".into()),
                ("per_page", PAGE.to_string()),
            ];
            let users: List<User> = self.api.read(ask).await?;
            // RT leaves conditions out that we may not ask for, and then gives everybody.
            let wanted = users.items.into_iter().filter(|user| some.contains(&&user.name));
            found.extend(wanted.map(|user| (user.name.clone(), user)));
        }
        Ok(found)
    }

    /// How many open tickets each person owns in a queue; none where there are too many to count.
    async fn open_tickets(&self, queue: &str, deadline: Timestamp) -> Result<Option<BTreeMap<String, u32>>> {
        let quoted = queue.replace('\\', r"\\").replace('\'', r"\'");
        let query = format!("Queue = '{quoted}' AND Status = '__Active__' AND Owner != '{NOBODY}'");
        let (mut open, mut read) = (BTreeMap::new(), 0);
        for page in 1.. {
            let mut ask = Ask::new(OPERATION, "/tickets", deadline);
            ask.query = vec![
                ("query", query.clone()),
                ("fields", "Owner".into()),
                ("per_page", PAGE.to_string()),
                ("page", page.to_string()),
            ];
            let tickets: List<OwnedTicket> = self.api.read(ask).await?;
            let Some(total) = tickets.total.filter(|total| *total <= MOST_COUNTED) else { return Ok(None) };
            let ended = tickets.items.is_empty();
            read += tickets.items.len() as u64;
            for ticket in tickets.items {
                *open.entry(ticket.owner.login().to_owned()).or_insert(0) += 1;
            }
            if ended || read >= total {
                break;
            }
        }
        Ok(Some(open))
    }
}
