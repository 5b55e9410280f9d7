//! `handoffd case` and `handoffd owners` from outside: exit codes and what goes to stdout. No desk is asked.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use assert_cmd::Command;
use handoffd::ledger::records::{CaseUpdate, OwnerSeen, Presence, StayChange};
use handoffd::ledger::{Durability, Ledger};
use handoffd::policy::case::Stay;
use handoffd::policy::rules::Limits;
use handoffd_kit::id::{DeskId, TicketId};
use jiff::Timestamp;
use serde_json::Value;
use tempfile::TempDir;

const POLICY: &str = include_str!("fixtures/config/base.toml");

struct Done {
    code: i32,
    out: String,
    talk: String,
}

impl Done {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).expect("JSON")
    }
}

/// A folder with a good policy and the ledger that it names.
fn house() -> (TempDir, Ledger) {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("handoffd.toml"), POLICY).expect("written");
    let config = handoffd::config::load(&folder.path().join("handoffd.toml")).expect("a good policy");
    let ledger = Ledger::open(&config.daemon.ledger, Durability::Process).expect("free");
    (folder, ledger)
}

fn run(folder: &TempDir, arguments: &[&str]) -> Done {
    let mut command = Command::new(env!("CARGO_BIN_EXE_handoffd"));
    let output = command.current_dir(folder.path()).args(arguments).output().expect("ran");
    Done {
        code: output.status.code().expect("an exit code"),
        out: String::from_utf8(output.stdout).expect("text"),
        talk: String::from_utf8(output.stderr).expect("text"),
    }
}

#[test]
fn nothing_is_open_in_an_empty_house_and_unknown_cases_and_tasks_are_refused() {
    let (folder, ledger) = house();
    drop(ledger);
    let owners = run(&folder, &["owners", "list", "--json"]);
    let nothing = serde_json::json!({ "unclaimed": [], "lost": [], "tasks": [] });
    assert_eq!((owners.code, owners.json()), (0, nothing));
    for (ticket, code, words) in [("acme/4711", 1, "knows nothing of acme/4711"), ("4711", 2, "DESK/TICKET")] {
        let done = run(&folder, &["case", ticket]);
        assert_eq!((done.code, done.out.as_str()), (code, ""), "{ticket}");
        assert!(done.talk.contains(words), "{}", done.talk);
    }
    let done = run(&folder, &["owners", "done", "h-nowhere", "--as", "support-ops"]);
    assert_eq!(done.code, 1, "{}", done.talk);
    assert!(done.talk.contains("handoffd owners list"), "{}", done.talk);
}

#[test]
fn a_case_tells_who_had_it_and_who_was_what_in_words_as_json_and_as_csv() {
    let (folder, mut ledger) = house();
    let at = |hour: i64| Timestamp::from_second(hour * 3_600).expect("an instant");
    let stay = |team: &str, episode: &str, hour| StayChange {
        stay: Some(Stay { team: team.into(), episode: episode.into(), since: at(hour) }),
        by: Some("Agent 7".into()),
        by_handoff: None,
    };
    let (desk, ticket) = (DeskId::from("acme"), TicketId::from("4711"));
    let owner = OwnerSeen {
        owner: Some("21".into()),
        name: Some("=Max, of Billing".into()),
        held_by: Some("billing".into()),
        open: true,
        since: Some(at(2)),
        told: None,
        presence: Presence::Here,
    };
    let update = CaseUpdate {
        stays: vec![stay("frontline", "c1", 1), stay("billing", "c2", 3)],
        owner: Some(owner),
        ..CaseUpdate::nothing(desk, ticket, true, Limits::default(), at(4))
    };
    ledger.record_case(&update).expect("recorded");
    drop(ledger);

    let words = run(&folder, &["case", "acme/4711"]);
    assert_eq!(words.code, 0, "{}", words.talk);
    assert!(words.out.contains("RESPONSIBLE") && words.out.contains("ACCOUNTABLE"), "{}", words.out);
    let json = run(&folder, &["case", "acme/4711", "--json"]).json();
    let spans = json["spans"].as_array().expect("spans");
    assert_eq!(spans.len(), 3, "{json}");
    assert_eq!((&spans[0]["id"], &spans[0]["seconds"]), (&"frontline".into(), &7_200.into()), "{json}");
    assert_eq!(spans[1]["roles"]["accountable"], "billing", "{json}");
    assert_eq!(spans[1]["roles"]["responsible"][0], "=Max, of Billing", "{json}");
    assert_eq!(json["seconds_by_team"]["frontline"], 7_200, "{json}");
    let csv = run(&folder, &["case", "acme/4711", "--csv"]).out;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 4, "{csv}");
    assert!(lines[0].ends_with(",handoff,responsible,accountable,consulted,informed"), "{csv}");
    assert!(lines[1].ends_with(",7200,c1,Agent 7,,\"'=Max, of Billing\",frontline,,"), "no formula: {csv}");
}
