//! How old passwords are. `secrets.toml` beside the ledger says when each was first seen; a mark tells whether it is
//! still the same one. No password can be learned from it: the mark has two octets, of a hash with a key.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::{Secret, key_text};
use crate::mail::token::hex;

/// From this day on it is warned of. A fortnight is left to change it.
pub const STALE_FROM: i64 = 76;
/// From this day on it is refused by those who are strict. Source: the ninety days of the guide.
pub const TOO_OLD_FROM: i64 = 90;
/// Octets of a mark: enough to see a change, too few to try out passwords against.
const MARK_OCTETS: usize = 2;

const HEAD: &str =
    "# When passwords were set, and a mark that changes with them. No password is in here.\n\n";

/// How old a password is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Age {
    /// The day it was set, or first seen.
    pub set_at: Date,
    /// Days since then.
    pub days: i64,
}

/// The ages of a workspace's passwords.
#[derive(Clone, Debug)]
pub struct Ages {
    path: PathBuf,
    key: PathBuf,
}

#[derive(Debug, Default, Serialize, Deserialize)]
struct Written {
    #[serde(default)]
    account: BTreeMap<String, Entry>,
}

#[derive(Debug, Serialize, Deserialize)]
struct Entry {
    set_at: String,
    mark: String,
}

impl Ages {
    /// Those that are kept beside this ledger.
    pub fn beside(ledger: &Path) -> Self {
        Self {
            path: ledger.with_file_name("secrets.toml"),
            key: ledger.with_file_name("secrets.key"),
        }
    }

    /// How old an account's password is, as far as it was ever seen.
    pub fn known(&self, account: &str, now_ms: i64) -> anyhow::Result<Option<Age>> {
        let written = self.read()?;
        let entry = written.account.get(account);
        entry.map(|entry| self.age(entry, now_ms)).transpose()
    }

    /// How old this password is. One that was not seen before is new today.
    pub fn note(&self, account: &str, secret: &Secret, now_ms: i64) -> anyhow::Result<Age> {
        let mark = self.mark(account, secret)?;
        let written = self.read()?;
        match written.account.get(account).filter(|entry| entry.mark == mark) {
            Some(entry) => self.age(entry, now_ms),
            None => self.set(account, secret, now_ms),
        }
    }

    /// Notes that this password was set today.
    pub fn set(&self, account: &str, secret: &Secret, now_ms: i64) -> anyhow::Result<Age> {
        let entry = Entry {
            set_at: today(now_ms).to_string(),
            mark: self.mark(account, secret)?,
        };
        let age = self.age(&entry, now_ms)?;
        let mut written = self.read()?;
        written.account.insert(account.to_owned(), entry);
        let text = toml::to_string(&written).context("write the ages of passwords")?;
        let failed = || format!("write {}", self.path.display());
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(folder).with_context(failed)?;
        file.write_all(format!("{HEAD}{text}").as_bytes())
            .with_context(failed)?;
        file.persist(&self.path).with_context(failed)?;
        Ok(age)
    }

    fn read(&self) -> anyhow::Result<Written> {
        match std::fs::read_to_string(&self.path) {
            Ok(text) => toml::from_str(&text).with_context(|| format!("read {}", self.path.display())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Written::default()),
            Err(error) => Err(error).with_context(|| format!("read {}", self.path.display())),
        }
    }

    fn age(&self, entry: &Entry, now_ms: i64) -> anyhow::Result<Age> {
        let set_at: Date = entry
            .set_at
            .parse()
            .with_context(|| format!("`{}` in {} is not a day", entry.set_at, self.path.display()))?;
        let days = today(now_ms)
            .since(set_at)
            .map_or(0, |span| i64::from(span.get_days()));
        Ok(Age { set_at, days })
    }

    fn mark(&self, account: &str, secret: &Secret) -> anyhow::Result<String> {
        let key = key_text(&self.key)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(key.trim().as_bytes()).context("make a mark")?;
        mac.update(account.as_bytes());
        mac.update(&[0]);
        mac.update(secret.reveal().as_bytes());
        let octets = mac.finalize().into_bytes();
        Ok(hex(octets.get(..MARK_OCTETS).unwrap_or_default()))
    }
}

fn today(now_ms: i64) -> Date {
    let now = Timestamp::from_millisecond(now_ms).unwrap_or_default();
    TimeZone::UTC.to_datetime(now).date()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000;

    #[test]
    fn a_password_grows_old_until_it_is_another_one() {
        let folder = tempfile::tempdir().unwrap();
        let ages = Ages::beside(&folder.path().join("ledger.db"));
        let (first, second) = (Secret::new("first"), Secret::new("second"));
        assert_eq!(ages.known("main", 0).unwrap(), None);
        let days = |secret, day: i64| ages.note("main", secret, day * DAY).unwrap().days;
        assert_eq!(
            (days(&first, 0), days(&first, 89), days(&first, 400)),
            (0, 89, 400)
        );
        assert_eq!(ages.known("main", 90 * DAY).unwrap().unwrap().days, 90);
        assert_eq!((days(&second, 400), days(&second, 401)), (0, 1));
        // The same again, on purpose: it counts from today.
        assert_eq!(ages.set("main", &second, 500 * DAY).unwrap().days, 0);
        let text = std::fs::read_to_string(folder.path().join("secrets.toml")).unwrap();
        assert!(!text.contains("second"), "{text}");
    }
}
