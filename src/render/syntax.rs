//! Says what is wrong with a template that Handlebars cannot parse: which tag, and why.
//!
//! The parser itself stops at the first fault and names rules of its grammar. Here every tag is tried alone.

use std::ops::Range;

use handlebars::Template;

use super::tags::{Kind, Tag};

/// One fault in a template's syntax.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) range: Range<usize>,
    pub(super) what: String,
    pub(super) hint: String,
    /// The tag can be left out and the rest be checked all the same.
    pub(super) is_local: bool,
}

const IN_BRACES: &str = "between the braces stands a name such as `first_name` or `[First Name]`, or a helper such as `default first_name \"there\"`";

/// All faults that can be told from the tags alone.
pub(super) fn faults(text: &str, tags: &[Tag]) -> Vec<Fault> {
    let mut faults: Vec<Fault> = tags.iter().filter_map(|tag| unreadable(text, tag)).collect();
    unbalanced(text, tags, &mut faults);
    faults.sort_by_key(|fault| fault.range.start);
    faults
}

fn unreadable(text: &str, tag: &Tag) -> Option<Fault> {
    let written = tag.text(text);
    let fault = |what: &str, hint: &str, is_local| {
        Some(Fault {
            range: tag.range.clone(),
            what: what.to_owned(),
            hint: hint.to_owned(),
            is_local,
        })
    };
    match tag.kind {
        Kind::Unclosed => fault("this `{{` is never closed", "close it with `}}`", false),
        Kind::Expression | Kind::Partial if Template::compile(written).is_err() => {
            let what = format!("`{}` cannot be read", shorten(written));
            fault(&what, IN_BRACES, true)
        }
        Kind::Open
            if Template::compile(&format!("{written}{{{{/{}}}}}", closing_name(text, tag))).is_err() =>
        {
            let what = format!("`{}` cannot be read", shorten(written));
            fault(
                &what,
                "write it like `{{#if first_name}}` or `{{#each orders}}`",
                false,
            )
        }
        _ => None,
    }
}

/// Matches the tags that open blocks with those that close them.
fn unbalanced(text: &str, tags: &[Tag], faults: &mut Vec<Fault>) {
    let mut open: Vec<&Tag> = Vec::new();
    let mut add = |tag: &Tag, what: String, hint: String| {
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
                    "an `else` outside of any block".to_owned(),
                    "put it between `{{#if …}}` and `{{/if}}`".to_owned(),
                );
            }
            Kind::Close => {
                let name = tag.inner(text);
                match open.pop() {
                    None => add(
                        tag,
                        format!("`{}` closes nothing", tag.text(text)),
                        "take it out".to_owned(),
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
                        let what = format!(
                            "`{}` of line {line} is closed by `{}`",
                            shorten(opened.text(text)),
                            tag.text(text)
                        );
                        add(tag, what, format!("write `{{{{/{wanted}}}}}`"));
                    }
                }
            }
            _ => {}
        }
    }
    for tag in open {
        let what = format!("`{}` is never closed", shorten(tag.text(text)));
        add(
            tag,
            what,
            format!("close it with `{{{{/{}}}}}`", closing_name(text, tag)),
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
