//! Do people see how to leave, and who sends? A footer that is hidden by its style is none: the laws of the United States
//! and others want both to be clear and conspicuous (15 USC 7704(a)(3) and (5)).
//!
//! Only what can be told is judged: styles of the elements around it, after those of `<style>` were written into them.

use std::collections::BTreeMap;
use std::ops::Range;

use super::engine::Prepared;
use super::found::Parsed;
use super::html::{Element, elements};
use super::tags::{self, Kind, Tag};
use super::{css, footer, style};
use crate::campaign::Problem;
use crate::mail::message::is_in_comment;
use crate::text;
use crate::words::Text;

/// Elements that are never shown, and those without an end tag.
const NOT_SHOWN: [&str; 11] = [
    "head", "iframe", "noscript", "object", "script", "select", "style", "svg", "template", "textarea",
    "title",
];
const VOID: [&str; 10] = [
    "area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source",
];

/// What every mail must show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Must {
    Leave,
    Postal,
}

impl Must {
    const ALL: [Self; 2] = [Self::Leave, Self::Postal];

    fn variable(self) -> &'static str {
        match self {
            Self::Leave => "unsubscribe_url",
            Self::Postal => "postal_address",
        }
    }

    fn in_words(self) -> Text {
        match self {
            Self::Leave => text!("the way to leave"),
            Self::Postal => text!("the postal address"),
        }
    }
}

/// A problem for each of them that a template and its partials have, and nowhere so that it is seen.
pub(super) fn hidden(
    prepared: &BTreeMap<String, Prepared>,
    parsed: &BTreeMap<String, Parsed>,
    main: &str,
) -> Vec<Problem> {
    let mut templates = prepared.clone();
    for prepared in templates.values_mut() {
        if let Some(styled) = style::roughly(&prepared.text) {
            *prepared = std::mem::take(prepared).remade(styled.html, styled.moved);
        }
    }
    let all = find(&templates, main);
    let problem = |must: Must| {
        let mut own = all.iter().filter(|stands| stands.what == must);
        if own.clone().any(|stands| stands.hidden_by.is_none()) {
            return None;
        }
        let first = own.next()?;
        let what = text!(
            "{what} is hidden by {style}",
            what = must.in_words(),
            style = first.hidden_by.as_deref()?
        );
        let source = &parsed.get(&first.template)?.source;
        let problem = templates.get(&first.template)?.problem_at(source, first.at, what);
        Some(problem.hint(text!(
            "every mail must show it; take that away, or write `{{{{{{footer}}}}}}` where it is seen"
        )))
    };
    Must::ALL.into_iter().filter_map(problem).collect()
}

/// A tag that puts something there that must be seen.
struct Stands {
    what: Must,
    /// The template, and the byte in it; of the footer's, the tag that calls it.
    template: String,
    at: usize,
    hidden_by: Option<String>,
}

fn find(templates: &BTreeMap<String, Prepared>, main: &str) -> Vec<Stands> {
    let mut found = Vec::new();
    let start = Call {
        template: main,
        from: None,
        within: Open::default(),
        caller: None,
    };
    follow(templates, &start, &mut found);
    found
}

/// A template that is called, and how things look there.
struct Call<'a> {
    template: &'a str,
    /// For the footer: the template and the place that the user wrote.
    from: Option<(&'a str, usize)>,
    within: Open,
    caller: Option<&'a Call<'a>>,
}

impl Call<'_> {
    /// Is this template called by itself? That is a fault of its own.
    fn is_circle(&self) -> bool {
        let callers = std::iter::successors(self.caller, |call| call.caller);
        callers.into_iter().any(|call| call.template == self.template)
    }
}

fn follow(templates: &BTreeMap<String, Prepared>, call: &Call<'_>, found: &mut Vec<Stands>) {
    let Some(prepared) = templates.get(call.template).filter(|_| !call.is_circle()) else {
        return;
    };
    let text = prepared.text.as_str();
    for (tag, within) in tags_within(text, &call.within) {
        let at = tag.range.start;
        let inner = tag.inner(text).trim();
        let is_footer = inner == footer::INNER;
        if is_footer || tag.kind == Kind::Partial || tag.text(text).starts_with("{{#>") {
            let next = Call {
                template: if is_footer { footer::NAME } else { tag.word(text) },
                from: is_footer.then_some((call.template, at)),
                within,
                caller: Some(call),
            };
            follow(templates, &next, found);
        } else if let Some(what) = Must::ALL.into_iter().find(|must| inner == must.variable()) {
            let (template, at) = call.from.unwrap_or((call.template, at));
            found.push(Stands {
                what,
                template: template.to_owned(),
                at,
                hidden_by: within.hidden_by(),
            });
        }
    }
}

/// The tags of a template, and the innermost element around each.
fn tags_within(html: &str, outside: &Open) -> Vec<(Tag, Open)> {
    let mut open: Vec<Open> = vec![outside.clone()];
    let mut all = elements(html).peekable();
    let mut found = Vec::new();
    for tag in tags::find(html) {
        while let Some(element) = all.next_if(|element| element.range.start < tag.range.start) {
            enter(&mut open, &element, html);
        }
        let mut within = open.last().cloned().unwrap_or_default();
        if is_in_comment(html, tag.range.start) {
            within.hidden_by.get_or_insert_with(|| "a comment".to_owned());
        }
        found.push((tag, within));
    }
    found
}

/// An element that is open, and what is inherited from it.
#[derive(Clone, Debug, Default)]
struct Open {
    name: String,
    hidden_by: Option<String>,
    is_tiny: Option<String>,
    colour: Option<u32>,
    background: Option<u32>,
}

impl Open {
    fn hidden_by(&self) -> Option<String> {
        let is_same = self.colour.is_some() && self.colour == self.background;
        let colour = is_same.then(|| "the colour of what is behind it".to_owned());
        self.hidden_by.clone().or_else(|| self.is_tiny.clone()).or(colour)
    }
}

fn enter(open: &mut Vec<Open>, element: &Element<'_>, html: &str) {
    if element.is_end {
        // The first is what is around the template.
        if let Some(at) = open
            .iter()
            .rposition(|one| one.name == element.name)
            .filter(|at| *at > 0)
        {
            open.truncate(at);
        }
        return;
    }
    if VOID.contains(&element.name.as_str()) || element.text.ends_with("/>") {
        return;
    }
    let mut new = open.last().cloned().unwrap_or_default();
    new.name.clone_from(&element.name);
    if element.name == "a" {
        // Links have a colour of their own.
        new.colour = None;
        if is_empty_link(html, element.range.clone()) {
            new.hidden_by
                .get_or_insert_with(|| "a link without a text".to_owned());
        }
    }
    if NOT_SHOWN.contains(&element.name.as_str()) {
        new.hidden_by
            .get_or_insert_with(|| format!("`<{}>`", element.name));
    }
    if is_marked_hidden(element.text) {
        new.hidden_by.get_or_insert_with(|| "`hidden`".to_owned());
    }
    if let Some((colour, _)) = element.attribute("bgcolor") {
        new.background = css::colour(colour);
    }
    if element.attribute("background").is_some() {
        new.background = None;
    }
    let inherited = open.last().and_then(|parent| parent.colour);
    let (style, _) = element.attribute("style").unwrap_or_default();
    apply(&mut new, &css::rules(style), inherited);
    open.push(new);
}

fn apply(element: &mut Open, rules: &[(String, String)], inherited: Option<u32>) {
    if element.hidden_by.is_none() {
        element.hidden_by = css::hiding(rules);
    }
    for (name, value) in rules {
        match name.as_str() {
            "font-size" | "font" => {
                if let Some(is_tiny) = css::is_tiny(value) {
                    element.is_tiny = is_tiny.then(|| format!("`{name}:{value}`"));
                }
            }
            "color" => {
                element.colour = if value == "inherit" {
                    inherited
                } else {
                    css::colour(value)
                }
            }
            "background" | "background-color" if value != "none" && value != "transparent" => {
                element.background = css::colour(value);
            }
            "background-image" if value != "none" => element.background = None,
            _ => {}
        }
    }
}

/// Has it the attribute `hidden`, with a value or without?
fn is_marked_hidden(element: &str) -> bool {
    let outside_quotes = element.split(['"', '\'']).step_by(2);
    let mut words =
        outside_quotes.flat_map(|piece| piece.split(|c: char| c.is_whitespace() || "=/>".contains(c)));
    words.any(|word| word.eq_ignore_ascii_case("hidden"))
}

/// Is there nothing between the tags of a link?
fn is_empty_link(html: &str, range: Range<usize>) -> bool {
    let mut inside = elements(html).skip_while(|element| element.range.start < range.end);
    let end = inside.find(|element| element.name == "img" || (element.name == "a" && element.is_end));
    let end = end.filter(|element| element.is_end);
    let content = end.and_then(|end| html.get(range.end..end.range.start));
    content.is_some_and(|content| super::html::without_elements(content).trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hidden(html: &str) -> Option<String> {
        let templates = BTreeMap::from([
            ("main".to_owned(), Prepared::new(html.to_owned())),
            (
                "p".to_owned(),
                Prepared::new("<p>{{unsubscribe_url}}</p>".to_owned()),
            ),
            (
                footer::NAME.to_owned(),
                Prepared::new("<i style=\"font:14px/1.6 x\">{{unsubscribe_url}}</i>".to_owned()),
            ),
        ]);
        let found = find(&templates, "main");
        assert_eq!(found.len(), 1, "{html}");
        found.into_iter().next().and_then(|one| one.hidden_by)
    }

    #[test]
    fn what_hides_is_told() {
        for (html, by) in [
            (
                "<p style=\"display: none\">{{unsubscribe_url}}</p>",
                "`display:none`",
            ),
            (
                "<div style=\"VISIBILITY:hidden !important\"><br><p>{{unsubscribe_url}}</div>",
                "`visibility:hidden`",
            ),
            (
                "<td style=\"font-size:0px\"><a href=\"{{unsubscribe_url}}\">x</a></td>",
                "`font-size:0px`",
            ),
            ("<div style=\"display:none\">{{> p}}</div>", "`display:none`"),
            ("<div style=\"display:none\">{{&[@f]}}</div>", "`display:none`"),
            (
                "<div style=\"opacity:0.0\">{{unsubscribe_url}}</div>",
                "`opacity:0.0`",
            ),
            (
                "<td bgcolor=\"#FFF\"><a style=\"color:white\" href=\"{{unsubscribe_url}}\">x</a></td>",
                "the colour of what is behind it",
            ),
            (
                "<p style=\"max-height:0;overflow:hidden\">{{unsubscribe_url}}</p>",
                "`max-height:0`",
            ),
            (
                "<a href=\"{{unsubscribe_url}}\"><span> </span></a>",
                "a link without a text",
            ),
            ("<!-- {{unsubscribe_url}} -->", "a comment"),
            (
                "<p style=\"position:absolute;left:-9999px\">{{unsubscribe_url}}</p>",
                "`left:-9999px`",
            ),
            ("<div hidden><p>{{unsubscribe_url}}</div>", "`hidden`"),
            ("<svg><p>{{unsubscribe_url}}</svg>", "`<svg>`"),
        ] {
            assert_eq!(hidden(html).as_deref(), Some(by), "{html}");
        }
    }

    #[test]
    fn circles_are_not_followed() {
        let circle = Prepared::new("{{> p}}{{> p}}{{postal_address}}".repeat(8));
        assert_eq!(find(&BTreeMap::from([("p".to_owned(), circle)]), "p").len(), 8);
    }

    #[test]
    fn what_may_be_seen_is_left_alone() {
        for html in [
            "<div style=\"display:none\">Preview</div><p>{{unsubscribe_url}}</p>",
            "<td style=\"font-size:0\"><p style=\"font-size:14px\">{{unsubscribe_url}}</p></td>",
            "<td style=\"font-size:0\">{{&[@f]}}</td>",
            "<td bgcolor=\"#fff\" style=\"color:#fff\"><a href=\"{{unsubscribe_url}}\">x</a></td>",
            "<td style=\"color:#fff;background:#fff url(x.png)\">{{unsubscribe_url}}</td>",
            "<p style=\"color:#fff\">{{unsubscribe_url}}</p>",
            "<p style=\"margin-left:-20px;text-indent:-1em\">{{unsubscribe_url}}</p>",
            "<a href=\"{{unsubscribe_url}}\"><img src=\"x\" alt=\"Leave\"></a>",
            "<p hidden-by=\"x\" style=\"{{css}}\">{{unsubscribe_url}}</p>",
        ] {
            assert_eq!(hidden(html), None, "{html}");
        }
    }
}
