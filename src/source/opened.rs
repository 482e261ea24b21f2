//! Reads a list as far as its header, and counts what stands behind it.

use std::borrow::Cow;
use std::fs::File;
use std::io::{Seek as _, SeekFrom};
use std::path::Path;

use super::split::Splitter;
use super::{Intake, check, columns, delimiter, encoding, intake};
use crate::campaign::{Problem, Problems, plain};
use crate::mail::{Address, Columns};
use crate::text;
use crate::words::Text;

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
        let unreadable = |error: std::io::Error| {
            Problem::with_file(path, text!("cannot be read: {error}", error = plain(&error)))
        };
        let mut file = File::open(intake.text()).map_err(unreadable)?;
        let sniffed = if intake.origin.is_text() {
            let start = encoding::bom_of(&file).map_err(unreadable)?;
            delimiter::sniff(&file, start).map_err(unreadable)?
        } else {
            delimiter::COMMAS
        };
        file.seek(SeekFrom::Start(sniffed.start)).map_err(unreadable)?;
        let mut opened = Self {
            splitter: Splitter::new(file, sniffed.delimiter, (sniffed.start, sniffed.line)),
            delimiter: sniffed.delimiter,
            line: 0,
            text: String::new(),
            cells: Vec::new(),
        };
        if opened.next_row(path)? {
            Ok(opened)
        } else {
            Err(intake::is_empty(path))
        }
    }

    /// Takes the next row that is not blank for the header; false when there is none.
    fn next_row(&mut self, path: &Path) -> Result<bool, Problem> {
        let unreadable = |error: std::io::Error| {
            Problem::with_file(path, text!("cannot be read: {error}", error = plain(&error)))
        };
        loop {
            let Some(row) = self.splitter.next_row().map_err(unreadable)? else {
                return Ok(false);
            };
            let text = std::str::from_utf8(row.bytes).unwrap_or_default();
            if let Some(problem) = check::wrong_quote(path, &row, text) {
                return Err(problem);
            }
            let cells: Vec<String> = row.cells.texts(text).map(Cow::into_owned).collect();
            if cells.iter().any(|cell| !cell.trim().is_empty()) {
                (self.line, self.text, self.cells) = (row.place.line, text.to_owned(), cells);
                return Ok(true);
            }
        }
    }

    /// Names the columns and finds the address. The header may stand below a title; then a sentence says so.
    pub(super) fn columns(
        &mut self,
        intake: &Intake,
        email_column: Option<&str>,
    ) -> Result<(Columns, Option<Text>), Problems> {
        let first = match self.header(intake).read(email_column) {
            Ok(columns) => return Ok((columns, None)),
            Err(problems) => problems,
        };
        let names_address = |cell: &String| match email_column {
            Some(wanted) => columns::variable(cell) == columns::variable(wanted),
            None => columns::names_address(cell),
        };
        let title = self.text.trim().to_owned();
        let mut is_title = self.is_title();
        // What is wrong is wrong with the header, or there is none.
        if self
            .cells
            .iter()
            .any(|cell| names_address(cell) || Address::parse(cell).is_ok())
        {
            return Err(first);
        }
        for _ in 0..delimiter::TITLE_ROWS {
            if !matches!(self.next_row(&intake.path), Ok(true)) {
                break;
            }
            if !self.cells.iter().any(names_address) {
                is_title &= self.is_title();
                continue;
            }
            let line = intake.numbering.row_of(self.line);
            if is_title && !self.is_title() {
                let note = if intake.origin.is_text() {
                    text!(
                        "the header is in line {line}; the title above it was left out: `{title}`",
                        line,
                        title
                    )
                } else {
                    text!(
                        "the header is in row {line}; the title above it was left out: `{title}`",
                        line,
                        title
                    )
                };
                return Ok((self.header(intake).read(email_column)?, Some(note)));
            }
            let what = text!("this row looks like the header, and it is not the first");
            return Err(Problem::at(&intake.path, line, 1, what)
                .source(self.text.trim_end(), 1)
                .hint(text!("take out the rows above it"))
                .into());
        }
        Err(first)
    }

    /// Has it one cell with text at most, and that no address?
    fn is_title(&self) -> bool {
        let mut filled = self.cells.iter().filter(|cell| !cell.trim().is_empty());
        filled.next().is_none_or(|cell| Address::parse(cell).is_err()) && filled.next().is_none()
    }

    fn header<'a>(&'a self, intake: &'a Intake) -> columns::Header<'a> {
        columns::Header {
            path: &intake.path,
            line: intake.numbering.row_of(self.line),
            text: self.text.clone(),
            cells: self.cells.clone(),
            own: intake.added.map_or(self.cells.len(), |added| added.own),
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
    /// A row that cannot be told from the next.
    pub problem: Option<Problem>,
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
    let mut problem = None;
    while let Some(row) = opened.splitter.next_row()? {
        let text = if row.is_cut {
            // The cut may have gone through a character.
            std::str::from_utf8(row.bytes).unwrap_or_default()
        } else {
            std::str::from_utf8(row.bytes)?
        };
        if let Some(found) = check::wrong_quote(&intake.path, &row, text) {
            problem.get_or_insert(found);
            rows += 1;
            continue;
        }
        let cells: Vec<Cow<'_, str>> = row.cells.texts(text).collect();
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
        problem,
    })
}
