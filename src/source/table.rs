//! Rows that come from elsewhere than a text file, written as CSV, and where they stood there.

use std::io::{self, Write};

/// Which row of the user's file each line of the text stands for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Numbering {
    /// From this line of the text on, lines stand for rows from this one on. Empty: each line stands for itself.
    shifts: Vec<(u64, u64)>,
    /// Are columns those of a sheet? Those of texts are characters.
    is_sheet: bool,
}

impl Numbering {
    /// The row, or the line, of the user's file.
    pub(super) fn row_of(&self, line: u64) -> u64 {
        let after = self.shifts.partition_point(|(from, _)| *from <= line);
        match after.checked_sub(1).and_then(|last| self.shifts.get(last)) {
            Some((from, row)) => row + (line - from),
            None => line,
        }
    }

    /// From this line of the text on, rows count from this one.
    pub(super) fn note(&mut self, line: u64, row: u64) {
        if self.row_of(line) != row {
            self.shifts.push((line, row));
        }
    }

    /// A cell's column in the sheet, from 1, and its name: `C17`. None for texts.
    pub(super) fn cell(&self, row: u64, index: usize) -> Option<(u64, String)> {
        if !self.is_sheet {
            return None;
        }
        let column = index as u64 + 1;
        let mut name = String::new();
        let mut rest = column;
        while rest > 0 {
            let letter = u8::try_from((rest - 1) % 26).unwrap_or_default();
            name.insert(0, char::from(b'A' + letter));
            rest = (rest - 1) / 26;
        }
        Some((column, format!("{name}{row}")))
    }
}

/// Writes rows as CSV.
pub(super) struct TableWriter<W: Write> {
    out: W,
    numbering: Numbering,
    line: u64,
}

impl<W: Write> TableWriter<W> {
    pub(super) fn new(out: W) -> Self {
        let numbering = Numbering {
            is_sheet: true,
            ..Numbering::default()
        };
        Self {
            out,
            numbering,
            line: 1,
        }
    }

    /// Writes the row with this number in the user's file.
    pub(super) fn row<'c>(&mut self, row: u64, cells: impl Iterator<Item = &'c str>) -> io::Result<()> {
        self.numbering.note(self.line, row);
        for (index, cell) in cells.enumerate() {
            if index > 0 {
                self.out.write_all(b",")?;
            }
            self.cell(cell)?;
        }
        self.line += 1;
        self.out.write_all(b"\n")
    }

    fn cell(&mut self, cell: &str) -> io::Result<()> {
        let is_plain = |byte: u8| !matches!(byte, b',' | b'"' | b'\r' | b'\n');
        if cell.bytes().all(is_plain) && !cell.is_empty() {
            return self.out.write_all(cell.as_bytes());
        }
        self.line += line_ends(cell);
        write!(self.out, "\"{}\"", cell.replace('"', "\"\""))
    }

    /// Where the rows stood.
    pub(super) fn finish(mut self) -> io::Result<Numbering> {
        self.out.flush()?;
        Ok(self.numbering)
    }
}

/// Gathers cells into rows. All rows get as many cells as the first, so that none looks cut off.
pub(super) struct SheetWriter<W: Write> {
    table: TableWriter<W>,
    row: u32,
    cells: Vec<String>,
    width: usize,
}

impl<W: Write> SheetWriter<W> {
    pub(super) fn new(out: W) -> Self {
        Self {
            table: TableWriter::new(out),
            row: 0,
            cells: Vec::new(),
            width: 0,
        }
    }

    /// Puts text into a cell, whose row and column count from 0. Cells come in the order of the sheet.
    pub(super) fn cell(&mut self, (row, column): (u32, u32), text: String) -> io::Result<()> {
        if row != self.row {
            self.end_row()?;
            self.row = row;
        }
        if text.is_empty() {
            return Ok(());
        }
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        if self.cells.len() <= column {
            self.cells.resize(column + 1, String::new());
        }
        if let Some(cell) = self.cells.get_mut(column) {
            *cell = text;
        }
        Ok(())
    }

    fn end_row(&mut self) -> io::Result<()> {
        if self.cells.is_empty() {
            return Ok(());
        }
        self.width = if self.width == 0 {
            self.cells.len()
        } else {
            self.width
        };
        if self.cells.len() < self.width {
            self.cells.resize(self.width, String::new());
        }
        self.table
            .row(u64::from(self.row) + 1, self.cells.iter().map(String::as_str))?;
        self.cells.clear();
        Ok(())
    }

    pub(super) fn finish(mut self) -> io::Result<Numbering> {
        self.end_row()?;
        self.table.finish()
    }
}

/// How many lines a cell goes on for.
pub(super) fn line_ends(cell: &str) -> u64 {
    let mut previous = 0;
    let mut ends = 0;
    for byte in cell.bytes() {
        ends += u64::from(byte == b'\r' || (byte == b'\n' && previous != b'\r'));
        previous = byte;
    }
    ends
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_text_is_traced_to_its_row() {
        let mut out = Vec::new();
        let mut table = TableWriter::new(&mut out);
        for (row, cells) in [
            (3, ["email", "note"]),
            (4, ["a@example.com", "1 Road\r\nFloor 2\n"]),
            (9, ["b@example.com", "say \"hi\", ok"]),
            (10, ["c@example.com", ""]),
        ] {
            table.row(row, cells.into_iter()).unwrap();
        }
        let numbering = table.finish().unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text,
            "email,note\na@example.com,\"1 Road\r\nFloor 2\n\"\nb@example.com,\"say \"\"hi\"\", ok\"\nc@example.com,\"\"\n"
        );
        let rows: Vec<u64> = [1, 2, 5, 6]
            .into_iter()
            .map(|line| numbering.row_of(line))
            .collect();
        assert_eq!(rows, [3, 4, 9, 10]);
        assert_eq!(numbering.cell(9, 2), Some((3, "C9".to_owned())));
        assert_eq!(numbering.cell(9, 26), Some((27, "AA9".to_owned())));
        assert_eq!(Numbering::default().cell(5, 1), None);
        assert_eq!(Numbering::default().row_of(5), 5);
    }
}
