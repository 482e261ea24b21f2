//! Reduces HTML to what plain text can show, with a token in place of each Handlebars tag: what no reader sees is left
//! out, links get their address behind them, tables become lines.

use std::collections::BTreeSet;
use std::ops::Range;

use super::html::{attribute, element_name, end_of_element_tag, unescape, without_elements};
use super::table::CELL_END;
use super::tags::{self, Kind, Tag};
use super::tokens::{BLANK, TOKEN, Token, escape_braces, put_back};
use super::{css, footer};

const RULE: &str = "----------";
/// Elements that are not shown.
const HIDDEN: [&str; 7] = [
    "head", "style", "script", "title", "template", "noscript", "object",
];
/// Elements that html2text is to see as they are, without their attributes.
const KEPT: [&str; 21] = [
    "p",
    "div",
    "ul",
    "ol",
    "li",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "blockquote",
    "pre",
    "br",
    "b",
    "strong",
    "i",
    "em",
    "dl",
    "dt",
    "dd",
];
/// Elements that begin a line and mean no more than that.
const LINES: [&str; 20] = [
    "table",
    "tbody",
    "thead",
    "tfoot",
    "tr",
    "caption",
    "center",
    "section",
    "article",
    "header",
    "footer",
    "main",
    "nav",
    "figure",
    "figcaption",
    "address",
    "aside",
    "details",
    "summary",
    "form",
];
/// Ends of elements with blank lines around them.
const PARAGRAPHS: [&str; 10] = [
    "</p>",
    "</ul>",
    "</ol>",
    "</h1>",
    "</h2>",
    "</h3>",
    "</h4>",
    "</h5>",
    "</h6>",
    "</blockquote>",
];
/// Elements without an end tag.
const VOID: [&str; 6] = ["br", "hr", "img", "input", "meta", "link"];

/// HTML that html2text makes good text of.
pub(super) struct Reduced {
    pub(super) html: String,
    pub(super) tokens: Vec<Token>,
    /// Is it more than a piece of a line?
    pub(super) has_lines: bool,
}

/// Reduces HTML that has these tags.
pub(super) fn reduce(html: &str, tags: Vec<Tag>) -> Reduced {
    let mut reducer = Reducer::new(html, tags);
    reducer.run();
    Reduced {
        html: reducer.out,
        tokens: reducer.tokens,
        has_lines: reducer.has_lines,
    }
}

/// Walks through the HTML and writes it again, reduced.
struct Reducer<'a> {
    html: &'a str,
    tags: Vec<Tag>,
    out: String,
    tokens: Vec<Token>,
    /// Open links: the address, and where in `out` their text begins.
    links: Vec<(String, usize)>,
    /// Addresses that a text leads to.
    named: BTreeSet<String>,
    /// Addresses behind no text, and their tokens.
    bare: Vec<(String, String)>,
    /// Lists within lists.
    list_depth: usize,
    has_lines: bool,
}

impl<'a> Reducer<'a> {
    fn new(html: &'a str, tags: Vec<Tag>) -> Self {
        Self {
            html,
            tags,
            out: String::with_capacity(html.len()),
            tokens: Vec::new(),
            links: Vec::new(),
            named: BTreeSet::new(),
            bare: Vec::new(),
            list_depth: 0,
            has_lines: false,
        }
    }

    fn run(&mut self) {
        let mut at = 0;
        while at < self.html.len() {
            at = self.step(at);
        }
        // A picture beside a text that leads there too.
        for (url, token) in std::mem::take(&mut self.bare) {
            if self.named.contains(&url) {
                self.out = self.out.replace(&token, "");
            }
        }
    }

    /// Handles what begins at this byte; gives the byte after it.
    fn step(&mut self, at: usize) -> usize {
        if let Some(tag) = self.tag_at(at) {
            let is_footer = tag.inner(self.html) == footer::INNER;
            self.out.push_str(if is_footer { "<p>" } else { "" });
            if tag.kind != Kind::Comment {
                self.token(as_text(&tag, self.html), tag.is_block());
            }
            return tag.range.end;
        }
        let rest = self.html.get(at..).unwrap_or_default();
        if rest.starts_with("<!--") {
            let end = rest.find("-->").map_or(self.html.len(), |end| at + end + 3);
            self.keep_blocks(at..end);
            return end;
        }
        if rest.starts_with("<!") || rest.starts_with("<?") {
            return rest.find('>').map_or(self.html.len(), |end| at + end + 1);
        }
        let name = element_name(rest);
        if let (Some((name, is_end)), Some(end)) = (name, end_of_element_tag(self.html, at)) {
            return if is_end {
                self.end_tag(&name, end)
            } else {
                self.start_tag(&name, at..end)
            };
        }
        let next_tag = self
            .tags
            .iter()
            .map(|tag| tag.range.start)
            .find(|start| *start > at);
        let next_element = rest
            .char_indices()
            .skip(1)
            .find(|(_, c)| *c == '<')
            .map(|(next, _)| at + next);
        let end = next_tag
            .into_iter()
            .chain(next_element)
            .min()
            .unwrap_or(self.html.len());
        let text = self.html.get(at..end).unwrap_or_default();
        self.out.extend(
            text.chars()
                .filter(|c| ![TOKEN.0, TOKEN.1, BLANK, CELL_END].contains(c)),
        );
        end
    }

    fn tag_at(&self, at: usize) -> Option<Tag> {
        let place = self.tags.binary_search_by_key(&at, |tag| tag.range.start).ok()?;
        self.tags.get(place).cloned()
    }

    fn token(&mut self, text: String, is_block: bool) {
        self.named_token(text, is_block);
    }

    /// Puts a token there, and gives it.
    fn named_token(&mut self, text: String, is_block: bool) -> String {
        let (open, close) = TOKEN;
        let token = format!("{open}{}{close}", self.tokens.len());
        self.tokens.push(Token { text, is_block });
        // Between paragraphs a block's tag is a paragraph too, so that blank lines stay what they are.
        let before = self.out.trim_end();
        if is_block && PARAGRAPHS.iter().any(|end| before.ends_with(end)) {
            self.out.extend(["<p>", &token, "</p>"]);
        } else {
            self.out.push_str(&token);
        }
        token
    }

    fn start_tag(&mut self, name: &str, range: Range<usize>) -> usize {
        let element = self.html.get(range.clone()).unwrap_or_default();
        let style = attribute(element, "style").unwrap_or_default();
        let is_hidden = css::hiding(&css::rules(style)).is_some();
        if HIDDEN.contains(&name) || (is_hidden && !VOID.contains(&name)) {
            let end = self.end_of_element(name, range.end);
            self.keep_blocks(range.start..end);
            return end;
        }
        match name {
            "a" => {
                let url = unescape(attribute(element, "href").unwrap_or_default().trim());
                self.links.push((url, self.out.len()));
            }
            "img" => self.image(element),
            "hr" => {
                self.out.push_str("<p>");
                self.token(RULE.to_owned(), false);
                self.out.push_str("</p>");
            }
            "ul" | "ol" => {
                self.blank_line_around_lists();
                self.list_depth += 1;
                self.out.extend(["<", name, ">"]);
            }
            name if KEPT.contains(&name) => {
                self.has_lines |= !matches!(name, "b" | "strong" | "i" | "em");
                self.out.extend(["<", name, ">"]);
            }
            name if LINES.contains(&name) => {
                self.has_lines = true;
                self.out.push_str("<div>");
            }
            _ => {}
        }
        range.end
    }

    fn blank_line_around_lists(&mut self) {
        self.has_lines = true;
        if self.list_depth == 0 {
            self.out.extend(["<p>", &BLANK.to_string(), "</p>"]);
        }
    }

    fn image(&mut self, element: &str) {
        let alt = attribute(element, "alt").unwrap_or_default();
        for tag in tags::find(alt) {
            self.token(tag.text(alt).to_owned(), tag.is_block());
        }
        if tags::find(alt).is_empty() {
            self.out.push_str(&alt.replace('<', "&lt;"));
        }
    }

    fn end_tag(&mut self, name: &str, end: usize) -> usize {
        match name {
            "a" => self.end_link(),
            "td" | "th" => self.token(CELL_END.to_string(), false),
            "ul" | "ol" => {
                self.out.extend(["</", name, ">"]);
                self.list_depth = self.list_depth.saturating_sub(1);
                self.blank_line_around_lists();
            }
            name if VOID.contains(&name) => {}
            name if KEPT.contains(&name) => self.out.extend(["</", name, ">"]),
            name if LINES.contains(&name) => self.out.push_str("</div>"),
            _ => {}
        }
        end
    }

    /// The address goes behind the text, in the brackets that RFC 3986 (appendix C) recommends, unless it is the text.
    fn end_link(&mut self) {
        let Some((url, start)) = self.links.pop() else {
            return;
        };
        let shown = put_back(
            self.out.get(start..).unwrap_or_default(),
            &self.tokens,
            escape_braces,
        );
        let shown = unescape(shown.trim());
        let is_shown = is_same_address(&shown, &url);
        if url.is_empty() || url.starts_with('#') || url.starts_with("javascript:") || is_shown {
            return;
        }
        if !self.out.ends_with(char::is_whitespace) {
            self.out.push(' ');
        }
        let token = self.named_token(format!("<{url}>"), false);
        if without_elements(&shown).trim().is_empty() {
            self.bare.push((url, token));
        } else {
            self.named.insert(url);
        }
    }

    /// The byte after the end tag that belongs to a start tag; the end, when there is none.
    fn end_of_element(&self, name: &str, from: usize) -> usize {
        let mut depth = 1;
        let mut at = from;
        while let Some(start) = self
            .html
            .get(at..)
            .and_then(|rest| rest.find('<'))
            .map(|next| at + next)
        {
            let rest = self.html.get(start..).unwrap_or_default();
            at = start + 1;
            let Some((found, is_end)) = element_name(rest) else {
                continue;
            };
            if found != name {
                continue;
            }
            let end = end_of_element_tag(self.html, start).unwrap_or(self.html.len());
            depth = if is_end { depth - 1 } else { depth + 1 };
            if depth == 0 {
                return end;
            }
            at = end;
        }
        self.html.len()
    }

    /// Of what is left out, keeps the tags of blocks that begin or end elsewhere.
    fn keep_blocks(&mut self, range: Range<usize>) {
        let inside = |tag: &&Tag| range.start <= tag.range.start && tag.range.end <= range.end;
        let blocks: Vec<Tag> = self
            .tags
            .iter()
            .filter(inside)
            .filter(|tag| tag.is_block())
            .cloned()
            .collect();
        let count = |kind: Kind| blocks.iter().filter(|tag| tag.kind == kind).count();
        if count(Kind::Open) != count(Kind::Close) {
            for tag in blocks {
                self.token(tag.text(self.html).to_owned(), true);
            }
        }
    }
}

/// A tag as the text has it: a value that is put into the HTML as it is may be HTML itself.
fn as_text(tag: &Tag, html: &str) -> String {
    let written = tag.text(html);
    let is_raw = written.starts_with("{{{") || written.starts_with("{{&");
    let inner = tag.inner(html).trim();
    if tag.kind != Kind::Expression || !is_raw || written.contains('~') || inner == footer::INNER {
        return written.to_owned();
    }
    let is_call = inner.contains(char::is_whitespace) && !inner.starts_with('[');
    if is_call {
        format!("{{{{plain ({inner})}}}}")
    } else {
        format!("{{{{plain {inner}}}}}")
    }
}

/// Is the text of a link its address, but for what people leave out?
fn is_same_address(shown: &str, url: &str) -> bool {
    let bare = |text: &str| {
        let text = text.trim().trim_end_matches('/');
        if let Some(number) = text.strip_prefix("tel:") {
            return number.replace([' ', '-', '(', ')', '/'], "");
        }
        let text = text.strip_prefix("mailto:").unwrap_or(text);
        let text = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"))
            .unwrap_or(text);
        text.strip_prefix("www.").unwrap_or(text).to_owned()
    };
    let shown = if url.starts_with("tel:") {
        format!("tel:{shown}")
    } else {
        shown.to_owned()
    };
    bare(&shown) == bare(url)
}
