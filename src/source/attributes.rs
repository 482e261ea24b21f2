//! Columns of JSON, as listmonk (`attributes`) and Keila (`Data`) keep what else they know of a person: each key becomes
//! a column of its own, behind the others, so that `{{city}}` can be written in a template.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write};
use std::path::Path;

use serde_json::value::RawValue;

use super::columns::{bare, variable};
use super::delimiter::{self, Sniffed};
use super::encoding;
use super::split::{RawRow, Splitter};
use super::table::{Numbering, line_ends};

/// Headers of such columns, as [`bare`] gives them.
const HEADERS: [&str; 5] = [
    "attributes",
    "attribs",
    "data",
    "extraattributes",
    "customattributes",
];

/// A list with a column of JSON.
pub(super) struct Attributes {
    sniffed: Sniffed,
    /// Cells in the header.
    width: usize,
    column: usize,
    /// The keys of all rows, and the headers that they get.
    keys: Vec<(String, String)>,
}

/// Columns that stand behind those of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Added {
    /// How many the file has of its own.
    pub(super) own: usize,
    /// The column that holds what was added.
    pub(super) column: usize,
}

/// What stands in a cell of JSON. Values are kept as they are written: an order number may be longer than any number
/// of the computer's, and `1.10` is no `1.1`.
type Object = BTreeMap<String, Box<RawValue>>;

impl Attributes {
    /// Looks whether the plain text at this path has such a column, and if so, for all its keys.
    pub(super) fn find(text: &Path) -> io::Result<Option<Self>> {
        let file = File::open(text)?;
        let start = encoding::bom_of(&file)?;
        let sniffed = delimiter::sniff(&file, start)?;
        let mut splitter = splitter(file, &sniffed)?;
        let mut headers: Vec<String> = Vec::new();
        while headers.iter().all(|header| header.trim().is_empty()) {
            let Some(row) = splitter.next_row()? else {
                return Ok(None);
            };
            headers = cells(&row).map(Cow::into_owned).collect();
        }
        let Some(column) = headers
            .iter()
            .position(|header| HEADERS.contains(&bare(header).as_str()))
        else {
            return Ok(None);
        };
        let mut keys = BTreeSet::new();
        let (mut good, mut bad) = (0_u64, 0_u64);
        while let Some(row) = splitter.next_row()? {
            let Some(cell) = cells(&row).nth(column) else {
                continue;
            };
            if cell.trim().is_empty() {
                continue;
            }
            match serde_json::from_str::<Object>(&cell) {
                Ok(object) => {
                    good += 1;
                    keys.extend(object.into_keys());
                }
                Err(_) => bad += 1,
            }
        }
        if bad > good {
            // It is called so, and holds something else.
            return Ok(None);
        }
        let mut taken: Vec<String> = headers.iter().map(|header| variable(header)).collect();
        let mut named = |key: String| {
            let is_taken = taken.contains(&variable(&key)) || variable(&key).is_empty();
            let header = if is_taken {
                format!("attributes_{key}")
            } else {
                key.clone()
            };
            // Templates do not tell `City` from `city`.
            taken.push(variable(&header));
            (key, header)
        };
        let keys: Vec<(String, String)> = keys.into_iter().map(&mut named).collect();
        Ok((!keys.is_empty()).then_some(Self {
            sniffed,
            width: headers.len(),
            column,
            keys,
        }))
    }

    /// The headers of the new columns.
    pub(super) fn headers(&self) -> impl Iterator<Item = &str> {
        self.keys.iter().map(|(_, header)| header.as_str())
    }

    /// Where the new columns stand.
    pub(super) fn added(&self) -> Added {
        Added {
            own: self.width,
            column: self.column,
        }
    }

    /// Writes the text with the new columns, and says where its rows stood. Columns that were there keep their places.
    /// Rows to which nothing can be added stay as they are, and so have too few cells.
    pub(super) fn write(&self, text: &Path, out: &mut impl Write) -> io::Result<Numbering> {
        let mut numbering = Numbering::default();
        let mut splitter = splitter(File::open(text)?, &self.sniffed)?;
        let mut is_header = true;
        // The next line of the old text, and of the new one.
        let (mut line, mut now) = (1, 1);
        if self.sniffed.line == 2 {
            writeln!(out, "sep={}", char::from(self.sniffed.delimiter))?;
            (line, now) = (2, 2);
        }
        while let Some(row) = splitter.next_row()? {
            // Blank lines count.
            for _ in line..row.place.line {
                out.write_all(b"\n")?;
                now += 1;
            }
            numbering.note(now, row.place.line);
            line = row.place.line + row.cells.inner_lines() + 1;
            now += row.cells.inner_lines() + 1;
            let is_blank = is_header && cells(&row).all(|cell| cell.trim().is_empty());
            let values = if is_blank {
                None
            } else {
                self.values(&row, is_header)
            };
            let own = match &values {
                // Cells without a header may follow, if they are blank.
                Some(_) => row
                    .bytes
                    .get(..row.cells.end_of(self.width - 1))
                    .unwrap_or_default(),
                None => without_line_end(row.bytes),
            };
            out.write_all(own)?;
            is_header &= is_blank;
            for value in values.iter().flatten() {
                now += line_ends(value);
                let quoted = value.replace('"', "\"\"");
                write!(out, "{}\"{quoted}\"", char::from(self.sniffed.delimiter))?;
            }
            if values.is_none() && row.cells.len() == self.width + self.keys.len() {
                // Its cells must not pass for those that are added.
                out.write_all(&[self.sniffed.delimiter])?;
            }
            out.write_all(b"\n")?;
        }
        Ok(numbering)
    }

    /// What is added to a row; none when it has the wrong number of cells, or the cell is no JSON.
    fn values(&self, row: &RawRow<'_>, is_header: bool) -> Option<Vec<String>> {
        let has_surplus = cells(row).skip(self.width).any(|cell| !cell.trim().is_empty());
        if row.cells.len() < self.width || has_surplus {
            return None;
        }
        if is_header {
            return Some(self.headers().map(str::to_owned).collect());
        }
        let cell = cells(row).nth(self.column).unwrap_or_default();
        let object = match cell.trim() {
            "" => Object::new(),
            cell => serde_json::from_str(cell).ok()?,
        };
        let values = self
            .keys
            .iter()
            .map(|(key, _)| shown(object.get(key).map(|value| value.get())));
        Some(values.collect())
    }
}

fn splitter(mut file: File, sniffed: &Sniffed) -> io::Result<Splitter<File>> {
    file.seek(SeekFrom::Start(sniffed.start))?;
    Ok(Splitter::new(
        file,
        sniffed.delimiter,
        (sniffed.start, sniffed.line),
    ))
}

/// A row's cells; none when it is not text.
fn cells<'a>(row: &'a RawRow<'a>) -> impl Iterator<Item = Cow<'a, str>> {
    row.cells
        .texts(std::str::from_utf8(row.bytes).unwrap_or_default())
}

fn without_line_end(row: &[u8]) -> &[u8] {
    let row = row.strip_suffix(b"\n").unwrap_or(row);
    row.strip_suffix(b"\r").unwrap_or(row)
}

/// Text as it is; anything else as it is written.
fn shown(value: Option<&str>) -> String {
    match value {
        None | Some("null") => String::new(),
        Some(value) => serde_json::from_str::<String>(value).unwrap_or_else(|_no_text| value.to_owned()),
    }
}
