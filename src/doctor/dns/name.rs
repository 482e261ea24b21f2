//! Domain names, compared as the DNS compares them: without regard to case, and without the final dot.

use std::fmt;
use std::net::IpAddr;

use serde::Serialize;

use crate::mail::domain::is_within;
use crate::words::{Shown, Text};

/// A domain name in lower case and A-labels, without the final dot; the root is empty.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Name(String);

/// Octets of a name at most. Source: RFC 1035, 2.3.4.
const NAME_MAX: usize = 253;
/// Octets of a label at most.
const LABEL_MAX: usize = 63;

impl Name {
    /// A name as people write it, also with letters of any script; none when it is not one.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.strip_suffix('.').unwrap_or(text);
        let ascii = if text.is_ascii() {
            text.to_ascii_lowercase()
        } else {
            idna::domain_to_ascii(text).ok()?
        };
        let is_label =
            |label: &str| !label.is_empty() && label.len() <= LABEL_MAX && label.bytes().all(is_usual);
        (ascii.len() <= NAME_MAX && ascii.split('.').all(is_label)).then_some(Self(ascii))
    }

    /// A name as it came over the wire.
    pub fn of_wire(text: &str) -> Self {
        Self(text.strip_suffix('.').unwrap_or(text).to_ascii_lowercase())
    }

    /// The name of the PTR record of an address. Source: RFC 1035, 3.5; RFC 3596, 2.5.
    pub fn reverse(ip: IpAddr) -> Self {
        Self(format!(
            "{}.{}",
            reversed(ip),
            match ip {
                IpAddr::V4(_) => "in-addr.arpa",
                IpAddr::V6(_) => "ip6.arpa",
            }
        ))
    }

    /// The name of an address on a block list.
    pub fn on_list(ip: IpAddr, list: &str) -> Self {
        Self(format!("{}.{list}", reversed(ip)))
    }

    /// As text; the root is empty.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `label.self`.
    #[must_use]
    pub fn below(&self, label: &str) -> Self {
        Self(format!("{label}.{}", self.0))
    }

    /// The name without its first label; none for a name of one label.
    pub fn parent(&self) -> Option<Self> {
        self.0.split_once('.').map(|(_, rest)| Self(rest.to_owned()))
    }

    /// How many labels it has.
    pub fn labels(&self) -> usize {
        if self.0.is_empty() {
            0
        } else {
            self.0.split('.').count()
        }
    }

    /// Is it `other`, or below it?
    pub fn is_within(&self, other: &str) -> bool {
        is_within(&self.0, other)
    }

    /// Its last `count` labels.
    #[must_use]
    pub fn last(&self, count: usize) -> Self {
        let labels: Vec<&str> = self.0.split('.').collect();
        let from = labels.len().saturating_sub(count);
        Self(labels.get(from..).unwrap_or_default().join("."))
    }

    /// What stands before `zone`, as DNS consoles ask for it: `@` for the zone itself.
    pub fn host_in(&self, zone: &Self) -> String {
        match self.0.strip_suffix(zone.as_str()) {
            Some("") => "@".to_owned(),
            Some(before) => before.trim_end_matches('.').to_owned(),
            None => self.0.clone(),
        }
    }
}

fn is_usual(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')
}

fn reversed(ip: IpAddr) -> String {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            format!("{d}.{c}.{b}.{a}")
        }
        IpAddr::V6(ip) => {
            let nibbles = ip
                .octets()
                .into_iter()
                .rev()
                .flat_map(|octet| [octet & 15, octet >> 4]);
            nibbles
                .map(|nibble| format!("{nibble:x}"))
                .collect::<Vec<_>>()
                .join(".")
        }
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_empty() { "." } else { &self.0 })
    }
}

impl From<&Name> for Text {
    fn from(name: &Name) -> Self {
        Self::Plain(name.to_string())
    }
}

impl Shown for Name {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_the_dns_compares_them() {
        assert_eq!(Name::parse("Mail.Example.COM."), Name::parse("mail.example.com"));
        assert_eq!(
            Name::parse("邮件.example").unwrap().as_str(),
            "xn--5nq051n.example"
        );
        for wrong in ["", "a..b", "a b.c", "-x,y.z"] {
            assert_eq!(Name::parse(wrong), None, "{wrong}");
        }
        let name = Name::parse("a.b.example.com").unwrap();
        assert!(name.is_within("example.com") && !name.is_within("ample.com"));
        assert_eq!(name.last(2).as_str(), "example.com");
        assert_eq!(name.host_in(&name.last(2)), "a.b");
        assert_eq!(name.last(2).host_in(&name.last(2)), "@");
    }

    #[test]
    fn reverse_names_are_those_of_the_rfcs() {
        let name = Name::reverse("192.0.2.7".parse().unwrap());
        assert_eq!(name.as_str(), "7.2.0.192.in-addr.arpa");
        let name = Name::reverse("2001:db8::1".parse().unwrap());
        assert!(name.as_str().starts_with("1.0.0.0.") && name.as_str().ends_with("8.b.d.0.1.0.0.2.ip6.arpa"));
        assert_eq!(name.labels(), 34);
    }
}
