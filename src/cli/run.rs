//! `handoffd run`: the daemon. With `--once` it does what is due, says what remains and when, and ends.

use super::check::{environment, seams, show};
use super::control::in_force;
use super::failure::Failure;
use super::output::Context;
use crate::config::secrets::logins;
use crate::config::{self, Config, LogFormat, render};
use crate::daemon::alert_wiring::open_channels;
use crate::daemon::control;
use crate::daemon::house::House;
use crate::daemon::pipeline::Until;
use crate::daemon::reload::{Reloader, Wish};
use crate::daemon::running::Running;
use crate::daemon::service_manager::{NOTIFY_SOCKET, ServiceManager};
use crate::daemon::wiring::{open_desks, wire};
use crate::delivery::alerts::Alerts;
use crate::desks::Silence;
use crate::ledger::records::{Busy, DeskTrouble, Switch};
use crate::ledger::{Durability, Handle, Ledger};
use crate::policy::rules::Mode;
use crate::web::dashboard::Entry;
use crate::web::{bind, hooks, pages, serve};
use clap::Args;
use handoffd_kit::id::DeskId;
use jiff::{SignedDuration, Timestamp};
use std::process::ExitCode;
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing_subscriber::EnvFilter;

/// The exit code where a desk cannot be reached.
const UNREACHABLE: u8 = 3;

/// The daemon.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd run                     until SIGTERM or Ctrl-C; then finishes what is under way
  handoffd run --once              one poll of each desk, everything that is due, and what remains
  handoffd run --once --wait 2m    also waits for what is due within two minutes")]
pub struct RunArgs {
    /// Do what is due now, then end.
    #[arg(long)]
    once: bool,
    /// With --once: also wait for what is due within this time.
    #[arg(long, value_name = "DURATION", default_value = "0s", requires = "once", value_parser = span)]
    wait: SignedDuration,
}

/// A length of time as an argument.
///
/// # Errors
/// What is wrong with it, and what would be accepted.
pub fn span(text: &str) -> Result<SignedDuration, String> {
    config::duration(text).map_err(|why| format!("{why}; write for example 30s, 5m or 2h"))
}

/// The runtime of every command that talks to a desk.
///
/// # Errors
/// The system's.
pub fn runtime() -> Result<Runtime, Failure> {
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    built.map_err(|error| Failure::unreachable(anyhow::anyhow!("no runtime: {error}")))
}

/// Resolves at SIGTERM or Ctrl-C.
pub async fn asked_to_stop() {
    let interrupt = tokio::signal::ctrl_c();
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = interrupt => {}
                _ = terminate.recv() => {}
            }
        }
        Err(_) => drop(interrupt.await),
    }
}

impl RunArgs {
    /// Runs it.
    ///
    /// # Errors
    /// Exit 2 for a wrong configuration or a missing secret, 3 for a ledger that cannot be opened, an address in use, or with
    /// `--once` a desk that does not answer.
    pub fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let config = match config::load(&context.config_path) {
            Ok(config) => config,
            Err(problems) => return show(context, &problems, 2),
        };
        log(&config);
        let seams = seams();
        // What is missing shows before a ledger is made.
        let mut desks = match open_desks(&config, &environment, &seams) {
            Ok(desks) => desks,
            Err(problems) => return show(context, &problems, 2),
        };
        let channels = match open_channels(&config, &environment, &seams, None) {
            Ok(channels) => channels,
            Err(problems) => return show(context, &problems, 2),
        };
        if !config.warnings.is_empty() {
            context.say(&render(&config.warnings, config::Look::Plain));
        }
        let mut ledger = Ledger::open(&config.daemon.ledger, Durability::Full)?;
        let file = config;
        let config = in_force(context, file.clone(), &mut ledger)?;
        desks.retain(|desk, _| config.desks.contains_key(desk));
        runtime()?.block_on(async {
            let alerts = Alerts::new(channels, &config.policy.alerts.channels);
            let house = House { alerts, ..wire(&config, desks, Handle::spawn(ledger)?, seams) };
            let unsure = house.recover().await?;
            if unsure > 0 {
                tracing::warn!(effects = unsure, "daemon.recovered_unsure_effects");
            }
            if self.once { self.run_once(context, &house).await } else { daemon(context, file, config, house).await }
        })
    }

    async fn run_once(&self, context: &Context, house: &House) -> Result<ExitCode, Failure> {
        let until = Until::NothingDueBy(house.seams.clock.now() + self.wait);
        let stop = CancellationToken::new();
        let signal = stop.clone();
        let watch = tokio::spawn(async move {
            asked_to_stop().await;
            signal.cancel();
        });
        Running::new(house.clone()).run_and_drain(until, &stop).await?;
        watch.abort();
        let (mut troubles, silent) = (troubles(house).await?, silent(house));
        let code = match (silent.is_empty(), troubles.is_empty()) {
            (false, _) => ExitCode::from(UNREACHABLE),
            (true, false) => ExitCode::FAILURE,
            (true, true) => ExitCode::SUCCESS,
        };
        troubles.extend(silent);
        remains(context, house, &troubles).await?;
        Ok(code)
    }
}

/// Desks that did not answer, for the same reason.
fn silent(house: &House) -> Vec<DeskTrouble> {
    let trouble = |(desk, Silence { since, words, .. }): (&DeskId, Silence)| DeskTrouble {
        desk: desk.clone(),
        what: format!("the desk does not answer, and what changed on it since the last run was not read: {words}"),
        next_step: "look at the desk's url and at the network, then run it again: nothing is lost".into(),
        since,
        writes_stopped: false,
    };
    house.desks.silent().map(trouble).collect()
}

/// Desks that refuse our login or a right: without these words a run that could see nothing looks like one that had
/// nothing to do.
async fn troubles(house: &House) -> Result<Vec<DeskTrouble>, Failure> {
    let mut troubles = house.ledger.call(|ledger| ledger.troubles()).await?;
    troubles.retain(|trouble| house.desks.get(&trouble.desk).is_some());
    Ok(troubles)
}

/// What is left to do, and when, and what is in the way.
async fn remains(context: &Context, house: &House, troubles: &[DeskTrouble]) -> Result<(), Failure> {
    let (open, channels, now) = (house.desks.names(), house.alerts.names(), house.seams.clock.now());
    let (counts, parked, next, switches) = house
        .ledger
        .call(move |ledger| {
            let absent = ledger.waits_for_others(&open)?.len();
            let parked =
                ledger.parked()?.len() + ledger.parked_alerts()?.len() + ledger.case_troubles()?.len() + absent;
            let busy = Busy { only: Some(open.clone()), ..Busy::default() };
            let mut next = ledger.next_due(&busy)?;
            for channel in &channels {
                next = next.into_iter().chain(ledger.next_alert_due(channel)?).min();
            }
            Ok((ledger.counts(now)?, parked, next, ledger.switches()?))
        })
        .await?;
    let paused: Vec<&Switch> = switches.iter().map(|on| &on.switch).collect();
    if context.json {
        let trouble = |trouble: &DeskTrouble| serde_json::json!({ "desk": trouble.desk, "what": trouble.what, "next_step": trouble.next_step });
        return context.print_json(&serde_json::json!({
            "looks": counts.looks, "effects": counts.effects, "parked": parked, "next": next,
            "held_by_pause": counts.paused, "paused": paused,
            "troubles": troubles.iter().map(trouble).collect::<Vec<_>>(),
        }));
    }
    for DeskTrouble { desk, what, next_step, .. } in troubles {
        context.say(&format!("{desk}: {what}\n    next: {next_step}"));
    }
    let open: u32 = ["due", "in_flight", "unsure"].iter().filter_map(|state| counts.effects.get(*state)).sum();
    let next =
        next.map_or("nothing is due any more".to_owned(), |next: Timestamp| format!("the next is due at {next}"));
    context.print(&format!("remaining: {} looks, {open} effects, {parked} parked; {next}", counts.looks));
    if counts.paused > 0 {
        let resumes: Vec<String> = paused.iter().map(|switch| format!("`{}`", switch.resume())).collect();
        context.print(&format!("{} effects are held by a pause: {}", counts.paused, resumes.join(", ")));
    }
    Ok(())
}

async fn daemon(context: &Context, file: Config, config: Config, house: House) -> Result<ExitCode, Failure> {
    let stop = CancellationToken::new();
    let tasks = TaskTracker::new();
    let in_use = |error: std::io::Error| Failure::unreachable(error);
    let running = Running::new(house);
    let reloader = Reloader::new(running.clone(), context.config_path.clone(), environment, file, config.clone());
    // Before anything tells that we run: without it the signal would end us.
    let hangup = signal(SignalKind::hangup()).map_err(in_use)?;
    let web = running.web(config.daemon.webhook_max_bytes);
    let logins = match logins(&config, &environment) {
        Ok(logins) => logins,
        Err(problems) => return show(context, &problems, 2),
    };
    let entry = Entry::new(&config.web, &logins);
    let dashboard = running.dashboard(web.clone(), entry, config.systems(), stop.clone());
    let listen = bind(config.daemon.listen, false).await.map_err(in_use)?;
    match config.daemon.hooks {
        Some(address) => {
            let open = bind(address, true).await.map_err(in_use)?;
            tasks.spawn(serve(open, hooks(web.clone()), stop.clone()));
            tasks.spawn(serve(listen, pages(web).merge(dashboard), stop.clone()));
        }
        None => {
            tasks.spawn(serve(listen, hooks(web.clone()).merge(pages(web)).merge(dashboard), stop.clone()));
        }
    }
    let orders = control::listen(&control::socket_path(&config.daemon.ledger)).map_err(in_use)?;
    tasks.spawn(control::take_orders(orders, running.clone(), Some(reloader.clone()), stop.clone()));
    tasks.spawn(reload_when_asked(reloader, hangup, stop.clone()));
    tasks.close();
    let manager = ServiceManager::at(environment(NOTIFY_SOCKET));
    let said = announcement(&config);
    context.say(&said);
    manager.ready(&said);
    let signal = stop.clone();
    tokio::spawn(async move {
        asked_to_stop().await;
        manager.stopping();
        signal.cancel();
    });
    let drained = running.run_and_drain(Until::Stopped, &stop).await;
    stop.cancel();
    let clock = running.house().seams.clock.clone();
    tokio::select! {
        () = tasks.wait() => {}
        () = clock.sleep_until(clock.now() + SignedDuration::from_secs(5)) => {}
    }
    tracing::info!("daemon.stopped");
    drained?;
    Ok(ExitCode::SUCCESS)
}

/// SIGHUP asks for a reload; the file is compared with what runs all the while.
async fn reload_when_asked(reloader: Reloader, mut hangup: Signal, stop: CancellationToken) {
    let asked = async {
        while hangup.recv().await.is_some() {
            // What came of it is in the log and in health.
            drop(reloader.reload(Wish::File, "SIGHUP").await);
        }
    };
    tokio::select! {
        () = stop.cancelled() => {}
        () = reloader.watch(&stop) => {}
        () = asked => {}
    }
}

fn announcement(config: &Config) -> String {
    let mode = match config.policy.mode {
        Mode::Shadow => "shadow: nothing is written to any desk",
        Mode::Live => "live",
    };
    format!(
        "handoffd is ready on http://{} ({mode}; policy {}; {} desks)",
        config.daemon.listen,
        config.policy.version,
        config.desks.len()
    )
}

/// Logs go to stderr; `RUST_LOG` narrows or widens them.
fn log(config: &Config) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let set = match config.daemon.log {
        LogFormat::Text => builder.with_ansi(false).try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    if let Err(error) = set {
        tracing::debug!(error = %error, "log.set_already");
    }
}
