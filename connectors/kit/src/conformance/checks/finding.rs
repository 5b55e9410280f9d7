//! Lost answers: what was written is found by its mark, what was not is not, and a repeat writes once.

use super::super::ground::{Ground, Stop, Tried, ensure};
use super::super::stage::PersonAct;
use super::super::wire::Fault;
use super::writing::public;
use super::{Check, always};
use crate::capability::Capabilities;
use crate::desk::{DeskChange, Sighting, Write};
use crate::error::{DeskErrorKind, Retry};
use crate::id::TicketId;
use jiff::SignedDuration;

pub(super) const CHECKS: &[Check] = &[
    Check {
        promise: "after a lost answer we are unsure, and the note is found by its mark",
        not_declared: cannot_find,
        try_it: |ground| Box::pin(lost_after(ground)),
    },
    Check {
        promise: "a lost request is not found, and its repeat writes once",
        not_declared: cannot_find,
        try_it: |ground| Box::pin(lost_before(ground)),
    },
    Check {
        promise: "a public reply whose answer was lost is found",
        not_declared: cannot_find,
        try_it: |ground| Box::pin(lost_reply(ground)),
    },
    Check {
        promise: "tags whose answer was lost are found",
        not_declared: cannot_find,
        try_it: |ground| Box::pin(lost_tags(ground)),
    },
    Check {
        promise: "a mark in somebody else's note does not count",
        not_declared: cannot_find,
        try_it: |ground| Box::pin(foreign_mark(ground)),
    },
    Check {
        promise: "a desk that cannot look says so",
        not_declared: |capabilities| capabilities.can_find.then_some("the desk can look"),
        try_it: |ground| Box::pin(says_so(ground)),
    },
    always("a write that could not be sent may be repeated at once", |ground| Box::pin(not_sent(ground))),
];

fn cannot_find(capabilities: &Capabilities) -> Option<&'static str> {
    (!capabilities.can_find).then_some("effects cannot be looked up")
}

/// Applies a write whose request or answer gets lost.
async fn lose(ground: &mut Ground<'_>, write: &Write, fault: Fault) -> Tried {
    ground.wire.fault_next_write(fault);
    match ground.try_apply(write).await? {
        Ok(_) => Err(Stop::Failed("a lost answer was taken for success".into())),
        Err(error) => ensure(error.kind == DeskErrorKind::Unavailable && error.retry == Retry::Unsure, || {
            format!("a lost answer is {error}, {:?}", error.retry)
        }),
    }
}

async fn must_find(ground: &mut Ground<'_>, write: &Write) -> Tried {
    match ground.find(write).await? {
        Sighting::Found(receipt) => ensure(!receipt.id.is_empty(), || "an empty receipt".into()),
        other => Err(Stop::Failed(format!("it is there, but the look came to {other:?}"))),
    }
}

async fn must_not_find(ground: &mut Ground<'_>, write: &Write) -> Tried {
    match ground.find(write).await? {
        Sighting::NotFound => Ok(()),
        other => Err(Stop::Failed(format!("it is not there, but the look came to {other:?}"))),
    }
}

async fn one_note(ground: &mut Ground<'_>, id: &TicketId) -> Tried {
    let notes = ground.our_notes(id).await?.len();
    ensure(notes == 1, || format!("there are {notes} notes of ours"))
}

async fn lost_after(ground: &mut Ground<'_>) -> Tried {
    let id = ground.ticket().await?;
    let write = ground.note(&id, "written, not heard of").await?;
    lose(ground, &write, Fault::LostAfter).await?;
    ground.act(&id, PersonAct::Note("a person writes after it".into())).await?;
    must_find(ground, &write).await?;
    one_note(ground, &id).await
}

async fn lost_before(ground: &mut Ground<'_>) -> Tried {
    let id = ground.ticket().await?;
    let write = ground.note(&id, "not written at first").await?;
    lose(ground, &write, Fault::LostBefore).await?;
    let settled = SignedDuration::try_from(ground.capabilities().settle_time).unwrap_or_default();
    ground.stage.advance(settled + SignedDuration::from_secs(1)).await?;
    must_not_find(ground, &write).await?;
    ground.apply(&write).await?;
    must_find(ground, &write).await?;
    one_note(ground, &id).await
}

async fn lost_reply(ground: &mut Ground<'_>) -> Tried {
    let id = ground.ticket().await?;
    let write = ground.write(&id, public("A colleague takes over.")).await?;
    must_not_find(ground, &write).await?;
    lose(ground, &write, Fault::LostAfter).await?;
    must_find(ground, &write).await
}

async fn lost_tags(ground: &mut Ground<'_>) -> Tried {
    if !ground.names.tags {
        return Err(Stop::Skipped("the stage has no tags".into()));
    }
    let id = ground.ticket().await?;
    let write = ground.write(&id, DeskChange::Tags { add: vec!["ours".into()], remove: Vec::new() }).await?;
    must_not_find(ground, &write).await?;
    lose(ground, &write, Fault::LostAfter).await?;
    must_find(ground, &write).await
}

async fn foreign_mark(ground: &mut Ground<'_>) -> Tried {
    let id = ground.ticket().await?;
    let write = ground.note(&id, "never sent").await?;
    ground.act(&id, PersonAct::Note(format!("copied from elsewhere\n\n{}", write.mark))).await?;
    must_not_find(ground, &write).await
}

async fn says_so(ground: &mut Ground<'_>) -> Tried {
    let id = ground.ticket().await?;
    let write = ground.note(&id, "who knows").await?;
    match ground.find(&write).await? {
        Sighting::CannotTell(why) => ensure(!why.is_empty(), || "it does not say why".into()),
        other => Err(Stop::Failed(format!("the look came to {other:?}"))),
    }
}

async fn not_sent(ground: &mut Ground<'_>) -> Tried {
    let id = ground.ticket().await?;
    let write = ground.note(&id, "at the second try").await?;
    ground.wire.fault_next_write(Fault::NotSent);
    match ground.try_apply(&write).await? {
        Ok(_) => return Err(Stop::Failed("what was not sent was taken for success".into())),
        Err(error) => ensure(matches!(error.retry, Retry::After(_)), || format!("{error}, {:?}", error.retry))?,
    }
    ground.apply(&write).await?;
    one_note(ground, &id).await
}
