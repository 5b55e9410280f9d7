//! Whether a missing right concerns a desk as a whole or one ticket alone: other tickets that wait are tried, without
//! changing them.

use handoffd_kit::desk::Desk;
use handoffd_kit::id::TicketId;
use handoffd_kit::random::Random;
use jiff::Timestamp;

/// Out of so many tickets that wait, the tried ones are chosen.
pub const TICKETS_TO_CHOOSE_FROM: usize = 500;
/// So many tickets are tried at most: each costs a call.
const MOST: usize = 5;

/// Whether our account may change any of these tickets. A few of them are tried, chosen by chance: those that are asked for
/// first may be just the ones that it may not change. A desk that does not tell has said no.
pub async fn may_write_any(
    desk: &dyn Desk,
    mut tickets: Vec<TicketId>,
    random: &dyn Random,
    deadline: Timestamp,
) -> bool {
    for _ in 0..MOST.min(tickets.len()) {
        let chosen = (random.fraction() * tickets.len() as f64) as usize;
        let ticket = tickets.swap_remove(chosen.min(tickets.len() - 1));
        match desk.may_write(&ticket, deadline).await {
            Ok(Some(true)) => return true,
            Ok(Some(false)) => {}
            Ok(None) | Err(_) => return false,
        }
    }
    false
}
