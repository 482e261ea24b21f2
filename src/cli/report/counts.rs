//! What became of a campaign's mails, counted: of all of them, and of those to each family of destinations.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::ledger::read::{Came, Fate};
use crate::ledger::{State, Tally};

/// Counts of mails. Those of the states sum to `recipients`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    /// By the states.
    #[serde(flatten)]
    pub(super) tally: Tally,
    /// Of those sent: came back from an address that has no mailbox.
    pub(super) bounced_hard: u64,
    /// Of those sent: came back for now.
    pub(super) bounced_soft: u64,
    /// Called spam.
    pub(super) complained: u64,
    /// Led to an unsubscribe.
    pub(super) unsubscribed: u64,
}

impl Counts {
    /// Counts a mail, with what came back from it.
    pub(super) fn add(&mut self, fate: &Fate, came: &[Came]) {
        self.tally.add(fate.state, 1);
        let has = |kind: &str| came.iter().any(|came| came.kind == kind);
        let bounced = |severity: &str| {
            came.iter()
                .any(|came| came.kind == "bounce" && came.severity.as_deref() == Some(severity))
        };
        // What was refused at once is among those that failed.
        let was_taken = matches!(fate.state, State::Sent | State::InDoubt);
        let is_hard = was_taken && bounced("hard");
        self.bounced_hard += u64::from(is_hard);
        self.bounced_soft += u64::from(was_taken && !is_hard && bounced("soft"));
        self.complained += u64::from(has("complaint"));
        self.unsubscribed += u64::from(has("unsubscribe"));
    }

    /// Mails that servers have answered for good: what shares are counted of.
    pub(super) fn answered(&self) -> u64 {
        self.tally.sent + self.tally.failed
    }

    /// The share of these in the mails that were answered, in per cent: `0.31 %`.
    pub(super) fn share(&self, count: u64) -> String {
        match self.answered() {
            0 => "–".to_owned(),
            all => {
                // Rounded up: a single complaint is never 0.00 %.
                let parts = count.saturating_mul(10_000).div_ceil(all);
                format!("{}.{:02} %", parts / 100, parts % 100)
            }
        }
    }

    fn sum(&mut self, other: &Self) {
        let pairs = [
            (&mut self.tally.recipients, other.tally.recipients),
            (&mut self.tally.pending, other.tally.pending),
            (&mut self.tally.sending, other.tally.sending),
            (&mut self.tally.sent, other.tally.sent),
            (&mut self.tally.failed, other.tally.failed),
            (&mut self.tally.in_doubt, other.tally.in_doubt),
            (&mut self.tally.suppressed, other.tally.suppressed),
            (&mut self.bounced_hard, other.bounced_hard),
            (&mut self.bounced_soft, other.bounced_soft),
            (&mut self.complained, other.complained),
            (&mut self.unsubscribed, other.unsubscribed),
        ];
        for (own, other) in pairs {
            *own += other;
        }
    }
}

/// Counts by family of destinations; those of no family together, under no name.
pub(super) type Families = BTreeMap<String, Counts>;

/// Do the counts agree: the states with all of them, and the families with the whole?
pub(super) fn agree(all: &Counts, families: &Families) -> bool {
    let tally = &all.tally;
    let states = [
        tally.pending,
        tally.sending,
        tally.sent,
        tally.failed,
        tally.in_doubt,
        tally.suppressed,
    ];
    let mut sum = Counts::default();
    for counts in families.values() {
        sum.sum(counts);
    }
    states.iter().sum::<u64>() == tally.recipients && sum == *all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_up_to_what_can_be_seen() {
        let counts = Counts {
            tally: Tally {
                sent: 990,
                failed: 10,
                ..Tally::default()
            },
            ..Counts::default()
        };
        for (count, expected) in [(0, "0.00 %"), (1, "0.10 %"), (3, "0.30 %"), (1_000, "100.00 %")] {
            assert_eq!(counts.share(count), expected);
        }
        let many = Counts {
            tally: Tally {
                sent: 1_000_000,
                ..Tally::default()
            },
            ..Counts::default()
        };
        assert_eq!(many.share(1), "0.01 %");
        assert_eq!(Counts::default().share(1), "–");
    }
}
