//! The names that templates of a campaign may use: what is given, the columns, and their headers.

use crate::campaign::closest;
use crate::mail::Columns;
use crate::text;
use crate::words::Text;

/// Variables that are there besides the columns, and win over them.
pub(super) const GIVEN: [&str; 5] = ["email", "unsubscribe_url", "postal_address", "campaign", "date"];

/// The names that templates of a campaign may use.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) columns: Columns,
    /// The list, as users call it.
    pub(super) list: String,
}

impl Known {
    pub(super) fn new(columns: &Columns, list: String) -> Self {
        Self {
            columns: columns.clone(),
            list,
        }
    }

    /// Is this name given, or that of a column or its header?
    pub(super) fn has(&self, name: &str) -> bool {
        GIVEN.contains(&name) || self.column(name).is_some()
    }

    /// The column of this name or with this header.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        let by_name = self.columns.names.iter().position(|column| column == name);
        by_name.or_else(|| {
            self.columns
                .headers
                .iter()
                .position(|header| header == name && !header.is_empty())
        })
    }

    /// The known name that may have been meant.
    pub(super) fn closest(&self, name: &str) -> Option<&str> {
        let names: Vec<&str> = self.names().chain(GIVEN).collect();
        let as_written = name.to_lowercase().replace([' ', '-'], "_");
        closest(&as_written, &names).and_then(|found| names.into_iter().find(|name| *name == found))
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let named = self
            .columns
            .names
            .iter()
            .zip(&self.columns.headers)
            .filter(|(_, header)| !header.is_empty());
        named.map(|(name, _)| name.as_str())
    }

    /// `columns are: email, first_name`; names that only work in brackets are shown in them.
    pub(super) fn columns_hint(&self) -> Text {
        let is_plain = |name: &str| {
            name.chars()
                .all(|c| c.is_alphanumeric() || c == '_' || !c.is_ascii())
        };
        let shown = self.names().map(|name| {
            if is_plain(name) {
                name.to_owned()
            } else {
                format!("[{name}]")
            }
        });
        text!(
            "columns are: {columns}",
            columns = shown.collect::<Vec<_>>().join(", ")
        )
    }
}

/// `../order.total`, taken apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct VariablePath<'a> {
    pub(super) up: usize,
    /// It begins with `@root`.
    pub(super) is_root: bool,
    /// It is one of `@index`, `@first`, `@last`, `@key`.
    pub(super) is_local: bool,
    /// The first name; empty for `this`.
    pub(super) first: &'a str,
    pub(super) has_more: bool,
}

impl<'a> VariablePath<'a> {
    pub(super) fn parse(raw: &'a str) -> Self {
        let mut rest = raw;
        let mut up = 0;
        let mut is_root = false;
        loop {
            let next = if let Some(next) = rest.strip_prefix("../") {
                up += 1;
                next
            } else if let Some(next) = rest
                .strip_prefix("@root/")
                .or_else(|| rest.strip_prefix("@root."))
            {
                is_root = true;
                next
            } else if let Some(next) = ["./", "this.", "this/"]
                .iter()
                .find_map(|own| rest.strip_prefix(own))
            {
                next
            } else {
                break;
            };
            rest = next;
        }
        let is_local = rest.starts_with('@');
        let (first, more) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((first, more)) => (first, more),
            None => rest
                .split_once(['.', '/'])
                .map_or((rest, ""), |(first, _)| (first, ".")),
        };
        let first = if first == "this" || first == ".." {
            ""
        } else {
            first
        };
        Self {
            up,
            is_root,
            is_local,
            first,
            has_more: !more.is_empty(),
        }
    }
}
