//! One rule: when it fits, and what it says.

use std::borrow::Cow;
use std::str::FromStr;

use regex::{Regex, RegexBuilder};
use serde::{Deserialize, Deserializer};

use super::Circumstances;
use crate::mail::{Class, Enhanced, Reply, Retry, Scope, Stage};
use crate::text;
use crate::words::{Both, Text};

/// A rule as `rules.toml` and `[[rule]]` of `mailshot.toml` have it. What it does not name may be anything.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What the reply is.
    pub class: Class,
    #[serde(default)]
    stage: Vec<At>,
    #[serde(default)]
    provider: Vec<String>,
    #[serde(default)]
    destination: Vec<String>,
    #[serde(default)]
    code: Vec<Code>,
    #[serde(default)]
    enhanced: Vec<EnhancedPattern>,
    text: Option<Pattern>,
    unless: Option<Pattern>,
    /// Whose failure it is, where that differs from its class.
    pub scope: Option<Scope>,
    /// Whether trying again helps, where that differs from its class.
    pub retry: Option<Retry>,
    /// Is the person never to be mailed again, where that differs from its class?
    pub suppress: Option<bool>,
    /// What to do, where that differs from its class.
    pub advice: Option<Both>,
    /// Who says so.
    #[serde(default)]
    pub source: Both,
}

/// What is asked first decides first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Provider,
    Destination,
    Text,
    Enhanced,
    Code,
}

impl Rule {
    /// When it is asked.
    pub(super) fn rank(&self) -> Rank {
        if !self.provider.is_empty() {
            Rank::Provider
        } else if !self.destination.is_empty() {
            Rank::Destination
        } else if self.text.is_some() {
            Rank::Text
        } else if !self.enhanced.is_empty() {
            Rank::Enhanced
        } else {
            Rank::Code
        }
    }

    /// Is it for accounts of this provider?
    pub(super) fn is_for(&self, provider: &str) -> bool {
        self.provider.iter().any(|name| name == provider)
    }

    /// Does it speak of this reply, whose text is `text` for reading?
    pub(super) fn fits(
        &self,
        reply: &Reply,
        text: &str,
        circumstances: Circumstances<'_>,
        family: Option<&str>,
    ) -> bool {
        let is_stage = match circumstances.stage {
            _ if self.stage.is_empty() => true,
            Some(stage) => self.stage.iter().any(|at| at.covers(stage)),
            // A text says much by itself, but not that a login or a sender was refused; a code alone says little.
            None => {
                let is_about_mail = self.stage.iter().any(|at| at.0 >= Stage::Rcpt);
                is_about_mail && (self.text.is_some() || self.stage.contains(&At(Stage::Rcpt)))
            }
        };
        let known = circumstances.provider;
        let is_provider = self.provider.is_empty() || known.iter().any(|name| self.provider.contains(name));
        let is_destination =
            self.destination.is_empty() || self.destination.iter().any(|name| Some(name.as_str()) == family);
        is_stage
            && is_provider
            && is_destination
            && (self.code.is_empty() || self.code.iter().any(|code| code.covers(reply.code)))
            && (self.enhanced.is_empty() || reply.enhanced.is_some_and(|code| self.covers(code)))
            && self.text.as_ref().is_none_or(|pattern| pattern.0.is_match(text))
            && !self
                .unless
                .as_ref()
                .is_some_and(|pattern| pattern.0.is_match(text))
    }

    fn covers(&self, code: Enhanced) -> bool {
        self.enhanced.iter().any(|pattern| pattern.covers(code))
    }
}

/// A reply's text as rules read it: without addresses, since the words in them say nothing about the failure.
pub(super) fn readable(text: &str) -> Cow<'_, str> {
    if !text.contains('@') {
        return Cow::Borrowed(text);
    }
    let words = text
        .split(' ')
        .map(|word| if word.contains('@') { "…" } else { word });
    Cow::Owned(words.collect::<Vec<_>>().join(" "))
}

/// A stage in a rule; `data` is the end of data too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct At(Stage);

impl At {
    fn covers(self, stage: Stage) -> bool {
        self.0 == stage || (self.0 == Stage::Data && stage == Stage::EndOfData)
    }
}

/// A basic code, or all that begin with a digit: `4xx`.
#[derive(Clone, Copy, Debug)]
enum Code {
    One(u16),
    AllOf(u16),
}

impl Code {
    fn covers(self, code: u16) -> bool {
        match self {
            Self::One(one) => one == code,
            // A report without any code is one of a failure for good.
            Self::AllOf(hundreds) => code / 100 == hundreds || (code == 0 && hundreds == 5),
        }
    }
}

impl FromStr for Code {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || text!("`{text}` is not a code; write it like \"550\" or \"4xx\"", text);
        let number: u16 = text
            .trim_end_matches('x')
            .parse()
            .map_err(|_not_a_number| wrong())?;
        match text.len() {
            3 if text.ends_with("xx") && number < 10 => Ok(Self::AllOf(number)),
            3 if number >= 100 => Ok(Self::One(number)),
            _ => Err(wrong()),
        }
    }
}

/// An enhanced code, where `x` is any number.
#[derive(Clone, Copy, Debug)]
struct EnhancedPattern([Option<u16>; 3]);

impl EnhancedPattern {
    fn covers(self, code: Enhanced) -> bool {
        let parts = [u16::from(code.class), code.subject, code.detail];
        let mut both = self.0.iter().zip(parts);
        both.all(|(asked, part)| asked.is_none_or(|asked| asked == part))
    }
}

impl FromStr for EnhancedPattern {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || {
            text!(
                "`{text}` is not an enhanced code; write it like \"5.7.1\" or \"x.2.2\"",
                text
            )
        };
        let mut parts = [None; 3];
        let mut written = text.split('.');
        for part in &mut parts {
            let digits = written.next().ok_or_else(wrong)?;
            if digits != "x" {
                *part = Some(digits.parse().map_err(|_not_a_number| wrong())?);
            }
        }
        written.next().map_or(Ok(Self(parts)), |_more| Err(wrong()))
    }
}

impl FromStr for At {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// A regular expression, in any case.
#[derive(Clone, Debug)]
struct Pattern(Regex);

impl FromStr for Pattern {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let built = RegexBuilder::new(text).case_insensitive(true).build();
        built.map(Self).map_err(|error| {
            let why = error.to_string();
            text!(
                "this is no regular expression: {why}",
                why = why.lines().last().unwrap_or_default()
            )
        })
    }
}

macro_rules! from_text {
    ($($name:ty),*) => {$(
        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                String::deserialize(deserializer)?
                    .parse()
                    .map_err(serde::de::Error::custom)
            }
        }
    )*};
}

from_text!(At, Code, EnhancedPattern, Pattern);
