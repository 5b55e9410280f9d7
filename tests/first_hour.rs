//! The first hour of an admin, from outside: `init` against an embedded helpdesk, the schema, completions, the manual, the week.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use assert_cmd::Command;
use handoffd::clock::SystemClock;
use handoffd::ledger::{Durability, Ledger};
use handoffd_sandbox::seed::{self, CLIENT};
use handoffd_sandbox::zendesk::Limits;
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
    let (code, _, said) = run(handoffd(folder.path()).args(["check", "--online"]));
    assert_eq!(code, 0, "{said}");
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
    let schema: serde_json::Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!((code, schema["properties"]["daemon"]["type"].as_str()), (0, Some("object")));
    let (code, _, _) = run(handoffd(folder.path()).args(["schema", "--output", "handoffd.schema.json"]));
    let kept = std::fs::read_to_string(folder.path().join("handoffd.schema.json")).expect("written");
    assert_eq!((code, serde_json::from_str::<serde_json::Value>(&kept).expect("JSON")), (0, schema));
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
    let digest: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(digest["week"]["cases"], 0);
}
