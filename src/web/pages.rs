//! What a monitor asks: `/healthz` (always 200 while the process lives, with every reason for less than well),
//! `/readyz` (503 while webhooks could not be stored) and `/metrics`.

use super::Web;
use super::health::{Health, health};
use super::standing::Standing;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::middleware::from_fn;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};

/// The media type that `/metrics` is written in.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `GET /healthz`, `/readyz` and `/metrics`.
pub fn pages(web: Web) -> Router {
    let metrics = Router::new().route("/metrics", get(metrics)).layer(from_fn(super::methods::told));
    health_pages(web.clone()).merge(metrics.with_state(web))
}

/// `GET /healthz` and `/readyz` alone.
pub fn health_pages(web: Web) -> Router {
    let pages = Router::new().route("/healthz", get(healthz)).route("/readyz", get(readyz));
    pages.layer(from_fn(super::methods::told)).with_state(web)
}

async fn healthz(State(web): State<Web>) -> Json<Health> {
    let sources = web.sources();
    Json(health(&Standing::collect(&sources).await, sources.clock.now()))
}

/// Ready is who can store a webhook: a desk that is down does not make us less ready to remember.
async fn readyz(State(web): State<Web>) -> Response {
    let sources = web.sources();
    let standing = Standing::collect(&sources).await;
    let status = if standing.is_ready() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(health(&standing, sources.clock.now()))).into_response()
}

async fn metrics(State(web): State<Web>) -> Response {
    let sources = web.sources();
    let standing = Standing::collect(&sources).await;
    // Without a ledger that can be asked there are none.
    let snapshot = if standing.figures.is_ok() { web.snapshot().await.ok().flatten() } else { None };
    match web.metrics.text(&standing, snapshot.as_deref(), sources.clock.now()) {
        Ok(text) => ([(header::CONTENT_TYPE, OPEN_METRICS)], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
