//! From where an account may log in: `egress_allow`. Providers block accounts that log in from unusual networks.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// The networks that an account may log in from; none when any will do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Egress(Vec<IpNet>);

/// What can be said of our address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Passage {
    /// It is in one of the networks, or any will do.
    Allowed,
    /// It is in none of them.
    Refused,
    /// Our end has a private address: others see that of a router, which is not known here.
    Hidden,
}

impl Egress {
    /// Reads the networks, such as `203.0.113.0/24` or `203.0.113.7`; the first that is none.
    pub fn parse<'a>(networks: impl IntoIterator<Item = &'a str>) -> Result<Self, &'a str> {
        let one = |text: &'a str| {
            let network = text.parse::<IpNet>().ok();
            network
                .or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
                .ok_or(text)
        };
        networks.into_iter().map(one).collect::<Result<_, _>>().map(Self)
    }

    /// Is anything said about where to log in from?
    pub fn is_limited(&self) -> bool {
        !self.0.is_empty()
    }

    /// May we log in from this address? Private ones are compared only when a private network is in the list: whoever
    /// writes one means it.
    pub fn judge(&self, ip: IpAddr) -> Passage {
        let ip = ip.to_canonical();
        if self.0.is_empty() || self.0.iter().any(|network| network.contains(&ip)) {
            Passage::Allowed
        } else if is_private(ip) && !self.0.iter().any(|network| is_private(network.addr())) {
            Passage::Hidden
        } else {
            Passage::Refused
        }
    }
}

/// Is this an address that only a network of its own knows?
pub fn is_private(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            // 100.64.0.0/10 is shared by carriers. Source: RFC 6598.
            let is_shared = a == 100 && b & 0xC0 == 64;
            ip.is_private() || ip.is_loopback() || ip.is_link_local() || ip.is_unspecified() || is_shared
        }
        IpAddr::V6(ip) => {
            ip.is_loopback() || ip.is_unspecified() || ip.is_unique_local() || ip.is_unicast_link_local()
        }
    }
}

/// What no server on the Internet has for its address, beside private ones. Networks for documents are left out: they
/// stand for public ones. Source: the IANA registries of special-purpose addresses for IPv4 and IPv6.
const SPECIAL: [(IpAddr, u8); 11] = [
    (v4(0, 0), 8),
    (v4(192, 0), 24),
    (IpAddr::V4(Ipv4Addr::new(192, 88, 99, 0)), 24),
    (v4(198, 18), 15),
    (v4(224, 0), 4),
    (v4(240, 0), 4),
    (v6(0x0100, 0), 64),
    (v6(0x2001, 0), 23),
    (v6(0x2002, 0), 16),
    (v6(0x5f00, 0), 16),
    (v6(0xff00, 0), 8),
];

const fn v4(a: u8, b: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, 0, 0))
}

const fn v6(a: u16, b: u16) -> IpAddr {
    IpAddr::V6(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0))
}

/// Is this an address that no server on the Internet can have: a private one, one for groups, for tests or for nothing yet?
pub fn is_special(ip: IpAddr) -> bool {
    let ip = ip.to_canonical();
    let is_in = |(network, length): (IpAddr, u8)| {
        IpNet::new(network, length).is_ok_and(|network| network.contains(&ip))
    };
    is_private(ip) || SPECIAL.into_iter().any(is_in)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_compared_only_when_a_private_network_is_named() {
        let judge = |networks: &[&str], ip: &str| {
            Egress::parse(networks.iter().copied())
                .unwrap()
                .judge(ip.parse().unwrap())
        };
        let office = ["203.0.113.0/24"];
        assert_eq!(judge(&[], "198.51.100.1"), Passage::Allowed);
        assert_eq!(judge(&office, "203.0.113.9"), Passage::Allowed);
        assert_eq!(judge(&office, "::ffff:203.0.113.9"), Passage::Allowed);
        assert_eq!(judge(&office, "198.51.100.1"), Passage::Refused);
        assert_eq!(judge(&office, "10.0.0.5"), Passage::Hidden);
        assert_eq!(judge(&["10.1.0.0/16"], "10.0.0.5"), Passage::Refused);
        assert_eq!(judge(&["10.1.0.0/16"], "10.1.2.3"), Passage::Allowed);
        assert_eq!(Egress::parse(["203.0.113.7", "office"]), Err("office"));
    }

    #[test]
    fn no_server_on_the_internet_has_a_special_address() {
        for special in [
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.9.9.9",
            "169.254.1.1",
            "172.31.0.1",
            "192.0.0.8",
            "192.168.1.1",
            "198.19.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "100::1",
            "2001::1",
            "2002:a00:1::1",
            "fc00::1",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(is_special(special.parse().unwrap()), "{special}");
        }
        for public in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.32.0.1",
            "192.0.2.1",
            "198.20.0.1",
            "203.0.113.7",
            "223.255.255.255",
            "2001:4860::1",
            "2001:db8::7",
            "2400:3200::1",
            "::ffff:203.0.113.7",
        ] {
            assert!(!is_special(public.parse().unwrap()), "{public}");
        }
    }
}
