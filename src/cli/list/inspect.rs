//! `mailshot list inspect`.

use unicode_width::UnicodeWidthStr as _;

use super::super::counted::rows;
use super::super::exit::Exit;
use super::super::printer::{Form, Printer, number, padded};
use super::{ListFile, ListFlags};
use crate::inspect::{Inspection, Note, Severity, inspect};
use crate::text;
use crate::words::Text;

/// Problems shown on the screen; JSON has them all.
const SHOWN: usize = 20;
/// Domains shown on the screen.
const DOMAINS_SHOWN: usize = 5;
/// Columns of the screen for a header, and for an example.
const HEADER_WIDTH: usize = 24;
const EXAMPLE_WIDTH: usize = 40;
/// Columns of the screen for what stands before a line, and for a number of rows.
const NAME_WIDTH: usize = 12;
const MISSING_WIDTH: usize = 9;

pub(super) fn run(file: &ListFile, flags: ListFlags, printer: Printer) -> anyhow::Result<Exit> {
    file.check_readable()?;
    let mut settings = file.settings();
    flags.apply(&mut settings);
    let found = inspect(&file.path, &settings)?;
    match printer.form {
        Form::Json => printer.json(&found),
        Form::Text => describe(&found, printer),
    }
    Ok(if found.usable > 0 { Exit::Ok } else { Exit::Data })
}

fn describe(found: &Inspection, printer: Printer) {
    printer.data(text!(
        "{file}: {rows}, {usable} can be mailed",
        file = found.file,
        rows = rows(found.rows),
        usable = number(found.usable)
    ));
    let line = |name: Text, text: Text| {
        if !text.is_empty() {
            let name = padded(&name.in_lang(printer.lang), NAME_WIDTH);
            printer.data(text!("  {name} {text}", name, text));
        }
    };
    let some = |value: u64, text: Text| if value == 0 { Text::default() } else { text };
    line(text!("read as"), read_as(found));
    let email = found.email_column.clone().unwrap_or_default();
    line(text!("e-mail"), Text::from(email));
    let n = number(found.duplicates);
    line(
        text!("duplicates"),
        some(found.duplicates, text!("{n}, each kept once", n)),
    );
    let n = number(found.withheld);
    line(
        text!("withheld"),
        some(
            found.withheld,
            text!("{n} not to be mailed, as the list itself says", n),
        ),
    );
    let n = number(found.unusable);
    let unusable = if found.fixable == 0 {
        Text::from(n)
    } else {
        let fixable = number(found.fixable);
        text!("{n}, {fixable} of them would be repaired by --fix", n, fixable)
    };
    line(text!("unusable"), some(found.unusable, unusable));
    let languages = found.languages.iter();
    let languages: Vec<(String, u64)> = languages
        .map(|(name, rows)| (language(name).in_lang(printer.lang), *rows))
        .collect();
    let languages = languages.iter().map(|(name, rows)| (name.as_str(), *rows));
    line(text!("languages"), Text::from(shares(languages, usize::MAX)));
    let domains = found.domains.iter().map(|(name, rows)| (name.as_str(), *rows));
    line(text!("domains"), Text::from(shares(domains, DOMAINS_SHOWN)));
    columns(found, printer);
    problems(found, printer);
}

fn columns(found: &Inspection, printer: Printer) {
    if !found.column_details.is_empty() {
        let say = |text: Text| text.in_lang(printer.lang);
        let missing = say(text!("missing"));
        printer.data(Text::from(format!(
            "\n  {} {} {}{missing}  {}",
            fit(&say(text!("column")), HEADER_WIDTH),
            fit(&say(text!("in templates")), HEADER_WIDTH),
            padded("", MISSING_WIDTH.saturating_sub(missing.width())),
            say(text!("example"))
        )));
    }
    for column in &found.column_details {
        let variable = format!("{{{{{}}}}}", column.variable);
        let row = format!(
            "  {} {} {:>MISSING_WIDTH$}  {}",
            fit(&column.header, HEADER_WIDTH),
            fit(&variable, HEADER_WIDTH),
            number(column.missing),
            fit(&column.example, EXAMPLE_WIDTH)
        );
        printer.data(Text::from(row.trim_end()));
    }
}

fn problems(found: &Inspection, printer: Printer) {
    if !found.problems.is_empty() {
        printer.data(Text::default());
    }
    // What keeps rows from being mailed is shown first.
    let of = |severity: Severity| {
        found
            .problems
            .iter()
            .filter(move |note| note.severity == severity)
    };
    for note in of(Severity::Error).chain(of(Severity::Warning)).take(SHOWN) {
        show(&found.file, note, printer);
    }
    let more = found.problems.len().saturating_sub(SHOWN) as u64 + found.more_problems;
    if more > 0 {
        printer.data(text!("  and {n} more; --json has them", n = number(more)));
    }
}

fn show(file: &str, note: &Note, printer: Printer) {
    let place = match note.line {
        0 => file.to_owned(),
        line => format!("{file}:{line}:{}", note.column),
    };
    let (place, message) = (place.as_str(), &note.message);
    printer.data(match note.severity {
        Severity::Error => text!("error: {place}: {message}", place, message),
        Severity::Warning => text!("warning: {place}: {message}", place, message),
    });
    if let Some(hint) = &note.hint {
        printer.data(text!("  hint: {hint}", hint));
    }
}

fn read_as(found: &Inspection) -> Text {
    match (&found.sheet, found.encoding, found.delimiter) {
        (Some(sheet), ..) => text!(
            "sheet `{sheet}` of a workbook (.{format})",
            sheet,
            format = found.format.unwrap_or_default()
        ),
        (None, Some(encoding), Some(delimiter)) => text!(
            "CSV in {encoding}, `{delimiter}` between cells",
            encoding,
            delimiter
        ),
        (None, Some(encoding), None) if found.format == Some("html") => {
            text!("a table of a web page in {encoding}", encoding)
        }
        (None, Some(encoding), None) => text!("text in {encoding}", encoding),
        (None, None, _) => Text::default(),
    }
}

/// The name of a language or a script.
fn language(name: &str) -> Text {
    match name {
        "Japanese" => text!("Japanese"),
        "Korean" => text!("Korean"),
        "Chinese" => text!("Chinese"),
        "Thai" => text!("Thai"),
        "Arabic script" => text!("Arabic script"),
        "Hebrew" => text!("Hebrew"),
        "Cyrillic script" => text!("Cyrillic script"),
        "Greek" => text!("Greek"),
        "Latin script" => text!("Latin script"),
        other => Text::from(other),
    }
}

/// `qq.com 40, 163.com 12, 3 others`
fn shares<'a>(all: impl Iterator<Item = (&'a str, u64)>, shown: usize) -> String {
    let mut all: Vec<(&str, u64)> = all.collect();
    all.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows));
    let mut parts: Vec<String> = all
        .iter()
        .take(shown)
        .map(|(name, rows)| format!("{name} {}", number(*rows)))
        .collect();
    if all.len() > shown {
        parts.push("…".to_owned());
    }
    parts.join(", ")
}

/// Cut or filled up to so many columns of the screen.
fn fit(text: &str, width: usize) -> String {
    let mut fitted = String::new();
    let flat: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect();
    if flat.width() <= width {
        fitted.push_str(&flat);
    } else {
        for c in flat.chars() {
            if fitted.width() + 2 > width {
                break;
            }
            fitted.push(c);
        }
        fitted.push('…');
    }
    let missing = width.saturating_sub(fitted.width());
    fitted.extend(std::iter::repeat_n(' ', missing));
    fitted
}
