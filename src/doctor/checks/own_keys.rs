//! The keys that mailshot signs with, held against what the DNS has of them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::tags::Tags;
use super::{dkim, dmarc};
use crate::dkim::Key;
use crate::doctor::dns::{Book, Kind, Name, Unsaid};
use crate::doctor::examine::OwnKey;
use crate::doctor::finding::{Checked, Finding, Paste};
use crate::text;

/// Looks at the record of a key.
pub fn check(book: &Book, own: &OwnKey) -> Checked {
    let Some(name) = own.name() else {
        let what = text!("`{selector}` is not a selector", selector = &own.selector);
        return Ok(vec![Finding::error("DKIM-02", &own.domain, what)]);
    };
    let signer = match &own.signer {
        Ok(signer) => signer,
        Err(why) => {
            let fix = text!("`mailshot check` says where; nothing is sent before that is mended");
            return Ok(vec![Finding::error("DKIM-02", name, why.clone()).fix(fix)]);
        }
    };
    let texts = match book.look(&name, Kind::Txt) {
        Ok(answer) => answer.texts(&name),
        Err(Unsaid::Pending) => return Err(Unsaid::Pending),
        Err(Unsaid::Failed(why)) => return Ok(vec![Finding::unknown("DKIM-02", name, &why)]),
    };
    let mut record = Paste::text(name.clone(), &own.domain, signer.key().record());
    if texts.is_empty() {
        let what = text!("mails are signed with a key that is not published: every signature fails");
        let fix = text!("publish this record before you send");
        return Ok(vec![
            Finding::error("DKIM-02", name, what).fix(fix).record(record),
        ]);
    }
    let mut findings = dkim::verdict(&name, &texts);
    if texts.iter().any(|text| fits(text, signer.key())) {
        let what = text!("the record is that of the key which mails are signed with");
        findings.push(Finding::ok("DKIM-02", name, what));
        return Ok(findings);
    }
    record.instead_of = texts
        .iter()
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .collect();
    let what = text!("the record is of another key than mails are signed with: every signature fails");
    let fix = text!(
        "publish this record in its place, or sign with the key that it belongs to (`key_file` in mailshot.toml)"
    );
    findings.push(Finding::error("DKIM-02", name, what).fix(fix).record(record));
    Ok(findings)
}

/// Does DMARC count any of these signatures for mails of this domain? Which domain is the organization's, the DNS says.
/// Source: RFC 9989, 4.4.
pub fn alignment(book: &Book, from: &Name, keys: &[OwnKey]) -> Checked {
    let Some(first) = keys.iter().find(|own| own.domain != *from) else {
        return Ok(Vec::new());
    };
    let policy = dmarc::policy(book, from)?;
    let is_aligned = |own: &OwnKey| match &policy {
        _ if own.domain == *from => true,
        Some(policy) => {
            let is_strict = Tags::parse(&policy.record).get("adkim") == Some("s");
            !is_strict && own.domain.is_within(policy.organization.as_str())
        }
        None => true,
    };
    if keys.iter().any(is_aligned) {
        return Ok(Vec::new());
    }
    let domain = &first.domain;
    let what = text!(
        "signatures of {domain} do not count for mails from {from}",
        domain,
        from
    );
    let fix = text!("leave `domain` out of [account.NAME.dkim] to sign as the sender, and publish that key");
    Ok(vec![Finding::error("DKIM-02", domain, what).fix(fix)])
}

/// Is this the record of this key?
fn fits(text: &[u8], key: &Key) -> bool {
    let tags = Tags::parse(&String::from_utf8_lossy(text));
    let plain: String = tags
        .get("p")
        .unwrap_or_default()
        .chars()
        .filter(|c| !c.is_whitespace())
        .collect();
    let kind = tags.get("k").unwrap_or("rsa");
    let octets = BASE64_STANDARD.decode(plain);
    kind.eq_ignore_ascii_case(key.algorithm().name())
        && octets.is_ok_and(|octets| key.is_published_as(&octets))
}
