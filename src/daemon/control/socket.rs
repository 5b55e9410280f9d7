//! The control socket: a Unix socket beside the ledger, for this system user alone. `POST /command` with an order;
//! the answer is a reply or an error, each with its status. The system user is asked from the kernel, not from the client.

use super::{CommandError, Order, execute};
use crate::daemon::house::House;
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use axum::serve::IncomingStream;
use axum::{Json, Router};
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use tokio::net::UnixListener;
use tokio_util::sync::CancellationToken;

/// The largest order, in bytes.
const ORDER_BYTES: usize = 64 * 1024;

/// Where the socket of a ledger lies.
pub fn socket_path(ledger: &Path) -> PathBuf {
    let mut name = ledger.as_os_str().to_owned();
    name.push(".sock");
    PathBuf::from(name)
}

/// Binds the control socket at `path`, for this user alone. Call it only while holding the ledger's lock: a socket that
/// lies there then belongs to nobody any more and is removed. Must be called inside the runtime.
///
/// # Errors
/// The system's, with the path; anything there that is no socket stays untouched.
pub fn listen(path: &Path) -> io::Result<UnixListener> {
    let named = |error: io::Error| io::Error::new(error.kind(), format!("control socket {}: {error}", path.display()));
    match std::fs::symlink_metadata(path) {
        Ok(there) if there.file_type().is_socket() => std::fs::remove_file(path).map_err(named)?,
        Ok(_) => return Err(named(io::Error::new(io::ErrorKind::AlreadyExists, "something else lies there"))),
        Err(_) => {}
    }
    let listener = UnixListener::bind(path).map_err(named)?;
    std::fs::set_permissions(path, Permissions::from_mode(0o600)).map_err(named)?;
    Ok(listener)
}

/// Takes orders until `shutdown`.
///
/// # Errors
/// The listener's.
pub async fn take_orders(listener: UnixListener, house: House, shutdown: CancellationToken) -> io::Result<()> {
    let path = listener.local_addr().ok().and_then(|address| address.as_pathname().map(Path::to_owned));
    let router = Router::new()
        .route("/command", post(command))
        .layer(DefaultBodyLimit::max(ORDER_BYTES))
        .with_state(Post { house, own: own_uid() })
        .into_make_service_with_connect_info::<Peer>();
    axum::serve(listener, router).with_graceful_shutdown(shutdown.cancelled_owned()).await?;
    if let Some(path) = path {
        // Left behind, it would only be removed by the next daemon.
        drop(std::fs::remove_file(path));
    }
    Ok(())
}

/// Who is at the other end.
#[derive(Clone, Debug)]
struct Peer(Option<u32>);

impl Connected<IncomingStream<'_, UnixListener>> for Peer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        Self(stream.io().peer_cred().ok().map(|credentials| credentials.uid()))
    }
}

/// Where orders come in.
#[derive(Clone)]
struct Post {
    house: House,
    own: Option<u32>,
}

async fn command(
    State(post): State<Post>,
    ConnectInfo(Peer(uid)): ConnectInfo<Peer>,
    order: Result<Json<Order>, JsonRejection>,
) -> Response {
    // The file's mode says the same; this also holds in the moment before it is set.
    if uid.is_none() || (uid != post.own && uid != Some(0)) {
        return CommandError::Refused("orders are taken from the daemon's own system user only".into()).into_response();
    }
    let answer = match order {
        Ok(Json(order)) => execute(&post.house, order, &system_user(uid)).await,
        Err(rejection) => Err(CommandError::Wrong(rejection.body_text())),
    };
    match answer {
        Ok(reply) => Json(reply).into_response(),
        Err(error) => error.into_response(),
    }
}

impl IntoResponse for CommandError {
    fn into_response(self) -> Response {
        (self.status(), Json(self)).into_response()
    }
}

impl CommandError {
    fn status(&self) -> StatusCode {
        match self {
            Self::Wrong(_) => StatusCode::BAD_REQUEST,
            Self::Refused(_) => StatusCode::CONFLICT,
            Self::Desk(_) => StatusCode::BAD_GATEWAY,
            Self::Ledger(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// The system user that this process runs as, where the system tells.
pub fn own_uid() -> Option<u32> {
    std::fs::metadata("/proc/self").ok().map(|own| own.uid())
}

/// A system user in words: `name, uid 1000` where the system's list of users has it.
pub fn system_user(uid: Option<u32>) -> String {
    let Some(uid) = uid else { return "unknown system user".to_owned() };
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)?.parse::<u32>().ok()? == uid).then_some(name)
    });
    name.map_or_else(|| format!("uid {uid}"), |name| format!("{name}, uid {uid}"))
}
