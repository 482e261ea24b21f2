//! `mailshot list convert` and `list fix`: a list as clean CSV in UTF-8.

use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use csv::StringRecord;

use super::super::counted::rows;
use super::super::exit::{Coded, Exit};
use super::super::left_out::{LeftOutFile, REJECTED};
use super::super::printer::Printer;
use super::ListFile;
use crate::campaign::{ListSettings, Problems};
use crate::mail::Address;
use crate::mail::repair::with_domain_meant;
use crate::source::{self, Intake, List, Rejected, Row};
use crate::text;

/// Every cell as it is.
pub(super) fn convert(file: &ListFile, output: Option<&Path>, printer: Printer) -> anyhow::Result<Exit> {
    file.check_readable()?;
    let intake = Intake::open(&file.path, &file.settings()).map_err(Problems::from)?;
    // Looked through before anything is written.
    if let Some(problem) = source::survey(&intake, |_| Ok(()))?.problem {
        return Err(Problems {
            not_done: Some(Box::new(text!("nothing was written"))),
            ..Problems::from(problem)
        }
        .into());
    }
    let mut out = csv::WriterBuilder::new()
        .flexible(true)
        .from_writer(open(output)?);
    let survey = source::survey(&intake, |cells| {
        Ok(out.write_record(cells.iter().map(AsRef::as_ref).map(str::as_bytes))?)
    })?;
    out.flush().context("write the list")?;
    for note in &intake.origin().notes {
        printer.say(note);
    }
    written(survey.rows, output, printer);
    Ok(Exit::Ok)
}

/// Addresses repaired, duplicates left out. What cannot be used goes to a file beside it.
pub(super) fn fix(file: &ListFile, output: Option<&Path>, printer: Printer) -> anyhow::Result<Exit> {
    file.check_readable()?;
    let settings = ListSettings {
        is_fixing: true,
        ..file.settings()
    };
    let list = List::open(&file.path, &settings)?;
    for note in &list.origin().notes {
        printer.say(note);
    }
    let columns = list.columns();
    let rejected = rejected_path(output.unwrap_or(&file.path));
    if rejected.exists() {
        return Err(is_there(&rejected));
    }
    let mut fixed = Fixed {
        out: csv::Writer::from_writer(open(output)?),
        email: columns.email,
        rows: 0,
        repaired: 0,
        duplicates: 0,
        left_out: 0,
        written: HashSet::new(),
        rejected: LeftOutFile::new(rejected, REJECTED),
    };
    fixed.out.write_record(&columns.headers)?;
    for row in list.rows()? {
        fixed.take(row?)?;
    }
    fixed.out.flush().context("write the list")?;
    written(fixed.rows, output, printer);
    if fixed.repaired > 0 {
        printer.say(text!("{rows} repaired", rows = rows(fixed.repaired)));
    }
    if fixed.duplicates > 0 {
        printer.say(text!(
            "{rows} left out: the address stood on an earlier row",
            rows = rows(fixed.duplicates)
        ));
    }
    if fixed.left_out > 0 {
        printer.warn(text!(
            "{left_out} cannot be repaired; see {rejected}",
            left_out = rows(fixed.left_out),
            rejected = fixed.rejected.path().display()
        ));
    }
    Ok(if fixed.rows > 0 { Exit::Ok } else { Exit::Data })
}

struct Fixed {
    out: csv::Writer<Box<dyn Write>>,
    email: usize,
    rows: u64,
    repaired: u64,
    duplicates: u64,
    left_out: u64,
    /// Keys of the addresses that have a row. Those that stood in one cell are not known as duplicates.
    written: HashSet<String>,
    rejected: LeftOutFile<4>,
}

impl Fixed {
    fn take(&mut self, row: Row) -> anyhow::Result<()> {
        match row {
            // Whom the list says not to mail keeps the column that says so.
            Row::Usable(recipient) | Row::Withheld { recipient, .. } => {
                let cell = recipient.values.get(self.email).unwrap_or_default();
                // What is right stays as it was written.
                let is_right = Address::parse(cell).as_ref() == Ok(&recipient.address);
                let written = if is_right {
                    cell.trim()
                } else {
                    recipient.address.as_str()
                };
                let is_new = self.write(&recipient.values, &recipient.address, written)?;
                self.repaired += u64::from(is_new && !is_right);
                Ok(())
            }
            // There is no choice to be made: it is not a campaign's list.
            Row::NotMeant { .. } => Ok(()),
            Row::Duplicate { .. } => {
                self.duplicates += 1;
                Ok(())
            }
            Row::Rejected(rejected) => self.take_apart(&rejected),
        }
    }

    /// Several addresses in one cell become a row each.
    fn take_apart(&mut self, rejected: &Rejected) -> anyhow::Result<()> {
        if rejected.named.len() < 2 {
            self.left_out += 1;
            return self.rejected.write_rejected(rejected);
        }
        self.repaired += 1;
        for address in rejected.named.iter().cloned().map(with_domain_meant) {
            self.write(&rejected.values, &address, address.as_str())?;
        }
        Ok(())
    }

    /// Writes a row with the address written so, unless that person has one.
    fn write(&mut self, cells: &StringRecord, address: &Address, written: &str) -> anyhow::Result<bool> {
        if !self.written.insert(address.key()) {
            self.duplicates += 1;
            return Ok(false);
        }
        self.rows += 1;
        let email = self.email;
        let cells = cells
            .iter()
            .enumerate()
            .map(|(index, cell)| if index == email { written } else { cell.trim() });
        self.out.write_record(cells)?;
        Ok(true)
    }
}

fn rejected_path(list: &Path) -> PathBuf {
    let stem = list.file_stem().unwrap_or_default().to_string_lossy();
    list.with_file_name(format!("{stem}.rejected.csv"))
}

/// A file that is not there yet, or the screen.
fn open(output: Option<&Path>) -> anyhow::Result<Box<dyn Write>> {
    let Some(path) = output else {
        return Ok(Box::new(std::io::stdout().lock()));
    };
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(|error| {
            if error.kind() == std::io::ErrorKind::AlreadyExists {
                is_there(path)
            } else {
                anyhow::Error::from(error).context(format!("write {}", path.display()))
            }
        })?;
    Ok(Box::new(BufWriter::new(file)))
}

fn is_there(path: &Path) -> anyhow::Error {
    let what = text!(
        "{path} is there already; nothing was written",
        path = path.display()
    );
    Coded::new(Exit::Usage, what)
        .hint(text!("name another file, or remove it"))
        .into()
}

fn written(count: u64, output: Option<&Path>, printer: Printer) {
    let rows = rows(count);
    printer.say(match output {
        Some(path) => text!("{rows} written to {path}", rows, path = path.display()),
        None => text!("{rows} written", rows),
    });
}
