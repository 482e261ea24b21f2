//! Reads single rows again, by the places at which they stood when the list was streamed.

use std::fs::File;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use csv::StringRecord;

use super::check::{Judged, Shape, cell_of};
use super::split::{Cells, RawRow};
use crate::campaign::Problem;
use crate::mail::{Address, Place, Recipient};
use crate::text;
use crate::words::Text;

/// Reads single rows again by their place. Cheap to clone; clones share one open file, from any thread.
#[derive(Clone, Debug)]
pub struct RowReader {
    pub(super) shape: Arc<Shape>,
    pub(super) file: Arc<File>,
}

impl RowReader {
    /// A problem with one cell of the row at this place.
    pub fn problem(&self, place: Place, column: usize, what: Text) -> anyhow::Result<Problem> {
        let bytes = self.bytes(place)?;
        let mut cells = Cells::new(self.shape.delimiter);
        let row = row(place, &bytes, &mut cells);
        let text = std::str::from_utf8(&bytes)?;
        Ok(self.shape.at(&row, text, cell_of(&row, text, column), what))
    }

    /// The recipient at a place that [`super::List::rows`] gave for it.
    pub fn read(&self, place: Place) -> anyhow::Result<Recipient> {
        let at = || {
            format!(
                "read line {} of the list {} again",
                place.line,
                self.shape.path.display()
            )
        };
        let bytes = self.bytes(place).with_context(at)?;
        let mut cells = Cells::new(self.shape.delimiter);
        let row = row(place, &bytes, &mut cells);
        match self.shape.judge(&row, StringRecord::new()).with_context(at)? {
            Some(Judged::Usable(recipient)) => Ok(recipient),
            Some(_) | None => bail!(text!(
                "{what}: the list has changed meanwhile",
                what = Text::kept(at())
            )),
        }
    }

    /// The address that stands in the row, where `--fix` has put another in its place.
    pub fn written(&self, recipient: &Recipient) -> Option<Address> {
        self.shape.written(recipient)
    }

    fn bytes(&self, place: Place) -> anyhow::Result<Vec<u8>> {
        let mut bytes = vec![0; usize::try_from(place.length)?];
        self.file.read_exact_at(&mut bytes, place.offset)?;
        Ok(bytes)
    }
}

/// The whole row that these octets are.
fn row<'r>(place: Place, bytes: &'r [u8], cells: &'r mut Cells) -> RawRow<'r> {
    cells.scan(bytes);
    RawRow {
        place,
        bytes,
        cells,
        is_cut: false,
    }
}
