//! A person on the list, and where in the list they stand.

use std::collections::BTreeMap;

use super::Address;

/// Where a row stands in its list file, so that it can be named to the user and read again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The row's first line, from 1.
    pub line: u64,
    /// The row's first byte, from 0.
    pub offset: u64,
    /// The row's length in bytes, its line end included.
    pub length: u32,
}

/// The columns of a list: what each is called in templates, and what its header said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Names for templates: trimmed, lower case, spaces and dashes as `_`; in the order of the file.
    pub names: Vec<String>,
    /// The headers as they stand in the file, trimmed.
    pub headers: Vec<String>,
    /// Which column holds the address.
    pub email: usize,
}

/// A person on the list: an address and the values of the row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// Where the mail goes.
    pub address: Address,
    /// Where the row stands.
    pub place: Place,
    /// The row's cells, one for each column, untouched.
    pub values: csv::StringRecord,
}

impl Recipient {
    /// The row as names and values, for `show`, previews and JSON.
    pub fn fields<'a>(&'a self, columns: &'a Columns) -> BTreeMap<&'a str, &'a str> {
        columns.names.iter().map(String::as_str).zip(self.values.iter()).collect()
    }
}
