//! `handoffd init`: a few questions, or flags, and the first configuration: the login is tried, the desk's queues and fields are
//! listed, and what is written passes `check`. No secret is ever written into it, and no file is overwritten.

mod text;

use super::check::{environment, seams, show};
use super::failure::Failure;
use super::output::{Context, tame};
use crate::config;
use crate::daemon::wiring::open_desks;
use crate::registry;
use anyhow::{Context as _, anyhow};
use clap::Args;
use handoffd_kit::desk::{Directory, Finding, Severity};
use std::fs::OpenOptions;
use std::io::{BufRead, Write as _};
use std::path::Path;
use std::process::ExitCode;
use text::{Answers, Secret};

/// The first configuration.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd init                                     asks, tries the login, and writes handoffd.toml
  handoffd init --connector rt --url https://rt.acme.example --secret token=env:RT_TOKEN --team frontline=tier1 --team second=tier2
  handoffd init --offline --connector zendesk --url https://acme.zendesk.com --login client_id=handoffd --secret client_secret=file:zendesk.secret --team frontline=Support --team billing=Billing

A secret is named, never typed: env:VARIABLE or file:PATH.")]
pub struct InitArgs {
    /// Which helpdesk.
    #[arg(long, value_name = "NAME")]
    connector: Option<String>,
    /// Its address, as a person types it into a browser.
    #[arg(long)]
    url: Option<String>,
    /// What it is called in the policy [default: the first word of its host].
    #[arg(long, value_name = "NAME")]
    desk: Option<String>,
    /// A key of the login that is no secret; again for each.
    #[arg(long, value_name = "KEY=VALUE")]
    login: Vec<String>,
    /// A key of the login that is a secret, and where it is: KEY=env:VARIABLE or KEY=file:PATH; again for each.
    #[arg(long, value_name = "KEY=WHERE")]
    secret: Vec<String>,
    /// A team and its queue; the first is the first tier, the others the second.
    #[arg(long, value_name = "TEAM=QUEUE")]
    team: Vec<String>,
    /// Who answers for the policy.
    #[arg(long, value_name = "MAIL")]
    owner: Option<String>,
    /// Do not ask the helpdesk: its login is not tried, its queues are not listed.
    #[arg(long)]
    offline: bool,
}

impl InitArgs {
    /// Runs it.
    ///
    /// # Errors
    /// Exit 2 for wrong usage, or a file that is there already; 3 where the desk does not answer or refuses the login.
    pub fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let path = &context.config_path;
        if path.exists() {
            let words =
                anyhow!("{} is there already: move it away, or write to another file with --config", path.display());
            return Err(Failure::usage(words));
        }
        let mut answers = self.answers(context)?;
        let reached = self.with_teams(context, &mut answers)?;
        let written = text::configuration(&answers, &reached);
        let checked = config::read(&written, &path.display().to_string(), path.parent().unwrap_or(Path::new("")));
        if let Err(problems) = checked {
            show(context, &problems, 2)?;
            return Err(Failure::usage(anyhow!("nothing was written: what is said above is not right yet")));
        }
        write_new(path, &written)?;
        context.say(&format!(
            "written to {}. Next: `handoffd check`, then `handoffd run`: it looks and decides, and writes nothing until you say live",
            path.display()
        ));
        if context.json {
            context.print_json(
                &serde_json::json!({ "written": path, "desk": answers.desk, "queues": reached.queues.len() }),
            )?;
        }
        Ok(ExitCode::SUCCESS)
    }

    /// What is known of the desk before it is asked.
    fn answers(&self, context: &Context) -> Result<Answers, Failure> {
        let known = registry::known().join(", ");
        let which = format!("Which helpdesk ({known})?");
        let connector = given(context, self.connector.as_deref(), &which, "--connector", |word| {
            if registry::known().contains(&word) {
                return Ok(word.to_owned());
            }
            Err(Failure::usage(anyhow!("no connector speaks {}; known: {known}", tame(word))))
        })?;
        let (url, host) = given(context, self.url.as_deref(), "Its address (https://…)?", "--url", |text| {
            let host = url::Url::parse(text).ok().and_then(|url| url.host_str().map(str::to_owned));
            let host = host.ok_or_else(|| Failure::usage(anyhow!("{} is no address: write https://…", tame(text))))?;
            Ok((text.to_owned(), host))
        })?;
        let desk = named(self.desk.clone().unwrap_or_else(|| text::name_of_host(&host)))?;
        let mut login = Vec::new();
        for pair in &self.login {
            login.push(split(pair, "--login KEY=VALUE")?);
        }
        let mut secrets = Vec::new();
        for pair in &self.secret {
            let (key, place) = split(pair, "--secret KEY=env:VARIABLE or KEY=file:PATH")?;
            secrets.push((key, place_of(&place)?));
        }
        if login.is_empty() && secrets.is_empty() {
            for (key, is_secret, question) in registry::login_questions(&connector) {
                if *is_secret {
                    let asked = format!("{question}: where is it? env:VARIABLE or file:PATH");
                    secrets.push(((*key).to_owned(), given(context, None, &asked, "--secret", place_of)?));
                } else {
                    login.push(((*key).to_owned(), given(context, None, question, "--login", any)?));
                }
            }
        }
        let owner = self.owner.clone();
        let mut teams = Vec::new();
        for pair in &self.team {
            let (team, queue) = split(pair, "--team TEAM=QUEUE")?;
            teams.push((named(team)?, queue));
        }
        Ok(Answers { connector, url, desk, login, secrets, teams, owner })
    }

    /// Asks the desk, and for teams where none was named.
    fn with_teams(&self, context: &Context, answers: &mut Answers) -> Result<Directory, Failure> {
        let directory = if self.offline { Directory::default() } else { reach(context, answers)? };
        let queues: Vec<String> =
            directory.queues.iter().map(|queue| queue.name.clone().unwrap_or_else(|| queue.id.to_string())).collect();
        if !queues.is_empty() {
            let shown: Vec<String> = queues.iter().map(|queue| tame(queue)).collect();
            context.say(&format!("queues: {}", shown.join(", ")));
        }
        if !directory.fields.is_empty() {
            let shown: Vec<String> = text::with_titles(&directory).collect();
            context.say(&format!("fields: {}", tame(&shown.join(", "))));
        }
        let questions = [
            ("frontline", "Which queue does the first line work in?"),
            ("second-line", "Which queue do harder cases go to?"),
        ];
        let is_there = |team: &str, queue: &str| {
            if queues.is_empty() || queues.iter().any(|known| known == queue) {
                return Ok(queue.to_owned());
            }
            let words =
                anyhow!("team {team}: the desk has no queue {}; it has: {}", tame(queue), tame(&queues.join(", ")));
            Err(Failure::usage(words))
        };
        if answers.teams.is_empty() {
            for (team, question) in questions {
                let queue = given(context, None, question, "--team", |queue| is_there(team, queue))?;
                answers.teams.push((team.to_owned(), queue));
            }
        }
        for (team, queue) in &answers.teams {
            is_there(team, queue)?;
        }
        Ok(directory)
    }
}

/// Logs in, says what is missing, and lists what the desk has.
fn reach(context: &Context, answers: &Answers) -> Result<Directory, Failure> {
    let alone = text::desk_alone(answers);
    let config = config::read(&alone, "init", Path::new("")).or_else(|problems| {
        show(context, &problems, 2)?;
        Err(Failure::usage(anyhow!("the desk's settings are not right yet")))
    })?;
    let seams = seams();
    let desks = open_desks(&config, &environment, &seams).or_else(|problems| {
        show(context, &problems, 2)?;
        Err(Failure::usage(anyhow!("the desk's settings are not complete")))
    })?;
    let desk = desks.into_values().next().ok_or_else(|| Failure::usage(anyhow!("no desk")))?;
    super::run::runtime()?.block_on(async {
        let refused = |error: handoffd_kit::error::DeskError| {
            let next = error.next_step.clone().unwrap_or_else(|| "is the url right, and the desk up?".into());
            Failure::unreachable(anyhow!("{error}\n    next: {next}"))
        };
        let me = desk.me().await.map_err(refused)?;
        context.say(&format!("logged in as {}", tame(me.name.as_deref().unwrap_or(me.id.as_str()))));
        for finding in desk.check(&[]).await.map_err(refused)? {
            say(context, &finding);
        }
        desk.directory().await.map_err(refused)
    })
}

fn say(context: &Context, finding: &Finding) {
    if finding.severity != Severity::Fine {
        context.say(&format!("{}\n    next: {}", tame(&finding.what), tame(&finding.next_step)));
    }
}

/// A flag's value, or a person's answer; without a person the flag is missing. A person whose answer does not do is told why and
/// asked again.
fn given<T>(
    context: &Context,
    flag: Option<&str>,
    question: &str,
    name: &str,
    read: impl Fn(&str) -> Result<T, Failure>,
) -> Result<T, Failure> {
    if let Some(value) = flag {
        return read(value);
    }
    if !context.asks {
        return Err(Failure::usage(anyhow!("say {name}: nobody is there to be asked ({question})")));
    }
    answered(question, &mut std::io::stdin().lock(), &|words| context.say(words), read)
}

/// The first answer that does. Where there are no more answers it is given up.
fn answered<T>(
    question: &str,
    answers: &mut dyn BufRead,
    say: &dyn Fn(&str),
    read: impl Fn(&str) -> Result<T, Failure>,
) -> Result<T, Failure> {
    loop {
        say(question);
        let mut answer = String::new();
        let got = answers.read_line(&mut answer).map_err(|error| Failure::usage(anyhow!("no answer: {error}")))?;
        if got == 0 {
            return Err(Failure::usage(anyhow!("no answer to: {question}")));
        }
        match answer.trim() {
            "" => say("an answer is needed; Ctrl-C ends it"),
            answer => match read(answer) {
                Ok(value) => return Ok(value),
                Err(wrong) => say(&wrong.words()),
            },
        }
    }
}

fn any(answer: &str) -> Result<String, Failure> {
    Ok(answer.to_owned())
}

/// A name that stands in a key of the file.
fn named(name: String) -> Result<String, Failure> {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '-' || letter == '_';
    if name.is_empty() || !name.chars().all(plain) {
        return Err(Failure::usage(anyhow!("{} is no name: names are letters, digits, - and _", tame(&name))));
    }
    Ok(name)
}

fn split(pair: &str, form: &str) -> Result<(String, String), Failure> {
    let parts = pair.split_once('=').filter(|(key, value)| !key.trim().is_empty() && !value.trim().is_empty());
    let (key, value) = parts.ok_or_else(|| Failure::usage(anyhow!("write {form}")))?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

/// Where a secret is. What was typed is not said again: it may be the secret itself.
fn place_of(place: &str) -> Result<Secret, Failure> {
    match place.split_once(':') {
        Some(("env", name)) if !name.is_empty() => Ok(Secret::Env(name.to_owned())),
        Some(("file", path)) if !path.is_empty() => Ok(Secret::File(path.to_owned())),
        _ => Err(Failure::usage(anyhow!("a secret is named, never typed: write env:VARIABLE or file:PATH"))),
    }
}

fn write_new(path: &Path, text: &str) -> Result<(), Failure> {
    let made = OpenOptions::new().write(true).create_new(true).open(path);
    let written = made.and_then(|mut file| file.write_all(text.as_bytes()));
    Ok(written.with_context(|| format!("{} cannot be written", path.display()))?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;

    #[test]
    fn a_typing_error_is_told_and_asked_about_again() {
        let said = RefCell::new(Vec::new());
        let say = |words: &str| said.borrow_mut().push(words.to_owned());
        let read = |place: &str| place_of(place);
        let mut typed: &[u8] = b"secret\n\nenv:TOKEN\n";
        let place = answered("Where is it?", &mut typed, &say, read);
        assert!(matches!(place, Ok(Secret::Env(name)) if name == "TOKEN"));
        let said = said.into_inner();
        assert_eq!(said.iter().filter(|words| *words == "Where is it?").count(), 3, "{said:?}");
        assert!(said[1].contains("named, never typed") && !said[1].contains("secret\n"), "{said:?}");
        let ended = answered("Where is it?", &mut std::io::empty(), &|_| (), read);
        assert!(ended.is_err(), "nobody answers any more");
    }
}
