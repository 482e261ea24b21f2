//! Which signatures a mail carries, whether they are valid, and what they cover. Source: RFC 6376; RFC 8058, 4.

use std::borrow::Cow;

use mail_auth::common::crypto::{Algorithm, CryptoError};
use mail_auth::dkim::{DkimError, Signature};
use mail_auth::{AuthenticatedMessage, DkimOutput, DkimResult, DnsError, Error};

use super::Looked;
use super::known::{Known, at_once, verifier};
use super::mail::Mail;
use crate::doctor::checks::tags::Tags;
use crate::doctor::dns::{Book, Kind, Name, Unsaid};
use crate::doctor::finding::{Finding, Severity};
use crate::mail::Fields;
use crate::text;
use crate::words::Text;

/// Signatures looked at; a mail with more is not one that anybody sent in good faith.
const SIGNATURES_MAX: usize = 16;

/// Names of signed headers that are shown.
const NAMES_SHOWN: usize = 40;

/// What every signature must say. Source: RFC 6376, 3.5.
const REQUIRED: [&str; 7] = ["v", "a", "b", "bh", "d", "h", "s"];

const HEADER: &str = "DKIM-Signature";

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

/// The signatures of a mail before the DNS is asked about them.
pub(super) struct Written<'m> {
    /// None where nothing of it can be read.
    message: Option<AuthenticatedMessage<'m>>,
    /// Of those that cannot be read, why not.
    odd: Vec<Text>,
    count: usize,
}

/// The mail without the signatures beyond `SIGNATURES_MAX`. For each kind of signature the whole body is hashed: a stranger
/// must not decide how often.
pub(super) fn limited(mail: &Mail) -> Cow<'_, [u8]> {
    let (fields, body) = Fields::with_body(mail.bytes());
    if fields.iter().filter(|field| field.is(HEADER)).count() <= SIGNATURES_MAX {
        return Cow::Borrowed(mail.bytes());
    }
    let mut left = SIGNATURES_MAX;
    let mut kept = Vec::with_capacity(mail.bytes().len());
    for field in fields {
        if field.is(HEADER) {
            if left == 0 {
                continue;
            }
            left -= 1;
        }
        kept.extend_from_slice(field.whole);
    }
    kept.extend_from_slice(b"\r\n");
    kept.extend_from_slice(body);
    Cow::Owned(kept)
}

impl<'m> Written<'m> {
    /// Those of a mail. `limited` is the same mail, as [`limited`] leaves it.
    pub(super) fn of(mail: &Mail, limited: &'m [u8]) -> Self {
        let all = mail.all(HEADER).take(SIGNATURES_MAX);
        Self {
            message: AuthenticatedMessage::parse_with_opts(limited, None, false),
            odd: all.filter_map(|value| fault(value.as_bytes())).collect(),
            count: mail.all(HEADER).count(),
        }
    }

    /// What mail-auth makes of those that can be read.
    fn verified<'k>(&'k self, known: &'k Known<'_>) -> Vec<DkimOutput<'k>> {
        let Some((verifier, message)) = verifier().zip(self.message.as_ref()) else {
            return Vec::new();
        };
        let outputs = at_once(verifier.verify_dkim(known.answering(message))).unwrap_or_default();
        // It judges each that it can read, in their order; what must be in one, it does not ask for.
        let outputs = outputs.into_iter().filter(|output| output.signature().is_some());
        outputs
            .zip(&message.dkim_headers)
            .filter(|(_, header)| fault(header.value).is_none())
            .map(|(output, _)| output)
            .collect()
    }

    /// All of them, with a finding for each.
    pub(super) fn look(&self, book: &Book) -> (Vec<Signed>, Vec<Finding>) {
        let known = Known::new(book);
        let outputs = self.verified(&known);
        let judged = outputs
            .iter()
            .filter_map(|output| Some(one(book, output, output.signature()?)));
        let (all, mut findings): (Vec<Signed>, Vec<Finding>) = judged.unzip();
        findings.extend(self.odd.iter().map(|why| {
            let what = text!("a signature that receivers do not count: {why}", why);
            let fix = text!("whoever signs must write it as RFC 6376 has it, or leave it out");
            Finding::error("DKIM-10", HEADER, what).fix(fix)
        }));
        // One good signature is enough; what else there is fails without harm.
        if all.iter().any(Signed::is_valid) {
            for finding in &mut findings {
                finding.severity = finding.severity.min(Severity::Warning);
            }
        }
        if self.count > SIGNATURES_MAX {
            let what = text!(
                "{count} signatures, of which the first {seen} were looked at",
                count = self.count,
                seen = SIGNATURES_MAX
            );
            findings.push(Finding::warning("DKIM-10", HEADER, what));
        }
        if self.count == 0 {
            let what = text!("the mail is not signed");
            let fix = text!(
                "switch DKIM on at your provider; with a mail server of your own, `mailshot secret dkim-keygen` makes a key"
            );
            findings.push(Finding::error("DKIM-10", HEADER, what).fix(fix));
        }
        (all, findings)
    }
}

/// Why receivers take this for no signature, whatever the DNS says.
fn fault(value: &[u8]) -> Option<Text> {
    let text = String::from_utf8_lossy(value);
    let tags = Tags::parse(&text);
    let is_missing = |tag: &&str| tags.get(tag).is_none_or(str::is_empty);
    let missing: Vec<String> = REQUIRED
        .into_iter()
        .filter(is_missing)
        .map(|tag| format!("`{tag}=`"))
        .collect();
    if missing.len() == REQUIRED.len() {
        return Some(text!("nothing of it is a signature"));
    }
    if !missing.is_empty() {
        return Some(text!(
            "{list} is missing in it (RFC 6376, 3.5)",
            list = missing.join(", ")
        ));
    }
    let mut covered = tags.get("h").unwrap_or_default().split(':');
    if !covered.any(|name| name.trim().eq_ignore_ascii_case("From")) {
        return Some(text!("it does not cover From (`h=`), as it must (RFC 6376, 5.4)"));
    }
    match Signature::parse(value) {
        Ok(_) => None,
        Err(Error::Dkim(DkimError::UnsupportedVersion)) => Some(text!("its version (`v=`) is not 1")),
        Err(Error::Dkim(DkimError::UnsupportedAlgorithm)) => {
            let algorithm = tags.get("a").unwrap_or_default();
            Some(text!("nobody knows its algorithm: `a={algorithm}`", algorithm))
        }
        Err(Error::Dkim(DkimError::UnsupportedCanonicalization)) => {
            let form = tags.get("c").unwrap_or_default();
            Some(text!("nobody knows its canonical form: `c={form}`", form))
        }
        Err(Error::Base64) => Some(text!("`b=` or `bh=` is not Base64")),
        Err(_) => Some(text!("it cannot be read")),
    }
}

fn one(book: &Book, output: &DkimOutput<'_>, signature: &Signature) -> (Signed, Finding) {
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
            let why = unanswered(book, &about);
            let what = text!("not known whether it is valid: {why}", why);
            Finding::new("DKIM-10", Severity::Unknown, &about, what)
        }
        Standing::Invalid => {
            let why = reason(output.result());
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

/// Why nothing is known of a key.
fn unanswered(book: &Book, name: &str) -> Text {
    let looked = Name::parse(name).map(|name| book.look(&name, Kind::Txt).err());
    match looked.flatten() {
        Some(Unsaid::Failed(why)) => Text::from(&why),
        Some(Unsaid::Pending) => text!("not asked yet"),
        None => text!("what is asked does not see the public DNS"),
    }
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
        Error::Dkim(DkimError::FailedAuidMatch) => {
            text!("its `i=` is not of the domain in `d=`, which the key asks for (`t=s`)")
        }
        Error::Dns(DnsError::RecordNotFound(_)) => text!("there is no key in the DNS"),
        Error::Dns(DnsError::InvalidRecordType) => text!("the record in the DNS is not a key"),
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

/// Said of something that a valid signature must be for, where none could be checked.
fn unknown(looked: &Looked<'_>, id: &'static str, about: &str) -> Option<Finding> {
    let is = |standing| looked.signed.iter().any(|signed| signed.standing == standing);
    (!is(Standing::Valid) && is(Standing::Unknown)).then(|| {
        let what = text!("not known: no signature could be checked");
        Finding::new(id, Severity::Unknown, about, what)
    })
}

/// Do valid signatures cover the way to unsubscribe?
pub(super) fn one_click(looked: &Looked<'_>) -> Finding {
    const ID: &str = "DKIM-11";
    const NAMES: [&str; 2] = ["List-Unsubscribe", "List-Unsubscribe-Post"];
    let about = NAMES[0];
    if looked.mail.first(NAMES[0]).is_none() {
        let what = text!("the mail has no List-Unsubscribe");
        let fix = text!("mailshot writes one into each mail: see below what was taken out on the way");
        return Finding::warning(ID, about, what).fix(fix);
    }
    if looked.mail.first(NAMES[1]).is_none() {
        let what = text!("the mail has no List-Unsubscribe-Post: nobody offers one click");
        let fix = text!("set `url` in [unsubscribe]; one click needs an https address");
        return Finding::warning(ID, about, what).fix(fix);
    }
    let covering = |signed: &&Signed| NAMES.iter().all(|name| signed.covers(name));
    let covering = looked.signed.iter().filter(covering);
    if let Some(signed) = covering.clone().find(|signed| signed.is_valid()) {
        let domain = &signed.domain;
        let what = text!(
            "covered by the valid signature of {domain}: mail programs offer one click",
            domain
        );
        return Finding::ok(ID, about, what);
    }
    if let Some(finding) = unknown(looked, ID, about) {
        return finding;
    }
    let what =
        text!("no valid signature covers both List-Unsubscribe and List-Unsubscribe-Post (RFC 8058, 4)");
    // What does not count for another reason covers them already.
    let fix = match covering.clone().next() {
        Some(signed) => text!(
            "the signature of {domain} covers both: it is enough to make it valid, see DKIM-10",
            domain = &signed.domain
        ),
        None => text!(
            "Gmail and Yahoo then offer no one click; ask the provider to sign them, or add a signature of your own: `mailshot secret dkim-keygen`"
        ),
    };
    Finding::error(ID, about, what).fix(fix)
}

/// Is From covered, and is a signature's domain that of the sender?
pub(super) fn alignment(looked: &Looked<'_>) -> Finding {
    const ID: &str = "DKIM-12";
    let from = &looked.from;
    let good: Vec<&str> = looked
        .signed
        .iter()
        .filter(|signed| signed.is_valid())
        .map(|signed| signed.domain.as_str())
        .collect();
    if let Some(domain) = good.iter().find(|domain| looked.is_aligned(domain, "adkim")) {
        let what = text!("the signature of {domain} is aligned with it", domain = *domain);
        return Finding::ok(ID, from, what);
    }
    if let Some(finding) = unknown(looked, ID, from) {
        return finding;
    }
    if good.is_empty() {
        let what = text!("no valid signature, so none is aligned with it");
        return Finding::info(ID, from, what);
    }
    let what = text!(
        "no valid signature is aligned with it: {domains}",
        domains = good.join(", ")
    );
    let fix = text!("have the provider sign with your own domain, or add a signature of your own");
    Finding::warning(ID, from, what).fix(fix)
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
