//! `mailshot list inspect`.

use unicode_width::UnicodeWidthStr as _;

use super::super::exit::Exit;
use super::super::printer::{Form, Printer, count, number};
use super::{ListFile, ListFlags};
use crate::inspect::{Inspection, Note, Severity, inspect};

/// Problems shown on the screen; JSON has them all.
const SHOWN: usize = 20;
/// Domains shown on the screen.
const DOMAINS_SHOWN: usize = 5;
/// Columns of the screen for a header, and for an example.
const HEADER_WIDTH: usize = 24;
const EXAMPLE_WIDTH: usize = 40;

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
    printer.data(format!(
        "{}: {}, {} can be mailed",
        found.file,
        count(found.rows, "row"),
        number(found.usable)
    ));
    let line = |name: &str, text: String| {
        if !text.is_empty() {
            printer.data(format!("  {name:<12} {text}"));
        }
    };
    line("read as", read_as(found));
    line("e-mail", found.email_column.clone().unwrap_or_default());
    let counted = |value: u64, text: &str| {
        if value == 0 {
            String::new()
        } else {
            format!("{}{text}", number(value))
        }
    };
    line("duplicates", counted(found.duplicates, ", each kept once"));
    line(
        "withheld",
        counted(found.withheld, " not to be mailed, as the list itself says"),
    );
    let fixable = counted(found.fixable, " of them would be repaired by --fix");
    let fixable = if fixable.is_empty() {
        fixable
    } else {
        format!(", {fixable}")
    };
    line("unusable", counted(found.unusable, &fixable));
    line(
        "languages",
        shares(
            found.languages.iter().map(|(name, rows)| (*name, *rows)),
            usize::MAX,
        ),
    );
    let domains = found.domains.iter().map(|(name, rows)| (name.as_str(), *rows));
    line("domains", shares(domains, DOMAINS_SHOWN));
    columns(found, printer);
    problems(found, printer);
}

fn columns(found: &Inspection, printer: Printer) {
    if !found.column_details.is_empty() {
        printer.data(format!(
            "\n  {} {} {:>9}  example",
            fit("column", HEADER_WIDTH),
            fit("in templates", HEADER_WIDTH),
            "missing"
        ));
    }
    for column in &found.column_details {
        let variable = format!("{{{{{}}}}}", column.variable);
        let row = format!(
            "  {} {} {:>9}  {}",
            fit(&column.header, HEADER_WIDTH),
            fit(&variable, HEADER_WIDTH),
            number(column.missing),
            fit(&column.example, EXAMPLE_WIDTH)
        );
        printer.data(row.trim_end());
    }
}

fn problems(found: &Inspection, printer: Printer) {
    if !found.problems.is_empty() {
        printer.data("");
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
        printer.data(format!("  and {}; --json has them", count(more, "more")));
    }
}

fn show(file: &str, note: &Note, printer: Printer) {
    let place = match note.line {
        0 => file.to_owned(),
        line => format!("{file}:{line}:{}", note.column),
    };
    let severity = match note.severity {
        Severity::Error => "error",
        Severity::Warning => "warning",
    };
    printer.data(format!("{severity}: {place}: {}", note.message));
    if let Some(hint) = &note.hint {
        printer.data(format!("  hint: {hint}"));
    }
}

fn read_as(found: &Inspection) -> String {
    match (&found.sheet, found.encoding, found.delimiter) {
        (Some(sheet), ..) => format!(
            "sheet `{sheet}` of a workbook (.{})",
            found.format.unwrap_or_default()
        ),
        (None, Some(encoding), Some(delimiter)) => format!("CSV in {encoding}, `{delimiter}` between cells"),
        (None, Some(encoding), None) if found.format == Some("html") => {
            format!("a table of a web page in {encoding}")
        }
        (None, Some(encoding), None) => format!("text in {encoding}"),
        (None, None, _) => String::new(),
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
