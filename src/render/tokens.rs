//! Tokens that stand for Handlebars tags while HTML is made into text, and the tidying of that text.

/// What a token begins and ends with: characters that no text has, and that no parser changes or breaks at.
pub(super) const TOKEN: (char, char) = ('\u{e000}', '\u{e001}');
/// A line of nothing but this is blank: html2text leaves none around lists.
pub(super) const BLANK: char = '\u{e002}';
/// Stands between the cells of a row.
pub(super) const CELL_GAP: &str = "  ";

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
        let line = trim_gaps(line, tokens).trim_end_matches(BLANK);
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

/// A line without the gaps of cells at its ends.
fn trim_gaps<'a>(line: &'a str, tokens: &[Token]) -> &'a str {
    let mut line = line.trim_end();
    let gap = |token: &str| {
        token
            .parse()
            .ok()
            .and_then(|at: usize| tokens.get(at))
            .is_some_and(|t| t.text == CELL_GAP)
    };
    loop {
        let front = line
            .trim_start()
            .strip_prefix(TOKEN.0)
            .and_then(|rest| rest.split_once(TOKEN.1));
        let back = line
            .strip_suffix(TOKEN.1)
            .and_then(|rest| rest.rsplit_once(TOKEN.0));
        match (front.filter(|(at, _)| gap(at)), back.filter(|(_, at)| gap(at))) {
            (Some((_, rest)), _) => line = rest.trim_start(),
            (None, Some((rest, _))) => line = rest.trim_end(),
            (None, None) => return line,
        }
    }
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

/// Puts what the tokens stand for in their place. Braces that were text in the HTML stay text.
pub(super) fn put_back(text: &str, tokens: &[Token]) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(TOKEN.0) {
        out.push_str(&escape_braces(before));
        let (at, after) = after.split_once(TOKEN.1).unwrap_or((after, ""));
        if let Some(token) = at.parse().ok().and_then(|at: usize| tokens.get(at)) {
            out.push_str(&token.text);
        }
        rest = after;
    }
    out.push_str(&escape_braces(rest));
    out
}

fn escape_braces(text: &str) -> String {
    text.replace("\\{{", "{{").replace("{{", "\\{{")
}
