//! A campaign in several languages and variants: each is a set of templates of its own, and every recipient gets one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::{AddressOf, Given, Templates};
use crate::campaign::{Campaign, Lang, Lots, Problem, Problems, Variant, closest};
use crate::mail::{Columns, Content, Enclosure, Recipient, SentFile};
use crate::text;
use crate::words::Text;

/// The templates of all languages and variants.
#[derive(Debug)]
pub struct Editions {
    /// By language, then by variant; the first language is the campaign's own.
    all: Vec<Edition>,
    language: Option<LanguageColumn>,
    lots: Lots,
}

#[derive(Debug)]
struct Edition {
    name: String,
    lang: Lang,
    templates: Templates,
}

/// The column by which the language is chosen, and the languages there are besides the campaign's own.
#[derive(Debug)]
struct LanguageColumn {
    column: usize,
    codes: Vec<String>,
    /// The campaign's own.
    own: String,
}

impl Editions {
    /// Compiles all of them. Every fault in all of them is found.
    pub fn compile(campaign: &Campaign, columns: &Columns, workspace_root: &Path) -> Result<Self, Problems> {
        let mut problems = Problems::default();
        let language = language_column(campaign, columns).unwrap_or_else(|problem| {
            problems.push(problem);
            None
        });
        let languages = std::iter::once(None).chain(campaign.languages.iter().map(Some));
        let mut all = Vec::new();
        for language in languages {
            let variants: Vec<Option<&Variant>> = if campaign.variants.is_empty() {
                vec![None]
            } else {
                campaign.variants.iter().map(Some).collect()
            };
            for variant in variants {
                let edition = campaign.edition(language, variant);
                let name = [
                    language.map(|language| language.code.as_str()),
                    variant.map(|variant| variant.name.as_str()),
                ];
                let name = name.into_iter().flatten().collect::<Vec<_>>().join(" ");
                match Templates::compile(&edition, columns, workspace_root) {
                    Ok(templates) => all.push(Edition {
                        name,
                        lang: edition.lang,
                        templates,
                    }),
                    Err(faults) => problems.extend_new(faults),
                }
            }
        }
        problems.or_ok(Self {
            all,
            language,
            lots: campaign.lots(),
        })
    }

    /// Renders the mail for one recipient; see [`Templates::render`].
    pub fn render(&self, recipient: &Recipient, given: &Given<'_>) -> Result<Content, Problem> {
        self.of(recipient)?.templates.render(recipient, given)
    }

    /// Renders the mail for one recipient; see [`Templates::render_to_send`].
    pub fn render_to_send(&self, recipient: &Recipient, given: &Given<'_>) -> Result<Content, Problem> {
        self.of(recipient)?.templates.render_to_send(recipient, given)
    }

    /// Says in one of so many mails what there is to say of its big files.
    pub fn enclose(
        &self,
        content: &mut Content,
        enclosures: &[Enclosure],
        mails: u32,
        recipient: &Recipient,
    ) -> Result<(), Problem> {
        let own = &self.of(recipient)?.templates;
        own.enclose(content, enclosures, mails, recipient.place)
    }

    /// The language and variant that a recipient gets; empty when there is only one edition, or it is the campaign's own.
    pub fn name_for(&self, recipient: &Recipient) -> &str {
        self.of(recipient).map_or("", |edition| edition.name.as_str())
    }

    /// The language that the list names for a recipient, when the campaign does not have it: they get its own.
    pub fn unknown_language<'r>(&self, recipient: &'r Recipient) -> Option<&'r str> {
        self.language.as_ref()?.unknown(recipient)
    }

    /// A problem with the subject of a recipient, where the campaign has it.
    pub fn subject_problem(&self, recipient: &Recipient, what: &Text) -> Problem {
        match self.of(recipient) {
            Ok(edition) => edition.templates.subject_problem(recipient.place, what),
            Err(problem) => problem,
        }
    }

    /// The language of a recipient's footer.
    pub fn lang_for(&self, recipient: &Recipient) -> Lang {
        self.of(recipient).map_or(Lang::default(), |edition| edition.lang)
    }

    /// Is there more than one?
    pub fn are_several(&self) -> bool {
        self.all.len() > 1
    }

    /// What is not wrong with the templates, and yet hurts; see [`Templates::lint`].
    pub fn lint(&self, is_chinese: bool) -> Vec<Problem> {
        let mut found: Vec<Problem> = Vec::new();
        for edition in &self.all {
            for problem in edition.templates.lint(is_chinese) {
                if !found.contains(&problem) {
                    found.push(problem);
                }
            }
        }
        found
    }

    /// Columns that leave a hole in some edition where they are empty.
    pub fn bare_columns(&self) -> BTreeSet<usize> {
        self.all
            .iter()
            .flat_map(|edition| edition.templates.bare_columns())
            .collect()
    }

    /// Columns whose values begin an address in some edition, and where; see [`Templates::address_columns`].
    pub fn address_columns(&self) -> BTreeMap<(usize, AddressOf), Problem> {
        let all = self.all.iter();
        all.flat_map(|edition| edition.templates.address_columns())
            .collect()
    }

    /// Have recipients files of their own, attached or shown?
    pub fn have_own_files(&self) -> bool {
        self.all.iter().any(|edition| edition.templates.have_own_files())
    }

    /// The attachments that all mails share, whatever their edition.
    pub fn shared_files(&self) -> impl Iterator<Item = &SentFile> {
        self.all
            .first()
            .into_iter()
            .flat_map(|edition| edition.templates.shared_files())
    }

    /// The images that mails show and that no row decides, by their paths as the HTML has them.
    pub fn images(&self) -> BTreeSet<&str> {
        let all = self.all.iter();
        all.flat_map(|edition| edition.templates.images()).collect()
    }

    /// All files that went into the templates, with their text: the campaign's digest is made from them.
    pub fn sources(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.all.iter().flat_map(|edition| edition.templates.sources())
    }

    fn of(&self, recipient: &Recipient) -> Result<&Edition, Problem> {
        let language = self
            .language
            .as_ref()
            .map_or(0, |language| language.of(recipient));
        let index = language * self.lots.count() + self.lots.draw(&recipient.address);
        // There is one for each by construction.
        self.all
            .get(index)
            .ok_or_else(|| Problem::with_file(Path::new("mailshot.toml"), text!("no edition")))
    }
}

impl LanguageColumn {
    /// The number of the edition, 0 for the campaign's own.
    fn of(&self, recipient: &Recipient) -> usize {
        let wanted = code(self.cell(recipient));
        let position = |code: &str| self.codes.iter().position(|own| own == code);
        position(&wanted)
            .or_else(|| position(short(&wanted)))
            .map_or(0, |at| at + 1)
    }

    fn cell<'r>(&self, recipient: &'r Recipient) -> &'r str {
        recipient.values.get(self.column).unwrap_or_default().trim()
    }

    /// A language that is written there, and that the campaign does not have.
    fn unknown<'r>(&self, recipient: &'r Recipient) -> Option<&'r str> {
        let cell = self.cell(recipient);
        let is_known = || short(&code(cell)) == self.own || self.of(recipient) > 0;
        (!cell.is_empty() && !is_known()).then_some(cell)
    }
}

/// A language as the list writes it, in the form of the campaign's.
fn code(cell: &str) -> String {
    cell.to_lowercase().replace('_', "-")
}

/// `pt` of `pt-br`.
fn short(code: &str) -> &str {
    code.split('-').next().unwrap_or_default()
}

fn language_column(campaign: &Campaign, columns: &Columns) -> Result<Option<LanguageColumn>, Problem> {
    let Some(said) = &campaign.language_column else {
        return Ok(None);
    };
    let wanted = said.text.trim();
    let exact = columns.headers.iter().position(|header| header == wanted);
    let column = exact.or_else(|| columns.names.iter().position(|name| name == wanted));
    let Some(column) = column else {
        let known: Vec<&str> = columns.names.iter().map(String::as_str).collect();
        let hint = match closest(wanted, &known) {
            Some(known) => text!("did you mean `{known}`?", known),
            None => text!("columns are: {known}", known = known.join(", ")),
        };
        let what = text!(
            "the list has no column `{wanted}`, which `language_column` names",
            wanted
        );
        let problem = Problem {
            what,
            ..said.at.clone()
        };
        return Err(problem.hint(hint));
    };
    Ok(Some(LanguageColumn {
        column,
        own: short(campaign.html_lang()).to_owned(),
        codes: campaign
            .languages
            .iter()
            .map(|language| language.code.clone())
            .collect(),
    }))
}
