//! How mail reaches the domain: replies and bounces must. Source: RFC 5321, 5.1; RFC 7505; RFC 2181, 10.3.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::campaign::egress::is_private;
use crate::doctor::dns::{Book, Kind, Name, Unsaid};
use crate::doctor::expected::{MxSet, family};
use crate::doctor::finding::{Checked, Finding, Paste, TTL, settled};
use crate::text;
use crate::words::Text;

/// The preference that a backup of one's own has by custom.
pub const BACKUP_PREFERENCE: u16 = 20;

/// All that can be said of a domain's MX records.
pub fn check(book: &Book, domain: &Name, zone: &Name, sets: &[MxSet]) -> Checked {
    let answer = book.look(domain, Kind::Mx)?;
    let hosts = answer.exchanges(domain);
    if hosts.is_empty() {
        return none(book, domain, zone, sets);
    }
    let is_null = |host: &Name| host.as_str().is_empty();
    if hosts.iter().any(|(_, host)| is_null(host)) {
        let what = text!("the MX record says that the domain takes no mail (null MX)");
        let fix = text!(
            "receivers refuse mail from such a domain: publish real MX records, or send from another domain"
        );
        return Ok(vec![
            Finding::error("MX-02", domain, what)
                .fix(fix)
                .records_of(sets, domain, zone, &hosts),
        ]);
    }
    let shown: Vec<String> = hosts
        .iter()
        .map(|(preference, host)| format!("{preference} {host}"))
        .collect();
    let mut findings = vec![Finding::ok(
        "MX-01",
        domain,
        text!("{list}", list = shown.join(", ")),
    )];
    for (_, host) in &hosts {
        findings.extend(settled("MX-04", host, target(book, domain, host)));
    }
    findings.extend(mixture(domain, zone, &hosts, sets));
    findings.extend(backup(domain, &hosts, sets));
    Ok(findings)
}

impl Finding {
    /// The same with the MX records that the provider documents, in place of those that are there.
    fn records_of(mut self, sets: &[MxSet], domain: &Name, zone: &Name, hosts: &[(u16, Name)]) -> Self {
        let mut old: Vec<String> = hosts
            .iter()
            .map(|(preference, host)| format!("{preference} {host}"))
            .collect();
        for (preference, host) in sets.first().into_iter().flatten() {
            self.records.push(Paste {
                name: domain.clone(),
                zone: zone.clone(),
                kind: Kind::Mx,
                priority: Some(*preference),
                value: format!("{host}."),
                ttl: TTL,
                // They go once, not with each new one.
                instead_of: std::mem::take(&mut old),
            });
        }
        self
    }
}

fn none(book: &Book, domain: &Name, zone: &Name, sets: &[MxSet]) -> Checked {
    let ips = book.addresses(domain)?;
    let fix = if sets.is_empty() {
        text!("publish the MX records of whoever takes your mail")
    } else {
        text!("publish the provider's records below")
    };
    let finding = if ips.is_empty() {
        let what = text!("no MX record, and no address: replies and bounces have nowhere to go");
        Finding::error("MX-01", domain, what)
    } else {
        let what = text!("no MX record: mail goes to the address of the domain itself, often a web server");
        Finding::warning("MX-01", domain, what)
    };
    Ok(vec![finding.fix(fix).records_of(sets, domain, zone, &[])])
}

/// One host of an MX record.
fn target(book: &Book, domain: &Name, host: &Name) -> Checked {
    let is_ip = host.as_str().parse::<IpAddr>().is_ok();
    if is_ip {
        let what = text!("the MX record names an IP address; it must name a host");
        let fix = text!("give the address a name (an A record), and name that");
        return Ok(vec![Finding::error("MX-04", host, what).fix(fix)]);
    }
    if host.as_str() == "localhost" || host.is_within("localhost") {
        let what = text!("the MX record leads every server to itself");
        return Ok(vec![
            Finding::error("MX-04", host, what).fix(text!("name your mail server")),
        ]);
    }
    let answer = book.look(host, Kind::Cname)?;
    if answer.own(host, Kind::Cname).next().is_some() {
        let what = text!("the host of the MX record is only another name (CNAME): many servers refuse that");
        let fix = text!("name the host that the CNAME leads to");
        return Ok(vec![Finding::error("MX-03", host, what).fix(fix)]);
    }
    let ips = book.addresses(host)?;
    if ips.is_empty() {
        let what = text!("the host of the MX record has no address");
        let doubled = host
            .as_str()
            .strip_suffix(domain.as_str())
            .map(|before| before.trim_end_matches('.'));
        let fix = if let Some(meant) = doubled.filter(|before| before.contains('.')) {
            text!("the final dot is missing in the zone: write `{meant}.`", meant)
        } else {
            text!("correct its name, or publish its address")
        };
        return Ok(vec![Finding::error("MX-04", host, what).fix(fix)]);
    }
    // An address that nobody outside can reach; one good one is enough.
    if ips.iter().copied().all(is_private) {
        let list: Vec<String> = ips.iter().map(ToString::to_string).collect();
        let what = text!(
            "the host of the MX record has only private addresses: {list}",
            list = list.join(", ")
        );
        let fix = text!("publish the address by which others reach it");
        return Ok(vec![Finding::error("MX-04", host, what).fix(fix)]);
    }
    Ok(Vec::new())
}

fn mixture(domain: &Name, zone: &Name, hosts: &[(u16, Name)], sets: &[MxSet]) -> Vec<Finding> {
    let families: BTreeSet<String> = hosts.iter().filter_map(|(_, host)| family(host)).collect();
    if families.len() > 1 {
        let list: Vec<String> = families.into_iter().collect();
        let what = text!("MX records of several providers: {list}", list = list.join(", "));
        let fix = text!(
            "keep those of the provider that holds your mailboxes; mail to the others is lost or refused"
        );
        return vec![
            Finding::error("MX-06", domain, what)
                .fix(fix)
                .records_of(sets, domain, zone, hosts),
        ];
    }
    if sets.is_empty() {
        return Vec::new();
    }
    let has = |(wanted, of): &(u16, String)| {
        let mut there = hosts.iter();
        there.any(|(preference, host)| preference == wanted && host.as_str() == of)
    };
    let is_of = |set: &&MxSet| {
        set.iter()
            .any(|(_, of)| hosts.iter().any(|(_, host)| host.as_str() == of))
    };
    if let Some(second) = sets.iter().filter(is_of).nth(1) {
        let list: Vec<&str> = second.iter().map(|(_, host)| host.as_str()).collect();
        let what = text!(
            "two of the provider's sets beside one another: choose one; also there: {list}",
            list = list.join(", ")
        );
        let fix = text!("keep the records below alone");
        return vec![
            Finding::warning("MX-05", domain, what)
                .fix(fix)
                .records_of(sets, domain, zone, hosts),
        ];
    }
    if sets.iter().any(|set| set.iter().all(has)) {
        return vec![Finding::ok("MX-05", domain, text!("the provider's own set"))];
    }
    let what = text!("not one of the sets that the provider documents");
    let fix = text!("compare with the records below; if your mailboxes are elsewhere, all is well");
    vec![
        Finding::warning("MX-05", domain, what)
            .fix(fix)
            .records_of(sets, domain, zone, hosts),
    ]
}

fn backup(domain: &Name, hosts: &[(u16, Name)], sets: &[MxSet]) -> Vec<Finding> {
    let mut findings = Vec::new();
    let preferences: BTreeSet<u16> = hosts.iter().map(|(preference, _)| *preference).collect();
    let documented = sets.iter().any(|set| set.len() == 1);
    if let [(_, only)] = hosts
        && !documented
    {
        let what = text!(
            "only one mail server: when {only} is down, mail waits at its senders",
            only
        );
        let fix = text!(
            "a second one with preference {preference}, with the same spam filter",
            preference = BACKUP_PREFERENCE
        );
        findings.push(Finding::warning("MX-07", domain, what).fix(fix));
    } else if hosts.len() > 1 && preferences.len() == 1 {
        let what = text!("all have the same preference: senders take turns");
        findings.push(Finding::info("MX-08", domain, what));
    }
    // A server outside the provider's family is a backup of one's own; it must not come first.
    let own: Vec<&(u16, Name)> = hosts.iter().filter(|(_, host)| family(host).is_none()).collect();
    let best = hosts
        .iter()
        .filter(|(_, host)| family(host).is_some())
        .map(|(preference, _)| *preference);
    let best_of_provider = best.max();
    for (preference, host) in own {
        let Some(of_provider) = best_of_provider else {
            break;
        };
        findings.push(if *preference > of_provider {
            let what = text!("a backup of your own at preference {preference}", preference = *preference);
            Finding::ok("MX-07", host, what)
        } else {
            let what = text!(
                "preference {preference} is not behind the provider's {of_provider}: mail goes to the backup first",
                preference = *preference,
                of_provider
            );
            let fix = text!("give it {preference}", preference = BACKUP_PREFERENCE.max(of_provider.saturating_add(5)));
            Finding::warning("MX-07", host, what).fix(fix)
        });
    }
    findings
}

/// Names by which mail programs find the provider. Source: the provider's documents.
pub fn helpers(book: &Book, domain: &Name) -> Checked {
    let mut found: Vec<Text> = Vec::new();
    let mut pending = false;
    for label in ["mail", "smtp", "imap", "pop3"] {
        let name = domain.below(label);
        match book.look(&name, Kind::Cname) {
            Ok(answer) => {
                let targets = answer.own(&name, Kind::Cname);
                found.extend(targets.map(|record| {
                    text!(
                        "{name} → {target}",
                        name = name.as_str(),
                        target = record.data.to_string()
                    )
                }));
            }
            Err(Unsaid::Pending) => pending = true,
            // Nothing depends on these names.
            Err(Unsaid::Failed(_)) => {}
        }
    }
    if pending {
        return Err(Unsaid::Pending);
    }
    if found.is_empty() {
        return Ok(Vec::new());
    }
    let what = text!(
        "names for mail programs: {list}",
        list = Text::joined(found, ", ")
    );
    Ok(vec![Finding::info("CN-02", domain, what)])
}
