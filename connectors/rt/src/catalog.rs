//! What RT calls things: queues, custom fields and people, read when first needed and kept for a while, because
//! transactions name them by number only.

use crate::api::{Api, Ask, segment};
use crate::wire::{CustomField, List, PAGE, Queue, User};
use handoffd_kit::error::{DeskErrorKind, Result};
use handoffd_kit::model::QueueRef;
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use serde_json::json;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// How long a name is believed.
const KEPT_FOR: SignedDuration = SignedDuration::from_mins(15);

/// The most people that are remembered; a desk with more customers asks again.
const MOST_PEOPLE: usize = 5_000;

/// The most pages of queues or fields that are read.
const MOST_PAGES: usize = 50;

/// Names of one RT account.
#[derive(Default)]
pub(crate) struct Catalog(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    queues: Option<(Timestamp, Arc<Queues>)>,
    fields: Option<(Timestamp, Arc<BTreeMap<String, String>>)>,
    people: BTreeMap<String, (Timestamp, Option<Arc<User>>)>,
}

/// The queues that our account sees.
#[derive(Debug, Default)]
pub(crate) struct Queues {
    /// Names by number.
    pub names: BTreeMap<String, String>,
    /// Whether these are all there are.
    pub all: bool,
}

impl Queues {
    pub fn refs(&self) -> Vec<QueueRef> {
        let queue = |(id, name): (&String, &String)| QueueRef { id: id.as_str().into(), name: Some(name.clone()) };
        self.names.iter().map(queue).collect()
    }
}

impl Catalog {
    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The queues that our account sees.
    pub async fn queues(&self, api: &Api, deadline: Timestamp) -> Result<Arc<Queues>> {
        let now = api.now();
        if let Some((read, queues)) = self.kept().queues.clone().filter(|(read, _)| fresh(*read, now)) {
            let _ = read;
            return Ok(queues);
        }
        let fields = [("fields", "Name".to_owned())];
        let (queues, total) = all::<Queue>(api, "read queues", "/queues/all", &fields, deadline).await?;
        let all = total == Some(queues.len() as u64);
        let names = queues.into_iter().filter_map(|queue| Some((queue.id.to_string(), queue.name?))).collect();
        let queues = Arc::new(Queues { names, all });
        // An account that sees nothing is about to be given a right: that is not to be overlooked for a while.
        self.kept().queues = (!queues.names.is_empty()).then(|| (now, queues.clone()));
        Ok(queues)
    }

    /// Forgets queues and fields: rights may just have been granted.
    pub fn forget(&self) {
        let mut kept = self.kept();
        kept.queues = None;
        kept.fields = None;
    }

    /// The custom fields of tickets that our account sees: names by number.
    pub async fn fields(&self, api: &Api, deadline: Timestamp) -> Result<Arc<BTreeMap<String, String>>> {
        let now = api.now();
        if let Some((_, fields)) = self.kept().fields.clone().filter(|(read, _)| fresh(*read, now)) {
            return Ok(fields);
        }
        let of_tickets = json!([{ "field": "LookupType", "value": "RT::Queue-RT::Ticket" }]).to_string();
        let query = [("query", of_tickets), ("fields", "Name".to_owned())];
        let (fields, _) = all::<CustomField>(api, "read custom fields", "/customfields", &query, deadline).await?;
        let names = fields.into_iter().filter_map(|field| Some((field.id.to_string(), field.name?))).collect();
        let fields = Arc::new(names);
        self.kept().fields = Some((now, Arc::clone(&fields)));
        Ok(fields)
    }

    /// Somebody by name or number. `None`: there is nobody, or RT does not show them to us.
    pub async fn person(&self, api: &Api, who: &str, deadline: Timestamp) -> Result<Option<Arc<User>>> {
        let now = api.now();
        if let Some((_, known)) = self.kept().people.get(who).cloned().filter(|(read, _)| fresh(*read, now)) {
            return Ok(known);
        }
        let ask = Ask::new("read person", format!("/user/{}", segment(who)), deadline);
        let person = match api.read::<User>(ask).await {
            Ok(person) => Some(Arc::new(person)),
            Err(error) if [DeskErrorKind::NotFound, DeskErrorKind::Forbidden].contains(&error.kind) => None,
            Err(error) => return Err(error),
        };
        let mut kept = self.kept();
        if kept.people.len() >= MOST_PEOPLE {
            kept.people.clear();
        }
        if let Some(login) = person.as_ref().map(|person| person.name.clone()).filter(|login| !login.is_empty()) {
            kept.people.insert(login, (now, person.clone()));
        }
        kept.people.insert(who.to_owned(), (now, person.clone()));
        Ok(person)
    }

    /// The name of whoever has this mail address. RT leaves conditions out that we may not ask for, and then gives
    /// everybody: only an answer with the very address counts.
    pub async fn login_of(&self, api: &Api, email: &str, deadline: Timestamp) -> Result<Option<String>> {
        let mut ask = Ask::new("find person", "/users", deadline);
        let condition = json!([{ "field": "EmailAddress", "value": email }]).to_string();
        ask.query = vec![("query", condition), ("fields", "Name,EmailAddress".into()), ("per_page", PAGE.to_string())];
        let found: List<User> = api.read(ask).await?;
        let same = |user: &User| user.email.eq_ignore_ascii_case(email) && !user.name.is_empty();
        let mut logins = found.items.into_iter().filter(same).map(|user| user.name);
        // Two people with one address: neither is meant for sure.
        Ok(logins.next().filter(|_| logins.next().is_none()))
    }
}

fn fresh(read: Timestamp, now: Timestamp) -> bool {
    now.duration_since(read) < KEPT_FOR
}

/// Reads a list to its end: to its total where RT tells it, else to the first empty page.
pub(crate) async fn all<T: DeserializeOwned>(
    api: &Api,
    operation: &'static str,
    path: &str,
    query: &[(&'static str, String)],
    deadline: Timestamp,
) -> Result<(Vec<T>, Option<u64>)> {
    let mut found = Vec::new();
    for page in 1..=MOST_PAGES {
        let mut ask = Ask::new(operation, path, deadline);
        ask.query = query.to_vec();
        ask.query.extend([("per_page", PAGE.to_string()), ("page", page.to_string())]);
        let list: List<T> = api.read(ask).await?;
        let ended = list.items.is_empty();
        found.extend(list.items);
        if ended || list.total.is_some_and(|total| found.len() as u64 >= total) {
            return Ok((found, list.total));
        }
    }
    Ok((found, None))
}
