//! Step 1, who: turns the list file into recipients.
//!
//! [`Intake`] recognises the file and makes plain CSV of it; [`List::of`] reads what concerns the whole list (delimiter,
//! header); [`List::rows`] then streams the rows and judges each. Nothing is repaired silently: a row is used as it
//! stands, or it is a problem with its place. What to do about problems and duplicates is not decided here.

mod intake;
mod encoding;
mod workbook;
mod table;
mod attributes;
mod delimiter;
mod columns;
mod split;
mod check;
mod consent;
mod duplicates;
mod suspicious;

use std::fs::File;
use std::io::{Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, bail};
use csv::StringRecord;

use crate::campaign::{ListSettings, Problem, Problems, plain};
use crate::mail::{Columns, Place, Recipient};
use check::{Judged, Shape};
use consent::Consent;
pub use consent::Withheld;
use duplicates::{Duplicates, Finder, Other};
pub use intake::{Intake, Origin};
use split::{Cells, Splitter};

/// Rows looked through for a sample, and characters of it.
const SAMPLED: usize = 100;
const SAMPLE_LENGTH: usize = 60;

/// A list that has been opened and whose encoding, delimiter and header are known to be good.
#[derive(Clone, Debug)]
pub struct List {
    shape: Arc<Shape>,
    /// Keeps the plain text where it is.
    intake: Intake,
    /// Where the rows begin: the first byte and the line after the header.
    first: (u64, u64),
    /// Found when the rows are first wanted.
    duplicates: Arc<OnceLock<Arc<Duplicates>>>,
}

/// One row of a list, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A recipient.
    Usable(Recipient),
    /// A row that cannot be used.
    Rejected(Rejected),
    /// A person who, as the list itself says, is not to be mailed.
    Withheld {
        /// The person.
        recipient: Recipient,
        /// Which column says so; none when it is one of another row with the same address.
        column: Option<usize>,
        /// Why.
        why: Withheld,
    },
    /// A row whose address stood on an earlier row; that one counts.
    Duplicate {
        /// Where this row stands.
        place: Place,
        /// The line of the row that counts.
        first_line: u64,
        /// This row.
        recipient: Recipient,
    },
}

/// A row that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Where the row stands.
    pub place: Place,
    /// What is wrong with it.
    pub problem: Problem,
    /// The row as it stands, without its line end; cut off when it is absurdly long.
    pub raw: String,
}

impl List {
    /// Opens a list and reads its header.
    pub fn open(path: &Path, settings: &ListSettings) -> Result<Self, Problems> {
        Self::of(Intake::open(path, settings)?, settings)
    }

    /// Reads the header of a list.
    pub fn of(intake: Intake, settings: &ListSettings) -> Result<Self, Problems> {
        let path = &intake.path;
        let unreadable =
            |error: std::io::Error| Problem::with_file(path, format!("cannot be read: {}", plain(&error)));
        let mut file = File::open(intake.text()).map_err(unreadable)?;
        let sniffed = if intake.origin.encoding.is_some() {
            let start = encoding::bom_of(&file).map_err(unreadable)?;
            delimiter::sniff(&file, start).map_err(unreadable)?
        } else {
            delimiter::COMMAS
        };
        file.seek(SeekFrom::Start(sniffed.start)).map_err(unreadable)?;
        let mut splitter = Splitter::new(file, sniffed.delimiter, (sniffed.start, sniffed.line));
        let header = loop {
            let row = splitter.next_row().map_err(unreadable)?;
            let Some(row) = row else {
                return Err(intake::is_empty(path).into());
            };
            let text = std::str::from_utf8(row.bytes).unwrap_or_default();
            if row.is_cut || row.cells.is_open() {
                return Err(check::open_quote(path, &row, text).into());
            }
            let cells: Vec<String> = row.cells.texts(text).map(std::borrow::Cow::into_owned).collect();
            if cells.iter().any(|cell| !cell.trim().is_empty()) {
                break columns::Header {
                    path,
                    line: intake.numbering.row_of(row.place.line),
                    text: text.to_owned(),
                    cells,
                };
            }
        };
        let columns = header.read(settings.email_column.as_deref())?;
        let consent = if settings.ignores_consent {
            Consent::default()
        } else {
            Consent::find(&columns.headers)
        };
        let shape = Shape {
            path: path.clone(),
            columns,
            delimiter: sniffed.delimiter,
            numbering: intake.numbering.clone(),
            consent,
            is_fixing: settings.is_fixing,
        };
        Ok(Self {
            shape: Arc::new(shape),
            first: splitter.position(),
            intake,
            duplicates: Arc::default(),
        })
    }

    /// The list's file.
    pub fn path(&self) -> &Path {
        &self.shape.path
    }

    /// What the columns are called, and which holds the address.
    pub fn columns(&self) -> &Columns {
        &self.shape.columns
    }

    /// What stands between cells: `,`, `;`, `tab` or `|`; none in a workbook.
    pub fn delimiter(&self) -> Option<&'static str> {
        self.origin().encoding.map(|_| match self.shape.delimiter {
            b'\t' => "tab",
            b';' => ";",
            b'|' => "|",
            _ => ",",
        })
    }

    /// The first piece of text that is not ASCII, so that a wrong encoding is seen.
    pub fn sample(&self) -> Option<String> {
        let headers = self.columns().headers.join(", ");
        let rows = self.rows_as_they_are().ok()?.take(SAMPLED).flatten();
        let texts = rows.filter_map(|row| match row {
            Row::Usable(recipient) => Some(recipient.values.iter().collect::<Vec<_>>().join(", ")),
            _ => None,
        });
        let telling = std::iter::once(headers)
            .chain(texts)
            .find(|text| !text.is_ascii())?;
        Some(telling.chars().take(SAMPLE_LENGTH).collect())
    }

    /// What the list came as.
    pub fn origin(&self) -> &Origin {
        &self.intake.origin
    }

    /// What the list says against mailing somebody: "`Accepts Email Marketing` is `no`".
    pub fn why_withheld(&self, recipient: &Recipient, column: Option<usize>) -> String {
        let header = column.and_then(|column| self.columns().headers.get(column));
        let cell = column.and_then(|column| recipient.values.get(column));
        match (header, cell.map(str::trim)) {
            (Some(header), Some("")) => format!("`{header}` is empty"),
            (Some(header), Some(cell)) => format!("`{header}` is `{cell}`"),
            _ => "another row of this address says so".to_owned(),
        }
    }

    /// Every row in the order of the file. Memory does not grow with the list, but with the number of duplicates.
    pub fn rows(&self) -> anyhow::Result<Rows> {
        Ok(Rows {
            duplicates: self.duplicates()?,
            ..self.rows_as_they_are()?
        })
    }

    /// Reads the list through, the first time.
    fn duplicates(&self) -> anyhow::Result<Arc<Duplicates>> {
        if let Some(found) = self.duplicates.get() {
            return Ok(Arc::clone(found));
        }
        let unsorted = || {
            format!(
                "find the duplicates of {} with a temporary file in {} (TMPDIR says where)",
                self.path().display(),
                std::env::temp_dir().display()
            )
        };
        let mut rows = self.rows_as_they_are()?;
        let mut finder = Finder::default();
        while let Some(row) = rows.next() {
            let (recipient, added) = match row? {
                Row::Usable(recipient) => {
                    let added = finder.add(&recipient.address, recipient.place.line);
                    (recipient, added)
                }
                Row::Withheld { recipient, .. } => {
                    let added = finder.add_withheld(&recipient.address);
                    (recipient, added)
                }
                Row::Rejected(_) | Row::Duplicate { .. } => continue,
            };
            added.with_context(unsorted)?;
            rows.take_back([recipient]);
        }
        let found = Arc::new(finder.finish().with_context(unsorted)?);
        Ok(Arc::clone(self.duplicates.get_or_init(|| found)))
    }

    /// Every row, each judged by itself.
    fn rows_as_they_are(&self) -> anyhow::Result<Rows> {
        let path = self.path().display();
        let mut file = File::open(self.intake.text()).with_context(|| format!("open the list {path}"))?;
        file.seek(SeekFrom::Start(self.first.0))
            .with_context(|| format!("read the list {path}"))?;
        Ok(Rows {
            shape: Arc::clone(&self.shape),
            splitter: Splitter::new(file, self.shape.delimiter, self.first),
            duplicates: Arc::default(),
            spare: Vec::new(),
            is_over: false,
        })
    }

    /// A reader for single rows of this list, whose bytes must not have changed since they were streamed.
    pub fn row_reader(&self) -> anyhow::Result<RowReader> {
        let path = self.path();
        let file =
            File::open(self.intake.text()).with_context(|| format!("open the list {}", path.display()))?;
        Ok(RowReader {
            shape: Arc::clone(&self.shape),
            file: Arc::new(file),
        })
    }
}

/// The rows of a list, judged one by one. An `Err` is trouble with the file, not with a row; it is the last item.
#[derive(Debug)]
pub struct Rows {
    shape: Arc<Shape>,
    splitter: Splitter<File>,
    duplicates: Arc<Duplicates>,
    /// Rows that are done with: the next ones are read into their memory.
    spare: Vec<StringRecord>,
    is_over: bool,
}

impl Rows {
    /// Takes back recipients that are done with. Else each row would be allocated by the thread that reads and freed
    /// by one that renders, which makes allocators wait for each other.
    pub fn take_back(&mut self, recipients: impl IntoIterator<Item = Recipient>) {
        self.spare
            .extend(recipients.into_iter().map(|recipient| recipient.values));
    }

    fn read(&mut self) -> anyhow::Result<Option<Row>> {
        let path = &self.shape.path;
        loop {
            let row = self
                .splitter
                .next_row()
                .with_context(|| format!("read the list {}", path.display()))?;
            let Some(mut row) = row else { return Ok(None) };
            row.place.line = self.shape.numbering.row_of(row.place.line);
            let values = self.spare.pop().unwrap_or_default();
            let Some(judged) = self.shape.judge(&row, values)? else {
                continue;
            };
            let recipient = match judged {
                Judged::Usable(recipient) => recipient,
                Judged::Rejected(rejected) => return Ok(Some(Row::Rejected(*rejected))),
                Judged::Withheld(recipient, column, why) => {
                    return Ok(Some(Row::Withheld {
                        recipient,
                        column: Some(column),
                        why,
                    }));
                }
            };
            let place = recipient.place;
            return Ok(Some(match self.duplicates.other(place.line) {
                Some(Other::First(first_line)) => Row::Duplicate {
                    place,
                    first_line,
                    recipient,
                },
                Some(Other::Withheld) => Row::Withheld {
                    recipient,
                    column: None,
                    why: Withheld::NoConsent,
                },
                None => Row::Usable(recipient),
            }));
        }
    }
}

impl Iterator for Rows {
    type Item = anyhow::Result<Row>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let row = self.read().transpose();
        self.is_over = !matches!(row, Some(Ok(_)));
        row
    }
}

/// Reads single rows again by their place. Cheap to clone; clones share one open file, from any thread.
#[derive(Clone, Debug)]
pub struct RowReader {
    shape: Arc<Shape>,
    file: Arc<File>,
}

impl RowReader {
    /// The recipient at a place that [`List::rows`] gave for it.
    pub fn read(&self, place: Place) -> anyhow::Result<Recipient> {
        let at = || {
            format!(
                "read line {} of the list {} again",
                place.line,
                self.shape.path.display()
            )
        };
        let length = usize::try_from(place.length).with_context(at)?;
        let mut bytes = vec![0; length];
        self.file
            .read_exact_at(&mut bytes, place.offset)
            .with_context(at)?;
        let mut cells = Cells::new(self.shape.delimiter);
        cells.scan(&bytes);
        let row = split::RawRow {
            place,
            bytes: &bytes,
            cells: &cells,
            is_cut: false,
        };
        match self.shape.judge(&row, StringRecord::new()).with_context(at)? {
            Some(Judged::Usable(recipient)) => Ok(recipient),
            Some(_) | None => bail!("{}: the list has changed meanwhile", at()),
        }
    }
}

/// A path's last part, as users call the file.
fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests;
