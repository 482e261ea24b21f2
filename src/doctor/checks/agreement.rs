//! Whether all resolvers and name servers see the same records.

use std::collections::BTreeMap;

use super::zone::{Authority, Sources, authorities};
use crate::doctor::Severity;
use crate::doctor::dns::{Answer, Book, Kind, Name, NoAnswer, Unsaid, Whom};
use crate::doctor::finding::{Checked, Finding};
use crate::doctor::spf::parse::{is_meant, is_spf};
use crate::text;
use crate::words::Text;

/// What one of those asked sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Who.
    pub label: String,
    /// The values, in order, and for how many seconds they may still be kept; or why nothing is known.
    pub values: Result<(Vec<String>, u32), NoAnswer>,
}

/// What everybody sees of one set of records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The records' name.
    pub name: Name,
    /// Their kind.
    pub kind: Kind,
    /// Who sees what: the zone's own servers first.
    pub seen: Vec<Seen>,
}

impl Row {
    /// Do all who answered see the same?
    pub fn is_agreed(&self) -> bool {
        let mut values = self
            .seen
            .iter()
            .filter_map(|seen| seen.values.as_ref().ok())
            .map(|(values, _)| values);
        let first = values.next();
        values.all(|other| Some(other) == first)
    }

    /// Who sees what, a line for each.
    fn lines(&self) -> Vec<Text> {
        let lines = self.seen.iter().map(|seen| {
            let label = &seen.label;
            match &seen.values {
                Ok((values, _)) if values.is_empty() => text!("{label}: nothing", label),
                Ok((values, ttl)) => {
                    text!(
                        "{label}: {values} (for {ttl} s)",
                        label,
                        values = values.join(" | "),
                        ttl = *ttl
                    )
                }
                Err(why) => text!("{label}: {why}", label, why),
            }
        });
        lines.collect()
    }
}

/// What everybody sees of these records.
pub fn table(
    book: &Book,
    zone: &Name,
    sources: Sources<'_>,
    asked: &[(Name, Kind)],
) -> Result<Vec<Row>, Unsaid> {
    let authorities = authorities(book, zone, sources)?;
    let resolvers = sources
        .resolvers
        .iter()
        .enumerate()
        .map(|(number, resolver)| Authority {
            label: resolver.label.clone(),
            whom: Whom::Resolver(number),
        });
    let resolvers = resolvers.filter(|resolver| authorities.iter().all(|known| known.whom != resolver.whom));
    let everyone: Vec<Authority> = authorities.iter().cloned().chain(resolvers).collect();
    let mut rows = Vec::new();
    let mut is_pending = false;
    for (name, kind) in asked {
        let mut seen = Vec::new();
        for Authority { label, whom } in &everyone {
            let is_server = matches!(whom, Whom::Server(_));
            // Names elsewhere are not theirs.
            if is_server && !name.is_within(zone.as_str()) {
                continue;
            }
            let values = match book.ask(*whom, name, *kind) {
                Ok(answer) => Ok(values(answer, name, *kind, is_server)),
                Err(Unsaid::Failed(why)) => Err(why),
                Err(Unsaid::Pending) => {
                    is_pending = true;
                    continue;
                }
            };
            seen.push(Seen {
                label: label.clone(),
                values,
            });
        }
        rows.push(Row {
            name: name.clone(),
            kind: *kind,
            seen,
        });
    }
    if is_pending {
        Err(Unsaid::Pending)
    } else {
        Ok(rows)
    }
}

/// The values of a set of records, to be compared: of a domain's texts only its SPF, since others come and go.
fn values(answer: &Answer, name: &Name, kind: Kind, is_server: bool) -> (Vec<String>, u32) {
    let mut found = answer.of(name, kind);
    // A name server gives the other name and leaves its records to others.
    if found.is_empty() && is_server {
        found = answer.own(name, Kind::Cname).collect();
    }
    let ttl = found.iter().map(|record| record.ttl).min().unwrap_or_default();
    let is_apex_text =
        kind == Kind::Txt && !name.as_str().starts_with('_') && !name.as_str().contains("._domainkey.");
    let values = found.iter().map(|record| record.data.to_string());
    let mut values: Vec<String> = values
        .filter(|value| !is_apex_text || is_spf(value) || is_meant(value))
        .collect();
    values.sort();
    (values, ttl)
}

/// Do all resolvers and name servers see the same?
pub fn check(book: &Book, zone: &Name, sources: Sources<'_>, asked: &[(Name, Kind)]) -> Checked {
    let rows = table(book, zone, sources, asked)?;
    let mut findings: Vec<Finding> = rows
        .iter()
        .filter(|row| !row.is_agreed())
        .map(disagreement)
        .collect();
    let mut silent: BTreeMap<String, NoAnswer> = BTreeMap::new();
    for seen in rows.iter().flat_map(|row| &row.seen) {
        if let Err(why) = &seen.values {
            silent.entry(seen.label.clone()).or_insert_with(|| why.clone());
        }
    }
    let everyone = rows.iter().map(|row| row.seen.len()).max().unwrap_or_default();
    if !silent.is_empty() {
        let labels: Vec<&str> = silent.keys().map(String::as_str).collect();
        let what = text!(
            "{count} of {everyone} did not answer: {labels}",
            count = silent.len(),
            everyone,
            labels = labels.join(", ")
        );
        let lines = silent
            .iter()
            .map(|(label, why)| text!("{label}: {why}", label, why));
        findings.push(Finding::new("PROP-01", Severity::Unknown, zone, what).details(lines));
    }
    if findings.is_empty() && everyone == 1 {
        let what = text!("only one was asked: whether others see the same is not known");
        findings.push(Finding::info("PROP-01", zone, what));
    }
    if findings.is_empty() && everyone > 0 {
        let what = text!("all {everyone} asked see the same", everyone);
        let lines = rows.iter().flat_map(|row| {
            let head = text!("{name} {kind}", name = &row.name, kind = row.kind.to_string());
            std::iter::once(head).chain(row.lines())
        });
        findings.push(Finding::ok("PROP-01", zone, what).details(lines));
    }
    Ok(findings)
}

fn disagreement(row: &Row) -> Finding {
    let what = text!("not all see the same records");
    let fix = text!(
        "after a change this is normal until the old lifetime is over; `mailshot doctor --watch` waits for it"
    );
    Finding::warning("PROP-01", format!("{} {}", row.name, row.kind), what)
        .fix(fix)
        .details(row.lines())
}
