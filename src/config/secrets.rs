//! Secrets: `{ env = "NAME" }` or `{ file = "PATH" }`. They are read after the file was checked, so that a policy can be
//! checked on a machine that has none, and live in types that print nothing.

use super::Config;
use super::desks::DeskConfig;
use super::found::Found;
use super::mask::looks_like_a_variable;
use super::problem::{Problems, Severity};
use super::walk::Section;
use handoffd_kit::id::DeskId;
use handoffd_kit::settings::{DeskSettings, Setting};
use secrecy::SecretString;
use std::collections::BTreeMap;
use std::fmt;
use std::io::Read;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The longest secret that is read, in bytes.
const LONGEST: u64 = 16 * 1024;

/// What a connector is shown in a secret's place. Long enough, and in the form that tells its owner, so that no connector
/// has anything to say against it: what is wrong with the real one is found when it is there.
const STAND_IN: &str = "1-1-stand-in-for-a-secret";

/// One of the vendor's own keys, as the file gives it.
#[derive(Clone, PartialEq, Eq)]
pub enum RawSetting {
    /// Written in the file.
    Text(String),
    /// To be read from elsewhere.
    Secret(SecretSource),
}

/// A text may be a secret that nobody recognised as one: Debug shows where values come from, not what they are.
impl fmt::Debug for RawSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(_) => f.write_str("Text(…)"),
            Self::Secret(source) => source.fmt(f),
        }
    }
}

/// Where a secret is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretSource {
    /// In this environment variable.
    Env(String),
    /// In this file.
    File(PathBuf),
}

impl SecretSource {
    /// Reads the table; paths are relative to the configuration's folder.
    pub(super) fn read(found: &mut Found<'_>, table: &Section<'_>, base: &Path) -> Option<Self> {
        const HELP: &str = "write { env = \"NAME\" } or { file = \"PATH\" }";
        match (table.has("env"), table.has("file")) {
            (true, false) => {
                let name = table.text(found, "env")?;
                if name.value.contains(|letter: char| letter == '=' || letter.is_whitespace() || letter.is_control()) {
                    // What stands here may be the secret itself, so it is not said again.
                    found.error(&name.span, "this names no environment variable".to_owned(), HELP);
                    return None;
                }
                Some(Self::Env(name.value.to_owned()))
            }
            (false, true) => table.text(found, "file").map(|file| Self::File(base.join(file.value))),
            (true, true) => {
                found.error(&table.span, format!("{} is given both by env and by file", table.title), HELP);
                None
            }
            (false, false) => {
                found.error(&table.span, format!("{} says neither env nor file", table.title), HELP);
                None
            }
        }
    }
}

/// Reads all secrets and hands each desk's settings on.
///
/// # Errors
/// Every secret that is missing, empty or broken, each at its place.
pub fn resolve(
    config: &Config,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<(BTreeMap<DeskId, DeskSettings>, Problems), Problems> {
    let mut problems = Problems::none(&config.source);
    let mut desks = BTreeMap::new();
    for (id, desk) in &config.desks {
        let login = read_all(desk, "login", &desk.login, env, &mut problems);
        let webhook = read_all(desk, "webhook", &desk.webhook, env, &mut problems);
        let settings = DeskSettings { id: id.clone(), url: desk.url.clone(), login, webhook, budget: desk.budget };
        desks.insert(id.clone(), settings);
    }
    if problems.has_errors() { Err(problems) } else { Ok((desks, problems)) }
}

/// What is wrong with the secrets, as warnings: for a check on a machine that need not have them.
pub fn check(config: &Config, env: &dyn Fn(&str) -> Option<String>) -> Problems {
    let mut problems = match resolve(config, env) {
        Ok((_, warnings)) => warnings,
        Err(problems) => problems,
    };
    problems.soften();
    problems
}

/// Each desk's settings with a stand-in for every secret: what a connector says about them is about the keys alone, so
/// that a check without secrets finds a misspelt one.
pub fn stand_ins(config: &Config) -> BTreeMap<DeskId, DeskSettings> {
    config.desks.iter().map(|(id, desk)| (id.clone(), stand_in(id, desk))).collect()
}

/// One desk's settings with a stand-in for every secret.
pub(super) fn stand_in(id: &DeskId, desk: &DeskConfig) -> DeskSettings {
    let stand_in = |settings: &BTreeMap<String, RawSetting>| {
        let setting = |setting: &RawSetting| match setting {
            RawSetting::Text(text) => Setting::Text(text.clone()),
            RawSetting::Secret(_) => Setting::Secret(SecretString::from(STAND_IN)),
        };
        settings.iter().map(|(key, value)| (key.clone(), setting(value))).collect()
    };
    let (login, webhook) = (stand_in(&desk.login), stand_in(&desk.webhook));
    DeskSettings { id: id.clone(), url: desk.url.clone(), login, webhook, budget: desk.budget }
}

fn read_all(
    desk: &DeskConfig,
    table: &str,
    settings: &BTreeMap<String, RawSetting>,
    env: &dyn Fn(&str) -> Option<String>,
    problems: &mut Problems,
) -> BTreeMap<String, Setting> {
    let mut read = BTreeMap::new();
    for (key, setting) in settings {
        let span = desk.place(&format!("{table}.{key}"));
        let value = match setting {
            RawSetting::Text(text) => Setting::Text(text.clone()),
            RawSetting::Secret(source) => match read_one(source, env, &span, problems) {
                Ok(secret) => Setting::Secret(SecretString::from(secret)),
                Err((message, help)) => {
                    problems.add(span, Severity::Error, message, help);
                    continue;
                }
            },
        };
        read.insert(key.clone(), value);
    }
    read
}

fn read_one(
    source: &SecretSource,
    env: &dyn Fn(&str) -> Option<String>,
    span: &Range<usize>,
    problems: &mut Problems,
) -> Result<String, (String, String)> {
    let (text, shown_source) = match source {
        SecretSource::Env(name) => {
            // Somebody may have written the secret itself: only what is surely a name is said again.
            let said = if looks_like_a_variable(name) { name } else { "named here" };
            let help = format!("set the variable {said} for the daemon; a file works too: {{ file = \"PATH\" }}");
            let text = env(name).ok_or_else(|| (format!("the environment variable {said} is not set"), help))?;
            (text, format!("the environment variable {said}"))
        }
        SecretSource::File(path) => {
            if let Some(warning) = open_to_others(path) {
                let help = format!("chmod 600 {}", path.display());
                problems.add(span.clone(), Severity::Warning, warning, help);
            }
            (read_file(path)?, format!("the file {}", path.display()))
        }
    };
    let secret = text.strip_suffix('\n').map_or(text.as_str(), |text| text.strip_suffix('\r').unwrap_or(text));
    let help = || "it holds the secret on one line and nothing else".to_owned();
    if secret.trim().is_empty() {
        return Err((format!("{shown_source} is empty"), help()));
    }
    if secret.contains(char::is_control) {
        return Err((format!("{shown_source} has a line break or control character inside"), help()));
    }
    Ok(secret.to_owned())
}

fn read_file(path: &Path) -> Result<String, (String, String)> {
    let failed = |error: &dyn fmt::Display| {
        let message = format!("the secret's file {} cannot be read: {error}", path.display());
        (message, "write the secret into it, readable by the daemon alone".to_owned())
    };
    let file = std::fs::File::open(path).map_err(|error| failed(&error))?;
    let mut bytes = Vec::new();
    file.take(LONGEST + 1).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    if bytes.len() as u64 > LONGEST {
        return Err(failed(&"it is longer than any secret"));
    }
    String::from_utf8(bytes).map_err(|_| failed(&"it is not UTF-8"))
}

/// Whether other users of this machine can read the file.
#[cfg(unix)]
fn open_to_others(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(path).ok()?.permissions().mode();
    (mode & 0o077 != 0).then(|| format!("the secret's file {} is readable by others", path.display()))
}

#[cfg(not(unix))]
fn open_to_others(_path: &Path) -> Option<String> {
    None
}

/// Kept close to the reader of places: a key that is not in the file is looked for further out.
impl DeskConfig {
    /// The place of a key dotted from the desk's table, or of the nearest table around it.
    pub(super) fn place(&self, key: &str) -> Range<usize> {
        let mut key = key;
        loop {
            if let Some(span) = self.places.get(key) {
                return span.clone();
            }
            match key.rsplit_once('.') {
                Some((around, _)) => key = around,
                None => return self.places.get("").cloned().unwrap_or(0..0),
            }
        }
    }
}
