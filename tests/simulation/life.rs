//! One life of the daemon: from opening the ledger to a crash. A crash is the future that stops at an await and never goes on.

use futures::executor::LocalPool;
use futures::task::LocalSpawnExt;
use handoffd::daemon::house::House;
use handoffd::daemon::pipeline::Until;
use handoffd::ledger::{Boundary, LedgerError};
use handoffd_kit::transport::{Bounds, Exchange, Transport};
use handoffd_sandbox::SandboxTransport;
use std::cell::Cell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tokio_util::sync::CancellationToken;

/// Counts the steps that are left; at zero nothing ever goes on.
#[derive(Clone)]
pub struct Death(Arc<AtomicI64>);

impl Death {
    /// Dies after so many steps.
    pub fn after(steps: i64) -> Self {
        Self(Arc::new(AtomicI64::new(steps)))
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
    /// What carries.
    pub inner: SandboxTransport,
    /// When it ends.
    pub death: Death,
}

impl Transport for Mortal {
    fn send(&self, request: http::Request<bytes::Bytes>, bounds: Bounds) -> Exchange<'_> {
        Box::pin(async move {
            self.death.pass().await;
            let answer = self.inner.send(request, bounds).await;
            self.death.pass().await;
            answer
        })
    }
}

/// A running daemon.
pub struct Life {
    /// What runs its futures.
    pub pool: LocalPool,
    /// Its house.
    pub house: House,
    /// When it ends.
    pub death: Death,
    ended: Rc<Cell<Option<Result<(), LedgerError>>>>,
}

impl Life {
    /// Starts the pipeline; nothing has run yet.
    pub fn begin(house: House, death: Death) -> Self {
        let pool = LocalPool::new();
        let ended = Rc::new(Cell::new(None));
        let (running, report) = (house.clone(), ended.clone());
        let life = async move {
            let recovered = running.recover().await;
            let stop = CancellationToken::new();
            let outcome = match recovered {
                Ok(_) => running.run(Until::Stopped, &stop).await,
                Err(error) => Err(error),
            };
            report.set(Some(outcome));
        };
        pool.spawner().spawn_local(life).expect("a fresh pool takes tasks");
        Self { pool, house, death, ended }
    }

    /// The pipeline must not end by itself.
    pub fn broke(&self) -> Option<LedgerError> {
        self.ended.take().and_then(Result::err)
    }
}
