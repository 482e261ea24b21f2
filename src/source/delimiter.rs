//! Finds out what stands between the cells of a list: spreadsheets write commas, semicolons or tabs, by country.

use std::cmp::Reverse;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use super::columns::names_address;

/// What may stand between cells; of two that fit equally well, the first is taken.
const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];
/// Bytes looked at.
const SAMPLE: usize = 1 << 16;
/// Rows looked at, besides the header.
const ROWS: usize = 20;

/// Rows of a title above the header at most.
pub(super) const TITLE_ROWS: usize = 5;

/// What is known before the header is read.
pub(super) struct Sniffed {
    pub(super) delimiter: u8,
    /// Where the header begins.
    pub(super) start: u64,
    /// The line it begins on.
    pub(super) line: u64,
}

/// Of text that was written here.
pub(super) const COMMAS: Sniffed = Sniffed {
    delimiter: b',',
    start: 0,
    line: 1,
};

/// A delimiter as it is shown: one cannot see a tab.
pub(super) fn shown(delimiter: u8) -> &'static str {
    match delimiter {
        b'\t' => "tab",
        b';' => ";",
        b'|' => "|",
        _ => ",",
    }
}

/// Looks at the first rows, from this byte on.
pub(super) fn sniff(file: &File, start: u64) -> io::Result<Sniffed> {
    let mut sample = vec![0; SAMPLE];
    let mut length = 0;
    while let Some(free) = sample.get_mut(length..).filter(|free| !free.is_empty()) {
        match file.read_at(free, start + length as u64)? {
            0 => break,
            read => length += read,
        }
    }
    sample.truncate(length);
    if let Some((delimiter, length)) = excel_directive(&sample) {
        return Ok(Sniffed {
            delimiter,
            start: start + length as u64,
            line: 2,
        });
    }
    let is_whole = length < SAMPLE;
    // Of equals the last is taken, so the list is read from its end.
    let delimiter = CANDIDATES
        .into_iter()
        .rev()
        .max_by_key(|delimiter| score(&sample, *delimiter, is_whole));
    let delimiter = delimiter.unwrap_or(b',');
    Ok(Sniffed {
        delimiter,
        start,
        line: 1,
    })
}

/// Excel reads and writes a first line `sep=;`, which names the delimiter and is not a row.
fn excel_directive(sample: &[u8]) -> Option<(u8, usize)> {
    // Some programs put quotes around it.
    let bare = sample.strip_prefix(b"\"").unwrap_or(sample);
    let quotes = sample.len() - bare.len();
    let (word, rest) = bare.split_at_checked("sep=".len())?;
    let (delimiter, rest) = rest.split_first()?;
    let rest = if quotes > 0 {
        rest.strip_prefix(b"\"")?
    } else {
        rest
    };
    let line_end = match rest {
        [b'\r', b'\n', ..] => 2,
        [b'\r' | b'\n', ..] => 1,
        _ => return None,
    };
    let is_directive = word.eq_ignore_ascii_case(b"sep=") && CANDIDATES.contains(delimiter);
    is_directive.then_some((*delimiter, "sep=;".len() + 2 * quotes + line_end))
}

/// How well a delimiter fits; the greatest wins.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Score {
    /// Is there a cell that names the address?
    has_address: bool,
    /// Of a thousand rows, those with as many cells as the header; 0 when the header has but one cell.
    alike: usize,
    /// Cells with a quote in them, as a wrong delimiter leaves them.
    quotes: Reverse<usize>,
    cells: usize,
}

fn score(sample: &[u8], delimiter: u8, is_whole: bool) -> Score {
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(sample);
    let mut rows: Vec<csv::ByteRecord> = reader.byte_records().take(ROWS + 2).flatten().collect();
    if !is_whole && rows.len() < ROWS + 2 {
        // The last row was cut off by the end of the sample.
        rows.pop();
    }
    // A title may stand above the header.
    let names_address = |row: &csv::ByteRecord| {
        let mut cells = row.iter().filter_map(|cell| std::str::from_utf8(cell).ok());
        cells.any(names_address)
    };
    let header = rows.iter().take(TITLE_ROWS + 1).position(names_address);
    rows.drain(..header.unwrap_or_default());
    let cells = rows.first().map_or(0, csv::ByteRecord::len);
    let quotes = rows.iter().flatten().filter(|cell| cell.contains(&b'"')).count();
    let alike = rows.iter().filter(|row| row.len() == cells).count();
    let alike = if cells > 1 { alike * 1000 / rows.len() } else { 0 };
    Score {
        has_address: header.is_some(),
        alike,
        quotes: Reverse(if cells > 1 { quotes } else { 0 }),
        cells,
    }
}
