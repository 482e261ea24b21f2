//! MJML templates: turned into HTML once, with their Handlebars tags intact.

use super::html::element_name;
use super::protect::{Protected, Restored, protect};
use super::source::offset;
use super::structure;
use crate::text;
use crate::words::Text;

/// Elements that hold other elements and no text: a tag between them must be raw.
pub(super) const CONTAINERS: [&str; 8] = [
    "mjml",
    "mj-body",
    "mj-wrapper",
    "mj-section",
    "mj-group",
    "mj-column",
    "mj-hero",
    "mj-head",
];

/// Why a template cannot be turned into HTML: what, and the bytes of the template that it is about.
pub(super) struct Fault {
    pub(super) what: Text,
    pub(super) range: std::ops::Range<usize>,
}

/// Is this file MJML, by its name?
pub(super) fn is_mjml(path: &std::path::Path) -> bool {
    let name = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .to_lowercase();
    let name = name.strip_suffix(".hbs").unwrap_or(&name);
    name.rsplit_once('.').is_some_and(|(_, ending)| ending == "mjml")
}

/// The HTML of a template.
pub(super) fn to_html(mjml: &str) -> Result<Restored, Fault> {
    let protected = protect(mjml, |token, at| {
        if CONTAINERS.contains(&enclosing(mjml, at).as_str()) {
            format!("<mj-raw>{token}</mj-raw>")
        } else {
            token.to_owned()
        }
    });
    if let Some(fault) = structure::fault(mjml) {
        return Err(fault);
    }
    let parsed = mrml::parse(&protected.html).map_err(|error| explain(&protected, mjml, &error))?;
    let html = parsed
        .element
        .render(&mrml::prelude::render::RenderOptions::default())
        .map_err(|error| Fault {
            what: text!(
                "this MJML cannot be turned into HTML: {error}",
                error = error.to_string()
            ),
            range: 0..0,
        })?;
    let restored = protected.restore(&html, mjml);
    for (tag, _) in &protected.tags {
        if !restored
            .moved
            .iter()
            .any(|(_, before)| *before == tag.range.start)
        {
            return Err(Fault {
                what: text!("MJML leaves out what stands here"),
                range: tag.range.clone(),
            });
        }
    }
    Ok(restored)
}

/// The element in which something stands.
fn enclosing(mjml: &str, at: usize) -> String {
    let mut open: Vec<String> = Vec::new();
    let before = mjml.get(..at).unwrap_or_default();
    let mut from = 0;
    while let Some(start) = before
        .get(from..)
        .and_then(|rest| rest.find('<'))
        .map(|found| from + found)
    {
        let rest = before.get(start..).unwrap_or_default();
        if rest.starts_with("<!--") {
            from = rest.find("-->").map_or(before.len(), |end| start + end + 3);
            continue;
        }
        let end = super::html::end_of_element_tag(before, start).unwrap_or(before.len());
        if let Some((name, is_end)) = element_name(rest) {
            let is_empty = before.get(..end).is_some_and(|tag| tag.ends_with("/>"));
            if is_end {
                open.pop();
            } else if !is_empty {
                open.push(name);
            }
        }
        from = end.max(start + 1);
    }
    open.pop().unwrap_or_default()
}

fn explain(protected: &Protected, mjml: &str, error: &mrml::prelude::parser::Error) -> Fault {
    use mrml::prelude::parser::Error;
    let (what, span) = match error {
        Error::UnexpectedElement { position, .. } => {
            (text!("this element cannot stand here"), Some(position))
        }
        Error::UnexpectedToken { position, .. } => (text!("this is not MJML"), Some(position)),
        Error::MissingAttribute { position, .. } => (text!("an attribute is missing"), Some(position)),
        Error::InvalidAttribute { position, .. } => (text!("this attribute cannot be read"), Some(position)),
        Error::InvalidFormat { position, .. } => (text!("this cannot be read"), Some(position)),
        Error::IncludeLoaderError { position, .. } => (
            text!("`mj-include` is not read; write `{{{{> name}}}}` for a partial of HTML"),
            Some(position),
        ),
        Error::ParserError { source, .. } => {
            let at = source.pos();
            let (row, column) = (at.row as usize, at.col as usize);
            let start = protected
                .source_offset(offset(&protected.html, row, column))
                .min(mjml.len());
            let what =
                text!("this MJML cannot be read from here on: values stand in quotes, and tags end with `>`");
            return Fault {
                what,
                range: start..start,
            };
        }
        Error::EndOfStream { .. } => (text!("an element is not closed"), None),
        Error::NoRootNode => (text!("there is no `<mjml>`"), None),
        Error::SizeLimit { .. } => (text!("this MJML is too large"), None),
    };
    let range = span.map_or(0..0, |span| {
        let start = protected.source_offset(span.start);
        start..protected.source_offset(span.end).clamp(start, mjml.len())
    });
    Fault { what, range }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAIL: &str = "<mjml><mj-head><mj-title>{{subject}}</mj-title></mj-head><mj-body>\n\
        {{#if is_vip}}<mj-section><mj-column><mj-text>Hello {{name}}</mj-text></mj-column></mj-section>{{/if}}\n\
        <mj-section>{{#each goods}}<mj-column><mj-button href=\"{{url}}\">{{title}}</mj-button></mj-column>{{/each}}</mj-section>\n\
        </mj-body></mjml>";

    #[test]
    fn every_tag_is_still_there_in_its_order() {
        let Ok(made) = to_html(MAIL) else {
            panic!("not made")
        };
        let tags = |text: &str| -> Vec<String> {
            super::super::tags::find(text)
                .iter()
                .map(|tag| tag.text(text).to_owned())
                .collect()
        };
        // The title stands in an attribute as well.
        let mut found = tags(&made.html);
        found.dedup();
        assert_eq!(found, tags(MAIL));
        assert!(made.html.contains("<table"), "{}", made.html);
        assert!(made.html.contains("Hello {{name}}"));
        assert!(made.html.contains("href=\"{{url}}\""));
    }

    #[test]
    fn faults_are_shown_where_they_stand() {
        for (mjml, what, at) in [
            (
                "<mjml><mj-body>{{a}}<mj-carpet></mj-carpet></mj-body></mjml>",
                "there is no MJML element `mj-carpet`",
                "mj-carpet",
            ),
            ("<p>{{a}}</p>", "this is not MJML", ""),
            (
                "<mjml><mj-body><mj-image alt={{a}} src=a></mj-image></mj-body></mjml>",
                "this MJML cannot be read from here on",
                "",
            ),
            (
                "<mjml><mj-body><mj-section>{{a}}</mj-body></mjml>",
                "`<mj-section>` is not closed before `</mj-body>`",
                "<mj-section",
            ),
        ] {
            let Err(fault) = to_html(mjml) else {
                panic!("{mjml}")
            };
            assert!(fault.what.to_string().starts_with(what), "{mjml}: {}", fault.what);
            assert!(
                mjml.get(fault.range.clone()).unwrap().contains(at),
                "{:?}",
                fault.range
            );
        }
    }
}
