//! Live pages: `GET /events` says whenever the ledger has changed, and the page asks for itself again.

use super::Dashboard;
use super::guard::Here;
use axum::body::Body;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures::stream::unfold;
use jiff::SignedDuration;
use std::convert::Infallible;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::sync::CancellationToken;

/// How often the ledger is asked.
const EVERY: SignedDuration = SignedDuration::from_secs(3);
/// Pages that listen at once; more are not live.
const LISTENERS: usize = 64;
/// After so many questions the browser asks anew: one that is gone is noticed.
const QUESTIONS: u32 = 200;
/// Something is said at least every so many questions, so that nothing between us and the browser takes it for dead.
const SILENT: u32 = 5;

/// Who listens.
pub(super) struct Live {
    room: Arc<Semaphore>,
    stop: CancellationToken,
}

impl Live {
    /// Nobody yet; all are let go when `stop` is called.
    pub fn new(stop: CancellationToken) -> Self {
        Self { room: Arc::new(Semaphore::new(LISTENERS)), stop }
    }
}

struct Listening {
    dashboard: Dashboard,
    known: Option<(i64, u64)>,
    asked: u32,
    _place: OwnedSemaphorePermit,
}

pub(super) async fn events(State(dashboard): State<Dashboard>, _: Here) -> Response {
    let Ok(place) = dashboard.live.room.clone().try_acquire_owned() else {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many listen\n").into_response();
    };
    let known = dashboard.reading.pulse().await.ok();
    let listening = Listening { dashboard, known, asked: 0, _place: place };
    let stream = unfold(listening, |listening| async move {
        let (words, listening) = next(listening).await?;
        Some((Ok::<_, Infallible>(words), listening))
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(stream)).into_response()
}

/// The next words to a page that listens; none: it is let go.
async fn next(mut listening: Listening) -> Option<(String, Listening)> {
    if listening.asked == 0 {
        listening.asked = 1;
        return Some(("retry: 3000\n\n".to_owned(), listening));
    }
    loop {
        let clock = listening.dashboard.web.sources().clock;
        tokio::select! {
            () = listening.dashboard.live.stop.cancelled() => return None,
            () = clock.sleep_until(clock.now() + EVERY) => {}
        }
        listening.asked += 1;
        if listening.asked > QUESTIONS {
            return None;
        }
        let pulse = listening.dashboard.reading.pulse().await.ok();
        if pulse != listening.known {
            listening.known = pulse;
            return Some(("event: changed\ndata: .\n\n".to_owned(), listening));
        }
        if listening.asked.is_multiple_of(SILENT) {
            return Some((": still here\n\n".to_owned(), listening));
        }
    }
}
