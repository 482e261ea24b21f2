//! How much a provider takes in which time: pure arithmetic, shared by throttle, ledger and forecast.
//!
//! Every mail counts from the moment its attempt began until a window after the attempt *ended*: the provider's own
//! clock sees it somewhere between the two, so that no window of the provider's can hold one mail too many, however
//! long a mail was on its way.

use std::collections::VecDeque;
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};
use serde::Deserialize;

use crate::text;
use crate::words::{Shown, Text};

/// The length a rate speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// One second.
    Second,
    /// Sixty seconds.
    Minute,
    /// Sixty minutes.
    Hour,
    /// 24 hours, or a calendar day: see [`Reset`].
    Day,
}

impl Unit {
    /// The unit's length in milliseconds.
    pub fn millis(self) -> i64 {
        match self {
            Self::Second => 1_000,
            Self::Minute => 60_000,
            Self::Hour => 3_600_000,
            Self::Day => 86_400_000,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Second => "s",
            Self::Minute => "min",
            Self::Hour => "hour",
            Self::Day => "day",
        }
    }
}

/// So many mails in such a time: `"20/min"`, `"1,000/hour"`, `"2000/day"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Rate {
    /// Mails at most.
    pub limit: NonZeroU32,
    /// In which time.
    pub unit: Unit,
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.limit, self.unit.name())
    }
}

impl FromStr for Rate {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || {
            text!(
                "`{text}` is not a rate; write it like \"20/min\", \"1,000/hour\" or \"2000/day\"",
                text
            )
        };
        let (limit, unit) = text.split_once('/').ok_or_else(wrong)?;
        let digits: String = limit.trim().chars().filter(|c| !matches!(c, ',' | '_')).collect();
        let unit = match unit.trim().to_ascii_lowercase().as_str() {
            "s" | "sec" | "second" => Unit::Second,
            "m" | "min" | "minute" => Unit::Minute,
            "h" | "hr" | "hour" => Unit::Hour,
            "d" | "day" => Unit::Day,
            _ => return Err(wrong()),
        };
        let limit: u32 = digits.parse().map_err(|_not_a_number| wrong())?;
        let limit =
            NonZeroU32::new(limit).ok_or_else(|| text!("`{text}` would never let a mail out", text))?;
        Ok(Self { limit, unit })
    }
}

impl<'de> Deserialize<'de> for Rate {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

/// When a day's quota begins anew.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Reset {
    /// 24 hours after each mail: the safe reading when the provider does not say.
    #[default]
    Rolling,
    /// At 00:00 in this zone.
    Midnight(TimeZone),
}

impl Reset {
    /// When the next calendar day begins, in ms since the epoch; none for a rolling day.
    pub fn next_ms(&self, now_ms: i64) -> Option<i64> {
        match self {
            Self::Rolling => None,
            Self::Midnight(zone) => Some(midnight_after(zone, now_ms)),
        }
    }
}

impl FromStr for Reset {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text.eq_ignore_ascii_case("rolling") {
            return Ok(Self::Rolling);
        }
        TimeZone::get(text).map(Self::Midnight).map_err(|_unknown| {
            text!(
                "`{text}` is not a time zone; write \"rolling\", or a zone like \"Asia/Shanghai\"",
                text
            )
        })
    }
}

/// All rates of one account. An empty quota lets everything through.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Quota {
    /// The rates; each holds by itself.
    pub rates: Vec<Rate>,
    /// How a day is counted.
    pub day: Reset,
}

/// The mails of one account that windows may still hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Used {
    /// Attempts that are under way.
    pub open: usize,
    /// When attempts ended, in ms since the epoch, ascending.
    pub ended: VecDeque<i64>,
}

impl Used {
    /// Counts the mails that a window beginning after `cutoff` holds.
    fn since(&self, cutoff: i64) -> usize {
        self.open + self.ended.len() - self.ended.partition_point(|ended| *ended <= cutoff)
    }

    /// Notes that an attempt ended.
    pub fn end(&mut self, at_ms: i64) {
        self.open = self.open.saturating_sub(1);
        let position = self.ended.partition_point(|ended| *ended <= at_ms);
        self.ended.insert(position, at_ms);
    }

    /// Forgets what no window of `quota` can hold any more.
    pub fn forget(&mut self, quota: &Quota, now_ms: i64) {
        let oldest = now_ms - quota.longest_ms();
        while self.ended.front().is_some_and(|ended| *ended <= oldest) {
            self.ended.pop_front();
        }
    }
}

/// A rate that is spent, and when it lets the next mail out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spent {
    /// The rate.
    pub rate: Rate,
    /// The earliest moment for the next mail, in ms since the epoch.
    pub until_ms: i64,
}

/// One rate with what is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Left {
    /// The rate.
    pub rate: Rate,
    /// Mails it would let out now.
    pub left: u32,
}

impl Quota {
    /// How far back attempts matter, in ms.
    pub fn longest_ms(&self) -> i64 {
        // A calendar day can have 25 hours.
        self.rates
            .iter()
            .map(|rate| rate.unit.millis())
            .max()
            .map_or(0, |ms| ms + Unit::Hour.millis())
    }

    /// Is one more mail too many? Then the rate that opens last says until when.
    pub fn spent(&self, used: &Used, now_ms: i64) -> Option<Spent> {
        let full = self.rates.iter().filter_map(|rate| {
            let over = used.since(self.cutoff(*rate, now_ms)) + 1;
            let over = over
                .checked_sub(rate.limit.get() as usize)
                .filter(|over| *over > 0)?;
            Some(Spent {
                rate: *rate,
                until_ms: self.free_at(*rate, used, over, now_ms),
            })
        });
        full.max_by_key(|spent| spent.until_ms)
    }

    /// What each rate would let out now.
    pub fn left(&self, used: &Used, now_ms: i64) -> Vec<Left> {
        let left = |rate: &Rate| {
            let held = u32::try_from(used.since(self.cutoff(*rate, now_ms))).unwrap_or(u32::MAX);
            Left {
                rate: *rate,
                left: rate.limit.get().saturating_sub(held),
            }
        };
        self.rates.iter().map(left).collect()
    }

    /// The last moment that the current window of `rate` no longer holds.
    fn cutoff(&self, rate: Rate, now_ms: i64) -> i64 {
        match (&self.day, rate.unit) {
            (Reset::Midnight(zone), Unit::Day) => midnight_before(zone, now_ms) - 1,
            _ => now_ms - rate.unit.millis(),
        }
    }

    /// When so many mails have left the window that one more fits.
    fn free_at(&self, rate: Rate, used: &Used, over: usize, now_ms: i64) -> i64 {
        if let (Reset::Midnight(zone), Unit::Day) = (&self.day, rate.unit) {
            return midnight_after(zone, now_ms);
        }
        let first_held = used
            .ended
            .partition_point(|ended| *ended <= self.cutoff(rate, now_ms));
        // Mails under way end at some unknown time: they are taken to end now, and asked about again then.
        let leaves = used.ended.get(first_held + over - 1).copied().unwrap_or(now_ms);
        leaves + rate.unit.millis()
    }
}

fn midnight_before(zone: &TimeZone, now_ms: i64) -> i64 {
    at(now_ms)
        .to_zoned(zone.clone())
        .start_of_day()
        .map_or(now_ms, |day| day.timestamp().as_millisecond())
}

fn midnight_after(zone: &TimeZone, now_ms: i64) -> i64 {
    let tomorrow = at(now_ms).to_zoned(zone.clone()).checked_add(1.day());
    let midnight = tomorrow.and_then(|day| day.start_of_day());
    midnight.map_or(now_ms + Unit::Day.millis(), |day| {
        day.timestamp().as_millisecond()
    })
}

fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap_or_default()
}

impl Shown for Rate {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn quota(rates: &[&str], zone: Option<&str>) -> Quota {
        let rates = rates.iter().map(|rate| rate.parse().unwrap()).collect();
        Quota {
            rates,
            day: zone.unwrap_or("rolling").parse().unwrap(),
        }
    }

    fn ms(text: &str) -> i64 {
        text.parse::<Timestamp>().unwrap().as_millisecond()
    }

    #[test]
    fn rates_are_read_as_people_write_them() {
        for (text, limit, unit) in [
            ("20/min", 20, Unit::Minute),
            ("1,000/hour", 1000, Unit::Hour),
            ("1_000/h", 1000, Unit::Hour),
            ("2000/day", 2000, Unit::Day),
            ("5 / s", 5, Unit::Second),
        ] {
            let rate: Rate = text.parse().unwrap();
            assert_eq!((rate.limit.get(), rate.unit), (limit, unit), "{text}");
        }
        for text in ["20", "0/min", "x/min", "20/week", "-1/day", ""] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_calendar_day_ends_at_midnight_of_its_zone() {
        let quota = quota(&["2/day"], Some("Asia/Shanghai"));
        let evening = ms("2026-11-23T15:59:59Z");
        let used = Used {
            open: 0,
            ended: VecDeque::from([evening - 10, evening - 5]),
        };
        assert_eq!(
            quota.spent(&used, evening).unwrap().until_ms,
            ms("2026-11-23T16:00:00Z")
        );
        assert_eq!(quota.spent(&used, ms("2026-11-23T16:00:00Z")), None);
    }

    #[test]
    fn a_mail_under_way_at_midnight_counts_for_both_days() {
        let quota = quota(&["1/day"], Some("Asia/Shanghai"));
        let used = Used {
            open: 1,
            ended: VecDeque::new(),
        };
        assert!(quota.spent(&used, ms("2026-11-23T16:00:01Z")).is_some());
    }

    #[test]
    fn the_rate_that_opens_last_decides() {
        let quota = quota(&["1/s", "2/min"], None);
        let used = Used {
            open: 0,
            ended: VecDeque::from([1_000, 1_500]),
        };
        let spent = quota.spent(&used, 1_600).unwrap();
        assert_eq!((spent.rate.unit, spent.until_ms), (Unit::Minute, 61_000));
    }

    proptest! {
        /// Sends whenever the quota says so, each mail on its way for a while, and looks at every window after.
        #[test]
        fn no_window_ever_holds_one_mail_too_many(
            limit in 1u32..8, minute in any::<bool>(),
            steps in prop::collection::vec((0i64..30_000, 0i64..5_000, 0u8..=100), 1..60),
        ) {
            let unit = if minute { "min" } else { "s" };
            let quota = quota(&[&format!("{limit}/{unit}")], None);
            let length = if minute { 60_000 } else { 1_000 };
            let (mut now, mut used, mut accepted) = (0i64, Used::default(), Vec::new());
            for (pause, on_the_way, when) in steps {
                now += pause;
                if let Some(spent) = quota.spent(&used, now) {
                    prop_assert!(spent.until_ms > now);
                    now = spent.until_ms;
                }
                if quota.spent(&used, now).is_some() { continue; }
                used.open += 1;
                // The provider takes it somewhere between begin and end.
                accepted.push(now + on_the_way * i64::from(when) / 100);
                now += on_the_way;
                used.end(now);
                used.forget(&quota, now);
            }
            accepted.sort_unstable();
            for (i, first) in accepted.iter().enumerate() {
                let held = accepted[i..].iter().filter(|at| **at < first + length).count();
                prop_assert!(held <= limit as usize, "{held} in {length} ms from {first}");
            }
        }
    }
}
