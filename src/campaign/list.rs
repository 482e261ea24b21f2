//! How a list is to be read, as far as the user says.

use encoding_rs::{Encoding, GB18030, GBK};

/// What the user says about a list; without it everything is found out, or asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListSettings {
    /// The column that holds the address: its header, or its name in templates.
    pub email_column: Option<String>,
    /// The encoding of a text file.
    pub encoding: Option<&'static Encoding>,
    /// The sheet of a workbook.
    pub sheet: Option<String>,
    /// Are addresses repaired where it is clear what was meant?
    pub is_fixing: bool,
    /// Are people mailed whom the list's own columns say not to mail?
    pub ignores_consent: bool,
}

/// An encoding by one of its names.
pub fn encoding(name: &str) -> Result<&'static Encoding, String> {
    let found =
        Encoding::for_label(name.trim().as_bytes()).filter(|found| *found != encoding_rs::REPLACEMENT);
    match found {
        // What calls itself GBK holds characters of GB18030; the reverse is a subset.
        Some(found) if found == GBK => Ok(GB18030),
        Some(found) => Ok(found),
        None => Err(format!(
            "unknown encoding `{name}`; known are utf-8, gb18030, big5, shift_jis, euc-kr, utf-16le, utf-16be, \
             windows-1252 and the others of the Encoding Standard"
        )),
    }
}
