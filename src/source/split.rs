//! Splits a list into rows and rows into cells, and knows for every row its line, its first byte and its length.
//!
//! The rules are RFC 4180 read leniently, as the `csv` crate reads it; a property test holds the two together. The
//! crate itself cannot be used for this: it tells where the blank lines before a row begin, not where the row
//! does, counts only LF as a line end, and does not say that a quote was never closed.

use std::borrow::Cow;
use std::io::{self, Read};

use memchr::memchr3;

use crate::mail::Place;

/// Bytes of a row at most. A quote that is never closed would otherwise pull the whole list into memory.
pub(super) const ROW_MAX: usize = 1 << 20;
/// Bytes read from the file at a time.
const CHUNK: usize = 1 << 16;

/// Where the scan of a row stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Before the first byte of a cell, where a quote opens it.
    CellStart,
    /// In a cell, where a quote is a character.
    Plain,
    /// Within quotes, where delimiters and line ends are characters.
    Quoted,
    /// After a quote within quotes: the end, or the first of a doubled quote.
    QuoteSeen,
    /// After a CR that ended the row: an LF still belongs to it.
    Return,
    /// After the row.
    End,
}

/// The cells of one row: where they begin and end, and how far the scan has come.
#[derive(Clone, Debug)]
pub(super) struct Cells {
    delimiter: u8,
    bounds: Vec<Bounds>,
    state: State,
    scanned: usize,
    start: usize,
    is_quoted: bool,
    line_ends: u64,
    previous: u8,
}

/// One cell within its row.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    start: usize,
    end: usize,
    is_quoted: bool,
}

impl Cells {
    pub(super) fn new(delimiter: u8) -> Self {
        Self {
            delimiter,
            bounds: Vec::new(),
            state: State::CellStart,
            scanned: 0,
            start: 0,
            is_quoted: false,
            line_ends: 0,
            previous: 0,
        }
    }

    fn clear(&mut self) {
        let bounds = std::mem::take(&mut self.bounds);
        *self = Self {
            bounds,
            ..Self::new(self.delimiter)
        };
        self.bounds.clear();
    }

    /// Scans a whole row, with its line end or up to the end of the file.
    pub(super) fn scan(&mut self, row: &[u8]) {
        self.clear();
        self.go_on(row);
        self.finish(row.len());
    }

    /// Scans on to the end of the row or of the bytes at hand. True when the row has ended.
    fn go_on(&mut self, row: &[u8]) -> bool {
        while let Some(rest) = row.get(self.scanned..).filter(|rest| !rest.is_empty()) {
            // Most bytes mean nothing but themselves.
            let skipped = match self.state {
                State::Plain => memchr3(self.delimiter, b'\n', b'\r', rest),
                State::Quoted => memchr3(b'"', b'\n', b'\r', rest),
                State::CellStart | State::QuoteSeen | State::Return | State::End => Some(0),
            };
            let skipped = skipped.unwrap_or(rest.len());
            if skipped > 0 {
                self.previous = 0;
                self.scanned += skipped;
            }
            let Some(byte) = rest.get(skipped).copied() else {
                break;
            };
            if self.state == State::Return {
                // The LF of a CRLF is the row's last byte; anything else begins the next row.
                self.scanned += usize::from(byte == b'\n');
                self.state = State::End;
            }
            if self.state == State::End {
                return true;
            }
            self.step(byte);
            self.scanned += 1;
            if self.state == State::End {
                return true;
            }
        }
        false
    }

    #[inline]
    fn step(&mut self, byte: u8) {
        match self.state {
            State::CellStart if byte == b'"' => {
                self.is_quoted = true;
                self.state = State::Quoted;
            }
            State::Quoted => {
                if byte == b'"' {
                    self.state = State::QuoteSeen;
                } else if byte == b'\r' || (byte == b'\n' && self.previous != b'\r') {
                    self.line_ends += 1;
                }
                self.previous = byte;
            }
            State::QuoteSeen if byte == b'"' => {
                self.state = State::Quoted;
                self.previous = byte;
            }
            State::CellStart | State::Plain | State::QuoteSeen => {
                if byte == self.delimiter {
                    self.end_cell(self.scanned);
                    self.state = State::CellStart;
                } else if byte == b'\n' {
                    self.end_cell(self.scanned);
                    self.state = State::End;
                } else if byte == b'\r' {
                    self.end_cell(self.scanned);
                    self.state = State::Return;
                } else {
                    self.state = State::Plain;
                }
            }
            State::Return | State::End => {}
        }
    }

    fn end_cell(&mut self, end: usize) {
        self.bounds.push(Bounds {
            start: self.start,
            end,
            is_quoted: self.is_quoted,
        });
        self.start = end + 1;
        self.is_quoted = false;
    }

    /// The file has ended, and with it the row.
    fn finish(&mut self, length: usize) {
        if !matches!(self.state, State::Return | State::End) {
            self.end_cell(length);
        }
    }

    /// How many cells there are.
    pub(super) fn len(&self) -> usize {
        self.bounds.len()
    }

    /// Was the end of the file reached within quotes?
    pub(super) fn is_open(&self) -> bool {
        self.state == State::Quoted
    }

    /// Line ends within quoted cells.
    pub(super) fn inner_lines(&self) -> u64 {
        self.line_ends
    }

    /// The byte at which a cell's content begins, after its quote.
    pub(super) fn start_of(&self, cell: usize) -> usize {
        self.bounds
            .get(cell)
            .map_or(0, |bounds| bounds.start + usize::from(bounds.is_quoted))
    }

    /// The byte at which a cell ends, after its quote.
    pub(super) fn end_of(&self, cell: usize) -> usize {
        self.bounds.get(cell).map_or(0, |bounds| bounds.end)
    }

    /// A cell as it stands there, quotes and all.
    pub(super) fn raw<'a>(&self, row: &'a str, cell: usize) -> &'a str {
        let bounds = self.bounds.get(cell);
        bounds
            .and_then(|bounds| row.get(bounds.start..bounds.end))
            .unwrap_or_default()
    }

    /// Which cell a byte of the row belongs to.
    pub(super) fn cell_at(&self, byte: usize) -> usize {
        self.bounds.iter().take_while(|bounds| bounds.end < byte).count()
    }

    /// Where a quote was most likely forgotten: at the cell in which the file ended, else at the first cell that
    /// runs over several lines.
    pub(super) fn suspect_quote(&self, row: &[u8]) -> Option<usize> {
        let holds_break = |bounds: &&Bounds| {
            let cell = row.get(bounds.start..bounds.end).unwrap_or_default();
            bounds.is_quoted && cell.iter().any(|byte| matches!(byte, b'\n' | b'\r'))
        };
        let suspect = if self.is_open() {
            self.bounds.last()
        } else {
            self.bounds.iter().find(holds_break)
        };
        suspect.map(|bounds| bounds.start)
    }

    /// The cells' values, quotes taken off.
    pub(super) fn texts<'a>(&'a self, row: &'a str) -> impl Iterator<Item = Cow<'a, str>> {
        self.bounds.iter().map(move |bounds| {
            let text = row.get(bounds.start..bounds.end).unwrap_or_default();
            if bounds.is_quoted {
                unquote(text)
            } else {
                Cow::Borrowed(text)
            }
        })
    }
}

/// Takes the quotes off a cell. What follows the closing quote is kept, as spreadsheets do.
fn unquote(cell: &str) -> Cow<'_, str> {
    let mut rest = cell.strip_prefix('"').unwrap_or(cell);
    if let Some((inner, "")) = rest.split_once('"') {
        return Cow::Borrowed(inner);
    }
    let mut text = String::with_capacity(rest.len());
    while let Some((before, after)) = rest.split_once('"') {
        text.push_str(before);
        let Some(after) = after.strip_prefix('"') else {
            text.push_str(after);
            return Cow::Owned(text);
        };
        text.push('"');
        rest = after;
    }
    text.push_str(rest);
    Cow::Owned(text)
}

/// A row as it stands in the file.
pub(super) struct RawRow<'a> {
    pub(super) place: Place,
    /// The bytes, line end included.
    pub(super) bytes: &'a [u8],
    pub(super) cells: &'a Cells,
    /// Longer than [`ROW_MAX`]: only the first bytes are here.
    pub(super) is_cut: bool,
}

/// Reads a file row by row.
#[derive(Debug)]
pub(super) struct Splitter<R> {
    reader: R,
    buffer: Vec<u8>,
    /// Bytes at the front of the buffer that are done with.
    done: usize,
    offset: u64,
    line: u64,
    is_at_end: bool,
    cells: Cells,
}

impl<R: Read> Splitter<R> {
    /// Begins at a byte and a line of the file; the reader stands there.
    pub(super) fn new(reader: R, delimiter: u8, (offset, line): (u64, u64)) -> Self {
        Self {
            reader,
            buffer: Vec::with_capacity(2 * CHUNK),
            done: 0,
            offset,
            line,
            is_at_end: false,
            cells: Cells::new(delimiter),
        }
    }

    /// The byte and the line after the rows read so far.
    pub(super) fn position(&self) -> (u64, u64) {
        (self.offset, self.line)
    }

    /// The next row that is not a blank line.
    pub(super) fn next_row(&mut self) -> io::Result<Option<RawRow<'_>>> {
        self.skip_line_ends()?;
        self.cells.clear();
        let mut cut = 0_u64;
        loop {
            let row = self.buffer.get(self.done..).unwrap_or_default();
            if self.cells.go_on(row) {
                break;
            }
            if self.is_at_end {
                if row.is_empty() && cut == 0 {
                    return Ok(None);
                }
                self.cells.finish(row.len());
                break;
            }
            // Beyond the limit the bytes are still scanned, for the row's end, but not kept.
            let surplus = row.len().saturating_sub(ROW_MAX);
            if surplus > 0 {
                self.buffer.truncate(self.done + ROW_MAX);
                self.cells.scanned -= surplus;
                self.cells.bounds.truncate(1);
                cut += surplus as u64;
            }
            self.fill()?;
        }
        let length = if matches!(self.cells.state, State::Return | State::End) {
            self.cells.scanned
        } else {
            self.buffer.len() - self.done
        };
        let whole = length as u64 + cut;
        let place = Place {
            line: self.line,
            offset: self.offset,
            length: u32::try_from(whole).unwrap_or(u32::MAX),
        };
        let ended = u64::from(matches!(self.cells.state, State::Return | State::End));
        self.line += self.cells.line_ends + ended;
        self.offset += whole;
        let start = self.done;
        self.done += length;
        let bytes = self.buffer.get(start..self.done).unwrap_or_default();
        Ok(Some(RawRow {
            place,
            bytes,
            cells: &self.cells,
            is_cut: cut > 0,
        }))
    }

    fn skip_line_ends(&mut self) -> io::Result<()> {
        loop {
            while let Some(byte) = self.buffer.get(self.done).copied() {
                let next = self.buffer.get(self.done + 1).copied();
                let length = match (byte, next) {
                    (b'\r', Some(b'\n')) => 2,
                    // Whether an LF follows is not known yet.
                    (b'\r', None) if !self.is_at_end => break,
                    (b'\r' | b'\n', _) => 1,
                    _ => return Ok(()),
                };
                self.done += length;
                self.offset += length as u64;
                self.line += 1;
            }
            if self.is_at_end {
                return Ok(());
            }
            self.fill()?;
        }
    }

    fn fill(&mut self) -> io::Result<()> {
        self.buffer.drain(..self.done);
        self.done = 0;
        let held = self.buffer.len();
        self.buffer.resize(held + CHUNK, 0);
        let read = loop {
            match self.reader.read(self.buffer.get_mut(held..).unwrap_or_default()) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        self.buffer.truncate(held + read.as_ref().map_or(0, |read| *read));
        self.is_at_end = read? == 0;
        Ok(())
    }
}
