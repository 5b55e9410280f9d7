//! The control socket: a Unix socket beside the ledger, for this system user alone. `POST /command` with an order;
//! the answer is a reply or an error, each with its status. The system user is asked from the kernel, not from the client.
//! `GET /healthz` and `/readyz` as on `listen`: who asks here need not know that address.

use super::{Command, CommandError, Order, Reply, execute};
use crate::daemon::reload::Reloader;
use crate::daemon::running::Running;
use crate::web::health_pages;
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

/// Takes orders for the house that runs until `shutdown`; with a reloader, also those about what runs.
///
/// # Errors
/// The listener's.
pub async fn take_orders(
    listener: UnixListener,
    running: Running,
    reloader: Option<Reloader>,
    shutdown: CancellationToken,
) -> io::Result<()> {
    let path = listener.local_addr().ok().and_then(|address| address.as_pathname().map(Path::to_owned));
    // No webhook comes in here, so nothing depends on how large one may be.
    let health = health_pages(running.web(0));
    let router = Router::new()
        .route("/command", post(command))
        .layer(DefaultBodyLimit::max(ORDER_BYTES))
        .with_state(Post { running, reloader, own: own_uid() })
        .merge(health)
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
    running: Running,
    reloader: Option<Reloader>,
    own: Option<u32>,
}

impl Post {
    async fn carry_out(&self, order: Order, system_user: &str) -> Result<Reply, CommandError> {
        match (&self.reloader, &order.command) {
            (Some(reloader), Command::Reload | Command::Rollback { .. }) => reloader.order(order, system_user).await,
            _ => execute(&self.running.house(), order, system_user).await,
        }
    }
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
        Ok(Json(order)) => post.carry_out(order, &system_user(uid)).await,
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
            Self::NotFound(_) => StatusCode::NOT_FOUND,
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::testing::{Stage, asking};
    use serde_json::{Value, json};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::UnixStream;

    struct Open {
        stage: Stage,
        folder: tempfile::TempDir,
        stop: CancellationToken,
        server: tokio::task::JoinHandle<io::Result<()>>,
    }

    fn open() -> Open {
        let stage = Stage::new(asking());
        let folder = tempfile::tempdir().expect("folder");
        let listener = listen(&folder.path().join("test.sock")).expect("bound");
        let stop = CancellationToken::new();
        let server = tokio::spawn(take_orders(listener, Running::new(stage.house.clone()), None, stop.clone()));
        Open { stage, folder, stop, server }
    }

    impl Open {
        fn path(&self) -> PathBuf {
            self.folder.path().join("test.sock")
        }

        /// Posts these bytes as an order; gives the status and the answer.
        async fn post(&self, body: &[u8]) -> (u16, Value) {
            let head = format!(
                "POST /command HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
                body.len()
            );
            let mut stream = UnixStream::connect(self.path()).await.expect("connected");
            stream.write_all(head.as_bytes()).await.expect("sent");
            // A body that is too large is refused before it has been read.
            drop(stream.write_all(body).await);
            let mut answer = Vec::new();
            drop(stream.read_to_end(&mut answer).await);
            let answer = String::from_utf8(answer).expect("text");
            let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok()).expect("a status");
            let (_, body) = answer.split_once("\r\n\r\n").expect("a body");
            (status, serde_json::from_str(body).expect("JSON"))
        }
    }

    #[tokio::test]
    async fn an_order_is_carried_out_and_recorded_with_the_user_that_the_system_names() {
        let open = open();
        let order = json!({ "command": { "switch": { "switch": "all", "on": true } }, "by": "night-shift" });
        let (status, reply) = open.post(order.to_string().as_bytes()).await;
        assert_eq!((status, &reply["touched"]), (200, &json!(1)));
        let switches = open.stage.house.ledger.call(|ledger| ledger.switches()).await.expect("switches");
        assert_eq!(switches[0].by, format!("night-shift ({})", system_user(own_uid())));
    }

    #[tokio::test]
    async fn each_kind_of_refusal_has_its_status_and_says_why() {
        let open = open();
        let order = |command: Value| json!({ "command": command, "by": "lead" }).to_string();
        for (body, status, error) in [
            (order(json!({ "undo": { "handoff": "h1", "reason": "why" } })), 404, "not_found"),
            (order(json!({ "retry": { "target": { "handoff": { "id": "h1", "number": 1 } } } })), 404, "not_found"),
            (order(json!({ "retry": { "target": { "all": { "desk": null, "rule": null } } } })), 409, "refused"),
            (order(json!({ "release": { "rule": "none", "limit": 1 } })), 400, "wrong"),
        ] {
            let (found, answer) = open.post(body.as_bytes()).await;
            assert_eq!((found, answer["error"].as_str()), (status, Some(error)), "{body}");
            assert!(answer["words"].as_str().is_some_and(|words| !words.is_empty()));
        }
    }

    #[tokio::test]
    async fn hostile_orders_are_refused_and_change_nothing() {
        let open = open();
        let deep = format!("{}{}", "[".repeat(50_000), "]".repeat(50_000));
        let endless = json!({ "command": { "undo": { "handoff": "h", "reason": "n".repeat(70_000) } }, "by": "lead" });
        for body in [
            "",
            "{",
            "null",
            "[]",
            "{\"command\":{\"switch\":{\"switch\":\"all\",\"on\":true}}}",
            "{\"command\":{\"switch\":{\"switch\":\"all\",\"on\":\"yes\"}},\"by\":\"lead\"}",
            "{\"command\":{\"switch\":{\"switch\":\"all\",\"on\":true}},\"by\":\"lead\",\"system_user\":\"root\"}",
            "{\"command\":{\"delete_everything\":{}},\"by\":\"lead\"}",
            "{\"command\":{\"release\":{\"rule\":\"refund\",\"limit\":-1}},\"by\":\"lead\"}",
            "{\"command\":{\"release\":{\"rule\":\"refund\",\"limit\":1e400}},\"by\":\"lead\"}",
            "{\"command\":{\"switch\":{\"switch\":\"all\",\"on\":true}},\"by\":\"\u{1b}[2K\"}",
            "\u{0}\u{1}",
            &deep,
            &endless.to_string(),
        ] {
            let (status, answer) = open.post(body.as_bytes()).await;
            assert_eq!((status, &answer["error"]), (400, &json!("wrong")), "{:.80}", body);
        }
        let (status, _) = open.post(&[0xff, 0xfe, b'{']).await;
        assert_eq!(status, 400);
        let switches = open.stage.house.ledger.call(|ledger| ledger.switches()).await.expect("switches");
        assert!(switches.is_empty());
    }

    #[tokio::test]
    async fn the_socket_is_for_its_user_alone_and_goes_with_the_daemon() {
        let open = open();
        let mode = std::fs::metadata(open.path()).expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        open.stop.cancel();
        open.server.await.expect("no panic").expect("served");
        assert!(!open.folder.path().join("test.sock").exists());
    }

    #[tokio::test]
    async fn a_socket_left_behind_is_replaced_and_anything_else_is_not() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("test.sock");
        drop(listen(&path).expect("first"));
        assert!(path.exists(), "a crash leaves it behind");
        drop(listen(&path).expect("second"));
        std::fs::remove_file(&path).expect("removed");
        std::fs::write(&path, "precious").expect("written");
        let error = listen(&path).expect_err("not a socket");
        assert!(error.to_string().contains("test.sock"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).expect("read"), "precious");
    }

    #[test]
    fn the_socket_lies_beside_its_ledger() {
        assert_eq!(socket_path(Path::new("/var/lib/h/handoffd.db")), PathBuf::from("/var/lib/h/handoffd.db.sock"));
    }

    #[test]
    fn a_system_user_is_named_where_the_system_knows_it() {
        assert_eq!(system_user(None), "unknown system user");
        assert_eq!(system_user(Some(4_000_000_000)), "uid 4000000000");
    }
}
