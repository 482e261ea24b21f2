//! Which signatures a mail carries, whether they are valid, and what they cover. Source: RFC 6376; RFC 8058, 4.

use mail_auth::common::crypto::{Algorithm, CryptoError};
use mail_auth::dkim::{DkimError, Signature};
use mail_auth::{AuthenticatedMessage, DkimOutput, DkimResult, DnsError, Error, Parameters};

use super::Looked;
use super::known::{Known, at_once, verifier};
use crate::doctor::dns::{Book, Name};
use crate::doctor::finding::{Finding, Severity};
use crate::text;
use crate::words::Text;

/// Signatures looked at; a mail with more is not one that anybody sent in good faith.
const SIGNATURES_MAX: usize = 16;

/// Names of signed headers that are shown.
const NAMES_SHOWN: usize = 40;

/// A signature, as far as it matters for what comes after.
pub(super) struct Signed {
    pub(super) domain: String,
    pub(super) selector: String,
    pub(super) covers: Vec<String>,
    pub(super) standing: Standing,
}

/// What a signature is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Valid,
    Invalid,
    Unknown,
}

impl Signed {
    pub(super) fn is_valid(&self) -> bool {
        self.standing == Standing::Valid
    }

    fn covers(&self, header: &str) -> bool {
        self.covers.iter().any(|name| name.eq_ignore_ascii_case(header))
    }
}

/// All signatures of a mail, with a finding for each.
pub(super) fn look(book: &Book, message: &AuthenticatedMessage<'_>) -> (Vec<Signed>, Vec<Finding>) {
    let known = Known::new(book);
    let Some(verifier) = verifier() else {
        return (Vec::new(), Vec::new());
    };
    let parameters = Parameters::new(message)
        .with_txt_cache(&known)
        .with_mx_cache(&known)
        .with_ipv4_cache(&known)
        .with_ipv6_cache(&known)
        .with_ptr_cache(&known);
    let outputs = at_once(verifier.verify_dkim(parameters)).unwrap_or_default();
    let mut all = Vec::new();
    let mut findings = Vec::new();
    for output in outputs.iter().take(SIGNATURES_MAX) {
        let Some(signature) = output.signature() else {
            let why = reason(output.result());
            let what = text!("a signature that cannot be read: {why}", why);
            findings.push(Finding::warning("DKIM-10", "DKIM-Signature", what));
            continue;
        };
        let (signed, finding) = one(output, signature);
        all.push(signed);
        findings.push(finding);
    }
    // One good signature is enough; what else there is fails without harm.
    if all.iter().any(Signed::is_valid) {
        for finding in findings
            .iter_mut()
            .filter(|finding| finding.severity == Severity::Error)
        {
            finding.severity = Severity::Warning;
        }
    }
    if outputs.is_empty() {
        let what = text!("the mail is not signed");
        let fix = text!(
            "switch DKIM on at your provider; with a mail server of your own, `mailshot secret dkim-keygen` makes a key"
        );
        findings.push(Finding::error("DKIM-10", "DKIM-Signature", what).fix(fix));
    }
    (all, findings)
}

fn one(output: &DkimOutput<'_>, signature: &Signature) -> (Signed, Finding) {
    let about = format!("{}._domainkey.{}", signature.s, signature.d);
    let algorithm = match signature.a {
        Algorithm::RsaSha256 => "rsa-sha256",
        Algorithm::RsaSha1 => "rsa-sha1",
        Algorithm::Ed25519Sha256 => "ed25519-sha256",
    };
    let standing = match output.result() {
        DkimResult::Pass => Standing::Valid,
        DkimResult::TempError(_) => Standing::Unknown,
        _ => Standing::Invalid,
    };
    let why = reason(output.result());
    let mut finding = match standing {
        Standing::Valid if signature.a == Algorithm::RsaSha1 => {
            let what = text!("valid, but with SHA-1, which receivers take for no signature (RFC 8301)");
            Finding::warning("DKIM-10", &about, what)
        }
        Standing::Valid if signature.l > 0 => {
            let what =
                text!("valid, but only the beginning of the body is signed (`l=`): anybody can add to it");
            Finding::warning("DKIM-10", &about, what)
        }
        Standing::Valid => Finding::ok("DKIM-10", &about, text!("valid ({algorithm})", algorithm)),
        Standing::Unknown => {
            let what = text!("not known whether it is valid: {why}", why);
            Finding::new("DKIM-10", Severity::Unknown, &about, what)
        }
        Standing::Invalid => {
            let what = text!("not valid: {why}", why);
            Finding::error("DKIM-10", &about, what).fix(mend(output.result()))
        }
    };
    let names: Vec<&str> = signature.h.iter().take(NAMES_SHOWN).map(String::as_str).collect();
    finding = finding.details([text!("covers: {names}", names = names.join(", "))]);
    let signed = Signed {
        domain: signature.d.to_ascii_lowercase(),
        selector: signature.s.clone(),
        covers: signature.h.clone(),
        standing,
    };
    (signed, finding)
}

/// Why a signature is not valid, in plain words.
fn reason(result: &DkimResult) -> Text {
    let error = match result {
        DkimResult::Pass | DkimResult::None => return Text::default(),
        DkimResult::Neutral(error)
        | DkimResult::Fail(error)
        | DkimResult::PermError(error)
        | DkimResult::TempError(error) => error,
    };
    match error {
        Error::Dkim(DkimError::FailedBodyHashMatch) => {
            text!("the body is another than was signed")
        }
        Error::Crypto(CryptoError::FailedVerification) => {
            text!("a header is another than was signed, or the key in the DNS is not the one that signed")
        }
        Error::Crypto(CryptoError::IncompatibleAlgorithms) => {
            text!("the key in the DNS is of another kind than the signature")
        }
        Error::Dkim(DkimError::RevokedPublicKey) => text!("the key was revoked (`p=` is empty)"),
        Error::Dkim(DkimError::SignatureExpired) => text!("it has expired (`x=`)"),
        Error::Dns(DnsError::RecordNotFound(_)) => text!("there is no key in the DNS"),
        Error::Dns(DnsError::InvalidRecordType) => text!("the record in the DNS is not a key"),
        Error::Dns(DnsError::Resolver(why)) => Text::kept(why),
        other => Text::from(other.to_string()),
    }
}

/// What to do about a signature that is not valid.
fn mend(result: &DkimResult) -> Text {
    match result {
        DkimResult::Neutral(Error::Dkim(DkimError::FailedBodyHashMatch)) => text!(
            "something behind the signer changes the mail: a footer, a virus scanner, tracking; sign behind it, or switch it off"
        ),
        DkimResult::PermError(Error::Dns(_))
        | DkimResult::Fail(Error::Dns(_))
        | DkimResult::Neutral(Error::Dns(_)) => {
            text!("publish the key under this name; `mailshot doctor --fix` prints it where mailshot signs")
        }
        _ => {
            text!("look at the key with `mailshot doctor --selector`, and at what changes headers on the way")
        }
    }
}

/// Do valid signatures cover the way to unsubscribe?
pub(super) fn one_click(looked: &Looked<'_>) -> Finding {
    const NAMES: [&str; 2] = ["List-Unsubscribe", "List-Unsubscribe-Post"];
    let about = NAMES[0];
    if looked.mail.first(NAMES[0]).is_none() {
        let what = text!("the mail has no List-Unsubscribe");
        let fix = text!("mailshot writes one into each mail: see below what was taken out on the way");
        return Finding::warning("DKIM-11", about, what).fix(fix);
    }
    if looked.mail.first(NAMES[1]).is_none() {
        let what = text!("the mail has no List-Unsubscribe-Post: nobody offers one click");
        let fix = text!("set `url` in [unsubscribe]; one click needs an https address");
        return Finding::warning("DKIM-11", about, what).fix(fix);
    }
    let covering = |signed: &&Signed| NAMES.iter().all(|name| signed.covers(name));
    let mut good = looked.signed.iter().filter(|signed| signed.is_valid());
    if let Some(signed) = good.clone().find(covering) {
        let domain = &signed.domain;
        let what = text!(
            "covered by the valid signature of {domain}: mail programs offer one click",
            domain
        );
        return Finding::ok("DKIM-11", about, what);
    }
    if good.next().is_none()
        && looked
            .signed
            .iter()
            .any(|signed| signed.standing == Standing::Unknown)
    {
        let what = text!("not known: no signature could be checked");
        return Finding::new("DKIM-11", Severity::Unknown, about, what);
    }
    let what =
        text!("no valid signature covers both List-Unsubscribe and List-Unsubscribe-Post (RFC 8058, 4)");
    let fix = text!(
        "Gmail and Yahoo then offer no one click; ask the provider to sign them, or add a signature of your own: `mailshot secret dkim-keygen`"
    );
    Finding::error("DKIM-11", about, what).fix(fix)
}

/// Is From covered, and is a signature's domain that of the sender?
pub(super) fn alignment(looked: &Looked<'_>) -> Finding {
    let from = &looked.from;
    let good: Vec<&Signed> = looked.signed.iter().filter(|signed| signed.is_valid()).collect();
    if let Some(signed) = good
        .iter()
        .find(|signed| looked.is_aligned(&signed.domain, "adkim"))
    {
        let what = text!(
            "the signature of {domain} is aligned with it",
            domain = &signed.domain
        );
        return Finding::ok("DKIM-12", from, what);
    }
    if good.is_empty()
        && looked
            .signed
            .iter()
            .any(|signed| signed.standing == Standing::Unknown)
    {
        let what = text!("not known: no signature could be checked");
        return Finding::new("DKIM-12", Severity::Unknown, from, what);
    }
    if good.is_empty() {
        let what = text!("no valid signature, so none is aligned with it");
        return Finding::info("DKIM-12", from, what);
    }
    let domains: Vec<&str> = good.iter().map(|signed| signed.domain.as_str()).collect();
    let what = text!(
        "no valid signature is aligned with it: {domains}",
        domains = domains.join(", ")
    );
    let fix = text!("have the provider sign with your own domain, or add a signature of your own");
    Finding::warning("DKIM-12", from, what).fix(fix)
}

/// A selector that the doctor does not know yet.
pub(super) fn selector(looked: &Looked<'_>, known: &[String]) -> Option<Finding> {
    let aligned = |signed: &&Signed| signed.is_valid() && looked.is_aligned(&signed.domain, "adkim");
    let new = looked
        .signed
        .iter()
        .filter(aligned)
        .find(|signed| !known.contains(&signed.selector))?;
    let name = Name::parse(&new.domain)?;
    let what = text!("its selector is `{selector}`", selector = &new.selector);
    let fix = text!(
        "write `selector = \"{selector}\"` in [account.NAME.dkim], so that `mailshot doctor` looks at its key",
        selector = &new.selector
    );
    Some(Finding::info("DKIM-13", name, what).fix(fix))
}
