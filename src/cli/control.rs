//! How commands reach the ledger: reading ones open it read-only beside a running daemon; writing ones hand an order to
//! the daemon over its socket, and where no daemon holds the ledger they carry it out themselves.

use super::check::{environment, seams, show};
use super::failure::Failure;
use super::ledger::lies_at;
use super::output::{Context, tame};
use super::run::runtime;
use crate::config::{self, Config};
use crate::daemon::chosen::{self, Chosen};
use crate::daemon::control::{Command, CommandError, Order, Reply, execute, own_uid, socket_path, system_user};
use crate::daemon::wiring::{open_desks, wire};
use crate::ledger::policies::Choice;
use crate::ledger::{Durability, Handle, Ledger, LedgerError};
use anyhow::anyhow;
use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use jiff::Timestamp;
use std::path::Path;
use std::process::ExitCode;
use tokio::net::UnixStream;

/// The largest answer that is read from a daemon, in bytes.
const ANSWER_BYTES: usize = 8 << 20;

/// The checked configuration; its problems are shown.
///
/// # Errors
/// Exit 2 where it cannot be used.
pub fn configuration(context: &Context) -> Result<Config, Failure> {
    config::load(&context.config_path).or_else(|problems| {
        show(context, &problems, 2)?;
        Err(Failure::usage(anyhow!("{} cannot be used as it is", context.config_path.display())))
    })
}

/// The configuration that runs: the file's, or, where a person put a policy that has run before in its place, with that
/// one. A file that says something else than then runs again.
///
/// # Errors
/// Exit 2 where that policy cannot run any more, and the ledger's.
pub fn in_force(context: &Context, config: Config, ledger: &mut Ledger) -> Result<Config, Failure> {
    let file = config.policy.version.clone();
    let again = "`handoffd policy rollback file --reason …` lets the file's policy run again";
    let Chosen { config, follows, over } =
        chosen::choose(config, chosen::kept(ledger)?).map_err(|why| Failure::usage(anyhow!("{why}\n{again}")))?;
    if let Some(Choice { version, .. }) = over {
        context
            .say(&format!("The file has changed since {version} was put in its place: its policy {file} runs again."));
        ledger.forget_choice(None)?;
    }
    if let Some(Choice { version, by, reason, .. }) = follows {
        let said = format!("The policy {version} runs in place of the file's {file}, as {by} said: {reason}");
        context.say(&tame(&said));
    }
    Ok(config)
}

/// The ledger, for reading, while a daemon may be writing it. It takes no more of the file than where the ledger lies: a file
/// that is broken keeps nobody from seeing what goes on, or from stopping it.
///
/// # Errors
/// Exit 2 where there is no file, 3 where there is no ledger, or it cannot be read.
pub fn ledger(context: &Context) -> Result<Ledger, Failure> {
    let path = lies_at(context)?;
    if !path.exists() {
        let words = anyhow!("there is no ledger at {} yet: `handoffd run` makes it", path.display());
        return Err(Failure::unreachable(words));
    }
    Ok(Ledger::open_read_only(&path)?)
}

/// The present instant, for ages in lists.
///
/// # Errors
/// As [`seams`].
pub fn now() -> Timestamp {
    use handoffd_kit::clock::Clock;
    crate::clock::SystemClock.now()
}

/// Gives an order and prints what came of it. `by` is the `--as` name; none: the system user. A daemon takes it whatever the
/// file says by now; without one it is carried out as the file says.
///
/// # Errors
/// Exit 1 where it was refused, 2 where it or the file was wrong, 3 where ledger or desk could not be reached.
pub fn give(context: &Context, command: Command, by: Option<&str>) -> Result<ExitCode, Failure> {
    super::reload::shown(context, &carry_out(context, command, by)?)?;
    Ok(ExitCode::SUCCESS)
}

/// The same without a word about it.
///
/// # Errors
/// As [`give`].
pub(super) fn carry_out(context: &Context, command: Command, by: Option<&str>) -> Result<Reply, Failure> {
    let (order, user) = order(command, by)?;
    let socket = socket_path(&lies_at(context)?);
    runtime()?.block_on(async {
        match ask_daemon(&socket, &order).await? {
            Some(answer) => Ok(answer?),
            None => alone(context, &configuration(context)?, order, &user).await,
        }
    })
}

/// An order of the system user, which is given too, or of somebody whom they name.
///
/// # Errors
/// Exit 2 for what makes no sense.
pub(super) fn order(command: Command, by: Option<&str>) -> Result<(Order, String), Failure> {
    let user = system_user(own_uid());
    let order = Order { command, by: by.map_or_else(|| user.clone(), str::to_owned) };
    order.check()?;
    Ok((order, user))
}

/// Hands an order to the daemon behind this socket; `None`: there is none.
pub(super) async fn ask_daemon(socket: &Path, order: &Order) -> Result<Option<Result<Reply, CommandError>>, Failure> {
    let lost = |error: &dyn std::fmt::Display| {
        let next = "see with `handoffd handoffs list` what was done before you repeat it";
        Failure::unreachable(anyhow!("the daemon took the order and did not answer ({error}): {next}"))
    };
    let body = serde_json::to_vec(order).map_err(anyhow::Error::from)?;
    let request = http::Request::post("/command").header(http::header::CONTENT_TYPE, "application/json");
    let Some(answer) = exchange(socket, request, body).await? else { return Ok(None) };
    let (status, body) = answer.map_err(|error| lost(&error))?;
    let done = status.is_success();
    let answer = if done { serde_json::from_slice(&body).map(Ok) } else { serde_json::from_slice(&body).map(Err) };
    Ok(Some(answer.map_err(|error| lost(&error))?))
}

/// One request to the daemon behind this socket, and its answer or why it is lost; `None`: no daemon is there.
pub(super) async fn exchange(
    socket: &Path,
    request: http::request::Builder,
    body: Vec<u8>,
) -> Result<Option<anyhow::Result<(http::StatusCode, Bytes)>>, Failure> {
    let stream = match UnixStream::connect(socket).await {
        Ok(stream) => stream,
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => {
            let words = anyhow!("{}: {error}; say it as the daemon's user or root", socket.display());
            return Err(Failure::unreachable(words));
        }
        Err(_) => return Ok(None),
    };
    let request = request
        .header(http::header::HOST, "handoffd")
        .body(Full::new(Bytes::from(body)))
        .map_err(anyhow::Error::from)?;
    let answer = async {
        let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let response = sender.send_request(request).await?;
        let status = response.status();
        let body = Limited::new(response.into_body(), ANSWER_BYTES).collect().await;
        Ok((status, body.map_err(|error| anyhow!(error))?.to_bytes()))
    };
    Ok(Some(answer.await))
}

/// Carries an order out without a daemon: the ledger's lock is ours meanwhile, and nothing else is run.
async fn alone(context: &Context, config: &Config, order: Order, user: &str) -> Result<Reply, Failure> {
    let mut ledger = Ledger::open(&config.daemon.ledger, Durability::Full).map_err(|error| match error {
        LedgerError::Locked(path) => {
            let words = anyhow!(
                "another handoffd holds {} and does not listen on {}: it is starting or stopping, try again",
                path.display(),
                socket_path(&path).display()
            );
            Failure::unreachable(words)
        }
        error => error.into(),
    })?;
    // Who takes a policy back does not need it to be readable.
    let rolls_back = matches!(order.command, Command::Rollback { .. });
    let config = if rolls_back { config.clone() } else { in_force(context, config.clone(), &mut ledger)? };
    let config = &config;
    let seams = seams();
    let desks = if order.command.asks_a_desk() {
        open_desks(config, &environment, &seams).or_else(|problems| {
            show(context, &problems, 2)?;
            Err(Failure::usage(anyhow!("this needs the desk, and its settings are not complete")))
        })?
    } else {
        Default::default()
    };
    let house = wire(config, desks, Handle::inline(ledger, None), seams);
    let reply = execute(&house, order, user).await?;
    context.say(
        "No daemon is running: this was done in the ledger directly; what is due is sent once `handoffd run` starts.",
    );
    Ok(reply)
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        match error {
            CommandError::Wrong(_) => Self::usage(error),
            CommandError::NotFound(_) | CommandError::Refused(_) => Self::problems(error),
            CommandError::Desk(_) | CommandError::Ledger(_) => Self::unreachable(error),
        }
    }
}
