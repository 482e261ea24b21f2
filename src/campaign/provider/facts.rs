//! Everything about a provider, one value after the other, with its source: what `mailshot providers` shows.

use toml::Value;

use super::book::{Book, Origin};
use super::preset::Preset;
use super::source::Source;
use super::values::Values;
use crate::campaign::quota::Reset;
use crate::text;
use crate::words::{Gap as _, Lang, Text};

/// The values of a preset in the order they are shown.
pub(super) const KEYS: [&str; 36] = [
    "host",
    "regions",
    "ports",
    "imap",
    "region_imap",
    "pop",
    "auth",
    "username",
    "password",
    "password_length",
    "password_hint",
    "from_is_login",
    "per_second",
    "per_minute",
    "per_hour",
    "per_day",
    "scope",
    "day_resets",
    "same_recipient",
    "similar_per_minute",
    "recipients_per_message",
    "connections",
    "messages_per_connection",
    "size_max",
    "lockout_after",
    "lockout",
    "lockout_extends",
    "domains",
    "mx",
    "region_mx",
    "mx_sets",
    "spf",
    "dkim",
    "headers",
    "family",
    "kind",
];

/// Is this a key of a provider that has a value?
pub(super) fn is_key(key: &str) -> bool {
    KEYS.contains(&key)
}

/// What is known of a value.
#[derive(Clone, Debug, PartialEq)]
pub enum Known {
    /// It is this.
    Value(Value),
    /// Nobody has found it out.
    Unknown,
    /// There is none, or it does not apply.
    None,
}

/// One value of a preset.
#[derive(Clone, Debug)]
pub struct Fact<'a> {
    /// Its key in the files.
    pub key: &'static str,
    /// What is known.
    pub known: Known,
    /// The value in words; none when only the value itself says it.
    said: Option<Text>,
    /// Where it was found.
    pub source: Option<&'a Source>,
}

impl Fact<'_> {
    /// What the key means.
    pub fn label(&self) -> Text {
        label(self.key)
    }

    /// What is known, in words.
    pub fn shown(&self, lang: Lang) -> String {
        let text = match (&self.known, &self.said) {
            (Known::Unknown, _) => text!("unknown"),
            (Known::None, _) => text!("none"),
            (Known::Value(_), Some(said)) => said.clone(),
            (Known::Value(value), None) => shown(value),
        };
        text.in_lang(lang)
    }
}

fn shown(value: &Value) -> Text {
    match value {
        Value::Boolean(true) => text!("yes"),
        Value::Boolean(false) => text!("no"),
        Value::String(text) => text.into(),
        Value::Array(values) => {
            let is_nested = values.iter().any(Value::is_array);
            Text::joined(values.iter().map(shown), if is_nested { "; " } else { ", " })
        }
        Value::Table(table) => Text::joined(
            table
                .iter()
                .map(|(key, value)| Text::joined([key.into(), shown(value)], " ")),
            ", ",
        ),
        Value::Integer(number) => (*number).into(),
        Value::Float(number) => number.to_string().into(),
        Value::Datetime(day) => day.to_string().into(),
    }
}

impl Book {
    /// Everything about this preset, known or not.
    pub fn facts(&self, preset: &Preset) -> Vec<Fact<'_>> {
        let Some(entry) = self.entry(&preset.name) else {
            return Vec::new();
        };
        let source = |name: &str| self.sources.get(name);
        let fact = |key: &'static str| {
            let from = match entry.origins.get(key) {
                Some(Origin::From(name)) => source(name),
                Some(Origin::User) => source("user"),
                _ => None,
            };
            let known = match (entry.table.get(key), entry.origins.get(key)) {
                (Some(value), _) if key == "same_recipient" => Known::Value(in_english(value)),
                (Some(value), _) => Known::Value(value.clone()),
                (None, Some(Origin::None)) => Known::None,
                (None, _) => Known::Unknown,
            };
            let hint = preset.values.password_hint.as_ref();
            let hint = hint.filter(|_| key == "password_hint");
            Fact {
                key,
                said: said(key, &preset.values),
                known: of_region(key, preset)
                    .filter(|_| known != Known::None)
                    .unwrap_or(known),
                source: hint.and_then(|hint| source(hint.from.as_deref()?)).or(from),
            }
        };
        let keys = KEYS
            .into_iter()
            .filter(|key| !key.starts_with("region_") || entry.table.contains_key(*key));
        keys.map(fact).collect()
    }

    /// A source by its name.
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.sources.get(name)
    }

    /// All sources, by name.
    pub fn sources(&self) -> impl Iterator<Item = (&str, &Source)> {
        self.sources.iter().map(|(name, source)| (name.as_str(), source))
    }
}

/// Words as data: programs get the English ones.
fn in_english(words: &Value) -> Value {
    words.get("en").unwrap_or(words).clone()
}

/// What a region has of its own.
fn of_region(key: &str, preset: &Preset) -> Option<Known> {
    preset.region.as_ref()?;
    let text = |text: String| Known::Value(Value::String(text));
    let values = &preset.values;
    match key {
        "host" => Some(text(preset.host().to_owned())),
        "imap" => Some(
            values
                .imap
                .as_ref()
                .map_or(Known::Unknown, |imap| text(imap.to_string())),
        ),
        "pop" if values.pop.is_none() => Some(Known::Unknown),
        "mx" => {
            let hosts: Vec<Value> = values.mx.iter().cloned().map(Value::String).collect();
            Some(hosts)
                .filter(|hosts| !hosts.is_empty())
                .map(Value::Array)
                .map(Known::Value)
                .or(Some(Known::Unknown))
        }
        "mx_sets" if values.mx_sets.is_empty() => Some(Known::Unknown),
        _ => None,
    }
}

/// Values that are words in the file, and other words for people.
fn said(key: &str, values: &Values) -> Option<Text> {
    Some(match key {
        "kind" => values.kind?.said(),
        "scope" => values.scope?.said(),
        "username" => values.username.as_ref()?.said(),
        "password" if !values.password.is_empty() => {
            Text::joined(values.password.iter().map(|kind| kind.said()), " / ")
        }
        "day_resets" => match &values.day_resets.as_ref()?.0 {
            Reset::Rolling => text!("24 hours after each mail"),
            Reset::Midnight(zone) => {
                text!("at 00:00 {zone}", zone = zone.iana_name().unwrap_or("UTC"))
            }
        },
        "lockout" => values.lockout?.gap(),
        "password_hint" => values.password_hint.as_ref()?.into(),
        "same_recipient" => values.same_recipient.as_ref()?.into(),
        "headers" => {
            let rules = values.headers.as_ref()?;
            let tags = rules.tags.as_ref();
            let tags = tags.map(|rule| text!("tags in {header}", header = rule.header.as_str()));
            let stream = rules.stream.as_ref();
            let stream = stream.map(|header| text!("`stream` in {header}", header = header.as_str()));
            let track = rules.track.map(|_| text!("`track`"));
            Text::joined([tags, stream, track].into_iter().flatten(), ", ")
        }
        _ => return None,
    })
}

fn label(key: &str) -> Text {
    match key {
        "host" => text!("server"),
        "regions" => text!("servers of regions"),
        "ports" => text!("ports, in the order to try"),
        "imap" => text!("IMAP server"),
        "region_imap" => text!("IMAP servers of regions"),
        "pop" => text!("POP3 server"),
        "auth" => text!("ways to log in"),
        "username" => text!("user name"),
        "password" => text!("password"),
        "password_length" => text!("characters of the password"),
        "password_hint" => text!("where to make the password"),
        "from_is_login" => text!("From must be the login"),
        "per_second" => text!("mails a second"),
        "per_minute" => text!("mails a minute"),
        "per_hour" => text!("mails an hour"),
        "per_day" => text!("mails a day"),
        "scope" => text!("who shares the day's limit"),
        "day_resets" => text!("a day begins anew"),
        "same_recipient" => text!("mails to the same recipient"),
        "similar_per_minute" => text!("similar mails a minute"),
        "recipients_per_message" => text!("recipients of a mail"),
        "connections" => text!("connections at once"),
        "messages_per_connection" => text!("mails on a connection"),
        "size_max" => text!("largest mail"),
        "lockout_after" => text!("failed logins before it locks"),
        "lockout" => text!("locked for"),
        "lockout_extends" => text!("trying on makes it longer"),
        "domains" => text!("domains of its mailboxes"),
        "mx" => text!("MX hosts"),
        "region_mx" => text!("MX hosts of regions"),
        "mx_sets" => text!("MX records to set"),
        "spf" => text!("SPF includes"),
        "dkim" => text!("usual DKIM selectors"),
        "headers" => text!("headers of its own"),
        "family" => text!("family"),
        "kind" => text!("what it is"),
        _ => key.into(),
    }
}
