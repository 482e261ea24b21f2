//! What templates see of a recipient: the row's values by name, and what is always given.

use std::collections::{BTreeMap, BTreeSet};

use handlebars::{Context, JsonValue};
use serde_json::Map;

use super::Given;
use crate::campaign::Problem;
use crate::mail::{Columns, Recipient};

/// Turns recipients into what Handlebars reads.
#[derive(Debug)]
pub(super) struct Variables {
    /// Names and headers, each with its column. Headers only where a template uses them.
    names: Vec<(String, usize)>,
    /// Columns whose cells hold JSON, with a problem at the place in the template that says so.
    structured: BTreeMap<usize, Problem>,
}

impl Variables {
    pub(super) fn new(
        columns: &Columns,
        headers: &BTreeSet<usize>,
        structured: BTreeMap<usize, Problem>,
    ) -> Self {
        let headers = headers
            .iter()
            .filter_map(|column| Some((columns.headers.get(*column)?.clone(), *column)));
        let names = columns
            .names
            .iter()
            .enumerate()
            .map(|(column, name)| (name.clone(), column));
        Self {
            names: headers.chain(names).collect(),
            structured,
        }
    }

    /// The context of one recipient. What is given wins over columns of the same name.
    pub(super) fn context(&self, recipient: &Recipient, given: &Given<'_>) -> Result<Context, Box<Problem>> {
        let mut data = Map::new();
        for (name, column) in &self.names {
            let cell = recipient.values.get(*column).unwrap_or_default();
            let value = match self.structured.get(column) {
                None => JsonValue::String(cell.to_owned()),
                Some(place) => structure(cell).map_err(|reason| {
                    let what = format!("`{name}` must be JSON here, a list or an object: {reason}");
                    Box::new(Problem {
                        what,
                        ..place.clone()
                    })
                })?,
            };
            data.insert(name.clone(), value);
        }
        for (name, value) in [
            ("email", recipient.address.as_str()),
            ("unsubscribe_url", given.unsubscribe_url),
            ("postal_address", given.postal_address),
            ("campaign", given.campaign),
            ("date", given.date),
        ] {
            data.insert(name.to_owned(), JsonValue::String(value.to_owned()));
        }
        Ok(Context::from(JsonValue::Object(data)))
    }
}

/// A cell as a list or an object. An empty cell is empty for `{{#each}}`, `{{#if}}` and `{{default}}` alike.
fn structure(cell: &str) -> Result<JsonValue, String> {
    if cell.trim().is_empty() {
        return Ok(JsonValue::Object(Map::new()));
    }
    match serde_json::from_str(cell) {
        Ok(value @ (JsonValue::Array(_) | JsonValue::Object(_))) => Ok(value),
        Ok(_) => Err("it is a single value".to_owned()),
        Err(error) => Err(format!("it cannot be read at character {}", error.column())),
    }
}
