//! All presets: those of `providers.toml`, and what mailshot.toml adds to them or says otherwise.

use std::collections::BTreeMap;

use toml::{Spanned, Table, Value};

use super::preset::Preset;
use super::source::Source;
use super::values::Values;
use crate::campaign::explain::closest;
use crate::campaign::file::File;
use crate::campaign::problem::{Problem, Problems};
use crate::text;
use crate::words::Text;

/// `[provider.NAME]` as written: the same keys as in `providers.toml`, with plain values.
pub(in crate::campaign) type RawProviders = BTreeMap<Spanned<String>, Values>;

/// The region of a host that all regions share the form of.
const ANY: &str = "*";

/// What is known about a key of a preset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// The source of its value, by name.
    From(String),
    /// It stands in mailshot.toml.
    User,
    /// Nobody has found it out.
    Unknown,
    /// There is none, or it does not apply.
    None,
}

/// A preset as a table, with the origin of each value.
#[derive(Clone, Debug, Default)]
pub(super) struct Entry {
    pub(super) table: Table,
    pub(super) origins: BTreeMap<String, Origin>,
}

/// Presets by name, with their sources.
#[derive(Clone, Debug, Default)]
pub struct Book {
    pub(super) entries: BTreeMap<String, Entry>,
    pub(super) sources: BTreeMap<String, Source>,
    /// Providers of the user's that cannot be used, which is said already.
    broken: Vec<String>,
}

/// Keys that are not values.
const NOT_VALUES: [&str; 3] = ["like", "unknown", "none"];

impl Entry {
    /// The same with this table laid over it. `origin` says where its plain values come from.
    fn with(&self, over: &Table, origin: &Origin) -> Self {
        let mut new = self.clone();
        for (key, list) in [("unknown", Origin::Unknown), ("none", Origin::None)] {
            for name in texts(over.get(key)) {
                new.table.remove(name);
                new.origins.insert(name.to_owned(), list.clone());
            }
        }
        for (key, value) in over.iter().filter(|(key, _)| !NOT_VALUES.contains(&key.as_str())) {
            let (value, origin) = match value.as_table().and_then(sourced) {
                Some((value, from)) => (value, Origin::From(from.to_owned())),
                None => (value, origin.clone()),
            };
            new.table.insert(key.clone(), value.clone());
            new.origins.insert(key.clone(), origin);
        }
        new
    }
}

/// A value that is written with its source.
fn sourced(table: &Table) -> Option<(&Value, &str)> {
    Some((table.get("is")?, table.get("from")?.as_str()?))
}

fn texts(value: Option<&Value>) -> impl Iterator<Item = &str> {
    value
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
}

impl Book {
    /// What mailshot knows by itself.
    pub(super) fn built_in() -> Self {
        let all: Table = toml::from_str(include_str!("providers.toml")).unwrap_or_default();
        let mut book = Self::default();
        let sources = all.get("source").and_then(Value::as_table);
        for (name, source) in sources.into_iter().flatten() {
            if let Ok(source) = source.clone().try_into() {
                book.sources.insert(name.clone(), source);
            }
        }
        let tables = || all.iter().filter(|(name, _)| *name != "source");
        let tables = || tables().filter_map(|(name, table)| Some((name, table.as_table()?)));
        // A preset may be like another that is like a third.
        while book.entries.len() < tables().count() {
            let known = book.entries.len();
            for (name, table) in tables() {
                if let Some(base) = book.base(table.get("like").and_then(Value::as_str))
                    && !book.entries.contains_key(name)
                {
                    book.entries
                        .insert(name.clone(), base.with(table, &Origin::Unknown));
                }
            }
            if book.entries.len() == known {
                break;
            }
        }
        book
    }

    /// What a preset begins with: another, or nothing.
    fn base(&self, like: Option<&str>) -> Option<Entry> {
        match like {
            Some(like) => self.entries.get(like).cloned(),
            None => Some(Entry::default()),
        }
    }

    /// The names of all presets.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.keys().map(String::as_str)
    }

    /// All presets, without their regions.
    pub fn all(&self) -> Vec<Preset> {
        self.names().filter_map(|name| self.preset(name)).collect()
    }

    /// All presets, each followed by those of its regions that have a name.
    pub fn all_with_regions(&self) -> Vec<Preset> {
        let regions = |preset: Preset| {
            let known: Vec<String> = preset.values.regions.keys().cloned().collect();
            let named = known.iter().filter(|region| *region != ANY);
            let regions: Vec<Preset> = named
                .filter_map(|region| self.in_region(preset.clone(), region))
                .collect();
            std::iter::once(preset).chain(regions)
        };
        self.all().into_iter().flat_map(regions).collect()
    }

    /// The preset of this name, or of a region as `alimail-sg`.
    pub fn preset(&self, name: &str) -> Option<Preset> {
        if let Some(entry) = self.entries.get(name) {
            return Some(Preset {
                name: name.to_owned(),
                region: None,
                values: entry.table.clone().try_into().ok()?,
            });
        }
        let mut cuts = name.match_indices('-');
        cuts.find_map(|(at, _)| {
            let (name, region) = name.split_at_checked(at)?;
            let preset = self.entries.get(name).and(self.preset(name))?;
            self.in_region(preset, region.trim_start_matches('-'))
        })
    }

    /// A preset in one of its regions; none, when it has no such region.
    pub fn in_region(&self, mut preset: Preset, region: &str) -> Option<Preset> {
        let regions = &preset.values.regions;
        let is_name = !region.is_empty() && region.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let host = regions
            .get(region)
            .or_else(|| regions.get(ANY))
            .filter(|_| is_name)?;
        let host = host.replace("{region}", region);
        preset.name = format!("{}-{region}", preset.name);
        preset.region = Some(region.to_owned());
        preset.values.host = Some(host);
        // Servers for incoming mail and MX records are those of the provider's own country.
        let own = &preset.values;
        if own.region_imap.contains_key(region) || own.region_mx.contains_key(region) {
            let imap = own.region_imap.get(region).cloned();
            let mx = own.region_mx.get(region).cloned().unwrap_or_default();
            preset.values.imap = imap;
            preset.values.pop = None;
            preset.values.mx = mx;
            preset.values.mx_sets.clear();
        }
        Some(preset)
    }

    /// The entry behind a name, which may have a region.
    pub(super) fn entry(&self, name: &str) -> Option<&Entry> {
        let cuts = name.match_indices('-').map(|(at, _)| at).chain([name.len()]);
        let mut cuts = cuts.collect::<Vec<_>>().into_iter().rev();
        cuts.find_map(|at| self.entries.get(name.get(..at)?))
    }

    /// Is this a provider of the user's with a fault that has been said?
    pub(in crate::campaign) fn is_broken(&self, name: &str) -> bool {
        self.broken.iter().any(|broken| broken == name)
    }

    /// The known name that is most like this one.
    pub fn closest(&self, name: &str) -> Option<&str> {
        closest(name, &self.names().collect::<Vec<_>>())
    }

    /// This book with what mailshot.toml says of providers.
    pub(in crate::campaign) fn with<T>(
        &self,
        raw: &RawProviders,
        file: &File<'_, T>,
        problems: &mut Problems,
    ) -> Self {
        let mut new = self.clone();
        new.sources.insert("user".to_owned(), Source::user());
        let written: Table = toml::from_str(&file.text).unwrap_or_default();
        let written = written.get("provider").and_then(Value::as_table);
        for (name, values) in raw {
            let at = |what: Text| file.problem(name, what);
            if let Some(problem) = new.fault(name.get_ref(), values, at) {
                problems.push(problem);
                new.broken.push(name.get_ref().clone());
                continue;
            }
            let known = new.entries.get(name.get_ref()).cloned();
            let base = match (&values.like, known) {
                (Some(like), _) => new.base(Some(like)),
                (None, known) => known.or_else(|| Some(Entry::default())),
            };
            let table = written.and_then(|all| all.get(name.get_ref())?.as_table());
            if let (Some(base), Some(table)) = (base, table) {
                let entry = base.with(table, &Origin::User);
                new.entries.insert(name.get_ref().clone(), entry);
            }
        }
        new
    }

    /// What is wrong with a provider of the user's as a whole.
    fn fault(&self, name: &str, values: &Values, at: impl Fn(Text) -> Problem) -> Option<Problem> {
        let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if name.is_empty() || !name.chars().all(is_plain) || name.starts_with('-') {
            let problem = at(text!("a provider's name has small letters, digits and `-`"));
            return Some(problem.hint(text!("write it like [provider.our-relay]")));
        }
        if let Some(like) = values
            .like
            .as_deref()
            .filter(|like| !self.entries.contains_key(*like))
        {
            let problem = at(text!("like `{like}`: there is no such provider", like));
            return Some(problem.hint(self.closest(like).map_or_else(
                || text!("`mailshot providers` lists them"),
                |known| text!("did you mean `{known}`?", known),
            )));
        }
        let is_new = values.like.is_none() && !self.entries.contains_key(name);
        if is_new && (values.host.is_none() || values.ports.is_empty()) {
            let problem = at(text!(
                "the provider `{name}` is new here, and says no `host` and `ports`",
                name
            ));
            return Some(problem.hint(self.closest(name).map_or_else(
                || text!("write `host = \"smtp.example.com\"` and `ports = [\"465 tls\"]`, or `like`"),
                |known| text!(
                    "write `host = \"smtp.example.com\"` and `ports = [\"465 tls\"]`, or `like = \"{known}\"`",
                    known
                ),
            )));
        }
        let strange = values.unknown.iter().chain(&values.none);
        let mut strange = strange.filter(|key| !super::facts::is_key(key));
        let key = strange.next()?;
        Some(at(text!("`{key}` is no key of a provider", key)))
    }
}
