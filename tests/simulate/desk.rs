//! The command on a live desk, over HTTP: the file, its map, the back-test on it, and what is said when it cannot be.

use super::stage::{Dialect, Stage};
use assert_cmd::Command;
use handoffd::clock::SystemClock;
use handoffd_kit::clock::Clock;
use serde_json::Value;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

/// A helpdesk that answers over HTTP, and a folder with a policy for it.
struct Served {
    folder: TempDir,
    stage: Stage,
    _runtime: Runtime,
}

impl Served {
    fn new(dialect: Dialect) -> Self {
        let stage = Stage::until(dialect, SystemClock.now());
        let runtime = Runtime::new().expect("runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("bound");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let serve =
            handoffd_sandbox::server::serve(listener, stage.sandbox.clone(), None, std::future::pending::<()>());
        runtime.spawn(serve);
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("handoffd.toml"), dialect.policy(&url)).expect("written");
        Self { folder, stage, _runtime: runtime }
    }

    /// Runs `handoffd simulate`; gives the exit code, stdout and stderr.
    fn simulate(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::cargo_bin("handoffd").expect("the binary");
        command.current_dir(self.folder.path()).env("NO_COLOR", "1").env("LOGIN", self.stage.dialect.secret());
        let output = command.args(["--json", "simulate", "--desk", "acme"]).args(arguments).output().expect("ran");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code().expect("a code"), text(&output.stdout), text(&output.stderr))
    }
}

fn fires(json: &str) -> Value {
    serde_json::from_str::<Value>(json).expect("JSON")["fires"].clone()
}

#[test]
fn the_history_of_a_desk_is_kept_and_back_tested_and_can_be_read_again() {
    for dialect in [Dialect::Zendesk, Dialect::Rt] {
        let served = Served::new(dialect);
        let (code, run, said) = served.simulate(&["--since", "30d"]);
        assert_eq!(code, 0, "{dialect:?}: {said}");
        assert!(said.contains("3 tickets") && said.contains("acme-history.map.toml"), "{dialect:?}: {said}");
        let fires = fires(&run);
        let cases: Vec<&str> =
            fires.as_array().expect("fires").iter().filter_map(|fire| fire["case"].as_str()).collect();
        let [moved, noted, _] = served.stage.tickets.map(|ticket| ticket.0.to_string());
        assert_eq!(cases.len(), 2, "{dialect:?}: {fires}");
        assert!(cases.contains(&moved.as_str()) && cases.contains(&noted.as_str()), "{dialect:?}: {fires}");
        let of_moved =
            fires.as_array().expect("fires").iter().find(|fire| fire["case"] == moved.as_str()).expect("fired");
        let at = served.stage.began + jiff::SignedDuration::from_hours(4);
        let at: jiff::Timestamp = jiff::Timestamp::from_second(at.as_second()).expect("an instant");
        let fired: jiff::Timestamp = of_moved["at"].as_str().expect("an instant").parse().expect("an instant");
        assert_eq!((fired.as_second(), &of_moved["by"]), (at.as_second(), &"time".into()), "{dialect:?}");
        assert!(
            of_moved["then"]["confirmed"]["earlier_s"].as_f64().is_some_and(|s| (s - 7_200.0).abs() < 2.0),
            "{of_moved}"
        );
        let (code, again, said) =
            served.simulate(&["--events", "acme-history.jsonl", "--map", "acme-history.map.toml"]);
        assert_eq!((code, self::fires(&again)), (0, fires), "{dialect:?}: {said}");
        let (code, _, said) = served.simulate(&["--since", "30d"]);
        assert!(code == 2 && said.contains("is there already"), "{dialect:?}: {code}: {said}");
        let (code, _, said) = served.simulate(&["--since", "1d", "--into", "other.jsonl", "--with-text"]);
        assert!(code == 0 && served.folder.path().join("other.map.toml").exists(), "{dialect:?}: {said}");
    }
}

const REFUND: &str = r#"
[[escalate]]
name     = "refund-over-limit"
trigger  = "exception"
from     = ["frontline"]
to       = "billing"
needs    = "authority to refund above 500 EUR"
when     = ['has_tag("refund")', 'ticket.fields.refund_eur > 500.0']
reason   = "A refund above frontline's limit"
package  = { require = ["summary"] }
owner    = { assign = "queue" }
clock    = { customer = "continue" }
customer = { nothing = "billing writes to the customer" }
review   = "never"
"#;

#[test]
fn conditions_on_labels_and_fields_fire_when_they_came_to_hold_and_what_was_unknown_is_counted() {
    for dialect in [Dialect::Zendesk, Dialect::Rt] {
        let served = Served::new(dialect);
        let file = served.folder.path().join("handoffd.toml");
        let policy = std::fs::read_to_string(&file).expect("a policy");
        std::fs::write(&file, policy + REFUND).expect("written");
        let (code, run, said) = served.simulate(&["--since", "30d"]);
        assert_eq!(code, 0, "{dialect:?}: {said}");
        let run: Value = serde_json::from_str(&run).expect("JSON");
        let fires = run["fires"].as_array().expect("fires");
        let of_refund: Vec<&Value> = fires.iter().filter(|fire| fire["rule"] == "refund-over-limit").collect();
        let [fire] = of_refund[..] else { panic!("{dialect:?}: {fires:?}") };
        let noted = served.stage.tickets[1].0.to_string();
        assert_eq!((&fire["case"], &fire["by"]), (&noted.as_str().into(), &"event".into()), "{dialect:?}");
        let at: jiff::Timestamp = fire["at"].as_str().expect("an instant").parse().expect("an instant");
        // The desk tells whole seconds.
        let after = at.duration_since(served.stage.began).as_secs();
        assert!((5 * 3_600 - 1..5 * 3_600 + 2).contains(&after), "{dialect:?}: {fire}");
        // With the label and before the sum was set it could not be told.
        assert!(run["unsure"].as_u64().is_some_and(|count| count > 0), "{run}");
        assert_eq!(run["missing"][0][0], "ticket.fields.refund_eur", "{dialect:?}: {}", run["missing"]);
        assert!(run["unsure"].as_u64() < run["decisions"].as_u64(), "{dialect:?}");
        assert_eq!(run["repairs"]["broken_rows"], 0);
    }
}

#[test]
fn what_cannot_be_taken_is_told_with_what_to_do() {
    let served = Served::new(Dialect::Freshdesk);
    let (code, _, said) = served.simulate(&["--since", "30d"]);
    assert!(code == 1 && said.contains("keeps no history"), "{code}: {said}");
    let served = Served::new(Dialect::Zendesk);
    let (code, _, said) = served.simulate(&["--since", "1s"]);
    assert!(code == 1 && said.contains("no ticket of acme"), "{code}: {said}");
    assert!(!served.folder.path().join("acme-history.jsonl").exists());
    let (code, _, said) = served.simulate(&["--since", "soon"]);
    assert!(code == 2 && said.contains("30s, 5m or 2h"), "{code}: {said}");
    let (code, _, said) = served.simulate(&["--since", "1d", "--events", "x.csv", "--map", "map.toml"]);
    assert!(code == 2, "{code}: {said}");
    let (code, _, said) = served.simulate(&[]);
    assert!(code == 2 && said.contains("--events"), "{code}: {said}");
}

#[test]
fn a_login_that_is_refused_is_told_and_what_was_begun_can_go_on() {
    for dialect in [Dialect::Zendesk, Dialect::Rt] {
        let served = Served::new(dialect);
        let mut command = Command::cargo_bin("handoffd").expect("the binary");
        // One of the right form: a token of Request Tracker names its user.
        let wrong = format!("{}0", dialect.secret());
        command.current_dir(served.folder.path()).env("LOGIN", &wrong);
        let output = command.args(["simulate", "--desk", "acme", "--since", "30d"]).output().expect("ran");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(3), "{dialect:?}: {said}");
        assert!(said.contains("the same command goes on") && !said.contains(dialect.secret()), "{dialect:?}: {said}");
        let (code, _, said) = served.simulate(&["--since", "30d"]);
        assert!(code == 0 && said.contains("going on with"), "{dialect:?}: {code}: {said}");
    }
}
