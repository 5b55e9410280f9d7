//! Reading: the head as it was staged, unknown where nothing was said, and parts only when asked for.

use super::super::ground::{Ground, Stop, Tried, ensure};
use super::super::stage::{FactName, NewMessage, NewTicket, OnDesk, PersonAct, Sender};
use super::{Check, always};
use crate::capability::Capabilities;
use crate::desk::{Finding, QueueSpec, Severity};
use crate::error::{DeskErrorKind, Retry};
use crate::fact::Fact;
use crate::id::TicketId;
use crate::model::{Actor, PartKind, PartSet, Priority, Role, Status, TicketHead, Visibility, What};
use serde_json::{Value, json};
use std::fmt::Debug;
use std::sync::Arc;

pub(super) const CHECKS: &[Check] = &[
    always("login, names and rights are in order", |ground| Box::pin(in_order(ground))),
    always("a head says what the ticket is", |ground| Box::pin(head_as_staged(ground))),
    always("what an answer leaves out is unknown", |ground| Box::pin(left_out(ground))),
    always("what an answer says in nonsense is unknown or refused", |ground| Box::pin(nonsense(ground))),
    always("a ticket that does not exist is not found", |ground| Box::pin(no_such_ticket(ground))),
    always("parts are read only when asked for", |ground| Box::pin(parts_as_asked(ground))),
    always("a conversation keeps order, authors and visibility", |ground| Box::pin(conversation(ground))),
    always("the customer is known as one", |ground| Box::pin(customer(ground))),
    Check {
        promise: "the history says who moved and who took a ticket",
        not_declared: no_history,
        try_it: |ground| Box::pin(history(ground)),
    },
    Check {
        promise: "an agent's note and label are theirs, word for word, and a customer's words are not",
        not_declared: no_history,
        try_it: |ground| Box::pin(attributed(ground)),
    },
    Check {
        promise: "the customer's tickets are listed, each once, newest first",
        not_declared: no_contacts,
        try_it: |ground| Box::pin(contacts(ground)),
    },
    Check {
        promise: "an automatic answer is told from a person's mail",
        not_declared: |capabilities| (!capabilities.machine_mail).then_some("machine mail is not declared to be told"),
        try_it: |ground| Box::pin(machine_mail(ground)),
    },
];

fn no_contacts(capabilities: &Capabilities) -> Option<&'static str> {
    (!capabilities.customers_tickets).then_some("no list of a customer's tickets is declared")
}

async fn machine_mail(ground: &mut Ground<'_>) -> Tried {
    for (sender, by_machine) in [(Sender::Machine, true), (Sender::ByMail, false)] {
        let ticket = NewTicket {
            subject: "Your request".into(),
            text: "I am not in the office.".into(),
            queue: Some(ground.names.home.clone()),
            sender,
            ..NewTicket::default()
        };
        let id = ground.stage.make(ticket).await?;
        let head = ground.head(&id).await?.machine_mail;
        ensure(head.is_unknown() || head == Fact::Known(by_machine), || format!("{sender:?}: the head says {head:?}"))?;
        let parts = ground.parts(&id, PartSet::of(&[PartKind::Conversation])).await?;
        let read = parts.conversation.and_then(|read| read.messages.into_iter().next()).map(|first| first.by_machine);
        ensure(read == Some(Fact::Known(by_machine)), || format!("{sender:?}: the message says {read:?}"))?;
    }
    Ok(())
}

async fn contacts(ground: &mut Ground<'_>) -> Tried {
    let first = ground.ticket().await?;
    ground.pass_grain().await?;
    let second = ground.ticket().await?;
    let parts = ground.parts(&second, PartSet::of(&[PartKind::Contacts])).await?;
    let Some(read) = parts.contacts else { return Err(Stop::Failed("no tickets of the customer".into())) };
    ensure(read.complete, || "a short list is said to be cut".into())?;
    let places = |wanted: &TicketId| -> Vec<usize> {
        let found = read.tickets.iter().enumerate().filter(|(_, ticket)| ticket.id == *wanted);
        found.map(|(place, _)| place).collect()
    };
    let (newer, older) = (places(&second), places(&first));
    ensure(newer.len() == 1 && older.len() == 1 && newer < older, || format!("they stand at {newer:?} and {older:?}"))?;
    let known = |fact: &Fact<_>| fact.known().is_some_and(|at| *at <= read.as_of);
    ensure(read.tickets.iter().all(|ticket| known(&ticket.created_at)), || "a ticket has no time of its own".into())?;
    ensure(read.tickets.iter().all(|ticket| !ticket.status.is_unknown()), || "a ticket has no status".into())
}

pub(super) fn no_history(capabilities: &Capabilities) -> Option<&'static str> {
    (!capabilities.readable_history).then_some("no readable history is declared")
}

async fn in_order(ground: &mut Ground<'_>) -> Tried {
    let me = ground.drive(ground.desk.me()).await??;
    ensure(me.role == Role::Us, || format!("our own account has the role {:?}", me.role))?;
    let directory = ground.drive(ground.desk.directory()).await??;
    for queue in [&ground.names.home, &ground.names.away] {
        let known = directory.queues.iter().any(|known| queue.is(known));
        ensure(known, || format!("the directory lacks the queue {}", queue.shown()))?;
    }
    let bad = |findings: &[Finding]| findings.iter().find(|finding| finding.severity == Severity::Error).cloned();
    for wanted in [vec![], vec![ground.names.home.clone(), ground.names.away.clone()]] {
        let error = bad(&ground.drive(ground.desk.check(&wanted)).await??);
        ensure(error.is_none(), || format!("its own check of {wanted:?} finds an error: {error:?}"))?;
    }
    let nowhere = [QueueSpec::Name("No such queue".into())];
    let error = bad(&ground.drive(ground.desk.check(&nowhere)).await??);
    let named = error.as_ref().is_some_and(|finding| finding.what.contains(nowhere[0].shown()));
    ensure(named, || format!("its own check of a queue that is not there finds {error:?}"))
}

async fn head_as_staged(ground: &mut Ground<'_>) -> Tried {
    let names = &ground.names;
    let ticket = NewTicket {
        subject: "Größe & <b>bold</b>".into(),
        text: "First words of the customer.".into(),
        queue: Some(names.home.clone()),
        owner: Some(names.agent.clone()),
        priority: Some(Priority::High),
        tags: if names.tags { vec!["refund".into(), "vip".into()] } else { Vec::new() },
        field: names.field.clone().map(|(id, value, _)| (id, value)),
        then: Vec::new(),
        sender: Sender::Customer,
    };
    let id = ground.stage.make(ticket.clone()).await?;
    let desk = ground.look(&id).await?;
    let head = ground.head(&id).await?;
    ensure(head.id == id, || format!("another id: {}", head.id))?;
    same("subject", &head.subject, &Fact::Known(ticket.subject))?;
    let open = matches!(head.status, Fact::Known(Status::New | Status::Open));
    ensure(open, || format!("a fresh ticket's status is {:?}", head.status))?;
    ensure(head.ending.is_none(), || format!("a fresh ticket has ended: {:?}", head.ending))?;
    as_on_desk(&head, &desk)?;
    if let Fact::Known(text) = &head.text {
        ensure(text.contains(&ticket.text), || "the text is not the customer's first message".into())?;
    }
    if let Some((field, _)) = &ticket.field {
        ensure(head.fields.contains_key(field), || format!("the field {field} is missing"))?;
    }
    ensure(!head.created_at.is_unknown() && !head.updated_at.is_unknown(), || "its times are unknown".into())?;
    ensure(matches!(head.requester, Fact::Known(Some(_))), || "nobody asks".into())?;
    ensure(!head.raw.is_empty(), || "the vendor's answer was not kept".into())?;
    ensure(!head.version.as_str().is_empty(), || "it has no version".into())
}

/// What the desk knows, the head must know in the same way.
fn as_on_desk(head: &TicketHead, desk: &OnDesk) -> Tried {
    let queue = head.queue.clone().map(|queue| queue.map(|queue| queue.name.unwrap_or_else(|| queue.id.to_string())));
    same("queue", &queue, &desk.queue)?;
    same("owner", &head.owner.clone().map(|owner| owner.map(|owner| owner.id)), &desk.owner)?;
    same("priority", &head.priority, &desk.priority)?;
    let sorted = |tags: &Fact<Vec<String>>| {
        tags.clone().map(|mut tags| {
            tags.sort();
            tags
        })
    };
    same("tags", &sorted(&head.tags), &sorted(&desk.tags))
}

fn same<T: PartialEq + Debug>(what: &str, head: &Fact<T>, desk: &Fact<T>) -> Tried {
    ensure(desk.is_unknown() || head == desk, || format!("{what}: the head says {head:?}, the desk {desk:?}"))
}

async fn left_out(ground: &mut Ground<'_>) -> Tried {
    each_key_edited(ground, |_, inside, key| {
        inside.remove(key);
    })
    .await
}

async fn nonsense(ground: &mut Ground<'_>) -> Tried {
    each_key_edited(ground, |odd, inside, key| {
        if inside.contains_key(key) {
            inside.insert(key.to_owned(), odd.clone());
        }
    })
    .await
}

type EditKey = fn(&Value, &mut serde_json::Map<String, Value>, &str);

async fn each_key_edited(ground: &mut Ground<'_>, edit: EditKey) -> Tried {
    let keys = ground.stage.keys();
    if keys.is_empty() {
        return Err(Stop::Skipped("the stage names no keys".into()));
    }
    let id = ground.ticket().await?;
    ground.head(&id).await?;
    for (fact, key) in keys {
        let odd = json!({ "odd": [key] });
        ground.wire.edit_answers(Arc::new(move |answer| everywhere(answer, &|inside| edit(&odd, inside, key))));
        let head = ground.try_head(&id).await?;
        ground.wire.mend();
        match head {
            Ok(head) => ensure(is_unknown(&head, fact), || format!("without {key}, {fact:?} is known all the same"))?,
            Err(error) => {
                let kind = error.kind;
                ensure(kind == DeskErrorKind::Protocol, || format!("without a proper {key}: {error}"))?;
            }
        }
    }
    Ok(())
}

fn everywhere(json: &mut Value, edit: &dyn Fn(&mut serde_json::Map<String, Value>)) {
    match json {
        Value::Object(inside) => {
            edit(inside);
            inside.values_mut().for_each(|value| everywhere(value, edit));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| everywhere(value, edit)),
        _ => {}
    }
}

fn is_unknown(head: &TicketHead, fact: FactName) -> bool {
    match fact {
        FactName::Subject => head.subject.is_unknown(),
        FactName::Status => head.status.is_unknown(),
        FactName::Priority => head.priority.is_unknown(),
        FactName::Tags => head.tags.is_unknown(),
        FactName::Queue => head.queue.is_unknown(),
        FactName::Owner => head.owner.is_unknown(),
        FactName::CreatedAt => head.created_at.is_unknown(),
        FactName::UpdatedAt => head.updated_at.is_unknown(),
    }
}

async fn no_such_ticket(ground: &mut Ground<'_>) -> Tried {
    let nobody = ground.names.no_ticket.clone();
    match ground.try_head(&nobody).await? {
        Ok(_) => Err(Stop::Failed("it was read".into())),
        Err(error) => ensure(error.kind == DeskErrorKind::NotFound && error.retry == Retry::Never, || {
            format!("instead of not found: {error}, {:?}", error.retry)
        }),
    }
}

async fn parts_as_asked(ground: &mut Ground<'_>) -> Tried {
    let id = ground.ticket().await?;
    let head = ground.head(&id).await?;
    ground.wire.take_traffic();
    let none = ground.drive(ground.desk.parts(&head, PartSet::NONE, ground.deadline())).await??;
    let traffic = ground.wire.take_traffic();
    ensure(none.read().is_empty() && traffic.reads == 0, || {
        format!("asked for nothing, it made {} reads", traffic.reads)
    })?;

    let kinds = kinds(ground.capabilities());
    ground.drive(ground.desk.parts(&head, PartSet::of(&kinds), ground.deadline())).await??;
    let all = ground.wire.take_traffic().reads;
    for kind in kinds {
        let parts = ground.drive(ground.desk.parts(&head, PartSet::of(&[kind]), ground.deadline())).await??;
        let traffic = ground.wire.take_traffic();
        ensure(parts.read().has(kind), || format!("{kind:?} was asked for and not read"))?;
        ensure(traffic.writes == 0, || format!("reading {kind:?} wrote something"))?;
        ensure(traffic.reads <= all, || format!("{kind:?} alone costs {} reads, all parts {all}", traffic.reads))?;
    }
    Ok(())
}

fn kinds(capabilities: &Capabilities) -> Vec<PartKind> {
    let mut kinds = vec![PartKind::Conversation, PartKind::Customer];
    kinds.extend(capabilities.readable_history.then_some(PartKind::History));
    kinds.extend(capabilities.sla_clocks.then_some(PartKind::Clocks));
    kinds.extend(capabilities.customers_tickets.then_some(PartKind::Contacts));
    kinds
}

async fn conversation(ground: &mut Ground<'_>) -> Tried {
    let staged = [
        (NewMessage::AgentInternally("Only among us: looks like E-4127".into()), Role::Agent, Visibility::Internal),
        (NewMessage::AgentPublicly("Please restart it".into()), Role::Agent, Visibility::Public),
        (NewMessage::Customer("Did not help".into()), Role::Customer, Visibility::Public),
    ];
    let ticket = NewTicket {
        subject: "Talk".into(),
        text: "It all began here".into(),
        queue: Some(ground.names.home.clone()),
        then: staged.iter().map(|(message, ..)| message.clone()).collect(),
        ..NewTicket::default()
    };
    let id = ground.stage.make(ticket).await?;
    let parts = ground.parts(&id, PartSet::of(&[PartKind::Conversation])).await?;
    let Some(read) = parts.conversation else { return Err(Stop::Failed("no conversation".into())) };
    ensure(read.complete, || "a short conversation is said to be cut".into())?;
    let first = ("It all began here", Role::Customer, Visibility::Public);
    let rest = staged.iter().map(|(message, role, visibility)| (words(message), *role, *visibility));
    let expected: Vec<_> = std::iter::once(first).chain(rest).collect();
    let seen: Vec<_> =
        read.messages.iter().map(|m| (m.said.words().trim(), m.author.role, m.said.visibility())).collect();
    ensure(seen == expected, || format!("it reads {seen:?}"))?;
    ensure(read.messages.is_sorted_by_key(|message| message.at), || "the times do not grow".into())
}

fn words(message: &NewMessage) -> &str {
    match message {
        NewMessage::Customer(words) | NewMessage::AgentPublicly(words) | NewMessage::AgentInternally(words) => words,
    }
}

async fn customer(ground: &mut Ground<'_>) -> Tried {
    let id = ground.ticket().await?;
    let parts = ground.parts(&id, PartSet::of(&[PartKind::Customer])).await?;
    let Some(customer) = parts.customer else { return Err(Stop::Failed("no customer".into())) };
    let role = customer.person.role;
    ensure(role == Role::Customer, || format!("who asks has the role {role:?}"))?;
    let named = customer.person.email.is_some() || customer.person.name.is_some();
    ensure(named, || "who asks has neither name nor address".into())
}

async fn history(ground: &mut Ground<'_>) -> Tried {
    let id = ground.ticket().await?;
    ground.pass_grain().await?;
    ground.act(&id, PersonAct::Move(ground.names.away.clone())).await?;
    ground.act(&id, PersonAct::Take).await?;
    let parts = ground.parts(&id, PartSet::of(&[PartKind::History])).await?;
    let Some(changes) = parts.history else { return Err(Stop::Failed("no history".into())) };
    ensure(changes.is_sorted_by_key(|change| change.at), || "it is not oldest first".into())?;
    let agent = ground.names.agent.clone();
    let by_agent = |wanted: &dyn Fn(&What) -> bool| {
        let found = changes.iter().find(|change| change.what.iter().any(wanted));
        match found {
            None => Err(Stop::Failed("a person's act is missing".into())),
            Some(change) => ensure(change.actor == Actor::Person && change.by.id.as_ref() == Some(&agent), || {
                format!("it says that {:?} ({:?}) did what a person did", change.by, change.actor)
            }),
        }
    };
    let away = ground.names.away.clone();
    by_agent(&|what| moved_to(what, &away))?;
    by_agent(&|what| matches!(what, What::Owner { to: Some(to), .. } if *to == agent))
}

/// Commands are given in notes and labels: who gave them must be beyond doubt.
async fn attributed(ground: &mut Ground<'_>) -> Tried {
    let words = "/back the refund is on its way";
    let id = ground.ticket().await?;
    ground.pass_grain().await?;
    ground.act(&id, PersonAct::Note(format!("{words}\nand a second line"))).await?;
    let parts = ground.parts(&id, PartSet::of(&[PartKind::Conversation, PartKind::History])).await?;
    let (Some(conversation), Some(changes)) = (parts.conversation, parts.history) else {
        return Err(Stop::Failed("no conversation or no history".into()));
    };
    for message in &conversation.messages {
        let said = |what: &What| matches!(what, What::Said { message: id, .. } if *id == message.id);
        let note = message.said.words().trim_start().starts_with(words);
        let Some(change) = changes.iter().find(|change| change.what.iter().any(said)) else {
            ensure(!note, || "the history does not know the note".into())?;
            continue; // What opened the ticket may stand there as its opening alone.
        };
        let seen = (change.by.role, message.author.role, message.said.visibility(), change.actor);
        let wanted = match note {
            true => (Role::Agent, Role::Agent, Visibility::Internal, Actor::Person),
            false => (Role::Customer, Role::Customer, Visibility::Public, Actor::Person),
        };
        ensure(seen == wanted, || format!("a message reads {seen:?} instead of {wanted:?}"))?;
    }
    let first = conversation.messages.last().and_then(|note| note.said.words().trim_start().lines().next());
    ensure(first.map(str::trim) == Some(words), || format!("the note's first line reads {first:?}"))?;
    if !ground.names.tags {
        return Ok(());
    }
    ground.pass_grain().await?;
    ground.act(&id, PersonAct::Tag("handoff-good".into())).await?;
    let added = |what: &What| matches!(what, What::Tags { added, .. } if added.iter().any(|tag| tag == "handoff-good"));
    let agent = ground.names.agent.clone();
    match self::changes(ground, &id).await?.iter().find(|change| change.what.iter().any(added)) {
        None => Err(Stop::Failed("the history does not say which label came".into())),
        Some(change) => ensure(change.actor == Actor::Person && change.by.id.as_ref() == Some(&agent), || {
            format!("it says that {:?} ({:?}) set a person's label", change.by, change.actor)
        }),
    }
}

pub(super) fn moved_to(what: &What, queue: &QueueSpec) -> bool {
    matches!(what, What::Queue { to: Some(to), .. } if queue.is(to))
}

/// For checks elsewhere that need the ticket's history.
pub(super) async fn changes(ground: &Ground<'_>, id: &TicketId) -> Tried<Vec<crate::model::Change>> {
    let parts = ground.parts(id, PartSet::of(&[PartKind::History])).await?;
    parts.history.ok_or_else(|| Stop::Failed("no history".into()))
}
