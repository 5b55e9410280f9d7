//! Style sheet, script and icon: files of this folder, in the binary.

use super::Dashboard;
use axum::Router;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

const CSS: &str = include_str!("dashboard.css");
const JS: &str = include_str!("dashboard.js");
const ICON: &str = include_str!("icon.svg");

pub(super) fn routes() -> Router<Dashboard> {
    let file = |kind: &'static str, text: &'static str| get(move || async move { asset(kind, text) });
    Router::new()
        .route("/assets/dashboard.css", file("text/css; charset=utf-8", CSS))
        .route("/assets/dashboard.js", file("text/javascript; charset=utf-8", JS))
        .route("/assets/icon.svg", file("image/svg+xml", ICON))
}

fn asset(kind: &'static str, text: &'static str) -> Response {
    let mut response = ([(header::CONTENT_TYPE, kind)], text).into_response();
    // A new binary brings new files under the same names.
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}
