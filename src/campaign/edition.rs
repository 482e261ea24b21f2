//! What a language or a variant of a campaign has of its own.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::PathBuf;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use toml::Spanned;

use super::Campaign;
use super::file::File;
use super::problem::{Problem, Problems};
use super::raw::RawCampaign;
use super::{Lang, Workspace};
use crate::mail::Address;
use crate::text;
use crate::words::Text;

/// What is its own; the rest is the campaign's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edition {
    /// The subject's template.
    pub subject: Option<String>,
    /// The preheader's template.
    pub preheader: Option<String>,
    /// The HTML template.
    pub html: Option<PathBuf>,
    /// The text template.
    pub text: Option<PathBuf>,
    /// The language of the footer.
    pub lang: Option<Lang>,
}

/// One of several variants, between which recipients are divided by lot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variant {
    /// Its name in reports.
    pub name: String,
    /// Its share, beside those of the others; 1 or more.
    pub weight: u32,
    /// What is its own.
    pub edition: Edition,
    /// What is its own in some of the languages.
    pub languages: Vec<Language>,
}

/// Something in another language: the campaign, or a variant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Language {
    /// The language as the list names it: `zh`, `pt-br`; lower case.
    pub code: String,
    /// What is its own.
    pub edition: Edition,
}

/// `[[variant]]`, `[language.zh]` and `[variant.language.zh]` as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEdition {
    name: Option<Spanned<String>>,
    weight: Option<Spanned<i64>>,
    #[serde(default)]
    language: BTreeMap<Spanned<String>, RawEdition>,
    subject: Option<Spanned<String>>,
    preheader: Option<Spanned<String>>,
    html: Option<Spanned<PathBuf>>,
    text: Option<Spanned<PathBuf>>,
    lang: Option<Spanned<String>>,
}

impl Campaign {
    /// Draws variants.
    pub fn lots(&self) -> Lots {
        let weights: Vec<u32> = self.variants.iter().map(|variant| variant.weight).collect();
        Lots {
            seed: self.name.clone(),
            weights: if weights.is_empty() { vec![1] } else { weights },
        }
    }

    /// The templates of all subjects.
    pub(super) fn subjects(&self) -> impl Iterator<Item = &str> {
        let variants = self.variants.iter().map(|variant| &variant.edition);
        let languages = self.languages.iter().map(|language| &language.edition);
        let own = variants
            .chain(languages)
            .filter_map(|edition| edition.subject.as_deref());
        std::iter::once(self.subject.as_str()).chain(own)
    }
}

/// Draws the variant of each recipient: by campaign and address, so that it is the same for every try.
#[derive(Clone, Debug)]
pub struct Lots {
    seed: String,
    /// The variants' shares; one when there are no variants.
    weights: Vec<u32>,
}

impl Lots {
    /// How many there are to draw from.
    pub fn count(&self) -> usize {
        self.weights.len()
    }

    /// The number of the variant that goes to this address; 0 is the first.
    pub fn draw(&self, address: &Address) -> usize {
        if self.weights.len() == 1 {
            return 0;
        }
        let mut digest = Sha256::new();
        digest.update(self.seed.as_bytes());
        digest.update(b"\0variant\0");
        digest.update(address.key().as_bytes());
        let [a, b, c, d, ..]: [u8; 32] = digest.finalize().into();
        let total: u128 = self.weights.iter().map(|weight| u128::from(*weight)).sum();
        // Spread evenly over the weights.
        let mut lot = (u128::from(u32::from_be_bytes([a, b, c, d])) * total) >> 32;
        let is_mine = |weight: &u32| {
            let is_here = lot < u128::from(*weight);
            lot = lot.saturating_sub(u128::from(*weight));
            is_here
        };
        self.weights.iter().position(is_mine).unwrap_or(0)
    }
}

impl Edition {
    /// What is its own, in words: two editions that say the same make the same mails.
    fn said(&self) -> String {
        let path = |path: &Option<PathBuf>| path.as_ref().map(|path| path.display().to_string());
        let parts = [
            ("subject", self.subject.clone()),
            ("preheader", self.preheader.clone()),
            ("html", path(&self.html)),
            ("text", path(&self.text)),
            ("lang", self.lang.map(|lang| lang.code().to_owned())),
        ];
        let parts = parts.into_iter();
        let said = parts.filter_map(|(name, value)| value.map(|value| format!("{name} {value}")));
        said.collect::<Vec<_>>().join(", ")
    }
}

impl Campaign {
    /// What the variants and languages have of their own, by their names in the campaign.
    pub(super) fn editions_said(&self) -> impl Iterator<Item = (String, String)> {
        let variants = self.variants.iter().map(|variant| {
            let said = format!("{} (weight {})", variant.edition.said(), variant.weight);
            (format!("variant {}", variant.name), said)
        });
        let both = self.variants.iter().flat_map(|variant| {
            let name = |one: &Language| format!("variant {} in {}", variant.name, one.code);
            variant
                .languages
                .iter()
                .map(move |one| (name(one), one.edition.said()))
        });
        let languages = self.languages.iter();
        let languages = languages.map(|one| (format!("language {}", one.code), one.edition.said()));
        variants.chain(both).chain(languages)
    }

    /// The campaign in a language and a variant. What is written for both comes first, then what is written for the
    /// language: nobody who reads Chinese is meant to get the English subject of a variant.
    #[must_use]
    pub fn edition(&self, language: Option<&Language>, variant: Option<&Variant>) -> Self {
        let code = language.map(|language| language.code.as_str());
        let both = variant.and_then(|variant| {
            variant
                .languages
                .iter()
                .find(|one| Some(one.code.as_str()) == code)
        });
        let editions = [
            variant.map(|variant| &variant.edition),
            language.map(|language| &language.edition),
            both.map(|both| &both.edition),
        ];
        let mut own = editions.into_iter().flatten().fold(self.clone(), Self::with);
        own.html_lang = code.map(str::to_owned);
        own
    }

    /// The campaign as this edition has it.
    fn with(self, edition: &Edition) -> Self {
        let mut own = self;
        if let Some(subject) = &edition.subject {
            own.subject.clone_from(subject);
        }
        if edition.preheader.is_some() {
            own.preheader.clone_from(&edition.preheader);
        }
        if let Some(html) = &edition.html {
            own.html.clone_from(html);
            // The other text would not be the text of this HTML.
            own.text = None;
        }
        if let Some(text) = &edition.text {
            if own.is_plain() {
                own.html.clone_from(text);
            }
            own.text = Some(text.clone());
        }
        own.lang = edition.lang.unwrap_or(own.lang);
        own
    }
}

/// What an edition can have of its own, and people see.
const KEYS: [&str; 4] = ["subject", "preheader", "html", "text"];

impl RawEdition {
    /// Its subjects, in its own languages too.
    pub(super) fn subjects(&self) -> Vec<&Spanned<String>> {
        let languages = self
            .language
            .values()
            .filter_map(|language| language.subject.as_ref());
        self.subject.iter().chain(languages).collect()
    }

    fn span(&self, key: &str) -> Option<Range<usize>> {
        match key {
            "subject" => self.subject.as_ref().map(Spanned::span),
            "preheader" => self.preheader.as_ref().map(Spanned::span),
            "html" => self.html.as_ref().map(Spanned::span),
            _ => self.text.as_ref().map(Spanned::span),
        }
    }

    fn check(&self, file: &File<'_, RawCampaign>, workspace: &Workspace, problems: &mut Problems) -> Edition {
        let path = |path: &Spanned<PathBuf>| workspace.root.join(path.get_ref());
        for named in [self.html.as_ref(), self.text.as_ref()] {
            file.check_readable(named, &workspace.root, problems);
        }
        if let Some(subject) = self
            .subject
            .as_ref()
            .filter(|subject| subject.get_ref().trim().is_empty())
        {
            problems.push(file.problem(subject, text!("the subject is empty")));
        }
        Edition {
            subject: self.subject.as_ref().map(|subject| subject.get_ref().clone()),
            preheader: self
                .preheader
                .as_ref()
                .map(|preheader| preheader.get_ref().clone()),
            html: self.html.as_ref().map(path),
            text: self.text.as_ref().map(path),
            lang: file.parse(self.lang.as_ref(), problems, footer_language),
        }
    }
}

/// The language of a footer, of which there is one in each language that we speak.
pub(super) fn footer_language(text: &str) -> Result<Lang, Text> {
    text.parse().map_err(|_not_ours: Text| {
        text!(
            "no footer in the language `{text}`; there are \"en\" and \"zh\"",
            text
        )
    })
}

/// What the variants of a campaign share among them at most, each.
const WEIGHT_MAX: u32 = 1_000_000;

/// The variants, in the order of the file.
pub(super) fn variants(
    raw: &[RawEdition],
    file: &File<'_, RawCampaign>,
    workspace: &Workspace,
    problems: &mut Problems,
) -> Vec<Variant> {
    let mut variants: Vec<Variant> = Vec::new();
    for (number, variant) in raw.iter().enumerate() {
        let letter = char::from(b'a' + u8::try_from(number % 26).unwrap_or_default());
        let name = variant
            .name
            .as_ref()
            .map_or_else(|| letter.to_string(), |name| name.get_ref().clone());
        if variants.iter().any(|other| other.name == name) {
            let problem = match &variant.name {
                Some(given) => file.problem(given, text!("two variants are called `{name}`", name)),
                None => file.problem_in_table("[variant]", text!("two variants are called `{name}`", name)),
            };
            problems.push(problem);
        }
        variants.push(Variant {
            name,
            weight: weight(variant, file, problems),
            edition: variant.check(file, workspace, problems),
            languages: languages(&variant.language, file, workspace, problems),
        });
    }
    variants
}

fn weight(variant: &RawEdition, file: &File<'_, RawCampaign>, problems: &mut Problems) -> u32 {
    let Some(given) = &variant.weight else { return 1 };
    let weight = u32::try_from(*given.get_ref()).ok();
    weight
        .filter(|weight| (1..=WEIGHT_MAX).contains(weight))
        .unwrap_or_else(|| {
            let what = text!(
                "the weight of a variant is between 1 and {most}, not {given}",
                most = WEIGHT_MAX,
                given = given.get_ref()
            );
            let hint = text!(
                "weights are shares: with `weight = 3` and `weight = 1`, three of four people get the first"
            );
            problems.push(file.problem(given, what).hint(hint));
            1
        })
}

/// The languages besides the own one.
pub(super) fn languages(
    raw: &BTreeMap<Spanned<String>, RawEdition>,
    file: &File<'_, RawCampaign>,
    workspace: &Workspace,
    problems: &mut Problems,
) -> Vec<Language> {
    let mut languages = Vec::new();
    for (code, language) in raw {
        let spans = [
            language.name.as_ref().map(Spanned::span),
            language.weight.as_ref().map(Spanned::span),
            language.language.keys().next().map(Spanned::span),
        ];
        for given in spans.into_iter().flatten() {
            let what = text!("a language has no name, no weight and no languages: the list chooses it");
            problems.push(file.problem(&Spanned::new(given, ()), what));
        }
        let code = code.get_ref().to_lowercase().replace('_', "-");
        let mut edition = language.check(file, workspace, problems);
        // A footer in this language, where there is one.
        let short = code.split('-').next().unwrap_or_default();
        edition.lang = edition.lang.or_else(|| short.parse().ok());
        languages.push(Language { code, edition });
    }
    languages
}

/// What a campaign's languages and variants mean together.
pub(super) fn together(
    raw: &RawCampaign,
    file: &File<'_, RawCampaign>,
    problems: &mut Problems,
) -> Vec<Problem> {
    let mut warnings = Vec::new();
    for variant in &raw.variant {
        for code in variant
            .language
            .keys()
            .filter(|code| !raw.language.contains_key(*code))
        {
            let what = text!("there is no language `{code}`", code = code.get_ref());
            let hint = text!(
                "write `[language.{code}]` with what is its own",
                code = code.get_ref()
            );
            problems.push(file.problem(code, what).hint(hint));
        }
        for (code, language) in &raw.language {
            let own = variant.language.get(code);
            for key in KEYS {
                let is_written = |raw: &RawEdition| raw.span(key).is_some();
                let Some(span) = variant.span(key).filter(|_| is_written(language)) else {
                    continue;
                };
                if own.is_some_and(is_written) {
                    continue;
                }
                let code = code.get_ref();
                let what = text!(
                    "people who read `{code}` do not get this {key}: `[language.{code}]` has its own",
                    code,
                    key
                );
                let hint = text!(
                    "for a variant in that language write `[variant.language.{code}]` below it",
                    code
                );
                warnings.push(file.problem(&Spanned::new(span, ()), what).hint(hint));
            }
        }
    }
    warnings
}
