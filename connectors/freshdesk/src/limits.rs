//! What Freshdesk can do and allows, with the headers by which it corrects us (Freshdesk sheet, *Rate limits*, *Write-back*).

use crate::NAME;
use handoffd_kit::ask::ACCOUNT;
use handoffd_kit::capability::{
    Aspect, Capabilities, DeclaredLimit, Guard, IdForm, NoteFormat, Pausing, Roster, Stream, WebhookTrust,
};
use handoffd_kit::gate::Correction;
use handoffd_kit::model::Status;
use http::HeaderMap;
use jiff::Timestamp;
use std::ops::RangeInclusive;
use std::time::Duration;

/// Updates of tickets, notes and replies.
pub(crate) const UPDATE: &str = "update";
/// The lists of tickets.
pub(crate) const LIST: &str = "list";

/// The stream of tickets that changed.
pub(crate) const TICKETS: &str = "tickets";
/// The stream of tickets that were deleted: the other one leaves them out.
pub(crate) const DELETED: &str = "deleted";

/// No limit is published for a note; a longer one would be no note.
pub(crate) const NOTE_BYTES: usize = 60_000;

/// Pending stops the SLA timer unless an admin has changed that (from memory in the sheet; `check --online` reads it).
const PAUSING: &[Pausing] =
    &[Pausing { word: "pending", means: Status::Pending, resumes: "open", resumed: Status::Open, back: &[] }];

/// What this connector can do, with webhooks or without.
pub(crate) fn capabilities(hooked: bool) -> Capabilities {
    let stream = |name: &str| Stream {
        name: name.into(),
        overlap: Duration::from_secs(crate::stream::OVERLAP_SECONDS.unsigned_abs()),
        // "Seconds", from memory in the sheet: a minute copes with a slow one.
        lag: Duration::from_secs(60),
        carries_heads: true,
    };
    Capabilities {
        connector: NAME,
        user_id: IdForm::Number,
        queue_id: IdForm::Number,
        together: &[Aspect::Queue, Aspect::Owner, Aspect::Priority, Aspect::Status, Aspect::Fields],
        fixed: &[],
        guard: Guard::Compared,
        readable_history: false,
        sla_clocks: true,
        pausing: PAUSING,
        customers_tickets: true,
        machine_mail: false,
        race_free_tags: false,
        roster: Roster::Members,
        followers: false,
        can_find: true,
        settle_time: Duration::from_secs(120),
        webhook: if hooked { WebhookTrust::SecretHeader } else { WebhookTrust::None },
        note_format: NoteFormat::Html,
        note_max_bytes: NOTE_BYTES,
        streams: vec![stream(TICKETS), stream(DELETED)],
        limits: limits(),
        rights: &[
            "an agent with global ticket scope, whose role may view, edit and assign tickets, reply and add notes",
            "for custom statuses and the SLA timer: a role that may see the admin's ticket fields",
        ],
        checked: "Freshdesk sheet, facts of 2024 to 2026; the official reference was not read",
    }
}

/// Calls in a minute of which the account's own total is not known yet.
const MINUTE: u32 = 100;

/// Totals that are an hour's: older accounts may still have 3,000 to 5,000 calls an hour, and the largest minute that is
/// published is 700. Beyond, it is believed as a minute's (Freshdesk sheet, *Rate limits*).
const HOURS: RangeInclusive<u32> = 1_000..=10_000;

/// What the vendor documents for Growth, its smallest plan with an API; the answers' headers tell the account's real total.
/// Of two figures for that plan the smaller one is the start.
fn limits() -> Vec<DeclaredLimit> {
    let limit = |endpoint, calls| DeclaredLimit { endpoint, calls, per: Duration::from_secs(60), per_ticket: false };
    vec![limit(ACCOUNT, MINUTE), limit(UPDATE, 80), limit(LIST, 20)]
}

/// Reads the limit headers of an answer: `X-RateLimit-Total` and `-Remaining` of the account's minute; numbers may be written
/// as floats. What one call has cost (`-Used-CurrentRequest`, more than one with `include`) is in what remains. An hour's total is
/// spread over its minutes; what remains of the hour says nothing of this minute until it is less than that.
pub(crate) fn read_headers(headers: &HeaderMap, _now: Timestamp) -> Vec<Correction> {
    let number = |name| {
        let text: f64 = headers.get(name)?.to_str().ok()?.trim().parse().ok()?;
        (text.is_finite() && text >= 0.0).then_some(text.min(f64::from(u32::MAX)) as u32)
    };
    let (limit, remaining) = (number("x-ratelimit-total"), number("x-ratelimit-remaining"));
    let hourly = limit.filter(|total| HOURS.contains(total)).map(|total| (total / 60).min(MINUTE));
    let (limit, remaining) = match hourly {
        Some(minute) => (Some(minute), remaining.filter(|left| *left < minute)),
        None => (limit, remaining),
    };
    let said = Correction { endpoint: ACCOUNT, limit, remaining, resets: None };
    (limit.is_some() || remaining.is_some()).then_some(said).into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&'static str, &str)]) -> Vec<Correction> {
        let headers = pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        read_headers(&headers, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn the_accounts_headers_are_read_also_as_floats() {
        let said = |limit, remaining| vec![Correction { endpoint: ACCOUNT, limit, remaining, resets: None }];
        assert_eq!(read(&[("x-ratelimit-total", "400"), ("x-ratelimit-remaining", "397")]), said(Some(400), Some(397)));
        assert_eq!(read(&[("x-ratelimit-total", "100.0")]), said(Some(100), None));
        assert_eq!(read(&[("x-ratelimit-remaining", " 0 ")]), said(None, Some(0)));
    }

    #[test]
    fn an_older_accounts_hour_is_spread_over_its_minutes_and_never_raises_one() {
        let said =
            |limit, remaining| vec![Correction { endpoint: ACCOUNT, limit: Some(limit), remaining, resets: None }];
        for (total, remaining, minute, left) in [
            ("3000", "2999", 50, None),
            ("5000.0", "83", 83, None),
            ("5000", "82", 83, Some(82)),
            ("10000", "0", 100, Some(0)),
            ("999", "998", 999, Some(998)),
            ("10001", "10000", 10_001, Some(10_000)),
        ] {
            let headers = [("x-ratelimit-total", total), ("x-ratelimit-remaining", remaining)];
            assert_eq!(read(&headers), said(minute, left), "{total}");
        }
    }

    #[test]
    fn nonsense_says_nothing() {
        assert_eq!(read(&[]), []);
        for odd in ["many", "-3", "NaN", "inf", ""] {
            assert_eq!(read(&[("x-ratelimit-total", odd)]), [], "{odd}");
        }
    }
}
