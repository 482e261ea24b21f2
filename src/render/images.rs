//! Images that stand beside the template: the HTML shows them from within the mail, by Content-ID.

use std::ops::Range;

use super::html::{attribute, element_name, end_of_element_tag, unescape};

/// An image of the HTML that is a file of ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LocalImage {
    /// The value of `src`, without quotes.
    pub(super) range: Range<usize>,
    /// The file.
    pub(super) path: String,
}

/// All images whose `src` is a path and no address of the web.
pub(super) fn find(html: &str) -> Vec<LocalImage> {
    let mut images = Vec::new();
    let mut from = 0;
    while let Some(start) = html
        .get(from..)
        .and_then(|rest| rest.find('<'))
        .map(|found| from + found)
    {
        from = start + 1;
        let rest = html.get(start..).unwrap_or_default();
        if rest.starts_with("<!--") {
            from = rest.find("-->").map_or(html.len(), |end| start + end + 3);
            continue;
        }
        if element_name(rest).is_none_or(|(name, is_end)| name != "img" || is_end) {
            continue;
        }
        let Some(end) = end_of_element_tag(html, start) else {
            continue;
        };
        from = end;
        let element = html.get(start..end).unwrap_or_default();
        let Some(src) = attribute(element, "src") else {
            continue;
        };
        if !is_local(src) {
            continue;
        }
        let at = start + (src.as_ptr() as usize - element.as_ptr() as usize);
        images.push(LocalImage {
            range: at..at + src.len(),
            path: unescape(src.trim()).replace("%20", " "),
        });
    }
    images
}

/// A path: no scheme, no host, and no tag where the scheme would stand.
fn is_local(src: &str) -> bool {
    let src = src.trim();
    let scheme = src.split_once(':').map(|(scheme, _)| scheme);
    let is_scheme = scheme.is_some_and(|scheme| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    !src.is_empty() && !is_scheme && !src.starts_with("//") && !src.starts_with("{{") && !src.starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_files_of_ours_are_found() {
        let html = "<img src=\"logo.png\"><IMG alt='x' src='images/a b.png' /><img src=https://a.b/c.png>\
                    <img src=\"cid:x\"><img src=\"data:image/png;base64,AA\"><img src=\"//cdn.b/c.png\"><img src=\"{{photo}}\">\
                    <!-- <img src=\"old.png\"> --><img src=\"p/{{sku}}.png\"><img>";
        let found: Vec<(&str, String)> = find(html)
            .into_iter()
            .map(|image| (html.get(image.range).unwrap(), image.path))
            .collect();
        assert_eq!(
            found,
            [
                ("logo.png", "logo.png".to_owned()),
                ("images/a b.png", "images/a b.png".to_owned()),
                ("p/{{sku}}.png", "p/{{sku}}.png".to_owned()),
            ]
        );
    }
}
