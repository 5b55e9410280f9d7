//! Files that a disk has spoilt: cut, or a byte flipped, at many places. Either the ledger opens, and whatever it then gives
//! out to be sent is exactly what was planned and was not sent before; or it says what is wrong and what to do. Never a panic.

use crate::ledger::error::LedgerError;
use crate::ledger::records::{Busy, EffectWork};
use crate::ledger::samples::{accepted, at, claim, decide, in_review, sending, webhook};
use crate::ledger::{Durability, HandoffFilter, Ledger};
use handoffd_kit::desk::Write;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// The bytes of a ledger and of its log.
struct Files {
    db: Vec<u8>,
    log: Vec<u8>,
}

impl Files {
    fn of(path: &Path) -> Self {
        let read = |end: &str| std::fs::read(format!("{}{end}", path.display())).unwrap_or_default();
        Self { db: read(""), log: read("-wal") }
    }

    /// Opens what these bytes make, in a folder of its own.
    fn open(&self, folder: &Path) -> Result<Ledger, LedgerError> {
        let path: PathBuf = folder.join("handoffd.db");
        for (end, bytes) in [("", Some(&self.db)), ("-wal", Some(&self.log)), ("-shm", None)] {
            let name = format!("{}{end}", path.display());
            drop(std::fs::remove_file(&name));
            if let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) {
                std::fs::write(name, bytes).expect("written");
            }
        }
        Ledger::open(&path, Durability::Process)
    }
}

/// What was planned, by its key, and whether it was done.
type Truth = BTreeMap<String, (Write, bool)>;

/// A ledger with something of everything, and what is true of it.
fn filled(ledger: &mut Ledger) -> Truth {
    for number in 0..8 {
        let (id, ticket) = (format!("h{number}"), format!("{number}"));
        decide(ledger, sending(&id, &ticket, "v1"), at(number));
    }
    for _ in 0..5 {
        let claimed = claim(ledger, at(20)).expect("due");
        ledger.record_outcome(&accepted(&claimed, "v2", at(21))).expect("recorded");
    }
    decide(ledger, in_review("h-review", "100"), at(30));
    for number in 0..10 {
        let hook = webhook("acme", Some(&format!("d{number}")), &"words ".repeat(300), &["7"], at(40));
        ledger.note_webhook(&hook).expect("noted");
    }
    let handoffs = ledger.handoffs(&HandoffFilter::default()).expect("read");
    let effects = handoffs.into_iter().flat_map(|handoff| handoff.effects);
    effects.map(|effect| (effect.write.mark.key(), (effect.write, effect.state.name() == "done"))).collect()
}

/// Whatever this ledger gives out is true, or it is an error in words.
fn gives_out_nothing_false(ledger: &mut Ledger, truth: &Truth, place: &str) {
    for _ in 0..40 {
        let claimed = match ledger.claim_due_effect(at(10_000), &Busy::default()) {
            Ok(Some(claimed)) => claimed,
            Ok(None) => break,
            Err(error) => {
                assert!(!error.to_string().is_empty(), "{place}");
                break;
            }
        };
        let write = &claimed.effect.write;
        let Some((planned, done)) = truth.get(&write.mark.key()) else { panic!("{place}: {write:?}") };
        assert!(!done || claimed.work == EffectWork::LookUp, "{place}: sent again: {write:?}");
        // What the write before it has taught it is no part of the plan.
        let plan = |write: &Write| Write { first_tried: None, expected: None, decided_on: None, ..write.clone() };
        assert_eq!(plan(write), plan(planned), "{place}");
        if ledger.record_outcome(&accepted(&claimed, "v9", at(10_000))).is_err() {
            break;
        }
    }
    // Looking it through finds what it finds, and comes to an end.
    drop(ledger.inspect(&mut |_| {}));
}

fn told(error: &LedgerError, place: &str) {
    let words = error.to_string();
    let says_what_to_do = words.contains("restore") || words.contains("point [daemon] ledger");
    let says_what_to_do = says_what_to_do || error.remedy(Path::new("handoffd.db")).is_some();
    assert!(says_what_to_do, "{place}: {words}");
}

#[test]
fn a_ledger_with_a_flipped_or_missing_byte_opens_truly_or_says_what_to_do() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("handoffd.db");
    let mut ledger = Ledger::open(&path, Durability::Process).expect("new");
    let truth = filled(&mut ledger);
    drop(ledger);
    let whole = Files::of(&path);
    let mut random = fastrand::Rng::with_seed(3);
    let (pages, mut refused, mut opened) = (whole.db.len() / 4096, 0, 0);
    let mut places: Vec<usize> = (0..100).step_by(7).collect();
    places.extend((0..pages).map(|page| page * 4096 + random.usize(0..16)));
    places.extend((0..150).map(|_| random.usize(0..whole.db.len())));
    // Where text lies: it is written from the end of each page.
    let planned = b"\"mark\":{\"handoff\"";
    let texts = whole.db.windows(planned.len()).enumerate().filter(|(_, bytes)| bytes == planned);
    places.extend(texts.map(|(at, _)| at + random.usize(0..60)));
    for at in places {
        let mut db = whole.db.clone();
        db[at] ^= 1 << random.u8(0..8);
        match (Files { db, log: Vec::new() }).open(folder.path()) {
            Ok(mut ledger) => {
                opened += 1;
                gives_out_nothing_false(&mut ledger, &truth, &format!("byte {at}"));
            }
            Err(error) => {
                refused += 1;
                told(&error, &format!("byte {at}"));
            }
        }
    }
    for keep in [1, 15, 16, 99, 100, 4095, 4096, 4097, whole.db.len() / 2, whole.db.len() - 4096, whole.db.len() - 1] {
        let files = Files { db: whole.db[..keep].to_vec(), log: Vec::new() };
        let place = format!("the first {keep} bytes");
        match files.open(folder.path()) {
            // The last page may hold nothing.
            Ok(mut ledger) => gives_out_nothing_false(&mut ledger, &truth, &place),
            Err(error) => told(&error, &place),
        }
    }
    assert!(refused > 20 && opened > 20, "{refused} were refused, {opened} opened");
}

#[test]
fn a_log_with_a_flipped_or_missing_byte_gives_an_earlier_commit_or_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("handoffd.db");
    let mut ledger = Ledger::open(&path, Durability::Process).expect("new");
    ledger.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("written back");
    let seen = |ledger: &Ledger| -> Vec<String> {
        let handoffs = ledger.handoffs(&HandoffFilter::default()).expect("read");
        let one = |effect: crate::ledger::records::EffectRecord| {
            format!("{} {}", effect.write.mark.key(), effect.state.name())
        };
        handoffs.into_iter().flat_map(|handoff| handoff.effects).map(one).collect()
    };
    let mut commits = vec![seen(&ledger)];
    let mut ends = vec![0];
    for number in 0..6 {
        decide(&mut ledger, sending(&format!("h{number}"), &format!("{number}"), "v1"), at(number));
        commits.push(seen(&ledger));
        ends.push(Files::of(&path).log.len());
    }
    let whole = Files::of(&path);
    let copy = folder.path().join("copy");
    std::fs::create_dir(&copy).expect("folder");
    let mut random = fastrand::Rng::with_seed(5);
    let (mut refused, mut earlier) = (0, 0);
    for _ in 0..60 {
        let at = if random.u8(0..6) == 0 { random.usize(0..32) } else { random.usize(0..whole.log.len()) };
        let mut log = whole.log.clone();
        log[at] ^= 1 << random.u8(0..8);
        // A spoilt frame of the last commits looks like that of a crash: nothing behind it tells of more.
        let in_the_middle = at < ends[ends.len() - 3];
        match (Files { db: whole.db.clone(), log }).open(&copy) {
            Ok(ledger) => {
                let found = seen(&ledger);
                assert!(commits.contains(&found), "byte {at}: {found:?}");
                assert!(!in_the_middle || Some(&found) == commits.last(), "byte {at}: what was committed is gone");
                earlier += 1;
            }
            Err(error) => {
                told(&error, &format!("byte {at}"));
                refused += 1;
            }
        }
    }
    assert!(refused > 10 && earlier > 0, "{refused} were refused, {earlier} opened");
    for _ in 0..30 {
        let keep = random.usize(0..whole.log.len());
        let files = Files { db: whole.db.clone(), log: whole.log[..keep].to_vec() };
        let ledger = files.open(&copy).expect("as after a crash");
        let found = seen(&ledger);
        let whole_commits = ends.iter().filter(|end| **end <= keep).count().max(1);
        assert_eq!(found, commits[whole_commits - 1], "{keep} bytes");
    }
}
