//! `mailshot list convert` and `list fix`: a list as clean CSV in UTF-8.

use std::fs::OpenOptions;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::super::exit::{Coded, Exit};
use super::super::printer::{Printer, count};
use super::ListFile;
use crate::campaign::{ListSettings, Problems};
use crate::mail::{Address, repair};
use crate::source::{self, Intake, List, Rejected, Row};

/// What may stand between several addresses in one cell.
const BETWEEN: [char; 9] = [',', ';', '；', '，', '、', '/', ' ', '\n', '\r'];

/// Every cell as it is.
pub(super) fn convert(file: &ListFile, output: Option<&Path>, printer: Printer) -> anyhow::Result<Exit> {
    let intake = Intake::open(&file.path, &file.settings()).map_err(Problems::from)?;
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
    printer.say(&format!("{} written{}", count(survey.rows, "row"), to(output)));
    Ok(Exit::Ok)
}

/// Addresses repaired, duplicates left out. What cannot be used goes to a file beside it.
pub(super) fn fix(file: &ListFile, output: Option<&Path>, printer: Printer) -> anyhow::Result<Exit> {
    let settings = ListSettings {
        is_fixing: true,
        ..file.settings()
    };
    let list = List::open(&file.path, &settings)?;
    let columns = list.columns();
    let mut fixed = Fixed {
        out: csv::Writer::from_writer(open(output)?),
        email: columns.email,
        delimiter: list.delimiter_byte(),
        rows: 0,
        repaired: 0,
        duplicates: 0,
        left_out: 0,
        rejected: Beside {
            path: rejected_path(output.unwrap_or(&file.path)),
            out: None,
        },
    };
    fixed.out.write_record(&columns.headers)?;
    for row in list.rows()? {
        fixed.take(row?)?;
    }
    fixed.out.flush().context("write the list")?;
    printer.say(&format!("{} written{}", count(fixed.rows, "row"), to(output)));
    for (many, what) in [
        (fixed.repaired, "repaired"),
        (fixed.duplicates, "left out: the address stood on an earlier row"),
    ] {
        if many > 0 {
            printer.say(&format!("{} {what}", count(many, "row")));
        }
    }
    if fixed.left_out > 0 {
        printer.warn(&format!(
            "{} cannot be repaired; see {}",
            count(fixed.left_out, "row"),
            fixed.rejected.path.display()
        ));
    }
    Ok(if fixed.rows > 0 { Exit::Ok } else { Exit::Data })
}

struct Fixed {
    out: csv::Writer<Box<dyn Write>>,
    email: usize,
    delimiter: u8,
    rows: u64,
    repaired: u64,
    duplicates: u64,
    left_out: u64,
    rejected: Beside,
}

impl Fixed {
    fn take(&mut self, row: Row) -> anyhow::Result<()> {
        match row {
            // Whom the list says not to mail keeps the column that says so.
            Row::Usable(recipient) | Row::Withheld { recipient, .. } => {
                let cell = recipient.values.get(self.email).unwrap_or_default();
                // What is right stays as it was written.
                let is_right = Address::parse(cell).as_ref() == Ok(&recipient.address);
                self.repaired += u64::from(!is_right);
                let address = if is_right {
                    cell.trim()
                } else {
                    recipient.address.as_str()
                };
                self.write(recipient.values.iter(), address)
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
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(self.delimiter)
            .has_headers(false)
            .from_reader(rejected.raw.as_bytes());
        let cells = reader.records().next().and_then(Result::ok).unwrap_or_default();
        let cell = cells.get(self.email).unwrap_or_default();
        let parts = cell.split(BETWEEN).map(str::trim).filter(|part| !part.is_empty());
        let parse = |part: &str| {
            Address::parse(part)
                .ok()
                .or_else(|| repair(part).map(|repair| repair.address))
        };
        let addresses: Option<Vec<Address>> = parts.map(parse).collect();
        match addresses {
            Some(addresses) if addresses.len() > 1 => {
                self.repaired += 1;
                addresses
                    .iter()
                    .try_for_each(|address| self.write(cells.iter(), address.as_str()))
            }
            _ => {
                self.left_out += 1;
                self.rejected.write(rejected)
            }
        }
    }

    fn write<'c>(&mut self, cells: impl Iterator<Item = &'c str>, address: &str) -> anyhow::Result<()> {
        self.rows += 1;
        let email = self.email;
        let cells = cells
            .enumerate()
            .map(|(index, cell)| if index == email { address } else { cell.trim() });
        Ok(self.out.write_record(cells)?)
    }
}

/// The rows that are left out, made only when there is one.
struct Beside {
    path: PathBuf,
    out: Option<csv::Writer<std::fs::File>>,
}

impl Beside {
    fn write(&mut self, rejected: &Rejected) -> anyhow::Result<()> {
        let failed = || format!("write {}", self.path.display());
        let out = match &mut self.out {
            Some(out) => out,
            none => {
                let mut out = csv::Writer::from_path(&self.path).with_context(failed)?;
                out.write_record(["line", "column", "reason", "row"])
                    .with_context(failed)?;
                none.insert(out)
            }
        };
        let (line, column) = (
            rejected.place.line.to_string(),
            rejected.problem.column.to_string(),
        );
        out.write_record([&line, &column, &rejected.problem.what, &rejected.raw])
            .with_context(failed)
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
                let what = format!("{} is there already; nothing was written", path.display());
                anyhow::Error::from(Coded::new(Exit::Usage, what).hint("name another file, or remove it"))
            } else {
                anyhow::Error::from(error).context(format!("write {}", path.display()))
            }
        })?;
    Ok(Box::new(BufWriter::new(file)))
}

fn to(output: Option<&Path>) -> String {
    output
        .map(|path| format!(" to {}", path.display()))
        .unwrap_or_default()
}
