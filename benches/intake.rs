//! Webhooks accepted durably per second, through the daemon's own listener, beside a bare axum + SQLite loop: in the same
//! run, from the same client, on the same disk, each accepted webhook synced to it (`synchronous=FULL`) before the answer.
//!
//! The bare loop comes twice: with a commit for each webhook, as one writes it first, and with one commit for all that
//! wait, which is as fast as it gets. Neither verifies a signature, reads JSON, knows a delivery again or notes a look.
//!
//! `cargo bench --bench intake`

#![allow(clippy::expect_used, clippy::print_stdout, reason = "a bench fails by panicking and prints its figures")]

mod common;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use common::{A_WHILE, STAYS, Vendor, WEBHOOK_SECRET, middle_and_worst, ms, open};
use handoffd::clock::{SystemClock, SystemRandom};
use handoffd::ledger::Durability;
use handoffd::web;
use handoffd_kit::clock::Clock;
use handoffd_kit::settings::Seams;
use handoffd_kit::transport::HttpTransport;
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rusqlite::Connection;
use serde_json::{Value, json};
use sha2::Sha256;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

const EACH: Duration = Duration::from_secs(4);
const CONNECTIONS: [usize; 4] = [1, 8, 32, 96];
/// Tickets that webhooks are about: a desk's changes come in bunches about the same ones.
const TICKETS: usize = 500;
/// Webhooks made ahead for each line; when they are used up, the line ends early.
const POOL: usize = 120_000;
/// The most webhooks of one commit, as in the daemon's ledger.
const GROUP: usize = 100;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Server {
    Handoffd,
    OneCommitEach,
    OneCommitForAll,
}

impl Server {
    const ALL: [Self; 3] = [Self::Handoffd, Self::OneCommitEach, Self::OneCommitForAll];

    fn shown(self) -> &'static str {
        match self {
            Self::Handoffd => "handoffd",
            Self::OneCommitEach => "bare, a commit each",
            Self::OneCommitForAll => "bare, grouped",
        }
    }

    /// Starts it on two threads of its own, as the daemon has.
    fn start(self, folder: &Path) -> (Runtime, SocketAddr, CancellationToken) {
        let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
        let stop = CancellationToken::new();
        let address = runtime.block_on(async {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
            let address = listener.local_addr().expect("address");
            match self {
                Self::Handoffd => {
                    let seams = Seams {
                        clock: Arc::new(SystemClock),
                        random: Arc::new(SystemRandom),
                        transport: Arc::new(HttpTransport::new(1)),
                    };
                    let house = Vendor::Zendesk.house("http://127.0.0.1:1", folder, Durability::Full, seams);
                    tokio::spawn(web::serve(listener, web::hooks(house.web(1_000_000)), stop.clone()));
                }
                Self::OneCommitEach => bare(listener, folder, 1),
                Self::OneCommitForAll => bare(listener, folder, GROUP),
            }
            address
        });
        (runtime, address, stop)
    }
}

type Row = (String, Vec<u8>, oneshot::Sender<()>);

/// The bare loop: a handler hands the body to the thread that owns the connection, and answers when it is on the disk.
fn bare(listener: TcpListener, folder: &Path, group: usize) {
    let (rows, mut waiting) = mpsc::channel::<Row>(1024);
    let connection = Connection::open(database(folder)).expect("opened");
    let pragmas = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -4096;
        CREATE TABLE webhooks (id INTEGER PRIMARY KEY, delivery TEXT UNIQUE, body BLOB);";
    connection.execute_batch(pragmas).expect("made");
    std::thread::spawn(move || {
        while let Some(first) = waiting.blocking_recv() {
            connection.execute_batch("BEGIN IMMEDIATE").expect("begun");
            let mut answers = Vec::new();
            let mut next = Some(first);
            while let Some((delivery, body, answer)) = next {
                let mut insert = connection
                    .prepare_cached("INSERT OR IGNORE INTO webhooks (delivery, body) VALUES (?, ?)")
                    .expect("prepared");
                insert.execute((&delivery, &body)).expect("inserted");
                answers.push(answer);
                next = if answers.len() < group { waiting.try_recv().ok() } else { None };
            }
            connection.execute_batch("COMMIT").expect("committed");
            for answer in answers {
                // A client that has gone away does not want to know.
                let _ = answer.send(());
            }
        }
    });
    let router = Router::new().route("/hooks/acme", post(store)).with_state(rows);
    tokio::spawn(async move { axum::serve(listener, router).await });
}

async fn store(State(rows): State<mpsc::Sender<Row>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let delivery = headers.get(INVOCATION).and_then(|id| id.to_str().ok()).unwrap_or_default().to_owned();
    let (answer, stored) = oneshot::channel();
    let sent = rows.send((delivery, body.to_vec(), answer)).await.is_ok();
    if sent && stored.await.is_ok() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE }
}

const INVOCATION: &str = "x-zendesk-webhook-invocation-id";

fn database(folder: &Path) -> PathBuf {
    folder.join("handoffd.db")
}

/// What the helpdesk posts about each ticket, as a template: an event under an id of its own.
fn events() -> Vec<Value> {
    let sandbox = Vendor::Zendesk.sandbox(Arc::new(SystemClock));
    Vendor::Zendesk.add_hook(&sandbox, "http://daemon");
    let tickets = open(&sandbox, TICKETS, STAYS, A_WHILE);
    let posts = tickets.iter().filter_map(|ticket| sandbox.webhooks_about(*ticket).pop());
    let events: Vec<Value> = posts.map(|post| serde_json::from_slice(&post.body).expect("JSON")).collect();
    assert_eq!(events.len(), TICKETS);
    events
}

/// One webhook: the raw body, and what was signed with it.
struct Signed {
    body: Bytes,
    stamp: String,
    signature: String,
}

/// An event under this number as its id, signed now.
fn signed(event: &Value, number: usize, stamp: &str) -> Signed {
    let mut event = event.clone();
    event["id"] = json!(format!("01EVNT{number:020}"));
    let body = Bytes::from(event.to_string());
    let mut mac = Hmac::<Sha256>::new_from_slice(WEBHOOK_SECRET.as_bytes()).expect("a key");
    mac.update(stamp.as_bytes());
    mac.update(&body);
    Signed { body, stamp: stamp.to_owned(), signature: STANDARD.encode(mac.finalize().into_bytes()) }
}

/// Webhooks about no event twice, made before the clock starts, because the client shares the processor with the server.
fn webhooks(events: &[Value]) -> Vec<Signed> {
    let stamp = SystemClock.now().to_string();
    (0..POOL).map(|number| signed(&events[number % events.len()], number, &stamp)).collect()
}

/// What one client has seen.
struct Seen {
    taken: u64,
    took: Duration,
    times: Vec<Duration>,
}

/// Posts over so many connections, one webhook after the other on each, for a while.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn post_for_a_while(address: SocketAddr, connections: usize, posts: &Arc<Vec<Signed>>) -> Seen {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
    let number = Arc::new(AtomicU64::new(0));
    runtime.block_on(async {
        let begin = Instant::now();
        let until = begin + EACH;
        let clients: Vec<_> =
            (0..connections).map(|_| tokio::spawn(client(address, posts.clone(), number.clone(), until))).collect();
        let mut times = Vec::new();
        for client in clients {
            times.extend(client.await.expect("no panic"));
        }
        Seen { taken: times.len() as u64, took: begin.elapsed(), times }
    })
}

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
async fn client(address: SocketAddr, posts: Arc<Vec<Signed>>, number: Arc<AtomicU64>, until: Instant) -> Vec<Duration> {
    let stream = TcpStream::connect(address).await.expect("connected");
    stream.set_nodelay(true).expect("set");
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.expect("shook hands");
    tokio::spawn(connection);
    let mut times = Vec::new();
    while Instant::now() < until {
        let number = number.fetch_add(1, Ordering::Relaxed);
        let Some(post) = posts.get(number as usize) else { break };
        let begin = Instant::now();
        let status = deliver(&mut sender, post, number).await;
        assert_eq!(status, StatusCode::OK);
        times.push(begin.elapsed());
    }
    times
}

async fn deliver(sender: &mut SendRequest<Full<Bytes>>, post: &Signed, number: u64) -> StatusCode {
    let request = http::Request::post("/hooks/acme")
        .header("host", "daemon")
        .header("content-type", "application/json; charset=utf-8")
        .header(INVOCATION, format!("01INVK{number:020}"))
        .header("x-zendesk-webhook-signature", &post.signature)
        .header("x-zendesk-webhook-signature-timestamp", &post.stamp)
        .body(Full::new(post.body.clone()));
    sender.ready().await.expect("ready");
    let answer = sender.send_request(request.expect("a request")).await.expect("answered");
    let status = answer.status();
    let _: Body = Body::new(answer.into_body().boxed());
    status
}

/// Webhooks in the file: what was answered must be there.
fn stored(folder: &Path) -> u64 {
    let connection = Connection::open(database(folder)).expect("opened");
    let count: i64 = connection.query_row("SELECT count(*) FROM webhooks", [], |row| row.get(0)).expect("counted");
    count.unsigned_abs()
}

fn main() {
    let events = events();
    println!("a webhook has {} bytes; each line is {EACH:?} of posting", signed(&events[0], 0, "").body.len());
    println!("{:<22} {:>11} {:>12} {:>10} {:>10}", "", "connections", "accepted/s", "p50", "p99");
    for connections in CONNECTIONS {
        let mut rates = Vec::new();
        for server in Server::ALL {
            let folder = common::folder();
            let posts = Arc::new(webhooks(&events));
            let (runtime, address, stop) = server.start(folder.path());
            let seen = post_for_a_while(address, connections, &posts);
            stop.cancel();
            runtime.shutdown_timeout(Duration::from_secs(5));
            assert_eq!(stored(folder.path()), seen.taken, "{}: every answered webhook is stored", server.shown());
            let rate = seen.taken as f64 / seen.took.as_secs_f64();
            let (middle, worst) = middle_and_worst(seen.times);
            println!("{:<22} {connections:>11} {rate:>12.0} {:>10} {:>10}", server.shown(), ms(middle), ms(worst));
            rates.push(rate);
        }
        let share = |at: usize| rates[0] / rates[at] * 100.0;
        println!("{:<22} {:.0} % of a commit each, {:.0} % of grouped\n", "", share(1), share(2));
    }
}
