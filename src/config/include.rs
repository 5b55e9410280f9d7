//! `include`: a policy in several files. They are laid end to end, the main file first, and read as one document: rules
//! keep the order of the files, tables may be spread over them, and no key can be given twice.

use super::found::Found;
use super::source::Source;
use super::{LARGEST, read_text, syntax};
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// More files than this were not meant.
const MOST_FILES: usize = 200;
/// Signs that make a pattern of a path.
const PATTERN: [char; 3] = ['*', '?', '['];
/// What to do where an included file cannot be used.
const HELP: &str = "write it like include = [\"policy/*.toml\"]; paths are relative to the main file";

/// All files of a configuration, laid end to end.
pub(super) struct Laid {
    /// What stands in the files.
    pub source: Source,
    /// What is read of it, byte for byte at the same places: what would be misread after another file is blank.
    pub text: String,
    findings: Vec<Finding>,
}

struct Finding {
    span: Range<usize>,
    message: String,
    help: String,
}

impl Laid {
    /// A text that is whole already, whatever it says to include.
    pub fn alone(name: &str, text: &str) -> Self {
        Self { source: Source::new(name, text), text: text.to_owned(), findings: Vec::new() }
    }

    /// Reports what is wrong with the files. What depends on what they hold cannot be judged then.
    pub fn report(&self, found: &mut Found<'_>) {
        for Finding { span, message, help } in &self.findings {
            found.error(span, message, help);
        }
        if !self.findings.is_empty() {
            found.is_incomplete();
        }
    }

    fn wrong(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.findings.push(Finding { span, message: message.into(), help: help.into() });
    }
}

/// Reads the files that a main file includes. A list that is none is for the reader of the whole to refuse.
pub(super) fn lay_out(name: &str, text: &str, base: &Path) -> Laid {
    let mut laid = Laid::alone(name, text);
    let (document, _) = DeTable::parse_recoverable(text);
    let list = document.get_ref().get("include").and_then(|list| list.get_ref().as_array());
    let mut known: Vec<PathBuf> = Path::new(name).canonicalize().into_iter().collect();
    for value in list.into_iter().flat_map(|list| list.iter()) {
        for file in files(&mut laid, value, base) {
            let real = file.canonicalize().unwrap_or_else(|_| file.clone());
            if known.contains(&real) {
                continue;
            }
            known.push(real);
            add(&mut laid, &file, value.span());
        }
    }
    laid
}

/// The files that one entry stands for.
fn files(laid: &mut Laid, value: &Spanned<DeValue<'_>>, base: &Path) -> Vec<PathBuf> {
    let Some(text) = value.get_ref().as_str().filter(|text| !text.trim().is_empty()) else { return Vec::new() };
    if !text.contains(PATTERN) {
        return vec![base.join(text)];
    }
    let whole = Path::new(&glob::Pattern::escape(&base.to_string_lossy())).join(text);
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::new() };
    let files: Vec<PathBuf> = match glob::glob_with(&whole.to_string_lossy(), options) {
        Ok(paths) => paths.filter_map(Result::ok).filter(|path| path.is_file()).take(MOST_FILES + 1).collect(),
        Err(error) => {
            laid.wrong(value.span(), format!("this pattern of files cannot be read: {}", error.msg), HELP);
            return Vec::new();
        }
    };
    if files.len() > MOST_FILES {
        laid.wrong(value.span(), format!("more than {MOST_FILES} files fit this pattern"), "name them more closely");
        return Vec::new();
    }
    if files.is_empty() {
        laid.wrong(value.span(), "no file fits this pattern", HELP);
    }
    files
}

/// Lays a file after the others. `from` is where it is included.
fn add(laid: &mut Laid, path: &Path, from: Range<usize>) {
    let text = match read_text(path, HELP) {
        Ok(text) => text,
        Err(problems) => {
            for problem in problems.iter() {
                laid.wrong(from.clone(), problem.message.clone(), problem.help.clone());
            }
            return;
        }
    };
    if (laid.text.len() + text.len()) as u64 > LARGEST {
        laid.wrong(from, "the configuration's files are larger than 1 MiB together", "a policy is text of some pages");
        return;
    }
    let start = laid.source.append(&path.display().to_string(), &text);
    laid.text.push('\n');
    let piece = readable(laid, &text, start);
    laid.text.push_str(&piece);
}

/// A file's text as it may be read after another file: without what stands before its first table, and not at all where
/// its syntax is broken, which would swallow the next one.
fn readable(laid: &mut Laid, text: &str, start: usize) -> String {
    let text = text.replacen('\u{feff}', "   ", usize::from(text.starts_with('\u{feff}')));
    let (document, broken) = DeTable::parse_recoverable(&text);
    for error in &broken {
        let span = error.span().unwrap_or(0..0);
        let span = start + span.start..start + span.end;
        laid.wrong(span, syntax::words(error.message()), syntax::help(error.message()));
    }
    if !broken.is_empty() {
        return blank(&text);
    }
    let in_header = |at: &Range<usize>| text[..at.start].trim_end_matches([' ', '\t']).ends_with('[');
    let keys = || document.get_ref().keys();
    for key in keys().filter(|key| !in_header(&key.span())) {
        let span = start + key.span().start..start + key.span().end;
        let (message, help) = match key.get_ref().as_ref() {
            "include" => ("an included file includes another one", "name every file in the main file's `include`"),
            _ => ("this key of an included file is in no table", "begin its table with a line [NAME]"),
        };
        laid.wrong(span, message, help);
    }
    let headers = keys().map(|key| key.span()).filter(in_header).map(|span| span.start).min();
    let first = headers.map_or(text.len(), |at| text[..at].rfind('\n').map_or(0, |newline| newline + 1));
    blank(&text[..first]) + &text[first..]
}

/// As many bytes that say nothing, in as many lines.
fn blank(text: &str) -> String {
    text.bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect()
}
