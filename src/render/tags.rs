//! Finds the Handlebars tags in a text, without judging what is in them.
//!
//! The parser of the `handlebars` crate knows more but gives up at the first fault; this scanner goes on, so that
//! all faults can be told at once, and leaves the text between the tags to those who look at HTML.

use std::ops::Range;

/// What a tag is, by its first sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `{{name}}`, `{{{name}}}`, `{{helper name}}`.
    Expression,
    /// `{{#if name}}`, `{{#> layout}}`.
    Open,
    /// `{{else}}`, `{{else if name}}`, `{{^}}`.
    Else,
    /// `{{/if}}`.
    Close,
    /// `{{> button}}`.
    Partial,
    /// `{{! … }}`, `{{!-- … --}}`.
    Comment,
    /// `{{{{raw}}}} … {{{{/raw}}}}`.
    Raw,
    /// `{{` without its `}}`.
    Unclosed,
}

/// One tag and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tag {
    pub(super) range: Range<usize>,
    pub(super) kind: Kind,
}

impl Tag {
    /// The tag as it stands.
    pub(super) fn text<'a>(&self, source: &'a str) -> &'a str {
        source.get(self.range.clone()).unwrap_or_default()
    }

    /// What stands between the braces, without `~`, `-`, signs and white space around it.
    pub(super) fn inner<'a>(&self, source: &'a str) -> &'a str {
        let is_edge = |c: char| {
            matches!(c, '{' | '}' | '~' | '-' | '#' | '>' | '/' | '&' | '*' | '^') || c.is_whitespace()
        };
        self.text(source)
            .trim_start_matches(is_edge)
            .trim_end_matches(|c| matches!(c, '}' | '~' | '-') || is_space(c))
    }

    /// The first word between the braces: the helper or the variable.
    pub(super) fn word<'a>(&self, source: &'a str) -> &'a str {
        self.inner(source)
            .split(|c: char| is_space(c) || matches!(c, '(' | '~'))
            .next()
            .unwrap_or_default()
    }

    /// Does it open, divide or close a block?
    pub(super) fn is_block(&self) -> bool {
        matches!(self.kind, Kind::Open | Kind::Else | Kind::Close)
    }
}

fn is_space(c: char) -> bool {
    c.is_whitespace()
}

/// All tags of a text, in order.
pub(super) fn find(text: &str) -> Vec<Tag> {
    let mut tags = Vec::new();
    let mut from = 0;
    while let Some(start) = text
        .get(from..)
        .and_then(|rest| rest.find("{{"))
        .map(|at| from + at)
    {
        let before = text.get(..start).unwrap_or_default();
        let backslashes = before.len() - before.trim_end_matches('\\').len();
        if backslashes == 1 {
            // `\{{` is written to be seen; of two backslashes only one is taken off, and the tag lives.
            let rest = text.get(start..).unwrap_or_default();
            from = start + rest.len() - rest.trim_start_matches('{').len();
            continue;
        }
        let tag = tag_at(text, start);
        from = tag.range.end;
        tags.push(tag);
    }
    tags
}

fn tag_at(text: &str, start: usize) -> Tag {
    let rest = text.get(start..).unwrap_or_default();
    let until = |end: &str| rest.find(end).map(|at| at + end.len());
    let (length, kind) = if rest.starts_with("{{!--") {
        (until("--}}"), Kind::Comment)
    } else if rest.starts_with("{{!") {
        (until("}}"), Kind::Comment)
    } else if rest.starts_with("{{{{") {
        let open = until("}}}}").unwrap_or(0);
        let close = rest
            .get(open..)
            .and_then(|body| body.find("{{{{/"))
            .map(|at| open + at);
        let end = close.and_then(|at| rest.get(at..)?.find("}}}}").map(|end| at + end + 4));
        (end, Kind::Raw)
    } else {
        (end_of_tag(rest).or_else(|| until("}}")), kind(rest))
    };
    let Some(length) = length else {
        let line = rest.lines().next().unwrap_or_default();
        return Tag {
            range: start..start + line.len().max(2),
            kind: Kind::Unclosed,
        };
    };
    Tag {
        range: start..start + length,
        kind,
    }
}

/// The length of a tag, minding that braces may stand in quotes and in `[…]`.
fn end_of_tag(rest: &str) -> Option<usize> {
    let is_triple = rest.starts_with("{{{");
    let mut within: Option<char> = None;
    let mut chars = rest.char_indices().skip(if is_triple { 3 } else { 2 });
    while let Some((at, c)) = chars.next() {
        match within {
            Some('"' | '\'') if c == '\\' => drop(chars.next()),
            Some(end) if c == end => within = None,
            None if matches!(c, '"' | '\'') => within = Some(c),
            None if c == '[' => within = Some(']'),
            None if rest.get(at..)?.starts_with("{{") => return None,
            None if rest.get(at..)?.starts_with("}}") => {
                let has_third = is_triple && rest.get(at..)?.starts_with("}}}");
                return Some(at + if has_third { 3 } else { 2 });
            }
            Some(_) | None => {}
        }
    }
    None
}

fn kind(tag: &str) -> Kind {
    let inner = tag.trim_start_matches('{').trim_start_matches('~').trim_start();
    let is_else = inner
        .strip_prefix("else")
        .is_some_and(|rest| rest.starts_with(|c: char| is_space(c) || "}~".contains(c)));
    match inner.chars().next() {
        Some('#') => Kind::Open,
        Some('/') => Kind::Close,
        Some('>') => Kind::Partial,
        Some('^') => Kind::Else,
        _ if is_else => Kind::Else,
        _ => Kind::Expression,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> Vec<(&str, Kind)> {
        find(text)
            .iter()
            .map(|tag| (text.get(tag.range.clone()).unwrap(), tag.kind))
            .collect()
    }

    #[test]
    fn tags_are_found_with_their_kind() {
        assert_eq!(
            found(
                "a {{b}} {{{c}}} {{#if d}}{{else if e}}{{~^~}}{{/if}} {{> f}} {{!-- }} --}}{{! g }}{{elsewhere}}"
            ),
            [
                ("{{b}}", Kind::Expression),
                ("{{{c}}}", Kind::Expression),
                ("{{#if d}}", Kind::Open),
                ("{{else if e}}", Kind::Else),
                ("{{~^~}}", Kind::Else),
                ("{{/if}}", Kind::Close),
                ("{{> f}}", Kind::Partial),
                ("{{!-- }} --}}", Kind::Comment),
                ("{{! g }}", Kind::Comment),
                ("{{elsewhere}}", Kind::Expression),
            ]
        );
    }

    #[test]
    fn braces_in_quotes_and_brackets_do_not_end_a_tag() {
        assert_eq!(
            found(r#"{{default a "}}"}}{{[It's }} b]}}{{{default a '\'}}}'}}}"#),
            [
                (r#"{{default a "}}"}}"#, Kind::Expression),
                ("{{[It's }} b]}}", Kind::Expression),
                (r"{{{default a '\'}}}'}}}", Kind::Expression),
            ]
        );
    }

    #[test]
    fn a_tag_without_an_end_takes_its_line_only() {
        assert_eq!(found("{{a\n{{b}}"), [("{{a\n{{b}}", Kind::Expression)]);
        assert_eq!(found("x {{a\ny"), [("{{a", Kind::Unclosed)]);
    }

    #[test]
    fn an_escaped_tag_is_text() {
        assert_eq!(found(r"\{{a}} \{{{b}}} \\{{c}}"), [("{{c}}", Kind::Expression)]);
    }
}
