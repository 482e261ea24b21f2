//! Reads one flavour of templates, HTML or text, with their partials; checks them; puts footer and preheader in.
//!
//! It is as long as it is because each file is read, checked and prepared in one walk.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Component, Path, PathBuf};

use handlebars::Template;

use super::engine::{Engine, Prepared};
use super::found::{Found, Parsed};
use super::known::Known;
use super::source::{Source, file_name};
use super::style::{self, Styling};
use super::{
    Flavour, enclosures, footer, foreign, from_text, images, language, mjml, names, placed, syntax, tags,
    text_part, visible,
};
use crate::campaign::{Problem, closest};
use crate::text;
use crate::words::Text;

/// Reads templates and the partials they call, and collects what is wrong with them.
pub(super) struct Loader<'a> {
    known: &'a Known,
    /// Where partials are looked for.
    folder: PathBuf,
    flavour: Flavour,
    parsed: BTreeMap<String, Parsed>,
    /// The texts as they are compiled.
    prepared: BTreeMap<String, Prepared>,
    pub(super) found: Found,
    /// Are templates of text made into HTML?
    pub(super) is_from_text: bool,
    mains: Vec<&'static str>,
}

impl<'a> Loader<'a> {
    pub(super) fn new(known: &'a Known, template: &Path, flavour: Flavour) -> Self {
        Self {
            known,
            folder: template.parent().map(Path::to_owned).unwrap_or_default(),
            flavour,
            parsed: BTreeMap::new(),
            prepared: BTreeMap::new(),
            found: Found::default(),
            is_from_text: false,
            mains: Vec::new(),
        }
    }

    /// Adds a template that is rendered by itself.
    pub(super) fn main(&mut self, name: &'static str, source: Result<Source, Problem>) {
        self.mains.push(name);
        self.file(name, source);
    }

    /// Adds the footer, which is rendered first and stands in the others as a value.
    pub(super) fn footer(&mut self, source: Result<Source, Problem>) {
        self.file(footer::NAME, source);
    }

    fn file(&mut self, name: &str, source: Result<Source, Problem>) {
        match source {
            Ok(source) => self.load(name, source),
            Err(problem) => self.found.problems.push(problem),
        }
    }

    /// Adds a template that was made from an HTML template.
    pub(super) fn derived_main(&mut self, name: &'static str, html: &Self, html_name: &str) {
        self.mains.push(name);
        self.derive(name, html, html_name);
    }

    fn derive(&mut self, name: &str, html: &Self, html_name: &str) {
        let (Some(prepared), Some(parsed)) = (html.prepared.get(html_name), html.parsed.get(html_name))
        else {
            return;
        };
        let text = text_part::from_html(&prepared.text).map_err(Text::kept);
        let template = text.and_then(|text| match Template::compile_with_name(&text, name.to_owned()) {
            Ok(template) => Ok((text, template)),
            Err(_) => Err(text!(
                "no text part can be made from this HTML: its tags and blocks cross"
            )),
        });
        match template {
            Ok((text, template)) => {
                self.prepared.insert(name.to_owned(), Prepared::new(text));
                let source = parsed.source.derived();
                self.parsed.insert(name.to_owned(), Parsed { source, template });
            }
            Err(what) => {
                let hint = text!("write a text template and name it in the campaign: `text = \"…\"`");
                self.found
                    .problems
                    .push(Problem::with_file(&parsed.source.path, what).hint(hint));
            }
        }
    }

    /// Looks for foreign placeholders and faults of syntax, and parses what is left.
    fn load(&mut self, name: &str, source: Source) {
        let tags = tags::find(&source.text);
        let mut masked = Vec::new();
        for foreign in foreign::find(&source.text, &tags, self.known) {
            let written = source.text.get(foreign.range.clone()).unwrap_or_default();
            let what = text!(
                "`{written}` is a placeholder of {tool}",
                written,
                tool = foreign.tool
            );
            self.found
                .problems
                .push(source.problem(foreign.range.clone(), what).hint(foreign.advice));
            masked.push(foreign.range);
        }
        let overlaps = |tag: &&tags::Tag| {
            masked
                .iter()
                .any(|at| at.start < tag.range.end && tag.range.start < at.end)
        };
        let own: Vec<tags::Tag> = tags.iter().filter(|tag| !overlaps(tag)).cloned().collect();
        let mut is_readable = true;
        for fault in syntax::faults(&source.text, &own) {
            self.found
                .problems
                .push(source.problem(fault.range.clone(), fault.what).hint(fault.hint));
            is_readable &= fault.is_local;
            masked.push(fault.range);
        }
        let text = placed::place(&mask(&source.text, &masked));
        if mjml::is_mjml(&source.path) && masked.is_empty() {
            return self.load_mjml(name, source, text);
        }
        let is_text = self.is_from_text && name != footer::NAME;
        match Template::compile_with_name(&text, name.to_owned()) {
            Ok(template) => {
                let made = is_text.then(|| from_text::to_html(&text));
                let prepared = Prepared::new(text);
                let prepared = match made {
                    Some(made) => prepared.remade(made.html, made.moved),
                    None => prepared,
                };
                self.prepared.insert(name.to_owned(), prepared);
                self.parsed.insert(name.to_owned(), Parsed { source, template });
            }
            Err(_) if !is_readable || !masked.is_empty() => {}
            Err(error) => self.found.problems.push(source.unreadable(&error)),
        }
    }

    /// MJML is checked as HTML, with its faults shown where they stand in the MJML.
    fn load_mjml(&mut self, name: &str, source: Source, text: String) {
        let made = match mjml::to_html(&text) {
            Ok(made) => made,
            Err(fault) => return self.found.problems.push(source.problem(fault.range, fault.what)),
        };
        // Parsed as it was written, so that names are shown where they stand.
        match Template::compile_with_name(&text, name.to_owned()) {
            Ok(template) => {
                let prepared = Prepared::new(text).remade(made.html, made.moved);
                self.prepared.insert(name.to_owned(), prepared);
                self.parsed.insert(name.to_owned(), Parsed { source, template });
            }
            Err(error) => self.found.problems.push(source.unreadable(&error)),
        }
    }

    /// A template's text as it will be compiled.
    pub(super) fn text_of(&self, name: &str) -> &str {
        self.prepared
            .get(name)
            .map_or("", |prepared| prepared.text.as_str())
    }

    /// Writes the styles of a template into its elements; no, when every mail must be done by itself.
    pub(super) fn style(&mut self, main: &str) -> bool {
        // A layout's styles are for what other templates put into it.
        let mut partials = self
            .prepared
            .iter()
            .filter(|(name, _)| *name != main && *name != footer::NAME);
        if partials.any(|(_, partial)| style::has_styles(&partial.text)) {
            return false;
        }
        let Some(prepared) = self.prepared.get_mut(main) else {
            return true;
        };
        match style::once(&prepared.text) {
            Styling::Nothing => true,
            Styling::Once(made) => {
                *prepared = std::mem::take(prepared).remade(made.html, made.moved);
                true
            }
            Styling::EachMail => false,
        }
    }

    /// What every mail must show is not hidden by its style.
    pub(super) fn check_visible(&mut self, main: &str) {
        let hidden = visible::hidden(&self.prepared, &self.parsed, main);
        self.found.problems.extend(hidden);
    }

    /// Follows the calls of partials until all are read, then checks every name. `html` gives what has no text form.
    pub(super) fn check(&mut self, html: Option<&Self>) {
        let mut tried = BTreeSet::new();
        let found = loop {
            let mut found = Found::default();
            for main in self.mains.iter().copied().chain([footer::NAME]) {
                found.merge(names::check(self.known, &self.parsed, main));
            }
            let new: Vec<(String, Option<Problem>)> = found
                .partials
                .iter()
                .filter(|(name, _)| !tried.contains(name))
                .cloned()
                .collect();
            if new.is_empty() {
                break found;
            }
            for (name, call) in new {
                self.partial(&name, call, html);
                tried.insert(name);
            }
        };
        self.found.merge(found);
    }

    fn partial(&mut self, name: &str, call: Option<Problem>, html: Option<&Self>) {
        let is_inside = Path::new(name)
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        let own = self.folder.join(format!("{name}.{}.hbs", self.extension()));
        let plain = self.folder.join(format!("{name}.hbs"));
        if is_inside && own.is_file() {
            self.file(name, Source::read(&own));
        } else if let Some(html) = html.filter(|html| html.parsed.contains_key(name)) {
            self.derive(name, html, name);
        } else if is_inside && plain.is_file() {
            self.file(name, Source::read(&plain));
        } else if let Some(call) = call {
            let there = self.partials_there();
            let there: Vec<&str> = there.iter().map(String::as_str).collect();
            let hint = match closest(name, &there) {
                Some(known) => text!("did you mean `{{{{> {known}}}}}`?", known),
                None if there.is_empty() => text!("write it to `{own}`", own = own.display()),
                None => text!("there are: {there}", there = there.join(", ")),
            };
            let what = text!(
                "there is no partial `{name}` for this template: no file `{own}`",
                name,
                own = file_name(&own)
            );
            self.found.problems.push(Problem {
                what,
                hint: Some(Box::new(hint)),
                ..call
            });
        }
    }

    fn extension(&self) -> &'static str {
        let flavour = if self.is_from_text {
            Flavour::Text
        } else {
            self.flavour
        };
        flavour.extension()
    }

    /// The partials in the folder, by name.
    fn partials_there(&self) -> Vec<String> {
        let suffix = format!(".{}.hbs", self.extension());
        let files = std::fs::read_dir(&self.folder).into_iter().flatten().flatten();
        let names = files.filter_map(|file| {
            let file = file.file_name().to_string_lossy().into_owned();
            file.strip_suffix(&suffix).map(str::to_owned)
        });
        let mut names: Vec<String> = names.collect();
        names.sort_unstable();
        names
    }

    /// The sources that were read, the footer only where no file overrides the one built in.
    pub(super) fn sources(&self) -> impl Iterator<Item = &Source> {
        self.parsed
            .values()
            .map(|parsed| &parsed.source)
            .filter(|source| source.is_file())
    }

    /// Images that stand beside the template must be there. Those with tags in their paths are looked for with each mail.
    pub(super) fn check_images(&mut self, root: &Path) {
        if self.is_from_text {
            return;
        }
        let mut missing = Vec::new();
        for source in self.sources() {
            let beside = source.path.parent().unwrap_or(root);
            for image in images::find(&source.text) {
                let is_there = || {
                    [beside, &self.folder, root]
                        .iter()
                        .any(|folder| folder.join(&image.path).is_file())
                };
                if image.path.contains("{{") || is_there() {
                    continue;
                }
                let what = text!("there is no image `{image}`", image = image.path);
                let hint = text!(
                    "paths begin at the template's folder, or at that of mailshot.toml; or give a whole address, https://…"
                );
                missing.push(source.problem(image.range, what).hint(hint));
            }
        }
        self.found.problems.extend(missing);
    }

    /// Says which language it is in, and which way it is written, unless the templates do.
    pub(super) fn say_language(&mut self, main: &str, lang: &str) {
        language::say(&mut self.prepared, main, lang);
    }

    /// Puts the footer into a template that does not call it, and the preheader into the HTML.
    pub(super) fn complete(&mut self, main: &str, preheader: Option<&str>) {
        let calls_footer = names::check(self.known, &self.parsed, main).calls_footer;
        if !calls_footer {
            match self.flavour {
                Flavour::Html => self.insert(main, footer::TAG, footer::before_body_end, Edge::End),
                Flavour::Text => {
                    if let Some(prepared) = self.prepared.get_mut(main) {
                        let end = prepared.text.trim_end().len();
                        prepared.text.truncate(end);
                        prepared.text.extend(["\n\n", footer::TAG, "\n"]);
                    }
                }
            }
        }
        if let Some(preheader) = preheader {
            self.insert(main, preheader, footer::after_body_start, Edge::Start);
        }
    }

    /// Puts what is said of big files before the footer, unless a template has a place for it.
    pub(super) fn enclose(&mut self, main: &str) {
        let is_placed = names::check(self.known, &self.parsed, main).calls_enclosures;
        if !is_placed {
            let between = match self.flavour {
                Flavour::Html => enclosures::TAG.to_owned(),
                Flavour::Text => format!("{}\n\n", enclosures::TAG),
            };
            self.insert(main, &between, |text| text.find(footer::TAG_START), Edge::End);
        }
    }

    /// Inserts a tag where `place` says: in the main template, else in a partial, else at an edge.
    fn insert(&mut self, main: &str, tag: &str, place: fn(&str) -> Option<usize>, edge: Edge) {
        let others = self
            .prepared
            .keys()
            .filter(|name| *name != main && *name != footer::NAME);
        let names: Vec<String> = std::iter::once(main.to_owned()).chain(others.cloned()).collect();
        for name in names {
            if let Some(prepared) = self.prepared.get_mut(&name)
                && let Some(at) = place(&prepared.text)
            {
                return prepared.insert(at, tag);
            }
        }
        if let Some(prepared) = self.prepared.get_mut(main) {
            let at = match edge {
                Edge::Start => language::start_of_body(&prepared.text),
                Edge::End => prepared.text.len(),
            };
            prepared.insert(at, tag);
        }
    }

    /// Compiles everything.
    pub(super) fn finish(self) -> Result<Engine, Vec<Problem>> {
        let mut problems = self.found.problems;
        let mut engine = Engine::new(self.flavour);
        for (name, prepared) in self.prepared {
            if let Some(parsed) = self.parsed.get(&name) {
                problems.extend(engine.add(name, &parsed.source, prepared).err());
            }
        }
        if problems.is_empty() {
            Ok(engine)
        } else {
            Err(problems)
        }
    }
}

/// Which edge of a template, when there is no better place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Edge {
    Start,
    End,
}

/// Blanks out ranges, so that the rest can be parsed and keeps its lines and columns.
fn mask(text: &str, ranges: &[std::ops::Range<usize>]) -> String {
    let is_masked = |at: usize| ranges.iter().any(|range| range.contains(&at));
    text.char_indices()
        .map(|(at, c)| if c != '\n' && is_masked(at) { ' ' } else { c })
        .collect()
}
