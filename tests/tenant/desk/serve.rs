//! The tenant over loopback: every connection is its own task, and one that is to be cut is cut.

use super::{Reply, Tenant};
use bytes::Bytes;
use handoffd::clock::SystemClock;
use handoffd_kit::clock::Clock;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::net::TcpListener;

/// The tenant, shared by its server and the test.
pub type Shared = Arc<Mutex<Tenant>>;

/// Looks at the tenant, or changes it.
pub fn with<T>(tenant: &Shared, act: impl FnOnce(&mut Tenant) -> T) -> T {
    act(&mut tenant.lock().unwrap_or_else(PoisonError::into_inner))
}

/// The connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("cut")]
struct Cut;

/// Serves until the runtime ends.
pub async fn serve(tenant: Shared) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let tenant = tenant.clone();
            let service = service_fn(move |request| attend(request, tenant.clone()));
            tokio::spawn(async move {
                // A cut connection ends with an error, as it should.
                drop(http1::Builder::new().serve_connection(TokioIo::new(stream), service).await);
            });
        }
    });
    address
}

async fn attend(request: Request<Incoming>, tenant: Shared) -> Result<Response<Full<Bytes>>, Cut> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, 1 << 20).collect().await.map_err(|_| Cut)?.to_bytes();
    let request = Request::from_parts(head, body);
    let reply = with(&tenant, |tenant| tenant.answer(&request, SystemClock.now()));
    match reply {
        Reply::Answer(response) => Ok(response.map(Full::new)),
        Reply::Unreachable | Reply::Cut => Err(Cut),
        Reply::Held => std::future::pending().await,
    }
}
