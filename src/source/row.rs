//! What becomes of a row: a recipient, or why not.

use csv::StringRecord;

use super::{List, NotMeant, Refusal, Withheld};
use crate::campaign::Problem;
use crate::mail::{Address, Place, Recipient};
use crate::text;
use crate::words::Text;

/// One row of a list, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// A recipient.
    Usable(Recipient),
    /// A row that cannot be used.
    Rejected(Rejected),
    /// A person who, as the list itself says, is not to be mailed.
    Withheld {
        /// The person.
        recipient: Recipient,
        /// Which column says so; none when it is one of another row with the same address.
        column: Option<usize>,
        /// Why.
        why: Withheld,
    },
    /// A person on the list who is not meant by this campaign.
    NotMeant {
        /// The person.
        recipient: Recipient,
        /// Why not.
        why: NotMeant,
    },
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

impl Row {
    /// Why nobody is mailed by this row, though it can be used; none when somebody is, or another row of theirs counts.
    pub fn why_not_mailed(&self, list: &List) -> Option<(&Recipient, Text)> {
        match self {
            Self::Withheld {
                recipient, column, ..
            } => Some((recipient, list.why_withheld(recipient, *column))),
            Self::NotMeant { recipient, why } => {
                let why = match why {
                    NotMeant::Filter => text!("`where` does not match"),
                    NotMeant::Excluded => text!("a list of `exclude` has them"),
                    NotMeant::Sample => text!("the `sample` has not taken them"),
                };
                Some((recipient, why))
            }
            Self::Usable(_) | Self::Rejected(_) | Self::Duplicate { .. } => None,
        }
    }
}

/// A row that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejected {
    /// Where the row stands.
    pub place: Place,
    /// What is wrong with it.
    pub problem: Problem,
    /// Whom the row names, where only the address is wrong and it is clear who is meant: one whose address can be
    /// repaired, or several.
    pub named: Vec<Address>,
    /// What the row says against mailing them, if it does. Then nobody is missed by leaving it out.
    pub withheld: Option<Refusal>,
    /// The row's cells where only the address is wrong, with those that were added to it; none otherwise.
    pub values: StringRecord,
    /// The row as it stands, without its line end; cut off when it is absurdly long.
    pub raw: String,
}

impl Rejected {
    /// The address that `--fix` would put in place of the wrong one.
    pub fn fix(&self) -> Option<&Address> {
        match self.named.as_slice() {
            [one] if one.as_str().is_ascii() => Some(one),
            _ => None,
        }
    }
}
