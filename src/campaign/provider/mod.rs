//! What mailshot knows about providers: presets for accounts, as data in `providers.toml`, each value with its source.
//! `[provider.NAME]` in mailshot.toml adds providers, and changes what is said of known ones.

mod book;
mod detect;
mod facts;
mod headers;
mod preset;
mod source;
mod values;

use std::sync::LazyLock;
use std::time::Duration;

pub use book::Book;
pub(super) use book::RawProviders;
pub use facts::{Fact, Known};
pub use headers::{HeaderName, HeaderRules, Sort, TagRule, Track, plain_fault};
pub use preset::Preset;
pub use source::{Confidence, Source, SourceKind};
pub use values::{Endpoint, Kind, PasswordKind, Port, Scope, Tls, Username, Values};

use super::retry::Span;

/// How long an account is left alone after a refused login, when nothing else is known. Alibaba locks for one hour.
pub const LOCKOUT: Span = Span(Duration::from_hours(1));

/// What stands in `providers.toml`.
static BUILT_IN: LazyLock<Book> = LazyLock::new(Book::built_in);

/// The providers that mailshot knows by itself.
pub fn built_in() -> &'static Book {
    &BUILT_IN
}

/// The preset of this name, or of a region as `alimail-sg`.
pub fn preset(name: &str) -> Option<Preset> {
    BUILT_IN.preset(name)
}

/// The names of all presets.
pub fn names() -> Vec<String> {
    BUILT_IN.names().map(str::to_owned).collect()
}

/// The provider that takes mail for a domain with these MX hosts, the preferred one first.
pub fn by_mx(hosts: &[String]) -> Option<String> {
    BUILT_IN.by_mx(hosts)
}

/// The provider whose mailboxes have addresses of this domain, such as `gmail.com`.
pub fn by_domain(domain: &str) -> Option<String> {
    BUILT_IN.by_domain(domain)
}

#[cfg(test)]
mod tests;
