//! The text of a configuration, of one file or of several laid end to end, and where a byte of it stands.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// The text of a configuration, to say where something stands. Debug prints its name alone.
#[derive(Clone)]
pub struct Source(Arc<Sheets>);

#[derive(Clone)]
struct Sheets {
    text: String,
    /// Never empty; in the order of the text.
    pieces: Vec<Piece>,
}

/// One file's part of the text.
#[derive(Clone)]
struct Piece {
    name: String,
    range: Range<usize>,
}

/// Where something stands: in one file.
pub(super) struct Place {
    pub file: String,
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    /// In bytes of that file.
    pub span: Range<usize>,
}

impl Source {
    /// A file that was read.
    pub fn new(name: &str, text: &str) -> Self {
        let piece = Piece { name: name.to_owned(), range: 0..text.len() };
        Self(Arc::new(Sheets { text: text.to_owned(), pieces: vec![piece] }))
    }

    /// Adds another file's text, from a new line on, and gives where it begins.
    pub(super) fn append(&mut self, name: &str, text: &str) -> usize {
        let Sheets { text: whole, pieces } = Arc::make_mut(&mut self.0);
        whole.push('\n');
        let start = whole.len();
        whole.push_str(text);
        pieces.push(Piece { name: name.to_owned(), range: start..whole.len() });
        start
    }

    /// The name of the first file, as given.
    pub fn name(&self) -> &str {
        self.0.pieces.first().map_or("", |piece| piece.name.as_str())
    }

    /// The names of all files.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.pieces.iter().map(|piece| piece.name.as_str())
    }

    /// The whole text.
    pub(super) fn text(&self) -> &str {
        &self.0.text
    }

    /// One file's text; empty where there is none of that name.
    pub(super) fn text_of(&self, file: &str) -> &str {
        let piece = self.0.pieces.iter().find(|piece| piece.name == file);
        piece.and_then(|piece| self.text().get(piece.range.clone())).unwrap_or_default()
    }

    /// Where a span of the whole text stands.
    pub(super) fn place(&self, span: &Range<usize>) -> Place {
        let at = self.0.pieces.partition_point(|piece| piece.range.start <= span.start).saturating_sub(1);
        let Some(piece) = self.0.pieces.get(at) else {
            return Place { file: String::new(), line: 1, column: 1, span: 0..0 };
        };
        let text = self.text().get(piece.range.clone()).unwrap_or_default();
        let within = |byte: usize| byte.saturating_sub(piece.range.start);
        let before = &text[..floor(text, within(span.start))];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Place {
            file: piece.name.clone(),
            line: before.matches('\n').count() + 1,
            column: before[line_start..].chars().filter(|letter| *letter != '\u{feff}').count() + 1,
            span: within(span.start)..within(span.end),
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Source").field(&self.name()).finish()
    }
}

/// The nearest character boundary at or before a byte.
pub(super) fn floor(text: &str, byte: usize) -> usize {
    let mut byte = byte.min(text.len());
    while !text.is_char_boundary(byte) {
        byte -= 1;
    }
    byte
}
