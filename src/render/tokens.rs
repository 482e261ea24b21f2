//! Tokens that stand for Handlebars tags while HTML is made into text, and the tidying of that text.

use super::table::CELL_END;

/// What a token begins and ends with: characters that no text has, and that no parser changes or breaks at.
pub(super) const TOKEN: (char, char) = ('\u{e000}', '\u{e001}');
/// A line of nothing but this is blank: html2text leaves none around lists.
pub(super) const BLANK: char = '\u{e002}';

/// What stands in the place of a token.
#[derive(Clone, Debug)]
pub(super) struct Token {
    pub(super) text: String,
    /// A tag that opens, divides or closes a block.
    pub(super) is_block: bool,
}

/// Trims lines and drops blank ones that are too many. Before a line of nothing but block tags there is none: the
/// one after it stays, so that a paragraph that is left out takes its blank line with it.
pub(super) fn tidy(text: &str, tokens: &[Token]) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        let line = trim_cells(line, tokens).trim_end_matches(BLANK);
        let is_after_blank = lines.last().is_none_or(|last| last.is_empty());
        if line.is_empty() && is_after_blank {
            continue;
        }
        if is_only_blocks(line, tokens) && lines.last().is_some_and(|last| last.is_empty()) {
            lines.pop();
        }
        lines.push(line);
    }
    while lines.last().is_some_and(|last| last.is_empty()) {
        lines.pop();
    }
    lines.join("\n")
}

/// A line without the ends of cells behind it.
fn trim_cells<'a>(line: &'a str, tokens: &[Token]) -> &'a str {
    let mut line = line.trim_end();
    let ends_cell = |token: &str| {
        let token = token.parse().ok().and_then(|at: usize| tokens.get(at));
        token.is_some_and(|token| token.text.starts_with(CELL_END))
    };
    while let Some((rest, _)) = line
        .strip_suffix(TOKEN.1)
        .and_then(|rest| rest.rsplit_once(TOKEN.0))
        .filter(|(_, at)| ends_cell(at))
    {
        line = rest.trim_end();
    }
    line
}

fn is_only_blocks(line: &str, tokens: &[Token]) -> bool {
    let pieces = line
        .split(TOKEN.1)
        .map(|piece| piece.trim().strip_prefix(TOKEN.0).ok_or_else(|| piece.trim()));
    let mut is_some = false;
    for piece in pieces {
        match piece {
            Ok(at)
                if at
                    .parse()
                    .ok()
                    .and_then(|at: usize| tokens.get(at))
                    .is_some_and(|t| t.is_block) =>
            {
                is_some = true;
            }
            Err("") => {}
            Ok(_) | Err(_) => return false,
        }
    }
    is_some
}

/// Puts what the tokens stand for in their place, and writes the text between them as `write` does.
pub(super) fn put_back(text: &str, tokens: &[Token], write: fn(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(TOKEN.0) {
        out.push_str(&write(before));
        let (at, after) = after.split_once(TOKEN.1).unwrap_or((after, ""));
        if let Some(token) = at.parse().ok().and_then(|at: usize| tokens.get(at)) {
            out.push_str(&token.text);
        }
        rest = after;
    }
    out.push_str(&write(rest));
    out
}

/// Braces that are text in the HTML stay text in the template.
pub(super) fn escape_braces(text: &str) -> String {
    text.replace("\\{{", "{{").replace("{{", "\\{{")
}
