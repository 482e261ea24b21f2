//! Which people of a list are meant: those whom the filter matches, who stand on no other list that is excluded, and
//! whom the sample takes.

use std::collections::{BTreeSet, HashSet};
use std::path::Path;

use sha2::{Digest, Sha256};

use super::filter::{Filter, Refused};
use super::{List, Row};
use crate::campaign::list::{Consent, Said, Sample};
use crate::campaign::{ListSettings, Problem, Problems};
use crate::mail::repair::with_domain_meant;
use crate::mail::{Address, Columns, Recipient};
use crate::text;
use crate::words::Text;

/// Why somebody on the list is not meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotMeant {
    /// `where` does not match.
    Filter,
    /// They stand on a list that is excluded.
    Excluded,
    /// The sample has not taken them.
    Sample,
}

/// The choice, as far as one row tells.
#[derive(Debug, Default)]
pub(super) struct Segment {
    filter: Option<Filter>,
    excluded: HashSet<[u8; 16]>,
    sample: Option<Sample>,
    /// Samples of different campaigns are different.
    seed: String,
}

/// Whether somebody is meant, or the cell that does not fit the filter.
pub(super) type Chosen = Result<Option<NotMeant>, (usize, Text)>;

impl Segment {
    pub(super) fn new(settings: &ListSettings, columns: &Columns) -> Result<Self, Problems> {
        let filter = match &settings.filter {
            None => None,
            Some(said) => match Filter::parse(&said.text, columns) {
                Ok(filter) => Some(filter),
                Err(refused) => return Err(place(said, refused).into()),
            },
        };
        let mut excluded = HashSet::new();
        for path in &settings.exclude {
            leave_out(path, settings, &mut excluded)?;
        }
        Ok(Self {
            filter,
            excluded,
            sample: settings.sample,
            seed: settings.seed.clone(),
        })
    }

    /// Is everybody meant?
    pub(super) fn is_everybody(&self) -> bool {
        self.filter.is_none() && self.excluded.is_empty() && self.sample.is_none()
    }

    /// Judges one person by the row and, where the sample is a number of people, by the greatest draw it takes.
    pub(super) fn judge(&self, recipient: &Recipient, greatest: Option<u64>) -> Chosen {
        if let Some(filter) = &self.filter {
            match filter.matches(&recipient.values) {
                Ok(true) => {}
                Ok(false) => return Ok(Some(NotMeant::Filter)),
                Err(misfit) => return Err((misfit.column, misfit.what)),
            }
        }
        if !self.excluded.is_empty() && self.excluded.contains(&fingerprint("", &recipient.address)) {
            return Ok(Some(NotMeant::Excluded));
        }
        let is_taken = match self.sample {
            None => true,
            Some(Sample::Share(share)) => {
                // Drawn numbers are spread evenly over all of u64.
                let most = u128::from(share) * (u128::from(u64::MAX) + 1) / 1_000_000;
                u128::from(self.draw(&recipient.address)) < most
            }
            Some(Sample::People(_)) => {
                greatest.is_none_or(|greatest| self.draw(&recipient.address) <= greatest)
            }
        };
        Ok((!is_taken).then_some(NotMeant::Sample))
    }

    /// How many people the sample takes, when it takes a number of them.
    pub(super) fn people(&self) -> Option<u64> {
        match self.sample {
            Some(Sample::People(people)) => Some(people),
            Some(Sample::Share(_)) | None => None,
        }
    }

    /// The lot that a person draws: the same whenever it is drawn for this campaign.
    pub(super) fn draw(&self, address: &Address) -> u64 {
        let print = u128::from_be_bytes(fingerprint(&self.seed, address));
        u64::try_from(print >> u64::BITS).unwrap_or_default()
    }
}

/// What is wrong with a condition, at the very words where the file has them as they are.
fn place(said: &Said, refused: Refused) -> Problem {
    let mut problem = Problem {
        what: refused.what,
        hint: refused.hint.map(Box::new),
        ..said.at.clone()
    };
    let source = said.at.source.as_deref().unwrap_or_default();
    let value: String = source
        .chars()
        .skip(usize::try_from(said.at.column).unwrap_or(usize::MAX))
        .take(said.text.chars().count())
        .collect();
    if let Some((column, width)) = refused.place
        && value == said.text
    {
        // The text begins behind its quote.
        problem.column += column as u64;
        problem.width = width;
    }
    problem
}

/// Everyone on this list, whatever it says of them, as it writes their addresses and as they were meant. A row that
/// does not tell who is meant is a problem: that person could be mailed.
fn leave_out(path: &Path, settings: &ListSettings, excluded: &mut HashSet<[u8; 16]>) -> Result<(), Problems> {
    let plain = ListSettings {
        consent: Consent::Ignored,
        allows_utf8: true,
        email_column: settings.email_column.clone(),
        ..ListSettings::default()
    };
    // The column may be called otherwise there.
    let by_itself = |_| {
        let email_column = None;
        List::open(
            path,
            &ListSettings {
                email_column,
                ..plain.clone()
            },
        )
    };
    let list = List::open(path, &plain).or_else(by_itself)?;
    let unread = |error: anyhow::Error| {
        Problem::with_file(
            path,
            text!("cannot be read: {error}", error = Text::error(&error)),
        )
    };
    let mut problems = Problems::default();
    for row in list.rows().map_err(unread)? {
        let named = match row.map_err(unread)? {
            Row::Usable(recipient) => vec![recipient.address],
            Row::Rejected(rejected) if rejected.named.is_empty() => {
                let hint = text!(
                    "this list is excluded, and whoever is meant here could be mailed; mend the row, or remove it"
                );
                problems.push(rejected.problem.hint(hint));
                continue;
            }
            Row::Rejected(rejected) => rejected.named,
            Row::Withheld { .. } | Row::NotMeant { .. } | Row::Duplicate { .. } => continue,
        };
        for address in named {
            excluded.insert(fingerprint("", &address));
            excluded.insert(fingerprint("", &with_domain_meant(address)));
        }
    }
    problems.or_ok(())
}

/// The smallest lots of all that are drawn.
#[derive(Debug)]
pub(super) struct Smallest {
    most: usize,
    /// Each once: who stands on several rows draws one lot.
    kept: BTreeSet<u64>,
}

impl Smallest {
    pub(super) fn new(most: u64) -> Self {
        Self {
            most: usize::try_from(most).unwrap_or(usize::MAX),
            kept: BTreeSet::new(),
        }
    }

    pub(super) fn add(&mut self, lot: u64) {
        self.kept.insert(lot);
        if self.kept.len() > self.most {
            self.kept.pop_last();
        }
    }

    /// The greatest of them.
    pub(super) fn greatest(&self) -> Option<u64> {
        self.kept.last().copied()
    }
}

fn fingerprint(seed: &str, address: &Address) -> [u8; 16] {
    let mut digest = Sha256::new();
    digest.update(seed.as_bytes());
    digest.update([0]);
    digest.update(address.key().as_bytes());
    let mut print = [0; 16];
    print
        .iter_mut()
        .zip(digest.finalize())
        .for_each(|(to, from)| *to = from);
    print
}
