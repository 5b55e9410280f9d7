//! What Jira can do and allows, with the headers by which it corrects us (Jira Service Management sheet, *Write-back*, *Rate
//! limits*).

use crate::NAME;
use handoffd_kit::ask::ACCOUNT;
use handoffd_kit::capability::{
    Aspect, Capabilities, DeclaredLimit, Guard, IdForm, NoteFormat, Pausing, Roster, Stream, WebhookTrust,
};
use handoffd_kit::gate::{Correction, retry_after};
use handoffd_kit::model::Status;
use http::HeaderMap;
use jiff::Timestamp;
use std::time::Duration;

/// Everything that changes an issue.
pub(crate) const WRITE: &str = "write";

/// The stream of issues that changed.
pub(crate) const ISSUES: &str = "issues";

/// A text field of Jira holds 32,767 characters (from memory; not in the sheet). A refusal would park the note.
pub(crate) const NOTE_BYTES: usize = 32_000;

/// The status of Jira's own service workflows in which the clocks stand still.
pub(crate) const WAITS: &str = "Waiting for customer";
/// The status in which they run again.
pub(crate) const WORKS: &str = "Waiting for support";

const PAUSING: &[Pausing] =
    &[Pausing { word: WAITS, means: Status::Pending, resumes: WORKS, resumed: Status::Open, back: &[] }];

/// What this connector can do with webhooks of this kind.
pub(crate) fn capabilities(webhook: WebhookTrust) -> Capabilities {
    Capabilities {
        connector: NAME,
        user_id: IdForm::Text,
        queue_id: IdForm::Text,
        together: &[Aspect::Queue, Aspect::Owner, Aspect::Priority, Aspect::Fields],
        fixed: &[],
        guard: Guard::Compared,
        readable_history: true,
        sla_clocks: true,
        pausing: PAUSING,
        customers_tickets: true,
        machine_mail: false,
        race_free_tags: true,
        roster: Roster::Members,
        // Watchers would do, and are not tried.
        followers: false,
        can_find: true,
        settle_time: Duration::from_secs(120),
        webhook,
        note_format: NoteFormat::Text,
        note_max_bytes: NOTE_BYTES,
        streams: vec![Stream {
            name: ISSUES.into(),
            overlap: Duration::from_millis(crate::stream::OVERLAP_MILLIS.unsigned_abs()),
            // "Seconds" in the sheet: a minute copes with a slow one.
            lag: Duration::from_secs(60),
            carries_heads: false,
        }],
        limits: limits(),
        rights: &[
            "an account of its own that is a licensed agent of each service project: who is none writes every comment in public",
            "in these projects: Browse projects, Edit issues, Assign issues, Transition issues, Add comments, Delete own comments",
            "globally: Browse users and groups, to find people by mail address and to see who is in a team's group",
            "a token with scopes: read:jira-work, write:jira-work, read:jira-user; read:servicedesk-request and \
             write:servicedesk-request (these two not verified)",
        ],
        checked: "Jira Service Management sheet, facts of 2025 and 2026, and the vendor's description of the platform API of autumn 2025",
    }
}

/// Bursts are counted by endpoint and second; the smallest figures stand for all. Writes to one issue have limits of their own.
fn limits() -> Vec<DeclaredLimit> {
    let limit = |endpoint, calls, seconds, per_ticket| DeclaredLimit {
        endpoint,
        calls,
        per: Duration::from_secs(seconds),
        per_ticket,
    };
    vec![
        limit(ACCOUNT, 100, 1, false),
        limit(WRITE, 50, 1, false),
        limit(WRITE, 20, 2, true),
        limit(WRITE, 100, 30, true),
    ]
}

/// Reads the limit headers of an answer. Only a quota is about the whole account; a burst is about one endpoint and the limit of
/// one issue about that issue, and both are closed by the 429 itself. A quota may come as a 403, which closes nothing by itself.
pub(crate) fn read_headers(headers: &HeaderMap, now: Timestamp) -> Vec<Correction> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let quota = text("ratelimit-reason").is_some_and(|reason| reason.contains("quota"));
    let used_up = text("x-ratelimit-remaining") == Some("0") && text("ratelimit-reason").is_none();
    if !quota && !used_up {
        return Vec::new();
    }
    let resets = text("x-ratelimit-reset").and_then(crate::wire::instant);
    let resets = resets.filter(|at| *at > now).max(retry_after(headers, now));
    let closed = Correction { endpoint: ACCOUNT, limit: None, remaining: Some(0), resets };
    resets.is_some().then_some(closed).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &str)]) -> Vec<Correction> {
        let headers = pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        read_headers(&headers, Timestamp::UNIX_EPOCH)
    }

    fn closed(second: i64) -> Vec<Correction> {
        let resets = Some(Timestamp::from_second(second).unwrap());
        vec![Correction { endpoint: ACCOUNT, limit: None, remaining: Some(0), resets }]
    }

    #[test]
    fn a_quota_closes_the_account_until_the_later_of_both_instants() {
        let quota = ("ratelimit-reason", "jira-quota-tenant-based");
        let reset = ("x-ratelimit-reset", "1970-01-01T00:01:00Z");
        assert_eq!(read(&[quota, reset]), closed(60));
        assert_eq!(read(&[quota, reset, ("retry-after", "90")]), closed(90));
        assert_eq!(read(&[quota, ("retry-after", "5")]), closed(5));
        assert_eq!(read(&[("x-ratelimit-remaining", "0"), reset]), closed(60));
    }

    #[test]
    fn a_burst_and_an_issues_limit_close_nothing_else_and_nonsense_says_nothing() {
        for reason in ["jira-burst-based", "jira-per-issue-on-write"] {
            assert_eq!(read(&[("ratelimit-reason", reason), ("x-ratelimit-remaining", "0"), ("retry-after", "5")]), []);
        }
        assert_eq!(read(&[]), []);
        assert_eq!(read(&[("x-ratelimit-nearlimit", "true"), ("x-ratelimit-remaining", "7")]), []);
        for odd in ["soon", "", "0", "1969-01-01T00:00:00Z"] {
            assert_eq!(
                read(&[("ratelimit-reason", "jira-quota-global-based"), ("x-ratelimit-reset", odd)]),
                [],
                "{odd}"
            );
        }
    }
}
