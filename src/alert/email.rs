//! Mail, by SMTP: one message to all recipients, whose `Message-ID` is the alert's own over all its tries, so that a
//! receiver that knows it drops the second. It says that a machine wrote it (RFC 3834): no mailbox answers it.
//!
//! The steps of a delivery are taken one by one: whatever fails before the message's last line was sent did not arrive.

use super::{AlertError, Attempt, Channel, Failure, optional, text};
use crate::config::AlertSettings;
use crate::config::alert_address::{MailServer, MailTls, mail_server};
use crate::plan::alert::{Alert, Card, card};
use futures::future::BoxFuture;
use handoffd_kit::clock::Clock;
use handoffd_kit::secret::Secret;
use handoffd_kit::settings::SettingProblem;
use handoffd_kit::text::cut;
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
use std::sync::Arc;
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

struct Email {
    server: MailServer,
    from: Address,
    to: Vec<Address>,
    login: Option<(String, Secret)>,
    clock: Arc<dyn Clock>,
}

pub(super) fn open(settings: AlertSettings, clock: Arc<dyn Clock>) -> Result<Arc<dyn Channel>, Vec<SettingProblem>> {
    let problem = |key: &str, problem: String, help: &str| {
        vec![SettingProblem { key: key.to_owned(), problem, help: help.to_owned() }]
    };
    let of = |key: &str| text(&settings, key).unwrap_or_default();
    let server = mail_server(of("server")).map_err(|(what, help)| problem("server", what, &help))?;
    let address = |key: &str, text: &str| {
        text.parse::<Address>().map_err(|error| problem(key, error.to_string(), "write it like billing@acme.example"))
    };
    let from = address("from", of("from"))?;
    let to = settings.to.iter().map(|to| address("to", to)).collect::<Result<Vec<_>, _>>()?;
    let login = text(&settings, "user").map(str::to_owned).zip(optional(&settings, "password"));
    Ok(Arc::new(Email { server, from, to, login, clock }))
}

impl Channel for Email {
    fn send<'a>(&'a self, alert: &'a Alert, attempt: Attempt) -> BoxFuture<'a, Result<String, AlertError>> {
        Box::pin(async move {
            let (id, message) = self.message(alert, attempt)?;
            // What did not come so far that the message was sent, did not arrive.
            let mut stage = Stage::Before;
            let end = self.clock.sleep_until(attempt.now + WITHIN);
            let delivered = tokio::select! {
                delivered = self.deliver(&message, &mut stage) => delivered,
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

    async fn deliver(&self, message: &[u8], stage: &mut Stage) -> Result<String, AlertError> {
        let MailServer { host, port, tls } = &self.server;
        let name = ClientId::Domain(self.from.domain().to_owned());
        let safe = || TlsParameters::new_rustls(host.clone()).map_err(|error| self.failed(&error));
        let at_once = if *tls == MailTls::AtOnce { Some(safe()?) } else { None };
        let server = (host.as_str(), *port);
        let mut line = AsyncSmtpConnection::connect_tokio1(server, Some(CONNECT), &name, at_once, None)
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
        line.command(Mail::new(Some(self.from.clone()), Vec::new())).await.map_err(|error| self.failed(&error))?;
        for to in &self.to {
            let refused = |error: &lettre::transport::smtp::Error| {
                self.failed(error).next("correct the recipients of the channel: the server takes none of this message")
            };
            line.command(Rcpt::new(to.clone(), Vec::new())).await.map_err(|error| refused(&error))?;
        }
        line.command(Data).await.map_err(|error| self.failed(&error))?;
        *stage = Stage::Sent;
        let answer = line.message(message).await.map_err(|error| self.failed(&error))?;
        // It has arrived: how the line ends changes nothing.
        let _ = line.quit().await;
        Ok(self.words(answer.first_line().unwrap_or("taken")))
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

    fn words(&self, text: &str) -> String {
        let known = self.login.iter().flat_map(|(_, password)| password.known());
        let text = known.fold(text.to_owned(), |text, password| text.replace(password.expose_secret(), "…"));
        let line: String = text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        cut(line.trim(), WORDS)
    }
}

/// An error and what caused it.
fn shown(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

fn written(card: &Card) -> String {
    let mut lines = vec![card.title.clone(), String::new()];
    lines.extend(card.facts.iter().map(|(name, value)| format!("{name}: {value}")));
    lines.extend(card.link.iter().map(|link| format!("Ticket: {link}")));
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
        let server = mail_server("smtps://mail.acme.example").expect("a server");
        let address = |text: &str| text.parse().expect("an address");
        let clock = Arc::new(ManualClock::new(Timestamp::UNIX_EPOCH));
        Email {
            server,
            from: address("handoffd@acme.example"),
            to: vec![address("billing@acme.example")],
            login: None,
            clock,
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
