//! Labels: each is put on and taken off in a call of its own, which leaves all others alone. A label is a record of the
//! workspace, known by its id: one that the workspace does not have is made first, in a call that makes nothing twice (Intercom
//! sheet, *Write-back*).

use crate::api::Ask;
use crate::desk::IntercomDesk;
use crate::parts::Read;
use crate::wire::{Key, Tag};
use crate::write::{By, refused};
use handoffd_kit::desk::Receipt;
use handoffd_kit::error::{DeskError, Result, Retry};
use handoffd_kit::model::TicketHead;
use http::Method;
use serde_json::{Value, json};

const TAGS: &str = "change tags";
const NO_ID: &str = "the answer does not say which tag was made";

impl IntercomDesk {
    /// Adds, then removes.
    pub(crate) async fn change_tags(
        &self,
        before: &Read,
        head: TicketHead,
        (add, remove): (&[String], &[String]),
        by: By<'_>,
    ) -> Result<Receipt> {
        if let Some(odd) = add.iter().find(|tag| tag.trim().is_empty()) {
            return Err(refused(format!("{odd:?} is no tag")));
        }
        let there = |tag: &String| head.tags.known().map(|tags| tags.contains(tag));
        let missing: Vec<&String> = add.iter().filter(|tag| there(tag) != Some(true)).collect();
        let standing = remove.iter().filter_map(|tag| on_it(before, tag)).collect::<Vec<Key>>();
        if missing.is_empty() && standing.is_empty() {
            return Ok(Receipt::shown_by(head));
        }
        let mut calls = Calls { by, admin: before.me.id.to_string(), begun: false };
        for name in missing {
            let key = match self.people.label(&self.api, name, by.write.deadline).await {
                Ok(Some(key)) => key,
                Ok(None) => self.make_label(name, &mut calls).await?,
                Err(error) => return Err(calls.half_done(error)),
            };
            let path = format!("conversations/{}/tags", by.id);
            let body = json!({ "id": key.0, "admin_id": calls.admin });
            self.tag(calls.ask(Method::POST, path, body), &mut calls).await?;
        }
        for key in standing {
            let path = format!("conversations/{}/tags/{}", by.id, key.0);
            let body = json!({ "admin_id": calls.admin });
            self.tag(calls.ask(Method::DELETE, path, body), &mut calls).await?;
        }
        // The answers tell no version.
        Ok(Receipt { id: format!("tags of conversation {}", by.id), version: None, head: None })
    }

    async fn make_label(&self, name: &str, calls: &mut Calls<'_>) -> Result<Key> {
        let ask = calls.ask(Method::POST, "tags".into(), json!({ "name": name }));
        let made: Tag = self.api.json(&ask).await.map_err(|error| calls.half_done(error))?;
        calls.begun = true;
        let key = made.id.some().ok_or_else(|| ask.malformed(NO_ID))?;
        self.people.remember_label(name, key.clone()).await;
        Ok(key)
    }

    async fn tag(&self, ask: Ask, calls: &mut Calls<'_>) -> Result<()> {
        match self.api.json::<Value>(&ask).await {
            Ok(_) => {
                calls.begun = true;
                Ok(())
            }
            Err(error) => {
                // Somebody may have deleted the tag itself.
                self.people.forget_labels().await;
                Err(calls.half_done(error))
            }
        }
    }
}

/// The id of a label that stands on the conversation.
fn on_it(before: &Read, name: &str) -> Option<Key> {
    let tags = before.sent.tags.get().and_then(|tags| tags.tags.get())?;
    let found = tags.iter().find(|tag| tag.name.get().is_some_and(|known| known == name))?;
    found.id.get().filter(|key| key.is_plain()).cloned()
}

/// The calls of one write.
struct Calls<'a> {
    by: By<'a>,
    admin: String,
    /// Whether one was made: what has begun is finished.
    begun: bool,
}

impl Calls<'_> {
    fn ask(&self, method: Method, path: String, body: Value) -> Ask {
        let ask = Ask::write(TAGS, method, path, body);
        if self.begun { ask.deadline(self.by.write.deadline) } else { self.by.on(ask) }
    }

    /// Once one is done, whoever repeats the rest must look first.
    fn half_done(&self, error: DeskError) -> DeskError {
        if self.begun { DeskError { retry: Retry::Unsure, ..error } } else { error }
    }
}
