//! What is not wrong with a template, and yet hurts: mails that mailboxes distrust, clip or show badly, and words that
//! the law of China forbids in advertisements. Every finding has its place and a reason.

use std::collections::BTreeSet;
use std::ops::Range;

use super::html::{attribute, element_name, end_of_element_tag, unescape};
use super::source::Source;
use super::tags::{self, Kind};
use crate::campaign::Problem;

/// Services that shorten links; spam hides behind them, so that filters distrust them all.
const SHORTENERS: [&str; 16] = [
    "bit.ly",
    "buff.ly",
    "cutt.ly",
    "dwz.cn",
    "goo.gl",
    "is.gd",
    "ow.ly",
    "rb.gy",
    "rebrand.ly",
    "reurl.cc",
    "shorturl.at",
    "t.cn",
    "t.co",
    "tiny.cc",
    "tinyurl.com",
    "url.cn",
];
/// Elements that mail programs take out, or that make a mail suspicious.
const FORBIDDEN: [&str; 8] = [
    "script", "form", "iframe", "object", "embed", "video", "audio", "applet",
];
/// Source: 《中华人民共和国广告法》 (2021), article 9(3): 国家级、最高级、最佳 and the like.
const ABSOLUTE: [&str; 24] = [
    "国家级",
    "最高级",
    "最佳",
    "最好",
    "最优",
    "最低价",
    "最便宜",
    "最先进",
    "最大",
    "最新",
    "最强",
    "第一品牌",
    "全国第一",
    "全网第一",
    "销量第一",
    "世界级",
    "顶级",
    "极致",
    "独一无二",
    "绝无仅有",
    "史无前例",
    "万能",
    "100%有效",
    "零风险",
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
    let mut from = 0;
    while let Some(start) = text
        .get(from..)
        .and_then(|rest| rest.find('<'))
        .map(|found| from + found)
    {
        let rest = text.get(start..).unwrap_or_default();
        if rest.starts_with("<!--") {
            from = rest.find("-->").map_or(text.len(), |end| start + end + 3);
            continue;
        }
        from = start + 1;
        let Some((name, is_end)) = element_name(rest) else {
            continue;
        };
        let end = end_of_element_tag(text, start).unwrap_or(text.len());
        from = end;
        if is_end {
            lint.end(&name, start);
        } else {
            lint.element(&name, start..end);
        }
    }
    if rules.is_chinese {
        lint.found.extend(absolute_terms(source));
    }
    lint.found
}

/// Looks at the subject.
pub(super) fn subject(source: &Source, rules: Rules) -> Vec<Problem> {
    let text = source.text.as_str();
    let mut found = Vec::new();
    let mut plain = text.to_owned();
    for tag in tags::find(text).into_iter().rev() {
        plain.replace_range(tag.range, "");
    }
    let letters = plain.chars().filter(|c| c.is_alphabetic());
    let (upper, lower) = letters.fold((0, 0), |(upper, lower), c| {
        (
            upper + i32::from(c.is_uppercase()),
            lower + i32::from(c.is_lowercase()),
        )
    });
    let whole = 0..text.len();
    if upper >= 8 && lower * 4 < upper {
        found.push(
            source
                .problem(whole.clone(), "a subject in capitals")
                .hint("filters take it for shouting"),
        );
    }
    if ["!!", "！！", "$$$", "???"]
        .iter()
        .any(|marks| plain.contains(marks))
    {
        found.push(
            source
                .problem(whole.clone(), "marks one after another in the subject")
                .hint("filters count them"),
        );
    }
    let start = plain.trim_start().to_lowercase();
    if ["re:", "fw:", "fwd:", "回复:", "回复：", "转发:", "转发："]
        .iter()
        .any(|fake| start.starts_with(fake))
    {
        let problem = source.problem(whole, "a subject that pretends to be an answer");
        found.push(problem.hint("CAN-SPAM forbids subjects that deceive; mailboxes mark them as spam"));
    }
    if rules.is_chinese {
        found.extend(absolute_terms(source));
    }
    found
}

fn absolute_terms(source: &Source) -> Vec<Problem> {
    let text = source.text.as_str();
    let is_in_tag = |at: usize| tags::find(text).iter().any(|tag| tag.range.contains(&at));
    let mut found = Vec::new();
    for term in ABSOLUTE {
        if let Some((at, _)) = text.match_indices(term).find(|(at, _)| !is_in_tag(*at)) {
            let problem = source.problem(at..at + term.len(), format!("`{term}`: an absolute term"));
            found.push(
                problem.hint("China's advertising law, article 9, forbids them; say what can be proved"),
            );
        }
    }
    found
}

struct Lint<'a> {
    source: &'a Source,
    found: Vec<Problem>,
    /// The link that is open: where its address stands, its host, and where its text begins.
    link: Option<(Range<usize>, String, usize)>,
}

impl Lint<'_> {
    fn say(&mut self, range: Range<usize>, what: impl Into<String>, why: &str) {
        self.found.push(self.source.problem(range, what).hint(why));
    }

    fn element(&mut self, name: &str, range: Range<usize>) {
        let element = self.source.text.get(range.clone()).unwrap_or_default().to_owned();
        let start = range.start..range.start + 1 + name.len();
        match name {
            "img" | "mj-image" => {
                let src = attribute(&element, "src").unwrap_or_default().trim();
                if attribute(&element, "alt").is_none() {
                    let why = "people who do not load images, or cannot see them, get nothing; `alt=\"\"` for decoration";
                    self.say(start, "an image without `alt`", why);
                }
                if src.starts_with("data:") {
                    let why = "Gmail and Outlook do not show them; name the file, and it goes with the mail";
                    self.say(range.clone(), "an image as `data:`", why);
                }
                self.address(&element, &range, "src");
            }
            "a" | "mj-button" | "area" => {
                self.address(&element, &range, "href");
                if name == "a" {
                    let href = attribute(&element, "href").unwrap_or_default();
                    self.link = host(href).map(|host| (range.clone(), host, range.end));
                }
            }
            name if FORBIDDEN.contains(&name) => {
                let why = "mail programs take it out, and filters distrust the mail";
                self.say(start, format!("`<{name}>` in a mail"), why);
            }
            _ => {}
        }
    }

    fn address(&mut self, element: &str, range: &Range<usize>, name: &str) {
        let Some(value) = attribute(element, name) else {
            return;
        };
        let at = range.start + (value.as_ptr() as usize - element.as_ptr() as usize);
        let place = at..at + value.len();
        if value.trim().to_ascii_lowercase().starts_with("http://") {
            self.say(
                place.clone(),
                "an address without https",
                "mailboxes warn of it, and anyone on the way can change it",
            );
        }
        if let Some(host) = host(value).filter(|host| SHORTENERS.contains(&host.as_str())) {
            let why = "filters distrust shortened links; write where it leads";
            self.say(place, format!("a link by way of {host}"), why);
        }
    }

    /// The text of a link that names a host should lead there.
    fn end(&mut self, name: &str, start: usize) {
        if name != "a" {
            return;
        }
        let Some((_, host_of_link, from)) = self.link.take() else {
            return;
        };
        let shown = self.source.text.get(from..start).unwrap_or_default();
        let text: String = without_elements(shown);
        let text = text.trim();
        let is_address = !text.contains(char::is_whitespace) && text.contains('.') && !text.contains("{{");
        let shown_host = if text.contains("://") {
            host(text)
        } else {
            host(&format!("https://{text}"))
        };
        let bare = |host: &str| host.trim_start_matches("www.").to_owned();
        if let Some(shown_host) = shown_host.filter(|shown| is_address && is_host(shown))
            && bare(&shown_host) != bare(&host_of_link)
        {
            let what = format!("the text of this link says {shown_host}, and it leads to {host_of_link}");
            self.say(
                from..start,
                what,
                "that is how phishing looks, and filters know it",
            );
        }
    }
}

fn without_elements(html: &str) -> String {
    let mut text = String::new();
    let mut rest = html;
    while let Some((before, after)) = rest.split_once('<') {
        text.push_str(before);
        rest = after.split_once('>').map_or("", |(_, after)| after);
    }
    text + rest
}

/// The host of an address of the web; none when a tag makes it.
fn host(address: &str) -> Option<String> {
    let address = unescape(address.trim());
    let (scheme, rest) = address.split_once("://")?;
    if !matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https") {
        return None;
    }
    let host = rest.split(['/', '?', '#', ':']).next()?;
    (!host.is_empty() && !host.contains('{')).then(|| host.to_ascii_lowercase())
}

fn is_host(text: &str) -> bool {
    let is_label = |label: &str| !label.is_empty() && label.chars().all(|c| c.is_alphanumeric() || c == '-');
    let last = text.rsplit('.').next().unwrap_or_default();
    text.contains('.')
        && text.split('.').all(is_label)
        && last.len() > 1
        && last.chars().all(char::is_alphabetic)
}

/// Variables that stand in a template by themselves, without anything for a cell that is empty.
pub(super) fn bare_variables(source: &Source) -> BTreeSet<String> {
    let text = source.text.as_str();
    let all = tags::find(text);
    let asked: BTreeSet<&str> = all
        .iter()
        .filter(|tag| tag.kind == Kind::Open)
        .flat_map(|tag| tag.inner(text).split_whitespace().skip(1))
        .collect();
    let bare = all
        .iter()
        .filter(|tag| tag.kind == Kind::Expression)
        .map(|tag| tag.inner(text).trim());
    let is_name =
        |name: &&str| !name.contains(char::is_whitespace) || (name.starts_with('[') && name.ends_with(']'));
    bare.filter(is_name)
        .filter(|name| !asked.contains(name))
        .map(|name| name.trim_start_matches('[').trim_end_matches(']').to_owned())
        .collect()
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

    #[test]
    fn what_hurts_is_found_with_its_place() {
        for (template, expected) in [
            ("<p>\n<img src=\"a.png\">", vec!["2:1 an image without `alt`"]),
            (
                "<img alt=\"\" src=\"data:image/png;base64,AA\">",
                vec!["1:1 an image as `data:`"],
            ),
            (
                "<a href=\"http://a.example/\">x</a>",
                vec!["1:10 an address without https"],
            ),
            (
                "<a href=\"https://bit.ly/x\">x</a>",
                vec!["1:10 a link by way of bit.ly"],
            ),
            (
                "<a href=\"https://evil.example\"><b>www.bank.example</b></a>",
                vec!["1:32 the text of this link says www.bank.example, and it leads to evil.example"],
            ),
            ("<script>x</script>", vec!["1:1 `<script>` in a mail"]),
            ("<p>全网第一的茶</p>", vec!["1:4 `全网第一`: an absolute term"]),
            (
                "<mj-image src=\"https://a.example/x.png\" />",
                vec!["1:1 an image without `alt`"],
            ),
        ] {
            assert_eq!(said(template), expected, "{template}");
        }
    }

    #[test]
    fn what_is_fine_is_left_alone() {
        for template in [
            "<img src=\"a.png\" alt=\"tea\"><a href=\"https://www.a.example/x?y=1\">a.example</a>",
            "<a href=\"{{unsubscribe_url}}\">Unsubscribe</a><a href=\"mailto:a@b.example\">a@b.example</a>",
            "<!-- <script> <img src=x> --><a href=\"https://a.example\">Read more.</a>",
            "<a href=\"https://a.example\">v1.2</a>",
        ] {
            assert_eq!(said(template), [""; 0], "{template}");
        }
    }

    #[test]
    fn subjects_that_shout_or_deceive_are_found() {
        let said = |text: &str| subject(&Source::new(Path::new("c.toml"), text), Rules::default()).len();
        assert_eq!(said("GREAT SALE FOR {{name}}"), 1);
        assert_eq!(said("Re: your order"), 1);
        assert_eq!(said("Now!!!"), 1);
        assert_eq!(said("Spring is here, {{NAME}}"), 0);
        assert_eq!(said("春天来了"), 0);
    }

    #[test]
    fn variables_that_may_be_empty_are_those_that_nothing_guards() {
        let source = Source::new(
            Path::new("x"),
            "{{a}} {{default b \"x\"}} {{#if c}}{{c}}{{/if}} {{{d}}} {{[First Name]}}",
        );
        let names: Vec<String> = bare_variables(&source).into_iter().collect();
        assert_eq!(names, ["First Name", "a", "d"]);
    }
}
