//! Checks what a parsed template calls for: variables, helpers, blocks, partials.
//!
//! In strict mode Handlebars finds a missing variable when it comes across it: for the one recipient whose row leads
//! there, and never inside `{{#if}}`. Here every name is held against the columns before anything is sent.
//! One file, long as it is: a reader follows one walk through a template.
//!
//! It is as long as it is because it goes through everything that a tag may be.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use handlebars::Template;
use handlebars::template::{BlockParam, DecoratorTemplate, HelperTemplate, Parameter, TemplateElement};

use super::found::{Found, Parsed};
use super::known::{GIVEN, Known, VariablePath};
use super::source::At;
use super::{enclosures, footer, foreign, helpers};
use crate::campaign::closest;
use crate::text;
use crate::words::{Say, Text};

/// What a name may refer to in one block.
#[derive(Clone, Debug, Default)]
struct Frame {
    /// Inside `{{#each}}` and `{{#with}}` names belong to the element; only rendering can tell whether it has them.
    is_element: bool,
    params: Vec<String>,
}

/// Walks through a template and the partials it calls.
pub(super) struct Walk<'a> {
    known: &'a Known,
    parsed: &'a BTreeMap<String, Parsed>,
    found: Found,
    frames: Vec<Frame>,
    /// The partials being walked through, from the outside in.
    path: Vec<String>,
    inline: BTreeSet<String>,
    seen: BTreeSet<(String, bool)>,
}

/// How a variable is used.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Use {
    Value,
    /// As a list or an object.
    Structure,
}

/// Checks the template of this name with all that it calls.
pub(super) fn check(known: &Known, parsed: &BTreeMap<String, Parsed>, main: &str) -> Found {
    let mut walk = Walk {
        known,
        parsed,
        found: Found::default(),
        frames: vec![Frame::default()],
        path: Vec::new(),
        inline: BTreeSet::new(),
        seen: BTreeSet::new(),
    };
    walk.named(main);
    walk.found
}

impl Walk<'_> {
    fn named(&mut self, name: &str) {
        let parsed = self.parsed;
        if let Some(parsed) = parsed.get(name) {
            self.path.push(name.to_owned());
            self.template(
                &parsed.template,
                At {
                    source: &parsed.source,
                    offset: 0,
                },
            );
            self.path.pop();
        }
    }

    fn template(&mut self, template: &Template, outer: At<'_>) {
        for (place, element) in template.elements.iter().enumerate() {
            let offset = template
                .mapping
                .get(place)
                .map(|at| outer.source.offset(at.0, at.1));
            let at = At {
                offset: offset.unwrap_or(outer.offset),
                ..outer
            };
            match element {
                TemplateElement::Expression(call) | TemplateElement::HtmlExpression(call) => {
                    self.call(call, at);
                }
                TemplateElement::HelperBlock(call) => self.block(call, at),
                TemplateElement::PartialExpression(call) | TemplateElement::PartialBlock(call) => {
                    self.partial(call, at);
                }
                TemplateElement::DecoratorBlock(call) | TemplateElement::DecoratorExpression(call) => {
                    self.decorator(call, at);
                }
                _ => {}
            }
        }
    }

    fn problem(&mut self, at: At<'_>, range: Range<usize>, what: impl Say, hint: impl Say) {
        let problem = at.source.problem(range, what).hint(hint);
        // The HTML was checked already, with places that can be shown.
        if !at.source.is_derived && !self.found.problems.contains(&problem) {
            self.found.problems.push(problem);
        }
    }

    /// `{{name}}` or `{{helper argument}}`.
    fn call(&mut self, call: &HelperTemplate, at: At<'_>) {
        let Some(name) = call.name.as_name() else { return };
        if !call.params.is_empty() || !call.hash.is_empty() {
            return self.helper(call, name, at);
        }
        let is_ours = helpers::OURS.contains(&name);
        if is_ours && self.known.has(name) {
            return;
        }
        if is_ours || helpers::INLINE.contains(&name) || helpers::BLOCKS.contains(&name) {
            let what = text!("`{{{{{name}}}}}` is a helper and needs a value", name);
            let hint = if self.known.has(name) {
                text!("for the column write `{{{{[{name}]}}}}`", name)
            } else {
                text!("write it like {usage}", usage = helpers::usage(name))
            };
            return self.problem(at, at.tag(), what, hint);
        }
        self.variable(name, at, Use::Value);
    }

    fn helper(&mut self, call: &HelperTemplate, name: &str, at: At<'_>) {
        let is_known = helpers::OURS.contains(&name) || helpers::INLINE.contains(&name);
        if helpers::BLOCKS.contains(&name) {
            let what = text!("`{{{{{name} …}}}}` opens a block and needs a `#`", name);
            return self.problem(
                at,
                at.tag(),
                what,
                text!("write it like {usage}", usage = helpers::usage(name)),
            );
        }
        if !is_known {
            return self.unknown_helper(name, at);
        }
        self.arguments(name, call, at);
        let structure = if matches!(name, "lookup" | "len") {
            Use::Structure
        } else {
            Use::Value
        };
        for (place, param) in call.params.iter().enumerate() {
            self.param(param, at, if place == 0 { structure } else { Use::Value });
        }
        call.hash
            .values()
            .for_each(|param| self.param(param, at, Use::Value));
    }

    fn unknown_helper(&mut self, name: &str, at: At<'_>) {
        let tag = at
            .text()
            .trim_matches(|c: char| c.is_whitespace() || "{}~&".contains(c));
        let as_name = tag.to_lowercase().replace([' ', '-'], "_");
        if self.known.has(&as_name) {
            let what = text!("`{{{{{tag}}}}}` has a space in its name", tag);
            return self.problem(
                at,
                at.tag(),
                what,
                text!("write `{{{{{as_name}}}}}` or `{{{{[{tag}]}}}}`", as_name, tag),
            );
        }
        let all: Vec<&str> = helpers::OURS.into_iter().chain(helpers::INLINE).collect();
        let hint = match closest(name, &all) {
            Some(known) => text!("did you mean `{known}`?", known = helpers::usage(known)),
            None => text!("there are: {all}", all = all.join(", ")),
        };
        self.problem(
            at,
            at.word(name),
            text!("there is no helper `{name}`", name),
            hint,
        );
    }

    /// Are there as many arguments as the helper takes, and does a literal make sense?
    fn arguments(&mut self, name: &str, call: &HelperTemplate, at: At<'_>) {
        let count = call.params.len();
        let is_wrong = helpers::arguments(name).is_some_and(|(least, most)| count < least || count > most);
        if is_wrong {
            let what = if count == 1 {
                text!("`{name}` cannot take 1 value", name)
            } else {
                text!("`{name}` cannot take {count} values", name, count)
            };
            self.problem(
                at,
                at.tag(),
                what,
                text!("write it like {usage}", usage = helpers::usage(name)),
            );
        } else if let Some(Parameter::Literal(literal)) = call.params.get(1)
            && let Err(what) = helpers::check_literal(name, literal)
        {
            self.problem(
                at,
                at.tag(),
                Text::kept(what),
                text!("write it like {usage}", usage = helpers::usage(name)),
            );
        }
    }

    fn param(&mut self, param: &Parameter, at: At<'_>, how: Use) {
        match param {
            Parameter::Path(_) | Parameter::Name(_) => {
                if let Some(name) = param.as_name() {
                    self.variable(name, at, how);
                }
            }
            Parameter::Subexpression(inner) => {
                if let TemplateElement::Expression(call) = inner.as_element() {
                    self.call(call, at);
                }
            }
            _ => {}
        }
    }

    /// `{{#if}} … {{/if}}`
    fn block(&mut self, call: &HelperTemplate, at: At<'_>) {
        let name = call.name.as_name().unwrap_or_default();
        if !helpers::BLOCKS.contains(&name) {
            let what = text!("there is no block `{{{{#{name}}}}}`", name);
            let hint = if self.known.has(name) {
                text!("write `{{{{#if {name}}}}}` or `{{{{#each {name}}}}}`", name)
            } else {
                text!("blocks are: {blocks}", blocks = helpers::BLOCKS.join(", "))
            };
            return self.problem(at, at.word(name), what, hint);
        }
        self.arguments(name, call, at);
        let is_scope = matches!(name, "each" | "with");
        let how = if is_scope { Use::Structure } else { Use::Value };
        call.params.iter().for_each(|param| self.param(param, at, how));
        if is_scope {
            self.frames.push(Frame {
                is_element: true,
                params: block_params(call),
            });
        }
        call.template.iter().for_each(|inner| self.template(inner, at));
        if is_scope {
            self.frames.pop();
        }
        call.inverse.iter().for_each(|inner| self.template(inner, at));
    }

    /// `{{> button}}`
    fn partial(&mut self, call: &DecoratorTemplate, at: At<'_>) {
        for param in call.params.iter().chain(call.hash.values()) {
            self.param(param, at, Use::Value);
        }
        let Some(name) = call.name.as_name() else {
            let what = text!("the name of a partial cannot be computed");
            return self.problem(
                at,
                at.tag(),
                what,
                text!("write the name itself, as in `{{{{> button}}}}`"),
            );
        };
        if self.path.iter().any(|open| open == name) {
            let what = text!("the partial `{name}` calls itself", name);
            return self.problem(at, at.word(name), what, text!("take this call out"));
        }
        call.template.iter().for_each(|inner| self.template(inner, at));
        if name == "@partial-block" || self.inline.contains(name) {
            return;
        }
        if !self.found.partials.iter().any(|(known, _)| known == name) {
            let call = (!at.source.is_derived).then(|| at.source.problem(at.word(name), Text::default()));
            self.found.partials.push((name.to_owned(), call));
        }
        let outer = self.frames.last().is_some_and(|frame| frame.is_element);
        let is_element = outer || !call.params.is_empty();
        if call.hash.is_empty() && !self.seen.insert((name.to_owned(), is_element)) {
            return;
        }
        self.frames.push(Frame {
            is_element,
            params: call.hash.keys().cloned().collect(),
        });
        self.named(name);
        self.frames.pop();
    }

    /// `{{#*inline "name"}} … {{/inline}}`
    fn decorator(&mut self, call: &DecoratorTemplate, at: At<'_>) {
        if let Some(Parameter::Literal(name)) = call.params.first() {
            self.inline.extend(name.as_str().map(str::to_owned));
        }
        call.template.iter().for_each(|inner| self.template(inner, at));
    }

    fn variable(&mut self, raw: &str, at: At<'_>, how: Use) {
        let path = VariablePath::parse(raw);
        if path.is_local || path.first.is_empty() {
            return;
        }
        let up = if path.is_root {
            self.frames.len() - 1
        } else {
            path.up.min(self.frames.len() - 1)
        };
        let is_param = self
            .frames
            .iter()
            .any(|frame| frame.params.iter().any(|param| param == path.first));
        let is_element = self
            .frames
            .iter()
            .rev()
            .nth(up)
            .is_some_and(|frame| frame.is_element);
        let name = path.first;
        if name == footer::NAME {
            self.found.calls_footer = true;
            return self.ours(&text!("the footer"), is_element, at);
        }
        if name == enclosures::NAME {
            self.found.calls_enclosures = true;
            return self.ours(&text!("what is said of big files"), is_element, at);
        }
        if is_param || is_element {
            return;
        }
        let is_given = GIVEN.contains(&name);
        match self.known.column(name) {
            _ if is_given => {
                if path.has_more || how == Use::Structure {
                    let what = text!("`{name}` is one value; it has no parts", name);
                    self.problem(at, at.word(raw), what, text!("write `{{{{{name}}}}}`", name));
                }
            }
            Some(column) => {
                if self
                    .known
                    .columns
                    .headers
                    .get(column)
                    .is_some_and(|header| header == name)
                {
                    self.found.headers.insert(column);
                }
                if path.has_more || how == Use::Structure {
                    let problem = || at.source.problem(at.word(raw), Text::default());
                    self.found.structured.entry(column).or_insert_with(problem);
                }
            }
            None => self.unknown(name, raw, at),
        }
    }

    fn ours(&mut self, it: &Text, is_element: bool, at: At<'_>) {
        let what = if is_element {
            text!(
                "{it} cannot stand within `{{{{#each}}}}` or `{{{{#with}}}}`, where names belong to the element",
                it
            )
        } else if !at.source.is_file() || self.path.iter().any(|open| open == footer::NAME) {
            text!(
                "{it} cannot stand in the subject or the preheader, nor within the footer",
                it
            )
        } else {
            return;
        };
        self.problem(
            at,
            at.tag(),
            what,
            text!("put it elsewhere, or take it out: then it comes at the end"),
        );
    }

    fn unknown(&mut self, name: &str, raw: &str, at: At<'_>) {
        if let Some((tool, advice)) = foreign::variable(raw, self.known) {
            let what = text!("`{text}` is a placeholder of {tool}", text = at.text(), tool);
            return self.problem(at, at.tag(), what, advice);
        }
        let shown = if raw.starts_with('[') || name == raw {
            raw
        } else {
            name
        };
        let what = text!(
            "{name} uses `{{{{{shown}}}}}`, which {list} does not have",
            name = at.source.name(),
            shown,
            list = self.known.list
        );
        let columns = self.known.columns_hint();
        let hint = match self.known.closest(name) {
            _ if matches!(name, "footer" | "enclosures") => {
                text!("`{{{{{{{name}}}}}}}` stands alone, where it is to be", name)
            }
            Some(known) => text!("did you mean `{{{{{known}}}}}`? {columns}", known, columns),
            None => columns,
        };
        self.problem(at, at.word(raw), what, hint);
    }
}

fn block_params(call: &HelperTemplate) -> Vec<String> {
    let params = match &call.block_param {
        Some(BlockParam::Single(one)) => vec![one],
        Some(BlockParam::Pair((one, two))) => vec![one, two],
        _ => Vec::new(),
    };
    params
        .into_iter()
        .filter_map(Parameter::as_name)
        .map(str::to_owned)
        .collect()
}
