//! When a deferred mail is tried again, and when it is given up.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

use crate::text;
use crate::words::{Gap, Text};

/// A length of time as users write it: `"15s"`, `"5m"`, `"2h"`, `"1d"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span(pub Duration);

impl Span {
    /// In milliseconds.
    pub fn millis(self) -> i64 {
        i64::try_from(self.0.as_millis()).unwrap_or(i64::MAX / 4)
    }
}

impl FromStr for Span {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || {
            text!(
                "`{text}` is not a length of time; write it like \"15s\", \"5m\", \"2h\" or \"2d\"",
                text
            )
        };
        let split = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, unit) = text.split_at_checked(split).ok_or_else(wrong)?;
        let number: u64 = number.parse().map_err(|_not_a_number| wrong())?;
        let millis = match unit.trim() {
            "ms" => 1,
            "s" => 1_000,
            "m" | "min" => 60_000,
            "h" => 3_600_000,
            "d" => 86_400_000,
            _ => return Err(wrong()),
        };
        number
            .checked_mul(millis)
            .map(|ms| Self(Duration::from_millis(ms)))
            .ok_or_else(wrong)
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.said().fmt(f)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// How often and for how long a deferred mail is tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The wait after the first, second, … try; the last one repeats.
    pub delays: Vec<Span>,
    /// Did the user set them? Then they hold for every kind of refusal.
    pub is_users: bool,
    /// Tries at most, the first included.
    pub tries_max: u32,
    /// From the first try on: after this, a mail is given up.
    pub give_up_after: Span,
}

impl Default for RetryPolicy {
    /// For a relay that itself retries: short waits first, given up after two days, since news grows old.
    fn default() -> Self {
        let minutes = |n: u64| Span(Duration::from_secs(n * 60));
        Self {
            is_users: false,
            delays: [1, 5, 15, 30, 60, 120, 240].map(minutes).to_vec(),
            tries_max: 8,
            give_up_after: minutes(48 * 60),
        }
    }
}

impl RetryPolicy {
    /// When to try again after `tries` tries of which the first began at `first_ms`; none: give up.
    ///
    /// `seed` spreads the wait by ±20 %, so that mails deferred together do not come back together.
    /// `own`: waits of this kind of refusal, in ms, where they differ from those of the others.
    pub fn next_ms(&self, tries: u32, own: &[i64], (first_ms, now_ms): (i64, i64), seed: u64) -> Option<i64> {
        if tries >= self.tries_max {
            return None;
        }
        let index = usize::try_from(tries.saturating_sub(1)).unwrap_or(usize::MAX);
        let delay_ms = match own.get(index).or(own.last()) {
            Some(delay_ms) if !self.is_users => *delay_ms,
            _ => self.delays.get(index).or(self.delays.last())?.millis(),
        };
        let percent = i64::try_from(mix(seed) % 41).unwrap_or(20) - 20;
        let due_ms = now_ms + delay_ms + delay_ms * percent / 100;
        (!self.is_too_old(first_ms, due_ms)).then_some(due_ms)
    }

    /// Is a mail that was first tried at `first_ms` too old by then?
    pub fn is_too_old(&self, first_ms: i64, then_ms: i64) -> bool {
        then_ms > first_ms + self.give_up_after.millis()
    }

    /// The longest wait between two tries, in ms.
    pub fn longest_ms(&self) -> i64 {
        let longest = self.delays.iter().map(|delay| delay.millis()).max();
        longest.unwrap_or_default()
    }
}

/// Spreads consecutive numbers over the whole range. Source: splitmix64 (Steele, Lea, Flood 2014).
fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

impl Span {
    /// In words.
    fn said(self) -> Text {
        let ms = self.millis();
        let whole = |length: i64| Some(ms / length).filter(|_| ms >= length && ms % length == 0);
        if let Some(n) = whole(86_400_000) {
            text!("{n}d", n)
        } else if let Some(n) = whole(3_600_000) {
            text!("{n}h", n)
        } else if let Some(n) = whole(60_000) {
            text!("{n}m", n)
        } else if let Some(n) = whole(1_000) {
            text!("{n}s", n)
        } else {
            text!("{n}ms", n = ms)
        }
    }
}

impl Gap for Span {
    fn gap(&self) -> Text {
        self.said()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_within_a_fifth_of_the_schedule() {
        let policy = RetryPolicy::default();
        for (tries, minutes) in [(1, 1), (2, 5), (3, 15), (4, 30), (5, 60), (6, 120), (7, 240)] {
            for seed in 0..200 {
                let wait = policy.next_ms(tries, &[], (0, 0), seed).unwrap();
                let planned = minutes * 60_000;
                assert!(
                    (planned * 4 / 5..=planned * 6 / 5).contains(&wait),
                    "{tries} {seed} {wait}"
                );
            }
        }
        let waits: std::collections::BTreeSet<_> =
            (0..50).map(|seed| policy.next_ms(1, &[], (0, 0), seed)).collect();
        assert!(waits.len() > 20, "the waits are spread: {}", waits.len());
    }

    #[test]
    fn eight_tries_or_two_days_are_the_end() {
        let policy = RetryPolicy::default();
        assert!(policy.next_ms(7, &[], (0, 0), 1).is_some());
        assert_eq!(policy.next_ms(8, &[], (0, 0), 1), None);
        assert_eq!(policy.next_ms(2, &[], (0, 48 * 3_600_000), 1), None);
    }

    #[test]
    fn lengths_of_time_are_read_and_shown_alike() {
        for text in ["15s", "5m", "2h", "1d", "20ms"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        for text in ["5", "m", "", "5 weeks", "-5m"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }
}
