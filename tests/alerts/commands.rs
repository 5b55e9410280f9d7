//! `handoffd alerts list` and `handoffd alerts test` from outside: exit codes, what is printed and what is sent.

use super::receiver::{Answer, Receiver};
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use tempfile::TempDir;

const POLICY: &str = r#"
[daemon]
mode = "live"

[policy]
alert = ["operations"]

[desks.acme]
connector = "zendesk"
url       = "https://acme.zendesk.com"
login     = { client_id = "handoffd", client_secret = { env = "NOT_SET_ANYWHERE" } }

[hours.office]
zone    = "Europe/Berlin"
mon-fri = ["09:00-17:00"]

[teams.frontline]
tier  = 1
desk  = "acme"
queue = "Support"

[teams.billing]
tier  = 2
desk  = "acme"
queue = "Billing"
alert = ["room"]

[alerts.room]
channel       = "mattermost"
url           = { env = "ROOM_URL" }
allow_private = true
tells         = ["handoff", "unclaimed"]
hours         = "office"
outside       = "drop"

[alerts.operations]
channel       = "webhook"
url           = { env = "HOOK_URL" }
secret        = { env = "HOOK_SECRET" }
allow_private = true

[[escalate]]
name     = "refund"
trigger  = "exception"
from     = ["frontline"]
to       = "billing"
when     = 'has_tag("refund")'
reason   = "A refund"
package  = { require = ["summary"], missing = "send" }
owner    = { assign = "queue" }
clock    = { customer = "continue" }
customer = { nothing = "a test" }
review   = "never"
alert    = ["room", "operations"]
"#;

/// What a command did.
#[derive(Debug)]
struct Done {
    code: Option<i32>,
    out: String,
    talk: String,
}

impl Done {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Runs a command beside a file that says this, with these variables.
async fn run(policy: &str, variables: &[(&str, &str)], arguments: &[&str]) -> Done {
    let folder = TempDir::new().expect("a folder");
    std::fs::write(folder.path().join("handoffd.toml"), policy).expect("written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_handoffd"));
    command.current_dir(folder.path()).args(arguments).stdin(Stdio::null()).env_remove("ROOM_URL");
    command.envs(variables.iter().copied());
    let ran = tokio::task::spawn_blocking(move || command.output()).await.expect("joined").expect("ran");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
    Done { code: ran.status.code(), out: text(ran.stdout), talk: text(ran.stderr) }
}

async fn tried(receiver: &Receiver, arguments: &[&str]) -> Done {
    run(POLICY, &[("ROOM_URL", receiver.url.as_str())], arguments).await
}

#[tokio::test]
async fn the_list_says_of_each_channel_what_it_is_told_of_when_and_who_names_it() {
    let done = run(POLICY, &[], &["alerts", "list"]).await;
    assert_eq!(done.code, Some(0), "{done:?}");
    let line = |name: &str| done.out.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{done:?}"));
    for words in ["mattermost", "handoff, unclaimed", "office, outside: drop", "team billing, rule refund"] {
        assert!(line("room").contains(words), "{words}: {}", line("room"));
    }
    for words in ["webhook", "lost-owner", "always", "[policy], rule refund"] {
        assert!(line("operations").contains(words), "{words}: {}", line("operations"));
    }

    let rows = run(POLICY, &[], &["--json", "alerts", "list"]).await.json();
    let names: Vec<&str> = rows.as_array().expect("rows").iter().filter_map(|row| row["name"].as_str()).collect();
    assert_eq!(names, ["operations", "room"]);
    assert_eq!(rows[1]["named_by"], json!(["team billing", "rule refund"]));
    assert_eq!((&rows[0]["hours"], &rows[1]["alerts"]), (&Value::Null, &json!({})), "nothing was ever told");

    let none: String = POLICY.lines().filter(|line| !line.starts_with("alert")).collect::<Vec<_>>().join("\n");
    let (from, to) = (none.find("[alerts.room]").expect("it"), none.find("[[escalate]]").expect("it"));
    let none = format!("{}{}", &none[..from], &none[to..]);
    let done = run(&none, &[], &["alerts", "list"]).await;
    assert_eq!((done.code, done.out.as_str()), (Some(0), ""), "{done:?}");
    assert!(done.talk.contains("No alert channel is configured"), "{done:?}");
    assert_eq!(run(&none, &[], &["--json", "alerts", "list"]).await.json(), json!([]));
}

#[tokio::test]
async fn a_channel_that_takes_the_test_is_sent_one_alert_and_its_key_is_told() {
    let receiver = Receiver::answering([]).await;
    let done = tried(&receiver, &["alerts", "test", "room"]).await;
    assert_eq!((done.code, done.talk.as_str()), (Some(0), ""), "{done:?}");
    assert!(done.out.starts_with("room: taken"), "{done:?}");
    let key = done.out.split("[handoffd ").nth(1).and_then(|rest| rest.split(']').next()).expect("a key").to_owned();
    let got = receiver.got();
    assert_eq!(got.len(), 1, "one, at whatever hour");
    let text = got[0].json()["text"].as_str().expect("a text").to_owned();
    assert!(text.contains(&format!("`[handoffd {key}]`")), "{key}: {text}");

    let done = tried(&receiver, &["--json", "alerts", "test", "room"]).await;
    let json = done.json();
    assert_eq!((done.code, &json["channel"], &json["taken"]), (Some(0), &json!("room"), &json!(true)), "{done:?}");
    assert_eq!(json["next_step"], Value::Null);
    assert_ne!(json["key"], json!(key), "each test is one of its own");
    assert_eq!(receiver.got().len(), 2);
}

#[tokio::test]
async fn a_channel_that_does_not_take_it_says_so_with_its_words_and_the_next_step() {
    for (answer, said, next) in [
        (Answer::Status(404, "", "no such hook"), "no such hook", "give the channel its present one"),
        (Answer::Status(403, "", "not with this token"), "not with this token", "a secret that is accepted"),
        (Answer::Status(429, "retry-after: 30\r\n", "slow down"), "slow down", "which the channel names"),
        (Answer::Status(503, "", "down for maintenance"), "down for maintenance", "try again in a while"),
        (Answer::Cut, "", "look whether it has arrived: its text says [handoffd test-"),
    ] {
        let lost = matches!(answer, Answer::Cut);
        let receiver = Receiver::answering([answer.clone(), answer.clone()]).await;
        let done = tried(&receiver, &["alerts", "test", "room"]).await;
        assert_eq!(done.code, Some(1), "{answer:?}: {done:?}");
        let word = if lost { "room: may have arrived: " } else { "room: not taken: " };
        assert!(done.out.starts_with(word) && done.out.contains("\n    next: "), "{answer:?}: {done:?}");
        assert!(done.out.contains(next) && !done.out.contains("the network"), "{answer:?}: {done:?}");
        assert!(done.out.contains(said), "{answer:?}: {done:?}");
        let done = tried(&receiver, &["--json", "alerts", "test", "room"]).await;
        assert_eq!((done.code, &done.json()["taken"]), (Some(1), &json!(false)), "{answer:?}: {done:?}");
        assert_eq!(done.json()["may_have_arrived"], json!(lost), "{answer:?}: {done:?}");
        assert!(done.json()["next_step"].as_str().is_some_and(|words| words.contains(next)), "{answer:?}: {done:?}");
        assert!(done.json()["answer"].as_str().is_some_and(|words| words.contains(said)), "{answer:?}: {done:?}");
        assert!(!done.out.contains("s3cr3t") && !done.talk.contains("s3cr3t"), "{answer:?}: {done:?}");
    }
    let nobody = Receiver::nobody().await;
    let done = run(POLICY, &[("ROOM_URL", nobody.as_str())], &["alerts", "test", "room"]).await;
    assert_eq!(done.code, Some(1), "{done:?}");
    assert!(
        done.out.contains("not taken") && done.out.contains("at the network") && !done.out.contains("s3cr3t"),
        "{done:?}"
    );
}

#[tokio::test]
async fn a_check_says_that_the_policy_should_have_been_looked_at_again() {
    let dated = |day: &str| POLICY.replacen("[policy]\n", &format!("[policy]\nreview_by = {day}\n"), 1);
    let done = run(&dated("2020-03-01"), &[], &["check"]).await;
    assert!(done.talk.contains("should have been looked at again by 2020-03-01"), "{done:?}");
    assert!(!run(&dated("2999-03-01"), &[], &["check"]).await.talk.contains("looked at again"));
}

#[tokio::test]
async fn what_cannot_be_tried_is_said_before_anything_is_sent() {
    let receiver = Receiver::answering([]).await;
    for name in ["nowhere", "", "\u{1b}[2Kroom", "room\nroom"] {
        let done = tried(&receiver, &["alerts", "test", name]).await;
        assert_eq!(done.code, Some(2), "{name:?}: {done:?}");
        assert!(done.talk.contains("configured are: operations, room"), "{name:?}: {done:?}");
        assert!(!done.talk.contains('\u{1b}'), "{name:?}: {done:?}");
    }
    for arguments in
        [&["alerts"][..], &["alerts", "test"], &["alerts", "test", "room", "operations"], &["alerts", "tset"]]
    {
        let done = tried(&receiver, arguments).await;
        assert_eq!((done.code, done.out.as_str()), (Some(2), ""), "{arguments:?}: {done:?}");
    }
    // A secret of another channel is not missed here; one of its own is, with its place.
    let done = run(POLICY, &[], &["alerts", "test", "room"]).await;
    let said = format!("{}{}", done.out, done.talk);
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(said.contains("ROOM_URL") && said.contains("handoffd.toml:"), "{done:?}");
    for wrong in ["not an address", "ftp://chat.acme.example/s3cr3t", "http://chat.acme.example/s3cr3t"] {
        let done = run(POLICY, &[("ROOM_URL", wrong)], &["alerts", "test", "room"]).await;
        assert_eq!(done.code, Some(2), "{wrong}: {done:?}");
        assert!(!format!("{}{}", done.out, done.talk).contains("s3cr3t"), "{wrong}: {done:?}");
    }
    let inside = POLICY.replacen("allow_private = true", "allow_private = false", 1);
    let done = run(&inside, &[("ROOM_URL", receiver.url.as_str())], &["alerts", "test", "room"]).await;
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(format!("{}{}", done.out, done.talk).contains("allow_private"), "{done:?}");
    let done = run("[alerts.room]\nchannel = 7", &[], &["alerts", "list"]).await;
    assert_eq!(done.code, Some(2), "{done:?}");
    assert_eq!(receiver.got().len(), 0);
}
