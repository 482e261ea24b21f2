//! A preset: the values of one provider, in one of its regions.

use super::values::{Port, Values};
use crate::campaign::quota::{Rate, Reset, Unit};
use crate::words::Lang;

/// The starting values of a provider's accounts.
#[derive(Clone, Debug)]
pub struct Preset {
    /// Its name: `alimail`, or `alimail-sg` for a region.
    pub name: String,
    /// The region that was chosen.
    pub region: Option<String>,
    /// What is known.
    pub values: Values,
}

impl Preset {
    /// The name people know it by.
    pub fn title(&self, lang: Lang) -> String {
        let title = self.values.title.as_ref();
        let title = title.map_or(self.name.as_str(), |title| title.in_lang(lang));
        match &self.region {
            Some(region) => format!("{title} · {region}"),
            None => title.to_owned(),
        }
    }

    /// Whose rules for replies hold; its own name when nothing else is said.
    pub fn family(&self) -> &str {
        self.values.family.as_deref().unwrap_or(&self.name)
    }

    /// Where to connect.
    pub fn host(&self) -> &str {
        self.values.host.as_deref().unwrap_or_default()
    }

    /// The port to try first.
    pub fn port(&self) -> Option<Port> {
        self.values.ports.first().copied()
    }

    /// What an account may send.
    pub fn rates(&self) -> Vec<Rate> {
        let values = &self.values;
        let rates = [
            (values.per_second, Unit::Second),
            (values.per_minute, Unit::Minute),
            (values.per_hour, Unit::Hour),
            (values.per_day, Unit::Day),
        ];
        let known = rates
            .into_iter()
            .filter_map(|(limit, unit)| Some(Rate { limit: limit?, unit }));
        known.collect()
    }

    /// When a day's quota begins anew.
    pub fn day_resets(&self) -> Reset {
        self.values
            .day_resets
            .clone()
            .map(|day| day.0)
            .unwrap_or_default()
    }
}
