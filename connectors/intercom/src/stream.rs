//! The change stream: a search by the time of the last change (Intercom sheet, *Incremental read*). It has no order that could be
//! asked for, whole seconds, borders that may or may not be within, and pages that may shift while conversations change. So each
//! read asks for a window of time that fits into one page: a window that holds more is halved and asked for again, and the place
//! moves up only when a window was seen whole. Where a single second holds more than a page, its pages are read, and all of them
//! again until nothing new is among them. Each poll reaches back over the last one. Deleted conversations show in no search: a
//! webhook tells of them, or the next look finds them gone.

use crate::api::Ask;
use crate::desk::IntercomDesk;
use crate::limits::CONVERSATIONS;
use crate::parts::search;
use crate::wire::{Conversation, Found, Id};
use handoffd_kit::desk::{Changed, Cursor, Page};
use handoffd_kit::error::{DeskError, Result};
use handoffd_kit::id::{StreamName, TicketId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;

const OPERATION: &str = "read changes";

/// How far each poll reaches back over the last one.
pub(crate) const OVERLAP_SECONDS: i64 = 120;

/// How far the desk's clock may be ahead of ours: what bears a later time is seen once it is not in the future any more.
const AHEAD: i64 = 300;

/// How far it may be behind ours: what happens there now may bear a time that lies so far back by our clock. On a desk that rests
/// for longer, what is read again does not reach back to its last change for ever, which a crowd may have made.
const BEHIND: i64 = 900;

/// How often the pages of one crowded second are read at most.
const MOST_PASSES: u8 = 4;

/// More are not kept to recognise repeats; repeats are allowed.
const MOST_SEEN: usize = 5_000;

/// Where the search was read up to, in seconds.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    /// Everything that changed before was seen, by the desk's clock.
    from: i64,
    /// What changed before was not asked for.
    since: i64,
    /// What was seen of late: conversation and second.
    #[serde(default)]
    seen: BTreeSet<(i64, i64)>,
    /// A walk through windows that has not ended.
    #[serde(default)]
    walk: Option<Walk>,
}

/// A walk from the last place to the present.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Walk {
    /// The window: from this second.
    low: i64,
    /// To this one, both within.
    high: i64,
    /// Where the walk ends.
    end: i64,
    /// The next page of a crowded second.
    #[serde(default)]
    after: Option<String>,
    /// The newest change that the walk met.
    #[serde(default)]
    newest: i64,
    /// Whether this pass over it met anything new.
    #[serde(default)]
    found: bool,
    /// How often it was read before.
    #[serde(default)]
    passes: u8,
}

/// What a page comes to.
#[derive(Debug, PartialEq, Eq)]
enum Step {
    /// It is whole: these are new, and the walk goes on here or ends.
    Taken(Vec<Id>),
    /// More than a page lies in the window: it was made smaller, and nothing of it counts.
    Halved,
}

/// What a page holds, as far as the walk cares.
struct Listed {
    all: Vec<(Id, Option<i64>)>,
    /// Where the next page begins.
    next: Option<String>,
}

impl Place {
    fn read(cursor: Option<&Cursor>, since: i64) -> Self {
        let start = || Self { from: since, since, ..Self::default() };
        cursor.and_then(|cursor| serde_json::from_str(&cursor.0).ok()).unwrap_or_else(start)
    }

    fn window(&self, now: i64) -> Walk {
        let low = self.from.saturating_sub(OVERLAP_SECONDS).max(0);
        let end = now.max(low);
        self.walk.clone().unwrap_or(Walk {
            low,
            high: end,
            end,
            after: None,
            newest: self.from,
            found: false,
            passes: 0,
        })
    }

    /// Takes a page of this window in.
    fn step(&mut self, walk: Walk, page: Listed) -> Step {
        let single = walk.low >= walk.high;
        if page.next.is_some() && !single {
            let middle = walk.low + (walk.high - walk.low) / 2;
            self.walk = Some(Walk { high: middle, after: None, found: false, passes: 0, ..walk });
            return Step::Halved;
        }
        let known = |(id, at): &(Id, Option<i64>)| at.is_some_and(|at| self.seen.contains(&(id.0, at)));
        let since = self.since;
        let is_new = |one: &(Id, Option<i64>)| one.1.is_none_or(|at| at >= since) && !known(one);
        let fresh: Vec<(Id, Option<i64>)> = page.all.iter().filter(|one| is_new(one)).copied().collect();
        self.seen.extend(page.all.iter().filter_map(|(id, at)| Some((id.0, (*at)?))));
        let last = page.all.iter().filter_map(|(_, at)| *at).max();
        let walk = Walk { newest: walk.newest.max(last.unwrap_or(walk.newest).min(walk.end)), ..walk };
        let found = walk.found || fresh.iter().any(|(_, at)| at.is_some());
        self.walk = match page.next {
            Some(next) => Some(Walk { after: Some(next), found, ..walk }),
            None if walk.after.is_some() && found && walk.passes + 1 < MOST_PASSES => {
                Some(Walk { after: None, found: false, passes: walk.passes + 1, ..walk })
            }
            None if walk.high < walk.end => Some(self.next_window(&walk)),
            None => None,
        };
        if self.walk.is_none() {
            // Up to the present by our clock would hide what happens until then by theirs.
            self.from = self.from.max(walk.newest).max(walk.end - BEHIND);
        }
        self.forget();
        Step::Taken(fresh.into_iter().map(|(id, _)| id).collect())
    }

    /// The one behind a window that was seen whole: twice as wide, for it may be the end of a crowd.
    fn next_window(&self, walk: &Walk) -> Walk {
        let width = (walk.high - walk.low + 1).saturating_mul(2);
        let low = walk.high + 1;
        let high = low.saturating_add(width).min(walk.end);
        Walk { low, high, end: walk.end, after: None, newest: walk.newest, found: false, passes: 0 }
    }

    fn forget(&mut self) {
        // What the next poll reaches back to, and what the rest of this walk does.
        let again = self.walk.as_ref().map_or(self.from, |walk| walk.newest).saturating_sub(OVERLAP_SECONDS);
        let low = self.walk.as_ref().map_or(again, |walk| walk.low.min(again));
        let keep = low.saturating_sub(OVERLAP_SECONDS);
        self.seen.retain(|(_, at)| *at >= keep);
        if self.seen.len() > MOST_SEEN {
            self.seen.clear();
        }
    }
}

impl IntercomDesk {
    /// One page of changes.
    pub(crate) async fn read_stream(
        &self,
        stream: &StreamName,
        cursor: Option<&Cursor>,
        since: Timestamp,
    ) -> Result<Page> {
        if stream.as_str() != CONVERSATIONS {
            return Err(DeskError::no_stream(OPERATION, "Intercom", stream));
        }
        let mut place = Place::read(cursor, since.as_second());
        let now = self.api.gate().now();
        let walk = place.window(now.as_second());
        let ask = changes(&walk, now);
        let found: Found = self.api.json(&ask).await?;
        let page = listed(&found).ok_or_else(|| ask.malformed("the answer lists something that is no conversation"))?;
        let changed = match place.step(walk, page) {
            Step::Taken(fresh) => fresh.into_iter().map(changed).collect(),
            Step::Halved => Vec::new(),
        };
        let next = serde_json::to_string(&place).map_err(|_| ask.malformed("the place cannot be kept"))?;
        Ok(Page { changed, next: Cursor(next), more: place.walk.is_some() })
    }
}

/// Both borders are a second further out, so that they are within whether or not they count. The last window reaches into the
/// future, where the desk's clock may be.
fn changes(walk: &Walk, deadline: Timestamp) -> Ask {
    let high = if walk.high == walk.end && walk.low < walk.high { walk.high + AHEAD } else { walk.high };
    let border =
        |operator: &str, at: i64| json!({ "field": "updated_at", "operator": operator, "value": at.to_string() });
    let query = json!({ "operator": "AND", "value": [border(">", (walk.low - 1).max(0)), border("<", high + 1)] });
    search(OPERATION, query, walk.after.as_deref(), deadline)
}

fn changed(id: Id) -> Changed {
    // A search has no parts: a head that could be compared is read when the conversation is looked at, and who changed it last
    // is not said.
    Changed { ticket: TicketId::new(id.to_string()), head: None, by_us: false }
}

/// The conversations of a page; none: one of them has no id, so it could not be looked at.
fn listed(found: &Found) -> Option<Listed> {
    let one = |one: &Conversation| {
        let id = one.id.get().copied().filter(|id| id.is_record())?;
        Some((id, one.updated_at.get().map(|at| at.0.as_second())))
    };
    let all = found.conversations.get()?.iter().map(one).collect::<Option<Vec<_>>>()?;
    Some(Listed { all, next: found.next().cloned() })
}

#[cfg(test)]
mod tests;
