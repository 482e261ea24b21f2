//! Values as templates see them: borrowed from the row, so that nothing is copied before it is written.
//!
//! They show, count and compare as JSON does in Handlebars, to the letter: the two renderers are held together by
//! tests.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt;
use std::fmt::Write as _;
use std::ops::Deref;

use handlebars::JsonValue;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::Number;

/// A cell, or what stands in a cell of JSON.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(Cow<'a, str>),
    List(Vec<Self>),
    /// Sorted, and each key once: the order in which Handlebars walks through an object.
    Object(Vec<(Cow<'a, str>, Self)>),
}

/// Only Handlebars can say what is wrong here; it renders this mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bail;

/// A value that is at hand, or was made on the way.
#[derive(Debug)]
pub(super) enum Got<'v> {
    Borrowed(&'v Value<'v>),
    Owned(Value<'v>),
}

impl<'v> Deref for Got<'v> {
    type Target = Value<'v>;

    fn deref(&self) -> &Value<'v> {
        match self {
            Self::Borrowed(value) => value,
            Self::Owned(value) => value,
        }
    }
}

impl<'a> Value<'a> {
    /// A text that is at hand.
    pub(super) fn text(text: &'a str) -> Self {
        Self::Text(Cow::Borrowed(text))
    }

    /// Reads a cell of JSON, which holds a list or an object. An empty cell is empty in every respect.
    pub(super) fn structure(cell: &'a str) -> Result<Self, Bail> {
        if cell.trim().is_empty() {
            return Ok(Self::Object(Vec::new()));
        }
        match serde_json::from_str(cell) {
            Ok(value @ (Self::List(_) | Self::Object(_))) => Ok(value),
            Ok(_) | Err(_) => Err(Bail),
        }
    }

    /// What this key or index leads to. A list is asked for a name by mistake only.
    pub(super) fn get(&self, key: &str) -> Result<Option<&Self>, Bail> {
        match self {
            Self::List(values) => {
                let index = key.parse::<usize>().map_err(|_no_index| Bail)?;
                Ok(values.get(index))
            }
            Self::Object(entries) => Ok(entries
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value)),
            Self::Null | Self::Bool(_) | Self::Number(_) | Self::Text(_) => Ok(None),
        }
    }

    /// As text, borrowed when it is text.
    pub(super) fn shown(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => Cow::Borrowed(text),
            other => {
                let mut text = String::new();
                other.write(&mut text);
                Cow::Owned(text)
            }
        }
    }

    /// Writes it as it is shown.
    pub(super) fn write(&self, out: &mut String) {
        match self {
            Self::Null => {}
            Self::Bool(is) => out.push_str(if *is { "true" } else { "false" }),
            Self::Number(number) => {
                // Writing to a String cannot fail.
                let _written = write!(out, "{number}");
            }
            Self::Text(text) => out.push_str(text),
            Self::List(values) => {
                out.push('[');
                for (place, value) in values.iter().enumerate() {
                    if place > 0 {
                        out.push_str(", ");
                    }
                    value.write(out);
                }
                out.push(']');
            }
            Self::Object(_) => out.push_str("[object]"),
        }
    }

    /// Is it something? Zero is nothing.
    pub(super) fn is_truthy(&self) -> bool {
        match self {
            Self::Null => false,
            Self::Bool(is) => *is,
            Self::Number(number) => number.as_f64().is_some_and(f64::is_normal),
            Self::Text(text) => !text.is_empty(),
            Self::List(values) => !values.is_empty(),
            Self::Object(entries) => !entries.is_empty(),
        }
    }

    /// Octets of a text, elements of a list or an object.
    pub(super) fn len(&self) -> usize {
        match self {
            Self::Null | Self::Bool(_) | Self::Number(_) => 0,
            Self::Text(text) => text.len(),
            Self::List(values) => values.len(),
            Self::Object(entries) => entries.len(),
        }
    }

    /// Which of two is greater; none, when they cannot be compared.
    pub(super) fn compare(&self, other: &Self) -> Result<Option<Ordering>, Bail> {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => compare_numbers(a, b),
            (Self::Text(a), Self::Text(b)) => Ok(Some(a.cmp(b))),
            (Self::Bool(a), Self::Bool(b)) => Ok(Some(a.cmp(b))),
            (Self::Number(a), Self::Text(b)) => match b.parse() {
                Ok(b) => compare_numbers(a, &b),
                Err(_) => Ok(None),
            },
            (Self::Text(_), Self::Number(_)) => Ok(other.compare(self)?.map(Ordering::reverse)),
            _ => Ok(None),
        }
    }
}

/// Compares exactly. An integer beyond 32 bits beside a fraction is left to Handlebars, which has means for it.
fn compare_numbers(a: &Number, b: &Number) -> Result<Option<Ordering>, Bail> {
    if let (Some(a), Some(b)) = (a.as_i128(), b.as_i128()) {
        return Ok(Some(a.cmp(&b)));
    }
    let exact = |number: &Number| match number.as_i128() {
        Some(whole) => i32::try_from(whole).map(f64::from).ok(),
        None => number.as_f64(),
    };
    let (Some(a), Some(b)) = (exact(a), exact(b)) else {
        return Err(Bail);
    };
    Ok(a.partial_cmp(&b))
}

impl<'a> From<&'a JsonValue> for Value<'a> {
    fn from(json: &'a JsonValue) -> Self {
        match json {
            JsonValue::Null => Self::Null,
            JsonValue::Bool(is) => Self::Bool(*is),
            JsonValue::Number(number) => Self::Number(number.clone()),
            JsonValue::String(text) => Self::text(text),
            JsonValue::Array(values) => Self::List(values.iter().map(Self::from).collect()),
            JsonValue::Object(entries) => {
                let entries = entries
                    .iter()
                    .map(|(key, value)| (Cow::Borrowed(key.as_str()), Self::from(value)));
                Self::Object(entries.collect())
            }
        }
    }
}

impl Value<'_> {
    /// The same, borrowed from nothing.
    pub(super) fn into_owned(self) -> Value<'static> {
        let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        match self {
            Self::Null => Value::Null,
            Self::Bool(is) => Value::Bool(is),
            Self::Number(number) => Value::Number(number),
            Self::Text(text) => Value::Text(owned(text)),
            Self::List(values) => Value::List(values.into_iter().map(Value::into_owned).collect()),
            Self::Object(entries) => {
                let entries = entries
                    .into_iter()
                    .map(|(key, value)| (owned(key), value.into_owned()));
                Value::Object(entries.collect())
            }
        }
    }
}

impl<'de> Deserialize<'de> for Value<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

/// Takes what the JSON parser comes across; texts without escapes stay where they are.
struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, is: bool) -> Result<Self::Value, E> {
        Ok(Value::Bool(is))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(Value::Number(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number))
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Value::text(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut values = Vec::new();
        while let Some(value) = list.next_element()? {
            values.push(value);
        }
        Ok(Value::List(values))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Self::Value, A::Error> {
        let mut entries: Vec<(Cow<'de, str>, Value<'de>)> = Vec::new();
        while let Some(key) = object.next_key::<Value<'de>>()? {
            let Value::Text(key) = key else { continue };
            let value = object.next_value()?;
            // Of a key that stands there twice, the last one counts.
            match entries.binary_search_by(|(known, _)| known.cmp(&key)) {
                Ok(at) => {
                    if let Some(known) = entries.get_mut(at) {
                        known.1 = value;
                    }
                }
                Err(at) => entries.insert(at, (key, value)),
            }
        }
        Ok(Value::Object(entries))
    }
}
