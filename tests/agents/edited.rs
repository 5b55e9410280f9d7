//! `handoffd reviews edit` from outside, on the ledger of a case that waits for a yes: what it takes, what it refuses, and what
//! travels afterwards.

use crate::stage::{DIALECTS, Stage, new_ledger, policy, two_rules};
use handoffd::ledger::{Durability, Handle, Ledger};
use handoffd_kit::id::DeskId;
use serde_json::Value;
use std::io::Write as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// A folder with a configuration and the ledger of a stage.
struct Desktop(TempDir);

/// What a command did.
#[derive(Debug)]
struct Done {
    code: Option<i32>,
    out: String,
    talk: String,
}

impl Desktop {
    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn ledger(&self) -> Ledger {
        Ledger::open(&self.path("handoffd.db"), Durability::Process).expect("free")
    }

    fn run(&self, arguments: &[&str], input: &str) -> Done {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handoffd"));
        command.current_dir(self.0.path()).args(arguments).env_remove("VISUAL").env("EDITOR", "false");
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("started");
        // Who does not read its input has ended before.
        let _ = child.stdin.take().expect("its input").write_all(input.as_bytes());
        let ended = child.wait_with_output().expect("ended");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("text");
        Done { code: ended.status.code(), out: text(ended.stdout), talk: text(ended.stderr) }
    }

    fn edit(&self, id: &str, more: &[&str], input: &str) -> Done {
        self.run(&[&["reviews", "edit", id], more].concat(), input)
    }

    fn versions(&self, id: &str) -> usize {
        let whole: Value = serde_json::from_str(&self.run(&["--json", "reviews", "show", id], "").out).expect("JSON");
        whole["packages"].as_array().expect("versions").len()
    }
}

#[test]
fn a_package_is_edited_from_the_command_line_part_by_part_by_file_and_by_input() {
    for dialect in DIALECTS {
        let folder = Desktop(TempDir::new().expect("a folder"));
        std::fs::write(folder.path("handoffd.toml"), policy(dialect, &two_rules())).expect("written");
        let mut stage = Stage::new(dialect);
        let mut ledger = folder.ledger();
        ledger.desk_met(&DeskId::from("acme"), stage.now()).expect("met");
        drop(stage.goes_on_with(Handle::inline(ledger, None)));
        let ticket = stage.opens("Support", &["refund"]);
        stage.notes("frontline-1", ticket, "/handoff second-line needs a developer");
        assert_eq!(stage.states(), ["in_review"], "{dialect:?}");
        let id = stage.handoffs()[0].id.clone();
        // No daemon holds the ledger: the command does it itself.
        drop(stage.goes_on_with(new_ledger(stage.now())));

        let lead = ["--as", "tier2-lead"];
        for (more, input, said) in [
            (&["--set", "question="][..], "", "says already"),
            (&["--set", "question"], "", "PART=TEXT"),
            (&["--set", "surprise=x"], "", "no part is called so"),
            (&["--set", "question=x", "--file", "-"], "", "cannot be used with"),
            (&["--set", "summary=a\u{1b}[2K"], "", "control character"),
            (&["--set", "summary=1\n2\n3\n4\n5\n6"], "", "at most 5"),
            (&["--file", "nowhere.txt"], "", "cannot be read"),
            (&["--file", "-"], "", "no part"),
            (&["--file", "-"], "words\n[summary]\n", "line 1"),
            (&["--file", "-"], "[summary]\na\n[surprise]\n", "line 3"),
            (&["--file", "-"], &"[summary]\n".repeat(20_000), "larger than 64 KiB"),
            (&[], "", "nothing is to be changed"),
        ] {
            let done = folder.edit(&id, &[&lead[..], more].concat(), input);
            assert_eq!((done.code, done.out.as_str()), (Some(2), ""), "{dialect:?}, {more:?}: {done:?}");
            assert!(done.talk.contains(said) && !done.talk.contains('\u{1b}'), "{dialect:?}, {more:?}: {done:?}");
        }
        assert_eq!(folder.edit(&id, &["--set", "question=x"], "").code, Some(2), "whoever edits says who they are");
        for (id, who, said) in [
            (id.as_str(), "billing-1", "tier2-lead"),
            (id.as_str(), "nobody@acme.example", "may not decide"),
            ("h0000", "tier2-lead", "h0000"),
        ] {
            let done = folder.edit(id, &["--as", who, "--set", "question=x"], "");
            assert_eq!((done.code, done.out.as_str()), (Some(1), ""), "{dialect:?}, {who}: {done:?}");
            assert!(done.talk.contains(said), "{dialect:?}, {who}: {done:?}");
        }
        assert_eq!(folder.versions(&id), 0, "{dialect:?}: none of these has left anything");

        let done = folder.edit(&id, &[&lead[..], &["--set", "question=Which of the two is void?"]].concat(), "");
        assert_eq!(done.code, Some(0), "{dialect:?}: {done:?}");
        assert!(done.out.contains("version 2"), "{dialect:?}: {done:?}");
        std::fs::write(folder.path("package.txt"), "# ours\n[summary]\n- Charged twice, see invoice 7\n")
            .expect("written");
        let done = folder.edit(&id, &[&lead[..], &["--file", "package.txt"]].concat(), "");
        assert!(done.code == Some(0) && done.out.contains("version 3"), "{dialect:?}: {done:?}");
        let done = folder.edit(&id, &[&lead[..], &["--file", "-"]].concat(), "[urgency]\ntoday\n");
        assert!(done.code == Some(0) && done.out.contains("version 4"), "{dialect:?}: {done:?}");
        assert_eq!(folder.versions(&id), 4, "{dialect:?}: every version is kept, with the first");
        let shown = folder.run(&["reviews", "show", &id], "").out;
        for words in ["version 2 by tier2-lead", "question was: nothing", "version 4 by tier2-lead", "summary was: "] {
            assert!(shown.contains(words), "{dialect:?}: {words}: {shown}");
        }

        drop(stage.goes_on_with(Handle::inline(folder.ledger(), None)));
        stage.notes("tier2-1", ticket, "/approve");
        assert_eq!(stage.queue(ticket), "Tier 2", "{dialect:?}: {:?}", stage.ours(ticket));
        let note = stage.ours(ticket).pop().expect("a note");
        for words in ["Which of the two is void?", "see invoice 7", "today", "an edit by tier2-lead"] {
            assert!(note.contains(words), "{dialect:?}: {words}: {note}");
        }
        drop(stage.goes_on_with(new_ledger(stage.now())));
        let done = folder.edit(&id, &[&lead[..], &["--set", "question=too late"]].concat(), "");
        assert!(done.code == Some(1) && done.talk.contains("not in review"), "{dialect:?}: {done:?}");
    }
}
