//! Makes the HTML of a campaign that has a text template alone: the same words and lines, with addresses of the web as
//! links. A mail without HTML would have no link that mail programs know to be one.

use super::tags::{self, Kind, Tag};
use super::{escape_html, footer};

/// HTML, and where the tags of the text went: by the bytes at which they begin, now and then.
pub(super) struct Made {
    pub(super) html: String,
    pub(super) moved: Vec<(usize, usize)>,
}

/// The HTML template of a text template.
pub(super) fn to_html(text: &str) -> Made {
    let all = tags::find(text);
    let mut made = Made {
        html: String::with_capacity(text.len() * 2),
        moved: Vec::new(),
    };
    let mut from = 0;
    for tag in &all {
        let piece = text.get(from..tag.range.start).unwrap_or_default();
        made.piece(piece, from, text, &all);
        made.moved.push((made.html.len(), tag.range.start));
        made.html.push_str(&escaping(tag, text));
        from = tag.range.end;
    }
    made.piece(text.get(from..).unwrap_or_default().trim_end(), from, text, &all);
    made
}

impl Made {
    /// Text between tags, which begins at this byte of the whole.
    fn piece(&mut self, piece: &str, start: usize, text: &str, all: &[Tag]) {
        let mut at = start;
        for line in piece.split_inclusive('\n') {
            let end = at + line.len();
            let words = line.trim_end_matches(['\r', '\n']);
            let follows_tag = all.iter().any(|tag| tag.range.end == at);
            let precedes_tag = all.iter().any(|tag| tag.range.start == end);
            let last = words.split(' ').count() - 1;
            let written = words.split(' ').enumerate().map(|(number, word)| {
                // What a tag stands beside is not the whole word.
                let is_cut = (number == 0 && follows_tag) || (number == last && precedes_tag);
                if is_cut { escape_html(word) } else { link(word) }
            });
            // Spaces that indent or align are kept.
            let written = written.collect::<Vec<_>>().join(" ").replace("  ", "&nbsp; ");
            self.html.push_str(&written);
            if words.len() < line.len() {
                self.html.push_str(if is_of_blocks(text, at, all) {
                    "\n"
                } else {
                    "<br>\n"
                });
            }
            at = end;
        }
    }
}

/// A tag whose value is escaped: in text all are alike, in HTML three braces are not.
fn escaping(tag: &Tag, text: &str) -> String {
    let written = tag.text(text);
    let is_footer = tag.inner(text).trim() == footer::INNER;
    if tag.kind != Kind::Expression || is_footer {
        return written.to_owned();
    }
    match written
        .strip_prefix("{{{")
        .and_then(|rest| rest.strip_suffix("}}}"))
    {
        Some(inner) => format!("{{{{{inner}}}}}"),
        None => written.replacen("{{&", "{{", 1),
    }
}

/// Is the line of this byte one of tags of blocks and nothing else? Handlebars takes it out as a whole.
fn is_of_blocks(text: &str, at: usize, all: &[Tag]) -> bool {
    let start = text
        .get(..at)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |at| at + 1);
    let end = text
        .get(at..)
        .and_then(|rest| rest.find('\n'))
        .map_or(text.len(), |found| at + found);
    let here: Vec<&Tag> = all
        .iter()
        .filter(|tag| start <= tag.range.start && tag.range.end <= end)
        .collect();
    let is_block = |tag: &&&Tag| tag.is_block() || matches!(tag.kind, Kind::Comment | Kind::Partial);
    let covered: usize = here.iter().map(|tag| tag.range.len()).sum();
    let blank = text
        .get(start..end)
        .map_or(0, |line| line.chars().filter(char::is_ascii_whitespace).count());
    let inside = here
        .iter()
        .map(|tag| tag.text(text).chars().filter(char::is_ascii_whitespace).count());
    !here.is_empty()
        && here.iter().all(|tag| is_block(&tag))
        && covered + blank - inside.sum::<usize>() == end - start
}

/// A word, as a link where it is an address of the web.
fn link(word: &str) -> String {
    let address =
        word.trim_matches(|c: char| matches!(c, '<' | '>' | '(' | ')' | ',' | '.' | ';' | '!' | '?'));
    let is_address = address.starts_with("https://") || address.starts_with("http://");
    let Some((before, after)) = word.split_once(address).filter(|_| is_address) else {
        return escape_html(word);
    };
    let url = escape_html(address);
    format!(
        "{}<a href=\"{url}\">{url}</a>{}",
        escape_html(before),
        escape_html(after)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_and_lines_stay_and_addresses_become_links() {
        for (text, html) in [
            (
                "Hello {{name}},\n\n1 < 2\n",
                "Hello {{name}},<br>\n<br>\n1 &lt; 2",
            ),
            (
                "See https://a.example/?a=1&b=2.\n",
                "See <a href=\"https://a.example/?a=1&amp;b=2\">https://a.example/?a=1&amp;b=2</a>.",
            ),
            ("https://a.example/{{id}} x", "https://a.example/{{id}} x"),
            (
                "{{#if a}}\nA  b\n{{/if}}\nc",
                "{{#if a}}\nA&nbsp; b<br>\n{{/if}}\nc",
            ),
            ("{{{a}}} {{&b}} {{&[@f]}}", "{{a}} {{b}} {{&[@f]}}"),
        ] {
            assert_eq!(to_html(text).html, html, "{text}");
        }
        let made = to_html("<\n{{a}}");
        assert_eq!(made.moved, [(9, 2)]);
    }
}
