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

use mail_auth::AuthenticatedMessage;

use super::checks::dmarc::{self, Policy};
use super::checks::tags::Tags;
use super::dns::{Book, Name, Unsaid};
use super::finding::Finding;
use crate::text;
use sender::Spf;
use signatures::Signed;

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
    let message = AuthenticatedMessage::parse_with_opts(mail.bytes(), None, false)?;
    let address = message.from.first()?;
    Name::parse(address.rsplit_once('@')?.1)
}

/// What can be said with what is known so far.
pub fn verdict(book: &Book, copy: Received<'_>) -> Vec<Finding> {
    let mail = copy.mail;
    let message = AuthenticatedMessage::parse_with_opts(mail.bytes(), None, false);
    let (Some(message), Some(from)) = (message, domain_of_from(mail)) else {
        let what = text!("the mail has no From with an address");
        return vec![Finding::error("DMARC-10", "From", what)];
    };
    let (signed, mut findings) = signatures::look(book, &message);
    let (spf, spf_finding) = sender::spf(book, mail);
    let looked = Looked {
        mail,
        from: from.to_string(),
        signed,
        spf,
        policy: dmarc::policy(book, &from),
    };
    findings.push(signatures::one_click(&looked));
    findings.push(signatures::alignment(&looked));
    findings.extend(signatures::selector(&looked, copy.selectors));
    findings.push(spf_finding);
    findings.push(sender::dmarc(&looked));
    findings.extend(results::check(mail));
    if let Some(sent) = copy.sent {
        findings.extend(changes::check(sent, mail));
    }
    findings
}

#[cfg(test)]
mod tests;
