//! What is not wrong with a template, and yet hurts: mails that mailboxes distrust, clip or show badly, and words that
//! the law of China forbids in advertisements. Every finding has its place and a reason.

mod columns;
mod images;
mod links;
mod words;

use std::ops::Range;

use super::html::{Element, elements};
use super::source::Source;
use crate::campaign::Problem;
use crate::text;
use crate::words::Say;
use links::Link;

pub use columns::AddressOf;
pub(super) use columns::{address_variables, bare_variables};
pub(super) use words::{plain, subject};

/// Elements that mail programs take out, or that make a mail suspicious.
const FORBIDDEN: [&str; 9] = [
    "script", "form", "iframe", "object", "embed", "video", "audio", "applet", "frameset",
];

/// What is looked for besides what is always looked for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Rules {
    /// The words that China's law forbids.
    pub(super) is_chinese: bool,
}

/// Looks through an HTML template, or one in MJML.
pub(super) fn html(source: &Source, rules: Rules) -> Vec<Problem> {
    let text = source.text.as_str();
    let mut lint = Lint {
        source,
        found: Vec::new(),
        link: None,
    };
    let mut shouted = false;
    let mut from = 0;
    for element in elements(text) {
        let between = from..element.range.start.max(from);
        let is_style = matches!(element.name.as_str(), "style" | "mj-style");
        if element.is_end && is_style {
            lint.css(between);
        } else if !(shouted || element.is_end && matches!(element.name.as_str(), "script" | "title")) {
            shouted = lint.shouting(between);
        }
        from = element.range.end;
        if element.is_end {
            lint.end(&element);
        } else {
            lint.start(&element);
        }
    }
    if !shouted {
        lint.shouting(from..text.len());
    }
    lint.found.extend(words::absolute_terms(source, rules));
    lint.found
}

struct Lint<'a> {
    source: &'a Source,
    found: Vec<Problem>,
    /// The link that is open.
    link: Option<Link>,
}

impl Lint<'_> {
    fn say(&mut self, range: Range<usize>, what: impl Say, why: impl Say) {
        self.found.push(self.source.problem(range, what).hint(why));
    }

    fn start(&mut self, element: &Element<'_>) {
        let name = element.name.as_str();
        self.images(element);
        self.links(element);
        if let Some((_, range)) = element.attribute("style") {
            self.css(range);
        }
        if FORBIDDEN.contains(&name) {
            let why = text!("mail programs take it out, and filters distrust the mail");
            self.say(element.head(), text!("`<{name}>` in a mail", name), why);
        }
        let rel = element.attribute("rel").map(|(rel, _)| rel.to_ascii_lowercase());
        if name == "link" && rel.is_some_and(|rel| rel.contains("stylesheet")) {
            let why = text!("Gmail and others do not load it; write the styles into `<style>`");
            self.say(element.head(), text!("a stylesheet of its own"), why);
        }
        if name == "meta" && element.text.to_ascii_lowercase().contains("refresh") {
            let why = text!("no mail program goes there, and filters distrust the mail");
            self.say(
                element.head(),
                text!("a mail that leads elsewhere by itself"),
                why,
            );
        }
        if let Some(handler) = handler(element) {
            let why = text!("mail programs take scripts out, and filters distrust the mail");
            self.say(
                element.head(),
                text!("`{handler}`: a script in an attribute", handler),
                why,
            );
        }
    }

    fn end(&mut self, element: &Element<'_>) {
        if matches!(element.name.as_str(), "a" | "mj-button") {
            self.end_link(element.range.start);
        }
    }

    /// Words in capitals, one after another, in the text between two elements.
    fn shouting(&mut self, range: Range<usize>) -> bool {
        let text = self.source.text.get(range.clone()).unwrap_or_default();
        let Some(shouted) = words::shouted(text) else {
            return false;
        };
        let range = range.start + shouted.start..range.start + shouted.end;
        self.say(
            range,
            text!("a sentence in capitals"),
            text!("filters take it for shouting"),
        );
        true
    }
}

/// `onclick` and its like.
fn handler<'a>(element: &Element<'a>) -> Option<&'a str> {
    let words = element
        .text
        .split(|c: char| c.is_ascii_whitespace() || matches!(c, '"' | '\''));
    let names = words
        .skip(1)
        .filter_map(|word| word.split_once('=').map(|(name, _)| name));
    names.into_iter().find(|name| {
        let rest = name.strip_prefix("on").unwrap_or_default();
        rest.len() > 2
            && rest.bytes().all(|byte| byte.is_ascii_lowercase())
            && element.attribute(name).is_some()
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn said(template: &str) -> Vec<String> {
        let source = Source::new(Path::new("body.html.hbs"), template);
        let rules = Rules { is_chinese: true };
        html(&source, rules)
            .into_iter()
            .map(|p| format!("{}:{} {}", p.line, p.column, p.what))
            .collect()
    }

    fn check(cases: &[(&str, &str)]) {
        for (template, expected) in cases {
            assert_eq!(said(template), [*expected], "{template}");
        }
    }

    #[test]
    fn links_that_hurt_are_found_with_their_place() {
        check(&[
            (
                "<a href=\"http://a.example/\">x</a>",
                "1:10 an address without https",
            ),
            (
                "<a href=\"https://bit.ly/x\">x</a>",
                "1:10 a link by way of bit.ly",
            ),
            (
                "<a href=\"https://evil.example\"><b>www.bank.example</b></a>",
                "1:32 the text of this link says www.bank.example, and it leads to evil.example",
            ),
            (
                "<a href=\"javascript:buy()\">x</a>",
                "1:10 a link to `javascript:`",
            ),
            ("<a href=\"\">x</a>", "1:9 a link that leads nowhere"),
            ("<a class=\"button\">x</a>", "1:1 a link that leads nowhere"),
            (
                "<a href=\"/sale\">x</a>",
                "1:10 a link that leads nowhere: `/sale` is no whole address",
            ),
            (
                "<a href=\"www.a.example\">x</a>",
                "1:10 a link that leads nowhere: `www.a.example` is no whole address",
            ),
            ("<mj-button>Buy</mj-button>", "1:1 a link that leads nowhere"),
        ]);
    }

    #[test]
    fn images_that_are_not_shown_are_found_with_their_place() {
        check(&[
            ("<p>\n<img src=\"a.png\">", "2:1 an image without `alt`"),
            (
                "<img alt=\"\" src=\"data:image/png;base64,AA\">",
                "1:18 an image as `data:`",
            ),
            (
                "<td background=\"bg.png\">",
                "1:17 `bg.png` does not go with the mail",
            ),
            (
                "<mj-section background-url=\"http://a.example/x.png\">",
                "1:29 an address without https",
            ),
            (
                "<p style=\"background: url('bg.png')\">",
                "1:27 `bg.png` does not go with the mail",
            ),
            (
                "<style>\np { background: url(data:image/png;base64,AA) }</style>",
                "2:21 an image as `data:`",
            ),
            (
                "<img alt=\"\" src=\"https://a.example/a.png\" srcset=\"https://a.example/b.png 2x, c.png 3x\">",
                "1:51 `c.png` does not go with the mail",
            ),
            ("<img alt=\"\">", "1:1 an image that is none"),
            (
                "<mj-image src=\"https://a.example/x.png\" />",
                "1:1 an image without `alt`",
            ),
        ]);
    }

    #[test]
    fn things_that_are_taken_out_are_found_with_their_place() {
        check(&[
            ("<script>x</script>", "1:1 `<script>` in a mail"),
            ("<p>全网第一的茶</p>", "1:4 `全网第一`: an absolute term"),
            ("<style>@import 'a.css';</style>", "1:8 a stylesheet of its own"),
            (
                "<link href=\"https://a.example/a.css\" rel=\"stylesheet\">",
                "1:1 a stylesheet of its own",
            ),
            (
                "<meta http-equiv=\"refresh\" content=\"0\">",
                "1:1 a mail that leads elsewhere by itself",
            ),
            (
                "<p onclick=\"buy()\">x</p>",
                "1:1 `onclick`: a script in an attribute",
            ),
            (
                "<p>\nLAST CHANCE TO SAVE {{upper x}} ON EVERYTHING</p>",
                "2:1 a sentence in capitals",
            ),
        ]);
    }

    #[test]
    fn what_is_fine_is_left_alone() {
        for template in [
            "<img src=\"a.png\" alt=\"tea\"><a href=\"https://www.a.example/x?y=1\">a.example</a>",
            "<a href=\"{{unsubscribe_url}}\">Unsubscribe</a><a href=\"mailto:a@b.example\">a@b.example</a>",
            "<!-- <script> <img src=x> --><a href=\"https://a.example\">Read more.</a>",
            "<a href=\"https://a.example\">v1.2</a>",
            "<a name=\"top\"></a><a href=\"#top\">Up</a><a href=\"tel:+4912\">Call</a><a href=\"{{url}}\">Go</a>",
            "<td background=\"https://a.example/x.png\" style=\"background:url({{photo}})\" bgcolor=\"#fff\">",
            "<style>@font-face { src: url(\"https://a.example/f.woff2\") } a > b { color: red }</style>",
            "<title>A TITLE THAT SHOUTS AT NOBODY AT ALL</title><p>SHOP NOW</p>",
        ] {
            assert_eq!(said(template), [""; 0], "{template}");
        }
    }
}
