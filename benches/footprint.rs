//! What the daemon takes on a machine: resident memory while it has nothing to do, and the time from its start until
//! `/readyz` answers 200. Measured from outside, on the binary that `cargo bench` has built, which is the release build.
//!
//! `cargo bench --bench footprint`

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a bench fails by panicking and prints its figures")]

mod common;

use common::{A_WHILE, STAYS, Vendor, middle_and_worst, ms, open};
use handoffd::clock::SystemClock;
use handoffd::ledger::Ledger;
use handoffd_kit::clock::Clock;
use handoffd_sandbox::Sandbox;
use jiff::SignedDuration;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// How often the start is measured.
const STARTS: usize = 15;
/// Tickets that a busy daemon has looked at before it rests.
const BUSY: usize = 2_000;
/// How long a daemon rests before its memory is read: two polls and a round of housekeeping.
const REST: SignedDuration = SignedDuration::from_secs(75);

/// A running daemon.
struct Daemon {
    child: Child,
    ready: Duration,
    folder: TempDir,
}

impl Daemon {
    /// Starts one on the helpdesk at this address and waits until it is ready.
    #[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
    fn start(url: &str) -> Self {
        let folder = common::folder();
        let listen = free();
        std::fs::write(folder.path().join("handoffd.toml"), Vendor::Zendesk.policy(url, &listen.to_string()))
            .expect("written");
        let mut command = Command::new(common::binary());
        command.arg("run").current_dir(folder.path()).stdout(Stdio::null()).stderr(Stdio::null());
        for name in ["LOGIN", "HOOK"] {
            command.env(name, Vendor::Zendesk.secret(name).expect("a secret"));
        }
        let begin = Instant::now();
        let child = command.spawn().expect("started");
        while !is_ready(listen) {
            assert!(begin.elapsed() < Duration::from_secs(20), "the daemon does not become ready");
        }
        Self { child, ready: begin.elapsed(), folder }
    }

    /// A line of `/proc/PID/status`, in megabytes.
    fn megabytes(&self, line: &str) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("status");
        let found = status.lines().find_map(|one| one.strip_prefix(line)?.strip_prefix(':')).expect("the line");
        let kilobytes: f64 = found.trim().trim_end_matches(" kB").trim().parse().expect("a number");
        kilobytes / 1_024.0
    }

    fn print(&self, what: &str) {
        let (now, most) = (self.megabytes("VmRSS"), self.megabytes("VmHWM"));
        let own = self.megabytes("RssAnon");
        println!(
            "{what:<58} {now:>5.1} MB resident ({own:.1} MB of it not shared with the file), at most {most:.1} MB"
        );
    }

    fn cases(&self) -> usize {
        let ledger = Ledger::open_read_only(&self.folder.path().join("handoffd.db"));
        ledger.and_then(|ledger| ledger.cases_seen()).unwrap_or_default()
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn free() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port")
}

fn is_ready(address: SocketAddr) -> bool {
    let ask = || -> std::io::Result<bool> {
        let mut stream = TcpStream::connect(address)?;
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer.starts_with("HTTP/1.1 200"))
    };
    ask().unwrap_or(false)
}

fn wait(runtime: &Runtime, span: SignedDuration) {
    runtime.block_on(async { SystemClock.sleep_until(SystemClock.now() + span).await });
}

/// A helpdesk on a socket.
fn helpdesk(runtime: &Runtime, tickets: usize) -> String {
    let sandbox: Sandbox = Vendor::Zendesk.sandbox(Arc::new(SystemClock));
    open(&sandbox, tickets, STAYS, A_WHILE);
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("bound");
    let url = format!("http://{}", listener.local_addr().expect("address"));
    runtime.spawn(handoffd_sandbox::server::serve(listener, sandbox, None, std::future::pending()));
    url
}

fn main() {
    let binary = std::fs::metadata(common::binary()).expect("the binary").len();
    println!("{}: {:.1} MB", Path::new("handoffd").display(), binary as f64 / 1_048_576.0);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("runtime");
    let quiet = helpdesk(&runtime, 0);
    let starts = (0..STARTS).map(|_| Daemon::start(&quiet).ready).collect();
    let (middle, worst) = middle_and_worst(starts);
    println!("start to ready, {STARTS} times: p50 {}, worst {}", ms(middle), ms(worst));

    let fresh = Daemon::start(&quiet);
    fresh.print("just ready");
    // Nothing answers there, and the client for it has read the machine's certificates.
    let secure = Daemon::start("https://127.0.0.1:1");
    let busy = Daemon::start(&helpdesk(&runtime, BUSY));
    while busy.cases() < BUSY {
        wait(&runtime, SignedDuration::from_millis(200));
    }
    busy.print(&format!("has just looked at {BUSY} tickets"));
    wait(&runtime, REST);
    fresh.print("idle, a helpdesk over http");
    secure.print("idle, a helpdesk over https");
    busy.print(&format!("idle, after {BUSY} tickets"));
}
