//! How help stands on the screen, where a Chinese character takes two columns and lines may break between any two.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::WIDTH;

/// What cannot begin a line.
const NOT_FIRST: &str = "，。、；：！？）】》”’,.;:!?)]";

/// A piece of what stands below the options.
enum Block<'t> {
    Blank,
    /// A heading, or a paragraph, whose lines are one.
    Prose(String),
    /// An indented line: what stands in it, and in which column.
    Row(Vec<(usize, &'t str)>),
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut blocks = Vec::new();
    for line in text.lines() {
        if line.trim().is_empty() {
            blocks.push(Block::Blank);
        } else if line.starts_with(' ') {
            blocks.push(Block::Row(segments(line)));
        } else {
            match blocks.last_mut() {
                Some(Block::Prose(before)) if !before.ends_with(':') => {
                    before.push(' ');
                    before.push_str(line);
                }
                _ => blocks.push(Block::Prose(line.to_owned())),
            }
        }
    }
    blocks
}

/// What stands in a line, two spaces or more apart, with the columns where it begins.
fn segments(line: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    for part in line.split("  ") {
        let segment = part.trim_start();
        let before = part.len() - segment.len();
        if !segment.is_empty() {
            let column = line.get(..at + before).unwrap_or_default().width();
            found.push((column, segment.trim_end()));
        }
        at += part.len() + 2;
    }
    found
}

/// The text below the options, with every piece in other words where there are some.
pub(super) fn after(english: &str, say: impl Fn(&str) -> Option<&'static str>) -> String {
    let lines = blocks(english).into_iter().map(|block| match block {
        Block::Blank => String::new(),
        Block::Prose(text) => wrapped(say(&text).unwrap_or(&text), WIDTH),
        Block::Row(segments) => {
            let mut line = String::new();
            for (column, segment) in segments {
                let missing = column.saturating_sub(line.width());
                let least = if line.is_empty() { 0 } else { 2 };
                line.push_str(&" ".repeat(missing.max(least)));
                line.push_str(say(segment).unwrap_or(segment));
            }
            line
        }
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Lines of so many columns at most.
pub(in crate::cli) fn wrapped(text: &str, width: usize) -> String {
    let mut lines = String::with_capacity(text.len() + 8);
    let mut column = 0;
    for piece in pieces_to_break(text) {
        let wide = piece.trim_end().width();
        if column > 0 && column + wide > width {
            while lines.ends_with(' ') {
                lines.pop();
            }
            lines.push('\n');
            column = 0;
        }
        lines.push_str(piece);
        column += piece.width();
    }
    lines
}

/// Pieces between which a line may break: words with the space behind them, Chinese characters with the punctuation that
/// follows.
fn pieces_to_break(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let mut before: Option<char> = None;
    let is_wide = |c: char| c.width() == Some(2);
    // What stands between backticks is one piece.
    let mut is_code = false;
    for (at, c) in text.char_indices() {
        let may_break = before.is_some_and(|before| {
            let after_space = before == ' ' && c != ' ';
            let beside_wide = is_wide(before) || is_wide(c);
            let opens = "（“《【`".contains(before);
            !is_code && !opens && !NOT_FIRST.contains(c) && (after_space || beside_wide && c != ' ')
        });
        if may_break {
            pieces.extend(text.get(start..at));
            start = at;
        }
        is_code ^= c == '`';
        before = Some(c);
    }
    pieces.extend(text.get(start..));
    pieces
}

/// The pieces that want other words: not what is typed.
#[cfg(test)]
pub(super) fn pieces(english: &str) -> Vec<String> {
    let is_typed = |text: &str| {
        let begins = ["mailshot ", "cd ", "pass ", "[", "--"];
        begins.iter().any(|begin| text.starts_with(begin))
            || text.contains(" = ")
            || text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let all = blocks(english).into_iter().flat_map(|block| match block {
        Block::Blank => Vec::new(),
        Block::Prose(text) => vec![text],
        Block::Row(segments) => segments.into_iter().map(|(_, text)| text.to_owned()).collect(),
    });
    all.filter(|text| !is_typed(text)).collect()
}

/// The command lines of mailshot among the examples, without what a shell does with them.
#[cfg(test)]
pub(super) fn commands(after: &str) -> Vec<String> {
    let whole: Vec<&str> = after.split(" \\\n    ").collect();
    let whole = whole.join(" ");
    let rows = whole.lines().filter(|line| line.starts_with("  "));
    let typed = rows.filter_map(|row| {
        let (before, rest) = row.trim_start().split_once("mailshot ")?;
        let is_shell = before.is_empty() || before.ends_with("| ") || before.ends_with("&& ");
        // Two spaces and more part a command from what is said of it.
        let command = rest.split("  ").next().unwrap_or_default();
        is_shell.then(|| format!("mailshot {command}"))
    });
    typed.collect()
}

/// The words of a command line, as a shell parts them; those behind a `>` are not the command's.
#[cfg(test)]
pub(super) fn words(typed: &str) -> Vec<String> {
    let mut words = Vec::new();
    let (mut word, mut is_quoted) = (String::new(), false);
    for c in typed.chars() {
        match c {
            '\'' => is_quoted = !is_quoted,
            '>' if !is_quoted => break,
            ' ' if !is_quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_characters_and_not_before_a_comma() {
        assert_eq!(wrapped("每行读一遍，每封信", 10), "每行读一\n遍，每封信");
        assert_eq!(wrapped("用 `--fix it` 修正", 8), "用\n`--fix it`\n修正");
        assert_eq!(wrapped("plain words here", 11), "plain words\nhere");
    }

    #[test]
    fn pieces_keep_their_columns() {
        let say = |text: &str| match text {
            "done" => Some("完成"),
            "Exit codes:" => Some("退出码："),
            "one two" => Some("一二"),
            _ => None,
        };
        let english = "Exit codes:\n  0   done      64  usage\n\none\ntwo\n";
        assert_eq!(after(english, say), "退出码：\n  0   完成      64  usage\n\n一二");
    }
}
