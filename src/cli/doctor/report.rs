//! What was found, for people and for programs.

use serde_json::{Value, json};

use super::Examined;
use crate::cli::exit::Exit;
use crate::cli::printer::Printer;
use crate::doctor::{Area, Finding, Paste, Severity, is_blind, why};
use crate::text;
use crate::words::Text;

/// The sign of a severity, in its colour; the word beside it says the same.
fn sign(severity: Severity) -> (&'static str, Text) {
    match severity {
        Severity::Ok => ("\u{1b}[32m✓\u{1b}[0m", text!("ok")),
        Severity::Info => ("·", text!("note")),
        Severity::Unknown => ("\u{1b}[36m?\u{1b}[0m", text!("unknown")),
        Severity::Warning => ("\u{1b}[33m!\u{1b}[0m", text!("warning")),
        Severity::Error => ("\u{1b}[31m✗\u{1b}[0m", text!("error")),
    }
}

/// The table: a line for each finding, by area, with more where something is not well.
pub(in crate::cli) fn text(printer: Printer, all: &[Examined], is_verbose: bool) {
    for examined in all {
        let head = match &examined.account {
            None => text!("{domain}", domain = &examined.domain),
            Some(account) => text!(
                "{domain} by account {account}",
                domain = &examined.domain,
                account
            ),
        };
        printer.data(text!("\n{head}", head));
        if is_blind(&examined.findings) && examined.findings.len() > 1 && !is_verbose {
            blind(printer, &examined.findings);
            continue;
        }
        for area in Area::ALL {
            let found: Vec<&Finding> = examined
                .findings
                .iter()
                .filter(|finding| finding.area() == area)
                .collect();
            if found.is_empty() {
                continue;
            }
            printer.data(text!("  {title}", title = area.title()));
            for finding in found {
                one(printer, finding, is_verbose);
            }
        }
    }
    printer.data(text!("\n{sum}", sum = sum(all)));
}

/// Nobody answered: one line says it for all checks.
fn blind(printer: Printer, findings: &[Finding]) {
    let mut said: Vec<String> = findings.iter().map(|finding| finding.what.to_string()).collect();
    said.sort_unstable();
    said.dedup();
    let (sign, word) = sign(Severity::Unknown);
    printer.data(text!(
        "  {sign} nothing could be looked up, {count} checks were not made [{word}]",
        sign,
        count = findings.len(),
        word
    ));
    let whats = findings.iter().map(|finding| &finding.what);
    let firsts = said
        .iter()
        .filter_map(|said| whats.clone().find(|what| *what == said));
    for what in firsts {
        printer.data(text!("      {what}", what));
    }
    printer.data(text!(
        "      fix: check the network, or ask another resolver, such as --resolver 223.5.5.5"
    ));
}

fn one(printer: Printer, finding: &Finding, is_verbose: bool) {
    let (sign, word) = sign(finding.severity);
    let clean = |text: &Text| printable(&text.in_lang(printer.lang));
    // Chinese letters are two columns wide: the id comes first, so that the columns stand.
    printer.data(text!(
        "    {sign} {id} {about}: {what} [{word}]",
        sign,
        id = format!("{:<8}", finding.id),
        about = Text::kept(printable(&finding.about)),
        what = clean(&finding.what),
        word
    ));
    let is_well = finding.severity < Severity::Unknown;
    // The tree of SPF is shown in any case: nobody has it in mind.
    let is_tree = finding.id == "SPF-02" && finding.details.len() > 1;
    if !is_well || is_verbose || is_tree {
        for detail in &finding.details {
            printer.data(text!("        {detail}", detail = clean(detail)));
        }
    }
    if is_well && !is_verbose {
        return;
    }
    if finding.severity >= Severity::Warning || is_verbose {
        printer.data(text!("      why: {why}", why = why(finding.id)));
    }
    if let Some(fix) = &finding.fix {
        printer.data(text!("      fix: {fix}", fix = clean(fix)));
    }
    for record in &finding.records {
        printer.data(text!("        {line}", line = record.zone_line()));
    }
}

/// What mails and the DNS say is shown without what would steer a terminal.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}

fn count(all: &[Examined], severity: Severity) -> usize {
    let findings = all.iter().flat_map(|examined| &examined.findings);
    findings.filter(|finding| finding.severity == severity).count()
}

fn sum(all: &[Examined]) -> Text {
    text!(
        "errors: {errors}, warnings: {warnings}, unknown: {unknown}, notes: {notes}, well: {ok}",
        errors = count(all, Severity::Error),
        warnings = count(all, Severity::Warning),
        unknown = count(all, Severity::Unknown),
        notes = count(all, Severity::Info),
        ok = count(all, Severity::Ok)
    )
}

/// A line for each finding, then a summary.
pub(in crate::cli) fn json(printer: Printer, all: &[Examined], exit: Exit) {
    for examined in all {
        for finding in &examined.findings {
            printer.json(&json!({
                "type": "Finding",
                "domain": examined.domain,
                "account": examined.account,
                "id": finding.id,
                "severity": finding.severity,
                "area": finding.area(),
                "about": finding.about,
                "what": finding.what,
                "why": why(finding.id),
                "fix": finding.fix,
                "details": finding.details,
                "records": finding.records.iter().map(record).collect::<Vec<_>>(),
            }));
        }
    }
    printer.json(&json!({
        "type": "Summary",
        "errors": count(all, Severity::Error),
        "warnings": count(all, Severity::Warning),
        "unknown": count(all, Severity::Unknown),
        "notes": count(all, Severity::Info),
        "ok": count(all, Severity::Ok),
        "exit_code": exit as u8,
    }));
}

/// A record in all its forms.
pub(in crate::cli) fn record(paste: &Paste) -> Value {
    json!({
        "name": paste.name,
        "zone": paste.zone,
        "host": paste.name.host_in(&paste.zone),
        "type": paste.kind,
        "priority": paste.priority,
        "value": paste.value,
        "ttl": paste.ttl,
        "instead_of": paste.instead_of,
        "zone_line": paste.zone_line(),
        "aliyun": paste.aliyun(),
    })
}

/// The records to publish, in three forms.
pub(super) fn records(printer: Printer, all: &[Examined]) {
    let findings = all.iter().flat_map(|examined| &examined.findings);
    // Two findings may ask for the same.
    let mut records: Vec<(&Finding, &Paste)> = Vec::new();
    for finding in findings {
        for record in &finding.records {
            if !records.iter().any(|(_, known)| *known == record) {
                records.push((finding, record));
            }
        }
    }
    if records.is_empty() {
        printer.data(text!("\nthere is no record to publish"));
        return;
    }
    let headed: Vec<(Text, &Paste)> = records
        .into_iter()
        .map(|(finding, record)| {
            (
                text!("{id} {what}", id = finding.id, what = &finding.what),
                record,
            )
        })
        .collect();
    paste(printer, &headed);
}

/// Records in the three forms that people paste, each with what it is for.
pub(in crate::cli) fn paste(printer: Printer, records: &[(Text, &Paste)]) {
    printer.data(text!("\nfor a DNS console"));
    for (head, record) in records {
        printer.data(text!("  # {head}", head));
        for line in record.obsolete() {
            printer.data(text!("  {line}", line));
        }
        for line in record.console() {
            printer.data(text!("  {line}", line));
        }
        printer.data(Text::default());
    }
    printer.data(text!("for a zone file"));
    for (_, record) in records {
        for old in &record.instead_of {
            printer.data(text!(
                "  ; - {name} {kind} {old}",
                name = record.name,
                kind = record.kind,
                old
            ));
        }
        printer.data(text!("  {zone_line}", zone_line = record.zone_line()));
    }
    printer.data(text!("\nfor Alibaba Cloud (`aliyun`)"));
    for (_, record) in records {
        if !record.instead_of.is_empty() {
            printer.data(text!(
                "  # remove these first: two such records beside one another are worse than none"
            ));
            for line in record.aliyun_removal() {
                printer.data(text!("  {line}", line));
            }
        }
        printer.data(text!("  {aliyun}", aliyun = record.aliyun()));
    }
}
