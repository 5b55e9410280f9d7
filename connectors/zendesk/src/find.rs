//! Looking a write up after a lost answer: by our key in an audit's metadata or in its note, tags by being as wanted (Zendesk
//! sheet, *Write-back*).

use crate::api::ticket_id;
use crate::desk::ZendeskDesk;
use crate::history;
use crate::wire::Id;
use crate::write::{has_tags, seen_as};
use handoffd_kit::desk::{DeskChange, Receipt, Sighting, Write};
use handoffd_kit::error::{DeskErrorKind, Result};
use handoffd_kit::model::Visibility;
use serde_json::json;

const FIND: &str = "look up write";

impl ZendeskDesk {
    /// Whether a write has reached the desk.
    pub(crate) async fn look_up(&self, write: &Write) -> Result<Sighting> {
        let id = ticket_id(&write.ticket, FIND)?;
        let wanted = match &write.change {
            DeskChange::Tags { add, remove } => return self.find_tags(id, add, remove, write).await,
            DeskChange::Reply(_) => Some(Visibility::Public),
            DeskChange::Update(update) => update.note.is_some().then_some(Visibility::Internal),
        };
        let us = self.people.our_id(&self.api, write.deadline).await?;
        let read = match self.audits(id, write.deadline).await {
            Err(error) if error.kind == DeskErrorKind::Forbidden => {
                return Ok(Sighting::CannotTell(
                    "the login may not read ticket audits: give its OAuth client the global scope `read`".into(),
                ));
            }
            read => read?,
        };
        let key = write.mark.key();
        let ours = read.audits.iter().find(|audit| history::key(audit, us).as_ref() == Some(&key));
        match ours {
            Some(audit) => {
                if let Some(wanted) = wanted {
                    seen_as(audit, wanted, id, FIND)?;
                }
                let receipt = audit.id.get().map_or_else(|| format!("ticket {id}"), Id::to_string);
                Ok(Sighting::Found(Receipt { id: receipt, version: None, head: None }))
            }
            None if read.complete => Ok(Sighting::NotFound),
            None => Ok(Sighting::CannotTell("the ticket's history is too long to be read whole".into())),
        }
    }

    /// Tags carry no key: they are proven by being as wanted.
    async fn find_tags(&self, id: Id, add: &[String], remove: &[String], write: &Write) -> Result<Sighting> {
        let head = self.read_head(id, write.deadline).await?;
        let Some(tags) = head.tags.known() else {
            return Ok(Sighting::CannotTell("the ticket's answer names no tags".into()));
        };
        let tags = json!(tags);
        if !has_tags(&tags, add, true) || !has_tags(&tags, remove, false) {
            return Ok(Sighting::NotFound);
        }
        let version = Some(head.version.clone()).filter(|version| !version.as_str().is_empty());
        Ok(Sighting::Found(Receipt { id: format!("tags of ticket {id}"), version, head: Some(Box::new(head)) }))
    }
}
