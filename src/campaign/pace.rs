//! What an account has learned about how much is taken from it: pauses, slower going, fewer connections. Pure
//! arithmetic; the ledger keeps it, so that the next run knows it too.
//!
//! A refusal for going too fast is one strike, however many mails met it. Each strike pauses for longer, and halves the
//! rate; from the end of the pause the rate grows again, doubles every two hours, and is forgotten when it has grown
//! to four times what it was.

use serde::{Deserialize, Serialize};

/// How long it takes until the rate has grown by what it was after the last strike, in ms.
const GROWS_IN_MS: i64 = 2 * 3_600_000;
/// When the rate has grown to so many times what it was, it is forgotten.
const FORGOTTEN_AT: i64 = 4;
/// Strikes this far apart are not in a row, in ms.
const FORGIVEN_MS: i64 = 12 * 3_600_000;
/// Mails that were on their way already when the first was refused are no further strike, in ms.
const SAME_BURST_MS: i64 = 60_000;
/// How long fewer connections or mails for each are kept to, in ms.
const CAPS_LAST_MS: i64 = 24 * 3_600_000;
/// The slowest that an account or a destination is slowed down to, in mails an hour.
const SLOWEST_PER_HOUR: u32 = 6;

/// What was learned about an account, or about one destination of its mails.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learned {
    /// Nothing is sent before, in ms since the epoch.
    pub paused_until_ms: i64,
    /// Mails an hour that were allowed when the pause ended; none when nothing about the rate is known.
    pub per_hour: Option<u32>,
    /// When it was last refused for going too fast, in ms since the epoch.
    pub struck_at_ms: i64,
    /// Strikes in a row.
    pub strikes: u32,
    /// Connections at most.
    pub connections_max: Option<u16>,
    /// Mails on one connection at most.
    pub messages_max: Option<u32>,
    /// When the two were learned, in ms since the epoch.
    pub capped_at_ms: i64,
    /// What the server said.
    pub why: String,
}

/// Something to learn from a refusal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lesson {
    /// Too fast: the pauses after the first, second, … strike, in ms; the last one repeats.
    TooFast(Vec<i64>),
    /// Nothing more is taken until then, in ms since the epoch.
    SpentUntil(i64),
    /// So many connections are too many.
    Connections(u16),
    /// So many mails were all that one connection took.
    Messages(u32),
}

impl Learned {
    /// Learns; none when nothing new follows. `seen_per_hour`: how fast it went of late.
    pub fn after(&self, lesson: &Lesson, seen_per_hour: u32, now_ms: i64, why: &str) -> Option<Self> {
        let why = why.to_owned();
        match lesson {
            Lesson::TooFast(pauses) => {
                // The pause is not over, or has only just begun: these mails were on their way.
                if now_ms < self.paused_until_ms.max(self.struck_at_ms + SAME_BURST_MS) {
                    return None;
                }
                let is_in_a_row = now_ms - self.struck_at_ms < FORGIVEN_MS;
                let strikes = if is_in_a_row { self.strikes + 1 } else { 1 };
                let index = usize::try_from(strikes - 1).unwrap_or(usize::MAX);
                let pause = pauses.get(index).or(pauses.last()).copied().unwrap_or_default();
                let known = self.per_hour_at(now_ms).unwrap_or(u32::MAX);
                Some(Self {
                    paused_until_ms: now_ms + pause,
                    per_hour: Some((seen_per_hour.min(known) / 2).max(SLOWEST_PER_HOUR)),
                    struck_at_ms: now_ms,
                    strikes,
                    why,
                    ..self.clone()
                })
            }
            Lesson::SpentUntil(until_ms) => (*until_ms > self.paused_until_ms).then(|| Self {
                paused_until_ms: *until_ms,
                why,
                ..self.clone()
            }),
            Lesson::Connections(open) => {
                let most = open.saturating_sub(1).max(1);
                (self.connections_at(now_ms) != Some(most)).then(|| Self {
                    connections_max: Some(most),
                    capped_at_ms: now_ms,
                    why,
                    ..self.clone()
                })
            }
            Lesson::Messages(carried) => {
                let most = (*carried).max(1);
                (self.messages_at(now_ms) != Some(most)).then(|| Self {
                    messages_max: Some(most),
                    capped_at_ms: now_ms,
                    why,
                    ..self.clone()
                })
            }
        }
    }

    /// Mails an hour that are let through now; none when there is no limit, or it is forgotten.
    pub fn per_hour_at(&self, now_ms: i64) -> Option<u32> {
        let after_strike = i64::from(self.per_hour?);
        let recovered_ms = (now_ms - self.paused_until_ms).max(0);
        let now = after_strike + after_strike * recovered_ms / GROWS_IN_MS;
        (now < after_strike * FORGOTTEN_AT)
            .then(|| u32::try_from(now).ok())
            .flatten()
    }

    /// How far apart mails are, in ms; 0 when that does not matter.
    pub fn gap_ms(&self, now_ms: i64) -> i64 {
        self.per_hour_at(now_ms)
            .map_or(0, |per_hour| 3_600_000 / i64::from(per_hour.max(1)))
    }

    /// Connections that are taken now, where that was learned.
    pub fn connections_at(&self, now_ms: i64) -> Option<u16> {
        self.connections_max.filter(|_| self.is_capped(now_ms))
    }

    /// Mails that one connection takes now, where that was learned.
    pub fn messages_at(&self, now_ms: i64) -> Option<u32> {
        self.messages_max.filter(|_| self.is_capped(now_ms))
    }

    fn is_capped(&self, now_ms: i64) -> bool {
        now_ms - self.capped_at_ms < CAPS_LAST_MS
    }

    /// Does any of it still hold?
    pub fn holds(&self, now_ms: i64) -> bool {
        now_ms < self.paused_until_ms
            || self.per_hour_at(now_ms).is_some()
            || self.connections_at(now_ms).is_some()
            || self.messages_at(now_ms).is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;
    const HOUR: i64 = 60 * MINUTE;

    fn too_fast() -> Lesson {
        Lesson::TooFast(vec![15 * MINUTE, HOUR, 4 * HOUR])
    }

    #[test]
    fn a_burst_of_refusals_is_one_strike() {
        let now = 1_000 * HOUR;
        let once = Learned::default()
            .after(&too_fast(), 600, now, "slow down")
            .unwrap();
        assert_eq!((once.strikes, once.paused_until_ms - now), (1, 15 * MINUTE));
        assert_eq!(once.after(&too_fast(), 600, now + 1, "slow down"), None);
        assert_eq!(once.after(&too_fast(), 600, now + 14 * MINUTE, "slow down"), None);
    }

    #[test]
    fn every_strike_pauses_for_longer_and_halves_the_rate() {
        let (mut learned, mut now) = (Learned::default(), 1_000 * HOUR);
        let mut seen = Vec::new();
        for _ in 0..4 {
            learned = learned.after(&too_fast(), 600, now, "slow down").unwrap();
            seen.push(((learned.paused_until_ms - now) / MINUTE, learned.per_hour));
            now = learned.paused_until_ms;
        }
        assert_eq!(
            seen,
            [(15, Some(300)), (60, Some(150)), (240, Some(75)), (240, Some(37))]
        );
    }

    #[test]
    fn it_recovers_slowly_and_forgets() {
        let now = 1_000 * HOUR;
        let learned = Learned::default().after(&too_fast(), 600, now, "").unwrap();
        let after = |hours: i64| learned.per_hour_at(learned.paused_until_ms + hours * HOUR);
        assert_eq!(
            [after(0), after(1), after(2), after(5)],
            [Some(300), Some(450), Some(600), Some(1_050)]
        );
        assert_eq!(after(6), None);
        assert_eq!(learned.gap_ms(learned.paused_until_ms), 12_000);
        let next_day = now + 24 * HOUR;
        assert_eq!(learned.after(&too_fast(), 600, next_day, "").unwrap().strikes, 1);
        assert!(!learned.holds(next_day));
    }

    #[test]
    fn it_never_stops_altogether() {
        let (mut learned, mut now) = (Learned::default(), 1_000 * HOUR);
        for _ in 0..100 {
            learned = learned.after(&too_fast(), 10, now, "").unwrap();
            now = learned.paused_until_ms;
        }
        assert_eq!(learned.per_hour, Some(SLOWEST_PER_HOUR));
    }

    #[test]
    fn fewer_connections_are_kept_to_for_a_day() {
        let learned = Learned::default()
            .after(&Lesson::Connections(4), 0, HOUR, "too many")
            .unwrap();
        assert_eq!(learned.connections_at(2 * HOUR), Some(3));
        assert_eq!(learned.connections_at(25 * HOUR), None);
        assert_eq!(
            learned
                .after(&Lesson::Connections(1), 0, HOUR, "")
                .unwrap()
                .connections_max,
            Some(1)
        );
    }
}
