//! A fault in the user's files: what, where, and what to do. All of them are collected before anything is said.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::words::{Say, Text};

/// Problems shown per file at most; the rest are counted.
pub const SHOWN_MAX: usize = 20;

/// One fault in one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Problem {
    /// The file, as the user wrote it where possible.
    pub file: Box<Path>,
    /// The line, from 1; 0 when the whole file is meant.
    pub line: u64,
    /// The character within the line, from 1.
    pub column: u64,
    /// What is wrong, lower case, no full stop.
    pub what: Text,
    /// What to do, where one can tell.
    pub hint: Option<Box<Text>>,
    /// The row of the list with which it was seen, where it stands elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub row: Option<Box<Row>>,
    /// The line itself, to be shown with a mark under it.
    #[serde(skip)]
    pub source: Option<Box<str>>,
    /// How many characters to mark.
    #[serde(skip)]
    pub width: usize,
}

/// A row of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// The list.
    pub file: PathBuf,
    /// Its line, from 1.
    pub line: u64,
}

impl Problem {
    /// A problem with a whole file.
    pub fn with_file(file: &Path, what: impl Say) -> Self {
        Self {
            file: file.into(),
            line: 0,
            column: 0,
            what: what.said(),
            hint: None,
            row: None,
            source: None,
            width: 0,
        }
    }

    /// A problem at a line and a column, both from 1.
    pub fn at(file: &Path, line: u64, column: u64, what: impl Say) -> Self {
        Self {
            line,
            column,
            width: 1,
            ..Self::with_file(file, what)
        }
    }

    /// A problem at a byte range of a text.
    pub fn in_text(file: &Path, text: &str, range: Range<usize>, what: impl Say) -> Self {
        let before = text.get(..range.start).unwrap_or(text);
        let line = before.matches('\n').count() as u64 + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() as u64 + 1;
        let marked = text
            .get(range)
            .unwrap_or_default()
            .lines()
            .next()
            .unwrap_or_default();
        let source = text.lines().nth(usize::try_from(line - 1).unwrap_or(usize::MAX));
        Self {
            source: source.map(Box::from),
            width: marked.chars().count().max(1),
            ..Self::at(file, line, column, what)
        }
    }

    /// The same with advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Say) -> Self {
        self.hint = Some(Box::new(hint.said()));
        self
    }

    /// The same, as seen with this row of a list.
    #[must_use]
    pub fn seen_with(mut self, list: &Path, line: u64) -> Self {
        self.row = Some(Box::new(Row {
            file: list.to_owned(),
            line,
        }));
        self
    }

    /// The same with the source line, and how many characters of it to mark.
    #[must_use]
    pub fn source(mut self, line: impl Into<Box<str>>, width: usize) -> Self {
        self.source = Some(line.into());
        self.width = width.max(1);
        self
    }
}

/// All faults found, at most [`SHOWN_MAX`] of them kept per file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    /// Those that are kept, in the order they were found.
    pub kept: Vec<Problem>,
    /// How many more there were.
    pub more: u64,
    /// A sentence for the head of the report, in place of a count of problems.
    pub title: Option<Box<Text>>,
    /// What to do about all of them.
    pub advice: Option<Box<Text>>,
    /// What was not done, when it is not that nothing was sent.
    pub not_done: Option<Box<Text>>,
}

impl Problems {
    /// Adds one; beyond the limit of its file it is only counted.
    pub fn push(&mut self, problem: Problem) {
        let same_file = self.kept.iter().filter(|kept| kept.file == problem.file).count();
        if same_file < SHOWN_MAX {
            self.kept.push(problem);
        } else {
            self.more += 1;
        }
    }

    /// Adds all of another collection.
    pub fn extend(&mut self, other: Self) {
        other.kept.into_iter().for_each(|problem| self.push(problem));
        self.more += other.more;
    }

    /// Adds those of another collection that are not here yet.
    pub fn extend_new(&mut self, other: Self) {
        for problem in other.kept {
            if !self.kept.contains(&problem) {
                self.push(problem);
            }
        }
        self.more += other.more;
    }

    /// How many were found, kept or not.
    pub fn count(&self) -> u64 {
        self.kept.len() as u64 + self.more
    }

    /// Is all well?
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Takes `value` when all is well, else the problems.
    pub fn or_ok<T>(self, value: T) -> Result<T, Self> {
        if self.is_empty() { Ok(value) } else { Err(self) }
    }
}

impl From<Problem> for Problems {
    fn from(problem: Problem) -> Self {
        Self {
            kept: vec![problem],
            ..Self::default()
        }
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(title) = &self.title {
            return title.fmt(f);
        }
        let first = self.kept.first();
        let first = first.map_or_else(|| "no problem".to_owned(), |problem| problem.what.to_string());
        write!(f, "{first} ({} in all)", self.count())
    }
}

impl std::error::Error for Problems {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text;

    #[test]
    fn columns_count_characters_not_bytes() {
        let text = "a\n王小明,wang@@example.com\n";
        let start = text.find("wang").unwrap();
        let problem = Problem::in_text(
            Path::new("l.csv"),
            text,
            start..start + 17,
            text!("two `@`; an address has one"),
        );
        assert_eq!((problem.line, problem.column, problem.width), (2, 5, 17));
        assert_eq!(problem.source.as_deref(), Some("王小明,wang@@example.com"));
    }

    #[test]
    fn beyond_twenty_a_file_they_are_only_counted() {
        let mut problems = Problems::default();
        for line in 0..25 {
            problems.push(Problem::at(Path::new("a.csv"), line, 1, Text::from("x")));
        }
        problems.push(Problem::at(Path::new("b.csv"), 1, 1, Text::from("x")));
        assert_eq!(
            (problems.kept.len(), problems.more, problems.count()),
            (21, 5, 26)
        );
    }
}
