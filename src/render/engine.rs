//! Renders compiled templates of one flavour, and shows what fails where the user wrote it.

use std::collections::BTreeMap;
use std::path::Path;

use handlebars::{Context, Handlebars, RenderError, RenderErrorReason};

use super::program::{self, Program, Unsupported};
use super::source::Source;
use super::variables::Variables;
use super::{Flavour, helpers, tags};
use crate::campaign::Problem;

/// Names without a column are found before rendering, so what is missing then is missing in an element.
const OF_ELEMENT: &str =
    "inside `{{#each}}` and `{{#with}}` names belong to the element; `{{../first_name}}` is the recipient's";

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
        registered.map_err(|_reason| Problem::with_file(&source.path, "Handlebars cannot read this"))?;
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

    /// Where a template comes from.
    pub(super) fn source(&self, name: &str) -> Option<&Source> {
        self.origins.get(name).map(|(source, _)| source)
    }

    fn explain(&self, main: &str, error: &RenderError) -> Problem {
        let what = match error.reason() {
            RenderErrorReason::MissingVariable(Some(name)) => format!("there is no `{name}` here"),
            RenderErrorReason::MissingVariable(None) => "there is no such value here".to_owned(),
            RenderErrorReason::Other(what) => what.clone(),
            other => {
                let text = other.to_string();
                text.chars()
                    .take(1)
                    .flat_map(char::to_lowercase)
                    .chain(text.chars().skip(1))
                    .collect()
            }
        };
        let name = error.template_name.as_deref().unwrap_or(main);
        let Some((source, prepared)) = self.origins.get(name).or_else(|| self.origins.get(main)) else {
            return Problem::with_file(Path::new(name), what);
        };
        let (Some(line), Some(mut column)) = (error.line_no, error.column_no) else {
            return Problem::with_file(&source.path, what);
        };
        if source.is_derived {
            return Problem::with_file(&source.path, format!("in the text part made from it: {what}"));
        }
        for (_, at, length) in prepared
            .insertions
            .iter()
            .filter(|(inserted, ..)| *inserted == line)
            .rev()
        {
            column = if column > *at {
                column.saturating_sub(*length).max(*at)
            } else {
                column
            };
        }
        let offset = source.offset(line, column);
        let rest = source.text.get(offset..).unwrap_or_default();
        let length = tags::find(rest)
            .first()
            .filter(|tag| tag.range.start == 0)
            .map_or(1, |tag| tag.range.end);
        source.problem(offset..offset + length, what)
    }
}

/// A template's text as it is compiled.
#[derive(Clone, Debug, Default)]
pub(super) struct Prepared {
    pub(super) text: String,
    /// What was put in: line, column and length; the user's columns do not count it.
    insertions: Vec<(usize, usize, usize)>,
}

impl Prepared {
    pub(super) fn new(text: String) -> Self {
        Self {
            text,
            insertions: Vec::new(),
        }
    }

    /// Puts something in, and remembers where.
    pub(super) fn insert(&mut self, at: usize, piece: &str) {
        let before = self.text.get(..at).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        self.text.insert_str(at, piece);
        self.insertions.push((line, column, piece.chars().count()));
    }
}
