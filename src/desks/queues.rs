//! Whether the queues that a policy names are there: a queue that was deleted or disabled is one the desk does not show.

use handoffd_kit::desk::{Desk, QueueSpec};
use handoffd_kit::error::DeskError;

/// Those of these queues that the desk does not show. None where it shows no queue at all: then it tells nothing.
///
/// # Errors
/// The desk's.
pub async fn gone(desk: &dyn Desk, wanted: &[QueueSpec]) -> Result<Vec<QueueSpec>, DeskError> {
    let shown = desk.directory().await?.queues;
    let is_gone = |spec: &&QueueSpec| !shown.is_empty() && !shown.iter().any(|queue| spec.is(queue));
    Ok(wanted.iter().filter(is_gone).cloned().collect())
}
