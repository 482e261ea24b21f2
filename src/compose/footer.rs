//! The footer must stand in both parts: the way to unsubscribe, and the postal address. The templates place it; this
//! is the check without which no mail is composed.

use std::ops::Range;

use memchr::memmem::Finder;

use super::{Links, lines};
use crate::mail::message::comments;

/// What the footer of one mail must show.
#[derive(Clone, Copy, Debug)]
pub struct Footer<'a> {
    /// How the recipient leaves.
    pub links: &'a Links,
    /// Who sends.
    pub postal: &'a Postal,
}

/// The postal address of a campaign, ready to be looked for.
#[derive(Clone, Debug)]
pub struct Postal {
    text: Finder<'static>,
    html: Finder<'static>,
}

impl Postal {
    /// The address as it stands in text, and as it stands in HTML.
    pub fn new(text: &str, html: &str) -> Self {
        let finder = |postal| Finder::new(lines::piece(postal).as_bytes()).into_owned();
        Self {
            text: finder(text),
            html: finder(html),
        }
    }
}

/// The footer is not there: which half, in which part.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the {part} part has no {what}; `{{{{{{footer}}}}}}` must not be hidden by a condition")]
pub struct FooterMissing {
    /// `text` or `HTML`.
    pub part: &'static str,
    /// What is missing.
    pub what: &'static str,
}

impl Footer<'_> {
    /// Looks into both parts in their canonical form: what is sent.
    pub(super) fn check(&self, text: &str, html: &str) -> Result<(), FooterMissing> {
        let link = Finder::new(self.links.preferred());
        for (part, body, postal) in [
            ("text", text, &self.postal.text),
            ("HTML", html, &self.postal.html),
        ] {
            let hidden: Vec<Range<usize>> = comments(body).collect();
            if !stands(body, &hidden, &link) {
                return Err(FooterMissing {
                    part,
                    what: "unsubscribe link",
                });
            }
            if !stands(body, &hidden, postal) {
                return Err(FooterMissing {
                    part,
                    what: "postal address",
                });
            }
        }
        Ok(())
    }
}

/// What stands in a comment, also in one for a single mail program, is not there for most people.
fn stands(body: &str, hidden: &[Range<usize>], what: &Finder<'_>) -> bool {
    let is_seen = |at: usize| !hidden.iter().any(|comment| comment.contains(&at));
    !what.needle().is_empty() && what.find_iter(body.as_bytes()).any(is_seen)
}
