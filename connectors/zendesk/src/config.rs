//! A `[desks.NAME]` table with `connector = "zendesk"`, checked: every problem at once, each with what would be accepted.

use handoffd_kit::secret::Secret;
use handoffd_kit::settings::{DeskSettings, Setting, SettingProblem, Table};
use std::collections::BTreeMap;
use url::Url;

/// What `login` takes, for messages and documentation.
pub const LOGIN_HELP: &str = "either { client_id = \"…\", client_secret = { env = \"…\" }, scope = \"…\" (optional) } of an \
     OAuth client, or { email = \"…\", token = { env = \"…\" } } with an API token (Zendesk ends these in April 2027)";

/// What `webhook` takes, for messages and documentation.
pub const WEBHOOK_HELP: &str = "{ secret = { env = \"…\" } } with the webhook's signing secret";

/// Ticket audits need the global `read`; only tickets are written (Zendesk sheet, *Base URL and auth*).
pub(crate) const DEFAULT_SCOPE: &str = "read tickets:write";

/// A checked table.
#[derive(Debug)]
pub(crate) struct Config {
    /// The account's address, without a path.
    pub(crate) site: Url,
    pub(crate) login: LoginKind,
    /// None: webhooks are refused.
    pub(crate) webhook_secret: Option<Secret>,
}

/// How to log in.
#[derive(Debug)]
pub(crate) enum LoginKind {
    /// A confidential OAuth client acting for the user it belongs to.
    Client { id: String, secret: Secret, scope: String },
    /// A person's mail address and an API token.
    ApiToken { email: String, token: Secret },
}

impl Config {
    /// Checks the table.
    pub(crate) fn read(settings: &DeskSettings) -> Result<Self, Vec<SettingProblem>> {
        let mut problems = Vec::new();
        let help = "the address of the account alone, such as \"https://acme.zendesk.com\"";
        let site = settings.site(&["/agent", "/api/v2"], help, &mut problems);
        let login = login(&settings.login, &mut problems);
        let webhook_secret = webhook(&settings.webhook, &mut problems);
        match (login, problems.is_empty()) {
            (Some(login), true) => Ok(Self { site, login, webhook_secret }),
            _ => Err(problems),
        }
    }
}

fn login(keys: &BTreeMap<String, Setting>, problems: &mut Vec<SettingProblem>) -> Option<LoginKind> {
    let has = |key| keys.contains_key(key);
    let client = has("client_id") || has("client_secret") || has("scope");
    let legacy = has("email") || has("token");
    let mut table = Table::new("login", LOGIN_HELP, keys, problems);
    match (client, legacy) {
        (true, false) => {
            table.only(&["client_id", "client_secret", "scope"]);
            let scope = if has("scope") { table.text("scope") } else { Some(DEFAULT_SCOPE.to_owned()) };
            let (id, secret) = (table.text("client_id"), table.secret("client_secret"));
            Some(LoginKind::Client { id: id?, secret: secret?, scope: scope? })
        }
        (false, true) => {
            table.only(&["email", "token"]);
            let (email, token) = (table.text("email"), table.secret("token"));
            Some(LoginKind::ApiToken { email: email?, token: token? })
        }
        (true, true) => {
            problems.push(SettingProblem::new("login", "two kinds of login are mixed", LOGIN_HELP));
            None
        }
        (false, false) => {
            table.only(&["client_id", "client_secret", "scope", "email", "token"]);
            problems.push(SettingProblem::new("login", "no login", LOGIN_HELP));
            None
        }
    }
}

fn webhook(keys: &BTreeMap<String, Setting>, problems: &mut Vec<SettingProblem>) -> Option<Secret> {
    if keys.is_empty() {
        return None;
    }
    let mut table = Table::new("webhook", WEBHOOK_HELP, keys, problems);
    table.only(&["secret"]);
    table.secret("secret")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(value: &str) -> Setting {
        Setting::Text(value.into())
    }

    fn secret(value: &str) -> Setting {
        Setting::Secret(value.to_owned().into())
    }

    fn read(url: &str, login: &[(&str, Setting)], webhook: &[(&str, Setting)]) -> Result<Config, Vec<String>> {
        let table = |keys: &[(&str, Setting)]| keys.iter().map(|(key, value)| ((*key).into(), value.clone())).collect();
        let settings = DeskSettings {
            id: "acme".into(),
            url: url.parse().unwrap(),
            login: table(login),
            webhook: table(webhook),
            budget: 0.8,
        };
        Config::read(&settings).map_err(|problems| problems.into_iter().map(|problem| problem.key).collect())
    }

    const SITE: &str = "https://acme.zendesk.com";

    #[test]
    fn both_kinds_of_login_are_read() {
        let client = [("client_id", text("handoffd")), ("client_secret", secret("s3"))];
        let config = read(SITE, &client, &[("secret", secret("hook"))]).unwrap();
        assert!(matches!(&config.login, LoginKind::Client { scope, .. } if scope == DEFAULT_SCOPE));
        assert!(config.webhook_secret.is_some());
        let legacy =
            read("https://acme.zendesk.com/agent/", &[("email", text("a@x.example")), ("token", secret("t"))], &[]);
        let config = legacy.unwrap();
        assert!(matches!(config.login, LoginKind::ApiToken { .. }));
        assert_eq!(config.site.as_str(), "https://acme.zendesk.com/");
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let login = [("client_id", text(" ")), ("client_secret", text("in the file")), ("scpe", text("read"))];
        let hook = [("key", secret("x"))];
        let found = read("https://acme.zendesk.com/hc/en-us", &login, &hook).unwrap_err();
        let expected = ["url", "login.scpe", "login.client_id", "login.client_secret", "webhook.key", "webhook.secret"];
        assert_eq!(found, expected);
    }

    #[test]
    fn no_login_two_logins_and_half_a_login_are_problems() {
        assert_eq!(read(SITE, &[], &[]).unwrap_err(), ["login"]);
        assert_eq!(read(SITE, &[("user", text("x"))], &[]).unwrap_err(), ["login.user", "login"]);
        let mixed = [("client_id", text("x")), ("token", secret("t"))];
        assert_eq!(read(SITE, &mixed, &[]).unwrap_err(), ["login"]);
        assert_eq!(read(SITE, &[("email", text("a@x.example"))], &[]).unwrap_err(), ["login.token"]);
        let broken = [("email", text("a@x.example")), ("token", secret("t\nX-Header: y"))];
        assert_eq!(read(SITE, &broken, &[]).unwrap_err(), ["login.token"]);
    }

    #[test]
    fn a_checked_table_shows_no_secret() {
        let config =
            read(SITE, &[("email", text("a@x.example")), ("token", secret("hush"))], &[("secret", secret("hush"))]);
        assert!(!format!("{:?}", config.unwrap()).contains("hush"));
    }
}
