//! Addresses of alert channels: what each kind of channel can be sent to, and what is refused. A request forged through a
//! policy must not reach the inside of the house: private networks are refused unless `allow_private` says otherwise.
//!
//! What vendors' addresses look like, and which of them are retired: their documentation as of 2026.

use super::scalar::shown;
use crate::policy::alert::ChannelKind;
use handoffd_kit::settings::is_loopback;
use handoffd_kit::transport::is_public;
use std::net::IpAddr;
use url::{Host, Url};

/// What is wrong with a value, and what would be accepted.
pub type Wrong = (String, String);

/// Reads the address that a channel of this kind posts to.
///
/// # Errors
/// What is wrong with it. The address itself, which may be the secret, is not repeated.
pub fn posted_to(kind: ChannelKind, text: &str, allow_private: bool) -> Result<Url, Wrong> {
    let url = Url::parse(text).map_err(|error| (format!("this is no address: {error}"), like(kind)))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(("an address must not carry a login".into(), like(kind)));
    }
    if kind == ChannelKind::Teams {
        retired(url.host_str().unwrap_or_default())?;
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => {
            let help = "write https://; http:// is accepted for this machine alone (127.0.0.1, localhost)";
            return Err(("`http://` would send the alert in clear over the network".into(), help.into()));
        }
        other => return Err((format!("\"{}\" is no way to post an alert", shown(other)), like(kind))),
    }
    if !allow_private && is_private(&url) {
        return Err(inside());
    }
    Ok(url)
}

fn inside() -> Wrong {
    (
        "this address lies in a private network or on this machine".into(),
        "write allow_private = true if that is meant".into(),
    )
}

/// Addresses that Microsoft has switched off, each with what took its place.
fn retired(host: &str) -> Result<(), Wrong> {
    let within = |domain: &str| host == domain || host.ends_with(&format!(".{domain}"));
    if within("webhook.office.com") || within("outlook.office.com") || within("outlook.office365.com") {
        return Err((
            "this is an Office 365 connector, and Microsoft has retired those".into(),
            "make a workflow in Teams with the trigger \"When a Teams webhook request is received\", and give its address".into(),
        ));
    }
    if within("logic.azure.com") {
        return Err((
            "this is an address of a workflow that stopped on 30 November 2025".into(),
            "open the workflow in Power Automate, save it, and give the address that its trigger shows now".into(),
        ));
    }
    Ok(())
}

fn like(kind: ChannelKind) -> String {
    let like = match kind {
        ChannelKind::Slack => "the incoming webhook's address: https://hooks.slack.com/services/…",
        ChannelKind::Teams => "the address that the workflow's trigger shows: https://….api.powerplatform.com/…&sig=…",
        ChannelKind::Mattermost => "the incoming webhook's address: https://chat.acme.example/hooks/…",
        ChannelKind::PagerDuty => "https://events.pagerduty.com or https://events.eu.pagerduty.com",
        ChannelKind::Email => "smtp://smtp.acme.example:587 or smtps://smtp.acme.example:465",
        ChannelKind::Webhook => "https://hooks.acme.example/handoffd",
    };
    like.to_owned()
}

fn is_private(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => !is_public(IpAddr::V4(address)),
        Some(Host::Ipv6(address)) => !is_public(IpAddr::V6(address)),
        None => true,
    }
}

/// A mail server, and how it is spoken to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailServer {
    /// Its name, which its certificate is for.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the line is made safe.
    pub tls: MailTls,
}

/// How the line to a mail server is made safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MailTls {
    /// From the first byte.
    AtOnce,
    /// By STARTTLS, before anything is said.
    Upgrade,
    /// Not at all: it is on this machine.
    Plain,
}

/// Reads `smtp://host:587` (STARTTLS, which only a server on this machine may lack) or `smtps://host:465`. Whether a name leads
/// inside, only its look-up tells.
///
/// # Errors
/// What is wrong with it.
pub fn mail_server(text: &str, allow_private: bool) -> Result<MailServer, Wrong> {
    let wrong = |what: String| (what, like(ChannelKind::Email));
    let url = Url::parse(text).map_err(|error| wrong(format!("this is no address: {error}")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(wrong("an address must not carry a login: give it as `user` and `password`".into()));
    }
    let (tls, port) = match url.scheme() {
        "smtps" => (MailTls::AtOnce, 465),
        "smtp" if is_this_machine(&url) => (MailTls::Plain, 587),
        "smtp" => (MailTls::Upgrade, 587),
        other => return Err(wrong(format!("\"{}\" is no way to send mail", shown(other)))),
    };
    let host = url.host_str().filter(|host| !host.is_empty()).ok_or_else(|| wrong("no server is named".into()))?;
    if !matches!(url.path(), "" | "/") || url.query().is_some() {
        return Err(wrong("a mail server has a name and a port, and nothing behind them".into()));
    }
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    let is_inside = match host.parse::<IpAddr>() {
        Ok(address) => !is_public(address),
        Err(_) => is_this_machine(&url),
    };
    if is_inside && !allow_private {
        return Err(inside());
    }
    Ok(MailServer { host, port: url.port().unwrap_or(port), tls })
}

/// Whether the server runs on this machine. An address of another scheme than the web's keeps its host as text.
fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || host.ends_with(".localhost") || address.is_ok_and(|address| address.is_loopback())
}

/// A mail address of the form that a mail's head can carry: one line, a user and a domain.
///
/// # Errors
/// What is wrong with it.
pub fn mail_address(text: &str) -> Result<(), Wrong> {
    let plain = super::scalar::is_email(text) && text.is_ascii() && !text.contains(['<', '>', ',', ';', '"']);
    if plain && !text.contains(char::is_control) {
        return Ok(());
    }
    Err((format!("\"{}\" is no mail address", shown(text)), "write it like billing@acme.example".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retired_address_of_teams_says_what_took_its_place() {
        let wrong = |text: &str| posted_to(ChannelKind::Teams, text, false).expect_err(text);
        for text in ["https://acme.webhook.office.com/webhookb2/x", "https://outlook.office.com/webhook/x"] {
            let (what, help) = wrong(text);
            assert!(what.contains("Office 365 connector") && help.contains("workflow"), "{what}: {help}");
        }
        let (what, help) = wrong("https://prod-1.westeurope.logic.azure.com:443/workflows/x?sig=y");
        assert!(what.contains("30 November 2025") && help.contains("Power Automate"), "{what}: {help}");
        let present = "https://x.environment.api.powerplatform.com:443/powerautomate/a/paths/invoke?sig=a%2Fb";
        assert!(posted_to(ChannelKind::Teams, present, false).is_ok());
        assert!(posted_to(ChannelKind::Slack, "https://x.logic.azure.com/", false).is_ok(), "of Teams alone");
    }

    #[test]
    fn an_address_inside_the_house_needs_a_word_and_the_rest_must_be_safe() {
        let read = |text: &str, allow| posted_to(ChannelKind::Webhook, text, allow);
        assert!(read("https://hooks.acme.example/x", false).is_ok());
        for text in [
            "https://127.0.0.1/x",
            "http://localhost:9000/x",
            "https://10.1.2.3/",
            "https://192.168.0.1/",
            "https://[::1]/",
            "https://[fd00::1]/",
            "https://169.254.169.254/latest/meta-data",
            "https://0x7f000001/",
            "https://[::ffff:10.0.0.1]/",
        ] {
            let (what, help) = read(text, false).expect_err(text);
            assert!(what.contains("private") && help.contains("allow_private"), "{text}: {what}");
            assert!(read(text, true).is_ok(), "{text}");
        }
        for text in
            ["http://hooks.acme.example/", "ftp://hooks.acme.example/", "https://me:pw@acme.example/", "nothing"]
        {
            let (what, _) = read(text, true).expect_err(text);
            assert!(!what.contains("pw"), "{what}");
        }
    }

    #[test]
    fn a_mail_server_is_spoken_to_safely_unless_it_is_on_this_machine() {
        let server = |text: &str| mail_server(text, true).map(|server| (server.host, server.port, server.tls));
        assert_eq!(server("smtps://mail.acme.example"), Ok(("mail.acme.example".into(), 465, MailTls::AtOnce)));
        assert_eq!(server("smtp://mail.acme.example:25"), Ok(("mail.acme.example".into(), 25, MailTls::Upgrade)));
        assert_eq!(server("smtp://127.0.0.1:2525"), Ok(("127.0.0.1".into(), 2525, MailTls::Plain)));
        assert_eq!(server("smtp://[::1]:2525"), Ok(("::1".into(), 2525, MailTls::Plain)));
        for text in ["mail.acme.example", "http://mail.acme.example", "smtp://u:p@m.example", "smtp:///x", "smtp://m/x"]
        {
            assert!(mail_server(text, true).is_err(), "{text}");
        }
    }

    #[test]
    fn a_mail_server_inside_the_house_is_meant_or_it_is_refused() {
        for text in [
            "smtp://127.0.0.1:25",
            "smtp://localhost",
            "smtp://mail.localhost:2525",
            "smtp://[::1]:25",
            "smtps://10.0.0.5",
            "smtps://169.254.169.254",
            "smtps://[::ffff:192.168.1.1]",
            "smtps://[fd00::1]:465",
        ] {
            let (what, help) = mail_server(text, false).expect_err(text);
            assert!(what.contains("private network") && help.contains("allow_private"), "{text}: {what}");
            assert!(mail_server(text, true).is_ok(), "{text}");
        }
        for text in ["smtps://8.8.8.8", "smtp://mail.acme.example", "smtps://[2606:4700::1111]"] {
            assert!(mail_server(text, false).is_ok(), "{text}");
        }
    }

    #[test]
    fn a_mail_address_holds_no_second_line_and_no_second_address() {
        assert!(mail_address("billing@acme.example").is_ok());
        for text in ["billing", "a@b\r\nBcc: x@y", "a@b,c@d", "A <a@b>", "a b@c", "\"x\"@y", "käse@acme.example"] {
            assert!(mail_address(text).is_err(), "{text}");
        }
    }
}
