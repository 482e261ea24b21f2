//! What stands in files of data in every language.

use serde::{Deserialize, Serialize};

use super::{Lang, Text};

/// The same in every language there is, as files of data have it: `{ en = "…", zh = "…" }`, or one text for all. With
/// `from = "…"` it names who says so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written")]
pub struct Both {
    /// In English.
    pub en: String,
    /// In simplified Chinese.
    pub zh: String,
    /// The name of its source, where it has one of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
}

impl Both {
    /// The text in this language.
    pub fn in_lang(&self, lang: Lang) -> &str {
        match lang {
            Lang::En => &self.en,
            Lang::Zh => &self.zh,
        }
    }
}

/// How it may be written.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Same(String),
    Each {
        en: String,
        zh: String,
        from: Option<String>,
    },
}

impl From<String> for Both {
    fn from(text: String) -> Self {
        Self {
            en: text.clone(),
            zh: text,
            from: None,
        }
    }
}

impl From<Written> for Both {
    fn from(written: Written) -> Self {
        match written {
            Written::Same(text) => text.into(),
            Written::Each { en, zh, from } => Self { en, zh, from },
        }
    }
}

impl From<&Both> for Text {
    fn from(both: &Both) -> Self {
        Self::Both(Box::new(both.clone()))
    }
}
