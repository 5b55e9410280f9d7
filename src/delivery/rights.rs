//! Whether a missing right concerns a desk as a whole or one ticket alone: another ticket that waits is tried, without changing
//! it.

use super::Delivery;
use crate::desks::Station;
use crate::ledger::LedgerError;
use handoffd_kit::id::{DeskId, TicketId};
use jiff::Timestamp;

/// Out of so many tickets that wait, the tried one is chosen.
const TO_CHOOSE_FROM: usize = 500;

impl Delivery {
    /// Whether our account may change a ticket of this desk that waits, other than the refused one, chosen by chance: those
    /// that are due first may be just the ones that it may not change. Only one is tried, because a desk that refuses us is
    /// not to be flooded with questions. A desk that does not tell has said no.
    ///
    /// # Errors
    /// The ledger's.
    pub async fn another_may_be_written(
        &self,
        station: &Station,
        desk: &DeskId,
        refused: Option<&TicketId>,
        deadline: Timestamp,
    ) -> Result<bool, LedgerError> {
        let of = desk.clone();
        let mut waiting = self.ledger.call(move |ledger| ledger.tickets_that_wait(&of, TO_CHOOSE_FROM)).await?;
        waiting.retain(|ticket| Some(ticket) != refused);
        let chosen = (self.seams.random.fraction() * waiting.len() as f64) as usize;
        match waiting.get(chosen) {
            Some(ticket) => Ok(matches!(station.desk.may_write(ticket, deadline).await, Ok(Some(true)))),
            None => Ok(false),
        }
    }
}
