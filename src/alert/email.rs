//! Mail, by SMTP: one message to all recipients, whose `Message-ID` is the alert's own over all its tries, so that a
//! receiver that knows it drops the second. It says that a machine wrote it (RFC 3834): no mailbox answers it.
//!
//! The steps of a delivery are taken one by one: whatever fails before the message's last line was sent did not arrive. Each
//! recipient is asked for by itself: one that the server refuses costs the others nothing, and one that it does not take for now
//! is tried again alone.

use super::hidden::hidden;
use super::{AlertError, Attempt, Channel, Failure, optional, text};
use crate::config::AlertSettings;
use crate::config::alert_address::{MailServer, MailTls, mail_server};
use crate::plan::alert::{Alert, Card, card};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::future::BoxFuture;
use handoffd_kit::clock::Clock;
use handoffd_kit::secret::Secret;
use handoffd_kit::settings::SettingProblem;
use handoffd_kit::text::cut;
use handoffd_kit::transport::is_public;
use jiff::SignedDuration;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, SinglePart};
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{AsyncSmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::ClientId;
use lettre::{Address, Message};
use secrecy::ExposeSecret;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long a server may take to be connected to.
const CONNECT: Duration = Duration::from_secs(10);
/// How long the whole delivery may take: servers that look a message over take their time.
const WITHIN: SignedDuration = SignedDuration::from_secs(60);
/// That a machine wrote it (RFC 3834), and what Exchange understands in its place.
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");
const SUPPRESS: HeaderName = HeaderName::new_from_ascii_str("X-Auto-Response-Suppress");
/// The longest answer of a server that is repeated, in bytes.
const WORDS: usize = 200;
/// Of so many alerts it is remembered at the most who has them already.
const MOST_KNOWN: usize = 256;

struct Email {
    server: MailServer,
    from: Address,
    to: Vec<Address>,
    login: Option<(String, Secret)>,
    clock: Arc<dyn Clock>,
    /// Whether the server may lie in a private network.
    allow_private: bool,
    /// Of alerts that not everybody took yet, by their keys: who has them. A process that ends forgets it, and they come twice.
    taken: Mutex<BTreeMap<String, BTreeSet<String>>>,
}

pub(super) fn open(settings: AlertSettings, clock: Arc<dyn Clock>) -> Result<Arc<dyn Channel>, Vec<SettingProblem>> {
    let problem = |key: &str, problem: String, help: &str| {
        vec![SettingProblem { key: key.to_owned(), problem, help: help.to_owned() }]
    };
    let of = |key: &str| text(&settings, key).unwrap_or_default();
    let server =
        mail_server(of("server"), settings.allow_private).map_err(|(what, help)| problem("server", what, &help))?;
    let address = |key: &str, text: &str| {
        text.parse::<Address>().map_err(|error| problem(key, error.to_string(), "write it like billing@acme.example"))
    };
    let from = address("from", of("from"))?;
    let to = settings.to.iter().map(|to| address("to", to)).collect::<Result<Vec<_>, _>>()?;
    let login = text(&settings, "user").map(str::to_owned).zip(optional(&settings, "password"));
    let allow_private = settings.allow_private;
    Ok(Arc::new(Email { server, from, to, login, clock, allow_private, taken: Mutex::default() }))
}

impl Channel for Email {
    fn send<'a>(&'a self, alert: &'a Alert, attempt: Attempt) -> BoxFuture<'a, Result<String, AlertError>> {
        Box::pin(async move {
            let (id, message) = self.message(alert, attempt)?;
            // What did not come so far that the message was sent, did not arrive.
            let mut stage = Stage::Before;
            let end = self.clock.sleep_until(attempt.now + WITHIN);
            let delivered = tokio::select! {
                delivered = self.deliver(&alert.key, &message, &mut stage) => delivered,
                () = end => Err(AlertError::new(Failure::NotSent, "the mail server takes too long")),
            };
            delivered.map(|words| format!("{id} {words}")).map_err(|error| match (stage, error.failure) {
                (Stage::Sent, Failure::NotSent) => AlertError { failure: Failure::Lost, ..error },
                _ => error,
            })
        })
    }

    fn secrets(&self) -> Vec<(&'static str, Secret)> {
        self.login.iter().map(|(_, password)| ("password", password.clone())).collect()
    }
}

/// What a server says of the recipients of one mail.
#[derive(Debug, Default)]
struct Asked {
    /// It takes it for them.
    taken: Vec<String>,
    /// It never will, in its words.
    refused: Vec<String>,
    /// It does not for now, in its words.
    later: Vec<String>,
    /// Whether anybody has it, or will have it after this.
    anybody: bool,
}

/// How far a delivery has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The message was not sent.
    Before,
    /// Its last line may have arrived.
    Sent,
}

impl Email {
    /// The message, with its id.
    fn message(&self, alert: &Alert, attempt: Attempt) -> Result<(String, Vec<u8>), AlertError> {
        let card = card(alert, attempt.repeated);
        let id = self.id(&alert.key);
        let thread = self.id(&alert.thread);
        let header = |name, value: &str| Ok(HeaderValue::new(name, one_line(value)?));
        let mut builder = Message::builder()
            .from(Mailbox::new(Some("handoffd".into()), self.from.clone()))
            .subject(one_line(&card.title)?)
            .date(alert.at.into())
            .message_id(Some(one_line(&id)?))
            .references(one_line(&thread)?)
            .in_reply_to(one_line(&thread)?)
            .raw_header(header(AUTO_SUBMITTED, "auto-generated")?)
            .raw_header(header(SUPPRESS, "All")?);
        for to in &self.to {
            builder = builder.to(Mailbox::new(None, to.clone()));
        }
        let body = SinglePart::builder()
            .header(ContentType::TEXT_PLAIN)
            .header(ContentTransferEncoding::QuotedPrintable)
            .body(written(&card));
        let misfit = |error: lettre::error::Error| AlertError::new(Failure::Refused, error.to_string());
        let message = builder.singlepart(body).map_err(misfit)?;
        Ok((id, message.formatted()))
    }

    /// An id derived from what it is for, in our own domain.
    fn id(&self, of: &str) -> String {
        format!("<handoffd.{}@{}>", hex::encode(&Sha256::digest(of)[..16]), self.from.domain())
    }

    /// Where the server is. To a name that leads inside nothing is said, unless that is meant.
    async fn addresses(&self) -> Result<Vec<SocketAddr>, AlertError> {
        let MailServer { host, port, .. } = &self.server;
        let found = tokio::net::lookup_host((host.as_str(), *port)).await.map_err(|error| {
            AlertError::new(Failure::NotSent, self.words(&format!("the mail server is not found: {error}")))
        })?;
        let may = |address: &SocketAddr| self.allow_private || is_public(address.ip());
        let addresses: Vec<SocketAddr> = found.filter(may).collect();
        if addresses.is_empty() {
            let error =
                AlertError::new(Failure::Refused, "the mail server lies in a private network or on this machine");
            return Err(error.next("write allow_private = true in the channel's table if that is meant"));
        }
        Ok(addresses)
    }

    /// A line to the server on which mail may be sent.
    async fn line(&self) -> Result<AsyncSmtpConnection, AlertError> {
        let MailServer { host, tls, .. } = &self.server;
        let name = ClientId::Domain(self.from.domain().to_owned());
        let safe = || TlsParameters::new_rustls(host.clone()).map_err(|error| self.failed(&error));
        let at_once = if *tls == MailTls::AtOnce { Some(safe()?) } else { None };
        let addresses = self.addresses().await?;
        let mut line = AsyncSmtpConnection::connect_tokio1(addresses.as_slice(), Some(CONNECT), &name, at_once, None)
            .await
            .map_err(|error| self.failed(&error))?;
        if *tls == MailTls::Upgrade {
            if !line.can_starttls() {
                return Err(AlertError::new(Failure::Refused, "the mail server offers no STARTTLS")
                    .next("write smtps:// with the port of its safe submission, or another server"));
            }
            line.starttls(safe()?, &name).await.map_err(|error| self.failed(&error))?;
        }
        if let Some((user, password)) = &self.login {
            let login = Credentials::new(user.clone(), password.current().expose_secret().to_owned());
            line.auth(&[Mechanism::Plain, Mechanism::Login], &login).await.map_err(|error| {
                let error = self.failed(&error);
                if error.failure == Failure::Refused {
                    error.next("give the channel a login that is accepted")
                } else {
                    error
                }
            })?;
        }
        Ok(line)
    }

    async fn deliver(&self, key: &str, message: &[u8], stage: &mut Stage) -> Result<String, AlertError> {
        let mut line = self.line().await?;
        line.command(Mail::new(Some(self.from.clone()), Vec::new())).await.map_err(|error| self.failed(&error))?;
        let asked = self.ask_for_recipients(&mut line, self.has_it(key)).await?;
        if asked.taken.is_empty() {
            let _ = line.quit().await;
            return self.concluded(key, &asked, "taken before");
        }
        line.command(Data).await.map_err(|error| self.failed(&error))?;
        *stage = Stage::Sent;
        let answer = line.message(message).await.map_err(|error| self.failed(&error))?;
        self.note_taken(key, &asked.taken);
        // It has arrived: how the line ends changes nothing.
        let _ = line.quit().await;
        self.concluded(key, &asked, answer.first_line().unwrap_or("taken"))
    }

    /// Asks for every recipient who does not have the mail yet.
    async fn ask_for_recipients(
        &self,
        line: &mut AsyncSmtpConnection,
        has_it: BTreeSet<String>,
    ) -> Result<Asked, AlertError> {
        let mut asked = Asked { anybody: !has_it.is_empty(), ..Asked::default() };
        for to in self.to.iter().filter(|to| !has_it.contains(&to.to_string())) {
            match line.command(Rcpt::new(to.clone(), Vec::new())).await {
                Ok(_) => asked.taken.push(to.to_string()),
                Err(error) if error.is_permanent() => {
                    asked.refused.push(format!("{to} ({})", self.words(&shown(&error))))
                }
                Err(error) if error.is_transient() => {
                    asked.later.push(format!("{to} ({})", self.words(&shown(&error))))
                }
                Err(error) => return Err(self.failed(&error)),
            }
        }
        asked.anybody |= !asked.taken.is_empty();
        Ok(asked)
    }

    /// What a delivery comes to: whoever is refused for good is named, and whoever is only put off is tried again.
    fn concluded(&self, key: &str, asked: &Asked, words: &str) -> Result<String, AlertError> {
        let refused = match asked.refused.join(", ") {
            none if none.is_empty() => String::new(),
            refused => format!("; refused for good: {refused}"),
        };
        if !asked.later.is_empty() {
            let have = match self.has_it(key) {
                none if none.is_empty() => String::new(),
                have => format!("; {} has it", have.into_iter().collect::<Vec<_>>().join(", ")),
            };
            let words = format!("not taken yet for {}{have}{refused}", asked.later.join(", "));
            return Err(AlertError::new(Failure::Again(None), words));
        }
        self.known().remove(key);
        if !asked.anybody {
            let words = format!("the server takes mail for none of the recipients{refused}");
            return Err(AlertError::new(Failure::Refused, words).next("correct the recipients of the channel"));
        }
        Ok(format!("{}{refused}", self.words(words)))
    }

    fn known(&self) -> MutexGuard<'_, BTreeMap<String, BTreeSet<String>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who took this alert at an earlier try.
    fn has_it(&self, key: &str) -> BTreeSet<String> {
        self.known().get(key).cloned().unwrap_or_default()
    }

    fn note_taken(&self, key: &str, by: &[String]) {
        let mut known = self.known();
        // What was given up meanwhile is never asked for again.
        if known.len() >= MOST_KNOWN {
            known.pop_first();
        }
        known.entry(key.to_owned()).or_default().extend(by.iter().cloned());
    }

    /// 4xx passes, 5xx does not (RFC 5321, section 4.2.1); everything else is the line's.
    fn failed(&self, error: &lettre::transport::smtp::Error) -> AlertError {
        let failure = match (error.is_permanent(), error.is_transient()) {
            (true, _) => Failure::Refused,
            (_, true) => Failure::Again(None),
            // Without the certificates of the server's name nothing is said to it.
            _ => Failure::NotSent,
        };
        AlertError::new(failure, self.words(&shown(error)))
    }

    /// A text without a password, as it is or as the login says it.
    fn without(&self, text: &str, password: &str) -> String {
        let user = self.login.as_ref().map_or("", |(user, _)| user.as_str());
        let said = [format!("\0{user}\0{password}"), password.to_owned()].map(|said| STANDARD.encode(said));
        hidden(text, std::iter::once(password).chain(said.iter().map(String::as_str)))
    }

    fn words(&self, text: &str) -> String {
        let known = self.login.iter().flat_map(|(_, password)| password.known());
        let text = known.fold(text.to_owned(), |text, password| self.without(&text, password.expose_secret()));
        let line: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        cut(line.trim(), WORDS)
    }
}

/// An error and what caused it, where it does not say so itself.
fn shown(error: &dyn std::error::Error) -> String {
    let words = error.to_string();
    match error.source().map(ToString::to_string) {
        Some(cause) if !words.contains(&cause) => format!("{words}: {cause}"),
        _ => words,
    }
}

fn written(card: &Card) -> String {
    let mut lines = vec![card.title.clone(), String::new()];
    lines.extend(card.facts.iter().map(|(name, value)| format!("{name}: {value}")));
    lines.extend(card.links().map(|(text, link)| format!("{text}: {link}")));
    lines.extend([String::new(), card.mark.clone()]);
    lines.join("\r\n")
}

/// A value of a header: a second line in it would be another header.
fn one_line(value: &str) -> Result<String, AlertError> {
    if value.contains(char::is_control) {
        return Err(AlertError::new(Failure::Refused, "a header of the mail would have two lines"));
    }
    Ok(value.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::testing::hostile;
    use super::*;
    use crate::policy::alert::ChannelKind;
    use handoffd_kit::clock::ManualClock;
    use handoffd_kit::settings::Setting;
    use jiff::Timestamp;

    fn email() -> Email {
        let server = mail_server("smtps://mail.acme.example", false).expect("a server");
        let address = |text: &str| text.parse().expect("an address");
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        Email {
            server,
            from: address("handoffd@acme.example"),
            to: vec![address("billing@acme.example")],
            login: None,
            clock,
            allow_private: false,
            taken: Mutex::default(),
        }
    }

    #[test]
    fn a_mail_says_that_a_machine_wrote_it_and_has_the_same_id_over_all_tries() {
        let attempt = |second, repeated| Attempt { now: Timestamp::from_second(second).expect("an instant"), repeated };
        let (first, text) = email().message(&hostile(), attempt(1, false)).expect("a message");
        let (second, _) = email().message(&hostile(), attempt(100, true)).expect("a message");
        assert_eq!(first, second);
        insta::assert_snapshot!(String::from_utf8(text).expect("ASCII").replace("\r\n", "\n"));
    }

    #[test]
    fn a_second_line_in_a_header_is_refused() {
        for value in ["a\r\nBcc: x@y.example", "a\nb", "a\rb"] {
            assert_eq!(one_line(value).expect_err("refused").failure, Failure::Refused);
        }
        let mut alert = hostile();
        alert.ticket = "1\r\nBcc: x@y.example".into();
        let attempt = Attempt { now: Timestamp::UNIX_EPOCH, repeated: false };
        let (_, text) = email().message(&alert, attempt).expect("a message");
        let text = String::from_utf8(text).expect("ASCII");
        let heads = text.split("\r\n\r\n").next().expect("heads");
        assert!(!heads.lines().any(|line| line.starts_with("Bcc")), "{heads}");
    }

    #[test]
    fn settings_that_lead_nowhere_are_refused_with_their_key() {
        let channel = |key: &str, value: &str| {
            let all = [("server", "smtps://mail.acme.example"), ("from", "handoffd@acme.example")];
            let settings = all
                .into_iter()
                .chain([(key, value)])
                .map(|(key, value)| (key.to_owned(), Setting::Text(value.to_owned())))
                .collect();
            AlertSettings {
                kind: ChannelKind::Email,
                settings,
                to: vec!["b@acme.example".into()],
                allow_private: false,
            }
        };
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        for (key, value) in [("server", "mail.acme.example"), ("from", "nobody")] {
            let wrong = open(channel(key, value), clock.clone()).err().expect("refused");
            assert_eq!(wrong[0].key, key);
        }
    }
}
