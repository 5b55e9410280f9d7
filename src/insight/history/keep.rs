//! The file that a desk's history is kept in: JSON Lines, and beside it, while it is not whole, where to go on (`FILE.going`).
//!
//! The place is written after each page of the desk, once the page's rows are in the file. Whatever stands behind it after a
//! crash is cut off and taken again, so no row is missing and none stands there twice.

use super::rows::Row;
use super::taking::Taken;
use handoffd_kit::desk::Cursor;
use handoffd_kit::id::{DeskId, StreamName, TicketId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// What a file is of, and how far it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The desk.
    pub desk: DeskId,
    /// Tickets that changed since then are taken.
    pub since: Timestamp,
    /// Whether subjects and what was said stand in it.
    pub with_text: bool,
    /// How many bytes of the file count.
    bytes: u64,
    /// Streams that were begun: where each stands, and whether it is at its end.
    streams: BTreeMap<StreamName, (Cursor, bool)>,
    /// Tickets and rows in the file.
    tickets: u64,
    rows: u64,
    /// Tickets that stand nowhere in it: our account may not see them, or the desk did not tell their history.
    unseen: BTreeSet<TicketId>,
    untold: BTreeSet<TicketId>,
}

impl Place {
    /// The beginning.
    pub fn first(desk: DeskId, since: Timestamp, with_text: bool) -> Self {
        Self {
            desk,
            since,
            with_text,
            bytes: 0,
            streams: BTreeMap::new(),
            tickets: 0,
            rows: 0,
            unseen: BTreeSet::new(),
            untold: BTreeSet::new(),
        }
    }
}

/// A file of history that grows.
pub struct Keep {
    path: PathBuf,
    file: BufWriter<File>,
    place: Place,
    /// Tickets that stand in it.
    tickets: HashSet<TicketId>,
}

/// Where a file stands that is not whole; none: it is whole, or there is none.
///
/// # Errors
/// The system's, or a place that cannot be read.
pub fn place(path: &Path) -> io::Result<Option<Place>> {
    match std::fs::read(going(path)) {
        Ok(text) => Ok(Some(serde_json::from_slice(&text)?)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

fn going(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".going");
    PathBuf::from(name)
}

impl Keep {
    /// Begins a file, or goes on with one that is not whole. It can be read by nobody else.
    ///
    /// # Errors
    /// The system's; a file that is whole is there already.
    pub fn open(path: &Path, first: Place) -> io::Result<Self> {
        let known = place(path)?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).mode(0o600);
        let mut file = match &known {
            Some(_) => options.open(path)?,
            None => options.create_new(true).open(path)?,
        };
        let place = known.unwrap_or(first);
        file.set_len(place.bytes)?;
        file.seek(SeekFrom::Start(0))?;
        let mut tickets = HashSet::new();
        let mut lines = BufReader::new(&file);
        let mut line = Vec::new();
        while lines.read_until(b'\n', &mut line)? > 0 {
            #[derive(Deserialize)]
            struct Case {
                case: String,
            }
            let Case { case } = serde_json::from_slice(&line)?;
            tickets.insert(TicketId::new(case));
            line.clear();
        }
        file.seek(SeekFrom::End(0))?;
        let mut keep = Self { path: path.to_owned(), file: BufWriter::new(file), place, tickets };
        keep.note()?;
        Ok(keep)
    }

    /// Tickets that changed since then are taken.
    pub fn since(&self) -> Timestamp {
        self.place.since
    }

    /// How much there is.
    pub fn taken(&self) -> Taken {
        let Place { tickets, rows, unseen, untold, .. } = &self.place;
        Taken { tickets: *tickets, rows: *rows, unseen: unseen.len() as u64, untold: untold.len() as u64 }
    }

    pub(super) fn has(&self, ticket: &TicketId) -> bool {
        let Place { unseen, untold, .. } = &self.place;
        self.tickets.contains(ticket) || unseen.contains(ticket) || untold.contains(ticket)
    }

    pub(super) fn cursor(&self, stream: &StreamName) -> Option<Cursor> {
        self.place.streams.get(stream).map(|(cursor, _)| cursor.clone())
    }

    pub(super) fn is_done(&self, stream: &StreamName) -> bool {
        self.place.streams.get(stream).is_some_and(|(_, done)| *done)
    }

    pub(super) fn ticket(&mut self, ticket: &TicketId, rows: &[Row]) -> io::Result<()> {
        for row in rows {
            serde_json::to_writer(&mut self.file, row)?;
            self.file.write_all(b"\n")?;
        }
        if rows.is_empty() {
            self.place.untold.insert(ticket.clone());
            return Ok(());
        }
        self.place.rows += rows.len() as u64;
        self.place.tickets += 1;
        self.tickets.insert(ticket.clone());
        Ok(())
    }

    pub(super) fn unseen(&mut self, ticket: &TicketId) {
        self.place.unseen.insert(ticket.clone());
    }

    /// A page is taken whole.
    pub(super) fn page(&mut self, stream: &StreamName, next: Cursor, more: bool) -> io::Result<()> {
        self.place.streams.insert(stream.clone(), (next, !more));
        self.note()
    }

    /// Notes where it stands: what is in the file by now counts.
    ///
    /// # Errors
    /// The system's.
    pub fn pause(&mut self) -> io::Result<()> {
        self.note()
    }

    fn note(&mut self) -> io::Result<()> {
        self.file.flush()?;
        self.file.get_ref().sync_data()?;
        self.place.bytes = self.file.stream_position()?;
        let (path, mut draft) = (going(&self.path), going(&self.path));
        draft.as_mut_os_string().push(".new");
        std::fs::write(&draft, serde_json::to_vec(&self.place)?)?;
        std::fs::rename(draft, path)
    }

    /// All is taken: the file is whole.
    ///
    /// # Errors
    /// The system's.
    pub fn whole(mut self) -> io::Result<Taken> {
        self.note()?;
        std::fs::remove_file(going(&self.path))?;
        Ok(self.taken())
    }
}
