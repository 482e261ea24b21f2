//! The one place that prints. stdout is data, stderr is talk; colour only where it is wanted (`NO_COLOR`, no terminal).

use std::io::{BufWriter, IsTerminal as _, Write};

use serde::Serialize;
use unicode_width::UnicodeWidthStr as _;

use crate::words::{Lang, Say};

/// What the user asked to see.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// Text for people.
    Text,
    /// JSON for programs.
    Json,
}

/// Prints data and talk.
#[derive(Clone, Copy, Debug)]
pub(super) struct Printer {
    pub(super) form: Form,
    pub(super) is_quiet: bool,
    pub(super) lang: Lang,
}

#[expect(
    clippy::unused_self,
    reason = "a printer is the permission to print: whoever prints holds one"
)]
impl Printer {
    /// Prints a line of data.
    pub(super) fn data(self, line: impl Say) {
        write_line(&mut anstream::stdout(), &line.said().in_lang(self.lang));
    }

    /// Prints a value as one line of JSON.
    pub(super) fn json(self, value: &impl Serialize) {
        if let Ok(line) = serde_json::to_string(value) {
            write_line(&mut std::io::stdout().lock(), &line);
        }
    }

    /// Many lines of data, which are kept together until the page is full.
    pub(super) fn page(self) -> Page {
        Page {
            printer: self,
            out: BufWriter::new(anstream::stdout()),
        }
    }

    /// Prints raw bytes of data.
    pub(super) fn raw(self, bytes: &[u8]) {
        // A reader that closed the pipe has seen enough.
        let _seen_enough = std::io::stdout().lock().write_all(bytes);
    }

    /// Says something to the person, unless they want it quiet.
    pub(super) fn say(self, line: impl Say) {
        if !self.is_quiet {
            write_line(&mut anstream::stderr(), &line.said().in_lang(self.lang));
        }
    }

    /// Says something that must not be missed.
    pub(super) fn warn(self, line: impl Say) {
        write_line(&mut anstream::stderr(), &line.said().in_lang(self.lang));
    }

    /// Asks a question; none when there is nobody to ask.
    pub(super) fn ask(self, question: impl Say) -> Option<bool> {
        if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
            return None;
        }
        let mut err = anstream::stderr();
        let question = question.said().in_lang(self.lang);
        let asked = write!(err, "{question} [y/N] ").and_then(|()| err.flush());
        let mut answer = String::new();
        let read = std::io::stdin().read_line(&mut answer);
        asked.and(read.map(drop)).ok()?;
        Some(matches!(
            answer.trim().to_lowercase().as_str(),
            "y" | "yes" | "j" | "是"
        ))
    }
}

/// Many lines of data.
#[derive(Debug)]
pub(super) struct Page {
    printer: Printer,
    out: BufWriter<anstream::Stdout>,
}

impl Page {
    /// What the user asked to see.
    pub(super) fn form(&self) -> Form {
        self.printer.form
    }

    /// Prints a line of data.
    pub(super) fn data(&mut self, line: impl Say) {
        write_line(&mut self.out, &line.said().in_lang(self.printer.lang));
    }

    /// Prints a value as one line of JSON.
    pub(super) fn json(&mut self, value: &impl Serialize) {
        if let Ok(line) = serde_json::to_string(value) {
            write_line(&mut self.out, &line);
        }
    }

    /// Prints what is left.
    pub(super) fn close(mut self) {
        // A reader that closed the pipe has seen enough.
        let _seen_enough = self.out.flush();
    }
}

/// Filled up with spaces to so many columns of the screen, where Chinese takes two a character.
pub(super) fn padded(text: &str, width: usize) -> String {
    let missing = width.saturating_sub(text.width());
    format!("{text}{}", " ".repeat(missing))
}

fn write_line(out: &mut impl Write, line: &str) {
    // A reader that closed the pipe has seen enough.
    let _seen_enough = writeln!(out, "{line}");
}

/// A number with its thousands apart: `1,240`.
pub(super) fn number(value: u64) -> String {
    let digits = value.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A moment as people read it, in this zone: `2026-11-23 05:10:22`.
pub(super) fn time(at_ms: i64, zone: &jiff::tz::TimeZone) -> String {
    let at = jiff::Timestamp::from_millisecond(at_ms)
        .unwrap_or_default()
        .to_zoned(zone.clone());
    let name = match zone.iana_name() {
        None | Some("Etc/UTC" | "Etc/UCT" | "Etc/Universal" | "Etc/Zulu") => "UTC",
        Some(name) => name,
    };
    format!("{} {name}", at.strftime("%Y-%m-%d %H:%M:%S"))
}

/// A word as a shell wants it.
pub(super) fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | '/');
    if word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_their_thousands_apart() {
        for (value, shown) in [(0, "0"), (999, "999"), (1_000, "1,000"), (1_234_567, "1,234,567")] {
            assert_eq!(number(value), shown);
        }
    }
}
