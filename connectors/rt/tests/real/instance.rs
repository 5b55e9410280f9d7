//! A Request Tracker of this test run's own: made in a temporary folder, on a free port, stopped and removed at the end.
//! The connector's tests and the daemon's share this file.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;

/// People that the suite needs and the seed does not have: an agent of two queues, a reader without rights to change,
/// and a customer who can write. RT's REST has no way to make them.
const PEOPLE: &str = include_str!("people.pl");

const GUIDE: &str = include_str!("../../README.md");

/// A running RT.
pub struct Instance {
    script: PathBuf,
    dir: PathBuf,
    /// The address that people open.
    pub url: String,
    tokens: Vec<(String, String)>,
}

/// Why there is none, for people.
enum Missing {
    /// Not here: the tests are left out.
    NotInstalled(String),
    /// Here, and broken.
    Broken(String),
}

impl Instance {
    /// One for a test, or none where none is installed: then the test says so and is left out, unless everything must
    /// run (`HANDOFFD_TEST_REAL`). One that is installed and does not start is a failure.
    pub fn for_tests(hook: &str) -> Option<Self> {
        match Self::start(hook) {
            Ok(instance) => Some(instance),
            Err(Missing::Broken(why)) => panic!("the real Request Tracker did not start: {why}"),
            Err(Missing::NotInstalled(why)) if std::env::var_os("HANDOFFD_TEST_REAL").is_some() => {
                panic!("no Request Tracker: {why}")
            }
            Err(Missing::NotInstalled(why)) => {
                // Past the capture of passing tests: what was not tried must be seen.
                let _ = writeln!(std::io::stderr(), "left out: the tests against a real Request Tracker; {why}");
                None
            }
        }
    }

    /// Makes, seeds and serves one; the guide's scrip posts every transaction to `hook`.
    fn start(hook: &str) -> Result<Self, Missing> {
        let Some(script) = script() else {
            return Err(Missing::NotInstalled("there is no shared/desks/rt5 beside the workspace".into()));
        };
        let known = Command::new("sh").args(["-c", "command -v rt-setup-database-5 starman sqlite3"]).output();
        if !known.is_ok_and(|found| found.status.success()) {
            return Err(Missing::NotInstalled("`shared/desks/rt5 install` puts one on this machine (as root)".into()));
        }
        let dir = folder().join(format!("handoffd-rt-{}", std::process::id()));
        let broken = |error: std::io::Error| Missing::Broken(error.to_string());
        let port =
            TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).map_err(broken)?.port().to_string();
        let mut instance = Self { url: format!("http://127.0.0.1:{port}"), script, dir, tokens: Vec::new() };
        let start = ["start", "--port", &port, "--workers", "3"];
        let seeded = seeded(&instance.script);
        let kept = seeded.is_dir();
        if kept {
            run(Command::new("cp").arg("-r").arg(&seeded).arg(&instance.dir))?;
        }
        instance.script(&start)?;
        // Rights are remembered by the server's processes, so people are added while it rests.
        instance.script(&["stop"])?;
        if !kept {
            keep(&instance.dir, &seeded).map_err(broken)?;
        }
        let people = instance.perl(&scrip(hook))?;
        let started = instance.script(&start)?;
        instance.tokens = started.lines().chain(people.lines()).filter_map(pair).collect();
        Ok(instance)
    }

    /// A token by its name.
    pub fn token(&self, name: &str) -> String {
        let found = self.tokens.iter().find(|(known, _)| known == name);
        found.map(|(_, token)| token.clone()).unwrap_or_else(|| panic!("no token {name} in {:?}", names(&self.tokens)))
    }

    fn script(&self, arguments: &[&str]) -> Result<String, Missing> {
        let mut command = Command::new("bash");
        command.arg(&self.script).args(arguments).arg("--dir").arg(&self.dir);
        run(&mut command)
    }

    fn perl(&self, scrip: &str) -> Result<String, Missing> {
        let file = self.dir.join("people.pl");
        std::fs::write(&file, PEOPLE).map_err(|error| Missing::Broken(error.to_string()))?;
        let mut command = Command::new("perl");
        command.args(["-I", "/usr/share/request-tracker5/lib"]).arg(file);
        command.env("SCRIP", scrip).env("RT_SITE_CONFIG", self.dir.join("etc/RT_SiteConfig.pm"));
        command.env("RT_SITE_CONFIG_DIR", self.dir.join("etc/site.d"));
        run(&mut command)
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        if self.script(&["stop"]).is_ok() {
            let _ = std::fs::remove_dir_all(&self.dir);
        }
    }
}

/// What makes instances: beside the workspace, whichever of its packages is tested.
fn script() -> Option<PathBuf> {
    let above = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors();
    above.map(|folder| folder.join("../shared/desks/rt5")).find(|script| script.exists())
}

/// Where an instance as it was right after seeding is kept, from which later ones are made: the tests of one build are several
/// binaries, and seeding takes half a minute. It is known by what made it.
fn seeded(script: &Path) -> PathBuf {
    let mut made_by = DefaultHasher::new();
    std::fs::read(script).unwrap_or_default().hash(&mut made_by);
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("request-tracker-{:016x}", made_by.finish()))
}

/// Keeps a copy, whole or not at all: another binary may be at the same.
fn keep(instance: &Path, seeded: &Path) -> std::io::Result<()> {
    let half = seeded.with_extension(std::process::id().to_string());
    std::fs::create_dir_all(half.parent().unwrap_or(&half))?;
    let copied = Command::new("cp").arg("-r").arg(instance).arg(&half).status()?.success();
    if copied && std::fs::rename(&half, seeded).is_ok() { Ok(()) } else { std::fs::remove_dir_all(&half) }
}

/// The scrip that the guide gives to admins, with the address of this test.
fn scrip(hook: &str) -> String {
    let code = GUIDE.split_once("```perl\n").and_then(|(_, rest)| rest.split_once("```")).map(|(code, _)| code);
    let code = code.unwrap_or_else(|| panic!("the guide has no scrip"));
    let address = "https://handoffd.acme.example/hooks/acme/TOKEN";
    assert!(code.contains(address), "the guide's scrip posts somewhere else");
    code.replace(address, hook)
}

/// In memory where there is room: RT's database waits for the disk at every change.
fn folder() -> PathBuf {
    let memory = PathBuf::from("/dev/shm");
    if memory.is_dir() { memory } else { std::env::temp_dir() }
}

fn run(command: &mut Command) -> Result<String, Missing> {
    let output = command.output().map_err(|error| Missing::Broken(error.to_string()))?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        return Err(Missing::Broken(format!("{command:?}: {said}")));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn pair(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=')?;
    Some((name.to_owned(), value.trim_matches('\'').to_owned()))
}

fn names(tokens: &[(String, String)]) -> Vec<&str> {
    tokens.iter().map(|(name, _)| name.as_str()).collect()
}
