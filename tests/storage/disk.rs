//! A disk that is full, as a limit on the size of files shows it, and a folder that takes no files.

use crate::home::{Done, Home};
use handoffd::ledger::records::NewLook;
use jiff::Timestamp;

/// Runs a command whose files may not grow beyond so many blocks of 512 bytes. Whoever writes beyond gets a signal, which is
/// not wanted.
fn limited(home: &Home, blocks: u32, arguments: &str) -> Done {
    home.shell(&format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" {arguments}"))
}

/// What lies in the folder, but for what SQLite makes while a file is open.
fn files(home: &Home) -> Vec<String> {
    let entries = std::fs::read_dir(home.path("")).expect("folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned()).collect();
    names.retain(|name| !["-wal", "-shm"].iter().any(|end| name.ends_with(end)));
    names.sort();
    names
}

#[test]
fn on_a_full_disk_a_start_ends_with_words_and_copies_leave_nothing_behind() {
    let home = Home::new();
    let start = limited(&home, 16, "run --once");
    // A limit on files is told as trouble with the disk, a full one as full.
    let words = ["cannot be read or written now", "make room"];
    let said = words.iter().any(|words| start.talk.contains(words));
    assert!(start.code == 3 && said, "{} {}", start.code, start.talk);
    for end in ["", "-wal", "-shm"] {
        drop(std::fs::remove_file(home.path(&format!("handoffd.db{end}"))));
    }
    let look = NewLook { ticket: "1".into(), due: Timestamp::UNIX_EPOCH, head: None };
    home.ledger().note_looks(&"acme".into(), &[look]).expect("noted");
    assert_eq!(home.run(&["ledger", "backup", "backup.db"]).code, 0);
    let (before, bytes) = (files(&home), std::fs::read(home.path("handoffd.db")).expect("bytes"));

    let backup = limited(&home, 64, "ledger backup second.db");
    assert!(backup.code == 3 && backup.talk.contains("second.db"), "{} {}", backup.code, backup.talk);
    let restore = limited(&home, 64, "ledger restore backup.db --yes");
    assert_eq!(restore.code, 3, "{}", restore.talk);
    assert_eq!(files(&home), before, "nothing half done");
    assert_eq!(std::fs::read(home.path("handoffd.db")).expect("bytes"), bytes);
    assert_eq!(home.run(&["ledger", "check"]).code, 0);
    assert_eq!(home.run(&["ledger", "restore", "backup.db", "--yes"]).code, 0, "and with room it goes on");
}

#[test]
fn a_folder_that_takes_no_files_is_named() {
    let home = Home::new();
    let policy = std::fs::read_to_string(home.path("handoffd.toml")).expect("text");
    std::fs::write(home.path("handoffd.toml"), format!("[daemon]\nledger = \"/proc/handoffd.db\"\n{policy}"))
        .expect("written");
    let start = home.run(&["run", "--once"]);
    assert!(start.code == 3 && start.talk.contains("/proc/handoffd.db"), "{} {}", start.code, start.talk);
    assert_eq!(home.run(&["ledger", "check"]).code, 3);
}
