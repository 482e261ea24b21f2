//! A template's text and where it came from, so that every fault can be shown where the user wrote it.

use std::ops::Range;
use std::path::{Path, PathBuf};

use handlebars::TemplateError;

use super::tags;
use crate::campaign::{Problem, plain};
use crate::text;
use crate::words::Say;

/// A template as the user wrote it.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) text: String,
    /// For a template that is a value in a TOML file: the file's text, and where in it the value stands.
    within: Option<(String, Range<usize>)>,
    /// The text template was made from it: places in that mean nothing to the user.
    pub(super) is_derived: bool,
}

impl Source {
    /// Reads a template file: UTF-8, with or without a byte order mark.
    pub(super) fn read(path: &Path) -> Result<Self, Problem> {
        let bytes = std::fs::read(path).map_err(|error| {
            Problem::with_file(path, text!("cannot be read: {error}", error = plain(&error)))
        })?;
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(Self::new(path, text)),
            Err(error) => {
                let good = bytes.get(..error.valid_up_to()).unwrap_or_default();
                let text = String::from_utf8_lossy(good);
                let problem = Problem::in_text(
                    path,
                    &text,
                    text.len()..text.len(),
                    text!("this template is not in UTF-8"),
                );
                Err(problem.hint(text!("save it as UTF-8")))
            }
        }
    }

    /// A template that is at hand already.
    pub(super) fn new(path: &Path, text: &str) -> Self {
        Self {
            path: path.to_owned(),
            text: text.to_owned(),
            within: None,
            is_derived: false,
        }
    }

    /// The value of a key in a TOML file.
    pub(super) fn value(path: &Path, key: &str, value: &str) -> Self {
        let file = std::fs::read_to_string(path).unwrap_or_default();
        let line = file.split_inclusive('\n').scan(0, |start, line| {
            *start += line.len();
            Some((*start - line.len(), line))
        });
        let is_key = |line: &str| {
            line.trim_start()
                .strip_prefix(key)
                .is_some_and(|rest| rest.trim_start().starts_with('='))
        };
        let start = line
            .into_iter()
            .find(|(_, line)| is_key(line))
            .map_or(0, |(start, _)| start);
        let rest = file.get(start..).unwrap_or_default();
        let range = match rest.find(value) {
            Some(at) => start + at..start + at + value.len(),
            // Written with escapes: the key is as close as one can get.
            None => start..start,
        };
        Self {
            path: path.to_owned(),
            text: value.to_owned(),
            within: Some((file, range)),
            is_derived: false,
        }
    }

    /// The same source, for a template made from it.
    pub(super) fn derived(&self) -> Self {
        Self {
            is_derived: true,
            ..self.clone()
        }
    }

    /// Is it a file of its own?
    pub(super) fn is_file(&self) -> bool {
        self.within.is_none()
    }

    /// The file's last part, as users call it.
    pub(super) fn name(&self) -> String {
        file_name(&self.path)
    }

    /// A problem at a range of the text.
    pub(super) fn problem(&self, range: Range<usize>, what: impl Say) -> Problem {
        match &self.within {
            None => Problem::in_text(&self.path, &self.text, range, what),
            Some((file, value)) if value.is_empty() => {
                Problem::in_text(&self.path, file, value.clone(), what)
            }
            Some((file, value)) => {
                let shifted = value.start + range.start..value.start + range.end;
                Problem::in_text(&self.path, file, shifted, what)
            }
        }
    }

    /// A problem with all of it.
    pub(super) fn whole(&self, what: impl Say) -> Problem {
        self.problem(0..self.text.len(), what)
    }

    /// The byte at a line and a character, both from 1.
    pub(super) fn offset(&self, line: usize, column: usize) -> usize {
        offset(&self.text, line, column)
    }

    /// What Handlebars says of a text of this source, where it stands there.
    pub(super) fn unreadable(&self, error: &TemplateError) -> Problem {
        let (line, column) = error.pos().unwrap_or((1, 1));
        let at = self.offset(line, column);
        self.problem(at..at + 1, text!("Handlebars cannot read this"))
    }
}

/// The byte at a line and a character of a text, both from 1.
pub(super) fn offset(text: &str, line: usize, column: usize) -> usize {
    let mut lines = text.split_inclusive('\n');
    let start: usize = lines.by_ref().take(line.saturating_sub(1)).map(str::len).sum();
    let line = lines.next().unwrap_or_default();
    start
        + line
            .char_indices()
            .nth(column.saturating_sub(1))
            .map_or(line.len(), |(at, _)| at)
}

/// One tag of a source.
#[derive(Clone, Copy)]
pub(super) struct At<'a> {
    pub(super) source: &'a Source,
    pub(super) offset: usize,
}

impl At<'_> {
    /// The whole tag.
    pub(super) fn tag(&self) -> Range<usize> {
        let rest = self.source.text.get(self.offset..).unwrap_or_default();
        let end = tags::find(rest).first().map_or(0, |tag| tag.range.end);
        self.offset..self.offset + end
    }

    /// Where a word stands in the tag; the whole tag when there is nothing else in it.
    pub(super) fn word(&self, word: &str) -> Range<usize> {
        let tag = self.tag();
        let text = self.source.text.get(tag.clone()).unwrap_or_default();
        let is_alone = text.trim_matches(|c: char| c.is_whitespace() || "{}~&".contains(c)) == word;
        match text.find(word) {
            Some(at) if !is_alone => tag.start + at..tag.start + at + word.len(),
            _ => tag,
        }
    }

    /// The tag as it is written.
    pub(super) fn text(&self) -> &str {
        self.source.text.get(self.tag()).unwrap_or_default()
    }
}

/// A path's last part, as users call the file.
pub(super) fn file_name(path: &Path) -> String {
    path.file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
