//! Verdicts over zones that are written down: no network, and no server.

mod dns_side;
mod dmarc_side;
mod smtp_side;
mod web_side;

use super::dns::book::Page;
use super::dns::{Answer, Book, Data, Name, NoAnswer, Question, Record, Resolver, Whom};
use super::examine::{Setup, Subject, verdict};
use super::expected::Expected;
use super::finding::{Finding, Severity};
use crate::campaign::provider::preset;

/// A small DNS: lines of `name ttl type value`. Names that are not there do not exist; `FAIL` stands for a server that
/// answers SERVFAIL.
pub(super) struct Zone(Vec<(Name, String, Record)>);

impl Zone {
    pub(super) fn new(text: &str) -> Self {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        Self(
            lines
                .map(|line| {
                    let words: Vec<&str> = line.splitn(4, ' ').collect();
                    let name = Name::of_wire(words[0]);
                    let ttl = words[1].parse().unwrap();
                    let value = words.get(3).copied().unwrap_or_default();
                    let data = data(words[2], value);
                    let record = Record {
                        name: name.clone(),
                        ttl,
                        data,
                    };
                    (name, words[2].to_owned(), record)
                })
                .collect(),
        )
    }

    fn answer(&self, question: &Question) -> Result<Answer, NoAnswer> {
        let at: Vec<_> = self
            .0
            .iter()
            .filter(|(name, ..)| *name == question.name)
            .collect();
        if at.iter().any(|(_, kind, _)| kind == "FAIL") {
            return Err(NoAnswer::Code("SERVFAIL".to_owned()));
        }
        let mut answer = Answer {
            is_authoritative: true,
            is_no_name: at.is_empty(),
            ..Answer::default()
        };
        let mut name = question.name.clone();
        for _ in 0..8 {
            let at = self
                .0
                .iter()
                .filter(|(known, ..)| *known == name)
                .map(|(.., record)| record);
            let (wanted, others): (Vec<&Record>, Vec<&Record>) =
                at.partition(|record| record.data.kind() == question.kind);
            answer
                .records
                .extend(wanted.iter().map(|record| (*record).clone()));
            let next = others.iter().find_map(|record| match &record.data {
                Data::Cname(next) => Some((next.clone(), (*record).clone())),
                _ => None,
            });
            match next.filter(|_| wanted.is_empty()) {
                Some((next, record)) => {
                    answer.records.push(record);
                    name = next;
                }
                None => break,
            }
        }
        Ok(answer)
    }
}

fn data(kind: &str, value: &str) -> Data {
    let name = || Name::of_wire(value);
    match kind {
        "A" => Data::A(value.parse().unwrap()),
        "MX" => {
            let (preference, host) = value.split_once(' ').unwrap();
            Data::Mx {
                preference: preference.parse().unwrap(),
                exchange: Name::of_wire(host),
            }
        }
        "TXT" => Data::Txt(vec![value.as_bytes().to_vec()]),
        "CNAME" => Data::Cname(name()),
        "NS" => Data::Ns(name()),
        "SOA" => Data::Soa(value.parse().unwrap()),
        "PTR" => Data::Ptr(name()),
        "SPF" | "FAIL" => Data::Spf,
        other => panic!("no such kind: {other}"),
    }
}

pub(super) fn subject(domain: &str, provider: Option<&str>) -> Subject {
    Subject {
        domain: Name::parse(domain).unwrap(),
        providers: provider
            .map(|name| Expected::of(&preset(name).unwrap()))
            .into_iter()
            .collect(),
        selectors: Vec::new(),
        keys: Vec::new(),
        ips: Vec::new(),
        hello: None,
        is_own_server: false,
        links: Vec::new(),
        with_block_lists: false,
    }
}

/// What time it is in these tests.
pub(super) const NOW_MS: i64 = 1_795_489_200_000;

/// What the doctor finds in this DNS.
pub(super) fn examine(zone: &Zone, subject: &Subject) -> Vec<Finding> {
    examine_with_web(zone, subject, &[])
}

/// The same with these pages by their addresses.
pub(super) fn examine_with_web(zone: &Zone, subject: &Subject, web: &[(&str, Page)]) -> Vec<Finding> {
    let setup = Setup {
        resolvers: vec![Resolver {
            label: "test".to_owned(),
            address: "127.0.0.1:1".parse().unwrap(),
        }],
        port: 53,
        now_ms: NOW_MS,
    };
    let mut book = Book::default();
    for _ in 0..64 {
        let findings = verdict(&book, subject, &setup);
        let missed = book.take_missed();
        let pages = book.take_missed_pages();
        if missed.is_empty() && pages.is_empty() {
            return findings;
        }
        for page in pages {
            let there = web.iter().find(|(url, _)| *url == page.url);
            let fetched = there.map(|(_, page)| page.clone());
            book.note_page(page.url, fetched.ok_or_else(|| "no web here".to_owned()));
        }
        for question in missed {
            assert!(matches!(question.whom, Whom::Anyone | Whom::Resolver(_)));
            let answer = zone.answer(&question);
            book.note(question, answer);
        }
    }
    panic!("it never ends");
}

/// The findings worse than these, as `MX-01 error: what`.
pub(super) fn worse_than(findings: &[Finding], severity: Severity) -> Vec<String> {
    let found = findings.iter().filter(|finding| finding.severity > severity);
    found
        .map(|finding| format!("{} {}: {}", finding.id, finding.severity.name(), finding.what))
        .collect()
}
