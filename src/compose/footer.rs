//! The footer must stand in both parts: the way to unsubscribe, and the postal address. The templates place it; this
//! is the check without which no mail is composed.

use std::ops::Range;

use memchr::memmem;

use super::{Links, lines};
use crate::mail::message::comments;

/// What the footer of one mail must show.
#[derive(Clone, Copy, Debug)]
pub struct Footer<'a> {
    /// How the recipient leaves.
    pub links: &'a Links,
    /// The postal address as it stands in text.
    pub postal_text: &'a str,
    /// The postal address as it stands in HTML.
    pub postal_html: &'a str,
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
        let link = memmem::Finder::new(self.links.preferred());
        for (part, body, postal) in [("text", text, self.postal_text), ("HTML", html, self.postal_html)] {
            let hidden: Vec<Range<usize>> = comments(body).collect();
            if !stands(body, &hidden, &link) {
                return Err(FooterMissing {
                    part,
                    what: "unsubscribe link",
                });
            }
            if !stands(
                body,
                &hidden,
                &memmem::Finder::new(lines::piece(postal).as_bytes()),
            ) {
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
fn stands(body: &str, hidden: &[Range<usize>], what: &memmem::Finder<'_>) -> bool {
    let is_seen = |at: usize| !hidden.iter().any(|comment| comment.contains(&at));
    !what.needle().is_empty() && what.find_iter(body.as_bytes()).any(is_seen)
}
