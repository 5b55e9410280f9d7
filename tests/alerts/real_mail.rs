//! Mail against a server that nobody here wrote: Python's `aiosmtpd`, or the `smtpd` that older Pythons bring along. Without
//! either the test says so and is left out, unless everything must run (`HANDOFFD_TEST_REAL`).

use super::{an_alert, open, send, settings};
use handoffd::policy::alert::ChannelKind;
use std::io::{BufRead, BufReader, Read as _, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};

/// A running server, which prints what it takes.
struct Real {
    child: Child,
    out: BufReader<ChildStdout>,
    url: String,
}

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// How each of them is started on a port.
fn ways(port: u16) -> [(&'static str, Vec<String>); 2] {
    let words = |line: String| line.split(' ').map(str::to_owned).collect();
    [
        ("aiosmtpd", words(format!("-u -m aiosmtpd -n -c aiosmtpd.handlers.Debugging stdout -l 127.0.0.1:{port}"))),
        ("smtpd", words(format!("-u -W ignore -m smtpd -n -c DebuggingServer 127.0.0.1:{port}"))),
    ]
}

fn start() -> Option<Real> {
    let port = TcpListener::bind("127.0.0.1:0").and_then(|free| free.local_addr()).expect("a port").port();
    let known = |module: &str| {
        let tried = Command::new("python3").args(["-W", "ignore", "-c", &format!("import {module}")]).output();
        tried.is_ok_and(|tried| tried.status.success())
    };
    let Some((_, arguments)) = ways(port).into_iter().find(|(module, _)| known(module)) else {
        assert!(std::env::var_os("HANDOFFD_TEST_REAL").is_none(), "no mail server: install python3-aiosmtpd");
        let _ = writeln!(std::io::stderr(), "left out: mail to a real server; `pip install aiosmtpd` puts one here");
        return None;
    };
    let mut child = Command::new("python3")
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("python starts");
    let out = BufReader::new(child.stdout.take().expect("its output"));
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(child.try_wait().expect("asked").is_none(), "the mail server ended by itself");
        std::thread::yield_now();
    }
    Some(Real { child, out, url: format!("smtp://127.0.0.1:{port}") })
}

#[tokio::test]
async fn a_real_server_takes_a_mail() {
    let Some(mut real) = start() else { return };
    let keys = [("server", real.url.as_str()), ("from", "handoffd@acme.example")];
    let email = open(settings(ChannelKind::Email, &keys, &["billing@acme.example"], true)).expect("open");
    let receipt = send(&email, &an_alert(7)).await.expect("taken");
    let id = receipt.split(' ').next().expect("an id").to_owned();
    let mut printed = Vec::new();
    for line in real.out.by_ref().lines() {
        let line = line.expect("a line");
        let over = line.contains("END MESSAGE");
        printed.push(line);
        if over {
            break;
        }
    }
    let printed = printed.join("\n");
    for words in [id.as_str(), "auto-generated", "A trial of this alert channel"] {
        assert!(printed.contains(words), "{words}: {printed}");
    }
}
