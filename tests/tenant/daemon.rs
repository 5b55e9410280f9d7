//! The real daemon: the binary as a process of its own, on a ledger in a folder, which can be stopped or killed.

use crate::desk::hooks::{Event, SIGNING};
use crate::desk::{SECRET, Tenant};
use bytes::Bytes;
use futures::StreamExt;
use handoffd::clock::SystemClock;
use handoffd_kit::clock::Clock;
use handoffd_kit::transport::{Bounds, HttpTransport, Transport};
use http::Request;
use jiff::SignedDuration;
use serde_json::Value;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_handoffd");

/// A folder with a configuration and a ledger, and the process on it.
pub struct Daemon {
    folder: TempDir,
    process: Option<Child>,
    lives: u32,
    /// Where it is asked.
    pub door: Door,
}

/// The daemon's web face. Cheap to clone, so that somebody can knock while the process is being killed.
#[derive(Clone)]
pub struct Door {
    listen: SocketAddr,
    client: Arc<HttpTransport>,
}

impl Daemon {
    /// Writes the configuration; nothing runs yet.
    pub fn new(policy: &str, tenant: SocketAddr) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let listen = free.local_addr().expect("an address");
        drop(free);
        let policy =
            policy.replace("LISTEN", &listen.to_string()).replace("\"TENANT\"", &format!("\"http://{tenant}\""));
        std::fs::write(folder.path().join("handoffd.toml"), policy).expect("written");
        let door = Door { listen, client: Arc::new(HttpTransport::new(16)) };
        Self { folder, process: None, lives: 0, door }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command.current_dir(self.folder.path()).args(arguments).stdin(Stdio::null());
        command.env("TENANT_CLIENT_SECRET", SECRET).env("TENANT_WEBHOOK_SECRET", SIGNING).env("RUST_LOG", "warn");
        command
    }

    /// Starts the process and waits until it is ready.
    pub async fn start(&mut self) {
        self.lives += 1;
        let log = std::fs::File::create(self.log_file()).expect("a log file");
        let child = self.command(&["run"]).stdout(Stdio::null()).stderr(log).spawn().expect("started");
        self.process = Some(child);
        let ready = until(SignedDuration::from_secs(30), async || {
            self.door.get("/readyz").await.is_some_and(|(status, _)| status == 200)
        });
        assert!(ready.await, "never ready; it said:\n{}", self.log());
    }

    /// Where its ledger lies.
    pub fn ledger(&self) -> PathBuf {
        self.folder.path().join("handoffd.db")
    }

    fn log_file(&self) -> PathBuf {
        self.folder.path().join(format!("life-{}.log", self.lives))
    }

    /// What the present life has said, for people who read a failed test.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let mut child = self.process.take().expect("a running process");
        child.kill().expect("killed");
        child.wait().expect("ended");
    }

    /// SIGTERM; gives how it ended.
    pub fn stop(&mut self) -> ExitStatus {
        let mut child = self.process.take().expect("a running process");
        let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().expect("kill runs");
        assert!(told.success());
        child.wait().expect("ended")
    }

    /// A reading command beside the daemon.
    pub fn list(&self, arguments: &[&str]) -> Value {
        let output = self.command(&[&["--json"], arguments].concat()).output().expect("ran");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).expect("JSON")
    }

    /// A writing command to the daemon.
    pub fn order(&self, arguments: &[&str]) {
        let output = self.command(arguments).output().expect("ran");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

impl Door {
    /// Asks a page; none: no answer.
    pub async fn get(&self, path: &str) -> Option<(u16, String)> {
        let request = Request::get(format!("http://{}{path}", self.listen)).body(Bytes::new()).expect("a request");
        let answer = self.client.send(request, Bounds::default()).await.ok()?;
        Some((answer.status().as_u16(), String::from_utf8(answer.body().to_vec()).expect("text")))
    }

    /// Posts an event as the vendor does; whether it was taken.
    pub async fn post(&self, event: &Event) -> bool {
        let mut request = Request::post(format!("http://{}/hooks/acme", self.listen));
        request.headers_mut().expect("a fresh request").extend(event.headers(SystemClock.now()));
        let request = request.body(event.body.clone()).expect("a request");
        self.client.send(request, Bounds::default()).await.is_ok_and(|answer| answer.status().is_success())
    }

    /// Posts events, several at once, while that is wanted; gives those that were not taken.
    pub async fn post_all(&self, events: Vec<Event>, wanted: &(dyn Fn() -> bool + Sync)) -> Vec<Event> {
        let posts = futures::stream::iter(events)
            .map(|event| async move { if wanted() && self.post(&event).await { None } else { Some(event) } });
        posts.buffer_unordered(8).filter_map(|left| async move { left }).collect().await
    }

    /// A figure of `/metrics`: the sum over all its labels.
    pub async fn figure(&self, name: &str, label: &str) -> f64 {
        let (_, text) = self.get("/metrics").await.expect("metrics");
        let lines = text.lines().filter(|line| line.starts_with(name) && line.contains(label));
        lines.filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok()).sum()
    }

    /// Nothing is due, in flight or unsure any more.
    pub async fn is_quiet(&self) -> bool {
        let mut open = self.figure("handoffd_oldest_look_seconds", "").await;
        for state in ["due", "in_flight", "unsure"] {
            open += self.figure("handoffd_effects{", &format!("state=\"{state}\"")).await;
        }
        open == 0.0
    }

    /// The answer of `/healthz`.
    pub async fn health(&self) -> Value {
        let (status, text) = self.get("/healthz").await.expect("health");
        assert_eq!(status, 200);
        serde_json::from_str(&text).expect("JSON")
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        if let Some(mut child) = self.process.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }
}

/// Asks again and again, for at most so long: another process decides when it is so.
pub async fn until(within: SignedDuration, mut so: impl AsyncFnMut() -> bool) -> bool {
    let end = SystemClock.now() + within;
    loop {
        if so().await {
            return true;
        }
        let now = SystemClock.now();
        if now >= end {
            return false;
        }
        SystemClock.sleep_until(now + SignedDuration::from_millis(25)).await;
    }
}

/// All events that the tenant has not posted, each twice, in any order.
pub fn events(tenant: &mut Tenant, random: &mut fastrand::Rng) -> Vec<Event> {
    let once = std::mem::take(&mut tenant.events);
    let again: Vec<Event> = once.iter().map(|event| tenant.again(event)).collect();
    let mut all: Vec<Event> = once.into_iter().chain(again).collect();
    random.shuffle(&mut all);
    all
}
