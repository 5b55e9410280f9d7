//! The real binary: the signal and the command, with exit codes and what is printed. Its desk cannot be reached.

use handoffd::clock::SystemClock;
use handoffd_kit::clock::Clock;
use jiff::SignedDuration;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;
use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_handoffd");

struct Daemon {
    folder: TempDir,
    listen: SocketAddr,
    child: Child,
    /// Where it tells its service manager how far it is.
    manager: UnixDatagram,
}

fn policy(listen: SocketAddr) -> String {
    let text = super::policy(super::Dialect::Zendesk).replace("https://acme.zendesk.com", "http://127.0.0.1:9");
    text.replacen("[daemon]", &format!("[daemon]\nlisten = \"{listen}\""), 1)
}

impl Daemon {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("folder");
        let listen = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a free port");
        std::fs::write(folder.path().join("handoffd.toml"), policy(listen)).expect("written");
        std::fs::write(folder.path().join("login"), "a-secret").expect("written");
        let manager = UnixDatagram::bind(folder.path().join("notify")).expect("bound");
        manager.set_read_timeout(Some(Duration::from_secs(30))).expect("set");
        let mut command = Command::new(BINARY);
        command.env("NOTIFY_SOCKET", folder.path().join("notify"));
        command.current_dir(folder.path()).arg("run").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let daemon = Self { folder, listen, child: command.spawn().expect("started"), manager };
        assert!(daemon.told().starts_with("READY=1\nSTATUS=handoffd is ready on "));
        assert!(daemon.get("/readyz").expect("answered").contains("200 OK"), "ready is ready");
        daemon
    }

    /// What the service manager was told next.
    fn told(&self) -> String {
        let mut words = [0; 500];
        let length = self.manager.recv(&mut words).expect("told within half a minute");
        text(&words[..length])
    }

    fn version(&self, change: (&str, &str)) -> String {
        version(self.listen, &self.folder, change)
    }

    fn write(&self, text: impl AsRef<[u8]>) {
        std::fs::write(self.folder.path().join("handoffd.toml"), text).expect("written");
    }

    fn hang_up(&self) {
        self.signal("-HUP");
    }

    fn signal(&self, signal: &str) {
        let told = Command::new("kill").args([signal, &self.child.id().to_string()]).status().expect("kill runs");
        assert!(told.success());
    }

    fn run(&self, arguments: &[&str]) -> Output {
        Command::new(BINARY).current_dir(self.folder.path()).args(arguments).output().expect("ran")
    }

    fn get(&self, path: &str) -> std::io::Result<String> {
        let mut stream = TcpStream::connect(self.listen)?;
        stream.set_read_timeout(Some(Duration::from_secs(10)))?;
        write!(stream, "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n\r\n", self.listen)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    /// Another process decides when it is so: it is asked until it is, for half a minute at most.
    fn wait_for(&self, path: &str, wanted: &str) {
        let end = SystemClock.now() + SignedDuration::from_secs(30);
        let mut last = String::new();
        while SystemClock.now() < end {
            match self.get(path) {
                Ok(answer) if answer.contains(wanted) => return,
                Ok(answer) => last = answer,
                Err(_) => {}
            }
            std::thread::yield_now();
        }
        panic!("{path} never said {wanted}, but: {last}");
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn version(listen: SocketAddr, folder: &TempDir, change: (&str, &str)) -> String {
    let text = policy(listen).replace(change.0, change.1);
    handoffd::config::read(&text, "handoffd.toml", folder.path()).expect("good").policy.version
}

#[test]
fn a_hangup_and_the_command_take_a_good_file_in_and_leave_a_bad_one() {
    let mut daemon = Daemon::start();
    let good = policy(daemon.listen);
    let second = ("first wording", "second wording");
    daemon.write(good.replace(second.0, second.1));
    daemon.hang_up();
    daemon.wait_for("/metrics", &version(daemon.listen, &daemon.folder, second));

    daemon.write(&good);
    let done = daemon.run(&["reload"]);
    let (out, talk) = (text(&done.stdout), text(&done.stderr));
    assert_eq!(done.status.code(), Some(0), "{talk}");
    assert!(out.contains("escalate.refund") && out.contains("reason:") && out.contains("first wording"), "{out}");
    let done = daemon.run(&["--json", "reload"]);
    let json: serde_json::Value = serde_json::from_slice(&done.stdout).expect("JSON");
    assert_eq!((&json["touched"], &json["changes"]["policy"]), (&0.into(), &serde_json::json!([])));

    for (bad, said) in [
        (good.as_bytes()[..good.len() - 40].to_vec(), "handoffd.toml:"),
        ([good.as_bytes(), &[0xff]].concat(), "not UTF-8"),
        (Vec::new(), "no desk is configured"),
    ] {
        daemon.write(&bad);
        let done = daemon.run(&["reload"]);
        let talk = text(&done.stderr);
        assert_eq!(done.status.code(), Some(2), "{talk}");
        assert!(talk.contains(said) && talk.contains("what ran before goes on"), "{talk}");
    }
    daemon.hang_up();
    daemon.wait_for("/healthz", "was not reloaded");
    daemon.write(good.replace("http://127.0.0.1:9", "http://127.0.0.1:10"));
    let done = daemon.run(&["reload"]);
    assert_eq!(done.status.code(), Some(1));
    assert!(text(&done.stderr).contains("[desks.acme] url"), "{}", text(&done.stderr));

    daemon.write(&good);
    let second = version(daemon.listen, &daemon.folder, second);
    let done = daemon.run(&["policy", "rollback", &second, "--reason", "it was better", "--yes"]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    let told = text(&done.stdout);
    let lines: Vec<&str> = told.lines().filter(|line| !line.trim().is_empty()).collect();
    let once: std::collections::BTreeSet<&str> = lines.iter().copied().collect();
    assert!(lines.len() > 2 && once.len() == lines.len(), "what changes is told once: {told}");
    assert!(daemon.get("/metrics").expect("answered").contains(&second), "at once");
    let done = daemon.run(&["policy", "rollback", "file", "--reason", "it was not"]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert!(!daemon.get("/metrics").expect("answered").contains(&second), "at once");

    daemon.child.kill().expect("killed");
    daemon.child.wait().expect("ended");
    let done = daemon.run(&["reload"]);
    assert_eq!(done.status.code(), Some(3), "{}", text(&done.stderr));
}

#[test]
fn what_goes_to_the_daemon_gets_there_though_the_file_is_broken_by_now() {
    let daemon = Daemon::start();
    let first = daemon.version(("first wording", "first wording"));
    daemon.write(policy(daemon.listen).replace("first wording", "second wording"));
    assert_eq!(daemon.run(&["reload"]).status.code(), Some(0));
    daemon.write(format!("{}\nx=", policy(daemon.listen)));
    assert_eq!(daemon.run(&["check"]).status.code(), Some(2), "it is broken");
    for command in [
        &["pause"][..],
        &["resume"],
        &["pause", "--rule", "refund", "--as", "lead"],
        &["reviews", "list"],
        &["handoffs", "list"],
        &["handoffs", "release", "--rule", "refund", "--limit", "1"],
        &["parked", "list"],
        &["owners", "list"],
        &["policy", "history"],
        &["policy", "rollback", &first, "--reason", "it was better", "--yes"],
    ] {
        let done = daemon.run(command);
        assert_eq!(done.status.code(), Some(0), "{command:?}: {}", text(&done.stderr));
    }
    assert!(daemon.get("/metrics").expect("answered").contains(&first), "at once");
    for command in [
        &["reviews", "approve", "h1", "--as", "lead"][..],
        &["parked", "retry", "--all"],
        &["policy", "rollback", &first, "--reason", "once more", "--yes"],
    ] {
        let done = daemon.run(command);
        let talk = text(&done.stderr);
        assert_eq!(done.status.code(), Some(1), "{command:?}: {talk}");
        assert!(!talk.contains("cannot be used"), "it was the daemon that answered: {talk}");
    }
    let done = daemon.run(&["policy", "rollback", "file", "--reason", "as it was last read"]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert!(!daemon.get("/metrics").expect("answered").contains(&first), "at once");
}

#[test]
fn health_is_told_beside_a_file_that_is_broken_by_now_and_the_service_manager_hears_the_end() {
    let mut daemon = Daemon::start();
    daemon.write("[daemon\nnonsense");
    let done = daemon.run(&["health"]);
    let out = text(&done.stdout);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stderr));
    assert!(out.contains("  next: ") || out.starts_with("ok"), "{out}");
    let done = daemon.run(&["--json", "health"]);
    let told: serde_json::Value = serde_json::from_slice(&done.stdout).expect("JSON");
    assert!(told["status"].is_string() && told["reasons"].is_array(), "{told}");
    daemon.signal("-TERM");
    assert!(daemon.told().starts_with("STOPPING=1\n"));
    assert!(daemon.child.wait().expect("ended").success());
    let done = daemon.run(&["health"]);
    assert_eq!(done.status.code(), Some(3), "{}", text(&done.stdout));
    assert!(text(&done.stderr).contains("`handoffd run` starts it"), "{}", text(&done.stderr));
    let done = daemon.run(&["health", "--config", "nowhere.toml"]);
    assert_eq!(done.status.code(), Some(2), "{}", text(&done.stderr));
}
