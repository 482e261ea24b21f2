//! The resolvers that are asked: the system's, well-known public ones in China and elsewhere, or those that are given.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::str::FromStr;

use crate::text;
use crate::words::Text;

/// The port of the DNS.
pub const PORT: u16 = 53;

/// A resolver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolver {
    /// What it is called.
    pub label: String,
    /// Where it is asked.
    pub address: SocketAddr,
}

/// Public resolvers, in China first. Source: docs/decisions.md, "the doctor's resolvers".
const PUBLIC: [(&str, [u8; 4]); 8] = [
    ("AliDNS", [223, 5, 5, 5]),
    ("AliDNS-2", [223, 6, 6, 6]),
    ("DNSPod", [119, 29, 29, 29]),
    ("114DNS", [114, 114, 114, 114]),
    ("Baidu", [180, 76, 76, 76]),
    ("Cloudflare", [1, 1, 1, 1]),
    ("Google", [8, 8, 8, 8]),
    ("Quad9", [9, 9, 9, 9]),
];

impl Resolver {
    /// Those that were given, else the usual ones.
    pub fn or_usual(given: &[Self]) -> Vec<Self> {
        if given.is_empty() {
            Self::usual()
        } else {
            given.to_vec()
        }
    }

    /// The system's own, then the public ones.
    pub fn usual() -> Vec<Self> {
        let public = PUBLIC.iter().map(|(label, ip)| Self {
            label: (*label).to_owned(),
            address: SocketAddr::from((*ip, PORT)),
        });
        Self::of_this_machine().into_iter().chain(public).collect()
    }

    /// The system's own.
    pub fn of_this_machine() -> Vec<Self> {
        let text = std::fs::read(Path::new("/etc/resolv.conf")).unwrap_or_default();
        Self::of_system(&text)
    }

    /// Those of a `resolv.conf`.
    fn of_system(text: &[u8]) -> Vec<Self> {
        let (config, _faults) = resolv_conf::Config::parse_with_errors(text);
        let ips = config.nameservers.iter().map(IpAddr::from);
        ips.enumerate()
            .map(|(index, ip)| Self {
                label: if index == 0 {
                    "system".to_owned()
                } else {
                    format!("system-{}", index + 1)
                },
                address: SocketAddr::new(ip, PORT),
            })
            .collect()
    }
}

impl FromStr for Resolver {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (label, place) = text
            .split_once('=')
            .map_or((None, text), |(label, place)| (Some(label), place));
        let address = place
            .parse::<SocketAddr>()
            .or_else(|_| place.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, PORT)))
            .map_err(|_not_one| {
                text!(
                    "`{place}` is not an IP address; write 223.5.5.5, 127.0.0.1:5300 or office=10.0.0.1",
                    place
                )
            })?;
        Ok(Self {
            label: label.map_or_else(|| place.to_owned(), str::to_owned),
            address,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resolvers_are_given_by_address_with_or_without_port_and_label() {
        let parse = |text: &str| {
            text.parse::<Resolver>()
                .map(|resolver| (resolver.label, resolver.address))
        };
        let at = |text: &str| text.parse::<SocketAddr>().unwrap();
        assert_eq!(
            parse("127.0.0.1:5300"),
            Ok(("127.0.0.1:5300".to_owned(), at("127.0.0.1:5300")))
        );
        assert_eq!(
            parse("office=10.0.0.1"),
            Ok(("office".to_owned(), at("10.0.0.1:53")))
        );
        assert_eq!(parse("[::1]:53").unwrap().1, at("[::1]:53"));
        assert!(parse("dns.google").is_err());
    }

    #[test]
    fn the_systems_resolvers_come_from_its_file() {
        let found = Resolver::of_system(b"search x\nnameserver 10.0.0.2\n# no\nnameserver ::1\n");
        let shown: Vec<String> = found
            .iter()
            .map(|one| format!("{} {}", one.label, one.address))
            .collect();
        assert_eq!(shown, ["system 10.0.0.2:53", "system-2 [::1]:53"]);
    }
}
