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
use common::{A_WHILE, STAYS, Vendor, middle_and_worst, ms, open};
use handoffd::clock::{SystemClock, SystemRandom};
use handoffd::ledger::Durability;
use handoffd::web;
use handoffd_kit::settings::Seams;
use handoffd_kit::transport::HttpTransport;
use handoffd_sandbox::outbox::Post;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use rusqlite::Connection;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;

const EACH: Duration = Duration::from_secs(4);
const CONNECTIONS: [usize; 4] = [1, 8, 32, 96];
/// Tickets that webhooks are about: a desk's changes come in bunches about the same ones.
const TICKETS: usize = 500;
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

/// Signed webhooks, one about each ticket; each is posted again and again under a new delivery.
fn webhooks() -> Vec<Post> {
    let sandbox = Vendor::Zendesk.sandbox(Arc::new(SystemClock));
    Vendor::Zendesk.add_hook(&sandbox, "http://daemon");
    let tickets = open(&sandbox, TICKETS, STAYS, A_WHILE);
    let posts: Vec<Post> = tickets.iter().filter_map(|ticket| sandbox.webhooks_about(*ticket).pop()).collect();
    assert_eq!(posts.len(), TICKETS);
    posts
}

/// What one client has seen.
struct Seen {
    taken: u64,
    took: Duration,
    times: Vec<Duration>,
}

/// Posts over so many connections, one webhook after the other on each, for a while.
#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
fn post_for_a_while(address: SocketAddr, connections: usize, posts: &Arc<Vec<Post>>) -> Seen {
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("runtime");
    let (number, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    runtime.block_on(async {
        let begin = Instant::now();
        let clients: Vec<_> = (0..connections)
            .map(|_| tokio::spawn(client(address, posts.clone(), number.clone(), over.clone())))
            .collect();
        tokio::time::sleep(EACH).await;
        over.store(true, Ordering::Relaxed);
        let mut times = Vec::new();
        for client in clients {
            times.extend(client.await.expect("no panic"));
        }
        Seen { taken: times.len() as u64, took: begin.elapsed(), times }
    })
}

#[expect(clippy::disallowed_methods, reason = "a bench measures real time")]
async fn client(
    address: SocketAddr,
    posts: Arc<Vec<Post>>,
    number: Arc<AtomicU64>,
    over: Arc<AtomicBool>,
) -> Vec<Duration> {
    let stream = TcpStream::connect(address).await.expect("connected");
    stream.set_nodelay(true).expect("set");
    let (mut sender, connection) = handshake(TokioIo::new(stream)).await.expect("shook hands");
    tokio::spawn(connection);
    let mut times = Vec::new();
    while !over.load(Ordering::Relaxed) {
        let number = number.fetch_add(1, Ordering::Relaxed);
        let begin = Instant::now();
        let status = deliver(&mut sender, &posts[number as usize % posts.len()], number).await;
        assert_eq!(status, StatusCode::OK);
        times.push(begin.elapsed());
    }
    times
}

async fn deliver(sender: &mut SendRequest<Full<Bytes>>, post: &Post, number: u64) -> StatusCode {
    let mut request = http::Request::post("/hooks/acme").header("host", "daemon");
    for (name, value) in post.headers.iter().filter(|(name, _)| name.as_str() != INVOCATION) {
        request = request.header(name, value);
    }
    let request = request.header(INVOCATION, format!("01INVK{number:020}")).body(Full::new(post.body.clone()));
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
    let posts = Arc::new(webhooks());
    println!("a webhook has {} bytes; each line is {EACH:?} of posting", posts[0].body.len());
    println!("{:<22} {:>11} {:>12} {:>10} {:>10}", "", "connections", "accepted/s", "p50", "p99");
    for connections in CONNECTIONS {
        let mut rates = Vec::new();
        for server in Server::ALL {
            let folder = common::folder();
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
