//! One life of the daemon: from opening the ledger to a crash. A crash is the future that stops at an await and never goes on.

use crate::news::Cut;
use crate::rooms::Rooms;
use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;
use handoffd::daemon::house::House;
use handoffd::daemon::pipeline::Until;
use handoffd::daemon::reload::Reloader;
use handoffd::daemon::running::Running;
use handoffd::ledger::{Boundary, LedgerError};
use handoffd_kit::transport::{Bounds, Exchange, Transport};
use handoffd_sandbox::SandboxTransport;
use jiff::SignedDuration;
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio_util::sync::CancellationToken;

/// When a daemon is started again that could not start.
const AGAIN: SignedDuration = SignedDuration::from_secs(30);

/// Counts the steps that are left; at zero nothing ever goes on.
#[derive(Clone)]
pub struct Death(Arc<AtomicI64>);

impl Death {
    /// Dies after so many steps.
    pub fn after(steps: i64) -> Self {
        Self(Arc::new(AtomicI64::new(steps)))
    }

    /// Sooner: within so many steps from now.
    pub fn within(&self, steps: i64) {
        self.0.fetch_min(steps, Ordering::Relaxed);
    }

    /// Never.
    pub fn never() -> Self {
        Self::after(i64::MAX)
    }

    /// Whether it has come.
    pub fn has_come(&self) -> bool {
        self.0.load(Ordering::Relaxed) <= 0
    }
}

impl Boundary for Death {
    fn pass(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let left = self.0.load(Ordering::Relaxed) - 1;
        self.0.store(left.max(0), Ordering::Relaxed);
        if left <= 0 { Box::pin(std::future::pending()) } else { Box::pin(std::future::ready(())) }
    }
}

/// A transport that a crash can cut before a request leaves and after its answer came.
pub struct Mortal {
    /// What carries to the helpdesk.
    pub inner: SandboxTransport,
    /// Where people are told.
    pub rooms: Rooms,
    /// When it ends.
    pub death: Death,
    /// What ends it sooner, where it polls.
    pub cut: Option<Cut>,
}

impl Transport for Mortal {
    fn send(&self, request: http::Request<bytes::Bytes>, bounds: Bounds) -> Exchange<'_> {
        Box::pin(async move {
            self.death.pass().await;
            if Rooms::are_at(request.uri().host()) {
                let (answer, taken) = self.rooms.take(&request);
                self.death.pass().await;
                taken.into_iter().for_each(|number| self.rooms.heard(number));
                return answer;
            }
            let cut = self.cut.as_ref().and_then(|cut| cut.after(request.uri().path()));
            let answer = self.inner.send(request, bounds).await;
            cut.into_iter().for_each(|steps| self.death.within(steps));
            self.death.pass().await;
            answer
        })
    }
}

/// A running daemon.
pub struct Life {
    /// What runs its futures.
    pub pool: LocalPool,
    /// Its house, which a reload replaces.
    pub running: Running,
    /// What reloads it.
    pub reloader: Reloader,
    /// When it ends.
    pub death: Death,
    ended: Rc<Cell<Option<Result<(), LedgerError>>>>,
}

impl Life {
    /// Starts the pipeline; nothing has run yet.
    pub fn begin(house: House, death: Death, reloader: impl FnOnce(Running) -> Reloader) -> Self {
        let pool = LocalPool::new();
        let ended = Rc::new(Cell::new(None));
        let running = Running::new(house);
        let (runs, report) = (running.clone(), ended.clone());
        let whole = async move {
            let outcome = match recovered(&runs.house()).await {
                Ok(()) => runs.run(Until::Stopped, &CancellationToken::new()).await,
                Err(error) => Err(error),
            };
            report.set(Some(outcome));
        };
        let reloader = reloader(running.clone());
        let life = Self { pool, running, reloader, death, ended };
        life.beside(whole);
        life
    }

    /// Something goes on beside the pipeline, until it dies with it.
    pub fn beside(&self, what: impl Future<Output = ()> + 'static) {
        self.pool.spawner().spawn_local(what).expect("the pool takes tasks");
    }

    /// The pipeline must not end by itself.
    pub fn broke(&self) -> Option<LedgerError> {
        self.ended.take().and_then(Result::err)
    }
}

/// A daemon that cannot write its ledger at its start ends; whoever started it starts it again, until it can.
async fn recovered(house: &House) -> Result<(), LedgerError> {
    loop {
        match house.recover().await {
            Err(error) if error.heals() => {
                let clock = &house.seams.clock;
                clock.sleep_until(clock.now() + AGAIN).await;
            }
            recovered => return recovered.map(drop),
        }
    }
}
