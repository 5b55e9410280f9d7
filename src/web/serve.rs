//! Serves a router on a listener, with bounds: on the time a sender takes over its head, on connections at once, and on
//! nothing of a connection once the daemon stops: what is being answered is finished, idle ones are closed.

use crate::clock::SystemClock;
use axum::Router;
use handoffd_kit::clock::Clock;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use jiff::SignedDuration;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// How long a sender may take over a request's head, an idle connection included.
const HEAD_WITHIN: Duration = Duration::from_secs(15);
/// The largest head that is read, in bytes.
const HEAD_BYTES: usize = 32 * 1024;
/// Connections at once; the next ones wait in the system's backlog.
const CONNECTIONS: usize = 512;

/// Binds `listen`. `open` says whether the address is meant to be reached from outside (webhooks alone are).
///
/// # Errors
/// The system's, with the address; or a refusal: what is served on `listen` is for this machine alone.
pub async fn bind(address: SocketAddr, open: bool) -> io::Result<TcpListener> {
    if !open && !address.ip().is_loopback() {
        let words = format!(
            "[daemon] listen = \"{address}\" would serve health, metrics and everything else to the network: keep `listen` on \
             127.0.0.1 and give webhooks an address of their own with `hooks`"
        );
        return Err(io::Error::new(io::ErrorKind::InvalidInput, words));
    }
    let named = |error: io::Error| io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"));
    TcpListener::bind(address).await.map_err(named)
}

/// Serves until `shutdown`, then finishes what is being answered.
///
/// # Errors
/// None of a single connection's; the listener's own only.
pub async fn serve(listener: TcpListener, router: Router, shutdown: CancellationToken) -> io::Result<()> {
    let room = Arc::new(Semaphore::new(CONNECTIONS));
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            accepted = accept(&listener, &room) => accepted,
        };
        match accepted {
            Ok((stream, place)) => attend(stream, place, router.clone(), &graceful),
            Err(error) => {
                tracing::warn!(error = %error, "web.accept_failed");
                // Out of file handles: the next try would fail at once, and the one after.
                SystemClock.sleep_until(SystemClock.now() + SignedDuration::from_secs(1)).await;
            }
        }
    }
    drop(listener);
    graceful.shutdown().await;
    Ok(())
}

async fn accept(listener: &TcpListener, room: &Arc<Semaphore>) -> io::Result<(TcpStream, OwnedSemaphorePermit)> {
    let place = room.clone().acquire_owned().await.map_err(io::Error::other)?;
    let (stream, _) = listener.accept().await?;
    Ok((stream, place))
}

fn attend(stream: TcpStream, place: OwnedSemaphorePermit, router: Router, graceful: &GracefulShutdown) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_WITHIN)
        .max_buf_size(HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let connection = graceful.watch(connection);
    tokio::spawn(async move {
        // A peer that breaks off is its own matter.
        if let Err(error) = connection.await {
            tracing::debug!(error = %error, "web.connection_ended");
        }
        drop(place);
    });
}
