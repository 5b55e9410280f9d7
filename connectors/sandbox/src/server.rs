//! The sandbox behind a socket: HTTP/1.1 on a listener that the caller bound (loopback), and the posting of webhooks. A
//! lost answer closes the connection, as a crash would.

use crate::control;
use crate::outbox::Post;
use crate::sandbox::{Answer, Sandbox};
use bytes::Bytes;
use handoffd_kit::transport::{Bounds, Transport};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use jiff::SignedDuration;
use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

/// The largest request that is read.
const BODY_MAX: usize = 8 << 20;

/// How often a webhook is posted that nobody takes, and how long in between.
const TRIES: u8 = 5;
const PAUSE: SignedDuration = SignedDuration::from_secs(5);

/// Serves until `shutdown` is done. Webhooks are posted with `poster`; none: they stay in the sandbox.
///
/// # Errors
/// When the listener fails.
pub async fn serve(
    listener: TcpListener,
    sandbox: Sandbox,
    poster: Option<Arc<dyn Transport>>,
    shutdown: impl Future<Output = ()> + Send,
) -> io::Result<()> {
    let mut tasks = JoinSet::new();
    if let Some(poster) = poster {
        tasks.spawn(post_webhooks(sandbox.clone(), poster));
    }
    let mut shutdown = pin!(shutdown);
    loop {
        tokio::select! {
            () = &mut shutdown => return Ok(()),
            Some(_) = tasks.join_next() => {}
            accepted = listener.accept() => {
                let (stream, _) = accepted?;
                tasks.spawn(converse(stream, sandbox.clone()));
            }
        }
    }
}

async fn converse(stream: TcpStream, sandbox: Sandbox) {
    let service = service_fn(move |request| answer(sandbox.clone(), request));
    // A connection that ends badly is the caller's to notice: losing answers is what this server is for.
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

/// Answers one request; an error closes the connection without an answer.
async fn answer(sandbox: Sandbox, request: Request<Incoming>) -> io::Result<Response<Full<Bytes>>> {
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_MAX).collect().await else {
        return Ok(plain(StatusCode::PAYLOAD_TOO_LARGE));
    };
    let request = Request::from_parts(parts, body.to_bytes());
    if let Some(response) = control::answer(&sandbox, &request) {
        return Ok(response.map(Full::new));
    }
    let started = sandbox.clock().now();
    match sandbox.handle(request) {
        Answer::Given { response, after } => {
            if !after.is_zero() {
                let until = started.saturating_add(after).unwrap_or(started);
                sandbox.clock().sleep_until(until).await;
            }
            Ok(response.map(Full::new))
        }
        Answer::Lost | Answer::Refused => Err(io::Error::from(io::ErrorKind::ConnectionReset)),
    }
}

fn plain(status: StatusCode) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::default());
    *response.status_mut() = status;
    response
}

/// Posts webhooks as they become due, one after the other, and again where nobody took them.
async fn post_webhooks(sandbox: Sandbox, poster: Arc<dyn Transport>) {
    loop {
        for post in due(&sandbox).await {
            if !taken(poster.as_ref(), &post).await && post.tries < TRIES {
                let again = sandbox.clock().now() + PAUSE;
                sandbox.post_again(post, again);
            }
        }
    }
}

/// Waits until webhooks are due.
async fn due(sandbox: &Sandbox) -> Vec<Post> {
    loop {
        let posts = sandbox.due_webhooks();
        if !posts.is_empty() {
            return posts;
        }
        let mut next = sandbox.next_due().map(|at| sandbox.clock().sleep_until(at));
        let mut waited = false;
        poll_fn(|context| {
            if waited {
                return Poll::Ready(());
            }
            sandbox.watch(context.waker());
            waited = true;
            match &mut next {
                Some(sleep) => sleep.as_mut().poll(context),
                // What came in between is seen now; what comes later wakes the watcher.
                None if sandbox.next_due().is_some() => Poll::Ready(()),
                None => Poll::Pending,
            }
        })
        .await;
    }
}

async fn taken(poster: &dyn Transport, post: &Post) -> bool {
    let mut request = Request::builder().method(Method::POST).uri(&post.url);
    if let Some(headers) = request.headers_mut() {
        headers.clone_from(&post.headers);
    }
    let Ok(request) = request.body(post.body.clone()) else { return true };
    let bounds = Bounds { timeout: Duration::from_secs(10), body_bytes: 64 << 10 };
    poster.send(request, bounds).await.is_ok_and(|response| !retried(response.status()))
}

/// The statuses after which a webhook is posted again.
fn retried(status: StatusCode) -> bool {
    status.is_server_error() || [StatusCode::CONFLICT, StatusCode::TOO_MANY_REQUESTS].contains(&status)
}
