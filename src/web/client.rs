//! Who asks: the address at the other end; behind a proxy that we trust, the one that it names.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::extract::Request;
use ipnet::IpNet;

/// The other end of a connection; put into every request by the listener.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) SocketAddr);

/// Entries of a header that are looked at, at most.
const HOPS_MAX: usize = 64;

/// Who asks, as far as limits go: an address of IPv4, or the network of an address of IPv6, whose owners have 2^64 of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Client(pub(super) IpAddr);

impl Client {
    /// Who sent a request.
    pub(super) fn of(request: &Request, trusted: &[IpNet]) -> Self {
        // The listener names the peer; who comes without one is nobody in particular.
        let peer = request.extensions().get::<Peer>();
        let peer = peer.map_or(IpAddr::V6(Ipv6Addr::UNSPECIFIED), |peer| peer.0.ip());
        let said = request.headers().get_all("x-forwarded-for");
        let said: Vec<&str> = said.iter().filter_map(|value| value.to_str().ok()).collect();
        Self::behind(peer, &said, trusted)
    }

    /// The client behind proxies: the right-most address that is not of a proxy we trust. What stands further left was
    /// written by whoever asks, and may be anything. Source: MDN, X-Forwarded-For.
    pub(super) fn behind(peer: IpAddr, forwarded: &[&str], trusted: &[IpNet]) -> Self {
        let mut last = peer.to_canonical();
        let hops = forwarded.iter().flat_map(|line| line.split(',')).rev();
        for hop in hops.take(HOPS_MAX) {
            if !is_among(trusted, last) {
                break;
            }
            // A proxy that writes what is no address names nobody: then it is the proxy that asks.
            let Some(address) = parse(hop) else { break };
            last = address;
        }
        Self(network(last))
    }
}

/// Is this address one of a proxy that we trust?
pub(super) fn is_among(trusted: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    trusted.iter().any(|network| network.contains(&address))
}

/// `203.0.113.7`, `203.0.113.7:4711`, `2001:db8::1`, `[2001:db8::1]:4711`.
fn parse(hop: &str) -> Option<IpAddr> {
    let hop = hop.trim();
    let bare = hop.trim_start_matches('[').trim_end_matches(']');
    let plain = bare.parse::<IpAddr>().ok();
    let with_port = || hop.parse::<SocketAddr>().ok().map(|address| address.ip());
    plain.or_else(with_port).map(|address| address.to_canonical())
}

/// The address, or of IPv6 its /64.
pub(super) fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let host = u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !host))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn behind(peer: &str, forwarded: &[&str]) -> String {
        let trusted = ["10.0.0.0/8", "2001:db8:1::/48"].map(|network| network.parse().unwrap());
        Client::behind(peer.parse().unwrap(), forwarded, &trusted)
            .0
            .to_string()
    }

    #[test]
    fn only_a_proxy_that_is_trusted_names_the_client() {
        for (peer, forwarded, client) in [
            ("203.0.113.7", vec!["198.51.100.1"], "203.0.113.7"),
            ("10.0.0.1", vec!["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", vec![], "10.0.0.1"),
            // What the client wrote stands on the left.
            ("10.0.0.1", vec!["1.2.3.4, 198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", vec!["1.2.3.4", "198.51.100.1"], "198.51.100.1"),
            // A proxy behind a proxy.
            (
                "10.0.0.1",
                vec!["1.2.3.4, 198.51.100.1, 10.9.9.9"],
                "198.51.100.1",
            ),
            ("10.0.0.1", vec!["10.2.2.2, 10.9.9.9"], "10.2.2.2"),
            ("10.0.0.1", vec!["198.51.100.1, unknown"], "10.0.0.1"),
            ("10.0.0.1", vec!["198.51.100.1:4711"], "198.51.100.1"),
            ("::ffff:10.0.0.1", vec!["::ffff:198.51.100.1"], "198.51.100.1"),
            (
                "2001:db8:1::1",
                vec!["[2001:db8:2:3:4:5:6:7]:80"],
                "2001:db8:2:3::",
            ),
            ("10.0.0.1", vec![""], "10.0.0.1"),
        ] {
            assert_eq!(behind(peer, &forwarded), client, "{peer} {forwarded:?}");
        }
    }

    #[test]
    fn whoever_has_a_network_of_ipv6_is_one_client() {
        let one = behind("2001:db8:2:3::1", &[]);
        assert_eq!(one, behind("2001:db8:2:3:ffff::9", &[]));
        assert_ne!(one, behind("2001:db8:2:4::1", &[]));
    }
}
