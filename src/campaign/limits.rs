//! How much may come back before nobody is mailed any more: `[feedback]` of `mailshot.toml`.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use crate::text;
use crate::words::{Say as _, Shown, Text};

/// A share of mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Share {
    /// In 100,000.
    parts: u32,
}

/// What [`Share`] counts in: 0.001 % is one part.
const PER_CENT: u32 = 1_000;
const WHOLE: u64 = 100_000;

impl Share {
    /// So many parts in 100,000.
    pub const fn parts(parts: u32) -> Self {
        Self { parts }
    }

    /// Are these so many of all that it is more than this share?
    pub fn is_exceeded(self, found: u64, all: u64) -> bool {
        found.saturating_mul(WHOLE) > all.saturating_mul(u64::from(self.parts))
    }
}

impl FromStr for Share {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || text!("`{text}` is not a share; write it like \"0.3%\"", text).said();
        let number = text.trim().strip_suffix('%').ok_or_else(wrong)?.trim_end();
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || part.len() > 3 || !digits(whole) || !digits(part) {
            return Err(wrong());
        }
        let part: u32 = format!("{part:0<3}").parse().map_err(|_too_long| wrong())?;
        let whole: u32 = whole.parse().map_err(|_too_long| wrong())?;
        if whole >= 100 {
            return Err(wrong());
        }
        Ok(Self {
            parts: whole * PER_CENT + part,
        })
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = format!("{:03}", self.parts % PER_CENT);
        match part.trim_end_matches('0') {
            "" => write!(f, "{}%", self.parts / PER_CENT),
            part => write!(f, "{}.{part}%", self.parts / PER_CENT),
        }
    }
}

impl Shown for Share {}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(|fault: Text| serde::de::Error::custom(fault))
    }
}

/// When enough is enough. Source: the rules of Gmail and Yahoo for bulk senders, who want fewer than 0.1 % of complaints
/// and act at 0.3 %.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Mails that came back softly, after which an address is mailed no more; 0 for never.
    pub soft_limit: u32,
    /// Within so many days; or so many mails in a row, however long that took.
    pub soft_days: u32,
    /// Share of complaints over which a campaign is held.
    pub complaint_limit: Share,
    /// Share of hard bounces over which a campaign is held.
    pub bounce_limit: Share,
}

impl Limits {
    /// Share of complaints that is worth a warning.
    pub const COMPLAINTS_NOTED: Share = Share::parts(100);
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            soft_limit: 3,
            soft_days: 30,
            complaint_limit: Share::parts(300),
            bounce_limit: Share::parts(5_000),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_is_read_as_it_is_written() {
        for text in ["0.3%", "5%", "0.001%", "12.5%", "0%"] {
            assert_eq!(text.parse::<Share>().unwrap().to_string(), text);
        }
        for text in ["", "0.3", "%", "-1%", "0.0001%", "100%", "1.2.3%", "x%", ".3%"] {
            assert!(text.parse::<Share>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_share_is_exceeded_by_more_than_it() {
        let share: Share = "0.3%".parse().unwrap();
        assert!(!share.is_exceeded(3, 1_000));
        assert!(share.is_exceeded(4, 1_000));
        assert!(share.is_exceeded(1, 0));
        assert!(!share.is_exceeded(0, 0));
    }
}
