//! Tickets that take no more handoffs.

use super::super::ground::{Ground, Stop, Tried, ensure};
use super::super::stage::EndAct;
use super::{Check, always};
use crate::desk::Write;
use crate::error::DeskErrorKind::{Conflict, Gone, Hidden, NotFound};
use crate::fact::Fact;
use crate::id::TicketId;
use crate::model::{Ending, Status};

pub(super) const CHECKS: &[Check] = &[
    always("a closed ticket is seen as closed and takes no write", |ground| Box::pin(closed(ground))),
    always("a merged ticket is seen as merged, and its target gets no write", |ground| Box::pin(merged(ground))),
    always("a deleted ticket is seen as gone and takes no write", |ground| Box::pin(deleted(ground))),
];

/// Ends a ticket between decision and write; both the write and the next look must see it.
async fn end(ground: &mut Ground<'_>, id: &TicketId, how: EndAct, seen: fn(&Ended) -> bool) -> Tried {
    let write = ground.note(id, "too late").await?;
    ground.pass_grain().await?;
    ground.stage.end(id, how).await?;
    let head = match ground.try_head(id).await? {
        Ok(head) => Ended::Seen(head.ending, head.status),
        Err(error) if [Gone, Hidden, NotFound].contains(&error.kind) => Ended::Gone,
        Err(error) => return Err(error.into()),
    };
    ensure(seen(&head), || format!("the head says {head:?}"))?;
    // A version that no longer fits may be what stops it; without one, the ending itself must.
    let guarded = (write.expected.clone(), &[Gone, Hidden, NotFound, Conflict][..]);
    for (expected, stops) in [guarded, (None, &[Gone, Hidden, NotFound])] {
        match ground.try_apply(&Write { expected, ..write.clone() }).await? {
            Ok(_) => return Err(Stop::Failed("the write was taken".into())),
            Err(error) => ensure(stops.contains(&error.kind), || format!("the write came to {error}"))?,
        }
    }
    Ok(())
}

/// What a look at an ended ticket tells.
#[derive(Debug)]
enum Ended {
    Gone,
    Seen(Option<Ending>, Fact<Status>),
}

async fn closed(ground: &mut Ground<'_>) -> Tried {
    let id = ground.ticket().await?;
    end(ground, &id, EndAct::Close, |head| {
        matches!(head, Ended::Seen(_, Fact::Known(Status::Closed)) | Ended::Seen(Some(_), _) | Ended::Gone)
    })
    .await
}

async fn merged(ground: &mut Ground<'_>) -> Tried {
    let (id, target) = (ground.ticket().await?, ground.ticket().await?);
    end(ground, &id, EndAct::Merge(target.clone()), |head| {
        matches!(
            head,
            Ended::Seen(Some(Ending::Merged { .. }), _) | Ended::Seen(_, Fact::Known(Status::Closed)) | Ended::Gone
        )
    })
    .await?;
    let notes = ground.our_notes(&target).await?.len();
    ensure(notes == 0, || format!("{notes} notes landed on the target"))
}

async fn deleted(ground: &mut Ground<'_>) -> Tried {
    let id = ground.ticket().await?;
    end(ground, &id, EndAct::Delete, |head| matches!(head, Ended::Seen(Some(Ending::Deleted), _) | Ended::Gone)).await
}
