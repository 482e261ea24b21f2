//! Step 1, who: turns the list file into recipients.
//!
//! [`Intake`] recognises the file and makes plain CSV of it; [`List::of`] reads what concerns the whole list (delimiter,
//! header); [`List::rows`] then streams the rows and judges each. Nothing is repaired silently: a row is used as it
//! stands, or it is a problem with its place. What to do about problems and duplicates is not decided here.

mod intake;
mod encoding;
mod lines;
mod looks;
mod workbook;
mod opendocument;
mod page;
mod table;
mod attributes;
mod delimiter;
mod opened;
mod columns;
mod split;
mod check;
mod reader;
mod row;
mod consent;
mod duplicates;
mod filter;
mod segment;
mod suspicious;

use std::fs::File;
use std::io::{Seek as _, SeekFrom};
use std::path::Path;
use std::sync::{Arc, OnceLock};

use anyhow::Context as _;
use csv::StringRecord;

use crate::campaign::list::Consent as ConsentPolicy;
use crate::campaign::{ListSettings, Problem, Problems};
use crate::mail::{Address, Columns, Recipient};
use crate::text;
use crate::words::Text;
use check::{Judged, Shape};
use consent::Consent;
pub use consent::{Refusal, Withheld};
use duplicates::{Duplicates, Finder, Other};
pub use intake::{Intake, Origin};
use opened::Opened;
pub use opened::{Survey, survey};
pub use reader::RowReader;
pub use row::{Rejected, Row};
pub use segment::NotMeant;
use segment::{Segment, Smallest};
use split::Splitter;
pub use suspicious::suspect;

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
    segment: Arc<Segment>,
    /// Found when the rows are first wanted.
    known: Arc<OnceLock<Arc<Known>>>,
}

/// What can only be known of a row when all have been read.
#[derive(Debug, Default)]
struct Known {
    duplicates: Duplicates,
    /// The greatest lot that a sample of so many people takes.
    greatest: Option<u64>,
}

impl List {
    /// Opens a list and reads its header.
    pub fn open(path: &Path, settings: &ListSettings) -> Result<Self, Problems> {
        Self::of(Intake::open(path, settings)?, settings)
    }

    /// Reads the header of a list.
    pub fn of(mut intake: Intake, settings: &ListSettings) -> Result<Self, Problems> {
        let mut opened = Opened::read(&intake)?;
        let (columns, note) = opened.columns(&intake, settings.email_column.as_deref())?;
        intake.origin.notes.extend(note);
        let wants_consent = settings.consent == ConsentPolicy::Wanted;
        let consent = match settings.consent {
            ConsentPolicy::Ignored => Consent::default(),
            ConsentPolicy::Honoured | ConsentPolicy::Wanted => Consent::find(&columns.headers, wants_consent),
        };
        if wants_consent && !consent.tells_who_agreed() {
            let what = text!("no column says who has agreed, which `laws` with \"eu\" or \"ca\" wants");
            return Err(Problem::at(&intake.path, opened.line, 1, what)
                .source(opened.text.trim_end(), 1)
                .hint(text!("add a column `consent`, or say why they may be mailed: `legal_basis = \"soft-opt-in\"` in the campaign"))
                .into());
        }
        let in_head = settings.head_words.as_ref();
        let shape = Shape {
            in_head: in_head.map_or_else(Vec::new, |words| columns::in_head(&columns, words)),
            path: intake.path.clone(),
            columns,
            delimiter: opened.delimiter,
            numbering: intake.numbering.clone(),
            added: intake.added,
            consent,
            is_fixing: settings.is_fixing,
            allows_utf8: settings.allows_utf8,
        };
        Ok(Self {
            segment: Arc::new(Segment::new(settings, &shape.columns)?),
            shape: Arc::new(shape),
            first: opened.splitter.position(),
            intake,
            known: Arc::default(),
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

    /// What stands between cells: `,`, `;`, `tab` or `|`; none in a workbook or a web page.
    pub fn delimiter(&self) -> Option<&'static str> {
        self.origin()
            .is_text()
            .then(|| delimiter::shown(self.shape.delimiter))
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

    /// Has the list columns that say who may be mailed?
    pub fn speaks_of_consent(&self) -> bool {
        !self.shape.consent.is_silent()
    }

    /// What the list says against mailing somebody: "`Accepts Email Marketing` is `no`".
    pub fn why_withheld(&self, recipient: &Recipient, column: Option<usize>) -> Text {
        match column.and_then(|column| Some((column, recipient.values.get(column)?))) {
            Some((column, cell)) => self.says(column, cell),
            None => text!("another row of this address says so"),
        }
    }

    /// What is in a cell, in words: "`Status` is `unsubscribed`".
    pub fn says(&self, column: usize, cell: &str) -> Text {
        let header = self.columns().headers.get(column).map_or("", String::as_str);
        match cell.trim() {
            "" => text!("`{header}` is empty", header),
            cell => text!("`{header}` is `{cell}`", header, cell),
        }
    }

    /// What stands in the row of somebody whose address `--fix` has repaired.
    pub fn repaired<'r>(&self, recipient: &'r Recipient) -> Option<&'r str> {
        self.shape.repaired(recipient)
    }

    /// The address that stands in the row, where `--fix` has put another in its place.
    pub fn written(&self, recipient: &Recipient) -> Option<Address> {
        self.shape.written(recipient)
    }

    /// Every row in the order of the file. Memory does not grow with the list, but with the number of duplicates.
    pub fn rows(&self) -> anyhow::Result<Rows> {
        Ok(Rows {
            known: self.known()?,
            ..self.rows_as_they_are()?
        })
    }

    /// Reads the list through, the first time.
    fn known(&self) -> anyhow::Result<Arc<Known>> {
        if let Some(found) = self.known.get() {
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
        let mut smallest = self.segment.people().map(Smallest::new);
        while let Some(row) = rows.next() {
            let (recipient, added) = match row? {
                Row::Usable(recipient) => {
                    if let Some(smallest) = &mut smallest {
                        smallest.add(self.segment.draw(&recipient.address));
                    }
                    let added = finder.add(&recipient.address, recipient.place.line);
                    (recipient, added)
                }
                Row::Withheld { recipient, .. } => {
                    let added = finder.add_withheld(&recipient.address);
                    (recipient, added)
                }
                Row::Rejected(Rejected {
                    named,
                    withheld: Some(_),
                    ..
                }) => {
                    // What cannot be mailed can still say whom not to mail.
                    for address in &named {
                        finder.add_withheld(address).with_context(unsorted)?;
                    }
                    continue;
                }
                Row::Rejected(_) | Row::Duplicate { .. } | Row::NotMeant { .. } => continue,
            };
            added.with_context(unsorted)?;
            rows.take_back([recipient]);
        }
        let found = Arc::new(Known {
            duplicates: finder.finish().with_context(unsorted)?,
            greatest: smallest.and_then(|smallest| smallest.greatest()),
        });
        Ok(Arc::clone(self.known.get_or_init(|| found)))
    }

    /// Every row, each judged by itself.
    fn rows_as_they_are(&self) -> anyhow::Result<Rows> {
        let path = self.path().display();
        let mut file = File::open(self.intake.text()).with_context(|| format!("open the list {path}"))?;
        file.seek(SeekFrom::Start(self.first.0))
            .with_context(|| format!("read the list {path}"))?;
        Ok(Rows {
            shape: Arc::clone(&self.shape),
            segment: Arc::clone(&self.segment),
            splitter: Splitter::new(file, self.shape.delimiter, self.first),
            known: Arc::default(),
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
    segment: Arc<Segment>,
    splitter: Splitter<File>,
    known: Arc<Known>,
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
            if !self.segment.is_everybody() {
                match self.segment.judge(&recipient, self.known.greatest) {
                    Ok(None) => {}
                    Ok(Some(why)) => return Ok(Some(Row::NotMeant { recipient, why })),
                    Err((column, what)) => {
                        return Ok(Some(Row::Rejected(self.shape.rejected_at(&row, column, what)?)));
                    }
                }
            }
            return Ok(Some(match self.known.duplicates.other(place.line) {
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

/// A path's last part, as users call the file.
fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}

/// `a` or `b`: names to choose from, each between backticks.
fn or<'a>(names: impl Iterator<Item = &'a str>) -> Text {
    let quoted = names.map(|name| Text::from(format!("`{name}`")));
    let both = |one: Text, other: Text| text!("{one} or {other}", one, other);
    quoted.reduce(both).unwrap_or_default()
}

#[cfg(test)]
mod tests;
