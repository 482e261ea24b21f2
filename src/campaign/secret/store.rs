//! Keeps secrets: in a file that only its owner reads, or in the keyring (Secret Service). The previous one stays beside
//! the new one until somebody wipes it.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow, bail};
use keyring_core::{Entry, Error};
use zbus_secret_service_keyring_store::Store;

use super::{Secret, SecretSource};
use crate::text;
use crate::words::Text;

/// Under which name the keyring has our entries.
const SERVICE: &str = "mailshot";

/// Which of the two that may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Slot {
    /// The one that is used.
    Current,
    /// The one before it.
    Previous,
}

impl SecretSource {
    /// Can a secret be kept there by us?
    pub fn is_ours_to_write(&self) -> bool {
        match self {
            Self::File(_) | Self::Keyring(_) => true,
            Self::Command(_) | Self::Env(_) => false,
        }
    }

    /// The secret that is kept in a slot, if there is one.
    pub fn kept(&self, slot: Slot) -> anyhow::Result<Option<Secret>> {
        let text = match self {
            Self::File(path) => match std::fs::read_to_string(in_slot(path, slot)) {
                Ok(text) => Some(text),
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                Err(error) => return Err(error).with_context(|| format!("read {self}")),
            },
            Self::Keyring(name) => from_keyring(name, slot)?,
            Self::Command(_) | Self::Env(_) => None,
        };
        let first = text.as_deref().and_then(|text| text.lines().next());
        Ok(first.filter(|line| !line.is_empty()).map(Secret::new))
    }

    /// Keeps a secret in a slot, in place of what was there.
    pub fn keep(&self, slot: Slot, secret: &Secret) -> anyhow::Result<()> {
        match self {
            Self::File(path) => {
                let path = in_slot(path, slot);
                write_private(&path, secret).with_context(|| format!("write {}", path.display()))
            }
            Self::Keyring(name) => entry(name, slot)?
                .set_password(secret.reveal())
                .map_err(|error| out_of_reach(&error)),
            Self::Command(_) | Self::Env(_) => bail!(text!(
                "{place} is not mailshot's to write",
                place = self.to_string()
            )),
        }
    }

    /// Takes out what is kept in a slot.
    pub fn wipe(&self, slot: Slot) -> anyhow::Result<()> {
        match self {
            Self::File(path) => {
                let path = in_slot(path, slot);
                match std::fs::remove_file(&path) {
                    Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                        Err(error).with_context(|| format!("remove {}", path.display()))
                    }
                    _ => Ok(()),
                }
            }
            Self::Keyring(name) => match entry(name, slot)?.delete_credential() {
                Ok(()) | Err(Error::NoEntry) => Ok(()),
                Err(error) => Err(out_of_reach(&error)),
            },
            Self::Command(_) | Self::Env(_) => Ok(()),
        }
    }
}

fn in_slot(path: &Path, slot: Slot) -> PathBuf {
    match slot {
        Slot::Current => path.to_owned(),
        Slot::Previous => {
            let mut name = path.as_os_str().to_owned();
            name.push(".previous");
            name.into()
        }
    }
}

/// The file appears whole or not at all, and nobody else can read it at any moment.
fn write_private(path: &Path, secret: &Secret) -> std::io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    // Files of this kind are made with the mode 0600.
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(secret.reveal().as_bytes())?;
    file.write_all(b"\n")?;
    file.as_file().sync_all()?;
    file.persist(path).map(drop).map_err(|error| error.error)
}

/// What the keyring has; none, when it has no such entry.
pub(super) fn from_keyring(name: &str, slot: Slot) -> anyhow::Result<Option<String>> {
    match entry(name, slot)?.get_password() {
        Ok(secret) => Ok(Some(secret)),
        Err(Error::NoEntry) => Ok(None),
        Err(error) => Err(out_of_reach(&error)),
    }
}

fn entry(name: &str, slot: Slot) -> anyhow::Result<Entry> {
    if keyring_core::get_default_store().is_none() {
        let store = Store::new().map_err(|error| out_of_reach(&error))?;
        keyring_core::set_default_store(store);
    }
    let name = match slot {
        Slot::Current => name.to_owned(),
        Slot::Previous => format!("{name}, previous"),
    };
    Entry::new(SERVICE, &name).map_err(|error| out_of_reach(&error))
}

/// What a store says of its failures may hold what was to be stored: only its kind and reason are passed on.
fn out_of_reach(error: &Error) -> anyhow::Error {
    let why = match error {
        Error::PlatformFailure(why) | Error::NoStorageAccess(why) => Text::kept(why),
        Error::NoEntry => text!("there is no such entry"),
        Error::Ambiguous(_) => text!("there are several such entries"),
        Error::TooLong(..) => text!("the secret is too long"),
        _ => text!("it refused"),
    };
    anyhow!(text!(
        "the keyring is out of reach: {why}; servers have none as a rule: use `password_file`",
        why
    ))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_file_is_read_by_its_owner_alone_and_the_previous_one_stays_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("new/main.password");
        let source = SecretSource::File(path.clone());
        assert!(source.kept(Slot::Current).unwrap().is_none());
        source.keep(Slot::Current, &Secret::new("first")).unwrap();
        source.keep(Slot::Previous, &Secret::new("older")).unwrap();
        source.keep(Slot::Current, &Secret::new("second")).unwrap();
        let kept = |slot| {
            source
                .kept(slot)
                .unwrap()
                .map(|secret| secret.reveal().to_owned())
        };
        assert_eq!(kept(Slot::Current).as_deref(), Some("second"));
        assert_eq!(kept(Slot::Previous).as_deref(), Some("older"));
        for file in std::fs::read_dir(path.parent().unwrap()).unwrap() {
            let mode = file.unwrap().metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        source.wipe(Slot::Previous).unwrap();
        source.wipe(Slot::Previous).unwrap();
        assert_eq!(kept(Slot::Previous), None);
    }
}
