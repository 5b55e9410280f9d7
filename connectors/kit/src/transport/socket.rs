//! The transport over a real socket: HTTP/1.1 and 2, TLS by rustls with ring, one for all desks of a daemon.
//!
//! It follows no redirects (a login must not travel to another address), keeps no cookies, and reads no more than it is
//! allowed to. Clients are built when first used, because reading the platform's certificates takes a while and a
//! daemon should be ready before.

use super::{Bounds, Exchange, Transport, TransportError, is_public};
use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, ClientBuilder, redirect};
use std::error::Error;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

const USER_AGENT: &str = concat!("handoffd/", env!("CARGO_PKG_VERSION"));
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// A connection that has rested longer may be closed by the other side just as we write on it: we would be unsure. Some
/// web servers close theirs after five seconds.
const IDLE_TIMEOUT: Duration = Duration::from_secs(4);

/// Carries requests over the network.
pub struct HttpTransport {
    idle_per_host: usize,
    reach: Reach,
    /// For `https`: with the platform's certificates, through the proxy that the environment names.
    secure: OnceLock<Result<Client, String>>,
    /// For `http`, which is for loopback only: without certificates and proxy.
    plain: OnceLock<Result<Client, String>>,
}

impl HttpTransport {
    /// A transport that keeps at most so many idle connections to each host; some desks starve on more than two.
    pub fn new(idle_per_host: usize) -> Self {
        Self { idle_per_host, reach: Reach::Anywhere, secure: OnceLock::new(), plain: OnceLock::new() }
    }

    /// The same, for addresses that nobody vouches for: it connects to the public network alone. A name is resolved once, and
    /// the addresses that were looked at are those that are connected to; no proxy resolves it again.
    pub fn public_only(idle_per_host: usize) -> Self {
        Self { reach: Reach::PublicOnly, ..Self::new(idle_per_host) }
    }

    fn client(&self, uri: &http::Uri) -> Result<&Client, TransportError> {
        let client = match uri.scheme_str() {
            Some("https") => self.secure.get_or_init(|| build(self.reach.limit(self.common()))),
            _ => self.plain.get_or_init(|| build(self.reach.limit(self.common()).tls_certs_only([]).no_proxy())),
        };
        client.as_ref().map_err(|error| TransportError::NotSent(error.clone()))
    }

    fn common(&self) -> ClientBuilder {
        Client::builder()
            .user_agent(USER_AGENT)
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .pool_max_idle_per_host(self.idle_per_host)
    }

    async fn exchange(&self, request: Request<Bytes>, bounds: Bounds) -> Result<Response<Bytes>, TransportError> {
        let client = self.client(request.uri())?;
        let mut request = reqwest::Request::try_from(request).map_err(not_sent)?;
        *request.timeout_mut() = Some(bounds.timeout);
        self.reach.allows(request.url())?;
        let mut answer = execute(client, request).await.map_err(failed)?;
        let too_large = TransportError::TooLarge(bounds.body_bytes);
        if answer.content_length().is_some_and(|length| length > bounds.body_bytes as u64) {
            return Err(too_large);
        }
        let mut body = BytesMut::new();
        while let Some(chunk) = answer.chunk().await.map_err(lost)? {
            if body.len() + chunk.len() > bounds.body_bytes {
                return Err(too_large);
            }
            body.extend_from_slice(&chunk);
        }
        let mut response = Response::new(body.freeze());
        *response.status_mut() = answer.status();
        *response.headers_mut() = std::mem::take(answer.headers_mut());
        Ok(response)
    }
}

/// Sends a request. A question that a connection took with it as it closed, unanswered, is asked once more on another one:
/// a server closes a resting connection whenever it likes, and asking again changes nothing there. A write never goes twice.
async fn execute(client: &Client, request: reqwest::Request) -> Result<reqwest::Response, reqwest::Error> {
    let question = request.method().is_safe().then(|| request.try_clone()).flatten();
    match (client.execute(request).await, question) {
        (Err(error), Some(again)) if broke_off(&error) => client.execute(again).await,
        (answer, _) => answer,
    }
}

fn broke_off(error: &reqwest::Error) -> bool {
    error.is_request() && !error.is_connect() && !error.is_timeout()
}

/// Where a transport may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    Anywhere,
    PublicOnly,
}

impl Reach {
    fn limit(self, builder: ClientBuilder) -> ClientBuilder {
        match self {
            Self::Anywhere => builder,
            Self::PublicOnly => builder.no_proxy().dns_resolver(Arc::new(PublicNames)),
        }
    }

    /// An address that stands for itself is never resolved.
    fn allows(self, url: &url::Url) -> Result<(), TransportError> {
        let inside = match url.host() {
            Some(url::Host::Ipv4(address)) => !is_public(address.into()),
            Some(url::Host::Ipv6(address)) => !is_public(address.into()),
            Some(url::Host::Domain(_)) | None => false,
        };
        if self == Self::PublicOnly && inside { Err(TransportError::NotSent(INSIDE.to_owned())) } else { Ok(()) }
    }
}

const INSIDE: &str = "the address lies in a private network, which is not allowed here";

/// Resolves names, and knows no addresses but public ones.
struct PublicNames;

impl Resolve for PublicNames {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            // One address inside the house is enough: whoever answers so is not asked which one they meant.
            if found.iter().any(|address| !is_public(address.ip())) {
                return Err(INSIDE.into());
            }
            let addresses: Addrs = Box::new(found.into_iter());
            Ok(addresses)
        })
    }
}

impl Transport for HttpTransport {
    fn send(&self, request: Request<Bytes>, bounds: Bounds) -> Exchange<'_> {
        Box::pin(self.exchange(request, bounds))
    }
}

fn build(builder: ClientBuilder) -> Result<Client, String> {
    // Fails only where another provider was installed before, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    builder.build().map_err(words)
}

/// Only a connection that never stood proves that nothing was sent. Whatever came later may have arrived, also a
/// timeout that does not say when it struck.
fn failed(error: reqwest::Error) -> TransportError {
    if error.is_connect() || error.is_builder() { not_sent(error) } else { lost(error) }
}

fn not_sent(error: reqwest::Error) -> TransportError {
    TransportError::NotSent(words(error))
}

fn lost(error: reqwest::Error) -> TransportError {
    TransportError::Lost(words(error))
}

/// What went wrong in a line, without the address, which may carry a token: the error and what caused it.
fn words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    let mut words = error.to_string();
    for cause in causes.map(ToString::to_string) {
        if !words.ends_with(&cause) {
            words = format!("{words}: {cause}");
        }
    }
    words.chars().take(300).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    const SMALL: Bounds = Bounds { timeout: Duration::from_secs(20), body_bytes: 1_000 };

    /// What a server of one answer does after it has read a request's head.
    enum Then {
        Close,
        KeepSilent,
    }

    /// Serves one connection after another with the same bytes; gives back the requests it saw.
    async fn server(answer: Vec<u8>, then: Then) -> (SocketAddr, tokio::sync::mpsc::Receiver<String>) {
        server_after(0, answer, then).await
    }

    /// The same, after so many connections that it closed on a request.
    async fn server_after(
        closed: usize,
        answer: Vec<u8>,
        then: Then,
    ) -> (SocketAddr, tokio::sync::mpsc::Receiver<String>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (seen, requests) = tokio::sync::mpsc::channel(8);
        tokio::spawn(async move {
            let mut left = closed;
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut head = vec![0; 4_096];
                let length = socket.read(&mut head).await.unwrap_or(0);
                let _ = seen.send(String::from_utf8_lossy(&head[..length]).into_owned()).await;
                if left > 0 {
                    left -= 1;
                    continue;
                }
                let _ = socket.write_all(&answer).await;
                if matches!(then, Then::KeepSilent) {
                    std::future::pending::<()>().await;
                }
            }
        });
        (address, requests)
    }

    async fn get(url: String, bounds: Bounds) -> Result<Response<Bytes>, TransportError> {
        let request = Request::get(url).header("authorization", "Bearer hush").body(Bytes::new()).unwrap();
        HttpTransport::new(2).send(request, bounds).await
    }

    fn ok(body: &[u8], headers: &str) -> Vec<u8> {
        let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n{headers}\r\n", body.len());
        [head.as_bytes(), body].concat()
    }

    #[tokio::test]
    async fn an_answer_comes_back_whole_and_we_say_who_we_are() {
        let (address, mut requests) = server(ok(b"hello", "x-a: b\r\nset-cookie: c=d\r\n"), Then::Close).await;
        let transport = HttpTransport::new(2);
        for _ in 0..2 {
            let request = Request::get(format!("http://{address}/path")).body(Bytes::new()).unwrap();
            let response = transport.send(request, SMALL).await.unwrap();
            assert_eq!((response.status().as_u16(), &response.body()[..]), (200, &b"hello"[..]));
            assert_eq!(response.headers()["x-a"], "b");
            let request = requests.recv().await.unwrap();
            assert!(request.contains(USER_AGENT) && !request.to_lowercase().contains("cookie"), "{request}");
        }
    }

    #[tokio::test]
    async fn a_refused_connection_and_a_failed_handshake_sent_nothing() {
        let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let (plain, _requests) = server(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), Then::Close).await;
        for url in [format!("http://{closed}/?token=hush"), format!("https://{plain}/?token=hush")] {
            let error = get(url.clone(), SMALL).await.unwrap_err();
            assert!(matches!(error, TransportError::NotSent(_)), "{url}: {error}");
            assert!(!error.to_string().contains("hush"), "{error}");
        }
    }

    #[tokio::test]
    async fn an_answer_that_is_cut_garbled_or_missing_is_lost() {
        let cut = b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nonly this".to_vec();
        let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n".to_vec();
        for answer in [cut, chunked, b"HTTP/1.1 200 O".to_vec(), b"\x16\x03\x01 nonsense\r\n\r\n".to_vec(), vec![]] {
            let (address, _requests) = server(answer.clone(), Then::Close).await;
            let error = get(format!("http://{address}/?token=hush"), SMALL).await.unwrap_err();
            assert!(matches!(error, TransportError::Lost(_)), "{answer:?}: {error}");
            assert!(!error.to_string().contains("hush"), "{error}");
        }
    }

    #[tokio::test]
    async fn a_question_that_a_closing_connection_took_along_is_asked_once_more_and_a_write_never() {
        for (closed, method, sent, answered) in [
            (1, "GET", 2, true),
            (2, "GET", 2, false),
            (1, "PUT", 1, false),
            (1, "POST", 1, false),
            (1, "PATCH", 1, false),
            (1, "DELETE", 1, false),
        ] {
            let (address, mut requests) = server_after(closed, ok(b"hello", ""), Then::Close).await;
            let url = format!("http://{address}/");
            let request = Request::builder().method(method).uri(url).body(Bytes::from_static(b"{}")).unwrap();
            let result = HttpTransport::new(2).send(request, SMALL).await;
            assert_eq!(result.is_ok(), answered, "{method} after {closed}: {result:?}");
            assert!(answered || matches!(result, Err(TransportError::Lost(_))), "{result:?}");
            let seen = std::iter::from_fn(|| requests.try_recv().ok()).count();
            assert_eq!(seen, sent, "{method} after {closed}");
        }
    }

    #[tokio::test]
    async fn a_silent_desk_is_lost_after_the_timeout() {
        let bounds = Bounds { timeout: Duration::from_millis(50), ..SMALL };
        for answer in [vec![], b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nslow".to_vec()] {
            let (address, _requests) = server(answer, Then::KeepSilent).await;
            let error = get(format!("http://{address}/"), bounds).await.unwrap_err();
            assert!(matches!(error, TransportError::Lost(_)), "{error}");
        }
    }

    #[tokio::test]
    async fn an_answer_beyond_the_bound_is_too_large_announced_or_not() {
        let (announced, _a) = server(ok(&[b'x'; 1_001], ""), Then::Close).await;
        let mut endless = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
        endless.extend([b'x'; 100_000]);
        let (unannounced, _b) = server(endless, Then::Close).await;
        for address in [announced, unannounced] {
            let error = get(format!("http://{address}/"), SMALL).await.unwrap_err();
            assert_eq!(error, TransportError::TooLarge(1_000));
        }
        let (fits, _c) = server(ok(&[b'x'; 1_000], ""), Then::Close).await;
        assert_eq!(get(format!("http://{fits}/"), SMALL).await.unwrap().body().len(), 1_000);
    }

    #[tokio::test]
    async fn a_compressed_answer_counts_by_what_comes_out_of_it() {
        let zip = |bytes: usize| {
            let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            encoder.write_all(&vec![0; bytes]).unwrap();
            ok(&encoder.finish().unwrap(), "content-encoding: gzip\r\n")
        };
        let bounds = Bounds { body_bytes: 1 << 20, ..SMALL };
        let (bomb, _a) = server(zip(50 << 20), Then::Close).await;
        assert_eq!(get(format!("http://{bomb}/"), bounds).await.unwrap_err(), TransportError::TooLarge(1 << 20));
        let (fits, _b) = server(zip(1 << 20), Then::Close).await;
        assert_eq!(get(format!("http://{fits}/"), bounds).await.unwrap().body().len(), 1 << 20);
    }

    #[tokio::test]
    async fn a_redirect_is_an_answer_and_not_followed() {
        let (elsewhere, mut followed) = server(ok(b"stolen", ""), Then::Close).await;
        let redirect = format!("HTTP/1.1 302 Found\r\nlocation: http://{elsewhere}/\r\ncontent-length: 0\r\n\r\n");
        let (address, _requests) = server(redirect.into_bytes(), Then::Close).await;
        assert_eq!(get(format!("http://{address}/"), SMALL).await.unwrap().status(), 302);
        assert!(followed.try_recv().is_err());
    }

    #[tokio::test]
    async fn a_transport_for_the_public_network_goes_nowhere_else() {
        let (address, mut requests) = server(ok(b"secret", ""), Then::Close).await;
        let port = address.port();
        for host in ["127.0.0.1", "localhost", "[::1]", "0x7f000001", "[::ffff:127.0.0.1]"] {
            let request = Request::get(format!("http://{host}:{port}/")).body(Bytes::new());
            let Ok(request) = request else { continue };
            let error = HttpTransport::public_only(1).send(request, SMALL).await.unwrap_err();
            assert!(matches!(&error, TransportError::NotSent(words) if words.contains(INSIDE)), "{host}: {error}");
        }
        assert!(requests.try_recv().is_err(), "nobody was asked");
    }

    #[tokio::test]
    async fn a_request_without_a_host_is_not_sent() {
        assert!(matches!(get("/only/a/path".into(), SMALL).await, Err(TransportError::NotSent(_))));
    }
}
