//! `[account.NAME.dkim]`: how an account's mails are signed, and where receivers find the key.
//!
//! With a key file mailshot signs, for those who relay by a mail server of their own. Without one the provider signs, and
//! the selector is only for the doctor.

use std::fmt;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};
use toml::Spanned;

use super::super::file::{File, plain};
use super::super::problem::{Problem, Problems};
use crate::dkim::{Key, Signer, is_selector};
use crate::mail::{Address, Mailbox};
use crate::text;
use crate::words::Text;

/// A signature that the account's mails carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dkim {
    /// Under which name the key is published.
    pub selector: String,
    /// In whose name is signed, in ASCII; that of the sender when absent.
    pub domain: Option<String>,
    /// Where the private key is, when we sign.
    pub key: Option<KeyFile>,
    /// Where it is written.
    at: Problem,
}

/// A private key in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile {
    /// The file.
    pub path: PathBuf,
    /// Where it is named.
    at: Problem,
}

/// One table, or several: `[account.NAME.dkim]` or `[[account.NAME.dkim]]`.
#[derive(Debug, Default)]
pub(super) struct RawKeys(Vec<RawDkim>);

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct RawDkim {
    selector: Spanned<String>,
    domain: Option<Spanned<String>>,
    key_file: Option<Spanned<PathBuf>>,
}

impl<'de> Deserialize<'de> for RawKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrMore;
        impl<'de> Visitor<'de> for OneOrMore {
            type Value = RawKeys;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a table with `selector` and `key_file`, or several of them")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawKeys, A::Error> {
                RawDkim::deserialize(MapAccessDeserializer::new(map)).map(|only| RawKeys(vec![only]))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<RawKeys, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(seq)).map(RawKeys)
            }
        }
        deserializer.deserialize_any(OneOrMore)
    }
}

impl RawKeys {
    pub(super) fn check<T>(&self, root: &Path, file: &File<'_, T>, problems: &mut Problems) -> Vec<Dkim> {
        let mut all: Vec<Dkim> = Vec::new();
        for raw in &self.0 {
            let selector = raw.selector.get_ref();
            if !is_selector(selector) {
                let what = text!("`{selector}` is not a selector", selector);
                let hint = text!("it is part of a name in the DNS: letters of ASCII, digits, `-` and `_`");
                problems.push(file.problem(&raw.selector, what).hint(hint));
            }
            let domain = file.parse(raw.domain.as_ref(), problems, |text| {
                let address = Address::parse(&format!("a@{text}")).map_err(|fault| fault.what)?;
                Ok::<_, Text>(address.domain().to_ascii_lowercase())
            });
            if all
                .iter()
                .any(|known| known.selector == *selector && known.domain == domain)
            {
                let what = text!("two keys with the selector `{selector}`", selector);
                let hint = text!("each key has a selector of its own: its name in the DNS");
                problems.push(file.problem(&raw.selector, what).hint(hint));
            }
            all.push(Dkim {
                selector: selector.clone(),
                domain,
                key: raw.key_file.as_ref().map(|path| KeyFile {
                    path: root.join(path.get_ref()),
                    at: file.problem(path, Text::default()),
                }),
                at: file.problem(raw.domain.as_ref().unwrap_or(&raw.selector), Text::default()),
            });
        }
        all
    }
}

impl Dkim {
    /// In whose name mails of this sender are signed.
    pub fn domain_for(&self, from: &Address) -> String {
        let domain = self.domain.clone();
        domain.unwrap_or_else(|| from.domain().to_ascii_lowercase())
    }

    /// Reads the key. None when we do not sign.
    pub fn signer(&self, from: &Address) -> Result<Option<Signer>, Problem> {
        let Some(file) = &self.key else { return Ok(None) };
        let key = file.read().map_err(|(what, hint)| {
            let problem = Problem {
                what,
                ..file.at.clone()
            };
            problem.hint(hint)
        })?;
        Ok(Some(Signer::new(
            self.domain_for(from),
            self.selector.clone(),
            key,
        )))
    }
}

impl KeyFile {
    /// Reads the key, if nobody else may; else what is wrong, and what to do.
    fn read(&self) -> Result<Key, (Text, Text)> {
        let path = self.path.display().to_string();
        let make = || text!("`mailshot secret dkim-keygen` makes a key, and the record for it");
        let unread = |error: std::io::Error| {
            let why = plain(&error);
            let what = text!("the DKIM key {path} cannot be read: {why}", path = &path, why);
            (what, make())
        };
        let metadata = std::fs::metadata(&self.path).map_err(unread)?;
        if !metadata.is_file() {
            return Err((text!("{path} is not a file", path), make()));
        }
        if metadata.mode() & 0o077 != 0 {
            let what = text!("others may read the DKIM key {path}", path = &path);
            let hint = text!(
                "whoever has it signs in your name: run `chmod 600 {path}`, and make a new key if others were here",
                path
            );
            return Err((what, hint));
        }
        let text = std::fs::read_to_string(&self.path).map_err(unread)?;
        Key::from_pem(&text).map_err(|fault| {
            (
                text!("{path}: {fault}", path = &path, fault = fault.said()),
                make(),
            )
        })
    }
}

impl super::Account {
    /// What signs the mails of this sender.
    pub fn signers(&self, from: &Address) -> Result<Vec<Signer>, Problems> {
        let mut problems = Problems::default();
        let mut signers = Vec::new();
        for dkim in &self.dkim {
            match dkim.signer(from) {
                Ok(signer) => signers.extend(signer),
                Err(problem) => problems.push(problem),
            }
        }
        problems.or_ok(signers)
    }
}

/// Refuses keys none of which is aligned with From: DMARC would not count a single signature. Source: RFC 9989, 4.4.
pub(in super::super) fn check_alignment(from: &Mailbox, account: &super::Account, problems: &mut Problems) {
    let mut signing = account.dkim.iter().filter(|dkim| dkim.key.is_some());
    let is_aligned = |dkim: &Dkim| may_be_aligned(&dkim.domain_for(&from.address), from.address.domain());
    let Some(first) = signing.clone().next() else {
        return;
    };
    if signing.any(is_aligned) {
        return;
    }
    let [domain, address] = [first.domain_for(&from.address), from.address.to_string()];
    let what = text!(
        "signatures of {domain} do not count for mails from {address}",
        domain,
        address
    );
    let hint = text!(
        "DMARC wants `domain` to be that of the sender, or one above or below it; leave `domain` out to sign as the sender"
    );
    problems.push(
        Problem {
            what,
            ..first.at.clone()
        }
        .hint(hint),
    );
}

/// May these two belong to one organization? Which domain is the organization's is known to the DNS alone, so that two
/// with the same last labels are not refused.
fn may_be_aligned(one: &str, other: &str) -> bool {
    let last = |name: &str| {
        let name = name.to_ascii_lowercase();
        let mut labels: Vec<String> = name.rsplit('.').take(2).map(str::to_owned).collect();
        labels.reverse();
        labels.join(".")
    };
    last(one) == last(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_of_one_organization_may_be_aligned() {
        for (one, other, is) in [
            ("b.example", "b.example", true),
            ("mail.b.example", "b.example", true),
            ("B.example", "news.b.example", true),
            ("a.b.example", "c.b.example", true),
            ("b.example", "c.example", false),
            ("xb.example", "b.example", false),
        ] {
            assert_eq!(may_be_aligned(one, other), is, "{one} {other}");
        }
    }
}
