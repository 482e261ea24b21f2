//! What a language or a variant of a campaign has of its own.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;
use toml::Spanned;

use super::file::File;
use super::problem::Problems;
use super::workspace::{self, Lang, Workspace};
use super::{Campaign, RawCampaign};

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
}

/// The campaign in another language.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Language {
    /// The language as the list names it: `zh`, `pt-br`; lower case.
    pub code: String,
    /// What is its own.
    pub edition: Edition,
}

/// `[[variant]]` and `[language.zh]` as written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEdition {
    name: Option<Spanned<String>>,
    weight: Option<Spanned<u32>>,
    subject: Option<Spanned<String>>,
    preheader: Option<String>,
    html: Option<Spanned<PathBuf>>,
    text: Option<Spanned<PathBuf>>,
    lang: Option<Spanned<String>>,
}

impl Campaign {
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
        let languages = self.languages.iter();
        let languages = languages.map(|one| (format!("language {}", one.code), one.edition.said()));
        variants.chain(languages)
    }

    /// The campaign as this edition has it.
    #[must_use]
    pub fn with(&self, edition: &Edition) -> Self {
        let mut own = self.clone();
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
        if edition.text.is_some() {
            own.text.clone_from(&edition.text);
        }
        own.lang = edition.lang.unwrap_or(own.lang);
        own
    }
}

impl RawEdition {
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
            problems.push(file.problem(subject, "the subject is empty"));
        }
        Edition {
            subject: self.subject.as_ref().map(|subject| subject.get_ref().clone()),
            preheader: self.preheader.clone(),
            html: self.html.as_ref().map(path),
            text: self.text.as_ref().map(path),
            lang: workspace::parse_or_report(self.lang.as_ref(), file, problems, str::parse),
        }
    }
}

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
                Some(given) => file.problem(given, format!("two variants are called `{name}`")),
                None => file.problem_in_table("[variant]", format!("two variants are called `{name}`")),
            };
            problems.push(problem);
        }
        let weight = variant.weight.as_ref().map_or(1, |weight| *weight.get_ref());
        if let Some(given) = variant.weight.as_ref().filter(|_| weight == 0) {
            problems.push(
                file.problem(given, "a variant of weight 0 goes to nobody")
                    .hint("take it out"),
            );
        }
        variants.push(Variant {
            name,
            weight,
            edition: variant.check(file, workspace, problems),
        });
    }
    variants
}

/// The languages besides the campaign's own.
pub(super) fn languages(
    raw: &BTreeMap<String, RawEdition>,
    file: &File<'_, RawCampaign>,
    workspace: &Workspace,
    problems: &mut Problems,
) -> Vec<Language> {
    let mut languages = Vec::new();
    for (code, language) in raw {
        for given in [
            language.name.as_ref().map(Spanned::span),
            language.weight.as_ref().map(Spanned::span),
        ]
        .into_iter()
        .flatten()
        {
            let what = "a language has no name and no weight: the list chooses it";
            problems.push(file.problem(&Spanned::new(given, ()), what));
        }
        let code = code.to_lowercase().replace('_', "-");
        let mut edition = language.check(file, workspace, problems);
        // A footer in this language, where there is one.
        let short = code.split('-').next().unwrap_or_default();
        edition.lang = edition.lang.or_else(|| short.parse().ok());
        languages.push(Language { code, edition });
    }
    languages
}
