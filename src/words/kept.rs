//! English that came as a string: from the record, through the TOML parser, out of a template or a library, as the
//! context of an error. Where it is one of the sentences that may come so (`zh/kept.toml`, `zh/library.toml`, numbers with
//! their nouns), with its gaps filled, it can be said in another language all the same. Errors of ours are a `Text`, and
//! need none of this.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::{COUNTED, KEPT, LIBRARY, Lang, fill, gaps_and_words};

/// With fewer letters around its gaps, a sentence is recognised only where numbers fill them.
const LETTERS_MIN: usize = 8;
/// Gaps hold sentences that hold sentences, so deep.
const DEPTH_MAX: usize = 8;

/// A sentence with gaps: the words around them.
struct Pattern {
    /// One more than there are gaps.
    words: Vec<String>,
    gaps: Vec<String>,
    /// Are there so few words that they may stand there by chance?
    is_short: bool,
    /// Is it a number with its noun?
    is_count: bool,
    chinese: &'static str,
}

impl Pattern {
    fn new(english: &str, chinese: &'static str) -> Option<Self> {
        let (words, gaps) = gaps_and_words(english);
        let letters = |text: &String| text.chars().filter(|c| c.is_alphabetic()).count();
        let begin = words.first().map(letters).unwrap_or_default();
        let all: usize = words.iter().map(letters).sum();
        (all > 2 && !gaps.is_empty()).then_some(Self {
            is_count: COUNTS.contains_key(english),
            is_short: begin < LETTERS_MIN / 2 && all < LETTERS_MIN,
            words,
            gaps,
            chinese,
        })
    }

    /// How many characters of it must be there word for word: of two that fit, the longer one is meant.
    fn weight(&self) -> usize {
        self.words.iter().map(String::len).sum()
    }

    /// What stands in the gaps, if the text is this sentence.
    fn fits<'t>(&self, text: &'t str) -> Option<Vec<&'t str>> {
        let (first, rest) = self.words.split_first()?;
        let (last, between) = rest.split_last()?;
        let mut text = text.strip_prefix(first.as_str())?;
        let mut found = Vec::with_capacity(self.gaps.len());
        for words in between {
            let (gap, after) = text.split_once(words.as_str())?;
            found.push(gap);
            text = after;
        }
        found.push(text.strip_suffix(last.as_str())?);
        let mut both = self.gaps.iter().zip(&found);
        if !both.all(|(name, gap)| may_fill(name, gap)) {
            return None;
        }
        let is_number = |gap: &&str| !gap.is_empty() && gap.chars().all(|c| c.is_ascii_digit() || c == ',');
        (!self.is_short || found.iter().all(is_number)).then_some(found)
    }
}

/// `write {path}` is not what begins `write a number and …`: a path may have blanks, but then it has folders or an ending.
fn may_fill(name: &str, gap: &str) -> bool {
    let is_path = ["path", "folder", "from", "to"].contains(&name);
    !gap.is_empty() && (!is_path || !gap.contains(' ') || gap.contains(['/', '.']) && !gap.contains(", "))
}

/// Numbers with their nouns.
static COUNTS: LazyLock<HashMap<String, String>> =
    LazyLock::new(|| toml::from_str(COUNTED).unwrap_or_default());

/// The sentences that may come as strings; of no others is it tried whether they fit.
static RECOGNISED: LazyLock<HashMap<String, String>> = LazyLock::new(|| {
    let read = |file: &str| toml::from_str::<HashMap<String, String>>(file).unwrap_or_default();
    [KEPT, LIBRARY, COUNTED].into_iter().flat_map(read).collect()
});

/// Those with gaps, the longest first.
static PATTERNS: LazyLock<Vec<Pattern>> = LazyLock::new(|| {
    let mut all: Vec<Pattern> = RECOGNISED
        .iter()
        .filter_map(|(english, chinese)| Pattern::new(english, chinese))
        .collect();
    all.sort_by_key(|pattern| std::cmp::Reverse(pattern.weight()));
    all
});

/// The text in this language, where it is a sentence we know; else as it is.
pub(super) fn said(english: &str, lang: Lang) -> String {
    match lang {
        Lang::En => english.to_owned(),
        Lang::Zh => in_chinese(english, DEPTH_MAX).unwrap_or_else(|| english.to_owned()),
    }
}

fn in_chinese(english: &str, depth: usize) -> Option<String> {
    if let Some(chinese) = RECOGNISED.get(english) {
        return Some(fill(chinese, Lang::Zh, |_| None));
    }
    if depth == 0 {
        return None;
    }
    // What a server said stays as it said it: `550 no such user` is no sentence of ours, and `550 mails` is a number.
    let is_reply = english.len() > 3 && english.bytes().take(3).all(|byte| byte.is_ascii_digit());
    let fitting = |pattern: &'static Pattern| {
        let may_be = !is_reply || pattern.is_count;
        Some((pattern, pattern.fits(english).filter(|_| may_be)?))
    };
    let Some((pattern, found)) = PATTERNS.iter().find_map(fitting) else {
        return (!is_reply).then(|| parts_in_chinese(english, depth - 1))?;
    };
    Some(fill(pattern.chinese, Lang::Zh, |name| {
        let at = pattern.gaps.iter().position(|gap| gap == name)?;
        let found = *found.get(at)?;
        // A word alone is a name.
        let inner = found.contains(' ').then(|| in_chinese(found, depth - 1));
        Some(inner.flatten().unwrap_or_else(|| found.to_owned()))
    }))
}

/// Several sentences one after another, as far as they are known.
fn parts_in_chinese(english: &str, depth: usize) -> Option<String> {
    let parts: Vec<&str> = english.split("; ").collect();
    let said: Vec<Option<String>> = parts.iter().map(|part| in_chinese(part, depth)).collect();
    let is_known = parts.len() > 1 && said.iter().any(Option::is_some);
    is_known.then(|| {
        let both = parts.iter().zip(said);
        let all: Vec<String> = both
            .map(|(part, said)| said.unwrap_or_else(|| (*part).to_owned()))
            .collect();
        all.join("；")
    })
}
