//! Puts the content of a mail together from its templates, by programs where there are programs, else by Handlebars.

use std::borrow::Cow;
use std::path::Path;

use handlebars::{Context, JsonValue};

use super::engine::Engine;
use super::program::Program;
use super::source::Source;
use super::table::{CELL_END, align};
use super::tags::{self, Kind, Tag};
use super::value::{Bail, Value};
use super::variables::{Row, Variables};
use super::writer::{Lines, escape_html};
use super::{Flavour, HTML, PREHEADER, SUBJECT, TEXT, Templates, enclosures, footer};
use crate::campaign::Problem;
use crate::mail::Content;
use crate::text;

/// What Handlebars writes for an object.
const OBJECT: &str = "[object]";

/// A template that is rendered by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    Subject,
    Preheader,
    HtmlFooter,
    Html,
    TextFooter,
    Text,
}

impl Part {
    pub(super) const ALL: [Self; 6] = [
        Self::Subject,
        Self::Preheader,
        Self::HtmlFooter,
        Self::Html,
        Self::TextFooter,
        Self::Text,
    ];

    /// Its flavour, and its name among the templates of that flavour.
    pub(super) fn name(self) -> (Flavour, &'static str) {
        match self {
            Self::Subject => (Flavour::Text, SUBJECT),
            Self::Preheader => (Flavour::Text, PREHEADER),
            Self::HtmlFooter => (Flavour::Html, footer::NAME),
            Self::Html => (Flavour::Html, HTML),
            Self::TextFooter => (Flavour::Text, footer::NAME),
            Self::Text => (Flavour::Text, TEXT),
        }
    }
}

/// Renders the parts of one mail.
trait Renderer {
    type Fault;

    fn render(&self, part: Part) -> Result<String, Self::Fault>;
    /// Adds a value that we made to what templates see.
    fn set(&mut self, name: &'static str, value: String);
    /// What to say of an empty subject.
    fn no_subject(&self) -> Self::Fault;

    fn content(&mut self, templates: &Templates) -> Result<Content, Self::Fault> {
        let subject = one_line(&self.render(Part::Subject)?);
        if subject.is_empty() {
            return Err(self.no_subject());
        }
        if templates.has_preheader {
            let preheader = one_line(&self.render(Part::Preheader)?);
            self.set(PREHEADER, hidden_block(&preheader));
        }
        let mark = templates.enclosures.as_ref().map_or("", |_| enclosures::MARK);
        self.set(enclosures::NAME, mark.to_owned());
        let footer = self.render(Part::HtmlFooter)?;
        self.set(footer::NAME, without_end(footer));
        let html = self.render(Part::Html)?;
        let footer = self.render(Part::TextFooter)?;
        self.set(footer::NAME, without_end(footer));
        let mut text = self.render(Part::Text)?;
        // A block left out at the start leaves its blank line.
        let blank = text.len() - text.trim_start_matches(['\r', '\n']).len();
        text.drain(..blank);
        if text.contains(CELL_END) {
            text = align(&text);
        }
        Ok(Content {
            subject,
            text,
            html,
            files: Vec::new(),
        })
    }
}

/// Renders one mail by programs.
pub(super) fn by_programs(
    templates: &Templates,
    programs: &[(Part, Program)],
    row: Row<'_>,
    lines: Lines,
) -> Result<Content, Bail> {
    let mut renderer = ByPrograms {
        programs,
        variables: &templates.variables,
        row,
        lines,
    };
    let mut content = renderer.content(templates)?;
    if lines == Lines::Canonical {
        end_with_one_line_end(&mut content.text);
        end_with_one_line_end(&mut content.html);
    }
    Ok(content)
}

fn end_with_one_line_end(text: &mut String) {
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    text.push_str("\r\n");
}

/// Renders one mail by Handlebars.
pub(super) fn by_handlebars(templates: &Templates, context: Context) -> Result<Content, Box<Problem>> {
    ByHandlebars { templates, context }.content(templates)
}

struct ByPrograms<'t> {
    programs: &'t [(Part, Program)],
    variables: &'t Variables,
    row: Row<'t>,
    lines: Lines,
}

impl Renderer for ByPrograms<'_> {
    type Fault = Bail;

    fn render(&self, part: Part) -> Result<String, Bail> {
        let program = self.programs.iter().find(|(own, _)| *own == part);
        let lines = match part {
            // These become one line, in which a lone CR is a space as any line end is.
            Part::Subject | Part::Preheader => Lines::AsWritten,
            Part::HtmlFooter | Part::Html | Part::TextFooter | Part::Text => self.lines,
        };
        let rendered = program.ok_or(Bail)?.1.run(&self.row, lines)?;
        if rendered.contains(OBJECT) {
            return Err(Bail);
        }
        Ok(rendered)
    }

    fn set(&mut self, name: &'static str, value: String) {
        let number = self.variables.number(name);
        if let Some(variable) = number.and_then(|number| self.row.values.get_mut(number)) {
            *variable = Value::Text(Cow::Owned(value));
        }
    }

    fn no_subject(&self) -> Bail {
        Bail
    }
}

struct ByHandlebars<'t> {
    templates: &'t Templates,
    context: Context,
}

impl Renderer for ByHandlebars<'_> {
    type Fault = Box<Problem>;

    fn render(&self, part: Part) -> Result<String, Box<Problem>> {
        let (flavour, name) = part.name();
        let engine = self.templates.engine(flavour);
        let rendered = engine.render(name, &self.context)?;
        if rendered.contains(OBJECT)
            && !self.is_meant(engine)
            && let Some(problem) = self.object_shown(engine, name)
        {
            return Err(Box::new(problem));
        }
        Ok(rendered)
    }

    fn set(&mut self, name: &'static str, value: String) {
        if let Some(data) = self.context.data_mut().as_object_mut() {
            data.insert(name.to_owned(), JsonValue::String(value));
        }
    }

    fn no_subject(&self) -> Box<Problem> {
        let what = text!("the subject is empty for this recipient");
        let problem = self
            .templates
            .text
            .source(SUBJECT)
            .map(|subject| subject.whole(&what));
        Box::new(problem.unwrap_or_else(|| Problem::with_file(Path::new(SUBJECT), what)))
    }
}

impl ByHandlebars<'_> {
    /// Do these very words stand in a template or in the row?
    fn is_meant(&self, engine: &Engine) -> bool {
        let is_written = engine.sources().any(|source| source.text.contains(OBJECT));
        is_written || self.context.data().to_string().contains(OBJECT)
    }

    /// An object stands in the mail where somebody meant what is in it. Which tag it was, Handlebars does not say: one
    /// that names an element or a column that holds a list or an object, else the template as a whole.
    fn object_shown(&self, engine: &Engine, main: &str) -> Option<Problem> {
        let holds_more = |name: &str| {
            let value = self.context.data().get(name);
            matches!(name, "this" | ".") || value.is_some_and(|value| value.is_array() || value.is_object())
        };
        let tags = engine.sources().flat_map(|source| {
            let found = tags::find(&source.text).into_iter();
            found.map(move |tag| (source, tag))
        });
        let is_it = |(source, tag): &(&Source, Tag)| {
            tag.kind == Kind::Expression && holds_more(tag.inner(&source.text))
        };
        let what = text!("a list or an object stands here, and the mail would say `[object]`");
        let problem = match tags.into_iter().find(is_it) {
            Some((source, tag)) => source.problem(tag.range, what),
            None => engine.source(main)?.whole(what),
        };
        Some(problem.hint(text!(
            "name what is in it, `{{{{this.name}}}}`; `{{{{#each …}}}}` goes through a list"
        )))
    }
}

fn without_end(mut footer: String) -> String {
    footer.truncate(footer.trim_end().len());
    footer
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
    line.truncate(line.trim_end().len());
    let blank = line.len() - line.trim_start().len();
    line.drain(..blank);
    line
}

/// Characters that mailboxes show beside the subject, at most: what the preheader leaves of them is filled with what
/// nobody sees, or else the mail's first words would follow it.
const BESIDE_SUBJECT: usize = 130;
/// A combining grapheme joiner, a zero width non-joiner and a no-break space: mailboxes fold none of them.
const PADDING: &str = "\u{34f}\u{200c}\u{a0}";

/// The preheader as mailboxes read it and people do not see it in the opened mail.
fn hidden_block(preheader: &str) -> String {
    let hide = "display:none;max-height:0;overflow:hidden;mso-hide:all";
    let padding = PADDING.repeat(BESIDE_SUBJECT.saturating_sub(preheader.chars().count()));
    format!("<div style=\"{hide}\">{}{padding}</div>", escape_html(preheader))
}
