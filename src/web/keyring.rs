//! The keys that tell which tokens are ours. They may be replaced while we serve: then they are read again.

use std::path::PathBuf;
use std::sync::{PoisonError, RwLock};
use std::time::SystemTime;

use crate::campaign::Unsubscribe;
use crate::mail::{DeliveryTag, Undo, UnsubscribeKeys};

/// The keys, as they stood when they were last looked at.
pub(super) struct Keyring {
    settings: Unsubscribe,
    held: RwLock<Held>,
}

struct Held {
    keys: UnsubscribeKeys,
    state: State,
}

/// The files of the keys, and when the one that signs was written.
type State = (Vec<PathBuf>, Option<SystemTime>);

impl Keyring {
    pub(super) fn open(settings: Unsubscribe) -> anyhow::Result<Self> {
        let keys = settings.keys()?;
        let state = state(&settings)?;
        Ok(Self {
            settings,
            held: RwLock::new(Held { keys, state }),
        })
    }

    /// The mail that a token names; none when it is not ours.
    pub(super) fn verify(&self, token: &str) -> anyhow::Result<Option<DeliveryTag>> {
        if let Some(tag) = self.with(|keys| keys.verify(token)) {
            return Ok(Some(tag));
        }
        // Perhaps the key is newer than we know.
        let state = state(&self.settings)?;
        if self.held.read().unwrap_or_else(PoisonError::into_inner).state == state {
            return Ok(None);
        }
        let keys = self.settings.keys()?;
        let tag = keys.verify(token);
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Held { keys, state };
        Ok(tag)
    }

    pub(super) fn sign_undo(&self, undo: Undo) -> String {
        self.with(|keys| keys.sign_undo(undo))
    }

    pub(super) fn verify_undo(&self, text: &str) -> Option<Undo> {
        self.with(|keys| keys.verify_undo(text))
    }

    fn with<T>(&self, what: impl FnOnce(&UnsubscribeKeys) -> T) -> T {
        what(&self.held.read().unwrap_or_else(PoisonError::into_inner).keys)
    }
}

fn state(settings: &Unsubscribe) -> anyhow::Result<State> {
    let written = std::fs::metadata(&settings.key_file).and_then(|metadata| metadata.modified());
    Ok((settings.old_keys()?, written.ok()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::campaign::Scope;
    use crate::mail::{Address, Volume};

    #[test]
    fn a_key_that_is_replaced_while_we_serve_is_taken_up() {
        let folder = tempfile::tempdir().unwrap();
        let settings = Unsubscribe {
            url: None,
            mailto: None,
            key_file: folder.path().join("key"),
            old_key_files: Vec::new(),
            scope: Scope::All,
        };
        let keyring = Keyring::open(settings.clone()).unwrap();
        let tag = DeliveryTag::derive("c", &Address::parse("li@example.com").unwrap(), Volume::FIRST);
        let old = settings.key().unwrap().sign(tag);
        settings.rotate("1").unwrap();
        let new = settings.key().unwrap().sign(tag);
        assert_ne!(old, new);
        for token in [&new, &old, &new] {
            assert_eq!(keyring.verify(token).unwrap(), Some(tag));
        }
        assert_eq!(keyring.verify("AAAA").unwrap(), None);
    }
}
