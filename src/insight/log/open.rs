//! Opens a log: sees whether it is packed, CSV or JSON Lines, and which columns it has.

use super::collect::{Wanted, ends_badly};
use super::csv_rows::{CsvRows, header_of};
use super::json_rows::JsonRows;
use super::problem::{LogError, LogProblem};
use crate::config::events::EventMap;
use flate2::read::MultiGzDecoder;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Chain, Cursor, Read};
use std::path::Path;

/// How much is looked at to see what a file is.
const LOOKED_AT: usize = 64 << 10;

/// Opens a file, or stdin for `-`.
///
/// # Errors
/// The system's.
pub fn open(path: &Path) -> Result<Box<dyn Read>, LogError> {
    if path == Path::new("-") {
        return Ok(Box::new(std::io::stdin()));
    }
    let unreadable = |error| LogError::Unreadable { name: path.display().to_string(), error };
    let file = File::open(path).map_err(unreadable)?;
    if file.metadata().map_err(unreadable)?.is_dir() {
        return Err(unreadable(std::io::Error::new(std::io::ErrorKind::IsADirectory, "it is a folder")));
    }
    Ok(Box::new(file))
}

/// A source whose beginning was looked at.
pub(super) type Peeked = BufReader<Chain<Cursor<Vec<u8>>, Box<dyn Read>>>;

/// One row after the other, whatever the file is.
pub(super) trait Rows {
    /// Goes to the next row. `None`: there is no other. A problem is of this row alone, unless it says that it ends all.
    fn advance(&mut self) -> Option<Result<(), RowProblem>>;
    /// The line that the row begins in.
    fn row_line(&self) -> u64;
    /// Equal for rows that are equal in every cell, and for no others.
    fn hash(&self) -> u64;
    /// The columns that were met so far, where the file does not name them beforehand.
    fn columns_met(&self) -> Option<Vec<String>>;
    /// A cell by its number among the wanted columns.
    fn cell(&self, wanted: usize) -> Cell<'_>;
}

/// One cell.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cell<'r> {
    pub bytes: &'r [u8],
    /// Where it stands.
    pub line: u64,
    pub column: u64,
}

/// What is wrong with a row.
#[derive(Debug)]
pub(super) enum RowProblem {
    /// This row; the next may be fine.
    Row(LogProblem),
    /// What follows cannot be told.
    Ends(LogProblem),
    /// The system's words.
    Io(std::io::Error),
}

/// A log whose columns are known.
pub(super) struct Opened {
    pub rows: Box<dyn Rows>,
    pub wanted: Wanted,
}

/// Sees what a file is and finds the map's columns in it.
pub(super) fn sniff(input: Box<dyn Read>, name: &str, map: &EventMap) -> Result<Opened, LogError> {
    let unreadable = |error| LogError::Unreadable { name: name.to_owned(), error };
    let (mut head, mut source) = peek(input).map_err(unreadable)?;
    if head.starts_with(&[0x1f, 0x8b]) {
        let packed = MultiGzDecoder::new(BufReader::new(Cursor::new(head).chain(source)));
        let unpacked: Box<dyn Read> = Box::new(packed);
        (head, source) = peek(unpacked).map_err(|error| ends_badly(name, 1, error))?;
    }
    refuse_what_is_no_text(&head).map_err(|problem| LogError::at(name, problem))?;
    let start = if head.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
    let wanted = Wanted::of(map);
    let first = head[start..].iter().find(|byte| !byte.is_ascii_whitespace()).copied();
    let shows = head[start..].to_vec();
    let mut cursor = Cursor::new(head);
    cursor.set_position(start as u64);
    let input = BufReader::with_capacity(LOOKED_AT, cursor.chain(source));
    match first {
        None => Err(LogError::at(name, empty(1))),
        Some(b'[') => Err(LogError::at(name, no_lines())),
        Some(b'{') => {
            let rows = Box::new(JsonRows::new(input, wanted.names.clone(), wanted.facts.clone()));
            Ok(Opened { rows, wanted })
        }
        Some(_) => csv(input, &shows, name, map, wanted),
    }
}

fn csv(input: Peeked, head: &[u8], name: &str, map: &EventMap, wanted: Wanted) -> Result<Opened, LogError> {
    let said = said_separator(head);
    let separator = map.separator.or(said).unwrap_or_else(|| likeliest_separator(head, &wanted.names));
    let mut rows = CsvRows::new(input, separator);
    let header = match said.map_or(Ok(()), |_| rows.header().map(drop)).and_then(|()| rows.header()) {
        Ok(header) => header,
        Err(RowProblem::Io(error)) => return Err(LogError::Unreadable { name: name.to_owned(), error }),
        Err(RowProblem::Row(problem) | RowProblem::Ends(problem)) => return Err(LogError::at(name, problem)),
    };
    if let Some(problems) = map.missing_columns(name, &header) {
        return Err(LogError::Columns(problems));
    }
    let mut places = Vec::new();
    for column in &wanted.names {
        let all: Vec<usize> = (0..header.len()).filter(|at| header[*at] == *column).collect();
        if let [_, second, ..] = all[..] {
            let (line, at) = rows.place(second);
            let problem = LogProblem {
                line,
                column: at,
                named: None,
                message: format!("the header names the column \"{}\" twice", crate::config::events::printable(column)),
                help: "rename one of them: which of the two is meant cannot be told".into(),
            };
            return Err(LogError::at(name, problem));
        }
        places.extend(all);
    }
    rows.want(places, header);
    Ok(Opened { rows: Box::new(rows), wanted })
}

/// The separator that a first line says and nothing else (`sep=;`), as spreadsheets write it.
fn said_separator(head: &[u8]) -> Option<u8> {
    let [separator @ (b',' | b';' | b'\t' | b'|'), b'\r' | b'\n', ..] = head.strip_prefix(b"sep=")? else {
        return None;
    };
    Some(*separator)
}

/// The separator with which the first line has the most of the map's columns; a comma where all have the same.
fn likeliest_separator(head: &[u8], wanted: &[String]) -> u8 {
    let hits = |separator: u8| {
        let header: BTreeSet<String> = header_of(head, separator).into_iter().collect();
        wanted.iter().filter(|column| header.contains(*column)).count()
    };
    [b';', b'\t', b'|']
        .into_iter()
        .fold((b',', hits(b',')), |best, separator| {
            let count = hits(separator);
            if count > best.1 { (separator, count) } else { best }
        })
        .0
}

/// Reads the beginning, and gives it with the rest.
fn peek(mut input: Box<dyn Read>) -> std::io::Result<(Vec<u8>, Box<dyn Read>)> {
    let mut head = Vec::new();
    input.by_ref().take(LOOKED_AT as u64).read_to_end(&mut head)?;
    Ok((head, input))
}

fn refuse_what_is_no_text(head: &[u8]) -> Result<(), LogProblem> {
    let problem = |column: usize, message: &str, help: &str| LogProblem {
        line: 1 + head[..column].iter().filter(|byte| **byte == b'\n').count() as u64,
        column: 1 + head[..column].iter().rev().take_while(|byte| **byte != b'\n').count() as u64,
        named: None,
        message: message.into(),
        help: help.into(),
    };
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        return Err(problem(0, "this is UTF-16", "save the log as UTF-8"));
    }
    if head.starts_with(b"PK\x03\x04") {
        return Err(problem(0, "this is a zip archive or an Excel file", "save the sheet as CSV (UTF-8)"));
    }
    match head.iter().position(|byte| *byte == 0) {
        Some(at) => Err(problem(
            at,
            "this is no text: it has a NUL byte",
            "give a CSV or JSON Lines file, packed with gzip or not",
        )),
        None => Ok(()),
    }
}

/// A log without events.
pub(super) fn empty(line: u64) -> LogProblem {
    LogProblem {
        line,
        column: 1,
        named: None,
        message: if line == 1 { "the log is empty".into() } else { "the log has a header and no events".into() },
        help: "give a file with one row an event, and the names of the columns in its first line".into(),
    }
}

fn no_lines() -> LogProblem {
    LogProblem {
        line: 1,
        column: 1,
        named: None,
        message: "this is one JSON list, not one JSON object a line".into(),
        help: "turn it into JSON Lines: jq -c '.[]' log.json > log.jsonl".into(),
    }
}
