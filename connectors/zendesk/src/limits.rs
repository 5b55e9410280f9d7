//! What Zendesk can do and allows, with the headers by which it corrects us (Zendesk sheet, *Rate limits*, *Write-back*).

use crate::NAME;
use handoffd_kit::ask::ACCOUNT;
use handoffd_kit::capability::{
    Aspect, Capabilities, DeclaredLimit, Guard, IdForm, NoteFormat, Pausing, Roster, Stream, WebhookTrust,
};
use handoffd_kit::gate::Correction;
use handoffd_kit::model::Status;
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// Updates of tickets and of their tags.
pub(crate) const UPDATE: &str = "update";
/// The incremental exports.
pub(crate) const INCREMENTAL: &str = "incremental";
/// A ticket's audits.
pub(crate) const AUDITS: &str = "audits";
/// The list of tickets.
pub(crate) const LIST: &str = "list";

/// The only change stream.
pub(crate) const TICKETS: &str = "tickets";

/// A comment over 64 kB is cut silently; the rest is a margin for how the vendor counts.
pub(crate) const COMMENT_BYTES: usize = 64_000;

/// `hold` waits for somebody who is not the customer; it must be switched on in Admin Center (ticket statuses).
const PAUSING: &[Pausing] = &[Pausing {
    word: "hold",
    means: Status::OnHold,
    resumes: "open",
    resumed: Status::Open,
    back: &[(Status::Pending, "pending")],
}];

/// What this connector can do.
pub(crate) fn capabilities(limits: Vec<DeclaredLimit>) -> Capabilities {
    Capabilities {
        connector: NAME,
        user_id: IdForm::Number,
        queue_id: IdForm::Number,
        together: &[Aspect::Note, Aspect::Queue, Aspect::Owner, Aspect::Priority, Aspect::Status, Aspect::Fields],
        fixed: &[],
        guard: Guard::Conditional { grain: Duration::from_secs(1) },
        readable_history: true,
        sla_clocks: true,
        pausing: PAUSING,
        customers_tickets: true,
        machine_mail: true,
        race_free_tags: true,
        roster: Roster::Members,
        followers: true,
        can_find: true,
        settle_time: Duration::from_secs(120),
        webhook: WebhookTrust::Signed,
        note_format: NoteFormat::Html,
        note_max_bytes: COMMENT_BYTES,
        // The export leaves out the last minute; the list reaches back over it because an agent's login has only that.
        streams: vec![Stream {
            name: TICKETS.into(),
            overlap: Duration::from_secs(crate::stream::OVERLAP_SECONDS.unsigned_abs()),
            lag: Duration::from_secs(90),
            carries_heads: true,
        }],
        limits,
        rights: &[
            "an agent who sees all tickets, or an admin (for the incremental export)",
            "OAuth scopes: read (global, for ticket audits), tickets:write",
        ],
        checked: "Zendesk sheet, facts of August 2026",
    }
}

/// What the vendor documents.
pub(crate) fn limits() -> Vec<DeclaredLimit> {
    let limit = |endpoint, calls, seconds, per_ticket| DeclaredLimit {
        endpoint,
        calls,
        per: Duration::from_secs(seconds),
        per_ticket,
    };
    vec![
        // The smallest plan that is still sold; the answers' headers tell the real one.
        limit(ACCOUNT, 200, 60, false),
        limit(UPDATE, 100, 60, false),
        limit(UPDATE, 30, 600, true),
        limit(INCREMENTAL, 10, 60, false),
        limit(AUDITS, 500, 60, false),
    ]
}

/// Reads the limit headers of an answer.
pub(crate) fn read_headers(headers: &HeaderMap, now: Timestamp) -> Vec<Correction> {
    let mut said: Vec<Correction> = account(headers, now).into_iter().collect();
    let buckets = [("zendesk-ratelimit-incremental-exports", INCREMENTAL), ("zendesk-ratelimit-tickets-index", LIST)];
    said.extend(buckets.into_iter().filter_map(|(name, endpoint)| bucket(text(headers, name)?, endpoint, now)));
    said
}

/// `x-rate-limit` counts the account in this minute; `ratelimit-*` names the end of the window, and speaks of the account
/// only where both state the same limit.
fn account(headers: &HeaderMap, now: Timestamp) -> Option<Correction> {
    let number = |name| text(headers, name)?.parse::<u32>().ok();
    let old = (number("x-rate-limit"), number("x-rate-limit-remaining"));
    let new = (number("ratelimit-limit"), number("ratelimit-remaining"));
    let same = old.0.is_none() || new.0 == old.0;
    let limit = old.0.or(new.0);
    let remaining = old.1.or(new.1.filter(|_| same));
    let resets = text(headers, "ratelimit-reset").filter(|_| same).and_then(|reset| instant(reset, now));
    (limit.is_some() || remaining.is_some()).then_some(Correction { endpoint: ACCOUNT, limit, remaining, resets })
}

/// `total=10; remaining=7; resets=41`
fn bucket(value: &str, endpoint: &'static str, now: Timestamp) -> Option<Correction> {
    let part = |name: &str| {
        value
            .split(';')
            .filter_map(|part| part.split_once('='))
            .find(|(key, _)| key.trim() == name)
            .map(|(_, value)| value.trim())
    };
    let number = |name| part(name)?.parse::<u32>().ok();
    let (limit, remaining) = (number("total"), number("remaining"));
    let resets = part("resets").and_then(|resets| instant(resets, now));
    (limit.is_some() || remaining.is_some()).then_some(Correction { endpoint, limit, remaining, resets })
}

/// Seconds from now; some newer endpoints write the instant itself.
fn instant(text: &str, now: Timestamp) -> Option<Timestamp> {
    match text.parse::<u32>() {
        Ok(seconds) => now.saturating_add(SignedDuration::from_secs(seconds.into())).ok(),
        Err(_) => text.parse().ok(),
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn read(pairs: &[(&'static str, &str)]) -> Vec<Correction> {
        let headers = pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        read_headers(&headers, at(0))
    }

    #[test]
    fn the_accounts_headers_and_buckets_correct_the_limits() {
        let said = read(&[
            ("x-rate-limit", "700"),
            ("x-rate-limit-remaining", "699"),
            ("ratelimit-limit", "700"),
            ("ratelimit-remaining", "699"),
            ("ratelimit-reset", "41"),
            ("zendesk-ratelimit-incremental-exports", "total=10; remaining=7; resets=30"),
            ("zendesk-ratelimit-search-index", "total=1; remaining=0; resets=30"),
        ]);
        let expected = [
            Correction { endpoint: ACCOUNT, limit: Some(700), remaining: Some(699), resets: Some(at(41)) },
            Correction { endpoint: INCREMENTAL, limit: Some(10), remaining: Some(7), resets: Some(at(30)) },
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn a_window_of_another_limit_does_not_end_the_accounts() {
        let said = read(&[
            ("x-rate-limit", "700"),
            ("x-rate-limit-remaining", "600"),
            ("ratelimit-limit", "100"),
            ("ratelimit-remaining", "0"),
            ("ratelimit-reset", "500"),
        ]);
        let expected = Correction { endpoint: ACCOUNT, limit: Some(700), remaining: Some(600), resets: None };
        assert_eq!(said, [expected]);
    }

    #[test]
    fn a_reset_may_be_an_instant_and_nonsense_says_nothing() {
        let said =
            read(&[("ratelimit-limit", "5"), ("ratelimit-remaining", "0"), ("ratelimit-reset", &at(9).to_string())]);
        assert_eq!(said[0].resets, Some(at(9)));
        assert_eq!(read(&[("x-rate-limit", "many"), ("zendesk-ratelimit-tickets-index", "total=; ;=;x")]), []);
    }
}
