//! One Intercom workspace as the kit's [`Desk`]: every method in a line or two, the work is in the other files.

use crate::api::{Api, conversation_id};
use crate::config::Config;
use crate::limits;
use crate::normalise::{person, queue};
use crate::people::{People, unlisted};
use crate::webhook;
use crate::wire::{Found, Id, Sent};
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

/// One Intercom workspace.
pub struct IntercomDesk {
    pub(crate) api: Api,
    pub(crate) people: People,
    capabilities: Capabilities,
    hook: Option<Secret>,
}

impl IntercomDesk {
    pub(crate) fn new(config: Config, budget: f64, seams: Seams) -> Self {
        let capabilities = limits::capabilities(config.hook.is_some());
        let api = Api::new(config.api, config.token, seams, &capabilities.limits, budget);
        Self { api, people: People::default(), capabilities, hook: config.hook }
    }

    async fn own_account(&self) -> Result<Person> {
        let me = self.people.me(&self.api, self.api.gate().soon()).await?;
        Ok(Person { role: Role::Us, ..person(me.id, Some(&me.admin), me.id) })
    }

    /// Teams, admins, and the attributes that the newest conversations show: their definitions are a list of their own kind
    /// that another permission is needed for.
    async fn read_directory(&self) -> Result<Directory> {
        let deadline = self.api.gate().soon();
        let teams = self.people.teams(&self.api, &[], deadline).await?;
        let listed = teams.as_deref().ok_or_else(|| unlisted("read teams"))?;
        let queues = listed.keys().map(|id| queue(*id, &teams)).collect();
        let us = self.people.me(&self.api, deadline).await?.id;
        let admins = self.people.admins(&self.api, &[], deadline).await?;
        let people = admins.as_deref().into_iter().flatten().map(|(id, admin)| person(*id, Some(admin), us)).collect();
        let query = json!({ "field": "updated_at", "operator": ">", "value": "0" });
        let found: Found = self.api.json(&crate::parts::search("list conversations", query, None, deadline)).await?;
        let each = found.conversations.some().unwrap_or_default().into_iter();
        let fields: BTreeSet<String> =
            each.filter_map(|one| one.custom_attributes.some()).flat_map(|all| all.into_keys()).collect();
        Ok(Directory { queues, people, fields: fields.into_iter().collect(), ..Directory::default() })
    }

    /// Who works in a team now.
    async fn members_of(&self, queue: &QueueSpec, deadline: Timestamp) -> Result<Vec<Member>> {
        const OPERATION: &str = "read members";
        let teams = self.people.teams_now(&self.api, deadline).await?;
        let teams = teams.as_deref().ok_or_else(|| unlisted(OPERATION))?;
        let of = self.team(queue, deadline).await.map_err(|error| error.during(OPERATION))?;
        let unknown = |words: &str| DeskError::new(DeskErrorKind::Refused, Retry::Never, OPERATION).words(words);
        let team = teams.get(&of).ok_or_else(|| unknown("Intercom has no such team"))?;
        let ids = team.admin_ids.get().ok_or_else(|| unknown("Intercom does not say who is in this team"))?;
        let us = self.people.me(&self.api, deadline).await?.id;
        let admins = self.people.admins_now(&self.api, deadline).await?;
        let admins = admins.as_deref().ok_or_else(|| unlisted(OPERATION))?;
        let member = |id: Id| {
            let admin = admins.get(&id);
            Member {
                person: person(id, admin, us),
                // Who is away still works here; who is not listed or has no seat can be given nothing.
                active: admin.is_some_and(|admin| admin.has_inbox_seat != Sent::Value(false)),
                // Counting each admin's conversations would be a search for each of them.
                open: None,
            }
        };
        Ok(ids.iter().copied().collect::<BTreeSet<Id>>().into_iter().map(member).collect())
    }
}

impl Desk for IntercomDesk {
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
        Box::pin(async move { self.read_head(conversation_id(ticket, "read conversation")?, deadline).await })
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
