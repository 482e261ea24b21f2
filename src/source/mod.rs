//! Step 1, who: turns the list file into recipients.
//!
//! [`List::open`] checks what concerns the whole file (encoding, delimiter, header); [`List::rows`] then streams
//! the rows and judges each. Nothing is repaired silently: a row is used as it stands, or it is a problem with
//! its place. What to do about problems and duplicates is not decided here.

mod check;
mod columns;
mod delimiter;
mod duplicates;
mod encoding;
mod split;

use std::fs::File;
use std::io::{Seek as _, SeekFrom};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use anyhow::{Context as _, bail};
use csv::StringRecord;

use crate::campaign::{Problem, Problems, plain};
use crate::mail::{Columns, Place, Recipient};
use check::Shape;
use duplicates::{Duplicates, Finder};
use split::{Cells, Splitter};

/// A list that has been opened and whose encoding, delimiter and header are known to be good.
#[derive(Clone, Debug)]
pub struct List {
    shape: Arc<Shape>,
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
    /// Opens a list and reads its header. `email_column` is a header or a variable name, and settles which column
    /// holds the addresses.
    pub fn open(path: &Path, email_column: Option<&str>) -> Result<Self, Problems> {
        let unreadable =
            |error: &std::io::Error| Problem::with_file(path, format!("cannot be read: {}", plain(error)));
        let mut file = File::open(path).map_err(|error| unreadable(&error))?;
        let start = encoding::check(path, &file)?;
        let sniffed = delimiter::sniff(&file, start).map_err(|error| unreadable(&error))?;
        file.seek(SeekFrom::Start(sniffed.start))
            .map_err(|error| unreadable(&error))?;
        let mut splitter = Splitter::new(file, sniffed.delimiter, (sniffed.start, sniffed.line));
        let header = loop {
            let row = splitter.next_row().map_err(|error| unreadable(&error))?;
            let Some(row) = row else {
                return Err(Problem::with_file(path, "this list is empty")
                    .hint("its first row names the columns, each further row is a person")
                    .into());
            };
            let text = std::str::from_utf8(row.bytes).unwrap_or_default();
            if row.is_cut || row.cells.is_open() {
                return Err(check::open_quote(path, &row, text).into());
            }
            let cells: Vec<String> = row.cells.texts(text).map(std::borrow::Cow::into_owned).collect();
            if cells.iter().any(|cell| !cell.trim().is_empty()) {
                break columns::Header {
                    path,
                    line: row.place.line,
                    text: text.to_owned(),
                    cells,
                };
            }
        };
        let columns = header.read(email_column)?;
        let shape = Shape {
            path: path.to_owned(),
            columns,
            delimiter: sniffed.delimiter,
        };
        Ok(Self {
            shape: Arc::new(shape),
            first: splitter.position(),
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

    /// The byte between cells.
    pub fn delimiter(&self) -> u8 {
        self.shape.delimiter
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
            if let Row::Usable(recipient) = row? {
                finder
                    .add(&recipient.address, recipient.place.line)
                    .with_context(unsorted)?;
                rows.take_back([recipient]);
            }
        }
        let found = Arc::new(finder.finish().with_context(unsorted)?);
        Ok(Arc::clone(self.duplicates.get_or_init(|| found)))
    }

    /// Every row, each judged by itself.
    fn rows_as_they_are(&self) -> anyhow::Result<Rows> {
        let path = self.path().display();
        let mut file = File::open(self.path()).with_context(|| format!("open the list {path}"))?;
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
        let file = File::open(path).with_context(|| format!("open the list {}", path.display()))?;
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
            let Some(row) = row else { return Ok(None) };
            let values = self.spare.pop().unwrap_or_default();
            let Some(judged) = self.shape.judge(&row, values)? else {
                continue;
            };
            let recipient = match judged {
                Ok(recipient) => recipient,
                Err(rejected) => return Ok(Some(Row::Rejected(*rejected))),
            };
            let place = recipient.place;
            return Ok(Some(match self.duplicates.first_line(place.line) {
                Some(first_line) => Row::Duplicate {
                    place,
                    first_line,
                    recipient,
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
            Some(Ok(recipient)) => Ok(recipient),
            Some(Err(_)) | None => bail!("{}: the list has changed meanwhile", at()),
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
