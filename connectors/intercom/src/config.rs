//! A `[desks.NAME]` table with `connector = "intercom"`, checked: every problem at once, each with what would be accepted.

use handoffd_kit::secret::Secret;
use handoffd_kit::settings::{DeskSettings, NOT_VISIBLE, SettingProblem, Table, is_loopback, visible};
use url::Url;

/// What `login` takes, for messages and documentation.
pub const LOGIN_HELP: &str = "{ token = { env = \"…\" } } with the access token of a private app that handoffd's own teammate made \
     (Developer Hub, your app, Authentication)";

/// What `webhook` takes, for messages and documentation.
pub const WEBHOOK_HELP: &str =
    "{ secret = { env = \"…\" } } with the app's client secret (Developer Hub, your app, Basic information)";

const URL_HELP: &str = "the address of the workspace's region: \"https://api.intercom.io\", \"https://api.eu.intercom.io\" or \
     \"https://api.au.intercom.io\"";

/// A workspace lives in exactly one region (Intercom sheet, *Base URL and auth*): the host that people open, the API's, and
/// the region's word in the API's answers.
pub(crate) const REGIONS: [(&str, &str, &str); 3] = [
    ("app.intercom.com", "api.intercom.io", "US"),
    ("app.eu.intercom.com", "api.eu.intercom.io", "EU"),
    ("app.au.intercom.com", "api.au.intercom.io", "AU"),
];

/// A checked table.
#[derive(Debug)]
pub(crate) struct Config {
    /// The API's address, without a path.
    pub(crate) api: Url,
    pub(crate) token: Secret,
    /// None: webhooks are refused.
    pub(crate) hook: Option<Secret>,
}

impl Config {
    /// Checks the table.
    pub(crate) fn read(settings: &DeskSettings) -> Result<Self, Vec<SettingProblem>> {
        let mut problems = Vec::new();
        let api = api_of(settings, &mut problems);
        let mut login = Table::new("login", LOGIN_HELP, &settings.login, &mut problems);
        login.only(&["token"]);
        let token = login.secret_shaped("token", visible, NOT_VISIBLE);
        let hook = settings.hook_secret(WEBHOOK_HELP, &mut problems);
        match (token, problems.is_empty()) {
            (Some(token), true) => Ok(Self { api, token, hook }),
            _ => Err(problems),
        }
    }
}

/// The API's address: of a region, by its own host or by the one that people open, with whatever path they copied along; or
/// of this machine, where a sandbox listens.
fn api_of(settings: &DeskSettings, problems: &mut Vec<SettingProblem>) -> Url {
    let host = settings.url.host_str().unwrap_or_default().to_owned();
    let region = REGIONS.iter().find(|(app, api, _)| [*app, *api].contains(&host.as_str()));
    let Some((_, api, _)) = region else {
        let site = settings.site(&[], URL_HELP, problems);
        if problems.is_empty() && !is_loopback(&site) {
            problems.push(SettingProblem::new("url", format!("{host} is no host of Intercom's"), URL_HELP));
        }
        return site;
    };
    if !settings.url.username().is_empty() || settings.url.password().is_some() {
        problems.push(SettingProblem::new("url", "it has a login in it; the login has its own key", URL_HELP));
    }
    let mut site = settings.url.clone();
    site.set_path("/");
    site.set_query(None);
    site.set_fragment(None);
    // The hosts above are hosts: setting one cannot fail.
    if site.set_host(Some(api)).is_err() {
        problems.push(SettingProblem::new("url", "this is no web address", URL_HELP));
    }
    site
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoffd_kit::conformance::example;
    use handoffd_kit::settings::Setting;
    use secrecy::ExposeSecret;

    const SITE: &str = "https://api.eu.intercom.io";
    const LONG: &str = "0123456789abcdef";

    fn secret(text: &str) -> Setting {
        Setting::Secret(text.into())
    }

    fn read(url: &str, login: &[(&str, Setting)], webhook: &[(&str, Setting)]) -> Result<Config, Vec<String>> {
        Config::read(&example::desk(url, login, webhook).unwrap())
            .map_err(|problems| problems.into_iter().map(|problem| problem.key).collect())
    }

    #[test]
    fn each_region_is_known_by_both_of_its_hosts_and_a_sandbox_by_this_machine() {
        for (url, api) in [
            (SITE, "https://api.eu.intercom.io/"),
            ("https://api.intercom.io/", "https://api.intercom.io/"),
            ("https://app.intercom.com/a/inbox/abc123/inbox/all?x=1#y", "https://api.intercom.io/"),
            ("https://app.au.intercom.com", "https://api.au.intercom.io/"),
            ("http://127.0.0.1:8790", "http://127.0.0.1:8790/"),
            ("http://localhost:8790", "http://localhost:8790/"),
        ] {
            let config = read(url, &[("token", secret("k3y\n"))], &[]).unwrap();
            assert_eq!((config.api.as_str(), config.hook.is_none()), (api, true));
            assert_eq!(config.token.current().expose_secret(), "k3y");
        }
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let login = [("token", Setting::Text("k".into())), ("user", secret("x"))];
        let hook = [("secret", secret("short")), ("header", secret(LONG))];
        let found = read("https://acme.intercom.example", &login, &hook).unwrap_err();
        assert_eq!(found, ["url", "login.user", "login.token", "webhook.header", "webhook.secret"]);
        for url in ["https://u:p@api.intercom.io", "https://api.intercom.io.evil.example", "http://127.0.0.1:1/x"] {
            assert_eq!(read(url, &[], &[]).unwrap_err(), ["url", "login.token"], "{url}");
        }
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
