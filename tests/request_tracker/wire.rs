//! The wire between the daemon and Request Tracker, on which a test can stop time: a request is held before it arrives or
//! its answer before it comes back, while somebody acts or the daemon is killed. It also remembers what was asked.

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use handoffd_kit::transport::{Bounds, HttpTransport, Transport};
use std::sync::{Arc, Mutex};
use tokio::sync::oneshot;

/// Headers that belong to one connection, not to the message.
const OF_THE_CONNECTION: [header::HeaderName; 4] =
    [header::CONNECTION, header::CONTENT_LENGTH, header::HOST, header::TRANSFER_ENCODING];

/// One request as the daemon sent it.
#[derive(Clone, Debug)]
pub struct Asked {
    method: Method,
    path: String,
    body: String,
}

impl Asked {
    /// Whether it changes a ticket.
    pub fn writes(&self) -> bool {
        self.method != Method::GET && self.path.contains("/ticket/")
    }

    /// Whether it writes a note.
    pub fn notes(&self) -> bool {
        self.writes() && self.path.ends_with("/comment")
    }

    /// Whether it sets this attribute of a ticket.
    pub fn sets(&self, attribute: &str) -> bool {
        self.method == Method::PUT && self.body.contains(&format!("\"{attribute}\""))
    }

    /// Whether it reads what changed.
    pub fn polls(&self) -> bool {
        self.method == Method::GET && self.path.contains("/transactions")
    }

    /// The ticket in its path.
    pub fn ticket(&self) -> String {
        let rest = self.path.split_once("/ticket/").map_or("", |(_, rest)| rest);
        rest.chars().take_while(char::is_ascii_digit).collect()
    }
}

/// Where a request is held.
#[derive(Clone, Copy, Debug)]
pub enum Hold {
    /// Request Tracker has not seen it.
    TheRequest,
    /// Request Tracker has answered it.
    TheAnswer,
}

struct Trap {
    hold: Hold,
    on: Box<dyn Fn(&Asked) -> bool + Send>,
    sprung: oneshot::Sender<Asked>,
    go: oneshot::Receiver<()>,
}

/// A trap that waits for the first request that fits it.
pub struct Armed {
    sprung: oneshot::Receiver<Asked>,
    go: oneshot::Sender<()>,
}

impl Armed {
    /// Waits until a request is held, and says which.
    pub async fn sprung(&mut self) -> Asked {
        crate::within("the request that the test waits for", &mut self.sprung).await.unwrap()
    }

    /// Lets the request go on. Whoever sent it may be gone by now.
    pub fn release(self) {
        let _ = self.go.send(());
    }
}

/// The wire.
pub struct Wire {
    /// Where the daemon finds Request Tracker.
    pub url: String,
    ends: Arc<Ends>,
}

struct Ends {
    desk: String,
    transport: HttpTransport,
    asked: Mutex<Vec<Asked>>,
    traps: Mutex<Vec<Trap>>,
}

impl Wire {
    /// A wire to the Request Tracker at that address.
    pub async fn to(desk: &str) -> Self {
        let ends = Ends {
            desk: desk.to_owned(),
            transport: HttpTransport::new(2),
            asked: Mutex::default(),
            traps: Mutex::default(),
        };
        let ends = Arc::new(ends);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(pass).with_state(ends.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, ends }
    }

    /// Everything that was asked since the last time this was called.
    pub fn take(&self) -> Vec<Asked> {
        std::mem::take(&mut self.ends.asked.lock().unwrap())
    }

    /// Whether something like this was asked since then.
    pub fn saw(&self, like: impl Fn(&Asked) -> bool) -> bool {
        self.ends.asked.lock().unwrap().iter().any(like)
    }

    /// Holds the first request like this.
    pub fn arm(&self, hold: Hold, on: impl Fn(&Asked) -> bool + Send + 'static) -> Armed {
        let (sprung, held) = oneshot::channel();
        let (go, released) = oneshot::channel();
        self.ends.traps.lock().unwrap().push(Trap { hold, on: Box::new(on), sprung, go: released });
        Armed { sprung: held, go }
    }
}

impl Ends {
    fn trap(&self, asked: &Asked) -> Option<Trap> {
        let mut traps = self.traps.lock().unwrap();
        let at = traps.iter().position(|trap| (trap.on)(asked))?;
        Some(traps.remove(at))
    }
}

async fn pass(State(ends): State<Arc<Ends>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 8 << 20).await.unwrap();
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str()).to_owned();
    let asked = Asked { method: parts.method, path, body: String::from_utf8_lossy(&body).into_owned() };
    ends.asked.lock().unwrap().push(asked.clone());
    let Some(trap) = ends.trap(&asked) else { return forward(&ends, &asked, &parts.headers, body).await };
    if let Hold::TheRequest = trap.hold {
        let _ = trap.sprung.send(asked.clone());
        let _ = trap.go.await;
        return forward(&ends, &asked, &parts.headers, body).await;
    }
    let answer = forward(&ends, &asked, &parts.headers, body).await;
    let _ = trap.sprung.send(asked);
    let _ = trap.go.await;
    answer
}

async fn forward(ends: &Ends, asked: &Asked, headers: &HeaderMap, body: Bytes) -> Response {
    let mut request = http::Request::new(body);
    *request.method_mut() = asked.method.clone();
    *request.uri_mut() = format!("{}{}", ends.desk, asked.path).parse().unwrap();
    *request.headers_mut() = of_the_message(headers);
    match ends.transport.send(request, Bounds::default()).await {
        Ok(answer) => {
            let (parts, body) = answer.into_parts();
            (parts.status, of_the_message(&parts.headers), body).into_response()
        }
        Err(error) => (StatusCode::BAD_GATEWAY, error.to_string()).into_response(),
    }
}

fn of_the_message(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    OF_THE_CONNECTION.iter().for_each(|name| drop(headers.remove(name)));
    headers
}
