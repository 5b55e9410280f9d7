//! `handoffd explain` from outside, against the embedded helpdesk over HTTP: every condition with what it saw, what would
//! have to change, and what would be said if a fact were another.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use assert_cmd::Command;
use handoffd::clock::SystemClock;
use handoffd_sandbox::seed;
use handoffd_sandbox::zendesk::Limits;
use serde_json::Value;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;

const POLICY: &str = r#"
[policy]
never = 'has_tag("legal-hold")'

[desks.acme]
connector = "zendesk"
url       = "URL"
login     = { client_id = "handoffd", client_secret = { file = "secret" } }
start     = 2020-01-01

[desks.acme.fields]
steps      = "360001"
question   = "360002"
refund_eur = { id = "360003", type = "number" }

[teams.frontline]
tier  = 1
desk  = "acme"
queue = "Support"

[teams.billing]
tier        = 2
desk        = "acme"
queue       = "Billing"
public_name = "our billing specialists"

[messages.escalated]
signers = ["support-ops@acme.example"]
en = "{{ to.public_name }} are looking at this."

[[escalate]]
name     = "refund-over-limit"
trigger  = "exception"
from     = ["frontline"]
to       = "billing"
when     = ['has_tag("refund")', 'ticket.fields.refund_eur > 500.0', 'case.agent_replies < 50']
reason   = "A refund of {{ ticket.fields.refund_eur }} EUR"
package  = { require = ["summary"] }
owner    = { assign = "queue" }
clock    = { customer = "continue" }
customer = { message = "escalated" }
review   = 'ticket.fields.refund_eur > 5000.0'
"#;

/// An embedded helpdesk with one refund of 800 EUR, and a configuration that reaches it.
struct Stage {
    folder: TempDir,
    ticket: String,
    stop: CancellationToken,
    /// Serves while it lives.
    _runtime: Runtime,
}

impl Stage {
    fn set() -> Self {
        let sandbox = seed::zendesk(Arc::new(SystemClock), 1, Limits::ENTERPRISE);
        let ticket = seed::demo(&sandbox)["refund"];
        let runtime = Runtime::new().expect("a runtime");
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = CancellationToken::new();
        runtime.spawn(handoffd_sandbox::server::serve(listener, sandbox, None, stop.clone().cancelled_owned()));
        let folder = tempfile::tempdir().expect("folder");
        let policy = POLICY.replace("URL", &format!("http://{address}"));
        std::fs::write(folder.path().join("handoffd.toml"), policy).expect("written");
        std::fs::write(folder.path().join("secret"), seed::CLIENT.1).expect("written");
        Self { folder, ticket: format!("acme/{}", ticket.0), stop, _runtime: runtime }
    }

    fn explain(&self, arguments: &[&str]) -> (i32, String, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handoffd"));
        command.current_dir(self.folder.path()).args(["explain", &self.ticket]).args(arguments);
        let output = command.output().expect("ran");
        let text = |bytes| String::from_utf8(bytes).expect("text");
        (output.status.code().expect("an exit code"), text(output.stdout), text(output.stderr))
    }

    fn json(&self, arguments: &[&str]) -> Value {
        let (code, out, talk) = self.explain(&[&["--json"], arguments].concat());
        assert_eq!(code, 0, "{talk}");
        serde_json::from_str(&out).expect("one JSON value on stdout")
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

#[test]
fn a_ticket_is_explained_condition_by_condition_and_what_if_changes_the_verdict() {
    let stage = Stage::set();
    let (code, out, talk) = stage.explain(&["--set", "tags=other", "--set", "fields.refund_eur=100"]);
    assert_eq!(code, 0, "{talk}");
    for piece in [
        ": stays: no rule matches",
        "1. fails   has_tag(\"refund\")",
        "2. fails   ticket.fields.refund_eur > 500.0",
        "ticket.fields.refund_eur = 100",
        "3. holds   case.agent_replies < 50",
        "- ticket.tags is [other], must have \"refund\"",
        "- ticket.fields.refund_eur is 100, must be > 500",
        "policy.never",
    ] {
        assert!(out.contains(piece), "{piece} in\n{out}");
    }
    let would = |arguments: &[&str]| {
        let (code, out, talk) = stage.explain(arguments);
        assert_eq!(code, 0, "{talk}");
        out
    };
    let shadow = would(&["--set", "fields.refund_eur=600"]);
    for piece in
        ["no person would be asked", "it would hand over:", "customer  is told nothing: the wording is not signed"]
    {
        assert!(shadow.contains(piece), "{piece} in\n{shadow}");
    }
    assert!(would(&["--set", "fields.refund_eur=6000"]).contains("a person would be asked: its condition holds"));
    assert!(would(&["--set", "tags=legal-hold"]).contains("stays: policy.never excludes it"));
    assert!(would(&["--set", "case.team=billing"]).contains("not with one of its teams"));
    assert!(would(&["--set", "status=solved"]).contains("stays: it is solved"));
}

/// The keys of an object, sorted: their order says nothing.
fn keys(object: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = object.as_object().expect("an object").keys().map(String::as_str).collect();
    keys.sort_unstable();
    keys
}

#[test]
fn json_has_the_whole_of_it_under_stable_names() {
    let stage = Stage::set();
    let explained = stage.json(&["--set", "fields.refund_eur=600"]);
    assert_eq!(
        keys(&explained),
        ["again_at", "clock_differences", "in_force", "never", "outcome", "policy", "trace", "would"]
    );
    let rule = &explained["trace"][0];
    assert_eq!(
        keys(rule),
        ["conditions", "facts", "kind", "mode", "result", "review", "rule", "times", "to", "version", "would_need"]
    );
    assert_eq!(rule["conditions"][1]["facts"][0], serde_json::json!(["ticket.fields.refund_eur", "600"]));
    assert_eq!(rule["conditions"][1]["answer"], "holds");
    assert_eq!(rule["review"]["asks"], false);
    assert_eq!(explained["would"][0]["rule"], "refund-over-limit");
}

#[test]
fn wrong_usage_says_what_would_be_right() {
    let stage = Stage::set();
    for (arguments, says) in [
        (["--set", "tagz=refund"], "did you mean `ticket.tags`?"),
        (["--set", "zzz=1"], "there are ticket.id"),
        (["--set", "fields.refund_eur=many"], "ticket.fields.refund_eur is a number"),
        (["--set", "case.tier=2"], "follows from case.team"),
        (["--at", "tomorrow"], "--at"),
    ] {
        let (code, out, talk) = stage.explain(&arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {talk}");
        assert!(talk.contains(says), "{arguments:?}: {talk}");
    }
}

#[test]
fn where_another_policy_runs_than_the_file_s_that_is_said_and_can_be_asked_for() {
    let stage = Stage::set();
    let run = |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handoffd"));
        let output = command.current_dir(stage.folder.path()).args(arguments).output().expect("ran");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let (code, talk) = run(&["run", "--once"]);
    assert_eq!(code, Some(0), "{talk}");
    let first = stage.json(&[]);
    assert_eq!(first["policy"], first["in_force"]);
    let file = stage.folder.path().join("handoffd.toml");
    let text = std::fs::read_to_string(&file).expect("text").replace("> 500.0", "> 700.0");
    std::fs::write(&file, text).expect("written");
    let (_, out, talk) = stage.explain(&[]);
    assert!(talk.contains("--running") && out.contains("> 700.0"), "{talk}\n{out}");
    let (_, out, talk) = stage.explain(&["--running"]);
    assert!(talk.contains("which has run last") && out.contains("> 500.0"), "{talk}\n{out}");
    let edited = stage.json(&[]);
    assert_ne!(edited["policy"], edited["in_force"]);
    assert_eq!(stage.json(&["--running"])["policy"], first["policy"]);
}
