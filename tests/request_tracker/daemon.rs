//! The real binary in a folder of its own, with one token.

use crate::until;
use assert_cmd::Command;
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::Duration;
use tempfile::TempDir;

/// The last part of the hook's address.
pub const HOOK_TOKEN: &str = "0123456789abcdef";

/// A bounded run may take so long; Request Tracker answers a few requests a second.
const RUN: Duration = Duration::from_secs(120);

/// A folder with configuration and ledger, for runs with one token.
pub struct House {
    folder: TempDir,
    token: String,
    listen: String,
}

/// What a command did.
#[derive(Debug)]
pub struct Done {
    pub code: i32,
    pub out: String,
    pub talk: String,
}

impl House {
    /// A house on the desk at this address, whose tickets count from `start` on.
    pub fn new(desk: &str, listen: &str, start: &str, token: String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let policy = include_str!("policy.toml").replace("\"URL\"", &format!("\"{desk}\""));
        let policy = policy.replace("\"LISTEN\"", &format!("\"{listen}\"")).replace("START", start);
        std::fs::write(folder.path().join("handoffd.toml"), policy).unwrap();
        Self { folder, token, listen: listen.to_owned() }
    }

    /// Runs a command to its end.
    pub fn run(&self, arguments: &[&str]) -> Done {
        let mut command = Command::new(env!("CARGO_BIN_EXE_handoffd"));
        command.current_dir(self.folder.path()).args(arguments).timeout(RUN);
        let output = command.env("RT_TOKEN", &self.token).env("RT_HOOK_TOKEN", HOOK_TOKEN).output().unwrap();
        Done {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            talk: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// What a command that must succeed says in JSON.
    pub fn json(&self, arguments: &[&str]) -> Value {
        let done = self.run(&[&["--json"], arguments].concat());
        assert_eq!(done.code, 0, "{arguments:?}: {done:?}");
        serde_json::from_str(&done.out).unwrap()
    }

    /// The handoff of a ticket, if there is one.
    pub fn handoff(&self, ticket: &str) -> Option<Value> {
        let handoffs = self.json(&["handoffs", "list"]);
        let mut of_ticket =
            handoffs.as_array().unwrap().iter().filter(|one| one["ticket"] == format!("rt/{ticket}")).cloned();
        let handoff = of_ticket.next();
        assert!(of_ticket.next().is_none(), "two handoffs of {ticket}: {handoffs}");
        handoff
    }

    /// Waits until the handoff of a ticket is in this state.
    pub async fn becomes(&self, ticket: &str, state: &str) -> Value {
        let mut last = None;
        let reached = until(async || {
            last = self.handoff(ticket);
            last.clone().filter(|handoff| handoff["state"] == state)
        });
        let reached = reached.await;
        reached.unwrap_or_else(|| panic!("{ticket} is not {state}: {last:#?}\n{}", self.log()))
    }

    /// Starts the daemon and waits until it is ready.
    pub async fn start(&self) -> Running {
        let log = std::fs::File::options().create(true).append(true).open(self.log_path()).unwrap();
        let child = std::process::Command::new(env!("CARGO_BIN_EXE_handoffd"))
            .current_dir(self.folder.path())
            .arg("run")
            .env("RT_TOKEN", &self.token)
            .env("RT_HOOK_TOKEN", HOOK_TOKEN)
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let running = Running(child);
        let ready = until(async || self.page("/readyz").await.filter(|(status, _)| *status == 200)).await;
        assert!(ready.is_some(), "the daemon is not ready:\n{}", self.log());
        running
    }

    /// What the daemon answers; none: it does not.
    pub async fn page(&self, path: &str) -> Option<(u16, Value)> {
        let answer = crate::http_get(&format!("http://{}{path}", self.listen)).await?;
        let body = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
        Some((answer.status().as_u16(), body))
    }

    /// What the daemon has said so far, for failures.
    pub fn log(&self) -> String {
        std::fs::read_to_string(self.log_path()).unwrap_or_default()
    }

    fn log_path(&self) -> PathBuf {
        self.folder.path().join("run.log")
    }
}

/// A running daemon; killed at the latest when this is dropped.
pub struct Running(Child);

impl Running {
    /// `kill -9`.
    pub fn kill(mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
