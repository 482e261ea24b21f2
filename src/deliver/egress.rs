//! Before the login: are we in a network that the account may be used from?

use std::net::IpAddr;

use super::session::config;
use crate::campaign::{Egress, Passage};
use crate::mail::Fault;

/// How a fault begins that says that we are in the wrong network.
const WRONG_NETWORK: &str = "this network is not in egress_allow";

/// Was the login not tried because we are in a network that the account may not be used from?
pub fn is_wrong_network(fault: &Fault) -> bool {
    fault.reply.is_none() && fault.note.starts_with(WRONG_NETWORK)
}

/// Before the login: are we where the account may be used? A private address says nothing, unless the server tells by
/// which one it sees us.
pub(super) fn check_egress(
    egress: &Egress,
    local: Option<IpAddr>,
    seen_as: Option<IpAddr>,
) -> Result<(), Fault> {
    let mut known = [local, seen_as].into_iter().flatten();
    match known.find(|ip| egress.judge(*ip) != Passage::Hidden) {
        Some(ip) if egress.judge(ip) == Passage::Refused => Err(config(&format!(
            "{WRONG_NETWORK}: we come from {ip}; the login was not tried"
        ))),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_private_address_is_no_reason_unless_the_server_tells_another() {
        let egress = Egress::parse(["203.0.113.0/24"]).unwrap();
        let ip = |text: &str| Some(text.parse().unwrap());
        assert!(check_egress(&egress, ip("10.0.0.1"), None).is_ok());
        assert!(check_egress(&egress, ip("10.0.0.1"), ip("203.0.113.9")).is_ok());
        let fault = check_egress(&egress, ip("10.0.0.1"), ip("198.51.100.1")).unwrap_err();
        assert!(is_wrong_network(&fault));
        assert!(check_egress(&egress, ip("198.51.100.1"), ip("203.0.113.9")).is_err());
    }
}
