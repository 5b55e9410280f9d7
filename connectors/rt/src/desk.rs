//! The kit's [`Desk`] over one RT account.

use crate::config::Config;
use crate::history::{changes, conversation};
use crate::limits::capabilities;
use crate::normalise::customer;
use crate::read::{Account, Kinds, by_transaction, number};
use crate::stream::TRANSACTIONS;
use handoffd_kit::capability::Capabilities;
use handoffd_kit::desk::{Answer, Cursor, Desk, Directory, Finding, Member, Page, QueueSpec, Receipt, Sighting, Write};
use handoffd_kit::error::{DeskError, DeskErrorKind, Result, Retry};
use handoffd_kit::gate::Gate;
use handoffd_kit::id::{StreamName, TicketId, UserId};
use handoffd_kit::model::{Customer, PartKind, PartSet, Parts, Person, Role, TicketHead};
use handoffd_kit::secret::{DeskSecrets, Secret};
use handoffd_kit::webhook::{Delivery, Refusal, Unverified};
use jiff::Timestamp;

/// One Request Tracker account.
pub struct RtDesk {
    account: Account,
    hook: Option<Secret>,
    capabilities: Capabilities,
}

impl RtDesk {
    pub(crate) fn new(account: Account, config: Config) -> Self {
        let capabilities = capabilities(config.hook.is_some());
        Self { account, hook: config.hook, capabilities }
    }

    async fn read_parts(&self, head: &TicketHead, wanted: PartSet, deadline: Timestamp) -> Result<Parts> {
        let mut parts = Parts::default();
        let (said, done) = (wanted.has(PartKind::Conversation), wanted.has(PartKind::History));
        if said || done {
            self.read_history(head, said, done, &mut parts, deadline).await?;
        }
        if wanted.has(PartKind::Customer) {
            parts.customer = self.read_customer(head, deadline).await?;
        }
        if wanted.has(PartKind::Contacts) {
            parts.contacts = self.account.contacts(head, deadline).await?;
        }
        // RT has one date that is due, and does not say for what: no clock of the model.
        parts.clocks = wanted.has(PartKind::Clocks).then(Vec::new);
        Ok(parts)
    }

    async fn read_history(
        &self,
        head: &TicketHead,
        said: bool,
        done: bool,
        parts: &mut Parts,
        deadline: Timestamp,
    ) -> Result<()> {
        let account = &self.account;
        let kinds = if done { Kinds::NoMail } else { Kinds::Said };
        let transactions = account.transactions(&head.id, kinds, 0, number(&head.version), deadline).await?;
        if transactions.is_empty() {
            // Every ticket was opened: a history without that is one that we are not shown. Asking again says why.
            account.head(&head.id, deadline).await?;
            let error = DeskError::new(DeskErrorKind::Protocol, Retry::After(None), "read history");
            return Err(error.words("RT shows no history of this ticket"));
        }
        let names = account.names(head, &transactions, deadline).await?;
        let texts = if said {
            let messages: Vec<u64> = transactions
                .iter()
                .filter(|one| crate::history::visibility(&one.kind).is_some())
                .map(|one| one.id)
                .collect();
            let attachments = account.parts_of(&messages, deadline).await?;
            let texts = account.texts_of(&attachments, deadline).await?;
            parts.conversation = Some(conversation(&transactions, &attachments, &texts, &names, &account.base));
            by_transaction(&attachments, &texts)
        } else {
            account.our_texts(&transactions, &names.me, deadline).await?
        };
        if done {
            parts.history = Some(changes(&transactions, &texts, &names));
        }
        parts.people = names.people;
        Ok(())
    }

    async fn read_customer(&self, head: &TicketHead, deadline: Timestamp) -> Result<Option<Customer>> {
        let Some(Some(login)) = head.requester.known() else { return Ok(None) };
        let user = self.account.catalog.person(&self.account.api, login.as_str(), deadline).await?;
        Ok(Some(customer(login.as_str(), user.as_deref())))
    }

    async fn read_directory(&self) -> Result<Directory> {
        let (account, now) = (&self.account, self.account.api.now());
        let queues = account.catalog.queues(&account.api, now).await?.refs();
        let fields = account.catalog.fields(&account.api, now).await?.values().cloned().collect();
        Ok(Directory { queues, people: Vec::new(), fields, ..Directory::default() })
    }

    async fn read_me(&self) -> Result<Person> {
        let (account, now) = (&self.account, self.account.api.now());
        let login = account.me(now).await?;
        let user = account.catalog.person(&account.api, &login, now).await?;
        let told = |text: Option<&String>| text.filter(|text| !text.is_empty()).cloned();
        Ok(Person {
            id: UserId::from(login.as_str()),
            name: told(user.as_ref().map(|user| &user.real_name)),
            email: told(user.as_ref().map(|user| &user.email)),
            role: Role::Us,
        })
    }
}

impl Desk for RtDesk {
    fn secrets(&self) -> DeskSecrets {
        let webhook = self.hook.iter().map(|hook| ("webhook.token", hook.clone()));
        DeskSecrets { login: vec![("login.token", self.account.api.token().clone())], webhook: webhook.collect() }
    }

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn gate(&self) -> Option<&Gate> {
        Some(self.account.api.gate())
    }

    fn changed_since<'a>(
        &'a self,
        stream: &'a StreamName,
        cursor: Option<&'a Cursor>,
        since: Timestamp,
    ) -> Answer<'a, Page> {
        Box::pin(async move {
            if stream.as_str() != TRANSACTIONS {
                return Err(DeskError::no_stream("read changes", "RT", stream));
            }
            self.account.changed_since(cursor, since).await
        })
    }

    fn head<'a>(&'a self, ticket: &'a TicketId, deadline: Timestamp) -> Answer<'a, TicketHead> {
        Box::pin(self.account.head(ticket, deadline))
    }

    fn parts<'a>(&'a self, head: &'a TicketHead, wanted: PartSet, deadline: Timestamp) -> Answer<'a, Parts> {
        Box::pin(self.read_parts(head, wanted, deadline))
    }

    fn apply<'a>(&'a self, write: &'a Write) -> Answer<'a, Receipt> {
        Box::pin(self.account.apply(write))
    }

    fn find<'a>(&'a self, write: &'a Write) -> Answer<'a, Sighting> {
        Box::pin(self.account.find(write))
    }

    fn webhook(&self, request: Unverified<'_>) -> std::result::Result<Delivery, Refusal> {
        crate::webhook::read(self.hook.as_ref(), &request)
    }

    fn me(&self) -> Answer<'_, Person> {
        Box::pin(self.read_me())
    }

    fn members<'a>(&'a self, queue: &'a QueueSpec, deadline: Timestamp) -> Answer<'a, Vec<Member>> {
        Box::pin(self.account.members(queue, deadline))
    }

    fn directory(&self) -> Answer<'_, Directory> {
        Box::pin(self.read_directory())
    }

    fn check<'a>(&'a self, queues: &'a [QueueSpec]) -> Answer<'a, Vec<Finding>> {
        Box::pin(self.account.check(queues))
    }
}
