//! Refusals and faults, translated into what is wrong and whether to try again.

use super::super::ground::{Ground, Stop, Tried, ensure};
use super::super::stage::Rights;
use super::super::wire::Fault;
use super::{Check, always};
use crate::desk::{Receipt, Severity, Sighting};
use crate::error::DeskErrorKind::{Forbidden, Protocol, RateLimited, Unauthorized, Unavailable};
use crate::error::{DeskError, DeskErrorKind, Retry};
use crate::id::TicketId;
use jiff::SignedDuration;

pub(super) const CHECKS: &[Check] = &[
    always("a missing right is named, with the next step", |ground| Box::pin(missing_right(ground))),
    always("the desk's own check sees a missing right", |ground| Box::pin(check_sees(ground))),
    always("a refused login says so, with the next step", |ground| Box::pin(refused_login(ground))),
    always("a 429 waits as told, and nothing was written", |ground| Box::pin(too_many(ground))),
    always("a 500, 502 or 503 on a read may be repeated", |ground| Box::pin(down_for_reads(ground))),
    always("a 500 on a write leaves us unsure, done or not", |ground| Box::pin(down_for_writes(ground))),
    always("a malformed answer to a read is a protocol error", |ground| Box::pin(malformed_read(ground))),
    always("a malformed answer to a write is a protocol error and unsure", |ground| Box::pin(malformed_write(ground))),
];

fn failure<T: std::fmt::Debug>(answer: Result<T, DeskError>) -> Tried<DeskError> {
    match answer {
        Ok(answer) => Err(Stop::Failed(format!("it was taken for success: {answer:?}"))),
        Err(error) => Ok(error),
    }
}

fn is(error: &DeskError, kind: DeskErrorKind, retry: impl Fn(Retry) -> bool) -> Tried {
    ensure(error.kind == kind && retry(error.retry), || {
        format!("{error}, {:?}, instead of {}", error.retry, kind.name())
    })
}

fn answer(status: u16, body: &'static str) -> Fault {
    Fault::Answer { status, headers: vec![("content-type", "text/html".into())], body }
}

async fn missing_right(ground: &mut Ground<'_>) -> Tried {
    let id = ground.ticket().await?;
    let write = ground.note(&id, "with the right given back").await?;
    ground.stage.rights(Rights::Taken).await?;
    let refused = ground.try_apply(&write).await;
    ground.stage.rights(Rights::Given).await?;
    let error = failure(refused?)?;
    is(&error, Forbidden, |retry| retry == Retry::Never)?;
    ensure(error.next_step.as_ref().is_some_and(|step| !step.is_empty()), || "there is no next step".into())?;
    ground.apply(&write).await?;
    ensure(ground.our_notes(&id).await?.len() == 1, || "the refused write was written too".into())
}

async fn check_sees(ground: &mut Ground<'_>) -> Tried {
    ground.stage.rights(Rights::Taken).await?;
    let findings = ground.drive(ground.desk.check(&[])).await;
    ground.stage.rights(Rights::Given).await?;
    let findings = match findings? {
        Ok(findings) => findings,
        Err(error) => return Err(Stop::Failed(format!("it ends with {error} instead of a finding"))),
    };
    let named = findings.iter().any(|finding| finding.severity != Severity::Fine && !finding.next_step.is_empty());
    ensure(named, || format!("it finds {findings:?}"))
}

async fn refused_login(ground: &mut Ground<'_>) -> Tried {
    let id = ground.ticket().await?;
    ground.head(&id).await?;
    ground.wire.fault_all(answer(401, r#"{"error":"Couldn't authenticate you"}"#));
    let refused = ground.try_head(&id).await;
    ground.wire.mend();
    let error = failure(refused?)?;
    is(&error, Unauthorized, |retry| retry == Retry::Never)?;
    ensure(error.next_step.is_some(), || "there is no next step".into())
}

async fn too_many(ground: &mut Ground<'_>) -> Tried {
    let id = ground.ticket().await?;
    let write = ground.note(&id, "after the wait").await?;
    let wait = SignedDuration::from_secs(33);
    for on_write in [false, true] {
        let headers = vec![("retry-after", wait.as_secs().to_string())];
        let fault = Fault::Answer { status: 429, headers, body: "Too many, please wait" };
        let until = ground.now().and_then(|now| now.checked_add(wait).ok());
        let error = match on_write {
            true => {
                ground.wire.fault_next_write(fault);
                failure(ground.try_apply(&write).await?)?
            }
            false => {
                ground.wire.fault_next_read(fault);
                failure(ground.try_head(&id).await?)?
            }
        };
        // The clock of a write may have moved while its first reads waited: not before `until` is what counts.
        is(
            &error,
            RateLimited,
            |retry| matches!(retry, Retry::After(Some(at)) if until.is_none_or(|until| at >= until)),
        )?;
        ground.stage.advance(wait + SignedDuration::from_secs(1)).await?;
    }
    ground.apply(&write).await?;
    ensure(ground.our_notes(&id).await?.len() == 1, || "a write that was refused by 429 was written too".into())
}

async fn down_for_reads(ground: &mut Ground<'_>) -> Tried {
    let id = ground.ticket().await?;
    ground.head(&id).await?;
    for (status, body) in [(500, "<h1>Oops</h1>"), (502, ""), (503, r#"{"error":"down"}"#)] {
        ground.wire.fault_all(answer(status, body));
        let down = ground.try_head(&id).await;
        ground.wire.mend();
        is(&failure(down?)?, Unavailable, |retry| matches!(retry, Retry::After(_)))?;
    }
    ground.head(&id).await?;
    Ok(())
}

async fn down_for_writes(ground: &mut Ground<'_>) -> Tried {
    for done in [true, false] {
        let id = ground.ticket().await?;
        let fault = match done {
            true => Fault::AnswerAfter { status: 500, body: "<h1>Oops</h1>" },
            false => answer(500, "<h1>Oops</h1>"),
        };
        let error = failure(faulty_write(ground, &id, fault).await?)?;
        is(&error, Unavailable, |retry| retry == Retry::Unsure)?;
    }
    Ok(())
}

/// Writes a note under a fault; where the desk can look, the look must agree with what is there.
async fn faulty_write(ground: &mut Ground<'_>, id: &TicketId, fault: Fault) -> Tried<Result<Receipt, DeskError>> {
    let write = ground.note(id, "under a fault").await?;
    ground.wire.fault_next_write(fault);
    let tried = ground.try_apply(&write).await?;
    ground.wire.mend();
    let there = ground.our_notes(id).await?.len();
    if ground.capabilities().can_find {
        let settled = SignedDuration::try_from(ground.capabilities().settle_time).unwrap_or_default();
        ground.stage.advance(settled + SignedDuration::from_secs(1)).await?;
        let found = ground.find(&write).await?;
        let agrees = matches!((&found, there), (Sighting::Found(_), 1) | (Sighting::NotFound, 0));
        ensure(agrees, || format!("{there} notes are there, the look came to {found:?}"))?;
    }
    Ok(tried)
}

const MALFORMED: [&str; 5] = [r#"{"ticket":{"id":"#, "<html>Please log in</html>", "", "null", "[17]"];

async fn malformed_read(ground: &mut Ground<'_>) -> Tried {
    let id = ground.ticket().await?;
    ground.head(&id).await?;
    for body in MALFORMED {
        ground.wire.fault_all(answer(200, body));
        let read = ground.try_head(&id).await;
        ground.wire.mend();
        let error = failure(read?)?;
        ensure(error.kind == Protocol, || format!("{body:?} is {error}"))?;
    }
    Ok(())
}

async fn malformed_write(ground: &mut Ground<'_>) -> Tried {
    for body in [MALFORMED[0], MALFORMED[1]] {
        let id = ground.ticket().await?;
        let error = failure(faulty_write(ground, &id, Fault::AnswerAfter { status: 200, body }).await?)?;
        is(&error, Protocol, |retry| retry == Retry::Unsure)?;
    }
    Ok(())
}
