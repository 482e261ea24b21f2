//! Makes a text template from an HTML template, once per campaign.
//!
//! First the HTML is reduced: what no reader sees is left out, links get their address behind them, tables become
//! lines, and each Handlebars tag becomes a token. html2text makes text of the rest, and the tags are put back.
//! Tables go first because HTML does not allow text between their rows: a parser would move `{{#each}}` out of
//! the table that it repeats.

use std::ops::Range;

use html2text::render::TextDecorator;

use super::tags::{self, Kind, Tag};

/// What a token begins and ends with: characters that no text has, and that no parser changes or breaks at.
const TOKEN: (char, char) = ('\u{e000}', '\u{e001}');
/// A line of nothing but this is blank: html2text leaves none around lists.
const BLANK: char = '\u{e002}';
/// Wide enough that html2text never breaks a line: mail programs do that, and a tag must not be broken.
const WIDTH: usize = 100_000;
/// Stands between the cells of a row.
const CELL_GAP: &str = "  ";
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
const LINES: [&str; 14] = [
    "table", "tbody", "thead", "tfoot", "tr", "caption", "center", "section", "article", "header", "footer",
    "main", "nav", "figure",
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

/// The text template made from an HTML template, or why there is none.
pub(super) fn from_html(html: &str) -> Result<String, String> {
    let mut reduced = Reducer::new(html);
    reduced.run();
    let config = html2text::config::with_decorator(Bare)
        .link_footnotes(false)
        .allow_width_overflow();
    let text = config
        .string_from_read(reduced.out.as_bytes(), WIDTH)
        .map_err(|error| format!("no text can be made from this HTML: {error}"))?;
    let text = tidy(&text, &reduced.tokens);
    let text = put_back(&text, &reduced.tokens);
    Ok(if reduced.has_lines {
        format!("{text}\n")
    } else {
        text
    })
}

/// What stands in the place of a token.
#[derive(Clone, Debug)]
struct Token {
    text: String,
    /// A tag that opens, divides or closes a block.
    is_block: bool,
}

/// Walks through the HTML and writes it again, reduced.
struct Reducer<'a> {
    html: &'a str,
    tags: Vec<Tag>,
    out: String,
    tokens: Vec<Token>,
    /// Open links: the address, and where in `out` their text begins.
    links: Vec<(String, usize)>,
    /// Lists within lists.
    list_depth: usize,
    has_lines: bool,
}

impl<'a> Reducer<'a> {
    fn new(html: &'a str) -> Self {
        Self {
            html,
            tags: tags::find(html),
            out: String::with_capacity(html.len()),
            tokens: Vec::new(),
            links: Vec::new(),
            list_depth: 0,
            has_lines: false,
        }
    }

    fn run(&mut self) {
        let mut at = 0;
        while at < self.html.len() {
            at = self.step(at);
        }
    }

    /// Handles what begins at this byte; gives the byte after it.
    fn step(&mut self, at: usize) -> usize {
        if let Some(tag) = self.tag_at(at) {
            if tag.kind != Kind::Comment {
                self.token(tag.text(self.html).to_owned(), tag.is_block());
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
        self.out
            .extend(text.chars().filter(|c| ![TOKEN.0, TOKEN.1, BLANK].contains(c)));
        end
    }

    fn tag_at(&self, at: usize) -> Option<Tag> {
        let place = self.tags.binary_search_by_key(&at, |tag| tag.range.start).ok()?;
        self.tags.get(place).cloned()
    }

    fn token(&mut self, text: String, is_block: bool) {
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
    }

    fn start_tag(&mut self, name: &str, range: Range<usize>) -> usize {
        let element = self.html.get(range.clone()).unwrap_or_default();
        let style = attribute(element, "style")
            .unwrap_or_default()
            .to_ascii_lowercase();
        let is_hidden = style
            .split(';')
            .any(|rule| rule.split_whitespace().collect::<String>() == "display:none");
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
            "td" | "th" => self.token(CELL_GAP.to_owned(), false),
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
        let shown = put_back(self.out.get(start..).unwrap_or_default(), &self.tokens);
        let bare = |url: &str| {
            url.trim()
                .trim_start_matches("mailto:")
                .trim_start_matches("https://")
                .to_owned()
        };
        if url.is_empty()
            || url.starts_with('#')
            || url.starts_with("javascript:")
            || bare(&shown) == bare(&url)
        {
            return;
        }
        // Spaces at the end of the link's text would stand before the bracket twice.
        let space = if self.out.ends_with(char::is_whitespace) || shown.trim().is_empty() {
            ""
        } else {
            " "
        };
        self.out.push_str(space);
        self.token(format!("<{url}>"), false);
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

/// The element's name in lower case, and whether this is its end tag.
fn element_name(rest: &str) -> Option<(String, bool)> {
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
fn attribute<'a>(element: &'a str, name: &str) -> Option<&'a str> {
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
fn unescape(url: &str) -> String {
    url.replace("&amp;", "&")
        .replace("&#38;", "&")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
}

/// Trims lines and drops blank ones that are too many. Before a line of nothing but block tags there is none: the
/// one after it stays, so that a paragraph that is left out takes its blank line with it.
fn tidy(text: &str, tokens: &[Token]) -> String {
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
fn put_back(text: &str, tokens: &[Token]) -> String {
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

/// Adds nothing to the text but what plain text needs.
#[derive(Clone, Debug)]
struct Bare;

impl TextDecorator for Bare {
    type Annotation = ();

    fn decorate_link_start(&mut self, _url: &str) -> (String, Self::Annotation) {
        (String::new(), ())
    }

    fn decorate_link_end(&mut self) -> String {
        String::new()
    }

    fn decorate_em_start(&self) -> (String, Self::Annotation) {
        (String::new(), ())
    }

    fn decorate_em_end(&self) -> String {
        String::new()
    }

    fn decorate_strong_start(&self) -> (String, Self::Annotation) {
        (String::new(), ())
    }

    fn decorate_strong_end(&self) -> String {
        String::new()
    }

    fn decorate_strikeout_start(&self) -> (String, Self::Annotation) {
        (String::new(), ())
    }

    fn decorate_strikeout_end(&self) -> String {
        String::new()
    }

    fn decorate_code_start(&self) -> (String, Self::Annotation) {
        (String::new(), ())
    }

    fn decorate_code_end(&self) -> String {
        String::new()
    }

    fn decorate_preformat_first(&self) -> Self::Annotation {}

    fn decorate_preformat_cont(&self) -> Self::Annotation {}

    fn decorate_image(&mut self, _src: &str, title: &str) -> (String, Self::Annotation) {
        (title.to_owned(), ())
    }

    fn header_prefix(&self, _level: usize) -> String {
        String::new()
    }

    fn quote_prefix(&self) -> String {
        "> ".to_owned()
    }

    fn unordered_item_prefix(&self) -> String {
        "- ".to_owned()
    }

    fn ordered_item_prefix(&self, number: i64) -> String {
        format!("{number}. ")
    }

    fn make_subblock_decorator(&self) -> Self {
        Self
    }
}
