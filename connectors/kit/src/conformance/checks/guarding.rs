//! Guarded writes: no person is covered.

use super::super::ground::{Ground, Stop, Tried, ensure};
use super::super::stage::PersonAct;
use super::super::wire::Fault;
use super::writing::public;
use super::{Check, always};
use crate::capability::{Aspect, Capabilities, Guard};
use crate::desk::{DeskChange, OwnerSpec, Update};
use crate::error::{DeskErrorKind, Retry};
use crate::fact::Fact;
use crate::model::Priority;
use std::collections::BTreeSet;

pub(super) const CHECKS: &[Check] = &[
    Check {
        promise: "a person's change makes a guarded write fail, and nothing of it is written",
        not_declared: unguarded,
        try_it: |ground| Box::pin(persons_change(ground)),
    },
    Check {
        promise: "a person's change in the very moment of the decision stands, and is reported",
        not_declared: unguarded,
        try_it: |ground| Box::pin(same_moment(ground)),
    },
    Check {
        promise: "the first try of a write, arriving late, is not repeated by the second",
        not_declared: |capabilities| match capabilities.guard {
            Guard::Conditional { .. } => None,
            Guard::Leaky | Guard::Compared | Guard::None => Some("the desk does not compare versions by itself"),
        },
        try_it: |ground| Box::pin(late_arrival(ground)),
    },
    always("a write that is held back does not leave, and leaves once it is not", |ground| Box::pin(held_back(ground))),
];

fn unguarded(capabilities: &Capabilities) -> Option<&'static str> {
    (capabilities.guard == Guard::None).then_some("writes are not guarded")
}

async fn persons_change(ground: &mut Ground<'_>) -> Tried {
    let acts = [
        PersonAct::Move(ground.names.away.clone()),
        PersonAct::Take,
        PersonAct::Priority(Priority::Urgent),
        PersonAct::Reply("I have it".into()),
        PersonAct::Note("mine".into()),
    ];
    for act in acts {
        let id = ground.ticket().await?;
        let write = ground.note(&id, "decided before the person acted").await?;
        ground.pass_grain().await?;
        ground.act(&id, act.clone()).await?;
        match ground.try_apply(&write).await? {
            Ok(_) => return Err(Stop::Failed(format!("{act:?} was covered"))),
            Err(error) => ensure(error.kind == DeskErrorKind::Conflict && error.retry != Retry::Unsure, || {
                format!("after {act:?}, instead of a conflict: {error}, {:?}", error.retry)
            })?,
        }
        ensure(ground.our_notes(&id).await?.is_empty(), || format!("after {act:?}, it was written all the same"))?;
    }
    Ok(())
}

/// No time passes between reading, the person's change and ours: what a version with a grain lets slip through.
async fn same_moment(ground: &mut Ground<'_>) -> Tried {
    let (home, away) = (ground.names.home.clone(), ground.names.away.clone());
    let nobody = || Update { owner: Some(OwnerSpec::Nobody), ..Update::default() };
    for (act, update) in [
        (PersonAct::Take, nobody()),
        (PersonAct::Move(away), Update { queue: Some(home), ..Update::default() }),
        (PersonAct::Priority(Priority::Urgent), Update { priority: Some(Priority::Low), ..Update::default() }),
    ] {
        if update.priority.is_some() && ground.capabilities().fixed.contains(&Aspect::Priority) {
            continue;
        }
        let id = ground.ticket().await?;
        let write = ground.write(&id, DeskChange::Update(update)).await?;
        ground.act(&id, act.clone()).await?;
        let there = ground.look(&id).await?;
        match ground.try_apply(&write).await? {
            Ok(_) => return Err(Stop::Failed(format!("{act:?} was covered without a word"))),
            Err(error) => ensure(error.kind == DeskErrorKind::Conflict && error.retry != Retry::Unsure, || {
                format!("after {act:?}, instead of a conflict: {error}, {:?}", error.retry)
            })?,
        }
        let left = ground.look(&id).await?;
        ensure((&left.queue, &left.owner, &left.priority) == (&there.queue, &there.owner, &there.priority), || {
            format!("{act:?} left {there:?}, and after ours it is {left:?}")
        })?;
        let agent = Some(ground.names.agent.clone());
        let taken = act != PersonAct::Take || left.owner == Fact::Known(agent);
        ensure(taken, || "the agent who took it is not its owner".into())?;
    }
    Ok(())
}

async fn late_arrival(ground: &mut Ground<'_>) -> Tried {
    let id = ground.ticket().await?;
    let write = ground.note(&id, "once").await?;
    ground.pass_grain().await?;
    ground.wire.fault_next_write(Fault::LostAfter);
    ensure(ground.try_apply(&write).await?.is_err(), || "a lost answer was taken for success".into())?;
    let again = ground.try_apply(&write).await?;
    let conflict = again.as_ref().is_err_and(|error| error.kind == DeskErrorKind::Conflict);
    ensure(conflict, || format!("the second try came to {again:?}"))?;
    let notes = ground.our_notes(&id).await?.len();
    ensure(notes == 1, || format!("there are {notes} notes"))
}

/// A pause comes while writes wait for the vendor's limits: none of them is sent, none is unsure, and each goes out afterwards.
async fn held_back(ground: &mut Ground<'_>) -> Tried {
    let tags = DeskChange::Tags { add: vec!["held".into()], remove: Vec::new() };
    for change in [DeskChange::Update(Update::default()), public("A colleague looks at it."), tags] {
        let id = ground.ticket().await?;
        let write = match &change {
            DeskChange::Update(_) => ground.note(&id, "held back for a while").await?,
            _ => ground.write(&id, change.clone()).await?,
        };
        let before = ground.look(&id).await?;
        ground.desk.hold_back(&[write.mark.key()].into());
        ground.wire.take_traffic();
        let answer = ground.try_apply(&write).await?;
        let writes = ground.wire.take_traffic().writes;
        ground.desk.hold_back(&BTreeSet::new());
        let held =
            answer.as_ref().is_err_and(|error| (error.kind, error.retry) == (DeskErrorKind::Held, Retry::After(None)));
        ensure(held && writes == 0, || format!("{change:?}: {writes} requests, {answer:?}"))?;
        ensure(ground.look(&id).await? == before, || format!("{change:?} was written all the same"))?;
        ground.apply(&write).await?;
        ensure(ground.look(&id).await? != before, || format!("{change:?} was never written"))?;
    }
    Ok(())
}
