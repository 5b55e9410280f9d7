//! Who and what the desk's ids mean: our own account, groups, states, priorities, users, organisations. They barely change, so
//! they are remembered for a while; in a steady state a handoff reads none of them.

use crate::api::{Api, Ask};
use crate::states::{Words, by_id};
use crate::wire::{Group, Id, Level, Organization, SYSTEM, Sent, State, User, persons};
use futures::lock::Mutex;
use handoffd_kit::error::{DeskError, DeskErrorKind, Result, Retry};
use handoffd_kit::memory::{Memory, Whole};
use handoffd_kit::model::{Person, Role};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A role is believed this long: a command of somebody who is no agent any more must not count for ever.
const ROLES_AGE: SignedDuration = SignedDuration::from_mins(60);
/// What is told about a customer may be this old.
const CUSTOMER_AGE: SignedDuration = SignedDuration::from_mins(10);
/// A group's name and members may be this old.
const GROUPS_AGE: SignedDuration = SignedDuration::from_mins(10);
/// What states and priorities mean may be this old.
const WORDS_AGE: SignedDuration = SignedDuration::from_mins(60);

/// Groups by id; none: our token may not list them.
pub(crate) type Groups = Option<Arc<BTreeMap<Id, Group>>>;

/// What is remembered of one desk.
#[derive(Default)]
pub(crate) struct People {
    me: Mutex<Option<User>>,
    groups: Mutex<Whole<Groups>>,
    words: Mutex<Whole<Arc<Words>>>,
    users: Mutex<Memory<Id, User>>,
    organizations: Mutex<Memory<Id, Organization>>,
}

impl People {
    /// Our own account.
    pub(crate) async fn me(&self, api: &Api, deadline: Timestamp) -> Result<User> {
        const OPERATION: &str = "read own account";
        let mut me = self.me.lock().await;
        if let Some(me) = &*me {
            return Ok(me.clone());
        }
        let user: User = api.json(&Ask::get(OPERATION, "users/me", deadline).query("expand", true)).await?;
        if user.id.get().is_none_or(|id| !id.is_record()) {
            return Err(DeskError::new(DeskErrorKind::Protocol, Retry::After(None), OPERATION)
                .words("the answer does not say who we are")
                .next_step("Check the desk's url and its access token"));
        }
        Ok(me.insert(user).clone())
    }

    /// The id of our own account.
    pub(crate) async fn our_id(&self, api: &Api, deadline: Timestamp) -> Result<Option<Id>> {
        Ok(self.me(api, deadline).await?.id.some())
    }

    /// The groups, read again when they grow old or one of these is not among them.
    pub(crate) async fn groups(&self, api: &Api, needed: &[Id], deadline: Timestamp) -> Result<Groups> {
        self.groups_unless(api, deadline, |groups| needed.iter().any(|id| !groups.contains_key(id))).await
    }

    /// The group of this name, exactly as people see it; none: there is none.
    pub(crate) async fn group_named(&self, api: &Api, name: &str, deadline: Timestamp) -> Result<Option<Id>> {
        let of_name = |groups: &BTreeMap<Id, Group>| {
            groups.iter().find(|(_, group)| group.name.get().is_some_and(|known| known == name)).map(|(id, _)| *id)
        };
        let groups = self.groups_unless(api, deadline, |groups| of_name(groups).is_none()).await?;
        groups.as_deref().map(of_name).ok_or_else(|| unlisted("find group"))
    }

    /// The groups as they are now: whoever asks wants to know who works there now.
    pub(crate) async fn groups_now(&self, api: &Api, deadline: Timestamp) -> Result<Groups> {
        self.groups.lock().await.forget();
        self.groups(api, &[], deadline).await
    }

    async fn groups_unless(
        &self,
        api: &Api,
        deadline: Timestamp,
        lacks: impl Fn(&BTreeMap<Id, Group>) -> bool,
    ) -> Result<Groups> {
        let mut groups = self.groups.lock().await;
        // What we may not list is asked for again as rarely as anything that grows old.
        let lacking = groups.value.as_deref().is_some_and(lacks);
        if groups.is_fresh(GROUPS_AGE, lacking, api.gate().now()) {
            return Ok(groups.value.clone());
        }
        let value = match api.list::<Group>(&Ask::get("read groups", "groups", deadline)).await {
            Ok(read) => Some(Arc::new(by_id(read, |group| &group.id))),
            Err(error) if error.kind == DeskErrorKind::Forbidden => None,
            Err(error) => return Err(error),
        };
        *groups = Whole::read(value, api.gate().now());
        Ok(groups.value.clone())
    }

    /// What states and priorities mean, read again when it grows old or one of these states is not known.
    pub(crate) async fn words(&self, api: &Api, needed: &[Id], deadline: Timestamp) -> Result<Arc<Words>> {
        let mut words = self.words.lock().await;
        let lacking = needed.iter().any(|id| !words.value.states.contains_key(id));
        if words.is_fresh(WORDS_AGE, lacking, api.gate().now()) {
            return Ok(words.value.clone());
        }
        let states = Ask::get("read states", "ticket_states", deadline).query("expand", true);
        let states: Vec<State> = api.list(&states).await?;
        let levels: Vec<Level> = api.list(&Ask::get("read priorities", "ticket_priorities", deadline)).await?;
        let value = Words { states: by_id(states, |state| &state.id), levels: by_id(levels, |level| &level.id) };
        *words = Whole::read(Arc::new(value), api.gate().now());
        Ok(words.value.clone())
    }

    /// What the desk tells about these people, or told within the last hour. Whom we may not see is not among them.
    pub(crate) async fn users(&self, api: &Api, ids: &BTreeSet<Id>, deadline: Timestamp) -> Result<BTreeMap<Id, User>> {
        self.users_of(api, ids, ROLES_AGE, deadline).await
    }

    /// The same, as it is now.
    pub(crate) async fn users_now(
        &self,
        api: &Api,
        ids: &BTreeSet<Id>,
        deadline: Timestamp,
    ) -> Result<BTreeMap<Id, User>> {
        self.users_of(api, ids, SignedDuration::ZERO, deadline).await
    }

    /// What the desk tells about a customer now, or ten minutes ago.
    pub(crate) async fn customer(&self, api: &Api, id: Id, deadline: Timestamp) -> Result<Option<User>> {
        Ok(self.users_of(api, &BTreeSet::from([id]), CUSTOMER_AGE, deadline).await?.remove(&id))
    }

    async fn users_of(
        &self,
        api: &Api,
        ids: &BTreeSet<Id>,
        age: SignedDuration,
        deadline: Timestamp,
    ) -> Result<BTreeMap<Id, User>> {
        let mut memory = self.users.lock().await;
        for id in memory.lacking(ids, age, api.gate().now()) {
            let ask = Ask::get("read user", format!("users/{id}"), deadline).query("expand", true);
            let found = one::<User>(api, &ask, id).await?.map(|(raw, user)| User { fields: persons(&raw), ..user });
            memory.store(&[id], found.map(|user| (id, user)).into_iter().collect(), api.gate().now());
        }
        Ok(memory.known(ids))
    }

    /// What the desk tells about an organisation now, or ten minutes ago.
    pub(crate) async fn organization(&self, api: &Api, id: Id, deadline: Timestamp) -> Result<Option<Organization>> {
        let wanted = BTreeSet::from([id]);
        let mut memory = self.organizations.lock().await;
        if !memory.lacking(&wanted, CUSTOMER_AGE, api.gate().now()).is_empty() {
            let ask = Ask::get("read organisation", format!("organizations/{id}"), deadline);
            let found = one::<Organization>(api, &ask, id).await?;
            let found = found.map(|(raw, sent)| (id, Organization { fields: persons(&raw), ..sent }));
            memory.store(&[id], found.into_iter().collect(), api.gate().now());
        }
        Ok(memory.known(&wanted).remove(&id))
    }
}

/// One record with its raw form; none: it is not there for us.
async fn one<T: DeserializeOwned>(api: &Api, ask: &Ask, id: Id) -> Result<Option<(Value, T)>> {
    match api.json::<Value>(ask).await {
        // An answer that is somebody else's, or nobody's, must not be remembered as this one's.
        Ok(raw) => match record(&raw, id) {
            Some(found) => Ok(Some((raw, found))),
            None => Err(ask.malformed("the answer is not what was asked for")),
        },
        Err(error) if matches!(error.kind, DeskErrorKind::NotFound | DeskErrorKind::Forbidden) => Ok(None),
        Err(error) => Err(error),
    }
}

fn record<T: DeserializeOwned>(raw: &Value, id: Id) -> Option<T> {
    let said = raw.get("id").and_then(|said| Id::deserialize(said).ok());
    T::deserialize(raw).ok().filter(|_| said == Some(id))
}

/// The groups are needed and our token may not list them.
pub(crate) fn unlisted(operation: &'static str) -> DeskError {
    DeskError::new(DeskErrorKind::Forbidden, Retry::Never, operation)
        .words("our access token may not list groups")
        .next_step(
            "Give handoffd's access token the permission admin.group, or write the group's id as the team's `queue`",
        )
}

/// What somebody is. Roles are a site's own: the three of a fresh Zammad are known by their names, and whoever has access to a
/// group works there. Everybody else may be a customer or not: unknown.
pub(crate) fn role(user: &User) -> Role {
    let has = |name: &str| user.roles.get().is_some_and(|roles| roles.iter().any(|role| role == name));
    let in_groups = user.group_ids.get().is_some_and(|groups| !groups.is_empty());
    if has("Agent") || has("Admin") || in_groups {
        Role::Agent
    } else if has("Customer") {
        Role::Customer
    } else {
        Role::Unknown
    }
}

/// Somebody's role, as far as their id tells more than their record.
pub(crate) fn role_of(id: Id, user: Option<&User>, us: Option<Id>) -> Role {
    if Some(id) == us {
        Role::Us
    } else if id == SYSTEM {
        Role::Automation
    } else {
        user.map_or(Role::Unknown, role)
    }
}

/// A person in the kit's words.
pub(crate) fn person(id: Id, user: Option<&User>, role: Role) -> Person {
    let text = |pick: fn(&User) -> &Sent<String>| user.and_then(|user| pick(user).get().cloned()).unwrap_or_default();
    let name = format!("{} {}", text(|user| &user.firstname), text(|user| &user.lastname)).trim().to_owned();
    let name = if name.is_empty() { text(|user| &user.login) } else { name };
    let email = text(|user| &user.email);
    let told = |text: String| Some(text).filter(|text| !text.is_empty());
    Person { id: id.to_string().into(), name: told(name), email: told(email), role }
}

/// Whether somebody can own tickets of a group: active, and with full access to it, as far as their record shows it. Access
/// through a role does not stand there, so a group that is missing says nothing.
pub(crate) fn may_own(user: &User, group: Id) -> bool {
    let level = |value: &Value| match value {
        Value::Array(levels) => levels.iter().any(|level| level == "full"),
        Value::String(level) => level == "full",
        _ => false,
    };
    let access = user.group_ids.get().and_then(|groups| groups.get(&group.to_string()));
    user.active != Sent::Value(false) && access.is_none_or(level)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn user(json: Value) -> User {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn an_answer_without_its_id_is_nobodys_record() {
        let read = |raw: Value| record::<Organization>(&raw, Id(7)).map(|one| one.name);
        assert_eq!(read(json!({ "id": 7, "name": "Acme" })), Some(Sent::Value("Acme".to_owned())));
        for odd in [json!({}), json!([]), json!({ "id": 8, "name": "Acme" }), json!({ "name": "Acme" })] {
            assert_eq!(read(odd.clone()), None, "{odd}");
        }
    }

    #[test]
    fn roles_are_known_by_name_or_by_access_and_the_rest_is_unknown() {
        for (json, known) in [
            (json!({ "roles": ["Agent"] }), Role::Agent),
            (json!({ "roles": ["Admin", "Customer"] }), Role::Agent),
            (json!({ "roles": ["Second line"], "group_ids": { "2": ["full"] } }), Role::Agent),
            (json!({ "roles": ["Customer"], "group_ids": {} }), Role::Customer),
            (json!({ "roles": ["Second line"] }), Role::Unknown),
            (json!({}), Role::Unknown),
        ] {
            assert_eq!(role(&user(json.clone())), known, "{json}");
        }
        let admin = user(json!({ "roles": ["Admin"] }));
        assert_eq!(role_of(SYSTEM, Some(&admin), None), Role::Automation);
        assert_eq!(role_of(Id(5), Some(&admin), Some(Id(5))), Role::Us);
    }

    #[test]
    fn only_full_access_makes_an_owner() {
        let owns = |json: Value| may_own(&user(json), Id(2));
        assert!(owns(json!({ "active": true, "group_ids": { "2": ["read", "full"] } })));
        assert!(owns(json!({ "group_ids": { "2": "full" } })) && owns(json!({ "group_ids": {} })));
        assert!(!owns(json!({ "active": false, "group_ids": { "2": ["full"] } })));
        assert!(
            !owns(json!({ "group_ids": { "2": ["read", "change"] } })) && !owns(json!({ "group_ids": { "2": 1 } }))
        );
    }

    #[test]
    fn a_persons_name_is_both_names_or_the_login() {
        let both =
            person(Id(4), Some(&user(json!({ "firstname": "Ann", "lastname": "Agent", "email": "" }))), Role::Agent);
        assert_eq!((both.name.as_deref(), both.email), (Some("Ann Agent"), None));
        let login = person(Id(4), Some(&user(json!({ "firstname": "", "login": "ann" }))), Role::Agent);
        assert_eq!((login.name.as_deref(), person(Id(4), None, Role::Unknown).name), (Some("ann"), None));
    }
}
