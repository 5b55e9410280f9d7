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

const BILLING: &str = "billing@acme.example";
const OPS: &str = "ops@acme.example";

/// At which step the server does something else than it should.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    None,
    /// Says this instead, at the step that begins so.
    Says(&'static str, &'static str),
    /// Cuts the line when the step that begins so has arrived.
    Cuts(&'static str),
    /// Takes no mail for these recipients, with these words, and goes on.
    Recipients(&'static [(&'static str, &'static str)]),
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
    fault: Arc<Mutex<Fault>>,
}

impl Server {
    async fn with(fault: Fault) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("smtp://{}", listener.local_addr().expect("an address"));
        let mails = Arc::new(Mutex::new(Vec::new()));
        let (taken, fault) = (mails.clone(), Arc::new(Mutex::new(fault)));
        let now = fault.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (taken, fault) = (taken.clone(), *now.lock().expect("unbroken"));
                tokio::spawn(async move { session(stream, fault, &taken).await });
            }
        });
        Self { url, mails, fault }
    }

    /// From the next session on.
    fn goes_on_with(&self, fault: Fault) {
        *self.fault.lock().expect("unbroken") = fault;
    }

    fn email(&self) -> Arc<dyn Channel> {
        let keys =
            [("server", self.url.as_str()), ("from", "handoffd@acme.example"), ("user", "u"), ("password", "hush")];
        let to = [BILLING, OPS];
        open(settings(ChannelKind::Email, &keys, &to, true)).expect("open")
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
    loop {
        let next = line.read().await?;
        let Some(to) = next.strip_prefix("RCPT TO:") else {
            if next == "QUIT" && mail.to.is_empty() {
                return line.says("221 bye").await;
            }
            assert!(next == "DATA" && !mail.to.is_empty(), "a recipient or their end is next, not {next:?}");
            break;
        };
        line.step("RCPT TO:").await?;
        if let Some(words) = line.takes_none_for(to) {
            line.says(words).await?;
            continue;
        }
        mail.to.push(to.to_owned());
        line.says("250 2.1.5 fine").await?;
    }
    line.step("DATA").await?;
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

    /// What it says where it takes no mail for this recipient.
    fn takes_none_for(&self, to: &str) -> Option<&'static str> {
        let Fault::Recipients(refused) = self.fault else { return None };
        refused.iter().find(|(name, _)| to == format!("<{name}>")).map(|(_, words)| *words)
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
        (Fault::Says("AUTH PLAIN", "535 5.7.8 what is AUTH PLAIN AHUAaHVzaA== of hush"), Failure::Refused),
        (Fault::Says("MAIL FROM:", "451 later"), Failure::Again(None)),
        (Fault::Recipients(&[(BILLING, "550 5.1.1 nobody"), (OPS, "550 5.1.1 nobody")]), Failure::Refused),
        (Fault::Recipients(&[(BILLING, "450 later"), (OPS, "550 5.1.1 nobody")]), Failure::Again(None)),
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
        assert!(!error.words.contains("AHUAaHVzaA"), "nor as the login says it: {error:?}");
        let twice = ["spam", "incomplete response"].into_iter().find(|words| error.words.matches(words).count() > 1);
        assert_eq!(twice, None, "{error:?}");
    }
}

#[tokio::test]
async fn nothing_is_said_to_a_server_elsewhere_that_cannot_be_made_safe() {
    // A name that is not this machine's by its form, and is: no STARTTLS is offered there.
    let server = Server::with(Fault::None).await;
    let port = server.url.rsplit_once(':').expect("a port").1;
    let keys = [("server", format!("smtp://localhost.localdomain:{port}")), ("from", "a@acme.example".to_owned())];
    let keys: Vec<(&str, &str)> = keys.iter().map(|(key, value)| (*key, value.as_str())).collect();
    let email = open(settings(ChannelKind::Email, &keys, &["b@acme.example"], true)).expect("open");
    let error = send(&email, &an_alert(1)).await.expect_err("not safe");
    assert!(matches!(error.failure, Failure::Refused | Failure::NotSent), "{error:?}");
    assert!(server.mails().is_empty());
}

#[tokio::test]
async fn a_name_that_leads_inside_the_house_is_not_spoken_to_unless_that_is_meant() {
    let server = Server::with(Fault::None).await;
    let at = |host: &str| format!("smtp://{host}:{}", server.url.rsplit_once(':').expect("a port").1);
    let inside = |url: &str, allow_private| {
        let keys = [("server", url), ("from", "a@acme.example")];
        open(settings(ChannelKind::Email, &keys, &[BILLING], allow_private))
    };
    for url in [server.url.clone(), at("localhost")] {
        let wrong = inside(&url, false).err().expect("refused when it is opened");
        assert_eq!(wrong[0].key, "server", "{wrong:?}");
        assert!(wrong[0].help.contains("allow_private"), "{wrong:?}");
    }
    // Written so that only the look-up tells.
    for url in [at("0x7f.1"), at("localhost.")] {
        let error = send(&inside(&url, false).expect("open"), &an_alert(1)).await.expect_err("not spoken to");
        assert!(matches!(error.failure, Failure::Refused | Failure::NotSent), "{url}: {error:?}");
        if error.failure == Failure::Refused {
            assert!(error.next_step.is_some_and(|step| step.contains("allow_private")), "{url}");
        }
    }
    assert!(server.mails().is_empty());
}

#[tokio::test]
async fn a_recipient_whom_the_server_refuses_costs_the_others_nothing() {
    let server = Server::with(Fault::Recipients(&[(BILLING, "550 5.1.1 no such box")])).await;
    let receipt = send(&server.email(), &an_alert(1)).await.expect("the other one has it");
    assert!(receipt.contains("refused for good: billing@acme.example") && receipt.contains("no such box"), "{receipt}");
    assert_eq!(server.mails().iter().map(|mail| mail.to.clone()).collect::<Vec<_>>(), [["<ops@acme.example>"]]);
}

#[tokio::test]
async fn a_recipient_who_is_put_off_is_tried_again_alone_and_nobody_has_it_twice() {
    let server = Server::with(Fault::Recipients(&[(OPS, "451 4.7.1 come back later")])).await;
    let email = server.email();
    for _ in 0..2 {
        let error = send(&email, &an_alert(1)).await.expect_err("not for everybody yet");
        assert_eq!(error.failure, Failure::Again(None), "{error:?}");
        assert!(error.words.contains("ops@acme.example") && error.words.contains("come back later"), "{error:?}");
        assert!(error.words.contains("; billing@acme.example has it"), "{error:?}");
    }
    let another = send(&email, &an_alert(2)).await.expect_err("another one is nobody's yet");
    assert_eq!(another.failure, Failure::Again(None));
    server.goes_on_with(Fault::None);
    send(&email, &an_alert(1)).await.expect("now everybody has it");
    let to: Vec<Vec<String>> = server.mails().into_iter().map(|mail| mail.to).collect();
    assert_eq!(to, [["<billing@acme.example>"], ["<billing@acme.example>"], ["<ops@acme.example>"]]);
    let id = |at: usize| {
        let heads = server.mails()[at].text.clone();
        heads.lines().find(|line| line.starts_with("Message-ID: ")).map(str::to_owned).expect("an id")
    };
    assert!(id(0) == id(2) && id(0) != id(1), "the same mail for both");
    // The one that is put off and then refused for good is over too.
    server.goes_on_with(Fault::Recipients(&[(OPS, "550 5.1.1 gone")]));
    let receipt = send(&email, &an_alert(2)).await.expect("over");
    assert!(receipt.contains("refused for good: ops@acme.example"), "{receipt}");
    assert_eq!(server.mails().len(), 3);
}
