//! Signs mails. What is signed is brought into its canonical form by mail-auth; the key is ours.

use std::sync::Arc;

use mail_auth::common::crypto::Algorithm as WireAlgorithm;
use mail_auth::common::headers::Writable as _;
use mail_auth::dkim::{Canonicalization, Signature};
use sha2::{Digest as _, Sha256};

use super::key::{Algorithm, Key};
use crate::mail::{Field, Fields};

/// What is signed where it is there. From stands twice: so nobody can put a second one before it. Source: RFC 6376, 5.4
/// and 8.15; RFC 8058, 4.
const SIGNED: [&str; 22] = [
    "From",
    "From",
    "Sender",
    "Reply-To",
    "To",
    "Cc",
    "Subject",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "List-ID",
    "List-Help",
    "Feedback-ID",
    "Precedence",
    "Auto-Submitted",
    "CFBL-Address",
];

/// A mail could not be signed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the mail could not be signed with selector `{selector}`")]
pub struct Unsigned {
    /// Of which key.
    pub selector: String,
}

/// Signs mails in the name of a domain.
#[derive(Clone, Debug)]
pub struct Signer {
    domain: String,
    selector: String,
    key: Arc<Key>,
}

impl Signer {
    /// One that signs for this domain, with a key that its DNS has under this selector.
    pub fn new(domain: String, selector: String, key: Key) -> Self {
        Self {
            domain,
            selector,
            key: Arc::new(key),
        }
    }

    /// For whom it signs.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Where the key is published.
    pub fn selector(&self) -> &str {
        &self.selector
    }

    /// Its key.
    pub fn key(&self) -> &Key {
        &self.key
    }

    /// The signature of a mail as a header with its line end. The time stands in it, so that the same mail gets the same
    /// signature; `at_secs` is the mail's own Date.
    pub fn sign(&self, mail: &[u8], at_secs: u64) -> Result<Vec<u8>, Unsigned> {
        let (headers, body) = Fields::with_body(mail);
        // What the mail does not have is not named: a list or a server that adds one, such as Sender, would break it.
        let is_there = |wanted: &&str| headers.iter().any(|header| header.is(wanted));
        let signed: Vec<&str> = SIGNED.into_iter().filter(is_there).collect();
        let mut signature = self.template(&signed, at_secs);
        let mut canonical = Vec::with_capacity(body.len());
        Canonicalization::Relaxed
            .canonical_body(body, 0)
            .write(&mut canonical);
        signature.bh = Sha256::digest(&canonical).to_vec();
        canonical.clear();
        let values = headers_in_order(&signed, &headers);
        Canonicalization::Relaxed.canonicalize_headers(values.into_iter(), &mut canonical);
        signature.write(&mut canonical, false);
        signature.b = self.key.sign(&canonical).ok_or_else(|| Unsigned {
            selector: self.selector.clone(),
        })?;
        let mut header = Vec::with_capacity(1_024);
        signature.write(&mut header, true);
        Ok(header)
    }

    /// The signature before it is one.
    fn template(&self, signed: &[&str], at_secs: u64) -> Signature {
        Signature {
            v: 1,
            a: match self.key.algorithm() {
                Algorithm::Rsa => WireAlgorithm::RsaSha256,
                Algorithm::Ed25519 => WireAlgorithm::Ed25519Sha256,
            },
            d: self.domain.clone(),
            s: self.selector.clone(),
            h: signed.iter().map(|name| (*name).to_owned()).collect(),
            t: at_secs,
            ch: Canonicalization::Relaxed,
            cb: Canonicalization::Relaxed,
            ..Signature::default()
        }
    }
}

/// The headers that these names stand for: of several with one name the last comes first, and a name for which there is
/// none any more stands for nothing. Source: RFC 6376, 5.4.2.
fn headers_in_order<'m>(names: &[&str], headers: &[Field<'m>]) -> Vec<(&'m [u8], &'m [u8])> {
    let mut found = Vec::with_capacity(names.len());
    for (at, name) in names.iter().enumerate() {
        let before = names.get(..at).unwrap_or_default();
        let taken = before.iter().filter(|other| *other == name).count();
        let header = headers.iter().rev().filter(|header| header.is(name)).nth(taken);
        found.extend(header.map(|header| (header.name, header.value)));
    }
    found
}

/// May this be a selector? Labels of a domain name. Source: RFC 6376, 3.1.
pub fn is_selector(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(is_plain);
    text.len() <= 200 && text.split('.').all(is_label)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &str = "From: A <a@b.example>\r\nSubject: =?UTF-8?B?5pil5aSp?=\r\nList-Unsubscribe: <https://b.example/u/1>\r\n\
                        List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\nX-Other: x\r\n\r\n.dot\r\nline  \r\n\r\n\r\n";

    fn signer() -> Signer {
        let pem = Key::generate(Algorithm::Ed25519, 0).unwrap();
        Signer::new(
            "b.example".to_owned(),
            "s1".to_owned(),
            Key::from_pem(&pem).unwrap(),
        )
    }

    #[test]
    fn the_same_mail_gets_the_same_signature() {
        let signer = signer();
        let first = signer.sign(MAIL.as_bytes(), 1_795_410_622).unwrap();
        assert_eq!(signer.sign(MAIL.as_bytes(), 1_795_410_622).unwrap(), first);
        let text = String::from_utf8(first).unwrap();
        assert!(text.contains("t=1795410622"), "{text}");
        assert!(text.lines().all(|line| line.len() <= 80), "{text}");
    }

    #[test]
    fn what_is_signed_is_what_is_there_and_from_twice() {
        let text = String::from_utf8(signer().sign(MAIL.as_bytes(), 1).unwrap()).unwrap();
        let plain: String = text.split_whitespace().collect();
        assert!(plain.contains("c=relaxed/relaxed;"), "{plain}");
        let signed = plain.split("h=").nth(1).unwrap().split(';').next().unwrap();
        let mut names: Vec<&str> = signed.split(':').collect();
        names.sort_unstable();
        assert_eq!(
            names,
            [
                "From",
                "From",
                "List-Unsubscribe",
                "List-Unsubscribe-Post",
                "Subject"
            ]
        );
        assert!(!plain.contains("l="), "{plain}");
    }

    #[test]
    fn a_selector_is_a_name_in_the_dns() {
        for good in ["s1", "mail.2026", "key_1", "a-b"] {
            assert!(is_selector(good), "{good}");
        }
        for bad in ["", "a b", "a..b", "ö", "a;b", "."] {
            assert!(!is_selector(bad), "{bad}");
        }
    }
}
