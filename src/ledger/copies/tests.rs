//! Copies on real files: made while somebody writes, put back, interrupted, and refused.

use super::super::samples::{accepted, act, at, claim, decide, in_review, outcome, sending, webhook};
use super::super::states::EffectState;
use super::*;
use crate::ledger::HandoffFilter;
use tempfile::TempDir;

struct Home(TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn open(&self) -> Ledger {
        Ledger::open(&self.path("handoffd.db"), Durability::Process).expect("ledger")
    }

    fn back_up(&self, name: &str) -> Result<Vec<Fault>> {
        let mut reader = Ledger::open_read_only(&self.path("handoffd.db")).expect("reader");
        reader.back_up(&self.path(name), false, &mut |_| {})
    }

    fn restore(&self, name: &str, second: i64) -> Result<Restored> {
        Ledger::restore(&self.path("handoffd.db"), &self.path(name), &act(at(second)), &mut |_| {})
    }

    /// The names in the folder.
    fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.0.path()).expect("folder");
        let mut names: Vec<String> =
            entries.map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }
}

fn states(ledger: &Ledger) -> Vec<EffectState> {
    let handoffs = ledger.handoffs(&HandoffFilter::default()).expect("handoffs");
    handoffs.into_iter().rev().flat_map(|handoff| handoff.effects).map(|effect| effect.state).collect()
}

#[test]
fn a_backup_is_one_private_file_of_one_moment_while_the_daemon_writes() {
    let home = Home::new();
    let mut ledger = home.open();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    assert_eq!(home.back_up("backup.db"), Ok(Vec::new()));
    decide(&mut ledger, sending("h2", "2", "v1"), at(1));
    let names = home.files();
    assert!(!names.iter().any(|name| name.starts_with("backup.db") && name != "backup.db"), "{names:?}");
    let copy = Ledger::open_read_only(&home.path("backup.db")).expect("a ledger");
    assert_eq!(copy.handoffs(&HandoffFilter::default()).expect("read").len(), 1);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(home.path("backup.db").metadata().expect("file").permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_file_is_replaced_on_purpose_alone_and_never_the_ledger_itself() {
    let home = Home::new();
    let mut ledger = home.open();
    std::fs::write(home.path("precious"), "precious").expect("written");
    assert!(matches!(home.back_up("precious"), Err(LedgerError::WrongState(_))));
    assert_eq!(std::fs::read(home.path("precious")).expect("there"), b"precious");
    let mut reader = Ledger::open_read_only(&home.path("handoffd.db")).expect("reader");
    for own in ["handoffd.db", "handoffd.db-wal", "handoffd.db.lock", "../x/handoffd.db"] {
        let to = match own.strip_prefix("../x/") {
            Some(name) => home.0.path().join(".").join(name),
            None => home.path(own),
        };
        let refused = reader.back_up(&to, true, &mut |_| {});
        assert!(matches!(refused, Err(LedgerError::WrongState(_))), "{own}: {refused:?}");
    }
    // What an interrupted backup left is in nobody's way.
    std::fs::write(home.path("precious.partial"), vec![7; 10_000]).expect("written");
    reader.back_up(&home.path("precious"), true, &mut |_| {}).expect("replaced");
    assert!(Ledger::open_read_only(&home.path("precious")).is_ok());
    let nowhere = reader.back_up(&home.path("no/such/folder.db"), false, &mut |_| {});
    assert!(nowhere.expect_err("no folder").to_string().contains("no/such"), "named");
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
}

#[test]
fn two_backups_to_one_file_do_not_mix() {
    let home = Home::new();
    let _ledger = home.open();
    let held = claim_partial(&partial_path(&home.path("backup.db"))).expect("the first");
    assert_eq!(home.back_up("backup.db"), Err(LedgerError::Busy));
    drop(held);
    assert_eq!(home.back_up("backup.db"), Ok(Vec::new()));
}

#[test]
fn what_was_due_in_a_backup_is_looked_up_before_it_is_sent_and_who_restored_it_is_recorded() {
    let home = Home::new();
    let mut ledger = home.open();
    // One done and one due; one parked before it was sent; one that waits for a yes; one in flight.
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    let first = claim(&mut ledger, at(0)).expect("due");
    ledger.record_outcome(&accepted(&first, "v2", at(1))).expect("recorded");
    decide(&mut ledger, sending("h2", "2", "v1"), at(2));
    let second = ledger.handoff("h2").expect("h2").effects[0].id;
    let mut parked = claim(&mut ledger, at(2)).expect("due");
    if parked.effect.id != second {
        ledger.record_outcome(&outcome(parked.effect.id, EffectEvent::TryAgain(at(3)), at(2))).expect("put off");
        parked = claim(&mut ledger, at(2)).expect("due");
    }
    ledger.record_outcome(&outcome(parked.effect.id, EffectEvent::Park, at(2))).expect("parked");
    decide(&mut ledger, in_review("h3", "3"), at(3));
    decide(&mut ledger, sending("h4", "4", "v1"), at(4));
    assert_eq!(home.back_up("backup.db"), Ok(Vec::new()));
    decide(&mut ledger, sending("h5", "5", "v1"), at(5));
    drop(ledger);

    let restored = home.restore("backup.db", 100).expect("restored");
    assert_eq!(restored.faults, Vec::new());
    assert_eq!(restored.doubted, 5);
    let ledger = home.open();
    let shown: Vec<String> = states(&ledger).iter().map(|state| state.name().to_owned()).collect();
    assert_eq!(shown, ["done", "unsure", "parked", "unsure", "unsure", "unsure"]);
    let states = states(&ledger);
    assert!(matches!(states[2], EffectState::Parked { unsure: true, .. }), "a retry looks first: {:?}", states[2]);
    assert!(states.iter().all(|state| state.due().is_none_or(|due| due == at(100))));
    let h4 = ledger.handoff("h4").expect("h4");
    let effect = &h4.effects[0];
    assert_eq!(
        (effect.write.first_tried, effect.lost_at),
        (Some(at(4)), Some(at(100))),
        "looked for since it was planned"
    );
    let who: (String, String) = ledger
        .connection
        .query_row("SELECT by, about FROM acts WHERE what = 'restore'", [], |row| Ok((row.get(0)?, row.get(1)?)))
        .expect("recorded");
    assert_eq!(who, ("lead@acme.example (root)".into(), "backup.db".into()));
    let aside = Ledger::open_read_only(&restored.aside.expect("kept")).expect("a ledger");
    assert_eq!(aside.handoffs(&HandoffFilter::default()).expect("read").len(), 5, "with what was in its log");
}

#[test]
fn a_ledger_in_use_a_damaged_backup_and_what_is_none_are_refused_and_nothing_changes() {
    let home = Home::new();
    let mut ledger = home.open();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    for number in 0..30 {
        let body = format!("{number}").repeat(3_000);
        ledger.note_webhook(&webhook("acme", Some(&format!("d{number}")), &body, &["1"], at(0))).expect("noted");
    }
    home.back_up("backup.db").expect("backed up");
    assert_eq!(home.restore("backup.db", 1), Err(LedgerError::Locked(home.path("handoffd.db"))));
    drop(ledger);
    let whole = std::fs::read(home.path("backup.db")).expect("bytes");
    std::fs::write(home.path("cut.db"), &whole[..whole.len() / 2]).expect("written");
    let mut garbled = whole.clone();
    garbled[4096 * 2..4096 * 6].fill(0x5a);
    std::fs::write(home.path("garbled.db"), garbled).expect("written");
    std::fs::write(home.path("empty.db"), "").expect("written");
    std::fs::write(home.path("text.db"), "no database at all, only words that are long enough for a header")
        .expect("written");
    Connection::open(home.path("other.db")).expect("open").execute_batch("CREATE TABLE t (a)").expect("made");
    let before = std::fs::read(home.path("handoffd.db")).expect("bytes");
    for wrong in ["cut.db", "garbled.db", "empty.db", "text.db", "other.db", "missing.db", "handoffd.db"] {
        let error = home.restore(wrong, 1).expect_err(wrong);
        assert!(!error.to_string().is_empty(), "{wrong}");
        assert_eq!(std::fs::read(home.path("handoffd.db")).expect("there"), before, "{wrong}: {error}");
    }
    assert_eq!(home.open().handoffs(&HandoffFilter::default()).expect("read").len(), 1);
}

#[test]
fn a_restore_that_was_interrupted_is_said_again_and_no_empty_ledger_is_made_meanwhile() {
    let home = Home::new();
    let mut ledger = home.open();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    home.back_up("backup.db").expect("backed up");
    drop(ledger);
    // As a power cut leaves it: the old one is aside, the new one not in its place.
    std::fs::copy(home.path("backup.db"), home.path("handoffd.db.restoring")).expect("staged");
    std::fs::rename(home.path("handoffd.db"), home.path("handoffd.db.replaced-x")).expect("aside");
    let refused = Ledger::open(&home.path("handoffd.db"), Durability::Process).expect_err("not yet");
    assert!(refused.to_string().contains("handoffd ledger restore"), "{refused}");
    assert!(!home.path("handoffd.db").exists());
    let restored = home.restore("backup.db", 1).expect("again");
    assert_eq!(restored.aside, None, "there was none in its place");
    assert_eq!(home.open().handoffs(&HandoffFilter::default()).expect("read").len(), 1);
    assert!(!home.path("handoffd.db.restoring").exists());
    drop(home.restore("backup.db", 1).expect("twice in a second"));
    drop(home.restore("backup.db", 1).expect("and once more"));
    let asides = home.files().into_iter().filter(|name| name.contains("replaced-2") && name.ends_with('Z')).count();
    assert_eq!(asides, 1, "{:?}", home.files());
    assert_eq!(home.files().iter().filter(|name| name.ends_with("Z-2")).count(), 1, "none is overwritten");
}

#[test]
fn a_copy_by_hand_with_its_log_beside_it_is_restored_whole() {
    let home = Home::new();
    let mut ledger = home.open();
    decide(&mut ledger, sending("h1", "1", "v1"), at(0));
    for part in ["", "-wal"] {
        std::fs::copy(home.path(&format!("handoffd.db{part}")), home.path(&format!("copy.db{part}"))).expect("copied");
    }
    drop(ledger);
    home.restore("copy.db", 1).expect("restored");
    assert_eq!(home.open().handoffs(&HandoffFilter::default()).expect("read").len(), 1, "it was in the log alone");
}
