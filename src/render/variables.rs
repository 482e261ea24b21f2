//! What templates see of a recipient: the row's values by name, and what is always given. Programs see them by
//! number, Handlebars as a map of JSON.

use std::collections::{BTreeMap, BTreeSet};

use handlebars::{Context, JsonValue};
use serde_json::Map;

use super::known::GIVEN;
use super::value::{Bail, Value};
use super::{Given, MADE};
use crate::campaign::Problem;
use crate::mail::{Columns, Recipient};
use crate::text;
use crate::words::Text;

/// Turns recipients into what Handlebars reads.
#[derive(Debug)]
pub(super) struct Variables {
    /// Names and headers, each with its column. Headers only where a template uses them.
    names: Vec<(String, usize)>,
    /// Columns whose cells hold JSON, with a problem at the place in the template that says so.
    structured: BTreeMap<usize, Problem>,
    /// How many columns the list has.
    columns: usize,
}

/// The variables of one recipient: the columns, then what is given, then what we make.
#[derive(Debug)]
pub(super) struct Row<'a> {
    pub(super) values: Vec<Value<'a>>,
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
            columns: columns.names.len(),
        }
    }

    /// The number of a variable. What is given wins over columns of the same name, names win over headers.
    pub(super) fn number(&self, name: &str) -> Option<usize> {
        let ours = GIVEN.iter().chain(&MADE).position(|own| *own == name);
        let column = || self.names.iter().rev().find(|(own, _)| own == name);
        ours.map(|place| self.columns + place)
            .or_else(|| column().map(|(_, column)| *column))
    }

    /// The column of a variable that is one.
    pub(super) fn column(&self, name: &str) -> Option<usize> {
        self.number(name).filter(|number| *number < self.columns)
    }

    /// The variables of one recipient, by number.
    pub(super) fn row<'a>(&self, recipient: &'a Recipient, given: &Given<'a>) -> Result<Row<'a>, Bail> {
        let mut values = Vec::with_capacity(self.columns + GIVEN.len() + MADE.len());
        values.extend(recipient.values.iter().take(self.columns).map(Value::text));
        values.resize(self.columns, Value::text(""));
        for column in self.structured.keys() {
            let cell = recipient.values.get(*column).unwrap_or_default();
            if let Some(value) = values.get_mut(*column) {
                *value = Value::structure(cell)?;
            }
        }
        values.extend(given.values(recipient).into_iter().map(Value::text));
        values.resize(values.len() + MADE.len(), Value::Null);
        Ok(Row { values })
    }

    /// The context of one recipient. What is given wins over columns of the same name.
    pub(super) fn context(&self, recipient: &Recipient, given: &Given<'_>) -> Result<Context, Box<Problem>> {
        let mut data = Map::new();
        for (name, column) in &self.names {
            let cell = recipient.values.get(*column).unwrap_or_default();
            let value = match self.structured.get(column) {
                None => JsonValue::String(cell.to_owned()),
                Some(place) => structure(cell).map_err(|reason| {
                    let what = text!(
                        "`{name}` must be JSON here, a list or an object: {reason}",
                        name,
                        reason = Text::kept(reason)
                    );
                    Box::new(Problem {
                        what,
                        ..place.clone()
                    })
                })?,
            };
            data.insert(name.clone(), value);
        }
        for (name, value) in GIVEN.into_iter().zip(given.values(recipient)) {
            data.insert(name.to_owned(), JsonValue::String(value.to_owned()));
        }
        Ok(Context::from(JsonValue::Object(data)))
    }
}

impl<'a> Given<'a> {
    /// The values of [`GIVEN`], in its order.
    fn values(&self, recipient: &'a Recipient) -> [&'a str; GIVEN.len()] {
        [
            recipient.address.as_str(),
            self.unsubscribe_url,
            self.postal_address,
            self.campaign,
            self.date,
        ]
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
