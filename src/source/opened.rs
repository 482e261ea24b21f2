//! Reads a list as far as its header, and counts what stands behind it.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Seek as _, SeekFrom};

use super::split::Splitter;
use super::{Intake, check, columns, delimiter, encoding, intake};
use crate::campaign::{Problem, Problems, plain};

/// A list of which nothing but the header was read.
pub(super) struct Opened {
    /// Stands behind the header.
    pub(super) splitter: Splitter<File>,
    pub(super) delimiter: u8,
    /// The header's line, its text and its cells.
    pub(super) line: u64,
    pub(super) text: String,
    cells: Vec<String>,
}

impl Opened {
    pub(super) fn read(intake: &Intake) -> Result<Self, Problem> {
        let path = &intake.path;
        let unreadable =
            |error: std::io::Error| Problem::with_file(path, format!("cannot be read: {}", plain(&error)));
        let mut file = File::open(intake.text()).map_err(unreadable)?;
        let sniffed = if intake.origin.is_text() {
            let start = encoding::bom_of(&file).map_err(unreadable)?;
            delimiter::sniff(&file, start).map_err(unreadable)?
        } else {
            delimiter::COMMAS
        };
        file.seek(SeekFrom::Start(sniffed.start)).map_err(unreadable)?;
        let mut splitter = Splitter::new(file, sniffed.delimiter, (sniffed.start, sniffed.line));
        loop {
            let row = splitter.next_row().map_err(unreadable)?;
            let Some(row) = row else {
                return Err(intake::is_empty(path));
            };
            let text = std::str::from_utf8(row.bytes).unwrap_or_default();
            if row.is_cut || row.cells.is_open() {
                return Err(check::open_quote(path, &row, text));
            }
            let cells: Vec<String> = row.cells.texts(text).map(Cow::into_owned).collect();
            if cells.iter().any(|cell| !cell.trim().is_empty()) {
                let (line, text) = (row.place.line, text.to_owned());
                return Ok(Self {
                    splitter,
                    delimiter: sniffed.delimiter,
                    line,
                    text,
                    cells,
                });
            }
        }
    }

    pub(super) fn header<'a>(&'a self, intake: &'a Intake) -> columns::Header<'a> {
        columns::Header {
            path: &intake.path,
            line: intake.numbering.row_of(self.line),
            text: self.text.clone(),
            cells: self.cells.clone(),
        }
    }
}

/// What can be said of a list whose columns nobody has understood yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// The cells of the first row that is not blank.
    pub headers: Vec<String>,
    /// What stands between cells, as [`super::List::delimiter`] says it.
    pub delimiter: Option<&'static str>,
    /// Every further row that is not blank.
    pub rows: u64,
}

/// Reads through a list without judging anything; `each` gets the header and every row that is not blank.
pub fn survey(
    intake: &Intake,
    mut each: impl FnMut(&[Cow<'_, str>]) -> anyhow::Result<()>,
) -> anyhow::Result<Survey> {
    let mut opened = Opened::read(intake).map_err(Problems::from)?;
    let header: Vec<Cow<'_, str>> = opened
        .cells
        .iter()
        .map(|cell| Cow::Borrowed(cell.as_str()))
        .collect();
    each(&header)?;
    let mut rows = 0;
    while let Some(row) = opened.splitter.next_row()? {
        let cells: Vec<Cow<'_, str>> = row.cells.texts(std::str::from_utf8(row.bytes)?).collect();
        if cells.iter().any(|cell| !cell.trim().is_empty()) {
            rows += 1;
            each(&cells)?;
        }
    }
    Ok(Survey {
        headers: opened.cells.iter().map(|cell| cell.trim().to_owned()).collect(),
        delimiter: intake
            .origin
            .is_text()
            .then(|| delimiter::shown(opened.delimiter)),
        rows,
    })
}
