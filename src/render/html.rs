//! Reads HTML tags as they stand in a template: with Handlebars tags inside them, and not always closed.

use std::ops::Range;

/// Elements whose content is not HTML.
const RAW: [&str; 4] = ["script", "style", "textarea", "title"];

/// The start tag or the end tag of an element.
pub(super) struct Element<'a> {
    /// In lower case.
    pub(super) name: String,
    pub(super) is_end: bool,
    pub(super) range: Range<usize>,
    /// As it is written.
    pub(super) text: &'a str,
}

impl Element<'_> {
    /// The value of an attribute, and where it stands.
    pub(super) fn attribute(&self, name: &str) -> Option<(&str, Range<usize>)> {
        let value = attribute(self.text, name)?;
        let at = self.range.start + (value.as_ptr() as usize - self.text.as_ptr() as usize);
        Some((value, at..at + value.len()))
    }

    /// Where `<name` stands.
    pub(super) fn head(&self) -> Range<usize> {
        let slash = usize::from(self.is_end);
        self.range.start..self.range.start + 1 + slash + self.name.len()
    }
}

/// The tags of all elements that are not in a comment.
pub(super) fn elements(html: &str) -> impl Iterator<Item = Element<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        loop {
            let start = from + html.get(from..)?.find('<')?;
            let rest = html.get(start..)?;
            if rest.starts_with("<!--") {
                from = rest.find("-->").map_or(html.len(), |end| start + end + 3);
                continue;
            }
            from = start + 1;
            let Some((name, is_end)) = element_name(rest) else {
                continue;
            };
            let end = end_of_element_tag(html, start).unwrap_or(html.len());
            from = end;
            if !is_end && RAW.contains(&name.as_str()) {
                from = raw_end(html, end, &name);
            }
            return Some(Element {
                name,
                is_end,
                range: start..end,
                text: html.get(start..end).unwrap_or_default(),
            });
        }
    })
}

/// Where the end tag of an element begins whose content is not HTML.
fn raw_end(html: &str, from: usize, name: &str) -> usize {
    let close = format!("</{name}");
    let rest = html.get(from..).unwrap_or_default();
    let ends = rest.match_indices("</").map(|(at, _)| at);
    let is_close = |at: &usize| {
        let head = rest.get(*at..*at + close.len());
        head.is_some_and(|head| head.eq_ignore_ascii_case(&close))
    };
    ends.into_iter().find(is_close).map_or(html.len(), |at| from + at)
}

/// The element's name in lower case, and whether this is its end tag.
pub(super) fn element_name(rest: &str) -> Option<(String, bool)> {
    let inner = rest.strip_prefix('<')?;
    let (inner, is_end) = inner
        .strip_prefix('/')
        .map_or((inner, false), |inner| (inner, true));
    let name: String = inner
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || matches!(c, ':' | '-'))
        .collect();
    name.starts_with(|c: char| c.is_ascii_alphabetic())
        .then(|| (name.to_ascii_lowercase(), is_end))
}

/// The byte after the `>` that ends the HTML tag beginning here, minding quotes and Handlebars tags.
pub(super) fn end_of_element_tag(html: &str, start: usize) -> Option<usize> {
    let rest = html.get(start..)?;
    let mut within: Option<char> = None;
    let mut braces = 0_i32;
    for (at, c) in rest.char_indices() {
        match c {
            '{' => braces += 1,
            '}' => braces -= 1,
            _ if braces > 0 => {}
            '"' | '\'' if within == Some(c) => within = None,
            '"' | '\'' if within.is_none() => within = Some(c),
            '>' if within.is_none() => return Some(start + at + 1),
            _ => {}
        }
    }
    None
}

/// The value of an attribute, as it is written.
pub(super) fn attribute<'a>(element: &'a str, name: &str) -> Option<&'a str> {
    let lower = element.to_ascii_lowercase();
    let is_start = |at: &usize| {
        let before = lower.get(..*at).unwrap_or_default();
        before.ends_with(|c: char| c.is_ascii_whitespace() || c == '"' || c == '\'')
    };
    let mut starts = lower.match_indices(name).map(|(at, _)| at).filter(is_start);
    starts.find_map(|at| value(element.get(at + name.len()..)?))
}

fn value(rest: &str) -> Option<&str> {
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
    let Some(quote) = quote else {
        return rest.split(|c: char| c.is_whitespace() || c == '>').next();
    };
    let body = rest.get(1..)?;
    let mut braces = 0_i32;
    for (at, c) in body.char_indices() {
        match c {
            '{' => braces += 1,
            '}' => braces -= 1,
            c if c == quote && braces <= 0 => return body.get(..at),
            _ => {}
        }
    }
    None
}

/// The text of a piece of HTML: what stands between its tags.
pub(super) fn without_elements(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        rest = after.split_once('>').map_or("", |(_, after)| after);
    }
    text + rest
}

/// The entities that stand in addresses.
pub(super) fn unescape(url: &str) -> String {
    url.replace("&amp;", "&")
        .replace("&#38;", "&")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
}
