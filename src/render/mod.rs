//! Step 2, what: templates and a recipient become the content of a mail.
//!
//! Templates are Handlebars in strict mode, compiled once per campaign and shared by all threads. What is in the data
//! is never read as a template; in HTML it is escaped; in the subject it cannot begin a new header line.

mod engine;
mod footer;
mod foreign;
mod found;
mod helpers;
mod html;
mod known;
mod loader;
mod names;
mod plain;
mod source;
mod syntax;
mod tags;
mod text_part;
mod tokens;
mod variables;

use std::path::Path;

use handlebars::{Context, JsonValue};

use crate::campaign::{Campaign, Problem, Problems};
use crate::mail::{Columns, Content, Place, Recipient};
use engine::Engine;
use found::Found;
use known::Known;
use loader::Loader;

use source::Source;
use variables::Variables;

const HTML: &str = "@html";
const TEXT: &str = "@text";
const SUBJECT: &str = "@subject";
const PREHEADER: &str = "@preheader";
/// Where the preheader goes into the HTML. Already escaped; the name in brackets cannot be a column's.
const PREHEADER_TAG: &str = "{{{[@preheader]}}}";

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
    has_preheader: bool,
    /// The list, as users call it.
    list: String,
    sources: Vec<Source>,
}

impl Templates {
    /// Reads and compiles the templates. Every fault in all of them is found, names that the list does not have
    /// included. Footers come from `templates/footer/` in the workspace, else from the program.
    pub fn compile(campaign: &Campaign, columns: &Columns, workspace_root: &Path) -> Result<Self, Problems> {
        let list = source::file_name(&campaign.recipients);
        let known = Known::new(columns, list.clone());
        let mut html = Loader::new(&known, &campaign.html, Flavour::Html);
        html.footer(footer::read(workspace_root, campaign.lang, Flavour::Html));
        html.main(HTML, Source::read(&campaign.html));
        html.check(None);

        let text_path = campaign.text.as_deref().unwrap_or(&campaign.html);
        let mut text = Loader::new(&known, text_path, Flavour::Text);
        text.footer(footer::read(workspace_root, campaign.lang, Flavour::Text));
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
        if campaign.text.is_some() {
            text.main(TEXT, Source::read(text_path));
            text.check(None);
        } else {
            text.derived_main(TEXT, &html, HTML);
            text.check(Some(&html));
        }
        html.complete(HTML, campaign.preheader.as_ref().map(|_| PREHEADER_TAG));
        text.complete(TEXT, None);

        let mut sources: Vec<Source> = html.sources().chain(text.sources()).cloned().collect();
        sources.sort_by(|a, b| a.path.cmp(&b.path));
        sources.dedup_by(|a, b| a.path == b.path);
        let mut used = Found::default();
        used.borrow_uses(&html.found);
        used.borrow_uses(&text.found);
        let (html, text) = match (html.finish(), text.finish()) {
            (Ok(html), Ok(text)) => (html, text),
            (html, text) => return Err(all_problems(html.err(), text.err())),
        };
        let variables = Variables::new(columns, &used.headers, used.structured);
        Ok(Self {
            html,
            text,
            variables,
            has_preheader: campaign.preheader.is_some(),
            list,
            sources,
        })
    }

    /// Renders the mail for one recipient. The problem, if any, is in a template, and its hint names the row.
    pub fn render(&self, recipient: &Recipient, given: &Given<'_>) -> Result<Content, Problem> {
        self.content(recipient, given)
            .map_err(|problem| self.for_row(*problem, recipient.place))
    }

    /// All files that went into the templates, with their text: the campaign's digest is made from them.
    pub fn sources(&self) -> impl Iterator<Item = (&Path, &str)> {
        self.sources
            .iter()
            .map(|source| (source.path.as_path(), source.text.as_str()))
    }

    fn content(&self, recipient: &Recipient, given: &Given<'_>) -> Result<Content, Box<Problem>> {
        let mut context = self.variables.context(recipient, given)?;
        let subject = one_line(&self.text.render(SUBJECT, &context)?);
        if subject.is_empty() {
            let what = "the subject is empty for this recipient";
            let whole = |source: &Source| source.problem(0..source.text.len(), what);
            let problem = self.text.source(SUBJECT).map(whole);
            return Err(Box::new(
                problem.unwrap_or_else(|| Problem::with_file(Path::new(SUBJECT), what)),
            ));
        }
        if self.has_preheader {
            let preheader = hidden_block(&one_line(&self.text.render(PREHEADER, &context)?));
            set(&mut context, PREHEADER, preheader);
        }
        let footer = self.html.render(footer::NAME, &context)?;
        set(&mut context, footer::NAME, footer.trim_end().to_owned());
        let html = self.html.render(HTML, &context)?;
        let footer = self.text.render(footer::NAME, &context)?;
        set(&mut context, footer::NAME, footer.trim_end().to_owned());
        let text = self.text.render(TEXT, &context)?;
        // A block left out at the start leaves its blank line.
        let text = text.trim_start_matches(['\r', '\n']).to_owned();
        Ok(Content { subject, text, html })
    }

    fn for_row(&self, problem: Problem, place: Place) -> Problem {
        let row = format!("this is for line {} of {}", place.line, self.list);
        let hint = match &problem.hint {
            Some(hint) => format!("{row}; {hint}"),
            None => row,
        };
        problem.hint(hint)
    }
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

/// Adds a value that we made to what templates see.
fn set(context: &mut Context, name: &str, value: String) {
    if let Some(data) = context.data_mut().as_object_mut() {
        data.insert(name.to_owned(), JsonValue::String(value));
    }
}

/// A header is one line. White space of any kind becomes one space, other control characters go: data must not be
/// able to begin a new header. Source: RFC 5322, 2.2.
fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_whitespace() && (c.is_control() || matches!(c, ' ' | '\u{2028}' | '\u{2029}')) {
            if !line.ends_with(' ') {
                line.push(' ');
            }
        } else if !c.is_control() {
            line.push(c);
        }
    }
    line.trim().to_owned()
}

/// The preheader as mailboxes read it and people do not see it in the opened mail.
fn hidden_block(preheader: &str) -> String {
    let hide = "display:none;max-height:0;overflow:hidden;mso-hide:all";
    format!("<div style=\"{hide}\">{}</div>", escape_html(preheader))
}

/// Text as it stands in HTML, also between quotes of either kind: what would be markup is written as references.
pub fn escape_html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + text.len() / 8);
    let mut rest = text;
    while let Some(at) = rest.find(['&', '<', '>', '"', '\'']) {
        let (before, special) = rest.split_at(at);
        escaped.push_str(before);
        let mut after = special.chars();
        escaped.push_str(match after.next() {
            Some('&') => "&amp;",
            Some('<') => "&lt;",
            Some('>') => "&gt;",
            Some('"') => "&quot;",
            _ => "&#39;",
        });
        rest = after.as_str();
    }
    escaped.push_str(rest);
    escaped
}

#[cfg(test)]
mod tests;
