//! Faults of MJML that mrml has no place for, or lets pass: elements that do not exist or are not closed, and text where
//! none is shown.

use super::html::{Element, elements};
use super::mjml::{CONTAINERS, Fault};
use super::tags;
use crate::text;
use crate::words::Text;

/// Elements of MJML. Others pass as HTML, which a mistyped `mj-coloumn` is not.
const ELEMENTS: [&str; 32] = [
    "mj-accordion",
    "mj-accordion-element",
    "mj-accordion-text",
    "mj-accordion-title",
    "mj-all",
    "mj-attributes",
    "mj-body",
    "mj-breakpoint",
    "mj-button",
    "mj-carousel",
    "mj-carousel-image",
    "mj-class",
    "mj-column",
    "mj-divider",
    "mj-font",
    "mj-group",
    "mj-head",
    "mj-hero",
    "mj-image",
    "mj-include",
    "mj-navbar",
    "mj-navbar-link",
    "mj-preview",
    "mj-raw",
    "mj-section",
    "mj-social",
    "mj-social-element",
    "mj-spacer",
    "mj-style",
    "mj-table",
    "mj-text",
    "mj-title",
];

/// The first fault.
pub(super) fn fault(mjml: &str) -> Option<Fault> {
    let mut open: Vec<Element<'_>> = Vec::new();
    let mut from = 0;
    for element in elements(mjml).filter(|element| element.name.starts_with("mj")) {
        let within = open.last().map_or("", |open| open.name.as_str());
        let between = from..element.range.start.max(from);
        if let Some(fault) = unknown(&element).or_else(|| lost_text(mjml, within, between)) {
            return Some(fault);
        }
        from = element.range.end;
        if element.is_end {
            match open.pop() {
                Some(start) if start.name == element.name => {}
                Some(start) => {
                    return Some(not_closed(
                        &start,
                        &text!("before `</{name}>`", name = element.name),
                    ));
                }
                None => {
                    return Some(Fault {
                        what: text!("`</{name}>` closes nothing", name = element.name),
                        range: element.range,
                    });
                }
            }
        } else if !element.text.ends_with("/>") {
            open.push(element);
        }
    }
    open.last().map(|start| not_closed(start, &text!("anywhere")))
}

fn not_closed(start: &Element<'_>, where_to: &Text) -> Fault {
    Fault {
        what: text!("`<{name}>` is not closed {where_to}", name = start.name, where_to),
        range: start.head(),
    }
}

/// Text straight in a container is written in letters of no size.
fn lost_text(mjml: &str, within: &str, between: std::ops::Range<usize>) -> Option<Fault> {
    let text = mjml.get(between.clone()).unwrap_or_default();
    if !CONTAINERS.contains(&within) || text.contains('<') {
        return None;
    }
    let mut plain = text.to_owned();
    for tag in tags::find(text) {
        plain.replace_range(tag.range.clone(), &" ".repeat(tag.range.len()));
    }
    let start = plain.len() - plain.trim_start().len();
    let end = plain.trim_end().len();
    (start < end).then(|| Fault {
        what: text!(
            "text in `<{within}>` is not shown; put it into `<mj-text>`",
            within
        ),
        range: between.start + start..between.start + end,
    })
}

fn unknown(element: &Element<'_>) -> Option<Fault> {
    let name = element.name.as_str();
    if ELEMENTS.contains(&name) || matches!(name, "mjml" | "mj-wrapper" | "mj-html-attributes") {
        return None;
    }
    let meant = crate::campaign::closest(name, &ELEMENTS);
    let hint = meant
        .map(|meant| text!("; did you mean `{meant}`?", meant))
        .unwrap_or_default();
    Some(Fault {
        what: text!("there is no MJML element `{name}`{hint}", name, hint),
        range: element.head(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_fault_is_shown_where_it_is() {
        for (mjml, what, at) in [
            (
                "<mjml><mj-body><mj-text>a</mj-body></mjml>",
                "`<mj-text>` is not closed before `</mj-body>`",
                15..23,
            ),
            ("<mjml><mj-body>", "`<mj-body>` is not closed anywhere", 6..14),
            ("<mjml></mjml></mj-body>", "`</mj-body>` closes nothing", 13..23),
            (
                "<mjml><mj-body>{{#if a}} Hi {{a}}{{/if}}</mj-body></mjml>",
                "text in `<mj-body>` is not shown; put it into `<mj-text>`",
                25..27,
            ),
            (
                "<mjml><mj-bodi/></mjml>",
                "there is no MJML element `mj-bodi`; did you mean `mj-body`?",
                6..14,
            ),
        ] {
            let Some(fault) = fault(mjml) else {
                panic!("{mjml}")
            };
            assert_eq!(
                (fault.what.to_string().as_str(), fault.range),
                (what, at),
                "{mjml}"
            );
        }
        let fine = "<mjml><mj-head><mj-font name=\"x\"/></mj-head><mj-body>{{{footer}}}<!-- x --> <mj-text>a<br><p>b</mj-text><mj-raw><i>x</i></mj-raw></mj-body></mjml>";
        assert!(fault(fine).is_none());
    }
}
