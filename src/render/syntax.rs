//! Says what is wrong with a template that Handlebars cannot parse: which tag, and why.
//!
//! The parser itself stops at the first fault and names rules of its grammar. Here every tag is tried alone.

use std::ops::Range;

use handlebars::Template;

use super::tags::{Kind, Tag};
use crate::text;
use crate::words::Text;

/// One fault in a template's syntax.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) range: Range<usize>,
    pub(super) what: Text,
    pub(super) hint: Text,
    /// The tag can be left out and the rest be checked all the same.
    pub(super) is_local: bool,
}

const IN_BRACES: Text = text!(
    "between the braces stands a name such as `first_name` or `[First Name]`, or a helper such as `default first_name \"there\"`"
);

/// All faults that can be told from the tags alone.
pub(super) fn faults(text: &str, tags: &[Tag]) -> Vec<Fault> {
    let mut faults: Vec<Fault> = tags.iter().filter_map(|tag| unreadable(text, tag)).collect();
    unbalanced(text, tags, &mut faults);
    faults.sort_by_key(|fault| fault.range.start);
    faults
}

fn unreadable(text: &str, tag: &Tag) -> Option<Fault> {
    let written = tag.text(text);
    let fault = |what: Text, hint: Text, is_local| {
        Some(Fault {
            range: tag.range.clone(),
            what,
            hint,
            is_local,
        })
    };
    match tag.kind {
        Kind::Unclosed => fault(
            text!("this `{{{{` is never closed"),
            text!("close it with `}}}}`"),
            false,
        ),
        Kind::Expression | Kind::Partial if Template::compile(written).is_err() => {
            let what = text!("`{written}` cannot be read", written = shorten(written));
            fault(what, IN_BRACES, true)
        }
        Kind::Open
            if Template::compile(&format!("{written}{{{{/{}}}}}", closing_name(text, tag))).is_err() =>
        {
            let what = text!("`{written}` cannot be read", written = shorten(written));
            fault(
                what,
                text!("write it like `{{{{#if first_name}}}}` or `{{{{#each orders}}}}`"),
                false,
            )
        }
        _ => None,
    }
}

/// Matches the tags that open blocks with those that close them.
fn unbalanced(text: &str, tags: &[Tag], faults: &mut Vec<Fault>) {
    let mut open: Vec<&Tag> = Vec::new();
    let mut add = |tag: &Tag, what: Text, hint: Text| {
        faults.push(Fault {
            range: tag.range.clone(),
            what,
            hint,
            is_local: false,
        });
    };
    for tag in tags {
        match tag.kind {
            Kind::Open => open.push(tag),
            Kind::Else if open.is_empty() => {
                add(
                    tag,
                    text!("an `else` outside of any block"),
                    text!("put it between `{{{{#if …}}}}` and `{{{{/if}}}}`"),
                );
            }
            Kind::Close => {
                let name = tag.inner(text);
                match open.pop() {
                    None => add(
                        tag,
                        text!("`{text}` closes nothing", text = tag.text(text)),
                        text!("take it out"),
                    ),
                    Some(opened) if name.is_empty() || closing_name(text, opened) == name => {}
                    Some(opened) => {
                        let wanted = closing_name(text, opened);
                        let line = text
                            .get(..opened.range.start)
                            .unwrap_or_default()
                            .matches('\n')
                            .count()
                            + 1;
                        let what = text!(
                            "`{opened}` of line {line} is closed by `{closing}`",
                            opened = shorten(opened.text(text)),
                            line,
                            closing = tag.text(text)
                        );
                        add(tag, what, text!("write `{{{{/{wanted}}}}}`", wanted));
                    }
                }
            }
            _ => {}
        }
    }
    for tag in open {
        let what = text!("`{text}` is never closed", text = shorten(tag.text(text)));
        add(
            tag,
            what,
            text!("close it with `{{{{/{tag}}}}}`", tag = closing_name(text, tag)),
        );
    }
}

/// What the end tag of a block is called.
fn closing_name<'a>(text: &'a str, tag: &Tag) -> &'a str {
    tag.word(text)
}

/// A tag on one line and not too long.
fn shorten(tag: &str) -> String {
    let line = tag.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= 60 {
        return line;
    }
    let start: String = line.chars().take(57).collect();
    format!("{start}…")
}
