//! The incremental export by cursor. The last minute is never in it, and a start must lie at least a minute back.

use super::Tenant;
use super::refusal::Refusal;
use super::route::Question;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

/// What changed within this many seconds is left out.
const LAG: i64 = 60;

impl Tenant {
    pub fn export(&self, question: &Question, now: Timestamp) -> Result<Value, Refusal> {
        let size = question.number("per_page", 1_000, 1_000)? as usize;
        let upto = now.as_second() - LAG;
        let after = match (question.text("cursor"), question.text("start_time")) {
            (Some(cursor), None) => read(cursor).ok_or_else(|| Refusal::bad("this is no cursor of ours"))?,
            (None, Some(start)) => {
                let start = start.parse::<i64>().map_err(|_| Refusal::bad("start_time is no number"))?;
                if start > upto {
                    return Err(Refusal::bad("Too recent start_time. Use a start_time older than 60 seconds"));
                }
                (start, 0)
            }
            _ => return Err(Refusal::bad("give either cursor or start_time")),
        };
        let place = |ticket: &super::ticket::Ticket| (ticket.generated_at.as_second(), ticket.id);
        let mut changed: Vec<_> =
            self.tickets.values().filter(|one| place(one) > after && place(one).0 <= upto).collect();
        changed.sort_by_key(|one| place(one));
        let end = changed.len() <= size;
        changed.truncate(size);
        let next = write(changed.last().map_or(after, |one| place(one)));
        let tickets: Vec<Value> = changed.into_iter().map(|one| one.show()).collect();
        Ok(
            json!({ "tickets": tickets, "after_cursor": next, "after_url": format!("https://tenant.example/?cursor={next}"),
                   "before_cursor": null, "before_url": null, "end_of_stream": end }),
        )
    }
}

fn write((second, id): (i64, i64)) -> String {
    STANDARD.encode(format!("{second}|{id}"))
}

fn read(cursor: &str) -> Option<(i64, i64)> {
    let text = String::from_utf8(STANDARD.decode(cursor).ok()?).ok()?;
    let (second, id) = text.split_once('|')?;
    Some((second.parse().ok()?, id.parse().ok()?))
}
