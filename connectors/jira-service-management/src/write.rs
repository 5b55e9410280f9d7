//! Writing (Jira Service Management sheet, *Write-back*): team, owner, priority and fields go in one edit; a note, a reply, a
//! status and labels are calls of their own.
//!
//! Jira compares nothing, so the issue is read right before each write and compared with what it was decided on; a write that the
//! gate held back longer is not sent, and the issue is read again. After an edit the history tells whether somebody's change was
//! covered. A note goes through the service desk API, which can say that it is internal; its answer says what it became.

use crate::api::{Ask, issue_id, platform, service_desk, write as write_ask};
use crate::desk::JiraDesk;
use crate::limits::NOTE_BYTES;
use crate::normalise;
use crate::wire::{Id, Said, Transitions, User};
use crate::wish::{Wanted, noted};
use crate::{history, markup, setup};
use handoffd_kit::desk::{DeskChange, OwnerSpec, PublicReply, Receipt, StatusSpec, Update, Write};
use handoffd_kit::error::{DeskError, DeskErrorKind, Result, Retry};
use handoffd_kit::fact::Fact;
use handoffd_kit::gate::Freshness;
use handoffd_kit::model::{Ending, Priority, PublicText, TicketHead};
use http::Method;
use jiff::Timestamp;
use serde_json::{Value, json};

pub(crate) const UPDATE: &str = "update ticket";
const NOTE: &str = "add note";
const REPLY: &str = "send public reply";
const STATUS: &str = "change status";
const TAGS: &str = "change tags";

/// What a write rests on, and until when that counts.
struct By<'a> {
    write: &'a Write,
    latest: Timestamp,
}

impl By<'_> {
    fn on(&self, ask: Ask) -> Ask {
        ask.deadline(self.write.deadline).latest(self.latest).begins(self.write)
    }
}

impl JiraDesk {
    /// Carries a write out.
    pub(crate) async fn carry_out(&self, write: &Write) -> Result<Receipt> {
        let id = issue_id(&write.ticket, UPDATE)?;
        // What the configuration names is looked up first: the issue is read last, right before the write.
        let wanted = match &write.change {
            DeskChange::Update(update) => self.wanted(id, update, write.deadline).await?,
            DeskChange::Reply(_) | DeskChange::Tags { .. } => Wanted::default(),
        };
        let mut fresh = None;
        loop {
            let before = self.read_head(id, write.deadline).await?;
            let read = Freshness::of_read(self.api.gate(), fresh);
            takes_writes(&before)?;
            write.as_decided(&before, UPDATE)?;
            match self.send_out(id, &wanted, before, By { write, latest: read.latest() }).await {
                Err(error) if read.is_over(self.api.gate(), &error) => fresh = Some(read),
                ended => return ended,
            }
        }
    }

    /// Sends a write for an issue that was read a moment ago.
    async fn send_out(&self, id: Id, wanted: &Wanted, before: TicketHead, by: By<'_>) -> Result<Receipt> {
        match &by.write.change {
            DeskChange::Update(Update { note: Some(note), .. }) => {
                self.add_note(id, &markup::of_note(&note.0, &by.write.mark, NOTE_BYTES), &by).await
            }
            DeskChange::Update(_) if wanted.is_shown_by(&before) => Ok(Receipt::shown_by(before)),
            DeskChange::Update(_) => match &wanted.status {
                Some(status) => self.go(id, status, &by).await,
                None => self.edit(id, wanted, before, &by).await,
            },
            DeskChange::Reply(reply) => self.reply(id, reply, &before, &by).await,
            DeskChange::Tags { add, remove } => self.change_tags(id, before, add, remove, &by).await,
        }
    }

    /// What an update wants, in Jira's terms. A note and a status go alone: each is a call of its own, and two calls are no one
    /// write.
    pub(crate) async fn wanted(&self, id: Id, update: &Update, deadline: Timestamp) -> Result<Wanted> {
        if !update.followers.is_empty() {
            return Err(refused("handoffd adds no watchers on Jira"));
        }
        let rest = Update { note: None, ..update.clone() };
        let others = Update { status: None, ..rest.clone() };
        let alone = (update.note.is_none() || rest == Update::default())
            && (update.status.is_none() || (update.note.is_none() && others == Update::default()));
        if !alone {
            return Err(refused(
                "a note or a status and something else in one write; Jira does each in a call of its own",
            ));
        }
        let team = match &update.queue {
            None => None,
            Some(queue) => {
                let field = self.team_field(UPDATE, deadline).await?;
                Some((field.id, self.team(queue, UPDATE, deadline).await?))
            }
        };
        let owner = match &update.owner {
            None => None,
            Some(OwnerSpec::Nobody) => Some(None),
            Some(OwnerSpec::User(user)) => Some(Some(user.to_string())),
            Some(OwnerSpec::Email(email)) => Some(Some(self.assignable(id, email, deadline).await?)),
        };
        let priority = match update.priority {
            None => None,
            Some(priority) => Some(self.level(id, priority, deadline).await?),
        };
        let kinds = match update.fields.is_empty() {
            true => Default::default(),
            false => self.people.setup(&self.api, deadline).await?.kinds.clone(),
        };
        let field = |(name, value): &(String, _)| {
            let kind = kinds.get(name).copied().ok_or_else(|| {
                refused(format!("our account sees no field {name:?}")).next_step(
                    "Write the field's id as `handoffd check --online` lists it: customfield_ and its number",
                )
            })?;
            Ok((name.clone(), Clone::clone(value), kind))
        };
        let fields = update.fields.iter().map(field).collect::<Result<Vec<_>>>()?;
        Ok(Wanted { team, owner, priority, fields, status: update.status.clone() })
    }

    /// Who has this mail address and can be given this issue. Addresses are often hidden: then Jira's own search for the address
    /// must find one person and no more.
    async fn assignable(&self, id: Id, email: &str, deadline: Timestamp) -> Result<String> {
        let ask = Ask::get("find person", platform("user/assignable/search"), deadline);
        let found: Vec<User> = self.api.json(&ask.query("issueId", id).query("query", email)).await?;
        let address = |user: &User| user.email_address.get().filter(|text| !text.is_empty()).cloned();
        let named = found.iter().find(|user| address(user).is_some_and(|known| known.eq_ignore_ascii_case(email)));
        let only = match &found[..] {
            [user] if address(user).is_none() => Some(user),
            _ => None,
        };
        named.or(only).and_then(|user| user.account_id.get().cloned()).ok_or_else(|| {
            refused("nobody who can be assigned here has the wanted mail address").next_step(
                "Correct the person's address in the configuration, let them be assignable in the project, give handoffd's account the \
                 global permission Browse users and groups, or write the person's account id",
            )
        })
    }

    /// The name of the priority of this urgency, of those that this issue may have.
    async fn level(&self, id: Id, wanted: Priority, deadline: Timestamp) -> Result<String> {
        let names = self.allowed(id, "priority", deadline).await?;
        setup::level(&names, wanted).map(str::to_owned).ok_or_else(|| {
            let shown = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            refused(format!("no priority of this issue is {:?}: it may have {shown}", wanted.name()))
                .next_step("Use one of its priorities in the policy, or put the priority on the project's edit screen")
        })
    }

    /// The names of what may stand in a field of this issue's edit screen.
    pub(crate) async fn allowed(&self, id: Id, field: &str, deadline: Timestamp) -> Result<Vec<String>> {
        let ask = Ask::get("read edit screen", platform(&format!("issue/{id}/editmeta")), deadline);
        let screen: Value = self.api.json(&ask).await?;
        let fields = screen.get("fields").and_then(Value::as_object);
        let fields = fields.ok_or_else(|| ask.malformed("the answer holds no fields"))?;
        let values = fields.get(field).and_then(|field| field["allowedValues"].as_array());
        let name = |value: &Value| value["name"].as_str().or(value["value"].as_str()).map(str::to_owned);
        Ok(values.into_iter().flatten().filter_map(name).collect())
    }

    async fn add_note(&self, id: Id, markup: &str, by: &By<'_>) -> Result<Receipt> {
        let said = self.say(NOTE, id, markup, false, by).await?;
        match said.public.get() {
            Some(false) => Ok(receipt_of(&said, id)),
            Some(true) => Err(self.take_back(id, &said, by.write.deadline).await),
            None => Err(odd(NOTE, "the answer does not say whether the note is internal")),
        }
    }

    /// A note that came out public is taken away at once: the sooner, the fewer have read it. A mail may have left with it.
    async fn take_back(&self, id: Id, said: &Said, deadline: Timestamp) -> DeskError {
        let leaked = DeskError::leaked(NOTE, id);
        let Some(comment) = said.id.get() else { return leaked };
        let path = platform(&format!("issue/{id}/comment/{comment}"));
        let ask = write_ask("take back note", Method::DELETE, path, Value::Null, id).deadline(deadline);
        let gone = self.api.json_or_nothing::<Value>(&ask).await;
        let (what, step) = match gone {
            Ok(_) => (
                "; it was deleted again at once, but a mail may have gone out with it".to_owned(),
                "Ask the customer's mail log or the customer whether it went out, and make handoffd's account an agent of the project: \
                 who is none writes every comment in public. Then resume this desk",
            ),
            Err(error) => (
                format!("; it could not be deleted: {error}"),
                "Open the issue and delete the comment at once, and make handoffd's account an agent of the project: who is none writes \
                 every comment in public. Then resume this desk",
            ),
        };
        let words = format!("{}{what}", leaked.words);
        leaked.words(words).next_step(step)
    }

    async fn reply(&self, id: Id, reply: &PublicReply, before: &TicketHead, by: &By<'_>) -> Result<Receipt> {
        let PublicText(words) = &reply.text;
        if before.reply_reaches_customer == Fact::Known(false) {
            return Err(DeskError::new(DeskErrorKind::Refused, Retry::Never, REPLY)
                .words("the issue has no request type: no customer sees it")
                .next_step("Give the issue a request type, or answer the customer by hand"));
        }
        let said = self.say(REPLY, id, &markup::of_words(words, "", NOTE_BYTES), true, by).await?;
        match said.public.get() {
            Some(true) => Ok(receipt_of(&said, id)),
            Some(false) => Err(DeskError::untold(REPLY, id)),
            None => Err(odd(REPLY, "the answer does not say whether the reply is public")),
        }
    }

    async fn say(&self, operation: &'static str, id: Id, markup: &str, public: bool, by: &By<'_>) -> Result<Said> {
        let body = json!({ "body": markup, "public": public });
        let path = service_desk(&format!("request/{id}/comment"));
        let said: Said = self.api.json(&by.on(write_ask(operation, Method::POST, path, body, id))).await?;
        match said.id.get().is_some_and(|id| id.is_record()) {
            true => Ok(said),
            false => Err(odd(operation, "the answer is not what was written")),
        }
    }

    /// Sends an edit, and looks at what came of it. Whether the issue comes back with it, is not verified (sheet, *Write-back*):
    /// without, it is read.
    async fn edit(&self, id: Id, wanted: &Wanted, before: TicketHead, by: &By<'_>) -> Result<Receipt> {
        let body = json!({ "fields": wanted.fields(), "historyMetadata": noted(&by.write.mark) });
        let path = platform(&format!("issue/{id}"));
        let ask = by.on(write_ask(UPDATE, Method::PUT, path, body, id)).query("returnIssue", true);
        let raw: Option<Value> = self.api.json_or_nothing(&ask).await?;
        if raw.as_ref().is_some_and(|raw| !raw.is_object()) {
            return Err(ask.malformed("the answer is not the ticket that was written"));
        }
        let shown = match raw {
            Some(raw) => self.head_of(&raw, Some(id), by.write.deadline).await.ok().flatten(),
            None => None,
        };
        if let Some(covered) = self.covered(id, wanted, &before, by.write).await {
            return Err(self.put_back(id, covered, by.write).await);
        }
        // From here on the write is proven: nothing that a further read may fail with makes it unsure again.
        match shown.filter(|head| !head.version.as_str().is_empty()) {
            Some(head) => Ok(Receipt::shown_by(head)),
            None => Ok(self.shown_now(id, by.write.deadline).await),
        }
    }

    async fn shown_now(&self, id: Id, deadline: Timestamp) -> Receipt {
        match self.read_head(id, deadline).await {
            Ok(head) => Receipt::shown_by(head),
            Err(_) => Receipt { id: format!("ticket {id}"), version: None, head: None },
        }
    }

    /// Goes to a status by the transition that leads there from where the issue is.
    async fn go(&self, id: Id, status: &StatusSpec, by: &By<'_>) -> Result<Receipt> {
        let path = platform(&format!("issue/{id}/transitions"));
        let ask = Ask::get(STATUS, path.clone(), by.write.deadline);
        let open: Transitions = self.api.json(&ask).await?;
        let open = open.transitions.some().ok_or_else(|| ask.malformed("the answer lists no transitions"))?;
        let name = |transition: &crate::wire::Transition| transition.to.get().and_then(|to| to.name.get().cloned());
        let leads = open.iter().find(|transition| name(transition).as_ref() == Some(&status.word));
        let Some(leads) = leads.and_then(|transition| transition.id.get()) else {
            let names: Vec<String> = open.iter().filter_map(name).collect();
            let names = if names.is_empty() { "nowhere".to_owned() } else { names.join(", ") };
            return Err(DeskError::new(DeskErrorKind::Refused, Retry::Never, STATUS)
                .words(format!("no transition leads to {:?} from here; they lead to {names}", status.word))
                .next_step("Add such a transition to the project's workflow, or use clock.customer = \"continue\""));
        };
        let body = json!({ "transition": { "id": leads }, "historyMetadata": noted(&by.write.mark) });
        self.api.json_or_nothing::<Value>(&by.on(write_ask(STATUS, Method::POST, path, body, id))).await?;
        Ok(self.shown_now(id, by.write.deadline).await)
    }

    /// Adds and removes in one call that leaves all other labels alone.
    async fn change_tags(
        &self,
        id: Id,
        before: TicketHead,
        add: &[String],
        remove: &[String],
        by: &By<'_>,
    ) -> Result<Receipt> {
        if let Some(odd) = add.iter().find(|tag| tag.is_empty() || tag.contains(char::is_whitespace)) {
            return Err(refused(format!("{odd:?} is no label")).next_step("Write labels without spaces"));
        }
        if before.tags.known().is_some_and(|tags| has_tags(tags, add, remove)) {
            return Ok(Receipt::shown_by(before));
        }
        let steps =
            add.iter().map(|tag| json!({ "add": tag })).chain(remove.iter().map(|tag| json!({ "remove": tag })));
        let body = json!({
            "update": { "labels": steps.collect::<Vec<_>>() }, "historyMetadata": noted(&by.write.mark),
        });
        let path = platform(&format!("issue/{id}"));
        let ask = by.on(write_ask(TAGS, Method::PUT, path, body, id));
        self.api.json_or_nothing::<Value>(&ask).await?;
        // The answer tells no version.
        Ok(Receipt { id: format!("labels of ticket {id}"), version: None, head: None })
    }
}

/// Whether labels are as they are wanted.
pub(crate) fn has_tags(there: &[String], add: &[String], remove: &[String]) -> bool {
    add.iter().all(|tag| there.contains(tag)) && !remove.iter().any(|tag| there.contains(tag))
}

/// What takes no more writes, as far as the issue shows it: Jira would take some of them without a word.
fn takes_writes(head: &TicketHead) -> Result<()> {
    let words = match &head.ending {
        None => return Ok(()),
        Some(Ending::Merged { into: Some(into) }) => format!("the ticket was closed as a duplicate of ticket {into}"),
        Some(Ending::Archived) => "the ticket is archived".to_owned(),
        Some(Ending::Deleted) => {
            let project = normalise::project(&head.raw).unwrap_or_else(|| "another".into());
            format!("the ticket was moved to the project {project}, which this desk does not watch")
        }
        Some(_) => "the ticket has ended".to_owned(),
    };
    Err(DeskError::new(DeskErrorKind::Gone, Retry::Never, UPDATE).words(words))
}

/// The receipt of a comment, by the history's name for it. The answer tells no version of the issue: whoever writes next reads
/// it anyway.
fn receipt_of(said: &Said, issue: Id) -> Receipt {
    let id = said.id.get().map_or_else(|| format!("ticket {issue}"), |id| history::change_id(*id).to_string());
    Receipt { id, version: None, head: None }
}

fn odd(operation: &'static str, words: &str) -> DeskError {
    DeskError::new(DeskErrorKind::Protocol, Retry::Unsure, operation).words(words)
}

pub(crate) fn refused(words: impl Into<String>) -> DeskError {
    DeskError::new(DeskErrorKind::Refused, Retry::Never, UPDATE).words(words)
}
