//! A strict receiver of webhooks on loopback, that knows nothing of our code: it takes one POST of JSON a connection, answers
//! as it is told, and keeps what it got in its order. The daemon's own tests share this file.

use bytes::Bytes;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What a request is answered with.
#[derive(Clone, Debug)]
pub enum Answer {
    /// A status, more headers and a body.
    Status(u16, &'static str, &'static str),
    /// The request is taken, and the line is cut.
    Cut,
    /// The request is taken, and never answered.
    Silence,
}

/// A request.
#[derive(Clone, Debug)]
pub struct Got {
    /// Where it went.
    pub path: String,
    /// Its headers, names in small letters.
    pub headers: Vec<(String, String)>,
    /// Its body, byte for byte.
    pub body: Bytes,
}

impl Got {
    /// A header, which is there once.
    pub fn header(&self, name: &str) -> &str {
        let mut all = self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
        let first = all.next().unwrap_or_else(|| panic!("no header {name} in {:?}", self.headers));
        assert_eq!(all.next(), None, "the header {name} stands twice");
        first
    }

    /// Its body as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("a body of JSON")
    }
}

struct State {
    answers: Mutex<VecDeque<Answer>>,
    got: Mutex<Vec<Got>>,
    count: watch::Sender<usize>,
}

/// A receiver that is up until it is dropped.
pub struct Receiver {
    /// Its address.
    pub url: String,
    state: Arc<State>,
    serving: tokio::task::JoinHandle<()>,
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

impl Receiver {
    /// One that answers so, and with 200 and `ok` when no answer is left.
    pub async fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self::at("127.0.0.1:0", answers).await
    }

    /// The same at an address.
    pub async fn at(address: &str, answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind(address).await.expect("a port");
        let url = format!("http://{}/in/s3cr3t", listener.local_addr().expect("an address"));
        let answers = Mutex::new(answers.into_iter().collect());
        let state = Arc::new(State { answers, got: Mutex::default(), count: watch::channel(0).0 });
        let shared = state.clone();
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        Self { url, state, serving }
    }

    /// An address at which nobody listens.
    pub async fn nobody() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        format!("http://{}/in/s3cr3t", listener.local_addr().expect("an address"))
    }

    /// How the next requests are answered, before those that were told already.
    pub fn then(&self, answer: Answer) {
        self.state.answers.lock().expect("unbroken").push_back(answer);
    }

    /// What it got, the oldest first.
    pub fn got(&self) -> Vec<Got> {
        self.state.got.lock().expect("unbroken").clone()
    }

    /// Waits until it has got so many.
    pub async fn has(&self, count: usize) {
        let mut counted = self.state.count.subscribe();
        counted.wait_for(|got| *got >= count).await.expect("it is up");
    }
}

async fn serve(mut stream: TcpStream, state: Arc<State>) {
    let Some(got) = request(&mut stream).await else { return };
    state.got.lock().expect("unbroken").push(got);
    let answer = state.answers.lock().expect("unbroken").pop_front();
    state.count.send_modify(|count| *count += 1);
    match answer.unwrap_or(Answer::Status(200, "", "ok")) {
        Answer::Status(status, headers, body) => {
            let head = format!(
                "HTTP/1.1 {status} Told\r\ncontent-length: {}\r\nconnection: close\r\n{headers}\r\n",
                body.len()
            );
            // A client that has gone does not want the answer.
            let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
        }
        Answer::Cut => drop(stream),
        Answer::Silence => std::future::pending().await,
    }
}

/// Reads one request strictly: a POST of JSON whose length is told.
async fn request(stream: &mut TcpStream) -> Option<Got> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
            break end;
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    };
    let head = String::from_utf8(bytes[..end].to_vec()).expect("a head of text");
    let mut lines = head.split("\r\n");
    let first: Vec<&str> = lines.next().unwrap_or_default().split(' ').collect();
    let ["POST", path, "HTTP/1.1"] = first.as_slice() else { panic!("no POST: {head}") };
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").unwrap_or_else(|| panic!("no header: {line}")))
        .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
        .collect();
    let got = Got { path: (*path).to_owned(), headers, body: Bytes::new() };
    assert!(got.header("content-type").starts_with("application/json"), "{head}");
    let length: usize = got.header("content-length").parse().expect("a length");
    let mut body = bytes.split_off(end + 4);
    while body.len() < length {
        if stream.read_buf(&mut body).await.ok()? == 0 {
            return None;
        }
    }
    assert_eq!(body.len(), length, "nothing follows the body");
    Some(Got { body: body.into(), ..got })
}
