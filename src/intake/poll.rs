//! Polls: every change stream of a desk is read from its stored cursor to its end, page by page. The server's cursor is
//! stored with the page's looks in one transaction, so a crash repeats a page and never skips one.

use super::Intake;
use crate::ledger::LedgerError;
use crate::ledger::records::{DeskTrouble, NewLook, PolledPage};
use handoffd_kit::desk::{Changed, Page};
use handoffd_kit::error::DeskError;
use handoffd_kit::id::{DeskId, StreamName};
use jiff::Timestamp;

/// The most pages of one stream in one poll: a huge backlog is caught up in several, so that delivery gets its turn.
const PAGES: usize = 20;

/// How a poll went.
#[derive(Debug)]
pub enum Polled {
    /// Everything there was has been noted.
    UpToDate,
    /// There is more: poll again at once.
    More,
    /// A stream failed; poll again then.
    Failed(DeskError, Timestamp),
}

impl Intake {
    /// Reads all streams of a desk up to their present end. One that fails holds up none of the others.
    ///
    /// # Errors
    /// Only the ledger's: what the desk does wrong is in the answer.
    pub async fn poll(&self, desk: &DeskId) -> Result<Polled, LedgerError> {
        let Some(station) = self.desks.get(desk) else { return Ok(Polled::UpToDate) };
        let (id, now) = (desk.clone(), self.seams.clock.now());
        let met = self.ledger.call(move |ledger| ledger.desk_met(&id, now)).await?;
        if self.me(desk).is_none() {
            // Only for recognising our own webhooks: a poll goes on without it.
            if let Ok(me) = station.desk.me().await {
                self.remember_me(desk, me.id);
            }
        }
        let (mut polled, mut failed) = (Polled::UpToDate, None);
        for stream in &station.desk.capabilities().streams {
            match self.read_stream(desk, &stream.name, self.start(desk, met)).await? {
                Ok(more) => {
                    station.polled();
                    if more {
                        polled = Polled::More;
                    }
                }
                Err(error) => {
                    let now = self.seams.clock.now();
                    if let Some(trouble) = DeskTrouble::of(desk, &error, now) {
                        self.ledger.call(move |ledger| ledger.set_trouble(&trouble)).await?;
                    }
                    tracing::warn!(desk = %desk, stream = %stream.name, error = %error, "intake.poll_failed");
                    let again = station.failed(&error, now, self.seams.random.fraction());
                    failed = failed.or(Some(Polled::Failed(error, again)));
                }
            }
        }
        Ok(failed.unwrap_or(polled))
    }

    async fn read_stream(
        &self,
        desk: &DeskId,
        stream: &StreamName,
        since: Timestamp,
    ) -> Result<Result<bool, DeskError>, LedgerError> {
        let Some(station) = self.desks.get(desk) else { return Ok(Ok(false)) };
        for _ in 0..PAGES {
            let (id, name) = (desk.clone(), stream.clone());
            let cursor = self.ledger.call(move |ledger| ledger.cursor(&id, &name)).await?;
            let page = match station.desk.changed_since(stream, cursor.as_ref(), since).await {
                Ok(page) => page,
                Err(error) => return Ok(Err(error)),
            };
            let more = page.more;
            let page = polled_page(desk, stream, page, self.seams.clock.now());
            self.ledger.call(move |ledger| ledger.note_page(&page)).await?;
            if !more {
                return Ok(Ok(false));
            }
        }
        Ok(Ok(true))
    }
}

/// Our own changes are looked at only where that costs no call: their head is what a verification compares with.
fn polled_page(desk: &DeskId, stream: &StreamName, page: Page, now: Timestamp) -> PolledPage {
    let worth_it = |changed: &Changed| changed.head.is_some() || !changed.by_us;
    let looks = page.changed.into_iter().filter(worth_it).map(|changed| NewLook {
        ticket: changed.ticket,
        due: now,
        head: changed.head.map(|head| (Box::new(head), now)),
    });
    PolledPage { desk: desk.clone(), stream: stream.clone(), next: page.next, looks: looks.collect(), at: now }
}
