//! Reads the header: what each column is called in templates, and which one holds the address.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use super::{file_name, or};
use crate::campaign::{Problem, Problems, closest};
use crate::mail::{Address, Columns};
use crate::text;
use crate::words::Say;

/// Headers of the address column in the exports of shops, newsletter tools, mail programs and web mailers, and as
/// people write them; compared without spaces, dashes, dots, slashes, underscores and case.
const EMAIL_HEADERS: &[&str] = &[
    // English
    "email",
    "mail",
    "emailaddress",
    "emailaddr",
    "mailaddress",
    "useremail",
    "email1value",
    "eaddr",
    // German, French, Spanish, Italian, Portuguese, Dutch
    "emailadresse",
    "mailadresse",
    "adresseemail",
    "adressemail",
    "adresseelectronique",
    "adressedemessagerie",
    "courriel",
    "correo",
    "correoelectronico",
    "correoelectrónico",
    "adresseélectronique",
    "endereçodeemail",
    "indirizzoemail",
    "enderecodeemail",
    "emailadres",
    // Scandinavia, Russia, Japan, Korea
    "epost",
    "epostadress",
    "epostadresse",
    "почта",
    "электроннаяпочта",
    "メール",
    "メールアドレス",
    "이메일",
    "이메일주소",
    // Chinese
    "邮箱",
    "电子邮箱",
    "电子邮件",
    "邮件",
    "邮件地址",
    "邮箱地址",
    "电子邮件地址",
    "电子邮箱地址",
    "收件人",
    "收件人邮箱",
    "收件人邮箱地址",
    "收件邮箱",
    "联系邮箱",
    "客户邮箱",
    "邮箱账号",
    "電子郵件",
    "電子信箱",
    "郵箱",
    "電郵",
    "電郵地址",
    "電子郵件地址",
];

/// Headers of columns that hold an address, and are taken only when none of those above is there: a shop writes the
/// address of a bill beside the account's.
const OTHER_EMAIL_HEADERS: &[&str] = &[
    "emailid",
    "primaryemail",
    "subscriberemail",
    "customeremail",
    "contactemail",
    "recipientemail",
    "billingemail",
    "workemail",
];

/// The first row of a list that is not blank.
pub(super) struct Header<'a> {
    pub(super) path: &'a Path,
    pub(super) line: u64,
    /// The row as it stands.
    pub(super) text: String,
    pub(super) cells: Vec<String>,
    /// How many of the columns are the file's own.
    pub(super) own: usize,
}

impl Header<'_> {
    /// Names the columns and finds the address.
    pub(super) fn read(&self, email_column: Option<&str>) -> Result<Columns, Problems> {
        let headers: Vec<String> = self.cells.iter().map(|cell| trim(cell).to_owned()).collect();
        if let Some(cell) = headers.iter().find(|header| Address::parse(header).is_ok()) {
            return Err(self
                .problem(
                    cell,
                    text!("the first row must name the columns; this one is a person"),
                )
                .hint(text!("put a row such as `email,first_name` above it"))
                .into());
        }
        let names = names(&headers);
        let mut problems = Problems::default();
        for (place, name) in names.iter().enumerate() {
            let first = names.iter().position(|other| other == name).unwrap_or(place);
            if let (Some(header), Some(first_header)) = (headers.get(place), headers.get(first))
                && first < place
            {
                let what = text!(
                    "ambiguous header: two columns are called `{name}`: `{first_header}` and `{header}`",
                    name,
                    first_header,
                    header
                );
                problems.push(
                    self.nth_problem(place, &what)
                        .hint(text!("rename one of them, or take it out")),
                );
            }
        }
        let email = match email_column {
            Some(wanted) => self.explicit(wanted, &headers, &names),
            None => self.guessed(&headers),
        };
        match email {
            // Of two columns with the same name it is said already that they are one too many.
            Err(_) if !problems.is_empty() => Err(problems),
            Err(problem) => Err(problem.into()),
            Ok(email) => problems.or_ok(Columns {
                names,
                headers,
                email,
            }),
        }
    }

    fn explicit(&self, wanted: &str, headers: &[String], names: &[String]) -> Result<usize, Problem> {
        let exact = headers.iter().position(|header| header == trim(wanted));
        let by_name = || names.iter().position(|name| *name == variable(wanted));
        exact.or_else(by_name).ok_or_else(|| {
            let known: Vec<&str> = visible(headers).collect();
            let what = text!(
                "{file_name} has no column `{wanted}`, which `email_column` names",
                file_name = file_name(self.path),
                wanted
            );
            let hint = match closest(wanted, &known) {
                Some(known) => text!("did you mean `{known}`?", known),
                None => text!("columns are: {known}", known = known.join(", ")),
            };
            self.problem("", what).hint(hint)
        })
    }

    fn guessed(&self, headers: &[String]) -> Result<usize, Problem> {
        let named = |known: &[&str]| -> Vec<usize> {
            let found = headers
                .iter()
                .enumerate()
                .filter(|(_, header)| is_one_of(known, header));
            found.map(|(at, _)| at).collect()
        };
        let mut found = named(EMAIL_HEADERS);
        if found.is_empty() {
            found = named(OTHER_EMAIL_HEADERS);
        }
        // An attribute may be called so as well; the list has a column for it.
        if found.first().is_some_and(|first| *first < self.own) {
            found.retain(|column| *column < self.own);
        }
        match found.as_slice() {
            [only] => Ok(*only),
            [] => {
                let known: Vec<&str> = visible(headers).collect();
                Err(self
                    .problem("", text!("no column looks like the e-mail address"))
                    .hint(text!(
                        "set `email_column = \"…\"` in the campaign, or --email-column; columns are: {known}",
                        known = known.join(", ")
                    )))
            }
            several => {
                let named: Vec<&str> = several
                    .iter()
                    .filter_map(|at| headers.get(*at))
                    .map(String::as_str)
                    .collect();
                let quoted = or(named.iter().copied());
                let what = text!("which column holds the address: {quoted}?", quoted);
                let first = named.first().copied().unwrap_or_default();
                Err(self.problem("", what).hint(text!(
                    "set `email_column = \"{first}\"` in the campaign, or --email-column",
                    first
                )))
            }
        }
    }

    /// A problem at a piece of the header's text; at its begin when the piece is empty.
    fn problem(&self, piece: &str, what: impl Say) -> Problem {
        self.at(self.text.find(piece).unwrap_or(0), piece, what)
    }

    /// A problem at a column, found by counting those before it.
    fn nth_problem(&self, column: usize, what: impl Say) -> Problem {
        let mut from = 0;
        for cell in self.cells.iter().take(column) {
            let rest = self.text.get(from..).unwrap_or_default();
            from += rest.find(cell.as_str()).unwrap_or(0) + cell.len();
        }
        let header = self.cells.get(column).map_or("", |cell| trim(cell));
        let rest = self.text.get(from..).unwrap_or_default();
        self.at(from + rest.find(header).unwrap_or(0), header, what)
    }

    fn at(&self, start: usize, piece: &str, what: impl Say) -> Problem {
        let mut problem = Problem::in_text(self.path, &self.text, start..start + piece.len(), what);
        problem.line += self.line - 1;
        problem
    }
}

/// Is this the header of a column that holds an address?
pub(super) fn names_address(header: &str) -> bool {
    is_one_of(EMAIL_HEADERS, header) || is_one_of(OTHER_EMAIL_HEADERS, header)
}

/// Is this one of them, whatever stands in brackets behind it? `邮箱（必填）`
fn is_one_of(known: &[&str], header: &str) -> bool {
    let name = header.split(['(', '（', '[', '【']).next().unwrap_or_default();
    known.contains(&bare(name).as_str())
}

/// The variables' names. A column without a header still needs one, to keep its place.
fn names(headers: &[String]) -> Vec<String> {
    let name = |(place, header): (usize, &String)| match variable(header) {
        name if name.is_empty() => format!("column_{}", place + 1),
        name => name,
    };
    headers.iter().enumerate().map(name).collect()
}

/// The columns that stand in the head of a mail: in its subject, whose words these are, or as a name beside the address.
pub(super) fn in_head(columns: &Columns, words: &[String]) -> Vec<usize> {
    let words: HashSet<String> = words.iter().map(|word| variable(word)).collect();
    let in_subject = columns
        .names
        .iter()
        .enumerate()
        .filter(|(_, name)| words.contains(*name));
    let as_name = columns.name_columns();
    let found: BTreeSet<usize> = as_name.all().chain(in_subject.map(|(at, _)| at)).collect();
    found.into_iter().collect()
}

/// A header as a variable: lower case, spaces and dashes as one `_`.
pub(super) fn variable(header: &str) -> String {
    let mut name = String::with_capacity(header.len());
    for c in trim(header).chars().flat_map(char::to_lowercase) {
        match c {
            c if c.is_whitespace() || c == '-' || c == '_' => {
                if !name.ends_with('_') {
                    name.push('_');
                }
            }
            c => name.push(c),
        }
    }
    name
}

/// A header reduced to what tells it from others: full-width letters made narrow, no case, no separators.
pub(super) fn bare(header: &str) -> String {
    let narrow = |c: char| match c {
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        c => c,
    };
    let is_separator = |c: &char| {
        c.is_whitespace() || matches!(c, '-' | '_' | '.' | '/' | '‐' | '‑' | '–' | ':' | '：' | '*')
    };
    trim(header)
        .chars()
        .map(narrow)
        .filter(|c| !is_separator(c))
        .flat_map(char::to_lowercase)
        .collect()
}

/// Without white space, and without the marks that exports leave at the start of a file.
fn trim(header: &str) -> &str {
    header.trim_matches(|c: char| c.is_whitespace() || c.is_control() || matches!(c, '\u{feff}' | '\u{200b}'))
}

fn visible(headers: &[String]) -> impl Iterator<Item = &str> {
    headers
        .iter()
        .map(String::as_str)
        .filter(|header| !header.is_empty())
}
