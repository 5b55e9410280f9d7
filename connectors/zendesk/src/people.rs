//! Who and what the desk's ids mean: our own account, groups, people, organisations. They barely change, so they are
//! remembered for a while; in a steady state a handoff reads none of them.

use crate::api::{Api, Ask};
use crate::wire::{Group, Id, Organization, User};
use futures::lock::Mutex;
use handoffd_kit::error::{DeskError, DeskErrorKind, Result, Retry};
use handoffd_kit::memory::{Memory, Whole};
use handoffd_kit::model::{Person, Role};
use jiff::{SignedDuration, Timestamp};
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};

/// A role is believed this long: a command of somebody who is no agent any more must not count for ever.
const ROLES_AGE: SignedDuration = SignedDuration::from_mins(60);
/// What is told about a customer may be this old.
const CUSTOMER_AGE: SignedDuration = SignedDuration::from_mins(10);
/// A group's name may be this old.
const GROUPS_AGE: SignedDuration = SignedDuration::from_mins(10);
/// Zendesk shows at most so many records by id (Zendesk sheet, *Objects*).
const IDS_PER_CALL: usize = 100;

/// What is remembered of one desk.
#[derive(Default)]
pub(crate) struct People {
    me: Mutex<Option<User>>,
    /// Names by id.
    groups: Mutex<Whole<BTreeMap<Id, String>>>,
    users: Mutex<Memory<Id, User>>,
    organizations: Mutex<Memory<Id, Organization>>,
}

impl People {
    /// Our own account. An anonymous answer is a login that does not work (Zendesk sheet, *Base URL and auth*).
    pub(crate) async fn me(&self, api: &Api, deadline: Timestamp) -> Result<User> {
        let mut me = self.me.lock().await;
        if let Some(me) = &*me {
            return Ok(me.clone());
        }
        let user: User = api.one(&Ask::get("read own account", "users/me", deadline), "user").await?;
        if user.id.get().is_none_or(|id| !id.is_record()) {
            return Err(DeskError::new(DeskErrorKind::Unauthorized, Retry::Never, "read own account")
                .words("Zendesk takes us for an anonymous user")
                .next_step("Check the desk's login: Zendesk answers without an error when it does not recognise it"));
        }
        Ok(me.insert(user).clone())
    }

    /// The id of our own account.
    pub(crate) async fn our_id(&self, api: &Api, deadline: Timestamp) -> Result<Option<Id>> {
        Ok(self.me(api, deadline).await?.id.some())
    }

    /// Names of groups, read again when they grow old or one of these is not among them.
    pub(crate) async fn groups(&self, api: &Api, needed: &[Id], deadline: Timestamp) -> Result<BTreeMap<Id, String>> {
        let lacks = |names: &BTreeMap<Id, String>| needed.iter().any(|id| !names.contains_key(id));
        self.groups_unless(api, deadline, lacks).await
    }

    /// The group of this name, exactly as people see it; none: there is none.
    pub(crate) async fn group_named(&self, api: &Api, name: &str, deadline: Timestamp) -> Result<Option<Id>> {
        let lacks = |names: &BTreeMap<Id, String>| !names.values().any(|known| known == name);
        let names = self.groups_unless(api, deadline, lacks).await?;
        Ok(names.into_iter().find(|(_, known)| known == name).map(|(id, _)| id))
    }

    async fn groups_unless(
        &self,
        api: &Api,
        deadline: Timestamp,
        lacks: impl Fn(&BTreeMap<Id, String>) -> bool,
    ) -> Result<BTreeMap<Id, String>> {
        let mut groups = self.groups.lock().await;
        if groups.is_fresh(GROUPS_AGE, lacks(&groups.value), api.gate().now()) {
            return Ok(groups.value.clone());
        }
        let read = api.list::<Group>(&Ask::get("read groups", "groups", deadline), "groups").await?;
        let named = |group: Group| group.id.some().zip(group.name.some());
        *groups = Whole::read(read.items.into_iter().filter_map(named).collect(), api.gate().now());
        Ok(groups.value.clone())
    }

    /// Roles and names of these people, as far as the desk knows them.
    pub(crate) async fn roles(&self, api: &Api, ids: &BTreeSet<Id>, deadline: Timestamp) -> Result<BTreeMap<Id, User>> {
        let mut memory = self.users.lock().await;
        fill(&mut memory, api, &USERS, ids, ROLES_AGE, deadline).await?;
        Ok(memory.known(ids))
    }

    /// What the desk says about these people now, whatever is remembered.
    pub(crate) async fn now(&self, api: &Api, ids: &BTreeSet<Id>, deadline: Timestamp) -> Result<BTreeMap<Id, User>> {
        let mut memory = self.users.lock().await;
        fill(&mut memory, api, &USERS, ids, SignedDuration::ZERO, deadline).await?;
        Ok(memory.known(ids))
    }

    /// What the desk tells about a customer now, or ten minutes ago.
    pub(crate) async fn customer(&self, api: &Api, id: Id, deadline: Timestamp) -> Result<Option<User>> {
        let ids = BTreeSet::from([id]);
        let mut memory = self.users.lock().await;
        fill(&mut memory, api, &USERS, &ids, CUSTOMER_AGE, deadline).await?;
        Ok(memory.known(&ids).remove(&id))
    }

    /// What the desk tells about an organisation now, or ten minutes ago.
    pub(crate) async fn organization(&self, api: &Api, id: Id, deadline: Timestamp) -> Result<Option<Organization>> {
        let ids = BTreeSet::from([id]);
        let mut memory = self.organizations.lock().await;
        fill(&mut memory, api, &ORGANIZATIONS, &ids, CUSTOMER_AGE, deadline).await?;
        Ok(memory.known(&ids).remove(&id))
    }

    /// Takes over people that came along with another answer.
    pub(crate) async fn learn(&self, users: Vec<User>, now: Timestamp) {
        let found = users.into_iter().filter_map(|user| Some((user.id.get().copied()?, user))).collect();
        self.users.lock().await.store(&[], found, now);
    }
}

/// Where records of one kind are read.
struct Shelf<T> {
    operation: &'static str,
    path: &'static str,
    key: &'static str,
    id: fn(&T) -> Option<Id>,
}

const USERS: Shelf<User> =
    Shelf { operation: "read people", path: "users/show_many", key: "users", id: |user| user.id.get().copied() };

const ORGANIZATIONS: Shelf<Organization> = Shelf {
    operation: "read organisations",
    path: "organizations/show_many",
    key: "organizations",
    id: |organization| organization.id.get().copied(),
};

async fn fill<T: Clone + DeserializeOwned>(
    memory: &mut Memory<Id, T>,
    api: &Api,
    shelf: &Shelf<T>,
    ids: &BTreeSet<Id>,
    age: SignedDuration,
    deadline: Timestamp,
) -> Result<()> {
    let records = ids.iter().copied().filter(|id| id.is_record()).collect();
    for asked in memory.lacking(&records, age, api.gate().now()).chunks(IDS_PER_CALL) {
        let listed: Vec<String> = asked.iter().map(Id::to_string).collect();
        let ask = Ask::get(shelf.operation, shelf.path, deadline).query("ids", listed.join(","));
        let records: Vec<T> = api.one(&ask, shelf.key).await?;
        let found = records.into_iter().filter_map(|record| Some(((shelf.id)(&record)?, record))).collect();
        memory.store(asked, found, api.gate().now());
    }
    Ok(())
}

/// A desk's word for a role.
pub(crate) fn role(user: &User) -> Role {
    match user.role.get().map(String::as_str) {
        Some("end-user") => Role::Customer,
        Some("agent" | "admin") => Role::Agent,
        _ => Role::Unknown,
    }
}

/// A person in the kit's words.
pub(crate) fn person(id: Id, user: Option<&User>, role: Role) -> Person {
    Person {
        id: id.to_string().into(),
        name: user.and_then(|user| user.name.get().cloned()),
        email: user.and_then(|user| user.email.get().cloned()),
        role,
    }
}
