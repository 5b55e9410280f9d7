//! The sandbox behind a real socket on loopback: answers, lost answers, webhooks, the control API.

use crate::common::Account;
use handoffd_kit::transport::{Bounds, Exchange, HttpTransport, Transport};
use handoffd_sandbox::{Fault, FaultPlan, On, server};
use http::{Request, Response};
use serde_json::{Value, json};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

struct Served {
    account: Account,
    address: std::net::SocketAddr,
    stop: tokio::sync::oneshot::Sender<()>,
    task: tokio::task::JoinHandle<std::io::Result<()>>,
}

async fn serve(poster: Option<Arc<dyn Transport>>) -> Served {
    let account = Account::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let shutdown = async { drop(stopped.await) };
    let task = tokio::spawn(server::serve(listener, account.sandbox.clone(), poster, shutdown));
    Served { account, address, stop, task }
}

impl Served {
    /// One request on a connection of its own; what comes back before it closes.
    async fn raw(&self, method: &str, path: &str, body: &Value) -> String {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {}\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
            self.address,
            self.account.token,
            body.len(),
        );
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        // A connection that is reset is a lost answer as well.
        let _ = stream.read_to_string(&mut answer).await;
        answer
    }

    async fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        let answer = self.raw(method, path, body).await;
        let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
        serde_json::from_str(body).unwrap_or_else(|_| panic!("{method} {path}: {answer:?}"))
    }
}

#[tokio::test]
async fn a_lost_answer_closes_the_connection_and_shutdown_ends_the_server() {
    let served = serve(None).await;
    let new = json!({ "from": "ada@premium.example", "subject": "s", "text": "t", "queue": "Support", "tags": ["x"] });
    assert_eq!(served.call("POST", "/_sandbox/tickets", &new).await, json!({ "ticket": 1 }));
    let ticket = served.call("GET", "/api/v2/tickets/1.json", &Value::Null).await;
    assert_eq!(ticket["ticket"]["url"], format!("http://{}/api/v2/tickets/1.json", served.address));
    served.account.sandbox.set_faults(FaultPlan::default().next(1, On::Writes, Fault::LostAfter));
    let update = json!({ "ticket": { "priority": "high" } });
    assert_eq!(served.raw("PUT", "/api/v2/tickets/1", &update).await, "");
    assert_eq!(served.call("GET", "/api/v2/tickets/1.json", &Value::Null).await["ticket"]["priority"], "high");
    served.stop.send(()).unwrap();
    served.task.await.unwrap().unwrap();
    assert!(TcpStream::connect(served.address).await.is_err());
}

#[tokio::test]
async fn a_rehearsal_can_act_for_people_set_faults_and_read_the_journal() {
    let served = serve(None).await;
    let new = json!({ "from": "ada@premium.example", "subject": "s", "text": "t" });
    served.call("POST", "/_sandbox/tickets", &new).await;
    let act = json!({ "by": "frontline-1", "queue": "Support", "owner": "frontline-2", "status": "pending", "note": "n", "fields": { "360003": "700" } });
    assert!(served.call("POST", "/_sandbox/tickets/1", &act).await["change"].is_u64());
    let seen = served.call("GET", "/_sandbox/tickets/1", &Value::Null).await;
    assert_eq!(
        (&seen["queue"], &seen["owner"], &seen["status"]),
        (&json!("Support"), &json!("frontline-2"), &json!("pending"))
    );
    assert_eq!(
        (&seen["messages"][1]["visibility"], &seen["messages"][1]["author"]),
        (&json!("internal"), &json!("frontline-1"))
    );
    let act = json!({ "automation": "Sweeper", "free": true, "tag": "swept" });
    served.call("POST", "/_sandbox/tickets/1", &act).await;
    let faults = json!({
        "next": [{ "times": 1, "on": "reads", "fault": { "rate_limited": { "retry_after": "9s" } } }],
        "spans": [{ "last": "1m", "on": "writes", "fault": "down" }],
        "rates": [{ "share": 0.0, "on": "all", "fault": { "late": "20s" } }],
        "webhooks": { "lost": 0.5, "delay": "5s" },
    });
    assert_eq!(served.call("POST", "/_sandbox/faults", &faults).await, json!({}));
    let limited = served.raw("GET", "/api/v2/tickets/1", &Value::Null).await;
    assert!(limited.starts_with("HTTP/1.1 429 ") && limited.contains("retry-after: 9\r\n"), "{limited}");
    assert_eq!(served.raw("PUT", "/api/v2/tickets/1", &json!({ "ticket": {} })).await, "");
    served.call("DELETE", "/_sandbox/faults", &Value::Null).await;
    assert_eq!(served.call("GET", "/api/v2/tickets/1", &Value::Null).await["ticket"]["tags"], json!(["swept"]));
    let journal = served.call("GET", "/_sandbox/journal", &Value::Null).await;
    let faults: Vec<&Value> = journal["requests"].as_array().unwrap().iter().map(|asked| &asked["fault"]).collect();
    assert_eq!(faults, [&Value::Null, &json!("rate_limited"), &json!("down"), &Value::Null]);
    assert_eq!(journal["effects"].as_array().unwrap().last().unwrap()["cause"], json!({ "rule": "Sweeper" }));
}

#[tokio::test]
async fn nonsense_to_the_control_api_is_explained_and_changes_nothing() {
    let served = serve(None).await;
    for (method, path, body) in [
        ("GET", "/_sandbox/", Value::Null),
        ("GET", "/_sandbox/tickets/9", Value::Null),
        ("GET", "/_sandbox/tickets/x", Value::Null),
        ("POST", "/_sandbox/tickets", json!({ "from": "a@b.example" })),
        ("POST", "/_sandbox/tickets", json!({ "from": "a@b.example", "subject": "", "text": "", "queue": "Nope" })),
        ("POST", "/_sandbox/tickets/9", json!({ "by": "frontline-1" })),
        ("POST", "/_sandbox/faults", json!({ "next": [{ "times": 1, "on": "writes", "fault": "earthquake" }] })),
        ("POST", "/_sandbox/hooks", json!([])),
    ] {
        let answer = served.call(method, path, &body).await;
        assert!(answer["error"].as_str().is_some_and(|words| !words.is_empty()), "{method} {path}: {answer}");
    }
    assert_eq!(served.call("GET", "/_sandbox/tickets", &Value::Null).await, json!([]));
}

/// Takes webhooks, refusing the first ones.
#[derive(Default)]
struct Receiver {
    refuse: Mutex<u32>,
    taken: Mutex<Vec<Value>>,
    arrived: tokio::sync::Notify,
}

impl Transport for Receiver {
    fn send(&self, request: Request<bytes::Bytes>, _: Bounds) -> Exchange<'_> {
        let mut refuse = self.refuse.lock().unwrap();
        let status = if *refuse > 0 { 503 } else { 200 };
        *refuse = refuse.saturating_sub(1);
        if status == 200 {
            self.taken.lock().unwrap().push(serde_json::from_slice(request.body()).unwrap());
        }
        self.arrived.notify_one();
        let response = Response::builder().status(status).body(bytes::Bytes::new()).unwrap();
        Box::pin(std::future::ready(Ok(response)))
    }
}

#[tokio::test]
async fn webhooks_are_posted_as_things_change_and_again_where_nobody_took_them() {
    let receiver = Arc::new(Receiver::default());
    *receiver.refuse.lock().unwrap() = 1;
    let served = serve(Some(receiver.clone())).await;
    let hook =
        json!({ "url": "http://handoffd.example/hooks/acme", "secret": "s", "topics": ["conditional_ticket_events"] });
    served.call("POST", "/_sandbox/hooks", &hook).await;
    served.call("POST", "/_sandbox/tickets", &json!({ "from": "a@b.example", "subject": "s", "text": "t" })).await;
    receiver.arrived.notified().await;
    assert_eq!(receiver.taken.lock().unwrap().len(), 0, "refused the first time");
    // The poster sleeps on our clock until then; it may not have gone to sleep yet.
    while served.account.sandbox.next_due().is_none() {
        tokio::task::yield_now().await;
    }
    served.account.pass(5);
    receiver.arrived.notified().await;
    assert_eq!(*receiver.taken.lock().unwrap(), [json!({ "ticket_id": "1" })]);
}

#[tokio::test]
async fn the_kits_own_transport_tells_a_lost_answer_from_an_answer() {
    let served = serve(None).await;
    let transport = HttpTransport::new(1);
    let get =
        || Request::get(format!("http://{}/api/v2/users/me.json", served.address)).body(bytes::Bytes::new()).unwrap();
    assert_eq!(transport.send(get(), Bounds::default()).await.unwrap().status(), 200);
    served.account.sandbox.set_faults(FaultPlan::default().next(10, On::Reads, Fault::LostAfter));
    let lost = transport.send(get(), Bounds::default()).await;
    assert!(matches!(lost, Err(handoffd_kit::transport::TransportError::Lost(_))), "{lost:?}");
}
