//! Whether a missing right concerns a desk as a whole or one ticket alone: another ticket that waits is tried, without changing
//! it.

use handoffd_kit::desk::Desk;
use handoffd_kit::id::TicketId;
use handoffd_kit::random::Random;
use jiff::Timestamp;

/// Out of so many tickets that wait, the tried one is chosen.
pub const TICKETS_TO_CHOOSE_FROM: usize = 500;

/// Whether our account may change one of these tickets, chosen by chance: those that are asked for first may be just the ones
/// that it may not change. Only one, because a desk that refuses us is not to be flooded with questions. One that does not
/// tell has said no.
pub async fn may_write_another(
    desk: &dyn Desk,
    tickets: &[TicketId],
    random: &dyn Random,
    deadline: Timestamp,
) -> bool {
    let chosen = (random.fraction() * tickets.len() as f64) as usize;
    match tickets.get(chosen) {
        Some(ticket) => matches!(desk.may_write(ticket, deadline).await, Ok(Some(true))),
        None => false,
    }
}
