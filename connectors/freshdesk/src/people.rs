//! Who and what the desk's ids mean: our own account, groups, agents, customers, companies, and which statuses stop the clock.
//! They barely change, so they are remembered for a while; in a steady state a handoff reads none of them.

use crate::api::{Api, Ask};
use crate::statuses::Timers;
use crate::wire::{Agent, Company, Contact, Field, Group, Id, Sent};
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
const AGENTS_AGE: SignedDuration = SignedDuration::from_mins(60);
/// What is told about a customer may be this old.
const CUSTOMER_AGE: SignedDuration = SignedDuration::from_mins(10);
/// A group's name and members may be this old.
const GROUPS_AGE: SignedDuration = SignedDuration::from_mins(10);
/// Which statuses stop the timer may be this old.
const TIMERS_AGE: SignedDuration = SignedDuration::from_mins(60);

/// Groups by id.
pub(crate) type Groups = BTreeMap<Id, Group>;

/// Agents by id; none: our account may not list them.
pub(crate) type Agents = Option<Arc<BTreeMap<Id, Agent>>>;

/// What is remembered of one desk.
#[derive(Default)]
pub(crate) struct People {
    me: Mutex<Option<Agent>>,
    groups: Mutex<Whole<Arc<Groups>>>,
    agents: Mutex<Whole<Agents>>,
    timers: Mutex<Whole<Arc<Timers>>>,
    contacts: Mutex<Memory<Id, Contact>>,
    companies: Mutex<Memory<Id, Company>>,
}

impl People {
    /// Our own account.
    pub(crate) async fn me(&self, api: &Api, deadline: Timestamp) -> Result<Agent> {
        const OPERATION: &str = "read own account";
        let mut me = self.me.lock().await;
        if let Some(me) = &*me {
            return Ok(me.clone());
        }
        let agent: Agent = api.json(&Ask::get(OPERATION, "agents/me", deadline)).await?;
        if agent.id.get().is_none_or(|id| !id.is_record()) {
            return Err(DeskError::new(DeskErrorKind::Protocol, Retry::After(None), OPERATION)
                .words("the answer does not say who we are")
                .next_step("Check the desk's url and its API key"));
        }
        Ok(me.insert(agent).clone())
    }

    /// The id of our own account.
    pub(crate) async fn our_id(&self, api: &Api, deadline: Timestamp) -> Result<Option<Id>> {
        Ok(self.me(api, deadline).await?.id.some())
    }

    /// The groups, read again when they grow old or one of these is not among them.
    pub(crate) async fn groups(&self, api: &Api, needed: &[Id], deadline: Timestamp) -> Result<Arc<Groups>> {
        self.groups_unless(api, deadline, |groups| needed.iter().any(|id| !groups.contains_key(id))).await
    }

    /// The group of this name, exactly as people see it; none: there is none.
    pub(crate) async fn group_named(&self, api: &Api, name: &str, deadline: Timestamp) -> Result<Option<Id>> {
        let of_name = |groups: &Groups| {
            groups.iter().find(|(_, group)| group.name.get().is_some_and(|known| known == name)).map(|(id, _)| *id)
        };
        let groups = self.groups_unless(api, deadline, |groups| of_name(groups).is_none()).await?;
        Ok(of_name(&groups))
    }

    /// Forgets the groups: whoever asks now wants to know who works there now.
    pub(crate) async fn groups_now(&self, api: &Api, deadline: Timestamp) -> Result<Arc<Groups>> {
        self.groups.lock().await.forget();
        self.groups(api, &[], deadline).await
    }

    async fn groups_unless(
        &self,
        api: &Api,
        deadline: Timestamp,
        lacks: impl Fn(&Groups) -> bool,
    ) -> Result<Arc<Groups>> {
        let mut groups = self.groups.lock().await;
        if groups.is_fresh(GROUPS_AGE, lacks(&groups.value), api.gate().now()) {
            return Ok(groups.value.clone());
        }
        let read = api.list::<Group>(&Ask::get("read groups", "groups", deadline)).await?;
        let named = |group: Group| Some((group.id.get().copied()?, group));
        let value = Arc::new(read.items.into_iter().filter_map(named).collect());
        *groups = Whole::read(value, api.gate().now());
        Ok(groups.value.clone())
    }

    /// All agents, read again when they grow old or one of these is not among them.
    pub(crate) async fn agents(&self, api: &Api, needed: &[Id], deadline: Timestamp) -> Result<Agents> {
        let lacks = |agents: &Agents| match agents {
            Some(agents) => needed.iter().any(|id| !agents.contains_key(id)),
            // We may not list them: asked again as rarely as anything that grows old.
            None => false,
        };
        let mut agents = self.agents.lock().await;
        if agents.is_fresh(AGENTS_AGE, lacks(&agents.value), api.gate().now()) {
            return Ok(agents.value.clone());
        }
        let value = self.all_agents(api, deadline).await?;
        *agents = Whole::read(value, api.gate().now());
        Ok(agents.value.clone())
    }

    /// All agents as the desk lists them now; none: our account may not.
    pub(crate) async fn agents_now(&self, api: &Api, deadline: Timestamp) -> Result<Agents> {
        self.agents.lock().await.forget();
        self.agents(api, &[], deadline).await
    }

    async fn all_agents(&self, api: &Api, deadline: Timestamp) -> Result<Agents> {
        match api.list::<Agent>(&Ask::get("read agents", "agents", deadline)).await {
            Ok(read) => {
                let known = |agent: Agent| Some((agent.id.get().copied()?, agent));
                Ok(Some(Arc::new(read.items.into_iter().filter_map(known).collect())))
            }
            Err(error) if error.kind == DeskErrorKind::Forbidden => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Which statuses stop the timer, as far as our account may read it.
    pub(crate) async fn timers(&self, api: &Api, deadline: Timestamp) -> Result<Arc<Timers>> {
        let mut timers = self.timers.lock().await;
        if timers.is_fresh(TIMERS_AGE, false, api.gate().now()) {
            return Ok(timers.value.clone());
        }
        let value = match read_timers(api, deadline).await {
            Ok(read) => Arc::new(read),
            Err(error) if matches!(error.kind, DeskErrorKind::Forbidden | DeskErrorKind::NotFound) => Arc::default(),
            Err(error) => return Err(error),
        };
        *timers = Whole::read(value, api.gate().now());
        Ok(timers.value.clone())
    }

    /// What the desk tells about a customer now, or ten minutes ago.
    pub(crate) async fn contact(&self, api: &Api, id: Id, deadline: Timestamp) -> Result<Option<Contact>> {
        one(&self.contacts, api, Ask::get("read customer", format!("contacts/{id}"), deadline), id).await
    }

    /// What the desk tells about a company now, or ten minutes ago.
    pub(crate) async fn company(&self, api: &Api, id: Id, deadline: Timestamp) -> Result<Option<Company>> {
        one(&self.companies, api, Ask::get("read company", format!("companies/{id}"), deadline), id).await
    }
}

/// The admin's definition of the status field: two calls an hour. That list takes no `per_page` (Freshdesk sheet, *Objects*).
pub(crate) async fn read_timers(api: &Api, deadline: Timestamp) -> Result<Timers> {
    const OPERATION: &str = "read statuses";
    let fields: Vec<Field> = api.json(&Ask::get(OPERATION, "admin/ticket_fields", deadline)).await?;
    let Some(id) = Timers::field(&fields) else { return Ok(Timers::default()) };
    let field: Field = api.json(&Ask::get(OPERATION, format!("admin/ticket_fields/{id}"), deadline)).await?;
    Ok(Timers::read(&field))
}

/// One record, remembered; whom we may not see is not there for us.
async fn one<T: Clone + DeserializeOwned>(
    memory: &Mutex<Memory<Id, T>>,
    api: &Api,
    ask: Ask,
    id: Id,
) -> Result<Option<T>> {
    let mut memory = memory.lock().await;
    let wanted = BTreeSet::from([id]);
    if !memory.lacking(&wanted, CUSTOMER_AGE, api.gate().now()).is_empty() {
        let found = match api.json::<Value>(&ask).await {
            // An answer that is somebody else's, or nobody's, must not be remembered as this one's.
            Ok(raw) => {
                vec![(id, record(&raw, id).ok_or_else(|| ask.malformed("the answer is not what was asked for"))?)]
            }
            Err(error) if matches!(error.kind, DeskErrorKind::NotFound | DeskErrorKind::Forbidden) => Vec::new(),
            Err(error) => return Err(error),
        };
        memory.store(&[id], found, api.gate().now());
    }
    Ok(memory.known(&wanted).remove(&id))
}

fn record<T: DeserializeOwned>(raw: &Value, id: Id) -> Option<T> {
    let said = raw.get("id").and_then(|said| Id::deserialize(said).ok());
    T::deserialize(raw).ok().filter(|_| said == Some(id))
}

/// Whether an agent can be given tickets. What is not said is no reason against it.
pub(crate) fn works(agent: &Agent) -> bool {
    let inactive = agent.contact.get().is_some_and(|contact| contact.active == Sent::Value(false));
    agent.deactivated != Sent::Value(true) && !inactive
}

/// A person in the kit's words.
pub(crate) fn person(id: Id, contact: Option<&Contact>, role: Role) -> Person {
    Person {
        id: id.to_string().into(),
        name: contact.and_then(|contact| contact.name.get().cloned()).filter(|name| !name.is_empty()),
        email: contact.and_then(|contact| contact.email.get().cloned()).filter(|email| !email.is_empty()),
        role,
    }
}

/// An agent in the kit's words.
pub(crate) fn agent(id: Id, agents: &Agents, us: Option<Id>) -> Person {
    let known = agents.as_ref().and_then(|agents| agents.get(&id));
    let role = if Some(id) == us { Role::Us } else { Role::Agent };
    person(id, known.and_then(|agent| agent.contact.get()), role)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_answer_without_its_id_is_nobodys_record() {
        let read = |raw: Value| record::<Company>(&raw, Id(7)).map(|company| company.name);
        assert_eq!(read(json!({ "id": 7, "name": "Acme" })), Some(Sent::Value("Acme".to_owned())));
        for odd in [json!({}), json!([]), json!({ "id": 8, "name": "Acme" }), json!({ "name": "Acme" })] {
            assert_eq!(read(odd.clone()), None, "{odd}");
        }
    }
}
