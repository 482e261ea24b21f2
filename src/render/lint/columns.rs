//! Columns whose values stand in the mail as they are.

use std::collections::BTreeSet;

use super::super::html::elements;
use super::super::source::Source;
use super::super::tags::{self, Kind, Tag};
use crate::campaign::Problem;

/// Variables that stand in a template by themselves, without anything for a cell that is empty.
pub(in crate::render) fn bare_variables(source: &Source) -> BTreeSet<String> {
    let text = source.text.as_str();
    let all = tags::find(text);
    let asked: BTreeSet<&str> = all
        .iter()
        .filter(|tag| tag.kind == Kind::Open)
        .flat_map(|tag| tag.inner(text).split_whitespace().skip(1))
        .collect();
    let bare = all.iter().filter_map(|tag| variable(tag, text));
    bare.filter(|name| !asked.contains(name))
        .map(without_brackets)
        .collect()
}

/// Variables that begin the address of an image, and where: a path in there would be no file of ours.
pub(in crate::render) fn image_variables(source: &Source) -> Vec<(String, Problem)> {
    let images = elements(&source.text).filter(|element| {
        matches!(element.name.as_str(), "img" | "mj-image" | "mj-carousel-image") && !element.is_end
    });
    let begun = images.filter_map(|image| {
        let (src, place) = image.attribute("src")?;
        let start = src.len() - src.trim_start().len();
        let first = tags::find(src)
            .into_iter()
            .next()
            .filter(|tag| tag.range.start == start)?;
        // `{{default photo "…"}}` too.
        let mut words = first.inner(src).split_whitespace();
        let guarded = || (words.next() == Some("default")).then(|| words.next()).flatten();
        let name = variable(&first, src).or_else(guarded)?;
        Some((without_brackets(name), source.problem(place, "")))
    });
    begun.collect()
}

/// The name, if a tag is a variable and no more.
fn variable<'a>(tag: &Tag, text: &'a str) -> Option<&'a str> {
    let name = tag.inner(text).trim();
    let is_name = !name.contains(char::is_whitespace) || (name.starts_with('[') && name.ends_with(']'));
    (tag.kind == Kind::Expression && is_name).then_some(name)
}

fn without_brackets(name: &str) -> String {
    name.trim_start_matches('[').trim_end_matches(']').to_owned()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn variables_that_may_be_empty_are_those_that_nothing_guards() {
        let source = Source::new(
            Path::new("x"),
            "{{a}} {{default b \"x\"}} {{#if c}}{{c}}{{/if}} {{{d}}} {{[First Name]}}",
        );
        let names: Vec<String> = bare_variables(&source).into_iter().collect();
        assert_eq!(names, ["First Name", "a", "d"]);
    }

    #[test]
    fn variables_that_begin_the_address_of_an_image_are_found() {
        let source = Source::new(
            Path::new("x"),
            "<img src=\"{{photo}}\"><img src=\"p/{{a}}\"><img src='{{default d \"x\"}}'>\n<mj-image src=\"{{[My c]}}.png\"/>",
        );
        let found: Vec<(String, u64, u64)> = image_variables(&source)
            .into_iter()
            .map(|(name, at)| (name, at.line, at.column))
            .collect();
        assert_eq!(
            found,
            [
                ("photo".to_owned(), 1, 11),
                ("d".to_owned(), 1, 51),
                ("My c".to_owned(), 2, 16)
            ]
        );
    }
}
