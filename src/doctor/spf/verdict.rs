//! What receivers make of a domain's SPF records. Source: RFC 7208.

use super::parse::{Qualifier, Spf, is_meant};
use super::tree::{Node, records, walk};
use crate::doctor::dns::{Book, Data, Kind, Name};
use crate::doctor::finding::{Checked, Finding, Paste};
use crate::text;
use crate::words::Text;

/// Lookups that a receiver makes at most. Source: RFC 7208, 4.6.4.
pub const LOOKUPS_MAX: usize = 10;
/// From here on the next word breaks it.
const LOOKUPS_NEAR: usize = 9;
/// Lookups in vain that a receiver puts up with.
const VOIDS_MAX: usize = 2;
/// Octets of texts that fit into an answer everywhere. Source: RFC 7208, 3.4.
const DATAGRAM_MAX: usize = 450;

/// Includes that providers ask for: of each provider its names for the same, the current one first.
pub type Includes<'a> = &'a [&'a [String]];

/// The current include of each provider.
fn current(includes: Includes<'_>) -> Vec<&str> {
    let firsts = includes.iter().filter_map(|names| names.first());
    firsts.map(String::as_str).collect()
}

/// All that can be said of a domain's SPF.
pub fn check(book: &Book, domain: &Name, includes: Includes<'_>) -> Checked {
    let answer = book.look(domain, Kind::Txt)?;
    let texts = answer.texts(domain);
    let found = records(&texts);
    let mut findings = Vec::new();
    let near = texts
        .iter()
        .map(|text| String::from_utf8_lossy(text).into_owned());
    for near in near.filter(|text| is_meant(text)) {
        let what = text!(
            "`{near}` is not read as SPF: a record begins with `v=spf1` and a space",
            near
        );
        let fix = text!("write it anew by hand: plain letters, no quotes around it");
        findings.push(Finding::error("SPF-07", domain, what).fix(fix));
    }
    let record = match found.as_slice() {
        [] => {
            findings.push(missing(domain, &current(includes)));
            return Ok(findings);
        }
        [record] => record,
        several => {
            findings.push(several_records(domain, several, &current(includes)));
            return Ok(findings);
        }
    };
    let tree = walk(book, domain, record)?;
    let is_broken = tree.all().iter().any(|(_, node)| !node.faults.is_empty());
    let what = text!("one record: {record}", record);
    findings.push(if is_broken {
        Finding::info("SPF-01", domain, what)
    } else {
        Finding::ok("SPF-01", domain, what)
    });
    findings.extend(costs(domain, &tree));
    findings.extend(faults(domain, &tree));
    // One record that mends all: what several findings ask for must not contradict itself.
    let lacking = includes.iter().filter(|names| !is_included(&tree, names));
    let lacking: Vec<&str> = lacking
        .filter_map(|names| names.first().map(String::as_str))
        .collect();
    let better = Paste {
        instead_of: vec![record.clone()],
        ..Paste::text(
            domain.clone(),
            domain,
            merge(std::slice::from_ref(record), &lacking),
        )
    };
    for names in includes {
        findings.extend(required(domain, &tree, names, &better));
    }
    findings.extend(ending(domain, record, &better));
    findings.extend(form(domain, &tree));
    findings.extend(size_and_type(book, domain, record)?);
    Ok(findings)
}

fn proposal(domain: &Name, includes: &[&str]) -> Paste {
    let words: Vec<String> = includes
        .iter()
        .map(|include| format!("include:{include}"))
        .collect();
    let words = if words.is_empty() {
        "mx".to_owned()
    } else {
        words.join(" ")
    };
    Paste::text(domain.clone(), domain, format!("v=spf1 {words} -all"))
}

fn missing(domain: &Name, includes: &[&str]) -> Finding {
    let finding = Finding::error("SPF-01", domain, text!("there is no SPF record"));
    if includes.is_empty() {
        finding.fix(text!(
            "publish a TXT record that names your provider: `v=spf1 include:… -all`"
        ))
    } else {
        finding
            .fix(text!("publish the record below"))
            .record(proposal(domain, includes))
    }
}

fn several_records(domain: &Name, several: &[String], includes: &[&str]) -> Finding {
    let what = text!(
        "{count} SPF records: receivers take none of them",
        count = several.len()
    );
    let merged = merge(several, includes);
    Finding::error("SPF-01", domain, what)
        .fix(text!("put them into one record, and remove the others"))
        .details(several.iter().map(Text::from))
        .record(Paste {
            instead_of: several.to_vec(),
            ..Paste::text(domain.clone(), domain, merged)
        })
}

/// One record that says what several say: every word once, the strictest end that there is short of refusing all.
pub fn merge(several: &[String], includes: &[&str]) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut end = None;
    let wanted = includes.iter().map(|include| format!("include:{include}"));
    let present = several
        .iter()
        .flat_map(|record| record.split_ascii_whitespace().skip(1));
    for word in present.map(str::to_owned).chain(wanted) {
        let plain = word.trim_start_matches(['+', '-', '~', '?']).to_ascii_lowercase();
        if plain == "all" {
            // A soft end of either stays soft: whoever wrote it had a reason.
            let is_soft = word.starts_with('~') || word.starts_with('?');
            if end.is_none() || is_soft {
                end = Some(if is_soft { "~all" } else { "-all" });
            }
        } else if !words.iter().any(|known| known.eq_ignore_ascii_case(&word)) {
            words.push(word);
        }
    }
    let redirects = words.iter().any(|word| word.starts_with("redirect="));
    if let Some(end) = end.or((!redirects).then_some("~all")) {
        words.push(end.to_owned());
    }
    format!("v=spf1 {}", words.join(" "))
}

fn costs(domain: &Name, tree: &Node) -> Vec<Finding> {
    let lookups = tree.lookups;
    let is_whole = tree.all().iter().all(|(_, node)| node.unknown.is_none());
    let fix = text!("take out what you do not send with, or replace an include by its `ip4:` networks");
    let finding = if lookups > LOOKUPS_MAX {
        let what = text!(
            "{lookups} lookups; receivers stop at 10 and refuse the record",
            lookups
        );
        Finding::error("SPF-02", domain, what).fix(fix)
    } else if lookups >= LOOKUPS_NEAR {
        let what = text!(
            "lookups: {lookups} of the 10 allowed; the next one may break it",
            lookups
        );
        Finding::warning("SPF-02", domain, what).fix(fix)
    } else {
        Finding::ok(
            "SPF-02",
            domain,
            text!("lookups: {lookups} of the 10 allowed", lookups),
        )
    };
    let mut findings = vec![finding.details(tree.draw())];
    if let Some(why) = tree
        .all()
        .iter()
        .find_map(|(_, node)| node.unknown.as_ref())
        .filter(|_| !is_whole)
    {
        findings.push(Finding::unknown("SPF-02", domain, why));
    }
    let voids = tree.voids;
    if voids > VOIDS_MAX {
        let what = text!("lookups in vain: {voids}; receivers give up at the third", voids);
        let fix = text!("take out the words whose domains are gone; the tree above has them");
        findings.push(Finding::error("SPF-03", domain, what).fix(fix));
    } else if voids > 0 {
        let what = text!("lookups in vain: {voids}", voids);
        let fix = text!("take out the words whose domains are gone; the tree above has them");
        findings.push(Finding::warning("SPF-03", domain, what).fix(fix));
    }
    for crowded in tree.all().iter().flat_map(|(_, node)| &node.crowded) {
        let what = text!(
            "`mx` of {crowded} has more than 10 hosts: receivers refuse the record",
            crowded
        );
        let fix = text!("name the networks with `ip4:` instead of `mx`");
        findings.push(Finding::error("SPF-08", domain, what).fix(fix));
    }
    findings
}

fn faults(domain: &Name, tree: &Node) -> Vec<Finding> {
    let mut findings: Vec<Finding> = Vec::new();
    for (depth, node) in tree.all() {
        let (id, about) = if depth == 0 {
            ("SPF-07", domain.to_string())
        } else {
            ("SPF-04", node.word.clone())
        };
        for fault in &node.faults {
            // The same include may stand in several places.
            if findings
                .iter()
                .any(|known| known.about == about && known.what == *fault)
            {
                continue;
            }
            let fix = if depth == 0 {
                text!("correct the record; receivers refuse it as it is (permerror)")
            } else {
                text!("take `{word}` out, or ask its owner", word = &node.word)
            };
            findings.push(Finding::error(id, &about, fault.clone()).fix(fix));
        }
    }
    findings
}

/// Is one of these domains in the tree?
fn is_included(tree: &Node, names: &[String]) -> bool {
    let all = tree.all();
    let mut domains = all.iter().map(|(_, node)| &node.domain);
    domains.any(|domain| names.iter().any(|name| domain.eq_ignore_ascii_case(name)))
}

fn required(domain: &Name, tree: &Node, names: &[String], better: &Paste) -> Option<Finding> {
    let first = names.first()?.as_str();
    if is_included(tree, names) {
        return Some(Finding::ok(
            "SPF-05",
            domain,
            text!("the provider is included: {name}", name = first),
        ));
    }
    let all = tree.all();
    if all
        .iter()
        .any(|(_, node)| node.has_macro || node.unknown.is_some())
    {
        let what = text!(
            "`include:{first}` was not found, as far as the tree is known",
            first
        );
        return Some(Finding::warning("SPF-05", domain, what));
    }
    let what = text!(
        "the provider is not included: `include:{first}` is missing",
        first
    );
    let finding = Finding::error("SPF-05", domain, what).fix(text!("replace the record by the one below"));
    Some(finding.record(better.clone()))
}

fn ending(domain: &Name, record: &str, better: &Paste) -> Vec<Finding> {
    let spf = Spf::parse(record);
    let mut findings = Vec::new();
    if !spf.after_all.is_empty() {
        let words = spf.after_all.join(" ");
        let what = text!("nobody reads what stands behind `all`: {words}", words);
        findings.push(Finding::warning("SPF-06", domain, what).fix(text!("put `all` at the end")));
    }
    findings.push(match spf.all() {
        Some(Qualifier::Fail) => Finding::ok("SPF-06", domain, text!("others are refused (`-all`)")),
        Some(Qualifier::SoftFail) => Finding::ok("SPF-06", domain, text!("others are suspicious (`~all`)")),
        Some(Qualifier::Neutral) => {
            let what = text!("`?all` says nothing about others");
            Finding::warning("SPF-06", domain, what)
                .fix(text!("end it with `-all`, or with `~all` at first"))
                .record(better.clone())
        }
        Some(Qualifier::Pass) => {
            let what = text!("`+all` lets anybody on earth send as you");
            Finding::error("SPF-06", domain, what)
                .fix(text!("end it with `-all`, or with `~all` at first"))
                .record(better.clone())
        }
        None if spf.redirect().is_some() => {
            Finding::ok("SPF-06", domain, text!("another record decides (`redirect=`)"))
        }
        None => {
            let what = text!("the record has no end: nothing is said about others");
            Finding::warning("SPF-06", domain, what)
                .fix(text!("end it with `-all`, or with `~all` at first"))
                .record(better.clone())
        }
    });
    findings
}

fn form(domain: &Name, tree: &Node) -> Vec<Finding> {
    let mut findings = Vec::new();
    if tree.all().iter().any(|(_, node)| node.has_ptr) {
        let what = text!("`ptr` is slow and many receivers skip it");
        findings.push(
            Finding::warning("SPF-07", domain, what).fix(text!("name the networks with `ip4:` instead")),
        );
    }
    if tree.all().iter().any(|(_, node)| node.has_macro) {
        let what =
            text!("the record has macros: what they lead to depends on the mail, and was not followed");
        findings.push(Finding::info("SPF-07", domain, what));
    }
    findings
}

/// Whether the record fits into an answer, and whether there is one of the old type.
fn size_and_type(book: &Book, domain: &Name, record: &str) -> Checked {
    let mut findings = Vec::new();
    let answer = book.look(domain, Kind::Txt)?;
    let size: usize = answer.texts(domain).iter().map(Vec::len).sum();
    if answer.was_cut && size <= DATAGRAM_MAX {
        let what = text!(
            "the answer comes by TCP alone, although the TXT records have only {size} octets: some receivers do not \
             get it",
            size
        );
        let fix = text!("the name servers cut their answers short: let them send 1232 octets by UDP (EDNS)");
        findings.push(Finding::warning("SPF-07", domain, what).fix(fix));
    }
    if size > DATAGRAM_MAX {
        let what = text!(
            "the TXT records of the domain have {size} octets: some receivers do not get them whole",
            size
        );
        let fix = text!(
            "remove old verification records, and shorten the SPF record ({octets} octets)",
            octets = record.len()
        );
        findings.push(Finding::warning("SPF-07", domain, what).fix(fix));
    }
    // That nobody answers about a type that nobody uses any longer is no finding.
    if let Ok(old) = book.look(domain, Kind::Spf)
        && old.records.iter().any(|record| record.data == Data::Spf)
    {
        let what = text!("there is a record of the old type SPF, which nobody reads");
        findings.push(
            Finding::warning("SPF-07", domain, what).fix(text!("remove it; the TXT record is what counts")),
        );
    }
    Ok(findings)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_records_become_one_with_every_word_once() {
        let several = [
            "v=spf1 include:a.example mx -all",
            "v=spf1 mx include:b.example ~all",
        ]
        .map(str::to_owned);
        assert_eq!(
            merge(&several, &["c.example"]),
            "v=spf1 include:a.example mx include:b.example include:c.example ~all"
        );
        assert_eq!(
            merge(&["v=spf1 redirect=x.example".to_owned()], &[]),
            "v=spf1 redirect=x.example"
        );
        assert_eq!(
            merge(&["v=spf1 +all".to_owned()], &["a.b"]),
            "v=spf1 include:a.b -all"
        );
    }
}
