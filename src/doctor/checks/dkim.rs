//! The public keys by which receivers check signatures. Source: RFC 6376, 8301, 8463.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use x509_parser::prelude::{FromDer as _, SubjectPublicKeyInfo};
use x509_parser::public_key::PublicKey;

use super::tags::Tags;
use crate::dkim::BITS;
use crate::doctor::dns::{Book, Kind, Name, Unsaid};
use crate::doctor::expected::SELECTORS;
use crate::doctor::finding::{Checked, Finding};
use crate::text;

/// Bits of an RSA key that receivers take at all. Source: RFC 8301, 3.2.
const RSA_MIN: usize = 1_024;
/// Octets of an Ed25519 key. Source: RFC 8463, 4.
const ED25519: usize = 32;

/// The selectors to look at: those that were named, else those that the provider has and a list of common ones.
pub enum Selectors<'a> {
    /// The user named them: each must have a key.
    Named(&'a [String]),
    /// Nobody knows; what is found is found.
    Guessed(&'a [String]),
}

/// Looks at the keys of a domain.
pub fn check(book: &Book, domain: &Name, selectors: &Selectors<'_>) -> Checked {
    let (names, is_named): (Vec<String>, bool) = match selectors {
        Selectors::Named(names) => (names.to_vec(), true),
        Selectors::Guessed(known) => {
            let is_new = |name: &String| !known.contains(name);
            let common = SELECTORS.into_iter().map(str::to_owned).filter(is_new);
            (known.iter().cloned().chain(common).collect(), false)
        }
    };
    let mut findings = Vec::new();
    let (mut is_pending, mut silent) = (false, None);
    for selector in &names {
        let Some(name) = Name::parse(&format!("{selector}._domainkey.{domain}")) else {
            let what = text!("`{selector}` is not a selector", selector);
            findings.push(Finding::error("DKIM-01", domain, what));
            continue;
        };
        match book.look(&name, Kind::Txt) {
            Err(Unsaid::Pending) => is_pending = true,
            Err(Unsaid::Failed(why)) if is_named => findings.push(Finding::unknown("DKIM-01", &name, &why)),
            Err(Unsaid::Failed(why)) => silent = Some(why),
            Ok(answer) => {
                let texts = answer.texts(&name);
                if is_named || !texts.is_empty() {
                    findings.extend(verdict(&name, &texts));
                }
            }
        }
    }
    if is_pending {
        return Err(Unsaid::Pending);
    }
    if findings.is_empty() && !is_named {
        findings.push(match silent {
            Some(why) => Finding::unknown("DKIM-03", domain, &why),
            None => not_found(domain),
        });
    }
    Ok(findings)
}

fn not_found(domain: &Name) -> Finding {
    let what = text!("no key under any of the usual selectors; yours may have another");
    let fix = text!(
        "look for `s=` in the DKIM-Signature of a mail you got from this domain, and run it again with --selector; if \
         there is no signature, switch DKIM on at your provider"
    );
    Finding::warning("DKIM-03", domain, what).fix(fix)
}

/// What the texts under a selector are worth.
pub(super) fn verdict(name: &Name, texts: &[Vec<u8>]) -> Vec<Finding> {
    let renew = || text!("copy the record anew from your provider's console, as one line");
    let keys: Vec<String> = texts
        .iter()
        .map(|text| String::from_utf8_lossy(text).into_owned())
        .collect();
    let key = match keys.as_slice() {
        [] => {
            let what = text!("no key: signatures with this selector fail");
            return vec![Finding::error("DKIM-01", name, what).fix(renew())];
        }
        [key] => key,
        several => {
            let what = text!(
                "{count} records: receivers may take any of them",
                count = several.len()
            );
            return vec![Finding::error("DKIM-01", name, what).fix(text!("keep the one of your provider"))];
        }
    };
    let tags = Tags::parse(key);
    if tags.get("v").is_some_and(|version| version != "DKIM1") {
        let what = text!("the record does not begin with `v=DKIM1`");
        return vec![Finding::error("DKIM-01", name, what).fix(renew())];
    }
    let Some(p) = tags.get("p") else {
        let what = text!("the record has no key (`p=`)");
        return vec![Finding::error("DKIM-01", name, what).fix(renew())];
    };
    let mut findings = vec![strength(name, tags.get("k").unwrap_or("rsa"), p)];
    if tags
        .get("h")
        .is_some_and(|list| !list.split(':').any(|hash| hash.trim() == "sha256"))
    {
        let what = text!("`h=` leaves out sha256, the one hash that counts today");
        findings.push(Finding::error("DKIM-01", name, what).fix(text!("take `h=` out")));
    }
    if tags
        .get("t")
        .is_some_and(|flags| flags.split(':').any(|flag| flag.trim() == "y"))
    {
        let what = text!("the key is marked as a test (`t=y`): receivers treat the mail as not signed");
        findings
            .push(Finding::warning("DKIM-01", name, what).fix(text!("take `t=y` out once signing works")));
    }
    findings
}

fn strength(name: &Name, kind: &str, p: &str) -> Finding {
    let renew = text!("copy the record anew from your provider's console, as one line");
    let plain: String = p.chars().filter(|c| !c.is_whitespace()).collect();
    if plain.is_empty() {
        let what = text!("the key was revoked (`p=` is empty)");
        return Finding::error("DKIM-01", name, what)
            .fix(text!("sign with another selector, or publish its key again"));
    }
    let Ok(octets) = BASE64_STANDARD.decode(&plain) else {
        return Finding::error("DKIM-01", name, text!("the key is damaged: `p=` is not Base64")).fix(renew);
    };
    match kind {
        "ed25519" if octets.len() == ED25519 => Finding::ok("DKIM-01", name, text!("a key of Ed25519")),
        "ed25519" => Finding::error(
            "DKIM-01",
            name,
            text!(
                "an Ed25519 key has 32 octets, this one {octets}",
                octets = octets.len()
            ),
        )
        .fix(renew),
        "rsa" => match rsa_bits(&octets) {
            None => {
                Finding::error("DKIM-01", name, text!("the key is damaged: no RSA key in `p=`")).fix(renew)
            }
            Some(bits) if bits < RSA_MIN => {
                let what = text!(
                    "an RSA key of {bits} bits: receivers take none below {least}",
                    bits,
                    least = RSA_MIN
                );
                Finding::error("DKIM-01", name, what)
                    .fix(text!("have a key of {safe} bits made", safe = BITS))
            }
            Some(bits) if bits < usize::from(BITS) => {
                let what = text!("an RSA key of {bits} bits; {safe} are safe", bits, safe = BITS);
                Finding::warning("DKIM-01", name, what)
                    .fix(text!("have a key of {safe} bits made", safe = BITS))
            }
            Some(bits) => Finding::ok("DKIM-01", name, text!("an RSA key of {bits} bits", bits)),
        },
        other => Finding::error(
            "DKIM-01",
            name,
            text!("a kind of key that nobody knows: `k={other}`", other),
        )
        .fix(renew),
    }
}

/// The bits of an RSA key, in the form of RFC 6376 or the bare one that some programs publish.
fn rsa_bits(octets: &[u8]) -> Option<usize> {
    let info = SubjectPublicKeyInfo::from_der(octets).ok();
    let key = info.as_ref().and_then(|(_, info)| info.parsed().ok());
    match key {
        Some(PublicKey::RSA(key)) => Some(key.key_size()),
        Some(_) => None,
        None => {
            let (_, key) = x509_parser::public_key::RSAPublicKey::from_der(octets).ok()?;
            Some(key.key_size())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::finding::Severity;

    fn worst(record: &str) -> (Severity, String) {
        let name = Name::parse("s._domainkey.example.com").unwrap();
        let findings = verdict(&name, &[record.as_bytes().to_vec()]);
        let worst = findings.iter().max_by_key(|finding| finding.severity).unwrap();
        (worst.severity, worst.what.to_string())
    }

    /// A public key of so many bits: only its length is looked at.
    fn rsa(bits: usize) -> String {
        let mut modulus = vec![0, 0x80];
        modulus.resize(bits / 8 + 1, 1);
        let der = |tag: u8, body: &[u8]| {
            let length = u16::try_from(body.len()).unwrap().to_be_bytes();
            [&[tag, 0x82, length[0], length[1]], body].concat()
        };
        let key = der(0x30, &[der(0x02, &modulus), vec![0x02, 0x03, 1, 0, 1]].concat());
        let algorithm = [
            0x30, 0x0D, 0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00,
        ];
        let bits = der(0x03, &[&[0], key.as_slice()].concat());
        BASE64_STANDARD.encode(der(0x30, &[algorithm.as_slice(), &bits].concat()))
    }

    #[test]
    fn a_key_is_worth_what_its_length_and_its_flags_say() {
        let ed = BASE64_STANDARD.encode([7; 32]);
        for (record, severity, said) in [
            (
                format!("v=DKIM1; k=rsa; p={}", rsa(2_048)),
                Severity::Ok,
                "2048 bits",
            ),
            (format!("p={}", rsa(2_048)), Severity::Ok, "2048 bits"),
            (
                format!("v=DKIM1; p={}", rsa(1_024)),
                Severity::Warning,
                "1024 bits",
            ),
            (format!("v=DKIM1; p={}", rsa(512)), Severity::Error, "512 bits"),
            (format!("v=DKIM1; k=ed25519; p={ed}"), Severity::Ok, "Ed25519"),
            (
                format!("v=DKIM1; k=ed25519; p={}", ed.replacen("BwcH", "", 1)),
                Severity::Error,
                "32 octets",
            ),
            ("v=DKIM1; p=".to_owned(), Severity::Error, "revoked"),
            ("v=DKIM1; p=M%G".to_owned(), Severity::Error, "not Base64"),
            ("v=DKIM1; p=AAAA".to_owned(), Severity::Error, "no RSA key"),
            (
                format!("v=DKIM1; t=y; p={}", rsa(2_048)),
                Severity::Warning,
                "test",
            ),
            (
                format!("v=DKIM1; h=sha1; p={}", rsa(2_048)),
                Severity::Error,
                "sha256",
            ),
            (format!("v=DKIM2; p={}", rsa(2_048)), Severity::Error, "v=DKIM1"),
            ("v=DKIM1; k=rsa".to_owned(), Severity::Error, "no key"),
        ] {
            let (found, what) = worst(&record);
            assert!(
                found == severity && what.contains(said),
                "{record}: {found:?} {what}"
            );
        }
    }
}
