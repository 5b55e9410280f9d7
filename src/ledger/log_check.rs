//! The write-ahead log beside a ledger, before SQLite reads it. SQLite goes by its checksums and ends at the first frame that does
//! not fit: right after a crash, in whose last transaction that frame then is; and silently wrong where the disk spoilt a frame
//! in the middle, because what was committed after it would be gone, and what was sent would be sent again.
//!
//! Each commit is on the disk before the next one is written. So a crash leaves at most one transaction in pieces, the last:
//! a frame that fits, behind a commit that fits, behind one that does not, is damage. The format: SQLite's "WAL-mode File
//! Format", section 4 of its file format.

use super::error::{LedgerError, Result};
use super::open::beside;
use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// The page size of our ledgers, where the log's header cannot tell it.
const PAGE: usize = 4096;
/// A longer log would hold the start up.
const CHECKED_BYTES: u64 = 64 << 20;

/// Refuses a log that is damaged in the middle. `path` is the ledger's.
///
/// # Errors
/// It is, or it cannot be read.
pub(super) fn check_log(path: &Path) -> Result<()> {
    let Ok(file) = File::open(beside(path, "-wal")) else { return Ok(()) };
    let failed = |error: std::io::Error| LedgerError::Open { path: path.to_owned(), why: format!("its log: {error}") };
    if file.metadata().map_err(failed)?.len() > CHECKED_BYTES {
        return Ok(());
    }
    match spoilt(&mut BufReader::new(file)).map_err(failed)? {
        Some(frame) => {
            let words = format!("frame {frame} of its log is spoilt, and later ones are not");
            Err(LedgerError::Corrupt(words))
        }
        None => Ok(()),
    }
}

/// The checksum that runs through a log.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Sum(u32, u32);

impl Sum {
    fn read(bytes: &[u8]) -> Self {
        Self(number(bytes, 0), number(bytes, 4))
    }

    /// Goes on over these bytes, whose words are in the order that the log's magic number says.
    fn over(self, bytes: &[u8], big_endian: bool) -> Self {
        let word = |bytes: &[u8]| {
            let word = [bytes[0], bytes[1], bytes[2], bytes[3]];
            if big_endian { u32::from_be_bytes(word) } else { u32::from_le_bytes(word) }
        };
        bytes.chunks_exact(8).fold(self, |Self(one, two), pair| {
            let one = one.wrapping_add(word(&pair[..4])).wrapping_add(two);
            Self(one, two.wrapping_add(word(&pair[4..])).wrapping_add(one))
        })
    }
}

/// The big-endian number at a place.
fn number(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).map_or(0, |word| u32::from_be_bytes([word[0], word[1], word[2], word[3]]))
}

/// The first frame, counted from 1, that does not fit though a commit and more behind it do.
fn spoilt(log: &mut impl Read) -> std::io::Result<Option<u32>> {
    let mut header = [0; HEADER];
    if !fill(log, &mut header)? {
        return Ok(None);
    }
    let (magic, page) = (number(&header, 0), number(&header, 8) as usize);
    let told = Sum::read(&header[24..]);
    let sound = magic & !1 == 0x377f_0682
        && (512..=65_536).contains(&page)
        && told == Sum(0, 0).over(&header[..24], magic & 1 == 1);
    // SQLite leaves a log out whose header does not fit: right only where nothing was committed to it.
    let (page, big_endian) = if sound { (page, magic & 1 == 1) } else { (PAGE, cfg!(target_endian = "big")) };
    let mut first_bad = (!sound).then_some(0);
    let mut salts = sound.then(|| header[16..24].to_vec());
    let mut frame = vec![0; FRAME_HEADER + page];
    let (mut before, mut count, mut committed) = (told, 0, false);
    while fill(log, &mut frame)? {
        count += 1;
        let salted = salts.get_or_insert_with(|| frame[8..16].to_vec()).as_slice() == &frame[8..16];
        let told = Sum::read(&frame[16..]);
        let fits = salted && told == before.over(&frame[..8], big_endian).over(&frame[FRAME_HEADER..], big_endian);
        match first_bad {
            None if !fits => first_bad = Some(count),
            Some(bad) if fits && committed => return Ok(Some(bad)),
            Some(_) if fits => committed = number(&frame, 4) != 0,
            _ => {}
        }
        before = told;
    }
    Ok(None)
}

/// Fills the buffer; false where the log ends before.
fn fill(log: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<bool> {
    match log.read_exact(buffer) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}
