//! What mailshot knows about providers: presets for accounts, as data in `providers.toml`.

use std::collections::BTreeMap;
use std::sync::LazyLock;
use std::time::Duration;

use serde::Deserialize;

use super::octets::Octets;
use super::quota::{Rate, Reset};
use super::retry::Span;

/// How long an account is left alone after a refused login, when nothing else is known. Alibaba locks for one hour.
pub const LOCKOUT: Span = Span(Duration::from_hours(1));

/// How the link is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tls {
    /// Not at all: only towards this machine, or when `allow_plaintext` says so.
    #[serde(alias = "None", alias = "NONE")]
    None,
    /// Plain at first, then STARTTLS, which the server must offer. Source: RFC 3207.
    #[serde(alias = "STARTTLS", alias = "StartTLS")]
    Starttls,
    /// TLS from the first byte. Source: RFC 8314, 3.3.
    #[serde(alias = "TLS", alias = "ssl", alias = "SSL")]
    Tls,
}

/// The starting values of a provider's accounts.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Preset {
    /// The name people know it by.
    pub title: String,
    /// Where to connect.
    pub host: String,
    /// On which port.
    pub port: u16,
    /// How the link is protected.
    pub tls: Tls,
    /// What an account may send.
    pub rates: Vec<Rate>,
    /// When a day's quota begins anew.
    #[serde(deserialize_with = "reset")]
    pub day_resets: Reset,
    /// Connections at the same time.
    pub connections: u16,
    /// The largest mail it takes, as it goes on the wire; none where that is not published: EHLO tells.
    pub size_max: Option<Octets>,
    /// How long to stay away after a refused login.
    pub lockout: Span,
}

fn reset<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Reset, D::Error> {
    String::deserialize(deserializer)?
        .parse()
        .map_err(serde::de::Error::custom)
}

static PRESETS: LazyLock<BTreeMap<String, Preset>> =
    LazyLock::new(|| toml::from_str(include_str!("providers.toml")).unwrap_or_default());

/// The preset of this name.
pub fn preset(name: &str) -> Option<Preset> {
    PRESETS.get(name).cloned()
}

/// The names of all presets.
pub fn names() -> Vec<String> {
    PRESETS.keys().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_preset_in_the_file_can_be_read() {
        let all: BTreeMap<String, Preset> = toml::from_str(include_str!("providers.toml")).unwrap();
        assert!(all.len() >= 6);
        let alimail = preset("alimail").unwrap();
        assert_eq!(alimail.host, "smtp.qiye.aliyun.com");
        assert_eq!(alimail.size_max.unwrap().0, 50 * 1_024 * 1_024);
    }
}
