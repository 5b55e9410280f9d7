//! The house that runs. A reload puts another one in its place, whole and at once: who works asks for it when a piece of work
//! begins, and ends that piece with the one it got, so that nothing is decided by half of one policy and half of another.

use super::house::House;
use super::pipeline::Until;
use crate::ledger::LedgerError;
use crate::web::Web;
use crate::web::dashboard::{Entry, Parts, dashboard};
use axum::Router;
use handoffd_kit::id::DeskId;
use std::sync::{Arc, PoisonError, RwLock};
use tokio_util::sync::CancellationToken;

/// The house that runs now. Clones see the same one.
#[derive(Clone)]
pub struct Running(Arc<RwLock<Arc<House>>>);

impl Running {
    /// This house runs.
    pub fn new(house: House) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(house))))
    }

    /// The house that runs now.
    pub fn house(&self) -> Arc<House> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Another one runs from now on. What is under way ends in the house that it began in; what waits for the limits of a
    /// desk that is another one now has not left, and goes again by the new one.
    pub(super) fn replace(&self, house: House) {
        let house = Arc::new(house);
        let before = std::mem::replace(&mut *self.0.write().unwrap_or_else(PoisonError::into_inner), house.clone());
        for (_, station) in before.desks.iter().filter(|(id, station)| !house.desks.has(id, &station.desk)) {
            station.desk.close();
        }
        house.wake.call();
    }

    /// Its web face; a webhook's body may have `webhook_max_bytes`.
    pub fn web(&self, webhook_max_bytes: usize) -> Web {
        let running = self.clone();
        Web::new(move || running.house().sources(), webhook_max_bytes)
    }

    /// The dashboard of its web face: who may enter, the helpdesks that the policy is about, and when pages that listen for
    /// news are let go.
    pub fn dashboard(
        &self,
        web: Web,
        entry: Entry,
        systems: Vec<(DeskId, String, String)>,
        stop: CancellationToken,
    ) -> Router {
        dashboard(web, Parts { entry, orders: Arc::new(self.clone()), systems, stop })
    }
}

impl House {
    /// Runs, and stays the house that it is.
    ///
    /// # Errors
    /// As [`Running::run`].
    pub async fn run(&self, until: Until, stop: &CancellationToken) -> Result<(), LedgerError> {
        Running::new(self.clone()).run(until, stop).await
    }
}
