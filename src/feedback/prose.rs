//! Reports that are written for people alone, each server in its own words. What they have in common is how they name who
//! did not get the mail: an address that begins a line, after a colon, in a command that was refused, beside what was said.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::Regex;

use super::fields::Fields;
use super::opened::Opened;
use super::{Action, Returned};
use crate::mail::Address;
use crate::replies::pasted;

/// Addresses of a text that are weighed.
const ADDRESSES_MAX: usize = 100;
/// `@` of a line that are looked at.
const SIGNS_MAX: usize = 200;
/// Lines behind an address that may say why.
const REASON_LINES: usize = 8;
/// How much less than the best an address may speak for itself, to be one of several.
const CLOSE: i32 = 2;
/// How much an address should speak for itself; where none does, the best is taken.
const LEAST: i32 = 3;
/// How much it speaks against an address that it is the sender's.
const OWN: i32 = 12;

/// Words that say that something went wrong.
#[expect(clippy::unwrap_used, reason = "a constant, and read in every test")]
static FAILURE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)\b[45]\d\d[ -]|unknown|not found|n[o']t exist|fail|undeliver|reject|refus|denied|disabled|\bfull\b|quota|exceed|",
        r"no such|invalid|not listed|unable|could ?n[o']t|cannot|can't|expired|suspended|inactive|not recogni|",
        r"reason|bounce|not known|not accept|error|unzustellbar|inconnu|不存在|失败|拒|退|已满|宛先|届"
    ))
    .unwrap()
});

/// Words before those whom a report is about.
#[expect(clippy::unwrap_used, reason = "a constant, and read in every test")]
static LEADS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)(recipient|address|user|destination|to|for|mailbox)(\(?(e?s)\)?)?[^a-z]{0,12}$|following|fail|deliver|",
        r"undeliver|收件人|地址|以下|宛先"
    ))
    .unwrap()
});

/// Words of lines that name others: who sent it, whom to ask.
#[expect(clippy::unwrap_used, reason = "a constant, and read in every test")]
static OTHERS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(concat!(
        r"(?i)^\W*(from|sender|reply-to|message-id|return-path|mail from|subject|references|发件人)\W*:|",
        r"mail from|message.?id|sent by|from:? ?<|contact|assistance|questions|help ?desk|support|administrator|",
        r"please (e-?mail|write|send)|forward"
    ))
    .unwrap()
});

/// Local parts that are nobody's.
const OF_SERVERS: [&str; 8] = [
    "postmaster",
    "mailer-daemon",
    "mailerdaemon",
    "abuse",
    "noreply",
    "no-reply",
    "helpdesk",
    "support",
];

/// The addresses in a text, in their order, as they are written.
pub(super) fn addresses(text: &str) -> impl Iterator<Item = String> {
    found(text).map(|found| found.address)
}

/// The addresses in fields of these names: name by name, as they are written.
pub(super) fn in_fields(fields: &Fields, names: &[&str]) -> Vec<String> {
    let values = names.iter().flat_map(|name| fields.all(name));
    values.flat_map(addresses).collect()
}

/// An address and where it stands.
struct Found {
    start: usize,
    end: usize,
    address: String,
}

fn found(text: &str) -> impl Iterator<Item = Found> {
    let signs = text.match_indices('@').take(SIGNS_MAX);
    signs.filter_map(move |(at, _)| around(text, at))
}

/// The address around an `@`, without what sentences leave at its ends; none if it is not one.
fn around(text: &str, at: usize) -> Option<Found> {
    let (ahead, behind) = (text.get(..at)?, text.get(at + 1..)?);
    let local = if ahead.ends_with('"') {
        let quote = ahead.get(..at - 1)?.rfind('"')?;
        ahead.get(quote..)?
    } else {
        let begin = ahead.rfind(|c: char| {
            c.is_whitespace() || "<>()[],;:\"`=|\\{}„“”‘’«»（）【】《》：，。；、".contains(c)
        });
        let begin = begin.map_or(0, |begin| {
            begin
                + ahead
                    .get(begin..)
                    .and_then(|rest| rest.chars().next())
                    .map_or(0, char::len_utf8)
        });
        ahead.get(begin..)?.trim_start_matches(['.', '*', '!', '\'', '-'])
    };
    let end = behind
        .find(|c: char| !(c.is_alphanumeric() || matches!(c, '.' | '-')))
        .unwrap_or(behind.len());
    let domain = behind.get(..end)?.trim_end_matches(['.', '-']);
    let address = Address::parse_utf8(&format!("{local}@{domain}")).ok()?;
    Some(Found {
        start: at - local.len(),
        end: at + 1 + domain.len(),
        address: address.as_str().to_owned(),
    })
}

/// Whom a report for people is about, and what it says.
pub(super) fn recipients(opened: &Opened) -> Vec<Returned> {
    let named = named(opened);
    let failed = in_fields(&opened.headers, &["x-failed-recipients"]);
    let in_subject: Vec<String> = addresses(&opened.subject).collect();
    let all = if !failed.is_empty() {
        failed
    } else if !named.is_empty() {
        named
    } else if !in_subject.is_empty() {
        in_subject
    } else {
        let returned_to = in_fields(&opened.returned, &["x-original-to", "delivered-to", "to", "cc"]);
        returned_to.into_iter().take(1).collect()
    };
    all.into_iter().map(|address| returned(opened, address)).collect()
}

fn returned(opened: &Opened, address: String) -> Returned {
    let (reply, stage) = pasted(&reason(&opened.human, &address));
    Returned {
        action: Action::Failed,
        reply,
        stage,
        ..Returned::named(address)
    }
}

/// The addresses that the text names as those who did not get the mail.
fn named(opened: &Opened) -> Vec<String> {
    let own = own(opened);
    let meant = in_fields(&opened.returned, &["to", "cc", "x-original-to", "delivered-to"]);
    let meant: Vec<String> = meant.iter().map(|address| address.to_lowercase()).collect();
    let mut weights: BTreeMap<String, (usize, i32, String)> = BTreeMap::new();
    let mut before = "";
    for (number, line) in opened.human.lines().enumerate() {
        for Found { start, end, address } in found(line).take(ADDRESSES_MAX) {
            if weights.len() > ADDRESSES_MAX {
                break;
            }
            let key = address.to_lowercase();
            let mut weight = weight(line, (start, end), before);
            if own.contains(&key) {
                weight -= OWN;
            } else if meant.contains(&key) {
                weight += 4;
            }
            let local = key.split('@').next().unwrap_or_default();
            weight -= if OF_SERVERS.contains(&local) { 5 } else { 0 };
            let known = weights.entry(key).or_insert((number, weight, address));
            known.1 = known.1.max(weight);
        }
        if !line.trim().is_empty() {
            before = line;
        }
    }
    // Who writes to themselves gets it back from themselves: then the place says enough.
    let is_own = |weight: i32| weight < LEAST && weight + OWN >= LEAST * 2;
    if weights.values().all(|(_, weight, _)| *weight <= 0) {
        weights
            .values_mut()
            .filter(|(_, weight, _)| is_own(*weight))
            .for_each(|(_, weight, _)| *weight += OWN);
    }
    let best = weights
        .values()
        .map(|(_, weight, _)| *weight)
        .max()
        .unwrap_or_default();
    let least = if best < LEAST {
        best.max(1)
    } else {
        LEAST.max(best - CLOSE)
    };
    let mut all: Vec<(usize, String)> = weights
        .into_values()
        .filter(|(_, weight, _)| *weight >= least)
        .map(|(number, _, address)| (number, address))
        .collect();
    all.sort();
    all.into_iter().map(|(_, address)| address).collect()
}

/// How much the place of an address in its line speaks for it.
fn weight(line: &str, (start, end): (usize, usize), before: &str) -> i32 {
    let ahead = line.get(..start).unwrap_or_default();
    let behind = line.get(end..).unwrap_or_default();
    let is_mark = |c: char| !c.is_alphanumeric();
    let begins = ahead.chars().all(is_mark);
    let ends = behind.chars().all(is_mark);
    let is_copied = ["to:", "cc:"].contains(&ahead.trim().to_ascii_lowercase().as_str());
    let reasons = [
        (begins, 4),
        (begins && ends, 2),
        (begins && behind.trim_start().starts_with([':', '>']), 1),
        (FAILURE.is_match(line), 3),
        (LEADS.is_match(ahead.trim_end()), 3),
        (LEADS.is_match(before.trim_end()), 2),
        (ahead.to_ascii_lowercase().contains("rcpt to"), 4),
        (OTHERS.is_match(line), -5),
        (is_copied, -3),
    ];
    let that_hold = reasons.into_iter().filter(|(holds, _)| *holds);
    that_hold.map(|(_, weight)| weight).sum()
}

/// The addresses of the sender: to whom the report came, and who sent the mail that came back.
fn own(opened: &Opened) -> Vec<String> {
    let report = ["to", "from", "reply-to", "return-path", "sender"];
    let mail = ["from", "return-path", "sender", "reply-to", "message-id"];
    let mut all = in_fields(&opened.headers, &report);
    all.extend(in_fields(&opened.returned, &mail));
    all.into_iter().map(|address| address.to_lowercase()).collect()
}

/// What the text says about an address: from its line on, up to the next address or a second empty line.
pub(super) fn reason(human: &str, address: &str) -> String {
    let lower = address.to_lowercase();
    let lines: Vec<&str> = human.lines().collect();
    let is_named = |line: &&str| line.to_lowercase().contains(&lower);
    let mut best: Option<(bool, String)> = None;
    for (at, _) in lines.iter().enumerate().filter(|(_, line)| is_named(line)) {
        let mut text = String::new();
        for (number, line) in lines.iter().skip(at).take(REASON_LINES).enumerate() {
            let is_other = found(line).next().is_some_and(|other| {
                let ahead = line.get(..other.start).unwrap_or_default();
                !ahead.contains(char::is_alphanumeric) && !other.address.eq_ignore_ascii_case(address)
            });
            let is_end = line.trim().is_empty() && FAILURE.is_match(&text.replace(address, ""));
            if number > 0 && (is_end || is_other) {
                break;
            }
            text.push_str(line.trim());
            text.push('\n');
        }
        let has_code = pasted(&text).0.code > 0;
        if best.as_ref().is_none_or(|(known, _)| has_code && !known) {
            best = Some((has_code, text));
        }
    }
    match best {
        Some((_, text)) => text,
        None => human.chars().take(2_000).collect(),
    }
}
