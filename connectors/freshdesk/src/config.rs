//! A `[desks.NAME]` table with `connector = "freshdesk"`, checked: every problem at once, each with what would be accepted.

use handoffd_kit::secret::Secret;
use handoffd_kit::settings::{DeskSettings, NOT_VISIBLE, SettingProblem, Table, visible};
use url::Url;

/// What `login` takes, for messages and documentation.
pub const LOGIN_HELP: &str = "{ api_key = { env = \"…\" } } with the API key of handoffd's own agent (Freshdesk: Profile settings, \
     View API key)";

/// What `webhook` takes, for messages and documentation.
pub const WEBHOOK_HELP: &str =
    "{ secret = { env = \"…\" } } with what the automation rule sends in the header X-Handoffd-Secret";

/// A checked table.
#[derive(Debug)]
pub(crate) struct Config {
    /// The account's address, without a path.
    pub(crate) site: Url,
    pub(crate) key: Secret,
    /// None: webhooks are refused.
    pub(crate) hook: Option<Secret>,
}

impl Config {
    /// Checks the table.
    pub(crate) fn read(settings: &DeskSettings) -> Result<Self, Vec<SettingProblem>> {
        let mut problems = Vec::new();
        let site = settings.site(
            &["/a", "/api/v2"],
            "the address of the account alone, such as \"https://acme.freshdesk.com\"",
            &mut problems,
        );
        if site.host_str().is_some_and(|host| host.ends_with(".freshservice.com")) {
            // The same family, other field names (Freshdesk sheet, *Pitfalls*).
            let what = "this is a Freshservice account, which this connector does not speak to";
            problems.push(SettingProblem::new("url", what, "the address of a Freshdesk account"));
        }
        let mut login = Table::new("login", LOGIN_HELP, &settings.login, &mut problems);
        login.only(&["api_key"]);
        let key = login.secret_shaped("api_key", key, NOT_VISIBLE);
        let hook = settings.hook_secret(WEBHOOK_HELP, &mut problems);
        match (key, problems.is_empty()) {
            (Some(key), true) => Ok(Self { site, key, hook }),
            _ => Err(problems),
        }
    }
}

/// A colon would end the key inside the login header.
fn key(text: &str) -> Option<String> {
    visible(text).filter(|text| !text.contains(':'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoffd_kit::conformance::example;
    use handoffd_kit::settings::Setting;
    use secrecy::ExposeSecret;

    const SITE: &str = "https://acme.freshdesk.com";
    const LONG: &str = "0123456789abcdef";

    fn secret(text: &str) -> Setting {
        Setting::Secret(text.into())
    }

    fn read(url: &str, login: &[(&str, Setting)], webhook: &[(&str, Setting)]) -> Result<Config, Vec<String>> {
        Config::read(&example::desk(url, login, webhook).unwrap())
            .map_err(|problems| problems.into_iter().map(|problem| problem.key).collect())
    }

    #[test]
    fn a_key_is_enough_and_paths_that_people_copy_are_taken() {
        for url in [SITE, "https://acme.freshdesk.com/a/", "https://acme.freshdesk.com/api/v2?x=1#y"] {
            let config = read(url, &[("api_key", secret("k3y\n"))], &[]).unwrap();
            assert_eq!(config.site.as_str(), "https://acme.freshdesk.com/");
            assert_eq!(config.key.current().expose_secret(), "k3y");
            assert!(config.hook.is_none());
        }
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let login = [("api_key", Setting::Text("k".into())), ("token", secret("x"))];
        let hook = [("secret", secret("short")), ("header", secret(LONG))];
        let found = read("https://acme.freshservice.com", &login, &hook).unwrap_err();
        assert_eq!(found, ["url", "login.token", "login.api_key", "webhook.header", "webhook.secret"]);
        assert_eq!(read("https://acme.freshdesk.com/support/home", &[], &[]).unwrap_err(), ["url", "login.api_key"]);
        for key in ["", "a b", "a:X", "ä"] {
            assert_eq!(read(SITE, &[("api_key", secret(key))], &[]).unwrap_err(), ["login.api_key"], "{key:?}");
        }
    }

    #[test]
    fn a_checked_table_shows_no_secret() {
        let config = read(SITE, &[("api_key", secret("hush-hush"))], &[("secret", secret(LONG))]).unwrap();
        let shown = format!("{config:?}");
        assert!(!shown.contains("hush") && !shown.contains(LONG), "{shown}");
    }
}
