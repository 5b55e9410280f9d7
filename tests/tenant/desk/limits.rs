//! The vendor's limits: the account's, the updates', the exports' and the audits', each in its own fixed window, told in
//! headers, refused in plain text.

use super::refusal::Refusal;
use super::route::{Question, Way};
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// Calls of all kinds in a minute: a large plan, so that the test is not about waiting.
const ACCOUNT: u32 = 2_500;

/// What was used of each window.
#[derive(Default)]
pub struct Limits {
    used: BTreeMap<(&'static str, i64), (i64, u32)>,
    /// How often somebody was told to wait.
    pub refused: u32,
}

impl Limits {
    /// Counts a request, or refuses it.
    pub fn take(&mut self, question: &Question, now: Timestamp) -> Result<(), Refusal> {
        let mut windows = vec![("account", 0, ACCOUNT, 60)];
        match question.way {
            Way::Export => windows.push(("export", 0, 10, 60)),
            Way::Audits(_) => windows.push(("audits", 0, 500, 60)),
            Way::Update(id) | Way::AddTags(id) | Way::RemoveTags(id) => {
                windows.extend([("update", 0, 100, 60), ("update", id, 30, 600)]);
            }
            _ => {}
        }
        let now = now.as_second();
        for (name, about, limit, seconds) in &windows {
            let window = now / seconds;
            let used = self.used.get(&(*name, *about)).filter(|(at, _)| *at == window).map_or(0, |(_, used)| *used);
            if used >= *limit {
                self.refused += 1;
                let words = if *name == "update" {
                    "Rate limit for ticket updates exceeded, please wait before updating this ticket again"
                } else {
                    "Number of allowed API requests per minute exceeded"
                };
                return Err(Refusal::too_many(words, (window + 1) * seconds - now));
            }
        }
        for (name, about, _, seconds) in windows {
            let entry = self.used.entry((name, about)).or_default();
            let window = now / seconds;
            *entry = if entry.0 == window { (window, entry.1 + 1) } else { (window, 1) };
        }
        Ok(())
    }

    /// The account's limit, as every answer tells it.
    pub fn tell(&self, headers: &mut HeaderMap, now: Timestamp) {
        let now = now.as_second();
        let used = self.used.get(&("account", 0)).filter(|(at, _)| *at == now / 60).map_or(0, |(_, used)| *used);
        let left = ACCOUNT.saturating_sub(used);
        for (name, value) in [
            ("x-rate-limit", i64::from(ACCOUNT)),
            ("x-rate-limit-remaining", i64::from(left)),
            ("ratelimit-limit", i64::from(ACCOUNT)),
            ("ratelimit-remaining", i64::from(left)),
            ("ratelimit-reset", 60 - now % 60),
        ] {
            headers.insert(name, HeaderValue::from(value));
        }
    }
}
