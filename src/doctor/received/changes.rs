//! What is otherwise than it was sent: by the provider, a virus scanner, a list.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use mail_parser::{Message, MessageParser, MimeHeaders as _};
use regex::Regex;

use super::mail::Mail;
use crate::doctor::finding::{Finding, Severity};
use crate::text;
use crate::words::Text;

/// Headers that servers put before a mail on its way.
const OF_THE_WAY: [&str; 9] = [
    "received",
    "return-path",
    "delivered-to",
    "envelope-to",
    "x-received",
    "x-original-to",
    "authentication-results",
    "received-spf",
    "dkim-signature",
];
/// Findings about headers, and lines in one, at most.
const SHOWN_MAX: usize = 20;
/// Characters of a value that are shown.
const VALUE_MAX: usize = 100;

/// Compares a mail with what was sent.
pub(super) fn check(sent: &Mail, got: &Mail) -> Vec<Finding> {
    let before = values(sent);
    let mut findings = headers(sent, &before, &values(got));
    if findings.is_empty() {
        let what = text!("all that were sent arrived as they were");
        findings.push(Finding::ok("SENT-01", "headers", what));
    }
    findings.extend(added(&before, got));
    findings.extend(body(sent, got));
    findings
}

/// A value as it is compared: spaces and folds do not count.
fn plain(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn short(value: &str) -> String {
    let shown: String = value
        .chars()
        .filter(|c| !c.is_control())
        .take(VALUE_MAX)
        .collect();
    if shown.len() < value.len() {
        format!("{shown}…")
    } else {
        shown
    }
}

/// The values of each header, by its name in lower case. Looked up once: a stranger's mail may have any number of them.
type Values = BTreeMap<String, Vec<String>>;

fn values(mail: &Mail) -> Values {
    let mut all = Values::new();
    for header in mail.headers() {
        let named = all.entry(header.name.to_ascii_lowercase()).or_default();
        named.push(plain(&header.value));
    }
    all
}

/// Headers that were sent, and are gone or changed.
fn headers(sent: &Mail, before: &Values, after: &Values) -> Vec<Finding> {
    let mut seen = BTreeSet::new();
    let mut findings = Vec::new();
    for header in sent.headers() {
        let key = header.name.to_ascii_lowercase();
        if findings.len() >= SHOWN_MAX || seen.contains(&key) {
            continue;
        }
        let name = header.name.as_str();
        let of = |values: &Values| values.get(&key).cloned().unwrap_or_default();
        let (was, is) = (of(before), of(after));
        seen.insert(key);
        let known: BTreeSet<&String> = is.iter().collect();
        let Some(first) = was.iter().find(|value| !known.contains(value)) else {
            continue;
        };
        let old: BTreeSet<&String> = was.iter().collect();
        let what = match is.iter().find(|value| !old.contains(value)) {
            // Others sign as well: theirs does not take the place of ours.
            Some(new) if !name.eq_ignore_ascii_case("DKIM-Signature") => text!(
                "changed: `{before}` became `{after}`",
                before = short(first),
                after = short(new)
            ),
            _ => text!("taken out: `{before}`", before = short(first)),
        };
        let (severity, fix) = weight(name);
        let mut finding = Finding::new("SENT-01", severity, short(name), what);
        finding.fix = fix;
        findings.push(finding);
    }
    findings
}

/// How bad it is that a header is not what it was, and what to do.
fn weight(name: &str) -> (Severity, Option<Text>) {
    match name.to_ascii_lowercase().as_str() {
        "from" => (
            Severity::Error,
            Some(text!(
                "send as an address that the provider lets this account use"
            )),
        ),
        "list-unsubscribe" | "list-unsubscribe-post" => (
            Severity::Error,
            Some(text!(
                "switch the provider's own unsubscribe links off: its links do not suppress anybody in mailshot"
            )),
        ),
        "message-id" => (
            Severity::Warning,
            Some(text!(
                "bounces and replies name the new one, which the ledger does not know"
            )),
        ),
        "content-type" | "content-transfer-encoding" | "mime-version" => (Severity::Info, None),
        _ => (Severity::Warning, None),
    }
}

/// Headers that were not sent.
fn added(sent: &Values, got: &Mail) -> Option<Finding> {
    let is_known = |name: &str| {
        let name = name.to_ascii_lowercase();
        OF_THE_WAY.contains(&name.as_str()) || name.starts_with("arc-") || sent.contains_key(&name)
    };
    let new: Vec<Text> = got
        .headers()
        .iter()
        .filter(|header| !is_known(&header.name))
        .map(|header| Text::from(format!("{}: {}", short(&header.name), short(&header.value))))
        .collect();
    if new.is_empty() {
        return None;
    }
    let what = text!("{count} were added on the way", count = new.len());
    Some(Finding::info("SENT-02", "headers", what).details(new.into_iter().take(SHOWN_MAX)))
}

fn body(sent: &Mail, got: &Mail) -> Vec<Finding> {
    const ID: &str = "SENT-03";
    if trimmed(sent.body()) == trimmed(got.body()) {
        return vec![Finding::ok(ID, "body", text!("not a byte of it was changed"))];
    }
    let parser = MessageParser::default();
    let (Some(before), Some(after)) = (parser.parse(sent.bytes()), parser.parse(got.bytes())) else {
        let what = text!("changed, and it cannot be read any more");
        return vec![Finding::error(ID, "body", what)];
    };
    let mut findings = Vec::new();
    findings.extend(text_part(&before, &after));
    findings.extend(html_part(&before, &after));
    findings.extend(files(&before, &after));
    if findings.is_empty() {
        let what = text!("encoded anew on the way; it says the same");
        let fix = text!("signatures made before that do not survive it: have the last server sign");
        findings.push(Finding::info(ID, "body", what).fix(fix));
    }
    findings
}

/// Empty lines at the end come and go.
fn trimmed(body: &[u8]) -> &[u8] {
    body.trim_ascii_end()
}

fn text_part(before: &Message<'_>, after: &Message<'_>) -> Option<Finding> {
    let of = |mail: &Message<'_>| plain(&mail.body_text(0).unwrap_or_default());
    let (before, after) = (of(before), of(after));
    (before != after).then(|| Finding::warning("SENT-03", "text", changed(&before, &after)))
}

/// What became of a text, in a sentence.
fn changed(before: &str, after: &str) -> Text {
    match after.split_once(before).filter(|_| !before.is_empty()) {
        Some((head, "")) => text!("put before it: `{head}`", head = short(head.trim())),
        Some((_, tail)) => text!("put behind it: `{tail}`", tail = short(tail.trim())),
        None => {
            let same = before
                .chars()
                .zip(after.chars())
                .take_while(|(one, other)| one == other)
                .count();
            let from = |text: &str| short(&text.chars().skip(same).collect::<String>());
            text!(
                "changed: `{before}` became `{after}`",
                before = from(before),
                after = from(after)
            )
        }
    }
}

fn html_part(before: &Message<'_>, after: &Message<'_>) -> Vec<Finding> {
    let of = |mail: &Message<'_>| mail.body_html(0).unwrap_or_default().into_owned();
    let (before, after) = (of(before), of(after));
    if plain(&before) == plain(&after) {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let (links, new_links) = (addresses(&before, &LINK), addresses(&after, &LINK));
    let gone = links.difference(&new_links).count();
    let hosts = hosts(new_links.difference(&links));
    if !hosts.is_empty() {
        let what = text!(
            "{gone} links lead elsewhere now, by: {hosts}",
            gone,
            hosts = hosts.join(", ")
        );
        let fix = text!(
            "somebody counts clicks; switch it off at the provider (`track` in the campaign, where it can be set), or tell people of it"
        );
        findings.push(Finding::warning("SENT-04", "links", what).fix(fix));
    } else if gone > 0 {
        findings.push(Finding::warning(
            "SENT-04",
            "links",
            text!("{gone} links are gone", gone),
        ));
    }
    let new: Vec<String> = addresses(&after, &IMAGE)
        .difference(&addresses(&before, &IMAGE))
        .map(|url| short(url))
        .collect();
    if !new.is_empty() {
        let what = text!("{count} images that were not sent", count = new.len());
        let fix = text!(
            "one that nobody sees counts who opens the mail; switch it off at the provider, or tell people of it"
        );
        let shown = new.into_iter().take(SHOWN_MAX).map(Text::from);
        findings.push(
            Finding::warning("SENT-05", "images", what)
                .fix(fix)
                .details(shown),
        );
    }
    let words = |html: &str| plain(&TAG.replace_all(html, " "));
    let (before, after) = (words(&before), words(&after));
    if before != after {
        findings.push(Finding::warning("SENT-03", "HTML", changed(&before, &after)));
    } else if findings.is_empty() {
        let what = text!("its tags were changed; it says the same");
        findings.push(Finding::info("SENT-03", "HTML", what));
    }
    findings
}

#[expect(clippy::unwrap_used, reason = "fixed expressions, which the tests read")]
static LINK: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(?i)<a\b[^>]*?\bhref\s*=\s*["']?([^"'\s>]+)"#).unwrap());
#[expect(clippy::unwrap_used, reason = "fixed expressions, which the tests read")]
static IMAGE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#"(?i)<img\b[^>]*?\bsrc\s*=\s*["']?([^"'\s>]+)"#).unwrap());
#[expect(clippy::unwrap_used, reason = "fixed expressions, which the tests read")]
static TAG: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"(?s)<!--.*?-->|<[^>]*>").unwrap());

fn addresses(html: &str, expression: &Regex) -> BTreeSet<String> {
    let found = expression.captures_iter(html).filter_map(|found| found.get(1));
    found.map(|url| url.as_str().replace("&amp;", "&")).collect()
}

fn hosts<'u>(urls: impl Iterator<Item = &'u String>) -> Vec<String> {
    let host = |url: &String| {
        let url = url::Url::parse(url).ok()?;
        Some(url.host_str()?.to_owned())
    };
    let hosts: BTreeSet<String> = urls.filter_map(host).collect();
    hosts.into_iter().take(SHOWN_MAX).collect()
}

fn files(before: &Message<'_>, after: &Message<'_>) -> Vec<Finding> {
    let of = |mail: &Message<'_>| -> Vec<(String, Vec<u8>)> {
        let all = mail.attachments();
        let file = |part: &mail_parser::MessagePart<'_>| {
            (
                part.attachment_name().unwrap_or_default().to_owned(),
                part.contents().to_vec(),
            )
        };
        all.map(file).collect()
    };
    let (before, after) = (of(before), of(after));
    let mut findings = Vec::new();
    for (name, content) in &before {
        let fix = text!("put the file behind a link instead (`as = \"link\"`), or ask the provider");
        match after.iter().find(|(other, _)| other == name) {
            Some((_, other)) if other == content => {}
            Some(_) => findings.push(
                Finding::error(
                    "SENT-06",
                    short(name),
                    text!("the attachment is another than was sent"),
                )
                .fix(fix),
            ),
            None => {
                findings.push(
                    Finding::error("SENT-06", short(name), text!("the attachment was taken out")).fix(fix),
                );
            }
        }
    }
    findings
}
