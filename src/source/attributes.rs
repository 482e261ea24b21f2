//! Columns of JSON, as listmonk (`attributes`) and Keila (`Data`) keep what else they know of a person: each key becomes
//! a column of its own, behind the others, so that `{{city}}` can be written in a template.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Seek as _, SeekFrom, Write};
use std::path::Path;

use serde_json::{Map, Value};

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
        while let Some(row) = splitter.next_row()? {
            let Some(cell) = cells(&row).nth(column) else {
                continue;
            };
            if cell.trim().is_empty() {
                continue;
            }
            match serde_json::from_str::<Map<String, Value>>(&cell) {
                Ok(object) => keys.extend(object.into_iter().map(|(key, _)| key)),
                // It is called so, and holds something else.
                Err(_) => return Ok(None),
            }
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

    /// Writes the text with the new columns, and says where its rows stood. Columns that were there keep their places.
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
            out.write_all(without_line_end(row.bytes))?;
            let cell = cells(&row).nth(self.column).unwrap_or_default();
            let is_blank = is_header && cells(&row).all(|cell| cell.trim().is_empty());
            if row.cells.len() == self.width && !is_blank {
                let object: Map<String, Value> = serde_json::from_str(&cell).unwrap_or_default();
                for (key, header) in &self.keys {
                    let value = if is_header {
                        header.clone()
                    } else {
                        shown(object.get(key))
                    };
                    now += line_ends(&value);
                    let quoted = value.replace('"', "\"\"");
                    write!(out, "{}\"{quoted}\"", char::from(self.sniffed.delimiter))?;
                }
                is_header = false;
            }
            out.write_all(b"\n")?;
        }
        Ok(numbering)
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

/// Text as it is; anything nested as JSON.
fn shown(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
    }
}
