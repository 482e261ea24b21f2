//! What the check of templates finds.

use std::collections::{BTreeMap, BTreeSet};

use handlebars::Template;

use super::source::Source;
use crate::campaign::Problem;

/// What the check of one flavour of templates, HTML or text, found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) problems: Vec<Problem>,
    /// Columns used as a list or an object, and where first: their cells hold JSON.
    pub(super) structured: BTreeMap<usize, Problem>,
    /// Partials that are called for, and where first; none, when that is in a text made from HTML.
    pub(super) partials: Vec<(String, Option<Problem>)>,
    /// The footer has its place.
    pub(super) calls_footer: bool,
    /// What is said of big files has its place.
    pub(super) calls_enclosures: bool,
    /// Headers written out, as in `{{[First Name]}}`.
    pub(super) headers: BTreeSet<usize>,
}

impl Found {
    /// Adds what another check found; what both found is there once.
    pub(super) fn merge(&mut self, other: Self) {
        self.borrow_uses(&other);
        for problem in other.problems {
            if !self.problems.contains(&problem) {
                self.problems.push(problem);
            }
        }
        for partial in other.partials {
            if !self.partials.iter().any(|(name, _)| *name == partial.0) {
                self.partials.push(partial);
            }
        }
    }

    /// Adds how another check's templates use the columns.
    pub(super) fn borrow_uses(&mut self, other: &Self) {
        self.headers.extend(&other.headers);
        self.calls_footer |= other.calls_footer;
        self.calls_enclosures |= other.calls_enclosures;
        for (column, place) in &other.structured {
            self.structured.entry(*column).or_insert_with(|| place.clone());
        }
    }
}

/// A parsed template and its source.
pub(super) struct Parsed {
    pub(super) source: Source,
    pub(super) template: Template,
}
