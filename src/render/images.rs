//! Images that stand beside the template: the HTML shows them from within the mail, by Content-ID.

use std::ops::Range;

use super::html::{elements, unescape};

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
    let found = elements(html).filter(|element| element.name == "img" && !element.is_end);
    let local = found.filter_map(|element| {
        let (src, range) = element.attribute("src")?;
        is_local(src).then(|| LocalImage {
            range,
            path: unescape(src.trim()).replace("%20", " "),
        })
    });
    local.collect()
}

/// A path: no scheme, no host, and no tag where the scheme would stand.
pub(super) fn is_local(src: &str) -> bool {
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
