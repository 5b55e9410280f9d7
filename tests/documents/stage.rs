//! Where a document's shell blocks are run: an empty folder with the files that the document saves, and what it takes for granted.

use super::markdown::{Block, Document, root};
use handoffd::ledger::{Durability, Ledger};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// Where `handoffd sandbox` listens in the documents; here it is a port that is free.
const SANDBOX: &str = "127.0.0.1:8790";

pub struct Stage {
    folder: TempDir,
    sandbox: String,
    /// What runs before the first block.
    before: String,
}

/// What came of a document's blocks, one after the other.
pub struct Ran<'d> {
    pub blocks: Vec<(&'d Block, String)>,
}

impl Stage {
    pub fn of(document: &Document) -> Self {
        let free = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
        let stage =
            Self { folder: tempfile::tempdir().expect("a folder"), sandbox: free.to_string(), before: String::new() };
        for block in document.blocks.iter().filter(|block| block.saved_as.is_some()) {
            stage.write(block.saved_as.as_deref().unwrap_or_default(), &block.text);
        }
        stage.made_ready(&document.name)
    }

    /// What a document takes for granted, beside what it tells itself.
    fn made_ready(mut self, document: &str) -> Self {
        match document {
            // A daemon that runs. Nobody answers where its desk is.
            "docs/OPERATIONS.md" => {
                let listen = self.sandbox.clone();
                let policy = Document::read("README.md").saved("handoffd.toml").replace(SANDBOX, "127.0.0.1:9");
                self.write("handoffd.toml", format!("[daemon]\nlisten = \"{listen}\"\n{policy}"));
                self.before = "echo nobody-asks > sandbox.secret && chmod 600 sandbox.secret
                    handoffd run >run.out 2>&1 &
                    until [ -S handoffd.db.sock ]; do kill -0 $!; done\n"
                    .to_owned();
            }
            // A policy, another one, a ledger, and a desk with a past.
            "docs/REPORTS.md" => {
                let policy = Document::read("README.md").saved("handoffd.toml").to_owned();
                self.write("other.toml", policy.replace("500.0", "5000.0"));
                self.write("handoffd.toml", policy);
                self.before = format!(
                    "echo sandbox-client-secret > sandbox.secret && chmod 600 sandbox.secret\nhandoffd sandbox --listen {} >sandbox.out 2>&1 &\n{}",
                    self.sandbox,
                    self.until_it_answers()
                );
                drop(Ledger::open(&self.path("handoffd.db"), Durability::Process).expect("a ledger"));
            }
            "docs/templates/README.md" => {
                std::os::unix::fs::symlink(root().join("docs"), self.path("docs")).expect("linked");
            }
            _ => {}
        }
        self
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let content = content.as_ref();
        let text = std::str::from_utf8(content).map(|text| text.replace(SANDBOX, &self.sandbox).into_bytes());
        std::fs::write(self.path(name), text.unwrap_or_else(|_| content.to_vec())).expect("written");
    }

    /// Runs a document's blocks in one shell, which ends with the first command that fails.
    pub fn run<'d>(&self, document: &'d Document) -> Ran<'d> {
        let runs = |block: &&Block| block.language == "sh" && block.info.is_empty();
        let blocks: Vec<&Block> = document.blocks.iter().filter(runs).collect();
        let mut script = "set -euo pipefail\ntrap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT\n".to_owned();
        script += &self.before;
        let folder = self.folder.path().display();
        for block in &blocks {
            let (line, text) = (block.line, self.placed(&block.text));
            script +=
                &format!("echo {line} >'{folder}/at'\n{{\n{text}}} >'{folder}/out.{line}' 2>'{folder}/err.{line}'\n");
            if text.contains("handoffd sandbox") {
                script += &self.until_it_answers();
            }
        }
        let code = shell(&script, self.folder.path());
        let read = |name: String| std::fs::read_to_string(self.path(&name)).unwrap_or_default();
        if code != Some(0) {
            let at = read("at".to_owned());
            let at = at.trim();
            let (out, err) = (read(format!("out.{at}")), read(format!("err.{at}")));
            panic!("{}:{at} ended with {code:?}\n--- stdout\n{out}\n--- stderr\n{err}", document.name);
        }
        Ran { blocks: blocks.into_iter().map(|block| (block, read(format!("out.{}", block.line)))).collect() }
    }

    /// Waits for the embedded helpdesk that was just started, as long as it lives.
    fn until_it_answers(&self) -> String {
        let (host, port) = self.sandbox.split_once(':').expect("an address");
        format!("until (exec 3<>/dev/tcp/{host}/{port}) 2>/dev/null; do kill -0 $!; done\n")
    }

    /// The embedded helpdesk at the port that is free; nothing else of a block is changed.
    fn placed(&self, text: &str) -> String {
        text.replace("handoffd sandbox", &format!("handoffd sandbox --listen {}", self.sandbox))
    }
}

fn shell(script: &str, folder: &Path) -> Option<i32> {
    let binary = Path::new(env!("CARGO_BIN_EXE_handoffd")).parent().expect("a folder");
    let path = std::env::var("PATH").unwrap_or_default();
    let mut command = Command::new("bash");
    command.args(["-c", script]).current_dir(folder).stdin(Stdio::null());
    command.env("PATH", format!("{}:{path}", binary.display())).env("NO_COLOR", "1").env_remove("HANDOFFD_CONFIG");
    command.status().expect("bash").code()
}
