//! Plays a script: which visit to which stage meets which fault.
//!
//! It is the same every time: the n-th visit to a stage meets the same fault for the same seed, however the
//! connections interleave. Which mail is the n-th is up to the client.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use super::script::{Action, Script, Stage, When};

/// A script that is being played: it knows how often each stage was visited.
#[derive(Debug)]
pub(super) struct Play {
    pub(super) script: Script,
    /// One for each rule.
    visits: Vec<AtomicU64>,
}

impl Play {
    pub(super) fn new(script: Script) -> Self {
        let visits = script.rules.iter().map(|_| AtomicU64::new(0)).collect();
        Self { script, visits }
    }

    /// What happens at this visit to the stage, if anything.
    pub(super) fn visit(&self, stage: Stage) -> Option<&Action> {
        let mut due = None;
        // Every rule counts the visit, also when an earlier one is due: the rules stay independent.
        for ((rule, visits), place) in self.script.rules.iter().zip(&self.visits).zip(0_u64..) {
            if rule.stage == stage {
                let visit = visits.fetch_add(1, Relaxed) + 1;
                if self.is_due(rule.when, place, visit) && due.is_none() {
                    due = Some(&rule.action);
                }
            }
        }
        due
    }

    fn is_due(&self, when: When, place: u64, visit: u64) -> bool {
        match when {
            When::Every(every) => visit.is_multiple_of(u64::from(every.get())),
            When::Rate(rate) => draw(self.script.seed, place, visit) < rate,
        }
    }
}

/// A number from 0 up to 1 that depends on nothing but the arguments (splitmix64).
fn draw(seed: u64, place: u64, visit: u64) -> f64 {
    let mut x = seed ^ place.rotate_left(48);
    for word in [visit, 0] {
        x = x.wrapping_add(word).wrapping_add(0x9E37_79B9_7F4A_7C15);
        x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        x ^= x >> 31;
    }
    let high = u32::try_from(x >> 32).unwrap_or(u32::MAX);
    f64::from(high) / (f64::from(u32::MAX) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_nth_visit_meets_the_fault() {
        let play = Play::new(Script::parse(&["drop=mail/3"]).unwrap());
        let met: Vec<bool> = (0..6).map(|_| play.visit(Stage::Mail).is_some()).collect();
        assert_eq!(met, [false, false, true, false, false, true]);
        assert!(play.visit(Stage::Data).is_none());
    }

    #[test]
    fn a_rate_is_kept_and_is_the_same_for_the_same_seed() {
        let met = |fault: &str, seed: &str| -> Vec<bool> {
            let play = Play::new(Script::parse(&[fault, seed]).unwrap());
            (0..10_000)
                .map(|_| play.visit(Stage::Recipient).is_some())
                .collect()
        };
        let first = met("4xx=0.05@rcpt", "seed=1");
        let count = first.iter().filter(|met| **met).count();
        assert!((400..600).contains(&count), "{count}");
        assert_eq!(first, met("4xx=0.05@rcpt", "seed=1"));
        assert_ne!(first, met("4xx=0.05@rcpt", "seed=2"));
        assert!(met("4xx=1@rcpt", "seed=1").iter().all(|met| *met));
        assert!(!met("4xx=0@rcpt", "seed=1").iter().any(|met| *met));
    }
}
