//! The zone itself: its name servers, and lifetimes as the zone's own servers give them.

use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};

use crate::doctor::dns::{Book, Data, Kind, Name, NoAnswer, Resolver, Unsaid, Whom};
use crate::doctor::finding::{Checked, Finding, Severity};
use crate::text;

/// Shorter lifetimes mean a question for nearly every mail.
const TTL_MIN: u32 = 300;
/// Longer ones make every correction slow.
const TTL_MAX: u32 = 86_400;

/// Who can be asked.
#[derive(Clone, Copy, Debug)]
pub struct Sources<'a> {
    /// The resolvers, by number.
    pub resolvers: &'a [Resolver],
    /// The port of name servers.
    pub port: u16,
}

/// The zone that a name lies in; the name itself where nobody knows.
pub fn apex(book: &Book, domain: &Name) -> Result<Name, Unsaid> {
    Ok(found(book, domain)?.unwrap_or_else(|| domain.clone()))
}

/// The zone that a name lies in: the nearest name upwards with name servers.
pub fn found(book: &Book, domain: &Name) -> Result<Option<Name>, Unsaid> {
    let mut at = Some(domain.clone());
    while let Some(name) = at {
        if book.look(&name, Kind::Ns)?.own(&name, Kind::Ns).next().is_some() {
            // A name of one label is a public suffix: the zone of others.
            return Ok((name.labels() > 1).then_some(name));
        }
        at = name.parent();
    }
    Ok(None)
}

/// Does whoever is asked see anything of this domain, or at least of the public DNS above it? What does not may not be
/// taken for missing.
pub fn is_seen(book: &Book, domain: &Name) -> Result<bool, Unsaid> {
    for kind in [Kind::Mx, Kind::Txt] {
        if !book.look(domain, kind)?.records.is_empty() {
            return Ok(true);
        }
    }
    let top = domain.last(1);
    let apex = apex(book, domain)?;
    let has_servers = |name: &Name| Ok(!book.look(name, Kind::Ns)?.records.is_empty());
    Ok(has_servers(&apex)? || has_servers(&top)?)
}

/// What is said where nothing is seen of a domain.
pub fn unseen(book: &Book, domain: &Name) -> Option<Finding> {
    if is_seen(book, domain) != Ok(false) {
        return None;
    }
    let top = &domain.last(1);
    let what = text!(
        "nothing is seen of {domain}, nor of `{top}` above it: what is asked does not see the public DNS",
        domain,
        top
    );
    let fix = text!("check the spelling, or name a resolver that does: --resolver");
    Some(Finding::new("NS-01", Severity::Unknown, domain, what).fix(fix))
}

/// A server that speaks for the zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// What it is called.
    pub label: String,
    /// How it is asked.
    pub whom: Whom,
}

/// The servers that speak for a zone. A resolver that speaks for it itself stands for them: there is nobody behind it
/// to be asked.
pub fn authorities(book: &Book, zone: &Name, sources: Sources<'_>) -> Result<Vec<Authority>, Unsaid> {
    let mut own = Vec::new();
    let mut is_pending = false;
    for (number, resolver) in sources.resolvers.iter().enumerate() {
        let whom = Whom::Resolver(number);
        match book.ask(whom, zone, Kind::Soa) {
            Ok(answer) if answer.is_authoritative && answer.own(zone, Kind::Soa).next().is_some() => {
                own.push(Authority {
                    label: resolver.label.clone(),
                    whom,
                });
            }
            Err(Unsaid::Pending) => is_pending = true,
            Ok(_) | Err(Unsaid::Failed(_)) => {}
        }
    }
    if is_pending {
        return Err(Unsaid::Pending);
    }
    if !own.is_empty() {
        return Ok(own);
    }
    let mut found = Vec::new();
    for host in hosts(book, zone)? {
        match book.addresses(&host) {
            Ok(ips) => {
                // IPv4 first: many networks have no way to the others.
                let ip = ips.iter().find(|ip| ip.is_ipv4()).or(ips.first());
                found.extend(ip.map(|ip| authority(&host, *ip, sources.port)));
            }
            Err(Unsaid::Pending) => is_pending = true,
            Err(Unsaid::Failed(_)) => {}
        }
    }
    if is_pending {
        Err(Unsaid::Pending)
    } else {
        Ok(found)
    }
}

fn authority(host: &Name, ip: IpAddr, port: u16) -> Authority {
    Authority {
        label: host.to_string(),
        whom: Whom::Server(SocketAddr::new(ip, port)),
    }
}

fn hosts(book: &Book, zone: &Name) -> Result<Vec<Name>, Unsaid> {
    let answer = book.look(zone, Kind::Ns)?;
    let found = answer
        .own(zone, Kind::Ns)
        .filter_map(|record| match &record.data {
            Data::Ns(host) => Some(host.clone()),
            _ => None,
        });
    Ok(found.collect())
}

/// The name servers: at least two, all of which know the zone, and know the same.
pub fn name_servers(book: &Book, zone: &Name, sources: Sources<'_>) -> Checked {
    let mut findings = Vec::new();
    let hosts = hosts(book, zone)?;
    let authorities = authorities(book, zone, sources)?;
    findings.extend(number(zone, &hosts, book.look(zone, Kind::Ns)?.is_no_name));
    if authorities
        .iter()
        .all(|authority| matches!(authority.whom, Whom::Server(_)))
    {
        for host in &hosts {
            if book.addresses(host).is_ok_and(|ips| ips.is_empty()) {
                let what = text!("named as a name server of {zone}, but has no address", zone);
                let fix = text!("correct the NS records, or publish its address");
                findings.push(Finding::warning("NS-01", host, what).fix(fix));
            }
        }
    }
    let mut serials: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    let mut is_pending = false;
    for Authority { label, whom } in &authorities {
        match book.ask(*whom, zone, Kind::Soa) {
            Ok(answer) if answer.is_authoritative => {
                let serial = answer.own(zone, Kind::Soa).find_map(|record| match record.data {
                    Data::Soa(serial) => Some(serial),
                    _ => None,
                });
                serials
                    .entry(serial.unwrap_or_default())
                    .or_default()
                    .push(label.clone());
            }
            Ok(_) | Err(Unsaid::Failed(NoAnswer::Code(_))) => {
                let what = text!(
                    "named as a name server of {zone}, but does not know the zone",
                    zone = zone.as_str()
                );
                let fix = text!("correct the NS records, or set the zone up there");
                findings.push(Finding::warning("NS-01", label, what).fix(fix));
            }
            Err(Unsaid::Failed(why)) => findings.push(Finding::unknown("NS-01", label, &why)),
            Err(Unsaid::Pending) => is_pending = true,
        }
    }
    if is_pending {
        return Err(Unsaid::Pending);
    }
    findings.extend(versions(zone, &serials));
    if findings.is_empty() {
        let what = text!(
            "{count} name servers, all with the same zone",
            count = hosts.len()
        );
        findings.push(Finding::ok("NS-01", zone, what));
    }
    Ok(findings)
}

/// Are there enough name servers, or any at all?
fn number(zone: &Name, hosts: &[Name], is_gone: bool) -> Option<Finding> {
    match hosts {
        [] if !is_gone => {
            let what = text!("no name servers were found");
            Some(Finding::warning("NS-01", zone, what))
        }
        [] => {
            let what = text!("the domain has no name servers: it is not registered, or has expired");
            let finding = Finding::error("NS-01", zone, what);
            Some(finding.fix(text!("check its spelling, and renew it at its registrar")))
        }
        [_] => {
            let what = text!("only one name server: when it is down, so is your mail");
            Some(Finding::warning("NS-01", zone, what).fix(text!("add a second one, in another network")))
        }
        _ => None,
    }
}

/// Have the name servers different versions of the zone?
fn versions(zone: &Name, serials: &BTreeMap<u32, Vec<String>>) -> Option<Finding> {
    if serials.len() < 2 {
        return None;
    }
    let what = text!("the name servers have different versions of the zone");
    let lines = serials.iter().map(|(serial, labels)| {
        text!(
            "serial {serial}: {labels}",
            serial = *serial,
            labels = labels.join(", ")
        )
    });
    let fix = text!("wait some minutes; if it stays so, look at the zone transfer");
    Some(Finding::warning("NS-01", zone, what).details(lines).fix(fix))
}

/// How long records may be kept, as the zone's own servers say.
pub fn lifetimes(book: &Book, zone: &Name, sources: Sources<'_>, asked: &[(Name, Kind)]) -> Checked {
    let authorities = authorities(book, zone, sources)?;
    if authorities.is_empty() {
        let what = text!("not known: the zone's own servers were not found");
        return Ok(vec![Finding::new("TTL-01", Severity::Unknown, zone, what)]);
    }
    let mut findings = Vec::new();
    let mut fine = Vec::new();
    let mut is_pending = false;
    for (name, kind) in asked.iter().filter(|(name, _)| name.is_within(zone.as_str())) {
        let mut known = None;
        let mut failed = None;
        for Authority { whom, .. } in &authorities {
            match book.ask(*whom, name, *kind) {
                Ok(answer) => known = known.or(Some(answer)),
                Err(Unsaid::Pending) => is_pending = true,
                Err(Unsaid::Failed(why)) => failed = failed.or(Some(why)),
            }
        }
        let about = format!("{name} {kind}");
        let Some(answer) = known else {
            if !is_pending {
                findings.push(Finding::unknown(
                    "TTL-01",
                    about,
                    &failed.unwrap_or(NoAnswer::Silent),
                ));
            }
            continue;
        };
        let own = answer.records.iter().filter(|record| record.name == *name);
        match own.map(|record| record.ttl).min() {
            None => {}
            Some(ttl) if (TTL_MIN..=TTL_MAX).contains(&ttl) => fine.push(format!("{kind} {ttl} s")),
            Some(ttl) => findings.push(odd_lifetime(&about, ttl)),
        }
    }
    if is_pending {
        return Err(Unsaid::Pending);
    }
    if findings.is_empty() && !fine.is_empty() {
        fine.dedup();
        findings.push(Finding::ok(
            "TTL-01",
            zone,
            text!("lifetimes: {list}", list = fine.join(", ")),
        ));
    }
    Ok(findings)
}

/// A lifetime that is too short, or too long.
fn odd_lifetime(about: &str, ttl: u32) -> Finding {
    if ttl < TTL_MIN {
        let what = text!(
            "may be kept for {ttl} s only: every hiccup of the name servers is felt",
            ttl
        );
        let fix = text!("3600 s is a good value; lower it only before a move");
        return Finding::warning("TTL-01", about, what).fix(fix);
    }
    let what = text!(
        "may be kept for {ttl} s: a correction takes that long to arrive",
        ttl
    );
    Finding::info("TTL-01", about, what)
}
