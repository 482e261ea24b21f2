//! Reads HTML tags as they stand in a template: with Handlebars tags inside them, and not always closed.

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

/// The entities that stand in addresses.
pub(super) fn unescape(url: &str) -> String {
    url.replace("&amp;", "&")
        .replace("&#38;", "&")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
}
