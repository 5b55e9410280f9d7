//! Asks a desk for its history: what changed since an instant, and of each ticket that did, all that ever happened to it.
//!
//! All calls go through the desk's gate. A desk that does not answer is asked again for about a minute; then what was
//! taken stays, with the place where to go on.

use super::keep::Keep;
use super::rows::Rows;
use crate::backoff;
use handoffd_kit::desk::{Answer, Changed, Cursor, Desk};
use handoffd_kit::error::{DeskError, DeskErrorKind, Retry};
use handoffd_kit::id::TicketId;
use handoffd_kit::model::{PartKind, PartSet, TicketHead};
use handoffd_kit::settings::Seams;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use std::fmt;

/// How often a call is tried before the desk counts as down: some two minutes of waiting.
const TRIES: u32 = 6;
/// So many tickets in a row that our account may not read: it lacks a right, and it is no matter of single tickets.
const REFUSED_IN_A_ROW: u32 = 5;

/// How much there is so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Tickets whose history was taken.
    pub tickets: u64,
    /// Rows.
    pub rows: u64,
    /// Tickets that were gone, or that our account may not see.
    pub unseen: u64,
    /// Tickets whose history the desk did not tell, or not so that it could be read.
    pub untold: u64,
}

/// Why it ended early. What was taken is kept.
#[derive(Debug)]
pub enum Stopped {
    /// The desk's answer.
    Desk(DeskError),
    /// The file cannot be written.
    File(std::io::Error),
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Desk(error) => write!(f, "{error}"),
            Self::File(error) => write!(f, "the file cannot be written: {error}"),
        }
    }
}

impl From<DeskError> for Stopped {
    fn from(error: DeskError) -> Self {
        Self::Desk(error)
    }
}

impl From<std::io::Error> for Stopped {
    fn from(error: std::io::Error) -> Self {
        Self::File(error)
    }
}

/// Takes a desk's history into a file.
pub struct Taking<'t> {
    /// The desk.
    pub desk: &'t dyn Desk,
    /// Time and chance.
    pub seams: &'t Seams,
    /// What makes rows of tickets.
    pub rows: Rows<'t>,
    /// Told after every ticket.
    pub progress: &'t dyn Fn(Taken),
}

impl Taking<'_> {
    /// Takes all that is missing in the file, from where it stands.
    ///
    /// # Errors
    /// What the desk said, or that the file cannot be written. The file says where to go on.
    pub async fn go(&mut self, keep: &mut Keep) -> Result<Taken, Stopped> {
        let ended = self.take(keep).await;
        keep.pause()?;
        ended.map(|()| keep.taken())
    }

    async fn take(&mut self, keep: &mut Keep) -> Result<(), Stopped> {
        let directory = self.patiently(|| self.desk.directory()).await?;
        for queue in directory.queues {
            if let Some(name) = queue.name {
                self.rows.queues.insert(queue.id.to_string(), name);
            }
        }
        let mut refused = 0;
        for stream in &self.desk.capabilities().streams {
            while !keep.is_done(&stream.name) {
                let cursor: Option<Cursor> = keep.cursor(&stream.name);
                let page =
                    self.patiently(|| self.desk.changed_since(&stream.name, cursor.as_ref(), keep.since())).await?;
                for changed in page.changed {
                    self.ticket(changed, keep, &mut refused).await?;
                }
                keep.page(&stream.name, page.next, page.more)?;
            }
        }
        Ok(())
    }

    /// Takes one ticket, unless it was taken before.
    async fn ticket(&self, changed: Changed, keep: &mut Keep, refused: &mut u32) -> Result<(), Stopped> {
        if keep.has(&changed.ticket) {
            return Ok(());
        }
        let rows = match self.read(&changed.ticket, changed.head).await {
            Ok(read) => read,
            Err(error) => {
                let of_ticket = matches!(
                    error.kind,
                    DeskErrorKind::NotFound | DeskErrorKind::Hidden | DeskErrorKind::Gone | DeskErrorKind::Forbidden
                );
                *refused += u32::from(error.kind == DeskErrorKind::Forbidden);
                if !of_ticket || *refused >= REFUSED_IN_A_ROW {
                    return Err(Stopped::Desk(error));
                }
                keep.unseen(&changed.ticket);
                return Ok(());
            }
        };
        *refused = 0;
        keep.ticket(&changed.ticket, &rows)?;
        (self.progress)(keep.taken());
        Ok(())
    }

    async fn read(&self, ticket: &TicketId, head: Option<TicketHead>) -> Result<Vec<super::Row>, DeskError> {
        let head = match head {
            Some(head) => head,
            None => self.patiently(|| self.desk.head(ticket, self.deadline())).await?,
        };
        let wanted = PartSet::of(&[PartKind::History]);
        let wanted = if self.rows.with_text { wanted.with(PartKind::Conversation) } else { wanted };
        let parts = self.patiently(|| self.desk.parts(&head, wanted, self.deadline())).await?;
        let history = parts.history.unwrap_or_default();
        Ok(if history.is_empty() { Vec::new() } else { self.rows.of(&head, &history, parts.conversation.as_ref()) })
    }

    /// Nothing waits for it: whatever else goes through the same gate comes first.
    fn deadline(&self) -> Timestamp {
        self.seams.clock.now() + SignedDuration::from_hours(24)
    }

    /// A call, repeated while the desk is down or asks for patience.
    async fn patiently<'c, T>(&self, call: impl Fn() -> Answer<'c, T>) -> Result<T, DeskError> {
        let mut tries = 0;
        loop {
            let error = match call().await {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            tries += 1;
            let passes =
                matches!(error.kind, DeskErrorKind::Unavailable | DeskErrorKind::RateLimited | DeskErrorKind::Protocol);
            if !passes || tries >= TRIES {
                return Err(error);
            }
            let wait = self.seams.clock.now() + backoff::after(tries + 1, self.seams.random.fraction());
            let named = if let Retry::After(at) = error.retry { at } else { None };
            self.seams.clock.sleep_until(named.map_or(wait, |named| named.max(wait))).await;
        }
    }
}
