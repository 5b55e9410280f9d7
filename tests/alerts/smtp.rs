//! Mail against a server that takes the steps of SMTP strictly (RFC 5321): each in its turn, lines ended by CR LF, nothing
//! beyond ASCII, and answers as it is told.

use super::{an_alert, open, send, settings};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use handoffd::alert::{Channel, Failure};
use handoffd::policy::alert::ChannelKind;
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// At which step the server does something else than it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// Says this instead, at the step that begins so.
    Says(&'static str, &'static str),
    /// Cuts the line when the step that begins so has arrived.
    Cuts(&'static str),
}

/// A message as it arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Mail {
    login: Option<String>,
    from: String,
    to: Vec<String>,
    text: String,
}

struct Server {
    url: String,
    mails: Arc<Mutex<Vec<Mail>>>,
}

impl Server {
    async fn with(fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("smtp://{}", listener.local_addr().expect("an address"));
        let mails = Arc::new(Mutex::new(Vec::new()));
        let taken = mails.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let taken = taken.clone();
                tokio::spawn(async move { session(stream, fault, &taken).await });
            }
        });
        Self { url, mails }
    }

    fn email(&self) -> Arc<dyn Channel> {
        let keys =
            [("server", self.url.as_str()), ("from", "handoffd@acme.example"), ("user", "u"), ("password", "hush")];
        let to = ["billing@acme.example", "ops@acme.example"];
        open(settings(ChannelKind::Email, &keys, &to, false)).expect("open")
    }

    fn mails(&self) -> Vec<Mail> {
        self.mails.lock().expect("unbroken").clone()
    }
}

/// One session, strictly in its order; gives up at the first step that is none.
async fn session(stream: TcpStream, fault: Fault, taken: &Mutex<Vec<Mail>>) -> Option<()> {
    let mut line = Session { stream: BufReader::new(stream), fault };
    line.says("220 mail.acme.example ESMTP").await?;
    line.expects("EHLO ").await?;
    line.says("250-mail.acme.example\r\n250-AUTH PLAIN\r\n250 SIZE 100000").await?;
    let mut mail = Mail::default();
    let login = line.expects("AUTH PLAIN ").await?;
    mail.login = Some(String::from_utf8(STANDARD.decode(login).expect("base 64")).expect("text"));
    line.says("235 2.7.0 welcome").await?;
    mail.from = line.expects("MAIL FROM:").await?;
    line.says("250 2.1.0 fine").await?;
    for _ in 0..2 {
        mail.to.push(line.expects("RCPT TO:").await?);
        line.says("250 2.1.5 fine").await?;
    }
    line.expects("DATA").await?;
    line.says("354 go on").await?;
    mail.text = line.message().await?;
    taken.lock().expect("unbroken").push(mail);
    line.says("250 2.0.0 taken as 4711").await?;
    line.expects("QUIT").await?;
    line.says("221 bye").await
}

struct Session {
    stream: BufReader<TcpStream>,
    fault: Fault,
}

impl Session {
    async fn says(&mut self, words: &str) -> Option<()> {
        self.stream.get_mut().write_all(format!("{words}\r\n").as_bytes()).await.ok()
    }

    async fn read(&mut self) -> Option<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        assert!(line.is_ascii() && line.len() <= 1_000, "{line:?}");
        let line = line.strip_suffix("\r\n").unwrap_or_else(|| panic!("a line ends with CR LF: {line:?}"));
        assert!(!line.contains(['\r', '\n', '\0']), "{line:?}");
        Some(line.to_owned())
    }

    /// The rest of a step that begins so.
    async fn expects(&mut self, step: &str) -> Option<String> {
        let line = self.read().await?;
        let rest = line.strip_prefix(step).unwrap_or_else(|| panic!("{step} is next, not {line:?}"));
        self.step(step.trim()).await?;
        Some(rest.to_owned())
    }

    /// Does what it is told at this step; none: the session is over.
    async fn step(&mut self, step: &str) -> Option<()> {
        match self.fault {
            Fault::Says(at, words) if at == step => {
                self.says(words).await?;
                None
            }
            Fault::Cuts(at) if at == step => None,
            _ => Some(()),
        }
    }

    /// A message up to its last line, dots taken off.
    async fn message(&mut self) -> Option<String> {
        let mut lines = Vec::new();
        loop {
            let line = self.read().await?;
            if line == "." {
                break;
            }
            assert!(!line.starts_with('.') || line.starts_with(".."), "a dot is doubled: {line:?}");
            lines.push(line.strip_prefix('.').map_or(line.clone(), str::to_owned));
        }
        self.step("message").await?;
        Some(lines.join("\n"))
    }
}

#[tokio::test]
async fn a_mail_arrives_whole_at_all_recipients_and_says_that_a_machine_wrote_it() {
    let server = Server::with(Fault::None).await;
    let receipt = send(&server.email(), &an_alert(1)).await.expect("taken");
    let mails = server.mails();
    let [mail] = mails.as_slice() else { panic!("one mail: {mails:?}") };
    assert_eq!(mail.login.as_deref(), Some("\0u\0hush"));
    assert_eq!(mail.from, "<handoffd@acme.example>");
    assert_eq!(mail.to, ["<billing@acme.example>", "<ops@acme.example>"]);
    let (heads, body) = mail.text.split_once("\n\n").expect("heads and a body");
    let head = |name: &str| {
        let all: Vec<&str> = heads.lines().filter_map(|line| line.strip_prefix(name)).collect();
        assert_eq!(all.len(), 1, "{name}{heads}");
        all[0].to_owned()
    };
    assert_eq!(head("Auto-Submitted: "), "auto-generated");
    let id = head("Message-ID: ");
    assert!(id.starts_with("<handoffd.") && id.ends_with("@acme.example>"), "{id}");
    assert!(receipt.starts_with(&id), "{receipt}");
    assert!(body.replace("=\n", "").contains(&an_alert(1).key.replace('=', "=3D")), "{body}");
    send(&server.email(), &an_alert(1)).await.expect("taken");
    let again = &server.mails()[1];
    assert!(again.text.contains(&format!("Message-ID: {id}")), "the same id over all tries");
}

#[tokio::test]
async fn what_a_server_says_is_passing_or_final_and_a_line_that_is_cut_says_what_it_cut() {
    for (fault, failure) in [
        (Fault::Says("EHLO", "421 busy"), Failure::Again(None)),
        (Fault::Says("AUTH PLAIN", "535 5.7.8 no"), Failure::Refused),
        (Fault::Says("MAIL FROM:", "451 later"), Failure::Again(None)),
        (Fault::Says("RCPT TO:", "550 5.1.1 nobody"), Failure::Refused),
        (Fault::Says("message", "554 5.7.1 spam"), Failure::Refused),
        (Fault::Says("message", "452 full"), Failure::Again(None)),
        (Fault::Cuts("EHLO"), Failure::NotSent),
        (Fault::Cuts("RCPT TO:"), Failure::NotSent),
        (Fault::Cuts("message"), Failure::Lost),
    ] {
        let server = Server::with(fault).await;
        let error = send(&server.email(), &an_alert(1)).await.expect_err("not taken");
        assert_eq!(error.failure, failure, "{fault:?}: {error:?}");
        assert!(!error.words.contains("hush"), "{error:?}");
    }
}

#[tokio::test]
async fn nothing_is_said_to_a_server_elsewhere_that_cannot_be_made_safe() {
    // A name that is not this machine's by its form, and is: no STARTTLS is offered there.
    let server = Server::with(Fault::None).await;
    let port = server.url.rsplit_once(':').expect("a port").1;
    let keys = [("server", format!("smtp://localhost.localdomain:{port}")), ("from", "a@acme.example".to_owned())];
    let keys: Vec<(&str, &str)> = keys.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let email = open(settings(ChannelKind::Email, &keys, &["b@acme.example"], false)).expect("open");
    let error = send(&email, &an_alert(1)).await.expect_err("not safe");
    assert!(matches!(error.failure, Failure::Refused | Failure::NotSent), "{error:?}");
    assert!(server.mails().is_empty());
}
