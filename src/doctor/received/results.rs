//! What the receiver says it found: Authentication-Results, and what stands beside it. Source: RFC 8601.

use super::mail::Mail;
use crate::doctor::finding::{Finding, Severity};
use crate::text;

/// Lines looked at.
const LINES_MAX: usize = 10;

/// One method with its result: `dkim=pass`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Method {
    pub(super) name: String,
    pub(super) result: String,
}

/// Who says it, and what.
pub(super) fn parse(value: &str) -> (String, Vec<Method>) {
    let plain = without_comments(value);
    let mut parts = plain.split(';').map(str::trim);
    let first = parts.next().unwrap_or_default();
    // Some leave the server's name out.
    let (server, head) = if first.contains('=') {
        ("", Some(first))
    } else {
        (first.split_whitespace().next().unwrap_or_default(), None)
    };
    let methods = head.into_iter().chain(parts).filter_map(|part| {
        let (name, rest) = part.split_once('=')?;
        // `dkim/1=pass` names a version.
        let name = name.split('/').next().unwrap_or(name).trim();
        let result = rest.split_whitespace().next()?;
        let is_word = |word: &str| {
            !word.is_empty()
                && word
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        };
        (is_word(name) && is_word(result)).then(|| Method {
            name: name.to_ascii_lowercase(),
            result: result.to_ascii_lowercase(),
        })
    });
    (server.to_owned(), methods.collect())
}

/// Comments stand in parentheses, also within one another.
fn without_comments(value: &str) -> String {
    let mut depth = 0_u32;
    let mut is_quoted = false;
    value
        .chars()
        .filter(|c| {
            match c {
                '"' if depth == 0 => is_quoted = !is_quoted,
                '(' if !is_quoted => depth += 1,
                ')' if !is_quoted && depth > 0 => {
                    depth -= 1;
                    return false;
                }
                _ => {}
            }
            depth == 0
        })
        .collect()
}

/// A finding for each line. The first is the receiver's own; what is below it came with the mail, and anybody can write it.
pub(super) fn check(mail: &Mail) -> Vec<Finding> {
    const NAMES: [&str; 2] = ["Authentication-Results", "ARC-Authentication-Results"];
    let mut findings = Vec::new();
    for name in NAMES {
        for (number, value) in mail.all(name).take(LINES_MAX).enumerate() {
            // ARC puts its number first.
            let value = value
                .split_once(';')
                .filter(|(first, _)| first.trim_start().starts_with("i="))
                .map_or(value, |(_, rest)| rest);
            let (server, methods) = parse(value);
            let said: Vec<String> = methods
                .iter()
                .map(|method| format!("{}={}", method.name, method.result))
                .collect();
            let said = if said.is_empty() {
                "none".to_owned()
            } else {
                said.join(", ")
            };
            let is_receivers = number == 0 && name == NAMES[0];
            let severity = if is_receivers {
                severity(&methods)
            } else {
                Severity::Info
            };
            let what = if is_receivers {
                text!("the receiver {server} says: {said}", server, said)
            } else {
                text!("{server} said on the way: {said}", server, said)
            };
            findings.push(Finding::new("AR-01", severity, name, what));
        }
    }
    for value in mail.all("Received-SPF").take(1) {
        let result = value
            .split_whitespace()
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let what = text!("the receiver says: spf={result}", result);
        findings.push(Finding::info("AR-01", "Received-SPF", what));
    }
    if findings.is_empty() {
        let what = text!("the receiver has not written down what it found");
        findings.push(Finding::info("AR-01", NAMES[0], what));
    }
    findings
}

/// How bad it is what the receiver says: of several signatures one that passes is enough.
fn severity(methods: &[Method]) -> Severity {
    let results = |name: &'static str| methods.iter().filter(move |method| method.name == name);
    let is = |name, wanted: &[&str]| results(name).any(|method| wanted.contains(&method.result.as_str()));
    if is("dmarc", &["fail", "permerror"]) {
        Severity::Error
    } else if (is("dkim", &["fail", "permerror", "neutral"]) && !is("dkim", &["pass"]))
        || is("spf", &["fail", "softfail", "permerror"])
        || is("dkim", &["none"])
    {
        Severity::Warning
    } else {
        Severity::Ok
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(value: &str) -> (String, Vec<String>) {
        let (server, methods) = parse(value);
        let methods = methods
            .iter()
            .map(|method| format!("{}={}", method.name, method.result));
        (server, methods.collect())
    }

    #[test]
    fn what_receivers_write_is_read() {
        let gmail = "mx.google.com; dkim=pass header.i=@b.example header.s=m1 header.b=ab; spf=pass (google.com: domain \
                     of a@b.example designates 203.0.113.7 as permitted sender; ok) smtp.mailfrom=a@b.example; \
                     dmarc=pass (p=REJECT sp=REJECT dis=NONE) header.from=b.example";
        assert_eq!(
            said(gmail),
            (
                "mx.google.com".to_owned(),
                vec![
                    "dkim=pass".to_owned(),
                    "spf=pass".to_owned(),
                    "dmarc=pass".to_owned()
                ]
            )
        );
        let microsoft = "spf=pass (sender IP is 203.0.113.7) smtp.mailfrom=b.example; dkim=fail (body hash did not verify) \
                         header.d=b.example;dmarc=fail action=none header.from=b.example;compauth=fail reason=001";
        let (server, methods) = said(microsoft);
        assert_eq!(server, "");
        assert_eq!(methods, ["spf=pass", "dkim=fail", "dmarc=fail", "compauth=fail"]);
        assert_eq!(said("x; none").1, Vec::<String>::new());
        assert_eq!(said("((((;").1, Vec::<String>::new());
    }
}
