//! Columns whose values stand in the mail as they are.

use std::collections::BTreeSet;

use super::super::html::elements;
use super::super::source::Source;
use super::super::tags::{self, Kind, Tag};
use super::links::LINKS;
use crate::campaign::Problem;
use crate::words::Text;

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

/// What an address that comes from the list is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AddressOf {
    /// An image: a path in there would be no file of ours.
    Image,
    /// A link: without a scheme it leads nowhere.
    Link,
}

/// Variables that begin an address, and where.
pub(in crate::render) fn address_variables(source: &Source) -> Vec<(String, AddressOf, Problem)> {
    let mut found = Vec::new();
    for element in elements(&source.text).filter(|element| !element.is_end) {
        let name = element.name.as_str();
        let is_image = matches!(name, "img" | "mj-image" | "mj-carousel-image");
        for (attribute, what, is_meant) in [
            ("src", AddressOf::Image, is_image),
            ("href", AddressOf::Link, LINKS.contains(&name)),
        ] {
            if let Some((address, place)) = element.attribute(attribute).filter(|_| is_meant)
                && let Some(name) = variable_at_start(address)
            {
                found.push((name, what, source.problem(place, Text::default())));
            }
        }
    }
    found
}

/// The variable that an address begins with; `{{default photo "…"}}` too.
fn variable_at_start(address: &str) -> Option<String> {
    let start = address.len() - address.trim_start().len();
    let first = tags::find(address)
        .into_iter()
        .next()
        .filter(|tag| tag.range.start == start)?;
    let mut words = first.inner(address).split_whitespace();
    let guarded = || (words.next() == Some("default")).then(|| words.next()).flatten();
    let name = variable(&first, address).or_else(guarded)?;
    Some(without_brackets(name))
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
        let found: Vec<(String, u64, u64)> = address_variables(&source)
            .into_iter()
            .map(|(name, _, at)| (name, at.line, at.column))
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
