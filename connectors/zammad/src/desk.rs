//! One Zammad as the kit's [`Desk`]: every method in a line or two, the work is in the other files.

use crate::api::{Api, ticket_id};
use crate::config::Config;
use crate::limits;
use crate::normalise::queue;
use crate::people::{People, may_own, person, role_of, unlisted};
use crate::webhook;
use crate::wire::{Id, custom};
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
use serde_json::json;
use std::collections::BTreeSet;

/// One Zammad.
pub struct ZammadDesk {
    pub(crate) api: Api,
    pub(crate) people: People,
    capabilities: Capabilities,
    hook: Option<Secret>,
}

impl ZammadDesk {
    pub(crate) fn new(config: Config, budget: f64, seams: Seams) -> Self {
        let capabilities = limits::capabilities(config.hook.is_some());
        let api = Api::new(config.site, config.token, seams, &capabilities.limits, budget);
        Self { api, people: People::default(), capabilities, hook: config.hook }
    }

    async fn own_account(&self) -> Result<Person> {
        let me = self.people.me(&self.api, self.api.gate().soon()).await?;
        // `People::me` lets no account without an id through.
        let id = me.id.get().copied().unwrap_or(Id(0));
        Ok(person(id, Some(&me), Role::Us))
    }

    /// Groups, and the fields that a ticket shows beside Zammad's own: their definitions are for admins alone. People are
    /// not listed: every customer is one.
    async fn read_directory(&self) -> Result<Directory> {
        let deadline = self.api.gate().soon();
        let groups = self.people.groups(&self.api, &[], deadline).await?;
        let listed = groups.as_deref().ok_or_else(|| unlisted("read groups"))?;
        let queues = listed.keys().map(|id| queue(*id, &groups, None)).collect();
        let newest = self.search("list tickets", json!({}), ("updated_at", "desc"), 1, deadline);
        let tickets = self.found(&newest).await?;
        let fields: BTreeSet<String> = tickets.iter().flat_map(|ticket| custom(ticket).into_keys()).collect();
        Ok(Directory { queues, people: Vec::new(), fields: fields.into_iter().collect(), ..Directory::default() })
    }

    /// Who works in a group now: those who have access to it of their own.
    async fn members_of(&self, queue: &QueueSpec, deadline: Timestamp) -> Result<Vec<Member>> {
        const OPERATION: &str = "read members";
        let groups = self.people.groups_now(&self.api, deadline).await?;
        let groups = groups.as_deref().ok_or_else(|| unlisted(OPERATION))?;
        let of = self.group(queue, deadline).await.map_err(|error| error.during(OPERATION))?;
        let unknown = |words: &str| DeskError::new(DeskErrorKind::Refused, Retry::Never, OPERATION).words(words);
        let group = groups.get(&of).ok_or_else(|| unknown("Zammad has no such group"))?;
        let ids = group.user_ids.get().ok_or_else(|| unknown("Zammad does not say who has access to this group"))?;
        let us = self.people.our_id(&self.api, deadline).await?;
        let users = self.people.users_now(&self.api, &ids.iter().copied().collect(), deadline).await?;
        let member = |id: Id| {
            let user = users.get(&id);
            Member {
                person: person(id, user, role_of(id, user, us)),
                // Whom Zammad does not show any more can be given nothing.
                active: user.is_some_and(|user| may_own(user, of)),
                // Counting each agent's tickets would be a search for each of them.
                open: None,
            }
        };
        Ok(ids.iter().copied().collect::<BTreeSet<Id>>().into_iter().map(member).collect())
    }
}

impl Desk for ZammadDesk {
    fn secrets(&self) -> DeskSecrets {
        let webhook = self.hook.iter().map(|hook| ("webhook.secret", hook.clone()));
        DeskSecrets { login: vec![("login.token", self.api.token().clone())], webhook: webhook.collect() }
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

    fn may_write<'a>(&'a self, ticket: &'a TicketId, deadline: Timestamp) -> Answer<'a, Option<bool>> {
        Box::pin(self.may_change(ticket, deadline))
    }

    fn check<'a>(&'a self, queues: &'a [QueueSpec]) -> Answer<'a, Vec<Finding>> {
        Box::pin(self.examine(queues))
    }
}
