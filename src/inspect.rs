//! What is in a list: how it was read, who can be mailed, what the columns hold, and everything that looks wrong.
//!
//! It is as long as it is because everything that looks wrong has its sentence and its advice here.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::Serialize;

use crate::campaign::{ListSettings, Problem, Problems};
use crate::mail::repair::{is_role, meant_domain};
use crate::mail::{Recipient, domain};
use crate::source::{self, Intake, List, Rejected, Row, RowReader};
use crate::text;
use crate::words::Text;

/// Problems kept at most; the rest are counted.
const KEPT_MAX: usize = 1_000;
/// Domains named at most.
const DOMAINS_MAX: usize = 20;
/// Domains told apart at most; more of them are counted together.
const DOMAINS_KNOWN: usize = 100_000;
/// People in the sample.
const SAMPLED: usize = 3;

/// How bad a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The row, or the whole list, cannot be used.
    Error,
    /// Somebody should look at it.
    Warning,
}

/// Something about a list that somebody should know.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Note {
    /// The line, or the sheet's row, from 1; 0 when the whole list is meant.
    pub line: u64,
    /// The character within the line, or the sheet's column, from 1.
    pub column: u64,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong.
    pub message: Text,
    /// What to do.
    pub hint: Option<Text>,
}

/// A column of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its header.
    pub header: String,
    /// Its name in templates.
    pub variable: String,
    /// Rows without a value in it.
    pub missing: u64,
    /// The first value.
    pub example: String,
}

/// What is in a list.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Inspection {
    /// The file.
    pub file: String,
    /// `csv`, `xlsx`, `xls`, `xlsb`, `ods` or `html`; none when it could not be recognised.
    pub format: Option<&'static str>,
    /// The encoding of a text file.
    pub encoding: Option<&'static str>,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
    /// What stands between cells: `,`, `;`, `tab` or `|`.
    pub delimiter: Option<&'static str>,
    /// Rows, blank ones and the header aside.
    pub rows: u64,
    /// People who can be mailed.
    pub usable: u64,
    /// Rows whose address stood on an earlier row.
    pub duplicates: u64,
    /// People whom the list itself says not to mail.
    pub withheld: u64,
    /// Rows that cannot be used.
    pub unusable: u64,
    /// How many of those `--fix` would make usable.
    pub fixable: u64,
    /// The headers.
    pub columns: Vec<String>,
    /// The header of the column that holds the address.
    pub email_column: Option<String>,
    /// Each column with a header.
    pub column_details: Vec<Column>,
    /// The most frequent domains.
    pub domains: Vec<(String, u64)>,
    /// Rows by the writing of their cells.
    pub languages: BTreeMap<&'static str, u64>,
    /// The first people.
    pub sample: Vec<BTreeMap<String, String>>,
    /// Everything that looks wrong, in the order of the list.
    pub problems: Vec<Note>,
    /// Problems that were only counted.
    pub more_problems: u64,
}

/// Reads a list through. What is wrong with it is in the result; an error is trouble with reading.
pub fn inspect(path: &Path, settings: &ListSettings) -> anyhow::Result<Inspection> {
    let mut found = Inspection {
        file: path.display().to_string(),
        ..Inspection::default()
    };
    let intake = match Intake::open(path, settings) {
        Ok(intake) => intake,
        Err(problem) => {
            found.refuse(problem.into());
            return Ok(found);
        }
    };
    let origin = intake.origin();
    (found.format, found.encoding) = (Some(origin.format), origin.encoding);
    found.sheet.clone_from(&origin.sheet);
    let notes = origin.notes.clone();
    let surveyed = source::survey(&intake, |_| Ok(()));
    match List::of(intake, settings) {
        Ok(list) => {
            found.tell(path, &list.origin().notes);
            found.read(&list)?;
        }
        Err(problems) => {
            found.tell(path, &notes);
            // Without an address column the rows can still be counted.
            let survey = surveyed.unwrap_or_default();
            (found.rows, found.unusable, found.delimiter) = (survey.rows, survey.rows, survey.delimiter);
            found.columns = named(survey.headers.iter());
            found.refuse(problems);
        }
    }
    Ok(found)
}

fn named<'a>(headers: impl Iterator<Item = &'a String>) -> Vec<String> {
    headers.filter(|header| !header.is_empty()).cloned().collect()
}

impl Inspection {
    /// Says how the list was read.
    fn tell(&mut self, path: &Path, notes: &[Text]) {
        for note in notes {
            self.note(Problem::with_file(path, note.clone()), Severity::Warning);
        }
    }

    /// The list as a whole cannot be used.
    fn refuse(&mut self, problems: Problems) {
        self.more_problems += problems.more;
        for problem in problems.kept {
            self.note(problem, Severity::Error);
        }
    }

    fn note(&mut self, problem: Problem, severity: Severity) {
        if self.problems.len() == KEPT_MAX {
            self.more_problems += 1;
            // No error is passed over for a warning.
            let mut kept = self.problems.iter();
            match kept.rposition(|note| note.severity == Severity::Warning) {
                Some(last) if severity == Severity::Error => drop(self.problems.remove(last)),
                _ => return,
            }
        }
        self.problems.push(Note {
            line: problem.line,
            column: problem.column,
            severity,
            message: problem.what,
            hint: problem.hint.map(|hint| *hint),
        });
    }

    fn read(&mut self, list: &List) -> anyhow::Result<()> {
        let columns = list.columns();
        self.delimiter = list.delimiter();
        self.columns = named(columns.headers.iter());
        self.email_column = columns.headers.get(columns.email).cloned();
        let mut about: Vec<Column> = columns
            .headers
            .iter()
            .zip(&columns.names)
            .map(|(header, name)| Column {
                header: header.clone(),
                variable: name.clone(),
                missing: 0,
                example: String::new(),
            })
            .collect();
        let mut domains: HashMap<String, u64> = HashMap::new();
        let reader = list.row_reader()?;
        for row in list.rows()? {
            self.rows += 1;
            let Some(recipient) = self.take(row?, list, &reader)? else {
                continue;
            };
            if self.sample.len() < SAMPLED {
                let cells = about.iter().zip(recipient.values.iter());
                let cells = cells.filter(|(column, _)| !column.header.is_empty());
                self.sample.push(
                    cells
                        .map(|(column, cell)| (column.header.clone(), cell.to_owned()))
                        .collect(),
                );
            }
            let domain = recipient.address.domain();
            if let Some(count) = domains.get_mut(domain) {
                *count += 1;
            } else if domains.len() < DOMAINS_KNOWN {
                domains.insert(domain.to_owned(), 1);
            }
            self.look_at_address(&recipient, columns.email, &reader)?;
            self.look_at_cells(&recipient, columns.email, &mut about, &reader)?;
        }
        if self.rows == 0 {
            let problem = Problem::with_file(
                list.path(),
                text!("no recipients: the list has a header and no rows"),
            );
            self.note(problem, Severity::Warning);
        }
        about.retain(|column| !column.header.is_empty());
        self.column_details = about;
        self.domains = domains.into_iter().collect();
        self.domains
            .sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        self.domains.truncate(DOMAINS_MAX);
        Ok(())
    }

    /// Counts a row and notes what is wrong with it; gives back the person, if there is one.
    fn take(&mut self, row: Row, list: &List, reader: &RowReader) -> anyhow::Result<Option<Recipient>> {
        let email = list.columns().email;
        match row {
            Row::Rejected(Rejected {
                withheld: Some(said),
                problem,
                ..
            }) => {
                self.withheld += 1;
                let why = list.says(said.column, &said.cell);
                let what = text!(
                    "{what}; nobody is mailed here anyway: {why}",
                    what = problem.what,
                    why
                );
                self.note(Problem { what, ..problem }, Severity::Warning);
                Ok(None)
            }
            Row::Rejected(rejected) => {
                self.unusable += 1;
                self.fixable += u64::from(rejected.fix().is_some());
                let severity = match rejected.fix() {
                    Some(_) => Severity::Warning,
                    None => Severity::Error,
                };
                self.note(rejected.problem, severity);
                Ok(None)
            }
            Row::Duplicate {
                recipient,
                first_line,
                ..
            } => {
                self.duplicates += 1;
                let what = text!(
                    "{address} stands on line {first_line} already",
                    address = recipient.address,
                    first_line
                );
                let problem = reader.problem(recipient.place, email, what)?;
                self.note(problem.hint(text!("the first row counts")), Severity::Warning);
                Ok(Some(recipient))
            }
            Row::Withheld {
                recipient, column, ..
            } => {
                self.take_withheld(&recipient, column, list, reader)?;
                Ok(Some(recipient))
            }
            Row::Usable(recipient) => {
                self.usable += 1;
                Ok(Some(recipient))
            }
            Row::NotMeant { recipient, .. } => Ok(Some(recipient)),
        }
    }

    /// Somebody whom the list says not to mail.
    fn take_withheld(
        &mut self,
        recipient: &Recipient,
        column: Option<usize>,
        list: &List,
        reader: &RowReader,
    ) -> anyhow::Result<()> {
        self.withheld += 1;
        let why = list.why_withheld(recipient, column);
        let what = text!(
            "{address} is not to be mailed: {why}",
            address = recipient.address,
            why
        );
        let column = column.unwrap_or(list.columns().email);
        let problem = reader.problem(recipient.place, column, what)?;
        let hint = text!("--ignore-consent mails them all the same; `suppress import` remembers them");
        self.note(problem.hint(hint), Severity::Warning);
        Ok(())
    }

    fn look_at_address(
        &mut self,
        recipient: &Recipient,
        column: usize,
        reader: &RowReader,
    ) -> anyhow::Result<()> {
        let address = &recipient.address;
        let cell = recipient.values.get(column).unwrap_or_default();
        let mut warn = |what: Text, hint: Text| -> anyhow::Result<()> {
            let problem = reader.problem(recipient.place, column, what)?;
            self.note(problem.hint(hint), Severity::Warning);
            Ok(())
        };
        if cell.trim() != cell {
            warn(
                text!("white space around the address"),
                text!("it is left out; nothing to do"),
            )?;
        }
        if let Some(meant) = meant_domain(address.domain()) {
            warn(
                text!(
                    "`{domain}` looks like a slip of the keyboard",
                    domain = address.domain()
                ),
                text!("did you mean `{meant}`? --fix makes it so", meant),
            )?;
        }
        if let Some((what, hint)) = domain::odd(address.domain()) {
            warn(what, hint)?;
        }
        if is_role(address) {
            warn(
                text!(
                    "`{local}` is the mailbox of a function, not of a person",
                    local = address.local()
                ),
                text!("such mailboxes complain more often than people"),
            )?;
        }
        Ok(())
    }

    fn look_at_cells(
        &mut self,
        recipient: &Recipient,
        email: usize,
        about: &mut [Column],
        reader: &RowReader,
    ) -> anyhow::Result<()> {
        let mut writing = None;
        for (index, (cell, column)) in recipient.values.iter().zip(about).enumerate() {
            if cell.trim().is_empty() {
                column.missing += 1;
                continue;
            }
            if column.example.is_empty() {
                cell.trim().clone_into(&mut column.example);
            }
            if index == email {
                continue;
            }
            writing = writing.max(writing_of(cell));
            let found = source::suspect(cell).or_else(|| {
                let is_name = ["name", "名", "subject", "title"]
                    .iter()
                    .any(|part| column.variable.contains(part));
                let is_broken = is_name && cell.trim().contains(['\r', '\n']);
                let what = text!("a line break in `{header}`", header = column.header);
                is_broken.then_some((
                    what,
                    text!("it cannot stand in a subject or in the name of a header"),
                ))
            });
            if let Some((what, hint)) = found {
                let problem = reader.problem(recipient.place, index, what)?;
                self.note(problem.hint(hint), Severity::Warning);
            }
        }
        if let Some((_, name)) = writing {
            *self.languages.entry(name).or_default() += 1;
        }
        Ok(())
    }
}

/// The writing of a text, as far as its letters tell; what tells more is greater.
fn writing_of(text: &str) -> Option<(u8, &'static str)> {
    let of = |c: char| match c {
        '\u{3040}'..='\u{30ff}' => Some((9, "Japanese")),
        '\u{ac00}'..='\u{d7af}' | '\u{1100}'..='\u{11ff}' => Some((8, "Korean")),
        '\u{3400}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}' => Some((7, "Chinese")),
        '\u{0e00}'..='\u{0e7f}' => Some((6, "Thai")),
        '\u{0600}'..='\u{06ff}' => Some((5, "Arabic script")),
        '\u{0590}'..='\u{05ff}' => Some((4, "Hebrew")),
        '\u{0400}'..='\u{04ff}' => Some((3, "Cyrillic script")),
        '\u{0370}'..='\u{03ff}' => Some((2, "Greek")),
        c if c.is_alphabetic() => Some((1, "Latin script")),
        _ => None,
    };
    text.chars().filter_map(of).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_writing_is_told_by_the_letters() {
        for (text, writing) in [
            ("张三", "Chinese"),
            ("山田さん", "Japanese"),
            ("김철수", "Korean"),
            ("Anna", "Latin script"),
            ("Анна", "Cyrillic script"),
        ] {
            assert_eq!(writing_of(text).unwrap().1, writing);
        }
        assert_eq!(writing_of("123"), None);
    }
}
