//! The footer must stand in both parts: the way to unsubscribe, and the postal address. The templates place it; this
//! is the check without which no mail is composed.

use crate::mail::Content;
use crate::mail::message::is_in_comment;

/// What the footer of one mail must show.
#[derive(Clone, Copy, Debug)]
pub struct Footer<'a> {
    /// The link by which the recipient leaves.
    pub unsubscribe_link: &'a str,
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
    pub(super) fn check(&self, content: &Content) -> Result<(), FooterMissing> {
        let parts = [
            ("text", &content.text, self.postal_text),
            ("HTML", &content.html, self.postal_html),
        ];
        for (part, body, postal) in parts {
            if !stands(body, self.unsubscribe_link) {
                return Err(FooterMissing {
                    part,
                    what: "unsubscribe link",
                });
            }
            if !stands(body, postal) {
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
fn stands(body: &str, what: &str) -> bool {
    !what.is_empty() && body.match_indices(what).any(|(at, _)| !is_in_comment(body, at))
}
