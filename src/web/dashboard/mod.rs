//! The dashboard: what a support lead looks at, and the few things that they decide there. Pages are made on the server from
//! templates in this folder, need nothing from elsewhere and work without a script; the same data is given as JSON under
//! `/api/v1`.
//!
//! In reading order: [`entry`] (who may enter), `session`, `guard` (what every request passes), `layout` (from data to a page),
//! `reading` (how the ledger is asked), [`orders`] (what persons decide), then one file for each page beside its template.

mod api;
mod assets;
mod cases;
mod edits;
mod entry;
mod forms;
mod guard;
mod handoff;
mod insight;
mod layout;
mod live;
mod login;
mod now;
mod orders;
mod parked;
mod policy;
mod reading;
mod reviews;
mod session;
mod timeline;
mod trouble;

pub use api::OPENAPI;
pub use entry::{Entry, Limit};
pub use orders::{Orders, Refusal, Target, Wish};

use super::Web;
use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{get, post};
use handoffd_kit::id::DeskId;
use layout::Layout;
use live::Live;
use reading::Reading;
use session::Sessions;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// The largest form or order, in bytes.
const FORM_BYTES: usize = 64 * 1024;

/// What the dashboard needs beside the web's own sources.
pub struct Parts {
    /// Who may enter.
    pub entry: Entry,
    /// Who carries out what persons decide.
    pub orders: Arc<dyn Orders>,
    /// The helpdesks that the policy is about: name, connector, host.
    pub systems: Vec<(DeskId, String, String)>,
    /// When it is called, pages that listen for news are let go.
    pub stop: CancellationToken,
}

/// What all pages share. Cheap to clone.
#[derive(Clone)]
struct Dashboard(Arc<Inner>);

struct Inner {
    web: Web,
    entry: Entry,
    orders: Arc<dyn Orders>,
    systems: Vec<(DeskId, String, String)>,
    sessions: Sessions,
    layout: Layout,
    reading: Reading,
    live: Live,
}

impl std::ops::Deref for Dashboard {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

/// The pages, their assets and the same as JSON.
pub fn dashboard(web: Web, parts: Parts) -> Router {
    let Parts { entry, orders, systems, stop } = parts;
    let reading = Reading::new(web.sources().ledger);
    let sessions = Sessions::new(entry.session);
    let (layout, live) = (Layout::new(), Live::new(stop));
    let inner = Inner { web, entry, orders, systems, sessions, layout, reading, live };
    let dashboard = Dashboard(Arc::new(inner));
    Router::new()
        .route("/", get(now::page))
        .route("/login", get(login::page).post(login::enter))
        .route("/logout", post(login::leave))
        .route("/session", get(login::session))
        .route("/reviews", get(reviews::list))
        .route("/reviews/{id}", get(reviews::page))
        .route("/reviews/{id}/conversation", get(reviews::conversation))
        .route("/reviews/{id}/approve", post(reviews::approve))
        .route("/reviews/{id}/reject", post(reviews::reject))
        .route("/reviews/{id}/edit", post(edits::edit))
        .route("/cases", get(cases::list))
        .route("/cases/{desk}/{ticket}", get(cases::page))
        .route("/parked", get(parked::page))
        .route("/parked/retry", post(parked::retry))
        .route("/parked/drop", post(parked::give_up))
        .route("/insight", get(insight::page))
        .route("/policy", get(policy::page))
        .route("/events", get(live::events))
        .merge(api::routes())
        .merge(assets::routes())
        .fallback(guard::nothing_here)
        .layer(DefaultBodyLimit::max(FORM_BYTES))
        .layer(from_fn(super::methods::told))
        .layer(from_fn_with_state(dashboard.clone(), guard::every_request))
        .with_state(dashboard)
}
