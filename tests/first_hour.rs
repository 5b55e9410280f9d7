//! The first hour of an admin, from outside: the demo on every connector, `init` against an embedded helpdesk, the schema,
//! completions, the manual, the week.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use assert_cmd::Command;
use handoffd::clock::SystemClock;
use handoffd::ledger::{Durability, Ledger};
use handoffd_sandbox::seed::{self, CLIENT};
use handoffd_sandbox::zendesk::Limits;
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;

fn handoffd(folder: &Path) -> Command {
    let mut command = Command::cargo_bin("handoffd").expect("the binary");
    command.current_dir(folder).env_remove("HANDOFFD_CONFIG").env("LOGIN", CLIENT.1).env("NO_COLOR", "1");
    command
}

/// Runs it; gives the exit code, what stands on stdout and what on stderr.
fn run(command: &mut Command) -> (i32, String, String) {
    let output = command.output().expect("ran");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().expect("a code"), text(&output.stdout), text(&output.stderr))
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

const OFFLINE: [&str; 14] = [
    "init",
    "--offline",
    "--connector",
    "zendesk",
    "--url",
    "https://acme.zendesk.com",
    "--login",
    "client_id=handoffd",
    "--secret",
    "client_secret=env:LOGIN",
    "--team",
    "frontline=Support",
    "--team",
    "billing=Billing",
];

#[test]
fn init_writes_a_configuration_that_passes_the_check_and_never_a_second_time() {
    let folder = folder();
    let (code, _, said) = run(handoffd(folder.path()).args(OFFLINE));
    assert_eq!(code, 0, "{said}");
    let (code, _, said) = run(handoffd(folder.path()).arg("check"));
    assert_eq!(code, 0, "{said}");
    let file = folder.path().join("handoffd.toml");
    let written = std::fs::read_to_string(&file).expect("written");
    assert!(!written.contains(CLIENT.1) && written.contains("mode = \"shadow\""), "{written}");
    let (code, _, said) = run(handoffd(folder.path()).args(OFFLINE).args(["--desk", "other"]));
    assert!(code == 2 && said.contains("is there already"), "{code}: {said}");
    assert_eq!(std::fs::read_to_string(&file).expect("there"), written, "untouched");
}

#[test]
fn init_says_what_is_wrong_and_repeats_no_secret() {
    let folder = folder();
    let with = |flag: &str, value: &str| {
        let mut all: Vec<String> = OFFLINE.iter().map(|word| (*word).to_owned()).collect();
        let place = all.iter().position(|word| word == flag).expect("a flag");
        all[place + 1] = value.to_owned();
        all
    };
    for (arguments, words) in [
        (with("--connector", "jira"), "no connector speaks jira"),
        (with("--url", "acme"), "is no address"),
        (with("--secret", "client_secret=hunter2-hunter2"), "named, never typed"),
        (with("--secret", "client_secret"), "--secret KEY="),
        (with("--login", "nonsense=1"), "nonsense"),
        (with("--team", "Front Line=Support"), "names are letters"),
        (vec!["init".to_owned(), "--offline".to_owned()], "nobody is there to be asked"),
    ] {
        let (code, _, said) = run(handoffd(folder.path()).args(&arguments));
        assert!(code == 2 && said.contains(words) && !said.contains("hunter2"), "{arguments:?}: {code}: {said}");
        assert!(!folder.path().join("handoffd.toml").exists(), "{arguments:?}");
    }
}

#[test]
fn init_tries_the_login_and_lists_what_the_desk_has() {
    let runtime = Runtime::new().expect("runtime");
    let sandbox = seed::zendesk(Arc::new(SystemClock), 1, Limits::WIDE);
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).expect("bound");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    runtime.spawn(handoffd_sandbox::server::serve(listener, sandbox, None, std::future::pending::<()>()));
    let folder = folder();
    let online = |secret: &str, team: &str| {
        let mut all = vec!["init".to_owned(), "--desk".to_owned(), "acme".to_owned()];
        let rest = [
            "--connector",
            "zendesk",
            "--url",
            &url,
            "--login",
            "client_id=handoffd",
            "--secret",
            secret,
            "--team",
            team,
        ];
        all.extend(rest.map(str::to_owned));
        all
    };
    let (code, _, said) = run(handoffd(folder.path()).args(online("client_secret=env:LOGIN", "frontline=Supprot")));
    assert!(code == 2 && said.contains("no queue Supprot") && said.contains("Support"), "{code}: {said}");
    let wrong = online("client_secret=env:LOGIN", "frontline=Support");
    let (code, _, said) = run(handoffd(folder.path()).env("LOGIN", "not-the-secret").args(wrong));
    assert!(code == 3 && !said.contains("not-the-secret"), "{code}: {said}");
    assert!(!folder.path().join("handoffd.toml").exists());
    let (code, _, said) = run(handoffd(folder.path()).args(online("client_secret=env:LOGIN", "frontline=Support")));
    assert!(code == 0 && said.contains("logged in as") && said.contains("queues: "), "{code}: {said}");
    let (code, found, said) = run(handoffd(folder.path()).args(["check", "--online"]));
    assert_eq!(code, 0, "{said}");
    assert!(found.contains("webhooks: none is configured"), "{found}");
    let file = folder.path().join("handoffd.toml");
    let written = std::fs::read_to_string(&file).expect("written");
    let hooked = written.replacen("\nlogin ", "\nwebhook = { secret = { env = \"HOOK\" } }\nlogin ", 1);
    assert_ne!(hooked, written);
    std::fs::write(&file, hooked).expect("written");
    let (code, found, said) = run(handoffd(folder.path()).env("HOOK", "0123456789abcdef").args(["check", "--online"]));
    assert!(code == 0 && found.contains("was not tried") && found.contains("Admin Center"), "{code}: {found}{said}");
}

#[test]
fn every_shell_has_its_completions_and_every_command_its_page() {
    let folder = folder();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let (code, script, _) = run(handoffd(folder.path()).args(["completions", shell]));
        assert!(code == 0 && script.contains("handoffd") && script.contains("simulate"), "{shell}");
    }
    let (code, page, _) = run(handoffd(folder.path()).arg("man"));
    assert!(code == 0 && page.contains(".TH handoffd") && page.contains("simulate"), "{page}");
    let (code, _, _) = run(handoffd(folder.path()).args(["man", "--output", "man1"]));
    let pages = std::fs::read_dir(folder.path().join("man1")).expect("pages").count();
    assert!(code == 0 && pages > 20, "{pages} pages");
    assert!(folder.path().join("man1/handoffd-parked-retry.1").exists());
}

#[test]
fn the_schema_is_json_and_can_be_kept_in_a_file() {
    let folder = folder();
    let (code, text, _) = run(handoffd(folder.path()).arg("schema"));
    let schema: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((code, schema["properties"]["daemon"]["type"].as_str()), (0, Some("object")));
    let (code, _, _) = run(handoffd(folder.path()).args(["schema", "--output", "handoffd.schema.json"]));
    let kept = std::fs::read_to_string(folder.path().join("handoffd.schema.json")).expect("written");
    assert_eq!((code, serde_json::from_str::<Value>(&kept).expect("JSON")), (0, schema));
}

#[test]
fn the_week_is_told_from_the_ledger() {
    let folder = folder();
    assert_eq!(run(handoffd(folder.path()).args(OFFLINE)).0, 0);
    let (code, _, said) = run(handoffd(folder.path()).arg("digest"));
    assert!(code == 3 && said.contains("there is no ledger"), "{said}");
    drop(Ledger::open(&folder.path().join("handoffd.db"), Durability::Process).expect("a ledger"));
    let (code, text, _) = run(handoffd(folder.path()).arg("digest"));
    assert!(code == 0 && text.starts_with("# Handoffs from ") && text.contains("- handoffs decided: 0 (0)"), "{text}");
    let (_, json, _) = run(handoffd(folder.path()).args(["--json", "digest"]));
    let digest: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(digest["week"]["cases"], 0);
}

/// Scripts read this object: its keys are a promise. That the helpdesk agrees is in the exit code.
#[test]
fn the_demo_ends_with_the_promised_object_and_its_helpdesk_agrees_on_every_connector() {
    // Side by side: each waits most of its time.
    let demo = |connector: &'static str| {
        let named: &[&str] = if connector == "zendesk" { &[] } else { &["--connector", connector] };
        (connector, run(handoffd(folder().path()).args(["demo", "--once", "--json"]).args(named)))
    };
    let runs: Vec<_> =
        handoffd::registry::known().iter().map(|connector| std::thread::spawn(move || demo(connector))).collect();
    let ended: Vec<_> = runs.into_iter().map(|run| run.join().expect("ran")).collect();
    let said = &ended[0].1.2;
    assert!(said.contains("Zendesk's dialect"), "the one that is not named: {said}");
    for (connector, (code, out, said)) in ended {
        assert_eq!(code, 0, "{connector}: {said}");
        promised(connector, &serde_json::from_str(&out).expect("one JSON value on stdout"));
    }
}

/// The object that a demo ends with.
fn promised(connector: &str, account: &Value) {
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<BTreeSet<_>>();
    let promised = |names: &[&str]| names.iter().map(ToString::to_string).collect::<BTreeSet<_>>();
    let whole = promised(&["escalated", "handoffs", "in_review", "parked", "routed", "seen", "stayed"]);
    assert_eq!(keys(account), whole, "{connector}");
    let handoffs = account["handoffs"].as_array().expect("a list");
    let line = promised(&["clock", "customer", "from", "owner", "package", "reason", "rule", "ticket", "to"]);
    assert!(handoffs.iter().all(|handoff| keys(handoff) == line), "{connector}: {handoffs:#?}");
    let count = |key: &str| account[key].as_u64().expect("a count");
    let handed = count("routed") + count("escalated") + count("in_review");
    assert_eq!(count("seen"), count("stayed") + handed, "{connector}");
    assert_eq!(handoffs.len() as u64, handed, "{connector}");
    assert!(count("routed") > 0 && count("escalated") > 0 && count("in_review") > 0, "{connector}: {account:#}");
}
