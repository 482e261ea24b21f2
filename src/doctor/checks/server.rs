//! For those who send by a server of their own: its name, and whether it or the domain stands on a block list.
//! Source: RFC 1912, 2.1; the requirements of Gmail and Yahoo (5.7.25).

use std::net::{IpAddr, Ipv4Addr};

use crate::doctor::Severity;
use crate::doctor::dns::{Book, Data, Kind, Name, Unsaid, Whom};
use crate::doctor::finding::{Checked, Finding};
use crate::text;

/// Lists of addresses.
const ADDRESS_LISTS: [&str; 3] = ["zen.spamhaus.org", "b.barracudacentral.org", "bl.spamcop.net"];
/// Lists of domains.
const DOMAIN_LISTS: [&str; 2] = ["dbl.spamhaus.org", "multi.surbl.org"];

/// The name of an address: it must exist, lead back, and look like that of a mail server.
pub fn reverse(book: &Book, ip: IpAddr, hello: Option<&str>) -> Checked {
    let name = Name::reverse(ip);
    let answer = book.look(&name, Kind::Ptr)?;
    let found = answer.of(&name, Kind::Ptr);
    let hosts = found.iter().filter_map(|record| match &record.data {
        Data::Ptr(host) => Some(host.clone()),
        _ => None,
    });
    let hosts: Vec<Name> = hosts.collect();
    let Some(first) = hosts.first() else {
        let what = text!("the address has no name (PTR): Gmail and Yahoo refuse its mail");
        let fix = text!("whoever gave you the address sets it: ask your hosting provider");
        return Ok(vec![Finding::error("PTR-01", ip, what).fix(fix)]);
    };
    let confirmed = match confirmed(book, ip, &hosts) {
        Err(Unsaid::Failed(why)) => return Ok(vec![Finding::unknown("PTR-01", ip, &why)]),
        other => other?,
    };
    let Some(host) = confirmed else {
        let what = text!(
            "the address is called {host}, but that name leads elsewhere",
            host = first.as_str()
        );
        let fix = text!(
            "give {host} the address {ip}, or change the PTR",
            host = first.as_str(),
            ip = ip.to_string()
        );
        return Ok(vec![Finding::error("PTR-01", ip, what).fix(fix)]);
    };
    let mut findings = Vec::new();
    if is_generic(host, ip) {
        let what = text!(
            "{host} looks like the name of a home or cloud line; many receivers distrust it",
            host = host.as_str()
        );
        let fix = text!("have the PTR changed to the name of your mail server");
        findings.push(Finding::warning("PTR-01", ip, what).fix(fix));
    }
    if let Some(hello) = hello.filter(|hello| !hello.eq_ignore_ascii_case(host.as_str())) {
        let what = text!(
            "the server says hello as {hello}, but its address is called {host}",
            hello,
            host = host.as_str()
        );
        findings
            .push(Finding::warning("PTR-01", ip, what).fix(text!("set `hello` to the name of the address")));
    }
    if findings.is_empty() {
        findings.push(Finding::ok(
            "PTR-01",
            ip,
            text!("{host}, and back", host = host.as_str()),
        ));
    }
    Ok(findings)
}

/// The first of these names that leads back to the address.
fn confirmed<'a>(book: &Book, ip: IpAddr, hosts: &'a [Name]) -> Result<Option<&'a Name>, Unsaid> {
    let mut found = None;
    for host in hosts {
        if book.addresses(host)?.contains(&ip) {
            found = found.or(Some(host));
        }
    }
    Ok(found)
}

/// Does the name contain the address, or say that it is handed out?
fn is_generic(host: &Name, ip: IpAddr) -> bool {
    let text = host.as_str();
    let has_number = match ip {
        IpAddr::V4(ip) => {
            let [a, b, c, d] = ip.octets();
            ["-", "."].iter().any(|by| {
                let numbers = |all: [u8; 4]| all.map(|octet| octet.to_string()).join(by);
                text.contains(&numbers([a, b, c, d])) || text.contains(&numbers([d, c, b, a]))
            })
        }
        IpAddr::V6(_) => false,
    };
    let words = [
        "dynamic",
        "dhcp",
        "dialup",
        "adsl",
        "pool",
        "broadband",
        "static-ip",
        "compute",
    ];
    has_number || words.iter().any(|word| text.contains(word))
}

/// Is the domain, or an address it sends from, on a block list?
pub fn block_lists(book: &Book, domain: &Name, ips: &[IpAddr]) -> Checked {
    let of_ips = ips.iter().flat_map(|ip| {
        ADDRESS_LISTS
            .iter()
            .map(move |list| (ip.to_string(), Name::on_list(*ip, list), *list))
    });
    let of_domain = DOMAIN_LISTS.iter().map(|list| {
        (
            domain.to_string(),
            Name::of_wire(&format!("{domain}.{list}")),
            *list,
        )
    });
    let mut findings = Vec::new();
    let (mut is_pending, mut clean) = (false, Vec::new());
    for (about, name, list) in of_ips.chain(of_domain) {
        // The system's resolver: lists refuse to answer the large public ones.
        match book.ask(Whom::Resolver(0), &name, Kind::A) {
            Err(Unsaid::Pending) => is_pending = true,
            Err(Unsaid::Failed(why)) => {
                findings.push(Finding::unknown("BL-01", format!("{about} {list}"), &why));
            }
            Ok(answer) => {
                let codes = answer
                    .of(&name, Kind::A)
                    .into_iter()
                    .filter_map(|record| match record.data {
                        Data::A(ip) => Some(ip),
                        _ => None,
                    });
                match codes.min() {
                    None => clean.push(list),
                    Some(code) => findings.push(listed(&about, list, code)),
                }
            }
        }
    }
    if is_pending {
        return Err(Unsaid::Pending);
    }
    if !clean.is_empty() {
        clean.dedup();
        findings.push(Finding::ok(
            "BL-01",
            domain,
            text!("not on {lists}", lists = clean.join(", ")),
        ));
    }
    Ok(findings)
}

/// What an answer of a list means. 127.255.255.0/24 says that the question was not answered. Source: Spamhaus.
fn listed(about: &str, list: &str, code: Ipv4Addr) -> Finding {
    let shown = code.to_string();
    let about = format!("{about} {list}");
    match code.octets() {
        [127, 255, 255, _] => {
            let what = text!(
                "the list does not answer this resolver ({code}); that is no listing",
                code = shown
            );
            let finding = Finding::new("BL-01", Severity::Unknown, about, what);
            finding.fix(text!("ask with a resolver of your own: --resolver"))
        }
        [127, ..] => {
            let what = text!("listed ({code})", code = shown);
            Finding::warning("BL-01", about, what).fix(text!(
                "look up why on the list's web site, mend it, then ask to be taken off"
            ))
        }
        _ => {
            let what = text!("the resolver makes up answers ({code})", code = shown);
            Finding::new("BL-01", Severity::Unknown, about, what)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_error_of_a_list_is_no_listing() {
        for (code, severity) in [
            ("127.0.0.2", Severity::Warning),
            ("127.255.255.254", Severity::Unknown),
            ("127.255.255.252", Severity::Unknown),
            ("198.51.100.1", Severity::Unknown),
        ] {
            assert_eq!(
                listed("a", "l", code.parse().unwrap()).severity,
                severity,
                "{code}"
            );
        }
    }

    #[test]
    fn names_of_lines_are_told_from_names_of_servers() {
        let ip: IpAddr = "192.0.2.7".parse().unwrap();
        let is = |text: &str| is_generic(&Name::parse(text).unwrap(), ip);
        assert!(is("192-0-2-7.isp.example") && is("7.2.0.192.dyn.example") && is("host.dynamic.example"));
        assert!(!is("mail.example.com"));
    }
}
