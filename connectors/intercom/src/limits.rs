//! What Intercom can do and allows, with the headers by which it corrects us (Intercom sheet, *Rate limits*, *Write-back*).

use crate::NAME;
use handoffd_kit::ask::ACCOUNT;
use handoffd_kit::capability::{
    Aspect, Capabilities, DeclaredLimit, Guard, IdForm, NoteFormat, Pausing, Roster, Stream, WebhookTrust,
};
use handoffd_kit::gate::Correction;
use handoffd_kit::model::Status;
use http::HeaderMap;
use jiff::Timestamp;
use std::time::Duration;

/// The stream of conversations that changed.
pub(crate) const CONVERSATIONS: &str = "conversations";

/// No limit is published for a part; a longer one would be no note.
pub(crate) const NOTE_BYTES: usize = 60_000;

/// A snoozed conversation waits. What it does to an SLA nobody can tell: the API shows no clocks.
const PAUSING: &[Pausing] =
    &[Pausing { word: "snoozed", means: Status::Pending, resumes: "open", resumed: Status::Open, back: &[] }];

/// What this connector can do, with webhooks or without.
pub(crate) fn capabilities(hooked: bool) -> Capabilities {
    Capabilities {
        connector: NAME,
        user_id: IdForm::Number,
        queue_id: IdForm::Number,
        together: &[],
        // Shown, and not among what the API can set.
        fixed: &[Aspect::Priority],
        guard: Guard::Compared,
        readable_history: true,
        // Of an SLA only its name and a word are told, and `missed` not before a teammate's next reply.
        sla_clocks: false,
        pausing: PAUSING,
        customers_tickets: true,
        machine_mail: false,
        race_free_tags: true,
        roster: Roster::Members,
        followers: false,
        can_find: true,
        settle_time: Duration::from_secs(120),
        webhook: if hooked { WebhookTrust::SignedDated } else { WebhookTrust::None },
        note_format: NoteFormat::Html,
        note_max_bytes: NOTE_BYTES,
        streams: vec![Stream {
            name: CONVERSATIONS.into(),
            overlap: Duration::from_secs(crate::stream::OVERLAP_SECONDS.unsigned_abs()),
            // Nothing is published for conversations; the search of contacts is minutes late.
            lag: Duration::from_secs(60),
            carries_heads: false,
        }],
        // The smaller of two published figures; the answers' headers tell the real one.
        limits: vec![DeclaredLimit { endpoint: ACCOUNT, calls: 150, per: Duration::from_secs(10), per_ticket: false }],
        rights: &[
            "a teammate of its own with an inbox seat, and the access token of an app that this teammate made",
            "the app's permissions to read and write conversations, and to read admins, users, companies and tags",
            "to write tags, where a label is put on that the workspace does not have",
        ],
        checked: "Intercom sheet, API description 2.16 of August 2026; no live workspace",
    }
}

/// Reads the limit headers of an answer: how many calls the present window of ten seconds allows, what is left of them, and
/// the instant when it ends, in seconds.
pub(crate) fn read_headers(headers: &HeaderMap, _now: Timestamp) -> Vec<Correction> {
    let number = |name| headers.get(name)?.to_str().ok()?.trim().parse::<u32>().ok();
    let (limit, remaining) = (number("x-ratelimit-limit"), number("x-ratelimit-remaining"));
    let resets = number("x-ratelimit-reset").and_then(|at| Timestamp::from_second(i64::from(at)).ok());
    let said = Correction { endpoint: ACCOUNT, limit, remaining, resets };
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
    fn the_windows_headers_are_read_and_its_end_is_an_instant() {
        let all = [("x-ratelimit-limit", "166"), ("x-ratelimit-remaining", " 0 "), ("x-ratelimit-reset", "1777802710")];
        let resets = "2026-05-03T10:05:10Z".parse().ok();
        let said = |limit, remaining, resets| vec![Correction { endpoint: ACCOUNT, limit, remaining, resets }];
        assert_eq!(read(&all), said(Some(166), Some(0), resets));
        assert_eq!(read(&all[1..2]), said(None, Some(0), None));
        assert_eq!(read(&all[2..]), [], "an end of nothing says nothing");
    }

    #[test]
    fn nonsense_says_nothing() {
        assert_eq!(read(&[]), []);
        for odd in ["many", "-3", "1.5", ""] {
            assert_eq!(read(&[("x-ratelimit-limit", odd)]), [], "{odd}");
        }
    }
}
