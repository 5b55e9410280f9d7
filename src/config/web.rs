//! `[web]`: who may see the dashboard, and what they may do there. None of it is part of the policy's meaning.

use super::found::Found;
use super::keys;
use super::secrets::SecretSource;
use super::walk::{Named, Section};
use handoffd_kit::settings::is_loopback;
use jiff::SignedDuration;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use url::Url;

/// The dashboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebConfig {
    /// How people reach it through a proxy: scheme and host. None: on this machine alone.
    pub origin: Option<Url>,
    /// How long a login lasts. Default: 12 hours.
    pub session: SignedDuration,
    /// Who may enter; nobody: there is no dashboard.
    pub logins: BTreeMap<String, LoginConfig>,
}

impl WebConfig {
    /// What the address of a page begins with, where people reach the dashboard from their own machines.
    pub fn address(&self) -> Option<String> {
        let origin = self.origin.as_ref().filter(|_| !self.logins.is_empty())?;
        Some(origin.as_str().trim_end_matches('/').to_owned())
    }

    /// Who may enter, with what they may do and where their token is.
    pub(super) fn people(&self) -> impl Iterator<Item = (&String, Role, &SecretSource)> {
        self.logins.iter().map(|(name, login)| (name, login.role, &login.token))
    }
}

/// One person's login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginConfig {
    /// Where their token is.
    pub token: SecretSource,
    /// What they may do.
    pub role: Role,
    /// Where it stands in the file.
    pub(super) place: Range<usize>,
}

/// What somebody may do on the dashboard; each may do what those before it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Look.
    Read,
    /// Say yes or no to reviews.
    Review,
    /// Retry and give up what is parked.
    Operate,
}

/// The words of `role`.
pub(super) const ROLES: [(&str, Role); 3] =
    [("read", Role::Read), ("review", Role::Review), ("operate", Role::Operate)];

impl Role {
    /// Its word.
    pub fn name(self) -> &'static str {
        ROLES.iter().find(|(_, role)| *role == self).map_or("", |(name, _)| name)
    }
}

/// Reads `[web]`; `base` is the folder of the file, which paths are relative to.
pub(super) fn read(found: &mut Found<'_>, root: &Section<'_>, base: &Path) -> WebConfig {
    let mut web = WebConfig { origin: None, session: SignedDuration::from_hours(12), logins: BTreeMap::new() };
    let Some(section) = root.table(found, "web", keys::WEB, "[web]".into()) else { return web };
    web.origin = section.parsed(found, "origin", origin).map(|origin| origin.value);
    let bounds = (SignedDuration::from_mins(5), SignedDuration::from_hours(24 * 30));
    if let Some(session) = section.duration(found, "session", bounds) {
        web.session = session;
    }
    for named in section.named_tables(found, "logins") {
        let named = Named { title: format!("[web.logins.{}]", named.name.value), ..named };
        if let Some(login) = login(found, &named, base) {
            web.logins.insert(named.name.value.to_owned(), login);
        }
    }
    web
}

fn login(found: &mut Found<'_>, named: &Named<'_>, base: &Path) -> Option<LoginConfig> {
    let section = named.open(found, keys::WEB_LOGIN);
    for key in ["token", "role"] {
        if !section.has(key) {
            section.missing(found, key);
        }
    }
    let role = section.word(found, "role", &ROLES);
    let token = section.table(found, "token", keys::SECRET, format!("`token` of {}", section.title));
    let token = token.and_then(|table| SecretSource::read(found, &table, base));
    Some(LoginConfig { token: token?, role: role?, place: section.key_span("token") })
}

/// Scheme and host, and nothing else.
fn origin(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("this is no address: {error}"))?;
    let bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let nobody = url.username().is_empty() && url.password().is_none();
    match (url.scheme(), url.host_str()) {
        ("https", Some(_)) if bare && nobody => Ok(url),
        ("http", Some(_)) if bare && nobody && is_loopback(&url) => Ok(url),
        ("https", Some(_)) => Err("`origin` is scheme and host alone".into()),
        _ => Err("`origin` begins with https:// and names a host; http:// is for this machine alone".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_scheme_and_host_and_never_in_the_clear() {
        for right in [
            "https://handoffs.acme.example",
            "https://h.example:8443/",
            "http://127.0.0.1:8787",
            "http://[::1]:1",
            "http://localhost",
        ] {
            assert!(origin(right).is_ok(), "{right}");
        }
        for wrong in [
            "http://h.example",
            "http://127.0.0.1/a",
            "http://localhost.evil.example",
            "http://10.0.0.1",
            "h.example",
            "https://",
            "https://h/a",
            "https://h/?a",
            "https://a:b@h",
            "ftp://h",
        ] {
            assert!(origin(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn each_role_may_do_what_those_before_it_may() {
        assert!(Role::Operate > Role::Review && Role::Review > Role::Read);
        assert_eq!(ROLES.map(|(_, role)| role.name()), ["read", "review", "operate"]);
    }
}
