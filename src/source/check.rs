//! Judges one row: enough cells, no NUL, an address that is one.

use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use csv::StringRecord;

use super::Rejected;
use super::attributes::Added;
use super::consent::{Consent, Refusal, Withheld};
use super::split::{ROW_MAX, RawRow};
use super::table::Numbering;
use crate::campaign::Problem;
use crate::mail::repair::with_domain_meant;
use crate::mail::several::{as_written, named};
use crate::mail::{Address, AddressFault, Columns, Recipient};
use crate::text;
use crate::words::Text;

/// Characters of a line shown with a problem at most.
const SHOWN: usize = 200;

/// What all rows of a list have in common.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) path: PathBuf,
    pub(super) columns: Columns,
    pub(super) delimiter: u8,
    pub(super) numbering: Numbering,
    pub(super) added: Option<Added>,
    /// Columns that stand in the head of a mail, where a line break could begin a header of its own.
    pub(super) in_head: Vec<usize>,
    pub(super) consent: Consent,
    pub(super) is_fixing: bool,
    pub(super) allows_utf8: bool,
}

/// A row, judged by itself.
pub(super) enum Judged {
    Usable(Recipient),
    Rejected(Box<Rejected>),
    /// With the column that says so.
    Withheld(Recipient, usize, Withheld),
}

impl Shape {
    /// A recipient, or why not; none for a row without any content. The cells go into `values`, whatever was there.
    pub(super) fn judge(&self, row: &RawRow<'_>, mut values: StringRecord) -> anyhow::Result<Option<Judged>> {
        let text = self.text(row)?;
        let expected = self.columns.names.len();
        if !row.is_cut && row.cells.texts(text).all(|cell| cell.trim().is_empty()) {
            return Ok(None);
        }
        let place = row.place;
        let raw = || self.own(row, text).trim_end_matches(['\r', '\n']).to_owned();
        if let Some(problem) = self.damage(row, text) {
            return Ok(Some(Judged::Rejected(Box::new(Rejected {
                place,
                problem,
                named: Vec::new(),
                withheld: None,
                values: StringRecord::new(),
                raw: raw(),
            }))));
        }
        values.clear();
        row.cells
            .texts(text)
            .take(expected)
            .for_each(|cell| values.push_field(&cell));
        let withheld = self.consent.withholds(&values);
        let cell = values.get(self.columns.email).unwrap_or_default();
        let address = match self.address(cell, row.cells.raw(text, self.columns.email)) {
            Ok(address) => address,
            Err((fault, named)) => {
                let withheld = withheld.map(|(column, why)| Refusal {
                    column,
                    cell: values.get(column).unwrap_or_default().to_owned(),
                    why,
                });
                return Ok(Some(Judged::Rejected(Box::new(Rejected {
                    place,
                    problem: self.bad_address(row, text, fault),
                    named,
                    withheld,
                    values,
                    raw: raw(),
                }))));
            }
        };
        let recipient = Recipient {
            address,
            place,
            values,
        };
        Ok(Some(match withheld {
            None => match self.breaks_head(&recipient) {
                Some((column, what)) => Judged::Rejected(Box::new(self.rejected_at(row, column, what)?)),
                None => Judged::Usable(recipient),
            },
            Some((column, why)) => Judged::Withheld(recipient, column, why),
        }))
    }

    /// A cell with a line break that would stand in the head of the mail.
    fn breaks_head(&self, recipient: &Recipient) -> Option<(usize, Text)> {
        let column = self.in_head.iter().copied().find(|column| {
            let cell = recipient.values.get(*column).unwrap_or_default();
            cell.trim().contains(['\r', '\n'])
        })?;
        let header = self.columns.headers.get(column).map_or("", String::as_str);
        let what = text!(
            "a line break in `{header}`, which stands in the head of the mail: in its subject or as a name",
            header
        );
        Some((column, what))
    }

    /// What makes a row unusable, whatever its address is.
    fn damage(&self, row: &RawRow<'_>, text: &str) -> Option<Problem> {
        if let Some(problem) = wrong_quote(&self.path, row, text) {
            return Some(problem);
        }
        if let Some(start) = memchr::memchr(0, row.bytes) {
            return Some(self.at(row, text, start..start + 1, text!("a NUL character in this row")));
        }
        if let Some(start) = turning_mark(row.bytes) {
            let what =
                text!("a mark that turns the writing around (U+202D or U+202E), as used to disguise names");
            return Some(self.at(row, text, start..start + 3, what));
        }
        let expected = self.columns.names.len();
        let found = row.cells.len();
        if let Some(added) = self.added {
            if found == added.own {
                let what = text!("this is no JSON, as the other rows have in this column");
                let problem = self.at(row, text, cell_of(row, text, added.column), what);
                return Some(problem.hint(text!("write {{\"key\": \"value\"}}, or leave the cell empty")));
            }
            return (found != expected).then(|| self.wrong_count(row, text));
        }
        let has_surplus = || {
            let mut surplus = row.cells.texts(text).skip(expected);
            surplus.any(|cell| !cell.trim().is_empty())
        };
        (found < expected || (found > expected && has_surplus())).then(|| self.wrong_count(row, text))
    }

    /// The address of a cell, repaired if that is wanted; else what is wrong, and whom the cell names all the same.
    fn address(&self, cell: &str, raw: &str) -> Result<Address, (AddressFault, Vec<Address>)> {
        // `"two words"@example.com` is an address; CSV would have wanted its quotes doubled.
        let quoted = || Address::parse(raw).ok().filter(|_| raw.starts_with('"'));
        let parsed = if self.allows_utf8 {
            Address::parse_utf8(cell)
        } else {
            Address::parse(cell)
        };
        let (fault, mut named) = match parsed.or_else(|fault| quoted().ok_or(fault)) {
            Ok(address) if self.is_fixing => return Ok(with_domain_meant(address)),
            Ok(address) => return Ok(address),
            Err(fault) => (fault, named(cell)),
        };
        match named.as_slice() {
            // An address in another script stands there as it is meant; nothing can be repaired about it.
            [one] if !one.as_str().is_ascii() => Err((fault, named)),
            [_] if self.is_fixing => named.pop().map(with_domain_meant).ok_or((fault, named)),
            [one] => {
                let hint = Some(text!("--fix makes it `{one}`", one));
                Err((AddressFault { hint, ..fault }, named))
            }
            [_, _, ..] => {
                let hint = text!("give each address a row of its own, as `mailshot list fix` does");
                let hint = Some(hint);
                Err((AddressFault { hint, ..fault }, named))
            }
            [] => Err((fault, named)),
        }
    }

    /// The address that stands in the row, where `--fix` has put another in its place.
    pub(super) fn written(&self, recipient: &Recipient) -> Option<Address> {
        if !self.is_fixing {
            return None;
        }
        let cell = recipient.values.get(self.columns.email).unwrap_or_default();
        as_written(cell).filter(|written| *written != recipient.address)
    }

    /// What stands in the row, where `--fix` has made another address of it.
    pub(super) fn repaired<'r>(&self, recipient: &'r Recipient) -> Option<&'r str> {
        if !self.is_fixing {
            return None;
        }
        let cell = recipient.values.get(self.columns.email).unwrap_or_default();
        let is_right = Address::parse_utf8(cell).as_ref() == Ok(&recipient.address);
        // What names nobody was read by its quotes.
        (!is_right && as_written(cell).is_some()).then_some(cell.trim())
    }

    /// A row that cannot be used because of one cell.
    pub(super) fn rejected_at(
        &self,
        row: &RawRow<'_>,
        column: usize,
        what: Text,
    ) -> anyhow::Result<Rejected> {
        let text = self.text(row)?;
        Ok(Rejected {
            place: row.place,
            problem: self.at(row, text, cell_of(row, text, column), what),
            named: Vec::new(),
            withheld: None,
            values: StringRecord::new(),
            raw: self.own(row, text).trim_end_matches(['\r', '\n']).to_owned(),
        })
    }

    fn text<'a>(&self, row: &RawRow<'a>) -> anyhow::Result<&'a str> {
        match std::str::from_utf8(row.bytes) {
            Ok(text) => Ok(text),
            // The cut may have gone through a character.
            Err(error) if row.is_cut => {
                let whole = row.bytes.get(..error.valid_up_to()).unwrap_or_default();
                Ok(std::str::from_utf8(whole).unwrap_or_default())
            }
            Err(error) => Err(error).with_context(|| {
                format!(
                    "{} was changed while it was read: line {}",
                    self.path.display(),
                    row.place.line
                )
            }),
        }
    }

    fn bad_address(&self, row: &RawRow<'_>, text: &str, fault: AddressFault) -> Problem {
        let cell = row.cells.texts(text).nth(self.columns.email).unwrap_or_default();
        let start = row.cells.start_of(self.columns.email) + cell.len() - cell.trim_start().len();
        let mut problem = self.at(row, text, start..start + cell.trim().len(), fault.what);
        problem.hint = fault.hint.map(Box::new);
        problem
    }

    /// Too few or too many cells. When the row runs over several lines, a forgotten quote is the likely cause.
    fn wrong_count(&self, row: &RawRow<'_>, text: &str) -> Problem {
        if let Some(start) = row.cells.suspect_quote(row.bytes) {
            return open_quote(&self.path, row, text, start);
        }
        let own = self.added.map(|added| added.own);
        let (found, expected) = (row.cells.len(), own.unwrap_or(self.columns.names.len()));
        let what = if own.is_some() && found > expected {
            // Something may have been put behind them.
            text!(
                "more cells in this row than the {expected} of the header",
                expected
            )
        } else if found == 1 {
            text!("1 cell in this row; the header has {expected}", expected)
        } else {
            text!(
                "{found} cells in this row; the header has {expected}",
                found,
                expected
            )
        };
        let problem = self.at(row, text, 0..1, what);
        if found > expected {
            problem.hint(text!("put quotes around a cell that contains the delimiter"))
        } else {
            problem
        }
    }

    /// A row without what was added to it.
    fn own<'t>(&self, row: &RawRow<'_>, text: &'t str) -> &'t str {
        match self.added {
            Some(added) if row.cells.len() == self.columns.names.len() => text
                .get(..row.cells.end_of(added.own.saturating_sub(1)))
                .unwrap_or(text),
            _ => text,
        }
    }

    /// A problem at a piece of the row; in a sheet, at its cell.
    pub(super) fn at(&self, row: &RawRow<'_>, text: &str, piece: Range<usize>, what: Text) -> Problem {
        let own = self.own(row, text);
        // What was added stands in a cell of JSON.
        let (text, piece) = match self.added {
            Some(added) if piece.start > own.len() => (own, cell_of(row, text, added.column)),
            _ => (own, piece),
        };
        let cell = row.cells.cell_at(piece.start);
        match self.numbering.cell(row.place.line, cell) {
            Some((column, name)) => Problem::at(
                &self.path,
                row.place.line,
                column,
                text!("{what} (cell {name})", what, name),
            ),
            None => at(&self.path, row, text, piece, what),
        }
    }
}

/// Where the content of a cell stands in its row.
pub(super) fn cell_of(row: &RawRow<'_>, text: &str, column: usize) -> Range<usize> {
    let start = row.cells.start_of(column);
    let length = row.cells.texts(text).nth(column).map_or(1, |cell| cell.len());
    start..start + length
}

/// Where the first override of the direction of writing stands.
fn turning_mark(bytes: &[u8]) -> Option<usize> {
    // `U+202D` and `U+202E`; most rows have no byte like their first.
    memchr::memchr_iter(0xe2, bytes).find(|at| matches!(bytes.get(at + 1..at + 3), Some([0x80, 0xad | 0xae])))
}

/// A row of which one cannot tell where it ends: too long, or with a quote that is not closed where it should be.
pub(super) fn wrong_quote(path: &Path, row: &RawRow<'_>, text: &str) -> Option<Problem> {
    if row.is_cut || row.cells.is_open() {
        let start = row.cells.suspect_quote(row.bytes).unwrap_or(0);
        return Some(open_quote(path, row, text, start));
    }
    swallowing_quote(row, text).map(|start| open_quote(path, row, text, start))
}

/// The quote of a cell of several lines that goes on behind its closing quote. No program writes that: the quote is one
/// too many, and the next one that was meant to open a cell, or for inches, has closed it. Whoever stands on the lines
/// between would be forgotten.
fn swallowing_quote(row: &RawRow<'_>, text: &str) -> Option<usize> {
    if row.cells.inner_lines() == 0 {
        return None;
    }
    let goes_on = |cell: &usize| {
        let inner = row.cells.raw(text, *cell).strip_prefix('"')?.replace("\"\"", "");
        let (within, behind) = inner.split_once('"')?;
        Some(within.contains(['\r', '\n']) && !behind.trim().is_empty())
    };
    let cell = (0..row.cells.len()).find(|cell| goes_on(cell) == Some(true))?;
    Some(row.cells.start_of(cell) - 1)
}

/// A quote that is never closed, or closed by the opening quote of a later row.
fn open_quote(path: &Path, row: &RawRow<'_>, text: &str, start: usize) -> Problem {
    let last = row.place.line + row.cells.inner_lines();
    if row.is_cut && !row.cells.is_open() && last == row.place.line {
        let what = text!(
            "this row is longer than {most} MB, which no row of a list is",
            most = ROW_MAX >> 20
        );
        return at(path, row, text, 0..1, what).hint(text!("are its line ends missing?"));
    }
    let what = if last > row.place.line {
        text!("this quote is never closed; the row runs to line {last}", last)
    } else {
        text!("this quote is never closed")
    };
    at(path, row, text, start..start + 1, what).hint(text!("close the quote, or take it out"))
}

/// A problem at a piece of the row. Cells may hold line ends, so the piece may stand on a later line.
fn at(path: &Path, row: &RawRow<'_>, text: &str, piece: Range<usize>, what: Text) -> Problem {
    let before = text.get(..piece.start).unwrap_or(text);
    let line_start = before.rfind(['\n', '\r']).map_or(0, |at| at + 1);
    let lines = before.matches(['\n', '\r']).count() - before.matches("\r\n").count();
    let line = text
        .get(line_start..)
        .unwrap_or_default()
        .split(['\r', '\n'])
        .next()
        .unwrap_or_default();
    let column = before.get(line_start..).unwrap_or_default().chars().count() as u64 + 1;
    let width = text.get(piece).unwrap_or_default().chars().count();
    let source: String = line.chars().take(SHOWN).collect();
    Problem::at(path, row.place.line + lines as u64, column, what).source(source, width)
}
