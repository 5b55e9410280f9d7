//! A `[desks.NAME]` table with `connector = "rt"`, checked: every problem at once, each with what would be accepted.

use handoffd_kit::secret::Secret;
use handoffd_kit::settings::{DeskSettings, NOT_VISIBLE, Setting, SettingProblem, Table, visible};
use secrecy::ExposeSecret;
use url::Url;

/// What `login` takes, for messages and documentation.
pub const LOGIN_HELP: &str = "{ token = { env = \"…\" } } with an authentication token of handoffd's own user (RT: Logged in as, \
     Settings, Auth Tokens); user = \"name\" beside it only if the token does not begin with 1-NUMBER-";

/// What `webhook` takes, for messages and documentation.
pub const WEBHOOK_HELP: &str =
    "{ token = { env = \"…\" } } with the last part of the address that the scrip posts to, /hooks/DESK/TOKEN";

/// The shortest token of the hook's address: it is the only thing that keeps strangers out.
const HOOK_TOKEN_CHARS: usize = 16;

/// A checked table.
#[derive(Debug)]
pub(crate) struct Config {
    /// The address that people open, without a slash at its end.
    pub(crate) base: String,
    pub(crate) token: Secret,
    /// Our own user: its name, or its number as the token tells it.
    pub(crate) user: String,
    /// None: webhooks are refused.
    pub(crate) hook: Option<Secret>,
}

impl Config {
    /// Checks the table.
    pub(crate) fn read(settings: &DeskSettings) -> Result<Self, Vec<SettingProblem>> {
        let mut problems = Vec::new();
        let base = base(&settings.url, &mut problems);
        let mut login = Table::new("login", LOGIN_HELP, &settings.login, &mut problems);
        login.only(&["token", "user"]);
        let token = login.secret_shaped("token", visible, NOT_VISIBLE);
        let user = user(settings, token.as_ref(), &mut problems);
        let hook = hook(settings, &mut problems);
        match (token, user, problems.is_empty()) {
            (Some(token), Some(user), true) => {
                let token = of_the_same_user(&token).unwrap_or(token);
                Ok(Self { base, token, user, hook })
            }
            _ => Err(problems),
        }
    }
}

fn base(url: &Url, problems: &mut Vec<SettingProblem>) -> String {
    let help = "the address that people open Request Tracker under, such as \"https://rt.acme.example\"";
    if url.host_str().is_none() || !matches!(url.scheme(), "https" | "http") {
        problems.push(SettingProblem::new("url", "this is no web address", help));
    } else if !url.username().is_empty() || url.password().is_some() {
        problems.push(SettingProblem::new("url", "it has a login in it", format!("{help}; the login has its own key")));
    } else if url.path().contains("/REST/") {
        problems.push(SettingProblem::new(
            "url",
            "this is the address of the API",
            format!("{help}; /REST/2.0 is added by itself"),
        ));
    } else if url.query().is_some() || url.fragment().is_some() {
        problems.push(SettingProblem::new("url", "it has a query or a fragment", help));
    }
    url.as_str().trim_end_matches('/').to_owned()
}

/// A token that is read later may belong to nobody else: what is ours is known by its user.
fn of_the_same_user(token: &Secret) -> Option<Secret> {
    let number = number_in(token.current().expose_secret())?;
    token.shaped(move |text| visible(text).filter(|text| number_in(text).as_ref() == Some(&number)))
}

/// RT has no address that says who asks. Its tokens do: they are written `1-<number of their user>-<secret>`.
fn user(settings: &DeskSettings, token: Option<&Secret>, problems: &mut Vec<SettingProblem>) -> Option<String> {
    match settings.login.get("user") {
        Some(Setting::Text(name)) if !name.trim().is_empty() => return Some(name.trim().to_owned()),
        Some(_) => problems.push(SettingProblem::new("login.user", "this is no user name", "user = \"handoff-bot\"")),
        None => {
            let number = number_in(token?.current().expose_secret());
            if number.is_some() {
                return number;
            }
            let what = "missing, and the token does not tell whose it is";
            problems.push(SettingProblem::new(
                "login.user",
                what,
                "user = \"handoff-bot\": the name of the token's user",
            ));
        }
    }
    None
}

fn number_in(token: &str) -> Option<String> {
    let (version, rest) = token.split_once('-')?;
    let (number, secret) = rest.split_once('-')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    (digits(version) && digits(number) && !secret.is_empty()).then(|| number.to_owned())
}

fn hook(settings: &DeskSettings, problems: &mut Vec<SettingProblem>) -> Option<Secret> {
    if settings.webhook.is_empty() {
        return None;
    }
    let mut table = Table::new("webhook", WEBHOOK_HELP, &settings.webhook, problems);
    table.only(&["token"]);
    let token = table.secret_shaped("token", visible, NOT_VISIBLE)?;
    let plain = |text: &str| text.chars().all(|c| c.is_ascii_alphanumeric() || "-_.~".contains(c));
    let long = move |text: &str| visible(text).filter(|text| text.len() >= HOOK_TOKEN_CHARS && plain(text));
    let fit = token.shaped(long);
    if fit.is_none() {
        let help =
            format!("at least {HOOK_TOKEN_CHARS} letters, digits or -_.~, for example from `openssl rand -hex 24`");
        problems.push(SettingProblem::new("webhook.token", "too short, or not fit for an address", help));
    }
    fit
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(url: &str, login: &[(&str, Setting)], webhook: &[(&str, Setting)]) -> DeskSettings {
        let table = |keys: &[(&str, Setting)]| keys.iter().map(|(key, value)| ((*key).into(), value.clone())).collect();
        let url = url.parse().unwrap();
        DeskSettings { id: "desk".into(), url, login: table(login), webhook: table(webhook), budget: 1.0 }
    }

    fn secret(text: &str) -> Setting {
        Setting::Secret(text.into())
    }

    fn keys(problems: Vec<SettingProblem>) -> Vec<String> {
        problems.into_iter().map(|problem| problem.key).collect()
    }

    #[test]
    fn a_token_alone_is_enough_and_tells_whose_it_is() {
        let config =
            Config::read(&settings("https://rt.example/rt/", &[("token", secret("1-71-abc\n"))], &[])).unwrap();
        assert_eq!((config.base.as_str(), config.user.as_str()), ("https://rt.example/rt", "71"));
        assert_eq!(config.token.current().expose_secret(), "1-71-abc");
        assert!(config.hook.is_none());
        let named = [("token", secret("1-71-abc")), ("user", Setting::Text("handoff-bot".into()))];
        assert_eq!(Config::read(&settings("https://rt.example", &named, &[])).unwrap().user, "handoff-bot");
    }

    #[test]
    fn every_problem_is_named_in_one_go() {
        let login =
            [("token", Setting::Text("1-71-abc".into())), ("user", Setting::Text(" ".into())), ("pass", secret("x"))];
        let webhook = [("token", secret("short")), ("secret", secret("x"))];
        let found = Config::read(&settings("https://rt.example/REST/2.0", &login, &webhook)).unwrap_err();
        assert_eq!(keys(found), ["url", "login.pass", "login.token", "login.user", "webhook.secret", "webhook.token"]);
    }

    #[test]
    fn a_token_that_does_not_tell_its_user_needs_a_name() {
        for token in ["abc", "1-x-abc", "1-71-", "-71-abc", "1--abc"] {
            let found = Config::read(&settings("https://rt.example", &[("token", secret(token))], &[])).unwrap_err();
            assert_eq!(keys(found), ["login.user"], "{token}");
        }
        for token in ["", " ", "1-71-a b", "1-71-ä"] {
            let found = Config::read(&settings("https://rt.example", &[("token", secret(token))], &[])).unwrap_err();
            assert_eq!(keys(found), ["login.token"], "{token:?}");
        }
    }

    #[test]
    fn secrets_are_never_shown() {
        let hook = [("token", secret("0123456789abcdef"))];
        let config = Config::read(&settings("https://rt.example", &[("token", secret("1-71-s3cret"))], &hook)).unwrap();
        let shown = format!("{config:?}");
        assert!(!shown.contains("s3cret") && !shown.contains("0123456789"), "{shown}");
    }
}
