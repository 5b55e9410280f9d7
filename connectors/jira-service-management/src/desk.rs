//! One site of Jira as the kit's [`Desk`]: every method in a line or two, the work is in the other files.

use crate::api::{Api, issue_named};
use crate::config::{Config, Hook};
use crate::limits;
use crate::people::{People, person};
use crate::webhook;
use crate::wire::Id;
use handoffd_kit::capability::{Capabilities, WebhookTrust};
use handoffd_kit::desk::{Answer, Cursor, Desk, Directory, Finding, Member, Page, QueueSpec, Receipt, Sighting, Write};
use handoffd_kit::error::{DeskError, DeskErrorKind, Result, Retry};
use handoffd_kit::gate::Gate;
use handoffd_kit::id::{StreamName, TicketId};
use handoffd_kit::model::{PartSet, Parts, Person, Role, TicketHead};
use handoffd_kit::secret::DeskSecrets;
use handoffd_kit::settings::Seams;
use handoffd_kit::webhook::{Delivery, Refusal, Unverified};
use jiff::Timestamp;
use url::Url;

/// One site of Jira Service Management.
pub struct JiraDesk {
    pub(crate) api: Api,
    pub(crate) people: People,
    /// The keys of the service projects.
    pub(crate) projects: Vec<String>,
    /// Where people open tickets, where the address tells.
    pub(crate) site: Option<Url>,
    capabilities: Capabilities,
    hook: Option<Hook>,
}

impl JiraDesk {
    pub(crate) fn new(config: Config, budget: f64, seams: Seams) -> Self {
        let Config { base, site, email, token, projects, team_field, hook } = config;
        let trust = match &hook {
            Some(Hook::Signed(_)) => WebhookTrust::SignedDated,
            Some(Hook::Addressed(_)) => WebhookTrust::SecretPath,
            None => WebhookTrust::None,
        };
        let capabilities = limits::capabilities(trust);
        let api = Api::new(base, email, token, seams, &capabilities.limits, budget);
        Self { api, people: People::new(team_field), projects, site, capabilities, hook }
    }

    async fn own_account(&self) -> Result<Person> {
        let me = self.people.me(&self.api, self.api.gate().soon()).await?;
        // `People::me` lets no account without an id through.
        let odd = || DeskError::new(DeskErrorKind::Protocol, Retry::After(None), "read own account");
        person(&me, Role::Us).ok_or_else(odd)
    }

    /// Teams and the site's own fields. People are not listed: every customer is one.
    async fn read_directory(&self) -> Result<Directory> {
        let deadline = self.api.gate().soon();
        let team = self.team_field("read fields", deadline).await?;
        let queues = self.suggested(&team, "", deadline).await?;
        let setup = self.people.setup(&self.api, deadline).await?;
        Ok(Directory {
            queues,
            people: Vec::new(),
            fields: setup.kinds.keys().cloned().collect(),
            ..Directory::default()
        })
    }

    /// A head by the issue's id, or for people by its present key.
    async fn head_named(&self, ticket: &TicketId, deadline: Timestamp) -> Result<TicketHead> {
        let name = issue_named(ticket, "read ticket")?;
        self.read_named(&name, Id::read(&name), deadline).await
    }
}

impl Desk for JiraDesk {
    fn secrets(&self) -> DeskSecrets {
        let webhook = self.hook.iter().map(|hook| match hook {
            Hook::Signed(secret) => ("webhook.secret", secret.clone()),
            Hook::Addressed(token) => ("webhook.token", token.clone()),
        });
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
        Box::pin(self.head_named(ticket, deadline))
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
