//! `handoffd ledger` from outside, with the ledger free and held.

use crate::home::Home;
use handoffd::ledger::records::{NewLook, ReceivedWebhook, Switch};
use handoffd::ledger::{Act, Ledger};
use jiff::{SignedDuration, Timestamp};

fn look(ticket: &str) -> NewLook {
    NewLook { ticket: ticket.into(), due: Timestamp::UNIX_EPOCH, head: None }
}

/// The tickets that a ledger will look at.
fn looks(ledger: &Ledger) -> Vec<String> {
    let due = ledger.due_looks(Timestamp::MAX, 100, &Default::default()).expect("read");
    due.into_iter().map(|look| look.ticket.to_string()).collect()
}

#[test]
fn a_backup_of_a_held_ledger_is_checked_restored_and_the_one_before_is_kept() {
    let home = Home::new();
    let mut held = home.ledger();
    held.note_looks(&"acme".into(), &[look("1")]).expect("noted");
    let backup = home.run(&["--json", "ledger", "backup", "backup.db"]);
    assert_eq!(backup.code, 0, "{}", backup.talk);
    assert!(backup.json()["bytes"].as_u64().is_some_and(|bytes| bytes > 4096));
    held.note_looks(&"acme".into(), &[look("2")]).expect("noted");
    let refused = home.run(&["ledger", "backup", "backup.db"]);
    assert!(refused.code == 1 && refused.talk.contains("--force"), "{}", refused.talk);
    for file in [vec![], vec!["backup.db"]] {
        let check = home.run(&[&["--json", "ledger", "check"], file.as_slice()].concat());
        assert_eq!((check.code, &check.json()["sound"]), (0, &true.into()), "{file:?}: {}", check.talk);
    }

    let running = home.run(&["ledger", "restore", "backup.db", "--yes"]);
    assert!(running.code == 3 && running.talk.contains("another handoffd"), "{}", running.talk);
    let second = home.run(&["run", "--once"]);
    assert!(second.code == 3 && second.talk.contains("another handoffd"), "a second daemon: {}", second.talk);
    drop(held);
    assert_eq!(home.run(&["ledger", "restore", "backup.db"]).code, 1, "nobody said yes");
    assert_eq!(home.run(&["ledger", "restore", "missing.db", "--yes"]).code, 3);
    assert_eq!(home.run(&["ledger", "restore", "backup.db", "--yes", "--as", "\u{1b}[2K"]).code, 2);
    assert_eq!(looks(&home.ledger()), ["1", "2"], "nothing has changed");
    let restored = home.run(&["--json", "ledger", "restore", "backup.db", "--yes", "--as", "ops"]);
    assert_eq!(restored.code, 0, "{}", restored.talk);
    assert_eq!(looks(&home.ledger()), ["1"]);
    let aside = restored.json()["replaced"].as_str().expect("kept").to_owned();
    assert_eq!(looks(&Ledger::open_read_only(&home.path(&aside)).expect("a ledger")), ["1", "2"]);
}

#[test]
fn room_is_given_back_whether_a_daemon_runs_or_not_and_the_bytes_are_told() {
    let home = Home::new();
    let mut random = fastrand::Rng::with_seed(11);
    for held in [true, false] {
        let mut ledger = home.ledger();
        for number in 0..120 {
            let body = (0..20_000).map(|_| random.alphanumeric()).collect::<String>().into_bytes();
            let delivery = Some(format!("{held} {number}"));
            let hook = ReceivedWebhook {
                desk: "acme".into(),
                delivery,
                body_hash: number.to_string(),
                body,
                looks: Vec::new(),
                others: Vec::new(),
                at: Timestamp::UNIX_EPOCH,
            };
            ledger.note_webhook(&hook).expect("noted");
        }
        let later = Timestamp::UNIX_EPOCH + SignedDuration::from_hours(24);
        ledger.purge(later, SignedDuration::from_hours(1)).expect("purged");
        let ledger = held.then_some(ledger);
        let done = home.run(&["--json", "ledger", "compact"]);
        assert_eq!(done.code, 0, "{}", done.talk);
        let told = done.json();
        assert_eq!(told["while_running"], held, "{told}");
        let (before, after) = (told["before"].as_u64().expect("bytes"), told["after"].as_u64().expect("bytes"));
        assert!(after * 2 < before, "{told}");
        assert_eq!(home.run(&["ledger", "check"]).code, 0);
        drop(ledger);
    }
}

/// Somebody reads the record, and somebody's words are erased, from the command line.
#[test]
fn the_record_is_verified_and_given_out_and_a_person_is_forgotten() {
    let home = Home::new();
    let mut ledger = home.ledger();
    let act = Act { by: "=anna@acme.example".into(), reason: Some("two\nlines".into()), at: Timestamp::UNIX_EPOCH };
    ledger.set_switch(&Switch::All, true, &act).expect("paused");
    drop(ledger);
    let verified = home.run(&["--json", "audit", "verify"]);
    assert_eq!((verified.code, &verified.json()["whole"]), (0, &true.into()), "{}", verified.talk);
    let head = verified.json()["head"].as_str().expect("a link").to_owned();
    assert_eq!(home.run(&["audit", "verify", "--knows", &head]).code, 0);
    let cut = home.run(&["audit", "verify", "--knows", "abcd"]);
    assert!(cut.code == 1 && cut.out.contains("cut off"), "{}", cut.out);
    let csv = home.run(&["audit", "export", "--csv"]).out;
    assert!(csv.contains("'=anna@acme.example") && csv.contains("\"two\nlines\""), "{csv}");
    let exported = home.run(&["--json", "audit", "export"]).json();
    assert_eq!((&exported[0]["what"], &exported[0]["about"]), (&"pause".into(), &"all".into()));

    assert_eq!(home.run(&["forget", "nobody in particular", "--yes"]).code, 2);
    assert_eq!(home.run(&["forget", "anna@acme.example"]).code, 1, "nobody said yes");
    let forgotten = home.run(&["forget", "anna@acme.example", "--yes", "--as", "privacy-desk"]);
    assert_eq!(forgotten.code, 0, "{} {}", forgotten.out, forgotten.talk);
    let left = home.run(&["--json", "audit", "export"]).json();
    assert_eq!((&left[0]["by"], &left[0]["erased"]), (&serde_json::Value::Null, &true.into()), "{left}");
    let known = home.run(&["--json", "audit", "verify", "--knows", &head]);
    assert_eq!((known.code, &known.json()["erased"]), (0, &1.into()), "{}", known.out);
    let bytes = std::fs::read(home.path("handoffd.db")).expect("bytes");
    assert!(!bytes.windows(17).any(|window| window == b"anna@acme.example"), "it is still in the file");
}

#[test]
fn faults_are_told_with_their_next_step_and_a_broken_configuration_is_in_nobodys_way() {
    let home = Home::new();
    assert_eq!(home.run(&["ledger", "check"]).code, 3, "there is none yet");
    let mut ledger = home.ledger();
    for number in 0..60 {
        ledger.note_looks(&"acme".into(), &[look(&format!("ticket {number} {}", "x".repeat(200)))]).expect("noted");
    }
    drop(ledger);
    let mut bytes = std::fs::read(home.path("handoffd.db")).expect("bytes");
    let end = bytes.len();
    bytes[end - 3 * 4096..].fill(0x5a);
    std::fs::write(home.path("handoffd.db"), bytes).expect("written");
    std::fs::write(home.path("handoffd.toml"), "[daemon\nnonsense").expect("written");
    let done = home.run(&["ledger", "check"]);
    assert_eq!(done.code, 1, "{} {}", done.out, done.talk);
    assert!(done.out.contains("damaged") && done.out.contains("handoffd ledger restore"), "{}", done.out);
    let json = home.run(&["--json", "ledger", "check"]);
    assert_eq!((json.code, &json.json()["faults"][0]["kind"]), (1, &"damaged".into()));
    assert_eq!(home.run(&["--config", "missing.toml", "ledger", "check"]).code, 2);
    std::fs::write(home.path("handoffd.db"), "words, and long enough that they could be a header of one")
        .expect("written");
    assert_eq!(home.run(&["ledger", "check"]).code, 3, "no ledger at all");
}
