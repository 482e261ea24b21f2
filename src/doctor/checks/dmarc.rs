//! What receivers are to do with mail that is not proved to be the domain's. Source: RFC 9989 (which replaces RFC 7489),
//! RFC 9990 for reports.

use super::tags::Tags;
use crate::doctor::dns::{Book, Kind, Name, Unsaid};
use crate::doctor::finding::{Checked, Finding, Paste, Severity};
use crate::text;

/// Names with more labels than this are cut before the walk goes on. Source: RFC 9989, 4.10.
const LABELS_MAX: usize = 7;
/// Tags that RFC 9989 knows.
const KNOWN: [&str; 11] = [
    "v", "p", "sp", "np", "adkim", "aspf", "rua", "ruf", "fo", "psd", "t",
];
/// Tags that RFC 7489 had, and RFC 9989 has no longer.
const REMOVED: [&str; 3] = ["pct", "rf", "ri"];

/// A policy that stands for a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The domain in whose name it stands.
    pub at: Name,
    /// The record.
    pub record: String,
    /// What it means for the domain: `none`, `quarantine` or `reject`.
    pub effective: String,
    /// The domain that those belong together which align.
    pub organization: Name,
}

impl Policy {
    /// Does it ask receivers to act?
    pub fn is_enforced(&self) -> bool {
        self.effective != "none"
    }
}

/// The name of a domain's record.
pub fn place(domain: &Name) -> Name {
    domain.below("_dmarc")
}

/// The records at a domain, and what only looks like one.
fn records(book: &Book, domain: &Name) -> Result<(Vec<String>, Vec<String>), Unsaid> {
    let name = place(domain);
    let texts = book.look(&name, Kind::Txt)?.texts(&name);
    let texts = texts
        .iter()
        .map(|text| String::from_utf8_lossy(text).trim().to_owned());
    let (found, rest): (Vec<String>, Vec<String>) = texts.partition(|text| is_record(text));
    let near = rest
        .into_iter()
        .filter(|text| text.to_ascii_lowercase().contains("dmarc1"));
    Ok((found, near.collect()))
}

fn is_record(text: &str) -> bool {
    Tags::parse(text).first() == Some(("v", "DMARC1"))
}

/// The domains whose records are asked for, from the domain upwards. Source: RFC 9989, 4.10.
pub fn walk(domain: &Name) -> Vec<Name> {
    let mut names = vec![domain.clone()];
    let mut at = if domain.labels() > LABELS_MAX {
        Some(domain.last(LABELS_MAX))
    } else {
        domain.parent()
    };
    while let Some(name) = at {
        at = name.parent();
        names.push(name);
    }
    names
}

/// The policy that stands for a domain; none when there is no usable record.
pub fn policy(book: &Book, domain: &Name) -> Result<Option<Policy>, Unsaid> {
    let mut found: Vec<(Name, Tags, String)> = Vec::new();
    let mut is_pending = false;
    let mut failed = None;
    for name in walk(domain) {
        match records(book, &name) {
            Ok((records, _)) => {
                // Several records are as good as none.
                if let [record] = records.as_slice() {
                    found.push((name, Tags::parse(record), record.clone()));
                }
            }
            Err(Unsaid::Pending) => is_pending = true,
            Err(Unsaid::Failed(why)) => failed = failed.or(Some(why)),
        }
    }
    if is_pending {
        return Err(Unsaid::Pending);
    }
    let organization = organization(domain, &found);
    let own = found.iter().find(|(name, ..)| name == domain);
    let chosen = own
        .or_else(|| found.iter().find(|(name, ..)| *name == organization))
        .or_else(|| found.last());
    let Some((at, tags, record)) = chosen else {
        return match failed {
            Some(why) => Err(Unsaid::Failed(why)),
            None => Ok(None),
        };
    };
    let is_absent = at != domain && book.look(domain, Kind::Mx).is_ok_and(|answer| answer.is_no_name);
    let wanted = if at == domain {
        tags.get("p")
    } else if is_absent {
        tags.get("np").or(tags.get("sp")).or(tags.get("p"))
    } else {
        tags.get("sp").or(tags.get("p"))
    };
    Ok(Some(Policy {
        at: at.clone(),
        record: record.clone(),
        effective: effective(wanted.unwrap_or("none"), tags.get("t") == Some("y")).to_owned(),
        organization,
    }))
}

/// Which of these domains is the one whose parts align. Source: RFC 9989, 4.10.2.
fn organization(domain: &Name, found: &[(Name, Tags, String)]) -> Name {
    for (name, tags, _) in found {
        match tags.get("psd") {
            Some("n") => return name.clone(),
            // Below a public suffix: one label more than it has.
            Some("y") if name != domain => return domain.last(name.labels() + 1),
            _ => {}
        }
    }
    found
        .last()
        .map_or_else(|| domain.clone(), |(name, ..)| name.clone())
}

/// A policy under test is one step milder. Source: RFC 9989, 4.7, `t`.
fn effective(wanted: &str, is_test: bool) -> &'static str {
    match (wanted.to_ascii_lowercase().as_str(), is_test) {
        ("reject", false) => "reject",
        ("reject", true) | ("quarantine", false) => "quarantine",
        _ => "none",
    }
}

/// All that can be said of a domain's policy.
pub fn check(book: &Book, domain: &Name, zone: &Name) -> Checked {
    let (records, near) = records(book, domain)?;
    let mut findings = Vec::new();
    for near in near {
        let what = text!(
            "`{near}` is not read as DMARC: the record begins with `v=DMARC1;`",
            near
        );
        let fix = text!("put `v=DMARC1` first, in capitals");
        findings.push(Finding::error("DMARC-01", place(domain), what).fix(fix));
    }
    if records.len() > 1 {
        let what = text!(
            "{count} DMARC records: receivers take none of them",
            count = records.len()
        );
        let fix = text!("keep one");
        let details = records.iter().map(crate::words::Text::from);
        findings.push(
            Finding::error("DMARC-01", place(domain), what)
                .fix(fix)
                .details(details),
        );
        return Ok(findings);
    }
    let Some(policy) = policy(book, domain)? else {
        let what = text!("no DMARC record, here or above: large receivers refuse bulk mail without one");
        let start = format!("v=DMARC1; p=none; rua=mailto:postmaster@{domain}");
        findings.push(
            Finding::error("DMARC-01", place(domain), what)
                .fix(text!(
                    "begin with the record below, read the reports, then go on to quarantine and reject"
                ))
                .record(Paste::text(place(domain), zone, start)),
        );
        return Ok(findings);
    };
    let what = if policy.at == *domain {
        text!("one record: {record}", record = &policy.record)
    } else {
        text!(
            "that of {at} stands for it: {record}",
            at = policy.at.as_str(),
            record = &policy.record
        )
    };
    let tags = Tags::parse(&policy.record);
    let form = form(&policy, &tags);
    let is_broken = form.iter().any(|finding| finding.severity == Severity::Error);
    findings.push(if is_broken {
        Finding::info("DMARC-01", place(&policy.at), what)
    } else {
        Finding::ok("DMARC-01", place(&policy.at), what)
    });
    findings.extend(form);
    // A record that receivers do not take asks nothing of them.
    if is_broken {
        return Ok(findings);
    }
    findings.push(force(domain, zone, &policy, &tags));
    findings.extend(reports(book, &policy, &tags)?);
    Ok(findings)
}

/// What is odd about how the record is written.
fn form(policy: &Policy, tags: &Tags) -> Vec<Finding> {
    let place = place(&policy.at);
    let mut findings = Vec::new();
    let has_reports = tags.get("rua").is_some_and(|rua| !rua.is_empty());
    match tags.get("p") {
        Some("none" | "quarantine" | "reject") => {}
        other => {
            let shown = other.unwrap_or_default();
            let fix = text!("write `p=none`, `p=quarantine` or `p=reject`");
            findings.push(if has_reports {
                let what = text!("`p={shown}` is no policy; receivers take it for `none`", shown);
                Finding::warning("DMARC-01", &place, what).fix(fix)
            } else {
                let what = text!(
                    "`p={shown}` is no policy; receivers take the record for none at all",
                    shown
                );
                Finding::error("DMARC-01", &place, what).fix(fix)
            });
        }
    }
    for name in ["sp", "np"] {
        if let Some(value) = tags
            .get(name)
            .filter(|value| !["none", "quarantine", "reject"].contains(value))
        {
            let what = text!("`{name}={value}` is no policy", name, value);
            findings.push(Finding::warning("DMARC-01", &place, what));
        }
    }
    let removed: Vec<&str> = tags
        .others(&KNOWN)
        .filter(|name| REMOVED.contains(name))
        .collect();
    if !removed.is_empty() {
        let what = text!("receivers no longer read {tags}", tags = removed.join(", "));
        let fix = text!("take it out; `t=y` is what says that a policy is only tried");
        findings.push(Finding::warning("DMARC-01", &place, what).fix(fix));
    }
    let odd: Vec<&str> = tags
        .others(&KNOWN)
        .filter(|name| !REMOVED.contains(name))
        .collect();
    if !odd.is_empty() {
        let what = text!("tags that nobody knows: {tags}", tags = odd.join(", "));
        findings.push(
            Finding::warning("DMARC-01", &place, what).fix(text!("correct their spelling, or take them out")),
        );
    }
    findings
}

/// How much it asks of receivers.
fn force(domain: &Name, zone: &Name, policy: &Policy, tags: &Tags) -> Finding {
    let place = place(&policy.at);
    if tags.get("t") == Some("y") && tags.get("p") != Some("none") {
        let what = text!(
            "the policy is only tried (`t=y`): it counts as `{policy}`",
            policy = &policy.effective
        );
        return Finding::info("DMARC-02", place, what);
    }
    match policy.effective.as_str() {
        "none" => {
            let what = text!("the policy is `none`: forged mail is delivered all the same");
            let fix = text!(
                "fine for the first weeks; when the reports show only your own servers, go on to quarantine"
            );
            let finding = Finding::warning("DMARC-02", &place, what).fix(fix);
            if policy.at == *domain && tags.get("p") == Some("none") {
                let next = policy.record.replacen("p=none", "p=quarantine", 1);
                finding.record(Paste {
                    instead_of: vec![policy.record.clone()],
                    ..Paste::text(place, zone, next)
                })
            } else {
                finding
            }
        }
        "quarantine" => Finding::ok("DMARC-02", place, text!("forged mail goes to the spam folder")),
        _ => Finding::ok("DMARC-02", place, text!("forged mail is refused")),
    }
}

/// Whether reports arrive: another domain must agree to get them. Source: RFC 9990, 4.
fn reports(book: &Book, policy: &Policy, tags: &Tags) -> Checked {
    let place = place(&policy.at);
    let Some(rua) = tags.get("rua").filter(|rua| !rua.is_empty()) else {
        let what = text!("no reports are asked for (`rua=`): you will not see who sends in your name");
        let fix = text!("add `rua=mailto:…` with a mailbox of yours");
        return Ok(vec![Finding::warning("DMARC-03", place, what).fix(fix)]);
    };
    let mut findings = Vec::new();
    let mut is_pending = false;
    for uri in rua
        .split(',')
        .chain(tags.get("ruf").unwrap_or_default().split(','))
    {
        let uri = uri.trim();
        let uri = uri.split_once('!').map_or(uri, |(uri, _size)| uri);
        if uri.is_empty() {
            continue;
        }
        let address = uri
            .get(..7)
            .filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"))
            .and(uri.get(7..));
        let to = address.and_then(|address| Name::parse(address.rsplit_once('@')?.1));
        let Some(to) = to else {
            let what = text!("`{uri}` is no address for reports", uri);
            findings.push(
                Finding::warning("DMARC-03", &place, what).fix(text!("write `mailto:name@example.com`")),
            );
            continue;
        };
        if to.is_within(policy.organization.as_str()) || policy.organization.is_within(to.as_str()) {
            continue;
        }
        match agreed(book, policy, &to) {
            Err(Unsaid::Pending) => is_pending = true,
            Err(Unsaid::Failed(why)) => findings.push(Finding::unknown("DMARC-03", &to, &why)),
            Ok(finding) => findings.push(finding),
        }
    }
    if is_pending {
        Err(Unsaid::Pending)
    } else {
        Ok(findings)
    }
}

/// Has another domain agreed to get the reports?
fn agreed(book: &Book, policy: &Policy, to: &Name) -> Result<Finding, Unsaid> {
    let permit = to.below(&format!("{}._report._dmarc", policy.at));
    let texts = book.look(&permit, Kind::Txt)?.texts(&permit);
    if texts.iter().any(|text| is_record(&String::from_utf8_lossy(text))) {
        return Ok(Finding::ok(
            "DMARC-03",
            &permit,
            text!("{to} takes the reports", to),
        ));
    }
    let what = text!("{to} has not agreed to get the reports: none are sent there", to);
    let fix = text!(
        "whoever runs {to} publishes the record below; or use a mailbox of your own domain",
        to
    );
    let finding = Finding::warning("DMARC-03", &permit, what).fix(fix);
    Ok(finding.record(Paste::text(permit, to, "v=DMARC1")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_walk_goes_up_and_skips_the_middle_of_long_names() {
        let shown = |text: &str| {
            walk(&Name::parse(text).unwrap())
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(shown("a.example.com"), ["a.example.com", "example.com", "com"]);
        let long = shown("a.b.c.d.e.f.g.h.i.example.com");
        assert_eq!(long[1], "e.f.g.h.i.example.com");
        assert_eq!(long.len(), 8);
    }
}
