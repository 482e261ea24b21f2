//! Links: where they lead, and whether their text says so.

use std::ops::Range;

use super::super::html::{Element, unescape, without_elements};
use super::Lint;

use crate::text;
use crate::words::Text;

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
/// Elements that lead somewhere, and those of them that are nothing but links.
pub(super) const LINKS: [&str; 6] = [
    "a",
    "area",
    "mj-button",
    "mj-image",
    "mj-navbar-link",
    "mj-social-element",
];
const ONLY_LINKS: [&str; 3] = ["a", "mj-button", "mj-navbar-link"];
/// What no mail program follows, and filters distrust.
const DEAD_SCHEMES: [&str; 5] = ["javascript", "vbscript", "data", "file", "about"];
const NOWHERE: Text = text!("a link that leads nowhere");

/// A link whose end has not come yet.
pub(super) struct Link {
    host: String,
    /// Where its text begins.
    text: usize,
}

impl Lint<'_> {
    pub(super) fn links(&mut self, element: &Element<'_>) {
        let name = element.name.as_str();
        if !LINKS.contains(&name) {
            return;
        }
        if matches!(name, "a" | "mj-button") {
            self.link = None;
        }
        let Some((href, place)) = element.attribute("href") else {
            let is_target = ["name", "id"]
                .iter()
                .any(|name| element.attribute(name).is_some());
            if ONLY_LINKS.contains(&name) && !is_target {
                self.say(element.head(), NOWHERE, text!("it has no `href`"));
            }
            return;
        };
        self.leads(href, place.clone());
        self.address(href, place);
        if matches!(name, "a" | "mj-button") {
            self.link = host(href).map(|host| Link {
                host,
                text: element.range.end,
            });
        }
    }

    /// A mail is no page: what is not a whole address leads nowhere.
    fn leads(&mut self, href: &str, place: Range<usize>) {
        let address = href.trim();
        let scheme = scheme(address);
        if address.is_empty() || address == "#" {
            let place = place.start.saturating_sub(usize::from(place.is_empty()))..place.end;
            return self.say(place, NOWHERE, text!("write a whole address, `https://…`"));
        }
        if scheme
            .as_deref()
            .is_some_and(|scheme| DEAD_SCHEMES.contains(&scheme))
        {
            let what = text!("a link to `{scheme}:`", scheme = scheme.unwrap_or_default());
            return self.say(
                place,
                what,
                text!("mail programs take it out, and filters distrust the mail"),
            );
        }
        // Where a tag begins it, the list decides.
        let is_whole = scheme.is_some() || address.starts_with('#') || address.starts_with("{{");
        if !is_whole {
            let what = text!(
                "{nowhere}: `{address}` is no whole address",
                nowhere = NOWHERE,
                address
            );
            self.say(
                place,
                what,
                text!("a mail has no address of its own; begin with `https://`"),
            );
        }
    }

    /// What is distrusted about an address, of a link or of an image.
    pub(super) fn address(&mut self, value: &str, place: Range<usize>) {
        if value.trim().to_ascii_lowercase().starts_with("http://") {
            let why = text!("mailboxes warn of it, and anyone on the way can change it");
            self.say(place.clone(), text!("an address without https"), why);
        }
        if let Some(host) = host(value).filter(|host| SHORTENERS.contains(&bare(host))) {
            let why = text!("filters distrust shortened links; write where it leads");
            self.say(place, text!("a link by way of {host}", host), why);
        }
    }

    /// The text of a link that names a host should lead there.
    pub(super) fn end_link(&mut self, end: usize) {
        let Some(link) = self.link.take() else {
            return;
        };
        let text = without_elements(self.source.text.get(link.text..end).unwrap_or_default());
        let text = text.trim();
        let is_address = !text.contains(char::is_whitespace) && text.contains('.') && !text.contains("{{");
        let shown = if text.contains("://") {
            host(text)
        } else {
            host(&format!("https://{text}"))
        };
        if let Some(shown) = shown.filter(|shown| is_address && is_host(shown))
            && bare(&shown) != bare(&link.host)
        {
            let what = text!(
                "the text of this link says {shown}, and it leads to {host}",
                shown,
                host = link.host
            );
            self.say(
                link.text..end,
                what,
                text!("that is how phishing looks, and filters know it"),
            );
        }
    }
}

fn bare(host: &str) -> &str {
    host.trim_start_matches("www.")
}

/// What stands before the colon of an address, in lower case.
fn scheme(address: &str) -> Option<String> {
    let (scheme, _) = address.split_once(':')?;
    let is_scheme = scheme.starts_with(|c: char| c.is_ascii_alphabetic())
        && scheme
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    is_scheme.then(|| scheme.to_ascii_lowercase())
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
