//! A `[desks.NAME]` table with `connector = "jira-service-management"`, checked: every problem at once, each with what would be
//! accepted.

use handoffd_kit::capability::WebhookTrust;
use handoffd_kit::secret::Secret;
use handoffd_kit::settings::{DeskSettings, NOT_VISIBLE, SettingProblem, Table, visible};
use url::Url;

/// What `login` takes, for messages and documentation.
pub const LOGIN_HELP: &str = "{ email = \"…\", token = { env = \"…\" }, projects = \"HELP\", team_field = \"…\" }: mail address and API \
     token of handoffd's own account, the keys of the service projects, and the field that says which team has a ticket";

/// What `webhook` takes, for messages and documentation.
pub const WEBHOOK_HELP: &str = "{ secret = { env = \"…\" } } with the secret of the webhook (Jira: System, WebHooks); or \
     { token = { env = \"…\" } } with the last part of an address that something else posts to, /hooks/DESK/TOKEN";

const URL_HELP: &str = "the address that people open, such as \"https://acme.atlassian.net\"; for a scoped API token \
     \"https://api.atlassian.com/ex/jira/CLOUD-ID\"";

/// The host of the addresses that name a site by its id.
const SHARED_HOST: &str = "api.atlassian.com";

/// The shortest token of the hook's address: it is the only thing that keeps strangers out.
const HOOK_TOKEN_CHARS: usize = 16;

/// How webhooks are known to be Jira's.
#[derive(Debug)]
pub(crate) enum Hook {
    /// Signed with a secret.
    Signed(Secret),
    /// Sent to an address that nobody else knows.
    Addressed(Secret),
}

/// A checked table.
#[derive(Debug)]
pub(crate) struct Config {
    /// Where the API's paths begin, with a slash at its end.
    pub(crate) base: Url,
    /// Where people open tickets; none: the address does not tell.
    pub(crate) site: Option<Url>,
    pub(crate) email: String,
    pub(crate) token: Secret,
    /// The keys of the service projects.
    pub(crate) projects: Vec<String>,
    /// The name or id of the field that says which team has a ticket.
    pub(crate) team_field: String,
    /// None: webhooks are refused.
    pub(crate) hook: Option<Hook>,
}

impl Config {
    /// Checks the table.
    pub(crate) fn read(settings: &DeskSettings) -> Result<Self, Vec<SettingProblem>> {
        let mut problems = Vec::new();
        let (base, site) = addresses(settings, &mut problems);
        let mut login = Table::new("login", LOGIN_HELP, &settings.login, &mut problems);
        login.only(&["email", "token", "projects", "team_field"]);
        let email = login.text("email");
        let token = login.secret_shaped("token", visible, NOT_VISIBLE);
        let (projects, team_field) = (login.text("projects"), login.text("team_field"));
        if email.as_deref().is_some_and(|email| !email.contains('@') || visible(email).is_none()) {
            problems.push(SettingProblem::new("login.email", "this is no mail address", LOGIN_HELP));
        }
        let keys = projects.as_deref().map(keys_in).unwrap_or_default();
        if let Some(odd) = keys.iter().find(|key| !is_key(key)) {
            let what = format!("{odd:?} is no key of a project");
            let help =
                "capital letters, digits and underscores as before the number of a ticket, several with commas between";
            problems.push(SettingProblem::new("login.projects", what, help));
        }
        let hook = hook(settings, &mut problems);
        match (email, token, team_field, problems.is_empty()) {
            (Some(email), Some(token), Some(team_field), true) => {
                let (email, team_field) = (email.trim().to_owned(), team_field.trim().to_owned());
                Ok(Self { base, site, email, token, projects: keys, team_field, hook })
            }
            _ => Err(problems),
        }
    }
}

/// How webhooks of a desk of this table are trusted.
pub(crate) fn trust(settings: &DeskSettings) -> WebhookTrust {
    match (settings.webhook.contains_key("secret"), settings.webhook.contains_key("token")) {
        (true, _) => WebhookTrust::SignedUndated,
        (false, true) => WebhookTrust::SecretPath,
        (false, false) => WebhookTrust::None,
    }
}

/// Where the API is, and where people are.
fn addresses(settings: &DeskSettings, problems: &mut Vec<SettingProblem>) -> (Url, Option<Url>) {
    if settings.url.host_str() != Some(SHARED_HOST) {
        let site = settings.site(&["/jira", "/rest/api/3", "/browse", "/secure"], URL_HELP, problems);
        return (site.clone(), Some(site));
    }
    let path = settings.url.path().trim_end_matches('/').to_owned();
    let id = path.strip_prefix("/ex/jira/").filter(|id| !id.is_empty() && !id.contains('/'));
    if id.is_none() || settings.url.scheme() != "https" || !settings.url.username().is_empty() {
        problems.push(SettingProblem::new("url", "this is no address of a site", URL_HELP));
    }
    let mut base = settings.url.clone();
    base.set_path(&format!("{path}/"));
    base.set_query(None);
    base.set_fragment(None);
    (base, None)
}

fn keys_in(text: &str) -> Vec<String> {
    text.split(',').map(|key| key.trim().to_owned()).collect()
}

/// A project's key: a capital letter, and then capitals, digits and underscores.
pub(crate) fn is_key(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    text.bytes().next().is_some_and(|first| first.is_ascii_uppercase()) && text.bytes().all(plain) && text.len() > 1
}

fn hook(settings: &DeskSettings, problems: &mut Vec<SettingProblem>) -> Option<Hook> {
    if !settings.webhook.contains_key("token") {
        return settings.hook_secret(WEBHOOK_HELP, problems).map(Hook::Signed);
    }
    let mut table = Table::new("webhook", WEBHOOK_HELP, &settings.webhook, problems);
    table.only(&["token"]);
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.~".contains(c));
    let fit = move |text: &str| visible(text).filter(|text| text.len() >= HOOK_TOKEN_CHARS && plain(text));
    let wrong = format!("it is not {HOOK_TOKEN_CHARS} or more letters, digits or -_.~ (try `openssl rand -hex 24`)");
    table.secret_shaped("token", fit, &wrong).map(Hook::Addressed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use handoffd_kit::settings::Setting;
    use secrecy::ExposeSecret;

    const SITE: &str = "https://acme.atlassian.net";
    const LONG: &str = "0123456789abcdef";

    fn secret(text: &str) -> Setting {
        Setting::Secret(text.into())
    }

    fn text(text: &str) -> Setting {
        Setting::Text(text.into())
    }

    fn login() -> Vec<(&'static str, Setting)> {
        vec![
            ("email", text("handoffd@acme.example")),
            ("token", secret("k3y\n")),
            ("projects", text("HELP, IT_2")),
            ("team_field", text("Support team")),
        ]
    }

    fn settings(url: &str, login: &[(&str, Setting)], webhook: &[(&str, Setting)]) -> DeskSettings {
        let table = |keys: &[(&str, Setting)]| keys.iter().map(|(key, value)| ((*key).into(), value.clone())).collect();
        let (login, webhook) = (table(login), table(webhook));
        DeskSettings { id: "acme".into(), url: url.parse().unwrap(), login, webhook, budget: 0.8 }
    }

    fn wrong(url: &str, login: &[(&str, Setting)], webhook: &[(&str, Setting)]) -> Vec<String> {
        let problems = Config::read(&settings(url, login, webhook)).unwrap_err();
        problems.into_iter().map(|problem| problem.key).collect()
    }

    #[test]
    fn a_site_and_the_shared_host_are_taken_and_so_are_addresses_that_people_copy() {
        for url in [SITE, "https://acme.atlassian.net/jira", "https://acme.atlassian.net/rest/api/3/?x=1#y"] {
            let config = Config::read(&settings(url, &login(), &[])).unwrap();
            assert_eq!(config.base.as_str(), "https://acme.atlassian.net/");
            assert_eq!(config.site, Some(config.base.clone()));
            assert_eq!(config.token.current().expose_secret(), "k3y");
            assert_eq!(config.projects, ["HELP", "IT_2"]);
            assert!(config.hook.is_none());
        }
        let shared = Config::read(&settings("https://api.atlassian.com/ex/jira/1f-2e/", &login(), &[])).unwrap();
        assert_eq!((shared.base.path(), shared.site), ("/ex/jira/1f-2e/", None));
        for odd in
            ["https://api.atlassian.com", "https://api.atlassian.com/ex/jira/", "https://api.atlassian.com/ex/jira/a/b"]
        {
            assert_eq!(wrong(odd, &login(), &[]), ["url"], "{odd}");
        }
    }

    #[test]
    fn every_problem_is_named_at_once() {
        let odd =
            [("email", text("nobody")), ("token", text("k")), ("projects", text("help, HELP")), ("queue", text("x"))];
        let found = wrong("https://acme.atlassian.net/jira/servicedesk", &odd, &[("secret", secret("short"))]);
        let expected = [
            "url",
            "login.queue",
            "login.token",
            "login.team_field",
            "login.email",
            "login.projects",
            "webhook.secret",
        ];
        assert_eq!(found, expected);
        for projects in ["", "HELP,", "1X", "A", "HE-LP", "HELP ITSM"] {
            let mut keys = login();
            keys[2] = ("projects", text(projects));
            assert_eq!(wrong(SITE, &keys, &[]), ["login.projects"], "{projects:?}");
        }
    }

    #[test]
    fn a_hook_has_a_secret_or_an_address_of_its_own() {
        let read = |webhook: &[(&str, Setting)]| {
            let settings = settings(SITE, &login(), webhook);
            (Config::read(&settings).unwrap().hook, trust(&settings))
        };
        assert!(matches!(read(&[("secret", secret(LONG))]), (Some(Hook::Signed(_)), WebhookTrust::SignedUndated)));
        assert!(matches!(read(&[("token", secret(LONG))]), (Some(Hook::Addressed(_)), WebhookTrust::SecretPath)));
        assert!(matches!(read(&[]), (None, WebhookTrust::None)));
        assert_eq!(wrong(SITE, &login(), &[("token", secret("short"))]), ["webhook.token"]);
        assert_eq!(wrong(SITE, &login(), &[("token", secret("0123456789abcd/f"))]), ["webhook.token"]);
        let both = [("token", secret(LONG)), ("secret", secret(LONG))];
        assert_eq!(wrong(SITE, &login(), &both), ["webhook.secret"]);
    }

    #[test]
    fn a_checked_table_shows_no_secret() {
        let hook = [("secret", secret(LONG))];
        let shown = format!("{:?}", Config::read(&settings(SITE, &login(), &hook)).unwrap());
        assert!(!shown.contains("k3y") && !shown.contains(LONG), "{shown}");
    }
}
