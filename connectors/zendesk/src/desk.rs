//! One Zendesk account as the kit's [`Desk`]: every method in a line or two, the work is in the other files.

use crate::api::{Api, Ask, ticket_id};
use crate::config::Config;
use crate::limits;
use crate::people::{People, person, role};
use crate::stream::LARGE_PAGE;
use crate::webhook;
use crate::wire::{FieldDefinition, Id, Membership, Sent, User};
use handoffd_kit::capability::{Capabilities, DeclaredLimit};
use handoffd_kit::desk::{Answer, Cursor, Desk, Directory, Finding, Member, Page, QueueSpec, Receipt, Sighting, Write};
use handoffd_kit::error::{DeskError, Result};
use handoffd_kit::gate::Gate;
use handoffd_kit::id::{StreamName, TicketId};
use handoffd_kit::model::{PartSet, Parts, Person, Role, TicketHead};
use handoffd_kit::secret::{DeskSecrets, Secret};
use handoffd_kit::settings::Seams;
use handoffd_kit::webhook::{Delivery, Refusal, Unverified};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::AtomicU32;

/// One Zendesk account.
pub struct ZendeskDesk {
    pub(crate) api: Api,
    pub(crate) people: People,
    capabilities: Capabilities,
    webhook_secret: Option<Secret>,
    /// How large a page of the export is asked for.
    pub(crate) export_size: AtomicU32,
    /// Until when audits are not asked for, because the login may not read them.
    pub(crate) audits_closed_until: Mutex<Option<Timestamp>>,
}

impl ZendeskDesk {
    pub(crate) fn new(config: Config, budget: f64, seams: Seams, limits: Vec<DeclaredLimit>) -> Self {
        let capabilities = limits::capabilities(limits);
        let api = Api::new(config.site, config.login, seams, &capabilities.limits, budget);
        Self {
            api,
            people: People::default(),
            capabilities,
            webhook_secret: config.webhook_secret,
            export_size: AtomicU32::new(LARGE_PAGE),
            audits_closed_until: Mutex::new(None),
        }
    }

    async fn own_account(&self) -> Result<Person> {
        let me = self.people.me(&self.api, self.api.gate().soon()).await?;
        // `People::me` lets no account without an id through.
        let id = me.id.get().copied().unwrap_or(Id(0));
        Ok(person(id, Some(&me), Role::Us))
    }

    async fn read_directory(&self) -> Result<Directory> {
        let deadline = self.api.gate().soon();
        let groups = self.people.groups(&self.api, &[], deadline).await?;
        let queues = groups.keys().map(|id| crate::normalise::queue(*id, &groups)).collect();
        let (fields, titles) = self.fields(deadline).await?;
        Ok(Directory { queues, people: self.assignable(deadline).await?, fields, titles })
    }

    /// Everybody whom a ticket can be assigned to.
    async fn assignable(&self, deadline: Timestamp) -> Result<Vec<Person>> {
        let ask = Ask::get("read group members", "group_memberships/assignable", deadline);
        let memberships = self.api.list::<Membership>(&ask, "group_memberships").await?;
        let ids: BTreeSet<Id> = memberships.items.into_iter().filter_map(|member| member.user_id.some()).collect();
        let users: BTreeMap<Id, _> = self.people.roles(&self.api, &ids, deadline).await?;
        Ok(users.iter().map(|(id, user)| person(*id, Some(user), role(user))).collect())
    }

    /// Who works in a group now. Suspended agents and those whose role was taken keep their membership for a while.
    async fn members_of(&self, queue: &QueueSpec, deadline: Timestamp) -> Result<Vec<Member>> {
        const OPERATION: &str = "read group members";
        let group = self.group(queue, deadline).await.map_err(|error| error.during(OPERATION))?;
        let us = self.people.our_id(&self.api, deadline).await?;
        let ask = Ask::get(OPERATION, format!("groups/{group}/memberships"), deadline);
        let memberships = self.api.list::<Membership>(&ask, "group_memberships").await?;
        if !memberships.complete {
            return Err(ask.malformed("the list of the group's members does not end"));
        }
        let ids: BTreeSet<Id> = memberships.items.into_iter().filter_map(|member| member.user_id.some()).collect();
        let users = self.people.now(&self.api, &ids, deadline).await?;
        let member = |(id, user): (&Id, &User)| {
            let works = role(user) == Role::Agent;
            Member {
                person: person(*id, Some(user), if Some(*id) == us { Role::Us } else { role(user) }),
                active: works && user.active != Sent::Value(false) && user.suspended != Sent::Value(true),
                // Counting each agent's tickets would be a search for each of them.
                open: None,
            }
        };
        Ok(users.iter().map(member).collect())
    }

    /// Fields of tickets by id; of customers and organisations by key, where the login may see their definitions.
    /// Beside them what people call them.
    async fn fields(&self, deadline: Timestamp) -> Result<(Vec<String>, BTreeMap<String, String>)> {
        let list = |path: &'static str| async move {
            self.api.list::<FieldDefinition>(&Ask::get("read fields", path, deadline), path).await
        };
        let tickets = list("ticket_fields").await?;
        let mut titles = BTreeMap::new();
        let mut fields = Vec::new();
        for field in tickets.items {
            let Some(id) = field.id.get().map(ToString::to_string) else { continue };
            titles.extend(field.title.some().map(|title| (id.clone(), title)));
            fields.push(id);
        }
        for path in ["user_fields", "organization_fields"] {
            match list(path).await {
                Ok(found) => {
                    for field in found.items {
                        let Some(key) = field.key.some() else { continue };
                        titles.extend(field.title.some().map(|title| (key.clone(), title)));
                        fields.push(key);
                    }
                }
                Err(error) if matches!(error.status, Some(403 | 404)) => {}
                Err(error) => return Err(error),
            }
        }
        titles.retain(|name, title| name != title);
        Ok((fields, titles))
    }
}

impl Desk for ZendeskDesk {
    fn secrets(&self) -> DeskSecrets {
        let (key, secret) = self.api.login().secret();
        let webhook = self.webhook_secret.iter().map(|secret| ("webhook.secret", secret.clone()));
        DeskSecrets { login: vec![(key, secret.clone())], webhook: webhook.collect() }
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
        Box::pin(async move {
            if stream.as_str() != limits::TICKETS {
                return Err(DeskError::no_stream("read changes", "Zendesk", stream));
            }
            self.read_stream(cursor, since).await
        })
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
        webhook::read(&request, self.webhook_secret.as_ref())
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
