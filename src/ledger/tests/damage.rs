//! A log that a disk has spoilt: cut, or a byte flipped, at many places. Either an earlier commit is found whole, or the start says
//! what is wrong and what to do.

use crate::ledger::error::LedgerError;
use crate::ledger::records::EffectRecord;
use crate::ledger::samples::{at, decide, sending};
use crate::ledger::{Durability, HandoffFilter, Ledger};
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

fn told(error: &LedgerError, place: &str) {
    let words = error.to_string();
    let says_what_to_do = words.contains("restore") || words.contains("point [daemon] ledger");
    let says_what_to_do = says_what_to_do || error.remedy(Path::new("handoffd.db")).is_some();
    assert!(says_what_to_do, "{place}: {words}");
}

#[test]
fn a_log_with_a_flipped_or_missing_byte_gives_an_earlier_commit_or_is_refused() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("handoffd.db");
    let mut ledger = Ledger::open(&path, Durability::Process).expect("new");
    ledger.connection.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)").expect("written back");
    let seen = |ledger: &Ledger| -> Vec<String> {
        let handoffs = ledger.handoffs(&HandoffFilter::default()).expect("read");
        let one = |effect: EffectRecord| format!("{} {}", effect.write.mark.key(), effect.state.name());
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
