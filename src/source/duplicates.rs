//! Finds addresses that stand on a list twice, in some 20 bytes a person.
//!
//! It takes each row once and in order, so a line stands for its row.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use sha2::{Digest as _, Sha256};

use crate::mail::Address;

/// Parts of the table. Each grows on its own, so that memory never has to hold the whole of it twice.
const SHARDS: usize = 256;

/// The first 16 bytes of an address' SHA-256: two addresses of a list never share them by accident.
type Fingerprint = [u8; 16];

/// The addresses met so far, and the line each was met on first.
#[derive(Debug)]
pub(super) struct Seen {
    shards: Vec<HashMap<Fingerprint, u32, BuildHasherDefault<AsIs>>>,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| HashMap::default()).collect(),
        }
    }
}

impl Seen {
    /// The line on which this address was met first; none, when that is now.
    pub(super) fn first_line(&mut self, address: &Address, line: u64) -> Option<u64> {
        let digest = Sha256::digest(address.key().as_bytes());
        let fingerprint: Fingerprint = digest.first_chunk().copied()?;
        let shard = self.shards.get_mut(usize::from(*digest.last()?))?;
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        let known = *shard.entry(fingerprint).or_insert(line);
        (known != line).then_some(u64::from(known))
    }
}

/// A fingerprint is spread evenly already; hashing it again would only cost time.
#[derive(Debug, Default)]
pub(super) struct AsIs(u64);

impl Hasher for AsIs {
    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 = u64::from_le_bytes(*first);
        }
    }

    fn write_usize(&mut self, _length: usize) {}

    fn finish(&self) -> u64 {
        self.0
    }
}
