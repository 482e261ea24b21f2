//! From where an account may log in: `egress_allow`. Providers block accounts that log in from unusual networks.

use std::net::IpAddr;

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
}
