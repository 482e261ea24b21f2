//! Files of rows that are left out, for people to open: made only when there is a row.

use std::fs::File;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::cells::inert;
use crate::source::Rejected;

/// Rows that cannot be used, and people who are not to be mailed.
pub(super) const REJECTED: [&str; 4] = ["line", "column", "reason", "row"];
pub(super) const WITHHELD: [&str; 3] = ["line", "email", "reason"];

/// Rows left out, with the reason beside each.
pub(super) struct LeftOutFile<const N: usize> {
    path: PathBuf,
    header: [&'static str; N],
    file: Option<csv::Writer<File>>,
}

impl<const N: usize> LeftOutFile<N> {
    pub(super) fn new(path: PathBuf, header: [&'static str; N]) -> Self {
        Self {
            path,
            header,
            file: None,
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn write(&mut self, cells: [&str; N]) -> anyhow::Result<()> {
        let failed = || format!("write {}", self.path.display());
        let file = match &mut self.file {
            Some(file) => file,
            none => {
                let mut file = csv::Writer::from_path(&self.path).with_context(failed)?;
                file.write_record(self.header).with_context(failed)?;
                none.insert(file)
            }
        };
        let cells = cells.map(inert);
        file.write_record(cells.iter().map(|cell| cell.as_bytes()))
            .with_context(failed)
    }
}

impl LeftOutFile<4> {
    pub(super) fn write_rejected(&mut self, row: &Rejected) -> anyhow::Result<()> {
        let (line, column) = (row.place.line.to_string(), row.problem.column.to_string());
        self.write([&line, &column, &row.problem.what.to_string(), &row.raw])
    }
}
