//! Says in the HTML which language a mail is in and which way it is written. Screen readers and translators ask for the
//! first; without the second, a mail stands as the mailbox around it does.

use std::collections::BTreeMap;

use super::engine::Prepared;
use super::html::elements;
use super::{escape_html, footer};
use crate::mail::message::is_in_comment;

/// Languages that are written from right to left, by themselves or in these scripts.
const RIGHT_TO_LEFT: [&str; 12] = [
    "ar", "arc", "ckb", "dv", "fa", "he", "iw", "ps", "sd", "ug", "ur", "yi",
];
const RIGHT_TO_LEFT_SCRIPTS: [&str; 3] = ["arab", "hebr", "thaa"];

/// Says it in `<html>`, else in `<body>`, wherever these stand. Where they stand nowhere, an element is put around the
/// whole: it is also what is left when a web mailbox takes `<html>` out.
pub(super) fn say(templates: &mut BTreeMap<String, Prepared>, main: &str, lang: &str) {
    if let Some(prepared) = templates.get_mut(main) {
        say_in_mjml(prepared, lang);
    }
    let others = templates.keys().filter(|name| *name != main);
    let names: Vec<String> = std::iter::once(main.to_owned()).chain(others.cloned()).collect();
    for outermost in ["html", "body"] {
        for name in &names {
            if let Some(prepared) = templates.get_mut(name)
                && say_in(prepared, outermost, lang)
            {
                return;
            }
        }
    }
    if let Some(prepared) = templates.get_mut(main) {
        say_around(prepared, lang);
    }
}

/// MJML writes `und` and `auto` when it is not told, in `<html>` and in the body.
fn say_in_mjml(prepared: &mut Prepared, lang: &str) {
    let text = prepared.text.clone();
    let mut unknown: Vec<_> = elements(&text)
        .filter(|element| element.attribute("lang").is_some_and(|(lang, _)| lang == "und"))
        .flat_map(|element| {
            let at = |name: &str, unknown: &str| {
                let found = element.attribute(name).filter(|(said, _)| *said == unknown);
                found.map(|(_, range)| range)
            };
            let dir = at("dir", "auto").map(|range| (range, direction(lang).to_owned()));
            let lang = at("lang", "und").map(|range| (range, escape_html(lang)));
            dir.into_iter().chain(lang)
        })
        .collect();
    unknown.sort_by_key(|(range, _)| std::cmp::Reverse(range.start));
    for (range, value) in unknown {
        prepared.replace(range, &value);
    }
}

fn say_in(prepared: &mut Prepared, outermost: &str, lang: &str) -> bool {
    let text = prepared.text.clone();
    let mut found = elements(&text).filter(|element| element.name == outermost && !element.is_end);
    let Some(element) = found.next() else {
        return false;
    };
    // A template that is in one language for everyone is also written its way.
    let own = element.attribute("lang").map(|(own, _)| own);
    let written = own
        .filter(|own| !own.trim().is_empty() && *own != "und" && !own.contains("{{"))
        .unwrap_or(lang);
    // From the back, so that places stay. MJML writes `und` and `auto` when it is not told.
    for (name, unknown, value) in [
        ("dir", "auto", direction(written)),
        ("lang", "und", &escape_html(lang)),
    ] {
        match element.attribute(name) {
            None => prepared.insert(element.head().end, &format!(" {name}=\"{value}\"")),
            Some((said, range)) if said == unknown => prepared.replace(range, value),
            Some(_) => {}
        }
    }
    true
}

fn say_around(prepared: &mut Prepared, lang: &str) {
    let end = footer::before_body_end(&prepared.text).unwrap_or(prepared.text.trim_end().len());
    prepared.insert(end, "</div>");
    let open = format!("<div lang=\"{}\" dir=\"{}\">", escape_html(lang), direction(lang));
    let start = start_of_body(&prepared.text);
    prepared.insert(start, &open);
}

/// Behind `<!DOCTYPE html>` and a head.
pub(super) fn start_of_body(html: &str) -> usize {
    let heads = elements(html).filter(|element| element.is_end && element.name == "head");
    if let Some(head) = heads.last() {
        return head.range.end;
    }
    let lower = html.to_ascii_lowercase();
    let doctype = lower.find("<!doctype").filter(|at| !is_in_comment(&lower, *at));
    let end = doctype.and_then(|at| lower.get(at..)?.find('>').map(|end| at + end + 1));
    end.unwrap_or(0)
}

fn direction(lang: &str) -> &'static str {
    let lower = lang.to_ascii_lowercase();
    let mut parts = lower.split('-');
    let is_language = parts
        .next()
        .is_some_and(|language| RIGHT_TO_LEFT.contains(&language));
    let is_right_to_left = match parts.next().filter(|part| part.len() == 4) {
        Some(script) => RIGHT_TO_LEFT_SCRIPTS.contains(&script),
        None => is_language,
    };
    if is_right_to_left { "rtl" } else { "ltr" }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(main: &str, partial: &str, lang: &str) -> (String, String) {
        let mut templates = BTreeMap::from([
            ("@html".to_owned(), Prepared::new(main.to_owned())),
            ("layout".to_owned(), Prepared::new(partial.to_owned())),
        ]);
        say(&mut templates, "@html", lang);
        let text = |name: &str| templates[name].text.clone();
        (text("@html"), text("layout"))
    }

    #[test]
    fn language_and_direction_stand_in_the_outermost_element() {
        for (main, lang, expected) in [
            ("<html><p>x", "en", "<html lang=\"en\" dir=\"ltr\"><p>x"),
            (
                "<html lang=\"de\"><p>x",
                "en",
                "<html dir=\"ltr\" lang=\"de\"><p>x",
            ),
            (
                "<html lang=\"de\"><p>x",
                "he",
                "<html dir=\"ltr\" lang=\"de\"><p>x",
            ),
            (
                "<html lang=\"und\" dir=\"auto\"><p>x",
                "ar-EG",
                "<html lang=\"ar-EG\" dir=\"rtl\"><p>x",
            ),
            (
                "<!-- <html> --><body><p>x",
                "he",
                "<!-- <html> --><body lang=\"he\" dir=\"rtl\"><p>x",
            ),
            (
                "<p>x</p>\n",
                "fa",
                "<div lang=\"fa\" dir=\"rtl\"><p>x</p></div>\n",
            ),
            (
                "<!DOCTYPE html>\n<p>x</p>",
                "zh-CN",
                "<!DOCTYPE html><div lang=\"zh-CN\" dir=\"ltr\">\n<p>x</p></div>",
            ),
            (
                "<head><style>p {}</style></head>x",
                "uz-Arab",
                "<head><style>p {}</style></head><div lang=\"uz-Arab\" dir=\"rtl\">x</div>",
            ),
        ] {
            assert_eq!(said(main, "<p>", lang).0, expected);
        }
        let (main, layout) = said("{{#> layout}}x{{/layout}}", "<html><body>", "en");
        assert_eq!(main, "{{#> layout}}x{{/layout}}");
        assert_eq!(layout, "<html lang=\"en\" dir=\"ltr\"><body>");
    }
}
