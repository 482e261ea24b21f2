//! Finds addresses that stand on a list twice, in memory that does not grow with the list: fingerprints are sorted piece
//! by piece, the pieces wait in a temporary file, and merging them brings the same ones together.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, Write as _};
use std::os::unix::fs::FileExt as _;

use crate::mail::Address;
use crate::mail::repair::with_domain_meant;

/// Fingerprints in one piece: 1 MB. Shorter lists never touch the disk.
const PIECE: usize = 64 * 1_024;
/// Fingerprints of each piece that are in memory while merging.
const READ_AHEAD: usize = 512;
/// Octets of a fingerprint with its line.
const SIZE: usize = size_of::<u128>();
/// The lower bits, which hold the line. The others are the address's: 88 bits, which two addresses of a list do not
/// share by accident, nor on purpose, because the hash has a random key.
const LINE: u128 = (1 << 40) - 1;

/// In place of the line that counts: none of them does.
const WITHHELD: u64 = 0;

/// What is known of a row from the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Other {
    /// Its address stood on this line before.
    First(u64),
    /// Another row says that its address is not to be mailed.
    Withheld,
}

/// The rows whose address stood on an earlier row.
#[derive(Debug, Default)]
pub(super) struct Duplicates {
    /// By line, the line that counts.
    first: HashMap<u64, u64>,
}

impl Duplicates {
    /// What other rows say of the address on this line; none, when it is the first.
    pub(super) fn other(&self, line: u64) -> Option<Other> {
        self.first.get(&line).map(|first| match *first {
            WITHHELD => Other::Withheld,
            first => Other::First(first),
        })
    }
}

/// Collects the addresses of a list.
#[derive(Debug)]
pub(super) struct Finder {
    hashers: [RandomState; 2],
    /// Sorted by address, then by line.
    piece: Vec<u128>,
    /// The pieces before, each of the same length.
    file: Option<File>,
    pieces: u64,
    piece_len: usize,
}

impl Default for Finder {
    fn default() -> Self {
        Self::new(PIECE)
    }
}

impl Finder {
    fn new(piece_len: usize) -> Self {
        Self {
            hashers: [RandomState::new(), RandomState::new()],
            piece: Vec::new(),
            file: None,
            pieces: 0,
            piece_len,
        }
    }

    /// Notes that an address stands on a line, and must not be mailed: not from any other line either, and not where
    /// it is written as it was meant.
    pub(super) fn add_withheld(&mut self, address: &Address) -> io::Result<()> {
        self.add(address, WITHHELD)?;
        let meant = with_domain_meant(address.clone());
        if meant == *address {
            return Ok(());
        }
        self.add(&meant, WITHHELD)
    }

    /// Notes that an address stands on a line.
    pub(super) fn add(&mut self, address: &Address, line: u64) -> io::Result<()> {
        if self.piece.len() == self.piece_len {
            self.put_away()?;
        }
        let key = address.key();
        let [high, low] = self.hashers.each_ref().map(|hasher| hasher.hash_one(&key));
        let print = u128::from(high) << u64::BITS | u128::from(low);
        self.piece.push(print & !LINE | u128::from(line) & LINE);
        Ok(())
    }

    fn put_away(&mut self) -> io::Result<()> {
        self.piece.sort_unstable();
        let file = match &mut self.file {
            Some(file) => file,
            none => none.insert(tempfile::tempfile()?),
        };
        let octets: Vec<u8> = self.piece.drain(..).flat_map(u128::to_le_bytes).collect();
        file.write_all(&octets)?;
        self.pieces += 1;
        Ok(())
    }

    /// All addresses are known.
    pub(super) fn finish(mut self) -> io::Result<Duplicates> {
        self.piece.sort_unstable();
        let mut runs = vec![Run::of_memory(self.piece)];
        let octets = (self.piece_len * SIZE) as u64;
        if let Some(file) = &self.file {
            runs.extend(
                (0..self.pieces).map(|piece| Run::of_file(file, piece * octets..(piece + 1) * octets)),
            );
        }
        let mut heap = BinaryHeap::with_capacity(runs.len());
        for (number, run) in runs.iter_mut().enumerate() {
            heap.extend(run.next()?.map(|next| Reverse((next, number))));
        }
        let mut found = Duplicates::default();
        let mut first: Option<u128> = None;
        while let Some(Reverse((entry, number))) = heap.pop() {
            if let Some(run) = runs.get_mut(number) {
                heap.extend(run.next()?.map(|next| Reverse((next, number))));
            }
            match first {
                Some(first) if first & !LINE == entry & !LINE => {
                    found.first.insert(line_of(entry), line_of(first));
                }
                _ => first = Some(entry),
            }
        }
        Ok(found)
    }
}

fn line_of(entry: u128) -> u64 {
    u64::try_from(entry & LINE).unwrap_or_default()
}

/// A sorted piece that is read from its beginning.
struct Run<'f> {
    /// The next ones, the first at the end.
    ready: Vec<u128>,
    file: Option<&'f File>,
    /// What was not read yet.
    rest: std::ops::Range<u64>,
}

impl<'f> Run<'f> {
    fn of_memory(mut sorted: Vec<u128>) -> Self {
        sorted.reverse();
        Self {
            ready: sorted,
            file: None,
            rest: 0..0,
        }
    }

    fn of_file(file: &'f File, place: std::ops::Range<u64>) -> Self {
        Self {
            ready: Vec::new(),
            file: Some(file),
            rest: place,
        }
    }

    fn next(&mut self) -> io::Result<Option<u128>> {
        if self.ready.is_empty()
            && !self.rest.is_empty()
            && let Some(file) = self.file
        {
            let mut octets = [0; READ_AHEAD * SIZE];
            let count = octets
                .len()
                .min(usize::try_from(self.rest.end - self.rest.start).unwrap_or(usize::MAX));
            let (octets, _) = octets.split_at_mut(count);
            file.read_exact_at(octets, self.rest.start)?;
            self.rest.start += octets.len() as u64;
            let (entries, _) = octets.as_chunks::<SIZE>();
            self.ready
                .extend(entries.iter().rev().map(|entry| u128::from_le_bytes(*entry)));
        }
        Ok(self.ready.pop())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_later_row_of_an_address_knows_the_first(
            people in prop::collection::vec(0_u32..400, 0..1_500),
            piece_len in prop_oneof![Just(PIECE), 1_usize..700],
        ) {
            let mut finder = Finder::new(piece_len);
            let mut expected: HashMap<u64, u64> = HashMap::new();
            let mut first: HashMap<u32, u64> = HashMap::new();
            for (line, person) in (2..).zip(people) {
                let address = Address::parse(&format!("p{person}@example.com")).unwrap();
                finder.add(&address, line).unwrap();
                match first.get(&person) {
                    Some(first) => drop(expected.insert(line, *first)),
                    None => drop(first.insert(person, line)),
                }
            }
            prop_assert_eq!(finder.finish().unwrap().first, expected);
        }
    }

    #[test]
    fn a_long_list_takes_several_pieces() {
        let mut finder = Finder::default();
        let people = 3 * PIECE as u64;
        for person in 0..people {
            let address = Address::parse(&format!("p{person}@example.com")).unwrap();
            finder.add(&address, person + 2).unwrap();
        }
        finder
            .add(&Address::parse("P7@example.com").unwrap(), people + 2)
            .unwrap();
        let found = finder.finish().unwrap();
        assert_eq!(found.first, HashMap::from([(people + 2, 9)]));
    }
}
