//! Sizes as users write them.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use crate::text;
use crate::words::{Shown, Text};

/// A number of octets: `"15MB"`, `"500KB"`, `1000000`. Source of the units: providers mean powers of 1,024.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Octets(pub u64);

impl FromStr for Octets {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || text!("`{text}` is not a size; write it like \"15MB\"", text);
        let trimmed = text.trim();
        let digits = trimmed.len() - trimmed.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = trimmed.split_at_checked(digits).ok_or_else(wrong)?;
        let number: u64 = number.parse().map_err(|_not_a_number| wrong())?;
        let factor = match unit.trim().to_ascii_uppercase().as_str() {
            "" | "B" => 1,
            "K" | "KB" | "KIB" => 1_024,
            "M" | "MB" | "MIB" => 1_024 * 1_024,
            "G" | "GB" | "GIB" => 1_024 * 1_024 * 1_024,
            _ => return Err(wrong()),
        };
        number.checked_mul(factor).map(Self).ok_or_else(wrong)
    }
}

impl<'de> Deserialize<'de> for Octets {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Octets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 1_024 * 1_024 {
            return write!(f, "{} KB", self.0.div_ceil(1_024));
        }
        let tenths = self.0 * 10 / (1_024 * 1_024);
        write!(f, "{}.{} MB", tenths / 10, tenths % 10)
    }
}

impl Shown for Octets {}
