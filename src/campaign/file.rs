//! Reads the user's TOML files, and says where and what when something is wrong in them.

use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use toml::Spanned;

use super::explain::explain;
use super::problem::{Problem, Problems};
use crate::text;
use crate::words::{Say, Text};

/// A parsed TOML file, with its text kept so that later checks can point into it.
pub(super) struct File<'a, T> {
    /// Where it was read from.
    pub(super) path: &'a Path,
    /// Its text.
    pub(super) text: String,
    /// What it says.
    pub(super) value: T,
}

impl<'a, T: DeserializeOwned> File<'a, T> {
    /// Reads and parses a file; unknown keys and wrong types are problems with their place.
    pub(super) fn read(path: &'a Path) -> Result<Self, Problems> {
        let text = std::fs::read_to_string(path).map_err(|error| {
            Problem::with_file(path, text!("cannot be read: {error}", error = plain(&error)))
        })?;
        let value = toml::from_str(&text).map_err(|error| explain(path, &text, &error))?;
        Ok(Self { path, text, value })
    }
}

impl<T> File<'_, T> {
    /// A problem at a value of the file.
    pub(super) fn problem<V>(&self, at: &Spanned<V>, what: impl Say) -> Problem {
        Problem::in_text(self.path, &self.text, at.span(), what)
    }

    /// A problem at one of the texts in a list or a table of the file.
    pub(super) fn problem_at_text<V>(&self, at: &Spanned<V>, text: &str, what: impl Say) -> Problem {
        let whole = at.span();
        let written = self.text.get(whole.clone()).unwrap_or_default();
        let quoted = ['"', '\''].map(|quote| format!("{quote}{text}{quote}"));
        let found = quoted.iter().find_map(|quoted| {
            let start = whole.start + written.find(quoted)?;
            Some(start..start + quoted.len())
        });
        Problem::in_text(self.path, &self.text, found.unwrap_or(whole), what)
    }

    /// A file that is named here must be there.
    pub(super) fn check_readable(
        &self,
        named: Option<&Spanned<PathBuf>>,
        root: &Path,
        problems: &mut Problems,
    ) {
        let Some(named) = named else { return };
        if let Err(error) = std::fs::File::open(root.join(named.get_ref())) {
            let what = text!(
                "cannot read `{named}`: {error}",
                named = named.get_ref().display(),
                error = plain(&error)
            );
            let hint = text!("paths begin at the folder of mailshot.toml");
            problems.push(self.problem(named, what).hint(hint));
        }
    }

    /// Parses a value that may be absent; what is wrong with it becomes a problem at its place.
    pub(super) fn parse<V, E: Say>(
        &self,
        text: Option<&Spanned<String>>,
        problems: &mut Problems,
        parse: impl FnOnce(&str) -> Result<V, E>,
    ) -> Option<V> {
        let text = text?;
        match parse(text.get_ref()) {
            Ok(value) => Some(value),
            Err(fault) => {
                problems.push(Problem {
                    width: text.span().len(),
                    ..self.problem(text, fault)
                });
                None
            }
        }
    }

    /// A problem with the head of a table such as `[sender]`, or with the file when it is not there.
    pub(super) fn problem_in_table(&self, table: &str, what: impl Say) -> Problem {
        match self.text.find(&format!("[{table}]")) {
            Some(start) => Problem::in_text(self.path, &self.text, start..start + table.len() + 2, what),
            None => Problem::at(self.path, 1, 1, what),
        }
    }
}

/// An I/O error in plain words, without the number.
pub fn plain(error: &std::io::Error) -> Text {
    match error.kind() {
        std::io::ErrorKind::NotFound => text!("there is no such file"),
        std::io::ErrorKind::PermissionDenied => text!("you may not read it"),
        std::io::ErrorKind::InvalidData => text!("it is not UTF-8 text"),
        std::io::ErrorKind::IsADirectory => text!("it is a folder"),
        _ => Text::kept(error),
    }
}
