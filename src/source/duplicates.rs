//! Finds addresses that stand on a list twice, in some 16 bytes a person.
//!
//! It takes each row once and in order, so a line stands for its row. A table of our own, because those of the standard
//! library double when they are full and keep more: with a million people that is three times as much.

use sha2::{Digest as _, Sha256};

use crate::mail::Address;

/// Parts of the table. Each grows on its own, so that memory never has to hold the whole of it twice.
const SHARDS: usize = 256;
/// How full a part may be. Beyond it, looking for a free place takes long.
const FULL_PERCENT: usize = 85;

/// The addresses met so far, and the line each was met on first.
#[derive(Debug)]
pub(super) struct Seen {
    shards: Vec<Shard>,
}

/// Open addressing: a fingerprint stands at its place or at the next free one after it.
#[derive(Debug, Default)]
struct Shard {
    /// 64 bits of an address' SHA-256; with the choice of the shard 72, which two addresses of a list do not share by
    /// accident.
    fingerprints: Vec<u64>,
    /// Beside each its line; 0 where nobody is.
    lines: Vec<u32>,
    count: usize,
}

impl Default for Seen {
    fn default() -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Shard::default()).collect(),
        }
    }
}

impl Seen {
    /// The line on which this address was met first; none, when that is now.
    pub(super) fn first_line(&mut self, address: &Address, line: u64) -> Option<u64> {
        let digest = Sha256::digest(address.key().as_bytes());
        let fingerprint = u64::from_le_bytes(*digest.first_chunk()?);
        let shard = self.shards.get_mut(usize::from(*digest.last()?))?;
        let line = u32::try_from(line).unwrap_or(u32::MAX);
        let known = shard.enter(fingerprint, line);
        (known != line).then_some(u64::from(known))
    }
}

impl Shard {
    /// Enters the line, unless one stands there already; says which stands there now.
    fn enter(&mut self, fingerprint: u64, line: u32) -> u32 {
        if (self.count + 1) * 100 > self.lines.len() * FULL_PERCENT {
            self.grow();
        }
        let first = self.place(fingerprint);
        let places = (first..self.lines.len()).chain(0..first);
        for place in places {
            let (Some(print), Some(known)) = (self.fingerprints.get_mut(place), self.lines.get_mut(place))
            else {
                break;
            };
            if *known == 0 {
                (*print, *known) = (fingerprint, line);
                self.count += 1;
                return line;
            }
            if *print == fingerprint {
                return *known;
            }
        }
        line
    }

    /// Where a fingerprint belongs: they are spread evenly, and so are their places.
    fn place(&self, fingerprint: u64) -> usize {
        let scaled = (u128::from(fingerprint) * self.lines.len() as u128) >> u64::BITS;
        usize::try_from(scaled).unwrap_or_default()
    }

    fn grow(&mut self) {
        let size = self.lines.len() * 5 / 4 + 16;
        let larger = Self {
            fingerprints: vec![0; size],
            lines: vec![0; size],
            count: 0,
        };
        let before = std::mem::replace(self, larger);
        for (fingerprint, line) in before.fingerprints.into_iter().zip(before.lines) {
            if line != 0 {
                self.enter(fingerprint, line);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn the_first_line_is_found_again(people in prop::collection::vec(0_u32..400, 1..1_500)) {
            let mut seen = Seen::default();
            let mut first: HashMap<u32, u64> = HashMap::new();
            for (line, person) in (2..).zip(people) {
                let address = Address::parse(&format!("p{person}@example.com")).unwrap();
                let expected = first.get(&person).copied();
                prop_assert_eq!(seen.first_line(&address, line), expected);
                first.entry(person).or_insert(line);
            }
        }
    }

    #[test]
    fn a_part_that_is_full_grows_and_forgets_nobody() {
        let mut shard = Shard::default();
        // All at one end, so that places run over.
        for line in 1..=5_000 {
            assert_eq!(shard.enter(u64::MAX - u64::from(line), line), line);
        }
        assert_eq!(shard.count, 5_000);
        assert!(
            shard.lines.len() * 10 < 5_000 * 16,
            "{} places",
            shard.lines.len()
        );
    }
}
