//! Tells the pipeline that something new is due: a webhook came in, a person decided.

use std::sync::Arc;
use tokio::sync::Notify;

/// A cheap handle; a call while nobody waits is remembered once, so none is lost.
#[derive(Clone, Default)]
pub struct Wake(Arc<Notify>);

impl Wake {
    /// Something is due.
    pub fn call(&self) {
        self.0.notify_one();
    }

    /// Resolves at the next call, or at once if there was one since.
    pub async fn called(&self) {
        self.0.notified().await;
    }
}
