//! A received copy, read back: what receivers make of its signatures and its sender, and what was changed on the way.
//!
//! Findings are of the same form as those about a domain, and come about the same way: plain functions over a book of
//! answers, run again until nothing is missing. Mails are strangers' input: nothing here trusts them.

mod known;
mod mail;
mod signatures;
mod sender;
mod results;
mod changes;

use std::borrow::Cow;

use mail_parser::HeaderValue;
use mail_parser::parsers::MessageStream;

use super::checks::dmarc::{self, Policy};
use super::checks::tags::Tags;
use super::checks::zone;
use super::dns::{Book, Name, Unsaid};
use super::finding::{Finding, Severity};
use crate::text;
use sender::Spf;
use signatures::{Signed, Written};

pub use mail::{Header, Mail};

/// What is looked at.
#[derive(Clone, Copy, Debug)]
pub struct Received<'m> {
    /// The mail as it arrived.
    pub mail: &'m Mail,
    /// The mail as it was sent, where it is known.
    pub sent: Option<&'m Mail>,
    /// Selectors that the doctor knows already.
    pub selectors: &'m [String],
}

/// What is known of a mail so far.
struct Looked<'m> {
    mail: &'m Mail,
    /// The domain of From.
    from: String,
    signed: Vec<Signed>,
    spf: Option<Spf>,
    policy: Result<Option<Policy>, Unsaid>,
}

impl Looked<'_> {
    /// Is this domain aligned with From? `tag` is `adkim` or `aspf`: strict where the policy says so. Source: RFC 9989, 4.4.
    fn is_aligned(&self, domain: &str, tag: &str) -> bool {
        let (Some(domain), Some(from)) = (sender::name(domain), sender::name(&self.from)) else {
            return false;
        };
        match &self.policy {
            _ if domain == from => true,
            Ok(Some(policy)) => {
                let is_strict = Tags::parse(&policy.record).get(tag) == Some("s");
                !is_strict && domain.is_within(policy.organization.as_str())
            }
            Ok(None) | Err(_) => domain.is_within(from.as_str()) || from.is_within(domain.as_str()),
        }
    }
}

/// The domain of the sender people see.
pub fn domain_of_from(mail: &Mail) -> Option<Name> {
    // A bare address ends where the line does.
    let from = format!("{}\n", mail.first("From")?);
    let HeaderValue::Address(addresses) = MessageStream::new(from.as_bytes()).parse_address() else {
        return None;
    };
    let address = addresses.iter().find_map(|address| address.address())?;
    Name::parse(address.rsplit_once('@')?.1)
}

/// The mail as its signatures are checked in it: with no more of them than are looked at.
pub fn limited(mail: &Mail) -> Cow<'_, [u8]> {
    signatures::limited(mail)
}

/// A copy, taken apart once: verdicts come again and again, as long as something is missing in the book.
pub struct Reading<'m> {
    copy: Received<'m>,
    from: Option<Name>,
    written: Written<'m>,
}

impl<'m> Reading<'m> {
    /// The reading of a copy; `limited` is what [`limited`] makes of its mail.
    pub fn of(copy: Received<'m>, limited: &'m [u8]) -> Self {
        Self {
            copy,
            from: domain_of_from(copy.mail),
            written: Written::of(copy.mail, limited),
        }
    }

    /// What can be said of its sender with what is known so far.
    pub fn verdict(&self, book: &Book) -> Vec<Finding> {
        let mail = self.copy.mail;
        let Some(from) = &self.from else {
            let what = text!("the mail has no From with an address");
            return vec![Finding::error("DMARC-10", "From", what)];
        };
        let (signed, mut findings) = self.written.look(book);
        let (spf, spf_finding) = sender::spf(book, mail);
        let looked = Looked {
            mail,
            from: from.to_string(),
            signed,
            spf,
            policy: dmarc::policy(book, from),
        };
        findings.push(signatures::one_click(&looked));
        findings.push(signatures::alignment(&looked));
        findings.extend(signatures::selector(&looked, self.copy.selectors));
        findings.push(spf_finding);
        findings.push(sender::dmarc(book, from, &looked));
        if findings.iter().any(is_unknown) {
            findings.extend(zone::unseen(book, from));
        }
        findings
    }

    /// What can be said without the DNS: what the receiver says, and what is otherwise than it was sent.
    pub fn on_the_way(&self) -> Vec<Finding> {
        let mut findings = results::check(self.copy.mail);
        if let Some(sent) = self.copy.sent {
            findings.extend(changes::check(sent, self.copy.mail));
        }
        findings
    }
}

/// All that can be said with what is known so far.
pub fn verdict(book: &Book, copy: Received<'_>) -> Vec<Finding> {
    let limited = limited(copy.mail);
    let reading = Reading::of(copy, &limited);
    let mut findings = reading.verdict(book);
    findings.extend(reading.on_the_way());
    findings
}

fn is_unknown(finding: &Finding) -> bool {
    finding.severity == Severity::Unknown
}

/// Could nothing be judged that the DNS decides: no signature, neither SPF nor DMARC?
pub fn is_blind(findings: &[Finding]) -> bool {
    let mut decided = findings
        .iter()
        .filter(|finding| matches!(finding.id, "DKIM-10" | "SPF-10" | "DMARC-10"));
    decided.all(is_unknown)
}

#[cfg(test)]
mod tests;
