//! Webhooks: the desk's own are believed, and nobody else's.

use super::super::ground::{Ground, Stop, Tried, ensure};
use super::super::stage::{PersonAct, Posted};
use super::Check;
use crate::capability::{Capabilities, WebhookTrust};
use crate::webhook::{Delivery, Refusal, Unverified};
use jiff::{SignedDuration, Timestamp};

pub(super) const CHECKS: &[Check] = &[
    Check {
        promise: "the desk's own webhook is believed and points to its ticket",
        not_declared: no_webhook,
        try_it: |ground| Box::pin(believed(ground)),
    },
    Check {
        promise: "an unsigned webhook is refused",
        not_declared: no_webhook,
        try_it: |ground| Box::pin(unsigned(ground)),
    },
    Check {
        promise: "a forged webhook is refused",
        not_declared: no_webhook,
        try_it: |ground| Box::pin(forged(ground)),
    },
    Check {
        promise: "a stale webhook is refused",
        not_declared: unsigned_by_design,
        try_it: |ground| Box::pin(stale(ground)),
    },
    Check {
        promise: "a desk without webhooks refuses them",
        not_declared: |capabilities| (capabilities.webhook != WebhookTrust::None).then_some("the desk sends webhooks"),
        try_it: |ground| Box::pin(not_configured(ground)),
    },
];

fn no_webhook(capabilities: &Capabilities) -> Option<&'static str> {
    (capabilities.webhook == WebhookTrust::None).then_some("no webhook is declared")
}

fn unsigned_by_design(capabilities: &Capabilities) -> Option<&'static str> {
    let dated = matches!(capabilities.webhook, WebhookTrust::Signed | WebhookTrust::SignedDated);
    (!dated).then_some("webhooks are not signed with a time")
}

async fn posted(ground: &mut Ground<'_>) -> Tried<(Posted, Timestamp)> {
    let id = ground.ticket().await?;
    let posted = ground.stage.webhook(&id).await?;
    let now = ground.now().ok_or_else(|| Stop::Skipped("the stage lives in real time".into()))?;
    Ok((posted, now))
}

fn receive(ground: &Ground<'_>, posted: &Posted, received: Timestamp) -> Result<Delivery, Refusal> {
    ground.desk.webhook(Unverified::new(&posted.headers, posted.path.as_deref(), &posted.body, received))
}

fn must_refuse(refusal: Refusal, seen: Result<Delivery, Refusal>) -> Tried {
    ensure(seen.as_ref().err() == Some(&refusal), || format!("instead of {refusal}: {seen:?}"))
}

async fn believed(ground: &mut Ground<'_>) -> Tried {
    let id = ground.ticket().await?;
    let posted = ground.stage.webhook(&id).await?;
    let now = ground.now().ok_or_else(|| Stop::Skipped("the stage lives in real time".into()))?;
    let first = receive(ground, &posted, now).map_err(|refusal| Stop::Failed(format!("refused: {refusal}")))?;
    ensure(first.hints.iter().any(|hint| hint.ticket == id), || format!("it points to {:?}", first.hints))?;
    let second = receive(ground, &posted, now);
    ensure(second.as_ref() == Ok(&first), || format!("the same delivery reads otherwise: {second:?}"))?;
    ground.act(&id, PersonAct::Note("something else happens".into())).await?;
    let other = ground.stage.webhook(&id).await?;
    if (&other.headers, &other.body) == (&posted.headers, &posted.body) {
        // The stage can only repeat itself; there is nothing to tell apart.
        return Ok(());
    }
    let other = receive(ground, &other, now).map_err(|refusal| Stop::Failed(format!("refused: {refusal}")))?;
    let told_apart = first.id.is_none() || first.id != other.id;
    ensure(told_apart, || format!("two deliveries have the same id {:?}", first.id))
}

async fn unsigned(ground: &mut Ground<'_>) -> Tried {
    let (posted, now) = posted(ground).await?;
    let bare = Posted { headers: http::HeaderMap::new(), path: None, body: posted.body };
    must_refuse(Refusal::Unsigned, receive(ground, &bare, now))
}

async fn forged(ground: &mut Ground<'_>) -> Tried {
    let (posted, now) = posted(ground).await?;
    let mut forged = posted.clone();
    match ground.capabilities().webhook {
        WebhookTrust::Signed | WebhookTrust::SignedDated | WebhookTrust::SignedUndated => forged.body.push(b' '),
        WebhookTrust::SecretHeader => forged.headers.values_mut().for_each(|value| {
            let altered = [value.as_bytes(), b"x"].concat();
            *value = http::HeaderValue::from_bytes(&altered).unwrap_or(value.clone());
        }),
        WebhookTrust::SecretPath | WebhookTrust::None => forged.path = posted.path.map(|path| path + "x"),
    }
    must_refuse(Refusal::Forged, receive(ground, &forged, now))
}

async fn stale(ground: &mut Ground<'_>) -> Tried {
    let (posted, now) = posted(ground).await?;
    let window = match ground.capabilities().webhook {
        WebhookTrust::SignedDated => SignedDuration::from_hours(25),
        _ => SignedDuration::from_hours(1),
    };
    for late in [window, -window] {
        let received = now.checked_add(late).unwrap_or(now);
        must_refuse(Refusal::Stale, receive(ground, &posted, received))?;
    }
    Ok(())
}

async fn not_configured(ground: &mut Ground<'_>) -> Tried {
    let bare = Posted { headers: http::HeaderMap::new(), path: None, body: b"{}".to_vec() };
    let now = ground.now().unwrap_or(Timestamp::UNIX_EPOCH);
    must_refuse(Refusal::NotConfigured, receive(ground, &bare, now))
}
