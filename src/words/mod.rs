//! What is said to people, in the languages they read. A [`Text`] is English with named gaps, and what fills them; the
//! words of other languages stand in `zh/*.toml`, found by the English ones. It becomes a string only where it is
//! shown: nothing here knows who reads it.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt;
use std::str::FromStr;
use std::sync::LazyLock;

use serde::{Deserialize, Serialize, Serializer};

use crate::text;

mod both;
mod gap;
mod kept;
mod trouble;

pub use both::Both;
pub use gap::{Gap, Say, Shown};
pub use trouble::{ended, trouble};

/// A language that texts exist in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Lang {
    /// English.
    #[default]
    En,
    /// Simplified Chinese.
    Zh,
}

impl Lang {
    /// The language's code, as in `templates/footer/en.txt.hbs`.
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Zh => "zh",
        }
    }

    /// The language of a locale such as `zh-CN` or `en_GB.UTF-8`; English for those we do not speak.
    pub fn of_locale(locale: &str) -> Self {
        let language = locale.split(['-', '_', '.', '@']).next().unwrap_or_default();
        if language.eq_ignore_ascii_case("zh") {
            Self::Zh
        } else {
            Self::En
        }
    }
}

impl FromStr for Lang {
    type Err = Text;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "en" => Ok(Self::En),
            "zh" | "zh-CN" | "zh-Hans" => Ok(Self::Zh),
            _ => Err(text!(
                "`{text}` is no language of mailshot; there are \"en\" and \"zh\"",
                text
            )),
        }
    }
}

/// Something to say, which can be said in every language there is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Text {
    /// The same in every language: names, numbers, what a server said.
    Plain(String),
    /// English that came as a string; said in other languages where it is a sentence we know. Made by [`Text::kept`].
    Kept(String),
    /// A sentence. Made by [`text!`](crate::text).
    Said {
        /// The English sentence, with `{name}` for each gap; `{{` and `}}` stand for braces.
        english: Cow<'static, str>,
        /// What fills the gaps, by their names.
        gaps: Vec<(Cow<'static, str>, Text)>,
    },
    /// What stands in a file of data in every language.
    Both(Box<Both>),
}

impl Text {
    /// The text in this language; in English where nobody has said it otherwise.
    pub fn in_lang(&self, lang: Lang) -> String {
        match self {
            Self::Plain(text) => text.clone(),
            Self::Kept(english) => kept::said(english, lang),
            Self::Both(both) => both.in_lang(lang).to_owned(),
            Self::Said { english, gaps } => {
                let template = translated(english, lang).unwrap_or(english);
                fill(template, lang, |name| {
                    let found = gaps.iter().find(|(known, _)| known == name);
                    found.map(|(_, text)| text.in_lang(lang))
                })
            }
        }
    }

    /// Is there nothing to say?
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Plain(text) | Self::Kept(text) => text.is_empty(),
            Self::Said { english, .. } => english.is_empty(),
            Self::Both(both) => both.en.is_empty(),
        }
    }

    /// English that came as a string: from the record, by way of an error, out of a parser or a library.
    pub fn kept(english: impl fmt::Display) -> Self {
        Self::Kept(format!("{english}"))
    }

    /// As a record keeps it: in every language there is.
    pub fn on_record(&self) -> String {
        let [en, zh] = [Lang::En, Lang::Zh].map(|lang| self.in_lang(lang));
        serde_json::to_string(&Both { en, zh, from: None }).unwrap_or_else(|_never| self.to_string())
    }

    /// What a record has. Old records have English alone.
    pub fn recalled(record: &str) -> Self {
        match serde_json::from_str::<Both>(record) {
            Ok(both) => Self::Both(Box::new(both)),
            Err(_english) => Self::kept(record),
        }
    }

    /// An error and what led to it, as `{:#}` shows them.
    pub fn error(error: &anyhow::Error) -> Self {
        let causes = error.chain().map(Self::cause);
        let said = causes.reduce(|before, after| text!("{before}: {after}", before, after));
        said.unwrap_or_default()
    }

    /// One link in the chain of an error.
    fn cause(error: &(dyn std::error::Error + 'static)) -> Self {
        error
            .downcast_ref::<Self>()
            .map_or_else(|| Self::kept(error), Self::clone)
    }

    /// Several, one after another.
    pub fn joined(parts: impl IntoIterator<Item = Self>, between: &'static str) -> Self {
        let mut all: Option<Self> = None;
        for part in parts {
            all = Some(match all {
                None => part,
                Some(before) => Self::Said {
                    english: Cow::Owned(format!("{{before}}{between}{{after}}")),
                    gaps: vec![("before".into(), before), ("after".into(), part)],
                },
            });
        }
        all.unwrap_or_default()
    }
}

/// Says something that can be said in every language: `text!("{mails} sent", mails = count)`. The names in the text and
/// those given must be the same; a name alone stands for `name = name`. What can fill a gap is a [`Gap`].
#[macro_export]
macro_rules! text {
    (@gap $name:ident) => { {
        use $crate::words::Gap as _;
        $name.gap()
    } };
    (@gap $name:ident = $value:expr) => {{
        use $crate::words::Gap as _;
        ($value).gap()
    }};
    ($english:literal $(, $name:ident $(= $value:expr)?)* $(,)?) => {
        $crate::words::Text::Said {
            english: {
                // Never called: the compiler holds the names in the text against those that are given.
                const _: fn() -> String = || format!($english $(, $name = "")*);
                std::borrow::Cow::Borrowed($english)
            },
            gaps: vec![$((
                std::borrow::Cow::Borrowed(stringify!($name)),
                $crate::text!(@gap $name $(= $value)?),
            )),*],
        }
    };
}

impl Default for Text {
    fn default() -> Self {
        Self::Plain(String::new())
    }
}

/// In English, as records and programs have it.
impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.in_lang(Lang::En))
    }
}

/// What parsers say is wrong with a text.
impl std::error::Error for Text {}

/// Compared with what it says in English.
impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        self.in_lang(Lang::En) == other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        self == *other
    }
}

impl PartialEq<String> for Text {
    fn eq(&self, other: &String) -> bool {
        self == other.as_str()
    }
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl From<&str> for Text {
    fn from(text: &str) -> Self {
        Self::Plain(text.to_owned())
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::Plain(text)
    }
}

impl From<&String> for Text {
    fn from(text: &String) -> Self {
        Self::Plain(text.clone())
    }
}

impl From<Cow<'_, str>> for Text {
    fn from(text: Cow<'_, str>) -> Self {
        Self::Plain(text.into_owned())
    }
}

impl From<&Self> for Text {
    fn from(text: &Self) -> Self {
        text.clone()
    }
}

/// Numbers with their nouns.
const COUNTED: &str = include_str!("zh/counted.toml");
/// English that comes as strings, and is recognised.
const KEPT: &str = include_str!("zh/kept.toml");
/// The same of the operating system and of libraries.
const LIBRARY: &str = include_str!("zh/library.toml");
/// The files of each language: English sentences with the same in it.
const ZH: [&str; 24] = [
    include_str!("zh/account.toml"),
    include_str!("zh/check.toml"),
    include_str!("zh/cli.toml"),
    include_str!("zh/client.toml"),
    COUNTED,
    include_str!("zh/doctor.toml"),
    include_str!("zh/dkim.toml"),
    include_str!("zh/explain.toml"),
    include_str!("zh/feedback.toml"),
    include_str!("zh/mailbox.toml"),
    KEPT,
    LIBRARY,
    include_str!("zh/lists.toml"),
    include_str!("zh/providers.toml"),
    include_str!("zh/report.toml"),
    include_str!("zh/secret.toml"),
    include_str!("zh/send.toml"),
    include_str!("zh/settings.toml"),
    include_str!("zh/status.toml"),
    include_str!("zh/system.toml"),
    include_str!("zh/templates.toml"),
    include_str!("zh/usage.toml"),
    include_str!("zh/verify.toml"),
    include_str!("zh/web.toml"),
];

/// All sentences that Chinese has.
static CHINESE: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let read = |file: &str| toml::from_str::<HashMap<String, String>>(file).unwrap_or_default();
    ZH.into_iter().flat_map(read).collect()
});

/// A sentence in another language, where somebody has said it.
pub fn translated(english: &str, lang: Lang) -> Option<&'static str> {
    match lang {
        Lang::En => None,
        Lang::Zh => CHINESE.get(english).map(String::as_str),
    }
}

/// The words of a sentence around its gaps, one more than there are gaps, and the names of those.
fn gaps_and_words(template: &str) -> (Vec<String>, Vec<String>) {
    let gaps = std::cell::RefCell::new(Vec::new());
    let marked = fill(template, Lang::En, |name| {
        gaps.borrow_mut().push(name.to_owned());
        Some('\0'.to_string())
    });
    let words = marked.split('\0').map(str::to_owned).collect();
    (words, gaps.into_inner())
}

/// Fills the gaps of a sentence. A gap that nobody fills is shown as it is written.
fn fill(template: &str, lang: Lang, with: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(template.len() + 16);
    let mut rest = template;
    // Whether what stands at the end was filled in.
    let mut is_filled = false;
    while let Some((before, after)) = rest.split_once(['{', '}']) {
        if is_filled && !before.is_empty() {
            push(&mut out, before, lang);
            is_filled = false;
        } else {
            out.push_str(before);
        }
        let is_opening = rest.as_bytes().get(before.len()) == Some(&b'{');
        rest = if let Some(after) = after.strip_prefix(if is_opening { '{' } else { '}' }) {
            out.push(if is_opening { '{' } else { '}' });
            after
        } else if let Some((name, after)) = after.split_once('}').filter(|_| is_opening) {
            match with(name) {
                Some(text) if !text.is_empty() => {
                    push(&mut out, &text, lang);
                    is_filled = true;
                }
                Some(_) => {}
                None => out.extend(["{", name, "}"]),
            }
            after
        } else {
            after
        };
    }
    if is_filled {
        push(&mut out, rest, lang);
    } else {
        out.push_str(rest);
    }
    out
}

/// Adds what stands on the other side of a gap's end. In Chinese a blank parts letters and digits from Chinese characters,
/// but none parts those from one another; and nobody knows beforehand what fills a gap.
fn push(out: &mut String, mut next: &str, lang: Lang) {
    let is_chinese = |text: Option<char>| matches!(text, Some('\u{3400}'..='\u{9fff}'));
    let is_latin = |text: Option<char>| text.is_some_and(|c| c.is_ascii_alphanumeric());
    let (last, first) = (out.chars().next_back(), next.chars().next());
    if lang == Lang::En {
        // Words have their blanks.
    } else if is_chinese(last) && is_latin(first) || is_latin(last) && is_chinese(first) {
        out.push(' ');
    } else if is_chinese(first) && last == Some(' ') && is_chinese(out.chars().nth_back(1)) {
        out.pop();
    } else if is_chinese(last) && first == Some(' ') && is_chinese(next.chars().nth(1)) {
        next = next.trim_start();
    }
    out.push_str(next);
}

#[cfg(test)]
mod tests;
