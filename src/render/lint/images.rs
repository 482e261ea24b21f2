//! Images: those that are not shown, or not to everyone.

use std::ops::Range;

use super::super::html::Element;
use super::super::images::is_local;
use super::Lint;

use crate::text;
use crate::words::Text;

const AS_DATA: Text =
    text!("Gmail and Outlook do not show them; name the file in `<img src>`, and it goes with the mail");
const NOT_SENT: Text = text!(
    "only images in `<img src>` go with the mail; give the whole address of one on the web, `https://…`"
);

impl Lint<'_> {
    pub(super) fn images(&mut self, element: &Element<'_>) {
        if matches!(element.name.as_str(), "img" | "mj-image" | "mj-carousel-image") {
            self.image(element);
        }
        for name in ["background", "background-url"] {
            if let Some((value, place)) = element.attribute(name).filter(|(value, _)| !is_plain_css(value)) {
                self.beside(value, place);
            }
        }
        if let Some((set, place)) = element.attribute("srcset") {
            let addresses = set.split(',').filter_map(|one| one.split_whitespace().next());
            if let Some(bad) = addresses
                .into_iter()
                .find(|address| !address.starts_with("https://"))
            {
                self.beside(bad, place);
            }
        }
    }

    fn image(&mut self, element: &Element<'_>) {
        if element.attribute("alt").is_none() {
            let why = text!(
                "people who do not load images, or cannot see them, get nothing; `alt=\"\"` for decoration"
            );
            self.say(element.head(), text!("an image without `alt`"), why);
        }
        match element.attribute("src") {
            None => self.say(
                element.head(),
                text!("an image that is none"),
                text!("it has no `src`"),
            ),
            Some((src, _)) if src.trim().is_empty() => {
                self.say(
                    element.head(),
                    text!("an image that is none"),
                    text!("its `src` is empty"),
                );
            }
            Some((src, place)) if src.trim().starts_with("data:") => {
                self.say(place, text!("an image as `data:`"), AS_DATA);
            }
            Some((src, place)) => self.address(src, place),
        }
    }

    /// Addresses of images in CSS.
    pub(super) fn css(&mut self, range: Range<usize>) {
        let css = self.source.text.get(range.clone()).unwrap_or_default().to_owned();
        for (at, _) in css.match_indices("url(") {
            let start = at + "url(".len();
            let rest = css.get(start..).unwrap_or_default();
            let inner = rest.split(')').next().unwrap_or_default();
            let quotes = |c: char| c.is_whitespace() || matches!(c, '"' | '\'');
            let value = inner
                .trim_matches(quotes)
                .trim_start_matches("&quot;")
                .trim_end_matches("&quot;");
            self.beside(value, range.start + start..range.start + start + inner.len());
        }
        if let Some(at) = css.find("@import") {
            let why = text!("Gmail and others do not load it; write the styles into `<style>`");
            let place = range.start + at..range.start + at + "@import".len();
            self.say(place, text!("a stylesheet of its own"), why);
        }
    }

    /// An image that is named elsewhere than in `<img src>`.
    fn beside(&mut self, value: &str, place: Range<usize>) {
        let value = value.trim();
        if value.starts_with("data:") {
            self.say(place, text!("an image as `data:`"), AS_DATA);
        } else if is_local(value) {
            self.say(
                place,
                text!("`{value}` does not go with the mail", value),
                NOT_SENT,
            );
        } else {
            self.address(value, place);
        }
    }
}

/// `background` is also where some write a colour.
fn is_plain_css(value: &str) -> bool {
    let value = value.trim();
    value.starts_with('#') || value.bytes().all(|byte| byte.is_ascii_alphabetic()) || value.contains('(')
}
