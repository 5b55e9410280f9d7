//! The commands from outside: exit codes, what goes to stdout, with and without a daemon. No desk is asked.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use assert_cmd::Command;
use handoffd::clock::{SystemClock, SystemRandom};
use handoffd::config::{self, Config};
use handoffd::daemon::control::{listen, socket_path, take_orders};
use handoffd::daemon::running::Running;
use handoffd::daemon::wiring::wire;
use handoffd::ledger::records::{NewLook, Switch};
use handoffd::ledger::{Durability, Handle, Ledger};
use handoffd_kit::settings::Seams;
use handoffd_kit::transport::HttpTransport;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

const POLICY: &str = r#"
[daemon]
mode = "live"

[policy]
owner           = "support-ops@acme.example"
source_of_truth = "https://wiki.acme.example/handoffs"
goal            = "Nobody asks the customer twice"
data            = "Ticket text"
feared_failure  = "An internal note reaches a customer"

[desks.acme]
connector = "zendesk"
url       = "https://acme.zendesk.com"
login     = { client_id = "handoffd", client_secret = { env = "NOT_SET_ANYWHERE" } }
intake    = ["Incoming"]

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
de = "{{ to.public_name }} kümmern sich darum."

[[route]]
name = "everything-else"
desk = "acme"
to   = "frontline"

[[escalate]]
name     = "refund"
mode     = "live"
trigger  = "exception"
from     = ["frontline"]
to       = "billing"
when     = 'has_tag("refund")'
reason   = "A refund"
package.require       = ["summary"]
owner.assign          = "queue"
owner.previous        = "nothing"
owner.customer_facing = "new"
clock.customer        = "continue"
clock.accountable     = "to"
customer.message      = "escalated"
review                = "never"
"#;

struct House {
    folder: TempDir,
}

/// What a command did.
struct Done {
    code: i32,
    out: String,
    talk: String,
}

impl Done {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).expect("one JSON value on stdout")
    }
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::write(folder.path().join("handoffd.toml"), POLICY).expect("written");
        Self { folder }
    }

    fn config(&self) -> Config {
        config::load(&self.path("handoffd.toml")).expect("a good policy")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, arguments: &[&str]) -> Done {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handoffd"));
        let output = command.current_dir(self.folder.path()).args(arguments).output().expect("ran");
        Done {
            code: output.status.code().expect("an exit code"),
            out: String::from_utf8(output.stdout).expect("text"),
            talk: String::from_utf8(output.stderr).expect("text"),
        }
    }

    fn ledger(&self) -> Ledger {
        Ledger::open(&self.path("handoffd.db"), Durability::Process).expect("free")
    }
}

#[test]
fn reading_before_the_first_run_says_so() {
    let house = House::new();
    for arguments in [["handoffs", "list"], ["reviews", "list"], ["parked", "list"]] {
        let done = house.run(&arguments);
        assert_eq!((done.code, done.out.as_str()), (3, ""), "{arguments:?}");
        assert!(done.talk.contains("handoffd run"), "{}", done.talk);
    }
    assert!(!house.path("handoffd.db").exists(), "reading makes no ledger");
}

#[test]
fn an_empty_house_lists_nothing_as_json_and_in_words() {
    let house = House::new();
    drop(house.ledger());
    for arguments in
        [vec!["handoffs", "list"], vec!["handoffs", "list", "--would"], vec!["reviews", "list"], vec!["parked", "list"]]
    {
        let done = house.run(&arguments);
        assert_eq!((done.code, done.out.as_str()), (0, ""), "{arguments:?}");
        assert!(!done.talk.is_empty(), "a person is told that there is nothing");
        let json = house.run(&[&["--json"], arguments.as_slice()].concat());
        assert_eq!((json.code, json.json()), (0, Value::Array(Vec::new())), "{arguments:?}");
    }
}

#[test]
fn wrong_usage_is_two_and_what_is_not_there_is_one() {
    let house = House::new();
    drop(house.ledger());
    for (arguments, code) in [
        (vec!["handoffs", "list", "--state", "bogus"], 2),
        (vec!["handoffs", "list", "--limit", "0"], 2),
        (vec!["handoffs", "undo", "h1"], 2),
        (vec!["handoffs", "release", "--rule", "refund", "--limit", "99999"], 2),
        (vec!["handoffs", "retry", "h1/one"], 2),
        (vec!["parked", "retry"], 2),
        (vec!["parked", "retry", "h1", "--all"], 2),
        (vec!["parked", "drop", "h1"], 2),
        (vec!["parked", "retry", "h1", "--desk", "acme"], 2),
        (vec!["parked", "retry", "--case", "acme/1", "--desk", "acme"], 2),
        (vec!["parked", "drop", "--desk", "acme"], 2),
        (vec!["pause", "--desk", "acme", "--rule", "refund"], 2),
        (vec!["pause", "--rule", "no-such-rule"], 2),
        (vec!["policy", "approve", "no-such-message", "--as", "x", "--yes"], 2),
        (vec!["--config", "missing.toml", "handoffs", "list"], 2),
        (vec!["handoffs", "show", "h1"], 1),
        (vec!["reviews", "show", "h1"], 1),
        (vec!["reviews", "reject", "h1", "--as", "lead", "--reason", "no"], 1),
        (vec!["parked", "retry", "--all"], 1),
        (vec!["parked", "retry", "--desk", "gone"], 1),
        (vec!["parked", "drop", "--desk", "gone", "--reason", "it is"], 1),
        (vec!["handoffs", "retry", "h1"], 1),
    ] {
        let done = house.run(&arguments);
        assert_eq!(done.code, code, "{arguments:?}: {}", done.talk);
        assert_eq!(done.out, "", "{arguments:?}");
    }
}

#[test]
fn what_waits_for_a_desk_that_is_gone_is_one_row_and_is_given_up_by_one_command() {
    let house = House::new();
    let look = |ticket: &str| NewLook { ticket: ticket.into(), due: jiff::Timestamp::UNIX_EPOCH, head: None };
    house.ledger().note_looks(&"gone".into(), &[look("1"), look("2")]).expect("noted");
    let rows = house.run(&["--json", "parked", "list"]).json();
    let [row] = rows.as_array().expect("rows").as_slice() else { panic!("one row: {rows}") };
    assert_eq!((&row["kind"], &row["desk"], &row["looks"]), (&"desk".into(), &"gone".into(), &2.into()));
    let listed = house.run(&["parked", "list"]);
    assert!(
        listed.out.contains("desk gone") && listed.out.contains("handoffd parked drop --desk gone"),
        "{}",
        listed.out
    );
    let dropped = house.run(&["parked", "drop", "--desk", "gone", "--reason", "it was closed"]);
    assert_eq!(dropped.code, 0, "{}", dropped.talk);
    assert_eq!(house.run(&["--json", "parked", "list"]).json(), Value::Array(Vec::new()));
}

#[test]
fn what_asks_a_desk_says_which_secret_is_missing() {
    let house = House::new();
    drop(house.ledger());
    let done = house.run(&["reviews", "approve", "h1", "--as", "lead"]);
    assert_eq!(done.code, 2);
    assert!(done.talk.contains("NOT_SET_ANYWHERE"), "{}", done.talk);
}

#[test]
fn without_a_daemon_a_pause_is_written_into_the_ledger_and_stays() {
    let house = House::new();
    let done = house.run(&["pause", "--rule", "refund", "--as", "night-shift"]);
    assert_eq!(done.code, 0, "{}", done.talk);
    assert!(done.out.contains("paused") && done.talk.contains("No daemon"), "{} {}", done.out, done.talk);
    let switches = house.ledger().switches().expect("switches");
    assert_eq!(switches.len(), 1);
    assert_eq!(switches[0].switch, Switch::Rule("refund".into()));
    assert!(switches[0].by.starts_with("night-shift ("), "{}", switches[0].by);
    let json = house.run(&["--json", "resume", "--rule", "refund"]);
    assert_eq!((json.code, json.json()["touched"].clone()), (0, 1.into()));
    assert!(house.ledger().switches().expect("switches").is_empty());
}

#[test]
fn a_wording_is_shown_and_signed_only_when_it_was_agreed_to_by_a_signer() {
    let house = House::new();
    let unasked = house.run(&["policy", "approve", "escalated", "--as", "support-ops@acme.example"]);
    assert_eq!(unasked.code, 1, "no terminal, no --yes");
    for words in ["[de]", "kümmern", "[en]", "are looking at this", "--yes"] {
        assert!(unasked.talk.contains(words), "{words}: {}", unasked.talk);
    }
    let stranger = house.run(&["policy", "approve", "escalated", "--as", "somebody", "--yes"]);
    assert_eq!(stranger.code, 1);
    assert!(stranger.talk.contains("support-ops@acme.example"), "{}", stranger.talk);
    let shown = house.run(&["--json", "policy", "show"]);
    assert_eq!(shown.json()["messages"][0]["signed_by"], Value::Null);

    let signed = house.run(&["policy", "approve", "escalated", "--as", "support-ops@acme.example", "--yes"]);
    assert_eq!(signed.code, 0, "{}", signed.talk);
    let shown = house.run(&["--json", "policy", "show"]).json();
    assert!(shown["messages"][0]["signed_by"].as_str().is_some_and(|by| by.starts_with("support-ops@acme.example (")));

    let changed = POLICY.replace("are looking at this", "will look at this");
    std::fs::write(house.path("handoffd.toml"), changed).expect("written");
    let shown = house.run(&["--json", "policy", "show"]).json();
    assert_eq!(shown["messages"][0]["signed_by"], Value::Null, "another wording is not signed");
}

/// The policy with its rule refund sensitive.
fn sensitive() -> String {
    POLICY
        .replace("source_of_truth", "second_reviewer = \"security@acme.example\"\nsource_of_truth")
        .replace("review                = \"never\"", "review                = \"never\"\nsensitive = true")
}

#[test]
fn a_sensitive_rule_is_shown_whole_and_signed_in_its_version_by_the_second_reviewer() {
    let house = House::new();
    std::fs::write(house.path("handoffd.toml"), sensitive()).expect("written");
    let refund = || house.run(&["--json", "policy", "show"]).json()["rules"][1].clone();
    assert_eq!((refund()["mode"].clone(), refund()["signed_by"].clone()), ("shadow".into(), Value::Null));
    let check = house.run(&["check"]);
    assert!(check.talk.contains("1 of them sensitive: in shadow until signed"), "{}", check.talk);

    let unasked = house.run(&["policy", "approve", "refund", "--as", "security@acme.example"]);
    assert_eq!(unasked.code, 1, "no terminal, no --yes");
    for words in ["What travels?", "has_tag(\"refund\")", "--yes"] {
        assert!(unasked.talk.contains(words), "{words}: {}", unasked.talk);
    }
    for (by, code) in [("support-ops@acme.example", 1), ("", 2), ("security@acme.example\u{7}", 2)] {
        assert_eq!(house.run(&["policy", "approve", "refund", "--as", by, "--yes"]).code, code, "{by:?}");
    }
    let nothing = house.run(&["policy", "approve", "everything-else", "--as", "security@acme.example", "--yes"]);
    assert_eq!(nothing.code, 2);
    assert!(nothing.talk.contains("what can be signed: escalated, refund"), "{}", nothing.talk);
    assert_eq!(refund()["mode"], "shadow");

    let signed = house.run(&["policy", "approve", "refund", "--as", "security@acme.example", "--yes"]);
    assert_eq!(signed.code, 0, "{}", signed.talk);
    assert_eq!(
        (refund()["mode"].clone(), refund()["signed_by"].clone()),
        ("live".into(), "security@acme.example".into())
    );
    // How it is written does not matter, what it means does.
    std::fs::write(house.path("handoffd.toml"), format!("# reviewed\n{}", sensitive())).expect("written");
    assert_eq!(refund()["mode"], "live");
    std::fs::write(house.path("handoffd.toml"), sensitive().replace("\"A refund\"", "\"Any refund\""))
        .expect("written");
    assert_eq!((refund()["mode"].clone(), refund()["signed_by"].clone()), ("shadow".into(), Value::Null));
}

#[test]
fn the_policy_is_written_as_a_document_before_and_after_the_first_run() {
    let house = House::new();
    std::fs::write(house.path("handoffd.toml"), sensitive()).expect("written");
    let text = house.run(&["policy", "doc"]);
    assert_eq!((text.code, text.talk.as_str()), (0, ""));
    for words in [
        "# Handoffs",
        "### frontline → billing: `refund`",
        "1. **When does the case move?**",
        "this version of it is not signed",
        "acme.zendesk.com",
    ] {
        assert!(text.out.contains(words), "{words}: {}", text.out);
    }
    let json = house.run(&["--json", "policy", "doc"]).json();
    assert_eq!(json["markdown"].as_str().map(str::trim), Some(text.out.trim()));
    assert_eq!(house.run(&["policy", "doc", "--output", "handoffs.md"]).code, 0);
    let written = std::fs::read_to_string(house.path("handoffs.md")).expect("written");
    assert_eq!(written.trim(), text.out.trim());
    let nowhere = house.run(&["policy", "doc", "--output", "no/such/folder.md"]);
    assert!(nowhere.code != 0 && nowhere.talk.contains("no/such/folder.md"), "{}", nowhere.talk);
    house.run(&["policy", "approve", "refund", "--as", "security@acme.example", "--yes"]);
    assert!(!house.run(&["policy", "doc"]).out.contains("this version of it is not signed"));
}

/// Starts and ends a daemon with this policy.
fn ran(house: &House, policy: &str) -> Config {
    std::fs::write(house.path("handoffd.toml"), policy).expect("written");
    let config = house.config();
    let seams = Seams {
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        transport: Arc::new(HttpTransport::new(1)),
    };
    let wired = wire(&config, BTreeMap::new(), Handle::inline(house.ledger(), None), seams);
    futures::executor::block_on(wired.recover()).expect("recovered");
    config
}

#[test]
fn the_policies_that_have_run_are_listed_with_what_changed() {
    let house = House::new();
    assert_eq!(house.run(&["policy", "history"]).code, 3, "there is no ledger yet");
    let first = ran(&house, POLICY).policy;
    ran(&house, POLICY);
    let second = ran(&house, &POLICY.replace("\"A refund\"", "\"Any refund\"")).policy;
    ran(
        &house,
        &POLICY
            .replace("tier  = 1", "tier  = 1\nlead  = \"lead\"")
            .replace("[teams.frontline]", "[people.lead]\nemail = \"lead@acme.example\"\n\n[teams.frontline]"),
    );
    let history = house.run(&["--json", "policy", "history"]).json();
    let runs = history["runs"].as_array().expect("runs");
    let versions: Vec<&str> = runs.iter().map(|run| run["version"].as_str().expect("a version")).collect();
    assert_eq!(
        versions,
        [history["file"].as_str().expect("the file's"), &second.version, &first.version],
        "a restart is none"
    );
    assert_eq!((runs[0]["in_force"].clone(), runs[1]["in_force"].clone()), (true.into(), false.into()));
    assert_eq!(runs[1]["changes"][0]["of"], "escalate.refund");
    assert_eq!(runs[1]["changes"][0]["after"], "Any refund");
    assert_eq!(runs[2]["changes"], Value::Null);
    assert_eq!(runs[1]["rules"][1]["version"], second.escalations[0].rule.version.as_str());

    let words = house.run(&["policy", "history", "--last", "2"]);
    assert_eq!((words.code, words.out.lines().count()), (0, 3), "{}", words.out);
    for part in ["in force", "new: people.lead; changed: escalate.refund, teams.frontline", "changed: escalate.refund"]
    {
        assert!(words.out.contains(part), "{part}: {}", words.out);
    }
    let rule = house.run(&["--json", "policy", "history", "--rule", "everything-else"]).json();
    assert_eq!(rule["runs"].as_array().map(Vec::len), Some(1), "it has been one all the time");
    let rule = house.run(&["policy", "history", "--rule", "refund"]);
    assert!(rule.out.contains(&second.escalations[0].rule.version), "{}", rule.out);
    assert_eq!(house.run(&["policy", "history", "--rule", "refundd"]).code, 2);
    assert_eq!(house.run(&["policy", "history", "--last", "0"]).code, 2);
}

#[test]
fn two_policies_are_compared_key_by_key() {
    let house = House::new();
    let first = ran(&house, POLICY).policy;
    assert!(house.run(&["policy", "diff"]).out.contains("They say the same"), "the file runs");
    let changed = sensitive().replace("\"A refund\"", "\"Any \u{1b}[2Krefund\"").replace('\u{1b}', "\\u001b");
    std::fs::write(house.path("handoffd.toml"), &changed).expect("written");
    let words = house.run(&["policy", "diff"]);
    assert_eq!(words.code, 0, "{}", words.talk);
    for part in [
        "escalate.refund",
        "reason: \"A refund\" → \"Any",
        "sensitive: false → true",
        "second_reviewer: nothing → \"security@acme.example\"",
    ] {
        assert!(words.out.contains(part), "{part}: {}", words.out);
    }
    assert!(!words.out.contains('\u{1b}'), "what a terminal would obey is shown");
    assert!(words.talk.contains("policy approve refund --as security@acme.example"), "{}", words.talk);
    let only = house.run(&["--json", "policy", "diff", "--rule", "refund"]).json();
    let about: BTreeSet<&str> =
        only["changes"].as_array().expect("changes").iter().filter_map(|it| it["of"].as_str()).collect();
    assert_eq!(about, BTreeSet::from(["escalate.refund"]));
    assert_eq!((only["from"]["file"].clone(), only["to"]["file"].clone()), (false.into(), true.into()));

    let second = ran(&house, &changed).policy;
    let both = house.run(&["--json", "policy", "diff", &first.version[..6], &second.version]).json();
    assert_eq!(both["from"]["version"], first.version.as_str());
    let back = house.run(&["--json", "policy", "diff", "file", &first.version]).json();
    assert_eq!(back["changes"].as_array().map(Vec::len), both["changes"].as_array().map(Vec::len));
    let rule = |policy: &handoffd::policy::rules::Policy| policy.escalations[0].rule.version.clone();
    let by_rule = house.run(&["--json", "policy", "diff", "--rule", "refund", &rule(&first), &rule(&second)]).json();
    assert_eq!(by_rule["changes"], only["changes"], "as notes name the versions");
    for wrong in [&["beef"][..], &["abc"], &["../etc"], &[""], &["' OR 1"], &["--rule", "refundd"], &[&rule(&first)]] {
        let done = house.run(&[&["policy", "diff"], wrong].concat());
        assert_eq!(done.code, 2, "{wrong:?}: {}", done.talk);
    }
}

#[test]
fn a_policy_that_has_run_is_put_in_the_place_of_the_file_s_until_the_file_changes() {
    let house = House::new();
    let first = ran(&house, POLICY).policy;
    let worse = POLICY.replace("\"A refund\"", "\"Any refund\"");
    let second = ran(&house, &worse).policy;
    let roll = |more: &[&str]| house.run(&[&["policy", "rollback"], more].concat());
    let why = ["--reason", "too many went to billing"];
    for (wrong, code) in [
        (vec!["beef"], 2),
        (vec![second.version.as_str(), "--yes"], 1),
        (vec![first.version.as_str()], 1),
        (vec![first.version.as_str(), "--yes", "--as", ""], 2),
    ] {
        let done = roll(&[wrong.as_slice(), &why].concat());
        assert_eq!(done.code, code, "{wrong:?}: {}", done.talk);
    }
    assert_eq!(roll(&[&first.version, "--yes"]).code, 2, "a reason is asked for");
    assert_eq!(roll(&[&first.version, "--yes", "--reason", " "]).code, 2);
    assert_eq!(house.ledger().chosen_policy(), Ok(None));

    let done = roll(&[&[&first.version[..6], "--yes", "--as", "lead"], why.as_slice()].concat());
    assert_eq!(done.code, 0, "{}", done.talk);
    let again = roll(&[first.version.as_str(), "--yes", "--reason", "once more"]);
    assert!(again.code == 1 && again.talk.contains("in the file's place already, as lead"), "{}", again.talk);
    assert!((done.talk + &done.out).contains("reason: \"Any refund\" → \"A refund\""));
    let choice = house.ledger().chosen_policy().expect("read").expect("chosen");
    assert_eq!((choice.version, choice.instead_of), (first.version.clone(), second.version.clone()));
    assert!(choice.by.starts_with("lead ("), "{}", choice.by);
    let shown = house.run(&["policy", "show"]);
    assert!(shown.talk.contains(&first.version) && shown.talk.contains("too many went to billing"), "{}", shown.talk);

    // An order without a daemon is carried out under the policy that runs: the file's version of the rule is another one.
    let paused = house.run(&["pause", "--rule", "refund"]);
    assert!(paused.code == 0 && paused.talk.contains("runs in place of the file's"), "{}", paused.talk);
    // How the file is written does not matter.
    std::fs::write(house.path("handoffd.toml"), format!("# looked at\n{worse}")).expect("written");
    house.run(&["resume", "--rule", "refund"]);
    assert!(house.ledger().chosen_policy().expect("read").is_some());
    // What it says does.
    std::fs::write(house.path("handoffd.toml"), worse.replace("Any refund", "Some refund")).expect("written");
    let resumed = house.run(&["resume", "--rule", "refund"]);
    assert!(resumed.talk.contains("The file has changed"), "{}", resumed.talk);
    assert!(house.run(&["policy", "doc"]).out.contains("**This is not what runs.**"));
    assert_eq!(house.ledger().chosen_policy(), Ok(None));
}

#[test]
fn the_file_s_policy_runs_again_when_a_person_says_so_or_the_other_one_cannot() {
    let house = House::new();
    let first = ran(&house, POLICY).policy;
    let moved = POLICY.replace("[desks.acme]", "[desks.beta]").replace("\"acme\"", "\"beta\"");
    ran(&house, &moved);
    let gone = house.run(&["policy", "rollback", &first.version, "--yes", "--reason", "x"]);
    assert!(gone.code == 1 && gone.talk.contains("put [desks.acme] back first"), "{}", gone.talk);
    ran(&house, &POLICY.replace("\"A refund\"", "\"Any refund\""));
    assert_eq!(house.run(&["policy", "rollback", &first.version, "--yes", "--reason", "x"]).code, 0);
    let again = house.run(&["policy", "rollback", "file", "--reason", "repaired"]);
    assert!(again.code == 0 && again.out.contains("runs again from the next start"), "{} {}", again.out, again.talk);
    assert_eq!(house.ledger().chosen_policy(), Ok(None));
    let nothing = house.run(&["policy", "rollback", "file", "--reason", "repaired"]);
    assert!(nothing.code == 0 && nothing.out.contains("nothing was done"), "{}", nothing.out);
}

#[test]
fn the_policy_is_shown_with_versions_and_the_stricter_mode() {
    let house = House::new();
    let shown = house.run(&["--json", "policy", "show"]).json();
    let modes: Vec<(&str, &str)> = shown["rules"]
        .as_array()
        .expect("rules")
        .iter()
        .map(|rule| (rule["name"].as_str().expect("name"), rule["mode"].as_str().expect("mode")))
        .collect();
    assert_eq!(modes, [("everything-else", "shadow"), ("refund", "live")]);
    let words = house.run(&["policy", "show"]);
    assert!(words.out.contains("refund") && words.out.contains("not signed"), "{}", words.out);
    assert!(!words.out.contains('\u{1b}'), "no colours where no terminal is");
}

#[test]
fn a_ledger_that_is_held_without_a_socket_is_unreachable() {
    let house = House::new();
    let _held = house.ledger();
    let done = house.run(&["pause"]);
    assert_eq!(done.code, 3);
    assert!(done.talk.contains("try again"), "{}", done.talk);
    assert_eq!(house.run(&["--json", "parked", "list"]).code, 0, "reading goes on");
}

#[test]
fn with_a_daemon_orders_go_to_it_and_reading_goes_beside_it() {
    let house = House::new();
    let config = house.config();
    let ledger = house.ledger();
    let runtime = tokio::runtime::Runtime::new().expect("runtime");
    let stop = CancellationToken::new();
    let entered = runtime.enter();
    let seams = Seams {
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        transport: Arc::new(HttpTransport::new(1)),
    };
    let handle = Handle::spawn(ledger).expect("thread");
    let wired = wire(&config, BTreeMap::new(), handle.clone(), seams);
    let socket = listen(&socket_path(&config.daemon.ledger)).expect("bound");
    let server = tokio::spawn(take_orders(socket, Running::new(wired), None, stop.clone()));
    drop(entered);
    let done = house.run(&["pause", "--as", "lead"]);
    assert_eq!(done.code, 0, "{}", done.talk);
    assert!(!done.talk.contains("No daemon"), "{}", done.talk);
    assert_eq!(house.run(&["parked", "list"]).code, 0);
    let refused = house.run(&["--json", "parked", "retry", "--all"]);
    assert_eq!(refused.code, 1);
    let why: Value = serde_json::from_str(refused.talk.trim()).expect("errors are JSON too");
    assert_eq!(why["exit"], 1);
    assert_eq!(house.run(&["pause", "--desk", "other"]).code, 2);
    stop.cancel();
    runtime.block_on(server).expect("no panic").expect("served");
    runtime.block_on(handle.close());
    assert_eq!(house.ledger().switches().expect("switches").len(), 1, "durable");
}

#[test]
fn check_runs_the_policys_tests_and_fails_with_those_that_do_not_pass() {
    let house = House::new();
    let test = |name: &str, tag: &str| {
        format!(
            "\n[[test]]\nname = \"{name}\"\nticket = {{ team = \"frontline\", tags = [\"{tag}\"] }}\n\
             expect = {{ rule = \"refund\", to = \"billing\" }}\n"
        )
    };
    let write = |text: String| std::fs::write(house.path("handoffd.toml"), text).expect("written");
    write(format!("{POLICY}{}", test("refunds go to billing", "refund")));
    let done = house.run(&["check"]);
    assert_eq!((done.code, done.out.as_str()), (0, "test passes refunds go to billing\n"), "{}", done.talk);
    write(format!("{POLICY}{}{}", test("refunds go to billing", "refund"), test("so do returns", "return")));
    let done = house.run(&["check"]);
    assert_eq!(done.code, 1, "{}", done.talk);
    assert!(done.out.contains("test FAILS  so do returns"), "{}", done.out);
    for piece in ["the test \"so do returns\" does not pass", "expected refund, got none; it stays: no rule matches"] {
        assert!(done.talk.contains(piece), "{piece} in {}", done.talk);
    }
    let json = house.run(&["--json", "check"]);
    assert_eq!(json.code, 1, "{}", json.talk);
    let tests = json.json()["tests"].clone();
    assert_eq!((tests[0]["passed"].clone(), tests[1]["passed"].clone()), (true.into(), false.into()), "{tests}");
    assert_eq!(tests[1]["differences"][0]["what"], "rule", "{tests}");
    assert!(tests[1]["line"].as_u64() > tests[0]["line"].as_u64(), "{tests}");
}

#[test]
fn a_run_that_could_reach_no_desk_says_so_and_is_no_success() {
    let house = House::new();
    let policy = POLICY
        .replace("https://acme.zendesk.com", "http://127.0.0.1:1")
        .replace("{ env = \"NOT_SET_ANYWHERE\" }", "{ file = \"secret\" }");
    std::fs::write(house.path("handoffd.toml"), policy).expect("written");
    std::fs::write(house.path("secret"), "s3cret").expect("written");
    let done = house.run(&["run", "--once"]);
    assert_eq!(done.code, 3, "{} {}", done.out, done.talk);
    assert!(done.talk.contains("acme: the desk does not answer"), "{}", done.talk);
    let json = house.run(&["--json", "run", "--once"]);
    assert_eq!((json.code, json.json()["troubles"][0]["desk"].as_str()), (3, Some("acme")));
    let check = house.run(&["check", "--online"]);
    assert_eq!(check.code, 3, "not a wrong login: {} {}", check.out, check.talk);
}
