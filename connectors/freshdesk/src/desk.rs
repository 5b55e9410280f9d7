//! One Freshdesk account as the kit's [`Desk`]: every method in a line or two, the work is in the other files.

use crate::api::{Api, Ask, ticket_id};
use crate::config::Config;
use crate::limits;
use crate::normalise::queue;
use crate::people::{People, agent, person, works};
use crate::webhook;
use crate::wire::{Field, Id};
use handoffd_kit::capability::Capabilities;
use handoffd_kit::desk::{Answer, Cursor, Desk, Directory, Finding, Member, Page, QueueSpec, Receipt, Sighting, Write};
use handoffd_kit::error::{DeskError, DeskErrorKind, Result, Retry};
use handoffd_kit::gate::Gate;
use handoffd_kit::id::{StreamName, TicketId};
use handoffd_kit::model::{PartSet, Parts, Person, Role, TicketHead};
use handoffd_kit::secret::{DeskSecrets, Secret};
use handoffd_kit::settings::Seams;
use handoffd_kit::webhook::{Delivery, Refusal, Unverified};
use jiff::Timestamp;

/// One Freshdesk account.
pub struct FreshdeskDesk {
    pub(crate) api: Api,
    pub(crate) people: People,
    capabilities: Capabilities,
    hook: Option<Secret>,
}

impl FreshdeskDesk {
    pub(crate) fn new(config: Config, budget: f64, seams: Seams) -> Self {
        let capabilities = limits::capabilities(config.hook.is_some());
        let api = Api::new(config.site, config.key, seams, &capabilities.limits, budget);
        Self { api, people: People::default(), capabilities, hook: config.hook }
    }

    async fn own_account(&self) -> Result<Person> {
        let me = self.people.me(&self.api, self.api.gate().soon()).await?;
        // `People::me` lets no account without an id through.
        let id = me.id.get().copied().unwrap_or(Id(0));
        Ok(person(id, me.contact.get(), Role::Us))
    }

    async fn read_directory(&self) -> Result<Directory> {
        let deadline = self.api.gate().soon();
        let groups = self.people.groups(&self.api, &[], deadline).await?;
        let queues = groups.keys().map(|id| queue(*id, &groups)).collect();
        let us = self.people.our_id(&self.api, deadline).await?;
        let agents = self.people.agents(&self.api, &[], deadline).await?;
        let people = agents.iter().flat_map(|known| known.keys()).map(|id| agent(*id, &agents, us)).collect();
        let list = self.api.list::<Field>(&Ask::get("read fields", "ticket_fields", deadline)).await?;
        // Fields of a site's own are named with this prefix; the others are the ticket's own keys.
        let mut directory = Directory { queues, people, ..Directory::default() };
        for field in list.items {
            let Some(name) = field.name.some().filter(|name| name.starts_with("cf_")) else { continue };
            directory.titles.extend(field.label.some().map(|label| (name.clone(), label)));
            directory.fields.push(name);
        }
        Ok(directory)
    }

    /// Who works in a group now.
    async fn members_of(&self, queue: &QueueSpec, deadline: Timestamp) -> Result<Vec<Member>> {
        const OPERATION: &str = "read members";
        let groups = self.people.groups_now(&self.api, deadline).await?;
        let id = self.group(queue, deadline).await.map_err(|error| error.during(OPERATION))?;
        let unknown = |words: &str| DeskError::new(DeskErrorKind::Refused, Retry::Never, OPERATION).words(words);
        let group = groups.get(&id).ok_or_else(|| unknown("Freshdesk has no such group"))?;
        let ids = group.agent_ids.get().ok_or_else(|| unknown("Freshdesk does not say who works in this group"))?;
        let agents = self.people.agents_now(&self.api, deadline).await?;
        let Some(known) = agents.as_ref() else {
            return Err(DeskError::new(DeskErrorKind::Forbidden, Retry::Never, OPERATION)
                .words("our account may not list agents")
                .next_step("Give handoffd's agent a role that may see agents"));
        };
        let us = self.people.our_id(&self.api, deadline).await?;
        let mut ids = ids.clone();
        ids.sort_unstable();
        ids.dedup();
        let member = |id: Id| Member {
            person: agent(id, &agents, us),
            // Whoever is in a group and no agent any more can be given nothing.
            active: known.get(&id).is_some_and(works),
            // Counting each agent's tickets would be a search for each of them.
            open: None,
        };
        Ok(ids.into_iter().map(member).collect())
    }
}

impl Desk for FreshdeskDesk {
    fn secrets(&self) -> DeskSecrets {
        let webhook = self.hook.iter().map(|hook| ("webhook.secret", hook.clone()));
        DeskSecrets { login: vec![("login.api_key", self.api.key().clone())], webhook: webhook.collect() }
    }

    fn gate(&self) -> Option<&Gate> {
        Some(self.api.gate())
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn changed_since<'a>(
        &'a self,
        stream: &'a StreamName,
        cursor: Option<&'a Cursor>,
        since: Timestamp,
    ) -> Answer<'a, Page> {
        Box::pin(self.read_stream(stream, cursor, since))
    }

    fn head<'a>(&'a self, ticket: &'a TicketId, deadline: Timestamp) -> Answer<'a, TicketHead> {
        Box::pin(async move { self.read_head(ticket_id(ticket, "read ticket")?, deadline).await })
    }

    fn parts<'a>(&'a self, head: &'a TicketHead, wanted: PartSet, deadline: Timestamp) -> Answer<'a, Parts> {
        Box::pin(self.read_parts(head, wanted, deadline))
    }

    fn apply<'a>(&'a self, write: &'a Write) -> Answer<'a, Receipt> {
        Box::pin(self.carry_out(write))
    }

    fn find<'a>(&'a self, write: &'a Write) -> Answer<'a, Sighting> {
        Box::pin(self.look_up(write))
    }

    fn webhook(&self, request: Unverified<'_>) -> std::result::Result<Delivery, Refusal> {
        webhook::read(&request, self.hook.as_ref())
    }

    fn me(&self) -> Answer<'_, Person> {
        Box::pin(self.own_account())
    }

    fn members<'a>(&'a self, queue: &'a QueueSpec, deadline: Timestamp) -> Answer<'a, Vec<Member>> {
        Box::pin(self.members_of(queue, deadline))
    }

    fn directory(&self) -> Answer<'_, Directory> {
        Box::pin(self.read_directory())
    }

    fn check<'a>(&'a self, queues: &'a [QueueSpec]) -> Answer<'a, Vec<Finding>> {
        Box::pin(self.examine(queues))
    }
}
