//! CSS, written into the elements it is for: many mail programs drop `<style>`.
//!
//! Once per template where that changes nothing else: the tags are taken out first, since a parser of HTML moves
//! `{{#each}}` out of a table and takes attributes apart. Where it cannot be told beforehand what a rule matches, or
//! what came back is not the same document, every mail is done by itself, which takes a third of a millisecond.

use css_inline::{CSSInliner, InlineOptions};

use super::protect::{Place, Restored, protect};
use super::tags::{self, Kind, Tag};

/// Selectors that look at what stands beside an element: blocks change it from mail to mail.
const OF_SIBLINGS: [&str; 8] = [":first", ":last", ":nth", ":only", ":empty", "+", "~", ":has("];

/// What to do with the styles of one template.
pub(super) enum Styling {
    /// There is nothing to be written into elements.
    Nothing,
    /// Done.
    Once(Restored),
    /// Every mail by itself.
    EachMail,
}

/// Is there a `<style>`?
pub(super) fn has_styles(html: &str) -> bool {
    html.to_ascii_lowercase().contains("<style")
}

/// Writes the styles of a template into its elements, if that can be done for all mails at once.
pub(super) fn once(html: &str) -> Styling {
    if !has_styles(html) {
        return Styling::Nothing;
    }
    let protected = protect(html, |token, _| format!("<!--{token}-->"));
    let is_clear = protected.tags.iter().all(|(tag, place)| {
        matches!(
            place,
            Place::Text | Place::Comment | Place::RawText | Place::Value
        ) && tag.kind != Kind::Partial
    });
    let has_values = protected.tags.iter().any(|(_, place)| *place == Place::Value);
    // What we put in ourselves, footer and preheader, brings its own styles.
    let brings_elements = |(tag, place): &(Tag, Place)| {
        let text = tag.text(html);
        *place == Place::Text && (text.starts_with("{{{") || text.starts_with("{{&")) && !text.contains('@')
    };
    if !is_clear
        || (protected.has_blocks() && has_selector(html, &OF_SIBLINGS))
        || (has_values && has_selector(html, &["["]))
        || protected.tags.iter().any(brings_elements)
    {
        return Styling::EachMail;
    }
    let Ok(made) = each(&protected.html) else {
        return Styling::EachMail;
    };
    let restored = protected.restore(&made, html);
    let is_same =
        restored.is_whole && is_same_order(html, &restored.html) && are_blocks_whole(&restored.html);
    if is_same {
        Styling::Once(restored)
    } else {
        Styling::EachMail
    }
}

/// Writes the styles of a template into its elements as well as can be, to be looked at and not to be sent.
pub(super) fn roughly(html: &str) -> Option<Restored> {
    if !has_styles(html) {
        return None;
    }
    let protected = protect(html, |token, _| format!("<!--{token}-->"));
    let made = each(&protected.html).ok()?;
    Some(protected.restore(&made, html))
}

/// Writes the styles of one mail into its elements.
pub(super) fn each(html: &str) -> Result<String, css_inline::InlineError> {
    let options = InlineOptions {
        // What cannot be written into elements, such as media queries and `:hover`, stays there.
        keep_style_tags: true,
        keep_link_tags: true,
        load_remote_stylesheets: false,
        ..InlineOptions::default()
    };
    CSSInliner::new(options).inline(html)
}

/// Has a selector one of these signs?
fn has_selector(html: &str, signs: &[&str]) -> bool {
    let lower = html.to_ascii_lowercase();
    let styles = lower
        .split("<style")
        .skip(1)
        .filter_map(|rest| rest.split("</style").next());
    styles.into_iter().any(|css| {
        let selectors = css.split('}').filter_map(|rule| rule.split('{').next());
        selectors
            .into_iter()
            .any(|selector| signs.iter().any(|sign| selector.contains(sign)))
    })
}

/// What a document is made of, in its order.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Start(String),
    End(String),
    /// Something that people see.
    Text,
    /// A tag between elements, by its number.
    Tag(usize),
}

/// Goes through a document piece by piece.
fn pieces(html: &str) -> Vec<Piece> {
    let tags = tags::find(html);
    let mut pieces = Vec::new();
    let mut waiting = tags.iter().enumerate().peekable();
    let mut at = 0;
    while at < html.len() {
        if let Some((number, tag)) = waiting.next_if(|(_, tag)| tag.range.start <= at) {
            pieces.push(Piece::Tag(number));
            at = at.max(tag.range.end);
            continue;
        }
        let next_tag = waiting.peek().map_or(html.len(), |(_, tag)| tag.range.start);
        let rest = html.get(at..).unwrap_or_default();
        let named = rest
            .starts_with('<')
            .then(|| super::html::element_name(rest))
            .flatten();
        if rest.starts_with("<!--") {
            at = rest.find("-->").map_or(html.len(), |end| at + end + 3);
        } else if let Some((name, is_end)) = named {
            at = super::html::end_of_element_tag(html, at).unwrap_or(html.len());
            if matches!(name.as_str(), "style" | "script" | "title") && !is_end {
                let close = html.get(at..).and_then(|rest| rest.find("</"));
                at = close.map_or(html.len(), |close| at + close);
            }
            pieces.push(if is_end {
                Piece::End(name)
            } else {
                Piece::Start(name)
            });
        } else {
            let open = rest
                .get(1..)
                .and_then(|rest| rest.find('<'))
                .map_or(html.len(), |found| at + 1 + found);
            let end = open.min(next_tag).max(at + 1);
            let text = html.get(at..end).unwrap_or_default();
            if !text.trim().is_empty() && !text.starts_with("<!") && pieces.last() != Some(&Piece::Text) {
                pieces.push(Piece::Text);
            }
            at = end;
        }
        // Tags inside what was passed belong to it.
        while waiting.next_if(|(_, tag)| tag.range.start < at).is_some() {}
    }
    pieces
}

/// Does everything that people see stand in the same order, beside the same tags? A parser of HTML moves what it does
/// not expect in a table out of it, and away from the block it belongs to.
fn is_same_order(before: &str, after: &str) -> bool {
    let seen = |html: &str| -> Vec<Piece> {
        let is_seen = |piece: &Piece| match piece {
            // These a parser adds where they were left out.
            Piece::Start(name) => !matches!(name.as_str(), "html" | "head" | "body" | "tbody" | "colgroup"),
            Piece::End(_) => false,
            Piece::Text | Piece::Tag(_) => true,
        };
        pieces(html).into_iter().filter(is_seen).collect()
    };
    seen(before) == seen(after)
}

/// Does every block begin, divide and end in the same element, and does no value stand where only rows and cells may?
fn are_blocks_whole(html: &str) -> bool {
    let tags = tags::find(html);
    let mut elements: Vec<(usize, String)> = vec![(0, String::new())];
    let mut blocks: Vec<usize> = Vec::new();
    for (count, piece) in pieces(html).into_iter().enumerate() {
        match piece {
            Piece::Start(name) if VOID.contains(&name.as_str()) => {}
            Piece::Start(name) => elements.push((count + 1, name)),
            Piece::End(name) => {
                if elements.last().is_some_and(|(_, open)| *open == name) {
                    elements.pop();
                }
            }
            Piece::Text => {}
            Piece::Tag(number) => {
                let (Some((here, name)), Some(tag)) = (elements.last(), tags.get(number)) else {
                    return false;
                };
                let is_whole = match tag.kind {
                    Kind::Open => {
                        blocks.push(*here);
                        true
                    }
                    Kind::Close => blocks.pop() == Some(*here),
                    Kind::Else => blocks.last() == Some(here),
                    _ => !TABLES.contains(&name.as_str()),
                };
                if !is_whole {
                    return false;
                }
            }
        }
    }
    blocks.is_empty()
}

/// Elements that hold rows, cells and columns, and no text.
const TABLES: [&str; 6] = ["table", "tbody", "thead", "tfoot", "tr", "colgroup"];
/// Elements without an end.
const VOID: [&str; 14] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
    "wbr",
];

#[cfg(test)]
mod tests {
    use handlebars::Handlebars;
    use proptest::prelude::*;
    use serde_json::json;

    use super::super::footer;
    use super::*;

    const CSS: &str = "<style>p { color: red } .big { font-size: 20px } td { padding: 4px } a:hover { color: blue } \
                       @media (max-width: 600px) { td { width: 100% } }</style>";

    /// Templates as people write them, with what the parser of HTML would do harm to.
    fn corpus() -> Vec<String> {
        let bodies = [
            "<p>Hello {{name}}</p>",
            "<table><tbody>{{#each goods}}<tr><td>{{title}}</td></tr>{{/each}}</tbody></table>",
            "<table>{{#each goods}}<tr><td class=\"big\">{{title}}</td></tr>{{/each}}</table>",
            "<table><tr>{{#if vip}}<td>yes</td>{{else}}<td>no</td>{{/if}}</tr></table>",
            "<ul>{{#each goods}}<li><a href=\"{{url}}?a=1&amp;b=2\">{{title}}</a></li>{{/each}}</ul>",
            "<p class=\"{{#if vip}}big{{/if}}\">x</p>",
            "<td {{#if vip}}class=\"big\"{{/if}}>x</td>",
            "<p style=\"color: {{colour}}\">x</p>",
            "<select>{{#each goods}}<option>{{title}}</option>{{/each}}</select>",
            "<!--[if mso]><p>{{name}}</p><![endif]--><p>{{{html}}}</p>",
            "<p>{{#if vip}}<b>very{{/if}}</b> {{name}}</p>",
            "{{#if vip}}<div>{{/if}}<p>{{name}}</p>{{#if vip}}</div>{{/if}}",
            "<img src=\"{{url}}\" alt=\"{{name}}\"><br/><p>5 &lt; 6 &amp; {{name}} &nbsp;\\{{name}}</p>",
        ];
        let whole = |body: &&str| {
            format!(
                "<!DOCTYPE html><html><head><title>{{{{name}}}}</title>{CSS}</head><body>{body}</body></html>"
            )
        };
        bodies.iter().map(whole).collect()
    }

    fn render(template: &str, is_vip: bool, goods: usize) -> String {
        let goods: Vec<_> = (0..goods)
            .map(|n| json!({ "title": format!("T{n} <b>"), "url": "https://a.example/" }))
            .collect();
        let data = json!({
            "name": "Li & \"Lei\"", "vip": is_vip, "goods": goods, "url": "https://b.example/?x=1&y=2",
            "colour": "green", "html": "<i>raw</i>",
        });
        let mut registry = Handlebars::new();
        registry.register_escape_fn(crate::render::escape_html);
        registry.render_template(template, &data).unwrap()
    }

    /// As a parser of HTML sees it.
    fn parsed(html: &str) -> String {
        each(html).unwrap()
    }

    #[test]
    fn what_values_decide_is_styled_in_each_mail() {
        let is_once = |css: &str, body: &str| {
            let html = format!("<html><head><style>{css}</style></head><body>{body}</body></html>");
            matches!(once(&html), Styling::Once(_))
        };
        let link = "<a href=\"{{url}}\">x</a>";
        assert!(is_once("a { color: red }", link));
        assert!(!is_once("a:not([href^=\"https\"]) { color: red }", link));
        assert!(!is_once("p { color: red }", "<p>x</p>{{{html}}}"));
        assert!(is_once("p { color: red }", &format!("<p>x</p>{}", footer::TAG)));
    }

    #[test]
    fn styled_then_rendered_is_rendered_then_styled() {
        let mut once_for_all = 0;
        for template in corpus() {
            let Styling::Once(made) = once(&template) else {
                continue;
            };
            once_for_all += 1;
            for (is_vip, goods) in [(true, 0), (false, 1), (true, 3)] {
                let ahead = render(&made.html, is_vip, goods);
                let after = each(&render(&template, is_vip, goods)).unwrap();
                assert_eq!(parsed(&ahead), parsed(&after), "{template}");
                assert!(ahead.contains("style=\"") || !ahead.contains("<p"), "{ahead}");
            }
        }
        assert!(once_for_all >= 5, "{once_for_all}");
    }

    proptest! {
        #[test]
        fn any_template_is_styled_alike_or_for_each_mail(
            pieces in prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..14)
        ) {
            let template = format!("<html><head>{CSS}</head><body>{}</body></html>", pieces.concat());
            let is_template = Handlebars::new().register_template_string("t", &template).is_ok();
            if let Styling::Once(made) = once(&template) && is_template {
                for (is_vip, goods) in [(true, 0), (false, 2)] {
                    let ahead = render(&made.html, is_vip, goods);
                    let after = each(&render(&template, is_vip, goods)).unwrap();
                    prop_assert_eq!(parsed(&ahead), parsed(&after), "{}", template);
                }
            }
        }

        #[test]
        fn no_text_makes_it_panic(html in "(<style>p\\{\\}</style>|[<>/a-z =\"'{}#!-]{0,6}|\\PC{0,3}){0,12}") {
            let _any = once(&html);
        }
    }

    /// Pieces of templates, that may be put together in any way.
    const PIECES: [&str; 22] = [
        "<table>",
        "</table>",
        "<tbody>",
        "</tbody>",
        "<tr>",
        "</tr>",
        "<td class=\"big\">",
        "</td>",
        "<p>",
        "</p>",
        "<div>",
        "</div>",
        "text",
        "{{name}}",
        "{{#if vip}}",
        "{{else}}",
        "{{/if}}",
        "{{#each goods}}",
        "{{/each}}",
        "{{{html}}}",
        "<a href=\"{{url}}\">x</a>",
        "<!-- {{name}} -->",
    ];

    #[test]
    fn what_cannot_be_told_beforehand_is_done_for_each_mail() {
        for body in [
            "<p class=\"{{c}}\">x</p>",
            "<td {{#if vip}}class=\"big\"{{/if}}>x</td>",
            "<p style=\"color: {{colour}}\">x</p>",
            "{{> header}}<p>x</p>",
            "<p>{{#if vip}}<b>very{{/if}}</b></p>",
        ] {
            let template = format!("<html><head>{CSS}</head><body>{body}</body></html>");
            assert!(matches!(once(&template), Styling::EachMail), "{body}");
        }
        let rows = "<style>tr:nth-child(even) { color: red }</style><table>{{#each goods}}<tr></tr>{{/each}}</table>";
        assert!(matches!(once(rows), Styling::EachMail));
        assert!(matches!(
            once("<p style='color:red'>{{name}}</p>"),
            Styling::Nothing
        ));
    }
}
