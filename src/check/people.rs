//! Counts the rows of a list: who is mailed, who is not and why.

use serde::Serialize;

use super::Findings;
use crate::mail::Recipient;
use crate::render::Editions;
use crate::source::{List, NotMeant, Rejected, Row};
use crate::words::Text;

/// Duplicates named in the report; the rest are counted.
const DUPLICATES_SHOWN: usize = 20;
/// Repaired addresses named in the report; the rest are counted.
const REPAIRED_SHOWN: usize = 20;
/// Withheld people named in the report; the rest are counted.
const WITHHELD_SHOWN: usize = 20;

/// A person on the list who is not mailed, because the list says so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WithheldRow {
    /// The row's line.
    pub line: u64,
    /// The address.
    pub email: String,
    /// What the list says, such as "`Accepts Email Marketing` is `no`".
    pub reason: Text,
}

/// An address that was repaired.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RepairedRow {
    /// The row's line.
    pub line: u64,
    /// What stands there.
    pub from: String,
    /// Who is mailed.
    pub to: String,
}

/// A row that is left out, and why.
pub enum LeftOut<'a> {
    /// It cannot be used.
    Rejected(&'a Rejected),
    /// Its person is not to be mailed.
    Withheld(&'a WithheldRow),
}

impl Findings {
    /// Counts a row; gives back the recipient, if there is one to mail.
    pub(super) fn note(
        &mut self,
        row: Row,
        list: &List,
        editions: &Editions,
        left_out: &mut impl FnMut(LeftOut<'_>) -> anyhow::Result<()>,
    ) -> anyhow::Result<Option<Recipient>> {
        self.rows += 1;
        match row {
            Row::Usable(recipient) => {
                self.usable += 1;
                self.note_repair(&recipient, list);
                self.note_edition(&recipient, editions);
                return Ok(Some(recipient));
            }
            Row::Duplicate {
                place, first_line, ..
            } => {
                self.duplicates += 1;
                if self.duplicate_lines.len() < DUPLICATES_SHOWN {
                    self.duplicate_lines.push((place.line, first_line));
                }
            }
            Row::Withheld {
                recipient, column, ..
            } => {
                let row = WithheldRow {
                    line: recipient.place.line,
                    email: recipient.address.to_string(),
                    reason: list.why_withheld(&recipient, column),
                };
                left_out(LeftOut::Withheld(&row))?;
                self.withhold(row);
            }
            Row::NotMeant { why, .. } => {
                let [filter, excluded, sample] = &mut self.not_meant;
                *match why {
                    NotMeant::Filter => filter,
                    NotMeant::Excluded => excluded,
                    NotMeant::Sample => sample,
                } += 1;
            }
            // Nobody is mailed there, whatever is wrong with the address.
            Row::Rejected(Rejected {
                withheld: Some(said),
                place,
                values,
                ..
            }) => {
                let cell = values.get(list.columns().email).unwrap_or_default();
                let row = WithheldRow {
                    line: place.line,
                    email: cell.trim().to_owned(),
                    reason: list.says(said.column, &said.cell),
                };
                left_out(LeftOut::Withheld(&row))?;
                self.withhold(row);
            }
            Row::Rejected(row) => {
                self.rejected += 1;
                left_out(LeftOut::Rejected(&row))?;
                self.row_problems.push(row.problem);
            }
        }
        Ok(None)
    }

    fn withhold(&mut self, row: WithheldRow) {
        self.withheld += 1;
        if self.withheld_rows.len() < WITHHELD_SHOWN {
            self.withheld_rows.push(row);
        }
    }

    fn note_edition(&mut self, recipient: &Recipient, editions: &Editions) {
        if editions.are_several() {
            let name = editions.name_for(recipient);
            match self.editions.get_mut(name) {
                Some(count) => *count += 1,
                None => drop(self.editions.insert(name.to_owned(), 1)),
            }
        }
    }

    fn note_repair(&mut self, recipient: &Recipient, list: &List) {
        let Some(from) = list.repaired(recipient) else {
            return;
        };
        self.repaired += 1;
        if self.repaired_rows.len() < REPAIRED_SHOWN {
            self.repaired_rows.push(RepairedRow {
                line: recipient.place.line,
                from: from.to_owned(),
                to: recipient.address.to_string(),
            });
        }
    }
}
