//! A person on the list, and where in the list they stand.

use std::borrow::Cow;
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

/// Names of columns that hold a person's whole name.
const NAME: [&str; 9] = [
    "name",
    "full_name",
    "fullname",
    "姓名",
    "名字",
    "称呼",
    "客户名称",
    "nickname",
    "username",
];
/// Names of columns that hold the given name, and the family name.
const FIRST: [&str; 7] = [
    "first_name",
    "firstname",
    "fname",
    "given_name",
    "vorname",
    "prenom",
    "名",
];
const LAST: [&str; 9] = [
    "last_name",
    "lastname",
    "lname",
    "surname",
    "nachname",
    "family_name",
    "nom",
    "姓",
    "姓氏",
];

/// The columns that hold a person's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NameColumns {
    whole: Option<usize>,
    first: Option<usize>,
    last: Option<usize>,
}

impl Columns {
    /// Which columns hold the name to be shown beside the address, if any do.
    pub fn name_columns(&self) -> NameColumns {
        let find = |wanted: &[&str]| self.names.iter().position(|name| wanted.contains(&name.as_str()));
        NameColumns {
            whole: find(&NAME),
            first: find(&FIRST),
            last: find(&LAST),
        }
    }
}

impl NameColumns {
    /// Which they are.
    pub fn all(&self) -> impl Iterator<Item = usize> {
        [self.whole, self.first, self.last].into_iter().flatten()
    }

    /// The name to be shown beside the address, if the row has one. A name that could break a header is none.
    pub fn name_of<'a>(&self, recipient: &'a Recipient) -> Option<Cow<'a, str>> {
        let cell = |column: Option<usize>| {
            let cell = recipient.values.get(column?).map(str::trim);
            cell.filter(|value| !value.is_empty())
        };
        let name = match (cell(self.whole), cell(self.first), cell(self.last)) {
            (Some(whole), _, _) => Cow::Borrowed(whole),
            // Chinese names begin with the family, and have no space.
            (None, Some(first), Some(last)) if is_chinese(first) && is_chinese(last) => {
                Cow::Owned(format!("{last}{first}"))
            }
            (None, Some(first), Some(last)) => Cow::Owned(format!("{first} {last}")),
            (None, Some(only), None) | (None, None, Some(only)) => Cow::Borrowed(only),
            (None, None, None) => return None,
        };
        Some(name).filter(|name| !name.chars().any(is_unsafe_in_a_name))
    }
}

fn is_chinese(name: &str) -> bool {
    name.chars().all(|c| ('\u{3400}'..='\u{9fff}').contains(&c))
}

/// Control characters, and marks that turn the direction of writing around to disguise a name.
pub fn is_unsafe_in_a_name(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

impl Recipient {
    /// The row as names and values, for `show`, previews and JSON.
    pub fn fields<'a>(&'a self, columns: &'a Columns) -> BTreeMap<&'a str, &'a str> {
        columns
            .names
            .iter()
            .map(String::as_str)
            .zip(self.values.iter())
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_of(names: &[&str], values: &[&str]) -> Option<String> {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        let columns = Columns {
            headers: names.clone(),
            names,
            email: 0,
        };
        let place = Place {
            line: 2,
            offset: 0,
            length: 0,
        };
        let address = Address::parse("a@example.com").unwrap();
        let recipient = Recipient {
            address,
            place,
            values: csv::StringRecord::from(values.to_vec()),
        };
        columns.name_columns().name_of(&recipient).map(Cow::into_owned)
    }

    #[test]
    fn the_shown_name_comes_from_the_list() {
        assert_eq!(
            name_of(&["email", "name"], &["a@b.c", " 王小明 "]).as_deref(),
            Some("王小明")
        );
        let two = ["email", "first_name", "last_name"];
        assert_eq!(
            name_of(&two, &["a@b.c", "José", "Núñez"]).as_deref(),
            Some("José Núñez")
        );
        assert_eq!(
            name_of(&["email", "姓", "名"], &["a@b.c", "王", "小明"]).as_deref(),
            Some("王小明")
        );
        assert_eq!(name_of(&two, &["a@b.c", "", "Núñez"]).as_deref(), Some("Núñez"));
        assert_eq!(name_of(&["email", "city"], &["a@b.c", "Rome"]), None);
    }

    #[test]
    fn a_name_that_could_break_a_header_is_not_shown() {
        assert_eq!(name_of(&["email", "name"], &["a@b.c", "x\r\nBcc: y@z.com"]), None);
        assert_eq!(name_of(&["email", "name"], &["a@b.c", "\u{202e}evil"]), None);
    }
}
