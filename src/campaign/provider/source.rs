//! Where a value was found, and how far to trust it.

use serde::{Deserialize, Serialize, Serializer};

use crate::words::Both;

/// Who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SourceKind {
    /// The provider's own documents.
    Official,
    /// Maintained open-source code, and dialogues that were recorded.
    OpenSource,
    /// A reseller, a guide, one voice.
    Single,
    /// What people in the trade know; not checked against a document.
    Knowledge,
    /// A starting value of our own.
    Ours,
    /// Whoever wrote mailshot.toml.
    User,
}

/// How far to trust a value: it follows from who says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Confidence {
    /// The provider's own document.
    A,
    /// Maintained open-source code, or a recorded dialogue.
    B,
    /// One voice.
    C,
    /// Known in the trade, not checked.
    K,
    /// Nobody has to be believed: it is a choice.
    #[serde(rename = "choice")]
    Choice,
}

impl SourceKind {
    /// How far to trust what it says.
    pub fn confidence(self) -> Confidence {
        match self {
            Self::Official => Confidence::A,
            Self::OpenSource => Confidence::B,
            Self::Single => Confidence::C,
            Self::Knowledge => Confidence::K,
            Self::Ours | Self::User => Confidence::Choice,
        }
    }
}

impl Confidence {
    /// Its letter, or a sign.
    pub fn letter(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::B => "B",
            Self::C => "C",
            Self::K => "K",
            Self::Choice => "·",
        }
    }
}

/// Where values were found.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// What it is; in JSON, as all data, in English.
    #[serde(serialize_with = "in_english")]
    pub title: Both,
    /// Where it stands, if it stands anywhere.
    pub url: Option<String>,
    /// Who says so.
    pub kind: SourceKind,
    /// When it was looked at, or what it is dated: `2026-11-23`.
    pub date: String,
}

impl Source {
    /// mailshot.toml itself.
    pub(super) fn user() -> Self {
        Self {
            title: "mailshot.toml".to_owned().into(),
            url: None,
            kind: SourceKind::User,
            date: String::new(),
        }
    }
}

fn in_english<S: Serializer>(both: &Both, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&both.en)
}
