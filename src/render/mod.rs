//! Step 2, what: templates and a recipient become the content of a mail.
//!
//! Templates are Handlebars in strict mode, compiled once per campaign and shared by all threads. What is in the data
//! is never read as a template; in HTML it is escaped; in the subject it cannot begin a new header line. Mails are
//! rendered by programs made from the templates; Handlebars itself renders what no program can, and explains errors.

mod builtin;
mod content;
mod css;
mod editions;
mod enclosures;
mod engine;
mod files;
mod footer;
mod foreign;
mod found;
mod from_text;
mod helpers;
mod html;
mod images;
mod known;
mod language;
mod lint;
mod loader;
mod mjml;
mod names;
mod placed;
mod plain;
mod program;
mod protect;
mod reduce;
mod source;
mod structure;
mod style;
mod syntax;
mod table;
mod tags;
mod text_part;
mod tokens;
mod value;
mod variables;
mod visible;
mod writer;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::campaign::{Campaign, Problem, Problems};
use crate::mail::token::hex;
use crate::mail::{Columns, Content, Enclosure, Place, Recipient, SentFile};
use crate::text;
use crate::words::Text;
use builtin::Builtin;
use content::Part;
use enclosures::Enclosures;
use engine::Engine;
use files::Files;
use found::Found;
use known::Known;
use loader::Loader;
use program::Program;
use source::Source;
use variables::Variables;
use writer::Lines;

pub use editions::Editions;
pub use lint::AddressOf;
pub use writer::escape_html;

/// The Content-ID of an image: the same for every mail that shows it.
fn content_id(path: &str) -> String {
    let digest: [u8; 32] = Sha256::digest(path.as_bytes()).into();
    format!("{}@mailshot", hex(digest.get(..12).unwrap_or_default()))
}

const HTML: &str = "@html";
const TEXT: &str = "@text";
const SUBJECT: &str = "@subject";
const PREHEADER: &str = "@preheader";
/// Where the preheader goes into the HTML. Already escaped; the name in brackets cannot be a column's.
const PREHEADER_TAG: &str = "{{{[@preheader]}}}";
/// Values that we make for each mail, besides those that are given.
const MADE: [&str; 3] = [PREHEADER, footer::NAME, enclosures::NAME];

/// Is a template for HTML, or for text, subject and preheader?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flavour {
    Html,
    Text,
}

impl Flavour {
    fn extension(self) -> &'static str {
        match self {
            Self::Html => "html",
            Self::Text => "txt",
        }
    }
}

/// What templates can use besides the columns of the list.
#[derive(Clone, Copy, Debug)]
pub struct Given<'a> {
    /// Where the recipient can leave.
    pub unsubscribe_url: &'a str,
    /// The sender's postal address.
    pub postal_address: &'a str,
    /// The campaign's name.
    pub campaign: &'a str,
    /// The day of sending, as in 2026-11-23.
    pub date: &'a str,
}

/// The templates of a campaign, compiled.
#[derive(Debug)]
pub struct Templates {
    html: Engine,
    text: Engine,
    variables: Variables,
    /// The faster way to render; none, when a template needs Handlebars.
    programs: Option<Vec<(Part, Program)>>,
    /// Are the styles of every mail written into its elements by itself?
    styles_each: bool,
    files: Files,
    enclosures: Option<Enclosures>,
    has_preheader: bool,
    /// Is the HTML made from the text?
    is_plain: bool,
    list: PathBuf,
    sources: Vec<Source>,
    /// The HTML template's file.
    html_name: String,
}

impl Templates {
    /// Reads and compiles the templates. Every fault in all of them is found, names that the list does not have
    /// included. Footers come from `templates/footer/` in the workspace, else from the program.
    pub fn compile(campaign: &Campaign, columns: &Columns, workspace_root: &Path) -> Result<Self, Problems> {
        let known = Known::new(columns, source::file_name(&campaign.recipients));
        let footer = |flavour| builtin::read(workspace_root, Builtin::Footer, campaign.lang, flavour);
        let mut html = Loader::new(&known, &campaign.html, Flavour::Html);
        html.is_from_text = campaign.is_plain();
        html.footer(footer(Flavour::Html));
        html.main(HTML, Source::read(&campaign.html));
        html.check(None);
        html.check_images(workspace_root);

        let mut text = text_templates(campaign, &known, &html, footer(Flavour::Text));
        html.say_language(HTML, campaign.html_lang());
        html.complete(HTML, campaign.preheader.as_ref().map(|_| PREHEADER_TAG));
        text.complete(TEXT, None);
        let enclosures = (campaign.has_links() || campaign.has_volumes())
            .then(|| Enclosures::read(workspace_root, campaign.lang))
            .transpose()?;
        if enclosures.is_some() {
            html.enclose(HTML);
            text.enclose(TEXT);
        }
        let files = Files::new(campaign, &html, HTML);
        let styles_each = campaign.inline_css && !html.style(HTML);
        html.check_visible(HTML);

        let said = enclosures.iter().flat_map(Enclosures::sources);
        let sources = each_once(html.sources().chain(text.sources()).chain(said));
        let mut used = Found::default();
        used.borrow_uses(&html.found);
        used.borrow_uses(&text.found);
        let (html, text) = match (html.finish(), text.finish()) {
            (Ok(html), Ok(text)) => (html, text),
            (html, text) => return Err(all_problems(html.err(), text.err())),
        };
        let variables = Variables::new(columns, &used.headers, used.structured);
        let mut templates = Self {
            html,
            text,
            variables,
            programs: None,
            styles_each,
            files,
            enclosures,
            has_preheader: campaign.preheader.is_some(),
            list: campaign.recipients.clone(),
            sources,
            is_plain: campaign.is_plain(),
            html_name: campaign.html.display().to_string(),
        };
        templates.programs = templates.programs();
        Ok(templates)
    }

    /// Renders the mail for one recipient. The problem, if any, is in a template, and names the row.
    pub fn render(&self, recipient: &Recipient, given: &Given<'_>) -> Result<Content, Problem> {
        self.rendered(recipient, given, Lines::AsWritten)
    }

    /// The same with lines that end with CRLF, wherever that costs nothing: composing sees to the rest.
    pub fn render_to_send(&self, recipient: &Recipient, given: &Given<'_>) -> Result<Content, Problem> {
        self.rendered(recipient, given, Lines::Canonical)
    }

    /// What is not wrong with the templates, and yet hurts.
    pub fn lint(&self, is_chinese: bool) -> Vec<Problem> {
        let rules = lint::Rules { is_chinese };
        let subject = self.text.source(SUBJECT);
        let mut found: Vec<Problem> = subject.map(|one| lint::subject(one, rules)).unwrap_or_default();
        if !self.is_plain {
            found.extend(self.html.sources().flat_map(|source| lint::html(source, rules)));
        }
        let is_subject = |source: &&Source| subject.is_some_and(|subject| std::ptr::eq(subject, *source));
        let texts = self.text.sources().filter(|source| !is_subject(source));
        found.extend(texts.flat_map(|source| lint::plain(source, rules)));
        found
    }

    /// Columns whose values stand in the mail as they are: an empty cell leaves a hole there.
    pub fn bare_columns(&self) -> BTreeSet<usize> {
        let sources = self.html.sources().chain(self.text.sources());
        let names = sources.flat_map(lint::bare_variables);
        names.filter_map(|name| self.variables.column(&name)).collect()
    }

    /// Columns whose values begin an address, of what, and where the template has them so.
    pub fn address_columns(&self) -> BTreeMap<(usize, AddressOf), Problem> {
        let found = self.html.sources().flat_map(lint::address_variables);
        let columns = found.filter_map(|(name, what, at)| Some(((self.variables.column(&name)?, what), at)));
        columns.collect()
    }

    /// All files that went into the templates, with their text: the campaign's digest is made from them.
    pub fn sources(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.sources
            .iter()
            .map(|source| (source.path.as_path(), source.text.as_str()))
    }

    /// Have recipients files of their own?
    pub fn have_own_files(&self) -> bool {
        self.files.are_own()
    }

    /// The attachments that all mails share.
    pub fn shared_files(&self) -> impl Iterator<Item = &SentFile> {
        self.files.shared()
    }

    /// The images that all mails show, by their paths as the HTML has them.
    pub fn images(&self) -> impl Iterator<Item = &str> {
        self.files.images()
    }

    fn rendered(&self, recipient: &Recipient, given: &Given<'_>, lines: Lines) -> Result<Content, Problem> {
        let mut content = self.unstyled(recipient, given, lines)?;
        if self.styles_each {
            content.html = style::each(&content.html).map_err(|error| {
                let what = text!(
                    "the styles of this mail cannot be written into its elements: {error}",
                    error = error.to_string()
                );
                let problem = Problem::at(Path::new(&self.html_name), 1, 1, what);
                self.for_row(
                    problem.hint(text!("set `inline_css = false` to leave them in `<style>`")),
                    recipient.place,
                )
            })?;
        }
        content.files = self.files.show(&mut content.html, content_id);
        let row = self
            .files
            .need_context()
            .then(|| self.variables.context(recipient, given))
            .transpose();
        let attached = row.and_then(|row| self.files.attached(&self.text, row.as_ref()));
        content
            .files
            .extend(attached.map_err(|problem| self.for_row(*problem, recipient.place))?);
        Ok(content)
    }

    /// Says in one of so many mails what there is to say of its big files.
    pub fn enclose(
        &self,
        content: &mut Content,
        enclosures: &[Enclosure],
        mails: u32,
        place: Place,
    ) -> Result<(), Problem> {
        let Some(own) = &self.enclosures else {
            return Ok(());
        };
        own.say(content, enclosures, mails)
            .map_err(|problem| self.for_row(*problem, place))
    }

    fn unstyled(&self, recipient: &Recipient, given: &Given<'_>, lines: Lines) -> Result<Content, Problem> {
        if let Some(programs) = &self.programs
            && let Ok(row) = self.variables.row(recipient, given)
            && let Ok(content) = content::by_programs(self, programs, row, lines)
        {
            return Ok(content);
        }
        // What is an error, Handlebars explains.
        self.variables
            .context(recipient, given)
            .and_then(|context| content::by_handlebars(self, context))
            .map_err(|problem| self.for_row(*problem, recipient.place))
    }

    fn engine(&self, flavour: Flavour) -> &Engine {
        match flavour {
            Flavour::Html => &self.html,
            Flavour::Text => &self.text,
        }
    }

    /// The programs of all parts; none, when one of them must stay with Handlebars.
    fn programs(&self) -> Option<Vec<(Part, Program)>> {
        let parts = Part::ALL
            .into_iter()
            .filter(|part| *part != Part::Preheader || self.has_preheader);
        let programs = parts.map(|part| {
            let (flavour, name) = part.name();
            let program = self.engine(flavour).program(name, &self.variables).ok()?;
            Some((part, program))
        });
        programs.collect()
    }

    /// A problem with the subject of one recipient, where the campaign has it.
    pub fn subject_problem(&self, place: Place, what: &Text) -> Problem {
        let problem = self.text.source(SUBJECT).map(|subject| subject.whole(what));
        let problem = problem.unwrap_or_else(|| Problem::at(Path::new(&self.html_name), 1, 1, what));
        self.for_row(problem, place)
    }

    fn for_row(&self, problem: Problem, place: Place) -> Problem {
        problem.seen_with(&self.list, place.line)
    }
}

/// Every file once.
fn each_once<'s>(sources: impl Iterator<Item = &'s Source>) -> Vec<Source> {
    let by_path: BTreeMap<&Path, &Source> = sources.map(|source| (source.path.as_path(), source)).collect();
    by_path.into_values().cloned().collect()
}

/// Subject, preheader, names of attachments, and the text part: the user's own, else made from the HTML.
fn text_templates<'k>(
    campaign: &Campaign,
    known: &'k Known,
    html: &Loader<'k>,
    footer: Result<Source, Problem>,
) -> Loader<'k> {
    let text_path = campaign.text.as_deref().unwrap_or(&campaign.html);
    let mut text = Loader::new(known, text_path, Flavour::Text);
    text.footer(footer);
    text.main(
        SUBJECT,
        Ok(Source::value(&campaign.file, "subject", &campaign.subject)),
    );
    if let Some(preheader) = &campaign.preheader {
        text.main(
            PREHEADER,
            Ok(Source::value(&campaign.file, "preheader", preheader)),
        );
    }
    for (name, value) in files::templates(campaign) {
        text.main(name, Ok(Source::value(&campaign.file, "attachment", value)));
    }
    if campaign.text.is_some() {
        text.main(TEXT, Source::read(text_path));
        text.check(None);
    } else {
        text.derived_main(TEXT, html, HTML);
        text.check(Some(html));
    }
    text
}

fn all_problems(html: Option<Vec<Problem>>, text: Option<Vec<Problem>>) -> Problems {
    let mut problems = Problems::default();
    for problem in html.into_iter().chain(text).flatten() {
        // A partial that is used by both flavours has its faults once.
        if !problems.kept.contains(&problem) {
            problems.push(problem);
        }
    }
    problems
}

#[cfg(test)]
mod tests;
