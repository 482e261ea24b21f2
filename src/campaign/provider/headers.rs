//! Special headers of providers, as data: where the tags of a campaign go, its stream, and what is followed.

use std::fmt;
use std::str::FromStr;

use serde::Deserialize;

use crate::text;
use crate::words::Text;

/// The headers that a provider reads from our mails.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderRules {
    /// Where tags go.
    pub tags: Option<TagRule>,
    /// The header that names the stream, or the configuration set.
    pub stream: Option<HeaderName>,
    /// How opens and links are followed, or not.
    pub track: Option<Track>,
}

/// The name of a header of a provider's own: it begins with `X-`, so that it never is one of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeaderName(String);

impl FromStr for HeaderName {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_plain = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        let begins = text
            .get(..2)
            .is_some_and(|start| start.eq_ignore_ascii_case("x-"));
        if is_plain && begins && text.len() > 2 {
            Ok(Self(text.to_owned()))
        } else {
            Err(text!(
                "`{text}` is no header of a provider's own; such names begin with `X-`",
                text
            ))
        }
    }
}

impl<'de> Deserialize<'de> for HeaderName {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl HeaderName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Where tags go, and what they may be.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TagRule {
    /// The header's name.
    pub header: HeaderName,
    /// How the tags are written there.
    pub form: Sort,
    /// So many tags at most.
    pub most: usize,
    /// Characters of a tag at most.
    pub length: usize,
    /// Which characters a tag may have.
    #[serde(default)]
    pub characters: Characters,
}

/// How tags are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Sort {
    /// A header for each.
    Each,
    /// `tag=a, tag2=b`: Amazon.
    Pairs,
    /// `{"category":["a","b"]}`, as `SendGrid` has it.
    Category,
    /// Base64 of `{"OpenTrace":"0","LinkTrace":"0","TagName":"a"}`: DirectMail.
    Alidm,
}

/// Which characters a tag may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Characters {
    /// Those of ASCII that can be seen, and spaces inside.
    #[default]
    Ascii,
    /// Letters, digits, `_` and `-`.
    Word,
}

/// Whose way to say what is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Track {
    /// Within the same header as the tag.
    Alidm,
    /// Filters in X-SMTPAPI.
    Sendgrid,
    /// X-Mailgun-Track-Opens and X-Mailgun-Track-Clicks.
    Mailgun,
    /// X-PM-TrackOpens and X-PM-TrackLinks.
    Postmark,
}

impl TagRule {
    /// What is wrong with a tag, for this provider.
    pub fn fault(&self, tag: &str) -> Option<Text> {
        if let Some(fault) = plain_fault(tag) {
            return Some(fault);
        }
        let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        if self.characters == Characters::Word && !tag.chars().all(is_word) {
            return Some(text!(
                "the tag `{tag}` may have letters, digits, `_` and `-` here",
                tag
            ));
        }
        (tag.len() > self.length)
            .then(|| text!("a tag has {most} characters at most here", most = self.length))
    }
}

/// Characters of any provider's tags at most.
const LENGTH_MAX: usize = 128;

/// What no provider takes in a tag.
pub fn plain_fault(tag: &str) -> Option<Text> {
    if tag.is_empty() || tag.trim() != tag {
        return Some(text!("a tag is a word, without spaces around it"));
    }
    if !tag.chars().all(|c| c == ' ' || c.is_ascii_graphic()) {
        return Some(text!("the tag `{tag}` has characters outside ASCII", tag));
    }
    (tag.len() > LENGTH_MAX).then(|| text!("a tag has {most} characters at most", most = LENGTH_MAX))
}
