//! Secrets: `{ env = "NAME" }`, `{ file = "PATH" }` or `{ command = ["PROGRAM", "ARGUMENT"] }`. They are read after the file
//! was checked, so that a policy can be checked on a machine that has none, and live in types that print nothing. What comes
//! from a file or a command can be read again while the daemon runs.

use super::Config;
use super::alerts::{AlertSettings, wrong_text};
use super::desks::DeskConfig;
use super::found::Found;
use super::mask::looks_like_a_variable;
use super::problem::{Problems, Severity};
use super::secret_command;
use super::walk::Section;
use super::web::Role;
use crate::policy::names::AlertName;
use futures::FutureExt;
use futures::future::{BoxFuture, ready};
use handoffd_kit::id::DeskId;
use handoffd_kit::secret::{Secret, SecretSource as ReadsAgain};
use handoffd_kit::settings::{DeskSettings, Setting};
use secrecy::{ExposeSecret, SecretString};
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
    /// This program prints it, run with these arguments.
    Command(CommandLine),
}

/// A program and its arguments. Somebody may have put a secret among them: only the program is shown.
#[derive(Clone, PartialEq, Eq)]
pub struct CommandLine(Vec<String>);

impl fmt::Debug for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} and {} arguments", self.program(), self.0.len().saturating_sub(1))
    }
}

impl CommandLine {
    fn program(&self) -> &str {
        self.0.first().map_or("", String::as_str)
    }
}

/// Gives a variable of the environment.
type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Whether commands are run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Commands {
    Run,
    Leave,
}

impl SecretSource {
    /// Reads the table; paths are relative to the configuration's folder.
    pub(super) fn read(found: &mut Found<'_>, table: &Section<'_>, base: &Path) -> Option<Self> {
        const HELP: &str = "write { env = \"NAME\" }, { file = \"PATH\" } or { command = [\"PROGRAM\", \"ARGUMENT\"] }";
        match (table.has("env"), table.has("file"), table.has("command")) {
            (true, false, false) => {
                let name = table.text(found, "env")?;
                if name.value.contains(|letter: char| letter == '=' || letter.is_whitespace() || letter.is_control()) {
                    // What stands here may be the secret itself, so it is not said again.
                    found.error(&name.span, "this names no environment variable".to_owned(), HELP);
                    return None;
                }
                Some(Self::Env(name.value.to_owned()))
            }
            (false, true, false) => table.text(found, "file").map(|file| Self::File(base.join(file.value))),
            (false, false, true) => Self::command(found, table, base),
            (false, false, false) => {
                found.error(&table.span, format!("{} says neither env nor file nor command", table.title), HELP);
                None
            }
            _ => {
                found.error(&table.span, format!("{} is given in more than one way", table.title), HELP);
                None
            }
        }
    }
}

impl SecretSource {
    fn command(found: &mut Found<'_>, table: &Section<'_>, base: &Path) -> Option<Self> {
        let help =
            "write the program and its arguments: [\"/usr/local/bin/secret\", \"desk-token\"]; no shell reads them";
        let words = table.texts(found, "command")?;
        let mut line: Vec<String> = words.into_iter().map(|word| word.value.to_owned()).collect();
        let nul = line.iter().any(|word| word.contains('\0'));
        match line.first_mut() {
            Some(program) if !program.trim().is_empty() && !nul => {
                // A name alone is looked for in PATH; a path is relative to the configuration's folder, as all are.
                if program.contains('/') {
                    *program = base.join(&*program).to_string_lossy().into_owned();
                }
                Some(Self::Command(CommandLine(line)))
            }
            _ => {
                found.error(&table.key_span("command"), "this names no program".to_owned(), help);
                None
            }
        }
    }
}

/// A file or a command that can be read again.
struct Again(SecretSource);

impl ReadsAgain for Again {
    fn read(&self) -> BoxFuture<'_, Result<SecretString, String>> {
        let source = self.0.clone();
        let read = move || text(&source, &|_| None).map_err(|(what, _)| what).map(SecretString::from);
        if matches!(self.0, SecretSource::File(_)) {
            return Box::pin(ready(read()));
        }
        // A command takes its time: not in the thread of whoever asks.
        let (sender, receiver) = futures::channel::oneshot::channel();
        let thread = std::thread::Builder::new().name("secret".into());
        // Who does not wait any more does not want it.
        let started = thread.spawn(move || drop(sender.send(read())));
        Box::pin(receiver.map(move |read| match (started, read) {
            (Ok(_), Ok(read)) => read,
            _ => Err("the command cannot be run: no thread for it".to_owned()),
        }))
    }
}

/// How many secrets come from commands.
pub fn commands(config: &Config) -> usize {
    let desks = config.desks.values().flat_map(|desk| desk.login.values().chain(desk.webhook.values()));
    let all = desks.chain(config.alerts.values().flat_map(|alert| alert.settings.values()));
    let tokens = config.web.logins.values().filter(|login| matches!(login.token, SecretSource::Command(_)));
    all.filter(|setting| matches!(setting, RawSetting::Secret(SecretSource::Command(_)))).count() + tokens.count()
}

/// Reads all secrets and hands each desk's settings on.
///
/// # Errors
/// Every secret that is missing, empty or broken, each at its place.
pub fn resolve(
    config: &Config,
    env: &dyn Fn(&str) -> Option<String>,
) -> Result<(BTreeMap<DeskId, DeskSettings>, Problems), Problems> {
    read_whole(config, env, Commands::Run)
}

/// Reads the secrets of all alert channels, or of one, and hands each one's settings on. Addresses among them are judged now that they are
/// known.
///
/// # Errors
/// Every secret that is missing, empty, broken or no address of its kind, each at its place.
pub fn resolve_alerts(
    config: &Config,
    env: &dyn Fn(&str) -> Option<String>,
    only: Option<&AlertName>,
) -> Result<(BTreeMap<AlertName, AlertSettings>, Problems), Problems> {
    let (channels, problems) = read_alerts(config, env, Commands::Run, only);
    if problems.has_errors() { Err(problems) } else { Ok((channels, problems)) }
}

fn read_alerts(
    config: &Config,
    env: Env<'_>,
    commands: Commands,
    only: Option<&AlertName>,
) -> (BTreeMap<AlertName, AlertSettings>, Problems) {
    let mut problems = Problems::none(&config.source);
    let mut channels = BTreeMap::new();
    for (name, alert) in config.alerts.iter().filter(|(name, _)| only.is_none_or(|only| only == *name)) {
        let settings = read_all(&alert.settings, &|key| alert.place(key), (env, commands), &mut problems);
        for (key, setting) in &settings {
            let Setting::Secret(secret) = setting else { continue };
            let secret = secret.current();
            let unread = secret.expose_secret() == STAND_IN;
            let wrong = wrong_text(alert.kind, key, secret.expose_secret(), alert.allow_private).filter(|_| !unread);
            if let Some((message, help)) = wrong {
                problems.add(alert.place(key), Severity::Error, format!("[alerts.{name}] {key}: {message}"), help);
            }
        }
        let (kind, to, allow_private) = (alert.kind, alert.to.clone(), alert.allow_private);
        channels.insert(name.clone(), AlertSettings { kind, settings, to, allow_private });
    }
    (channels, problems)
}

fn read_whole(
    config: &Config,
    env: &dyn Fn(&str) -> Option<String>,
    commands: Commands,
) -> Result<(BTreeMap<DeskId, DeskSettings>, Problems), Problems> {
    let mut problems = Problems::none(&config.source);
    let mut desks = BTreeMap::new();
    for (id, desk) in &config.desks {
        let login = read_all(&desk.login, &|key| desk.place(&format!("login.{key}")), (env, commands), &mut problems);
        let webhook =
            read_all(&desk.webhook, &|key| desk.place(&format!("webhook.{key}")), (env, commands), &mut problems);
        let settings = DeskSettings { id: id.clone(), url: desk.url.clone(), login, webhook, budget: desk.budget };
        desks.insert(id.clone(), settings);
    }
    if problems.has_errors() { Err(problems) } else { Ok((desks, problems)) }
}

/// The fewest characters of a token that somebody logs in with: what is chosen by hand is shorter.
const TOKEN_CHARS: usize = 24;

/// Somebody who may log in: their name, what they may do, and their token.
pub type Login = (String, Role, SecretString);

/// The tokens of the persons who may log in to the dashboard.
///
/// # Errors
/// Every token that is missing, short, or another person's too, each at its place.
pub fn logins(config: &Config, env: &dyn Fn(&str) -> Option<String>) -> Result<Vec<Login>, Problems> {
    let (logins, problems) = read_logins(config, (env, Commands::Run));
    if problems.has_errors() { Err(problems) } else { Ok(logins) }
}

fn read_logins(config: &Config, (env, commands): (Env<'_>, Commands)) -> (Vec<Login>, Problems) {
    let mut problems = Problems::none(&config.source);
    let mut logins: Vec<Login> = Vec::new();
    for (name, login) in &config.web.logins {
        if commands == Commands::Leave && matches!(login.token, SecretSource::Command(_)) {
            continue;
        }
        let mut wrong = |message: String, help: &str| {
            problems.add(login.place.clone(), Severity::Error, message, help.to_owned());
        };
        let token = match text(&login.token, env) {
            Ok(token) => token,
            Err((message, help)) => {
                wrong(message, &help);
                continue;
            }
        };
        if token.chars().count() < TOKEN_CHARS {
            let message = format!("the token of {name} has fewer than {TOKEN_CHARS} characters");
            wrong(message, "make one that nobody guesses: openssl rand -hex 32");
        } else if logins.iter().any(|(_, _, known)| known.expose_secret() == token) {
            wrong(format!("{name} has the same token as somebody else"), "give each person a token of their own");
        } else {
            logins.push((name.clone(), login.role, token.into()));
        }
    }
    (logins, problems)
}

/// What is wrong with the secrets, as warnings: for a check on a machine that need not have them. No command is run.
pub fn check(config: &Config, env: &dyn Fn(&str) -> Option<String>) -> Problems {
    let mut problems = match read_whole(config, env, Commands::Leave) {
        Ok((_, warnings)) => warnings,
        Err(problems) => problems,
    };
    problems.extend(read_logins(config, (env, Commands::Leave)).1);
    problems.extend(read_alerts(config, env, Commands::Leave, None).1);
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
            RawSetting::Secret(_) => Setting::Secret(Secret::from(STAND_IN)),
        };
        settings.iter().map(|(key, value)| (key.clone(), setting(value))).collect()
    };
    let (login, webhook) = (stand_in(&desk.login), stand_in(&desk.webhook));
    DeskSettings { id: id.clone(), url: desk.url.clone(), login, webhook, budget: desk.budget }
}

fn read_all(
    settings: &BTreeMap<String, RawSetting>,
    place: &dyn Fn(&str) -> Range<usize>,
    (env, commands): (Env<'_>, Commands),
    problems: &mut Problems,
) -> BTreeMap<String, Setting> {
    let mut read = BTreeMap::new();
    for (key, setting) in settings {
        let span = place(key);
        let value = match setting {
            RawSetting::Text(text) => Setting::Text(text.clone()),
            RawSetting::Secret(SecretSource::Command(_)) if commands == Commands::Leave => {
                Setting::Secret(Secret::from(STAND_IN))
            }
            RawSetting::Secret(source) => match read_one(source, env, &span, problems) {
                Ok(secret) => Setting::Secret(secret),
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
) -> Result<Secret, (String, String)> {
    if let SecretSource::File(path) = source
        && let Some(warning) = open_to_others(path)
    {
        problems.add(span.clone(), Severity::Warning, warning, format!("chmod 600 {}", path.display()));
    }
    let read = text(source, env)?;
    Ok(match source {
        // The environment of a process does not change from outside.
        SecretSource::Env(_) => Secret::from(read),
        again => Secret::from_source(read.into(), Box::new(Again(again.clone()))),
    })
}

/// The secret as its source has it now, without its line end.
fn text(source: &SecretSource, env: &dyn Fn(&str) -> Option<String>) -> Result<String, (String, String)> {
    let (text, shown_source) = match source {
        SecretSource::Env(name) => {
            // Somebody may have written the secret itself: only what is surely a name is said again.
            let said = if looks_like_a_variable(name) { name } else { "named here" };
            let help = format!("set the variable {said} for the daemon; a file works too: {{ file = \"PATH\" }}");
            let text = env(name).ok_or_else(|| (format!("the environment variable {said} is not set"), help))?;
            (text, format!("the environment variable {said}"))
        }
        SecretSource::File(path) => (read_file(path)?, format!("the file {}", path.display())),
        SecretSource::Command(line) => {
            let help =
                || "run it by hand as the daemon's user; it prints the secret on one line and nothing else".to_owned();
            let printed = secret_command::run(&line.0, secret_command::WITHIN, LONGEST).map_err(|why| (why, help()))?;
            let shown = format!("what the command {} prints", line.program());
            (String::from_utf8(printed).map_err(|_| (format!("{shown} is not UTF-8"), help()))?, shown)
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
