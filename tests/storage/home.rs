//! A folder with a configuration and a ledger, and the real binary in it.

use assert_cmd::Command;
use handoffd::ledger::{Durability, Ledger};
use serde_json::Value;
use std::path::PathBuf;
use tempfile::TempDir;

const POLICY: &str = r#"
[policy]
owner = "support-ops@acme.example"

[desks.acme]
connector = "zendesk"
url       = "http://127.0.0.1:1"
login     = { client_id = "handoffd", client_secret = { env = "SECRET" } }
intake    = ["Incoming"]

[teams.frontline]
tier  = 1
desk  = "acme"
queue = "Support"

[[route]]
name = "everything-else"
desk = "acme"
to   = "frontline"
"#;

/// The folder.
pub struct Home(TempDir);

/// What a command did.
pub struct Done {
    pub code: i32,
    pub out: String,
    pub talk: String,
}

impl Done {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.out)
            .unwrap_or_else(|_| panic!("one JSON value on stdout: {} {}", self.out, self.talk))
    }
}

impl Home {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        std::fs::write(folder.path().join("handoffd.toml"), POLICY).expect("written");
        Self(folder)
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn ledger(&self) -> Ledger {
        Ledger::open(&self.path("handoffd.db"), Durability::Process).expect("free")
    }

    pub fn run(&self, arguments: &[&str]) -> Done {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handoffd"));
        command.args(arguments);
        self.done(command)
    }

    /// Runs a line of the shell, in which `$0` is the binary.
    pub fn shell(&self, line: &str) -> Done {
        let mut command = Command::new("sh");
        command.args(["-c", line, env!("CARGO_BIN_EXE_handoffd")]);
        self.done(command)
    }

    fn done(&self, mut command: Command) -> Done {
        let output = command.current_dir(self.0.path()).env("SECRET", "never used").output().expect("ran");
        Done {
            code: output.status.code().expect("an exit code, no signal"),
            out: String::from_utf8(output.stdout).expect("text"),
            talk: String::from_utf8(output.stderr).expect("text"),
        }
    }
}
