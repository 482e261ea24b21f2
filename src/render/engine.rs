//! Renders compiled templates of one flavour, and shows what fails where the user wrote it.

use std::collections::BTreeMap;
use std::path::Path;

use handlebars::{Context, Handlebars, RenderError, RenderErrorReason};

use super::program::{self, Program, Unsupported};
use super::source::{Source, offset};
use super::variables::Variables;
use super::{Flavour, helpers, tags};
use crate::campaign::Problem;
use crate::text;
use crate::words::{Say, Text};

/// Names without a column are found before rendering, so what is missing then is missing in an element.
const OF_ELEMENT: Text = text!(
    "inside `{{{{#each}}}}` and `{{{{#with}}}}` names belong to the element; `{{{{../first_name}}}}` is the recipient's"
);

/// Compiled templates of one flavour.
#[derive(Debug)]
pub(super) struct Engine {
    flavour: Flavour,
    registry: Handlebars<'static>,
    origins: BTreeMap<String, (Source, Prepared)>,
}

impl Engine {
    pub(super) fn new(flavour: Flavour) -> Self {
        let mut registry = Handlebars::new();
        registry.set_strict_mode(true);
        // Partials are not indented by where they are called: that would change texts and data with line ends.
        registry.set_prevent_indent(true);
        helpers::register(&mut registry);
        match flavour {
            Flavour::Html => registry.register_escape_fn(super::escape_html),
            Flavour::Text => registry.register_escape_fn(handlebars::no_escape),
        }
        Self {
            flavour,
            registry,
            origins: BTreeMap::new(),
        }
    }

    /// Compiles a template. Ours begin with `@`; the others are partials.
    pub(super) fn add(&mut self, name: String, source: &Source, prepared: Prepared) -> Result<(), Problem> {
        let registered = if name.starts_with('@') {
            self.registry.register_template_string(&name, &prepared.text)
        } else {
            self.registry.register_partial(&name, &prepared.text)
        };
        registered
            .map_err(|_reason| Problem::with_file(&source.path, text!("Handlebars cannot read this")))?;
        self.origins.insert(name, (source.clone(), prepared));
        Ok(())
    }

    /// Renders a template; what fails is shown where the user wrote it.
    pub(super) fn render(&self, name: &str, context: &Context) -> Result<String, Box<Problem>> {
        let size = self
            .origins
            .get(name)
            .map_or(0, |(_, prepared)| prepared.text.len());
        let mut bytes = Vec::with_capacity(size + size / 4 + 1024);
        let rendered = self
            .registry
            .render_with_context_to_write(name, context, &mut bytes);
        rendered.map_err(|error| {
            let problem = self.explain(name, &error);
            let is_missing = matches!(error.reason(), RenderErrorReason::MissingVariable(_));
            Box::new(if is_missing {
                problem.hint(OF_ELEMENT)
            } else {
                problem
            })
        })?;
        // What comes out is made of strings only.
        Ok(String::from_utf8(bytes).unwrap_or_default())
    }

    /// The program of a template, if it can have one.
    pub(super) fn program(&self, name: &str, variables: &Variables) -> Result<Program, Unsupported> {
        program::compile(&self.registry, name, self.flavour, variables)
    }

    /// Where templates come from, each once, but for those that were made from others.
    pub(super) fn sources(&self) -> impl Iterator<Item = &Source> {
        self.origins
            .values()
            .map(|(source, _)| source)
            .filter(|source| !source.is_derived)
    }

    /// Where a template comes from.
    pub(super) fn source(&self, name: &str) -> Option<&Source> {
        self.origins.get(name).map(|(source, _)| source)
    }

    fn explain(&self, main: &str, error: &RenderError) -> Problem {
        let what = match error.reason() {
            RenderErrorReason::MissingVariable(Some(name)) => text!("there is no `{name}` here", name),
            RenderErrorReason::MissingVariable(None) => text!("there is no such value here"),
            RenderErrorReason::Other(what) => Text::kept(what),
            other => {
                let text = other.to_string();
                let first = text.chars().take(1).flat_map(char::to_lowercase);
                Text::kept(first.chain(text.chars().skip(1)).collect::<String>())
            }
        };
        let name = error.template_name.as_deref().unwrap_or(main);
        let Some((source, prepared)) = self.origins.get(name).or_else(|| self.origins.get(main)) else {
            return Problem::with_file(Path::new(name), what);
        };
        let (Some(line), Some(column)) = (error.line_no, error.column_no) else {
            return Problem::at(&source.path, 1, 1, what);
        };
        if source.is_derived {
            return Problem::at(
                &source.path,
                1,
                1,
                text!("in the text part made from it: {what}", what),
            );
        }
        prepared.problem(source, line, column, what)
    }
}

fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or_default();
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (before.matches('\n').count() + 1, column)
}

/// Where tags begin now, and where they began before: in bytes.
pub(super) type Moved = Vec<(usize, usize)>;

/// A template's text as it is compiled.
#[derive(Clone, Debug, Default)]
pub(super) struct Prepared {
    pub(super) text: String,
    /// What was put in: line, column and length; the user's columns do not count it.
    insertions: Vec<(usize, usize, usize)>,
    /// What the text was before a parser of HTML or MJML went over it, and where its tags went: by the bytes at which
    /// they begin, now and then.
    before: Option<(Box<Prepared>, Moved)>,
}

impl Prepared {
    pub(super) fn new(text: String) -> Self {
        Self {
            text,
            insertions: Vec::new(),
            before: None,
        }
    }

    /// The same after a parser went over it.
    pub(super) fn remade(self, text: String, moved: Moved) -> Self {
        Self {
            text,
            insertions: Vec::new(),
            before: Some((Box::new(self), moved)),
        }
    }

    /// The line and the character, both from 1, that stood in the user's file, for those of the compiled text.
    fn place(&self, line: usize, column: usize) -> (usize, usize) {
        if let Some((before, moved)) = &self.before {
            let here = offset(&self.text, line, column);
            // Only tags fail; what failed is the last that begins before.
            let tag = moved.iter().filter(|(now, _)| *now <= here).max();
            let (line, column) = line_and_column(&before.text, tag.map_or(0, |(_, before)| *before));
            return before.place(line, column);
        }
        let mut own = column;
        let inserted = self.insertions.iter().filter(|(inserted, ..)| *inserted == line);
        for (_, at, length) in inserted.rev() {
            own = if own > *at {
                own.saturating_sub(*length).max(*at)
            } else {
                own
            };
        }
        (line, own)
    }

    /// A problem with the tag at a line and a character of the compiled text, where the user wrote it.
    fn problem(&self, source: &Source, line: usize, column: usize, what: impl Say) -> Problem {
        let (line, column) = self.place(line, column);
        let offset = source.offset(line, column);
        let rest = source.text.get(offset..).unwrap_or_default();
        let length = tags::find(rest)
            .first()
            .filter(|tag| tag.range.start == 0)
            .map_or(1, |tag| tag.range.end);
        source.problem(offset..offset + length, what)
    }

    /// The same for the tag at a byte of the compiled text.
    pub(super) fn problem_at(&self, source: &Source, at: usize, what: impl Say) -> Problem {
        let (line, column) = line_and_column(&self.text, at);
        self.problem(source, line, column, what)
    }

    /// Puts something else there, which shifts no place that can be shown: only in what MJML made.
    pub(super) fn replace(&mut self, range: std::ops::Range<usize>, piece: &str) {
        if let Some((_, moved)) = &mut self.before {
            for (now, _) in moved.iter_mut().filter(|(now, _)| *now >= range.end) {
                *now = *now + piece.len() - range.len();
            }
        }
        self.text.replace_range(range, piece);
    }

    /// Puts something in, and remembers where.
    pub(super) fn insert(&mut self, at: usize, piece: &str) {
        let (line, column) = line_and_column(&self.text, at);
        if let Some((_, moved)) = &mut self.before {
            for (now, _) in moved.iter_mut().filter(|(now, _)| *now >= at) {
                *now += piece.len();
            }
        }
        self.text.insert_str(at, piece);
        self.insertions.push((line, column, piece.chars().count()));
    }
}
