//! Reload without restart, all or nothing. The whole configuration is read and checked as at a start, secrets and included files
//! with it; only if all of it is right does another house take the place of the one that runs. What the ledger has to know
//! of it is one transaction; only when that is done does the new house take, so that no look is decided by a policy that is not in
//! force. Open handoffs keep what they were planned by.

use super::alert_wiring::{Channels, open_channels};
use super::chosen::{self, Chosen, Kept};
use super::control::{Changes, Command, CommandError, Order, Reply, rollback};
use super::house::House;
use super::running::Running;
use super::wiring::{open_desks, rewire};
use crate::config::{self, Config, Look, OtherSettings, Problems, Severity, render};
use crate::delivery::alerts::Alerts;
use crate::ledger::policies::Choice;
use crate::ledger::{Act, Ledger, LedgerError};
use crate::web::FileNow;
use futures::channel::oneshot;
use handoffd_kit::desk::Desk;
use handoffd_kit::id::DeskId;
use jiff::SignedDuration;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use tokio_util::sync::CancellationToken;

/// How often the file is compared with what runs.
const COMPARED_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// Which policy a reload takes in.
#[derive(Clone, Debug)]
pub enum Wish {
    /// The file's, or what a person chose in its place.
    File,
    /// One that has run before, in place of the file's.
    Kept(Choice),
    /// The file's again, whatever was chosen.
    FileAgain(Act),
}

/// What runs, as it was read.
struct Read {
    /// The file's.
    file: Config,
    /// With the policy that runs, which may be another one.
    runs: Config,
}

/// Reloads the configuration of the house that runs. Clones are one.
#[derive(Clone)]
pub struct Reloader(Arc<Inner>);

struct Inner {
    running: Running,
    path: PathBuf,
    env: fn(&str) -> Option<String>,
    read: Mutex<Arc<Read>>,
    /// Files are read in the caller, without a thread of their own.
    inline: bool,
    /// One reload after the other.
    turn: futures::lock::Mutex<()>,
}

/// Why nothing was taken in.
enum Not {
    /// The file, a secret, or a desk's settings are wrong.
    Readable(Problems),
    /// It is right, and cannot be taken in, or not now.
    Taken(CommandError),
}

impl Not {
    /// In one line, for health and the log.
    fn brief(&self) -> String {
        match self {
            Self::Readable(problems) => first(problems),
            Self::Taken(error) => error.to_string().lines().next().unwrap_or_default().to_owned(),
        }
    }
}

impl From<CommandError> for Not {
    fn from(error: CommandError) -> Self {
        Self::Taken(error)
    }
}

impl From<LedgerError> for Not {
    fn from(error: LedgerError) -> Self {
        Self::Taken(error.into())
    }
}

fn refused(words: String) -> Not {
    Not::Taken(CommandError::Refused(words))
}

type Opened = (Config, BTreeMap<DeskId, Arc<dyn Desk>>, Channels);

impl Reloader {
    /// For a house that was wired from `runs`, which is `file`'s configuration, read from `path`, or that with another policy
    /// in its place.
    pub fn new(running: Running, path: PathBuf, env: fn(&str) -> Option<String>, file: Config, runs: Config) -> Self {
        Self::reading(running, path, env, Read { file, runs }, false)
    }

    /// The same for a house that runs its file's configuration, reading in the caller: deterministic, for the simulation.
    pub fn inline(running: Running, path: PathBuf, env: fn(&str) -> Option<String>, file: Config) -> Self {
        Self::reading(running, path, env, Read { runs: file.clone(), file }, true)
    }

    fn reading(running: Running, path: PathBuf, env: fn(&str) -> Option<String>, read: Read, inline: bool) -> Self {
        let house = running.house();
        house.reloads.loaded(house.seams.clock.now());
        let (read, turn) = (Mutex::new(Arc::new(read)), futures::lock::Mutex::default());
        Self(Arc::new(Inner { running, path, env, read, inline, turn }))
    }

    /// Takes in what the file says now, or the policy that is wished for. Dropped halfway, it may have taken effect in the
    /// ledger alone: see that it is not.
    ///
    /// # Errors
    /// Why not, in words for the person: then what ran before goes on, all of it.
    pub async fn reload(&self, wish: Wish, by: &str) -> Result<Reply, CommandError> {
        let _turn = self.0.turn.lock().await;
        let house = self.0.running.house();
        let from_file = matches!(wish, Wish::File);
        let done = self.take_in(wish, by).await;
        match &done {
            Ok(reply) => {
                house.reloads.loaded(house.seams.clock.now());
                tracing::info!(by = %by, policy = %self.0.running.house().policy.version, touched = reply.touched, "policy.reloaded");
            }
            Err(not) => {
                let brief = not.brief();
                tracing::error!(by = %by, error = %brief, "policy.not_reloaded");
                if from_file {
                    house.reloads.failed(house.seams.clock.now(), brief);
                }
            }
        }
        done.map_err(|not| self.said(not))
    }

    async fn take_in(&self, wish: Wish, by: &str) -> Result<Reply, Not> {
        let (file, opened, channels) = self.opened(&wish).await?;
        let Chosen { config, over, .. } = self.choose(file.clone(), &wish).await?;
        let before = self.read();
        let settings = config.settings_against(&before.runs);
        if !settings.restart.is_empty() {
            return Err(refused(format!(
                "{} cannot be changed while handoffd runs: nothing was taken in, and what ran before goes on. Put it back, or \
                 restart handoffd to take all of it in",
                settings.restart.join(", ")
            )));
        }
        let running = self.0.running.house();
        let same = |id: &DeskId| {
            before.runs.desks.get(id).zip(config.desks.get(id)).is_some_and(|(a, b)| a.is_reached_like(b))
        };
        let open = opened.into_iter().filter(|(id, _)| config.desks.contains_key(id)).map(|(id, desk)| {
            let kept = running.desks.get(&id).filter(|_| same(&id)).map(|station| station.desk.clone());
            (id, kept.unwrap_or(desk))
        });
        let alerts = Alerts::new(channels, &config.policy.alerts.channels);
        let next = House { alerts, ..rewire(&running, &config, open.collect()) };
        let (in_force, now) = (next.clone(), running.seams.clock.now());
        let act = Act { by: by.to_owned(), reason: None, at: now };
        let record = move |ledger: &mut Ledger| {
            if matches!(wish, Wish::File) {
                ledger.note_reload(&act, &in_force.policy.version)?;
            }
            match &wish {
                Wish::Kept(choice) => ledger.choose_policy(choice)?,
                Wish::FileAgain(act) => drop(ledger.forget_choice(Some(act))?),
                Wish::File if over.is_some() => drop(ledger.forget_choice(None)?),
                Wish::File => {}
            }
            ledger.park_alerts_without_channel(&in_force.alerts.names())?;
            ledger.take_stock(&in_force.in_force(&ledger.signed_rules()?), now)?;
            ledger.signatures()
        };
        let wordings = running.ledger.call(record).await?;
        let runs = next.clone();
        self.0.running.replace(next);
        let mut reply = told(&before.runs, &config, &settings);
        let is_signed = |name: &str, wording: &str| wordings.iter().any(|signed| signed.covers(name, wording));
        for message in config.policy.unsigned_messages(&is_signed) {
            reply.said.push_str(&format!(
                ". The message {message} is not signed in this wording: customers are told nothing by it until `handoffd policy approve \
                 {message} --as SIGNER`"
            ));
        }
        *self.0.read.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(Read { file, runs: config });
        runs.read_secrets_again(SignedDuration::ZERO).await;
        runs.read_alert_secrets_again(SignedDuration::ZERO).await;
        Ok(reply)
    }

    /// What the file says, opened as at a start. Whoever takes a policy back is not kept from it by a file that is broken by
    /// now: what it said when it was last read stands.
    async fn opened(&self, wish: &Wish) -> Result<Opened, Not> {
        match self.on_a_thread(Inner::open).await? {
            Err(_) if !matches!(wish, Wish::File) => {
                let before = self.read();
                let again = self.on_a_thread(move |inner| inner.open_as(before.file.clone())).await?;
                again.map_err(Not::Readable)
            }
            opened => opened.map_err(Not::Readable),
        }
    }

    /// The configuration that is to run.
    async fn choose(&self, file: Config, wish: &Wish) -> Result<Chosen, Not> {
        let ledger = &self.0.running.house().ledger;
        let kept: Option<Kept> = match wish {
            Wish::File => ledger.call(|ledger| chosen::kept(ledger)).await?,
            Wish::FileAgain(_) => None,
            Wish::Kept(choice) if choice.instead_of != file.policy.version => {
                let words = "the file that runs says something else than the one that you were shown: look at the difference and say it again";
                return Err(refused(words.to_owned()));
            }
            Wish::Kept(choice) => {
                rollback::is_new(ledger, choice).await?;
                let version = choice.version.clone();
                let text = ledger.call(move |ledger| ledger.policy_text(&version)).await?;
                Some((choice.clone(), text))
            }
        };
        chosen::choose(file, kept).map_err(|why| {
            refused(format!("{why}\n`handoffd policy rollback file --reason …` lets the file's policy run again"))
        })
    }

    /// Carries out an order that is about what runs, whether or not who gave it waits for the answer.
    ///
    /// # Errors
    /// As [`Self::reload`].
    pub(super) async fn order(&self, order: Order, system_user: &str) -> Result<Reply, CommandError> {
        order.check()?;
        let by = format!("{} ({system_user})", order.by);
        let (at, said) = (self.0.running.house().seams.clock.now(), by.clone());
        let (wish, until) = match order.command {
            Command::Rollback { version: Some(version), instead_of, reason } => {
                rollback::differs(&version, &instead_of)?;
                (Wish::Kept(Choice { version, instead_of, by, reason, at }), ", until the file says something else")
            }
            Command::Rollback { version: None, reason, .. } => {
                (Wish::FileAgain(Act { by, reason: Some(reason), at }), "")
            }
            _ => (Wish::File, ""),
        };
        let reloader = self.clone();
        let task = tokio::spawn(async move { reloader.reload(wish, &said).await });
        let mut reply = task.await.map_err(|error| CommandError::Ledger(error.to_string()))??;
        reply.said.push_str(until);
        Ok(reply)
    }

    /// Compares the file with what runs, every minute until then.
    pub async fn watch(&self, stop: &CancellationToken) {
        let clock = self.0.running.house().seams.clock.clone();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = clock.sleep_until(clock.now() + COMPARED_EVERY) => self.compare().await,
            }
        }
    }

    /// Compares the file with what runs.
    pub async fn compare(&self) {
        let _turn = self.0.turn.lock().await;
        let Ok(read) = self.on_a_thread(|inner| config::load(&inner.path)).await else { return };
        let file = match read {
            Ok(file) => {
                let before = self.read();
                let policy = (file.policy.version != before.file.policy.version).then(|| {
                    format!("its policy is {}, and it was {}", file.policy.version, before.file.policy.version)
                });
                let OtherSettings { taken, restart } = file.settings_against(&before.file);
                let all: Vec<String> = policy.into_iter().chain(taken).collect();
                match (restart.is_empty(), all.is_empty()) {
                    (true, true) => FileNow::AsRuns,
                    (true, false) => FileNow::Differs(all.join(", ")),
                    (false, _) => FileNow::TakesRestart(restart.join(", ")),
                }
            }
            Err(problems) => FileNow::Broken(first(&problems)),
        };
        let house = self.0.running.house();
        house.reloads.compared(house.seams.clock.now(), file);
    }

    fn read(&self) -> Arc<Read> {
        self.0.read.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Files and commands take their time: not in the thread of whoever asks.
    async fn on_a_thread<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Inner) -> T + Send + 'static,
    ) -> Result<T, CommandError> {
        if self.0.inline {
            return Ok(read(&self.0));
        }
        let (sender, receiver) = oneshot::channel();
        let inner = self.0.clone();
        let work = move || {
            let read = read(&inner);
            // Whoever is answered may end the daemon at once: nothing here may hold its ledger any more.
            drop(inner);
            drop(sender.send(read));
        };
        let started = std::thread::Builder::new().name("reload".into()).spawn(work);
        let lost =
            |error: &dyn std::fmt::Display| CommandError::Ledger(format!("the configuration cannot be read: {error}"));
        started.map_err(|error| lost(&error))?;
        receiver.await.map_err(|error| lost(&error))
    }

    fn said(&self, not: Not) -> CommandError {
        let problems = match not {
            Not::Readable(problems) => problems,
            Not::Taken(error) => return error,
        };
        let path = std::path::absolute(&self.0.path).unwrap_or_else(|_| self.0.path.clone());
        CommandError::Wrong(format!(
            "{}nothing of {} was taken in: what ran before goes on",
            render(&problems, Look::Plain),
            path.display()
        ))
    }
}

impl Inner {
    /// Everything that a start reads.
    fn open(&self) -> Result<Opened, Problems> {
        self.open_as(config::load(&self.path)?)
    }

    fn open_as(&self, config: Config) -> Result<Opened, Problems> {
        let desks = open_desks(&config, &self.env, &self.running.house().seams)?;
        let channels = open_channels(&config, &self.env, &self.running.house().seams, None)?;
        Ok((config, desks, channels))
    }
}

fn told(before: &Config, now: &Config, settings: &OtherSettings) -> Reply {
    let changes = before.meaning.changes(&now.meaning);
    let (from, to) = (before.policy.version.clone(), now.policy.version.clone());
    let touched = changes.len() + settings.taken.len();
    let said = match (from == to, settings.taken.is_empty()) {
        (true, true) => format!("nothing has changed: the policy {to} goes on"),
        (true, false) => format!("taken in; the policy {to} goes on"),
        (false, _) => {
            format!("the policy {to} runs from now on, in place of {from}; open handoffs keep what they began with")
        }
    };
    let changes = Changes { from, to, policy: changes, settings: settings.taken.clone() };
    Reply { said, touched, changes: Some(Box::new(changes)) }
}

/// The first problem, with its place and how many more there are: for health, which tells no lines of the file.
fn first(problems: &Problems) -> String {
    let mut errors = problems.iter().filter(|problem| problem.severity != Severity::Warning);
    let Some(first) = errors.next() else { return "nothing says why".to_owned() };
    let more = match errors.count() {
        0 => String::new(),
        more => format!(" (and {more} more)"),
    };
    format!("{}:{}: {}{more}", first.file, first.line, first.message)
}
