//! A `[desks.NAME]` table with `connector = "zammad"`, checked: every problem at once, each with what would be accepted.

use handoffd_kit::secret::Secret;
use handoffd_kit::settings::{DeskSettings, NOT_VISIBLE, SettingProblem, Table, visible};
use url::Url;

/// What `login` takes, for messages and documentation.
pub const LOGIN_HELP: &str =
    "{ token = { env = \"…\" } } with an access token of handoffd's own agent (Zammad: Profile, Token Access)";

/// What `webhook` takes, for messages and documentation.
pub const WEBHOOK_HELP: &str =
    "{ secret = { env = \"…\" } } with the HMAC SHA1 signature token of the webhook (Zammad: Manage, Webhook)";

/// A checked table.
#[derive(Debug)]
pub(crate) struct Config {
    /// The helpdesk's address, without a path.
    pub(crate) site: Url,
    pub(crate) token: Secret,
    /// None: webhooks are refused.
    pub(crate) hook: Option<Secret>,
}

impl Config {
    /// Checks the table.
    pub(crate) fn read(settings: &DeskSettings) -> Result<Self, Vec<SettingProblem>> {
        let mut problems = Vec::new();
        let site = settings.site(
            &["/api/v1"],
            "the address that people open, without a path, such as \"https://support.acme.example\"",
            &mut problems,
        );
        let mut login = Table::new("login", LOGIN_HELP, &settings.login, &mut problems);
        login.only(&["token"]);
        let token = login.secret_shaped("token", visible, NOT_VISIBLE);
        let hook = settings.hook_secret(WEBHOOK_HELP, &mut problems);
        match (token, problems.is_empty()) {
            (Some(token), true) => Ok(Self { site, token, hook }),
            _ => Err(problems),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoffd_kit::conformance::example;
    use handoffd_kit::settings::Setting;
    use secrecy::ExposeSecret;

    const SITE: &str = "https://support.acme.example";
    const LONG: &str = "0123456789abcdef";

    fn secret(text: &str) -> Setting {
        Setting::Secret(text.into())
    }

    fn read(url: &str, login: &[(&str, Setting)], webhook: &[(&str, Setting)]) -> Result<Config, Vec<String>> {
        Config::read(&example::desk(url, login, webhook).unwrap())
            .map_err(|problems| problems.into_iter().map(|problem| problem.key).collect())
    }

    #[test]
    fn a_token_is_enough_and_addresses_that_people_copy_are_taken() {
        for url in [SITE, "https://support.acme.example/#ticket/zoom/19", "https://support.acme.example/api/v1/?x=1"] {
            let config = read(url, &[("token", secret("k3y\n"))], &[]).unwrap();
            assert_eq!(config.site.as_str(), "https://support.acme.example/");
            assert_eq!(config.token.current().expose_secret(), "k3y");
            assert!(config.hook.is_none());
        }
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let login = [("token", Setting::Text("k".into())), ("user", secret("x"))];
        let hook = [("secret", secret("short")), ("header", secret(LONG))];
        let found = read("https://support.acme.example/zammad", &login, &hook).unwrap_err();
        assert_eq!(found, ["url", "login.user", "login.token", "webhook.header", "webhook.secret"]);
        assert_eq!(read("https://u:p@support.acme.example", &[], &[]).unwrap_err(), ["url", "login.token"]);
        for token in ["", "a b", "ä"] {
            assert_eq!(read(SITE, &[("token", secret(token))], &[]).unwrap_err(), ["login.token"], "{token:?}");
        }
    }

    #[test]
    fn a_checked_table_shows_no_secret() {
        let config = read(SITE, &[("token", secret("hush-hush"))], &[("secret", secret(LONG))]).unwrap();
        let shown = format!("{config:?}");
        assert!(!shown.contains("hush") && !shown.contains(LONG), "{shown}");
    }
}
