//! `handoffd ledger`: what an admin does with the ledger's file: look it through, copy it, put a copy back, give room back.
//! The configuration only tells where it lies: with a broken one these work too.

use super::control::now;
use super::failure::Failure;
use super::output::{Context, Tint, tame};
use crate::config;
use crate::daemon::control::{check_by, own_uid, system_user};
use crate::ledger::{Act, Compactor, Durability, Fault, Ledger, LedgerError, bytes_on_disk, partial_path};
use anyhow::anyhow;
use clap::{Args, Subcommand};
use serde_json::json;
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::mpsc::{RecvTimeoutError, sync_channel};
use std::time::Duration;

/// Pages that are given back in one transaction: a few milliseconds, for which the daemon waits.
const SLICE: u32 = 500;
/// How long the daemon has the lock for itself between two of them.
const BREATH: Duration = Duration::from_millis(20);
/// How often it is tried to empty the log while somebody reads it: a minute in all.
const TRIES: usize = 100;
/// The daemon writes between two of them.
const BETWEEN: Duration = Duration::from_millis(500);

/// The ledger.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd ledger check                              is the file sound, and does what stands in it fit together
  handoffd ledger backup /var/backups/handoffd.db    while the daemon runs
  handoffd ledger check /var/backups/handoffd.db     is that backup sound
  handoffd ledger restore /var/backups/handoffd.db   while no daemon runs; what was there is kept beside it
  handoffd ledger compact                            gives unused room back, while the daemon runs or not

Exit codes: 0 fine; 1 faults were found, or refused; 2 wrong usage; 3 the ledger cannot be read or written.")]
pub struct LedgerArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Look the whole ledger through, or a backup; only reads.
    Check {
        /// A backup; left out: the ledger.
        file: Option<PathBuf>,
    },
    /// Write a copy of the ledger, as of now, to a file, and look it through.
    Backup {
        /// Where to.
        file: PathBuf,
        /// Replace the file that is there.
        #[arg(long)]
        force: bool,
    },
    /// Put a backup in the ledger's place. What may have been written since is looked up on the helpdesk before anything is sent.
    Restore {
        /// The backup.
        file: PathBuf,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
        /// Who says so; default: the system user.
        #[arg(long = "as", value_name = "NAME")]
        by: Option<String>,
    },
    /// Give room back that is not used any more.
    Compact,
}

impl LedgerArgs {
    /// Runs it.
    ///
    /// # Errors
    /// As told in its help.
    pub fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let ledger = lies_at(context)?;
        match &self.what {
            What::Check { file } => check(context, file.as_deref().unwrap_or(&ledger)),
            What::Backup { file, force } => backup(context, &ledger, file, *force),
            What::Restore { file, yes, by } => restore(context, &ledger, file, *yes, by.as_deref()),
            What::Compact => compact(context, &ledger),
        }
    }
}

/// Where the configuration says that the ledger lies.
pub(super) fn lies_at(context: &Context) -> Result<PathBuf, Failure> {
    let config = &context.config_path;
    match config.exists() {
        true => Ok(config::ledger_of(config)),
        false => {
            Err(Failure::usage(anyhow!("there is no {}: --config FILE names the configuration", config.display())))
        }
    }
}

/// The ledger, for reading.
pub(super) fn opened(path: &Path) -> Result<Ledger, Failure> {
    if !path.exists() {
        return Err(Failure::unreachable(anyhow!("there is no ledger at {}", path.display())));
    }
    Ok(Ledger::open_read_only(path)?)
}

/// Says what comes next, where a person watches.
fn step(context: &Context) -> impl FnMut(&'static str) + '_ {
    move |what| {
        if watched() {
            context.say(&format!("{what} …"));
        }
    }
}

fn watched() -> bool {
    std::io::stderr().is_terminal()
}

fn check(context: &Context, path: &Path) -> Result<ExitCode, Failure> {
    let found = match opened(path).map(|mut ledger| ledger.inspect(&mut step(context))) {
        Ok(found) => found,
        Err(failure) => Err(failure.into_ledger()?),
    };
    let faults = match found {
        Err(LedgerError::Corrupt(words)) => vec![Fault::damage(words)],
        found => found?,
    };
    if context.json {
        context.print_json(&json!({ "ledger": path, "sound": faults.is_empty(), "faults": told(&faults) }))?;
    } else if faults.is_empty() {
        context.print(&format!("{} is sound", path.display()));
    }
    Ok(shown(context, &faults))
}

pub(super) fn told(faults: &[Fault]) -> Vec<serde_json::Value> {
    faults
        .iter()
        .map(|fault| json!({ "kind": fault.kind, "what": fault.what, "next_step": fault.next_step() }))
        .collect()
}

/// Prints faults for people; the exit code says whether there were any.
pub(super) fn shown(context: &Context, faults: &[Fault]) -> ExitCode {
    let mut last = "";
    for fault in faults.iter().filter(|_| !context.json) {
        context.print(&format!("{} {}", context.tinted(fault.kind, Tint::Bad), tame(&fault.what)));
        if fault.next_step() != last {
            context.print(&format!("    next: {}", fault.next_step()));
        }
        last = fault.next_step();
    }
    if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn backup(context: &Context, path: &Path, to: &Path, force: bool) -> Result<ExitCode, Failure> {
    let mut ledger = opened(path)?;
    let whole = bytes_on_disk(path);
    let faults = while_it_grows(context, &partial_path(to), whole, || {
        ledger
            .back_up(to, force, &mut step(context))
            .map_err(|error| refused(error, "another backup to this file is being written"))
    })?;
    let bytes = bytes_on_disk(to);
    if context.json {
        context.print_json(&json!({ "backup": to, "bytes": bytes, "faults": told(&faults) }))?;
    } else {
        context.print(&format!("{}: {bytes} bytes, read through", to.display()));
    }
    Ok(shown(context, &faults))
}

/// Does something that writes a file, and tells how far it is where a person watches.
fn while_it_grows<T>(
    context: &Context,
    file: &Path,
    whole: u64,
    work: impl FnOnce() -> Result<T, Failure>,
) -> Result<T, Failure> {
    let (done, ended) = sync_channel::<()>(1);
    std::thread::scope(|scope| {
        if watched() {
            scope.spawn(move || {
                while ended.recv_timeout(Duration::from_secs(2)) == Err(RecvTimeoutError::Timeout) {
                    let so_far = bytes_on_disk(file);
                    context.say(&format!("  {so_far} of at most {whole} bytes"));
                }
            });
        }
        let result = work();
        drop(done);
        result
    })
}

/// What was not done because of what a person asked for is a refusal; all else is about the ledger.
fn refused(error: LedgerError, busy: &str) -> Failure {
    match error {
        LedgerError::WrongState(_) => Failure::problems(error),
        LedgerError::Busy => Failure::unreachable(anyhow!("{busy}")),
        error => error.into(),
    }
}

fn restore(context: &Context, path: &Path, from: &Path, yes: bool, by: Option<&str>) -> Result<ExitCode, Failure> {
    let act = act(by)?;
    let question = format!(
        "{} becomes the ledger at {}; the one that is there is kept beside it. What happened since the backup is only found again \
         as far as it stands on the helpdesk.",
        from.display(),
        path.display()
    );
    if !yes && !context.confirmed(&question) {
        return Err(Failure::problems(anyhow!("nothing was restored: say --yes where nobody can be asked")));
    }
    let restored = Ledger::restore(path, from, &act, &mut step(context))
        .map_err(|error| refused(error, "the backup is held by another program"))?;
    if context.json {
        context.print_json(&json!({
            "ledger": path, "replaced": restored.aside, "looked_up": restored.doubted, "faults": told(&restored.faults),
        }))?;
    } else {
        context.print(&format!("{} is the ledger now", from.display()));
        if let Some(aside) = &restored.aside {
            context.print(&format!("the one from before lies at {}", aside.display()));
        }
        if restored.doubted > 0 {
            let words = "writes may have been done since the backup: handoffd looks them up before it sends any";
            context.print(&format!("{} {words}", restored.doubted));
        }
    }
    Ok(shown(context, &restored.faults))
}

/// Who does it now. A name is held to the same lines as in an order to the daemon.
fn act(by: Option<&str>) -> Result<Act, Failure> {
    let user = system_user(own_uid());
    let by = by.unwrap_or(&user);
    check_by(by)?;
    Ok(Act { by: format!("{by} ({user})"), reason: None, at: now() })
}

fn compact(context: &Context, path: &Path) -> Result<ExitCode, Failure> {
    drop(opened(path)?);
    let before = bytes_on_disk(path);
    let Compacted { beside, log_is_empty } = compacted(context, path)?;
    if !log_is_empty {
        context.say("Somebody reads the ledger: its log is written back once they are done.");
    }
    let after = bytes_on_disk(path);
    if context.json {
        context.print_json(&json!({ "ledger": path, "before": before, "after": after, "while_running": beside }))?;
    } else {
        context.print(&format!("{}: {before} bytes before, {after} now", path.display()));
    }
    Ok(ExitCode::SUCCESS)
}

/// How a ledger was compacted.
pub(super) struct Compacted {
    /// Beside a process that has it open.
    beside: bool,
    /// Whether its log could be emptied: nobody reads it at this moment.
    pub(super) log_is_empty: bool,
}

/// Gives room back, as thoroughly as can be now.
pub(super) fn compacted(context: &Context, path: &Path) -> Result<Compacted, Failure> {
    match Ledger::open(path, Durability::Full) {
        Ok(mut ledger) => {
            step(context)("writing the ledger anew");
            Ok(Compacted { beside: false, log_is_empty: ledger.compact_whole()? })
        }
        Err(LedgerError::Locked(_)) => Ok(Compacted { beside: true, log_is_empty: compact_beside(context, path)? }),
        Err(error) => Err(error.into()),
    }
}

/// Gives room back beside a daemon, which writes between the slices.
fn compact_beside(context: &Context, path: &Path) -> Result<bool, Failure> {
    let mut compactor = Compactor::beside(path).map_err(|error| refused(error, "the ledger is held"))?;
    let mut free = compactor.free_pages()?;
    let mut told = free;
    while free > 0 {
        compactor.slice(SLICE)?;
        let left = compactor.free_pages()?;
        if left >= free {
            break;
        }
        free = left;
        if watched() && told - free >= u64::from(SLICE) * 50 {
            context.say(&format!("  {free} pages are left"));
            told = free;
        }
        std::thread::sleep(BREATH);
    }
    Ok(compactor.finish()?)
}

/// Waits, a minute at most, until nobody reads the ledger's old pages any more and its log could be emptied. Gives whether it was.
pub(super) fn log_emptied(context: &Context, path: &Path) -> Result<bool, Failure> {
    step(context)("waiting until nobody reads the ledger's old pages any more, at most a minute");
    let compactor = Compactor::beside(path).map_err(|error| refused(error, "the ledger is held"))?;
    for _ in 0..TRIES {
        if compactor.finish()? {
            return Ok(true);
        }
        std::thread::sleep(BETWEEN);
    }
    Ok(false)
}
