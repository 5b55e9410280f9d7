//! CSV (RFC 4180), read by hand: each cell keeps its line and column, and a quote that is never closed is an error instead of
//! a cell that swallows the rest of the file. No CSV library tells either.

use super::LONGEST_ROW;
use super::open::{Cell, Peeked, RowProblem, Rows};
use super::problem::LogProblem;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, Read};
use std::ops::Range;

/// Rows of a CSV file.
pub(super) struct CsvRows<R = Peeked> {
    input: R,
    separator: u8,
    /// The cells of the present row, one after the other, without quotes.
    text: Vec<u8>,
    cells: Vec<Place>,
    /// Where the next byte stands.
    line: u64,
    column: u64,
    /// The line that the present row begins in.
    row_line: u64,
    wanted: Vec<usize>,
    header: Vec<String>,
}

/// Where a cell's bytes and its beginning are.
#[derive(Clone, Debug)]
struct Place {
    bytes: Range<usize>,
    line: u64,
    column: u64,
}

/// What the next byte means.
#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    CellStarts,
    Plain,
    Quoted,
    /// After a quote inside a quoted cell: its end, or the first of two.
    QuoteMet,
}

impl<R: BufRead> CsvRows<R> {
    pub fn new(input: R, separator: u8) -> Self {
        Self {
            input,
            separator,
            text: Vec::new(),
            cells: Vec::new(),
            line: 1,
            column: 1,
            row_line: 1,
            wanted: Vec::new(),
            header: Vec::new(),
        }
    }

    /// Reads the first row.
    pub fn header(&mut self) -> Result<Vec<String>, RowProblem> {
        if !self.read_row()? {
            return Err(RowProblem::Ends(super::open::empty(1)));
        }
        let name = |at: usize| {
            let name = std::str::from_utf8(self.bytes(at)).map(|name| name.trim().to_owned());
            name.map_err(|_| {
                let (line, column) = self.place(at);
                let (message, help) = ("the name of this column is not UTF-8".into(), "save the log as UTF-8".into());
                RowProblem::Ends(LogProblem { line, column, named: None, message, help })
            })
        };
        (0..self.cells.len()).map(name).collect()
    }

    /// Which cells will be asked for.
    pub fn want(&mut self, wanted: Vec<usize>, header: Vec<String>) {
        self.wanted = wanted;
        self.header = header;
    }

    /// Line and column of a cell of the present row.
    pub fn place(&self, cell: usize) -> (u64, u64) {
        self.cells.get(cell).map_or((self.row_line, 1), |place| (place.line, place.column))
    }

    fn bytes(&self, cell: usize) -> &[u8] {
        self.cells.get(cell).and_then(|place| self.text.get(place.bytes.clone())).unwrap_or_default()
    }

    /// Reads the next row that is not empty; false: there is none.
    fn read_row(&mut self) -> Result<bool, RowProblem> {
        loop {
            self.text.clear();
            self.cells.clear();
            self.row_line = self.line;
            if !self.read_cells()? {
                return Ok(false);
            }
            let empty = self.cells.len() == 1 && self.text.is_empty();
            if !empty {
                return Ok(true);
            }
        }
    }

    /// Reads up to the end of a row; false: the file had ended before.
    fn read_cells(&mut self) -> Result<bool, RowProblem> {
        let mut state = State::CellStarts;
        let mut cell = (0, self.line, self.column);
        let mut opened = (self.line, self.column);
        let mut any = false;
        loop {
            let Some(byte) = self.next_byte()? else {
                if state == State::Quoted {
                    return Err(RowProblem::Ends(never_closed(opened)));
                }
                if any {
                    self.end_cell(cell);
                }
                return Ok(any);
            };
            any = true;
            let at = (self.line, self.column);
            self.step(byte);
            if self.text.len() + 64 * self.cells.len() > LONGEST_ROW {
                let problem = if state == State::Quoted { never_closed(opened) } else { too_long(self.row_line) };
                return Err(RowProblem::Ends(problem));
            }
            state = match (state, byte) {
                (State::Quoted, b'"') => State::QuoteMet,
                (State::Quoted, _) => self.keep(byte, State::Quoted),
                (State::QuoteMet, b'"') => self.keep(byte, State::Quoted),
                (State::CellStarts, b'"') => {
                    opened = at;
                    State::Quoted
                }
                (_, b'\n' | b'\r') => {
                    self.end_cell(cell);
                    self.end_line(byte)?;
                    return Ok(true);
                }
                (_, byte) if byte == self.separator => {
                    self.end_cell(cell);
                    cell = (self.text.len(), self.line, self.column);
                    State::CellStarts
                }
                (State::QuoteMet, _) => return Err(self.after_quote(at)),
                (State::CellStarts | State::Plain, _) => self.keep(byte, State::Plain),
            };
        }
    }

    fn keep(&mut self, byte: u8, state: State) -> State {
        self.text.push(byte);
        state
    }

    fn end_cell(&mut self, (start, line, column): (usize, u64, u64)) {
        self.cells.push(Place { bytes: start..self.text.len(), line, column });
    }

    /// A line ends with LF, CR, or both.
    fn end_line(&mut self, byte: u8) -> Result<(), RowProblem> {
        if byte == b'\r' {
            let next = self.input.fill_buf().map_err(RowProblem::Io)?.first().copied();
            if next == Some(b'\n') {
                self.input.consume(1);
            }
            self.line += 1;
            self.column = 1;
        }
        Ok(())
    }

    fn next_byte(&mut self) -> Result<Option<u8>, RowProblem> {
        let byte = self.input.fill_buf().map_err(RowProblem::Io)?.first().copied();
        self.input.consume(usize::from(byte.is_some()));
        Ok(byte)
    }

    fn step(&mut self, byte: u8) {
        match byte {
            b'\n' => (self.line, self.column) = (self.line + 1, 1),
            // Only the first byte of a character counts as one.
            _ => self.column += u64::from(byte & 0xc0 != 0x80),
        }
    }

    /// Text after a closing quote: the rest of the line is left out, the next row may be fine.
    fn after_quote(&mut self, (line, column): (u64, u64)) -> RowProblem {
        while let Ok(Some(byte)) = self.next_byte() {
            self.step(byte);
            if byte == b'\n' {
                break;
            }
        }
        RowProblem::Row(LogProblem {
            line,
            column,
            named: None,
            message: "text after a closing quote".into(),
            help: "a quote inside a quoted cell is written twice: \"she said \"\"no\"\"\"".into(),
        })
    }

    fn whole(&self) -> Result<(), RowProblem> {
        if self.cells.len() == self.header.len() {
            return Ok(());
        }
        let (line, column) = self.place(self.cells.len().saturating_sub(1));
        Err(RowProblem::Row(LogProblem {
            line,
            column,
            named: None,
            message: format!("this row has {} cells and the header {}", self.cells.len(), self.header.len()),
            help: "put cells with a separator inside into quotes; every row has as many cells as the header".into(),
        }))
    }
}

impl<R: BufRead> Rows for CsvRows<R> {
    fn advance(&mut self) -> Option<Result<(), RowProblem>> {
        match self.read_row() {
            Ok(true) => Some(self.whole()),
            Ok(false) => None,
            Err(problem) => Some(Err(problem)),
        }
    }

    fn row_line(&self) -> u64 {
        self.row_line
    }

    fn hash(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for cell in 0..self.cells.len() {
            self.bytes(cell).hash(&mut hasher);
        }
        hasher.finish()
    }

    fn columns_met(&self) -> Option<Vec<String>> {
        None
    }

    fn cell(&self, wanted: usize) -> Cell<'_> {
        let at = self.wanted.get(wanted).copied().unwrap_or(usize::MAX);
        let (line, column) = self.place(at);
        Cell { bytes: self.bytes(at), line, column }
    }
}

/// The header that a separator gives, of the beginning of a file.
pub(super) fn header_of(head: &[u8], separator: u8) -> Vec<String> {
    CsvRows::new(head.take(head.len() as u64), separator).header().unwrap_or_default()
}

fn never_closed((line, column): (u64, u64)) -> LogProblem {
    LogProblem {
        line,
        column,
        named: None,
        message: "this quote is never closed".into(),
        help: "close it; a quote inside a quoted cell is written twice".into(),
    }
}

fn too_long(line: u64) -> LogProblem {
    LogProblem {
        line,
        column: 1,
        named: None,
        message: "this row is longer than 1 MiB".into(),
        help: "a log has one row an event, each on its own line".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rows(text: &str) -> Vec<Result<Vec<String>, String>> {
        let mut rows = CsvRows::new(text.as_bytes(), b',');
        let mut all = Vec::new();
        loop {
            match rows.read_row() {
                Ok(true) => all.push(Ok((0..rows.cells.len())
                    .map(|at| String::from_utf8_lossy(rows.bytes(at)).into_owned())
                    .collect())),
                Ok(false) => return all,
                Err(RowProblem::Row(problem)) => all.push(Err(format!("{}:{}", problem.line, problem.column))),
                Err(RowProblem::Ends(problem)) => {
                    all.push(Err(format!("{}:{} {}", problem.line, problem.column, problem.message)));
                    return all;
                }
                Err(RowProblem::Io(error)) => panic!("{error}"),
            }
        }
    }

    fn fine(cells: &[&str]) -> Result<Vec<String>, String> {
        Ok(cells.iter().map(|cell| (*cell).to_owned()).collect())
    }

    #[test]
    fn cells_may_be_quoted_and_lines_end_as_they_like() {
        assert_eq!(rows("a,b\r\n\"c,\"\"d\n\",\r,e"), [fine(&["a", "b"]), fine(&["c,\"d\n", ""]), fine(&["", "e"])]);
        assert_eq!(rows("\n\n5\" pipe,x\n"), [fine(&["5\" pipe", "x"])]);
        assert_eq!(rows(""), []);
    }

    #[test]
    fn what_is_wrong_with_quotes_has_its_place() {
        assert_eq!(rows("é,\"b\"c\nd\n"), [Err("1:6".into()), fine(&["d"])]);
        assert_eq!(rows("a\nb,\"c\nd\n"), [fine(&["a"]), Err("2:3 this quote is never closed".into())]);
    }

    #[test]
    fn a_row_without_end_is_cut() {
        let text = format!("a\n{}", "x".repeat(LONGEST_ROW + 2));
        assert_eq!(rows(&text)[1], Err("2:1 this row is longer than 1 MiB".into()));
        let quoted = format!("a\nb,\"{}", "x\n".repeat(LONGEST_ROW));
        assert_eq!(rows(&quoted)[1], Err("2:3 this quote is never closed".into()));
        assert!(rows(&format!("a\n{}", ",".repeat(LONGEST_ROW)))[1].is_err());
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn what_is_written_is_read(table in proptest::collection::vec(proptest::collection::vec("[a-c\",\r\né]{0,4}", 2..4), 0..5)) {
            let quoted = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
            let line = |row: &Vec<String>| row.iter().map(quoted).collect::<Vec<_>>().join(",") + "\n";
            let text: String = table.iter().map(line).collect();
            let read: Result<Vec<_>, _> = rows(&text).into_iter().collect();
            prop_assert_eq!(read, Ok(table));
        }

        #[test]
        fn nothing_panics(text in ".{0,40}") {
            prop_assert!(rows(&text).len() <= text.len() + 1);
        }
    }
}
