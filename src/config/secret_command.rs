//! A secret that a command prints: run without a shell, with nothing to read, its errors thrown away, bounded in time and
//! in what it prints.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::time::Duration;

/// How long a command may take.
pub(super) const WITHIN: Duration = Duration::from_secs(10);
/// How often it is asked whether it has ended.
const STEP: Duration = Duration::from_millis(10);

/// Runs it; gives what it printed, at most `longest` bytes.
///
/// # Errors
/// Why there is nothing, in words that hold nothing of what it printed and nothing of its arguments.
pub(super) fn run(command: &[String], within: Duration, longest: u64) -> Result<Vec<u8>, String> {
    let Some((program, arguments)) = command.split_first() else { return Err("the command is empty".to_owned()) };
    let started =
        Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
    let mut child = started.map_err(|error| format!("the command {program} cannot be run: {error}"))?;
    let answer = wait(&mut child, within, longest);
    if answer.is_err() {
        // It may have ended by itself meanwhile.
        drop(child.kill());
    }
    drop(child.wait());
    match answer {
        Ok((status, printed)) if status.success() => Ok(printed),
        Ok((status, _)) => Err(format!("the command {program} ended with {status}")),
        Err(why) => Err(format!("the command {program} {why}")),
    }
}

fn wait(child: &mut Child, within: Duration, longest: u64) -> Result<(ExitStatus, Vec<u8>), String> {
    let printed = read(child, longest)?;
    // Nobody ever sends here: waiting for it is how time passes.
    let (_never, pause) = sync_channel::<()>(0);
    let mut bytes = None;
    for _ in 0..(within.as_millis() / STEP.as_millis()).max(1) {
        if bytes.is_none() {
            bytes = match printed.recv_timeout(STEP) {
                Ok(read) => Some(read.map_err(|error| format!("cannot be read: {error}"))?),
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => return Err("cannot be read".to_owned()),
            };
        }
        if bytes.as_ref().is_some_and(|bytes| bytes.len() as u64 > longest) {
            return Err("printed more than any secret is long".to_owned());
        }
        match child.try_wait().map_err(|error| format!("cannot be waited for: {error}"))? {
            Some(status) => return Ok((status, bytes.unwrap_or_default())),
            None => drop(pause.recv_timeout(STEP)),
        }
    }
    Err(format!("took longer than {} s", within.as_secs_f32()))
}

/// Reads in a thread of its own: what a command leaves behind may hold its output open for ever.
fn read(child: &mut Child, longest: u64) -> Result<Receiver<std::io::Result<Vec<u8>>>, String> {
    let output = child.stdout.take().ok_or("has no output")?;
    let (sender, receiver) = sync_channel(1);
    let reads = move || {
        let mut bytes = Vec::new();
        let read = output.take(longest + 1).read_to_end(&mut bytes).map(|_| bytes);
        // Who does not wait any more does not want it.
        drop(sender.send(read));
    };
    let thread = std::thread::Builder::new().name("secret".into()).spawn(reads);
    thread.map_err(|error| format!("cannot be read: {error}"))?;
    Ok(receiver)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sh(script: &str) -> Vec<String> {
        ["/bin/sh", "-c", script].map(str::to_owned).into()
    }

    #[test]
    fn what_a_command_prints_is_the_secret() {
        assert_eq!(run(&sh("echo hush"), WITHIN, 100), Ok(b"hush\n".to_vec()));
        let plain = ["/bin/echo", "$HOME; rm -rf x"].map(str::to_owned);
        assert_eq!(run(&plain, WITHIN, 100), Ok(b"$HOME; rm -rf x\n".to_vec()), "no shell reads it");
    }

    #[test]
    fn every_way_to_fail_is_told_without_what_it_printed_or_was_given() {
        let short = Duration::from_millis(200);
        for (command, within, words) in [
            (vec!["/no/such/program".to_owned()], WITHIN, "cannot be run"),
            (vec![], WITHIN, "is empty"),
            (sh("echo canary; echo canary >&2; exit 3"), WITHIN, "ended with exit status: 3"),
            (sh("echo canary; kill -9 $$"), WITHIN, "signal"),
            (sh("echo canary; exec sleep 60"), short, "took longer"),
            (sh("exec >&-; exec sleep 60"), short, "took longer"),
            (sh("while :; do echo canary-canary-canary; done"), WITHIN, "printed more"),
            (sh("head -c 1000000 /dev/zero"), WITHIN, "printed more"),
        ] {
            let error = run(&command, within, 1_000).expect_err(words);
            assert!(error.contains(words) && !error.contains("canary"), "{error}");
        }
    }

    #[test]
    fn what_a_command_leaves_behind_holds_nobody_up() {
        let error =
            run(&sh("sleep 60 & echo hush"), Duration::from_millis(300), 100).expect_err("its output stays open");
        assert!(error.contains("took longer"), "{error}");
    }
}
