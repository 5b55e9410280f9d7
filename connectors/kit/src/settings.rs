//! What the configuration hands to a connector: one `[desks.NAME]` table, checked as far as it can be
//! without knowing the vendor, with its secrets resolved. A connector checks the rest and names every problem.

use crate::clock::Clock;
use crate::id::DeskId;
use crate::random::Random;
use crate::secret::Secret;
use crate::transport::Transport;
use secrecy::ExposeSecret;
use std::collections::BTreeMap;
use std::sync::Arc;
use url::{Host, Url};

/// One configured desk.
#[derive(Clone, Debug)]
pub struct DeskSettings {
    /// The desk's name.
    pub id: DeskId,
    /// The address of the helpdesk, as a person types it into a browser; no trailing slash needed.
    pub url: Url,
    /// The `login` table: each vendor's own keys.
    pub login: BTreeMap<String, Setting>,
    /// The `webhook` table: each vendor's own keys. Empty: the desk sends none.
    pub webhook: BTreeMap<String, Setting>,
    /// The share of the vendor's limits that is ours, `0.0..=1.0`.
    pub budget: f64,
}

/// The shortest secret that a webhook shows or is signed with.
const HOOK_SECRET_CHARS: usize = 16;

impl DeskSettings {
    /// The helpdesk's address without a path, for vendors who have one host for each account. `copied`: paths that people copy
    /// along with it; `help`: what would be accepted.
    pub fn site(&self, copied: &[&str], help: &str, problems: &mut Vec<SettingProblem>) -> Url {
        let url = &self.url;
        let mut wrong = |what: String| problems.push(SettingProblem::new("url", what, help));
        if url.host_str().is_none() || !matches!(url.scheme(), "https" | "http") {
            wrong("this is no web address".into());
        } else if !std::iter::once(&"").chain(copied).any(|path| url.path().trim_end_matches('/') == *path) {
            wrong(format!("it has a path, {}", url.path()));
        } else if !url.username().is_empty() || url.password().is_some() {
            wrong("it has a login in it; the login has its own key".into());
        }
        let mut site = url.clone();
        site.set_path("/");
        site.set_query(None);
        site.set_fragment(None);
        site
    }

    /// `webhook = { secret = … }` of a length that nobody guesses; none: the desk sends no webhooks, or there is a problem.
    pub fn hook_secret(&self, help: &'static str, problems: &mut Vec<SettingProblem>) -> Option<Secret> {
        if self.webhook.is_empty() {
            return None;
        }
        let mut table = Table::new("webhook", help, &self.webhook, problems);
        table.only(&["secret"]);
        let long = |text: &str| visible(text).filter(|text| text.len() >= HOOK_SECRET_CHARS);
        let wrong =
            format!("{NOT_VISIBLE}, or is shorter than {HOOK_SECRET_CHARS} characters (try `openssl rand -hex 24`)");
        table.secret_shaped("secret", long, &wrong)
    }
}

/// A text or a secret.
#[derive(Clone, Debug)]
pub enum Setting {
    /// Written in the file.
    Text(String),
    /// Read from the environment, a file or a command; never printed.
    Secret(Secret),
}

/// Time, chance and the socket.
#[derive(Clone)]
pub struct Seams {
    /// What tells the time.
    pub clock: Arc<dyn Clock>,
    /// What jitter is drawn from.
    pub random: Arc<dyn Random>,
    /// What carries requests.
    pub transport: Arc<dyn Transport>,
}

/// Something wrong in a `[desks.NAME]` table that only the connector can know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingProblem {
    /// The key, dotted from the desk's table: `login.client_secret`.
    pub key: String,
    /// What is wrong.
    pub problem: String,
    /// What would be accepted.
    pub help: String,
}

impl SettingProblem {
    /// A problem with its key and what would be accepted.
    pub fn new(key: &str, problem: impl Into<String>, help: impl Into<String>) -> Self {
        Self { key: key.into(), problem: problem.into(), help: help.into() }
    }
}

/// One table being read: every problem is noted with its dotted key, and keys that nobody asked for are problems too.
pub struct Table<'a> {
    name: &'static str,
    help: &'static str,
    keys: &'a BTreeMap<String, Setting>,
    problems: &'a mut Vec<SettingProblem>,
}

impl<'a> Table<'a> {
    /// The table of this name. `help`: what it takes as a whole.
    pub fn new(
        name: &'static str,
        help: &'static str,
        keys: &'a BTreeMap<String, Setting>,
        problems: &'a mut Vec<SettingProblem>,
    ) -> Self {
        Self { name, help, keys, problems }
    }

    /// Notes every key but these.
    pub fn only(&mut self, known: &[&str]) {
        for key in self.keys.keys().filter(|key| !known.contains(&key.as_str())) {
            let what = format!("unknown key; known here: {}", known.join(", "));
            self.problems.push(SettingProblem::new(&format!("{}.{key}", self.name), what, self.help));
        }
    }

    /// A text, or a secret as text.
    pub fn text(&mut self, key: &str) -> Option<String> {
        let text = match self.keys.get(key) {
            None => return self.wrong(key, "missing"),
            Some(Setting::Text(text)) => text.clone(),
            Some(Setting::Secret(secret)) => secret.current().expose_secret().to_owned(),
        };
        match unusable(&text) {
            None => Some(text),
            Some(wrong) => self.wrong(key, wrong),
        }
    }

    /// A secret as it was written.
    pub fn secret(&mut self, key: &str) -> Option<Secret> {
        let secret = self.no_text(key)?;
        match unusable(secret.current().expose_secret()) {
            None => Some(secret),
            Some(wrong) => self.wrong(key, wrong),
        }
    }

    /// A secret in a form: what does not take it, now or when it is read again, is not taken. `wrong` says what is wrong then.
    pub fn secret_shaped(
        &mut self,
        key: &str,
        form: impl Fn(&str) -> Option<String> + Send + Sync + 'static,
        wrong: &str,
    ) -> Option<Secret> {
        let secret = self.no_text(key)?;
        match secret.shaped(form) {
            Some(secret) => Some(secret),
            None => self.wrong(key, wrong),
        }
    }

    fn no_text(&mut self, key: &str) -> Option<Secret> {
        match self.keys.get(key) {
            None => self.wrong(key, "missing"),
            Some(Setting::Secret(secret)) => Some(secret.clone()),
            Some(Setting::Text(_)) => {
                let help =
                    format!("{key} = {{ env = \"NAME\" }}, {{ file = \"path\" }} or {{ command = [\"program\"] }}");
                let name = format!("{}.{key}", self.name);
                self.problems.push(SettingProblem::new(&name, "a secret does not belong in this file", help));
                None
            }
        }
    }

    fn wrong<T>(&mut self, key: &str, wrong: &str) -> Option<T> {
        self.problems.push(SettingProblem::new(&format!("{}.{key}", self.name), wrong, self.help));
        None
    }
}

/// Whether an address is this machine's own: what goes there may go in the clear.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A text that can stand in a header or an address: no space, no line break, nothing beyond ASCII.
pub fn visible(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty() && text.chars().all(|c| c.is_ascii_graphic())).then(|| text.to_owned())
}

/// What is wrong with a text that is not [`visible`].
pub const NOT_VISIBLE: &str = "it is empty, or has a space, a line break or a letter beyond ASCII in it";

fn unusable(text: &str) -> Option<&'static str> {
    if text.trim().is_empty() {
        Some("it is empty")
    } else if text.chars().any(char::is_control) {
        Some("it has a line break or another control character in it")
    } else {
        None
    }
}
