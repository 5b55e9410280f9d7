//! `handoffd reviews edit`: what travels with a review that waits, in a person's words: part by part, from a file, or in an
//! editor.

use super::control::{give, ledger};
use super::failure::Failure;
use super::handoffs::find;
use super::output::Context;
use crate::daemon::control::{Command, PartEdit};
use crate::ledger::records::HandoffRecord;
use crate::ledger::states::HandoffState;
use crate::policy::package::edit::{lines_of, names, read_sheet, sheet};
use crate::policy::package::part_named;
use crate::policy::proposal::Package;
use crate::policy::rules::PackagePart;
use anyhow::{Context as _, anyhow};
use clap::Args;
use std::fs::{OpenOptions, remove_file};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// The largest file that is read, in bytes.
const FILE_MAX: u64 = 64 * 1024;

/// Another wording of a package.
#[derive(Args)]
#[command(after_help = "Examples:
  handoffd reviews edit h3f9a2 --as billing-lead --set question=\"May we refund 600 EUR?\"
  handoffd reviews edit h3f9a2 --as billing-lead --set steps=                              takes a part out
  handoffd reviews edit h3f9a2 --as billing-lead --file package.txt                        headings like [summary], then its lines
  handoffd reviews edit h3f9a2 --as billing-lead                                           in $VISUAL or $EDITOR

Parts: summary, reported, steps, artifacts, urgency, question, history. At most five lines each; card numbers, passwords and keys
are masked as in every package. Nothing is written to the helpdesk: the edited package travels on a yes. If the review ends as
stale, so does its edit, and a person is asked anew.")]
pub(super) struct EditArgs {
    /// The handoff's id.
    id: String,
    /// Who edits: a person of the policy, by name or mail address, who may decide about it.
    #[arg(long = "as", value_name = "NAME")]
    by: String,
    /// Words for one part, in as many lines as you like up to five; may be given several times.
    #[arg(long = "set", value_name = "PART=TEXT", value_parser = set)]
    parts: Vec<(PackagePart, String)>,
    /// A file with headings and lines; - is the input.
    #[arg(long, value_name = "FILE", conflicts_with = "parts")]
    file: Option<PathBuf>,
}

fn set(text: &str) -> Result<(PackagePart, String), String> {
    let (name, words) = text.split_once('=').ok_or("write PART=TEXT, for example question=\"May we refund it?\"")?;
    let part = part_named(name.trim()).ok_or_else(|| format!("no part is called so; these are: {}", names()))?;
    Ok((part, words.to_owned()))
}

impl EditArgs {
    pub(super) fn run(&self, context: &Context) -> Result<ExitCode, Failure> {
        let ledger = ledger(context)?;
        let handoff = find(&ledger, &self.id)?;
        let of = ledger.package_version(&self.id)?;
        drop(ledger);
        let package = waiting(&handoff)?;
        let parts = match (&self.file, self.parts.as_slice()) {
            (Some(file), _) => parts_of(&read(file)?)?,
            (None, []) => in_editor(context, package)?,
            (None, given) => given.to_vec(),
        };
        for (part, text) in &parts {
            lines_of(*part, text).map_err(|why| Failure::usage(anyhow!("{why}")))?;
        }
        let parts = parts.into_iter().map(|(part, text)| PartEdit { part, text }).collect();
        give(context, Command::Edit { handoff: self.id.clone(), of, parts }, Some(&self.by))
    }
}

/// What is asked about, before anybody writes words in vain.
fn waiting(handoff: &HandoffRecord) -> Result<&Package, Failure> {
    if handoff.state != HandoffState::InReview {
        let state = handoff.state.name().replace('_', " ");
        return Err(Failure::problems(anyhow!("handoff {} is not in review but {state}", handoff.id)));
    }
    let none = || Failure::problems(anyhow!("no package travels with {}: it is a route", handoff.id));
    handoff.proposal.package.as_ref().ok_or_else(none)
}

fn parts_of(text: &str) -> Result<Vec<(PackagePart, String)>, Failure> {
    read_sheet(text).map_err(|why| Failure::usage(anyhow!("{why}")))
}

fn read(file: &Path) -> Result<String, Failure> {
    let source: Box<dyn Read> = if file == Path::new("-") {
        Box::new(std::io::stdin().lock())
    } else {
        let opened = std::fs::File::open(file).with_context(|| format!("{} cannot be read", file.display()));
        Box::new(opened.map_err(Failure::usage)?)
    };
    let mut bytes = Vec::new();
    let wrong = |why: &str| Failure::usage(anyhow!("{} {why}", file.display()));
    source.take(FILE_MAX + 1).read_to_end(&mut bytes).map_err(|error| wrong(&format!("cannot be read: {error}")))?;
    if bytes.len() as u64 > FILE_MAX {
        return Err(wrong("is larger than 64 KiB"));
    }
    String::from_utf8(bytes).map_err(|_| wrong("is not UTF-8"))
}

/// The parts that came back from an editor otherwise than they went in.
fn in_editor(context: &Context, package: &Package) -> Result<Vec<(PackagePart, String)>, Failure> {
    let editor =
        ["VISUAL", "EDITOR"].into_iter().find_map(|name| std::env::var(name).ok().filter(|it| !it.trim().is_empty()));
    let Some(editor) = editor.filter(|_| context.asks) else {
        return Err(Failure::usage(anyhow!(
            "nothing is to be changed: give --set PART=TEXT or --file FILE; with $EDITOR set, on a terminal, it is opened"
        )));
    };
    let before = sheet(package);
    let place = std::env::temp_dir().join(format!("handoffd-{}-{:016x}.txt", std::process::id(), random()));
    let edited = write_new(&place, &before).and_then(|()| edit_with(&editor, &place)).and_then(|()| read(&place));
    // It holds ticket text.
    drop(remove_file(&place));
    let after = parts_of(&edited?)?;
    let was: Vec<(PackagePart, String)> = parts_of(&before)?;
    Ok(after.into_iter().filter(|part| !was.contains(part)).collect())
}

fn random() -> u64 {
    use handoffd_kit::random::Random;
    crate::clock::SystemRandom.bits()
}

fn write_new(place: &Path, text: &str) -> Result<(), Failure> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(place);
    let written = file.and_then(|mut file| file.write_all(text.as_bytes()));
    written.map_err(|error| Failure::problems(anyhow!("{} cannot be written: {error}", place.display())))
}

fn edit_with(editor: &str, place: &Path) -> Result<(), Failure> {
    let mut words = editor.split_whitespace();
    let program = words.next().unwrap_or_default();
    let ended = std::process::Command::new(program).args(words).arg(place).status();
    match ended {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err(Failure::problems(anyhow!("{program} ended with an error: nothing was edited"))),
        Err(error) => Err(Failure::problems(anyhow!("{program} cannot be run: {error}"))),
    }
}
