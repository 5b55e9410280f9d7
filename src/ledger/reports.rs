//! What reports are made of: every stay and every handoff, row by row, without any ticket's text.

use super::codec::{from_json, instant};
use super::error::Result;
use super::open::Ledger;
use super::states::HandoffState;
use crate::policy::command::Rating;
use crate::policy::rules::PackagePart;
use jiff::Timestamp;
use rusqlite::Row;

/// One stay of a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StayRow {
    /// The case, as `desk/ticket`.
    pub case: String,
    /// The team; none: no team of ours.
    pub team: Option<String>,
    /// Since when.
    pub since: Timestamp,
    /// The handoff of ours that brought it about: the way there, by a rule. A way back (undone, rejected, handed back, not taken
    /// on) is no rule's.
    pub handoff: Option<StayHandoff>,
    /// Whether the receiving team handed it back as done (`/back`), which is no bounce.
    pub handed_back: bool,
    /// When the case was first met.
    pub first_seen: Option<Timestamp>,
    /// When the case was seen to be over, if it is.
    pub ended_at: Option<Timestamp>,
}

/// What a stay's handoff was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StayHandoff {
    /// The rule.
    pub rule: String,
    /// Its version.
    pub version: String,
    /// When a member of the receiving team first acted.
    pub claimed_at: Option<Timestamp>,
}

/// One handoff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HandoffRow {
    /// The case, as `desk/ticket`.
    pub case: String,
    /// The rule.
    pub rule: String,
    /// Its version.
    pub version: String,
    /// The giving team; none for a route.
    pub from: Option<String>,
    /// The receiving team.
    pub to: String,
    /// When it was decided.
    pub created_at: Timestamp,
    /// Where it stands.
    pub state: HandoffState,
    /// Whether it carries a package, and which required parts are missing.
    pub missing: Option<Vec<PackagePart>>,
    /// Whether a person was asked.
    pub asked: bool,
    /// Whether a person said yes.
    pub approved: bool,
    /// When its last effect was done.
    pub sent_at: Option<Timestamp>,
    /// When a member of the receiving team first acted.
    pub claimed_at: Option<Timestamp>,
    /// Whether it is a route's.
    pub routed: bool,
    /// Whether the case left its first team too soon.
    pub weak_triage: bool,
    /// What the receiving team thinks of it.
    pub rating: Option<Rating>,
    /// Why it was rejected, in the words of whoever did; none: it was not, or they were erased.
    pub rejection: Option<String>,
}

impl Ledger {
    /// Every stay, by case and in order, to be told one by one.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn each_stay(&self, mut tell: impl FnMut(StayRow)) -> Result<()> {
        let mut statement = self.connection.prepare(
            "SELECT s.desk || '/' || s.ticket, s.team, s.since, h.rule, json_extract(h.proposal, '$.rule_version'),
                    h.claimed_at, c.first_seen, c.ended_at, h.kind IN ('route', 'escalate') AND s.team IS h.to_team, h.kind IS 'back'
             FROM stays s LEFT JOIN handoffs h ON h.id = s.by_handoff
             LEFT JOIN cases c ON c.desk = s.desk AND c.ticket = s.ticket
             ORDER BY s.desk, s.ticket, s.id",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let rule: Option<String> = row.get(3)?;
            let handoff = match rule {
                Some(rule) if row.get(8)? => {
                    Some(StayHandoff { rule, version: version(row, 4)?, claimed_at: time(row, 5)? })
                }
                Some(_) | None => None,
            };
            tell(StayRow {
                case: row.get(0)?,
                team: row.get(1)?,
                since: instant(row.get(2)?),
                handoff,
                first_seen: time(row, 6)?,
                ended_at: time(row, 7)?,
                handed_back: row.get(9)?,
            });
        }
        Ok(())
    }

    /// Every handoff by a rule, oldest first, to be told one by one. Ways back are none.
    ///
    /// # Errors
    /// SQLite's, or a row that cannot be read.
    pub fn each_handoff(&self, mut tell: impl FnMut(HandoffRow)) -> Result<()> {
        let mut statement = self.connection.prepare(
            "SELECT id, rule, json_extract(proposal, '$.rule_version'), json_extract(proposal, '$.from'),
                    json_extract(proposal, '$.to'), state, json_extract(proposal, '$.package.missing'),
                    risks <> '[]', approved_by IS NOT NULL, sent_at, claimed_at, kind = 'route', weak_triage_at IS NOT NULL,
                    desk || '/' || ticket, created_at, rating, CASE WHEN state = 'rejected' THEN detail END
             FROM handoffs WHERE kind IN ('route', 'escalate') ORDER BY created_at, id",
        )?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let id: String = row.get(0)?;
            let missing: Option<String> = row.get(6)?;
            let missing = missing.map(|text| from_json(|| format!("package of handoff {id}"), &text)).transpose()?;
            let state: String = row.get(5)?;
            let state = HandoffState::named(&state)
                .ok_or_else(|| super::codec::unreadable(&format!("handoff {id}"), &"an unknown state"))?;
            tell(HandoffRow {
                case: row.get(13)?,
                created_at: instant(row.get(14)?),
                rule: row.get(1)?,
                version: version(row, 2)?,
                from: row.get(3)?,
                to: row.get::<_, Option<String>>(4)?.unwrap_or_default(),
                state,
                missing,
                asked: row.get(7)?,
                approved: row.get(8)?,
                sent_at: time(row, 9)?,
                claimed_at: time(row, 10)?,
                routed: row.get(11)?,
                weak_triage: row.get(12)?,
                rating: row.get::<_, Option<String>>(15)?.as_deref().and_then(Rating::named),
                rejection: row.get::<_, Option<String>>(16)?.as_deref().and_then(reason_of),
            });
        }
        Ok(())
    }
}

/// The reason in "rejected by NAME: REASON". Who it was is nothing for a report.
fn reason_of(detail: &str) -> Option<String> {
    let (_, reason) = detail.strip_prefix("rejected by ")?.split_once(": ")?;
    Some(reason.to_owned()).filter(|reason| !reason.is_empty())
}

fn version(row: &Row<'_>, at: usize) -> rusqlite::Result<String> {
    Ok(row.get::<_, Option<String>>(at)?.unwrap_or_default())
}

fn time(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<Timestamp>> {
    Ok(row.get::<_, Option<i64>>(at)?.map(instant))
}
