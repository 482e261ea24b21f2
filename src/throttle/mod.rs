//! When the next mail may leave: `governor` spaces mails within this process. The ledger enforces the quota; this only
//! keeps the pace even, so that a minute's quota does not leave in its first second.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::Clock as GovernorClock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{InMemoryState, NotKeyed};
use governor::{Quota as Pace, RateLimiter};

use crate::campaign::quota::{Quota, Unit};
use crate::clock::Clock;

/// Our clock as governor reads it.
#[derive(Clone, Debug)]
struct Ticks(Clock);

impl GovernorClock for Ticks {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        let ms = u64::try_from(self.0.now_ms()).unwrap_or_default();
        Nanos::from(Duration::from_millis(ms))
    }
}

type Limiter = RateLimiter<NotKeyed, InMemoryState, Ticks, NoOpMiddleware<Nanos>>;

/// Spaces the mails of one run.
#[derive(Debug)]
pub struct Throttle {
    clock: Clock,
    limiters: Vec<Limiter>,
}

impl Throttle {
    /// Spaces mails by the second and minute rates of a quota. Hours and days are not spread out: their mails go as
    /// fast as the shorter rates let them, and then the run waits.
    pub fn new(quota: &Quota, clock: Clock) -> Self {
        let limiters = quota.rates.iter().filter_map(|rate| {
            let pace = match rate.unit {
                Unit::Second => Pace::per_second(rate.limit),
                Unit::Minute => Pace::per_minute(rate.limit),
                Unit::Hour | Unit::Day => return None,
            };
            // Without it the first minute may send 2n − 1.
            let pace = pace.allow_burst(NonZeroU32::MIN);
            Some(RateLimiter::direct_with_clock(pace, Ticks(clock.clone())))
        });
        Self {
            limiters: limiters.collect(),
            clock,
        }
    }

    /// Is there a pace at all? Then the pace is the limit, not the round trip.
    pub fn is_paced(&self) -> bool {
        !self.limiters.is_empty()
    }

    /// Waits until the pace lets one more mail out. Dropped halfway, it goes on with the same permit where it was.
    pub async fn wait(&self, permit: &mut Permit) {
        while let Some(limiter) = self.limiters.get(permit.passed) {
            match limiter.check() {
                Ok(()) => permit.passed += 1,
                Err(not_yet) => {
                    let now_ms = self.clock.now_ms();
                    let wait = not_yet.wait_time_from(Ticks(self.clock.clone()).now());
                    let wait_ms = i64::try_from(wait.as_millis()).unwrap_or(i64::MAX / 2) + 1;
                    self.clock.wait_until(now_ms + wait_ms).await;
                }
            }
        }
    }
}

/// One mail's way through the limits.
#[derive(Debug, Default)]
pub struct Permit {
    /// Limits that have let it pass.
    passed: usize,
}

impl Permit {
    /// The permit of a mail that did not leave after all: the next one takes it.
    pub fn unused() -> Self {
        Self { passed: usize::MAX }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn sent_at(rates: &[&str], mails: usize) -> Vec<i64> {
        let clock = Clock::simulated(1_000_000);
        let quota = Quota {
            rates: rates.iter().map(|rate| rate.parse().unwrap()).collect(),
            ..Quota::default()
        };
        let throttle = Throttle::new(&quota, clock.clone());
        let mut times = Vec::new();
        for _ in 0..mails {
            throttle.wait(&mut Permit::default()).await;
            times.push(clock.now_ms() - 1_000_000);
        }
        times
    }

    #[tokio::test]
    async fn a_minute_is_spread_out_from_its_first_mail() {
        let times = sent_at(&["20/min"], 41).await;
        assert_eq!(times[0], 0);
        for window in times.windows(21) {
            assert!(window[20] - window[0] >= 60_000, "{window:?}");
        }
        assert!(
            times[40] < 121_000,
            "and it is not slower than it must be: {}",
            times[40]
        );
    }

    #[tokio::test]
    async fn a_day_is_not_spread_out() {
        assert_eq!(sent_at(&["200/day"], 50).await, vec![0; 50]);
    }

    #[tokio::test]
    async fn every_pace_holds() {
        let times = sent_at(&["2/s", "30/min"], 10).await;
        assert!(
            times.windows(2).all(|pair| pair[1] - pair[0] >= 2_000),
            "{times:?}"
        );
    }
}
