//! Puts tokens in place of Handlebars tags, so that a parser of HTML or MJML lets them alone, and puts them back.

use super::html::end_of_element_tag;
use super::tags::{self, Kind, Tag};

/// Where a tag stands in HTML.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Between elements.
    Text,
    Comment,
    /// In `<style>`.
    Style,
    /// In an element whose content is not HTML, such as `<title>`.
    RawText,
    /// In the value of an attribute that selectors or styles do not look at.
    Value,
    /// In `class`, `id` or `style`, or in place of an attribute.
    Attribute,
}

/// HTML without tags.
pub(super) struct Protected {
    pub(super) html: String,
    pub(super) tags: Vec<(Tag, Place)>,
    prefix: String,
    /// After each token: the byte here, and the byte in the source.
    ends: Vec<(usize, usize)>,
}

/// Elements whose content is text, whatever it looks like.
const RAW: [&str; 6] = ["title", "textarea", "script", "xmp", "noscript", "style"];

/// Takes the tags out. `between` makes what stands for a tag between elements.
pub(super) fn protect(html: &str, between: impl Fn(&str, usize) -> String) -> Protected {
    let found = tags::find(html);
    let places = places(html, &found);
    let mut prefix = "hbs".to_owned();
    while html.contains(&prefix) {
        prefix.push('z');
    }
    let mut out = String::with_capacity(html.len());
    let mut from = 0;
    let mut ends = Vec::with_capacity(found.len());
    for (number, (tag, place)) in found.iter().zip(&places).enumerate() {
        out.push_str(html.get(from..tag.range.start).unwrap_or_default());
        from = tag.range.end;
        let token = format!("{prefix}{number}q");
        match place {
            Place::Text => out.push_str(&between(&token, tag.range.start)),
            Place::Comment | Place::Style | Place::RawText | Place::Value | Place::Attribute => {
                out.push_str(&token);
            }
        }
        ends.push((out.len(), from));
    }
    out.push_str(html.get(from..).unwrap_or_default());
    Protected {
        html: out,
        tags: found.into_iter().zip(places).collect(),
        prefix,
        ends,
    }
}

/// What came out, with the tags in it again.
pub(super) struct Restored {
    pub(super) html: String,
    /// Where tags stand now, and where they stood: by the byte at which they begin.
    pub(super) moved: Vec<(usize, usize)>,
    /// Does every tag stand there once, in the old order?
    pub(super) is_whole: bool,
}

impl Protected {
    /// Puts the tags back into what a parser made of the HTML.
    pub(super) fn restore(&self, made: &str, source: &str) -> Restored {
        let mut html = String::with_capacity(source.len() * 2);
        let mut moved = Vec::new();
        let mut order = Vec::new();
        let mut rest = made;
        while let Some((before, after)) = rest.split_once(&self.prefix) {
            let digits = after.len() - after.trim_start_matches(|c: char| c.is_ascii_digit()).len();
            let number: Option<usize> = after.get(..digits).and_then(|digits| digits.parse().ok());
            let tag = number.and_then(|number| self.tags.get(number));
            let (Some((tag, place)), Some(after)) =
                (tag, after.get(digits..).and_then(|rest| rest.strip_prefix('q')))
            else {
                html.push_str(before);
                html.push_str(&self.prefix);
                rest = after;
                continue;
            };
            let is_comment = *place == Place::Text && before.ends_with("<!--") && after.starts_with("-->");
            html.push_str(if is_comment {
                before.strip_suffix("<!--").unwrap_or(before)
            } else {
                before
            });
            moved.push((html.len(), tag.range.start));
            order.extend(number);
            html.push_str(tag.text(source));
            rest = if is_comment {
                after.strip_prefix("-->").unwrap_or(after)
            } else {
                after
            };
        }
        html.push_str(rest);
        let is_whole = order.iter().copied().eq(0..self.tags.len());
        Restored {
            html,
            moved,
            is_whole,
        }
    }

    /// The byte of the source that became this one.
    pub(super) fn source_offset(&self, at: usize) -> usize {
        let last = self.ends.iter().rev().find(|(here, _)| *here <= at);
        last.map_or(at, |(here, there)| there + (at - here))
    }

    /// Do blocks make what stands there more than one thing?
    pub(super) fn has_blocks(&self) -> bool {
        self.tags
            .iter()
            .any(|(tag, _)| tag.is_block() || tag.kind == Kind::Partial)
    }
}

/// Where each of the tags stands.
fn places(html: &str, tags: &[Tag]) -> Vec<Place> {
    let mut places = Vec::with_capacity(tags.len());
    let mut at = 0;
    let mut waiting = tags.iter().peekable();
    while let Some(tag) = waiting.peek() {
        let start = tag.range.start;
        let piece = html.get(at..start).unwrap_or_default();
        let Some(open) = piece.find('<').map(|found| at + found) else {
            places.push(Place::Text);
            at = tag.range.end;
            waiting.next();
            continue;
        };
        let rest = html.get(open..).unwrap_or_default();
        let (end, inside): (usize, fn(&str, usize) -> Place) = if rest.starts_with("<!--") {
            (
                rest.find("-->").map_or(html.len(), |end| open + end + 3),
                |_, _| Place::Comment,
            )
        } else if let Some(name) = raw_element(rest) {
            let body = end_of_element_tag(html, open).unwrap_or(html.len());
            let close = html
                .get(body..)
                .and_then(|rest| rest.to_ascii_lowercase().find(&format!("</{name}")));
            let end = close.map_or(html.len(), |close| body + close);
            (
                end,
                if name == "style" {
                    |_, _| Place::Style
                } else {
                    |_, _| Place::RawText
                },
            )
        } else if rest.starts_with('<')
            && rest
                .chars()
                .nth(1)
                .is_some_and(|c| c.is_ascii_alphabetic() || c == '/')
        {
            (
                end_of_element_tag(html, open).unwrap_or(html.len()),
                place_in_element,
            )
        } else {
            at = open + 1;
            continue;
        };
        while let Some(tag) = waiting.next_if(|tag| tag.range.start < end) {
            let element = html.get(open..end).unwrap_or_default();
            places.push(inside(element, tag.range.start - open));
        }
        at = end;
    }
    places
}

fn raw_element(rest: &str) -> Option<&'static str> {
    let lower: String = rest
        .chars()
        .skip(1)
        .take(9)
        .collect::<String>()
        .to_ascii_lowercase();
    RAW.into_iter().find(|name| {
        lower
            .strip_prefix(name)
            .is_some_and(|rest| rest.starts_with(|c: char| c == '>' || c.is_whitespace()))
    })
}

/// In the value of an attribute, or anywhere else in an element's tag.
fn place_in_element(element: &str, at: usize) -> Place {
    let before = element.get(..at).unwrap_or_default();
    let mut within: Option<char> = None;
    let mut braces = 0_i32;
    let mut name = String::new();
    let mut last_word = String::new();
    for c in before.chars() {
        match (within, c) {
            (_, '{') => braces += 1,
            (_, '}') => braces -= 1,
            _ if braces > 0 => {}
            (Some(quote), c) if quote == c => within = None,
            (None, '"' | '\'') => within = Some(c),
            (None, '=') => name = std::mem::take(&mut last_word),
            (None, c) if c.is_whitespace() => last_word.clear(),
            (None, c) => last_word.push(c.to_ascii_lowercase()),
            (Some(_), _) => {}
        }
    }
    match name.as_str() {
        "class" | "id" | "style" => Place::Attribute,
        _ if within.is_some() => Place::Value,
        _ => Place::Attribute,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_told_by_where_they_stand() {
        use Place::{Attribute, Comment, RawText, Style, Text, Value};

        let html = "<!doctype html>{{a}}<title>{{b}}</title><style>p { color: {{c}} }</style><!-- {{d}} <p> -->\
                    <a href=\"{{e}}/x\" class=\"y {{f}}\" {{#if g}}title='{{h}}'{{/if}}>{{i}} < {{j}}</a><td width={{k}}>";
        let found: Vec<Place> = protect(html, |token, _| format!("<!--{token}-->"))
            .tags
            .into_iter()
            .map(|(_, place)| place)
            .collect();
        assert_eq!(
            found,
            [
                Text, RawText, Style, Comment, Value, Attribute, Attribute, Value, Attribute, Text, Text,
                Attribute
            ]
        );
    }

    #[test]
    fn what_is_put_back_is_what_was_taken_out() {
        let html = "<p>{{a}}</p><!-- {{b}} --><a href=\"{{c}}\">hbs0q {{{d}}}</a>";
        let protected = protect(html, |token, _| format!("<!--{token}-->"));
        assert!(!protected.html.contains("{{"), "{}", protected.html);
        let restored = protected.restore(&protected.html, html);
        assert_eq!(restored.html, html);
        assert!(restored.is_whole);
        assert!(restored.moved.iter().all(|(now, before)| now == before));
    }
}
